/* weights.c - files of weights: written and read back in each format, by other names, from other
 * programs' types; damaged at every byte; of other models; and saved while any call of the system
 * fails (faults/wrap.c). Writes its files into the current directory. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/ngrt_host.h"
#include "../faults/wrap.h"
#include "check.h"

#ifdef NGRT_ZLIB
#include <zlib.h>
#endif

/* ---- models ---- */

typedef struct net_params {
    float W[3][2], b[3], s;
    int32_t k[2];
} net_params;
typedef struct net_state {
    float v[2];
    int32_t step;
} net_state;

static ngrt_tensor net_tensor[] = {
    {"x", NGRT_INPUT, NGRT_F32, 1, {2}, {-1}, 0, 0, 0, 0},
    {"h.W", NGRT_PARAM, NGRT_F32, 2, {3, 2}, {-1, -1}, offsetof(net_params, W), 0, 0, 0},
    {"h.b", NGRT_PARAM, NGRT_F32, 1, {3}, {-1}, offsetof(net_params, b), 0, 0, 0},
    {"s", NGRT_PARAM, NGRT_F32, 0, {0}, {0}, offsetof(net_params, s), 0, 0, 0},
    {"k", NGRT_PARAM, NGRT_I32, 1, {2}, {-1}, offsetof(net_params, k), 0, 0, 0},
    {"sgd.v", NGRT_STATE, NGRT_F32, 1, {2}, {-1}, offsetof(net_state, v), 0, 0, 0},
    {"step", NGRT_STATE, NGRT_I32, 0, {0}, {0}, offsetof(net_state, step), 0, 0, 0},
};
static ngrt_model net = {.version = NGRT_MODEL_VERSION,
                         .name = "net",
                         .sizeof_params = sizeof(net_params),
                         .sizeof_state = sizeof(net_state),
                         .tensors = 7,
                         .tensor = net_tensor};

static const net_params old_params = {{{1, -2}, {3.5f, 4}, {5, 1e-30f}},
                                      {7, 8, 9},
                                      0.1f,
                                      {-5, 2147483647}};
static const net_params new_params = {{{2, -3}, {4.5f, 5}, {6, 2e-30f}}, {8, 9, 10}, 0.2f, {-6, 1}};
static const net_state old_state = {{0.25f, -0.5f}, 12}, new_state = {{1.25f, -1.5f}, 13};
static const ngrt_about about = {.seed = UINT64_MAX, .epoch = 3, .step = 1234567890123, .row = 64};

static net_params params;
static net_state state;
static ngrt_about said;
static ngrt_message message;

static int load(const char *path, const char *map)
{
    memset(&params, 0, sizeof params);
    memset(&state, 0, sizeof state);
    return ngrt_weights_load(&net, &params, &state, &said, path, map, &message);
}

static int save(const char *path, int is_new, const char *map)
{
    return ngrt_weights_save(&net, is_new ? &new_params : &old_params,
                             is_new ? &new_state : &old_state, &about, path, map, &message);
}

/* Are the loaded weights those of one save? */
static int holds(int is_new)
{
    return memcmp(&params, is_new ? &new_params : &old_params, sizeof params) == 0 &&
           memcmp(&state, is_new ? &new_state : &old_state, sizeof state) == 0;
}

static int untouched(void)
{
    static const net_params p;
    static const net_state s;
    return memcmp(&params, &p, sizeof p) == 0 && memcmp(&state, &s, sizeof s) == 0;
}

static char bytes[65536];
static size_t size;

static void read_bytes(const char *path)
{
    FILE *f = fopen(path, "rb");
    size = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (f)
        fclose(f);
}

static void write_bytes(const char *path, const void *at, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(at, 1, n, f) != n || fclose(f) != 0)
        exit(3);
}

/* A safetensors file of this header and these bytes behind it. */
static void write_safetensors(const char *path, const char *header, const void *data, size_t n)
{
    char all[4096];
    size_t k = strlen(header), i;
    for (i = 0; i < 8; i++)
        all[i] = (char)((uint64_t)k >> 8 * i & 255);
    memcpy(all + 8, header, k);
    memcpy(all + 8 + k, data, n);
    write_bytes(path, all, 8 + k + n);
}

/* An array as NumPy has it: this header and these bytes behind it. */
static size_t make_npy(char *to, const char *header, const void *data, size_t n)
{
    size_t k = strlen(header);
    memcpy(to, "\x93NUMPY\1\0", 8);
    to[8] = (char)k, to[9] = 0;
    memcpy(to + 10, header, k);
    memcpy(to + 10 + k, data, n);
    return 10 + k + n;
}

