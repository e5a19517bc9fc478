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
#include "faultline/triage.h"
#include "location.h"
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

static void say(void *payload, const char *sentence)
{
    fl_cli *cli = payload;
    fl_cli_complain(cli, "%s", sentence);
    (void)fflush(cli->err);
}

/* Until TERM or INT. */
static void wait_for_end(fl_serve *serve, const sigset_t *signals)
{
    const struct timespec second = {.tv_sec = 1};
    for (;;) {
        int got = sigtimedwait(signals, NULL, &second);
        if (got == SIGTERM || got == SIGINT)
            return;
        if (got == SIGHUP)
            fl_serve_reload(serve);
        fl_serve_tick(serve, fl_time_now());
    }
}

static fl_exit run_serve(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    char data[FL_LOCATION_BYTES];
    fl_serve *serve = NULL;
    const char *listen[FL_MAX_GIVEN];
    fl_serve_options options = {
        .data_path = data,
        .listen_count = fl_args_list(args, "listen", listen),
        .allow_unauthenticated = fl_args_flag(args, "allow-unauthenticated"),
        .notify_socket = getenv("NOTIFY_SOCKET"),
        .version = fl_version(),
        .say = say,
        .say_to = cli,
    };
    if (options.listen_count > FL_SERVE_MAX_LISTEN) {
        fl_cli_complain(cli, "serve: --listen can be given %d times", FL_SERVE_MAX_LISTEN);
        return FL_EXIT_USAGE;
    }
    memcpy(options.listen, listen, options.listen_count * sizeof(listen[0]));
    sigset_t signals, before;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &signals, &before);
    raise_descriptors();
    fl_status status = fl_location_data(data, args, &err);
    if (status == FL_OK)
        status = fl_serve_start(&serve, &options, &err);
    if (status == FL_OK)
        wait_for_end(serve, &signals);
    fl_serve_stop(serve);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status == FL_OK ? FL_EXIT_OK : fl_cli_fail(cli, &err);
}

static const fl_option serve_options[] = {
    {.name = "listen",
     .letter = 'l',
     .kind = FL_OPTION_TEXT,
     .repeatable = true,
     .argument = "ADDRESS:PORT",
     .help = "Listen here, for all protocols over HTTP, in place of the default ports"},
    {.name = "data",
     .kind = FL_OPTION_FOLDER,
     .argument = "DIR",
     .help = "Keep what comes in here; the default is below the user's state folder"},
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
        " try first: 4318 (OTLP over HTTP, and everything else), 3100 (Loki), 9411 (Zipkin), 4040"
        " (Pyroscope). One of the latter that is taken is left out.\n"
        "What was acknowledged is on the disk. /healthz, /readyz and /metrics tell how it is;"
        " `faultline status` shows it. SIGTERM and SIGINT end it once what is under way is"
        " finished.",
    .options = serve_options,
    .option_count = FL_COUNT(serve_options),
    .examples = serve_examples,
    .example_count = FL_COUNT(serve_examples),
    .exits = serve_exits,
    .exit_count = FL_COUNT(serve_exits),
    .run = run_serve,
};
