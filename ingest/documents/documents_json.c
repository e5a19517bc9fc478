/*
 * documents_json.c - issues of trackers and steps of plans, out of JSON exports.
 *
 *   file    = value*            value = issue | step | '[' value* ']' | '{' "issues": [issue*] ...
 * '}' issue   = GitLab {title, description, web_url, author.username, created_at, closed_at,
 * notes[]} | GitHub {title, body, html_url | url, user.login | author.login, comments[]} | Jira
 * {key, fields: {summary, description, reporter.displayName, comment.comments[]}} step    = {plan,
 * action, outcome, ...}: any scalars
 *
 * One table says which member means what: the trackers agree on what an issue is and differ in its
 * words. What is not in the table is passed over. An object without a title is no issue; one
 * without a plan and an action is no step; a file that holds neither is refused.
 *
 * An object is read once as an issue and once as a step, member by member, and what it was is told
 * at its end: members come in any order. Texts of one document live until the next one begins.
 *
 * Offsets are those of the string's inside in the file, so that a sentence can be found there even
 * where it was written with escapes (documents_text.c counts them).
 */
#include <assert.h>

#include "documents_priv.h"
#include "json.h"
#include "mem.h"
#include "slice.h"
#include "timestamp.h"

enum { MAX_COMMENTS = 4096, MAX_FIELDS = 64 };

/* A string with the place of its inside in the file. */
struct text {
    fl_slice value, escaped; /* escaped: as written, where it holds escapes */
    uint64_t offset;
};

struct issue {
    struct text title, body;
    struct text comments[MAX_COMMENTS]; /* more are left out */
    size_t comment_count;
    fl_slice url, key, author;
    int64_t opened_ns, closed_ns;
};

struct step {
    struct {
        fl_slice label;
        struct text text;
    } fields[MAX_FIELDS]; /* more are left out */
    size_t count;
    fl_slice plan, run, number, action;
    int64_t at_ns;
};

struct reading {
    fl_json json;
    const char *name;
    fl_arena arena;
    blocks list;
    struct issue issue;
    struct step step;
    size_t seen; /* documents */
    fl_document_visit *visit;
    void *payload;
    fl_error *err;
};

/* A string; anything else is passed over and is an empty text. */
static struct text read_text(fl_json *in)
{
    struct text out = {{0}, {0}, 0};
    if (fl_json_peek(in) != FL_JSON_STRING) {
        fl_json_skip(in);
        return out;
    }
    size_t start = in->pos + 1;
    out.value = fl_json_string(in);
    out.offset = start;
    if (out.value.len > 0 && memchr(out.value.ptr, '\0', out.value.len) != NULL)
        out.value.len = 0; /* "\u0000": no text that a person wrote */
    size_t end = fl_json_ok(in) ? in->pos - 1 : start;
    if (out.value.len > 0 && end - start != out.value.len)
        out.escaped = (fl_slice){.ptr = in->bytes.ptr + start, .len = end - start};
    return out;
}

/* RFC 3339, and Jira's offsets without a colon, which are cut: a day is exact enough for a
 * half-life of 180. 0 where it is neither. */
static int64_t read_time(fl_json *in)
{
    fl_slice text = read_text(in).value;
    int64_t ns = 0;
    bool is_jira = text.len > 23 && text.ptr[19] == '.' && text.len == 28;
    char cut[32];
    if (is_jira) {
        memcpy(cut, text.ptr, 23);
        cut[23] = 'Z';
        text = (fl_slice){.ptr = (const unsigned char *)cut, .len = 24};
    }
    return text.len > 0 && fl_time_parse(&ns, text, 0, NULL) == FL_OK ? ns : 0;
}

