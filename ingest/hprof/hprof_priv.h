/*
 * hprof_priv.h - an open dump, for the files of this folder.
 */
#ifndef FL_HPROF_PRIV_H
#define FL_HPROF_PRIV_H

#include "hprof.h"

/* A reading of a dump or of a part of it. */
typedef struct fl_hprof_cursor {
    struct fl_hprof *dump;
    size_t start, end;  /* from one record to another, or to the end of the dump */
    size_t pos;         /* of the next item, or of the next record; <= dump->bytes.len */
    size_t segment_end; /* inside a heap segment: where it ends; otherwise 0 */
    bool is_open_ended; /* the segment does not say how long it is */
    bool is_unended;    /* what comes behind the last segment, or the rest of it, was not met yet */
    fl_error damage;    /* of this reading; FL_OK: none */
} fl_hprof_cursor;

enum { FL_HPROF_MOST_PARTS = 64 };

struct fl_hprof {
    fl_slice bytes;       /* of the whole dump, unpacked */
    fl_hprof_facts facts; /* facts.version points at `version` */
    char version[8];
    fl_hprof_cursor whole;
    fl_hprof_cursor parts[FL_HPROF_MOST_PARTS];
    size_t part_count;  /* 0: the last reading was not in parts */
    fl_error unpacking; /* what ended the unpacking early; FL_OK: nothing */
    bool lets_go;       /* of parts that were read */
    void *mapping;      /* NULL: none */
    int fd;             /* of the mapped file; -1: none */
    size_t mapping_bytes;
};

/* --- hprof_file.c --- */
/* Map a file, unpacked where it is packed, into dump->bytes. */
FL_NODISCARD fl_status fl_hprof_map(fl_hprof *dump, const char *path, const char *folder,
                                    fl_error *err);
void fl_hprof_unmap(fl_hprof *dump);
/* A few bytes of the dump, without a page of memory for them: the first touch of one makes a dozen
 * around it, too. False where they are not there. */
bool fl_hprof_peek(unsigned char *to, size_t len, const fl_hprof *dump, size_t pos);
/* The pages of a stretch of the dump, but for those that it shares with others. They come again
 * when they are read. */
void fl_hprof_release(const fl_hprof *dump, size_t start, size_t end);

/* --- hprof_parts.c --- */
size_t fl_hprof_split(void *payload, fl_heap_source *parts, size_t most, uint64_t least_bytes);

/* --- hprof_brief.c --- */
void fl_hprof_skim(fl_heap_lane *const *lanes, size_t count);

/* --- hprof.c --- */
/* Records at the top level. */
enum { FL_HPROF_RECORD_HEAD = 9 };
typedef struct fl_hprof_record {
    unsigned tag;
    uint64_t length;
    size_t body; /* where it begins */
} fl_hprof_record;

static inline uint32_t fl_hprof_u4(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

/* What a head says that stands at `pos`. */
static inline fl_hprof_record fl_hprof_record_of(const unsigned char *head, size_t pos)
{
    /* its time, in four bytes, is 0 as HotSpot writes it */
    return (fl_hprof_record){head[0], fl_hprof_u4(head + 5), pos + FL_HPROF_RECORD_HEAD};
}

/* False where not even a record's head is left. */
bool fl_hprof_record_at(fl_hprof_record *out, const fl_hprof *dump, size_t pos);
bool fl_hprof_is_record(unsigned tag);  /* whether there is such a tag */
bool fl_hprof_is_segment(unsigned tag); /* of roots, classes and objects */
bool fl_hprof_is_item(unsigned tag);    /* of something else that is an item */
/* Items of the cursor in `payload`, and from its start again: for fl_heap_source. */
size_t fl_hprof_read(void *payload, fl_heap_item *items, size_t cap);
void fl_hprof_rewind(void *payload);
bool fl_hprof_at(void *payload, uint64_t offset, fl_heap_item *item);

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
