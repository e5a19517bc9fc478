/*
 * cmd_graph.c - what the graph holds: one table of actions, and what all of them share.
 *
 * The formats that make sense differ by action: each lists its own, and the option's choices are
 * all of them together.
 */
#include "cmd_graph.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "report_graph.h"

const char *const fl_graph_text_json[] = {"text", "json", NULL};

/* One a line, so that two who add an action do not meet. */
/* clang-format off */
static const fl_action *const actions[] = {
    &fl_graph_action_paths.about,
    &fl_graph_action_as_of.about,
    &fl_graph_action_show.about,
    &fl_graph_action_neighbours.about,
    &fl_graph_action_export.about,
    &fl_graph_action_import.about,
    &fl_graph_action_stats.about,
    &fl_graph_action_init.about,
    &fl_graph_action_check.about,
    &fl_graph_action_copy.about,
    &fl_graph_action_migrate.about,
    NULL
};
/* clang-format on */

/* The table that the operand was checked against. */
static const fl_graph_action *find_action(const char *name)
{
    const fl_action *const *at = actions;
    while (strcmp((*at)->name, name) != 0) {
        at++;
        assert(*at != NULL);
    }
    return (const fl_graph_action *)(const void *)*at;
}

bool fl_graph_wants(const fl_graph_call *call, const char *format)
{
    assert(call->format != NULL);
    return strcmp(call->format, format) == 0;
}

fl_status fl_graph_flush(fl_graph_call *call, fl_error *err)
{
    fl_status status = fl_buf_check(&call->out, "the graph", err);
    fl_slice bytes = fl_buf_slice(&call->out);
    if (status == FL_OK && bytes.len > 0 &&
        fwrite(bytes.ptr, 1, bytes.len, call->cli->out) != bytes.len)
        status =
            fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot write the answer: %s", strerror(errno));
    fl_buf_clear(&call->out);
    return status;
}

/* The format that was named, or the action's first; FL_E_SYNTAX lists what there is. */
static fl_status find_format(fl_graph_call *call, const fl_graph_action *action, fl_error *err)
{
    char list[64] = "";
    size_t used = 0;
    const char *given = fl_args_text(call->args, "format");
    call->format = given != NULL ? given : action->formats[0];
    for (const char *const *known = action->formats; *known != NULL; known++) {
        if (fl_graph_wants(call, *known))
            return FL_OK;
        if (used < sizeof(list))
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
                                     used > 0 ? " or " : "", *known);
    }
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "graph %s has no format %s: %s",
                   action->about.name, call->format, list);
}

/* Too few and too many are said alike. */
static fl_status check_operands(const fl_args *args, const fl_graph_action *action, fl_error *err)
{
    const char *wanted = action->about.operands;
    assert(action->least <= action->most && (action->most == 0) == (wanted == NULL));
    if (args->more_count > action->most && action->most == 0)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "graph %s takes nothing behind it, not '%.40s'", args->operand,
                       args->more[0]);
    if (args->more_count < action->least || args->more_count > action->most)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "graph %s wants %s behind it", args->operand,
                       wanted);
    return FL_OK;
}

/* The store as the action wants it, and the incident that --incident names. */
static fl_status open_stored(fl_graph_call *call, fl_graph_access access, fl_error *err)
{
    char location[FL_LOCATION_BYTES];
    call->stored = (fl_stored){.arena = fl_arena_of(4 * FL_MAX_DOCUMENT_BYTES)};
    if (access == FL_GRAPH_OPENS)
        return FL_OK;
    if (access == FL_GRAPH_READS)
        return fl_stored_open(&call->stored, call->args, fl_args_text(call->args, "incident"), err);
    fl_status status = fl_location_find(location, call->args, true, err);
    return status == FL_OK ? fl_store_open(&call->stored.store, location, FL_STORE_CREATE, err)
                           : status;
}

