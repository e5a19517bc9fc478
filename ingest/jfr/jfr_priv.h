/*
 * jfr_priv.h - what the files of this folder share: a chunk, its classes, its plans and its pools.
 *
 * A *plan* is the fields of a class as a row of steps, made once a chunk out of the metadata: which
 * bytes to go past, and which to keep in which slot. Events, and the values of pools, are all read
 * by running plans. A step takes at least one byte, so that whatever is repeated is bounded by the
 * bytes that are left.
 *
 * Invariants:
 *   - chunk->bytes are whole, header included; every place that is kept is below bytes.len
 *   - a plan that is sound has steps that end at or before `count`, and arrays that nest
 *   - slots hold numbers, or places of texts and arrays in the chunk; never a pointer
 *   - a constant is resolved at most once a chunk; what it became outlives the chunk
 *
 * A chunk is read in two steps. *Digesting* needs nothing but the chunk, so that several can be
 * digested at once: its metadata, where its constants stand, and its events, which become sums by
 * key, or places to be read again. *Telling* turns keys into names and stacks, which all chunks
 * share, in the order in which the events stood: the answer is that of one thread.
 *
 * Cost: an event that is not told is two numbers; one that is summed is the ends of its fields,
 * which are found 32 bytes at a time, and a look into a table. What a key stands for is asked once
 * for each sum.
 */
#ifndef FL_JFR_PRIV_H
#define FL_JFR_PRIV_H

#include "arena.h"
#include "bytes.h"
#include "jfr.h"
#include "map.h"
#include "reader.h"
#include "slice.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum {
    FL_JFR_HEADER_BYTES = 68,
    FL_JFR_DEPTH = 16,      /* structs in structs; the JDK's own have three */
    FL_JFR_PLAN_OPS = 4096, /* steps of one plan: metadata that would make more is refused */
    FL_JFR_CHUNK_STEPS =
        1 << 18 /* fields gone through for all plans of a chunk; the JDK's have some
                   thousand, but structs in structs multiply, even empty ones */
};

/* The tables of a chunk that are looked into. */
typedef enum fl_jfr_pool_kind {
    FL_JFR_POOL_STRING,
    FL_JFR_POOL_SYMBOL,
    FL_JFR_POOL_CLASS,
    FL_JFR_POOL_METHOD,
    FL_JFR_POOL_STACK,
    FL_JFR_POOL_THREAD,
    FL_JFR_POOL_GC_CAUSE,
    FL_JFR_POOL_GC_NAME,
    FL_JFR_POOL_GC_WHEN,
    FL_JFR_POOL_OBJECT,
    FL_JFR_POOL_REFERENCE,
    FL_JFR_POOL_ARRAY,
    FL_JFR_POOL_FIELD,
    FL_JFR_POOL_ROOT,
    FL_JFR_POOL_ROOT_TYPE,
    FL_JFR_POOL_ROOT_SYSTEM,
    FL_JFR_POOL_COUNT,
    FL_JFR_POOL_INLINE, /* of a slot: the text stands where the value is */
    FL_JFR_POOL_NONE    /* of a slot: a number */
} fl_jfr_pool_kind;

/* Slots of events (jfr_kinds.c). */
enum {
    FL_JFR_SLOT_TIME,
    FL_JFR_SLOT_DURATION,
    FL_JFR_SLOT_STACK,
    FL_JFR_SLOT_TYPE,
    FL_JFR_SLOT_THREAD,
    FL_JFR_SLOT_TEXT,
    FL_JFR_SLOT_CAUSE,
    FL_JFR_SLOT_A,
    FL_JFR_SLOT_B,
    FL_JFR_SLOT_C,
    FL_JFR_SLOT_D,
    FL_JFR_SLOT_ROOT,
    FL_JFR_SLOTS /* values that one plan keeps, of an event or of a constant */
};

/* A field to keep: its path through structs, "heapSpace.committedSize". */
typedef struct fl_jfr_wanted {
    const char *path;
    int slot;
} fl_jfr_wanted;

