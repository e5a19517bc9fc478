/*
 * watch.c - the rings, and what falls into them.
 *
 * Invariants:
 *   (1) a service's number is the symbol of its name, and the handle of its resources;
 *   (2) cell s % WATCH_STEPS of a ring holds step s of (head_step - WATCH_STEPS, head_step].
 *
 * Cost: a span is a look at its service's operations and at two maps; a look of all entry services
 * reads their rings once.
 */
#include "watch.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "hash.h"
#include "map.h"
#include "mem.h"
#include "slice.h"
#include "watch_priv.h"

static const int64_t default_lateness_ns = INT64_C(20) * 1000000000;
static const int64_t turn_ns = INT64_C(30) * 1000000000;         /* a span exporter's timeout */
static const int64_t call_age_ns = INT64_C(7200) * 1000000000;   /* a call not seen since is gone */
static const int64_t ns_per_week = INT64_C(604800) * 1000000000; /* of the false alarms */

enum { MAX_NAME_BYTES = 1 << 20, MAX_CALLS = 1 << 14, SCRATCH_BYTES = 1 << 20 };
#define FADE        0.97 /* of what is known of an entry, a turn: half is a quarter of an hour old */
#define ENTRY_SHARE 0.1  /* of a service's requests come from outside, at least */
#define ENTRY_LEAST 10   /* requests that were looked at */

bool fl_watch_is_entry(const watch_service *service)
{
    if (service->is_named != FL_ENTRY_FOUND)
        return service->is_named == FL_ENTRY_NAMED;
    double all = service->entered + service->inner;
    if (service->is_by_metrics) /* nothing says who calls it */
        return all < ENTRY_LEAST;
    return all >= ENTRY_LEAST && service->entered >= ENTRY_SHARE * all;
}

/* ---- records ---- */

/* Entries by name are those that were named, and no other. */
static watch_entry named(const fl_watch *watch, fl_slice name)
{
    if (watch->options.entry_count == 0)
        return FL_ENTRY_FOUND;
    for (size_t i = 0; i < watch->options.entry_count; i++)
        if (fl_slice_equal(fl_slice_of(watch->entries[i]), name))
            return FL_ENTRY_NAMED;
    return FL_ENTRY_NOT;
}

fl_status fl_watch_service(uint32_t *out, fl_watch *watch, fl_slice service_name, fl_error *err)
{
    fl_sym name;
    *out = FL_NO_SERVICE;
    if (!fl_intern_find(&name, watch->names, service_name)) {
        if (watch->service_count == FL_MAX_WATCHED_SERVICES)
            return FL_OK;
        fl_status status = fl_intern_put(&name, watch->names, service_name, NULL);
        if (status == FL_E_NOMEM)
            return fl_fail(err, status, FL_NO_OFFSET, "no memory for a service's name");
        if (status != FL_OK)
            return FL_OK;
        assert(name == watch->service_count);
        watch_service *service = &watch->services[watch->service_count++];
        service->name = name;
        service->is_named = named(watch, service_name);
    }
    *out = name;
    return FL_OK;
}

/* Without an instance a service's number is its handle, so that announcing it a million times costs
 * nothing. */
static fl_status take_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                               fl_error *err)
{
    *handle = FL_NO_SERVICE;
    if (resource->service.len == 0)
        return FL_OK;
    fl_status status = fl_watch_service(handle, payload, resource->service, err);
    fl_slice process = resource->instance.len > 0 ? resource->instance : resource->node;
    if (status != FL_OK || *handle == FL_NO_SERVICE || process.len == 0)
        return status;
    return fl_watch_instance(handle, payload, *handle, process, err);
}

/* One of the same source; else none. */
static watch_operation *any_of(const fl_watch *watch, const watch_service *service, unsigned source)
{
    for (size_t i = 0; i < service->operation_count; i++)
        if (watch->operations[service->operations[i]]->source == source)
            return watch->operations[service->operations[i]];
    return NULL;
}

