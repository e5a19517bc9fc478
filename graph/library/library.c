/*
 * library.c - the lists, and names in one spelling.
 *
 * Lists have their full room from the start, so that adding a document is all or nothing without a
 * copy: counts are taken over only when the whole document was read.
 *
 * A setting is told apart as an environment variable tells it: SPRING_REDIS_TIMEOUT,
 * spring.redis.timeout and spring-redis-timeout are one name. What is shown keeps its dots.
 *
 * Cost: a name is looked up in a list of some hundred aliases, for the few dozen names of a
 * service.
 */
#include "library.h"

#include <assert.h>
#include <string.h>

#include "library_priv.h"
#include "mem.h"
#include "slice.h"

struct fl_library {
    fl_arena arena;
    struct fl_library_lists lists;
};

fl_status fl_library_create(fl_library **out, fl_error *err)
{
    fl_library *library = fl_mem_calloc(1, sizeof(*library));
    *out = library;
    if (library == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the library");
    library->arena = fl_arena_of(FL_LIBRARY_MAX_BYTES);
    struct fl_library_lists *lists = &library->lists;
    lists->items = fl_arena_alloc(&library->arena, FL_LIBRARY_MAX_ITEMS, sizeof(*lists->items));
    lists->gone = fl_arena_alloc(&library->arena, FL_LIBRARY_MAX_ITEMS, sizeof(*lists->gone));
    lists->components.items =
        fl_arena_alloc(&library->arena, FL_LIBRARY_MAX_NAMES, sizeof(*lists->components.items));
    lists->settings.items =
        fl_arena_alloc(&library->arena, FL_LIBRARY_MAX_NAMES, sizeof(*lists->settings.items));
    if (lists->items != NULL && lists->gone != NULL && lists->components.items != NULL &&
        lists->settings.items != NULL)
        return FL_OK;
    fl_library_destroy(library);
    *out = NULL;
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the library");
}

void fl_library_destroy(fl_library *library)
{
    if (library == NULL)
        return;
    fl_arena_dispose(&library->arena);
    fl_mem_free(library);
}

/* What was appended before a failure is cut off again: lists only grow at their end. */
fl_status fl_library_add(fl_library *library, fl_slice yaml, const char *source, fl_error *err)
{
    assert(library != NULL && source != NULL);
    const fl_yaml *root;
    fl_arena tree = fl_arena_of(FL_LIBRARY_MAX_TREE_BYTES);
    struct fl_library_lists grown = library->lists;
    const fl_yaml_fields in = {.source = source, .arena = &library->arena, .err = err};
    fl_status status = fl_yaml_read(&root, &tree, yaml, source, err);
    if (status == FL_OK)
        status = fl_library_read(&grown, &in, root);
    if (status == FL_OK)
        library->lists = grown;
    fl_arena_dispose(&tree);
    return status;
}

const fl_library_item *fl_library_items(const fl_library *library, size_t *count)
{
    assert(library != NULL);
    *count = library->lists.item_count;
    return library->lists.items;
}

const fl_library_gone *fl_library_gone_items(const fl_library *library, size_t *count)
{
    assert(library != NULL);
    *count = library->lists.gone_count;
    return library->lists.gone;
}

const char *fl_library_fold(char out[FL_LIBRARY_NAME_BYTES], fl_slice name,
                            fl_library_spelling spelling)
{
    fl_slice text = fl_slice_trim(name);
    size_t len = 0, limit = FL_LIBRARY_NAME_BYTES - 1;
    for (size_t i = 0; i < text.len && len < limit; i++) {
        unsigned char c = text.ptr[i];
        bool is_blank = c == ' ' || (c >= '\t' && c <= '\r');
        bool is_dash = is_blank || (spelling >= FL_LIBRARY_AS_SETTING && c == '_') ||
                       (spelling == FL_LIBRARY_AS_VARIABLE && c == '.');
        if (is_blank && len > 0 && out[len - 1] == '-')
            continue;
        out[len++] = is_dash ? '-' : c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : (char)c;
    }
    /* A name that is cut within a character would be no text. */
    while (len == limit && len > 0 && ((unsigned char)out[len - 1] & 0x80) != 0)
        len--;
    out[len] = '\0';
    return out;
}

/* An alias leads to its name; what is no alias keeps its own, folded. */
static const char *resolve(char out[FL_LIBRARY_NAME_BYTES], const struct fl_library_names *names,
                           fl_slice name, bool is_setting)
{
    fl_library_fold(out, name, is_setting ? FL_LIBRARY_AS_VARIABLE : FL_LIBRARY_AS_COMPONENT);
    for (size_t i = 0; names != NULL && i < names->count; i++) {
        if (strcmp(names->items[i].alias, out) != 0)
            continue;
        size_t len = strlen(names->items[i].name);
        assert(len < FL_LIBRARY_NAME_BYTES);
        memcpy(out, names->items[i].name, len + 1);
        return out;
    }
    return fl_library_fold(out, name, is_setting ? FL_LIBRARY_AS_SETTING : FL_LIBRARY_AS_COMPONENT);
}

const char *fl_library_component(char out[FL_LIBRARY_NAME_BYTES], const fl_library *library,
                                 fl_slice name)
{
    return resolve(out, library != NULL ? &library->lists.components : NULL, name, false);
}

const char *fl_library_setting(char out[FL_LIBRARY_NAME_BYTES], const fl_library *library,
                               fl_slice name)
{
    return resolve(out, library != NULL ? &library->lists.settings : NULL, name, true);
}
