/*
 * probe.h - what a source is: whether it answers, its version, its clock, what it holds and how far
 * back.
 *
 * All sources are asked at once, each with some dozen small questions. How far back is told on a
 * ladder of ages: at each, whether there is anything of the hour before it.
 */
#ifndef FL_PROBE_H
#define FL_PROBE_H

#include "answers.h"
#include "sources.h"

enum { FL_PROBE_NAMES = 8, FL_PROBE_NAME = 48 };

typedef struct fl_probed {
    fl_status status;  /* FL_OK: it answered what its kind is told by */
    char failure[192]; /* why not; "" */
    char version[FL_VERSION_TEXT];
    int64_t answer_ns; /* how long it took to answer */
    bool has_clock;
    int64_t clock_offset_ns, clock_error_ns;   /* its clock minus ours; known to +- error */
    uint64_t series;                           /* of a Prometheus, at hand; 0: not told */
    uint64_t services;                         /* whose telemetry it has, by name */
    char names[FL_PROBE_NAMES][FL_PROBE_NAME]; /* the first of them, in order */
    int64_t back_ns; /* there is something this old; 0: nothing of the last hour */
    int64_t none_ns; /* and nothing this old; 0: as far as it was asked */
} fl_probed;

/* out[i] is of sources[i]. `now_ns` is our clock, by which ages are meant. FL_OK where sources
 * failed; FL_E_SYNTAX (a URL), FL_E_NOMEM. */
FL_NODISCARD fl_status fl_probe(fl_probed *out, const fl_source *sources, size_t count,
                                int64_t now_ns, fl_error *err);

#endif
