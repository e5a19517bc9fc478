#include <stdio.h>

#include "buf.h"
#include "fl_test.h"
#include "mem.h"
#include "oql_priv.h"
#include "slice.h"

static fl_error err;
static fl_oql *oql;

static void setup(void)
{
    err = (fl_error){0};
    oql = NULL;
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_oql_destroy(oql);
}

static fl_status parse(const char *text)
{
    fl_oql_destroy(oql);
    oql = NULL;
    err = (fl_error){0};
    return fl_oql_parse(&oql, SLICE(text), &err);
}

/* ---- a program as text ---- */

static const char *const OPS[] = {
    [FL_OQL_SELF] = "self",     [FL_OQL_LIST] = "list",       [FL_OQL_INDEX] = "[]",
    [FL_OQL_NEGATE] = "neg",    [FL_OQL_NOT] = "not",         [FL_OQL_TO_BOOL] = "bool",
    [FL_OQL_IS_NULL] = "null?", [FL_OQL_LIKE] = "like",       [FL_OQL_IN] = "in",
    [FL_OQL_EQUAL] = "=",       [FL_OQL_LESS] = "<",          [FL_OQL_GREATER] = ">",
    [FL_OQL_AT_MOST] = "<=",    [FL_OQL_AT_LEAST] = ">=",     [FL_OQL_ADD] = "+",
    [FL_OQL_SUBTRACT] = "-",    [FL_OQL_MULTIPLY] = "*",      [FL_OQL_DIVIDE] = "/",
    [FL_OQL_REMAINDER] = "%",   [FL_OQL_JUMP_FALSE] = "and>", [FL_OQL_JUMP_TRUE] = "or>"};

static void put_value(fl_buf *out, const fl_oql_value *value)
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
    case FL_OQL_CHAR:
        fl_buf_printf(out, "'%lld'", (long long)value->number);
        break;
    case FL_OQL_TEXT:
        fl_buf_printf(out, "\"%.*s\"", FL_SLICE_ARG(value->text));
        break;
    default:
        fl_buf_printf(out, "%lld", (long long)value->number);
        break;
    }
}

static void put_step(fl_buf *out, const fl_oql_step *step)
{
    fl_buf_text(out, step->is_negated ? " !" : " ");
    switch (step->op) {
    case FL_OQL_PUSH:
        put_value(out, &step->value);
        break;
    case FL_OQL_HEAD:
        fl_buf_printf(out, "%.*s", FL_SLICE_ARG(step->name));
        break;
    case FL_OQL_FIELD:
        fl_buf_printf(out, ".%.*s", FL_SLICE_ARG(step->name));
        break;
    case FL_OQL_ATTRIBUTE:
        fl_buf_printf(out, "@%s", fl_oql_attributes[step->which].text);
        break;
    case FL_OQL_CALL:
        fl_buf_printf(out, "%s/%u", fl_oql_functions[step->which].text, step->args);
        break;
    case FL_OQL_METHOD:
        fl_buf_printf(out, ".%s/%u", fl_oql_methods[step->which].text, step->args);
        break;
    case FL_OQL_RESULT:
        fl_buf_printf(out, "q%u", step->which);
        break;
    case FL_OQL_LIST:
        fl_buf_printf(out, "list/%u", step->args);
        break;
    case FL_OQL_JUMP_FALSE:
    case FL_OQL_JUMP_TRUE:
        fl_buf_printf(out, "%s%u", OPS[step->op], step->which);
        break;
    default:
        fl_buf_text(out, OPS[step->op]);
        break;
    }
}

/* The steps of the last query, in its order. */
static const char *program(const char *text)
{
    static char out[2048];
    fl_buf buf = fl_buf_of(sizeof(out) - 1);
    ck_assert_ok(parse(text));
    const fl_oql_query *query = oql->queries[oql->query_count - 1];
    for (uint32_t i = 0; i < query->step_count; i++)
        put_step(&buf, &query->steps[i]);
    memcpy(out, buf.ptr != NULL ? buf.ptr : "", buf.len + 1);
    fl_buf_dispose(&buf);
    return out;
}

