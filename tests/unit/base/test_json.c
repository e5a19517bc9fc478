#include "json.h"

#include <math.h>
#include <stdio.h>

#include "fl_test.h"
#include "json_oracle.h"
#include "json_text_priv.h"
#include "mem.h"

static fl_arena arena;

static void setup(void)
{
    arena = fl_arena_of(1u << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
}

static fl_json over(const char *text)
{
    return fl_json_over(SLICE(text), &arena);
}

static void check_failed(const fl_json *in, uint64_t offset, const char *message)
{
    ck_assert_str_eq(in->err.message, message);
    ck_assert_uint_eq(in->err.offset, offset);
    ck_assert(!fl_json_ok(in));
}

START_TEST(a_record_is_read_as_the_header_shows)
{
    fl_json in =
        over(" { \"name\" : \"cart\", \"skip\": [1,{\"x\":null}] ,\"count\":\"42\",\n"
             "\"ratio\": -0.5, \"ok\":true, \"list\" : [ 1 , 2 ], \"none\":null, \"e\":{}} ");
    fl_slice key, name = {0}, raw = {0};
    int64_t count = 0, sum = 0;
    double ratio = 0;
    bool ok = false, none = false;
    ck_assert_int_eq(fl_json_peek(&in), FL_JSON_OBJECT);
    ck_assert(fl_json_enter_object(&in));
    while (fl_json_next_member(&in, &key))
        if (fl_slice_equal(key, FL_SLICE("name")))
            name = fl_json_string(&in);
        else if (fl_slice_equal(key, FL_SLICE("count")))
            count = fl_json_i64(&in);
        else if (fl_slice_equal(key, FL_SLICE("ratio")))
            ratio = fl_json_double(&in);
        else if (fl_slice_equal(key, FL_SLICE("ok")))
            ok = fl_json_bool(&in);
        else if (fl_slice_equal(key, FL_SLICE("none")))
            none = fl_json_null(&in);
        else if (fl_slice_equal(key, FL_SLICE("e")))
            raw = fl_json_raw(&in);
        else if (fl_slice_equal(key, FL_SLICE("list")) && fl_json_enter_array(&in))
            while (fl_json_next_element(&in))
                sum += fl_json_i64(&in);
        else
            fl_json_skip(&in);
    ck_assert_msg(fl_json_finish(&in), "%s", in.err.message);
    ck_assert(fl_slice_equal(name, FL_SLICE("cart")));
    ck_assert(fl_slice_equal(raw, FL_SLICE("{}")));
    ck_assert_int_eq(count, 42);
    ck_assert_int_eq(sum, 3);
    ck_assert_double_eq(ratio, -0.5);
    ck_assert(ok && none);
    ck_assert_uint_eq(arena.used_bytes, 0); /* nothing was copied */
}
END_TEST

/* One row per malformed document: where, and the sentence. Reading and stepping over must agree. */
static const struct {
    fl_slice text;
    uint64_t offset;
    const char *message;
} bad[] = {
    {BYTES_INIT(""), 0, "expected a value, found the end of the input"},
    {BYTES_INIT(" \n"), 2, "expected a value, found the end of the input"},
    {BYTES_INIT("}"), 0, "expected a value, found '}'"},
    {BYTES_INIT("\x01"), 0, "expected a value, found byte 0x01"},
    {BYTES_INIT("\xef\xbb\xbf{}"), 0, "expected a value, found byte 0xef"},
    {BYTES_INIT("'a'"), 0, "expected a value, found '''"},
    {BYTES_INIT("/**/1"), 0, "expected a value, found '/'"},
    {BYTES_INIT("NaN"), 0, "expected a value, found 'N'"},
    {BYTES_INIT("+1"), 0, "expected a value, found '+'"},
    {BYTES_INIT("1 2"), 2, "expected the end of the input, found a number"},
    {BYTES_INIT("{} x"), 3, "expected the end of the input, found 'x'"},
    {BYTES_INIT("1\0"), 1, "expected the end of the input, found byte 0x00"},
    {BYTES_INIT("{"), 1, "expected a key or '}'"},
    {BYTES_INIT("{1:2}"), 1, "expected a key or '}'"},
    {BYTES_INIT("{,}"), 1, "expected a key or '}'"},
    {BYTES_INIT("{\"a\":1,}"), 7, "expected a key after ','"},
    {BYTES_INIT("{\"a\":1, "), 8, "expected a key after ','"},
    {BYTES_INIT("{\"a\":1,b:2}"), 7, "expected a key after ','"},
    {BYTES_INIT("{\"a\" 1}"), 5, "expected ':' after a key"},
    {BYTES_INIT("{\"a\""), 4, "expected ':' after a key"},
    {BYTES_INIT("{\"a\":}"), 5, "expected a value, found '}'"},
    {BYTES_INIT("{\"a\":"), 5, "expected a value, found the end of the input"},
    {BYTES_INIT("{\"a\":1 \"b\":2}"), 7, "expected ',' or '}' after a member"},
    {BYTES_INIT("{\"a\":1"), 6, "expected ',' or '}' after a member"},
    {BYTES_INIT("{\"a\":1]"), 6, "expected ',' or '}' after a member"},
    {BYTES_INIT("{\"a\":1x}"), 6, "expected ',' or '}' after a member"},
    {BYTES_INIT("["), 1, "expected an element or ']'"},
    {BYTES_INIT("[,1]"), 1, "expected a value, found ','"},
    {BYTES_INIT("[1,]"), 3, "expected an element after ','"},
    {BYTES_INIT("[1,"), 3, "expected an element after ','"},
    {BYTES_INIT("[1,,2]"), 3, "expected a value, found ','"},
    {BYTES_INIT("[1 2]"), 3, "expected ',' or ']' after an element"},
    {BYTES_INIT("[1}"), 2, "expected ',' or ']' after an element"},
    {BYTES_INIT("[[1]"), 4, "expected ',' or ']' after an element"},
    {BYTES_INIT("[1 /* no */]"), 3, "expected ',' or ']' after an element"},
    {BYTES_INIT("[1\f]"), 2, "expected ',' or ']' after an element"},
    {BYTES_INIT("[tru]"), 1, "expected true"},
    {BYTES_INIT("t"), 0, "expected true"},
    {BYTES_INIT("[fals"), 1, "expected false"},
    {BYTES_INIT("nul"), 0, "expected null"},
    {BYTES_INIT("[nUll]"), 1, "expected null"},
    {BYTES_INIT("truex"), 4, "expected the end of the input, found 'x'"},
    {BYTES_INIT("-"), 1, "expected a digit"},
    {BYTES_INIT("[-x]"), 2, "expected a digit"},
    {BYTES_INIT("01"), 1, "leading zero in a number"},
    {BYTES_INIT("[-01]"), 3, "leading zero in a number"},
    {BYTES_INIT("[1.]"), 3, "expected a digit"},
    {BYTES_INIT("1.5e"), 4, "expected a digit"},
    {BYTES_INIT("1e+"), 3, "expected a digit"},
    {BYTES_INIT("0x10"), 1, "expected the end of the input, found 'x'"},
    {BYTES_INIT("[\"abc]"), 1, "string without a closing quote"},
    {BYTES_INIT("\""), 0, "string without a closing quote"},
    {BYTES_INIT("\"abc\\"), 0, "string without a closing quote"},
    {BYTES_INIT("\"\\u12"), 0, "string without a closing quote"},
    {BYTES_INIT("\"\\ud83d"), 0, "string without a closing quote"},
    {BYTES_INIT("\"\\ud83d\\"), 0, "string without a closing quote"},
    {BYTES_INIT("\"\\ud83d\\u"), 0, "string without a closing quote"},
    {BYTES_INIT("\"\\ud83d\\ude"), 0, "string without a closing quote"},
    {BYTES_INIT("\"a\nb\""), 2, "control character 0x0a in a string must be escaped"},
    {BYTES_INIT("\"\0\""), 1, "control character 0x00 in a string must be escaped"},
    {BYTES_INIT("\"\\n\x1f\""), 3, "control character 0x1f in a string must be escaped"},
    {BYTES_INIT("{\"a\tb\":1}"), 3, "control character 0x09 in a string must be escaped"},
    {BYTES_INIT("\"\\x41\""), 1, "unknown escape in a string"},
    {BYTES_INIT("\"ab\\'\""), 3, "unknown escape in a string"},
    {BYTES_INIT("\"\\U0041\""), 1, "unknown escape in a string"},
    {BYTES_INIT("\"\\u00g1\""), 1, "\\u needs four hex digits"},
    {BYTES_INIT("\"\\u12\"    "), 1, "\\u needs four hex digits"},
    {BYTES_INIT("\"\\ud83d\""), 1, "half a surrogate pair"},
    {BYTES_INIT("\"\\ud83d\\n\""), 1, "half a surrogate pair"},
    {BYTES_INIT("\"\\ud83dabcdefgh\""), 1, "half a surrogate pair"},
    {BYTES_INIT("\"\\ude00\\ud83d\""), 1, "half a surrogate pair"},
    {BYTES_INIT("\"\\ud83d\\u0041\""), 1, "half a surrogate pair"},
    {BYTES_INIT("\"\\udc00\\udc00\""), 1, "half a surrogate pair"},
    {BYTES_INIT("\"\\udbff\\ue000\""), 1, "half a surrogate pair"},
    {BYTES_INIT("\"\\ud83d\\ud83d\\ude00\""), 1, "half a surrogate pair"},
    {BYTES_INIT("\"\\ud83d\\uzzzz\""), 1, "half a surrogate pair"},
    {BYTES_INIT("\"ab\xff\""), 3, "invalid UTF-8 in a string"},
    {BYTES_INIT("\"\xc0\xaf\""), 1, "invalid UTF-8 in a string"},
    {BYTES_INIT("\"\xed\xa0\x80\""), 1, "invalid UTF-8 in a string"},
    {BYTES_INIT("\"\xe2\x82\""), 1, "invalid UTF-8 in a string"},
    {BYTES_INIT("\"\xc3\\u00a9\""), 1, "invalid UTF-8 in a string"},
    {BYTES_INIT("{\"\xf5\":1}"), 2, "invalid UTF-8 in a string"},
};

START_TEST(a_malformed_document_is_explained)
{
    json_oracle_doubts doubts;
    fl_error err = {0};
    ck_assert_ptr_null(json_oracle_read(bad[_i].text, &arena, &doubts, &err));
    ck_assert_str_eq(err.message, bad[_i].message);
    ck_assert_uint_eq(err.offset, bad[_i].offset);
    ck_assert_str_eq(fl_status_name(err.status), "syntax");
    fl_json in = fl_json_over(bad[_i].text, &arena);
    fl_json_skip(&in);
    ck_assert(!fl_json_finish(&in));
    check_failed(&in, bad[_i].offset, bad[_i].message);
}
END_TEST

/* What a value is asked for as, and what is said where it is something else. */
typedef enum asked { OBJECT, ARRAY, STRING, BOOL, I64, U64, DOUBLE } asked;

static const struct {
    const char *text;
    asked as;
    uint64_t offset;
    const char *message;
} mismatched[] = {
    {" 1", OBJECT, 1, "expected an object, found a number"},
    {"[]", OBJECT, 0, "expected an object, found an array"},
    {"null", OBJECT, 0, "expected an object, found null"},
    {"{}", ARRAY, 0, "expected an array, found an object"},
    {"\"a\"", ARRAY, 0, "expected an array, found a string"},
    {"true", STRING, 0, "expected a string, found true"},
    {"false", STRING, 0, "expected a string, found false"},
    {"", STRING, 0, "expected a string, found the end of the input"},
    {"1", BOOL, 0, "expected true or false, found a number"},
    {"trux", BOOL, 0, "expected true"},
    {"null", I64, 0, "expected an integer, found null"},
    {"{}", I64, 0, "expected an integer, found an object"},
    {"1.5", I64, 0, "expected an integer of 64 bits"},
    {"\"1.5\"", I64, 0, "expected an integer of 64 bits"},
    {"9223372036854775808", I64, 0, "expected an integer of 64 bits"},
    {"-9223372036854775809", I64, 0, "expected an integer of 64 bits"},
    {"9223372036854775808 ", I64, 0, "expected an integer of 64 bits"},
    {"\"9223372036854775808\"", I64, 0, "expected an integer of 64 bits"},
    {"\"-9223372036854775809\"", I64, 0, "expected an integer of 64 bits"},
    {"\"18446744073709551617\"", I64, 0, "expected an integer of 64 bits"},
    {"\"18446744073709551617\"", U64, 0, "expected an unsigned integer of 64 bits"},
    {"18446744073709551617 ", U64, 0, "expected an unsigned integer of 64 bits"},
    {"\"\"", I64, 0, "expected an integer of 64 bits"},
    {"\"x\"", I64, 0, "expected an integer of 64 bits"},
    {"\"007\"", I64, 0, "expected an integer of 64 bits"},
    {"\" 7\"", I64, 0, "expected an integer of 64 bits"},
    {"\"7 \"", I64, 0, "expected an integer of 64 bits"},
    {"\"7", I64, 0, "string without a closing quote"},
    {"[7", I64, 0, "expected an integer, found an array"},
    {"-1", U64, 0, "expected an unsigned integer of 64 bits"},
    {"\"-1\"", U64, 0, "expected an unsigned integer of 64 bits"},
    {"18446744073709551616", U64, 0, "expected an unsigned integer of 64 bits"},
    {"007", U64, 1, "leading zero in a number"},
    {"[]", DOUBLE, 0, "expected a number, found an array"},
    {"1e309", DOUBLE, 0, "number beyond the range of a double"},
    {"\"-1e309\"", DOUBLE, 0, "number beyond the range of a double"},
    {"\"nan\"", DOUBLE, 0, "expected a number in the string"},
    {"\"1x\"", DOUBLE, 0, "expected a number in the string"},
    {"\"\"", DOUBLE, 0, "expected a number in the string"},
    {"1.e5", DOUBLE, 2, "expected a digit"},
};

/* Whether the neutral value came back. */
static bool ask(fl_json *in, asked as)
{
    switch (as) {
    case OBJECT:
        return !fl_json_enter_object(in);
    case ARRAY:
        return !fl_json_enter_array(in);
    case STRING:
        return fl_json_string(in).ptr == NULL;
    case BOOL:
        return !fl_json_bool(in);
    case I64:
        return fl_json_i64(in) == 0;
    case U64:
        return fl_json_u64(in) == 0;
    default:
        return fl_json_double(in) == 0.0;
    }
}

START_TEST(a_value_of_another_kind_is_a_failure_with_the_neutral_value)
{
    fl_json in = over(mismatched[_i].text);
    ck_assert(ask(&in, mismatched[_i].as));
    check_failed(&in, mismatched[_i].offset, mismatched[_i].message);
}
END_TEST

START_TEST(after_a_failure_everything_is_neutral_and_the_first_one_stays)
{
    fl_json in = over("[1 2, \"a\", {}]");
    fl_slice key = FL_SLICE("untouched");
    ck_assert(fl_json_enter_array(&in) && fl_json_next_element(&in));
    ck_assert_int_eq(fl_json_i64(&in), 1);
    ck_assert(!fl_json_next_element(&in));
    for (int as = OBJECT; as <= DOUBLE; as++)
        ck_assert(ask(&in, (asked)as));
    ck_assert(!fl_json_next_element(&in) && !fl_json_next_member(&in, &key) && !fl_json_null(&in));
    ck_assert_uint_eq(key.len, 9);
    fl_json_skip(&in);
    ck_assert_uint_eq(fl_json_raw(&in).len, 0);
    ck_assert_int_eq(fl_json_peek(&in), FL_JSON_END);
    ck_assert(!fl_json_finish(&in));
    ck_assert(!fl_json_fail(&in, 0, "too late"));
    check_failed(&in, 3, "expected ',' or ']' after an element");
}
END_TEST

START_TEST(a_caller_records_its_own_complaint)
{
    fl_json in = over("{\"id\":\"xyz\"}");
    fl_slice key;
    ck_assert(fl_json_enter_object(&in) && fl_json_next_member(&in, &key));
    size_t at = in.pos;
    fl_slice id = fl_json_string(&in);
    ck_assert(!fl_json_fail(&in, at, "id of %zu characters, not 32", id.len));
    ck_assert(!fl_json_next_member(&in, &key));
    check_failed(&in, 6, "id of 3 characters, not 32");
    ck_assert_str_eq(fl_status_name(in.err.status), "syntax");
}
END_TEST

START_TEST(a_mark_leads_back_past_a_failure)
{
    fl_json in = over("[{\"a\":[1,\"x\",3]},{\"a\":[7]}]");
    fl_slice key;
    int64_t sum = 0;
    unsigned lost = 0;
    ck_assert(fl_json_enter_array(&in));
    while (fl_json_next_element(&in)) {
        fl_json_mark mark = fl_json_here(&in);
        ck_assert(fl_json_enter_object(&in));
        while (fl_json_next_member(&in, &key) && fl_json_enter_array(&in))
            while (fl_json_next_element(&in))
                sum += fl_json_i64(&in);
        if (!fl_json_ok(&in)) {
            ck_assert_str_eq(in.err.message, "expected an integer of 64 bits");
            lost++;
            fl_json_rewind(&in, mark);
            fl_json_skip(&in);
        }
    }
    ck_assert_msg(fl_json_finish(&in), "%s", in.err.message);
    ck_assert_int_eq(sum, 8);
    ck_assert_uint_eq(lost, 1);
}
END_TEST

START_TEST(documents_may_follow_each_other_at_the_top)
{
    fl_json in = over("{\"a\":1}\n[2]3\"four\" null\n");
    unsigned count = 0;
    while (fl_json_peek(&in) != FL_JSON_END) {
        fl_json_skip(&in);
        count++;
    }
    ck_assert_msg(fl_json_finish(&in), "%s", in.err.message);
    ck_assert_uint_eq(count, 5);
    fl_json nothing = fl_json_over((fl_slice){0}, NULL);
    ck_assert_int_eq(fl_json_peek(&nothing), FL_JSON_END);
    ck_assert(fl_json_finish(&nothing));
}
END_TEST

START_TEST(null_leaves_another_value_alone)
{
    fl_json in = over("[null, 5 , nul]");
    ck_assert(fl_json_enter_array(&in) && fl_json_next_element(&in));
    ck_assert(fl_json_null(&in));
    ck_assert(fl_json_next_element(&in));
    ck_assert(!fl_json_null(&in) && fl_json_ok(&in));
    ck_assert_int_eq(fl_json_i64(&in), 5);
    ck_assert(fl_json_next_element(&in));
    ck_assert(!fl_json_null(&in));
    check_failed(&in, 11, "expected null");
}
END_TEST

START_TEST(raw_is_the_value_without_the_space_around_it)
{
    fl_json in = over("[ {\"a\" : [ 1 ]} , -1.5e3 ,\"x\\n\" ]");
    static const char *const wanted[] = {"{\"a\" : [ 1 ]}", "-1.5e3", "\"x\\n\""};
    ck_assert(fl_json_enter_array(&in));
    for (size_t i = 0; i < 3; i++) {
        ck_assert(fl_json_next_element(&in));
        ck_assert(fl_slice_equal(fl_json_raw(&in), SLICE(wanted[i])));
    }
    ck_assert(!fl_json_next_element(&in) && fl_json_finish(&in));
}
END_TEST

static const struct {
    const char *text;
    fl_slice value;
} strings[] = {
    {"\"\"", BYTES_INIT("")},
    {"\"plain\"", BYTES_INIT("plain")},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", BYTES_INIT("\"\\/\b\f\n\r\t")},
    {"\"\\u0041\\u00e9\\u20AC\\uFFFF\"", BYTES_INIT("A\xc3\xa9\xe2\x82\xac\xef\xbf\xbf")},
    {"\"\\ud83d\\ude00|\\uD800\\uDC00|\\udbff\\udfff\"",
     BYTES_INIT("\xf0\x9f\x98\x80|\xf0\x90\x80\x80|\xf4\x8f\xbf\xbf")},
    {"\"a\\u0000b\"", BYTES_INIT("a\0b")},
    {"\"\xc3\xa9\\n\xf0\x9f\x98\x80\x7f\"", BYTES_INIT("\xc3\xa9\n\xf0\x9f\x98\x80\x7f")},
    {"\"0123456789abcdef0123456789abcdef\\t0123456789abcdef\"",
     BYTES_INIT("0123456789abcdef0123456789abcdef\t0123456789abcdef")},
};

