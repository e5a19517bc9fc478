/*
 * jfr_metadata.c - a chunk's description of its own events.
 *
 *   event     size, type 0, time, duration, id, texts, element
 *   texts     count, then each with its tag
 *   element   name, count of attributes, (key, value) each, count of elements, these
 *
 * where names, keys and values are numbers of texts. Of all elements, "class" (name, id) and below
 * it "field" (name, class, constantPool, dimension) are read:
 *
 *   root > metadata > class > field, annotation ..
 *
 * JDK 9 and 10 (version 1.0) call "com.oracle.jdk.X" what is "jdk.X" from JDK 11 on, and
 * "com.oracle.jfr.types.X" what is "jdk.types.X"; the rest is the same.
 *
 * Annotations say how a value reads (ticks, bytes, percent) and are passed over: which fields are
 * ticks is in the table of what is told.
 *
 * Elements are gone through with a stack of how many are left, so that depth costs no call.
 */
#include <assert.h>

#include "faultline/limits.h"
#include "jfr_priv.h"
#include "mem.h"
#include "number.h"

enum { MAX_ELEMENT_DEPTH = 16 };

struct reading {
    fl_jfr_chunk *chunk;
    fl_reader in;
    fl_slice *texts;
    size_t text_count;
    fl_arena *arena;
    fl_error *err;
};

/* The format writes counts and places of texts as an int. */
static uint64_t count_of(struct reading *r)
{
    return (uint32_t)fl_jfr_number(&r->in, 4, r->chunk->is_compressed);
}

/* Times and numbers of types are longs. */
static uint64_t long_of(struct reading *r)
{
    return fl_jfr_number(&r->in, 8, r->chunk->is_compressed);
}

/* One sentence for all of this file. */
static fl_status no_memory(struct reading *r)
{
    return fl_fail(r->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the events' description");
}

/* A short read and a wrong value are told apart: the first may be a cut file. */
static fl_status broken(struct reading *r, const char *what)
{
    uint64_t offset = r->chunk->offset + r->in.pos;
    if (r->in.short_read)
        return fl_fail(r->err, FL_E_TRUNCATED, offset, "the events' description ends inside %s",
                       what);
    return fl_fail(r->err, FL_E_SYNTAX, offset, "the events' description has no valid %s", what);
}

/* Each text takes a byte at least: the count cannot ask for more than there is. */
static fl_status read_texts(struct reading *r)
{
    uint64_t count = count_of(r), ref;
    if (r->in.short_read || count > r->in.bytes.len - r->in.pos)
        return broken(r, "count of texts");
    r->texts = fl_arena_alloc(r->arena, (size_t)count, sizeof(*r->texts));
    if (r->texts == NULL && count > 0)
        return no_memory(r);
    for (uint64_t i = 0; i < count; i++) {
        size_t pos = r->in.pos;
        fl_jfr_skip_text(&r->in, r->chunk->is_compressed);
        if (r->in.short_read)
            return broken(r, "text");
        if (!fl_jfr_text_at(&r->texts[i], &ref, r->chunk, pos, r->arena))
            return no_memory(r);
    }
    r->text_count = (size_t)count;
    return FL_OK;
}

/* The text of the next number; empty, and the reader marked, where there is none. */
static fl_slice text_of(struct reading *r)
{
    uint64_t at = count_of(r);
    if (at < r->text_count)
        return r->texts[at];
    r->in.short_read = true;
    return FL_SLICE("");
}

/* What a class' or a field's attributes said. */
struct element {
    fl_slice name, id, type;
    bool is_constant, is_array;
};

/* Attributes come in any order; those that are not known say nothing about the bytes. */
static void read_attribute(struct reading *r, struct element *out)
{
    fl_slice key = text_of(r), value = text_of(r);
    if (fl_slice_equal(key, FL_SLICE("name")))
        out->name = value;
    else if (fl_slice_equal(key, FL_SLICE("id")))
        out->id = value;
    else if (fl_slice_equal(key, FL_SLICE("class")))
        out->type = value;
    else if (fl_slice_equal(key, FL_SLICE("constantPool")))
        out->is_constant = fl_slice_equal(value, FL_SLICE("true"));
    else if (fl_slice_equal(key, FL_SLICE("dimension")))
        out->is_array = fl_slice_equal(value, FL_SLICE("1"));
}

/* A number in decimal; false where it is none. */
static bool number_of(uint64_t *out, fl_slice text)
{
    uint64_t value = 0;
    if (text.len == 0 || text.len > 19)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *out = value;
    return true;
}

/* A class by the name that it has from JDK 11 on; NULL: no memory. */
static const char *today_of(fl_slice name, fl_arena *arena)
{
    static const struct {
        const char *before, *today;
    } prefixes[] = {{"com.oracle.jfr.types.", "jdk.types."}, {"com.oracle.jdk.", "jdk."}};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        fl_slice before = fl_slice_of(prefixes[i].before);
        if (fl_slice_starts_with(name, before))
            return fl_arena_printf(arena, "%s%.*s", prefixes[i].today,
                                   FL_SLICE_ARG(fl_slice_part(name, before.len, name.len)));
    }
    return "";
}

