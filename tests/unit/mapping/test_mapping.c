#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fl_file.h"
#include "fl_test.h"
#include "mapping.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static fl_mapping *mapping;
static fl_buf page;

static void setup(void)
{
    err = (fl_error){0};
    mapping = NULL;
    page = fl_buf_of(1 << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_mapping_destroy(mapping);
    mapping = NULL;
    fl_buf_dispose(&page);
}

static fl_status read_text(fl_slice text)
{
    fl_stream *in = NULL;
    fl_status status = fl_stream_over(&in, text, "mapping", &err);
    if (status == FL_OK)
        status = fl_mapping_read(mapping, in, &err);
    fl_stream_close(in);
    return status;
}

/* A mapping of which one class is wanted. */
static fl_status read_for(const char *text, const char *class_name, const char *descriptor)
{
    fl_mapping_destroy(mapping);
    mapping = NULL;
    fl_status status = fl_mapping_create(&mapping, &err);
    if (status == FL_OK)
        status = fl_mapping_want(mapping, fl_slice_of(class_name), fl_slice_of(descriptor), &err);
    return status == FL_OK ? read_text(fl_slice_of(text)) : status;
}

/* Each line of the text: asked for, or written. */
static fl_status each_line(fl_slice text, bool is_writing)
{
    fl_status status = FL_OK;
    while (text.len > 0 && status == FL_OK) {
        size_t end = fl_slice_find(text, FL_SLICE("\n"));
        fl_slice line = fl_slice_part(text, 0, end);
        if (is_writing) {
            fl_mapping_write_line(&page, mapping, line);
            fl_buf_char(&page, '\n');
        } else
            status = fl_mapping_want_line(mapping, line, &err);
        text = fl_slice_part(text, end + (end < text.len), text.len);
    }
    return status;
}

static fl_status retrace(fl_slice map, fl_slice stack)
{
    fl_status status = fl_mapping_create(&mapping, &err);
    if (status == FL_OK)
        status = each_line(stack, false);
    if (status == FL_OK)
        status = read_text(map);
    if (status == FL_OK)
        status = each_line(stack, true);
    return status == FL_OK ? fl_buf_check(&page, "the page", &err) : status;
}

/* "org.A.f(int):3|org.A.g():9", alternatives behind "or ". */
static const char *ask(const char *class_name, const char *method, const char *descriptor,
                       uint32_t line)
{
    static char text[1024];
    fl_mapping_frame found[FL_MAPPING_MAX_FRAMES];
    const fl_mapping_query query = {.class_name = fl_slice_of(class_name),
                                    .method = fl_slice_of(method),
                                    .descriptor = fl_slice_of(descriptor),
                                    .line = line};
    size_t count = fl_mapping_find(mapping, &query, found), at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const char *between = i == 0                                             ? ""
                              : found[i].alternative == found[i - 1].alternative ? "|"
                                                                                 : " or ";
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%.*s.%.*s(%.*s):%u", between,
                               FL_SLICE_ARG(found[i].class_name), FL_SLICE_ARG(found[i].method),
                               FL_SLICE_ARG(found[i].arguments), (unsigned)found[i].line);
    }
    return text;
}

START_TEST(traces_read_as_the_makers_of_the_files_read_them)
{
    static const char *const names[] = {"proguard", "r8"};
    char path[256];
    fl_bytes files[3];
    fl_slice texts[3];
    static const char *const ends[] = {"txt", "stack", "expected"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "tests/fixtures/mapping/%s.%s", names[_i], ends[i]);
        files[i] = fl_file_read(path);
        texts[i] = (fl_slice){.ptr = files[i].ptr, .len = files[i].len};
    }
    ck_assert_ok(retrace(texts[0], texts[1]));
    fl_buf_char(&page, '\0');
    ck_assert_uint_eq(page.len - 1, texts[2].len);
    ck_assert_mem_eq(page.ptr, texts[2].ptr, texts[2].len);
    for (size_t i = 0; i < 3; i++)
        free(files[i].ptr);
}
END_TEST

static const char text[] = "# a comment\n"
                           "org.Other -> z:\n"
                           "    1:2:void f() -> a\n"
                           "org.A -> a:\n"
                           "# {\"id\":\"sourceFile\",\"fileName\":\"A.kt\"}\n"
                           "    int count -> a\n"
                           "    1:3:void f(int,org.B[]):10:12 -> a\n"
                           "    4:4:int org.C.inner():77:77 -> a\n"
                           "    4:4:void f(int,org.B[]):13 -> a\n"
                           "    5:9:long g() -> a\n"
                           "    void h(java.lang.String) -> a\n"
                           "    6:6:void one():5:5 -> b\n"
                           "    6:6:void two():8:8 -> b\n"
                           "    7:7:void real():3:3 -> c\n"
                           "      # {\"id\":\"com.android.tools.r8.synthesized\"}\n"
                           "    7:7:void outer():4 -> c\n"
                           "    1:1:void changed(java.lang.Object):2:2 -> d\n"
                           "      # {\"id\":\"com.android.tools.r8.residualsignature\","
                           "\"signature\":\"(Lb;)V\"}\n"
                           "    1:1:void second(org.B):2:2 -> d\n"
                           "    0:65535:void whole():20:30 -> e\n"
                           "org.B -> b:\n";

