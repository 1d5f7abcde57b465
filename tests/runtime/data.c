/* data.c - reading data files: each format and its variants, errors with their places, and hostile
 * files: cut at every byte, with any byte changed, with sizes that the file does not hold. Writes
 * its files into the current directory. */
#include <string.h>
#include <stdlib.h>

#include "../../runtime/ngrt_host.h"
#include "check.h"

#ifdef NGRT_ZLIB
#include <zlib.h>
#endif

static ngrt_data data;
static ngrt_message message;

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        exit(3);
}

/* Reads these bytes as a file. */
static int read_bytes(const void *bytes, size_t size)
{
    ngrt_data_free(&data);
    write_file("file", bytes, size);
    return ngrt_data_read(&data, "file", &message);
}

/* Whether the text is read as these rows, columns and sum of all values. */
static int reads(const char *text, size_t rows, size_t columns, double sum)
{
    size_t i;
    if (read_bytes(text, strlen(text)) != NGRT_OK) {
        fprintf(stderr, "%s\n", message.text);
        return 0;
    }
    for (i = 0; i < data.rows * data.columns; i++)
        sum -= ngrt_data_value(&data, i);
    return data.rows == rows && data.columns == columns && sum == 0.0;
}

/* Whether the text is refused with this message. */
static int refuses(const char *text, const char *want)
{
    int error = read_bytes(text, strlen(text));
    if (error != NGRT_EFORMAT || strcmp(message.text, want) != 0)
        fprintf(stderr, "%d: %s\n", error, message.text);
    return error == NGRT_EFORMAT && strcmp(message.text, want) == 0 && !data.block && !data.rows;
}

static void test_csv(void)
{
    CHECK(reads("1,2,3\n4,5,6\n", 2, 3, 21));
    CHECK(reads("1,2,3\r\n4,5,6", 2, 3, 21));
    CHECK(reads("a,b\n1,2\n3,4\n", 2, 2, 10) && data.line[0] == 2);
    CHECK(reads("\xEF\xBB\xBFx;y\n1;2\n", 1, 2, 3));
    CHECK(reads("\"1.5\";\"-2\"\n\"3\";\"4e0\"\n", 2, 2, 6.5));
    CHECK(reads("\"a \"\"b\"\", c\",d\n1,2\n", 1, 2, 3));
    CHECK(reads("1\t2\n3\t4\n", 2, 2, 10));
    CHECK(reads("  1 2   3\n\n 4  5 6  \n\n", 2, 3, 21) && data.line[1] == 3);
    CHECK(reads("1 \t 2\n3 4\n", 2, 2, 10));
    CHECK(reads("# one two\n1.0e+00 2.0e+00\n", 1, 2, 3));
    CHECK(reads("7", 1, 1, 7));
    CHECK(reads("1 , 2\n 3,4 \n", 2, 2, 10));
}

/* A first line is a header only if no cell is a number; the message says what was taken. */
static void test_csv_headers(void)
{
    static const char *const lost[] = {
        /* what is wrong with the first line, at which column, and the line */
        "'NA'",
        "3",
        "1,NA,3",
        "'2x'",
        "1",
        "2x,2,3",
        "a value is missing",
        "3",
        "1,,3",
        "'l.5'",
        "5",
        "1,2,l.5",
        "'nan'",
        "1",
        "nan,nan,nan",
        "'x'",
        "1",
        "x,inf,z",
        "'x'",
        "1",
        "x,0x10,z",
        "'N/A'",
        "1",
        "N/A,null,?",
        "a value is missing",
        "1",
        ",,",
        "'x'",
        "1",
        "x,0,1",
        "'id'",
        "2",
        "\"id\",\"0\",\"1\"",
        "'NA'",
        "1",
        "NA,,"};
    char text[100], want[200];
    size_t i;
    CHECK(reads("1,2,3\n4,5,6\n", 2, 3, 21) && !message.text[0]);
    CHECK(reads("a,b\n1,2\n", 1, 2, 3) &&
          strcmp(message.text, "file:1: taken as the names of the columns: a,b") == 0);
    CHECK(reads("\n ,a\n1,2\n", 1, 2, 3) &&
          strcmp(message.text, "file:2: taken as the names of the columns: ,a") == 0);
    CHECK(reads("1stFloor,2ndFloor\n1,2\n", 1, 2, 3) && reads("NA,b\n1,2\n", 1, 2, 3) &&
          reads("a,b,c\n1,2\n", 1, 2, 3));
    for (i = 0; i < sizeof lost / sizeof *lost; i += 3) {
        const char *what = lost[i], *is = *what == '\'' ? " is not a finite number" : "";
        snprintf(text, sizeof text, "%s\n4,5,6\n7,8,9\n", lost[i + 2]);
        snprintf(
            want, sizeof want,
            "file:1:%s: %s%s; a first line names the columns only if none of its cells is a number",
            lost[i + 1], what, is);
        CHECK(refuses(text, want));
    }
    CHECK(reads("2,2,one,two,three\n1,2,3\n6,7,8\n", 2, 3, 27) &&
          strcmp(message.text,
                 "file:1: taken as the counts of rows and columns: 2,2,one,two,three") == 0);
    CHECK(refuses("2,2,one,NA\n1,2,3\n6,7,8\n",
                  "file:1:5: 'one' is not a finite number; a first line names the columns only "
                  "if none of its cells is a number"));
    CHECK(refuses(
        "3,2,one\n1,2,3,4\n",
        "file:1:5: 'one' is not a finite number; a first line names the columns only if none "
        "of its cells is a number"));
    CHECK(refuses("150,4\n1,2,3\n", "file:2:5: column 3; line 1 has 2 columns"));
}

