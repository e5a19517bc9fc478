/*
 * cmd_postmortem.c - a draft of a postmortem out of the store, and what people made of one back
 * into the graph.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "inputs.h"
#include "mem.h"
#include "page.h"
#include "postmortem.h"
#include "publish.h"
#include "report_memory.h"
#include "slice.h"
#include "stored.h"

static const char *const formats[] = {"markdown", "html", "json", NULL};

/* The choices stand in the order of the enum. */
static fl_postmortem_format format_of(const fl_args *args)
{
    const char *name = fl_args_text(args, "format");
    size_t format = 0;
    assert(name != NULL); /* one of the choices */
    while (strcmp(formats[format], name) != 0)
        format++;
    return (fl_postmortem_format)format;
}

/* --- a draft --- */

/* The template is read first: a mistake in it is said before the store is opened. */
static fl_status write_draft(fl_buf *out, const fl_cli *cli, const fl_args *args, fl_error *err)
{
    fl_store *store = NULL;
    char *document = NULL;
    const char *path = fl_args_text(args, "template");
    fl_arena arena = fl_arena_of(2 * FL_MAX_POSTMORTEM_BYTES);
    fl_postmortem_options options = {.format = format_of(args), .template_name = path};
    fl_status status = FL_OK;
    if (path != NULL)
        status = fl_inputs_read(&options.template, path, FL_MAX_POSTMORTEM_BYTES, &arena, err);
    if (status == FL_OK)
        status = fl_stored_open_store(&store, args, err);
    if (status == FL_OK)
        status = fl_store_get(store, args->operand, &document, err);
    if (status == FL_OK)
        status = fl_postmortem_of(out, store, document, &options, cli->now_ns, err);
    fl_mem_free(document);
    fl_store_close(store);
    fl_arena_dispose(&arena);
    return status;
}

/* --- back into the graph --- */

/* As 'confirm' does: of this user, where the environment says who that is. */
static const char *author_of(const fl_args *args)
{
    const char *given = fl_args_text(args, "author"), *user = getenv("USER");
    if (given != NULL)
        return given;
    return user != NULL && user[0] != '\0' ? user : "unknown";
}

/* A line for each thing that would be learnt, or what it moved. */
static fl_status tell(fl_buf *out, const fl_cli *cli, const fl_publication *said, bool is_dry,
                      fl_error *err)
{
    fl_status status = FL_OK;
    fl_page page = fl_page_on(out, &cli->style);
    for (size_t i = 0; i < said->count && status == FL_OK; i++) {
        const fl_published *item = &said->items[i];
        if (!is_dry) {
            status = fl_report_learnt_text(out, item->supports ? "confirmed" : "rejected",
                                           &item->lesson, &item->learnt, &cli->style, err);
            continue;
        }
        fl_page_put(&page, FL_INK_BOLD,
                    item->supports ? "Would be confirmed: " : "Would be rejected: ");
        fl_page_put(&page, FL_INK_PLAIN, item->cause.title);
        if (item->lesson.fix != NULL) {
            fl_page_put(&page, FL_INK_DIM, ", fixed by: ");
            fl_page_put(&page, FL_INK_PLAIN, item->fix.title);
        }
        fl_page_newline(&page);
    }
    if (said->count == 0) {
        fl_page_put(&page, FL_INK_PLAIN,
                    "Nothing is learnt: no factor is ticked or taken out, and no cause is named.");
        fl_page_newline(&page);
    } else if (is_dry) {
        fl_page_put(&page, FL_INK_DIM, "Nothing was written (--dry-run).");
        fl_page_newline(&page);
    }
    return status == FL_OK ? fl_buf_check(out, "the answer", err) : status;
}

/* An incident that is also given must be the draft's: a wrong file is easily taken. */
static fl_status check_operand(const fl_args *args, const fl_draft *draft, fl_error *err)
{
    const char *given = args->operand;
    if (given == NULL || strncmp(draft->incident, given, strlen(given)) == 0)
        return FL_OK;
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                   "the draft is of incident %.64s, and not of %.64s", draft->incident, given);
}

