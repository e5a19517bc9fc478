/*
 * config_walk.c - the table as a flat list: each row with those that are around it, and the names
 * that a setting has outside of the file.
 */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "config_priv.h"

/* A group that is being walked. */
struct level {
    const fl_config_group *group;
    size_t at;
};

bool fl_config_walk(fl_config_visit *visit, void *payload)
{
    struct level levels[FL_CONFIG_MAX_DEPTH] = {{&fl_config_root, 0}};
    const fl_config_field *path[FL_CONFIG_MAX_DEPTH];
    size_t depth = 1;
    while (depth > 0) {
        struct level *level = &levels[depth - 1];
        if (level->at == level->group->count) {
            depth--;
            continue;
        }
        const fl_config_field *field = &level->group->fields[level->at++];
        path[depth - 1] = field;
        if (!visit(payload, path, depth))
            return false;
        if (field->group != NULL) {
            assert(depth < FL_CONFIG_MAX_DEPTH);
            levels[depth++] = (struct level){field->group, 0};
        }
    }
    return true;
}

void fl_config_key(char out[FL_CONFIG_KEY_BYTES], const fl_config_field *const *path, size_t depth)
{
    size_t used = 0;
    for (size_t i = 0; i < depth; i++) {
        bool is_items = i + 1 < depth && path[i]->kind == FL_CONFIG_ITEMS;
        used += (size_t)snprintf(out + used, FL_CONFIG_KEY_BYTES - used, "%s%s%s", i > 0 ? "." : "",
                                 path[i]->key, is_items ? "[]" : "");
        assert(used < FL_CONFIG_KEY_BYTES); /* names are the table's */
    }
}

bool fl_config_variable(char out[FL_CONFIG_KEY_BYTES], const fl_config_field *const *path,
                        size_t depth)
{
    size_t used = (size_t)snprintf(out, FL_CONFIG_KEY_BYTES, "FAULTLINE");
    for (size_t i = 0; i < depth; i++) {
        if (path[i]->kind == FL_CONFIG_ITEMS)
            return false;
        used += (size_t)snprintf(out + used, FL_CONFIG_KEY_BYTES - used, "_%s", path[i]->key);
        assert(used < FL_CONFIG_KEY_BYTES);
    }
    for (char *c = out; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    return true;
}
