/*
 * pprof_proto.c - profile.proto (github.com/google/pprof/proto/profile.proto).
 *
 *   profile  := 1 sample_type*, 2 sample*, 3 mapping*, 4 location*, 5 function*, 6 string*,
 *               7 drop_frames, 8 keep_frames, 9 time, 10 duration, 11 period_type, 12 period,
 *               13 comment*, 14 default_sample_type, 15 doc_url
 *   type     := 1 type, 2 unit
 *   sample   := 1 location id*, 2 value*, 3 label*        label := 1 key, 2 str, 3 num, 4 num_unit
 *   mapping  := 1 id, 2 start, 3 limit, 4 offset, 5 file, 6 build id, 7.. flags
 *   location := 1 id, 2 mapping id, 3 address, 4 line*, 5 folded
 *   line     := 1 function id, 2 line, 3 column           line[0] is the innermost inlined call
 *   function := 1 id, 2 name, 3 system_name, 4 file, 5 start_line
 *
 * Texts are indexes into the strings, of which the first is empty. Messages come in any order, and
 * Go writes samples first and strings last: a first walk counts the messages, a second notes where
 * they are, then tables are read in the order in which they refer to each other, and a last walk
 * reads the samples. Repeated numbers come packed or one by one. Ids need not be dense.
 *
 * Cost: three walks over the top level, one look into each message, no allocation for a sample.
 */
#include <assert.h>

#include "faultline/limits.h"
#include "pprof_proto_priv.h"

/* --- texts and ids --- */

fl_status fl_pprof_fail_proto(const fl_pprof_proto *p, const char *what, const fl_proto *in)
{
    assert(!fl_proto_ok(in));
    return fl_pprof_fail(p->r, in->err.status, in->err.offset, "%s: %s", what, in->err.message);
}

static fl_status fail_nomem(const fl_pprof_proto *p)
{
    return fl_pprof_fail(p->r, FL_E_NOMEM, FL_NO_OFFSET, "no memory for its tables");
}

fl_status fl_pprof_string(fl_slice *out, const fl_pprof_proto *p, uint64_t index, uint64_t offset)
{
    const fl_pprof_messages *strings = &p->parts[F_STRING];
    *out = (fl_slice){(const unsigned char *)"", 0};
    if (index < strings->count)
        *out = strings->items[index];
    else if (index > 0)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, offset, "string %llu of %zu strings",
                             (unsigned long long)index, strings->count);
    return FL_OK;
}

/* Zeroed: no id is known. */
static fl_status ids_init(fl_pprof_ids *table, const fl_pprof_proto *p, size_t count,
                          const char *what)
{
    assert(table->dense == NULL && table->count == 0);
    table->what = what;
    table->dense_end = count * DENSE_RATIO + DENSE_MIN;
    table->dense =
        fl_arena_alloc(fl_profile_arena(p->r->profile), table->dense_end, sizeof(*table->dense));
    return table->dense != NULL ? FL_OK : fail_nomem(p);
}

uint32_t fl_pprof_find_id(const fl_pprof_ids *table, uint64_t id)
{
    if (id < table->dense_end)
        return table->dense[id];
    const uint64_t *found = table->sparse != NULL ? fl_map_find(table->sparse, id) : NULL;
    return found != NULL ? (uint32_t)*found : 0;
}

/* The id of the next item; its value is the item's number, counted from 1. */
static fl_status ids_add(fl_pprof_ids *table, const fl_pprof_proto *p, uint64_t id, uint64_t offset)
{
    uint32_t number = (uint32_t)++table->count;
    uint64_t *slot = NULL;
    if (id == 0)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, offset, "a %s has the reserved id 0", table->what);
    if (fl_pprof_find_id(table, id) != 0)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, offset, "%s id %llu is given twice", table->what,
                             (unsigned long long)id);
    if (id < table->dense_end) {
        table->dense[id] = number;
        return FL_OK;
    }
    fl_status status = FL_OK;
    if (table->sparse == NULL)
        status = fl_map_create(&table->sparse, FL_MAX_PROFILE_TABLE, NULL);
    if (status == FL_OK)
        status = fl_map_slot(&slot, table->sparse, id, NULL, NULL);
    if (status != FL_OK)
        return fail_nomem(p);
    *slot = number;
    return FL_OK;
}

/* --- the top level --- */

