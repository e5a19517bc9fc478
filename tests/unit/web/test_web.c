#include "web.h"

#include <math.h>
#include <string.h>

#include "fl_kept.h"
#include "fl_store_place.h"
#include "fl_test.h"
#include "mem.h"
#include "report.h"
#include "report_picture.h"
#include "slice.h"
#include "timestamp.h"
#include "web_priv.h"

#define AT  (INT64_C(1700000000) * FL_NS_PER_S)
#define MIN (60 * FL_NS_PER_S)

static fl_store_place place;
static fl_error err;
static fl_web *web;
static fl_store *store;
static fl_http_reply reply;

static int64_t clock_of(void *payload)
{
    (void)payload;
    return AT + 3 * 60 * MIN;
}

static void setup(void)
{
    err = (fl_error){0};
    fl_store_place_make(&place);
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
    ck_assert_ok(fl_web_create(&web, &(fl_web_options){.store = place.url, .now = clock_of}, &err));
    fl_http_reply_init(&reply);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_http_reply_dispose(&reply);
    fl_web_destroy(web);
    fl_store_close(store);
    fl_store_place_clear(&place);
}

static void ask_with(fl_http_handler *run, const char *path, const fl_http_field *parameters,
                     size_t count)
{
    const fl_http_request request = {
        .method = "GET", .path = path, .parameters = parameters, .parameter_count = count};
    fl_http_reply_dispose(&reply);
    fl_http_reply_init(&reply);
    run(web, &request, &reply);
}

static void ask(fl_http_handler *run, const char *path)
{
    ask_with(run, path, NULL, 0);
}

static bool says(const char *text)
{
    return reply.body.ptr != NULL && strstr(reply.body.ptr, text) != NULL;
}

/* ---- what is stored ---- */

static const fl_evidence evidence[] = {
    {.modality = FL_MODALITY_METRICS,
     .text = "cpu of <bank> is 90 %",
     .at_ns = AT,
     .value = 90,
     .baseline = 10,
     .unit = "%",
     .query = "cpu{service=\"bank\"}",
     .weight_nats = 20},
    {.modality = FL_MODALITY_LOGS,
     .against = true,
     .text = "no line of it",
     .value = NAN,
     .baseline = NAN,
     .weight_nats = -1},
};
static const fl_hypothesis hypotheses[] = {
    {.rank = 1,
     .service = "bank",
     .cause = FL_CAUSE_CPU,
     .locus = FL_LOCUS_METRIC,
     .locus_name = "cpu",
     .score = 20,
     .probability = 0.98,
     .onset = {AT, AT - MIN, AT + MIN},
     .evidence = evidence,
     .evidence_count = 2},
    {.rank = 2,
     .cause = FL_CAUSE_UNKNOWN,
     .locus = FL_LOCUS_METRIC,
     .score = 1,
     .probability = 0.01},
};
static const fl_ruled_out ruled_out[] = {{.service = "shop", .text = "it only waits"}};
static const fl_clock_skew clocks[] = {
    {.service = "bank", .offset_ns = -5 * FL_NS_PER_MS, .error_ns = FL_NS_PER_MS, .calls = 7}};
static const char *const warnings[] = {"1", "2", "3", "4", "5", "6", "7"};

static fl_incident made(const char *id)
{
    return (fl_incident){.id = id,
                         .at_ns = AT,
                         .window = {AT, AT + 5 * MIN},
                         .baseline = {AT - 60 * MIN, AT},
                         .onset = {AT, AT - MIN, AT + MIN},
                         .metric_series = 12345,
                         .missing = {[FL_MODALITY_TRACES] = true},
                         .verdict = FL_VERDICT_CAUSE_FOUND,
                         .hypotheses = hypotheses,
                         .hypothesis_count = 2,
                         .ruled_out = ruled_out,
                         .ruled_out_count = 1,
                         .clocks = clocks,
                         .clock_count = 1,
                         .warnings = warnings,
                         .warning_count = 7};
}

static void keep(const fl_incident *incident, const fl_picture *picture)
{
    fl_buf out = fl_buf_of(1 << 20);
    ck_assert_ok(fl_report_json(&out, incident, &err));
    ck_assert_ok(fl_store_put(store, incident, fl_buf_slice(&out), AT, &err));
    fl_buf_clear(&out);
    if (picture != NULL) {
        ck_assert_ok(fl_report_picture_json(&out, picture, &err));
        ck_assert_ok(fl_store_put_picture(store, incident->id, fl_buf_slice(&out), &err));
    }
    fl_buf_dispose(&out);
}

