/*
 * postmortem.h - a draft of a postmortem: what the telemetry and the graph know of an incident, as
 * rows that people correct and add to.
 *
 * Every row of the draft comes from the incident, its picture or the graph, says from where, and
 * carries a mark ("auto:F1") that stays when it is edited; sections that only people can write are
 * empty and say so. The wording names services and changes, never persons. docs/postmortem.md has
 * the sections, the fields of templates and what is read back.
 */
#ifndef FL_POSTMORTEM_H
#define FL_POSTMORTEM_H

#include "buf.h"
#include "faultline/picture.h"
#include "memory.h"
#include "store.h"

/* A draft larger than this is not one of ours; a template neither. */
#define FL_MAX_POSTMORTEM_BYTES (4u << 20)

typedef enum fl_postmortem_format {
    FL_POSTMORTEM_MARKDOWN,
    FL_POSTMORTEM_HTML, /* one file: pictures as SVG, no script, nothing fetched; well-formed XML */
    FL_POSTMORTEM_JSON  /* schemas/json/postmortem.schema.json */
} fl_postmortem_format;

typedef struct fl_postmortem_input {
    const fl_incident *incident;
    const char *document;      /* its JSON, whose "live" tells when a daemon opened and closed it;
                                  NULL: nobody did */
    const fl_picture *picture; /* NULL: none is kept, and the impact is not known */
    const fl_memory *memory;   /* NULL: the graph was not asked */
    int64_t said_ns; /* when somebody first confirmed a cause of it or said what fixed it; 0: nobody
                        has */
} fl_postmortem_input;

typedef struct fl_postmortem_options {
    fl_postmortem_format format;
    fl_slice template;         /* in that format, with fields in it; none: the built-in one */
    const char *template_name; /* for messages */
} fl_postmortem_options;

/* Append the draft. FL_E_SYNTAX: the template has a field that is not known (the sentence lists
 * those that are) or is for JSON. The same input gives the same bytes. */
FL_NODISCARD fl_status fl_postmortem_write(fl_buf *out, const fl_postmortem_input *input,
                                           const fl_postmortem_options *options, fl_error *err);

/* The same of a document of the store: its picture and what the graph knows are asked for here. */
FL_NODISCARD fl_status fl_postmortem_of(fl_buf *out, fl_store *store, const char *document,
                                        const fl_postmortem_options *options, int64_t now_ns,
                                        fl_error *err);

#endif
