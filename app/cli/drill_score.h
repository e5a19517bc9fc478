/*
 * drill_score.h - how a ranking is counted against a known cause. Numbers only; no files.
 *
 * An item's rank is the worst rank among its equals: with three hypotheses of one score at the top,
 * each has rank 3. AC@k: the true service is among the first k distinct services, a service
 * standing where its best hypothesis stands. AIS@k: among the first k hypotheses one names the true
 * service and the true resource, or that service and a code region both of whose log statements
 * match.
 *
 * Of a case with several causes each is known by its service: the first k services are to name
 * min(k, causes) of them. A case in which nothing was wrong is a hit at every k when the verdict is
 * that there is no confident cause, and a miss else.
 */
#ifndef FL_DRILL_SCORE_H
#define FL_DRILL_SCORE_H

#include <stdbool.h>

#include "faultline/incident.h"

enum { FL_DRILL_MAX_ALSO = 4 };

typedef struct fl_drill_answer {
    const char *service;                 /* NULL: nothing was wrong */
    fl_resource_kind resource;           /* FL_RESOURCE_NONE: not known */
    const char *region[2];               /* a part of each log statement; NULL: not known */
    const char *also[FL_DRILL_MAX_ALSO]; /* services of further causes */
    size_t also_count;
} fl_drill_answer;

/* There is one cause, and it is known finer than by its service. */
bool fl_drill_is_fine(const fl_drill_answer *answer);

/* Worst rank among equals, from 1; 0 where the ranking does not name it. */
typedef struct fl_drill_ranks {
    size_t service; /* of several causes the first that is named */
    size_t last;    /* of several causes the last that is named, 0 where one is not */
    size_t fine;
} fl_drill_ranks;

/* Where the true cause stands among the hypotheses. */
fl_drill_ranks fl_drill_rank(const fl_incident *incident, const fl_drill_answer *answer);
/* True when hypothesis `at` names the true service and what is finer known of the cause. */
bool fl_drill_names_cause(const fl_hypothesis *hypothesis, const fl_drill_answer *answer);

enum { FL_DRILL_KS = 3 };
extern const size_t fl_drill_ks[FL_DRILL_KS]; /* 1, 3, 5 */

typedef struct fl_drill_tally {
    size_t n, hits[FL_DRILL_KS];           /* of AC@k */
    size_t fine_n, fine_hits[FL_DRILL_KS]; /* of AIS@k, over the cases whose truth is that fine */
} fl_drill_tally;

/* One more case, for AC@k and, where the truth is that fine, AIS@k. */
void fl_drill_count(fl_drill_tally *tally, const fl_drill_answer *answer, fl_drill_ranks ranks);
/* hits / n; NaN for n = 0. */
double fl_drill_ratio(size_t hits, size_t n);
/* Sorts `values`; the mean of the middle two for an even count, 0 for none. */
int64_t fl_drill_median(int64_t *values, size_t count);

#endif