enum { STEPS = 6 };
static const double rising[STEPS] = {10, 11, NAN, 10, 90, 95},
                    nothing[STEPS] = {NAN, NAN, NAN, NAN, NAN, NAN},
                    wild[STEPS] = {-1e300, 1e300, NAN, 0, 1e-300, NAN};
static const fl_lane lanes[] = {
    {.kind = FL_PICTURE_METRIC,
     .service = "bank",
     .name = "cpu",
     .unit = "%",
     .role = "cpu",
     .why = "evidence for hypothesis 1",
     .query = "cpu{service=\"bank\"}",
     .usual = 10,
     .usual_low = 9,
     .usual_high = 12,
     .deviations = 40,
     .values = rising},
    {.kind = FL_PICTURE_LOG,
     .service = "bank",
     .name = "silent",
     .unit = "1",
     .role = "other",
     .why = "silent",
     .query = "q",
     .usual = NAN,
     .usual_low = NAN,
     .usual_high = NAN,
     .deviations = NAN,
     .values = nothing},
    {.kind = FL_PICTURE_TRACE,
     .service = "bank",
     .name = "wild",
     .unit = "ms",
     .role = "latency",
     .why = "wild",
     .query = "r",
     .usual = 0,
     .usual_low = -1e300,
     .usual_high = 1e300,
     .deviations = 99,
     .values = wild},
};
static const fl_picture_event events[] = {
    {.at_ns = AT - 600 * MIN, .kind = FL_PICTURE_CHANGE, .text = "long before"},
    {.at_ns = AT,
     .until_ns = AT + 600 * MIN,
     .kind = FL_PICTURE_ALERT,
     .service = "shop",
     .text = "fires"},
};
static const fl_picture_call calls[] = {
    {"shop", "bank", true, {100, 0, 10, 10, 20, 1}, {100, 50, 10, 10, 20, 1}},
    {"web", "shop", true, {100, 0, 10, 10, 20, 1}, {100, 0, 10, 30, 60, 1}},
    {"bank", "disk", true, {100, 0, 10, 10, 20, 1}, {100, 0, 10, 30, 60, 20}},
    {"bank", "mail", true, {100, 0, 10, 10, 20, 1}, {0, 0, 0, 0, 0, 0}},
    {"bank", "bank", true, {1, 0, 1, 1, 1, 0}, {1, 0, 1, 1, 1, 0}},
    {"shop", "web", false, {0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}},
};

static fl_picture drawn(const char *id, int64_t step_ns)
{
    return (fl_picture){.incident = id,
                        .at_ns = AT,
                        .from_ns = AT - 4 * step_ns,
                        .step_ns = step_ns,
                        .step_count = STEPS,
                        .window = {AT, AT + 2 * step_ns},
                        .baseline = {AT - 4 * step_ns, AT},
                        .onset = {AT, AT - MIN, AT + MIN},
                        .spans_kept = 1,
                        .logs_kept = 1,
                        .lanes = lanes,
                        .lane_count = 3,
                        .lanes_left_out = 4,
                        .events = events,
                        .event_count = 2,
                        .calls = calls,
                        .call_count = 6};
}

/* ---- pages ---- */

START_TEST(the_list_has_each_incident_once)
{
    fl_incident one = made("made-1"), two = made("made-2");
    two.verdict = FL_VERDICT_NO_CONFIDENT_CAUSE;
    ask(web_list, "/");
    ck_assert_int_eq(reply.status, 200);
    ck_assert(says("No incident is stored yet"));
    keep(&one, NULL);
    keep(&two, NULL);
    ask(web_list, "/");
    ck_assert(says("/incidents/made-1") && says("/incidents/made-2"));
    ck_assert(says("<b>bank</b> <span class=\"cause\">cpu</span>"));
    ck_assert(says("no confident cause; perhaps bank"));
    ck_assert(says(">98 %</span>") && says("3 h"));
    ask_with(web_list, "/", &(fl_http_field){"service", "other"}, 1);
    ck_assert(says("There is none of these"));
    ask_with(web_list, "/", &(fl_http_field){"after", "99999999999999999999.x"}, 1);
    ck_assert_int_eq(reply.status, 400);
}
END_TEST

