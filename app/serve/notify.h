/*
 * notify.h - tell the service manager how it is going (sd_notify(3)), without its library.
 */
#ifndef FL_NOTIFY_H
#define FL_NOTIFY_H

/* One datagram such as "READY=1" to a socket: a path, or with a leading '@' a name without one.
 * NULL is a no-op, and so is whatever fails: nobody can be told. */
void fl_notify(const char *socket_name, const char *state);

#endif