START_TEST(strings_are_decoded)
{
    fl_json in = over(strings[_i].text);
    fl_slice value = fl_json_string(&in);
    ck_assert_msg(fl_json_finish(&in), "%s", in.err.message);
    ck_assert_ptr_nonnull(value.ptr);
    ck_assert(fl_slice_equal(value, strings[_i].value));
    char object[256];
    snprintf(object, sizeof(object), "{%s:%s}", strings[_i].text, strings[_i].text);
    in = over(object);
    ck_assert(fl_json_enter_object(&in) && fl_json_next_member(&in, &value));
    ck_assert(fl_slice_equal(value, strings[_i].value));
    fl_json_skip(&in);
    ck_assert(!fl_json_next_member(&in, &value) && fl_json_finish(&in));
}
END_TEST

/* The step of 16 bytes must not miss what stands at any place in it. */
START_TEST(whatever_ends_a_string_is_found_wherever_it_stands)
{
    static const unsigned char stops[] = {'"', '\\', 0x00, 0x1f, 0x80};
    unsigned char text[80];
    for (size_t len = 0; len < sizeof(text); len++)
        for (size_t at = 0; at < len; at++)
            for (size_t s = 0; s < sizeof(stops); s++) {
                memset(text, 0x20 + (int)(at * 7 % 0x5f), len);
                for (size_t i = 0; i < len; i++)
                    if (text[i] == '"' || text[i] == '\\')
                        text[i] = ' ';
                text[at] = stops[s];
                bool high[2] = {false, false}, is_high = stops[s] >= 0x80;
                const unsigned char *end = text + len;
                const unsigned char *wanted = is_high ? end : text + at;
                const unsigned char *fast = fl_json_plain(text, end, &high[0]);
                const unsigned char *portable = fl_json_plain_portable(text, end, &high[1]);
                if (fast != wanted || portable != wanted)
                    ck_abort_msg("0x%02x at %zu of %zu is missed", stops[s], at, len);
                if (high[0] != is_high || high[1] != is_high)
                    ck_abort_msg("0x%02x at %zu of %zu is misjudged", stops[s], at, len);
            }
}
END_TEST