START_TEST(an_incident_is_told_with_its_picture)
{
    const fl_incident incident = made("made-1");
    const fl_picture picture = drawn("made-1", MIN);
    keep(&incident, &picture);
    ask(web_incident, "/incidents/made");
    ck_assert_int_eq(reply.status, 200);
    ck_assert(says("<h1>bank <span class=\"cause\">cpu</span> <span class=\"sure\">98 %</span>"));
    ck_assert(says("cpu of &lt;bank&gt; is 90 %") && says("href=\"#lane-0\""));
    ck_assert(says("Missing</dt><dd class=\"warn\">traces"));
    ck_assert(says("12,345 metric series") && says("it only waits") && says("5.0 ms behind"));
    ck_assert(says("<summary>2 more</summary>"));
    /* 10, 11, a gap, 10, 90, 95, on an axis from 0 to 95. */
    ck_assert(says("d=\"M0.5 86l0 0 1-1 M3.5 86l0 0 1-77 1-5 \""));
    ck_assert(says("4 series stood out too") == false); /* all lanes are seen at once */
    ck_assert(says("class=\"call errors\"") && says("0 % \xE2\x86\x92 50 % errors"));
    ck_assert(says("class=\"call slow\"") && says("class=\"call network\"") &&
              says("class=\"call gone\""));
    ck_assert(says("not traced"));
    ask(web_incident, "/incidents/made-1/timeline.json");
    ck_assert_str_eq(reply.content_type, "application/json");
    ck_assert(says("faultline.timeline/1"));
}
END_TEST

START_TEST(who_keeps_what_was_found_is_a_list_in_lists)
{
    keep(&fl_test_kept_incident, NULL);
    ask(web_incident, "/incidents/kept");
    ck_assert_uint_eq(reply.status, 200);
    ck_assert(says("<summary>Who keeps it; what is new since the first dump is red</summary>"));
    ck_assert(says("<code>the heap</code> <span class=\"dim\">17.3 MB, 4.1 MB before; 80,211"));
    ck_assert(says("<span class=\"dim\">(2 steps) </span><code>class shop.Cache</code>"));
    ck_assert(says("<rect class=\"grown\" width=\"75.7\" height=\"8\"/>"));
    ck_assert(says("<code>shop.&lt;script&gt;`auto:F1`\xEF\xBF\xBD[31m\xEF\xBF\xBD|*x*</code>"));
    ck_assert(says("<rect class=\"grown\" width=\"100.0\" height=\"8\"/>"));
    ck_assert(says("</li></ul></li></ul></li></ul></li></ul></details>"));
}
END_TEST

START_TEST(evidence_leads_to_the_tools_that_are_configured)
{
    const fl_incident incident = made("made-1");
    keep(&incident, NULL);
    ask(web_incident, "/incidents/made-1");
    ck_assert(!says("Prometheus"));
    fl_web_destroy(web);
    const fl_web_options options = {
        .store = place.url, .now = clock_of, .prometheus = "http://p", .jaeger = "http://j"};
    ck_assert_ok(fl_web_create(&web, &options, &err));
    ask(web_incident, "/incidents/made-1");
    ck_assert(says("href=\"http://p/graph?g0.expr=cpu%7Bservice%3D%22bank%22%7D&amp;g0.tab=0&amp;"
                   "g0.range_input=1h&amp;g0.end_input=2023-11-14%2022%3A43%3A20\""));
    ck_assert(!says("http://j") && !says("Grafana"));
}
END_TEST

