/*
 * fl_http_raw.h - HTTP as bytes over a socket, so that tests can say what no client would.
 */
#ifndef FL_HTTP_RAW_H
#define FL_HTTP_RAW_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { RAW_ANSWER = 1 << 20, RAW_TIMEOUT_S = 60 };

typedef struct raw_answer {
    int status; /* 0: the connection ended without one */
    char text[RAW_ANSWER];
    size_t len;
    char *body; /* in `text` */
    size_t body_len;
    bool closed; /* the connection ended */
} raw_answer;

static inline void nap_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static inline int raw_connect_from(unsigned port, const char *from)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in own = {.sin_family = AF_INET};
    struct timeval limit = {.tv_sec = RAW_TIMEOUT_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
    inet_pton(AF_INET, from, &own.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (bind(fd, (struct sockaddr *)&own, sizeof(own)) != 0 ||
        connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline int raw_connect(unsigned port)
{
    return raw_connect_from(port, "127.0.0.1");
}

/* False: the other side closed. */
static inline bool raw_send(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* A header's value in the head of an answer, or NULL; up to the line's end. */
static inline const char *raw_header(const raw_answer *answer, const char *name)
{
    static char value[256];
    size_t len = strlen(name);
    const char *end = answer->body != NULL ? answer->body : answer->text + answer->len;
    for (const char *at = strstr(answer->text, "\r\n"); at != NULL && at < end;
         at = strstr(at + 2, "\r\n"))
        if (strncasecmp(at + 2, name, len) == 0 && at[2 + len] == ':') {
            snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + 4 + len, "\r"), at + 4 + len);
            return value;
        }
    return NULL;
}

/* One answer; `is_head`: without a body. What is sent behind it in one go would be lost. */
static inline void raw_read(int fd, raw_answer *answer, bool is_head)
{
    size_t wanted = SIZE_MAX;
    answer->status = 0;
    answer->len = answer->body_len = 0;
    answer->body = NULL;
    answer->closed = false;
    answer->text[0] = '\0';
    while (answer->len < wanted && answer->len + 1 < RAW_ANSWER) {
        size_t room = RAW_ANSWER - 1 - answer->len;
        ssize_t got = recv(fd, answer->text + answer->len, room, 0);
        if (got <= 0) {
            answer->closed = true;
            break;
        }
        answer->len += (size_t)got;
        answer->text[answer->len] = '\0';
        char *end = answer->body == NULL ? strstr(answer->text, "\r\n\r\n") : NULL;
        if (end != NULL) {
            answer->body = end + 4;
            answer->status = atoi(answer->text + 9);
            const char *length = raw_header(answer, "Content-Length");
            size_t head = (size_t)(answer->body - answer->text);
            if (answer->status == 100) {
                answer->len -= head;
                memmove(answer->text, answer->body, answer->len + 1);
                answer->body = NULL;
            } else {
                wanted = head + (length != NULL && !is_head ? strtoul(length, NULL, 10) : 0);
            }
        }
    }
    if (answer->body != NULL)
        answer->body_len = answer->len - (size_t)(answer->body - answer->text);
}

/* Whether the other side closes, within the socket's time limit; what it still says is lost. */
static inline bool raw_is_closed(int fd)
{
    char bytes[4096];
    ssize_t got;
    do {
        got = recv(fd, bytes, sizeof(bytes), 0);
    } while (got > 0);
    return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

/* A request of its own connection. */
static inline void raw_ask(unsigned port, const void *bytes, size_t len, raw_answer *answer)
{
    int fd = raw_connect(port);
    (void)raw_send(fd, bytes, len);
    raw_read(fd, answer, len > 4 && memcmp(bytes, "HEAD", 4) == 0);
    close(fd);
}

#endif
