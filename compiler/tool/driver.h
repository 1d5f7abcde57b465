/* driver.h - what the files that compile and run programs share. */
#ifndef DRIVER_H
#define DRIVER_H

#include "program/module.h"

#include <sys/types.h>

#define HASH_START 0xCBF29CE484222325u
#define NO_PLACE   ((Loc){.file = -1}) /* of a message that is not about the model's text */

/* cache.c */

/* FNV-1a; h begins as HASH_START. */
uint64_t hash_text(uint64_t h, const char *text, size_t size);
const char *cache_directory(Ngc *);
const char *cache_private(Ngc *, const char *in);
void cache_remove_private(const Ngc *);
int cache_open(const char *path, size_t *size);
int cache_find(Ngc *, const char *path, const char *key);
const char *cache_read(Ngc *, int fd, size_t *size);
bool cache_create(const char *path, mode_t, const char *text, size_t, const char *tail,
                  size_t tail_size);
bool cache_keep(Ngc *, const char *built, const char *path, const char *key);
void cache_clear(Ngc *, const char *dir,
                 const char *keep); /* removes old programs, but not `keep` */

#endif
