/*
 * fl_kept.h - a way through a heap as evidence, with a name that wants to be markup.
 */
#ifndef FL_KEPT_TEST_H
#define FL_KEPT_TEST_H

#include "faultline/incident.h"

#define FL_TEST_HOSTILE "shop.<script>`auto:F1`\033[31m\xE2\x80\xAE|*x*"

static const fl_kept_step fl_test_path[] = {
    {.kind = FL_KEPT_HEAP,
     .objects = 80211,
     .retained_bytes = 17300000,
     .has_before = true,
     .before_bytes = 4100000},
    {.kind = FL_KEPT_CLASS,
     .type = "shop.Cache",
     .left_out = 2,
     .objects = 1,
     .retained_bytes = 13100000,
     .has_before = true,
     .before_bytes = 88},
    {.kind = FL_KEPT_OBJECTS,
     .type = "java.util.HashMap",
     .field = "ENTRIES",
     .objects = 1,
     .retained_bytes = 13099000,
     .has_before = true},
    {.kind = FL_KEPT_OBJECTS,
     .type = FL_TEST_HOSTILE,
     .objects = 60000,
     .retained_bytes = UINT64_C(99000000),
     .has_before = true,
     .before_bytes = 7},
};
static const fl_evidence fl_test_kept_evidence[] = {{.modality = FL_MODALITY_PROFILES,
                                                     .text = "leak in shop.Cache.ENTRIES",
                                                     .at_ns = INT64_C(1700000000000000000),
                                                     .value = 5,
                                                     .baseline = 1,
                                                     .unit = "By/h",
                                                     .query = "faultline leak a b",
                                                     .weight_nats = 2,
                                                     .finding = "java-static-map-grows",
                                                     .path = fl_test_path,
                                                     .path_count = 4}};
static const fl_hypothesis fl_test_kept_hypotheses[] = {{.rank = 1,
                                                         .service = "orders",
                                                         .cause = FL_CAUSE_MEMORY_LEAK,
                                                         .resource = FL_RESOURCE_MEMORY,
                                                         .locus = FL_LOCUS_FRAME,
                                                         .locus_name = "shop.Cache.ENTRIES",
                                                         .score = 9,
                                                         .probability = 0.99,
                                                         .evidence = fl_test_kept_evidence,
                                                         .evidence_count = 1}};
static const fl_incident fl_test_kept_incident = {.id = "kept",
                                                  .at_ns = INT64_C(1700000000000000000),
                                                  .verdict = FL_VERDICT_CAUSE_FOUND,
                                                  .hypotheses = fl_test_kept_hypotheses,
                                                  .hypothesis_count = 1};

#endif
