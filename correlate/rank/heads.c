/*
 * heads.c - how a sentence of evidence begins: what was measured, before the figures.
 *
 * The head says which stream it is, and nothing else: the sentence of an earlier answer is found
 * again among the streams of later telemetry by it (recheck.c). Names of numbers and indices, which
 * differ from run to run, are not in it.
 */
#include <assert.h>

#include "rank_priv.h"

enum { MAX_TEXT = 160 };

const char *fl_rank_operation_text(const struct rank *r, uint32_t operation)
{
    const char *name = r->timeline->operations[operation].name;
    return name != NULL ? name : "(only logs)";
}

const char *fl_rank_step_text(struct rank *r, uint32_t operation, fl_step step)
{
    const fl_timeline *t = r->timeline;
    uint32_t index = fl_step_index(step);
    const char *text = NULL;
    switch (fl_step_kind_of(step)) {
    case FL_STEP_START:
        text = fl_arena_printf(r->arena, "the start of %s", fl_rank_operation_text(r, operation));
        break;
    case FL_STEP_END:
        text = "its end";
        break;
    case FL_STEP_END_ERROR:
        text = "its end with an error";
        break;
    case FL_STEP_LOG:
        text = fl_arena_printf(r->arena, "\"%.*s\"", MAX_TEXT, t->templates[index].text);
        break;
    case FL_STEP_LOCAL:
        text = fl_arena_printf(r->arena, "the step %s", fl_rank_operation_text(r, index));
        break;
    case FL_STEP_REMOTE:
        if (index == FL_ANY_SERVER)
            return "an answer from another service";
        text = fl_arena_printf(r->arena, "the call to %s of %s", fl_rank_operation_text(r, index),
                               t->services[t->operations[index].service]);
        break;
    case FL_STEP_CALL:
        index = r->streams->calls[index].server;
        text = fl_arena_printf(r->arena, "the call to %s of %s", fl_rank_operation_text(r, index),
                               t->services[t->operations[index].service]);
        break;
    }
    return text != NULL ? text : "";
}

/* The wire between two services, or an operation's own time. */
static const char *value_head(struct rank *r, uint32_t index)
{
    const fl_timeline *t = r->timeline;
    const fl_value_stream *stream = &r->streams->values[index];
    if (stream->kind == FL_STREAM_WIRE)
        return fl_arena_printf(r->arena, "calls from %s to %s spend ", t->services[stream->caller],
                               t->services[stream->callee]);
    return fl_arena_printf(r->arena, "%s of %s takes ",
                           fl_rank_operation_text(r, stream->operation),
                           t->services[t->operations[stream->operation].service]);
}

/* Of an instance where one is told. */
static const char *metric_head(struct rank *r, uint32_t index)
{
    const fl_metric_series *series = &r->timeline->metrics[index];
    const fl_entity *entity = &r->timeline->entities[series->entity];
    return fl_arena_printf(
        r->arena, "%s%s%s of %s is ", series->name, series->statistic != NULL ? " " : "",
        series->statistic != NULL ? series->statistic : "",
        entity->instance != NULL ? entity->instance : r->timeline->services[entity->service]);
}

const char *fl_rank_head(struct rank *r, enum part_kind kind, uint32_t index)
{
    assert(kind == PART_VALUE || kind == PART_METRIC || kind == PART_LINES ||
           kind == PART_EDGE_GONE);
    const fl_timeline *t = r->timeline;
    const char *head = NULL;
    if (kind == PART_VALUE)
        head = value_head(r, index);
    else if (kind == PART_METRIC)
        head = metric_head(r, index);
    else if (kind == PART_LINES)
        head = fl_arena_printf(r->arena, "%s logs \"%.*s\" ", t->services[t->logs[index].service],
                               MAX_TEXT, t->templates[t->logs[index].template_index].text);
    else
        head = fl_arena_printf(r->arena, "%s no longer calls %s ",
                               t->services[r->streams->values[index].caller],
                               t->services[r->streams->values[index].callee]);
    return head != NULL ? head : "";
}
