/*
 * cmd_incidents.c - what was triaged before: incidents lists, show prints one again.
 *
 * Both read only. A store that does not exist is an empty list where its place is the default, and
 * an error where the user has named it: a wrong path must not look like a quiet night.
 */
#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "json_put.h"
#include "mem.h"
#include "page.h"
#include "shown.h"
#include "slice.h"
#include "stored.h"
#include "terminal.h"
#include "timestamp.h"

/* --- incidents --- */

/* One row of the table. The id is shown whole: it is what `show` wants. */
static fl_status list_line(const fl_store_row *row, void *payload, fl_error *err)
{
    fl_page *page = payload;
    char at[FL_TIME_TEXT], probability[FL_PERCENT_TEXT];
    fl_page_put(page, FL_INK_BOLD, row->id);
    fl_page_pad(page, 28);
    fl_page_put(page, FL_INK_PLAIN, fl_time_format(at, row->at_ns - row->at_ns % FL_NS_PER_S));
    fl_page_pad(page, 50);
    fl_page_printf(page, FL_INK_PLAIN, "%5s", fl_page_percent(probability, row->probability));
    fl_page_pad(page, 57);
    if (strcmp(row->verdict, fl_verdict_name(FL_VERDICT_CAUSE_FOUND)) != 0)
        fl_page_put(page, FL_INK_WARN, "no confident cause");
    else
        fl_page_printf(page, FL_INK_PLAIN, "%.200s: %.64s",
                       row->service != NULL ? row->service : "(service not named)",
                       row->cause != NULL ? row->cause : "unknown");
    if (row->state != NULL)
        fl_page_printf(page, FL_INK_DIM, " (%.16s)", row->state);
    fl_page_newline(page);
    return fl_buf_check(page->out, "the list", err);
}

/* jansson passes the NULL of a failed constructor on, so one check at the end is enough. */
static fl_status list_json(const fl_store_row *row, void *payload, fl_error *err)
{
    char at[FL_TIME_TEXT], stored[FL_TIME_TEXT];
    json_t *item =
        json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?}", "id", row->id, "at",
                  fl_time_format(at, row->at_ns), "stored", fl_time_format(stored, row->stored_ns),
                  "verdict", row->verdict, "service", row->service, "cause", row->cause);
    json_t *probability = isnan(row->probability) ? json_null() : json_real(row->probability);
    int failed = json_object_set_new(item, "probability", probability);
    failed |= json_object_set_new(item, "state", fl_put_text_of(row->state));
    failed |= json_array_append_new(payload, item);
    return failed == 0 ? FL_OK
                       : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while listing");
}

/* `store` NULL: nothing is stored yet, which is an empty list and no error. */
static fl_status write_json(fl_buf *out, fl_store *store, size_t limit, fl_error *err)
{
    json_t *list = json_array();
    fl_status status = store != NULL ? fl_store_list(store, limit, list_json, list, err) : FL_OK;
    json_t *document =
        json_pack("{s:s, s:o}", "schema", "faultline.incidents/1", "incidents", list);
    if (status == FL_OK && !fl_put_dump(out, document, JSON_INDENT(2) | JSON_REAL_PRECISION(9)))
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while listing");
    fl_buf_char(out, '\n');
    json_decref(document);
    return status;
}

/* `store` NULL: no table at all; stderr says why. */
static fl_status write_text(fl_buf *out, const fl_cli *cli, fl_store *store, size_t limit,
                            fl_error *err)
{
    fl_page page = fl_page_on(out, &cli->style);
    if (store == NULL)
        return FL_OK;
    fl_page_put(&page, FL_INK_DIM, "Incident");
    fl_page_pad(&page, 28);
    fl_page_put(&page, FL_INK_DIM, "At");
    fl_page_pad(&page, 50);
    fl_page_put(&page, FL_INK_DIM, "Prob.");
    fl_page_pad(&page, 57);
    fl_page_put(&page, FL_INK_DIM, "Cause");
    fl_page_newline(&page);
    return fl_store_list(store, limit, list_line, &page, err);
}

/* --limit 0 is all of them. */
static fl_exit run_incidents(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    fl_store *store = NULL;
    fl_buf out = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    size_t limit = (size_t)fl_args_count(args, "limit");
    fl_status status = fl_stored_open_store(&store, args, &err);
    if (status == FL_E_NOTFOUND && !fl_args_has(args, "store")) {
        /* The default place is made by the first triage: until then the list is empty. */
        fl_cli_complain(cli, "nothing is stored yet");
        err = (fl_error){0};
        status = FL_OK;
    }
    if (status == FL_OK)
        status = fl_args_wants_json(args) ? write_json(&out, store, limit, &err)
                                          : write_text(&out, cli, store, limit, &err);
    fl_store_close(store);
    return fl_cli_finish(cli, &out, status, &err);
}

