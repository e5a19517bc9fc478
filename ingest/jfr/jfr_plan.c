/*
 * jfr_plan.c - a class of the metadata as a row of steps, and running one.
 *
 *   number     long, int, short, char: LEB128, or fixed where the chunk does not compress
 *   1 byte     byte, boolean
 *   4, 8       float, double, big-endian
 *   text       a tag: 0 null, 1 empty, 2 key of the pool, 3 UTF-8, 4 UTF-16, 5 Latin-1
 *   constant   a key, of another class' pool
 *   array      a count, then the elements
 *   struct     its fields, in place
 */
#include <assert.h>

#include "faultline/limits.h"
#include "jfr_priv.h"
#include "mem.h"
#include "utf8.h"

/* No name is longer than a class file can say; what is beyond is cut. */
enum { MAX_WIDENED = UINT16_MAX };

enum { TEXT_NULL, TEXT_EMPTY, TEXT_POOLED, TEXT_UTF8, TEXT_CHARS, TEXT_LATIN1 };

void *fl_jfr_grow(void *items, size_t count, size_t *cap, size_t size)
{
    assert(count <= *cap);
    if (count < *cap)
        return items;
    size_t want = *cap == 0 ? 64 : *cap * 2;
    void *grown = fl_mem_realloc(items, want, size);
    if (grown != NULL)
        *cap = want;
    return grown;
}

/* The last bytes of a chunk, one by one. */
uint64_t fl_jfr_varint_long(fl_reader *in)
{
    uint64_t value = 0;
    size_t pos = in->pos;
    assert(pos <= in->bytes.len);
    for (int shift = 0; pos < in->bytes.len; shift += 7, pos++) {
        unsigned char byte = in->bytes.ptr[pos];
        if (shift == 56 || byte < 0x80) {
            in->pos = pos + 1;
            return value | (uint64_t)byte << shift;
        }
        value |= (uint64_t)(byte & 0x7f) << shift;
    }
    in->short_read = true;
    return 0;
}

/* ---- making a plan ---- */

/* Structs within structs, each where it is being gone through. */
struct level {
    const fl_jfr_class *of;
    uint32_t next;     /* field */
    size_t path_len;   /* of the path down to it */
    uint32_t array_op; /* whose elements it is; FL_JFR_NONE: of none */
    bool in_array;
};

struct making {
    fl_jfr_plan *plan;
    fl_jfr_chunk *chunk;
    const fl_jfr_wanted *wanted;
    struct level levels[FL_JFR_DEPTH];
    size_t depth;
    char path[256];
    bool no_memory;
};

/* Widths of what is no struct; 0: it is one. A text is told by its step. */
static fl_jfr_op primitive_of(fl_slice name, bool is_compressed)
{
    static const struct {
        const char *name;
        uint8_t width;
        bool is_number;
    } widths[] = {{"long", 8, true},   {"int", 4, true},    {"boolean", 1, false},
                  {"byte", 1, false},  {"short", 2, true},  {"char", 2, true},
                  {"float", 4, false}, {"double", 8, false}};
    fl_jfr_op op = {.slot = -1};
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
        if (fl_slice_equal(name, fl_slice_of(widths[i].name))) {
            op.width = widths[i].width;
            op.step = is_compressed && widths[i].is_number ? FL_JFR_VARINT : FL_JFR_FIXED;
        }
    if (fl_slice_equal(name, FL_SLICE("java.lang.String")))
        op = (fl_jfr_op){.step = FL_JFR_TEXT, .width = 1, .slot = -1};
    return op;
}

/* The path of a field of the level on top; "" where it is too long to be one that is wanted. */
static void path_of(struct making *m, const fl_jfr_field *field)
{
    assert(m->depth > 0 && m->levels[m->depth - 1].path_len < sizeof(m->path));
    const struct level *top = &m->levels[m->depth - 1];
    size_t room = sizeof(m->path) - 1;
    m->path[top->path_len] = '\0';
    if (top->path_len + field->name.len >= room) {
        m->path[0] = '\0';
        return;
    }
    memcpy(m->path + top->path_len, field->name.ptr, field->name.len);
    m->path[top->path_len + field->name.len] = '\0';
}

/* The slot of the path that was made last; -1: it is not wanted. */
static int8_t slot_of(const struct making *m, bool in_array)
{
    for (size_t i = 0; !in_array && m->wanted != NULL && m->wanted[i].path != NULL; i++)
        if (strcmp(m->wanted[i].path, m->path) == 0) {
            assert(m->wanted[i].slot >= 0 && m->wanted[i].slot < FL_JFR_SLOTS);
            return (int8_t)m->wanted[i].slot;
        }
    return -1;
}

