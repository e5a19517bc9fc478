/*
 * silent.c - services that fell silent. A service whose spans and lines end, though it had some in
 * window after window, leaves nothing of its own that could be tested; what is seen is its callers,
 * whose step to it no longer comes.
 *
 * That step is missing because nothing was recorded behind it, and says nothing of the caller.
 * Where the calls fail instead, the evidence is the silent service's: it does not answer. Where
 * they end as ever, only its telemetry is lost: missing data is no health, but no fault either, so
 * that what is missing keeps its place in the ranking below the gate.
 */
#include <assert.h>

#include "rank_priv.h"

/* Per service and window: whether anything was recorded of it. */
static fl_status find_seen(bool **out, struct rank *r, fl_error *err)
{
    const fl_timeline *t = r->timeline;
    bool *seen;
    fl_arena_reset(&r->scratch);
    fl_status status =
        FL_RANK_NEW(&r->scratch, seen, t->service_count * t->window_count, "windows", err);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < t->span_count; i++)
        seen[t->operations[t->spans[i].operation].service * t->window_count + t->spans[i].window] =
            true;
    for (size_t i = 0; i < t->log_series_count; i++)
        for (size_t w = 0; w < t->window_count; w++)
            if (t->logs[i].counts[w] > 0)
                seen[t->logs[i].service * t->window_count + w] = true;
    *out = seen;
    return FL_OK;
}

/* How many services a window tells of. */
static size_t count_seen(const fl_timeline *t, const bool *seen, uint32_t window)
{
    size_t count = 0;
    for (size_t i = 0; i < t->service_count; i++)
        count += seen[i * t->window_count + window];
    return count;
}

/* The end of the incident's windows that tell of at least half as many services as any baseline
 * window does: behind them little was recorded of anybody, which is no silence. */
static size_t told_windows(const struct rank *r, const bool *seen)
{
    const struct sides *sides = &r->traces;
    size_t most = 0, end = sides->incident_count;
    for (size_t i = 0; i < sides->baseline_count; i++) {
        size_t count = count_seen(r->timeline, seen, sides->baseline[i]);
        most = count > most ? count : most;
    }
    while (end > 0 && 2 * count_seen(r->timeline, seen, sides->incident[end - 1]) < most)
        end--;
    return end;
}

/* There as a rule, and then not to the end, by more than chance. */
static bool fell_silent(const struct sides *sides, const bool *seen, size_t end)
{
    size_t present = 0, missing = 0;
    assert(end <= sides->incident_count);
    for (size_t i = 0; i < sides->baseline_count; i++)
        present += seen[sides->baseline[i]];
    while (missing < end && !seen[sides->incident[end - 1 - missing]])
        missing++;
    return missing > 0 && present > 0 &&
           fl_lbf_vanished(present, sides->baseline_count - present, missing) > FL_LBF_REAL;
}

/* Per operation: the one service that it calls as a client; FL_NO_INDEX for none or several. */
static fl_status find_targets(struct rank *r, fl_error *err)
{
    const fl_streams *s = r->streams;
    const fl_timeline *t = r->timeline;
    bool *is_known;
    fl_status status = FL_RANK_NEW(r->arena, r->targets, t->operation_count, "operations", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(&r->scratch, is_known, t->operation_count, "operations", err);
    for (size_t op = 0; op < t->operation_count && status == FL_OK; op++)
        r->targets[op] = FL_NO_INDEX;
    for (size_t i = 0; i < s->call_count && status == FL_OK; i++) {
        uint32_t client = s->calls[i].client, service = t->operations[s->calls[i].server].service;
        bool same = !is_known[client] || r->targets[client] == service;
        r->targets[client] = same ? service : FL_NO_INDEX;
        is_known[client] = true;
    }
    return status;
}

fl_status fl_rank_find_silent(struct rank *r, fl_error *err)
{
    const fl_timeline *t = r->timeline;
    bool *seen = NULL;
    fl_status status = FL_RANK_NEW(r->arena, r->silent, t->service_count, "services", err);
    if (status == FL_OK)
        status = find_seen(&seen, r, err);
    size_t end = status == FL_OK ? told_windows(r, seen) : 0;
    for (size_t i = 0; i < t->service_count && status == FL_OK; i++)
        r->silent[i] = fell_silent(&r->traces, seen + i * t->window_count, end);
    return status == FL_OK ? find_targets(r, err) : status;
}

uint32_t fl_rank_silenced_by(const struct rank *r, uint32_t context)
{
    assert(context < r->streams->context_count);
    const fl_streams *s = r->streams;
    const fl_operation *operations = r->timeline->operations;
    if (!r->contexts[context].worse)
        return FL_NO_INDEX;
    uint32_t operation = s->contexts[context].operation, service = FL_NO_INDEX;
    fl_step lost = s->rows[r->contexts[context].lost].next;
    fl_step gain = s->rows[r->contexts[context].gain].next;
    if (fl_step_kind_of(lost) == FL_STEP_CALL) {
        /* The client's span is still there, or nobody called. */
        const fl_call *call = &s->calls[fl_step_index(lost)];
        if (gain == fl_step_of(FL_STEP_LOCAL, call->client))
            service = operations[call->server].service;
    } else if (fl_step_kind_of(lost) == FL_STEP_REMOTE)
        service = fl_step_index(lost) == FL_ANY_SERVER ? r->targets[operation]
                                                       : operations[fl_step_index(lost)].service;
    return service != FL_NO_INDEX && r->silent[service] ? service : FL_NO_INDEX;
}

fl_status fl_rank_add_silent(struct rank *r, fl_error *err)
{
    const fl_streams *s = r->streams;
    fl_status status = FL_OK;
    for (uint32_t service = 0; service < r->timeline->service_count && status == FL_OK; service++) {
        struct candidate c = {
            .service = service, .cause = FL_CAUSE_UNKNOWN, .locus = FL_LOCUS_OPERATION, .order = 2};
        for (uint32_t i = 0; i < s->context_count && r->silent[service]; i++) {
            if (fl_rank_silenced_by(r, i) != service || !fl_rank_calls_fail(r, i))
                continue;
            c.locus_name = fl_rank_operation_text(r, s->contexts[i].operation);
            c.score += r->contexts[i].test.lbf;
            fl_rank_add_part(&c, PART_CONTEXT, i, r->contexts[i].test.lbf);
        }
        if (c.part_count > 0)
            status = fl_rank_add(r, &c, err);
    }
    return status;
}
