/*
 * receive_answer.c - answers in the forms of their protocols.
 *
 * Protobuf, as far as it is written here:
 *   Export...ServiceResponse  1 partial_success: 1 V rejected, 2 error_message
 *   google.rpc.Status         1 V code, 2 message
 * opentelemetry.io/docs/specs/otlp (OTLP/HTTP response), google/rpc/status.proto, code.proto.
 */
#include "receive_answer.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "slice.h"

enum { TAG_VARINT = 0, TAG_BYTES = 2 };
/* google.rpc.Code */
enum {
    CODE_INVALID_ARGUMENT = 3,
    CODE_PERMISSION_DENIED = 7,
    CODE_RESOURCE_EXHAUSTED = 8,
    CODE_INTERNAL = 13,
    CODE_UNAVAILABLE = 14,
    CODE_UNIMPLEMENTED = 12,
    CODE_UNAUTHENTICATED = 16
};

/* ---- protobuf and JSON, as much as answers need ---- */

static void put_varint(fl_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        fl_buf_char(out, (char)(0x80 | (value & 0x7f)));
    fl_buf_char(out, (char)value);
}

static void put_number(fl_buf *out, unsigned field, uint64_t value)
{
    if (value == 0)
        return; /* the default */
    put_varint(out, field << 3 | TAG_VARINT);
    put_varint(out, value);
}

static void put_text(fl_buf *out, unsigned field, const char *text)
{
    size_t len = strlen(text);
    if (len == 0)
        return;
    put_varint(out, field << 3 | TAG_BYTES);
    put_varint(out, len);
    fl_buf_text(out, text);
}

/* What these two take of a message and a number, without the tag and length around it. */
static size_t varint_bytes(uint64_t value)
{
    size_t bytes = 1;
    for (; value >= 0x80; value >>= 7)
        bytes++;
    return bytes;
}

/* Our own sentences: what they quote of input is printable ASCII already, but for a text that a
 * decoder cut, whose bytes become '?' here. */
static void put_json_text(fl_buf *out, const char *text)
{
    fl_buf_char(out, '"');
    for (; *text != '\0'; text++)
        if (*text == '"' || *text == '\\')
            fl_buf_printf(out, "\\%c", *text);
        else
            fl_buf_char(out, *text >= ' ' && *text < 0x7f ? *text : '?');
    fl_buf_char(out, '"');
}

/* ---- what all share ---- */

/* OTLP's clients try again after 429, 502, 503 and 504; the others' after any 5xx. */
static void set_status(fl_http_reply *reply, unsigned status)
{
    assert(status >= 200 && status < 600);
    reply->status = status;
    reply->retry_after_s = status == 503 ? FL_RECEIVE_RETRY_S : 0;
}

void fl_receive_answer_plain(const fl_receive_outcome *outcome, unsigned ok, fl_http_reply *reply)
{
    set_status(reply, outcome->status == 200 ? ok : outcome->status);
    if (outcome->status == 200)
        return;
    reply->content_type = "text/plain; charset=utf-8";
    fl_buf_printf(&reply->body, "%s\n", outcome->sentence);
}

void fl_receive_answer_json(const fl_receive_outcome *outcome, const fl_http_request *request,
                            fl_http_reply *reply)
{
    (void)request;
    if (outcome->status != 200) {
        fl_http_problem(reply, outcome->status, "%s", outcome->sentence);
        set_status(reply, outcome->status);
        return;
    }
    set_status(reply, 200);
    reply->content_type = "application/json";
    fl_buf_printf(&reply->body, "{\"accepted\": %" PRIu64 ", \"refused\": %" PRIu64,
                  outcome->accepted, outcome->refused);
    if (outcome->refused > 0) {
        fl_buf_text(&reply->body, ", \"reason\": ");
        put_json_text(&reply->body, outcome->reason);
    }
    fl_buf_text(&reply->body, "}\n");
}

