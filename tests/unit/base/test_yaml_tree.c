#include "yaml_tree.h"

#include "fl_test.h"
#include "mem.h"
#include "slice.h"

static fl_arena arena;
static fl_error err;
static const fl_yaml *root;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(1 << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
}

static fl_status read(const char *text)
{
    return fl_yaml_read(&root, &arena, SLICE(text), "own.yaml", &err);
}

static const fl_yaml *member(const fl_yaml *map, const char *key)
{
    const fl_yaml *found = fl_yaml_member(map, SLICE(key));
    ck_assert_msg(found != NULL, "no member %s", key);
    return found;
}

static const char good[] = "# rules\n"
                           "name: a\n"
                           "list:\n"
                           "  - one\n"
                           "  - {k: 'v w', n: 3}\n"
                           "  - [x, y]\n"
                           "text: |\n"
                           "  two\n"
                           "  lines\n"
                           "empty: []\n";

START_TEST(a_document_becomes_a_tree_whose_nodes_know_their_place)
{
    ck_assert_ok(read(good));
    ck_assert_int_eq(root->kind, FL_YAML_MAP);
    ck_assert_uint_eq(root->count, 4);
    ck_assert_str_eq((const char *)member(root, "name")->text.ptr, "a");
    const fl_yaml *list = member(root, "list");
    ck_assert_int_eq(list->kind, FL_YAML_LIST);
    ck_assert_uint_eq(list->count, 3);
    const fl_yaml *second = list->first->next;
    ck_assert_str_eq((const char *)member(second, "k")->text.ptr, "v w");
    ck_assert_uint_eq(member(second, "n")->line, 5);
    ck_assert_uint_eq(member(second, "n")->column, 16);
    ck_assert_str_eq((const char *)second->next->first->next->text.ptr, "y");
    ck_assert_str_eq((const char *)member(root, "text")->text.ptr, "two\nlines\n");
    ck_assert_ptr_null(member(root, "empty")->first);
    ck_assert_ptr_null(fl_yaml_member(root, FL_SLICE("other")));
    ck_assert_ptr_null(fl_yaml_member(list, FL_SLICE("other")));
}
END_TEST

START_TEST(a_complaint_about_a_node_names_its_source_line_and_column)
{
    ck_assert_ok(read(good));
    ck_assert_fails(FL_E_SYNTAX, fl_yaml_fail(member(root, "text"), "own.yaml", &err, "not %d", 7));
    ck_assert_str_eq(err.message, "own.yaml:7:1: not 7");
}
END_TEST

static const struct bad {
    const char *text, *message;
} bad[] = {
    {"", "own.yaml:1:1: the document is empty"},
    {"# nothing\n", "own.yaml:2:1: the document is empty"},
    {"a: 1\na: 2\n", "own.yaml:2:1: this key is given twice"},
    {"a: &x 1\nb: *x\n", "own.yaml:2:4: aliases are not taken here"},
    {"{a: 1, *x : 2}", "own.yaml:1:8: aliases are not taken here"},
    {"[a]: 1\n", "own.yaml:1:1: a key is a plain word"},
    {"a: 1\n---\nb: 2\n", "own.yaml:2:1: one document only"},
    {"a: [1, 2\n", "own.yaml:2:1: did not find expected ',' or ']'"},
    {"a: 'x\n", "own.yaml:2:1: found unexpected end of stream"},
    {"a: b: c\n", "own.yaml:1:5: mapping values are not allowed in this context"},
    {"a:\n\t- b\n", "own.yaml:2:1: found character that cannot start any token"},
    {"a: \x01\n", "own.yaml:1:4: control characters are not allowed"},
    {"a: b\nc: \xff\n", "own.yaml:2:4: invalid leading UTF-8 octet"},
    {"a: \"x\\0y\"\n", "own.yaml:1:4: a text holds no NUL"},
    {"[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]", "own.yaml:1:17: nested more than 16 deep"},
};

START_TEST(a_bad_document_is_refused_with_its_place)
{
    ck_assert_fails(FL_E_SYNTAX, read(bad[_i].text));
    ck_assert_str_eq(err.message, bad[_i].message);
    ck_assert_ptr_null(root);
}
END_TEST

START_TEST(every_prefix_is_read_or_refused)
{
    for (size_t len = 0; len < sizeof(good); len++) {
        fl_slice prefix = {.ptr = (const unsigned char *)good, .len = len};
        err = (fl_error){0};
        fl_status status = fl_yaml_read(&root, &arena, prefix, "own.yaml", &err);
        ck_assert_msg(status == FL_OK || status == FL_E_SYNTAX, "%zu: %s", len, err.message);
        ck_assert((status == FL_OK) == (root != NULL));
    }
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status == FL_E_NOMEM && n < 100; n++) {
        fl_arena_dispose(&arena);
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = read(good);
        fl_mem_fail_after(-1);
    }
    ck_assert_ok(status);
    fl_arena small = fl_arena_of(64);
    ck_assert_fails(FL_E_NOMEM, fl_yaml_read(&root, &small, SLICE(good), "own.yaml", &err));
    ck_assert_str_eq(err.message, "no memory for own.yaml");
    fl_arena_dispose(&small);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("yaml_tree");
    TCase *cases = tcase_create("yaml");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_document_becomes_a_tree_whose_nodes_know_their_place);
    tcase_add_test(cases, a_complaint_about_a_node_names_its_source_line_and_column);
    tcase_add_loop_test(cases, a_bad_document_is_refused_with_its_place, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(cases, every_prefix_is_read_or_refused);
    tcase_add_test(cases, every_allocation_may_fail);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
