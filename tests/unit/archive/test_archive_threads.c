/* Many threads commit, read, keep profiles and tick at once, while a thread seals. */
#include "archive.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "fl_folder.h"
#include "fl_test.h"
#include "made_archive.h"

enum { WRITERS = 4, LINES = 300, READERS = 2 };

static fl_error err;
static fl_archive_recovery found;
static atomic_bool is_over;
static atomic_int next_profile;

typedef struct writer {
    fl_archive *archive;
    pthread_t thread;
    int number, repeats, refused;
} writer;

/* Each line is sent twice, by this thread and by its neighbour. */
static void *write_lines(void *context)
{
    writer *me = context;
    fl_error mine = {0};
    fl_archive_batch *batch;
    ck_assert_int_eq(fl_archive_batch_create(&batch, &mine), FL_OK);
    for (int i = 0; i < 2 * LINES; i++) {
        char text[32];
        bool repeated = false;
        fl_status status;
        snprintf(text, sizeof(text), "w%dn%d", (me->number + i % 2) % WRITERS, i / 2);
        made_archive_line(batch, i / 2, text);
        do {
            mine = (fl_error){0};
            status = fl_archive_commit(&repeated, me->archive, batch, &mine);
            me->refused += status == FL_E_LIMIT;
        } while (status == FL_E_LIMIT);
        ck_assert_int_eq(status, FL_OK);
        me->repeats += repeated;
    }
    fl_archive_batch_destroy(batch);
    return NULL;
}

static fl_status count_profile(void *payload, const fl_archive_profile *who, const char *name,
                               uint64_t size_bytes, fl_error *error)
{
    size_t *count = payload;
    (void)error;
    *count += who->service.len == 3 && name[0] != '\0' && size_bytes == 5;
    return FL_OK;
}

static void *read_all(void *context)
{
    fl_archive *archive = context;
    size_t longest = 0;
    while (!atomic_load(&is_over)) {
        fl_error mine = {0};
        size_t profiles = 0;
        const fl_archive_profile who = {.service = SLICE("pay"),
                                        .type = SLICE("heap"),
                                        .time_ns = atomic_fetch_add(&next_profile, 1)};
        fl_buf lines = made_archive_lines(archive, INT64_MIN, INT64_MAX);
        ck_assert_uint_ge(lines.len, longest); /* nothing that was there goes */
        longest = lines.len;
        fl_buf_dispose(&lines);
        ck_assert_int_eq(fl_archive_put_profile(archive, &who, SLICE("bytes"), &mine), FL_OK);
        ck_assert_int_eq(
            fl_archive_profiles(archive, 0, INT64_MAX, count_profile, &profiles, &mine), FL_OK);
        ck_assert_uint_gt(profiles, 0);
    }
    return NULL;
}

static void *tick(void *context)
{
    fl_archive *archive = context;
    for (int64_t now_ns = 1; !atomic_load(&is_over); now_ns++) {
        fl_archive_stats stats = fl_archive_stats_of(archive);
        ck_assert_uint_eq(stats.seal_failures + stats.read_failures + stats.merge_failures, 0);
        fl_archive_tick(archive, now_ns);
        if (now_ns % 64 == 0) {
            fl_error mine = {0};
            ck_assert_int_eq(fl_archive_flush(archive, &mine), FL_OK);
        }
    }
    return NULL;
}

static void check_lines(fl_archive *archive)
{
    static unsigned char seen[WRITERS][LINES];
    fl_buf lines = made_archive_lines(archive, INT64_MIN, INT64_MAX);
    size_t count = 0;
    memset(seen, 0, sizeof(seen));
    for (const char *at = lines.ptr; *at != '\0'; at = strchr(at, ' ') + 1, count++) {
        int who, number;
        ck_assert_int_eq(sscanf(at, "w%dn%d", &who, &number), 2);
        ck_assert(who < WRITERS && number < LINES);
        seen[who][number]++;
    }
    ck_assert_uint_eq(count, WRITERS * LINES);
    for (size_t i = 0; i < WRITERS * LINES; i++)
        ck_assert_uint_eq(seen[i / LINES][i % LINES], 1);
    fl_buf_dispose(&lines);
}

START_TEST(threads_share_an_archive)
{
    fl_folder folder;
    fl_disk *disk;
    fl_archive *archive;
    writer writers[WRITERS];
    pthread_t readers[READERS], ticker;
    const fl_archive_options options = {
        .wal_segment_bytes = 64 << 10, .head_bytes = 8000, .merge_runs = 3};
    int repeats = 0;
    fl_folder_open(&folder);
    ck_assert_ok(fl_disk_open(&disk, folder.path, &err));
    ck_assert_ok(fl_archive_open(&archive, &found, disk, &options, 1, &err));
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (writer){.archive = archive, .number = i};
        ck_assert_int_eq(pthread_create(&writers[i].thread, NULL, write_lines, &writers[i]), 0);
    }
    for (int i = 0; i < READERS; i++)
        ck_assert_int_eq(pthread_create(&readers[i], NULL, read_all, archive), 0);
    ck_assert_int_eq(pthread_create(&ticker, NULL, tick, archive), 0);
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        repeats += writers[i].repeats;
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    pthread_join(ticker, NULL);
    ck_assert_int_eq(repeats, WRITERS * LINES);
    check_lines(archive);
    fl_archive_stats stats = fl_archive_stats_of(archive);
    ck_assert_uint_eq(stats.batches, WRITERS * LINES);
    ck_assert_uint_eq(stats.repeated_batches, WRITERS * LINES);
    ck_assert_uint_gt(stats.sealed_blocks, 1);
    ck_assert_uint_gt(stats.merged_blocks, 1);
    fl_archive_close(archive);
    ck_assert_ok(fl_archive_open(&archive, &found, disk, &options, 1, &err));
    check_lines(archive);
    fl_archive_close(archive);
    fl_disk_close(disk);
    fl_folder_remove(&folder);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("archive/archive_threads");
    TCase *tests = tcase_create("threads");
    tcase_add_test(tests, threads_share_an_archive);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
