#include "wal.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "fl_fake_disk.h"
#include "fl_folder.h"
#include "fl_test.h"
#include "mem.h"

static fl_error err;
static fake_disk *disk;
static fl_wal_recovery found;

/* What a replay gave: each record as "SEQUENCE:KIND:PAYLOAD;". */
static char replayed[1 << 16];

static void set_up(void)
{
    err = (fl_error){0};
    disk = fake_disk_make(1);
    replayed[0] = '\0';
}

static void tear_down(void)
{
    fl_mem_fail_after(-1);
    fl_disk_close(&disk->base);
}

static fl_status note(void *context, uint64_t sequence, unsigned char kind, fl_slice payload,
                      fl_error *error)
{
    size_t len = strlen(replayed);
    (void)context;
    (void)error;
    snprintf(replayed + len, sizeof(replayed) - len, "%llu:%u:%.*s;", (unsigned long long)sequence,
             kind, (int)payload.len, (const char *)payload.ptr);
    return FL_OK;
}

static fl_wal *open_with(fl_wal_options options)
{
    fl_wal *wal;
    replayed[0] = '\0';
    options.visit = note;
    ck_assert_ok(fl_wal_open(&wal, &found, &disk->base, &options, &err));
    return wal;
}

static fl_wal *open_it(void)
{
    return open_with((fl_wal_options){.segment_bytes = 4096});
}

static fl_status put(fl_wal *wal, const char *text)
{
    fl_wal_ticket ticket;
    err = (fl_error){0};
    fl_status status = fl_wal_append(&ticket, wal, 7, SLICE(text), &err);
    return status == FL_OK ? fl_wal_wait(wal, &ticket, &err) : status;
}

START_TEST(an_empty_folder_is_an_empty_log)
{
    fl_wal *wal = open_it();
    fl_wal_stats stats = fl_wal_stats_of(wal);
    ck_assert_str_eq(replayed, "");
    ck_assert_uint_eq(stats.next_sequence, 0);
    ck_assert_uint_eq(stats.segments + stats.bytes + found.records + found.torn_bytes, 0);
    fl_wal_close(wal);
}
END_TEST

START_TEST(what_was_acknowledged_is_replayed_in_order)
{
    fl_wal *wal = open_it();
    ck_assert_ok(put(wal, "one"));
    ck_assert_ok(put(wal, ""));
    ck_assert_ok(put(wal, "three"));
    fl_wal_close(wal);
    fake_disk_crash(disk);
    wal = open_it();
    ck_assert_str_eq(replayed, "0:7:one;1:7:;2:7:three;");
    ck_assert_uint_eq(found.records, 3);
    ck_assert_ok(put(wal, "four"));
    fl_wal_close(wal);
    wal = open_with((fl_wal_options){.from_sequence = 2});
    ck_assert_str_eq(replayed, "2:7:three;3:7:four;");
    fl_wal_close(wal);
}
END_TEST

START_TEST(one_sync_serves_all_that_wait)
{
    fl_wal *wal = open_it();
    fl_wal_ticket tickets[100];
    for (size_t i = 0; i < 100; i++)
        ck_assert_ok(fl_wal_append(&tickets[i], wal, 1, SLICE("x"), &err));
    ck_assert_uint_eq(fl_wal_stats_of(wal).groups, 0);
    for (size_t i = 100; i-- > 0;)
        ck_assert_ok(fl_wal_wait(wal, &tickets[i], &err));
    ck_assert_uint_eq(fl_wal_stats_of(wal).groups, 1);
    fl_wal_close(wal);
}
END_TEST

START_TEST(segments_are_begun_when_one_is_full_and_removed_when_released)
{
    fl_wal *wal = open_it();
    char text[1001];
    memset(text, 'a', 1000);
    text[1000] = '\0';
    for (int i = 0; i < 10; i++)
        ck_assert_ok(put(wal, text));
    fl_wal_stats before = fl_wal_stats_of(wal);
    ck_assert_uint_eq(before.segments, 3); /* four records of 1009 bytes each */
    ck_assert_uint_eq(before.bytes, 3 * 28 + 10 * 1009);
    ck_assert_ok(fl_wal_release(wal, 7, &err));
    ck_assert_uint_eq(fl_wal_stats_of(wal).first_sequence, 4);
    ck_assert_ok(fl_wal_release(wal, 100, &err));
    ck_assert_uint_eq(fl_wal_stats_of(wal).first_sequence, 8);
    fl_wal_close(wal);
    wal = open_with((fl_wal_options){.from_sequence = 8});
    ck_assert_uint_eq(found.records, 2);
    ck_assert_uint_eq(found.lost_records, 0);
    ck_assert_uint_eq(fl_wal_stats_of(wal).next_sequence, 10);
    fl_wal_close(wal);
}
END_TEST

