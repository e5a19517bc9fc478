/*
 * recommend_seeds.c - the names of a service in the spellings that the graph may know them by, and
 * what its values answer to gates and advice.
 *
 * A name is looked up as it is written and as the library calls it. What the service depends on is
 * a component without a version; its kind is a setting named "kind".
 */
#include <assert.h>
#include <stdlib.h>

#include "hash.h"
#include "quantity.h"
#include "recommend_priv.h"
#include "slice.h"

/* Spellings of one part: as given and folded, and for settings each with its value. */
enum { SPELLINGS = 4 };

struct seeding {
    fl_recommend_seeds *out;
    const fl_library *names;
    fl_arena *arena;
};

/* One sentence for all of this file. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the service");
}

/* There is room: it was counted. */
static void add(struct seeding *in, const fl_recommend_seed *seed)
{
    in->out->items[in->out->count++] = *seed;
}

/* As the library calls it, and as it is written. */
static fl_status add_component(struct seeding *in, const char *given, const char *version,
                               fl_error *err)
{
    char folded[FL_LIBRARY_NAME_BYTES];
    fl_library_component(folded, in->names, fl_slice_of(given));
    const char *name = fl_arena_printf(in->arena, "%s", folded);
    if (name == NULL)
        return no_memory(err);
    fl_recommend_seed seed = {.is_component = true, .name = name, .value = version};
    seed.node = fl_node_id(FL_NODE_COMPONENT, fl_slice_of(name));
    add(in, &seed);
    seed.node = fl_node_id(FL_NODE_COMPONENT, fl_slice_of(given));
    add(in, &seed);
    return FL_OK;
}

/* Both spellings, each alone and with the value. */
static fl_status add_setting(struct seeding *in, const char *given, const char *value,
                             fl_error *err)
{
    char folded[FL_LIBRARY_NAME_BYTES];
    fl_library_setting(folded, in->names, fl_slice_of(given));
    const char *name = fl_arena_printf(in->arena, "%s", folded);
    const char *exact = fl_arena_printf(in->arena, "%s=%s", folded, value);
    const char *as_given = fl_arena_printf(in->arena, "%s=%s", given, value);
    if (name == NULL || exact == NULL || as_given == NULL)
        return no_memory(err);
    const char *keys[SPELLINGS] = {name, given, exact, as_given};
    for (size_t i = 0; i < SPELLINGS; i++) {
        const fl_recommend_seed seed = {.node = fl_node_id(FL_NODE_CONFIG, fl_slice_of(keys[i])),
                                        .is_exact = i >= 2,
                                        .name = name,
                                        .value = value};
        add(in, &seed);
    }
    return FL_OK;
}

