/*
 * cmd_web.c - the pages alone, over a store, for this machine's browser.
 */
#include <assert.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "api.h"
#include "args.h"
#include "http.h"
#include "listen.h"
#include "location.h"
#include "web.h"

/* What runs; each NULL until it is made. */
typedef struct parts {
    fl_http *http;
    fl_web *web;
    fl_api *api; /* what people say goes through it */
} parts;

/* Until TERM or INT, which are blocked in all threads. */
static void wait_until_told(const sigset_t *signals)
{
    int got = 0;
    while (got != SIGTERM && got != SIGINT)
        got = sigwaitinfo(signals, NULL);
}

/* Pages have no tokens here, so that nobody else's machine may ask for them. */
static fl_status start(const parts *with, fl_cli *cli, const char *address, fl_error *err)
{
    unsigned port = 0;
    assert(address != NULL); /* it has a fallback */
    if (!fl_listen_is_loopback(address))
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "%.64s is not loopback: for others, 'faultline serve' has the same pages"
                       " with tokens and TLS",
                       address);
    fl_status status = fl_web_add_routes(with->web, with->http, err);
    if (status == FL_OK)
        status = fl_api_add_routes(with->api, with->http, err);
    if (status == FL_OK)
        status = fl_http_listen(with->http, address, &port, err);
    if (status == FL_OK) {
        const char *colon = strrchr(address, ':');
        fl_cli_complain(cli, "the pages are at http://%.*s:%u/",
                        colon != NULL ? (int)(colon - address) : 0, address, port);
        (void)fflush(cli->err);
    }
    return status;
}

/* Signals are blocked before the first thread is made, so that each inherits it, and stay so to the
 * end of the program: one more of them while it stops asks for what is being done. */
static fl_exit run_web(fl_cli *cli, const fl_args *args)
{
    char store[FL_LOCATION_BYTES];
    fl_error err = {0};
    parts with = {0};
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    fl_status status = fl_location_find(store, args, false, &err);
    if (status == FL_OK)
        status = fl_web_create(&with.web, &(fl_web_options){.store = store}, &err);
    if (status == FL_OK)
        status = fl_api_create(&with.api,
                               &(fl_api_options){.store = store, .mode = FL_STORE_EXISTING}, &err);
    if (status == FL_OK)
        status = fl_http_create(&with.http, &(fl_http_options){0}, &err);
    if (status == FL_OK)
        status = start(&with, cli, fl_args_text(args, "listen"), &err);
    if (status == FL_OK)
        wait_until_told(&signals);
    fl_http_destroy(with.http);
    fl_api_destroy(with.api);
    fl_web_destroy(with.web);
    return status == FL_OK ? FL_EXIT_OK : fl_cli_fail(cli, &err);
}

static const fl_option options[] = {
    {.name = "store",
     .kind = FL_OPTION_TEXT,
     .argument = "URL",
     .help = "The store to show: a file, sqlite:FILE or postgresql://HOST/NAME"},
    {.name = "listen",
     .letter = 'l',
     .kind = FL_OPTION_TEXT,
     .argument = "ADDRESS:PORT",
     .fallback = "127.0.0.1:4380",
     .help = "Where on this machine the browser finds them; port 0 is any free one"},
};

static const fl_example examples[] = {
    {"faultline web", "the incidents that were triaged on this machine, at http://127.0.0.1:4380/"},
    {"faultline web --store postgresql://db/faultline", "those that a team shares"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "it was told to stop"},
    {FL_EXIT_ERROR, "it could not listen there, or no place for a store is known"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_web = {
    .name = "web",
    .summary = "show incidents and the graph in a browser",
    .description =
        "Serves the pages of a store to this machine's browser until it is told to stop: the list"
        " of incidents, each with its ranking, evidence and pictures, and the knowledge graph."
        " Nothing is fetched from elsewhere. 'faultline serve' has the same pages, also for"
        " others, and follows incidents as they go on.",
    .options = options,
    .option_count = FL_COUNT(options),
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_web,
};
