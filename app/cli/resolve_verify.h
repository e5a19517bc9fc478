/*
 * resolve_verify.h - did the symptoms clear? Later telemetry is asked.
 */
#ifndef FL_RESOLVE_VERIFY_H
#define FL_RESOLVE_VERIFY_H

#include "args.h"
#include "faultline/triage.h"
#include "report_memory.h"

typedef struct fl_verification {
    fl_verified found;
    const uint64_t *cleared; /* ids of the symptoms that did */
    size_t cleared_count;
    fl_triage *triage; /* of the later telemetry; holds `found` */
    fl_arena arena;
} fl_verification;

/* Read what --verify names, from --after on, and measure the incident's evidence again. The verdict
 * is that of the hypothesis which is meant. The caller disposes of *out, also after a failure. */
FL_NODISCARD fl_status fl_resolve_verify(fl_verification *out, fl_cli *cli, const fl_args *args,
                                         const fl_incident *incident, fl_error *err);
void fl_verification_dispose(fl_verification *verification);

#endif
