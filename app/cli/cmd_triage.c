/*
 * cmd_triage.c - from telemetry files to the answer: on the terminal, as JSON, and in the store.
 *
 * Order of events: the store is opened, the triage runs, the answer is stored and then printed. A
 * store that fails at the end costs the exit code and not the answer: whoever was woken up wants to
 * read it.
 */
#include <assert.h>
#include <string.h>

#include "faultline/triage.h"
#include "given_signatures.h"
#include "leak_watch.h"
#include "location.h"
#include "pulled.h"
#include "remember.h"
#include "report_memory.h"
#include "report_picture.h"
#include "terminal.h"
#include "triage_gc.h"
#include "triage_jfr.h"

/* "none" is the one name of a store that is no place. */
static bool is_none(const char *store)
{
    return store != NULL && strcmp(store, "none") == 0;
}

/* *out stays NULL where nothing is to be kept. */
static fl_status open_store(fl_store **out, char location[FL_LOCATION_BYTES], const fl_args *args,
                            fl_error *err)
{
    location[0] = '\0';
    if (is_none(fl_args_text(args, "store")))
        return FL_OK;
    fl_status status = fl_location_find(location, args, true, err);
    return status == FL_OK ? fl_store_open(out, location, FL_STORE_CREATE, err) : status;
}

/* Scripts branch on it. Without a confident cause it matters less that data was missing. */
static fl_exit code_of(const fl_incident *incident)
{
    if (incident->verdict == FL_VERDICT_NO_CONFIDENT_CAUSE)
        return FL_EXIT_NO_CAUSE;
    return incident->rejected_records > 0 ? FL_EXIT_PARTIAL : FL_EXIT_OK;
}

/* Below the answer; paths without an incident are what documents and the library know. */
static fl_status write_memory(fl_buf *out, const fl_cli *cli, const fl_remember *remember,
                              fl_error *err)
{
    if (remember->memory.seen == 0 && remember->memory.path_count == 0)
        return FL_OK;
    fl_buf_char(out, '\n');
    return fl_report_memory_text(out, &remember->memory, &cli->style, err);
}

/* What the page is made of. */
typedef struct answered {
    const fl_incident *incident;
    const fl_picture *picture; /* NULL: it could not be drawn */
    fl_slice memory;
} answered;

/* The page for a person ends with where the incident is to be found again: `location` is "" where
 * nobody wanted that, NULL where it failed, which was told. */
static fl_status write_text(fl_buf *out, const fl_cli *cli, const answered *answer,
                            const char *location, fl_error *err)
{
    const fl_incident *incident = answer->incident;
    fl_status status = fl_report_text(out, incident, answer->picture, &cli->style, err);
    fl_buf_add(out, answer->memory);
    char shown[FL_LOCATION_BYTES];
    if (status != FL_OK)
        return status;
    if (location == NULL) {
        fl_buf_text(out, "\nNot stored\n");
    } else if (location[0] == '\0') {
        fl_buf_text(out, "\nNot stored (--store none)\n");
    } else {
        fl_location_show(shown, location);
        fl_buf_printf(out, "\nStored as %s in %s\n", incident->id, shown);
    }
    return FL_OK;
}

/* What is drawn of the answer: as it is kept, and as it is read again, so that what is printed now
 * is what `show` prints later. */
typedef struct drawing {
    fl_buf bytes;
    fl_arena arena;
    const fl_picture *picture;
} drawing;

static fl_status draw(drawing *out, fl_triage *triage, fl_error *err)
{
    const fl_picture *picture = NULL;
    *out = (drawing){.bytes = fl_buf_of(FL_MAX_PICTURE_BYTES),
                     .arena = fl_arena_of(4 * FL_MAX_PICTURE_BYTES)};
    fl_status status = fl_triage_picture(&picture, triage, err);
    if (status == FL_OK)
        status = fl_report_picture_json(&out->bytes, picture, err);
    if (status == FL_OK)
        status = fl_report_picture_load(&out->picture, &out->arena, fl_buf_slice(&out->bytes), err);
    return status;
}

static fl_status keep(fl_cli *cli, const fl_incident *incident, fl_slice document, fl_store *store)
{
    fl_error err = {0};
    fl_status status = fl_store_put(store, incident, document, cli->now_ns, &err);
    if (status != FL_OK)
        fl_cli_complain(cli, "%s", err.message);
    return status;
}

