/*
 * api_contract.c - /openapi.json: schemas/openapi.yaml as JSON, with the schemas that it refers to
 * inside, so that one document is the whole contract.
 *
 *   $ref: json/triage.schema.json#/$defs/time    becomes   #/components/schemas/triage/$defs/time
 *   "$ref": "#/$defs/time" of triage.schema.json becomes   the same
 *
 * Both come with the program, so that a mistake in them is one of ours, which the tests find. A
 * scalar is true, false, a number as JSON writes it, or else text, quoted or not: nothing in the
 * file is text that looks like one of the others, and "null" is only the name of a type.
 */
#include <assert.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "api_priv.h"
#include "fl_openapi_graph_known.h"
#include "fl_openapi_graph_neighbours.h"
#include "fl_openapi_graph_node.h"
#include "fl_openapi_graph_nodes.h"
#include "fl_openapi_graph_stats.h"
#include "fl_openapi_incidents.h"
#include "fl_openapi_learnt.h"
#include "fl_openapi_mcp_message.h"
#include "fl_openapi_paths.h"
#include "fl_openapi_postmortem.h"
#include "fl_openapi_proposals.h"
#include "fl_openapi_recommendation.h"
#include "fl_openapi_service.h"
#include "fl_openapi_similar.h"
#include "fl_openapi_status.h"
#include "fl_openapi_tail.h"
#include "fl_openapi_timeline.h"
#include "fl_openapi_triage.h"
#include "fl_openapi_yaml.h"
#include "json_put.h"
#include "number.h"
#include "slice.h"
#include "yaml_tree.h"

static const struct part {
    const char *name; /* of the file, without ".schema.json" */
    const fl_slice *text;
} parts[] = {
    {"graph-known", &fl_openapi_graph_known},
    {"graph-neighbours", &fl_openapi_graph_neighbours},
    {"graph-node", &fl_openapi_graph_node},
    {"graph-stats", &fl_openapi_graph_stats},
    {"incidents", &fl_openapi_incidents},
    {"mcp-message", &fl_openapi_mcp_message},
    {"learnt", &fl_openapi_learnt},
    {"paths", &fl_openapi_paths},
    {"similar", &fl_openapi_similar},
    {"graph-nodes", &fl_openapi_graph_nodes},
    {"postmortem", &fl_openapi_postmortem},
    {"proposals", &fl_openapi_proposals},
    {"recommendation", &fl_openapi_recommendation},
    {"service", &fl_openapi_service},
    {"status", &fl_openapi_status},
    {"tail", &fl_openapi_tail},
    {"timeline", &fl_openapi_timeline},
    {"triage", &fl_openapi_triage},
};

enum {
    CONTRACT_ARENA_BYTES = 8 << 20,
    CONTRACT_BYTES = 4 << 20,
    /* A container waits for its siblings on each level; JSON's levels are few as well. */
    CONTRACT_MOST_WAITING = 4096
};

/* --- references --- */

/* What a reference becomes; `part` is the schema that it stands in, NULL: the contract. */
static json_t *reference_of(const char *text, const char *part)
{
    static const char folder[] = "json/", suffix[] = ".schema.json";
    char out[256];
    const char *end = strstr(text, suffix);
    int len = -1;
    if (part != NULL && text[0] == '#')
        len = snprintf(out, sizeof(out), "#/components/schemas/%s%s", part, text + 1);
    else if (part == NULL && strncmp(text, folder, sizeof(folder) - 1) == 0 && end != NULL)
        len =
            snprintf(out, sizeof(out), "#/components/schemas/%.*s%s",
                     (int)(end - text - (ptrdiff_t)(sizeof(folder) - 1)), text + sizeof(folder) - 1,
                     end[sizeof(suffix) - 1] == '#' ? end + sizeof(suffix) : "");
    else if (part == NULL)
        len = snprintf(out, sizeof(out), "%s", text);
    assert(len > 0 && (size_t)len < sizeof(out)); /* of our own files */
    return json_string_nocheck(out);
}

/* Members of one object; objects and arrays in it wait on the stack. */
static void rewrite_object(json_t *object, const char *part, json_t **waiting, size_t *count)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, key, value)
    {
        if (strcmp(key, "$ref") == 0 && json_is_string(value)) {
            (void)json_object_set_new_nocheck(object, key,
                                              reference_of(json_string_value(value), part));
        } else if (json_is_object(value) || json_is_array(value)) {
            assert(*count < CONTRACT_MOST_WAITING);
            waiting[(*count)++] = value;
        }
    }
}

/* All references of a document, in place. */
static void rewrite(json_t *root, const char *part, json_t **waiting)
{
    size_t count = 0, i;
    json_t *item;
    waiting[count++] = root;
    while (count > 0) {
        json_t *at = waiting[--count];
        if (json_is_object(at))
            rewrite_object(at, part, waiting, &count);
        json_array_foreach(at, i, item)
        {
            assert(count < CONTRACT_MOST_WAITING);
            if (json_is_object(item) || json_is_array(item))
                waiting[count++] = item;
        }
    }
}

