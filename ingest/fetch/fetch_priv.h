/*
 * fetch_priv.h - between the transfer and what knows about pprof.
 */
#ifndef FL_FETCH_PRIV_H
#define FL_FETCH_PRIV_H

#include "fetch.h"

typedef struct fl_fetch_how {
    unsigned seconds; /* that the server takes before it answers */
    bool may_be_page;
} fl_fetch_how;

FL_NODISCARD fl_status fl_fetch_run(fl_fetch_answer *out, fl_fetch *fetch, const char *url,
                                    const fl_fetch_how *how, fl_error *err);

/* Whether a body is HTML, whatever its content type says. */
bool fl_fetch_is_page(fl_slice body);
/* Of a page, without its tags; empty where there is none. */
fl_slice fl_fetch_title(fl_slice body);

#endif
