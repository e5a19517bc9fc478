/*
 * cmd_drill.c - triage labelled cases and count how often the cause stood first.
 *
 * run_case() is the whole of the fairness: the question is read, the triage runs and ends, and only
 * then is the answer read and compared.
 */
#include <assert.h>
#include <string.h>

#include "args.h"
#include "drill_report.h"
#include "faultline/triage.h"
#include "location.h"
#include "terminal.h"
#include "timestamp.h"

enum { DRILL_BYTES = 256 << 20 };

/* What the request holds is all that a triage learns of a case. */
static fl_status triage_case(fl_triage **out, const fl_drill_case *which,
                             const fl_drill_question *question, fl_error *err)
{
    const fl_triage_request request = {
        .otlp = &which->folder,
        .otlp_count = 1,
        .baseline = &question->baseline,
        .baseline_count = question->baseline != NULL,
        .events = &question->events,
        .events_count = question->events != NULL,
        .pprof = &question->pprof,
        .pprof_count = question->pprof != NULL,
        .traces = question->traces,
        .trace_count = question->trace_count,
        .heaps = question->heaps,
        .heap_count = question->heap_count,
        .temp_folder = fl_location_temp(),
        .at_ns = question->at_ns,
        .service = question->service,
        .topology = question->topology,
    };
    return fl_triage_run(out, &request, err);
}

/* A copy that outlives the triage. NULL stays NULL; where the arena is full a name is lost, not a
 * hit. */
static const char *keep(fl_arena *arena, const char *text)
{
    return text != NULL ? fl_arena_printf(arena, "%s", text) : NULL;
}

/* As fine as the truth is known: by the cause, or else by the service. Of several causes each is
 * the truth; where nothing was wrong nothing is. */
static bool is_true(const fl_hypothesis *hypothesis, const fl_drill_answer *truth)
{
    if (fl_drill_is_fine(truth))
        return fl_drill_names_cause(hypothesis, truth);
    if (hypothesis->service == NULL || truth->service == NULL)
        return false;
    bool is_one = strcmp(hypothesis->service, truth->service) == 0;
    for (size_t i = 0; i < truth->also_count && !is_one; i++)
        is_one = strcmp(hypothesis->service, truth->also[i]) == 0;
    return is_one;
}

/* Hypotheses that are not the truth and rank as well or better; all, where it is not among them. */
static void note_above(fl_drill_outcome *out, fl_arena *arena, const fl_incident *incident)
{
    uint32_t rank = UINT32_MAX;
    for (size_t i = 0; i < incident->hypothesis_count; i++)
        if (incident->hypotheses[i].rank < rank && is_true(&incident->hypotheses[i], &out->truth))
            rank = incident->hypotheses[i].rank;
    for (size_t i = 0; i < incident->hypothesis_count; i++) {
        const fl_hypothesis *h = &incident->hypotheses[i];
        if (h->rank > rank || is_true(h, &out->truth))
            continue;
        if (out->above_count == FL_DRILL_MAX_ABOVE) {
            out->above_left++;
            continue;
        }
        out->above[out->above_count++] = (fl_drill_above){
            .rank = h->rank,
            .service = keep(arena, h->service),
            .cause = fl_cause_name(h->cause),
            .resource = fl_resource_name(h->resource),
            .probability = h->probability,
        };
    }
}

/* A failure is part of the outcome, so that one bad case does not end a drill of hundreds. */
static void run_case(fl_drill_outcome *out, fl_arena *arena, const fl_drill_case *which)
{
    fl_error err = {0};
    fl_drill_question question = {0};
    fl_triage *triage = NULL;
    assert(which != NULL && which->folder != NULL);
    *out = (fl_drill_outcome){.which = which};
    fl_status status = fl_drill_read_question(&question, arena, which, &err);
    int64_t started_ns = fl_time_monotonic();
    if (status == FL_OK)
        status = triage_case(&triage, which, &question, &err);
    out->time_ns = fl_time_monotonic() - started_ns;
    if (status != FL_OK)
        out->failure = keep(arena, err.message);

    /* The triage is over: now the truth may be known. */
    fl_error unread = {0};
    out->is_counted = fl_drill_read_answer(&out->truth, arena, which, &unread) == FL_OK;
    if (!out->is_counted)
        out->failure = keep(arena, unread.message);
    if (triage != NULL && out->is_counted) {
        out->ranks = fl_drill_rank(fl_triage_incident(triage), &out->truth);
        note_above(out, arena, fl_triage_incident(triage));
    }
    fl_triage_destroy(triage);
}

