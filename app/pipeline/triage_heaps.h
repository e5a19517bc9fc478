/*
 * triage_heaps.h - heap dumps and class histograms of Java programs beside the telemetry of an
 * incident.
 *
 * Of several dumps of a service what grew is told (leak_run.h), of one alone what needs no second
 * one (heap_alone.h). Leaks go to the ranking like the findings of profiles. So do maps whose
 * hashes collide, which cost time, and texts that are there many times, which cost memory: the
 * ranking takes them where telemetry has such trouble, and nowhere else.
 *
 * Series: "jvm.memory.used_after_last_gc" (By), one value a dump, where there are two of different
 * times: what the roots keep is what a collection leaves. Moments, on the dumps' own clock: each
 * dump; of each leak what it is, by which way it is kept, and what speaks for and against it, with
 * the command that shows it again.
 */
#ifndef FL_TRIAGE_HEAPS_H
#define FL_TRIAGE_HEAPS_H

#include "arena.h"
#include "faultline/picture.h"
#include "faultline/record.h"
#include "rank.h"
#include "signatures.h"

typedef struct fl_triage_heaps_from {
    const char *const *paths; /* "SERVICE=FILE[,FILE...]", or such files of `service` */
    size_t count;
    const char *service;           /* whose symptom is reported; NULL: not known */
    const char *temp_folder;       /* packed dumps are unpacked there; NULL: /var/tmp */
    const fl_signatures *library;  /* what they are judged by: what is built in, and then */
    const char *const *signatures; /* documents and folders of one's own, which it has already */
    size_t signature_count;
} fl_triage_heaps_from;

typedef struct fl_triage_heaps {
    const fl_rank_finding *findings; /* by service */
    size_t finding_count;
    const fl_moment *moments; /* by time */
    size_t moment_count;
    const char *const *services; /* of which something could be used; by name */
    size_t service_count;
    const char *const *warnings;
    size_t warning_count;
    uint64_t unreadable;
} fl_triage_heaps;

/* Read them, and push their series into `sink`. Everything lives in `arena`. A file that is damaged
 * or something else costs itself, with a warning. FL_E_SYNTAX: nothing tells whose it is; FL_E_IO
 * and FL_E_NOTFOUND: it is not there; FL_E_LIMIT: too many; FL_E_NOMEM. */
FL_NODISCARD fl_status fl_triage_heaps_read(fl_triage_heaps *out, const fl_triage_heaps_from *from,
                                            const fl_sink *sink, fl_arena *arena, fl_error *err);

#endif
