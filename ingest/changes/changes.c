/*
 * changes.c - from a delivery to a change.
 *
 * Payloads are large trees of which some ten values count, each at a fixed path. A delivery is
 * checked once as a whole; then each path is walked from the top, which costs a pass over its
 * object: bodies are small and deliveries few.
 *
 * What was merged or deployed is named by its commit, shortened to 12 digits as both tools show it.
 * What is only planned, has failed or is still running is no change yet.
 */
#include "changes.h"

#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "number.h"
#include "sha256.h"
#include "slice.h"
#include "timestamp.h"

enum { SHORT_COMMIT = 12, MAX_PATH = 6 };

struct delivery {
    fl_intake *to;
    fl_arena arena;
    fl_slice whole; /* the document */
    int64_t received_ns;
    fl_error *err;
    bool no_memory;
    const char *complaint; /* why it tells no change though it should */
};

bool fl_changes_github_signed(fl_slice secret, fl_slice body, fl_slice signature)
{
    static const fl_slice scheme = FL_SLICE_INIT("sha256=");
    unsigned char wanted[FL_SHA256_BYTES], given[FL_SHA256_BYTES];
    assert(secret.len > 0);
    if (!fl_slice_starts_with(signature, scheme))
        return false;
    fl_slice hex = {.ptr = signature.ptr + scheme.len, .len = signature.len - scheme.len};
    if (!fl_parse_hex(hex, given, sizeof(given)))
        return false;
    fl_hmac_sha256(wanted, secret, body);
    return fl_secret_equal((fl_slice){.ptr = wanted, .len = sizeof(wanted)},
                           (fl_slice){.ptr = given, .len = sizeof(given)});
}

bool fl_changes_gitlab_token(fl_slice secret, fl_slice token)
{
    assert(secret.len > 0);
    return fl_secret_equal(secret, token);
}

/* ---- values at a path ---- */

/* The raw value of a member; ptr is NULL where there is none or `object` is no object. */
static fl_slice member_of(struct delivery *d, fl_slice object, fl_slice name)
{
    fl_json in = fl_json_over(object, &d->arena);
    fl_slice key, found = {0};
    if (object.ptr == NULL || fl_json_peek(&in) != FL_JSON_OBJECT || !fl_json_enter_object(&in))
        return found;
    while (fl_json_next_member(&in, &key)) {
        if (fl_slice_equal(key, name)) {
            found = fl_json_raw(&in);
            break;
        }
        fl_json_skip(&in);
    }
    d->no_memory |= in.err.status == FL_E_NOMEM;
    return found;
}

/* "a.b.c" from the top of the document. */
static fl_slice raw_at(struct delivery *d, const char *path)
{
    fl_slice at = d->whole;
    while (*path != '\0' && at.ptr != NULL) {
        size_t len = strcspn(path, ".");
        at = member_of(d, at, (fl_slice){.ptr = (const unsigned char *)path, .len = len});
        path += len + (path[len] == '.');
    }
    return at;
}

/* A text, or a number or truth value as it is written; empty for null and where there is none. */
static fl_slice text_of(struct delivery *d, fl_slice raw)
{
    fl_slice none = {0};
    if (raw.ptr == NULL)
        return none;
    fl_json in = fl_json_over(raw, &d->arena);
    fl_json_kind kind = fl_json_peek(&in);
    if (kind == FL_JSON_NUMBER || kind == FL_JSON_TRUE || kind == FL_JSON_FALSE)
        return raw;
    if (kind != FL_JSON_STRING)
        return none;
    fl_slice text = fl_json_string(&in);
    d->no_memory |= in.err.status == FL_E_NOMEM;
    return text;
}

static fl_slice text_at(struct delivery *d, const char *path)
{
    return text_of(d, raw_at(d, path));
}

static bool is_at(struct delivery *d, const char *path, const char *wanted)
{
    return fl_slice_equal(text_at(d, path), fl_slice_of(wanted));
}

/* The first of the paths at which there is a text. */
static fl_slice first_at(struct delivery *d, const char *const *paths)
{
    fl_slice text = {0};
    for (size_t i = 0; i < MAX_PATH && paths[i] != NULL && text.len == 0; i++)
        text = text_at(d, paths[i]);
    return text;
}

static fl_slice short_commit(fl_slice commit)
{
    if (commit.len > SHORT_COMMIT)
        commit.len = SHORT_COMMIT;
    return commit;
}

