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
#include "map.h"
#include "pprof_priv.h"
#include "proto.h"

enum {
    F_SAMPLE_TYPE = 1,
    F_SAMPLE,
    F_MAPPING,
    F_LOCATION,
    F_FUNCTION,
    F_STRING,
    F_DROP_FRAMES,
    F_KEEP_FRAMES,
    F_TIME,
    F_DURATION,
    F_PERIOD_TYPE,
    F_PERIOD,
    F_COMMENT,
    F_DEFAULT_TYPE,
    F_DOC_URL,
    FIELD_END
};

/* Ids up to this many times their number (and a few) are a table's index; others go to a map. */
enum { DENSE_RATIO = 4, DENSE_MIN = 1024 };

/* id -> value that is not 0; 0: no such id. */
typedef struct ids {
    uint32_t *dense;
    size_t dense_end;
    fl_map *sparse; /* NULL until an id beyond the table is met */
    size_t count;
    const char *what;
} ids;

/* Labels are remembered by their bytes: how many, and how long. */
enum { MEMO_BITS = 8, MEMO_MIN = 4, MEMO_MAX = 256 };
typedef struct label_memo {
    fl_slice tail;   /* of the sample's message; empty: none */
    uint32_t sample; /* that has them */
} label_memo;

/* The frames of a location. */
typedef struct span {
    uint32_t first, count;
} span;

/* Where the messages of one field stand, in their order. */
typedef struct messages {
    fl_slice *items;
    size_t count;
} messages;

/* One profile on its way; all but the sparse maps lives in the profile's arena. */
typedef struct proto_reading {
    fl_pprof_reading *r;
    messages parts[FIELD_END]; /* of those that are messages or strings, but the samples */
    size_t sample_count;
    fl_proto samples; /* from the first sample on */
    uint64_t default_type, drop_frames, keep_frames, doc_url;
    ids mappings, functions, locations;
    span *spans;     /* of locations, by order of appearance */
    int64_t *values; /* of the sample in hand */
    label_memo memos[1 << MEMO_BITS];
} proto_reading;

/* --- texts and ids --- */

/* The wire reader's own sentence and offset, behind the message it was in. */
static fl_status fail_proto(const proto_reading *p, const char *what, const fl_proto *in)
{
    assert(!fl_proto_ok(in));
    return fl_pprof_fail(p->r, in->err.status, in->err.offset, "%s: %s", what, in->err.message);
}

static fl_status fail_nomem(const proto_reading *p)
{
    return fl_pprof_fail(p->r, FL_E_NOMEM, FL_NO_OFFSET, "no memory for its tables");
}

/* Index 0 is the empty text even where there are no strings. */
static fl_status string_at(fl_slice *out, const proto_reading *p, uint64_t index, uint64_t offset)
{
    const messages *strings = &p->parts[F_STRING];
    *out = (fl_slice){(const unsigned char *)"", 0};
    if (index < strings->count)
        *out = strings->items[index];
    else if (index > 0)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, offset, "string %llu of %zu strings",
                             (unsigned long long)index, strings->count);
    return FL_OK;
}

/* Zeroed: no id is known. */
static fl_status ids_init(ids *table, const proto_reading *p, size_t count, const char *what)
{
    table->what = what;
    table->dense_end = count * DENSE_RATIO + DENSE_MIN;
    table->dense =
        fl_arena_alloc(fl_profile_arena(p->r->profile), table->dense_end, sizeof(*table->dense));
    return table->dense != NULL ? FL_OK : fail_nomem(p);
}

/* The item's number, 0 for an id that was not given. */
static uint32_t ids_find(const ids *table, uint64_t id)
{
    if (id < table->dense_end)
        return table->dense[id];
    const uint64_t *found = table->sparse != NULL ? fl_map_find(table->sparse, id) : NULL;
    return found != NULL ? (uint32_t)*found : 0;
}

