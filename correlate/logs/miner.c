/*
 * miner.c - the table of distinct forms, and the two steps tied together.
 *
 * Invariants:
 *   (1) forms[0 .. count) are distinct in (scope, severity class, text), but for those with
 *       is_other; the scope of a form without a location is 0;
 *   (2) the map holds, for each form that is not is_other, its index under the keyed hash of its
 *       key, mixed with its scope, or under the first later value of h = fl_hash_mix(h + 1) that
 *       was free: a lookup compares scope and text, so two forms with one hash stay two;
 *   (3) the text of forms never moves and, in sum, never exceeds max_bytes.
 *
 * A line goes: form (logmask.c) -> index of its form here -> template (loggroup.c, once, at the
 * end). While lines arrive only forms are kept, so that memory grows with distinct forms and not
 * with lines, and the order of lines never decides on a template. Past a budget lines count under
 * <other>, one form a severity class, so that a flood of noise cannot hide that errors rose.
 *
 * Cost of a known line: its mask, one hash and one comparison; no allocation.
 */
#include "miner.h"

#include <assert.h>
#include <string.h>

#include "arena.h"
#include "hash.h"
#include "loggroup.h"
#include "logmask.h"
#include "map.h"
#include "mem.h"

enum { CLASS_COUNT = 7, FIRST_FORM_CAP = 64 };

#define NO_FORM UINT32_MAX

_Static_assert(FL_MAX_LOG_TEXT_BYTES <= UINT16_MAX, "a form keeps its location in 16 bits");

struct fl_miner {
    fl_map *index;
    fl_arena text;
    struct fl_miner_form *forms;
    size_t count, cap;
    size_t kept; /* forms that are not is_other */
    size_t max_forms;
    uint32_t other[CLASS_COUNT]; /* per severity class; NO_FORM until it is needed */
    bool is_full;
    bool is_finished;
    fl_log_form line; /* of the line at hand */
    fl_arena result;
    fl_log_groups groups;
};