enum { FL_JFR_MAX_WANTED = 12 };

/* An event that is told. */
typedef struct fl_jfr_row {
    const char *event; /* its name */
    fl_jfr_kind kind;
    unsigned ticks;                              /* slots that hold ticks: 1u << slot */
    unsigned moments;                            /* the same of points in time */
    fl_jfr_wanted wanted[FL_JFR_MAX_WANTED + 1]; /* ends with a NULL path */
} fl_jfr_row;

/* The row of an event's name; NULL: it is not told. */
const fl_jfr_row *fl_jfr_row_of(fl_slice name);

typedef enum fl_jfr_step {
    FL_JFR_VARINT, /* a number in a chunk of compressed ones */
    FL_JFR_FIXED,  /* a number of `width` bytes, big-endian */
    FL_JFR_TEXT,
    FL_JFR_ARRAY /* a count, and so many times the steps up to `end` */
} fl_jfr_step;

typedef struct fl_jfr_op {
    uint8_t step,
        width;   /* of an array: numbers of an element that is nothing else and has no slot */
    int8_t slot; /* -1: gone past. Of a text and an array, its place in the chunk is kept */
    uint32_t end;
} fl_jfr_op;

typedef struct fl_jfr_plan {
    uint32_t at, count; /* among the chunk's ops; count 0: nothing is wanted, or none can be made */
    uint32_t last;      /* steps up to the last slot */
    bool is_sound;      /* false: a class that cannot be gone past */
    bool is_flat;       /* no text and no array: nothing but numbers */
    bool is_plain;      /* compressed ones alone */
    uint8_t pool[FL_JFR_SLOTS]; /* fl_jfr_pool_kind of what a slot refers to */
    unsigned have;              /* 1u << slot */
} fl_jfr_plan;

/* Where the keys and the amount of a summed event are among its numbers, if it is nothing else and
 * has them in this order: so many to go past, then the stack, its class right behind it, more to go
 * past, the amount, and more that have to be there. */
typedef struct fl_jfr_short {
    uint8_t keys; /* stack and class, or a stack alone; 0: there is no such plan */
    uint8_t to_stack, to_amount, rest;
    bool has_amount;
    bool is_whole; /* nothing stands behind it */
} fl_jfr_short;

typedef struct fl_jfr_field {
    fl_slice name;
    uint64_t type;
    bool is_constant, is_array;
} fl_jfr_field;

typedef struct fl_jfr_class {
    uint64_t id;
    fl_slice name;
    uint32_t field_at, field_count;
    uint64_t events, bytes; /* that were seen of it */
    const fl_jfr_row *row;  /* NULL: not told */
    fl_jfr_plan plan;       /* of its row's slots, or of its pool's */
    fl_jfr_short brief;     /* of a sum's slots alone */
    bool is_planned, is_summed;
} fl_jfr_class;

/* Where a value stands, and what it was turned into: a name, or a stack. */
typedef struct fl_jfr_constant {
    size_t pos;
    uint32_t resolved;
    bool is_resolved;
} fl_jfr_constant;

/* Events of a class with the same keys of stack and type. */
typedef struct fl_jfr_sum {
    uint64_t key; /* both, as they stand in a compressed chunk; without a type only the first */
    int64_t amount;
    uint32_t of, events, first; /* index of the class; place of the first event */
} fl_jfr_sum;

/* What the events of a chunk came to, both lists in the order in which they stand. */
typedef struct fl_jfr_tally {
    fl_jfr_sum *sums;
    size_t count, cap;
    uint32_t *index; /* by a hash of the keys to a sum's number + 1; at most a quarter full */
    size_t index_cap;
    unsigned index_shift; /* of the hash: its highest bits are a place */
    uint32_t *singles;    /* places of events that are told one by one */
    size_t single_count, single_cap;
    int64_t end_ns; /* of the last summed event, where the header does not say the chunk's end */
} fl_jfr_tally;

