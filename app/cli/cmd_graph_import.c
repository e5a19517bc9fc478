/*
 * cmd_graph_import.c - graph import: an exported graph into a store, from a file or from standard
 * input.
 *
 * A file is read twice: it is checked whole before any of it is added. Standard input can be read
 * once only; where it turns out to be wrong in the middle, what came before is there, and running
 * the import again with a better document adds the rest.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "cmd_graph.h"
#include "graph_import.h"
#include "report_exchange.h"
#include "stream.h"

/* The standard library buffers; a short read is no end. */
static fl_status read_stdin(void *payload, void *buf, size_t cap, size_t *len, fl_error *err)
{
    (void)payload;
    *len = fread(buf, 1, cap, stdin);
    if (*len == 0 && ferror(stdin))
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot read standard input: %s",
                       strerror(errno));
    return FL_OK;
}

/* Plain, gzip and zstd alike. */
static fl_status read_stream(void *payload, void *buf, size_t cap, size_t *len, fl_error *err)
{
    return fl_stream_read(payload, buf, cap, len, err);
}

static fl_status import_file(fl_graph_imported *out, fl_store *store, const char *path,
                             fl_error *err)
{
    fl_stream *stream = NULL;
    fl_status status = fl_stream_open(&stream, path, err);
    const fl_graph_source source = {.name = path, .read = read_stream, .payload = stream};
    if (status == FL_OK)
        status = fl_graph_import(out, store, &source, err);
    fl_stream_close(stream);
    return status;
}

/* Uncompressed: what decompresses stands in front of the pipe. */
static fl_status import_stdin(fl_graph_imported *out, fl_store *store, fl_error *err)
{
    const fl_graph_source source = {.name = "standard input", .read = read_stdin};
    return fl_graph_import(out, store, &source, err);
}

/* It is made where it is missing, with the folders of the default place. */
static fl_status open_store(fl_graph_call *call, fl_error *err)
{
    char location[FL_LOCATION_BYTES];
    fl_status status = fl_location_find(location, call->args, true, err);
    return status == FL_OK ? fl_store_open(&call->stored.store, location, FL_STORE_CREATE, err)
                           : status;
}

/* The store is opened after the check: a document that is refused makes none. */
static fl_status run(fl_graph_call *call, fl_error *err)
{
    const char *path = call->args->more[0];
    bool is_stdin = strcmp(path, "-") == 0, is_dry = fl_args_flag(call->args, "dry-run");
    fl_graph_imported imported = {0};
    fl_status status = FL_OK;
    assert(call->args->more_count == 1);
    if (!is_stdin)
        status = import_file(&imported, NULL, path, err);
    else if (is_dry)
        status = import_stdin(&imported, NULL, err);
    if (status == FL_OK && !is_dry)
        status = open_store(call, err);
    if (status == FL_OK && !is_dry)
        status = is_stdin ? import_stdin(&imported, call->stored.store, err)
                          : import_file(&imported, call->stored.store, path, err);
    if (status != FL_OK)
        return status;
    return fl_graph_wants(call, "json")
               ? fl_report_imported_json(&call->out, &imported, is_dry, err)
               : fl_report_imported_text(&call->out, &imported, is_dry, &call->cli->style, err);
}

const fl_graph_action fl_graph_action_import = {
    .about = {.name = "import",
              .operands = "FILE|-",
              .help = "what 'graph export' wrote as JSON into the store; what is there already"
                      " stays as it is"},
    .formats = fl_graph_text_json,
    .least = 1,
    .most = 1,
    .access = FL_GRAPH_OPENS,
    .run = run,
};