/* The id of the next item; its value is the item's number, counted from 1. */
static fl_status ids_add(ids *table, const proto_reading *p, uint64_t id, uint64_t offset)
{
    uint32_t number = (uint32_t)++table->count;
    uint64_t *slot = NULL;
    if (id == 0)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, offset, "a %s has the reserved id 0", table->what);
    if (ids_find(table, id) != 0)
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

/* The first walk: how many there are of each message, and where the samples begin. */
static fl_status count_parts(proto_reading *p)
{
    fl_proto in = fl_proto_over(p->r->input);
    while (fl_proto_next(&in)) {
        if (in.field == F_SAMPLE && p->sample_count++ == 0) {
            p->samples = in;
            p->samples.pos = in.field_pos;
        } else if (in.field < FIELD_END && is_part(in.field)) {
            p->parts[in.field].count++;
        }
    }
    if (!fl_proto_ok(&in))
        return fail_proto(p, "profile", &in);
    for (size_t i = 0; i < FIELD_END; i++) {
        messages *m = &p->parts[i];
        m->items = fl_arena_alloc(fl_profile_arena(p->r->profile), m->count, sizeof(*m->items));
        if (m->items == NULL)
            return fail_nomem(p);
        m->count = 0;
    }
    return FL_OK;
}

/* What stands at the top level itself. Comments are indexes and need the strings: see
 * read_comments(). */
static void read_scalar(proto_reading *p, fl_profile *profile, fl_proto *in)
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
static fl_status note_parts(proto_reading *p)
{
    fl_proto in = fl_proto_over(p->r->input);
    while (fl_proto_next(&in)) {
        if (in.field < FIELD_END && is_part(in.field)) {
            messages *m = &p->parts[in.field];
            m->items[m->count++] = fl_proto_bytes(&in);
        } else if (in.field != F_SAMPLE) {
            read_scalar(p, p->r->profile, &in);
        }
    }
    if (!fl_proto_ok(&in))
        return fail_proto(p, "profile", &in);
    const messages *strings = &p->parts[F_STRING];
    if (strings->count > 0 && strings->items[0].len > 0)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, fl_pprof_offset(p->r, strings->items[0].ptr),
                             "the first string is not empty");
    return FL_OK;
}

/* Offsets in failures count from the start of the input. */
static fl_proto reader_of(const proto_reading *p, fl_slice message)
{
    fl_proto in = {.type = FL_PROTO_NONE};
    fl_proto_init(&in, message, fl_pprof_offset(p->r, message.ptr));
    return in;
}

/* --- tables --- */

/* A pair of texts: a sample type, or the period's. */
static fl_status read_type(fl_profile_type *out, const proto_reading *p, fl_slice message)
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
        return fail_proto(p, "sample type", &in);
    fl_status status = string_at(&out->name, p, name, in.base_offset);
    return status == FL_OK ? string_at(&out->unit, p, unit, in.base_offset) : status;
}

static fl_status read_types(proto_reading *p)
{
    fl_profile *profile = p->r->profile;
    const messages *types = &p->parts[F_SAMPLE_TYPE], *period = &p->parts[F_PERIOD_TYPE];
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
static fl_status read_mapping(proto_reading *p, fl_slice message)
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
        return fail_proto(p, "mapping", &in);
    fl_status status = ids_add(&p->mappings, p, id, in.base_offset);
    if (status == FL_OK)
        status = string_at(&mapping.file, p, file, in.base_offset);
    if (status == FL_OK)
        status = string_at(&mapping.build_id, p, build_id, in.base_offset);
    return status == FL_OK ? fl_profile_add_mapping(p->r->profile, &mapping, p->r->err) : status;
}

