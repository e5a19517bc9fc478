/* The power goes at any step, and the process is killed at any moment: what was acknowledged is
 * there, once. */
#include "archive.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fl_fake_disk.h"
#include "fl_folder.h"
#include "fl_test.h"
#include "made_archive.h"

enum { MAX_LINES = 4096 };

static fl_error err;
static fl_archive_recovery found;
static fl_archive_batch *batch;

static void set_up(void)
{
    err = (fl_error){0};
    ck_assert_ok(fl_archive_batch_create(&batch, &err));
}

static void tear_down(void)
{
    fl_archive_batch_destroy(batch);
}

/* What was sent so far: line i is the number i, at time i. */
typedef struct life {
    fake_disk *disk;
    fl_archive *archive;
    bool is_acknowledged[MAX_LINES];
    int64_t now_ns, sent;
} life;

/* How often each line is there, by number; those above `sent` are never. */
static void count_lines(unsigned char seen[MAX_LINES], fl_archive *archive, int64_t sent)
{
    fl_buf lines = made_archive_lines(archive, INT64_MIN, INT64_MAX);
    char *rest = lines.ptr;
    memset(seen, 0, MAX_LINES);
    while (*rest != '\0') {
        long number = strtol(rest, &rest, 10);
        ck_assert_int_ge(number, 0);
        ck_assert_int_lt(number, sent);
        seen[number]++;
        rest = strchr(rest, ' ') + 1;
    }
    fl_buf_dispose(&lines);
}

static void check_life(life *at, uint64_t seed)
{
    static unsigned char seen[MAX_LINES];
    count_lines(seen, at->archive, at->sent);
    for (int64_t i = 0; i < at->sent; i++) {
        ck_assert_msg(seen[i] <= 1, "seed %d: line %d is there %d times", (int)seed, (int)i,
                      seen[i]);
        ck_assert_msg(seen[i] == 1 || !at->is_acknowledged[i], "seed %d: line %d is lost",
                      (int)seed, (int)i);
    }
}

/* What is there after an open is durable: it is in the log or in a block. */
static void reopen(life *at, uint64_t seed)
{
    static unsigned char seen[MAX_LINES];
    const fl_archive_options options = {.has_no_thread = true,
                                        .wal_segment_bytes = 3000,
                                        .head_bytes = 2000,
                                        .block_bytes = 1500,
                                        .merge_runs = 3,
                                        .repeat_ns = 6};
    fl_archive_close(at->archive);
    fake_disk_crash(at->disk);
    err = (fl_error){0};
    ck_assert_ok(
        fl_archive_open(&at->archive, &found, &at->disk->base, &options, at->now_ns, &err));
    ck_assert_uint_eq(found.damaged_files + found.damaged_batches, 0);
    ck_assert_uint_eq(found.wal.lost_records + found.wal.damaged_files, 0);
    check_life(at, seed);
    count_lines(seen, at->archive, at->sent);
    for (int64_t i = 0; i < at->sent; i++)
        at->is_acknowledged[i] = seen[i] == 1;
}

/* Of other lengths each time; refused ones are repeated once, as senders do. */
static void send_line(life *at)
{
    char text[400];
    bool repeated;
    memset(text, '.', sizeof(text));
    int len = snprintf(text, sizeof(text), "%d", (int)at->sent);
    text[len] = '.';
    text[(size_t)len + fake_random(at->disk) % 300] = '\0';
    made_archive_line(batch, at->sent, text);
    for (int i = 0; i < 2 && !at->is_acknowledged[at->sent]; i++) {
        err = (fl_error){0};
        at->is_acknowledged[at->sent] =
            fl_archive_commit(&repeated, at->archive, batch, &err) == FL_OK;
        ck_assert(!repeated);
    }
    at->sent++;
}

static void live(uint64_t seed)
{
    life at = {.disk = fake_disk_make(seed * 1000003)};
    reopen(&at, seed);
    for (int step = 0; step < 80; step++) {
        uint64_t dice = fake_random(at.disk) % 16;
        err = (fl_error){0};
        if (dice < 9)
            send_line(&at);
        else if (dice == 9)
            at.disk->fail_after = (long)(fake_random(at.disk) % 9);
        else if (dice == 10)
            (void)!fl_archive_flush(at.archive, &err);
        else if (dice == 11)
            at.disk->fail_after = -1;
        else if (dice == 12)
            check_life(&at, seed);
        else if (dice < 15)
            fl_archive_tick(at.archive, ++at.now_ns);
        else
            reopen(&at, seed);
    }
    reopen(&at, seed);
    fl_archive_close(at.archive);
    fl_disk_close(&at.disk->base);
}

