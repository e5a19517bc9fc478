/*
 * finish_logs.c - lines counted per service, template and window; one example each. Of more pairs
 * of service and template than FL_MAX_LOG_CELLS has room for, those of the incident and then the
 * more frequent ones are counted.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/limits.h"
#include "mem.h"
#include "timeline_priv.h"

struct log_counts {
    fl_timeline_builder *b;
    const fl_template_list *templates;
    fl_map *ids; /* service << 32 | template -> series */
    fl_log_series *series;
    const struct raw_example **examples; /* of each series the best, or NULL */
    double *counts;                      /* of all series, windows each */
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

struct rated_pair {
    uint64_t pair, lines;
    bool in_incident;
};

/* Those of the incident first, then the more frequent ones. */
static int compare_rated(const void *left, const void *right)
{
    const struct rated_pair *a = left, *b = right;
    if (a->in_incident != b->in_incident)
        return a->in_incident ? -1 : 1;
    if (a->lines != b->lines)
        return a->lines > b->lines ? -1 : 1;
    return (a->pair > b->pair) - (a->pair < b->pair);
}

/* More pairs than there is room for: those that tell least leave, and their lines are not counted.
 */
static fl_status keep_best(struct log_counts *c, uint64_t *pairs, size_t most, fl_error *err)
{
    const struct raw_log *logs = (const struct raw_log *)c->b->logs.rows;
    struct rated_pair *rated = fl_mem_calloc(c->count, sizeof(*rated));
    if (rated == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu log series", c->count);
    for (size_t i = 0; i < c->count; i++) {
        rated[i].pair = pairs[i];
        *fl_map_find(c->ids, pairs[i]) = i;
    }
    for (size_t i = 0; i < c->b->logs.count; i++) {
        struct rated_pair *pair = &rated[*fl_map_find(c->ids, pair_of_log(c, &logs[i]))];
        pair->lines++;
        pair->in_incident |= c->b->sorted_windows[logs[i].window].incident;
    }
    qsort(rated, c->count, sizeof(*rated), compare_rated);
    for (size_t i = 0; i < c->count; i++) {
        if (i < most)
            pairs[i] = rated[i].pair;
        else
            c->b->over_budget += rated[i].lines;
    }
    fl_mem_free(rated);
    c->count = most;
    fl_map_clear(c->ids);
    return FL_OK;
}

static fl_status list_pairs(struct log_counts *c, uint64_t **out, fl_error *err)
{
    const struct raw_log *logs = (const struct raw_log *)c->b->logs.rows;
    uint64_t *pairs, *slot, value;
    fl_status status = FL_OK;
    for (size_t i = 0; i < c->b->logs.count && status == FL_OK; i++)
        status = fl_map_slot(&slot, c->ids, pair_of_log(c, &logs[i]), NULL, err);
    c->count = fl_map_count(c->ids);
    if (status == FL_OK)
        status = FL_TL_NEW(c->b, pairs, c->count, "log series", err);
    if (status != FL_OK)
        return status;
    size_t cursor = 0, at = 0;
    while (at < c->count && fl_map_next(c->ids, &cursor, &pairs[at], &value))
        at++;
    *out = pairs;
    size_t most = c->b->window_count > 0 ? FL_MAX_LOG_CELLS / c->b->window_count : 0;
    return c->count > most ? keep_best(c, pairs, most, err) : FL_OK;
}

/* The distinct pairs, sorted, numbered. */
static fl_status number_series(struct log_counts *c, fl_error *err)
{
    uint64_t *pairs = NULL, *slot;
    fl_status status = list_pairs(c, &pairs, err);
    if (status == FL_OK)
        status = FL_TL_NEW(c->b, c->series, c->count, "log series", err);
    if (status == FL_OK)
        status = FL_TL_NEW(c->b, c->examples, c->count, "log series", err);
    if (status == FL_OK)
        status = FL_TL_NEW(c->b, c->counts, c->count * c->b->window_count, "log counts", err);
    if (status == FL_OK && c->count > 1)
        qsort(pairs, c->count, sizeof(*pairs), compare_pairs);
    for (size_t i = 0; i < c->count && status == FL_OK; i++) {
        status = fl_map_slot(&slot, c->ids, pairs[i], NULL, err);
        if (status != FL_OK)
            return status;
        *slot = i;
        c->series[i] = (fl_log_series){.service = (uint32_t)(pairs[i] >> 32),
                                       .template_index = (uint32_t)pairs[i],
                                       .counts = c->counts + i * c->b->window_count,
                                       .example = ""};
    }
    return status;
}

static void count_lines(struct log_counts *c)
{
    assert(c->b->timeline.log_sampling > 0);
    const struct raw_log *logs = (const struct raw_log *)c->b->logs.rows;
    fl_window *windows = c->b->sorted_windows;
    double each = 1 / c->b->timeline.log_sampling;
    for (size_t i = 0; i < c->b->logs.count; i++) {
        const uint64_t *series = fl_map_find(c->ids, pair_of_log(c, &logs[i]));
        if (series != NULL)
            c->counts[*series * c->b->window_count + logs[i].window] += each;
        windows[logs[i].window].has_logs = true;
    }
}

/* Of the incident first, then by key and content; nothing is behind everything. */
static bool is_better(const struct raw_example *a, const struct raw_example *b)
{
    if (b == NULL || a->in_incident != b->in_incident)
        return b == NULL || a->in_incident;
    return a->key != b->key ? a->key < b->key : a->content < b->content;
}

static fl_status choose_examples(struct log_counts *c, const struct ranks *ranks, fl_error *err)
{
    fl_timeline_builder *b = c->b;
    size_t cursor = 0;
    uint64_t id, index;
    while (fl_map_next(b->example_ids, &cursor, &id, &index)) {
        const struct raw_example *example = &b->examples[index];
        uint32_t form = (uint32_t)id >> 1, service = ranks->service[id >> 32];
        const uint64_t *series =
            fl_map_find(c->ids, pair_of(service, c->templates->template_of[form]));
        /* Sampling may have dropped the record since. */
        if (series != NULL && example->is_set && fl_sampler_wants(&b->logs, example->key) &&
            is_better(example, c->examples[*series]))
            c->examples[*series] = example;
    }
    for (size_t i = 0; i < c->count; i++) {
        const struct raw_example *example = c->examples[i];
        if (example == NULL)
            continue;
        c->series[i].example =
            fl_arena_cstr(&b->arena, (fl_slice){.ptr = example->text, .len = example->len});
        if (c->series[i].example == NULL)
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
    fl_sampler_dispose(&b->logs);
    fl_map_destroy(c.ids);
    return status;
}
