/*
 * shown.h - a document that is kept, as the page for a person: the answer, its picture, and of an
 * incident that a daemon follows what it rests on.
 */
#ifndef FL_SHOWN_H
#define FL_SHOWN_H

#include "report.h"
#include "store.h"

/* What of a stored incident a page is made from. */
typedef struct fl_shown {
    const char *document; /* JSON, NUL-terminated */
    const char *picture;  /* the same; NULL: there is none */
} fl_shown;

/* Append the page. A picture that cannot be read is said in a line at its end, and the answer is
 * there without it. FL_E_SYNTAX, FL_E_UNSUPPORTED, FL_E_LIMIT as fl_report_load(). */
FL_NODISCARD fl_status fl_shown_text(fl_buf *out, const fl_shown *shown,
                                     const fl_report_style *style, fl_error *err);
/* The picture of the incident that `document` describes; *out stays NULL where the store has none.
 * The caller frees it with fl_mem_free. */
FL_NODISCARD fl_status fl_shown_picture(char **out, fl_store *store, const char *document,
                                        fl_error *err);

#endif
