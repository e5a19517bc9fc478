#include "graph_store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph_sql.h"
#include "map.h"
#include "mem.h"
#include "slice.h"

#include "fl_store_place.h"
#include "fl_test.h"

static fl_error err;
static fl_store_place place;
static fl_store *store;

static void setup(void)
{
    err = (fl_error){0};
    fl_store_place_make(&place);
    store = NULL;
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_store_close(store);
    fl_store_place_clear(&place);
}

static fl_graph_node node(fl_node_kind kind, const char *key, int64_t recorded_ns)
{
    return (fl_graph_node){.id = fl_node_id(kind, fl_slice_of(key)),
                           .kind = kind,
                           .key = key,
                           .recorded_ns = recorded_ns};
}

static fl_graph_edge edge(fl_edge_kind kind, const fl_graph_node *from, const fl_graph_node *to)
{
    return (fl_graph_edge){.id = fl_edge_id(kind, from->id, to->id, FL_SLICE("")),
                           .kind = kind,
                           .from = from->id,
                           .to = to->id,
                           .recorded_ns = 20};
}

static fl_graph_evidence evidence(const fl_graph_edge *of, const char *author, bool supports)
{
    fl_graph_evidence item = {.edge = of->id,
                              .source = FL_SOURCE_PERSON,
                              .author = author,
                              .reference = "incident-1",
                              .supports = supports,
                              .at_ns = 5,
                              .recorded_ns = 30,
                              .note = "it's \"quoted\"; DROP TABLE node; --"};
    item.id = fl_graph_evidence_id(&item);
    return item;
}

/* A symptom, its cause, its fix, and what two people say. */
typedef struct small {
    fl_graph_node nodes[3];
    fl_graph_edge edges[2];
    fl_graph_evidence evidence[3];
    fl_graph_batch batch;
} small;

static void make_small(small *out)
{
    out->nodes[0] = node(FL_NODE_SYMPTOM, "log|could not get a connection", 10);
    out->nodes[1] = node(FL_NODE_CAUSE, "pool", 10);
    out->nodes[2] = node(FL_NODE_FIX, "raise maxTotal", 11);
    out->nodes[1].title = "<b>Starved</b> connection pool";
    out->edges[0] = edge(FL_EDGE_EXPLAINED_BY, &out->nodes[0], &out->nodes[1]);
    out->edges[1] = edge(FL_EDGE_RESOLVED_BY, &out->nodes[1], &out->nodes[2]);
    out->evidence[0] = evidence(&out->edges[0], "ada", true);
    out->evidence[1] = evidence(&out->edges[0], "bob", false);
    out->evidence[2] = evidence(&out->edges[1], "ada", true);
    out->batch = (fl_graph_batch){.nodes = out->nodes,
                                  .node_count = 3,
                                  .edges = out->edges,
                                  .edge_count = 2,
                                  .evidence = out->evidence,
                                  .evidence_count = 3};
}

typedef struct seen {
    size_t count;
    fl_graph_node node;
    fl_graph_edge edge;
    fl_graph_evidence evidence;
    char text[512];
} seen;

static fl_status see_node(const fl_graph_node *row, void *payload, fl_error *e)
{
    seen *all = payload;
    (void)e;
    if (all->count > 0)
        ck_assert((int64_t)row->id > (int64_t)all->node.id);
    all->node = *row;
    snprintf(all->text, sizeof(all->text), "%s|%s", row->key,
             row->title != NULL ? row->title : "-");
    all->count++;
    return FL_OK;
}

static fl_status see_edge(const fl_graph_edge *row, void *payload, fl_error *e)
{
    seen *all = payload;
    (void)e;
    all->edge = *row;
    all->count++;
    return FL_OK;
}

static fl_status see_evidence(const fl_graph_evidence *row, void *payload, fl_error *e)
{
    seen *all = payload;
    (void)e;
    all->evidence = *row;
    snprintf(all->text, sizeof(all->text), "%s|%s|%s", row->author, row->reference, row->note);
    all->count++;
    return FL_OK;
}

static const fl_graph_question everything = {.as_of_ns = FL_GRAPH_NOW};

static size_t count_nodes(const fl_graph_question *question)
{
    seen all = {0};
    ck_assert_ok(fl_graph_nodes(store, question, see_node, &all, &err));
    return all.count;
}

