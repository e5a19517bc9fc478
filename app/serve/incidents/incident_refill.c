/*
 * incident_refill.c - after a start: what the archive has that nobody remembers. Alerts that were
 * accepted and are on no page yet, before anything else; and the last two hours for the watch,
 * which without them would know no usual for twenty minutes, beside the work.
 *
 * The past is told in parts, the newest first: the sooner the better known, and where the time that
 * there is for it runs out, the rest is left out. One record at a time, under the watch's lock,
 * which a tap waits for no longer than that. Memory: what reading the archive needs, one block.
 *
 * What is accepted between the start and the first part may be told twice, or not at all: that is
 * milliseconds of two hours.
 */
#include <assert.h>

#include "hash.h"
#include "incidents_priv.h"
#include "map.h"
#include "mem.h"
#include "sink_none.h"
#include "timestamp.h"

static const int64_t alerts_back_ns = 600 * FL_NS_PER_S;
static const int64_t most_ns = 60 * FL_NS_PER_S; /* of all parts; by then a break is sustained */

/* Minutes back. The first has the ten minutes that are looked at and a baseline (watch.h). */
static const int64_t parts_min[] = {30, 60, 120};

enum { ASK_EVERY = 4096 }; /* records, whether it is to end */

/* ---- alerts ---- */

/* An alert is kept as it fired and as it was over. Told in that order to groups whose incident has
 * closed since, the first would open another of what is long past. An incident closes only when its
 * alerts have been over for the quiet time: what has not been for so long has its incident, or
 * never had a page. */
typedef struct alerts_again {
    const fl_sink *watch;
    fl_map *over; /* keys of what was over before `closed_ns` */
    int64_t closed_ns;
    bool is_first_pass;
} alerts_again;

/* The rule, its labels and its beginning, as the watch tells them apart. */
static uint64_t key_of(const fl_alert_record *alert)
{
    return fl_hash_mix(alert->fingerprint ^ fl_hash_mix((uint64_t)alert->starts_ns));
}

/* More than there is room for is no failure: what is missing in the first pass opens an incident
 * that closes at once, when its end is told in the second. */
static fl_status take_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    const alerts_again *to = payload;
    uint64_t *slot;
    if (to->is_first_pass) {
        fl_status status = FL_OK;
        if (alert->is_resolved && alert->ends_ns <= to->closed_ns)
            status = fl_map_slot(&slot, to->over, key_of(alert), NULL, err);
        return status == FL_E_LIMIT ? FL_OK : status;
    }
    if (!alert->is_resolved && fl_map_find(to->over, key_of(alert)) != NULL)
        return FL_OK;
    return to->watch->alert(to->watch->payload, alert, err);
}

/* What was accepted last has no other mark than where it lies: an alert may have begun days ago. */
static fl_status read_recent(const fl_incidents *incidents, int64_t now_ns, const fl_sink *sink,
                             fl_error *err)
{
    const fl_incidents_options *o = &incidents->options;
    if (o->read_recent != NULL)
        return o->read_recent(o->payload, now_ns - alerts_back_ns, sink, err);
    return o->read(o->payload, now_ns - alerts_back_ns, now_ns + alerts_back_ns, sink, err);
}

/* Twice over the same blocks, which are those of ten minutes: a daemon that has just been started
 * has read its whole log to find them, which takes longer. */
fl_status fl_incidents_read_alerts(fl_incidents *incidents, int64_t now_ns, fl_error *err)
{
    alerts_again to = {.watch = fl_watch_sink(incidents->watch),
                       .closed_ns = now_ns - incidents->options.quiet_ns};
    fl_sink sink = fl_sink_none(&to);
    sink.alert = take_alert;
    fl_status status = fl_map_create(&to.over, FL_MAX_SIGNS, err);
    for (int pass = 0; pass < 2 && status == FL_OK; pass++) {
        to.is_first_pass = pass == 0;
        status = read_recent(incidents, now_ns, &sink, err);
    }
    fl_map_destroy(to.over);
    return status;
}

/* ---- breaks ---- */

/* One that nobody follows is over now: where the trouble goes on, the watch has a sign of its own.
 */
static fl_status adopt(fl_incidents *incidents, const fl_sign *sign, fl_error *err)
{
    bool is_followed;
    fl_status status = fl_watch_adopt(&is_followed, incidents->watch, sign, err);
    if (status != FL_OK || is_followed || sign->cleared_ns != 0)
        return status;
    fl_sign over = *sign;
    over.cleared_ns = fl_incidents_now(incidents);
    return fl_incidents_post(incidents, &over, err);
}

/* Without it nobody would tell their end, and the incident would stay open for good. What is over
 * is told too: minutes of a break are no baseline. */
fl_status fl_incidents_adopt_breaks(fl_incidents *incidents, const fl_group *group, fl_error *err)
{
    fl_status status = FL_OK;
    pthread_mutex_lock(&incidents->watching);
    for (size_t i = 0; i < group->member_count && status == FL_OK; i++)
        if (group->members[i].sign->kind != FL_SIGN_ALERT)
            status = adopt(incidents, group->members[i].sign, err);
    pthread_mutex_unlock(&incidents->watching);
    return status;
}

/* ---- the past ---- */

