/* archive.c - named tensors from a file of any format, and how what is looked for is called there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

/* A .npy file: one tensor, without a name. */
static int read_array(Archive *a, ngrt_message *message)
{
    Stored *s = ngrt_archive_add(a, "", 0);

    if (!s)
        return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", a->path);
    return ngrt_npy_take(&s->data, &a->file, a->path, message);
}

/* The tensors of a->file, by its format. */
static int read_tensors(Archive *a, ngrt_message *message)
{
    if (ngrt_is_npy(&a->file))
        return read_array(a, message);
    if (ngrt_is_zip(&a->file))
        return ngrt_npz_read(a, NULL, message);
    if (ngrt_is_safetensors(&a->file))
        return ngrt_safetensors_read(a, message);
    return ngrt_fail(message, NGRT_EFORMAT,
                     "%s: holds no weights: it is neither safetensors nor NumPy's .npy or .npz",
                     a->path);
}

int ngrt_archive_known(const Bytes *b)
{
    return ngrt_is_npy(b) || ngrt_is_zip(b) || ngrt_is_safetensors(b);
}

int ngrt_archive_read(Archive *a, const char *path, ngrt_message *message)
{
    int error;

    memset(a, 0, sizeof *a);
    a->path = path;
    message->text[0] = 0;

    error = ngrt_file_read_known(&a->file, path, ngrt_archive_known, message);
    if (!error)
        error = read_tensors(a, message);
    if (error)
        ngrt_archive_free(a);
    return error;
}

/* ---- a map of names: "theirs=ours,..." ---- */

/* Adds a pair; false without memory. */
static int add_pair(Map *map, char *theirs, char *ours)
{
    size_t size = (size_t)(map->count + 1) * sizeof(char *);
    char **grown = realloc(map->theirs, size);

    if (!grown)
        return 0;
    map->theirs = grown;
    grown = realloc(map->ours, size);
    if (!grown)
        return 0;
    map->ours = grown;

    map->theirs[map->count] = theirs;
    map->ours[map->count] = ours;
    map->count++;
    return 1;
}

/* The text without blanks at its ends. */
static char *trim(char *at, char *end)
{
    while (end > at && strchr(" \t\r", end[-1]))
        end--;
    *end = 0;
    return at + strspn(at, " \t\r");
}

/* Reads theirs=ours, one item of the text. */
static int read_pair(Map *map, char *item, const char *where, int line, ngrt_message *message)
{
    char *equals = strchr(item, '=');
    char *ours;
    int i;

    if (!equals)
        return ngrt_fail(message, NGRT_EFORMAT, "%s:%d: '%.60s' is not a pair, theirs=ours", where,
                         line, item);
    ours = equals + 1 + strspn(equals + 1, " \t");
    trim(item, equals);
    if (!*item || !*ours)
        return ngrt_fail(message, NGRT_EFORMAT, "%s:%d: a name is missing beside '='", where, line);

    /* one of their names may feed two of ours, but not the reverse */
    for (i = 0; i < map->count; i++)
        if (strcmp(map->ours[i], ours) == 0)
            return ngrt_fail(message, NGRT_EFORMAT, "%s:%d: '%.60s' is named twice", where, line,
                             ours);
    if (!add_pair(map, item, ours))
        return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", where);
    return NGRT_OK;
}

/* Reads the pairs of map->text, separated by lines and commas; '#' starts a comment. */
static int read_pairs(Map *map, const char *where, ngrt_message *message)
{
    char *at = map->text;
    char stop;
    int line = 1;
    int error = NGRT_OK;

    do {
        /* the text is cut in place: names are pointers into it */
        char *end = at + strcspn(at, ",\n#");
        char *item;

        stop = *end;
        item = trim(at, end);
        if (stop == '#') { /* the comment ends with its line */
            end += 1 + strcspn(end + 1, "\n");
            stop = *end;
        }
        if (*item)
            error = read_pair(map, item, where, line, message);
        if (stop == '\n')
            line++;
        at = end + 1;
    } while (stop && !error);
    return error;
}

int ngrt_map_read(Map *map, const char *text, ngrt_message *message)
{
    Bytes b = {0};
    const char *where = text;
    int error = NGRT_OK;

    memset(map, 0, sizeof *map);
    if (!text)
        return NGRT_OK;

    if (strchr(text, '=') && access(text, F_OK) != 0) { /* pairs, and not the name of a file */
        where = "map";
        if (!ngrt_bytes_add(&b, text, strlen(text)))
            error = ngrt_fail(message, NGRT_ENOMEM, "out of memory");
    } else {
        error = ngrt_file_read(&b, text, message);
        if (!error && strlen(b.at) != b.size)
            error = ngrt_fail(message, NGRT_EFORMAT, "%s: holds a byte 0", text);
    }
    map->text = b.at;
    if (error)
        return error;
    return read_pairs(map, where, message);
}

