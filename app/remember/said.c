/*
 * said.c - words and numbers of people to nodes of the graph.
 */
#include "said.h"

#include <assert.h>
#include <string.h>

/* A cause "2" would be remembered as such, where the second hypothesis was meant. */
static fl_status refuse_number(const char *words, fl_error *err)
{
    if (words[0] == '\0' || words[strspn(words, "0123456789#")] != '\0')
        return FL_OK;
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                   "'%.20s' is no cause in words; a hypothesis is named as such, by its number",
                   words);
}

/* The cause in words, or that of a hypothesis. */
static fl_status name_cause(fl_graph_node *out, const fl_lesson *lesson, const fl_said *said,
                            fl_arena *arena, fl_error *err)
{
    const fl_incident *incident = lesson->incident;
    if (said->cause != NULL) {
        fl_status status = refuse_number(said->cause, err);
        return status != FL_OK
                   ? status
                   : fl_symptoms_said(out, FL_NODE_CAUSE, said->cause, lesson->now_ns, arena, err);
    }
    if (said->hypothesis == 0 || said->hypothesis > incident->hypothesis_count)
        return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET,
                       "incident %.64s has %zu hypotheses, and no number %llu", incident->id,
                       incident->hypothesis_count, (unsigned long long)said->hypothesis);
    return fl_symptoms_cause(out, &incident->hypotheses[said->hypothesis - 1], lesson->now_ns,
                             arena, err);
}

fl_status fl_said_name(fl_lesson *lesson, const fl_said *said, fl_arena *arena, fl_error *err)
{
    assert(lesson->incident != NULL && said != NULL);
    fl_graph_node *nodes = fl_arena_alloc(arena, 2, sizeof(*nodes));
    if (nodes == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for what was said");
    fl_status status = name_cause(&nodes[0], lesson, said, arena, err);
    lesson->cause = &nodes[0];
    if (status == FL_OK && said->fix != NULL) {
        status = fl_symptoms_said(&nodes[1], FL_NODE_FIX, said->fix, lesson->now_ns, arena, err);
        lesson->fix = &nodes[1];
    }
    return status;
}

fl_status fl_said_learn(fl_learnt *out, fl_store *store, const fl_lesson *lesson, fl_arena *arena,
                        fl_error *err)
{
    assert(lesson->cause != NULL);
    fl_status status = fl_memory_learn(out, store, lesson, arena, err);
    if (status == FL_OK && out->count == 0)
        status =
            fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET,
                    "incident %.64s shows no symptom beyond the gate: there is nothing to learn"
                    " from it",
                    lesson->incident->id);
    return status;
}
