/*
 * calls.c - two bit matrices, one the other's mirror image.
 *
 * Invariant: bit b of callees[a] is bit a of callers[b].
 */
#include "calls.h"

#include <assert.h>
#include <string.h>

#include "intern.h"
#include "mem.h"

enum { WORDS = FL_MAX_CALL_SERVICES / 64, MAX_NAMES_BYTES = 1 << 20 };

typedef uint64_t row[WORDS];

struct fl_calls {
    fl_intern *names;
    row callees[FL_MAX_CALL_SERVICES], callers[FL_MAX_CALL_SERVICES];
};

fl_status fl_calls_create(fl_calls **out, fl_error *err)
{
    fl_calls *calls = fl_mem_calloc(1, sizeof(*calls));
    *out = NULL;
    if (calls == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for calls");
    fl_status status = fl_intern_create(&calls->names, MAX_NAMES_BYTES, err);
    if (status != FL_OK) {
        fl_mem_free(calls);
        return status;
    }
    *out = calls;
    return FL_OK;
}

void fl_calls_destroy(fl_calls *calls)
{
    if (calls == NULL)
        return;
    fl_intern_destroy(calls->names);
    fl_mem_free(calls);
}

/* Too many services, or too long names, are services that nothing is known of, and no failure. */
fl_status fl_calls_service(uint32_t *out, fl_calls *calls, fl_slice name, fl_error *err)
{
    *out = FL_NO_SERVICE;
    fl_sym sym;
    if (name.len == 0)
        return FL_OK;
    if (fl_intern_find(&sym, calls->names, name)) {
        *out = sym;
        return FL_OK;
    }
    if (fl_intern_count(calls->names) == FL_MAX_CALL_SERVICES)
        return FL_OK;
    fl_status status = fl_intern_put(&sym, calls->names, name, NULL);
    if (status == FL_E_NOMEM)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the name of a service");
    if (status == FL_OK)
        *out = sym;
    assert(status != FL_OK || sym < FL_MAX_CALL_SERVICES);
    return FL_OK;
}

/* Both matrices, for invariant's sake. */
void fl_calls_add(fl_calls *calls, uint32_t caller, uint32_t callee)
{
    assert(caller < FL_MAX_CALL_SERVICES && callee < FL_MAX_CALL_SERVICES);
    calls->callees[caller][callee / 64] |= UINT64_C(1) << callee % 64;
    calls->callers[callee][caller / 64] |= UINT64_C(1) << caller % 64;
}

bool fl_calls_has(const fl_calls *calls, uint32_t caller, uint32_t callee)
{
    assert(caller < FL_MAX_CALL_SERVICES && callee < FL_MAX_CALL_SERVICES);
    return (calls->callees[caller][callee / 64] >> callee % 64 & 1) != 0;
}

void fl_calls_clear(fl_calls *calls)
{
    memset(calls->callees, 0, sizeof(calls->callees));
    memset(calls->callers, 0, sizeof(calls->callers));
}

/* The services of `from` that `seen` has not: the next step, noted at this distance. */
static bool note_new(uint8_t *out, row seen, const row from, row next, uint8_t hops)
{
    bool any = false;
    for (size_t w = 0; w < WORDS; w++) {
        next[w] = from[w] & ~seen[w];
        seen[w] |= next[w];
        for (uint64_t bits = next[w]; bits != 0; bits &= bits - 1)
            out[w * 64 + (size_t)__builtin_ctzll(bits)] = hops;
        any |= next[w] != 0;
    }
    return any;
}

/* All that the services of a step lead to. */
static void step_on(row out, const row *edges, const row step)
{
    memset(out, 0, sizeof(row));
    for (size_t w = 0; w < WORDS; w++)
        for (uint64_t bits = step[w]; bits != 0; bits &= bits - 1) {
            const uint64_t *to = edges[w * 64 + (size_t)__builtin_ctzll(bits)];
            for (size_t v = 0; v < WORDS; v++)
                out[v] |= to[v];
        }
}

/* In rings around the service, which itself is never reached. */
static void walk(uint8_t *out, const row *edges, uint32_t service)
{
    row seen = {0}, step = {0}, next;
    memset(out, 0, FL_MAX_CALL_SERVICES);
    seen[service / 64] |= UINT64_C(1) << service % 64;
    memcpy(next, edges[service], sizeof(next));
    for (uint8_t hops = 1; hops <= FL_MAX_CALL_HOPS; hops++) {
        if (!note_new(out, seen, next, step, hops))
            return;
        step_on(next, edges, step);
    }
}

/* Both ways at once: a relation asks for both. */
void fl_calls_reach(fl_reach *out, const fl_calls *calls, uint32_t service)
{
    assert(service == FL_NO_SERVICE || service < FL_MAX_CALL_SERVICES);
    if (service == FL_NO_SERVICE) {
        *out = (fl_reach){0};
        return;
    }
    walk(out->callees, (const row *)calls->callees, service);
    walk(out->callers, (const row *)calls->callers, service);
}
