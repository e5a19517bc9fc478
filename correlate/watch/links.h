/*
 * links.h - out of the spans that pass by: who calls whom, and who is called from outside.
 *
 * Whole traces are sampled by a hash of their id, so that a parent is as likely to be here as its
 * child. A span is looked at one to two turns after it came, by when its parent has: a caller's
 * span ends after its callee's. One whose parent never came was called by something that does not
 * trace to here: it is an entry, as a root is.
 */
#ifndef FL_LINKS_H
#define FL_LINKS_H

#include "faultline/record.h"

typedef struct fl_links fl_links;

/* At most `max_spans` are held; 40 bytes each, and as much again for their index. */
FL_NODISCARD fl_status fl_links_create(fl_links **out, size_t max_spans, fl_error *err);
void fl_links_destroy(fl_links *links); /* NULL is a no-op */
FL_NODISCARD fl_status fl_links_note(fl_links *links, uint32_t service, const fl_span *span,
                                     fl_error *err);

typedef struct fl_links_visitor {
    void *payload;
    void (*call)(void *payload, uint32_t caller, uint32_t callee);
    void (*entry)(void *payload, uint32_t service, bool is_entry); /* of each request */
} fl_links_visitor;

/* Tell of the spans that came before the last turn, and forget them. */
void fl_links_turn(fl_links *links, const fl_links_visitor *to);

#endif
