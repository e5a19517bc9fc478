/*
 * oql_parse.c - statements: SELECT, FROM, WHERE, UNION. A machine of stages with a stack of frames,
 * one for each SELECT that is open; what stands below is not lost when one begins inside of it.
 *
 *   HEAD --> ITEM ("," ITEM)* --> FROM --> [FROM_STEPS | FROM_END] --> [WHERE] --> UNION --> END
 *     \_ "*" ____________________/                                              |      ^
 *                                                                          UNION_END __/
 *
 * ITEM, FROM_STEPS and WHERE are inside of an expression (oql_expression.c); FROM_END and UNION_END
 * wait for a query in brackets. A query that ends goes into the list of queries and to the frame
 * below, which is in one of these five stages.
 *
 * Invariants: the queries that a query names stand before it in the list. Between two words that
 * are taken no failure is overlooked: the first one is in `status`, and nothing is taken after it.
 * Two words are known, the next and the one ahead, which is as much as the grammar asks for.
 *
 * Memory: all that a query consists of is in its arena, but for the regular expressions. The text
 * is bounded, a word makes at most one step, a step has a bounded size: so is the whole.
 */
#include "oql_parse.h"

#include <assert.h>
#include <stdio.h>

#include "mem.h"
#include "quote.h"
#include "slice.h"
#include "utf8.h"

/* A step has some 64 bytes and at most one word; arrays double. */
static const size_t ARENA_BYTES = 32u << 20;

/* ---- words ---- */

void fl_oql_advance(fl_oql_parser *parser)
{
    assert(parser->token.end <= parser->ahead.end || parser->ahead.end == 0);
    parser->consumed = parser->token.end;
    parser->token = parser->ahead;
    if (parser->status == FL_OK)
        parser->status =
            fl_oql_lex(&parser->ahead, parser->oql->text, parser->ahead.end, parser->err);
}

/* Whether a token is this sign; signs in texts are none. */
static bool is_sign(const fl_oql_token *token, const char *sign)
{
    assert(sign != NULL);
    return token->kind == FL_OQL_T_SIGN && fl_slice_equal(token->text, fl_slice_of(sign));
}

/* Looks, and takes nothing. */
bool fl_oql_at_sign(const fl_oql_parser *parser, const char *sign)
{
    return is_sign(&parser->token, sign);
}

/* Looks, and takes nothing. A word in double quotes is a text and no word. */
bool fl_oql_at_word(const fl_oql_parser *parser, const char *word)
{
    return parser->token.kind == FL_OQL_T_NAME && fl_oql_is_word(parser->token.text, word);
}

/* Tells a call from a field. */
bool fl_oql_ahead_is_open(const fl_oql_parser *parser)
{
    return is_sign(&parser->ahead, "(");
}

/* Tells a subquery from brackets around an expression. */
bool fl_oql_ahead_is_select(const fl_oql_parser *parser)
{
    return parser->ahead.kind == FL_OQL_T_NAME && fl_oql_is_word(parser->ahead.text, "SELECT");
}

/* False after a failure, too: a statement that goes on does no harm then. */
bool fl_oql_take_sign(fl_oql_parser *parser, const char *sign)
{
    bool is_there = parser->status == FL_OK && fl_oql_at_sign(parser, sign);
    if (is_there)
        fl_oql_advance(parser);
    return is_there;
}

/* The same for a keyword. */
bool fl_oql_take_word(fl_oql_parser *parser, const char *word)
{
    bool is_there = parser->status == FL_OK && fl_oql_at_word(parser, word);
    if (is_there)
        fl_oql_advance(parser);
    return is_there;
}

/* What stands there is quoted, so that a misplaced keyword is recognised. */
void fl_oql_fail_expected(fl_oql_parser *parser, const char *what)
{
    assert(what != NULL);
    if (parser->status != FL_OK)
        return;
    char found[FL_QUOTE_TEXT];
    const fl_oql_token *token = &parser->token;
    if (token->kind == FL_OQL_T_END)
        parser->status =
            fl_fail(parser->err, FL_E_SYNTAX, token->at, "expected %s, found the end", what);
    else
        parser->status = fl_fail(parser->err, FL_E_SYNTAX, token->at, "expected %s, found '%s'",
                                 what, fl_quote(found, token->text));
}

