/*
 * srcmap.c - the JSON of a source map, and look-ups.
 *
 *   { "version": 3, "file": text, "sourceRoot": text, "sources": [ text | null ], "names": [ text
 * ], "mappings": text, ... } { "version": 3, "file": text, "sections": [ { "offset": { "line": n,
 * "column": n }, "map": { as above } } ] }
 *
 * Members come in any order: mappings are decoded when the object was read, since they refer to
 * sources and names. A line ")]}'" may stand before the object, which keeps browsers from running
 * it. Sections rise, and what a section's map says of lines behind the next section's begin is
 * dropped.
 */
#include "srcmap.h"

#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "json.h"
#include "mem.h"
#include "slice.h"
#include "srcmap_priv.h"

/* One object: a map, or what can be the map of a section. Slices are of the JSON or of the arena.
 */
typedef struct map_object {
    fl_slice root, mappings;
    size_t mappings_pos; /* in the JSON, of what follows the opening quote */
    fl_json_mark sections;
    bool has_mappings, has_sections, has_version;
    int64_t version;
    size_t source_at, name_at;
} map_object;

/* What each step needs; `in` is a copy of the outer reader within a section. */
typedef struct reading {
    fl_srcmap *map;
    fl_json *in;
    fl_error *err;
} reading;

/* The one sentence for it. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a source map");
}

/* The JSON's own failure is the reading's. */
static fl_status json_status(const reading *r)
{
    const fl_error *why = &r->in->err;
    return fl_json_ok(r->in) ? FL_OK
                             : fl_fail(r->err, why->status, why->offset, "%s", why->message);
}

/* Room for one more text in a list. */
static fl_status grow_texts(fl_slice **list, size_t *cap, size_t count, fl_error *err)
{
    if (count < *cap)
        return FL_OK;
    if (count >= FL_MAX_SRCMAP_TEXTS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET,
                       "a source map of more than %u sources or names", FL_MAX_SRCMAP_TEXTS);
    size_t more = *cap == 0 ? 64 : *cap * 2;
    fl_slice *grown = fl_mem_realloc(*list, more, sizeof(*grown));
    if (grown == NULL)
        return no_memory(err);
    *list = grown;
    *cap = more;
    return FL_OK;
}

/* An array of texts; null, and what is no text, is an empty one: indexes count them too. */
static fl_status read_texts(reading *r, fl_slice **list, size_t *count, size_t *cap)
{
    fl_arena *arena = &r->map->arena;
    if (fl_json_null(r->in) || !fl_json_enter_array(r->in))
        return json_status(r);
    while (fl_json_next_element(r->in)) {
        fl_status status = grow_texts(list, cap, *count, r->err);
        if (status != FL_OK)
            return status;
        fl_slice text = {0};
        if (fl_json_peek(r->in) == FL_JSON_STRING)
            text = fl_json_string(r->in);
        else
            fl_json_skip(r->in);
        text = fl_arena_copy(arena, text);
        if (text.ptr == NULL)
            return no_memory(r->err);
        (*list)[(*count)++] = text;
    }
    return json_status(r);
}

/* Kept as they are until the object's end; megabytes, without a copy. */
static void read_mappings(reading *r, map_object *object)
{
    (void)fl_json_peek(r->in);
    fl_slice json = r->in->bytes;
    object->mappings = fl_json_string(r->in);
    object->has_mappings = fl_json_ok(r->in);
    /* Escapes, which no writer makes here, are decoded elsewhere: then the object's end must do. */
    const unsigned char *p = object->mappings.ptr;
    bool is_in_place = p >= json.ptr && p < json.ptr + json.len;
    object->mappings_pos = is_in_place ? (size_t)(p - json.ptr) : r->in->pos;
}

