/*
 * Is a confidence of 0.8 right in 8 of 10 cases? 2,000 made-up incidents of four years are
 * replayed: each is asked about before its outcome is learnt, and what was promised is compared
 * with what came. The process is known: what causes a kind of fault and how often, what fixes it
 * and how often, how often people are wrong, and that half of the kinds change their causes half
 * way.
 */
#include <math.h>
#include <stdio.h>

#include "memory.h"
#include "slice.h"

#include "fl_store_place.h"
#include "fl_test.h"

enum { INCIDENTS = 2000, KINDS = 12, SYMPTOMS = 3, CAUSES = 3, BINS = 10 };
#define DAY        INT64_C(86400000000000)
#define BEGIN      INT64_C(1700000000000000000)
#define CONFIRMED  0.8  /* of the outcomes are told */
#define WRONG      0.05 /* of those name another cause */
#define FIX_HELPS  0.7
#define COMMON_ONE 0.4 /* of the incidents show a symptom that all kinds share, as errors do */

static const double rates[CAUSES] = {0.7, 0.2, 0.1};

static fl_error err;
static fl_arena arena;
static fl_store_place place;
static fl_store *store;
static uint64_t state;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(256u << 20);
    fl_store_place_make(&place);
    store = NULL;
    ck_assert_ok(fl_store_open(&store, "sqlite::memory:", FL_STORE_CREATE, &err));
    state = UINT64_C(0x9E3779B97F4A7C15);
}

static void teardown(void)
{
    fl_store_close(store);
    fl_arena_dispose(&arena);
    fl_store_place_clear(&place);
}

