/*
 * The miner on real log bodies: the recordings of trainticket, where they are at hand (FL_SHARED,
 * or ../shared beside the source). Each of their lines begins "time LEVEL Class#line".
 */
#include <stdio.h>
#include <unistd.h>

#include "arena.h"
#include "faultline/limits.h"
#include "fl_test.h"
#include "json.h"
#include "miner.h"
#include "slice.h"
#include "stream.h"

enum { MAX_LINES = 100000 };

static fl_error err;
static fl_arena arena;
static fl_slice lines[MAX_LINES];
static size_t line_count;

/* The path of a recording; false, with a word to the reader, where it is not there. */
static bool find_recording(char *path, size_t cap, const char *folder)
{
    const char *shared = getenv("FL_SHARED");
    int len = shared != NULL
                  ? snprintf(path, cap, "%s/cases/trainticket/%s", shared, folder)
                  : snprintf(path, cap, "%s/../shared/cases/trainticket/%s", FL_SOURCE_DIR, folder);
    ck_assert(len > 0 && (size_t)len + 32 < cap);
    memcpy(path + len, "/logs.otlp.jsonl.zst", sizeof("/logs.otlp.jsonl.zst"));
    if (access(path, R_OK) == 0)
        return true;
    printf("skipped: no recording at %s\n", path);
    return false;
}

static void take_body(fl_json *in)
{
    fl_slice key;
    if (fl_json_enter_object(in))
        while (fl_json_next_member(in, &key)) {
            if (!fl_slice_equal(key, FL_SLICE("stringValue"))) {
                fl_json_skip(in);
                continue;
            }
            ck_assert_uint_lt(line_count, MAX_LINES);
            lines[line_count] = fl_arena_copy(&arena, fl_json_string(in));
            ck_assert_ptr_nonnull(lines[line_count++].ptr);
        }
}

/* Down resourceLogs[].scopeLogs[].logRecords[].body. */
static void take_bodies(fl_json *in, int depth)
{
    static const char *const names[] = {"resourceLogs", "scopeLogs", "logRecords", "body"};
    fl_slice key;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key)) {
        if (!fl_slice_equal(key, fl_slice_of(names[depth])))
            fl_json_skip(in);
        else if (depth == 3)
            take_body(in);
        else if (fl_json_enter_array(in))
            while (fl_json_next_element(in))
                take_bodies(in, depth + 1);
    }
}

static void load(const char *path)
{
    fl_stream *stream;
    fl_lines *reader;
    fl_line line;
    bool more = true;
    ck_assert_ok(fl_stream_open(&stream, path, &err));
    ck_assert_ok(fl_lines_create(&reader, stream, FL_MAX_RECORD_LINE_BYTES, &err));
    while (true) {
        ck_assert_ok(fl_lines_next(reader, &line, &more, &err));
        if (!more)
            break;
        fl_json in = fl_json_over(line.text, &arena);
        take_bodies(&in, 0);
        ck_assert_msg(fl_json_ok(&in), "%s", in.err.message);
    }
    fl_lines_destroy(reader);
    fl_stream_close(stream);
}

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of((size_t)1 << 30);
    line_count = 0;
}

static void teardown(void)
{
    fl_arena_dispose(&arena);
}

/* Mine the lines in steps of `stride`, which has no divisor in common with their count. */
static fl_miner *mine(size_t stride)
{
    fl_miner *miner;
    ck_assert_ok(fl_miner_create(&miner, FL_MAX_LOG_FORMS, FL_MAX_LOG_FORM_BYTES, &err));
    for (size_t i = 0, at = 0; i < line_count; i++, at = (at + stride) % line_count) {
        uint32_t form;
        ck_assert_ok(fl_miner_add(&form, miner, 0, lines[at], 0, &err));
    }
    ck_assert_ok(fl_miner_finish(miner, &err));
    ck_assert(!fl_miner_is_full(miner));
    return miner;
}

/* The first number from `n` on that has no divisor in common with the count of lines. */
static size_t stride_from(size_t n)
{
    for (;; n++) {
        size_t a = n, b = line_count;
        while (b != 0) {
            size_t rest = a % b;
            a = b;
            b = rest;
        }
        if (a == 1)
            return n;
    }
}

