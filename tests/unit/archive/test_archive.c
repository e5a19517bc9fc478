#include "archive.h"

#include <stdio.h>

#include "block_text.h"
#include "fl_fake_disk.h"
#include "fl_test.h"
#include "made_records.h"
#include "mem.h"

static fl_error err;
static fake_disk *disk;
static fl_archive_recovery found;
static fl_archive_batch *batch;

static void set_up(void)
{
    err = (fl_error){0};
    disk = fake_disk_make(1);
    ck_assert_ok(fl_archive_batch_create(&batch, &err));
}

static void tear_down(void)
{
    fl_mem_fail_after(-1);
    fl_archive_batch_destroy(batch);
    fl_disk_close(&disk->base);
}

static fl_archive *open_with(fl_archive_options options)
{
    fl_archive *archive;
    options.has_no_thread = true;
    options.wal_segment_bytes = options.wal_segment_bytes != 0 ? options.wal_segment_bytes : 4096;
    ck_assert_ok(fl_archive_open(&archive, &found, &disk->base, &options, 1000, &err));
    return archive;
}

static fl_archive *open_it(void)
{
    return open_with((fl_archive_options){0});
}

/* A log line of its own at `time_ns` is the batch. */
static void make_line(int64_t time_ns, const char *text)
{
    const fl_sink *sink = fl_archive_batch_sink(batch);
    const fl_resource resource = {.service = SLICE("pay")};
    const fl_log log = {.time_ns = time_ns, .body = SLICE(text)};
    uint32_t handle;
    fl_archive_batch_clear(batch);
    ck_assert_ok(sink->resource(sink->payload, &resource, &handle, &err));
    ck_assert_ok(sink->log(sink->payload, handle, &log, &err));
}

static fl_status put_line(fl_archive *archive, int64_t time_ns, const char *text)
{
    bool repeated;
    make_line(time_ns, text);
    err = (fl_error){0};
    return fl_archive_commit(&repeated, archive, batch, &err);
}

static fl_status add_body(void *payload, uint32_t resource, const fl_log *log, fl_error *error)
{
    fl_buf *out = payload;
    (void)resource;
    (void)error;
    fl_buf_printf(out, "%.*s ", FL_SLICE_ARG(log->body));
    return FL_OK;
}

static fl_status ignore_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                                 fl_error *error)
{
    (void)payload;
    (void)resource;
    (void)error;
    *handle = 0;
    return FL_OK;
}

/* The bodies of a range, each with a space behind it; valid until the next call. */
static const char *lines_of(fl_archive *archive, int64_t from_ns, int64_t to_ns)
{
    static char text[4096];
    fl_buf bodies = fl_buf_of(sizeof(text) - 1);
    const fl_sink sink = {.payload = &bodies, .resource = ignore_resource, .log = add_body};
    ck_assert_ok(fl_archive_read(archive, from_ns, to_ns, &sink, &err));
    snprintf(text, sizeof(text), "%s", bodies.ptr != NULL ? bodies.ptr : "");
    fl_buf_dispose(&bodies);
    return text;
}

START_TEST(what_was_committed_is_there_after_a_crash)
{
    fl_archive *archive = open_it();
    ck_assert_ok(put_line(archive, 10, "one"));
    ck_assert_ok(put_line(archive, 20, "two"));
    fl_archive_close(archive);
    fake_disk_crash(disk);
    archive = open_it();
    ck_assert_uint_eq(found.batches, 2);
    ck_assert_uint_eq(found.records, 2);
    ck_assert_str_eq(lines_of(archive, 0, 100), "one two ");
    ck_assert_str_eq(lines_of(archive, 10, 20), "one ");
    ck_assert_str_eq(lines_of(archive, 11, 20), "");
    fl_archive_close(archive);
}
END_TEST

START_TEST(a_sealed_block_takes_over_from_the_log)
{
    fl_archive *archive = open_it();
    ck_assert_ok(put_line(archive, 10, "one"));
    ck_assert_ok(put_line(archive, 20, "two"));
    ck_assert_ok(fl_archive_flush(archive, &err));
    ck_assert_ok(put_line(archive, 15, "late"));
    ck_assert_str_eq(lines_of(archive, 0, 100), "one two late ");
    fl_archive_close(archive);
    fake_disk_crash(disk);
    archive = open_it();
    ck_assert_uint_eq(found.blocks, 1);
    ck_assert_uint_eq(found.batches, 1);
    ck_assert_str_eq(lines_of(archive, 0, 100), "one two late ");
    ck_assert_str_eq(lines_of(archive, 15, 16), "late ");
    fl_archive_close(archive);
}
END_TEST