/* Evidence of half an hour on each side, lanes as far as they go. */
START_TEST(queries_lead_to_grafana_by_its_data_sources)
{
    fl_incident incident = made("made-1");
    fl_picture picture = drawn("made-1", MIN);
    keep(&incident, &picture);
    fl_web_destroy(web);
    const fl_web_options options = {.store = place.url,
                                    .now = clock_of,
                                    .grafana = "https://g/at",
                                    .grafana_prometheus = "p\"<1>",
                                    .grafana_tempo = "t"};
    ck_assert_ok(fl_web_create(&web, &options, &err));
    ask(web_incident, "/incidents/made-1");
    ck_assert_int_eq(reply.status, 200);
    ck_assert(
        says("href=\"https://g/at/explore?schemaVersion=1&amp;orgId=1&amp;panes=%7B%22a%22%3A%7B"
             "%22datasource%22%3A%22p%5C%22%3C1%3E%22%2C%22queries%22%3A%5B%7B%22refId%22%3A"
             "%22A%22%2C%22datasource%22%3A%7B%22type%22%3A%22prometheus%22%2C%22uid%22%3A"
             "%22p%5C%22%3C1%3E%22%7D%2C%22expr%22%3A%22cpu%7Bservice%3D%5C%22bank%5C%22%7D%22"
             "%7D%5D%2C%22range%22%3A%7B%22from%22%3A%22"));
    ck_assert(!says("loki"));
}
END_TEST

START_TEST(stacks_are_drawn_and_told_with_what_changed)
{
    static const fl_picture_frame frames[] = {{.name = "all", .before = 2e6, .after = 8e6},
                                              {.name = "a/b.<x>", .before = 1e6, .after = 7e6},
                                              {.name = "b.less", .before = 1e6, .after = 1e5},
                                              {.name = "c.gone", .parent = 2, .before = 1e5},
                                              {.name = "d.none", .before = NAN, .after = NAN}};
    fl_picture_stacks stacks = {.service = "bank",
                                .type = "inuse_space",
                                .unit = "bytes",
                                .query = "faultline profile flame",
                                .frames = frames,
                                .frame_count = sizeof(frames) / sizeof(frames[0])};
    const fl_incident incident = made("made-1");
    fl_picture picture = drawn("made-1", MIN);
    picture.stacks = &stacks;
    picture.stack_count = 1;
    keep(&incident, &picture);
    ask(web_incident, "/incidents/made-1");
    ck_assert_int_eq(reply.status, 200);
    ck_assert(says("<g class=\"frame more4\" data-x=\"0.00\" data-w=\"875.00\" data-row=\"1\" "
                   "data-name=\"b.&lt;x&gt;\"><title>a/b.&lt;x&gt;: 7 MB, before 1 MB</title>"));
    ck_assert(says("<g class=\"frame less1\" data-x=\"875.00\" data-w=\"12.50\""));
    ck_assert(!says("data-name=\"c.gone\"")); /* nothing is as wide as nothing */
    ck_assert(says("<tr><td>c.gone</td><td>b.less</td><td>100 kB</td><td>0 B</td></tr>"));
    ck_assert(says("All 5 frames as a table") && !says("nan") && !says("carry little"));
    static const fl_picture_frame gone[] = {{.name = "all", .before = 1e5}};
    stacks.frames = gone; /* late nothing is left: what was there is drawn */
    stacks.frame_count = 1;
    picture.incident = "made-2";
    const fl_incident other = made("made-2");
    keep(&other, &picture);
    ask(web_incident, "/incidents/made-2");
    ck_assert(says("what its stacks held before") && !says("class=\"flame\""));
}
END_TEST

/* Each is drawn, whatever lies beyond its axis. */
START_TEST(pictures_of_any_length_are_drawn)
{
    static const int64_t lengths[] = {FL_NS_PER_S, 180 * MIN, 400 * 24 * 60 * MIN};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        const fl_incident incident = made("made-1");
        fl_picture picture = drawn("made-1", lengths[i]);
        keep(&incident, &picture);
        ask(web_incident, "/incidents/made-1");
        ck_assert_int_eq(reply.status, 200);
        ck_assert(says("id=\"lane-2\"") && !says("nan") && !says("inf"));
    }
}
END_TEST

