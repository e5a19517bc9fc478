/*
 * symptoms.c - hypotheses to fingerprints.
 *
 * What makes a key must be the same in every incident of the same fault: names of operations,
 * metrics and edges are, templates have their numbers masked already, frames of stack traces are
 * not. Keys are cut where the graph's limit is, at a character; what is cut off does not tell two
 * faults apart that agree in a thousand bytes.
 */
#include "symptoms.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "hash.h"
#include "slice.h"

#define TITLE_BYTES 240 /* three lines of a terminal; the key has it all */

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading an incident");
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "";
}

/* Cut at a character, so that what is left is UTF-8. */
static void cut(char *text, size_t limit)
{
    assert(text != NULL && limit > 0);
    size_t len = strlen(text);
    if (len <= limit)
        return;
    while (limit > 0 && ((unsigned char)text[limit] & 0xC0) == 0x80)
        limit--;
    text[limit] = '\0';
}

/* The node of these two texts, either of which may be NULL for want of memory. */
static fl_status finish(fl_graph_node *out, fl_node_kind kind, char *key, char *title,
                        int64_t now_ns, fl_error *err)
{
    if (key == NULL || title == NULL)
        return no_memory(err);
    cut(key, FL_MAX_NODE_KEY_BYTES);
    cut(title, TITLE_BYTES);
    *out = (fl_graph_node){.id = fl_node_id(kind, fl_slice_of(key)),
                           .kind = kind,
                           .key = key,
                           .title = title,
                           .recorded_ns = now_ns};
    return FL_OK;
}

/* What changed, in words that another incident would use. A frame names a line of one version. */
static char *locus_text(const fl_hypothesis *h, fl_arena *arena)
{
    if (h->exception_type != NULL)
        return fl_arena_printf(arena, "%s: %s", h->exception_type, or_none(h->exception_message));
    if (h->locus == FL_LOCUS_CODE_REGION && h->before != NULL)
        return fl_arena_printf(arena, "%s -> %s", h->before, or_none(h->after));
    return fl_arena_printf(arena, "%s", or_none(h->locus_name));
}

/* The cause kind is part of it: a metric may be wrong in more than one way. */
fl_status fl_symptoms_one(fl_graph_node *out, const fl_hypothesis *h, int64_t now_ns,
                          fl_arena *arena, fl_error *err)
{
    assert(h != NULL);
    char *locus = locus_text(h, arena);
    if (locus == NULL)
        return no_memory(err);
    const char *kind = fl_locus_name(h->locus), *cause = fl_cause_name(h->cause);
    return finish(out, FL_NODE_SYMPTOM, fl_arena_printf(arena, "%s|%s|%s", kind, cause, locus),
                  fl_arena_printf(arena, "%s: %s", cause, locus), now_ns, err);
}

fl_status fl_symptoms_leak(fl_graph_node *out, const char *kind, int64_t now_ns, fl_arena *arena,
                           fl_error *err)
{
    assert(kind != NULL);
    return finish(out, FL_NODE_SYMPTOM, fl_arena_printf(arena, "leak/%s", kind),
                  fl_arena_printf(arena, "leak: %s", kind), now_ns, err);
}

/* Where the last of `count` nodes stood before; itself where it is new. */
static size_t place_of(const fl_graph_node *known, size_t count)
{
    size_t at = 0;
    assert(count > 0 && count <= FL_MAX_SYMPTOMS);
    while (known[at].id != known[count - 1].id)
        at++;
    return at;
}

double fl_symptoms_telemetry_nats(const fl_hypothesis *hypothesis)
{
    double nats = hypothesis->score;
    for (size_t i = 0; i < hypothesis->evidence_count; i++)
        if (hypothesis->evidence[i].modality == FL_MODALITY_MEMORY)
            nats -= hypothesis->evidence[i].weight_nats;
    return nats;
}

/* The list that is being made; its place at `count` is free. */
struct listing {
    fl_graph_node *nodes;
    double *nats;
    size_t count;
};

/* The node at the free place, which is kept where it is new; the heaviest evidence counts. */
static void keep(struct listing *list, double nats)
{
    size_t at = place_of(list->nodes, list->count + 1);
    list->nats[at] = fmax(list->nats[at], fmin(nats, FL_SURE_NATS));
    list->count += at == list->count;
}

/* What profiles say of a service recurs by the kind of bug; its line is one program's. */
static fl_status list_findings(struct listing *list, const fl_hypothesis *h, int64_t now_ns,
                               fl_arena *arena, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < h->evidence_count; i++) {
        const fl_evidence *evidence = &h->evidence[i];
        if (evidence->finding == NULL || evidence->against || list->count == FL_MAX_SYMPTOMS)
            continue;
        status = fl_symptoms_leak(&list->nodes[list->count], evidence->finding, now_ns, arena, err);
        if (status == FL_OK)
            keep(list, evidence->weight_nats);
    }
    return status;
}

