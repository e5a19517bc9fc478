/*
 * roles.c - the rule table, read from a YAML tree. Types come from the keys below, never from how
 * a scalar looks; unknown keys are refused with line and column.
 */
#include "roles.h"

#include <assert.h>
#include <stdio.h>

#include "mem.h"
#include "names.h"
#include "number.h"
#include "regex.h"
#include "slice.h"
#include "yaml_tree.h"

enum {
    MAX_RULES = 1024,
    MAX_TREE_BYTES = 16 << 20, /* of the largest table: a rule takes about 2 KiB */
};

struct rule {
    fl_regex *match, *unit; /* unit NULL: any */
    fl_metric_role role;
};

struct fl_roles {
    struct rule *rules;
    size_t count;
};

/* Where complaints are about, and where they go. */
struct loader {
    const char *source;
    const fl_yaml *at;
    fl_error *err;
};

fl_status fl_roles_create(fl_roles **out, fl_error *err)
{
    *out = fl_mem_calloc(1, sizeof(**out));
    return *out != NULL ? FL_OK
                        : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for metric roles");
}

/* Patterns may be missing where a rule was refused half-way. */
static void dispose_rule(struct rule *rule)
{
    fl_regex_destroy(rule->match);
    fl_regex_destroy(rule->unit);
}

void fl_roles_destroy(fl_roles *roles)
{
    assert(roles == NULL || roles->count <= MAX_RULES);
    if (roles == NULL)
        return;
    for (size_t i = 0; i < roles->count; i++)
        dispose_rule(&roles->rules[i]);
    fl_mem_free(roles->rules);
    fl_mem_free(roles);
}

static fl_status complain(const struct loader *in, const char *what)
{
    return fl_yaml_fail(in->at, in->source, in->err, "%s", what);
}

/* `whole` asks for all of the text, not a part of it: units are short. */
static fl_status set_pattern(const struct loader *in, fl_regex **out, fl_slice text, bool whole)
{
    char anchored[512];
    fl_error inner = {0};
    if (text.len > sizeof(anchored) - 8)
        return complain(in, "a pattern has at most 500 characters");
    if (whole) {
        snprintf(anchored, sizeof(anchored), "^(?:%.*s)$", FL_SLICE_ARG(text));
        text = fl_slice_of(anchored);
    }
    fl_status status = fl_regex_create(out, text, true, &inner);
    if (status == FL_E_NOMEM)
        return fl_fail(in->err, status, FL_NO_OFFSET, "%s", inner.message);
    return status == FL_OK ? FL_OK : complain(in, inner.message);
}

/* The words are the contract's, not this table's. */
static fl_status set_role(const struct loader *in, struct rule *rule, fl_slice text)
{
    char word[16];
    snprintf(word, sizeof(word), "%.*s", FL_SLICE_ARG(text));
    if (fl_role_parse(&rule->role.role, word))
        return FL_OK;
    return complain(
        in,
        "role is one of traffic, errors, latency, cpu, memory, network, disk, pool, queue, other");
}

static fl_status set_match(const struct loader *in, struct rule *rule, fl_slice text)
{
    return set_pattern(in, &rule->match, text, false);
}

static fl_status set_unit(const struct loader *in, struct rule *rule, fl_slice text)
{
    return set_pattern(in, &rule->unit, text, true);
}

static fl_status set_scale(const struct loader *in, struct rule *rule, fl_slice text)
{
    if (!fl_slice_equal(text, FL_SLICE("share")) && !fl_slice_equal(text, FL_SLICE("value")))
        return complain(in, "scale is share or value");
    rule->role.scale = text.ptr[0] == 's' ? FL_SCALE_SHARE : FL_SCALE_VALUE;
    return FL_OK;
}

static fl_status set_of(const struct loader *in, struct rule *rule, fl_slice text)
{
    double of;
    if (!fl_parse_double(text, &of) || !(of > 0))
        return complain(in, "of is a number above 0");
    rule->role.share_of = of;
    return FL_OK;
}

static fl_status set_host(const struct loader *in, struct rule *rule, fl_slice text)
{
    if (!fl_slice_equal(text, FL_SLICE("true")) && !fl_slice_equal(text, FL_SLICE("false")))
        return complain(in, "host is true or false");
    rule->role.is_host = text.ptr[0] == 't';
    return FL_OK;
}

static fl_status set_bad(const struct loader *in, struct rule *rule, fl_slice text)
{
    static const struct {
        fl_slice name;
        int8_t value;
    } directions[] = {
        {FL_SLICE_INIT("up"), 1}, {FL_SLICE_INIT("down"), -1}, {FL_SLICE_INIT("either"), 0}};
    for (size_t i = 0; i < 3; i++)
        if (fl_slice_equal(text, directions[i].name)) {
            rule->role.bad_when = directions[i].value;
            return FL_OK;
        }
    return complain(in, "bad is up, down or either");
}

