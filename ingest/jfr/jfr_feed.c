/*
 * jfr_feed.c - the chunks of a recording: loaded one after the other, digested several at once, and
 * told in the order in which they stand.
 *
 * Loading is one stream, and telling fills tables that all chunks share: at any time one thread
 * loads and one tells, and all others digest. Which does what is not planned: whoever is free takes
 * what can be done next, telling first, since that frees a slot, then what is loaded, then loading.
 * So no thread waits for another as long as there is something to do, however unlike the chunks
 * are.
 *
 *   a slot:  free -> loaded -> digesting -> digested -> (told) -> free
 *
 * Threads are started when the first chunk comes that is worth them. One alone does the same steps.
 *
 * Invariants, under the lock:
 *   - numbers of slots that are not free are next_told .. next_loaded - 1, each once
 *   - a slot that is not free belongs to one thread, or to none while it is loaded or digested
 *   - while a chunk of more than MOST_SHARED_BYTES has a slot, no other is loaded
 */
#include <assert.h>
#include <pthread.h>

#include "bytes.h"
#include "faultline/limits.h"
#include "jfr_priv.h"
#include "mem.h"
#include "parallel.h"

/* A chunk as the recorder makes them by default has 12 MB, some ms of work; starting a thread takes
 * 0.05 ms. */
enum { LEAST_SHARED_BYTES = 1 << 20, MOST_SHARED_BYTES = 64 << 20, FIRST_BYTES = 1 << 16 };

/* Loading and telling are one thread's each: more than this would wait for them. */
enum { MAX_THREADS = FL_JFR_CHUNKS - 1 };

/* A chunk that claims more is damaged: what there is of it is read. */
#define LARGEST_SIZE (UINT64_C(1) << 40)

/* ---- loading ---- */

/* Room for more than the `have` bytes that a full block has. Where the size is claimed, eight times
 * as much, so that a claim costs nothing by itself; twice as much where none is. Powers of two,
 * since the chunks of a recording are about alike. Not by reallocation, which copies as well once a
 * part of the block has large pages. */
static fl_status grow_block(fl_stream_block *block, size_t have, uint64_t want, fl_error *err)
{
    size_t cap = have == 0 ? FIRST_BYTES : have;
    const unsigned times = want > FL_MAX_JFR_CHUNK_BYTES ? 2 : 8;
    assert(have == block->cap && want > have);
    for (unsigned i = 1; have > 0 && i < times && cap < want; i *= 2)
        cap *= 2;
    unsigned char *grown = fl_mem_alloc(cap);
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a chunk of %zu bytes", cap);
    fl_mem_expect_fill(grown, cap);
    if (have > 0)
        memcpy(grown, block->ptr, have);
    fl_mem_free(block->ptr);
    *block = (fl_stream_block){.ptr = grown, .cap = cap};
    return FL_OK;
}

/* Up to `want` bytes in all, of which the block has the first `have`. */
static fl_status fill(fl_stream_block *block, fl_stream *in, size_t *have, uint64_t want,
                      fl_error *err)
{
    assert(want > 0 && *have <= block->cap);
    size_t got = 1;
    while (*have < want && got > 0) {
        fl_status status = *have == block->cap ? grow_block(block, *have, want, err) : FL_OK;
        if (status != FL_OK)
            return status;
        size_t room = block->cap - *have;
        room = room < want - *have ? room : (size_t)(want - *have);
        status = fl_stream_read(in, block->ptr + *have, room, &got, err);
        if (status != FL_OK)
            return status;
        *have += got;
    }
    return FL_OK;
}

/* A recording that is read. */
struct loading {
    const fl_jfr_source *from;
    uint64_t offset;  /* of the next chunk */
    uint64_t number;  /* of the last that was loaded */
    bool more;        /* there may be one */
    fl_status status; /* of the stream: what was loaded before it is read first */
    fl_error failure;
};

/* The bytes of the next chunk; *more is false at the end. A size that the header does not tell, or
 * that is more than there is, is all that is left. */
