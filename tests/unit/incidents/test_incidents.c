/*
 * The daemon's incidents, round by round, on a clock of the test. Both engines; where there is a
 * server, two daemons share it.
 */
#include "incidents.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "fl_store_place.h"
#include "graph_store.h"
#include "made_shop.h"
#include "mem.h"
#include "store.h"
#include "timestamp.h"

static const int64_t S = 1000000000;
static const int64_t begin_s = 1600000200; /* 12:30:00 */
enum { MINUTE = 60, HOUR = 3600 };

static fl_error err;
static fl_store_place place;
static fl_incidents *incidents;
static made_shop shop;
static int64_t now_ns;
static bool read_fails;

static int64_t tell_time(void *payload)
{
    (void)payload;
    return now_ns;
}

static fl_status read_shop(void *payload, int64_t from_ns, int64_t to_ns, const fl_sink *sink,
                           fl_error *e)
{
    (void)payload;
    if (read_fails)
        return fl_fail(e, FL_E_IO, FL_NO_OFFSET, "the disk is gone");
    made_shop_tell(&shop, from_ns, to_ns < now_ns ? to_ns : now_ns, sink);
    return FL_OK;
}

static fl_status read_none(void *payload, int64_t since_ns, const fl_sink *sink, fl_error *e)
{
    (void)payload;
    (void)since_ns;
    (void)sink;
    (void)e;
    return FL_OK;
}

static fl_incidents *start(const char *owner)
{
    fl_incidents *out;
    const fl_incidents_options options = {.store = place.url,
                                          .owner = owner,
                                          .read = read_shop,
                                          .now = tell_time,
                                          .has_no_thread = true};
    ck_assert_ok(fl_incidents_start(&out, &options, &err));
    return out;
}

static void setup(void)
{
    err = (fl_error){0};
    read_fails = false;
    fl_store_place_make(&place);
    shop = (made_shop){.begin_ns = (begin_s - HOUR) * S, .a_second = 2};
    now_ns = begin_s * S;
    incidents = start("one");
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_incidents_stop(incidents);
    fl_store_place_clear(&place);
}

struct pushed {
    const char *service, *name;
    uint64_t fingerprint;
    int64_t starts_ns;
    bool is_resolved;
    int64_t ends_ns; /* 0: now */
};

static fl_status replay_alert(const void *from, const fl_sink *sink, fl_error *e)
{
    const struct pushed *p = from;
    const fl_alert_record alert = {.fingerprint = p->fingerprint,
                                   .starts_ns = p->starts_ns,
                                   .ends_ns = !p->is_resolved   ? 0
                                              : p->ends_ns != 0 ? p->ends_ns
                                                                : now_ns,
                                   .is_resolved = p->is_resolved,
                                   .name = SLICE(p->name),
                                   .severity = SLICE("critical"),
                                   .service = SLICE(p->service)};
    return sink->alert(sink->payload, &alert, e);
}

static void push(fl_incidents *to, const char *service, uint64_t fingerprint, int64_t starts_s,
                 bool is_resolved)
{
    const struct pushed p = {service, "TooSlow", fingerprint, starts_s * S, is_resolved, 0};
    fl_incidents_take(to, replay_alert, &p);
}

/* So many seconds pass. */
static void pass(fl_incidents *in, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        now_ns += S;
        fl_incidents_turn(in);
    }
}

static fl_status list_row(const fl_store_row *row, void *payload, fl_error *e)
{
    (void)e;
    json_array_append_new(payload, json_pack("{s:s, s:s?, s:s?}", "id", row->id, "state",
                                             row->state, "service", row->service));
    return FL_OK;
}

