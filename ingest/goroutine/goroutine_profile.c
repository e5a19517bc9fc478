/*
 * goroutine_profile.c - goroutine texts as a profile, for everything that works on profiles.
 *
 * A group is a sample: its stack, its count, and as labels what a profile has no place for:
 * `state`, `created_by`, and `wait`, the median in minutes.
 */
#include <assert.h>

#include "arena.h"
#include "faultline/limits.h"
#include "goroutine_read.h"
#include "map.h"
#include "profile_build.h"
#include "slice.h"

/* One profile on its way. */
typedef struct converting {
    fl_profile *out;
    fl_map *frames; /* address of an fl_goframe -> frame: distinct frames are distinct objects */
    fl_error *err;
} converting;

/* A copy that lives with the profile. */
static fl_status copy_text(fl_slice *out, converting *c, fl_slice text)
{
    *out = fl_arena_copy(fl_profile_arena(c->out), text);
    return out->ptr != NULL ? FL_OK
                            : fl_fail(c->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for goroutines");
}

/* Each frame and its function once; Go's texts name no functions but by their places. */
static fl_status frame_of(uint32_t *out, converting *c, const fl_goframe *from)
{
    assert(from != NULL);
    uint64_t *slot;
    bool is_new;
    fl_profile_function function = {0};
    fl_status status = fl_map_slot(&slot, c->frames, (uint64_t)(uintptr_t)from, &is_new, c->err);
    if (status != FL_OK || !is_new) {
        *out = status == FL_OK ? (uint32_t)*slot : FL_PROFILE_NONE;
        return status;
    }
    *slot = c->out->frame_count;
    *out = (uint32_t)*slot;
    status = copy_text(&function.name, c, from->function);
    if (status == FL_OK)
        status = copy_text(&function.file, c, from->file);
    if (status == FL_OK)
        status = fl_profile_add_function(c->out, &function, c->err);
    if (status != FL_OK)
        return status;
    fl_profile_frame frame = {.function = (uint32_t)c->out->function_count - 1,
                              .mapping = FL_PROFILE_NONE,
                              .location = *out,
                              .line = from->line};
    return fl_profile_add_frame(c->out, &frame, c->err);
}

/* Nothing for an empty text: a label that is there says something. */
static fl_status push_text(converting *c, fl_slice key, fl_slice text)
{
    assert(key.len > 0);
    fl_profile_label label = {.key = key};
    if (text.len == 0)
        return FL_OK;
    fl_status status = copy_text(&label.text, c, text);
    return status == FL_OK ? fl_profile_push_label(c->out, &label, c->err) : status;
}

/* A sample. */
static fl_status add_group(converting *c, const fl_gogroup *group)
{
    assert(c->out->type_count == 1);
    uint32_t frame;
    fl_status status = fl_profile_sample_begin(c->out, c->err);
    for (size_t k = 0; k < group->stack_count && status == FL_OK; k++) {
        status = frame_of(&frame, c, group->stack[k]);
        if (status == FL_OK)
            status = fl_profile_push_stack(c->out, frame, c->err);
    }
    if (status == FL_OK)
        status = push_text(c, FL_SLICE("state"), group->state);
    if (status == FL_OK && group->created_by != NULL)
        status = push_text(c, FL_SLICE("created_by"), group->created_by->function);
    fl_profile_label wait = {
        .key = FL_SLICE("wait"), .unit = FL_SLICE("minutes"), .number = group->wait_median};
    if (status == FL_OK && group->wait_median > 0)
        status = fl_profile_push_label(c->out, &wait, c->err);
    if (status != FL_OK)
        return status;
    assert(group->count > 0);
    fl_profile_set_value(c->out, 0, group->count < INT64_MAX ? (int64_t)group->count : INT64_MAX);
    fl_profile_sample_end(c->out);
    return FL_OK;
}

fl_status fl_goroutines_to_profile(fl_profile *out, const fl_goroutines *from, fl_error *err)
{
    assert(out != NULL && from != NULL);
    converting c = {.out = out, .err = err};
    bool is_leaked = from->form == FL_GOROUTINES_LEAKED;
    fl_slice name = is_leaked ? FL_SLICE("goroutineleak") : FL_SLICE("goroutine");
    fl_profile_begin(out);
    fl_status status = fl_map_create(&c.frames, FL_MAX_GO_FRAMES, err);
    if (status == FL_OK)
        status = fl_profile_add_type(out, name, FL_SLICE("count"), err);
    for (size_t i = 0; i < from->group_count && status == FL_OK; i++)
        status = add_group(&c, &from->groups[i]);
    fl_map_destroy(c.frames);
    if (status != FL_OK) {
        fl_profile_begin(out);
        return status;
    }
    out->form = from->form == FL_GOROUTINES_STACKS ? FL_PROFILE_FORM_STACKS : FL_PROFILE_FORM_TEXT;
    out->input_bytes = from->input_bytes;
    fl_profile_finish(out, name, is_leaked ? FL_PROFILE_GOROUTINE_LEAK : FL_PROFILE_GOROUTINE);
    return FL_OK;
}
