/*
 * pulled.c - from options to sources, and from sources to the feeds of a triage.
 *
 * All sources are asked at once, when the first feed is read; the others then only say how theirs
 * went, so that each that failed is a warning of its own.
 */
#include "pulled.h"

#include <assert.h>
#include <string.h>

#include "slice.h"
#include "timestamp.h"

/* By kind; the words of options and of --token-file. */
static const char *const words[FL_SOURCE_KIND_COUNT] = {
    [FL_SOURCE_PROMETHEUS] = "prometheus",
    [FL_SOURCE_LOKI] = "loki",
    [FL_SOURCE_TEMPO] = "tempo",
    [FL_SOURCE_JAEGER] = "jaeger",
};

/* A token goes to the kind that it is for, and to no other server. */
static fl_status token_of(const char **out, const fl_args *args, const char *word, fl_error *err)
{
    const char *given[FL_MAX_GIVEN];
    size_t count = fl_args_list(args, "token-file", given), len = strlen(word);
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        bool is_known = false;
        for (size_t k = 0; k < FL_SOURCE_KIND_COUNT; k++)
            is_known |= strncmp(given[i], words[k], strlen(words[k])) == 0 &&
                        given[i][strlen(words[k])] == '=';
        if (!is_known)
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                           "option --token-file wants KIND=FILE, KIND one of prometheus, loki, "
                           "tempo, jaeger, not '%.60s'",
                           given[i]);
        if (strncmp(given[i], word, len) == 0 && given[i][len] == '=')
            *out = given[i] + len + 1;
    }
    return FL_OK;
}

fl_status fl_pulled_sources_of(fl_pulled_sources *out, const fl_args *args, fl_error *err)
{
    const char *urls[FL_MAX_GIVEN], *token;
    *out = (fl_pulled_sources){.count = 0};
    for (size_t kind = 0; kind < FL_SOURCE_KIND_COUNT; kind++) {
        size_t count = fl_args_list(args, words[kind], urls);
        fl_status status = token_of(&token, args, words[kind], err);
        if (status != FL_OK)
            return status;
        for (size_t i = 0; i < count; i++) {
            if (out->count == FL_MAX_PULLED)
                return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "more than %d sources",
                               FL_MAX_PULLED);
            out->items[out->count++] =
                (fl_source){.kind = (fl_source_kind)kind,
                            .how = {.url = urls[i],
                                    .token_file = token,
                                    .tenant = fl_args_text(args, "tenant"),
                                    .ca_file = fl_args_text(args, "ca-file")}};
        }
    }
    return FL_OK;
}

/* Requests, where files would have bytes. */
static void show(void *payload, const char *what, uint64_t done, uint64_t total)
{
    fl_pulled *pulled = payload;
    fl_progress_show(pulled->progress, what, done, total);
}

static fl_status read_feed(void *payload, const fl_sink *sink, fl_error *err)
{
    const struct fl_pulled_feed *feed = payload;
    fl_pulled *all = feed->all;
    if (!all->is_done) {
        fl_status status = fl_gather(all->out, &all->request, sink, err);
        if (status != FL_OK)
            return status;
        all->is_done = true;
    }
    const fl_gathered *own = &all->out[feed->index];
    if (own->failures == 0)
        return FL_OK;
    if (own->failures == 1)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "%s", own->failure);
    return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "%.140s (and %llu more failures of %s)",
                   own->failure, (unsigned long long)own->failures - 1,
                   fl_source_kind_name(all->request.sources[feed->index].kind));
}

fl_status fl_pulled_init(fl_pulled *out, const fl_args *args, const fl_triage_request *request,
                         fl_progress *progress, fl_error *err)
{
    *out = (fl_pulled){.progress = progress};
    fl_status status = fl_pulled_sources_of(&out->sources, args, err);
    if (status != FL_OK || out->sources.count == 0)
        return status;
    status = fl_ranked_metrics_create(&out->ranked, request->roles, err);
    if (status != FL_OK)
        return status;
    int64_t before_ns = fl_args_duration(args, "before");
    assert(before_ns > 0 && request->window_ns > 0);
    out->request = (fl_gather_request){
        .sources = out->sources.items,
        .count = out->sources.count,
        .from_ns = request->at_ns > before_ns ? request->at_ns - before_ns : 0,
        .at_ns = request->at_ns,
        .to_ns = request->at_ns + request->window_ns,
        .service = request->service,
        .ranks = {.rank = fl_ranked_metrics_rank, .payload = out->ranked},
        .seed = (uint64_t)fl_time_now(),
        .progress = show,
        .payload = out,
    };
    for (size_t i = 0; i < out->sources.count; i++) {
        out->each[i] = (struct fl_pulled_feed){out, i};
        out->feeds[i] = (fl_triage_feed){.read = read_feed, .payload = &out->each[i]};
    }
    return FL_OK;
}

void fl_pulled_dispose(fl_pulled *pulled)
{
    fl_ranked_metrics_destroy(pulled->ranked);
    pulled->ranked = NULL;
}

void fl_pulled_tell(const fl_pulled *pulled, fl_cli *cli)
{
    for (size_t i = 0; pulled->is_done && i < pulled->sources.count; i++)
        if (pulled->out[i].note[0] != '\0')
            fl_cli_complain(cli, "%s", pulled->out[i].note);
}
