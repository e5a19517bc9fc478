/*
 * config.c - defaults, then the file, then the environment, then flags, each by the rows of the
 * table.
 *
 * A mistake does not end the reading: a person wants to hear of all of them at once. What was read
 * is handed out only where there was none. Reading goes down with the table and not with the
 * file: what the table does not know is complained about and not looked into.
 *
 * Invariant: every member that a row describes has an entry in `told` (of a default, where nobody
 * else said anything), and the newest entry of a member is the one that counts.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "config_priv.h"
#include "edits.h"
#include "faultline/limits.h"
#include "mem.h"
#include "quote.h"
#include "slice.h"
#include "stream.h"
#include "yaml_tree.h"

/* More mistakes than a person reads in one go. */
enum { MAX_MISTAKES = 100, MAX_ITEMS = 1000, MAX_KEYS = 64 };

/* One configuration being loaded. */
struct load {
    const fl_config_input *input;
    fl_config_whole *whole;
    const char *folder; /* of the file; NULL: none */
    size_t mistakes;
    fl_error *err;
};

/* What is being read: where in the table, where to, and who says it. */
struct scope {
    const fl_config_group *group;
    unsigned char *base;
    const char *key; /* in front of the members' own: "sources.loki[2]"; "" for the root */
    fl_config_place place;
};

/* The same sentence wherever it ran out. */
static fl_status no_memory(struct load *in)
{
    return fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the configuration");
}

/* ---- saying what is wrong ---- */

/* "FILE:LINE:COLUMN", or the name of the variable or flag. */
static void show_place(char *out, size_t size, const fl_config_place *place)
{
    if (place->origin == FL_CONFIG_FILE)
        snprintf(out, size, "%.100s:%zu:%zu", place->source, place->line, place->column);
    else
        snprintf(out, size, "%.100s", place->source);
}

/* The first mistake is the one that `err` has. Those beyond MAX_MISTAKES are counted only. */
static void say(struct load *in, bool is_mistake, uint64_t offset, const char *sentence)
{
    if (is_mistake && in->mistakes++ >= MAX_MISTAKES)
        return;
    if (is_mistake)
        (void)fl_fail(in->err, FL_E_SYNTAX, offset, "%.190s", sentence);
    if (in->input->say != NULL)
        in->input->say(in->input->payload, is_mistake, sentence);
}

/* "PLACE: KEY: what is wrong" */
static void complain(struct load *in, const fl_config_place *place, const char *format, ...)
    FL_PRINTF(3, 4);
static void complain(struct load *in, const fl_config_place *place, const char *format, ...)
{
    assert(place != NULL && place->key != NULL);
    char sentence[FL_CONFIG_SENTENCE], what[FL_CONFIG_SENTENCE - 224], where[128];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    show_place(where, sizeof(where), place);
    if (place->origin == FL_CONFIG_FILE && place->key[0] != '\0')
        snprintf(sentence, sizeof(sentence), "%s: %s: %s", where, place->key, what);
    else
        snprintf(sentence, sizeof(sentence), "%s: %s", where, what);
    say(in, true, FL_NO_OFFSET, sentence);
}

/* ---- one member ---- */

/* `key` of the arena's, behind the scope's. */
static const char *join(struct load *in, const char *before, const char *key)
{
    return fl_arena_printf(&in->whole->arena, "%s%s%s", before, before[0] != '\0' ? "." : "", key);
}

/* The newest entry of a member is its place from now on. */
static fl_status remember(struct load *in, const void *member, const fl_config_field *field,
                          const fl_config_place *place)
{
    fl_config_told *told = fl_arena_alloc(&in->whole->arena, 1, sizeof(*told));
    if (told == NULL || place->key == NULL)
        return no_memory(in);
    *told = (fl_config_told){member, field, *place, in->whole->told};
    in->whole->told = told;
    return FL_OK;
}

