/*
 * triage_profiles.h - profiles beside the telemetry of an incident: one leak report a service.
 */
#ifndef FL_TRIAGE_PROFILES_H
#define FL_TRIAGE_PROFILES_H

#include "arena.h"
#include "faultline/leak_run.h"
#include "faultline/picture.h"
#include "faultline/record.h"
#include "rank.h"
#include "triage_traces.h"

typedef struct fl_triage_profiles {
    const fl_rank_finding *findings; /* by service, then as the report has them */
    size_t finding_count;
    const fl_moment *moments; /* the steps of each finding, by time */
    size_t moment_count;
    const fl_picture_stacks *stacks; /* by service */
    size_t stack_count;
    const char *const *warnings; /* each with its service */
    size_t warning_count;
    uint64_t unreadable;
    const fl_triage_found *traces; /* that lay among them, for triage_traces.h */
    size_t trace_count;
} fl_triage_profiles;

typedef struct fl_triage_profile_paths {
    const char *const *paths; /* "SERVICE=PATH" or PATH */
    size_t count;
    const char *service; /* whose symptom is reported: it names profiles that nothing else does */
    const fl_leak_asker *asker;    /* of addresses among the paths; NULL: they are refused */
    const char *const *signatures; /* as of fl_leak_request */
    size_t signature_count;
    const fl_signatures *library; /* the same and what is built in, for traces; outlives them */
} fl_triage_profile_paths;

/* Judge the profiles, and push what they count in total as metrics into `sink`. Everything lives in
 * `arena` but the traces. FL_E_SYNTAX: a path names no service; FL_E_IO and FL_E_NOTFOUND: it is
 * not there; FL_E_NOMEM. */
FL_NODISCARD fl_status fl_triage_profiles_read(fl_triage_profiles *out,
                                               const fl_triage_profile_paths *from,
                                               const fl_sink *sink, fl_arena *arena, fl_error *err);
/* Lets go of the traces; also after a failure. */
void fl_triage_profiles_dispose(fl_triage_profiles *profiles);

#endif
