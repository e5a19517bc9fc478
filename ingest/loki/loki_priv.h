/*
 * loki_priv.h - what the JSON and the protobuf reader of Loki share: a stream, and its entries.
 *
 * Invariant: `labels` holds the stream's labels that say not who it is, the first stream_labels of
 * its items; an entry's metadata stands behind them until the next entry.
 */
#ifndef FL_LOKI_PRIV_H
#define FL_LOKI_PRIV_H

#include "labels.h"
#include "loki.h"

struct loki {
    fl_intake *to;
    fl_arena arena; /* of a stream */
    fl_labels labels;
    size_t stream_labels;
    int severity; /* that the stream's labels say */
    fl_slice severity_text;
    uint32_t resource;
    fl_error *err;
};

void fl_loki_open(struct loki *x, fl_intake *to, fl_slice bytes, bool is_text, fl_error *err);
void fl_loki_close(struct loki *x);
/* Labels were added: who the stream is of, and how severe its lines are. */
fl_status fl_loki_begin_stream(struct loki *x);
/* The text form, {name="value", ...}. False, with *bad_at the offset in `text`, where it is none.
 * FL_E_NOMEM in *status for want of memory. */
bool fl_loki_read_labels(struct loki *x, fl_slice text, size_t *bad_at, fl_status *status);
/* An entry whose metadata was added behind the stream's labels. */
fl_status fl_loki_push_entry(struct loki *x, int64_t time_ns, fl_slice line);

#endif
