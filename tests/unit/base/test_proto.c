#include "proto.h"

#include <stdio.h>

#include "fl_test.h"
#include "proto_oracle.h"
#include "slice.h"

/* A message written by hand: a field of each wire type, one inside another. */
#define INNER                                                                                      \
    "\x0a\x03"                                                                                     \
    "abc"                                                                                          \
    "\x10\xac\x02" /* 1: "abc"  2: 300 */
#define OUTER                                                                                      \
    "\x08\x96\x01"                                 /* 1: 150 */                                    \
    "\x12\x08" INNER                               /* 2: INNER */                                  \
    "\x19\x00\x00\x00\x00\x00\x00\xf8\x3f"         /* 3: 1.5 */                                    \
    "\x25\x01\x02\x03\x04"                         /* 4: 0x04030201 */                             \
    "\x28\x03"                                     /* 5: zigzag -2 */                              \
    "\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" /* 6: -1 */                                     \
    "\xfa\xff\xff\xff\x0f\x00"                     /* 2^29 - 1: no bytes */

static const struct {
    uint32_t field;
    fl_proto_type type;
    size_t at;
} outer_fields[] = {
    {1, FL_PROTO_VARINT, 0},         {2, FL_PROTO_BYTES, 3},   {3, FL_PROTO_FIXED64, 13},
    {4, FL_PROTO_FIXED32, 22},       {5, FL_PROTO_VARINT, 27}, {6, FL_PROTO_VARINT, 29},
    {536870911, FL_PROTO_BYTES, 40},
};

START_TEST(fields_come_in_the_order_they_were_written_in)
{
    fl_proto in = fl_proto_over(BYTES(OUTER));
    for (size_t i = 0; i < sizeof(outer_fields) / sizeof(outer_fields[0]); i++) {
        ck_assert(fl_proto_next(&in));
        ck_assert_uint_eq(in.field, outer_fields[i].field);
        ck_assert_uint_eq(in.type, outer_fields[i].type);
        ck_assert_uint_eq(in.field_pos, outer_fields[i].at);
    }
    ck_assert(!fl_proto_next(&in));
    ck_assert(!fl_proto_next(&in));
    ck_assert(fl_proto_ok(&in));
}
END_TEST

START_TEST(values_are_read_in_the_shape_that_is_asked_for)
{
    fl_proto in = fl_proto_over(BYTES(OUTER)), child;
    ck_assert(fl_proto_next(&in));
    ck_assert_uint_eq(fl_proto_u64(&in), 150);
    ck_assert(fl_proto_next(&in));
    fl_proto_enter(&child, &in);
    ck_assert(fl_proto_next(&child));
    ck_assert(fl_slice_equal(fl_proto_bytes(&child), FL_SLICE("abc")));
    ck_assert(fl_proto_next(&child));
    ck_assert_int_eq(fl_proto_i64(&child), 300);
    ck_assert(!fl_proto_next(&child) && fl_proto_adopt(&in, &child));
    ck_assert(fl_proto_next(&in));
    ck_assert_double_eq(fl_proto_double(&in), 1.5);
    ck_assert_uint_eq(fl_proto_fixed64(&in), UINT64_C(0x3ff8000000000000));
    ck_assert(fl_proto_next(&in));
    ck_assert_uint_eq(fl_proto_fixed32(&in), 0x04030201);
    ck_assert(fl_proto_next(&in));
    ck_assert_int_eq(fl_proto_sint(&in), -2);
    ck_assert(fl_proto_next(&in));
    ck_assert_int_eq(fl_proto_i64(&in), -1);
    ck_assert_uint_eq(fl_proto_u64(&in), UINT64_MAX);
    ck_assert_int_eq(fl_proto_sint(&in), INT64_MIN);
    ck_assert(fl_proto_next(&in));
    ck_assert_uint_eq(fl_proto_bytes(&in).len, 0);
    ck_assert_ptr_nonnull(fl_proto_bytes(&in).ptr);
    ck_assert(!fl_proto_next(&in) && fl_proto_ok(&in));
}
END_TEST

