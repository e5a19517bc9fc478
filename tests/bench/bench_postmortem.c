/*
 * bench_postmortem.c - what is drawn of an incident of 45 minutes, and its postmortem.
 *
 *     bench_postmortem [ROUNDS]
 *
 * (default 20). The telemetry is made up: an hour of baseline and 45 minutes of incident, 20
 * services of which one calls all others in each of two requests a second, and 20 metrics of each;
 * one service is slow and fails in the incident, and the metrics of four rise. Timed are the
 * picture (lanes, events, calls), its JSON, keeping it in a new SQLite file, the draft as HTML with
 * 30 charts from the store, and the page of `show`: the median and the worst of the rounds, of the
 * processor's time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "faultline/triage.h"
#include "mem.h"
#include "postmortem.h"
#include "report.h"
#include "report_picture.h"
#include "shown.h"
#include "slice.h"
#include "store.h"
#include "timestamp.h"

enum { SERVICES = 20, METRICS = 20, MINUTES_BEFORE = 60, MINUTES = 45, MOST_ROUNDS = 1000 };
#define AT_NS (INT64_C(1700000000) * FL_NS_PER_S)

static char names[SERVICES][16], metrics[METRICS][24];

static void fail(const char *what, const fl_error *err)
{
    fprintf(stderr, "bench_postmortem: %s: %s\n", what, err->message);
    exit(EXIT_FAILURE);
}

static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* One request: the first service calls the others one after the other. */
static fl_status push_request(const fl_sink *sink, const uint32_t *handles, int64_t at_ns,
                              uint64_t *state, fl_error *err)
{
    static uint64_t id;
    bool is_bad = at_ns >= AT_NS;
    fl_span root = {.trace = {++id, 1},
                    .id = id * 64,
                    .name = fl_slice_of("POST /order"),
                    .kind = FL_SPAN_SERVER,
                    .start_ns = at_ns,
                    .is_error = is_bad && next(state) % 3 == 0};
    int64_t end = at_ns;
    fl_status status = FL_OK;
    for (uint32_t s = 1; s < SERVICES && status == FL_OK; s++) {
        int64_t took = (int64_t)(2000000 + next(state) % 1000000) * (is_bad && s == 7 ? 40 : 1);
        fl_span client = root, server = root;
        client.id = root.id + 2 * s;
        client.parent = root.id;
        client.kind = FL_SPAN_CLIENT;
        client.name = server.name = fl_slice_of("call");
        client.start_ns = end;
        client.end_ns = end + took + 500000;
        client.is_error = server.is_error = root.is_error && s == 7;
        server.id = client.id + 1;
        server.parent = client.id;
        server.start_ns = end + 200000;
        server.end_ns = server.start_ns + took;
        end = client.end_ns;
        status = sink->span(sink->payload, handles[0], &client, err);
        if (status == FL_OK)
            status = sink->span(sink->payload, handles[s], &server, err);
    }
    root.end_ns = end + 1000000;
    return status == FL_OK ? sink->span(sink->payload, handles[0], &root, err) : status;
}

static fl_status push_metrics(const fl_sink *sink, const uint32_t *handles, int64_t at_ns,
                              uint64_t *state, fl_error *err)
{
    fl_status status = FL_OK;
    for (uint32_t i = 0; i < SERVICES * METRICS && status == FL_OK; i++) {
        bool is_bad = at_ns >= AT_NS && i / METRICS >= 7 && i / METRICS < 11;
        fl_point point = {.metric = fl_slice_of(metrics[i % METRICS]),
                          .kind = FL_POINT_GAUGE,
                          .time_ns = at_ns,
                          .value = (double)(100 + next(state) % 20) * (is_bad ? 8 : 1)};
        status = sink->point(sink->payload, handles[i / METRICS], &point, err);
    }
    return status;
}

static fl_status push_all(void *payload, const fl_sink *sink, fl_error *err)
{
    uint32_t handles[SERVICES];
    uint64_t state = 1;
    fl_status status = FL_OK;
    (void)payload;
    for (size_t s = 0; s < SERVICES && status == FL_OK; s++) {
        fl_resource resource = {.service = fl_slice_of(names[s])};
        status = sink->resource(sink->payload, &resource, &handles[s], err);
    }
    for (int64_t second = -60 * MINUTES_BEFORE; second < 60 * MINUTES && status == FL_OK;
         second++) {
        int64_t at_ns = AT_NS + second * FL_NS_PER_S;
        for (int i = 0; i < 2 && status == FL_OK; i++)
            status = push_request(sink, handles, at_ns + i * 400000000, &state, err);
        if (second % 60 == 0 && status == FL_OK)
            status = push_metrics(sink, handles, at_ns, &state, err);
    }
    return status;
}

static int compare_times(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static void tell(const char *what, double *ms, size_t count)
{
    qsort(ms, count, sizeof(*ms), compare_times);
    printf("%-40s %8.2f ms median %8.2f ms worst\n", what, ms[count / 2], ms[count - 1]);
}

/* The processor's time of this thread: other programs do not count. */
static int64_t clock_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * FL_NS_PER_S + now.tv_nsec;
}

static double since(int64_t began_ns)
{
    return (double)(clock_ns() - began_ns) / 1e6;
}

