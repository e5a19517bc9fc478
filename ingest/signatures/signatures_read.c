/*
 * signatures_read.c - a document's tree to signatures; each mistake is named with its place.
 *
 * What a condition means is not known here: a feature is a row of faultline/leak.h's table, which
 * says whether it is a text or a number, and the evaluation belongs to who computes features.
 *
 * Strict on purpose. An unknown key, an operator of the wrong kind or a range that is empty would
 * make a rule that silently never holds, or always does; nobody would notice for months.
 *
 * Texts are copied, since the tree goes. A pattern is compiled here once to know that it can be:
 * who evaluates the signature compiles it for itself.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "leak_signature.h"
#include "number.h"
#include "regex.h"
#include "signatures_priv.h"
#include "slice.h"
#include "yaml_fields.h"

/* One document being read. */
struct reading {
    struct signature_list *out;
    size_t cap;
    fl_yaml_fields fields;
};

/* The members of one mapping that carry conditions, common or of a form. */
struct conditions {
    const fl_yaml *must, *any, *against;
};

#define COMPLAIN(in, at, ...) FL_YAML_COMPLAIN(&(in)->fields, (at), __VA_ARGS__)

/* Only the end is trimmed of code, whose first line may be indented. */
static fl_status read_sketch(const char **out, const struct reading *in, const fl_yaml *map)
{
    fl_status status = fl_yaml_take_text(out, &in->fields, map, "sketch", false);
    if (status != FL_OK || *out == NULL)
        return status;
    fl_slice whole = fl_yaml_member(map, FL_SLICE("sketch"))->text, text = fl_slice_trim(whole);
    *out = fl_arena_cstr(in->fields.arena,
                         (fl_slice){whole.ptr, (size_t)(text.ptr - whole.ptr) + text.len});
    return *out != NULL ? FL_OK : fl_yaml_no_memory(&in->fields);
}

/* The kind goes into file names and URLs of others: small letters, digits and single '-'. */
static fl_status check_name(const struct reading *in, const fl_yaml *map, const char *name)
{
    const char *allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t len = strlen(name);
    bool good = strspn(name, allowed) == len && len <= 48 && name[0] != '-' &&
                name[len - 1] != '-' && strstr(name, "--") == NULL;
    return good ? FL_OK
                : COMPLAIN(in, fl_yaml_member(map, FL_SLICE("name")),
                           "a name has small letters, digits and '-', at most 48");
}

/* "1.24" to 24; an absent one is 0, no bound. */
static fl_status read_version(int *out, const struct reading *in, const fl_yaml *map,
                              const char *name)
{
    const fl_yaml *at = fl_yaml_member(map, fl_slice_of(name));
    uint64_t minor = 0;
    *out = 0;
    if (at == NULL)
        return FL_OK;
    fl_slice text = at->kind == FL_YAML_TEXT ? at->text : (fl_slice){0};
    fl_slice digits = {.ptr = text.ptr + 2, .len = text.len > 2 ? text.len - 2 : 0};
    if (!fl_slice_starts_with(text, FL_SLICE("1.")) || !fl_parse_u64(digits, &minor) ||
        minor == 0 || minor > 999)
        return COMPLAIN(in, at, "%s is a Go version like '1.24', in quotes", name);
    *out = (int)minor;
    return FL_OK;
}

/* Both ends belong to the range. */
static fl_status read_versions(fl_leak_signature *out, const struct reading *in, const fl_yaml *map)
{
    fl_status status = read_version(&out->go_min, in, map, "go_from");
    if (status == FL_OK)
        status = read_version(&out->go_max, in, map, "go_to");
    if (status == FL_OK && out->go_min > 0 && out->go_max > 0 && out->go_min > out->go_max)
        return COMPLAIN(in, fl_yaml_member(map, FL_SLICE("go_to")), "go_to is before go_from");
    return status;
}

