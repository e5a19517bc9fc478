/*
 * receive_case.h - receive over an archive on a disk in memory: requests are given to a route's
 * handler as the transport would, and what was kept is at hand as text.
 */
#ifndef FL_RECEIVE_CASE_H
#define FL_RECEIVE_CASE_H

#include "fl_fake_disk.h"
#include "receive.h"
#include "received.h"

/* Minutes after the recorded payloads were sent. */
#define RECEIVE_NOW_NS INT64_C(1795381700000000000)

enum { RECEIVE_FIELDS = 8 };

typedef struct receive_case {
    fake_disk *disk;
    fl_archive *archive;
    fl_receive *receive;
    fl_receive_options options;
    size_t head_bytes; /* of the archive; 0: its default */
    fl_http_request request;
    fl_http_field headers[RECEIVE_FIELDS], parameters[RECEIVE_FIELDS];
    fl_http_reply reply;
    _Atomic uint64_t tapped; /* records that a tap saw */
    received kept;
} receive_case;

static inline void receive_case_tap(void *payload, const fl_archive_batch *batch)
{
    receive_case *c = payload;
    c->tapped += fl_archive_batch_records(batch);
}

/* `c->options` may be filled before, but for the archive. */
static inline void receive_case_open(receive_case *c)
{
    fl_error err = {0};
    fl_archive_recovery found;
    fl_receive_tap tap = {.payload = c, .batch = receive_case_tap};
    fl_archive_options archive = {
        .has_no_thread = true, .wal_segment_bytes = 1 << 20, .head_bytes = c->head_bytes};
    c->disk = fake_disk_make(1);
    ck_assert_ok(
        fl_archive_open(&c->archive, &found, &c->disk->base, &archive, RECEIVE_NOW_NS, &err));
    c->options.archive = c->archive;
    c->options.taps = &tap;
    c->options.tap_count = 1;
    ck_assert_ok(fl_receive_create(&c->receive, &c->options, &err));
    c->options.taps = NULL;
    received_init(&c->kept);
    fl_http_reply_init(&c->reply);
}

static inline void receive_case_close(receive_case *c)
{
    fl_mem_fail_after(-1);
    fl_http_reply_dispose(&c->reply);
    received_dispose(&c->kept);
    fl_receive_destroy(c->receive);
    fl_archive_close(c->archive);
    fl_disk_close(&c->disk->base);
}

/* Begin a request from this machine. */
static inline void receive_case_request(receive_case *c, const char *method, const char *path,
                                        const char *type, fl_slice body)
{
    c->request = (fl_http_request){.method = method,
                                   .path = path,
                                   .body = body,
                                   .content_type = type,
                                   .client = "127.0.0.1",
                                   .arrival_ns = RECEIVE_NOW_NS,
                                   .headers = c->headers,
                                   .parameters = c->parameters};
}

static inline void receive_case_header(receive_case *c, const char *name, const char *value)
{
    ck_assert_uint_lt(c->request.header_count, RECEIVE_FIELDS);
    c->headers[c->request.header_count++] = (fl_http_field){.name = name, .value = value};
}

static inline void receive_case_parameter(receive_case *c, const char *name, const char *value)
{
    ck_assert_uint_lt(c->request.parameter_count, RECEIVE_FIELDS);
    c->parameters[c->request.parameter_count++] = (fl_http_field){.name = name, .value = value};
}

/* The reply's status; the test fails where there is no such route. */
static inline unsigned receive_case_send(receive_case *c)
{
    size_t count;
    const fl_http_route *routes = fl_receive_routes(c->receive, &count);
    fl_http_reply_dispose(&c->reply);
    fl_http_reply_init(&c->reply);
    for (size_t i = 0; i < count; i++)
        if (strcmp(routes[i].path, c->request.path) == 0 &&
            strcmp(routes[i].method, c->request.method) == 0) {
            routes[i].run(routes[i].context, &c->request, &c->reply);
            ck_assert_int_eq(c->reply.body.status, FL_OK);
            return c->reply.status;
        }
    ck_abort_msg("no route %s %s", c->request.method, c->request.path);
    return 0;
}

static inline unsigned receive_case_post(receive_case *c, const char *path, const char *type,
                                         fl_slice body)
{
    receive_case_request(c, "POST", path, type, body);
    return receive_case_send(c);
}

static inline const char *receive_case_body(const receive_case *c)
{
    return c->reply.body.len > 0 ? c->reply.body.ptr : "";
}

/* All records that are kept, as text. */
static inline const char *receive_case_kept(receive_case *c)
{
    fl_error err = {0};
    received_clear(&c->kept);
    ck_assert_ok(fl_archive_read(c->archive, 0, INT64_MAX, &c->kept.sink, &err));
    return received_text(&c->kept);
}

static inline uint64_t receive_case_records(receive_case *c)
{
    fl_archive_stats stats = fl_archive_stats_of(c->archive);
    uint64_t sum = 0;
    for (size_t i = 0; i < FL_ARCHIVE_KIND_COUNT; i++)
        sum += stats.records[i];
    return sum;
}

static inline fl_receive_counts receive_case_counts(receive_case *c, fl_receive_protocol protocol)
{
    return fl_receive_stats_of(c->receive).by[protocol];
}

#endif
