/*
 * drill_report.c - sums per system, and the two ways to show them.
 *
 * The table has a row a system, never a row over all of them: systems differ in size and in what
 * their telemetry can tell, and a mean over them would be led by the largest. A system without
 * cases that are known finer than by service shows n/a for AIS@k and null in JSON, which is not 0.
 */
#include "drill_report.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "json_put.h"
#include "page.h"

bool fl_drill_is_miss(const fl_drill_outcome *outcome)
{
    if (!outcome->is_counted)
        return false;
    return outcome->ranks.service != 1 ||
           (fl_drill_is_fine(&outcome->truth) && outcome->ranks.fine != 1);
}

/* --- sums --- */

/* `outcomes` are those of one system. Times are of every counted case, hit or miss. */
static fl_status sum_system(fl_drill_system *out, fl_arena *arena, const fl_drill_outcome *outcomes,
                            size_t count, fl_error *err)
{
    int64_t *times = fl_arena_alloc(arena, count, sizeof(*times));
    if (times == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while counting");
    assert(count > 0);
    size_t timed = 0;
    *out = (fl_drill_system){.name = outcomes[0].which->system};
    for (size_t i = 0; i < count; i++) {
        if (!outcomes[i].is_counted)
            continue;
        fl_drill_count(&out->tally, &outcomes[i].truth, outcomes[i].ranks);
        times[timed++] = outcomes[i].time_ns;
        if (outcomes[i].time_ns > out->worst_ns)
            out->worst_ns = outcomes[i].time_ns;
    }
    out->median_ns = fl_drill_median(times, timed);
    return FL_OK;
}

fl_status fl_drill_sum(fl_drill_result *out, fl_arena *arena, const fl_drill_outcome *outcomes,
                       size_t count, fl_error *err)
{
    size_t systems = 0;
    for (size_t i = 0; i < count; i++)
        systems += i == 0 || strcmp(outcomes[i].which->system, outcomes[i - 1].which->system) != 0;
    fl_drill_system *items = fl_arena_alloc(arena, systems > 0 ? systems : 1, sizeof(*items));
    if (items == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while counting");
    size_t at = 0;
    /* They are sorted by system, so each is one run. */
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count; to++)
            if (strcmp(outcomes[to].which->system, outcomes[from].which->system) != 0)
                break;
        fl_status status = sum_system(&items[at++], arena, outcomes + from, to - from, err);
        if (status != FL_OK)
            return status;
    }
    assert(at == systems);
    *out = (fl_drill_result){
        .systems = items, .system_count = systems, .outcomes = outcomes, .outcome_count = count};
    return FL_OK;
}

/* --- text --- */

/* n, and the share of hits at each k. */
static void write_ratios(fl_page *page, size_t n, const size_t hits[FL_DRILL_KS])
{
    fl_page_printf(page, FL_INK_PLAIN, "%5zu", n);
    for (size_t i = 0; i < FL_DRILL_KS; i++) {
        if (n > 0)
            fl_page_printf(page, FL_INK_PLAIN, "%7.3f", fl_drill_ratio(hits[i], n));
        else
            fl_page_put(page, FL_INK_PLAIN, "    n/a");
    }
}

/* Times are wall-clock seconds of one triage, reading included. */
static void write_table(fl_page *page, const fl_drill_result *result)
{
    size_t columns = strlen("System");
    for (size_t i = 0; i < result->system_count; i++) {
        size_t own = fl_page_columns(result->systems[i].name);
        columns = own > columns ? own : columns;
    }
    fl_page_put(page, FL_INK_DIM, "System");
    fl_page_pad(page, columns);
    fl_page_put(page, FL_INK_DIM, "    n   AC@1   AC@3   AC@5    n  AIS@1  AIS@3  AIS@5");
    fl_page_put(page, FL_INK_DIM, "    median     worst");
    fl_page_newline(page);
    for (size_t i = 0; i < result->system_count; i++) {
        const fl_drill_system *system = &result->systems[i];
        fl_page_put(page, FL_INK_BOLD, system->name);
        fl_page_pad(page, columns);
        write_ratios(page, system->tally.n, system->tally.hits);
        write_ratios(page, system->tally.fine_n, system->tally.fine_hits);
        fl_page_printf(page, FL_INK_PLAIN, "%8.3f s%8.3f s", (double)system->median_ns / 1e9,
                       (double)system->worst_ns / 1e9);
        fl_page_newline(page);
    }
}

