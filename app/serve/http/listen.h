/*
 * listen.h - a socket that listens, out of the text of an address.
 */
#ifndef FL_LISTEN_H
#define FL_LISTEN_H

#include <stdbool.h>

#include "faultline/status.h"

/* "127.0.0.1:4318", "[::1]:0", "0.0.0.0:80": numbers only; port 0 is any free one. *fd does not
 * block and is the caller's, *port is where it listens. FL_E_SYNTAX on another text, FL_E_IO
 * "cannot listen on ADDRESS: reason". */
FL_NODISCARD fl_status fl_listen_open(int *fd, unsigned *port, const char *address, fl_error *err);
/* Whether only this machine reaches that address: 127.0.0.0/8 or ::1, with any port. */
bool fl_listen_is_loopback(const char *address);

#endif
