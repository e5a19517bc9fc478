#include "graph_live.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <time.h>

#include "buf.h"
#include "mem.h"
#include "memory.h"
#include "slice.h"

#include "fl_store_place.h"
#include "fl_test.h"

enum { SYMPTOMS = 12, CAUSES = 9, FIXES = 6, INCIDENTS = 20, NODES = 47, EDGES = 400, SAID = 1500 };

static fl_error err;
static fl_store_place place;
static fl_store *store, *live;
static char keys[NODES][24];
static fl_graph_node nodes[NODES];
static fl_graph_edge edges[EDGES];
static fl_graph_evidence items[SAID];
static char references[SAID][24];
static uint64_t state;

static size_t below(size_t count)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(state >> 33) % count;
}

static void make_nodes(void)
{
    for (size_t i = 0; i < NODES; i++) {
        fl_node_kind kind = i < SYMPTOMS                    ? FL_NODE_SYMPTOM
                            : i < SYMPTOMS + CAUSES         ? FL_NODE_CAUSE
                            : i < SYMPTOMS + CAUSES + FIXES ? FL_NODE_FIX
                                                            : FL_NODE_INCIDENT;
        snprintf(keys[i], sizeof(keys[i]), "node-%zu", i);
        nodes[i] = (fl_graph_node){.id = fl_node_id(kind, fl_slice_of(keys[i])),
                                   .kind = kind,
                                   .key = keys[i],
                                   .title = i % 3 == 0 ? "Titled" : NULL,
                                   .recorded_ns = (int64_t)(7 * i)};
    }
}

/* Some come twice: adding them again adds nothing. */
static void make_edges(void)
{
    static const char *const versions[] = {NULL, "semver:>=1", "semver:<3"};
    for (size_t i = 0; i < EDGES; i++) {
        size_t kind = below(3), from = below(SYMPTOMS), to = SYMPTOMS + below(CAUSES);
        fl_graph_edge *edge = &edges[i];
        if (kind == 1) {
            from = to;
            to = SYMPTOMS + CAUSES + below(FIXES);
        } else if (kind == 2) {
            to = from;
            from = SYMPTOMS + CAUSES + FIXES + below(INCIDENTS);
        }
        *edge = (fl_graph_edge){.kind = kind == 0   ? FL_EDGE_EXPLAINED_BY
                                        : kind == 1 ? FL_EDGE_RESOLVED_BY
                                                    : FL_EDGE_EXHIBITS,
                                .from = nodes[from].id,
                                .to = nodes[to].id,
                                .qualifier = versions[below(3)],
                                .recorded_ns = (int64_t)i};
        edge->id = fl_edge_id(edge->kind, edge->from, edge->to, fl_slice_of(edge->qualifier));
    }
}

static void make_evidence(void)
{
    static const char *const authors[] = {"ada", "bob", "Zoe", "\xC3\xA9mile"};
    for (size_t i = 0; i < SAID; i++) {
        snprintf(references[i], sizeof(references[i]), "incident-%zu", below(300));
        items[i] = (fl_graph_evidence){.edge = edges[below(EDGES)].id,
                                       .source = (fl_evidence_source)below(FL_SOURCE_COUNT),
                                       .author = authors[below(4)],
                                       .reference = references[i],
                                       .supports = below(4) > 0,
                                       .at_ns = (int64_t)below(1000) * 1000000000,
                                       .recorded_ns = (int64_t)i,
                                       .note = below(5) == 0 ? "noted" : NULL};
        items[i].id = fl_graph_evidence_id(&items[i]);
    }
}

/* Edges [e0, e1) and evidence [i0, i1); every edge that evidence is for comes with it. */
static void add(fl_store *to, size_t e0, size_t e1, size_t i0, size_t i1)
{
    fl_error failed = {0};
    const fl_graph_batch batch = {.nodes = nodes,
                                  .node_count = NODES,
                                  .edges = edges + e0,
                                  .edge_count = e1 - e0,
                                  .evidence = items + i0,
                                  .evidence_count = i1 - i0};
    ck_assert_ok(fl_graph_add(NULL, to, &batch, &failed));
}

