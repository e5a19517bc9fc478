/*
 * recommend.c - from the causes that apply to advice.
 *
 * Why the graph's own edges and not a table of rules: what a team confirms, rejects or learns from
 * its documents changes the same edges, and so the advice, without a rule being written. The
 * curated library is only one more author.
 *
 * What else is to be known of causes and fixes (history, plans, names) is asked for all of them at
 * once, after it is settled which they are. Advice is merged by its fix: several causes may ask for
 * one thing.
 *
 * Sure is a product of two: the weakest requirement, since the requirements of a cause were stated
 * together, and the fix. That a symptom is explained by the cause plays no part: it says what the
 * cause looks like, and not whether it comes.
 *
 * Order: by kind of advice, then by the lower bound, so that one report does not outrank fifty;
 * texts settle a tie, so that every store and every run gives the same answer.
 *
 * Nothing is written to the store.
 */
#include "recommend.h"

#include <assert.h>
#include <stdlib.h>

#include "recommend_judge.h"
#include "slice.h"

/* Of the edges that enter a fix nearly all come from causes: beyond these no plan is looked for. */
enum { PLAN_EDGES = 24, MAX_UNSURE = 64, SCRATCH_BYTES = 64 << 20 };

/* A node's name, or that it is to be asked for. */
typedef struct name {
    const char *key, *title; /* the title is the key where there is none */
    fl_node_kind kind;
} name;

/* Advice before it has words. */
typedef struct draft {
    uint64_t fix;
    uint64_t plans[FL_RECOMMEND_FEW];
    size_t plan_count, path_count;
    const fl_recommend_applied *causes[FL_RECOMMEND_MAX_PATHS];
    const fl_recommend_belief *beliefs[FL_RECOMMEND_MAX_PATHS];
} draft;

typedef struct writing {
    fl_recommend_work w;
    draft *drafts;
    size_t draft_count;
    fl_map *draft_at; /* fix to its place, plus 1 */
    fl_map *name_at;  /* node to its place among the names, plus 1 */
    name *names;
    uint64_t *name_ids;
    size_t name_count;
} writing;

/* ---- history: incidents and symptoms of a cause ---- */

/* Rows come by node, and so this is asked once a cause. */
static fl_recommend_applied *applied_of(fl_recommend_work *w, uint64_t cause, size_t from)
{
    for (size_t i = from; i < w->applied_count && i < from + FL_RECOMMEND_BATCH; i++)
        if (w->applied[i].cause == cause)
            return &w->applied[i];
    return NULL;
}

/* All edges that enter the causes: what they explain, and who was diagnosed. */
static fl_status read_history(fl_recommend_work *w)
{
    uint64_t ids[FL_RECOMMEND_BATCH];
    fl_status status = FL_OK;
    for (size_t at = 0; status == FL_OK && at < w->applied_count; at += FL_RECOMMEND_BATCH) {
        fl_recommend_rows rows;
        fl_recommend_applied *a = NULL;
        size_t count = 0;
        for (; count < FL_RECOMMEND_BATCH && at + count < w->applied_count; count++)
            ids[count] = w->applied[at + count].cause;
        fl_arena_reset(&w->scratch);
        const fl_recommend_asked asked = {ids, count, FL_RECOMMEND_MAX_EDGES, FL_GRAPH_IN};
        status = fl_recommend_read_edges(&rows, w, &asked);
        for (size_t i = 0; status == FL_OK && i < rows.count; i++) {
            const fl_recommend_row *row = &rows.items[i];
            if (a == NULL || a->cause != row->to)
                a = applied_of(w, row->to, at);
            assert(a != NULL);
            a->incidents += row->kind == FL_EDGE_DIAGNOSED_AS;
            if (row->kind == FL_EDGE_EXPLAINED_BY && a->symptom_count < FL_RECOMMEND_FEW)
                a->symptoms[a->symptom_count++] = row->from;
        }
    }
    return status;
}

/* ---- fixes and their plans ---- */

