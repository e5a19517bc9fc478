/*
 * serve.c - start and stop, in order.
 *
 * To wire a part in: a member of fl_serve, a line in start_parts(), one in stop_parts() at the
 * mirrored place, its figures in serve_metrics.c and serve_status.c.
 */
#include "serve.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "listen.h"
#include "mem.h"
#include "notify.h"
#include "serve_priv.h"
#include "timestamp.h"

/* How long a stop waits for a client in the middle of its request. */
enum { STOP_GRACE_S = 10 };

const char *const fl_serve_default_listen[] = {"127.0.0.1:4318", "127.0.0.1:3100", "127.0.0.1:9411",
                                               "127.0.0.1:4040"};
const size_t fl_serve_default_listen_count =
    sizeof(fl_serve_default_listen) / sizeof(fl_serve_default_listen[0]);

const char *fl_serve_state_name(fl_serve_state state)
{
    static const char *const names[] = {"recovering", "ready", "refusing", "stopping"};
    assert(state <= FL_SERVE_STOPPING);
    return names[state];
}

static void say(const fl_serve *serve, const char *format, ...) FL_PRINTF(2, 3);
static void say(const fl_serve *serve, const char *format, ...)
{
    char sentence[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    if (serve->options.say != NULL)
        serve->options.say(serve->options.say_to, sentence);
}

/* --- listening --- */

static fl_status listen_on(fl_serve *serve, const char *address, fl_error *err)
{
    fl_serve_address *at = &serve->addresses[serve->address_count];
    if (!fl_listen_is_loopback(address) && !serve->options.allow_unauthenticated)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "%.60s can be reached from other machines: have tokens or client "
                       "certificates asked for, or say --allow-unauthenticated",
                       address);
    fl_status status = fl_http_listen(serve->http, address, &at->port, err);
    if (status != FL_OK)
        return status;
    at->text = address;
    serve->address_count++;
    say(serve, "listening on %s, port %u", address, at->port);
    return FL_OK;
}

/* Addresses that were asked for must be had. Of the default ones, the senders' own ports are a
 * convenience that another program may need more. */
static fl_status listen_all(fl_serve *serve, fl_error *err)
{
    const fl_serve_options *o = &serve->options;
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < o->listen_count; i++)
        status = listen_on(serve, o->listen[i], err);
    if (o->listen_count > 0)
        return status;
    for (size_t i = 0; i < fl_serve_default_listen_count; i++) {
        fl_error why = {0};
        status = listen_on(serve, fl_serve_default_listen[i], &why);
        if (status != FL_OK && i == 0)
            return fl_fail(err, status, FL_NO_OFFSET, "%s", why.message);
        if (status != FL_OK)
            say(serve, "%s; going on without it", why.message);
    }
    return FL_OK;
}

/* --- what comes in --- */

/* What the last process left: said where it is not in order. */
static void say_found(const fl_serve *serve, const fl_archive_recovery *found)
{
    if (found->batches > 0)
        say(serve, "%llu requests of the last run are in the log and not yet in a block",
            (unsigned long long)found->batches);
    if (found->wal.torn_bytes > 0)
        say(serve, "%llu bytes at the log's end were not whole and never acknowledged: cut off",
            (unsigned long long)found->wal.torn_bytes);
    if (found->wal.lost_records > 0 || found->damaged_batches > 0 || found->damaged_files > 0)
        say(serve, "the disk lost %llu acknowledged requests and %llu blocks",
            (unsigned long long)(found->wal.lost_records + found->damaged_batches),
            (unsigned long long)found->damaged_files);
}

