/*
 * oql_expression.c - expressions by operator precedence (Dijkstra's shunting-yard), to steps.
 *
 * A value becomes a step at once. An operator first settles what waits and binds at least as tight
 * (its left side is then complete), and then waits itself. A bracket waits as a mark that nothing
 * settles but its other half. What the example leaves, step by step and with what waits behind it:
 *
 *   h . size + 1 * 2 > 7 AND ...
 *     h            HEAD h
 *     . size       HEAD h, FIELD size
 *     + 1 * 2      ... PUSH 1, PUSH 2                   + *
 *     >            ... MULTIPLY, ADD                    >
 *     7 AND        ... PUSH 7, GREATER, JUMP_FALSE      AND
 *
 * The jump of an AND or OR goes behind the step that makes a truth value of its right side; where
 * that is, is known when it is settled.
 *
 * Invariants: each expression has a mark of its own at the bottom of what waits, so that an
 * expression inside of another never settles what is outside. When an expression ends it has left
 * exactly one value on the stack that its steps work on; `depth` counts them while they are made,
 * so that the machine knows beforehand how large a stack must be.
 */
#include <assert.h>
#include <stdio.h>

#include "oql_parse.h"
#include "quote.h"
#include "slice.h"

/* Binds tighter, the higher. */
enum { P_OR = 1, P_AND, P_NOT, P_EQUAL, P_RELATION, P_SUM, P_PRODUCT, P_NEGATE };

static const struct infix {
    const char *sign;
    fl_oql_op op;
    int precedence;
    bool is_negated;
} INFIXES[] = {
    {"=", FL_OQL_EQUAL, P_EQUAL, false},        {"!=", FL_OQL_EQUAL, P_EQUAL, true},
    {"<>", FL_OQL_EQUAL, P_EQUAL, true},        {"<", FL_OQL_LESS, P_RELATION, false},
    {">", FL_OQL_GREATER, P_RELATION, false},   {"<=", FL_OQL_AT_MOST, P_RELATION, false},
    {">=", FL_OQL_AT_LEAST, P_RELATION, false}, {"+", FL_OQL_ADD, P_SUM, false},
    {"-", FL_OQL_SUBTRACT, P_SUM, false},       {"*", FL_OQL_MULTIPLY, P_PRODUCT, false},
    {"/", FL_OQL_DIVIDE, P_PRODUCT, false},     {"%", FL_OQL_REMAINDER, P_PRODUCT, false}};

/* ---- steps ---- */

/* How many values a step leaves more than it takes. */
static int effect_of(const fl_oql_step *step)
{
    switch (step->op) {
    case FL_OQL_PUSH:
    case FL_OQL_SELF:
    case FL_OQL_HEAD:
    case FL_OQL_RESULT:
        return 1;
    case FL_OQL_CALL:
    case FL_OQL_LIST:
        return 1 - (int)step->args;
    case FL_OQL_METHOD:
        return -(int)step->args;
    case FL_OQL_FIELD:
    case FL_OQL_ATTRIBUTE:
    case FL_OQL_NEGATE:
    case FL_OQL_NOT:
    case FL_OQL_TO_BOOL:
    case FL_OQL_IS_NULL:
    case FL_OQL_LIKE:
        return 0;
    default: /* of two values one; a jump that is not made takes its value */
        return -1;
    }
}

/* Append a step and account for what it does to the stack, whose greatest depth is then known. */
static void emit(fl_oql_parser *parser, fl_oql_step step)
{
    assert(parser->frame_count > 0);
    fl_oql_query *query = fl_oql_current(parser);
    if (query->step_count == query->step_cap)
        query->steps = fl_oql_grown(parser, query->steps, &query->step_cap, sizeof(step));
    if (parser->status != FL_OK)
        return;
    query->steps[query->step_count++] = step;
    int depth = (int)query->depth + effect_of(&step);
    assert(depth >= 0);
    query->depth = (uint32_t)depth;
    if (query->depth > query->max_depth)
        query->max_depth = query->depth;
}