/* NULL where there are too many. */
static fl_status draft_of(draft **out, writing *in, uint64_t fix)
{
    bool added;
    uint64_t *slot;
    *out = NULL;
    fl_status status = fl_map_slot(&slot, in->draft_at, fix, &added, in->w.err);
    if (status != FL_OK)
        return status;
    if (added && in->draft_count == FL_RECOMMEND_MAX_ITEMS) {
        in->w.out->cut = true;
        return FL_OK;
    }
    if (added) {
        in->drafts[in->draft_count].fix = fix;
        *slot = ++in->draft_count;
    }
    *out = *slot > 0 ? &in->drafts[*slot - 1] : NULL;
    return FL_OK;
}

/* Causes of which something cannot be told give no advice. */
static fl_status draft_fixes(writing *in)
{
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < in->w.applied_count; i++) {
        const fl_recommend_applied *a = &in->w.applied[i];
        in->w.out->causes += a->unknown_count == 0;
        for (size_t f = 0; a->unknown_count == 0 && status == FL_OK && f < a->fix_count; f++) {
            draft *d;
            status = draft_of(&d, in, a->fixes[f].fix);
            if (status != FL_OK || d == NULL)
                continue;
            if (d->path_count == FL_RECOMMEND_MAX_PATHS) {
                in->w.out->cut = true;
                continue;
            }
            d->causes[d->path_count] = a;
            d->beliefs[d->path_count++] = a->fixes[f].belief;
        }
    }
    return status;
}

/* Plans come from the other side of the fix. */
static fl_status read_plans(writing *in)
{
    uint64_t ids[FL_RECOMMEND_BATCH];
    fl_status status = FL_OK;
    for (size_t at = 0; status == FL_OK && at < in->draft_count; at += FL_RECOMMEND_BATCH) {
        fl_recommend_rows rows;
        size_t count = 0;
        for (; count < FL_RECOMMEND_BATCH && at + count < in->draft_count; count++)
            ids[count] = in->drafts[at + count].fix;
        fl_arena_reset(&in->w.scratch);
        const fl_recommend_asked asked = {ids, count, PLAN_EDGES, FL_GRAPH_IN};
        status = fl_recommend_read_edges(&rows, &in->w, &asked);
        for (size_t i = 0; status == FL_OK && i < rows.count; i++) {
            draft *d;
            if (rows.items[i].kind != FL_EDGE_IMPLEMENTS)
                continue;
            status = draft_of(&d, in, rows.items[i].to);
            if (status == FL_OK && d->plan_count < FL_RECOMMEND_FEW)
                d->plans[d->plan_count++] = rows.items[i].from;
        }
    }
    return status;
}

/* ---- names ---- */

/* Each node once, however many paths it lies on. */
static fl_status want_name(writing *in, uint64_t id)
{
    bool added;
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, in->name_at, id, &added, in->w.err);
    if (status != FL_OK || !added)
        return status;
    in->name_ids[in->name_count++] = id;
    *slot = in->name_count;
    return FL_OK;
}

/* A cause, what it explains, and settings that the service has not. */
static fl_status want_names_of(writing *in, const fl_recommend_applied *a)
{
    fl_status status = want_name(in, a->cause);
    for (size_t i = 0; status == FL_OK && i < a->symptom_count; i++)
        status = want_name(in, a->symptoms[i]);
    for (size_t i = 0; status == FL_OK && i < a->gate_count; i++)
        if (a->gates[i].name == NULL)
            status = want_name(in, a->targets[i]);
    return status;
}

