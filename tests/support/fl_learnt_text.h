/*
 * fl_learnt_text.h - a text learnt, and what it proposes as lines:
 *
 *   [-]kind | from | to [qualifier] [?]        '-': against; '?': the text is not sure
 */
#ifndef FL_LEARNT_TEXT_H
#define FL_LEARNT_TEXT_H

#include "buf.h"
#include "documents.h"
#include "learn.h"
#include "slice.h"

#include "fl_test.h"

typedef struct fl_learnt_text {
    fl_learn_rules *rules;
    fl_proposals *proposals;
    int64_t now_ns;
    fl_buf lines;
} fl_learnt_text;

static inline fl_status fl_learnt_take(const fl_document *document, void *payload, fl_error *err)
{
    fl_learnt_text *t = payload;
    return fl_learn_document(t->proposals, t->rules, document, t->now_ns, err);
}

/* Without the edges of `skip_kind` (FL_EDGE_KIND_COUNT: all). Valid until the next call. */
static inline const char *fl_learnt_lines(fl_learnt_text *t, fl_slice bytes, fl_edge_kind skip_kind)
{
    fl_error err = {0};
    fl_proposals_destroy(t->proposals);
    ck_assert_ok(fl_proposals_create(&t->proposals, &err));
    ck_assert_ok(fl_documents_read(bytes, "doc.md", fl_learnt_take, t, &err));
    fl_buf_dispose(&t->lines);
    t->lines = fl_buf_of(1 << 20);
    for (size_t i = 0; i < fl_proposals_count(t->proposals); i++) {
        const fl_proposal *p = fl_proposals_at(t->proposals, i);
        if (p->kind == skip_kind)
            continue;
        fl_buf_printf(&t->lines, "%s%s | %s | %s", p->supports ? "" : "-",
                      fl_edge_kind_name(p->kind), p->from.title, p->to.title);
        if (p->qualifier != NULL)
            fl_buf_printf(&t->lines, " [%s]", p->qualifier);
        fl_buf_text(&t->lines, p->is_hedged ? " ?\n" : "\n");
    }
    return t->lines.len > 0 ? t->lines.ptr : "";
}

static inline void fl_learnt_begin(fl_learnt_text *t)
{
    fl_error err = {0};
    *t = (fl_learnt_text){.now_ns = 1000};
    ck_assert_ok(fl_learn_rules_create(&t->rules, &err));
}

static inline void fl_learnt_end(fl_learnt_text *t)
{
    fl_proposals_destroy(t->proposals);
    fl_learn_rules_destroy(t->rules);
    fl_buf_dispose(&t->lines);
}

#endif
