/*
 * intake.c - refusing what cannot be read.
 *
 * Lines are counted only where a refusal needs one, from the last one on, so that a payload with
 * many mistakes is still read in one pass.
 */
#include "intake.h"

#include <assert.h>

#include "slice.h"

void fl_intake_begin(fl_intake *to, fl_slice bytes, bool is_text)
{
    assert(to->sink != NULL && to->sink->reject != NULL && to->source != NULL);
    to->bytes = bytes;
    to->is_text = is_text;
    to->told_at = 0;
    to->told = to->rejects = 0;
}

/* From 1; 0 where the payload has no lines. */
static uint64_t line_of(fl_intake *to, uint64_t offset)
{
    if (!to->is_text)
        return 0;
    if (offset < to->told_at)
        to->told_at = to->told = 0;
    for (; to->told_at < offset && to->told_at < to->bytes.len; to->told_at++)
        to->told += to->bytes.ptr[to->told_at] == '\n';
    return to->told + 1;
}

fl_status fl_intake_refuse(fl_intake *to, uint64_t offset, uint64_t records, const char *reason,
                           fl_error *err)
{
    assert(reason != NULL && records > 0);
    uint64_t at = offset < to->bytes.len ? offset : to->bytes.len;
    uint64_t line = line_of(to, at);
    to->rejects++;
    if (to->strict && line > 0)
        return fl_fail(err, FL_E_SYNTAX, at, "%s:%llu: %s", to->source, (unsigned long long)line,
                       reason);
    if (to->strict)
        return fl_fail(err, FL_E_SYNTAX, at, "%s: %s", to->source, reason);
    fl_reject reject = {
        .source = to->source, .line = line, .offset = at, .reason = reason, .records = records};
    return to->sink->reject(to->sink->payload, &reject, err);
}

fl_status fl_intake_refuse_error(fl_intake *to, const fl_error *why, uint64_t offset,
                                 uint64_t records, fl_error *err)
{
    assert(why->status != FL_OK);
    if (why->status == FL_E_NOMEM)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "%s: %s", to->source, why->message);
    return fl_intake_refuse(to, why->offset != FL_NO_OFFSET ? why->offset : offset, records,
                            why->message, err);
}

fl_status fl_intake_pass_over(fl_intake *to, fl_json *in, fl_json_mark mark, bool *sound,
                              fl_error *err)
{
    fl_error why = in->err;
    assert(why.status != FL_OK);
    fl_json_rewind(in, mark);
    fl_json_skip(in);
    *sound = fl_json_ok(in);
    return fl_intake_refuse_error(to, &why, mark.pos, 1, err);
}

fl_json fl_intake_reader(const fl_intake *to, fl_slice part, fl_arena *arena)
{
    size_t at = (size_t)(part.ptr - to->bytes.ptr);
    assert(at + part.len <= to->bytes.len);
    fl_json in = fl_json_over((fl_slice){.ptr = to->bytes.ptr, .len = at + part.len}, arena);
    in.pos = at;
    return in;
}

fl_slice fl_intake_text(fl_slice bytes)
{
    if (!fl_slice_starts_with(bytes, FL_SLICE("\xef\xbb\xbf")))
        return bytes;
    return (fl_slice){.ptr = bytes.ptr + 3, .len = bytes.len - 3};
}

bool fl_intake_time(int64_t *out_ns, int64_t value, int64_t unit_ns)
{
    assert(unit_ns > 0);
    if (value < 0 || value > INT64_MAX / unit_ns)
        return false;
    *out_ns = value * unit_ns;
    return true;
}
