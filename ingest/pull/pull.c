/*
 * pull.c - the queue: what is sent when, and what becomes of its end.
 *
 * Invariants:
 *   (1) a request is in its source's queue, or in `active`, or has ended with one call of `done`;
 *   (2) `outstanding` counts the first two; source->in_flight those of its own in `active`;
 *   (3) `body` is of the answer in hand and changes only in the next one.
 */
#include "pull.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "curl_lazy.h"
#include "faultline/limits.h"
#include "mem.h"
#include "pull_priv.h"
#include "timestamp.h"

enum { MAX_ACTIVE = 256, DEFAULT_PARALLEL = 16 };

/* How long a stop may go unnoticed. */
static const int64_t look_ns = 100 * FL_NS_PER_MS;

struct fl_pull {
    CURLM *multi;
    fl_pull_options options;
    fl_pull_source *sources[FL_MAX_PULL_SOURCES];
    size_t source_count;
    pull_get *active[MAX_ACTIVE];
    size_t active_count, outstanding;
    uint64_t random;
    fl_buf body;
};

/* libcurl is loaded here: a program that pulls nothing never pays for it. */
fl_status fl_pull_create(fl_pull **out, const fl_pull_options *options, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    fl_status status = fl_curl_load(err);
    if (status != FL_OK)
        return status;
    fl_pull *pull = fl_mem_calloc(1, sizeof(*pull));
    if (pull == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for requests");
    if (options != NULL)
        pull->options = *options;
    if (pull->options.max_parallel == 0)
        pull->options.max_parallel = DEFAULT_PARALLEL;
    if (pull->options.max_parallel > MAX_ACTIVE)
        pull->options.max_parallel = MAX_ACTIVE;
    pull->random = pull->options.seed;
    pull->body = fl_buf_of(FL_MAX_FETCH_BYTES);
    pull->multi = curl_multi_init();
    if (pull->multi == NULL) {
        fl_mem_free(pull);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for requests");
    }
    *out = pull;
    return FL_OK;
}

/* In no list any more, and its handle not in the multi handle. */
static void free_get(pull_get *get)
{
    fl_pull_release(get);
    fl_mem_free(get->url);
    fl_mem_free(get);
}

/* With what still waits for it, whose `done` is not called: the whole fl_pull goes. */
static void free_source(fl_pull_source *source)
{
    const fl_pull_source_options *o = &source->options;
    const char *const texts[] = {o->url,     o->token_file, o->user,     o->password_file,
                                 o->ca_file, o->cert_file,  o->key_file, o->tenant};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        fl_mem_free((void *)(uintptr_t)texts[i]);
    while (source->first != NULL) {
        pull_get *get = source->first;
        source->first = get->next;
        free_get(get);
    }
    fl_mem_free(source);
}

/* Handles leave the multi handle before they are freed: libcurl wants it in this order. */
void fl_pull_destroy(fl_pull *pull)
{
    if (pull == NULL)
        return;
    for (size_t i = 0; i < pull->active_count; i++) {
        (void)curl_multi_remove_handle(pull->multi, pull->active[i]->easy);
        free_get(pull->active[i]);
    }
    for (size_t i = 0; i < pull->source_count; i++)
        free_source(pull->sources[i]);
    (void)curl_multi_cleanup(pull->multi);
    fl_buf_dispose(&pull->body);
    fl_mem_free(pull);
}

/* ---- sources ---- */

/* Five seconds to connect are an eternity inside of a data centre. A query over an hour of
 * thousands of series takes some seconds, a minute is what Prometheus and Loki themselves give one;
 * four at a time leave most of the twenty that Prometheus runs at once to its other askers. */
static void set_defaults(fl_pull_source_options *options)
{
    static const fl_pull_source_options defaults = {.max_parallel = 4,
                                                    .max_tries = 4,
                                                    .max_redirects = 3,
                                                    .connect_timeout_ns = 5 * FL_NS_PER_S,
                                                    .total_timeout_ns = 60 * FL_NS_PER_S,
                                                    .slow_ns = 30 * FL_NS_PER_S,
                                                    .slow_bytes_per_s = 64,
                                                    .max_wire_bytes = 64u << 20,
                                                    .max_bytes = FL_MAX_FETCH_BYTES,
                                                    .pause_ns = 250 * FL_NS_PER_MS,
                                                    .max_pause_ns = 30 * FL_NS_PER_S,
                                                    .breaker_failures = 5,
                                                    .breaker_ns = 30 * FL_NS_PER_S};
#define DEFAULT(field)                                                                             \
    if (options->field == 0)                                                                       \
    options->field = defaults.field
    DEFAULT(max_parallel);
    DEFAULT(max_tries);
    DEFAULT(max_redirects);
    DEFAULT(connect_timeout_ns);
    DEFAULT(total_timeout_ns);
    DEFAULT(slow_ns);
    DEFAULT(slow_bytes_per_s);
    DEFAULT(max_wire_bytes);
    DEFAULT(max_bytes);
    DEFAULT(pause_ns);
    DEFAULT(max_pause_ns);
    DEFAULT(breaker_failures);
    DEFAULT(breaker_ns);
#undef DEFAULT
    if (options->max_pause_ns < options->pause_ns)
        options->max_pause_ns = options->pause_ns;
    assert(options->max_wire_bytes <= SIZE_MAX / 4 && options->max_bytes <= SIZE_MAX / 4);
}

/* `text` in memory of its own; NULL stays NULL. False: no memory. */
static bool copy_text(const char **text, size_t len)
{
    if (*text == NULL)
        return true;
    char *copy = fl_mem_alloc(len + 1);
    if (copy != NULL) {
        memcpy(copy, *text, len);
        copy[len] = '\0';
    }
    *text = copy;
    return copy != NULL;
}

/* The caller's options may be on its stack. A trailing slash would double that of a path. */
static bool copy_texts(fl_pull_source_options *o)
{
    size_t len = strlen(o->url);
    while (len > 0 && o->url[len - 1] == '/')
        len--;
    bool ok = copy_text(&o->url, len);
    const char **const texts[] = {&o->token_file, &o->user,     &o->password_file, &o->ca_file,
                                  &o->cert_file,  &o->key_file, &o->tenant};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (!ok || !copy_text(texts[i], *texts[i] != NULL ? strlen(*texts[i]) : 0)) {
            ok = false;
            *texts[i] = NULL;
        }
    return ok;
}

/* What could begin another header, or another request, is none. */
static bool is_header_value(const char *text)
{
    while (*text >= ' ' && *text != 0x7f)
        text++;
    return *text == '\0';
}

/* The URL is checked by the same code that shows it in messages, without its password. */
fl_status fl_pull_add(fl_pull_source **out, fl_pull *pull, const fl_pull_source_options *options,
                      fl_error *err)
{
    assert(out != NULL && options->url != NULL);
    char shown[FL_FETCH_URL], scheme[8];
    *out = NULL;
    fl_status status = fl_fetch_show_url(shown, scheme, options->url, err);
    if (status != FL_OK)
        return status;
    if (strpbrk(options->url, "?#") != NULL)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "'%.120s' has a query: give it without",
                       shown);
    if (pull->source_count == FL_MAX_PULL_SOURCES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d sources", FL_MAX_PULL_SOURCES);
    if (options->tenant != NULL && !is_header_value(options->tenant))
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "a tenant is not one line of text");
    fl_pull_source *source = fl_mem_calloc(1, sizeof(*source));
    if (source == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a source");
    source->pull = pull;
    source->options = *options;
    set_defaults(&source->options);
    if (!copy_texts(&source->options)) {
        free_source(source);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a source");
    }
    memcpy(source->shown, shown, sizeof(shown));
    size_t len = strlen(source->shown);
    while (len > 0 && source->shown[len - 1] == '/')
        source->shown[--len] = '\0';
    source->breaker = (fl_pull_breaker){.limit = source->options.breaker_failures,
                                        .first_ns = source->options.breaker_ns};
    pull->sources[pull->source_count++] = source;
    *out = source;
    return FL_OK;
}

const char *fl_pull_source_url(const fl_pull_source *source)
{
    return source->shown;
}

/* A copy: what is counted goes on. */
fl_pull_stats fl_pull_stats_of(const fl_pull_source *source)
{
    fl_pull_stats out = source->stats;
    out.state = source->breaker.state;
    return out;
}

/* ---- the queue ---- */

/* In front go redirects and probes that must wait, which are older than all that wait. */
static void enqueue(pull_get *get, bool in_front)
{
    fl_pull_source *source = get->source;
    get->next = in_front ? source->first : NULL;
    if (in_front)
        source->first = get;
    else if (source->last != NULL)
        source->last->next = get;
    else
        source->first = get;
    if (!in_front || source->last == NULL)
        source->last = get;
}

/* Nothing is sent here: a caller may ask for thousands in a row, and the step keeps the limits. */
fl_status fl_pull_get(fl_pull_source *source, const char *path, fl_pull_done *done, void *payload,
                      fl_error *err)
{
    assert(path[0] == '/' && done != NULL);
    size_t base = strlen(source->options.url), len = strlen(path);
    if (len > FL_MAX_PULL_PATH)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "a query is longer than %d bytes",
                       FL_MAX_PULL_PATH);
    pull_get *get = fl_mem_calloc(1, sizeof(*get));
    char *url = fl_mem_alloc(base + len + 1);
    if (get == NULL || url == NULL) {
        fl_mem_free(get);
        fl_mem_free(url);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a request");
    }
    memcpy(url, source->options.url, base);
    memcpy(url + base, path, len + 1);
    *get = (pull_get){.source = source, .done = done, .payload = payload, .url = url};
    enqueue(get, false);
    source->pull->outstanding++;
    return FL_OK;
}