START_TEST(what_is_not_there_or_damaged_is_said)
{
    const fl_incident incident = made("made-1");
    ask(web_incident, "/incidents/");
    ck_assert_int_eq(reply.status, 404);
    ask(web_incident, "/incidents/none");
    ck_assert_int_eq(reply.status, 404);
    char path[1000] = "/incidents/";
    memset(path + strlen(path), 'x', 900);
    ask(web_incident, path);
    ck_assert_int_eq(reply.status, 404);
    ck_assert(says("has an id that is so long"));
    ask(web_incident, "/incidents/none/timeline.json");
    ck_assert_int_eq(reply.status, 404);
    keep(&incident, NULL);
    ck_assert_ok(fl_store_put_picture(store, "made-1", FL_SLICE("{\"schema\":\"other\"}"), &err));
    ask(web_incident, "/incidents/made-1");
    ck_assert_int_eq(reply.status, 200);
    ck_assert(!says("id=\"timeline\""));
    ck_assert_ok(
        fl_store_put(store, &incident, FL_SLICE("{\"schema\":\"faultline.triage/1\"}"), AT, &err));
    ask(web_incident, "/incidents/made-1");
    ck_assert_int_eq(reply.status, 500);
    ck_assert(says("triage document"));
    ask(web_static, "/static/style.css");
    ck_assert_int_eq(reply.status, 404);
    ask(web_static, "/static/0/../web.c");
    ck_assert_int_eq(reply.status, 404);
}
END_TEST

START_TEST(a_member_live_of_any_kind_is_harmless)
{
    static const char many[] = "{\"state\": \"open\", \"signs\": [1, {\"onset\": \"never\", "
                               "\"url\": \"javascript:alert(1)\"}], \"signs_total\": 99}";
    static const char *const lives[] = {"1", "[]", "\"x\"", "{\"state\": 1, \"signs\": {}}", many};
    const fl_incident incident = made("made-1");
    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        fl_buf out = fl_buf_of(1 << 20);
        ck_assert_ok(fl_report_json(&out, &incident, &err));
        out.len = (size_t)(strrchr(out.ptr, '}') - out.ptr);
        fl_buf_printf(&out, ", \"live\": %s}", lives[i]);
        ck_assert_ok(fl_store_put(store, &incident, fl_buf_slice(&out), AT, &err));
        fl_buf_dispose(&out);
        ask(web_incident, "/incidents/made-1");
        ck_assert_int_eq(reply.status, 200);
        ck_assert(!says("javascript:"));
    }
    ck_assert(says("and 49 more") && says("data-live"));
}
END_TEST

/* Two nodes and an edge, with what is said for it. */
static void keep_graph(void)
{
    const fl_graph_node nodes[] = {{.id = fl_node_id(FL_NODE_SYMPTOM, FL_SLICE("slow <b>")),
                                    .kind = FL_NODE_SYMPTOM,
                                    .key = "slow <b>",
                                    .recorded_ns = AT},
                                   {.id = fl_node_id(FL_NODE_CAUSE, FL_SLICE("pool")),
                                    .kind = FL_NODE_CAUSE,
                                    .key = "pool",
                                    .title = "The pool is too small",
                                    .recorded_ns = AT}};
    fl_graph_edge edge = {
        .kind = FL_EDGE_EXPLAINED_BY, .from = nodes[0].id, .to = nodes[1].id, .recorded_ns = AT};
    edge.id = fl_edge_id(edge.kind, edge.from, edge.to, FL_SLICE(""));
    fl_graph_evidence item = {.edge = edge.id,
                              .source = FL_SOURCE_PERSON,
                              .author = "ada",
                              .reference = "made-1",
                              .supports = true,
                              .at_ns = AT,
                              .recorded_ns = AT};
    item.id = fl_graph_evidence_id(&item);
    const fl_graph_batch batch = {.nodes = nodes,
                                  .node_count = 2,
                                  .edges = &edge,
                                  .edge_count = 1,
                                  .evidence = &item,
                                  .evidence_count = 1};
    ck_assert_ok(fl_graph_add(NULL, store, &batch, &err));
}

START_TEST(the_graph_is_searched_and_a_node_told_with_who_said_so)
{
    ask(web_graph, "/graph");
    ck_assert(says("The graph has no such node"));
    keep_graph();
    ask_with(web_graph, "/graph", &(fl_http_field){"q", "POOL"}, 1);
    ck_assert(says("1 of 1 that fit") && says("The pool is too small"));
    ask_with(web_graph, "/graph", &(fl_http_field){"node", "symptom:slow <b>"}, 1);
    ck_assert_int_eq(reply.status, 200);
    ck_assert(says("slow &lt;b&gt;") && !says("slow <b>"));
    ck_assert(says("person <b>ada</b> of made-1") && says("1 for, 0 against"));
    ck_assert(says("Seen before") && says("explained 1 of 1"));
    ask_with(web_graph, "/graph", &(fl_http_field){"node", "none"}, 1);
    ck_assert_int_eq(reply.status, 404);
    ask_with(web_graph, "/graph", &(fl_http_field){"kind", "none"}, 1);
    ck_assert_int_eq(reply.status, 400);
}
END_TEST

