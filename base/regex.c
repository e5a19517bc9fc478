/*
 * regex.c - PCRE2 with its memory out of mem.c and an end to every match.
 *
 * The subject is never declared valid UTF-8: PCRE2_MATCH_INVALID_UTF makes PCRE2 check it and step
 * over what is broken. \C, which could split a character, is off.
 *
 * The JIT knows the match limit only and works on 32 KiB of machine stack. Where that is too
 * little the interpreter runs the match again, whose backtracking lives on the heap, so that the
 * JIT never changes an answer but that of a pattern which runs into the limit anyway.
 *
 * The JIT takes longer to translate a pattern than the interpreter to match some dozens of names,
 * and most patterns of a library see fewer in a run. So a pattern is translated when it has had as
 * much work as that costs: at most twice the time of knowing beforehand. Several threads may match
 * at once: the one that crosses the mark translates a copy, which the others see when it is whole.
 */
#include "regex.h"

#include <assert.h>
#include <stdatomic.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "mem.h"
#include "quote.h"

/* Backtracking steps of one match. A sane pattern takes about one per byte of a line; a million
 * end after some milliseconds. PCRE2's own default is ten million. */
static const uint32_t MATCH_LIMIT = 1000000;
/* Of the interpreter: nested backtracking points, and KiB of heap that hold them (some 150 bytes
 * each; PCRE2 keeps as many as a repeated group takes rounds). */
static const uint32_t DEPTH_LIMIT = 100000;
static const uint32_t HEAP_LIMIT_KIB = 16 << 10;
/* Of a pattern: nested parentheses; the compiler recurses on them. */
static const uint32_t NEST_LIMIT = 100;
/* Bytes of text, and what a call counts besides: the interpreter takes 5 to 15 ns a byte, the JIT
 * some 50 microseconds a pattern (those of schemas/signatures/). */
enum { JIT_WORK = 4096, CALL_WORK = 32 };

struct fl_regex {
    pcre2_general_context *memory;
    pcre2_match_context *limits;
    pcre2_code *code;
    struct fast *fast; /* of its own: matching does not change the pattern */
    char name[FL_QUOTE_TEXT];
};

/* The translated copy, NULL until there is one. */
struct fast {
    atomic_size_t work;
    _Atomic(pcre2_code *) code;
};

/* PCRE2 asks with the payload of its general context, of which there is none. */
static void *allocate(PCRE2_SIZE bytes, void *payload)
{
    (void)payload;
    return fl_mem_alloc(bytes);
}

/* The counterpart of allocate(). */
static void release(void *ptr, void *payload)
{
    (void)payload;
    fl_mem_free(ptr);
}

/* `offset` is where in the pattern PCRE2 stopped, in bytes. */
static fl_status fail_compile(const fl_regex *regex, int code, size_t offset, fl_error *err)
{
    char reason[120];
    if (code == PCRE2_ERROR_HEAP_FAILED)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for pattern '%s'", regex->name);
    pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof(reason));
    fl_status status = code == PCRE2_ERROR_PATTERN_TOO_LARGE ? FL_E_LIMIT : FL_E_SYNTAX;
    return fl_fail(err, status, offset, "pattern '%s': %s", regex->name, reason);
}

/* `regex->code` stays NULL on failure. */
static fl_status compile(fl_regex *regex, fl_slice pattern, bool ignore_case, fl_error *err)
{
    assert(regex->code == NULL && regex->memory != NULL);
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    if (ignore_case)
        options |= PCRE2_CASELESS;
    pcre2_compile_context *context = pcre2_compile_context_create(regex->memory);
    if (context == NULL)
        return fail_compile(regex, PCRE2_ERROR_HEAP_FAILED, 0, err);
    pcre2_set_parens_nest_limit(context, NEST_LIMIT);
    int code = 0;
    PCRE2_SIZE offset = 0;
    PCRE2_SPTR text = pattern.len > 0 ? pattern.ptr : (PCRE2_SPTR) "";
    regex->code = pcre2_compile(text, pattern.len, options, &code, &offset, context);
    pcre2_compile_context_free(context);
    if (regex->code == NULL)
        return fail_compile(regex, code, offset, err);
    return FL_OK;
}

/* Without memory, or for a pattern that opts out, there is none: matching goes on as before. */
static pcre2_code *translate(const pcre2_code *code)
{
    size_t jit_bytes = 0;
    pcre2_code *copy = pcre2_code_copy(code);
    if (copy != NULL && pcre2_jit_compile(copy, PCRE2_JIT_COMPLETE) == 0)
        pcre2_pattern_info(copy, PCRE2_INFO_JITSIZE, &jit_bytes);
    if (jit_bytes > 0)
        return copy;
    pcre2_code_free(copy);
    return NULL;
}

/* The code to match with, after a text of so many bytes is counted. */
static const pcre2_code *code_for(const fl_regex *regex, size_t text_len)
{
    struct fast *fast = regex->fast;
    pcre2_code *code = atomic_load_explicit(&fast->code, memory_order_acquire);
    if (code != NULL)
        return code;
    size_t more = text_len < JIT_WORK ? text_len + CALL_WORK : JIT_WORK;
    size_t before = atomic_fetch_add_explicit(&fast->work, more, memory_order_relaxed);
    if (before < JIT_WORK && before + more >= JIT_WORK) {
        code = translate(regex->code);
        atomic_store_explicit(&fast->code, code, memory_order_release);
    }
    return code != NULL ? code : regex->code;
}