static size_t count_evidence(void)
{
    seen all = {0};
    ck_assert_ok(fl_graph_evidence_for(store, &everything, see_evidence, &all, &err));
    return all.count;
}

START_TEST(kinds_kept_over_batches_are_forgotten_with_a_batch_that_fails)
{
    small in;
    fl_map *kinds;
    make_small(&in);
    ck_assert_ok(fl_map_create(&kinds, 100, &err));
    const fl_graph_batch nodes = {.nodes = in.nodes, .node_count = 3, .kinds = kinds};
    const fl_graph_batch edges = {.edges = in.edges, .edge_count = 2, .kinds = kinds};
    ck_assert_ok(fl_graph_add(NULL, store, &nodes, &err));
    ck_assert_uint_eq(fl_map_count(kinds), 3);
    ck_assert_ok(fl_graph_add(NULL, store, &edges, &err));
    fl_graph_node other = node(FL_NODE_CAUSE, "another", 10);
    fl_graph_evidence astray = in.evidence[0];
    astray.edge = 7;
    astray.id = fl_graph_evidence_id(&astray);
    const fl_graph_batch wrong = {
        .nodes = &other, .node_count = 1, .evidence = &astray, .evidence_count = 1, .kinds = kinds};
    ck_assert_fails(FL_E_SYNTAX, fl_graph_add(NULL, store, &wrong, &err));
    ck_assert_uint_eq(fl_map_count(kinds), 0);
    ck_assert_uint_eq(count_nodes(&everything), 3);
    fl_map_destroy(kinds);
}
END_TEST

START_TEST(what_is_held_does_not_see_what_others_write)
{
    small in;
    fl_store *other = NULL;
    make_small(&in);
    const fl_graph_batch one = {.nodes = in.nodes, .node_count = 1};
    ck_assert_ok(fl_graph_add(NULL, store, &one, &err));
    ck_assert_ok(fl_store_open(&other, place.url, FL_STORE_EXISTING, &err));
    ck_assert_ok(fl_store_hold(store, &err));
    ck_assert_uint_eq(count_nodes(&everything), 1);
    ck_assert_ok(fl_graph_add(NULL, other, &in.batch, &err));
    ck_assert_uint_eq(count_nodes(&everything), 1);
    fl_store_release(store);
    ck_assert_uint_eq(count_nodes(&everything), 3);
    fl_store_close(other);
}
END_TEST

START_TEST(what_was_added_is_read_back)
{
    small in;
    seen all = {0};
    fl_graph_added added;
    make_small(&in);
    ck_assert_ok(fl_graph_add(&added, store, &in.batch, &err));
    ck_assert_uint_eq(added.nodes, 3);
    ck_assert_uint_eq(added.edges, 2);
    ck_assert_uint_eq(added.evidence, 3);
    fl_graph_question one = {.scope = FL_GRAPH_ONE, .id = in.nodes[1].id, .as_of_ns = FL_GRAPH_NOW};
    ck_assert_ok(fl_graph_nodes(store, &one, see_node, &all, &err));
    ck_assert_uint_eq(all.count, 1);
    ck_assert_int_eq(all.node.kind, FL_NODE_CAUSE);
    ck_assert_str_eq(all.text, "pool|<b>Starved</b> connection pool");
    all = (seen){0};
    one.id = in.edges[1].id;
    ck_assert_ok(fl_graph_edges(store, &one, see_edge, &all, &err));
    ck_assert_uint_eq(all.edge.from, in.nodes[1].id);
    ck_assert_uint_eq(all.edge.to, in.nodes[2].id);
    ck_assert_int_eq(all.edge.kind, FL_EDGE_RESOLVED_BY);
    ck_assert_ptr_null(all.edge.qualifier);
    all = (seen){0};
    ck_assert_ok(fl_graph_evidence_for(store, &one, see_evidence, &all, &err));
    ck_assert_uint_eq(all.count, 1);
    ck_assert(all.evidence.supports);
    ck_assert_uint_eq(all.evidence.id, in.evidence[2].id);
    ck_assert_str_eq(all.text, "ada|incident-1|it's \"quoted\"; DROP TABLE node; --");
}
END_TEST

