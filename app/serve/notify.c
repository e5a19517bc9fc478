/*
 * notify.c - a datagram to a socket of the local machine.
 */
#include "notify.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void fl_notify(const char *socket_name, const char *state)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = socket_name != NULL ? strlen(socket_name) : 0;
    if (len < 2 || len >= sizeof(to.sun_path) || (socket_name[0] != '/' && socket_name[0] != '@'))
        return;
    memcpy(to.sun_path, socket_name, len);
    if (to.sun_path[0] == '@')
        to.sun_path[0] = '\0'; /* the abstract namespace of unix(7) */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    (void)close(fd);
}
