/*
 * learn_rules.c - YAML to phrases, and phrases in a text.
 *
 *   document   := sections? cues? words? components?
 *   sections   := {role, names}*      cues := {kind, words, ends?}*
 *   words      := {list: words}       components := {name, aliases?, versions}*
 *
 * Strict on purpose: an unknown key or role would be a rule that silently never holds.
 *
 * Invariants: `phrases` is sorted by bytes, longer ones before their prefixes, when `is_sorted`;
 * bucket[b] to bucket[b + 1] are those whose first two bytes are b. No phrase is shorter than two
 * bytes, so that two bytes always decide.
 */
#include "learn_rules.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fl_learn_components_yaml.h"
#include "fl_learn_cues_yaml.h"
#include "fl_learn_sections_yaml.h"
#include "mem.h"
#include "slice.h"
#include "yaml_fields.h"

enum { MAX_PHRASES = 16384, MAX_SECTIONS = 4096, MAX_ENDS = 64, BUCKETS = 1 << 16 };
/* A longer heading that holds the word is about something. */
enum { MAX_HEADING_BYTES = 48 };
#define MAX_RULE_BYTES (16u << 20)

struct section_name {
    fl_slice text;
    fl_section role;
};

struct end_word {
    fl_slice text;
    fl_phrase_kind cue;
};

struct fl_learn_rules {
    fl_arena arena;
    fl_phrase *phrases;
    size_t phrase_count;
    struct section_name *sections;
    size_t section_count;
    struct end_word ends[MAX_ENDS];
    size_t end_count;
    bool is_sorted;
    uint16_t bucket[BUCKETS + 1];
    uint64_t *kinds; /* of all phrases of a bucket, at the place of its first */
};

static const char *const section_names[FL_SECTION_COUNT] = {
    [FL_SECTION_NONE] = "none",
    [FL_SECTION_SYMPTOM] = "symptom",
    [FL_SECTION_LOG] = "log",
    [FL_SECTION_CAUSE] = "cause",
    [FL_SECTION_FIX] = "fix",
    [FL_SECTION_RULED_OUT] = "ruled-out",
    [FL_SECTION_ENVIRONMENT] = "environment",
    [FL_SECTION_SERVICE] = "service",
    [FL_SECTION_DATE] = "date",
    [FL_SECTION_SKIP] = "skip",
};

static const char *const kind_names[FL_PHRASE_KIND_COUNT] = {
    [FL_CUE_EXPLAINED_BY] = "explained-by",
    [FL_CUE_EXPLAINS] = "explains",
    [FL_CUE_BECAUSE_FIRST] = "because-first",
    [FL_CUE_ROOT] = "root",
    [FL_CUE_FIX] = "fix",
    [FL_CUE_FIX_LEFT] = "fix-left",
    [FL_CUE_FIX_BETWEEN] = "fix-between",
    [FL_CUE_INTRODUCED] = "introduced",
    [FL_CUE_INTRODUCED_BETWEEN] = "introduced-between",
    [FL_CUE_RULED_OUT_LEFT] = "ruled-out-left",
    [FL_CUE_RULED_OUT] = "ruled-out",
    [FL_CUE_SUSPECTED] = "suspected",
    [FL_CUE_LIST] = "list",
    [FL_CUE_WHY] = "why",
    [FL_WORD_HEDGE] = "hedges",
    [FL_WORD_NEGATION] = "negations",
    [FL_WORD_NOT_BEFORE] = "not-before",
    [FL_WORD_NOT_BEHIND] = "not-behind",
    [FL_WORD_INSTRUCTION] = "instructions",
    [FL_WORD_DISCARD] = "discards",
    [FL_WORD_FAILURE] = "failures",
    [FL_WORD_ACTION] = "actions",
    [FL_WORD_REPORT] = "reports",
    [FL_WORD_AFTER_UPGRADE] = "after-upgrade",
    [FL_WORD_LEAD] = "leads",
    [FL_WORD_TAIL] = "tails",
    [FL_WORD_VAGUE] = "vague",
    [FL_WORD_BEFORE] = "before",
    [FL_WORD_UNTIL] = "until",
    [FL_WORD_SINCE] = "since",
    [FL_WORD_AND_LATER] = "and-later",
    [FL_WORD_AND_EARLIER] = "and-earlier",
    [FL_WORD_TO] = "to",
    [FL_WORD_FIXED_IN] = "fixed-in",
    [FL_WORD_UPGRADED] = "upgraded",
    [FL_WORD_AFFECTED] = "affected",
    [FL_PHRASE_COMPONENT] = "component",
};

