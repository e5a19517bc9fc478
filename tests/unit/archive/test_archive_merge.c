/* Sealed heads become one run: nothing is lost or doubled, whatever fails. */
#include "archive.h"

#include "archive_on_fake_disk.h"

/* Three sealed heads of a line each, and others that make no window. */
static fl_archive *open_three(fl_archive_options options)
{
    fl_archive *archive = open_with(options);
    for (int i = 1; i <= 3; i++) {
        char text[] = "line 0";
        text[5] = (char)('0' + i);
        ck_assert_ok(put_line(archive, i, text));
        ck_assert_ok(fl_archive_flush(archive, &err));
    }
    ck_assert_uint_eq(fl_archive_stats_of(archive).blocks, 3);
    return archive;
}

static const fl_archive_options of_three = {.merge_runs = 3};

START_TEST(sealed_heads_become_one_run)
{
    fl_archive *archive = open_three(of_three);
    fl_archive_tick(archive, 2000);
    fl_archive_stats stats = fl_archive_stats_of(archive);
    ck_assert_uint_eq(stats.blocks, 1);
    ck_assert_uint_eq(stats.block_records, 3);
    ck_assert_uint_eq(stats.merged_blocks, 3);
    ck_assert_uint_eq(stats.merge_failures + stats.merging_blocks, 0);
    ck_assert_str_eq(lines_of(archive, 0, 100), "line 1 line 2 line 3 ");
    ck_assert_str_eq(lines_of(archive, 100, 200), "");
    ck_assert_ok(put_line(archive, 4, "line 4")); /* a merged run is not merged again */
    ck_assert_ok(fl_archive_flush(archive, &err));
    fl_archive_tick(archive, 3000);
    ck_assert_uint_eq(fl_archive_stats_of(archive).blocks, 2);
    fl_archive_close(archive);
    fake_disk_crash(disk);
    archive = open_with(of_three);
    ck_assert_uint_eq(found.blocks, 2);
    ck_assert_uint_eq(found.batches + found.damaged_files, 0);
    ck_assert_str_eq(lines_of(archive, 0, 100), "line 1 line 2 line 3 line 4 ");
    fl_archive_close(archive);
}
END_TEST

START_TEST(nothing_is_merged_where_that_is_not_wanted)
{
    static const fl_archive_options unwanted[] = {
        {.merge_runs = 1}, {.merge_runs = 4}, {.merge_runs = 3, .keep_bytes = 1000}};
    for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) {
        tear_down();
        set_up();
        fl_archive *archive = open_three(unwanted[i]);
        fl_archive_tick(archive, 2000);
        ck_assert_uint_eq(fl_archive_stats_of(archive).blocks, 3);
        ck_assert_str_eq(lines_of(archive, 0, 100), "line 1 line 2 line 3 ");
        fl_archive_close(archive);
    }
}
END_TEST

/* As many series as parts of 6,000 bytes need several of, each with a point in each head. */
static void commit_series(fl_archive *archive, int64_t time_ns)
{
    const fl_sink *sink = fl_archive_batch_sink(batch);
    const fl_resource resource = {.service = SLICE("pay")};
    uint32_t handle;
    bool repeated;
    fl_archive_batch_clear(batch);
    ck_assert_ok(sink->resource(sink->payload, &resource, &handle, &err));
    for (int i = 0; i < 60; i++) {
        char name[32];
        snprintf(name, sizeof(name), "metric_%d", i);
        fl_point point = {.metric = fl_slice_of(name),
                          .kind = i % 20 == 7 ? FL_POINT_SUMMARY : FL_POINT_GAUGE,
                          .time_ns = time_ns,
                          .value = i + (double)time_ns};
        ck_assert_ok(sink->point(sink->payload, handle, &point, &err));
    }
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    ck_assert_ok(fl_archive_flush(archive, &err));
}

static fl_buf all_of(fl_archive *archive)
{
    otlp_dump dump;
    fl_sink sink = block_text_sink(&dump);
    ck_assert_ok(fl_archive_read(archive, INT64_MIN, INT64_MAX, &sink, &err));
    fl_buf text = block_text_sorted(&dump);
    fl_buf_dispose(&dump.text);
    return text;
}