START_TEST(each_prefix_of_a_good_message_ends_cleanly)
{
    fl_slice whole = BYTES(OUTER);
    for (size_t len = 0; len < whole.len; len++) {
        unsigned char *copy = malloc(len + 1); /* so that the sanitizer sees a read past its end */
        memcpy(copy, whole.ptr, len);
        fl_proto in = fl_proto_over((fl_slice){.ptr = copy, .len = len});
        bool at_border = len == 0;
        for (size_t i = 0; i < sizeof(outer_fields) / sizeof(outer_fields[0]); i++)
            at_border = at_border || len == outer_fields[i].at;
        while (fl_proto_next(&in))
            continue;
        ck_assert_int_eq(fl_proto_ok(&in), at_border);
        if (!at_border)
            ck_assert_str_eq(fl_status_name(in.err.status), "truncated");
        free(copy);
    }
    fl_proto nothing = fl_proto_over((fl_slice){0});
    ck_assert(!fl_proto_next(&nothing) && fl_proto_ok(&nothing));
}
END_TEST

static const struct {
    fl_slice bytes;
    fl_status status;
    uint64_t offset;
    const char *message;
} bad[] = {
    {BYTES_INIT("\x80"), FL_E_TRUNCATED, 0, "message ends inside the tag of a field"},
    {BYTES_INIT("\x08\x01\xff\xff"), FL_E_TRUNCATED, 2, "message ends inside the tag of a field"},
    {BYTES_INIT("\x08"), FL_E_TRUNCATED, 1, "message ends inside the varint of field 1"},
    {BYTES_INIT("\x08\xff\xff"), FL_E_TRUNCATED, 1, "message ends inside the varint of field 1"},
    {BYTES_INIT("\x12"), FL_E_TRUNCATED, 1, "message ends inside the length of field 2"},
    {BYTES_INIT("\x12\x80"), FL_E_TRUNCATED, 1, "message ends inside the length of field 2"},
    {BYTES_INIT("\x12\x03"
                "ab"),
     FL_E_TRUNCATED, 1, "field 2 of 3 bytes runs past the end"},
    {BYTES_INIT("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                "ab"),
     FL_E_TRUNCATED, 1, "field 2 of 18446744073709551615 bytes runs past the end"},
    {BYTES_INIT("\x19"
                "1234567"),
     FL_E_TRUNCATED, 1, "message ends inside the 8 bytes of field 3"},
    {BYTES_INIT("\x25"
                "123"),
     FL_E_TRUNCATED, 1, "message ends inside the 4 bytes of field 4"},
    {BYTES_INIT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), FL_E_SYNTAX, 1,
     "varint of field 1 has more than 64 bits"},
    {BYTES_INIT("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), FL_E_SYNTAX, 1,
     "varint of field 1 has more than 64 bits"},
    {BYTES_INIT("\x12\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), FL_E_SYNTAX, 1,
     "length of field 2 has more than 64 bits"},
    {BYTES_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), FL_E_SYNTAX, 0,
     "tag of a field has more than 64 bits"},
    {BYTES_INIT("\x00\x00"), FL_E_SYNTAX, 0, "field number 0 is not between 1 and 536870911"},
    {BYTES_INIT("\x08\x01\x07"), FL_E_SYNTAX, 2, "field number 0 is not between 1 and 536870911"},
    {BYTES_INIT("\x80\x80\x80\x80\x10\x00"), FL_E_SYNTAX, 0,
     "field number 536870912 is not between 1 and 536870911"},
    {BYTES_INIT("\x08\x01\x1b"), FL_E_UNSUPPORTED, 2, "field 3 is a group, which is not read here"},
    {BYTES_INIT("\x1c"), FL_E_UNSUPPORTED, 0, "field 3 is a group, which is not read here"},
    {BYTES_INIT("\x0e"), FL_E_SYNTAX, 0, "field 1 has the unknown wire type 6"},
    {BYTES_INIT("\x0f"), FL_E_SYNTAX, 0, "field 1 has the unknown wire type 7"},
};

START_TEST(a_malformed_message_is_explained)
{
    fl_proto in = fl_proto_over(bad[_i].bytes);
    while (fl_proto_next(&in))
        continue;
    ck_assert_str_eq(in.err.message, bad[_i].message);
    ck_assert_uint_eq(in.err.offset, bad[_i].offset);
    ck_assert_str_eq(fl_status_name(in.err.status), fl_status_name(bad[_i].status));
    ck_assert(!fl_proto_next(&in));
    ck_assert_uint_eq(fl_proto_u64(&in), 0);
    ck_assert_uint_eq(fl_proto_fixed64(&in), 0);
    ck_assert_uint_eq(fl_proto_bytes(&in).len, 0);
    ck_assert_str_eq(in.err.message, bad[_i].message);
}
END_TEST

START_TEST(a_wrong_wire_type_is_a_failure_with_the_neutral_value)
{
    static const struct {
        fl_slice bytes;
        const char *as_varint, *as_bytes, *as_fixed64, *as_fixed32;
    } rows[] = {
        {BYTES_INIT("\x08\x05"), "", "expected a length and bytes in field 1, found a varint",
         "expected 8 fixed bytes in field 1, found a varint",
         "expected 4 fixed bytes in field 1, found a varint"},
        {BYTES_INIT("\x0a\x01"
                    "a"),
         "expected a varint in field 1, found a length and bytes", "",
         "expected 8 fixed bytes in field 1, found a length and bytes",
         "expected 4 fixed bytes in field 1, found a length and bytes"},
        {BYTES_INIT("\x09"
                    "12345678"),
         "expected a varint in field 1, found 8 fixed bytes",
         "expected a length and bytes in field 1, found 8 fixed bytes", "",
         "expected 4 fixed bytes in field 1, found 8 fixed bytes"},
        {BYTES_INIT("\x0d"
                    "1234"),
         "expected a varint in field 1, found 4 fixed bytes",
         "expected a length and bytes in field 1, found 4 fixed bytes",
         "expected 8 fixed bytes in field 1, found 4 fixed bytes", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *wanted[] = {rows[i].as_varint, rows[i].as_bytes, rows[i].as_fixed64,
                                rows[i].as_fixed32};
        for (size_t shape = 0; shape < 4; shape++) {
            fl_proto in = fl_proto_over(rows[i].bytes);
            ck_assert(fl_proto_next(&in));
            uint64_t got = shape == 0   ? fl_proto_u64(&in)
                           : shape == 1 ? fl_proto_bytes(&in).len
                           : shape == 2 ? fl_proto_fixed64(&in)
                                        : fl_proto_fixed32(&in);
            ck_assert_str_eq(in.err.message, wanted[shape]);
            ck_assert_int_eq(got != 0, wanted[shape][0] == '\0');
            ck_assert_int_eq(fl_proto_ok(&in), wanted[shape][0] == '\0');
        }
    }
}
END_TEST

START_TEST(nothing_is_in_hand_before_the_first_field)
{
    fl_proto in = fl_proto_over(BYTES("\x08\x05"));
    ck_assert_uint_eq(fl_proto_u64(&in), 0);
    ck_assert_str_eq(in.err.message, "expected a varint in field 0, found nothing");
    ck_assert(!fl_proto_next(&in));
}
END_TEST

START_TEST(offsets_inside_count_from_the_outermost_slice)
{
    /* 1: { 1: { 1: "abc"  2: a varint that is cut off } } */
    fl_proto in = fl_proto_over(BYTES("\x08\x01\x0a\x09\x0a\x07\x0a\x03"
                                      "abc"
                                      "\x10\xff"));
    ck_assert(fl_proto_next(&in) && fl_proto_next(&in));
    fl_proto middle = fl_proto_message(&in);
    ck_assert(fl_proto_next(&middle));
    fl_proto inner = fl_proto_message(&middle);
    ck_assert(fl_proto_next(&inner));
    ck_assert(!fl_proto_next(&inner));
    ck_assert_str_eq(inner.err.message, "message ends inside the varint of field 2");
    ck_assert_uint_eq(inner.err.offset, 12);
    ck_assert(!fl_proto_adopt(&middle, &inner));
    ck_assert(!fl_proto_adopt(&in, &middle));
    ck_assert_uint_eq(in.err.offset, 12);
    ck_assert_str_eq(in.err.message, inner.err.message);
    ck_assert(!fl_proto_next(&in));
}
END_TEST

START_TEST(the_first_failure_is_kept)
{
    fl_proto in = fl_proto_over(BYTES("\x08\x05"));
    ck_assert(fl_proto_next(&in));
    (void)fl_proto_bytes(&in);
    fl_proto other = fl_proto_over(BYTES("\x00"));
    ck_assert(!fl_proto_next(&other));
    ck_assert(!fl_proto_adopt(&in, &other));
    ck_assert_str_eq(in.err.message, "expected a length and bytes in field 1, found a varint");
    fl_proto good = fl_proto_over(BYTES(""));
    ck_assert(!fl_proto_adopt(&in, &good));
}
END_TEST

START_TEST(a_child_of_something_else_is_empty)
{
    fl_proto in = fl_proto_over(BYTES("\x08\x05")), child;
    ck_assert(fl_proto_next(&in));
    fl_proto_enter(&child, &in);
    ck_assert(!fl_proto_ok(&in));
    ck_assert(!fl_proto_next(&child) && fl_proto_ok(&child));
}
END_TEST

/* Random bytes, with the bits that make a tag valid more often than chance would. */
START_TEST(random_bytes_are_read_as_the_plain_reading_has_it)
{
    unsigned char bytes[40];
    uint32_t state = 7;
    for (unsigned i = 0; i < 200000; i++) {
        for (size_t j = 0; j < sizeof(bytes); j++) {
            state = state * 1664525u + 1013904223u;
            bytes[j] = (unsigned char)(state >> 24);
            if (state >> 8 & 1)
                bytes[j] &= 0x1a;
        }
        const char *wrong =
            proto_oracle_compare((fl_slice){.ptr = bytes, .len = i % sizeof(bytes)});
        if (wrong != NULL)
            ck_abort_msg("%u: %s", i, wrong);
    }
}
END_TEST

/* A file of the recordings, or nothing where they are not at hand. */
static fl_slice read_sample(const char *name, unsigned char *bytes, size_t cap)
{
    char path[1024];
    const char *shared = getenv("FL_SHARED");
    snprintf(path, sizeof(path), "%s/samples/%s",
             shared != NULL ? shared : FL_SOURCE_DIR "/../shared", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return (fl_slice){0};
    size_t len = fread(bytes, 1, cap, file);
    fclose(file);
    return (fl_slice){.ptr = bytes, .len = len};
}

/* Go down through the first field of each of these numbers. */
static fl_slice text_at(fl_slice bytes, const uint32_t *path, size_t depth)
{
    fl_proto in = fl_proto_over(bytes);
    for (size_t i = 0; i < depth; i++) {
        do
            ck_assert_msg(fl_proto_next(&in), "%s", in.err.message);
        while (in.field != path[i]);
        if (i + 1 < depth)
            in = fl_proto_message(&in);
    }
    return fl_proto_bytes(&in);
}

static const struct {
    const char *name, *service;
} samples[] = {
    {"otlp_traces.pb", "frontend"}, {"otlp_metrics.pb", "checkout"}, {"otlp_logs.pb", "payment"}};

START_TEST(genuine_requests_are_read_to_their_end)
{
    static unsigned char bytes[1 << 16];
    fl_slice sample = read_sample(samples[_i].name, bytes, sizeof(bytes));
    if (sample.len == 0) {
        printf("skipped: no recording %s\n", samples[_i].name);
        return;
    }
    ck_assert_ptr_null(proto_oracle_compare(sample));
    /* resource_*[0].resource.attributes[0] := key "service.name", value.string_value */
    ck_assert(fl_slice_equal(text_at(sample, (const uint32_t[]){1, 1, 1, 1}, 4),
                             FL_SLICE("service.name")));
    ck_assert(fl_slice_equal(text_at(sample, (const uint32_t[]){1, 1, 1, 2, 1}, 5),
                             fl_slice_of(samples[_i].service)));
    fl_proto in = fl_proto_over(sample), resource, scope;
    unsigned resources = 0, scopes = 0, records = 0;
    while (fl_proto_next(&in)) {
        ck_assert_uint_eq(in.field, 1);
        resources++;
        for (fl_proto_enter(&resource, &in); fl_proto_next(&resource);)
            if (resource.field == 2)
                for (fl_proto_enter(&scope, &resource), scopes++; fl_proto_next(&scope);)
                    records += scope.field == 2;
        ck_assert_msg(fl_proto_adopt(&in, &resource), "%s", in.err.message);
    }
    ck_assert_msg(fl_proto_ok(&in), "%s", in.err.message);
    ck_assert(resources > 0 && scopes >= resources && records >= scopes);
}
END_TEST

static Suite *proto_suite(void)
{
    Suite *suite = suite_create("base/proto");
    TCase *cases = tcase_create("proto");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, fields_come_in_the_order_they_were_written_in);
    tcase_add_test(cases, values_are_read_in_the_shape_that_is_asked_for);
    tcase_add_test(cases, each_prefix_of_a_good_message_ends_cleanly);
    tcase_add_loop_test(cases, a_malformed_message_is_explained, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(cases, a_wrong_wire_type_is_a_failure_with_the_neutral_value);
    tcase_add_test(cases, nothing_is_in_hand_before_the_first_field);
    tcase_add_test(cases, offsets_inside_count_from_the_outermost_slice);
    tcase_add_test(cases, the_first_failure_is_kept);
    tcase_add_test(cases, a_child_of_something_else_is_empty);
    tcase_add_test(cases, random_bytes_are_read_as_the_plain_reading_has_it);
    tcase_add_loop_test(cases, genuine_requests_are_read_to_their_end, 0,
                        sizeof(samples) / sizeof(samples[0]));
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(proto_suite)