/* NaN where it is absent. */
static fl_status read_prior(double *out, const struct reading *in, const fl_yaml *map)
{
    const fl_yaml *at = fl_yaml_member(map, FL_SLICE("prior"));
    *out = NAN;
    if (at == NULL)
        return FL_OK;
    if (at->kind != FL_YAML_TEXT || !fl_parse_double(at->text, out) || !(*out > 0 && *out < 1))
        return COMPLAIN(in, at, "prior is a number between 0 and 1");
    return FL_OK;
}

/* The operators, and whether they compare texts. */
static const struct op_word {
    const char *name;
    fl_leak_op op;
    bool is_text;
} operators[] = {
    {"at_least", FL_LEAK_AT_LEAST, false},
    {"at_most", FL_LEAK_AT_MOST, false},
    {"matches", FL_LEAK_MATCHES, true},
    {"lacks", FL_LEAK_LACKS, true},
};
/* A new operator without a word does not compile. */
enum { OPERATOR_COUNT = sizeof(operators) / sizeof(operators[0]) };
_Static_assert(OPERATOR_COUNT == (int)FL_LEAK_OP_COUNT, "every operator has a word");

/* What cannot be compiled is said here, with its place, and not in the middle of an analysis. */
static fl_status read_pattern(const char **out, const struct reading *in, const fl_yaml *at)
{
    fl_regex *regex;
    fl_error inner = {0};
    if (at->text.len == 0)
        return COMPLAIN(in, at, "a pattern is not empty");
    fl_status status = fl_regex_create(&regex, at->text, false, &inner);
    if (status == FL_E_NOMEM)
        return fl_yaml_no_memory(&in->fields);
    if (status != FL_OK)
        return COMPLAIN(in, at, "%.140s", inner.message);
    fl_regex_destroy(regex);
    *out = fl_arena_cstr(in->fields.arena, at->text);
    return *out != NULL ? FL_OK : fl_yaml_no_memory(&in->fields);
}

/* The feature says whether it is a text or a number. */
static fl_status read_operand(fl_leak_condition *out, const struct reading *in, const fl_yaml *at,
                              const struct op_word *op)
{
    const fl_leak_feature_info *info = fl_leak_feature_info_of(out->feature);
    out->op = op->op;
    if (at->kind != FL_YAML_TEXT)
        return COMPLAIN(in, at, "%s is a plain value", op->name);
    if (info->is_text != op->is_text)
        return COMPLAIN(in, at, "%s is a %s: use %s", info->name, info->is_text ? "text" : "number",
                        info->is_text ? "matches or lacks" : "at_least or at_most");
    if (op->is_text)
        return read_pattern(&out->pattern, in, at);
    return fl_parse_double(at->text, &out->value) && isfinite(out->value)
               ? FL_OK
               : COMPLAIN(in, at, "%s is a number", op->name);
}

/* One feature, one operator, its value. */
static fl_status read_condition(fl_leak_condition *out, const struct reading *in,
                                const fl_yaml *map)
{
    static const char *const names[] = {"feature", "at_least", "at_most", "matches",
                                        "lacks",   "text",     NULL};
    fl_status status = fl_yaml_check_keys(&in->fields, map, "a condition", names);
    if (status != FL_OK)
        return status;
    const fl_yaml *feature = fl_yaml_member(map, FL_SLICE("feature")), *operand = NULL;
    const struct op_word *op = NULL;
    if (feature == NULL)
        return COMPLAIN(in, map, "feature is missing");
    if (feature->kind != FL_YAML_TEXT || !fl_leak_feature_find(&out->feature, feature->text))
        return COMPLAIN(in, feature, "there is no feature '%.40s'; 'faultline help signatures'",
                        feature->kind == FL_YAML_TEXT ? (const char *)feature->text.ptr : "");
    for (size_t i = 0; i < OPERATOR_COUNT; i++) {
        const fl_yaml *at = fl_yaml_member(map, fl_slice_of(operators[i].name));
        if (at != NULL && operand != NULL)
            return COMPLAIN(in, map, "a condition compares once");
        operand = at != NULL ? at : operand;
        op = at != NULL ? &operators[i] : op;
    }
    if (operand == NULL)
        return COMPLAIN(in, map, "a condition has at_least, at_most, matches or lacks");
    status = read_operand(out, in, operand, op);
    return status == FL_OK ? fl_yaml_take_text(&out->text, &in->fields, map, "text", false)
                           : status;
}