/* The incident is the draft's own; the operand is only checked against it. */
static fl_status publish(fl_buf *out, const fl_cli *cli, const fl_args *args, fl_error *err)
{
    fl_stored stored = {.arena = fl_arena_of(0)};
    fl_arena arena = fl_arena_of(4 * FL_MAX_POSTMORTEM_BYTES);
    fl_slice text;
    fl_draft draft;
    fl_publication said = {0};
    fl_publish_options options = {.draft = &draft,

                                  .author = author_of(args),
                                  .now_ns = cli->now_ns,
                                  .is_dry = fl_args_flag(args, "dry-run")};
    fl_status status =
        fl_inputs_read(&text, fl_args_text(args, "publish"), FL_MAX_POSTMORTEM_BYTES, &arena, err);
    if (status == FL_OK)
        status = fl_draft_read(&draft, text, &arena, err);
    if (status == FL_OK)
        status = check_operand(args, &draft, err);
    if (status == FL_OK)
        status = fl_stored_open(&stored, args, draft.incident, err);
    if (status == FL_OK && strcmp(stored.incident->id, draft.incident) != 0)
        status = fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                         "the draft's incident '%.64s' is no whole id", draft.incident);
    options.incident = stored.incident;
    if (status == FL_OK)
        status = fl_publish(&said, stored.store, &options, &stored.arena, err);
    if (status == FL_OK)
        status = tell(out, cli, &said, options.is_dry, err);
    fl_stored_dispose(&stored);
    fl_arena_dispose(&arena);
    return status;
}

/* What is asked for is told by the options: --publish reads, everything else writes. */
static fl_exit run_postmortem(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    fl_buf out = fl_buf_of(FL_MAX_POSTMORTEM_BYTES);
    bool is_published = fl_args_has(args, "publish");
    if (args->operand == NULL && !is_published) {
        fl_cli_complain(cli, "postmortem: INCIDENT is missing, as in: %s",
                        fl_cmd_postmortem.examples[0].line);
        return FL_EXIT_USAGE;
    }
    fl_status status =
        is_published ? publish(&out, cli, args, &err) : write_draft(&out, cli, args, &err);
    return fl_cli_finish(cli, &out, status, &err);
}

static const fl_option options[] = {
    {.name = "format",
     .kind = FL_OPTION_CHOICE,
     .argument = "FORMAT",
     .choices = formats,
     .fallback = "markdown",
     .help = "How to write the draft; html is one file with its pictures, json for programs"},
    {.name = "template",
     .kind = FL_OPTION_FILE,
     .argument = "FILE",
     .help = "A text of your own in that format, in which {{summary}}, {{timeline}} and the other "
             "fields are filled"},
    {.name = "publish",
     .kind = FL_OPTION_FILE,
     .argument = "FILE",
     .help = "Read an edited draft in Markdown, and let the graph learn what people corrected"},
    {.name = "dry-run",
     .kind = FL_OPTION_FLAG,
     .help = "With --publish: only say what would be learnt"},
    {.name = "author",
     .kind = FL_OPTION_TEXT,
     .argument = "NAME",
     .help = "With --publish: who says it, instead of $USER"},
    {.name = "store",
     .kind = FL_OPTION_TEXT,
     .argument = "URL",
     .help = "The store of the incident and the graph: a file, sqlite:FILE or "
             "postgresql://HOST/NAME"},
};

static const fl_operand operand = {
    .name = "INCIDENT",
    .help = "the incident's id, or enough of its beginning; --publish finds it in the draft"};

static const fl_example examples[] = {
    {"faultline postmortem 20230129T0934 > postmortem.md", "a draft to correct and add to"},
    {"faultline postmortem 20230129T0934 --format html > postmortem.html",
     "the same as one page with its pictures, to read and to print"},
    {"faultline postmortem --publish postmortem.md --dry-run",
     "what the graph would learn from the edited draft"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "the draft was written, or what it says was learnt"},
    {FL_EXIT_ERROR, "no such incident, a template or draft that cannot be read, or the store could "
                    "not be used"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_postmortem = {
    .name = "postmortem",
    .summary = "draft the postmortem of an incident, and learn from it",
    .description =
        "Writes a draft out of what is kept of an incident and what the graph knows: summary,"
        " impact on users, timeline, contributing factors with their evidence, times to detect and"
        " to mitigate, what was ruled out, what was missing, what is known of the same fault, and"
        " action items with why. Each row says where it comes from and is marked as written by the"
        " program; sections that only people can write are empty and say so.\n"
        "With --publish an edited draft is read back: factors that were ticked are confirmed,"
        " those that were taken out are rejected, and a cause and a fix in words are learnt, as"
        " 'faultline confirm' and 'reject' do.",
    .options = options,
    .option_count = FL_COUNT(options),
    .operand = &operand,
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_postmortem,
};