/* Writers without a demangler leave one of the two names empty. */
static fl_status read_function(proto_reading *p, fl_slice message)
{
    fl_proto in = reader_of(p, message);
    uint64_t fields[6] = {0}; /* id, name, system name, file, start line by their numbers */
    fl_profile_function function = {0};
    while (fl_proto_next(&in))
        if (in.field < sizeof(fields) / sizeof(fields[0]))
            fields[in.field] = fl_proto_u64(&in);
    if (!fl_proto_ok(&in))
        return fail_proto(p, "function", &in);
    function.start_line = (int64_t)fields[5];
    fl_status status = ids_add(&p->functions, p, fields[1], in.base_offset);
    if (status == FL_OK)
        status = string_at(&function.name, p, fields[2], in.base_offset);
    if (status == FL_OK)
        status = string_at(&function.system_name, p, fields[3], in.base_offset);
    if (status == FL_OK)
        status = string_at(&function.file, p, fields[4], in.base_offset);
    if (status == FL_OK && function.name.len == 0)
        function.name = function.system_name;
    if (status == FL_OK && p->r->normalise_names)
        status = fl_profile_normalise_name(&function.name, p->r->profile, function.name, p->r->err);
    return status == FL_OK ? fl_profile_add_function(p->r->profile, &function, p->r->err) : status;
}

/* One line of a location becomes a frame: `frame` has the location's own members. */
static fl_status read_line(proto_reading *p, fl_proto *line, fl_profile_frame *frame)
{
    uint64_t function = 0;
    frame->line = 0;
    while (fl_proto_next(line)) {
        if (line->field == 1)
            function = fl_proto_u64(line);
        else if (line->field == 2)
            frame->line = fl_proto_i64(line);
    }
    if (!fl_proto_ok(line))
        return fail_proto(p, "line", line);
    uint32_t number = ids_find(&p->functions, function);
    if (number == 0)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, line->base_offset,
                             "a line names function id %llu, which is not there",
                             (unsigned long long)function);
    frame->function = number - 1;
    return fl_profile_add_frame(p->r->profile, frame, p->r->err);
}

/* Lines may stand before the members that their frames need: those are read first. */
static fl_status read_location_head(proto_reading *p, fl_proto *in, fl_profile_frame *frame,
                                    size_t *line_count)
{
    uint64_t id = 0, mapping = 0;
    while (fl_proto_next(in)) {
        if (in->field == 1)
            id = fl_proto_u64(in);
        else if (in->field == 2)
            mapping = fl_proto_u64(in);
        else if (in->field == 3)
            frame->address = fl_proto_u64(in);
        else if (in->field == 4)
            ++*line_count;
    }
    if (!fl_proto_ok(in))
        return fail_proto(p, "location", in);
    uint32_t number = mapping > 0 ? ids_find(&p->mappings, mapping) : 0;
    if (mapping > 0 && number == 0)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, in->base_offset,
                             "location id %llu names mapping id %llu, which is not there",
                             (unsigned long long)id, (unsigned long long)mapping);
    frame->mapping = number > 0 ? number - 1 : FL_PROFILE_NONE;
    return ids_add(&p->locations, p, id, in->base_offset);
}

/* Its lines, innermost first; without any, one frame that has the address alone. */
static fl_status read_location(proto_reading *p, fl_slice message)
{
    fl_profile *profile = p->r->profile;
    fl_proto in = reader_of(p, message), line;
    size_t line_count = 0, first = profile->frame_count;
    fl_profile_frame frame = {.function = FL_PROFILE_NONE,
                              .location = (uint32_t)p->locations.count};
    fl_status status = read_location_head(p, &in, &frame, &line_count);
    if (status == FL_OK && line_count == 0)
        status = fl_profile_add_frame(profile, &frame, p->r->err);
    in = reader_of(p, message);
    while (status == FL_OK && line_count > 0 && fl_proto_next(&in)) {
        if (in.field != 4)
            continue;
        fl_proto_enter(&line, &in);
        if (!fl_proto_ok(&in))
            return fail_proto(p, "location", &in);
        frame.inlined = --line_count > 0;
        status = read_line(p, &line, &frame);
    }
    p->spans[frame.location] = (span){(uint32_t)first, (uint32_t)(profile->frame_count - first)};
    return status;
}

typedef fl_status read_part_fn(proto_reading *p, fl_slice message);