/* Is the load refused with this error and words in the message, and nothing changed? */
static int refuses(const char *path, const char *map, int error, const char *words)
{
    int got = load(path, map);
    if (got == error && strstr(message.text, words) && untouched())
        return 1;
    fprintf(stderr, "%d, not %d with '%s': %s\n", got, error, words, message.text);
    return 0;
}

/* ---- the checks ---- */

static void test_round(void)
{
    static const char *const path[] = {"w.safetensors", "w.npz", "w.st"};
    uint64_t hash = ngrt_model_hash(&net);
    size_t i;
    for (i = 0; i < 3; i++) {
        CHECK(save(path[i], 0, NULL) == NGRT_OK);
        CHECK(load(path[i], NULL) == NGRT_OK && holds(0) && !message.text[0]);
        CHECK(said.hash == hash && said.seed == UINT64_MAX && said.epoch == 3 &&
              said.step == 1234567890123 && said.row == 64);
        CHECK(save(path[i], 1, NULL) == NGRT_OK && load(path[i], NULL) == NGRT_OK && holds(1));
    }
    read_bytes("w.npz");
    CHECK(memcmp(bytes, "PK\3\4", 4) == 0);
    read_bytes("w.st");
    CHECK(strstr(bytes + 8, "{\"__metadata__\":{\"format\":\"pt\",\"hash\":\"") == bytes + 8 &&
          bytes[0] % 8 == 0 && bytes[7] == 0);
    /* params alone; then the state stays as it is, and the message says so */
    CHECK(ngrt_weights_save(&net, &old_params, NULL, NULL, "p.st", NULL, &message) == NGRT_OK);
    CHECK(load("p.st", NULL) == NGRT_OK && memcmp(&params, &old_params, sizeof params) == 0 &&
          state.step == 0);
    CHECK(strcmp(message.text, "p.st: holds no state sgd.v and others; they keep their values") ==
          0);
    CHECK(ngrt_weights_load(&net, &params, NULL, NULL, "w.st", NULL, &message) == NGRT_OK &&
          !message.text[0]);
    CHECK(refuses("nowhere", NULL, NGRT_EIO, "nowhere: No such file"));
    CHECK(save("w.npy", 0, NULL) == NGRT_EMODEL &&
          strstr(message.text, "one tensor, and here are 6"));
    CHECK(save("no/where.st", 0, NULL) == NGRT_EIO &&
          strstr(message.text, "no/where.st: cannot write: No such"));
    CHECK(save("/dev/full", 0, NULL) == NGRT_EIO && strstr(message.text, "No space left"));
    /* what is written through a link leaves the link */
    unlink("link.st");
    CHECK(symlink("w.st", "link.st") == 0 && save("link.st", 0, NULL) == NGRT_OK);
    CHECK(readlink("link.st", bytes, sizeof bytes) == 4 && load("w.st", NULL) == NGRT_OK &&
          holds(0));
}

/* One param of its own model in a .npy. */
static void test_single(void)
{
    float w[2][2] = {{1, 2}, {3, 4}}, got[4] = {0};
    ngrt_tensor tensor = {"W", NGRT_PARAM, NGRT_F32, 2, {2, 2}, {-1, -1}, 0, 0, 0, 0};
    ngrt_model one = {.version = NGRT_MODEL_VERSION,
                      .name = "one",
                      .sizeof_params = sizeof w,
                      .tensors = 1,
                      .tensor = &tensor};
    static const char big[] =
        "\x3f\xf0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\x40\x08\0\0\0\0\0\0\x40\x10\0\0\0\0\0";
    static const char large[] = "\x7f\xf0\0\0\0\0\0\0"
                                "\xc8\x07\x82\x87\xf4\x9c\x4a\x1d"
                                "\x40\x08\0\0\0\0\0\0"
                                "\x40\x10\0\0\0\0\0";
    CHECK(ngrt_weights_save(&one, w, NULL, NULL, "one.npy", NULL, &message) == NGRT_OK);
    CHECK(ngrt_weights_load(&one, got, NULL, &said, "one.npy", NULL, &message) == NGRT_OK &&
          memcmp(got, w, sizeof w) == 0 && said.hash == 0);
    size = make_npy(bytes, "{'descr': '>f8', 'fortran_order': True, 'shape': (2, 2), }\n", big, 32);
    write_bytes("fortran.npy", bytes, size);
    CHECK(ngrt_weights_load(&one, got, NULL, NULL, "fortran.npy", NULL, &message) == NGRT_OK);
    CHECK(got[0] == 1 && got[1] == 3 && got[2] == 2 && got[3] == 4);
    /* a number that is infinite as a float is refused; infinity itself is read */
    size =
        make_npy(bytes, "{'descr': '>f8', 'fortran_order': False, 'shape': (2, 2), }\n", large, 32);
    write_bytes("large.npy", bytes, size);
    CHECK(ngrt_weights_load(&one, got, NULL, NULL, "large.npy", NULL, &message) == NGRT_EMODEL &&
          strstr(message.text, "element 1 is -1e+39, too large for a float") && got[0] == 1);
    memcpy(bytes + size - 24, "\xff\xf0\0\0\0\0\0", 8);
    write_bytes("large.npy", bytes, size);
    CHECK(ngrt_weights_load(&one, got, NULL, NULL, "large.npy", NULL, &message) == NGRT_OK &&
          isinf(got[0]) && isinf(got[1]) && got[1] < 0 && got[2] == 3);
    CHECK(
        refuses("one.npy", NULL, NGRT_EMODEL, "shape [2, 2], but h.W of the model net has [3, 2]"));
}

