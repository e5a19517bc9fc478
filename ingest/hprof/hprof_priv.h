/*
 * hprof_priv.h - an open dump, for the files of this folder.
 */
#ifndef FL_HPROF_PRIV_H
#define FL_HPROF_PRIV_H

#include "hprof.h"

struct fl_hprof {
    fl_slice bytes;       /* of the whole dump, unpacked */
    fl_hprof_facts facts; /* facts.version points at `version` */
    char version[8];
    size_t start;       /* of the first record */
    size_t pos;         /* of the next item, or of the next record; <= bytes.len */
    size_t segment_end; /* inside a heap segment: where it ends; otherwise 0 */
    bool is_open_ended; /* the segment does not say how long it is */
    fl_error damage;    /* of this reading; FL_OK: none */
    fl_error unpacking; /* what ended the unpacking early; FL_OK: nothing */
    void *mapping;      /* NULL: none */
    size_t mapping_bytes;
};

/* --- hprof_file.c --- */
/* Map a file, unpacked where it is packed, into dump->bytes. */
FL_NODISCARD fl_status fl_hprof_map(fl_hprof *dump, const char *path, const char *folder,
                                    fl_error *err);
void fl_hprof_unmap(fl_hprof *dump);

/* --- hprof_item.c --- */
/* What can stand where an item is expected. */
typedef enum fl_hprof_step {
    FL_HPROF_ITEM,    /* *item is one, *next behind it */
    FL_HPROF_NOTHING, /* *next is behind something that is no item */
    FL_HPROF_FOREIGN, /* no kind that a heap segment holds */
    FL_HPROF_SHORT    /* it is longer than what is left */
} fl_hprof_step;

/* One sub-record of a heap segment, at `pos` and before `end` <= bytes.len. */
fl_hprof_step fl_hprof_item_at(fl_heap_item *item, const fl_hprof *dump, size_t pos, size_t end,
                               size_t *next);

#endif