typedef struct fl_jfr_pool {
    fl_map *by_key; /* to index + 1 */
    fl_jfr_constant *items;
    size_t count, cap;
    const fl_jfr_class *of; /* its class in this chunk; NULL: there is none */
} fl_jfr_pool;

/* A frame that was met, by the keys of its method and its line; frame 0: none, else its number + 1.
 */
typedef struct fl_jfr_seen {
    uint64_t key;
    uint32_t frame;
} fl_jfr_seen;

enum { FL_JFR_SEEN_BITS = 11 };

enum { FL_JFR_MAX_WARNINGS = 32 };

typedef struct fl_jfr_warnings {
    char *items[FL_JFR_MAX_WARNINGS];
    size_t count;
} fl_jfr_warnings;

typedef struct fl_jfr_chunk {
    const char *name; /* of the input */
    uint64_t number;  /* of the chunk, from 1 */
    fl_slice bytes;   /* with the header */
    fl_stream_block block;
    uint64_t offset; /* of the chunk in the input */
    unsigned major, minor;
    bool is_compressed, is_finished;
    bool is_readable; /* it describes its events */
    bool sums;        /* samples may be summed */
    bool needs_end;   /* the header does not say when it ended */
    int64_t start_ns, duration_ns, start_ticks;
    double ns_per_tick;
    uint64_t metadata_at, pool_at; /* of the header */
    fl_jfr_class *classes;
    size_t class_count, class_cap;
    fl_jfr_field *fields;
    size_t field_count, field_cap;
    fl_jfr_op *ops;
    size_t op_count, op_cap;
    size_t steps;    /* fields gone through for plans, at most FL_JFR_CHUNK_STEPS */
    fl_map *by_id;   /* class id to index + 1 */
    uint32_t *dense; /* the same of small ids, FL_JFR_DENSE of them */
    fl_jfr_pool pools[FL_JFR_POOL_COUNT];
    uint64_t looked;   /* bytes of constants that were gone through, one more for each */
    fl_jfr_plan frame; /* of a stack's frames */
    fl_jfr_seen seen[1 << FL_JFR_SEEN_BITS];
    fl_jfr_tally tally;
    fl_arena arena; /* texts of its metadata */
    fl_jfr_warnings warnings;
} fl_jfr_chunk;

enum {
    FL_JFR_DENSE = 1 << 14,
    /* Constants that are looked at, in bytes: so often all of the chunk, and in any case so many.
     * Chains of 200 holders of each of 10,000 objects are 52 MB. */
    FL_JFR_LOOKS = 16,
    FL_JFR_LEAST_LOOKS = 64 << 20
};

/* One frame below another: a stack. */
typedef struct fl_jfr_node {
    uint32_t frame, caller;
} fl_jfr_node;

enum { FL_JFR_CHUNKS = 5 }; /* one for each of four threads, and one on its way */

struct fl_jfr {
    fl_jfr_chunk chunks[FL_JFR_CHUNKS]; /* that are digested or told; their memory is used again */
    fl_jfr_chunk *chunk;                /* the one that is told */
    fl_intern *names;
    fl_map *frame_of; /* function << 32 | line, to index + 1 */
    fl_jfr_frame *frames;
    size_t frame_count, frame_cap;
    fl_map *node_of; /* caller << 32 | frame, to index + 1 */
    fl_jfr_node *nodes;
    size_t node_count, node_cap;
    fl_map *class_of; /* name as a recording has it, to that as the sources have it */
    fl_map *count_of; /* name to index + 1 */
    fl_jfr_count *counts;
    size_t count_count, count_cap;
    fl_jfr_totals totals;
    fl_arena scratch; /* of a name that is being made */
    fl_jfr_warnings warnings;
};

/* ---- numbers (here, since all reading is this) ---- */

/* LEB128 of at most 9 bytes, of which the ninth has 8 bits, where fewer may be left. */
uint64_t fl_jfr_varint_long(fl_reader *in);

