#include "block.h"

#include <stdio.h>

#include "block_priv.h"
#include "block_text.h"
#include "fl_test.h"
#include "hash.h"
#include "made_records.h"
#include "mem.h"
#include "otlp.h"
#include "timestamp.h"

static fl_error err;
static fl_block_writer *writer;
static fl_buf block;

static void set_up(void)
{
    err = (fl_error){0};
    block = fl_buf_of(64 << 20);
    ck_assert_ok(fl_block_writer_create(&writer, 64 << 20, &err));
}

static void tear_down(void)
{
    fl_mem_fail_after(-1);
    fl_block_writer_destroy(writer);
    fl_buf_dispose(&block);
}

static void push_file(const fl_sink *sink, const char *path)
{
    fl_otlp *otlp;
    ck_assert_ok(fl_otlp_create(&otlp, sink, &err));
    ck_assert_ok(fl_otlp_file(otlp, path, &err));
    fl_otlp_destroy(otlp);
}

/* Everything that a block of the file's records tells is what the file tells. */
static void check_same(const char *path)
{
    otlp_dump direct, back;
    fl_sink sink = block_text_sink(&direct);
    push_file(&sink, path);
    push_file(fl_block_writer_sink(writer), path);
    ck_assert_uint_eq(fl_block_writer_records(writer), direct.spans + direct.logs + direct.points);
    fl_buf_clear(&block);
    ck_assert_ok(fl_block_finish(&block, writer, &err));
    sink = block_text_sink(&back);
    ck_assert_ok(fl_block_read(fl_buf_slice(&block), &sink, &err));
    fl_buf expected = block_text_sorted(&direct), got = block_text_sorted(&back);
    ck_assert_uint_gt(got.len, 0);
    ck_assert_msg(strcmp(expected.ptr, got.ptr) == 0, "%s comes back as something else", path);
    fl_buf_dispose(&expected);
    fl_buf_dispose(&got);
    fl_buf_dispose(&direct.text);
    fl_buf_dispose(&back.text);
}

START_TEST(genuine_records_come_back)
{
    static const char *const files[] = {"logs.json",    "metrics.json", "traces.json",
                                        "traces_2.pb",  "logs_sdk.pb",  "metrics_sdk.pb",
                                        "traces_sdk.pb"};
    char path[512];
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), FL_SOURCE_DIR "/tests/fixtures/otlp/%s", files[i]);
        check_same(path);
    }
}
END_TEST

START_TEST(rare_records_come_back)
{
    otlp_dump direct, back;
    fl_sink sink = block_text_sink(&direct);
    made_records_push(&sink);
    made_records_push(fl_block_writer_sink(writer));
    ck_assert_ok(fl_block_finish(&block, writer, &err));
    sink = block_text_sink(&back);
    ck_assert_ok(fl_block_read(fl_buf_slice(&block), &sink, &err));
    fl_buf expected = block_text_sorted(&direct), got = block_text_sorted(&back);
    ck_assert_str_eq(got.ptr, expected.ptr);
    fl_buf_dispose(&expected);
    fl_buf_dispose(&got);
    fl_buf_dispose(&direct.text);
    fl_buf_dispose(&back.text);
}
END_TEST

START_TEST(a_writer_serves_block_after_block)
{
    const fl_sink *sink = fl_block_writer_sink(writer);
    otlp_dump dump;
    uint32_t handle;
    fl_resource resource = {.service = SLICE("pay")};
    fl_log log = {.body = SLICE("hello")};
    ck_assert_ok(sink->resource(sink->payload, &resource, &handle, &err));
    for (int i = 0; i < 3; i++) {
        fl_buf_clear(&block);
        ck_assert_ok(sink->log(sink->payload, handle, &log, &err));
        ck_assert_ok(fl_block_finish(&block, writer, &err));
        ck_assert_uint_eq(fl_block_writer_bytes(writer), 0);
        fl_sink text = otlp_dump_sink(&dump);
        ck_assert_ok(fl_block_read(fl_buf_slice(&block), &text, &err));
        ck_assert_uint_eq(dump.logs, 1);
        ck_assert_ptr_nonnull(strstr(dump.text.ptr, "service=pay"));
        fl_buf_dispose(&dump.text);
    }
}
END_TEST

