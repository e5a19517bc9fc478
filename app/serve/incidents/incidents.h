/*
 * incidents.h - the daemon opens incidents by itself, triages them as evidence arrives, and closes
 * them.
 *
 *   batches ──tap──> watch ──signs──> groups ──> pages in memory ──> the store, at most once a
 * second ^                             an incident └── a triage says where the trouble is
 *
 * Two threads: one keeps the incidents, and never waits for a triage; one triages, one incident at
 * a time, and rests as long as it has worked. A third tells the watch the last two hours after a
 * start, out of the archive, and ends. Everything is bounded: signs that wait, signs and
 * incidents that are open (groups.h), the watch (watch.h), the pages' lists. docs/incidents.md says
 * what is merged and why, and what an incident costs.
 */
#ifndef FL_INCIDENTS_H
#define FL_INCIDENTS_H

#include "archive.h"
#include "buf.h"

typedef struct fl_incidents fl_incidents;

typedef struct fl_incidents_options {
    const char *store; /* URL; copied, as is the next */
    const char *owner; /* of what it keeps in a store that others share; the same after a restart */
    /* Push what was accepted in [from_ns, to_ns): fl_archive_read(). On a thread of its own. */
    fl_status (*read)(void *payload, int64_t from_ns, int64_t to_ns, const fl_sink *sink,
                      fl_error *err);
    /* The same of what was accepted last, whatever its own time: fl_archive_read_recent(). NULL: as
     * `read`, of the last ten minutes. */
    fl_status (*read_recent)(void *payload, int64_t since_ns, const fl_sink *sink, fl_error *err);
    void *payload;                 /* of both */
    int64_t (*now)(void *payload); /* NULL: the clock */
    double false_alarms_a_week;    /* this and the next: fl_watch_options */
    const char *const *entries;
    size_t entry_count;
    int64_t past_ns, sustained_ns;
    int64_t quiet_ns, effect_ns; /* fl_groups_options */
    size_t most_open;
    int64_t triage_every_ns; /* of one incident, at most so often; 0: 2 s */
    int64_t lease_ns;        /* after which another may take over; 0: 30 s */
    int64_t baseline_ns;     /* before an incident; 0: 1 hour */
    bool has_no_thread;      /* whoever has it calls fl_incidents_turn(): for tests */
} fl_incidents_options;

/* What was open when the daemon ended is open again. FL_E_IO and what else fl_store_open() says. */
FL_NODISCARD fl_status fl_incidents_start(fl_incidents **out, const fl_incidents_options *options,
                                          fl_error *err);
/* Nobody may be inside. What is open stays open in the store. NULL is a no-op. */
void fl_incidents_stop(fl_incidents *incidents);

/* A tap (receive.h): `incidents` is a fl_incidents. Any thread; returns soon. */
void fl_incidents_batch(void *incidents, const fl_archive_batch *batch);
/* The same for records that a callback pushes. */
typedef fl_status fl_incidents_replay(const void *from, const fl_sink *sink, fl_error *err);
void fl_incidents_take(fl_incidents *incidents, fl_incidents_replay *replay, const void *from);

/* One round of both threads' work. */
void fl_incidents_turn(fl_incidents *incidents);

/* Append the page of an incident that is open or about to be written, which is newer than the
 * store's, by its whole id. False: it is not in memory. */
bool fl_incidents_page(fl_incidents *incidents, const char *id, fl_buf *out);

/* An incident that is open; texts are borrowed during the visit, NULL where nothing is known. */
typedef struct fl_incidents_open {
    const char *id;
    const char *trouble_at; /* the service */
    int64_t opened_ns, onset_ns;
    const char *verdict;         /* of the last triage; NULL: there was none yet */
    const char *service, *cause; /* its likeliest cause, as faultline/incident.h names them */
    double probability;
    size_t signs, signs_lasting;
} fl_incidents_open;
typedef void fl_incidents_visitor(void *payload, const fl_incidents_open *open);
/* The first `most`, oldest first, within a lock; how many are open. */
size_t fl_incidents_visit(fl_incidents *incidents, size_t most, fl_incidents_visitor *visit,
                          void *payload);

typedef struct fl_incidents_stats {
    size_t open, signs; /* now */
    uint64_t opened, closed, merged, restored, claimed;
    uint64_t signs_taken, signs_waiting;
    uint64_t signs_refused; /* no room for them: FL_MAX_SIGNS, FL_MAX_GROUPS */
    uint64_t triages, triages_failed;
    uint64_t store_failures; /* writings that will be tried again */
    uint64_t taps_failed;    /* batches of which the watch did not see all, for want of memory */
    int64_t triage_ns;       /* of all triages */
    int64_t longest_wait_ns; /* of a sign, from its arrival to its page */
    uint64_t spans, points, logs, alerts, breaks, entries, services; /* fl_watch_stats */
    /* The past that the watch is told after a start: how far back it reaches by now (0: not at
     * all), and what it took. Until then nothing breaks. */
    bool is_refilling;
    int64_t refilled_from_ns, refill_ns;
    uint64_t refilled_records;
} fl_incidents_stats;
fl_incidents_stats fl_incidents_stats_of(fl_incidents *incidents);

#endif
