#include <stdio.h>

#include "fl_test.h"
#include "heap_of_maps.h"
#include "mem.h"
#include "oql.h"

static fl_error err;
static built_heap maps;
static fl_oql *oql;
static fl_oql_answer *answer;

static void setup(void)
{
    err = (fl_error){0};
    oql = NULL;
    answer = NULL;
    ck_assert_ok(maps_open(&maps, 8, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_oql_answer_destroy(answer);
    fl_oql_destroy(oql);
    built_close(&maps);
}

static fl_status ask_limited(const char *text, size_t limit)
{
    fl_oql_options options = {.limit = limit};
    fl_oql_answer_destroy(answer);
    fl_oql_destroy(oql);
    answer = NULL;
    err = (fl_error){0};
    fl_status status = fl_oql_parse(&oql, SLICE(text), &err);
    return status == FL_OK ? fl_oql_run(&answer, oql, maps.heap, &options, &err) : status;
}

static fl_status ask(const char *text)
{
    return ask_limited(text, 100);
}

static void put(fl_buf *out, const fl_oql_value *value)
{
    switch (value->kind) {
    case FL_OQL_NULL:
        fl_buf_text(out, "null");
        break;
    case FL_OQL_BOOL:
        fl_buf_text(out, value->number ? "true" : "false");
        break;
    case FL_OQL_FLOAT:
        fl_buf_printf(out, "%g", value->real);
        break;
    case FL_OQL_TEXT:
        fl_buf_add(out, value->text);
        break;
    case FL_OQL_OBJECT:
        fl_buf_printf(out, "0x%llx", (unsigned long long)fl_heap_id(maps.heap, value->object));
        break;
    case FL_OQL_OBJECTS:
        for (size_t i = 0; i < value->count; i++)
            fl_buf_printf(out, "%s0x%llx", i > 0 ? "+" : "",
                          (unsigned long long)fl_heap_id(maps.heap, value->objects[i]));
        break;
    default:
        fl_buf_printf(out, "%lld", (long long)value->number);
        break;
    }
}

/* "a,b;c,d": cells and rows. */
static const char *rows(const char *text)
{
    static char out[4096];
    fl_buf buf = fl_buf_of(sizeof(out) - 1);
    fl_status status = ask(text);
    ck_assert_msg(status == FL_OK, "%s: %s", text, err.message);
    const fl_oql_table *table = fl_oql_table_of(answer);
    for (size_t i = 0; i < table->row_count; i++)
        for (size_t k = 0; k < table->column_count; k++) {
            fl_buf_text(&buf, k > 0 ? "," : i > 0 ? ";" : "");
            put(&buf, &table->rows[i].cells[k]);
        }
    memcpy(out, buf.ptr != NULL ? buf.ptr : "", buf.len + 1);
    fl_buf_dispose(&buf);
    return out;
}

typedef struct question {
    const char *text, *answer;
} question;

static void assert_answers(const question *questions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *got = rows(questions[i].text);
        ck_assert_msg(strcmp(got, questions[i].answer) == 0, "%s: %s", questions[i].text, got);
    }
}

#define ASSERT_ANSWERS(questions)                                                                  \
    assert_answers(questions, sizeof(questions) / sizeof((questions)[0]))

START_TEST(the_question_that_users_know_is_answered)
{
    static const question questions[] = {
        {"SELECT h, h.size FROM INSTANCEOF java.util.HashMap h WHERE h.table.@length > 1000", ""},
        {"SELECT h, h.size FROM INSTANCEOF java.util.HashMap h WHERE h.table.@length > 3",
         "0x8000,2"},
        {"SELECT h.size FROM java.util.HashMap h", "2"},
        {"SELECT h.size FROM INSTANCEOF java.util.HashMap h", "2;0"},
        {"-- \xe6\x9f\xa5\xe6\x89\xbe\n"
         "SELECT * FROM INSTANCEOF java.util.HashMap h \nWHERE h.table.@length > 3 \n"
         "AND NOT h.@gcRootInfo IS NOT NULL",
         "0x8000,24,248"},
        {"SELECT t.@gcRootInfo, b.x FROM java.lang.Thread t WHERE 1 = 2", ""},
        {"SELECT t.@gcRootInfo FROM java.lang.Thread t", "thread"},
    };
    ASSERT_ANSWERS(questions);
}
END_TEST

START_TEST(fields_follow_paths_and_stop_at_null)
{
    static const question questions[] = {
        {"SELECT n.key.value.@length, n.next.key, n.hash FROM java.util.HashMap$Node n",
         "5,null,97;4,null,98"},
        {"SELECT size, table, accessOrder FROM java.util.LinkedHashMap", "0,null,true"},
        {"SELECT t[1].key, t[3], t[9], t[-1], t.length, t.@valueArray.@length, t.get(2).hash "
         "FROM java.util.HashMap$Node[] t",
         "0x80c0,null,null,null,4,4,98"},
        {"SELECT a[0], a[1], a[2] FROM int[] a", "7,-8,9"},
        {"SELECT c.CACHE.size, c.LIMIT, c.name FROM OBJECTS shop.Shop c", "2,10,shop.Shop"},
        {"SELECT classof(c).@name FROM OBJECTS shop.Shop c", "java.lang.Class"},
        {"SELECT i.value + 0.5, d.value FROM java.lang.Integer i WHERE i.value < 0 UNION (SELECT "
         "d.value, d.value * 3 - 1 FROM java.lang.Double d)",
         NULL},
    };
    assert_answers(questions, 6);
}
END_TEST

START_TEST(attributes_are_those_of_the_object)
{
    static const question questions[] = {
        {"SELECT @objectAddress, toHex(s.@objectAddress), s.@usedHeapSize, s.@retainedHeapSize, "
         "s.@clazz.@name, s.@class.@superClass.@name, s.@length FROM java.lang.String s "
         "WHERE s.coder = 1",
         "32984,0x80d8,24,48,java.lang.String,java.lang.Object,null"},
        {"SELECT s.@displayName, s.@technicalName, s.@classSpecificName, toString(s) FROM "
         "java.lang.String s WHERE s.coder = 0",
         "java.lang.String @ 0x80c0  alpha,java.lang.String @ 0x80c0,alpha,alpha;"
         "java.lang.String @ 0x8158  main,java.lang.String @ 0x8158,main,main"},
        {"SELECT c.@displayName, c.@numberOfObjects, c.@classLoaderId FROM java.lang.Class c WHERE "
         "c.@name LIKE \"java.util.HashMap.*\" AND c.@numberOfObjects > 1",
         "class java.util.HashMap$Node @ 0x900,2,null"},
        {"SELECT toString(i), i.value FROM java.lang.Integer i", "1,1;-2,-2"},
        {"SELECT toString(d), toString(d.value), d.value FROM java.lang.Double d", "0.5,0.5,0.5"},
        {"SELECT toString(t), t.name.toString().length(), toString(t.local) FROM java.lang.Thread "
         "t",
         "main,4,"},
        {"SELECT toString(b), toString(b.value), b.value[1] FROM java.lang.StringBuilder b",
         "ok,ok-,107"},
        {"SELECT toString(s) FROM java.lang.String s WHERE s.coder = 1", "\xe2\x82\xac"
                                                                         "b"},
        {"SELECT @objectId = d.@getObjectId() FROM java.lang.Double d", "true"},
    };
    ASSERT_ANSWERS(questions);
}
END_TEST

START_TEST(neighbours_and_dominators_are_those_of_the_graph)
{
    static const question questions[] = {
        {"SELECT outbounds(n) FROM java.util.HashMap$Node n WHERE n.hash = 97",
         "0x900+0x80c0+0x8120"},
        {"SELECT inbounds(n) FROM java.util.HashMap$Node n WHERE n.hash = 97", "0x8060"},
        {"SELECT dominatorof(n), dominatorof(classof(n)) FROM java.util.HashMap$Node n WHERE "
         "n.hash = 98",
         "0x8060,null"},
        {"SELECT dominatorof(h).@name, dominators(h) FROM java.util.HashMap h", "shop.Shop,0x8060"},
        {"SELECT OBJECTS dominators(t) FROM java.util.HashMap$Node[] t",
         "0x8080,32,96;0x80a0,32,96"},
        {"SELECT dominators(t).size(), dominators(t).get(7), dominators(t)[0].hash FROM "
         "java.util.HashMap$Node[] t",
         "2,null,97"},
        {"SELECT t FROM java.util.HashMap$Node[] t WHERE t IN inbounds(t[1]) AND t NOT IN "
         "outbounds(t)",
         "0x8060"},
        {"SELECT a.@retainedHeapSize, dominatorof(a) FROM int[] a", "32,null"},
        {"SELECT AS RETAINED SET * FROM java.util.HashMap$Node n WHERE n.hash = 97",
         "0x8080,32,96;0x80c0,24,48;0x80f0,24,24;0x8120,16,16"},
        {"SELECT x.@objectAddress FROM OBJECTS (SELECT AS RETAINED SET n.key FROM "
         "java.util.HashMap$Node n WHERE n.hash = 98) x",
         "32984;33032"},
    };
    ASSERT_ANSWERS(questions);
}
END_TEST

/* What the set of one object weighs, and what the tree says that it retains. */
static void assert_set_weighs(const char *class, uint64_t id)
{
    char text[128];
    uint64_t bytes = 0;
    snprintf(text, sizeof(text), "SELECT AS RETAINED SET * FROM %s", class);
    ck_assert_ok(ask(text));
    const fl_oql_table *table = fl_oql_table_of(answer);
    for (size_t i = 0; i < table->row_count; i++)
        bytes += (uint64_t)table->rows[i].cells[1].number;
    ck_assert_uint_eq(bytes, fl_heap_retained_bytes(maps.heap, fl_heap_find(maps.heap, id)));
}

/* A root that names nothing is none. */
static void hide_root(fl_hprof_made *m, unsigned tag, uint64_t id)
{
    const unsigned char root[] = {(unsigned char)tag, 0, 0, 0, 0, 0, 0, (unsigned char)(id >> 8),
                                  (unsigned char)id};
    size_t at = 0;
    while (at + sizeof(root) < m->out.len && memcmp(m->out.ptr + at, root, sizeof(root)) != 0)
        at++;
    ck_assert_uint_lt(at + sizeof(root), m->out.len);
    m->out.ptr[at + 1] = 0x7f;
}

START_TEST(a_set_weighs_what_the_tree_says)
{
    assert_set_weighs("java.lang.Thread", MAPS_MAIN); /* with what lies on its stack */
    assert_set_weighs("java.util.HashMap", MAPS_BIG);
    built_close(&maps);
    maps.made = maps_made(8);
    for (uint64_t id = MAPS_OBJECT; id <= MAPS_BUILDER; id += 0x100)
        hide_root(&maps.made, 0x05, id);
    hide_root(&maps.made, 0x08, MAPS_MAIN);
    hide_root(&maps.made, 0x03, MAPS_HALF);
    hide_root(&maps.made, 0x07, MAPS_BUILDING);
    ck_assert_ok(built_open(&maps, true, &err));
    ck_assert(!fl_heap_has_roots(maps.heap));
    assert_set_weighs("java.util.HashMap", MAPS_BIG);
}
END_TEST

START_TEST(sources_are_classes_or_objects)
{
    static const question questions[] = {
        {"SELECT s.@objectAddress FROM \"java\\.lang\\.(String|Double)\" s",
         "32960;32984;33112;33192"},
        {"SELECT s FROM \"String\" s", ""},
        {"SELECT s FROM 0x300 s", "0x80c0;0x80d8;0x8158"},
        {"SELECT s FROM OBJECTS 0x300, 0x8000 s", "0x300;0x8000"},
        {"SELECT s FROM OBJECTS java.lang.String s", "0x300"},
        {"SELECT s.hash FROM OBJECTS (SELECT OBJECTS outbounds(t) FROM java.util.HashMap$Node[] t) "
         "s "
         "WHERE s.@clazz.@name = \"java.util.HashMap$Node\"",
         "97;98"},
        {"SELECT s FROM (SELECT * FROM java.lang.Class c WHERE c.@name LIKE \"int..\") s",
         "0x8188"},
        {"SELECT m.size FROM INSTANCEOF (SELECT OBJECTS classof(h) FROM java.util.HashMap h) m",
         "2;0"},
        {"SELECT s FROM OBJECTS (SELECT s.hash + 1 FROM java.util.HashMap$Node s WHERE false) s",
         ""},
        {"SELECT a FROM OBJECTS 0 a", "0x100"},
        {"SELECT x FROM OBJECTS (outbounds(0)) x", "0x200"},
        {"SELECT DISTINCT classof(n) FROM java.util.HashMap$Node n", "0x900"},
        {"SELECT DISTINCT outbounds(n) FROM java.util.HashMap$Node n",
         "0x900+0x80c0+0x8120;0x900+0x80d8+0x8130"},
        {"SELECT s.coder FROM java.lang.String s WHERE s IN (SELECT toString(k) FROM "
         "java.lang.String k WHERE k.coder = 1)",
         "1"},
        {"SELECT (SELECT toString(s) FROM java.lang.String s)[2] FROM java.lang.Thread t WHERE "
         "'m' NOT IN (SELECT toString(s) FROM java.lang.String s) AND NOT 1 IN (SELECT "
         "toString(s) FROM java.lang.String s)",
         "main"},
        {"SELECT DISTINCT n.next, 1 FROM java.util.HashMap$Node n", "null,1"},
        {"SELECT DISTINCT OBJECTS classof(n) FROM java.util.HashMap$Node n UNION (SELECT OBJECTS "
         "classof(i) FROM java.lang.Integer i)",
         NULL},
        {"SELECT n.hash FROM java.util.HashMap$Node n UNION (SELECT i.value FROM java.lang.Integer "
         "i) UNION (SELECT 3 FROM java.lang.Thread)",
         "97;98;1;-2;3"},
        {"SELECT toString(n.key) FROM java.util.HashMap$Node n WHERE toString(n.key) IN (SELECT "
         "toString(s) FROM java.lang.String s WHERE s.coder = 0)",
         "alpha"},
    };
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
        if (questions[i].answer != NULL)
            assert_answers(&questions[i], 1);
}
END_TEST

/* Each operator, on a row of one object. */
START_TEST(operators_mean_what_java_and_mat_mean)
{
    static const struct {
        const char *expression, *value;
    } cases[] = {
        {"1 + 2 * 3", "7"},
        {"7 / 2", "3"},
        {"-7 / 2", "-3"},
        {"7 % 4", "3"},
        {"7.0 / 2", "3.5"},
        {"7 - 0.5", "6.5"},
        {"5.5 % 2", "1.5"},
        {"9223372036854775807 + 1", "-9223372036854775808"},
        {"(0 - 9223372036854775807 - 1) / -1", "-9223372036854775808"},
        {"(0 - 9223372036854775807 - 1) % -1", "0"},
        {"-'a'", "-97"},
        {"'a' + 1", "98"},
        {"\"a\" + 1 + 'c' + null", "a1cnull"},
        {"1 + null", "null"},
        {"-null", "null"},
        {"1 = 1.0", "true"},
        {"1 != 1", "false"},
        {"1 <> 2", "true"},
        {"'a' = \"a\"", "true"},
        {"'a' = 97", "true"},
        {"\"a\" = \"b\"", "false"},
        {"null = null", "true"},
        {"1 = null", "false"},
        {"null != 1", "true"},
        {"true = (1 < 2)", "true"},
        {"true = 1", "false"},
        {"t = t", "true"},
        {"t = 0x8140", "true"},
        {"t.name = \"main\"", "true"},
        {"t.name = t", "false"},
        {"1 < 2", "true"},
        {"2 <= 2", "true"},
        {"2 > 2", "false"},
        {"2.5 >= 2", "true"},
        {"\"a\" < \"b\"", "true"},
        {"null < 1", "false"},
        {"1 >= null", "false"},
        {"t.name LIKE \"m..n\"", "true"},
        {"t.name LIKE \"m\"", "false"},
        {"t.name NOT LIKE \"m\"", "true"},
        {"null LIKE \".*\"", "false"},
        {"null NOT LIKE \".*\"", "false"},
        {"12 LIKE \"1.\"", "true"},
        {"2 IN (1, 2, 3)", "true"},
        {"2 IN (1)", "false"},
        {"\"b\" NOT IN (\"a\", 'b')", "false"},
        {"null IN (1, null)", "false"},
        {"null NOT IN (1)", "false"},
        {"1 IN null", "false"},
        {"t.@objectId IN inbounds(t.name)", "true"},
        {"1.5 IN inbounds(t.name)", "false"},
        {"NOT true", "false"},
        {"NOT null", "true"},
        {"true AND false OR true", "true"},
        {"null OR 1 = 1", "true"},
        {"null AND 1 = 1", "false"},
        {"false AND 1 / 0 = 1", "false"},
        {"true OR 1 / 0 = 1", "true"},
        {"t.local IS NULL", "false"},
        {"t.local.table IS NULL", "true"},
        {"t.local.table.@length IS NOT NULL", "false"},
        {"toHex(255)", "0xff"},
        {"toHex(-1)", "0xffffffffffffffff"},
        {"toString(null)", "null"},
        {"toString(1.5) + toString(true)", "1.5true"},
        {"classof(null)", "null"},
        {"toString(t).contains(\"ai\")", "true"},
        {"t.name.contains(\"xy\")", "false"},
        {"t.name.startsWith(\"ma\")", "true"},
        {"t.name.endsWith(\"ma\")", "false"},
        {"t.name.equals(\"main\")", "true"},
        {"t.name.indexOf(\"in\")", "2"},
        {"t.name.indexOf(\"x\")", "-1"},
        {"\" Ab \".trim().toUpperCase().toLowerCase()", "ab"},
        {"\"\".isEmpty()", "true"},
        {"t.local.table.size()", "null"},
        {"outbounds(t).contains(t.name)", "true"},
        {"outbounds(t).isEmpty()", "false"},
        {"outbounds(t).@length", "4"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "SELECT %s FROM java.lang.Thread t", cases[i].expression);
        question asked = {text, cases[i].value};
        assert_answers(&asked, 1);
    }
}
END_TEST

START_TEST(what_does_not_fit_is_refused_with_its_place)
{
    static const struct {
        const char *text;
        fl_status status;
        uint64_t offset;
        const char *message;
    } cases[] = {
        {"SELECT * FROM java.util.HshMap", FL_E_NOTFOUND, 14,
         "there is no class java.util.HshMap in the dump"},
        {"SELECT * FROM OBJECTS 0x77", FL_E_NOTFOUND, 22, "there is no object 0x77 in the dump"},
        {"SELECT * FROM OBJECTS 7777", FL_E_NOTFOUND, 22, "there is no object 7777 in the dump"},
        {"SELECT * FROM 0x8000", FL_E_SYNTAX, 14,
         "FROM takes classes, and here stands none; FROM OBJECTS takes objects"},
        {"SELECT * FROM OBJECTS (1 + 1)", FL_E_SYNTAX, 22, "FROM takes objects, not a number"},
        {"SELECT h.tabel FROM java.util.HashMap h", FL_E_NOTFOUND, 9,
         "no object has a field 'tabel'; java.util.HashMap has size, table"},
        {"SELECT h.size.x FROM java.util.HashMap h", FL_E_SYNTAX, 14,
         "there is no field of a number"},
        {"SELECT h.size.@length FROM java.util.HashMap h", FL_E_SYNTAX, 15,
         "there is no such attribute of a number"},
        {"SELECT h.size[0] FROM java.util.HashMap h", FL_E_SYNTAX, 13,
         "there is no element of a number"},
        {"SELECT h.table[\"a\"] FROM java.util.HashMap h", FL_E_SYNTAX, 14,
         "an element's place is a number, not that of a text"},
        {"SELECT 1 / 0 FROM java.util.HashMap h", FL_E_SYNTAX, 9, "division by zero"},
        {"SELECT h + 1 FROM java.util.HashMap h", FL_E_SYNTAX, 9,
         "cannot calculate with an object and a number"},
        {"SELECT h < 1 FROM java.util.HashMap h", FL_E_SYNTAX, 9,
         "cannot compare an object and a number"},
        {"SELECT -h FROM java.util.HashMap h", FL_E_SYNTAX, 7, "cannot negate an object"},
        {"SELECT * FROM java.util.HashMap h WHERE h.size", FL_E_SYNTAX, 42,
         "cannot take for a condition a number"},
        {"SELECT 1 IN 2 FROM java.util.HashMap h", FL_E_SYNTAX, 9, "cannot look into a number"},
        {"SELECT inbounds(\"x\") FROM java.util.HashMap h", FL_E_SYNTAX, 7,
         "the function takes an object, not that of a text"},
        {"SELECT toHex(h) FROM java.util.HashMap h", FL_E_SYNTAX, 7,
         "toHex() takes a number, not that of an object"},
        {"SELECT OBJECTS h.size FROM java.util.HashMap h", FL_E_SYNTAX, 17,
         "OBJECTS takes objects, not a number"},
        {"SELECT s FROM java.lang.String s WHERE \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\" "
         "LIKE \"(a+)+b?\"",
         FL_E_LIMIT, 90, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fl_status status = ask(cases[i].text);
        ck_assert_msg(status == cases[i].status, "%s: %s", cases[i].text, err.message);
        if (cases[i].message != NULL)
            ck_assert_str_eq(err.message, cases[i].message);
        ck_assert_msg(err.offset == cases[i].offset, "%s: %llu", cases[i].text,
                      (unsigned long long)err.offset);
        ck_assert_ptr_null(answer);
    }
}
END_TEST

START_TEST(rows_beyond_the_limit_are_counted)
{
    ck_assert_ok(ask_limited("SELECT s FROM java.lang.String s", 2));
    const fl_oql_table *table = fl_oql_table_of(answer);
    ck_assert_uint_eq(table->row_count, 2);
    ck_assert_uint_eq(table->total, 3);
    ck_assert_ok(ask_limited("SELECT DISTINCT s FROM java.lang.String s", 0));
    table = fl_oql_table_of(answer);
    ck_assert_uint_eq(table->row_count, 0);
    ck_assert_uint_eq(table->total, 3);
}
END_TEST

START_TEST(identifiers_of_four_bytes_answer_alike)
{
    char wide[1024];
    static const char text[] =
        "SELECT n, n.key, toString(n.key), outbounds(n) FROM java.util.HashMap$Node n";
    snprintf(wide, sizeof(wide), "%s", rows(text));
    built_close(&maps);
    ck_assert_ok(maps_open(&maps, 4, &err));
    ck_assert_str_eq(rows(text), wide);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_status status = FL_E_NOMEM;
    for (long i = 0; status != FL_OK; i++) {
        ck_assert_int_lt(i, 10000);
        fl_mem_fail_after(i);
        status = ask("SELECT DISTINCT toString(s) + 1, outbounds(s) FROM java.lang.String s "
                     "WHERE toString(s) IN (SELECT toString(k) FROM java.lang.String k)");
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "%s", err.message);
    }
    ck_assert_uint_eq(fl_oql_table_of(answer)->row_count, 3);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("oql_run");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_question_that_users_know_is_answered);
    tcase_add_test(tcase, fields_follow_paths_and_stop_at_null);
    tcase_add_test(tcase, attributes_are_those_of_the_object);
    tcase_add_test(tcase, neighbours_and_dominators_are_those_of_the_graph);
    tcase_add_test(tcase, a_set_weighs_what_the_tree_says);
    tcase_add_test(tcase, sources_are_classes_or_objects);
    tcase_add_test(tcase, operators_mean_what_java_and_mat_mean);
    tcase_add_test(tcase, what_does_not_fit_is_refused_with_its_place);
    tcase_add_test(tcase, rows_beyond_the_limit_are_counted);
    tcase_add_test(tcase, identifiers_of_four_bytes_answer_alike);
    tcase_add_test(tcase, every_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