/* `text` of a scalar or of one item of a list, said at `place`; what is wrong with it is said. */
static fl_status take_text(void *to, struct load *in, const fl_config_field *field, fl_slice text,
                           const fl_config_place *place)
{
    char why[FL_CONFIG_WHY];
    bool is_file = place->origin == FL_CONFIG_FILE;
    const fl_config_text from = {
        .text = text, .folder = is_file ? in->folder : NULL, .credentials = in->input->credentials};
    fl_status status = fl_config_value(to, &in->whole->arena, field, &from, why);
    if (status == FL_E_SYNTAX) {
        assert(place->origin != FL_CONFIG_DEFAULT); /* the table's own are right */
        complain(in, place, "%s", why);
        return FL_OK;
    }
    return status == FL_OK ? FL_OK : no_memory(in);
}

/* Of values, not of mappings. */
static bool is_list(const fl_config_field *field)
{
    return field->kind == FL_CONFIG_TEXTS || field->kind == FL_CONFIG_ADDRESSES;
}

/* A list that is being gathered; all lists have the same shape (config.h). */
struct list {
    const void *items;
    size_t count;
};
_Static_assert(sizeof(struct list) == sizeof(fl_config_texts), "lists have one shape");
_Static_assert(sizeof(struct list) == sizeof(fl_config_addresses), "lists have one shape");

/* Room for `count` values of a list that begins anew. */
static fl_status make_items(struct list *out, struct load *in, size_t count, size_t size)
{
    out->items = fl_arena_alloc(&in->whole->arena, count + 1, size);
    out->count = count;
    return out->items != NULL ? FL_OK : no_memory(in);
}

/* The memory is the arena's, which the list only shows as constant. */
static void *item_at(const struct list *list, size_t at, size_t size)
{
    assert(at < list->count);
    return (unsigned char *)(uintptr_t)list->items + at * size;
}

/* "a, b": what stands between commas. "off" is an empty list of addresses. */
static fl_status take_listed(void *to, struct load *in, const fl_config_field *field, fl_slice text,
                             const fl_config_place *place)
{
    struct list list;
    size_t size = fl_config_item_size(field), count = 1, at = 0, begin = 0;
    fl_status status;
    if (field->kind == FL_CONFIG_ADDRESSES &&
        fl_slice_equal(fl_slice_trim(text), FL_SLICE("off"))) {
        memset(to, 0, sizeof(list));
        return FL_OK;
    }
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == ',';
    status = make_items(&list, in, count, size);
    for (size_t i = 0; status == FL_OK && i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != ',')
            continue;
        status =
            take_text(item_at(&list, at++, size), in, field, fl_slice_part(text, begin, i), place);
        begin = i + 1;
    }
    if (status == FL_OK)
        memcpy(to, &list, sizeof(list));
    return status;
}

/* A setting said as one text: by default, by a variable, by a flag, or in the file. */
static fl_status take_one(void *to, struct load *in, const fl_config_field *field, fl_slice text,
                          const fl_config_place *place)
{
    fl_status status = remember(in, to, field, place);
    if (status != FL_OK)
        return status;
    return is_list(field) ? take_listed(to, in, field, text, place)
                          : take_text(to, in, field, text, place);
}

/* ---- defaults ---- */

/* Each row's own value, so that every member has one and a place. */
static fl_status set_defaults(struct load *in, const struct scope *scope)
{
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < scope->group->count; i++) {
        const fl_config_field *field = &scope->group->fields[i];
        unsigned char *to = scope->base + field->offset;
        struct scope inner = {.group = field->group,
                              .base = to,
                              .key = join(in, scope->key, field->key),
                              .place = {.origin = FL_CONFIG_DEFAULT, .source = "default"}};
        inner.place.key = inner.key;
        if (inner.key == NULL)
            return no_memory(in);
        if (field->kind == FL_CONFIG_SECTION)
            status = set_defaults(in, &inner);
        else if (field->fallback != NULL)
            status = take_one(to, in, field, fl_slice_of(field->fallback), &inner.place);
        else
            status = remember(in, to, field, &inner.place);
    }
    return status;
}

