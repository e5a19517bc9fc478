/*
 * service.c - a service's file to its components and settings.
 *
 * Settings nest as deep as the tree reader lets them (FL_YAML_MAX_DEPTH); their path is kept in one
 * buffer that grows and shrinks with the walk.
 *
 * Values are text, whatever they look like: what 2000 means is known where it is compared
 * (quantity.h). YAML's own readings (no, 1.20, 0o17) would change what somebody wrote.
 */
#include "service.h"

#include <assert.h>
#include <stdio.h>

#include "json_tree.h"
#include "slice.h"
#include "yaml_fields.h"

/* A member that must be short enough for the graph. */
static fl_status check_length(const fl_yaml_fields *in, const fl_yaml *at, size_t len)
{
    return len <= FL_MAX_SERVICE_TEXT_BYTES
               ? FL_OK
               : FL_YAML_COMPLAIN(in, at, "a text is longer than %d bytes",
                                  FL_MAX_SERVICE_TEXT_BYTES);
}

/* The sentence names the member that is too long. */
static fl_status take_short(const char **out, const fl_yaml_fields *in, const fl_yaml *map,
                            const char *name, bool required)
{
    fl_status status = fl_yaml_take_text(out, in, map, name, required);
    if (status != FL_OK || *out == NULL)
        return status;
    return check_length(in, fl_yaml_member(map, fl_slice_of(name)), strlen(*out));
}

/* In the order of the file; one may stand there in two versions. */
static fl_status read_components(fl_service *out, const fl_yaml_fields *in, const fl_yaml *map)
{
    static const char *const names[] = {"name", "version", NULL};
    const fl_yaml *list;
    fl_status status = fl_yaml_take_list(&list, in, map, "components", false);
    if (status != FL_OK || list == NULL)
        return status;
    if (list->count > FL_MAX_SERVICE_COMPONENTS)
        return FL_YAML_COMPLAIN(in, list, "more than %d components", FL_MAX_SERVICE_COMPONENTS);
    fl_service_part *parts = fl_arena_alloc(in->arena, list->count + 1, sizeof(*parts));
    if (parts == NULL)
        return fl_yaml_no_memory(in);
    out->components = parts;
    for (const fl_yaml *at = list->first; at != NULL; at = at->next) {
        fl_service_part *part = &parts[out->component_count++];
        status = fl_yaml_check_keys(in, at, "a component", names);
        if (status == FL_OK)
            status = take_short(&part->name, in, at, "name", true);
        if (status == FL_OK)
            status = take_short(&part->value, in, at, "version", false);
        if (status != FL_OK)
            return status;
    }
    return FL_OK;
}

/* ---- settings ---- */

/* A walk down the nested mappings, and the name so far. */
struct settings {
    const fl_yaml_fields *in;
    fl_service_part *parts;
    size_t count;
    char path[FL_MAX_SERVICE_TEXT_BYTES + 1];
    size_t ends[FL_YAML_MAX_DEPTH]; /* of the path, before each level */
    const fl_yaml *at[FL_YAML_MAX_DEPTH];
    bool is_list[FL_YAML_MAX_DEPTH];
    size_t number[FL_YAML_MAX_DEPTH]; /* of the item in a list */
    size_t depth;
};

/* ".key" or "[2]" behind the path. */
static fl_status extend_path(struct settings *s, const fl_yaml *at)
{
    size_t level = s->depth - 1, end = s->ends[level], room = sizeof(s->path) - end;
    int len = s->is_list[level] ? snprintf(s->path + end, room, "[%zu]", s->number[level]++)
                                : snprintf(s->path + end, room, "%s%s", end > 0 ? "." : "",
                                           at->key.ptr != NULL ? (const char *)at->key.ptr : "");
    return len >= 0 && (size_t)len < room ? FL_OK : check_length(s->in, at, sizeof(s->path));
}

/* The walk's stack is as deep as the tree may be. */
static fl_status open_level(struct settings *s, const fl_yaml *node)
{
    if (s->depth == FL_YAML_MAX_DEPTH)
        return FL_YAML_COMPLAIN(s->in, node, "nested more than 16 deep");
    s->at[s->depth] = node->first;
    s->is_list[s->depth] = node->kind == FL_YAML_LIST;
    s->number[s->depth] = 0;
    s->ends[s->depth++] = strlen(s->path);
    return FL_OK;
}

