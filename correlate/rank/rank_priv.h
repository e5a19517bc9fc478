/*
 * rank_priv.h - what the parts of the ranking share. Each part tests one kind of stream and adds
 * candidates; a candidate names its evidence by index, and explain.c turns that into sentences.
 */
#ifndef FL_RANK_PRIV_H
#define FL_RANK_PRIV_H

#include "lbf.h"
#include "rank.h"

enum { MAX_PARTS = 12 };

/* The windows that hold a modality. At most MAX_HISTORY of the baseline are used, the latest. */
enum { MAX_HISTORY = 30 };
struct sides {
    uint32_t *baseline, *incident; /* window numbers, rising */
    size_t baseline_count, incident_count;
};

struct context_result {
    fl_lbf_result test;
    uint32_t lost, gain; /* transitions that became rarer and more frequent */
    double lost_before, lost_after, gain_before, gain_after; /* counts */
    double total_before, total_after;
    bool worse;         /* a real change that is not a recovery */
    double excused_lbf; /* what it was before changes below were taken out; 0: nothing was */
};

struct value_result {
    fl_lbf_shift test;
};

struct metric_result {
    fl_lbf_shift test;    /* of the transformed values */
    double before, after; /* as they were measured */
    uint32_t window;      /* of `after`, for a service */
    bool is_evidence;     /* a saturation role whose bad direction is known */
};

enum part_kind {
    PART_CONTEXT,
    PART_VALUE,
    PART_METRIC,
    PART_SERVICE,
    PART_LINES,
    PART_EDGE_GONE,
    PART_CHANGE,
    PART_FINDING,
    PART_ALERT
};
struct evidence_part {
    enum part_kind kind;
    uint32_t index;
    double weight; /* nats it adds */
};

/* What is known of a change, besides that it happened. */
struct change_result {
    uint32_t service;         /* whose hypothesis it carries, FL_NO_INDEX: nobody's */
    uint32_t candidate;       /* that hypothesis, while they are not in their last order */
    double weight;            /* nats */
    int64_t lag_ns;           /* from the change to the onset */
    size_t others;            /* earlier ones with the same scope */
    double usual_ns;          /* between two of these */
    size_t harmless, harmful; /* earlier ones of the kind, as far as telemetry follows them */
};

struct candidate {
    uint32_t service;
    fl_cause cause;
    fl_resource_kind resource;
    fl_locus_kind locus;
    const char *locus_name, *before, *after;
    double score;
    double probability;  /* where the test tells it directly; 0: from the scores */
    int order;           /* of equal scores of one service: the finer kind first */
    fl_range span;       /* when it differed from the baseline */
    double timely_score; /* what it would be if it had begun in time */
    bool is_untimely;    /* began after the incident had, or was over before it */
    struct evidence_part parts[MAX_PARTS];
    size_t part_count;
};

struct rank {
    const fl_streams *streams;
    const fl_timeline *timeline;
    const fl_rank_question *question;
    int64_t lead_ns; /* the incident may have begun that long before its stated time */
    fl_arena *arena;
    fl_arena scratch; /* reset by each test */
    struct sides traces, metrics;
    uint32_t *kept; /* per context: the baseline windows that fit, a bit each; 0: not known. The
                       same whatever the lead, which only moves windows that are nobody's */
    bool *silent;   /* per service: it fell silent */
    uint32_t
        *targets; /* per operation: the one service that it calls as a client, or FL_NO_INDEX */
    struct context_result *contexts;
    struct value_result *values;
    struct metric_result *metric_results;
    fl_lbf_shift *lines;           /* per log series */
    struct change_result *changes; /* per change */
    uint32_t *explained; /* per service: the metric that its callees explain; NULL: not asked */
    uint32_t *network;   /* per service: the candidate that its network is, or FL_NO_INDEX */
    uint32_t *shown;     /* per service: itself, or the service of which it is a view */
    double *waits;       /* per service: nats for "what it calls takes longer"; NaN: not measured */
    struct candidate *candidates;
    size_t candidate_count, candidate_max;
};

