/*
 * leak_diff_view.c - the largest differences of two snapshots, each with whether it is beyond the
 * error of sampling. What is within is marked, not hidden: "cannot be told" is an answer.
 */
#include "leak_diff_view.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json_put.h"
#include "leak_report.h"
#include "page.h"
#include "timestamp.h"

enum { FIRST_ROWS = 20, AT_BEFORE = 2, AT_AFTER = 14, AT_CHANGE = 26, AT_ERROR = 39, AT_NAME = 64 };

/* A difference that is exact counts, however small. */
static bool is_real(double change, double error)
{
    return fabs(change) > FL_LEAK_DIFF_REAL * error;
}

static const char *amount_text(char out[FL_BYTES_TEXT], const fl_leak_diff *diff, double amount)
{
    if (strcmp(diff->unit, "bytes") == 0)
        return fl_bytes_text(out, amount);
    snprintf(out, FL_BYTES_TEXT, "%.0f", amount);
    return out;
}

static void write_amounts(fl_page *page, const fl_leak_diff *diff, double before, double after,
                          double error)
{
    char text[FL_BYTES_TEXT];
    double change = after - before;
    fl_page_pad(page, AT_BEFORE);
    fl_page_put(page, FL_INK_PLAIN, amount_text(text, diff, before));
    fl_page_pad(page, AT_AFTER);
    fl_page_put(page, FL_INK_PLAIN, amount_text(text, diff, after));
    fl_page_pad(page, AT_CHANGE);
    fl_page_printf(page, is_real(change, error) ? FL_INK_BOLD : FL_INK_PLAIN, "%s%s",
                   change > 0 ? "+" : "", amount_text(text, diff, change));
    fl_page_pad(page, AT_ERROR);
    if (error > 0)
        fl_page_printf(page, FL_INK_DIM, "+-%s%s", amount_text(text, diff, error),
                       is_real(change, error) ? "" : " (within it)");
    fl_page_pad(page, AT_NAME);
}

fl_status fl_leak_diff_text(fl_buf *out, const fl_leak_diff *diff, const fl_report_style *style,
                            fl_error *err)
{
    char from[FL_TIME_TEXT], to[FL_TIME_TEXT], span[FL_TIME_TEXT];
    assert(diff->rows != NULL && diff->unit != NULL);
    fl_page page = fl_page_on(out, style);
    if (diff->from_ns > 0 && diff->to_ns > 0) {
        fl_page_printf(&page, FL_INK_PLAIN, "%s in use from %s to %s (%s)", diff->unit,
                       fl_time_format(from, diff->from_ns - diff->from_ns % FL_NS_PER_S),
                       fl_time_format(to, diff->to_ns - diff->to_ns % FL_NS_PER_S),
                       fl_duration_format(span, diff->to_ns - diff->from_ns));
        fl_page_newline(&page);
    }
    fl_page_pad(&page, AT_BEFORE);
    fl_page_put(&page, FL_INK_DIM, "before");
    fl_page_pad(&page, AT_AFTER);
    fl_page_put(&page, FL_INK_DIM, "after");
    fl_page_pad(&page, AT_CHANGE);
    fl_page_put(&page, FL_INK_DIM, "change");
    fl_page_pad(&page, AT_ERROR);
    fl_page_put(&page, FL_INK_DIM, diff->sampling_bytes > 0 ? "sampling error" : "");
    fl_page_newline(&page);
    for (size_t i = 0; i < diff->count && i < FIRST_ROWS; i++) {
        const fl_leak_diff_row *row = &diff->rows[i];
        if (row->before == row->after)
            break;
        write_amounts(&page, diff, row->before, row->after, row->error);
        fl_page_put(&page, FL_INK_PLAIN, row->function);
        fl_page_newline(&page);
    }
    write_amounts(&page, diff, diff->before, diff->after, diff->error);
    fl_page_put(&page, FL_INK_BOLD, "in all");
    fl_page_newline(&page);
    return fl_buf_check(out, "the comparison", err);
}

static void put_moment(fl_put *w, json_t *object, const char *key, int64_t time_ns)
{
    if (time_ns > 0)
        fl_put_time(w, object, key, time_ns);
    else
        fl_put_value(w, object, key, json_null());
}

fl_status fl_leak_diff_json(fl_buf *out, const fl_leak_diff *diff, fl_error *err)
{
    fl_put w = {.status = FL_OK};
    json_t *object = json_object(), *rows = json_array();
    for (size_t i = 0; i < diff->count; i++) {
        const fl_leak_diff_row *row = &diff->rows[i];
        json_t *item = json_object();
        fl_put_text(&w, item, "function", row->function);
        fl_put_text(&w, item, "file", row->file);
        if (row->line > 0)
            fl_put_count(&w, item, "line", row->line);
        else
            fl_put_value(&w, item, "line", json_null());
        fl_put_number(&w, item, "before", row->before);
        fl_put_number(&w, item, "after", row->after);
        fl_put_number(&w, item, "change", row->after - row->before);
        fl_put_number(&w, item, "error", row->error);
        fl_put_value(&w, item, "real", json_boolean(is_real(row->after - row->before, row->error)));
        fl_put_item(&w, rows, item);
    }
    fl_put_value(&w, object, "schema", json_string_nocheck("faultline.leak-diff/1"));
    fl_put_text(&w, object, "unit", diff->unit);
    put_moment(&w, object, "from", diff->from_ns);
    put_moment(&w, object, "to", diff->to_ns);
    fl_put_number(&w, object, "before", diff->before);
    fl_put_number(&w, object, "after", diff->after);
    fl_put_number(&w, object, "change", diff->after - diff->before);
    fl_put_number(&w, object, "error", diff->error);
    fl_put_value(&w, object, "rows", rows);
    return fl_put_document(out, &w, object, err);
}