/* A step at the word that stands next. */
static fl_oql_step step_of(const fl_oql_parser *parser, fl_oql_op op)
{
    assert(parser->token.at <= UINT32_MAX);
    return (fl_oql_step){.op = op, .at = (uint32_t)parser->token.at};
}

/* What waits here is what a recursive parser would have on its call stack. */
static void wait_for_more(fl_oql_parser *parser, fl_oql_waiting waiting)
{
    assert(parser->waiting_count <= FL_OQL_MAX_DEPTH);
    if (parser->status != FL_OK)
        return;
    if (parser->waiting_count == FL_OQL_MAX_DEPTH) {
        parser->status = fl_fail(parser->err, FL_E_LIMIT, waiting.at,
                                 "the query is nested deeper than %u", FL_OQL_MAX_DEPTH);
        return;
    }
    parser->waiting[parser->waiting_count++] = waiting;
    parser->wants_value = true;
}

static fl_oql_waiting *top(fl_oql_parser *parser)
{
    assert(parser->waiting_count > 0);
    return &parser->waiting[parser->waiting_count - 1];
}

/* Emit what waits and binds at least as tight. */
static void settle(fl_oql_parser *parser, int precedence)
{
    assert(precedence >= 0 && precedence <= P_NEGATE);
    while (parser->status == FL_OK && top(parser)->kind > FL_OQL_W_BASE &&
           top(parser)->kind <= FL_OQL_W_JOINT && top(parser)->precedence >= precedence) {
        fl_oql_waiting done = parser->waiting[--parser->waiting_count];
        fl_oql_op op = done.kind == FL_OQL_W_JOINT ? FL_OQL_TO_BOOL : done.op;
        emit(parser, (fl_oql_step){.op = op, .is_negated = done.is_negated, .at = done.at});
        fl_oql_query *query = fl_oql_current(parser);
        if (done.kind == FL_OQL_W_JOINT)
            query->steps[done.which].which = query->step_count;
    }
}

/* ---- values ---- */

/* '(' stands next, behind a function's or a method's name. */
static void begin_arguments(fl_oql_parser *parser, fl_oql_waiting_kind kind, uint32_t which,
                            uint32_t at)
{
    fl_oql_advance(parser);
    wait_for_more(parser, (fl_oql_waiting){.kind = kind, .which = which, .at = at});
    if (parser->status == FL_OK && fl_oql_at_sign(parser, ")"))
        parser->wants_value = false; /* nothing stands between */
    else if (parser->status == FL_OK)
        top(parser)->args = 1;
}

/* An unknown name is answered with those that there are. */
static void fail_name(fl_oql_parser *parser, const char *what, fl_slice name, size_t at,
                      const fl_oql_name *names, uint32_t count)
{
    assert(what != NULL && count > 0);
    char quoted[FL_QUOTE_TEXT], list[140];
    fl_oql_name_list(list, sizeof(list), names, count);
    if (parser->status == FL_OK)
        parser->status = fl_fail(parser->err, FL_E_SYNTAX, at, "no %s '%s'; there are %s", what,
                                 fl_quote(quoted, name), list);
}

/* A name with a bracket behind it. */
static void begin_call(fl_oql_parser *parser)
{
    assert(fl_oql_ahead_is_open(parser));
    fl_oql_token name = parser->token;
    uint32_t which = fl_oql_name_find(fl_oql_functions, FL_OQL_FUNCTION_COUNT, name.text);
    if (which == FL_OQL_FUNCTION_COUNT) {
        fail_name(parser, "function", name.text, name.at, fl_oql_functions, FL_OQL_FUNCTION_COUNT);
        return;
    }
    parser->oql->needs_tree |= which == FL_OQL_DOMINATORS || which == FL_OQL_DOMINATOROF;
    parser->oql->needs_inbound |= which == FL_OQL_INBOUNDS;
    fl_oql_advance(parser);
    begin_arguments(parser, FL_OQL_W_CALL, which, (uint32_t)name.at);
}

/* "getLength" is what a program would call for "length". */
static uint32_t attribute_of(fl_slice name, bool is_called)
{
    if (is_called && name.len > 3 && fl_oql_is_word(fl_slice_part(name, 0, 3), "get"))
        name = fl_slice_part(name, 3, name.len);
    return fl_oql_name_find(fl_oql_attributes, FL_OQL_ATTRIBUTE_COUNT, name);
}

