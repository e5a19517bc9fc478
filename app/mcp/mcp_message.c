/*
 * mcp_message.c - JSON-RPC 2.0 to what is asked.
 *
 *   message := {"jsonrpc": "2.0", "id": ID, "method": TEXT, "params": {...}}   no id: a
 * notification params  := {"name": TEXT, "arguments": {...}, "protocolVersion": TEXT, "cursor":
 * TEXT,
 *               "_meta": {"io.modelcontextprotocol/protocolVersion": TEXT,
 *                         "io.modelcontextprotocol/clientCapabilities": {...}}}
 *
 * Members that are not named here are passed over, and checked. A list of messages is none: batches
 * left the protocol with 2025-06-18.
 */
#include "mcp_message.h"

#include <assert.h>

#include "json.h"
#include "slice.h"

#define META "io.modelcontextprotocol/"
enum { MAX_ID_BYTES = 256 };

/* An id that is none makes the request one that cannot be answered to. */
static int read_id(fl_mcp_message *out, fl_json *in, fl_error *err)
{
    fl_json_kind kind = fl_json_peek(in);
    fl_slice raw = fl_json_raw(in);
    bool is_whole = kind == FL_JSON_NUMBER;
    for (size_t i = 0; i < raw.len && is_whole; i++)
        is_whole = raw.ptr[i] == '-' || (raw.ptr[i] >= '0' && raw.ptr[i] <= '9');
    if ((kind != FL_JSON_STRING && !is_whole) || raw.len > MAX_ID_BYTES) {
        (void)fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "an id is a short text or a whole number");
        return FL_MCP_INVALID_REQUEST;
    }
    out->raw_id = raw;
    return 0;
}

static void read_meta(fl_mcp_message *out, fl_json *in)
{
    fl_slice key;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key))
        if (fl_slice_equal(key, FL_SLICE(META "protocolVersion"))) {
            out->meta_version = fl_json_string(in);
        } else if (fl_slice_equal(key, FL_SLICE(META "clientCapabilities"))) {
            out->has_capabilities = fl_json_peek(in) == FL_JSON_OBJECT;
            fl_json_skip(in);
        } else {
            fl_json_skip(in);
        }
}

static void read_params(fl_mcp_message *out, fl_json *in)
{
    fl_slice key;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key))
        if (fl_slice_equal(key, FL_SLICE("name")))
            out->name = fl_json_string(in);
        else if (fl_slice_equal(key, FL_SLICE("protocolVersion")))
            out->protocol_version = fl_json_string(in);
        else if (fl_slice_equal(key, FL_SLICE("arguments")))
            out->raw_arguments = fl_json_raw(in);
        else if (fl_slice_equal(key, FL_SLICE("_meta")))
            read_meta(out, in);
        else if (fl_slice_equal(key, FL_SLICE("cursor"))) {
            out->has_cursor = fl_json_peek(in) != FL_JSON_NULL;
            fl_json_skip(in);
        } else {
            fl_json_skip(in);
        }
}

/* Params are read in a second pass, so that what is wrong with them is told from what is no JSON.
 */
static int check_params(fl_mcp_message *out, fl_slice raw, fl_arena *arena, fl_error *err)
{
    fl_json in = fl_json_over(raw, arena);
    if (raw.ptr == NULL)
        return 0;
    out->has_params = true;
    read_params(out, &in);
    if (fl_json_ok(&in))
        return 0;
    (void)fl_fail(err, in.err.status, FL_NO_OFFSET, "params: %s", in.err.message);
    return FL_MCP_INVALID_PARAMS;
}

static int invalid(fl_error *err, const char *why)
{
    (void)fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%s", why);
    return FL_MCP_INVALID_REQUEST;
}

int fl_mcp_message_read(fl_mcp_message *out, fl_slice text, fl_arena *arena, fl_error *err)
{
    fl_slice key, version = {0}, params = {0};
    fl_json in = fl_json_over(text, arena);
    int code = 0;
    assert(out != NULL && arena != NULL && err != NULL);
    *out = (fl_mcp_message){0};
    bool is_object = fl_json_peek(&in) == FL_JSON_OBJECT;
    if (!is_object) {
        fl_json_skip(&in);
    } else if (fl_json_enter_object(&in)) {
        while (fl_json_next_member(&in, &key))
            if (fl_slice_equal(key, FL_SLICE("jsonrpc")) && fl_json_peek(&in) == FL_JSON_STRING)
                version = fl_json_string(&in);
            else if (fl_slice_equal(key, FL_SLICE("method")) && fl_json_peek(&in) == FL_JSON_STRING)
                out->method = fl_json_string(&in);
            else if (fl_slice_equal(key, FL_SLICE("id")) && code == 0)
                code = read_id(out, &in, err);
            else if (fl_slice_equal(key, FL_SLICE("params")))
                params = fl_json_raw(&in);
            else {
                out->is_response = out->is_response || fl_slice_equal(key, FL_SLICE("result")) ||
                                   fl_slice_equal(key, FL_SLICE("error"));
                fl_json_skip(&in);
            }
    }
    if (!fl_json_finish(&in)) {
        out->raw_id = (fl_slice){0};
        *err = (fl_error){0};
        (void)fl_fail(err, in.err.status, FL_NO_OFFSET, "this is no JSON: %s", in.err.message);
        return FL_MCP_PARSE_ERROR;
    }
    if (!is_object)
        return invalid(err, "a message is one object; batches are not taken");
    if (code != 0)
        return code;
    if (!fl_slice_equal(version, FL_SLICE("2.0")))
        return invalid(err, "jsonrpc is not \"2.0\"");
    if (out->method.ptr == NULL && !out->is_response)
        return invalid(err, "there is no method");
    return out->is_response && out->method.ptr == NULL ? 0 : check_params(out, params, arena, err);
}