/* An absent list is an empty one. */
static size_t count_of(const fl_yaml *list)
{
    return list != NULL ? list->count : 0;
}

/* The items of both lists, the common one first: a form reads as all that must hold for it. */
static fl_status read_conditions(const fl_leak_condition **out, size_t *count,
                                 const struct reading *in, const fl_yaml *common,
                                 const fl_yaml *own)
{
    const fl_yaml *lists[2] = {common, own};
    size_t at = 0;
    fl_leak_condition *items =
        fl_arena_alloc(in->fields.arena, count_of(common) + count_of(own) + 1, sizeof(*items));
    if (items == NULL)
        return fl_yaml_no_memory(&in->fields);
    for (size_t i = 0; i < 2; i++) {
        if (lists[i] != NULL && lists[i]->kind != FL_YAML_LIST)
            return COMPLAIN(in, lists[i], "%.16s is a list", (const char *)lists[i]->key.ptr);
        for (const fl_yaml *item = lists[i] != NULL ? lists[i]->first : NULL; item != NULL;
             item = item->next) {
            fl_status status = read_condition(&items[at++], in, item);
            if (status != FL_OK)
                return status;
        }
    }
    assert(at == count_of(common) + count_of(own));
    *out = items;
    *count = at;
    return FL_OK;
}

/* What speaks against is shown: it needs words. */
static fl_status check_against(const struct reading *in, const fl_yaml *list,
                               const fl_leak_condition *items, size_t skip)
{
    const fl_yaml *at = list != NULL ? list->first : NULL;
    for (size_t i = skip; at != NULL; at = at->next, i++)
        if (items[i].text == NULL)
            return COMPLAIN(in, at, "a condition under against has a text");
    return FL_OK;
}

/* The same three names in a signature and in a form. */
static struct conditions conditions_of(const fl_yaml *map)
{
    return (struct conditions){.must = fl_yaml_member(map, FL_SLICE("must")),
                               .any = fl_yaml_member(map, FL_SLICE("any")),
                               .against = fl_yaml_member(map, FL_SLICE("against"))};
}

/* What is measured on one thing never holds together with what is measured on another. */
static fl_status check_measured(const struct reading *in, const fl_yaml *map,
                                const fl_leak_signature *signature)
{
    for (size_t i = 1; i < fl_leak_condition_count(signature); i++) {
        const fl_leak_feature_info *first =
            fl_leak_feature_info_of(fl_leak_condition_at(signature, 0)->feature);
        const fl_leak_feature_info *other =
            fl_leak_feature_info_of(fl_leak_condition_at(signature, i)->feature);
        if (other->in != first->in)
            return COMPLAIN(in, map, "%s is measured in %s and %s in %s: no subject has both",
                            first->name, fl_leak_measured_name(first->in), other->name,
                            fl_leak_measured_name(other->in));
    }
    return FL_OK;
}

/* Without a `must` a signature would hold for everything. */
static fl_status read_all_conditions(fl_leak_signature *out, const struct reading *in,
                                     const fl_yaml *map, struct conditions common,
                                     struct conditions own)
{
    fl_status status = read_conditions(&out->must, &out->must_count, in, common.must, own.must);
    if (status == FL_OK)
        status = read_conditions(&out->any, &out->any_count, in, common.any, own.any);
    if (status == FL_OK)
        status =
            read_conditions(&out->against, &out->against_count, in, common.against, own.against);
    if (status == FL_OK)
        status = check_against(in, common.against, out->against, 0);
    if (status == FL_OK)
        status = check_against(in, own.against, out->against, count_of(common.against));
    if (status == FL_OK && out->must_count == 0)
        return COMPLAIN(in, map, "must has at least one condition");
    return status == FL_OK ? check_measured(in, map, out) : status;
}

