/*
 * puller.h - what the daemon asks for by itself: queries of Prometheus and profiles of running
 * programs, on a schedule, into the archive. One thread.
 *
 *   queries    each at the whole multiples of its source's interval, for that moment: asked twice,
 *              it is the same batch
 *   profiles   of each target one after the other, never two at once. A target's rounds are spread
 *              over the interval by a hash of its URL, and stretched where a round takes more than
 *              the share of the target's time that the configuration allows
 *   targets    those of the configuration, of a file (read again when it changed), and of a
 *              Prometheus that scrapes them (asked again each interval, at least each minute)
 *
 * A profile that a program does not have (HTTP 404) is not asked for again for a day. Nothing is
 * ever asked but what the configuration names, or a Prometheus that it names for this.
 */
#ifndef FL_PULLER_H
#define FL_PULLER_H

#include "archive.h"
#include "config.h"
#include "receive.h"

typedef struct fl_puller fl_puller;

typedef struct fl_puller_options {
    const fl_config *config;    /* borrowed until the stop */
    fl_archive *archive;        /* the same */
    fl_receive *receive;        /* whose rules of redaction hold here too; NULL: none do */
    const fl_receive_tap *taps; /* copied; called on the puller's thread */
    size_t tap_count;
    void (*say)(void *payload, const char *sentence); /* on its thread; may be NULL */
    void *say_to;
} fl_puller_options;

typedef struct fl_puller_stats {
    uint64_t targets, stretched; /* now; those that are asked less often than the interval */
    uint64_t sources_open;       /* left alone now, after failures */
    uint64_t requests, retries, wire_bytes;
    uint64_t queries, query_failures;
    uint64_t points;
    uint64_t profiles, profile_bytes, profile_failures;
    uint64_t not_served;   /* profiles that a target does not have */
    uint64_t not_kept;     /* answers that the archive refused */
    int64_t busy_ns;       /* of targets, by our requests */
    uint64_t list_changes; /* of targets */
} fl_puller_stats;

/* *out is NULL where the configuration asks for nothing on a schedule. FL_E_SYNTAX: a file of
 * targets, or a URL; FL_E_NOTFOUND, FL_E_IO, FL_E_UNSUPPORTED (no libcurl), FL_E_NOMEM. */
FL_NODISCARD fl_status fl_puller_start(fl_puller **out, const fl_puller_options *options,
                                       fl_error *err);
/* What is under way is dropped. NULL is a no-op. */
void fl_puller_stop(fl_puller *puller);
/* From any thread; all 0 of NULL. */
fl_puller_stats fl_puller_stats_of(fl_puller *puller);

#endif
