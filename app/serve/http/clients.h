/*
 * clients.h - what one client may have of a server: connections at once, requests a second.
 *
 * A client is an IPv4 address, or the first 64 bits of an IPv6 address, of which one household has
 * all the rest. The table is of a fixed size; where it is full of clients that are there, the ones
 * that come late share one place, and so one limit.
 */
#ifndef FL_CLIENTS_H
#define FL_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/status.h"

typedef struct fl_clients fl_clients; /* any thread */

/* 0: no limit. */
FL_NODISCARD fl_status fl_clients_create(fl_clients **out, unsigned max_connections,
                                         unsigned requests_per_s, fl_error *err);
void fl_clients_destroy(fl_clients *clients); /* NULL is a no-op */
/* `address` as text. Whether it has a connection left; taking it is apart, since not each that may
 * be taken is. */
bool fl_clients_has_room(fl_clients *clients, const char *address);
void fl_clients_enter(fl_clients *clients, const char *address);
void fl_clients_leave(fl_clients *clients, const char *address);
/* One request more, at `now_ns` of the monotonic clock. False: wait, and how long in *wait_s. */
bool fl_clients_ask(fl_clients *clients, const char *address, int64_t now_ns, unsigned *wait_s);
void fl_clients_set_rate(fl_clients *clients, unsigned requests_per_s);

#endif
