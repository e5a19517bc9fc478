/*
 * tail.c - records of accepted batches as short lines of JSON, in slots of one size.
 *
 * Line number n lies in slot n modulo FL_TAIL_LINES, so that the oldest is written over. A batch is
 * replayed only while somebody has asked within FL_TAIL_ACTIVE, and only for as many records as
 * the second still has room for; the rest is counted.
 */
#include "tail.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "slice.h"
#include "timestamp.h"
#include "utf8.h"

/* A follower asks twice a second; who has not for five is gone. */
#define FL_TAIL_ACTIVE (5 * FL_NS_PER_S)

enum { NAMES = 64, NAME_BYTES = 64, TEXT_BYTES = 200 };

typedef struct tail_line {
    uint64_t number; /* 0: nothing yet */
    size_t len;
    char text[FL_TAIL_LINE_BYTES];
} tail_line;

struct fl_tail {
    _Atomic int64_t active_until_ns; /* monotonic */
    pthread_mutex_t lock;            /* all below */
    uint64_t next;                   /* number of the next line; from 1 */
    uint64_t passed_over;            /* since the last question */
    int64_t second;                  /* that `room` is about */
    unsigned room;                   /* lines that this second still takes */
    tail_line lines[FL_TAIL_LINES];
};

fl_status fl_tail_create(fl_tail **out, fl_error *err)
{
    assert(out != NULL);
    *out = fl_mem_calloc(1, sizeof(**out));
    if (*out == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the last lines");
    (*out)->next = 1;
    (void)pthread_mutex_init(&(*out)->lock, NULL);
    return FL_OK;
}

void fl_tail_destroy(fl_tail *tail)
{
    if (tail == NULL)
        return;
    (void)pthread_mutex_destroy(&tail->lock);
    fl_mem_free(tail);
}

/* --- one batch --- */

/* On the stack of the tap. Names of resources by their handle; the last place is for those that
 * come when there is no room. */
typedef struct replay {
    fl_tail *tail;
    uint64_t written;
    uint32_t names_used;
    char names[NAMES + 1][NAME_BYTES];
} replay;

/* A string of JSON of at most `most` bytes of input, cut between characters; what is no UTF-8 or a
 * control character is '?'. */
static size_t put_text(char *out, size_t cap, fl_slice text, size_t most)
{
    size_t len = 0;
    fl_slice cut = {.ptr = text.ptr, .len = text.len < most ? text.len : most};
    size_t valid = cut.len > 0 ? fl_utf8_valid_prefix(cut) : 0;
    for (size_t i = 0; i < cut.len && len + 8 < cap; i++) {
        unsigned char c = cut.ptr[i];
        if (c == '"' || c == '\\')
            out[len++] = '\\';
        out[len++] = c < ' ' || c == 0x7f || (c >= 0x80 && i >= valid) ? '?' : (char)c;
    }
    out[len] = '\0';
    return len;
}

/* One record more. FL_E_STOPPED where the second is full: the batch is left. */
static fl_status put_line(replay *r, const char *kind, int64_t time_ns, const char *service,
                          fl_slice text)
{
    char at[FL_TIME_TEXT], said[2 * TEXT_BYTES + 16], who[2 * NAME_BYTES + 16];
    fl_tail *tail = r->tail;
    (void)put_text(said, sizeof(said), text, TEXT_BYTES);
    (void)put_text(who, sizeof(who), fl_slice_of(service), NAME_BYTES);
    fl_time_format(at, time_ns);
    (void)pthread_mutex_lock(&tail->lock);
    bool has_room = tail->room > 0;
    if (has_room) {
        tail_line *line = &tail->lines[tail->next % FL_TAIL_LINES];
        int len = snprintf(line->text, sizeof(line->text),
                           "{\"n\":%" PRIu64
                           ",\"kind\":\"%s\",\"at\":\"%s\",\"service\":\"%s\",\"text\":\"%s\"}",
                           tail->next, kind, at, who, said);
        assert(len > 0 && (size_t)len < sizeof(line->text)); /* each part is bounded */
        line->number = tail->next++;
        line->len = (size_t)len;
        tail->room--;
    }
    (void)pthread_mutex_unlock(&tail->lock);
    r->written += has_room;
    return has_room ? FL_OK : FL_E_STOPPED;
}

/* fl_sink: a handle is the place of the service's name. */
static fl_status on_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                             fl_error *err)
{
    replay *r = payload;
    (void)err;
    *handle = r->names_used < NAMES ? r->names_used++ : NAMES;
    size_t len = resource->service.len < NAME_BYTES - 1 ? resource->service.len : NAME_BYTES - 1;
    if (*handle < NAMES && len > 0)
        memcpy(r->names[*handle], resource->service.ptr, len);
    return FL_OK;
}

/* The name says what was done; whether it failed is what somebody looks for. */
static fl_status on_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    replay *r = payload;
    (void)err;
    return put_line(r, span->is_error ? "span, error" : "span", span->start_ns, r->names[resource],
                    span->name);
}