/* What is behind the end of the string is not the string's. */
START_TEST(both_ways_of_scanning_agree_on_random_bytes)
{
    unsigned char text[48];
    uint32_t state = 1;
    for (unsigned i = 0; i < 200000; i++) {
        for (size_t j = 0; j < sizeof(text); j++) {
            state = state * 1664525u + 1013904223u;
            text[j] = (unsigned char)(state >> 24);
            if ((state >> 16 & 15) != 0) /* mostly letters, so that runs are long */
                text[j] = (unsigned char)('a' + text[j] % 26);
        }
        bool high[2] = {false, false};
        const unsigned char *end = text + i % sizeof(text);
        const unsigned char *fast = fl_json_plain(text, end, &high[0]);
        const unsigned char *portable = fl_json_plain_portable(text, end, &high[1]);
        if (fast != portable || high[0] != high[1])
            ck_abort_msg("%u: stop at %td and at %td", i, fast - text, portable - text);
    }
}
END_TEST

static const struct {
    const char *text;
    int64_t value;
} integers[] = {
    {"0", 0},
    {"-0", 0},
    {"\"0\"", 0},
    {"1674982122406289933", INT64_C(1674982122406289933)},
    {"\"1674982122406289933\"", INT64_C(1674982122406289933)},
    {"9223372036854775807", INT64_MAX},
    {"\"-9223372036854775808\"", INT64_MIN},
    {"-9223372036854775808", INT64_MIN},
    {"-9223372036854775807", -INT64_MAX},
    {"12345678", 12345678},
    {"-123456789012345678", INT64_C(-123456789012345678)},
    {"1.0", 1},
    {"\"1.50e1\"", 15},
    {"1E3", 1000},
    {"\"\\u0031\\u0032\"", 12},
};

