/* weights.c - the weights of a model <-> a file of named tensors, by the model's descriptor. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

/* FNV-1a, 64 bits. */
static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    while (size-- > 0)
        h = (h ^ *at++) * 0x100000001B3u;
    return h;
}

uint64_t ngrt_model_hash(const ngrt_model *model)
{
    uint64_t h = 0xCBF29CE484222325u;
    int i, k;

    for (i = 0; i < model->tensors; i++) {
        const ngrt_tensor *t = &model->tensor[i];
        char text[16];

        if (t->role != NGRT_PARAM)
            continue;
        /* floats of both widths are "f": a model compiled for doubles reads the same file */
        h = hash_bytes(h, t->name, strlen(t->name) + 1);
        h = hash_bytes(h, t->type == NGRT_I32 ? "i" : "f", 1);
        for (k = 0; k < t->rank; k++)
            h = hash_bytes(h, text, (size_t)snprintf(text, sizeof text, " %d", t->shape[k]));
    }
    return h ? h : 1; /* 0 means that a file does not say */
}

static size_t tensor_count(const ngrt_tensor *t)
{
    size_t count = 1;
    int i;

    for (i = 0; i < t->rank; i++)
        count *= (size_t)t->shape[i];
    return count;
}

/* "[8, 2]" */
static const char *shape_text(char *text, size_t room, int rank, const size_t *shape)
{
    size_t used = (size_t)snprintf(text, room, "[");
    int i;

    for (i = 0; i < rank && used + 30 < room; i++)
        used += (size_t)snprintf(text + used, room - used, i ? ", %zu" : "%zu", shape[i]);
    snprintf(text + used, room - used, "]");
    return text;
}

/* Is the archive one array without a name, as a .npy file is? */
static int is_single(const Archive *a)
{
    return a->count == 1 && !*a->tensor[0].name;
}

/* ---- saving ---- */

/* The block that a tensor of this role is in, or NULL. */
static const void *block_of(const ngrt_tensor *t, const void *params, const void *state)
{
    switch (t->role) {
    case NGRT_PARAM: return params;
    case NGRT_STATE: return state;
    default: return NULL;
    }
}

/* Adds a tensor of the model, where it lies; false without memory. */
static int add_tensor(Archive *a, const ngrt_tensor *t, const void *block, const Map *map)
{
    char *name = ngrt_map_name(map, t->name);
    Stored *s = NULL;
    if (name)
        s = ngrt_archive_add(a, name, strlen(name));
    int i;

    free(name);
    if (!s)
        return 0;
    s->data.type = ngrt_element_of(t->type);
    s->data.rank = t->rank;
    for (i = 0; i < t->rank; i++)
        s->data.shape[i] = (size_t)t->shape[i];
    s->data.rows = 1;
    s->data.columns = tensor_count(t);
    s->data.at = (const char *)block + t->offset;
    return 1;
}

/* Adds all params, and all states unless state is NULL. */
static int add_tensors(Archive *a, const ngrt_model *model, const void *params, const void *state,
                       const Map *map)
{
    int i, good = 1;

    for (i = 0; i < model->tensors && good; i++) {
        const ngrt_tensor *t = &model->tensor[i];
        const void *block = block_of(t, params, state);

        if (block)
            good = add_tensor(a, t, block, map);
    }
    return good;
}

/* Do two tensors get one name? Then one of them would be lost. */
static int check_names(const Archive *a, ngrt_message *message)
{
    int i, k;

    for (i = 0; i < a->count; i++)
        for (k = 0; k < i; k++)
            if (strcmp(a->tensor[i].name, a->tensor[k].name) == 0)
                return ngrt_fail(message, NGRT_EMODEL, "%s: the map calls two tensors '%s'",
                                 a->path, a->tensor[i].name);
    return NGRT_OK;
}

/* Writes an archive in the format that the end of its path says. */
static int write_archive(const Archive *a, ngrt_message *message)
{
    if (ngrt_path_ends(a->path, ".npz"))
        return ngrt_npz_write(a, message);
    if (ngrt_path_ends(a->path, ".npy"))
        return ngrt_npy_write(a, message);
    return ngrt_safetensors_write(a, message);
}