START_TEST(a_record_larger_than_a_segment_has_one_of_its_own)
{
    fl_wal *wal = open_it();
    char *text = malloc(20001);
    memset(text, 'b', 20000);
    text[20000] = '\0';
    ck_assert_ok(put(wal, "small"));
    ck_assert_ok(put(wal, text));
    ck_assert_ok(put(wal, "after"));
    ck_assert_uint_eq(fl_wal_stats_of(wal).segments, 3);
    fl_wal_close(wal);
    free(text);
    wal = open_it();
    ck_assert_uint_eq(found.records, 3);
    fl_wal_close(wal);
}
END_TEST

START_TEST(a_torn_tail_is_cut_off_and_said_once)
{
    fl_wal *wal = open_it();
    ck_assert_ok(put(wal, "whole"));
    fl_wal_close(wal);
    fake_node *node = &disk->nodes[0];
    memcpy(node->seen.ptr + 28 + 14, "\x20\0\0\0junk", 8);
    wal = open_it();
    ck_assert_str_eq(replayed, "0:7:whole;");
    ck_assert_uint_eq(found.torn_bytes, 8);
    fl_wal_close(wal);
    wal = open_it();
    ck_assert_uint_eq(found.torn_bytes, 0);
    fl_wal_close(wal);
}
END_TEST

START_TEST(what_a_disk_lost_is_counted_and_the_rest_goes_on)
{
    fl_wal *wal = open_it();
    char text[1001];
    memset(text, 'c', 1000);
    text[1000] = '\0';
    for (int i = 0; i < 6; i++)
        ck_assert_ok(put(wal, text));
    fl_wal_close(wal);
    ck_assert_str_eq(disk->nodes[0].name, "0000000000000000.wal");
    disk->nodes[0].seen.ptr[28 + 1009 + 500] ^= 1; /* in the second record of four */
    wal = open_it();
    ck_assert_uint_eq(found.records, 3);
    ck_assert_uint_eq(found.lost_records, 3);
    ck_assert_uint_eq(found.torn_bytes, 0);
    fl_wal_close(wal);
    disk->nodes[0].seen.ptr[3] ^= 1; /* its header */
    wal = open_it();
    ck_assert_uint_eq(found.damaged_files, 1);
    ck_assert_str_eq(disk->nodes[0].name, "0000000000000000.wal.damaged");
    ck_assert_uint_eq(fl_wal_stats_of(wal).next_sequence, 6);
    fl_wal_close(wal);
}
END_TEST

START_TEST(a_segment_that_was_being_made_is_removed)
{
    fl_wal *wal = open_it();
    fl_disk_file *file;
    ck_assert_ok(put(wal, "one"));
    fl_wal_close(wal);
    ck_assert_ok(fl_disk_open_file(&file, &disk->base, "0000000000000001.wal", true, &err));
    ck_assert_ok(fl_disk_reserve(file, 100, &err));
    fl_disk_close_file(file);
    wal = open_it();
    ck_assert_uint_eq(found.damaged_files, 0);
    ck_assert_ok(put(wal, "two"));
    fl_wal_close(wal);
    wal = open_it();
    ck_assert_str_eq(replayed, "0:7:one;1:7:two;");
    fl_wal_close(wal);
}
END_TEST

START_TEST(a_full_disk_refuses_and_goes_on_when_there_is_room)
{
    fl_wal *wal = open_it();
    char text[3001];
    memset(text, 'd', 3000);
    text[3000] = '\0';
    disk->capacity = 9000;
    ck_assert_ok(put(wal, text));
    ck_assert_ok(put(wal, text));
    ck_assert_fails(FL_E_LIMIT, put(wal, text));
    ck_assert_str_eq(err.message, "cannot reserve: No space left on device");
    disk->capacity = 0;
    ck_assert_ok(put(wal, "again"));
    fl_wal_close(wal);
    wal = open_it();
    ck_assert_uint_eq(found.records, 3);
    ck_assert_uint_eq(found.lost_records, 0);
    fl_wal_close(wal);
}
END_TEST

