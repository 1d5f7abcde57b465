/* wire.c - the messages of the format in memory: read from a file, and written.
 *
 * protobuf-c unpacks messages inside messages by recursion. So the depth of a file is checked
 * first: graphs are in attributes of nodes of graphs. */
#include "onnx/onnx.h"

#include <string.h>

/* ---- the depth ---- */

enum { MAX_DEPTH = 16 }; /* of graphs in graphs */

typedef struct Bite { /* a field of a message */
    const unsigned char *at, *end;
    unsigned field;
    bool message; /* it has a length */
} Bite;

static bool take_varint(const unsigned char **at, const unsigned char *end, uint64_t *v)
{
    *v = 0;
    for (int shift = 0; shift < 64 && *at < end; shift += 7) {
        unsigned char c = *(*at)++;
        *v |= (uint64_t)(c & 127) << shift;
        if (c < 128)
            return true;
    }
    return false;
}

/* Takes the next field of a message that ends at `end`. */
static bool take_field(const unsigned char **at, const unsigned char *end, Bite *b)
{
    uint64_t key, size = 0;
    if (!take_varint(at, end, &key))
        return false;

    b->field = (unsigned)(key >> 3);
    b->message = false;
    switch (key & 7) {
    case 0: return take_varint(at, end, &size);
    case 1: size = 8; break;
    case 5: size = 4; break;
    case 2:
        b->message = true;
        if (!take_varint(at, end, &size))
            return false;
        break;
    default: return false;
    }
    if (size > (uint64_t)(end - *at))
        return false;
    b->at = *at;
    *at += size;
    b->end = *at;
    return true;
}

typedef enum { IN_MODEL, IN_GRAPH, IN_NODE, IN_ATTRIBUTE } Place;

/* Where a field of this message leads, towards a graph; false: elsewhere. */
static bool leads_on(Place in, unsigned field, Place *to)
{
    *to = IN_GRAPH;
    if (in == IN_MODEL)
        return field == 7;
    if (in == IN_ATTRIBUTE)
        return field == 6;
    *to = in == IN_GRAPH ? IN_NODE : IN_ATTRIBUTE;
    return field == (in == IN_GRAPH ? 1 : 5);
}

static const char broken[] = "is not a file in the ONNX format, or is damaged";

/* What is wrong with a message, or NULL. */
static const char *check_message(const unsigned char *at, const unsigned char *end, Place in,
                                 int depth)
{
    Bite b;
    Place to;
    if (depth > MAX_DEPTH)
        return "has too many graphs inside each other";

    while (at < end) {
        if (!take_field(&at, end, &b))
            return broken;
        if (!b.message || !leads_on(in, b.field, &to))
            continue;
        const char *why = check_message(b.at, b.end, to, depth + (to == IN_GRAPH));
        if (why)
            return why;
    }
    return NULL;
}

/* ---- reading ---- */

static void *arena_of(void *ngc, size_t size)
{
    return arena_alloc(ngc, size);
}

static void arena_keep(void *ngc, void *at)
{
    (void)ngc;
    (void)at;
}

/* Does it begin with the number of a field? Of a large file that does not, no more is read. */
static int may_be_message(const Bytes *b)
{
    return b->size > 0 && (unsigned char)b->at[0] >> 3 != 0;
}

/* Its bytes stay: tensors are in them. */
static bool read_bytes(Ngc *ngc, const char *path, Bytes *b)
{
    ngrt_message message;
    if (ngrt_file_read_known(b, path, may_be_message, &message) == NGRT_OK)
        return true;
    complain(ngc, "%s", message.text);
    return false;
}

static void *unpack(Ngc *ngc, const char *path, const ProtobufCMessageDescriptor *what, Place in)
{
    ProtobufCAllocator arena = {arena_of, arena_keep, ngc};
    Bytes b = {0};
    if (!read_bytes(ngc, path, &b))
        return NULL;

    const unsigned char *at = (const unsigned char *)b.at;
    const char *why = check_message(at, at + b.size, in, 0);
    ProtobufCMessage *m = NULL;
    if (!why)
        m = protobuf_c_message_unpack(what, &arena, b.size, at);
    ngrt_bytes_free(&b);
    if (!m)
        complain(ngc, "%s: %s", path, why ? why : broken);
    return m;
}

Pb__Model *onnx_read(Ngc *ngc, const char *path)
{
    Pb__Model *m = unpack(ngc, path, &pb__model__descriptor, IN_MODEL);
    if (!m)
        return NULL;
    if (m->graph && m->graph->n_node + m->graph->n_output > 0)
        return m;
    complain(ngc, "%s: %s", path, m->graph ? "its graph is empty" : "there is no graph in it");
    return NULL;
}

Pb__Tensor *onnx_read_tensor(Ngc *ngc, const char *path)
{
    return unpack(ngc, path, &pb__tensor__descriptor, IN_ATTRIBUTE);
}

/* ---- writing ---- */

void onnx_write(Ngc *ngc, const Pb__Model *m, Text *t)
{
    size_t size = pb__model__get_packed_size(m);
    uint8_t *at = arena_alloc(ngc, size + 1);
    pb__model__pack(m, at);
    text_put(t, (const char *)at, size);
}