/* Methods stand for the calls that MAT passes on to Java. */
static void begin_method(fl_oql_parser *parser, fl_oql_token name, uint32_t which)
{
    assert(which < FL_OQL_METHOD_COUNT);
    fl_oql_advance(parser);
    begin_arguments(parser, FL_OQL_W_METHOD, which, (uint32_t)name.at);
}

/* The name behind '@'; what it belongs to has been emitted. */
static void read_attribute(fl_oql_parser *parser)
{
    fl_oql_token name = parser->token;
    if (name.kind != FL_OQL_T_NAME) {
        fl_oql_fail_expected(parser, "an attribute's name");
        return;
    }
    bool is_called = fl_oql_ahead_is_open(parser);
    uint32_t method = fl_oql_name_find(fl_oql_methods, FL_OQL_METHOD_COUNT, name.text);
    uint32_t which = attribute_of(name.text, is_called);
    if (is_called && method < FL_OQL_METHOD_COUNT) {
        begin_method(parser, name, method);
        return;
    }
    if (which == FL_OQL_ATTRIBUTE_COUNT) {
        fail_name(parser, "attribute", name.text, name.at, fl_oql_attributes,
                  FL_OQL_ATTRIBUTE_COUNT);
        return;
    }
    parser->oql->needs_tree |= which == FL_OQL_A_RETAINED_HEAP_SIZE;
    fl_oql_step step = step_of(parser, FL_OQL_ATTRIBUTE);
    step.which = which;
    emit(parser, step);
    fl_oql_advance(parser);
    if (is_called) {
        fl_oql_need_sign(parser, "(");
        fl_oql_need_sign(parser, ")");
    }
}

/* A literal. */
static void push(fl_oql_parser *parser, fl_oql_value value)
{
    fl_oql_step step = step_of(parser, FL_OQL_PUSH);
    step.value = value;
    emit(parser, step);
    fl_oql_advance(parser);
}

/* A truth value, null, a function, or the start of a path. */
static void read_name(fl_oql_parser *parser)
{
    assert(parser->token.kind == FL_OQL_T_NAME);
    fl_slice name = parser->token.text;
    bool is_true = fl_oql_is_word(name, "true");
    if (is_true || fl_oql_is_word(name, "false")) {
        push(parser, (fl_oql_value){.kind = FL_OQL_BOOL, .number = is_true});
    } else if (fl_oql_is_word(name, "null")) {
        push(parser, (fl_oql_value){.kind = FL_OQL_NULL});
    } else if (fl_oql_is_reserved(name)) {
        fl_oql_fail_expected(parser, "a value");
    } else if (fl_oql_ahead_is_open(parser)) {
        begin_call(parser);
    } else {
        fl_oql_step step = step_of(parser, FL_OQL_HEAD);
        step.name = name;
        emit(parser, step);
        fl_oql_advance(parser);
    }
}

/* Numbers, characters and texts; anything else is no value. */
static void read_literal(fl_oql_parser *parser)
{
    const fl_oql_token *token = &parser->token;
    switch (token->kind) {
    case FL_OQL_T_NUMBER:
    case FL_OQL_T_ADDRESS:
        push(parser, (fl_oql_value){.kind = FL_OQL_INT, .number = (int64_t)token->number});
        break;
    case FL_OQL_T_REAL:
        push(parser, (fl_oql_value){.kind = FL_OQL_FLOAT, .real = token->real});
        break;
    case FL_OQL_T_CHAR:
        push(parser, (fl_oql_value){.kind = FL_OQL_CHAR, .number = (int64_t)token->number});
        break;
    case FL_OQL_T_TEXT:
        push(parser, (fl_oql_value){.kind = FL_OQL_TEXT, .text = token->text});
        break;
    default:
        fl_oql_fail_expected(parser, "a value");
        break;
    }
}

