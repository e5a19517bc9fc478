/*
 * metrics.c - families and samples, written as they come.
 *
 * Label values are escaped as the format wants it: backslash, quote and newline.
 */
#include "metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>

/* HELP and TYPE stand before the samples, each once. */
static void begin(fl_metrics *m, const char *name, const char *type, const char *help)
{
    assert(m != NULL && m->out != NULL && name != NULL && help != NULL);
    m->name = name;
    fl_buf_printf(m->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void fl_metrics_counter(fl_metrics *m, const char *name, const char *help)
{
    begin(m, name, "counter", help);
}

void fl_metrics_gauge(fl_metrics *m, const char *name, const char *help)
{
    begin(m, name, "gauge", help);
}

/* One label with its value, escaped. */
static void put_label(fl_metrics *m, const char *label, const char *value)
{
    fl_buf_printf(m->out, "%s=\"", label);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\\' || *c == '"')
            fl_buf_char(m->out, '\\');
        if (*c == '\n')
            fl_buf_text(m->out, "\\n");
        else
            fl_buf_char(m->out, *c);
    }
    fl_buf_char(m->out, '"');
}

/* Everything before the number. */
static void put_name(fl_metrics *m, const char *label, const char *value)
{
    assert(m->name != NULL && (label == NULL) == (value == NULL));
    fl_buf_text(m->out, m->name);
    if (label == NULL)
        return;
    fl_buf_char(m->out, '{');
    put_label(m, label, value);
    fl_buf_char(m->out, '}');
}

void fl_metrics_count_of(fl_metrics *m, const fl_metrics_label labels[2], uint64_t count)
{
    assert(m->name != NULL);
    fl_buf_printf(m->out, "%s{", m->name);
    put_label(m, labels[0].name, labels[0].value);
    fl_buf_char(m->out, ',');
    put_label(m, labels[1].name, labels[1].value);
    fl_buf_printf(m->out, "} %" PRIu64 "\n", count);
}

void fl_metrics_count(fl_metrics *m, const char *label, const char *value, uint64_t count)
{
    put_name(m, label, value);
    fl_buf_printf(m->out, " %" PRIu64 "\n", count);
}

/* Seventeen digits give each double back. */
void fl_metrics_number(fl_metrics *m, const char *label, const char *value, double number)
{
    put_name(m, label, value);
    fl_buf_printf(m->out, " %.17g\n", number);
}

void fl_metrics_one_counter(fl_metrics *m, const char *name, const char *help, uint64_t count)
{
    fl_metrics_counter(m, name, help);
    fl_metrics_count(m, NULL, NULL, count);
}

void fl_metrics_one_gauge(fl_metrics *m, const char *name, const char *help, double number)
{
    fl_metrics_gauge(m, name, help);
    fl_metrics_number(m, NULL, NULL, number);
}