/* How many a service has that metrics tell of, and one of them. */
static size_t count_routes(watch_operation **one, const fl_watch *watch,
                           const watch_service *service)
{
    size_t count = 0;
    *one = NULL;
    for (size_t i = 0; i < service->operation_count; i++) {
        watch_operation *operation = watch->operations[service->operations[i]];
        count += operation->source != WATCH_BY_SPANS;
        *one = operation->source != WATCH_BY_SPANS ? operation : *one;
    }
    return count;
}

/* Of a service that spans tell of, metrics' places are spans'. */
static watch_operation *take_over(const fl_watch *watch, const watch_service *service,
                                  uint64_t hash)
{
    watch_operation *taken;
    size_t routes = count_routes(&taken, watch, service);
    if (!service->is_by_spans || routes == 0)
        return NULL;
    memset(taken, 0, sizeof(*taken));
    taken->hash = routes == 1 ? 0 : hash; /* the last place is for all that are left */
    return taken;
}

/* Whether a place is to be had, and whether it is the last of its kind. */
static bool has_place(bool *is_last, const fl_watch *watch, const watch_service *service,
                      unsigned source)
{
    watch_operation *one;
    size_t limit = FL_MAX_WATCHED_OPERATIONS, routes = 0;
    *is_last = service->operation_count == WATCH_SERVICE_OPERATIONS - 1;
    if (source != WATCH_BY_SPANS) {
        limit /= 2;
        routes = count_routes(&one, watch, service);
        *is_last |= routes == WATCH_SERVICE_ROUTES - 1;
    }
    return service->operation_count < WATCH_SERVICE_OPERATIONS && routes < WATCH_SERVICE_ROUTES &&
           watch->operation_count < limit;
}

fl_status fl_watch_operation(watch_operation **out, fl_watch *watch, watch_service *service,
                             unsigned source, uint64_t hash, fl_error *err)
{
    bool is_last;
    for (size_t i = 0; i < service->operation_count; i++) {
        watch_operation *operation = watch->operations[service->operations[i]];
        if (operation->source == source && (operation->hash == hash || operation->hash == 0)) {
            *out = operation;
            return FL_OK;
        }
    }
    if (!has_place(&is_last, watch, service, source)) {
        watch_operation *taken = source == WATCH_BY_SPANS ? take_over(watch, service, hash) : NULL;
        *out = taken != NULL ? taken : any_of(watch, service, source);
        return FL_OK;
    }
    watch_operation *operation = fl_mem_calloc(1, sizeof(*operation));
    if (operation == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for an operation");
    /* The last place of a service is for all that are left; it matches any. */
    operation->hash = is_last ? 0 : hash;
    operation->source = source;
    service->operations[service->operation_count++] = (uint32_t)watch->operation_count;
    watch->operations[watch->operation_count++] = operation;
    *out = operation;
    return FL_OK;
}

bool fl_watch_is_kept(fl_watch *watch, int64_t step)
{
    if (step > watch->head_step) {
        watch->stats.early++;
        return false;
    }
    if (step <= watch->head_step - WATCH_STEPS) {
        watch->stats.late++;
        return false;
    }
    return true;
}

/* The mean of logarithms, not of latencies: one request that took a minute is one request. */
static fl_status count_request(fl_watch *watch, watch_service *service, const fl_span *span,
                               int64_t step, fl_error *err)
{
    watch_operation *operation;
    uint64_t hash = fl_hash_stable(span->name) | 1;
    fl_status status = fl_watch_operation(&operation, watch, service, WATCH_BY_SPANS, hash, err);
    if (status != FL_OK)
        return status;
    if (operation == NULL) {
        watch->stats.crowded++;
        return FL_OK;
    }
    service->span_step = step > service->span_step ? step : service->span_step;
    watch_cell *cell = &operation->cells[step % WATCH_STEPS];
    double ms = (double)(span->end_ns - span->start_ns) / 1e6;
    fl_watch_add(cell, 1, span->is_error);
    /* Half a millisecond: what clocks and timers waver by. */
    fl_watch_add_timed(cell, 1, log(ms + 0.5));
    return FL_OK;
}

/* A request counts when it is over: one that hangs is told of then. */
static fl_status take_span(void *payload, uint32_t handle, const fl_span *span, fl_error *err)
{
    fl_watch *watch = payload;
    int64_t step = span->end_ns / WATCH_STEP_NS;
    uint32_t number = fl_watch_service_of(watch, handle);
    watch->stats.spans++;
    if (number == FL_NO_SERVICE) {
        watch->stats.crowded++;
        return FL_OK;
    }
    if (!fl_watch_is_kept(watch, step))
        return FL_OK;
    watch->spans[step % WATCH_STEPS]++;
    /* Hours at once would be more than there is room for: the newest minutes tell who calls whom.
     */
    bool is_linked = !watch->is_paused || step > watch->now_ns / WATCH_STEP_NS - WATCH_LINKED_STEPS;
    fl_status status = FL_OK;
    if (is_linked)
        status = fl_links_note(watch->links, number, span, err);
    bool is_request =
        span->parent == 0 || span->kind == FL_SPAN_SERVER || span->kind == FL_SPAN_CONSUMER;
    if (status != FL_OK || !is_request)
        return status;
    return count_request(watch, &watch->services[number], span, step, err);
}

/* What a log says is for the triage. */
static fl_status take_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    fl_watch *watch = payload;
    (void)resource;
    (void)log;
    (void)err;
    watch->stats.logs++;
    return FL_OK;
}