/* A subquery, the list of an IN, or brackets around an expression. */
static void read_brackets(fl_oql_parser *parser)
{
    assert(fl_oql_at_sign(parser, "("));
    bool is_query = fl_oql_ahead_is_select(parser);
    fl_oql_waiting_kind kind = is_query              ? FL_OQL_W_QUERY
                               : parser->is_after_in ? FL_OQL_W_LIST
                                                     : FL_OQL_W_PAREN;
    wait_for_more(parser,
                  (fl_oql_waiting){.kind = kind, .args = 1, .at = (uint32_t)parser->token.at});
    fl_oql_advance(parser);
    if (is_query)
        fl_oql_begin_query(parser);
}

/* Binds what follows, so nothing that waits is settled by it. */
static void read_prefix(fl_oql_parser *parser, fl_oql_op op, int precedence)
{
    assert(op == FL_OQL_NEGATE || op == FL_OQL_NOT);
    wait_for_more(parser, (fl_oql_waiting){.kind = FL_OQL_W_PREFIX,
                                           .op = op,
                                           .precedence = precedence,
                                           .at = (uint32_t)parser->token.at});
    fl_oql_advance(parser);
}

/* Where a value must stand. */
static void read_value(fl_oql_parser *parser)
{
    assert(parser->wants_value);
    bool was_after_in = parser->is_after_in;
    parser->wants_value = false;
    if (fl_oql_at_sign(parser, "(")) {
        read_brackets(parser);
    } else if (fl_oql_at_sign(parser, "-")) {
        read_prefix(parser, FL_OQL_NEGATE, P_NEGATE);
    } else if (!was_after_in && fl_oql_at_word(parser, "NOT")) {
        read_prefix(parser, FL_OQL_NOT, P_NOT);
    } else if (fl_oql_at_sign(parser, "@")) {
        emit(parser, step_of(parser, FL_OQL_SELF));
        fl_oql_advance(parser);
        read_attribute(parser);
    } else if (parser->token.kind == FL_OQL_T_NAME) {
        read_name(parser);
    } else {
        read_literal(parser);
    }
    parser->is_after_in = false;
}

/* ---- behind a value ---- */

static void read_dot(fl_oql_parser *parser)
{
    assert(fl_oql_at_sign(parser, "."));
    fl_oql_advance(parser);
    if (fl_oql_take_sign(parser, "@")) {
        read_attribute(parser);
        return;
    }
    fl_oql_token name = parser->token;
    if (name.kind != FL_OQL_T_NAME) {
        fl_oql_fail_expected(parser, "a field's name");
        return;
    }
    if (!fl_oql_ahead_is_open(parser)) {
        fl_oql_step step = step_of(parser, FL_OQL_FIELD);
        step.name = name.text;
        emit(parser, step);
        fl_oql_advance(parser);
        return;
    }
    uint32_t which = fl_oql_name_find(fl_oql_methods, FL_OQL_METHOD_COUNT, name.text);
    if (which == FL_OQL_METHOD_COUNT)
        fail_name(parser, "method", name.text, name.at, fl_oql_methods, FL_OQL_METHOD_COUNT);
    else
        begin_method(parser, name, which);
}

/* AND and OR do not look at their right side where the left one decides. */
static void read_joint(fl_oql_parser *parser, fl_oql_op jump, int precedence)
{
    assert(jump == FL_OQL_JUMP_FALSE || jump == FL_OQL_JUMP_TRUE);
    settle(parser, precedence);
    if (parser->status != FL_OK)
        return;
    fl_oql_waiting waiting = {.kind = FL_OQL_W_JOINT,
                              .precedence = precedence,
                              .which = fl_oql_current(parser)->step_count,
                              .at = (uint32_t)parser->token.at};
    emit(parser, step_of(parser, jump));
    wait_for_more(parser, waiting);
    fl_oql_advance(parser);
}

/* Left-associative: what binds as tight is settled first. */
static void read_binary(fl_oql_parser *parser, const struct infix *infix, bool is_negated)
{
    assert(infix->precedence > 0);
    settle(parser, infix->precedence);
    wait_for_more(parser, (fl_oql_waiting){.kind = FL_OQL_W_BINARY,
                                           .op = infix->op,
                                           .precedence = infix->precedence,
                                           .is_negated = is_negated,
                                           .at = (uint32_t)parser->token.at});
    fl_oql_advance(parser);
}

