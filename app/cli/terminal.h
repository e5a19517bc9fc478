/*
 * terminal.h - what the terminal can show, and progress on it.
 *
 * Colour: --no-color and --color win; then NO_COLOR (not empty, no-color.org) forbids and
 * FORCE_COLOR (not empty, not "0") demands it; else it is used on a terminal whose TERM is set and
 * not "dumb". Marks beyond ASCII are used on a terminal whose locale names UTF-8.
 */
#ifndef FL_TERMINAL_H
#define FL_TERMINAL_H

#include "args.h"
#include "cli.h"

/* What the rules above read; so that they can be tested without a terminal. NULL: not set. */
typedef struct fl_terminal_facts {
    bool is_terminal;
    size_t width; /* of the terminal; 0: not known */
    const char *no_color, *force_color, *term, *columns;
    const char *lc_all, *lc_ctype, *lang;
} fl_terminal_facts;

/* Colours, width and characters by the rules above. */
fl_report_style fl_terminal_style(const fl_terminal_facts *facts);
/* TERM is set and not "dumb". */
bool fl_terminal_understands(const fl_terminal_facts *facts);
/* The facts about the stream `fd` and this process's environment. */
fl_terminal_facts fl_terminal_look(int fd);
/* Whether `out` and the standard input are a terminal that can be drawn over. */
bool fl_terminal_is_live(FILE *out);
/* --color and --no-color. */
void fl_terminal_override(fl_report_style *style, const fl_args *args);

/* One line on `err`, rewritten in place; it appears after a second and is gone at the end. */
typedef struct fl_progress {
    fl_cli *cli;
    int64_t started_ns, shown_ns; /* monotonic */
    bool is_shown;
} fl_progress;

/* Nothing is shown yet; end it on every way out. */
fl_progress fl_progress_begin(fl_cli *cli);
/* `payload` is the fl_progress: the callback of fl_triage_request. `total` 0: not known. */
void fl_progress_show(void *payload, const char *what, uint64_t done, uint64_t total);
void fl_progress_end(fl_progress *progress);

#endif
