/*
 * remember.h - the end of a triage: what the graph knows of such symptoms.
 */
#ifndef FL_REMEMBER_H
#define FL_REMEMBER_H

#include "cli.h"
#include "store.h"

/* Append what is known of the incident's symptoms, nothing where no incident showed them before,
 * and note in the graph that they were seen. No cause is noted: what this program thinks is no
 * evidence until somebody confirms it. */
FL_NODISCARD fl_status fl_remember(fl_buf *out, const fl_cli *cli, const fl_incident *incident,
                                   fl_store *store, fl_error *err);

#endif
