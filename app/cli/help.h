/*
 * help.h - what the command table says, in each form that it is needed in.
 *
 * `command` NULL is the program itself. Failures stay in the buffer (fl_buf_check).
 */
#ifndef FL_HELP_H
#define FL_HELP_H

#include "cli.h"

enum { FL_MAX_HELP_BYTES = 1 << 20 };

/* For the terminal. */
void fl_help_text(fl_buf *out, const fl_command *command, const fl_report_style *style);
/* roff, man(7). */
void fl_help_man(fl_buf *out, const fl_command *command);
/* One line per way of use, without "faultline ". */
void fl_help_synopsis(fl_buf *out, const fl_command *command);

/* Completion scripts; "bash", "zsh" and "fish". */
extern const char *const fl_shells[];
void fl_completion(fl_buf *out, const char *shell);

/* What holds for all commands: the environment, and files. NULL-terminated by name. */
typedef struct fl_help_note {
    const char *name, *text;
} fl_help_note;
extern const fl_help_note fl_help_environment[];

#endif