static fl_slice last_segment(fl_slice path)
{
    size_t at = path.len;
    if (at == 0)
        return path;
    while (at > 0 && path.ptr[at - 1] != '/')
        at--;
    return (fl_slice){.ptr = path.ptr + at, .len = path.len - at};
}

/* RFC 3339, an epoch, or GitLab's "2021-04-28 21:50:00 +0200" and "... UTC". */
static bool parse_time(int64_t *out, fl_slice text)
{
    char plain[40];
    if (text.len == 0 || text.len >= sizeof(plain) || text.ptr[0] < '0' || text.ptr[0] > '9')
        return false;
    memcpy(plain, text.ptr, text.len);
    size_t len = text.len;
    if (len > 19 && plain[10] == ' ' && plain[19] == ' ') {
        memmove(plain + 19, plain + 20, len - 20);
        len--;
        if (len == 22 && memcmp(plain + 19, "UTC", 3) == 0) {
            plain[19] = 'Z';
            len = 20;
        } else if (len == 24) { /* +0200 to +02:00 */
            memmove(plain + 23, plain + 22, 2);
            plain[22] = ':';
            len = 25;
        }
    }
    return fl_time_parse(out, (fl_slice){.ptr = (const unsigned char *)plain, .len = len}, 0,
                         NULL) == FL_OK;
}

/* When it took effect; what tells no time happened when it was received. */
static bool read_time(struct delivery *d, int64_t *out, const char *const *paths)
{
    fl_slice text = first_at(d, paths);
    if (parse_time(out, text))
        return true;
    *out = d->received_ns;
    if (text.len > 0 || d->received_ns == 0)
        d->complaint = text.len > 0 ? "its time is not RFC 3339 or an epoch" : "it tells no time";
    return d->complaint == NULL;
}

/* ---- what is told ---- */

/* Where the parts of a change stand; what has no path is empty. Lists end with NULL. */
struct source {
    fl_change_kind kind;
    const char *times[MAX_PATH], *after[MAX_PATH], *urls[MAX_PATH], *services[MAX_PATH];
    const char *before;
    const char *key;
    const char *name; /* of who tells it */
};

static fl_status push(struct delivery *d, const struct source *source)
{
    fl_change_record change = {.kind = source->kind, .source = fl_slice_of(source->name)};
    assert(d->complaint == NULL);
    if (!read_time(d, &change.time_ns, source->times))
        return FL_OK;
    change.service = last_segment(first_at(d, source->services));
    change.after = first_at(d, source->after);
    change.url = first_at(d, source->urls);
    if (source->kind != FL_CHANGE_FLAG)
        change.after = short_commit(change.after);
    if (source->before != NULL)
        change.before = short_commit(text_at(d, source->before));
    if (source->key != NULL)
        change.key = text_at(d, source->key);
    if (d->no_memory)
        return FL_OK; /* told by the caller */
    return d->to->sink->change(d->to->sink->payload, &change, d->err);
}

/* Letters in either case. */
static bool has_word(fl_slice text, const char *word)
{
    size_t len = strlen(word);
    for (size_t at = 0; at + len <= text.len; at++) {
        size_t i = 0;
        while (i < len && (text.ptr[at + i] | 32) == (unsigned char)word[i])
            i++;
        if (i == len)
            return true;
    }
    return false;
}

/* A branch's push is told again by its merge request, whose name the commit then has. */
static bool is_merge_commit(fl_slice message)
{
    return fl_slice_starts_with(message, FL_SLICE("Merge ")) ||
           fl_slice_find(message, FL_SLICE("(#")) < message.len ||
           fl_slice_find(message, FL_SLICE("See merge request ")) < message.len;
}

/* The ref is the branch that is deployed from, and was not deleted. */
static bool is_default_branch(struct delivery *d, const char *branch_path)
{
    fl_slice ref = text_at(d, "ref"), branch = text_at(d, branch_path);
    static const fl_slice heads = FL_SLICE_INIT("refs/heads/");
    if (!fl_slice_starts_with(ref, heads) || branch.len == 0 || is_at(d, "deleted", "true"))
        return false;
    ref = (fl_slice){.ptr = ref.ptr + heads.len, .len = ref.len - heads.len};
    return fl_slice_equal(ref, branch);
}