/* What is counted and noted; samples are too many to be noted. */
static bool is_part(unsigned field)
{
    switch (field) {
    case F_SAMPLE_TYPE:
    case F_MAPPING:
    case F_LOCATION:
    case F_FUNCTION:
    case F_STRING:
    case F_PERIOD_TYPE:
        return true;
    default:
        return false;
    }
}

/* The longest run of samples, by the field in hand. */
static void note_run(fl_pprof_proto *p, const fl_proto *in, size_t *run_at)
{
    assert(*run_at <= in->field_pos);
    if (in->field != F_SAMPLE) {
        *run_at = in->pos;
    } else if (in->pos - *run_at > p->run_end - p->run_at) {
        p->run_at = *run_at;
        p->run_end = in->pos;
    }
}

/* The next field of the top level that is not in that run. */
static bool next_part(const fl_pprof_proto *p, fl_proto *in)
{
    if (in->pos == p->run_at)
        in->pos = p->run_end;
    return fl_proto_next(in);
}

/* The first walk: how many there are of each message, and where the samples begin. */
static fl_status count_parts(fl_pprof_proto *p)
{
    fl_proto in = fl_proto_over(p->r->input);
    size_t run_at = 0;
    while (fl_proto_next(&in)) {
        if (in.field == F_SAMPLE) {
            if (p->sample_count == 0) {
                p->samples = in;
                p->samples.pos = in.field_pos;
            }
            p->sample_count += 1 + fl_pprof_count_run(&in);
        }
        note_run(p, &in, &run_at);
        if (in.field < F_END && is_part(in.field)) {
            p->parts[in.field].count++;
        }
    }
    if (!fl_proto_ok(&in))
        return fl_pprof_fail_proto(p, "profile", &in);
    for (size_t i = 0; i < F_END; i++) {
        fl_pprof_messages *m = &p->parts[i];
        m->items = fl_arena_alloc(fl_profile_arena(p->r->profile), m->count, sizeof(*m->items));
        if (m->items == NULL)
            return fail_nomem(p);
        m->count = 0;
    }
    return FL_OK;
}

/* What stands at the top level itself. Comments are indexes and need the strings: see
 * read_comments(). */
static void read_scalar(fl_pprof_proto *p, fl_profile *profile, fl_proto *in)
{
    switch (in->field) {
    case F_DROP_FRAMES:
        p->drop_frames = fl_proto_u64(in);
        break;
    case F_KEEP_FRAMES:
        p->keep_frames = fl_proto_u64(in);
        break;
    case F_TIME:
        profile->time_ns = fl_proto_i64(in);
        break;
    case F_DURATION:
        profile->duration_ns = fl_proto_i64(in);
        break;
    case F_PERIOD:
        profile->period = fl_proto_i64(in);
        break;
    case F_DEFAULT_TYPE:
        p->default_type = fl_proto_u64(in);
        break;
    case F_DOC_URL:
        p->doc_url = fl_proto_u64(in);
        break;
    default:
        break;
    }
}

/* The second walk: where each message is. */
static fl_status note_parts(fl_pprof_proto *p)
{
    fl_proto in = fl_proto_over(p->r->input);
    while (next_part(p, &in)) {
        if (in.field < F_END && is_part(in.field)) {
            fl_pprof_messages *m = &p->parts[in.field];
            m->items[m->count++] = fl_proto_bytes(&in);
        } else if (in.field != F_SAMPLE) {
            read_scalar(p, p->r->profile, &in);
        }
    }
    if (!fl_proto_ok(&in))
        return fl_pprof_fail_proto(p, "profile", &in);
    const fl_pprof_messages *strings = &p->parts[F_STRING];
    if (strings->count > 0 && strings->items[0].len > 0)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, fl_pprof_offset(p->r, strings->items[0].ptr),
                             "the first string is not empty");
    return FL_OK;
}

/* Offsets in failures count from the start of the input. */
static fl_proto reader_of(const fl_pprof_proto *p, fl_slice message)
{
    fl_proto in = {.type = FL_PROTO_NONE};
    fl_proto_init(&in, message, fl_pprof_offset(p->r, message.ptr));
    return in;
}

/* --- tables --- */

/* A pair of texts: a sample type, or the period's. */
static fl_status read_type(fl_profile_type *out, const fl_pprof_proto *p, fl_slice message)
{
    fl_proto in = reader_of(p, message);
    uint64_t name = 0, unit = 0;
    while (fl_proto_next(&in)) {
        if (in.field == 1)
            name = fl_proto_u64(&in);
        else if (in.field == 2)
            unit = fl_proto_u64(&in);
    }
    if (!fl_proto_ok(&in))
        return fl_pprof_fail_proto(p, "sample type", &in);
    fl_status status = fl_pprof_string(&out->name, p, name, in.base_offset);
    return status == FL_OK ? fl_pprof_string(&out->unit, p, unit, in.base_offset) : status;
}

