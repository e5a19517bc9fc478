#include "fl_squeeze.h"
#include "mem.h"
#include "pprof.h"
#include "profile_made.h"
#include "slice.h"

static fl_profile *profile;
static fl_buf text;
static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
    text = fl_buf_of(16 << 20);
    ck_assert_ok(fl_profile_create(&profile, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_profile_destroy(profile);
    fl_buf_dispose(&text);
}

static fl_status read_made(const made *message)
{
    err = (fl_error){0};
    return fl_profile_read_bytes(profile, made_slice(message), "in", NULL, &err);
}

static const char *dump(void)
{
    fl_buf_clear(&text);
    profile_dump(&text, profile);
    ck_assert_int_eq(text.status, FL_OK);
    return text.ptr;
}

static const char whole[] = "heap period 524288 time 1700000000000000000 duration 5000000000\n"
                            "type inuse_objects/count\n"
                            "type inuse_space/bytes default\n"
                            "mapping 0x1000-0x2000 /bin/app 0badcafe\n"
                            "comment red\n"
                            "sample 2 128 bytes=64\n"
                            "  0x1234 pkg.inner /src/f.go:11 from 10 inlined\n"
                            "  0x1234 pkg.outer /src/f.go:22 from 20\n"
                            "  0x1400 main.main /src/f.go:33 from 30\n"
                            "sample 1 4096 kind=red\n"
                            "  0x1400 main.main /src/f.go:33 from 30\n";

START_TEST(inlined_calls_are_frames_and_numbers_come_packed_or_one_by_one)
{
    made message = made_profile();
    ck_assert_ok(read_made(&message));
    ck_assert_str_eq(dump(), whole);
    ck_assert_uint_eq(profile->input_bytes, message.len);
}
END_TEST

START_TEST(messages_come_in_any_order)
{
    made message = {.len = 0};
    made_number(&message, 13, S_RED);
    made_number(&message, 12, 524288);
    made_strings(&message);
    made_tables(&message);
    made_types(&message);
    made_samples(&message);
    MADE_FIELDS(&message, 11, {1, S_SPACE}, {2, S_BYTES});
    made_number(&message, 10, 5000000000);
    made_number(&message, 9, UINT64_C(1700000000000000000));
    ck_assert_ok(read_made(&message));
    ck_assert_str_eq(dump(), whole);
}
END_TEST

START_TEST(samples_without_the_value_that_counts_are_left_out)
{
    static const struct {
        const char *type;
        size_t kept;
    } rows[] = {{NULL, 3}, {"inuse_space", 3}, {"inuse_objects", 2}, {"no such type", 4}};
    made message = made_profile();
    for (uint64_t i = 0; i < 2; i++) {
        made sample = {.len = 0}, label = {.len = 0};
        made_number(&sample, 1, 7);
        made_number(&sample, 2, 0);
        made_number(&sample, 2, i);
        made_number(&label, 1, S_KIND);
        made_number(&label, 2, S_MAIN);
        made_message(&sample, 3, &label);
        made_message(&message, 2, &sample);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fl_pprof_options options = {.skip_zero = true, .skip_type = rows[i].type};
        ck_assert_ok(fl_profile_read_bytes(profile, made_slice(&message), "in", &options, &err));
        ck_assert_uint_eq(profile->sample_count, rows[i].kept);
        dump();
        ck_assert(strncmp(text.ptr, whole, sizeof(whole) - 1) == 0);
    }
    fl_pprof_options options = {.skip_zero = true};
    made bad = {.len = 0};
    made_number(&bad, 1, 8);
    made_bytes(&bad, 2, "\0\0", 2);
    made_message(&message, 2, &bad);
    err = (fl_error){0};
    ck_assert_fails(FL_E_SYNTAX,
                    fl_profile_read_bytes(profile, made_slice(&message), "in", &options, &err));
    ck_assert_str_eq(err.message, "in: sample 4 names location id 8, which is not there");
}
END_TEST

START_TEST(gzip_and_zstd_give_the_same)
{
    made message = made_profile();
    fl_bytes gz = fl_gzip(made_slice(&message)), zst = fl_zstd(made_slice(&message), 3);
    ck_assert_ok(fl_profile_read_bytes(profile, fl_bytes_slice(gz), "in", NULL, &err));
    ck_assert_str_eq(dump(), whole);
    ck_assert_ok(fl_profile_read_bytes(profile, fl_bytes_slice(zst), "in", NULL, &err));
    ck_assert_str_eq(dump(), whole);
    free(gz.ptr);
    free(zst.ptr);
}
END_TEST

START_TEST(a_second_reading_replaces_the_first)
{
    made message = made_profile(), empty = {.len = 0};
    made_text(&empty, 6, "");
    for (int i = 0; i < 3; i++) {
        ck_assert_ok(read_made(&message));
        ck_assert_str_eq(dump(), whole);
        ck_assert_ok(read_made(&empty));
        ck_assert_uint_eq(profile->sample_count, 0);
        ck_assert_uint_eq(profile->type_count, 0);
    }
}
END_TEST

START_TEST(a_location_without_lines_is_a_frame_without_a_name)
{
    made message = {.len = 0}, sample = {.len = 0};
    made_types(&message);
    made_strings(&message);
    MADE_FIELDS(&message, 4, {1, 5}, {3, 0xabc});
    made_number(&sample, 1, 5);
    made_bytes(&sample, 2, "\x01\x02", 2);
    made_message(&message, 2, &sample);
    ck_assert_ok(read_made(&message));
    ck_assert_uint_eq(profile->frame_count, 1);
    ck_assert_ptr_null(fl_profile_function_of(profile, 0));
    ck_assert_uint_eq(profile->frames[0].mapping, FL_PROFILE_NONE);
    ck_assert_uint_eq(profile->frames[0].address, 0xabc);
}
END_TEST

START_TEST(values_beyond_any_quantity_are_clamped_and_counted)
{
    made message = {.len = 0}, sample = {.len = 0};
    made_types(&message);
    made_strings(&message);
    made_number(&sample, 2, UINT64_C(1) << 63);
    made_number(&sample, 2, INT64_MAX);
    made_message(&message, 2, &sample);
    ck_assert_ok(read_made(&message));
    ck_assert_int_eq(fl_profile_value(profile, 0, 0), -(INT64_C(1) << 62));
    ck_assert_int_eq(fl_profile_value(profile, 0, 1), INT64_C(1) << 62);
    ck_assert_uint_eq(profile->clamped_values, 2);
    ck_assert_int_eq(fl_profile_add(INT64_MAX, 1), INT64_MAX);
    ck_assert_int_eq(fl_profile_add(INT64_MIN, -1), INT64_MIN);
    ck_assert_int_eq(fl_profile_add(-5, 3), -2);
}
END_TEST

START_TEST(the_shapes_of_generic_names_are_dropped_where_asked)
{
    static const struct {
        const char *name, *normal;
    } names[] = {
        {"main.(*Set[go.shape.int]).Add", "main.(*Set[...]).Add"},
        {"main.F[go.shape.struct { a [4]int; b string }].func1", "main.F[...].func1"},
        {"main.F[int].G[go.shape.*uint8_0]", "main.F[int].G[...]"},
        {"main.F[...]", "main.F[...]"},
        {"main.F[go.shape.", "main.F[...]"},
        {"main.plain", "main.plain"},
    };
    fl_pprof_options options = {.normalise_names = true};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        made message = {.len = 0};
        made_text(&message, 6, "");
        made_text(&message, 6, names[i].name);
        MADE_FIELDS(&message, 5, {1, 1}, {2, 1});
        ck_assert_ok(fl_profile_read_bytes(profile, made_slice(&message), "in", &options, &err));
        fl_slice name = profile->functions[0].name;
        ck_assert_msg(fl_slice_equal(name, SLICE(names[i].normal)), "%s gave %.*s", names[i].name,
                      (int)name.len, (const char *)name.ptr);
        ck_assert_ok(read_made(&message));
        ck_assert(fl_slice_equal(profile->functions[0].name, SLICE(names[i].name)));
    }
}
END_TEST