/* What the API answers: the list of the store; a page out of memory, else of the store. */
static json_t *get(fl_incidents *from, const char *path, unsigned status)
{
    fl_store *store;
    char *document = NULL;
    fl_buf page = fl_buf_of(64 << 20);
    json_t *out = NULL;
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_EXISTING, &err));
    if (strcmp(path, "/v1/incidents") == 0) {
        json_t *rows = json_array();
        ck_assert_ok(fl_store_list(store, 0, list_row, rows, &err));
        out = json_pack("{s:o}", "incidents", rows);
    } else {
        const char *id = path + strlen("/v1/incidents/");
        if (!fl_incidents_page(from, id, &page) &&
            fl_store_get(store, id, &document, &err) == FL_OK)
            fl_buf_text(&page, document);
        err = (fl_error){0};
        ck_assert_uint_eq(page.len > 0 ? 200 : 404, status);
        json_error_t why;
        out = page.len > 0 ? json_loadb(page.ptr, page.len, 0, &why) : json_object();
        ck_assert_msg(out != NULL, "%s: line %d of %s", why.text, why.line, page.ptr);
    }
    fl_mem_free(document);
    fl_buf_dispose(&page);
    fl_store_close(store);
    return out;
}

static const char *text(const json_t *object, const char *key)
{
    const char *out = json_string_value(json_object_get(object, key));
    return out != NULL ? out : "-";
}

/* The id of the n-th that is listed. */
static void id_at(char out[64], fl_incidents *from, size_t n)
{
    json_t *list = get(from, "/v1/incidents", 200);
    const json_t *row = json_array_get(json_object_get(list, "incidents"), n);
    ck_assert_msg(row != NULL, "there is no incident %zu", n);
    snprintf(out, 64, "%s", text(row, "id"));
    json_decref(list);
}

static size_t count_of(fl_incidents *from, const char *state)
{
    size_t count = 0, i;
    json_t *list = get(from, "/v1/incidents", 200), *row;
    json_array_foreach(json_object_get(list, "incidents"), i, row) count +=
        strcmp(text(row, "state"), state) == 0;
    json_decref(list);
    return count;
}

static json_t *page_of(fl_incidents *from, const char *id)
{
    char path[96];
    snprintf(path, sizeof(path), "/v1/incidents/%s", id);
    return get(from, path, 200);
}

START_TEST(an_alert_opens_an_incident_whose_page_is_there_at_once)
{
    char id[64];
    push(incidents, "storefront", 1, begin_s - 30, false);
    fl_incidents_turn(incidents);
    id_at(id, incidents, 0);
    json_t *page = page_of(incidents, id), *live = json_object_get(page, "live");
    ck_assert_str_eq(text(page, "schema"), "faultline.triage/1");
    ck_assert_str_eq(text(live, "state"), "open");
    ck_assert_str_eq(text(live, "trouble_at"), "storefront");
    const json_t *sign = json_array_get(json_object_get(live, "signs"), 0);
    ck_assert_str_eq(text(sign, "name"), "TooSlow");
    ck_assert_str_eq(text(sign, "why"), "first");
    ck_assert_str_eq(text(sign, "reason"), "it opened the incident");
    ck_assert_str_eq(text(json_object_get(page, "incident"), "id"), id);
    json_decref(page);
}
END_TEST

START_TEST(a_triage_finds_the_cause_and_callers_belong_to_it)
{
    char id[64];
    shop.broken_from_ns = begin_s * S;
    shop.broken_to_ns = INT64_MAX;
    now_ns += 4 * MINUTE * S;
    push(incidents, "storefront", 1, begin_s + 60, false);
    fl_incidents_turn(incidents);
    id_at(id, incidents, 0);
    json_t *page = page_of(incidents, id), *live = json_object_get(page, "live");
    ck_assert_str_eq(text(page, "verdict"), "cause-found");
    const json_t *first = json_array_get(json_object_get(page, "hypotheses"), 0);
    ck_assert_str_eq(text(first, "service"), "stock");
    /* Who calls whom is known from before the start. */
    ck_assert_str_eq(text(live, "trouble_at"), "stock");
    json_decref(page);
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).triages_failed, 0);
}
END_TEST