START_TEST(nothing_acknowledged_is_lost_whatever_the_disk_does)
{
    for (uint64_t seed = 0; seed < (getenv("FL_LONG") != NULL ? 20000 : 400); seed++)
        live(seed);
}
END_TEST

/* The power goes after each operation of a seal. */
START_TEST(a_seal_that_is_cut_short_loses_and_doubles_nothing)
{
    bool is_done = false;
    for (long allowed = 0; !is_done; allowed++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            life at = {.disk = fake_disk_make(seed)};
            reopen(&at, seed);
            for (int i = 0; i < 5; i++)
                send_line(&at);
            at.disk->fail_after = allowed;
            err = (fl_error){0};
            is_done = fl_archive_flush(at.archive, &err) == FL_OK;
            ck_assert_int_lt(allowed, 30);
            reopen(&at, seed);
            send_line(&at);
            ck_assert(at.is_acknowledged[at.sent - 1]);
            reopen(&at, seed);
            fl_archive_close(at.archive);
            fl_disk_close(&at.disk->base);
        }
}
END_TEST

/* The power goes after each operation of a merge, which follows the seal. */
START_TEST(a_merge_that_is_cut_short_loses_and_doubles_nothing)
{
    bool is_done = false;
    for (long allowed = 0; !is_done; allowed++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            life at = {.disk = fake_disk_make(seed)};
            reopen(&at, seed);
            for (int i = 0; i < 3; i++) {
                send_line(&at);
                ck_assert_ok(fl_archive_flush(at.archive, &err));
            }
            at.disk->fail_after = allowed;
            fl_archive_tick(at.archive, ++at.now_ns);
            is_done = at.disk->fail_after > 0;
            ck_assert_uint_eq(fl_archive_stats_of(at.archive).merged_blocks +
                                  3 * fl_archive_stats_of(at.archive).merge_failures,
                              3);
            ck_assert_int_lt(allowed, 30);
            reopen(&at, seed);
            send_line(&at);
            ck_assert(at.is_acknowledged[at.sent - 1]);
            reopen(&at, seed);
            fl_archive_close(at.archive);
            fl_disk_close(&at.disk->base);
        }
}
END_TEST

/* Sends until it is killed, or has sent what the parent has room for; each acknowledged line is
 * said to the parent. */
static void child(const char *path, int first, int out)
{
    fl_disk *disk;
    fl_archive *archive;
    const fl_archive_options options = {
        .wal_segment_bytes = 64 << 10, .head_bytes = 6000, .merge_runs = 3};
    if (fl_disk_open(&disk, path, &err) != FL_OK ||
        fl_archive_open(&archive, &found, disk, &options, 1, &err) != FL_OK)
        _exit(1);
    for (int number = first; number < MAX_LINES - 2; number++) {
        char text[16];
        bool repeated = true;
        snprintf(text, sizeof(text), "%d", number);
        made_archive_line(batch, number, text);
        err = (fl_error){0};
        fl_status status = fl_archive_commit(&repeated, archive, batch, &err);
        fl_archive_tick(archive, number);
        if (status == FL_OK && (repeated || write(out, &number, sizeof(number)) != sizeof(number)))
            _exit(2);
    }
    for (;;) /* the parent is slow */
        pause();
}

/* The last line that is acknowledged; all before it are, or were refused. */
static int run_child(const char *path, bool *is_acknowledged, int first, unsigned wait_us)
{
    int ends[2], number, last = first - 1;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        close(ends[0]);
        child(path, first, ends[1]);
    }
    close(ends[1]);
    for (int seen = 0; read(ends[0], &number, sizeof(number)) == sizeof(number);) {
        ck_assert_int_lt(number, MAX_LINES);
        is_acknowledged[number] = true;
        last = number;
        if (++seen == 8) { /* it is well under way */
            nanosleep(&(struct timespec){.tv_nsec = (long)wait_us * 1000}, NULL);
            kill(pid, SIGKILL);
        }
        if (number > MAX_LINES - 64)
            kill(pid, SIGKILL);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(ends[0]);
    return last;
}