static fl_profile_kind kind_of_types(const char *first, const char *second, const char *fallback)
{
    made message = {.len = 0};
    made_text(&message, 6, "");
    made_text(&message, 6, first);
    made_text(&message, 6, second);
    made_text(&message, 6, fallback);
    MADE_FIELDS(&message, 1, {1, 1});
    MADE_FIELDS(&message, 1, {1, 2});
    made_number(&message, 14, 3);
    ck_assert_ok(read_made(&message));
    return profile->kind;
}

START_TEST(the_kind_is_told_by_the_types_and_the_default)
{
    ck_assert_int_eq(kind_of_types("alloc_space", "inuse_space", ""), FL_PROFILE_HEAP);
    ck_assert_uint_eq(profile->default_type, 1);
    ck_assert_int_eq(kind_of_types("alloc_space", "inuse_space", "alloc_space"), FL_PROFILE_ALLOCS);
    ck_assert_uint_eq(profile->default_type, 0);
    ck_assert_int_eq(kind_of_types("samples", "cpu", ""), FL_PROFILE_CPU);
    ck_assert_int_eq(kind_of_types("contentions", "delay", ""), FL_PROFILE_BLOCK);
    ck_assert_int_eq(kind_of_types("goroutine", "", ""), FL_PROFILE_GOROUTINE);
    ck_assert_int_eq(kind_of_types("goroutineleak", "", ""), FL_PROFILE_GOROUTINE_LEAK);
    ck_assert_int_eq(kind_of_types("threadcreate", "", ""), FL_PROFILE_THREAD_CREATE);
    ck_assert_int_eq(kind_of_types("objects", "space", ""), FL_PROFILE_HEAP);
    ck_assert_int_eq(kind_of_types("sample", "wall", ""), FL_PROFILE_WALL);
    ck_assert_int_eq(kind_of_types("parrots", "crackers", "no such"), FL_PROFILE_OTHER);
    ck_assert_uint_eq(profile->default_type, 1);
}
END_TEST