START_TEST(adding_again_adds_nothing)
{
    small in;
    fl_graph_added added;
    make_small(&in);
    ck_assert_ok(fl_graph_add(NULL, store, &in.batch, &err));
    ck_assert_ok(fl_graph_add(&added, store, &in.batch, &err));
    ck_assert_uint_eq(added.nodes + added.edges + added.evidence, 0);
    ck_assert_uint_eq(count_nodes(&everything), 3);
    ck_assert_uint_eq(count_evidence(), 3);
}
END_TEST

START_TEST(edges_are_found_from_both_ends)
{
    small in;
    make_small(&in);
    ck_assert_ok(fl_graph_add(NULL, store, &in.batch, &err));
    static const struct {
        fl_graph_scope scope;
        size_t node, expected;
    } cases[] = {{FL_GRAPH_OUT, 0, 1}, {FL_GRAPH_IN, 0, 0}, {FL_GRAPH_OUT, 1, 1},
                 {FL_GRAPH_IN, 1, 1},  {FL_GRAPH_IN, 2, 1}, {FL_GRAPH_ALL, 0, 2}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        seen all = {0};
        fl_graph_question question = {
            .scope = cases[i].scope, .id = in.nodes[cases[i].node].id, .as_of_ns = FL_GRAPH_NOW};
        ck_assert_ok(fl_graph_edges(store, &question, see_edge, &all, &err));
        ck_assert_uint_eq(all.count, cases[i].expected);
    }
}
END_TEST

START_TEST(what_was_not_yet_recorded_was_not_yet_known)
{
    small in;
    make_small(&in);
    ck_assert_ok(fl_graph_add(NULL, store, &in.batch, &err));
    ck_assert_uint_eq(count_nodes(&(fl_graph_question){.as_of_ns = 10}), 2);
    ck_assert_uint_eq(count_nodes(&(fl_graph_question){.as_of_ns = 9}), 0);
    ck_assert_uint_eq(count_nodes(&(fl_graph_question){.as_of_ns = FL_GRAPH_NOW, .limit = 1}), 1);
}
END_TEST

START_TEST(a_batch_is_added_whole_or_not_at_all)
{
    small in;
    make_small(&in);
    in.evidence[2].edge = 12345;
    in.evidence[2].id = fl_graph_evidence_id(&in.evidence[2]);
    fl_graph_added added;
    ck_assert_fails(FL_E_SYNTAX, fl_graph_add(&added, store, &in.batch, &err));
    ck_assert_str_eq(err.message, "there is evidence for an edge that is not there");
    ck_assert_uint_eq(added.nodes, 0);
    ck_assert_uint_eq(count_nodes(&everything), 0);
}
END_TEST

START_TEST(an_edge_that_its_kind_does_not_allow_is_refused)
{
    small in;
    make_small(&in);
    in.edges[1] = edge(FL_EDGE_EXPLAINED_BY, &in.nodes[1], &in.nodes[2]);
    ck_assert_fails(FL_E_SYNTAX, fl_graph_add(NULL, store, &in.batch, &err));
    ck_assert_str_eq(err.message, "no edge \"explained-by\" leads from a cause to a fix");
}
END_TEST

START_TEST(an_edge_may_lead_to_what_the_store_holds_and_nowhere_else)
{
    small in;
    make_small(&in);
    fl_graph_batch nodes = {.nodes = in.nodes, .node_count = 3};
    fl_graph_batch edges = {.edges = in.edges, .edge_count = 2};
    ck_assert_fails(FL_E_SYNTAX, fl_graph_add(NULL, store, &edges, &err));
    ck_assert_str_eq(err.message, "an edge ends at a node that is not there");
    err = (fl_error){0};
    ck_assert_ok(fl_graph_add(NULL, store, &nodes, &err));
    ck_assert_ok(fl_graph_add(NULL, store, &edges, &err));
}
END_TEST

START_TEST(a_text_beyond_its_limit_is_refused)
{
    char *key = calloc(1 << 20, 1);
    memset(key, 'k', (1 << 20) - 1);
    fl_graph_node big = node(FL_NODE_CAUSE, key, 1);
    fl_graph_batch batch = {.nodes = &big, .node_count = 1};
    ck_assert_fails(FL_E_LIMIT, fl_graph_add(NULL, store, &batch, &err));
    ck_assert_str_eq(err.message,
                     "the name of a node of 1048575 bytes; the graph keeps up to 1024");
    free(key);
}
END_TEST

/* Printable, and not to be compressed: it fits as it is or not at all. */
static void fill_with_noise(char *out, size_t len, uint64_t state)
{
    for (size_t i = 0; i < len; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        out[i] = (char)('!' + (state >> 40) % 94);
    }
    out[len] = '\0';
}

