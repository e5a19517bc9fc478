/*
 * follow_store.c - an incident in a store, which is opened again where it went away.
 */
#include <assert.h>
#include <time.h>

#include "follow.h"
#include "mem.h"
#include "shown.h"
#include "timestamp.h"

typedef struct in_store {
    const char *url;
    fl_store *store; /* NULL: it went away */
} in_store;

fl_status fl_follow_store_open(void **out, const fl_follow_options *options, fl_error *err)
{
    in_store *in = fl_mem_calloc(1, sizeof(*in));
    if (in == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to follow an incident");
    in->url = options->store;
    fl_status status = fl_store_open(&in->store, in->url, FL_STORE_EXISTING, err);
    if (status != FL_OK) {
        fl_mem_free(in);
        return status;
    }
    *out = in;
    return FL_OK;
}

/* A store that is not there is no answer about an incident. */
static fl_status come_back(in_store *in, fl_error *err)
{
    fl_error why = {0};
    if (in->store != NULL && fl_store_is_there(in->store))
        return FL_OK;
    fl_store_close(in->store);
    in->store = NULL;
    fl_status status = fl_store_open(&in->store, in->url, FL_STORE_EXISTING, &why);
    if (status == FL_OK)
        return FL_OK;
    return fl_fail(err, status == FL_E_NOTFOUND ? FL_E_IO : status, FL_NO_OFFSET, "%s",
                   why.message);
}

static fl_status look(void *place, const char *id, char **document, fl_error *err)
{
    in_store *in = place;
    assert(id != NULL && *document == NULL);
    fl_status status = come_back(in, err);
    if (status == FL_OK)
        status = fl_store_get(in->store, id, document, err);
    if (status != FL_OK && status != FL_E_NOTFOUND) {
        fl_store_close(in->store);
        in->store = NULL;
    }
    return status;
}

/* `id` is whole by now, or names one incident only. */
static fl_status picture(void *place, const char *id, char **out, fl_error *err)
{
    in_store *in = place;
    char *document = NULL;
    assert(in->store != NULL);
    fl_status status = fl_store_get(in->store, id, &document, err);
    if (status == FL_OK)
        status = fl_shown_picture(out, in->store, document, err);
    fl_mem_free(document);
    return status;
}

/* Nobody tells. A signal may end it early, which does not matter. */
static bool wait_for(void *place, const char *id, int64_t wait_ns)
{
    const struct timespec time = {.tv_sec = wait_ns / FL_NS_PER_S,
                                  .tv_nsec = wait_ns % FL_NS_PER_S};
    assert(wait_ns >= 0);
    (void)place, (void)id;
    (void)nanosleep(&time, NULL);
    return false;
}

static int64_t every_ns(void *place)
{
    (void)place;
    return FL_NS_PER_S;
}

static void close_store(void *place)
{
    in_store *in = place;
    fl_store_close(in->store);
    fl_mem_free(in);
}

const fl_follow_place fl_follow_store = {
    .look = look, .picture = picture, .wait = wait_for, .every_ns = every_ns, .close = close_store};
