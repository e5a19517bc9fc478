/*
 * receive_hooks.c - what other tools tell when something happens: alerts, deliveries of GitHub and
 * GitLab, events.
 *
 * GitHub and GitLab cannot send a bearer token of ours: their routes ask for no role, and each
 * delivery must be signed, or come with the secret. Where none is configured a delivery is taken
 * from this machine alone, where a proxy or a test is.
 *
 * A delivery of a kind that is no change is passed over with 200: both tools disable a webhook that
 * fails again and again.
 */
#include <assert.h>
#include <string.h>

#include "alerts.h"
#include "changes.h"
#include "events.h"
#include "json.h"
#include "receive_answer.h"
#include "slice.h"

/* A form, as GitHub may be set to send, holds its JSON percent-encoded: it is not read. */
static fl_status check_json_body(const fl_http_request *request, fl_error *err)
{
    fl_status status = fl_receive_check_type(request, "application/json", err);
    return status == FL_OK ? fl_receive_check_encoding(request, NULL, err) : status;
}

/* ---- Alertmanager ---- */

static fl_status decode_alerts(fl_receive_context *context, const fl_http_request *request,
                               fl_error *err)
{
    assert(context->intake.sink == &context->guard.sink);
    return fl_alerts_json(&context->intake, request->body, err);
}

const fl_receive_how fl_receive_alertmanager = {.protocol = FL_RECEIVE_ALERTMANAGER,
                                                .path = "/v1/webhooks/alertmanager",
                                                .role = FL_ROLE_INGEST,
                                                .check = check_json_body,
                                                .decode = decode_alerts,
                                                .answer = fl_receive_answer_json};

/* ---- GitHub and GitLab ---- */

bool fl_receive_is_loopback(const char *client)
{
    return strncmp(client, "127.", 4) == 0 || strcmp(client, "::1") == 0 ||
           strncmp(client, "::ffff:127.", 11) == 0;
}

static unsigned admit_unsigned(const fl_http_request *request, const char *what, fl_error *err)
{
    assert(request->client != NULL);
    if (fl_receive_is_loopback(request->client))
        return 0;
    (void)fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                  "no %s is configured: deliveries are taken from this machine alone", what);
    return 403;
}

/* The signature is over the body as it was sent: GitHub compresses none. */
static unsigned admit_github(const fl_receive *receive, const fl_http_request *request,
                             fl_error *err)
{
    fl_slice secret = fl_receive_github_secret(receive);
    if (secret.len == 0)
        return admit_unsigned(request, "secret of GitHub's webhook", err);
    const char *signature = fl_http_header(request, "X-Hub-Signature-256");
    if (signature != NULL &&
        fl_changes_github_signed(secret, request->body, fl_slice_of(signature)))
        return 0;
    (void)fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "%s",
                  signature == NULL ? "no X-Hub-Signature-256: set the webhook's secret"
                                    : "X-Hub-Signature-256 is not that of this body and secret");
    return 401;
}

/* GitLab signs nothing: whoever knows the token may send. */
static unsigned admit_gitlab(const fl_receive *receive, const fl_http_request *request,
                             fl_error *err)
{
    fl_slice secret = fl_receive_gitlab_token(receive);
    if (secret.len == 0)
        return admit_unsigned(request, "token of GitLab's webhook", err);
    const char *token = fl_http_header(request, "X-Gitlab-Token");
    if (token != NULL && fl_changes_gitlab_token(secret, fl_slice_of(token)))
        return 0;
    (void)fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "%s",
                  token == NULL ? "no X-Gitlab-Token: set the webhook's secret token"
                                : "X-Gitlab-Token is not the configured one");
    return 401;
}

/* A delivery that tells of no change, as it is sent to try the webhook out, is still JSON. */
static fl_status pass_over(fl_receive_context *context, fl_slice body, fl_error *err)
{
    fl_json in = fl_json_over(body, &context->arena);
    if (fl_json_peek(&in) != FL_JSON_OBJECT && fl_json_ok(&in))
        return fl_fail(err, FL_E_SYNTAX, 0, "the body is no JSON object");
    fl_json_skip(&in);
    if (fl_json_finish(&in))
        return FL_OK;
    return fl_fail(err, FL_E_SYNTAX, in.err.offset, "the body is no JSON: %s (byte %llu)",
                   in.err.message, (unsigned long long)in.err.offset);
}

static fl_status decode_delivery(fl_receive_context *context, const fl_http_request *request,
                                 fl_error *err)
{
    fl_error own = {0};
    assert(request->arrival_ns > 0);
    fl_status status = pass_over(context, request->body, err);
    if (status != FL_OK)
        return status;
    status = fl_changes_json(&context->intake, request->body, request->arrival_ns, &own);
    if (status == FL_OK || status == FL_E_UNSUPPORTED)
        return FL_OK;
    return fl_fail(err, status, own.offset, "%s", own.message);
}

const fl_receive_how fl_receive_github = {.protocol = FL_RECEIVE_GITHUB,
                                          .path = "/v1/webhooks/github",
                                          .role = FL_ROLE_NONE,
                                          .max_body_bytes = 26 << 20, /* GitHub sends 25 MB */
                                          .admit = admit_github,
                                          .check = check_json_body,
                                          .decode = decode_delivery,
                                          .answer = fl_receive_answer_json};
const fl_receive_how fl_receive_gitlab = {.protocol = FL_RECEIVE_GITLAB,
                                          .path = "/v1/webhooks/gitlab",
                                          .role = FL_ROLE_NONE,
                                          .max_body_bytes = 26 << 20,
                                          .admit = admit_gitlab,
                                          .check = check_json_body,
                                          .decode = decode_delivery,
                                          .answer = fl_receive_answer_json};

/* ---- events ---- */

/* Not any type: a page in a browser of this machine may send text without being asked, JSON not. */
static fl_status check_events(const fl_http_request *request, fl_error *err)
{
    if (fl_http_is_type(request, "application/x-ndjson"))
        return fl_receive_check_encoding(request, NULL, err);
    return check_json_body(request, err);
}

static fl_status decode_events(fl_receive_context *context, const fl_http_request *request,
                               fl_error *err)
{
    return fl_events_bytes(&context->guard.sink, request->body, request->path, false, err);
}

const fl_receive_how fl_receive_events = {.protocol = FL_RECEIVE_EVENTS,
                                          .path = "/v1/events",
                                          .role = FL_ROLE_INGEST,
                                          .check = check_events,
                                          .decode = decode_events,
                                          .answer = fl_receive_answer_json};
