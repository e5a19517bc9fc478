#include "library.h"

#include <stdio.h>

#include "advice.h"
#include "fl_file.h"
#include "fl_store_place.h"
#include "library_load.h"
#include "mem.h"
#include "memory.h"
#include "miner.h"
#include "signatures.h"
#include "slice.h"

static fl_error err;
static fl_library *library;

static void setup(void)
{
    err = (fl_error){0};
    ck_assert_ok(fl_library_create(&library, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_library_destroy(library);
}

#define HEAD                                                                                       \
    "items:\n"                                                                                     \
    "  - name: one\n"                                                                              \
    "    title: A title\n"                                                                         \
    "    cause: why\n"
#define SIGN "    symptoms: [{leak: map-only-grows}]\n"
#define FIX  "    fixes: [{do: 'set a.b=1', why: because}]\n"
#define REF  "    references: ['https://example.org/1']\n"

static const char whole[] =
    "components: [{name: Lettuce, aliases: ['io.lettuce:lettuce-core']}]\n"
    "settings: [{name: redis.timeout, aliases: [spring.redis.timeout]}]\n" HEAD "    revision: 2\n"
    "    runtime: jvm\n"
    "    benign: true\n"
    "    symptoms:\n"
    "      - {leak: map-only-grows}\n"
    "      - {metric: pool.pending, is: pool}\n"
    "      - {exception: E, message: full}\n"
    "      - {said: It Is Slow}\n"
    "    needs:\n"
    "      - {component: io.lettuce:lettuce-core, versions: 'maven <7'}\n"
    "      - {setting: SPRING_REDIS_TIMEOUT, is: '>=1s || absent'}\n"
    "    fixes:\n"
    "      - {do: 'set redis.timeout=500ms', why: shorter, plan: Rehearse it}\n"
    "      - {do: think, why: always}\n" REF "    grade: practice\n"
    "superseded: [{name: two, by: one, why: it was wrong}]\n";

START_TEST(a_document_becomes_items)
{
    size_t count;
    ck_assert_ok(fl_library_add(library, SLICE(whole), "own.yaml", &err));
    const fl_library_item *item = fl_library_items(library, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(item->name, "one");
    ck_assert_str_eq(item->runtime, "jvm");
    ck_assert_uint_eq(item->revision, 2);
    ck_assert(item->benign && item->is_practice);
    ck_assert_uint_eq(item->symptom_count, 4);
    ck_assert_int_eq(item->symptoms[1].sign, FL_LIBRARY_METRIC);
    ck_assert_int_eq(item->symptoms[1].cause, FL_CAUSE_POOL);
    ck_assert_str_eq(item->symptoms[2].message, "full");
    ck_assert_uint_eq(item->need_count, 2);
    ck_assert(item->needs[0].is_component && !item->needs[1].is_component);
    ck_assert_str_eq(item->needs[1].gate, ">=1s || absent");
    ck_assert_uint_eq(item->fix_count, 2);
    ck_assert_str_eq(item->fixes[0].plan, "Rehearse it");
    ck_assert_ptr_null(item->fixes[1].plan);
    const fl_library_gone *gone = fl_library_gone_items(library, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(gone->by, "one");
}
END_TEST

START_TEST(a_name_is_found_by_its_aliases_and_in_other_spellings)
{
    char out[FL_LIBRARY_NAME_BYTES];
    ck_assert_ok(fl_library_add(library, SLICE(whole), "own.yaml", &err));
    ck_assert_str_eq(fl_library_component(out, library, SLICE(" IO.Lettuce:lettuce-core ")),
                     "lettuce");
    ck_assert_str_eq(fl_library_component(out, library, SLICE("Spring  Boot")), "spring-boot");
    ck_assert_str_eq(fl_library_component(out, NULL, SLICE("Other")), "other");
    ck_assert_str_eq(fl_library_setting(out, library, SLICE("Spring.Redis.Timeout")),
                     "redis.timeout");
    ck_assert_str_eq(fl_library_setting(out, library, SLICE("max_wait")), "max-wait");
    char longer[2 * FL_LIBRARY_NAME_BYTES];
    memset(longer, 'x', sizeof(longer));
    fl_library_component(out, library,
                         (fl_slice){.ptr = (unsigned char *)longer, .len = sizeof(longer)});
    ck_assert_uint_eq(strlen(out), FL_LIBRARY_NAME_BYTES - 1);
}
END_TEST

static const struct {
    const char *yaml, *message;
} malformed[] = {
    {"[]", "own.yaml:1:1: a library is a mapping"},
    {"item: []", "own.yaml:1:1: a library has no key 'item'"},
    {"items: {}", "own.yaml:1:1: items is a list"},
    {"items: [x]", "own.yaml:1:9: an item is a mapping"},
    {"items: [{nam: x}]", "own.yaml:1:10: an item has no key 'nam'"},
    {"items: [{name: A}]", "own.yaml:1:10: a name has small letters, digits and '-'"},
    {"items: [{name: a--b}]", "own.yaml:1:10: a name has small letters, digits and '-'"},
    {"items: [{name: a}]", "own.yaml:1:9: title is missing"},
    {HEAD "    runtime: cobol\n", "own.yaml:5:5: runtime has no value 'cobol'"},
    {HEAD "    benign: maybe\n", "own.yaml:5:5: benign has no value 'maybe'"},
    {HEAD "    revision: 0\n", "own.yaml:5:5: revision is a number from 1 to 999"},
    {HEAD, "own.yaml:2:5: symptoms is missing"},
    {HEAD "    symptoms: []\n", "own.yaml:5:5: an item has at least one symptom"},
    {HEAD "    symptoms: [{}]\n",
     "own.yaml:5:16: a symptom is one of leak, metric, exception and said"},
    {HEAD "    symptoms: [{leak: a, said: b}]\n",
     "own.yaml:5:16: a symptom is one of leak, metric, exception and said"},
    {HEAD "    symptoms: [{metric: a}]\n", "own.yaml:5:16: is is missing"},
    {HEAD "    symptoms: [{metric: a, is: sad}]\n",
     "own.yaml:5:28: there is no kind of cause 'sad'"},
    {HEAD "    symptoms: [{leak: a, is: pool}]\n", "own.yaml:5:16: only a metric is something"},
    {HEAD "    symptoms: [{leak: a, message: m}]\n",
     "own.yaml:5:16: only an exception has a message"},
    {HEAD SIGN "    needs: [{}]\n", "own.yaml:6:13: a need is a component or a setting"},
    {HEAD SIGN "    needs: [{component: a, is: b}]\n",
     "own.yaml:6:13: components have versions, settings are something"},
    {HEAD SIGN "    needs: [{component: a, versions: 'maven'}]\n",
     "own.yaml:6:28: range: a version is expected"},
    {HEAD SIGN "    needs: [{setting: a, is: often}]\n",
     "own.yaml:6:26: a condition is absent, present, or a value after = != >= > <= <"},
    {HEAD SIGN "    needs: [{setting: a, is: absent}]\n",
     "own.yaml:6:5: something must be there: a component, or a setting with a value"},
    {HEAD SIGN, "own.yaml:2:5: fixes is missing"},
    {HEAD SIGN "    fixes: [{do: x}]\n", "own.yaml:6:13: why is missing"},
    {HEAD SIGN "    fixes: [{do: 'set it', why: x}]\n",
     "own.yaml:6:14: 'set it' does not fit the form of set"},
    {HEAD SIGN "    fixes: [{do: 'alert X', why: x}]\n",
     "own.yaml:6:14: 'alert X' does not fit the form of alert"},
    {HEAD SIGN FIX, "own.yaml:2:5: an item has at least one reference"},
    {HEAD SIGN FIX "    references: [http://x]\n",
     "own.yaml:7:18: a reference is an address that begins with https://"},
    {HEAD SIGN FIX "    references: [[]]\n", "own.yaml:7:18: references is a list of texts"},
    {HEAD SIGN FIX REF HEAD SIGN FIX REF, "own.yaml:8:1: this key is given twice"},
    {"components: [{name: a, aliases: [b]}, {name: b}]", "own.yaml:1:39: 'b' stands for a already"},
    {"superseded: [{name: a}]", "own.yaml:1:14: why is missing"},
};

START_TEST(a_mistake_is_named_with_its_place_and_adds_nothing)
{
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        size_t count;
        err = (fl_error){0};
        ck_assert_msg(fl_library_add(library, SLICE(malformed[i].yaml), "own.yaml", &err) ==
                          FL_E_SYNTAX,
                      "%s", malformed[i].yaml);
        ck_assert_str_eq(err.message, malformed[i].message);
        fl_library_items(library, &count);
        ck_assert_uint_eq(count, 0);
    }
}
END_TEST

START_TEST(a_name_is_given_once_in_all_documents)
{
    ck_assert_ok(fl_library_add(library, SLICE(whole), "own.yaml", &err));
    ck_assert_fails(FL_E_SYNTAX,
                    fl_library_add(library, SLICE(HEAD SIGN FIX REF), "other.yaml", &err));
    ck_assert_str_eq(err.message, "other.yaml:2:5: the name one is given twice");
}
END_TEST

START_TEST(each_prefix_of_a_good_document_loads_or_fails_cleanly)
{
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        fl_library *part;
        size_t count;
        err = (fl_error){0};
        ck_assert_ok(fl_library_create(&part, &err));
        fl_slice text = {.ptr = (const unsigned char *)whole, .len = len};
        fl_status status = fl_library_add(part, text, "own.yaml", &err);
        fl_library_items(part, &count);
        ck_assert(status == FL_OK || (status == FL_E_SYNTAX && count == 0));
        fl_library_destroy(part);
    }
}
END_TEST

START_TEST(each_allocation_may_fail)
{
    for (long n = 0;; n++) {
        fl_library *again = NULL;
        err = (fl_error){0};
        fl_mem_fail_after(n);
        fl_status status = fl_library_create(&again, &err);
        if (status == FL_OK)
            status = fl_library_add(again, SLICE(whole), "own.yaml", &err);
        fl_mem_fail_after(-1);
        fl_library_destroy(again);
        if (status == FL_OK)
            break;
        ck_assert_int_eq(status, FL_E_NOMEM);
        ck_assert_int_lt(n, 10000);
    }
}
END_TEST

/* ---- what is compiled in ---- */

static bool has_signature(const fl_signatures *signatures, const char *name)
{
    size_t count;
    const fl_leak_signature *items = fl_signatures_items(signatures, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i].name, name) == 0)
            return true;
    return false;
}