/* Members that are not known, sourcesContent first of all, are checked as JSON and passed over. */
static fl_status read_member(reading *r, fl_slice key, map_object *object)
{
    fl_srcmap *map = r->map;
    fl_json *in = r->in;
    if (fl_slice_equal(key, FL_SLICE("version"))) {
        object->version = fl_json_i64(in);
        object->has_version = true;
    } else if (fl_slice_equal(key, FL_SLICE("mappings")))
        read_mappings(r, object);
    else if (fl_slice_equal(key, FL_SLICE("sources")))
        return read_texts(r, &map->sources, &map->source_count, &map->source_cap);
    else if (fl_slice_equal(key, FL_SLICE("names")))
        return read_texts(r, &map->names, &map->name_count, &map->name_cap);
    else if (fl_slice_equal(key, FL_SLICE("sourceRoot")) && fl_json_peek(in) == FL_JSON_STRING)
        object->root = fl_json_string(in);
    else if (fl_slice_equal(key, FL_SLICE("file")) && fl_json_peek(in) == FL_JSON_STRING) {
        map->file = fl_arena_copy(&map->arena, fl_json_string(in));
        if (fl_json_ok(in) && map->file.ptr == NULL)
            return no_memory(r->err);
    } else if (fl_slice_equal(key, FL_SLICE("sections"))) {
        object->sections = fl_json_here(in);
        object->has_sections = true;
        fl_json_skip(in);
    } else
        fl_json_skip(in);
    return json_status(r);
}

/* Its sources and names are added behind those that are there. */
static fl_status read_object(reading *r, map_object *object)
{
    assert(r->map->source_count <= r->map->source_cap && r->map->name_count <= r->map->name_cap);
    fl_slice key;
    *object = (map_object){.source_at = r->map->source_count, .name_at = r->map->name_count};
    if (!fl_json_enter_object(r->in))
        return json_status(r);
    while (fl_json_next_member(r->in, &key)) {
        fl_status status = read_member(r, key, object);
        if (status != FL_OK)
            return status;
    }
    return json_status(r);
}

/* "root/source" for the sources that the object brought. */
static fl_status add_root(fl_srcmap *map, const map_object *object, fl_error *err)
{
    fl_slice root = object->root;
    if (root.len == 0)
        return FL_OK;
    bool is_open = root.ptr[root.len - 1] != '/';
    for (size_t i = object->source_at; i < map->source_count; i++) {
        fl_slice source = map->sources[i];
        unsigned char *text = fl_arena_bytes(&map->arena, root.len + is_open + source.len);
        if (text == NULL)
            return no_memory(err);
        memcpy(text, root.ptr, root.len);
        if (is_open)
            text[root.len] = '/';
        memcpy(text + root.len + is_open, source.ptr, source.len);
        map->sources[i] = (fl_slice){.ptr = text, .len = root.len + is_open + source.len};
    }
    return FL_OK;
}

/* A map that begins at a place of the generated code. */
static fl_status decode_object(reading *r, const map_object *object, uint32_t line, uint32_t column)
{
    fl_srcmap *map = r->map;
    assert(object->source_at <= map->source_count && object->name_at <= map->name_count);
    fl_srcbase base = {.line = line,
                       .column = column,
                       .source_at = object->source_at,
                       .name_at = object->name_at,
                       .source_count = map->source_count - object->source_at,
                       .name_count = map->name_count - object->name_at};
    fl_status status = add_root(map, object, r->err);
    if (status != FL_OK)
        return status;
    return fl_srcmap_decode(map, object->mappings, &base, object->mappings_pos, r->err);
}

/* Forget what stands at or behind a place: the next section speaks of it. */
static void cut_at(fl_srcmap *map, uint32_t line, uint32_t column)
{
    assert(line < FL_MAX_SRCMAP_LINES);
    if (map->line_count > (size_t)line + 1) {
        map->segment_count = map->lines[line + 1];
        map->line_count = (size_t)line + 1;
    }
    if (map->line_count == (size_t)line + 1)
        while (map->segment_count > map->lines[line] &&
               map->segments[map->segment_count - 1].column >= column)
            map->segment_count--;
}

/* { "line": n, "column": n } */
static void read_offset(fl_json *in, uint64_t *line, uint64_t *column)
{
    fl_slice key;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key))
        if (fl_slice_equal(key, FL_SLICE("line")))
            *line = fl_json_u64(in);
        else if (fl_slice_equal(key, FL_SLICE("column")))
            *column = fl_json_u64(in);
        else
            fl_json_skip(in);
}

