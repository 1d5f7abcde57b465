/* limit.c - runs a command with a limit of processor time: limit SECONDS COMMAND [ARGUMENT ...].
 *
 * A busy machine makes a program slow, not wrong, so time by the clock is not counted. What neither
 * ends nor computes, as threads that wait for each other, is ended after IDLE seconds (LIMIT_IDLE)
 * in which none of its processes used it. The exit status is the command's; 124, with a message,
 * where a limit ended it; 128 + N where signal N did. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { IDLE = 60, LOOKS = 20 }; /* seconds; looks a second */

/* Clock ticks that the processes of a group have used, with their children that have ended. */
static unsigned long used(pid_t group)
{
    unsigned long sum = 0;
    DIR *all = opendir("/proc");

    for (struct dirent *d; all && (d = readdir(all)) != NULL;) {
        char path[300], text[1000];
        unsigned long user, system, users, systems;
        int of = 0;

        snprintf(path, sizeof path, "/proc/%s/stat", d->d_name);
        FILE *f = d->d_name[0] >= '0' && d->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
        text[n] = '\0';
        if (f)
            fclose(f);

        char *rest = strrchr(text, ')'); /* the name may have blanks */
        if (rest &&
            sscanf(rest, ") %*c %*d %d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu", &of, &user,
                   &system, &users, &systems) == 5 &&
            of == group)
            sum += user + system + users + systems;
    }
    if (all)
        closedir(all);
    return sum;
}

static int ended(const char *why, pid_t group, long seconds)
{
    kill(-group, SIGKILL);
    fprintf(stderr, "limit: ended after %ld s %s\n", seconds, why);
    return 124;
}

int main(int argc, char **argv)
{
    if (argc < 3 || atol(argv[1]) <= 0) {
        fprintf(stderr, "usage: limit SECONDS COMMAND [ARGUMENT ...]\n");
        return 2;
    }
    long seconds = atol(argv[1]), ticks = sysconf(_SC_CLK_TCK);
    const char *own = getenv("LIMIT_IDLE");
    int idles = own ? atoi(own) : IDLE;
    pid_t child = fork();
    if (child < 0)
        return 3;
    if (child == 0) {
        struct rlimit most = {(rlim_t)seconds, (rlim_t)seconds + 5}; /* of each process */
        setpgid(0, 0);
        setrlimit(RLIMIT_CPU, &most);
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    setpgid(child, child);

    int status, idle = 0;
    unsigned long last = 0;
    for (int look = 1;; look++) {
        struct timespec pause = {0, 1000000000 / LOOKS};
        pid_t done = waitpid(child, &status, WNOHANG);
        if (done == child)
            break;
        nanosleep(&pause, NULL);
        if (look % LOOKS)
            continue;
        unsigned long now = used(child);
        idle = now == last ? idle + 1 : 0;
        last = now;
        if ((long)(now / (unsigned long)ticks) > seconds)
            return ended("of processor time", child, seconds);
        if (idle >= idles)
            return ended("in which it computed nothing", child, idles);
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return ended("of processor time", child, seconds);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