/* {"login": ...}, {"username": ...}, {"displayName": ...}: the first that is there. */
static fl_slice read_person(fl_json *in)
{
    fl_slice key, out = {0};
    if (fl_json_peek(in) != FL_JSON_OBJECT) {
        fl_json_skip(in);
        return out;
    }
    fl_json_enter_object(in);
    while (fl_json_next_member(in, &key)) {
        bool names_it = fl_slice_equal(key, FL_SLICE("login")) ||
                        fl_slice_equal(key, FL_SLICE("username")) ||
                        fl_slice_equal(key, FL_SLICE("displayName"));
        if (names_it && out.len == 0)
            out = read_text(in).value;
        else
            fl_json_skip(in);
    }
    return out;
}

/* One comment's "body". Notes that the tracker itself wrote ("changed the label") are no one's. */
static void read_comment(fl_json *in, struct issue *issue)
{
    assert(issue->comment_count <= MAX_COMMENTS);
    fl_slice key;
    struct text body = {{0}, {0}, 0};
    bool is_system = false;
    if (fl_json_peek(in) != FL_JSON_OBJECT) {
        fl_json_skip(in);
        return;
    }
    fl_json_enter_object(in);
    while (fl_json_next_member(in, &key)) {
        if (fl_slice_equal(key, FL_SLICE("body")))
            body = read_text(in);
        else if (fl_slice_equal(key, FL_SLICE("system")) && fl_json_peek(in) == FL_JSON_TRUE)
            is_system = fl_json_bool(in);
        else
            fl_json_skip(in);
    }
    if (!is_system && body.value.len > 0 && issue->comment_count < MAX_COMMENTS)
        issue->comments[issue->comment_count++] = body;
}

/* An array of comments, or Jira's {"comments": [...]}, or GitHub's bare number of them. */
static void read_comments(fl_json *in, struct issue *issue)
{
    fl_slice key;
    bool is_wrapped = fl_json_peek(in) == FL_JSON_OBJECT;
    if (is_wrapped) {
        fl_json_enter_object(in);
        while (fl_json_next_member(in, &key)) {
            if (fl_slice_equal(key, FL_SLICE("comments")) && fl_json_peek(in) == FL_JSON_ARRAY) {
                fl_json_enter_array(in);
                while (fl_json_next_element(in))
                    read_comment(in, issue);
            } else {
                fl_json_skip(in);
            }
        }
        return;
    }
    if (fl_json_peek(in) != FL_JSON_ARRAY) {
        fl_json_skip(in);
        return;
    }
    fl_json_enter_array(in);
    while (fl_json_next_element(in))
        read_comment(in, issue);
}

typedef enum member {
    MEMBER_OTHER,
    MEMBER_TITLE,
    MEMBER_BODY,
    MEMBER_URL,
    MEMBER_KEY,
    MEMBER_PERSON,
    MEMBER_OPENED,
    MEMBER_CLOSED,
    MEMBER_COMMENTS,
    MEMBER_FIELDS
} member;