/* One after the other, so that their times are comparable. */
static fl_status run_cases(fl_drill_outcome **out, fl_cli *cli, fl_arena *arena,
                           const fl_drill_cases *cases, fl_error *err)
{
    fl_drill_outcome *outcomes = fl_arena_alloc(arena, cases->count, sizeof(*outcomes));
    if (outcomes == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while drilling");
    fl_progress progress = fl_progress_begin(cli);
    for (size_t i = 0; i < cases->count; i++) {
        fl_progress_show(&progress, cases->items[i].name, i, cases->count);
        run_case(&outcomes[i], arena, &cases->items[i]);
    }
    fl_progress_end(&progress);
    *out = outcomes;
    return FL_OK;
}

/* Failures are said on stderr; a miss of the floor is an error, an uncounted case a partial answer.
 */
static fl_exit judge(fl_cli *cli, const fl_args *args, const fl_drill_result *result)
{
    fl_exit code = FL_EXIT_OK;
    for (size_t i = 0; i < result->outcome_count; i++) {
        const fl_drill_outcome *outcome = &result->outcomes[i];
        if (outcome->failure == NULL)
            continue;
        fl_cli_complain(cli, "case %s %s: %s", outcome->which->name,
                        outcome->is_counted ? "counts as a miss" : "is not counted",
                        outcome->failure);
        code = FL_EXIT_PARTIAL;
    }
    double floor = fl_args_ratio(args, "min-ac1");
    for (size_t i = 0; fl_args_has(args, "min-ac1") && i < result->system_count; i++) {
        const fl_drill_system *system = &result->systems[i];
        double ratio = fl_drill_ratio(system->tally.hits[0], system->tally.n);
        if (ratio >= floor)
            continue;
        fl_cli_complain(cli, "AC@1 of %s is %.3f (n = %zu), below %.3f", system->name, ratio,
                        system->tally.n, floor);
        code = FL_EXIT_ERROR;
    }
    return code;
}

/* As --format says. */
static fl_status write_result(fl_buf *out, const fl_cli *cli, const fl_args *args,
                              const fl_drill_result *result, fl_error *err)
{
    return fl_args_wants_json(args)
               ? fl_drill_json(out, result, err)
               : fl_drill_text(out, result, fl_args_flag(args, "verbose"), &cli->style, err);
}

/* The result is printed before it is judged, so that a failed floor shows its figures. */
static fl_exit run_drill(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    fl_arena arena = fl_arena_of(DRILL_BYTES);
    fl_buf page = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_drill_cases cases = {0};
    fl_drill_outcome *outcomes = NULL;
    fl_drill_result result = {0};
    fl_exit code = FL_EXIT_ERROR;
    fl_status status = fl_drill_find(&cases, &arena, fl_args_text(args, "cases"), &err);
    if (status == FL_OK)
        status = run_cases(&outcomes, cli, &arena, &cases, &err);
    if (status == FL_OK)
        status = fl_drill_sum(&result, &arena, outcomes, cases.count, &err);
    if (status == FL_OK)
        status = write_result(&page, cli, args, &result, &err);
    if (fl_cli_finish(cli, &page, status, &err) == FL_EXIT_OK)
        code = judge(cli, args, &result);
    fl_arena_dispose(&arena);
    return code;
}

static const fl_option options[] = {
    {.name = "cases",
     .kind = FL_OPTION_FOLDER,
     .required = true,
     .argument = "DIR",
     .help =
         "The folder with the cases: each a folder with telemetry and a truth.json, at most four"
         " levels below"},
    {.name = "min-ac1",
     .kind = FL_OPTION_RATIO,
     .argument = "RATIO",
     .help = "Fail where AC@1 of a system is below this"},
    {.name = "verbose",
     .letter = 'v',
     .kind = FL_OPTION_FLAG,
     .help = "List each case whose cause did not stand first, with what stood above it"},
    FL_OPTION_FORMAT("How to print the result"),
};

static const fl_example examples[] = {
    {"faultline drill --cases cases/", "how often the true cause stands first, per system"},
    {"faultline drill --cases cases/ -v --min-ac1 0.8",
     "the same with the misses explained, for a build that must not get worse"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "the drill ran"},
    {FL_EXIT_ERROR, "there are no cases, or AC@1 of a system is below --min-ac1"},
    {FL_EXIT_USAGE, "the command line was not understood"},
    {FL_EXIT_PARTIAL,
     "a case could not be triaged, which counts as a miss, or its truth could not be"
     " read, and it is not counted"},
};

const fl_command fl_cmd_drill = {
    .name = "drill",
    .summary = "triage labelled cases and count the hits",
    .description =
        "Triages every folder with a truth.json below DIR, and compares. Of truth.json a triage "
        "gets"
        " the time, the baseline and the symptom, never the cause; nothing is stored. Beside its"
        " telemetry a case may have events.jsonl and the folders profiles/, heaps/ and traces/ with"
        " a folder for each service.\n"
        "AC@k is the share of cases whose true service is among the first k distinct services. "
        "AIS@k"
        " is the share, of the cases whose truth names a resource or a code region, in which one of"
        " the first k hypotheses names the service and that. Ties count against: an item's rank is"
        " the worst rank among its equals.\n"
        "Where several causes are true, the first k services must name k of them, or all. Where"
        " truth.json says that nothing was wrong (\"root_cause\": null), no confident cause is a "
        "hit"
        " at every k.\n"
        "The system of a case is the first folder below DIR on its way where there are several, and"
        " else the name of DIR.",
    .options = options,
    .option_count = FL_COUNT(options),
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_drill,
};