static void check_folder(const char *path, const bool *is_acknowledged, int sent)
{
    static unsigned char seen[MAX_LINES];
    fl_disk *disk;
    fl_archive *archive;
    const fl_archive_options options = {.has_no_thread = true, .wal_segment_bytes = 64 << 10};
    ck_assert_ok(fl_disk_open(&disk, path, &err));
    ck_assert_ok(fl_archive_open(&archive, &found, disk, &options, 1, &err));
    ck_assert_uint_eq(found.wal.lost_records + found.damaged_files + found.damaged_batches, 0);
    count_lines(seen, archive, MAX_LINES);
    for (int i = 0; i < sent; i++) {
        ck_assert_msg(seen[i] <= 1, "line %d is there %d times", i, seen[i]);
        ck_assert_msg(seen[i] == 1 || !is_acknowledged[i], "line %d is lost", i);
    }
    fl_archive_close(archive);
    fl_disk_close(disk);
}

/* A process under load, killed again and again in one folder. */
START_TEST(a_killed_process_has_lost_nothing_that_it_acknowledged)
{
    static bool is_acknowledged[MAX_LINES];
    int first = 0, kills = getenv("FL_LONG") != NULL ? 100 : 10;
    unsigned wait_us = 1;
    fl_folder folder;
    fl_folder_open(&folder);
    for (int i = 0; i < kills; i++) {
        err = (fl_error){0};
        if (first > MAX_LINES / 2) { /* anew, so that the array serves */
            fl_folder_remove(&folder);
            fl_folder_open(&folder);
            memset(is_acknowledged, 0, sizeof(is_acknowledged));
            first = 0;
        }
        wait_us = wait_us * 7919 % 10007;
        first = run_child(folder.path, is_acknowledged, first, wait_us) + 2;
        check_folder(folder.path, is_acknowledged, first);
    }
    fl_folder_remove(&folder);
}
END_TEST

/* The real thing, as far as a test may: no file of this process grows beyond a limit, which the
 * system answers like a full disk, but for the errno. */
START_TEST(a_folder_without_room_refuses_and_goes_on_later)
{
    fl_folder folder;
    fl_disk *disk;
    fl_archive *archive;
    bool repeated;
    struct rlimit before, small;
    const fl_archive_options options = {.has_no_thread = true, .wal_segment_bytes = 64 << 10};
    fl_folder_open(&folder);
    ck_assert_ok(fl_disk_open(&disk, folder.path, &err));
    ck_assert_ok(fl_archive_open(&archive, &found, disk, &options, 1, &err));
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = before;
    small.rlim_cur = 4096;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    made_archive_line(batch, 1, "1");
    ck_assert_fails(FL_E_LIMIT, fl_archive_commit(&repeated, archive, batch, &err));
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    err = (fl_error){0};
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    ck_assert(!repeated);
    small.rlim_cur = 32; /* less than the head of a block */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    ck_assert_fails(FL_E_LIMIT, fl_archive_flush(archive, &err));
    fl_buf lines = made_archive_lines(archive, 0, 10);
    ck_assert_str_eq(lines.ptr, "1 ");
    fl_buf_dispose(&lines);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    err = (fl_error){0};
    ck_assert_ok(fl_archive_flush(archive, &err));
    ck_assert_uint_eq(fl_archive_stats_of(archive).refused_disk, 1);
    ck_assert_uint_eq(fl_archive_stats_of(archive).seal_failures, 1);
    lines = made_archive_lines(archive, 0, 10);
    ck_assert_str_eq(lines.ptr, "1 ");
    fl_buf_dispose(&lines);
    fl_archive_close(archive);
    fl_disk_close(disk);
    fl_folder_remove(&folder);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("archive/archive_crash");
    TCase *tests = tcase_create("crash");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, nothing_acknowledged_is_lost_whatever_the_disk_does);
    tcase_add_test(tests, a_seal_that_is_cut_short_loses_and_doubles_nothing);
    tcase_add_test(tests, a_merge_that_is_cut_short_loses_and_doubles_nothing);
    tcase_add_test(tests, a_killed_process_has_lost_nothing_that_it_acknowledged);
    tcase_add_test(tests, a_folder_without_room_refuses_and_goes_on_later);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
