/* What people made of a draft becomes evidence: on both engines. */
#include "publish.h"

#include <stdio.h>

#include "fl_incidents.h"
#include "fl_store_place.h"
#include "mem.h"
#include "postmortem.h"
#include "slice.h"

static fl_error err;
static fl_arena arena;
static fl_buf text;
static fl_draft draft;
static fl_store_place place;
static fl_store *store;
static fl_published *items;
static size_t count;
static fl_publish_options options;

static fl_status publish_in(fl_arena *room, fl_error *own)
{
    fl_publication said = {0};
    fl_status status = fl_draft_read(&draft, fl_buf_slice(&text), room, own);
    options.incident = &fl_test_incident;
    options.draft = &draft;
    if (status == FL_OK)
        status = fl_publish(&said, store, &options, room, own);
    items = said.items;
    count = said.count;
    return status;
}

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(64 << 20);
    text = fl_buf_of(FL_MAX_POSTMORTEM_BYTES);
    options = (fl_publish_options){.author = "somebody", .now_ns = FL_TEST_AT_NS};
    fl_store_place_make(&place);
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_store_close(store);
    fl_store_place_clear(&place);
    fl_buf_dispose(&text);
    fl_arena_dispose(&arena);
}

/* The draft of the made-up incident, which has three factors. */
static void make_draft(void)
{
    const fl_postmortem_input input = {.incident = &fl_test_incident};
    const fl_postmortem_options how = {.format = FL_POSTMORTEM_MARKDOWN};
    fl_buf_clear(&text);
    ck_assert_ok(fl_postmortem_write(&text, &input, &how, &err));
}

/* As an editor does it: `to` in the place of the first `from`. */
static void edit(const char *from, const char *to)
{
    const char *at = strstr(text.ptr, from);
    ck_assert_msg(at != NULL, "%s is not in the draft", from);
    fl_buf edited = fl_buf_of(FL_MAX_POSTMORTEM_BYTES);
    fl_buf_add(&edited,
               (fl_slice){.ptr = (unsigned char *)text.ptr, .len = (size_t)(at - text.ptr)});
    fl_buf_text(&edited, to);
    fl_buf_text(&edited, at + strlen(from));
    fl_buf_dispose(&text);
    text = edited;
}

/* The whole line that has this in it goes. */
static void delete_line(const char *part)
{
    char line[2048];
    const char *at = strstr(text.ptr, part);
    ck_assert_ptr_nonnull(at);
    while (at > text.ptr && at[-1] != '\n')
        at--;
    ck_assert_uint_lt(strcspn(at, "\n"), sizeof(line) - 2);
    (void)snprintf(line, sizeof(line), "%.*s\n", (int)strcspn(at, "\n"), at);
    edit(line, "");
}

static fl_status publish(void)
{
    return publish_in(&arena, &err);
}