START_TEST(what_is_drawn_of_a_triage_is_kept_under_the_incidents_id)
{
    char id[64], *drawn = NULL;
    fl_store *store = NULL;
    shop.broken_from_ns = begin_s * S;
    shop.broken_to_ns = INT64_MAX;
    now_ns += 4 * MINUTE * S;
    push(incidents, "storefront", 1, begin_s + 60, false);
    fl_incidents_turn(incidents);
    id_at(id, incidents, 0);
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_EXISTING, &err));
    ck_assert_ok(fl_store_get_picture(store, id, &drawn, &err));
    fl_store_close(store);
    json_t *picture = json_loads(drawn, 0, NULL);
    ck_assert_str_eq(text(picture, "schema"), "faultline.timeline/1");
    ck_assert_str_eq(text(picture, "incident"), id);
    const json_t *first = json_array_get(json_object_get(picture, "lanes"), 0);
    ck_assert_str_eq(text(first, "service"), "storefront");
    ck_assert(json_is_true(json_object_get(first, "entry")));
    json_decref(picture);
    fl_mem_free(drawn);
}
END_TEST

static fl_status replay_shop(const void *from, const fl_sink *sink, fl_error *e)
{
    (void)e;
    made_shop_tell(&shop, *(const int64_t *)from, now_ns, sink);
    return FL_OK;
}

/* So many seconds of the shop's telemetry, as it comes. */
static void live_on(fl_incidents *in, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        int64_t from = now_ns;
        now_ns += S;
        fl_incidents_take(in, replay_shop, &from);
        fl_incidents_turn(in);
    }
}

static fl_status count_symptom(const fl_graph_node *row, void *payload, fl_error *e)
{
    (void)e;
    *(size_t *)payload += row->kind == FL_NODE_SYMPTOM;
    return FL_OK;
}

START_TEST(a_break_opens_an_incident_that_is_triaged_and_closes)
{
    char id[64];
    shop.broken_from_ns = (begin_s + 20 * MINUTE) * S;
    shop.broken_to_ns = (begin_s + 26 * MINUTE) * S;
    live_on(incidents, 20 * MINUTE);
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).open, 0);
    live_on(incidents, 6 * MINUTE);
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).open, 1);
    id_at(id, incidents, 0);
    json_t *page = page_of(incidents, id), *live = json_object_get(page, "live");
    ck_assert_str_eq(text(page, "verdict"), "cause-found");
    ck_assert_str_eq(text(live, "trouble_at"), "stock");
    ck_assert(json_is_true(json_object_get(live, "is_diagnosed")));
    /* Errors and latency of the storefront are one incident. */
    ck_assert_int_ge(json_integer_value(json_object_get(live, "signs_total")), 2);
    json_decref(page);
    push(incidents, "stock", 9, begin_s + 25 * MINUTE, false);
    live_on(incidents, 1);
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).open, 1);
    push(incidents, "stock", 9, begin_s + 25 * MINUTE, true);
    live_on(incidents, 9 * MINUTE);
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).open, 0);
    ck_assert_uint_eq(count_of(incidents, "closed"), 1);
    page = page_of(incidents, id);
    live = json_object_get(page, "live");
    ck_assert_str_eq(text(live, "state"), "closed");
    ck_assert_str_ne(text(live, "closed"), "-");
    ck_assert_str_eq(text(page, "verdict"), "cause-found");
    json_decref(page);
    /* And the graph knows of it. */
    fl_store *store;
    size_t symptoms = 0;
    const fl_graph_question all = {.as_of_ns = FL_GRAPH_NOW};
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_EXISTING, &err));
    ck_assert_ok(fl_graph_nodes(store, &all, count_symptom, &symptoms, &err));
    ck_assert_uint_gt(symptoms, 0);
    fl_store_close(store);
}
END_TEST