/* One step more; a slot also notes which table its key is of. */
static bool add_op(struct making *m, fl_jfr_op op, fl_jfr_pool_kind pool)
{
    assert(op.slot < FL_JFR_SLOTS && m->plan->count <= FL_JFR_PLAN_OPS);
    fl_jfr_chunk *chunk = m->chunk;
    if (m->plan->count == FL_JFR_PLAN_OPS)
        return false;
    fl_jfr_op *ops = fl_jfr_grow(chunk->ops, chunk->op_count, &chunk->op_cap, sizeof(*ops));
    m->no_memory = ops == NULL;
    if (ops == NULL)
        return false;
    chunk->ops = ops;
    ops[chunk->op_count++] = op;
    m->plan->count++;
    m->plan->is_flat &= op.step == FL_JFR_VARINT || op.step == FL_JFR_FIXED;
    m->plan->is_plain &= op.step == FL_JFR_VARINT;
    if (op.slot >= 0) {
        m->plan->have |= 1u << op.slot;
        m->plan->pool[op.slot] = (uint8_t)pool;
        m->plan->last = m->plan->count;
    }
    return true;
}

/* Go into a struct: a field of one, or the elements of an array. */
static bool push_level(struct making *m, const fl_jfr_class *of, uint32_t array_op)
{
    size_t len = strlen(m->path);
    if (m->depth == FL_JFR_DEPTH || of == NULL)
        return false;
    bool in_array = array_op != FL_JFR_NONE;
    if (m->depth > 0)
        in_array |= m->levels[m->depth - 1].in_array;
    if (m->depth > 0 && len + 1 < sizeof(m->path))
        m->path[len++] = '.';
    m->levels[m->depth++] =
        (struct level){.of = of, .path_len = len, .array_op = array_op, .in_array = in_array};
    return true;
}

/* One field of the level on top. */
static bool add_field(struct making *m, const fl_jfr_field *field)
{
    assert(m->depth > 0 && m->depth <= FL_JFR_DEPTH);
    const fl_jfr_class *type = fl_jfr_class_of(m->chunk, field->type);
    bool in_array = m->levels[m->depth - 1].in_array;
    if (type == NULL || m->chunk->steps == FL_JFR_CHUNK_STEPS)
        return false;
    m->chunk->steps++;
    fl_jfr_op op = primitive_of(type->name, m->chunk->is_compressed);
    fl_jfr_pool_kind pool = op.step == FL_JFR_TEXT ? FL_JFR_POOL_INLINE : FL_JFR_POOL_NONE;
    path_of(m, field);
    uint32_t array_op = FL_JFR_NONE;
    if (field->is_array) {
        fl_jfr_op array = {.step = FL_JFR_ARRAY, .slot = slot_of(m, in_array)};
        array_op = m->plan->count;
        if (!add_op(m, array, FL_JFR_POOL_NONE))
            return false;
    }
    if (field->is_constant) {
        op =
            (fl_jfr_op){.step = m->chunk->is_compressed ? FL_JFR_VARINT : FL_JFR_FIXED, .width = 8};
        pool = fl_jfr_pool_of(type->name);
    }
    if (op.width == 0)
        return push_level(m, type, array_op);
    op.slot = slot_of(m, in_array || field->is_array);
    if (!add_op(m, op, pool))
        return false;
    if (field->is_array)
        m->chunk->ops[m->plan->at + array_op].end = m->plan->count;
    return true;
}

/* A level's last field is behind it: its array, if it is one's, ends here. */
static void pop_level(struct making *m)
{
    assert(m->depth > 0);
    const struct level *top = &m->levels[--m->depth];
    if (top->array_op != FL_JFR_NONE)
        m->chunk->ops[m->plan->at + top->array_op].end = m->plan->count;
}

/* Arrays whose elements are numbers alone, none of which is kept, are gone past without a look at
 * each. */
static void note_plain_arrays(const fl_jfr_plan *plan, fl_jfr_chunk *chunk)
{
    fl_jfr_op *ops = plan->count > 0 ? &chunk->ops[plan->at] : NULL;
    for (uint32_t i = 0; i < plan->count; i++) {
        uint32_t next = i + 1;
        assert(ops[i].step != FL_JFR_ARRAY || ops[i].end <= plan->count);
        while (ops[i].step == FL_JFR_ARRAY && next < ops[i].end &&
               ops[next].step == FL_JFR_VARINT && ops[next].slot < 0)
            next++;
        if (ops[i].step == FL_JFR_ARRAY && next == ops[i].end && next - i - 1 <= UINT8_MAX)
            ops[i].width = (uint8_t)(next - i - 1);
    }
}