/* ---- the file ---- */

static fl_status read_map(struct load *in, const struct scope *scope, const fl_yaml *map);

/* A member's place is that of its key. */
static fl_config_place place_of(const struct load *in, const fl_yaml *node, const char *key)
{
    return (fl_config_place){.origin = FL_CONFIG_FILE,
                             .key = key,
                             .source = in->input->path,
                             .line = node->line,
                             .column = node->column};
}

/* Nothing behind the colon: a section whose settings are all comments. */
static bool is_nothing(const fl_yaml *node)
{
    return node->kind == FL_YAML_TEXT && fl_slice_trim(node->text).len == 0;
}

/* The row of a member; NULL where the table has none. */
static const fl_config_field *find(const fl_config_group *group, fl_slice key)
{
    for (size_t i = 0; i < group->count; i++)
        if (fl_slice_equal(key, fl_slice_of(group->fields[i].key)))
            return &group->fields[i];
    return NULL;
}

/* The setting for the file of a secret where `key` would be the secret itself; NULL: it is not. */
static const char *secret_meant(const fl_config_group *group, fl_slice key)
{
    static const char *const words[] = {"secret", "token", "password", "bearer", "api_key"};
    const char *first = NULL;
    bool is_secret = false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        is_secret = is_secret || fl_slice_ends_with(key, fl_slice_of(words[i])) ||
                    fl_slice_starts_with(key, fl_slice_of(words[i]));
    for (size_t i = 0; is_secret && i < group->count; i++) {
        const fl_config_field *field = &group->fields[i];
        if (field->kind != FL_CONFIG_SECRET)
            continue;
        if (fl_slice_starts_with(fl_slice_of(field->key), key))
            return field->key;
        first = first != NULL ? first : field->key;
    }
    return first;
}

/* A misspelt setting would silently do nothing. */
static void complain_unknown(struct load *in, const struct scope *scope, const fl_yaml *node)
{
    const char *names[MAX_KEYS];
    char shown[FL_QUOTE_TEXT];
    const fl_config_place place = place_of(in, node, scope->key);
    const char *kind = scope->key[0] == '\0' ? "section" : "setting";
    const char *secret = secret_meant(scope->group, node->key);
    assert(scope->group->count <= MAX_KEYS);
    for (size_t i = 0; i < scope->group->count; i++)
        names[i] = scope->group->fields[i].key;
    const char *near = fl_nearest((const char *)node->key.ptr, names, scope->group->count);
    fl_quote(shown, node->key);
    if (near != NULL)
        complain(in, &place, "there is no %s '%s'; did you mean '%s'?", kind, shown, near);
    else if (secret != NULL)
        complain(in, &place,
                 "there is no %s '%s': a secret does not stand in this file; name the file that"
                 " holds it with '%s'",
                 kind, shown, secret);
    else
        complain(in, &place, "there is no %s '%s'; 'faultline config example' shows all", kind,
                 shown);
}

/* A list of texts or addresses, each item with its own place. */
static fl_status read_list(struct load *in, const fl_config_field *field, void *to,
                           const fl_yaml *node, const fl_config_place *place)
{
    struct list list;
    size_t at = 0, size = fl_config_item_size(field);
    fl_status status = remember(in, to, field, place);
    if (status == FL_OK)
        status = make_items(&list, in, node->count, size);
    for (const fl_yaml *item = node->first; status == FL_OK && item != NULL; item = item->next) {
        const fl_config_place here = place_of(in, item, place->key);
        void *slot = item_at(&list, at++, size);
        if (item->kind == FL_YAML_TEXT)
            status = take_text(slot, in, field, item->text, &here);
        else
            complain(in, &here, "an item is a text");
    }
    if (status == FL_OK)
        memcpy(to, &list, sizeof(list));
    return status;
}

/* What a mapping of a list must have. */
static void check_required(struct load *in, const struct scope *scope, const fl_yaml *map)
{
    for (size_t i = 0; i < scope->group->count; i++) {
        const fl_config_field *field = &scope->group->fields[i];
        if (field->required && fl_yaml_member(map, fl_slice_of(field->key)) == NULL)
            complain(in, &scope->place, "%s is missing", field->key);
    }
}

