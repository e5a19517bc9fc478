/*
 * config_compare.c - what a reload would change, setting by setting.
 *
 * Two values are the same when what was read of them is; where they stand does not matter. Lists
 * of mappings are compared as a whole, member by member with the rows of their table.
 */
#include <assert.h>
#include <string.h>

#include "config_priv.h"

/* Groups that are being compared; as deep as the table. */
struct pair {
    const fl_config_group *group;
    const unsigned char *before, *after;
};

/* The shape of every list (config.h). */
struct list {
    const unsigned char *items;
    size_t count;
};

/* Either may be missing. */
static bool is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The order counts: it is the one in which addresses are tried and listeners started. */
static bool is_same_list(const fl_config_field *field, const void *before, const void *after)
{
    fl_config_texts a, b;
    fl_config_addresses from, to;
    if (field->kind == FL_CONFIG_TEXTS) {
        memcpy(&a, before, sizeof(a));
        memcpy(&b, after, sizeof(b));
        bool same = a.count == b.count;
        for (size_t i = 0; same && i < a.count; i++)
            same = is_same_text(a.items[i], b.items[i]);
        return same;
    }
    assert(field->kind == FL_CONFIG_ADDRESSES);
    memcpy(&from, before, sizeof(from));
    memcpy(&to, after, sizeof(to));
    bool same = from.count == to.count;
    for (size_t i = 0; same && i < from.count; i++)
        same = from.items[i].port == to.items[i].port &&
               is_same_text(from.items[i].host, to.items[i].host);
    return same;
}

/* Bytes of a value that is no text; 0 for texts and lists. */
static size_t plain_size(fl_config_kind kind)
{
    switch (kind) {
    case FL_CONFIG_BOOL:
        return sizeof(bool);
    case FL_CONFIG_COUNT:
    case FL_CONFIG_SIZE:
        return sizeof(uint64_t);
    case FL_CONFIG_DURATION:
        return sizeof(int64_t);
    case FL_CONFIG_RATIO:
        return sizeof(double);
    case FL_CONFIG_CHOICE:
        return sizeof(int);
    default:
        return 0;
    }
}

/* Of one setting that is no mapping. */
static bool is_same_value(const fl_config_field *field, const unsigned char *before,
                          const unsigned char *after)
{
    const char *a, *b;
    size_t size = plain_size(field->kind);
    if (size > 0)
        return memcmp(before, after, size) == 0;
    if (field->kind == FL_CONFIG_TEXTS || field->kind == FL_CONFIG_ADDRESSES)
        return is_same_list(field, before, after);
    memcpy(&a, before, sizeof(a));
    memcpy(&b, after, sizeof(b));
    return is_same_text(a, b);
}

/* Of all rows of two mappings; goes down with the table, which ends. */
static bool is_same_group(const struct pair *pair)
{
    for (size_t i = 0; i < pair->group->count; i++) {
        const fl_config_field *field = &pair->group->fields[i];
        const unsigned char *before = pair->before + field->offset;
        const unsigned char *after = pair->after + field->offset;
        struct list a, b;
        if (field->kind != FL_CONFIG_ITEMS) {
            assert(field->kind != FL_CONFIG_SECTION); /* not in a list of mappings */
            if (!is_same_value(field, before, after))
                return false;
            continue;
        }
        memcpy(&a, before, sizeof(a));
        memcpy(&b, after, sizeof(b));
        if (a.count != b.count)
            return false;
        for (size_t k = 0; k < a.count; k++) {
            size_t at = k * field->group->size;
            if (!is_same_group(&(struct pair){field->group, a.items + at, b.items + at}))
                return false;
        }
    }
    return true;
}

struct comparison {
    const fl_config *before, *after;
    fl_config_change *change;
    void *payload;
    size_t count;
};

/* fl_config_visit */
static bool compare(void *payload, const fl_config_field *const *path, size_t depth)
{
    struct comparison *in = payload;
    const fl_config_field *field = path[depth - 1];
    char key[FL_CONFIG_KEY_BYTES];
    size_t offset = 0;
    if (field->kind == FL_CONFIG_SECTION || !fl_config_variable(key, path, depth - 1))
        return true;
    for (size_t i = 0; i < depth; i++)
        offset += path[i]->offset;
    const unsigned char *before = (const unsigned char *)in->before + offset;
    const unsigned char *after = (const unsigned char *)in->after + offset;
    /* a list of mappings is a group of one row */
    const fl_config_group alone = {.fields = field, .count = 1};
    const struct pair pair = {&alone, before - field->offset, after - field->offset};
    if (is_same_group(&pair))
        return true;
    fl_config_key(key, path, depth);
    if (in->change != NULL)
        in->change(in->payload, key, field->reloads);
    in->count++;
    return true;
}

size_t fl_config_compare(const fl_config *before, const fl_config *after, fl_config_change *change,
                         void *payload)
{
    assert(before != NULL && after != NULL);
    struct comparison in = {before, after, change, payload, 0};
    (void)fl_config_walk(compare, &in);
    return in.count;
}
