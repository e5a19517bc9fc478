/*
 * incident_body.c - an incident's group as JSON: "live" of a page, and what a daemon needs to go on
 * after a restart. schemas/json/triage.schema.json has its members.
 *
 * Both are the same object: a page lists the first and the newest signs, the kept one has all.
 * Numbers that fill 64 bits are texts of 16 digits, since many readers of JSON round them.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "incidents_priv.h"
#include "json_put.h"
#include "slice.h"
#include "timestamp.h"

enum { MAX_REASON_BYTES = 2 * FL_MAX_SIGN_TEXT_BYTES };

/* Why the sign is here, as a sentence. */
static void reason_of(char out[MAX_REASON_BYTES], const fl_member *member)
{
    const char *of = member->of != NULL ? member->of : "it";
    const char *who = member->sign->service != NULL ? member->sign->service : "it";
    switch (member->why) {
    case FL_WHY_FIRST:
        (void)snprintf(out, MAX_REASON_BYTES, "it opened the incident");
        return;
    case FL_WHY_SAME_SERVICE:
        (void)snprintf(out, MAX_REASON_BYTES, "it is of %s as well", of);
        return;
    case FL_WHY_CALLS:
        (void)snprintf(out, MAX_REASON_BYTES, "%s calls %s, where the trouble is%s", who, of,
                       member->hops > 1 ? ", over others" : "");
        return;
    case FL_WHY_CALLED:
        (void)snprintf(out, MAX_REASON_BYTES, "%s has trouble and calls %s%s, as all others do", of,
                       who, member->hops > 1 ? " over others" : "");
        return;
    case FL_WHY_AFTERMATH:
        (void)snprintf(out, MAX_REASON_BYTES, "%s, the cause, calls %s and was first", of, who);
        return;
    case FL_WHY_SAME_NODE:
        (void)snprintf(out, MAX_REASON_BYTES, "it is of the machine %s as well", of);
        return;
    case FL_WHY_SAME_RULE:
        (void)snprintf(out, MAX_REASON_BYTES,
                       "it is of the rule %s as well, and neither says whose", of);
        return;
    case FL_WHY_COUNT:
        break;
    }
    assert(false && "every reason has a sentence");
}

/* Everything that a page shows and that a restart needs. */
static json_t *sign_of(fl_put *w, const fl_member *member)
{
    const fl_sign *sign = member->sign;
    json_t *object = json_object();
    char key[24], reason[MAX_REASON_BYTES];
    (void)snprintf(key, sizeof(key), "%016llx", (unsigned long long)sign->key);
    reason_of(reason, member);
    fl_put_text(w, object, "key", key);
    fl_put_text(w, object, "kind", fl_sign_kind_name(sign->kind));
    fl_put_text(w, object, "name", sign->name);
    fl_put_text(w, object, "service", sign->service);
    fl_put_text(w, object, "instance", sign->instance);
    fl_put_text(w, object, "node", sign->node);
    fl_put_text(w, object, "severity", sign->severity);
    fl_put_text(w, object, "summary", sign->summary);
    fl_put_text(w, object, "url", sign->url);
    fl_put_time(w, object, "onset", sign->onset_ns);
    fl_put_moment(w, object, "cleared", sign->cleared_ns);
    fl_put_number(w, object, "value", sign->value);
    fl_put_number(w, object, "baseline", sign->baseline);
    fl_put_text(w, object, "why", fl_why_name(member->why));
    fl_put_text(w, object, "of", member->of);
    fl_put_count(w, object, "hops", member->hops);
    fl_put_text(w, object, "reason", reason);
    return object;
}

/* Of a long list the first are shown, which opened it, and the newest. */
fl_status fl_incident_body(fl_buf *out, const incidents_view *view, fl_error *err)
{
    const fl_group *group = view->group;
    fl_put w = {.status = FL_OK};
    json_t *object = json_object(), *signs = json_array();
    size_t count = group->member_count;
    size_t most = view->most_signs > 0 && view->most_signs < count ? view->most_signs : count;
    size_t left_out = count - most, first = most - most / 2;
    for (size_t i = 0; i < count; i++)
        if (i < first || i >= first + left_out)
            fl_put_item(&w, signs, sign_of(&w, &group->members[i]));
    char key[24];
    (void)snprintf(key, sizeof(key), "%016llx", (unsigned long long)group->key);
    fl_put_text(&w, object, "state", view->state);
    fl_put_text(&w, object, "merged_to", view->merged_to);
    fl_put_text(&w, object, "key", key);
    fl_put_time(&w, object, "opened", group->opened_ns);
    fl_put_time(&w, object, "changed", group->changed_ns);
    fl_put_time(&w, object, "onset", group->onset_ns);
    fl_put_moment(&w, object, "cleared", group->cleared_ns);
    fl_put_moment(&w, object, "closed", view->closed_ns);
    fl_put_text(&w, object, "trouble_at", group->root);
    fl_put_value(&w, object, "is_diagnosed", json_boolean(group->is_diagnosed));
    fl_put_count(&w, object, "signs_total", group->member_count);
    fl_put_count(&w, object, "signs_lasting", group->lasting_count);
    fl_put_value(&w, object, "signs", signs);
    return fl_put_document(out, &w, object, err);
}