/* A section's place, and where its map stands. */
static fl_status read_section(reading *r, uint64_t *line, uint64_t *column, fl_json_mark *map_at)
{
    fl_json *in = r->in;
    fl_slice key;
    bool has_map = false;
    size_t begin = fl_json_here(in).pos;
    *line = *column = 0;
    if (!fl_json_enter_object(in))
        return json_status(r);
    while (fl_json_next_member(in, &key))
        if (fl_slice_equal(key, FL_SLICE("offset")))
            read_offset(in, line, column);
        else {
            if (fl_slice_equal(key, FL_SLICE("map"))) {
                *map_at = fl_json_here(in);
                has_map = true;
            }
            fl_json_skip(in);
        }
    if (!fl_json_ok(in))
        return json_status(r);
    if (!has_map)
        return fl_fail(r->err, FL_E_UNSUPPORTED, begin, "a section without a map of its own");
    if (*line >= FL_MAX_SRCMAP_LINES || *column >= UINT32_MAX)
        return fl_fail(r->err, FL_E_LIMIT, begin, "a section at line %llu, column %llu",
                       (unsigned long long)*line, (unsigned long long)*column);
    return FL_OK;
}

/* The section's map is read where it stands, then the walk goes on behind the section. */
static fl_status read_section_map(reading *r, fl_json_mark map_at, uint64_t line, uint64_t column)
{
    map_object object;
    fl_json *outer = r->in, copy = *outer;
    fl_json_rewind(&copy, map_at);
    r->in = &copy;
    fl_status status = read_object(r, &object);
    r->in = outer;
    if (status != FL_OK)
        return status;
    if (!object.has_mappings)
        return fl_fail(r->err, FL_E_UNSUPPORTED, map_at.pos, "a section's map without mappings");
    return decode_object(r, &object, (uint32_t)line, (uint32_t)column);
}

/* All sections, in the order in which they stand. */
static fl_status read_sections(reading *r, fl_json_mark at)
{
    uint64_t line, column, last_line = 0, last_column = 0;
    fl_json_mark map_at;
    fl_json_rewind(r->in, at);
    if (!fl_json_enter_array(r->in))
        return json_status(r);
    while (fl_json_next_element(r->in)) {
        size_t pos = r->in->pos;
        fl_status status = read_section(r, &line, &column, &map_at);
        if (status != FL_OK)
            return status;
        if (line < last_line || (line == last_line && column < last_column))
            return fl_fail(r->err, FL_E_SYNTAX, pos, "sections are not in rising order");
        cut_at(r->map, (uint32_t)line, (uint32_t)column);
        status = read_section_map(r, map_at, line, column);
        if (status != FL_OK)
            return status;
        last_line = line;
        last_column = column;
    }
    return json_status(r);
}

/* What stands before the object: a byte order mark, and the line that keeps browsers off. */
static size_t prefix_of(fl_slice json)
{
    size_t at = fl_slice_starts_with(json, FL_SLICE("\xef\xbb\xbf")) ? 3 : 0;
    fl_slice rest = {.ptr = json.ptr + at, .len = json.len - at};
    if (fl_slice_starts_with(rest, FL_SLICE(")]}"))) {
        const unsigned char *feed = memchr(rest.ptr, '\n', rest.len);
        at = feed != NULL ? (size_t)(feed - json.ptr) + 1 : json.len;
    }
    return at;
}

/* One document, whose kind decides how its mappings are read. */
static fl_status read_map(fl_srcmap *map, fl_slice json, fl_error *err)
{
    fl_json in = fl_json_over(json, &map->arena);
    in.pos = prefix_of(json);
    reading r = {.map = map, .in = &in, .err = err};
    map_object object;
    if (fl_json_peek(&in) != FL_JSON_OBJECT)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "this is not a source map");
    fl_status status = read_object(&r, &object);
    if (status == FL_OK && !fl_json_finish(&in))
        status = json_status(&r);
    if (status != FL_OK)
        return status;
    if (!object.has_mappings && !object.has_sections)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "this is not a source map");
    if (!object.has_version || object.version != 3)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "a source map of version %lld, not 3",
                       (long long)object.version);
    return object.has_sections ? read_sections(&r, object.sections)
                               : decode_object(&r, &object, 0, 0);
}