static fl_status load_bytes(fl_jfr_chunk *chunk, struct loading *from, fl_error *err)
{
    size_t have = 0;
    const char *name = from->from->name;
    uint64_t offset = from->offset;
    from->more = false;
    assert(chunk->name == name);
    fl_status status = fill(&chunk->block, from->from->in, &have, FL_JFR_HEADER_BYTES, err);
    if (status != FL_OK || (have == 0 && offset > 0))
        return status;
    const unsigned char *bytes = chunk->block.ptr;
    if (have < FL_JFR_HEADER_BYTES)
        return fl_jfr_sniff((fl_slice){.ptr = bytes, .len = have})
                   ? fl_fail(err, FL_E_TRUNCATED, offset + have,
                             "%.120s: it ends inside the header of a chunk", name)
                   : fl_fail(err, FL_E_UNSUPPORTED, offset, "%.120s: this is not a JFR recording",
                             name);
    status = fl_jfr_chunk_header(chunk, bytes, offset, err);
    if (status != FL_OK)
        return status;
    uint64_t size = fl_bytes_be64(bytes + 8);
    bool is_sized = chunk->is_finished && size >= FL_JFR_HEADER_BYTES && size <= LARGEST_SIZE;
    if (is_sized && size > FL_MAX_JFR_CHUNK_BYTES)
        return fl_fail(err, FL_E_LIMIT, offset,
                       "%.100s: a chunk has %llu bytes, more than %u: record with"
                       " -XX:FlightRecorderOptions=maxchunksize=64M",
                       name, (unsigned long long)size, FL_MAX_JFR_CHUNK_BYTES);
    uint64_t want = is_sized ? size : FL_MAX_JFR_CHUNK_BYTES + 1ull;
    status = fill(&chunk->block, from->from->in, &have, want, err);
    if (status == FL_OK && have > FL_MAX_JFR_CHUNK_BYTES)
        return fl_fail(err, FL_E_LIMIT, offset, "%.100s: a chunk is larger than %u bytes", name,
                       FL_MAX_JFR_CHUNK_BYTES);
    chunk->is_finished &= is_sized && have == size;
    chunk->bytes = (fl_slice){.ptr = chunk->block.ptr, .len = have};
    from->more = true;
    chunk->number = ++from->number;
    return status;
}

/* Whether there is a next chunk to be read, now in `chunk`. A stream that fails may have given the
 * beginning of one. */
static bool load_chunk(fl_jfr_chunk *chunk, struct loading *from)
{
    if (from->status != FL_OK || !from->more)
        return false;
    chunk->name = from->from->name;
    chunk->sums = from->from->sums;
    from->status = load_bytes(chunk, from, &from->failure);
    bool has_bytes = from->more && from->status != FL_E_NOMEM && from->status != FL_E_LIMIT;
    if (from->status != FL_OK && has_bytes)
        chunk->is_finished = false;
    from->offset += has_bytes ? chunk->bytes.len : 0;
    return has_bytes;
}

/* ---- chunks at once ---- */

enum state { FREE, LOADING, LOADED, DIGESTING, DIGESTED, TELLING };

/* How far the chunk of the same place is on its way. */
struct slot {
    enum state state;
    uint64_t number; /* of the chunk */
    size_t bytes;    /* of the chunk, which who tells it may let go meanwhile */
    fl_status status;
    fl_error err; /* of digesting it */
};

struct feed {
    fl_jfr *jfr;
    const fl_jfr_telling *to;
    pthread_mutex_t lock; /* of all below, but what the thread that loads or tells has in hand */
    pthread_cond_t change;
    struct loading loading;
    struct slot slots[FL_JFR_CHUNKS];
    uint64_t next_told; /* number of a chunk */
    size_t threads;     /* that are here */
    bool is_loading, is_telling, has_ended;
    fl_status status; /* of what ended it before its end */
    fl_error *err;
};

/* How the slots stand. */
struct view {
    struct slot *empty, *loaded, *next; /* the first of each; the one to be told */
    size_t used;
    bool has_large;
};

/* Look at all slots: they are few. */
static struct view look(struct feed *feed)
{
    struct view out = {0};
    for (size_t i = 0; i < FL_JFR_CHUNKS; i++) {
        struct slot *slot = &feed->slots[i];
        bool is_there = slot->state != FREE && slot->state != LOADING;
        out.used += slot->state != FREE;
        out.has_large |= is_there && slot->bytes > MOST_SHARED_BYTES;
        if (slot->state == DIGESTED && slot->number == feed->next_told)
            out.next = slot;
        if (slot->state == LOADED && (out.loaded == NULL || slot->number < out.loaded->number))
            out.loaded = slot;
        if (slot->state == FREE && out.empty == NULL)
            out.empty = slot;
    }
    assert(out.used <= feed->threads + 1);
    return out;
}

/* The slot that something can be done for next, which its state then says; NULL: nothing. Each
 * thread has a chunk, and one more may be on its way. */
static struct slot *take_work(struct feed *feed, bool *is_done)
{
    struct view view = look(feed);
    bool may_load = !feed->is_loading && feed->loading.more && !view.has_large;
    struct slot *found = NULL;
    *is_done = false;
    if (view.next != NULL && !feed->is_telling) {
        found = view.next;
        found->state = TELLING;
        feed->is_telling = true;
    } else if (view.loaded != NULL) {
        found = view.loaded;
        found->state = DIGESTING;
    } else if (may_load && view.empty != NULL && view.used <= feed->threads) {
        found = view.empty;
        found->state = LOADING;
        feed->is_loading = true;
    } else {
        *is_done = view.used == 0;
    }
    return found;
}

/* The next chunk into a slot; false: there is none. The chunks' own memory is made when they are
 * used, which most are only of large recordings. */
static bool load_slot(struct loading *loading, fl_jfr_chunk *chunk)
{
    if (chunk->by_id == NULL)
        loading->status = fl_jfr_chunk_init(chunk, &loading->failure);
    bool has_chunk = load_chunk(chunk, loading);
    loading->more = loading->more && loading->status == FL_OK;
    return has_chunk;
}