/* IS NULL and IS NOT NULL, as SQL has them and the published queries use. */
static void read_is_null(fl_oql_parser *parser)
{
    assert(fl_oql_at_word(parser, "IS"));
    settle(parser, P_EQUAL);
    fl_oql_step step = step_of(parser, FL_OQL_IS_NULL);
    fl_oql_advance(parser);
    step.is_negated = fl_oql_take_word(parser, "NOT");
    if (fl_oql_take_word(parser, "NULL"))
        emit(parser, step);
    else
        fl_oql_fail_expected(parser, "NULL");
}

/* The pattern must be a literal, as in MAT, and so is compiled once. */
static void read_like(fl_oql_parser *parser, bool is_negated)
{
    assert(fl_oql_at_word(parser, "LIKE"));
    settle(parser, P_RELATION);
    fl_oql_advance(parser);
    fl_oql_step step = step_of(parser, FL_OQL_LIKE);
    step.is_negated = is_negated;
    if (parser->status == FL_OK && parser->token.kind != FL_OQL_T_TEXT)
        fl_oql_fail_expected(parser, "a regular expression in double quotes");
    if (parser->status != FL_OK)
        return;
    step.regex = fl_oql_pattern_of(parser, parser->token.text, parser->token.at + 1);
    emit(parser, step);
    fl_oql_advance(parser);
}

/* What follows in brackets is a list or a query. */
static void read_in(fl_oql_parser *parser, bool is_negated)
{
    assert(fl_oql_at_word(parser, "IN"));
    static const struct infix in = {"IN", FL_OQL_IN, P_RELATION, false};
    read_binary(parser, &in, is_negated);
    parser->is_after_in = true;
}

/* False where the word is none of these. */
static bool read_word_operator(fl_oql_parser *parser)
{
    if (fl_oql_at_word(parser, "AND"))
        read_joint(parser, FL_OQL_JUMP_FALSE, P_AND);
    else if (fl_oql_at_word(parser, "OR"))
        read_joint(parser, FL_OQL_JUMP_TRUE, P_OR);
    else if (fl_oql_at_word(parser, "IS"))
        read_is_null(parser);
    else if (fl_oql_at_word(parser, "LIKE"))
        read_like(parser, false);
    else if (fl_oql_at_word(parser, "IN"))
        read_in(parser, false);
    else if (fl_oql_take_word(parser, "NOT")) {
        if (fl_oql_at_word(parser, "LIKE"))
            read_like(parser, true);
        else if (fl_oql_at_word(parser, "IN"))
            read_in(parser, true);
        else
            fl_oql_fail_expected(parser, "LIKE or IN");
    } else {
        return false;
    }
    return true;
}

/* A comma between arguments, else the expression's end. */
static void read_comma(fl_oql_parser *parser)
{
    settle(parser, 0);
    fl_oql_waiting_kind kind = top(parser)->kind;
    if (kind == FL_OQL_W_CALL || kind == FL_OQL_W_METHOD || kind == FL_OQL_W_LIST) {
        top(parser)->args++;
        fl_oql_advance(parser);
        parser->wants_value = true;
    } else {
        parser->is_ended = true;
    }
}

/* Each function and method takes one number of arguments. */
static void check_arguments(fl_oql_parser *parser, const fl_oql_waiting *call)
{
    if (call->kind != FL_OQL_W_CALL && call->kind != FL_OQL_W_METHOD)
        return;
    const fl_oql_name *name =
        call->kind == FL_OQL_W_CALL ? &fl_oql_functions[call->which] : &fl_oql_methods[call->which];
    if (call->args != name->args)
        parser->status =
            fl_fail(parser->err, FL_E_SYNTAX, call->at, "%s() takes %u argument%s, not %u",
                    name->text, name->args, name->args == 1 ? "" : "s", call->args);
}

