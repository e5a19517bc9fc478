/*
 * Labels: who a set of them is about, and what is left of it.
 */
#include "labels.h"

#include "received.h"

static received r;
static fl_error err;
static fl_labels labels;

static void setup(void)
{
    err = (fl_error){0};
    labels = (fl_labels){.count = 0};
    received_init(&r);
}

static void teardown(void)
{
    received_dispose(&r);
}

/* "name=value name=value" */
static void add_all(const char *text)
{
    fl_labels_clear(&labels);
    while (*text != '\0') {
        const char *equals = strchr(text, '='), *end = equals + strcspn(equals, " ");
        fl_labels_add(&labels, (fl_slice){(const unsigned char *)text, (size_t)(equals - text)},
                      (fl_slice){(const unsigned char *)equals + 1, (size_t)(end - equals - 1)});
        text = *end == ' ' ? end + 1 : end;
    }
}

/* clang-format off */
static const struct {
    const char *labels, *told;
    size_t left;
} cases[] = {
    {"", "resource 0 service= instance= node=\n", 0},
    {"job=shop/cart instance=10.0.0.1:8080", "resource 0 service=cart instance=10.0.0.1:8080 node= job=\"shop/cart\" instance=\"10.0.0.1:8080\"\n", 0},
    {"job=cart", "resource 0 service=cart instance= node= job=\"cart\"\n", 0},
    {"job=shop/", "resource 0 service=shop/ instance= node= job=\"shop/\"\n", 0},
    {"container=cart job=kubelet pod=cart-0 node=n1 code=200", "resource 0 service=cart instance=cart-0 node=n1 container=\"cart\" pod=\"cart-0\" node=\"n1\"\n", 2},
    {"host=h app=a service=s service.name=sn", "resource 0 service=sn instance= node=h service.name=\"sn\" host=\"h\"\n", 2},
    {"app.kubernetes.io/name=a app.kubernetes.io/version=7", "resource 0 service=a instance= node= app.kubernetes.io/name=\"a\" service.version=\"7\"\n", 0},
    {"services=x Service=y", "resource 0 service= instance= node=\n", 2},
    {"service= app=a", "resource 0 service=a instance= node= app=\"a\"\n", 0},
};
/* clang-format on */

START_TEST(the_first_name_of_each_place_says_who_it_is)
{
    uint32_t handle = 99;
    add_all(cases[_i].labels);
    ck_assert_ok(fl_labels_announce(&handle, &labels, &r.sink, &err));
    ck_assert_str_eq(received_text(&r), cases[_i].told);
    ck_assert_uint_eq(labels.count, cases[_i].left);
    ck_assert_uint_eq(handle, 0);
}
END_TEST

START_TEST(a_label_is_found_and_taken_by_its_name)
{
    add_all("a=1 b=2 c=3");
    ck_assert(fl_slice_equal(fl_labels_find(&labels, SLICE("b")), SLICE("2")));
    ck_assert(fl_slice_equal(fl_labels_take(&labels, SLICE("b")), SLICE("2")));
    ck_assert_uint_eq(fl_labels_find(&labels, SLICE("b")).len, 0);
    ck_assert_uint_eq(fl_labels_take(&labels, SLICE("b")).len, 0);
    ck_assert_uint_eq(labels.count, 2);
    ck_assert(fl_slice_equal(labels.items[1].key, SLICE("c")));
}
END_TEST

START_TEST(labels_over_the_limit_are_counted_and_left_out)
{
    char name[16];
    char names[FL_MAX_LABELS + 5][16];
    for (size_t i = 0; i < FL_MAX_LABELS + 5; i++) {
        snprintf(name, sizeof(name), "label%zu", i);
        memcpy(names[i], name, sizeof(name));
        fl_labels_add(&labels, SLICE(names[i]), SLICE("x"));
    }
    ck_assert_uint_eq(labels.count, FL_MAX_LABELS);
    ck_assert_uint_eq(labels.dropped, 5);
}
END_TEST

START_TEST(refusals_count_lines_in_any_order)
{
    fl_intake_begin(&r.to, SLICE("a\nb\nc"), true);
    ck_assert_ok(fl_intake_refuse(&r.to, 4, 1, "third", &err));
    ck_assert_ok(fl_intake_refuse(&r.to, 0, 2, "first", &err));
    ck_assert_ok(fl_intake_refuse(&r.to, 99, 1, "behind", &err));
    fl_intake_begin(&r.to, SLICE("a\nb"), false);
    ck_assert_ok(fl_intake_refuse(&r.to, 2, 1, "binary", &err));
    ck_assert_str_eq(received_text(&r), "reject line 3 byte 4 records 1: third\n"
                                        "reject line 1 byte 0 records 2: first\n"
                                        "reject line 3 byte 5 records 1: behind\n"
                                        "reject line 0 byte 2 records 1: binary\n");
}
END_TEST

START_TEST(strict_turns_a_refusal_into_a_failure)
{
    r.to.strict = true;
    fl_intake_begin(&r.to, SLICE("a\nb"), true);
    ck_assert_fails(FL_E_SYNTAX, fl_intake_refuse(&r.to, 2, 1, "no", &err));
    ck_assert_str_eq(err.message, "test:2: no");
    ck_assert_uint_eq(err.offset, 2);
    fl_error own = {0}, why = {.status = FL_E_NOMEM, .message = "out of memory"};
    ck_assert_fails(FL_E_NOMEM, fl_intake_refuse_error(&r.to, &why, 0, 1, &own));
    ck_assert_str_eq(own.message, "test: out of memory");
}
END_TEST

START_TEST(times_lie_between_1970_and_2262)
{
    int64_t ns = 7;
    ck_assert(fl_intake_time(&ns, 1795379163118, 1000000));
    ck_assert_int_eq(ns, INT64_C(1795379163118000000));
    ck_assert(!fl_intake_time(&ns, -1, 1));
    ck_assert(!fl_intake_time(&ns, INT64_MAX / 1000 + 1, 1000));
    ck_assert(fl_intake_time(&ns, INT64_MAX / 1000, 1000));
}
END_TEST

static Suite *labels_suite(void)
{
    Suite *suite = suite_create("intake/labels");
    TCase *tests = tcase_create("labels");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, the_first_name_of_each_place_says_who_it_is, 0,
                        sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(tests, a_label_is_found_and_taken_by_its_name);
    tcase_add_test(tests, labels_over_the_limit_are_counted_and_left_out);
    tcase_add_test(tests, refusals_count_lines_in_any_order);
    tcase_add_test(tests, strict_turns_a_refusal_into_a_failure);
    tcase_add_test(tests, times_lie_between_1970_and_2262);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(labels_suite)
