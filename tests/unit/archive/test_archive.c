#include "archive.h"

#include "archive_on_fake_disk.h"

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

/* How many lines of text reading tells, from such a time on. */
static size_t recent_bytes(fl_archive *archive, int64_t since_ns)
{
    otlp_dump back;
    fl_sink sink = block_text_sink(&back);
    ck_assert_ok(fl_archive_read_recent(archive, since_ns, &sink, &err));
    size_t len = back.text.len;
    fl_buf_dispose(&back.text);
    return len;
}

START_TEST(what_was_accepted_last_is_told_whatever_its_time)
{
    bool repeated;
    fl_archive *archive = open_it();
    made_records_push(fl_archive_batch_sink(batch));
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    size_t all = recent_bytes(archive, INT64_MIN);
    ck_assert_uint_gt(all, 0);
    ck_assert_uint_eq(recent_bytes(archive, INT64_MAX), all); /* in no block yet */
    ck_assert_ok(fl_archive_flush(archive, &err));
    ck_assert_uint_gt(recent_bytes(archive, INT64_MIN), 0);
    ck_assert_uint_eq(recent_bytes(archive, INT64_MAX), 0);
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
    made_archive_line(batch, 10, "one");
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
    made_archive_line(batch, 10, "one");
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    fl_archive_tick(archive, 1100);
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    ck_assert(repeated);
    made_archive_line(batch, 10, "two"); /* begins a generation */
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    fl_archive_tick(archive, 1200);
    made_archive_line(batch, 10, "three");
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    made_archive_line(batch, 10, "one");
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    ck_assert(!repeated);
    fl_archive_close(archive);
}
END_TEST

/* The file of hashes; NULL: there is none. */
static fake_node *hashes_file(void)
{
    for (size_t at = 0; at < FAKE_FILES; at++)
        if (strstr(disk->nodes[at].name, ".batches") != NULL)
            return &disk->nodes[at];
    return NULL;
}

START_TEST(a_sealed_batch_is_known_after_a_restart)
{
    bool repeated;
    fl_archive *archive = open_it();
    ck_assert_ok(put_line(archive, 10, "one"));
    ck_assert_ok(fl_archive_flush(archive, &err));
    fl_archive_close(archive);
    fake_disk_crash(disk);
    archive = open_it();
    ck_assert_uint_eq(found.batches, 0);
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    ck_assert(repeated);
    made_archive_line(batch, 10, "two");
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    ck_assert(!repeated);
    ck_assert_str_eq(lines_of(archive, 0, 100), "one two ");
    fl_archive_close(archive);
}
END_TEST

START_TEST(hashes_go_when_nobody_can_repeat_their_batches)
{
    fl_archive *archive = open_with((fl_archive_options){.repeat_ns = 100});
    ck_assert_ok(put_line(archive, 10, "one"));
    ck_assert_ok(fl_archive_flush(archive, &err));
    fl_archive_tick(archive, 1099);
    ck_assert_ptr_nonnull(hashes_file());
    fl_archive_close(archive);
    archive = open_with((fl_archive_options){.repeat_ns = 100}); /* opened at 1000 */
    fl_archive_tick(archive, 1100);
    ck_assert_ptr_null(hashes_file());
    ck_assert_str_eq(lines_of(archive, 0, 100), "one ");
    fl_archive_close(archive);
}
END_TEST

