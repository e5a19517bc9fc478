/*
 * naming_apply.c - a profile, copied frame by frame with the names that it lacked.
 *
 * A location without a name is one frame with an address; it becomes as many frames as calls were
 * inlined there, all of the same location. A frame in generated JavaScript becomes one frame in its
 * source. All others stay what they are.
 *
 * Invariants: (1) mappings and functions of the input keep their indexes, new functions follow;
 * (2) frame i of the input is frames first[i] .. first[i + 1) of the output; (3) a program names
 * only addresses of a mapping that is its own: an address of a library would look like one of its
 * code.
 */
#include <assert.h>
#include <string.h>

#include "demangle.h"
#include "hash.h"
#include "map.h"
#include "mem.h"
#include "naming_priv.h"
#include "number.h"
#include "profile_build.h"
#include "slice.h"

enum { NOT_ASKED = -2, NO_MAP = -1 };

/* One profile on its way. */
typedef struct applying {
    fl_profile *out;
    const fl_naming *naming;
    const fl_profile *in;
    fl_naming_result *result;
    fl_map *functions; /* hash of name and file -> function of the output */
    uint32_t *first;   /* frame_count + 1 */
    int32_t *map_of;   /* for each function of the input: a map, NO_MAP or NOT_ASKED */
    fl_error *err;
} applying;

/* A function of that name in that file, added where it is new. */
static fl_status function_of(uint32_t *out, applying *a, const fl_profile_function *wanted)
{
    uint64_t hash = fl_hash_mix(fl_hash_keyed(wanted->name)) ^ fl_hash_keyed(wanted->file);
    for (const uint64_t *found; (found = fl_map_find(a->functions, hash)) != NULL; hash++) {
        const fl_profile_function *is = &a->out->functions[*found];
        *out = (uint32_t)*found;
        if (fl_slice_equal(is->name, wanted->name) && fl_slice_equal(is->file, wanted->file) &&
            is->start_line == wanted->start_line)
            return FL_OK;
    }
    uint64_t *slot;
    fl_status status = fl_profile_add_function(a->out, wanted, a->err);
    if (status == FL_OK)
        status = fl_map_slot(&slot, a->functions, hash, NULL, a->err);
    if (status != FL_OK)
        return status;
    *out = (uint32_t)(a->out->function_count - 1);
    *slot = *out;
    return FL_OK;
}

/* --- addresses --- */

/* The mapping of a frame, by its index or by its address; NULL: not known. */
static const fl_profile_mapping *mapping_of(const fl_profile *in, const fl_profile_frame *frame)
{
    assert(frame->mapping == FL_PROFILE_NONE || frame->mapping < in->mapping_count);
    if (frame->mapping != FL_PROFILE_NONE)
        return &in->mappings[frame->mapping];
    for (size_t i = 0; i < in->mapping_count; i++)
        if (frame->address >= in->mappings[i].start && frame->address < in->mappings[i].limit)
            return &in->mappings[i];
    return NULL;
}

/* By build id where both are known, else the program of the profile, which its first mapping is. */
static bool is_own(applying *a, const fl_symbols *binary, const fl_profile_mapping *mapping)
{
    if (mapping == NULL)
        return a->in->mapping_count == 0;
    fl_slice id = fl_symbols_gnu_build_id(binary);
    bool is_program = mapping == a->in->mappings;
    if (id.len == 0 || mapping->build_id.len == 0)
        return is_program;
    bool is_same = fl_slice_equal(id, mapping->build_id);
    a->result->is_other_build |= is_program && !is_same;
    return is_same;
}

/* The first program that is the mapping's own and knows the address. */
static size_t ask_binaries(applying *a, const fl_profile_frame *frame,
                           fl_symbol found[FL_MAX_INLINED])
{
    const fl_profile_mapping *mapping = mapping_of(a->in, frame);
    for (size_t i = 0; i < a->naming->binary_count; i++) {
        const fl_symbols *binary = a->naming->binaries[i];
        if (!is_own(a, binary, mapping))
            continue;
        uint64_t address =
            mapping == NULL
                ? frame->address
                : fl_symbols_address(binary, frame->address, mapping->start, mapping->file_offset);
        size_t count = fl_symbols_find(binary, address, found);
        if (count > 0)
            return count;
    }
    return 0;
}