/* The arena's budget is far above what the longest text needs: only memory can run out. */
void fl_oql_fail_memory(fl_oql_parser *parser)
{
    if (parser->status == FL_OK)
        parser->status =
            fl_fail(parser->err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory reading a query");
}

void fl_oql_need_sign(fl_oql_parser *parser, const char *sign)
{
    assert(strlen(sign) <= 2);
    char what[8];
    snprintf(what, sizeof(what), "'%s'", sign);
    if (!fl_oql_take_sign(parser, sign))
        fl_oql_fail_expected(parser, what);
}

/* Words that no alias and no field at the start of a path can be. */
bool fl_oql_is_reserved(fl_slice word)
{
    static const char *const words[] = {"SELECT", "FROM", "WHERE",      "UNION",     "AND",
                                        "OR",     "NOT",  "LIKE",       "IN",        "IS",
                                        "AS",     "NULL", "INSTANCEOF", "IMPLEMENTS"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (fl_oql_is_word(word, words[i]))
            return true;
    return false;
}

/* ---- what is kept ---- */

void *fl_oql_grown(fl_oql_parser *parser, void *items, uint32_t *cap, size_t size)
{
    assert(size > 0 && *cap <= UINT32_MAX / 2);
    uint32_t wanted = *cap == 0 ? 8 : 2 * *cap;
    void *more = fl_arena_alloc(&parser->oql->arena, wanted, size);
    if (more == NULL) {
        fl_oql_fail_memory(parser);
        return items;
    }
    if (*cap > 0)
        memcpy(more, items, *cap * size);
    *cap = wanted;
    return more;
}

fl_oql_query *fl_oql_current(fl_oql_parser *parser)
{
    assert(parser->frame_count > 0);
    return parser->frames[parser->frame_count - 1].query;
}

static fl_oql_frame *top_frame(fl_oql_parser *parser)
{
    assert(parser->frame_count > 0);
    return &parser->frames[parser->frame_count - 1];
}

/* As written first, so that what is wrong with it has its own place; then to match all of a text.
 */
const fl_regex *fl_oql_pattern_of(fl_oql_parser *parser, fl_slice pattern, size_t at)
{
    assert(at <= parser->oql->text.len);
    fl_error err = {0};
    fl_regex *alone = NULL;
    fl_oql_pattern *kept = fl_arena_alloc(&parser->oql->arena, 1, sizeof(*kept));
    char *whole = fl_arena_printf(&parser->oql->arena, "\\A(?:%.*s)\\z", FL_SLICE_ARG(pattern));
    if (kept == NULL || whole == NULL) {
        fl_oql_fail_memory(parser);
        return NULL;
    }
    fl_status status = fl_regex_create(&alone, pattern, false, &err);
    if (status == FL_OK)
        status = fl_regex_create(&kept->regex, fl_slice_of(whole), false, &err);
    fl_regex_destroy(alone);
    if (status != FL_OK) {
        uint64_t offset = err.offset == FL_NO_OFFSET ? at : at + err.offset;
        parser->status = fl_fail(parser->err, status, offset, "%s", err.message);
        return NULL;
    }
    kept->next = parser->oql->patterns;
    parser->oql->patterns = kept;
    return kept->regex;
}

/* ---- frames ---- */

void fl_oql_begin_query(fl_oql_parser *parser)
{
    assert(parser->frame_count <= FL_OQL_MAX_FRAMES);
    if (parser->status != FL_OK)
        return;
    if (!fl_oql_at_word(parser, "SELECT")) {
        fl_oql_fail_expected(parser, "SELECT");
        return;
    }
    if (parser->frame_count == FL_OQL_MAX_FRAMES) {
        parser->status = fl_fail(parser->err, FL_E_LIMIT, parser->token.at,
                                 "more than %d queries inside of each other", FL_OQL_MAX_FRAMES);
        return;
    }
    fl_oql_query *query = fl_arena_alloc(&parser->oql->arena, 1, sizeof(*query));
    if (query == NULL) {
        fl_oql_fail_memory(parser);
        return;
    }
    query->at = (uint32_t)parser->token.at;
    fl_oql_advance(parser);
    parser->frames[parser->frame_count++] = (fl_oql_frame){.query = query, .stage = FL_OQL_S_HEAD};
}

/* The alias may stand behind what uses it. */
static void resolve_alias(fl_oql_query *query)
{
    assert(query->depth == 0);
    for (uint32_t i = 0; i < query->step_count; i++)
        if (query->steps[i].op == FL_OQL_HEAD && query->alias.len > 0 &&
            fl_slice_equal(query->steps[i].name, query->alias))
            query->steps[i].op = FL_OQL_SELF;
}

/* Hand a whole query to what it stands in. */
static void end_query(fl_oql_parser *parser)
{
    assert(parser->frame_count > 0);
    fl_oql *oql = parser->oql;
    fl_oql_query *query = fl_oql_current(parser);
    resolve_alias(query);
    if (oql->query_count == oql->query_cap)
        oql->queries = fl_oql_grown(parser, oql->queries, &oql->query_cap, sizeof(*oql->queries));
    if (parser->status != FL_OK)
        return;
    uint32_t answer = oql->query_count++;
    oql->queries[answer] = query;
    parser->frame_count--;
    if (parser->frame_count == 0)
        return;
    fl_oql_frame *outer = top_frame(parser);
    outer->answer = answer;
    if (outer->stage != FL_OQL_S_FROM_END && outer->stage != FL_OQL_S_UNION_END)
        fl_oql_expression_resume(parser, answer);
}

/* ---- SELECT ---- */

static bool take_retained_set(fl_oql_parser *parser)
{
    if (!fl_oql_take_word(parser, "AS"))
        return false;
    if (!fl_oql_take_word(parser, "RETAINED") || !fl_oql_take_word(parser, "SET"))
        fl_oql_fail_expected(parser, "RETAINED SET");
    return true;
}

/* The column's name is its own text until an AS says another. */
static void begin_item(fl_oql_parser *parser)
{
    assert(parser->waiting_count <= FL_OQL_MAX_DEPTH); /* the expression refuses to go deeper */
    fl_oql_query *query = fl_oql_current(parser);
    if (query->column_count == FL_OQL_MAX_COLUMNS) {
        parser->status = fl_fail(parser->err, FL_E_LIMIT, parser->token.at, "more than %u columns",
                                 FL_OQL_MAX_COLUMNS);
        return;
    }
    query->columns[query->column_count++] = (fl_oql_column){
        .name = {.ptr = parser->oql->text.ptr + parser->token.at}, .steps.from = query->step_count};
    top_frame(parser)->stage = FL_OQL_S_ITEM;
    fl_oql_expression_begin(parser);
}

/* Whether the SELECT is what a UNION adds to another. */
static bool is_part(const fl_oql_parser *parser)
{
    assert(parser->frame_count > 0);
    return parser->frame_count > 1 &&
           parser->frames[parser->frame_count - 2].stage == FL_OQL_S_UNION_END;
}

/* What stands between SELECT and the first item. */
static void select_head(fl_oql_parser *parser)
{
    assert(fl_oql_current(parser)->column_count == 0);
    fl_oql_query *query = fl_oql_current(parser);
    if (is_part(parser) && (fl_oql_at_word(parser, "DISTINCT") || fl_oql_at_word(parser, "AS"))) {
        parser->status =
            fl_fail(parser->err, FL_E_SYNTAX, parser->token.at,
                    "DISTINCT and AS RETAINED SET stand at the first SELECT of a UNION only");
        return;
    }
    query->is_distinct = fl_oql_take_word(parser, "DISTINCT");
    query->is_retained_set = take_retained_set(parser);
    if (query->is_retained_set)
        parser->oql->needs_tree = true;
    query->is_objects = fl_oql_take_word(parser, "OBJECTS");
    if (query->is_objects && parser->frame_count == 1)
        parser->oql->needs_tree = true; /* a column of the answer */
    if (fl_oql_take_sign(parser, "*"))
        top_frame(parser)->stage = FL_OQL_S_FROM;
    else
        begin_item(parser);
    if (query->column_count == 0)
        parser->oql->needs_tree = true;
}

/* Behind an item: its name, then another item or FROM. */
static void select_item(fl_oql_parser *parser)
{
    assert(fl_oql_current(parser)->column_count > 0);
    fl_oql_query *query = fl_oql_current(parser);
    fl_oql_column *column = &query->columns[query->column_count - 1];
    column->steps.to = query->step_count;
    column->name.len = (size_t)(parser->oql->text.ptr + parser->consumed - column->name.ptr);
    if (fl_oql_take_word(parser, "AS")) {
        bool is_name = parser->token.kind == FL_OQL_T_NAME || parser->token.kind == FL_OQL_T_TEXT;
        column->name = parser->token.text;
        if (is_name)
            fl_oql_advance(parser);
        else
            fl_oql_fail_expected(parser, "the name of a column");
    }
    if (parser->status == FL_OK && !query->is_objects && fl_oql_take_sign(parser, ","))
        begin_item(parser);
    else
        top_frame(parser)->stage = FL_OQL_S_FROM;
}

/* ---- FROM ---- */

static void from_numbers(fl_oql_parser *parser, fl_oql_token_kind kind)
{
    assert(kind == FL_OQL_T_ADDRESS || kind == FL_OQL_T_NUMBER);
    fl_oql_source *source = &fl_oql_current(parser)->source;
    source->kind = kind == FL_OQL_T_ADDRESS ? FL_OQL_FROM_ADDRESSES : FL_OQL_FROM_IDS;
    do {
        if (parser->token.kind != kind) {
            fl_oql_fail_expected(parser,
                                 kind == FL_OQL_T_ADDRESS ? "an address" : "an object's id");
            return;
        }
        if (source->number_count == source->number_cap)
            source->numbers = fl_oql_grown(parser, source->numbers, &source->number_cap,
                                           sizeof(*source->numbers));
        if (parser->status != FL_OK)
            return;
        source->numbers[source->number_count++] = parser->token.number;
        fl_oql_advance(parser);
    } while (fl_oql_take_sign(parser, ","));
}

/* A class's name is one word here, dots and brackets included. */
static void from_name(fl_oql_parser *parser)
{
    assert(parser->token.kind == FL_OQL_T_NAME);
    fl_oql_source *source = &fl_oql_current(parser)->source;
    fl_slice text = parser->oql->text;
    size_t from = parser->token.at, end = fl_oql_lex_class(text, from);
    source->kind = FL_OQL_FROM_NAME;
    source->name = fl_slice_part(text, from, end);
    parser->token = (fl_oql_token){.at = from, .end = end};
    parser->status = fl_oql_lex(&parser->ahead, text, end, parser->err);
    if (parser->status == FL_OK)
        fl_oql_advance(parser);
}

/* A query, or with OBJECTS an expression that gives objects. */
static void from_brackets(fl_oql_parser *parser)
{
    assert(fl_oql_at_sign(parser, "("));
    fl_oql_query *query = fl_oql_current(parser);
    fl_oql_frame *frame = top_frame(parser);
    fl_oql_advance(parser);
    if (fl_oql_at_word(parser, "SELECT")) {
        query->source.kind = FL_OQL_FROM_QUERY;
        frame->stage = FL_OQL_S_FROM_END;
        fl_oql_begin_query(parser);
    } else if (query->source.is_objects) {
        query->source.kind = FL_OQL_FROM_STEPS;
        query->source.steps.from = query->step_count;
        frame->stage = FL_OQL_S_FROM_STEPS;
        fl_oql_expression_begin(parser);
    } else {
        fl_oql_fail_expected(parser, "SELECT");
    }
}

/* The name of the row's object, then WHERE. */
static void from_alias(fl_oql_parser *parser)
{
    fl_oql_query *query = fl_oql_current(parser);
    if (parser->token.kind == FL_OQL_T_NAME && !fl_oql_is_reserved(parser->token.text)) {
        query->alias = parser->token.text;
        fl_oql_advance(parser);
    }
    top_frame(parser)->stage = FL_OQL_S_UNION;
    if (!fl_oql_take_word(parser, "WHERE"))
        return;
    query->has_where = true;
    query->where.from = query->step_count;
    top_frame(parser)->stage = FL_OQL_S_WHERE;
    fl_oql_expression_begin(parser);
}

/* OBJECTS and INSTANCEOF in either order. */
static void from_words(fl_oql_parser *parser, fl_oql_source *source)
{
    for (;;) {
        if (!source->is_objects && fl_oql_take_word(parser, "OBJECTS"))
            source->is_objects = true;
        else if (!source->with_subclasses && fl_oql_take_word(parser, "INSTANCEOF"))
            source->with_subclasses = true;
        else
            return;
    }
}

/* What stands behind FROM; the stage moves on to WHERE or UNION unless a bracket opens. */
static void from_source(fl_oql_parser *parser)
{
    assert(top_frame(parser)->stage == FL_OQL_S_FROM);
    fl_oql_source *source = &fl_oql_current(parser)->source;
    if (!fl_oql_take_word(parser, "FROM")) {
        fl_oql_fail_expected(parser, "FROM");
        return;
    }
    from_words(parser, source);
    const fl_oql_token *token = &parser->token;
    source->at = (uint32_t)token->at;
    if (parser->status != FL_OK)
        return;
    if (fl_oql_at_sign(parser, "(")) {
        from_brackets(parser);
        return;
    }
    if (token->kind == FL_OQL_T_NUMBER || token->kind == FL_OQL_T_ADDRESS) {
        from_numbers(parser, token->kind);
    } else if (token->kind == FL_OQL_T_TEXT) {
        source->kind = FL_OQL_FROM_PATTERN;
        source->regex = fl_oql_pattern_of(parser, token->text, token->at + 1);
        fl_oql_advance(parser);
    } else if (token->kind == FL_OQL_T_NAME && !fl_oql_is_reserved(token->text)) {
        from_name(parser);
    } else {
        fl_oql_fail_expected(parser, "a class");
    }
    if (parser->status == FL_OK)
        from_alias(parser);
}

/* Behind the bracket that a source stood in. */
static void from_end(fl_oql_parser *parser)
{
    assert(top_frame(parser)->stage == FL_OQL_S_FROM_END ||
           top_frame(parser)->stage == FL_OQL_S_FROM_STEPS);
    fl_oql_query *query = fl_oql_current(parser);
    fl_oql_need_sign(parser, ")");
    query->source.query = top_frame(parser)->answer;
    if (parser->status == FL_OK)
        from_alias(parser);
}

/* ---- UNION ---- */

static void select_union(fl_oql_parser *parser)
{
    assert(top_frame(parser)->stage == FL_OQL_S_UNION);
    fl_oql_frame *frame = top_frame(parser);
    if (!fl_oql_take_word(parser, "UNION")) {
        frame->stage = FL_OQL_S_END;
        return;
    }
    frame->stage = FL_OQL_S_UNION_END;
    fl_oql_need_sign(parser, "(");
    fl_oql_begin_query(parser);
}

/* 0 for the three columns of rows that are objects. */
static uint32_t columns_of(const fl_oql_query *query)
{
    return query->column_count == 0 || query->is_objects ? 0 : query->column_count;
}

/* Remember a part whose rows follow those of `query`. */
static void add_union(fl_oql_parser *parser, fl_oql_query *query, uint32_t part)
{
    assert(part < parser->oql->query_count);
    if (query->union_count == query->union_cap)
        query->unions =
            fl_oql_grown(parser, query->unions, &query->union_cap, sizeof(*query->unions));
    if (parser->status == FL_OK)
        query->unions[query->union_count++] = part;
}

/* A part's own parts follow it. */
static void union_end(fl_oql_parser *parser)
{
    assert(parser->frames[parser->frame_count - 1].answer < parser->oql->query_count);
    fl_oql_frame *frame = top_frame(parser);
    fl_oql_query *query = frame->query, *other = parser->oql->queries[frame->answer];
    fl_oql_need_sign(parser, ")");
    if (parser->status == FL_OK && columns_of(query) != columns_of(other))
        parser->status = fl_fail(parser->err, FL_E_SYNTAX, other->at,
                                 "the parts of a UNION have different columns");
    if (parser->status != FL_OK)
        return;
    other->is_part = true;
    add_union(parser, query, frame->answer);
    for (uint32_t i = 0; i < other->union_count && parser->status == FL_OK; i++)
        add_union(parser, query, other->unions[i]);
    frame->stage = FL_OQL_S_UNION;
}

/* ---- the whole ---- */

/* The expression of an item, a source or a condition has ended. */
static void end_expression(fl_oql_parser *parser)
{
    fl_oql_frame *frame = top_frame(parser);
    fl_oql_query *query = frame->query;
    switch (frame->stage) {
    case FL_OQL_S_ITEM:
        select_item(parser);
        break;
    case FL_OQL_S_FROM_STEPS:
        query->source.steps.to = query->step_count;
        from_end(parser);
        break;
    default:
        assert(frame->stage == FL_OQL_S_WHERE);
        query->where.to = query->step_count;
        frame->stage = FL_OQL_S_UNION;
        break;
    }
}

/* One stage of the innermost SELECT. */
static void step(fl_oql_parser *parser)
{
    assert(parser->status == FL_OK);
    switch (top_frame(parser)->stage) {
    case FL_OQL_S_HEAD:
        select_head(parser);
        break;
    case FL_OQL_S_FROM:
        from_source(parser);
        break;
    case FL_OQL_S_FROM_END:
        from_end(parser);
        break;
    case FL_OQL_S_UNION:
        select_union(parser);
        break;
    case FL_OQL_S_UNION_END:
        union_end(parser);
        break;
    case FL_OQL_S_END:
        end_query(parser);
        break;
    default: /* inside of an expression */
        fl_oql_expression_run(parser);
        if (parser->status == FL_OK && parser->is_ended)
            end_expression(parser);
        break;
    }
}

/* The whole text: one SELECT, and a semicolon if its writer is used to one. */
static void read_words(fl_oql_parser *parser)
{
    assert(parser->frame_count == 0 && parser->waiting_count == 0);
    fl_oql_advance(parser); /* the first word ahead, */
    fl_oql_advance(parser); /* and next */
    fl_oql_begin_query(parser);
    while (parser->status == FL_OK && parser->frame_count > 0)
        step(parser);
    if (parser->status != FL_OK)
        return;
    (void)fl_oql_take_sign(parser, ";");
    if (parser->status == FL_OK && parser->token.kind != FL_OQL_T_END)
        fl_oql_fail_expected(parser, "the end of the query");
}

/* What the stages rely on: bounded, UTF-8, without NUL. */
static fl_status check_text(fl_slice text, fl_error *err)
{
    if (text.len > FL_OQL_MAX_TEXT_BYTES)
        return fl_fail(err, FL_E_LIMIT, FL_OQL_MAX_TEXT_BYTES,
                       "a query of %zu bytes is too long: at most %u", text.len,
                       FL_OQL_MAX_TEXT_BYTES);
    size_t valid = fl_utf8_valid_prefix(text);
    const unsigned char *nul = memchr(text.ptr, '\0', valid);
    if (nul != NULL)
        return fl_fail(err, FL_E_SYNTAX, (uint64_t)(nul - text.ptr), "a query has no byte 0");
    if (valid < text.len)
        return fl_fail(err, FL_E_SYNTAX, valid, "a query is UTF-8, and byte 0x%02x here is not",
                       text.ptr[valid]);
    return FL_OK;
}

/* All or nothing: on failure nothing is left behind but the sentence. */
fl_status fl_oql_parse(fl_oql **out, fl_slice text, fl_error *err)
{
    assert(out != NULL && text.ptr != NULL);
    *out = NULL;
    fl_status status = check_text(text, err);
    if (status != FL_OK)
        return status;
    fl_oql *oql = fl_mem_calloc(1, sizeof(*oql));
    fl_oql_parser *parser = fl_mem_calloc(1, sizeof(*parser));
    if (oql != NULL) {
        oql->arena = fl_arena_of(ARENA_BYTES);
        oql->text = fl_arena_copy(&oql->arena, text);
    }
    if (oql == NULL || parser == NULL || oql->text.ptr == NULL) {
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory reading a query");
    } else {
        parser->oql = oql;
        parser->err = err;
        read_words(parser);
        status = parser->status;
    }
    fl_mem_free(parser);
    if (status != FL_OK) {
        fl_oql_destroy(oql);
        return status;
    }
    *out = oql;
    return FL_OK;
}

/* Regular expressions have memory of their own. */
void fl_oql_destroy(fl_oql *oql)
{
    if (oql == NULL)
        return;
    for (fl_oql_pattern *pattern = oql->patterns; pattern != NULL; pattern = pattern->next)
        fl_regex_destroy(pattern->regex);
    fl_arena_dispose(&oql->arena);
    fl_mem_free(oql);
}

bool fl_oql_needs_tree(const fl_oql *oql)
{
    assert(oql != NULL);
    return oql->needs_tree;
}

bool fl_oql_needs_inbound(const fl_oql *oql)
{
    assert(oql != NULL);
    return oql->needs_inbound;
}
