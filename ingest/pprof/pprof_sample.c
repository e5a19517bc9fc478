/*
 * pprof_sample.c - the samples of profile.proto, which are nearly all of its bytes.
 *
 * A sample's numbers are decoded straight into the profile's tables: ids become frames, values go
 * into their row. Labels are remembered by their bytes, since a heap profile has one set for each
 * class of size and a text label repeats as well: what was read before is not read again.
 */
#include <assert.h>

#include "pprof_proto_priv.h"

/* --- samples --- */

/* Samples are counted from 0, as their rows in the table. */
static fl_status fail_packed(const fl_pprof_proto *p, const char *what, const unsigned char *at)
{
    return fl_pprof_fail(p->r, FL_E_SYNTAX, fl_pprof_offset(p->r, at),
                         "sample %zu: its packed %s end inside a number", p->sample_number, what);
}

/* Any location: an id beyond the table, one with inlined calls, or none at all. */
static fl_status push_location(fl_pprof_proto *p, uint64_t id, const unsigned char *at)
{
    fl_profile *profile = p->r->profile;
    uint32_t number = fl_pprof_find_id(&p->locations, id);
    if (number == 0)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, fl_pprof_offset(p->r, at),
                             "sample %zu names location id %llu, which is not there",
                             p->sample_number, (unsigned long long)id);
    fl_pprof_span frames = p->spans[number - 1];
    assert(frames.count > 0 && frames.first + frames.count <= profile->frame_count);
    uint32_t *room = fl_profile_stack_room(profile, frames.count, p->r->err);
    if (room == NULL)
        return p->r->err->status;
    for (uint32_t i = 0; i < frames.count; i++)
        room[i] = frames.first + i;
    fl_profile_stack_take(profile, frames.count);
    return FL_OK;
}

/* The common case in one loop: ids in the table, locations of a few frames. What is not common is
 * handed to push_location(). */
static fl_status push_packed_locations(fl_pprof_proto *p, fl_slice body)
{
    enum { SPARE = 64 };
    const unsigned char *at = body.ptr, *end = at + body.len;
    const fl_pprof_span *by_id = p->by_id;
    const uint64_t by_id_end = p->by_id_end;
    while (at < end) {
        uint32_t *room = fl_profile_stack_room(p->r->profile, body.len + SPARE, p->r->err);
        size_t used = 0;
        uint64_t id = 0;
        const unsigned char *next = NULL;
        if (room == NULL)
            return p->r->err->status;
        for (; at < end; at = next) {
            next = fl_pprof_short_varint(at, end, &id);
            if (next == NULL)
                return fail_packed(p, "location ids", at);
            fl_pprof_span frames = id < by_id_end ? by_id[id] : (fl_pprof_span){0};
            if (frames.count == 0 || used + frames.count > SPARE)
                break;
            for (uint32_t i = 0; i < frames.count; i++)
                room[used++] = frames.first + i;
        }
        fl_profile_stack_take(p->r->profile, used);
        if (at == end)
            break;
        fl_status status = push_location(p, id, at);
        if (status != FL_OK)
            return status;
        at = next;
    }
    return FL_OK;
}

/* Go packs them where there is more than one. */
static fl_status push_locations(fl_pprof_proto *p, fl_proto *in)
{
    if (in->type == FL_PROTO_BYTES)
        return push_packed_locations(p, in->body);
    return push_location(p, fl_proto_u64(in), in->bytes.ptr + in->field_pos);
}

/* Values beyond the types are only counted: the message says how many there were. */
static void set_value(fl_pprof_proto *p, size_t at, int64_t value)
{
    if (at >= p->r->profile->type_count)
        return;
    if (value > FL_PROFILE_VALUE_MAX || value < -FL_PROFILE_VALUE_MAX)
        fl_profile_set_value(p->r->profile, at, value);
    else
        p->values[at] = value;
}

static fl_status set_values(fl_pprof_proto *p, fl_proto *in, size_t *count)
{
    if (in->type != FL_PROTO_BYTES) {
        set_value(p, (*count)++, fl_proto_i64(in));
        return FL_OK;
    }
    const unsigned char *at = in->body.ptr, *end = at + in->body.len;
    while (at < end) {
        uint64_t value;
        const unsigned char *next = fl_pprof_short_varint(at, end, &value);
        if (next == NULL)
            return fail_packed(p, "values", at);
        set_value(p, (*count)++, (int64_t)value);
        at = next;
    }
    return FL_OK;
}

/* A text or a number with a unit. */
static fl_status read_label(fl_pprof_proto *p, fl_proto *in)
{
    fl_profile_label label = {0};
    uint64_t fields[5] = {0}; /* key, str, num, num_unit by their numbers */
    while (fl_proto_next(in))
        if (in->field < sizeof(fields) / sizeof(fields[0]))
            fields[in->field] = fl_proto_u64(in);
    if (!fl_proto_ok(in))
        return fl_pprof_fail_proto(p, "label", in);
    label.number = (int64_t)fields[3];
    fl_status status = fl_pprof_string(&label.key, p, fields[1], in->base_offset);
    if (status == FL_OK)
        status = fl_pprof_string(&label.text, p, fields[2], in->base_offset);
    if (status == FL_OK)
        status = fl_pprof_string(&label.unit, p, fields[4], in->base_offset);
    return status == FL_OK ? fl_profile_push_label(p->r->profile, &label, p->r->err) : status;
}