START_TEST(operators_bind_as_in_the_header)
{
    static const struct {
        const char *condition, *steps;
    } cases[] = {
        {"1 + 2 * 3 = 7", " 1 2 3 * + 7 ="},
        {"(1 + 2) * 3 = 9", " 1 2 + 3 * 9 ="},
        {"1 - 2 - 3 <> 0", " 1 2 - 3 - 0 !="},
        {"8 / 4 % 3 >= -1", " 8 4 / 3 % 1 neg >="},
        {"a < b = c > d", " a b < c d > ="},
        {"a AND b OR c AND d", " a and>4 b bool or>10 c and>9 d bool bool"},
        {"a OR b OR c", " a or>4 b bool or>7 c bool"},
        {"NOT a = b AND c", " a b = not and>7 c bool"},
        {"a and not h.@gcRootInfo is not null", " a and>7 self @gcRootInfo !null? not bool"},
        {"a.b LIKE \"x.*\" = true", " a .b like true ="},
        {"a NOT LIKE \"x\"", " a !like"},
        {"a NOT IN (1, 'x', \"y\", null)", " a 1 '120' \"y\" null list/4 !in"},
        {"a IN dominators(h)", " a self dominators/1 in"},
        {"a IN (SELECT b FROM c)", " a q0 in"},
        {"a IS NULL", " a null?"},
        {"h[0].x[1 + 2] = 0x1F", " self 0 [] .x 1 2 + [] 31 ="},
        {"toString(h.name).startsWith(\"a\")", " self .name toString/1 \"a\" .startsWith/1"},
        {"h.@getObjectId() = @objectId", " self @objectId self @objectId ="},
        {"h.@valueArray.get(0) = 'j'", " self @valueArray 0 .get/1 '106' ="},
        {"dominators(h).size() = 0", " self dominators/1 .size/0 0 ="},
        {"1L < 2.5e3f", " 1 2500 <"},
        {"h.from = h.WHERE", " self .from self .WHERE ="},
        {"a // to the end\n = /* in\nside */ b -- there", " a b ="},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "select * from x h where %s", cases[i].condition);
        ck_assert_str_eq(program(text), cases[i].steps);
    }
}
END_TEST

START_TEST(columns_have_the_names_that_stand_there)
{
    ck_assert_ok(parse("SELECT h , h . size, @objectId AS id, 1+ 2 AS \"a b\" FROM x h"));
    const fl_oql_query *query = oql->queries[0];
    static const char *const names[] = {"h", "h . size", "id", "a b"};
    ck_assert_uint_eq(query->column_count, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_msg(fl_slice_equal(query->columns[i].name, SLICE(names[i])), "%s", names[i]);
    ck_assert(fl_slice_equal(query->alias, SLICE("h")));
}
END_TEST

START_TEST(a_source_is_a_name_a_pattern_numbers_or_another_query)
{
    static const struct {
        const char *from;
        fl_oql_from kind;
        bool is_objects, with_subclasses;
        const char *name;
        uint32_t numbers;
    } cases[] = {
        {"java.util.HashMap$Node[] n", FL_OQL_FROM_NAME, false, false, "java.util.HashMap$Node[]",
         0},
        {"char[][]", FL_OQL_FROM_NAME, false, false, "char[][]", 0},
        {"a.B$$Lambda/0x7f12 l", FL_OQL_FROM_NAME, false, false, "a.B$$Lambda/0x7f12", 0},
        {"instanceof a.B", FL_OQL_FROM_NAME, false, true, "a.B", 0},
        {"OBJECTS a.B", FL_OQL_FROM_NAME, true, false, "a.B", 0},
        {"OBJECTS INSTANCEOF a.B", FL_OQL_FROM_NAME, true, true, "a.B", 0},
        {"\"a\\..*\" x", FL_OQL_FROM_PATTERN, false, false, "", 0},
        {"0x10, 0x20 x", FL_OQL_FROM_ADDRESSES, false, false, "", 2},
        {"OBJECTS 7", FL_OQL_FROM_IDS, true, false, "", 1},
        {"(SELECT * FROM y) x", FL_OQL_FROM_QUERY, false, false, "", 0},
        {"OBJECTS (outbounds(3)) x", FL_OQL_FROM_STEPS, true, false, "", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "SELECT * FROM %s WHERE true;", cases[i].from);
        ck_assert_ok(parse(text));
        const fl_oql_source *source = &oql->queries[oql->query_count - 1]->source;
        ck_assert_int_eq(source->kind, cases[i].kind);
        ck_assert_int_eq(source->is_objects, cases[i].is_objects);
        ck_assert_int_eq(source->with_subclasses, cases[i].with_subclasses);
        ck_assert(fl_slice_equal(source->name, SLICE(cases[i].name)));
        ck_assert_uint_eq(source->number_count, cases[i].numbers);
    }
}
END_TEST

START_TEST(parts_of_a_union_follow_in_their_order)
{
    ck_assert_ok(parse("SELECT a FROM x UNION (SELECT b FROM y UNION (SELECT c FROM z)) "
                       "UNION (SELECT d FROM w)"));
    ck_assert_uint_eq(oql->query_count, 4);
    const fl_oql_query *query = oql->queries[3];
    ck_assert_uint_eq(query->union_count, 3);
    static const char *const names[] = {"y", "z", "w"};
    for (size_t i = 0; i < 3; i++) {
        const fl_oql_query *part = oql->queries[query->unions[i]];
        ck_assert(fl_slice_equal(part->source.name, SLICE(names[i])) && part->is_part);
    }
}
END_TEST

START_TEST(a_query_says_what_it_needs)
{
    ck_assert_ok(parse("SELECT h.size FROM x h"));
    ck_assert(!fl_oql_needs_tree(oql) && !fl_oql_needs_inbound(oql));
    ck_assert_ok(parse("SELECT inbounds(h) FROM x h"));
    ck_assert(!fl_oql_needs_tree(oql) && fl_oql_needs_inbound(oql));
    static const char *const trees[] = {
        "SELECT * FROM x", "SELECT @retainedHeapSize FROM x", "SELECT dominatorof(h) FROM x h",
        "SELECT OBJECTS dominators(h) FROM x h", "SELECT OBJECTS h.key FROM x h"};
    for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
        ck_assert_ok(parse(trees[i]));
        ck_assert(fl_oql_needs_tree(oql));
    }
}
END_TEST