START_TEST(what_is_open_is_open_after_a_restart)
{
    char id[64], again[64];
    push(incidents, "storefront", 1, begin_s - 30, false);
    push(incidents, "storefront", 2, begin_s - 20, false);
    pass(incidents, 3);
    id_at(id, incidents, 0);
    fl_incidents_stop(incidents);
    now_ns += 5 * S;
    incidents = start("one");
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).restored, 1);
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).signs, 2);
    push(incidents, "storefront", 1, begin_s - 30, false); /* told again: no news */
    pass(incidents, 2);
    id_at(again, incidents, 0);
    ck_assert_str_eq(again, id);
    ck_assert_uint_eq(count_of(incidents, "open"), 1);
    push(incidents, "storefront", 1, begin_s - 30, true);
    push(incidents, "storefront", 2, begin_s - 20, true);
    pass(incidents, 6 * MINUTE);
    ck_assert_uint_eq(count_of(incidents, "closed"), 1);
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).open, 0);
}
END_TEST

START_TEST(a_restart_in_the_middle_of_a_break_goes_on_with_it)
{
    char id[64], again[64];
    shop.broken_from_ns = (begin_s + 2 * MINUTE) * S;
    shop.broken_to_ns = (begin_s + 9 * MINUTE) * S;
    live_on(incidents, 6 * MINUTE); /* two hours of the past are known from the start on */
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).open, 1);
    id_at(id, incidents, 0);
    fl_incidents_stop(incidents);
    now_ns += 20 * S;
    incidents = start("one");
    ck_assert(fl_incidents_stats_of(incidents).is_refilling);
    live_on(incidents, 2 * MINUTE);
    const fl_incidents_stats stats = fl_incidents_stats_of(incidents);
    ck_assert(!stats.is_refilling);
    ck_assert_int_le(stats.refilled_from_ns, (begin_s - HOUR) * S);
    ck_assert_uint_gt(stats.refilled_records, 1000);
    ck_assert_uint_eq(stats.open, 1);
    ck_assert_uint_eq(stats.breaks, 0); /* it is the same as before */
    live_on(incidents, 9 * MINUTE);
    id_at(again, incidents, 0);
    ck_assert_str_eq(again, id);
    ck_assert_uint_eq(count_of(incidents, "closed"), 1);
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).open, 0);
}
END_TEST

START_TEST(a_past_that_cannot_be_read_leaves_a_watch_that_learns)
{
    fl_incidents_stop(incidents);
    read_fails = true;
    const fl_incidents_options options = {.store = place.url,
                                          .owner = "one",
                                          .read = read_shop,
                                          .read_recent = read_none,
                                          .now = tell_time,
                                          .has_no_thread = true};
    ck_assert_ok(fl_incidents_start(&incidents, &options, &err));
    live_on(incidents, 1);
    ck_assert(!fl_incidents_stats_of(incidents).is_refilling);
    ck_assert_int_eq(fl_incidents_stats_of(incidents).refilled_from_ns, 0);
    read_fails = false;
    shop.broken_from_ns = (begin_s + 25 * MINUTE) * S;
    shop.broken_to_ns = INT64_MAX;
    live_on(incidents, 30 * MINUTE);
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).open, 1);
}
END_TEST

/* One began hours ago and is still firing, one came and went just now, and one is long over. */
static fl_status read_alerts(void *payload, int64_t since_ns, const fl_sink *sink, fl_error *e)
{
    const int64_t over_s = begin_s - 301; /* the quiet time ago */
    const struct pushed told[] = {
        {"storefront", "TooSlow", 1, (begin_s - 5 * HOUR) * S, false, 0},
        {"storefront", "TooSlow", 2, (begin_s - 5 * HOUR) * S, false, 0},
        {"storefront", "TooSlow", 2, (begin_s - 5 * HOUR) * S, true, (begin_s - 10) * S},
        {"mail", "TooSlow", 3, (begin_s - 400) * S, false, 0},
        {"mail", "TooSlow", 3, (begin_s - 400) * S, true, over_s * S}};
    (void)payload;
    ck_assert_int_lt(since_ns, now_ns);
    fl_status status = FL_OK;
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]) && status == FL_OK; i++)
        status = replay_alert(&told[i], sink, e);
    return status;
}