/* Room for all of them first. */
static fl_status want_names(writing *in)
{
    size_t most = in->draft_count * (1 + FL_RECOMMEND_FEW);
    for (size_t i = 0; i < in->w.applied_count; i++)
        most += 1 + FL_RECOMMEND_FEW + in->w.applied[i].gate_count;
    in->name_ids = fl_arena_alloc(in->w.arena, most + 1, sizeof(*in->name_ids));
    in->names = fl_arena_alloc(in->w.arena, most + 1, sizeof(*in->names));
    if (in->name_ids == NULL || in->names == NULL)
        return fl_recommend_no_memory(in->w.err);
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < in->w.applied_count; i++)
        status = want_names_of(in, &in->w.applied[i]);
    for (size_t i = 0; status == FL_OK && i < in->draft_count; i++) {
        status = want_name(in, in->drafts[i].fix);
        for (size_t p = 0; status == FL_OK && p < in->drafts[i].plan_count; p++)
            status = want_name(in, in->drafts[i].plans[p]);
    }
    return status;
}

/* The key names it for programs, the title for people. */
static fl_status take_name(const fl_graph_node *node, void *payload, fl_error *err)
{
    writing *in = payload;
    const uint64_t *slot = fl_map_find(in->name_at, node->id);
    assert(slot != NULL && *slot > 0);
    name *out = &in->names[*slot - 1];
    out->kind = node->kind;
    out->key = fl_arena_printf(in->w.arena, "%s", node->key);
    out->title = node->title != NULL ? fl_arena_printf(in->w.arena, "%s", node->title) : out->key;
    return out->key != NULL && out->title != NULL ? FL_OK : fl_recommend_no_memory(err);
}

/* In batches, in the order in which they were wanted. */
static fl_status read_names(writing *in)
{
    fl_status status = want_names(in);
    for (size_t at = 0; status == FL_OK && at < in->name_count; at += FL_RECOMMEND_BATCH) {
        uint64_t ids[FL_RECOMMEND_BATCH];
        size_t left = in->name_count - at;
        size_t count = left < FL_RECOMMEND_BATCH ? left : FL_RECOMMEND_BATCH;
        memcpy(ids, in->name_ids + at, count * sizeof(*ids));
        const fl_graph_question question = {.scope = FL_GRAPH_ONE,
                                            .as_of_ns = in->w.question->now_ns,
                                            .ids = ids,
                                            .id_count = fl_graph_sort_ids(ids, count)};
        status = fl_graph_nodes(in->w.store, &question, take_name, in, in->w.err);
    }
    return status;
}

/* Empty for a node that is not there, which foreign keys do not let happen. */
static name name_of(const writing *in, uint64_t id)
{
    const uint64_t *slot = fl_map_find(in->name_at, id);
    assert(slot != NULL);
    name found = in->names[*slot - 1];
    return found.key != NULL ? found : (name){"", "", FL_NODE_CAUSE};
}

/* ---- the answer ---- */

/* The name of a setting that the service does not have is only in the graph. */
static void name_gates(writing *in)
{
    for (size_t i = 0; i < in->w.applied_count; i++) {
        fl_recommend_applied *a = &in->w.applied[i];
        for (size_t g = 0; g < a->gate_count; g++) {
            if (a->gates[g].name != NULL)
                continue;
            name target = name_of(in, a->targets[g]);
            a->gates[g].name = target.key;
            a->gates[g].is_component = target.kind == FL_NODE_COMPONENT;
        }
    }
}

/* What cannot be compared is said, where all else holds. */
static fl_status write_unsure(writing *in)
{
    fl_recommended *out = in->w.out;
    fl_recommend_unsure *unsure = fl_arena_alloc(in->w.arena, MAX_UNSURE, sizeof(*unsure));
    if (unsure == NULL)
        return fl_recommend_no_memory(in->w.err);
    for (size_t i = 0; i < in->w.applied_count; i++) {
        const fl_recommend_applied *a = &in->w.applied[i];
        if (a->unknown_count == 0)
            continue;
        if (out->unsure_count == MAX_UNSURE) {
            out->cut = true;
            break;
        }
        unsure[out->unsure_count++] = (fl_recommend_unsure){.cause = name_of(in, a->cause).title,
                                                            .gate = a->gates[a->unknown_at]};
    }
    out->unsure = unsure;
    return FL_OK;
}

