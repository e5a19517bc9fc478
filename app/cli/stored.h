/*
 * stored.h - an incident out of the store, for the commands that are about one.
 */
#ifndef FL_STORED_H
#define FL_STORED_H

#include "arena.h"
#include "location.h"
#include "symptoms.h"

typedef struct fl_stored {
    fl_store *store;
    fl_arena arena;
    const fl_incident *incident; /* NULL where none was asked for */
} fl_stored;

/* Open the store that the options name; FL_E_NOTFOUND where there is none yet. */
FL_NODISCARD fl_status fl_stored_open_store(fl_store **out, const fl_args *args, fl_error *err);
/* Open the store that the options name, which must be there, and read the incident (`id` NULL:
 * none). The caller disposes of *out, also after a failure. */
FL_NODISCARD fl_status fl_stored_open(fl_stored *out, const fl_args *args, const char *id,
                                      fl_error *err);
/* How symptoms are asked for. */
typedef struct fl_stored_asked {
    const char *wants; /* the sentence where neither is given, up to ", or --symptom ..." */
    int64_t now_ns;
} fl_stored_asked;

/* The symptoms of the incident, or those that --symptom names, as they stand. FL_E_SYNTAX where
 * there is neither. */
FL_NODISCARD fl_status fl_stored_symptoms(fl_symptoms *out, fl_stored *stored, const fl_args *args,
                                          const fl_stored_asked *asked, fl_error *err);
/* The incident of this id, or of the only one that begins so, into out->incident and its arena. */
FL_NODISCARD fl_status fl_stored_read(fl_stored *out, const char *id, fl_error *err);
void fl_stored_dispose(fl_stored *stored);

#endif