/* The words of the trackers and what they mean; unknown ones are passed over. */
static member member_of(fl_slice key)
{
    static const struct {
        fl_slice name;
        member meaning;
    } table[] = {{FL_SLICE_INIT("title"), MEMBER_TITLE},
                 {FL_SLICE_INIT("summary"), MEMBER_TITLE},
                 {FL_SLICE_INIT("body"), MEMBER_BODY},
                 {FL_SLICE_INIT("description"), MEMBER_BODY},
                 {FL_SLICE_INIT("html_url"), MEMBER_URL},
                 {FL_SLICE_INIT("web_url"), MEMBER_URL},
                 {FL_SLICE_INIT("url"), MEMBER_KEY},
                 {FL_SLICE_INIT("key"), MEMBER_KEY},
                 {FL_SLICE_INIT("user"), MEMBER_PERSON},
                 {FL_SLICE_INIT("author"), MEMBER_PERSON},
                 {FL_SLICE_INIT("reporter"), MEMBER_PERSON},
                 {FL_SLICE_INIT("created"), MEMBER_OPENED},
                 {FL_SLICE_INIT("created_at"), MEMBER_OPENED},
                 {FL_SLICE_INIT("createdAt"), MEMBER_OPENED},
                 {FL_SLICE_INIT("closed_at"), MEMBER_CLOSED},
                 {FL_SLICE_INIT("closedAt"), MEMBER_CLOSED},
                 {FL_SLICE_INIT("resolutiondate"), MEMBER_CLOSED},
                 {FL_SLICE_INIT("comments"), MEMBER_COMMENTS},
                 {FL_SLICE_INIT("comment"), MEMBER_COMMENTS},
                 {FL_SLICE_INIT("notes"), MEMBER_COMMENTS},
                 {FL_SLICE_INIT("fields"), MEMBER_FIELDS}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (fl_slice_equal(key, table[i].name))
            return table[i].meaning;
    return MEMBER_OTHER;
}

/* A member other than "fields". */
static void read_issue_member(fl_json *in, struct issue *issue, member what)
{
    assert(what <= MEMBER_FIELDS);
    switch (what) {
    case MEMBER_TITLE:
        issue->title = read_text(in);
        break;
    case MEMBER_BODY:
        issue->body = read_text(in);
        break;
    case MEMBER_URL:
        issue->url = read_text(in).value;
        break;
    case MEMBER_KEY:
        issue->key = read_text(in).value;
        break;
    case MEMBER_PERSON:
        issue->author = read_person(in);
        break;
    case MEMBER_OPENED:
        issue->opened_ns = read_time(in);
        break;
    case MEMBER_CLOSED:
        issue->closed_ns = read_time(in);
        break;
    case MEMBER_COMMENTS:
        read_comments(in, issue);
        break;
    default: /* also fields within fields */
        fl_json_skip(in);
    }
}

/* Jira's second half. */
static void read_fields(fl_json *in, struct issue *issue)
{
    fl_slice key;
    if (fl_json_peek(in) != FL_JSON_OBJECT) {
        fl_json_skip(in);
        return;
    }
    fl_json_enter_object(in);
    while (fl_json_next_member(in, &key))
        read_issue_member(in, issue, member_of(key));
}

/* A scalar of a step as it is written; containers are passed over. */
static void read_step_member(fl_json *in, struct step *step, fl_slice key)
{
    assert(step->count <= MAX_FIELDS);
    struct text text = {{0}, {0}, 0};
    fl_json_kind kind = fl_json_peek(in);
    fl_json_mark mark = fl_json_here(in);
    if (fl_slice_equal(key, FL_SLICE("at"))) {
        step->at_ns = read_time(in);
        fl_json_rewind(in, mark);
    }
    if (kind == FL_JSON_STRING) {
        text = read_text(in);
    } else {
        text.offset = in->pos;
        text.value = fl_json_raw(in);
        if (kind == FL_JSON_OBJECT || kind == FL_JSON_ARRAY || kind == FL_JSON_NULL)
            return;
    }
    if (fl_slice_equal(key, FL_SLICE("plan")))
        step->plan = text.value;
    else if (fl_slice_equal(key, FL_SLICE("run")))
        step->run = text.value;
    else if (fl_slice_equal(key, FL_SLICE("step")))
        step->number = text.value;
    else if (fl_slice_equal(key, FL_SLICE("action")))
        step->action = text.value;
    if (step->count < MAX_FIELDS && text.value.len > 0) {
        step->fields[step->count].label = key;
        step->fields[step->count++].text = text;
    }
}

/* The bytes of the file's name and of what in it. */
static fl_status name_of(fl_slice *out, struct reading *in, fl_slice what)
{
    char *name = what.len > 0 ? fl_arena_printf(&in->arena, "%s (%.*s)", in->name,
                                                (int)(what.len < 200 ? what.len : 200), what.ptr)
                              : fl_arena_printf(&in->arena, "%s", in->name);
    if (name == NULL)
        return fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for a document");
    *out = fl_slice_of(name);
    return FL_OK;
}

/* The document is whole: name it and let it be seen. */
static fl_status hand_on(struct reading *in, fl_document *document, fl_slice what)
{
    assert(in->list.arena == &in->arena);
    fl_status status = fl_blocks_check(&in->list, in->err);
    if (status == FL_OK)
        status = name_of(&document->name, in, what);
    if (status != FL_OK)
        return status;
    document->blocks = in->list.items;
    document->count = in->list.count;
    in->seen++;
    return in->visit(document, in->payload, in->err);
}

/* "https://host/group/-/issues/341" is known by its last part to people. */
static fl_slice last_of(fl_slice url)
{
    size_t at = url.len, slashes = 0;
    if (url.len == 0)
        return url;
    while (at > 0 && slashes < 1)
        slashes += url.ptr[--at] == '/';
    return (fl_slice){.ptr = url.ptr + at + slashes, .len = url.len - at - slashes};
}

/* Title, text, comments, in this order, whatever the order of the members. */
static fl_status visit_issue(struct reading *in)
{
    assert(in->issue.title.value.len > 0);
    const struct issue *issue = &in->issue;
    blocks *list = &in->list;
    fl_blocks_add(list, &(fl_block){.kind = FL_BLOCK_TITLE,
                                    .text = fl_slice_trim(issue->title.value),
                                    .offset = issue->title.offset});
    text_origin origin = {.offset = issue->body.offset, .escaped = issue->body.escaped};
    origin.is_raw = origin.escaped.len == 0;
    fl_blocks_add_text(list, issue->body.value, &origin);
    for (size_t i = 0; i < issue->comment_count; i++) {
        const struct text *comment = &issue->comments[i];
        fl_blocks_add(list, &(fl_block){.kind = FL_BLOCK_BREAK, .offset = comment->offset});
        origin = (text_origin){.offset = comment->offset, .escaped = comment->escaped};
        origin.is_raw = origin.escaped.len == 0;
        fl_blocks_add_text(list, comment->value, &origin);
    }
    fl_document document = {.kind = FL_DOCUMENT_ISSUE,
                            .id = issue->url.len > 0 ? issue->url : issue->key,
                            .author = issue->author,
                            .at_ns = issue->opened_ns != 0 ? issue->opened_ns : issue->closed_ns};
    return hand_on(in, &document, last_of(document.id));
}

/* Its members as fields; a run and its number name it wherever it is read again. */
static fl_status visit_step(struct reading *in)
{
    assert(in->step.plan.len > 0 && in->step.action.len > 0);
    const struct step *step = &in->step;
    for (size_t i = 0; i < step->count; i++)
        fl_blocks_add(&in->list, &(fl_block){.kind = FL_BLOCK_FIELD,
                                             .label = step->fields[i].label,
                                             .text = fl_slice_trim(step->fields[i].text.value),
                                             .offset = step->fields[i].text.offset});
    char *id = fl_arena_printf(&in->arena, "%.*s/%.*s/%.*s", FL_SLICE_ARG(step->plan),
                               FL_SLICE_ARG(step->run), FL_SLICE_ARG(step->number));
    if (id == NULL)
        return fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for a document");
    fl_document document = {.kind = FL_DOCUMENT_PLAN,
                            .id = step->run.len > 0 ? fl_slice_of(id) : (fl_slice){0},
                            .at_ns = step->at_ns};
    return hand_on(in, &document, fl_slice_of(id));
}

/* The file's name before what the JSON reader says. */
static fl_status broken(struct reading *in)
{
    assert(!fl_json_ok(&in->json));
    return fl_fail(in->err, in->json.err.status, in->json.err.offset, "%.60s: %.120s", in->name,
                   in->json.err.message);
}

/* An object that may be an issue, a step, or a search result around issues; its members are read
 * both ways, and what they are is told at its end. *wraps: it is a result, and the reader stands
 * in its array. */
static fl_status read_object(struct reading *in, bool *wraps)
{
    fl_slice key;
    fl_json *json = &in->json;
    in->issue.title = in->issue.body = (struct text){{0}, {0}, 0};
    in->issue.comment_count = 0;
    in->issue.url = in->issue.key = in->issue.author = (fl_slice){0};
    in->issue.opened_ns = in->issue.closed_ns = 0;
    in->step.count = 0;
    in->step.plan = in->step.run = in->step.number = in->step.action = (fl_slice){0};
    in->step.at_ns = 0;
    in->list.count = 0;
    *wraps = false;
    fl_json_enter_object(json);
    while (fl_json_next_member(json, &key)) {
        member what = member_of(key);
        bool is_result =
            fl_slice_equal(key, FL_SLICE("issues")) && fl_json_peek(json) == FL_JSON_ARRAY;
        if (is_result && json->depth == 1) {
            fl_json_enter_array(json);
            *wraps = true;
            return FL_OK;
        }
        fl_json_mark mark = fl_json_here(json);
        read_step_member(json, &in->step, key);
        if (!fl_json_ok(json))
            break;
        if (what != MEMBER_OTHER) {
            fl_json_rewind(json, mark);
            if (what == MEMBER_FIELDS)
                read_fields(json, &in->issue);
            else
                read_issue_member(json, &in->issue, what);
        }
    }
    if (!fl_json_ok(json))
        return broken(in);
    if (in->step.plan.len > 0 && in->step.action.len > 0)
        return visit_step(in);
    return in->issue.title.value.len > 0 ? visit_issue(in) : FL_OK;
}

/* The issues of a search result, and what stands behind them. */
static fl_status read_result(struct reading *in)
{
    assert(in->json.depth > 0);
    fl_slice key;
    bool wraps;
    fl_status status = FL_OK;
    while (status == FL_OK && fl_json_next_element(&in->json)) {
        if (fl_json_peek(&in->json) == FL_JSON_OBJECT)
            status = read_object(in, &wraps);
        else
            fl_json_skip(&in->json);
        fl_arena_reset(&in->arena);
    }
    while (status == FL_OK && fl_json_next_member(&in->json, &key))
        fl_json_skip(&in->json);
    return status;
}

/* Objects one after the other, in arrays or not. */
static fl_status read_values(struct reading *in)
{
    fl_status status = FL_OK;
    fl_json *json = &in->json;
    bool in_array = false;
    while (status == FL_OK) {
        fl_json_kind kind = FL_JSON_END;
        if (in_array && !fl_json_next_element(json)) {
            in_array = false;
            if (!fl_json_ok(json))
                break;
            continue;
        }
        kind = fl_json_peek(json);
        bool wraps = false;
        if (kind == FL_JSON_END)
            break;
        if (kind == FL_JSON_OBJECT)
            status = read_object(in, &wraps);
        else if (kind == FL_JSON_ARRAY && !in_array)
            in_array = fl_json_enter_array(json);
        else
            fl_json_skip(json);
        if (wraps)
            status = read_result(in);
        fl_arena_reset(&in->arena);
    }
    return status == FL_OK && !fl_json_ok(json) ? broken(in) : status;
}

fl_status fl_documents_json(fl_slice bytes, const char *name, fl_document_visit *visit,
                            void *payload, fl_error *err)
{
    struct reading *in = fl_mem_calloc(1, sizeof(*in));
    if (in == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for a document");
    in->arena = fl_arena_of(FL_MAX_DOCUMENT_ARENA_BYTES);
    in->json = fl_json_over(bytes, &in->arena);
    in->list.arena = &in->arena;
    in->name = name;
    in->visit = visit;
    in->payload = payload;
    in->err = err;
    fl_status status = read_values(in);
    if (status == FL_OK && in->seen == 0)
        status = fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                         "%.80s: JSON without an issue of GitLab, GitHub or Jira and without a"
                         " step of a plan",
                         name);
    fl_mem_free(in->list.items);
    fl_arena_dispose(&in->arena);
    fl_mem_free(in);
    return status;
}
