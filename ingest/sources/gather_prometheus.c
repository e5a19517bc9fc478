/*
 * gather_prometheus.c - which series of a Prometheus matter, and their raw samples.
 *
 *   (1) /api/v1/metadata                    types of metrics, into the decoder
 *       /api/v1/label/__name__/values       names, of which those of hosts are asked for at the end
 *   (2) /api/v1/series?match[]=...          the label sets of the services: a list
 *       /api/v1/query?query=SELECTOR[range] raw samples of many metrics at once
 *       the same two for the metrics of hosts
 *
 * A choice is a metric by the label that names its service, of the asked service or of the others.
 * Choices are taken whole while their series fit into the budget; what is too large is passed over
 * and told. An answer that is too large is asked for again in halves.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "faultline/limits.h"
#include "gather_priv.h"
#include "map.h"
#include "mem.h"
#include "slice.h"
#include "timestamp.h"

/* A query of this many samples is an answer of some 6 MB. Scrapes are 15 s apart, or more. */
enum { QUERY_SAMPLES = 200000, SCRAPE_S = 15, QUERY_NAMES_BYTES = 6000, MAX_CHOICES = 65536 };
enum { DEFAULT_SERIES = 5000 };
/* Beside the labels that may name a service: */
enum { LABEL_POD = 62, LABEL_NONE = 63 };
/* From this rank on it is the last that is asked for. */
enum { RANK_OTHER = 100 };

typedef struct choice {
    fl_slice name;
    uint32_t label;
    int rank;
    bool is_own;
    uint32_t series;
} choice;

/* A list of series, and what was chosen of it. Lists follow each other. */
typedef struct listing {
    gather_source *source;
    choice *choices;
    size_t count, room;
    fl_map *at; /* key of a choice to its index */
} listing;

typedef struct prometheus_own {
    fl_prometheus *decoder;
    fl_intern *names;
    listing list;
    fl_slice *hosts; /* names of their metrics */
    size_t host_count, host_room, next_host;
    uint64_t budget, left_out; /* series */
} prometheus_own;

/* Of one query: choices[from..to), all with the same label and owner. */
typedef struct batch {
    gather_source *source;
    const choice *choices;
    size_t count;
} batch;

static fl_status next_list(gather_source *source, fl_error *err);
static fl_status ask_samples(gather_source *source, const choice *choices, size_t count,
                             fl_error *err);

/* One sentence for all of this file. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the series of a Prometheus");
}

/* ---- phase 1 ---- */

static fl_status on_metadata(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    gather_source *source = payload;
    prometheus_own *own = source->own;
    fl_error why = {0};
    if (answer->status == FL_E_NOTFOUND) { /* types are then told by names */
        source->all->ended++;
        return FL_OK;
    }
    if (!gather_answered(source, answer))
        return FL_OK;
    fl_status status = fl_prometheus_answer(own->decoder, answer->body, &why);
    return gather_decoded(source, status, &why, err);
}

/* Machines are told by their metrics: nothing else says which of them a service runs on. */
static fl_status keep_host_metric(void *payload, fl_slice name, fl_error *err)
{
    gather_source *source = payload;
    prometheus_own *own = source->own;
    const fl_metric_ranks *ranks = &source->all->request->ranks;
    bool is_host = false;
    if (ranks->rank(ranks->payload, name, &is_host) == FL_RANK_NEVER || !is_host)
        return FL_OK;
    if (own->host_count == own->host_room) {
        size_t room = own->host_room > 0 ? 2 * own->host_room : 64;
        fl_slice *grown = fl_mem_realloc(own->hosts, room, sizeof(*grown));
        if (grown == NULL)
            return no_memory(err);
        own->hosts = grown;
        own->host_room = room;
    }
    fl_slice copy = fl_arena_copy(&source->all->arena, name);
    if (copy.ptr == NULL)
        return no_memory(err);
    own->hosts[own->host_count++] = copy;
    return FL_OK;
}

static fl_status on_names(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    gather_source *source = payload;
    fl_error why = {0};
    if (!gather_answered(source, answer))
        return FL_OK;
    fl_status status =
        fl_answer_names(answer->body, &source->all->text, keep_host_metric, source, &why);
    return gather_decoded(source, status, &why, err);
}

/* Seconds with three decimals: what Prometheus keeps. */
static void put_time(fl_buf *path, int64_t time_ns)
{
    int64_t ms = time_ns / FL_NS_PER_MS;
    fl_buf_printf(path, "%lld.%03d", (long long)(ms / 1000), (int)(ms % 1000));
}