/* A list of mappings, each of which begins with the defaults. */
static fl_status read_items(struct load *in, const fl_config_field *field, void *to,
                            const fl_yaml *node, const fl_config_place *place)
{
    struct list list;
    size_t at = 0, size = field->group->size;
    fl_status status = remember(in, to, field, place);
    if (status == FL_OK && node->count > MAX_ITEMS) {
        complain(in, place, "%zu entries; %d are taken", node->count, MAX_ITEMS);
        return FL_OK;
    }
    if (status == FL_OK)
        status = make_items(&list, in, node->count, size);
    for (const fl_yaml *item = node->first; status == FL_OK && item != NULL; item = item->next) {
        struct scope inner = {.group = field->group, .base = item_at(&list, at, size)};
        inner.key = fl_arena_printf(&in->whole->arena, "%s[%zu]", place->key, at++);
        inner.place = place_of(in, item, inner.key);
        if (inner.key == NULL)
            return no_memory(in);
        status = set_defaults(in, &inner);
        if (status == FL_OK && item->kind != FL_YAML_MAP)
            complain(in, &inner.place, "an entry is a mapping");
        else if (status == FL_OK) {
            check_required(in, &inner, item);
            status = read_map(in, &inner, item);
        }
    }
    if (status == FL_OK)
        memcpy(to, &list, sizeof(list));
    return status;
}

/* The value of one member, by the kind of its row. */
static fl_status read_member(struct load *in, const struct scope *scope,
                             const fl_config_field *field, const fl_yaml *node)
{
    unsigned char *to = scope->base + field->offset;
    const char *key = join(in, scope->key, field->key);
    const fl_config_place place = place_of(in, node, key);
    if (key == NULL)
        return no_memory(in);
    if (field->kind == FL_CONFIG_SECTION || field->kind == FL_CONFIG_ITEMS) {
        bool is_items = field->kind == FL_CONFIG_ITEMS;
        if (is_nothing(node))
            return FL_OK;
        if (node->kind != (is_items ? FL_YAML_LIST : FL_YAML_MAP)) {
            complain(in, &place, is_items ? "this is a list of mappings" : "this is a mapping");
            return FL_OK;
        }
        if (is_items)
            return read_items(in, field, to, node, &place);
        const struct scope inner = {field->group, to, key, place};
        return read_map(in, &inner, node);
    }
    if (node->kind == FL_YAML_LIST && is_list(field))
        return read_list(in, field, to, node, &place);
    if (node->kind == FL_YAML_TEXT)
        return take_one(to, in, field, node->text, &place);
    complain(in, &place, is_list(field) ? "this is a list of texts" : "this is one value");
    return FL_OK;
}

/* Members in the order of the file, so that mistakes are told in it. */
static fl_status read_map(struct load *in, const struct scope *scope, const fl_yaml *map)
{
    fl_status status = FL_OK;
    assert(map->kind == FL_YAML_MAP);
    for (const fl_yaml *node = map->first; status == FL_OK && node != NULL; node = node->next) {
        const fl_config_field *field = find(scope->group, node->key);
        if (field != NULL)
            status = read_member(in, scope, field, node);
        else
            complain_unknown(in, scope, node);
    }
    return status;
}

/* Comments and nothing else: everything is as by default. */
static bool is_blank(fl_slice text)
{
    while (text.len > 0) {
        size_t end = fl_slice_find(text, FL_SLICE("\n"));
        fl_slice line = fl_slice_trim(fl_slice_part(text, 0, end));
        if (line.len > 0 && line.ptr[0] != '#' && !fl_slice_equal(line, FL_SLICE("---")))
            return false;
        text = fl_slice_part(text, end < text.len ? end + 1 : end, text.len);
    }
    return true;
}