/* One document being read. */
struct reading {
    fl_learn_rules *rules;
    fl_yaml_fields fields;
};

#define COMPLAIN(in, at, ...) FL_YAML_COMPLAIN(&(in)->fields, (at), __VA_ARGS__)

/* ---- reading ---- */

/* Checked here once: looking relies on small letters and two bytes. */
static fl_status copy_text(fl_slice *out, const struct reading *in, const fl_yaml *at)
{
    fl_slice text = at->kind == FL_YAML_TEXT ? at->text : (fl_slice){0};
    if (text.len < 2 || text.len > 128)
        return COMPLAIN(in, at, "a phrase is a text of 2 to 128 bytes");
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'Z')
            return COMPLAIN(in, at, "a phrase is in small letters");
    char *copy = fl_arena_cstr(in->fields.arena, text); /* with a NUL: it names the rule, too */
    *out = fl_slice_of(copy);
    return copy != NULL ? FL_OK
                        : fl_fail(in->fields.err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for rules");
}

/* The same text may have several kinds: a cue may also be a word of a list. */
static fl_status add_phrase(const struct reading *in, const fl_yaml *at, fl_phrase_kind kind,
                            const fl_component *component)
{
    assert(kind < FL_PHRASE_KIND_COUNT);
    fl_learn_rules *rules = in->rules;
    fl_phrase phrase = {.kind = kind, .component = component};
    fl_status status = copy_text(&phrase.text, in, at);
    if (status == FL_OK && rules->phrase_count == MAX_PHRASES)
        return COMPLAIN(in, at, "more than %d phrases", MAX_PHRASES);
    if (status == FL_OK)
        rules->phrases[rules->phrase_count++] = phrase;
    return status;
}

/* A text alone, or a list of them. */
static fl_status add_phrases(const struct reading *in, const fl_yaml *list, fl_phrase_kind kind,
                             const fl_component *component)
{
    fl_status status = FL_OK;
    if (list == NULL)
        return FL_OK;
    if (list->kind != FL_YAML_LIST)
        return COMPLAIN(in, list, "a list of phrases is wanted");
    for (const fl_yaml *at = list->first; status == FL_OK && at != NULL; at = at->next)
        status = add_phrase(in, at, kind, component);
    return status;
}

/* The place of a text among names; `count` where it is none of them. */
static size_t index_of(const fl_yaml *at, const char *const *names, size_t count)
{
    size_t i = 0;
    if (at == NULL || at->kind != FL_YAML_TEXT)
        return count;
    while (i < count && !fl_slice_equal(at->text, fl_slice_of(names[i])))
        i++;
    return i;
}

/* One role, any number of names. */
static fl_status read_section(const struct reading *in, const fl_yaml *map)
{
    static const char *const keys[] = {"role", "names", NULL};
    fl_learn_rules *rules = in->rules;
    fl_status status = fl_yaml_check_keys(&in->fields, map, "a section", keys);
    if (status != FL_OK)
        return status;
    const fl_yaml *list = fl_yaml_member(map, FL_SLICE("names"));
    size_t role = index_of(fl_yaml_member(map, FL_SLICE("role")), section_names, FL_SECTION_COUNT);
    if (role == FL_SECTION_COUNT || role == FL_SECTION_NONE)
        return COMPLAIN(in, map, "a section has no such role");
    if (list == NULL || list->kind != FL_YAML_LIST)
        return COMPLAIN(in, map, "a section has a list of names");
    for (const fl_yaml *at = list->first; status == FL_OK && at != NULL; at = at->next) {
        if (rules->section_count == MAX_SECTIONS)
            return COMPLAIN(in, at, "more than %d names of sections", MAX_SECTIONS);
        struct section_name *name = &rules->sections[rules->section_count++];
        name->role = (fl_section)role;
        status = copy_text(&name->text, in, at);
    }
    return status;
}