START_TEST(a_full_block_says_so_and_keeps_what_it_has)
{
    fl_block_writer *small;
    uint32_t handle;
    fl_resource resource = {.service = SLICE("pay")};
    fl_log log = {.body = SLICE("a line that is the same each time")};
    ck_assert_ok(fl_block_writer_create(&small, 20000, &err));
    const fl_sink *sink = fl_block_writer_sink(small);
    ck_assert_ok(sink->resource(sink->payload, &resource, &handle, &err));
    uint64_t count = 0;
    while (sink->log(sink->payload, handle, &log, &err) == FL_OK)
        count++;
    ck_assert_str_eq(fl_status_name(err.status), "limit");
    ck_assert_int_eq(strncmp(err.message, "a block is full with ", 21), 0);
    ck_assert_uint_gt(count, 100);
    ck_assert_uint_eq(fl_block_writer_records(small), count);
    err = (fl_error){0};
    ck_assert_ok(fl_block_finish(&block, small, &err));
    ck_assert_ok(sink->log(sink->payload, handle, &log, &err));
    fl_block_writer_destroy(small);
}
END_TEST

/* 2022-08-22T05:18:35.409295800Z */
static const int64_t own_time_ns = INT64_C(1661145515409295800);

/* Take it apart and put it together; what its pattern is. Ids go to lists, as the writer has them.
 */
static const char *pattern_of(const char *text, int64_t time_ns)
{
    static char shape[4096];
    block_pattern pattern = {.pattern = fl_buf_of(1 << 16)};
    block_own own = {.trace = {0xab, 0xcd}, .span = 0xef, .time_ns = time_ns};
    fl_block_ids uuids = {0};
    fl_rows_column columns[BLOCK_MAX_TEXT_VARIABLES];
    fl_column_kind kinds[BLOCK_MAX_TEXT_VARIABLES];
    fl_buf back = fl_buf_of(1 << 16);
    fl_block_take_apart(&pattern, SLICE(text), &own);
    fl_slice bytes = fl_buf_slice(&pattern.pattern);
    ck_assert_uint_eq(fl_block_pattern_kinds(kinds, bytes), pattern.count);
    for (size_t v = 0; v < pattern.count; v++) {
        block_variable *variable = &pattern.items[v];
        uint64_t place = 0;
        bool is_new;
        if (variable->kind > VARIABLE_DATE)
            ck_assert_ok(fl_block_ids_put(&place, &is_new, &uuids, variable->id, &err));
        if (place > 0)
            variable->integer = (int64_t)place;
        columns[v] = (fl_rows_column){
            .kind = kinds[v], .integers = &variable->integer, .texts = &variable->text};
        ck_assert_int_eq(kinds[v] == FL_COLUMN_TEXT, variable->kind == VARIABLE_TEXT);
    }
    ck_assert(fl_block_put_together(&back, bytes, columns, 0, &own, &uuids));
    ck_assert_str_eq(back.ptr != NULL ? back.ptr : "", text);
    snprintf(shape, sizeof(shape), "%.*s", FL_SLICE_ARG(bytes));
    fl_buf_dispose(&back);
    fl_buf_dispose(&pattern.pattern);
    fl_block_ids_dispose(&uuids);
    return shape;
}

START_TEST(a_text_comes_back_from_its_parts)
{
    static const char *const texts[] = {
        "",
        "no digits here",
        "17",
        "007",
        "0",
        "0x7f 12ms 12msec 12_ms 1-2",
        "GET /api/v1/orders/9f8e7d6c?page=2",
        "-5 +5 5. .5",
        "1234567890123456789 123456789012345678",
        "\x11",
        "a\x12z1",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 "
        "28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 "
        "58 59 60 61 62 63 64 65 66",
        "a\x14z \x15 \x19",
        "r\xc3\xb4le 3\xff",
        "2022-08-22",
        "2022-08-22T05:18:35.4092958999",
        "2022-08-22T",
        "05:18:35.",
        "05:18:35.4x 05:18:355 5:18:35 05:18:3",
        "2022-08-21 2022-08-23 2022-08-24 2022-08-2 22022-08-22"};
    const int64_t times[] = {own_time_ns, 0, -1, INT64_MAX, INT64_MIN, 1000000000};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        for (size_t t = 0; t < sizeof(times) / sizeof(times[0]); t++)
            (void)pattern_of(texts[i], times[t]);
}
END_TEST

