#include "location.h"

#include "fl_test.h"

static const struct {
    const char *url, *shown;
} cases[] = {
    {"", ""},
    {"/var/lib/faultline.db", "/var/lib/faultline.db"},
    {"sqlite:a:b@c.db", "sqlite:a:b@c.db"},
    {"postgresql://", "postgresql://"},
    {"postgresql://ada@db/faultline", "postgresql://ada@db/faultline"},
    {"postgresql://db:5432/faultline", "postgresql://db:5432/faultline"},
    {"postgresql://ada:s3cret@db:5432/faultline", "postgresql://ada:***@db:5432/faultline"},
    {"postgresql://ada:p@ss:word@db/x?sslmode=require",
     "postgresql://ada:***@db/x?sslmode=require"},
    {"postgresql:///x?user=ada&password=s3cret&sslmode=require",
     "postgresql:///x?user=ada&password=***&sslmode=require"},
    {"postgresql://ada:one@db/x?password=two", "postgresql://ada:***@db/x?password=***"},
    {"postgresql://ada:@db/x", "postgresql://ada:@db/x"},
    {"postgresql:///x?password=", "postgresql:///x?password="},
};

START_TEST(a_password_in_a_url_is_never_shown)
{
    char shown[FL_LOCATION_BYTES];
    fl_location_show(shown, cases[_i].url);
    ck_assert_str_eq(shown, cases[_i].shown);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("location");
    TCase *tc = tcase_create("location");
    tcase_add_loop_test(tc, a_password_in_a_url_is_never_shown, 0,
                        (int)(sizeof(cases) / sizeof(cases[0])));
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