START_TEST(equal_label_sets_share_a_place)
{
    made message = {.len = 0};
    made_types(&message);
    made_strings(&message);
    for (uint64_t i = 0; i < 6; i++) {
        made sample = {.len = 0}, label = {.len = 0};
        made_bytes(&sample, 2, "\x01\x02", 2);
        made_number(&label, 1, S_BYTES);
        made_number(&label, 3, 64 + i % 2);
        made_message(&sample, 3, &label);
        made_message(&message, 2, &sample);
    }
    ck_assert_ok(read_made(&message));
    ck_assert_uint_eq(profile->label_count, 2);
    for (size_t i = 0; i < 6; i++) {
        const fl_profile_label *label = fl_profile_label_find(profile, i, SLICE("bytes"));
        ck_assert_ptr_nonnull(label);
        ck_assert_int_eq(label->number, 64 + (int64_t)i % 2);
    }
    ck_assert_ptr_null(fl_profile_label_find(profile, 0, SLICE("kind")));
}
END_TEST

/* --- damage --- */

static void add_sample(made *to, uint64_t location, size_t values)
{
    made sample = {.len = 0};
    made_number(&sample, 1, location);
    for (size_t i = 0; i < values; i++)
        made_number(&sample, 2, 1);
    made_message(to, 2, &sample);
}
static void unknown_location(made *to)
{
    add_sample(to, 8, 2);
}
static void far_location(made *to)
{
    add_sample(to, UINT64_MAX, 2);
}
static void location_zero(made *to)
{
    add_sample(to, 0, 2);
}
static void too_few_values(made *to)
{
    add_sample(to, 7, 1);
}
static void too_many_values(made *to)
{
    add_sample(to, 7, 5);
}
static void packed_cut(made *to)
{
    made sample = {.len = 0};
    made_bytes(&sample, 1, "\x07\x80", 2);
    made_message(to, 2, &sample);
}
static void values_cut(made *to)
{
    made sample = {.len = 0};
    made_bytes(&sample, 2, "\xff", 1);
    made_message(to, 2, &sample);
}
static void values_as_fixed(made *to)
{
    made_bytes(to, 2, "\x11\1\2\3\4\5\6\7\x08", 9);
}
static void label_as_number(made *to)
{
    MADE_FIELDS(to, 2, {3, 1});
}
static void label_string(made *to)
{
    made sample = {.len = 0};
    MADE_FIELDS(&sample, 3, {1, 99});
    made_message(to, 2, &sample);
}
static void id_twice(made *to)
{
    MADE_FIELDS(to, 4, {1, 300000});
}
static void id_zero(made *to)
{
    MADE_FIELDS(to, 5, {2, S_MAIN});
}
static void unknown_function(made *to)
{
    made location = {.len = 0};
    made_number(&location, 1, 9);
    MADE_FIELDS(&location, 4, {1, 3});
    made_message(to, 4, &location);
}
static void unknown_mapping(made *to)
{
    MADE_FIELDS(to, 4, {1, 9}, {2, 2});
}
static void function_name(made *to)
{
    MADE_FIELDS(to, 5, {1, 3}, {2, 13});
}
static void type_name(made *to)
{
    MADE_FIELDS(to, 1, {1, 1000});
}
static void comment_string(made *to)
{
    made_number(to, 13, 50);
}
static void default_string(made *to)
{
    made_number(to, 14, 50);
}
static void string_as_number(made *to)
{
    made_number(to, 6, 1);
}
static void runs_past(made *to)
{
    made_varint(to, 4 << 3 | 2u);
    made_varint(to, 100);
}
static void group(made *to)
{
    made_varint(to, 1 << 3 | 3u);
}

