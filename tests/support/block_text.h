/*
 * block_text.h - a sink that writes records as lines in which a resource is named by what it is, so
 * that records can be compared whatever order and handles they come with.
 */
#ifndef FL_BLOCK_TEXT_H
#define FL_BLOCK_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "otlp_dump.h"

static inline fl_status block_text_resource(void *payload, const fl_resource *resource,
                                            uint32_t *handle, fl_error *err)
{
    otlp_dump *dump = payload;
    size_t from = dump->text.len;
    uint32_t ignored;
    fl_status status = otlp_dump_resource(payload, resource, &ignored, err);
    const char *text = dump->text.ptr + from + strlen("resource ");
    text += strcspn(text, " "); /* its number */
    *handle = fl_crc32c(0, fl_slice_of(text));
    dump->text.len = from;
    return status;
}

static inline fl_status block_text_change(void *payload, const fl_change_record *change,
                                          fl_error *err)
{
    otlp_dump *dump = payload;
    (void)err;
    fl_buf_printf(&dump->text, "change %" PRId64 " %d %.*s %.*s %.*s %.*s %.*s %.*s\n",
                  change->time_ns, (int)change->kind, FL_SLICE_ARG(change->service),
                  FL_SLICE_ARG(change->key), FL_SLICE_ARG(change->before),
                  FL_SLICE_ARG(change->after), FL_SLICE_ARG(change->source),
                  FL_SLICE_ARG(change->url));
    return FL_OK;
}

static inline fl_status block_text_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    otlp_dump *dump = payload;
    (void)err;
    fl_buf_printf(
        &dump->text,
        "alert %016" PRIx64 " %" PRId64 "..%" PRId64 "%s %.*s %.*s %.*s %.*s of %.*s %.*s "
        "%.*s",
        alert->fingerprint, alert->starts_ns, alert->ends_ns, alert->is_resolved ? " resolved" : "",
        FL_SLICE_ARG(alert->name), FL_SLICE_ARG(alert->severity), FL_SLICE_ARG(alert->summary),
        FL_SLICE_ARG(alert->url), FL_SLICE_ARG(alert->service), FL_SLICE_ARG(alert->instance),
        FL_SLICE_ARG(alert->node));
    otlp_dump_attrs(&dump->text, alert->labels);
    return FL_OK;
}

static inline fl_sink block_text_sink(otlp_dump *dump)
{
    fl_sink sink = otlp_dump_sink(dump);
    sink.resource = block_text_resource;
    sink.change = block_text_change;
    sink.alert = block_text_alert;
    return sink;
}

static inline int block_text_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines in order; disposed of by the caller. Takes the dump's text apart. */
static inline fl_buf block_text_sorted(otlp_dump *dump)
{
    fl_buf sorted = fl_buf_of(64u << 20);
    char *text = dump->text.ptr, *rest = NULL;
    size_t count = 0;
    char **lines = malloc((dump->text.len + 1) * sizeof(*lines));
    for (char *line = text != NULL ? strtok_r(text, "\n", &rest) : NULL; line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        lines[count++] = line;
    qsort(lines, count, sizeof(*lines), block_text_compare);
    for (size_t i = 0; i < count; i++)
        fl_buf_printf(&sorted, "%s\n", lines[i]);
    free(lines);
    return sorted;
}

#endif
