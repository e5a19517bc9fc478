#include "graph.h"

#include "slice.h"

#include "fl_test.h"

START_TEST(every_kind_is_found_by_its_name)
{
    for (fl_node_kind kind = 0; kind < FL_NODE_KIND_COUNT; kind++) {
        fl_node_kind found = FL_NODE_KIND_COUNT;
        ck_assert(fl_node_kind_of(fl_slice_of(fl_node_kind_name(kind)), &found));
        ck_assert_int_eq(found, kind);
    }
    for (fl_edge_kind kind = 0; kind < FL_EDGE_KIND_COUNT; kind++) {
        fl_edge_kind found = FL_EDGE_KIND_COUNT;
        ck_assert(fl_edge_kind_of(fl_slice_of(fl_edge_kind_name(kind)), &found));
        ck_assert_int_eq(found, kind);
    }
    fl_node_kind node;
    fl_edge_kind edge;
    ck_assert(!fl_node_kind_of(SLICE("host"), &node));
    ck_assert(!fl_edge_kind_of(SLICE("resolved by"), &edge));
}
END_TEST

START_TEST(an_edge_leads_only_where_its_meaning_allows)
{
    size_t allowed = 0;
    for (fl_edge_kind kind = 0; kind < FL_EDGE_KIND_COUNT; kind++)
        for (fl_node_kind from = 0; from < FL_NODE_KIND_COUNT; from++)
            for (fl_node_kind to = 0; to < FL_NODE_KIND_COUNT; to++)
                allowed += fl_edge_allowed(kind, from, to);
    ck_assert_uint_eq(allowed, FL_EDGE_KIND_COUNT + 1); /* "requires" leads to two kinds */
    ck_assert(fl_edge_allowed(FL_EDGE_EXPLAINED_BY, FL_NODE_SYMPTOM, FL_NODE_CAUSE));
    ck_assert(!fl_edge_allowed(FL_EDGE_EXPLAINED_BY, FL_NODE_CAUSE, FL_NODE_SYMPTOM));
}
END_TEST

START_TEST(an_id_depends_on_all_that_makes_the_thing)
{
    uint64_t a = fl_node_id(FL_NODE_CAUSE, SLICE("pool")),
             b = fl_node_id(FL_NODE_FIX, SLICE("pool"));
    ck_assert_uint_ne(a, b);
    ck_assert_uint_ne(a, fl_node_id(FL_NODE_CAUSE, SLICE("pool ")));
    ck_assert_uint_eq(a, fl_node_id(FL_NODE_CAUSE, SLICE("pool")));
    uint64_t edge = fl_edge_id(FL_EDGE_RESOLVED_BY, a, b, SLICE(""));
    ck_assert_uint_ne(edge, fl_edge_id(FL_EDGE_RESOLVED_BY, b, a, SLICE("")));
    ck_assert_uint_ne(edge, fl_edge_id(FL_EDGE_EXPLAINED_BY, a, b, SLICE("")));
    ck_assert_uint_ne(edge, fl_edge_id(FL_EDGE_RESOLVED_BY, a, b, SLICE("<2")));
}
END_TEST

START_TEST(ids_are_the_same_on_every_machine_and_in_every_version)
{
    /* Stores hold them: a change here is a migration. */
    ck_assert_uint_eq(fl_node_id(FL_NODE_SYMPTOM, SLICE("x")), UINT64_C(5047050920502315278));
    ck_assert_uint_eq(fl_edge_id(FL_EDGE_CALLS, 1, 2, SLICE("")), UINT64_C(10541575209531800385));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("graph");
    TCase *tc = tcase_create("graph");
    tcase_add_test(tc, every_kind_is_found_by_its_name);
    tcase_add_test(tc, an_edge_leads_only_where_its_meaning_allows);
    tcase_add_test(tc, an_id_depends_on_all_that_makes_the_thing);
    tcase_add_test(tc, ids_are_the_same_on_every_machine_and_in_every_version);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
