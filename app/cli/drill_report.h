/*
 * drill_report.h - what a drill found, per system, as a table or as JSON.
 */
#ifndef FL_DRILL_REPORT_H
#define FL_DRILL_REPORT_H

#include "buf.h"
#include "drill_case.h"
#include "report.h"

enum { FL_DRILL_MAX_ABOVE = 5 };

/* A hypothesis that stood where the truth should have. Texts live as long as the outcome. */
typedef struct fl_drill_above {
    uint32_t rank;
    const char *service, *cause, *resource;
    double probability;
} fl_drill_above;

typedef struct fl_drill_outcome {
    const fl_drill_case *which;
    const char *failure; /* why there is no answer to count; NULL: there is one */
    bool is_counted;     /* the truth was readable: a case without an answer is a miss */
    fl_drill_answer truth;
    fl_drill_ranks ranks;
    int64_t time_ns;
    fl_drill_above above[FL_DRILL_MAX_ABOVE];
    size_t above_count, above_left; /* listed, and not listed */
} fl_drill_outcome;

typedef struct fl_drill_system {
    const char *name;
    fl_drill_tally tally;
    int64_t median_ns, worst_ns;
} fl_drill_system;

typedef struct fl_drill_result {
    const fl_drill_system *systems;
    size_t system_count;
    const fl_drill_outcome *outcomes;
    size_t outcome_count;
} fl_drill_result;

/* Not first by service, or not first by the finer cause where that is known. */
bool fl_drill_is_miss(const fl_drill_outcome *outcome);

/* Per system; `outcomes` are sorted by it. Results live in `arena`. */
FL_NODISCARD fl_status fl_drill_sum(fl_drill_result *out, fl_arena *arena,
                                    const fl_drill_outcome *outcomes, size_t count, fl_error *err);
FL_NODISCARD fl_status fl_drill_text(fl_buf *out, const fl_drill_result *result, bool verbose,
                                     const fl_report_style *style, fl_error *err);
FL_NODISCARD fl_status fl_drill_json(fl_buf *out, const fl_drill_result *result, fl_error *err);

#endif
