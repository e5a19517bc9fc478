/*
 * made_shop.h - telemetry of a made-up shop as an archive would give it: storefront calls stock and
 * mail in each request. From `broken_from_ns` to `broken_to_ns` stock takes twenty times as long,
 * and half of its requests fail and take the storefront's with them.
 */
#ifndef MADE_SHOP_H
#define MADE_SHOP_H

#include "made_traffic.h"

typedef struct made_shop {
    int64_t begin_ns; /* nothing is told of before */
    int64_t broken_from_ns, broken_to_ns;
    double a_second;
} made_shop;

enum { MADE_STORE, MADE_STOCK, MADE_MAIL, MADE_SERVICES };

static inline void made_shop_span(const fl_sink *sink, uint32_t handle, fl_span *span, double ms)
{
    span->end_ns = span->start_ns + (int64_t)(ms * 1e6);
    ck_assert_int_eq(sink->span(sink->payload, handle, span, NULL), FL_OK);
}

/* One request: the storefront's span, and for each callee the client's and the server's. */
static inline void made_shop_request(made_traffic *t, const made_shop *shop,
                                     const uint32_t handles[MADE_SERVICES], int64_t at_ns)
{
    bool is_broken = at_ns >= shop->broken_from_ns && at_ns < shop->broken_to_ns;
    double stock = 8 * exp(0.2 * made_normal(t)) * (is_broken ? 20 : 1);
    double mail = 5 * exp(0.2 * made_normal(t));
    fl_span root = {.trace = {made_id(t), 1},
                    .id = made_id(t),
                    .name = SLICE("POST /order"),
                    .kind = FL_SPAN_SERVER,
                    .start_ns = at_ns,
                    .is_error = is_broken && made_uniform(t) < 0.5};
    fl_span client = root, server = root;
    const double ms[] = {0, stock, mail};
    int64_t begin = at_ns + 1000000;
    for (int s = MADE_STOCK; s < MADE_SERVICES; s++) {
        client.id = made_id(t);
        client.parent = root.id;
        client.kind = FL_SPAN_CLIENT;
        client.name = server.name = s == MADE_STOCK ? SLICE("stock.reserve") : SLICE("mail.send");
        client.start_ns = begin;
        client.is_error = server.is_error = root.is_error && s == MADE_STOCK;
        server.id = made_id(t);
        server.parent = client.id;
        server.start_ns = begin + 300000;
        made_shop_span(t->sink, handles[s], &server, ms[s]);
        made_shop_span(t->sink, handles[MADE_STORE], &client, ms[s] + 0.6);
        begin = client.end_ns + 200000;
    }
    made_shop_span(t->sink, handles[MADE_STORE], &root, 3 + stock + mail);
}

/* The requests that begin in [from_ns, to_ns): each second's are the same whoever asks. */
static inline void made_shop_tell(const made_shop *shop, int64_t from_ns, int64_t to_ns,
                                  const fl_sink *sink)
{
    static const char *const names[] = {"storefront", "stock", "mail"};
    made_traffic t = {.sink = sink};
    uint32_t handles[MADE_SERVICES];
    for (int s = 0; s < MADE_SERVICES; s++)
        handles[s] = made_resource(&t, names[s]);
    from_ns = from_ns > shop->begin_ns ? from_ns : shop->begin_ns;
    for (int64_t at = from_ns - from_ns % 1000000000; at < to_ns; at += 1000000000) {
        t.state = (uint64_t)at;
        t.next_id = (uint64_t)at * 31;
        for (unsigned left = made_poisson(&t, shop->a_second); left > 0; left--) {
            int64_t begin = at + (int64_t)(made_uniform(&t) * 1e9);
            if (begin >= from_ns && begin < to_ns)
                made_shop_request(&t, shop, handles, begin);
        }
    }
}

#endif
