/*
 * Pyroscope's uploads: a recorded query and profile, forms, what is refused.
 */
#include "pyroscope.h"

#include "received.h"

static fl_error err;
static fl_arena arena;
static fl_pyroscope_upload upload;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(1 << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
}

/* As @pyroscope/nodejs 0.6.4 sent it. */
static const char recorded[] = "format=pprof&from=1795381633&name=checkout%7Botel.scope.name%3Dcom."
                               "grafana.pyroscope%2Fnodejs%2C"
                               "otel.scope.version%3D0.6.4%2Cprocess.runtime.name%3Dnodejs%"
                               "2Cprocess.runtime.version%3D20.20.2%"
                               "2Cregion%3Deu%7D&spyName=nodespy&until=1795381635";

START_TEST(a_recorded_query_is_read)
{
    ck_assert_ok(fl_pyroscope_query(&upload, SLICE(recorded), &arena, &err));
    ck_assert(fl_slice_equal(upload.app, SLICE("checkout")));
    ck_assert_uint_eq(upload.labels.count, 5);
    ck_assert(fl_slice_equal(fl_labels_find(&upload.labels, SLICE("region")), SLICE("eu")));
    ck_assert(fl_slice_equal(fl_labels_find(&upload.labels, SLICE("otel.scope.name")),
                             SLICE("com.grafana.pyroscope/nodejs")));
    ck_assert_int_eq(upload.from_ns, INT64_C(1795381633000000000));
    ck_assert_int_eq(upload.until_ns, INT64_C(1795381635000000000));
    ck_assert(fl_slice_equal(upload.spy, SLICE("nodespy")));
}
END_TEST

/* clang-format off */
static const struct {
    const char *query, *app;
    size_t labels;
} good[] = {
    {"name=a", "a", 0},
    {"name=a%7B%7D", "a", 0},
    {"name=a{}&x=y&&z", "a", 0},
    {"name=my+app{k=v,+k2+=+v2+}&units=bytes&aggregationType=sum&sampleRate=100", "my app", 2},
    {"from=1700000000123&name=a{k=}&format=pprof", "a", 0},
};

static const struct {
    const char *query;
    fl_status status;
    uint64_t offset;
    const char *message;
} bad[] = {
    {"", FL_E_SYNTAX, 0, "the query has no 'name'"},
    {"from=1", FL_E_SYNTAX, 5, "'from' is not an epoch"},
    {"name=a&until=now", FL_E_SYNTAX, 13, "'until' is not an epoch"},
    {"name=a&from=1700000001&until=1700000000", FL_E_SYNTAX, 0, "'until' is before 'from'"},
    {"name=", FL_E_SYNTAX, 0, "'name' is empty"},
    {"name={a=b}", FL_E_SYNTAX, 5, "'name' is empty"},
    {"name=a{b=c", FL_E_SYNTAX, 5, "the labels of 'name' do not end with '}'"},
    {"name=a{", FL_E_SYNTAX, 5, "the labels of 'name' do not end with '}'"},
    {"name=a%7", FL_E_SYNTAX, 6, "a '%' without two hexadecimal digits"},
    {"name=a%zz", FL_E_SYNTAX, 6, "a '%' without two hexadecimal digits"},
    {"name=%ff", FL_E_SYNTAX, 5, "a value of the query is not UTF-8"},
    {"name=a&sampleRate=fast", FL_E_SYNTAX, 18, "'sampleRate' is not a number"},
    {"name=a&format=jfr", FL_E_UNSUPPORTED, 14, "format 'jfr' is not read, pprof is"},
};

#define FORM(parts) parts "--b--\r\n"
#define PART(name, bytes) "--b\r\nContent-Disposition: form-data; name=\"" name "\"; filename=\"x\"\r\nContent-Type: application/octet-stream\r\n\r\n" bytes "\r\n"

static const struct {
    const char *type, *body;
    fl_status status;
    uint64_t offset;
    const char *message; /* or the profile */
} forms[] = {
    {"application/octet-stream", "bytes", FL_OK, 0, "bytes"},
    {"", "bytes", FL_OK, 0, "bytes"},
    {"multipart/form-data; boundary=b", FORM(PART("profile", "bytes")), FL_OK, 0, "bytes"},
    {"multipart/form-data; boundary=\"b\"; x=y", FORM(PART("sample_type_config", "{}") PART("profile", "by\r\ntes")), FL_OK, 0, "by\r\ntes"},
    {"multipart/form-data; boundary=b", FORM(PART("profile", "")), FL_OK, 0, ""},
    {"multipart/form-data", "bytes", FL_E_SYNTAX, 0, "a form whose boundary is not 1 to 70 bytes"},
    {"multipart/form-data; boundary=", "bytes", FL_E_SYNTAX, 0, "a form whose boundary is not 1 to 70 bytes"},
    {"multipart/form-data; boundary=b", "bytes", FL_E_SYNTAX, 0, "a form that does not begin with its boundary"},
    {"multipart/form-data; boundary=b", FORM(PART("other", "x")), FL_E_SYNTAX, 113, "a form without a part 'profile'"},
    {"multipart/form-data; boundary=b", "--b\r\n", FL_E_TRUNCATED, 5, "a form ends inside the part at byte 3"},
    {"multipart/form-data; boundary=b", "--b\r\nname=\"profile\"\r\n\r\nbytes", FL_E_TRUNCATED, 28, "a form ends inside the part at byte 3"},
};
/* clang-format on */