/* A key is others' words: in a command that is copied a shell would read them. */
START_TEST(a_node_with_many_edges_leads_to_a_command_by_its_id)
{
    enum { MANY = 201 };
    static fl_graph_node nodes[MANY + 1];
    static fl_graph_edge edges[MANY];
    static char keys[MANY + 1][16];
    for (size_t i = 0; i <= MANY; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), i == 0 ? "$(id)|x" : "%zu", i);
        const fl_node_kind kind = i == 0 ? FL_NODE_SYMPTOM : FL_NODE_CAUSE;
        nodes[i] = (fl_graph_node){.id = fl_node_id(kind, fl_slice_of(keys[i])),
                                   .kind = kind,
                                   .key = keys[i],
                                   .recorded_ns = AT};
        if (i == 0)
            continue;
        fl_graph_edge *edge = &edges[i - 1];
        *edge = (fl_graph_edge){.kind = FL_EDGE_EXPLAINED_BY,
                                .from = nodes[0].id,
                                .to = nodes[i].id,
                                .recorded_ns = AT};
        edge->id = fl_edge_id(edge->kind, edge->from, edge->to, FL_SLICE(""));
    }
    const fl_graph_batch batch = {
        .nodes = nodes, .node_count = MANY + 1, .edges = edges, .edge_count = MANY};
    ck_assert_ok(fl_graph_add(NULL, store, &batch, &err));
    ask_with(web_graph, "/graph", &(fl_http_field){"node", "symptom:$(id)|x"}, 1);
    ck_assert_int_eq(reply.status, 200);
    char wanted[80];
    (void)snprintf(wanted, sizeof(wanted), "graph show %llu --format json",
                   (unsigned long long)nodes[0].id);
    ck_assert(says(wanted));
}
END_TEST

START_TEST(a_column_of_calls_that_is_full_says_so)
{
    enum { MANY = 12 };
    static fl_picture_call many[MANY];
    static char names[MANY][8];
    const fl_incident incident = made("made-1");
    fl_picture picture = drawn("made-1", MIN);
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "s%zu", i);
        many[i] = calls[0];
        many[i].caller = names[i];
    }
    picture.calls = many;
    picture.call_count = MANY;
    keep(&incident, &picture);
    ask(web_incident, "/incidents/made-1");
    ck_assert(says("Some services are not drawn; the table has all calls."));
    ck_assert(says("faultline reject made-1 --why WHY"));
}
END_TEST

START_TEST(what_is_no_utf8_is_refused_before_the_store_is_asked)
{
    static const struct {
        fl_http_handler *run;
        const char *path;
        fl_http_field field;
    } askings[] = {{web_list, "/", {"service", "\xff"}},
                   {web_list, "/", {"after", "1.\xc3"}},
                   {web_incident, "/incidents/\xff", {"x", "y"}},
                   {web_incident, "/incidents/\xff/timeline.json", {"x", "y"}},
                   {web_graph, "/graph", {"q", "a\xe2\x80"}},
                   {web_graph, "/graph", {"node", "\x80"}}};
    for (size_t i = 0; i < sizeof(askings) / sizeof(askings[0]); i++) {
        ask_with(askings[i].run, askings[i].path, &askings[i].field, 1);
        ck_assert_int_eq(reply.status, 400);
        ck_assert(says("is not UTF-8") && !says("asks again"));
    }
}
END_TEST

START_TEST(only_a_store_that_cannot_be_reached_is_asked_again)
{
    ck_assert_uint_eq(web_code_of(FL_E_IO), 503);
    ck_assert_uint_eq(web_code_of(FL_E_NOTFOUND), 404);
    ck_assert_uint_eq(web_code_of(FL_E_SYNTAX), 500);
    ck_assert_uint_eq(web_code_of(FL_E_LIMIT), 500);
    fl_mem_fail_after(0); /* the store's own: no connection is lost */
    ask(web_list, "/");
    fl_mem_fail_after(-1);
    ck_assert_int_eq(reply.status, 500);
}
END_TEST

