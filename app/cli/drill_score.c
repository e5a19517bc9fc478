/*
 * drill_score.c - ranks are only compared, never used as numbers: "1, 1, 3" and "1, 1, 2" are the
 * same ranking. Quadratic in the number of hypotheses, which is small.
 *
 * Cost: services_up_to() compares each hypothesis with those before it. No function allocates, and
 * the incident is never changed.
 */
#include "drill_score.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const size_t fl_drill_ks[FL_DRILL_KS] = {1, 3, 5};

/* Names that are not known are never the same. */
static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* A log statement of the truth is a part of the template, whose values are masked. */
static bool contains(const char *text, const char *part)
{
    return text != NULL && part != NULL && strstr(text, part) != NULL;
}

bool fl_drill_is_fine(const fl_drill_answer *answer)
{
    return answer->also_count == 0 &&
           (answer->resource != FL_RESOURCE_NONE || answer->region[0] != NULL);
}

bool fl_drill_names_cause(const fl_hypothesis *hypothesis, const fl_drill_answer *answer)
{
    if (!same(hypothesis->service, answer->service))
        return false;
    if (answer->resource != FL_RESOURCE_NONE && hypothesis->resource == answer->resource)
        return true;
    return answer->region[0] != NULL && hypothesis->locus == FL_LOCUS_CODE_REGION &&
           contains(hypothesis->before, answer->region[0]) &&
           contains(hypothesis->after, answer->region[1]);
}

/* Hypotheses without a service are one entity: somebody who is not named. */
static bool same_service(const fl_hypothesis *a, const fl_hypothesis *b)
{
    return (a->service == NULL && b->service == NULL) || same(a->service, b->service);
}

/* Distinct services that a hypothesis of rank `rank` or better names. */
static size_t services_up_to(const fl_incident *incident, uint32_t rank)
{
    const fl_hypothesis *all = incident->hypotheses;
    size_t distinct = 0;
    for (size_t i = 0; i < incident->hypothesis_count; i++) {
        bool is_first = all[i].rank <= rank;
        for (size_t k = 0; is_first && k < i; k++)
            is_first = all[k].rank > rank || !same_service(&all[k], &all[i]);
        distinct += is_first;
    }
    return distinct;
}

/* The worst place that an item of rank `rank` can have among its equals. */
static size_t hypotheses_up_to(const fl_incident *incident, uint32_t rank)
{
    size_t count = 0;
    for (size_t i = 0; i < incident->hypothesis_count; i++)
        count += incident->hypotheses[i].rank <= rank;
    return count;
}

/* A service stands where its best hypothesis stands: among the distinct services; 0 where the
 * ranking does not name it. */
static size_t rank_of_service(const fl_incident *incident, const char *service)
{
    uint32_t best = UINT32_MAX;
    for (size_t i = 0; i < incident->hypothesis_count; i++)
        if (incident->hypotheses[i].rank < best && same(incident->hypotheses[i].service, service))
            best = incident->hypotheses[i].rank;
    return best != UINT32_MAX ? services_up_to(incident, best) : 0;
}

/* Of the finer cause among all hypotheses; 0 where none names it. */
static size_t rank_of_cause(const fl_incident *incident, const fl_drill_answer *answer)
{
    uint32_t best = UINT32_MAX;
    for (size_t i = 0; i < incident->hypothesis_count; i++)
        if (incident->hypotheses[i].rank < best &&
            fl_drill_names_cause(&incident->hypotheses[i], answer))
            best = incident->hypotheses[i].rank;
    return best != UINT32_MAX ? hypotheses_up_to(incident, best) : 0;
}

fl_drill_ranks fl_drill_rank(const fl_incident *incident, const fl_drill_answer *answer)
{
    assert(answer->also_count <= FL_DRILL_MAX_ALSO);
    /* Nothing was wrong: only the verdict counts, not how weak hypotheses are ordered. */
    if (answer->service == NULL) {
        size_t rank = incident->verdict == FL_VERDICT_NO_CONFIDENT_CAUSE ? 1 : 0;
        return (fl_drill_ranks){.service = rank, .last = rank};
    }
    size_t first = rank_of_service(incident, answer->service), last = first;
    for (size_t i = 0; i < answer->also_count; i++) {
        size_t other = rank_of_service(incident, answer->also[i]);
        first = first == 0 || (other > 0 && other < first) ? other : first;
        last = last == 0 || other == 0 ? 0 : other > last ? other : last;
    }
    return (fl_drill_ranks){
        .service = first, .last = last, .fine = rank_of_cause(incident, answer)};
}

/* Rank 0 is what the ranking does not name. */
static bool is_hit(size_t rank, size_t k)
{
    return rank > 0 && rank <= k;
}

void fl_drill_count(fl_drill_tally *tally, const fl_drill_answer *answer, fl_drill_ranks ranks)
{
    /* With n causes, k names are asked to hold min(k, n) of them: for k < n the first that is named
     * stands for that, which is exact at k = 1, and for two causes always. */
    bool is_fine = fl_drill_is_fine(answer);
    assert(tally->fine_n <= tally->n);
    tally->n++;
    tally->fine_n += is_fine;
    for (size_t i = 0; i < FL_DRILL_KS; i++) {
        bool all = fl_drill_ks[i] > answer->also_count;
        tally->hits[i] += is_hit(all ? ranks.last : ranks.service, fl_drill_ks[i]);
        tally->fine_hits[i] += is_fine && is_hit(ranks.fine, fl_drill_ks[i]);
    }
}

double fl_drill_ratio(size_t hits, size_t n)
{
    assert(hits <= n);
    return n > 0 ? (double)hits / (double)n : NAN;
}

/* For qsort; no subtraction, which could overflow. */
static int by_value(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

int64_t fl_drill_median(int64_t *values, size_t count)
{
    assert(values != NULL || count == 0);
    if (count == 0)
        return 0;
    qsort(values, count, sizeof(*values), by_value);
    int64_t low = values[(count - 1) / 2], high = values[count / 2];
    return low + (high - low) / 2;
}
