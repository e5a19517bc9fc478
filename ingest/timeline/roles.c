/*
 * roles.c - the rule table, read from YAML events. Types come from the keys below, never from how
 * a scalar looks; aliases, unknown keys and repeated keys are refused with line and column.
 */
#include "roles.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "mem.h"
#include "names.h"
#include "number.h"
#include "regex.h"
#include "slice.h"

enum { MAX_RULES = 1024 };

struct rule {
    fl_regex *match, *unit; /* unit NULL: any */
    fl_metric_role role;
};

struct fl_roles {
    struct rule *rules;
    size_t count;
};

/* One document being read. `failed` holds the first complaint's status. */
struct loader {
    fl_roles *roles;
    yaml_parser_t parser;
    yaml_event_t event;
    fl_slice text;
    const char *source;
    fl_error *err;
};

fl_status fl_roles_create(fl_roles **out, fl_error *err)
{
    *out = fl_mem_calloc(1, sizeof(**out));
    return *out != NULL ? FL_OK
                        : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for metric roles");
}

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

/* libyaml gives only the byte where its reader stopped: control characters, broken UTF-8. */
static yaml_mark_t reader_mark(const struct loader *in)
{
    yaml_mark_t at = {.index = in->parser.problem_offset};
    for (size_t i = 0; i < at.index && i < in->text.len; i++) {
        bool is_break = in->text.ptr[i] == '\n';
        at.line += is_break;
        at.column = is_break ? 0 : at.column + ((in->text.ptr[i] & 0xC0) != 0x80);
    }
    return at;
}

static fl_status complain(struct loader *in, const char *what)
{
    yaml_mark_t at = in->parser.problem_mark;
    if (in->event.type != YAML_NO_EVENT)
        at = in->event.start_mark;
    else if (in->parser.error == YAML_READER_ERROR)
        at = reader_mark(in);
    return fl_fail(in->err, FL_E_SYNTAX, at.index, "%s:%zu:%zu: %s", in->source, at.line + 1,
                   at.column + 1, what);
}

static fl_status next_event(struct loader *in)
{
    yaml_event_delete(&in->event);
    memset(&in->event, 0, sizeof(in->event));
    if (!yaml_parser_parse(&in->parser, &in->event))
        return complain(in, in->parser.problem != NULL ? in->parser.problem : "not YAML");
    return in->event.type == YAML_ALIAS_EVENT ? complain(in, "aliases are not taken here") : FL_OK;
}

static fl_status expect(struct loader *in, yaml_event_type_t type, const char *what)
{
    fl_status status = next_event(in);
    return status == FL_OK && in->event.type != type ? complain(in, what) : status;
}

static fl_slice scalar(const struct loader *in)
{
    assert(in->event.type == YAML_SCALAR_EVENT);
    return (fl_slice){.ptr = in->event.data.scalar.value, .len = in->event.data.scalar.length};
}

static fl_status set_pattern(struct loader *in, fl_regex **out, fl_slice text, bool whole)
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

static fl_status set_role(struct loader *in, struct rule *rule, fl_slice text)
{
    char word[16];
    snprintf(word, sizeof(word), "%.*s", FL_SLICE_ARG(text));
    if (fl_role_parse(&rule->role.role, word))
        return FL_OK;
    return complain(
        in,
        "role is one of traffic, errors, latency, cpu, memory, network, disk, pool, queue, other");
}

static fl_status set_match(struct loader *in, struct rule *rule, fl_slice text)
{
    return set_pattern(in, &rule->match, text, false);
}

static fl_status set_unit(struct loader *in, struct rule *rule, fl_slice text)
{
    return set_pattern(in, &rule->unit, text, true);
}

static fl_status set_scale(struct loader *in, struct rule *rule, fl_slice text)
{
    if (!fl_slice_equal(text, FL_SLICE("share")) && !fl_slice_equal(text, FL_SLICE("value")))
        return complain(in, "scale is share or value");
    rule->role.scale = text.ptr[0] == 's' ? FL_SCALE_SHARE : FL_SCALE_VALUE;
    return FL_OK;
}

static fl_status set_of(struct loader *in, struct rule *rule, fl_slice text)
{
    double of;
    if (!fl_parse_double(text, &of) || !(of > 0))
        return complain(in, "of is a number above 0");
    rule->role.share_of = of;
    return FL_OK;
}