/* What cannot be trusted is removed, and costs that a repeat is a second batch. */
START_TEST(hashes_that_are_damaged_or_without_their_block_do_not_count)
{
    bool repeated;
    for (size_t at = 0; at < 40; at++) {
        tear_down();
        set_up();
        fl_archive *archive = open_it();
        ck_assert_ok(put_line(archive, 10, "one"));
        ck_assert_ok(fl_archive_flush(archive, &err));
        fl_archive_close(archive);
        ck_assert_uint_eq(hashes_file()->seen.len, 36);
        if (at < 36)
            hashes_file()->seen.ptr[at] ^= 1;
        else if (at < 39)
            fake_resize(&hashes_file()->seen, at - 12);
        else
            ck_assert_ok(fl_disk_remove(&disk->base, block_file(0)->name, &err));
        archive = open_it();
        ck_assert_ptr_null(hashes_file());
        ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
        ck_assert_int_eq(repeated, at == 39); /* the log has not been cut, and has it */
        ck_assert_str_eq(lines_of(archive, 0, 100), at < 39 ? "one one " : "one ");
        fl_archive_close(archive);
    }
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
    ck_assert_str_eq(err.message, "596 bytes wait to be written as blocks; try again later");
    ck_assert_int_eq(count, 5);
    ck_assert(fl_archive_is_full(archive, 100));
    fl_archive_tick(archive, 2000);
    ck_assert(!fl_archive_is_full(archive, 100));
    ck_assert_ok(put_line(archive, 4, text));
    ck_assert_uint_eq(fl_archive_stats_of(archive).refused_memory, 1);
    ck_assert_uint_eq(fl_archive_stats_of(archive).refused_records, 1);
    ck_assert_str_eq(lines_of(archive, 0, 100), "line 0 line 1 line 2 line 3 line 4 ");
    fl_archive_close(archive);
}
END_TEST

START_TEST(an_old_head_is_sealed)
{
    fl_archive *archive = open_with((fl_archive_options){.head_age_ns = 50});
    ck_assert_ok(put_line(archive, 10, "one"));
    fl_archive_tick(archive, 1049);
    ck_assert_uint_eq(fl_archive_stats_of(archive).blocks, 0);
    fl_archive_tick(archive, 1050);
    ck_assert_uint_eq(fl_archive_stats_of(archive).blocks, 1);
    ck_assert_uint_eq(fl_archive_stats_of(archive).head_batches, 0);
    fl_archive_tick(archive, 2000); /* an empty head has no age */
    ck_assert_uint_eq(fl_archive_stats_of(archive).blocks, 1);
    fl_archive_close(archive);
}
END_TEST

START_TEST(blocks_older_than_they_shall_be_go)
{
    fl_archive *archive = open_with((fl_archive_options){.keep_ns = 500});
    for (int64_t i = 1; i <= 4; i++) {
        char text[] = "line 0";
        text[5] = (char)('0' + i);
        fl_archive_tick(archive, 1000 + i * 100);
        ck_assert_ok(put_line(archive, 900 + i * 100, text));
        ck_assert_ok(fl_archive_flush(archive, &err));
    }
    fl_archive_tick(archive, 1600); /* the first is 600 old */
    ck_assert_str_eq(lines_of(archive, 0, 9999), "line 2 line 3 line 4 ");
    fl_archive_tick(archive, 99999);
    ck_assert_str_eq(lines_of(archive, 0, 9999), "");
    fl_archive_stats stats = fl_archive_stats_of(archive);
    ck_assert_uint_eq(stats.dropped_blocks, 4);
    ck_assert_uint_gt(stats.dropped_bytes, 3 * 68);
    ck_assert_uint_eq(stats.blocks, 1); /* empty: it says where the log counts */
    ck_assert_uint_eq(stats.block_records, 0);
    ck_assert_uint_lt(stats.block_bytes, 120);
    fl_archive_tick(archive, 199999);
    ck_assert_uint_eq(fl_archive_stats_of(archive).dropped_blocks, 4);
    fl_archive_close(archive);
    fake_disk_crash(disk);
    archive = open_with((fl_archive_options){.keep_ns = 500});
    ck_assert_uint_eq(found.blocks, 1);
    ck_assert_uint_eq(found.batches, 0); /* the log does not bring it back */
    fl_archive_tick(archive, 200000);
    ck_assert_ok(put_line(archive, 200000, "line 5"));
    ck_assert_ok(fl_archive_flush(archive, &err));
    fl_archive_tick(archive, 200001);
    ck_assert_uint_eq(fl_archive_stats_of(archive).blocks, 1);
    ck_assert_str_eq(lines_of(archive, 0, 999999), "line 5 ");
    fl_archive_close(archive);
}
END_TEST

