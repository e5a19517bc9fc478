#include "miner.h"

#include <stdio.h>

#include "fl_test.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static fl_miner *miner;

static void setup(void)
{
    err = (fl_error){0};
    ck_assert_ok(fl_miner_create(&miner, 65536, 16u << 20, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_miner_destroy(miner);
    miner = NULL;
}

static uint32_t add_in(uint32_t scope, const char *line)
{
    uint32_t form;
    ck_assert_ok(fl_miner_add(&form, miner, scope, SLICE(line), 0, &err));
    ck_assert_uint_lt(form, fl_miner_form_count(miner));
    return form;
}

static uint32_t add(const char *line)
{
    return add_in(0, line);
}

/* Mine `lines` (ends with NULL) and compare the templates, as "severity text". */
static void check_templates(const char *const *lines, const char *const *expected)
{
    for (; *lines != NULL; lines++)
        add(*lines);
    ck_assert_ok(fl_miner_finish(miner, &err));
    size_t count = 0;
    for (; expected[count] != NULL; count++) {
        ck_assert_uint_lt(count, fl_miner_template_count(miner));
        const fl_log_template *t = fl_miner_template(miner, count);
        char text[1100];
        snprintf(text, sizeof(text), "%d %s", t->severity, t->text);
        ck_assert_str_eq(text, expected[count]);
    }
    ck_assert_uint_eq(fl_miner_template_count(miner), count);
}
#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

START_TEST(forms_are_dense_ids_in_order_of_appearance)
{
    ck_assert_uint_eq(add("got 1"), 0);
    ck_assert_uint_eq(add("sent 1"), 1);
    ck_assert_uint_eq(add("got 2"), 0);
    ck_assert_uint_eq(add("INFO got 2"), 2);
    ck_assert_uint_eq(fl_miner_form_count(miner), 3);
    ck_assert(!fl_miner_is_full(miner));
}
END_TEST

START_TEST(one_location_and_level_is_one_template)
{
    check_templates(LINES("INFO a.B#7 user bob paid 5", "INFO a.B#7 user amy paid 6",
                          "ERROR a.B#7 user amy paid 6", "INFO a.B#8 user amy paid 6",
                          "INFO main.go:3 found red, blue", "INFO main.go:3 found red, green, blue",
                          "INFO main.go:4 x", "INFO main.go:4 y z"),
                    LINES("9 a.B#7 user <*> paid <*>", "9 a.B#8 user amy paid <*>",
                          "9 main.go:3 found red, <*>", "9 main.go:4 <*>",
                          "17 a.B#7 user amy paid <*>"));
    const fl_log_template *t = fl_miner_template(miner, 4);
    ck_assert(t->is_error);
    ck_assert_str_eq(t->location, "a.B#7");
    ck_assert_uint_eq(fl_miner_template_of(miner, 0), 0);
    ck_assert_uint_eq(fl_miner_template_of(miner, 1), 0);
    ck_assert_uint_eq(fl_miner_template_of(miner, 2), 4);
    ck_assert(!fl_miner_template(miner, 0)->is_error);
}
END_TEST

START_TEST(locations_stay_apart_where_their_texts_are_equal)
{
    check_templates(LINES("at (a.go:1) y", "at [a.go:1] y", "at (a.go:2) y", "at [a.go:2] y"),
                    LINES("0 at <*> y", "0 at <*> y"));
    ck_assert_str_eq(fl_miner_template(miner, 0)->location, "a.go:1");
    ck_assert_str_eq(fl_miner_template(miner, 1)->location, "a.go:2");
    ck_assert(fl_miner_template(miner, 0)->id != fl_miner_template(miner, 1)->id);
}
END_TEST

START_TEST(lines_without_a_location_go_through_the_tree)
{
    check_templates(LINES("connection to db lost", "connection to db found",
                          "connection to cache lost", "disk full on sda", "pool exhausted",
                          "request from bob at noon took long",
                          "request from amy at night took long", "WARN connection to db lost",
                          "user alice logged in from home", "user alice logged out for good"),
                    LINES("0 connection to <*> <*>", "0 disk full on sda", "0 pool exhausted",
                          "0 request from <*> at <*> took long", "0 user alice logged <*> <*> <*>",
                          "13 connection to db lost"));
    ck_assert_ptr_null(fl_miner_template(miner, 0)->location);
}
END_TEST

START_TEST(lines_of_masks_only_are_one_template)
{
    check_templates(LINES("1 2 3", "4 5 6", "7 8 nine", "1", "", "17:24:35.540"),
                    LINES("0 <*>", "0 <*> <*> <*>", "0 <*> <*> nine", "0 <empty>"));
}
END_TEST

START_TEST(a_location_template_keeps_its_id_when_its_text_gains_a_mask)
{
    add("INFO a.B#7 user bob");
    ck_assert_ok(fl_miner_finish(miner, &err));
    fl_log_template first = *fl_miner_template(miner, 0);
    ck_assert_str_eq(first.text, "a.B#7 user bob");
    uint64_t id = first.id;
    teardown();
    setup();
    add("INFO a.B#7 user bob");
    add("INFO a.B#7 user amy");
    ck_assert_ok(fl_miner_finish(miner, &err));
    ck_assert_str_eq(fl_miner_template(miner, 0)->text, "a.B#7 user <*>");
    ck_assert(fl_miner_template(miner, 0)->id == id);
}
END_TEST

START_TEST(one_location_of_two_scopes_is_two_templates)
{
    uint32_t cart = add_in(4, "INFO main.go:12 cart is up"),
             again = add_in(4, "INFO main.go:12 cart is down");
    uint32_t pay = add_in(9, "INFO main.go:12 payment done"),
             same = add_in(4, "INFO main.go:12 cart is up");
    ck_assert_uint_eq(cart, same);
    ck_assert_uint_ne(cart, again);
    check_templates(
        LINES("INFO main.go:13 ready"),
        LINES("9 main.go:12 cart is <*>", "9 main.go:12 payment done", "9 main.go:13 ready"));
    ck_assert_uint_eq(fl_miner_template_of(miner, cart), 0);
    ck_assert_uint_eq(fl_miner_template_of(miner, again), 0);
    ck_assert_uint_eq(fl_miner_template_of(miner, pay), 1);
    ck_assert(fl_miner_template(miner, 0)->id ==
              fl_miner_template(miner, 1)->id); /* one location */
}
END_TEST

START_TEST(what_reads_the_same_in_two_scopes_is_one_template)
{
    uint32_t one = add_in(1, "INFO main.go:12 up"), two = add_in(2, "INFO main.go:12 up");
    ck_assert_uint_ne(one, two);
    ck_assert_ok(fl_miner_finish(miner, &err));
    ck_assert_uint_eq(fl_miner_template_count(miner), 1);
    ck_assert_uint_eq(fl_miner_template_of(miner, one), 0);
    ck_assert_uint_eq(fl_miner_template_of(miner, two), 0);
}
END_TEST

START_TEST(lines_without_a_location_are_shared_by_all_scopes)
{
    ck_assert_uint_eq(add_in(1, "connection to db lost"), add_in(2, "connection to db lost"));
    add_in(2, "connection to db found");
    check_templates(LINES("disk full"), LINES("0 connection to db <*>", "0 disk full"));
}
END_TEST

START_TEST(lines_over_the_budget_share_a_template_in_all_scopes)
{
    teardown();
    ck_assert_ok(fl_miner_create(&miner, 1, 1000, &err));
    add_in(1, "main.go:1 first");
    ck_assert_uint_eq(add_in(1, "main.go:2 second"), add_in(2, "main.go:1 first"));
    ck_assert(fl_miner_is_full(miner));
}
END_TEST

START_TEST(ids_are_the_same_on_every_machine_and_release)
{
    check_templates(LINES("INFO a.B#7 user bob", "ERROR could not get a connection from the pool"),
                    LINES("9 a.B#7 user bob", "17 could not get a connection from the pool"));
    char ids[2][32];
    for (size_t i = 0; i < 2; i++)
        snprintf(ids[i], sizeof(ids[i]), "%016llx",
                 (unsigned long long)fl_miner_template(miner, i)->id);
    ck_assert_str_eq(ids[0], "df3637c30281ccb4");
    ck_assert_str_eq(ids[1], "7612bb8889704098");
}
END_TEST

/* A small generator (Knuth's MMIX constants), so that a failure repeats. */
static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

enum { LINE_COUNT = 3000, LINE_BYTES = 160 };
static char lines[LINE_COUNT][LINE_BYTES];
static uint32_t scopes[LINE_COUNT];

static void make_lines(void)
{
    static const char *const names[] = {"bob", "amy", "eve", "joe", "kim", "max", "tom", "zoe"};
    static const char *const verbs[] = {"reads", "writes", "opens", "closes", "locks"};
    static const char *const levels[] = {"", "INFO ", "WARN ", "ERROR "};
    uint64_t state = 1;
    for (size_t i = 0; i < LINE_COUNT; i++) {
        size_t len = 0;
        scopes[i] = (uint32_t)i % 3;
        len += (size_t)snprintf(lines[i], LINE_BYTES, "%s", levels[next_random(&state) % 4]);
        if (next_random(&state) % 3 == 0)
            len += (size_t)snprintf(lines[i] + len, LINE_BYTES - len, "a.Shop#%u ",
                                    next_random(&state) % 20 + 1);
        for (uint32_t words = next_random(&state) % 6; words > 0; words--)
            len += (size_t)snprintf(lines[i] + len, LINE_BYTES - len, "%s %s %u ",
                                    names[next_random(&state) % 8], verbs[next_random(&state) % 5],
                                    next_random(&state) % 100);
    }
}

/* Mine lines[order[.]], their scopes numbered by `renumber`; the templates as one text, and each
 * line's template in `id_of_line`. */
static char *mine(const size_t *order, size_t count, size_t repeats, const uint32_t renumber[3],
                  uint64_t *id_of_line)
{
    static uint32_t forms[LINE_COUNT];
    fl_miner *m;
    ck_assert_ok(fl_miner_create(&m, 65536, 1u << 20, &err));
    for (size_t i = 0; i < count * repeats; i++) {
        size_t at = order[i % count];
        ck_assert_ok(fl_miner_add(&forms[at], m, renumber[scopes[at]], SLICE(lines[at]), 0, &err));
    }
    ck_assert_ok(fl_miner_finish(m, &err));
    size_t size = 1 << 20, len = 0;
    char *text = malloc(size);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < fl_miner_template_count(m); i++) {
        const fl_log_template *t = fl_miner_template(m, i);
        len += (size_t)snprintf(text + len, size - len, "%016llx %d %s | %s\n",
                                (unsigned long long)t->id, t->severity, t->text,
                                t->location != NULL ? t->location : "");
        ck_assert_uint_lt(len, size);
    }
    for (size_t i = 0; i < count; i++)
        id_of_line[order[i]] = fl_miner_template(m, fl_miner_template_of(m, forms[order[i]]))->id;
    fl_miner_destroy(m);
    return text;
}

START_TEST(order_repetition_and_the_numbers_of_scopes_change_nothing)
{
    static const uint32_t numbers[][3] = {{0, 1, 2}, {2, 0, 1}, {7, 4000000000, 1}};
    static size_t order[LINE_COUNT];
    static uint64_t first_ids[LINE_COUNT], ids[LINE_COUNT];
    make_lines();
    for (size_t i = 0; i < LINE_COUNT; i++)
        order[i] = i;
    char *first = mine(order, LINE_COUNT, 1, numbers[0], first_ids);
    ck_assert_uint_gt(strlen(first), 1000);
    uint64_t state = 2;
    for (size_t round = 0; round < 6; round++) {
        for (size_t i = LINE_COUNT - 1; i > 0; i--) {
            size_t j = next_random(&state) % (i + 1), swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        char *again = mine(order, LINE_COUNT, round % 2 + 1, numbers[round % 3], ids);
        ck_assert_str_eq(again, first);
        ck_assert_mem_eq(ids, first_ids, sizeof(ids));
        free(again);
    }
    free(first);
}
END_TEST

START_TEST(templates_are_sorted_and_their_ids_are_unique)
{
    make_lines();
    for (size_t i = 0; i < LINE_COUNT; i++)
        add(lines[i]);
    ck_assert_ok(fl_miner_finish(miner, &err));
    size_t count = fl_miner_template_count(miner);
    ck_assert_uint_gt(count, 50);
    ck_assert_uint_lt(count, fl_miner_form_count(miner));
    for (size_t i = 1; i < count; i++) {
        const fl_log_template *a = fl_miner_template(miner, i - 1),
                              *b = fl_miner_template(miner, i);
        ck_assert(a->severity < b->severity ||
                  (a->severity == b->severity && strcmp(a->text, b->text) <= 0));
        for (size_t j = 0; j < i; j++)
            ck_assert(fl_miner_template(miner, j)->id != b->id);
    }
}
END_TEST

/* As many forms under one first token as the tree has children, and more. */
START_TEST(a_crowded_node_shares_its_last_child)
{
    char line[64];
    for (unsigned i = 0; i < 500; i++) {
        snprintf(line, sizeof(line), "word%c%c%c same end of line", (char)('a' + i % 5),
                 (char)('g' + i / 5 % 10), (char)('g' + i / 50));
        add(line);
    }
    ck_assert_ok(fl_miner_finish(miner, &err));
    ck_assert_uint_eq(fl_miner_form_count(miner), 500);
    ck_assert_uint_eq(fl_miner_template_count(miner), 100);
    size_t shared = 0;
    for (size_t i = 0; i < 100; i++)
        shared += strcmp(fl_miner_template(miner, i)->text, "<*> same end of line") == 0;
    ck_assert_uint_eq(shared, 1);
}
END_TEST

/* Lines with nothing in common but what leads them to one leaf. */
START_TEST(a_crowded_leaf_joins_the_nearest)
{
    char line[96];
    for (unsigned i = 0; i < 300; i++) {
        char a = (char)('a' + i % 26), b = (char)('a' + i / 26);
        snprintf(line, sizeof(line), "same head %c%cg %c%ch %c%ci %c%cj %c%ck %c%cl", a, b, a, b, a,
                 b, a, b, a, b, a, b);
        add(line);
    }
    ck_assert_ok(fl_miner_finish(miner, &err));
    ck_assert_uint_eq(fl_miner_form_count(miner), 300);
    ck_assert_uint_le(fl_miner_template_count(miner), 64);
    ck_assert_uint_ge(fl_miner_template_count(miner), 32);
}
END_TEST

START_TEST(lines_over_the_form_budget_share_a_template_of_their_level)
{
    teardown();
    ck_assert_ok(fl_miner_create(&miner, 2, 1000, &err));
    uint32_t known = add("first");
    add("second");
    ck_assert(!fl_miner_is_full(miner));
    uint32_t other = add("third");
    ck_assert(fl_miner_is_full(miner));
    ck_assert_uint_eq(add("fourth"), other);
    ck_assert_uint_eq(add("first"), known);
    ck_assert_uint_ne(add("ERROR fifth"), other);
    ck_assert_uint_eq(fl_miner_form_count(miner), 4);
    ck_assert_ok(fl_miner_finish(miner, &err));
    ck_assert_uint_eq(fl_miner_template_count(miner), 4);
    ck_assert_str_eq(fl_miner_template(miner, 0)->text, "<other>");
    ck_assert_str_eq(fl_miner_template(miner, 3)->text, "<other>");
    ck_assert_int_eq(fl_miner_template(miner, 3)->severity, 17);
    ck_assert_uint_eq(fl_miner_template_of(miner, other), 0);
}
END_TEST

START_TEST(lines_over_the_byte_budget_share_a_template)
{
    teardown();
    ck_assert_ok(fl_miner_create(&miner, 1000, 14, &err));
    add("first");
    add("second");
    ck_assert(!fl_miner_is_full(miner));
    add("x");
    ck_assert(fl_miner_is_full(miner));
    ck_assert_uint_eq(add("second"), 1);
    ck_assert_ok(fl_miner_finish(miner, &err));
    ck_assert_uint_eq(fl_miner_template_count(miner), 3);
}
END_TEST

START_TEST(a_line_that_reads_other_is_one_template_with_the_overflow)
{
    teardown();
    ck_assert_ok(fl_miner_create(&miner, 1, 1000, &err));
    uint32_t literal = add("<other>"), other = add("more");
    ck_assert_uint_ne(literal, other);
    ck_assert_ok(fl_miner_finish(miner, &err));
    ck_assert_uint_eq(fl_miner_template_count(miner), 1);
    ck_assert_uint_eq(fl_miner_template_of(miner, literal), 0);
    ck_assert_uint_eq(fl_miner_template_of(miner, other), 0);
}
END_TEST

START_TEST(a_miner_without_lines_has_no_templates)
{
    ck_assert_ok(fl_miner_finish(miner, &err));
    ck_assert_uint_eq(fl_miner_template_count(miner), 0);
    fl_miner_destroy(NULL);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    make_lines();
    fl_miner *m = NULL;
    for (long n = 0; fl_miner_create(&m, 65536, 1u << 20, NULL) == FL_OK && n >= 0; n++) {
        fl_miner_destroy(m);
        m = NULL;
        fl_mem_fail_after(n);
        fl_status status = fl_miner_create(&m, 65536, 1u << 20, NULL);
        if (status != FL_OK) {
            ck_assert_fails(FL_E_NOMEM, status);
            ck_assert_ptr_null(m);
            fl_mem_fail_after(-1);
            continue;
        }
        for (size_t i = 0; i < LINE_COUNT && status == FL_OK; i++) {
            uint32_t form;
            size_t count = fl_miner_form_count(m);
            status = fl_miner_add(&form, m, scopes[i], SLICE(lines[i]), 0, NULL);
            if (status != FL_OK)
                ck_assert_uint_eq(fl_miner_form_count(m), count);
        }
        fl_status finished = fl_miner_finish(m, NULL);
        fl_mem_fail_after(-1);
        if (finished != FL_OK) {
            ck_assert_fails(FL_E_NOMEM, finished);
            ck_assert_ok(fl_miner_finish(m, &err)); /* it can be tried again */
        } else if (status == FL_OK) {
            ck_assert_int_gt(n, 5);
            break;
        }
        fl_miner_destroy(m);
        m = NULL;
    }
    ck_assert_ptr_nonnull(m);
    fl_miner_destroy(m);
}
END_TEST

static Suite *miner_suite(void)
{
    Suite *suite = suite_create("correlate/miner");
    TCase *cases = tcase_create("miner");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, forms_are_dense_ids_in_order_of_appearance);
    tcase_add_test(cases, one_location_and_level_is_one_template);
    tcase_add_test(cases, locations_stay_apart_where_their_texts_are_equal);
    tcase_add_test(cases, lines_without_a_location_go_through_the_tree);
    tcase_add_test(cases, lines_of_masks_only_are_one_template);
    tcase_add_test(cases, a_location_template_keeps_its_id_when_its_text_gains_a_mask);
    tcase_add_test(cases, one_location_of_two_scopes_is_two_templates);
    tcase_add_test(cases, what_reads_the_same_in_two_scopes_is_one_template);
    tcase_add_test(cases, lines_without_a_location_are_shared_by_all_scopes);
    tcase_add_test(cases, lines_over_the_budget_share_a_template_in_all_scopes);
    tcase_add_test(cases, ids_are_the_same_on_every_machine_and_release);
    tcase_add_test(cases, order_repetition_and_the_numbers_of_scopes_change_nothing);
    tcase_add_test(cases, templates_are_sorted_and_their_ids_are_unique);
    tcase_add_test(cases, a_crowded_node_shares_its_last_child);
    tcase_add_test(cases, a_crowded_leaf_joins_the_nearest);
    tcase_add_test(cases, lines_over_the_form_budget_share_a_template_of_their_level);
    tcase_add_test(cases, lines_over_the_byte_budget_share_a_template);
    tcase_add_test(cases, a_line_that_reads_other_is_one_template_with_the_overflow);
    tcase_add_test(cases, a_miner_without_lines_has_no_templates);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(miner_suite)