typedef struct refilling {
    fl_incidents *incidents;
    const fl_sink *watch;
    int64_t until_ns; /* on the monotonic clock */
    uint64_t records; /* that the watch was told of */
    uint64_t read;    /* those, and what it does not want */
} refilling;

/* The daemon ends, or it has taken long enough. */
static fl_status ask(refilling *r, fl_error *err)
{
    r->read++;
    if (r->read % ASK_EVERY != 0)
        return FL_OK;
    pthread_mutex_lock(&r->incidents->lock);
    bool is_over = r->incidents->is_stopping;
    pthread_mutex_unlock(&r->incidents->lock);
    if (is_over || fl_time_monotonic() > r->until_ns)
        return fl_fail(err, FL_E_STOPPED, FL_NO_OFFSET, "there is no time for more of the past");
    return FL_OK;
}

/* The watch's handles are the same for taps and for this: those of names. */
static fl_status refill_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                                 fl_error *err)
{
    refilling *r = payload;
    pthread_mutex_lock(&r->incidents->watching);
    fl_status status = r->watch->resource(r->watch->payload, resource, handle, err);
    pthread_mutex_unlock(&r->incidents->watching);
    return status;
}

/* A lock for each record: with one for a whole block the taps, and so the senders, would wait until
 * it is decoded. */
static fl_status refill_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    refilling *r = payload;
    pthread_mutex_lock(&r->incidents->watching);
    fl_status status = r->watch->span(r->watch->payload, resource, span, err);
    r->records++;
    pthread_mutex_unlock(&r->incidents->watching);
    return status == FL_OK ? ask(r, err) : status;
}

/* Of points the watch wants to know only that they came. */
static fl_status refill_point(void *payload, uint32_t resource, const fl_point *point,
                              fl_error *err)
{
    refilling *r = payload;
    pthread_mutex_lock(&r->incidents->watching);
    fl_status status = r->watch->point(r->watch->payload, resource, point, err);
    r->records++;
    pthread_mutex_unlock(&r->incidents->watching);
    return status == FL_OK ? ask(r, err) : status;
}

/* The next three: the watch wants none of them, but there may be nothing else for minutes. */
static fl_status pass_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    (void)resource, (void)log;
    return ask(payload, err);
}

static fl_status pass_change(void *payload, const fl_change_record *change, fl_error *err)
{
    (void)change;
    return ask(payload, err);
}

/* Alerts are told before the past is: twice would be harmless, and as slow again. */
static fl_status pass_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    (void)alert;
    return ask(payload, err);
}

/* With the watch's clock at now: what lies outside of its rings would be passed over. */
fl_status fl_incidents_begin_refill(fl_incidents *incidents, fl_error *err)
{
    int64_t now_ns = fl_incidents_now(incidents);
    pthread_mutex_lock(&incidents->watching);
    fl_watch_pause(incidents->watch, true);
    fl_status status =
        fl_watch_advance(incidents->watch, now_ns, fl_incidents_post, incidents, err);
    pthread_mutex_unlock(&incidents->watching);
    incidents->refill_to_ns = now_ns;
    incidents->stats.is_refilling = true;
    return status;
}

/* A part that was not told whole is forgotten: half of the requests are no usual. */
static bool tell_part(refilling *r, int64_t from_ns, int64_t to_ns)
{
    fl_incidents *incidents = r->incidents;
    const fl_incidents_options *o = &incidents->options;
    fl_sink sink = fl_sink_none(r);
    sink.resource = refill_resource;
    sink.span = refill_span;
    sink.log = pass_log;
    sink.point = refill_point;
    sink.change = pass_change;
    sink.alert = pass_alert;
    assert(from_ns < to_ns);
    bool is_whole = o->read(o->payload, from_ns, to_ns, &sink, NULL) == FL_OK;
    if (!is_whole) {
        pthread_mutex_lock(&incidents->watching);
        fl_watch_forget(incidents->watch, from_ns, to_ns);
        pthread_mutex_unlock(&incidents->watching);
    }
    pthread_mutex_lock(&incidents->lock);
    incidents->stats.refilled_records = r->records;
    if (is_whole)
        incidents->stats.refilled_from_ns = from_ns;
    pthread_mutex_unlock(&incidents->lock);
    return is_whole;
}

/* However it ends the watch goes on: with less of a past it needs twenty minutes to know what is
 * usual, as it did when the daemon was first started. */
void fl_incidents_refill(fl_incidents *incidents)
{
    int64_t began = fl_time_monotonic(), to_ns = incidents->refill_to_ns;
    refilling r = {.incidents = incidents,
                   .watch = fl_watch_sink(incidents->watch),
                   .until_ns = began + most_ns};
    for (size_t i = 0; i < sizeof(parts_min) / sizeof(parts_min[0]); i++) {
        int64_t from_ns = incidents->refill_to_ns - parts_min[i] * 60 * FL_NS_PER_S;
        if (!tell_part(&r, from_ns, to_ns))
            break;
        to_ns = from_ns;
    }
    pthread_mutex_lock(&incidents->watching);
    fl_watch_pause(incidents->watch, false);
    incidents->called_ns = 0; /* who calls whom is news */
    pthread_mutex_unlock(&incidents->watching);
    pthread_mutex_lock(&incidents->lock);
    incidents->stats.is_refilling = false;
    incidents->stats.refill_ns = fl_time_monotonic() - began;
    pthread_mutex_unlock(&incidents->lock);
}
