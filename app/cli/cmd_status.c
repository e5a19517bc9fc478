/*
 * cmd_status.c - how a running daemon is: a page of what it takes, keeps and refuses.
 *
 * The daemon's document (faultline.status/1) is all that is known here: a member that is missing is
 * shown as nothing, so that both may be of different versions.
 */
#include <inttypes.h>
#include <string.h>

#include "args.h"
#include "ask.h"
#include "json_put.h"
#include "page.h"
#include "slice.h"
#include "timestamp.h"

/* A dash where an older or newer daemon says nothing of it. */
static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "-";
}

static uint64_t count_of(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* "12.3 MB": what a person compares. */
static void put_bytes(fl_page *page, uint64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1000 && unit + 1 < FL_COUNT(units)) {
        value /= 1000;
        unit++;
    }
    fl_page_printf(page, FL_INK_PLAIN, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

/* As people read it; what is no time stays as it is. */
static const char *whole_seconds(char out[FL_TIME_TEXT], const char *time)
{
    int64_t ns;
    if (fl_time_parse(&ns, fl_slice_of(time), 0, NULL) != FL_OK)
        return time;
    fl_time_format_s(out, ns);
    return out;
}

/* What it is, for how long, and where it can be reached. */
static void put_head(fl_page *page, const json_t *status)
{
    char up[FL_TIME_TEXT];
    bool is_ready = strcmp(text_of(status, "state"), "ready") == 0;
    double uptime_s = json_number_value(json_object_get(status, "uptime_s"));
    fl_page_printf(page, FL_INK_BOLD, "faultline %s", text_of(status, "version"));
    fl_page_put(page, FL_INK_PLAIN, ", ");
    fl_page_put(page, is_ready ? FL_INK_GOOD : FL_INK_WARN, text_of(status, "state"));
    fl_page_printf(page, FL_INK_PLAIN, ", up %s",
                   fl_duration_format(up, (int64_t)uptime_s * FL_NS_PER_S));
    fl_page_newline(page);
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(status, "listeners"), i, one)
    {
        fl_page_put(page, FL_INK_DIM, i == 0 ? "Listens" : "");
        fl_page_pad(page, 12);
        fl_page_printf(page, FL_INK_PLAIN, "%s (%s)", text_of(one, "address"),
                       text_of(one, "protocol"));
        if (strstr(text_of(one, "address"), ":0") != NULL)
            fl_page_printf(page, FL_INK_DIM, " port %" PRIu64, count_of(one, "port"));
        fl_page_newline(page);
    }
}

/* Columns by which protocols are compared. */
static const struct status_column {
    const char *key;
    size_t at;
} columns[] = {{"requests", 24}, {"records", 38}, {"refused", 52}, {"lost", 64}, {"repeated", 74}};

/* A row a protocol that somebody spoke. */
static void put_received(fl_page *page, const json_t *list)
{
    size_t i;
    json_t *one;
    if (json_array_size(list) == 0) {
        fl_page_labelled(page, (fl_page_row){0, 12}, "Received", FL_INK_PLAIN, "nothing yet");
        return;
    }
    fl_page_put(page, FL_INK_DIM, "Received");
    for (size_t c = 0; c < FL_COUNT(columns); c++) {
        fl_page_pad(page, columns[c].at);
        fl_page_put(page, FL_INK_DIM, columns[c].key);
    }
    fl_page_pad(page, 86);
    fl_page_put(page, FL_INK_DIM, "records/s");
    fl_page_newline(page);
    json_array_foreach(list, i, one)
    {
        fl_page_printf(page, FL_INK_PLAIN, "  %s", text_of(one, "protocol"));
        for (size_t c = 0; c < FL_COUNT(columns); c++) {
            fl_page_pad(page, columns[c].at);
            fl_page_printf(page, FL_INK_PLAIN, "%" PRIu64, count_of(one, columns[c].key));
        }
        fl_page_pad(page, 86);
        fl_page_printf(page, FL_INK_PLAIN, "%.0f",
                       json_number_value(json_object_get(one, "records_per_s")));
        fl_page_newline(page);
    }
}

/* Where the records lie: in blocks, in the log, in memory. */
static void put_archive(fl_page *page, const json_t *archive)
{
    fl_page_put(page, FL_INK_DIM, "Keeps");
    fl_page_pad(page, 12);
    fl_page_printf(page, FL_INK_PLAIN, "%" PRIu64 " records in %" PRIu64 " blocks of ",
                   count_of(archive, "block_records"), count_of(archive, "blocks"));
    put_bytes(page, count_of(archive, "block_bytes"));
    fl_page_put(page, FL_INK_PLAIN, ", ");
    put_bytes(page, count_of(archive, "wal_bytes"));
    fl_page_put(page, FL_INK_PLAIN, " in the log, ");
    put_bytes(page, count_of(archive, "head_bytes"));
    fl_page_put(page, FL_INK_PLAIN, " in memory");
    fl_page_newline(page);
    char oldest[FL_TIME_TEXT];
    const char *told = json_string_value(json_object_get(archive, "oldest"));
    if (told != NULL)
        fl_page_labelled(page, (fl_page_row){0, 12}, "Oldest", FL_INK_PLAIN,
                         whole_seconds(oldest, told));
}

/* A line for each that is open, and what is not known yet. */
static void put_incidents(fl_page *page, const json_t *incidents)
{
    enum { SHOWN = 20 };
    const json_t *list = json_object_get(incidents, "open"), *one;
    uint64_t total = count_of(incidents, "open_total");
    char since[FL_TIME_TEXT];
    size_t i;
    if (!json_is_object(incidents)) {
        fl_page_labelled(page, (fl_page_row){0, 12}, "Incidents", FL_INK_PLAIN, "none are kept");
        return;
    }
    fl_page_put(page, FL_INK_DIM, "Incidents");
    fl_page_pad(page, 12);
    fl_page_printf(page, FL_INK_PLAIN, "%" PRIu64 " open, %" PRIu64 " closed since the start",
                   total, count_of(incidents, "closed"));
    fl_page_newline(page);
    json_array_foreach(list, i, one)
    {
        if (i == SHOWN)
            break;
        fl_page_printf(page, FL_INK_BOLD, "  %s", text_of(one, "id"));
        fl_page_printf(page, FL_INK_PLAIN, "  %s since %s, ", text_of(one, "state"),
                       whole_seconds(since, text_of(one, "since")));
        fl_page_printf(page, FL_INK_PLAIN, "trouble at %s", text_of(one, "service"));
        if (json_is_string(json_object_get(one, "cause")))
            fl_page_printf(page, FL_INK_PLAIN, ": %s of %s, %.0f %%", text_of(one, "cause"),
                           text_of(one, "cause_service"),
                           100 * json_number_value(json_object_get(one, "probability")));
        fl_page_newline(page);
    }
    if (total > i) {
        fl_page_printf(page, FL_INK_DIM, "  and %" PRIu64 " more", total - i);
        fl_page_newline(page);
    }
    if (json_is_true(json_object_get(json_object_get(incidents, "past"), "is_reading"))) {
        fl_page_put(page, FL_INK_WARN, "  the past is still read: breaks are not found yet");
        fl_page_newline(page);
    }
}

/* Only where it is read. What is passed over is a sender's mistake, which somebody should see. */
static void put_kafka(fl_page *page, const json_t *kafka)
{
    if (!json_is_object(kafka))
        return;
    uint64_t refused = count_of(kafka, "refused");
    fl_page_put(page, FL_INK_DIM, "Kafka");
    fl_page_pad(page, 12);
    fl_page_printf(page, FL_INK_PLAIN, "%" PRIu64 " partitions, %" PRIu64 " messages",
                   count_of(kafka, "partitions"), count_of(kafka, "messages"));
    if (refused > 0)
        fl_page_printf(page, FL_INK_WARN, ", %" PRIu64 " passed over", refused);
    fl_page_newline(page);
}

/* Only reasons that there were. */
static void put_refused(fl_page *page, const json_t *http)
{
    const char *reason;
    json_t *count;
    json_object_foreach(json_object_get(http, "refused"), reason, count)
    {
        if (json_integer_value(count) == 0)
            continue;
        fl_page_put(page, FL_INK_DIM, "Refused");
        fl_page_pad(page, 12);
        fl_page_printf(page, FL_INK_WARN, "%" JSON_INTEGER_FORMAT " requests: %s",
                       json_integer_value(count), reason);
        fl_page_newline(page);
    }
}

/* One question, one page; the JSON is the daemon's own answer. */
static fl_exit run_status(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    fl_ask *ask = NULL;
    json_t *status = NULL;
    fl_buf out = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_page page = fl_page_on(&out, &cli->style);
    fl_status result = fl_ask_create(&ask, args, &err);
    if (result == FL_OK)
        result = fl_ask_get(&status, ask, "/v1/status", &err);
    if (result == FL_OK && fl_args_wants_json(args)) {
        if (!fl_put_dump(&out, status, JSON_INDENT(2) | JSON_REAL_PRECISION(9)))
            result = fl_fail(&err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while writing");
        fl_buf_char(&out, '\n');
    } else if (result == FL_OK) {
        put_head(&page, status);
        put_received(&page, json_object_get(status, "receive"));
        put_kafka(&page, json_object_get(status, "kafka"));
        put_archive(&page, json_object_get(status, "archive"));
        put_incidents(&page, json_object_get(status, "incidents"));
        put_refused(&page, json_object_get(status, "http"));
    }
    json_decref(status);
    fl_ask_destroy(ask);
    return fl_cli_finish(cli, &out, result, &err);
}

static const fl_option status_options[] = {
    FL_ASK_OPTIONS,
    FL_OPTION_FORMAT("How to print the answer"),
};

static const fl_example status_examples[] = {
    {"faultline status", "of the daemon on this machine"},
    {"faultline status --format json", "all figures, for a program"},
};

static const fl_exit_note status_exits[] = {
    {FL_EXIT_OK, "the daemon answered"},
    {FL_EXIT_ERROR, "nobody answered, or the token does not allow it"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_status = {
    .name = "status",
    .summary = "show how the daemon is",
    .description = "Asks a running `faultline serve`: how long it has run, where it listens, what"
                   " came in by protocol, what was refused and why, what is kept, and which"
                   " incidents are open.",
    .options = status_options,
    .option_count = FL_COUNT(status_options),
    .examples = status_examples,
    .example_count = FL_COUNT(status_examples),
    .exits = status_exits,
    .exit_count = FL_COUNT(status_exits),
    .run = run_status,
};
