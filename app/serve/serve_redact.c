/*
 * serve_redact.c - the configuration's rules to those of the layer that runs them, which knows no
 * configuration.
 */
#include "serve_redact.h"

#include <assert.h>

fl_status fl_serve_redaction(fl_redact_rules **out, const fl_config *config,
                             fl_serve_redact_slow *slow, void *payload, fl_error *err)
{
    const fl_config_redaction *said = &config->redaction;
    fl_redact_rule rules[FL_REDACT_MAX_RULES];
    fl_error inner = {0};
    assert(out != NULL);
    *out = NULL;
    if (said->rules.count > FL_REDACT_MAX_RULES)
        return fl_config_fail(config, &said->rules, FL_E_LIMIT, err, "more than %d rules",
                              FL_REDACT_MAX_RULES);
    for (size_t i = 0; i < said->rules.count; i++) {
        const fl_config_rule *rule = &said->rules.items[i];
        rules[i] = (fl_redact_rule){rule->name, rule->pattern, rule->replace, rule->ignore_case};
    }
    const fl_redact_options options = {.without_builtin = !said->builtin,
                                       .without = said->without.items,
                                       .without_count = said->without.count,
                                       .keys = said->keys.items,
                                       .key_count = said->keys.count,
                                       .rules = rules,
                                       .rule_count = said->rules.count,
                                       .slow = slow,
                                       .payload = payload};
    fl_status status = fl_redact_rules_create(out, &options, &inner);
    if (status == FL_OK)
        return FL_OK;
    const void *member = status == FL_E_NOTFOUND ? (const void *)&said->without : &said->rules;
    return fl_config_fail(config, member, status, err, "%s", inner.message);
}
