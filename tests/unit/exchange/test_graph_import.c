#include "graph_import.h"

#include "graph_export.h"
#include "mem.h"

#include "fl_graph_made.h"
#include "fl_store_place.h"
#include "fl_test.h"

static fl_error err;
static fl_store_place place;
static fl_store *store;
static fl_buf document, again;
static fl_made_graph made;

static void export_to(fl_buf *out)
{
    const fl_graph_sink sink = {.out = out};
    fl_buf_clear(out);
    ck_assert_ok(fl_graph_export(&sink, store, "json", FL_GRAPH_NOW, &err));
}

static void make_store(void)
{
    fl_store_place_make(&place);
    store = NULL;
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
}

static void clear_store(void)
{
    fl_store_close(store);
    fl_store_place_clear(&place);
}

/* `document` is that of a store that is gone; `store` is empty. */
static void setup(void)
{
    err = (fl_error){0};
    document = fl_buf_of(1u << 20);
    again = fl_buf_of(1u << 20);
    fl_make_graph(&made);
    make_store();
    ck_assert_ok(fl_graph_add(NULL, store, &made.batch, &err));
    export_to(&document);
    clear_store();
    make_store();
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&document);
    fl_buf_dispose(&again);
    clear_store();
}

/* Hands over at most `step` bytes at a time. */
typedef struct pieces {
    fl_slice left;
    size_t step;
} pieces;

static fl_status read_piece(void *payload, void *buf, size_t cap, size_t *len, fl_error *e)
{
    pieces *from = payload;
    (void)e;
    *len = from->left.len < from->step ? from->left.len : from->step;
    *len = *len < cap ? *len : cap;
    if (*len > 0)
        memcpy(buf, from->left.ptr, *len);
    from->left.ptr += *len;
    from->left.len -= *len;
    return FL_OK;
}

static fl_status import_in(fl_graph_imported *out, fl_store *into, fl_slice text, size_t step)
{
    pieces from = {.left = text, .step = step};
    const fl_graph_source source = {.name = "graph.json", .read = read_piece, .payload = &from};
    return fl_graph_import(out, into, &source, &err);
}

START_TEST(an_import_is_the_inverse_of_an_export)
{
    static const size_t steps[] = {1, 7, 4096, SIZE_MAX};
    fl_graph_imported read;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        ck_assert_ok(import_in(&read, store, fl_buf_slice(&document), steps[i]));
        ck_assert_uint_eq(read.nodes, 4);
        ck_assert_uint_eq(read.edges, 3);
        ck_assert_uint_eq(read.evidence, 3);
        ck_assert_uint_eq(read.added.nodes, i == 0 ? 4 : 0);
        ck_assert_uint_eq(read.added.edges, i == 0 ? 3 : 0);
        ck_assert_uint_eq(read.added.evidence, i == 0 ? 3 : 0);
        export_to(&again);
        ck_assert_str_eq(again.ptr, document.ptr);
    }
}
END_TEST

START_TEST(edges_may_join_nodes_that_only_the_store_has)
{
    fl_graph_imported read;
    const fl_graph_batch nodes = {.nodes = made.nodes, .node_count = 4};
    char *edges = strstr(document.ptr, "],\n  \"edges\"");
    fl_buf shorter = fl_buf_of(1u << 20);
    ck_assert_ok(fl_graph_add(NULL, store, &nodes, &err));
    fl_buf_text(&shorter, "{\"schema\":\"faultline.graph/1\",\"nodes\":[");
    fl_buf_text(&shorter, edges);
    ck_assert_ok(import_in(&read, store, fl_buf_slice(&shorter), SIZE_MAX));
    ck_assert_uint_eq(read.added.nodes, 0);
    ck_assert_uint_eq(read.added.edges, 3);
    export_to(&again);
    ck_assert_str_eq(again.ptr, document.ptr);
    fl_buf_dispose(&shorter);
}
END_TEST

START_TEST(an_edge_to_a_node_that_nobody_has_is_refused_with_its_lines)
{
    fl_graph_imported read;
    char *edges = strstr(document.ptr, "],\n  \"edges\"");
    fl_buf shorter = fl_buf_of(1u << 20);
    fl_buf_text(&shorter, "{\"schema\":\"faultline.graph/1\",\"nodes\":[");
    fl_buf_text(&shorter, edges);
    ck_assert_ok(import_in(&read, NULL, fl_buf_slice(&shorter), SIZE_MAX)); /* cannot be known */
    ck_assert_fails(FL_E_SYNTAX, import_in(&read, store, fl_buf_slice(&shorter), SIZE_MAX));
    ck_assert_str_eq(err.message, "graph.json:3 to 5: an edge ends at a node that is not there");
    fl_buf_dispose(&shorter);
}
END_TEST

