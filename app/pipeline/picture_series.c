/*
 * picture_series.c - metrics, log lines and times of spans as rows, and which evidence is about
 * them.
 *
 * A series and a piece of evidence belong together where the query is the same: both are made by
 * correlate/rank/queries.h. Queries are only made for services that a hypothesis is about, which
 * are few.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "picture_priv.h"
#include "queries.h"
#include "services.h"

/* ---- evidence ---- */

/* Topology, changes, profiles and memory have no series of their own here. */
static bool is_measured(const fl_evidence *evidence)
{
    return evidence->query != NULL &&
           (evidence->modality == FL_MODALITY_METRICS || evidence->modality == FL_MODALITY_LOGS ||
            evidence->modality == FL_MODALITY_TRACES);
}

/* In the order of the ranking, so that the first that a series is evidence of is the one it
 * shows. */
fl_status fl_picture_cite(struct picture *p, fl_error *err)
{
    const fl_incident *incident = p->in->incident;
    size_t most = incident->hypothesis_count < PICTURE_HYPOTHESES ? incident->hypothesis_count
                                                                  : PICTURE_HYPOTHESES;
    size_t capacity = 0;
    for (size_t h = 0; h < most; h++)
        capacity += incident->hypotheses[h].evidence_count;
    p->cited = fl_arena_alloc(&p->scratch, capacity + 1, sizeof(p->cited[0]));
    if (p->cited == NULL)
        return fl_picture_no_memory(err);
    for (size_t h = 0; h < most; h++) {
        const fl_hypothesis *hypothesis = &incident->hypotheses[h];
        uint32_t service = hypothesis->service != NULL
                               ? fl_service_find(p->timeline, fl_slice_of(hypothesis->service))
                               : FL_NO_INDEX;
        if (service != FL_NO_INDEX)
            p->is_suspect[service] = true;
        for (size_t e = 0; e < hypothesis->evidence_count; e++)
            if (is_measured(&hypothesis->evidence[e]))
                p->cited[p->cited_count++] =
                    (picture_cited){.hypothesis = hypothesis, .evidence = &hypothesis->evidence[e]};
    }
    return FL_OK;
}

/* The place of the first evidence with this query; FL_NO_INDEX: none has it. NULL is no query. */
static uint32_t cited_by(const struct picture *p, const char *query)
{
    for (size_t i = 0; i < p->cited_count && query != NULL; i++)
        if (strcmp(p->cited[i].evidence->query, query) == 0)
            return (uint32_t)i;
    return FL_NO_INDEX;
}

/* ---- rows ---- */

/* Back from ln(0.5 ms + x); NaN stays. */
static double to_ms(double log_value)
{
    return isnan(log_value) ? NAN : fmax(exp(log_value) - 0.5, 0);
}

/* Lines that were sampled away are counted back in. */
static void read_counts(struct picture *p, const double *counts)
{
    for (size_t w = 0; w < p->timeline->window_count; w++)
        p->row[w] = p->timeline->windows[w].has_logs ? counts[w] / p->out->logs_kept : NAN;
}

/* Streams are kept as logarithms; people read milliseconds. */
static void read_times(struct picture *p, const double *values)
{
    for (size_t w = 0; w < p->timeline->window_count; w++)
        p->row[w] = to_ms(values[w]);
}

/* Rows of entries are kept; the others are made in the one row that there is. */
picture_row fl_picture_row_of(struct picture *p, picture_source source, uint32_t index)
{
    const fl_timeline *t = p->timeline;
    picture_row row = {.values = p->row};
    assert(source != SOURCE_METRIC || index < t->metric_series_count);
    assert(source != SOURCE_LOG || index < t->log_series_count);
    assert(source != SOURCE_TIME || index < p->in->streams->value_count);
    switch (source) {
    case SOURCE_ENTRY:
        row.values = p->entries[index / PICTURE_ENTRY_ROWS].rows[index % PICTURE_ENTRY_ROWS];
        row.is_count = index % PICTURE_ENTRY_ROWS < 2;
        break;
    case SOURCE_METRIC:
        memcpy(p->row, t->metrics[index].values, t->window_count * sizeof(double));
        break;
    case SOURCE_LOG:
        row.is_count = true;
        read_counts(p, t->logs[index].counts);
        break;
    case SOURCE_TIME:
        read_times(p, p->in->streams->values[index].values);
        break;
    }
    return row;
}

