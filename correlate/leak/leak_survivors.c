/*
 * leak_survivors.c - are the goroutines of a function the same ones later on?
 *
 * Goroutine texts tell ids, which are never used again, and the highest id of a text tells which of
 * two is the later one, since texts carry no time. Of each group a sample is kept: the ids with the
 * smallest hashes. Below the smaller of two samples' largest hashes both are complete, so that what
 * is in the earlier and in the later one there is a fair sample of who stayed (bottom-k sketch,
 * Cohen and Kaplan 2007).
 *
 * Goroutines of which the earlier ones are all gone come and go, whatever their number does. Where
 * nearly all stayed while their number rose, they pile up.
 */
#include <assert.h>

#include "hash.h"
#include "leak_priv.h"

/* So many at least say anything: of eight none stays by chance where a third did in 4 of 100. */
#define MIN_SAMPLE 8
#define MOST_STAY  0.9
/* The number rose by that between the texts: they are not of one moment. */
#define ROSE 1.3
/* Of all that were ever started: half of a group is older than the newest third. What is at work
 * for a moment has the newest ids, what piles up steadily has them from everywhere. */
#define OLD_SHARE (2.0 / 3)
/* Texts that are looked at: the first, the last, and what lies between as far as it fits. */
enum { MAX_TEXTS = 16 };

/* One function's goroutines in one text. */
typedef struct text_sample {
    uint64_t newest_id; /* of the text */
    uint64_t limit;     /* hashes up to this are complete */
    uint64_t ids[4 * FL_GO_SAMPLE];
    size_t id_count;
    double count;
} text_sample;

static bool is_same_place(const fl_leak *leak, uint32_t a, uint32_t b)
{
    const leak_stack *x = &leak->stacks[a], *y = &leak->stacks[b];
    const leak_frame *f = &leak->frames[x->frame_at + fl_leak_place_of(x, SET_GOROUTINES)];
    const leak_frame *g = &leak->frames[y->frame_at + fl_leak_place_of(y, SET_GOROUTINES)];
    return f->function != NO_ID && g->function != NO_ID &&
           leak->functions[f->function].name == leak->functions[g->function].name;
}

/* Add a group to its text's sample; samples that do not fit lower the limit. */
static void add_group(text_sample *to, const leak_parked *p)
{
    bool is_full = p->id_count == FL_GO_SAMPLE;
    to->count += p->count;
    if (p->id_count == 0 && p->count > 0)
        to->limit = 0;
    for (uint32_t i = 0; i < p->id_count; i++) {
        uint64_t hash = fl_hash_mix(p->ids[i]);
        if (to->id_count < sizeof(to->ids) / sizeof(to->ids[0]))
            to->ids[to->id_count++] = p->ids[i];
        else
            to->limit = hash < to->limit ? hash - (hash > 0) : to->limit;
    }
    uint64_t worst = 0;
    for (uint32_t i = 0; is_full && i < p->id_count; i++) {
        uint64_t hash = fl_hash_mix(p->ids[i]);
        worst = hash > worst ? hash : worst;
    }
    if (is_full && worst < to->limit)
        to->limit = worst;
}

/* The sample of that text, by its newest id; NULL where there are too many texts. */
static text_sample *sample_of(text_sample *texts, size_t *count, uint64_t newest_id)
{
    for (size_t i = 0; i < *count; i++) {
        if (texts[i].newest_id == newest_id)
            return &texts[i];
    }
    if (*count == MAX_TEXTS)
        return NULL;
    texts[*count] = (text_sample){.newest_id = newest_id, .limit = UINT64_MAX};
    return &texts[(*count)++];
}

static bool has_id(const text_sample *text, uint64_t id)
{
    for (size_t i = 0; i < text->id_count; i++) {
        if (text->ids[i] == id)
            return true;
    }
    return false;
}

/* Of the earlier text's goroutines that both samples cover: how many, and how many are in the later
 * one. */
static void compare_texts(const text_sample *early, const text_sample *late, size_t *covered,
                          size_t *stayed)
{
    uint64_t limit = early->limit < late->limit ? early->limit : late->limit;
    *covered = *stayed = 0;
    for (size_t i = 0; i < early->id_count; i++) {
        if (fl_hash_mix(early->ids[i]) > limit)
            continue;
        ++*covered;
        *stayed += has_id(late, early->ids[i]);
    }
    assert(*stayed <= *covered);
}

/* Ids rise with time: whether half of a sample is from the earlier two thirds. A program that has
 * just begun has started little else than what is at work: the number must have risen since. */
static bool is_old(const text_sample *text, double first_count)
{
    size_t older = 0;
    if (text->count < ROSE * first_count)
        return false;
    for (size_t i = 0; i < text->id_count; i++)
        older += (double)text->ids[i] <= OLD_SHARE * (double)text->newest_id;
    return text->id_count >= MIN_SAMPLE && 2 * older >= text->id_count;
}

fl_status fl_leak_survivors_of(leak_survivors *out, const leak_case *c, const leak_subject *s,
                               fl_error *err)
{
    const fl_leak *leak = c->leak;
    text_sample *texts = fl_arena_alloc(c->scratch, MAX_TEXTS, sizeof(*texts));
    size_t count = 0;
    *out = (leak_survivors){0};
    if (texts == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the leak analysis");
    for (size_t i = 0; i < leak->parked_count; i++) {
        const leak_parked *p = &leak->parked[i];
        if (p->newest_id == 0 || !is_same_place(leak, p->stack, s->top_stack))
            continue;
        text_sample *text = sample_of(texts, &count, p->newest_id);
        if (text != NULL)
            add_group(text, p);
    }
    bool none_stay = true;
    double first_count = s->series.count > 0 ? s->series.value[0] : 0;
    for (size_t i = 0; i < count; i++) {
        out->is_old = out->is_old || is_old(&texts[i], first_count);
        for (size_t k = 0; k < count; k++) {
            size_t covered = 0, stayed = 0;
            if (texts[i].newest_id >= texts[k].newest_id)
                continue;
            compare_texts(&texts[i], &texts[k], &covered, &stayed);
            if (covered < MIN_SAMPLE)
                continue;
            out->covered = covered > out->covered ? covered : out->covered;
            none_stay = none_stay && stayed == 0;
            bool most = (double)stayed >= MOST_STAY * (double)covered;
            out->most_stay = out->most_stay || (most && texts[k].count >= ROSE * texts[i].count);
        }
    }
    out->none_stay = none_stay && out->covered > 0;
    return FL_OK;
}