/* The whole file, and the folder that its names are relative to. */
static fl_status read_text(struct load *in, fl_slice text)
{
    const fl_yaml *root;
    fl_error err = {0};
    const struct scope scope = {
        .group = &fl_config_root, .base = (unsigned char *)&in->whole->all, .key = ""};
    const char *slash = strrchr(in->input->path, '/');
    size_t folder_len = slash != NULL ? (size_t)(slash - in->input->path) : 0;
    fl_slice folder = slash == NULL ? FL_SLICE(".")
                      : folder_len == 0
                          ? FL_SLICE("/")
                          : (fl_slice){(const unsigned char *)in->input->path, folder_len};
    in->folder = fl_arena_cstr(&in->whole->arena, folder);
    if (in->folder == NULL)
        return no_memory(in);
    if (is_blank(text))
        return FL_OK;
    fl_status status = fl_yaml_read(&root, &in->whole->arena, text, in->input->path, &err);
    if (status == FL_E_SYNTAX) { /* no tree: nothing else can be said of this file */
        say(in, true, err.offset, err.message);
        return FL_OK;
    }
    if (status != FL_OK)
        return no_memory(in);
    if (root->kind == FL_YAML_MAP)
        return read_map(in, &scope, root);
    const fl_config_place place = place_of(in, root, "");
    complain(in, &place, "a configuration is a mapping of sections");
    return FL_OK;
}

/* Its bytes, unless the caller has them already. */
static fl_status read_file(struct load *in)
{
    fl_stream *stream = NULL;
    fl_stream_block block = {0};
    fl_slice text;
    if (in->input->text.ptr != NULL)
        return read_text(in, in->input->text);
    fl_status status = fl_stream_open(&stream, in->input->path, in->err);
    if (status == FL_OK)
        status = fl_stream_read_all(&text, &block, stream, FL_MAX_CONFIG_BYTES, in->err);
    if (status == FL_OK && text.len > FL_MAX_CONFIG_BYTES)
        status = fl_fail(in->err, FL_E_LIMIT, FL_MAX_CONFIG_BYTES, "%.120s is larger than %u bytes",
                         in->input->path, FL_MAX_CONFIG_BYTES);
    if (status == FL_OK)
        status = read_text(in, text);
    fl_stream_close(stream);
    fl_mem_free(block.ptr);
    return status;
}

/* ---- the environment and flags ---- */

/* A setting that is told from outside of the file, looked for in the table. */
struct search {
    struct load *in;
    fl_slice name; /* of a variable, or a key */
    bool is_variable;
    unsigned char *to; /* NULL: there is none */
    const fl_config_field *field;
    char key[FL_CONFIG_KEY_BYTES];
    const char *names[256]; /* of all that there are, for the nearest */
    size_t count;
};

/* fl_config_visit: stops at the one. */
static bool seek(void *payload, const fl_config_field *const *path, size_t depth)
{
    struct search *search = payload;
    assert(search->to == NULL);
    const fl_config_field *field = path[depth - 1];
    char name[FL_CONFIG_KEY_BYTES];
    bool has_variable = fl_config_variable(name, path, depth);
    if (field->kind == FL_CONFIG_SECTION || field->kind == FL_CONFIG_ITEMS || !has_variable)
        return true;
    if (!search->is_variable)
        fl_config_key(name, path, depth);
    if (!fl_slice_equal(search->name, fl_slice_of(name))) {
        const char *copy = fl_arena_cstr(&search->in->whole->arena, fl_slice_of(name));
        assert(search->count < sizeof(search->names) / sizeof(search->names[0]));
        if (copy != NULL)
            search->names[search->count++] = copy;
        return true;
    }
    search->to = (unsigned char *)&search->in->whole->all;
    for (size_t i = 0; i < depth; i++)
        search->to += path[i]->offset;
    search->field = field;
    fl_config_key(search->key, path, depth);
    return false;
}

/* An unknown variable is told and passed over: others set them too, as Kubernetes does for a
 * service of this name (FAULTLINE_PORT, FAULTLINE_SERVICE_HOST). */
