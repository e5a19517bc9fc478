/*
 * memory.h - what is learnt from an incident, and what is remembered of those before it.
 *
 * Learning adds evidence to two kinds of edges: each symptom of the incident -explained-by-> the
 * cause, and the cause -resolved-by-> the fix. It carries the incident as its reference, so that
 * saying a thing of the same incident twice is saying it once.
 */
#ifndef FL_MEMORY_H
#define FL_MEMORY_H

#include "symptoms.h"

/* Who learns what, and when. */
typedef struct fl_lesson {
    const fl_incident *incident;
    const fl_graph_node *cause;    /* NULL: only that the symptoms were seen */
    const fl_graph_node *fix;      /* NULL: none */
    bool supports;                 /* false: it was not this cause */
    fl_evidence_source source;     /* of the cause */
    fl_evidence_source fix_source; /* of the fix */
    const char *author, *note;     /* note may be NULL */
    int64_t now_ns;
} fl_lesson;

/* How sure the graph was and is of one edge. */
typedef struct fl_moved {
    const char *from, *to; /* titles */
    fl_edge_kind kind;
    fl_confidence before, after;
    size_t items_before, items_after;
} fl_moved;

typedef struct fl_learnt {
    const fl_moved *moved; /* symptoms in their order, then the fix; in the arena */
    size_t count;
    fl_graph_added added;
} fl_learnt;

/* Texts of `out` live in the arena. A cause that was rejected gets no fix. */
FL_NODISCARD fl_status fl_memory_learn(fl_learnt *out, fl_store *store, const fl_lesson *lesson,
                                       fl_arena *arena, fl_error *err);

typedef struct fl_path_fix {
    uint64_t id;
    const char *title;
    fl_confidence confidence; /* of the path: symptoms -> cause -> fix */
    size_t count;             /* incidents after which it is said to have helped */
    int64_t last_ns;
} fl_path_fix;

typedef struct fl_path {
    uint64_t cause;
    const char *title;
    fl_confidence confidence;         /* that this explains what is seen */
    size_t shared;                    /* of the symptoms asked for, how many point to it */
    size_t supporting, contradicting; /* incidents and documents */
    int64_t last_ns;                  /* the newest evidence */
    const fl_path_fix *fixes;         /* highest lower bound first */
    size_t fix_count;
} fl_path;

typedef struct fl_similar {
    const char *incident; /* id */
    double overlap;       /* 0..1: weight of what both show over the weight of what either shows */
    size_t shared, theirs, ours; /* symptoms */
} fl_similar;

typedef struct fl_memory {
    const fl_path *paths; /* highest lower bound first */
    size_t path_count;
    const fl_similar *similar; /* most overlap first; this incident is not among them */
    size_t similar_count;
    size_t seen; /* incidents before this one that show any of the symptoms */
    bool cut;    /* a limit was met: there is more than was looked at */
} fl_memory;

/* Bounds of one question; what is beyond is not looked at, and said. */
enum {
    FL_MEMORY_MAX_EDGES = 1000,    /* of one node */
    FL_MEMORY_MAX_EVIDENCE = 10000 /* of one edge */
};

/*
 * What the graph knows of these symptoms. A cause's posterior is the average of those of its edges
 * from the symptoms asked for. A symptom weighs its evidence in nats times how rare it is,
 * ln((N + 2) / (n + 1)) with N incidents that show any of them and n that show this one; a symptom
 * that does not point to the cause counts with the prior. So a cause that explains all that is seen
 * outranks one that explains a part of it, and evidence for several symptoms of one incident counts
 * as one incident.
 */
typedef struct fl_memory_question {
    const fl_symptoms *symptoms;
    uint64_t self;  /* the node of the incident that asks: not similar to itself; 0: none */
    int64_t now_ns; /* what was recorded later is not known yet */
} fl_memory_question;

FL_NODISCARD fl_status fl_memory_recall(fl_memory *out, fl_store *store,
                                        const fl_memory_question *question, fl_arena *arena,
                                        fl_error *err);

#endif
