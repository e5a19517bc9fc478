/*
 * cmd_sources.c - whether the servers of telemetry answer, and what they hold.
 */
#include <assert.h>

#include "args.h"
#include "config_load.h"
#include "config_sources.h"
#include "mem.h"
#include "pulled.h"
#include "sources_view.h"

enum { MAX_PAGE_BYTES = 16 << 20 };

/* Those of the command line and of the file, in memory of its own. */
static fl_status list_sources(fl_source **out, size_t *count, const fl_args *args,
                              const fl_config *config, fl_error *err)
{
    fl_pulled_sources given;
    *out = NULL;
    fl_status status = fl_pulled_sources_of(&given, args, err);
    if (status != FL_OK)
        return status;
    size_t configured = config != NULL ? fl_config_sources_list(NULL, config) : 0;
    *count = given.count + configured;
    *out = fl_mem_calloc(*count + 1, sizeof(**out));
    if (*out == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for sources");
    for (size_t i = 0; i < given.count; i++)
        (*out)[i] = given.items[i];
    if (config != NULL)
        (void)fl_config_sources_list(*out + given.count, config);
    return FL_OK;
}

/* All, some or none of them. */
static fl_exit code_of(const fl_probed *found, size_t count)
{
    size_t there = 0;
    for (size_t i = 0; i < count; i++)
        there += found[i].status == FL_OK;
    if (there == count)
        return FL_EXIT_OK;
    return there > 0 ? FL_EXIT_PARTIAL : FL_EXIT_ERROR;
}

/* All sources at once; one that fails is a line of the page and the exit code. */
static fl_exit check_sources(fl_cli *cli, const fl_args *args, const fl_source *sources,
                             size_t count)
{
    fl_error err = {0};
    fl_buf page = fl_buf_of(MAX_PAGE_BYTES);
    fl_probed *found = fl_mem_calloc(count, sizeof(*found));
    fl_status status =
        found != NULL ? FL_OK : fl_fail(&err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for sources");
    if (status == FL_OK)
        status = fl_probe(found, sources, count, cli->now_ns, &err);
    const fl_sources_found all = {.sources = sources, .found = found, .count = count};
    if (status == FL_OK)
        status = fl_args_wants_json(args) ? fl_sources_json(&page, &all, &err)
                                          : fl_sources_text(&page, &all, &cli->style, &err);
    fl_exit written = fl_cli_finish(cli, &page, status, &err);
    fl_exit code = written != FL_EXIT_OK ? written : code_of(found, count);
    fl_mem_free(found);
    return code;
}

/* Sources of the configuration, or those that the flags name. */
static fl_exit run_sources(fl_cli *cli, const fl_args *args)
{
    const char *path = fl_args_text(args, "config");
    fl_config *config = NULL;
    fl_source *sources = NULL;
    fl_error err = {0};
    size_t count = 0;
    fl_exit code = path != NULL ? fl_config_of(&config, cli, path, NULL, 0) : FL_EXIT_OK;
    if (code != FL_EXIT_OK)
        return code;
    assert(args->operand != NULL); /* required, and "check" */
    if (list_sources(&sources, &count, args, config, &err) != FL_OK)
        code = fl_cli_fail(cli, &err);
    else if (count == 0) {
        fl_cli_complain(cli, "sources: no source is named, as in: %s",
                        fl_cmd_sources.examples[0].line);
        code = FL_EXIT_USAGE;
    } else
        code = check_sources(cli, args, sources, count);
    fl_mem_free(sources);
    fl_config_destroy(config);
    return code;
}

static const fl_action check_action = {
    "check", NULL,
    "Ask each source whether it answers: its version, its clock, what it holds, how far back"};
static const fl_action *const actions[] = {&check_action, NULL};

static const fl_operand operand = {
    .name = "ACTION", .help = "what to do", .required = true, .actions = actions};

static const fl_option options[] = {
    FL_PULLED_OPTIONS,
    {.name = "config",
     .kind = FL_OPTION_FILE,
     .argument = "FILE",
     .help = "The daemon's configuration, whose sources are asked as well"},
    FL_OPTION_FORMAT("How to print the answer"),
};

static const fl_example examples[] = {
    {"faultline sources check --prometheus http://localhost:9090 --loki http://localhost:3100",
     "before an incident: do they answer, and are their clocks right?"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "each source answered"},
    {FL_EXIT_ERROR, "none did, or the configuration has mistakes"},
    {FL_EXIT_USAGE, "the command line was not understood"},
    {FL_EXIT_PARTIAL, "some did not"},
};

const fl_command fl_cmd_sources = {
    .name = "sources",
    .summary = "check the servers that keep the telemetry",
    .description =
        "Asks each source some small questions at once: does it answer, which version is it, how "
        "far"
        " is its clock from this machine's and how well is that known, whose telemetry does it"
        " have, and how old is the oldest. Ages are tried on a ladder from an hour to a year.",
    .options = options,
    .option_count = FL_COUNT(options),
    .operand = &operand,
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_sources,
};