int ngrt_weights_add(Archive *a, const ngrt_model *model, const void *params, const void *state,
                     const char *prefix)
{
    Map none = {0};
    int first = a->count;
    int i;

    if (!add_tensors(a, model, params, state, &none))
        return 0;
    for (i = first; i < a->count; i++) {
        char *name = a->tensor[i].name;
        char *longer = malloc(strlen(prefix) + strlen(name) + 1);

        if (!longer)
            return 0;
        strcpy(longer, prefix);
        strcat(longer, name);
        free(name);
        a->tensor[i].name = longer;
    }
    return 1;
}

/* Adds the tensors and the notes of others, where they are; false without memory. */
static int add_more(Archive *a, const Notes *notes, const Archive *more)
{
    int i, good = 1;

    for (i = 0; notes && i < notes->count && good; i++)
        good = ngrt_notes_set(&a->notes, notes->note[i].key, notes->note[i].text);
    for (i = 0; more && i < more->count && good; i++) {
        const Stored *from = &more->tensor[i];
        Stored *s = ngrt_archive_add(a, from->name, strlen(from->name));

        good = s != NULL;
        if (s) {
            /* the elements are not copied */
            s->data = from->data;
            s->data.block = NULL; /* it stays the other's */
        }
    }
    return good;
}

int ngrt_weights_save(const ngrt_model *model, const void *params, const void *state,
                      const ngrt_about *about, const char *path, const char *pairs,
                      ngrt_message *message)
{
    return ngrt_weights_write(model, params, state, about, NULL, NULL, path, pairs, message);
}

int ngrt_weights_write(const ngrt_model *model, const void *params, const void *state,
                       const ngrt_about *about, const Notes *notes, const Archive *more,
                       const char *path, const char *pairs, ngrt_message *message)
{
    Archive a = {.path = path};
    Map map;
    int error = ngrt_map_read(&map, pairs, message);

    if (!error)
        message->text[0] = 0;
    if (about)
        a.about = *about;
    /* the model that writes is the one whose names are in the file */
    a.about.hash = ngrt_model_hash(model);

    if (!error && (!add_tensors(&a, model, params, state, &map) || !add_more(&a, notes, more)))
        error = ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", path);
    if (!error)
        error = check_names(&a, message);
    if (!error)
        error = write_archive(&a, message);
    ngrt_archive_free(&a);
    ngrt_map_free(&map);
    return error;
}

/* ---- loading: checks ---- */

/* The names in a file, as many as there is room for. */
static const char *list_names(const Archive *a, char *text, size_t room)
{
    size_t used = 0;
    int i;

    if (a->count == 0)
        return "nothing";
    for (i = 0; i < a->count; i++) {
        const char *name = a->tensor[i].name;

        if (used + strlen(name) + 12 > room) {
            snprintf(text + used, room - used, ", ...");
            break;
        }
        used += (size_t)snprintf(text + used, room - used, i ? ", %s" : "%s", name);
    }
    return text;
}

/* Has the tensor of the file the shape of the model's? */
static int check_shape(const Archive *a, const ngrt_model *model, const ngrt_tensor *t,
                       const Stored *s, ngrt_message *message)
{
    size_t shape[8];
    char have[200], want[200];
    int i;
    int same = s->data.rank == t->rank;

    for (i = 0; i < t->rank; i++)
        shape[i] = (size_t)t->shape[i];
    for (i = 0; i < t->rank && same; i++)
        same = s->data.shape[i] == shape[i];
    if (same)
        return NGRT_OK;

    shape_text(have, sizeof have, s->data.rank, s->data.shape);
    shape_text(want, sizeof want, t->rank, shape);
    return ngrt_fail(message, NGRT_EMODEL,
                     "%s: %s: has the shape %s, but %s of the model %s has %s", a->path,
                     *s->name ? s->name : t->name, have, t->name, model->name, want);
}

/* Are the elements for a tensor of whole numbers whole, and within 32 bits? */
static int check_whole_numbers(const Archive *a, const ngrt_model *model, const ngrt_tensor *t,
                               const Stored *s, ngrt_message *message)
{
    size_t i;
    size_t count = tensor_count(t);

    for (i = 0; i < count; i++) {
        double v = ngrt_data_value(&s->data, i);
        int in_range = fabs(v) <= INT32_MAX; /* NaN is not */

        if (!in_range || v != floor(v))
            return ngrt_fail(
                message, NGRT_EMODEL,
                "%s: %s: element %zu is %g, but %s of the model %s holds whole numbers", a->path,
                s->name, i, v, t->name, model->name);
    }
    return NGRT_OK;
}