/* Of most only that they came counts here: requests may stay away while they do. */
static fl_status take_point(void *payload, uint32_t handle, const fl_point *point, fl_error *err)
{
    fl_watch *watch = payload;
    int64_t step = point->time_ns / WATCH_STEP_NS;
    watch->stats.points++;
    if (fl_watch_has_step(watch, step))
        watch->points[step % WATCH_STEPS]++;
    unsigned metric = fl_request_metric(point);
    if (metric == FL_NO_REQUEST_METRIC || handle == FL_NO_SERVICE)
        return FL_OK;
    return fl_watch_take_told(watch, handle, metric, point, err);
}

/* A change is no sign of trouble; the triage reads it from where it is kept. */
static fl_status take_change(void *payload, const fl_change_record *change, fl_error *err)
{
    (void)payload;
    (void)change;
    (void)err;
    return FL_OK;
}

/* Slices of a record as texts that end. */
static const char *text_of(char out[FL_MAX_SIGN_TEXT_BYTES], fl_slice text)
{
    if (text.len == 0)
        return NULL;
    size_t len = text.len < FL_MAX_SIGN_TEXT_BYTES ? text.len : FL_MAX_SIGN_TEXT_BYTES - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = text.ptr[i] != 0 ? (char)text.ptr[i] : '?';
    out[len] = '\0';
    return out;
}

/* The same alert is the same rule over the same labels, since the same moment. */
static fl_status take_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    fl_watch *watch = payload;
    char texts[7][FL_MAX_SIGN_TEXT_BYTES];
    watch->stats.alerts++;
    if (watch->options.alert == NULL)
        return FL_OK;
    bool is_over = alert->is_resolved ||
                   (alert->ends_ns != 0 && watch->now_ns != 0 && alert->ends_ns <= watch->now_ns);
    int64_t ends = alert->ends_ns != 0 ? alert->ends_ns : watch->now_ns;
    const fl_sign sign = {
        .key = fl_hash_mix(alert->fingerprint ^ fl_hash_mix((uint64_t)alert->starts_ns)),
        .kind = FL_SIGN_ALERT,
        .onset_ns = alert->starts_ns,
        .cleared_ns = is_over ? (ends > 0 ? ends : 1) : 0,
        .name = text_of(texts[0], alert->name),
        .service = text_of(texts[1], alert->service),
        .instance = text_of(texts[2], alert->instance),
        .node = text_of(texts[3], alert->node),
        .severity = text_of(texts[4], alert->severity),
        .summary = text_of(texts[5], alert->summary),
        .url = text_of(texts[6], alert->url),
        .value = NAN,
        .baseline = NAN};
    return watch->options.alert(watch->options.payload, &sign, err);
}

