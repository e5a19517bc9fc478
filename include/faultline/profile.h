/*
 * profile.h - a decoded profile: what runtimes say about where memory, time and goroutines went.
 *
 * One structure for every format: profile.proto (Go, Node.js, Python, Rust ... write it) and Go's
 * text forms. A profile is a table of samples; a sample is a stack, one value for each sample type,
 * and labels. The arrays are plain, and indexes into them are checked by the decoder: a reader
 * needs no test of its own.
 *
 *   sample i:  values[i * type_count + t], t < type_count
 *              stack[samples[i].stack_at + k], k < stack_count: frames, innermost first
 *              labels[samples[i].label_at + k], k < label_count
 *   frame:     one source line of one location; a location with inlined calls is several frames,
 *              each but the last marked inlined
 *
 * Texts are slices into the profile's own memory: they live until it is read into again or
 * destroyed. They may hold any bytes. Values are within +-2^62, so that a sum of two cannot wrap;
 * sum more than two with fl_profile_add().
 */
#ifndef FAULTLINE_PROFILE_H
#define FAULTLINE_PROFILE_H

#include <stdbool.h>

#include "faultline/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FL_PROFILE_NONE UINT32_MAX /* no index */

typedef enum fl_profile_kind {
    FL_PROFILE_OTHER,
    FL_PROFILE_HEAP,   /* what is in use; Go's also holds what was ever allocated */
    FL_PROFILE_ALLOCS, /* Go: the same samples as heap, with another default type */
    FL_PROFILE_GOROUTINE,
    FL_PROFILE_GOROUTINE_LEAK,
    FL_PROFILE_THREAD_CREATE,
    FL_PROFILE_BLOCK, /* Go writes block and mutex alike: told apart by who is innermost */
    FL_PROFILE_MUTEX,
    FL_PROFILE_CPU,
    FL_PROFILE_WALL
} fl_profile_kind;
enum { FL_PROFILE_KIND_COUNT = FL_PROFILE_WALL + 1 };

typedef enum fl_profile_form {
    FL_PROFILE_FORM_PROTO,
    FL_PROFILE_FORM_TEXT,  /* Go's debug=1 */
    FL_PROFILE_FORM_STACKS /* Go's debug=2: goroutines one by one */
} fl_profile_form;

/* What the values of one column count. */
typedef struct fl_profile_type {
    fl_slice name; /* "inuse_space", "delay", "cpu" ... */
    fl_slice unit; /* "bytes", "count", "nanoseconds" ... */
} fl_profile_type;

typedef struct fl_profile_mapping {
    uint64_t start, limit, file_offset;
    fl_slice file, build_id;
} fl_profile_mapping;

/* Two functions may have the same name: closures of two builds, or the same name in two files. */
typedef struct fl_profile_function {
    fl_slice name;        /* as a person reads it; normalised where that was asked for */
    fl_slice system_name; /* as the linker has it; may be empty */
    fl_slice file;        /* may be empty */
    int64_t start_line;   /* 0: not known */
} fl_profile_function;

typedef struct fl_profile_frame {
    uint32_t function; /* FL_PROFILE_NONE: not symbolized, only the address is known */
    uint32_t mapping;  /* or FL_PROFILE_NONE */
    uint32_t location; /* frames of one location are next to each other */
    bool inlined;      /* into the frame that follows it */
    int64_t line;      /* 0: not known */
    uint64_t address;  /* of the location; 0: not known */
} fl_profile_frame;

typedef struct fl_profile_label {
    fl_slice key;
    fl_slice text;  /* empty for a number */
    fl_slice unit;  /* of a number; may be empty: "bytes" is then its key's */
    int64_t number; /* 0 for a text */
} fl_profile_label;

typedef struct fl_profile_sample {
    uint32_t stack_at, stack_count;
    uint32_t label_at, label_count; /* equal label sets may share a place */
} fl_profile_sample;

typedef struct fl_profile {
    fl_profile_kind kind;
    fl_profile_form form;
    const fl_profile_type *types;
    size_t type_count;
    size_t default_type; /* index into types; 0 where there are none */
    fl_profile_type period_type;
    int64_t period;  /* of sampling, in period_type's unit: 524288 bytes, 10000000 ns; 0: none */
    int64_t time_ns; /* when it was taken; 0: not said */
    int64_t duration_ns;                /* what it covers; 0: not said */
    const fl_profile_mapping *mappings; /* the first is the program */
    size_t mapping_count;
    const fl_profile_function *functions;
    size_t function_count;
    const fl_profile_frame *frames;
    size_t frame_count;
    const uint32_t *stack; /* indexes into frames */
    size_t stack_count;
    const fl_profile_label *labels;
    size_t label_count;
    const fl_profile_sample *samples;
    const int64_t *values; /* sample_count * type_count */
    size_t sample_count;
    const fl_slice *comments;
    size_t comment_count;
    fl_slice drop_frames, keep_frames; /* regular expressions that the writer gave; may be empty */
    fl_slice doc_url;
    uint64_t clamped_values; /* values that were beyond +-2^62 */
    uint64_t input_bytes;    /* decompressed */
} fl_profile;

/* An empty profile, to be read into (ingest), again and again: its memory is reused. One reader at
 * a time. */
FL_NODISCARD fl_status fl_profile_create(fl_profile **out, fl_error *err);
/* Frees everything that its slices point to. NULL is a no-op. */
void fl_profile_destroy(fl_profile *profile);

/* "heap", "allocs", "goroutine", "goroutineleak", "threadcreate", "block", "mutex", "cpu", "wall",
 * "other". */
const char *fl_profile_kind_name(fl_profile_kind kind);
/* The index of the sample type of that name, or FL_PROFILE_NONE. */
uint32_t fl_profile_type_find(const fl_profile *profile, fl_slice name);
/* The label of that key of one sample, the first where there are several; NULL: none. */
const fl_profile_label *fl_profile_label_find(const fl_profile *profile, size_t sample,
                                              fl_slice key);

/* The last part of a path: what a person knows a program or a source file by. */
fl_slice fl_profile_base_name(fl_slice path);

/* The function of a frame, NULL where it has no name. */
static inline const fl_profile_function *fl_profile_function_of(const fl_profile *profile,
                                                                uint32_t frame)
{
    uint32_t function = profile->frames[frame].function;
    return function != FL_PROFILE_NONE ? &profile->functions[function] : NULL;
}

/* One value of a sample. */
static inline int64_t fl_profile_value(const fl_profile *profile, size_t sample, size_t type)
{
    return profile->values[sample * profile->type_count + type];
}

/* a + b, saturating at the ends of int64_t. */
static inline int64_t fl_profile_add(int64_t a, int64_t b)
{
    if (b > 0 && a > INT64_MAX - b)
        return INT64_MAX;
    if (b < 0 && a < INT64_MIN - b)
        return INT64_MIN;
    return a + b;
}

#ifdef __cplusplus
}
#endif

#endif
