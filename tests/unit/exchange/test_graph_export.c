#include "graph_export.h"

#include <jansson.h>

#include "graph_text.h"
#include "mem.h"

#include "fl_graph_made.h"
#include "fl_store_place.h"
#include "fl_test.h"

static fl_error err;
static fl_store_place place;
static fl_store *store;
static fl_buf out;
static fl_made_graph made;

static void setup(void)
{
    err = (fl_error){0};
    fl_store_place_make(&place);
    store = NULL;
    out = fl_buf_of(1u << 20);
    fl_make_graph(&made);
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
    ck_assert_ok(fl_graph_add(NULL, store, &made.batch, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&out);
    fl_store_close(store);
    fl_store_place_clear(&place);
}

static void make_buffer(void)
{
    out = fl_buf_of(1u << 20);
}

static void drop_buffer(void)
{
    fl_buf_dispose(&out);
}

static const char *exported(const char *format, int64_t as_of_ns)
{
    const fl_graph_sink sink = {.out = &out};
    fl_buf_clear(&out);
    ck_assert_ok(fl_graph_export(&sink, store, format, as_of_ns, &err));
    return out.ptr;
}

static const char *quoted(void (*quote)(fl_buf *, const char *), const char *text)
{
    fl_buf_clear(&out);
    fl_buf_text(&out, "");
    quote(&out, text);
    return out.ptr != NULL ? out.ptr : "";
}

/* What each language makes of one text. */
static const struct {
    const char *text, *json, *dot, *xml, *cypher;
} texts[] = {
    {"plain", "\"plain\"", "\"plain\"", "plain", "'plain'"},
    {"", "\"\"", "\"\"", "", "''"},
    {"a\"b", "\"a\\\"b\"", "\"a\\\"b\"", "a&quot;b", "'a\"b'"},
    {"it's", "\"it's\"", "\"it's\"", "it's", "'it\\'s'"},
    {"\\", "\"\\\\\"", "\"\\\\\"", "\\", "'\\\\' + ''"},
    {"\\u0027", "\"\\\\u0027\"", "\"\\\\u0027\"", "\\u0027", "'\\\\' + 'u0027'"},
    {"</script>", "\"\\u003c/script>\"", "\"</script>\"", "&lt;/script&gt;", "'</script>'"},
    {"a\nb\r\t", "\"a\\nb\\u000d\\u0009\"", "\"a b  \"", "a&#10;b&#13;&#9;",
     "'a\\nb\\u000D\\u0009'"},
    {"\x1b[m\x7f", "\"\\u001b[m\\u007f\"", "\" [m \"", "\xEF\xBF\xBD[m\xEF\xBF\xBD",
     "'\\u001B[m\\u007F'"},
    {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"",
     "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
     "'\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80'"},
    {"a\xFF\xC3", "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"", "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"",
     "a\xEF\xBF\xBD\xEF\xBF\xBD", "'a\xEF\xBF\xBD\xEF\xBF\xBD'"},
    {"\xEF\xBF\xBE", "\"\xEF\xBF\xBE\"", "\"\xEF\xBF\xBE\"", "\xEF\xBF\xBD", "'\xEF\xBF\xBE'"},
};

START_TEST(no_text_ends_its_string_in_any_language)
{
    ck_assert_str_eq(quoted(fl_graph_json_text, texts[_i].text), texts[_i].json);
    ck_assert_str_eq(quoted(fl_graph_dot_text, texts[_i].text), texts[_i].dot);
    ck_assert_str_eq(quoted(fl_graph_xml_text, texts[_i].text), texts[_i].xml);
    ck_assert_str_eq(quoted(fl_graph_cypher_text, texts[_i].text), texts[_i].cypher);
}
END_TEST

START_TEST(no_text_at_all_is_null)
{
    ck_assert_str_eq(quoted(fl_graph_json_text, NULL), "null");
    ck_assert_str_eq(quoted(fl_graph_cypher_text, NULL), "null");
}
END_TEST

START_TEST(json_says_what_was_kept)
{
    json_error_t error;
    json_t *document = json_loads(exported("json", FL_GRAPH_NOW), 0, &error);
    ck_assert_msg(document != NULL, "%s", error.text);
    ck_assert_uint_eq(json_array_size(json_object_get(document, "nodes")), 4);
    ck_assert_uint_eq(json_array_size(json_object_get(document, "edges")), 3);
    ck_assert_uint_eq(json_array_size(json_object_get(document, "evidence")), 3);
    size_t i, hostile = 0;
    json_t *node;
    json_array_foreach(json_object_get(document, "nodes"), i, node)
    {
        const char *key = json_string_value(json_object_get(node, "key"));
        hostile += strcmp(key, FL_HOSTILE_TEXT) == 0;
    }
    ck_assert_uint_eq(hostile, 1);
    json_decref(document);
}
END_TEST

START_TEST(what_was_recorded_later_is_left_out)
{
    exported("json", FL_MADE_AT_NS);
    ck_assert_ptr_null(strstr(out.ptr, "raise maxTotal"));
    ck_assert_ptr_nonnull(strstr(out.ptr, "could not get a connection"));
    exported("json", FL_MADE_AT_NS - 1);
    ck_assert_str_eq(out.ptr, "{\n  \"schema\": \"faultline.graph/1\",\n  \"nodes\": [],\n"
                              "  \"edges\": [],\n  \"evidence\": []\n}\n");
}
END_TEST

START_TEST(edges_are_written_with_how_sure_they_are)
{
    exported("graphml", FL_MADE_AT_NS + 2);
    /* one for and one against, moments ago: a half; one for: three quarters */
    ck_assert_ptr_nonnull(strstr(out.ptr, "<data key=\"e_mean\">0.500000</data>"));
    ck_assert_ptr_nonnull(strstr(out.ptr, "<data key=\"e_mean\">0.750000</data>"));
    ck_assert_ptr_nonnull(strstr(out.ptr, "<data key=\"e_contradicting\">1</data>"));
    exported("dot", FL_MADE_AT_NS + 2);
    ck_assert_ptr_nonnull(strstr(out.ptr, "[label=\"explained-by 0.50, n = 2\"]"));
    ck_assert_ptr_nonnull(strstr(out.ptr, "[label=\"requires\"]"));
    exported("cypher", FL_MADE_AT_NS + 2);
    ck_assert_ptr_nonnull(strstr(out.ptr, "r.mean = 0.750000"));
    ck_assert_ptr_nonnull(strstr(out.ptr, "MERGE (a)-[r:EXPLAINED_BY {id: '"));
    ck_assert_ptr_nonnull(strstr(out.ptr, ", n:Cause, n.key = '\\'); DROP TABLE node; -- \"q\\\\' +"
                                          " 'u0027\\\\' + '\" </script> \\u001B[31m ]]> & \\n"));
}
END_TEST

START_TEST(a_cypher_statement_is_one_line)
{
    const char *line = exported("cypher", FL_GRAPH_NOW);
    size_t count = 0;
    for (; *line != '\0'; line = strchr(line, '\n') + 1, count++)
        ck_assert_int_eq(strchr(line, '\n')[-1], ';');
    ck_assert_uint_eq(count, 2 + 4 + 3 + 3);
}
END_TEST

typedef struct drained {
    size_t flushes, bytes;
    bool refuses;
} drained;

static fl_status drain(void *payload, fl_error *e)
{
    drained *all = payload;
    all->flushes++;
    all->bytes += out.len;
    fl_buf_clear(&out);
    return all->refuses ? fl_fail(e, FL_E_IO, FL_NO_OFFSET, "no more") : FL_OK;
}

enum { MANY = 2000 };

START_TEST(a_large_graph_goes_in_pieces)
{
    static char keys[MANY][16];
    static fl_graph_node nodes[MANY];
    drained all = {0};
    const fl_graph_sink sink = {.out = &out, .flush = drain, .payload = &all};
    for (int i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof(keys[i]), "service-%d", i);
        nodes[i] = fl_made_node(FL_NODE_SERVICE, keys[i], 1);
    }
    const fl_graph_batch batch = {.nodes = nodes, .node_count = MANY};
    ck_assert_ok(fl_graph_add(NULL, store, &batch, &err));
    ck_assert_ok(fl_graph_export(&sink, store, "json", FL_GRAPH_NOW, &err));
    ck_assert_uint_ge(all.flushes, 3);
    ck_assert_uint_le(out.cap, 2 * FL_GRAPH_FLUSH_BYTES);
    all.refuses = true;
    ck_assert_fails(FL_E_IO, fl_graph_export(&sink, store, "json", FL_GRAPH_NOW, &err));
    ck_assert_str_eq(err.message, "no more");
}
END_TEST