#define GITHUB_SERVICE                                                                             \
    {                                                                                              \
        "repository.name"                                                                          \
    }

static fl_status read_github(struct delivery *d)
{
    static const struct source deployment = {
        .kind = FL_CHANGE_DEPLOY,
        .times = {"deployment_status.updated_at", "deployment_status.created_at"},
        .after = {"deployment.sha", "deployment.ref"},
        .urls = {"deployment_status.log_url", "deployment_status.target_url", "deployment.url"},
        .services = {"deployment.payload.service", "repository.name"},
        .name = "github"};
    static const struct source merge = {
        .kind = FL_CHANGE_MERGE_REQUEST,
        .times = {"pull_request.merged_at"},
        .after = {"pull_request.merge_commit_sha", "pull_request.head.sha"},
        .urls = {"pull_request.html_url"},
        .services = GITHUB_SERVICE,
        .before = "pull_request.base.sha",
        .name = "github"};
    static const struct source workflow = {.kind = FL_CHANGE_DEPLOY,
                                           .times = {"workflow_run.updated_at"},
                                           .after = {"workflow_run.head_sha"},
                                           .urls = {"workflow_run.html_url"},
                                           .services = GITHUB_SERVICE,
                                           .name = "github"};
    static const struct source commits = {
        .kind = FL_CHANGE_MERGE_REQUEST,
        .times = {"repository.pushed_at", "head_commit.timestamp"},
        .after = {"after"},
        .urls = {"compare"},
        .services = GITHUB_SERVICE,
        .before = "before",
        .name = "github"};
    if (raw_at(d, "deployment_status").ptr != NULL)
        return is_at(d, "deployment_status.state", "success") ? push(d, &deployment) : FL_OK;
    if (raw_at(d, "pull_request").ptr != NULL)
        return is_at(d, "action", "closed") && is_at(d, "pull_request.merged", "true")
                   ? push(d, &merge)
                   : FL_OK;
    if (raw_at(d, "workflow_run").ptr != NULL) {
        fl_slice name = text_at(d, "workflow_run.name");
        bool deploys = has_word(name, "deploy") || has_word(name, "release");
        return deploys && is_at(d, "action", "completed") &&
                       is_at(d, "workflow_run.conclusion", "success")
                   ? push(d, &workflow)
                   : FL_OK;
    }
    if (raw_at(d, "head_commit").ptr != NULL && is_default_branch(d, "repository.default_branch") &&
        !is_merge_commit(text_at(d, "head_commit.message")))
        return push(d, &commits);
    return FL_OK;
}

/* A job of the pipeline has an environment, or stands in a stage that is called so. */
static bool pipeline_deploys(struct delivery *d)
{
    fl_json in = fl_json_over(raw_at(d, "builds"), &d->arena);
    bool found = false;
    if (in.bytes.ptr == NULL || fl_json_peek(&in) != FL_JSON_ARRAY || !fl_json_enter_array(&in))
        return false;
    while (fl_json_next_element(&in)) {
        fl_slice build = fl_json_raw(&in), environment, stage;
        if (found || !fl_json_ok(&in))
            continue;
        environment = text_of(
            d, member_of(d, member_of(d, build, FL_SLICE("environment")), FL_SLICE("name")));
        stage = text_of(d, member_of(d, build, FL_SLICE("stage")));
        bool succeeded = fl_slice_equal(text_of(d, member_of(d, build, FL_SLICE("status"))),
                                        FL_SLICE("success"));
        found = succeeded && (environment.len > 0 || has_word(stage, "deploy"));
    }
    return found;
}

#define GITLAB_SERVICE                                                                             \
    {                                                                                              \
        "project.path_with_namespace", "project.name"                                              \
    }