/* Without these Prometheus would list every series that it remembers. */
static void put_window(gather *all)
{
    fl_buf_text(&all->path, "&start=");
    put_time(&all->path, all->request->from_ns);
    fl_buf_text(&all->path, "&end=");
    put_time(&all->path, all->request->to_ns);
}

static fl_status first(gather_source *source, fl_error *err)
{
    gather *all = source->all;
    prometheus_own *own = fl_arena_alloc(&all->arena, 1, sizeof(*own));
    if (own == NULL)
        return no_memory(err);
    source->own = own;
    own->list.source = source;
    own->budget = all->request->max_series > 0 ? all->request->max_series : DEFAULT_SERIES;
    fl_status status = fl_prometheus_create(&own->decoder, &source->intake, err);
    if (status == FL_OK)
        status = fl_intern_create(&own->names, FL_MAX_NAME_BYTES, err);
    if (status == FL_OK)
        status = fl_map_create(&own->list.at, MAX_CHOICES, err);
    if (status != FL_OK)
        return status;
    fl_buf_text(&all->path, "/api/v1/metadata");
    status = gather_get(source, on_metadata, source, err);
    if (status != FL_OK)
        return status;
    fl_buf_text(&all->path, "/api/v1/label/__name__/values?");
    put_window(all);
    return gather_get(source, on_names, source, err);
}

/* ---- phase 2: lists ---- */

/* Which service a value of a label means; services.count: none. */
static size_t service_of(const gather_services *services, fl_slice value, bool as_pod)
{
    size_t i = 0;
    for (; i < services->count; i++) {
        fl_slice name = services->names[i];
        if (as_pod ? value.len > name.len && fl_slice_starts_with(value, name) &&
                         value.ptr[name.len] == '-'
                   : fl_slice_equal(value, name))
            break;
    }
    return i;
}

/* OpenTelemetry's rule for jobs joins the namespace in front. */
static fl_slice behind_last_slash(fl_slice text)
{
    size_t at = text.len;
    while (at > 0 && text.ptr[at - 1] != '/')
        at--;
    return fl_slice_part(text, at, text.len);
}

/* The first label that names one of the services is how the series is asked for. */
static uint32_t label_of(const gather_services *services, const fl_labels *labels, bool *is_own)
{
    const fl_slice *name;
    size_t found = services->count;
    uint32_t i = 0;
    for (; (name = fl_labels_service_label(i)) != NULL; i++) {
        fl_slice value = fl_labels_find(labels, *name);
        if (fl_slice_equal(*name, FL_SLICE("job")))
            value = behind_last_slash(value);
        found = service_of(services, value, false);
        if (found < services->count)
            break;
    }
    if (found == services->count) {
        found = service_of(services, fl_labels_find(labels, FL_SLICE("pod")), true);
        i = found < services->count ? LABEL_POD : LABEL_NONE;
    }
    *is_own = services->has_own && found == 0;
    return i;
}

/* The map finds it by symbol, label and owner; the list keeps the order in which they came. */
static fl_status add_choice(listing *list, const choice *found, fl_sym name, fl_error *err)
{
    uint64_t *at;
    bool added;
    uint64_t key = (uint64_t)name << 8 | found->label << 1 | found->is_own;
    fl_status status = fl_map_slot(&at, list->at, key, &added, err);
    if (status != FL_OK)
        return status;
    if (!added) {
        list->choices[*at].series++;
        return FL_OK;
    }
    if (list->count == list->room) {
        size_t room = list->room > 0 ? 2 * list->room : 256;
        choice *grown = fl_mem_realloc(list->choices, room, sizeof(*grown));
        if (grown == NULL)
            return no_memory(err);
        list->choices = grown;
        list->room = room;
    }
    *at = list->count;
    list->choices[list->count++] = *found;
    return FL_OK;
}

/* A list of hosts has no label that names a service: its choices are whole metrics. */
static fl_status on_labels(void *payload, const fl_labels *labels, fl_error *err)
{
    gather_source *source = payload;
    prometheus_own *own = source->own;
    const fl_metric_ranks *ranks = &source->all->request->ranks;
    fl_slice name = fl_labels_find(labels, FL_SLICE("__name__"));
    bool is_host = false;
    fl_sym sym;
    choice found = {.series = 1, .label = LABEL_NONE};
    found.rank = name.len > 0 ? ranks->rank(ranks->payload, name, &is_host) : FL_RANK_NEVER;
    if (found.rank == FL_RANK_NEVER)
        return FL_OK;
    if (own->next_host == 0 && source->all->services.count > 0)
        found.label = label_of(&source->all->services, labels, &found.is_own);
    fl_status status = fl_intern_put(&sym, own->names, name, err);
    if (status != FL_OK)
        return status;
    found.name = fl_intern_text(own->names, sym);
    return add_choice(&own->list, &found, sym, err);
}