/* Titles of `count` nodes. */
static fl_status write_titles(const char *const **out, const writing *in, const uint64_t *ids,
                              size_t count)
{
    const char **titles = fl_arena_alloc(in->w.arena, count + 1, sizeof(*titles));
    if (titles == NULL)
        return fl_recommend_no_memory(in->w.err);
    for (size_t i = 0; i < count; i++)
        titles[i] = name_of(in, ids[i]).title;
    *out = titles;
    return FL_OK;
}

/* All fixes of a cause share its gates and history. */
static fl_status write_path(fl_recommend_path *out, const writing *in,
                            const fl_recommend_applied *a, const fl_recommend_belief *belief)
{
    const fl_confidence parts[] = {a->weakest->confidence, belief->confidence};
    name cause = name_of(in, a->cause);
    *out = (fl_recommend_path){.key = cause.key,
                               .title = cause.title,
                               .why = belief->why,
                               .gates = a->gates,
                               .gate_count = a->gate_count,
                               .symptom_count = a->symptom_count,
                               .references = belief->references,
                               .reference_count = belief->reference_count,
                               .supporting = belief->supporting,
                               .contradicting = belief->contradicting,
                               .incidents = a->incidents,
                               .curated = belief->curated,
                               .own = belief->own};
    /* A cause without a fix is as sure as its weakest requirement. */
    fl_confidence_path(&out->confidence, parts, belief == a->weakest ? 1 : 2);
    return write_titles(&out->symptoms, in, a->symptoms, a->symptom_count);
}

/* Texts settle a tie, so that the order is the same in every run and store. */
static int by_lower_bound(const fl_confidence *x, const fl_confidence *y, const char *x_text,
                          const char *y_text)
{
    if (x->low != y->low)
        return x->low > y->low ? -1 : 1;
    return strcmp(x_text, y_text);
}

/* The surest first. */
static int compare_paths(const void *a, const void *b)
{
    const fl_recommend_path *x = a, *y = b;
    return by_lower_bound(&x->confidence, &y->confidence, x->key, y->key);
}

/* Causes that nobody knows a fix for are said none the less. */
static fl_status write_risks(writing *in)
{
    fl_recommended *out = in->w.out;
    fl_recommend_path *risks = fl_arena_alloc(in->w.arena, in->w.applied_count + 1, sizeof(*risks));
    fl_status status = risks != NULL ? FL_OK : fl_recommend_no_memory(in->w.err);
    for (size_t i = 0; status == FL_OK && i < in->w.applied_count; i++) {
        const fl_recommend_applied *a = &in->w.applied[i];
        if (a->unknown_count > 0 || a->fix_count > 0)
            continue;
        if (out->risk_count == FL_RECOMMEND_MAX_ITEMS) {
            out->cut = true;
            break;
        }
        status = write_path(&risks[out->risk_count++], in, a, a->weakest);
    }
    if (status == FL_OK)
        qsort(risks, out->risk_count, sizeof(*risks), compare_paths);
    out->risks = risks;
    return status;
}

/* What is to be set first, what is only to be done last. */
static int compare_items(const void *a, const void *b)
{
    const fl_recommendation *x = a, *y = b;
    if (x->words.kind != y->words.kind)
        return x->words.kind < y->words.kind ? -1 : 1;
    return by_lower_bound(&x->confidence, &y->confidence, x->text, y->text);
}

/* An incident that was diagnosed as two causes counts for both: which of them it was is not known.
 */
static fl_status write_item(fl_recommendation *out, const writing *in, const draft *d)
{
    assert(d->path_count > 0);
    fl_recommend_path *paths = fl_arena_alloc(in->w.arena, d->path_count, sizeof(*paths));
    fl_status status = paths != NULL ? FL_OK : fl_recommend_no_memory(in->w.err);
    for (size_t p = 0; status == FL_OK && p < d->path_count; p++) {
        status = write_path(&paths[p], in, d->causes[p], d->beliefs[p]);
        out->evidence += paths[p].supporting + paths[p].contradicting;
        out->prevented += paths[p].incidents;
    }
    if (status != FL_OK)
        return status;
    qsort(paths, d->path_count, sizeof(*paths), compare_paths);
    out->paths = paths;
    out->path_count = d->path_count;
    out->confidence = paths[0].confidence;
    out->plan_count = d->plan_count;
    return write_titles(&out->plans, in, d->plans, d->plan_count);
}

