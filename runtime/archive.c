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
    return s ? ngrt_npy_take(&s->data, &a->file, a->path, message)
             : ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", a->path);
}

int ngrt_archive_read(Archive *a, const char *path, ngrt_message *message)
{
    int error;
    memset(a, 0, sizeof *a);
    a->path = path;
    message->text[0] = 0;
    error = ngrt_file_read(&a->file, path, message);
    if (!error && ngrt_is_npy(&a->file))
        error = read_array(a, message);
    else if (!error && ngrt_is_zip(&a->file))
        error = ngrt_npz_read(a, NULL, message);
    else if (!error && ngrt_is_safetensors(&a->file))
        error = ngrt_safetensors_read(a, message);
    else if (!error)
        error =
            ngrt_fail(message, NGRT_EFORMAT,
                      "%s: holds no weights: it is neither safetensors nor NumPy's .npy or .npz",
                      path);
    if (error)
        ngrt_archive_free(a);
    return error;
}

/* ---- names ---- */

/* Adds a pair; false without memory. */
static int add_pair(Map *map, char *theirs, char *ours)
{
    size_t n = (size_t)(map->count + 1) * sizeof(char *);
    char **a = realloc(map->theirs, n), **b;
    map->theirs = a ? a : map->theirs;
    b = realloc(map->ours, n);
    map->ours = b ? b : map->ours;
    if (!a || !b)
        return 0;
    a[map->count] = theirs;
    b[map->count++] = ours;
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

/* theirs=ours, as one item of the text. */
static int read_pair(Map *map, char *item, const char *where, int line, ngrt_message *message)
{
    char *equals = strchr(item, '='), *ours;
    int i;
    if (!equals)
        return ngrt_fail(message, NGRT_EFORMAT, "%s:%d: '%.60s' is not a pair, theirs=ours", where,
                         line, item);
    ours = equals + 1 + strspn(equals + 1, " \t");
    trim(item, equals);
    if (!*item || !*ours)
        return ngrt_fail(message, NGRT_EFORMAT, "%s:%d: a name is missing beside '='", where, line);
    for (i = 0; i < map->count; i++)
        if (strcmp(map->ours[i], ours) == 0)
            return ngrt_fail(message, NGRT_EFORMAT, "%s:%d: '%.60s' is named twice", where, line,
                             ours);
    return add_pair(map, item, ours) ? NGRT_OK
                                     : ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", where);
}

/* Pairs apart by lines and commas; '#' starts a comment. */
static int read_pairs(Map *map, const char *where, ngrt_message *message)
{
    char *at = map->text, *end, stop, *item;
    int line = 1, error = NGRT_OK;
    do {
        end = at + strcspn(at, ",\n#");
        stop = *end;
        item = trim(at, end);
        if (stop == '#') {
            end += 1 + strcspn(end + 1, "\n");
            stop = *end;
        }
        if (*item)
            error = read_pair(map, item, where, line, message);
        line += stop == '\n';
        at = end + 1;
    } while (stop && !error);
    return error;
}

int ngrt_map_read(Map *map, const char *text, ngrt_message *message)
{
    Bytes b = {0};
    int error = NGRT_OK;
    memset(map, 0, sizeof *map);
    if (!text)
        return NGRT_OK;
    if (strchr(text, '=') && access(text, F_OK) != 0) {
        if (!ngrt_bytes_add(&b, text, strlen(text)))
            error = ngrt_fail(message, NGRT_ENOMEM, "out of memory");
        map->text = b.at;
        return error ? error : read_pairs(map, "map", message);
    }
    error = ngrt_file_read(&b, text, message);
    map->text = b.at;
    if (!error && strlen(b.at) != b.size)
        error = ngrt_fail(message, NGRT_EFORMAT, "%s: holds a byte 0", text);
    return error ? error : read_pairs(map, text, message);
}

void ngrt_map_free(Map *map)
{
    free(map->theirs);
    free(map->ours);
    free(map->text);
    memset(map, 0, sizeof *map);
}

/* If name is from, or starts with it and a point: what follows, else NULL. */
static const char *rest_behind(const char *name, const char *from)
{
    size_t n = strlen(from);
    return strncmp(name, from, n) == 0 && (name[n] == 0 || name[n] == '.') ? name + n : NULL;
}

/* PyTorch's name of the last part: .W and .gain are .weight, .b is .bias. NULL: there is none. */
static const char *torch_part(const char *last)
{
    if (strcmp(last, ".W") == 0 || strcmp(last, ".gain") == 0)
        return ".weight";
    return strcmp(last, ".b") == 0 ? ".bias" : NULL;
}

/* start, and name behind it, as PyTorch calls its last part if that is wanted; NULL where it has no
 * other name for it. */
static char *join(const char *start, const char *name, int torch)
{
    const char *last = strrchr(name, '.'), *part = torch && last ? torch_part(last)
                                                   : torch       ? NULL
                                                                 : "";
    size_t kept = torch && part ? (size_t)(last - name) : strlen(name),
           room = strlen(start) + strlen(name) + 8;
    char *out = part ? malloc(room) : NULL;
    if (out)
        snprintf(out, room, "%s%.*s%s", start, (int)kept, name, part);
    return out;
}

/* The pair that speaks of a name here, the longest if there are several, or -1. */
static int find_pair(const Map *map, const char *name)
{
    int i, best = -1;
    for (i = 0; i < map->count; i++)
        if (rest_behind(name, map->ours[i]) &&
            (best < 0 || strlen(map->ours[i]) > strlen(map->ours[best])))
            best = i;
    return best;
}

/* Is text what join makes of these? Without memory, which a search must not fail for. */
static int is_joined(const char *text, const char *start, const char *name, int torch)
{
    const char *last = strrchr(name, '.'), *part = torch && last ? torch_part(last)
                                                   : torch       ? NULL
                                                                 : "";
    size_t n = strlen(start), kept = torch && part ? (size_t)(last - name) : strlen(name);
    return part && strncmp(text, start, n) == 0 && strncmp(text + n, name, kept) == 0 &&
           strcmp(text + n + kept, part) == 0;
}

static const Stored *find_joined(const Archive *a, const char *start, const char *name, int torch)
{
    int i;
    for (i = 0; i < a->count; i++)
        if (is_joined(a->tensor[i].name, start, name, torch))
            return &a->tensor[i];
    return NULL;
}

const Stored *ngrt_archive_find(const Archive *a, const Map *map, const char *name)
{
    int pair = find_pair(map, name), torch;
    const char *start = pair >= 0 ? map->theirs[pair] : "",
               *rest = pair >= 0 ? rest_behind(name, map->ours[pair]) : name;
    for (torch = 0; torch < 2; torch++) {
        const Stored *s = find_joined(a, start, rest, torch);
        if (s)
            return s;
    }
    return pair >= 0 ? find_joined(a, "", name, 0) : NULL;
}

char *ngrt_map_name(const Map *map, const char *name)
{
    int pair = find_pair(map, name);
    const char *start = pair >= 0 ? map->theirs[pair] : "",
               *rest = pair >= 0 ? rest_behind(name, map->ours[pair]) : name;
    char *out = map->count ? join(start, rest, 1) : NULL;
    return out ? out : join(start, rest, 0);
}
