/*
 * cmd_learn.c - documents that people wrote become proposals for the graph.
 *
 * A file that cannot be read costs itself: it is named on standard error, the others are read, and
 * the exit code says so.
 */
#include <assert.h>
#include <string.h>

#include "documents.h"
#include "inputs.h"
#include "location.h"
#include "mem.h"
#include "report_learn.h"
#include "slice.h"

/* An export of some thousand issues. One file is in memory at a time, beside what it becomes. */
enum { MAX_FILE_BYTES = 64 << 20, LIST_BYTES = 16 << 20, READ_BYTES = 64 << 10 };

/* One run. */
struct learner {
    fl_cli *cli;
    fl_learn_rules *rules;
    fl_proposals *proposals;
    fl_learn_run run;
};

/* What one document proposes joins the rest. */
static fl_status take_document(const fl_document *document, void *payload, fl_error *err)
{
    struct learner *l = payload;
    l->run.documents++;
    return fl_learn_document(l->proposals, l->rules, document, l->cli->now_ns, err);
}

/* All of standard input. */
static fl_status read_input(fl_buf *out, fl_error *err)
{
    char chunk[READ_BYTES];
    size_t got;
    *out = fl_buf_of(MAX_FILE_BYTES);
    while ((got = fread(chunk, 1, sizeof(chunk), stdin)) > 0 && out->status == FL_OK)
        fl_buf_add(out, (fl_slice){.ptr = (const unsigned char *)chunk, .len = got});
    if (ferror(stdin))
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot read standard input");
    return fl_buf_check(out, "standard input", err);
}

/* Exports come through a pipe: gh, glab and jira print them. */
static fl_status learn_input(struct learner *l, fl_error *err)
{
    fl_buf bytes;
    fl_status status = read_input(&bytes, err);
    if (status == FL_OK)
        status = fl_documents_read(fl_buf_slice(&bytes), "standard input", take_document, l, err);
    fl_buf_dispose(&bytes);
    return status;
}

/* The bytes are needed no longer than the document: proposals keep their own texts. */
static fl_status learn_file(struct learner *l, const char *path, fl_error *err)
{
    fl_slice bytes;
    fl_arena arena = fl_arena_of(2 * (size_t)MAX_FILE_BYTES);
    fl_status status = fl_inputs_read(&bytes, path, MAX_FILE_BYTES, &arena, err);
    if (status == FL_OK)
        status = fl_documents_read(bytes, path, take_document, l, err);
    fl_arena_dispose(&arena);
    return status;
}

/* What went wrong with one file is said, and is no reason to stop; want of memory is. */
static fl_status learn_named(struct learner *l, const char *path, fl_error *err)
{
    assert(path != NULL);
    fl_error own = {0};
    fl_status status = strcmp(path, "-") == 0 ? learn_input(l, &own) : learn_file(l, path, &own);
    l->run.files++;
    if (status == FL_OK)
        return FL_OK;
    if (status == FL_E_NOMEM) {
        *err = own;
        return status;
    }
    fl_cli_fail(l->cli, &own);
    l->run.failed++;
    return FL_OK;
}

/* The operands in their order; files of folders by their paths. */
static fl_status learn_all(struct learner *l, const fl_args *args, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < args->more_count + 1; i++) {
        const char *path = i == 0 ? args->operand : args->more[i - 1];
        if (strcmp(path, "-") == 0) {
            status = learn_named(l, path, err);
            continue;
        }
        fl_inputs files;
        fl_arena arena = fl_arena_of(LIST_BYTES);
        status = fl_inputs_list_named(&files, &path, 1, fl_documents_is_candidate, &arena, err);
        for (size_t f = 0; status == FL_OK && f < files.count; f++)
            status = learn_named(l, files.items[f].path, err);
        fl_arena_dispose(&arena);
    }
    return status;
}