START_TEST(the_newest_block_stays_whole_where_it_cannot_be_replaced)
{
    fl_archive *archive = open_with((fl_archive_options){.keep_ns = 500});
    ck_assert_ok(put_line(archive, 900, "line"));
    ck_assert_ok(fl_archive_flush(archive, &err));
    disk->fail_after = 1; /* behind the removal of what another try may have left */
    fl_archive_tick(archive, 99999);
    ck_assert_str_eq(lines_of(archive, 0, 9999), "line ");
    disk->fail_after = -1;
    fl_archive_tick(archive, 99999);
    ck_assert_str_eq(lines_of(archive, 0, 9999), "");
    fl_archive_close(archive);
}
END_TEST

START_TEST(a_sender_whose_clock_is_ahead_does_not_keep_a_block_for_ever)
{
    fl_archive *archive = open_with((fl_archive_options){.keep_ns = 500});
    ck_assert_ok(put_line(archive, INT64_MAX, "ahead"));
    ck_assert_ok(fl_archive_flush(archive, &err));
    ck_assert_ok(put_line(archive, 1000, "next"));
    ck_assert_ok(fl_archive_flush(archive, &err));
    fl_archive_tick(archive, 1500);
    ck_assert_str_eq(lines_of(archive, INT64_MIN, INT64_MAX), "next ");
    fl_archive_tick(archive, 1501);
    ck_assert_str_eq(lines_of(archive, INT64_MIN, INT64_MAX), "");
    fl_archive_close(archive);
}
END_TEST

static fl_status note_profile(void *payload, const fl_archive_profile *who, const char *name,
                              uint64_t size_bytes, fl_error *error)
{
    fl_buf *out = payload;
    (void)error;
    ck_assert_ptr_nonnull(fake_find(&disk->base, name));
    fl_buf_printf(out, "%lld %.*s/%.*s/%.*s %llu;", (long long)who->time_ns,
                  FL_SLICE_ARG(who->service), FL_SLICE_ARG(who->instance), FL_SLICE_ARG(who->type),
                  (unsigned long long)size_bytes);
    return FL_OK;
}

/* Valid until the next call. */
static const char *profiles_of(fl_archive *archive, int64_t from_ns, int64_t to_ns)
{
    static char text[4096];
    fl_buf out = fl_buf_of(sizeof(text) - 1);
    ck_assert_ok(fl_archive_profiles(archive, from_ns, to_ns, note_profile, &out, &err));
    snprintf(text, sizeof(text), "%s", out.ptr != NULL ? out.ptr : "");
    fl_buf_dispose(&out);
    return text;
}

static fl_status put_profile(fl_archive *archive, int64_t time_ns, const char *service,
                             const char *bytes)
{
    const fl_archive_profile who = {.service = SLICE(service),
                                    .instance = SLICE("pod~7/\xff"),
                                    .type = SLICE("heap"),
                                    .time_ns = time_ns};
    err = (fl_error){0};
    return fl_archive_put_profile(archive, &who, SLICE(bytes), &err);
}

START_TEST(profiles_are_kept_by_whose_they_are)
{
    fl_archive *archive = open_it();
    ck_assert_ok(put_profile(archive, 20, "pay", "second"));
    ck_assert_ok(put_profile(archive, -5, "a b%", "first"));
    ck_assert_ok(put_profile(archive, 20, "pay", "again"));
    for (int i = 0; i < 2; i++) {
        ck_assert_str_eq(profiles_of(archive, INT64_MIN, INT64_MAX),
                         "-5 a b%/pod~7/\xff/heap 5;20 pay/pod~7/\xff/heap 5;");
        ck_assert_str_eq(profiles_of(archive, -5, 20), "-5 a b%/pod~7/\xff/heap 5;");
        fl_archive_close(archive);
        fake_disk_crash(disk);
        archive = open_it();
        ck_assert_uint_eq(found.profiles, 2);
        ck_assert_uint_eq(found.profile_bytes, 10);
    }
    fl_archive_close(archive);
}
END_TEST

