/*
 * leak_watch.c - rounds of requests to one program, one request at a time.
 *
 * A round asks for what costs the program little: heap (the last collection's, unless it is told to
 * collect first), goroutines grouped by stack, and expvar's memory statistics where it serves them.
 * Block and mutex profiles, which only add up, are asked for once, at the end. No profile that has
 * to be sampled over seconds is asked for.
 *
 * A round that fails is said and the watch goes on; several in a row end it, since a program that
 * does not answer is not helped by being asked more.
 */
#include "leak_watch.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "fetch.h"
#include "timestamp.h"

enum { MAX_FAILED_ROUNDS = 3 };

struct watching {
    const fl_leak_watch *watch;
    fl_leak_taker *taker;
    fl_fetch *fetch;
    fl_fetch_target target;
    bool has_vars;
    bool any; /* something was brought */
};

/* An answer of no use is said by who takes it; the round goes on. */
static fl_status take(struct watching *w, const char *name, fl_status fetched,
                      const fl_fetch_answer *answer, fl_error *why)
{
    fl_error own = {0};
    if (fetched != FL_OK)
        return fetched;
    assert(answer->body.ptr != NULL || answer->body.len == 0);
    w->any = true;
    fl_status status = fl_leak_take(w->taker, name, answer->body, answer->time_ns, &own);
    if (status == FL_E_NOMEM)
        return fl_fail(why, status, own.offset, "%s", own.message);
    return FL_OK;
}

static fl_status take_profile(struct watching *w, fl_fetch_profile profile, fl_error *why)
{
    char name[FL_FETCH_URL + 32];
    fl_fetch_answer answer = {0};
    const fl_fetch_ask ask = {.gc = w->watch->collect_first && profile == FL_FETCH_HEAP};
    if (!w->target.has[profile])
        return FL_OK;
    snprintf(name, sizeof(name), "%s%s", w->target.base, fl_fetch_profile_name(profile));
    fl_status status = fl_fetch_pprof(&answer, w->fetch, &w->target, profile, &ask, why);
    return take(w, name, status, &answer, why);
}

/* Many programs serve no expvar: they are asked once. */
static fl_status take_vars(struct watching *w, fl_error *why)
{
    fl_fetch_answer answer = {0};
    fl_error own = {0};
    assert(!w->has_vars || w->target.vars[0] != '\0');
    if (!w->has_vars)
        return FL_OK;
    fl_status status = fl_fetch_get(&answer, w->fetch, w->target.vars, &own);
    if (status == FL_OK)
        return take(w, w->target.vars, status, &answer, why);
    w->has_vars = false;
    if (status == FL_E_STOPPED || status == FL_E_NOMEM)
        *why = own;
    return status == FL_E_STOPPED || status == FL_E_NOMEM ? status : FL_OK;
}

/* Everything of one moment. The first failure ends the round. */
static fl_status ask_round(struct watching *w, fl_error *why)
{
    if (w->target.is_single) {
        fl_fetch_answer answer = {0};
        fl_status status = fl_fetch_get(&answer, w->fetch, w->target.base, why);
        return take(w, w->target.base, status, &answer, why);
    }
    fl_status status = take_profile(w, FL_FETCH_HEAP, why);
    if (status == FL_OK)
        status = take_profile(w, FL_FETCH_GOROUTINE, why);
    return status == FL_OK ? take_vars(w, why) : status;
}

/* What only adds up is worth one look. */
static fl_status ask_last(struct watching *w, fl_error *why)
{
    fl_status status = FL_OK;
    if (w->target.is_single)
        return FL_OK;
    status = take_profile(w, FL_FETCH_BLOCK, why);
    return status == FL_OK ? take_profile(w, FL_FETCH_MUTEX, why) : status;
}

/* What ends the watch at once, whatever was brought. */
static bool is_fatal(fl_status status)
{
    return status == FL_E_NOMEM || status == FL_E_STOPPED;
}

static bool is_stopped(const struct watching *w)
{
    return w->watch->stopped(w->watch->payload);
}

/* Until the time is up, the user stops it or the program answers no more. The rounds' beginnings
 * are `every_ns` apart however long a round takes; what is missed is not made up for. */
static fl_status ask_rounds(struct watching *w, fl_error *err)
{
    const fl_leak_watch *watch = w->watch;
    int64_t begin_ns = fl_time_monotonic(), due_ns = begin_ns;
    for (unsigned failed = 0;;) {
        fl_error why = {0};
        fl_status status = ask_round(w, &why);
        if (is_stopped(w))
            return FL_OK;
        if (is_fatal(status) || (status != FL_OK && !w->any))
            return fl_fail(err, status, why.offset, "%s", why.message);
        if (status != FL_OK)
            fl_leak_take_failure(w->taker, &why);
        failed = status != FL_OK ? failed + 1 : 0;
        int64_t now_ns = fl_time_monotonic();
        while (watch->every_ns > 0 && due_ns <= now_ns)
            due_ns += watch->every_ns;
        if (failed == MAX_FAILED_ROUNDS || watch->every_ns <= 0 ||
            due_ns - begin_ns > watch->watch_ns || !watch->wait(watch->payload, due_ns - now_ns))
            return FL_OK;
    }
}

fl_status fl_leak_watch_ask(void *payload, const char *address, fl_leak_taker *taker, fl_error *err)
{
    const fl_leak_watch *watch = payload;
    assert(watch != NULL && taker != NULL && watch->stopped != NULL && watch->wait != NULL);
    struct watching w = {.watch = watch, .taker = taker};
    fl_error why = {0};
    const fl_fetch_options options = {.should_stop = watch->stopped,
                                      .should_stop_of = watch->payload};
    fl_status status = fl_fetch_create(&w.fetch, &options, err);
    if (status != FL_OK)
        return status;
    status = fl_fetch_find(&w.target, w.fetch, address, err);
    w.has_vars = status == FL_OK && w.target.vars[0] != '\0';
    if (status == FL_OK)
        status = ask_rounds(&w, err);
    if (status == FL_OK && w.any && !is_stopped(&w)) {
        status = ask_last(&w, &why);
        if (is_fatal(status))
            (void)fl_fail(err, status, why.offset, "%s", why.message);
        else if (status != FL_OK)
            fl_leak_take_failure(taker, &why);
        status = is_fatal(status) ? status : FL_OK;
    }
    fl_fetch_cost cost = fl_fetch_total(w.fetch);
    fl_leak_take_cost(taker, cost.requests, cost.wire_bytes, cost.duration_ns);
    fl_fetch_destroy(w.fetch);
    return status;
}
