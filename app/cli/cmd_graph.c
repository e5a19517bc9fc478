/*
 * cmd_graph.c - what the graph holds: the paths that explain symptoms, and all of it for others.
 *
 * The formats that make sense differ by action, and so each action checks its own; the option's
 * choices are all of them together.
 */
#include <assert.h>
#include <string.h>

#include "report_graph.h"
#include "report_memory.h"
#include "slice.h"
#include "stored.h"

/* What the command is asked to do, and with what. */
typedef struct action {
    const char *name;
    fl_status (*run)(fl_buf *out, const fl_cli *cli, const fl_args *args, fl_stored *stored,
                     fl_error *err);
} action;

/* --format, which always has a value. */
static bool wants(const fl_args *args, const char *format)
{
    return strcmp(fl_args_text(args, "format"), format) == 0;
}

/* Now, where the user names no other time. */
static int64_t as_of(const fl_cli *cli, const fl_args *args)
{
    return fl_args_has(args, "as-of") ? fl_args_time(args, "as-of", cli->now_ns) : cli->now_ns;
}

/* Says what there is instead. */
static fl_status no_such_format(const fl_args *args, const char *known, fl_error *err)
{
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "graph %s has no format %s: %s", args->operand,
                   fl_args_text(args, "format"), known);
}

/* The symptoms that --symptom names, as they stand. */
static fl_status symptoms_said(fl_symptoms *out, const fl_args *args, fl_stored *stored,
                               int64_t now_ns, fl_error *err)
{
    const char *given[FL_MAX_GIVEN];
    size_t count = fl_args_list(args, "symptom", given);
    fl_graph_node *nodes = fl_arena_alloc(&stored->arena, FL_MAX_SYMPTOMS, sizeof(*nodes));
    if (nodes == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the symptoms");
    if (count == 0 || count > FL_MAX_SYMPTOMS)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "graph paths wants --incident ID, or --symptom KEY up to %d times",
                       FL_MAX_SYMPTOMS);
    for (size_t i = 0; i < count; i++)
        nodes[i] = (fl_graph_node){.id = fl_node_id(FL_NODE_SYMPTOM, fl_slice_of(given[i])),
                                   .kind = FL_NODE_SYMPTOM,
                                   .key = given[i],
                                   .recorded_ns = now_ns};
    *out = (fl_symptoms){.nodes = nodes, .count = count};
    return FL_OK;
}

/* The symptoms of a stored incident, or those that were named. */
static fl_status run_paths(fl_buf *out, const fl_cli *cli, const fl_args *args, fl_stored *stored,
                           fl_error *err)
{
    fl_symptoms symptoms;
    fl_memory memory;
    int64_t now_ns = as_of(cli, args);
    const fl_incident *incident = stored->incident;
    fl_memory_question question = {.symptoms = &symptoms, .now_ns = now_ns};
    fl_status status = incident != NULL
                           ? fl_symptoms_of(&symptoms, incident, now_ns, &stored->arena, err)
                           : symptoms_said(&symptoms, args, stored, now_ns, err);
    if (incident != NULL)
        question.self = fl_node_id(FL_NODE_INCIDENT, fl_slice_of(incident->id));
    if (status == FL_OK)
        status = fl_memory_recall(&memory, stored->store, &question, &stored->arena, err);
    if (status != FL_OK)
        return status;
    if (wants(args, "json"))
        return fl_report_memory_json(out, &symptoms, &memory, err);
    if (!wants(args, "text"))
        return no_such_format(args, "text or json", err);
    return fl_report_memory_text(out, &memory, SIZE_MAX, &cli->style, err);
}

/* JSON where no format is named: an export is for a program. */
static fl_status run_export(fl_buf *out, const fl_cli *cli, const fl_args *args, fl_stored *stored,
                            fl_error *err)
{
    int64_t as_of_ns = as_of(cli, args);
    if (wants(args, "dot"))
        return fl_report_graph_dot(out, stored->store, as_of_ns, err);
    if (wants(args, "json") || !fl_args_has(args, "format"))
        return fl_report_graph_json(out, stored->store, as_of_ns, err);
    return no_such_format(args, "json or dot", err);
}

/* For people only. */
static fl_status run_stats(fl_buf *out, const fl_cli *cli, const fl_args *args, fl_stored *stored,
                           fl_error *err)
{
    int64_t as_of_ns = as_of(cli, args);
    if (!wants(args, "text"))
        return no_such_format(args, "text", err);
    return fl_report_graph_stats(out, stored->store, as_of_ns, &cli->style, err);
}

static const action actions[] = {
    {"paths", run_paths}, {"export", run_export}, {"stats", run_stats}};
static const char *const action_names[] = {"paths", "export", "stats", NULL};

/* The store must be there: asking makes none. */
static fl_exit run_graph(fl_cli *cli, const fl_args *args)
{
    assert(args->operand != NULL); /* required */
    fl_stored stored;
    fl_error err = {0};
    fl_buf out = fl_buf_of(FL_MAX_GRAPH_DOCUMENT_BYTES);
    fl_status status = fl_stored_open(&stored, args, fl_args_text(args, "incident"), &err);
    for (size_t i = 0; status == FL_OK && i < FL_COUNT(actions); i++)
        if (strcmp(actions[i].name, args->operand) == 0)
            status = actions[i].run(&out, cli, args, &stored, &err);
    fl_stored_dispose(&stored);
    return fl_cli_finish(cli, &out, status, &err);
}

static const char *const formats[] = {"text", "json", "dot", NULL};

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
    {.name = "as-of",
     .kind = FL_OPTION_TIME,
     .argument = "TIME",
     .help = "What was known then, instead of now"},
    {.name = "store",
     .kind = FL_OPTION_TEXT,
     .argument = "URL",
     .help = "The store to read: a file, sqlite:FILE or postgresql://HOST/NAME"},
    {.name = "format",
     .kind = FL_OPTION_CHOICE,
     .argument = "FORMAT",
     .choices = formats,
     .fallback = "text",
     .help = "paths: text or json; export: json or dot"},
};

static const fl_operand operand = {
    .name = "ACTION",
    .help = "paths: causes and fixes that the graph knows for symptoms, best first;"
            " export: all of it; stats: how much it holds",
    .required = true,
    .choices = action_names};

static const fl_example examples[] = {
    {"faultline graph paths --incident 20230129T0934",
     "what explained such symptoms before, and what fixed it"},
    {"faultline graph export --format dot", "the graph in Graphviz's language, to be drawn by it"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "the answer was printed, also where nothing is known"},
    {FL_EXIT_ERROR, "no such incident, or the store could not be read"},
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