static const struct {
    void (*damage)(made *to);
    fl_status status;
    size_t behind; /* of the offset, behind the good part */
    const char *message;
} damages[] = {
    {unknown_location, FL_E_SYNTAX, 2, "in: sample 2 names location id 8, which is not there"},
    {far_location, FL_E_SYNTAX, 2,
     "in: sample 2 names location id 18446744073709551615, which is not there"},
    {location_zero, FL_E_SYNTAX, 2, "in: sample 2 names location id 0, which is not there"},
    {too_few_values, FL_E_SYNTAX, 2, "in: sample 2 has 1 values for 2 sample types"},
    {too_many_values, FL_E_SYNTAX, 2, "in: sample 2 has 5 values for 2 sample types"},
    {packed_cut, FL_E_SYNTAX, 5, "in: sample 2: its packed location ids end inside a number"},
    {values_cut, FL_E_SYNTAX, 4, "in: sample 2: its packed values end inside a number"},
    {values_as_fixed, FL_E_SYNTAX, 2,
     "in: sample: expected a varint in field 2, found 8 fixed bytes"},
    {label_as_number, FL_E_SYNTAX, 2,
     "in: sample: expected a length and bytes in field 3, found a varint"},
    {label_string, FL_E_SYNTAX, 4, "in: string 99 of 13 strings"},
    {id_twice, FL_E_SYNTAX, 2, "in: location id 300000 is given twice"},
    {id_zero, FL_E_SYNTAX, 2, "in: a function has the reserved id 0"},
    {unknown_function, FL_E_SYNTAX, 6, "in: a line names function id 3, which is not there"},
    {unknown_mapping, FL_E_SYNTAX, 2, "in: location id 9 names mapping id 2, which is not there"},
    {function_name, FL_E_SYNTAX, 2, "in: string 13 of 13 strings"},
    {type_name, FL_E_SYNTAX, 2, "in: string 1000 of 13 strings"},
    {comment_string, FL_E_SYNTAX, 0, "in: string 50 of 13 strings"},
    {default_string, FL_E_SYNTAX, SIZE_MAX, "in: string 50 of 13 strings"},
    {string_as_number, FL_E_SYNTAX, 0,
     "in: profile: expected a length and bytes in field 6, found a varint"},
    {runs_past, FL_E_TRUNCATED, 1, "in: profile: field 4 of 100 bytes runs past the end"},
    {group, FL_E_UNSUPPORTED, 0, "in: profile: field 1 is a group, which is not read here"},
};

START_TEST(damage_is_refused_with_its_place)
{
    made good = made_profile(), message = good;
    damages[_i].damage(&message);
    fl_status status = read_made(&message);
    ck_assert_str_eq(err.message, damages[_i].message);
    ck_assert_str_eq(fl_status_name(status), fl_status_name(damages[_i].status));
    uint64_t offset = damages[_i].behind == SIZE_MAX ? FL_NO_OFFSET : good.len + damages[_i].behind;
    ck_assert_uint_eq(err.offset, offset);
    ck_assert_uint_eq(profile->sample_count, 0);
}
END_TEST

