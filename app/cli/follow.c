/*
 * follow.c - when to look, what is new, and how long to leave alone who does not answer.
 */
#include "follow.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "timestamp.h"

#define FIRST_PAUSE_NS (FL_NS_PER_S / 2)
#define MAX_PAUSE_NS   (30 * FL_NS_PER_S)

struct fl_follow {
    const fl_follow_place *kind;
    void *place;
    char *id;
    char *document, *picture; /* as they were seen last; NULL: not yet */
    bool has_seen, is_lost;
    int64_t due_ns, pause_ns; /* monotonic: of the next look */
};

fl_status fl_follow_open(fl_follow **out, const fl_follow_options *options, fl_error *err)
{
    assert(options->server != NULL || options->store != NULL);
    *out = NULL;
    fl_follow *follow = fl_mem_calloc(1, sizeof(*follow));
    if (follow == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to follow an incident");
    bool is_server = options->server != NULL;
    follow->kind = is_server ? &fl_follow_server : &fl_follow_store;
    fl_status status = is_server ? fl_follow_server_open(&follow->place, options, err)
                                 : fl_follow_store_open(&follow->place, options, err);
    if (status != FL_OK) {
        fl_mem_free(follow);
        return status;
    }
    *out = follow;
    return FL_OK;
}

static void forget(fl_follow *follow)
{
    fl_mem_free(follow->document);
    fl_mem_free(follow->picture);
    follow->document = follow->picture = NULL;
}

void fl_follow_close(fl_follow *follow)
{
    if (follow == NULL)
        return;
    follow->kind->close(follow->place);
    forget(follow);
    fl_mem_free(follow->id);
    fl_mem_free(follow);
}

fl_status fl_follow_turn_to(fl_follow *follow, const char *id, fl_error *err)
{
    assert(follow != NULL && id != NULL);
    size_t len = strlen(id);
    char *copy = fl_mem_alloc(len + 1);
    if (copy == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to follow an incident");
    memcpy(copy, id, len + 1);
    fl_mem_free(follow->id);
    follow->id = copy;
    follow->due_ns = 0;
    return FL_OK;
}

/* Whether two texts are the same; NULL is a text of its own. */
static bool is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Takes both texts. */
static void take(fl_follow *follow, char *document, char *picture, fl_follow_news *news)
{
    assert(document != NULL);
    news->is_new = !is_same(follow->document, document) || !is_same(follow->picture, picture);
    forget(follow);
    follow->document = document;
    follow->picture = picture;
}

/* Both texts; the picture is asked for where the document is another one. */
static fl_status look(fl_follow *follow, fl_follow_news *news, fl_error *err)
{
    char *document = NULL, *picture = NULL;
    fl_status status = follow->kind->look(follow->place, follow->id, &document, err);
    if (status == FL_OK && is_same(document, follow->document)) {
        fl_mem_free(document);
        return FL_OK;
    }
    if (status == FL_OK)
        status = follow->kind->picture(follow->place, follow->id, &picture, err);
    if (status != FL_OK) {
        fl_mem_free(document);
        return status;
    }
    take(follow, document, picture, news);
    return FL_OK;
}

/* Said once; the pauses grow. */
static void lose(fl_follow *follow, const fl_error *why, fl_follow_news *news)
{
    assert(why->status != FL_OK);
    news->is_lost = !follow->is_lost;
    follow->pause_ns = !follow->is_lost                      ? FIRST_PAUSE_NS
                       : follow->pause_ns * 2 < MAX_PAUSE_NS ? follow->pause_ns * 2
                                                             : MAX_PAUSE_NS;
    follow->is_lost = true;
    news->again_ns = follow->pause_ns;
    (void)snprintf(news->why, sizeof(news->why), "%s", why->message);
    follow->due_ns = fl_time_monotonic() + follow->pause_ns;
}

static fl_status look_now(fl_follow *follow, fl_follow_news *news, fl_error *err)
{
    fl_error why = {0};
    fl_status status = look(follow, news, &why);
    bool is_fatal = status == FL_E_STOPPED || status == FL_E_NOMEM || !follow->has_seen;
    if (status != FL_OK && is_fatal) {
        (void)fl_fail(err, why.status, why.offset, "%s", why.message);
        return status;
    }
    if (status == FL_E_NOTFOUND) {
        news->is_gone = true;
    } else if (status != FL_OK) {
        lose(follow, &why, news);
        return FL_OK;
    }
    news->is_back = follow->is_lost;
    follow->is_lost = false;
    follow->has_seen = true;
    follow->due_ns = fl_time_monotonic() + follow->kind->every_ns(follow->place);
    return FL_OK;
}

fl_status fl_follow_step(fl_follow *follow, int64_t wait_ns, fl_follow_news *news, fl_error *err)
{
    assert(follow->id != NULL && wait_ns >= 0);
    int64_t left_ns = follow->due_ns - fl_time_monotonic();
    fl_status status = FL_OK;
    *news = (fl_follow_news){0};
    if (left_ns <= 0)
        status = look_now(follow, news, err);
    else if (follow->kind->wait(follow->place, follow->id, left_ns < wait_ns ? left_ns : wait_ns) &&
             !follow->is_lost)
        follow->due_ns = 0;
    news->document = follow->document;
    news->picture = follow->picture;
    return status;
}
