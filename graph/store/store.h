/*
 * store.h - where incidents are kept: one interface, several databases.
 *
 * A store is opened by URL: "sqlite:PATH" or a plain path (an embedded file, made where it is
 * missing). Each incident is kept as its JSON document beside the columns that lists need.
 */
#ifndef FL_STORE_H
#define FL_STORE_H

#include <stdbool.h>

#include "faultline/incident.h"

typedef struct fl_store fl_store;

typedef struct fl_store_row { /* borrowed during the visit */
    const char *id;
    int64_t at_ns;
    int64_t stored_ns;
    const char *verdict;
    const char *service; /* of the first hypothesis; NULL where there is none */
    const char *cause;
    double probability;
    const char *state; /* "open", "closed", "merged"; NULL: nobody keeps it open */
} fl_store_row;

typedef enum fl_store_mode {
    FL_STORE_CREATE,  /* make it where it is missing */
    FL_STORE_EXISTING /* FL_E_NOTFOUND where it is missing */
} fl_store_mode;

/* Open, migrate, check. An unknown scheme is an error that lists the known ones; a file that is
 * not a Faultline store or is of a newer version is refused and left alone. */
FL_NODISCARD fl_status fl_store_open(fl_store **out, const char *url, fl_store_mode mode,
                                     fl_error *err);
void fl_store_close(fl_store *store); /* NULL is a no-op */
/* Whether what was opened is still what the URL names, as far as that can be told without asking:
 * the file may have been replaced, the connection been lost. */
bool fl_store_is_there(fl_store *store);

/* What an opening would do to a store. */
typedef struct fl_store_plan {
    int64_t version;            /* of the store; 0: there is none yet */
    int64_t newest;             /* that this program knows */
    const fl_slice *const *sql; /* of version n at n - 1 */
} fl_store_plan;
/* Look at a store without changing it. FL_E_UNSUPPORTED where it is newer than the program. */
FL_NODISCARD fl_status fl_store_plan_of(fl_store_plan *out, const char *url, fl_error *err);

/* What the database itself finds wrong: the file, its indexes, references that lead nowhere. */
typedef fl_status fl_store_fault(const char *sentence, void *payload, fl_error *err);
FL_NODISCARD fl_status fl_store_check(fl_store *store, fl_store_fault *visit, void *payload,
                                      fl_error *err);

/* Between the two, reads see the store as it is at the first of them, whatever others write: so
 * that what refers to each other fits together. Nothing is written in between. */
FL_NODISCARD fl_status fl_store_hold(fl_store *store, fl_error *err);
void fl_store_release(fl_store *store);

/* Keep an incident: `document` is its triage JSON. The same id replaces the older copy, and is
 * stored after it, whatever the clock says. */
FL_NODISCARD fl_status fl_store_put(fl_store *store, const fl_incident *incident, fl_slice document,
                                    int64_t now_ns, fl_error *err);
typedef fl_status fl_store_visit(const fl_store_row *row, void *payload, fl_error *err);

/* Zeroed, it asks for all. */
typedef struct fl_store_question {
    size_t limit;        /* 0: all */
    const char *service; /* NULL: any */
    const char *state;   /* "open", "closed", "merged"; NULL: any, also none */
    int64_t since_ns;    /* stored then or later */
    /* Only what stands behind this row in the order of the list; NULL: from its beginning. */
    const char *behind_id;
    int64_t behind_ns; /* its stored_ns */
} fl_store_question;
/* The last stored first; equal times in the order of ids. */
FL_NODISCARD fl_status fl_store_find(fl_store *store, const fl_store_question *question,
                                     fl_store_visit *visit, void *payload, fl_error *err);
/* The same of all, at most `limit` (0: all). */
FL_NODISCARD fl_status fl_store_list(fl_store *store, size_t limit, fl_store_visit *visit,
                                     void *payload, fl_error *err);
/* The document under an id or a unique prefix of it. FL_E_NOTFOUND, also where several match (the
 * message lists them). The caller frees *document with fl_mem_free. */
FL_NODISCARD fl_status fl_store_get(fl_store *store, const char *id_prefix, char **document,
                                    fl_error *err);
/* When the incident of that whole id was stored: later with each document that is another, so that
 * the time names the document. FL_E_NOTFOUND where there is none. */
FL_NODISCARD fl_status fl_store_stamp(int64_t *stored_ns, fl_store *store, const char *id,
                                      fl_error *err);

/* Keep the picture of an incident (faultline.timeline/1) beside its document, compressed; the id is
 * whole, and a newer picture replaces the older. The document may come later. */
FL_NODISCARD fl_status fl_store_put_picture(fl_store *store, const char *id, fl_slice picture,
                                            fl_error *err);
/* The picture as it was put. `id` is whole, as the document has it. FL_E_NOTFOUND where there is
 * none: incidents of before there were pictures have none. The caller frees *picture with
 * fl_mem_free. */
FL_NODISCARD fl_status fl_store_get_picture(fl_store *store, const char *id, char **picture,
                                            fl_error *err);

#endif