START_TEST(profiles_without_an_owner_are_refused)
{
    char text[202];
    fl_archive *archive = open_it();
    ck_assert_fails(FL_E_SYNTAX, put_profile(archive, 1, "", "x"));
    ck_assert_str_eq(err.message, "a profile without a service or a type");
    memset(text, 'a', 201);
    text[201] = '\0';
    ck_assert_fails(FL_E_SYNTAX, put_profile(archive, 1, text, "x"));
    ck_assert_str_eq(err.message, "the names of a profile's owner are above 200 bytes");
    ck_assert_uint_eq(fl_archive_stats_of(archive).profiles, 0);
    fl_archive_close(archive);
}
END_TEST

START_TEST(what_is_too_much_goes_the_oldest_first)
{
    fl_archive *archive = open_with((fl_archive_options){.keep_bytes = 200});
    fl_archive_tick(archive, 5000);
    ck_assert_ok(put_profile(archive, 10, "pay", "0123456789"));
    ck_assert_ok(put_line(archive, 20, "old"));
    ck_assert_ok(fl_archive_flush(archive, &err));
    ck_assert_ok(put_profile(archive, 30, "pay", "0123456789"));
    ck_assert_ok(put_line(archive, 40, "new"));
    ck_assert_ok(fl_archive_flush(archive, &err));
    fl_archive_tick(archive, 5001);
    fl_archive_stats stats = fl_archive_stats_of(archive);
    ck_assert_uint_eq(stats.dropped_profiles, 1);
    ck_assert_uint_eq(stats.dropped_blocks, 1);
    ck_assert_uint_le(stats.block_bytes + stats.profile_bytes, 200);
    ck_assert_str_eq(lines_of(archive, 0, 100), "new ");
    ck_assert_str_eq(profiles_of(archive, 0, 100), "30 pay/pod~7/\xff/heap 10;");
    fl_archive_close(archive);
}
END_TEST

START_TEST(a_full_disk_refuses_and_is_read_on)
{
    fl_archive *archive = open_it();
    char text[1000];
    fl_status status = FL_OK;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    ck_assert_ok(put_line(archive, 1, "sealed"));
    ck_assert_ok(fl_archive_flush(archive, &err));
    ck_assert_ok(put_line(archive, 2, "in the head"));
    disk->capacity = fake_used(disk) + 3000;
    for (int i = 0; i < 20 && status == FL_OK; i++) {
        text[0] = (char)('a' + i);
        status = put_line(archive, 1000 + i, text);
    }
    ck_assert_fails(FL_E_LIMIT, status);
    ck_assert_str_eq(err.message, "cannot reserve: No space left on device");
    disk->capacity = 1;
    ck_assert_fails(FL_E_LIMIT, put_profile(archive, 1, "pay", text));
    err = (fl_error){0};
    ck_assert_fails(FL_E_LIMIT, fl_archive_flush(archive, &err));
    ck_assert_str_eq(lines_of(archive, 0, 100), "sealed in the head ");
    disk->capacity = 0; /* there is room again */
    ck_assert_ok(put_line(archive, 3, "after"));
    fl_archive_tick(archive, 2000);
    ck_assert_uint_eq(fl_archive_stats_of(archive).seal_failures, 1);
    ck_assert_uint_eq(fl_archive_stats_of(archive).refused_disk, 1);
    fl_archive_close(archive);
    fake_disk_crash(disk);
    archive = open_it();
    ck_assert_str_eq(lines_of(archive, 0, 100), "sealed in the head after ");
    fl_archive_close(archive);
}
END_TEST

