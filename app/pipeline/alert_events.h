/*
 * alert_events.h - alerts that came with the records, as what happened.
 */
#ifndef FL_ALERT_EVENTS_H
#define FL_ALERT_EVENTS_H

#include "arena.h"
#include "faultline/picture.h"

/* More tell nothing that these do not. */
enum { FL_MAX_ALERT_EVENTS = 200 };

/* Begun with {.arena = ...}, in which the texts are. */
typedef struct fl_alert_events {
    fl_arena *arena;
    fl_picture_event *items; /* as they came; of one alert the last that was told */
    uint64_t *fingerprints;
    size_t count;
    size_t left_out;
} fl_alert_events;

/* Of a sink (fl_sink.alert); `events` is a fl_alert_events. */
FL_NODISCARD fl_status fl_alert_events_take(void *events, const fl_alert_record *alert,
                                            fl_error *err);

#endif
