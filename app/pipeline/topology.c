/*
 * topology.c - the list, read by jansson: it is configuration, and small.
 *
 *   list := [ { "client" | "caller" | "source": NAME, "server" | "callee" | "target": NAME }* ]
 *
 * Who calls whom, for systems whose traces do not tell. Of several words for one end the first in
 * this order that is there and not empty wins; other members are passed over. Edges come out as
 * pairs of names, caller first, in the order of the list.
 */
#include "topology.h"

#include <assert.h>
#include <jansson.h>
#include <string.h>

#include "inputs.h"
#include "slice.h"

enum { MAX_TOPOLOGY_BYTES = 4 << 20 };

/* NULL where none of the words names a text. */
static const char *member(const json_t *edge, const char *const words[3])
{
    for (size_t i = 0; i < 3; i++) {
        const char *text = json_string_value(json_object_get(edge, words[i]));
        if (text != NULL && text[0] != '\0')
            return text;
    }
    return NULL;
}

/* The names outlive the list, so they are copied. */
static fl_status copy_edges(const char **names, const json_t *list, const char *path,
                            fl_arena *arena, fl_error *err)
{
    static const char *const from[3] = {"client", "caller", "source"};
    static const char *const to[3] = {"server", "callee", "target"};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *caller = member(json_array_get(list, i), from);
        const char *callee = member(json_array_get(list, i), to);
        if (caller == NULL || callee == NULL)
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                           "%s: item %zu names no \"caller\" and \"callee\" (or client and server, "
                           "source and target)",
                           path, i + 1);
        names[2 * i] = fl_arena_cstr(arena, fl_slice_of(caller));
        names[2 * i + 1] = fl_arena_cstr(arena, fl_slice_of(callee));
        if (names[2 * i] == NULL || names[2 * i + 1] == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the topology");
    }
    return FL_OK;
}

fl_status fl_topology_read(const char *const **names, size_t *edge_count, const char *path,
                           fl_arena *arena, fl_error *err)
{
    assert(names != NULL && edge_count != NULL && path != NULL);
    fl_slice text;
    json_error_t problem;
    *names = NULL;
    *edge_count = 0;
    fl_status status = fl_inputs_read(&text, path, MAX_TOPOLOGY_BYTES, arena, err);
    if (status != FL_OK)
        return status;
    json_t *list = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &problem);
    if (list == NULL)
        return fl_fail(err, FL_E_SYNTAX, (uint64_t)problem.position, "%s:%d:%d: %s", path,
                       problem.line, problem.column, problem.text);
    const char **out = fl_arena_alloc(arena, 2 * json_array_size(list), sizeof(*out));
    if (!json_is_array(list))
        status = fl_fail(err, FL_E_SYNTAX, 0, "%s: expected a list of calls", path);
    else if (out == NULL)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the topology");
    else
        status = copy_edges(out, list, path, arena, err);
    *edge_count = status == FL_OK ? json_array_size(list) : 0;
    *names = out;
    json_decref(list);
    return status;
}