START_TEST(each_query_is_read)
{
    ck_assert_ok(fl_pyroscope_query(&upload, SLICE(good[_i].query), &arena, &err));
    ck_assert(fl_slice_equal(upload.app, SLICE(good[_i].app)));
    ck_assert_uint_eq(upload.labels.count, good[_i].labels);
}
END_TEST

START_TEST(what_is_wrong_is_named_with_its_place)
{
    ck_assert_fails(bad[_i].status,
                    fl_pyroscope_query(&upload, SLICE(bad[_i].query), &arena, &err));
    ck_assert_str_eq(err.message, bad[_i].message);
    ck_assert_uint_eq(err.offset, bad[_i].offset);
}
END_TEST

START_TEST(a_profile_is_the_body_or_a_part_of_a_form)
{
    fl_slice profile;
    ck_assert_fails(forms[_i].status, fl_pyroscope_profile(&profile, SLICE(forms[_i].type),
                                                           SLICE(forms[_i].body), &err));
    if (forms[_i].status == FL_OK) {
        ck_assert(fl_slice_equal(profile, SLICE(forms[_i].message)));
        return;
    }
    ck_assert_str_eq(err.message, forms[_i].message);
    ck_assert_uint_eq(err.offset, forms[_i].offset);
}
END_TEST

START_TEST(decoded_parameters_tell_the_same)
{
    memset(&upload, 0, sizeof(upload));
    ck_assert_ok(fl_pyroscope_parameter(&upload, SLICE("until"), SLICE("1795381635"), &err));
    ck_assert_fails(FL_E_SYNTAX, fl_pyroscope_check(&upload, &err));
    ck_assert_str_eq(err.message, "the query has no 'name'");
    err = (fl_error){0};
    ck_assert_ok(fl_pyroscope_parameter(&upload, SLICE("name"), SLICE("a{k=v}"), &err));
    ck_assert_ok(fl_pyroscope_parameter(&upload, SLICE("from"), SLICE("1795381633"), &err));
    ck_assert_ok(fl_pyroscope_check(&upload, &err));
    ck_assert(fl_slice_equal(upload.app, SLICE("a")));
    ck_assert(fl_slice_equal(fl_labels_find(&upload.labels, SLICE("k")), SLICE("v")));
    ck_assert_fails(FL_E_UNSUPPORTED,
                    fl_pyroscope_parameter(&upload, SLICE("format"), SLICE("jfr"), &err));
}
END_TEST

START_TEST(every_prefix_fails_cleanly)
{
    const char *form = FORM(PART("other", "x") PART("profile", "bytes"));
    size_t good_from = strlen(form) - strlen("--\r\n");
    for (size_t len = 0; len < strlen(form); len++) {
        fl_bytes part = received_exact(SLICE(form), len);
        fl_slice profile;
        fl_status status = fl_pyroscope_profile(&profile, SLICE("multipart/form-data; boundary=b"),
                                                fl_bytes_slice(part), NULL);
        ck_assert_int_eq(status == FL_OK, len >= good_from);
        free(part.ptr);
    }
    for (size_t len = 0; len < strlen(recorded); len++) {
        fl_bytes part = received_exact(SLICE(recorded), len);
        fl_status status = fl_pyroscope_query(&upload, fl_bytes_slice(part), &arena, NULL);
        ck_assert(status == FL_OK || status == FL_E_SYNTAX || status == FL_E_UNSUPPORTED);
        fl_arena_reset(&arena);
        free(part.ptr);
    }
}
END_TEST

START_TEST(want_of_memory_is_an_error_like_any_other)
{
    fl_mem_fail_after(0);
    ck_assert_fails(FL_E_NOMEM, fl_pyroscope_query(&upload, SLICE("name=a"), &arena, &err));
}
END_TEST

static Suite *pyroscope_suite(void)
{
    Suite *suite = suite_create("pyroscope");
    TCase *cases = tcase_create("pyroscope");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_recorded_query_is_read);
    tcase_add_loop_test(cases, each_query_is_read, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(cases, what_is_wrong_is_named_with_its_place, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_loop_test(cases, a_profile_is_the_body_or_a_part_of_a_form, 0,
                        sizeof(forms) / sizeof(forms[0]));
    tcase_add_test(cases, decoded_parameters_tell_the_same);
    tcase_add_test(cases, every_prefix_fails_cleanly);
    tcase_add_test(cases, want_of_memory_is_an_error_like_any_other);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(pyroscope_suite)