/* A class that is described twice is the later one. */
static fl_status add_class(struct reading *r, const struct element *from)
{
    assert(r->chunk->class_count <= r->chunk->class_cap);
    fl_jfr_chunk *chunk = r->chunk;
    fl_jfr_class class = {.name = from->name, .field_at = (uint32_t)chunk->field_count};
    uint64_t *slot;
    if (!number_of(&class.id, from->id))
        return broken(r, "number of a class");
    const char *today = chunk->major == 1 ? today_of(from->name, r->arena) : "";
    if (today == NULL)
        return no_memory(r);
    if (today[0] != '\0')
        class.name = fl_slice_of(today);
    void *grown = fl_jfr_grow(chunk->classes, chunk->class_count, &chunk->class_cap, sizeof(class));
    if (grown == NULL)
        return no_memory(r);
    chunk->classes = grown;
    fl_status status = fl_map_slot(&slot, chunk->by_id, class.id, NULL, r->err);
    if (status != FL_OK)
        return status;
    chunk->classes[chunk->class_count++] = class;
    *slot = chunk->class_count;
    if (class.id < FL_JFR_DENSE)
        chunk->dense[class.id] = (uint32_t)chunk->class_count;
    return FL_OK;
}

/* Fields of one class stand in a row: it is the last class that is being read. */
static fl_status add_field(struct reading *r, const struct element *from)
{
    assert(r->chunk->class_count > 0);
    fl_jfr_chunk *chunk = r->chunk;
    fl_jfr_field field = {
        .name = from->name, .is_constant = from->is_constant, .is_array = from->is_array};
    if (!number_of(&field.type, from->type))
        return broken(r, "class of a field");
    void *grown = fl_jfr_grow(chunk->fields, chunk->field_count, &chunk->field_cap, sizeof(field));
    if (grown == NULL)
        return no_memory(r);
    chunk->fields = grown;
    chunk->fields[chunk->field_count++] = field;
    chunk->classes[chunk->class_count - 1].field_count++;
    return FL_OK;
}

/* One element without those below it; `class_depth` is where the class lies that we are in. */
static fl_status read_element(struct reading *r, size_t depth, size_t *class_depth)
{
    struct element element = {.name = FL_SLICE("")};
    fl_slice kind = text_of(r);
    for (uint64_t left = count_of(r); left > 0 && !r->in.short_read; left--)
        read_attribute(r, &element);
    if (r->in.short_read)
        return broken(r, "element");
    if (depth <= *class_depth)
        *class_depth = SIZE_MAX;
    if (fl_slice_equal(kind, FL_SLICE("class"))) {
        *class_depth = depth;
        return add_class(r, &element);
    }
    if (fl_slice_equal(kind, FL_SLICE("field")) && *class_depth != SIZE_MAX)
        return add_field(r, &element);
    return FL_OK;
}

/* Depth first, as they stand; each level knows how many are left of it. */
static fl_status read_elements(struct reading *r)
{
    assert(r->text_count == 0 || r->texts != NULL);
    uint64_t left[MAX_ELEMENT_DEPTH] = {1};
    size_t depth = 0, class_depth = SIZE_MAX;
    fl_status status = FL_OK;
    while (status == FL_OK) {
        while (left[depth] == 0 && depth > 0)
            depth--;
        if (left[depth] == 0)
            return FL_OK;
        left[depth]--;
        status = read_element(r, depth, &class_depth);
        uint64_t below = count_of(r);
        if (status == FL_OK && (r->in.short_read || ++depth == MAX_ELEMENT_DEPTH))
            status = broken(r, "element");
        else if (status == FL_OK)
            left[depth] = below;
    }
    return status;
}

fl_status fl_jfr_metadata_read(fl_jfr_chunk *chunk, size_t pos, fl_arena *arena, fl_error *err)
{
    assert(pos <= chunk->bytes.len && arena != NULL);
    struct reading r = {
        .chunk = chunk, .in = {.bytes = chunk->bytes, .pos = pos}, .arena = arena, .err = err};
    chunk->class_count = chunk->field_count = chunk->op_count = chunk->steps = 0;
    fl_status restarted = fl_map_restart(chunk->by_id, fl_map_count(chunk->by_id), err);
    if (restarted != FL_OK)
        return restarted;
    memset(chunk->dense, 0, FL_JFR_DENSE * sizeof(*chunk->dense));
    uint64_t size = count_of(&r), type = long_of(&r);
    if (r.in.short_read || type != 0 || size < r.in.pos - pos || size > chunk->bytes.len - pos)
        return broken(&r, "beginning");
    r.in.bytes.len = pos + (size_t)size;
    for (int i = 0; i < 3; i++) /* time, duration, id */
        (void)long_of(&r);
    fl_status status = read_texts(&r);
    return status == FL_OK ? read_elements(&r) : status;
}

fl_jfr_class *fl_jfr_class_of(const fl_jfr_chunk *chunk, uint64_t id)
{
    assert(chunk->dense != NULL);
    if (id < FL_JFR_DENSE)
        return chunk->dense[id] != 0 ? &chunk->classes[chunk->dense[id] - 1] : NULL;
    const uint64_t *index = fl_map_find(chunk->by_id, id);
    return index != NULL ? &chunk->classes[*index - 1] : NULL;
}

fl_jfr_class *fl_jfr_class_named(const fl_jfr_chunk *chunk, const char *name)
{
    assert(name != NULL);
    for (size_t i = 0; i < chunk->class_count; i++)
        if (fl_slice_equal(chunk->classes[i].name, fl_slice_of(name)))
            return &chunk->classes[i];
    return NULL;
}