START_TEST(evidence_for_an_edge_that_nobody_has_is_refused_and_the_rest_is_kept)
{
    fl_graph_imported read;
    const char *row = strstr(document.ptr, "\"from\"");
    fl_buf shorter = fl_buf_of(1u << 20);
    char *edges = strstr(document.ptr, "\"edges\": ["),
         *evidence = strstr(document.ptr, "],\n  \"ev");
    ck_assert_ptr_nonnull(row);
    fl_buf_add(&shorter, (fl_slice){.ptr = (const unsigned char *)document.ptr,
                                    .len = (size_t)(edges - document.ptr) + 10});
    fl_buf_text(&shorter, evidence);
    ck_assert_fails(FL_E_SYNTAX, import_in(&read, store, fl_buf_slice(&shorter), SIZE_MAX));
    ck_assert_ptr_nonnull(strstr(err.message, "there is evidence for an edge that is not there"));
    ck_assert_uint_eq(read.added.nodes, 4);
    fl_buf_dispose(&shorter);
}
END_TEST

#define HEAD "{\"schema\":\"faultline.graph/1\","
#define NODE_REST                                                                                  \
    "\"kind\":\"cause\",\"key\":\"x\",\"title\":null,\"recorded\":\"2023-01-29T09:34:00Z\"}"
#define NODE "{\"id\":\"7501662645214526787\"," NODE_REST

static const struct {
    const char *text;
    fl_status status;
    uint64_t offset;
    const char *message;
} malformed[] = {
    {"", FL_E_TRUNCATED, 0, "graph.json:1: the document ends where '{' was expected"},
    {"  \n ", FL_E_TRUNCATED, 4, "graph.json:2: the document ends where '{' was expected"},
    {"[]", FL_E_SYNTAX, 0, "graph.json:1: expected '{', found '['"},
    {"{}", FL_E_SYNTAX, 1, "graph.json:1: expected a string, found '}'"},
    {"{1:2}", FL_E_SYNTAX, 1, "graph.json:1: expected a string, found a number"},
    {"{\"nodes\":[]}", FL_E_SYNTAX, 1,
     "graph.json:1: the members are not schema, nodes, edges, evidence, in this order"},
    {"{\"schema\":1}", FL_E_SYNTAX, 10, "graph.json:1: expected a string, found a number"},
    {"{\"schema\":\"x\"}", FL_E_UNSUPPORTED, 10,
     "graph.json:1: schema is \"x\", and this program reads faultline.graph/1"},
    {HEAD "\"schema\":1}", FL_E_SYNTAX, 30,
     "graph.json:1: the members are not schema, nodes, edges, evidence, in this order"},
    {HEAD "\"edges\":[],\"nodes\":[]}", FL_E_SYNTAX, 41,
     "graph.json:1: the members are not schema, nodes, edges, evidence, in this order"},
    {HEAD "\"nodes\":{}}", FL_E_SYNTAX, 38, "graph.json:1: expected '[', found '{'"},
    {HEAD "\"nodes\":[1]}", FL_E_SYNTAX, 39, "graph.json:1: expected an object, found a number"},
    {HEAD "\"nodes\":[{}]}", FL_E_SYNTAX, 39, "graph.json:1: a row without \"id\""},
    {HEAD "\"nodes\":[{\"id\":7}]}", FL_E_SYNTAX, 45,
     "graph.json:1: expected a string, found a number"},
    {HEAD "\"nodes\":[\n{\"id\":\"-7\"}]}", FL_E_SYNTAX, 46,
     "graph.json:2: \"id\" is not a number of 64 bits"},
    {HEAD "\"nodes\":[{\"kind\":\n\"curse\"}]}", FL_E_SYNTAX, 48,
     "graph.json:2: there is no kind \"curse\""},
    {HEAD "\"nodes\":[{\"key\":\"\"}]}", FL_E_SYNTAX, 46, "graph.json:1: \"key\" is empty"},
    {HEAD "\"nodes\":[{\"key\":\"a\\u0000\"}]}", FL_E_SYNTAX, 46,
     "graph.json:1: \"key\" holds a NUL"},
    {HEAD "\"nodes\":[{\"recorded\":\"now\"}]}", FL_E_SYNTAX, 51,
     "graph.json:1: \"recorded\" is no time: write it as RFC 3339"},
    {HEAD "\"nodes\":[{\"recorded\":\"2023-99\"}]}", FL_E_SYNTAX, 51,
     "graph.json:1: \"recorded\" is no time: time '2023-99' is not RFC 3339, -DURATION or an"
     " epoch"},
    {HEAD "\"nodes\":[{\"key\":\"\xFF\"}]}", FL_E_SYNTAX, 47,
     "graph.json:1: invalid UTF-8 in a string"},
    {HEAD "\"nodes\":[" NODE "," NODE "", FL_E_TRUNCATED, 240,
     "graph.json:1: the document ends where ',' was expected"},
    {HEAD "\"nodes\":[]} 1", FL_E_SYNTAX, 42, "graph.json:1: there is more behind the document"},
};

