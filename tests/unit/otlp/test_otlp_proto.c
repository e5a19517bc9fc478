#include <stdio.h>

#include "mem.h"
#include "otlp_decode.h"

static otlp_decoder decoder;

static void setup(void)
{
    otlp_decoder_init(&decoder);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    otlp_decoder_dispose(&decoder);
}

/* --- a message builder: fields are appended, then wrapped into their parent --- */

typedef struct message {
    unsigned char bytes[2048];
    size_t len;
} message;

static void put_varint(message *to, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        to->bytes[to->len++] = (unsigned char)(value | 0x80);
    to->bytes[to->len++] = (unsigned char)value;
}

static void put_number(message *to, unsigned field, uint64_t value)
{
    put_varint(to, field << 3 | 0u);
    put_varint(to, value);
}

static void put_fixed(message *to, unsigned field, uint64_t value)
{
    put_varint(to, field << 3 | 1u);
    for (unsigned i = 0; i < 8; i++)
        to->bytes[to->len++] = (unsigned char)(value >> 8 * i);
}

static void put_double(message *to, unsigned field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    put_fixed(to, field, bits);
}

static void put_bytes(message *to, unsigned field, const void *bytes, size_t len)
{
    put_varint(to, field << 3 | 2u);
    put_varint(to, len);
    ck_assert_uint_lt(to->len + len, sizeof(to->bytes));
    if (len > 0)
        memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
}

static void put_text(message *to, unsigned field, const char *text)
{
    put_bytes(to, field, text, strlen(text));
}

static void put_message(message *to, unsigned field, const message *child)
{
    put_bytes(to, field, child->bytes, child->len);
}

static message span_of(const char *name)
{
    message span = {.len = 0};
    put_bytes(&span, 1, "0123456789abcdef", 16);
    put_bytes(&span, 2, "01234567", 8);
    put_text(&span, 5, name);
    put_fixed(&span, 7, 1000);
    put_fixed(&span, 8, 2000);
    return span;
}

/* A request with records, in one scope of one empty resource. */
static message request_of(const message *records, size_t count)
{
    message scope = {.len = 0}, block = {.len = 0}, request = {.len = 0}, empty = {.len = 0};
    for (size_t i = 0; i < count; i++)
        put_message(&scope, 2, &records[i]);
    put_message(&block, 1, &empty);
    put_message(&block, 2, &scope);
    put_message(&request, 1, &block);
    return request;
}

static const char *decode(const message *request)
{
    otlp_decoder_clear(&decoder);
    ck_assert_int_eq(otlp_decode_proto(&decoder, (fl_slice){request->bytes, request->len}), FL_OK);
    return otlp_decoder_text(&decoder);
}

/* --- equal records --- */

static const char *const fixtures[] = {"traces", "traces_2", "logs", "metrics"};

START_TEST(json_and_protobuf_of_the_same_data_give_equal_records)
{
    for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
        char name[64], *from_json;
        snprintf(name, sizeof(name), "%s.json", fixtures[i]);
        fl_slice json = otlp_fixture(name);
        otlp_decoder_clear(&decoder);
        ck_assert_int_eq(otlp_decode_json(&decoder, json), FL_OK);
        from_json = strdup(otlp_decoder_text(&decoder));
        ck_assert_uint_gt(strlen(from_json), 500);

        snprintf(name, sizeof(name), "%s.pb", fixtures[i]);
        fl_slice proto = otlp_fixture(name);
        otlp_decoder_clear(&decoder);
        ck_assert_int_eq(otlp_decode_proto(&decoder, proto), FL_OK);
        ck_assert_str_eq(otlp_decoder_text(&decoder), from_json);
        free(from_json);
        otlp_fixture_free(json);
        otlp_fixture_free(proto);
    }
}
END_TEST

/* Blank what differs between two runs of a program: ids, times and other long numbers. */
static void blank_numbers(char *text)
{
    char *out = text;
    for (char *p = text; *p != '\0';) {
        size_t run = strspn(p, "0123456789abcdef");
        if (run >= 8) {
            *out++ = '#';
            p += run;
        } else {
            *out++ = *p++;
        }
    }
    *out = '\0';
}