START_TEST(alerts_that_were_accepted_and_on_no_page_are_told_again)
{
    char id[64];
    const fl_incidents_options options = {.store = place.url,
                                          .owner = "one",
                                          .read = read_shop,
                                          .read_recent = read_alerts,
                                          .now = tell_time,
                                          .has_no_thread = true};
    fl_incidents_stop(incidents);
    ck_assert_ok(fl_incidents_start(&incidents, &options, &err));
    pass(incidents, 2);
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).open, 1);
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).signs, 2);
    id_at(id, incidents, 0);
    json_t *page = page_of(incidents, id), *live = json_object_get(page, "live");
    ck_assert_str_eq(text(live, "trouble_at"), "storefront");
    ck_assert_int_eq(json_integer_value(json_object_get(live, "signs_lasting")), 1);
    json_decref(page);
}
END_TEST

START_TEST(a_long_list_shows_what_was_first_and_what_is_new)
{
    enum { MANY = 450, LISTED = 200 };
    char id[64];
    for (uint64_t n = 0; n < MANY; n++)
        push(incidents, "storefront", n + 1, begin_s - 1000 + (int64_t)n, false);
    pass(incidents, 2);
    id_at(id, incidents, 0);
    json_t *page = page_of(incidents, id), *live = json_object_get(page, "live");
    const json_t *signs = json_object_get(live, "signs");
    ck_assert_int_eq(json_integer_value(json_object_get(live, "signs_total")), MANY);
    ck_assert_uint_eq(json_array_size(signs), LISTED);
    for (size_t i = 0; i < LISTED; i++) {
        char onset[FL_TIME_TEXT];
        int64_t n = (int64_t)(i < LISTED / 2 ? i : MANY - LISTED + i);
        fl_time_format(onset, (begin_s - 1000 + n) * S);
        ck_assert_str_eq(text(json_array_get(signs, i), "onset"), onset);
    }
    json_decref(page);
}
END_TEST

static void note_open(void *payload, const fl_incidents_open *open)
{
    fl_incidents_open *out = payload;
    ck_assert_str_ne(open->id, "");
    *out = *open;
}

START_TEST(what_is_open_is_told_with_its_cause_also_after_a_restart)
{
    fl_incidents_open open = {0};
    shop.broken_from_ns = begin_s * S;
    shop.broken_to_ns = INT64_MAX;
    now_ns += 4 * MINUTE * S;
    ck_assert_uint_eq(fl_incidents_visit(incidents, 10, note_open, &open), 0);
    push(incidents, "storefront", 1, begin_s + 60, false);
    pass(incidents, 2);
    for (int round = 0; round < 2; round++) {
        ck_assert_uint_eq(fl_incidents_visit(incidents, 0, note_open, &open), 1);
        ck_assert_uint_eq(fl_incidents_visit(incidents, 10, note_open, &open), 1);
        ck_assert_str_eq(open.verdict, "cause-found");
        ck_assert_str_eq(open.service, "stock");
        ck_assert_double_gt(open.probability, 0.5);
        ck_assert_uint_eq(open.signs, 1);
        ck_assert_int_eq(open.onset_ns, (begin_s + 60) * S);
        fl_incidents_stop(incidents);
        now_ns += S;
        incidents = start("one");
    }
}
END_TEST