static void setup(void)
{
    err = (fl_error){0};
    state = 7;
    fl_store_place_make(&place);
    store = live = NULL;
    make_nodes();
    make_edges();
    make_evidence();
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
    ck_assert_ok(fl_graph_live_open(&live, store, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_store_close(live);
    fl_store_close(store);
    fl_store_place_clear(&place);
}

/* ---- what a store says ---- */

static fl_status tell_node(const fl_graph_node *n, void *payload, fl_error *error)
{
    (void)error;
    fl_buf_printf(payload, "%llx %d %s %s %lld\n", (unsigned long long)n->id, (int)n->kind, n->key,
                  n->title != NULL ? n->title : "-", (long long)n->recorded_ns);
    return FL_OK;
}

static fl_status tell_edge(const fl_graph_edge *e, void *payload, fl_error *error)
{
    (void)error;
    fl_buf_printf(payload, "%llx %d %llx %llx %s %lld\n", (unsigned long long)e->id, (int)e->kind,
                  (unsigned long long)e->from, (unsigned long long)e->to,
                  e->qualifier != NULL ? e->qualifier : "-", (long long)e->recorded_ns);
    return FL_OK;
}

static fl_status tell_item(const fl_graph_evidence *i, void *payload, fl_error *error)
{
    (void)error;
    fl_buf_printf(payload, "  %llx %llx %d %s %s %d %lld %lld %s\n", (unsigned long long)i->id,
                  (unsigned long long)i->edge, (int)i->source, i->author, i->reference, i->supports,
                  (long long)i->at_ns, (long long)i->recorded_ns, i->note != NULL ? i->note : "-");
    return FL_OK;
}

static void tell(fl_buf *out, fl_store *from, int64_t as_of_ns, size_t limit)
{
    fl_graph_question q = {.as_of_ns = as_of_ns, .limit = limit};
    for (size_t i = 0; i < NODES; i++) {
        q.id = nodes[i].id;
        q.scope = FL_GRAPH_OUT;
        ck_assert_ok(fl_graph_edges(from, &q, tell_edge, out, &err));
        q.scope = FL_GRAPH_IN;
        ck_assert_ok(fl_graph_edges(from, &q, tell_edge, out, &err));
    }
    q.scope = FL_GRAPH_ONE;
    for (size_t i = 0; i < EDGES; i++) {
        q.id = edges[i].id;
        ck_assert_ok(fl_graph_edges(from, &q, tell_edge, out, &err));
        ck_assert_ok(fl_graph_evidence_for(from, &q, tell_item, out, &err));
    }
    uint64_t node_ids[] = {nodes[5].id, nodes[46].id, 12345, nodes[9].id};
    for (size_t i = 0; i < NODES; i++) {
        q.id = nodes[i].id;
        ck_assert_ok(fl_graph_nodes(from, &q, tell_node, out, &err));
    }
    for (size_t count = 2; count <= 4; count += 2) { /* the first two are nodes */
        q.ids = node_ids;
        q.id_count = fl_graph_sort_ids(node_ids, count);
        ck_assert_ok(fl_graph_nodes(from, &q, tell_node, out, &err));
    }
    uint64_t ids[] = {edges[5].id, edges[9].id, 12345, edges[2].id};
    q.ids = ids;
    q.id_count = fl_graph_sort_ids(ids, 4);
    ck_assert_ok(fl_graph_edges(from, &q, tell_edge, out, &err));
    ck_assert_ok(fl_graph_evidence_for(from, &q, tell_item, out, &err));
}

static void check_same(int64_t as_of_ns, size_t limit)
{
    fl_buf want = fl_buf_of(64 << 20), got = fl_buf_of(64 << 20);
    tell(&want, store, as_of_ns, limit);
    tell(&got, live, as_of_ns, limit);
    ck_assert_int_eq(want.status, FL_OK);
    ck_assert_uint_eq(want.len, got.len);
    ck_assert(want.len == 0 || memcmp(want.ptr, got.ptr, want.len) == 0);
    fl_buf_dispose(&want);
    fl_buf_dispose(&got);
}

static fl_graph_news refresh(void)
{
    fl_graph_news news;
    ck_assert_ok(fl_graph_live_refresh(&news, live, &err));
    return news;
}

/* ---- tests ---- */

START_TEST(before_the_first_refresh_the_store_answers)
{
    add(store, 0, EDGES, 0, SAID);
    check_same(FL_GRAPH_NOW, 0);
    ck_assert_uint_eq(fl_graph_live_bytes(live), 0);
}
END_TEST

START_TEST(rows_are_those_of_the_store_whatever_is_asked)
{
    add(store, 0, EDGES, 0, SAID);
    fl_graph_news news = refresh();
    ck_assert(news.is_whole && news.edges > EDGES / 2 && news.evidence > SAID / 2);
    ck_assert_uint_gt(fl_graph_live_bytes(live), 0);
    check_same(FL_GRAPH_NOW, 0);
    check_same(FL_GRAPH_NOW, 3);
    check_same(EDGES / 2, 0);
    check_same(EDGES / 2, 1);
}
END_TEST

START_TEST(an_empty_store_is_an_empty_graph_and_grows)
{
    fl_graph_news news = refresh();
    ck_assert(news.is_whole && news.edges == 0 && news.evidence == 0);
    check_same(FL_GRAPH_NOW, 0);
    add(store, 0, EDGES, 0, 10);
    news = refresh();
    ck_assert(!news.is_whole && news.edges > 0 && news.evidence == 10);
    check_same(FL_GRAPH_NOW, 0);
}
END_TEST

START_TEST(a_refresh_brings_what_came_and_nothing_twice)
{
    add(store, 0, EDGES / 2, 0, 0);
    (void)refresh();
    for (size_t part = 0; part < 10; part++) {
        size_t e0 = EDGES / 2 + part * EDGES / 20;
        add(store, e0, e0 + EDGES / 20, 0, 0);
        fl_graph_news some = refresh();
        ck_assert(!some.is_whole && some.edges <= EDGES / 20 && some.evidence == 0);
        check_same(FL_GRAPH_NOW, 0);
    }
    for (size_t part = 0; part < 10; part++) {
        add(store, 0, EDGES, part * SAID / 10, (part + 1) * SAID / 10);
        fl_graph_news some = refresh();
        ck_assert(!some.is_whole && some.edges == 0 && some.evidence > 0);
        check_same(FL_GRAPH_NOW, 0);
    }
    fl_graph_news news = refresh();
    ck_assert(!news.is_whole && news.edges == 0 && news.evidence == 0);
}
END_TEST

/* Runs are written again so often that they are left behind by the ten thousand. */
START_TEST(a_graph_that_grows_item_by_item_stays_the_same)
{
    size_t most = 0;
    add(store, 0, EDGES, 0, 0);
    (void)refresh();
    for (size_t i = 0; i < SAID; i += 5) {
        for (size_t k = 0; k < 5; k++) {
            items[i + k].edge = edges[0].id;
            items[i + k].id = fl_graph_evidence_id(&items[i + k]);
        }
        add(store, 0, 0, i, i + 5);
        (void)refresh();
        most = fl_graph_live_bytes(live) > most ? fl_graph_live_bytes(live) : most;
    }
    check_same(FL_GRAPH_NOW, 0);
    ck_assert_uint_lt(most, 40 * 4 * 65536 + (1 << 20)); /* of 220,000 items written in all */
}
END_TEST

START_TEST(what_is_added_through_it_is_there_after_the_next_refresh)
{
    (void)refresh();
    add(live, 0, EDGES, 0, 20);
    ck_assert_uint_eq(refresh().evidence, 20);
    check_same(FL_GRAPH_NOW, 0);
}
END_TEST

/* All of what is told, to the last bit. */
static void recall(fl_buf *out, fl_store *from, int64_t now_ns)
{
    fl_memory memory;
    fl_arena arena = fl_arena_of(64 << 20);
    const fl_symptoms symptoms = {.nodes = nodes, .count = 5};
    const fl_memory_question q = {.symptoms = &symptoms, .now_ns = now_ns, .most_similar = 5};
    ck_assert_ok(fl_memory_recall(&memory, from, &q, &arena, &err));
    ck_assert_uint_gt(memory.path_count, 3);
    for (size_t i = 0; i < memory.path_count; i++) {
        const fl_path *p = &memory.paths[i];
        fl_buf_printf(out, "%s %a %a %a %zu %zu %zu %lld\n", p->title, p->confidence.mean,
                      p->confidence.low, p->confidence.high, p->supporting, p->contradicting,
                      p->elsewhere, (long long)p->last_ns);
        for (size_t k = 0; k < p->fix_count; k++)
            fl_buf_printf(out, "  %s %a %a %a %zu\n", p->fixes[k].title,
                          p->fixes[k].confidence.mean, p->fixes[k].confidence.low,
                          p->fixes[k].confidence.high, p->fixes[k].count);
    }
    for (size_t i = 0; i < memory.similar_count; i++)
        fl_buf_printf(out, "%s %a\n", memory.similar[i].incident, memory.similar[i].overlap);
    fl_arena_dispose(&arena);
}

START_TEST(causes_fixes_and_confidence_are_those_of_the_store_at_every_time)
{
    const int64_t day_ns = INT64_C(86400000000000);
    add(store, 0, EDGES, 0, SAID / 2);
    (void)refresh();
    add(store, 0, 0, SAID / 2, SAID);
    (void)refresh();
    for (int64_t days = 0; days < 1000; days += 99) {
        fl_buf want = fl_buf_of(1 << 20), got = fl_buf_of(1 << 20);
        recall(&want, store, 2000000000000 + days * day_ns);
        recall(&got, live, 2000000000000 + days * day_ns);
        ck_assert_str_eq(want.ptr, got.ptr);
        fl_buf_dispose(&want);
        fl_buf_dispose(&got);
    }
}
END_TEST

/* Each writes a half, item by item, over a connection of its own. */
static void *write_half(void *payload)
{
    const size_t half = *(const size_t *)payload;
    fl_store *own = NULL;
    fl_error failed = {0};
    ck_assert_ok(fl_store_open(&own, place.url, FL_STORE_EXISTING, &failed));
    for (size_t i = half; i < 200; i += 2) {
        add(own, i, i + 1, 0, 0);
        items[i].edge = edges[i].id;
        items[i].id = fl_graph_evidence_id(&items[i]);
        add(own, 0, 0, i, i + 1);
    }
    fl_store_close(own);
    return NULL;
}

START_TEST(two_writers_and_a_reader_miss_nothing)
{
    pthread_t threads[2];
    const size_t halves[] = {0, 1};
    add(store, 0, 0, 0, 0);
    (void)refresh();
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, write_half, (void *)(uintptr_t)&halves[i]), 0);
    for (size_t i = 0; i < 50; i++)
        ck_assert(!refresh().is_whole);
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    (void)refresh();
    check_same(FL_GRAPH_NOW, 0);
}
END_TEST