/* The same where FL_JFR_VARINT_BYTES bytes can be read whatever the number is; moves *at behind it.
 */
enum { FL_JFR_VARINT_BYTES = 9 };
static inline uint64_t fl_jfr_varint_at(const unsigned char *p, size_t *at)
{
    uint64_t word = fl_bytes_le64(p + *at), ends = ~word & UINT64_C(0x8080808080808080);
    if ((ends & 0x80) != 0) {
        *at += 1;
        return word & 0x7f;
    }
    if ((ends & 0x8000) != 0) {
        *at += 2;
        return (word & 0x7f) | (word >> 1 & 0x3f80);
    }
    unsigned count = ends != 0 ? (unsigned)__builtin_ctzll(ends) / 8 + 1 : FL_JFR_VARINT_BYTES;
    uint64_t ninth = ends != 0 ? 0 : (uint64_t)p[*at + 8] << 56;
    *at += count;
    word &= ends != 0 ? UINT64_MAX >> (64 - 8 * count) : UINT64_MAX;
    word &= UINT64_C(0x7f7f7f7f7f7f7f7f);
    word = (word & UINT64_C(0x007f007f007f007f)) | (word & UINT64_C(0x7f007f007f007f00)) >> 1;
    word = (word & UINT64_C(0x00003fff00003fff)) | (word & UINT64_C(0x3fff00003fff0000)) >> 2;
    return (word & UINT64_C(0x0fffffff)) | (word & UINT64_C(0x0fffffff00000000)) >> 4 | ninth;
}

/* Where numbers end is found so many bytes at a time. */
enum { FL_JFR_WINDOW = 32 };
#if defined(__SSE2__)
/* Bit n: byte n of 32 has its top bit set. */
static inline uint32_t fl_jfr_tops_of(const unsigned char *p)
{
    const __m128i low = _mm_loadu_si128((const __m128i *)(const void *)p);
    const __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(p + 16));
    return (uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16;
}
#else
/* The same eight bytes at a time: the product moves the top bits next to each other. */
static inline uint32_t fl_jfr_tops_of(const unsigned char *p)
{
    uint32_t tops = 0;
    for (int i = 0; i < FL_JFR_WINDOW / 8; i++) {
        uint64_t word = fl_bytes_le64(p + 8 * i) >> 7 & UINT64_C(0x0101010101010101);
        tops |= (uint32_t)(word * UINT64_C(0x0102040810204080) >> 56) << 8 * i;
    }
    return tops;
}
#endif

/* Whether nine bytes in a row have their top bits set: the ninth may be the end of a number. */
static inline bool fl_jfr_has_doubt(uint32_t tops)
{
    uint32_t runs = tops & tops >> 1;
    runs &= runs >> 2;
    runs &= runs >> 4;
    return (runs & tops >> 8) != 0;
}

/* The same anywhere. */
static inline uint64_t fl_jfr_varint(fl_reader *in)
{
    return in->bytes.len - in->pos >= FL_JFR_VARINT_BYTES
               ? fl_jfr_varint_at(in->bytes.ptr, &in->pos)
               : fl_jfr_varint_long(in);
}

/* A number of `width` bytes where numbers are not compressed. */
static inline uint64_t fl_jfr_number(fl_reader *in, size_t width, bool is_compressed)
{
    return is_compressed && width > 1 ? fl_jfr_varint(in) : fl_read_be(in, width);
}

/* ---- jfr.c ---- */

/* Who is told. */
typedef struct fl_jfr_telling {
    fl_jfr_visit *visit;
    void *payload;
} fl_jfr_telling;

/* All of a chunk that was digested; chunks come in the order of their numbers. FL_E_NOMEM,
 * FL_E_LIMIT, and what `visit` returns. */
FL_NODISCARD fl_status fl_jfr_tell_chunk(fl_jfr *jfr, fl_jfr_chunk *chunk, const fl_jfr_telling *to,
                                         fl_error *err);

/* ---- jfr_feed.c ---- */