/* Rank 0 is the truth that no hypothesis names. */
static void write_rank(fl_page *page, const char *what, size_t rank)
{
    if (rank > 0)
        fl_page_printf(page, FL_INK_PLAIN, "%s %zu", what, rank);
    else
        fl_page_printf(page, FL_INK_PLAIN, "%s not in the ranking", what);
}

/* As fine as truth.json knows it. */
static void write_truth(fl_page *page, const fl_drill_answer *truth)
{
    fl_page_printf(page, FL_INK_PLAIN, "      true: %.200s",
                   truth->service != NULL ? truth->service : "nothing was wrong");
    if (truth->resource != FL_RESOURCE_NONE)
        fl_page_printf(page, FL_INK_PLAIN, ", %s", fl_resource_name(truth->resource));
    if (truth->region[0] != NULL)
        fl_page_printf(page, FL_INK_PLAIN, ", code between %.120s and %.120s", truth->region[0],
                       truth->region[1]);
    for (size_t i = 0; i < truth->also_count; i++)
        fl_page_printf(page, FL_INK_PLAIN, "; %.200s", truth->also[i]);
    fl_page_newline(page);
}

/* What was true, where it stood, and what stood there instead. */
static void write_miss(fl_page *page, const fl_drill_outcome *outcome)
{
    assert(outcome->is_counted);
    fl_page_put(page, FL_INK_PLAIN, "  ");
    fl_page_put(page, FL_INK_BOLD, outcome->which->name);
    fl_page_newline(page);
    write_truth(page, &outcome->truth);
    if (outcome->truth.service != NULL) {
        fl_page_pad(page, 6);
        write_rank(page, "rank of the service:", outcome->ranks.service);
        if (fl_drill_is_fine(&outcome->truth))
            write_rank(page, "; of the cause:", outcome->ranks.fine);
        fl_page_newline(page);
    }
    if (outcome->failure != NULL) {
        fl_page_pad(page, 6);
        fl_page_wrap(page, FL_INK_WARN, outcome->failure);
        fl_page_newline(page);
    }
    for (size_t i = 0; i < outcome->above_count; i++) {
        const fl_drill_above *above = &outcome->above[i];
        char percent[FL_PERCENT_TEXT];
        fl_page_printf(page, FL_INK_PLAIN, "      %3u  %.120s  %s%s%s  %s", above->rank,
                       above->service != NULL ? above->service : "(service not named)",
                       above->cause, above->resource != NULL ? ", " : "",
                       above->resource != NULL ? above->resource : "",
                       fl_page_percent(percent, above->probability));
        fl_page_newline(page);
    }
    if (outcome->above_left > 0) {
        fl_page_printf(page, FL_INK_DIM, "           and %zu more", outcome->above_left);
        fl_page_newline(page);
    }
}

fl_status fl_drill_text(fl_buf *out, const fl_drill_result *result, bool verbose,
                        const fl_report_style *style, fl_error *err)
{
    fl_page page = fl_page_on(out, style);
    size_t misses = 0;
    write_table(&page, result);
    for (size_t i = 0; i < result->outcome_count; i++)
        misses += fl_drill_is_miss(&result->outcomes[i]);
    if (verbose && misses > 0) {
        fl_page_newline(&page);
        fl_page_printf(&page, FL_INK_BOLD, "Not first (%zu)", misses);
        fl_page_newline(&page);
    }
    for (size_t i = 0; verbose && i < result->outcome_count; i++)
        if (fl_drill_is_miss(&result->outcomes[i]))
            write_miss(&page, &result->outcomes[i]);
    return fl_buf_check(out, "the drill's report", err);
}

/* --- JSON --- */

/* jansson passes a NULL of a failed constructor on, and each list is checked once. */
typedef struct list {
    json_t *array;
    bool failed;
} list;

/* Takes `item`, which may be NULL. */
static void append(list *to, json_t *item)
{
    if (json_array_append_new(to->array, item) != 0)
        to->failed = true;
}