START_TEST(what_is_malformed_is_refused_with_its_place)
{
    static const struct {
        const char *text;
        fl_status status;
        uint64_t offset;
        const char *message;
    } cases[] = {
        {"", FL_E_SYNTAX, 0, "expected SELECT, found the end"},
        {"DELETE x", FL_E_SYNTAX, 0, "expected SELECT, found 'DELETE'"},
        {"SELECT", FL_E_SYNTAX, 6, "expected a value, found the end"},
        {"SELECT FROM x", FL_E_SYNTAX, 7, "expected a value, found 'FROM'"},
        {"SELECT * x", FL_E_SYNTAX, 9, "expected FROM, found 'x'"},
        {"SELECT * FROM", FL_E_SYNTAX, 13, "expected a class, found the end"},
        {"SELECT * FROM WHERE a", FL_E_SYNTAX, 14, "expected a class, found 'WHERE'"},
        {"SELECT * FROM (x)", FL_E_SYNTAX, 15, "expected SELECT, found 'x'"},
        {"SELECT * FROM 0x10, 7", FL_E_SYNTAX, 20, "expected an address, found '7'"},
        {"SELECT * FROM x y z", FL_E_SYNTAX, 18, "expected the end of the query, found 'z'"},
        {"SELECT * FROM x WHERE", FL_E_SYNTAX, 21, "expected a value, found the end"},
        {"SELECT * FROM x WHERE a = ", FL_E_SYNTAX, 26, "expected a value, found the end"},
        {"SELECT * FROM x WHERE a b", FL_E_SYNTAX, 24, "expected the end of the query, found 'b'"},
        {"SELECT * FROM x WHERE (a", FL_E_SYNTAX, 24, "expected ')', found the end"},
        {"SELECT * FROM x WHERE a[1", FL_E_SYNTAX, 25, "expected ']', found the end"},
        {"SELECT * FROM x WHERE a[1)", FL_E_SYNTAX, 25, "expected ']', found ')'"},
        {"SELECT * FROM x WHERE a)", FL_E_SYNTAX, 23, "expected the end of the query, found ')'"},
        {"SELECT * FROM x WHERE a NOT b", FL_E_SYNTAX, 28, "expected LIKE or IN, found 'b'"},
        {"SELECT * FROM x WHERE a IS 1", FL_E_SYNTAX, 27, "expected NULL, found '1'"},
        {"SELECT * FROM x WHERE a LIKE b", FL_E_SYNTAX, 29,
         "expected a regular expression in double quotes, found 'b'"},
        {"SELECT * FROM x WHERE a LIKE \"b(\"", FL_E_SYNTAX, 32,
         "pattern 'b(': missing closing parenthesis"},
        {"SELECT * FROM \"[a\"", FL_E_SYNTAX, 17,
         "pattern '[a': missing terminating ] for character class"},
        {"SELECT a. FROM x", FL_E_SYNTAX, 15, "expected FROM, found 'x'"},
        {"SELECT a.1 FROM x", FL_E_SYNTAX, 9, "expected a field's name, found '1'"},
        {"SELECT a.@ FROM x", FL_E_SYNTAX, 11,
         "no attribute 'FROM'; there are class, classLoaderId, classSpecificName, clazz, "
         "displayName, gcRootInfo, length, name, numberOfObjects, objectAddress, objectId ..."},
        {"SELECT a.foo(1) FROM x", FL_E_SYNTAX, 9,
         "no method 'foo'; there are contains, endsWith, equals, get, indexOf, isEmpty, length, "
         "size, startsWith, toLowerCase, toString, toUpperCase and trim"},
        {"SELECT foo(1) FROM x", FL_E_SYNTAX, 7,
         "no function 'foo'; there are classof, dominatorof, dominators, inbounds, outbounds, "
         "toHex and toString"},
        {"SELECT toHex() FROM x", FL_E_SYNTAX, 7, "toHex() takes 1 argument, not 0"},
        {"SELECT toHex(1, 2) FROM x", FL_E_SYNTAX, 7, "toHex() takes 1 argument, not 2"},
        {"SELECT a.trim(1) FROM x", FL_E_SYNTAX, 9, "trim() takes 0 arguments, not 1"},
        {"SELECT a AS 1 FROM x", FL_E_SYNTAX, 12, "expected the name of a column, found '1'"},
        {"SELECT AS SET * FROM x", FL_E_SYNTAX, 10, "expected RETAINED SET, found 'SET'"},
        {"SELECT a FROM x UNION SELECT b FROM y", FL_E_SYNTAX, 22, "expected '(', found 'SELECT'"},
        {"SELECT a FROM x UNION (SELECT b, c FROM y)", FL_E_SYNTAX, 23,
         "the parts of a UNION have different columns"},
        {"SELECT a FROM x UNION (SELECT DISTINCT a FROM y)", FL_E_SYNTAX, 30,
         "DISTINCT and AS RETAINED SET stand at the first SELECT of a UNION only"},
        {"SELECT * FROM x UNION (SELECT AS RETAINED SET * FROM y)", FL_E_SYNTAX, 30,
         "DISTINCT and AS RETAINED SET stand at the first SELECT of a UNION only"},
        {"SELECT a FROM x WHERE b IN (SELECT c FROM d", FL_E_SYNTAX, 43,
         "expected ')', found the end"},
        {"SELECT \"a FROM x", FL_E_SYNTAX, 7, "text is not closed by a quote"},
        {"SELECT 'ab' FROM x", FL_E_SYNTAX, 7,
         "expected one character between single quotes; a text has double ones"},
        {"SELECT '' FROM x", FL_E_SYNTAX, 7,
         "expected one character between single quotes; a text has double ones"},
        {"SELECT a /* b", FL_E_SYNTAX, 9, "comment is not closed"},
        {"SELECT 0x FROM x", FL_E_SYNTAX, 7, "expected hexadecimal digits after 0x"},
        {"SELECT 0x11112222333344445 FROM x", FL_E_SYNTAX, 7, "address has more than 64 bits"},
        {"SELECT 9223372036854775808 FROM x", FL_E_SYNTAX, 7, "number does not fit into 64 bits"},
        {"SELECT 1e999 FROM x", FL_E_SYNTAX, 7, "number does not fit into 64 bits"},
        {"SELECT 12abc FROM x", FL_E_SYNTAX, 9, "unexpected letter behind a number"},
        {"SELECT a ? b FROM x", FL_E_SYNTAX, 9, "unexpected '?'"},
        {"SELECT a \x01 FROM x", FL_E_SYNTAX, 9, "unexpected byte 1"},
        {"SELECT \"\xff\" FROM x", FL_E_SYNTAX, 8, "a query is UTF-8, and byte 0xff here is not"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_fails(cases[i].status, parse(cases[i].text));
        ck_assert_str_eq(err.message, cases[i].message);
        ck_assert_msg(err.offset == cases[i].offset, "%s: %llu", cases[i].text,
                      (unsigned long long)err.offset);
        ck_assert_ptr_null(oql);
    }
}
END_TEST

/* Of `unit`, `count` times, behind a start. */
static fl_status parse_repeated(const char *start, const char *unit, size_t count)
{
    fl_buf buf = fl_buf_of(4u << 20);
    fl_buf_text(&buf, start);
    for (size_t i = 0; i < count; i++)
        fl_buf_text(&buf, unit);
    err = (fl_error){0};
    fl_status status = fl_oql_parse(&oql, fl_buf_slice(&buf), &err);
    fl_buf_dispose(&buf);
    return status;
}

START_TEST(what_is_too_long_or_too_deep_is_refused)
{
    ck_assert_fails(FL_E_LIMIT, parse_repeated("SELECT ", "a, ", (1u << 20) / 3));
    ck_assert_str_eq(err.message, "a query of 1048582 bytes is too long: at most 65536");
    ck_assert_uint_eq(err.offset, 65536);
    static const char *const deep[] = {"(",  "- ",          "NOT ",  "toString(",
                                       "a[", "a = b AND (", "a IN ("};
    for (size_t i = 0; i < sizeof(deep) / sizeof(deep[0]); i++) {
        fl_status status = parse_repeated("SELECT ", deep[i], 4000);
        ck_assert_msg(status == FL_E_LIMIT, "%s: %s", deep[i], err.message);
        ck_assert_str_eq(err.message, "the query is nested deeper than 128");
        ck_assert_uint_lt(err.offset, 7 + 130 * strlen(deep[i]));
    }
    for (size_t i = 120; i < 130; i++) { /* a query at each of the last depths */
        char brackets[160];
        memset(brackets, '(', i);
        snprintf(brackets + i, sizeof(brackets) - i, "SELECT a FROM b");
        fl_status status = parse_repeated("SELECT ", brackets, 1);
        ck_assert_msg(status == (i < 127 ? FL_E_SYNTAX : FL_E_LIMIT), "%zu: %s", i, err.message);
        if (status == FL_E_LIMIT)
            ck_assert_str_eq(err.message, "the query is nested deeper than 128");
    }
    ck_assert_fails(FL_E_LIMIT, parse_repeated("SELECT * FROM ", "(SELECT * FROM ", 100));
    ck_assert_str_eq(err.message, "more than 32 queries inside of each other");
    ck_assert_fails(FL_E_LIMIT, parse_repeated("SELECT a", ", a", 100));
    ck_assert_str_eq(err.message, "more than 64 columns");
    /* wide is not deep */
    ck_assert_ok(parse_repeated("SELECT * FROM x WHERE a = 1", " OR a = 1", 5000));
    fl_oql_destroy(oql);
    ck_assert_ok(parse_repeated("SELECT * FROM x WHERE 1", " + 1 * 2", 5000));
}
END_TEST

static const char WHOLE[] =
    "SELECT DISTINCT toString(h.name) AS n, h[1].b FROM INSTANCEOF a.B h WHERE h.x NOT IN (SELECT "
    "OBJECTS outbounds(c) FROM OBJECTS (dominators(7)) c) AND n LIKE \".*x\" OR 'y' <= 1.5 "
    "UNION (SELECT a, b FROM \"z.*\")";

START_TEST(each_prefix_of_a_query_fails_cleanly_or_is_one)
{
    for (size_t len = 0; len < sizeof(WHOLE); len++) {
        err = (fl_error){0};
        fl_status status =
            fl_oql_parse(&oql, (fl_slice){.ptr = (const unsigned char *)WHOLE, .len = len}, &err);
        ck_assert_int_eq(status == FL_OK, oql != NULL);
        ck_assert_msg(status == FL_OK || (status == FL_E_SYNTAX && err.offset <= len), "%zu", len);
        fl_oql_destroy(oql);
        oql = NULL;
    }
    ck_assert_ok(parse(WHOLE));
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_status status = FL_E_NOMEM;
    for (long i = 0; status != FL_OK; i++) {
        ck_assert_int_lt(i, 10000);
        fl_mem_fail_after(i);
        status = parse(WHOLE);
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "%s", err.message);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("oql_parse");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, operators_bind_as_in_the_header);
    tcase_add_test(tcase, columns_have_the_names_that_stand_there);
    tcase_add_test(tcase, a_source_is_a_name_a_pattern_numbers_or_another_query);
    tcase_add_test(tcase, parts_of_a_union_follow_in_their_order);
    tcase_add_test(tcase, a_query_says_what_it_needs);
    tcase_add_test(tcase, what_is_malformed_is_refused_with_its_place);
    tcase_add_test(tcase, what_is_too_long_or_too_deep_is_refused);
    tcase_add_test(tcase, each_prefix_of_a_query_fails_cleanly_or_is_one);
    tcase_add_test(tcase, every_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