static void wait_for(const char *path)
{
    for (int i = 0; i < 1000 && access(path, F_OK) != 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    ck_assert_int_eq(access(path, F_OK), 0);
}

/* The first begins before the second and commits after it, and after the reader has looked. */
START_TEST(what_commits_late_is_not_missed)
{
    char written[96];
    if (!place.is_shared)
        return; /* writers of a file follow each other */
    add(store, 0, EDGES, 0, 0);
    (void)refresh();
    FILE *late = popen("psql -qX >/dev/null", "w");
    ck_assert_ptr_nonnull(late);
    snprintf(written, sizeof(written), "%s/written", place.folder);
    fprintf(late,
            "BEGIN;\nINSERT INTO faultline.evidence (team, id, edge_id, source, author, reference,"
            " supports, at_ns, recorded_ns) VALUES ('default', 1, %lld, 'person', 'late', 'x', 1,"
            " 1, 1);\n\\! touch %s\n",
            (long long)edges[0].id, written);
    fflush(late);
    wait_for(written);
    add(store, 0, 0, 0, 50);
    fl_graph_news early = refresh();
    ck_assert_uint_eq(early.evidence, 50);
    fprintf(late, "COMMIT;\n");
    ck_assert_int_eq(pclose(late), 0);
    fl_graph_news after = refresh();
    ck_assert(after.evidence == 1 && !after.is_whole);
    check_same(FL_GRAPH_NOW, 0);
}
END_TEST

START_TEST(who_is_too_far_behind_reads_everything_again)
{
    sqlite3 *db = NULL;
    if (place.is_shared)
        return; /* a server forgets no change */
    add(store, 0, EDGES, 0, 0);
    (void)refresh();
    for (size_t i = 0; i < 30; i++)
        add(store, 0, 0, i, i + 1);
    char path[80];
    snprintf(path, sizeof(path), "%s/store.db", place.folder);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    const char *forget = "DELETE FROM change WHERE number < (SELECT max(number) FROM change) - 5";
    ck_assert_int_eq(sqlite3_exec(db, forget, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    fl_graph_news news = refresh();
    ck_assert(news.is_whole && news.evidence == 30);
    check_same(FL_GRAPH_NOW, 0);
    add(store, 0, 0, 30, 40);
    news = refresh();
    ck_assert(!news.is_whole && news.evidence == 10);
}
END_TEST

START_TEST(running_out_of_memory_costs_no_row)
{
    bool whole = false;
    add(store, 0, EDGES, 0, SAID / 2);
    for (long n = 0; !whole; n++) {
        fl_error failed = {0};
        fl_store_close(live);
        live = NULL;
        ck_assert_ok(fl_graph_live_open(&live, store, &err));
        fl_mem_fail_after(n);
        fl_status status = fl_graph_live_refresh(NULL, live, &failed);
        fl_mem_fail_after(-1);
        whole = status == FL_OK;
        ck_assert(whole || status == FL_E_NOMEM);
    }
    whole = false;
    add(store, 0, 0, SAID / 2, SAID);
    for (long n = 0; !whole; n++) {
        fl_error failed = {0};
        fl_mem_fail_after(n);
        fl_status status = fl_graph_live_refresh(NULL, live, &failed);
        fl_mem_fail_after(-1);
        whole = status == FL_OK;
        ck_assert(whole || status == FL_E_NOMEM);
    }
    check_same(FL_GRAPH_NOW, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store/graph_live");
    TCase *tc = tcase_create("graph_live");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, before_the_first_refresh_the_store_answers);
    tcase_add_test(tc, rows_are_those_of_the_store_whatever_is_asked);
    tcase_add_test(tc, an_empty_store_is_an_empty_graph_and_grows);
    tcase_add_test(tc, a_refresh_brings_what_came_and_nothing_twice);
    tcase_add_test(tc, a_graph_that_grows_item_by_item_stays_the_same);
    tcase_add_test(tc, what_is_added_through_it_is_there_after_the_next_refresh);
    tcase_add_test(tc, causes_fixes_and_confidence_are_those_of_the_store_at_every_time);
    tcase_add_test(tc, two_writers_and_a_reader_miss_nothing);
    tcase_add_test(tc, what_commits_late_is_not_missed);
    tcase_add_test(tc, who_is_too_far_behind_reads_everything_again);
    tcase_add_test(tc, running_out_of_memory_costs_no_row);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