START_TEST(the_built_in_library_is_sound)
{
    size_t count, gone;
    fl_signatures *signatures;
    char name[FL_LIBRARY_NAME_BYTES];
    ck_assert_ok(fl_library_add_built_in(library, &err));
    ck_assert_ok(fl_signatures_create(&signatures, &err));
    ck_assert_ok(fl_signatures_add_built_in(signatures, &err));
    const fl_library_item *items = fl_library_items(library, &count);
    fl_library_gone_items(library, &gone);
    ck_assert_uint_ge(count, 1);
    for (size_t i = 0; i < count; i++) {
        for (size_t s = 0; s < items[i].symptom_count; s++) {
            const fl_library_symptom *symptom = &items[i].symptoms[s];
            ck_assert_msg(symptom->sign != FL_LIBRARY_LEAK ||
                              has_signature(signatures, symptom->text),
                          "%s: no signature %s", items[i].name, symptom->text);
        }
        for (size_t n = 0; n < items[i].need_count; n++) {
            const fl_library_need *need = &items[i].needs[n];
            fl_slice text = fl_slice_of(need->name);
            if (need->is_component)
                fl_library_component(name, library, text);
            else
                fl_library_setting(name, library, text);
            ck_assert_msg(strcmp(name, need->name) == 0, "%s needs %s, which is %s", items[i].name,
                          need->name, name);
        }
    }
    fl_signatures_destroy(signatures);
}
END_TEST