/* The SDK sent JSON in one run and protobuf in another. */
START_TEST(the_sdks_own_protobuf_gives_the_records_of_its_json)
{
    for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s.json", fixtures[i]);
        fl_slice json = otlp_fixture(name);
        otlp_decoder_clear(&decoder);
        ck_assert_int_eq(otlp_decode_json(&decoder, json), FL_OK);
        char *expected = strdup(otlp_decoder_text(&decoder));
        blank_numbers(expected);

        snprintf(name, sizeof(name), "%s_sdk.pb", fixtures[i]);
        fl_slice proto = otlp_fixture(name);
        otlp_decoder_clear(&decoder);
        ck_assert_int_eq(otlp_decode_proto(&decoder, proto), FL_OK);
        char *found = strdup(otlp_decoder_text(&decoder));
        blank_numbers(found);
        ck_assert_str_eq(found, expected);
        free(expected);
        free(found);
        otlp_fixture_free(json);
        otlp_fixture_free(proto);
    }
}
END_TEST

/* --- order, forms of lists --- */

START_TEST(a_resource_and_a_name_may_stand_behind_what_needs_them)
{
    message pair = {.len = 0}, value = {.len = 0}, resource = {.len = 0}, metric = {.len = 0};
    message point = {.len = 0}, sum = {.len = 0}, scope = {.len = 0}, block = {.len = 0};
    message request = {.len = 0};
    put_text(&value, 1, "cart");
    put_message(&pair, 2, &value); /* the value before its key */
    put_text(&pair, 1, "service.name");
    put_message(&resource, 1, &pair);
    put_fixed(&point, 6, (uint64_t)-5);
    put_fixed(&point, 3, 77);
    put_message(&sum, 1, &point);
    put_number(&sum, 3, 1);
    put_number(&sum, 2, 2);
    put_message(&metric, 7, &sum);
    put_text(&metric, 3, "By");
    put_text(&metric, 1, "heap");
    put_message(&scope, 2, &metric);
    put_message(&block, 2, &scope);
    put_message(&block, 1, &resource);
    put_message(&request, 1, &block);
    ck_assert_str_eq(decode(&request),
                     "resource 0 service=cart instance= node= service.name=\"cart\"\n"
                     "sum of 0: heap [By] cumulative monotonic 0..77 value -5\n");
}
END_TEST

START_TEST(lists_of_numbers_are_read_packed_and_one_by_one)
{
    message metric = {.len = 0}, histogram = {.len = 0}, exp = {.len = 0};
    message point = {.len = 0}, buckets = {.len = 0}, exp_point = {.len = 0};
    put_fixed(&point, 3, 1);
    put_fixed(&point, 6, 2);
    put_fixed(&point, 6, 3);
    put_double(&point, 7, 0.5);
    put_message(&histogram, 1, &point);
    put_number(&histogram, 2, 1);
    put_text(&metric, 1, "h");
    put_message(&metric, 9, &histogram);
    message request = request_of(&metric, 1);
    ck_assert_str_eq(decode(&request), "resource 0 service= instance= node=\n"
                                       "histogram of 0: h [] delta 0..1 count 0 sum nan min nan "
                                       "max nan bounds 0.5 counts 2 3\n");

    put_number(&buckets, 1, 3); /* zigzag: -2 */
    put_number(&buckets, 2, 300);
    put_bytes(&buckets, 2, "\x01\xac\x02", 3);
    put_fixed(&exp_point, 3, 1);
    put_message(&exp_point, 8, &buckets);
    put_message(&exp, 1, &exp_point);
    metric.len = 0;
    put_text(&metric, 1, "e");
    put_message(&metric, 10, &exp);
    request = request_of(&metric, 1);
    ck_assert_str_eq(decode(&request),
                     "resource 0 service= instance= node=\n"
                     "exp-histogram of 0: e [] 0..1 count 0 sum nan min nan max nan scale 0 "
                     "offset -2 zero 0 counts 300 1 300\n");
}
END_TEST

START_TEST(a_bytes_value_is_base64_as_in_json)
{
    message value = {.len = 0}, pair = {.len = 0}, span = span_of("n");
    put_bytes(&value, 7, "\x00\x01\x02\xff", 4);
    put_text(&pair, 1, "b");
    put_message(&pair, 2, &value);
    put_message(&span, 9, &pair);
    message request = request_of(&span, 1);
    ck_assert_ptr_nonnull(strstr(decode(&request), " b=bytes:AAEC/w==\n"));
}
END_TEST