/* What an action cannot do is said before its store is opened. */
static fl_exit run_graph(fl_cli *cli, const fl_args *args)
{
    assert(args->operand != NULL); /* required */
    const fl_graph_action *action = find_action(args->operand);
    fl_error err = {0};
    fl_graph_call call = {.cli = cli,
                          .args = args,
                          .as_of_ns = fl_args_has(args, "as-of")
                                          ? fl_args_time(args, "as-of", cli->now_ns)
                                          : cli->now_ns,
                          .out = fl_buf_of(FL_MAX_GRAPH_DOCUMENT_BYTES),
                          .code = FL_EXIT_OK};
    if (check_operands(args, action, &err) != FL_OK || find_format(&call, action, &err) != FL_OK) {
        fl_cli_complain(cli, "%s", err.message);
        return FL_EXIT_USAGE;
    }
    fl_status status = open_stored(&call, action->access, &err);
    if (status == FL_OK)
        status = action->run(&call, &err);
    fl_stored_dispose(&call.stored);
    fl_exit code = fl_cli_finish(cli, &call.out, status, &err);
    return code == FL_EXIT_OK ? call.code : code;
}

static const char *const formats[] = {"text", "json", "dot", "graphml", "cypher", NULL};

static const fl_option options[] = {
    {.name = "incident",
     .kind = FL_OPTION_TEXT,
     .argument = "ID",
     .help = "paths: the incident whose symptoms are asked for"},
    {.name = "symptom",
     .kind = FL_OPTION_TEXT,
     .repeatable = true,
     .argument = "KEY",
     .help = "paths: a symptom as 'graph export' writes its key"},
    {.name = "service",
     .kind = FL_OPTION_TEXT,
     .argument = "NAME",
     .help = "paths: the symptoms of the incidents that were laid to this service"},
    {.name = "most",
     .kind = FL_OPTION_COUNT,
     .argument = "N",
     .fallback = "10",
     .help = "paths: how many causes are told, and how many fixes of each; 0: all that are known"},
    {.name = "as-of",
     .kind = FL_OPTION_TIME,
     .argument = "TIME",
     .help = "What was known then, instead of now"},
    {.name = "depth",
     .kind = FL_OPTION_COUNT,
     .argument = "N",
     .fallback = "2",
     .help = "neighbours: how many edges away, at most 16"},
    {.name = "limit",
     .kind = FL_OPTION_COUNT,
     .argument = "N",
     .fallback = "200",
     .help = "neighbours: how many nodes, at most 100000"},
    {.name = "time-limit",
     .kind = FL_OPTION_DURATION,
     .argument = "DURATION",
     .fallback = "10s",
     .help = "paths, neighbours: how long it may take; what was found until then is the answer"},
    {.name = "rank",
     .kind = FL_OPTION_FLAG,
     .help = "neighbours: those that most ways lead to, and not the nearest; reads all edges"},
    {.name = "dry-run",
     .kind = FL_OPTION_FLAG,
     .help = "import, init, migrate: only say what would be done, and do nothing"},
    {.name = "store",
     .kind = FL_OPTION_TEXT,
     .argument = "URL",
     .help = "The store: a file, sqlite:FILE or postgresql://HOST/NAME"},
    {.name = "format",
     .kind = FL_OPTION_CHOICE,
     .argument = "FORMAT",
     .choices = formats,
     .help = "text or json; of an export json, dot, graphml or cypher"},
};

static const fl_operand operand = {
    .name = "ACTION",
    .help = "what to do, as listed below",
    .required = true,
    .actions = actions,
    .more = "WORD",
    .more_help = "what the action is about",
};

static const fl_example examples[] = {
    {"faultline graph paths --incident 20230129T0934",
     "what explained such symptoms before, and what fixed it"},
    {"faultline graph as-of -2h", "what the graph was surest of two hours ago"},
    {"faultline graph show 20230129T0934",
     "a node, here an incident: its edges and what they rest on"},
    {"faultline graph neighbours 20230129T0934 --depth 3", "what lies up to three edges around it"},
    {"faultline graph init", "begin with what is publicly known to go wrong"},
    {"faultline graph export --format dot", "the graph in Graphviz's language, to be drawn by it"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "the answer was printed, also where nothing is known"},
    {FL_EXIT_ERROR,
     "no such incident or node, the store could not be read, or the check found a fault"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_graph = {
    .name = "graph",
    .summary = "show what is remembered: symptom, cause, fix",
    .description =
        "Reads the graph that confirmed incidents have taught. Every confidence is the mean of a"
        " Beta posterior over the evidence, with its 90 % interval and the number of items; the"
        " order is that of the lower bounds, so that 1 of 1 does not outrank 48 of 50.",
    .options = options,
    .option_count = FL_COUNT(options),
    .operand = &operand,
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_graph,
};