static bool explains(const char *kind)
{
    size_t count;
    const fl_library_item *items = fl_library_items(library, &count);
    for (size_t i = 0; i < count; i++)
        for (size_t s = 0; s < items[i].symptom_count; s++)
            if (items[i].symptoms[s].sign == FL_LIBRARY_LEAK &&
                strcmp(items[i].symptoms[s].text, kind) == 0)
                return true;
    return false;
}

START_TEST(every_kind_of_leak_leads_to_an_item)
{
    size_t count;
    fl_signatures *signatures;
    ck_assert_ok(fl_library_add_built_in(library, &err));
    ck_assert_ok(fl_signatures_create(&signatures, &err));
    ck_assert_ok(fl_signatures_add_built_in(signatures, &err));
    const fl_leak_signature *items = fl_signatures_items(signatures, &count);
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(explains(items[i].name), "no item has the symptom leak/%s", items[i].name);
    fl_signatures_destroy(signatures);
}
END_TEST

/* A message that the miner masks otherwise would be the fingerprint of no incident. */
START_TEST(messages_are_written_as_the_miner_masks_them)
{
    size_t count, seen = 0;
    ck_assert_ok(fl_library_add_built_in(library, &err));
    const fl_library_item *items = fl_library_items(library, &count);
    for (size_t i = 0; i < count; i++) {
        for (size_t s = 0; s < items[i].symptom_count; s++) {
            const fl_library_symptom *symptom = &items[i].symptoms[s];
            char line[1024], example[1024];
            fl_miner *miner;
            uint32_t form;
            size_t len = 0;
            if (symptom->sign != FL_LIBRARY_EXCEPTION || symptom->message == NULL)
                continue;
            snprintf(line, sizeof(line), "%s: %s", symptom->text, symptom->message);
            for (const char *c = line; *c != '\0'; c++) { /* "<*>" as it may have been */
                bool varies = strncmp(c, "<*>", 3) == 0;
                example[len++] = varies ? '7' : *c;
                c += varies ? 2 : 0;
            }
            example[len] = '\0';
            ck_assert_ok(fl_miner_create(&miner, 16, 1 << 16, &err));
            ck_assert_ok(fl_miner_add(&form, miner, 0, SLICE(example), 17, &err));
            ck_assert_ok(fl_miner_finish(miner, &err));
            ck_assert_str_eq(fl_miner_template(miner, fl_miner_template_of(miner, form))->text,
                             line);
            fl_miner_destroy(miner);
            seen++;
        }
    }
    ck_assert_uint_gt(seen, 0);
}
END_TEST

