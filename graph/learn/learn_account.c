/*
 * learn_account.c - what follows from all that a text tells of one incident.
 *
 * The cause is what the text calls so; else the answer to its last "why"; else the first cause that
 * a sentence gives. Symptoms without a cause are nothing to learn, nor is a fix.
 *
 * An account's edges:
 *
 *   each symptom      -explained-by-> the cause        the sentence is that of the cause
 *   the first symptom -explained-by-> what was ruled out, as evidence against
 *   the cause         -resolved-by->  each fix
 *   each change       -introduced->   the cause
 *   the cause         -requires->     each version and setting
 *
 * One symptom is enough for what was ruled out: a reader who finds it there would find it with the
 * others too, and one sentence shall not weigh four times.
 */
#include <assert.h>
#include <stdio.h>

#include "learn_priv.h"
#include "slice.h"

void fl_account_keep(claim *list, size_t *count, size_t most, const claim *item)
{
    assert(list != NULL && count != NULL);
    if (item->text.len == 0 || *count == most)
        return;
    for (size_t i = 0; i < *count; i++)
        if (fl_slice_equal(list[i].text, item->text))
            return;
    list[(*count)++] = *item;
}

/* What is called the cause outweighs what is only given as one. A catalogue has no cause of
 * its own. */
static const claim *cause_of(const account *a)
{
    const claim *order[] = {&a->root, &a->answer, &a->said};
    for (size_t i = 0; i < (a->is_catalogue ? 2 : 3); i++)
        if (order[i]->text.len > 0)
            return order[i];
    return NULL;
}

/* Sections and logs tell the symptom; else the title; else the first sentence that gives an effect
 * beside the cause. */
static size_t symptoms_of(const claim *out[MAX_SYMPTOMS + MAX_LOGS], const account *a)
{
    size_t count = 0;
    for (size_t i = 0; i < a->symptom_count; i++)
        out[count++] = &a->symptoms[i];
    for (size_t i = 0; i < a->log_count; i++)
        out[count++] = &a->logs[i];
    if (count == 0 && a->title.text.len > 0)
        out[count++] = &a->title;
    else if (count == 0 && a->effect.text.len > 0)
        out[count++] = &a->effect;
    assert(count <= MAX_SYMPTOMS + MAX_LOGS);
    return count;
}

/* The cause holds for a version, or with a setting. */
static void propose_required(learning *l, const claim *cause)
{
    for (size_t i = 0; i < l->account.required_count; i++) {
        const requirement *r = &l->account.required[i];
        char qualifier[FL_QUALIFIER_TEXT] = "";
        if (!r->mention.is_config)
            fl_mention_qualifier(qualifier, &r->mention);
        fl_propose(
            l, &(edge_claim){.kind = FL_EDGE_REQUIRES,
                             .from = cause->text,
                             .to = r->mention.name,
                             .from_kind = FL_NODE_CAUSE,
                             .to_kind = r->mention.is_config ? FL_NODE_CONFIG : FL_NODE_COMPONENT,
                             .qualifier = r->mention.is_config ? NULL : qualifier,
                             .at = r->at});
    }
}

void fl_account_close(learning *l)
{
    const account *a = &l->account;
    const claim *cause = cause_of(a), *symptoms[MAX_SYMPTOMS + MAX_LOGS];
    size_t count = symptoms_of(symptoms, a);
    assert(a->fix_count <= MAX_FIXES && a->excluded_count <= MAX_EXCLUDED);
    for (size_t i = 0; cause != NULL && i < count; i++)
        fl_propose_pair(l, FL_EDGE_EXPLAINED_BY, symptoms[i], cause, false);
    for (size_t i = 0; count > 0 && i < a->excluded_count; i++)
        fl_propose_pair(l, FL_EDGE_EXPLAINED_BY, symptoms[0], &a->excluded[i], true);
    for (size_t i = 0; cause != NULL && i < a->fix_count; i++)
        fl_propose_pair(l, FL_EDGE_RESOLVED_BY, cause, &a->fixes[i], false);
    for (size_t i = 0; cause != NULL && i < a->change_count; i++)
        fl_propose_pair(l, FL_EDGE_INTRODUCED, &a->changes[i], cause, false);
    if (cause != NULL)
        propose_required(l, cause);
    claim title = a->title;
    l->account = (account){.title = title, .is_catalogue = l->is_catalogue};
}