static fl_status on_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    replay *r = payload;
    (void)err;
    return put_line(r, "log", log->time_ns, r->names[resource], log->body);
}

/* With its value where that is one number. */
static fl_status on_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    replay *r = payload;
    char text[TEXT_BYTES];
    (void)err;
    bool is_number = point->kind == FL_POINT_GAUGE || point->kind == FL_POINT_SUM ||
                     point->kind == FL_POINT_PART;
    if (is_number)
        (void)snprintf(text, sizeof(text), "%.*s %.6g",
                       (int)(point->metric.len < 150 ? point->metric.len : 150),
                       (const char *)point->metric.ptr, point->value);
    return put_line(r, "point", point->time_ns, r->names[resource],
                    is_number ? fl_slice_of(text) : point->metric);
}

/* What was changed, or to what. Changes and alerts name their service themselves. */
static fl_status on_change(void *payload, const fl_change_record *change, fl_error *err)
{
    replay *r = payload;
    char service[NAME_BYTES];
    (void)err;
    (void)snprintf(service, sizeof(service), "%.*s",
                   (int)(change->service.len < 60 ? change->service.len : 60),
                   (const char *)change->service.ptr);
    return put_line(r, "change", change->time_ns, service,
                    change->key.len > 0 ? change->key : change->after);
}

/* The rule's name, and whether it is over. */
static fl_status on_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    replay *r = payload;
    char service[NAME_BYTES];
    (void)err;
    (void)snprintf(service, sizeof(service), "%.*s",
                   (int)(alert->service.len < 60 ? alert->service.len : 60),
                   (const char *)alert->service.ptr);
    return put_line(r, alert->is_resolved ? "alert, resolved" : "alert",
                    alert->is_resolved ? alert->ends_ns : alert->starts_ns, service, alert->name);
}

/* On the threads of requests: nothing but a look at the clock while nobody follows. */
static void tap(void *payload, const fl_archive_batch *batch)
{
    fl_tail *tail = payload;
    int64_t now_ns = fl_time_monotonic();
    if (now_ns > atomic_load(&tail->active_until_ns))
        return;
    (void)pthread_mutex_lock(&tail->lock);
    if (tail->second != now_ns / FL_NS_PER_S) {
        tail->second = now_ns / FL_NS_PER_S;
        tail->room = FL_TAIL_PER_S;
    }
    bool has_room = tail->room > 0;
    (void)pthread_mutex_unlock(&tail->lock);
    replay r = {.tail = tail};
    const fl_sink sink = {.payload = &r,
                          .resource = on_resource,
                          .span = on_span,
                          .log = on_log,
                          .point = on_point,
                          .change = on_change,
                          .alert = on_alert};
    /* FL_E_STOPPED where the second is full: what is left is counted below. */
    fl_status status = has_room ? fl_archive_batch_replay(batch, &sink, NULL) : FL_OK;
    assert(status == FL_OK || status == FL_E_STOPPED);
    (void)status;
    uint64_t all = fl_archive_batch_records(batch);
    (void)pthread_mutex_lock(&tail->lock);
    tail->passed_over += all > r.written ? all - r.written : 0;
    (void)pthread_mutex_unlock(&tail->lock);
}

fl_receive_tap fl_tail_tap(fl_tail *tail)
{
    assert(tail != NULL);
    return (fl_receive_tap){.payload = tail, .batch = tap};
}

/* --- whoever looks --- */

/* Reading makes the tap active: there is no other sign that somebody follows. */
void fl_tail_read(fl_tail *tail, uint64_t after, fl_buf *out)
{
    assert(tail != NULL && out != NULL);
    (void)pthread_mutex_lock(&tail->lock);
    uint64_t next = tail->next, oldest = next > FL_TAIL_LINES ? next - FL_TAIL_LINES : 1;
    uint64_t from = after < next ? after + 1 : next;
    if (from < oldest) { /* written over before anybody read it */
        tail->passed_over += oldest - from;
        from = oldest;
    }
    fl_buf_printf(out,
                  "{\"schema\":\"faultline.tail/1\",\"next\":%" PRIu64 ",\"passed_over\":%" PRIu64
                  ",\"records\":[",
                  next - 1, after == UINT64_MAX ? 0 : tail->passed_over);
    for (uint64_t n = from; n < next; n++) {
        const tail_line *line = &tail->lines[n % FL_TAIL_LINES];
        assert(line->number == n);
        if (n > from)
            fl_buf_char(out, ',');
        fl_buf_add(out, (fl_slice){.ptr = (const unsigned char *)line->text, .len = line->len});
    }
    fl_buf_text(out, "]}\n");
    tail->passed_over = 0;
    (void)pthread_mutex_unlock(&tail->lock);
    atomic_store(&tail->active_until_ns, fl_time_monotonic() + FL_TAIL_ACTIVE);
}