START_TEST(series_are_shared_out_among_the_parts_of_a_merged_run)
{
    const fl_archive_options options = {.merge_runs = 4, .block_bytes = 12000};
    fl_archive *archive = open_with(options);
    bool repeated;
    for (int i = 0; i < 3; i++)
        commit_series(archive, 1000 + i);
    fl_archive_batch_clear(batch);
    made_records_push(fl_archive_batch_sink(batch)); /* and one of each kind */
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    ck_assert_ok(fl_archive_flush(archive, &err));
    fl_buf before = all_of(archive);
    fl_archive_stats stats = fl_archive_stats_of(archive);
    fl_archive_tick(archive, 2000);
    fl_buf after = all_of(archive);
    ck_assert_str_eq(after.ptr, before.ptr);
    ck_assert_uint_eq(fl_archive_stats_of(archive).merged_blocks, stats.blocks);
    ck_assert_uint_gt(fl_archive_stats_of(archive).blocks, 2);
    ck_assert_uint_eq(fl_archive_stats_of(archive).block_records, stats.block_records);
    fl_buf_dispose(&after);
    fl_archive_close(archive);
    archive = open_with(options);
    after = all_of(archive);
    ck_assert_str_eq(after.ptr, before.ptr);
    fl_buf_dispose(&after);
    fl_buf_dispose(&before);
    fl_archive_close(archive);
}
END_TEST

/* A head of one metric: `series` of them, each with `points`. */
static void commit_metric(fl_archive *archive, int64_t time_ns, int series, int points)
{
    const fl_sink *sink = fl_archive_batch_sink(batch);
    const fl_resource resource = {.service = SLICE("pay")};
    uint32_t handle;
    bool repeated;
    fl_archive_batch_clear(batch);
    ck_assert_ok(sink->resource(sink->payload, &resource, &handle, &err));
    for (int i = 0; i < series * points; i++) {
        char name[32];
        snprintf(name, sizeof(name), "pod-%d", i % series);
        const fl_attr attr = {.key = SLICE("pod"),
                              .value = {.kind = FL_VALUE_STRING, .text = fl_slice_of(name)}};
        fl_point point = {.metric = SLICE("up"),
                          .kind = FL_POINT_GAUGE,
                          .time_ns = time_ns + (int64_t)i * i,
                          .value = i * 0.37 + (double)time_ns,
                          .attrs = {.items = &attr, .count = 1}};
        ck_assert_ok(sink->point(sink->payload, handle, &point, &err));
    }
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    ck_assert_ok(fl_archive_flush(archive, &err));
}

START_TEST(one_metric_of_many_series_is_shared_out_as_well)
{
    const fl_archive_options options = {.merge_runs = 3, .block_bytes = 12000};
    fl_archive *archive = open_with(options);
    for (int i = 0; i < 3; i++)
        commit_metric(archive, 1000 + i, 300, 1);
    fl_buf before = all_of(archive);
    uint64_t blocks = fl_archive_stats_of(archive).blocks;
    fl_archive_tick(archive, 2000);
    fl_buf after = all_of(archive);
    ck_assert_str_eq(after.ptr, before.ptr);
    ck_assert_uint_eq(fl_archive_stats_of(archive).merge_failures, 0);
    ck_assert_uint_eq(fl_archive_stats_of(archive).merged_blocks, blocks);
    ck_assert_uint_gt(fl_archive_stats_of(archive).blocks, 2);
    fl_buf_dispose(&after);
    fl_buf_dispose(&before);
    fl_archive_close(archive);
}
END_TEST

START_TEST(heads_that_do_not_fit_together_are_tried_once)
{
    const fl_archive_options options = {.merge_runs = 3, .block_bytes = 12000};
    fl_archive *archive = open_with(options);
    for (int i = 0; i < 3; i++)
        commit_metric(archive, 1000 + i, 1, 400);
    uint64_t blocks = fl_archive_stats_of(archive).blocks;
    for (int64_t hour = 1; hour <= 3; hour++) {
        fl_archive_tick(archive, hour * 3600 * INT64_C(1000000000));
        ck_assert_uint_eq(fl_archive_stats_of(archive).merge_failures, 1);
        ck_assert_uint_eq(fl_archive_stats_of(archive).blocks, blocks);
    }
    for (int i = 0; i < 3; i++) { /* those behind them are merged */
        ck_assert_ok(put_line(archive, i, "line"));
        ck_assert_ok(fl_archive_flush(archive, &err));
    }
    fl_archive_tick(archive, 4 * 3600 * INT64_C(1000000000));
    ck_assert_uint_eq(fl_archive_stats_of(archive).merged_blocks, 3);
    fl_archive_close(archive);
}
END_TEST