START_TEST(the_longest_author_and_reference_fit_into_an_index)
{
    small in;
    seen all = {0};
    char author[FL_MAX_NODE_KEY_BYTES + 1], reference[FL_MAX_REFERENCE_BYTES + 2];
    make_small(&in);
    ck_assert_ok(fl_graph_add(NULL, store, &in.batch, &err));
    fill_with_noise(author, FL_MAX_NODE_KEY_BYTES, 1);
    fill_with_noise(reference, FL_MAX_REFERENCE_BYTES, 2);
    fl_graph_evidence item = evidence(&in.edges[1], author, true);
    const fl_graph_batch batch = {.evidence = &item, .evidence_count = 1};
    item.reference = reference;
    item.id = fl_graph_evidence_id(&item);
    ck_assert_ok(fl_graph_add(NULL, store, &batch, &err));
    const fl_graph_question of = {
        .scope = FL_GRAPH_ONE, .id = in.edges[1].id, .as_of_ns = FL_GRAPH_NOW};
    ck_assert_ok(fl_graph_evidence_for(store, &of, see_evidence, &all, &err));
    ck_assert_uint_eq(all.count, 2);
    fill_with_noise(reference, FL_MAX_REFERENCE_BYTES + 1, 2);
    item.id = fl_graph_evidence_id(&item);
    ck_assert_fails(FL_E_LIMIT, fl_graph_add(NULL, store, &batch, &err));
    ck_assert_str_eq(err.message, "a reference of 1025 bytes; the graph keeps up to 1024");
}
END_TEST

START_TEST(a_text_that_is_not_utf8_or_nothing_is_refused)
{
    fl_graph_node broken = node(FL_NODE_CAUSE, "caf\xe9", 1), empty = node(FL_NODE_FIX, "", 1);
    fl_graph_batch batch = {.nodes = &broken, .node_count = 1};
    ck_assert_fails(FL_E_SYNTAX, fl_graph_add(NULL, store, &batch, &err));
    ck_assert_str_eq(err.message, "the name of a node is not UTF-8");
    err = (fl_error){0};
    batch.nodes = &empty;
    ck_assert_fails(FL_E_SYNTAX, fl_graph_add(NULL, store, &batch, &err));
    ck_assert_str_eq(err.message, "a fix without a name");
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    small in;
    make_small(&in);
    fl_status status = FL_E_NOMEM;
    for (long n = 0; n < 200 && status != FL_OK; n++) {
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = fl_graph_add(NULL, store, &in.batch, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert_uint_eq(count_nodes(&everything), status == FL_OK ? 3 : 0);
    }
    ck_assert_int_eq(status, FL_OK);
}
END_TEST

/* What one process adds: the nodes that both add, and evidence by an author of its own. */
static void add_many(const char *author)
{
    small in;
    fl_store *own = NULL;
    char reference[32];
    make_small(&in);
    ck_assert_ok(fl_store_open(&own, place.url, FL_STORE_EXISTING, &err));
    for (int i = 0; i < 100; i++) {
        snprintf(reference, sizeof(reference), "incident-%d", i);
        in.evidence[0].author = author;
        in.evidence[0].reference = reference;
        in.evidence[0].id = fl_graph_evidence_id(&in.evidence[0]);
        in.batch.evidence_count = 1;
        ck_assert_ok(fl_graph_add(NULL, own, &in.batch, &err));
    }
    fl_store_close(own);
}

START_TEST(two_processes_lose_nothing_and_double_nothing)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    add_many(child == 0 ? "ada" : "bob");
    if (child == 0)
        _exit(0);
    int ended = -1;
    ck_assert_int_eq(waitpid(child, &ended, 0), child);
    ck_assert_int_eq(ended, 0);
    ck_assert_uint_eq(count_nodes(&everything), 3);
    ck_assert_uint_eq(count_evidence(), 200);
}
END_TEST