/* Alone, where a digit may be the last byte of the input, and inside an array. */
START_TEST(integers_are_read_from_numbers_and_strings)
{
    char text[80];
    snprintf(text, sizeof(text), "[%s,%s ]", integers[_i].text, integers[_i].text);
    fl_json alone = over(integers[_i].text), inside = over(text);
    ck_assert_int_eq(fl_json_i64(&alone), integers[_i].value);
    ck_assert_msg(fl_json_finish(&alone), "%s", alone.err.message);
    ck_assert(fl_json_enter_array(&inside) && fl_json_next_element(&inside));
    ck_assert_int_eq(fl_json_i64(&inside), integers[_i].value);
    ck_assert(fl_json_next_element(&inside));
    if (integers[_i].value >= 0)
        ck_assert_uint_eq(fl_json_u64(&inside), (uint64_t)integers[_i].value);
    else
        fl_json_skip(&inside);
    ck_assert(!fl_json_next_element(&inside));
    ck_assert_msg(fl_json_finish(&inside), "%s", inside.err.message);
}
END_TEST

START_TEST(the_largest_unsigned_integer_is_read)
{
    fl_json in = over("[18446744073709551615,\"18446744073709551615\",9223372036854775808,-0]");
    static const uint64_t wanted[] = {UINT64_MAX, UINT64_MAX, UINT64_C(1) << 63, 0};
    ck_assert(fl_json_enter_array(&in));
    for (size_t i = 0; fl_json_next_element(&in); i++)
        ck_assert_uint_eq(fl_json_u64(&in), wanted[i]);
    ck_assert_msg(fl_json_finish(&in), "%s", in.err.message);
}
END_TEST