size_t fl_pull_outstanding(const fl_pull *pull)
{
    return pull->outstanding;
}

/* The end of a request that is in no list: its one call. */
static fl_status end(pull_get *get, const fl_pull_answer *answer, fl_error *err)
{
    fl_pull_source *source = get->source;
    assert(source->pull->outstanding > 0 && get->easy == NULL);
    source->pull->outstanding--;
    source->stats.failures += answer->status != FL_OK;
    fl_status status = get->done(get->payload, answer, err);
    free_get(get);
    return status;
}

/* One that was not sent, or not again. */
static fl_status end_unsent(pull_get *get, const fl_error *why, fl_error *err)
{
    const fl_pull_answer answer = {.status = why->status,
                                   .message = why->message,
                                   .sent_ns = get->sent_at_ns,
                                   .tries = get->tries};
    return end(get, &answer, err);
}

/* Take the first that is due out of the queue; NULL: none is. */
static pull_get *take_due(fl_pull_source *source, int64_t now_ns)
{
    pull_get *before = NULL, *get = source->first;
    while (get != NULL && get->due_ns > now_ns) {
        before = get;
        get = get->next;
    }
    if (get == NULL)
        return NULL;
    if (before == NULL)
        source->first = get->next;
    else
        before->next = get->next;
    if (source->last == get)
        source->last = before;
    get->next = NULL;
    return get;
}