/* What was reserved and not used goes back; a block that cannot be made smaller stays as it is. */
static void give_back(fl_srcmap *map)
{
    assert(map->segment_count <= map->segment_cap && map->line_count <= map->line_cap);
    fl_srcseg *segments = fl_mem_realloc(map->segments, map->segment_count + 1, sizeof(*segments));
    uint32_t *lines = fl_mem_realloc(map->lines, map->line_count + 1, sizeof(*lines));
    if (segments != NULL) {
        map->segments = segments;
        map->segment_cap = map->segment_count + 1;
    }
    if (lines != NULL) {
        map->lines = lines;
        map->line_cap = map->line_count + 1;
    }
}

fl_status fl_srcmap_read(fl_srcmap **out, fl_slice json, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    fl_srcmap *map = fl_mem_calloc(1, sizeof(*map));
    if (map == NULL)
        return no_memory(err);
    map->arena = fl_arena_of(FL_MAX_SRCMAP_TEXT_BYTES);
    fl_status status = read_map(map, json, err);
    if (status == FL_OK) {
        give_back(map);
        *out = map;
    } else
        fl_srcmap_destroy(map);
    return status;
}

void fl_srcmap_destroy(fl_srcmap *map)
{
    if (map == NULL)
        return;
    fl_mem_free(map->segments);
    fl_mem_free(map->lines);
    fl_mem_free(map->sources);
    fl_mem_free(map->names);
    fl_arena_dispose(&map->arena);
    fl_mem_free(map);
}

/* The last segment at or before the column, else `to`. */
static size_t find_segment(const fl_srcmap *map, size_t from, size_t to, uint32_t column)
{
    size_t low = from, high = to;
    assert(from <= to && to <= map->segment_count);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (map->segments[middle].column <= column)
            low = middle + 1;
        else
            high = middle;
    }
    return low > from ? low - 1 : to;
}

/* The first segment with a source where all that have one agree on source and line, else `to`: a
 * line of minified code comes from many places, and a guess would name the wrong one. */
static size_t find_only_line(const fl_srcmap *map, size_t from, size_t to)
{
    assert(from <= to && to <= map->segment_count);
    size_t found = to;
    for (size_t i = from; i < to; i++) {
        const fl_srcseg *segment = &map->segments[i];
        if (segment->source == FL_SRCMAP_NONE)
            continue;
        if (found == to)
            found = i;
        else if (segment->source != map->segments[found].source ||
                 segment->source_line != map->segments[found].source_line)
            return to;
    }
    return found;
}

/* A segment without a source ends what the one before it covers: code of the bundler's own. */
bool fl_srcmap_find(fl_srcplace *out, const fl_srcmap *map, uint32_t line, uint32_t column)
{
    assert(out != NULL && map != NULL);
    if (line == 0 || line > map->line_count)
        return false;
    size_t from = map->lines[line - 1], at;
    size_t to = line < map->line_count ? map->lines[line] : map->segment_count;
    at = column != FL_SRCMAP_ANY_COLUMN ? find_segment(map, from, to, column)
                                        : find_only_line(map, from, to);
    if (at == to || map->segments[at].source == FL_SRCMAP_NONE)
        return false;
    const fl_srcseg *found = &map->segments[at];
    *out = (fl_srcplace){.source = map->sources[found->source],
                         .line = found->source_line + 1,
                         .column = found->source_column};
    if (found->name != FL_SRCMAP_NONE)
        out->name = map->names[found->name];
    return true;
}

fl_slice fl_srcmap_file(const fl_srcmap *map)
{
    return map->file;
}

size_t fl_srcmap_segment_count(const fl_srcmap *map)
{
    return map->segment_count;
}

size_t fl_srcmap_line_count(const fl_srcmap *map)
{
    return map->line_count;
}

size_t fl_srcmap_source_count(const fl_srcmap *map)
{
    return map->source_count;
}

/* `version` alone is a member of too many documents. */
bool fl_srcmap_sniff(fl_slice head)
{
    size_t at = prefix_of(head);
    fl_slice rest = fl_slice_trim((fl_slice){.ptr = head.ptr + at, .len = head.len - at});
    if (rest.len == 0 || rest.ptr[0] != '{')
        return false;
    size_t version = fl_slice_find(rest, FL_SLICE("\"version\"")), len = rest.len;
    return version < len && (fl_slice_find(rest, FL_SLICE("\"mappings\"")) < len ||
                             fl_slice_find(rest, FL_SLICE("\"sources\"")) < len ||
                             fl_slice_find(rest, FL_SLICE("\"sections\"")) < len);
}