/* They come before the samples, whose values they count. */
static fl_status read_types(fl_pprof_proto *p)
{
    fl_profile *profile = p->r->profile;
    const fl_pprof_messages *types = &p->parts[F_SAMPLE_TYPE], *period = &p->parts[F_PERIOD_TYPE];
    fl_status status = FL_OK;
    for (size_t i = 0; i < types->count && status == FL_OK; i++) {
        fl_profile_type type;
        status = read_type(&type, p, types->items[i]);
        if (status == FL_OK)
            status = fl_profile_add_type(profile, type.name, type.unit, p->r->err);
    }
    if (status == FL_OK && period->count > 0) /* of a field that is no list the last one counts */
        status = read_type(&profile->period_type, p, period->items[period->count - 1]);
    if (status == FL_OK && types->count == 0 && p->sample_count > 0)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, 0, "it has %zu samples, but no sample type",
                             p->sample_count);
    return status;
}

/* A loaded file; its build id is what a symbolizer looks for. */
static fl_status read_mapping(fl_pprof_proto *p, fl_slice message)
{
    fl_proto in = reader_of(p, message);
    fl_profile_mapping mapping = {0};
    uint64_t id = 0, file = 0, build_id = 0;
    while (fl_proto_next(&in)) {
        switch (in.field) {
        case 1:
            id = fl_proto_u64(&in);
            break;
        case 2:
            mapping.start = fl_proto_u64(&in);
            break;
        case 3:
            mapping.limit = fl_proto_u64(&in);
            break;
        case 4:
            mapping.file_offset = fl_proto_u64(&in);
            break;
        case 5:
            file = fl_proto_u64(&in);
            break;
        case 6:
            build_id = fl_proto_u64(&in);
            break;
        default: /* what is known of its symbols shows in the locations themselves */
            break;
        }
    }
    if (!fl_proto_ok(&in))
        return fl_pprof_fail_proto(p, "mapping", &in);
    fl_status status = ids_add(&p->mappings, p, id, in.base_offset);
    if (status == FL_OK)
        status = fl_pprof_string(&mapping.file, p, file, in.base_offset);
    if (status == FL_OK)
        status = fl_pprof_string(&mapping.build_id, p, build_id, in.base_offset);
    return status == FL_OK ? fl_profile_add_mapping(p->r->profile, &mapping, p->r->err) : status;
}

/* Writers without a demangler leave one of the two names empty. */
static fl_status read_function(fl_pprof_proto *p, fl_slice message)
{
    fl_proto in = reader_of(p, message);
    uint64_t fields[6] = {0}; /* id, name, system name, file, start line by their numbers */
    fl_profile_function function = {0};
    while (fl_proto_next(&in))
        if (in.field < sizeof(fields) / sizeof(fields[0]))
            fields[in.field] = fl_proto_u64(&in);
    if (!fl_proto_ok(&in))
        return fl_pprof_fail_proto(p, "function", &in);
    function.start_line = (int64_t)fields[5];
    fl_status status = ids_add(&p->functions, p, fields[1], in.base_offset);
    if (status == FL_OK)
        status = fl_pprof_string(&function.name, p, fields[2], in.base_offset);
    if (status == FL_OK)
        status = fl_pprof_string(&function.system_name, p, fields[3], in.base_offset);
    if (status == FL_OK)
        status = fl_pprof_string(&function.file, p, fields[4], in.base_offset);
    if (status == FL_OK && function.name.len == 0)
        function.name = function.system_name;
    if (status == FL_OK && p->r->options.normalise_names)
        status = fl_profile_normalise_name(&function.name, p->r->profile, function.name, p->r->err);
    return status == FL_OK ? fl_profile_add_function(p->r->profile, &function, p->r->err) : status;
}

/* One line of a location becomes a frame, which learns the location's own members at its end. */
static fl_status read_line(fl_pprof_proto *p, fl_proto *line)
{
    uint64_t function = 0;
    fl_profile_frame frame = {.mapping = FL_PROFILE_NONE};
    while (fl_proto_next(line)) {
        if (line->field == 1)
            function = fl_proto_u64(line);
        else if (line->field == 2)
            frame.line = fl_proto_i64(line);
    }
    if (!fl_proto_ok(line))
        return fl_pprof_fail_proto(p, "line", line);
    uint32_t number = fl_pprof_find_id(&p->functions, function);
    if (number == 0)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, line->base_offset,
                             "a line names function id %llu, which is not there",
                             (unsigned long long)function);
    frame.function = number - 1;
    return fl_profile_add_frame(p->r->profile, &frame, p->r->err);
}