/* null for no cases: there is no share of nothing. */
static json_t *ratios_json(size_t n, const size_t hits[FL_DRILL_KS])
{
    if (n == 0)
        return json_null();
    return json_pack("{s:I, s:f, s:f, s:f}", "n", (json_int_t)n, "1", fl_drill_ratio(hits[0], n),
                     "3", fl_drill_ratio(hits[1], n), "5", fl_drill_ratio(hits[2], n));
}

/* Times in milliseconds, as the key says. */
static json_t *system_json(const fl_drill_system *system)
{
    return json_pack(
        "{s:s, s:I, s:o, s:o, s:{s:f, s:f}}", "system", system->name, "n",
        (json_int_t)system->tally.n, "ac", ratios_json(system->tally.n, system->tally.hits), "ais",
        ratios_json(system->tally.fine_n, system->tally.fine_hits), "time_ms", "median",
        (double)system->median_ns / 1e6, "worst", (double)system->worst_ns / 1e6);
}

/* null where the ranking does not name it. */
static json_t *rank_json(size_t rank)
{
    return rank > 0 ? json_integer((json_int_t)rank) : json_null();
}

/* A hypothesis that stood where the truth should have. */
static json_t *above_json(const fl_drill_above *above)
{
    return json_pack("{s:I, s:s?, s:s, s:s?, s:f}", "rank", (json_int_t)above->rank, "service",
                     above->service, "cause", above->cause, "resource", above->resource,
                     "probability", above->probability);
}

/* Services of further causes. */
static json_t *also_json(const fl_drill_answer *truth)
{
    list also = {.array = json_array()};
    for (size_t i = 0; i < truth->also_count; i++)
        append(&also, json_string(truth->also[i]));
    if (!also.failed)
        return also.array;
    json_decref(also.array);
    return NULL;
}

/* NULL where memory ran out. */
static json_t *miss_json(const fl_drill_outcome *outcome)
{
    assert(outcome->above_count <= FL_DRILL_MAX_ABOVE);
    list above = {.array = json_array()};
    for (size_t i = 0; i < outcome->above_count; i++)
        append(&above, above_json(&outcome->above[i]));
    json_t *item = json_pack(
        "{s:s, s:s, s:{s:s?, s:s?, s:s?, s:s?, s:o}, s:o, s:o, s:s?, s:o}", "case",
        outcome->which->name, "system", outcome->which->system, "truth", "service",
        outcome->truth.service, "resource", fl_resource_name(outcome->truth.resource), "before",
        outcome->truth.region[0], "after", outcome->truth.region[1], "also",
        also_json(&outcome->truth), "service_rank", rank_json(outcome->ranks.service), "cause_rank",
        rank_json(outcome->ranks.fine), "failure", outcome->failure, "above", above.array);
    if (above.failed) {
        json_decref(item);
        return NULL;
    }
    return item;
}

fl_status fl_drill_json(fl_buf *out, const fl_drill_result *result, fl_error *err)
{
    list systems = {.array = json_array()}, misses = {.array = json_array()};
    list unread = {.array = json_array()};
    for (size_t i = 0; i < result->system_count; i++)
        append(&systems, system_json(&result->systems[i]));
    for (size_t i = 0; i < result->outcome_count; i++) {
        const fl_drill_outcome *outcome = &result->outcomes[i];
        if (!outcome->is_counted)
            append(&unread, json_pack("{s:s, s:s?}", "case", outcome->which->name, "failure",
                                      outcome->failure));
        else if (fl_drill_is_miss(outcome))
            append(&misses, miss_json(outcome));
    }
    bool failed = systems.failed || misses.failed || unread.failed;
    json_t *document =
        json_pack("{s:s, s:o, s:o, s:o}", "schema", "faultline.drill/1", "systems", systems.array,
                  "misses", misses.array, "not_counted", unread.array);
    if (!failed)
        failed = !fl_put_dump(out, document, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    json_decref(document);
    fl_buf_char(out, '\n');
    if (failed && out->status == FL_OK)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while writing the report");
    return fl_buf_check(out, "the drill's report", err);
}
