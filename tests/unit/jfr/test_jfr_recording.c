#include <stdio.h>

#include "fl_file.h"
#include "fl_test.h"
#include "jfr_answers.h"
#include "made_jfr.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static fl_jfr_recording *recording;
static fl_arena arena;
static made_jfr made;

static void setup(void)
{
    err = (fl_error){0};
    recording = NULL;
    arena = fl_arena_of(16 << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_jfr_recording_destroy(recording);
    fl_arena_dispose(&arena);
}

static void read_fixture(const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/tests/fixtures/jfr/%s", FL_SOURCE_DIR, name);
    ck_assert_ok(fl_jfr_recording_file(&recording, path, &err));
}

static fl_status read_made(void)
{
    fl_stream *in;
    fl_status status = fl_stream_over(&in, made_jfr_slice(&made), "rec.jfr", &err);
    if (status != FL_OK)
        return status;
    status = fl_jfr_recording_read(&recording, in, "rec.jfr", &err);
    fl_stream_close(in);
    return status;
}

static const char *name_of(uint32_t name)
{
    const char *text = fl_arena_cstr(&arena, fl_jfr_name(recording->names, name));
    ck_assert_ptr_nonnull(text);
    return text;
}

/* What each program kept is in its own source: tests/corpus/jvm-recordings. */
static const struct {
    const char *file, *holder, *container, *allocated_by, *version;
    bool is_static;
} kept[] = {
    {"11-leak.jfr.gz", "Recorded.OPEN", "java.util.concurrent.ConcurrentHashMap",
     "Recorded$Session.<init>", "11.0.13", true},
    {"17-leak.jfr.gz", "Recorded.OPEN", "java.util.concurrent.ConcurrentHashMap",
     "Recorded$Session.<init>", "17.0.15", true},
    {"21-list.jfr.zst", "Recorded.history", "java.util.ArrayList", "Recorded.remember", "21.0.4",
     false},
    {"25-leak.jfr.gz", "Recorded.OPEN", "java.util.concurrent.ConcurrentHashMap",
     "Recorded$Session.<init>", "25.0.2", true},
};

/* The holder is the field that the program's author would look for, of whatever JDK. */
START_TEST(what_keeps_old_objects_is_named_by_class_and_field)
{
    fl_jfr_holdings holdings;
    fl_jfr_frame frame;
    read_fixture(kept[_i].file);
    ck_assert_ok(fl_jfr_holdings_of(&holdings, recording, &arena, &err));
    ck_assert_uint_gt(holdings.count, 0);
    const fl_jfr_holding *first = &holdings.items[0];
    ck_assert_str_eq(first->holder, kept[_i].holder);
    ck_assert_str_eq(first->container, kept[_i].container);
    ck_assert_str_eq(first->type, "byte[]");
    ck_assert(first->is_own && first->is_static == kept[_i].is_static);
    ck_assert_uint_ge(first->objects * 10, holdings.objects * 9);
    ck_assert(fl_jfr_own_frame(&frame, recording->names, first->stack));
    ck_assert_str_eq(name_of(frame.function), kept[_i].allocated_by);
    ck_assert_ptr_nonnull(strstr(name_of(recording->version), kept[_i].version));
    ck_assert(recording->has_chains);
    const char *chain = fl_jfr_chain_text(recording, first->example, 3, &arena);
    ck_assert_ptr_nonnull(strstr(chain, "> ... >"));
}
END_TEST

/* Seen in 25-mixed: an EventWriter of a thread, which nobody holds as far as the recorder can tell.
 */
START_TEST(what_the_recorder_is_made_of_is_nobodys_leak)
{
    fl_jfr_holdings holdings;
    uint64_t writers = 0;
    read_fixture("25-mixed.jfr.zst");
    for (size_t i = 0; i < recording->old_count; i++)
        writers += strstr(name_of(recording->olds[i].type), "jdk.jfr.") != NULL;
    ck_assert_uint_gt(writers, 0);
    ck_assert_ok(fl_jfr_holdings_of(&holdings, recording, &arena, &err));
    ck_assert_uint_eq(holdings.count, 2);
    ck_assert_uint_eq(holdings.unchained, 0);
    ck_assert_str_eq(holdings.items[0].holder, "All.OPEN");
    ck_assert_str_eq(holdings.items[1].holder, "All.KEEP");
}
END_TEST

/* By "jfr print" of JDK 25. */
START_TEST(samples_of_all_kinds_are_as_many_as_the_jdk_prints)
{
    static const uint64_t expected[FL_JFR_GROUP_COUNT] = {518, 0, 0, 46, 44};
    read_fixture("25-mixed.jfr.zst");
    for (size_t i = 0; i < FL_JFR_GROUP_COUNT; i++)
        ck_assert_uint_eq(recording->groups[i].events, expected[i]);
    ck_assert_uint_eq(recording->gc_count, 7);
    ck_assert_uint_eq(recording->load_count, 12);
    ck_assert_uint_eq(recording->old_count, 7);
}
END_TEST

/* The cache of that program evicts; no collection came between the last eviction and the end. */
START_TEST(objects_that_only_wait_for_a_collection_are_kept_by_nobody)
{
    fl_jfr_holdings holdings;
    read_fixture("17-healthy.jfr.gz");
    ck_assert_ok(fl_jfr_holdings_of(&holdings, recording, &arena, &err));
    ck_assert(recording->has_chains);
    ck_assert_uint_gt(holdings.objects, 0);
    ck_assert_uint_eq(holdings.unchained, holdings.objects);
    ck_assert_str_eq(holdings.items[0].holder, "");
}
END_TEST

/* "java.util.HashMap" is in the runtime, "javafoo.X" is not. */
START_TEST(own_code_is_what_is_not_in_a_package_of_the_runtime)
{
    ck_assert(fl_jfr_is_runtime(SLICE("java.util.HashMap.put")));
    ck_assert(fl_jfr_is_runtime(SLICE("jdk.internal.misc.Unsafe.park")));
    ck_assert(!fl_jfr_is_runtime(SLICE("javafoo.X.y")));
    ck_assert(!fl_jfr_is_runtime(SLICE("shop.java.X.y")));
    ck_assert(!fl_jfr_is_runtime(SLICE("")));
}
END_TEST

/* Five collections of the serial collector; each left more than the one before. */
START_TEST(collections_are_joined_by_their_number_and_stand_in_time)
{
    read_fixture("17-leak.jfr.gz");
    ck_assert_uint_eq(recording->gc_count, 5);
    for (size_t i = 0; i < recording->gc_count; i++) {
        const fl_jfr_gc *gc = &recording->gcs[i];
        ck_assert_int_gt(gc->pauses_ns, 0);
        ck_assert_int_ge(gc->pauses_ns, gc->longest_ns);
        ck_assert_int_lt(gc->after_bytes, gc->before_bytes);
        ck_assert_int_le(gc->before_bytes, gc->committed_bytes);
        ck_assert_int_le(gc->committed_bytes, gc->reserved_bytes);
        ck_assert(i == 0 || gc->time_ns > recording->gcs[i - 1].time_ns);
        ck_assert_str_eq(name_of(gc->cause), "Allocation Failure");
        ck_assert(gc->time_ns >= recording->totals.from_ns &&
                  gc->time_ns <= recording->totals.to_ns);
    }
    ck_assert_int_gt(recording->gcs[4].after_bytes, 4 * recording->gcs[0].after_bytes);
}
END_TEST

/* Putting sites together by their line must not lose or invent an event. */
START_TEST(sums_of_sites_are_those_of_their_events)
{
    read_fixture("17-leak.jfr.gz");
    for (int i = 0; i < FL_JFR_GROUP_COUNT; i++) {
        const fl_jfr_sites *sites = &recording->groups[i];
        fl_jfr_places places;
        uint64_t events = 0, of_places = 0;
        int64_t amount = 0;
        for (size_t k = 0; k < sites->count; k++) {
            events += sites->items[k].events;
            amount += sites->items[k].amount;
            ck_assert(k == 0 || sites->items[k].amount <= sites->items[k - 1].amount);
        }
        ck_assert_uint_eq(events, sites->events);
        ck_assert_int_eq(amount, sites->amount);
        ck_assert_ok(fl_jfr_places_of(&places, recording, (fl_jfr_group)i, &arena, &err));
        for (size_t k = 0; k < places.count; k++)
            of_places += places.items[k].events;
        ck_assert_uint_eq(of_places, events);
    }
    ck_assert_uint_eq(recording->groups[FL_JFR_THROWN].events, 60);
}
END_TEST

/* Its columns add up to what the recording says, and its texts outlive it. */
START_TEST(a_recording_is_a_profile_with_a_column_for_each_of_its_groups)
{
    fl_profile *profile;
    read_fixture("17-leak.jfr.gz");
    ck_assert_ok(fl_profile_create(&profile, &err));
    ck_assert_ok(fl_jfr_profile(profile, recording, &err));
    uint32_t bytes = fl_profile_type_find(profile, SLICE("alloc_space"));
    uint32_t thrown = fl_profile_type_find(profile, SLICE("exceptions"));
    ck_assert(bytes != FL_PROFILE_NONE && thrown != FL_PROFILE_NONE);
    ck_assert_int_eq(profile->kind, FL_PROFILE_CPU);
    ck_assert_int_eq(profile->time_ns, recording->totals.from_ns);
    fl_slice type = profile->types[profile->default_type].name;
    ck_assert_int_eq(fl_slice_compare(type, SLICE("cpu_samples")), 0);
    int64_t sum = 0, exceptions = 0;
    for (size_t i = 0; i < profile->sample_count; i++) {
        sum += fl_profile_value(profile, i, bytes);
        exceptions += fl_profile_value(profile, i, thrown);
    }
    ck_assert_int_eq(sum, recording->groups[FL_JFR_ALLOCATIONS].amount);
    ck_assert_int_eq(exceptions, 60);
    ck_assert_uint_le(profile->frame_count, fl_jfr_frame_count(recording->names));
    fl_jfr_recording_destroy(recording); /* the profile's texts are its own */
    recording = NULL;
    ck_assert_uint_gt(fl_profile_function_of(profile, profile->stack[0])->name.len, 0);
    fl_profile_destroy(profile);
}
END_TEST

/* Stacks are numbers of the whole file, not of a chunk. */
START_TEST(equal_stacks_of_two_chunks_are_one_site)
{
    made_jfr_standard(&made, true);
    fl_slice one = made_jfr_slice(&made);
    fl_bytes two = fl_joined(one, one);
    fl_stream *in;
    ck_assert_ok(fl_stream_over(&in, fl_bytes_slice(two), "rec.jfr", &err));
    ck_assert_ok(fl_jfr_recording_read(&recording, in, "rec.jfr", &err));
    fl_stream_close(in);
    free(two.ptr);
    const fl_jfr_sites *sites = &recording->groups[FL_JFR_ALLOCATIONS];
    ck_assert_uint_eq(sites->count, 1);
    ck_assert_uint_eq(sites->items[0].events, 4);
    ck_assert_int_eq(sites->amount, 2 * (4096 + (INT64_C(1) << 40)));
    ck_assert_uint_eq(recording->load_count, 2);
    ck_assert_int_eq(recording->gcs[0].after_bytes, 777);
}
END_TEST

/* All that a recording is turned into, while memory ends at each place in turn. */
static fl_status read_and_answer(void)
{
    fl_profile *profile = NULL;
    fl_jfr_places places;
    fl_jfr_holdings holdings;
    fl_status status = read_made();
    if (status == FL_OK)
        status = fl_jfr_places_of(&places, recording, FL_JFR_ALLOCATIONS, &arena, &err);
    if (status == FL_OK)
        status = fl_jfr_holdings_of(&holdings, recording, &arena, &err);
    if (status == FL_OK)
        status = fl_profile_create(&profile, &err);
    if (status == FL_OK)
        status = fl_jfr_profile(profile, recording, &err);
    fl_profile_destroy(profile);
    return status;
}

START_TEST(each_allocation_that_fails_is_an_error)
{
    made_jfr_standard(&made, true);
    long n = 0;
    fl_status status = FL_E_NOMEM;
    for (; status != FL_OK && n < 100000; n++) {
        fl_jfr_recording_destroy(recording);
        recording = NULL;
        fl_arena_dispose(&arena);
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = read_and_answer();
        fl_mem_fail_after(-1);
        if (status != FL_OK)
            ck_assert_fails(FL_E_NOMEM, status);
    }
    ck_assert_int_gt(n, 20);
    ck_assert_int_lt(n, 100000);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_said)
{
    ck_assert_fails(FL_E_NOTFOUND, fl_jfr_recording_file(&recording, "/no/rec.jfr", &err));
    ck_assert_str_eq(err.message, "cannot open /no/rec.jfr: No such file or directory");
    ck_assert_ptr_null(recording);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("jfr_recording");
    TCase *tests = tcase_create("recording");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, what_keeps_old_objects_is_named_by_class_and_field, 0,
                        sizeof(kept) / sizeof(kept[0]));
    tcase_add_test(tests, objects_that_only_wait_for_a_collection_are_kept_by_nobody);
    tcase_add_test(tests, own_code_is_what_is_not_in_a_package_of_the_runtime);
    tcase_add_test(tests, collections_are_joined_by_their_number_and_stand_in_time);
    tcase_add_test(tests, sums_of_sites_are_those_of_their_events);
    tcase_add_test(tests, a_recording_is_a_profile_with_a_column_for_each_of_its_groups);
    tcase_add_test(tests, what_the_recorder_is_made_of_is_nobodys_leak);
    tcase_add_test(tests, samples_of_all_kinds_are_as_many_as_the_jdk_prints);
    tcase_add_test(tests, equal_stacks_of_two_chunks_are_one_site);
    tcase_add_test(tests, each_allocation_that_fails_is_an_error);
    tcase_add_test(tests, a_file_that_is_not_there_is_said);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