/* Metrics whose role is known before all others, the asked service before its neighbours; the rest
 * of the order only makes it one. */
static int by_worth(const void *a, const void *b)
{
    const choice *x = a, *y = b;
    if ((x->rank >= RANK_OTHER) != (y->rank >= RANK_OTHER))
        return x->rank >= RANK_OTHER ? 1 : -1;
    if (x->is_own != y->is_own)
        return x->is_own ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    int order = fl_slice_compare(x->name, y->name);
    return order != 0 ? order : (x->label > y->label) - (x->label < y->label);
}

/* What can stand in one query is together: by label and owner, else as it was. */
static int by_query(const void *a, const void *b)
{
    const choice *x = a, *y = b;
    if (x->is_own != y->is_own)
        return x->is_own ? -1 : 1;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return by_worth(a, b);
}

/* How many series make QUERY_SAMPLES over the window. */
static uint64_t series_per_query(const gather *all)
{
    int64_t seconds = (all->request->to_ns - all->request->from_ns) / FL_NS_PER_S + 1;
    uint64_t series = QUERY_SAMPLES / ((uint64_t)seconds / SCRAPE_S + 1);
    return series > 10 ? series : 10;
}

/* As many choices as one query may have, from the first on. */
static size_t query_length(const gather *all, const choice *choices, size_t count)
{
    uint64_t series = choices[0].series, most = series_per_query(all);
    size_t n = 1, bytes = choices[0].name.len;
    while (n < count && choices[n].label == choices[0].label &&
           choices[n].is_own == choices[0].is_own && series + choices[n].series <= most &&
           bytes + choices[n].name.len < QUERY_NAMES_BYTES) {
        series += choices[n].series;
        bytes += choices[n].name.len + 1;
        n++;
    }
    return n;
}

/* The best that fit, in few queries. The choices stay where they are until all has ended. */
static fl_status ask_chosen(gather_source *source, fl_error *err)
{
    prometheus_own *own = source->own;
    listing *list = &own->list;
    size_t taken = 0;
    if (list->count == 0)
        return FL_OK;
    qsort(list->choices, list->count, sizeof(choice), by_worth);
    for (size_t i = 0; i < list->count; i++)
        if (list->choices[i].series <= own->budget) {
            own->budget -= list->choices[i].series;
            list->choices[taken++] = list->choices[i];
        } else
            own->left_out += list->choices[i].series;
    choice *kept = fl_arena_alloc(&source->all->arena, taken + 1, sizeof(*kept));
    if (kept == NULL)
        return no_memory(err);
    memcpy(kept, list->choices, taken * sizeof(*kept));
    qsort(kept, taken, sizeof(*kept), by_query);
    list->count = 0;
    fl_map_clear(list->at);
    fl_status status = FL_OK;
    for (size_t i = 0, n = 0; i < taken && status == FL_OK; i += n) {
        n = query_length(source->all, kept + i, taken - i);
        status = ask_samples(source, kept + i, n, err);
    }
    return status;
}

static fl_status on_list(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    gather_source *source = payload;
    fl_error why = {0};
    if (!gather_answered(source, answer))
        return FL_OK;
    fl_status status = fl_answer_series(answer->body, &source->all->text, on_labels, source, &why);
    if (status == FL_E_LIMIT) /* of names: what was listed so far is used */
        status = FL_OK;
    status = gather_decoded(source, status, &why, err);
    if (status == FL_OK)
        status = ask_chosen(source, err);
    return status == FL_OK ? next_list(source, err) : status;
}

/* LABEL=~"services": the whole of a selector but its braces. */
static void put_matcher(gather *all, uint32_t label, size_t from, size_t to)
{
    const fl_slice *name = fl_labels_service_label(label);
    bool is_job = name != NULL && fl_slice_equal(*name, FL_SLICE("job"));
    gather_put(all, "");
    fl_pull_escape(&all->path, label == LABEL_POD ? FL_SLICE("pod") : *name);
    gather_put(all, is_job ? "=~\"(.*/)?(" : "=~\"(");
    gather_put_pattern(all, from, to);
    gather_put(all, label == LABEL_POD ? ")-.*\"" : ")\"");
}