START_TEST(an_incident_that_is_part_of_another_says_so)
{
    char path[128];
    live_on(incidents, 3 * MINUTE); /* who calls whom */
    push(incidents, "mail", 1, begin_s + 100, false);
    push(incidents, "stock", 2, begin_s + 101, false);
    pass(incidents, 2);
    ck_assert_uint_eq(count_of(incidents, "open"), 2);
    push(incidents, "storefront", 3, begin_s + 110, false);
    pass(incidents, 2);
    /* The storefront calls both: it goes with one, and the two stay two. */
    ck_assert_uint_eq(count_of(incidents, "open"), 2);
    json_t *list = get(incidents, "/v1/incidents", 200);
    size_t with_store = 0, i;
    json_t *row;
    json_array_foreach(json_object_get(list, "incidents"), i, row)
    {
        snprintf(path, sizeof(path), "/v1/incidents/%s", text(row, "id"));
        json_t *page = get(incidents, path, 200);
        const json_t *signs = json_object_get(json_object_get(page, "live"), "signs");
        const json_t *last = json_array_get(signs, json_array_size(signs) - 1);
        if (strcmp(text(last, "service"), "storefront") == 0) {
            with_store++;
            ck_assert_str_eq(text(last, "why"), "calls");
            ck_assert_ptr_nonnull(strstr(text(last, "reason"), "storefront calls "));
        }
        json_decref(page);
    }
    ck_assert_uint_eq(with_store, 1);
    json_decref(list);
}
END_TEST

/* The one that is written first has signs of the other, whose row is still open, and lower. */
START_TEST(two_that_become_one_are_both_where_the_older_is)
{
    char id[64];
    fl_incidents_stop(incidents);
    read_fails = true; /* who calls whom is not known from before */
    const fl_incidents_options options = {.store = place.url,
                                          .owner = "one",
                                          .read = read_shop,
                                          .read_recent = read_none,
                                          .now = tell_time,
                                          .has_no_thread = true};
    ck_assert_ok(fl_incidents_start(&incidents, &options, &err));
    push(incidents, "stock", 1, begin_s - 10, false);
    pass(incidents, 2);
    push(incidents, "storefront", 2, begin_s - 40, false);
    pass(incidents, 2);
    ck_assert_uint_eq(count_of(incidents, "open"), 2);
    read_fails = false;
    shop.broken_from_ns = (begin_s - 60) * S;
    shop.broken_to_ns = INT64_MAX;
    live_on(incidents, 3 * MINUTE);
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).open, 1);
    ck_assert_uint_eq(count_of(incidents, "open"), 1);
    ck_assert_uint_eq(count_of(incidents, "merged"), 1);
    json_t *list = get(incidents, "/v1/incidents", 200), *row;
    size_t i;
    json_array_foreach(json_object_get(list, "incidents"), i, row)
    {
        if (strcmp(text(row, "state"), "open") == 0)
            snprintf(id, sizeof(id), "%s", text(row, "id"));
    }
    json_decref(list);
    json_t *page = page_of(incidents, id), *live = json_object_get(page, "live");
    ck_assert_str_eq(text(live, "state"), "open");
    ck_assert_int_ge(json_integer_value(json_object_get(live, "signs_total")), 2);
    json_decref(page);
}
END_TEST

START_TEST(telemetry_that_cannot_be_read_costs_the_triage_and_not_the_page)
{
    char id[64];
    read_fails = true;
    push(incidents, "storefront", 1, begin_s - 30, false);
    pass(incidents, 2);
    id_at(id, incidents, 0);
    json_t *page = page_of(incidents, id);
    ck_assert_str_eq(text(page, "verdict"), "no-confident-cause");
    ck_assert_str_eq(text(json_object_get(page, "live"), "state"), "open");
    json_decref(page);
}
END_TEST

START_TEST(ids_that_are_none_are_not_found)
{
    json_decref(get(incidents, "/v1/incidents/nothing", 404));
    json_decref(get(incidents, "/v1/incidents/../../etc", 404));
    json_t *list = get(incidents, "/v1/incidents", 200);
    ck_assert_uint_eq(json_array_size(json_object_get(list, "incidents")), 0);
    json_decref(list);
}
END_TEST

START_TEST(triages_are_few_however_many_alerts_come)
{
    for (int i = 0; i < 300; i++) {
        push(incidents, "storefront", (uint64_t)i + 1, begin_s - 30, false);
        now_ns += S / 10;
        fl_incidents_turn(incidents);
    }
    fl_incidents_stats stats = fl_incidents_stats_of(incidents);
    ck_assert_uint_eq(stats.signs_taken, 300);
    ck_assert_uint_eq(stats.signs, 300);
    ck_assert_uint_eq(stats.open, 1);
    ck_assert_uint_le(stats.triages, 16);
    ck_assert_uint_ge(stats.triages, 2);
}
END_TEST