/* Names are keys of graphs that exist: what was released is still there, or is superseded. */
START_TEST(every_name_that_was_released_is_known)
{
    size_t count, gone_count, seen = 0;
    ck_assert_ok(fl_library_add_built_in(library, &err));
    const fl_library_item *items = fl_library_items(library, &count);
    const fl_library_gone *gone = fl_library_gone_items(library, &gone_count);
    fl_bytes released = fl_file_read("tests/fixtures/library/released.txt");
    ck_assert_uint_gt(released.len, 0);
    released.ptr[released.len - 1] = '\0'; /* the last line's end */
    for (size_t at = 0; at < released.len;) {
        char line[128];
        int used = 0;
        ck_assert_int_eq(sscanf((const char *)released.ptr + at, "%127s%n", line, &used), 1);
        at += (size_t)used + 1;
        bool known = false;
        for (size_t i = 0; i < count; i++)
            known = known || strcmp(items[i].name, line) == 0;
        for (size_t i = 0; i < gone_count; i++)
            known = known || strcmp(gone[i].name, line) == 0;
        ck_assert_msg(known, "%s was released and is neither an item nor superseded", line);
        seen++;
    }
    ck_assert_msg(seen == count + gone_count,
                  "%zu names in tests/fixtures/library/released.txt, %zu in the library: add what "
                  "is new",
                  seen, count + gone_count);
    free(released.ptr);
}
END_TEST

/* ---- into a store ---- */

static fl_store_place place;
static fl_store *store;

static void setup_store(void)
{
    setup();
    fl_store_place_make(&place);
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
}

static void teardown_store(void)
{
    teardown();
    fl_store_close(store);
    fl_store_place_clear(&place);
}

#define DAY_NS INT64_C(86400000000000)

/* What the store knows for one symptom. */
static void recall(fl_memory *out, fl_graph_node *symptom, int64_t now_ns, fl_arena *arena)
{
    const fl_symptoms symptoms = {.nodes = symptom, .count = 1};
    const fl_memory_question question = {.symptoms = &symptoms, .now_ns = now_ns};
    ck_assert_ok(fl_memory_recall(out, store, &question, arena, &err));
}