START_TEST(a_damaged_block_costs_itself)
{
    static const struct {
        size_t at;
        bool is_seen_by_open;
    } places[] = {{3, true}, {40, true}, {68 + 30, false}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        tear_down();
        set_up();
        fl_archive *archive = open_it();
        ck_assert_ok(put_line(archive, 1, "one"));
        ck_assert_ok(fl_archive_flush(archive, &err));
        ck_assert_ok(put_line(archive, 2, "two"));
        ck_assert_ok(fl_archive_flush(archive, &err));
        fl_archive_close(archive);
        block_file(0)->seen.ptr[places[i].at] ^= 1;
        archive = open_it();
        ck_assert_uint_eq(found.damaged_files, places[i].is_seen_by_open);
        ck_assert_str_eq(lines_of(archive, 0, 100), "two ");
        ck_assert_uint_eq(fl_archive_stats_of(archive).read_failures, !places[i].is_seen_by_open);
        fl_archive_close(archive);
    }
}
END_TEST

START_TEST(a_cut_block_is_damaged)
{
    for (size_t len = 0; len < 80; len++) {
        tear_down();
        set_up();
        fl_archive *archive = open_it();
        ck_assert_ok(put_line(archive, 1, "one"));
        ck_assert_ok(fl_archive_flush(archive, &err));
        ck_assert_ok(put_line(archive, 2, "two"));
        ck_assert_ok(fl_archive_flush(archive, &err));
        fl_archive_close(archive);
        fake_resize(&block_file(0)->seen, len);
        archive = open_it();
        ck_assert_uint_eq(found.damaged_files, 1);
        ck_assert_uint_eq(found.blocks, 1);
        ck_assert_str_eq(lines_of(archive, 0, 100), "two ");
        fl_archive_close(archive);
    }
}
END_TEST

START_TEST(a_damaged_newest_block_comes_back_from_the_log)
{
    fl_archive *archive = open_it();
    ck_assert_ok(put_line(archive, 1, "one"));
    ck_assert_ok(fl_archive_flush(archive, &err));
    fl_archive_close(archive);
    block_file(0)->seen.ptr[20] ^= 1;
    archive = open_it();
    ck_assert_uint_eq(found.damaged_files, 1);
    ck_assert_uint_eq(found.batches, 1);
    ck_assert_str_eq(lines_of(archive, 0, 100), "one ");
    fl_archive_close(archive);
}
END_TEST

START_TEST(a_later_version_is_not_opened)
{
    fl_archive *archive = open_it();
    ck_assert_ok(put_line(archive, 1, "one"));
    ck_assert_ok(fl_archive_flush(archive, &err));
    fl_archive_close(archive);
    block_file(0)->seen.ptr[7] = '2';
    fl_archive_options options = {.has_no_thread = true};
    ck_assert_fails(FL_E_UNSUPPORTED,
                    fl_archive_open(&archive, &found, &disk->base, &options, 1, &err));
    ck_assert_str_eq(err.message, "a sealed file of version 002, this program reads 001");
    ck_assert_ptr_null(archive);
}
END_TEST

START_TEST(parts_without_their_end_are_removed)
{
    fl_archive *archive = open_it();
    ck_assert_ok(put_line(archive, 1, "one"));
    ck_assert_ok(fl_archive_flush(archive, &err));
    fl_archive_close(archive);
    char *at = strstr(block_file(0)->name, "e.block");
    *at = 'p';
    archive = open_it();
    ck_assert_uint_eq(found.unfinished_files, 1);
    ck_assert_uint_eq(found.blocks, 0);
    ck_assert_str_eq(lines_of(archive, 0, 100), "one "); /* of the log */
    fl_archive_close(archive);
}
END_TEST