START_TEST(doubles_are_read_from_numbers_and_strings)
{
    fl_json in = over("[0.1,-0.0,1e308,\"2.5\",\"NaN\",\"Infinity\",\"-Infinity\",1e-400,7]");
    double got[9];
    size_t count = 0;
    ck_assert(fl_json_enter_array(&in));
    while (fl_json_next_element(&in))
        got[count++] = fl_json_double(&in);
    ck_assert_msg(fl_json_finish(&in), "%s", in.err.message);
    ck_assert_uint_eq(count, 9);
    ck_assert(got[0] == 0.1 && got[1] == 0 && signbit(got[1]) && got[2] == 1e308 && got[3] == 2.5);
    ck_assert(isnan(got[4]) && isinf(got[5]) && got[5] > 0 && isinf(got[6]) && got[6] < 0);
    ck_assert(got[7] == 0 && got[8] == 7);
}
END_TEST

static const char good[] =
    " {\"a\\u00e9\" : [ 1, -2.5e+10 , \"x\xc3\xa9\\ud83d\\ude00\", true,false , null ],\r\n\t"
    "\"b\":{\"c\":{},\"d\":[],\"e\":[[ ]]} , \"f\":\"0123456789abcdef0123456789\" } ";

START_TEST(each_prefix_of_a_good_document_fails_cleanly)
{
    const size_t whole = sizeof(good) - 1, last_bracket = whole - 1;
    for (size_t len = 0; len <= whole; len++) {
        unsigned char *copy = malloc(len + 1); /* so that the sanitizer sees a read past its end */
        memcpy(copy, good, len);
        fl_slice prefix = {.ptr = copy, .len = len};
        const char *wrong = json_oracle_compare(prefix, &arena);
        ck_assert_msg(wrong == NULL, "%zu: %s", len, wrong);
        fl_json in = fl_json_over(prefix, &arena);
        fl_json_skip(&in);
        ck_assert_int_eq(fl_json_finish(&in), len >= last_bracket);
        ck_assert_uint_le(in.err.offset, len);
        free(copy);
    }
}
END_TEST

