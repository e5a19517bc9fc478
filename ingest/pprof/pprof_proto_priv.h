/*
 * pprof_proto_priv.h - what reading profile.proto's tables and reading its samples share.
 */
#ifndef FL_PPROF_PROTO_PRIV_H
#define FL_PPROF_PROTO_PRIV_H

#include <assert.h>

#include "faultline/limits.h"
#include "map.h"
#include "pprof_priv.h"
#include "proto.h"

/* The fields of the top level. */
enum {
    F_SAMPLE_TYPE = 1,
    F_SAMPLE,
    F_MAPPING,
    F_LOCATION,
    F_FUNCTION,
    F_STRING,
    F_DROP_FRAMES,
    F_KEEP_FRAMES,
    F_TIME,
    F_DURATION,
    F_PERIOD_TYPE,
    F_PERIOD,
    F_COMMENT,
    F_DEFAULT_TYPE,
    F_DOC_URL,
    F_END
};

/* Ids up to this many times their number (and a few) are a table's index; others go to a map. */
enum { DENSE_RATIO = 2, DENSE_MIN = 1024 };

/* id -> value that is not 0; 0: no such id. */
typedef struct fl_pprof_ids {
    uint32_t *dense;
    size_t dense_end;
    fl_map *sparse; /* NULL until an id beyond the table is met */
    size_t count;
    const char *what;
} fl_pprof_ids;

/* Labels are remembered by their bytes: how many sets, in pairs of places, and how long. Go has 68
 * classes of size; with 512 pairs it is unlikely (0.2) that any three of those want one pair. */
enum { MEMO_BITS = 9, MEMO_WAYS = 2, MEMO_MIN = 4, MEMO_MAX = 256 };
typedef struct fl_pprof_memo {
    fl_slice tail;   /* of the sample's message; empty: none */
    uint32_t sample; /* that has them; FL_PROFILE_NONE: only ones that were left out */
} fl_pprof_memo;

/* The frames of a location. */
typedef struct fl_pprof_span {
    uint32_t first, count;
} fl_pprof_span;

/* Location ids without a gap. */
enum { FL_PPROF_DIGITS = 3 };
typedef struct fl_pprof_known {
    uint64_t end;    /* all from 1 to before this one are there */
    unsigned digits; /* of end - 1 to the base 128, the highest first */
    unsigned char digit[FL_PPROF_DIGITS];
} fl_pprof_known;

/* Where the fl_pprof_messages of one field stand, in their order. */
typedef struct fl_pprof_messages {
    fl_slice *items;
    size_t count;
} fl_pprof_messages;

/* One profile on its way; all but the sparse maps lives in the profile's arena. */
typedef struct fl_pprof_proto {
    fl_pprof_reading *r;
    fl_pprof_messages
        parts[F_END]; /* of those that are fl_pprof_messages or strings, but the samples */
    size_t sample_count;
    fl_proto samples;       /* from the first sample on */
    size_t run_at, run_end; /* samples one behind the other: most of the bytes, walked over once */
    fl_pprof_known known;
    uint64_t default_type, drop_frames, keep_frames, doc_url;
    fl_pprof_ids mappings, functions, locations;
    fl_pprof_span *spans; /* of locations, by order of appearance */
    fl_pprof_span *by_id; /* the same by those ids that are in the table; count 0: none */
    size_t by_id_end;
    uint32_t skip_type;   /* samples without a value of it are left out; FL_PROFILE_NONE: none */
    size_t sample_number; /* of the sample in hand, with those that were left out */
    int64_t *values;      /* of the sample in hand */
    fl_pprof_memo memos[1 << MEMO_BITS][MEMO_WAYS];
} fl_pprof_proto;

/* The wire reader's own sentence and offset, behind the message it was in. */
fl_status fl_pprof_fail_proto(const fl_pprof_proto *p, const char *what, const fl_proto *in);
/* Index 0 is the empty text even where there are no strings. */
fl_status fl_pprof_string(fl_slice *out, const fl_pprof_proto *p, uint64_t index, uint64_t offset);
/* The item's number, 0 for an id that was not given. */
uint32_t fl_pprof_find_id(const fl_pprof_ids *table, uint64_t id);

/* The varint at `p` < `end`, three bytes without a call: most ids and values are as short. */
static inline const unsigned char *fl_pprof_short_varint(const unsigned char *p,
                                                         const unsigned char *end, uint64_t *value)
{
    if (*p < 0x80) {
        *value = *p;
        return p + 1;
    }
    if (end - p >= 3 && p[1] < 0x80) {
        *value = (uint64_t)(*p & 0x7f) | (uint64_t)p[1] << 7;
        return p + 2;
    }
    if (end - p >= 3 && p[2] < 0x80) {
        *value = (uint64_t)(*p & 0x7f) | (uint64_t)(p[1] & 0x7f) << 7 | (uint64_t)p[2] << 14;
        return p + 3;
    }
    return fl_proto_long_varint(p, end, value);
}

/* The places where the labels that a sample ends with are remembered. Labels mostly stand last in a
 * sample, and a heap profile has one set for each class of size. */
static inline fl_pprof_memo *fl_pprof_memos_of(fl_pprof_proto *p, fl_slice tail)
{
    uint32_t last;
    assert(tail.len >= MEMO_MIN && tail.len <= MEMO_MAX);
    memcpy(&last, tail.ptr + tail.len - sizeof(last), sizeof(last));
    return p->memos[(last ^ tail.len) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - MEMO_BITS)];
}

/* What is remembered of the same bytes; NULL: they were not read before. */
static inline fl_pprof_memo *fl_pprof_recall(fl_pprof_proto *p, fl_slice tail)
{
    if (tail.len < MEMO_MIN || tail.len > MEMO_MAX)
        return NULL;
    fl_pprof_memo *memos = fl_pprof_memos_of(p, tail);
    for (size_t i = 0; i < MEMO_WAYS; i++)
        if (fl_slice_equal(memos[i].tail, tail))
            return &memos[i];
    return NULL;
}

/* What the quick check of ids needs: all from 1 to before `end` are there. */
void fl_pprof_know(fl_pprof_known *known, uint64_t end);
/* Steps over the samples that are next, and tells how many (pprof_plain.c). */
size_t fl_pprof_count_run(fl_proto *in);
/* Takes in the samples that are next, or leaves them out, as long as they are as Go writes them. */
void fl_pprof_take_run(fl_pprof_proto *p, fl_proto *in);
/* The last walk (pprof_sample.c). */
FL_NODISCARD fl_status fl_pprof_read_samples(fl_pprof_proto *p);

#endif
