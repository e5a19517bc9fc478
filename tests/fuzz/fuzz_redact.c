/*
 * fuzz_redact.c - the first line is a rule of one's own, the rest a text: what the first pass
 * leaves out, no pattern would have found.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "redact.h"
#include "redact_priv.h"
#include "slice.h"

static const fl_sink nowhere = {0};
static fl_redact_rules *built_in;

/* Beyond ASCII, PCRE2 lets letters of other alphabets match in any case: the long s, the Kelvin
 * sign. */
static bool is_ascii(fl_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 0x80)
            return false;
    return true;
}

static void check(fl_redact_rules *rules, fl_slice text)
{
    uint64_t let_through = fl_redact_scan_text(&rules->scan, text);
    fl_redact *redact;
    fl_slice out;
    for (size_t i = 0; is_ascii(text) && i < rules->count; i++) {
        fl_regex_span span;
        const fl_redact_compiled *rule = &rules->rules[i];
        if ((let_through >> i & 1) != 0 ||
            fl_regex_find(&span, rule->regex, text, 0, NULL) != FL_OK || !span.found ||
            span.len == 0)
            continue;
        assert(rule->is_card &&
               !fl_redact_is_card(fl_slice_part(text, span.from, span.from + span.len)));
    }
    if (fl_redact_create(&redact, rules, &nowhere, NULL) != FL_OK)
        return;
    if (fl_redact_text(&out, redact, text, NULL) == FL_OK && let_through == 0)
        assert(out.ptr == text.ptr && out.len == text.len);
    fl_redact_destroy(redact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char pattern[256];
    fl_redact_rules *own;
    fl_slice whole = {data, size};
    size_t end = size > 0 ? fl_slice_find(whole, FL_SLICE("\n")) : 0;
    fl_slice text = fl_slice_part(whole, end < size ? end + 1 : end, size);
    if (built_in == NULL)
        assert(fl_redact_rules_create(&built_in, &(fl_redact_options){0}, NULL) == FL_OK);
    if (size > 0)
        check(built_in, text);
    if (end == 0 || end >= sizeof(pattern) || memchr(data, '\0', end) != NULL)
        return 0;
    memcpy(pattern, data, end);
    pattern[end] = '\0';
    const fl_redact_rule rule = {.name = "own", .pattern = pattern};
    const fl_redact_options options = {.rules = &rule, .rule_count = 1, .without_builtin = true};
    if (fl_redact_rules_create(&own, &options, NULL) != FL_OK)
        return 0;
    check(own, text);
    fl_redact_rules_destroy(own);
    return 0;
}
