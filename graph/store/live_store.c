/*
 * live_store.c - what holds for every kind of store.
 */
#include "live_store.h"

#include <assert.h>
#include <string.h>

#include "store_priv.h"

/* Two daemons that write the same signs in the same order wait for each other, and never in a
 * circle. */
static bool rises(const uint64_t *signs, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (signs[i] <= signs[i - 1])
            return false;
    return true;
}

/* Asserted once for both kinds. */
fl_status fl_live_publish(fl_live_published *out, fl_store *store, const fl_live *live,
                          int64_t now_ns, fl_error *err)
{
    assert(store != NULL && strlen(live->id) < FL_LIVE_ID_BYTES &&
           rises(live->signs, live->sign_count));
    assert((live->merged_to != NULL) == (strcmp(live->state, "merged") == 0));
    *out = (fl_live_published){0};
    const fl_live_signs all = {.items = live->signs, .count = live->sign_count, .now_ns = now_ns};
    return store->kind->live->publish(out, store, live, &all, err);
}

fl_status fl_live_claim(fl_store *store, const fl_live_claimer *by, fl_live_visit *visit,
                        void *payload, fl_error *err)
{
    assert(store != NULL && by->owner != NULL && visit != NULL);
    return store->kind->live->claim(store, by, visit, payload, err);
}

fl_status fl_live_renew(fl_store *store, const fl_live_claimer *by, fl_error *err)
{
    assert(store != NULL && by->owner != NULL);
    return store->kind->live->renew(store, by, err);
}

void fl_live_put_signs(fl_buf *out, const fl_live_signs *signs, const char *brackets)
{
    fl_buf_char(out, brackets[0]);
    for (size_t i = 0; i < signs->count; i++) {
        int64_t number; /* the databases' integers have a sign: the same bits */
        memcpy(&number, &signs->items[i], sizeof(number));
        fl_buf_printf(out, "%s%lld", i > 0 ? "," : "", (long long)number);
    }
    fl_buf_char(out, brackets[1]);
}