/* ---- back ---- */

/* Borrowed from the tree; NULL for null. */
static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* Hexadecimal, as it was written; false: it is not. */
static bool read_key(uint64_t *out, const char *text)
{
    *out = 0;
    if (text == NULL || strlen(text) != 16)
        return false;
    for (const char *c = text; *c != '\0'; c++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = strchr(digits, *c);
        if (digit == NULL)
            return false;
        *out = *out << 4 | (uint64_t)(digit - digits);
    }
    return true;
}

/* 0 for null or what is no time. */
static int64_t read_time(const json_t *object, const char *key)
{
    int64_t out = 0;
    const char *text = text_of(object, key);
    if (text != NULL && fl_time_parse(&out, fl_slice_of(text), 0, NULL) != FL_OK)
        return 0;
    return out;
}

/* NaN for null: there is none. */
static double read_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* False for want of memory; NULL is a copy of NULL. */
static bool copy_text(const char **out, const json_t *object, const char *key, fl_arena *arena)
{
    const char *text = text_of(object, key);
    *out = text != NULL ? fl_arena_cstr(arena, fl_slice_of(text)) : NULL;
    return text == NULL || *out != NULL;
}

/* False for want of memory. */
static bool read_sign_texts(fl_sign *out, const json_t *from, fl_arena *arena)
{
    return copy_text(&out->name, from, "name", arena) &&
           copy_text(&out->service, from, "service", arena) &&
           copy_text(&out->instance, from, "instance", arena) &&
           copy_text(&out->node, from, "node", arena) &&
           copy_text(&out->severity, from, "severity", arena) &&
           copy_text(&out->summary, from, "summary", arena) &&
           copy_text(&out->url, from, "url", arena);
}

/* A word that is not known is of a newer program: what it means cannot be guessed. */
static fl_status read_member(fl_member *out, const json_t *from, fl_arena *arena, fl_error *err)
{
    const char *kind = text_of(from, "kind"), *why = text_of(from, "why");
    fl_sign *sign = fl_arena_alloc(arena, 1, sizeof(*sign));
    if (sign == NULL || !copy_text(&out->of, from, "of", arena) ||
        !read_sign_texts(sign, from, arena))
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for an incident's signs");
    sign->kind = FL_SIGN_KIND_COUNT;
    for (unsigned k = 0; kind != NULL && k < FL_SIGN_KIND_COUNT; k++)
        if (strcmp(kind, fl_sign_kind_name(k)) == 0)
            sign->kind = k;
    out->why = FL_WHY_COUNT;
    for (unsigned k = 0; why != NULL && k < FL_WHY_COUNT; k++)
        if (strcmp(why, fl_why_name(k)) == 0)
            out->why = k;
    if (sign->kind == FL_SIGN_KIND_COUNT || out->why == FL_WHY_COUNT ||
        !read_key(&sign->key, text_of(from, "key")))
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "an incident's sign cannot be read");
    sign->onset_ns = read_time(from, "onset");
    sign->cleared_ns = read_time(from, "cleared");
    sign->value = read_number(from, "value");
    sign->baseline = read_number(from, "baseline");
    out->hops = (unsigned)json_integer_value(json_object_get(from, "hops"));
    out->sign = sign;
    return FL_OK;
}

/* Times that follow from the signs are worked out again. */
static fl_status read_group(fl_group *out, const json_t *from, fl_arena *arena, fl_error *err)
{
    const json_t *signs = json_object_get(from, "signs");
    size_t count = json_array_size(signs);
    *out = (fl_group){.opened_ns = read_time(from, "opened"),
                      .changed_ns = read_time(from, "changed"),
                      .is_diagnosed = json_is_true(json_object_get(from, "is_diagnosed")),
                      .member_count = count};
    if (!read_key(&out->key, text_of(from, "key")) || count == 0 || out->opened_ns == 0)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "an incident that was kept cannot be read");
    fl_member *members = fl_arena_alloc(arena, count, sizeof(*members));
    if (members == NULL || !copy_text(&out->root, from, "trouble_at", arena))
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for an incident");
    fl_status status = FL_OK;
    for (size_t i = 0; i < count && status == FL_OK; i++)
        status = read_member(&members[i], json_array_get(signs, i), arena, err);
    out->members = members;
    return status;
}

/* It comes out of a store that others write to: nothing is taken for granted. */
fl_status fl_incident_body_read(fl_group *out, const char *body, fl_arena *arena, fl_error *err)
{
    assert(out != NULL && body != NULL && arena != NULL);
    json_error_t why;
    json_t *root = json_loads(body, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "an incident that was kept is no JSON: %.80s", why.text);
    fl_status status = read_group(out, root, arena, err);
    json_decref(root);
    return status;
}
