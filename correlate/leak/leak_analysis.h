/*
 * leak_analysis.h - a series of profiles in, findings out. The structures of the answer are in
 * faultline/leak.h, the method in docs/leaks-method.md.
 *
 * Profiles come in any order, and the same ones give the same answer. What is kept of a profile
 * follows its distinct stacks and block sizes; of many snapshots the first, the last and a choice
 * by a hash of their time stay (FL_MAX_LEAK_SNAPSHOTS, fewer where they are large), so that memory
 * does not follow their number.
 */
#ifndef FL_LEAK_ANALYSIS_H
#define FL_LEAK_ANALYSIS_H

#include "arena.h"
#include "faultline/goroutines.h"
#include "faultline/gostats.h"
#include "faultline/leak.h"
#include "faultline/profile.h"

typedef struct fl_leak fl_leak;

typedef struct fl_leak_options {
    const fl_leak_signature *signatures; /* borrowed until the report is no longer used */
    size_t signature_count;
    uint64_t limit_bytes; /* time until the heap has this size; 0: none */
    const char *runtime;  /* "go1.22"; NULL: found out where it can be */
    const char
        *module; /* path of the main module, NULL: not known (docs/leaks-method.md, "Whose code") */
} fl_leak_options;

/* FL_E_SYNTAX where a pattern of a signature is no regular expression. The caller owns *out. */
FL_NODISCARD fl_status fl_leak_create(fl_leak **out, const fl_leak_options *options, fl_error *err);
void fl_leak_destroy(fl_leak *leak); /* NULL is a no-op */

/* Take in one profile, of which nothing is borrowed. `time_ns` counts where the profile does not
 * say when it was taken (0: unknown; it then tells states and frames but is no point of a series).
 * Kinds that say nothing about leaks are passed over. FL_E_LIMIT, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_leak_add(fl_leak *leak, const fl_profile *profile, int64_t time_ns,
                                   fl_error *err);
/* Memory statistics, in any number of pieces. */
FL_NODISCARD fl_status fl_leak_add_stats(fl_leak *leak, const fl_gostats *stats, fl_error *err);
/* Goroutines out of a text, with their states, waits and creators, and the crashes in it. `time_ns`
 * as above: 0 is no point of a series. */
FL_NODISCARD fl_status fl_leak_add_goroutines(fl_leak *leak, const fl_goroutines *goroutines,
                                              int64_t time_ns, fl_error *err);

/* Judge what was added. Texts and arrays live in `arena`, signatures where they are; more may be
 * added afterwards. */
FL_NODISCARD fl_status fl_leak_judge(fl_leak_report *out, fl_leak *leak, fl_arena *arena,
                                     fl_error *err);

#endif
