/*
 * latency.c - which latency series says what: how long a service took, or how long what it calls
 * took it; a mean, or a quantile; of whom. Told from names and labels as exporters write them.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rank_priv.h"

/* OpenTelemetry's and Micrometer's clients, Envoy's upstreams, Linkerd's and Istio's outbound side.
 */
bool fl_rank_is_client_side(const fl_metric_series *series)
{
    static const char *const words[] = {"client", "upstream", "outbound", "reporter=source"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strstr(series->name, words[i]) != NULL || strstr(series->attributes, words[i]) != NULL)
            return true;
    return false;
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "p99", "p99.9" and "p999" as a word of its own. */
static double percentile_in(const char *text)
{
    for (const char *at = text; (at = strchr(at, 'p')) != NULL; at++) {
        if (at > text && is_letter_or_digit(at[-1]))
            continue;
        char *end;
        double value = at[1] >= '0' && at[1] <= '9' ? strtod(at + 1, &end) : NAN;
        if (isnan(value) || is_letter_or_digit(*end))
            continue;
        while (value > 100)
            value /= 10;
        if (value > 0 && value < 100)
            return value / 100;
    }
    return NAN;
}

static bool has_any(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(text, words[i]) != NULL)
            return true;
    return false;
}

/* The statistic first, then the labels, then the name. */
double fl_rank_quantile(const fl_metric_series *series)
{
    static const char *const means[] = {"mean", "average", "avg", "Average", "Mean"};
    const char *texts[3] = {series->statistic != NULL ? series->statistic : "", series->attributes,
                            series->name};
    for (size_t i = 0; i < 3; i++) {
        const char *quantile = strstr(texts[i], "quantile=");
        double value = quantile != NULL ? strtod(quantile + strlen("quantile="), NULL) : NAN;
        if (!(value > 0 && value < 1))
            value = strstr(texts[i], "median") != NULL ? 0.5 : percentile_in(texts[i]);
        if (!isnan(value))
            return value;
        if (has_any(texts[i], means, sizeof(means) / sizeof(means[0])))
            return FL_RANK_MEAN;
    }
    return NAN;
}

/* ---- which series ---- */

/* The plainer the statistic, the better it adds up over requests. */
static int preference(const fl_metric_series *series)
{
    static const char *const means[] = {"mean", "average", "avg", "Average", "Mean"};
    static const char *const medians[] = {"p50", "median", "quantile=0.5", "0.5"};
    const char *texts[3] = {series->statistic != NULL ? series->statistic : "", series->attributes,
                            series->name};
    for (size_t t = 0; t < 3; t++)
        for (size_t i = 0; i < sizeof(means) / sizeof(means[0]); i++)
            if (strstr(texts[t], means[i]) != NULL)
                return 4;
    for (size_t t = 0; t < 3; t++)
        for (size_t i = 0; i < sizeof(medians) / sizeof(medians[0]); i++)
            if (strstr(texts[t], medians[i]) != NULL)
                return 3;
    return texts[0][0] == '\0' && texts[1][0] == '\0' ? 2 : 1;
}

uint32_t fl_rank_choose_series(const struct rank *r, uint32_t service, fl_role role)
{
    assert(service < r->timeline->service_count && role < FL_ROLE_COUNT);
    const fl_timeline *t = r->timeline;
    uint32_t best = FL_NO_INDEX;
    for (uint32_t i = 0; i < t->metric_series_count; i++) {
        const fl_metric_series *series = &t->metrics[i];
        if (r->shown[t->entities[series->entity].service] != service || series->role != role ||
            series->is_host || fl_rank_is_client_side(series))
            continue;
        if (best == FL_NO_INDEX || preference(series) > preference(&t->metrics[best]))
            best = i;
    }
    return best;
}

/* A rate is per second (UCUM), anything else is per window. */
double fl_rank_requests(const struct rank *r, const fl_metric_series *series, double value)
{
    assert(r->timeline->step_ns > 0 && series->unit != NULL);
    size_t length = strlen(series->unit);
    bool is_rate = length >= 2 && strcmp(series->unit + length - 2, "/s") == 0;
    return is_rate ? value * (double)r->timeline->step_ns / 1e9 : value;
}

/* ---- views ---- */

enum { LEAST_EQUAL = 5, LEAST_DISTINCT = 3 };

/* Equal wherever both are, often enough and not only by being constant. */
static bool is_same(const double *a, const double *b, size_t count)
{
    size_t both = 0, distinct = 0;
    double last = NAN;
    for (size_t i = 0; i < count; i++) {
        if (isnan(a[i]) || isnan(b[i]))
            continue;
        if (a[i] != b[i])
            return false;
        both++;
        distinct += a[i] != last;
        last = a[i];
    }
    return both >= LEAST_EQUAL && distinct >= LEAST_DISTINCT;
}

/* Of a service of which nothing runs: no instance, and nothing but latency and errors. */
static bool is_only_seen(const fl_timeline *t, uint32_t service)
{
    for (size_t i = 0; i < t->entity_count; i++)
        if (t->entities[i].service == service && t->entities[i].instance != NULL)
            return false;
    for (size_t i = 0; i < t->metric_series_count; i++) {
        fl_role role = t->metrics[i].role;
        if (t->entities[t->metrics[i].entity].service == service && role != FL_ROLE_LATENCY &&
            role != FL_ROLE_ERRORS)
            return false;
    }
    return true;
}

/* The service whose own latency is the view's, or the view itself. */
static uint32_t viewed_by(const struct rank *r, uint32_t view)
{
    const fl_timeline *t = r->timeline;
    for (size_t i = 0; i < t->metric_series_count; i++) {
        const fl_metric_series *own = &t->metrics[i];
        if (t->entities[own->entity].service != view || own->role != FL_ROLE_LATENCY)
            continue;
        for (size_t k = 0; k < t->metric_series_count; k++) {
            const fl_metric_series *other = &t->metrics[k];
            uint32_t service = t->entities[other->entity].service;
            if (service != view && other->role == FL_ROLE_LATENCY &&
                !fl_rank_is_client_side(other) &&
                is_same(own->values, other->values, t->window_count) && !is_only_seen(t, service))
                return service;
        }
    }
    return view;
}

fl_status fl_rank_find_views(struct rank *r, fl_error *err)
{
    const fl_timeline *t = r->timeline;
    fl_status status = FL_RANK_NEW(r->arena, r->shown, t->service_count, "services", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, r->waits, t->service_count, "services", err);
    for (uint32_t s = 0; s < t->service_count && status == FL_OK; s++) {
        r->waits[s] = NAN;
        r->shown[s] = is_only_seen(t, s) ? viewed_by(r, s) : s;
    }
    return status;
}
