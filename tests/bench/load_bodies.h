/*
 * load_bodies.h - bodies of requests as genuine senders make them, each with times of its own so
 * that none is a repetition: OTLP logs and spans (protobuf), remote write (snappy).
 *
 * Logs and spans have the shape of the OpenTelemetry SDK's: a resource of 8 attributes, records of
 * 3 and 6 attributes, two logs and four spans to a trace, lines of a dozen forms with numbers in
 * them. A write holds the series that Prometheus itself sent in the recorded request, for other
 * times and instances.
 */
#ifndef LOAD_BODIES_H
#define LOAD_BODIES_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "made_proto.h"
#include "made_snappy.h"
#include "proto.h"
#include "snappy.h"
#include "timestamp.h"

typedef enum load_kind { LOAD_LOGS, LOAD_SPANS, LOAD_WRITE } load_kind;

/* Of a request; and how many scraped instances, of 500 series each, write in turn. */
enum { LOAD_RECORDS = 500, LOAD_SERIES = 2000, LOAD_INSTANCES = 200 };

typedef struct load_maker {
    fl_buf inner, item, record, scope, block, text;
    uint64_t random;
    unsigned instance;
    uint64_t trace[2]; /* of records in a row */
    int64_t now_ns;
    fl_slice write; /* the recorded request, decompressed */
} load_maker;

