/*
 * cmd_tail.c - what comes in now, like a log that is followed: a line a record, or a line a second.
 *
 * The daemon is asked twice a second for what came since. It keeps some thousand lines for that;
 * what comes faster is said by its count.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "args.h"
#include "ask.h"
#include "json_put.h"
#include "page.h"
#include "timestamp.h"

enum { ASKS_PER_S = 2, MAX_PATH = 64 };

/* What a look was for. */
typedef struct following {
    fl_cli *cli;
    fl_ask *ask;
    bool wants_json;
    uint64_t left;    /* lines that are still wanted; UINT64_MAX: without end */
    int64_t until_ns; /* monotonic; INT64_MAX: without end */
} following;

/* A signal may end it early, which does not matter. */
static void nap(int64_t duration_ns)
{
    const struct timespec time = {.tv_sec = duration_ns / FL_NS_PER_S,
                                  .tv_nsec = duration_ns % FL_NS_PER_S};
    (void)nanosleep(&time, NULL);
}

/* Empty where there is none. */
static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

/* Write and flush: somebody watches. */
static fl_status write_out(fl_cli *cli, fl_buf *out, fl_error *err)
{
    fl_status status = fl_buf_check(out, "the output", err);
    if (status == FL_OK && (!fl_cli_write(cli, fl_buf_slice(out)) || fflush(cli->out) != 0))
        status = fl_fail(err, FL_E_IO, FL_NO_OFFSET, "the output is closed");
    fl_buf_dispose(out);
    return status;
}

/* When, what, whose, and what it says; control characters were taken out by the daemon, and are by
 * the page again. */
static void put_record(fl_page *page, const json_t *record)
{
    fl_page_printf(page, FL_INK_DIM, "%s", text_of(record, "at"));
    fl_page_pad(page, 31);
    fl_page_put(page, FL_INK_PLAIN, text_of(record, "kind"));
    fl_page_pad(page, 43);
    fl_page_put(page, FL_INK_BOLD, text_of(record, "service"));
    fl_page_pad(page, 61);
    fl_page_put(page, FL_INK_PLAIN, text_of(record, "text"));
    fl_page_newline(page);
}

/* One answer. A count that is reached ends it in the middle. */
static fl_status show_records(following *f, const json_t *answer, fl_error *err)
{
    fl_buf out = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_page page = fl_page_on(&out, &f->cli->style);
    uint64_t over = (uint64_t)json_integer_value(json_object_get(answer, "passed_over"));
    size_t i;
    json_t *record;
    json_array_foreach(json_object_get(answer, "records"), i, record)
    {
        if (f->left == 0)
            break;
        f->left -= f->left != UINT64_MAX;
        if (!f->wants_json)
            put_record(&page, record);
        else if (!fl_put_dump(&out, record, JSON_COMPACT))
            break;
        else
            fl_buf_char(&out, '\n');
    }
    if (over > 0)
        fl_cli_complain(f->cli, "%" PRIu64 " records more came than are shown", over);
    return write_out(f->cli, &out, err);
}

/* Lines, from the first question on. */
static fl_status follow(following *f, fl_error *err)
{
    char path[MAX_PATH] = "/v1/tail";
    fl_status status = FL_OK;
    while (status == FL_OK && f->left > 0 && fl_time_monotonic() < f->until_ns) {
        json_t *answer = NULL;
        status = fl_ask_get(&answer, f->ask, path, err);
        if (status != FL_OK)
            return status;
        (void)snprintf(path, sizeof(path), "/v1/tail?after=%" JSON_INTEGER_FORMAT,
                       json_integer_value(json_object_get(answer, "next")));
        status = show_records(f, answer, err);
        json_decref(answer);
        if (status == FL_OK && f->left > 0)
            nap(FL_NS_PER_S / ASKS_PER_S);
    }
    return status;
}

/* How many records came by all protocols. */
static uint64_t total_of(const json_t *list, const char *key)
{
    uint64_t total = 0;
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one) total +=
        (uint64_t)json_integer_value(json_object_get(one, key));
    return total;
}

