/*
 * timeline_priv.h - what the builder's parts share. While records come in, names are symbols and
 * numbers in order of appearance; finishing sorts them by their text and renumbers everything.
 */
#ifndef FL_TIMELINE_PRIV_H
#define FL_TIMELINE_PRIV_H

#include "arena.h"
#include "buf.h"
#include "intern.h"
#include "map.h"
#include "sampler.h"
#include "timeline_build.h"

enum { MAX_FIRST_REJECTS = 8 };

struct raw_entity {
    fl_sym service, instance, node; /* symbol of "" where not known */
};

struct raw_operation {
    fl_sym service, name;
};

/* A value that a service has of something that stays the same until it is changed: its version, a
 * flag's variant. What is seen for the first time after another value is a change. */
struct raw_state {
    fl_sym service, key, value; /* key is that of the attribute, or of the flag */
    fl_change_kind kind;
    int64_t first_ns, last_ns; /* when it was seen */
};

/* Handles of resources with a version: entity and state. Those without are the entity's number. */
struct raw_handle {
    uint32_t entity, state;
};

struct raw_change {
    int64_t time_ns;
    fl_change_kind kind;
    fl_sym service; /* FL_NO_INDEX: everything */
    fl_sym key, before, after, source, url;
};

/* An alert that was told; or a stretch of samples of one, of which there may be several. */
struct raw_alert {
    uint64_t key;
    int64_t from_ns, to_ns;                  /* to 0: no end was told */
    fl_sym name, severity, summary, service; /* "" where not known */
    bool is_sampled;
};

/* What the lines of a form throw, and where. Where they differ the first by text counts. */
struct raw_thrown {
    uint32_t form;
    fl_sym type, frame;
};

struct raw_log {
    uint64_t trace, span;
    int64_t time_ns;
    uint64_t content; /* stable hash of line and service: tells duplicates apart from repeats */
    uint32_t form, entity, window;
    uint32_t severity;
};

/* One example line per (service, form) of the incident, one of the baseline: that of the first
 * record by its sampling key, which stays as long as any of them does, then by content. */
struct raw_example {
    uint64_t key, content;
    bool is_set, in_incident;
    unsigned char *text;
    size_t len, capacity;
};

/* Which number of a data point a series holds. */
enum part {
    PART_VALUE,    /* as it is */
    PART_QUANTILE, /* as it is; param is the quantile */
    PART_TOTAL,    /* a counter since the process began */
    PART_CHANGE,   /* a counter's change since the last point */
    PART_COUNT_TOTAL,
    PART_COUNT_CHANGE,
    PART_SUM_TOTAL,
    PART_SUM_CHANGE,
    PART_BUCKET_TOTAL, /* param is the upper bound */
    PART_BUCKET_CHANGE,
    PART_BELOW_TOTAL /* all up to the bound `param` */
};

static inline bool fl_tl_is_change(enum part part)
{
    return part == PART_CHANGE || part == PART_COUNT_CHANGE || part == PART_SUM_CHANGE ||
           part == PART_BUCKET_CHANGE;
}

struct raw_series {
    uint32_t entity;
    fl_sym name, unit, attributes;
    enum part part;
    uint32_t metric; /* index into metrics */
    uint32_t key;    /* of the label set, for sampling */
    double param;
};

struct raw_metric {
    uint32_t series_count;
    unsigned halvings; /* how many bits of its series' keys must be zero */
};

struct raw_sample {
    uint32_t series;
    union {
        uint32_t key;    /* of the series' sampling, while samples come in */
        uint32_t window; /* when settled */
    };
    int64_t time_ns;
    double value;
};

/* Stable state of one sink: the incident's or the baseline's. */
struct source {
    fl_timeline_builder *builder;
    bool is_baseline;
};

/* What a record throws; borrowed from it, and the frame from the builder. */
struct thrown {
    fl_slice type, message, frame;
    fl_slice location; /* "file:line" of the frame */
};

struct fl_timeline_builder {
    fl_timeline_options options;
    struct source sources[2];

    fl_intern *names;
    fl_sym no_name;     /* "" */
    fl_map *thrown_ids; /* by form */
    struct raw_thrown *thrown;
    size_t thrown_count;
    fl_map *state_ids, *handle_ids;
    struct raw_state *states;
    struct raw_handle *handles;
    struct raw_change *changes;
    struct raw_alert *alerts;
    size_t alert_count;
    fl_map *alert_ids; /* by key; of a sampled one, to its last stretch */
    size_t state_count, handle_count, change_count;
    bool has_changes; /* a version, a flag or a file of events was there, whatever it said */
    fl_map *entity_ids, *operation_ids, *series_ids, *metric_ids, *example_ids;
    struct raw_entity *entities;
    struct raw_operation *operations;
    struct raw_series *series;
    struct raw_metric *metrics;
    struct raw_example *examples;
    size_t entity_count, operation_count, series_count, metric_count, example_count;