/* Files of other programs: other names, other types, other order. */
static void test_foreign(void)
{
    static const char header[] =
        "{ \"s\":{\"shape\":[],\"dtype\":\"BF16\",\"data_offsets\":[0,2]},\n \"__metadata__\" : {\"epoch\":\"x\",\"hash\":\"none\",\"a\\u0041\":\"\"},"
        "\"h.weight\":{\"dtype\":\"F16\",\"shape\":[3,2],\"data_offsets\":[2,14]},\"k\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[14,30]},"
        "\"lin\\u0065ar.b\\/\":{\"dtype\":\"I8\",\"shape\":[3],\"data_offsets\":[30,33]},\"extra\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[33,34]}} ";
    static const unsigned char data[34] = {0x80, 0x3F, 0x00, 0x3C, 0x01, 0x00, 0xFF, 0x7B, 0x00,
                                           0xC0, 0x00, 0x7C, 0x00, 0x80, 1,    0,    0,    0,
                                           0,    0,    0,    0,    0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                           0xFF, 0xFF, 0xFF, 0x80, 0,    0x7F, 1};
    write_safetensors("f.st", header, data, sizeof data);
    CHECK(refuses(
        "f.st", NULL, NGRT_EMODEL,
        "f.st: h.b of the model net is not in it; it holds s, h.weight, k, linear.b/, extra"));
    CHECK(load("f.st", "linear.b/=h.b") == NGRT_OK && said.hash == 0 && said.epoch == 0);
    CHECK(params.s == 1 && params.W[0][0] == 1 && params.W[0][1] == ldexpf(1, -24) &&
          params.W[1][0] == 65504 && params.W[1][1] == -2);
    CHECK(isinf(params.W[2][0]) && params.W[2][1] == 0 && signbit(params.W[2][1]) &&
          params.k[0] == 1 && params.k[1] == -1);
    CHECK(params.b[0] == -128 && params.b[1] == 0 && params.b[2] == 127);
    CHECK(strstr(message.text, "holds no state sgd.v and others") &&
          strstr(message.text, "has no use for extra"));
    /* a map of other people's names, there and back */
    CHECK(save("t.st", 0, "0=h, opt.momentum=sgd.v,scale=s") == NGRT_OK);
    read_bytes("t.st");
    CHECK(strstr(bytes + 8, "\"0.weight\"") && strstr(bytes + 8, "\"0.bias\"") &&
          strstr(bytes + 8, "\"scale\"") && strstr(bytes + 8, "\"opt.momentum\""));
    CHECK(load("t.st", "0=h, opt.momentum=sgd.v,scale=s") == NGRT_OK && holds(0) &&
          !message.text[0]);
    strcpy(bytes, "# PyTorch's names\n 0 = h  # a layer\n\nopt.momentum=sgd.v\nscale=s");
    write_bytes("map", bytes, strlen(bytes));
    CHECK(load("t.st", "map") == NGRT_OK && holds(0));
    CHECK(refuses("t.st", NULL, NGRT_EMODEL,
                  "h.W of the model net is not in it; it holds 0.weight, 0.bias"));
    CHECK(refuses("t.st", "0=h,q=r,scale=s", NGRT_EMODEL,
                  "map: nothing in the model net is called 'r'"));
    CHECK(refuses("t.st", "0=h,0", NGRT_EFORMAT, "map:1: '0' is not a pair"));
    CHECK(refuses("t.st", "0=h\n=s", NGRT_EFORMAT, "map:2: a name is missing"));
    CHECK(refuses("t.st", "a=h,b=h", NGRT_EFORMAT, "map:1: 'h' is named twice"));
    CHECK(refuses("t.st", "nomap", NGRT_EIO, "nomap: No such file"));
    CHECK(save("t2.st", 0, "a=s,a=k") == NGRT_EMODEL &&
          strstr(message.text, "calls two tensors 'a'"));
    write_safetensors(
        "half.st",
        "{\"h.W\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[8,32]},\"h.b\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[32,44]},"
        "\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[44,48]},\"k\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "\0\0\0\x3F\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        48);
    CHECK(refuses("half.st", NULL, NGRT_EMODEL,
                  "half.st: k: element 0 is 0.5, but k of the model net holds whole numbers"));
}