/* The difference of two looks at the same counters. */
static fl_status show_second(following *f, const json_t *before, const json_t *now, fl_error *err)
{
    fl_buf out = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    const json_t *was = json_object_get(before, "receive"), *is = json_object_get(now, "receive");
    fl_buf_printf(&out,
                  f->wants_json ? "{\"at\":\"%s\",\"requests\":%" PRIu64 ",\"records\":%" PRIu64
                                  ",\"lost\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n"
                                : "%s  %" PRIu64 " requests, %" PRIu64 " records, %" PRIu64
                                  " lost, %" PRIu64 " bytes\n",
                  text_of(now, "now"), total_of(is, "requests") - total_of(was, "requests"),
                  total_of(is, "records") - total_of(was, "records"),
                  total_of(is, "lost") - total_of(was, "lost"),
                  total_of(is, "bytes") - total_of(was, "bytes"));
    return write_out(f->cli, &out, err);
}

/* A line a second, of what the counters did. */
static fl_status summarize(following *f, fl_error *err)
{
    json_t *before = NULL;
    fl_status status = fl_ask_get(&before, f->ask, "/v1/status", err);
    while (status == FL_OK && f->left > 0 && fl_time_monotonic() < f->until_ns) {
        json_t *now = NULL;
        nap(FL_NS_PER_S);
        status = fl_ask_get(&now, f->ask, "/v1/status", err);
        if (status == FL_OK)
            status = show_second(f, before, now, err);
        json_decref(before);
        before = now;
        f->left -= f->left != UINT64_MAX;
    }
    json_decref(before);
    return status;
}

static fl_exit run_tail(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    following f = {.cli = cli,
                   .wants_json = fl_args_wants_json(args),
                   .left = fl_args_has(args, "count") ? fl_args_count(args, "count") : UINT64_MAX,
                   .until_ns = INT64_MAX};
    if (fl_args_has(args, "for"))
        f.until_ns = fl_time_monotonic() + fl_args_duration(args, "for");
    fl_status status = fl_ask_create(&f.ask, args, &err);
    if (status == FL_OK)
        status = fl_args_flag(args, "summary") ? summarize(&f, &err) : follow(&f, &err);
    fl_ask_destroy(f.ask);
    return status == FL_OK ? FL_EXIT_OK : fl_cli_fail(cli, &err);
}

static const fl_option tail_options[] = {
    {.name = "summary", .letter = 's', .kind = FL_OPTION_FLAG, .help = "One line a second"},
    {.name = "count",
     .letter = 'n',
     .kind = FL_OPTION_COUNT,
     .argument = "N",
     .help = "End after so many lines"},
    {.name = "for", .kind = FL_OPTION_DURATION, .argument = "TIME", .help = "End after this time"},
    FL_ASK_OPTIONS,
    FL_OPTION_FORMAT("How to print each line"),
};

static const fl_example tail_examples[] = {
    {"faultline tail --for 1m", "what comes in within a minute"},
    {"faultline tail --summary --count 2", "how much comes in, for two seconds"},
};

static const fl_exit_note tail_exits[] = {
    {FL_EXIT_OK, "as many lines or as much time as was asked for"},
    {FL_EXIT_ERROR, "the daemon does not answer, or the output was closed"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_tail = {
    .name = "tail",
    .summary = "follow what the daemon receives",
    .description =
        "Shows each record that a running `faultline serve` accepts from now on: when, what, whose,"
        " and the beginning of its text. At most 1,000 a second are shown; how many more there"
        " were is said. While nobody follows, it costs the daemon nothing.",
    .options = tail_options,
    .option_count = FL_COUNT(tail_options),
    .examples = tail_examples,
    .example_count = FL_COUNT(tail_examples),
    .exits = tail_exits,
    .exit_count = FL_COUNT(tail_exits),
    .run = run_tail,
};