    /* Steps are counted from `at`. The map holds those that were seen, no farther than
     * max_distance; when finished, the number of each one's window. */
    fl_map *steps;
    uint64_t max_distance;
    int64_t last_step; /* most records fall where the last one fell */
    size_t window_count;

    fl_sampler spans; /* fl_span_row with raw numbers */
    fl_sampler logs;  /* raw_log */
    struct raw_sample *samples;
    size_t sample_count, sample_capacity;
    unsigned sample_level; /* how much of the samples is kept: samples.c */

    const struct thrown *throws; /* by the line at hand; NULL: nothing */
    fl_buf frame;                /* "file:line function" of a stack trace */
    fl_buf line;                 /* a log line with its location or exception put in front */
    fl_arena text;               /* rejects, examples */
    uint64_t rejected, over_budget;
    const char *first_rejects[MAX_FIRST_REJECTS];
    size_t first_reject_count;

    fl_arena arena;            /* the finished timeline */
    fl_window *sorted_windows; /* timeline.windows, while it is being filled */
    fl_timeline timeline;
};

/* names.c: symbols and numbers. FL_OK with *out = FL_NO_INDEX where a budget is reached, which the
 * caller counts as over_budget; an error only for want of memory. */
fl_status fl_tl_name(fl_sym *out, fl_timeline_builder *b, fl_slice text, fl_error *err);
fl_status fl_tl_entity(uint32_t *out, fl_timeline_builder *b, const fl_resource *resource,
                       fl_error *err);
fl_status fl_tl_operation(uint32_t *out, fl_timeline_builder *b, uint32_t entity, fl_slice name,
                          fl_error *err);
/* Note when a record is of; false in *wanted where that is outside of what is compared. */
fl_status fl_tl_note_time(bool *wanted, const struct source *source, int64_t time_ns,
                          fl_error *err);
bool fl_tl_is_incident(const fl_timeline_builder *b, int64_t time_ns);
/* How far a moment's step is from the incident's first: 0, before it 1, after it 2, 3, 4 ... */
uint64_t fl_tl_distance(const fl_timeline_builder *b, int64_t time_ns);
/* When all were noted: keep the nearest FL_MAX_WINDOWS steps, sorted and numbered. */
fl_status fl_tl_settle_steps(int64_t **sorted, fl_timeline_builder *b, fl_error *err);
/* Then: the window of a moment, or FL_NO_INDEX, counted as over the budget. */
uint32_t fl_tl_window(fl_timeline_builder *b, int64_t time_ns);
/* The start of a UTF-8 text, at most `max` bytes. */
fl_slice fl_tl_cut(fl_slice text, size_t max);
/* Room for one more item of `size` at the end of *items, doubling. */
fl_status fl_tl_grow(void **items, size_t count, size_t size, fl_error *err);
uint64_t fl_tl_trace_hash(fl_trace_id trace);

/* changes.c: the handle of a resource whose entity is known; then the entity that a record's handle
 * stands for, noting that its version was there. */
fl_status fl_tl_handle(uint32_t *out, fl_timeline_builder *b, uint32_t entity,
                       const fl_resource *resource, fl_error *err);
uint32_t fl_tl_entity_of(fl_timeline_builder *b, uint32_t handle, int64_t time_ns);
/* What the attributes of a log record or a span event say of changes. */
fl_status fl_tl_note_changes(fl_timeline_builder *b, uint32_t entity, const fl_attrs *attrs,
                             int64_t time_ns, fl_error *err);
fl_status fl_tl_push_change(void *source, const fl_change_record *change, fl_error *err);
/* alerts.c: a record; and a sample of a series that tells of alerts, whose key is of its label set.
 */
fl_status fl_tl_push_alert(void *source, const fl_alert_record *alert, fl_error *err);
bool fl_tl_is_alert_series(const fl_point *point);
fl_status fl_tl_push_alert_point(const struct source *source, uint32_t entity, uint64_t key,
                                 const fl_point *point, fl_error *err);