fl_status fl_symptoms_of(fl_symptoms *out, const fl_incident *incident, int64_t now_ns,
                         fl_arena *arena, fl_error *err)
{
    assert(incident->hypothesis_count == 0 || incident->hypotheses != NULL);
    struct listing list = {.nodes = fl_arena_alloc(arena, FL_MAX_SYMPTOMS, sizeof(*list.nodes)),
                           .nats = fl_arena_alloc(arena, FL_MAX_SYMPTOMS, sizeof(*list.nats))};
    fl_status status = list.nodes != NULL && list.nats != NULL ? FL_OK : no_memory(err);
    for (size_t i = 0; status == FL_OK && i < incident->hypothesis_count; i++) {
        const fl_hypothesis *h = &incident->hypotheses[i];
        double telemetry = fl_symptoms_telemetry_nats(h);
        if (telemetry < FL_SYMPTOM_NATS || list.count == FL_MAX_SYMPTOMS)
            continue;
        status = fl_symptoms_one(&list.nodes[list.count], h, now_ns, arena, err);
        if (status == FL_OK) {
            keep(&list, telemetry);
            status = list_findings(&list, h, now_ns, arena, err);
        }
    }
    *out = (fl_symptoms){
        .nodes = list.nodes, .nats = list.nats, .count = status == FL_OK ? list.count : 0};
    return status;
}

fl_status fl_symptoms_cause(fl_graph_node *out, const fl_hypothesis *hypothesis, int64_t now_ns,
                            fl_arena *arena, fl_error *err)
{
    assert(hypothesis != NULL);
    char *locus = locus_text(hypothesis, arena);
    if (locus == NULL)
        return no_memory(err);
    const char *cause = fl_cause_name(hypothesis->cause), *service = or_none(hypothesis->service);
    return finish(out, FL_NODE_CAUSE, fl_arena_printf(arena, "%s|%s|%s", service, cause, locus),
                  fl_arena_printf(arena, "%s in %s (%s)", cause, service, locus), now_ns, err);
}

/* Texts with their ends, so that no two rankings run into the same bytes. */
uint64_t fl_symptoms_ranking(const fl_incident *incident, size_t count)
{
    uint64_t ranking = 0;
    assert(count <= incident->hypothesis_count);
    for (size_t i = 0; i < count; i++) {
        const fl_hypothesis *one = &incident->hypotheses[i];
        const char *const texts[] = {one->service, fl_cause_name(one->cause), one->locus_name};
        for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
            fl_slice text = fl_slice_of(texts[t] != NULL ? texts[t] : "");
            ranking = fl_hash_mix(ranking) ^ fl_hash_stable(text);
        }
    }
    return ranking;
}

/* ASCII white space. */
static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* In place. */
static void normalise(char *text)
{
    size_t len = 0;
    for (const char *in = text; *in != '\0'; in++) {
        bool skipped = is_blank(*in) && (len == 0 || text[len - 1] == ' ');
        if (!skipped)
            text[len++] = is_blank(*in) ? ' ' : *in >= 'A' && *in <= 'Z' ? (char)(*in | 0x20) : *in;
    }
    len -= len > 0 && text[len - 1] == ' ';
    text[len] = '\0';
}

fl_status fl_symptoms_said(fl_graph_node *out, fl_node_kind kind, const char *text, int64_t now_ns,
                           fl_arena *arena, fl_error *err)
{
    assert(text != NULL);
    char *key = fl_arena_printf(arena, "%s", text), *title = fl_arena_printf(arena, "%s", text);
    if (key == NULL || title == NULL)
        return no_memory(err);
    normalise(key);
    if (key[0] == '\0')
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "a %s in no words", fl_node_kind_name(kind));
    if (strlen(key) > FL_MAX_NODE_KEY_BYTES)
        return fl_fail(err, FL_E_LIMIT, FL_MAX_NODE_KEY_BYTES,
                       "a %s of %zu bytes; the graph keeps up to %d: put the rest into a note",
                       fl_node_kind_name(kind), strlen(key), FL_MAX_NODE_KEY_BYTES);
    return finish(out, kind, key, title, now_ns, err);
}

fl_status fl_symptoms_incident(fl_graph_node *out, const fl_incident *incident, int64_t now_ns,
                               fl_arena *arena, fl_error *err)
{
    assert(incident->id != NULL);
    return finish(out, FL_NODE_INCIDENT, fl_arena_printf(arena, "%s", incident->id),
                  fl_arena_printf(arena, "incident %s", incident->id), now_ns, err);
}