/* Close the bracket that waits; the expression's end where none of this kind does. */
static void read_closing(fl_oql_parser *parser, bool is_square)
{
    settle(parser, 0);
    if (parser->status != FL_OK)
        return;
    fl_oql_waiting open = *top(parser);
    if (open.kind <= FL_OQL_W_JOINT || (open.kind == FL_OQL_W_INDEX) != is_square) {
        parser->is_ended = true;
        return;
    }
    assert(open.kind != FL_OQL_W_QUERY);
    parser->waiting_count--;
    check_arguments(parser, &open);
    static const fl_oql_op ops[] = {[FL_OQL_W_LIST] = FL_OQL_LIST,
                                    [FL_OQL_W_CALL] = FL_OQL_CALL,
                                    [FL_OQL_W_METHOD] = FL_OQL_METHOD,
                                    [FL_OQL_W_INDEX] = FL_OQL_INDEX};
    if (open.kind != FL_OQL_W_PAREN && parser->status == FL_OK)
        emit(parser,
             (fl_oql_step){
                 .op = ops[open.kind], .which = open.which, .args = open.args, .at = open.at});
    fl_oql_advance(parser);
}

/* A sign between two values; any other word ends the expression. */
static void read_sign_operator(fl_oql_parser *parser)
{
    for (size_t i = 0; i < sizeof(INFIXES) / sizeof(INFIXES[0]); i++)
        if (fl_oql_at_sign(parser, INFIXES[i].sign)) {
            read_binary(parser, &INFIXES[i], INFIXES[i].is_negated);
            return;
        }
    parser->is_ended = true;
}

/* Where an operator, a closing bracket or the end of the expression must stand. */
static void read_operator(fl_oql_parser *parser)
{
    assert(!parser->wants_value);
    if (fl_oql_at_sign(parser, "."))
        read_dot(parser);
    else if (fl_oql_at_sign(parser, ","))
        read_comma(parser);
    else if (fl_oql_at_sign(parser, ")"))
        read_closing(parser, false);
    else if (fl_oql_at_sign(parser, "]"))
        read_closing(parser, true);
    else if (fl_oql_at_sign(parser, "[")) {
        wait_for_more(parser,
                      (fl_oql_waiting){.kind = FL_OQL_W_INDEX, .at = (uint32_t)parser->token.at});
        fl_oql_advance(parser);
    } else if (!read_word_operator(parser)) {
        read_sign_operator(parser);
    }
}

/* ---- the whole ---- */

void fl_oql_expression_begin(fl_oql_parser *parser)
{
    wait_for_more(parser,
                  (fl_oql_waiting){.kind = FL_OQL_W_BASE, .at = (uint32_t)parser->token.at});
    parser->is_ended = false;
    parser->is_after_in = false;
}

/* Only its base waits now, or a bracket was not closed. */
static void end_expression(fl_oql_parser *parser)
{
    settle(parser, 0);
    if (parser->status != FL_OK)
        return;
    if (top(parser)->kind != FL_OQL_W_BASE) {
        fl_oql_fail_expected(parser, top(parser)->kind == FL_OQL_W_INDEX ? "']'" : "')'");
        return;
    }
    parser->waiting_count--;
    fl_oql_query *query = fl_oql_current(parser);
    assert(query->depth == 1);
    query->depth = 0;
}

/* Stops between words when a subquery began: the frame on top is then another. */
void fl_oql_expression_run(fl_oql_parser *parser)
{
    assert(parser->waiting_count > 0);
    const fl_oql_query *query = fl_oql_current(parser);
    while (parser->status == FL_OK && !parser->is_ended && fl_oql_current(parser) == query) {
        if (parser->wants_value)
            read_value(parser);
        else
            read_operator(parser);
    }
    if (parser->is_ended)
        end_expression(parser);
}

/* The subquery stands for a value; its closing bracket comes next. */
void fl_oql_expression_resume(fl_oql_parser *parser, uint32_t answer)
{
    assert(answer < parser->oql->query_count);
    fl_oql_waiting query = *top(parser);
    assert(query.kind == FL_OQL_W_QUERY);
    parser->waiting_count--;
    fl_oql_need_sign(parser, ")");
    emit(parser, (fl_oql_step){.op = FL_OQL_RESULT, .which = answer, .at = query.at});
    parser->is_ended = false;
    parser->wants_value = false;
}