/* spans.c, logs.c, points.c: the sink's parts. */
fl_status fl_tl_push_span(void *source, uint32_t entity, const fl_span *span, fl_error *err);
fl_status fl_tl_push_log(void *source, uint32_t entity, const fl_log *log, fl_error *err);
fl_status fl_tl_push_point(void *source, uint32_t entity, const fl_point *point, fl_error *err);
/* exceptions.c: what a record throws, out of its attributes; false where it throws nothing. The
 * frame is spelled in b->frame. */
bool fl_tl_thrown_of(struct thrown *out, fl_timeline_builder *b, const fl_attrs *attrs);
/* Keep it with the form of its line. */
fl_status fl_tl_note_thrown(fl_timeline_builder *b, uint32_t form, const struct thrown *thrown,
                            fl_error *err);
/* A line, of a log record or of a span event; with b->throws, what it throws. */
fl_status fl_tl_add_line(const struct source *source, uint32_t entity, const fl_log *log,
                         fl_slice line, fl_error *err);
int fl_tl_compare_spans(const void *a, const void *b);
extern const fl_row_order fl_tl_span_order;
uint64_t fl_tl_span_key(const void *row);
extern const fl_row_order fl_tl_log_order;
uint64_t fl_tl_log_key(const void *row);
/* Where an example is found; forms stay below 2^31. */
static inline uint64_t fl_tl_example_id(fl_sym service, uint32_t form, bool in_incident)
{
    return (uint64_t)service << 32 | (uint64_t)form << 1 | !in_incident;
}
/* series.c: FL_NO_INDEX where a budget is reached. */
fl_status fl_tl_metric(uint32_t *out, fl_timeline_builder *b, fl_sym name, fl_error *err);
bool fl_tl_wants_series(const fl_timeline_builder *b, uint32_t metric, uint32_t key);
fl_status fl_tl_series(uint32_t *out, fl_timeline_builder *b, const struct raw_series *series,
                       fl_error *err);
/* samples.c: the samples of all series, distinct and within their budget. */
bool fl_tl_wants_sample(const fl_timeline_builder *b, uint32_t key, int64_t time_ns);
fl_status fl_tl_add_sample(fl_timeline_builder *b, const struct raw_sample *sample, fl_error *err);
void fl_tl_settle_samples(fl_timeline_builder *b);
/* The share of the series that is kept. */
double fl_tl_sample_share(const fl_timeline_builder *b);

/* finish_*.c: symbols to sorted arrays. `rank` arrays map a raw number to its sorted one. */
struct ranks {
    uint32_t *service; /* by symbol */
    uint32_t *entity, *operation;
    const char **text; /* by symbol: NUL-terminated */
};
fl_status fl_tl_finish_names(fl_timeline_builder *b, struct ranks *ranks, const char *const *edges,
                             size_t edge_count, fl_error *err);
fl_status fl_tl_finish_spans(fl_timeline_builder *b, const struct ranks *ranks,
                             const fl_template_list *templates, fl_error *err);
/* clocks.c: whose clock differs, out of the linked spans, into timeline.clocks. */
fl_status fl_tl_find_clocks(fl_timeline_builder *b, fl_error *err);
/* Then put the times of spans and lines right; rows and lines have to be linked again. */
fl_status fl_tl_set_clocks(fl_timeline_builder *b, fl_error *err);
fl_status fl_tl_finish_logs(fl_timeline_builder *b, const struct ranks *ranks,
                            const fl_template_list *templates, fl_error *err);
/* The templates with what their lines throw, in the timeline's arena. */
fl_status fl_tl_finish_thrown(fl_timeline_builder *b, const struct ranks *ranks,
                              const fl_template_list *templates, fl_error *err);
/* edges.c: who calls whom as the finished metrics tell it, where nobody said it. */
fl_status fl_tl_finish_edges(fl_timeline_builder *b, fl_error *err);
/* Sort, and keep one of each; how many are left. */
size_t fl_tl_distinct_edges(fl_topology_edge *edges, size_t count);
fl_status fl_tl_finish_alerts(fl_timeline_builder *b, const struct ranks *ranks, fl_error *err);
fl_status fl_tl_finish_changes(fl_timeline_builder *b, const struct ranks *ranks, fl_error *err);
fl_status fl_tl_finish_metrics(fl_timeline_builder *b, const struct ranks *ranks, fl_error *err);

/* Allocate from the timeline's arena or say what for. */
#define FL_TL_NEW(b, out, count, what, err)                                                        \
    (((out) = fl_arena_alloc(&(b)->arena, (count), sizeof(*(out)))) != NULL                        \
         ? FL_OK                                                                                   \
         : fl_fail((err), FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu %s", (size_t)(count),       \
                   what))

#endif