/* What stands in `inner` as a field; `inner` is disposed of. */
static fl_buf wrapped(unsigned field, fl_buf inner)
{
    fl_buf out = fl_buf_of(SIZE_MAX / 4);
    message head = {.len = 0};
    put_varint(&head, field << 3 | 2u);
    put_varint(&head, inner.len);
    fl_buf_add(&out, (fl_slice){head.bytes, head.len});
    fl_buf_add(&out, fl_buf_slice(&inner));
    ck_assert_int_eq(out.status, FL_OK);
    fl_buf_dispose(&inner);
    return out;
}

/* Each value is small enough; asked for again and again, all of them would never fit. */
START_TEST(values_that_do_not_fit_into_memory_cost_their_record_alone)
{
    const size_t value_bytes = 45 << 20;
    char *letters = malloc(value_bytes);
    fl_buf value = fl_buf_of(SIZE_MAX / 4), all = fl_buf_of(SIZE_MAX / 4);
    ck_assert_ptr_nonnull(letters);
    memset(letters, 'x', value_bytes);
    fl_buf_add(&value, (fl_slice){(unsigned char *)letters, value_bytes});
    free(letters);
    /* In a list, since a text alone needs no memory; then KeyValue and Span.attributes. */
    value = wrapped(9, wrapped(2, wrapped(5, wrapped(1, wrapped(1, value)))));
    message span = span_of("n");
    fl_buf_add(&all, (fl_slice){span.bytes, span.len});
    for (int i = 0; i < 3; i++)
        fl_buf_add(&all, fl_buf_slice(&value));
    fl_buf_dispose(&value);
    all = wrapped(2, all);
    message good = {.len = 0};
    put_message(&good, 2, &span);
    fl_buf_add(&all, (fl_slice){good.bytes, good.len});
    all = wrapped(1, wrapped(2, all));
    ck_assert_int_eq(otlp_decode_proto(&decoder, fl_buf_slice(&all)), FL_OK);
    fl_buf_dispose(&all);
    const char *text = otlp_decoder_text(&decoder);
    ck_assert_ptr_nonnull(
        strstr(text, " records 1: span: its values are larger than 128 MiB as text\n"));
    ck_assert_uint_eq(decoder.dump.spans, 1);
}
END_TEST

/* --- rejects: the record between two good ones --- */

typedef void damage_fn(message *span);

static void no_trace_id(message *span)
{
    memset(span->bytes + 2, 0, 16);
}

static void short_trace_id(message *span)
{
    put_bytes(span, 1, "short", 5);
}

static void short_span_id(message *span)
{
    put_bytes(span, 2, "123456789", 9);
}

static void short_parent_id(message *span)
{
    put_bytes(span, 4, "1", 1);
}

static void no_start(message *span)
{
    put_fixed(span, 7, 0);
}

static void ends_early(message *span)
{
    put_fixed(span, 8, 999);
}

static void year_2500(message *span)
{
    put_fixed(span, 8, UINT64_C(16725225600000000000));
}

static void bad_utf8(message *span)
{
    put_text(span, 5, "ab\xc3(");
}

static void bad_key(message *span)
{
    message pair = {.len = 0};
    put_text(&pair, 1, "\xff");
    put_message(span, 9, &pair);
}

static void name_as_number(message *span)
{
    put_number(span, 5, 7);
}

static void field_past_the_end(message *span)
{
    put_varint(span, 5 << 3 | 2u);
    put_varint(span, 100);
}

static void a_group(message *span)
{
    put_varint(span, 20 << 3 | 3u);
}

static void too_deep(message *span)
{
    message value = {.len = 0}, list = {.len = 0}, pair = {.len = 0};
    for (int i = 0; i < 40; i++) {
        list.len = 0;
        put_message(&list, 1, &value);
        value.len = 0;
        put_message(&value, 5, &list);
    }
    put_text(&pair, 1, "k");
    put_message(&pair, 2, &value);
    put_message(span, 9, &pair);
}

static const struct {
    damage_fn *damage;
    const char *reason;
} damages[] = {
    {no_trace_id, "span: no trace id"},
    {short_trace_id, "span: trace id is not 16 bytes"},
    {short_span_id, "span: span id is not 8 bytes"},
    {short_parent_id, "span: parent span id is not 8 bytes"},
    {no_start, "span: no start time"},
    {ends_early, "span: ends before it starts"},
    {year_2500, "span: time is beyond the year 2262"},
    {bad_utf8, "span: invalid UTF-8 in field 5"},
    {bad_key, "span: invalid UTF-8 in field 1"},
    {name_as_number, "span: expected a length and bytes in field 5, found a varint"},
    {field_past_the_end, "span: field 5 of 100 bytes runs past the end"},
    {a_group, "span: field 20 is a group, which is not read here"},
    {too_deep, "span: a value is nested more than 32 deep"},
};