/* NULL is before every text. */
static int compare_texts(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

/* By node, since that is what they are looked up by; the value settles the order. */
static int compare_seeds(const void *left, const void *right)
{
    const fl_recommend_seed *a = left, *b = right;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return compare_texts(a->value, b->value);
}

/* Two spellings of a name that needs no folding are one. */
static void drop_repeated(fl_recommend_seeds *seeds)
{
    size_t kept = 0;
    for (size_t i = 0; i < seeds->count; i++)
        if (kept == 0 || compare_seeds(&seeds->items[kept - 1], &seeds->items[i]) != 0)
            seeds->items[kept++] = seeds->items[i];
    seeds->count = kept;
}

fl_status fl_recommend_find_seeds(fl_recommend_seeds *out, const fl_recommend_question *question,
                                  fl_arena *arena, fl_error *err)
{
    const fl_service *service = question->service;
    assert(service != NULL && service->name != NULL);
    struct seeding in = {.out = out, .names = question->names, .arena = arena};
    size_t most = 2 * (service->component_count + service->depends_on_count) +
                  SPELLINGS * (service->setting_count + 1);
    fl_status status = FL_OK;
    *out = (fl_recommend_seeds){.items = fl_arena_alloc(arena, most, sizeof(*out->items))};
    if (out->items == NULL)
        return no_memory(err);
    for (size_t i = 0; status == FL_OK && i < service->component_count; i++)
        status = add_component(&in, service->components[i].name, service->components[i].value, err);
    for (size_t i = 0; status == FL_OK && i < service->depends_on_count; i++)
        status = add_component(&in, service->depends_on[i], NULL, err);
    for (size_t i = 0; status == FL_OK && i < service->setting_count; i++)
        status = add_setting(&in, service->settings[i].name, service->settings[i].value, err);
    if (status == FL_OK && service->kind != NULL)
        status = add_setting(&in, "kind", service->kind, err);
    if (status != FL_OK)
        return status;
    assert(out->count <= most);
    qsort(out->items, out->count, sizeof(*out->items), compare_seeds);
    drop_repeated(out);
    return FL_OK;
}

const fl_recommend_seed *fl_recommend_seed_of(const fl_recommend_seeds *seeds, uint64_t node)
{
    size_t low = 0, high = seeds->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (seeds->items[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low < seeds->count && seeds->items[low].node == node ? &seeds->items[low] : NULL;
}

/* A node "name=value" is its own gate. */
static fl_gate_answer answer_of(const fl_recommend_seed *seed, fl_slice qualifier)
{
    fl_slice value = fl_slice_of(seed->value);
    if (seed->is_component)
        return fl_gate_component(qualifier, value);
    if (seed->is_exact && qualifier.len == 0)
        return FL_GATE_HOLDS;
    return fl_gate_config(qualifier, &value);
}

fl_gate_answer fl_recommend_answer(const fl_recommend_seed **decided,
                                   const fl_recommend_seeds *seeds, uint64_t node,
                                   fl_slice qualifier)
{
    fl_gate_answer best = FL_GATE_FAILS;
    const fl_recommend_seed *seed = fl_recommend_seed_of(seeds, node);
    *decided = seed;
    if (seed == NULL)
        return fl_gate_takes_absence(qualifier) ? FL_GATE_HOLDS : FL_GATE_FAILS;
    const fl_recommend_seed *end = seeds->items + seeds->count;
    for (; seed < end && seed->node == node && best != FL_GATE_HOLDS; seed++) {
        fl_gate_answer answer = answer_of(seed, qualifier);
        if (answer > best) {
            best = answer;
            *decided = seed;
        }
    }
    return best;
}

/* ---- advice ---- */

/* The service's part of that name, in any spelling; NULL: none. */
static const fl_service_part *part_of(const fl_recommend_question *question, fl_slice name,
                                      bool is_component)
{
    char wanted[FL_LIBRARY_NAME_BYTES], own[FL_LIBRARY_NAME_BYTES];
    const fl_service *service = question->service;
    const fl_service_part *parts = is_component ? service->components : service->settings;
    size_t count = is_component ? service->component_count : service->setting_count;
    if (is_component)
        fl_library_component(wanted, question->names, name);
    else
        fl_library_setting(wanted, question->names, name);
    for (size_t i = 0; i < count; i++) {
        fl_slice given = fl_slice_of(parts[i].name);
        if (is_component)
            fl_library_component(own, question->names, given);
        else
            fl_library_setting(own, question->names, given);
        if (strcmp(own, wanted) == 0)
            return &parts[i];
    }
    return NULL;
}

/* The same text, or the same amount in some dimension. */
static bool is_same_value(fl_slice a, fl_slice b)
{
    double x, y;
    fl_dimension dimension;
    if (fl_slice_equal(a, b))
        return true;
    return fl_quantity_bound(&x, &dimension, a) && fl_quantity_read(&y, dimension, b) && x == y;
}

/* Advice that names a setting. */
static bool is_setting(const fl_advice_words *words)
{
    return words->kind == FL_ADVICE_SET || words->kind == FL_ADVICE_LIMIT ||
           words->kind == FL_ADVICE_AVOID;
}

const fl_service_part *fl_recommend_now(const fl_recommend_question *question,
                                        const fl_advice_words *words)
{
    bool is_component = words->kind == FL_ADVICE_UPGRADE;
    return is_setting(words) || is_component ? part_of(question, words->name, is_component) : NULL;
}

/* Versions are compared in the ecosystem that reads both; Maven reads nearly everything, and so is
 * asked last. */
static bool is_at_least(fl_slice version, fl_slice wanted)
{
    static const fl_ecosystem order[] = {FL_ECOSYSTEM_GO, FL_ECOSYSTEM_SEMVER, FL_ECOSYSTEM_MAVEN};
    if (fl_slice_starts_with(version, FL_SLICE("go"))) /* as Go's toolchain calls itself */
        version = (fl_slice){.ptr = version.ptr + 2, .len = version.len - 2};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (fl_version_check(order[i], version, NULL) == FL_OK &&
            fl_version_check(order[i], wanted, NULL) == FL_OK)
            return fl_version_compare(order[i], version, wanted) >= 0;
    return false;
}

bool fl_recommend_is_met(const fl_recommend_question *question, const fl_advice_words *words)
{
    if (words->kind == FL_ADVICE_UPGRADE) {
        const fl_service_part *part = part_of(question, words->name, true);
        return part == NULL ||
               (part->value != NULL && is_at_least(fl_slice_of(part->value), words->value));
    }
    if (!is_setting(words))
        return false;
    const fl_service_part *part = part_of(question, words->name, false);
    fl_slice value = fl_slice_of(part != NULL ? part->value : NULL);
    if (words->kind != FL_ADVICE_AVOID)
        return part != NULL && is_same_value(words->value, value);
    return part == NULL || (words->value.len > 0 && !is_same_value(words->value, value));
}
