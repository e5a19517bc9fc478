/*
 * callgraph_inputs.c - names to numbers, filters to flags: each once, not once a sample.
 *
 * A filter asks a location: it matches when a name or a file of any of its lines does, or the name
 * of what it was loaded from. A sample stays when one of its locations is focused on (or there is
 * no focus) and none is ignored.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "callgraph_priv.h"
#include "faultline/limits.h"
#include "mem.h"
#include "regex.h"

/* Compiled once; NULL: not given. */
typedef struct filters {
    fl_regex *focus, *ignore;
} filters;

static fl_status fail_nomem(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a call graph");
}

/* --- names --- */

/* A frame without a function is known by what it was loaded from. */
static fl_status nameless(fl_sym *out, fl_intern *names, fl_slice file, fl_error *err)
{
    char text[256];
    fl_slice base = fl_profile_base_name(file);
    if (base.len == 0)
        return fl_intern_put(out, names, FL_SLICE("<unknown>"), err);
    if (base.len > sizeof(text) - 3)
        base.len = sizeof(text) - 3;
    snprintf(text, sizeof(text), "[%.*s]", FL_SLICE_ARG(base));
    return fl_intern_put(out, names, fl_slice_of(text), err);
}

/* A frame whose function has no name: by its file, else by what it was loaded from. */
static fl_status name_frame(fl_sym *out, const fl_profile *profile, uint32_t index,
                            fl_intern *names, fl_error *err)
{
    const fl_profile_function *function = fl_profile_function_of(profile, index);
    uint32_t mapping = profile->frames[index].mapping;
    fl_slice file = {0};
    if (function != NULL && function->file.len > 0)
        return fl_intern_put(out, names, function->file, err);
    if (mapping != FL_PROFILE_NONE)
        file = profile->mappings[mapping].file;
    return nameless(out, names, file, err);
}

/* `named`: the number of each function's name. Frames are several times as many as functions. */
static fl_status name_functions(fl_sym *named, const fl_profile *profile, fl_intern *names,
                                fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < profile->function_count && status == FL_OK; i++)
        if (profile->functions[i].name.len > 0)
            status = fl_intern_put(&named[i], names, profile->functions[i].name, err);
    return status;
}

/* Frames are few against samples: each is named once. */
static fl_status name_frames(fl_call_input *input, fl_intern *names, fl_error *err)
{
    const fl_profile *profile = input->profile;
    size_t count = profile->frame_count;
    fl_sym *named = fl_mem_calloc(profile->function_count, sizeof(*named));
    input->names = fl_mem_calloc(count, sizeof(*input->names));
    fl_status status = named != NULL && input->names != NULL
                           ? name_functions(named, profile, names, err)
                           : fail_nomem(err);
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        uint32_t function = profile->frames[i].function;
        if (function != FL_PROFILE_NONE && profile->functions[function].name.len > 0)
            input->names[i] = named[function];
        else
            status = name_frame(&input->names[i], profile, (uint32_t)i, names, err);
    }
    fl_mem_free(named);
    return status;
}

/* --- filters --- */

/* Any of the three texts that a frame is known by. */
static fl_status matches(bool *out, const fl_regex *regex, const fl_profile *profile,
                         uint32_t index, fl_error *err)
{
    const fl_profile_function *function = fl_profile_function_of(profile, index);
    uint32_t mapping = profile->frames[index].mapping;
    fl_slice texts[3] = {{0}};
    if (function != NULL) {
        texts[0] = function->name;
        texts[1] = function->file;
    }
    if (mapping != FL_PROFILE_NONE)
        texts[2] = profile->mappings[mapping].file;
    *out = false;
    fl_status status = FL_OK;
    for (size_t i = 0; i < 3 && status == FL_OK && !*out; i++)
        if (texts[i].len > 0)
            status = fl_regex_match(out, regex, texts[i], err);
    return status;
}

/* The flags of one frame's location. What is ignored is not focused on. */
static fl_status flag_frame(fl_call_inputs *all, fl_call_input *input, const filters *by,
                            uint32_t index, fl_error *err)
{
    bool is_focused = by->focus == NULL, is_ignored = false;
    fl_status status = FL_OK;
    if (by->ignore != NULL)
        status = matches(&is_ignored, by->ignore, input->profile, index, err);
    if (status == FL_OK && by->focus != NULL)
        status = matches(&is_focused, by->focus, input->profile, index, err);
    assert(input->profile->frames[index].location < input->profile->frame_count);
    unsigned char *flags = &input->keep[input->profile->frames[index].location];
    *flags |= is_focused ? FL_CALL_FOCUSED : 0;
    *flags |= is_ignored ? FL_CALL_IGNORED : 0;
    all->focus_matched |= is_focused;
    all->ignore_matched |= is_ignored;
    return status;
}

/* Frames of one location are next to each other and share their flags. */
static fl_status flag_locations(fl_call_inputs *all, fl_call_input *input, const filters *by,
                                fl_error *err)
{
    if (by->focus == NULL && by->ignore == NULL)
        return FL_OK;
    size_t count = input->profile->frame_count;
    input->keep = fl_mem_calloc(count + 1, 1);
    if (input->keep == NULL)
        return fail_nomem(err);
    fl_status status = FL_OK;
    for (size_t i = 0; i < count && status == FL_OK; i++)
        status = flag_frame(all, input, by, (uint32_t)i, err);
    return status;
}

bool fl_call_keeps(const fl_call_input *input, const fl_profile_sample *sample)
{
    if (input->keep == NULL)
        return true;
    const fl_profile *profile = input->profile;
    unsigned seen = 0;
    assert((size_t)sample->stack_at + sample->stack_count <= profile->stack_count);
    for (uint32_t k = 0; k < sample->stack_count; k++) {
        const fl_profile_frame *frame = &profile->frames[profile->stack[sample->stack_at + k]];
        seen |= input->keep[frame->location];
    }
    return seen == FL_CALL_FOCUSED;
}