static void test_csv_errors(void)
{
    CHECK(refuses("", "file: holds no rows of numbers"));
    CHECK(refuses("\n \n\t\n", "file: holds no rows of numbers"));
    CHECK(refuses("a,b\n", "file: holds no rows of numbers"));
    CHECK(refuses("a,b\n1,2\n3,x\n", "file:3:3: 'x' is not a finite number"));
    CHECK(refuses("1,2\n3,\n", "file:2:3: a value is missing"));
    CHECK(refuses("1,2\n,3\n", "file:2:1: a value is missing"));
    CHECK(refuses("1\t2\n3\t\n", "file:2:3: a value is missing"));
    CHECK(refuses("1,2\n3,4\n5,6,7\n", "file:3:5: column 3; line 1 has 2 columns"));
    CHECK(refuses("1,2\n3,4\n5\n", "file:3:2: 1 columns; line 1 has 2"));
    CHECK(refuses("1,2\n1e999,4\n", "file:2:1: '1e999' is not a finite number"));
    CHECK(refuses("1,2\n3,nan\n", "file:2:3: 'nan' is not a finite number"));
    CHECK(refuses("1,2\n3,0x10\n", "file:2:3: '0x10' is not a finite number"));
    CHECK(refuses("1,2\n3,\"4\n", "file:2:3: '\"4' is not a finite number"));
    CHECK(refuses("1;2\n1,5;2\n",
                  "file:2:1: '1,5' is not a finite number; numbers are written as 1234.5"));
    CHECK(refuses("1,2\n3,abcdefghijklmnopqrstuvwxyz\n",
                  "file:2:3: 'abcdefghijklmnopqrstuvw'... is not a finite number"));
    CHECK(refuses("1,2\n3,\x01\xFF\n", "file:2:3: '?\?' is not a finite number"));
    CHECK(read_bytes("1,2\n3,\0\n", 8) == NGRT_EFORMAT &&
          strcmp(message.text, "file:2:3: a byte that is 0: a table is a text") == 0);
    CHECK(refuses("1,2\r3,4\r",
                  "file:1:4: a line ends with CR alone: save the table with LF or CR LF there"));
    CHECK(refuses("a,b\n1,2\n3,4,\r5,6\n",
                  "file:3:5: a line ends with CR alone: save the table with LF or CR LF there"));
    CHECK(refuses("1,2\n\"3\r\",4\n", "file:2:2: '3?' is not a finite number"));
    CHECK(ngrt_data_read(&data, "no such file", &message) == NGRT_EIO &&
          strstr(message.text, "no such file: "));
    CHECK(ngrt_data_read(&data, ".", &message) == NGRT_EIO);
}

static const unsigned char idx[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0,
                                    1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 250};

