/*
 * jfr_names.c - from keys of a chunk to names and stacks that outlive it.
 *
 *   class   its name, a symbol, as the sources spell it: "java.util.Map$Entry", "byte[]"
 *   method  class and name: "java.util.HashMap.put"; methods that differ in parameters only are one
 *   frame   method and line; whether it was compiled or interpreted does not part it
 *
 * Each constant is resolved once; the result stands beside it, also of those that were only passed
 * on the way to a text, so that a text is read once, however many classes have it. What a chunk's
 * constants cost in all is bounded (fl_jfr_constant_slots()). A stack is a node below the node of
 * its caller, so that equal stacks of all chunks are one number, and what callers share is kept
 * once.
 */
#include <assert.h>

#include "faultline/limits.h"
#include "jfr_priv.h"
#include "mem.h"

/* A recorder stops at 2,048 frames (stackdepth); what is beyond is a damaged table. */
enum { MAX_FRAMES = 4096, MAX_STEPS = 4, MAX_NAME_BYTES = 4096 };

/* What was made in the scratch for it is given back. */
static fl_status intern(uint32_t *out, fl_jfr *jfr, fl_slice text, fl_error *err)
{
    assert(out != NULL && (text.len == 0 || text.ptr != NULL));
    fl_sym sym;
    if (text.len > MAX_NAME_BYTES)
        text.len = MAX_NAME_BYTES;
    fl_status status = fl_intern_put(&sym, jfr->names, text, err);
    if (status == FL_OK)
        *out = sym;
    fl_arena_reset(&jfr->scratch);
    return status;
}

/* ---- names ---- */

/* "[Ljava/lang/String;" is "java.lang.String[]", "java/util/Map$Entry" "java.util.Map$Entry": as
 * the sources have it. False: no memory. */
static bool spell_class(fl_slice *out, fl_slice name, fl_arena *arena)
{
    assert(out != NULL && arena != NULL);
    static const char *const primitives[] = {"Bbyte", "Cchar", "Ddouble", "Ffloat",
                                             "Iint",  "Jlong", "Sshort",  "Zboolean"};
    size_t dimensions = 0;
    while (dimensions < name.len && name.ptr[dimensions] == '[')
        dimensions++;
    fl_slice base = fl_slice_part(name, dimensions, name.len);
    if (dimensions > 0 && base.len > 2 && base.ptr[0] == 'L' && base.ptr[base.len - 1] == ';')
        base = fl_slice_part(base, 1, base.len - 1);
    for (size_t i = 0; dimensions > 0 && base.len == 1 && i < 8; i++)
        if (base.ptr[0] == (unsigned char)primitives[i][0])
            base = fl_slice_of(primitives[i] + 1);
    unsigned char *text = fl_arena_bytes(arena, base.len + 2 * dimensions + 1);
    if (text == NULL)
        return false;
    for (size_t i = 0; i < base.len; i++)
        text[i] = base.ptr[i] == '/' ? '.' : base.ptr[i];
    for (size_t i = 0; i < dimensions; i++)
        memcpy(text + base.len + 2 * i, "[]", 2);
    *out = (fl_slice){.ptr = text, .len = base.len + 2 * dimensions};
    return true;
}

/* A part of a name. One that is made of parts itself is none, whatever the description says: so
 * names are two calls deep. */
static fl_status name_part(uint32_t *out, fl_jfr *jfr, const fl_jfr_plan *plan, int slot,
                           const uint64_t *slots, fl_error *err)
{
    assert(slot >= 0 && slot < FL_JFR_SLOTS);
    *out = FL_JFR_NONE;
    if (plan->pool[slot] == FL_JFR_POOL_METHOD || plan->pool[slot] == FL_JFR_POOL_THREAD)
        return FL_OK;
    return fl_jfr_name_slot(out, jfr, plan, slot, slots, err);
}