/* What a location says of itself. */
typedef struct location_head {
    uint64_t id, mapping, address;
} location_head;

/* Its members in any order. */
static fl_status read_members(fl_pprof_proto *p, fl_proto *in, location_head *head)
{
    fl_proto line;
    fl_status status = FL_OK;
    while (status == FL_OK && fl_proto_next(in)) {
        switch (in->field) {
        case 1:
            head->id = fl_proto_u64(in);
            break;
        case 2:
            head->mapping = fl_proto_u64(in);
            break;
        case 3:
            head->address = fl_proto_u64(in);
            break;
        case 4:
            fl_proto_enter(&line, in);
            if (fl_proto_ok(in))
                status = read_line(p, &line);
            break;
        default:
            break;
        }
    }
    return status != FL_OK || fl_proto_ok(in) ? status : fl_pprof_fail_proto(p, "location", in);
}

/* Its lines, innermost first; without any, one frame that has the address alone. */
static fl_status read_location(fl_pprof_proto *p, fl_slice message)
{
    fl_profile *profile = p->r->profile;
    fl_proto in = reader_of(p, message);
    location_head head = {0};
    const fl_profile_frame nameless = {.function = FL_PROFILE_NONE, .mapping = FL_PROFILE_NONE};
    size_t first = profile->frame_count;
    const uint32_t location = (uint32_t)p->locations.count;
    fl_status status = read_members(p, &in, &head);
    if (status == FL_OK && profile->frame_count == first)
        status = fl_profile_add_frame(profile, &nameless, p->r->err);
    if (status != FL_OK)
        return status;
    uint32_t mapping = head.mapping > 0 ? fl_pprof_find_id(&p->mappings, head.mapping) : 0;
    if (head.mapping > 0 && mapping == 0)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, in.base_offset,
                             "location id %llu names mapping id %llu, which is not there",
                             (unsigned long long)head.id, (unsigned long long)head.mapping);
    size_t count = profile->frame_count - first;
    fl_profile_frame *frames = fl_profile_last_frames(profile, count);
    for (size_t i = 0; i < count; i++) {
        frames[i].mapping = mapping > 0 ? mapping - 1 : FL_PROFILE_NONE;
        frames[i].location = location;
        frames[i].address = head.address;
        frames[i].inlined = i + 1 < count;
    }
    p->spans[location] = (fl_pprof_span){(uint32_t)first, (uint32_t)count};
    return ids_add(&p->locations, p, head.id, in.base_offset);
}

typedef fl_status read_part_fn(fl_pprof_proto *p, fl_slice message);

/* All fl_pprof_messages of one field, in their order. */
static fl_status read_table(fl_pprof_proto *p, unsigned field, fl_pprof_ids *table,
                            const char *what, read_part_fn *read)
{
    const fl_pprof_messages *parts = &p->parts[field];
    if (parts->count > FL_MAX_PROFILE_TABLE)
        return fl_pprof_fail(p->r, FL_E_LIMIT, 0, "it has more than %u %ss", FL_MAX_PROFILE_TABLE,
                             what);
    fl_status status = ids_init(table, p, parts->count, what);
    for (size_t i = 0; i < parts->count && status == FL_OK; i++)
        status = read(p, parts->items[i]);
    return status;
}

/* Comments are strings by their index. */
static fl_status read_comment(fl_pprof_proto *p, uint64_t index, uint64_t offset)
{
    fl_slice text;
    fl_status status = fl_pprof_string(&text, p, index, offset);
    return status == FL_OK ? fl_profile_add_comment(p->r->profile, text, p->r->err) : status;
}

/* Packed or one by one. */
static fl_status read_comments(fl_pprof_proto *p)
{
    fl_proto in = fl_proto_over(p->r->input);
    fl_status status = FL_OK;
    while (status == FL_OK && next_part(p, &in)) {
        if (in.field != F_COMMENT)
            continue;
        if (in.type != FL_PROTO_BYTES) {
            status = read_comment(p, fl_proto_u64(&in), in.field_pos);
            continue;
        }
        const unsigned char *at = in.body.ptr, *end = at + in.body.len;
        while (status == FL_OK && at < end) {
            uint64_t index;
            at = fl_proto_varint(at, end, &index);
            if (at == NULL)
                return fl_pprof_fail(p->r, FL_E_SYNTAX, in.field_pos, "a comment's index is cut");
            status = read_comment(p, index, in.field_pos);
        }
    }
    return status;
}