/* A store of the version before the graph was kept. */
static void make_version_1(const char *at)
{
    sqlite3 *db;
    FILE *file = fopen(FL_SOURCE_DIR "/schemas/sql/sqlite/001_incidents.sql", "rb");
    char sql[4096] = {0};
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_gt(fread(sql, 1, sizeof(sql) - 1, file), 0);
    fclose(file);
    ck_assert_int_eq(sqlite3_open(at, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(
        sqlite3_exec(
            db,
            "PRAGMA application_id = 0x464C4E31; PRAGMA user_version = 1;"
            "INSERT INTO incident VALUES ('a1', 1, 2, 'cause-found', 's', 'cpu', 0.5, '{}')",
            NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
}

START_TEST(a_store_of_the_version_before_keeps_its_incidents)
{
    char old[192], *document = NULL;
    fl_store *upgraded = NULL;
    snprintf(old, sizeof(old), "%s/old.db", place.folder);
    make_version_1(old);
    ck_assert_ok(fl_store_open(&upgraded, old, FL_STORE_EXISTING, &err));
    ck_assert_ok(fl_store_get(upgraded, "a1", &document, &err));
    ck_assert_str_eq(document, "{}");
    fl_mem_free(document);
    small in;
    make_small(&in);
    ck_assert_ok(fl_graph_add(NULL, upgraded, &in.batch, &err));
    fl_store_close(upgraded);
}
END_TEST

START_TEST(every_question_names_the_team_first)
{
    const char *const *const tables[] = {fl_sql_nodes,          fl_sql_edges,
                                         fl_sql_evidence,       fl_sql_pg_nodes_each,
                                         fl_sql_pg_edges_each,  fl_sql_pg_evidence_each,
                                         fl_sql_evidence_brief, fl_sql_pg_evidence_brief_each};
    static const size_t counts[] = {2, 4, 2, 2, 4, 2, 2, 2};
    for (size_t t = 0; t < 8; t++)
        for (size_t i = t < 3 || t == 6 ? 0 : 1; i < counts[t]; i++) {
            const char *where = strstr(tables[t][i], " WHERE ");
            ck_assert_ptr_nonnull(where);
            ck_assert_ptr_null(strstr(where + 1, " WHERE "));
            ck_assert_ptr_null(strstr(tables[t][i], " JOIN "));
            ck_assert_int_eq(strncmp(where, " WHERE team = $1 AND ", 21), 0);
        }
}
END_TEST

typedef struct trail {
    uint64_t ids[8];
    size_t count;
} trail;

static fl_status follow_edge(const fl_graph_edge *row, void *payload, fl_error *e)
{
    trail *out = payload;
    (void)e;
    ck_assert_uint_lt(out->count, 8);
    out->ids[out->count++] = row->id;
    return FL_OK;
}

static fl_status follow_evidence(const fl_graph_evidence *row, void *payload, fl_error *e)
{
    trail *out = payload;
    (void)e;
    ck_assert_uint_lt(out->count, 8);
    out->ids[out->count++] = row->id;
    return FL_OK;
}

START_TEST(several_ids_are_asked_at_once_and_answered_in_order)
{
    small in;
    make_small(&in);
    ck_assert_ok(fl_graph_add(NULL, store, &in.batch, &err));
    uint64_t ids[] = {in.edges[1].id, 7, in.edges[0].id, in.edges[1].id};
    ck_assert_uint_eq(fl_graph_sort_ids(ids, 4), 3);
    ck_assert((int64_t)ids[0] < (int64_t)ids[1] && (int64_t)ids[1] < (int64_t)ids[2]);
    trail all = {.count = 0}, single = {.count = 0};
    fl_graph_question question = {
        .scope = FL_GRAPH_ONE, .as_of_ns = FL_GRAPH_NOW, .ids = ids, .id_count = 3};
    ck_assert_ok(fl_graph_evidence_for(store, &question, follow_evidence, &all, &err));
    for (size_t i = 0; i < 3; i++) {
        const fl_graph_question one = {
            .scope = FL_GRAPH_ONE, .id = ids[i], .as_of_ns = FL_GRAPH_NOW};
        ck_assert_ok(fl_graph_evidence_for(store, &one, follow_evidence, &single, &err));
    }
    ck_assert_uint_eq(all.count, 3);
    ck_assert_mem_eq(&all, &single, sizeof(all));
}
END_TEST

START_TEST(a_limit_holds_for_each_of_several_ids)
{
    small in;
    make_small(&in);
    ck_assert_ok(fl_graph_add(NULL, store, &in.batch, &err));
    uint64_t edges[] = {in.edges[0].id, in.edges[1].id};
    uint64_t nodes[] = {in.nodes[0].id, in.nodes[1].id, in.nodes[2].id};
    trail all = {.count = 0}, out = {.count = 0}, in_edges = {.count = 0};
    fl_graph_question question = {.scope = FL_GRAPH_ONE,
                                  .as_of_ns = FL_GRAPH_NOW,
                                  .limit = 1,
                                  .ids = edges,
                                  .id_count = fl_graph_sort_ids(edges, 2)};
    ck_assert_ok(fl_graph_evidence_for(store, &question, follow_evidence, &all, &err));
    ck_assert_uint_eq(all.count, 2);
    question.ids = nodes;
    question.id_count = fl_graph_sort_ids(nodes, 3);
    question.scope = FL_GRAPH_OUT;
    ck_assert_ok(fl_graph_edges(store, &question, follow_edge, &out, &err));
    ck_assert_uint_eq(out.count, 2);
    question.scope = FL_GRAPH_IN;
    ck_assert_ok(fl_graph_edges(store, &question, follow_edge, &in_edges, &err));
    ck_assert_uint_eq(in_edges.count, 2);
    ck_assert_uint_eq(in_edges.ids[0] ^ in_edges.ids[1], out.ids[0] ^ out.ids[1]);
    seen named = {0};
    question.scope = FL_GRAPH_ONE;
    ck_assert_ok(fl_graph_nodes(store, &question, see_node, &named, &err));
    ck_assert_uint_eq(named.count, 3);
}
END_TEST

/* A team's edges are millions; those of a node are found by the index that is there for it. */
START_TEST(the_edges_of_a_node_are_found_by_their_index)
{
    static const char *const expected[] = {[FL_GRAPH_ALL] = "PRIMARY KEY (team=?)",
                                           [FL_GRAPH_ONE] = "PRIMARY KEY (team=? AND id=?)",
                                           [FL_GRAPH_OUT] = "edge_out (team=? AND from_id=?)",
                                           [FL_GRAPH_IN] = "edge_in (team=? AND to_id=?)"};
    sqlite3 *db;
    if (place.is_shared)
        return;
    ck_assert_int_eq(sqlite3_open(place.url, &db), SQLITE_OK);
    for (size_t i = 0; i < 4; i++) {
        char sql[512];
        sqlite3_stmt *plan = NULL;
        snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", fl_sql_edges[i]);
        ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &plan, NULL), SQLITE_OK);
        ck_assert_int_eq(sqlite3_step(plan), SQLITE_ROW);
        const char *detail = (const char *)sqlite3_column_text(plan, 3);
        ck_assert_msg(strstr(detail, expected[i]) != NULL, "%s: %s", sql, detail);
        ck_assert_int_eq(sqlite3_step(plan), SQLITE_DONE);
        sqlite3_finalize(plan);
    }
    sqlite3_close(db);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store/graph_store");
    TCase *tc = tcase_create("graph_store");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_was_added_is_read_back);
    tcase_add_test(tc, what_is_held_does_not_see_what_others_write);
    tcase_add_test(tc, kinds_kept_over_batches_are_forgotten_with_a_batch_that_fails);
    tcase_add_test(tc, adding_again_adds_nothing);
    tcase_add_test(tc, edges_are_found_from_both_ends);
    tcase_add_test(tc, what_was_not_yet_recorded_was_not_yet_known);
    tcase_add_test(tc, a_batch_is_added_whole_or_not_at_all);
    tcase_add_test(tc, an_edge_that_its_kind_does_not_allow_is_refused);
    tcase_add_test(tc, an_edge_may_lead_to_what_the_store_holds_and_nowhere_else);
    tcase_add_test(tc, a_text_beyond_its_limit_is_refused);
    tcase_add_test(tc, the_longest_author_and_reference_fit_into_an_index);
    tcase_add_test(tc, a_text_that_is_not_utf8_or_nothing_is_refused);
    tcase_add_test(tc, every_allocation_may_fail);
    tcase_add_test(tc, two_processes_lose_nothing_and_double_nothing);
    tcase_add_test(tc, a_store_of_the_version_before_keeps_its_incidents);
    tcase_add_test(tc, every_question_names_the_team_first);
    tcase_add_test(tc, several_ids_are_asked_at_once_and_answered_in_order);
    tcase_add_test(tc, a_limit_holds_for_each_of_several_ids);
    tcase_add_test(tc, the_edges_of_a_node_are_found_by_their_index);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
