/*
 * confidence.h - how sure the graph is of an edge, as a function of the evidence for it.
 *
 * An edge ("this symptom is explained by that cause") is right in an unknown share of the
 * incidents in which it is asked. Its posterior is Beta(a, b):
 *
 *   a = a0 + sum over supporting evidence of  w(source) * 2^-(age / half-life)
 *   b = b0 + the same over contradicting evidence
 *
 * with Jeffreys' prior a0 = b0 = 1/2, whose intervals cover what they promise down to one
 * observation (Brown, Cai, DasGupta, "Interval estimation for a binomial proportion", 2001).
 * What one author says of an edge counts for at most the cap of its source, however often it is
 * said: beyond it, both sums of that author shrink in proportion. So no author moves the mean by
 * more than cap / (cap + 1). Evidence from the future of `now` has age 0.
 */
#ifndef FL_CONFIDENCE_H
#define FL_CONFIDENCE_H

#include <stdbool.h>

#include "faultline/status.h"

typedef enum fl_evidence_source {
    FL_SOURCE_PERSON,    /* confirmed or rejected by hand */
    FL_SOURCE_FIX,       /* the fix was applied, and the symptom cleared or did not */
    FL_SOURCE_AUTOMATIC, /* the ranking's own answer; never after the graph itself spoke for it */
    FL_SOURCE_DOCUMENT,  /* a ticket or postmortem, as read by rules */
    FL_SOURCE_HEDGED,    /* a document that says "perhaps" */
    FL_SOURCE_LIBRARY,   /* the curated library */
    FL_SOURCE_DRILL,     /* an injected fault: kept, never counted */
    FL_SOURCE_COUNT
} fl_evidence_source;

const char *fl_source_name(fl_evidence_source source); /* "person" */
bool fl_source_of(fl_slice name, fl_evidence_source *out);
double fl_source_weight(fl_evidence_source source); /* of one fresh item, in observations */
double fl_source_cap(fl_evidence_source source);    /* of one author on one edge, in observations */

/* The same of an item as old as it is at `now_ns`. */
double fl_source_weight_aged(fl_evidence_source source, int64_t at_ns, double half_life_days,
                             int64_t now_ns);

typedef struct fl_observation {
    fl_evidence_source source;
    uint64_t author; /* who or what says it; equal numbers are one author */
    bool supports;
    int64_t at_ns;
} fl_observation;

/* Half a year: configurations and versions turn over in quarters, and a year-old incident should
 * still weigh a quarter of a new one. */
#define FL_HALF_LIFE_DAYS 180.0

typedef struct fl_confidence {
    double a, b;            /* of the Beta posterior */
    double mean, low, high; /* low and high: the equal-tailed 90 % interval */
} fl_confidence;

/* Sorts `items`, so that the sum has one order and one value, however they come. */
void fl_confidence_of(fl_confidence *out, fl_observation *items, size_t count,
                      double half_life_days, int64_t now_ns);
/* The same without the interval, which takes most of the time: low and high are NaN. */
void fl_confidence_sums(fl_confidence *out, fl_observation *items, size_t count,
                        double half_life_days, int64_t now_ns);
/* The same, counted up one by one by who has the items in order already: those of one source and
 * author side by side, each with its weight as fl_source_weight_aged() gives it. */
typedef struct fl_confidence_tally {
    double a, b;                      /* of the authors that are done */
    double supporting, contradicting; /* of the author that is being counted */
    fl_evidence_source source;
    uint64_t author;
} fl_confidence_tally;

/* Before the first item. */
void fl_confidence_begin(fl_confidence_tally *tally);
/* One more item; `supports` says to which side. */
void fl_confidence_count(fl_confidence_tally *tally, const fl_observation *item, bool supports,
                         double weight);
/* What fl_confidence_sums() would say of all of them. */
void fl_confidence_end(fl_confidence *out, fl_confidence_tally *tally);
/* From the posterior's two parameters, both above 0: mean and interval. */
void fl_confidence_beta(fl_confidence *out, double a, double b);
/* The same in parts, for who ranks many and shows few: the mean alone, then each end of the
 * interval. */
void fl_confidence_mean(fl_confidence *out, double a, double b);
void fl_confidence_low(fl_confidence *out);
void fl_confidence_high(fl_confidence *out);
/*
 * A path holds where all of its edges do. With independent edges the moments of the product are the
 * products of the moments; a Beta distribution with the same mean and variance gives the interval.
 * `count` at least 1.
 */
void fl_confidence_path(fl_confidence *out, const fl_confidence *edges, size_t count);
/* Without its interval. */
void fl_confidence_path_mean(fl_confidence *out, const fl_confidence *edges, size_t count);

/* Regularized incomplete beta function I_x(a, b) by its continued fraction (DLMF 8.17.22), and its
 * inverse in x. a, b > 0; 0 <= x, p <= 1. */
double fl_beta_cdf(double x, double a, double b);
double fl_beta_quantile(double p, double a, double b);

#endif