/* Are finite elements finite as floats too? */
static int check_floats(const Archive *a, const ngrt_model *model, const ngrt_tensor *t,
                        const Stored *s, ngrt_message *message)
{
    size_t i;
    size_t count = tensor_count(t);

    for (i = 0; i < count; i++) {
        double v = ngrt_data_value(&s->data, i);

        if (isfinite(v) && isinf((float)v))
            return ngrt_fail(message, NGRT_EMODEL,
                             "%s: %s: element %zu is %g, too large for a float of 32 bits, as %s "
                             "of the model %s has",
                             a->path, *s->name ? s->name : t->name, i, v, t->name, model->name);
    }
    return NGRT_OK;
}

/* Does the tensor of the file fit the model's? */
static int check_tensor(const Archive *a, const ngrt_model *model, const ngrt_tensor *t,
                        const Stored *s, ngrt_message *message)
{
    int error = check_shape(a, model, t, s, message);

    if (!error && t->type == NGRT_I32)
        error = check_whole_numbers(a, model, t, s, message);
    if (!error && t->type == NGRT_F32 && s->data.type == NGRT_DATA_F64)
        error = check_floats(a, model, t, s, message);
    return error;
}

/* Is a name of the map one of the model's, or the start of one? */
static int is_mapped(const ngrt_model *model, const char *ours)
{
    size_t n = strlen(ours);
    int i;

    for (i = 0; i < model->tensors; i++) {
        const ngrt_tensor *t = &model->tensor[i];

        if (t->role != NGRT_PARAM && t->role != NGRT_STATE)
            continue;
        if (strncmp(t->name, ours, n) == 0 && (t->name[n] == 0 || t->name[n] == '.'))
            return 1;
    }
    return 0;
}

/* Finds what does not belong together although every name was found. */
static int check_whole(const Archive *a, const ngrt_model *model, const Map *map,
                       ngrt_message *message)
{
    uint64_t hash = ngrt_model_hash(model);
    int params = 0, i;

    for (i = 0; i < model->tensors; i++)
        if (model->tensor[i].role == NGRT_PARAM)
            params++;
    if (is_single(a) && params != 1)
        return ngrt_fail(message, NGRT_EMODEL, "%s: is one array, but the model %s has %d params",
                         a->path, model->name, params);
    if (a->about.hash && a->about.hash != hash && map->count == 0)
        return ngrt_fail(
            message, NGRT_EMODEL,
            "%s: was saved by another model: its hash is %016llx, that of %s is %016llx", a->path,
            (unsigned long long)a->about.hash, model->name, (unsigned long long)hash);

    for (i = 0; i < map->count; i++)
        if (!is_mapped(model, map->ours[i]))
            return ngrt_fail(message, NGRT_EMODEL, "map: nothing in the model %s is called '%s'",
                             model->name, map->ours[i]);
    return NGRT_OK;
}

/* ---- loading ---- */

/* Finds the tensor of the file for each of the model's; NULL where a state has none. `states`:
 * states are asked for, too. */
static int match(const Archive *a, const ngrt_model *model, const Map *map, int states,
                 const Stored **found, ngrt_message *message)
{
    char names[300];
    int i;
    int error = NGRT_OK;
    int single = is_single(a);

    for (i = 0; i < model->tensors && !error; i++) {
        const ngrt_tensor *t = &model->tensor[i];
        /* a state may be missing: it keeps its value */
        int is_state = t->role == NGRT_STATE && states && !single;

        found[i] = NULL;
        if (t->role != NGRT_PARAM && !is_state)
            continue;
        if (single)
            found[i] = &a->tensor[0];
        else
            found[i] = ngrt_archive_find(a, map, t->name);
        if (found[i])
            error = check_tensor(a, model, t, found[i], message);
        else if (t->role == NGRT_PARAM)
            error =
                ngrt_fail(message, NGRT_EMODEL, "%s: %s of the model %s is not in it; it holds %s",
                          a->path, t->name, model->name, list_names(a, names, sizeof names));
    }
    return error;
}