START_TEST(limits_are_refused_with_what_to_do)
{
    fl_wal *wal = open_with((fl_wal_options){.max_bytes = 100, .pending_bytes = 20});
    fl_wal_ticket first, second;
    ck_assert_ok(fl_wal_append(&first, wal, 1, SLICE("0123456789"), &err));
    ck_assert_fails(FL_E_LIMIT, fl_wal_append(&second, wal, 1, SLICE("0123456789"), &err));
    ck_assert_str_eq(err.message, "the disk is 19 bytes behind; try again later");
    ck_assert_ok(fl_wal_wait(wal, &first, &err));
    ck_assert_ok(put(wal, "0123456789"));
    ck_assert_ok(put(wal, "0123456789"));
    ck_assert_fails(FL_E_LIMIT, put(wal, "0123456789"));
    ck_assert_str_eq(err.message, "the write-ahead log has reached its 100 bytes; try again later");
    fl_wal_close(wal);
}
END_TEST

START_TEST(a_record_above_the_ceiling_is_refused)
{
    fl_wal *wal = open_it();
    fl_wal_ticket ticket;
    fl_slice huge = {.ptr = (const unsigned char *)"", .len = FL_MAX_WAL_RECORD_BYTES + 1};
    ck_assert_fails(FL_E_LIMIT, fl_wal_append(&ticket, wal, 1, huge, &err));
    ck_assert_str_eq(err.message, "a record of 67112961 bytes is above the 67112960");
    fl_wal_close(wal);
}
END_TEST

START_TEST(what_a_failing_sync_refused_does_not_come_back)
{
    for (long at = 0; at < 12; at++) {
        tear_down();
        set_up();
        fl_wal *wal = open_it();
        char expected[64] = "0:7:one;", tail[32];
        ck_assert_ok(put(wal, "one"));
        disk->fail_after = at;
        fl_status second = put(wal, "two");
        disk->fail_after = -1;
        ck_assert_ok(put(wal, "three"));
        fl_wal_close(wal);
        fake_disk_crash(disk);
        wal = open_it();
        snprintf(tail, sizeof(tail), "%s2:7:three;", second == FL_OK ? "1:7:two;" : "");
        strcat(expected, tail);
        ck_assert_str_eq(replayed, expected);
        ck_assert_uint_eq(found.lost_records, 0);
        fl_wal_close(wal);
    }
}
END_TEST

/* One life of a log under a disk that fails, and what must be true of it. */
typedef struct history {
    bool is_acknowledged[4096], is_seen[4096];
    uint64_t released, last_seen;
    unsigned salt[4096]; /* of the record's bytes */
    fl_wal *wal;
} history;

static void check_record(const history *at, uint64_t sequence, fl_slice payload)
{
    unsigned salt;
    ck_assert_uint_lt(sequence, 4096);
    ck_assert_uint_ge(payload.len, sizeof(salt));
    memcpy(&salt, payload.ptr, sizeof(salt));
    if (at->is_acknowledged[sequence])
        ck_assert_uint_eq(salt, at->salt[sequence]);
    bool is_same = true; /* an assertion costs a system call */
    for (size_t i = sizeof(salt); i < payload.len; i++)
        is_same = is_same && payload.ptr[i] == (unsigned char)(salt + i);
    ck_assert(is_same);
}

static fl_status see(void *context, uint64_t sequence, unsigned char kind, fl_slice payload,
                     fl_error *error)
{
    history *at = context;
    (void)error;
    ck_assert_uint_eq(kind, 3);
    ck_assert(at->last_seen == UINT64_MAX || sequence > at->last_seen);
    check_record(at, sequence, payload);
    at->is_seen[sequence] = true;
    at->last_seen = sequence;
    return FL_OK;
}