/* --- sample types --- */

/* Says what there is, so that the user need not look it up. */
static fl_status fail_type(const fl_call_source *source, const char *wanted, fl_error *err)
{
    char list[100] = "";
    size_t used = 0;
    const fl_profile *profile = source->profile;
    for (size_t i = 0; i < profile->type_count && used < sizeof(list); i++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%.*s", i > 0 ? ", " : "",
                                 FL_SLICE_ARG(profile->types[i].name));
    return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "%.60s has no sample type '%.40s': it has %s",
                   source->name, wanted, list[0] != '\0' ? list : "none");
}

/* The type that is meant where none is named: of the first source that is no base. */
static fl_slice default_type(const fl_call_source *sources, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!sources[i].is_base && sources[i].profile->type_count > 0)
            return sources[i].profile->types[sources[i].profile->default_type].name;
    return (fl_slice){0};
}

/* Values of two units are not added up. */
static fl_status find_type(fl_call_inputs *all, fl_call_input *input, const fl_call_source *source,
                           fl_slice wanted, fl_error *err)
{
    char text[64];
    uint32_t type = fl_profile_type_find(source->profile, wanted);
    if (type == FL_PROFILE_NONE && source->profile->sample_count == 0)
        return FL_OK; /* nothing of that type, whatever it is */
    snprintf(text, sizeof(text), "%.*s", FL_SLICE_ARG(wanted));
    if (type == FL_PROFILE_NONE)
        return fail_type(source, text, err);
    input->type = type;
    fl_slice unit = source->profile->types[type].unit;
    if (all->unit.ptr != NULL && !fl_slice_equal(all->unit, unit))
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "%.60s counts %s in %.*s, others in %.*s", source->name, text,
                       FL_SLICE_ARG(unit), FL_SLICE_ARG(all->unit));
    all->unit = unit;
    return FL_OK;
}

/* The same name in every source, whatever its place there. */
static fl_status find_types(fl_call_inputs *all, const fl_call_source *sources,
                            const fl_call_query *query, fl_error *err)
{
    fl_slice wanted =
        query->type != NULL ? fl_slice_of(query->type) : default_type(sources, all->count);
    fl_status status = FL_OK;
    for (size_t i = 0; i < all->count && status == FL_OK; i++)
        status = find_type(all, &all->items[i], &sources[i], wanted, err);
    all->type = wanted;
    return status;
}

/* Texts that outlive the profiles. */
static fl_status keep_text(fl_slice *text, fl_intern *names, fl_error *err)
{
    fl_sym sym = 0;
    fl_status status = fl_intern_put(&sym, names, *text, err);
    if (status == FL_OK)
        *text = fl_intern_text(names, sym);
    return status;
}

/* --- the whole --- */

/* Types before names: a wrong one is the likelier mistake. */
static fl_status init_inputs(fl_call_inputs *all, const fl_call_source *sources,
                             const fl_call_query *query, const filters *by, fl_error *err)
{
    fl_status status = find_types(all, sources, query, err);
    for (size_t i = 0; i < all->count && status == FL_OK; i++) {
        status = name_frames(&all->items[i], all->names, err);
        if (status == FL_OK)
            status = flag_locations(all, &all->items[i], by, err);
    }
    if (status == FL_OK)
        status = keep_text(&all->type, all->names, err);
    return status == FL_OK ? keep_text(&all->unit, all->names, err) : status;
}

/* A bad pattern is reported before any profile is looked at. */
static fl_status init_filters(filters *by, const fl_call_query *query, fl_error *err)
{
    fl_status status = FL_OK;
    if (query->focus != NULL)
        status = fl_regex_create(&by->focus, fl_slice_of(query->focus), false, err);
    if (status == FL_OK && query->ignore != NULL)
        status = fl_regex_create(&by->ignore, fl_slice_of(query->ignore), false, err);
    return status;
}

/* Filters are not needed any more once the flags are set. */
fl_status fl_call_inputs_init(fl_call_inputs *out, const fl_call_source *sources, size_t count,
                              const fl_call_query *query, fl_error *err)
{
    assert(out != NULL && sources != NULL && count > 0 && query != NULL);
    filters by = {0};
    *out = (fl_call_inputs){.items = fl_mem_calloc(count, sizeof(*out->items)), .count = count};
    fl_status status = out->items != NULL ? FL_OK : fail_nomem(err);
    if (status == FL_OK)
        status = fl_intern_create(&out->names, FL_MAX_PROFILE_NAME_BYTES, err);
    if (status == FL_OK)
        status = init_filters(&by, query, err);
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        out->items[i].profile = sources[i].profile;
        out->items[i].is_base = sources[i].is_base;
    }
    if (status == FL_OK)
        status = init_inputs(out, sources, query, &by, err);
    fl_regex_destroy(by.focus);
    fl_regex_destroy(by.ignore);
    if (status != FL_OK)
        fl_call_inputs_dispose(out);
    return status;
}

/* Takes what an init that failed has left. */
void fl_call_inputs_dispose(fl_call_inputs *inputs)
{
    assert(inputs != NULL);
    for (size_t i = 0; i < inputs->count && inputs->items != NULL; i++) {
        fl_mem_free(inputs->items[i].names);
        fl_mem_free(inputs->items[i].keep);
    }
    fl_mem_free(inputs->items);
    fl_intern_destroy(inputs->names);
    *inputs = (fl_call_inputs){0};
}