static void draw(fl_store *store, size_t rounds)
{
    static double drawn[MOST_ROUNDS], written[MOST_ROUNDS], kept[MOST_ROUNDS];
    fl_error err = {0};
    const fl_triage_feed feed = {.read = push_all};
    const fl_triage_request request = {
        .feeds = &feed, .feed_count = 1, .at_ns = AT_NS, .window_ns = MINUTES * 60 * FL_NS_PER_S};
    fl_triage *triage = NULL;
    const fl_picture *picture = NULL;
    size_t bytes = 0;
    fl_buf text = fl_buf_of(FL_MAX_PICTURE_BYTES), document = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    for (size_t i = 0; i < rounds; i++) {
        fl_triage_destroy(triage);
        if (fl_triage_run(&triage, &request, &err) != FL_OK)
            fail("triage", &err);
        int64_t began = clock_ns();
        if (fl_triage_picture(&picture, triage, &err) != FL_OK)
            fail("picture", &err);
        drawn[i] = since(began);
        began = clock_ns();
        fl_buf_clear(&text);
        if (fl_report_picture_json(&text, picture, &err) != FL_OK)
            fail("picture", &err);
        written[i] = since(began);
        began = clock_ns();
        if (fl_store_put_picture(store, picture->incident, fl_buf_slice(&text), &err) != FL_OK)
            fail("store", &err);
        kept[i] = since(began);
        bytes = text.len;
    }
    const fl_incident *incident = fl_triage_incident(triage);
    printf("%zu spans, %zu lanes (%zu left out) of %zu steps, %zu calls; %zu KB of JSON\n",
           (size_t)incident->trace_spans, picture->lane_count, picture->lanes_left_out,
           picture->step_count, picture->call_count, bytes / 1000);
    tell("picture of a triage", drawn, rounds);
    tell("its JSON", written, rounds);
    tell("compressed, into SQLite", kept, rounds);
    if (fl_report_json(&document, incident, &err) != FL_OK ||
        fl_store_put(store, incident, fl_buf_slice(&document), AT_NS, &err) != FL_OK)
        fail("store", &err);
    fl_triage_destroy(triage);
    fl_buf_dispose(&text);
    fl_buf_dispose(&document);
}

static void write_drafts(fl_store *store, size_t rounds)
{
    static double html[MOST_ROUNDS];
    fl_error err = {0};
    char *document = NULL;
    size_t bytes = 0, charts = 0;
    const fl_postmortem_options options = {.format = FL_POSTMORTEM_HTML};
    if (fl_store_get(store, "20", &document, &err) != FL_OK)
        fail("store", &err);
    for (size_t i = 0; i < rounds; i++) {
        fl_buf out = fl_buf_of(FL_MAX_POSTMORTEM_BYTES);
        int64_t began = clock_ns();
        if (fl_postmortem_of(&out, store, document, &options, AT_NS, &err) != FL_OK)
            fail("postmortem", &err);
        html[i] = since(began);
        bytes = out.len;
        charts = 0;
        for (const char *at = strstr(out.ptr, "<figure>"); at != NULL;
             at = strstr(at + 1, "<figure>"))
            charts++;
        fl_buf_dispose(&out);
    }
    printf("HTML of %zu KB with %zu charts and the overview\n", bytes / 1000, charts);
    tell("postmortem from the store, HTML", html, rounds);
    fl_mem_free(document);
}

/* What `show` does, without starting a process and opening the store. */
static void write_pages(fl_store *store, size_t rounds)
{
    static double page[MOST_ROUNDS];
    fl_error err = {0};
    char *document = NULL;
    size_t bytes = 0;
    const fl_report_style style = {.width = 200, .unicode = true, .color = true};
    if (fl_store_get(store, "20", &document, &err) != FL_OK)
        fail("store", &err);
    for (size_t i = 0; i < rounds; i++) {
        fl_buf out = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
        char *picture = NULL;
        int64_t began = clock_ns();
        if (fl_shown_picture(&picture, store, document, &err) != FL_OK ||
            fl_shown_text(&out, &(fl_shown){.document = document, .picture = picture}, &style,
                          &err) != FL_OK)
            fail("page", &err);
        page[i] = since(began);
        bytes = out.len;
        fl_buf_dispose(&out);
        fl_mem_free(picture);
    }
    printf("page of %zu bytes\n", bytes);
    tell("page of show, 200 columns, with rows", page, rounds);
    fl_mem_free(document);
}

int main(int argc, char **argv)
{
    fl_error err = {0};
    fl_store *store = NULL;
    char path[] = "/tmp/bench_postmortem_XXXXXX", command[64];
    size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 20;
    if (rounds == 0 || rounds > MOST_ROUNDS || mkdtemp(path) == NULL)
        return EXIT_FAILURE;
    for (int i = 0; i < SERVICES; i++)
        (void)snprintf(names[i], sizeof(names[i]), "service-%02d", i);
    for (int i = 0; i < METRICS; i++)
        (void)snprintf(metrics[i], sizeof(metrics[i]), "made_metric_%02d", i);
    char file[64];
    (void)snprintf(file, sizeof(file), "%s/store.db", path);
    if (fl_store_open(&store, file, FL_STORE_CREATE, &err) != FL_OK)
        fail("store", &err);
    draw(store, rounds);
    write_drafts(store, rounds);
    write_pages(store, rounds);
    fl_store_close(store);
    (void)snprintf(command, sizeof(command), "rm -rf %s", path);
    return system(command) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
