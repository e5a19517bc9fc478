/*
 * jfr_profile.c - a recording as a profile: each site is a sample, its groups are the columns.
 *
 * The columns of a sample's own group are set and those of the others 0, so that one file holds
 * what other tools write as several: "--sample-type" chooses. Samples stand in the order of the
 * recording's sites, the largest first.
 *
 * The class of a site is a label, "class", so that what is allocated stays apart where one line
 * allocates several.
 */
#include <assert.h>

#include "faultline/limits.h"
#include "jfr_recording.h"
#include "mem.h"
#include "profile_build.h"
#include "slice.h"

/* A group's columns: events, and what they amount to (NULL: nothing). */
static const struct {
    const char *events, *amount, *unit;
    fl_profile_kind kind;
} columns[FL_JFR_GROUP_COUNT] = {
    [FL_JFR_ALLOCATIONS] = {"alloc_samples", "alloc_space", "bytes", FL_PROFILE_ALLOCS},
    [FL_JFR_RUNNING] = {"cpu_samples", "cpu", "nanoseconds", FL_PROFILE_CPU},
    [FL_JFR_IN_NATIVE] = {"native_samples", NULL, NULL, FL_PROFILE_WALL},
    [FL_JFR_THROWN] = {"exceptions", NULL, NULL, FL_PROFILE_OTHER},
    [FL_JFR_WAITING] = {"lock_contentions", "lock_delay", "nanoseconds", FL_PROFILE_BLOCK},
};

/* What is looked at first, in this order. */
static const fl_jfr_group by_interest[FL_JFR_GROUP_COUNT] = {
    FL_JFR_RUNNING, FL_JFR_ALLOCATIONS, FL_JFR_WAITING, FL_JFR_THROWN, FL_JFR_IN_NATIVE};

struct making {
    fl_profile *profile;
    const fl_jfr_recording *from;
    uint32_t *function_of; /* by name; FL_PROFILE_NONE: not made yet */
    uint32_t *frame_of;    /* by frame, the same */
    size_t column[FL_JFR_GROUP_COUNT];
    fl_slice first; /* the default column */
    fl_profile_kind kind;
};

/* A stack may have been recorded without any amount: its column would be zeros. */
static bool has_amount(const fl_jfr_recording *from, fl_jfr_group group)
{
    return columns[group].amount != NULL && from->groups[group].amount > 0;
}

/* Groups without events have no column: an empty one would be offered as something to look at. */
static fl_status add_columns(struct making *m, fl_error *err)
{
    assert(m->profile->type_count == 0);
    fl_status status = FL_OK;
    for (int i = 0; i < FL_JFR_GROUP_COUNT && status == FL_OK; i++) {
        fl_jfr_group group = by_interest[i];
        if (m->from->groups[group].events == 0)
            continue;
        m->column[group] = m->profile->type_count;
        fl_slice name = fl_slice_of(columns[group].events);
        status = fl_profile_add_type(m->profile, name, FL_SLICE("count"), err);
        if (status == FL_OK && has_amount(m->from, group)) {
            name = fl_slice_of(columns[group].amount);
            status = fl_profile_add_type(m->profile, name, fl_slice_of(columns[group].unit), err);
        }
        if (m->first.len == 0) {
            m->first = name;
            m->kind = columns[group].kind;
        }
    }
    return status;
}

/* The recording's names may go before the profile does. */
static fl_status copy_name(fl_slice *out, struct making *m, uint32_t name, fl_error *err)
{
    assert(name != FL_JFR_NONE);
    *out = fl_arena_copy(fl_profile_arena(m->profile), fl_jfr_name(m->from->names, name));
    return out->ptr != NULL ? FL_OK
                            : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a name");
}

/* A function of the profile for a name; FL_PROFILE_NONE for none. */
static fl_status function_of(uint32_t *out, struct making *m, uint32_t name, fl_error *err)
{
    fl_profile_function made = {0};
    *out = name != FL_JFR_NONE ? m->function_of[name] : FL_PROFILE_NONE;
    if (name == FL_JFR_NONE || *out != FL_PROFILE_NONE)
        return FL_OK;
    fl_status status = copy_name(&made.name, m, name, err);
    if (status == FL_OK)
        status = fl_profile_add_function(m->profile, &made, err);
    if (status == FL_OK)
        *out = m->function_of[name] = (uint32_t)(m->profile->function_count - 1);
    return status;
}

