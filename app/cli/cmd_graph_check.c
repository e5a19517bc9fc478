/*
 * cmd_graph_check.c - graph check: whether the store keeps what it promises; graph migrate: what of
 * its tables is older than the program.
 */
#include <assert.h>
#include <inttypes.h>

#include "cmd_graph.h"
#include "report_check.h"
#include "report_exchange.h"

/* What is found is the answer; that there is something is the exit code. */
static fl_status run_check(fl_graph_call *call, fl_error *err)
{
    fl_check_list *list = fl_arena_alloc(&call->stored.arena, 1, sizeof(*list));
    fl_graph_checked checked;
    assert(call->stored.store != NULL);
    if (list == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for what is found");
    list->arena = &call->stored.arena;
    fl_status status = fl_graph_check(&checked, call->stored.store, call->cli->now_ns,
                                      fl_check_list_add, list, err);
    if (status != FL_OK)
        return status;
    call->code = fl_graph_checked_faults(&checked) > 0 ? FL_EXIT_ERROR : FL_EXIT_OK;
    return fl_graph_wants(call, "json")
               ? fl_report_check_json(&call->out, &checked, list, err)
               : fl_report_check_text(&call->out, &checked, list, &call->cli->style, err);
}

/* Opening a store migrates it, so that without --dry-run there is nothing to do but that. */
static fl_status run_migrate(fl_graph_call *call, fl_error *err)
{
    char location[FL_LOCATION_BYTES], shown[FL_LOCATION_BYTES];
    fl_store_plan plan;
    bool is_dry = fl_args_flag(call->args, "dry-run");
    fl_status status = fl_location_find(location, call->args, false, err);
    if (status == FL_OK)
        status = fl_store_plan_of(&plan, location, err);
    if (status == FL_OK)
        fl_location_show(shown, location);
    if (status == FL_OK && plan.version == 0)
        status = fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "no store at %.150s", shown);
    if (status == FL_OK && !is_dry)
        status = fl_store_open(&call->stored.store, location, FL_STORE_EXISTING, err);
    if (status != FL_OK)
        return status;
    return fl_graph_wants(call, "json") ? fl_report_plan_json(&call->out, &plan, is_dry, err)
                                        : fl_report_plan_text(&call->out, &plan, is_dry, err);
}

const fl_graph_action fl_graph_action_check = {
    .about = {.name = "check",
              .help = "whether the store keeps what it promises: ids, references, kinds, texts,"
                      " circles, and what the database itself finds; exit code 1 where it does"
                      " not"},
    .formats = fl_graph_text_json,
    .run = run_check,
};

const fl_graph_action fl_graph_action_migrate = {
    .about = {.name = "migrate",
              .help = "bring an older store to this program's version, in one transaction;"
                      " --dry-run shows the SQL and changes nothing"},
    .formats = fl_graph_text_json,
    .access = FL_GRAPH_OPENS,
    .run = run_migrate,
};