START_TEST(two_daemons_that_hear_the_same_keep_it_once)
{
    char id[64];
    fl_incidents *other = start("two");
    push(incidents, "storefront", 1, begin_s - 30, false);
    push(other, "storefront", 1, begin_s - 30, false);
    for (int i = 0; i < 3; i++) {
        now_ns += S;
        fl_incidents_turn(incidents);
        fl_incidents_turn(other);
    }
    ck_assert_uint_eq(count_of(other, "open"), 1);
    ck_assert_uint_eq(fl_incidents_stats_of(other).merged, 1);
    uint64_t theirs = fl_incidents_stats_of(other).triages;
    id_at(id, other, 0);
    /* The first one dies without a word; when its lease is over the other goes on. */
    for (int i = 0; i < 60; i++) {
        now_ns += S;
        fl_incidents_turn(other);
    }
    ck_assert_uint_eq(fl_incidents_stats_of(other).claimed, 1);
    ck_assert_uint_gt(fl_incidents_stats_of(other).triages, theirs);
    push(other, "storefront", 1, begin_s - 30, true);
    for (int i = 0; i < 6 * MINUTE; i++) {
        now_ns += S;
        fl_incidents_turn(other);
    }
    ck_assert_uint_eq(count_of(other, "closed"), 1);
    ck_assert_uint_eq(count_of(other, "open"), 0);
    fl_incidents_stop(other);
}
END_TEST

/* Both see the same break, one of them half a minute later. */
START_TEST(a_break_that_was_claimed_closes_beside_an_own_one)
{
    fl_incidents *other = start("two");
    shop.broken_from_ns = (begin_s + 2 * MINUTE) * S;
    shop.broken_to_ns = (begin_s + 9 * MINUTE) * S;
    for (int i = 0; i < 18 * MINUTE; i++) {
        int64_t from = now_ns;
        now_ns += S;
        shop.broken_from_ns += 40 * S;
        fl_incidents_take(other, replay_shop, &from);
        shop.broken_from_ns -= 40 * S;
        fl_incidents_turn(other);
        if (i >= 7 * MINUTE) /* the first one dies without a word */
            continue;
        fl_incidents_take(incidents, replay_shop, &from);
        fl_incidents_turn(incidents);
    }
    ck_assert_uint_eq(fl_incidents_stats_of(other).claimed, 1);
    ck_assert_uint_gt(fl_incidents_stats_of(other).breaks, 0);
    ck_assert_uint_eq(fl_incidents_stats_of(other).open, 0);
    fl_incidents_stop(other);
}
END_TEST

/* Both threads run, four more push alerts of a rule each, one asks for pages. */
struct pusher {
    fl_incidents *to;
    uint64_t first;
};

static void *push_many(void *payload)
{
    const struct pusher *p = payload;
    for (uint64_t i = 0; i < 200; i++) {
        const struct pushed alert = {"storefront", "TooSlow", p->first + i, begin_s * S, false, 0};
        fl_incidents_take(p->to, replay_alert, &alert);
    }
    return NULL;
}

static fl_status read_nothing(void *payload, int64_t from_ns, int64_t to_ns, const fl_sink *sink,
                              fl_error *e)
{
    (void)payload, (void)from_ns, (void)to_ns, (void)sink, (void)e;
    return FL_OK;
}

