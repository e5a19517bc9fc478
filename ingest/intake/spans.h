/*
 * spans.h - a span under construction, for decoders of tracing formats that are not OTLP.
 *
 * The arrays are as large as limits.h lets any span be, so that a limit is a comparison; what is
 * over it is counted and left out. Names of attributes that older conventions used are replaced by
 * today's semantic conventions on the way in.
 */
#ifndef FL_SPANS_H
#define FL_SPANS_H

#include <stdbool.h>

#include "arena.h"
#include "faultline/record.h"

typedef struct fl_span_draft {
    fl_span span;
    fl_attr *attrs, *event_attrs; /* in the arena given to init */
    fl_span_event *events;
    size_t attr_count, event_attr_count, event_count;
    uint64_t dropped;
} fl_span_draft;

/* FL_E_NOMEM. The arrays live as long as the arena. */
FL_NODISCARD fl_status fl_span_draft_init(fl_span_draft *draft, fl_arena *arena, fl_error *err);
/* Nothing in it. */
void fl_span_draft_begin(fl_span_draft *draft);
void fl_span_draft_attr(fl_span_draft *draft, fl_slice key, fl_value value);
/* Begin an event; its attributes follow. False at the limit. */
bool fl_span_draft_event(fl_span_draft *draft, int64_t time_ns, fl_slice name);
void fl_span_draft_event_attr(fl_span_draft *draft, fl_slice key, fl_value value);
/* The text of an attribute; empty where there is none. */
fl_slice fl_span_draft_find(const fl_span_draft *draft, fl_slice key);
/* The span with its arrays. NULL, or what is wrong with it. */
const char *fl_span_draft_finish(fl_span_draft *draft);

/* Ids in hexadecimal, leading zeros left out or not. False where it is none, or zero. */
bool fl_trace_id_parse(fl_trace_id *out, fl_slice text);
bool fl_span_id_parse(uint64_t *out, fl_slice text);
/* "client", "SERVER" ... in either case; FL_SPAN_UNSPECIFIED for other words. */
fl_span_kind fl_span_kind_parse(fl_slice word);
/* Whether an "error" tag says that it failed: "false" alone does not. */
bool fl_span_error_tag(const fl_value *value);

#endif
