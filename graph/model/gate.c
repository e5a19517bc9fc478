/*
 * gate.c - the grammar of qualifiers, walked once to check it and once to answer.
 *
 * A test is unknown where one of its conditions is and none fails; a gate holds where one test
 * does. So an unknown value never refutes what another condition settles.
 */
#include "gate.h"

#include <assert.h>

#include "quantity.h"
#include "slice.h"

/* ---- components ---- */

/* "maven >=1" into its two parts. */
static fl_status split_component(fl_ecosystem *ecosystem, fl_slice *range, fl_slice qualifier,
                                 fl_error *err)
{
    size_t blank = fl_slice_find(qualifier, FL_SLICE(" "));
    fl_slice name = {.ptr = qualifier.ptr, .len = blank};
    if (!fl_ecosystem_of(name, ecosystem))
        return fl_fail(err, FL_E_SYNTAX, 0,
                       "a component's versions begin with semver, go, maven or debian");
    *range = (fl_slice){.ptr = qualifier.ptr + blank, .len = qualifier.len - blank};
    return FL_OK;
}

/* No qualifier at all is the widest gate. */
static bool is_any(fl_slice qualifier)
{
    return qualifier.len == 0 || fl_slice_equal(qualifier, FL_SLICE("*"));
}

fl_status fl_gate_check_component(fl_slice qualifier, fl_error *err)
{
    fl_ecosystem ecosystem;
    fl_slice range;
    fl_error inner = {0};
    assert(qualifier.len == 0 || qualifier.ptr != NULL);
    if (is_any(qualifier))
        return FL_OK;
    fl_status status = split_component(&ecosystem, &range, qualifier, err);
    if (status != FL_OK)
        return status;
    status = fl_version_range_check(ecosystem, range, &inner);
    return status == FL_OK ? FL_OK
                           : fl_fail(err, status, inner.offset + (qualifier.len - range.len),
                                     "%.160s", inner.message);
}

fl_gate_answer fl_gate_component(fl_slice qualifier, fl_slice version)
{
    fl_ecosystem ecosystem;
    fl_slice range;
    if (is_any(qualifier))
        return FL_GATE_HOLDS;
    if (fl_gate_check_component(qualifier, NULL) != FL_OK ||
        split_component(&ecosystem, &range, qualifier, NULL) != FL_OK)
        return FL_GATE_UNKNOWN;
    if (fl_slice_equal(fl_slice_trim(range), FL_SLICE("*")))
        return FL_GATE_HOLDS;
    /* Go's toolchain calls itself go1.22.3, its modules v1.22.3. */
    if (ecosystem == FL_ECOSYSTEM_SEMVER && version.len > 2 &&
        fl_slice_starts_with(version, FL_SLICE("go")))
        version = (fl_slice){.ptr = version.ptr + 2, .len = version.len - 2};
    if (fl_version_check(ecosystem, version, NULL) != FL_OK)
        return FL_GATE_UNKNOWN;
    return fl_version_in_range(ecosystem, range, version) ? FL_GATE_HOLDS : FL_GATE_FAILS;
}

/* ---- configuration ---- */

typedef enum op { OP_ABSENT, OP_PRESENT, OP_IS, OP_IS_NOT, OP_GE, OP_GT, OP_LE, OP_LT } op;

static const struct {
    const char *text; /* longer ones before those that they begin with */
    op op;
} operators[] = {{"!=", OP_IS_NOT}, {">=", OP_GE}, {"<=", OP_LE},
                 {"=", OP_IS},      {">", OP_GT},  {"<", OP_LT}};

/* One condition. */
typedef struct condition {
    op op;
    fl_slice operand;
    double bound;
    fl_dimension dimension;
} condition;

/* The word at *at, which is no blank; "||" is one. */
static fl_slice next_word(fl_slice text, size_t *at)
{
    size_t start = *at;
    while (*at < text.len && text.ptr[*at] != ' ')
        ++*at;
    return (fl_slice){.ptr = text.ptr + start, .len = *at - start};
}

