/*
 * listen.c - addresses are numbers: a name could mean another host tomorrow.
 */
#include "listen.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "number.h"
#include "slice.h"

enum { BACKLOG = 1024 };

static fl_status bad_address(const char *address, fl_error *err)
{
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                   "address '%.80s' is not like 127.0.0.1:4318 or [::1]:4318", address);
}

/* "HOST:PORT" or "[HOST]:PORT" to its parts. */
static bool split_address(const char *address, char host[INET6_ADDRSTRLEN], uint16_t *port)
{
    const char *colon = strrchr(address, ':');
    uint64_t number;
    if (colon == NULL || !fl_parse_u64(fl_slice_of(colon + 1), &number) || number > UINT16_MAX)
        return false;
    size_t len = (size_t)(colon - address);
    if (len > 2 && address[0] == '[' && address[len - 1] == ']') {
        address++;
        len -= 2;
    } else if (memchr(address, ':', len) != NULL) {
        return false;
    }
    if (len == 0 || len >= INET6_ADDRSTRLEN)
        return false;
    memcpy(host, address, len);
    host[len] = '\0';
    *port = (uint16_t)number;
    return true;
}

/* A restart must not wait for what its predecessor left in TIME_WAIT; an IPv6 address is for IPv6
 * alone, so that "[::]" and "0.0.0.0" of one port can both be listened on. */
static int listen_on(const struct addrinfo *at)
{
    int on = 1, why;
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (at->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    why = errno;
    (void)close(fd);
    errno = why;
    return -1;
}

/* Where the system chose it. */
static unsigned port_of(int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof(at);
    if (getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        return 0;
    return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                          : ((struct sockaddr_in *)&at)->sin_port);
}

fl_status fl_listen_open(int *fd, unsigned *port, const char *address, fl_error *err)
{
    char host[INET6_ADDRSTRLEN], service[8];
    uint16_t number;
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *at = NULL;
    assert(fd != NULL && address != NULL && port != NULL);
    if (!split_address(address, host, &number))
        return bad_address(address, err);
    (void)snprintf(service, sizeof(service), "%u", (unsigned)number);
    if (getaddrinfo(host, service, &hints, &at) != 0)
        return bad_address(address, err);
    *fd = listen_on(at);
    int why = errno;
    freeaddrinfo(at);
    if (*fd < 0)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot listen on %.80s: %s", address,
                       strerror(why));
    *port = port_of(*fd);
    return FL_OK;
}

bool fl_listen_is_loopback(const char *address)
{
    char host[INET6_ADDRSTRLEN];
    uint16_t port;
    if (!split_address(address, host, &port))
        return false;
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}