/* A plain address of the web: they are printed, and people click on them. */
static bool is_address(fl_slice text)
{
    bool good = fl_slice_starts_with(text, FL_SLICE("https://")) && text.len > 8 && text.len < 400;
    for (size_t i = 0; i < text.len && good; i++)
        good =
            text.ptr[i] > ' ' && text.ptr[i] < 0x7F && strchr("\"<>\\^`{|}", text.ptr[i]) == NULL;
    return good;
}

/* In the order of the file. */
static fl_status read_references(fl_leak_signature *out, const struct reading *in,
                                 const fl_yaml *map)
{
    const fl_yaml *list = fl_yaml_member(map, FL_SLICE("references"));
    if (list == NULL)
        return FL_OK;
    if (list->kind != FL_YAML_LIST)
        return COMPLAIN(in, list, "references is a list");
    const char **items = fl_arena_alloc(in->fields.arena, list->count + 1, sizeof(*items));
    if (items == NULL)
        return fl_yaml_no_memory(&in->fields);
    for (const fl_yaml *at = list->first; at != NULL; at = at->next) {
        if (at->kind != FL_YAML_TEXT || !is_address(at->text))
            return COMPLAIN(in, at, "a reference is an address that begins with https://");
        items[out->reference_count] = fl_arena_cstr(in->fields.arena, at->text);
        if (items[out->reference_count++] == NULL)
            return fl_yaml_no_memory(&in->fields);
    }
    out->references = items;
    return FL_OK;
}

/* "not enough data" is for the analysis to say, never for a signature. */
static fl_status read_verdict(fl_leak_signature *out, const struct reading *in, const fl_yaml *map)
{
    const char *word;
    fl_status status = fl_yaml_take_text(&word, &in->fields, map, "verdict", true);
    if (status != FL_OK)
        return status;
    if (!fl_leak_verdict_find(&out->verdict, fl_slice_of(word)) ||
        out->verdict == FL_LEAK_NOT_ENOUGH_DATA)
        return COMPLAIN(in, fl_yaml_member(map, FL_SLICE("verdict")),
                        "verdict is one of leak, bounded-growth, churn, retention, latency, "
                        "gc-pressure, crash, no-leak");
    status = fl_yaml_take_text(&word, &in->fields, map, "subject", true);
    if (status == FL_OK && !fl_leak_subject_find(&out->subject, fl_slice_of(word)))
        return COMPLAIN(in, fl_yaml_member(map, FL_SLICE("subject")),
                        "subject is one of site, goroutines, lock, program");
    return status;
}

/* What the forms of a signature share. */
static fl_status read_head(fl_leak_signature *out, const struct reading *in, const fl_yaml *map)
{
    fl_status status = fl_yaml_take_text(&out->name, &in->fields, map, "name", true);
    if (status == FL_OK)
        status = check_name(in, map, out->name);
    if (status == FL_OK)
        status = fl_yaml_take_text(&out->title, &in->fields, map, "title", true);
    if (status == FL_OK)
        status = read_verdict(out, in, map);
    if (status == FL_OK)
        status = read_prior(&out->prior, in, map);
    if (status == FL_OK)
        status = fl_yaml_take_text(&out->cause, &in->fields, map, "cause", true);
    if (status == FL_OK)
        status = fl_yaml_take_text(&out->fix, &in->fields, map, "fix", true);
    if (status == FL_OK)
        status = read_sketch(&out->sketch, in, map);
    return status == FL_OK ? read_references(out, in, map) : status;
}

