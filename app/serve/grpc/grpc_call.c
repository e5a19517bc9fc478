/*
 * grpc_call.c - one unary call: its head as a request, and a handler's reply as a gRPC status.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "grpc_call.h"
#include "mem.h"
#include "slice.h"

/* The room for the head is taken from the budget beforehand: it comes in pieces of some bytes, and
 * asking for each would cost more than it saves. The message is claimed as it grows. */
fl_grpc_call *fl_grpc_call_create(fl_grpc_session *session, fl_budget *budget,
                                  size_t max_header_bytes)
{
    assert(max_header_bytes <= FL_GRPC_MAX_HEADER_BYTES);
    if (!fl_budget_take(budget, FL_GRPC_CALL_BYTES))
        return NULL;
    fl_grpc_call *call = fl_mem_calloc(1, sizeof(*call));
    if (call == NULL) {
        fl_budget_give(budget, FL_GRPC_CALL_BYTES);
        return NULL;
    }
    call->session = session;
    call->claimed_bytes = FL_GRPC_CALL_BYTES;
    call->head = fl_buf_of(max_header_bytes);
    call->message = fl_grpc_message_of(0);
    call->deadline_ns = INT64_MAX;
    fl_http_reply_init(&call->reply);
    return call;
}

void fl_grpc_call_destroy(fl_grpc_call *call, fl_budget *budget)
{
    assert(call != NULL && call->claimed_bytes >= FL_GRPC_CALL_BYTES);
    fl_http_reply_dispose(&call->reply);
    fl_grpc_message_dispose(&call->message);
    fl_buf_dispose(&call->head);
    fl_budget_give(budget, call->claimed_bytes);
    fl_mem_free(call);
}

void fl_grpc_call_header(fl_grpc_call *call, fl_slice name, fl_slice value)
{
    /* HPACK can name a large header in one byte: what is too large is not kept. */
    if (call->head_count == FL_HTTP_MAX_HEADERS || call->is_head_too_large) {
        call->is_head_too_large = true;
        return;
    }
    call->head_at[call->head_count++] = (uint16_t)call->head.len;
    fl_buf_add(&call->head, name);
    fl_buf_char(&call->head, '\0');
    fl_buf_add(&call->head, value);
    fl_buf_char(&call->head, '\0');
    call->is_head_too_large = call->head.status != FL_OK;
}

/* Only now do the texts stand still, so that they can be pointed at. libnghttp2 has refused names
 * and values with a NUL inside. */
void fl_grpc_call_head_done(fl_grpc_call *call)
{
    assert(!call->is_head_too_large);
    for (size_t i = 0; i < call->head_count; i++) {
        const char *name = call->head.ptr + call->head_at[i];
        call->fields[i] = (fl_http_field){.name = name, .value = name + strlen(name) + 1};
    }
    call->request.headers = call->fields;
    call->request.header_count = call->head_count;
    call->request.is_grpc = true;
    call->request.client = "";
    call->request.content_type = "application/x-protobuf";
    const char *method = fl_http_header(&call->request, ":method");
    const char *path = fl_http_header(&call->request, ":path");
    call->request.method = method != NULL ? method : "";
    call->request.path = path != NULL ? path : "";
}

bool fl_grpc_call_claim(fl_grpc_call *call, size_t bytes)
{
    fl_budget *budget = fl_grpc_session_budget(call->session);
    if (!fl_budget_take(budget, bytes))
        return false;
    call->claimed_bytes += bytes;
    return true;
}

void fl_grpc_call_fail(fl_grpc_call *call, fl_grpc_code code, const char *why, ...)
{
    assert(call != NULL && code != FL_GRPC_OK);
    va_list args;
    va_start(args, why);
    (void)vsnprintf(call->why, sizeof(call->why), why, args);
    va_end(args);
    call->code = code;
}

/* A handler says what went wrong in its protocol's way: OTLP's is a google.rpc.Status, which is
 * what gRPC has as well; the server's own refusals are problem+json. Anything else is not shown: it
 * was not written for this reader. */
void fl_grpc_call_conclude(fl_grpc_call *call)
{
    fl_http_reply *reply = &call->reply;
    call->code = fl_grpc_code_of_http(reply->status);
    if (reply->body.status != FL_OK)
        call->code = FL_GRPC_INTERNAL;
    if (call->code == FL_GRPC_OK)
        return;
    fl_slice body = fl_buf_slice(&reply->body), said = {0};
    fl_buf detail = fl_buf_of(sizeof(call->why));
    const char *type = reply->content_type != NULL ? reply->content_type : "";
    if (reply->body.status == FL_OK && strcmp(type, "application/x-protobuf") == 0) {
        said = fl_grpc_status_message(body);
    } else {
        fl_http_problem_detail(&detail, reply);
        said = fl_buf_slice(&detail);
    }
    if (said.len == 0)
        said = fl_slice_of(fl_http_status_text(reply->status));
    fl_grpc_call_fail(call, call->code, "%.*s", FL_SLICE_ARG(said));
    fl_buf_dispose(&detail);
    call->retry_after_s = reply->retry_after_s;
}