START_TEST(every_kind_of_record_comes_back)
{
    otlp_dump direct, back;
    bool repeated;
    fl_archive *archive = open_it();
    fl_sink sink = block_text_sink(&direct);
    made_records_push(&sink);
    made_records_push(fl_archive_batch_sink(batch));
    for (int i = 0; i < 2; i++) { /* out of the head, then out of a block */
        if (i == 0)
            ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
        else
            ck_assert_ok(fl_archive_flush(archive, &err));
        sink = block_text_sink(&back);
        ck_assert_ok(fl_archive_read(archive, INT64_MIN, INT64_MAX, &sink, &err));
        fl_buf got = block_text_sorted(&back);
        if (i == 1) {
            fl_buf expected = block_text_sorted(&direct);
            ck_assert_str_eq(got.ptr, expected.ptr);
            fl_buf_dispose(&expected);
            fl_buf_dispose(&direct.text);
        }
        fl_buf_dispose(&got);
        fl_buf_dispose(&back.text);
    }
    fl_archive_stats stats = fl_archive_stats_of(archive);
    ck_assert_uint_eq(stats.records[FL_ARCHIVE_SPAN], 1);
    ck_assert_uint_eq(stats.records[FL_ARCHIVE_LOG], 2);
    ck_assert_uint_eq(stats.records[FL_ARCHIVE_POINT], 4);
    ck_assert_uint_eq(stats.records[FL_ARCHIVE_CHANGE], 1);
    ck_assert_uint_eq(stats.records[FL_ARCHIVE_ALERT], 1);
    ck_assert_uint_eq(stats.blocks, 1);
    ck_assert_uint_eq(stats.block_records, 9);
    fl_archive_close(archive);
}
END_TEST

START_TEST(a_repeated_batch_adds_nothing)
{
    bool repeated;
    fl_archive *archive = open_it();
    make_line(10, "one");
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    ck_assert(!repeated);
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    ck_assert(repeated);
    fl_archive_close(archive);
    archive = open_it(); /* the log knows it still */
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    ck_assert(repeated);
    ck_assert_str_eq(lines_of(archive, 0, 100), "one ");
    ck_assert_uint_eq(fl_archive_stats_of(archive).repeated_batches, 1);
    fl_archive_close(archive);
}
END_TEST

START_TEST(a_batch_is_forgotten_after_a_while)
{
    bool repeated;
    fl_archive *archive = open_with((fl_archive_options){.repeat_ns = 100});
    make_line(10, "one");
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    fl_archive_tick(archive, 1100);
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    ck_assert(repeated);
    make_line(10, "two"); /* begins a generation */
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    fl_archive_tick(archive, 1200);
    make_line(10, "three");
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    make_line(10, "one");
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    ck_assert(!repeated);
    fl_archive_close(archive);
}
END_TEST

START_TEST(a_full_head_is_refused_until_it_is_sealed)
{
    fl_archive *archive = open_with((fl_archive_options){.head_bytes = 400});
    char text[] = "line 0";
    fl_status status = FL_OK;
    int count = 0;
    for (; count < 9 && status == FL_OK; count++) {
        text[5] = (char)('0' + count);
        status = put_line(archive, count, text);
    }
    ck_assert_fails(FL_E_LIMIT, status);
    ck_assert_str_eq(err.message, "564 bytes wait to be written as blocks; try again later");
    ck_assert_int_eq(count, 5);
    fl_archive_tick(archive, 2000);
    ck_assert_ok(put_line(archive, 4, text));
    ck_assert_uint_eq(fl_archive_stats_of(archive).refused_memory, 1);
    ck_assert_uint_eq(fl_archive_stats_of(archive).refused_records, 1);
    ck_assert_str_eq(lines_of(archive, 0, 100), "line 0 line 1 line 2 line 3 line 4 ");
    fl_archive_close(archive);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("archive/archive");
    TCase *tests = tcase_create("archive");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_was_committed_is_there_after_a_crash);
    tcase_add_test(tests, a_sealed_block_takes_over_from_the_log);
    tcase_add_test(tests, every_kind_of_record_comes_back);
    tcase_add_test(tests, a_repeated_batch_adds_nothing);
    tcase_add_test(tests, a_batch_is_forgotten_after_a_while);
    tcase_add_test(tests, a_full_head_is_refused_until_it_is_sealed);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