/* What is known of a record, or is an id, leaves a mark. */
START_TEST(a_text_that_repeats_its_record_has_marks_in_its_pattern)
{
    static const char *const texts[][2] = {
        {"took 17 ms at node-3", "took \x11 ms at \x12"},
        {"00000000000000ab00000000000000cd/00000000000000ef", "\x13/\x14"},
        {"00000000000000EF", "\x12"},
        {"at 2022-08-22T05:18:35.4092958Z", "at \x16"
                                            "1T\x15 n.Z"},
        {"2022-08-22 05:18:35,409 2022-08-22", "\x16"
                                               "1 \x15 3, \x16"
                                               "1"},
        {"13:18:35.409295800 x", "\x15@9. x"}, /* eight hours ahead */
        {"[05:18:35] 22:48:35", "[\x15 00] \x15"
                                "f00"},
        {"2022-08-21T19:18:35.4", "\x16"
                                  "0T\x15X1."},
        {"2022-08-23T06:18:35", "\x16"
                                "2T\x15$00"},
        {"05:18:34.409 05:18:35.410 05:19:36", "\x15 3. \x15 3. \x12:\x11:\x11"}, /* 61 s */
        {"05:17:35,410000 05:18:35.4092958000", "\x15 6, \x12:\x11:\x11.\x11"},
        {"2022-08-22T05:17:34", "\x16"
                                "1\x12:\x11:\x11"},
        {"order 5ab16f9f-b092-4d08-9b6e-3175cf4a0288", "order \x17"},
        {"order 5ab16f9f-b092-4d08-9b6e-3175cf4a028", "order \x12"},
        {"order 5AB16F9F-b092-4d08-9b6e-3175cf4a0288", "order \x12"},
        {"order 5ab16f9fb0924d089b6e3175cf4a0288 5ab16f9fb0924d08", "order \x18 \x19"},
        {"1234567890123456 00000000-0000-0000-0000-000000000000", "\x11 \x17"}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        ck_assert_str_eq(pattern_of(texts[i][0], own_time_ns), texts[i][1]);
}
END_TEST

/* Times and zones of any kind, as loggers write them. */
START_TEST(every_clock_of_a_record_comes_back)
{
    uint64_t state = 1;
    for (int i = 0; i < 3000; i++) {
        char text[64];
        int64_t year, month, day;
        state = fl_hash_mix(state + 1);
        int64_t time_ns =
            (int64_t)(state >> 1) / (i % 2 == 0 ? 1 : 1000000) * (i % 2 == 0 ? 1 : 1000000);
        int64_t zone_s = ((int64_t)(state % 97) - 48) * 900, local = time_ns / FL_NS_PER_S + zone_s;
        if (local < 0)
            continue;
        fl_time_date(local / 86400, &year, &month, &day);
        int len = snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%09d", (int)year,
                           (int)month, (int)day, (int)(local / 3600 % 24), (int)(local / 60 % 60),
                           (int)(local % 60), (int)(time_ns % FL_NS_PER_S));
        text[len - (int)(state >> 8) % 10] = '\0';
        const char *shape = pattern_of(text, time_ns);
        if (text[19] != '.' || text[20] != '\0') /* "35." has no fraction, and its dot is a dot */
            ck_assert_msg(strchr(shape, '\x12') == NULL && strchr(shape, '\x11') == NULL, "%s",
                          text);
    }
}
END_TEST

/* Ids that somebody has made so that they hash alike (hash.h: a bijective mix) stay apart. */
START_TEST(ids_of_one_hash_stay_apart)
{
    const fl_sink *sink = fl_block_writer_sink(writer);
    const fl_trace_id first = {1, 7}, second = {2, fl_hash_mix(1) ^ fl_hash_mix(2) ^ first.lo};
    otlp_dump direct, back;
    fl_sink dumping = block_text_sink(&direct);
    const fl_sink *const sinks[] = {sink, &dumping};
    for (size_t i = 0; i < 2; i++) {
        uint32_t handle;
        ck_assert_ok(sinks[i]->resource(sinks[i]->payload, &(fl_resource){0}, &handle, &err));
        for (size_t turn = 0; turn < 6; turn++) {
            const fl_log log = {.trace = turn % 2 == 0 ? first : second, .span = turn / 2};
            ck_assert_ok(sinks[i]->log(sinks[i]->payload, handle, &log, &err));
        }
    }
    ck_assert_ok(fl_block_finish(&block, writer, &err));
    fl_sink again = block_text_sink(&back);
    ck_assert_ok(fl_block_read(fl_buf_slice(&block), &again, &err));
    ck_assert_str_eq(back.text.ptr, direct.text.ptr);
    fl_buf_dispose(&direct.text);
    fl_buf_dispose(&back.text);
}
END_TEST