static void nest(char *text, size_t depth, const char *brackets)
{
    for (size_t i = 0; i < depth; i++) {
        text[i] = brackets[0];
        text[2 * depth - 1 - i] = brackets[1];
    }
    text[2 * depth] = '\0';
}

START_TEST(nesting_is_taken_to_its_limit_and_no_further)
{
    static char text[200001];
    nest(text, FL_JSON_MAX_DEPTH, "[]");
    fl_json in = over(text);
    fl_json_skip(&in);
    ck_assert_msg(fl_json_finish(&in), "%s", in.err.message);
    static const size_t deep[] = {FL_JSON_MAX_DEPTH + 1, 100000};
    for (size_t i = 0; i < 2; i++) {
        nest(text, deep[i], "[]");
        in = over(text);
        fl_json_skip(&in);
        check_failed(&in, FL_JSON_MAX_DEPTH, "containers are nested more than 128 deep");
        ck_assert_str_eq(fl_status_name(in.err.status), "limit");
        in = over(text);
        while (fl_json_enter_array(&in) && fl_json_next_element(&in))
            continue;
        check_failed(&in, FL_JSON_MAX_DEPTH, "containers are nested more than 128 deep");
    }
}
END_TEST

/* Entered and stepped over levels count together, and a skip leaves the levels above it whole. */
START_TEST(a_skip_in_the_depth_keeps_the_containers_around_it)
{
    char text[1024], *at = text;
    enum { ENTERED = 100, SKIPPED = FL_JSON_MAX_DEPTH - ENTERED };
    for (int i = 0; i < ENTERED; i++)
        at += snprintf(at, 8, "%s", i % 3 == 0 ? "{\"k\":" : "[");
    for (int i = 0; i < SKIPPED; i++)
        at += snprintf(at, 8, "%s", i % 2 == 0 ? "[" : "{\"k\":");
    *at++ = '1';
    for (int i = SKIPPED - 1; i >= 0; i--)
        *at++ = i % 2 == 0 ? ']' : '}';
    for (int i = ENTERED - 1; i >= 0; i--)
        *at++ = i % 3 == 0 ? '}' : ']';
    *at = '\0';
    fl_json in = over(text);
    fl_slice key;
    for (int i = 0; i < ENTERED; i++)
        if (i % 3 == 0)
            ck_assert(fl_json_enter_object(&in) && fl_json_next_member(&in, &key));
        else
            ck_assert(fl_json_enter_array(&in) && fl_json_next_element(&in));
    fl_json_skip(&in);
    for (int i = ENTERED - 1; i >= 0; i--)
        if (i % 3 == 0)
            ck_assert(!fl_json_next_member(&in, &key));
        else
            ck_assert(!fl_json_next_element(&in));
    ck_assert_msg(fl_json_finish(&in), "%s", in.err.message);
}
END_TEST

