/*
 * cmd_leak.c - profiles of one program to a verdict on its memory.
 *
 * Three steps: the words are checked against each other, the run reads and judges, and the answer
 * is printed as it was asked for. A watch listens to Ctrl-C while it lasts; without one a signal
 * ends the program as usual.
 *
 * The exit code says whether there is an answer, not what it is: a script reads the verdict from
 * the JSON. Growth is no error of the program that found it.
 */
#include <assert.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "fetch.h"
#include "given_signatures.h"
#include "leak_diff_view.h"
#include "leak_report.h"
#include "leak_watch.h"
#include "location.h"
#include "terminal.h"
#include "timestamp.h"

enum { DIFF_BYTES = 256 << 20 };

/* ---- a watch, and how it ends early ---- */

/* Set by the first Ctrl-C, after which the watch ends with what it has; the second one kills. */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

/* The handler takes itself back at its first call. */
static void listen_for_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    interrupted = 0;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* Asked by a request that is under way. */
static bool is_interrupted(void *payload)
{
    (void)payload;
    return interrupted != 0;
}

/* A signal ends the sleep; one that came just before is seen after at most a second. */
static bool wait_for(void *payload, int64_t duration_ns)
{
    int64_t left_ns = duration_ns;
    assert(duration_ns >= 0);
    fl_progress_show(payload, "waiting for the next round", 0, 0);
    while (left_ns > 0 && interrupted == 0) {
        int64_t part_ns = left_ns < FL_NS_PER_S ? left_ns : FL_NS_PER_S;
        struct timespec part = {.tv_sec = (time_t)(part_ns / FL_NS_PER_S),
                                .tv_nsec = (long)(part_ns % FL_NS_PER_S)};
        (void)nanosleep(&part, NULL);
        left_ns -= part_ns;
    }
    return interrupted == 0;
}

/* ---- the answer ---- */

/* A series too short for any verdict is no answer, as no confident cause is none. */
static fl_exit code_of(const fl_leak_run *run)
{
    if (fl_leak_run_report(run)->verdict == FL_LEAK_NOT_ENOUGH_DATA)
        return FL_EXIT_NO_CAUSE;
    return fl_leak_run_inputs(run)->unreadable > 0 ? FL_EXIT_PARTIAL : FL_EXIT_OK;
}

/* As --format says; what could not be written is worse than what was missing. */
static fl_exit give_answer(fl_cli *cli, const fl_args *args, const fl_leak_run *run)
{
    fl_error err = {0};
    fl_buf page = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    const fl_leak_shown shown = {.report = fl_leak_run_report(run),
                                 .inputs = fl_leak_run_inputs(run),
                                 .limit_bytes = fl_args_size(args, "limit")};
    fl_status status = fl_args_wants_json(args)
                           ? fl_leak_report_json(&page, &shown, &err)
                           : fl_leak_report_text(&page, &shown, &cli->style, &err);
    fl_exit written = fl_cli_finish(cli, &page, status, &err);
    return written != FL_EXIT_OK ? written : code_of(run);
}

/* The operands, the first and those behind it, as one list. */
static size_t inputs_of(const fl_args *args, const char *out[FL_MAX_OPERANDS + 1])
{
    assert(args->operand != NULL && args->more_count <= FL_MAX_OPERANDS); /* required */
    out[0] = args->operand;
    for (size_t i = 0; i < args->more_count; i++)
        out[i + 1] = args->more[i];
    return args->more_count + 1;
}

/* What goes with addresses only: a mistake that would otherwise go unseen. */
static bool is_watch_sound(fl_cli *cli, const fl_args *args, const fl_leak_request *request)
{
    bool any = false;
    for (size_t i = 0; i < request->input_count; i++)
        any |= fl_fetch_is_url(request->inputs[i]);
    if (!any && (fl_args_has(args, "watch") || fl_args_has(args, "gc")))
        fl_cli_complain(cli,
                        "leak: --%s is for addresses, as in: faultline leak"
                        " http://localhost:6060 --watch 10m",
                        fl_args_has(args, "watch") ? "watch" : "gc");
    else if (fl_args_has(args, "every") && !fl_args_has(args, "watch"))
        fl_cli_complain(cli, "leak: --every goes with --watch");
    else
        return true;
    return false;
}

/* Two files and nothing else: the answer is a table, not a verdict. */
static fl_exit run_diff(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    fl_leak_diff diff;
    fl_arena arena = fl_arena_of(DIFF_BYTES);
    fl_buf page = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    if (args->more_count != 1 || fl_fetch_is_url(args->operand) || fl_fetch_is_url(args->more[0])) {
        fl_cli_complain(cli, "leak: --diff compares two files, as in: faultline leak --diff"
                             " heap-1.pb.gz heap-2.pb.gz");
        return FL_EXIT_USAGE;
    }
    fl_status status = fl_leak_diff_files(&diff, args->operand, args->more[0], &arena, &err);
    if (status == FL_OK)
        status = fl_args_wants_json(args) ? fl_leak_diff_json(&page, &diff, &err)
                                          : fl_leak_diff_text(&page, &diff, &cli->style, &err);
    fl_exit code = fl_cli_finish(cli, &page, status, &err);
    fl_arena_dispose(&arena);
    return code;
}

