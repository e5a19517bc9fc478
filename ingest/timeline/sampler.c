/*
 * sampler.c - a growing array that is settled when it is full. The array may hold a quarter more
 * than the budget, so that duplicates do not force a sort each time.
 */
#include "sampler.h"

#include <assert.h>
#include <string.h>

#include "mem.h"

/* At 64 halvings nothing is wanted, not even key 0: settling always ends within the budget. */
enum { FIRST_CAPACITY = 1024, MAX_HALVINGS = 64 };

bool fl_sampler_wants(const fl_sampler *sampler, uint64_t key)
{
    assert(sampler->halvings <= MAX_HALVINGS);
    if (sampler->halvings == 0)
        return true;
    return sampler->halvings < MAX_HALVINGS && key >> (64 - sampler->halvings) == 0;
}

static unsigned char *row_at(const fl_sampler *sampler, size_t index)
{
    assert(index <= sampler->capacity);
    return sampler->rows + index * sampler->row_size;
}

static void keep_row(fl_sampler *sampler, size_t to, size_t from)
{
    assert(to <= from);
    if (to != from)
        memcpy(row_at(sampler, to), row_at(sampler, from), sampler->row_size);
}

static void keep_wanted(fl_sampler *sampler)
{
    size_t kept = 0;
    for (size_t i = 0; i < sampler->count; i++)
        if (fl_sampler_wants(sampler, sampler->key(row_at(sampler, i))))
            keep_row(sampler, kept++, i);
    sampler->count = kept;
}

static void keep_distinct(fl_sampler *sampler)
{
    size_t kept = 0;
    fl_sort_rows(sampler->rows, sampler->count, sampler->row_size, &sampler->order);
    for (size_t i = 0; i < sampler->count; i++)
        if (kept == 0 || sampler->order.compare(row_at(sampler, kept - 1), row_at(sampler, i)) != 0)
            keep_row(sampler, kept++, i);
    sampler->count = kept;
}

void fl_sampler_settle(fl_sampler *sampler)
{
    if (sampler->count == 0)
        return;
    keep_distinct(sampler);
    while (sampler->count > sampler->max_rows && sampler->halvings < MAX_HALVINGS) {
        sampler->halvings++;
        keep_wanted(sampler);
    }
}

static fl_status make_room(fl_sampler *sampler, fl_error *err)
{
    size_t most = sampler->max_rows + sampler->max_rows / 4 + 1;
    if (sampler->capacity >= most) {
        fl_sampler_settle(sampler);
        assert(sampler->count < sampler->capacity);
        return FL_OK;
    }
    size_t capacity = sampler->capacity > 0 ? sampler->capacity * 2 : FIRST_CAPACITY;
    if (capacity > most)
        capacity = most;
    unsigned char *rows = fl_mem_realloc(sampler->rows, capacity, sampler->row_size);
    if (rows == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu records", capacity);
    sampler->rows = rows;
    sampler->capacity = capacity;
    return FL_OK;
}

fl_status fl_sampler_add(fl_sampler *sampler, const void *row, fl_error *err)
{
    assert(sampler->row_size > 0 && sampler->max_rows > 0);
    if (!fl_sampler_wants(sampler, sampler->key(row)))
        return FL_OK;
    if (sampler->count == sampler->capacity) {
        fl_status status = make_room(sampler, err);
        if (status != FL_OK)
            return status;
        if (!fl_sampler_wants(sampler, sampler->key(row)))
            return FL_OK;
    }
    memcpy(row_at(sampler, sampler->count++), row, sampler->row_size);
    return FL_OK;
}

double fl_sampler_share(const fl_sampler *sampler)
{
    assert(sampler->halvings <= MAX_HALVINGS);
    double share = 1;
    for (unsigned i = 0; i < sampler->halvings; i++)
        share /= 2;
    return share;
}

void fl_sampler_dispose(fl_sampler *sampler)
{
    fl_mem_free(sampler->rows);
    sampler->rows = NULL;
    sampler->count = sampler->capacity = 0;
}