/* --- the whole --- */

/* The spans of locations at their ids: what is looked up for each frame of each sample. */
static fl_status order_spans(fl_pprof_proto *p)
{
    const fl_pprof_ids *ids = &p->locations;
    p->by_id_end = ids->dense_end;
    while (p->by_id_end > 0 && ids->dense[p->by_id_end - 1] == 0)
        p->by_id_end--;
    p->by_id = fl_arena_alloc(fl_profile_arena(p->r->profile), p->by_id_end, sizeof(*p->by_id));
    if (p->by_id == NULL)
        return fail_nomem(p);
    for (size_t id = 0; id < p->by_id_end; id++)
        if (ids->dense[id] > 0)
            p->by_id[id] = p->spans[ids->dense[id] - 1];
    uint64_t end = 1;
    while (end < ids->dense_end && ids->dense[end] > 0)
        end++;
    fl_pprof_know(&p->known, end);
    return FL_OK;
}

/* Each table is read behind those it refers to. */
static fl_status read_tables(fl_pprof_proto *p)
{
    fl_status status = read_types(p);
    if (status == FL_OK)
        status = read_table(p, F_MAPPING, &p->mappings, "mapping", read_mapping);
    fl_profile_expect_frames(p->r->profile, p->parts[F_FUNCTION].count, p->parts[F_LOCATION].count);
    if (status == FL_OK)
        status = read_table(p, F_FUNCTION, &p->functions, "function", read_function);
    p->spans = fl_arena_alloc(fl_profile_arena(p->r->profile), p->parts[F_LOCATION].count + 1,
                              sizeof(*p->spans));
    if (status == FL_OK && p->spans == NULL)
        return fail_nomem(p);
    if (status == FL_OK)
        status = read_table(p, F_LOCATION, &p->locations, "location", read_location);
    if (status == FL_OK)
        status = order_spans(p);
    return status == FL_OK ? read_comments(p) : status;
}

/* Which type decides on what is left out. */
static void choose_skip_type(fl_pprof_proto *p, fl_slice default_type)
{
    const fl_pprof_options *options = &p->r->options;
    p->skip_type = FL_PROFILE_NONE;
    if (!options->skip_zero || p->r->profile->type_count == 0)
        return;
    fl_profile_set_default(p->r->profile, default_type);
    p->skip_type = options->skip_type != NULL
                       ? fl_profile_type_find(p->r->profile, fl_slice_of(options->skip_type))
                       : (uint32_t)p->r->profile->default_type;
}

/* The texts of the top level, then the samples, then what the types tell of both. */
static fl_status finish(fl_pprof_proto *p)
{
    fl_profile *profile = p->r->profile;
    fl_slice default_type;
    fl_status status = fl_pprof_string(&default_type, p, p->default_type, FL_NO_OFFSET);
    if (status == FL_OK)
        status = fl_pprof_string(&profile->drop_frames, p, p->drop_frames, FL_NO_OFFSET);
    if (status == FL_OK)
        status = fl_pprof_string(&profile->keep_frames, p, p->keep_frames, FL_NO_OFFSET);
    if (status == FL_OK)
        status = fl_pprof_string(&profile->doc_url, p, p->doc_url, FL_NO_OFFSET);
    if (status == FL_OK) {
        choose_skip_type(p, default_type);
        status = fl_pprof_read_samples(p);
    }
    if (status == FL_OK)
        fl_profile_finish(profile, default_type, FL_PROFILE_OTHER);
    return status;
}

fl_status fl_pprof_read_proto(fl_pprof_reading *r)
{
    assert(r->err != NULL);
    fl_pprof_proto p = {.r = r};
    fl_status status = count_parts(&p);
    if (status == FL_OK)
        status = note_parts(&p);
    if (status == FL_OK)
        status = read_tables(&p);
    if (status == FL_OK)
        status = finish(&p);
    r->profile->form = FL_PROFILE_FORM_PROTO;
    fl_map_destroy(p.mappings.sparse);
    fl_map_destroy(p.functions.sparse);
    fl_map_destroy(p.locations.sparse);
    return status;
}