/* One question with a selector for each label: their union, each series once. */
static fl_status list_services(gather_source *source, fl_error *err)
{
    gather *all = source->all;
    fl_buf_text(&all->path, "/api/v1/series?");
    if (all->services.count == 0)
        fl_buf_text(&all->path, "match[]=%7B__name__%3D~%22.%2B%22%7D");
    for (uint32_t i = 0; all->services.count > 0; i++) {
        uint32_t label = fl_labels_service_label(i) != NULL ? i : LABEL_POD;
        fl_buf_text(&all->path, i > 0 ? "&match[]=%7B" : "match[]=%7B");
        put_matcher(all, label, 0, all->services.count);
        fl_buf_text(&all->path, "%7D");
        if (label == LABEL_POD)
            break;
    }
    put_window(all);
    return gather_get(source, on_list, source, err);
}

/* The next names of hosts' metrics, as long as there are some and there is room for series. */
static fl_status next_list(gather_source *source, fl_error *err)
{
    prometheus_own *own = source->own;
    gather *all = source->all;
    size_t bytes = 0;
    if (all->services.count == 0 || own->next_host == own->host_count || own->budget == 0) {
        if (own->left_out > 0)
            gather_note(source, "%s: %llu series were left out: more than %u",
                        fl_pull_source_url(source->server), (unsigned long long)own->left_out,
                        all->request->max_series > 0 ? all->request->max_series : DEFAULT_SERIES);
        return FL_OK;
    }
    fl_buf_text(&all->path, "/api/v1/series?match[]=%7B__name__%3D~%22");
    for (; own->next_host < own->host_count && bytes < QUERY_NAMES_BYTES; own->next_host++) {
        fl_slice name = own->hosts[own->next_host];
        if (bytes > 0)
            gather_put(all, "|");
        fl_pull_escape(&all->path, name);
        bytes += name.len + 1;
    }
    fl_buf_text(&all->path, "%22%7D");
    put_window(all);
    return gather_get(source, on_list, source, err);
}

/* ---- samples ---- */

static fl_status on_samples(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    batch *asked = payload;
    gather_source *source = asked->source;
    prometheus_own *own = source->own;
    bool is_too_much = answer->status == FL_E_LIMIT || answer->http == 422;
    fl_error why = {0};
    if (is_too_much && asked->count > 1) {
        size_t half = asked->count / 2;
        source->all->ended++;
        fl_status status = ask_samples(source, asked->choices, half, err);
        return status == FL_OK
                   ? ask_samples(source, asked->choices + half, asked->count - half, err)
                   : status;
    }
    if (!gather_answered(source, answer))
        return FL_OK;
    fl_status status = fl_prometheus_answer(own->decoder, answer->body, &why);
    return gather_decoded(source, status, &why, err);
}

/* {__name__=~"a|b",LABEL=~"services"}[range] at the window's end. */
static fl_status ask_samples(gather_source *source, const choice *choices, size_t count,
                             fl_error *err)
{
    gather *all = source->all;
    batch *asked = fl_arena_alloc(&all->arena, 1, sizeof(*asked));
    if (asked == NULL)
        return no_memory(err);
    assert(count > 0);
    *asked = (batch){source, choices, count};
    fl_buf_text(&all->path, "/api/v1/query?query=");
    gather_put(all, "{__name__=~\"");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            gather_put(all, "|");
        fl_pull_escape(&all->path, choices[i].name);
    }
    gather_put(all, "\"");
    if (choices[0].label != LABEL_NONE) {
        size_t own = all->services.has_own ? 1 : 0;
        gather_put(all, ",");
        put_matcher(all, choices[0].label, choices[0].is_own ? 0 : own,
                    choices[0].is_own ? 1 : all->services.count);
    }
    int64_t range_ns = all->request->to_ns - all->request->from_ns;
    gather_put(all, "}[");
    fl_buf_printf(&all->path, "%llds", (long long)((range_ns + FL_NS_PER_S - 1) / FL_NS_PER_S));
    gather_put(all, "]");
    fl_buf_text(&all->path, "&time=");
    put_time(&all->path, all->request->to_ns);
    return gather_get(source, on_samples, asked, err);
}

static fl_status second(gather_source *source, fl_error *err)
{
    return list_services(source, err);
}

/* Whatever the first phase made, as far as it came. */
static void end(gather_source *source)
{
    prometheus_own *own = source->own;
    if (own == NULL)
        return;
    fl_prometheus_destroy(own->decoder);
    fl_intern_destroy(own->names);
    fl_map_destroy(own->list.at);
    fl_mem_free(own->list.choices);
    fl_mem_free(own->hosts);
}

const gather_kind gather_prometheus = {
    .name = "Prometheus", .first = first, .second = second, .end = end};
