/*
 * pprof.h - profiles out of files: profile.proto, Go's debug=1 texts and goroutines one by one
 * (debug=2); plain, gzip or zstd.
 *
 * What a file holds is told by its content, never by its name. The byte tables, the rules and what
 * is ignored: docs/formats/pprof.md.
 *
 * A profile is read whole or not at all: one that breaks in the middle has lost its tables, which
 * stand at the end, and a sum over half of the samples is a wrong number.
 */
#ifndef FL_PPROF_H
#define FL_PPROF_H

#include "faultline/profile.h"
#include "stream.h"

typedef struct fl_pprof_options {
    bool normalise_names; /* "[go.shape.int]" becomes "[...]" */
    bool in_logs; /* goroutines may begin anywhere in a text, as in a log; else where it begins */
    /* Leave out samples of a protobuf profile whose value of one type is 0, which in a heap are
     * most: for readers that count that type alone. They are checked all the same. */
    bool skip_zero;
    const char *skip_type; /* its name; NULL: the default type. Where there is none, all stay */
} fl_pprof_options;

/* Replace the content of `profile` by that of the file, "-" for standard input; `options` may be
 * NULL. On failure the
 * profile is empty. FL_E_UNSUPPORTED: not a profile at all, and what it is instead ("this is a web
 * page (text/html), not a profile"). Others as of the stream, and FL_E_SYNTAX, FL_E_TRUNCATED with
 * the offset in the decompressed bytes; FL_E_LIMIT; FL_E_NOMEM. */
FL_NODISCARD fl_status fl_profile_read_file(fl_profile *profile, const char *path,
                                            const fl_pprof_options *options, fl_error *err);
/* The same over bytes in memory, compressed or not; they are not needed any more afterwards.
 * `name` is for messages. */
FL_NODISCARD fl_status fl_profile_read_bytes(fl_profile *profile, fl_slice bytes, const char *name,
                                             const fl_pprof_options *options, fl_error *err);
/* The same over a stream that the caller keeps. */
FL_NODISCARD fl_status fl_profile_read(fl_profile *profile, fl_stream *in, const char *name,
                                       const fl_pprof_options *options, fl_error *err);

#endif