/* Depth first through the structs, with a stack in place of calls. */
static bool make(struct making *m, const fl_jfr_class *of)
{
    fl_jfr_op op = primitive_of(of->name, m->chunk->is_compressed);
    if (op.width > 0) { /* a pool of texts: the text itself is in slot 0 */
        op.slot = m->wanted != NULL ? 0 : -1;
        return add_op(m, op, op.step == FL_JFR_TEXT ? FL_JFR_POOL_INLINE : FL_JFR_POOL_NONE);
    }
    bool going = push_level(m, of, FL_JFR_NONE);
    while (going && m->depth > 0) {
        struct level *top = &m->levels[m->depth - 1];
        if (top->next == top->of->field_count)
            pop_level(m);
        else
            going = add_field(m, &m->chunk->fields[top->of->field_at + top->next++]);
    }
    return going;
}

fl_status fl_jfr_plan_make(fl_jfr_plan *out, fl_jfr_chunk *chunk, const fl_jfr_class *of,
                           const fl_jfr_wanted *wanted, fl_error *err)
{
    assert(out != NULL && chunk != NULL && of != NULL && chunk->op_count < UINT32_MAX);
    struct making m = {.plan = out, .chunk = chunk, .wanted = wanted};
    *out = (fl_jfr_plan){.at = (uint32_t)chunk->op_count};
    memset(out->pool, FL_JFR_POOL_NONE, sizeof(out->pool));
    out->is_flat = out->is_plain = true;
    out->is_sound = make(&m, of);
    if (out->is_sound)
        note_plain_arrays(out, chunk);
    if (m.no_memory)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for fields of a recording");
    if (!out->is_sound)
        *out = (fl_jfr_plan){.at = (uint32_t)chunk->op_count};
    return FL_OK;
}

/* ---- running one ---- */

/* Go past numbers of a compressed chunk. Each window begins with one, so that a number of nine
 * bytes is wholly in it, or ends it. */
static void skip_numbers(fl_reader *in, uint64_t count)
{
    const unsigned char *p = in->bytes.ptr;
    while (count > 0 && in->bytes.len - in->pos >= FL_JFR_WINDOW) {
        uint32_t tops = fl_jfr_tops_of(p + in->pos), ends = ~tops;
        if (fl_jfr_has_doubt(tops)) {
            (void)fl_jfr_varint(in);
            count--;
            continue;
        }
        unsigned here = (unsigned)__builtin_popcount(ends);
        for (; here > count; here--)
            ends &= ~(UINT32_C(1) << (31 - __builtin_clz(ends)));
        assert(here > 0);
        count -= here;
        in->pos += 32 - (size_t)__builtin_clz(ends);
    }
    for (; count > 0 && !in->short_read; count--)
        (void)fl_jfr_varint(in);
}

void fl_jfr_skip_text(fl_reader *in, bool is_compressed)
{
    uint64_t tag = fl_read_be(in, 1);
    switch (tag) {
    case TEXT_NULL:
    case TEXT_EMPTY:
        return;
    case TEXT_POOLED:
        (void)fl_jfr_number(in, 8, is_compressed);
        return;
    case TEXT_UTF8:
    case TEXT_LATIN1:
        (void)fl_read_bytes(in, (uint32_t)fl_jfr_number(in, 4, is_compressed));
        return;
    case TEXT_CHARS: {
        uint64_t count = (uint32_t)fl_jfr_number(in, 4, is_compressed);
        if (is_compressed)
            skip_numbers(in, count);
        else
            (void)fl_read_bytes(in, (size_t)count * 2);
        return;
    }
    default:
        in->short_read = true;
    }
}

/* Arrays that are being gone through, innermost last. */
struct repeat {
    uint32_t begin, end;
    uint64_t left;
};

/* A step that is no number; returns where to go on. */
static size_t run_step(const fl_jfr_chunk *chunk, const fl_jfr_op *op, size_t i, fl_reader *in,
                       struct repeat *repeats, size_t *depth)
{
    if (op->step == FL_JFR_TEXT) {
        fl_jfr_skip_text(in, chunk->is_compressed);
        return i + 1;
    }
    assert(op->step == FL_JFR_ARRAY && op->end > i && *depth < FL_JFR_DEPTH);
    uint64_t count = (uint32_t)fl_jfr_number(in, 4, chunk->is_compressed);
    if (count == 0 || op->end == i + 1)
        return op->end;
    if (op->width > 0) {
        skip_numbers(in, count * op->width);
        return op->end;
    }
    repeats[(*depth)++] = (struct repeat){.begin = (uint32_t)i + 1, .end = op->end, .left = count};
    return i + 1;
}

/* Numbers only, which is what most events are. Where there is room for the longest of each, nothing
 * has to be checked on the way. */
