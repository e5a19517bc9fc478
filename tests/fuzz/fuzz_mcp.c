/* fuzz_mcp.c - messages of an assistant: each is answered by one line of JSON or by nothing. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "json.h"
#include "mcp.h"

static void run(void *payload, fl_mcp_call *call)
{
    (void)payload;
    for (size_t i = 0; i < call->given_count; i++)
        for (size_t k = 0; k < call->given[i].count; k++)
            fl_buf_text(&call->text, call->given[i].values[k]);
}

static const fl_mcp_tool tools[] = {
    {.name = "look",
     .title = "Look",
     .description = "Looks.",
     .arguments = {{.name = "id", .help = "Which"},
                   {.name = "keys", .kind = FL_MCP_TEXTS, .help = "Keys"},
                   {.name = "limit", .kind = FL_MCP_COUNT, .most = 9, .help = "Most"}}},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fl_mcp mcp = {
        .tools = tools, .tool_count = 1, .version = "1", .max_answer_bytes = 200, .run = run};
    fl_buf reply = fl_buf_of(FL_MCP_MAX_REPLY_BYTES);
    fl_mcp_outcome outcome = fl_mcp_handle(&mcp, (fl_slice){.ptr = data, .len = size}, &reply);
    assert((outcome == FL_MCP_SILENT) == (reply.len == 0));
    if (reply.len > 0) {
        fl_json in = fl_json_over(fl_buf_slice(&reply), NULL);
        assert(memchr(reply.ptr, '\n', reply.len) == NULL);
        fl_json_skip(&in);
        assert(fl_json_finish(&in));
    }
    fl_buf_dispose(&reply);
    return 0;
}