static void make_block(void)
{
    made_records_push(fl_block_writer_sink(writer));
    ck_assert_ok(fl_block_finish(&block, writer, &err));
}

START_TEST(a_damaged_block_is_refused_before_anything_is_told)
{
    otlp_dump dump;
    fl_sink sink = otlp_dump_sink(&dump);
    make_block();
    for (size_t i = 0; i < block.len; i++) {
        fl_error own = {0};
        block.ptr[i] ^= 0x10;
        ck_assert_int_ne(fl_block_read(fl_buf_slice(&block), &sink, &own), FL_OK);
        block.ptr[i] ^= 0x10;
    }
    for (size_t len = 0; len < block.len; len++) {
        fl_error own = {0};
        fl_slice part = {(unsigned char *)block.ptr, len};
        ck_assert_int_ne(fl_block_read(part, &sink, &own), FL_OK);
    }
    ck_assert_uint_eq(dump.text.len, 0);
    fl_buf_dispose(&dump.text);
}
END_TEST

START_TEST(a_block_of_another_version_is_told_apart)
{
    fl_sink sink = {0};
    make_block();
    block.ptr[7] = '2';
    ck_assert_fails(FL_E_UNSUPPORTED, fl_block_read(fl_buf_slice(&block), &sink, &err));
    ck_assert_str_eq(err.message, "a block of version 002, this program reads 001");
    err = (fl_error){0};
    ck_assert_fails(FL_E_SYNTAX,
                    fl_block_read(SLICE("<html><body>Sign in</body></html>"), &sink, &err));
    ck_assert_str_eq(err.message, "this is no block");
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    otlp_dump dump;
    fl_sink sink = otlp_dump_sink(&dump);
    fl_status status = FL_E_NOMEM;
    make_block();
    for (long allowed = 0; status != FL_OK; allowed++) {
        fl_error own = {0};
        fl_mem_fail_after(allowed);
        status = fl_block_read(fl_buf_slice(&block), &sink, &own);
        fl_mem_fail_after(-1);
        fl_buf_dispose(&dump.text); /* it fails as well, and says so */
        sink = otlp_dump_sink(&dump);
        ck_assert(status == FL_OK || (status == FL_E_NOMEM && allowed < 200));
    }
    fl_buf_dispose(&dump.text);
    status = FL_E_NOMEM;
    for (long allowed = 0; status != FL_OK; allowed++) {
        fl_error own = {0};
        fl_block_writer *tried;
        uint32_t handle = 0;
        fl_resource resource = {.service = SLICE("pay")};
        fl_log log = {.body = SLICE("took 17 ms at node-3")};
        fl_mem_fail_after(allowed);
        status = fl_block_writer_create(&tried, 1 << 20, &own);
        const fl_sink *to = status == FL_OK ? fl_block_writer_sink(tried) : NULL;
        if (status == FL_OK)
            status = to->resource(to->payload, &resource, &handle, &own);
        if (status == FL_OK)
            status = to->log(to->payload, handle, &log, &own);
        fl_buf_clear(&block);
        if (status == FL_OK)
            status = fl_block_finish(&block, tried, &own);
        fl_mem_fail_after(-1);
        fl_block_writer_destroy(tried);
        ck_assert(status == FL_OK || (status == FL_E_NOMEM && allowed < 200));
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("block/block");
    TCase *tcase = tcase_create("block");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, genuine_records_come_back);
    tcase_add_test(tcase, rare_records_come_back);
    tcase_add_test(tcase, a_writer_serves_block_after_block);
    tcase_add_test(tcase, a_full_block_says_so_and_keeps_what_it_has);
    tcase_add_test(tcase, a_text_comes_back_from_its_parts);
    tcase_add_test(tcase, a_text_that_repeats_its_record_has_marks_in_its_pattern);
    tcase_add_test(tcase, every_clock_of_a_record_comes_back);
    tcase_add_test(tcase, ids_of_one_hash_stay_apart);
    tcase_add_test(tcase, a_damaged_block_is_refused_before_anything_is_told);
    tcase_add_test(tcase, a_block_of_another_version_is_told_apart);
    tcase_add_test(tcase, survives_each_allocation_failing);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