START_TEST(a_string_with_escapes_needs_room_in_the_arena)
{
    fl_slice text = FL_SLICE("[\"plain\",\"a\\nb\"]");
    fl_arena small = fl_arena_of(3);
    fl_arena *arenas[] = {NULL, &small};
    for (size_t i = 0; i < 2; i++) {
        fl_json in = fl_json_over(text, arenas[i]);
        ck_assert(fl_json_enter_array(&in) && fl_json_next_element(&in));
        ck_assert_uint_eq(fl_json_string(&in).len, 5);
        ck_assert(fl_json_next_element(&in));
        ck_assert_ptr_null(fl_json_string(&in).ptr);
        check_failed(&in, 9, "no room to decode a string of 4 bytes");
        ck_assert_str_eq(fl_status_name(in.err.status), "limit");
        in = fl_json_over(text, arenas[i]); /* stepping over needs none */
        fl_json_skip(&in);
        ck_assert(fl_json_finish(&in));
    }
    fl_arena_dispose(&small);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_slice text = FL_SLICE("{\"a\\n\":\"b\\n\",\"c\":\"\\t\"}");
    unsigned failures = 0;
    for (long successes = 0;; successes++) {
        fl_arena fresh = fl_arena_of(1u << 20);
        fl_slice key;
        fl_json in = fl_json_over(text, &fresh);
        fl_mem_fail_after(successes);
        ck_assert(fl_json_enter_object(&in));
        while (fl_json_next_member(&in, &key))
            (void)fl_json_string(&in);
        fl_mem_fail_after(-1);
        fl_arena_dispose(&fresh);
        if (fl_json_finish(&in))
            break;
        check_failed(&in, 1, "no memory to decode a string of 3 bytes");
        ck_assert_str_eq(fl_status_name(in.err.status), "no_memory");
        failures++;
    }
    ck_assert_uint_gt(failures, 0);
}
END_TEST

