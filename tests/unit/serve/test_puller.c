/* The schedule against the stand-in of tests/support/sources_server.py, into an archive of its own.
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "bad_server.h"
#include "disk.h"
#include "fl_folder.h"
#include "fl_test.h"
#include "puller.h"
#include "puller_priv.h"
#include "slice.h"
#include "timestamp.h"

static fl_error err;
static fl_bad_server server, slow;
static fl_folder folder;
static fl_disk *disk;
static fl_archive *archive;
static fl_config *config;
static fl_puller *puller;
static char said[4096];
static pthread_mutex_t said_lock = PTHREAD_MUTEX_INITIALIZER;

/* On the puller's thread. */
static void hear(void *payload, const char *sentence)
{
    (void)payload;
    (void)pthread_mutex_lock(&said_lock);
    size_t len = strlen(said);
    snprintf(said + len, sizeof(said) - len, "%s\n", sentence);
    (void)pthread_mutex_unlock(&said_lock);
}

static bool has_said(const char *words)
{
    (void)pthread_mutex_lock(&said_lock);
    bool is_there = strstr(said, words) != NULL;
    (void)pthread_mutex_unlock(&said_lock);
    return is_there;
}

static void setup(void)
{
    fl_archive_recovery found;
    const fl_archive_options options = {.has_no_thread = true};
    err = (fl_error){0};
    said[0] = '\0';
    puller = NULL;
    config = NULL;
    fl_folder_open(&folder);
    ck_assert_ok(fl_disk_open(&disk, fl_folder_path(&folder, "data"), &err));
    ck_assert_ok(fl_archive_open(&archive, &found, disk, &options, fl_time_now(), &err));
}

static void teardown(void)
{
    fl_puller_stop(puller);
    fl_archive_close(archive);
    fl_disk_close(disk);
    fl_config_destroy(config);
    fl_folder_remove(&folder);
}

/* %d of the text is the port. */
static fl_status start(const char *text, const fl_receive_tap *tap)
{
    const fl_config_input input = {.path = "c.yaml", .text = SLICE(text)};
    ck_assert_ok(fl_config_load(&config, &input, &err));
    const fl_puller_options options = {
        .config = config, .archive = archive, .taps = tap, .tap_count = tap != NULL, .say = hear};
    return fl_puller_start(&puller, &options, &err);
}

