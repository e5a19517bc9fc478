/*
 * library_read.c - a document's tree to items; each mistake is named with its place.
 *
 * What an item needs is checked here with the grammar that later decides (gate.h), so that a gate
 * that never opens for want of a blank is found by who writes it.
 *
 * The same holds for fixes: "set pool 64" would be read as something to do, and never be compared
 * with a service's settings; a fix that begins with the word of a form has to fit it.
 *
 * An item that could never be reached is refused as well: one without a symptom, or one whose only
 * needs are settings that are absent, since what is not there leads nowhere.
 */
#include <assert.h>
#include <string.h>

#include "advice.h"
#include "gate.h"
#include "library_priv.h"
#include "names.h"
#include "number.h"
#include "slice.h"

/* What the graph keeps of a key and of a text (graph_store.h), less what is put before it. */
enum { MAX_KEY_BYTES = 900, MAX_TEXT_BYTES = 3500, MAX_NAME_BYTES = 64 };

/* A text of at most `limit` bytes. */
static fl_status take(const char **out, const fl_yaml_fields *in, const fl_yaml *map,
                      const char *name, size_t limit)
{
    fl_status status = fl_yaml_take_text(out, in, map, name, true);
    if (status == FL_OK && strlen(*out) > limit)
        return FL_YAML_COMPLAIN(in, fl_yaml_member(map, fl_slice_of(name)),
                                "%s is longer than %zu bytes", name, limit);
    return status;
}

/* Small letters, digits and single '-': it is a key for ever. */
static fl_status take_name(const char **out, const fl_yaml_fields *in, const fl_yaml *map)
{
    fl_status status = take(out, in, map, "name", MAX_NAME_BYTES);
    if (status != FL_OK)
        return status;
    const char *name = *out;
    size_t len = strlen(name);
    bool good = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && name[0] != '-' &&
                name[len - 1] != '-' && strstr(name, "--") == NULL;
    return good ? FL_OK
                : FL_YAML_COMPLAIN(in, fl_yaml_member(map, FL_SLICE("name")),
                                   "a name has small letters, digits and '-'");
}

/* A whole library knows a name once. */
static fl_status check_new(const fl_yaml_fields *in, const struct fl_library_lists *all,
                           const fl_yaml *map, const char *name)
{
    bool known = false;
    for (size_t i = 0; i < all->item_count; i++)
        known = known || strcmp(all->items[i].name, name) == 0;
    for (size_t i = 0; i < all->gone_count; i++)
        known = known || strcmp(all->gone[i].name, name) == 0;
    return known ? FL_YAML_COMPLAIN(in, fl_yaml_member(map, FL_SLICE("name")),
                                    "the name %s is given twice", name)
                 : FL_OK;
}

/* One of `words`, which end with NULL; the first where it is absent and not required. */
static fl_status take_word(const char **out, const fl_yaml_fields *in, const fl_yaml *map,
                           const char *name, const char *const *words)
{
    size_t w = 0;
    fl_status status = fl_yaml_take_text(out, in, map, name, false);
    if (status != FL_OK || *out == NULL) {
        *out = words[0];
        return status;
    }
    while (words[w] != NULL && strcmp(words[w], *out) != 0)
        w++;
    return words[w] != NULL ? FL_OK
                            : FL_YAML_COMPLAIN(in, fl_yaml_member(map, fl_slice_of(name)),
                                               "%s has no value '%.40s'", name, *out);
}

/* ---- symptoms ---- */

/* Which of the words a symptom begins with. */
static const struct {
    const char *name;
    fl_library_sign sign;
} signs[] = {{"leak", FL_LIBRARY_LEAK},
             {"metric", FL_LIBRARY_METRIC},
             {"exception", FL_LIBRARY_EXCEPTION},
             {"said", FL_LIBRARY_SAID}};

/* A metric alone says nothing: rising memory and a full pool are two symptoms of one name. */
static fl_status read_metric(fl_library_symptom *out, const fl_yaml_fields *in, const fl_yaml *map)
{
    const char *word;
    fl_status status = fl_yaml_take_text(&word, in, map, "is", true);
    if (status != FL_OK)
        return status;
    return fl_cause_parse(&out->cause, word)
               ? FL_OK
               : FL_YAML_COMPLAIN(in, fl_yaml_member(map, FL_SLICE("is")),
                                  "there is no kind of cause '%.40s'", word);
}