START_TEST(loading_twice_adds_nothing_and_a_dry_run_adds_nothing_at_all)
{
    fl_library_loaded dry, first, second;
    ck_assert_ok(fl_library_add(library, SLICE(whole), "own.yaml", &err));
    ck_assert_ok(fl_library_load(&dry, NULL, library, true, DAY_NS, &err));
    ck_assert_uint_eq(dry.holds.nodes, dry.added.nodes);
    ck_assert_ok(fl_library_load(&dry, store, library, true, DAY_NS, &err));
    ck_assert_ok(fl_library_load(&first, store, library, false, DAY_NS, &err));
    ck_assert_uint_eq(first.items, 1);
    ck_assert_uint_eq(first.gone, 1);
    ck_assert_uint_eq(first.added.nodes, 1 + 5 + 2 + 2 + 1);
    ck_assert_uint_eq(first.added.edges, 5 + 2 + 2 + 1);
    ck_assert_uint_eq(first.added.evidence, 10);
    ck_assert_mem_eq(&dry.added, &first.added, sizeof(dry.added));
    ck_assert_ok(fl_library_load(&second, store, library, false, 2 * DAY_NS, &err));
    ck_assert_uint_eq(second.added.nodes + second.added.edges + second.added.evidence, 0);
    ck_assert_uint_eq(second.superseded, 0);
    ck_assert_ok(fl_library_load(&dry, store, library, true, 2 * DAY_NS, &err));
    ck_assert_uint_eq(dry.added.nodes + dry.added.edges + dry.added.evidence, 0);
}
END_TEST

START_TEST(a_finding_of_a_leak_leads_to_the_librarys_cause_and_fix)
{
    fl_library_loaded loaded;
    fl_graph_node symptom;
    fl_memory memory;
    fl_arena arena = fl_arena_of(16 << 20);
    ck_assert_ok(fl_library_add(library, SLICE(whole), "own.yaml", &err));
    ck_assert_ok(fl_library_load(&loaded, store, library, false, DAY_NS, &err));
    ck_assert_ok(fl_symptoms_leak(&symptom, "map-only-grows", DAY_NS, &arena, &err));
    ck_assert_str_eq(symptom.key, "leak/map-only-grows");
    recall(&memory, &symptom, DAY_NS, &arena);
    ck_assert_uint_eq(memory.path_count, 1);
    ck_assert_str_eq(memory.paths[0].title, "A title");
    ck_assert_uint_eq(memory.paths[0].fix_count, 2);
    /* One reference weighs half an observation: Beta(1, 1/2). */
    ck_assert_double_eq_tol(memory.paths[0].confidence.a, 1, 1e-9);
    ck_assert_double_eq_tol(memory.paths[0].confidence.b, 0.5, 1e-9);
    fl_arena_dispose(&arena);
}
END_TEST

START_TEST(a_triage_with_profiles_shows_the_kind_of_leak_as_a_symptom)
{
    const fl_evidence evidence[] = {
        {.modality = FL_MODALITY_PROFILES,
         .text = "t",
         .weight_nats = 4,
         .finding = "map-only-grows"},
        {.modality = FL_MODALITY_PROFILES,
         .text = "t",
         .weight_nats = 4,
         .finding = "map-only-grows"},
        {.modality = FL_MODALITY_PROFILES, .text = "t", .against = true, .finding = "nan-keys"},
        {.modality = FL_MODALITY_METRICS, .text = "t", .weight_nats = 4}};
    const fl_hypothesis hypothesis = {.service = "orders",
                                      .cause = FL_CAUSE_MEMORY_LEAK,
                                      .locus = FL_LOCUS_FRAME,
                                      .locus_name = "main.put (store.go:42)",
                                      .score = 9,
                                      .evidence = evidence,
                                      .evidence_count = 4};
    const fl_incident incident = {.id = "i", .hypotheses = &hypothesis, .hypothesis_count = 1};
    fl_symptoms symptoms;
    fl_arena arena = fl_arena_of(16 << 20);
    ck_assert_ok(fl_symptoms_of(&symptoms, &incident, DAY_NS, &arena, &err));
    ck_assert_uint_eq(symptoms.count, 2);
    ck_assert_str_eq(symptoms.nodes[0].key, "frame|memory-leak|main.put (store.go:42)");
    ck_assert_str_eq(symptoms.nodes[1].key, "leak/map-only-grows");
    ck_assert_double_eq(symptoms.nats[1], 4);
    fl_arena_dispose(&arena);
}
END_TEST

#define MANY                                                                                       \
    HEAD SIGN FIX                                                                                  \
        "    references: ['https://example.org/1', 'https://example.org/2',\n"                     \
        "      'https://example.org/3', 'https://example.org/4', 'https://example.org/5',\n"       \
        "      'https://example.org/6', 'https://example.org/7']\n"

