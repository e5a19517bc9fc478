/*
 * alert_events.c - an alert is told again and again while it fires, and once when it is over: it is
 * one event, by its fingerprint and when it began to fire.
 */
#include "alert_events.h"

#include <assert.h>

/* One sentence for all of this file. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for alerts");
}

/* Only where there is an alert at all. */
static bool make_room(fl_alert_events *events)
{
    if (events->items != NULL)
        return true;
    events->items = fl_arena_alloc(events->arena, FL_MAX_ALERT_EVENTS, sizeof(*events->items));
    events->fingerprints =
        fl_arena_alloc(events->arena, FL_MAX_ALERT_EVENTS, sizeof(*events->fingerprints));
    return events->items != NULL && events->fingerprints != NULL;
}

/* NULL: not told before. */
static fl_picture_event *find(const fl_alert_events *events, const fl_alert_record *alert)
{
    for (size_t i = 0; i < events->count; i++)
        if (events->fingerprints[i] == alert->fingerprint &&
            events->items[i].at_ns == alert->starts_ns)
            return &events->items[i];
    return NULL;
}

/* "HighErrorRate (critical): 12 % of requests fail" */
static const char *sentence(fl_arena *arena, const fl_alert_record *alert)
{
    const bool has_severity = alert->severity.len > 0, has_summary = alert->summary.len > 0;
    enum { MOST = 400 };
    const fl_slice parts[] = {alert->name, alert->severity, alert->summary};
    int lengths[3];
    for (size_t i = 0; i < 3; i++)
        lengths[i] = parts[i].len < MOST ? (int)parts[i].len : MOST;
    return fl_arena_printf(arena, "%.*s%s%.*s%s%s%.*s", lengths[0], (const char *)parts[0].ptr,
                           has_severity ? " (" : "", lengths[1],
                           has_severity ? (const char *)parts[1].ptr : "", has_severity ? ")" : "",
                           has_summary ? ": " : "", lengths[2],
                           has_summary ? (const char *)parts[2].ptr : "");
}

/* That it is over may be told later, of an alert that is known. */
fl_status fl_alert_events_take(void *to, const fl_alert_record *alert, fl_error *err)
{
    fl_alert_events *events = to;
    assert(events != NULL && events->arena != NULL);
    fl_picture_event *known = find(events, alert);
    if (known != NULL) {
        known->until_ns = alert->ends_ns > 0 ? alert->ends_ns : known->until_ns;
        return FL_OK;
    }
    if (events->count == FL_MAX_ALERT_EVENTS) {
        events->left_out++;
        return FL_OK;
    }
    if (!make_room(events))
        return no_memory(err);
    fl_picture_event event = {.at_ns = alert->starts_ns,
                              .until_ns = alert->is_resolved ? alert->ends_ns : 0,
                              .kind = FL_PICTURE_ALERT,
                              .text = sentence(events->arena, alert)};
    if (alert->service.len > 0)
        event.service = fl_arena_cstr(events->arena, alert->service);
    if (alert->url.len > 0)
        event.query = fl_arena_cstr(events->arena, alert->url);
    if (event.text == NULL || (alert->service.len > 0 && event.service == NULL) ||
        (alert->url.len > 0 && event.query == NULL))
        return no_memory(err);
    events->fingerprints[events->count] = alert->fingerprint;
    events->items[events->count++] = event;
    return FL_OK;
}