/* The list of operands is too large for a stack, and a program runs one command. */
static fl_exit run_leak(fl_cli *cli, const fl_args *args)
{
    static const char *inputs[FL_MAX_OPERANDS + 1];
    const char *signatures[FL_MAX_GIVEN + 1];
    char config[FL_LOCATION_BYTES];
    fl_error err = {0};
    fl_leak_run *run = NULL;
    fl_progress progress = fl_progress_begin(cli);
    fl_leak_watch watch = {
        .watch_ns = fl_args_duration(args, "watch"),
        .every_ns = fl_args_has(args, "watch") ? fl_args_duration(args, "every") : 0,
        .collect_first = fl_args_flag(args, "gc"),
        .wait = wait_for,
        .stopped = is_interrupted,
        .payload = &progress,
    };
    const fl_leak_asker asker = {.ask = fl_leak_watch_ask, .payload = &watch};
    fl_leak_request request = {
        .inputs = inputs,
        .input_count = inputs_of(args, inputs),
        .signatures = signatures,
        .signature_count = fl_args_list(args, "signatures", signatures),
        .limit_bytes = fl_args_size(args, "limit"),
        .binary = fl_args_text(args, "binary"),
        .source_map = fl_args_text(args, "source-map"),
        .temp_folder = fl_location_temp(),
        .asker = &asker,
        .progress = fl_progress_show,
        .payload = &progress,
    };
    if (fl_args_flag(args, "diff")) {
        fl_progress_end(&progress);
        return run_diff(cli, args);
    }
    if (!is_watch_sound(cli, args, &request))
        return FL_EXIT_USAGE;
    if (fl_location_signatures(config))
        signatures[request.signature_count++] = config;
    if (watch.every_ns > 0)
        listen_for_interrupts();
    fl_status status = fl_leak_run_create(&run, &request, &err);
    fl_progress_end(&progress);
    fl_exit code = status != FL_OK ? fl_cli_fail(cli, &err) : give_answer(cli, args, run);
    fl_leak_run_destroy(run);
    return code;
}

static const fl_option options[] = {
    {.name = "watch",
     .kind = FL_OPTION_DURATION,
     .argument = "DURATION",
     .help = "Ask an address again and again for this long; Ctrl-C ends it with what there is"},
    {.name = "every",
     .kind = FL_OPTION_DURATION,
     .argument = "DURATION",
     .fallback = "1m",
     .help = "How often to ask while watching"},
    {.name = "gc",
     .kind = FL_OPTION_FLAG,
     .help = "Have the program collect its garbage before each heap profile it is asked for"
             " (gc=1): more exact, and it costs the program a collection"},
    {.name = "diff",
     .kind = FL_OPTION_FLAG,
     .help = "Compare two heap or goroutine profiles by function, each difference with the error"
             " that sampling makes, in place of a verdict"},
    {.name = "limit",
     .kind = FL_OPTION_SIZE,
     .argument = "SIZE",
     .help = "Say when the heap will have this size, such as 512MiB"},
    {.name = "binary",
     .kind = FL_OPTION_FILE,
     .argument = "FILE",
     .help = "The program that the profiles are of: names addresses without a name, such as the"
             " runtime's in heap?debug=1 (ELF; Go 1.16 or later, stripped too)"},
    {.name = "source-map",
     .kind = FL_OPTION_FOLDER,
     .argument = "PATH",
     .help = "A source map, or a folder of .map files, of generated JavaScript: lines are then"
             " those of the source"},
    FL_OPTION_SIGNATURES,
    FL_OPTION_FORMAT("How to print the answer"),
};

static const fl_operand operand = {
    .name = "PATH|URL",
    .help = "A profile, a goroutine text, memory statistics or a log with a crash, or a folder of"
            " them, all of one program; plain, gzip or zstd; what a file holds is told by its"
            " content; - is standard input. Or the address of a program that serves "
            "net/http/pprof, such as"
            " http://localhost:6060",
    .required = true,
    .is_path = true,
    .more = "PATH|URL",
};

static const fl_example examples[] = {
    {"faultline leak profiles/", "what the snapshots in a folder say, as one series"},
    {"faultline leak heap-*.pb.gz goroutine-*.pb.gz --limit 512MiB --format json",
     "the same for a program that reads it, with the time until the limit"},
    {"faultline leak --diff heap-1.pb.gz heap-2.pb.gz",
     "what is in use now and was not then, and whether that is more than sampling error"},
    {"faultline leak http://localhost:6060 --watch 10m --every 1m",
     "ask a running program once a minute, and say what that cost it"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "there is a verdict, whatever it is"},
    {FL_EXIT_ERROR, "there is no answer, or it could not be written"},
    {FL_EXIT_USAGE, "the command line was not understood"},
    {FL_EXIT_PARTIAL, "there is a verdict, but an input was damaged and only the rest was used"},
    {FL_EXIT_NO_CAUSE,
     "not enough data for a verdict; what to collect next is said. This is also the"
     " code where an input was damaged"},
};

const fl_command fl_cmd_leak = {
    .name = "leak",
    .summary = "find what leaks memory, from profiles",
    .description =
        "Reads heap, allocs, goroutine, block and mutex profiles of one Go program as one series, "
        "by"
        " the times that they carry, in whatever order they come, and says whether memory leaks:"
        " the verdict, the kind of bug, the function and line that allocates and what keeps it, the"
        " growth with its interval, the evidence, what speaks against it, and how to fix it.\n"
        "Heap dumps (HPROF) of a Java program are compared the same way, the first with the last: "
        "who"
        " holds what grew is named by class and static.\n"
        "A verdict is one of leak, bounded-growth, churn, retention, latency, gc-pressure, crash,"
        " no-leak and not-enough-data. Growth below what sampling can show is never called"
        " healthy.\n"
        "A recording of a JVM's Flight Recorder (.jfr), given alone, is judged by its heap after"
        " collections and by who holds the objects that stayed; 'faultline jfr' shows the rest.\n"
        "Signatures in $XDG_CONFIG_HOME/faultline/signatures are used as if named with"
        " --signatures.",
    .options = options,
    .option_count = FL_COUNT(options),
    .operand = &operand,
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_leak,
};