/* What a header may claim. */
static void test_claims(void)
{
    static const struct {
        const char *header, *words;
    } bad[] = {
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1152921504606846976],\"data_offsets\":[0,8]}}",
         "the sizes in the header do not match the 8 bytes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}",
         "the sizes in the header do not match"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4611686018427387904]}}",
         "are not in the 8 bytes after the header"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}",
         "are not in the 8 bytes after the header"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
         "8 bytes follow the header, but its tensors end at 4"},
        {"{\"a\":{\"dtype\":\"F9\",\"shape\":[2],\"data_offsets\":[0,8]}}",
         "a: its type is 'F9', which is not known"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "damaged at byte"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "damaged at byte 37"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}}",
         "damaged at byte"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}",
         "damaged at byte"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
         "a: is in the file twice"},
        {"{\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
         "a and b have the same bytes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} x", "damaged at byte"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},}", "damaged at byte"},
        {"{\"a\\u0000\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
         "damaged at byte"},
        {"{\"a\":[", "damaged at byte"},
        {"{}", "8 bytes follow"},
        {"{\"", "damaged at byte"},
        {"{\"__metadata__\":{\"a\":1}}", "damaged at byte"},
        {"{\"a\\", "damaged at byte"},
        {"{\"a\\x\":1}", "damaged at byte"},
        {"{\"a\\u00g0\":1}", "damaged at byte"},
        {"{\"a\\uD800\":1}", "damaged at byte"},
        {"{\"a\\uDC00\\uDC00\":1}", "damaged at byte"},
        {"{\"a\\uD800\\u0041\":1}", "damaged at byte"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,x]}}", "damaged at byte"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[8]}}", "damaged at byte"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
         "damaged at byte"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"shape\":[2],\"data_offsets\":[0,8]}}",
         "damaged at byte"},
        {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8],\"data_offsets\":[0,8]}}",
         "damaged at byte"},
        {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", "damaged at byte"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,8]}}",
         "a: holds no elements: axis 0 has size 0"},
        {"{\"a\":{\"dtype\":\"a type whose name has more than forty letters, so it is cut\","
         "\"shape\":[2],\"data_offsets\":[0,8]}}",
         "its type is 'a type whose name has more than forty le', which is not known"},
    };
    size_t i;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_safetensors("bad.st", bad[i].header, "12345678", 8);
        CHECK(refuses("bad.st", NULL, NGRT_EFORMAT, bad[i].words));
    }
    /* names in other scripts, numbers that are none, and a tensor without elements */
    write_safetensors(
        "names.st",
        "{\"__metadata__\":{},\"\\u00e4\\u20AC\\uD83D\\uDE00\":{\"dtype\":\"F32\",\"shape\":[1],"
        "\"data_offsets\":[0,4]},\"b\\n\\t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]},"
        "\"none\":{\"dtype\":\"F32\",\"shape\":[2,0],\"data_offsets\":[8,8]}}",
        "12345678", 8);
    CHECK(refuses("names.st", NULL, NGRT_EMODEL,
                  "is not in it; it holds \u00e4\u20ac\U0001f600, b\n\t"));
    write_bytes("bad.st", "\xff\xff\xff\xff\0\0\0\0{\"a\"", 12);
    CHECK(refuses("bad.st", NULL, NGRT_EFORMAT,
                  "the safetensors header has 4294967295 bytes, but 4 follow"));
    write_bytes("bad.st", "hello", 5);
    CHECK(refuses("bad.st", NULL, NGRT_EFORMAT, "bad.st: holds no weights"));
}