START_TEST(a_wrong_document_is_named_with_line_and_offset)
{
    fl_graph_imported read;
    ck_assert_fails(malformed[_i].status,
                    import_in(&read, NULL, SLICE(malformed[_i].text), SIZE_MAX));
    ck_assert_str_eq(err.message, malformed[_i].message);
    ck_assert_uint_eq(err.offset, malformed[_i].offset);
}
END_TEST

START_TEST(an_id_that_is_not_the_hash_is_refused)
{
    fl_graph_imported read;
    ck_assert_fails(
        FL_E_SYNTAX,
        import_in(&read, NULL, SLICE(HEAD "\"nodes\":[{\"id\":\"8\"," NODE_REST "]}"), 1));
    ck_assert_ptr_nonnull(strstr(err.message, "the id 8 is not that of this kind"
                                              " and key, which is "));
}
END_TEST

START_TEST(an_edge_that_may_not_be_is_named_before_anything_is_added)
{
    fl_graph_imported read;
    fl_graph_edge turned =
        fl_made_edge(FL_EDGE_INTRODUCED, &made.nodes[1], &made.nodes[1], NULL, 1);
    char row[256];
    fl_buf wrong = fl_buf_of(1u << 20);
    snprintf(row, sizeof(row),
             "{\"id\":\"%llu\",\"kind\":\"introduced\",\"from\":\"%llu\",\"to\":\"%llu\","
             "\"recorded\":\"2023-01-29T09:34:00Z\"}]}",
             (unsigned long long)turned.id, (unsigned long long)turned.from,
             (unsigned long long)turned.to);
    char *edges = strstr(document.ptr, "\"edges\": [");
    fl_buf_add(&wrong, (fl_slice){.ptr = (const unsigned char *)document.ptr,
                                  .len = (size_t)(edges - document.ptr) + 10});
    fl_buf_text(&wrong, row);
    ck_assert_fails(FL_E_SYNTAX, import_in(&read, NULL, fl_buf_slice(&wrong), SIZE_MAX));
    ck_assert_str_eq(err.message,
                     "graph.json:8: no edge \"introduced\" leads from a cause to a cause");
    fl_buf_dispose(&wrong);
}
END_TEST

START_TEST(members_that_are_not_known_are_passed_over)
{
    fl_graph_imported read;
    ck_assert_ok(import_in(&read, NULL,
                           SLICE(HEAD "\"made_by\":{\"a\":[1,2,{\"b\":\"}\"}]},\"nodes\":[],"
                                      "\"x\":null}"),
                           1));
    ck_assert_uint_eq(read.nodes, 0);
}
END_TEST

START_TEST(every_beginning_of_a_document_is_refused)
{
    fl_slice whole = fl_buf_slice(&document);
    for (size_t len = 0; len + 2 < whole.len; len++) {
        fl_graph_imported read;
        err = (fl_error){0};
        fl_status status = import_in(&read, NULL, (fl_slice){.ptr = whole.ptr, .len = len}, 64);
        ck_assert_msg(status == FL_E_TRUNCATED, "%zu bytes: %s", len, err.message);
        ck_assert_uint_le(err.offset, len);
    }
}
END_TEST

START_TEST(every_failed_allocation_is_an_error_and_leaks_nothing)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK && n < 400; n++) {
        fl_graph_imported read;
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = import_in(&read, store, fl_buf_slice(&document), 4096);
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM || status == FL_E_LIMIT, "%s",
                      err.message);
    }
    ck_assert_int_eq(status, FL_OK);
    export_to(&again);
    ck_assert_str_eq(again.ptr, document.ptr);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("graph_import");
    TCase *tc = tcase_create("cases");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_import_is_the_inverse_of_an_export);
    tcase_add_test(tc, edges_may_join_nodes_that_only_the_store_has);
    tcase_add_test(tc, an_edge_to_a_node_that_nobody_has_is_refused_with_its_lines);
    tcase_add_test(tc, evidence_for_an_edge_that_nobody_has_is_refused_and_the_rest_is_kept);
    tcase_add_test(tc, an_edge_that_may_not_be_is_named_before_anything_is_added);
    tcase_add_test(tc, members_that_are_not_known_are_passed_over);
    tcase_add_test(tc, every_beginning_of_a_document_is_refused);
    tcase_add_test(tc, every_failed_allocation_is_an_error_and_leaks_nothing);
    suite_add_tcase(s, tc);
    TCase *storeless = tcase_create("storeless");
    tcase_add_loop_test(storeless, a_wrong_document_is_named_with_line_and_offset, 0,
                        sizeof(malformed) / sizeof(malformed[0]));
    tcase_add_test(storeless, an_id_that_is_not_the_hash_is_refused);
    suite_add_tcase(s, storeless);
    return s;
}

FL_TEST_MAIN(suite)
