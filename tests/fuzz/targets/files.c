/* files.c - the files of targets that read and write some. */
#define _GNU_SOURCE
#include "target.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];

/* Removes the files that were written. */
static void empty_directory(void)
{
    DIR *d = opendir(directory);
    const struct dirent *entry;

    while (d && (entry = readdir(d)))
        unlinkat(dirfd(d), entry->d_name, 0);
    if (d)
        closedir(d);
}

static void leave_directory(void)
{
    empty_directory();
    rmdir(directory);
}

void enter_directory(void)
{
    static unsigned runs;

    if (directory[0]) {
        if (++runs % 200 == 0)
            empty_directory();
        return;
    }
    strcpy(directory, access("/dev/shm", W_OK) == 0 ? "/dev/shm/fuzz-XXXXXX" : "/tmp/fuzz-XXXXXX");
    if (!mkdtemp(directory) || chdir(directory) != 0)
        abort();
    atexit(leave_directory);
    setenv("HOME", directory, 1);
    setenv("TMPDIR", directory, 1);
    unsetenv("XDG_CACHE_HOME");
    setenv("CC", "no-such-compiler", 1);
}

void write_file(const char *name, const uint8_t *data, size_t size)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || (size && write(fd, data, size) != (ssize_t)size))
        abort();
    close(fd);
}

int read_words(const uint8_t *data, size_t size, const char *name, char **argv)
{
    const char *end = memchr(data, '\n', size);
    size_t length = end ? (size_t)(end - (const char *)data) : size;
    char *line = strndup((const char *)data, length), *rest = NULL;
    int argc = 1;

    argv[0] = strdup("ngc");
    if (strchr(line, '/')) {
        free(line);
        free(argv[0]);
        return -1;
    }
    for (char *w = strtok_r(line, " ", &rest); w && argc < WORDS; w = strtok_r(NULL, " ", &rest))
        argv[argc++] = strdup(w);
    argv[argc] = NULL;
    free(line);

    if (length < size)
        length++;
    write_file(name, data + length, size - length);
    return argc;
}

void free_words(char **argv, int argc)
{
    for (int i = 0; i < argc; i++)
        free(argv[i]);
}