/* Every file cut at every byte, and with every byte changed: refused, or (a byte of an element) the
 * other weights are there. */
static void test_damage(void)
{
    static const char *const path[] = {"d.st", "d.npz"};
    static char whole[65536];
    size_t i, k, all;
    int cuts = 0, changes = 0, wrong = 0;
    for (i = 0; i < 2; i++) {
        CHECK(save(path[i], 0, NULL) == NGRT_OK);
        read_bytes(path[i]);
        memcpy(whole, bytes, all = size);
        for (k = 0; k < all; k++, cuts++) {
            write_bytes("cut", whole, k);
            wrong += load("cut", NULL) != NGRT_EFORMAT || !untouched();
        }
        CHECK(wrong == 0);
        for (k = 0; k < all; k++, changes++) {
            int error;
            whole[k] ^= (char)(1 << k % 8);
            write_bytes("changed", whole, all);
            error = load("changed", NULL);
            whole[k] ^= (char)(1 << k % 8);
            if (error == NGRT_OK ? i == 1 && memcmp(&params, &old_params, sizeof params) != 0
                                 : !untouched())
                wrong++; /* a .npz has checksums */
        }
        CHECK(wrong == 0);
    }
    CHECK(cuts > 1000 && changes == cuts);
}

/* The same names and sizes in all, but another model. */
static void test_other_model(void)
{
    uint64_t hash = ngrt_model_hash(&net);
    CHECK(save("o.st", 0, NULL) == NGRT_OK);
    net_tensor[1].shape[0] = 2, net_tensor[1].shape[1] = 3;
    CHECK(ngrt_model_hash(&net) != hash);
    CHECK(refuses("o.st", NULL, NGRT_EMODEL,
                  "o.st: h.W: has the shape [3, 2], but h.W of the model net has [2, 3]"));
    net_tensor[1].shape[0] = 3, net_tensor[1].shape[1] = 2;
    net_tensor[2].name = "h.c";
    CHECK(refuses("o.st", NULL, NGRT_EMODEL, "h.c of the model net is not in it"));
    net_tensor[2].name = "h.b";
    net.tensors = 4; /* a model that lacks a param of the file's */
    CHECK(refuses("o.st", NULL, NGRT_EMODEL, "was saved by another model: its hash is "));
    net.tensors = 7;
    net_tensor[5].name = "adam.m"; /* another optimizer: the weights are the same */
    CHECK(ngrt_model_hash(&net) == hash && load("o.st", NULL) == NGRT_OK &&
          strstr(message.text, "holds no state adam.m"));
    net_tensor[5].name = "sgd.v";
}

/* A file compressed by NumPy, and what is damaged in it. */
static void test_compressed(void)
{
#ifdef NGRT_ZLIB
    /* np.savez_compressed("z.npz", W = [[1, 2], [3, 4]]) is a member like this one */
    static const float w[4] = {1, 2, 3, 4};
    static char npy[512];
    static unsigned char zip[1024], packed[512];
    ngrt_tensor tensor = {"W", NGRT_PARAM, NGRT_F32, 2, {2, 2}, {-1, -1}, 0, 0, 0, 0};
    ngrt_model one = {.version = NGRT_MODEL_VERSION,
                      .name = "one",
                      .sizeof_params = 16,
                      .tensors = 1,
                      .tensor = &tensor};
    float got[4];
    z_stream z = {0};
    uint32_t n =
        (uint32_t)make_npy(npy, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n", w,
                           16);
    uint32_t k, at, crc = (uint32_t)crc32(0, (const Bytef *)npy, n);
    int i;
    deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *)npy, z.avail_in = n, z.next_out = packed, z.avail_out = sizeof packed;
    deflate(&z, Z_FINISH);
    k = (uint32_t)z.total_out;
    deflateEnd(&z);
#define PUT16(v) \
    (zip[at] = (unsigned char)((v)&255), zip[at + 1] = (unsigned char)((v) >> 8 & 255), at += 2)