/* What the linker called the function, as its source has it: the other name of a function. */
static fl_status plain_name(fl_slice *out, applying *a, fl_slice system_name)
{
    enum { NAME_BYTES = 64 << 10 };
    fl_arena arena = fl_arena_of(NAME_BYTES);
    fl_slice plain;
    fl_status status = fl_demangle(&plain, system_name, &arena)
                           ? fl_profile_normalise_name(out, a->out, plain, a->err)
                           : fl_fail(a->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a name");
    fl_arena_dispose(&arena);
    return status;
}

/* One frame for each function at the address. */
static fl_status name_address(applying *a, const fl_profile_frame *frame)
{
    assert(frame->function == FL_PROFILE_NONE);
    fl_symbol found[FL_MAX_INLINED];
    size_t count = frame->address != 0 ? ask_binaries(a, frame, found) : 0;
    if (count == 0) {
        a->result->unnamed_addresses++;
        return fl_profile_add_frame(a->out, frame, a->err);
    }
    a->result->named_addresses++;
    for (size_t i = 0; i < count; i++) {
        fl_profile_function function = {.system_name = found[i].function,
                                        .file = found[i].file,
                                        .start_line = found[i].start_line};
        fl_profile_frame named = *frame;
        named.line = found[i].line;
        named.inlined = i + 1 < count;
        fl_status status = plain_name(&function.name, a, found[i].function);
        if (status == FL_OK)
            status = function_of(&named.function, a, &function);
        if (status == FL_OK)
            status = fl_profile_add_frame(a->out, &named, a->err);
        if (status != FL_OK)
            return status;
    }
    return FL_OK;
}

/* --- source maps --- */

/* The map of a generated file. Of several the one with the smaller path: folders have no order. */
static int32_t find_map(const fl_naming *naming, fl_slice file)
{
    fl_slice name = fl_profile_base_name(file);
    int32_t found = NO_MAP;
    for (size_t i = 0; i < naming->map_count && name.len > 0; i++)
        if (fl_slice_equal(naming->maps[i].file, name) &&
            (found == NO_MAP ||
             fl_slice_compare(naming->maps[i].path, naming->maps[found].path) < 0))
            found = (int32_t)i;
    return found;
}

/* "(anonymous:L#3:C#2)": where V8 says that a function without a name begins; its column, from 0,
 * if that is in the frame's own line. */
static uint32_t column_of(fl_slice name, int64_t line)
{
    static const fl_slice line_mark = FL_SLICE_INIT(":L#"), column_mark = FL_SLICE_INIT(":C#");
    size_t line_at = fl_slice_find(name, line_mark), column_at = fl_slice_find(name, column_mark);
    if (column_at >= name.len || line_at + line_mark.len > column_at ||
        name.ptr[name.len - 1] != ')')
        return FL_SRCMAP_ANY_COLUMN;
    size_t from = line_at + line_mark.len, column_from = column_at + column_mark.len;
    uint64_t told, column;
    if (!fl_parse_u64((fl_slice){name.ptr + from, column_at - from}, &told) || line < 0 ||
        told != (uint64_t)line ||
        !fl_parse_u64((fl_slice){name.ptr + column_from, name.len - 1 - column_from}, &column) ||
        column == 0 || column >= UINT32_MAX)
        return FL_SRCMAP_ANY_COLUMN;
    return (uint32_t)column - 1;
}

/* The frame as it is, or in its source. */
static fl_status map_frame(applying *a, const fl_profile_frame *frame)
{
    assert(frame->function < a->in->function_count);
    const fl_profile_function *function = &a->in->functions[frame->function];
    int32_t *map = &a->map_of[frame->function];
    fl_profile_frame mapped = *frame;
    fl_srcplace place;
    if (*map == NOT_ASKED)
        *map = find_map(a->naming, function->file);
    if (*map != NO_MAP && frame->line > 0 && frame->line <= UINT32_MAX &&
        fl_srcmap_find(&place, a->naming->maps[*map].map, (uint32_t)frame->line,
                       column_of(function->name, frame->line))) {
        fl_profile_function at_source = {
            .name = function->name, .system_name = function->system_name, .file = place.source};
        fl_status status = function_of(&mapped.function, a, &at_source);
        if (status != FL_OK)
            return status;
        mapped.line = place.line;
        a->result->mapped_places++;
    }
    return fl_profile_add_frame(a->out, &mapped, a->err);
}

/* --- the copy --- */

/* What is the same in both: all but frames and stacks. */
static fl_status copy_tables(applying *a)
{
    fl_profile *out = a->out;
    const fl_profile *in = a->in;
    fl_status status = FL_OK;
    fl_profile_begin(out);
    for (size_t i = 0; i < in->type_count && status == FL_OK; i++)
        status = fl_profile_add_type(out, in->types[i].name, in->types[i].unit, a->err);
    for (size_t i = 0; i < in->comment_count && status == FL_OK; i++)
        status = fl_profile_add_comment(out, in->comments[i], a->err);
    for (size_t i = 0; i < in->mapping_count && status == FL_OK; i++)
        status = fl_profile_add_mapping(out, &in->mappings[i], a->err);
    for (size_t i = 0; i < in->function_count && status == FL_OK; i++)
        status = fl_profile_add_function(out, &in->functions[i], a->err);
    out->form = in->form;
    out->period_type = in->period_type;
    out->period = in->period;
    out->time_ns = in->time_ns;
    out->duration_ns = in->duration_ns;
    out->drop_frames = in->drop_frames;
    out->keep_frames = in->keep_frames;
    out->doc_url = in->doc_url;
    out->input_bytes = in->input_bytes;
    return status;
}

/* Invariant (2): the places of all frames, and one more for where the last one ends. */
static fl_status copy_frames(applying *a)
{
    const fl_profile *in = a->in;
    for (size_t i = 0; i < in->frame_count; i++) {
        a->first[i] = (uint32_t)a->out->frame_count;
        const fl_profile_frame *frame = &in->frames[i];
        fl_status status =
            frame->function == FL_PROFILE_NONE ? name_address(a, frame) : map_frame(a, frame);
        if (status != FL_OK)
            return status;
    }
    a->first[in->frame_count] = (uint32_t)a->out->frame_count;
    assert(a->out->frame_count >= in->frame_count);
    return FL_OK;
}

/* Its stack grows by what was inlined; values and labels stay. */
static fl_status copy_sample(applying *a, size_t index)
{
    const fl_profile *in = a->in;
    const fl_profile_sample *sample = &in->samples[index];
    fl_status status = fl_profile_sample_begin(a->out, a->err);
    for (uint32_t k = 0; k < sample->stack_count && status == FL_OK; k++) {
        uint32_t frame = in->stack[sample->stack_at + k];
        assert(frame < in->frame_count);
        for (uint32_t to = a->first[frame]; to < a->first[frame + 1] && status == FL_OK; to++)
            status = fl_profile_push_stack(a->out, to, a->err);
    }
    for (uint32_t k = 0; k < sample->label_count && status == FL_OK; k++)
        status = fl_profile_push_label(a->out, &in->labels[sample->label_at + k], a->err);
    if (status != FL_OK)
        return status;
    assert(a->out->type_count == in->type_count);
    for (size_t t = 0; t < in->type_count; t++)
        fl_profile_set_value(a->out, t, fl_profile_value(in, index, t));
    fl_profile_sample_end(a->out);
    return FL_OK;
}

/* The kind is the input's: names that were added must not change it. */
static fl_status copy_profile(applying *a)
{
    const fl_profile *in = a->in;
    fl_status status = copy_tables(a);
    if (status == FL_OK)
        status = copy_frames(a);
    for (size_t i = 0; i < in->sample_count && status == FL_OK; i++)
        status = copy_sample(a, i);
    if (status != FL_OK)
        return status;
    fl_slice type = in->type_count > 0 ? in->types[in->default_type].name : (fl_slice){0};
    fl_profile_finish(a->out, type, in->kind);
    a->out->clamped_values = in->clamped_values;
    return FL_OK;
}

/* Scratch memory of the frames and functions; all of it goes again. */
fl_status fl_naming_apply(fl_profile *out, const fl_naming *naming, const fl_profile *in,
                          fl_naming_result *result, fl_error *err)
{
    assert(out != NULL && naming != NULL && in != NULL && out != in && result != NULL);
    *result = (fl_naming_result){0};
    applying a = {.out = out, .naming = naming, .in = in, .result = result, .err = err};
    a.first = fl_mem_calloc(in->frame_count + 1, sizeof(*a.first));
    a.map_of = fl_mem_calloc(in->function_count + 1, sizeof(*a.map_of));
    fl_status status = a.first != NULL && a.map_of != NULL
                           ? fl_map_create(&a.functions, FL_MAX_NAMED_FUNCTIONS, err)
                           : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for names");
    for (size_t i = 0; status == FL_OK && i < in->function_count; i++)
        a.map_of[i] = NOT_ASKED;
    if (status == FL_OK)
        status = copy_profile(&a);
    if (status != FL_OK)
        fl_profile_begin(out);
    fl_map_destroy(a.functions);
    fl_mem_free(a.first);
    fl_mem_free(a.map_of);
    return status;
}
