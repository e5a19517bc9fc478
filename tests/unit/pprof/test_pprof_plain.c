/*
 * Samples as Go writes them are read by a path of their own. Here each profile is written twice,
 * packed and with its numbers one by one, which no quick path takes: both must say the same.
 */
#include "buf.h"
#include "fl_test.h"
#include "pprof.h"

enum { TYPES = 4, KEY = 1, SAMPLES = 400 };

static fl_profile *quick, *slow;
static fl_buf bytes;
static fl_error err;
static uint32_t noise;

static void setup(void)
{
    err = (fl_error){0};
    noise = 1;
    bytes = fl_buf_of(16 << 20);
    ck_assert_ok(fl_profile_create(&quick, &err));
    ck_assert_ok(fl_profile_create(&slow, &err));
}

static void teardown(void)
{
    fl_profile_destroy(quick);
    fl_profile_destroy(slow);
    fl_buf_dispose(&bytes);
}

static uint32_t below(uint32_t end)
{
    noise = noise * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)noise * end >> 32);
}

static void varint(fl_buf *to, uint64_t value)
{
    unsigned char out[10];
    size_t len = 0;
    for (; value > 0x7f; value >>= 7)
        out[len++] = (unsigned char)(value | 0x80);
    out[len++] = (unsigned char)value;
    fl_buf_add(to, (fl_slice){out, len});
}

static void number(fl_buf *to, unsigned field, uint64_t value)
{
    varint(to, field << 3);
    varint(to, value);
}

static void message(fl_buf *to, unsigned field, fl_buf *body)
{
    varint(to, field << 3 | 2);
    varint(to, body->len);
    fl_buf_add(to, fl_buf_slice(body));
    fl_buf_clear(body);
}

static void numbers(fl_buf *to, unsigned field, const uint64_t *values, size_t count, bool packed)
{
    fl_buf body = fl_buf_of(1 << 20);
    for (size_t i = 0; i < count; i++)
        if (packed)
            varint(&body, values[i]);
        else
            number(to, field, values[i]);
    if (packed)
        message(to, field, &body);
    fl_buf_dispose(&body);
}

typedef struct made_sample {
    uint64_t ids[200], values[TYPES], block_bytes;
    size_t id_count;
} made_sample;

static void add_sample(const made_sample *sample, bool packed)
{
    fl_buf body = fl_buf_of(1 << 20), label = fl_buf_of(1 << 10);
    numbers(&body, 1, sample->ids, sample->id_count, packed);
    numbers(&body, 2, sample->values, TYPES, packed);
    number(&label, 1, KEY);
    number(&label, 3, sample->block_bytes);
    if (sample->block_bytes > 0)
        message(&body, 3, &label);
    message(&bytes, 2, &body);
    fl_buf_dispose(&body);
    fl_buf_dispose(&label);
}

/* Types and one function; locations 1 to `locations`, each seventh with an inlined call; something
 * behind the samples, as there always is. */
static void add_tables(size_t locations)
{
    fl_buf body = fl_buf_of(1 << 10), line = fl_buf_of(1 << 10);
    for (size_t i = 0; i < TYPES; i++)
        message(&bytes, 1, &body);
    for (size_t id = 1; id <= locations; id++) {
        number(&body, 1, id);
        for (size_t i = id % 7 == 0 ? 2 : 1; i > 0; i--) {
            number(&line, 1, 1);
            number(&line, 2, id);
            message(&body, 4, &line);
        }
        message(&bytes, 4, &body);
    }
    number(&body, 1, 1);
    message(&bytes, 5, &body);
    message(&bytes, 6, &body);
    fl_buf_add(&body, SLICE("bytes"));
    message(&bytes, 6, &body);
    fl_buf_dispose(&body);
    fl_buf_dispose(&line);
}

/* One of the lengths that stacks have; four of five are 0 of the last type. */
static made_sample any_sample(size_t locations)
{
    made_sample out = {.id_count = 1 + below(below(8) == 0 ? 200 : 12)};
    for (size_t i = 0; i < out.id_count; i++)
        out.ids[i] = 1 + below((uint32_t)locations);
    for (size_t i = 0; i < TYPES; i++)
        out.values[i] = (uint64_t)below(1000) << below(40);
    if (below(5) > 0)
        out.values[TYPES - 1] = 0;
    out.block_bytes = below(3) > 0 ? 8u << below(10) : 0;
    return out;
}

static fl_status read(fl_profile *into, bool skip, fl_error *why)
{
    const fl_pprof_options options = {.skip_zero = skip};
    *why = (fl_error){0};
    return fl_profile_read_bytes(into, fl_buf_slice(&bytes), "in", &options, why);
}

static void assert_same(void)
{
    ck_assert_uint_eq(quick->sample_count, slow->sample_count);
    for (size_t i = 0; i < quick->sample_count; i++) {
        const fl_profile_sample *a = &quick->samples[i], *b = &slow->samples[i];
        ck_assert_uint_eq(a->stack_count, b->stack_count);
        ck_assert_mem_eq(quick->stack + a->stack_at, slow->stack + b->stack_at,
                         a->stack_count * sizeof(uint32_t));
        ck_assert_uint_eq(a->label_count, b->label_count);
        if (a->label_count > 0)
            ck_assert_int_eq(quick->labels[a->label_at].number, slow->labels[b->label_at].number);
        for (size_t t = 0; t < TYPES; t++)
            ck_assert_int_eq(fl_profile_value(quick, i, t), fl_profile_value(slow, i, t));
    }
}

static const size_t location_counts[] = {5, 126, 127, 128, 130, 5000, 16383, 16384, 20000};