/* One word says what kind it is; the others belong to some kinds only. */
static fl_status read_symptom(fl_library_symptom *out, const fl_yaml_fields *in, const fl_yaml *map)
{
    static const char *const names[] = {"leak", "metric",  "exception", "said",
                                        "is",   "message", NULL};
    size_t given = 0;
    fl_status status = fl_yaml_check_keys(in, map, "a symptom", names);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; status == FL_OK && i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (fl_yaml_member(map, fl_slice_of(signs[i].name)) == NULL)
            continue;
        out->sign = signs[i].sign;
        status = take(&out->text, in, map, signs[i].name, MAX_KEY_BYTES / 2);
        given++;
    }
    if (status == FL_OK && given != 1)
        return FL_YAML_COMPLAIN(in, map, "a symptom is one of leak, metric, exception and said");
    if (status == FL_OK && out->sign == FL_LIBRARY_METRIC)
        return read_metric(out, in, map);
    if (status == FL_OK && fl_yaml_member(map, FL_SLICE("is")) != NULL)
        return FL_YAML_COMPLAIN(in, map, "only a metric is something");
    if (status == FL_OK && fl_yaml_member(map, FL_SLICE("message")) != NULL)
        return out->sign == FL_LIBRARY_EXCEPTION
                   ? take(&out->message, in, map, "message", MAX_KEY_BYTES / 2)
                   : FL_YAML_COMPLAIN(in, map, "only an exception has a message");
    return status;
}

/* Without one nobody would ever come by. */
static fl_status read_symptoms(fl_library_item *out, const fl_yaml_fields *in, const fl_yaml *map)
{
    const fl_yaml *list;
    fl_status status = fl_yaml_take_list(&list, in, map, "symptoms", true);
    if (status != FL_OK)
        return status;
    if (list->count == 0)
        return FL_YAML_COMPLAIN(in, list, "an item has at least one symptom");
    fl_library_symptom *items = fl_arena_alloc(in->arena, list->count, sizeof(*items));
    if (items == NULL)
        return fl_yaml_no_memory(in);
    for (const fl_yaml *at = list->first; status == FL_OK && at != NULL; at = at->next)
        status = read_symptom(&items[out->symptom_count++], in, at);
    out->symptoms = items;
    return status;
}

/* ---- needs ---- */

/* A gate that cannot be read would never open. */
static fl_status check_gate(const fl_yaml_fields *in, const fl_yaml *at,
                            const fl_library_need *need)
{
    fl_error inner = {0};
    fl_slice gate = fl_slice_of(need->gate);
    fl_status status = need->is_component ? fl_gate_check_component(gate, &inner)
                                          : fl_gate_check_config(gate, &inner);
    return status == FL_OK ? FL_OK : FL_YAML_COMPLAIN(in, at, "%.140s", inner.message);
}

/* Names are folded, so that who asks by an alias finds them. */
static fl_status read_need(fl_library_need *out, const fl_yaml_fields *in, const fl_yaml *map)
{
    static const char *const names[] = {"component", "versions", "setting", "is", NULL};
    char folded[FL_LIBRARY_NAME_BYTES];
    const char *name;
    fl_status status = fl_yaml_check_keys(in, map, "a need", names);
    if (status != FL_OK)
        return status;
    out->is_component = fl_yaml_member(map, FL_SLICE("component")) != NULL;
    if (out->is_component == (fl_yaml_member(map, FL_SLICE("setting")) != NULL))
        return FL_YAML_COMPLAIN(in, map, "a need is a component or a setting");
    const char *other = out->is_component ? "is" : "versions";
    const char *gate = out->is_component ? "versions" : "is";
    if (fl_yaml_member(map, fl_slice_of(other)) != NULL)
        return FL_YAML_COMPLAIN(in, map, "components have versions, settings are something");
    status = take(&name, in, map, out->is_component ? "component" : "setting", MAX_KEY_BYTES / 2);
    if (status == FL_OK)
        status = fl_yaml_take_text(&out->gate, in, map, gate, false);
    if (status != FL_OK)
        return status;
    out->name = fl_arena_cstr(
        in->arena, fl_slice_of(fl_library_fold(folded, fl_slice_of(name),
                                               out->is_component ? FL_LIBRARY_AS_COMPONENT
                                                                 : FL_LIBRARY_AS_SETTING)));
    if (out->name == NULL)
        return fl_yaml_no_memory(in);
    return out->gate != NULL ? check_gate(in, fl_yaml_member(map, fl_slice_of(gate)), out) : FL_OK;
}