#define PUT32(v) (PUT16((v)&0xFFFF), PUT16((uint32_t)(v) >> 16))
    at = 0;
    PUT32(0x04034B50u);
    PUT16(20);
    PUT16(0);
    PUT16(8);
    PUT32(0);
    PUT32(crc);
    PUT32(0xFFFFFFFFu);
    PUT32(0xFFFFFFFFu);
    PUT16(5);
    PUT16(20);
    memcpy(zip + at, "W.npy", 5), at += 5; /* NumPy writes sizes as if they could be wide */
    PUT16(1);
    PUT16(16);
    PUT32(n);
    PUT32(0);
    PUT32(k);
    PUT32(0);
    memcpy(zip + at, packed, k), at += k;
    i = (int)at;
    PUT32(0x02014B50u);
    PUT16(20);
    PUT16(20);
    PUT16(0);
    PUT16(8);
    PUT32(0);
    PUT32(crc);
    PUT32(k);
    PUT32(n);
    PUT16(5);
    PUT16(0);
    PUT16(0);
    PUT16(0);
    PUT16(0);
    PUT32(0);
    PUT32(0);
    memcpy(zip + at, "W.npy", 5), at += 5;
    k = at - (uint32_t)i;
    PUT32(0x06054B50u);
    PUT16(0);
    PUT16(0);
    PUT16(1);
    PUT16(1);
    PUT32(k);
    PUT32(i);
    PUT16(0);
    write_bytes("z.npz", zip, at);
    CHECK(ngrt_weights_load(&one, got, NULL, NULL, "z.npz", NULL, &message) == NGRT_OK &&
          got[0] == 1 && got[3] == 4);
    for (i = 0; i < (int)at; i++) {
        int error;
        memset(got, 0, sizeof got);
        zip[i] ^= 4;
        write_bytes("z.npz", zip, at);
        error = ngrt_weights_load(&one, got, NULL, NULL, "z.npz", NULL, &message);
        zip[i] ^= 4;
        if (!(error ? got[3] == 0 : got[0] == 1 && got[3] == 4)) {
            fprintf(stderr, "byte %d: %d %s\n", i, error, message.text);
            CHECK(0);
        }
    }
    {
        static const char bomb[] =
            "PK\1\2\x14\0\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\4\0\0\0\xf0\xff\xff\x7f\5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0W.npy";
        memcpy(zip + i - 22 - 51, bomb, 51);
        write_bytes("z.npz", zip, at);
        CHECK(ngrt_weights_load(&one, got, NULL, NULL, "z.npz", NULL, &message) == NGRT_EFORMAT &&
              strstr(message.text, "W: its size"));
    }
#endif
}

static int count_files(void)
{
    DIR *d = opendir(".");
    int n = 0;
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

/* The k-th call of the system fails, for every k: an error, and the old file, whole; and nothing
 * else is left. */
static void test_faults(void)
{
    static const char *const path[] = {"x.st", "x.npz"};
    size_t i;
    long k, failed = 0;
    for (i = 0; i < 2; i++) {
        int files, error = 1;
        CHECK(save(path[i], 0, NULL) == NGRT_OK);
        files = count_files();
        for (k = 0; k < 1000; k++) {
            int left;
            fault_in(k + 1);
            error = save(path[i], 1, "h=h");
            left = fault_is_left();
            fault_in(0);
            failed += error != NGRT_OK;
            CHECK((error == NGRT_OK || error == NGRT_ENOMEM || error == NGRT_EIO) &&
                  (!error || message.text[0]));
            CHECK(load(path[i], "h=h") == NGRT_OK && holds(!error) && count_files() == files);
            if (left)
                break;
            save(path[i], 0, NULL);
        }
        CHECK(error == NGRT_OK && k > 20 && k < 1000);
        for (k = 0; k < 1000; k++) {
            int left;
            fault_in(k + 1);
            error = load(path[i], "h=h");
            left = fault_is_left();
            fault_in(0);
            CHECK(error ? untouched() && message.text[0] : holds(1));
            if (left)
                break;
        }
        CHECK(error == NGRT_OK && k > 8);
    }
    CHECK(failed > 50);
}

/* The mode of a file after it is saved. */
static int saved_mode(const char *path)
{
    struct stat st;

    CHECK(ngrt_weights_save(&net, &old_params, NULL, NULL, path, NULL, &message) == NGRT_OK);
    return stat(path, &st) == 0 ? (int)(st.st_mode & 0777) : -1;
}

/* Who may read a file is not changed by a save; a new file is as the umask says. */
static void test_mode(void)
{
    remove("mode.st");
    CHECK(saved_mode("mode.st") == 0644);
    CHECK(chmod("mode.st", 0600) == 0 && saved_mode("mode.st") == 0600);
    CHECK(chmod("mode.st", 0664) == 0 && saved_mode("mode.st") == 0664);
}

int main(void)
{
    umask(022);
    test_mode();
    test_round();
    test_single();
    test_foreign();
    test_claims();
    test_damage();
    test_other_model();
    test_compressed();
    test_faults();
    return check_end("weights");
}