/* Ends belong to the kind, and so to all cues of it. */
static fl_status read_cue(const struct reading *in, const fl_yaml *map)
{
    static const char *const keys[] = {"kind", "words", "ends", NULL};
    fl_learn_rules *rules = in->rules;
    fl_status status = fl_yaml_check_keys(&in->fields, map, "a cue", keys);
    if (status != FL_OK)
        return status;
    size_t kind = index_of(fl_yaml_member(map, FL_SLICE("kind")), kind_names, FL_WORD_HEDGE);
    if (kind == FL_WORD_HEDGE)
        return COMPLAIN(in, map, "a cue has no such kind");
    status = add_phrases(in, fl_yaml_member(map, FL_SLICE("words")), (fl_phrase_kind)kind, NULL);
    const fl_yaml *ends = fl_yaml_member(map, FL_SLICE("ends"));
    if (status == FL_OK && ends != NULL && ends->kind != FL_YAML_LIST)
        return COMPLAIN(in, ends, "a list of phrases is wanted");
    for (const fl_yaml *at = ends != NULL ? ends->first : NULL; status == FL_OK && at != NULL;
         at = at->next) {
        if (rules->end_count == MAX_ENDS)
            return COMPLAIN(in, at, "more than %d ends of cues", MAX_ENDS);
        rules->ends[rules->end_count].cue = (fl_phrase_kind)kind;
        status = copy_text(&rules->ends[rules->end_count++].text, in, at);
    }
    return status;
}

/* The list's own name says what its words are. */
static fl_status read_words(const struct reading *in, const fl_yaml *list)
{
    for (size_t kind = FL_WORD_HEDGE; kind < FL_PHRASE_COMPONENT; kind++)
        if (fl_slice_equal(list->key, fl_slice_of(kind_names[kind])))
            return add_phrases(in, list, (fl_phrase_kind)kind, NULL);
    return COMPLAIN(in, list, "there is no list of words '%.40s'", (const char *)list->key.ptr);
}

