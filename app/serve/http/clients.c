/*
 * clients.c - an open table of clients with a token bucket each.
 *
 * The bucket holds one second's requests and is filled as time passes: a client may burst by that,
 * and then has its rate. A place is free once its client has no connection and a full bucket:
 * nothing is forgotten that would count.
 */
#include "clients.h"

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "hash.h"
#include "mem.h"
#include "timestamp.h"

enum { PLACES = 8192, PROBES = 16 };

typedef struct client {
    unsigned char key[16];
    unsigned connections;
    int64_t empty_at_ns; /* when the bucket would have been empty: now - that is what it holds */
} client;

struct fl_clients {
    pthread_mutex_t lock;
    unsigned max_connections, requests_per_s;
    client places[PLACES + 1]; /* the last is for those without one */
};

/* Zero bytes where the text is no address: all such are one client. */
static void key_of(unsigned char key[16], const char *address)
{
    memset(key, 0, 16);
    if (inet_pton(AF_INET, address, key + 8) == 1)
        key[7] = 4; /* apart from any IPv6 network */
    else if (inet_pton(AF_INET6, address, key) == 1)
        memset(key + 8, 0, 8);
    else
        memset(key, 0, 16);
}

static bool is_free(const fl_clients *clients, const client *at, int64_t now_ns)
{
    return at->connections == 0 &&
           (clients->requests_per_s == 0 || now_ns - at->empty_at_ns >= FL_NS_PER_S);
}

/* The client's place, or a free one that is made its own, or the shared one. */
static client *place_of(fl_clients *clients, const char *address, int64_t now_ns)
{
    unsigned char key[16];
    client *empty = NULL;
    key_of(key, address);
    uint64_t at = fl_hash_keyed((fl_slice){.ptr = key, .len = sizeof(key)});
    for (unsigned i = 0; i < PROBES; i++) {
        client *place = &clients->places[(at + i) % PLACES];
        if (memcmp(place->key, key, sizeof(key)) == 0)
            return place;
        if (empty == NULL && is_free(clients, place, now_ns))
            empty = place;
    }
    if (empty == NULL)
        return &clients->places[PLACES];
    *empty = (client){.empty_at_ns = now_ns - FL_NS_PER_S};
    memcpy(empty->key, key, sizeof(key));
    return empty;
}

fl_status fl_clients_create(fl_clients **out, unsigned max_connections, unsigned requests_per_s,
                            fl_error *err)
{
    assert(out != NULL);
    *out = fl_mem_calloc(1, sizeof(**out));
    if (*out == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for clients");
    (*out)->max_connections = max_connections;
    (*out)->requests_per_s = requests_per_s;
    (void)pthread_mutex_init(&(*out)->lock, NULL);
    return FL_OK;
}

void fl_clients_destroy(fl_clients *clients)
{
    if (clients == NULL)
        return;
    (void)pthread_mutex_destroy(&clients->lock);
    fl_mem_free(clients);
}

bool fl_clients_has_room(fl_clients *clients, const char *address)
{
    assert(clients != NULL && address != NULL);
    (void)pthread_mutex_lock(&clients->lock);
    const client *at = place_of(clients, address, fl_time_monotonic());
    bool has = clients->max_connections == 0 || at->connections < clients->max_connections;
    (void)pthread_mutex_unlock(&clients->lock);
    return has;
}

void fl_clients_enter(fl_clients *clients, const char *address)
{
    assert(clients != NULL && address != NULL);
    (void)pthread_mutex_lock(&clients->lock);
    place_of(clients, address, fl_time_monotonic())->connections++;
    (void)pthread_mutex_unlock(&clients->lock);
}

/* A client that entered in the shared place may have found its own since: then that one is left
 * alone, and the shared one is what it leaves. */
void fl_clients_leave(fl_clients *clients, const char *address)
{
    assert(clients != NULL && address != NULL);
    (void)pthread_mutex_lock(&clients->lock);
    client *at = place_of(clients, address, fl_time_monotonic());
    if (at->connections == 0)
        at = &clients->places[PLACES];
    assert(at->connections > 0);
    at->connections--;
    (void)pthread_mutex_unlock(&clients->lock);
}

/* The bucket as a time (the "virtual scheduling" form of ITU-T I.371's generic cell rate
 * algorithm): each request moves `empty_at_ns` on by its share of a second. */
bool fl_clients_ask(fl_clients *clients, const char *address, int64_t now_ns, unsigned *wait_s)
{
    assert(clients != NULL && address != NULL && wait_s != NULL);
    *wait_s = 1;
    (void)pthread_mutex_lock(&clients->lock);
    bool may = true;
    if (clients->requests_per_s > 0) {
        client *at = place_of(clients, address, now_ns);
        int64_t share_ns = FL_NS_PER_S / clients->requests_per_s;
        if (at->empty_at_ns < now_ns - FL_NS_PER_S)
            at->empty_at_ns = now_ns - FL_NS_PER_S;
        may = at->empty_at_ns + share_ns <= now_ns;
        at->empty_at_ns += may ? share_ns : 0;
    }
    (void)pthread_mutex_unlock(&clients->lock);
    return may;
}

void fl_clients_set_rate(fl_clients *clients, unsigned requests_per_s)
{
    assert(clients != NULL);
    (void)pthread_mutex_lock(&clients->lock);
    clients->requests_per_s = requests_per_s;
    (void)pthread_mutex_unlock(&clients->lock);
}