static fl_status tick_and_count(void *payload, uint32_t resource, const fl_log *log, fl_error *err_)
{
    fl_archive *archive = payload;
    (void)resource;
    (void)log;
    (void)err_;
    fl_archive_tick(archive, 2000);
    ck_assert_uint_eq(fl_archive_stats_of(archive).blocks, 1);
    return FL_OK;
}

static size_t block_files(void)
{
    size_t count = 0;
    for (size_t at = 0; at < FAKE_FILES; at++)
        count += strstr(disk->nodes[at].name, ".block") != NULL;
    return count;
}

START_TEST(files_that_are_read_outlast_their_merge)
{
    fl_archive *archive = open_three(of_three);
    const fl_sink sink = {
        .payload = archive, .resource = made_archive_resource, .log = tick_and_count};
    ck_assert_ok(fl_archive_read(archive, 0, 100, &sink, &err));
    ck_assert_uint_eq(fl_archive_stats_of(archive).read_failures, 0);
    ck_assert_uint_eq(block_files(), 4);
    fl_archive_tick(archive, 2001);
    ck_assert_uint_eq(block_files(), 1);
    ck_assert_str_eq(lines_of(archive, 0, 100), "line 1 line 2 line 3 ");
    fl_archive_close(archive);
}
END_TEST

static fl_status grow_old(void *payload, uint32_t resource, const fl_log *log, fl_error *err_)
{
    fl_archive *archive = payload;
    (void)resource;
    (void)log;
    (void)err_;
    fl_archive_tick(archive, 2000);
    ck_assert_uint_eq(fl_archive_stats_of(archive).blocks, 2);
    fl_archive_tick(archive, INT64_C(2000000000000));
    ck_assert_uint_eq(fl_archive_stats_of(archive).dropped_blocks, 0);
    return FL_OK;
}

/* An open would take it for unfinished, and the files for all that there is. */
START_TEST(a_merged_run_is_not_dropped_beside_its_files)
{
    fl_archive *archive =
        open_three((fl_archive_options){.merge_runs = 3, .keep_ns = INT64_C(1000000000000)});
    fl_sink sink = {.payload = archive, .resource = made_archive_resource, .log = grow_old};
    ck_assert_ok(put_line(archive, 4, "line 4"));
    ck_assert_ok(fl_archive_flush(archive, &err));
    ck_assert_ok(fl_archive_read(archive, 1, 2, &sink, &err));
    fl_archive_tick(archive, INT64_C(2000000000001));
    ck_assert_uint_eq(fl_archive_stats_of(archive).dropped_blocks, 2);
    ck_assert_uint_eq(block_files(), 1);
    fl_archive_close(archive);
}
END_TEST

START_TEST(a_damaged_file_is_not_merged_and_costs_no_other)
{
    fl_archive *archive = open_three(of_three);
    block_file(1)->seen.ptr[68 + 30] ^= 1;
    fl_archive_tick(archive, 2000);
    fl_archive_tick(archive, 2001);
    fl_archive_stats stats = fl_archive_stats_of(archive);
    ck_assert_uint_eq(stats.blocks, 3);
    ck_assert_uint_eq(stats.merge_failures, 1); /* not again */
    ck_assert_uint_eq(block_files(), 3);
    ck_assert_str_eq(lines_of(archive, 0, 100), "line 1 line 3 ");
    fl_archive_close(archive);
}
END_TEST

START_TEST(a_merge_that_does_not_fit_on_the_disk_is_tried_again_later)
{
    fl_archive *archive = open_three(of_three);
    disk->capacity = fake_used(disk) + 10;
    fl_archive_tick(archive, 2000);
    ck_assert_uint_eq(fl_archive_stats_of(archive).merge_failures, 1);
    disk->capacity = 0;
    fl_archive_tick(archive, 3000);
    ck_assert_uint_eq(fl_archive_stats_of(archive).blocks, 3);
    ck_assert_uint_eq(block_files(), 3);
    fl_archive_tick(archive, 2000 + INT64_C(600000000000));
    ck_assert_uint_eq(fl_archive_stats_of(archive).blocks, 1);
    ck_assert_str_eq(lines_of(archive, 0, 100), "line 1 line 2 line 3 ");
    fl_archive_close(archive);
}
END_TEST

