/*
 * redact_rules.c - the built-in table and the user's rules, compiled.
 *
 * The user's rules come first: whoever names something more closely wants his own name for it. What
 * a built-in rule's text must hold stands beside it in schemas/redaction.yaml; of a user's it is
 * read off the pattern (redact_literal.c), and a rule of which nothing is known runs on every text,
 * which is told.
 */
#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "fl_redaction_yaml.h"
#include "mem.h"
#include "redact_priv.h"
#include "slice.h"
#include "yaml_fields.h"

/* The built-in file is some 10 KB; its tree takes a hundred times that at most. */
enum { MAX_RULES_BYTES = 8 << 20 };

/* One set of rules being made. */
struct making {
    fl_redact_rules *rules;
    const fl_redact_options *options;
    fl_arena tree; /* of the built-in file */
    fl_yaml_fields fields;
    fl_error *err;
};

static fl_status no_memory(struct making *in)
{
    return fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for redaction rules");
}

/* ---- one rule ---- */

/* It goes into texts and into names of statistics. */
static bool is_name(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len < FL_REDACT_NAME_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* A place for a rule, with its pattern; its bit in the scan is that of its place. */
static fl_status add_rule(fl_redact_compiled **out, struct making *in, const fl_redact_rule *rule)
{
    fl_redact_rules *rules = in->rules;
    fl_error inner = {0};
    if (!is_name(rule->name))
        return fl_fail(in->err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "redaction rule '%.48s': a name has small letters, digits and '-', at most"
                       " %d",
                       rule->name, FL_REDACT_NAME_BYTES - 1);
    if (rules->count == FL_REDACT_MAX_RULES)
        return fl_fail(in->err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d redaction rules",
                       FL_REDACT_MAX_RULES);
    fl_redact_compiled *made = &rules->rules[rules->count];
    fl_status status =
        fl_regex_create(&made->regex, fl_slice_of(rule->pattern), rule->ignore_case, &inner);
    if (status != FL_OK)
        return fl_fail(in->err, status, inner.offset, "redaction rule '%.48s': %.120s", rule->name,
                       inner.message);
    rules->count++; /* from here on it is destroyed with the others */
    memcpy(made->name, rule->name, strlen(rule->name) + 1);
    const char *text = rule->replace != NULL
                           ? fl_arena_cstr(&rules->arena, fl_slice_of(rule->replace))
                           : fl_arena_printf(&rules->arena, "[redacted:%s]", rule->name);
    made->replace = fl_slice_of(text);
    *out = made;
    return text != NULL ? FL_OK : no_memory(in);
}

static uint64_t bit_of(const fl_redact_rules *rules)
{
    assert(rules->count > 0);
    return UINT64_C(1) << (rules->count - 1);
}

/* Of a user: what the pattern needs is read off it. */
static fl_status add_own(struct making *in, const fl_redact_rule *rule)
{
    fl_redact_compiled *made;
    fl_redact_needs needs;
    fl_redact_scan *scan = &in->rules->scan;
    fl_status status = add_rule(&made, in, rule);
    if (status != FL_OK)
        return status;
    uint64_t bit = bit_of(in->rules);
    fl_redact_literals(&needs, fl_slice_of(rule->pattern));
    for (size_t i = 0; status == FL_OK && i < needs.count; i++)
        status =
            fl_redact_scan_add(scan, &in->rules->arena, fl_slice_of(needs.text[i]), bit, in->err);
    if (needs.count == 0) {
        scan->any_rules |= bit;
        if (in->options->slow != NULL)
            in->options->slow(in->options->payload, rule->name);
    }
    return status;
}

/* ---- the built-in table ---- */

static fl_status add_needs(struct making *in, const fl_yaml *map)
{
    const char *needs, *const *literals;
    size_t count;
    fl_redact_scan *scan = &in->rules->scan;
    uint64_t bit = bit_of(in->rules);
    fl_status status = fl_yaml_take_text(&needs, &in->fields, map, "needs", false);
    if (status == FL_OK)
        status = fl_yaml_take_texts(&literals, &count, &in->fields, map, "literals");
    if (status != FL_OK)
        return status;
    if (needs != NULL && strcmp(needs, "at") == 0)
        scan->at_rules |= bit;
    else if (needs != NULL && strcmp(needs, "digits") == 0)
        scan->digit_rules |= bit;
    else if (needs != NULL || count == 0)
        return FL_YAML_COMPLAIN(&in->fields, map, "a rule needs literals, 'at' or 'digits'");
    for (size_t i = 0; status == FL_OK && i < count; i++) {
        if (strlen(literals[i]) < FL_REDACT_GRAM)
            return FL_YAML_COMPLAIN(&in->fields, map, "literal '%.40s' is shorter than %d bytes",
                                    literals[i], FL_REDACT_GRAM);
        status =
            fl_redact_scan_add(scan, &in->rules->arena, fl_slice_of(literals[i]), bit, in->err);
    }
    return status;
}

static bool is_left_out(const struct making *in, const char *name)
{
    for (size_t i = 0; i < in->options->without_count; i++)
        if (strcmp(in->options->without[i], name) == 0)
            return true;
    return false;
}

static fl_status add_built_in(struct making *in, const fl_yaml *map)
{
    static const char *const names[] = {"name",  "pattern", "ignore_case", "literals",
                                        "needs", "check",   NULL};
    const char *ignore_case, *check;
    fl_redact_rule rule = {0};
    fl_redact_compiled *made;
    fl_status status = fl_yaml_check_keys(&in->fields, map, "a rule", names);
    if (status == FL_OK)
        status = fl_yaml_take_text(&rule.name, &in->fields, map, "name", true);
    if (status == FL_OK)
        status = fl_yaml_take_text(&rule.pattern, &in->fields, map, "pattern", true);
    if (status == FL_OK)
        status = fl_yaml_take_text(&ignore_case, &in->fields, map, "ignore_case", false);
    if (status == FL_OK)
        status = fl_yaml_take_text(&check, &in->fields, map, "check", false);
    if (status != FL_OK || is_left_out(in, rule.name))
        return status;
    rule.ignore_case = ignore_case != NULL && strcmp(ignore_case, "true") == 0;
    status = add_rule(&made, in, &rule);
    if (status != FL_OK)
        return status;
    made->is_card = check != NULL && strcmp(check, "card") == 0;
    return add_needs(in, map);
}

/* A name that is left out and is none would be a rule that goes on to run. */
static fl_status check_left_out(struct making *in, const fl_yaml *list)
{
    for (size_t i = 0; i < in->options->without_count; i++) {
        bool found = false;
        for (const fl_yaml *at = list->first; at != NULL; at = at->next) {
            const fl_yaml *name = fl_yaml_member(at, FL_SLICE("name"));
            found = found || (name != NULL &&
                              fl_slice_equal(name->text, fl_slice_of(in->options->without[i])));
        }
        if (!found)
            return fl_fail(in->err, FL_E_NOTFOUND, FL_NO_OFFSET,
                           "there is no built-in redaction rule '%.48s'", in->options->without[i]);
    }
    return FL_OK;
}

/* ---- keys ---- */

/* Last bytes of keys in both cases: most keys are told apart by that alone. */
static void mark_end(fl_redact_rules *rules, const char *text)
{
    size_t len = strlen(text);
    if (len == 0)
        return;
    unsigned char last = (unsigned char)text[len - 1];
    unsigned char forms[] = {(unsigned char)tolower(last), (unsigned char)toupper(last)};
    for (size_t i = 0; i < sizeof(forms); i++)
        rules->key_ends[forms[i] >> 6] |= UINT64_C(1) << (forms[i] & 63);
}

static fl_redact_end end_of(fl_slice text)
{
    fl_redact_end end = {0};
    for (size_t i = 0; i < 4 && i < text.len; i++) {
        unsigned char c = (unsigned char)tolower(text.ptr[text.len - 1 - i]);
        end.bytes |= (uint32_t)(c == '_' ? '-' : c) << 8 * i;
        end.mask |= UINT32_C(0xff) << 8 * i;
    }
    return end;
}

/* NULL for want of memory. */
static const fl_redact_end *ends_of(fl_redact_rules *rules, const char *const *texts, size_t count)
{
    fl_redact_end *ends = fl_arena_alloc(&rules->arena, count + 1, sizeof(*ends));
    for (size_t i = 0; ends != NULL && i < count; i++)
        ends[i] = end_of(fl_slice_of(texts[i]));
    return ends;
}

static fl_status add_keys(struct making *in, const fl_yaml *root)
{
    fl_redact_rules *rules = in->rules;
    fl_status status = FL_OK;
    in->fields.arena = &rules->arena; /* these stay */
    if (!in->options->without_builtin)
        status = fl_yaml_take_texts(&rules->words, &rules->word_count, &in->fields, root,
                                    "secret_words");
    in->fields.arena = &in->tree;
    const char **keys =
        fl_arena_alloc(&rules->arena, in->options->key_count + 1, sizeof(const char *));
    if (status == FL_OK && keys == NULL)
        return no_memory(in);
    for (size_t i = 0; status == FL_OK && i < in->options->key_count; i++) {
        keys[i] = fl_arena_cstr(&rules->arena, fl_slice_of(in->options->keys[i]));
        if (keys[i] == NULL)
            return no_memory(in);
        mark_end(rules, keys[i]);
    }
    rules->keys = keys;
    rules->key_count = in->options->key_count;
    for (size_t i = 0; i < rules->word_count; i++)
        mark_end(rules, rules->words[i]);
    rules->word_ends = ends_of(rules, rules->words, rules->word_count);
    rules->own_ends = ends_of(rules, rules->keys, rules->key_count);
    if (status == FL_OK && (rules->word_ends == NULL || rules->own_ends == NULL))
        return no_memory(in);
    return status;
}

/* Letters in any case; '_' is '-'. */
static bool is_same_word(fl_slice text, const char *word)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)tolower(text.ptr[i]);
        if ((c == '_' ? '-' : c) != (unsigned char)(word[i] == '_' ? '-' : tolower(word[i])))
            return false;
    }
    return true;
}