START_TEST(the_first_string_is_empty)
{
    made message = {.len = 0};
    made_text(&message, 6, "x");
    ck_assert_fails(FL_E_SYNTAX, read_made(&message));
    ck_assert_str_eq(err.message, "in: the first string is not empty");
}
END_TEST

START_TEST(samples_without_types_are_refused)
{
    made message = {.len = 0};
    made_samples(&message);
    made_strings(&message);
    ck_assert_fails(FL_E_SYNTAX, read_made(&message));
    ck_assert_str_eq(err.message, "in: it has 2 samples, but no sample type");
}
END_TEST

static const struct {
    fl_slice bytes;
    const char *message;
} others[] = {
    {BYTES_INIT(""), "in: this is an empty file, not a profile"},
    {BYTES_INIT("<!DOCTYPE html>\n<html><body>Sign in"),
     "in: this is a web page (text/html), not a profile"},
    {BYTES_INIT("\n  <HTML lang=en>"), "in: this is a web page (text/html), not a profile"},
    {BYTES_INIT("<?xml version=\"1.0\"?><Error/>"), "in: this is an XML document, not a profile"},
    {BYTES_INIT("{\"error\":\"unauthorized\"}"), "in: this is a JSON document, not a profile"},
    {BYTES_INIT("404 page not found\n"),
     "in: this is text (\"404 page not found\"), not a profile"},
    {BYTES_INIT("go 1.26 trace\0\0\0\1"), "in: this is a Go execution trace, not a profile"},
    {BYTES_INIT("JAVA PROFILE 1.0.2\0\0"), "in: this is a Java heap dump, not a profile"},
    {BYTES_INIT("FLR\0\0\2\0\1"), "in: this is a Java Flight Recorder file, not a profile"},
    {BYTES_INIT("\x7f"
                "ELF\2\1\1"),
     "in: this is a program, not a profile"},
    {BYTES_INIT("HTTP/1.1 200 OK\r\n\r\n"),
     "in: this is an HTTP response with its headers, not a profile"},
    {BYTES_INIT("\xff\xfe"), "in: this is not a profile"},
};

START_TEST(what_is_no_profile_is_called_by_its_name)
{
    err = (fl_error){0};
    ck_assert_fails(FL_E_UNSUPPORTED,
                    fl_profile_read_bytes(profile, others[_i].bytes, "in", NULL, &err));
    ck_assert_str_eq(err.message, others[_i].message);
}
END_TEST

START_TEST(every_prefix_is_read_or_refused)
{
    made message = made_profile();
    size_t good = 0;
    for (size_t len = 0; len < message.len; len++) {
        err = (fl_error){0};
        fl_slice prefix = {message.bytes, len};
        fl_status status = fl_profile_read_bytes(profile, prefix, "in", NULL, &err);
        good += status == FL_OK;
        ck_assert(status == FL_OK || (err.message[0] != '\0' && profile->sample_count == 0));
    }
    ck_assert_uint_lt(good, 12); /* the ends of the numbers behind the tables */
}
END_TEST

START_TEST(no_flipped_bit_does_harm)
{
    made good = made_profile();
    for (size_t bit = 0; bit < good.len * 8; bit++) {
        made message = good;
        message.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        if (read_made(&message) == FL_OK)
            dump();
    }
}
END_TEST

START_TEST(what_is_left_out_is_checked_all_the_same)
{
    made good = made_profile();
    for (uint64_t i = 0; i < 4; i++) { /* in the form that is passed over quickly */
        made sample = {.len = 0};
        made_bytes(&sample, 1, "\x07\xe0\xa7\x12", 4);
        made_bytes(&sample, 2, "\x05\x00", 2);
        MADE_FIELDS(&sample, 3, {1, S_BYTES}, {3, 64});
        made_message(&good, 2, &sample);
    }
    fl_pprof_options options = {.skip_zero = true};
    for (size_t bit = 0; bit < good.len * 8; bit++) {
        made message = good;
        message.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        fl_status status = read_made(&message);
        fl_error skipping = {0};
        fl_status same =
            fl_profile_read_bytes(profile, made_slice(&message), "in", &options, &skipping);
        ck_assert_int_eq(status, same);
        ck_assert_str_eq(err.message, skipping.message);
    }
}
END_TEST

