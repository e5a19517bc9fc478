/*
 * learn_priv.h - what the steps share: claims out of sentences, and the account they belong to.
 */
#ifndef FL_LEARN_PRIV_H
#define FL_LEARN_PRIV_H

#include "learn.h"
#include "map.h"
#include "mention.h"

/* Of one account. Those that come first tell most; a text that lists more is a catalogue. */
enum {
    MAX_SYMPTOMS = 2,
    MAX_LOGS = 2,
    MAX_FIXES = 8,
    MAX_EXCLUDED = 6,
    MAX_CHANGES = 3,
    MAX_REQUIRED = 8,
    MAX_SUSPECTS = 4
};

/* Where a claim was read. */
typedef struct place {
    fl_slice sentence;
    uint64_t offset;
    const char *rule;
    bool is_hedged;
} place;

/* A phrase that names a node, and where it comes from. An empty text: none. */
typedef struct claim {
    fl_slice text;
    place at;
    fl_slice exception, message; /* a log line's, as triage tells them; empty: none */
} claim;

typedef struct requirement {
    fl_mention mention;
    place at;
} requirement;

/* What the text has told of one incident so far. */
typedef struct account {
    claim title;
    claim symptoms[MAX_SYMPTOMS], logs[MAX_LOGS];
    claim root;   /* the cause that the text calls so */
    claim said;   /* the first cause that a sentence gives */
    claim answer; /* of the last "why" */
    claim effect; /* the first effect that a sentence gives */
    claim fixes[MAX_FIXES], changes[MAX_CHANGES], excluded[MAX_EXCLUDED];
    claim suspect; /* of the last "we suspected" */
    requirement required[MAX_REQUIRED];
    bool is_catalogue; /* only what the text calls the cause is the account's */
    size_t symptom_count, log_count, fix_count, change_count, excluded_count, required_count;
} account;

/* One document being read. */
typedef struct learning {
    fl_proposals *out;
    const fl_learn_rules *rules;
    const fl_document *document;
    fl_arena scratch; /* texts of its sentences */
    account account;
    fl_section section;
    const fl_block *block;
    claim topic;  /* the last effect: what a list of causes is about */
    fl_slice why; /* an open question */
    fl_slice service;
    struct {
        fl_slice name, version;
        fl_ecosystem versions;
        const fl_block *block;
    } component; /* that a version without a name is taken for */
    size_t seen_blocks;
    bool in_title;          /* an effect in it is the account's symptom */
    bool in_list;           /* sentences are causes until one does not end with ';' */
    bool is_catalogue;      /* headings are topics: each begins an account */
    fl_section columns[16]; /* of the table that is being read */
    size_t column_count;
    bool in_table;
    claim plan_trigger, plan_name; /* of a plan's definition */
    char plan_step[160], plan_key[160];
    int64_t now_ns, at_ns;
    uint64_t identity; /* of the document */
    fl_status status;
    fl_error *err;
} learning;

/* ---- learn_account.c ---- */

/* Keep a claim in one of an account's lists, unless it is full or has it. */
void fl_account_keep(claim *list, size_t *count, size_t most, const claim *item);
/* The edges that follow from all of it together; empties it. */
void fl_account_close(learning *l);

/* ---- learn_sentence.c ---- */

/* What one sentence of prose says. */
void fl_learn_sentence(learning *l, const fl_sentence *sentence);
/* A claim about a part of the sentence; empty where the part names nothing. */
claim fl_learn_claim(learning *l, const fl_sentence *sentence, size_t start, size_t end,
                     const char *rule);
/* Where a sentence stands. */
place fl_learn_place(const learning *l, const fl_sentence *sentence, const char *rule);

/* ---- learn_structure.c ---- */

void fl_learn_row(learning *l, const fl_block *block);
void fl_learn_plan(learning *l);
/* Lines of a plan's definition in YAML; true: it was one. */
bool fl_learn_plan_line(learning *l, fl_slice line);
void fl_learn_log_line(learning *l, const fl_block *block);

/* ---- proposals.c ---- */

typedef struct edge_claim {
    fl_edge_kind kind;
    fl_slice from, to;
    fl_node_kind from_kind, to_kind;
    const char *qualifier;
    const fl_graph_node *from_node; /* instead of `from`; NULL: none */
    bool contradicts;
    place at;
} edge_claim;

/* Errors are kept in l->status. */
void fl_propose(learning *l, const edge_claim *edge);
/* symptom -explained-by-> cause, and the like: where both have a text. */
void fl_propose_pair(learning *l, fl_edge_kind kind, const claim *from, const claim *to,
                     bool contradicts);

#endif