START_TEST(a_draft_as_it_was_written_says_nothing)
{
    make_draft();
    ck_assert_ok(publish());
    ck_assert_str_eq(draft.incident, fl_test_incident.id);
    ck_assert_uint_eq(draft.factors, 3);
    ck_assert(draft.is_there[0] && draft.is_there[1] && draft.is_there[2] && !draft.is_there[3]);
    ck_assert(!draft.is_ticked[0]);
    ck_assert_ptr_null(draft.cause);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(a_ticked_factor_and_its_fix_are_learnt)
{
    make_draft();
    edit("- [ ] **pool in", "* [X] **pool in");
    edit("- What fixed it:", "- What fixed it:   raise the pool to 64 ");
    ck_assert_ok(publish());
    ck_assert_uint_eq(count, 1);
    ck_assert(items[0].supports);
    ck_assert_uint_eq(items[0].factor, 1);
    ck_assert_str_eq(items[0].fix.title, "raise the pool to 64");
    ck_assert_uint_gt(items[0].learnt.count, 1); /* its symptoms, and the fix */
    const fl_moved *last = &items[0].learnt.moved[items[0].learnt.count - 1];
    ck_assert_int_eq(last->kind, FL_EDGE_RESOLVED_BY);
    ck_assert_uint_eq(last->items_after, 1);
    ck_assert_double_gt(last->after.mean, last->before.mean);
    ck_assert_ok(publish()); /* the same again is said once */
    ck_assert_uint_eq(items[0].learnt.moved[0].items_after, 1);
}
END_TEST

START_TEST(a_row_that_was_deleted_or_struck_through_is_rejected)
{
    make_draft();
    delete_line("`auto:F2`");
    edit("- [ ] **cpu in cart**", "- [ ] ~~**cpu in cart**");
    edit("`auto:F3`", "~~ `auto:F3`");
    ck_assert_ok(publish());
    ck_assert_uint_eq(count, 2);
    ck_assert(!items[0].supports && !items[1].supports);
    ck_assert_uint_eq(items[0].factor, 2);
    ck_assert_uint_eq(items[1].factor, 3);
    ck_assert_str_eq(items[0].lesson.note, "taken out of the postmortem");
    ck_assert_double_lt(items[0].learnt.moved[0].after.mean, items[0].learnt.moved[0].before.mean);
}
END_TEST

START_TEST(a_cause_in_words_takes_the_fix)
{
    make_draft();
    edit("- Confirmed cause:", "- Confirmed cause: expired certificate of the ledger");
    edit("- What fixed it:", "- What fixed it: renew it\r");
    edit("- [ ] **pool in", "- [x] **pool in");
    ck_assert_ok(publish());
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(items[0].factor, 0);
    ck_assert_str_eq(items[0].cause.title, "expired certificate of the ledger");
    ck_assert_ptr_nonnull(items[0].lesson.fix);
    ck_assert_ptr_null(items[1].lesson.fix);
}
END_TEST

/* The same causes in another order, as a later triage may have them. */
START_TEST(a_draft_of_another_ranking_is_refused_and_nothing_is_learnt)
{
    fl_publication said;
    fl_incident later = fl_test_incident;
    fl_hypothesis ranked[3];
    ck_assert_uint_ge(later.hypothesis_count, 3);
    for (size_t i = 0; i < 3; i++)
        ranked[i] = fl_test_incident.hypotheses[i == 2 ? 2 : 1 - i];
    later.hypotheses = ranked;
    make_draft();
    edit("- [ ] **pool in", "- [x] **pool in");
    ck_assert_ok(fl_draft_read(&draft, fl_buf_slice(&text), &arena, &err));
    options.incident = &later;
    options.draft = &draft;
    ck_assert_fails(FL_E_SYNTAX, fl_publish(&said, store, &options, &arena, &err));
    ck_assert_str_eq(err.message, "incident 3f9a2c11d0e4 was triaged again: make a new draft");
    ck_assert_uint_eq(said.count, 0);
    ranked[0] = fl_test_incident.hypotheses[0];
    ranked[1] = fl_test_incident.hypotheses[1];
    ranked[0].probability = 0.5; /* how sure it is does not change what a number means */
    err = (fl_error){0};
    ck_assert_ok(fl_publish(&said, store, &options, &arena, &err));
    ck_assert_uint_eq(said.count, 1);
}
END_TEST

START_TEST(a_dry_run_writes_nothing)
{
    options.is_dry = true;
    make_draft();
    edit("- [ ] **pool in", "- [x] **pool in");
    ck_assert_ok(publish());
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(items[0].learnt.count, 0);
    options.is_dry = false;
    ck_assert_ok(publish());
    ck_assert_uint_eq(items[0].learnt.moved[0].items_before, 0);
}
END_TEST

/* What is written behind an '@' begins as our head does. */
START_TEST(a_factor_that_mentions_somebody_is_read_back)
{
    fl_hypothesis one = fl_test_hypotheses[0];
    fl_incident incident = fl_test_incident;
    one.service = "@someone";
    incident.hypotheses = &one;
    incident.hypothesis_count = 1;
    const fl_postmortem_input input = {.incident = &incident};
    const fl_postmortem_options how = {.format = FL_POSTMORTEM_MARKDOWN};
    ck_assert_ok(fl_postmortem_write(&text, &input, &how, &err));
    edit("- [ ] **pool in @<!-- -->someone**", "- [x] **pool in @<!-- -->someone**");
    ck_assert_ok(fl_draft_read(&draft, fl_buf_slice(&text), &arena, &err));
    ck_assert_str_eq(draft.incident, fl_test_incident.id);
    ck_assert_uint_eq(draft.factors, 1);
    ck_assert(draft.is_ticked[0]);
}
END_TEST

#define NONE " ranking=0000000000000000 -->\n" /* of no factor */
#define DAMAGED                                                                                    \
    "the head of the draft is damaged: it is '<!-- faultline.postmortem/1 ID factors=N "           \
    "ranking=HASH -->', with N up to 16: make a new draft"

static const struct {
    const char *text;
    const char *message;
} bad[] = {
    {"# A page\n", "this is no draft of a postmortem in Markdown: no line is '<!-- "
                   "faultline.postmortem/1 ID factors=N ranking=HASH -->'"},
    {"", "this is no draft of a postmortem in Markdown: no line is '<!-- faultline.postmortem/1 ID "
         "factors=N ranking=HASH -->'"},
    {"<!-- faultline.postmortem/1 3f9a2c11d0e4 -->\n", DAMAGED},
    {"<!-- faultline.postmortem/1 3f9a2c11d0e4 factors=1 -->\n", DAMAGED},
    {"<!-- faultline.postmortem/1 3f9a2c11d0e4 factors=17" NONE, DAMAGED},
    {"<!-- faultline.postmortem/1 3f9a2c11d0e4 factors=-1" NONE, DAMAGED},
    {"<!-- faultline.postmortem/1 3f9a2c11d0e4 factors=0 ranking=000000000000000 -->\n", DAMAGED},
    {"<!-- faultline.postmortem/1 3f9a2c11d0e4 factors=0 ranking=000000000000000x -->\n", DAMAGED},
    {"<!-- faultline.postmortem/1 3f9a2c11d0e4 factors=1" NONE "- [x] ~~it~~ `auto:F1`\n",
     "factor F1 is ticked and struck through: keep one of the two"},
    {"<!-- faultline.postmortem/1 3f9a2c11d0e4 factors=0" NONE "What fixed it: a restart\n",
     "the draft says what fixed it and confirms no cause: tick a factor, or write one behind "
     "'Confirmed cause:'"},
    {"<!-- faultline.postmortem/1 3f9a2c11d0e4 factors=4" NONE "- [x] it `auto:F4`\n",
     "incident 3f9a2c11d0e4 was triaged again: make a new draft"},
    {"<!-- faultline.postmortem/1 3f9a2c11d0e4 factors=1" NONE "- [x] it `auto:F1`\n",
     "incident 3f9a2c11d0e4 was triaged again: make a new draft"},
};

START_TEST(a_draft_that_cannot_be_meant_is_one_sentence_and_nothing_is_learnt)
{
    fl_buf_clear(&text);
    fl_buf_text(&text, bad[_i].text);
    ck_assert_fails(FL_E_SYNTAX, publish());
    ck_assert_str_eq(err.message, bad[_i].message);
}
END_TEST

START_TEST(every_prefix_is_read_or_refused)
{
    make_draft();
    for (size_t len = 0; len < text.len; len++) {
        fl_error own = {0};
        fl_arena room = fl_arena_of(1 << 20);
        fl_slice part = {.ptr = (const unsigned char *)text.ptr, .len = len};
        fl_status status = fl_draft_read(&draft, part, &room, &own);
        ck_assert(status == FL_OK || status == FL_E_SYNTAX);
        ck_assert_int_eq(status == FL_OK, own.message[0] == '\0');
        fl_arena_dispose(&room);
    }
}
END_TEST

START_TEST(marks_in_code_and_prose_of_telemetry_are_not_read)
{
    fl_buf_clear(&text);
    fl_buf_printf(&text, "<!-- faultline.postmortem/1 3f9a2c11d0e4 factors=1 ranking=%016llx -->\n",
                  (unsigned long long)fl_symptoms_ranking(&fl_test_incident, 1));
    fl_buf_text(&text, "- [ ] it `auto:F1`\n"
                       "- [x] \\`auto:F1\\` of a log line `auto:T9`\n"
                       "- [x] evidence `auto:F1.2`\n"
                       "- [x] a query (`` {a=\"`auto:F1`\"} ``) `auto:T3`\n"
                       "Then we saw that Confirmed cause: nothing\n");
    ck_assert_ok(publish());
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    make_draft();
    edit("- [ ] **pool in", "- [x] **pool in");
    edit("- What fixed it:", "- What fixed it: a restart");
    long allowed = 0;
    for (fl_status status = FL_E_NOMEM; status != FL_OK; allowed++) {
        fl_arena room = fl_arena_of(64 << 20);
        fl_error own = {0};
        options.is_dry = true;
        fl_mem_fail_after(allowed);
        status = publish_in(&room, &own);
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "%s", own.message);
        fl_arena_dispose(&room);
    }
    ck_assert_int_gt(allowed, 1);
}
END_TEST

static Suite *publish_suite(void)
{
    Suite *suite = suite_create("remember/publish");
    TCase *cases = tcase_create("publish");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_draft_as_it_was_written_says_nothing);
    tcase_add_test(cases, a_ticked_factor_and_its_fix_are_learnt);
    tcase_add_test(cases, a_row_that_was_deleted_or_struck_through_is_rejected);
    tcase_add_test(cases, a_cause_in_words_takes_the_fix);
    tcase_add_test(cases, a_factor_that_mentions_somebody_is_read_back);
    tcase_add_test(cases, a_draft_of_another_ranking_is_refused_and_nothing_is_learnt);
    tcase_add_test(cases, a_dry_run_writes_nothing);
    tcase_add_loop_test(cases, a_draft_that_cannot_be_meant_is_one_sentence_and_nothing_is_learnt,
                        0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(cases, every_prefix_is_read_or_refused);
    tcase_add_test(cases, marks_in_code_and_prose_of_telemetry_are_not_read);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(publish_suite)