/* A word at the end, alone or behind what divides words. */
static bool ends_with_word(fl_slice key, const char *word)
{
    size_t len = strlen(word);
    if (key.len < len || !is_same_word(fl_slice_part(key, key.len - len, key.len), word))
        return false;
    return key.len == len || strchr("._-", key.ptr[key.len - len - 1]) != NULL;
}

bool fl_redact_is_secret(const fl_redact_rules *rules, fl_slice key)
{
    if (key.len == 0)
        return false;
    unsigned char last = key.ptr[key.len - 1];
    if ((rules->key_ends[last >> 6] >> (last & 63) & 1) == 0)
        return false;
    const uint32_t end = end_of(key).bytes;
    for (size_t i = 0; i < rules->word_count; i++)
        if (((end ^ rules->word_ends[i].bytes) & rules->word_ends[i].mask) == 0 &&
            ends_with_word(key, rules->words[i]))
            return true;
    for (size_t i = 0; i < rules->key_count; i++)
        if (end == rules->own_ends[i].bytes && strlen(rules->keys[i]) == key.len &&
            is_same_word(key, rules->keys[i]))
            return true;
    return false;
}

/* ---- the whole ---- */

static fl_status make(struct making *in)
{
    const fl_yaml *root, *list;
    fl_status status = FL_OK;
    in->rules->counts =
        fl_arena_alloc(&in->rules->arena, FL_REDACT_MAX_RULES + 2, sizeof(*in->rules->counts));
    if (in->rules->counts == NULL)
        return no_memory(in);
    for (size_t i = 0; status == FL_OK && i < in->options->rule_count; i++)
        status = add_own(in, &in->options->rules[i]);
    if (status == FL_OK)
        status = fl_yaml_read(&root, &in->tree, fl_redaction_yaml, "redaction.yaml", in->err);
    if (status == FL_OK)
        status = fl_yaml_take_list(&list, &in->fields, root, "rules", true);
    if (status == FL_OK)
        status = check_left_out(in, list);
    const fl_yaml *first = status == FL_OK && !in->options->without_builtin ? list->first : NULL;
    for (const fl_yaml *at = first; status == FL_OK && at != NULL; at = at->next)
        status = add_built_in(in, at);
    return status == FL_OK ? add_keys(in, root) : status;
}