/* "java.util.HashMap.put" */
static fl_status name_method(uint32_t *out, fl_jfr *jfr, fl_jfr_constant *constant, fl_error *err)
{
    assert(constant->is_resolved && *out == FL_JFR_NONE);
    fl_jfr_chunk *chunk = jfr->chunk;
    const fl_jfr_plan *plan = &chunk->pools[FL_JFR_POOL_METHOD].of->plan;
    uint64_t slots[FL_JFR_SLOTS];
    uint32_t class, name;
    if (!fl_jfr_constant_slots(chunk, FL_JFR_POOL_METHOD, constant, slots))
        return FL_OK;
    fl_status status = name_part(&class, jfr, plan, 1, slots, err);
    if (status == FL_OK)
        status = name_part(&name, jfr, plan, 0, slots, err);
    if (status != FL_OK || name == FL_JFR_NONE)
        return status;
    fl_slice owner = fl_jfr_name(jfr, class), own = fl_jfr_name(jfr, name);
    if (own.len > MAX_NAME_BYTES - owner.len)
        own.len = MAX_NAME_BYTES - owner.len;
    unsigned char *text = fl_arena_bytes(&jfr->scratch, owner.len + own.len + 1);
    if (text == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a method's name");
    size_t at = owner.len;
    memcpy(text, owner.ptr, owner.len);
    if (owner.len > 0)
        text[at++] = '.';
    memcpy(text + at, own.ptr, own.len);
    return intern(out, jfr, (fl_slice){.ptr = text, .len = at + own.len}, err);
}

/* A thread that Java does not know has the system's name. */
static fl_status name_thread(uint32_t *out, fl_jfr *jfr, fl_jfr_constant *constant, fl_error *err)
{
    assert(constant->is_resolved && *out == FL_JFR_NONE);
    const fl_jfr_plan *plan = &jfr->chunk->pools[FL_JFR_POOL_THREAD].of->plan;
    uint64_t slots[FL_JFR_SLOTS];
    if (!fl_jfr_constant_slots(jfr->chunk, FL_JFR_POOL_THREAD, constant, slots))
        return FL_OK;
    fl_status status = name_part(out, jfr, plan, 0, slots, err);
    if (status == FL_OK && (*out == FL_JFR_NONE || fl_jfr_name(jfr, *out).len == 0))
        status = name_part(out, jfr, plan, 1, slots, err);
    return status;
}

/* What has a name that is not just its text. */
static bool is_made(fl_jfr_pool_kind pool)
{
    return pool == FL_JFR_POOL_CLASS || pool == FL_JFR_POOL_METHOD || pool == FL_JFR_POOL_THREAD;
}

/* The way from a constant to its text. */
struct way {
    fl_jfr_pool_kind pool;
    uint64_t key;
    bool more;                          /* it goes on from there */
    fl_jfr_constant *passed[MAX_STEPS]; /* whose name is the text */
    size_t count;
};

/* One step: to the next constant, or to the text, which is then *out. */
static fl_status follow(uint32_t *out, struct way *way, fl_jfr *jfr, fl_error *err)
{
    fl_jfr_chunk *chunk = jfr->chunk;
    const fl_jfr_pool_kind pool = way->pool;
    fl_jfr_constant *constant = fl_jfr_constant_of(chunk, pool, way->key);
    uint64_t slots[FL_JFR_SLOTS];
    fl_slice text;
    way->more = false;
    if (constant == NULL)
        return FL_OK;
    assert(way->count < MAX_STEPS);
    if (!is_made(pool) && constant->is_resolved) {
        *out = constant->resolved;
        return FL_OK;
    }
    if (!is_made(pool))
        way->passed[way->count++] = constant;
    if (!fl_jfr_constant_slots(chunk, pool, constant, slots))
        return FL_OK;
    const fl_jfr_plan *plan = &chunk->pools[pool].of->plan;
    bool is_inline = plan->pool[0] == FL_JFR_POOL_INLINE;
    if ((plan->have & 1u) == 0 || (!is_inline && plan->pool[0] >= FL_JFR_POOL_COUNT))
        return FL_OK;
    way->pool = is_inline ? FL_JFR_POOL_STRING : (fl_jfr_pool_kind)plan->pool[0];
    way->key = slots[0];
    if (is_inline && !fl_jfr_text_at(&text, &way->key, chunk, (size_t)slots[0], &jfr->scratch))
        return FL_OK;
    way->more = !is_inline || way->key != 0;
    return way->more ? FL_OK : intern(out, jfr, text, err);
}

/* The text behind a constant: a class is a symbol's, which is a string's, in whatever version. What
 * is passed on the way has the same name, and is resolved with it: however many refer to a text, it
 * is read once. Where the tables do not lead to a text, there is no name. */
static fl_status name_text(uint32_t *out, fl_jfr *jfr, fl_jfr_pool_kind pool, uint64_t key,
                           fl_error *err)
{
    struct way way = {.pool = pool, .key = key, .more = true};
    fl_status status = FL_OK;
    assert(*out == FL_JFR_NONE);
    for (int step = 0; step < MAX_STEPS && way.more && status == FL_OK; step++)
        status = follow(out, &way, jfr, err);
    for (size_t i = 0; i < way.count && status == FL_OK; i++) {
        way.passed[i]->is_resolved = true;
        way.passed[i]->resolved = *out;
    }
    return status;
}

/* A class as the sources spell it, once for each text that is its name in the recording. */
static fl_status name_class(uint32_t *out, fl_jfr *jfr, uint64_t key, fl_error *err)
{
    uint32_t text = FL_JFR_NONE;
    uint64_t *slot;
    fl_slice spelled;
    fl_status status = name_text(&text, jfr, FL_JFR_POOL_CLASS, key, err);
    if (status != FL_OK || text == FL_JFR_NONE)
        return status;
    const uint64_t *known = fl_map_find(jfr->class_of, text);
    if (known != NULL) {
        *out = (uint32_t)*known;
        return FL_OK;
    }
    if (!spell_class(&spelled, fl_jfr_name(jfr, text), &jfr->scratch))
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a class' name");
    status = intern(out, jfr, spelled, err);
    if (status == FL_OK)
        status = fl_map_slot(&slot, jfr->class_of, text, NULL, err);
    if (status == FL_OK)
        *slot = *out;
    return status;
}

fl_status fl_jfr_name_constant(uint32_t *out, fl_jfr *jfr, fl_jfr_pool_kind pool, uint64_t key,
                               fl_error *err)
{
    assert(pool < FL_JFR_POOL_COUNT && pool != FL_JFR_POOL_STACK);
    fl_jfr_constant *constant = fl_jfr_constant_of(jfr->chunk, pool, key);
    fl_status status = FL_OK;
    *out = FL_JFR_NONE;
    if (constant == NULL)
        return FL_OK;
    if (constant->is_resolved) {
        *out = constant->resolved;
        return FL_OK;
    }
    constant->is_resolved = is_made(pool); /* before, so that what refers to itself ends */
    if (pool == FL_JFR_POOL_METHOD)
        status = name_method(out, jfr, constant, err);
    else if (pool == FL_JFR_POOL_THREAD)
        status = name_thread(out, jfr, constant, err);
    else if (pool == FL_JFR_POOL_CLASS)
        status = name_class(out, jfr, key, err);
    else
        status = name_text(out, jfr, pool, key, err);
    constant->is_resolved = true;
    constant->resolved = *out;
    return status;
}

fl_status fl_jfr_name_slot(uint32_t *out, fl_jfr *jfr, const fl_jfr_plan *plan, int slot,
                           const uint64_t *slots, fl_error *err)
{
    assert(slot >= 0 && slot < FL_JFR_SLOTS);
    fl_slice text;
    uint64_t key;
    *out = FL_JFR_NONE;
    bool is_named = plan->pool[slot] != FL_JFR_POOL_NONE && plan->pool[slot] != FL_JFR_POOL_STACK;
    if ((plan->have & 1u << slot) == 0 || !is_named) /* a description may call anything a text */
        return FL_OK;
    if (plan->pool[slot] != FL_JFR_POOL_INLINE)
        return fl_jfr_name_constant(out, jfr, (fl_jfr_pool_kind)plan->pool[slot], slots[slot], err);
    if (!fl_jfr_text_at(&text, &key, jfr->chunk, (size_t)slots[slot], &jfr->scratch))
        return FL_OK;
    return key != 0 ? fl_jfr_name_constant(out, jfr, FL_JFR_POOL_STRING, key, err)
                    : intern(out, jfr, text, err);
}

/* ---- stacks ---- */

/* The number of a frame, the same for equal ones. */
static fl_status frame_of(uint32_t *out, fl_jfr *jfr, uint32_t function, uint32_t line,
                          fl_error *err)
{
    uint64_t *slot;
    fl_status status =
        fl_map_slot(&slot, jfr->frame_of, (uint64_t)function << 32 | line, NULL, err);
    if (status != FL_OK)
        return status;
    if (*slot == 0) {
        fl_jfr_frame *grown =
            fl_jfr_grow(jfr->frames, jfr->frame_count, &jfr->frame_cap, sizeof(*grown));
        if (grown == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for frames");
        jfr->frames = grown;
        grown[jfr->frame_count] = (fl_jfr_frame){
            .function = function, .line = line, .number = (uint32_t)jfr->frame_count};
        jfr->frame_count++;
        *slot = jfr->frame_count;
    }
    assert(*slot > 0);
    *out = (uint32_t)(*slot - 1);
    return FL_OK;
}

/* The number of a frame below a caller, the same for equal ones. */
static fl_status node_of(uint32_t *out, fl_jfr *jfr, uint32_t caller, uint32_t frame, fl_error *err)
{
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, jfr->node_of, (uint64_t)caller << 32 | frame, NULL, err);
    if (status != FL_OK)
        return status;
    if (*slot == 0) {
        fl_jfr_node *grown =
            fl_jfr_grow(jfr->nodes, jfr->node_count, &jfr->node_cap, sizeof(*grown));
        if (grown == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for stacks");
        jfr->nodes = grown;
        grown[jfr->node_count++] = (fl_jfr_node){.frame = frame, .caller = caller};
        *slot = jfr->node_count;
    }
    assert(*slot > 0);
    *out = (uint32_t)(*slot - 1);
    return FL_OK;
}

/* What a frame refers to, read; false: its bytes are not there. Nearly all are numbers alone, the
 * method and the line first. */
static bool read_frame(uint64_t slots[FL_JFR_SLOTS], const fl_jfr_chunk *chunk, fl_reader *in)
{
    const fl_jfr_plan *plan = &chunk->frame;
    const fl_jfr_op *ops = &chunk->ops[plan->at];
    assert(plan->is_sound && plan->count > 0);
    slots[0] = slots[1] = 0;
    bool is_usual = plan->is_plain && plan->last == 2 && ops[0].slot == 0;
    if (!is_usual || in->bytes.len - in->pos < plan->count * (size_t)FL_JFR_VARINT_BYTES) {
        fl_jfr_plan_run(chunk, plan, plan->count, in, slots);
        return !in->short_read;
    }
    slots[0] = fl_jfr_varint_at(in->bytes.ptr, &in->pos);
    slots[1] = fl_jfr_varint_at(in->bytes.ptr, &in->pos);
    for (uint32_t i = 2; i < plan->count; i++)
        (void)fl_jfr_varint_at(in->bytes.ptr, &in->pos);
    return true;
}

/* A frame that was read, as a number: stacks of one program have the same ones again and again, so
 * that the last of those with the same place in a small table is nearly always it. */
static fl_status number_frame(uint32_t *out, fl_jfr *jfr, const uint64_t *slots, fl_error *err)
{
    fl_jfr_chunk *chunk = jfr->chunk;
    uint64_t key = slots[0] << 32 | (uint32_t)slots[1];
    fl_jfr_seen *seen = &chunk->seen[key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - FL_JFR_SEEN_BITS)];
    bool is_small = slots[0] <= UINT32_MAX;
    *out = seen->frame - 1;
    if (is_small && seen->frame != 0 && seen->key == key)
        return FL_OK;
    uint32_t function;
    int32_t line = (int32_t)slots[1];
    fl_status status = fl_jfr_name_slot(&function, jfr, &chunk->frame, 0, slots, err);
    if (status == FL_OK)
        status = frame_of(out, jfr, function, line > 0 ? (uint32_t)line : 0, err);
    if (status == FL_OK && is_small)
        *seen = (fl_jfr_seen){.key = key, .frame = *out + 1};
    return status;
}

/* The frames of one stack, innermost first as they stand; how many could be read. */
static fl_status read_frames(uint32_t frames[MAX_FRAMES], size_t *count, fl_jfr *jfr, size_t pos,
                             fl_error *err)
{
    assert(jfr->chunk->frame.is_sound && pos <= jfr->chunk->bytes.len);
    fl_jfr_chunk *chunk = jfr->chunk;
    fl_reader in = {.bytes = chunk->bytes, .pos = pos};
    uint64_t left = (uint32_t)fl_jfr_number(&in, 4, chunk->is_compressed), slots[FL_JFR_SLOTS];
    fl_status status = FL_OK;
    for (*count = 0; left > 0 && *count < MAX_FRAMES && status == FL_OK; left--) {
        if (!read_frame(slots, chunk, &in))
            return FL_OK;
        status = number_frame(&frames[(*count)++], jfr, slots, err);
    }
    return status;
}

fl_status fl_jfr_stack_constant(uint32_t *out, fl_jfr *jfr, uint64_t key, fl_error *err)
{
    fl_jfr_chunk *chunk = jfr->chunk;
    fl_jfr_constant *constant = fl_jfr_constant_of(chunk, FL_JFR_POOL_STACK, key);
    uint64_t slots[FL_JFR_SLOTS];
    uint32_t frames[MAX_FRAMES];
    size_t count;
    *out = FL_JFR_NONE;
    if (constant == NULL)
        return FL_OK;
    if (constant->is_resolved) {
        *out = constant->resolved;
        return FL_OK;
    }
    constant->is_resolved = true;
    const fl_jfr_plan *plan = &chunk->pools[FL_JFR_POOL_STACK].of->plan;
    bool is_whole = fl_jfr_constant_slots(chunk, FL_JFR_POOL_STACK, constant, slots);
    if (!is_whole || (plan->have & 1u) == 0 || !chunk->frame.is_sound || chunk->frame.count == 0)
        return FL_OK;
    fl_status status = read_frames(frames, &count, jfr, (size_t)slots[0], err);
    for (size_t i = count; i > 0 && status == FL_OK; i--)
        status = node_of(out, jfr, *out, frames[i - 1], err);
    constant->resolved = *out;
    return status;
}

/* ---- holders ---- */

/* One step towards the root: what holds `object`, and the key of that; 0 at the end. */
static fl_status next_holder(fl_jfr_holder *out, uint64_t *object, fl_jfr *jfr,
                             const uint64_t *from, fl_error *err)
{
    fl_jfr_chunk *chunk = jfr->chunk;
    uint64_t key = from[2], slots[FL_JFR_SLOTS], part[FL_JFR_SLOTS];
    fl_jfr_constant *reference = fl_jfr_constant_of(chunk, FL_JFR_POOL_REFERENCE, key);
    *object = 0;
    if (reference == NULL || !fl_jfr_constant_slots(chunk, FL_JFR_POOL_REFERENCE, reference, slots))
        return FL_OK;
    *object = slots[3];
    out->skipped = slots[4];
    fl_jfr_constant *array = fl_jfr_constant_of(chunk, FL_JFR_POOL_ARRAY, slots[1]);
    if (array != NULL && fl_jfr_constant_slots(chunk, FL_JFR_POOL_ARRAY, array, part)) {
        out->length = (int32_t)part[1];
        out->index = (int32_t)part[2];
    }
    return fl_jfr_name_constant(&out->field, jfr, FL_JFR_POOL_FIELD, slots[2], err);
}

/* Its kind, and where the recorder looked: "Stack Variable (Threads)". */
static fl_status name_root(uint32_t *out, fl_jfr *jfr, uint64_t key, fl_error *err)
{
    fl_jfr_chunk *chunk = jfr->chunk;
    fl_jfr_constant *root = fl_jfr_constant_of(chunk, FL_JFR_POOL_ROOT, key);
    uint64_t slots[FL_JFR_SLOTS];
    if (root == NULL || !fl_jfr_constant_slots(chunk, FL_JFR_POOL_ROOT, root, slots))
        return FL_OK;
    const fl_jfr_plan *plan = &chunk->pools[FL_JFR_POOL_ROOT].of->plan;
    uint32_t type, system;
    fl_status status = fl_jfr_name_slot(&type, jfr, plan, 2, slots, err);
    if (status == FL_OK)
        status = fl_jfr_name_slot(&system, jfr, plan, 1, slots, err);
    if (status != FL_OK)
        return status;
    fl_slice name = fl_jfr_name(jfr, type);
    bool is_known = name.len > 0 && name.ptr[0] != '<';
    *out = is_known ? type : system;
    return FL_OK;
}

fl_status fl_jfr_holders(fl_jfr_chain *out, fl_jfr *jfr, const fl_jfr_event *event, fl_error *err)
{
    fl_jfr_chunk *chunk = jfr->chunk;
    uint64_t object = event->object, slots[FL_JFR_SLOTS];
    fl_status status = FL_OK;
    assert(out->cap > 0 && event->kind == FL_JFR_OLD_OBJECT);
    out->count = 0;
    out->root = FL_JFR_NONE;
    while (status == FL_OK && object != 0 && out->count < out->cap) {
        fl_jfr_constant *constant = fl_jfr_constant_of(chunk, FL_JFR_POOL_OBJECT, object);
        if (constant == NULL || !fl_jfr_constant_slots(chunk, FL_JFR_POOL_OBJECT, constant, slots))
            break;
        const fl_jfr_plan *plan = &chunk->pools[FL_JFR_POOL_OBJECT].of->plan;
        fl_jfr_holder *holder = &out->items[out->count++];
        *holder = (fl_jfr_holder){.field = FL_JFR_NONE, .index = -1};
        status = fl_jfr_name_slot(&holder->type, jfr, plan, 1, slots, err);
        if (status == FL_OK)
            status = fl_jfr_name_slot(&holder->description, jfr, plan, 0, slots, err);
        if (status == FL_OK)
            status = next_holder(holder, &object, jfr, slots, err);
    }
    return status == FL_OK ? name_root(&out->root, jfr, event->root, err) : status;
}