START_TEST(a_malformed_record_costs_itself)
{
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        message spans[] = {span_of("before"), span_of("damaged"), span_of("after")};
        damages[i].damage(&spans[1]);
        message request = request_of(spans, 3);
        const char *text = decode(&request), *reject = strstr(text, "reject line 0 ");
        ck_assert_msg(reject != NULL, "%s", text);
        const char *reason = strstr(reject, ": ") + 2;
        ck_assert_msg(strncmp(reason, damages[i].reason, strlen(damages[i].reason)) == 0 &&
                          reason[strlen(damages[i].reason)] == '\n',
                      "expected %s in %s", damages[i].reason, text);
        ck_assert_uint_eq(decoder.dump.rejects, 1);
        ck_assert_uint_eq(decoder.dump.spans, 2);
        ck_assert_ptr_nonnull(strstr(text, "\"after\""));
    }
}
END_TEST

START_TEST(a_reject_says_the_byte)
{
    message spans[] = {span_of("ab\xff"), span_of("fine")};
    message request = request_of(spans, 2);
    decoder.err = (fl_error){0};
    fl_status status = fl_otlp_proto(decoder.otlp, (fl_slice){request.bytes, request.len},
                                     FL_OTLP_TRACES, "test", 5000, &decoder.err);
    ck_assert_int_eq(status, FL_OK);
    char expected[96];
    const unsigned char *at = memchr(request.bytes, 0xff, request.len);
    snprintf(expected, sizeof(expected), "reject line 0 byte %d records 1: span: invalid UTF-8",
             5000 + (int)(at - request.bytes));
    ck_assert_ptr_nonnull(strstr(otlp_decoder_text(&decoder), expected));
    ck_assert_uint_eq(decoder.dump.spans, 1);
}
END_TEST

START_TEST(a_resource_that_cannot_be_read_costs_its_records_in_one_reject)
{
    message pair = {.len = 0}, resource = {.len = 0}, scope = {.len = 0}, block = {.len = 0};
    message request = {.len = 0}, span = span_of("n");
    put_text(&pair, 1, "\xfe");
    put_message(&resource, 1, &pair);
    put_message(&scope, 2, &span);
    put_message(&scope, 2, &span);
    put_message(&block, 1, &resource);
    put_message(&block, 2, &scope);
    put_message(&request, 1, &block);
    message good = request_of(&span, 1);
    memcpy(request.bytes + request.len, good.bytes, good.len);
    request.len += good.len;
    ck_assert_str_eq(strchr(decode(&request), ':') + 2,
                     strstr(otlp_decoder_text(&decoder), "resource: invalid UTF-8 in field 1\n"));
    ck_assert_uint_eq(decoder.dump.lost, 2);
    ck_assert_uint_eq(decoder.dump.spans, 1);
}
END_TEST

START_TEST(a_metric_without_a_name_is_rejected)
{
    message metrics[] = {{.len = 0}, {.len = 0}}, gauge = {.len = 0}, point = {.len = 0};
    put_fixed(&point, 3, 1);
    put_double(&point, 4, 1.5);
    put_message(&gauge, 1, &point);
    put_text(&metrics[0], 3, "s");
    put_message(&metrics[0], 5, &gauge);
    put_text(&metrics[1], 1, "m");
    put_message(&metrics[1], 5, &gauge);
    message request = request_of(metrics, 2);
    fl_slice bytes = {request.bytes, request.len};
    ck_assert_int_eq(fl_otlp_proto(decoder.otlp, bytes, FL_OTLP_METRICS, "test", 0, NULL), FL_OK);
    ck_assert_ptr_nonnull(strstr(otlp_decoder_text(&decoder), "metric: no name\n"));
    ck_assert_uint_eq(decoder.dump.points, 1);
}
END_TEST

/* --- damage to whole requests --- */