/* What could not be read is counted by who read it. */
static fl_status take_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    (void)payload;
    (void)reject;
    (void)err;
    return FL_OK;
}

/* ---- a watch ---- */

/* Settings as windows, within what there is. */
static void set_windows(fl_watch *watch)
{
    const fl_watch_options *o = &watch->options;
    int64_t past = o->past_ns / WATCH_WINDOW_NS, sustained = o->sustained_ns / WATCH_WINDOW_NS;
    watch->past_windows = WATCH_PAST_WINDOWS;
    if (o->past_ns > 0 && past < WATCH_PAST_WINDOWS)
        watch->past_windows = past > WATCH_FEWEST_PAST ? (size_t)past : WATCH_FEWEST_PAST;
    watch->sustained_windows = 2;
    if (sustained > 2)
        watch->sustained_windows =
            sustained < WATCH_NOW_WINDOWS ? (size_t)sustained : WATCH_NOW_WINDOWS;
}

/* Everything but operations is there from the beginning: memory does not grow with the load. */
static fl_status set_up(fl_watch *watch, fl_error *err)
{
    const fl_watch_options *o = &watch->options;
    watch->names_arena = fl_arena_of(MAX_NAME_BYTES);
    watch->entries = fl_arena_alloc(&watch->names_arena, o->entry_count + 1, sizeof(char *));
    for (size_t i = 0; watch->entries != NULL && i < o->entry_count; i++) {
        watch->entries[i] = fl_arena_cstr(&watch->names_arena, fl_slice_of(o->entries[i]));
        if (watch->entries[i] == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the names of entries");
    }
    if (watch->entries == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the names of entries");
    set_windows(watch);
    fl_status status = fl_intern_create(&watch->names, MAX_NAME_BYTES, err);
    if (status == FL_OK)
        status = fl_map_create(&watch->call_at, MAX_CALLS, err);
    if (status == FL_OK)
        status = fl_links_create(&watch->links, FL_MAX_LINKED_SPANS, err);
    if (status == FL_OK)
        status = fl_map_create(&watch->instance_at, FL_MAX_WATCHED_INSTANCES, err);
    if (status == FL_OK)
        status = fl_told_create(&watch->told, err);
    watch->services = fl_mem_calloc(FL_MAX_WATCHED_SERVICES, sizeof(*watch->services));
    watch->operations = fl_mem_calloc(FL_MAX_WATCHED_OPERATIONS, sizeof(*watch->operations));
    watch->calls = fl_mem_calloc(MAX_CALLS, sizeof(*watch->calls));
    watch->instances = fl_mem_calloc(FL_MAX_WATCHED_INSTANCES, sizeof(*watch->instances));
    if (status == FL_OK && (watch->services == NULL || watch->operations == NULL ||
                            watch->calls == NULL || watch->instances == NULL))
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a watch");
    return status;
}

fl_status fl_watch_create(fl_watch **out, const fl_watch_options *options, fl_error *err)
{
    assert(options->false_alarms_a_week >= 0 && options->lateness_ns >= 0);
    *out = NULL;
    fl_watch *watch = fl_mem_calloc(1, sizeof(*watch));
    if (watch == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a watch");
    watch->options = *options;
    if (watch->options.false_alarms_a_week == 0)
        watch->options.false_alarms_a_week = 1;
    if (watch->options.lateness_ns == 0)
        watch->options.lateness_ns = default_lateness_ns;
    watch->scratch = fl_arena_of(SCRATCH_BYTES);
    watch->sink = (fl_sink){.payload = watch,
                            .resource = take_resource,
                            .span = take_span,
                            .log = take_log,
                            .point = take_point,
                            .change = take_change,
                            .alert = take_alert,
                            .reject = take_reject};
    fl_status status = set_up(watch, err);
    if (status != FL_OK) {
        fl_watch_destroy(watch);
        return status;
    }
    *out = watch;
    return FL_OK;
}

void fl_watch_destroy(fl_watch *watch)
{
    if (watch == NULL)
        return;
    for (size_t i = 0; i < watch->operation_count; i++)
        fl_mem_free(watch->operations[i]);
    fl_mem_free(watch->operations);
    fl_mem_free(watch->services);
    fl_mem_free(watch->calls);
    fl_mem_free(watch->instances);
    fl_map_destroy(watch->call_at);
    fl_map_destroy(watch->instance_at);
    fl_told_destroy(watch->told);
    fl_told_destroy(watch->told_again);
    fl_links_destroy(watch->links);
    fl_intern_destroy(watch->names);
    fl_arena_dispose(&watch->scratch);
    fl_arena_dispose(&watch->names_arena);
    fl_mem_free(watch);
}

const fl_sink *fl_watch_sink(fl_watch *watch)
{
    return &watch->sink;
}

void fl_watch_goes_on(fl_watch *watch, uint64_t points, uint64_t logs)
{
    int64_t step = watch->now_ns / WATCH_STEP_NS;
    watch->stats.points += points;
    watch->stats.logs += logs;
    assert(step <= watch->head_step || watch->head_step == 0);
    watch->points[step % WATCH_STEPS] += (uint32_t)(points < UINT32_MAX / 2 ? points : 0);
}

/* ---- time ---- */

/* A look at every entry costs some tens of microseconds for each: the sums of a ring, a median for
 * each operation, three tests. It is done once in ten seconds, whatever comes in. */

/* Empty the cells that new steps take over. */
static void move_head(fl_watch *watch, int64_t head)
{
    int64_t from = watch->head_step + 1;
    if (head - from >= WATCH_STEPS)
        from = head - WATCH_STEPS + 1;
    for (int64_t step = from; step <= head; step++) {
        size_t at = (size_t)(step % WATCH_STEPS);
        for (size_t i = 0; i < watch->operation_count; i++)
            watch->operations[i]->cells[at] = (watch_cell){0};
        watch->points[at] = 0;
        watch->spans[at] = 0;
    }
    if (head > watch->head_step)
        watch->head_step = head;
}

/* When there are too many calls, new ones are not known: those that are not made any more leave
 * first. */
static void forget_calls(fl_watch *watch)
{
    size_t kept = 0;
    for (size_t i = 0; i < watch->call_count; i++)
        if (watch->now_ns - watch->calls[i].seen_ns <= call_age_ns)
            watch->calls[kept++] = watch->calls[i];
    watch->call_count = 0;
    fl_map_clear(watch->call_at);
    for (size_t i = 0; i < kept; i++) {
        uint64_t *slot = NULL;
        const watch_call *call = &watch->calls[i];
        fl_status status = fl_map_slot(&slot, watch->call_at,
                                       (uint64_t)call->caller << 32 | call->callee, NULL, NULL);
        assert(status == FL_OK); /* it was as large before */
        (void)status;
        *slot = watch->call_count++;
    }
}

/* A call that was seen again is as fresh as a new one. */
static void note_call(void *payload, uint32_t caller, uint32_t callee)
{
    fl_watch *watch = payload;
    uint64_t key = (uint64_t)caller << 32 | callee, *slot = fl_map_find(watch->call_at, key);
    if (slot != NULL) {
        watch->calls[*slot].seen_ns = watch->now_ns;
        return;
    }
    if (watch->call_count == MAX_CALLS)
        return;
    /* Out of memory is a call that is not known, which is told again with the next trace. */
    if (fl_map_slot(&slot, watch->call_at, key, NULL, NULL) != FL_OK)
        return;
    *slot = watch->call_count;
    watch->calls[watch->call_count++] =
        (watch_call){.caller = caller, .callee = callee, .seen_ns = watch->now_ns};
}

/* Counted, not remembered: a service may become an entry, and stop being one. */
static void note_entry(void *payload, uint32_t service, bool is_entry)
{
    fl_watch *watch = payload;
    assert(service < watch->service_count);
    if (is_entry)
        watch->services[service].entered += 1;
    else
        watch->services[service].inner += 1;
}

/* What is known of entries fades, so that it follows the system. */
void fl_watch_turn(fl_watch *watch)
{
    const fl_links_visitor to = {.payload = watch, .call = note_call, .entry = note_entry};
    for (size_t i = 0; i < watch->service_count; i++) {
        watch->services[i].entered *= FADE;
        watch->services[i].inner *= FADE;
    }
    fl_links_turn(watch->links, &to);
    forget_calls(watch);
    watch->turned_ns = watch->now_ns;
}

/* The gate falls with the number of tests: three of each entry service, in each window anew. */
static double gate_of(const fl_watch *watch, size_t entries)
{
    double looks = (double)(ns_per_week / WATCH_WINDOW_NS), kinds = FL_SIGN_KIND_COUNT - 1;
    return log(fmax(1, (double)entries * kinds * looks / watch->options.false_alarms_a_week));
}

/* Looks are at whole steps: how often the clock is told makes no difference to what is found. */
fl_status fl_watch_advance(fl_watch *watch, int64_t now_ns, fl_watch_visit *visit, void *payload,
                           fl_error *err)
{
    assert(now_ns > 0 && visit != NULL);
    if (now_ns < watch->now_ns)
        return FL_OK; /* the clock was set back: until it is there again nothing is new */
    watch->now_ns = now_ns;
    if (watch->is_paused && watch->paused_ns == 0)
        watch->paused_ns = now_ns;
    move_head(watch, now_ns / WATCH_STEP_NS + WATCH_AHEAD_STEPS);
    if (now_ns - watch->turned_ns >= turn_ns && !watch->is_paused)
        fl_watch_turn(watch);
    int64_t end_step = (now_ns - watch->options.lateness_ns) / WATCH_STEP_NS;
    if (end_step <= watch->looked_step || watch->is_paused)
        return FL_OK;
    watch->looked_step = end_step;
    size_t entries = 0;
    for (size_t i = 0; i < watch->service_count; i++) {
        fl_watch_choose(watch, &watch->services[i]);
        entries += fl_watch_is_entry(&watch->services[i]);
    }
    watch->stats.entries = entries;
    watch->stats.gate_nats = gate_of(watch, entries);
    fl_status status = FL_OK;
    for (size_t i = 0; i < watch->service_count && status == FL_OK; i++)
        status = fl_watch_look(watch, &watch->services[i], end_step, visit, payload, err);
    return status;
}

/* By name: the numbers of services are another's there. */
fl_status fl_watch_calls(fl_watch *watch, fl_calls *calls, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < watch->call_count && status == FL_OK; i++) {
        uint32_t caller, callee;
        status = fl_calls_service(&caller, calls,
                                  fl_intern_text(watch->names, watch->calls[i].caller), err);
        if (status == FL_OK)
            status = fl_calls_service(&callee, calls,
                                      fl_intern_text(watch->names, watch->calls[i].callee), err);
        if (status == FL_OK && caller != FL_NO_SERVICE && callee != FL_NO_SERVICE)
            fl_calls_add(calls, caller, callee);
    }
    return status;
}

fl_watch_stats fl_watch_stats_of(const fl_watch *watch)
{
    fl_watch_stats stats = watch->stats;
    stats.services = watch->service_count;
    stats.operations = watch->operation_count;
    stats.crowded += fl_told_crowded(watch->told);
    return stats;
}
