/*
 * ask.h - questions to a running daemon, for the commands that show how it is.
 */
#ifndef FL_ASK_H
#define FL_ASK_H

#include <jansson.h>

#include "args.h"

/* --url and --token-file, the same in every command that asks. */
#define FL_ASK_OPTIONS                                                                             \
    {.name = "url",                                                                                \
     .kind = FL_OPTION_TEXT,                                                                       \
     .argument = "URL",                                                                            \
     .fallback = "http://127.0.0.1:4318",                                                          \
     .help = "Where the daemon is"},                                                               \
    {                                                                                              \
        .name = "token-file", .kind = FL_OPTION_FILE, .argument = "FILE",                          \
        .help = "A file with the token to ask with, where the daemon wants one"                    \
    }

typedef struct fl_ask fl_ask;

FL_NODISCARD fl_status fl_ask_create(fl_ask **out, const fl_args *args, fl_error *err);
void fl_ask_destroy(fl_ask *ask); /* NULL is a no-op */
/* The answer to GET `path`, a JSON object that the caller releases. One sentence where there is
 * none: nobody listens, the token is not enough, it is no daemon of ours. */
FL_NODISCARD fl_status fl_ask_get(json_t **out, fl_ask *ask, const char *path, fl_error *err);

#endif
