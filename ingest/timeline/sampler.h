/*
 * sampler.h - keep rows of one size, distinct, within a budget, whatever their order.
 *
 * A row is kept while the first `halvings` bits of its key are zero. When the distinct rows
 * exceed the budget, `halvings` grows by one and half of the keys leave. It ends as the smallest
 * number for which the distinct rows fit, which depends on the set of rows alone: at no time do
 * more than the final set's rows count.
 */
#ifndef FL_SAMPLER_H
#define FL_SAMPLER_H

#include <stdbool.h>

#include "faultline/status.h"
#include "sort.h"

typedef struct fl_sampler {
    unsigned char *rows;
    size_t count, capacity;
    size_t row_size, max_rows;
    unsigned halvings;
    uint64_t (*key)(const void *row);
    fl_row_order order; /* total, over the whole content */
} fl_sampler;

/* Whether a row with this key is still sampled after the halvings so far. */
bool fl_sampler_wants(const fl_sampler *sampler, uint64_t key);
/* Copies the row. FL_E_NOMEM leaves everything as it was. */
FL_NODISCARD fl_status fl_sampler_add(fl_sampler *sampler, const void *row, fl_error *err);
/* Sort, make distinct, keep to the budget. */
void fl_sampler_settle(fl_sampler *sampler);
/* The share of keys that is kept: 2^-halvings. */
double fl_sampler_share(const fl_sampler *sampler);
void fl_sampler_dispose(fl_sampler *sampler);

#endif
