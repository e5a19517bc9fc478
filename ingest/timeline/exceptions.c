/*
 * exceptions.c - what is thrown, by its type, its message and its first frame, out of the
 * exception.* attributes of log records and of span events.
 *
 * A line keeps its text, so that its template is that of the message; the type and the frame go
 * with the form of the line. Of several (one message, thrown at two places) the first by text
 * counts, so that the order of records does not.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "slice.h"
#include "stacktrace.h"
#include "timeline_priv.h"

static fl_slice text_at(const fl_attrs *attrs, fl_slice key)
{
    for (size_t i = 0; i < attrs->count; i++)
        if (fl_slice_equal(attrs->items[i].key, key) &&
            attrs->items[i].value.kind == FL_VALUE_STRING)
            return attrs->items[i].value.text;
    return (fl_slice){0};
}

/* "file:line function", each as far as it is known. */
static void spell_frame(struct thrown *out, fl_buf *text, const fl_frame *frame)
{
    fl_buf_clear(text);
    fl_buf_add(text, frame->file);
    if (frame->line.len > 0)
        fl_buf_printf(text, ":%.*s", FL_SLICE_ARG(frame->line));
    size_t located = text->len;
    if (frame->function.len > 0 && located > 0)
        fl_buf_char(text, ' ');
    fl_buf_add(text, frame->function);
    if (text->status != FL_OK)
        return;
    out->frame = fl_buf_slice(text);
    out->location = (fl_slice){.ptr = out->frame.ptr, .len = frame->line.len > 0 ? located : 0};
}

bool fl_tl_thrown_of(struct thrown *out, fl_timeline_builder *b, const fl_attrs *attrs)
{
    fl_frame frame;
    *out = (struct thrown){.type = text_at(attrs, FL_SLICE("exception.type")),
                           .message = text_at(attrs, FL_SLICE("exception.message"))};
    fl_slice trace = text_at(attrs, FL_SLICE("exception.stacktrace"));
    if (trace.len > 0 && fl_stack_first_frame(&frame, trace))
        spell_frame(out, &b->frame, &frame);
    return out->type.len > 0 || out->message.len > 0;
}

/* The smaller text, of which an empty one is the largest. */
static fl_sym smaller(const fl_timeline_builder *b, fl_sym a, fl_sym c)
{
    if (a == b->no_name || c == b->no_name)
        return a == b->no_name ? c : a;
    return fl_slice_compare(fl_intern_text(b->names, a), fl_intern_text(b->names, c)) <= 0 ? a : c;
}

fl_status fl_tl_note_thrown(fl_timeline_builder *b, uint32_t form, const struct thrown *thrown,
                            fl_error *err)
{
    fl_sym type, frame;
    uint64_t *slot;
    bool added;
    fl_error quiet = {0};
    if (form == FL_NO_INDEX || (thrown->type.len == 0 && thrown->frame.len == 0))
        return FL_OK;
    fl_status status = fl_tl_name(&type, b, thrown->type, err);
    if (status == FL_OK)
        status = fl_tl_name(&frame, b, thrown->frame, err);
    if (status == FL_OK)
        status = fl_tl_grow((void **)&b->thrown, b->thrown_count, sizeof(*b->thrown), err);
    if (status != FL_OK || type == FL_NO_INDEX || frame == FL_NO_INDEX)
        return status;
    status = fl_map_slot(&slot, b->thrown_ids, form, &added, &quiet);
    if (status != FL_OK)
        return status == FL_E_LIMIT ? FL_OK
                                    : fl_fail(err, status, FL_NO_OFFSET, "%s", quiet.message);
    if (added) {
        *slot = b->thrown_count;
        b->thrown[b->thrown_count++] =
            (struct raw_thrown){.form = form, .type = b->no_name, .frame = b->no_name};
    }
    struct raw_thrown *kept = &b->thrown[*slot];
    kept->type = smaller(b, kept->type, type);
    kept->frame = smaller(b, kept->frame, frame);
    return FL_OK;
}

static const char *first_text(const char *kept, const char *text)
{
    assert(text != NULL);
    return text[0] != '\0' && (kept == NULL || strcmp(text, kept) < 0) ? text : kept;
}

fl_status fl_tl_finish_thrown(fl_timeline_builder *b, const struct ranks *ranks,
                              const fl_template_list *templates, fl_error *err)
{
    fl_template *all;
    b->timeline.templates = templates->templates;
    b->timeline.template_count = templates->count;
    if (b->thrown_count == 0)
        return FL_OK;
    fl_status status = FL_TL_NEW(b, all, templates->count, "log templates", err);
    if (status != FL_OK)
        return status;
    memcpy(all, templates->templates, templates->count * sizeof(*all));
    for (size_t i = 0; i < b->thrown_count; i++) {
        const struct raw_thrown *from = &b->thrown[i];
        fl_template *to = &all[templates->template_of[from->form]];
        to->exception_type = first_text(to->exception_type, ranks->text[from->type]);
        to->exception_frame = first_text(to->exception_frame, ranks->text[from->frame]);
    }
    b->timeline.templates = all;
    return FL_OK;
}