fl_status fl_regex_create(fl_regex **out, fl_slice pattern, bool ignore_case, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    if (pattern.len > FL_REGEX_MAX_PATTERN_BYTES)
        return fl_fail(err, FL_E_LIMIT, FL_REGEX_MAX_PATTERN_BYTES,
                       "a pattern of %zu bytes is longer than %d", pattern.len,
                       FL_REGEX_MAX_PATTERN_BYTES);
    fl_regex *regex = fl_mem_calloc(1, sizeof(*regex));
    if (regex == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a pattern");
    fl_quote(regex->name, pattern);
    regex->fast = fl_mem_calloc(1, sizeof(*regex->fast));
    if (regex->fast != NULL)
        regex->memory = pcre2_general_context_create(allocate, release, NULL);
    if (regex->memory != NULL)
        regex->limits = pcre2_match_context_create(regex->memory);
    fl_status status;
    if (regex->limits == NULL) {
        status = fail_compile(regex, PCRE2_ERROR_HEAP_FAILED, 0, err);
    } else {
        pcre2_set_match_limit(regex->limits, MATCH_LIMIT);
        pcre2_set_depth_limit(regex->limits, DEPTH_LIMIT);
        pcre2_set_heap_limit(regex->limits, HEAP_LIMIT_KIB);
        status = compile(regex, pattern, ignore_case, err);
    }
    if (status != FL_OK)
        fl_regex_destroy(regex);
    else
        *out = regex;
    return status;
}

void fl_regex_destroy(fl_regex *regex)
{
    if (regex == NULL)
        return;
    if (regex->fast != NULL)
        pcre2_code_free(atomic_load(&regex->fast->code));
    fl_mem_free(regex->fast);
    pcre2_code_free(regex->code);
    pcre2_match_context_free(regex->limits);
    pcre2_general_context_free(regex->memory);
    fl_mem_free(regex);
}

/* A pattern that runs into a limit is a mistake of its author: the sentence names it. */
static fl_status fail_match(const fl_regex *regex, int code, size_t text_len, fl_error *err)
{
    switch (code) {
    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET,
                       "pattern '%s' backtracks too much on a text of %zu bytes", regex->name,
                       text_len);
    case PCRE2_ERROR_NOMEMORY:
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to match pattern '%s'",
                       regex->name);
    default: /* such as a recursion loop in the pattern, which shows only when it runs */
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "pattern '%s' cannot be run (PCRE2 %d)",
                       regex->name, code);
    }
}

/* PCRE2's own answer: how many groups there are places of, or a failure. */
static int run(pcre2_match_data *data, const fl_regex *regex, fl_slice text, size_t start)
{
    PCRE2_SPTR subject = text.len > 0 ? text.ptr : (PCRE2_SPTR) "";
    const pcre2_code *with = code_for(regex, text.len);
    int code = pcre2_match(with, subject, text.len, start, 0, data, regex->limits);
    if (code == PCRE2_ERROR_JIT_STACKLIMIT)
        code =
            pcre2_match(regex->code, subject, text.len, start, PCRE2_NO_JIT, data, regex->limits);
    return code;
}

fl_status fl_regex_match(bool *matched, const fl_regex *regex, fl_slice text, fl_error *err)
{
    assert(matched != NULL && regex != NULL);
    *matched = false;
    pcre2_match_data *data = pcre2_match_data_create(1, regex->memory);
    if (data == NULL)
        return fail_match(regex, PCRE2_ERROR_NOMEMORY, text.len, err);
    int code = run(data, regex, text, 0);
    pcre2_match_data_free(data);
    if (code < 0 && code != PCRE2_ERROR_NOMATCH)
        return fail_match(regex, code, text.len, err);
    *matched = code >= 0; /* 0: it matched, with more groups than `data` has room for */
    return FL_OK;
}

fl_status fl_regex_find(fl_regex_span *out, const fl_regex *regex, fl_slice text, size_t start,
                        fl_error *err)
{
    assert(out != NULL && regex != NULL && start <= text.len);
    *out = (fl_regex_span){0};
    pcre2_match_data *data = pcre2_match_data_create(2, regex->memory);
    if (data == NULL)
        return fail_match(regex, PCRE2_ERROR_NOMEMORY, text.len, err);
    int code = run(data, regex, text, start);
    if (code >= 0) {
        const PCRE2_SIZE *places = pcre2_get_ovector_pointer(data);
        /* 0: there are more groups than the two that there is room for; a \K may put the begin
         * behind the end */
        bool has_group = code != 1 && places[2] != PCRE2_UNSET;
        size_t from = has_group ? places[2] : places[0], to = has_group ? places[3] : places[1];
        *out = (fl_regex_span){
            .found = true, .from = from, .len = to > from ? to - from : 0, .end = places[1]};
    }
    pcre2_match_data_free(data);
    return code < 0 && code != PCRE2_ERROR_NOMATCH ? fail_match(regex, code, text.len, err) : FL_OK;
}

bool fl_regex_is_jit(const fl_regex *regex)
{
    assert(regex != NULL);
    return atomic_load(&regex->fast->code) != NULL;
}