/* What stands beside the document that was kept: in the graph that its symptoms were seen, and its
 * picture. Without them the incident is there. */
static fl_status keep_rest(fl_cli *cli, const fl_incident *incident, const drawing *drawn,
                           fl_store *store, fl_remember *remember)
{
    fl_error err = {0};
    fl_status status = FL_OK;
    if (remember != NULL)
        status = fl_remember_note(remember, incident, store, cli->now_ns, &err);
    if (status == FL_OK && drawn->picture != NULL)
        status = fl_store_put_picture(store, incident->id, fl_buf_slice(&drawn->bytes), &err);
    if (status != FL_OK)
        fl_cli_complain(cli, "%s", err.message);
    return status;
}

/* A graph that cannot be asked costs the exit code, and the answer is that of telemetry alone. */
static fl_remember *recall(fl_remember *out, fl_exit *code, fl_cli *cli, fl_triage *triage,
                           fl_store *store)
{
    fl_error err = {0};
    if (fl_remember_recall(out, triage, store, cli->now_ns, &err) == FL_OK)
        return out;
    fl_cli_complain(cli, "%s", err.message);
    *code = FL_EXIT_ERROR;
    fl_remember_dispose(out);
    return NULL;
}

/* The answer is printed even where it could not be kept. `store` and `remember` may be NULL. */
static fl_exit give_answer(fl_cli *cli, bool as_json, fl_triage *triage, fl_store *store,
                           const char *location, fl_remember *remember)
{
    const fl_incident *incident = fl_triage_incident(triage);
    assert(incident != NULL && incident->id != NULL);
    fl_error err = {0}, of_drawing = {0};
    drawing drawn;
    fl_buf document = fl_buf_of(FL_MAX_DOCUMENT_BYTES), page = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_buf memory = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_exit code = code_of(incident), written;
    fl_status status = fl_report_json(&document, incident, &err);
    if (draw(&drawn, triage, &of_drawing) != FL_OK) {
        fl_cli_complain(cli, "%s", of_drawing.message);
        code = FL_EXIT_ERROR;
    }
    if (status == FL_OK && store != NULL &&
        keep(cli, incident, fl_buf_slice(&document), store) != FL_OK) {
        code = FL_EXIT_ERROR;
        location = NULL;
    } else if (status == FL_OK && store != NULL &&
               keep_rest(cli, incident, &drawn, store, remember) != FL_OK) {
        code = FL_EXIT_ERROR;
    }
    if (status == FL_OK && remember != NULL)
        status = write_memory(&memory, cli, remember, &err);
    if (status == FL_OK && !as_json)
        status = write_text(&page, cli, &(answered){incident, drawn.picture, fl_buf_slice(&memory)},
                            location, &err);
    written = fl_cli_finish(cli, as_json ? &document : &page, status, &err);
    fl_buf_dispose(&document);
    fl_buf_dispose(&page);
    fl_buf_dispose(&memory);
    fl_buf_dispose(&drawn.bytes);
    fl_arena_dispose(&drawn.arena);
    return written != FL_EXIT_OK ? written : code;
}

/* What is remembered first: it may change the answer. */
static fl_exit answer(fl_cli *cli, const fl_args *args, fl_triage *triage, fl_store *store,
                      const char *location)
{
    fl_remember memory, *remember = NULL;
    fl_exit code = FL_EXIT_OK, given;
    if (store != NULL && !fl_args_flag(args, "no-memory"))
        remember = recall(&memory, &code, cli, triage, store);
    given = give_answer(cli, fl_args_wants_json(args), triage, store, location, remember);
    if (remember != NULL)
        fl_remember_dispose(remember);
    return code != FL_EXIT_OK ? code : given;
}

/* A running program is asked once: there is nothing to wait for, and the terminal's interrupt ends
 * the process as ever. */
static bool wait_not(void *payload, int64_t duration_ns)
{
    (void)payload, (void)duration_ns;
    return false;
}

static bool is_not_stopped(void *payload)
{
    (void)payload;
    return false;
}

