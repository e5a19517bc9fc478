/*
 * naming_priv.h - between what names are made from and the profiles that they are given to.
 */
#ifndef FL_NAMING_PRIV_H
#define FL_NAMING_PRIV_H

#include "arena.h"
#include "naming.h"
#include "srcmap.h"
#include "symbol.h"

enum { FL_MAX_NAMING_BINARIES = 16, FL_MAX_NAMING_MAPS = 1024, FL_MAX_NAMED_FUNCTIONS = 1 << 22 };

/* A map, where it was, and the base name of the generated file that it speaks of. */
typedef struct fl_named_map {
    fl_srcmap *map;
    fl_slice path, file;
} fl_named_map;

struct fl_naming {
    fl_arena arena;
    fl_symbols *binaries[FL_MAX_NAMING_BINARIES];
    size_t binary_count;
    fl_named_map maps[FL_MAX_NAMING_MAPS];
    size_t map_count;
};

#endif