/* What the service follows already is only counted. */
static fl_status write_items(writing *in)
{
    fl_recommended *out = in->w.out;
    const fl_recommend_question *question = in->w.question;
    fl_recommendation *items = fl_arena_alloc(in->w.arena, in->draft_count + 1, sizeof(*items));
    fl_status status = items != NULL ? FL_OK : fl_recommend_no_memory(in->w.err);
    for (size_t i = 0; status == FL_OK && i < in->draft_count; i++) {
        fl_recommendation *item = &items[out->count];
        *item = (fl_recommendation){.fix = in->drafts[i].fix,
                                    .text = name_of(in, in->drafts[i].fix).title};
        fl_advice_read(&item->words, fl_slice_of(item->text));
        if (fl_recommend_is_met(question, &item->words)) {
            out->met++;
            continue;
        }
        const fl_service_part *now = fl_recommend_now(question, &item->words);
        item->now = now != NULL ? now->value : NULL;
        item->now_name = now != NULL ? now->name : NULL;
        status = write_item(item, in, &in->drafts[i]);
        out->count++;
    }
    if (status == FL_OK)
        qsort(items, out->count, sizeof(*items), compare_items);
    out->items = items;
    return status;
}

/* Room for the most: what is beyond is cut, not grown into. */
static fl_status allocate(writing *in)
{
    fl_recommend_work *w = &in->w;
    w->causes = fl_arena_alloc(w->arena, FL_RECOMMEND_MAX_CAUSES, sizeof(*w->causes));
    in->drafts = fl_arena_alloc(w->arena, FL_RECOMMEND_MAX_ITEMS, sizeof(*in->drafts));
    if (w->causes == NULL || in->drafts == NULL)
        return fl_recommend_no_memory(w->err);
    fl_status status = fl_map_create(&w->seen, SIZE_MAX / 64, w->err);
    if (status == FL_OK)
        status = fl_map_create(&in->draft_at, SIZE_MAX / 64, w->err);
    return status == FL_OK ? fl_map_create(&in->name_at, SIZE_MAX / 64, w->err) : status;
}

/* In the order in which one thing needs another. */
static fl_status write_answer(writing *in)
{
    fl_status status = draft_fixes(in);
    if (status == FL_OK)
        status = read_history(&in->w);
    if (status == FL_OK)
        status = read_plans(in);
    if (status == FL_OK)
        status = read_names(in);
    if (status != FL_OK)
        return status;
    name_gates(in);
    status = write_unsure(in);
    if (status == FL_OK)
        status = write_risks(in);
    return status == FL_OK ? write_items(in) : status;
}

fl_status fl_recommend(fl_recommended *out, fl_store *store, const fl_recommend_question *question,
                       fl_arena *arena, fl_error *err)
{
    assert(store != NULL && question->service != NULL);
    writing in = {.w = {.store = store,
                        .question = question,
                        .out = out,
                        .arena = arena,
                        .scratch = fl_arena_of(SCRATCH_BYTES),
                        .err = err}};
    *out = (fl_recommended){0};
    fl_status status = allocate(&in);
    if (status == FL_OK)
        status = fl_recommend_find_seeds(&in.w.seeds, question, arena, err);
    if (status == FL_OK)
        status = fl_recommend_judge(&in.w);
    if (status == FL_OK)
        status = write_answer(&in);
    fl_map_destroy(in.w.seen);
    fl_map_destroy(in.draft_at);
    fl_map_destroy(in.name_at);
    fl_arena_dispose(&in.w.scratch);
    return status;
}
