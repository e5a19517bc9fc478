/*
 * triage_events.h - files with events: changes in our own form, webhooks of GitHub and GitLab that
 * tell of changes, and alerts. Which one a file is, its content tells.
 */
#ifndef FL_TRIAGE_EVENTS_H
#define FL_TRIAGE_EVENTS_H

#include <stdbool.h>

#include "arena.h"
#include "faultline/record.h"

/* The alert that tells when it began: of those that fire the earliest, else of those that fired. */
typedef struct fl_triage_alert {
    size_t count; /* alerts read; 0: none */
    int64_t starts_ns;
    const char *service; /* in the arena; NULL: its labels tell none */
    bool is_resolved;
} fl_triage_alert;

/* The alerts among `paths`; other files are passed over. */
FL_NODISCARD fl_status fl_triage_alerts_read(fl_triage_alert *out, const char *const *paths,
                                             size_t count, fl_arena *arena, fl_error *err);
/* Push what a file tells of changes; alerts are passed over. Fails as fl_events_file(). */
FL_NODISCARD fl_status fl_triage_events_read(const fl_sink *sink, const char *path, bool strict,
                                             fl_error *err);

#endif