/* A recording, and how it is to be read. */
typedef struct fl_jfr_source {
    fl_stream *in;
    const char *name;
    bool sums; /* samples are summed */
} fl_jfr_source;

/* Read and tell all of it, as fl_jfr_read() says. */
FL_NODISCARD fl_status fl_jfr_feed(fl_jfr *jfr, const fl_jfr_source *from, const fl_jfr_telling *to,
                                   fl_error *err);

/* ---- jfr_chunk.c ---- */

/* What a chunk has besides its bytes; on failure it has none of it. */

FL_NODISCARD fl_status fl_jfr_chunk_init(fl_jfr_chunk *chunk, fl_error *err);
void fl_jfr_chunk_dispose(fl_jfr_chunk *chunk);
/* Take what the header at the beginning of `bytes` says, of FL_JFR_HEADER_BYTES at least. `offset`
 * is that of the chunk. FL_E_UNSUPPORTED: no recording, or of another version. */
FL_NODISCARD fl_status fl_jfr_chunk_header(fl_jfr_chunk *chunk, const unsigned char *bytes,
                                           uint64_t offset, fl_error *err);
/* Digest a chunk whose bytes are there. What of it is damaged is a warning. FL_E_NOMEM, FL_E_LIMIT.
 */
FL_NODISCARD fl_status fl_jfr_chunk_digest(fl_jfr_chunk *chunk, fl_error *err);
/* One event's frame: false at the end, or, with *broken, where there is none. `in` then stands
 * before its fields. */
bool fl_jfr_next_event(const fl_jfr_chunk *chunk, fl_reader *in, size_t *end, uint64_t *type,
                       bool *broken);
/* "rec.jfr: chunk 3, byte 17: what" */
void fl_jfr_warn(fl_jfr_warnings *to, const fl_jfr_chunk *chunk, uint64_t offset, const char *what);

/* Damaged times may be anything; within the ends of this two of them can be subtracted, and added.
 */
int64_t fl_jfr_moment(int64_t ns);
/* Ticks as nanoseconds; what is beyond reason is cut off at the ends of the range. */
int64_t fl_jfr_span_of(const fl_jfr_chunk *chunk, int64_t ticks);
/* The same as nanoseconds since the epoch. */
int64_t fl_jfr_time_of(const fl_jfr_chunk *chunk, int64_t ticks);
/* A number of an event: plain, a span or a moment in ticks. */
int64_t fl_jfr_number_of(const fl_jfr_chunk *chunk, const fl_jfr_row *row, const uint64_t *slots,
                         int slot);

/* ---- jfr_tally.c ---- */

/* Whether events of a kind can be summed: they say nothing but a stack, a class and an amount. */
bool fl_jfr_is_summed(fl_jfr_kind kind);
/* The plan in short of a class that is summed. */
void fl_jfr_short_make(fl_jfr_class *class, const fl_jfr_chunk *chunk);
/* Sum the events from *at on, as long as they have a plan in short and their bytes are in no doubt;
 * *at is then the first that is not. What it sums it counts. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_jfr_tally_run(fl_jfr_chunk *chunk, size_t *at, fl_error *err);
/* One event that is told, at `at`, with its fields from `begin` to `end`. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_jfr_tally_event(fl_jfr_chunk *chunk, const fl_jfr_class *class, size_t at,
                                          size_t begin, size_t end, fl_error *err);
/* The keys of a sum; a type that it has not is 0. */
void fl_jfr_sum_keys(uint64_t *stack, uint64_t *type, const fl_jfr_sum *sum);
void fl_jfr_tally_clear(fl_jfr_tally *tally);
void fl_jfr_tally_dispose(fl_jfr_tally *tally);

/* ---- jfr_plan.c ---- */

/* The plan of a class that keeps `wanted` (NULL: nothing). FL_E_NOMEM only: one that cannot be made
 * is not sound. */
FL_NODISCARD fl_status fl_jfr_plan_make(fl_jfr_plan *out, fl_jfr_chunk *chunk,
                                        const fl_jfr_class *of, const fl_jfr_wanted *wanted,
                                        fl_error *err);