/* ---- OTLP ---- */

bool fl_receive_is_json(const fl_http_request *request)
{
    return !request->is_grpc && fl_http_is_type(request, "application/json");
}

static int code_of(unsigned status)
{
    switch (status) {
    case 400:
        return CODE_INVALID_ARGUMENT;
    case 401:
        return CODE_UNAUTHENTICATED;
    case 403:
        return CODE_PERMISSION_DENIED;
    case 413:
    case 429:
        return CODE_RESOURCE_EXHAUSTED;
    case 415:
        return CODE_UNIMPLEMENTED;
    case 503:
        return CODE_UNAVAILABLE;
    default:
        return CODE_INTERNAL;
    }
}

/* google.rpc.Status, with the code that gRPC would have given. */
static void put_status(const fl_receive_outcome *outcome, bool is_json, fl_buf *out)
{
    int code = code_of(outcome->status);
    assert(outcome->status >= 400);
    if (is_json) {
        fl_buf_printf(out, "{\"code\":%d,\"message\":", code);
        put_json_text(out, outcome->sentence);
        fl_buf_char(out, '}');
    } else {
        put_number(out, 1, (uint64_t)code);
        put_text(out, 2, outcome->sentence);
    }
}

/* What was refused of a request that was taken; 64-bit numbers are texts in JSON. */
static void put_partial(const fl_receive_outcome *outcome, const char *rejected_name, bool is_json,
                        fl_buf *out)
{
    assert(outcome->refused > 0);
    if (is_json) {
        fl_buf_printf(out, "{\"partialSuccess\":{\"%s\":\"%" PRIu64 "\",\"errorMessage\":",
                      rejected_name, outcome->refused);
        put_json_text(out, outcome->reason);
        fl_buf_text(out, "}}");
        return;
    }
    size_t text = strlen(outcome->reason);
    put_varint(out, 1 << 3 | TAG_BYTES);
    put_varint(out,
               1 + varint_bytes(outcome->refused) + (text > 0 ? 1 + varint_bytes(text) + text : 0));
    put_number(out, 1, outcome->refused);
    put_text(out, 2, outcome->reason);
}

/* A type that is not read has no encoding of its own: a person will look at the answer. */
static bool has_no_form(const fl_http_request *request)
{
    return !request->is_grpc && !fl_http_is_type(request, "application/x-protobuf");
}

/* Status, Retry-After and other headers stay as they are; the sentence finds another form. */
void fl_receive_refuse_otlp(const fl_http_request *request, fl_http_reply *reply)
{
    enum { MAX_SENTENCE_BYTES = 1024 };
    fl_buf detail = fl_buf_of(MAX_SENTENCE_BYTES);
    bool is_json = fl_receive_is_json(request) || has_no_form(request);
    assert(reply->status >= 400);
    fl_http_problem_detail(&detail, reply);
    const char *said = detail.len > 0 ? detail.ptr : fl_http_status_text(reply->status);
    const fl_receive_outcome outcome = {.status = reply->status, .sentence = said};
    fl_buf_clear(&reply->body);
    reply->content_type = is_json ? "application/json" : "application/x-protobuf";
    put_status(&outcome, is_json, &reply->body);
    fl_buf_dispose(&detail);
}

void fl_receive_answer_otlp(const fl_receive_outcome *outcome, const fl_http_request *request,
                            const char *rejected_name, fl_http_reply *reply)
{
    bool is_json = fl_receive_is_json(request) || (outcome->status == 415 && has_no_form(request));
    set_status(reply, outcome->status);
    reply->content_type = is_json ? "application/json" : "application/x-protobuf";
    if (outcome->status != 200)
        put_status(outcome, is_json, &reply->body);
    else if (outcome->refused > 0)
        put_partial(outcome, rejected_name, is_json, &reply->body);
    else if (is_json)
        fl_buf_text(&reply->body, "{}");
}