/* To who asked for it. The memory of a large chunk is not kept, since each of the others may have
 * to hold one. */
static fl_status tell_slot(struct feed *feed, const struct slot *slot, fl_jfr_chunk *chunk)
{
    if (slot->status != FL_OK)
        return fl_fail(feed->err, slot->status, slot->err.offset, "%s", slot->err.message);
    fl_status status = fl_jfr_tell_chunk(feed->jfr, chunk, feed->to, feed->err);
    if (chunk->bytes.len > MOST_SHARED_BYTES) {
        fl_mem_free(chunk->block.ptr);
        chunk->block = (fl_stream_block){0};
        chunk->bytes = (fl_slice){0};
    }
    return status;
}

/* What the state of a slot says, without the lock, and what became of it, with it. Its chunk. */
static const fl_jfr_chunk *do_work(struct feed *feed, struct slot *slot)
{
    fl_jfr_chunk *chunk = &feed->jfr->chunks[slot - feed->slots];
    const enum state state = slot->state;
    fl_status told = FL_OK;
    bool has_chunk = true;
    pthread_mutex_unlock(&feed->lock);
    if (state == LOADING) {
        has_chunk = load_slot(&feed->loading, chunk);
        slot->err = (fl_error){0};
    } else if (state == DIGESTING) {
        slot->status = fl_jfr_chunk_digest(chunk, &slot->err);
    } else {
        assert(state == TELLING && slot->number == feed->next_told);
        told = tell_slot(feed, slot, chunk);
    }
    pthread_mutex_lock(&feed->lock);
    if (state == LOADING) {
        feed->is_loading = false;
        slot->state = has_chunk ? LOADED : FREE;
        slot->number = chunk->number;
        slot->bytes = chunk->bytes.len;
    } else if (state == DIGESTING) {
        slot->state = DIGESTED;
    } else {
        feed->is_telling = false;
        feed->next_told++;
        slot->state = FREE;
        feed->status = told;
        feed->has_ended = told != FL_OK;
    }
    return chunk;
}

/* One thread among several, until there is nothing left to do. */
static void work(void *payload, size_t part)
{
    struct feed *feed = payload;
    bool is_done = false;
    (void)part;
    pthread_mutex_lock(&feed->lock);
    feed->threads++;
    while (!feed->has_ended && !is_done) {
        struct slot *slot = take_work(feed, &is_done);
        if (slot != NULL)
            (void)do_work(feed, slot);
        else if (!is_done)
            pthread_cond_wait(&feed->change, &feed->lock);
        if (slot != NULL)
            pthread_cond_broadcast(&feed->change);
    }
    feed->threads--;
    pthread_mutex_unlock(&feed->lock);
}

/* The caller's thread alone, until there is a chunk that is worth more of them. */
static void begin(struct feed *feed)
{
    bool is_done = false, is_worth = false;
    pthread_mutex_lock(&feed->lock);
    feed->threads = 1;
    while (!feed->has_ended && !is_done && !is_worth) {
        struct slot *slot = take_work(feed, &is_done);
        assert(slot != NULL || is_done);
        if (slot != NULL) {
            const fl_jfr_chunk *chunk = do_work(feed, slot);
            is_worth = slot->state == LOADED && chunk->bytes.len >= LEAST_SHARED_BYTES;
        }
    }
    feed->threads = 0;
    pthread_mutex_unlock(&feed->lock);
    if (is_worth)
        fl_parallel_run(MAX_THREADS, work, feed);
}

/* What was digested and is not told any more. */
static void drop_warnings(fl_jfr *jfr)
{
    for (size_t i = 0; i < FL_JFR_CHUNKS; i++) {
        fl_jfr_warnings *of = &jfr->chunks[i].warnings;
        for (size_t k = 0; k < of->count; k++)
            fl_mem_free(of->items[k]);
        of->count = 0;
    }
}

fl_status fl_jfr_feed(fl_jfr *jfr, const fl_jfr_source *from, const fl_jfr_telling *to,
                      fl_error *err)
{
    const uint64_t before = jfr->totals.chunks;
    struct feed feed = {.jfr = jfr,
                        .to = to,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .change = PTHREAD_COND_INITIALIZER,
                        .loading = {.from = from, .number = before, .more = true},
                        .next_told = before + 1,
                        .err = err};
    assert(from->in != NULL && from->name != NULL && to->visit != NULL);
    begin(&feed);
    pthread_mutex_destroy(&feed.lock);
    pthread_cond_destroy(&feed.change);
    drop_warnings(jfr);
    if (feed.status != FL_OK)
        return feed.status;
    const struct loading *loading = &feed.loading;
    fl_status status = loading->status;
    bool is_lost = status == FL_E_NOMEM || status == FL_E_LIMIT || loading->number == before;
    if (status != FL_OK && is_lost)
        return fl_fail(err, status, loading->failure.offset, "%s", loading->failure.message);
    if (status != FL_OK)
        fl_jfr_warn(&jfr->warnings, jfr->chunk, loading->failure.offset, loading->failure.message);
    return FL_OK;
}