static const struct {
    const char *method, *descriptor;
    uint32_t line;
    const char *expected;
} questions[] = {
    {"a", "", 2, "org.A.f(int,org.B[]):11"},
    {"a", "", 4, "org.C.inner():77|org.A.f(int,org.B[]):13"},
    {"a", "", 7, "org.A.g():7"},
    {"a", "", 50, "org.A.h(java.lang.String):50"},
    {"a", "", 0, "org.A.f(int,org.B[]):0 or org.A.g():0 or org.A.h(java.lang.String):0"},
    {"a", "(I[Lb;)V", 0, "org.A.f(int,org.B[]):0"},
    {"a", "()J", 0, "org.A.g():0"},
    {"a", "(Ljava/lang/String;)V", 0, "org.A.h(java.lang.String):0"},
    {"a", "(I[[Lb;)V", 2, "org.A.f(int,org.B[]):11"}, /* none has it: the line decides */
    {"b", "", 6, "org.A.one():5 or org.A.two():8"},
    {"c", "", 7, "org.A.outer():4"},
    {"d", "(Lb;)V", 0, "org.A.changed(java.lang.Object):0 or org.A.second(org.B):0"},
    {"d", "(Ljava/lang/Object;)V", 0, "org.A.changed(java.lang.Object):0 or org.A.second(org.B):0"},
    {"e", "", 25, "org.A.whole():30"},
    {"nothing", "", 1, ""},
};

START_TEST(a_line_or_a_descriptor_chooses_among_methods_of_one_short_name)
{
    ck_assert_ok(read_for(text, "a", "(Lb;)V"));
    ck_assert_str_eq(ask("a", questions[_i].method, questions[_i].descriptor, questions[_i].line),
                     questions[_i].expected);
}
END_TEST

START_TEST(only_what_is_wanted_is_kept)
{
    ck_assert_ok(read_for(text, "a", ""));
    ck_assert_str_eq(ask("z", "a", "", 1), "");
    ck_assert_uint_eq(fl_mapping_class(mapping, FL_SLICE("b")).len, 0);
    ck_assert(fl_slice_equal(fl_mapping_class(mapping, FL_SLICE("a")), FL_SLICE("org.A")));
}
END_TEST

static const struct {
    const char *line, *expected;
} lines[] = {
    {"\tat a.a(SourceFile:4)", "\tat org.C.inner(C.java:77)\n\tat org.A.f(A.kt:13)"},
    {"ERR at app//a.a(Unknown Source:7) ~[x.jar:?]", "ERR at app//org.A.g(A.kt:7) ~[x.jar:?]"},
    {"  at a.b(:6)", "  at org.A.one(A.kt:5)\n  <or> at org.A.two(A.kt:8)"},
    {"  at a.unknown(A:1)", "  at org.A.unknown(A:1)"},
    {"  at x.y.z(A:1)", "  at x.y.z(A:1)"},
    {"a: gone", "org.A: gone"},
    {"Caused by: a", "Caused by: org.A"},
    {"Exception in thread \"main\" a: b: c", "Exception in thread \"main\" org.A: b: c"},
    {"\tSuppressed: a: b", "\tSuppressed: org.A: b"},
    {"a word", "a word"},
    {"look at a (b)", "look at a (b)"},
    {"at a.a(", "at a.a("},
    {"at .a()", "at .a()"},
    {"at a.()", "at a.()"},
    {"", ""},
};

START_TEST(a_line_keeps_everything_but_its_names)
{
    ck_assert_ok(read_for(text, "a", ""));
    fl_mapping_write_line(&page, mapping, fl_slice_of(lines[_i].line));
    ck_assert_str_eq(page.ptr != NULL ? page.ptr : "", lines[_i].expected);
}
END_TEST

/* Odd lines of a wanted class are passed over and counted; the class goes on. */
static const char *const odd[] = {
    "    void f(\n",
    "    void f() ->\n",
    "    void f() -> \n",
    "    1:void:f() -> a\n",
    "    2:1:void f() -> a\n",
    "    1:2:void f():x -> a\n",
    "    1:2:void f():1:2:3 -> a\n",
    "    1:2:void f()9 -> a\n",
    "    1:2: f() -> a\n",
    "    1:2:void () -> a\n",
    "    1:2:void org.() -> a\n",
    "    1:2:void f)( -> a\n",
    "    99999999999:1:void f() -> a\n",
    "org.X -> :\n",
    " -> y:\n",
    "org.X\n",
};