/* --- labels that were seen --- */

/* The labels of the sample in hand, which begin at its current field, as an earlier one's. */
static bool recall_labels(fl_pprof_proto *p, fl_proto *in)
{
    fl_slice tail = {in->bytes.ptr + in->field_pos, in->bytes.len - in->field_pos};
    const fl_pprof_memo *memo = fl_pprof_recall(p, tail);
    if (memo == NULL || memo->sample == FL_PROFILE_NONE)
        return false;
    fl_profile_share_labels(p->r->profile, &p->r->profile->samples[memo->sample]);
    in->pos = in->bytes.len;
    return true;
}

/* Only labels may stand in what is remembered. `sample` has them, or FL_PROFILE_NONE. */
static void remember_labels(fl_pprof_proto *p, fl_slice tail, uint32_t sample)
{
    if (tail.len < MEMO_MIN || tail.len > MEMO_MAX)
        return;
    fl_proto in = fl_proto_over(tail);
    while (fl_proto_next(&in))
        if (in.field != 3)
            return;
    fl_pprof_memo *memo = fl_pprof_recall(p, tail), *memos = fl_pprof_memos_of(p, tail);
    if (memo == NULL) { /* the older one goes */
        memo = &memos[0];
        memos[1] = memos[0];
    }
    *memo = (fl_pprof_memo){.tail = tail, .sample = sample};
}

/* --- whole samples --- */

/* What is known of a sample before its end. */
typedef struct sample_reading {
    size_t value_count, label_count;
    fl_slice tail; /* from the first label on */
} sample_reading;

/* The first label decides whether all were seen before. */
static fl_status read_sample_label(fl_pprof_proto *p, fl_proto *in, sample_reading *s)
{
    fl_proto label;
    if (s->label_count++ == 0) {
        s->tail = (fl_slice){in->bytes.ptr + in->field_pos, in->bytes.len - in->field_pos};
        if (recall_labels(p, in)) {
            s->tail.len = 0;
            return FL_OK;
        }
    }
    fl_proto_enter(&label, in);
    return fl_proto_ok(in) ? read_label(p, &label) : FL_OK;
}

/* Fields may be repeated and come in any order. */
static fl_status read_sample_field(fl_pprof_proto *p, fl_proto *in, sample_reading *s)
{
    switch (in->field) {
    case 1:
        return push_locations(p, in);
    case 2:
        return set_values(p, in, &s->value_count);
    case 3:
        return read_sample_label(p, in, s);
    default:
        return FL_OK;
    }
}

/* It counts only when it is whole: each type must have its value. */
static fl_status read_sample(fl_pprof_proto *p, fl_proto *in)
{
    fl_profile *profile = p->r->profile;
    sample_reading s = {0};
    fl_status status = fl_profile_sample_begin(profile, p->r->err);
    if (status != FL_OK)
        return status;
    p->values = fl_profile_open_values(profile);
    assert(p->skip_type == FL_PROFILE_NONE || p->skip_type < profile->type_count);
    while (status == FL_OK && fl_proto_next(in))
        status = read_sample_field(p, in, &s);
    if (status != FL_OK)
        return status;
    if (!fl_proto_ok(in))
        return fl_pprof_fail_proto(p, "sample", in);
    if (s.value_count != profile->type_count)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, in->base_offset,
                             "sample %zu has %zu values for %zu sample types", p->sample_number,
                             s.value_count, profile->type_count);
    bool is_left_out = p->skip_type != FL_PROFILE_NONE && p->values[p->skip_type] == 0;
    uint32_t number = is_left_out ? FL_PROFILE_NONE : (uint32_t)profile->sample_count;
    if (s.tail.len > 0)
        remember_labels(p, s.tail, number);
    if (is_left_out)
        fl_profile_sample_drop(profile);
    else
        fl_profile_sample_end(profile);
    return FL_OK;
}

/* Of a run of samples, with their values and labels: ids take two bytes, and the rest as much. */
enum { RUN_BYTES_A_FRAME = 4 };

/* The last walk begins at the first sample and ends behind the last. */
fl_status fl_pprof_read_samples(fl_pprof_proto *p)
{
    fl_proto in = p->samples, sample;
    fl_status status = FL_OK;
    fl_profile_expect(p->r->profile, p->sample_count, (p->run_end - p->run_at) / RUN_BYTES_A_FRAME);
    while (status == FL_OK && p->sample_number < p->sample_count) {
        fl_pprof_take_run(p, &in);
        if (p->sample_number == p->sample_count || !fl_proto_next(&in))
            break;
        if (in.field != F_SAMPLE)
            continue;
        fl_proto_enter(&sample, &in);
        status =
            fl_proto_ok(&in) ? read_sample(p, &sample) : fl_pprof_fail_proto(p, "profile", &in);
        p->sample_number++;
    }
    return status;
}