/* The clock and the ids are gone: after the location no digit is left. */
START_TEST(each_code_location_of_trainticket_is_one_template)
{
    char path[1024];
    if (!find_recording(path, sizeof(path), "baseline-2023-01-29"))
        return;
    load(path);
    fl_miner *miner = mine(1);
    size_t count = fl_miner_template_count(miner);
    ck_assert_uint_ge(count, 100);
    ck_assert_uint_le(count, 300);
    ck_assert_uint_le(fl_miner_form_count(miner), 10 * count);
    for (size_t i = 0; i < count; i++) {
        const fl_log_template *t = fl_miner_template(miner, i);
        ck_assert_msg(t->location != NULL, "no location: %s", t->text);
        ck_assert_msg(strncmp(t->text, t->location, strlen(t->location)) == 0, "%s", t->text);
        ck_assert_msg(strstr(t->text, "TraceID: <*> SpanID: <*>") != NULL, "%s", t->text);
        ck_assert_msg(strpbrk(t->text + strlen(t->location), "0123456789") == NULL, "%s", t->text);
        ck_assert(t->severity == 9 || t->severity == 13 || t->severity == 17);
        for (size_t j = 0; j < i; j++) {
            const fl_log_template *u = fl_miner_template(miner, j);
            ck_assert(t->id != u->id);
            ck_assert_msg(t->severity != u->severity || strcmp(t->location, u->location) != 0,
                          "two templates at %s", t->location);
        }
    }
    fl_miner_destroy(miner);
}
END_TEST

START_TEST(the_order_of_trainticket_lines_changes_nothing)
{
    char path[1024];
    if (!find_recording(path, sizeof(path), "baseline-2023-01-29"))
        return;
    load(path);
    ck_assert_uint_gt(line_count, 1000);
    fl_miner *first = mine(1);
    const size_t strides[] = {1, line_count - 1, stride_from(line_count / 3)};
    for (size_t round = 0; round < 3; round++) {
        fl_miner *again = mine(strides[round]);
        ck_assert_uint_eq(fl_miner_template_count(again), fl_miner_template_count(first));
        for (size_t i = 0; i < fl_miner_template_count(first); i++) {
            const fl_log_template *a = fl_miner_template(first, i);
            const fl_log_template *b = fl_miner_template(again, i);
            ck_assert_str_eq(a->text, b->text);
            ck_assert(a->id == b->id && a->severity == b->severity);
        }
        fl_miner_destroy(again);
    }
    fl_miner_destroy(first);
}
END_TEST

START_TEST(a_location_has_one_id_in_baseline_and_incident)
{
    char path[1024];
    if (!find_recording(path, sizeof(path), "baseline-2023-01-29"))
        return;
    load(path);
    fl_miner *baseline = mine(1);
    line_count = 0;
    if (find_recording(path, sizeof(path), "2023-01-29T0925"))
        load(path);
    fl_miner *incident = mine(1);
    size_t common = 0;
    for (size_t i = 0; i < fl_miner_template_count(incident); i++)
        for (size_t j = 0; j < fl_miner_template_count(baseline); j++) {
            const fl_log_template *a = fl_miner_template(incident, i);
            const fl_log_template *b = fl_miner_template(baseline, j);
            bool is_same = a->severity == b->severity && strcmp(a->location, b->location) == 0;
            ck_assert(is_same == (a->id == b->id));
            common += is_same;
        }
    ck_assert_uint_gt(common, 50);
    fl_miner_destroy(baseline);
    fl_miner_destroy(incident);
}
END_TEST

static Suite *miner_recordings_suite(void)
{
    Suite *suite = suite_create("correlate/miner_recordings");
    TCase *cases = tcase_create("recordings");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, each_code_location_of_trainticket_is_one_template);
    tcase_add_test(cases, the_order_of_trainticket_lines_changes_nothing);
    tcase_add_test(cases, a_location_has_one_id_in_baseline_and_incident);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(miner_recordings_suite)