/* --- YAML to JSON --- */

/* "5" in quotes is five as well: the tree does not tell the two apart. */
static json_t *scalar_of(fl_slice text)
{
    int64_t whole;
    double number;
    if (fl_slice_equal(text, FL_SLICE("true")) || fl_slice_equal(text, FL_SLICE("false")))
        return json_boolean(text.len == 4);
    if (fl_parse_i64(text, &whole))
        return json_integer(whole);
    if (text.len > 0 && strchr("-0123456789", text.ptr[0]) != NULL &&
        fl_parse_double(text, &number))
        return json_real(number);
    return json_stringn_nocheck((const char *)text.ptr, text.len);
}

/* A container whose members are not made yet. */
typedef struct unmade {
    const fl_yaml *from;
    json_t *to;
} unmade;

/* The value of a node without what is in it. */
static json_t *empty_of(const fl_yaml *node)
{
    if (node->kind == FL_YAML_TEXT)
        return scalar_of(node->text);
    return node->kind == FL_YAML_MAP ? json_object() : json_array();
}

/* NULL for want of memory. */
static json_t *json_of(const fl_yaml *root, unmade *waiting)
{
    fl_put put = {0};
    size_t count = 0;
    json_t *out = empty_of(root);
    waiting[count++] = (unmade){root, out};
    while (count > 0 && put.status == FL_OK) {
        const unmade at = waiting[--count];
        for (const fl_yaml *child = at.from->first; child != NULL; child = child->next) {
            json_t *value = empty_of(child);
            if (child->kind != FL_YAML_TEXT && value != NULL) {
                assert(count < CONTRACT_MOST_WAITING);
                waiting[count++] = (unmade){child, value};
            }
            /* A key is followed by a NUL, as texts of the tree are. */
            if (at.from->kind == FL_YAML_MAP)
                fl_put_value(&put, at.to, (const char *)child->key.ptr, value);
            else
                fl_put_item(&put, at.to, value);
        }
    }
    if (put.status == FL_OK)
        return out;
    json_decref(out);
    return NULL;
}

/* --- the document --- */

/* Each schema becomes a component, without what makes it a document of its own. */
static fl_status add_parts(json_t *root, json_t **waiting)
{
    json_t *schemas = json_object_get(json_object_get(root, "components"), "schemas");
    assert(json_is_object(schemas));
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        json_t *part = json_loadb((const char *)parts[i].text->ptr, parts[i].text->len, 0, NULL);
        if (part == NULL)
            return FL_E_NOMEM;
        (void)json_object_del(part, "$schema");
        (void)json_object_del(part, "$id");
        rewrite(part, parts[i].name, waiting);
        if (json_object_set_new(schemas, parts[i].name, part) != 0)
            return FL_E_NOMEM;
    }
    return FL_OK;
}

/* Both stacks are of one size; the arena goes with the answer. */
static fl_status make_contract(fl_buf *out, fl_arena *arena, fl_error *err)
{
    const fl_yaml *tree;
    unmade *unmade_ones = fl_arena_alloc(arena, CONTRACT_MOST_WAITING, sizeof(*unmade_ones));
    json_t **waiting = fl_arena_alloc(arena, CONTRACT_MOST_WAITING, sizeof(*waiting));
    if (unmade_ones == NULL || waiting == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the contract");
    fl_status status = fl_yaml_read(&tree, arena, fl_openapi_yaml, "openapi.yaml", err);
    if (status != FL_OK)
        return status;
    json_t *root = json_of(tree, unmade_ones);
    if (root != NULL) {
        rewrite(root, NULL, waiting);
        status = add_parts(root, waiting);
    }
    if (root == NULL || status != FL_OK || !fl_put_dump(out, root, JSON_INDENT(1)))
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the contract");
    json_decref(root);
    return status;
}

/* The text is of no use beyond the body that it becomes. */
static fl_status keep_contract(fl_http_kept **out, fl_error *err)
{
    fl_arena arena = fl_arena_of(CONTRACT_ARENA_BYTES);
    fl_buf text = fl_buf_of(CONTRACT_BYTES);
    fl_status status = make_contract(&text, &arena, err);
    if (status == FL_OK)
        status = fl_buf_check(&text, "the contract", err);
    if (status == FL_OK)
        status = fl_http_kept_create(out, fl_buf_slice(&text), err);
    fl_buf_dispose(&text);
    fl_arena_dispose(&arena);
    return status;
}

/* It takes some milliseconds, and is made once: by the first who asks, while the others wait. */
fl_status fl_api_contract(fl_api_call *call, fl_error *err)
{
    fl_api *api = call->api;
    fl_status status = FL_OK;
    (void)pthread_mutex_lock(&api->contract_lock);
    if (api->contract == NULL)
        status = keep_contract(&api->contract, err);
    (void)pthread_mutex_unlock(&api->contract_lock);
    if (status != FL_OK)
        return status;
    call->reply->content_type = "application/vnd.oai.openapi+json;version=3.1";
    fl_api_send_kept(call, api->contract);
    return FL_OK;
}