/* A mistake of the command line that the table of options cannot tell. NULL: there is none. */
static const char *missing(const fl_triage_request *request, const fl_pulled *pulled)
{
    size_t sources = pulled->sources.count;
    if (request->otlp_count == 0 && sources == 0)
        return "triage: option --otlp DIR is missing, or a source such as --prometheus URL";
    if (request->at_from_alerts && (request->events_count == 0 || sources > 0))
        return "triage: option --at TIME is missing";
    return NULL;
}

/* The same of options that would change nothing: who gives one expects that it does. NULL: none. */
static const char *idle(const fl_args *args, const fl_triage_request *request)
{
    size_t judged = request->pprof_count + request->trace_count;
    if (fl_args_has(args, "trace-start") && judged == 0)
        return "triage: --trace-start is of a trace, and there is none";
    if (fl_args_has(args, "signatures") && judged + request->heap_count == 0)
        return "triage: --signatures judge profiles, traces and heap dumps, and there are none";
    return NULL;
}

enum { MAX_FILES_EACH = 32 };

/* Files that are not telemetry and become some: the option that names them, and what reads them. */
static const struct of_jvm {
    const char *option;
    fl_status (*read)(void *payload, const fl_sink *sink, fl_error *err);
} of_jvm[] = {{"gc-log", fl_gc_feed_read}, {"jfr", fl_jfr_feed_read}};
enum { OF_JVM = sizeof(of_jvm) / sizeof(of_jvm[0]) };

/* What comes from elsewhere than files of telemetry: servers, then files of JVMs. */
struct feeds {
    fl_gc_feed files[OF_JVM][MAX_FILES_EACH];
    fl_triage_feed items[FL_MAX_PULLED + OF_JVM * MAX_FILES_EACH];
};

/* All that one option names. */
static fl_status gather_files(struct feeds *out, size_t which, fl_triage_request *request,
                              const fl_args *args, fl_error *err)
{
    const char *paths[FL_MAX_GIVEN], *option = of_jvm[which].option;
    size_t count = fl_args_list(args, option, paths);
    fl_status status = FL_OK;
    if (count > MAX_FILES_EACH)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "triage: at most %d times --%s",
                       MAX_FILES_EACH, option);
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        fl_gc_feed *file = &out->files[which][i];
        status = fl_gc_feed_of(file, paths[i], request->service, option, err);
        out->items[request->feed_count++] =
            (fl_triage_feed){.read = of_jvm[which].read, .payload = file};
    }
    return status;
}

/* The feeds borrow from `out` and from `pulled`. */
static fl_status gather_feeds(struct feeds *out, fl_triage_request *request, const fl_args *args,
                              const fl_pulled *pulled, fl_error *err)
{
    fl_status status = FL_OK;
    request->feeds = out->items;
    for (size_t i = 0; i < pulled->sources.count; i++)
        out->items[request->feed_count++] = pulled->feeds[i];
    for (size_t i = 0; i < OF_JVM && status == FL_OK; i++)
        status = gather_files(out, i, request, args, err);
    return status;
}