void ngrt_map_free(Map *map)
{
    free(map->theirs);
    free(map->ours);
    free(map->text);
    memset(map, 0, sizeof *map);
}

/* ---- names by a map ---- */

/* What follows `start` in a name, if the name is `start` or begins with it and a point; else
 * NULL. */
static const char *rest_after(const char *name, const char *start)
{
    size_t n = strlen(start);

    if (strncmp(name, start, n) != 0)
        return NULL;
    if (name[n] == 0 || name[n] == '.')
        return name + n;
    return NULL;
}

/* PyTorch's name of the last part: .W and .gain are .weight, .b is .bias. NULL: there is none. */
static const char *torch_part(const char *last)
{
    if (strcmp(last, ".W") == 0 || strcmp(last, ".gain") == 0)
        return ".weight";
    return strcmp(last, ".b") == 0 ? ".bias" : NULL;
}

/* A name in a file, in three pieces that follow each other. */
typedef struct Joined {
    const char *start; /* theirs of the pair, or "" */
    const char *name;  /* of ours, what follows the pair's */
    size_t kept;       /* bytes of name */
    const char *part;  /* PyTorch's name of the last part, or "" */
} Joined;

/* Joins a start and what follows it; with `torch`, the last part is called as PyTorch does. False
 * if PyTorch has no name of its own for it. */
static int join(Joined *j, const char *start, const char *name, int torch)
{
    const char *last = strrchr(name, '.');

    *j = (Joined){start, name, strlen(name), ""};
    if (!torch)
        return 1;
    if (!last || !torch_part(last))
        return 0;
    j->kept = (size_t)(last - name);
    j->part = torch_part(last);
    return 1;
}

/* Is text this name? Without memory, so that a search cannot fail for lack of it. */
static int is_joined(const char *text, const Joined *j)
{
    size_t n = strlen(j->start);

    return strncmp(text, j->start, n) == 0 && strncmp(text + n, j->name, j->kept) == 0 &&
           strcmp(text + n + j->kept, j->part) == 0;
}

/* The name as a text; NULL without memory. */
static char *joined_text(const Joined *j)
{
    size_t room = strlen(j->start) + j->kept + strlen(j->part) + 1;
    char *text = malloc(room);

    if (text)
        snprintf(text, room, "%s%.*s%s", j->start, (int)j->kept, j->name, j->part);
    return text;
}

static const Stored *find_joined(const Archive *a, const char *start, const char *name, int torch)
{
    Joined j;
    int i;

    if (!join(&j, start, name, torch))
        return NULL;
    for (i = 0; i < a->count; i++)
        if (is_joined(a->tensor[i].name, &j))
            return &a->tensor[i];
    return NULL;
}

/* Splits one of our names by the longest pair for it, into theirs and what follows. False if no
 * pair is for it: then all of the name follows "". */
static int split(const Map *map, const char *name, const char **start, const char **rest)
{
    int i, best = -1;

    for (i = 0; i < map->count; i++)
        if (rest_after(name, map->ours[i]) &&
            (best < 0 || strlen(map->ours[i]) > strlen(map->ours[best])))
            best = i;

    *start = "";
    *rest = name;
    if (best >= 0) {
        *start = map->theirs[best];
        *rest = rest_after(name, map->ours[best]);
    }
    return best >= 0;
}

const Stored *ngrt_archive_find(const Archive *a, const Map *map, const char *name)
{
    const char *start, *rest;
    int mapped = split(map, name, &start, &rest);
    const Stored *s = find_joined(a, start, rest, 0);

    /* as it is first; then by PyTorch's words; then as if no pair were for it */
    if (!s)
        s = find_joined(a, start, rest, 1);
    if (!s && mapped)
        s = find_joined(a, "", name, 0);
    return s;
}

char *ngrt_map_name(const Map *map, const char *name)
{
    const char *start, *rest;
    Joined j;

    split(map, name, &start, &rest);
    /* a map is for files of PyTorch, so names are written in its words */
    if (map->count == 0 || !join(&j, start, rest, 1))
        join(&j, start, rest, 0);
    return joined_text(&j);
}