/* A setting that may be absent finds no service by itself: something that is there must. */
static fl_status check_reachable(const fl_yaml_fields *in, const fl_yaml *list,
                                 const fl_library_item *item)
{
    bool reachable = false;
    for (size_t i = 0; i < item->need_count; i++)
        reachable = reachable || item->needs[i].is_component ||
                    !fl_gate_takes_absence(fl_slice_of(item->needs[i].gate));
    return reachable ? FL_OK
                     : FL_YAML_COMPLAIN(in, list,
                                        "something must be there: a component, or a setting with "
                                        "a value");
}

/* All of them must hold; none: the item answers symptoms and is never advice. */
static fl_status read_needs(fl_library_item *out, const fl_yaml_fields *in, const fl_yaml *map)
{
    const fl_yaml *list;
    fl_status status = fl_yaml_take_list(&list, in, map, "needs", false);
    if (status != FL_OK || list == NULL)
        return status;
    fl_library_need *items = fl_arena_alloc(in->arena, list->count + 1, sizeof(*items));
    if (items == NULL)
        return fl_yaml_no_memory(in);
    out->needs = items;
    for (const fl_yaml *at = list->first; status == FL_OK && at != NULL; at = at->next)
        status = read_need(&items[out->need_count++], in, at);
    return status == FL_OK ? check_reachable(in, list, out) : status;
}

/* ---- fixes ---- */

/* Up to the first blank. */
static const char *first_word(fl_slice text, size_t *len)
{
    *len = fl_slice_find(text, FL_SLICE(" "));
    return (const char *)text.ptr;
}

/* "set pool 64" is meant as a setting, and would be read as something to do. */
static fl_status check_advice(const fl_yaml_fields *in, const fl_yaml *at, const char *text)
{
    fl_advice_words words;
    size_t len;
    const char *word = first_word(fl_slice_of(text), &len);
    fl_advice_read(&words, fl_slice_of(text));
    for (fl_advice_kind kind = 0; kind < FL_ADVICE_DO && words.kind == FL_ADVICE_DO; kind++) {
        const char *name = fl_advice_kind_name(kind);
        if (strlen(name) == len && memcmp(name, word, len) == 0)
            return FL_YAML_COMPLAIN(in, at, "'%.40s' does not fit the form of %s", text, name);
    }
    return FL_OK;
}

/* What and why; a plan where the fix is more than a line. */
static fl_status read_fix(fl_library_fix *out, const fl_yaml_fields *in, const fl_yaml *map)
{
    static const char *const names[] = {"do", "why", "plan", NULL};
    fl_status status = fl_yaml_check_keys(in, map, "a fix", names);
    if (status == FL_OK)
        status = take(&out->text, in, map, "do", MAX_KEY_BYTES);
    if (status == FL_OK)
        status = check_advice(in, fl_yaml_member(map, FL_SLICE("do")), out->text);
    if (status == FL_OK)
        status = take(&out->why, in, map, "why", MAX_TEXT_BYTES);
    if (status == FL_OK && fl_yaml_member(map, FL_SLICE("plan")) != NULL)
        status = take(&out->plan, in, map, "plan", MAX_KEY_BYTES);
    return status;
}

/* In the order of the file. */
static fl_status read_fixes(fl_library_item *out, const fl_yaml_fields *in, const fl_yaml *map)
{
    const fl_yaml *list;
    fl_status status = fl_yaml_take_list(&list, in, map, "fixes", true);
    if (status != FL_OK)
        return status;
    if (list->count == 0)
        return FL_YAML_COMPLAIN(in, list, "an item has at least one fix");
    fl_library_fix *items = fl_arena_alloc(in->arena, list->count, sizeof(*items));
    if (items == NULL)
        return fl_yaml_no_memory(in);
    for (const fl_yaml *at = list->first; status == FL_OK && at != NULL; at = at->next)
        status = read_fix(&items[out->fix_count++], in, at);
    out->fixes = items;
    return status;
}

/* ---- items ---- */