START_TEST(packed_samples_are_what_the_same_numbers_are_one_by_one)
{
    size_t locations = location_counts[_i];
    for (int skip = 0; skip < 2; skip++) {
        uint32_t seed = noise;
        for (int packed = 0; packed < 2; packed++) {
            noise = seed;
            fl_buf_clear(&bytes);
            for (size_t i = 0; i < SAMPLES; i++) {
                made_sample sample = any_sample(locations);
                add_sample(&sample, packed != 0);
            }
            add_tables(locations);
            ck_assert_ok(read(packed ? quick : slow, skip != 0, &err));
        }
        assert_same();
        ck_assert(skip ? quick->sample_count < SAMPLES / 2 : quick->sample_count == SAMPLES);
    }
}
END_TEST

/* The sample in the middle of good ones of which nothing counts, so that they are passed over. */
static void assert_refused(const made_sample *bad, size_t locations)
{
    fl_error first = {0};
    for (int packed = 0; packed < 2; packed++) {
        fl_buf_clear(&bytes);
        made_sample good = {.ids = {1, 2}, .id_count = 2, .block_bytes = 8};
        for (int i = 0; i < 4; i++)
            add_sample(i == 2 ? bad : &good, packed != 0);
        add_tables(locations);
        ck_assert_fails(FL_E_SYNTAX, read(quick, true, packed ? &err : &first));
    }
    ck_assert_str_eq(err.message, first.message);
    ck_assert_ptr_nonnull(strstr(err.message, "sample 2 names location id"));
}

START_TEST(an_id_that_is_not_there_is_found_wherever_it_stands)
{
    size_t locations = location_counts[_i];
    const uint64_t beyond[] = {
        0,       locations + 1,     locations + 128,         locations + 16384,
        1000000, UINT64_C(1) << 21, (UINT64_C(1) << 32) + 1, UINT64_MAX};
    for (size_t count = 1; count <= 40; count++) {
        size_t at = below((uint32_t)count);
        for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
            made_sample bad = {.id_count = count, .block_bytes = 8};
            for (size_t k = 0; k < count; k++)
                bad.ids[k] = 1 + below((uint32_t)locations);
            bad.ids[at] = beyond[i];
            assert_refused(&bad, locations);
        }
    }
}
END_TEST

START_TEST(the_last_location_is_there)
{
    size_t locations = location_counts[_i];
    made_sample sample = {.ids = {1, locations, 1}, .id_count = 3, .values = {1, 1, 1, 0}};
    add_sample(&sample, true);
    sample.values[TYPES - 1] = 1;
    add_sample(&sample, true);
    add_tables(locations);
    ck_assert_ok(read(quick, true, &err));
    ck_assert_uint_eq(quick->sample_count, 1);
    ck_assert_uint_eq(quick->samples[0].stack_count, 3 + (locations % 7 == 0));
}
END_TEST

/* Bytes of `values` in a packed sample on location 1; what is said of it with and without looking
 * for zeros must be the same. */
START_TEST(the_number_of_values_is_counted_also_where_none_counts)
{
    static const struct {
        fl_slice values;
        const char *message; /* NULL: it is left out */
    } rows[] = {
        {BYTES_INIT("\0\0\0\0"), NULL},
        {BYTES_INIT("\x80\x01\x80\x80\x01\0\0"), NULL},
        {BYTES_INIT("\x80\0\0\0\x80\0"), NULL}, /* longer than it need be */
        {BYTES_INIT("\0\0\0"), "in: sample 0 has 3 values for 4 sample types"},
        {BYTES_INIT("\0\0\0\0\0"), "in: sample 0 has 5 values for 4 sample types"},
        {BYTES_INIT("\1\1\1\x80"), "in: sample 0: its packed values end inside a number"},
        {BYTES_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\0\0\0"),
         "in: sample 0: its packed values end inside a number"},
        {BYTES_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\0\0\0"), NULL}, /* -1 */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fl_buf body = fl_buf_of(1 << 10), part = fl_buf_of(1 << 10);
        fl_buf_clear(&bytes);
        varint(&part, 1);
        message(&body, 1, &part);
        fl_buf_add(&part, rows[i].values);
        message(&body, 2, &part);
        message(&bytes, 2, &body);
        add_tables(10);
        fl_status status = read(quick, true, &err);
        ck_assert_int_eq(status, rows[i].message != NULL ? FL_E_SYNTAX : FL_OK);
        ck_assert_str_eq(err.message, rows[i].message != NULL ? rows[i].message : "");
        ck_assert_uint_eq(quick->sample_count, 0);
        fl_buf_dispose(&body);
        fl_buf_dispose(&part);
    }
}
END_TEST

START_TEST(a_profile_that_ends_with_its_samples_is_read_as_well)
{
    for (size_t count = 1; count < 20; count++) {
        fl_buf_clear(&bytes);
        add_tables(200);
        for (size_t i = 0; i < count; i++) {
            made_sample sample = any_sample(200);
            sample.values[TYPES - 1] = i % 2;
            add_sample(&sample, true);
        }
        ck_assert_ok(read(quick, true, &err));
        ck_assert_uint_eq(quick->sample_count, count / 2);
    }
}
END_TEST

static Suite *pprof_plain_suite(void)
{
    const int counts = sizeof(location_counts) / sizeof(location_counts[0]);
    Suite *suite = suite_create("pprof/pprof_plain");
    TCase *cases = tcase_create("pprof_plain");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, packed_samples_are_what_the_same_numbers_are_one_by_one, 0, counts);
    tcase_add_loop_test(cases, an_id_that_is_not_there_is_found_wherever_it_stands, 0, 5);
    tcase_add_loop_test(cases, the_last_location_is_there, 0, counts);
    tcase_add_test(cases, the_number_of_values_is_counted_also_where_none_counts);
    tcase_add_test(cases, a_profile_that_ends_with_its_samples_is_read_as_well);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(pprof_plain_suite)