static void notice_unknown(struct load *in, const struct search *search)
{
    char sentence[FL_CONFIG_SENTENCE], name[FL_MAX_EDITS_WORD + 1];
    snprintf(name, sizeof(name), "%.*s", FL_SLICE_ARG(search->name));
    const char *near = fl_nearest(name, search->names, search->count);
    snprintf(sentence, sizeof(sentence), "%s: no setting has this variable%s%s%s", name,
             near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
             near != NULL ? "'?" : "");
    say(in, false, FL_NO_OFFSET, sentence);
}

/* One of the environment; those of other programs are passed over. */
static fl_status read_variable(struct load *in, const char *variable)
{
    struct search search = {.in = in, .is_variable = true};
    const char *equals = strchr(variable, '=');
    if (equals == NULL || strncmp(variable, "FAULTLINE_", strlen("FAULTLINE_")) != 0)
        return FL_OK;
    search.name = (fl_slice){(const unsigned char *)variable, (size_t)(equals - variable)};
    (void)fl_config_walk(seek, &search);
    if (search.to == NULL) {
        notice_unknown(in, &search);
        return FL_OK;
    }
    const fl_config_place place = {.origin = FL_CONFIG_ENVIRONMENT,
                                   .key = fl_arena_cstr(&in->whole->arena, fl_slice_of(search.key)),
                                   .source = fl_arena_cstr(&in->whole->arena, search.name)};
    if (place.key == NULL || place.source == NULL)
        return no_memory(in);
    return take_one(search.to, in, search.field, fl_slice_of(equals + 1), &place);
}

/* Flags are the program's own: each names a setting that there is. */
static fl_status read_flag(struct load *in, const fl_config_flag *flag)
{
    struct search search = {.in = in, .name = fl_slice_of(flag->key)};
    const fl_config_place place = {.origin = FL_CONFIG_FLAG,
                                   .key = fl_arena_cstr(&in->whole->arena, search.name),
                                   .source =
                                       fl_arena_cstr(&in->whole->arena, fl_slice_of(flag->flag))};
    struct list list;
    (void)fl_config_walk(seek, &search);
    assert(search.to != NULL && flag->count > 0);
    if (place.key == NULL || place.source == NULL)
        return no_memory(in);
    if (!is_list(search.field) || flag->count == 1)
        return take_one(search.to, in, search.field, fl_slice_of(flag->values[flag->count - 1]),
                        &place);
    size_t size = fl_config_item_size(search.field);
    fl_status status = remember(in, search.to, search.field, &place);
    if (status == FL_OK)
        status = make_items(&list, in, flag->count, size);
    for (size_t i = 0; status == FL_OK && i < flag->count; i++)
        status = take_text(item_at(&list, i, size), in, search.field, fl_slice_of(flag->values[i]),
                           &place);
    if (status == FL_OK)
        memcpy(search.to, &list, sizeof(list));
    return status;
}

/* ---- the whole ---- */

/* fl_config_checks: a mistake between settings. */
static void complain_checked(void *payload, const void *member, bool is_mistake,
                             const char *sentence)
{
    struct load *in = payload;
    char whole[FL_CONFIG_SENTENCE], where[128];
    const fl_config_place *place = fl_config_where(&in->whole->all, member);
    show_place(where, sizeof(where), place);
    if (place->origin == FL_CONFIG_DEFAULT)
        snprintf(whole, sizeof(whole), "%s: %s", place->key, sentence);
    else if (place->origin == FL_CONFIG_FILE)
        snprintf(whole, sizeof(whole), "%s: %s: %s", where, place->key, sentence);
    else
        snprintf(whole, sizeof(whole), "%s: %s", where, sentence);
    say(in, is_mistake, FL_NO_OFFSET, whole);
}