START_TEST(a_large_head_becomes_several_blocks)
{
    otlp_dump direct, back;
    bool repeated;
    fl_archive *archive = open_with((fl_archive_options){.block_bytes = 20000});
    fl_sink sink = block_text_sink(&direct);
    for (int i = 0; i < 5; i++) {
        fl_archive_batch_clear(batch);
        made_records_push(fl_archive_batch_sink(batch));
        for (int turn = 0; turn <= i; turn++)
            made_records_push(fl_archive_batch_sink(batch)); /* of other lengths: no repeats */
        ck_assert_ok(fl_archive_batch_replay(batch, &sink, &err));
        ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
        ck_assert(!repeated);
    }
    fl_buf expected = block_text_sorted(&direct);
    ck_assert_ok(fl_archive_flush(archive, &err));
    fl_archive_stats stats = fl_archive_stats_of(archive);
    ck_assert_uint_gt(stats.blocks, 3);
    ck_assert_uint_eq(stats.block_records, 9 * 20);
    ck_assert_uint_eq(stats.unsealed_records, 0);
    for (int i = 0; i < 2; i++) {
        sink = block_text_sink(&back);
        ck_assert_ok(fl_archive_read(archive, INT64_MIN, INT64_MAX, &sink, &err));
        fl_buf got = block_text_sorted(&back);
        ck_assert_str_eq(got.ptr, expected.ptr);
        fl_buf_dispose(&got);
        fl_buf_dispose(&back.text);
        fl_archive_close(archive);
        fake_disk_crash(disk);
        archive = open_it();
        ck_assert_uint_eq(found.batches, 0);
    }
    fl_archive_close(archive);
    fl_buf_dispose(&expected);
    fl_buf_dispose(&direct.text);
}
END_TEST

START_TEST(a_log_that_is_gone_does_not_hide_what_comes)
{
    fl_archive *archive = open_it();
    ck_assert_ok(put_line(archive, 1, "one"));
    ck_assert_ok(put_line(archive, 2, "two"));
    ck_assert_ok(fl_archive_flush(archive, &err));
    fl_archive_close(archive);
    ck_assert_ok(fl_disk_remove(&disk->base, "0000000000000000.wal", &err));
    archive = open_it();
    ck_assert_ok(put_line(archive, 3, "three"));
    fl_archive_close(archive);
    archive = open_it();
    ck_assert_str_eq(lines_of(archive, 0, 100), "one two three ");
    fl_archive_close(archive);
}
END_TEST

START_TEST(a_sink_may_stop_the_reading)
{
    otlp_dump dump;
    fl_archive *archive = open_it();
    ck_assert_ok(put_line(archive, 1, "one"));
    for (int i = 0; i < 2; i++) { /* in the head, then in a block */
        fl_sink sink = otlp_dump_sink(&dump);
        dump.stop_after = 1;
        dump.stop_with = FL_E_STOPPED;
        err = (fl_error){0};
        ck_assert_fails(FL_E_STOPPED, fl_archive_read(archive, 0, 100, &sink, &err));
        ck_assert_str_eq(err.message, "enough");
        ck_assert_uint_eq(fl_archive_stats_of(archive).read_failures, 0);
        fl_buf_dispose(&dump.text);
        err = (fl_error){0};
        ck_assert_ok(fl_archive_flush(archive, &err));
    }
    fl_archive_close(archive);
}
END_TEST

START_TEST(an_empty_batch_is_durable_already)
{
    bool repeated = true;
    fl_archive *archive = open_it();
    fl_archive_batch_clear(batch);
    ck_assert_ok(fl_archive_commit(&repeated, archive, batch, &err));
    ck_assert(!repeated);
    ck_assert_ok(fl_archive_flush(archive, &err));
    ck_assert_uint_eq(fl_archive_stats_of(archive).batches, 0);
    fl_archive_close(archive);
}
END_TEST

START_TEST(files_of_others_are_left_alone)
{
    static const char *const names[] = {
        "notes.txt", "0000000000000000-0000000000000001-0000x.block",
        "8000000000000000~a~b.profile", "800000000000000g~a~b~c.profile"};
    fl_disk_file *file;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ck_assert_ok(fl_disk_open_file(&file, &disk->base, names[i], true, &err));
        fl_disk_close_file(file);
    }
    fl_archive *archive = open_with((fl_archive_options){.keep_bytes = 1});
    fl_archive_tick(archive, 9999);
    ck_assert_uint_eq(found.profiles + found.blocks + found.damaged_files, 0);
    fl_archive_close(archive);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_ptr_nonnull(fake_find(&disk->base, names[i]));
}
END_TEST

