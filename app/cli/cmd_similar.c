/*
 * cmd_similar.c - incidents of the past that look like one, and why.
 */
#include <assert.h>

#include "report_memory.h"
#include "stored.h"

/* As it was when the incident began; now, where symptoms are named. */
static fl_memory_question question_of(const fl_symptoms *symptoms, const fl_incident *incident,
                                      const fl_cli *cli, const fl_args *args)
{
    fl_memory_question out = {.symptoms = symptoms,
                              .now_ns = cli->now_ns,
                              .most_paths = 1, /* not told here */
                              .most_fixes = 1,
                              .most_similar = (size_t)fl_args_count(args, "limit"),
                              .time_ns = fl_args_duration(args, "time-limit")};
    if (incident != NULL) {
        out.self = incident->id;
        out.at_ns = incident->at_ns;
    }
    return out;
}

/* Symptoms that nobody ever showed are no mistake: the answer is that none is alike. */
static fl_status find_similar(fl_buf *out, fl_cli *cli, const fl_args *args, fl_stored *stored,
                              fl_error *err)
{
    fl_symptoms symptoms;
    fl_memory memory;
    assert(stored->store != NULL);
    const fl_stored_asked asked = {"similar wants an incident", cli->now_ns};
    fl_status status = fl_stored_symptoms(&symptoms, stored, args, &asked, err);
    if (status != FL_OK)
        return status;
    const fl_memory_question question = question_of(&symptoms, stored->incident, cli, args);
    status = fl_memory_recall(&memory, stored->store, &question, &stored->arena, err);
    if (status != FL_OK)
        return status;
    return fl_args_wants_json(args) ? fl_report_similar_json(out, &symptoms, &memory, err)
                                    : fl_report_similar_text(out, &memory, &cli->style, err);
}

/* One of the two ways to ask, and not both: which of them was meant could not be told. */
static fl_exit run_similar(fl_cli *cli, const fl_args *args)
{
    fl_stored stored;
    fl_error err = {0};
    fl_buf out = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_status status = fl_stored_open(&stored, args, args->operand, &err);
    if (status == FL_OK && args->operand != NULL && fl_args_has(args, "symptom"))
        status = fl_fail(&err, FL_E_SYNTAX, FL_NO_OFFSET,
                         "similar takes an incident or symptoms, and not both");
    if (status == FL_OK)
        status = find_similar(&out, cli, args, &stored, &err);
    fl_stored_dispose(&stored);
    return fl_cli_finish(cli, &out, status, &err);
}

static const fl_operand operand = {
    .name = "INCIDENT",
    .help = "the incident's id, or enough of its beginning; without it, --symptom names what is"
            " seen"};

static const fl_option options[] = {
    {.name = "symptom",
     .kind = FL_OPTION_TEXT,
     .repeatable = true,
     .argument = "KEY",
     .help = "A symptom as 'graph export' writes its key"},
    {.name = "limit",
     .letter = 'n',
     .kind = FL_OPTION_COUNT,
     .argument = "N",
     .fallback = "5",
     .help = "How many incidents to tell of; 0 for all"},
    {.name = "time-limit",
     .kind = FL_OPTION_DURATION,
     .argument = "DURATION",
     .fallback = "10s",
     .help = "How long it may take; what was found until then is the answer"},
    {.name = "store",
     .kind = FL_OPTION_TEXT,
     .argument = "URL",
     .help = "The store to read: a file, sqlite:FILE or postgresql://HOST/NAME"},
    FL_OPTION_FORMAT("How to print the answer"),
};

static const fl_example examples[] = {
    {"faultline similar 20230129T0934",
     "incidents that look like this one: what is alike, what differs, and what they were"},
    {"faultline similar --symptom 'metric|cpu|container.cpu.usage'",
     "incidents in which that was seen"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "the answer was printed, also where nothing is alike"},
    {FL_EXIT_ERROR, "no such incident, neither incident nor symptom, or the store could not be"
                    " read"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_similar = {
    .name = "similar",
    .summary = "find incidents of the past that look like one",
    .description =
        "Incidents are compared by their symptoms: fingerprints without a time, a host or a"
        " service. How alike two are is the weight of what both show over the weight of what"
        " either shows, where strong and rare symptoms weigh more. Each is told with what is in"
        " common, what only one of them shows, what it was diagnosed as and what helped then.",
    .options = options,
    .option_count = FL_COUNT(options),
    .operand = &operand,
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_similar,
};
