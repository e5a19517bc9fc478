/*
 * cmd_serve.c - the daemon's process: its options, folder, limits and signals.
 *
 * Signals are blocked in all threads and waited for here: TERM and INT end it in order, HUP reads
 * again what can be. A second TERM while it stops changes nothing: what was accepted is brought to
 * safety first.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "args.h"
#include "config_load.h"
#include "faultline/triage.h"
#include "location.h"
#include "mcp_http.h"
#include "serve.h"
#include "timestamp.h"

/* Each connection is a descriptor, and the usual soft limit of 1,024 was made for select(2). */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Line by line, as a log that somebody follows. */
static void say(void *payload, const char *sentence)
{
    fl_cli *cli = payload;
    fl_cli_complain(cli, "%s", sentence);
    (void)fflush(cli->err);
}

/* What a flag of ours says in the configuration. */
typedef struct named_flag {
    const char *name, *flag, *key;
} named_flag;

static const named_flag named_flags[] = {
    {"listen", "--listen", "listen.http"},
    {"listen-grpc", "--listen-grpc", "listen.grpc"},
    {"data", "--data", "archive.folder"},
    {"store", "--store", "store.url"},
    {"tokens", "--tokens", "listen.tokens_file"},
    {"durability", "--durability", "archive.durability"},
};

/* The configuration as it is now: the file, the environment and our flags. */
static fl_exit load(fl_config **out, fl_cli *cli, const fl_args *args)
{
    static const char *const yes[] = {"true"};
    fl_config_flag flags[FL_COUNT(named_flags) + 1];
    const char *values[FL_COUNT(named_flags)][FL_MAX_GIVEN];
    size_t count = 0;
    for (size_t i = 0; i < FL_COUNT(named_flags); i++)
        if (fl_args_has(args, named_flags[i].name)) {
            size_t given = 1;
            if (fl_option_find(args->command, named_flags[i].name)->repeatable)
                given = fl_args_list(args, named_flags[i].name, values[i]);
            else
                values[i][0] = fl_args_text(args, named_flags[i].name);
            flags[count++] = (fl_config_flag){.flag = named_flags[i].flag,
                                              .key = named_flags[i].key,
                                              .values = values[i],
                                              .count = given};
        }
    if (fl_args_flag(args, "allow-unauthenticated"))
        flags[count++] = (fl_config_flag){.flag = "--allow-unauthenticated",
                                          .key = "listen.allow_unauthenticated",
                                          .values = yes,
                                          .count = 1};
    return fl_config_of(out, cli, fl_args_text(args, "config"), flags, count);
}

/* The folder and the store: said, or below the user's state folder. */
typedef struct places {
    char data[FL_LOCATION_BYTES], store[FL_LOCATION_BYTES];
} places;

/* The default folder is made here, where the user's folders are known; nothing is made that was
 * named and is not there. */
static fl_status find_places(places *out, const fl_config *config, fl_error *err)
{
    fl_status status = fl_location_data(out->data, config->archive.folder, err);
    if (status == FL_OK)
        status = fl_location_store(out->store, config->store.url, err);
    return status;
}

/* A mistake leaves everything as it is, after it was said. */
static void reload(fl_cli *cli, const fl_args *args, fl_serve *serve, fl_config **config)
{
    fl_error err = {0};
    fl_config *fresh = NULL;
    if (load(&fresh, cli, args) != FL_EXIT_OK) {
        say(cli, "the configuration is not taken over: it has mistakes");
        return;
    }
    if (fl_serve_reload(serve, fresh, &err) != FL_OK) {
        fl_cli_complain(cli, "the configuration is not taken over: %s", err.message);
        fl_config_destroy(fresh);
        return;
    }
    fl_config_destroy(*config);
    *config = fresh;
}

/* The signals that the daemon waits for. */
static sigset_t own_signals(void)
{
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    return signals;
}

/* Until TERM or INT. */
static void run_until_told(fl_cli *cli, const fl_args *args, fl_serve *serve, fl_config **config)
{
    const struct timespec second = {.tv_sec = 1};
    const sigset_t signals = own_signals();
    for (;;) {
        int got = sigtimedwait(&signals, NULL, &second);
        if (got == SIGTERM || got == SIGINT)
            return;
        if (got == SIGHUP)
            reload(cli, args, serve, config);
        fl_serve_tick(serve, fl_time_now());
    }
}

/* Assistants read what the daemon keeps; they name no files of its machine, and write nothing. */
static fl_status offer_tools(fl_mcp_tools *tools, fl_http_route *route, const char *store,
                             fl_error *err)
{
    const fl_mcp_tools_options options = {.store = store};
    fl_status status = fl_mcp_tools_init(tools, &options, err);
    *route = fl_mcp_http_route(tools);
    return status;
}