static void test_idx(void)
{
    static const unsigned char shorts[] = {0, 0, 0x0B, 1, 0, 0, 0, 2, 0x01, 0x02, 0xFF, 0xFE};
    static const unsigned char floats[] = {0, 0, 0x0D, 1, 0, 0, 0, 1, 0x3F, 0x80, 0, 0};
    static const unsigned char doubles[] = {0, 0, 0x0E, 1, 0, 0, 0, 1, 0xC0, 0, 0, 0, 0, 0, 0, 0};
    float out[3];
    int32_t whole[2];
    CHECK(read_bytes(idx, sizeof idx) == NGRT_OK && data.rows == 2 && data.columns == 3 &&
          data.rank == 3);
    CHECK(data.type == NGRT_DATA_U8 && ngrt_data_value(&data, 5) == 250.0);
    ngrt_data_copy(&data, 2, 3, NGRT_F32, out);
    CHECK(out[0] == 3.0f && out[2] == 5.0f);
    ngrt_data_copy(&data, 4, 2, NGRT_I32, whole);
    CHECK(whole[0] == 5 && whole[1] == 250);
    CHECK(read_bytes(shorts, sizeof shorts) == NGRT_OK && ngrt_data_value(&data, 0) == 258.0);
    CHECK(ngrt_data_value(&data, 1) == -2.0);
    CHECK(read_bytes(floats, sizeof floats) == NGRT_OK && ngrt_data_value(&data, 0) == 1.0);
    CHECK(read_bytes(doubles, sizeof doubles) == NGRT_OK && ngrt_data_value(&data, 0) == -2.0);
}

/* A NumPy file of version 1 with this dictionary and these elements, into bytes; its size. */
static size_t make_npy(unsigned char *bytes, const char *header, const void *elements, size_t size)
{
    size_t length = strlen(header);
    memcpy(bytes, "\x93NUMPY\1\0", 8);
    bytes[8] = (unsigned char)length;
    bytes[9] = 0;
    memcpy(bytes + 10, header, length);
    memcpy(bytes + 10 + length, elements, size);
    return 10 + length + size;
}

static size_t make_small_npy(unsigned char *bytes)
{
    static const unsigned char elements[] = {0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0,
                                             0, 0, 0x40, 0x40, 0, 0, 0, 0};
    return make_npy(bytes, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }   \n",
                    elements, 16);
}

static void test_npy(void)
{
    unsigned char bytes[256];
    size_t size = make_small_npy(bytes);
    CHECK(read_bytes(bytes, size) == NGRT_OK && data.rank == 2 && data.columns == 2 &&
          data.type == NGRT_DATA_F32);
    CHECK(ngrt_data_value(&data, 1) == -2.0 && ngrt_data_value(&data, 2) == 3.0);
    size = make_npy(bytes, "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }\n",
                    "\5\0\0\0\0\0\0\0", 8);
    CHECK(read_bytes(bytes, size) == NGRT_OK && data.rows == 1 && ngrt_data_value(&data, 0) == 5.0);
    size = make_npy(bytes, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n",
                    "\1\4\2\5\3\6", 6);
    CHECK(read_bytes(bytes, size) == NGRT_OK && memcmp(data.at, "\1\2\3\4\5\6", 6) == 0);
    size = make_npy(bytes, "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }\n",
                    "\x3f\x80\0\0", 4);
    CHECK(read_bytes(bytes, size) == NGRT_OK && ngrt_data_value(&data, 0) == 1.0);
    size = make_npy(bytes, "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }\n",
                    "\0\0\0\0\0\0\0\0", 8);
    CHECK(read_bytes(bytes, size) == NGRT_EFORMAT && strstr(message.text, "element type"));
    size = make_npy(bytes, "{'descr': '|u1', 'fortran_order': False, 'shape': (), }\n", "\0", 1);
    CHECK(read_bytes(bytes, size) == NGRT_EFORMAT);
    size = make_npy(bytes, "{'descr': '|u1', 'fortran_order': False, 'shape': (1", "\0", 1);
    CHECK(read_bytes(bytes, size) == NGRT_EFORMAT);
    size =
        make_npy(bytes,
                 "{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976, 16), }\n",
                 "", 0);
    CHECK(read_bytes(bytes, size) == NGRT_EFORMAT);
    size = make_npy(
        bytes, "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999999,), }\n",
        "", 0);
    CHECK(read_bytes(bytes, size) == NGRT_EFORMAT);

    /* what Python's own words would not be */
    size = make_npy(bytes, "{'descr': '|u1', 'fortran_order': 1, 'shape': (2, 3), }\n",
                    "\1\2\3\4\5\6", 6);
    CHECK(read_bytes(bytes, size) == NGRT_EFORMAT &&
          strstr(message.text, "fortran_order is neither True nor False"));
    size = make_npy(bytes, "{'descr': '|u1', 'fortran_order': False, 'shape': (2 3), }\n",
                    "\1\2\3\4\5\6", 6);
    CHECK(read_bytes(bytes, size) == NGRT_EFORMAT && strstr(message.text, "is not a list of"));
    size = make_npy(bytes, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,,3), }\n",
                    "\1\2\3\4\5\6", 6);
    CHECK(read_bytes(bytes, size) == NGRT_EFORMAT && strstr(message.text, "is not a list of"));
    size = make_npy(bytes, "{'shape' : ( 2 , 3 ), 'fortran_order' : False, 'descr': '|u1'}\n",
                    "\1\2\3\4\5\6", 6);
    CHECK(read_bytes(bytes, size) == NGRT_OK && data.rows == 2 && data.columns == 3);
}