/* Everything that was opened is closed here, on every way out. */
static fl_exit run_triage(fl_cli *cli, const fl_args *args)
{
    const char *otlp[FL_MAX_GIVEN], *baseline[FL_MAX_GIVEN], *pprof[FL_MAX_GIVEN],
        *events[FL_MAX_GIVEN], *traces[FL_MAX_GIVEN], *heaps[FL_MAX_GIVEN],
        *signatures[FL_MAX_GIVEN + 1];
    char location[FL_LOCATION_BYTES], config[FL_LOCATION_BYTES];
    fl_error err = {0};
    fl_store *store = NULL;
    fl_triage *triage = NULL;
    fl_progress progress = fl_progress_begin(cli);
    fl_pulled pulled;
    struct feeds feeds;
    fl_leak_watch once = {.wait = wait_not, .stopped = is_not_stopped};
    const fl_leak_asker asker = {.ask = fl_leak_watch_ask, .payload = &once};
    fl_triage_request request = {
        .otlp = otlp,
        .otlp_count = fl_args_list(args, "otlp", otlp),
        .baseline = baseline,
        .baseline_count = fl_args_list(args, "baseline", baseline),
        .events = events,
        .events_count = fl_args_list(args, "events", events),
        .pprof = pprof,
        .pprof_count = fl_args_list(args, "pprof", pprof),
        .signatures = signatures,
        .signature_count = fl_given_signature_paths(signatures, config, args),
        .traces = traces,
        .trace_count = fl_args_list(args, "trace", traces),
        .trace_start_ns =
            fl_args_has(args, "trace-start") ? fl_args_time(args, "trace-start", cli->now_ns) : 0,
        .heaps = heaps,
        .heap_count = fl_args_list(args, "heap", heaps),
        .temp_folder = fl_location_temp(),
        .asker = &asker,
        .at_ns = fl_args_time(args, "at", cli->now_ns),
        .at_from_alerts = !fl_args_has(args, "at"),
        .window_ns = fl_args_duration(args, "window"),
        .service = fl_args_text(args, "service"),
        .topology = fl_args_text(args, "topology"),
        .roles = fl_args_text(args, "roles"),
        .strict = fl_args_flag(args, "strict"),
        .progress = fl_progress_show,
        .payload = &progress,
    };
    fl_status status = fl_pulled_init(&pulled, args, &request, &progress, &err);
    const char *mistake = status == FL_OK ? missing(&request, &pulled) : err.message;
    if (mistake == NULL)
        mistake = idle(args, &request);
    if (mistake != NULL) {
        fl_cli_complain(cli, "%s, as in: %s", mistake, fl_cmd_triage.examples[0].line);
        fl_pulled_dispose(&pulled);
        return FL_EXIT_USAGE;
    }
    status = gather_feeds(&feeds, &request, args, &pulled, &err);
    /* The store first: a place that cannot be written to is said before the work, not after. */
    if (status == FL_OK)
        status = open_store(&store, location, args, &err);
    if (status == FL_OK)
        status = fl_triage_run(&triage, &request, &err);
    fl_progress_end(&progress);
    fl_pulled_tell(&pulled, cli);
    fl_exit code =
        status != FL_OK ? fl_cli_fail(cli, &err) : answer(cli, args, triage, store, location);
    fl_triage_destroy(triage);
    fl_store_close(store);
    fl_pulled_dispose(&pulled);
    return code;
}

