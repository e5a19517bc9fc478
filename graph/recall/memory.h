/*
 * memory.h - what is learnt from an incident, and what is remembered of those before it.
 *
 * Learning adds evidence to two kinds of edges: each symptom of the incident -explained-by-> the
 * cause, and the cause -resolved-by-> the fix. It carries the incident as its reference, so that
 * saying a thing of the same incident twice is saying it once.
 */
#ifndef FL_MEMORY_H
#define FL_MEMORY_H

#include "symptom_belief.h"
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
    /* Ids of the symptoms that the cause is said to explain; NULL: all of the incident. */
    const uint64_t *explains;
    size_t explains_count;
    bool fix_failed; /* the symptom was still there after it: nothing is said of the cause */
    bool is_note;    /* nobody asks what moved: it is not looked up */
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
    double weight, aged; /* of the evidence, in observations: fresh, and as old as it is now */
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
    fl_confidence confidence; /* that this explains what is seen */
    size_t shared;            /* of the symptoms asked for, how many point to it */
    /* Incidents and documents: for it, against it, and for another cause of the same symptom. */
    size_t supporting, contradicting, elsewhere;
    size_t automatic;         /* of the supporting: nobody but the program says so */
    int64_t last_ns;          /* the newest evidence */
    const fl_path_fix *fixes; /* highest lower bound first */
    size_t fix_count;
    size_t known_fixes; /* fixes are the best of these */
} fl_path;

/* How many incidents and documents a path's confidence rests on. */
size_t fl_path_items(const fl_path *path);

/* What is known of one candidate before this incident is looked at, out of what people, fixes and
 * documents said of other incidents. Counts as in symptom_belief.h. */
typedef struct fl_cause_prior {
    double log_odds;          /* beyond those of the base rate; not bounded; 0: nothing is known */
    fl_confidence confidence; /* that it, and no other candidate, explains what is seen */
    size_t incidents, supported, rivals;
    int64_t last_ns;
} fl_cause_prior;

/* The causes that an incident may have: those of its hypotheses that telemetry calls real.
 * Something that none of them names is as likely as each of them, where nothing is remembered. */
typedef struct fl_candidates {
    const uint64_t *causes;   /* node ids; in the arena */
    const size_t *hypotheses; /* places among those of the incident */
    size_t count;
} fl_candidates;

/* An incident of the past beside the one that asks. Texts are titles. */
typedef struct fl_similar {
    const char *incident; /* id */
    double overlap;       /* 0..1: weight of what both show over the weight of what either shows */
    size_t shared, theirs, ours; /* symptoms */
    const char *const *both;     /* `shared` of them */
    const char *const *here;     /* ours - shared: it does not show these */
    const char *const *there;    /* it shows these, and we do not; at most FL_MAX_SYMPTOMS */
    const char *const *causes;   /* what it was diagnosed as */
    const char *const *fixes;    /* what helped then */
    size_t there_count, cause_count, fix_count;
} fl_similar;

typedef struct fl_memory {
    const fl_path *paths; /* highest lower bound first */
    size_t path_count;
    const fl_similar *similar; /* most overlap first; this incident is not among them */
    size_t similar_count;
    fl_candidates candidates;     /* those that were asked for */
    const fl_cause_prior *priors; /* of each of them; NULL: nothing is known */
    size_t seen;                  /* incidents before this one that show any of the symptoms */
    size_t causes;                /* that are known for them; paths are the best of these */
    bool cut;                     /* a limit was met: there is more than was looked at */
} fl_memory;

/*
 * What the graph knows of these symptoms. A cause's posterior is the average of those of its edges
 * from the symptoms asked for. A symptom weighs its evidence in nats times how rare it is,
 * ln((N + 2) / (n + 1)) with N incidents that show any of them and n that show this one; for a
 * symptom that does not point to the cause, what explained it instead counts against the cause.
 * So a cause that explains all that is seen outranks one that explains a part of it, and evidence
 * for several symptoms of one incident counts as one incident.
 *
 * Of the causes and of the incidents only those that are asked for are read any further.
 */
typedef struct fl_memory_question {
    const fl_symptoms *symptoms;
    const char *self;                            /* the id of the incident that asks; NULL: none */
    bool others_only;                            /* what was said of that one is not told */
    int64_t now_ns;                              /* what was recorded later is not known yet */
    int64_t at_ns;                               /* to which ages are counted; 0: now_ns */
    size_t most_paths, most_fixes, most_similar; /* that are told, best first; 0: all */
    int64_t time_ns; /* what is not read by then is left out, and said by `cut`; 0: no limit */
    fl_candidates candidates; /* for the priors; may be none */
} fl_memory_question;

FL_NODISCARD fl_status fl_memory_recall(fl_memory *out, fl_store *store,
                                        const fl_memory_question *question, fl_arena *arena,
                                        fl_error *err);

FL_NODISCARD fl_status fl_memory_candidates(fl_candidates *out, const fl_incident *incident,
                                            fl_arena *arena, fl_error *err);
/* What was recalled of its candidates as priors of the incident's hypotheses, in the arena. */
FL_NODISCARD fl_status fl_memory_priors(const fl_prior **out, size_t *count,
                                        const fl_incident *incident, const fl_memory *memory,
                                        fl_arena *arena, fl_error *err);

#endif