/* splitmix64, in [0, 1). */
static double next(void)
{
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

/* What was promised with about that confidence, and how often it held. */
typedef struct bins {
    double promised[BINS], held[BINS], count[BINS];
} bins;

static void tally(bins *b, double confidence, bool held)
{
    size_t at = (size_t)fmin(confidence * BINS, BINS - 1);
    b->promised[at] += confidence;
    b->held[at] += held;
    b->count[at]++;
}

/* Expected calibration error (Naeini, Cooper and Hauskrecht 2015), with a table on the terminal. */
static double error_of(const bins *b, const char *what)
{
    double all = 0, error = 0;
    for (size_t i = 0; i < BINS; i++)
        all += b->count[i];
    for (size_t i = 0; i < BINS; i++) {
        if (b->count[i] == 0)
            continue;
        printf("%-6s %.1f to %.1f: promised %.3f, held %.3f, n = %.0f\n", what, (double)i / BINS,
               (double)(i + 1) / BINS, b->promised[i] / b->count[i], b->held[i] / b->count[i],
               b->count[i]);
        error += fabs(b->promised[i] - b->held[i]) / all;
    }
    printf("%-6s expected calibration error %.4f, n = %.0f\n", what, error, all);
    fflush(stdout);
    return error;
}

/* One made-up incident: hypotheses are its symptoms. */
typedef struct made {
    char id[16], loci[SYMPTOMS + 1][32], cause[32], fix[48];
    fl_hypothesis hypotheses[SYMPTOMS + 1];
    fl_incident incident;
    bool fix_helps;
} made;

/* The rates turn round half way for every second kind: a redesign. */
static size_t draw_cause(size_t kind, size_t number)
{
    double u = next();
    size_t cause = u < rates[0] ? 0 : u < rates[0] + rates[1] ? 1 : 2;
    return kind % 2 == 0 && number >= INCIDENTS / 2 ? CAUSES - 1 - cause : cause;
}

static void make(made *m, size_t number)
{
    size_t kind = (size_t)(next() * KINDS);
    size_t count = SYMPTOMS + (next() < COMMON_ONE);
    *m = (made){.fix_helps = next() < FIX_HELPS};
    snprintf(m->id, sizeof(m->id), "i%zu", number);
    snprintf(m->cause, sizeof(m->cause), "cause %zu of %zu", draw_cause(kind, number), kind);
    snprintf(m->fix, sizeof(m->fix), "fix of %s", m->cause);
    for (size_t i = 0; i < count; i++) {
        if (i < SYMPTOMS)
            snprintf(m->loci[i], sizeof(m->loci[i]), "symptom %zu of %zu", i, kind);
        else
            snprintf(m->loci[i], sizeof(m->loci[i]), "errors");
        m->hypotheses[i] = (fl_hypothesis){.service = "s",
                                           .cause = FL_CAUSE_EXCEPTION,
                                           .locus = FL_LOCUS_METRIC,
                                           .locus_name = m->loci[i],
                                           .score = 5 + 10 * next()};
    }
    m->incident = (fl_incident){.id = m->id,
                                .at_ns = BEGIN + (int64_t)number * (4 * 365 * DAY / INCIDENTS),
                                .hypotheses = m->hypotheses,
                                .hypothesis_count = count};
}

/* Every path is a promise: that this was the cause, and that this will fix it. */
static void ask(const made *m, bins *first, bins *causes, bins *fixes)
{
    fl_memory memory;
    fl_symptoms symptoms;
    int64_t now = m->incident.at_ns;
    ck_assert_ok(fl_symptoms_of(&symptoms, &m->incident, now, &arena, &err));
    const fl_memory_question question = {
        .symptoms = &symptoms, .self = m->id, .now_ns = now, .most_similar = 1};
    ck_assert_ok(fl_memory_recall(&memory, store, &question, &arena, &err));
    for (size_t i = 0; i < memory.path_count; i++) {
        const fl_path *path = &memory.paths[i];
        bool right = strcmp(path->title, m->cause) == 0;
        tally(causes, path->confidence.mean, right);
        if (i == 0)
            tally(first, path->confidence.mean, right);
        for (size_t k = 0; k < path->fix_count; k++)
            tally(fixes, path->fixes[k].confidence.mean, right && m->fix_helps);
    }
}

/* Somebody tells the outcome, and is wrong now and then. */
static void tell(const made *m, size_t number)
{
    fl_learnt learnt;
    fl_graph_node cause, fix;
    char words[48];
    bool is_wrong = next() < WRONG;
    if (next() >= CONFIRMED)
        return;
    snprintf(words, sizeof(words), "%s", m->cause);
    if (is_wrong) /* another cause of the same kind */
        words[6] = (char)('0' + (words[6] - '0' + 1) % CAUSES);
    int64_t now = m->incident.at_ns + 3600 * INT64_C(1000000000);
    ck_assert_ok(fl_symptoms_said(&cause, FL_NODE_CAUSE, words, now, &arena, &err));
    fl_lesson lesson = {.incident = &m->incident,
                        .cause = &cause,
                        .supports = true,
                        .source = FL_SOURCE_PERSON,
                        .fix_source = FL_SOURCE_FIX,
                        .author = number % 3 == 0   ? "ada"
                                  : number % 3 == 1 ? "bob"
                                                    : "eve",
                        .now_ns = now,
                        .is_note = true};
    ck_assert_ok(fl_memory_learn(&learnt, store, &lesson, &arena, &err));
    if (is_wrong)
        return;
    ck_assert_ok(fl_symptoms_said(&fix, FL_NODE_FIX, m->fix, now, &arena, &err));
    lesson.fix = &fix;
    lesson.explains = &cause.id; /* of the cause it has been said */
    lesson.explains_count = 0;
    lesson.fix_failed = !m->fix_helps;
    ck_assert_ok(fl_memory_learn(&learnt, store, &lesson, &arena, &err));
}

START_TEST(what_is_promised_is_what_comes)
{
    bins first = {.count = {0}}, causes = {.count = {0}}, fixes = {.count = {0}};
    for (size_t i = 0; i < INCIDENTS; i++) {
        made m;
        make(&m, i);
        ask(&m, &first, &causes, &fixes);
        tell(&m, i);
        fl_arena_dispose(&arena);
        arena = fl_arena_of(256u << 20);
    }
    /* All paths that are told; of the first alone, which is chosen by being high, a little more. */
    ck_assert_double_lt(error_of(&first, "first"), 0.06);
    ck_assert_double_lt(error_of(&causes, "causes"), 0.05);
    ck_assert_double_lt(error_of(&fixes, "fixes"), 0.05);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("calibration");
    TCase *tc = tcase_create("calibration");
    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_is_promised_is_what_comes);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