static const struct key {
    fl_slice name;
    fl_status (*set)(const struct loader *in, struct rule *rule, fl_slice text);
} keys[] = {
    {FL_SLICE_INIT("match"), set_match}, {FL_SLICE_INIT("unit"), set_unit},
    {FL_SLICE_INIT("role"), set_role},   {FL_SLICE_INIT("scale"), set_scale},
    {FL_SLICE_INIT("of"), set_of},       {FL_SLICE_INIT("host"), set_host},
    {FL_SLICE_INIT("bad"), set_bad},
};
enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

/* The member `at->key` of a rule. */
static fl_status set_member(const struct loader *in, struct rule *rule)
{
    size_t k = 0;
    while (k < KEY_COUNT && !fl_slice_equal(keys[k].name, in->at->key))
        k++;
    if (k == KEY_COUNT)
        return complain(in, "a rule has the keys match, unit, role, scale, of, host, bad");
    if (in->at->kind != FL_YAML_TEXT)
        return complain(in, "expected a plain value");
    return keys[k].set(in, rule, in->at->text);
}

static fl_status read_rule(struct loader *in, struct rule *rule)
{
    const fl_yaml *map = in->at;
    fl_status status = FL_OK;
    if (map->kind != FL_YAML_MAP)
        return complain(in, "a rule is a mapping");
    for (in->at = map->first; status == FL_OK && in->at != NULL; in->at = in->at->next)
        status = set_member(in, rule);
    in->at = map;
    if (status == FL_OK && (rule->match == NULL || fl_yaml_member(map, FL_SLICE("role")) == NULL))
        return complain(in, "a rule needs match and role");
    return status;
}

/* Rules count in the order of the file: a rule is appended when it is whole. */
static fl_status add_rule(fl_roles *roles, struct loader *in)
{
    if (roles->count == MAX_RULES)
        return complain(in, "more than 1024 rules");
    struct rule *grown = fl_mem_realloc(roles->rules, roles->count + 1, sizeof(*grown));
    if (grown == NULL)
        return fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for metric roles");
    roles->rules = grown;
    grown[roles->count] = (struct rule){.role = {.share_of = 1, .bad_when = 1}};
    fl_status status = read_rule(in, &grown[roles->count]);
    if (status == FL_OK)
        roles->count++;
    else
        dispose_rule(&grown[roles->count]);
    return status;
}

static fl_status read_rules(fl_roles *roles, struct loader *in)
{
    const fl_yaml *rules = fl_yaml_member(in->at, FL_SLICE("rules"));
    fl_status status = FL_OK;
    if (rules == NULL)
        return complain(in, "expected a mapping with the key rules");
    if (in->at->count > 1) {
        in->at = rules == in->at->first ? rules->next : in->at->first;
        return complain(in, "rules is the only key");
    }
    in->at = rules;
    if (rules->kind != FL_YAML_LIST)
        return complain(in, "rules is a list");
    for (in->at = rules->first; status == FL_OK && in->at != NULL; in->at = in->at->next)
        status = add_rule(roles, in);
    return status;
}

fl_status fl_roles_add(fl_roles *roles, fl_slice yaml, const char *source, fl_error *err)
{
    struct loader in = {.source = source, .err = err};
    fl_arena arena = fl_arena_of(MAX_TREE_BYTES);
    assert(roles != NULL && source != NULL);
    fl_status status = fl_yaml_read(&in.at, &arena, yaml, source, err);
    if (status == FL_OK)
        status = read_rules(roles, &in);
    fl_arena_dispose(&arena);
    return status;
}

/* The metric first: few rules ask for a unit. */
static fl_status matches(bool *out, const struct rule *rule, fl_slice metric, fl_slice unit,
                         fl_error *err)
{
    fl_status status = fl_regex_match(out, rule->match, metric, err);
    if (status == FL_OK && *out && rule->unit != NULL)
        status = fl_regex_match(out, rule->unit, unit, err);
    return status;
}

fl_status fl_roles_find(fl_metric_role *out, const fl_roles *roles, fl_slice metric, fl_slice unit,
                        fl_error *err)
{
    *out = (fl_metric_role){.share_of = 1};
    for (size_t i = 0; i < roles->count; i++) {
        bool matched;
        fl_status status = matches(&matched, &roles->rules[i], metric, unit, err);
        if (status == FL_OK && matched)
            *out = roles->rules[i].role;
        if (status != FL_OK || matched)
            return status;
    }
    return FL_OK;
}