/* Addresses are printed, and people click on them. */
static fl_status read_references(fl_library_item *out, const fl_yaml_fields *in, const fl_yaml *map)
{
    const fl_yaml *list = fl_yaml_member(map, FL_SLICE("references"));
    fl_status status =
        fl_yaml_take_texts(&out->references, &out->reference_count, in, map, "references");
    if (status == FL_OK && out->reference_count == 0)
        return FL_YAML_COMPLAIN(in, map, "an item has at least one reference");
    const fl_yaml *at = list != NULL ? list->first : NULL;
    for (size_t i = 0; status == FL_OK && i < out->reference_count; i++, at = at->next) {
        const char *text = out->references[i];
        bool good = strncmp(text, "https://", 8) == 0 && strlen(text) < 400;
        for (const char *c = text; *c != '\0'; c++)
            good = good && *c > ' ' && *c < 0x7F && strchr("\"<>\\^`{|}'", *c) == NULL;
        if (!good)
            return FL_YAML_COMPLAIN(in, at, "a reference is an address that begins with https://");
    }
    return status;
}

/* Counts up when an item comes back, so that its evidence is new. */
static fl_status read_revision(unsigned *out, const fl_yaml_fields *in, const fl_yaml *map)
{
    const fl_yaml *at = fl_yaml_member(map, FL_SLICE("revision"));
    uint64_t value = 1;
    if (at != NULL &&
        (at->kind != FL_YAML_TEXT || !fl_parse_u64(at->text, &value) || value == 0 || value > 999))
        return FL_YAML_COMPLAIN(in, at, "revision is a number from 1 to 999");
    *out = (unsigned)value;
    return FL_OK;
}

/* What an item is, apart from its lists. */
static fl_status read_head(fl_library_item *out, const fl_yaml_fields *in, const fl_yaml *map)
{
    static const char *const runtimes[] = {"any", "go", "jvm", "python", NULL};
    static const char *const grades[] = {"read", "practice", NULL};
    static const char *const truths[] = {"false", "true", NULL};
    const char *grade = NULL, *benign = NULL;
    fl_status status = take_name(&out->name, in, map);
    if (status == FL_OK)
        status = take(&out->title, in, map, "title", MAX_KEY_BYTES);
    if (status == FL_OK)
        status = take(&out->cause, in, map, "cause", MAX_TEXT_BYTES);
    if (status == FL_OK)
        status = take_word(&out->runtime, in, map, "runtime", runtimes);
    if (status == FL_OK)
        status = take_word(&grade, in, map, "grade", grades);
    if (status == FL_OK)
        status = take_word(&benign, in, map, "benign", truths);
    if (status == FL_OK)
        status = read_revision(&out->revision, in, map);
    out->is_practice = grade != NULL && strcmp(grade, "practice") == 0;
    out->benign = benign != NULL && strcmp(benign, "true") == 0;
    return status;
}

/* Strict on purpose: an item goes into the graphs of everybody. */
static fl_status read_item(struct fl_library_lists *out, const fl_yaml_fields *in,
                           const fl_yaml *map)
{
    static const char *const names[] = {"name",   "title",      "revision", "runtime",
                                        "benign", "cause",      "symptoms", "needs",
                                        "fixes",  "references", "grade",    NULL};
    fl_library_item item = {0};
    fl_status status = fl_yaml_check_keys(in, map, "an item", names);
    if (status == FL_OK)
        status = read_head(&item, in, map);
    if (status == FL_OK)
        status = check_new(in, out, map, item.name);
    if (status == FL_OK)
        status = read_symptoms(&item, in, map);
    if (status == FL_OK)
        status = read_needs(&item, in, map);
    if (status == FL_OK)
        status = read_fixes(&item, in, map);
    if (status == FL_OK)
        status = read_references(&item, in, map);
    if (status != FL_OK)
        return status;
    if (out->item_count == FL_LIBRARY_MAX_ITEMS)
        return fl_fail(in->err, FL_E_LIMIT, FL_NO_OFFSET, "a library of more than %d items",
                       FL_LIBRARY_MAX_ITEMS);
    out->items[out->item_count++] = item;
    return FL_OK;
}