/* All messages of one field, in their order. */
static fl_status read_table(proto_reading *p, unsigned field, ids *table, const char *what,
                            read_part_fn *read)
{
    const messages *parts = &p->parts[field];
    if (parts->count > FL_MAX_PROFILE_TABLE)
        return fl_pprof_fail(p->r, FL_E_LIMIT, 0, "it has more than %u %ss", FL_MAX_PROFILE_TABLE,
                             what);
    fl_status status = ids_init(table, p, parts->count, what);
    for (size_t i = 0; i < parts->count && status == FL_OK; i++)
        status = read(p, parts->items[i]);
    return status;
}

/* Comments are strings by their index. */
static fl_status read_comment(proto_reading *p, uint64_t index, uint64_t offset)
{
    fl_slice text;
    fl_status status = string_at(&text, p, index, offset);
    return status == FL_OK ? fl_profile_add_comment(p->r->profile, text, p->r->err) : status;
}

/* Packed or one by one. */
static fl_status read_comments(proto_reading *p)
{
    fl_proto in = fl_proto_over(p->r->input);
    fl_status status = FL_OK;
    while (status == FL_OK && fl_proto_next(&in)) {
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

/* --- samples --- */

/* Samples are counted from 0, as their rows in the table. */
static fl_status fail_packed(const proto_reading *p, const char *what, const unsigned char *at)
{
    return fl_pprof_fail(p->r, FL_E_SYNTAX, fl_pprof_offset(p->r, at),
                         "sample %zu: its packed %s end inside a number",
                         p->r->profile->sample_count, what);
}

/* Any location: an id beyond the table, one with inlined calls, or none at all. */
static fl_status push_location(proto_reading *p, uint64_t id, const unsigned char *at)
{
    fl_profile *profile = p->r->profile;
    uint32_t number = ids_find(&p->locations, id);
    if (number == 0)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, fl_pprof_offset(p->r, at),
                             "sample %zu names location id %llu, which is not there",
                             profile->sample_count, (unsigned long long)id);
    span frames = p->spans[number - 1];
    uint32_t *room = fl_profile_stack_room(profile, frames.count, p->r->err);
    if (room == NULL)
        return p->r->err->status;
    for (uint32_t i = 0; i < frames.count; i++)
        room[i] = frames.first + i;
    fl_profile_stack_take(profile, frames.count);
    return FL_OK;
}

/* The varint at `p` < `end`, two bytes without a call: most ids and values are as short. */
static inline const unsigned char *short_varint(const unsigned char *p, const unsigned char *end,
                                                uint64_t *value)
{
    if (*p < 0x80) {
        *value = *p;
        return p + 1;
    }
    if (end - p >= 3 && p[1] < 0x80) {
        *value = (uint64_t)(*p & 0x7f) | (uint64_t)p[1] << 7;
        return p + 2;
    }
    if (end - p >= 3 && p[2] < 0x80) {
        *value = (uint64_t)(*p & 0x7f) | (uint64_t)(p[1] & 0x7f) << 7 | (uint64_t)p[2] << 14;
        return p + 3;
    }
    return fl_proto_long_varint(p, end, value);
}

/* The common case in one loop: ids in the table, locations of a few frames. What is not common is
 * handed to push_location(). */
static fl_status push_packed_locations(proto_reading *p, fl_slice body)
{
    enum { SPARE = 64 };
    const unsigned char *at = body.ptr, *end = at + body.len;
    while (at < end) {
        uint32_t *room = fl_profile_stack_room(p->r->profile, body.len + SPARE, p->r->err);
        size_t used = 0;
        uint64_t id = 0;
        const unsigned char *next = NULL;
        if (room == NULL)
            return p->r->err->status;
        for (; at < end; at = next) {
            next = short_varint(at, end, &id);
            if (next == NULL)
                return fail_packed(p, "location ids", at);
            uint32_t number = id < p->locations.dense_end ? p->locations.dense[id] : 0;
            span frames = p->spans[number > 0 ? number - 1 : 0];
            if (number == 0 || used + frames.count > SPARE)
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

static fl_status push_locations(proto_reading *p, fl_proto *in)
{
    if (in->type == FL_PROTO_BYTES)
        return push_packed_locations(p, in->body);
    return push_location(p, fl_proto_u64(in), in->bytes.ptr + in->field_pos);
}

/* Values beyond the types are only counted: the message says how many there were. */
static void set_value(proto_reading *p, size_t at, int64_t value)
{
    if (at >= p->r->profile->type_count)
        return;
    if (value > FL_PROFILE_VALUE_MAX || value < -FL_PROFILE_VALUE_MAX)
        fl_profile_set_value(p->r->profile, at, value);
    else
        p->values[at] = value;
}

static fl_status set_values(proto_reading *p, fl_proto *in, size_t *count)
{
    if (in->type != FL_PROTO_BYTES) {
        set_value(p, (*count)++, fl_proto_i64(in));
        return FL_OK;
    }
    const unsigned char *at = in->body.ptr, *end = at + in->body.len;
    while (at < end) {
        uint64_t value;
        const unsigned char *next = short_varint(at, end, &value);
        if (next == NULL)
            return fail_packed(p, "values", at);
        set_value(p, (*count)++, (int64_t)value);
        at = next;
    }
    return FL_OK;
}

/* A text or a number with a unit. */
static fl_status read_label(proto_reading *p, fl_proto *in)
{
    fl_profile_label label = {0};
    uint64_t fields[5] = {0}; /* key, str, num, num_unit by their numbers */
    while (fl_proto_next(in))
        if (in->field < sizeof(fields) / sizeof(fields[0]))
            fields[in->field] = fl_proto_u64(in);
    if (!fl_proto_ok(in))
        return fail_proto(p, "label", in);
    label.number = (int64_t)fields[3];
    fl_status status = string_at(&label.key, p, fields[1], in->base_offset);
    if (status == FL_OK)
        status = string_at(&label.text, p, fields[2], in->base_offset);
    if (status == FL_OK)
        status = string_at(&label.unit, p, fields[4], in->base_offset);
    return status == FL_OK ? fl_profile_push_label(p->r->profile, &label, p->r->err) : status;
}

/* --- labels that were seen --- */

/* Where the same bytes were read before. Labels mostly stand last in a sample, and a heap profile
 * has one set for each class of size. */
static label_memo *memo_of(proto_reading *p, fl_slice tail)
{
    uint64_t word = tail.len;
    if (tail.len >= MEMO_MIN && tail.len <= MEMO_MAX) {
        uint32_t last;
        memcpy(&last, tail.ptr + tail.len - sizeof(last), sizeof(last));
        word ^= last;
    }
    return &p->memos[word * UINT64_C(0x9e3779b97f4a7c15) >> (64 - MEMO_BITS)];
}

/* The labels of the sample in hand, which begin at its current field, as an earlier one's. */
static bool recall_labels(proto_reading *p, fl_proto *in)
{
    fl_slice tail = {in->bytes.ptr + in->field_pos, in->bytes.len - in->field_pos};
    if (tail.len < MEMO_MIN || tail.len > MEMO_MAX)
        return false;
    const label_memo *memo = memo_of(p, tail);
    if (!fl_slice_equal(memo->tail, tail))
        return false;
    fl_profile_share_labels(p->r->profile, &p->r->profile->samples[memo->sample]);
    in->pos = in->bytes.len;
    return true;
}

/* Only labels may stand in what is remembered. */
static void remember_labels(proto_reading *p, fl_slice tail)
{
    if (tail.len < MEMO_MIN || tail.len > MEMO_MAX)
        return;
    fl_proto in = fl_proto_over(tail);
    while (fl_proto_next(&in))
        if (in.field != 3)
            return;
    *memo_of(p, tail) = (label_memo){.tail = tail, .sample = (uint32_t)p->r->profile->sample_count};
}

/* --- samples --- */

typedef struct sample_reading {
    size_t value_count, label_count;
    fl_slice tail; /* from the first label on */
} sample_reading;

static fl_status read_sample_label(proto_reading *p, fl_proto *in, sample_reading *s)
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

static fl_status read_sample_field(proto_reading *p, fl_proto *in, sample_reading *s)
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
static fl_status read_sample(proto_reading *p, fl_proto *in)
{
    fl_profile *profile = p->r->profile;
    sample_reading s = {0};
    fl_status status = fl_profile_sample_begin(profile, p->r->err);
    if (status != FL_OK)
        return status;
    p->values = fl_profile_open_values(profile);
    while (status == FL_OK && fl_proto_next(in))
        status = read_sample_field(p, in, &s);
    if (status != FL_OK)
        return status;
    if (!fl_proto_ok(in))
        return fail_proto(p, "sample", in);
    if (s.value_count != profile->type_count)
        return fl_pprof_fail(p->r, FL_E_SYNTAX, in->base_offset,
                             "sample %zu has %zu values for %zu sample types",
                             profile->sample_count, s.value_count, profile->type_count);
    if (s.tail.len > 0)
        remember_labels(p, s.tail);
    fl_profile_sample_end(profile);
    return FL_OK;
}

/* The last walk begins at the first sample and ends behind the last. */
static fl_status read_samples(proto_reading *p)
{
    fl_proto in = p->samples, sample;
    fl_status status = FL_OK;
    size_t left = p->sample_count;
    while (status == FL_OK && left > 0 && fl_proto_next(&in)) {
        if (in.field != F_SAMPLE)
            continue;
        left--;
        fl_proto_enter(&sample, &in);
        status = fl_proto_ok(&in) ? read_sample(p, &sample) : fail_proto(p, "profile", &in);
    }
    return status;
}

/* --- the whole --- */

/* Each table is read behind those it refers to. */
static fl_status read_tables(proto_reading *p)
{
    fl_status status = read_types(p);
    if (status == FL_OK)
        status = read_table(p, F_MAPPING, &p->mappings, "mapping", read_mapping);
    if (status == FL_OK)
        status = read_table(p, F_FUNCTION, &p->functions, "function", read_function);
    p->spans = fl_arena_alloc(fl_profile_arena(p->r->profile), p->parts[F_LOCATION].count + 1,
                              sizeof(*p->spans));
    if (status == FL_OK && p->spans == NULL)
        return fail_nomem(p);
    if (status == FL_OK)
        status = read_table(p, F_LOCATION, &p->locations, "location", read_location);
    return status == FL_OK ? read_comments(p) : status;
}

/* The texts of the top level, then what the types tell. */
static fl_status finish(proto_reading *p)
{
    fl_profile *profile = p->r->profile;
    fl_slice default_type;
    fl_status status = string_at(&default_type, p, p->default_type, FL_NO_OFFSET);
    if (status == FL_OK)
        status = string_at(&profile->drop_frames, p, p->drop_frames, FL_NO_OFFSET);
    if (status == FL_OK)
        status = string_at(&profile->keep_frames, p, p->keep_frames, FL_NO_OFFSET);
    if (status == FL_OK)
        status = string_at(&profile->doc_url, p, p->doc_url, FL_NO_OFFSET);
    if (status == FL_OK)
        fl_profile_finish(profile, default_type, FL_PROFILE_OTHER);
    return status;
}

fl_status fl_pprof_read_proto(fl_pprof_reading *r)
{
    assert(r->err != NULL);
    proto_reading p = {.r = r};
    fl_status status = count_parts(&p);
    if (status == FL_OK)
        status = note_parts(&p);
    if (status == FL_OK)
        status = read_tables(&p);
    if (status == FL_OK)
        status = read_samples(&p);
    if (status == FL_OK)
        status = finish(&p);
    r->profile->form = FL_PROFILE_FORM_PROTO;
    fl_map_destroy(p.mappings.sparse);
    fl_map_destroy(p.functions.sparse);
    fl_map_destroy(p.locations.sparse);
    return status;
}