/* transitions.c: tests every context, excuses what came from below, adds code regions and callees
 * whose responses broke. */
fl_status fl_rank_transitions(struct rank *r, fl_error *err);
/* Whether what came instead in a changed context is an error. */
bool fl_rank_calls_fail(const struct rank *r, uint32_t context);
/* silent.c: before all others, services that fell silent; then, of a changed context whose lost
 * step led to one, that service (FL_NO_INDEX: none); then the candidates that calls into them make.
 */
fl_status fl_rank_find_silent(struct rank *r, fl_error *err);
uint32_t fl_rank_silenced_by(const struct rank *r, uint32_t context);
fl_status fl_rank_add_silent(struct rank *r, fl_error *err);
/* durations: self times, wires and calls that vanished. */
fl_status fl_rank_values(struct rank *r, fl_error *err);
fl_status fl_rank_network(struct rank *r, fl_error *err);
/* resources.c: saturation metrics. After the values and the network, which it adds up with. */
fl_status fl_rank_resources(struct rank *r, fl_error *err);
/* The median of a metric's values in some windows; NaN: none. */
double fl_rank_median(struct rank *r, uint32_t metric, const uint32_t *windows, size_t count);
/* lines.c: error lines of services whose lines name no span. */
fl_status fl_rank_lines(struct rank *r, fl_error *err);
/* latency.c: services of which nothing runs and whose latency is another's, as a gateway or a
 * prober reports it. What they say is said of that one. */
fl_status fl_rank_find_views(struct rank *r, fl_error *err);
/* Of what a service calls, not of itself. */
bool fl_rank_is_client_side(const fl_metric_series *series);
/* In (0, 1), or FL_RANK_MEAN; NaN where the series does not tell. */
#define FL_RANK_MEAN 0.0
double fl_rank_quantile(const fl_metric_series *series);
/* The series of a role by which a service is measured; FL_NO_INDEX: none. */
uint32_t fl_rank_choose_series(const struct rank *r, uint32_t service, fl_role role);
/* A traffic series' value as requests in one window. */
double fl_rank_requests(const struct rank *r, const fl_metric_series *series, double value);
/* services.c: latency, errors and traffic of services along the call graph, where there are no
 * spans. */
fl_status fl_rank_services(struct rank *r, fl_error *err);
/* changes.c: changes that precede what they may explain. After all others, before the order. */
fl_status fl_rank_changes(struct rank *r, fl_error *err);
/* What a change was, in the arena: "deploy 1.4.2 -> 1.5.0"; NULL for want of memory. */
const char *fl_rank_change_text(struct rank *r, uint32_t change);
/* The evidence that it is. */
void fl_rank_explain_change(fl_evidence *out, struct rank *r, uint32_t change);
/* Why a change of `service` just before or after the onset is not the cause; NULL: there is none.
 * For services without a cause of their own. */
const char *fl_rank_innocent_change(struct rank *r, uint32_t service, int64_t onset_ns);
/* findings.c: what profiles found goes to the hypothesis that it explains, or is one. After all
 * that add candidates, before their order. */
fl_status fl_rank_findings(struct rank *r, fl_error *err);
/* The evidence that one is. */
void fl_rank_explain_finding(fl_evidence *out, struct rank *r, uint32_t finding);
/* alerts.c: rules that fired, for those hypotheses beyond the gate that explain them. After the
 * changes. */
fl_status fl_rank_alerts(struct rank *r, fl_error *err);
/* The evidence that one is. */
void fl_rank_explain_alert(fl_evidence *out, struct rank *r, const struct candidate *c,
                           uint32_t alert);
/* merge.c: of the sorted candidates those that tell of one cause become one. */
void fl_rank_merge(struct rank *r);
/* doubts.c: measurements that do not fit become parts with a negative weight, which are not in the
 * score. */
