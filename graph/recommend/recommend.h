/*
 * recommend.h - from a service that is about to be to what the graph advises for it.
 *
 *   component, setting <-requires- cause -resolved-by-> fix <-implements- plan
 *
 * A cause applies where every component and setting that it requires is there with a version or
 * value for which the edge's gate holds (gate.h); of several edges to one of them one is enough.
 * Edges for which there is no more evidence than against them are not used. What the fix says
 * (advice.h) is then advice, unless the service does it already.
 *
 * Sure is the product of the weakest requirement and the fix: requirements of one cause were stated
 * together, so that multiplying them would count one doubt many times. Every piece of advice says
 * by which paths it was reached, and how many incidents of the graph were diagnosed as one of these
 * causes: those it would have been for.
 *
 * Cost: questions by index and for many nodes at once: the edges of what the service has, the edges
 * of the causes that they lead to, the evidence for those edges that decide; names, history and
 * plans only of what applies. Independent of the size of the graph.
 */
#ifndef FL_RECOMMEND_H
#define FL_RECOMMEND_H

#include "advice.h"
#include "arena.h"
#include "graph_store.h"
#include "library.h"
#include "service.h"

typedef struct fl_recommend_gate { /* one requirement of a cause */
    bool is_component;             /* else a setting */
    const char *name;
    const char *gate;  /* as the graph has it; NULL: any version, or any value */
    const char *found; /* the service's version or value; NULL: none is said, or not there */
} fl_recommend_gate;

typedef struct fl_recommend_path {
    const char *key, *title; /* of the cause */
    const char *why;         /* why the fix helps; NULL: nobody said */
    const fl_recommend_gate *gates;
    size_t gate_count;
    const char *const *symptoms; /* titles, a few */
    size_t symptom_count;
    const char *const *references; /* of the evidence for the fix, a few: addresses, incidents */
    size_t reference_count;
    fl_confidence confidence;
    size_t supporting, contradicting; /* items for the fix */
    size_t incidents;                 /* diagnosed as this cause */
    bool curated, own;                /* evidence of the library; of anybody else */
} fl_recommend_path;

typedef struct fl_recommendation {
    uint64_t fix;
    const char *text; /* of the fix, whole */
    fl_advice_words words;
    /* What the service has in its place, and as what it names it; NULL: nothing. */
    const char *now, *now_name;
    const fl_recommend_path *paths; /* highest lower bound first */
    size_t path_count;
    fl_confidence confidence; /* of the first path */
    size_t evidence;          /* items for and against the fix, on all paths */
    size_t prevented;         /* incidents that were diagnosed as one of the causes */
    const char *const *plans;
    size_t plan_count;
} fl_recommendation;

typedef struct fl_recommend_unsure { /* could not be compared: everything else applies */
    const char *cause;
    fl_recommend_gate gate;
} fl_recommend_unsure;

typedef struct fl_recommended {
    const fl_recommendation *items; /* by kind of advice, highest lower bound first */
    size_t count;
    /* Causes that apply and have no fix that is believed, highest lower bound first: to be known
     * of. Their reason, references and items are those of the weakest requirement. */
    const fl_recommend_path *risks;
    size_t risk_count;
    const fl_recommend_unsure *unsure;
    size_t unsure_count;
    size_t causes; /* that apply */
    size_t met;    /* pieces of advice that the service follows already */
    bool cut;      /* a limit was met: there is more than was looked at */
} fl_recommended;

/* Bounds of one question; what is beyond is not looked at, and said. */
enum {
    FL_RECOMMEND_MAX_EDGES = 4096, /* of one node */
    FL_RECOMMEND_MAX_CAUSES = 16384,
    FL_RECOMMEND_MAX_ITEMS = 512,
    FL_RECOMMEND_MAX_PATHS = 16, /* to one piece of advice */
    FL_RECOMMEND_FEW = 5         /* symptoms, references */
};

typedef struct fl_recommend_question {
    const fl_service *service;
    const fl_library *names; /* for aliases; NULL: names as they are */
    int64_t now_ns;          /* what was recorded later is not known yet */
} fl_recommend_question;

/* Texts and lists of *out live in the arena or are the service's. FL_E_LIMIT or FL_E_NOMEM, and
 * what the store fails with. */
FL_NODISCARD fl_status fl_recommend(fl_recommended *out, fl_store *store,
                                    const fl_recommend_question *question, fl_arena *arena,
                                    fl_error *err);

#endif