/* Signals are blocked before the first thread is made, so that each inherits it, and stay so to the
 * end of the program: one more of them while it stops asks for what is being done. */
static fl_exit run_serve(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    places where;
    fl_config *config = NULL;
    fl_serve *serve = NULL;
    fl_mcp_tools tools = {0};
    fl_http_route mcp;
    if (load(&config, cli, args) != FL_EXIT_OK)
        return FL_EXIT_ERROR;
    const fl_serve_options options = {.config = config,
                                      .data_path = where.data,
                                      .store = where.store,
                                      .notify_socket = getenv("NOTIFY_SOCKET"),
                                      .version = fl_version(),
                                      .routes = &mcp,
                                      .route_count = 1,
                                      .say = say,
                                      .say_to = cli};
    const sigset_t signals = own_signals();
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    raise_descriptors();
    fl_status status = find_places(&where, config, &err);
    if (status == FL_OK)
        status = offer_tools(&tools, &mcp, where.store, &err);
    if (status == FL_OK)
        status = fl_serve_start(&serve, &options, &err);
    if (status == FL_OK)
        run_until_told(cli, args, serve, &config);
    fl_serve_stop(serve);
    fl_mcp_tools_dispose(&tools);
    fl_config_destroy(config);
    return status == FL_OK ? FL_EXIT_OK : fl_cli_fail(cli, &err);
}

static const char *const durabilities[] = {"batch", "memory", NULL};

static const fl_option serve_options[] = {
    {.name = "config",
     .letter = 'c',
     .kind = FL_OPTION_FILE,
     .argument = "FILE",
     .help = "The configuration (faultline config example); these options win over it"},
    {.name = "listen",
     .letter = 'l',
     .kind = FL_OPTION_TEXT,
     .repeatable = true,
     .argument = "ADDRESS:PORT",
     .help = "Listen here, for all protocols over HTTP, in place of the default ports"},
    {.name = "listen-grpc",
     .kind = FL_OPTION_TEXT,
     .repeatable = true,
     .argument = "ADDRESS:PORT",
     .help = "Listen here for OTLP over gRPC"},
    {.name = "data",
     .kind = FL_OPTION_FOLDER,
     .argument = "DIR",
     .help = "Keep what comes in here; the default is below the user's state folder"},
    {.name = "store",
     .kind = FL_OPTION_TEXT,
     .argument = "URL",
     .help = "Where incidents and the graph are kept: a file, or postgresql://HOST/NAME"},
    {.name = "tokens",
     .kind = FL_OPTION_FILE,
     .argument = "FILE",
     .help = "Ask for bearer tokens: those whose hashes `faultline token` wrote there"},
    {.name = "durability",
     .kind = FL_OPTION_CHOICE,
     .argument = "WHEN",
     .choices = durabilities,
     .help = "Acknowledge when it is on the disk (batch, the default) or in memory"},
    {.name = "allow-unauthenticated",
     .kind = FL_OPTION_FLAG,
     .help = "Listen on addresses that other machines reach although anybody could send"},
};

static const fl_example serve_examples[] = {
    {"faultline serve", "receive on this machine's own ports"},
    {"faultline serve --listen 127.0.0.1:4318 --data /var/lib/faultline", "one port, one folder"},
};

static const fl_exit_note serve_exits[] = {
    {FL_EXIT_OK, "it was told to stop, and everything that was accepted is safe"},
    {FL_EXIT_ERROR, "it could not start: an address is taken, or another process has the folder"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_serve = {
    .name = "serve",
    .summary = "receive telemetry, keep it, and open incidents",
    .description =
        "Runs until it is told to stop. Listens on this machine alone, on the ports that senders"
        " try first: 4318 (OTLP over HTTP, and everything else), 4317 (OTLP over gRPC), 3100"
        " (Loki), 9411 (Zipkin), 4040 (Pyroscope). One that is taken is said and left out; with"
        " --listen, or a configuration, the named ones must be free.\n"
        "What was acknowledged is on the disk. /healthz, /readyz and /metrics tell how it is;"
        " SIGHUP reads the configuration again. SIGTERM and SIGINT end it once what is under way is"
        " finished.",
    .options = serve_options,
    .option_count = FL_COUNT(serve_options),
    .examples = serve_examples,
    .example_count = FL_COUNT(serve_examples),
    .exits = serve_exits,
    .exit_count = FL_COUNT(serve_exits),
    .run = run_serve,
};
