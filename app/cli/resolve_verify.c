/*
 * resolve_verify.c - a triage of later telemetry whose ranking nobody reads: only the evidence of
 * the earlier answer is measured in it.
 */
#include "resolve_verify.h"

#include <assert.h>

#include "symptoms.h"
#include "terminal.h"

enum { MAX_VERIFY_BYTES = 1u << 20 };

/* The symptoms that have cleared, each once or more. */
static fl_status gather_cleared(fl_verification *v, const fl_incident *incident, int64_t now_ns,
                                fl_error *err)
{
    uint64_t *ids = fl_arena_alloc(&v->arena, incident->hypothesis_count + 1, sizeof(*ids));
    fl_status status = FL_OK;
    if (ids == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while measuring again");
    for (size_t i = 0; status == FL_OK && i < incident->hypothesis_count; i++) {
        fl_graph_node symptom;
        if (v->found.items[i].state != FL_RECHECK_CLEARED)
            continue;
        status = fl_symptoms_one(&symptom, &incident->hypotheses[i], now_ns, &v->arena, err);
        ids[v->cleared_count++] = symptom.id;
    }
    v->cleared = ids;
    return status;
}

/* The hypothesis that is meant; find_cause() has checked the number where no words name a cause. */
static fl_recheck_state verdict_of(const fl_verification *v, const fl_incident *incident,
                                   const fl_args *args)
{
    uint64_t number = fl_args_count(args, "hypothesis");
    assert(v->found.items != NULL);
    if (number == 0 || number > incident->hypothesis_count)
        return FL_RECHECK_NOT_SEEN;
    return v->found.items[number - 1].state;
}

fl_status fl_resolve_verify(fl_verification *out, fl_cli *cli, const fl_args *args,
                            const fl_incident *incident, fl_error *err)
{
    const char *paths[FL_MAX_GIVEN];
    fl_progress progress = fl_progress_begin(cli);
    const fl_triage_request request = {.otlp = paths,
                                       .otlp_count = fl_args_list(args, "verify", paths),
                                       .at_ns = fl_args_time(args, "after", cli->now_ns),
                                       .window_ns = fl_args_duration(args, "window"),
                                       .roles = fl_args_text(args, "roles"),
                                       .recheck = incident,
                                       .progress = fl_progress_show,
                                       .payload = &progress};
    *out = (fl_verification){.arena = fl_arena_of(MAX_VERIFY_BYTES)};
    fl_status status = FL_OK;
    if (request.at_ns <= incident->at_ns)
        status = fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                         "--after is not later than the incident: nothing was fixed by then");
    if (status == FL_OK)
        status = fl_triage_run(&out->triage, &request, err);
    fl_progress_end(&progress);
    if (status != FL_OK)
        return status;
    out->found.items = fl_triage_rechecked(out->triage);
    out->found.window = fl_triage_incident(out->triage)->window;
    out->found.verdict = verdict_of(out, incident, args);
    return gather_cleared(out, incident, cli->now_ns, err);
}

void fl_verification_dispose(fl_verification *verification)
{
    fl_triage_destroy(verification->triage);
    fl_arena_dispose(&verification->arena);
}
