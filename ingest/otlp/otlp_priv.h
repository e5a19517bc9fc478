/*
 * otlp_priv.h - what the JSON and the protobuf reader of OTLP share.
 *
 * Both fill the scratch of struct fl_otlp and one fl_span, fl_log or fl_point, and hand it to
 * fl_otlp_push_*(), which checks what it says and passes it to the sink. Three kinds of failure:
 *   complaint  the record is well formed but says something impossible; costs the record
 *   sticky failure of fl_json or fl_proto; the caller finds the record's end and goes on behind it
 *   `status`   the sink, strict mode or memory ended the reading; everything unwinds
 *
 * Invariants: scratch arrays are allocated once, at their limits, by fl_otlp_create(). What lies in
 * `record_arena` lives until the next fl_otlp_begin(), what lies in `outer_arena` (a metric's name
 * and unit, keys above the record) until the next metric or resource.
 */
#ifndef FL_OTLP_PRIV_H
#define FL_OTLP_PRIV_H

#include <string.h>

#include "arena.h"
#include "buf.h"
#include "faultline/limits.h"
#include "faultline/record.h"
#include "json.h"
#include "otlp.h"
#include "proto.h"
#include "slice.h"

enum {
    FL_OTLP_TRACE_ID_BYTES = 16,
    FL_OTLP_SPAN_ID_BYTES = 8,
    /* Brackets that may be open inside one record whose end is looked for. */
    FL_OTLP_MAX_BRACKETS = 1 << 17,
    /* Arrays and maps inside each other in one attribute's value. */
    FL_OTLP_MAX_VALUE_DEPTH = 32,
    /* Attributes of a record among which an older name's double is looked for. */
    FL_OTLP_MAX_DOUBLES = 128
};

/* A list of attributes under construction. */
typedef struct fl_otlp_list {
    fl_attr *items;
    size_t count, cap;
    bool renamed; /* an older name was replaced: look for doubles */
    uint64_t renamed_bits[FL_OTLP_MAX_DOUBLES / 64]; /* which, of the first ones */
    size_t peer_name, peer_port; /* 1 + index of net.peer.*, which depends on the span's kind */
} fl_otlp_list;

struct fl_otlp {
    fl_sink sink;
    bool strict;
    bool found;          /* a member or field of OTLP was seen since the start of the file */
    uint64_t dropped;    /* attributes and events over the limits, since creation */
    uint64_t rejects;    /* reported since the start of the file */
    fl_status status;    /* what ended the reading */
    fl_error *err;       /* of the call in hand; may be NULL */
    const char *source;  /* of the request in hand */
    uint64_t line, base; /* of its first byte */

    /* A document over several lines: lines are counted where a reject needs one. */
    const unsigned char *document;
    uint64_t mark_at, mark_line;

    bool broken;              /* the structure cannot be walked further, and that was reported */
    const unsigned char *end; /* of the protobuf request in hand */
    bool input_torn;          /* the bytes end where their file broke: the file's reject says so */

    /* A resource that could not be read: its records are counted, not pushed. */
    bool discard;
    uint64_t discarded, discard_at;
    char discard_reason[256];

    uint32_t resource;
    fl_point point; /* the metric in hand: metric, unit, kind, temporality, monotonic */

    const char *complaint; /* about the record in hand */
    fl_arena record_arena, outer_arena;
    fl_buf text; /* a value on its way to the arena */

    fl_otlp_list attrs;       /* of the record or resource */
    fl_otlp_list event_attrs; /* of all events of a span */
    fl_span_event *events;
    size_t event_count;
    double *bounds, *values;
    size_t bound_count, value_count;
    uint64_t *counts;
    size_t bucket_count;
    uint64_t *brackets; /* FL_OTLP_MAX_BRACKETS bits */
    unsigned char semconv_start[64];
};

/* Key comparison with a literal: the length first, then a comparison of constant size. */
#define FL_OTLP_IS(key, literal)                                                                   \
    ((key).len == sizeof(literal) - 1 && memcmp((key).ptr, literal, sizeof(literal) - 1) == 0)

/* --- one record (otlp_push.c) --- */

/* Empty the scratch for the next record or resource. */
void fl_otlp_begin(fl_otlp *otlp);
/* The first complaint about a record stays. `sentence` is static. */
static inline void fl_otlp_complain(fl_otlp *otlp, const char *sentence)
{
    if (otlp->complaint == NULL)
        otlp->complaint = sentence;
}
/* Nanoseconds as they came; complains past the year 2262. */
static inline int64_t fl_otlp_time(fl_otlp *otlp, uint64_t ns)
{
    if (ns <= INT64_MAX)
        return (int64_t)ns;
    fl_otlp_complain(otlp, "time is beyond the year 2262");
    return 0;
}
/* The next free place, or NULL (and counted as dropped) at the limit. */
fl_attr *fl_otlp_attr_add(fl_otlp *otlp, fl_otlp_list *list);
fl_span_event *fl_otlp_event_add(fl_otlp *otlp);
/* Complain past FL_MAX_BUCKETS_PER_POINT. */
void fl_otlp_bound_add(fl_otlp *otlp, double bound);
void fl_otlp_value_add(fl_otlp *otlp, double value);
void fl_otlp_count_add(fl_otlp *otlp, uint64_t count);

/* Check, take the scratch in, and push; `at` is the offset of the record in the request. */
void fl_otlp_push_resource(fl_otlp *otlp);
void fl_otlp_push_span(fl_otlp *otlp, fl_span *span, uint64_t at);
void fl_otlp_push_log(fl_otlp *otlp, fl_log *log, uint64_t at);
void fl_otlp_push_point(fl_otlp *otlp, fl_point *point, bool has_value, uint64_t at);
/* Report a loss at an offset of the request. */
void fl_otlp_reject(fl_otlp *otlp, uint64_t at, uint64_t records, const char *format, ...)
    FL_PRINTF(4, 5);