/* Write a file as it was. */
static void put_back(const fake_node *kept)
{
    fl_disk_file *file;
    ck_assert_ok(fl_disk_open_file(&file, &disk->base, kept->name, true, &err));
    ck_assert_ok(fl_disk_write(file, (fl_slice){kept->seen.ptr, kept->seen.len}, 0, &err));
    fl_disk_close_file(file);
}

/* The power goes before the files of a merge are gone for good; then one of them is damaged. */
START_TEST(of_a_merge_and_its_files_what_is_whole_counts)
{
    for (int damaged = 0; damaged < 3; damaged++) {
        tear_down();
        set_up();
        fl_archive *archive = open_three(of_three);
        fake_node kept[3];
        for (size_t i = 0; i < 3; i++) {
            kept[i] = *block_file(i);
            kept[i].seen = (fake_bytes){0};
            fake_copy(&kept[i].seen, &block_file(i)->seen);
        }
        fl_archive_tick(archive, 2000);
        fl_archive_close(archive);
        for (size_t i = 0; i < 3; i++) { /* the removals are undone */
            put_back(&kept[i]);
            free(kept[i].seen.ptr);
        }
        ck_assert_uint_eq(block_files(), 4);
        for (size_t at = 0; at < FAKE_FILES; at++) {
            bool is_merged = strstr(disk->nodes[at].name, "m.block") != NULL;
            bool is_first = strstr(disk->nodes[at].name, "0e.block") != NULL &&
                            strncmp(disk->nodes[at].name, "0000000000000000-", 17) == 0;
            if ((damaged == 1 && is_merged) || (damaged == 2 && is_first))
                disk->nodes[at].seen.ptr[20] ^= 1;
        }
        archive = open_with(of_three);
        ck_assert_uint_eq(found.damaged_files, damaged == 1);
        ck_assert_uint_eq(found.blocks, damaged == 1 ? 3 : 1);
        ck_assert_uint_eq(found.unfinished_files, damaged == 1 ? 0 : 3);
        ck_assert_str_eq(lines_of(archive, 0, 100), "line 1 line 2 line 3 ");
        fl_archive_close(archive);
    }
}
END_TEST

/* A lack of memory costs the merge, and is the end of nothing. */
START_TEST(a_merge_survives_each_allocation_failing)
{
    uint64_t blocks = 3;
    for (long allowed = 0; blocks != 1; allowed++) {
        tear_down();
        set_up();
        fl_archive *archive = open_three(of_three);
        ck_assert_int_lt(allowed, 500);
        fl_mem_fail_after(allowed);
        fl_archive_tick(archive, 2000);
        fl_mem_fail_after(-1);
        blocks = fl_archive_stats_of(archive).blocks;
        ck_assert_uint_eq(block_files(), blocks);
        ck_assert(blocks == 1 || blocks == 3);
        ck_assert_str_eq(lines_of(archive, 0, 100), "line 1 line 2 line 3 ");
        fl_archive_close(archive);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("archive/archive_merge");
    TCase *tests = tcase_create("merge");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, sealed_heads_become_one_run);
    tcase_add_test(tests, nothing_is_merged_where_that_is_not_wanted);
    tcase_add_test(tests, series_are_shared_out_among_the_parts_of_a_merged_run);
    tcase_add_test(tests, one_metric_of_many_series_is_shared_out_as_well);
    tcase_add_test(tests, heads_that_do_not_fit_together_are_tried_once);
    tcase_add_test(tests, files_that_are_read_outlast_their_merge);
    tcase_add_test(tests, a_merged_run_is_not_dropped_beside_its_files);
    tcase_add_test(tests, a_damaged_file_is_not_merged_and_costs_no_other);
    tcase_add_test(tests, a_merge_that_does_not_fit_on_the_disk_is_tried_again_later);
    tcase_add_test(tests, of_a_merge_and_its_files_what_is_whole_counts);
    tcase_add_test(tests, a_merge_survives_each_allocation_failing);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