/* All calls in a row; every one may be refused, none may lose what was acknowledged. */
static fl_status do_everything(bool *is_acknowledged)
{
    fl_archive *archive;
    bool repeated;
    otlp_dump dump;
    fl_sink sink = otlp_dump_sink(&dump);
    fl_archive_options options = {.has_no_thread = true, .wal_segment_bytes = 4096};
    fl_status status = fl_archive_open(&archive, &found, &disk->base, &options, 1000, &err);
    if (status == FL_OK)
        status = fl_archive_commit(&repeated, archive, batch, &err);
    *is_acknowledged = status == FL_OK;
    if (status == FL_OK)
        status = fl_archive_flush(archive, &err);
    if (status == FL_OK)
        status = put_profile(archive, 3, "pay", "bytes");
    if (status == FL_OK)
        status = fl_archive_read(archive, INT64_MIN, INT64_MAX, &sink, &err);
    if (status == FL_OK)
        fl_archive_tick(archive, 2000);
    fl_archive_close(archive);
    fl_buf_dispose(&dump.text);
    return status;
}

START_TEST(survives_each_allocation_failing)
{
    fl_status status = FL_E_NOMEM;
    for (long allowed = 0; status != FL_OK; allowed++) {
        bool is_acknowledged = false;
        tear_down();
        set_up();
        made_archive_line(batch, 1, "one");
        fl_mem_fail_after(allowed);
        status = do_everything(&is_acknowledged);
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || (status == FL_E_NOMEM && allowed < 1000), "%ld: %s: %s",
                      allowed, fl_status_name(status), err.message);
        fl_archive *archive = open_it();
        const char *lines = lines_of(archive, 0, 100);
        ck_assert_msg(strcmp(lines, "one ") == 0 || (!is_acknowledged && lines[0] == '\0'),
                      "%ld: %s", allowed, lines);
        fl_archive_close(archive);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("archive/archive");
    TCase *tests = tcase_create("archive");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_was_committed_is_there_after_a_crash);
    tcase_add_test(tests, a_sealed_block_takes_over_from_the_log);
    tcase_add_test(tests, what_was_accepted_last_is_told_whatever_its_time);
    tcase_add_test(tests, every_kind_of_record_comes_back);
    tcase_add_test(tests, a_repeated_batch_adds_nothing);
    tcase_add_test(tests, a_batch_is_forgotten_after_a_while);
    tcase_add_test(tests, a_sealed_batch_is_known_after_a_restart);
    tcase_add_test(tests, hashes_go_when_nobody_can_repeat_their_batches);
    tcase_add_test(tests, hashes_that_are_damaged_or_without_their_block_do_not_count);
    tcase_add_test(tests, a_full_head_is_refused_until_it_is_sealed);
    tcase_add_test(tests, an_old_head_is_sealed);
    tcase_add_test(tests, blocks_older_than_they_shall_be_go);
    tcase_add_test(tests, a_sender_whose_clock_is_ahead_does_not_keep_a_block_for_ever);
    tcase_add_test(tests, profiles_are_kept_by_whose_they_are);
    tcase_add_test(tests, profiles_without_an_owner_are_refused);
    tcase_add_test(tests, what_is_too_much_goes_the_oldest_first);
    tcase_add_test(tests, a_full_disk_refuses_and_is_read_on);
    tcase_add_test(tests, a_damaged_block_costs_itself);
    tcase_add_test(tests, a_cut_block_is_damaged);
    tcase_add_test(tests, a_damaged_newest_block_comes_back_from_the_log);
    tcase_add_test(tests, a_later_version_is_not_opened);
    tcase_add_test(tests, parts_without_their_end_are_removed);
    tcase_add_test(tests, a_large_head_becomes_several_blocks);
    tcase_add_test(tests, a_log_that_is_gone_does_not_hide_what_comes);
    tcase_add_test(tests, a_sink_may_stop_the_reading);
    tcase_add_test(tests, an_empty_batch_is_durable_already);
    tcase_add_test(tests, files_of_others_are_left_alone);
    tcase_add_test(tests, the_newest_block_stays_whole_where_it_cannot_be_replaced);
    tcase_add_test(tests, survives_each_allocation_failing);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
