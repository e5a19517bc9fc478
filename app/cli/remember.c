/*
 * remember.c - recall first, note then: an incident is not one of those before it.
 */
#include "remember.h"

#include <assert.h>

#include "report_memory.h"
#include "slice.h"

enum {
    FIRST_REMEMBERED = 3,        /* paths, fixes and incidents: a glance; 'graph paths' has all */
    MAX_MEMORY_BYTES = 64u << 20 /* far above what the limits of memory.h let a question take */
};

fl_status fl_remember(fl_buf *out, const fl_cli *cli, const fl_incident *incident, fl_store *store,
                      fl_error *err)
{
    assert(store != NULL && incident->id != NULL);
    fl_symptoms symptoms;
    fl_memory memory = {0};
    fl_learnt learnt;
    fl_arena arena = fl_arena_of(MAX_MEMORY_BYTES);
    const fl_lesson seen = {
        .incident = incident, .supports = true, .author = "faultline", .now_ns = cli->now_ns};
    const fl_memory_question question = {
        .symptoms = &symptoms,
        .self = fl_node_id(FL_NODE_INCIDENT, fl_slice_of(incident->id)),
        .now_ns = cli->now_ns};
    fl_status status = fl_symptoms_of(&symptoms, incident, cli->now_ns, &arena, err);
    if (status == FL_OK)
        status = fl_memory_recall(&memory, store, &question, &arena, err);
    if (status == FL_OK && memory.seen > 0) {
        fl_buf_char(out, '\n');
        status = fl_report_memory_text(out, &memory, FIRST_REMEMBERED, &cli->style, err);
    }
    if (status == FL_OK)
        status = fl_memory_learn(&learnt, store, &seen, &arena, err);
    fl_arena_dispose(&arena);
    return status;
}