/* A person about the edge from the symptom to a cause. */
static void say(const fl_graph_node *symptom, const fl_graph_node *cause, const char *incident,
                bool supports)
{
    const fl_graph_node nodes[] = {*symptom, *cause};
    const fl_graph_edge edge = {
        .id = fl_edge_id(FL_EDGE_EXPLAINED_BY, symptom->id, cause->id, SLICE("")),
        .kind = FL_EDGE_EXPLAINED_BY,
        .from = symptom->id,
        .to = cause->id,
        .recorded_ns = DAY_NS};
    fl_graph_evidence item = {.edge = edge.id,
                              .source = FL_SOURCE_PERSON,
                              .author = "ada",
                              .reference = incident,
                              .supports = supports,
                              .at_ns = DAY_NS,
                              .recorded_ns = DAY_NS};
    item.id = fl_graph_evidence_id(&item);
    const fl_graph_batch batch = {.nodes = nodes,
                                  .node_count = 2,
                                  .edges = &edge,
                                  .edge_count = 1,
                                  .evidence = &item,
                                  .evidence_count = 1};
    ck_assert_ok(fl_graph_add(NULL, store, &batch, &err));
}

START_TEST(three_confirmations_of_a_team_outweigh_the_library)
{
    fl_library_loaded loaded;
    fl_graph_node symptom, own;
    fl_memory memory;
    fl_arena arena = fl_arena_of(16 << 20);
    ck_assert_ok(fl_library_add(library, SLICE(MANY), "own.yaml", &err));
    ck_assert_ok(fl_library_load(&loaded, store, library, false, DAY_NS, &err));
    ck_assert_ok(fl_symptoms_leak(&symptom, "map-only-grows", DAY_NS, &arena, &err));
    ck_assert_ok(fl_symptoms_said(&own, FL_NODE_CAUSE, "our cache", DAY_NS, &arena, &err));
    recall(&memory, &symptom, DAY_NS, &arena);
    /* Seven references of half an observation are cut to the library's cap of 2. */
    ck_assert_double_eq_tol(memory.paths[0].confidence.a, 2.5, 1e-9);
    say(&symptom, &own, "incident-1", true);
    say(&symptom, &own, "incident-2", true);
    say(&symptom, &own, "incident-3", true);
    recall(&memory, &symptom, DAY_NS, &arena);
    ck_assert_uint_eq(memory.path_count, 2);
    ck_assert_str_eq(memory.paths[0].title, "our cache");
    fl_arena_dispose(&arena);
}
END_TEST

START_TEST(three_rejections_of_a_team_outweigh_the_library)
{
    fl_library_loaded loaded;
    fl_graph_node symptom;
    fl_memory memory;
    fl_arena arena = fl_arena_of(16 << 20);
    ck_assert_ok(fl_library_add(library, SLICE(MANY), "own.yaml", &err));
    ck_assert_ok(fl_library_load(&loaded, store, library, false, DAY_NS, &err));
    ck_assert_ok(fl_symptoms_leak(&symptom, "map-only-grows", DAY_NS, &arena, &err));
    const fl_graph_node cause = {.id = fl_node_id(FL_NODE_CAUSE, SLICE("one")),
                                 .kind = FL_NODE_CAUSE,
                                 .key = "one",
                                 .recorded_ns = DAY_NS};
    say(&symptom, &cause, "incident-1", false);
    say(&symptom, &cause, "incident-2", false);
    say(&symptom, &cause, "incident-3", false);
    recall(&memory, &symptom, DAY_NS, &arena);
    ck_assert_double_lt(memory.paths[0].confidence.mean, 0.5);
    fl_arena_dispose(&arena);
}
END_TEST

