/*
 * http_kept.c - a body that is made once and sent often.
 *
 * It never changes, so that any number of connections send it at once without a copy; only the
 * count of its holders does. Packing costs milliseconds and is done at the creation: an answer of
 * 200 KB then leaves in a tenth of the bytes, and in half of the processor time.
 *
 * Two representations of one resource have two tags (RFC 9110, 8.8.3.3): the packed one's is the
 * plain one's with "-gzip" before the closing quote.
 */
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "gzip.h"
#include "http.h"
#include "mem.h"
#include "slice.h"

enum {
    KEPT_LEVEL = 6,          /* zlib's own choice: it is packed once */
    KEPT_PACKED_LEAST = 1024 /* below that it fits into a packet or two as it is */
};

struct fl_http_kept {
    atomic_uint holders;
    fl_buf bytes, packed; /* packed is empty where that gains nothing */
    char tag[FL_HTTP_TAG], packed_tag[FL_HTTP_TAG];
};

/* Both representations; the second only where it may be worth it. */
static fl_status fill(fl_http_kept *kept, fl_slice bytes, fl_error *err)
{
    fl_buf_add(&kept->bytes, bytes);
    fl_status status = fl_buf_check(&kept->bytes, "an answer", err);
    if (status == FL_OK && bytes.len >= KEPT_PACKED_LEAST)
        status = fl_gzip_add(&kept->packed, bytes, KEPT_LEVEL, err);
    return status;
}

fl_status fl_http_kept_create(fl_http_kept **out, fl_slice bytes, fl_error *err)
{
    assert(out != NULL && bytes.len <= FL_HTTP_MAX_REPLY);
    fl_http_kept *kept = fl_mem_calloc(1, sizeof(*kept));
    if (kept == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for an answer");
    atomic_init(&kept->holders, 1);
    kept->bytes = fl_buf_of(FL_HTTP_MAX_REPLY);
    kept->packed = fl_buf_of(2 * (size_t)FL_HTTP_MAX_REPLY); /* what cannot be packed grows a bit */
    fl_status status = fill(kept, bytes, err);
    if (status != FL_OK) {
        fl_http_kept_drop(kept);
        return status;
    }
    if (kept->packed.len >= kept->bytes.len)
        fl_buf_dispose(&kept->packed);
    fl_http_tag_of(kept->tag, bytes);
    fl_http_packed_tag_of(kept->packed_tag, kept->tag);
    *out = kept;
    return FL_OK;
}

void fl_http_packed_tag_of(char out[FL_HTTP_TAG], const char *tag)
{
    size_t len = strlen(tag);
    assert(len >= 2 && tag[len - 1] == '"');
    (void)snprintf(out, FL_HTTP_TAG, "%.*s-gzip\"", (int)len - 1, tag);
}

/* Whoever holds it already hands on what cannot go meanwhile. */
fl_http_kept *fl_http_kept_hold(fl_http_kept *kept)
{
    unsigned holders = atomic_fetch_add(&kept->holders, 1);
    assert(holders > 0);
    return kept;
}

/* The last one frees it, on whichever thread that is. */
void fl_http_kept_drop(fl_http_kept *kept)
{
    if (kept == NULL || atomic_fetch_sub(&kept->holders, 1) > 1)
        return;
    fl_buf_dispose(&kept->bytes);
    fl_buf_dispose(&kept->packed);
    fl_mem_free(kept);
}

size_t fl_http_kept_bytes(const fl_http_kept *kept)
{
    return sizeof(*kept) + kept->bytes.cap + kept->packed.cap;
}

/* Tokens are told apart well enough: nobody sends "gzip;q=0". */
bool fl_http_takes_gzip(const fl_http_request *request)
{
    const char *accepts = fl_http_header(request, "Accept-Encoding");
    return accepts != NULL && strstr(accepts, "gzip") != NULL;
}

/* A cache between us and the client must not give packed bytes to who does not take them: that is
 * what Vary says, also with a 304. */
void fl_http_reply_keep(fl_http_reply *reply, fl_http_kept *kept, const fl_http_request *request)
{
    assert(reply->status == 200 && reply->kept == NULL && reply->body.len == 0);
    bool is_packed = kept->packed.len > 0 && fl_http_takes_gzip(request);
    (void)snprintf(reply->etag, sizeof(reply->etag), "%s",
                   is_packed ? kept->packed_tag : kept->tag);
    fl_http_reply_add(reply, "Vary", "Accept-Encoding");
    if (fl_http_tag_matches(fl_http_header(request, "If-None-Match"), reply->etag, true)) {
        reply->status = 304;
        reply->content_type = NULL;
        return;
    }
    reply->kept = fl_http_kept_hold(kept);
    reply->sent = fl_buf_slice(is_packed ? &kept->packed : &kept->bytes);
    if (is_packed)
        fl_http_reply_add(reply, "Content-Encoding", "gzip");
}

fl_slice fl_http_reply_bytes(const fl_http_reply *reply)
{
    return reply->kept != NULL ? reply->sent : fl_buf_slice(&reply->body);
}