/* The first `count` steps of a plan from where `in` stands; `slots` has FL_JFR_SLOTS items. A short
 * read, or a text that is none, marks `in`. */
void fl_jfr_plan_run(const fl_jfr_chunk *chunk, const fl_jfr_plan *plan, size_t count,
                     fl_reader *in, uint64_t *slots);
/* Go past a text. */
void fl_jfr_skip_text(fl_reader *in, bool is_compressed);
/* The text at a place, in the arena where it has to be made. *ref: the key of a pooled text, and
 * the text is empty then; 0: none. False where it is damaged or there is no memory. */
bool fl_jfr_text_at(fl_slice *out, uint64_t *ref, const fl_jfr_chunk *chunk, size_t pos,
                    fl_arena *arena);

/* ---- jfr_metadata.c ---- */

/* Classes and fields of the metadata event at `pos`. FL_E_SYNTAX, FL_E_TRUNCATED, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_jfr_metadata_read(fl_jfr_chunk *chunk, size_t pos, fl_arena *arena,
                                            fl_error *err);
/* The class of an id; NULL: there is none. */
fl_jfr_class *fl_jfr_class_of(const fl_jfr_chunk *chunk, uint64_t id);
/* The class of a name; NULL: there is none. */
fl_jfr_class *fl_jfr_class_named(const fl_jfr_chunk *chunk, const char *name);

/* ---- jfr_pool.c ---- */

/* The classes of the pools in this chunk, and their plans. */
FL_NODISCARD fl_status fl_jfr_pools_begin(fl_jfr_chunk *chunk, fl_error *err);
/* One checkpoint, which has to be whole before `end`; *delta is where the one before it stands,
 * relative to this, 0: this is the first. FL_E_SYNTAX, FL_E_TRUNCATED, FL_E_LIMIT, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_jfr_checkpoint_read(fl_jfr_chunk *chunk, size_t pos, size_t end,
                                              int64_t *delta, fl_error *err);
/* The constant of a key; NULL: there is none. Its plan's slots, where `slots` is not NULL; false in
 * *ok where its bytes are damaged. */
fl_jfr_constant *fl_jfr_constant_of(fl_jfr_chunk *chunk, fl_jfr_pool_kind pool, uint64_t key);
/* Also false when the chunk's constants have cost so much that this is no recorder's work: holders
 * are asked for again and again, and a description may make each of them as long as it likes. */
bool fl_jfr_constant_slots(fl_jfr_chunk *chunk, fl_jfr_pool_kind pool,
                           const fl_jfr_constant *constant, uint64_t slots[FL_JFR_SLOTS]);
/* Bytes that may be gone through for that. */
uint64_t fl_jfr_looks_most(const fl_jfr_chunk *chunk);

/* The pool of a class by its name; FL_JFR_POOL_NONE: of none. */
fl_jfr_pool_kind fl_jfr_pool_of(fl_slice class_name);
void fl_jfr_pools_dispose(fl_jfr_chunk *chunk);

/* ---- jfr_names.c ---- */

/* What a slot refers to, as a name: FL_JFR_NONE where there is none. FL_E_NOMEM, FL_E_LIMIT. */
FL_NODISCARD fl_status fl_jfr_name_slot(uint32_t *out, fl_jfr *jfr, const fl_jfr_plan *plan,
                                        int slot, const uint64_t *slots, fl_error *err);
FL_NODISCARD fl_status fl_jfr_name_constant(uint32_t *out, fl_jfr *jfr, fl_jfr_pool_kind pool,
                                            uint64_t key, fl_error *err);
FL_NODISCARD fl_status fl_jfr_stack_constant(uint32_t *out, fl_jfr *jfr, uint64_t key,
                                             fl_error *err);

/* Room for one item more in an array that doubles; the array, or NULL. */
void *fl_jfr_grow(void *items, size_t count, size_t *cap, size_t size);

#endif