static fl_status set_host(struct loader *in, struct rule *rule, fl_slice text)
{
    if (!fl_slice_equal(text, FL_SLICE("true")) && !fl_slice_equal(text, FL_SLICE("false")))
        return complain(in, "host is true or false");
    rule->role.is_host = text.ptr[0] == 't';
    return FL_OK;
}

static fl_status set_bad(struct loader *in, struct rule *rule, fl_slice text)
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
    fl_status (*set)(struct loader *in, struct rule *rule, fl_slice text);
} keys[] = {
    {FL_SLICE_INIT("match"), set_match}, {FL_SLICE_INIT("unit"), set_unit},
    {FL_SLICE_INIT("role"), set_role},   {FL_SLICE_INIT("scale"), set_scale},
    {FL_SLICE_INIT("of"), set_of},       {FL_SLICE_INIT("host"), set_host},
    {FL_SLICE_INIT("bad"), set_bad},
};
enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

static fl_status read_rule(struct loader *in, struct rule *rule)
{
    bool seen[KEY_COUNT] = {false};
    fl_status status = FL_OK;
    while (status == FL_OK && (status = next_event(in)) == FL_OK &&
           in->event.type != YAML_MAPPING_END_EVENT) {
        size_t k = 0;
        if (in->event.type != YAML_SCALAR_EVENT)
            return complain(in, "a key is a plain word");
        while (k < KEY_COUNT && !fl_slice_equal(keys[k].name, scalar(in)))
            k++;
        if (k == KEY_COUNT)
            return complain(in, "a rule has the keys match, unit, role, scale, of, host, bad");
        if (seen[k])
            return complain(in, "this key is given twice");
        seen[k] = true;
        status = expect(in, YAML_SCALAR_EVENT, "expected a plain value");
        if (status == FL_OK)
            status = keys[k].set(in, rule, scalar(in));
    }
    if (status == FL_OK && (!seen[0] || !seen[2]))
        return complain(in, "a rule needs match and role");
    return status;
}

static fl_status read_rules(struct loader *in)
{
    fl_roles *roles = in->roles;
    fl_status status = expect(in, YAML_SEQUENCE_START_EVENT, "rules is a list");
    while (status == FL_OK && (status = next_event(in)) == FL_OK &&
           in->event.type != YAML_SEQUENCE_END_EVENT) {
        if (in->event.type != YAML_MAPPING_START_EVENT)
            return complain(in, "a rule is a mapping");
        if (roles->count == MAX_RULES)
            return complain(in, "more than 1024 rules");
        struct rule *grown = fl_mem_realloc(roles->rules, roles->count + 1, sizeof(*grown));
        if (grown == NULL)
            return fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for metric roles");
        roles->rules = grown;
        grown[roles->count] = (struct rule){.role = {.share_of = 1, .bad_when = 1}};
        status = read_rule(in, &grown[roles->count]);
        if (status == FL_OK)
            roles->count++;
        else
            dispose_rule(&grown[roles->count]);
    }
    return status;
}

static fl_status read_document(struct loader *in)
{
    fl_status status = expect(in, YAML_STREAM_START_EVENT, "not YAML");
    if (status == FL_OK)
        status = expect(in, YAML_DOCUMENT_START_EVENT, "the document is empty");
    if (status == FL_OK)
        status = expect(in, YAML_MAPPING_START_EVENT, "expected a mapping with the key rules");
    if (status == FL_OK)
        status = expect(in, YAML_SCALAR_EVENT, "expected the key rules");
    if (status == FL_OK && !fl_slice_equal(scalar(in), FL_SLICE("rules")))
        return complain(in, "expected the key rules");
    if (status == FL_OK)
        status = read_rules(in);
    if (status == FL_OK)
        status = expect(in, YAML_MAPPING_END_EVENT, "rules is the only key");
    if (status == FL_OK)
        status = expect(in, YAML_DOCUMENT_END_EVENT, "rules is the only key");
    return status == FL_OK ? expect(in, YAML_STREAM_END_EVENT, "one document only") : status;
}

fl_status fl_roles_add(fl_roles *roles, fl_slice yaml, const char *source, fl_error *err)
{
    struct loader in = {.roles = roles, .text = yaml, .source = source, .err = err};
    assert(roles != NULL && source != NULL);
    if (!yaml_parser_initialize(&in.parser))
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for metric roles");
    yaml_parser_set_input_string(&in.parser, yaml.ptr, yaml.len);
    fl_status status = read_document(&in);
    yaml_event_delete(&in.event);
    yaml_parser_delete(&in.parser);
    return status;
}

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