/* From here to the end of the resource its records are only counted; then one reject. */
void fl_otlp_discard_begin(fl_otlp *otlp, uint64_t at, const char *reason);
void fl_otlp_discard_end(fl_otlp *otlp);
/* Out of memory: ends the reading. */
void fl_otlp_nomem(fl_otlp *otlp);

/* --- attributes (otlp_semconv.c, otlp_resource.c, otlp_text.c) --- */

void fl_otlp_semconv_init(fl_otlp *otlp);
/* Today's name of the attribute last added to `list`. */
void fl_otlp_semconv_apply(const fl_otlp *otlp, fl_otlp_list *list);
/* Settle names that depend on the span's kind and drop older names whose today's name is there too.
 */
void fl_otlp_semconv_finish(fl_otlp_list *list, fl_span_kind kind);
/* The parts of a resource that have a place of their own. */
fl_resource fl_otlp_resource_of(const fl_otlp_list *attrs);

/* Plain JSON, for values that have no place of their own in fl_value. */
void fl_otlp_text_string(fl_buf *out, fl_slice text);
void fl_otlp_text_int(fl_buf *out, int64_t value);
void fl_otlp_text_double(fl_buf *out, double value);
void fl_otlp_text_base64(fl_buf *out, fl_slice bytes);
/* What was written to otlp->text, copied to the record's arena. */
fl_slice fl_otlp_text_take(fl_otlp *otlp);
/* A log's body: the text of a string, or the value as plain JSON. */
fl_slice fl_otlp_body_of(fl_otlp *otlp, const fl_value *value);

/* --- JSON --- */

/* Offset behind the value that begins at `at`, told by brackets and quotes alone; 0 where it has no
 * end. */
size_t fl_otlp_json_end(fl_otlp *otlp, fl_slice bytes, size_t at);
/* Step over the next value without checking it; `later` is a reader that stands before it. */
void fl_otlp_json_defer(fl_otlp *otlp, fl_json *in, fl_json *later);
/* Read each element of an array. One that fails is rejected as "`what`: reason" and passed over. */
typedef void fl_otlp_json_fn(fl_otlp *otlp, fl_json *in);
void fl_otlp_json_each(fl_otlp *otlp, fl_json *in, const char *what, fl_otlp_json_fn *read);
/* Fail as another reader over the same bytes did. */
void fl_otlp_json_take(fl_json *in, const fl_error *why);
/* Take over the failure of a deferred reader, or stop where the whole reading ended. */
void fl_otlp_json_adopt(const fl_otlp *otlp, fl_json *in, const fl_json *later);

void fl_otlp_json_attrs(fl_otlp *otlp, fl_json *in, fl_otlp_list *list);
fl_value fl_otlp_json_value(fl_otlp *otlp, fl_json *in);
fl_trace_id fl_otlp_json_trace_id(fl_otlp *otlp, fl_json *in);
uint64_t fl_otlp_json_span_id(fl_otlp *otlp, fl_json *in, const char *complaint);
/* An enum as a number or as one of `names` after `prefix` (index = number); else 0. */
int fl_otlp_json_enum(fl_json *in, fl_slice prefix, const fl_slice *names, size_t count);
/* The next value, an ArrayValue or KeyValueList, as plain JSON behind what otlp->text holds. */
void fl_otlp_json_render(fl_otlp *otlp, fl_json *in, bool is_map);

void fl_otlp_json_span(fl_otlp *otlp, fl_json *in);
void fl_otlp_json_log(fl_otlp *otlp, fl_json *in);
void fl_otlp_json_metric(fl_otlp *otlp, fl_json *in);
void fl_otlp_json_number_point(fl_otlp *otlp, fl_json *in);
void fl_otlp_json_histogram_point(fl_otlp *otlp, fl_json *in);
void fl_otlp_json_exp_point(fl_otlp *otlp, fl_json *in);
void fl_otlp_json_summary_point(fl_otlp *otlp, fl_json *in);

/* --- protobuf --- */

void fl_otlp_proto_attr(fl_otlp *otlp, fl_proto *in, fl_otlp_list *list);
fl_value fl_otlp_proto_value(fl_otlp *otlp, fl_proto *in);
fl_trace_id fl_otlp_proto_trace_id(fl_otlp *otlp, fl_proto *in);
uint64_t fl_otlp_proto_span_id(fl_otlp *otlp, fl_proto *in, const char *complaint);
/* The ArrayValue or KeyValueList in the field in hand, as plain JSON behind what otlp->text holds.
 */
void fl_otlp_proto_render(fl_otlp *otlp, fl_proto *in, bool is_map);

/* Each reads the message in `in` and pushes what it holds. */
void fl_otlp_proto_span(fl_otlp *otlp, fl_proto *in);
void fl_otlp_proto_log(fl_otlp *otlp, fl_proto *in);
void fl_otlp_proto_metric(fl_otlp *otlp, fl_proto *in);

/* Report the failure of a reader. */
void fl_otlp_proto_reject(fl_otlp *otlp, const fl_proto *in, const char *what);
/* Which signal the content of a request shows; FL_OTLP_UNKNOWN where it holds no record. */
fl_otlp_signal fl_otlp_proto_sniff(fl_slice request);
/* Whether bytes begin like a request: a resource's block with a member of its own. */
bool fl_otlp_proto_is_plausible(fl_slice request);

#endif
