/*
 * finish_logs.c - lines counted per service, template and window; one example each.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "timeline_priv.h"

struct log_counts {
    fl_timeline_builder *b;
    const fl_template_list *templates;
    fl_map *ids; /* service << 32 | template -> series */
    fl_log_series *series;
    uint64_t *example_rank;
    double *counts; /* of all series, windows each */
    size_t count;
};

static uint64_t pair_of(uint32_t service, uint32_t template_index)
{
    return (uint64_t)service << 32 | template_index;
}

static int compare_pairs(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static uint64_t pair_of_log(const struct log_counts *c, const struct raw_log *log)
{
    assert(log->form != FL_NO_INDEX);
    return pair_of(c->b->timeline.entities[log->entity].service,
                   c->templates->template_of[log->form]);
}

/* The distinct pairs, sorted, numbered. */
static fl_status number_series(struct log_counts *c, fl_error *err)
{
    const struct raw_log *logs = (const struct raw_log *)c->b->logs.rows;
    uint64_t *pairs, *slot;
    bool added;
    fl_status status = FL_OK;
    for (size_t i = 0; i < c->b->logs.count && status == FL_OK; i++)
        status = fl_map_slot(&slot, c->ids, pair_of_log(c, &logs[i]), &added, err);
    c->count = fl_map_count(c->ids);
    if (status == FL_OK)
        status = FL_TL_NEW(c->b, pairs, c->count, "log series", err);
    if (status == FL_OK)
        status = FL_TL_NEW(c->b, c->series, c->count, "log series", err);
    if (status == FL_OK)
        status = FL_TL_NEW(c->b, c->example_rank, c->count, "log series", err);
    if (status == FL_OK)
        status = FL_TL_NEW(c->b, c->counts, c->count * c->b->window_count, "log counts", err);
    if (status != FL_OK)
        return status;
    size_t cursor = 0, at = 0;
    uint64_t value;
    while (at < c->count && fl_map_next(c->ids, &cursor, &pairs[at], &value))
        at++;
    qsort(pairs, c->count, sizeof(*pairs), compare_pairs);
    for (size_t i = 0; i < c->count; i++) {
        *fl_map_find(c->ids, pairs[i]) = i;
        c->example_rank[i] = UINT64_MAX;
        c->series[i] = (fl_log_series){.service = (uint32_t)(pairs[i] >> 32),
                                       .template_index = (uint32_t)pairs[i],
                                       .counts = c->counts + i * c->b->window_count,
                                       .example = ""};
    }
    return FL_OK;
}

static void count_lines(struct log_counts *c)
{
    assert(c->b->timeline.log_sampling > 0);
    const struct raw_log *logs = (const struct raw_log *)c->b->logs.rows;
    fl_window *windows = c->b->sorted_windows;
    double each = 1 / c->b->timeline.log_sampling;
    for (size_t i = 0; i < c->b->logs.count; i++) {
        size_t series = (size_t)*fl_map_find(c->ids, pair_of_log(c, &logs[i]));
        c->counts[series * c->b->window_count + logs[i].window] += each;
        windows[logs[i].window].has_logs = true;
    }
}

static fl_status choose_examples(struct log_counts *c, const struct ranks *ranks, fl_error *err)
{
    size_t cursor = 0;
    uint64_t key, index;
    while (fl_map_next(c->b->example_ids, &cursor, &key, &index)) {
        const struct raw_example *example = &c->b->examples[index];
        uint32_t form = (uint32_t)key, service = ranks->service[key >> 32];
        const uint64_t *series =
            fl_map_find(c->ids, pair_of(service, c->templates->template_of[form]));
        if (series == NULL || example->rank >= c->example_rank[*series])
            continue;
        c->example_rank[*series] = example->rank;
        c->series[*series].example =
            fl_arena_cstr(&c->b->arena, (fl_slice){.ptr = example->text, .len = example->len});
        if (c->series[*series].example == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for example lines");
    }
    return FL_OK;
}

fl_status fl_tl_finish_logs(fl_timeline_builder *b, const struct ranks *ranks,
                            const fl_template_list *templates, fl_error *err)
{
    struct log_counts c = {.b = b, .templates = templates};
    fl_status status = fl_map_create(&c.ids, b->logs.count + 1, err);
    if (status == FL_OK)
        status = number_series(&c, err);
    if (status == FL_OK) {
        count_lines(&c);
        status = choose_examples(&c, ranks, err);
    }
    b->timeline.logs = c.series;
    b->timeline.log_series_count = c.count;
    b->timeline.log_records = b->logs.count;
    fl_map_destroy(c.ids);
    return status;
}