static void add_malformed(TCase *cases)
{
    tcase_add_loop_test(cases, a_malformed_document_is_explained, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_loop_test(cases, a_value_of_another_kind_is_a_failure_with_the_neutral_value, 0,
                        sizeof(mismatched) / sizeof(mismatched[0]));
    tcase_add_test(cases, after_a_failure_everything_is_neutral_and_the_first_one_stays);
    tcase_add_test(cases, each_prefix_of_a_good_document_fails_cleanly);
    tcase_add_test(cases, nesting_is_taken_to_its_limit_and_no_further);
    tcase_add_test(cases, a_string_with_escapes_needs_room_in_the_arena);
    tcase_add_test(cases, survives_each_allocation_failing);
}

static Suite *json_suite(void)
{
    Suite *suite = suite_create("base/json");
    TCase *cases = tcase_create("json");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_record_is_read_as_the_header_shows);
    tcase_add_test(cases, a_caller_records_its_own_complaint);
    tcase_add_test(cases, a_mark_leads_back_past_a_failure);
    tcase_add_test(cases, documents_may_follow_each_other_at_the_top);
    tcase_add_test(cases, null_leaves_another_value_alone);
    tcase_add_test(cases, raw_is_the_value_without_the_space_around_it);
    tcase_add_loop_test(cases, strings_are_decoded, 0, sizeof(strings) / sizeof(strings[0]));
    tcase_add_test(cases, whatever_ends_a_string_is_found_wherever_it_stands);
    tcase_add_test(cases, both_ways_of_scanning_agree_on_random_bytes);
    tcase_add_loop_test(cases, integers_are_read_from_numbers_and_strings, 0,
                        sizeof(integers) / sizeof(integers[0]));
    tcase_add_test(cases, the_largest_unsigned_integer_is_read);
    tcase_add_test(cases, doubles_are_read_from_numbers_and_strings);
    tcase_add_test(cases, a_skip_in_the_depth_keeps_the_containers_around_it);
    add_malformed(cases);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(json_suite)