START_TEST(every_failed_allocation_is_an_error_and_leaks_nothing)
{
    static const char *const formats[] = {"json", "dot", "graphml", "cypher"};
    for (size_t f = 0; f < 4; f++) {
        fl_status status = FL_E_NOMEM;
        for (long n = 0; status != FL_OK && n < 100; n++) {
            const fl_graph_sink sink = {.out = &out};
            fl_buf_dispose(&out);
            out = fl_buf_of(1u << 20);
            err = (fl_error){0};
            fl_mem_fail_after(n);
            status = fl_graph_export(&sink, store, formats[f], FL_GRAPH_NOW, &err);
            fl_mem_fail_after(-1);
            ck_assert(status == FL_OK || status == FL_E_NOMEM);
        }
        ck_assert_int_eq(status, FL_OK);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("graph_export");
    TCase *tc = tcase_create("cases");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, json_says_what_was_kept);
    tcase_add_test(tc, what_was_recorded_later_is_left_out);
    tcase_add_test(tc, edges_are_written_with_how_sure_they_are);
    tcase_add_test(tc, a_cypher_statement_is_one_line);
    tcase_add_test(tc, a_large_graph_goes_in_pieces);
    tcase_add_test(tc, every_failed_allocation_is_an_error_and_leaks_nothing);
    suite_add_tcase(s, tc);
    TCase *storeless = tcase_create("storeless");
    tcase_add_checked_fixture(storeless, make_buffer, drop_buffer);
    tcase_add_loop_test(storeless, no_text_ends_its_string_in_any_language, 0,
                        sizeof(texts) / sizeof(texts[0]));
    tcase_add_test(storeless, no_text_at_all_is_null);
    suite_add_tcase(s, storeless);
    return s;
}

FL_TEST_MAIN(suite)
