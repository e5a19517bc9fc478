/*
 * yaml_fields.c - the checks that every reader of a rule file would otherwise write again.
 *
 * Texts are copied: the tree goes when its document was read. An empty text is refused as a missing
 * one would be; where nothing is meant, nothing is written.
 */
#include "yaml_fields.h"

#include <assert.h>

#include "slice.h"

fl_status fl_yaml_no_memory(const fl_yaml_fields *in)
{
    return fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %.100s", in->source);
}

fl_status fl_yaml_check_keys(const fl_yaml_fields *in, const fl_yaml *map, const char *what,
                             const char *const *names)
{
    assert(map != NULL && names != NULL);
    if (map->kind != FL_YAML_MAP)
        return FL_YAML_COMPLAIN(in, map, "%s is a mapping", what);
    for (const fl_yaml *at = map->first; at != NULL; at = at->next) {
        size_t k = 0;
        while (names[k] != NULL && !fl_slice_equal(at->key, fl_slice_of(names[k])))
            k++;
        if (names[k] == NULL)
            return FL_YAML_COMPLAIN(in, at, "%s has no key '%.40s'", what,
                                    (const char *)at->key.ptr);
    }
    return FL_OK;
}

fl_status fl_yaml_take_text(const char **out, const fl_yaml_fields *in, const fl_yaml *map,
                            const char *name, bool required)
{
    assert(map->kind == FL_YAML_MAP);
    const fl_yaml *at = fl_yaml_member(map, fl_slice_of(name));
    *out = NULL;
    if (at == NULL)
        return required ? FL_YAML_COMPLAIN(in, map, "%s is missing", name) : FL_OK;
    fl_slice text = at->kind == FL_YAML_TEXT ? fl_slice_trim(at->text) : (fl_slice){0};
    if (text.len == 0)
        return FL_YAML_COMPLAIN(in, at, "%s is a text", name);
    *out = fl_arena_cstr(in->arena, text);
    return *out != NULL ? FL_OK : fl_yaml_no_memory(in);
}

fl_status fl_yaml_take_list(const fl_yaml **out, const fl_yaml_fields *in, const fl_yaml *map,
                            const char *name, bool required)
{
    assert(map->kind == FL_YAML_MAP);
    *out = fl_yaml_member(map, fl_slice_of(name));
    if (*out == NULL)
        return required ? FL_YAML_COMPLAIN(in, map, "%s is missing", name) : FL_OK;
    return (*out)->kind == FL_YAML_LIST ? FL_OK : FL_YAML_COMPLAIN(in, *out, "%s is a list", name);
}

fl_status fl_yaml_take_texts(const char *const **out, size_t *count, const fl_yaml_fields *in,
                             const fl_yaml *map, const char *name)
{
    const fl_yaml *list;
    *out = NULL;
    *count = 0;
    fl_status status = fl_yaml_take_list(&list, in, map, name, false);
    if (status != FL_OK || list == NULL)
        return status;
    const char **items = fl_arena_alloc(in->arena, list->count + 1, sizeof(*items));
    if (items == NULL)
        return fl_yaml_no_memory(in);
    for (const fl_yaml *at = list->first; at != NULL; at = at->next) {
        fl_slice text = at->kind == FL_YAML_TEXT ? fl_slice_trim(at->text) : (fl_slice){0};
        if (text.len == 0)
            return FL_YAML_COMPLAIN(in, at, "%s is a list of texts", name);
        items[*count] = fl_arena_cstr(in->arena, text);
        if (items[(*count)++] == NULL)
            return fl_yaml_no_memory(in);
    }
    *out = items;
    return FL_OK;
}
