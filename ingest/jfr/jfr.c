/*
 * jfr.c - a reader of recordings, and how a chunk that was digested is told to who asked for it.
 *
 * Telling is where keys of one chunk become names and stacks of all: it is one chunk at a time, in
 * the order of the file, whichever threads digested them (jfr_feed.c).
 */
#include "jfr.h"

#include <assert.h>

#include "bytes.h"
#include "faultline/limits.h"
#include "jfr_priv.h"
#include "mem.h"

static const unsigned char magic[4] = {'F', 'L', 'R', 0};

/* ---- the reader ---- */

fl_status fl_jfr_create(fl_jfr **out, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    fl_jfr *jfr = fl_mem_calloc(1, sizeof(*jfr));
    if (jfr == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a reader of recordings");
    jfr->scratch = fl_arena_of(FL_MAX_JFR_TEXT_BYTES);
    jfr->chunk = &jfr->chunks[0];
    fl_status status = fl_jfr_chunk_init(&jfr->chunks[0], err);
    if (status == FL_OK)
        status = fl_intern_create(&jfr->names, FL_MAX_JFR_TEXT_BYTES, err);
    if (status == FL_OK)
        status = fl_map_create(&jfr->frame_of, FL_MAX_JFR_FRAMES, err);
    if (status == FL_OK)
        status = fl_map_create(&jfr->node_of, FL_MAX_JFR_STACKS, err);
    if (status == FL_OK)
        status = fl_map_create(&jfr->count_of, FL_MAX_JFR_FRAMES, err);
    if (status == FL_OK)
        status = fl_map_create(&jfr->class_of, FL_MAX_JFR_FRAMES, err);
    if (status != FL_OK) {
        fl_jfr_destroy(jfr);
        return status;
    }
    *out = jfr;
    return FL_OK;
}

void fl_jfr_destroy(fl_jfr *jfr)
{
    if (jfr == NULL)
        return;
    assert(jfr->warnings.count <= FL_JFR_MAX_WARNINGS);
    for (int i = 0; i < FL_JFR_CHUNKS; i++)
        fl_jfr_chunk_dispose(&jfr->chunks[i]);
    fl_mem_free(jfr->frames);
    fl_mem_free(jfr->nodes);
    fl_mem_free(jfr->counts);
    fl_map_destroy(jfr->frame_of);
    fl_map_destroy(jfr->node_of);
    fl_map_destroy(jfr->count_of);
    fl_map_destroy(jfr->class_of);
    fl_intern_destroy(jfr->names);
    for (size_t i = 0; i < jfr->warnings.count; i++)
        fl_mem_free(jfr->warnings.items[i]);
    fl_arena_dispose(&jfr->scratch);
    fl_mem_free(jfr);
}

bool fl_jfr_sniff(fl_slice head)
{
    return head.len >= sizeof(magic) && memcmp(head.ptr, magic, sizeof(magic)) == 0;
}

bool fl_jfr_sniff_file(const char *path)
{
    unsigned char head[sizeof(magic)];
    fl_stream *stream;
    size_t len = 0, got = 1;
    if (fl_stream_open(&stream, path, NULL) != FL_OK)
        return false;
    while (len < sizeof(head) && got > 0) {
        if (fl_stream_read(stream, head + len, sizeof(head) - len, &got, NULL) != FL_OK)
            got = 0;
        len += got;
    }
    fl_stream_close(stream);
    return fl_jfr_sniff((fl_slice){.ptr = head, .len = len});
}

/* ---- telling ---- */

/* A float comes as the bits of a number. */
static float float_of(uint64_t bits)
{
    uint32_t word = (uint32_t)bits;
    float value;
    memcpy(&value, &word, sizeof(value));
    return value;
}

/* What its kind has besides the moment, the stack and the class. */
static fl_status take_rest(fl_jfr_event *event, fl_jfr *jfr, const fl_jfr_class *class,
                           const uint64_t *slots, fl_error *err)
{
    const fl_jfr_plan *plan = &class->plan;
    fl_status status = FL_OK;
    if (plan->have & 1u << FL_JFR_SLOT_TEXT)
        status = fl_jfr_name_slot(&event->text, jfr, plan, FL_JFR_SLOT_TEXT, slots, err);
    if (status == FL_OK && plan->have & 1u << FL_JFR_SLOT_CAUSE)
        status = fl_jfr_name_slot(&event->cause, jfr, plan, FL_JFR_SLOT_CAUSE, slots, err);
    if (event->kind == FL_JFR_CPU_LOAD)
        for (int i = 0; i < 3; i++)
            event->real[i] = float_of(slots[FL_JFR_SLOT_A + i]);
    if (event->kind == FL_JFR_OLD_OBJECT) {
        event->object = slots[FL_JFR_SLOT_TYPE];
        event->root = slots[FL_JFR_SLOT_ROOT];
        event->d = (int32_t)event->d;
    }
    return status;
}

/* Those of `events` events. */
static fl_status resolve_stack(uint32_t *out, fl_jfr *jfr, uint64_t key, uint64_t events,
                               fl_error *err)
{
    *out = FL_JFR_NONE;
    if (key == 0)
        return FL_OK;
    fl_status status = fl_jfr_stack_constant(out, jfr, key, err);
    if (status == FL_OK && *out == FL_JFR_NONE &&
        fl_jfr_constant_of(jfr->chunk, FL_JFR_POOL_STACK, key) == NULL)
        jfr->totals.unresolved += events;
    return status;
}

/* A class, where the slot of types refers to one. */
static fl_status resolve_class(uint32_t *out, fl_jfr *jfr, const fl_jfr_plan *plan, uint64_t key,
                               fl_error *err)
{
    *out = FL_JFR_NONE;
    if (plan->pool[FL_JFR_SLOT_TYPE] != FL_JFR_POOL_CLASS)
        return FL_OK;
    return fl_jfr_name_constant(out, jfr, FL_JFR_POOL_CLASS, key, err);
}

/* The header of a chunk that was not finished tells no end, or that of its last flush. */
static void note_end(fl_jfr *jfr, int64_t time_ns, int64_t duration_ns)
{
    int64_t end = fl_jfr_moment(time_ns + (duration_ns > 0 ? duration_ns : 0));
    assert(time_ns >= 0);
    if (jfr->chunk->needs_end && end > jfr->totals.to_ns)
        jfr->totals.to_ns = end;
}

/* Its numbers, without what they refer to. */
static fl_jfr_event event_of(const fl_jfr_chunk *chunk, const fl_jfr_class *class,
                             const uint64_t *slots)
{
    const fl_jfr_row *row = class->row;
    fl_jfr_event event = {.kind = row->kind,
                          .events = 1,
                          .time_ns = fl_jfr_time_of(chunk, (int64_t)slots[FL_JFR_SLOT_TIME]),
                          .thread = FL_JFR_NONE,
                          .text = FL_JFR_NONE,
                          .cause = FL_JFR_NONE,
                          .d = (int64_t)slots[FL_JFR_SLOT_D]};
    assert(class->plan.is_sound);
    if (class->plan.have & 1u << FL_JFR_SLOT_DURATION)
        event.duration_ns = fl_jfr_span_of(chunk, (int64_t)slots[FL_JFR_SLOT_DURATION]);
    event.a = fl_jfr_number_of(chunk, row, slots, FL_JFR_SLOT_A);
    event.b = fl_jfr_number_of(chunk, row, slots, FL_JFR_SLOT_B);
    event.c = fl_jfr_number_of(chunk, row, slots, FL_JFR_SLOT_C);
    return event;
}

/* An event that is told by itself. Fields that its bytes do not have make it no event; of numbers
 * all of the chunk can be read, so that one at an event's end is read as fast as others. */
static fl_status tell_single(fl_jfr *jfr, size_t at, const fl_jfr_telling *to, fl_error *err)
{
    uint64_t slots[FL_JFR_SLOTS] = {0}, type;
    const fl_jfr_chunk *chunk = jfr->chunk;
    fl_reader in = {.bytes = chunk->bytes, .pos = at};
    size_t end;
    bool broken = false;
    if (!fl_jfr_next_event(chunk, &in, &end, &type, &broken))
        return FL_OK;
    const fl_jfr_class *class = fl_jfr_class_of(chunk, type);
    assert(class != NULL && class->row != NULL && class->plan.is_sound);
    const fl_jfr_plan *plan = &class->plan;
    if (!plan->is_flat) /* an array must not be gone through behind its event */
        in.bytes.len = end;
    fl_jfr_plan_run(chunk, plan, plan->last, &in, slots);
    if (in.short_read || in.pos > end)
        return FL_OK;
    fl_jfr_event event = event_of(chunk, class, slots);
    note_end(jfr, event.time_ns, event.duration_ns);
    fl_status status = resolve_stack(&event.stack, jfr, slots[FL_JFR_SLOT_STACK], 1, err);
    if (status == FL_OK)
        status = resolve_class(&event.type, jfr, plan, slots[FL_JFR_SLOT_TYPE], err);
    if (status == FL_OK && plan->have & 1u << FL_JFR_SLOT_THREAD)
        status = fl_jfr_name_slot(&event.thread, jfr, plan, FL_JFR_SLOT_THREAD, slots, err);
    if (status == FL_OK && event.kind > FL_JFR_NATIVE)
        status = take_rest(&event, jfr, class, slots, err);
    return status == FL_OK ? to->visit(to->payload, &event, err) : status;
}

/* What they have in common. */
static fl_status tell_sum(fl_jfr *jfr, const fl_jfr_sum *sum, const fl_jfr_telling *to,
                          fl_error *err)
{
    const fl_jfr_class *class = &jfr->chunk->classes[sum->of];
    assert(sum->of < jfr->chunk->class_count && class->is_summed);
    fl_jfr_event event = {.kind = class->row->kind,
                          .events = sum->events,
                          .thread = FL_JFR_NONE,
                          .text = FL_JFR_NONE,
                          .cause = FL_JFR_NONE};
    if (event.kind == FL_JFR_LOCK)
        event.duration_ns = sum->amount;
    else
        event.a = sum->amount;
    uint64_t stack, type;
    fl_jfr_sum_keys(&stack, &type, sum);
    fl_status status = resolve_stack(&event.stack, jfr, stack, sum->events, err);
    if (status == FL_OK)
        status = resolve_class(&event.type, jfr, &class->plan, type, err);
    return status == FL_OK ? to->visit(to->payload, &event, err) : status;
}

/* Both kinds in the order in which they stand: a sum where its first event does. */
static fl_status tell_events(fl_jfr *jfr, const fl_jfr_telling *to, fl_error *err)
{
    const fl_jfr_tally *tally = &jfr->chunk->tally;
    size_t sum = 0, single = 0;
    fl_status status = FL_OK;
    assert(to->visit != NULL);
    while (status == FL_OK && (sum < tally->count || single < tally->single_count)) {
        bool is_single = single < tally->single_count &&
                         (sum == tally->count || tally->singles[single] < tally->sums[sum].first);
        status = is_single ? tell_single(jfr, tally->singles[single++], to, err)
                           : tell_sum(jfr, &tally->sums[sum++], to, err);
    }
    if (tally->end_ns > jfr->totals.to_ns)
        jfr->totals.to_ns = tally->end_ns;
    return status;
}

/* The chunk's counts, by name, to those of all. */
static fl_status add_counts(fl_jfr *jfr, fl_error *err)
{
    assert(jfr->chunk->class_count <= jfr->chunk->class_cap);
    const fl_jfr_chunk *chunk = jfr->chunk;
    for (size_t i = 0; i < chunk->class_count; i++) {
        const fl_jfr_class *class = &chunk->classes[i];
        uint64_t *slot;
        fl_sym name;
        if (class->events == 0)
            continue;
        fl_status status = fl_intern_put(&name, jfr->names, class->name, err);
        if (status == FL_OK)
            status = fl_map_slot(&slot, jfr->count_of, name, NULL, err);
        if (status != FL_OK)
            return status;
        if (*slot == 0) {
            void *grown =
                fl_jfr_grow(jfr->counts, jfr->count_count, &jfr->count_cap, sizeof(*jfr->counts));
            if (grown == NULL)
                return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for counts of events");
            jfr->counts = grown;
            jfr->counts[jfr->count_count++] = (fl_jfr_count){.name = fl_jfr_name(jfr, name)};
            *slot = jfr->count_count;
        }
        jfr->totals.events += class->events;
        jfr->counts[*slot - 1].events += class->events;
        jfr->counts[*slot - 1].bytes += class->bytes;
    }
    return FL_OK;
}

/* Chunks may overlap or leave gaps: the span is from the first start to the last end. */
static void note_span(fl_jfr *jfr)
{
    const fl_jfr_chunk *chunk = jfr->chunk;
    fl_jfr_totals *totals = &jfr->totals;
    int64_t end = chunk->start_ns + chunk->duration_ns;
    if (totals->from_ns == 0 || chunk->start_ns < totals->from_ns)
        totals->from_ns = chunk->start_ns;
    if (end > totals->to_ns)
        totals->to_ns = end;
}

/* The chunk's warnings behind those of the chunks before; there may be more than are kept. */
static void take_warnings(fl_jfr *jfr)
{
    fl_jfr_warnings *from = &jfr->chunk->warnings, *to = &jfr->warnings;
    assert(to->count <= FL_JFR_MAX_WARNINGS);
    for (size_t i = 0; i < from->count; i++)
        if (to->count < FL_JFR_MAX_WARNINGS)
            to->items[to->count++] = from->items[i];
        else
            fl_mem_free(from->items[i]);
    from->count = 0;
}

fl_status fl_jfr_tell_chunk(fl_jfr *jfr, fl_jfr_chunk *chunk, const fl_jfr_telling *to,
                            fl_error *err)
{
    assert(to->visit != NULL && chunk->number > jfr->totals.chunks);
    jfr->chunk = chunk;
    jfr->totals.chunks = chunk->number;
    jfr->totals.major = chunk->major;
    jfr->totals.minor = chunk->minor;
    jfr->totals.bytes += chunk->bytes.len;
    jfr->totals.unfinished_chunks += !chunk->is_finished;
    note_span(jfr);
    take_warnings(jfr);
    if (!chunk->is_readable)
        return FL_OK;
    fl_status status = tell_events(jfr, to, err);
    jfr->totals.looked_bytes += chunk->looked;
    if (chunk->looked > fl_jfr_looks_most(chunk))
        fl_jfr_warn(&jfr->warnings, chunk, chunk->offset,
                    "its tables are asked for more than a recorder's would be: some names and"
                    " holders are missing");
    return status == FL_OK ? add_counts(jfr, err) : status;
}

/* ---- reading ---- */

fl_status fl_jfr_read(fl_jfr *jfr, fl_stream *in, const char *name, fl_jfr_visit *visit,
                      void *payload, fl_error *err)
{
    const fl_jfr_source from = {.in = in, .name = name};
    assert(in != NULL && name != NULL && visit != NULL);
    return fl_jfr_feed(jfr, &from, &(fl_jfr_telling){.visit = visit, .payload = payload}, err);
}

fl_status fl_jfr_read_sums(fl_jfr *jfr, fl_stream *in, const char *name, fl_jfr_visit *visit,
                           void *payload, fl_error *err)
{
    const fl_jfr_source from = {.in = in, .name = name, .sums = true};
    assert(in != NULL && name != NULL && visit != NULL);
    return fl_jfr_feed(jfr, &from, &(fl_jfr_telling){.visit = visit, .payload = payload}, err);
}

/* ---- what was read ---- */

fl_jfr_totals fl_jfr_totals_of(const fl_jfr *jfr)
{
    assert(jfr != NULL);
    fl_jfr_totals out = jfr->totals;
    out.counts = jfr->counts;
    out.count_count = jfr->count_count;
    out.warnings = (const char *const *)jfr->warnings.items;
    out.warning_count = jfr->warnings.count;
    return out;
}

fl_slice fl_jfr_name(const fl_jfr *jfr, uint32_t name)
{
    assert(jfr != NULL);
    return name != FL_JFR_NONE ? fl_intern_text(jfr->names, name) : FL_SLICE("");
}

size_t fl_jfr_name_count(const fl_jfr *jfr)
{
    return fl_intern_count(jfr->names);
}

uint32_t fl_jfr_frame_of(fl_jfr_frame *out, const fl_jfr *jfr, uint32_t stack)
{
    assert(stack < jfr->node_count);
    *out = jfr->frames[jfr->nodes[stack].frame];
    return jfr->nodes[stack].caller;
}

size_t fl_jfr_frame_count(const fl_jfr *jfr)
{
    return jfr->frame_count;
}
