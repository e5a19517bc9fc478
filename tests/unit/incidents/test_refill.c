/*
 * What a start reads of the past, beside the work: the daemon's end does not wait for it.
 */
#include "incidents.h"

#include <time.h>

#include "fl_store_place.h"
#include "fl_test.h"

static fl_error err;

static fl_status read_none(void *payload, int64_t since_ns, const fl_sink *sink, fl_error *e)
{
    (void)payload, (void)since_ns, (void)sink, (void)e;
    return FL_OK;
}

/* Of logs alone, for as long as they are taken; ten seconds at most. */
static fl_status read_logs(void *payload, int64_t from_ns, int64_t to_ns, const fl_sink *sink,
                           fl_error *e)
{
    bool *was_told_to_end = payload;
    const fl_log log = {.time_ns = from_ns};
    fl_status status = FL_OK;
    (void)to_ns;
    for (int i = 0; i < 200 && status == FL_OK; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        for (int k = 0; k < 5000 && status == FL_OK; k++)
            status = sink->log(sink->payload, 0, &log, e);
    }
    *was_told_to_end = status == FL_E_STOPPED;
    return status;
}

START_TEST(an_end_waits_for_no_past_of_logs)
{
    fl_store_place place;
    fl_incidents *incidents;
    bool was_told_to_end = false;
    fl_store_place_make(&place);
    const fl_incidents_options options = {.store = place.url,
                                          .owner = "one",
                                          .read = read_logs,
                                          .read_recent = read_none,
                                          .payload = &was_told_to_end};
    ck_assert_ok(fl_incidents_start(&incidents, &options, &err));
    ck_assert_uint_eq(fl_incidents_stats_of(incidents).refilled_records, 0);
    fl_incidents_stop(incidents);
    ck_assert(was_told_to_end);
    fl_store_place_clear(&place);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("incidents/refill");
    TCase *cases = tcase_create("refill");
    tcase_add_test(cases, an_end_waits_for_no_past_of_logs);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
