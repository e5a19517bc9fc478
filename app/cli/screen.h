/*
 * screen.h - a terminal that is drawn over again: what is on it, its keys, its size, its end.
 *
 * While it is open the terminal shows the alternate screen, tells keys at once and does not echo;
 * what was there before is there again when it is closed, also where INT, TERM or HUP ends it.
 * While the program is stopped (TSTP) it is closed.
 */
#ifndef FL_SCREEN_H
#define FL_SCREEN_H

#include <stdbool.h>
#include <stdio.h>
#include <termios.h>

#include "buf.h"

typedef struct fl_screen {
    FILE *out;
    int in; /* where keys come from */
    struct termios before;
    size_t rows, columns;
    size_t first;      /* line that is shown at the top */
    size_t line_count; /* of what was drawn last */
    bool is_ended;     /* by a key or by a signal */
    bool is_stale;     /* its size or what is shown of it has changed since it was drawn */
} fl_screen;

/* Both must be a terminal. One at a time: signals belong to the process. FL_E_IO. */
FL_NODISCARD fl_status fl_screen_open(fl_screen *screen, FILE *out, int in, fl_error *err);
void fl_screen_close(fl_screen *screen);
/* Take the keys that were pressed and the signals that came: q ends, arrows, j, k, space and b
 * scroll. Never waits. */
void fl_screen_poll(fl_screen *screen);
/* How many lines `text` has. */
size_t fl_screen_lines(fl_slice text);
/* The lines of `text` from where it is scrolled to, and `status` below them. Lines and status are
 * cut at the edge; both may hold SGR sequences and no other. */
void fl_screen_draw(fl_screen *screen, fl_slice text, const char *status);

#endif