void fl_rank_doubt(struct candidate *c, const struct rank *r);
/* What speaks against without a measurement: at most so many items, appended. */
enum { FL_RANK_UNMEASURED = 2 };
fl_status fl_rank_unmeasured(fl_evidence *out, size_t *count, struct rank *r,
                             const struct candidate *c, fl_error *err);
/* Why a service without a cause of its own is none though it looks bad; NULL: it does not. */
const char *fl_rank_why_late(struct rank *r, uint32_t service);
const char *fl_rank_why_shared(struct rank *r, uint32_t service);
/* onset.c: when each of the first `count` sorted candidates began; all 0 for those that are not
 * beyond the gate or too far down to be shown. */
fl_status fl_rank_onsets(fl_onset *out, size_t count, struct rank *r, fl_error *err);
/* clients.c: calls that take longer on the way, as callers' metrics show, where there are no spans.
 */
fl_status fl_rank_clients(struct rank *r, fl_error *err);
/* traffic.c: services that call others less than they used to, where there are no spans. */
fl_status fl_rank_traffic(struct rank *r, fl_error *err);
/* explain.c: the sorted candidates as hypotheses. */
fl_status fl_rank_explain(fl_incident *out, struct rank *r, fl_error *err);

/* P(first hypothesis is right) = sigmoid(A + B (S - ln services) + C (S - max(S2, gate))): S and S2
 * the scores of the best two services. That nothing is wrong competes as well, at the gate. Chosen
 * on labelled incidents and healthy minutes of three systems; docs/correlation.md says how, and
 * what it is worth. */
#define FIT_CONSTANT (-4.8)
#define FIT_SCORE    0.1
#define FIT_MARGIN   1.5
/* Equal scores are equally probable. What they leave is shared by the others as their scores say,
 * but for what speaks for no cause at all: none is likelier than the first. */
void fl_rank_spread_probability(fl_hypothesis *all, size_t count, double first);
/* Heaviest first. */
void fl_rank_sort_evidence(fl_evidence *all, size_t count);

/* Of the sorted candidates: the best score of another service than the first one's; 0: none. */
double fl_rank_second_score(const struct rank *r);
/* That the first candidate is right; 0 where there is none. */
double fl_rank_first_probability(const struct rank *r);
/* A score that is explained away: one beyond the gate falls below it, keeping its order there; any
 * other stays as it is. */
double fl_rank_below_gate(double score);
/* Append; a candidate that is no evidence (score <= 0) is dropped. */
fl_status fl_rank_add(struct rank *r, const struct candidate *candidate, fl_error *err);
void fl_rank_add_part(struct candidate *c, enum part_kind kind, uint32_t index, double weight);
/* The windows in which a part differs from the baseline. */
fl_range fl_rank_span(const struct rank *r, const struct evidence_part *part);
/* A step as a person would write it, in the arena. */
const char *fl_rank_step_text(struct rank *r, uint32_t operation, fl_step step);
const char *fl_rank_operation_text(const struct rank *r, uint32_t operation);
/* heads.c: how the sentence about a stream begins, in the arena; "" for want of memory. */
const char *fl_rank_head(struct rank *r, enum part_kind kind, uint32_t index);
/* values[w] of each window of a side. */
double *fl_rank_pick(struct rank *r, const double *values, const uint32_t *windows, size_t count);
/* The strongest series of a role of a service that was tested; FL_NO_INDEX: none. */
uint32_t fl_rank_strongest(const struct rank *r, uint32_t service, fl_role role);
/* The best self-time result of a service: index into streams->values or FL_NO_INDEX. */
uint32_t fl_rank_slowest(const struct rank *r, uint32_t service);

#define FL_RANK_NEW(arena, out, count, what, err)                                                  \
    (((out) = fl_arena_alloc((arena), (count), sizeof(*(out)))) != NULL                            \
         ? FL_OK                                                                                   \
         : fl_fail((err), FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu %s", (size_t)(count),       \
                   what))

#endif
