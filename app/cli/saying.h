/*
 * saying.h - what confirm, reject and resolve have in common: something is said of an incident, and
 * how sure the graph was and is of it is printed.
 */
#ifndef FL_SAYING_H
#define FL_SAYING_H

#include "report_memory.h"
#include "stored.h"

/* What one of the commands says, apart from the cause. */
typedef struct fl_saying {
    const char *what;               /* "confirmed" */
    const char *cause, *fix, *note; /* in words; NULL: not said */
    bool supports;
    fl_evidence_source source, fix_source;
    bool is_verified; /* later telemetry is asked whether it is so: resolve_verify.h */
} fl_saying;

/* Of the incident that the operand names and of one of its hypotheses, or a cause in words. */
fl_exit fl_say(fl_cli *cli, const fl_args *args, const fl_saying *said);

extern const fl_operand fl_saying_operand;

#define FL_SAYING_HYPOTHESIS                                                                       \
    {                                                                                              \
        .name = "hypothesis", .kind = FL_OPTION_COUNT, .argument = "N", .fallback = "1",           \
        .help = "Which hypothesis of the incident is meant, counted as 'show' lists them"          \
    }
#define FL_SAYING_CAUSE                                                                            \
    {                                                                                              \
        .name = "cause", .kind = FL_OPTION_TEXT, .argument = "TEXT",                               \
        .help = "The cause in words, where no hypothesis names it"                                 \
    }
#define FL_SAYING_AUTHOR                                                                           \
    {                                                                                              \
        .name = "author", .kind = FL_OPTION_TEXT, .argument = "NAME",                              \
        .help = "Who says it, instead of $USER"                                                    \
    }
#define FL_SAYING_STORE                                                                            \
    {                                                                                              \
        .name = "store", .kind = FL_OPTION_TEXT, .argument = "URL",                                \
        .help = "The store of the incident and the graph: a file, sqlite:FILE or "                 \
                "postgresql://HOST/NAME"                                                           \
    }

#endif