/* Every alias leads to the one component. */
static fl_status read_component(const struct reading *in, const fl_yaml *map)
{
    static const char *const keys[] = {"name", "aliases", "versions", NULL};
    fl_status status = fl_yaml_check_keys(&in->fields, map, "a component", keys);
    if (status != FL_OK)
        return status;
    const fl_yaml *name = fl_yaml_member(map, FL_SLICE("name"));
    const fl_yaml *versions = fl_yaml_member(map, FL_SLICE("versions"));
    fl_component *component = fl_arena_alloc(in->fields.arena, 1, sizeof(*component));
    if (component == NULL)
        return fl_fail(in->fields.err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for rules");
    if (name == NULL || name->kind != FL_YAML_TEXT)
        return COMPLAIN(in, map, "a component has a name");
    if (versions == NULL || versions->kind != FL_YAML_TEXT ||
        !fl_ecosystem_of(versions->text, &component->versions))
        return COMPLAIN(in, map, "a component has versions: semver, go, maven or debian");
    component->name = fl_arena_cstr(in->fields.arena, name->text);
    if (component->name == NULL)
        return fl_fail(in->fields.err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for rules");
    status = add_phrase(in, name, FL_PHRASE_COMPONENT, component);
    if (status == FL_OK)
        status = add_phrases(in, fl_yaml_member(map, FL_SLICE("aliases")), FL_PHRASE_COMPONENT,
                             component);
    return status;
}

typedef fl_status read_entry(const struct reading *in, const fl_yaml *entry);

/* Each entry of a list or of a mapping. */
static fl_status read_each(const struct reading *in, const fl_yaml *root, fl_slice name,
                           fl_yaml_kind kind, read_entry *read)
{
    const fl_yaml *all = fl_yaml_member(root, name);
    fl_status status = FL_OK;
    if (all == NULL)
        return FL_OK;
    if (all->kind != kind)
        return COMPLAIN(in, all, "%s is a %s", (const char *)name.ptr,
                        kind == FL_YAML_LIST ? "list" : "mapping");
    for (const fl_yaml *at = all->first; status == FL_OK && at != NULL; at = at->next)
        status = read(in, at);
    return status;
}

/* The first two bytes as a number. */
static unsigned bucket_of(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* By the first two bytes, then longer ones first, then by bytes and kind, so that the order is
 * total. */
static int compare_phrases(const void *left, const void *right)
{
    const fl_phrase *a = left, *b = right;
    unsigned x = bucket_of(a->text.ptr), y = bucket_of(b->text.ptr);
    if (x != y)
        return x < y ? -1 : 1;
    if (a->text.len != b->text.len)
        return a->text.len > b->text.len ? -1 : 1;
    int order = fl_slice_compare(a->text, b->text);
    return order != 0 ? order : (int)a->kind - (int)b->kind;
}

/* After each document: there are few, and they are some thousand phrases. */
static void sort_phrases(fl_learn_rules *rules)
{
    assert(rules->phrase_count <= MAX_PHRASES);
    qsort(rules->phrases, rules->phrase_count, sizeof(*rules->phrases), compare_phrases);
    size_t next = 0;
    for (size_t b = 0; b <= BUCKETS; b++) {
        while (next < rules->phrase_count && bucket_of(rules->phrases[next].text.ptr) < b)
            next++;
        rules->bucket[b] = (uint16_t)next;
    }
    uint64_t *first = rules->kinds;
    for (size_t i = 0; i < rules->phrase_count; i++) {
        bool begins = i == 0 || bucket_of(rules->phrases[i].text.ptr) !=
                                    bucket_of(rules->phrases[i - 1].text.ptr);
        if (begins) {
            first = &rules->kinds[i];
            *first = 0;
        }
        *first |= FL_PHRASES(rules->phrases[i].kind);
    }
    rules->is_sorted = true;
}

fl_status fl_learn_rules_add(fl_learn_rules *rules, fl_slice text, const char *source,
                             fl_error *err)
{
    static const char *const keys[] = {"sections", "cues", "words", "components", NULL};
    assert(rules != NULL && source != NULL);
    struct reading in = {.rules = rules,
                         .fields = {.source = source, .arena = &rules->arena, .err = err}};
    fl_arena tree = fl_arena_of(MAX_RULE_BYTES);
    const fl_yaml *root = NULL;
    rules->is_sorted = false;
    fl_status status = fl_yaml_read(&root, &tree, text, source, err);
    if (status == FL_OK)
        status = fl_yaml_check_keys(&in.fields, root, "the document", keys);
    if (status == FL_OK)
        status = read_each(&in, root, FL_SLICE("sections"), FL_YAML_LIST, read_section);
    if (status == FL_OK)
        status = read_each(&in, root, FL_SLICE("cues"), FL_YAML_LIST, read_cue);
    if (status == FL_OK)
        status = read_each(&in, root, FL_SLICE("words"), FL_YAML_MAP, read_words);
    if (status == FL_OK)
        status = read_each(&in, root, FL_SLICE("components"), FL_YAML_LIST, read_component);
    fl_arena_dispose(&tree);
    if (status == FL_OK)
        sort_phrases(rules);
    return status;
}

fl_status fl_learn_rules_create(fl_learn_rules **out, fl_error *err)
{
    const struct {
        const char *source;
        fl_slice text;
    } documents[] = {{"learn/sections.yaml", fl_learn_sections_yaml},
                     {"learn/cues.yaml", fl_learn_cues_yaml},
                     {"learn/components.yaml", fl_learn_components_yaml}};
    fl_learn_rules *rules = fl_mem_calloc(1, sizeof(*rules));
    *out = NULL;
    if (rules == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for rules");
    rules->arena = fl_arena_of(MAX_RULE_BYTES);
    rules->phrases = fl_arena_alloc(&rules->arena, MAX_PHRASES, sizeof(*rules->phrases));
    rules->sections = fl_arena_alloc(&rules->arena, MAX_SECTIONS, sizeof(*rules->sections));
    rules->kinds = fl_arena_alloc(&rules->arena, MAX_PHRASES, sizeof(*rules->kinds));
    fl_status status = rules->phrases != NULL && rules->sections != NULL && rules->kinds != NULL
                           ? FL_OK
                           : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for rules");
    for (size_t i = 0; status == FL_OK && i < sizeof(documents) / sizeof(documents[0]); i++)
        status = fl_learn_rules_add(rules, documents[i].text, documents[i].source, err);
    if (status != FL_OK) {
        fl_learn_rules_destroy(rules);
        return status;
    }
    *out = rules;
    return FL_OK;
}

void fl_learn_rules_destroy(fl_learn_rules *rules)
{
    if (rules == NULL)
        return;
    fl_arena_dispose(&rules->arena);
    fl_mem_free(rules);
}

/* ---- looking ---- */

/* Bytes of other scripts are no part of a Latin word: they need no blanks. */
static bool is_word_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* A phrase that begins or ends with a Latin letter does not begin or end within a word. */
static bool is_whole(fl_slice lower, size_t at, fl_slice phrase)
{
    assert(at + phrase.len <= lower.len);
    size_t end = at + phrase.len;
    bool cuts_before = at > 0 && is_word_byte(phrase.ptr[0]) && is_word_byte(lower.ptr[at - 1]);
    bool cuts_behind =
        end < lower.len && is_word_byte(phrase.ptr[phrase.len - 1]) && is_word_byte(lower.ptr[end]);
    return !cuts_before && !cuts_behind;
}

const fl_phrase *fl_learn_phrase_at(const fl_learn_rules *rules, uint64_t kinds, fl_slice lower,
                                    size_t at)
{
    assert(rules->is_sorted && at <= lower.len);
    if (lower.len - at < 2)
        return NULL;
    unsigned bucket = bucket_of(lower.ptr + at);
    size_t first = rules->bucket[bucket], last = rules->bucket[bucket + 1];
    if (first == last || (rules->kinds[first] & kinds) == 0)
        return NULL;
    fl_slice rest = {.ptr = lower.ptr + at, .len = lower.len - at};
    for (size_t i = first; i < last; i++) {
        const fl_phrase *phrase = &rules->phrases[i];
        if ((kinds & FL_PHRASES(phrase->kind)) != 0 && fl_slice_starts_with(rest, phrase->text) &&
            is_whole(lower, at, phrase->text))
            return phrase;
    }
    return NULL;
}

const fl_phrase *fl_learn_phrase_from(const fl_learn_rules *rules, uint64_t kinds, fl_slice lower,
                                      size_t at, size_t *found)
{
    assert(found != NULL);
    for (; at < lower.len; at++) {
        const fl_phrase *phrase = fl_learn_phrase_at(rules, kinds, lower, at);
        if (phrase != NULL) {
            *found = at;
            return phrase;
        }
    }
    return NULL;
}

bool fl_learn_has(const fl_learn_rules *rules, uint64_t kinds, fl_slice lower)
{
    size_t found;
    return fl_learn_phrase_from(rules, kinds, lower, 0, &found) != NULL;
}

bool fl_learn_is(const fl_learn_rules *rules, uint64_t kinds, fl_slice lower)
{
    const fl_phrase *phrase = fl_learn_phrase_at(rules, kinds, lower, 0);
    return phrase != NULL && phrase->text.len == lower.len;
}

size_t fl_learn_end_at(const fl_learn_rules *rules, fl_phrase_kind cue, fl_slice lower, size_t at)
{
    fl_slice rest = {.ptr = lower.ptr + at, .len = lower.len - at};
    assert(at <= lower.len);
    for (size_t i = 0; i < rules->end_count; i++)
        if (rules->ends[i].cue == cue && fl_slice_starts_with(rest, rules->ends[i].text))
            return rules->ends[i].text.len;
    return 0;
}

/* Its whole text, else its beginning or its end, at a word's border. */
fl_section fl_learn_section_of(const fl_learn_rules *rules, fl_slice heading)
{
    fl_section best = FL_SECTION_NONE;
    size_t best_len = 0;
    assert(rules != NULL);
    for (size_t i = 0; i < rules->section_count; i++) {
        fl_slice name = rules->sections[i].text;
        if (name.len <= best_len || name.len > heading.len)
            continue;
        bool is_part = heading.len <= MAX_HEADING_BYTES;
        if (name.len < heading.len && !is_part)
            continue;
        bool begins = fl_slice_starts_with(heading, name) && is_whole(heading, 0, name);
        bool ends =
            fl_slice_ends_with(heading, name) && is_whole(heading, heading.len - name.len, name);
        if (begins || ends) {
            best = rules->sections[i].role;
            best_len = name.len;
        }
    }
    return best;
}
