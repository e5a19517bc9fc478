/*
 * otlp.c - a reader's life: its scratch memory, all of it at its limit from the start.
 *
 * A record is read into arrays that are as large as limits.h lets any record be, so that reading
 * one allocates nothing but the text of decoded strings, and a limit is a comparison and never a
 * failure of memory. They are paid for once a reader, whatever the input.
 */
#include <assert.h>

#include "mem.h"
#include "otlp_priv.h"

/* False where memory ran out; what was allocated is freed by fl_otlp_destroy(). */
static bool list_init(fl_otlp_list *list, size_t cap)
{
    assert(cap > 0);
    list->items = fl_mem_calloc(cap, sizeof(*list->items));
    list->cap = cap;
    return list->items != NULL;
}

_Static_assert(FL_OTLP_MAX_BRACKETS % 64 == 0, "brackets are kept in words of 64 bits");
_Static_assert(FL_OTLP_MAX_DOUBLES % 64 == 0, "renamed_bits is kept in words of 64 bits");

/* All or nothing is not needed here: a reader with half of its arrays is destroyed as a whole. */
static bool scratch_init(fl_otlp *otlp)
{
    otlp->events = fl_mem_calloc(FL_MAX_EVENTS_PER_SPAN, sizeof(*otlp->events));
    otlp->bounds = fl_mem_calloc(FL_MAX_BUCKETS_PER_POINT, sizeof(*otlp->bounds));
    otlp->values = fl_mem_calloc(FL_MAX_BUCKETS_PER_POINT, sizeof(*otlp->values));
    otlp->counts = fl_mem_calloc(FL_MAX_BUCKETS_PER_POINT, sizeof(*otlp->counts));
    otlp->brackets = fl_mem_calloc(FL_OTLP_MAX_BRACKETS / 64, sizeof(*otlp->brackets));
    return list_init(&otlp->attrs, FL_MAX_ATTRS_PER_RECORD) &&
           list_init(&otlp->event_attrs, FL_MAX_EVENT_ATTRS_PER_SPAN) && otlp->events != NULL &&
           otlp->bounds != NULL && otlp->values != NULL && otlp->counts != NULL &&
           otlp->brackets != NULL;
}

fl_status fl_otlp_create(fl_otlp **out, const fl_sink *sink, fl_error *err)
{
    assert(sink->resource != NULL && sink->span != NULL && sink->log != NULL);
    assert(sink->point != NULL && sink->reject != NULL);
    *out = NULL;
    fl_otlp *otlp = fl_mem_calloc(1, sizeof(*otlp));
    if (otlp == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    otlp->sink = *sink;
    otlp->record_arena = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES);
    otlp->outer_arena = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES);
    otlp->text = fl_buf_of(FL_MAX_RECORD_LINE_BYTES);
    fl_otlp_semconv_init(otlp);
    if (!scratch_init(otlp)) {
        fl_otlp_destroy(otlp);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    }
    *out = otlp;
    return FL_OK;
}

void fl_otlp_destroy(fl_otlp *otlp)
{
    if (otlp == NULL)
        return;
    fl_arena_dispose(&otlp->record_arena);
    fl_arena_dispose(&otlp->outer_arena);
    fl_buf_dispose(&otlp->text);
    fl_mem_free(otlp->attrs.items);
    fl_mem_free(otlp->event_attrs.items);
    fl_mem_free(otlp->events);
    fl_mem_free(otlp->bounds);
    fl_mem_free(otlp->values);
    fl_mem_free(otlp->counts);
    fl_mem_free(otlp->brackets);
    fl_mem_free(otlp);
}

void fl_otlp_set_strict(fl_otlp *otlp, bool strict)
{
    assert(otlp != NULL);
    otlp->strict = strict;
}

uint64_t fl_otlp_dropped(const fl_otlp *otlp)
{
    assert(otlp != NULL);
    return otlp->dropped;
}