START_TEST(a_newer_library_takes_back_what_it_no_longer_says)
{
    fl_library_loaded loaded;
    fl_library *newer;
    fl_graph_node symptom;
    fl_memory memory;
    fl_arena arena = fl_arena_of(16 << 20);
    ck_assert_ok(fl_library_add(library, SLICE(MANY), "own.yaml", &err));
    ck_assert_ok(fl_library_load(&loaded, store, library, false, DAY_NS, &err));
    ck_assert_ok(fl_library_create(&newer, &err));
    ck_assert_ok(fl_library_add(
        newer, SLICE("superseded: [{name: one, why: it was something else}]\n"), "new.yaml", &err));
    ck_assert_ok(fl_library_load(&loaded, store, newer, true, 2 * DAY_NS, &err));
    ck_assert_uint_eq(loaded.superseded, 14); /* seven for each of two edges */
    ck_assert_ok(fl_library_load(&loaded, store, newer, false, 2 * DAY_NS, &err));
    ck_assert_uint_eq(loaded.superseded, 14);
    ck_assert_uint_eq(loaded.added.evidence, 14);
    ck_assert_ok(fl_symptoms_leak(&symptom, "map-only-grows", DAY_NS, &arena, &err));
    recall(&memory, &symptom, 2 * DAY_NS, &arena);
    ck_assert_uint_eq(memory.paths[0].supporting, 7); /* what was said stays */
    ck_assert_uint_eq(memory.paths[0].contradicting, 7);
    ck_assert_double_eq_tol(memory.paths[0].confidence.mean, 0.5, 0.01);
    ck_assert_ok(fl_library_load(&loaded, store, newer, false, 3 * DAY_NS, &err));
    ck_assert_uint_eq(loaded.added.evidence + loaded.superseded, 0);
    fl_library_destroy(newer);
    fl_arena_dispose(&arena);
}
END_TEST

START_TEST(an_item_that_changes_loses_the_edges_it_had)
{
    fl_library_loaded loaded;
    fl_library *newer;
    ck_assert_ok(fl_library_add(library, SLICE(HEAD SIGN FIX REF), "own.yaml", &err));
    ck_assert_ok(fl_library_load(&loaded, store, library, false, DAY_NS, &err));
    ck_assert_ok(fl_library_create(&newer, &err));
    ck_assert_ok(
        fl_library_add(newer, SLICE(HEAD SIGN "    fixes: [{do: 'set a.b=2', why: better}]\n" REF),
                       "new.yaml", &err));
    ck_assert_ok(fl_library_load(&loaded, store, newer, false, 2 * DAY_NS, &err));
    ck_assert_uint_eq(loaded.added.edges, 1);
    ck_assert_uint_eq(loaded.superseded, 1);
    fl_library_destroy(newer);
}
END_TEST

START_TEST(loading_survives_each_allocation_failing)
{
    fl_library_loaded loaded;
    ck_assert_ok(fl_library_add(library, SLICE(whole), "own.yaml", &err));
    for (long n = 0;; n++) {
        err = (fl_error){0};
        fl_mem_fail_after(n);
        fl_status status = fl_library_load(&loaded, store, library, false, DAY_NS, &err);
        fl_mem_fail_after(-1);
        if (status == FL_OK)
            break;
        ck_assert_int_eq(status, FL_E_NOMEM);
        ck_assert_int_lt(n, 10000);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("library");
    TCase *tests = tcase_create("library");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_document_becomes_items);
    tcase_add_test(tests, a_name_is_found_by_its_aliases_and_in_other_spellings);
    tcase_add_test(tests, a_mistake_is_named_with_its_place_and_adds_nothing);
    tcase_add_test(tests, a_name_is_given_once_in_all_documents);
    tcase_add_test(tests, each_prefix_of_a_good_document_loads_or_fails_cleanly);
    tcase_add_test(tests, each_allocation_may_fail);
    tcase_add_test(tests, the_built_in_library_is_sound);
    tcase_add_test(tests, every_kind_of_leak_leads_to_an_item);
    tcase_add_test(tests, messages_are_written_as_the_miner_masks_them);
    tcase_add_test(tests, every_name_that_was_released_is_known);
    suite_add_tcase(suite, tests);
    TCase *stored = tcase_create("store");
    tcase_add_checked_fixture(stored, setup_store, teardown_store);
    tcase_add_test(stored, loading_twice_adds_nothing_and_a_dry_run_adds_nothing_at_all);
    tcase_add_test(stored, a_finding_of_a_leak_leads_to_the_librarys_cause_and_fix);
    tcase_add_test(stored, a_triage_with_profiles_shows_the_kind_of_leak_as_a_symptom);
    tcase_add_test(stored, three_confirmations_of_a_team_outweigh_the_library);
    tcase_add_test(stored, three_rejections_of_a_team_outweigh_the_library);
    tcase_add_test(stored, a_newer_library_takes_back_what_it_no_longer_says);
    tcase_add_test(stored, an_item_that_changes_loses_the_edges_it_had);
    tcase_add_test(stored, loading_survives_each_allocation_failing);
    suite_add_tcase(suite, stored);
    return suite;
}

FL_TEST_MAIN(make_suite)