START_TEST(an_odd_line_is_counted_and_costs_itself_only)
{
    char whole[256];
    uint64_t first = 0;
    snprintf(whole, sizeof(whole), "org.A -> a:\n%s%s", odd[_i],
             odd[_i][0] == ' ' && odd[_i][1] == ' ' ? "    void kept() -> b\n" : "");
    ck_assert_ok(read_for(whole, "a", ""));
    ck_assert_uint_eq(fl_mapping_bad_lines(mapping, &first), 1);
    ck_assert_uint_eq(first, 2);
    ck_assert_str_eq(ask("a", "b", "", 0),
                     whole[12] == ' ' && whole[13] == ' ' ? "org.A.kept():0" : "");
}
END_TEST

START_TEST(what_is_no_mapping_is_refused)
{
    static const char *const none[] = {"", "hello\n", "# only a comment\n", "{\"version\":3}\n",
                                       "    1:2:void f() -> a\n"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        err = (fl_error){0};
        ck_assert_int_eq(read_for(none[i], "a", ""), FL_E_UNSUPPORTED);
        ck_assert_str_eq(err.message, "no mapping file of ProGuard or R8");
    }
}
END_TEST

START_TEST(every_prefix_is_read_as_far_as_it_goes)
{
    char part[sizeof(text)];
    for (size_t len = 0; len < sizeof(text); len++) {
        snprintf(part, sizeof(part), "%.*s", (int)len, text);
        err = (fl_error){0};
        fl_status status = read_for(part, "a", "(Lb;)V");
        ck_assert(status == FL_OK || status == FL_E_UNSUPPORTED);
        if (status == FL_OK)
            (void)ask("a", "a", "", 4);
    }
}
END_TEST

START_TEST(running_out_of_memory_is_an_error_like_any_other)
{
    static const char stack[] = "\tat a.a(SourceFile:4)\n\tat z.a(SourceFile:1)\n";
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK && n < 200; n++) {
        teardown();
        setup();
        fl_mem_fail_after(n);
        status = retrace(fl_slice_of(text), fl_slice_of(stack));
        fl_mem_fail_after(-1);
        if (status != FL_OK) {
            ck_assert_int_eq(status, FL_E_NOMEM);
            ck_assert(strstr(err.message, "memory") != NULL);
        }
    }
    ck_assert_ok(status);
}
END_TEST

START_TEST(what_is_longer_than_a_class_can_be_is_no_class)
{
    static unsigned char line[UINT16_MAX + 1];
    memset(line, 'a', sizeof(line));
    ck_assert_ok(fl_mapping_create(&mapping, &err));
    fl_mem_fail_after(0);
    ck_assert_ok(fl_mapping_want_line(mapping, (fl_slice){.ptr = line, .len = sizeof(line)}, &err));
    ck_assert_fails(FL_E_NOMEM, fl_mapping_want_line(mapping, SLICE("a.b: c"), &err));
}
END_TEST

/* A minified script, say: one line, and words in it that begin no frame. */
START_TEST(a_line_of_any_length_is_searched_once)
{
    enum { WORDS = 1 << 20 };
    static const char frame[] = "at x) at app//m@1 at l/a.b.c(X:1) at";
    static unsigned char line[3 * WORDS + sizeof(frame)];
    for (size_t i = 0; i < WORDS; i++)
        memcpy(line + 3 * i, "at ", 3);
    memcpy(line + 3 * (size_t)WORDS, frame, sizeof(frame) - 1);
    ck_assert(!fl_mapping_is_frame((fl_slice){.ptr = line, .len = 3 * (size_t)WORDS}));
    ck_assert(fl_mapping_is_frame((fl_slice){.ptr = line, .len = sizeof(line) - 1}));
    ck_assert(!fl_mapping_is_frame(SLICE("at ) at q (x)")));
    ck_assert(fl_mapping_is_frame(SLICE("at b/c/q (x at y.z(P.java:3)")));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("mapping");
    TCase *tc = tcase_create("core");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, traces_read_as_the_makers_of_the_files_read_them, 0, 2);
    tcase_add_loop_test(tc, a_line_or_a_descriptor_chooses_among_methods_of_one_short_name, 0,
                        sizeof(questions) / sizeof(questions[0]));
    tcase_add_test(tc, only_what_is_wanted_is_kept);
    tcase_add_loop_test(tc, a_line_keeps_everything_but_its_names, 0,
                        sizeof(lines) / sizeof(lines[0]));
    tcase_add_loop_test(tc, an_odd_line_is_counted_and_costs_itself_only, 0,
                        sizeof(odd) / sizeof(odd[0]));
    tcase_add_test(tc, what_is_no_mapping_is_refused);
    tcase_add_test(tc, every_prefix_is_read_as_far_as_it_goes);
    tcase_add_test(tc, running_out_of_memory_is_an_error_like_any_other);
    tcase_add_test(tc, what_is_longer_than_a_class_can_be_is_no_class);
    tcase_add_test(tc, a_line_of_any_length_is_searched_once);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