static const fl_option incidents_options[] = {
    {.name = "limit",
     .letter = 'n',
     .kind = FL_OPTION_COUNT,
     .argument = "N",
     .fallback = "20",
     .help = "How many to list, the last triaged first; 0 for all"},
    {.name = "store",
     .kind = FL_OPTION_TEXT,
     .argument = "URL",
     .help = "The store to read: a file, sqlite:FILE or postgresql://HOST/NAME"},
    FL_OPTION_FORMAT("How to print the list"),
};

static const fl_example incidents_examples[] = {
    {"faultline incidents", "list what was triaged last"},
    {"faultline incidents --limit 0 --format json", "all of it, for a program"},
};

static const fl_exit_note incidents_exits[] = {
    {FL_EXIT_OK, "the list was printed"},
    {FL_EXIT_ERROR, "the store could not be read, or the list not be written"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_incidents = {
    .name = "incidents",
    .summary = "list what was triaged before",
    .description = "Lists the incidents in the store, the last triaged first: the id, when it"
                   " happened, and the most probable cause.",
    .options = incidents_options,
    .option_count = FL_COUNT(incidents_options),
    .examples = incidents_examples,
    .example_count = FL_COUNT(incidents_examples),
    .exits = incidents_exits,
    .exit_count = FL_COUNT(incidents_exits),
    .run = run_incidents,
};

/* --- show --- */

/* The JSON answer is the stored bytes; the page is made from them, and from the picture beside
 * them. */
static fl_status render(fl_buf *out, const fl_cli *cli, fl_store *store, const char *document,
                        fl_error *err)
{
    assert(document != NULL);
    char *picture = NULL;
    fl_status status = fl_shown_picture(&picture, store, document, err);
    if (status == FL_OK)
        status = fl_shown_text(out, &(fl_shown){.document = document, .picture = picture},
                               &cli->style, err);
    fl_mem_free(picture);
    return status;
}

/* The id is that of the document, of which the operand may be the beginning. */
static fl_status render_picture(fl_buf *out, fl_store *store, const char *document, fl_error *err)
{
    const fl_incident *incident = NULL;
    char *picture = NULL;
    fl_arena arena = fl_arena_of(4 * FL_MAX_DOCUMENT_BYTES);
    fl_status status = fl_report_load(&incident, &arena, fl_slice_of(document), err);
    if (status == FL_OK)
        status = fl_store_get_picture(store, incident->id, &picture, err);
    if (status == FL_OK)
        fl_buf_text(out, picture);
    fl_mem_free(picture);
    fl_arena_dispose(&arena);
    return status == FL_OK ? fl_buf_check(out, "the picture", err) : status;
}

/* Exit code 0 whatever the verdict was: the question was to see it. */
static fl_exit run_show(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    fl_store *store = NULL;
    char *document = NULL;
    assert(args->operand != NULL); /* required */
    fl_buf out = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_status status = fl_stored_open_store(&store, args, &err);
    if (status == FL_OK)
        status = fl_store_get(store, args->operand, &document, &err);
    if (status == FL_OK && fl_args_flag(args, "timeline"))
        status = render_picture(&out, store, document, &err);
    else if (status == FL_OK && fl_args_wants_json(args))
        fl_buf_text(&out, document);
    else if (status == FL_OK)
        status = render(&out, cli, store, document, &err);
    fl_mem_free(document);
    fl_store_close(store);
    return fl_cli_finish(cli, &out, status, &err);
}

static const fl_option show_options[] = {
    {.name = "timeline",
     .kind = FL_OPTION_FLAG,
     .help = "Print what is drawn of the incident instead, as JSON: its series, events and calls"},
    {.name = "store",
     .kind = FL_OPTION_TEXT,
     .argument = "URL",
     .help = "The store to read: a file, sqlite:FILE or postgresql://HOST/NAME"},
    FL_OPTION_FORMAT("How to print the answer"),
};

static const fl_operand show_operand = {
    .name = "ID", .help = "the incident's id, or enough of its beginning", .required = true};

static const fl_example show_examples[] = {
    {"faultline show 20230129T0934",
     "the incident whose id begins like that, as it was printed then"},
    {"faultline show 20230129T0934 --timeline", "the series, events and calls around it, as JSON"},
};

static const fl_exit_note show_exits[] = {
    {FL_EXIT_OK, "the answer was printed, whatever it is"},
    {FL_EXIT_ERROR, "no such incident, or several, or the store could not be read"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_show = {
    .name = "show",
    .summary = "print a stored answer again",
    .description =
        "Prints the answer of an earlier triage out of the store. With --format json it is"
        " the same document, byte for byte.",
    .options = show_options,
    .option_count = FL_COUNT(show_options),
    .operand = &show_operand,
    .examples = show_examples,
    .example_count = FL_COUNT(show_examples),
    .exits = show_exits,
    .exit_count = FL_COUNT(show_exits),
    .run = run_show,
};