/* The archive, and the routes of all that is kept in it. */
static fl_status start_receiving(fl_serve *serve, fl_error *err)
{
    const fl_serve_options *o = &serve->options;
    fl_archive_recovery found;
    size_t count;
    fl_status status =
        fl_archive_open(&serve->archive, &found, serve->disk, &o->archive, fl_time_now(), err);
    if (status != FL_OK)
        return status;
    say_found(serve, &found);
    fl_receive_options options = {.archive = serve->archive,
                                  .github_secret = o->github_secret,
                                  .gitlab_token = o->gitlab_token};
    status = fl_receive_create(&serve->receive, &options, err);
    if (status != FL_OK)
        return status;
    const fl_http_route *routes = fl_receive_routes(serve->receive, &count);
    return fl_http_add(serve->http, routes, count, err);
}

/* Blocks are what the next process opens fastest; what cannot be sealed is in the log. */
static void stop_receiving(fl_serve *serve)
{
    fl_error err = {0};
    fl_receive_destroy(serve->receive);
    if (serve->archive != NULL && fl_archive_flush(serve->archive, &err) != FL_OK)
        say(serve, "%s; what was accepted stays in the log", err.message);
    fl_archive_close(serve->archive);
}

/* --- the order --- */

static fl_status start_parts(fl_serve *serve, fl_error *err)
{
    fl_status status = fl_disk_open(&serve->disk, serve->options.data_path, err);
    if (status == FL_OK)
        status = fl_http_create(&serve->http, &serve->options.http, err);
    if (status == FL_OK)
        status = fl_serve_add_routes(serve, err);
    if (status != FL_OK)
        return status;
    fl_http_set_ready(serve->http, false);
    status = listen_all(serve, err);
    return status == FL_OK ? start_receiving(serve, err) : status;
}

/* Each part is NULL where it was not started. */
static void stop_parts(fl_serve *serve)
{
    if (serve->http != NULL)
        fl_http_stop(serve->http, STOP_GRACE_S * FL_NS_PER_S);
    fl_http_destroy(serve->http);
    stop_receiving(serve);
    fl_disk_close(serve->disk);
}

fl_status fl_serve_start(fl_serve **out, const fl_serve_options *options, fl_error *err)
{
    assert(out != NULL && options != NULL && options->data_path != NULL);
    assert(options->listen_count <= FL_SERVE_MAX_LISTEN);
    *out = NULL;
    fl_serve *serve = fl_mem_calloc(1, sizeof(*serve));
    if (serve == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to serve");
    serve->options = *options;
    serve->started_ns = fl_time_now();
    serve->state = FL_SERVE_RECOVERING;
    fl_status status = start_parts(serve, err);
    if (status != FL_OK) {
        stop_parts(serve);
        fl_mem_free(serve);
        return status;
    }
    serve->state = FL_SERVE_READY;
    fl_http_set_ready(serve->http, true);
    fl_notify(options->notify_socket, "READY=1");
    say(serve, "ready");
    *out = serve;
    return FL_OK;
}

void fl_serve_tick(fl_serve *serve, int64_t now_ns)
{
    assert(serve != NULL && now_ns > 0);
    fl_archive_tick(serve->archive, now_ns);
    fl_notify(serve->options.notify_socket, "WATCHDOG=1");
}

/* The manager wants to hear of the beginning and the end, sd_notify(3). */
void fl_serve_reload(fl_serve *serve)
{
    assert(serve != NULL);
    fl_notify(serve->options.notify_socket, "RELOADING=1");
    say(serve, "there is nothing to read again");
    fl_notify(serve->options.notify_socket, "READY=1");
}

void fl_serve_stop(fl_serve *serve)
{
    if (serve == NULL)
        return;
    serve->state = FL_SERVE_STOPPING;
    fl_notify(serve->options.notify_socket, "STOPPING=1");
    say(serve, "stopping: what is under way is finished");
    stop_parts(serve);
    say(serve, "stopped");
    fl_mem_free(serve);
}

unsigned fl_serve_port(const fl_serve *serve, size_t i)
{
    assert(serve != NULL && i < FL_SERVE_MAX_LISTEN);
    return serve->addresses[i].port;
}