static fl_status read_gitlab(struct delivery *d)
{
    static const struct source deployment = {.kind = FL_CHANGE_DEPLOY,
                                             .times = {"status_changed_at"},
                                             .after = {"short_sha", "ref"},
                                             .urls = {"deployable_url", "commit_url"},
                                             .services = GITLAB_SERVICE,
                                             .name = "gitlab"};
    static const struct source merge = {
        .kind = FL_CHANGE_MERGE_REQUEST,
        .times = {"object_attributes.merged_at", "object_attributes.updated_at"},
        .after = {"object_attributes.merge_commit_sha", "object_attributes.last_commit.id"},
        .urls = {"object_attributes.url"},
        .services = {"object_attributes.target.path_with_namespace", "project.path_with_namespace",
                     "project.name"},
        .before = "object_attributes.oldrev",
        .name = "gitlab"};
    static const struct source pipeline = {.kind = FL_CHANGE_DEPLOY,
                                           .times = {"object_attributes.finished_at"},
                                           .after = {"object_attributes.sha"},
                                           .urls = {"object_attributes.url"},
                                           .services = GITLAB_SERVICE,
                                           .name = "gitlab"};
    static const struct source flag = {.kind = FL_CHANGE_FLAG,
                                       .times = {"object_attributes.updated_at"},
                                       .after = {"object_attributes.active"},
                                       .urls = {"project.web_url"},
                                       .services = GITLAB_SERVICE,
                                       .key = "object_attributes.name",
                                       .name = "gitlab"};
    fl_slice kind = text_at(d, "object_kind");
    if (fl_slice_equal(kind, FL_SLICE("deployment")))
        return is_at(d, "status", "success") ? push(d, &deployment) : FL_OK;
    if (fl_slice_equal(kind, FL_SLICE("merge_request")))
        return is_at(d, "object_attributes.action", "merge") ? push(d, &merge) : FL_OK;
    if (fl_slice_equal(kind, FL_SLICE("pipeline")))
        return is_at(d, "object_attributes.status", "success") && pipeline_deploys(d)
                   ? push(d, &pipeline)
                   : FL_OK;
    if (fl_slice_equal(kind, FL_SLICE("feature_flag")))
        return push(d, &flag);
    return FL_OK; /* pushes: their merge request tells it */
}

/* GitLab says what it is; of GitHub's objects each has the repository, and one of these. */
static bool is_delivery(struct delivery *d, bool *from_gitlab)
{
    static const char *const members[] = {"deployment_status", "deployment",  "pull_request",
                                          "workflow_run",      "head_commit", "hook_id"};
    *from_gitlab = text_at(d, "object_kind").len > 0;
    if (*from_gitlab)
        return raw_at(d, "project").ptr != NULL;
    bool has_repository = raw_at(d, "repository.full_name").ptr != NULL;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]) && has_repository; i++)
        if (raw_at(d, members[i]).ptr != NULL)
            return true;
    return false;
}

static fl_status read_delivery(struct delivery *d, bool *is_known)
{
    bool from_gitlab;
    fl_status status = FL_OK;
    d->complaint = NULL;
    *is_known = is_delivery(d, &from_gitlab);
    if (*is_known)
        status = from_gitlab ? read_gitlab(d) : read_github(d);
    if (d->no_memory)
        return fl_fail(d->err, FL_E_NOMEM, FL_NO_OFFSET, "%s: out of memory", d->to->source);
    uint64_t at = (uint64_t)(d->whole.ptr - d->to->bytes.ptr);
    if (status == FL_OK && d->complaint != NULL)
        status = fl_intake_refuse(d->to, at, 1, d->complaint, d->err);
    return status;
}

fl_status fl_changes_json(fl_intake *to, fl_slice body, int64_t received_ns, fl_error *err)
{
    assert(to->sink->change != NULL && received_ns >= 0);
    struct delivery d = {.to = to,
                         .arena = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES),
                         .received_ns = received_ns,
                         .err = err};
    fl_status status = FL_OK;
    bool is_known, is_any = false;
    body = fl_intake_text(body);
    fl_intake_begin(to, body, true);
    fl_json in = fl_json_over(body, &d.arena);
    while (status == FL_OK && fl_json_peek(&in) != FL_JSON_END) {
        fl_arena_reset(&d.arena);
        size_t at = in.pos;
        d.whole = fl_json_raw(&in);
        if (!fl_json_ok(&in))
            break;
        status = read_delivery(&d, &is_known);
        if (status == FL_OK && !is_known && is_any)
            status = fl_intake_refuse(to, at, 1, "no delivery of GitHub or GitLab", err);
        if (!is_known && !is_any)
            break;
        is_any = true;
    }
    fl_arena_dispose(&d.arena);
    if (status == FL_OK && !is_any)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "%s holds no delivery of GitHub or GitLab", to->source);
    if (status == FL_OK && !fl_json_ok(&in))
        status = fl_intake_refuse_error(to, &in.err, 0, 1, err);
    return status;
}