/* The answer has its room already, so that only the compressor finds none. */
START_TEST(a_page_that_cannot_be_compressed_goes_as_it_is)
{
    enum { BYTES = 2000 };
    static const fl_http_field accepts = {"Accept-Encoding", "gzip"};
    const fl_http_request request = {
        .method = "GET", .path = "/", .headers = &accepts, .header_count = 1};
    fl_buf page = fl_buf_of(1 << 20);
    for (size_t i = 0; i < BYTES; i++)
        fl_buf_char(&page, 'x');
    fl_buf_add(&reply.body, fl_buf_slice(&page));
    fl_buf_clear(&reply.body);
    fl_mem_fail_after(0);
    web_send(&reply, &request, &page);
    fl_mem_fail_after(-1);
    ck_assert_int_eq(reply.status, 200);
    ck_assert_uint_eq(reply.body.len, BYTES);
}
END_TEST

/* ---- memory ---- */

static const struct sweep {
    fl_http_handler *run;
    const char *path;
    fl_http_field field;
} sweeps[] = {{web_list, "/", {"service", "bank"}},
              {web_incident, "/incidents/made-1", {"x", "y"}},
              {web_incident, "/incidents/made-1/timeline.json", {"x", "y"}},
              {web_graph, "/graph", {"q", "pool"}},
              {web_graph, "/graph", {"node", "cause:pool"}}};

START_TEST(every_allocation_of_a_page_may_fail)
{
    const struct sweep *s = &sweeps[_i];
    const fl_incident incident = made("made-1");
    const fl_picture picture = drawn("made-1", MIN);
    keep(&incident, &picture);
    keep_graph();
    ask_with(s->run, s->path, &s->field, 1);
    ck_assert_int_eq(reply.status, 200);
    size_t len = reply.body.len;
    bool is_whole = false;
    for (long n = 0; !is_whole; n++) {
        ck_assert_int_lt(n, 20000);
        fl_mem_fail_after(n);
        ask_with(s->run, s->path, &s->field, 1);
        fl_mem_fail_after(-1);
        is_whole = reply.status == 200 && reply.body.status == FL_OK && reply.body.len == len;
    }
}
END_TEST

START_TEST(every_allocation_of_the_start_may_fail)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        fl_web *other = NULL;
        ck_assert_int_lt(n, 1000);
        fl_mem_fail_after(n);
        status = fl_web_create(&other, &(fl_web_options){.store = "x"}, NULL);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || (status == FL_E_NOMEM && other == NULL));
        fl_web_destroy(other);
    }
}
END_TEST

static Suite *web_suite(void)
{
    Suite *suite = suite_create("web/web");
    TCase *cases = tcase_create("web");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, the_list_has_each_incident_once);
    tcase_add_test(cases, an_incident_is_told_with_its_picture);
    tcase_add_test(cases, who_keeps_what_was_found_is_a_list_in_lists);
    tcase_add_test(cases, evidence_leads_to_the_tools_that_are_configured);
    tcase_add_test(cases, queries_lead_to_grafana_by_its_data_sources);
    tcase_add_test(cases, stacks_are_drawn_and_told_with_what_changed);
    tcase_add_test(cases, pictures_of_any_length_are_drawn);
    tcase_add_test(cases, what_is_not_there_or_damaged_is_said);
    tcase_add_test(cases, a_member_live_of_any_kind_is_harmless);
    tcase_add_test(cases, the_graph_is_searched_and_a_node_told_with_who_said_so);
    tcase_add_test(cases, what_is_no_utf8_is_refused_before_the_store_is_asked);
    tcase_add_test(cases, only_a_store_that_cannot_be_reached_is_asked_again);
    tcase_add_test(cases, a_page_that_cannot_be_compressed_goes_as_it_is);
    tcase_add_test(cases, a_node_with_many_edges_leads_to_a_command_by_its_id);
    tcase_add_test(cases, a_column_of_calls_that_is_full_says_so);
    tcase_add_loop_test(cases, every_allocation_of_a_page_may_fail, 0,
                        sizeof(sweeps) / sizeof(sweeps[0]));
    tcase_add_test(cases, every_allocation_of_the_start_may_fail);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(web_suite)
