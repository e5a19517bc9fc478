/*
 * timeline_build.h - the sink that turns records into the timeline.
 *
 * Late, duplicate and out-of-order records change nothing: rows are kept as they come, then sorted
 * by content and made distinct. Memory is bounded by the budgets of limits.h: over the budget,
 * spans and logs are sampled by a hash of their trace (a trace is kept whole or not at all; a log
 * without a trace by a hash of itself), and the share that was kept is told. The kept set depends
 * on what was read, not on its order.
 */
#ifndef FL_TIMELINE_BUILD_H
#define FL_TIMELINE_BUILD_H

#include "faultline/record.h"
#include "faultline/timeline.h"
#include "roles.h"

typedef struct fl_timeline_builder fl_timeline_builder;

/* How a log line gets its form: correlate/logs, handed in from above. `service` is a number that
 * stands for the line's service, the same one each time, in order of appearance. */
typedef struct fl_line_classifier {
    void *payload;
    fl_status (*classify)(uint32_t *form, void *payload, uint32_t service, fl_slice line,
                          int severity, fl_error *err);
} fl_line_classifier;

typedef struct fl_timeline_options {
    int64_t at_ns;
    int64_t window_ns; /* the incident is [at, at + window) */
    int64_t step_ns;   /* of one window; window_ns is a multiple of it */
    const fl_roles *roles;
    fl_line_classifier classifier;
} fl_timeline_options;

/* The forms as templates; template_of[form] is an index into them. */
typedef struct fl_template_list {
    const fl_template *templates;
    size_t count;
    const uint32_t *template_of;
} fl_template_list;

/* The caller owns *out; `options` is copied, what it points to is borrowed. */
FL_NODISCARD fl_status fl_timeline_create(fl_timeline_builder **out,
                                          const fl_timeline_options *options, fl_error *err);
void fl_timeline_destroy(fl_timeline_builder *builder); /* NULL is a no-op */

/* Where decoders push. Records of the incident's sources count as baseline before `at`; those of
 * the baseline's sources count as baseline wherever they are, and are left out within the incident:
 * what is said to be usual tells nothing of it. Alerts are the incident's alone. */
fl_sink fl_timeline_sink(fl_timeline_builder *builder, bool from_baseline);

/* Changes were asked for, though perhaps there were none: their absence then says something. */
void fl_timeline_expect_changes(fl_timeline_builder *builder);

/* Rejected records, and what was dropped because a budget was reached; for warnings. */
typedef struct fl_timeline_losses {
    uint64_t rejected;
    uint64_t over_budget; /* records not counted because names, windows or samples were too many */
    const char *const *first_rejects; /* at most 8 sentences with source, line and offset */
    size_t first_reject_count;
} fl_timeline_losses;
fl_timeline_losses fl_timeline_losses_of(const fl_timeline_builder *builder);

/* Build the arrays. `edges` are service names in pairs (caller, callee), given by the user; names
 * that nothing was heard of become services too. No records after it. *out lives as long as the
 * builder. */
FL_NODISCARD fl_status fl_timeline_finish(const fl_timeline **out, fl_timeline_builder *builder,
                                          const fl_template_list *templates,
                                          const char *const *edges, size_t edge_count,
                                          fl_error *err);

#endif