static void run_flat(const fl_jfr_op *op, size_t count, fl_reader *in, uint64_t *slots)
{
    const fl_jfr_op *end = op + count;
    bool has_room = in->bytes.len - in->pos >= count * FL_JFR_VARINT_BYTES;
    size_t pos = in->pos;
    for (; has_room && op < end && op->step == FL_JFR_VARINT; op++) {
        uint64_t value = fl_jfr_varint_at(in->bytes.ptr, &pos);
        if (op->slot >= 0)
            slots[op->slot] = value;
    }
    in->pos = pos;
    for (; op < end; op++) {
        uint64_t value = op->step == FL_JFR_VARINT ? fl_jfr_varint(in) : fl_read_be(in, op->width);
        if (op->slot >= 0)
            slots[op->slot] = value;
    }
}

void fl_jfr_plan_run(const fl_jfr_chunk *chunk, const fl_jfr_plan *plan, size_t count,
                     fl_reader *in, uint64_t *slots)
{
    struct repeat repeats[FL_JFR_DEPTH];
    size_t depth = 0, i = 0;
    assert(count <= plan->count && plan->is_sound);
    if (plan->is_flat && count > 0) {
        run_flat(&chunk->ops[plan->at], count, in, slots);
        return;
    }
    while (!in->short_read) {
        if (depth > 0 && i == repeats[depth - 1].end) {
            if (--repeats[depth - 1].left > 0)
                i = repeats[depth - 1].begin;
            else
                depth--;
            continue;
        }
        if (i >= count)
            return;
        const fl_jfr_op *op = &chunk->ops[plan->at + i];
        if (op->step == FL_JFR_VARINT || op->step == FL_JFR_FIXED) {
            uint64_t value =
                op->step == FL_JFR_VARINT ? fl_jfr_varint(in) : fl_read_be(in, op->width);
            if (op->slot >= 0)
                slots[op->slot] = value;
            i++;
            continue;
        }
        if (op->slot >= 0)
            slots[op->slot] = in->pos;
        i = run_step(chunk, op, i, in, repeats, &depth);
    }
}

/* ---- texts ---- */

/* UTF-16 or Latin-1 as UTF-8; a lone surrogate becomes U+FFFD. */
static bool widen(fl_slice *out, fl_reader *in, uint64_t count, bool is_latin1, bool is_compressed,
                  fl_arena *arena)
{
    assert(in->pos <= in->bytes.len);
    if (count > in->bytes.len - in->pos)
        return false;
    if (count > MAX_WIDENED)
        count = MAX_WIDENED;
    unsigned char *text = fl_arena_bytes(arena, (size_t)count * 4 + 1);
    size_t len = 0;
    uint32_t high = 0;
    for (uint64_t i = 0; text != NULL && i < count; i++) {
        uint32_t unit =
            is_latin1 ? (uint32_t)fl_read_be(in, 1) : (uint16_t)fl_jfr_number(in, 2, is_compressed);
        bool is_low = unit >= 0xdc00 && unit < 0xe000;
        if (high != 0)
            len += fl_utf8_encode(
                text + len, is_low ? 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00) : 0xfffd);
        else if (is_low)
            len += fl_utf8_encode(text + len, 0xfffd);
        bool was_pair = high != 0 && is_low;
        high = unit >= 0xd800 && unit < 0xdc00 ? unit : 0;
        if (high == 0 && !is_low && !was_pair)
            len += fl_utf8_encode(text + len, unit);
    }
    if (text != NULL && high != 0)
        len += fl_utf8_encode(text + len, 0xfffd);
    *out = (fl_slice){.ptr = text, .len = len};
    return text != NULL && !in->short_read;
}

bool fl_jfr_text_at(fl_slice *out, uint64_t *ref, const fl_jfr_chunk *chunk, size_t pos,
                    fl_arena *arena)
{
    fl_reader in = {.bytes = chunk->bytes, .pos = pos};
    bool is_compressed = chunk->is_compressed;
    assert(pos <= chunk->bytes.len && arena != NULL);
    *out = FL_SLICE("");
    *ref = 0;
    uint64_t tag = fl_read_be(&in, 1);
    if (tag == TEXT_POOLED)
        *ref = fl_jfr_number(&in, 8, is_compressed);
    else if (tag == TEXT_UTF8)
        *out = fl_read_bytes(&in, (uint32_t)fl_jfr_number(&in, 4, is_compressed));
    else if (tag == TEXT_CHARS || tag == TEXT_LATIN1)
        return widen(out, &in, (uint32_t)fl_jfr_number(&in, 4, is_compressed), tag == TEXT_LATIN1,
                     is_compressed, arena);
    return !in.short_read && tag <= TEXT_LATIN1;
}