START_TEST(every_prefix_of_a_request_keeps_what_came_before)
{
    for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s.pb", fixtures[i]);
        fl_slice whole = otlp_fixture(name);
        uint64_t last = 0;
        for (size_t len = 1; len < whole.len; len++) {
            unsigned char *copy = malloc(len);
            ck_assert_ptr_nonnull(copy);
            memcpy(copy, whole.ptr, len);
            otlp_decoder_clear(&decoder);
            ck_assert_int_eq(otlp_decode_proto(&decoder, (fl_slice){copy, len}), FL_OK);
            ck_assert_msg(decoder.dump.rejects == 1, "%s cut at %zu: %s", name, len,
                          otlp_decoder_text(&decoder));
            uint64_t records = decoder.dump.spans + decoder.dump.logs + decoder.dump.points;
            ck_assert_uint_ge(records, last);
            last = records;
            free(copy);
        }
        ck_assert_uint_ge(last, 4);
        otlp_fixture_free(whole);
    }
}
END_TEST

START_TEST(a_damaged_byte_ends_nothing_but_records)
{
    fl_slice whole = otlp_fixture("metrics.pb");
    unsigned char *copy = malloc(whole.len);
    ck_assert_ptr_nonnull(copy);
    for (size_t at = 0; at < whole.len; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(copy, whole.ptr, whole.len);
            copy[at] ^= (unsigned char)(1u << bit);
            otlp_decoder_clear(&decoder);
            ck_assert_int_eq(otlp_decode_proto(&decoder, (fl_slice){copy, whole.len}), FL_OK);
            ck_assert_uint_le(decoder.dump.points, 8);
        }
    free(copy);
    otlp_fixture_free(whole);
}
END_TEST

START_TEST(strict_mode_stops_at_the_first_reject)
{
    message spans[] = {span_of("\xff"), span_of("fine")};
    message request = request_of(spans, 2);
    fl_otlp_set_strict(decoder.otlp, true);
    fl_slice bytes = {request.bytes, request.len};
    ck_assert_fails(FL_E_SYNTAX, otlp_decode_proto(&decoder, bytes));
    char expected[128];
    snprintf(
        expected, sizeof(expected), "test, byte %d: span: invalid UTF-8 in field 5",
        (int)((const unsigned char *)memchr(request.bytes, 0xff, request.len) - request.bytes));
    ck_assert_str_eq(decoder.err.message, expected);
    ck_assert_uint_eq(decoder.dump.spans + decoder.dump.rejects, 0);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_slice request = otlp_fixture("logs.pb");
    bool done = false;
    for (long successes = 0; !done; successes++) {
        otlp_dump dump;
        fl_sink sink = otlp_dump_sink(&dump);
        fl_otlp *otlp = NULL;
        ck_assert_int_lt(successes, 100);
        for (size_t i = 0; i < 4096; i++)
            fl_buf_char(&dump.text, ' ');
        fl_mem_fail_after(successes);
        fl_status status = fl_otlp_create(&otlp, &sink, NULL);
        if (status == FL_OK)
            status = fl_otlp_proto(otlp, request, FL_OTLP_LOGS, "test", 0, NULL);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert_uint_eq(dump.rejects, 0);
        done = status == FL_OK;
        if (done)
            ck_assert_uint_eq(dump.logs, 5);
        fl_otlp_destroy(otlp);
        fl_buf_dispose(&dump.text);
    }
    otlp_fixture_free(request);
}
END_TEST

static Suite *otlp_proto_suite(void)
{
    Suite *suite = suite_create("otlp/proto");
    TCase *cases = tcase_create("proto");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, json_and_protobuf_of_the_same_data_give_equal_records);
    tcase_add_test(cases, the_sdks_own_protobuf_gives_the_records_of_its_json);
    tcase_add_test(cases, a_resource_and_a_name_may_stand_behind_what_needs_them);
    tcase_add_test(cases, lists_of_numbers_are_read_packed_and_one_by_one);
    tcase_add_test(cases, a_bytes_value_is_base64_as_in_json);
    tcase_add_test(cases, values_that_do_not_fit_into_memory_cost_their_record_alone);
    tcase_add_test(cases, a_malformed_record_costs_itself);
    tcase_add_test(cases, a_reject_says_the_byte);
    tcase_add_test(cases, a_resource_that_cannot_be_read_costs_its_records_in_one_reject);
    tcase_add_test(cases, a_metric_without_a_name_is_rejected);
    tcase_add_test(cases, every_prefix_of_a_request_keeps_what_came_before);
    tcase_add_test(cases, a_damaged_byte_ends_nothing_but_records);
    tcase_add_test(cases, strict_mode_stops_at_the_first_reject);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(otlp_proto_suite)
