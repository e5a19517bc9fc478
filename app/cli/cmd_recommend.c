/*
 * cmd_recommend.c - a service's file to a baseline: what the graph advises before it is launched.
 *
 * Names are those of the built-in library whatever the store was loaded from: aliases are a matter
 * of reading the file. Nothing is written to the store, and asking makes none.
 */
#include <string.h>

#include "inputs.h"
#include "report_recommend.h"
#include "stored.h"

enum { MAX_ADVICE_BYTES = 256 << 20 };

/* Forms that are not for everybody have their own function. */
static fl_status write_as(fl_buf *out, const char *format, const fl_recommend_shown *shown,
                          const fl_report_style *style, fl_error *err)
{
    if (strcmp(format, "json") == 0)
        return fl_report_recommend_json(out, shown, err);
    if (strcmp(format, "markdown") == 0)
        return fl_report_recommend_markdown(out, shown, err);
    if (strcmp(format, "prometheus-rules") == 0)
        return fl_report_recommend_rules(out, shown, err);
    if (strcmp(format, "rego") == 0)
        return fl_report_recommend_rego(out, shown, err);
    return fl_report_recommend_text(out, shown, style, err);
}

/* The file first: a mistake in it is said whether or not there is a store. */
static fl_status recommend(fl_buf *out, fl_cli *cli, const fl_args *args, fl_arena *arena,
                           fl_error *err)
{
    fl_slice text;
    fl_service service;
    fl_recommended advice;
    fl_store *store = NULL;
    fl_library *names = NULL;
    const char *path = fl_args_text(args, "service");
    fl_status status = fl_inputs_read(&text, path, FL_MAX_SERVICE_BYTES, arena, err);
    if (status == FL_OK)
        status = fl_service_read(&service, arena, text, path, err);
    if (status == FL_OK)
        status = fl_library_create(&names, err);
    if (status == FL_OK)
        status = fl_library_add_built_in(names, err);
    if (status == FL_OK)
        status = fl_stored_open_store(&store, args, err);
    const fl_recommend_question question = {
        .service = &service, .names = names, .now_ns = cli->now_ns};
    if (status == FL_OK)
        status = fl_recommend(&advice, store, &question, arena, err);
    const fl_recommend_shown shown = {.service = &service, .advice = &advice};
    if (status == FL_OK)
        status = write_as(out, fl_args_text(args, "format"), &shown, &cli->style, err);
    fl_store_close(store);
    fl_library_destroy(names);
    return status;
}

static fl_exit run_recommend(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    fl_arena arena = fl_arena_of(MAX_ADVICE_BYTES);
    fl_buf out = fl_buf_of(MAX_ADVICE_BYTES);
    fl_status status = recommend(&out, cli, args, &arena, &err);
    fl_arena_dispose(&arena);
    fl_exit code = fl_cli_finish(cli, &out, status, &err);
    if (status == FL_E_NOTFOUND)
        fl_cli_complain(cli, "'faultline graph init' makes a store with the curated library");
    return code;
}

static const char *const formats[] = {"text", "json", "markdown", "prometheus-rules", "rego", NULL};

static const fl_option options[] = {
    {.name = "service",
     .kind = FL_OPTION_FILE,
     .required = true,
     .argument = "FILE",
     .help = "The service, as YAML or JSON: name, kind, components (name, version), config,"
             " depends_on"},
    {.name = "store",
     .kind = FL_OPTION_TEXT,
     .argument = "URL",
     .help = "The store with the graph: a file, sqlite:FILE or postgresql://HOST/NAME"},
    {.name = "format",
     .kind = FL_OPTION_CHOICE,
     .argument = "FORMAT",
     .choices = formats,
     .fallback = "text",
     .help = "A page, JSON, a checklist in Markdown, alerts as a rule file of Prometheus, or a"
             " policy in Rego"},
};

static const fl_example examples[] = {
    {"faultline recommend --service checkout.yaml", "what to set, watch and check before launch"},
    {"faultline recommend --service checkout.yaml --format prometheus-rules",
     "its alerts as a file that Prometheus loads"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "the answer was printed, also where nothing is recommended"},
    {FL_EXIT_ERROR, "the file or the store could not be read"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_recommend = {
    .name = "recommend",
    .summary = "advise a new service, from what the graph knows",
    .description =
        "Reads what a service is made of and says what the graph advises for it: settings to have"
        " or to avoid, limits, upgrades, alerts, checks before launch, and plans. A cause applies"
        " where every component and setting that it requires is there in a version or with a value"
        " for which it holds. Each piece of advice comes with the path that leads to it, its"
        " confidence with a 90 % interval, and the number of incidents that it would have been"
        " for. 'faultline graph init' loads what is publicly known; no recommendation is an answer"
        " as well.",
    .options = options,
    .option_count = FL_COUNT(options),
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_recommend,
};