/* ---- names ---- */

/* As the ranking calls it, or the queries would differ. */
static const char *operation_text(const fl_timeline *t, uint32_t operation)
{
    const char *name = t->operations[operation].name;
    return name != NULL ? name : "(only logs)";
}

/* The one that evidence about this series has. */
static const char *metric_query(struct picture *p, fl_arena *arena, uint32_t index)
{
    const fl_metric_series *series = &p->timeline->metrics[index];
    const fl_entity *entity = &p->timeline->entities[series->entity];
    return fl_query_metric(arena, series->name, p->timeline->services[entity->service],
                           entity->instance);
}

/* Likewise: calls by their two sides, times by their operation. */
static const char *time_query(struct picture *p, fl_arena *arena, uint32_t index)
{
    const fl_timeline *t = p->timeline;
    const fl_value_stream *stream = &p->in->streams->values[index];
    if (stream->kind == FL_STREAM_WIRE)
        return fl_query_calls(arena, t->services[stream->caller], t->services[stream->callee]);
    return fl_query_spans(arena, t->services[t->operations[stream->operation].service], "name",
                          operation_text(t, stream->operation));
}

/* NULL: no memory. */
static const char *query_of(struct picture *p, fl_arena *arena, picture_source source,
                            uint32_t index)
{
    if (source == SOURCE_METRIC)
        return metric_query(p, arena, index);
    if (source == SOURCE_TIME)
        return time_query(p, arena, index);
    const fl_log_series *lines = &p->timeline->logs[index];
    return fl_query_template(arena, p->timeline->services[lines->service],
                             &p->timeline->templates[lines->template_index]);
}

/* The name with all that tells it from its neighbours; totals of profiles are metrics by how they
 * came and profiles by what they are. */
static void name_metric(fl_lane *lane, struct picture *p, uint32_t index)
{
    const fl_metric_series *series = &p->timeline->metrics[index];
    bool has_statistic = series->statistic != NULL, has_attributes = series->attributes[0] != '\0';
    bool is_profile = strncmp(series->name, "profile.", strlen("profile.")) == 0;
    lane->kind = is_profile ? FL_PICTURE_PROFILE : FL_PICTURE_METRIC;
    lane->instance = p->timeline->entities[series->entity].instance;
    lane->unit = series->unit[0] != '\0' ? series->unit : NULL;
    lane->role = fl_role_name(series->role);
    lane->name = fl_arena_printf(p->arena, "%s%s%s%s%s%s", series->name, has_statistic ? " " : "",
                                 has_statistic ? series->statistic : "", has_attributes ? " {" : "",
                                 series->attributes, has_attributes ? "}" : "");
}

/* Its template, in which what varies is cut out. */
static void name_lines(fl_lane *lane, struct picture *p, uint32_t index)
{
    const fl_template *line = &p->timeline->templates[p->timeline->logs[index].template_index];
    lane->kind = FL_PICTURE_LOG;
    lane->unit = "1";
    lane->role = fl_role_name(line->is_error ? FL_ROLE_ERRORS : FL_ROLE_OTHER);
    lane->name = line->text;
}

