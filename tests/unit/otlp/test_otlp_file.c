#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "faultline/limits.h"
#include "fl_squeeze.h"
#include "mem.h"
#include "otlp_decode.h"
#include "stream.h"

static otlp_decoder decoder;
static char path[sizeof(FL_TEMP_PATH)];

static void setup(void)
{
    otlp_decoder_init(&decoder);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    otlp_decoder_dispose(&decoder);
}

/* Decode `bytes` as a file of its own. */
static fl_status decode_bytes(fl_slice bytes)
{
    otlp_decoder_clear(&decoder);
    fl_temp_file(path, bytes);
    fl_status status = otlp_decode_file(&decoder, path);
    unlink(path);
    return status;
}

static uint64_t record_count(void)
{
    return decoder.dump.spans + decoder.dump.logs + decoder.dump.points;
}

START_TEST(a_name_tells_whether_a_file_is_worth_opening)
{
    static const char *const good[] = {
        "traces.json",         "a.jsonl",     "a.ndjson.gz", "x.pb",
        "logs.otlp.jsonl.zst", "m.binpb.zst", "a.otlp",      "a.otlp.gz"};
    static const char *const bad[] = {"",       ".json", "json",   "readme.md",     "a.json.bz2",
                                      "a.gz",   ".gz",   ".pb.gz", "a.json.gz.zst", "truth.yaml",
                                      "a.jsonx"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        ck_assert_msg(fl_otlp_is_candidate(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!fl_otlp_is_candidate(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(a_missing_file_is_an_error)
{
    ck_assert_fails(FL_E_NOTFOUND, otlp_decode_file(&decoder, "/nonexistent/x.json"));
    ck_assert_str_eq(decoder.err.message,
                     "cannot open /nonexistent/x.json: No such file or directory");
}
END_TEST

START_TEST(an_empty_file_is_nothing)
{
    static const char *const empty[] = {"", "\n", "  \n\t\n", "\r\n", "\xef\xbb\xbf"};
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        ck_assert_msg(decode_bytes(SLICE(empty[i])) == FL_OK, "%zu: %s", i, decoder.err.message);
        ck_assert_uint_eq(decoder.dump.text.len, 0);
    }
}
END_TEST

START_TEST(a_file_of_something_else_is_unsupported)
{
    static const fl_slice others[] = {
        BYTES_INIT("{\"incident_time\":\"2023-01-29T09:25:00Z\"}"),
        BYTES_INIT("{\n  \"name\": \"package\"\n}\n"),
        BYTES_INIT("[1, 2]"),
        BYTES_INIT("hello\n"),
        BYTES_INIT("\nhello\n"),
        BYTES_INIT("<xml/>"),
        BYTES_INIT("\x00\x00"),
        BYTES_INIT("\x00\x00\x00\x05hello"),
        BYTES_INIT("\x7f"
                   "ELF\x02\x01\x01"),
        BYTES_INIT("{\"a\":1}\n{\"b\":2}\n"),
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        fl_status status = decode_bytes(others[i]);
        ck_assert_msg(status == FL_E_UNSUPPORTED, "%zu: %s %s", i, fl_status_name(status),
                      otlp_decoder_text(&decoder));
        char expected[128];
        snprintf(expected, sizeof(expected), "%s holds no OTLP", path);
        ck_assert_str_eq(decoder.err.message, expected);
        ck_assert_uint_eq(decoder.dump.text.len, 0);
    }
}
END_TEST

START_TEST(messages_compressed_one_by_one_are_named_as_such)
{
    ck_assert_fails(FL_E_UNSUPPORTED, decode_bytes(BYTES("\x00\x00\x00\x09\x28\xb5\x2f\xfd\x04")));
    ck_assert_ptr_nonnull(strstr(decoder.err.message, "messages that are compressed one by one"));
}
END_TEST

/* --- each form gives the same records --- */

static fl_bytes delimited(fl_slice message)
{
    unsigned char prefix[4] = {(unsigned char)(message.len >> 24),
                               (unsigned char)(message.len >> 16),
                               (unsigned char)(message.len >> 8), (unsigned char)message.len};
    return fl_joined((fl_slice){prefix, sizeof(prefix)}, message);
}

/* The same document over many lines. */
static fl_bytes pretty(fl_slice json)
{
    json_t *doc = json_loadb((const char *)json.ptr, json.len, 0, NULL);
    ck_assert_ptr_nonnull(doc);
    char *text = json_dumps(doc, JSON_INDENT(2));
    json_decref(doc);
    return (fl_bytes){(unsigned char *)text, strlen(text)};
}

static void check_form(const char *what, fl_slice bytes, const char *expected)
{
    fl_bytes packed[] = {fl_joined(bytes, (fl_slice){0}), fl_gzip(bytes), fl_zstd(bytes, 3)};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_msg(decode_bytes(fl_bytes_slice(packed[i])) == FL_OK, "%s: %s", what,
                      decoder.err.message);
        ck_assert_msg(strcmp(otlp_decoder_text(&decoder), expected) == 0, "%s gives %s", what,
                      otlp_decoder_text(&decoder));
        free(packed[i].ptr);
    }
}

START_TEST(every_form_gives_the_same_records)
{
    static const char *const names[] = {"traces_2", "logs", "metrics"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s.json", names[i]);
        fl_slice json = otlp_fixture(name);
        snprintf(name, sizeof(name), "%s.pb", names[i]);
        fl_slice proto = otlp_fixture(name);
        otlp_decoder_clear(&decoder);
        ck_assert_int_eq(otlp_decode_json(&decoder, json), FL_OK);
        char *expected = strdup(otlp_decoder_text(&decoder));
        fl_bytes with_length = delimited(proto), over_lines = pretty(json);
        fl_bytes with_mark = fl_joined(SLICE("\xef\xbb\xbf"), json);
        fl_bytes after_feeds = fl_joined(SLICE("\n\r\n"), json);
        check_form("json", json, expected);
        check_form("json document", fl_bytes_slice(over_lines), expected);
        check_form("json with a byte order mark", fl_bytes_slice(with_mark), expected);
        check_form("json after empty lines", fl_bytes_slice(after_feeds), expected);
        check_form("message", proto, expected);
        check_form("delimited message", fl_bytes_slice(with_length), expected);
        free(with_length.ptr);
        free(over_lines.ptr);
        free(with_mark.ptr);
        free(after_feeds.ptr);
        free(expected);
        otlp_fixture_free(json);
        otlp_fixture_free(proto);
    }
}
END_TEST

START_TEST(documents_follow_each_other_and_rejects_count_lines)
{
    const char *text =
        "{\n \"resourceLogs\": [{\"scopeLogs\": [{\"logRecords\": [\n"
        "  {\"body\": {}},\n  {\"timeUnixNano\": \"5\"},\n  {\"timeUnixNano\": []}\n ]}]}]\n}\n"
        "\n{\n \"resourceLogs\": [{\"scopeLogs\": [{\"logRecords\": [\n  {}]}]}]\n}\n";
    ck_assert_int_eq(decode_bytes(SLICE(text)), FL_OK);
    const char *no_type = strstr(text, "[]}");
    char expected[512];
    snprintf(expected, sizeof(expected),
             "resource 0 service= instance= node=\n"
             "reject line 3 byte %d records 1: log record: no time\n"
             "log of 0: 5 severity 0 \"\" \"\" 00000000000000000000000000000000 0000000000000000\n"
             "reject line 5 byte %d records 1: log record: expected an integer, found an array\n"
             "resource 1 service= instance= node=\n"
             "reject line 11 byte %d records 1: log record: no time\n",
             (int)(strstr(text, "{\"body\"") - text), (int)(no_type - text),
             (int)(strstr(text, "{}]}]}]\n}\n") - text));
    ck_assert_str_eq(otlp_decoder_text(&decoder), expected);
}
END_TEST

/* --- damage --- */

START_TEST(a_damaged_line_costs_what_is_behind_the_damage)
{
    fl_slice json = otlp_fixture("logs.json");
    fl_bytes broken = fl_joined((fl_slice){json.ptr, 1500}, SLICE("\n"));
    fl_bytes file = fl_joined(fl_bytes_slice(broken), json);
    ck_assert_int_eq(decode_bytes(fl_bytes_slice(file)), FL_OK);
    ck_assert_uint_eq(decoder.dump.logs, 6);
    ck_assert_uint_eq(decoder.dump.rejects, 1);
    ck_assert_ptr_nonnull(strstr(otlp_decoder_text(&decoder), "reject line 1 byte "));
    free(broken.ptr);
    free(file.ptr);
    otlp_fixture_free(json);
}
END_TEST

/* Many lines or messages, compressed and cut: what was whole is pushed, and one reject names the
 * cut. */
static void check_cut(fl_slice unit, uint64_t records_of_unit, bool is_zstd)
{
    enum { UNITS = 40 };
    unsigned char *all = malloc(unit.len * UNITS);
    ck_assert_ptr_nonnull(all);
    for (size_t i = 0; i < UNITS; i++)
        memcpy(all + i * unit.len, unit.ptr, unit.len);
    for (size_t i = 0; i < unit.len * UNITS; i += 512) /* little to compress: cuts fall anywhere */
        all[i] = all[i];
    fl_slice plain = {all, unit.len * UNITS};
    fl_bytes packed = is_zstd ? fl_zstd(plain, 1) : fl_gzip(plain);
    uint64_t last = 0;
    for (size_t len = 20; len < packed.len; len += packed.len / 23) {
        ck_assert_int_eq(decode_bytes((fl_slice){packed.ptr, len}), FL_OK);
        ck_assert_msg(decoder.dump.rejects == 1, "cut at %zu: %s", len,
                      otlp_decoder_text(&decoder));
        ck_assert_msg(strstr(otlp_decoder_text(&decoder), " is truncated: it ends inside a ") !=
                          NULL,
                      "%s", otlp_decoder_text(&decoder));
        ck_assert_uint_ge(record_count(), last);
        ck_assert_uint_lt(record_count(), UNITS * records_of_unit + 1);
        last = record_count();
    }
    free(packed.ptr);
    free(all);
}

START_TEST(a_truncated_archive_gives_what_was_good_and_one_reject)
{
    fl_slice json = otlp_fixture("logs.json"), proto = otlp_fixture("logs.pb");
    fl_bytes line = fl_joined(json, SLICE("\n")), message = delimited(proto),
             over_lines = pretty(json);
    for (int zstd = 0; zstd < 2; zstd++) {
        check_cut(fl_bytes_slice(line), 5, zstd);
        check_cut(fl_bytes_slice(message), 5, zstd);
        check_cut(fl_bytes_slice(over_lines), 5, zstd);
        check_cut(proto, 5, zstd);
    }
    free(line.ptr);
    free(message.ptr);
    free(over_lines.ptr);
    otlp_fixture_free(json);
    otlp_fixture_free(proto);
}
END_TEST

START_TEST(a_cut_delimited_file_keeps_the_records_before_the_cut)
{
    fl_slice proto = otlp_fixture("traces.pb");
    fl_bytes one = delimited(proto), two = fl_joined(fl_bytes_slice(one), fl_bytes_slice(one));
    for (size_t len = one.len + 1; len < two.len; len++) {
        ck_assert_int_eq(decode_bytes((fl_slice){two.ptr, len}), FL_OK);
        ck_assert_uint_ge(decoder.dump.spans, 10);
        ck_assert_uint_lt(decoder.dump.spans, 20);
        ck_assert_msg(decoder.dump.rejects == 1, "cut at %zu: %s", len,
                      otlp_decoder_text(&decoder));
        const char *inside = len < one.len + 4 ? "the file ends inside the length of a message\n"
                                               : "the file ends inside a message\n";
        ck_assert_msg(strstr(otlp_decoder_text(&decoder), inside) != NULL, "cut at %zu: %s", len,
                      otlp_decoder_text(&decoder));
    }
    free(one.ptr);
    free(two.ptr);
    otlp_fixture_free(proto);
}
END_TEST

START_TEST(a_line_over_the_limit_is_one_reject_and_the_rest_is_used)
{
    fl_slice json = otlp_fixture("logs.json");
    size_t long_len = (size_t)FL_MAX_RECORD_LINE_BYTES + 1, at = 0;
    unsigned char *file = malloc(2 * json.len + long_len + 2);
    ck_assert_ptr_nonnull(file);
    memcpy(file, json.ptr, json.len);
    at = json.len;
    file[at++] = '\n';
    memset(file + at, 'x', long_len);
    at += long_len;
    file[at++] = '\n';
    memcpy(file + at, json.ptr, json.len);
    ck_assert_int_eq(decode_bytes((fl_slice){file, at + json.len}), FL_OK);
    ck_assert_uint_eq(decoder.dump.logs, 10);
    ck_assert_uint_eq(decoder.dump.rejects, 1);
    char expected[96];
    snprintf(expected, sizeof(expected),
             "reject line 2 byte %zu records 1: line is longer than 64 MiB\n", json.len + 1);
    ck_assert_ptr_nonnull(strstr(otlp_decoder_text(&decoder), expected));
    free(file);
    otlp_fixture_free(json);
}
END_TEST

START_TEST(a_message_over_the_limit_is_one_reject_and_the_rest_is_used)
{
    fl_slice proto = otlp_fixture("logs.pb");
    fl_bytes small = delimited(proto);
    size_t long_len = (size_t)FL_MAX_RECORD_LINE_BYTES + 1;
    unsigned char *file = calloc(1, 2 * small.len + 4 + long_len);
    ck_assert_ptr_nonnull(file);
    memcpy(file, small.ptr, small.len);
    memcpy(file + small.len, "\x04\x00\x00\x01", 4);
    memcpy(file + small.len + 4 + long_len, small.ptr, small.len);
    ck_assert_int_eq(decode_bytes((fl_slice){file, 2 * small.len + 4 + long_len}), FL_OK);
    ck_assert_uint_eq(decoder.dump.logs, 10);
    ck_assert_uint_eq(decoder.dump.rejects, 1);
    ck_assert_ptr_nonnull(strstr(otlp_decoder_text(&decoder), ": message is longer than 64 MiB\n"));
    free(file);
    free(small.ptr);
    otlp_fixture_free(proto);
}
END_TEST

START_TEST(a_document_over_the_limit_is_one_reject)
{
    size_t len = (size_t)FL_MAX_RECORD_LINE_BYTES + 1000;
    unsigned char *file = malloc(len);
    ck_assert_ptr_nonnull(file);
    memset(file, ' ', len);
    memcpy(file, "{\n", 2);
    ck_assert_int_eq(decode_bytes((fl_slice){file, len}), FL_OK);
    ck_assert_str_eq(otlp_decoder_text(&decoder),
                     "reject line 0 byte 0 records 1: a document over several lines is longer than "
                     "64 MiB\n");
    free(file);
}
END_TEST

START_TEST(strict_mode_names_the_file)
{
    fl_otlp_set_strict(decoder.otlp, true);
    ck_assert_fails(FL_E_SYNTAX,
                    decode_bytes(SLICE("{\"resourceLogs\":[]}\n{\"resourceLogs\":7}\n")));
    char expected[128];
    snprintf(expected, sizeof(expected),
             "%s, line 2, byte 36: request: expected an array, found a number; the rest is lost",
             path);
    ck_assert_str_eq(decoder.err.message, expected);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    static const char *const names[] = {"logs.json", "logs.pb"};
    for (size_t n = 0; n < 2; n++) {
        fl_slice plain = otlp_fixture(names[n]);
        fl_bytes packed = fl_gzip(plain);
        bool done = false;
        fl_temp_file(path, fl_bytes_slice(packed));
        for (long successes = 0; !done; successes++) {
            ck_assert_int_lt(successes, 100);
            otlp_decoder_clear(&decoder);
            fl_mem_fail_after(successes);
            fl_status status = otlp_decode_file(&decoder, path);
            fl_mem_fail_after(-1);
            ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "%s", fl_status_name(status));
            done = status == FL_OK && decoder.dump.text.status == FL_OK;
            ck_assert_msg(!done || decoder.dump.logs == 5, "%s", otlp_decoder_text(&decoder));
        }
        unlink(path);
        free(packed.ptr);
        otlp_fixture_free(plain);
    }
}
END_TEST

/* --- the recordings --- */

static size_t count_records(json_t *doc, const char *blocks, const char *scopes,
                            const char *records)
{
    size_t count = 0, i, j, k;
    json_t *block, *scope, *record;
    json_array_foreach(json_object_get(doc, blocks), i, block)
    {
        json_array_foreach(json_object_get(block, scopes), j, scope)
        {
            json_t *list = json_object_get(scope, records);
            if (strcmp(records, "metrics") != 0) {
                count += json_array_size(list);
                continue;
            }
            json_array_foreach(list, k, record)
            {
                json_t *gauge = json_object_get(record, "gauge");
                count += json_array_size(json_object_get(gauge, "dataPoints"));
            }
        }
    }
    return count;
}

/* Records in a file of JSON lines, as jansson counts them. */
static size_t count_with_jansson(const char *file)
{
    fl_stream *stream = NULL;
    fl_lines *lines = NULL;
    fl_line line;
    bool more = true;
    size_t count = 0;
    fl_error err = {0};
    ck_assert_ok(fl_stream_open(&stream, file, &err));
    ck_assert_ok(fl_lines_create(&lines, stream, FL_MAX_RECORD_LINE_BYTES, &err));
    for (;;) {
        ck_assert_ok(fl_lines_next(lines, &line, &more, &err));
        if (!more)
            break;
        json_t *doc = json_loadb((const char *)line.text.ptr, line.text.len, 0, NULL);
        ck_assert_ptr_nonnull(doc);
        count += count_records(doc, "resourceSpans", "scopeSpans", "spans");
        count += count_records(doc, "resourceLogs", "scopeLogs", "logRecords");
        count += count_records(doc, "resourceMetrics", "scopeMetrics", "metrics");
        json_decref(doc);
    }
    fl_lines_destroy(lines);
    fl_stream_close(stream);
    return count;
}

START_TEST(no_record_of_the_recordings_is_lost)
{
    static const char *const files[] = {"traces", "logs", "metrics"};
    const char *shared = getenv("FL_SHARED");
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char file[1024];
        snprintf(file, sizeof(file), "%s/cases/trainticket/2023-01-29T0925/%s.otlp.jsonl.zst",
                 shared != NULL ? shared : FL_SOURCE_DIR "/../shared", files[i]);
        if (access(file, R_OK) != 0) {
            printf("skipped: no %s\n", file);
            continue;
        }
        otlp_decoder_clear(&decoder);
        ck_assert_int_eq(otlp_decode_file(&decoder, file), FL_OK);
        ck_assert_uint_eq(record_count(), count_with_jansson(file));
        ck_assert_uint_gt(record_count(), 5000);
        ck_assert_uint_eq(decoder.dump.rejects, 0);
    }
}
END_TEST

static Suite *otlp_file_suite(void)
{
    Suite *suite = suite_create("otlp/file");
    TCase *cases = tcase_create("file");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_name_tells_whether_a_file_is_worth_opening);
    tcase_add_test(cases, a_missing_file_is_an_error);
    tcase_add_test(cases, an_empty_file_is_nothing);
    tcase_add_test(cases, a_file_of_something_else_is_unsupported);
    tcase_add_test(cases, messages_compressed_one_by_one_are_named_as_such);
    tcase_add_test(cases, every_form_gives_the_same_records);
    tcase_add_test(cases, documents_follow_each_other_and_rejects_count_lines);
    tcase_add_test(cases, a_damaged_line_costs_what_is_behind_the_damage);
    tcase_add_test(cases, a_truncated_archive_gives_what_was_good_and_one_reject);
    tcase_add_test(cases, a_cut_delimited_file_keeps_the_records_before_the_cut);
    tcase_add_test(cases, a_line_over_the_limit_is_one_reject_and_the_rest_is_used);
    tcase_add_test(cases, a_message_over_the_limit_is_one_reject_and_the_rest_is_used);
    tcase_add_test(cases, a_document_over_the_limit_is_one_reject);
    tcase_add_test(cases, strict_mode_names_the_file);
    tcase_add_test(cases, survives_each_allocation_failing);
    tcase_add_test(cases, no_record_of_the_recordings_is_lost);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(otlp_file_suite)