/* Bounds are read here once to know that they can be, and again when they are used. */
static fl_status read_condition(condition *out, fl_slice word, size_t at, fl_error *err)
{
    *out = (condition){.op = OP_ABSENT};
    if (fl_slice_equal(word, FL_SLICE("absent")))
        return FL_OK;
    out->op = OP_PRESENT;
    if (fl_slice_equal(word, FL_SLICE("present")))
        return FL_OK;
    size_t i = 0, known = sizeof(operators) / sizeof(operators[0]);
    while (i < known && !fl_slice_starts_with(word, fl_slice_of(operators[i].text)))
        i++;
    if (i == known)
        return fl_fail(err, FL_E_SYNTAX, at,
                       "a condition is absent, present, or a value after = != >= > <= <");
    size_t len = strlen(operators[i].text);
    out->op = operators[i].op;
    out->operand = (fl_slice){.ptr = word.ptr + len, .len = word.len - len};
    if (out->operand.len == 0)
        return fl_fail(err, FL_E_SYNTAX, at + len, "a value is expected after \"%s\"",
                       operators[i].text);
    if (out->op >= OP_GE && !fl_quantity_bound(&out->bound, &out->dimension, out->operand))
        return fl_fail(err, FL_E_SYNTAX, at + len,
                       "a bound is a number, a time such as 500ms or 5min, or a size such as 2GiB");
    return FL_OK;
}

/* ASCII: names of values are. */
static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

/* TRUE and true are one value in every format that people write. */
static bool is_same_text(fl_slice a, fl_slice b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return a.len == b.len;
}

/* Of what is known. */
static fl_gate_answer answer_of(bool holds)
{
    return holds ? FL_GATE_HOLDS : FL_GATE_FAILS;
}

/* `value` NULL: only "absent" holds. */
static fl_gate_answer condition_holds(const condition *c, const fl_slice *value)
{
    double number;
    if (c->op == OP_ABSENT || c->op == OP_PRESENT)
        return answer_of((value == NULL) == (c->op == OP_ABSENT));
    if (value == NULL)
        return FL_GATE_FAILS;
    if (c->op == OP_IS || c->op == OP_IS_NOT)
        return answer_of(is_same_text(c->operand, *value) == (c->op == OP_IS));
    if (!fl_quantity_read(&number, c->dimension, *value))
        return FL_GATE_UNKNOWN;
    if (c->op == OP_GE || c->op == OP_GT)
        return answer_of(c->op == OP_GE ? number >= c->bound : number > c->bound);
    return answer_of(c->op == OP_LE ? number <= c->bound : number < c->bound);
}

/* What a walk over a qualifier found out. */
typedef struct walk {
    const fl_slice *value;
    fl_gate_answer answer; /* of the best test */
    fl_gate_answer test;   /* of the one that is being walked */
    size_t conditions;     /* of it */
} walk;

/* The best of the tests decides: they are alternatives. */
static void end_test(walk *w)
{
    if (w->test > w->answer)
        w->answer = w->test;
    w->test = FL_GATE_HOLDS;
    w->conditions = 0;
}

/* Checks all of it, and answers for w->value. */
static fl_status walk_config(walk *w, fl_slice text, fl_error *err)
{
    size_t at = 0;
    *w = (walk){.value = w->value, .answer = FL_GATE_FAILS, .test = FL_GATE_HOLDS};
    while (at < text.len) {
        if (text.ptr[at] == ' ') {
            at++;
            continue;
        }
        size_t start = at;
        condition c;
        fl_slice word = next_word(text, &at);
        bool is_or = fl_slice_equal(word, FL_SLICE("||"));
        if (is_or && w->conditions == 0)
            return fl_fail(err, FL_E_SYNTAX, start, "nothing stands before \"||\"");
        if (is_or) {
            end_test(w);
            continue;
        }
        fl_status status = read_condition(&c, word, start, err);
        if (status != FL_OK)
            return status;
        fl_gate_answer answer = condition_holds(&c, w->value);
        w->test = answer < w->test ? answer : w->test;
        w->conditions++;
    }
    if (w->conditions == 0)
        return fl_fail(err, FL_E_SYNTAX, text.len, "a condition is expected");
    end_test(w);
    return FL_OK;
}

fl_status fl_gate_check_config(fl_slice qualifier, fl_error *err)
{
    walk w = {.value = NULL};
    assert(qualifier.len == 0 || qualifier.ptr != NULL);
    return qualifier.len == 0 ? FL_OK : walk_config(&w, qualifier, err);
}

fl_gate_answer fl_gate_config(fl_slice qualifier, const fl_slice *value)
{
    walk w = {.value = value};
    assert(value == NULL || value->len == 0 || value->ptr != NULL);
    if (qualifier.len == 0)
        return answer_of(value != NULL);
    return walk_config(&w, qualifier, NULL) == FL_OK ? w.answer : FL_GATE_UNKNOWN;
}

bool fl_gate_takes_absence(fl_slice qualifier)
{
    return fl_gate_config(qualifier, NULL) == FL_GATE_HOLDS;
}
