/*
 * facts.c - signatures tried on facts, one subject after the other.
 *
 * Invariant: patterns[i] belongs to the i-th condition of all rules, in the order of
 * fl_leak_condition_at(); NULL until it was needed.
 */
#include "facts.h"

#include <assert.h>
#include <string.h>

#include "leak_signature.h"
#include "mem.h"
#include "regex.h"
#include "slice.h"

typedef struct rule {
    const fl_leak_signature *signature;
    size_t first; /* of its patterns */
} rule;

struct fl_rules {
    rule *items;
    size_t count;
    fl_regex **patterns;
    size_t pattern_count;
};

fl_status fl_rules_create(fl_rules **out, const fl_leak_signature *signatures, size_t count,
                          fl_leak_measured in, fl_error *err)
{
    assert(out != NULL && (signatures != NULL || count == 0));
    fl_rules *rules = *out = fl_mem_calloc(1, sizeof(*rules));
    if (rules != NULL)
        rules->items = fl_mem_calloc(count + 1, sizeof(*rules->items));
    for (size_t i = 0; i < count && rules != NULL && rules->items != NULL; i++) {
        if (fl_leak_signature_measured(&signatures[i]) != in)
            continue;
        rules->items[rules->count++] =
            (rule){.signature = &signatures[i], .first = rules->pattern_count};
        rules->pattern_count += fl_leak_condition_count(&signatures[i]);
    }
    if (rules != NULL && rules->items != NULL)
        rules->patterns = fl_mem_calloc(rules->pattern_count + 1, sizeof(fl_regex *));
    if (rules != NULL && rules->patterns != NULL)
        return FL_OK;
    fl_rules_destroy(rules);
    *out = NULL;
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for signatures");
}

void fl_rules_destroy(fl_rules *rules)
{
    if (rules == NULL)
        return;
    for (size_t i = 0; rules->patterns != NULL && i < rules->pattern_count; i++)
        fl_regex_destroy(rules->patterns[i]);
    fl_mem_free(rules->patterns);
    fl_mem_free(rules->items);
    fl_mem_free(rules);
}

/* Whether a fact's text has the pattern. One that takes too long on a text tells nothing of it. */
static fl_status has_pattern(bool *out, fl_regex **regex, const fl_leak_condition *condition,
                             const fl_fact *fact, bool *unclear, fl_error *err)
{
    assert(condition->pattern != NULL && fact->text != NULL);
    fl_error own = {0};
    fl_status status = FL_OK;
    if (*regex == NULL)
        status = fl_regex_create(regex, fl_slice_of(condition->pattern), false, err);
    if (status != FL_OK)
        return status;
    status = fl_regex_match(out, *regex, fl_slice_of(fact->text), &own);
    *unclear |= status == FL_E_LIMIT;
    return status == FL_OK || status == FL_E_LIMIT
               ? FL_OK
               : fl_fail(err, status, own.offset, "%s", own.message);
}

static fl_status holds(bool *out, fl_regex **regex, const fl_leak_condition *condition,
                       const fl_facts *facts, fl_error *err)
{
    bool is_text = fl_leak_feature_info_of(condition->feature)->is_text;
    bool known = false, met = false, unclear = false;
    for (size_t i = 0; i < facts->count && !met; i++) {
        const fl_fact *fact = &facts->items[i];
        if (fact->feature != condition->feature)
            continue;
        known = true;
        if (is_text) {
            fl_status status = has_pattern(&met, regex, condition, fact, &unclear, err);
            if (status != FL_OK)
                return status;
        } else {
            met = condition->op == FL_LEAK_AT_LEAST ? fact->number >= condition->value
                                                    : fact->number <= condition->value;
        }
    }
    *out = condition->op == FL_LEAK_LACKS ? known && !met && !unclear : met;
    return FL_OK;
}

/* A version that is not known is in every range. */
static bool runs_on(const fl_leak_signature *s, const fl_facts *facts)
{
    return (s->go_min == 0 || facts->go_to == 0 || facts->go_to >= s->go_min) &&
           (s->go_max == 0 || facts->go_from == 0 || facts->go_from <= s->go_max);
}

/* All of `must` and one of `any`. */
static fl_status rule_holds(bool *out, const rule *r, fl_rules *rules, const fl_facts *facts,
                            fl_error *err)
{
    const fl_leak_signature *s = r->signature;
    fl_regex **patterns = rules->patterns + r->first;
    bool all = s->subject == facts->subject && runs_on(s, facts), one = s->any_count == 0;
    fl_status status = FL_OK;
    for (size_t i = 0; i < s->must_count && all && status == FL_OK; i++)
        status = holds(&all, &patterns[i], &s->must[i], facts, err);
    for (size_t i = 0; i < s->any_count && all && !one && status == FL_OK; i++)
        status = holds(&one, &patterns[s->must_count + i], &s->any[i], facts, err);
    *out = all && one;
    return status;
}

fl_status fl_rules_best(const fl_leak_signature **out, fl_rules *rules, const fl_facts *facts,
                        fl_error *err)
{
    assert(out != NULL && rules != NULL && facts != NULL);
    *out = NULL;
    for (size_t i = 0; i < rules->count; i++) {
        const fl_leak_signature *s = rules->items[i].signature;
        bool does = false;
        fl_status status = rule_holds(&does, &rules->items[i], rules, facts, err);
        if (status != FL_OK)
            return status;
        if (does && (*out == NULL || fl_leak_signature_beats(s, *out)))
            *out = s;
    }
    return FL_OK;
}

fl_status fl_rules_against(fl_against *out, fl_rules *rules, const fl_leak_signature *signature,
                           const fl_facts *facts, fl_error *err)
{
    assert(out != NULL && rules != NULL && signature != NULL && facts != NULL);
    const rule *r = rules->items, *end = rules->items + rules->count;
    *out = (fl_against){0};
    while (r < end && r->signature != signature)
        r++;
    assert(r < end);
    fl_regex **patterns = rules->patterns + r->first + signature->must_count + signature->any_count;
    for (size_t i = 0; i < signature->against_count && out->count < FL_MAX_AGAINST; i++) {
        bool speaks = false;
        fl_status status = holds(&speaks, &patterns[i], &signature->against[i], facts, err);
        if (status != FL_OK)
            return status;
        if (speaks)
            out->texts[out->count++] = signature->against[i].text;
    }
    return FL_OK;
}

double fl_rules_confidence(const fl_leak_signature *signature, size_t against)
{
    assert(signature != NULL);
    double odds = signature->prior / (1 - signature->prior);
    for (size_t i = 0; i < against; i++)
        odds /= 2;
    return odds / (1 + odds);
}
