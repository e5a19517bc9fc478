/*
 * leak_read.h - one input of a leak run, a file or what a server sent: told by its content, decoded
 * and added to the analysis.
 */
#ifndef FL_LEAK_READ_H
#define FL_LEAK_READ_H

#include "buf.h"
#include "faultline/leak_run.h"
#include "leak_analysis.h"
#include "leak_heaps.h"
#include "leak_histos.h"
#include "leak_traces.h"
#include "naming.h"
#include "pprof.h"
#include "trace_findings.h"

/* A day by the minute; what comes after is left out of the series, not of the judgement. */
enum { MAX_LEAK_TOTALS = 1440 };

/* The first program that told its build. */
typedef struct fl_leak_program {
    const char *file, *build_id; /* NULL: not said yet */
    bool several_builds;
} fl_leak_program;

/* What reading shares from input to input. */
typedef struct fl_leak_reader {
    fl_leak *leak;
    const fl_signatures *library; /* what traces are judged by */
    fl_profile *profile;          /* its memory is used again */
    fl_naming *naming;            /* names for what has none; NULL: none were given */
    fl_profile *named;            /* with naming: the profile with its names */
    fl_naming_result names;       /* of all profiles together */
    fl_buf text;                  /* the same */
    fl_stream_block content;      /* the same */
    fl_leak_inputs *inputs;
    fl_leak_program program;
    fl_leak_heaps heaps;   /* of Java programs; disposed of by who made the reader */
    fl_leak_histos histos; /* the same */
    fl_arena *arena;
    fl_leak_total *totals; /* room for MAX_LEAK_TOTALS */
    size_t total_count;
    fl_trace_findings traces;
    fl_leak_traces *apart;  /* where traces are kept unjudged; NULL: they are judged */
    uint64_t crash_reports; /* of Java virtual machines */
    const char *warning;    /* of the last input; NULL: none */
} fl_leak_reader;

/* `bytes` NULL: the file `name`; else what was fetched from the address `name`. `default_ns` dates
 * what says no time; 0: not known. FL_OK also for what is of no use: it is counted, and `warning`
 * says so. FL_E_IO, FL_E_NOTFOUND, FL_E_SYNTAX, FL_E_TRUNCATED, FL_E_LIMIT: this input is damaged;
 * FL_E_UNSUPPORTED: it is something else, and the message says what. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_leak_read(fl_leak_reader *reader, const char *name, const fl_slice *bytes,
                                    int64_t default_ns, fl_error *err);

#endif
