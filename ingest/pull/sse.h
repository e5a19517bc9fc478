/*
 * sse.h - server-sent events out of the parts of an answer, however it is cut into parts.
 *
 * The grammar is that of the HTML standard (9.2.6): lines that end in LF, CR or CRLF; "field:
 * value" with one space taken off; a line that begins with ':' says nothing; an empty line ends an
 * event. Of the fields, event and data are kept. An event without data is none.
 */
#ifndef FL_SSE_H
#define FL_SSE_H

#include <stdbool.h>

#include "buf.h"

enum { FL_SSE_NAME_BYTES = 64 };
#define FL_SSE_EVENT_BYTES (64u << 10) /* of a line, and of an event's data */

typedef struct fl_sse_event { /* borrowed during the call */
    const char *name;         /* "message" where it has none; a longer one is cut */
    const char *data;
    bool is_cut; /* its data was longer than FL_SSE_EVENT_BYTES, or there was no memory for it */
} fl_sse_event;

typedef void fl_sse_take(void *payload, const fl_sse_event *event);

typedef struct fl_sse {
    fl_sse_take *take;
    void *payload;
    fl_buf line, data;
    char name[FL_SSE_NAME_BYTES];
    bool has_data, is_after_cr, is_begun;
} fl_sse;

/* At the beginning of a stream. */
void fl_sse_init(fl_sse *sse, fl_sse_take *take, void *payload);
/* An event that was not ended is dropped, as the standard says. */
void fl_sse_dispose(fl_sse *sse);
/* Another part; calls `take` for each event that it ends. */
void fl_sse_feed(fl_sse *sse, fl_slice bytes);

#endif