fl_status fl_miner_create(fl_miner **out, size_t max_forms, size_t max_bytes, fl_error *err)
{
    assert(out != NULL && max_forms <= UINT32_MAX - CLASS_COUNT - 1);
    *out = NULL;
    fl_miner *miner = fl_mem_calloc(1, sizeof(*miner));
    if (miner == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a log miner");
    miner->text = fl_arena_of(max_bytes);
    miner->result = fl_arena_of(SIZE_MAX);
    miner->max_forms = max_forms;
    for (int i = 0; i < CLASS_COUNT; i++)
        miner->other[i] = NO_FORM;
    fl_status status = fl_map_create(&miner->index, max_forms, err);
    if (status != FL_OK) {
        fl_miner_destroy(miner);
        return status;
    }
    *out = miner;
    return FL_OK;
}

void fl_miner_destroy(fl_miner *miner)
{
    if (miner == NULL)
        return;
    fl_map_destroy(miner->index);
    fl_arena_dispose(&miner->text);
    fl_arena_dispose(&miner->result);
    fl_mem_free(miner->forms);
    fl_mem_free(miner);
}

/* Room for one more form. */
static fl_status reserve(fl_miner *miner, fl_error *err)
{
    if (miner->count < miner->cap)
        return FL_OK;
    size_t cap = miner->cap == 0 ? FIRST_FORM_CAP : miner->cap * 2;
    struct fl_miner_form *forms = fl_mem_realloc(miner->forms, cap, sizeof(*forms));
    if (forms == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu log forms", cap);
    miner->forms = forms;
    miner->cap = cap;
    return FL_OK;
}

/* The form of the lines over the budget, of the severity of the line at hand. */
static fl_status take_other(uint32_t *form, fl_miner *miner, fl_error *err)
{
    size_t class = (size_t)(miner->line.severity + 3) / 4;
    assert(class < CLASS_COUNT);
    miner->is_full = true;
    if (miner->other[class] == NO_FORM) {
        fl_status status = reserve(miner, err);
        if (status != FL_OK)
            return status;
        miner->other[class] = (uint32_t)miner->count;
        miner->forms[miner->count++] = (struct fl_miner_form){
            .text = {.ptr = (const unsigned char *)""},
            .severity = (uint8_t)miner->line.severity,
            .is_other = true,
        };
    }
    *form = miner->other[class];
    return FL_OK;
}

/* Keep the line at hand as a new form under `hash`. On failure nothing that counts changed. */
static fl_status keep(uint32_t *form, fl_miner *miner, uint32_t scope, uint64_t hash, fl_error *err)
{
    assert(miner->kept <= miner->count);
    const fl_log_form *line = &miner->line;
    if (miner->kept >= miner->max_forms ||
        line->len + 1 > miner->text.max_bytes - miner->text.used_bytes)
        return take_other(form, miner, err);
    fl_status status = reserve(miner, err);
    if (status != FL_OK)
        return status;
    fl_slice key = fl_arena_copy(&miner->text, (fl_slice){.ptr = line->key, .len = line->len + 1});
    if (key.ptr == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a log form");
    uint64_t *slot;
    status = fl_map_slot(&slot, miner->index, hash, NULL, err);
    if (status != FL_OK)
        return status;
    *slot = miner->count;
    *form = (uint32_t)miner->count;
    miner->forms[miner->count++] = (struct fl_miner_form){
        .text = {.ptr = key.ptr + 1, .len = line->len},
        .token_count = (uint32_t)line->token_count,
        .scope = scope,
        .location_at = (uint16_t)line->location_at,
        .location_len = (uint16_t)line->location_len,
        .severity = (uint8_t)line->severity,
    };
    miner->kept++;
    return FL_OK;
}

fl_status fl_miner_add(uint32_t *form, fl_miner *miner, uint32_t scope, fl_slice line, int severity,
                       fl_error *err)
{
    assert(form != NULL && miner != NULL && !miner->is_finished);
    fl_log_form *mine = &miner->line;
    fl_log_form_of(mine, line, severity);
    if (mine->location_len == 0)
        scope = 0;
    uint64_t hash =
        fl_hash_keyed((fl_slice){.ptr = mine->key, .len = mine->len + 1}) ^ fl_hash_mix(scope);
    for (;; hash = fl_hash_mix(hash + 1)) {
        const uint64_t *slot = fl_map_find(miner->index, hash);
        if (slot == NULL)
            return keep(form, miner, scope, hash, err);
        const struct fl_miner_form *known = &miner->forms[*slot];
        if (known->scope == scope && known->text.len == mine->len &&
            memcmp(known->text.ptr - 1, mine->key, mine->len + 1) == 0) {
            *form = (uint32_t)*slot;
            return FL_OK;
        }
    }
}

size_t fl_miner_form_count(const fl_miner *miner)
{
    assert(miner != NULL);
    return miner->count;
}

bool fl_miner_is_full(const fl_miner *miner)
{
    assert(miner != NULL);
    return miner->is_full;
}

fl_status fl_miner_finish(fl_miner *miner, fl_error *err)
{
    assert(miner != NULL && !miner->is_finished);
    fl_status status =
        fl_log_group(&miner->groups, &miner->result, miner->forms, miner->count, err);
    if (status != FL_OK) {
        fl_arena_dispose(&miner->result);
        miner->groups = (fl_log_groups){0};
        return status;
    }
    miner->is_finished = true;
    return FL_OK;
}

size_t fl_miner_template_count(const fl_miner *miner)
{
    assert(miner->is_finished);
    return miner->groups.count;
}

const fl_log_template *fl_miner_template(const fl_miner *miner, size_t index)
{
    assert(miner->is_finished && index < miner->groups.count);
    return &miner->groups.templates[index];
}

size_t fl_miner_template_of(const fl_miner *miner, uint32_t form)
{
    assert(miner->is_finished && form < miner->count);
    return miner->groups.template_of[form];
}
