/*
 * profile.c - what a reader asks of a finished profile.
 */
#include "faultline/profile.h"

#include <assert.h>

#include "slice.h"

static const char *const kind_names[FL_PROFILE_KIND_COUNT] = {
    [FL_PROFILE_OTHER] = "other",
    [FL_PROFILE_HEAP] = "heap",
    [FL_PROFILE_ALLOCS] = "allocs",
    [FL_PROFILE_GOROUTINE] = "goroutine",
    [FL_PROFILE_GOROUTINE_LEAK] = "goroutineleak",
    [FL_PROFILE_THREAD_CREATE] = "threadcreate",
    [FL_PROFILE_BLOCK] = "block",
    [FL_PROFILE_MUTEX] = "mutex",
    [FL_PROFILE_CPU] = "cpu",
    [FL_PROFILE_WALL] = "wall",
};

const char *fl_profile_kind_name(fl_profile_kind kind)
{
    assert((size_t)kind < FL_PROFILE_KIND_COUNT);
    return kind_names[kind];
}

uint32_t fl_profile_type_find(const fl_profile *profile, fl_slice name)
{
    assert(profile != NULL);
    for (size_t i = 0; i < profile->type_count; i++)
        if (fl_slice_equal(profile->types[i].name, name))
            return (uint32_t)i;
    return FL_PROFILE_NONE;
}

const fl_profile_label *fl_profile_label_find(const fl_profile *profile, size_t sample,
                                              fl_slice key)
{
    assert(profile != NULL && sample < profile->sample_count);
    const fl_profile_sample *row = &profile->samples[sample];
    for (size_t i = 0; i < row->label_count; i++)
        if (fl_slice_equal(profile->labels[row->label_at + i].key, key))
            return &profile->labels[row->label_at + i];
    return NULL;
}

fl_slice fl_profile_base_name(fl_slice path)
{
    size_t at = path.len;
    if (at == 0)
        return path;
    while (at > 0 && path.ptr[at - 1] != '/')
        at--;
    return (fl_slice){path.ptr + at, path.len - at};
}
