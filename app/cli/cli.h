/*
 * cli.h - what a command is: one table that parsing, help, man pages and completion are made from.
 *
 * A command is a static fl_command; commands.c lists them. Its run function gets checked values: an
 * option of kind TIME holds a time, of kind CHOICE one of the choices, a required one is there.
 */
#ifndef FL_CLI_H
#define FL_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "buf.h"
#include "report.h"

/* Documented in each command's help; scripts depend on them. */
typedef enum fl_exit {
    FL_EXIT_OK = 0,
    FL_EXIT_ERROR = 1,
    FL_EXIT_USAGE = 2,
    FL_EXIT_PARTIAL = 5,    /* an input was unreadable, the rest was used */
    FL_EXIT_NO_CAUSE = 6,   /* no confident cause; stronger than PARTIAL */
    FL_EXIT_STILL_THERE = 7 /* the symptom has not cleared */
} fl_exit;

/* The outside world of one run. */
typedef struct fl_cli {
    FILE *out, *err;
    int64_t now_ns;
    fl_report_style style; /* of `out` */
    bool progress;         /* `err` is a terminal that understands control sequences */
} fl_cli;

typedef enum fl_option_kind {
    FL_OPTION_FLAG,
    FL_OPTION_TEXT,
    FL_OPTION_CHOICE,
    FL_OPTION_COUNT,
    FL_OPTION_RATIO,
    FL_OPTION_TIME,
    FL_OPTION_DURATION,
    FL_OPTION_SIZE, /* bytes */
    FL_OPTION_FILE,
    FL_OPTION_FOLDER /* or a file: completion offers both */
} fl_option_kind;

typedef struct fl_option {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    fl_option_kind kind;
    bool required, repeatable;
    const char *argument;       /* name of the value in help; NULL for a flag */
    const char *fallback;       /* the value where it is not given; NULL: none */
    const char *const *choices; /* NULL-terminated, for CHOICE */
    const char *help;           /* one sentence without a full stop */
} fl_option;

/* What a command does is chosen by its first operand, where it does several things. */
typedef struct fl_action {
    const char *name;
    const char *operands; /* that follow it; NULL: none */
    const char *help;
} fl_action;

typedef struct fl_operand {
    const char *name, *help;
    bool required;
    const char *const *choices;      /* NULL: any text */
    const fl_action *const *actions; /* the choices with what they do, NULL at the end */
    bool is_path;                    /* completion offers files */
    const char *more;      /* name of any number of further operands; NULL: none may follow */
    const char *more_help; /* NULL: the help of the first says it */
} fl_operand;

typedef struct fl_example {
    const char *line, *what;
} fl_example;

typedef struct fl_exit_note {
    fl_exit code;
    const char *when;
} fl_exit_note;

typedef struct fl_args fl_args;

typedef struct fl_command {
    const char *name;
    const char *summary;     /* a few words, lower case */
    const char *description; /* paragraphs divided by "\n" */
    const fl_option *options;
    size_t option_count;
    const fl_operand *operand; /* NULL: none */
    const fl_example *examples;
    size_t example_count;
    const fl_exit_note *exits;
    size_t exit_count;
    fl_exit (*run)(fl_cli *cli, const fl_args *args);
} fl_command;

#define FL_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* --- the table (commands.c) --- */
extern const fl_command *const fl_commands[];
extern const size_t fl_command_count;
/* Options that every command takes, and those of the program itself. */
extern const fl_option fl_common_options[];
extern const size_t fl_common_option_count;
/* NULL where there is none of that name. */
const fl_command *fl_command_find(const char *name);

extern const fl_command fl_cmd_triage;
extern const fl_command fl_cmd_sources;
extern const fl_command fl_cmd_incidents;
extern const fl_command fl_cmd_show;
extern const fl_command fl_cmd_confirm;
extern const fl_command fl_cmd_reject;
extern const fl_command fl_cmd_resolve;
extern const fl_command fl_cmd_similar;
extern const fl_command fl_cmd_postmortem;
extern const fl_command fl_cmd_graph;
extern const fl_command fl_cmd_recommend;
extern const fl_command fl_cmd_crash;
extern const fl_command fl_cmd_gc;
extern const fl_command fl_cmd_leak;
extern const fl_command fl_cmd_learn;
extern const fl_command fl_cmd_review;
extern const fl_command fl_cmd_signatures;
extern const fl_command fl_cmd_profile;
extern const fl_command fl_cmd_heap;
extern const fl_command fl_cmd_jfr;
extern const fl_command fl_cmd_mcp;
extern const fl_command fl_cmd_config;
extern const fl_command fl_cmd_drill;
extern const fl_command fl_cmd_serve;
extern const fl_command fl_cmd_status;
extern const fl_command fl_cmd_tail;
extern const fl_command fl_cmd_token;
extern const fl_command fl_cmd_trace;
extern const fl_command fl_cmd_completion;
extern const fl_command fl_cmd_help;
extern const fl_command fl_cmd_version;
extern const fl_command fl_cmd_watch;
extern const fl_command fl_cmd_web;

/* --- a run (run.c) --- */
/* Parse, run, flush. `argv` is main's. */
fl_exit fl_cli_run(fl_cli *cli, int argc, char *const *argv);
/* "faultline: " and the sentence, on `err`. */
void fl_cli_complain(fl_cli *cli, const char *format, ...) FL_PRINTF(2, 3);
/* The same for a failure that was recorded; returns FL_EXIT_ERROR. */
fl_exit fl_cli_fail(fl_cli *cli, const fl_error *err);
/* Write to `out`; false, after a complaint, when it could not be written. */
bool fl_cli_write(fl_cli *cli, fl_slice bytes);
/* Write what `buf` holds and dispose of it. FL_EXIT_OK or FL_EXIT_ERROR. */
fl_exit fl_cli_write_buf(fl_cli *cli, fl_buf *buf);

/* The end of a command that made `buf`: write and dispose of it, or say why `status` failed. */
fl_exit fl_cli_finish(fl_cli *cli, fl_buf *buf, fl_status status, const fl_error *err);

#endif
