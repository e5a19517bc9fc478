/*
 * ask.c - one question after the other over one connection.
 */
#include "ask.h"

#include <assert.h>
#include <string.h>

#include "mem.h"
#include "pull.h"
#include "slice.h"
#include "timestamp.h"

struct fl_ask {
    fl_pull *pull;
    fl_pull_source *source;
    json_t *answer; /* of the question under way */
};

fl_status fl_ask_create(fl_ask **out, const fl_args *args, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    fl_ask *ask = fl_mem_calloc(1, sizeof(*ask));
    if (ask == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a question");
    /* A person waits: what does not answer at once is said at once. */
    const fl_pull_source_options options = {.url = fl_args_text(args, "url"),
                                            .token_file = fl_args_text(args, "token-file"),
                                            .max_tries = 1,
                                            .total_timeout_ns = 10 * FL_NS_PER_S,
                                            .max_bytes = 16u << 20};
    fl_status status = fl_pull_create(&ask->pull, NULL, err);
    if (status == FL_OK)
        status = fl_pull_add(&ask->source, ask->pull, &options, err);
    if (status != FL_OK) {
        fl_ask_destroy(ask);
        return status;
    }
    *out = ask;
    return FL_OK;
}

void fl_ask_destroy(fl_ask *ask)
{
    if (ask == NULL)
        return;
    fl_pull_destroy(ask->pull);
    json_decref(ask->answer);
    fl_mem_free(ask);
}

/* fl_pull_done */
static fl_status take(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    fl_ask *ask = payload;
    if (answer->http == 401 || answer->http == 403)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET,
                       "%.100s does not answer without a token that may read: --token-file",
                       fl_pull_source_url(ask->source));
    if (answer->status != FL_OK)
        return fl_fail(err, answer->status, FL_NO_OFFSET, "%s", answer->message);
    ask->answer = json_loadb((const char *)answer->body.ptr, answer->body.len, 0, NULL);
    if (!json_is_object(ask->answer))
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%.100s is not a daemon of faultline",
                       fl_pull_source_url(ask->source));
    return FL_OK;
}

fl_status fl_ask_get(json_t **out, fl_ask *ask, const char *path, fl_error *err)
{
    assert(out != NULL && ask != NULL && path != NULL);
    json_decref(ask->answer);
    ask->answer = NULL;
    fl_status status = fl_pull_get(ask->source, path, take, ask, err);
    if (status == FL_OK)
        status = fl_pull_run(ask->pull, err);
    if (status != FL_OK)
        return status;
    assert(ask->answer != NULL);
    *out = ask->answer;
    ask->answer = NULL;
    return FL_OK;
}
