/*
 * hprof.h - heap dumps of Java programs (HPROF 1.0.1, 1.0.2; Android's 1.0.3) to items.
 *
 * docs/formats/hprof.md has the byte table. A dump is mapped, not read: it costs no memory of its
 * own, and a file that another program cuts meanwhile ends this one (SIGBUS). A dump that is cut or
 * damaged gives what stands before that, and fl_hprof_damage() then says where it ends.
 */
#ifndef FL_HPROF_H
#define FL_HPROF_H

#include "faultline/heapdump.h"

/* What is told of a dump as a whole. */
typedef struct fl_hprof_facts {
    const char *version; /* "1.0.2" */
    unsigned id_bytes;   /* 4 or 8 */
    int64_t time_ns;     /* when it was written */
    uint64_t bytes;      /* unpacked */
} fl_hprof_facts;

typedef struct fl_hprof fl_hprof;

/* Whether bytes begin as a dump does. */
bool fl_hprof_is(fl_slice bytes);

/* A file: plain, or packed by gzip or zstd, which is unpacked into a file without a name in
 * `folder`, of at most FL_MAX_HPROF_BYTES and of the room there, that goes when it is closed.
 * FL_E_SYNTAX where it is no dump,
 * FL_E_UNSUPPORTED for a version that is not known, FL_E_NOTFOUND, FL_E_IO, FL_E_LIMIT, FL_E_NOMEM.
 * The caller owns *out. */
FL_NODISCARD fl_status fl_hprof_open(fl_hprof **out, const char *path, const char *folder,
                                     fl_error *err);
/* The same over bytes that are borrowed until the close. */
FL_NODISCARD fl_status fl_hprof_over(fl_hprof **out, fl_slice bytes, fl_error *err);
void fl_hprof_close(fl_hprof *dump); /* NULL is a no-op */

fl_hprof_facts fl_hprof_facts_of(const fl_hprof *dump);
/* Its items, from the first; valid until the close. Slices point into the dump. */
fl_heap_source fl_hprof_source(fl_hprof *dump);
/* For whoever reads the dump in parts and once: the memory of a part goes when it was read, and the
 * thread that read it pays for that. Reading it again costs no more than the first time. */
void fl_hprof_let_go(fl_hprof *dump);
/* Why the last reading ended before the dump did: one sentence and its offset. NULL: it did not. */
const fl_error *fl_hprof_damage(const fl_hprof *dump);
/* What an earlier reading of the same dump ended with; FL_OK: nothing. For whoever does not read it
 * again. */
void fl_hprof_recall_damage(fl_hprof *dump, const fl_error *damage);
/* The whole dump, unpacked; borrowed until the close. */
fl_slice fl_hprof_bytes(const fl_hprof *dump);

#endif
