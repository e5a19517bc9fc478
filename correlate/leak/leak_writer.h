/*
 * leak_writer.h - what a report's texts are made with.
 */
#ifndef FL_LEAK_WRITER_H
#define FL_LEAK_WRITER_H

#include "leak_priv.h"

/* `failed` where the arena ran out. */
typedef struct leak_writer {
    const leak_case *c;
    fl_arena *arena;
    bool failed;
} leak_writer;

/* A text that the arena had no room for is NULL, and the mark ends the report in an error. */
const char *fl_leak_say(leak_writer *w, const char *text);
const char *fl_leak_copy_text(leak_writer *w, fl_slice text);
/* Bytes as a person reads them; never NULL. */
const char *fl_leak_bytes_text(leak_writer *w, double bytes);

typedef struct leak_evidence_list {
    fl_leak_evidence *rows;
    size_t count;
} leak_evidence_list;

/* Everything that a finding rests on, the strongest first; fails through `w`. */
void fl_leak_write_evidence(leak_writer *w, leak_evidence_list *list, const leak_judged *j);

#endif
