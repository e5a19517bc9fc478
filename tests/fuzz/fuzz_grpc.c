/*
 * fuzz_grpc.c - what a client sends after the preface, in two pieces whose border is the first
 * byte: frames, heads, messages. Calls are answered, cancelled or left by their path's last letter,
 * and whatever happens the budget is whole in the end.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "grpc_session.h"
#include "slice.h"

enum { TAKEN = 256, MOST_BYTES = 4096, SECOND = 1000000000 };

static fl_grpc_call *taken[TAKEN];
static size_t taken_count;

static bool admit(void *payload, fl_grpc_call *call, fl_http_reply *reply)
{
    (void)payload;
    if (strstr(call->request.path, "none") != NULL) {
        fl_http_problem(reply, 501, "there is no method %.100s", call->request.path);
        return false;
    }
    call->message.body.max_bytes = MOST_BYTES;
    return true;
}

static bool ready(void *payload, fl_grpc_call *call)
{
    (void)payload;
    assert(call->message.body.len == call->message.announced_bytes);
    if (taken_count == TAKEN)
        return false;
    taken[taken_count++] = call;
    return true;
}

static void answer_some(fl_grpc_session *session, size_t keep)
{
    while (taken_count > keep) {
        fl_grpc_call *call = taken[--taken_count];
        fl_buf_add(&call->reply.body, fl_buf_slice(&call->message.body));
        if (call->message.is_packed)
            fl_http_problem(&call->reply, 503, "%s", call->request.path);
        fl_grpc_call_conclude(call);
        fl_grpc_session_answer(session, call);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const fl_slice preface =
        FL_SLICE_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0");
    fl_budget budget = {.max = 1 << 20};
    fl_grpc_counters counters;
    memset(&counters, 0, sizeof(counters));
    fl_grpc_hooks hooks = {
        .admit = admit, .ready = ready, .budget = &budget, .counters = &counters};
    fl_grpc_session *session;
    fl_buf out = fl_buf_of(16 << 20);
    int64_t now_ns = SECOND;
    if (size == 0 || fl_grpc_session_create(&session, &hooks, now_ns, NULL) != FL_OK)
        return 0;
    fl_slice bytes = {.ptr = data + 1, .len = size - 1};
    size_t border = data[0] < bytes.len ? data[0] : bytes.len;
    fl_status status = fl_grpc_session_feed(session, preface, now_ns, NULL);
    assert(status == FL_OK);
    status = fl_grpc_session_feed(session, fl_slice_part(bytes, 0, border), now_ns, NULL);
    answer_some(session, 1);
    assert(fl_grpc_session_output(session, &out, SIZE_MAX, NULL) == FL_OK);
    if (status == FL_OK)
        status =
            fl_grpc_session_feed(session, fl_slice_part(bytes, border, bytes.len), now_ns, NULL);
    if (!fl_grpc_session_tick(session, now_ns + 40 * (int64_t)SECOND))
        fl_grpc_session_stop(session);
    answer_some(session, 0);
    assert(fl_grpc_session_output(session, &out, SIZE_MAX, NULL) == FL_OK);
    assert(fl_grpc_session_running(session) == 0);
    fl_grpc_session_destroy(session);
    assert(atomic_load(&budget.used) == 0);
    fl_buf_dispose(&out);
    return 0;
}