/* An own time, or what passes between two services and is in neither. */
static void name_time(fl_lane *lane, struct picture *p, uint32_t index)
{
    const fl_timeline *t = p->timeline;
    const fl_value_stream *stream = &p->in->streams->values[index];
    bool is_wire = stream->kind == FL_STREAM_WIRE;
    lane->kind = FL_PICTURE_TRACE;
    lane->unit = "ms";
    lane->role = fl_role_name(is_wire ? FL_ROLE_NETWORK : FL_ROLE_LATENCY);
    lane->name = is_wire ? fl_arena_printf(p->arena, "%s -> %s, outside of both",
                                           t->services[stream->caller], t->services[stream->callee])
                         : fl_arena_printf(p->arena, "%s, without its callees",
                                           operation_text(t, stream->operation));
}

/* By where its row comes from. */
void fl_picture_name_series(fl_lane *lane, struct picture *p, const picture_candidate *c)
{
    assert(c->source != SOURCE_ENTRY);
    lane->service = p->timeline->services[c->service];
    lane->query = query_of(p, p->arena, c->source, c->index);
    if (c->source == SOURCE_METRIC)
        name_metric(lane, p, c->index);
    else if (c->source == SOURCE_LOG)
        name_lines(lane, p, c->index);
    else
        name_time(lane, p, c->index);
}

/* ---- all series ---- */

/* Evidence of another service than the series' own is about a call that both take part in. */
static bool may_be_cited(const struct picture *p, picture_source source, uint32_t index,
                         uint32_t service)
{
    const fl_value_stream *stream = source == SOURCE_TIME ? &p->in->streams->values[index] : NULL;
    bool is_wire = stream != NULL && stream->kind == FL_STREAM_WIRE;
    return p->is_suspect[service] ||
           (is_wire && (p->is_suspect[stream->caller] || p->is_suspect[stream->callee]));
}

/* Where no span tells what callers met, metrics of an entry service do. */
static bool is_entry_metric(const struct picture *p, uint32_t index, uint32_t service)
{
    fl_role role = p->timeline->metrics[index].role;
    bool is_told = role == FL_ROLE_TRAFFIC || role == FL_ROLE_ERRORS || role == FL_ROLE_LATENCY;
    return is_told && p->entry_count == 0 && fl_picture_is_entry(p, service);
}

/* Its query only where evidence may have it, its distance always. */
static fl_status consider(struct picture *p, picture_source source, uint32_t index,
                          uint32_t service, fl_error *err)
{
    picture_candidate c = {.source = source,
                           .index = index,
                           .service = service,
                           .cited = FL_NO_INDEX,
                           .is_entry =
                               source == SOURCE_METRIC && is_entry_metric(p, index, service),
                           .is_suspect = p->is_suspect[service]};
    if (p->cited_count > 0 && may_be_cited(p, source, index, service)) {
        fl_arena_reset(&p->texts);
        const char *query = query_of(p, &p->texts, source, index);
        c.cited = cited_by(p, query);
        if (query == NULL)
            return fl_picture_no_memory(err);
    }
    const picture_row row = fl_picture_row_of(p, source, index);
    c.deviations = fl_picture_deviations(p, &row);
    return fl_picture_add(p, &c, err);
}

/* Total times are left to the entries: an operation's own time says where they come from. */
fl_status fl_picture_find_series(struct picture *p, fl_error *err)
{
    const fl_timeline *t = p->timeline;
    const fl_streams *s = p->in->streams;
    fl_status status = FL_OK;
    for (uint32_t i = 0; i < t->metric_series_count && status == FL_OK; i++)
        status = consider(p, SOURCE_METRIC, i, t->entities[t->metrics[i].entity].service, err);
    for (uint32_t i = 0; i < t->log_series_count && status == FL_OK; i++)
        status = consider(p, SOURCE_LOG, i, t->logs[i].service, err);
    for (uint32_t i = 0; i < s->value_count && status == FL_OK; i++) {
        bool is_wire = s->values[i].kind == FL_STREAM_WIRE;
        if (s->values[i].kind == FL_STREAM_TOTAL)
            continue;
        status = consider(
            p, SOURCE_TIME, i,
            is_wire ? s->values[i].caller : t->operations[s->values[i].operation].service, err);
    }
    return status;
}
