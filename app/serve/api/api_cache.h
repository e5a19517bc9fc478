/*
 * api_cache.h - answers that are made of one stored document, for as long as that is the newest.
 *
 * An answer is kept under what was asked for (the path) with the stamp of the document that it was
 * made of. Who asks reads the stamp first, one row of an index: another stamp is another document,
 * and the answer is made anew. So a reader never sees what a writer has replaced, whichever process
 * wrote it. What was used least lately goes first.
 */
#ifndef FL_API_CACHE_H
#define FL_API_CACHE_H

#include "http.h"

enum {
    API_CACHE_ANSWERS = 64,         /* a dozen incidents with their parts: what a team looks at */
    API_CACHE_BYTES = 32 << 20,     /* in all */
    API_CACHE_MOST_BYTES = 8 << 20, /* of one, so that a giant does not push out the others */
};

typedef struct fl_api_cache fl_api_cache; /* any thread */

FL_NODISCARD fl_status fl_api_cache_create(fl_api_cache **out, fl_error *err);
void fl_api_cache_destroy(fl_api_cache *cache); /* NULL is a no-op */
/* The answer of that stamp, held for the caller; NULL: it is not here. */
fl_http_kept *fl_api_cache_find(fl_api_cache *cache, const char *key, int64_t stamp);
/* Keep it in place of an older one of the key; the cache holds it too, or does without. */
void fl_api_cache_put(fl_api_cache *cache, const char *key, int64_t stamp, fl_http_kept *kept);

#endif