static const fl_option options[] = {
    {.name = "otlp",
     .kind = FL_OPTION_FOLDER,
     .repeatable = true,
     .argument = "DIR",
     .help =
         "Telemetry of the incident: OTLP files (JSON lines or protobuf), saved answers of"
         " Prometheus, Loki, Tempo, Jaeger and Zipkin; plain, gzip or zstd; or a folder with them"},
    {.name = "at",
     .kind = FL_OPTION_TIME,
     .argument = "TIME",
     .help =
         "When the incident began or was noticed: RFC 3339, an age like -2h, or an epoch; without"
         " it, when the earliest alert among the events began to fire"},
    {.name = "baseline",
     .kind = FL_OPTION_FOLDER,
     .repeatable = true,
     .argument = "DIR",
     .help = "Telemetry from before, or of another day without this incident, to compare with"},
    {.name = "events",
     .kind = FL_OPTION_FILE,
     .repeatable = true,
     .argument = "FILE",
     .help = "Change events (deploys, configuration, flags, merge requests) as JSON lines or a "
             "list, or webhooks of GitHub and GitLab: one that precedes the trouble of its own "
             "service may be the cause. Or alerts of Alertmanager: they tell TIME and NAME where "
             "these are not given"},
    {.name = "pprof",
     .kind = FL_OPTION_FOLDER,
     .repeatable = true,
     .argument = "PATH",
     .help = "Profiles of a service, as 'faultline leak' reads them: SERVICE=PATH, or a folder that"
             " is named as the service or has a folder for each; or SERVICE=URL of a running Go "
             "program, which is asked once. Execution traces among them count as those of --trace"},
    {.name = "gc-log",
     .kind = FL_OPTION_FILE,
     .repeatable = true,
     .argument = "FILE",
     .help = "A garbage collection log with dates, as 'faultline gc' reads them: SERVICE=FILE, or"
             " FILE of the service NAME. Pauses and the heap after collections become series, what"
             " failed becomes log lines"},
    {.name = "jfr",
     .kind = FL_OPTION_FILE,
     .repeatable = true,
     .argument = "FILE",
     .help = "A Flight Recorder recording, as 'faultline jfr' reads them: SERVICE=FILE, or FILE of"
             " the service NAME. Pauses, the heap after collections and load become series, full"
             " collections and a leak log lines"},
    {.name = "heap",
     .kind = FL_OPTION_TEXT,
     .repeatable = true,
     .argument = "FILE[,FILE...]",
     .help = "Heap dumps of a Java program, as 'faultline heap' reads them, or class histograms:"
             " SERVICE=FILE[,FILE...], or files of the service NAME. What grew from each to the"
             " next, or what one of them shows alone, may be the cause; dumps are events, and what"
             " they keep is a series"},
    {.name = "trace",
     .kind = FL_OPTION_FILE,
     .repeatable = true,
     .argument = "FILE",
     .help = "An execution trace of a Go program, as 'faultline trace' reads them: SERVICE=FILE, or"
             " FILE of the service NAME, or SERVICE=URL of a running program. Delays of scheduling,"
             " collections, assists and goroutines become series, what it finds may be the cause"},
    {.name = "trace-start",
     .kind = FL_OPTION_TIME,
     .argument = "TIME",
     .help = "When the trace began that does not say so (Go 1.24 and older); otherwise the time of"
             " its file tells"},
    FL_OPTION_SIGNATURES,
    FL_PULLED_OPTIONS,
    {.name = "before",
     .kind = FL_OPTION_DURATION,
     .argument = "DURATION",
     .fallback = "1h",
     .help = "How much before TIME is asked for of these sources, to compare with"},
    {.name = "window",
     .kind = FL_OPTION_DURATION,
     .argument = "DURATION",
     .fallback = "5m",
     .help = "How long after TIME to look"},
    {.name = "service",
     .kind = FL_OPTION_TEXT,
     .argument = "NAME",
     .help = "The service whose symptom was reported, where it is known"},
    {.name = "topology",
     .kind = FL_OPTION_FILE,
     .argument = "FILE",
     .help = "JSON list of {\"client\": ..., \"server\": ...}, where traces do not tell who calls "
             "whom"},
    {.name = "roles",
     .kind = FL_OPTION_FILE,
     .argument = "FILE",
     .help = "YAML rules that say what metrics mean, before the built-in ones"},
    {.name = "store",
     .kind = FL_OPTION_TEXT,
     .argument = "URL",
     .help = "Where to keep the incident: a file, sqlite:FILE, postgresql://HOST/NAME, or none"},
    {.name = "no-memory",
     .kind = FL_OPTION_FLAG,
     .help = "Neither ask the graph what it knows of such symptoms nor note that they were seen"},
    {.name = "strict",
     .kind = FL_OPTION_FLAG,
     .help = "Stop at the first malformed record instead of using the rest"},
    FL_OPTION_FORMAT("How to print the answer"),
};

static const fl_example examples[] = {
    {"faultline triage --otlp incident/ --at 2023-01-29T09:34:00Z",
     "rank the causes of what began at 09:34; what was recorded before then is the baseline"},
    {"faultline triage --prometheus http://localhost:9090 --loki http://localhost:3100 --tempo "
     "http://localhost:3200 --at -10m --service checkout",
     "ask the servers that have the telemetry, in parallel"},
    {"faultline triage --otlp incident/ --baseline quiet/ --at -2h --format json",
     "compare with a quiet hour, and give the answer to a program"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "a cause was found"},
    {FL_EXIT_ERROR, "there is no answer, or it could not be written or stored"},
    {FL_EXIT_USAGE, "the command line was not understood"},
    {FL_EXIT_PARTIAL, "a cause was found, but an input was unreadable and only the rest was used"},
    {FL_EXIT_NO_CAUSE,
     "no confident cause; this is also the code where an input was unreadable, and"
     " the warnings then say so"},
};

const fl_command fl_cmd_triage = {
    .name = "triage",
    .summary = "rank the root causes of an incident, with evidence",
    .description =
        "Reads metrics, logs and traces, whatever is there of them, compares the window after TIME"
        " with the baseline, and ranks what may have caused the difference. Each hypothesis comes"
        " with its evidence, and with the query that shows the raw data again. Where the telemetry"
        " is in Prometheus, Loki, Tempo or Jaeger, only the window and what was before it are asked"
        " for there, of NAME and the services around it. Without URLs no network is used.\n"
        "The answer is printed and kept in a store, from which 'faultline show' prints it again.",
    .options = options,
    .option_count = FL_COUNT(options),
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_triage,
};
