/*
 * pyroscope.h - what Pyroscope's clients upload: POST
 * /ingest?name=...&from=...&until=...&format=... with a profile as the body, alone or as a part of
 * a form.
 *
 * Source: grafana.com/docs/pyroscope/latest/reference-server-api/#ingest. The profile itself is
 * read by ingest/pprof. What is read of the query: docs/formats/pyroscope.md.
 */
#ifndef FL_PYROSCOPE_H
#define FL_PYROSCOPE_H

#include "arena.h"
#include "labels.h"

typedef struct fl_pyroscope_upload {
    fl_slice app;              /* the name in front of its labels */
    fl_labels labels;          /* those behind it */
    int64_t from_ns, until_ns; /* 0: not told */
    fl_slice units, aggregation, spy;
    uint64_t sample_rate; /* Hz; 0: not told */
} fl_pyroscope_upload;

/* What the query string (without "?") tells; texts are in the arena or in `query`. FL_E_SYNTAX with
 * the offset of what is wrong; FL_E_UNSUPPORTED for a format that is not pprof; FL_E_NOMEM. */
FL_NODISCARD fl_status fl_pyroscope_query(fl_pyroscope_upload *out, fl_slice query, fl_arena *arena,
                                          fl_error *err);
/* The same of one key and its decoded value; texts are borrowed. `upload` begins as zeros. */
FL_NODISCARD fl_status fl_pyroscope_parameter(fl_pyroscope_upload *upload, fl_slice key,
                                              fl_slice value, fl_error *err);
/* After the last one: whether they tell enough. */
FL_NODISCARD fl_status fl_pyroscope_check(const fl_pyroscope_upload *upload, fl_error *err);
/* The profile within a body: all of it, or the part "profile" of a multipart form. FL_E_SYNTAX,
 * FL_E_TRUNCATED. */
FL_NODISCARD fl_status fl_pyroscope_profile(fl_slice *profile, fl_slice content_type, fl_slice body,
                                            fl_error *err);

#endif