/* An item that was. Its name stays taken. */
static fl_status read_gone(struct fl_library_lists *out, const fl_yaml_fields *in,
                           const fl_yaml *map)
{
    static const char *const names[] = {"name", "by", "why", NULL};
    fl_library_gone gone = {0};
    fl_status status = fl_yaml_check_keys(in, map, "a superseded item", names);
    if (status == FL_OK)
        status = take_name(&gone.name, in, map);
    if (status == FL_OK)
        status = check_new(in, out, map, gone.name);
    if (status == FL_OK)
        status = fl_yaml_take_text(&gone.by, in, map, "by", false);
    if (status == FL_OK)
        status = take(&gone.why, in, map, "why", MAX_TEXT_BYTES);
    if (status != FL_OK)
        return status;
    if (out->gone_count == FL_LIBRARY_MAX_ITEMS)
        return fl_fail(in->err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d superseded items",
                       FL_LIBRARY_MAX_ITEMS);
    out->gone[out->gone_count++] = gone;
    return FL_OK;
}

/* ---- names ---- */

/* In one spelling; one alias leads to one name. */
static fl_status add_alias(struct fl_library_names *out, const fl_yaml_fields *in,
                           const fl_yaml *at, const char *alias, const char *name)
{
    for (size_t i = 0; i < out->count; i++)
        if (strcmp(out->items[i].alias, alias) == 0)
            return strcmp(out->items[i].name, name) == 0
                       ? FL_OK
                       : FL_YAML_COMPLAIN(in, at, "'%.80s' stands for %.80s already", alias,
                                          out->items[i].name);
    if (out->count == FL_LIBRARY_MAX_NAMES)
        return fl_fail(in->err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d names",
                       FL_LIBRARY_MAX_NAMES);
    char *kept = fl_arena_cstr(in->arena, fl_slice_of(alias));
    if (kept == NULL)
        return fl_yaml_no_memory(in);
    out->items[out->count++] = (struct fl_library_alias){.alias = kept, .name = name};
    return FL_OK;
}

/* The name itself is an alias of itself, in the spelling that tells it apart. */
static fl_status read_names(struct fl_library_names *out, const fl_yaml_fields *in,
                            const fl_yaml *map, bool is_setting)
{
    static const char *const names[] = {"name", "aliases", NULL};
    const char *const *aliases, *given;
    char folded[FL_LIBRARY_NAME_BYTES];
    size_t count;
    fl_status status = fl_yaml_check_keys(in, map, "a name with aliases", names);
    if (status == FL_OK)
        status = take(&given, in, map, "name", MAX_KEY_BYTES / 2);
    if (status == FL_OK)
        status = fl_yaml_take_texts(&aliases, &count, in, map, "aliases");
    if (status != FL_OK)
        return status;
    fl_library_spelling kept = is_setting ? FL_LIBRARY_AS_SETTING : FL_LIBRARY_AS_COMPONENT;
    fl_library_spelling told = is_setting ? FL_LIBRARY_AS_VARIABLE : FL_LIBRARY_AS_COMPONENT;
    fl_library_fold(folded, fl_slice_of(given), kept);
    const char *name = fl_arena_cstr(in->arena, fl_slice_of(folded));
    if (name == NULL)
        return fl_yaml_no_memory(in);
    status = add_alias(out, in, map, fl_library_fold(folded, fl_slice_of(given), told), name);
    for (size_t i = 0; status == FL_OK && i < count; i++)
        status =
            add_alias(out, in, map, fl_library_fold(folded, fl_slice_of(aliases[i]), told), name);
    return status;
}

fl_status fl_library_read(struct fl_library_lists *out, const fl_yaml_fields *in,
                          const fl_yaml *root)
{
    static const char *const names[] = {"components", "settings", "items", "superseded", NULL};
    const fl_yaml *list;
    assert(out != NULL && root != NULL);
    fl_status status = fl_yaml_check_keys(in, root, "a library", names);
    for (size_t i = 0; status == FL_OK && names[i] != NULL; i++) {
        status = fl_yaml_take_list(&list, in, root, names[i], false);
        const fl_yaml *at = status == FL_OK && list != NULL ? list->first : NULL;
        for (; status == FL_OK && at != NULL; at = at->next) {
            if (i < 2)
                status = read_names(i == 0 ? &out->components : &out->settings, in, at, i == 1);
            else
                status = i == 2 ? read_item(out, in, at) : read_gone(out, in, at);
        }
    }
    return status;
}