/* A null is the text null: what it means is the setting's business. */
static fl_status keep_setting(struct settings *s, const fl_yaml *at)
{
    fl_slice value = fl_slice_trim(at->text);
    if (s->count == FL_MAX_SERVICE_SETTINGS)
        return FL_YAML_COMPLAIN(s->in, at, "more than %d settings", FL_MAX_SERVICE_SETTINGS);
    if (s->path[0] == '\0')
        return FL_YAML_COMPLAIN(s->in, at, "a setting has a name");
    fl_status status = check_length(s->in, at, value.len);
    if (status != FL_OK)
        return status;
    fl_service_part *part = &s->parts[s->count++];
    part->name = fl_arena_cstr(s->in->arena, fl_slice_of(s->path));
    part->value = fl_arena_cstr(s->in->arena, value);
    return part->name != NULL && part->value != NULL ? FL_OK : fl_yaml_no_memory(s->in);
}

/* One member: a value, or a level more. */
static fl_status walk_member(struct settings *s)
{
    const fl_yaml *at = s->at[s->depth - 1];
    if (at == NULL) {
        s->path[s->ends[--s->depth]] = '\0';
        return FL_OK;
    }
    s->path[s->ends[s->depth - 1]] = '\0';
    s->at[s->depth - 1] = at->next;
    fl_status status = extend_path(s, at);
    if (status != FL_OK)
        return status;
    return at->kind == FL_YAML_TEXT ? keep_setting(s, at) : open_level(s, at);
}

/* Flattened in the order of the file. */
static fl_status read_settings(fl_service *out, const fl_yaml_fields *in, const fl_yaml *map)
{
    const fl_yaml *config = fl_yaml_member(map, FL_SLICE("config"));
    if (config == NULL)
        return FL_OK;
    if (config->kind != FL_YAML_MAP)
        return FL_YAML_COMPLAIN(in, config, "config is a mapping of settings to values");
    struct settings *s = fl_arena_alloc(in->arena, 1, sizeof(*s));
    fl_service_part *parts = fl_arena_alloc(in->arena, FL_MAX_SERVICE_SETTINGS, sizeof(*s->parts));
    if (s == NULL || parts == NULL)
        return fl_yaml_no_memory(in);
    s->in = in;
    s->parts = parts;
    fl_status status = open_level(s, config);
    while (status == FL_OK && s->depth > 0)
        status = walk_member(s);
    out->settings = parts;
    out->setting_count = s->count;
    return status;
}

fl_status fl_service_read(fl_service *out, fl_arena *arena, fl_slice text, const char *source,
                          fl_error *err)
{
    static const char *const names[] = {"name", "kind", "components", "config", "depends_on", NULL};
    assert(out != NULL && source != NULL);
    const fl_yaml_fields in = {.source = source, .arena = arena, .err = err};
    const fl_yaml *root;
    fl_slice start = fl_slice_trim(text);
    *out = (fl_service){0};
    if (text.len > FL_MAX_SERVICE_BYTES)
        return fl_fail(err, FL_E_LIMIT, FL_MAX_SERVICE_BYTES, "%.100s: larger than %d bytes",
                       source, FL_MAX_SERVICE_BYTES);
    bool is_json = start.len > 0 && start.ptr[0] == '{';
    fl_status status = is_json ? fl_json_tree_read(&root, arena, text, source, err)
                               : fl_yaml_read(&root, arena, text, source, err);
    if (status == FL_OK)
        status = fl_yaml_check_keys(&in, root, "a service", names);
    if (status == FL_OK)
        status = take_short(&out->name, &in, root, "name", true);
    if (status == FL_OK)
        status = take_short(&out->kind, &in, root, "kind", false);
    if (status == FL_OK)
        status = read_components(out, &in, root);
    if (status == FL_OK)
        status = read_settings(out, &in, root);
    if (status == FL_OK)
        status =
            fl_yaml_take_texts(&out->depends_on, &out->depends_on_count, &in, root, "depends_on");
    if (status == FL_OK && out->depends_on_count > FL_MAX_SERVICE_COMPONENTS)
        return FL_YAML_COMPLAIN(&in, fl_yaml_member(root, FL_SLICE("depends_on")),
                                "more than %d dependencies", FL_MAX_SERVICE_COMPONENTS);
    for (size_t i = 0; status == FL_OK && i < out->depends_on_count; i++)
        status = check_length(&in, fl_yaml_member(root, FL_SLICE("depends_on")),
                              strlen(out->depends_on[i]));
    return status;
}