static void reopen(history *at)
{
    fl_wal_options options = {
        .segment_bytes = 3000, .visit = see, .visit_context = at, .from_sequence = at->released};
    memset(at->is_seen, 0, sizeof(at->is_seen));
    at->last_seen = UINT64_MAX;
    ck_assert_ok(fl_wal_open(&at->wal, &found, &disk->base, &options, &err));
    ck_assert_uint_eq(found.lost_records, 0);
    ck_assert_uint_eq(found.damaged_files, 0);
    for (uint64_t i = at->released; i < 4096; i++) {
        if (at->is_acknowledged[i] && !at->is_seen[i])
            ck_abort_msg("record %d is lost", (int)i);
        at->is_acknowledged[i] = at->is_seen[i]; /* it is in the log now */
    }
}

static void put_some(history *at)
{
    static unsigned next_salt;
    fl_wal_ticket tickets[4];
    unsigned char bytes[900];
    size_t count = 1 + fake_random(disk) % 4;
    bool must_succeed = disk->fail_after < 0;
    for (size_t i = 0; i < count; i++) {
        size_t len = sizeof(unsigned) + fake_random(disk) % 800;
        unsigned salt = ++next_salt;
        memcpy(bytes, &salt, sizeof(salt));
        for (size_t b = sizeof(salt); b < len; b++)
            bytes[b] = (unsigned char)(salt + b);
        ck_assert_ok(fl_wal_append(&tickets[i], at->wal, 3, (fl_slice){bytes, len}, &err));
        at->salt[tickets[i].sequence] = salt;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t sequence = tickets[i].sequence;
        at->is_acknowledged[sequence] = fl_wal_wait(at->wal, &tickets[i], &err) == FL_OK;
        ck_assert_msg(at->is_acknowledged[sequence] || !must_succeed, "%s", err.message);
        err = (fl_error){0};
    }
}

static void live(uint64_t seed)
{
    static history at;
    at = (history){0};
    disk->seed = seed;
    reopen(&at);
    for (int step = 0; step < 60; step++) {
        uint64_t dice = fake_random(disk) % 12;
        if (dice < 8)
            put_some(&at);
        else if (dice == 8)
            disk->fail_after = (long)(fake_random(disk) % 6);
        else if (dice == 9) {
            uint64_t half = fl_wal_stats_of(at.wal).next_sequence / 2;
            at.released = half > at.released ? half : at.released;
            (void)!fl_wal_release(at.wal, at.released, &err);
            err = (fl_error){0};
        } else {
            fl_wal_close(at.wal);
            fake_disk_crash(disk);
            reopen(&at);
        }
    }
    fl_wal_close(at.wal);
}

START_TEST(nothing_acknowledged_is_lost_whatever_the_disk_does)
{
    for (uint64_t seed = 0; seed < 400; seed++) {
        tear_down();
        set_up();
        live(seed * 1000003);
    }
}
END_TEST

enum { WRITERS = 8, WRITES = 200 };

static void *write_many(void *context)
{
    for (int i = 0; i < WRITES; i++) {
        fl_error mine = {0};
        fl_wal_ticket ticket;
        if (fl_wal_append(&ticket, context, 1, SLICE("from a thread"), &mine) != FL_OK ||
            fl_wal_wait(context, &ticket, &mine) != FL_OK)
            return NULL;
    }
    return context;
}

START_TEST(threads_share_a_log)
{
    fl_wal *wal = open_with((fl_wal_options){.segment_bytes = 1 << 16});
    pthread_t threads[WRITERS];
    for (size_t i = 0; i < WRITERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_many, wal), 0);
    for (size_t i = 0; i < WRITERS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        ck_assert_ptr_eq(result, wal);
    }
    ck_assert_uint_eq(fl_wal_stats_of(wal).next_sequence, WRITERS * WRITES);
    fl_wal_close(wal);
    fl_wal_options options = {0};
    ck_assert_ok(fl_wal_open(&wal, &found, &disk->base, &options, &err));
    ck_assert_uint_eq(found.records, WRITERS * WRITES);
    fl_wal_close(wal);
}
END_TEST

static fl_status refuse(void *context, uint64_t sequence, unsigned char kind, fl_slice payload,
                        fl_error *error)
{
    (void)context;
    (void)kind;
    (void)payload;
    return fl_fail(error, FL_E_STOPPED, FL_NO_OFFSET, "stopped at %d", (int)sequence);
}