/* Until `done` says so, or 20 seconds are over. */
static fl_puller_stats wait_for(bool (*done)(const fl_puller_stats *))
{
    fl_puller_stats stats = {0};
    for (int i = 0; i < 400; i++) {
        stats = fl_puller_stats_of(puller);
        if (done(&stats))
            return stats;
        (void)nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    ck_abort_msg("it did not come: %s", said);
    return stats;
}

static char kept[4096];

static fl_status note_profile(void *payload, const fl_archive_profile *who, const char *name,
                              uint64_t bytes, fl_error *e)
{
    size_t len = strlen(kept);
    (void)payload, (void)name, (void)e;
    ck_assert_uint_gt(bytes, 20);
    snprintf(kept + len, sizeof(kept) - len, "%.*s/%.*s/%.*s ", FL_SLICE_ARG(who->service),
             FL_SLICE_ARG(who->instance), FL_SLICE_ARG(who->type));
    return FL_OK;
}

static const char *profiles(void)
{
    kept[0] = '\0';
    ck_assert_ok(fl_archive_profiles(archive, 0, INT64_MAX, note_profile, NULL, &err));
    return kept;
}

static bool has_round(const fl_puller_stats *stats)
{
    return stats->profiles >= 3 && stats->not_served >= 1;
}

static bool has_rounds(const fl_puller_stats *stats)
{
    return stats->profiles >= 6;
}

START_TEST(nothing_configured_is_no_puller)
{
    ck_assert_ok(start("listen: {}\n", NULL));
    ck_assert_ptr_null(puller);
    ck_assert_uint_eq(fl_puller_stats_of(NULL).requests, 0);
}
END_TEST

START_TEST(each_profile_is_kept_and_one_that_is_not_there_is_not_asked_for_again)
{
    char text[512];
    snprintf(text, sizeof(text),
             "sources:\n  pprof:\n    - interval: 1s\n      targets:\n        - service: pay\n"
             "          instance: pay-1\n          url: http://127.0.0.1:%d/debug/pprof\n",
             server.port);
    ck_assert_ok(start(text, NULL));
    fl_puller_stats stats = wait_for(has_rounds);
    ck_assert_uint_eq(stats.targets, 1);
    ck_assert_uint_eq(stats.not_served, 1);
    ck_assert_uint_eq(stats.profile_failures, 0);
    ck_assert_uint_gt(stats.profile_bytes, 100);
    ck_assert_ptr_nonnull(strstr(profiles(), "pay/pay-1/heap "));
    ck_assert_ptr_nonnull(strstr(kept, "pay/pay-1/goroutine "));
    ck_assert_ptr_null(strstr(kept, "goroutineleak"));
}
END_TEST

START_TEST(a_program_that_answers_slowly_is_asked_less_often)
{
    char text[512];
    snprintf(text, sizeof(text),
             "sources:\n  pprof:\n    - interval: 1s\n      overhead: 0.05\n      targets:\n"
             "        - {service: pay, url: 'http://127.0.0.1:%d/debug/pprof'}\n",
             slow.port);
    ck_assert_ok(start(text, NULL));
    fl_puller_stats stats = wait_for(has_round);
    (void)nanosleep(&(struct timespec){.tv_sec = 3}, NULL);
    fl_puller_stats later = fl_puller_stats_of(puller);
    ck_assert_uint_eq(later.stretched, 1);             /* 0.6 s of a round are 5 % of 12 s */
    ck_assert_uint_eq(later.profiles, stats.profiles); /* so that none came meanwhile */
    ck_assert_int_ge(later.busy_ns, 6 * FL_NS_PER_S / 10);
}
END_TEST

START_TEST(targets_of_a_prometheus_are_found_by_their_job)
{
    char text[768];
    snprintf(text, sizeof(text),
             "sources:\n  prometheus:\n    - {name: main, url: 'http://127.0.0.1:%d'}\n  pprof:\n"
             "    - {interval: 1s, prometheus: main, jobs: [shop/payment, shop/cart]}\n",
             server.port);
    ck_assert_ok(start(text, NULL));
    fl_puller_stats stats = wait_for(has_round);
    ck_assert_uint_eq(stats.targets, 1); /* the other one is down, or of another job */
    ck_assert_uint_eq(stats.list_changes, 1);
    ck_assert_ptr_nonnull(strstr(profiles(), "payment/one/heap "));
}
END_TEST

static bool has_two_targets(const fl_puller_stats *stats)
{
    return stats->targets == 2;
}

START_TEST(a_file_of_targets_is_read_again_when_it_changed)
{
    char text[768], list[512];
    const char *path;
    int len = snprintf(list, sizeof(list),
                       "- {service: pay, url: 'http://127.0.0.1:%d/debug/pprof'}\n", server.port);
    path = fl_folder_write(&folder, "targets.yaml", SLICE(list));
    snprintf(text, sizeof(text), "sources:\n  pprof:\n    - {interval: 1s, targets_file: %s}\n",
             path);
    ck_assert_ok(start(text, NULL));
    wait_for(has_round);
    snprintf(list + len, sizeof(list) - (size_t)len,
             "- {service: cart, instance: c1, url: 'http://127.0.0.1:%d/debug/pprof/'}\n",
             server.port);
    fl_folder_write(&folder, "targets.yaml", SLICE(list));
    wait_for(has_two_targets);
    wait_for(has_rounds);
    ck_assert_ptr_nonnull(strstr(profiles(), "pay/127.0.0.1:"));
    /* What is wrong is said and costs its targets; the daemon goes on. */
    fl_folder_write(&folder, "targets.yaml", BYTES("- {service: pay}\n"));
    for (int i = 0; i < 200 && !has_said("targets.yaml:1"); i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    ck_assert(has_said("targets.yaml:1:"));
}
END_TEST

START_TEST(a_file_that_is_wrong_at_the_start_is_a_mistake)
{
    char text[512];
    const char *path = fl_folder_write(&folder, "targets.yaml", BYTES("service: pay\n"));
    snprintf(text, sizeof(text), "sources:\n  pprof:\n    - {targets_file: %s}\n", path);
    ck_assert_fails(FL_E_SYNTAX, start(text, NULL));
    ck_assert_ptr_null(puller);
    ck_assert_ptr_nonnull(strstr(err.message, "a list of targets is expected"));
}
END_TEST

static _Atomic size_t tapped;

static void tap(void *payload, const fl_archive_batch *batch)
{
    (void)payload;
    tapped += fl_archive_batch_records(batch);
}

static bool has_points(const fl_puller_stats *stats)
{
    return stats->queries >= 3;
}

static size_t points;

static fl_status on_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                             fl_error *e)
{
    (void)payload, (void)resource, (void)e;
    *handle = 0;
    return FL_OK;
}

static fl_status on_point(void *payload, uint32_t resource, const fl_point *point, fl_error *e)
{
    (void)payload, (void)resource, (void)e;
    ck_assert(fl_slice_equal(point->metric, BYTES("pods")));
    ck_assert(point->value == 2);
    points++;
    return FL_OK;
}

START_TEST(queries_are_asked_on_a_schedule_and_the_same_answer_is_kept_once)
{
    char text[768];
    const fl_receive_tap one = {.batch = tap};
    const fl_sink sink = {.resource = on_resource, .point = on_point};
    snprintf(text, sizeof(text),
             "sources:\n  prometheus:\n    - url: 'http://127.0.0.1:%d'\n      interval: 1s\n"
             "      queries: [{name: pods, query: count(up)}]\n",
             server.port);
    tapped = points = 0;
    ck_assert_ok(start(text, &one));
    fl_puller_stats stats = wait_for(has_points);
    ck_assert_uint_eq(stats.query_failures, 0);
    ck_assert_uint_eq(stats.points, 1); /* the stand-in always tells the same moment */
    ck_assert_uint_eq(tapped, 1);
    ck_assert_ok(fl_archive_read(archive, 0, INT64_MAX, &sink, &err));
    ck_assert_uint_eq(points, 1);
}
END_TEST

static bool has_failed(const fl_puller_stats *stats)
{
    return stats->profile_failures >= 2 && stats->query_failures >= 2;
}

START_TEST(who_does_not_answer_is_said_once_and_counted)
{
    ck_assert_ok(start("sources:\n  prometheus:\n    - url: 'http://127.0.0.1:1'\n"
                       "      interval: 1s\n      retries: 0\n"
                       "      queries: [{name: x, query: up}]\n"
                       "  pprof:\n    - interval: 1s\n      retries: 0\n"
                       "      targets: [{service: pay, url: 'http://127.0.0.1:1/debug/pprof'}]\n",
                       NULL));
    wait_for(has_failed);
    (void)pthread_mutex_lock(&said_lock);
    const char *at = strstr(said, "profiles of pay: http://127.0.0.1:1/debug/pprof/heap: Failed");
    ck_assert_ptr_nonnull(at);
    ck_assert_ptr_null(strstr(at + 1, "profiles of pay"));
    (void)pthread_mutex_unlock(&said_lock);
}
END_TEST

START_TEST(moments_of_the_schedule_are_spread_by_name_and_the_same_each_time)
{
    const int64_t minute = 60 * FL_NS_PER_S, wall = 1795380000 * FL_NS_PER_S + 7;
    int64_t a = fl_puller_next("http://a", minute, 1000, wall);
    ck_assert_int_gt(a, 1000);
    ck_assert_int_le(a, 1000 + minute);
    ck_assert_int_eq(fl_puller_next("http://a", minute, 1000, wall + 5 * minute), a);
    ck_assert_int_ne(fl_puller_next("http://b", minute, 1000, wall), a);
    ck_assert_int_eq(fl_puller_next(NULL, minute, 0, wall) + wall, (wall / minute + 1) * minute);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("puller");
    TCase *tests = tcase_create("puller");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, nothing_configured_is_no_puller);
    tcase_add_test(tests, each_profile_is_kept_and_one_that_is_not_there_is_not_asked_for_again);
    tcase_add_test(tests, a_program_that_answers_slowly_is_asked_less_often);
    tcase_add_test(tests, targets_of_a_prometheus_are_found_by_their_job);
    tcase_add_test(tests, a_file_of_targets_is_read_again_when_it_changed);
    tcase_add_test(tests, a_file_that_is_wrong_at_the_start_is_a_mistake);
    tcase_add_test(tests, queries_are_asked_on_a_schedule_and_the_same_answer_is_kept_once);
    tcase_add_test(tests, who_does_not_answer_is_said_once_and_counted);
    tcase_add_test(tests, moments_of_the_schedule_are_spread_by_name_and_the_same_each_time);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    static const char script[] = FL_SOURCE_DIR "/tests/support/sources_server.py";
    server = fl_server_start(script, "1795380000");
    slow = fl_server_start(script, "1795380000,slow");
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    fl_server_stop(&server);
    fl_server_stop(&slow);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