/* The list doubles in the arena; what it leaves behind is as much again at most. */
static fl_status append(struct reading *in, const fl_leak_signature *item, const fl_yaml *map)
{
    struct signature_list *out = in->out;
    if (isnan(item->prior))
        return COMPLAIN(in, map, "prior is missing");
    if (out->count == MAX_SIGNATURES)
        return fl_fail(in->fields.err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d signatures",
                       MAX_SIGNATURES);
    if (out->count == in->cap) {
        size_t cap = in->cap > 0 ? 2 * in->cap : 16;
        fl_leak_signature *items = fl_arena_alloc(in->fields.arena, cap, sizeof(*items));
        struct signature_place *places = fl_arena_alloc(in->fields.arena, cap, sizeof(*places));
        if (items == NULL || places == NULL)
            return fl_yaml_no_memory(&in->fields);
        if (out->count > 0) {
            memcpy(items, out->items, out->count * sizeof(*items));
            memcpy(places, out->places, out->count * sizeof(*places));
        }
        *out = (struct signature_list){.items = items, .places = places, .count = out->count};
        in->cap = cap;
    }
    out->items[out->count] = *item;
    out->places[out->count++] =
        (struct signature_place){.source = in->fields.source, .line = map->line};
    return FL_OK;
}

/* One way to look: the head, its own versions and conditions, its own prior where it has one. */
static fl_status read_form(struct reading *in, const fl_leak_signature *head,
                           struct conditions common, const fl_yaml *form)
{
    static const char *const names[] = {"go_from", "go_to",   "prior", "must",
                                        "any",     "against", NULL};
    fl_leak_signature item = *head;
    double prior;
    fl_status status = fl_yaml_check_keys(&in->fields, form, "a form", names);
    if (status == FL_OK)
        status = read_versions(&item, in, form);
    if (status == FL_OK)
        status = read_prior(&prior, in, form);
    if (status == FL_OK)
        item.prior = isnan(prior) ? head->prior : prior;
    if (status == FL_OK)
        status = read_all_conditions(&item, in, form, common, conditions_of(form));
    return status == FL_OK ? append(in, &item, form) : status;
}

/* One of the list: an entry, or as many as it has forms. */
static fl_status read_signature(struct reading *in, const fl_yaml *map)
{
    static const char *const names[] = {
        "name", "title",   "verdict", "subject", "prior", "go_from", "go_to",      "must",
        "any",  "against", "forms",   "cause",   "fix",   "sketch",  "references", NULL};
    fl_leak_signature head = {0};
    fl_status status = fl_yaml_check_keys(&in->fields, map, "a signature", names);
    if (status == FL_OK)
        status = read_head(&head, in, map);
    if (status == FL_OK)
        status = read_versions(&head, in, map);
    for (size_t i = 0; status == FL_OK && i < in->out->count; i++)
        if (strcmp(in->out->items[i].name, head.name) == 0)
            status = COMPLAIN(in, map, "the name %s is given twice", head.name);
    if (status != FL_OK)
        return status;
    struct conditions common = conditions_of(map);
    const fl_yaml *forms = fl_yaml_member(map, FL_SLICE("forms"));
    if (forms == NULL) {
        status = read_all_conditions(&head, in, map, common, (struct conditions){0});
        return status == FL_OK ? append(in, &head, map) : status;
    }
    if (forms->kind != FL_YAML_LIST || forms->count == 0)
        return COMPLAIN(in, forms, "forms is a list of at least one");
    if (head.go_min != 0 || head.go_max != 0)
        return COMPLAIN(in, map, "with forms, go_from and go_to stand in them");
    for (const fl_yaml *form = forms->first; status == FL_OK && form != NULL; form = form->next)
        status = read_form(in, &head, common, form);
    return status;
}

fl_status fl_signatures_read(struct signature_list *out, const fl_yaml *root, const char *source,
                             fl_arena *arena, fl_error *err)
{
    static const char *const names[] = {"signatures", NULL};
    struct reading in = {.out = out, .fields = {.source = source, .arena = arena, .err = err}};
    fl_status status = fl_yaml_check_keys(&in.fields, root, "the document", names);
    if (status != FL_OK)
        return status;
    const fl_yaml *list = fl_yaml_member(root, FL_SLICE("signatures"));
    if (list == NULL)
        return COMPLAIN(&in, root, "signatures is missing");
    if (list->kind != FL_YAML_LIST)
        return COMPLAIN(&in, list, "signatures is a list");
    for (const fl_yaml *at = list->first; status == FL_OK && at != NULL; at = at->next)
        status = read_signature(&in, at);
    return status;
}