fl_status fl_redact_rules_create(fl_redact_rules **out, const fl_redact_options *options,
                                 fl_error *err)
{
    assert(out != NULL && options != NULL);
    *out = NULL;
    struct making in = {.options = options, .tree = fl_arena_of(MAX_RULES_BYTES), .err = err};
    in.fields = (fl_yaml_fields){.source = "redaction.yaml", .arena = &in.tree, .err = err};
    in.rules = fl_mem_calloc(1, sizeof(*in.rules));
    if (in.rules == NULL)
        return no_memory(&in);
    atomic_init(&in.rules->users, 1);
    in.rules->arena = fl_arena_of(MAX_RULES_BYTES);
    fl_status status = make(&in);
    fl_arena_dispose(&in.tree);
    if (status == FL_OK)
        *out = in.rules;
    else
        fl_redact_rules_destroy(in.rules);
    return status;
}

fl_redact_rules *fl_redact_rules_keep(fl_redact_rules *rules)
{
    assert(rules != NULL);
    atomic_fetch_add_explicit(&rules->users, 1, memory_order_relaxed);
    return rules;
}

/* Whoever is last must see what the others did before they gave it back. */
void fl_redact_rules_destroy(fl_redact_rules *rules)
{
    if (rules == NULL || atomic_fetch_sub_explicit(&rules->users, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < rules->count; i++)
        fl_regex_destroy(rules->rules[i].regex);
    fl_arena_dispose(&rules->arena);
    fl_mem_free(rules);
}

static void tell(fl_redact_count *out, const fl_redact_rules *rules, const char *name, size_t at)
{
    memcpy(out->name, name, strlen(name) + 1);
    out->redacted = atomic_load_explicit(&rules->counts[at], memory_order_relaxed);
}

size_t fl_redact_counts(const fl_redact_rules *rules, fl_redact_count out[FL_REDACT_MAX_RULES + 2])
{
    assert(rules != NULL && out != NULL);
    for (size_t i = 0; i < rules->count; i++)
        tell(&out[i], rules, rules->rules[i].name, i);
    tell(&out[rules->count], rules, "key", FL_REDACT_BY_KEY);
    tell(&out[rules->count + 1], rules, "unchecked", FL_REDACT_UNCHECKED);
    return rules->count + 2;
}
