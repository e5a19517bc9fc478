/*
 * store.c - from a URL to the kind of store that serves it. Adding a kind is a line in the table.
 *
 *   url := scheme ":" location | path        a plain path is an SQLite file
 *
 * A store is reached only through the functions of its kind, so that a command does not know which
 * one it has. What holds for every kind is asserted here, once: the kinds need not repeat it.
 */
#include "store.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "graph_ahead.h"
#include "pack.h"
#include "store_priv.h"

static const fl_store_kind *const kinds[] = {&fl_store_sqlite, &fl_store_postgres};

enum {
    KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]),
    MAX_PICTURE_BYTES = 16 << 20 /* packed or not; two hundred lanes take a tenth of it */
};

/* Length of the scheme in front of ':'; 0 for a plain path. Two letters at least (RFC 3986 allows
 * one), so that a drive letter is not taken for one. */
static size_t scheme_len(const char *url)
{
    size_t len = strspn(url, "abcdefghijklmnopqrstuvwxyz0123456789+.-");
    return len >= 2 && url[0] >= 'a' && url[0] <= 'z' && url[len] == ':' ? len : 0;
}

/* The sentence lists what there is instead of guessing. */
static fl_status unknown_scheme(const char *url, size_t len, fl_error *err)
{
    char known[96] = "";
    size_t used = 0;
    for (size_t i = 0; i < KIND_COUNT && used < sizeof(known); i++)
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i > 0 ? ", " : "",
                                 kinds[i]->scheme);
    return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "unknown store '%.*s'; known: %s",
                   len < 40 ? (int)len : 40, url, known);
}

/* The kind that serves the URL, and what of it names the place. */
static fl_status find_kind(const fl_store_kind **out, const char **location, const char *url,
                           fl_error *err)
{
    size_t len = scheme_len(url);
    *out = len == 0 ? &fl_store_sqlite : NULL;
    for (size_t i = 0; *out == NULL && i < KIND_COUNT; i++)
        if (strlen(kinds[i]->scheme) == len && strncmp(kinds[i]->scheme, url, len) == 0)
            *out = kinds[i];
    if (*out == NULL)
        return unknown_scheme(url, len, err);
    *location = len > 0 ? url + len + 1 : url;
    if (**location == '\0')
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "store '%.40s' names no place", url);
    return FL_OK;
}

fl_status fl_store_open(fl_store **out, const char *url, fl_store_mode mode, fl_error *err)
{
    assert(out != NULL && url != NULL);
    const fl_store_kind *kind;
    const char *location;
    fl_status status = find_kind(&kind, &location, url, err);
    return status == FL_OK ? kind->open(out, location, mode, err) : status;
}

fl_status fl_store_plan_of(fl_store_plan *out, const char *url, fl_error *err)
{
    assert(out != NULL && url != NULL);
    const fl_store_kind *kind;
    const char *location;
    fl_status status = find_kind(&kind, &location, url, err);
    return status == FL_OK ? kind->plan(out, location, err) : status;
}

fl_status fl_store_check(fl_store *store, fl_store_fault *visit, void *payload, fl_error *err)
{
    assert(store != NULL && visit != NULL);
    return store->kind->check(store, visit, payload, err);
}

void fl_store_close(fl_store *store)
{
    if (store == NULL)
        return;
    fl_graph_ahead_forget(store);
    store->kind->close(store);
}

bool fl_store_is_there(fl_store *store)
{
    assert(store != NULL);
    return store->kind->is_there(store);
}

fl_status fl_store_hold(fl_store *store, fl_error *err)
{
    assert(store != NULL);
    return store->kind->hold(store, err);
}

void fl_store_release(fl_store *store)
{
    assert(store != NULL);
    store->kind->release(store);
}

fl_status fl_store_put(fl_store *store, const fl_incident *incident, fl_slice document,
                       int64_t now_ns, fl_error *err)
{
    assert(store != NULL && incident != NULL && incident->id != NULL);
    return store->kind->put(store, incident, document, now_ns, err);
}

/* The kinds are asked without gaps: what was left open is filled in here. */
fl_status fl_store_find(fl_store *store, const fl_store_question *question, fl_store_visit *visit,
                        void *payload, fl_error *err)
{
    assert(store != NULL && question != NULL && visit != NULL);
    fl_store_question asked = *question;
    if (asked.behind_id ==
        NULL) { /* every row stands behind this one, so that a kind need not ask */
        asked.behind_id = "";
        asked.behind_ns = INT64_MAX;
    }
    if (asked.limit == 0 || asked.limit > INT64_MAX)
        asked.limit = INT64_MAX;
    return store->kind->find(store, &asked, visit, payload, err);
}

fl_status fl_store_list(fl_store *store, size_t limit, fl_store_visit *visit, void *payload,
                        fl_error *err)
{
    const fl_store_question question = {.limit = limit};
    return fl_store_find(store, &question, visit, payload, err);
}

fl_status fl_store_get(fl_store *store, const char *id_prefix, char **document, fl_error *err)
{
    assert(store != NULL && id_prefix != NULL && document != NULL);
    return store->kind->get(store, id_prefix, document, err);
}

fl_status fl_store_stamp(int64_t *stored_ns, fl_store *store, const char *id, fl_error *err)
{
    assert(stored_ns != NULL && store != NULL && id != NULL);
    bool is_there = false;
    fl_status status = store->kind->stamp(stored_ns, &is_there, store, id, err);
    if (status == FL_OK && !is_there)
        return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "there is no incident %.64s", id);
    return status;
}

fl_status fl_store_put_picture(fl_store *store, const char *id, fl_slice picture, fl_error *err)
{
    assert(store != NULL && id != NULL && id[0] != '\0');
    if (picture.len > MAX_PICTURE_BYTES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET,
                       "the picture of %.64s is larger than %d bytes", id, MAX_PICTURE_BYTES);
    fl_buf packed = fl_buf_of(MAX_PICTURE_BYTES);
    fl_status status = fl_pack(&packed, picture, "a picture", err);
    if (status == FL_OK)
        status = store->kind->put_picture(store, id, fl_buf_slice(&packed), err);
    fl_buf_dispose(&packed);
    return status;
}

fl_status fl_store_get_picture(fl_store *store, const char *id, char **picture, fl_error *err)
{
    assert(store != NULL && id != NULL && picture != NULL);
    fl_buf packed = fl_buf_of(MAX_PICTURE_BYTES), out = fl_buf_of(MAX_PICTURE_BYTES);
    fl_status status = store->kind->get_picture(&packed, store, id, err);
    if (status == FL_OK && packed.len == 0)
        status =
            fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "there is no picture of incident %.64s", id);
    if (status == FL_OK)
        status = fl_unpack(&out, fl_buf_slice(&packed), MAX_PICTURE_BYTES, "the picture", err);
    fl_buf_dispose(&packed);
    if (status == FL_OK && out.ptr == NULL) /* of nothing */
        fl_buf_text(&out, "");
    *picture = status == FL_OK ? out.ptr : NULL;
    if (status != FL_OK)
        fl_buf_dispose(&out);
    return status;
}