/* Copies what was found into the blocks. */
static void fill(const ngrt_model *model, const Stored **found, void *params, void *state)
{
    int i;

    for (i = 0; i < model->tensors; i++) {
        const ngrt_tensor *t = &model->tensor[i];
        char *block = t->role == NGRT_PARAM ? params : state;

        if (found[i])
            ngrt_data_copy(&found[i]->data, 0, tensor_count(t), t->type, block + t->offset);
    }
}

/* Has the model a use for a tensor of the file? */
static int is_used(const ngrt_model *model, const Stored **found, const Stored *s)
{
    int i;

    for (i = 0; i < model->tensors; i++)
        if (found[i] == s)
            return 1;
    return 0;
}

/* Mentions states without a tensor and tensors without a use: the first of each. */
static void remark(const Archive *a, const ngrt_model *model, const Stored **found,
                   ngrt_message *message)
{
    const char *state = NULL, *tensor = NULL;
    const char *before = a->path;
    int i, missing = 0, unused = 0;
    size_t used = 0;

    for (i = 0; i < model->tensors; i++)
        if (model->tensor[i].role == NGRT_STATE && !found[i] && missing++ == 0)
            state = model->tensor[i].name;

    /* names with / are a training's own, such as last/w */
    for (i = 0; i < a->count; i++) {
        const Stored *s = &a->tensor[i];

        if (!strchr(s->name, '/') && !is_used(model, found, s) && unused++ == 0)
            tensor = s->name;
    }

    if (missing) {
        const char *keeps = "; it keeps its value";
        if (missing > 1)
            keeps = " and others; they keep their values";
        used = (size_t)snprintf(message->text, sizeof message->text, "%s: holds no state %.60s%s",
                                a->path, state, keeps);
        before = "; and";
    }
    if (unused && used < sizeof message->text)
        snprintf(message->text + used, sizeof message->text - used,
                 "%s: the model has no use for %.60s%s", before, tensor,
                 unused > 1 ? " and others" : "");
}

/* Reads the tensors of a file into the blocks, if all fits; `found` has room for the model's. */
static int load(const Archive *a, const ngrt_model *model, const Map *map, const Stored **found,
                void *params, void *state, ngrt_message *message)
{
    int error = match(a, model, map, state != NULL, found, message);

    if (!error)
        error = check_whole(a, model, map, message);
    if (error)
        return error;
    /* nothing is copied before all fits: an error leaves the model as it was */
    fill(model, found, params, state);
    if (state)
        remark(a, model, found, message);
    return NGRT_OK;
}

int ngrt_weights_fill(const Archive *a, const ngrt_model *model, void *params, void *state,
                      const char *prefix)
{
    const Stored **found = calloc((size_t)model->tensors + 1, sizeof *found);
    size_t length = strlen(prefix);
    int i, k;
    int good = found != NULL;

    for (i = 0; i < model->tensors && good; i++) {
        const ngrt_tensor *t = &model->tensor[i];
        ngrt_message message;

        if (t->role != NGRT_PARAM && (t->role != NGRT_STATE || !state))
            continue;
        for (k = 0; k < a->count && !found[i]; k++) {
            const char *name = a->tensor[k].name;

            if (strncmp(name, prefix, length) == 0 && strcmp(name + length, t->name) == 0)
                found[i] = &a->tensor[k];
        }
        good = found[i] && check_tensor(a, model, t, found[i], &message) == NGRT_OK;
    }
    if (good)
        fill(model, found, params, state);
    free(found);
    return good;
}

int ngrt_weights_load(const ngrt_model *model, void *params, void *state, ngrt_about *about,
                      const char *path, const char *pairs, ngrt_message *message)
{
    return ngrt_weights_read(model, params, state, about, NULL, path, pairs, message);
}

int ngrt_weights_read(const ngrt_model *model, void *params, void *state, ngrt_about *about,
                      Archive *whole, const char *path, const char *pairs, ngrt_message *message)
{
    Archive a = {0};
    Map map;
    const Stored **found = calloc((size_t)model->tensors + 1, sizeof *found);
    int error = ngrt_map_read(&map, pairs, message);

    if (!error)
        error = ngrt_archive_read(&a, path, message);
    if (!error && !found)
        error = ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", path);
    if (!error)
        error = load(&a, model, &map, found, params, state, message);
    if (!error && about)
        *about = a.about;

    free(found);
    /* the caller wants what is beside the weights too */
    if (whole && !error)
        *whole = a;
    else
        ngrt_archive_free(&a);
    ngrt_map_free(&map);
    return error;
}