/* Sources that were not named are called by their kind. */
static fl_status name_sources(struct load *in)
{
    fl_config *all = &in->whole->all;
    fl_config_sources *const lists[] = {&all->sources.prometheus, &all->sources.loki,
                                        &all->sources.tempo, &all->sources.jaeger};
    static const char *const kinds[] = {"prometheus", "loki", "tempo", "jaeger"};
    fl_arena *arena = &in->whole->arena;
    for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
        for (size_t i = 0; i < lists[k]->count; i++) {
            const char **name = (const char **)(uintptr_t)&lists[k]->items[i].name;
            if (*name == NULL)
                *name = i == 0 ? kinds[k] : fl_arena_printf(arena, "%s-%zu", kinds[k], i + 1);
            if (*name == NULL)
                return no_memory(in);
        }
    for (size_t i = 0; i < all->sources.pprof.count; i++) {
        const char **name = (const char **)(uintptr_t)&all->sources.pprof.items[i].name;
        if (*name == NULL)
            *name = i == 0 ? "pprof" : fl_arena_printf(arena, "pprof-%zu", i + 1);
        if (*name == NULL)
            return no_memory(in);
    }
    return FL_OK;
}

/* Settings are compared with each other only when each of them is right. */
static fl_status load(struct load *in)
{
    const fl_config_input *input = in->input;
    const struct scope root = {
        .group = &fl_config_root, .base = (unsigned char *)&in->whole->all, .key = ""};
    fl_status status = set_defaults(in, &root);
    if (status == FL_OK && input->path != NULL)
        status = read_file(in);
    for (size_t i = 0; status == FL_OK && input->environment != NULL; i++) {
        if (input->environment[i] == NULL)
            break;
        status = read_variable(in, input->environment[i]);
    }
    for (size_t i = 0; status == FL_OK && i < input->flag_count; i++)
        status = read_flag(in, &input->flags[i]);
    if (status == FL_OK)
        status = name_sources(in);
    const fl_config_checks checks = {&in->whole->all, input->without_files, complain_checked, in};
    if (status == FL_OK && in->mistakes == 0)
        fl_config_check(&checks);
    return status != FL_OK ? status : in->mistakes > 0 ? FL_E_SYNTAX : FL_OK;
}

fl_status fl_config_load(fl_config **out, const fl_config_input *input, fl_error *err)
{
    assert(out != NULL && input != NULL && (input->path != NULL || input->text.ptr == NULL));
    fl_error unheard = {0};
    *out = NULL;
    struct load in = {.input = input, .err = err != NULL ? err : &unheard};
    in.whole = fl_mem_calloc(1, sizeof(*in.whole));
    if (in.whole == NULL)
        return no_memory(&in);
    in.whole->arena = fl_arena_of(FL_MAX_CONFIG_ARENA_BYTES);
    fl_status status = load(&in);
    if (status == FL_OK)
        *out = &in.whole->all;
    else
        fl_config_destroy(&in.whole->all);
    return status;
}

void fl_config_destroy(fl_config *config)
{
    fl_config_whole *whole = (fl_config_whole *)config; /* its first member */
    if (whole == NULL)
        return;
    fl_arena_dispose(&whole->arena);
    fl_mem_free(whole);
}

const fl_config_place *fl_config_where(const fl_config *config, const void *member)
{
    const fl_config_whole *whole = (const fl_config_whole *)config;
    assert(config != NULL && member != NULL);
    const fl_config_told *told = whole->told;
    while (told != NULL && told->member != member)
        told = told->next;
    assert(told != NULL); /* a row describes each member */
    return &told->place;
}

fl_status fl_config_fail(const fl_config *config, const void *member, fl_status status,
                         fl_error *err, const char *format, ...)
{
    char what[160], where[128];
    const fl_config_place *place = fl_config_where(config, member);
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    show_place(where, sizeof(where), place);
    if (place->origin == FL_CONFIG_FILE)
        return fl_fail(err, status, FL_NO_OFFSET, "%s: %s: %s", where, place->key, what);
    return fl_fail(err, status, FL_NO_OFFSET, "%s: %s",
                   place->origin == FL_CONFIG_DEFAULT ? place->key : where, what);
}