/* Into the air. What cannot even be prepared has ended. */
static fl_status send_get(pull_get *get, int64_t now_ns, fl_error *err)
{
    fl_pull_source *source = get->source;
    fl_pull *pull = source->pull;
    fl_error why = {0};
    fl_status status = fl_pull_prepare(get, &why);
    if (status == FL_OK && curl_multi_add_handle(pull->multi, get->easy) != CURLM_OK) {
        status = fl_fail(&why, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a request");
        fl_pull_release(get);
    }
    if (status != FL_OK)
        return end_unsent(get, &why, err);
    fl_pull_breaker_sent(&source->breaker);
    source->stats.requests++;
    source->stats.retries += get->tries > 0;
    source->in_flight++;
    get->tries++;
    get->sent_ns = now_ns;
    get->sent_at_ns = fl_time_now();
    assert(pull->active_count < MAX_ACTIVE);
    pull->active[pull->active_count++] = get;
    return FL_OK;
}

/* One that will not be sent for a while, as the source has failed too often. */
static fl_status leave_alone(pull_get *get, int64_t now_ns, fl_error *err)
{
    char text[FL_TIME_TEXT];
    fl_error why = {0};
    fl_pull_source *source = get->source;
    int64_t left_s = (source->breaker.until_ns - now_ns + FL_NS_PER_S - 1) / FL_NS_PER_S;
    (void)fl_fail(&why, FL_E_IO, FL_NO_OFFSET, "%.60s: left alone for %s after %u failures: %.70s",
                  source->shown, fl_duration_format(text, left_s * FL_NS_PER_S),
                  source->breaker.failures, source->last_failure);
    source->stats.left_alone++;
    return end_unsent(get, &why, err);
}

/* What is due of one source, as far as there are places. */
static fl_status feed_source(fl_pull_source *source, int64_t now_ns, fl_error *err)
{
    fl_pull *pull = source->pull;
    fl_status status = FL_OK;
    while (status == FL_OK && source->in_flight < source->options.max_parallel &&
           pull->active_count < pull->options.max_parallel) {
        bool wait;
        pull_get *get = take_due(source, now_ns);
        if (get == NULL)
            return FL_OK;
        if (fl_pull_breaker_permits(&source->breaker, now_ns, &wait))
            status = send_get(get, now_ns, err);
        else if (wait) {
            enqueue(get, true);
            return FL_OK;
        } else
            status = leave_alone(get, now_ns, err);
    }
    return status;
}

/* ---- ends of transfers ---- */

/* The order of what is in flight has no meaning, so that the last takes the place. */
static void take_active(pull_get *get)
{
    fl_pull *pull = get->source->pull;
    size_t i = 0;
    while (i < pull->active_count && pull->active[i] != get)
        i++;
    assert(i < pull->active_count);
    pull->active[i] = pull->active[--pull->active_count];
    get->source->in_flight--;
}

/* What the server had to do for us, whether it was of use or not. */
static void count_cost(fl_pull_source *source, const pull_get *get, int64_t now_ns)
{
    curl_off_t bytes = 0;
    long header_bytes = 0;
    (void)curl_easy_getinfo(get->easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    (void)curl_easy_getinfo(get->easy, CURLINFO_HEADER_SIZE, &header_bytes);
    source->stats.wire_bytes += (uint64_t)bytes + (uint64_t)header_bytes;
    source->stats.busy_ns += now_ns - get->sent_ns;
}

/* The new URL goes to the head of the queue, as the same try. False: no memory. */
static bool follow(pull_get *get, const char *url)
{
    const char *copy = url;
    if (!copy_text(&copy, strlen(url)))
        return false;
    fl_mem_free(get->url);
    get->url = (char *)(uintptr_t)copy;
    get->redirects++;
    get->tries--;
    return true;
}

/* Whether there will be another try, and then it waits in the queue. */
static bool try_again(pull_get *get, const pull_result *result, int64_t now_ns)
{
    fl_pull_source *source = get->source;
    const fl_pull_pause rule = {.first_ns = source->options.pause_ns,
                                .max_ns = source->options.max_pause_ns};
    if (!result->is_retryable || get->tries >= source->options.max_tries)
        return false;
    int64_t pause_ns = fl_pull_pause_ns(&rule, get->tries, result->asked_ns, &source->pull->random);
    if (pause_ns < 0)
        return false;
    get->due_ns = now_ns + pause_ns;
    fl_pull_release(get);
    enqueue(get, false);
    return true;
}

/* Three ways on: to where it is redirected, once more after a pause, or to the end. The breaker
 * learns of each try, so that it opens while a request is still being tried again. */
static fl_status finish(pull_get *get, int code, fl_error *err)
{
    fl_pull_source *source = get->source;
    fl_pull *pull = source->pull;
    int64_t now_ns = fl_time_monotonic();
    pull_result result;
    take_active(get);
    (void)curl_multi_remove_handle(pull->multi, get->easy);
    count_cost(source, get, now_ns);
    fl_pull_judge(&result, get, code, &pull->body);
    fl_pull_breaker_learn(&source->breaker, result.is_failure, now_ns);
    if (result.is_failure)
        (void)snprintf(source->last_failure, sizeof(source->last_failure), "%.127s",
                       result.why.message);
    if (result.follow != NULL) {
        if (follow(get, result.follow)) {
            fl_pull_release(get);
            enqueue(get, true);
            return FL_OK;
        }
        result.status = fl_fail(&result.why, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a URL");
    }
    if (result.status != FL_OK && try_again(get, &result, now_ns))
        return FL_OK;
    const fl_pull_answer answer = {.status = result.status,
                                   .message = result.why.message,
                                   .http = result.http,
                                   .body = fl_buf_slice(&pull->body),
                                   .sent_ns = get->sent_at_ns,
                                   .received_ns = get->first_byte_ns,
                                   .server_ns = get->server_ns,
                                   .duration_ns = now_ns - get->sent_ns,
                                   .tries = get->tries};
    fl_pull_release(get);
    return end(get, &answer, err);
}

/* Everything ends. */
static fl_status stop(fl_pull *pull, fl_error *err)
{
    fl_error why = {0};
    (void)fl_fail(&why, FL_E_STOPPED, FL_NO_OFFSET, "stopped");
    while (pull->active_count > 0) {
        pull_get *get = pull->active[pull->active_count - 1];
        (void)curl_multi_remove_handle(pull->multi, get->easy);
        take_active(get);
        fl_pull_release(get);
        (void)end_unsent(get, &why, NULL);
    }
    for (size_t i = 0; i < pull->source_count; i++) {
        pull_get *get;
        while ((get = take_due(pull->sources[i], INT64_MAX)) != NULL)
            (void)end_unsent(get, &why, NULL);
    }
    return fl_fail(err, FL_E_STOPPED, FL_NO_OFFSET, "stopped");
}

/* ---- steps ---- */

/* How long there is nothing to do: until something in a queue is due, where there is a place. */
static int64_t time_to_next(const fl_pull *pull, int64_t wait_ns, int64_t now_ns)
{
    if (wait_ns > look_ns)
        wait_ns = look_ns;
    for (size_t i = 0; i < pull->source_count; i++) {
        const fl_pull_source *source = pull->sources[i];
        if (source->in_flight >= source->options.max_parallel)
            continue;
        for (const pull_get *get = source->first; get != NULL; get = get->next)
            if (get->due_ns > now_ns && get->due_ns - now_ns < wait_ns)
                wait_ns = get->due_ns - now_ns;
    }
    return wait_ns;
}

/* A message is gone once its handle is removed or another is read. */
static fl_status take_messages(fl_pull *pull, bool *any, fl_error *err)
{
    int left;
    fl_status status = FL_OK;
    for (CURLMsg *message;
         status == FL_OK && (message = curl_multi_info_read(pull->multi, &left)) != NULL;) {
        pull_get *get = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result; /* gone once the handle is removed */
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&get);
        assert(get != NULL);
        *any = true;
        status = finish(get, (int)code, err);
    }
    return status;
}

/* Sending comes first: a step that waits does so with everything in flight that may be. */
fl_status fl_pull_step(fl_pull *pull, int64_t wait_ns, fl_error *err)
{
    assert(pull != NULL && wait_ns >= 0);
    int running;
    bool any = false;
    fl_status status = FL_OK;
    if (pull->options.should_stop != NULL &&
        pull->options.should_stop(pull->options.should_stop_of))
        return stop(pull, err);
    int64_t now_ns = fl_time_monotonic();
    for (size_t i = 0; i < pull->source_count && status == FL_OK; i++)
        status = feed_source(pull->sources[i], now_ns, err);
    if (status != FL_OK)
        return status;
    if (curl_multi_perform(pull->multi, &running) != CURLM_OK)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for requests");
    status = take_messages(pull, &any, err);
    if (status != FL_OK || any || wait_ns == 0)
        return status;
    wait_ns = time_to_next(pull, wait_ns, now_ns);
    (void)curl_multi_poll(pull->multi, NULL, 0, (int)((wait_ns + FL_NS_PER_MS - 1) / FL_NS_PER_MS),
                          NULL);
    return FL_OK;
}

/* Answers may ask for more: it is over when nothing is left. */
fl_status fl_pull_run(fl_pull *pull, fl_error *err)
{
    fl_status status = FL_OK;
    while (status == FL_OK && pull->outstanding > 0)
        status = fl_pull_step(pull, look_ns, err);
    return status;
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void fl_pull_escape(fl_buf *out, fl_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (is_unreserved(text.ptr[i]))
            fl_buf_char(out, (char)text.ptr[i]);
        else
            fl_buf_printf(out, "%%%02X", text.ptr[i]);
}
