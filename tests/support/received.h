/*
 * received.h - run a decoder of somebody else's payloads in a test: the sink writes what it is
 * given as text, a recorded payload is at hand by its name, and each allocation can be made to
 * fail.
 */
#ifndef FL_RECEIVED_H
#define FL_RECEIVED_H

#include <stdio.h>

#include "fl_file.h"
#include "fl_test.h"
#include "intake.h"
#include "mem.h"
#include "otlp_dump.h"

typedef struct received {
    otlp_dump dump;
    fl_sink sink;
    fl_intake to;
} received;

static inline fl_status received_change(void *payload, const fl_change_record *c, fl_error *err)
{
    otlp_dump *dump = payload;
    static const char *const kinds[] = {"deploy", "config", "flag", "merge-request"};
    dump->logs++;
    fl_buf_printf(&dump->text, "%s %" PRId64 " [%.*s] %.*s %.*s>%.*s %.*s %.*s\n", kinds[c->kind],
                  c->time_ns, FL_SLICE_ARG(c->service), FL_SLICE_ARG(c->key),
                  FL_SLICE_ARG(c->before), FL_SLICE_ARG(c->after), FL_SLICE_ARG(c->source),
                  FL_SLICE_ARG(c->url));
    return otlp_dump_step(dump, err);
}

static inline fl_status received_alert(void *payload, const fl_alert_record *a, fl_error *err)
{
    otlp_dump *dump = payload;
    dump->logs++;
    fl_buf_printf(&dump->text,
                  "alert %016" PRIx64 " %" PRId64 "..%" PRId64
                  "%s %.*s (%.*s) of %.*s %.*s %.*s: %.*s "
                  "<%.*s>",
                  a->fingerprint, a->starts_ns, a->ends_ns, a->is_resolved ? " resolved" : "",
                  FL_SLICE_ARG(a->name), FL_SLICE_ARG(a->severity), FL_SLICE_ARG(a->service),
                  FL_SLICE_ARG(a->instance), FL_SLICE_ARG(a->node), FL_SLICE_ARG(a->summary),
                  FL_SLICE_ARG(a->url));
    otlp_dump_attrs(&dump->text, a->labels);
    return otlp_dump_step(dump, err);
}

static inline void received_init(received *r)
{
    r->sink = otlp_dump_sink(&r->dump);
    r->sink.change = received_change;
    r->sink.alert = received_alert;
    fl_buf_printf(&r->dump.text, "%8192s", ""); /* so that only the decoder's allocations fail */
    fl_buf_clear(&r->dump.text);
    r->to = (fl_intake){.sink = &r->sink, .source = "test"};
}

static inline void received_dispose(received *r)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&r->dump.text);
}

static inline void received_clear(received *r)
{
    fl_buf text = r->dump.text;
    fl_buf_clear(&text);
    r->dump = (otlp_dump){.text = text};
}

static inline const char *received_text(const received *r)
{
    return r->dump.text.len > 0 ? r->dump.text.ptr : "";
}

/* How many lines of what was received hold `part`. */
static inline size_t received_count(const received *r, const char *part)
{
    size_t count = 0;
    const char *at = received_text(r);
    for (at = strstr(at, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

static inline fl_bytes received_fixture(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "tests/fixtures/receivers/%s", name);
    return fl_file_read(path);
}

/* The bytes in a block of exactly their size, so that a read past the end is seen. */
static inline fl_bytes received_exact(fl_slice bytes, size_t len)
{
    fl_bytes out = {.ptr = malloc(len > 0 ? len : 1), .len = len};
    ck_assert_ptr_nonnull(out.ptr);
    if (len > 0)
        memcpy(out.ptr, bytes.ptr, len);
    return out;
}

#endif