START_TEST(a_location_of_many_lines_in_many_samples_ends_at_the_budget)
{
    enum { LINES = 4000, STACK = 40000, BYTES = LINES * 4 + STACK + 100 };
    unsigned char *bytes = malloc(BYTES + 3 * (STACK + 16));
    size_t len = 0;
    ck_assert_ptr_nonnull(bytes);
    made head = {.len = 0};
    MADE_FIELDS(&head, 1, {1, 0});
    made_text(&head, 6, "");
    MADE_FIELDS(&head, 5, {1, 1});
    made_varint(&head, 4 << 3 | 2u);
    made_varint(&head, LINES * 4 + 2);
    made_number(&head, 1, 1);
    memcpy(bytes, head.bytes, head.len);
    len = head.len;
    for (size_t i = 0; i < LINES; i++, len += 4)
        memcpy(bytes + len, "\x22\x02\x08\x01", 4);
    head.len = 0;
    made_varint(&head, 2 << 3 | 2u);
    made_varint(&head, STACK + 4);
    made_varint(&head, 1 << 3 | 2u);
    made_varint(&head, STACK);
    memcpy(bytes + len, head.bytes, head.len);
    len += head.len;
    memset(bytes + len, 1, STACK);
    len += STACK;
    fl_status status = fl_profile_read_bytes(profile, (fl_slice){bytes, len}, "in", NULL, &err);
    ck_assert_str_eq(fl_status_name(status), "limit");
    ck_assert_str_eq(err.message, "in: a profile has more than 134217728 frames in its stacks");
    free(bytes);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    made message = made_profile();
    fl_bytes gz = fl_gzip(made_slice(&message));
    bool done = false;
    for (long n = 0; !done; n++) {
        fl_profile *fresh = NULL;
        err = (fl_error){0};
        fl_mem_fail_after(n);
        fl_status status = fl_profile_create(&fresh, &err);
        if (status == FL_OK)
            status = fl_profile_read_bytes(fresh, fl_bytes_slice(gz), "in", NULL, &err);
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "%s", err.message);
        done = status == FL_OK;
        ck_assert_uint_eq(fresh != NULL ? fresh->sample_count : 0, done ? 2 : 0);
        fl_profile_destroy(fresh);
    }
    free(gz.ptr);
}
END_TEST

static Suite *pprof_proto_suite(void)
{
    Suite *suite = suite_create("pprof/proto");
    TCase *cases = tcase_create("proto");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, inlined_calls_are_frames_and_numbers_come_packed_or_one_by_one);
    tcase_add_test(cases, messages_come_in_any_order);
    tcase_add_test(cases, samples_without_the_value_that_counts_are_left_out);
    tcase_add_test(cases, gzip_and_zstd_give_the_same);
    tcase_add_test(cases, a_second_reading_replaces_the_first);
    tcase_add_test(cases, a_location_without_lines_is_a_frame_without_a_name);
    tcase_add_test(cases, values_beyond_any_quantity_are_clamped_and_counted);
    tcase_add_test(cases, the_shapes_of_generic_names_are_dropped_where_asked);
    tcase_add_test(cases, the_kind_is_told_by_the_types_and_the_default);
    tcase_add_test(cases, equal_label_sets_share_a_place);
    tcase_add_loop_test(cases, damage_is_refused_with_its_place, 0,
                        (int)(sizeof(damages) / sizeof(damages[0])));
    tcase_add_test(cases, the_first_string_is_empty);
    tcase_add_test(cases, samples_without_types_are_refused);
    tcase_add_loop_test(cases, what_is_no_profile_is_called_by_its_name, 0,
                        (int)(sizeof(others) / sizeof(others[0])));
    tcase_add_test(cases, every_prefix_is_read_or_refused);
    tcase_add_test(cases, no_flipped_bit_does_harm);
    tcase_add_test(cases, what_is_left_out_is_checked_all_the_same);
    tcase_add_test(cases, a_location_of_many_lines_in_many_samples_ends_at_the_budget);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(pprof_proto_suite)