/* The store is opened last, so that a mistake in the files makes none. */
static fl_status keep(struct learner *l, const fl_args *args, fl_error *err)
{
    assert(!l->run.is_dry);
    char location[FL_LOCATION_BYTES];
    fl_store *store = NULL;
    fl_status status = fl_location_find(location, args, true, err);
    if (status == FL_OK)
        status = fl_store_open(&store, location, FL_STORE_CREATE, err);
    if (status == FL_OK)
        status = fl_learn_keep(&l->run.added, store, l->proposals, l->cli->now_ns, err);
    fl_store_close(store);
    return status;
}

/* All files first, then one answer, whatever the order of the folder. */
static fl_exit run_learn(fl_cli *cli, const fl_args *args)
{
    assert(args->operand != NULL); /* required */
    struct learner l = {.cli = cli, .run = {.is_dry = fl_args_flag(args, "dry-run")}};
    fl_error err = {0};
    fl_buf out = fl_buf_of(FL_MAX_PROPOSAL_BYTES);
    fl_status status = fl_learn_rules_create(&l.rules, &err);
    if (status == FL_OK)
        status = fl_proposals_create(&l.proposals, &err);
    if (status == FL_OK)
        status = learn_all(&l, args, &err);
    if (status == FL_OK && !l.run.is_dry)
        status = keep(&l, args, &err);
    if (status == FL_OK)
        status = fl_args_wants_json(args)
                     ? fl_report_learn_json(&out, l.proposals, &l.run, &err)
                     : fl_report_learn_text(&out, l.proposals, &l.run, &cli->style, &err);
    fl_proposals_destroy(l.proposals);
    fl_learn_rules_destroy(l.rules);
    fl_exit code = fl_cli_finish(cli, &out, status, &err);
    bool none = l.run.failed == l.run.files;
    return code == FL_EXIT_OK && l.run.failed > 0 ? none ? FL_EXIT_ERROR : FL_EXIT_PARTIAL : code;
}

static const fl_operand operand = {
    .name = "FILE",
    .help =
        "a ticket, a postmortem, a tracker's export or a folder of them; '-' for standard input",
    .required = true,
    .is_path = true,
    .more = "FILE"};

static const fl_option options[] = {
    {.name = "dry-run",
     .kind = FL_OPTION_FLAG,
     .help = "Show what would be proposed, and keep nothing"},
    {.name = "store",
     .kind = FL_OPTION_TEXT,
     .argument = "URL",
     .help = "The store of the graph: a file, sqlite:FILE or postgresql://HOST/NAME"},
    FL_OPTION_FORMAT("How to print the proposals"),
};

static const fl_example examples[] = {
    {"faultline learn --dry-run postmortems/", "what the texts of a folder seem to say"},
    {"faultline learn issues.json", "keep it as proposals, for 'faultline review'"},
    {"faultline learn --dry-run --format json - < issue.json",
     "one issue, as 'gh issue view --json title,body,author,createdAt,url,comments' prints it"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "every file was read"},
    {FL_EXIT_ERROR, "no file could be read, or the store could not be used"},
    {FL_EXIT_USAGE, "the command line was not understood"},
    {FL_EXIT_PARTIAL, "a file could not be read; the others were"},
};

const fl_command fl_cmd_learn = {
    .name = "learn",
    .summary = "propose edges of the graph from tickets and postmortems",
    .description =
        "Reads Markdown, wiki markup, plain text, HTML, issues that GitLab, GitHub and Jira export"
        " as JSON, and logs of plans, and proposes what they say: which symptom has which cause,"
        " what fixed it, which version or setting it needs, what introduced it. Each proposal"
        " keeps the sentence that it comes from, and weighs little until somebody accepts it"
        " with 'faultline review'.\n"
        "English and Chinese are understood, by rules and without a network. Reading the same"
        " text again adds nothing. A file may have 64 MB.",
    .options = options,
    .option_count = FL_COUNT(options),
    .operand = &operand,
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_learn,
};