/* A header that claims 2^60 elements and more, with a product that wraps to what the file has. */
static void test_claims(void)
{
    static const unsigned char huge[] = {0, 0, 8, 2, 0x40, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3};
    static const unsigned char wraps[] = {0, 0, 8, 3, 0x40, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 16};
    static const unsigned char zero[] = {0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 3};
    static const unsigned char none[] = {0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 0};
    static const unsigned char type[] = {0, 0, 7, 1, 0, 0, 0, 1, 1};
    static const unsigned char rank[] = {0, 0, 8, 0, 1};
    CHECK(read_bytes(huge, sizeof huge) == NGRT_EFORMAT);
    CHECK(strcmp(message.text, "file: the sizes in the header do not match the 3 bytes after it") ==
          0);
    CHECK(read_bytes(wraps, sizeof wraps) == NGRT_EFORMAT);
    CHECK(read_bytes(zero, sizeof zero) == NGRT_EFORMAT);
    CHECK(read_bytes(none, sizeof none) == NGRT_EFORMAT);
    CHECK(strcmp(message.text, "file: holds no elements: axis 1 has size 0") == 0);
    CHECK(read_bytes(type, sizeof type) == NGRT_EFORMAT);
    CHECK(read_bytes(rank, sizeof rank) == NGRT_EFORMAT);
}

/* Every cut of a file is refused, or (CSV in the last line) read; every change of a byte is
 * survived. */
static void test_damage(const unsigned char *bytes, size_t size, int binary)
{
    unsigned char copy[512];
    size_t i;
    int change;
    for (i = 0; i < size; i++)
        CHECK((read_bytes(bytes, i) == NGRT_EFORMAT) || !binary);
    for (i = 0; i < size; i++)
        for (change = 1; change < 256; change = change * 2 + 1) {
            memcpy(copy, bytes, size);
            copy[i] ^= (unsigned char)change;
            read_bytes(copy, size);
            CHECK(!data.block || data.rows * data.columns > 0);
        }
    memcpy(copy, bytes, size);
    copy[size] = 0;
    CHECK(read_bytes(copy, size + 1) == NGRT_EFORMAT);
}

static void test_gzip(void)
{
#ifdef NGRT_ZLIB
    unsigned char packed[512];
    size_t size;
    FILE *file;
    gzFile gz = gzopen("file.gz", "wb");
    CHECK(gzwrite(gz, idx, sizeof idx) == (int)sizeof idx && gzclose(gz) == Z_OK);
    CHECK(ngrt_data_read(&data, "file.gz", &message) == NGRT_OK && data.rows == 2);
    CHECK(ngrt_data_value(&data, 5) == 250.0);
    file = fopen("file.gz", "rb");
    size = fread(packed, 1, sizeof packed, file);
    fclose(file);
    test_damage(packed, size, 1);
    memcpy(packed + size, packed, size);
    CHECK(read_bytes(packed, 2 * size) == NGRT_EFORMAT &&
          strstr(message.text, "do not match the 28 bytes"));
#else
    CHECK(read_bytes("\x1f\x8b\x08", 3) == NGRT_EFORMAT && strstr(message.text, "zlib"));
#endif
}

int main(void)
{
    static const char csv[] = "a,b\n1.5,\"2\"\n-3,4e1\n";
    unsigned char npy[256];
    size_t size = make_small_npy(npy);
    test_csv();
    test_csv_headers();
    test_csv_errors();
    test_idx();
    test_npy();
    test_claims();
    test_damage(idx, sizeof idx, 1);
    test_damage(npy, size, 1);
    test_damage((const unsigned char *)csv, sizeof csv - 1, 0);
    test_gzip();
    ngrt_data_free(&data);
    return check_end("data");
}