static inline uint64_t load_random(load_maker *m)
{
    m->random += 0x9E3779B97F4A7C15;
    uint64_t z = m->random;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

static inline void load_maker_init(load_maker *m, int64_t now_ns, fl_slice write)
{
    fl_buf empty = fl_buf_of(64 << 20);
    *m = (load_maker){.inner = empty,
                      .item = empty,
                      .record = empty,
                      .scope = empty,
                      .block = empty,
                      .text = empty,
                      .random = (uint64_t)now_ns,
                      .now_ns = now_ns,
                      .write = write};
}

static inline void load_maker_dispose(load_maker *m)
{
    fl_buf *all[] = {&m->inner, &m->item, &m->record, &m->scope, &m->block, &m->text};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        fl_buf_dispose(all[i]);
}

/* ---- OTLP ---- */

/* A KeyValue with a text, as `field` of `out`. */
static inline void load_text(load_maker *m, fl_buf *out, uint32_t field, const char *key,
                             const char *value)
{
    fl_buf_clear(&m->item);
    made_text(&m->item, 1, key);
    made_text(&m->inner, 1, value);
    made_message(&m->item, 2, &m->inner);
    made_message(out, field, &m->item);
}

static inline void load_number(load_maker *m, fl_buf *out, uint32_t field, const char *key,
                               uint64_t value)
{
    fl_buf_clear(&m->item);
    made_text(&m->item, 1, key);
    made_u64(&m->inner, 3, value);
    made_message(&m->item, 2, &m->inner);
    made_message(out, field, &m->item);
}

static inline void load_id(load_maker *m, fl_buf *out, uint32_t field, size_t bytes)
{
    uint64_t id[2] = {load_random(m), load_random(m)};
    made_bytes(out, field, (fl_slice){.ptr = (const unsigned char *)id, .len = bytes});
}

/* Anew for every n-th record. */
static inline void load_trace_id(load_maker *m, fl_buf *out, uint32_t field, int at, int n)
{
    for (int i = 0; at % n == 0 && i < 2; i++)
        m->trace[i] = load_random(m);
    made_bytes(out, field, (fl_slice){.ptr = (const unsigned char *)m->trace, .len = 16});
}

static inline void load_resource(load_maker *m)
{
    static const char *const services[] = {"checkout", "payment", "cart", "catalog", "shipping"};
    char pod[64];
    uint64_t which = load_random(m);
    fl_buf_clear(&m->record);
    snprintf(pod, sizeof(pod), "%s-7d9f8b6c5-%02u", services[which % 5],
             (unsigned)(which >> 8) % 10);
    load_text(m, &m->record, 1, "service.name", services[which % 5]);
    load_text(m, &m->record, 1, "service.version", "1.4.2");
    load_text(m, &m->record, 1, "k8s.pod.name", pod);
    load_text(m, &m->record, 1, "k8s.namespace.name", "shop");
    load_text(m, &m->record, 1, "k8s.node.name", "node-3");
    load_text(m, &m->record, 1, "deployment.environment.name", "prod");
    load_text(m, &m->record, 1, "telemetry.sdk.language", "go");
    load_text(m, &m->record, 1, "telemetry.sdk.name", "opentelemetry");
    made_message(&m->block, 1, &m->record);
}

static inline void load_log(load_maker *m, int64_t time_ns, int at)
{
    static const char *const lines[] = {
        "order %u placed for customer c-%u in %u ms",
        "GET /api/products/%u 200 %u bytes %u us",
        "payment %u authorised, amount %u.%02u EUR",
        "cache miss for key product:%u, loaded in %u ms (size %u)",
        "retrying call to shipping, attempt %u of %u, waiting %u ms",
        "session %u expired after %u s of idling, %u open",
        "stock of item %u is %u, below its limit of %u",
        "POST /api/checkout 201 took %u ms (db %u ms, rpc %u ms)",
    };
    uint64_t r = load_random(m);
    fl_buf_clear(&m->record);
    made_fixed64(&m->record, 1, (uint64_t)time_ns);
    made_u64(&m->record, 2, 9);
    made_text(&m->record, 3, "INFO");
    fl_buf_clear(&m->text);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    fl_buf_printf(&m->text, lines[r % 8], (unsigned)(r >> 8) % 100000, (unsigned)(r >> 28) % 1000,
                  (unsigned)(r >> 44) % 100);
#pragma GCC diagnostic pop
    made_bytes(&m->inner, 1, fl_buf_slice(&m->text));
    made_message(&m->record, 5, &m->inner);
    load_text(m, &m->record, 6, "http.route", "/api/checkout");
    load_text(m, &m->record, 6, "logger.name", "com.example.shop.Checkout");
    load_number(m, &m->record, 6, "thread.id", r % 64);
    load_trace_id(m, &m->record, 9, at, 2);
    load_id(m, &m->record, 10, 8);
    made_fixed64(&m->record, 11, (uint64_t)time_ns);
    made_message(&m->scope, 2, &m->record);
}

static inline void load_span(load_maker *m, int64_t time_ns, int at)
{
    uint64_t r = load_random(m);
    fl_buf_clear(&m->record);
    load_trace_id(m, &m->record, 1, at, 4);
    load_id(m, &m->record, 2, 8);
    load_id(m, &m->record, 4, 8);
    made_text(&m->record, 5, r % 2 == 0 ? "GET /api/products/{id}" : "POST /api/checkout");
    made_u64(&m->record, 6, 2 + r % 2);
    made_fixed64(&m->record, 7, (uint64_t)time_ns);
    made_fixed64(&m->record, 8, (uint64_t)time_ns + r % 50000000);
    load_text(m, &m->record, 9, "http.request.method", r % 2 == 0 ? "GET" : "POST");
    load_text(m, &m->record, 9, "http.route", "/api/products/{id}");
    load_number(m, &m->record, 9, "http.response.status_code", r % 100 == 0 ? 500 : 200);
    load_text(m, &m->record, 9, "server.address", "catalog.shop.svc");
    load_number(m, &m->record, 9, "server.port", 8080);
    load_text(m, &m->record, 9, "network.protocol.version", "1.1");
    made_message(&m->scope, 2, &m->record);
}

static inline void load_otlp(load_maker *m, fl_buf *out, load_kind kind)
{
    fl_buf_clear(&m->block);
    fl_buf_clear(&m->scope);
    load_resource(m);
    for (int i = 0; i < LOAD_RECORDS; i++) {
        m->now_ns += 1000 + (int64_t)(load_random(m) % 20000);
        if (kind == LOAD_LOGS)
            load_log(m, m->now_ns, i);
        else
            load_span(m, m->now_ns, i);
    }
    made_message(&m->block, 2, &m->scope);
    made_message(out, 1, &m->block);
}

/* ---- snappy ---- */

/* Greedy, with a table of where 4 bytes were last seen: what the reference does at its core. */
static inline void load_compress(fl_buf *out, fl_slice bytes)
{
    static _Thread_local uint32_t table[1 << 14];
    memset(table, 0, sizeof(table));
    made_snappy_length(out, bytes.len);
    size_t at = 0, literal = 0;
    while (at + 4 <= bytes.len) {
        uint32_t four;
        memcpy(&four, bytes.ptr + at, 4);
        uint32_t *slot = &table[four * 0x1e35a7bd >> 18];
        size_t back = *slot;
        *slot = (uint32_t)at + 1;
        if (back == 0 || at - (back - 1) > 65535 ||
            memcmp(bytes.ptr + back - 1, bytes.ptr + at, 4) != 0) {
            at++;
            continue;
        }
        if (at > literal)
            made_snappy_literal(out, fl_slice_part(bytes, literal, at));
        size_t from = back - 1, len = 4;
        while (at + len < bytes.len && bytes.ptr[from + len] == bytes.ptr[at + len])
            len++;
        for (size_t rest = len; rest > 0;) {
            size_t step = rest < 64 ? rest : 64;
            made_snappy_copy(out, at - from, step);
            rest -= step;
        }
        at += len;
        literal = at;
    }
    if (bytes.len > literal)
        made_snappy_literal(out, fl_slice_part(bytes, literal, bytes.len));
}

/* ---- remote write ---- */

/* The series `in` for another instance and time. */
static inline void load_series(load_maker *m, fl_proto *in, const char *instance, double value)
{
    fl_proto series = fl_proto_message(in);
    fl_buf_clear(&m->record);
    while (fl_proto_next(&series)) {
        if (series.field != 1)
            continue;
        fl_proto label = fl_proto_message(&series);
        fl_slice name = {0}, text = {0};
        while (fl_proto_next(&label))
            if (label.field == 1)
                name = fl_proto_bytes(&label);
            else
                text = fl_proto_bytes(&label);
        made_bytes(&m->inner, 1, name);
        made_bytes(&m->inner, 2,
                   fl_slice_equal(name, FL_SLICE("instance")) ? fl_slice_of(instance) : text);
        made_message(&m->record, 1, &m->inner);
    }
    made_double(&m->inner, 1, value);
    made_u64(&m->inner, 2, (uint64_t)(m->now_ns / FL_NS_PER_MS));
    made_message(&m->record, 2, &m->inner);
    made_message(&m->scope, 1, &m->record);
}

static inline void load_write(load_maker *m, fl_buf *out)
{
    fl_buf_clear(&m->scope);
    unsigned made = 0;
    m->now_ns += 2 * FL_NS_PER_MS;
    while (made < LOAD_SERIES) {
        char instance[32];
        snprintf(instance, sizeof(instance), "10.0.0.%u:9100", m->instance++ % LOAD_INSTANCES);
        fl_proto in = fl_proto_over(m->write);
        unsigned before = made;
        while (made < LOAD_SERIES && fl_proto_next(&in))
            if (in.field == 1) {
                load_series(m, &in, instance, (double)(load_random(m) % 100000) / 8);
                made++;
            }
        if (made == before)
            abort(); /* the recorded request holds no series */
    }
    load_compress(out, fl_buf_slice(&m->scope));
}

/* The next body, behind what `out` holds; how many records it has. */
static inline uint64_t load_make(load_maker *m, fl_buf *out, load_kind kind)
{
    if (kind == LOAD_WRITE) {
        load_write(m, out);
        return LOAD_SERIES;
    }
    load_otlp(m, out, kind);
    return LOAD_RECORDS;
}

static const struct {
    const char *name, *path, *encoding;
} load_routes[] = {
    [LOAD_LOGS] = {"OTLP logs", "/v1/logs", NULL},
    [LOAD_SPANS] = {"OTLP spans", "/v1/traces", NULL},
    [LOAD_WRITE] = {"remote write", "/api/v1/write", "snappy"},
};

#endif