START_TEST(many_threads_push_and_ask_while_two_keep)
{
    enum { PUSHERS = 4 };
    fl_incidents *threaded;
    pthread_t threads[PUSHERS];
    struct pusher pushers[PUSHERS];
    const fl_incidents_options options = {
        .store = place.url, .owner = "threads", .read = read_nothing};
    ck_assert_ok(fl_incidents_start(&threaded, &options, &err));
    for (int i = 0; i < PUSHERS; i++) {
        pushers[i] = (struct pusher){threaded, 1000 * (uint64_t)i + 1};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, push_many, &pushers[i]), 0);
    }
    for (int i = 0; i < 20; i++)
        (void)count_of(threaded, "open");
    for (int i = 0; i < PUSHERS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < 200 && fl_incidents_stats_of(threaded).signs < 200 * PUSHERS; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    ck_assert_uint_eq(fl_incidents_stats_of(threaded).signs, 200 * PUSHERS);
    ck_assert_uint_eq(fl_incidents_stats_of(threaded).open, 1);
    fl_incidents_stop(threaded);
    ck_assert_uint_eq(count_of(incidents, "open"), 1);
}
END_TEST

START_TEST(want_of_memory_loses_no_alert_that_was_taken)
{
    pass(incidents, 1); /* the past is told */
    for (long n = 0; n < 60; n += 3) {
        push(incidents, "storefront", (uint64_t)n + 1, begin_s - 30, false);
        now_ns += S;
        fl_mem_fail_after(n);
        fl_incidents_turn(incidents);
        fl_mem_fail_after(-1);
    }
    pass(incidents, 3);
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).signs, 20);
    ck_assert_uint_eq(count_of(incidents, "open"), 1);
}
END_TEST

START_TEST(a_start_that_runs_out_of_memory_says_so)
{
    for (long n = 0; n < 2000; n++) {
        fl_incidents *some = NULL;
        fl_error own = {0};
        const fl_incidents_options options = {.store = place.url,
                                              .owner = "three",
                                              .read = read_shop,
                                              .now = tell_time,
                                              .has_no_thread = true};
        read_fails = false;
        shop.begin_ns = INT64_MAX; /* no telemetry: its texts are checked elsewhere */
        fl_mem_fail_after(n);
        fl_status status = fl_incidents_start(&some, &options, &own);
        fl_mem_fail_after(-1);
        fl_incidents_stop(some);
        if (status == FL_OK)
            return;
        ck_assert_str_ne(own.message, "");
    }
    ck_abort_msg("it never succeeds");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("incidents");
    TCase *cases = tcase_create("incidents");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, an_alert_opens_an_incident_whose_page_is_there_at_once);
    tcase_add_test(cases, a_triage_finds_the_cause_and_callers_belong_to_it);
    tcase_add_test(cases, what_is_drawn_of_a_triage_is_kept_under_the_incidents_id);
    tcase_add_test(cases, a_break_opens_an_incident_that_is_triaged_and_closes);
    tcase_add_test(cases, what_is_open_is_open_after_a_restart);
    tcase_add_test(cases, a_restart_in_the_middle_of_a_break_goes_on_with_it);
    tcase_add_test(cases, a_past_that_cannot_be_read_leaves_a_watch_that_learns);
    tcase_add_test(cases, alerts_that_were_accepted_and_on_no_page_are_told_again);
    tcase_add_test(cases, a_long_list_shows_what_was_first_and_what_is_new);
    tcase_add_test(cases, what_is_open_is_told_with_its_cause_also_after_a_restart);
    tcase_add_test(cases, an_incident_that_is_part_of_another_says_so);
    tcase_add_test(cases, two_that_become_one_are_both_where_the_older_is);
    tcase_add_test(cases, telemetry_that_cannot_be_read_costs_the_triage_and_not_the_page);
    tcase_add_test(cases, ids_that_are_none_are_not_found);
    tcase_add_test(cases, triages_are_few_however_many_alerts_come);
    tcase_add_test(cases, two_daemons_that_hear_the_same_keep_it_once);
    tcase_add_test(cases, a_break_that_was_claimed_closes_beside_an_own_one);
    tcase_add_test(cases, many_threads_push_and_ask_while_two_keep);
    tcase_add_test(cases, want_of_memory_loses_no_alert_that_was_taken);
    tcase_add_test(cases, a_start_that_runs_out_of_memory_says_so);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