/* Equal frames of all stacks are one frame of the profile. */
static fl_status push_frame(struct making *m, const fl_jfr_frame *frame, fl_error *err)
{
    assert(frame->number < fl_jfr_frame_count(m->from->names));
    fl_profile *profile = m->profile;
    uint32_t *known = &m->frame_of[frame->number];
    if (*known != FL_PROFILE_NONE)
        return fl_profile_push_stack(profile, *known, err);
    fl_profile_frame made = {.mapping = FL_PROFILE_NONE,
                             .location = (uint32_t)profile->frame_count,
                             .line = frame->line};
    fl_status status = function_of(&made.function, m, frame->function, err);
    if (status == FL_OK)
        status = fl_profile_add_frame(profile, &made, err);
    if (status != FL_OK)
        return status;
    *known = (uint32_t)(profile->frame_count - 1);
    return fl_profile_push_stack(profile, *known, err);
}

/* One sample: its stack, the columns of its group, and its class as a label. */
static fl_status add_site(struct making *m, fl_jfr_group group, const fl_jfr_site *site,
                          fl_error *err)
{
    assert(group < FL_JFR_GROUP_COUNT && m->from->groups[group].events > 0);
    fl_jfr_frame frame;
    fl_status status = fl_profile_sample_begin(m->profile, err);
    for (uint32_t at = site->stack; status == FL_OK && at != FL_JFR_NONE;) {
        at = fl_jfr_frame_of(&frame, m->from->names, at);
        status = push_frame(m, &frame, err);
    }
    if (status != FL_OK)
        return status;
    int64_t events = site->events < INT64_MAX ? (int64_t)site->events : INT64_MAX;
    fl_profile_set_value(m->profile, m->column[group], events);
    if (has_amount(m->from, group))
        fl_profile_set_value(m->profile, m->column[group] + 1, site->amount);
    fl_profile_label label = {.key = FL_SLICE("class")};
    if (site->type != FL_JFR_NONE) {
        status = copy_name(&label.text, m, site->type, err);
        if (status == FL_OK)
            status = fl_profile_push_label(m->profile, &label, err);
    }
    if (status == FL_OK)
        fl_profile_sample_end(m->profile);
    return status;
}

/* Columns first: samples are rows of all of them. */
static fl_status fill(struct making *m, fl_error *err)
{
    fl_status status = add_columns(m, err);
    for (int i = 0; i < FL_JFR_GROUP_COUNT && status == FL_OK; i++) {
        const fl_jfr_sites *sites = &m->from->groups[i];
        for (size_t k = 0; k < sites->count && status == FL_OK; k++)
            status = add_site(m, (fl_jfr_group)i, &sites->items[k], err);
    }
    return status;
}

fl_status fl_jfr_profile(fl_profile *profile, const fl_jfr_recording *recording, fl_error *err)
{
    assert(profile != NULL && recording != NULL);
    size_t names = fl_jfr_name_count(recording->names);
    size_t count = names + fl_jfr_frame_count(recording->names) + 1;
    struct making m = {.profile = profile, .from = recording, .first = FL_SLICE("")};
    m.function_of = fl_mem_calloc(count, sizeof(*m.function_of));
    if (m.function_of == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for names");
    memset(m.function_of, 0xff, count * sizeof(*m.function_of));
    m.frame_of = m.function_of + names;
    fl_profile_begin(profile);
    fl_status status = fill(&m, err);
    fl_mem_free(m.function_of);
    if (status != FL_OK) {
        fl_profile_begin(profile);
        return status;
    }
    profile->time_ns = recording->totals.from_ns;
    profile->duration_ns = recording->totals.to_ns - recording->totals.from_ns;
    profile->input_bytes = recording->totals.bytes;
    fl_profile_finish(profile, m.first, m.kind);
    return FL_OK;
}

fl_status fl_jfr_profile_file(fl_profile *profile, const char *path, fl_error *err)
{
    fl_jfr_recording *recording;
    fl_profile_begin(profile);
    fl_status status = fl_jfr_recording_file(&recording, path, err);
    if (status != FL_OK)
        return status;
    status = fl_jfr_profile(profile, recording, err);
    fl_jfr_recording_destroy(recording);
    return status;
}
