/*
 * http_body.c - bodies: gathered under the budget, then opened where they are compressed.
 *
 * What is charged is what is allocated, as it grows: a length that is announced and not sent holds
 * nothing. Decompression is charged ahead by a guess, and again up to the route's limit where the
 * guess was too low.
 */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "http_priv.h"
#include "mem.h"
#include "slice.h"
#include "stream.h"

enum {
    FIRST_BYTES = 4096,    /* of a body whose length is not known */
    STEP_BYTES = 64 << 10, /* what an announced length is believed at once */
    GUESS_BYTES = 256 << 10,
    GUESS_RATIO = 16 /* telemetry's usual; it reaches 60 */
};

static const char retry_detail[] = "all memory for requests is in use: send it again later";

fl_http_encoding fl_http_encoding_of(const char *name)
{
    static const struct encoding_name {
        const char *name;
        fl_http_encoding encoding;
    } names[] = {{"", FL_HTTP_PLAIN},    {"identity", FL_HTTP_PLAIN}, {"snappy", FL_HTTP_PLAIN},
                 {"gzip", FL_HTTP_GZIP}, {"x-gzip", FL_HTTP_GZIP},    {"zstd", FL_HTTP_ZSTD}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcasecmp(names[i].name, name) == 0)
            return names[i].encoding;
    return FL_HTTP_UNKNOWN;
}

/* Doubling, so that copying costs at most as much as reading; never more than what is announced. */
static size_t wanted_cap(const fl_http_conn *conn, size_t needed)
{
    size_t most = conn->announced != UINT64_MAX ? (size_t)conn->announced : SIZE_MAX / 2;
    size_t cap = conn->body_cap > 0              ? conn->body_cap * 2
                 : conn->announced != UINT64_MAX ? STEP_BYTES
                                                 : FIRST_BYTES;
    while (cap < needed)
        cap *= 2;
    return cap < most ? cap : most;
}

bool fl_http_body_add(fl_http_conn *conn, const char *bytes, size_t len)
{
    size_t had = (size_t)conn->came, needed = had + len;
    assert(conn->announced == UINT64_MAX || needed <= conn->announced);
    if (needed > conn->body_cap) {
        size_t cap = wanted_cap(conn, needed);
        assert(cap >= needed);
        if (!fl_budget_take(&conn->http->budget, cap - conn->body_cap))
            return false;
        conn->charged += cap - conn->body_cap;
        unsigned char *grown = fl_mem_realloc(conn->body, cap, 1);
        if (grown == NULL)
            return false;
        conn->body = grown;
        conn->body_cap = cap;
    }
    memcpy(conn->body + had, bytes, len);
    return true;
}

void fl_http_body_drop(fl_http_conn *conn)
{
    fl_mem_free(conn->body);
    conn->body = NULL;
    conn->body_cap = 0;
    fl_budget_give(&conn->http->budget, conn->charged);
    conn->charged = 0;
}

/* What is called gzip must be: otherwise a body would be taken for something that it is not. */
static bool begins_right(fl_http_encoding encoding, fl_slice body)
{
    return encoding == FL_HTTP_GZIP ? fl_slice_starts_with(body, FL_SLICE("\x1f\x8b"))
                                    : fl_slice_starts_with(body, FL_SLICE("\x28\xb5\x2f\xfd"));
}

/* What to decompress into at first. It does not have to be right: too low costs a second pass. */
static size_t guess_of(fl_slice packed, size_t limit)
{
    size_t guess = packed.len < limit / GUESS_RATIO ? packed.len * GUESS_RATIO : limit;
    if (guess < GUESS_BYTES)
        guess = GUESS_BYTES;
    return guess < limit ? guess : limit;
}

/* Under the guard of base/stream.h against bombs, too. */
static fl_status read_once(fl_slice *out, fl_stream_block *block, fl_slice packed, size_t most,
                           fl_error *err)
{
    fl_stream *in;
    fl_status status = fl_stream_over(&in, packed, "body", err);
    if (status != FL_OK)
        return status;
    status = fl_stream_read_all(out, block, in, most, err);
    fl_stream_close(in);
    return status;
}

/* FL_E_LIMIT: larger than the route takes. FL_E_NOMEM: over the budget. */
static fl_status decompress(fl_http_conn *conn, fl_stream_block *block, fl_error *err)
{
    fl_slice packed = conn->request.body, *out = &conn->request.body;
    size_t limit = fl_http_max_body(conn->http, conn->route), most = guess_of(packed, limit);
    if (!fl_budget_take(&conn->http->budget, most))
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "over the budget");
    conn->charged += most;
    fl_status status = read_once(out, block, packed, most, err);
    if (status == FL_OK && out->len > most && most < limit) {
        if (!fl_budget_take(&conn->http->budget, limit - most))
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "over the budget");
        conn->charged += limit - most;
        status = read_once(out, block, packed, limit, err);
    }
    if (status == FL_OK && out->len > limit)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "larger than the limit");
    return status;
}

/* The charge for what is opened stays with the connection until the body is dropped. */
bool fl_http_body_open(fl_http_conn *conn, unsigned char **opened)
{
    fl_error err = {0};
    fl_stream_block block = {0};
    fl_http *http = conn->http;
    const char *name = conn->encoding == FL_HTTP_GZIP ? "gzip" : "zstd";
    *opened = NULL;
    conn->request.body = (fl_slice){.ptr = conn->body, .len = (size_t)conn->came};
    if (conn->encoding == FL_HTTP_PLAIN || conn->request.body.len == 0)
        return true;
    if (!begins_right(conn->encoding, conn->request.body)) {
        fl_http_count_refusal(http, FL_HTTP_REFUSED_ENCODING);
        fl_http_problem(&conn->reply, 400, "the body is not %s, as Content-Encoding says", name);
        return false;
    }
    fl_status status = decompress(conn, &block, &err);
    if (status == FL_OK) {
        *opened = block.ptr;
        return true;
    }
    fl_mem_free(block.ptr);
    if (status == FL_E_NOMEM) {
        fl_http_count_refusal(http, FL_HTTP_REFUSED_BUDGET);
        fl_http_problem(&conn->reply, 503, "%s", retry_detail);
        conn->reply.retry_after_s = 1;
    } else if (status == FL_E_LIMIT) {
        fl_http_count_refusal(http, FL_HTTP_REFUSED_SIZE);
        fl_http_problem(&conn->reply, 413, "the body is larger than %zu bytes when decompressed",
                        fl_http_max_body(conn->http, conn->route));
    } else {
        fl_http_count_refusal(http, FL_HTTP_REFUSED_ENCODING);
        fl_http_problem(&conn->reply, 400, "the body is not %s to its end: %s", name, err.message);
    }
    return false;
}