START_TEST(a_visitor_may_stop_the_open)
{
    fl_wal *wal = open_it();
    fl_wal_options options = {.visit = refuse};
    ck_assert_ok(put(wal, "one"));
    fl_wal_close(wal);
    ck_assert_fails(FL_E_STOPPED, fl_wal_open(&wal, &found, &disk->base, &options, &err));
    ck_assert_str_eq(err.message, "stopped at 0");
    ck_assert_ptr_null(wal);
}
END_TEST

START_TEST(files_of_others_are_left_alone)
{
    static const char *const names[] = {"notes.txt", "000000000000000G.wal", "1.wal",
                                        "0000000000000000.wal.damaged"};
    fl_disk_file *file;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ck_assert_ok(fl_disk_open_file(&file, &disk->base, names[i], true, &err));
        fl_disk_close_file(file);
    }
    fl_wal_close(open_it());
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_ptr_nonnull(fake_find(&disk->base, names[i]));
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_wal *wal = open_it();
    fl_wal_options options = {.segment_bytes = 4096, .visit = note};
    fl_status status = FL_E_NOMEM;
    ck_assert_ok(put(wal, "kept"));
    fl_wal_close(wal);
    for (long allowed = 0; status != FL_OK; allowed++) {
        err = (fl_error){0};
        fl_mem_fail_after(allowed);
        status = fl_wal_open(&wal, &found, &disk->base, &options, &err);
        if (status == FL_OK)
            status = put(wal, "more");
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || (status == FL_E_NOMEM && allowed < 100));
        fl_wal_close(wal);
    }
    wal = open_it();
    ck_assert_uint_eq(found.lost_records, 0);
    ck_assert_int_eq(strncmp(replayed, "0:7:kept;", 9), 0);
    fl_wal_close(wal);
}
END_TEST

START_TEST(a_folder_of_the_machine_serves_as_well)
{
    fl_folder folder;
    fl_disk *real, *second;
    fl_wal *wal;
    fl_wal_options options = {.segment_bytes = 4096};
    fl_folder_open(&folder);
    for (int life = 0; life < 3; life++) {
        ck_assert_ok(fl_disk_open(&real, folder.path, &err));
        ck_assert_fails(FL_E_IO, fl_disk_open(&second, folder.path, &err));
        ck_assert_ptr_nonnull(strstr(err.message, "is in use by another process"));
        err = (fl_error){0};
        ck_assert_ok(fl_wal_open(&wal, &found, real, &options, &err));
        ck_assert_uint_eq(found.records, (uint64_t)life * 20);
        for (int i = 0; i < 20; i++)
            ck_assert_ok(put(wal,
                             "a record of a few hundred bytes would fill it sooner, but so does "
                             "this one, which is written twenty times into four KiB"));
        ck_assert_ok(fl_wal_release(wal, 0, &err));
        fl_wal_close(wal);
        fl_disk_close(real);
    }
    fl_folder_remove(&folder);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("disk/wal");
    TCase *tcase = tcase_create("wal");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, an_empty_folder_is_an_empty_log);
    tcase_add_test(tcase, what_was_acknowledged_is_replayed_in_order);
    tcase_add_test(tcase, one_sync_serves_all_that_wait);
    tcase_add_test(tcase, segments_are_begun_when_one_is_full_and_removed_when_released);
    tcase_add_test(tcase, a_record_larger_than_a_segment_has_one_of_its_own);
    tcase_add_test(tcase, a_torn_tail_is_cut_off_and_said_once);
    tcase_add_test(tcase, what_a_disk_lost_is_counted_and_the_rest_goes_on);
    tcase_add_test(tcase, a_segment_that_was_being_made_is_removed);
    tcase_add_test(tcase, a_full_disk_refuses_and_goes_on_when_there_is_room);
    tcase_add_test(tcase, limits_are_refused_with_what_to_do);
    tcase_add_test(tcase, a_record_above_the_ceiling_is_refused);
    tcase_add_test(tcase, what_a_failing_sync_refused_does_not_come_back);
    tcase_add_test(tcase, nothing_acknowledged_is_lost_whatever_the_disk_does);
    tcase_add_test(tcase, threads_share_a_log);
    tcase_add_test(tcase, a_visitor_may_stop_the_open);
    tcase_add_test(tcase, files_of_others_are_left_alone);
    tcase_add_test(tcase, survives_each_allocation_failing);
    tcase_add_test(tcase, a_folder_of_the_machine_serves_as_well);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
