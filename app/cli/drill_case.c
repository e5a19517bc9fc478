/*
 * drill_case.c - the walk over folders is an explicit stack; truth.json is read by jansson.
 *
 *   truth.json := { "incident_time": TIME, "baseline"?: FOLDER, "symptom"?: { "node"?: NAME },
 *                   "root_cause": null | { "service": NAME, "resource"?: WORD,
 *                                          "code_region"?: [ TEXT, TEXT ] },
 *                   "further_causes"?: [ { "service": NAME }, ... ] }
 *
 * The walk is bounded in depth, in folders and in cases. Entries that begin with a dot are passed
 * over. Cases come out sorted, so that a drill does not depend on the order of a file system.
 */
#define _XOPEN_SOURCE 700 /* realpath */

#include "drill_case.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "names.h"
#include "slice.h"
#include "timestamp.h"

enum { MAX_FOLDERS = 200000, MAX_TRUTH_BYTES = 1 << 20 };

/* --- finding --- */

/* Folders that are still to be looked into; `way` is relative to the root, "" for the root itself.
 */
typedef struct visit {
    const char *way;
    size_t depth;
    struct visit *next;
} visit;

typedef struct finder {
    fl_arena *arena;
    const char *root;
    visit *todo;
    size_t seen;
    struct found {
        const char *way;
        struct found *next;
    } * found;
    size_t found_count;
    fl_error *err;
} finder;

/* One sentence for both halves of this file. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while looking for cases");
}

/* With a slash between, unless one of them is empty. NULL when memory ran out. */
static const char *join(fl_arena *arena, const char *a, const char *b)
{
    return *a == '\0'   ? fl_arena_printf(arena, "%s", b)
           : *b == '\0' ? fl_arena_printf(arena, "%s", a)
                        : fl_arena_printf(arena, "%s/%s", a, b);
}

/* Follows links. NULL is no file, so that a failed join() needs no test. */
static bool is_kind(const char *path, mode_t kind)
{
    struct stat info;
    return path != NULL && stat(path, &info) == 0 && (info.st_mode & S_IFMT) == kind;
}

/* Depth is bounded, and the number of folders too, so that a folder that links to itself ends. */
static fl_status push(finder *in, const char *way, size_t depth)
{
    assert(depth <= FL_DRILL_MAX_DEPTH);
    visit *item = fl_arena_alloc(in->arena, 1, sizeof(*item));
    if (item == NULL || way == NULL)
        return no_memory(in->err);
    if (++in->seen > MAX_FOLDERS)
        return fl_fail(in->err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d folders below %.100s",
                       MAX_FOLDERS, in->root);
    *item = (visit){.way = way, .depth = depth, .next = in->todo};
    in->todo = item;
    return FL_OK;
}

/* The folder itself is the case; folders below it are still looked into. */
static fl_status take_case(finder *in, const char *way)
{
    struct found *item = fl_arena_alloc(in->arena, 1, sizeof(*item));
    if (item == NULL)
        return no_memory(in->err);
    if (in->found_count++ == FL_DRILL_MAX_CASES)
        return fl_fail(in->err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d cases below %.100s",
                       FL_DRILL_MAX_CASES, in->root);
    item->way = way;
    item->next = in->found;
    in->found = item;
    return FL_OK;
}

/* An entry is the truth of this folder, a folder to look into, or of no interest. */
static fl_status look_at(finder *in, const visit *at, const char *folder, const char *entry)
{
    const char *path = join(in->arena, folder, entry);
    if (path == NULL)
        return no_memory(in->err);
    if (strcmp(entry, "truth.json") == 0 && is_kind(path, S_IFREG))
        return take_case(in, at->way);
    if (entry[0] != '.' && at->depth < FL_DRILL_MAX_DEPTH && is_kind(path, S_IFDIR))
        return push(in, join(in->arena, at->way, entry), at->depth + 1);
    return FL_OK;
}

/* Every entry of one folder. */
static fl_status look_into(finder *in, const visit *at)
{
    const char *folder = join(in->arena, in->root, at->way);
    if (folder == NULL)
        return no_memory(in->err);
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return fl_fail(in->err, FL_E_IO, FL_NO_OFFSET, "cannot read the folder %.120s: %s", folder,
                       strerror(errno));
    fl_status status = FL_OK;
    const struct dirent *entry;
    while (status == FL_OK && (entry = readdir(dir)) != NULL)
        status = look_at(in, at, folder, entry->d_name);
    closedir(dir);
    return status;
}

/* The first folder on the way of a case that is not itself the case; "" where there is none. */
static fl_slice first_folder(const char *way)
{
    const char *slash = strchr(way, '/');
    return (fl_slice){.ptr = (const unsigned char *)way,
                      .len = slash != NULL ? (size_t)(slash - way) : 0};
}

/* Cases right below the root have no such folder and count for neither side. */
static bool has_several_systems(const struct found *list)
{
    fl_slice first = {0};
    for (; list != NULL; list = list->next) {
        fl_slice own = first_folder(list->way);
        if (own.len > 0 && first.len > 0 && !fl_slice_equal(own, first))
            return true;
        if (own.len > 0)
            first = own;
    }
    return false;
}

/* The last folder of the path, also for "." and "cases/". */
static const char *own_name(fl_arena *arena, const char *root)
{
    char whole[PATH_MAX];
    const char *path = realpath(root, whole) != NULL ? whole : root;
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL && slash[1] != '\0' ? slash + 1 : path;
    return fl_arena_cstr(arena, fl_slice_of(name));
}

/* For qsort; names are distinct within a system. */
static int by_system_and_name(const void *a, const void *b)
{
    const fl_drill_case *left = a, *right = b;
    int order = strcmp(left->system, right->system);
    return order != 0 ? order : strcmp(left->name, right->name);
}

/* The found list is in the order of the walk; this gives it its own. */
static fl_status collect(fl_drill_cases *out, finder *in)
{
    bool several = has_several_systems(in->found);
    const char *root_name = own_name(in->arena, in->root);
    fl_drill_case *items = fl_arena_alloc(in->arena, in->found_count, sizeof(*items));
    if (root_name == NULL || items == NULL)
        return no_memory(in->err);
    size_t count = 0;
    for (const struct found *at = in->found; at != NULL; at = at->next, count++) {
        fl_slice first = first_folder(at->way);
        items[count] = (fl_drill_case){
            .folder = join(in->arena, in->root, at->way),
            .name = *at->way != '\0' ? at->way : root_name,
            .system = several && first.len > 0 ? fl_arena_cstr(in->arena, first) : root_name,
        };
        if (items[count].folder == NULL || items[count].system == NULL)
            return no_memory(in->err);
    }
    assert(count == in->found_count);
    qsort(items, count, sizeof(*items), by_system_and_name);
    *out = (fl_drill_cases){.items = items, .count = count};
    return FL_OK;
}

fl_status fl_drill_find(fl_drill_cases *out, fl_arena *arena, const char *root, fl_error *err)
{
    assert(out != NULL && arena != NULL && root != NULL);
    finder in = {.arena = arena, .root = root, .err = err};
    fl_status status = push(&in, "", 0);
    while (status == FL_OK && in.todo != NULL) {
        const visit *at = in.todo;
        in.todo = at->next;
        status = look_into(&in, at);
    }
    if (status == FL_OK && in.found_count == 0)
        return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET,
                       "no folder with a truth.json at most %d levels below %.100s",
                       FL_DRILL_MAX_DEPTH, root);
    return status == FL_OK ? collect(out, &in) : status;
}

/* --- dumps beside the telemetry --- */

/* Names in a folder that do not begin with a dot, sorted; a folder that is not there has none. */
typedef struct names {
    const char *items[FL_DRILL_MAX_DUMPS];
    size_t count;
} names;

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static fl_status list_names(names *out, fl_arena *arena, const char *folder, fl_error *err)
{
    *out = (names){.count = 0};
    DIR *dir = is_kind(folder, S_IFDIR) ? opendir(folder) : NULL;
    fl_status status = folder != NULL ? FL_OK : no_memory(err);
    const struct dirent *entry;
    while (dir != NULL && status == FL_OK && (entry = readdir(dir)) != NULL) {
        const char *name = entry->d_name;
        if (name[0] == '.')
            continue;
        if (out->count == FL_DRILL_MAX_DUMPS)
            status = fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d entries in %.120s",
                             FL_DRILL_MAX_DUMPS, folder);
        else if ((out->items[out->count++] = fl_arena_printf(arena, "%s", name)) == NULL)
            status = no_memory(err);
    }
    if (dir != NULL)
        closedir(dir);
    if (out->count > 1)
        qsort(out->items, out->count, sizeof(out->items[0]), compare_names);
    return status;
}

/* A list that questions are made of. */
typedef struct dumps {
    const char **items;
    size_t *count;
    bool is_joined; /* all files of a service are one item, with commas between */
} dumps;

static fl_status add_dump(dumps *out, const char *text, fl_error *err)
{
    if (text == NULL)
        return no_memory(err);
    if (*out->count == FL_DRILL_MAX_DUMPS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d dumps: %.120s",
                       FL_DRILL_MAX_DUMPS, text);
    out->items[(*out->count)++] = text;
    return FL_OK;
}

/* The files of one service. A name that would be taken apart is refused, and not read as others. */
static fl_status add_service(dumps *out, fl_arena *arena, const char *folder, const char *service,
                             fl_error *err)
{
    names files;
    const char *place = join(arena, folder, service), *text = NULL;
    fl_status status = list_names(&files, arena, place, err);
    for (size_t i = 0; i < files.count && status == FL_OK; i++) {
        const char *path = join(arena, place, files.items[i]);
        if (!is_kind(path, S_IFREG))
            continue;
        if (strchr(service, '=') != NULL || (out->is_joined && strchr(path, ',') != NULL))
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                           "%.120s: a dump's path has no comma, and its service no '='", path);
        bool is_first = text == NULL || !out->is_joined;
        text = is_first ? fl_arena_printf(arena, "%s=%s", service, path)
                        : fl_arena_printf(arena, "%s,%s", text, path);
        if (!out->is_joined || text == NULL)
            status = add_dump(out, text, err);
    }
    return status == FL_OK && out->is_joined && text != NULL ? add_dump(out, text, err) : status;
}

static fl_status find_dumps(dumps *out, fl_arena *arena, const char *folder, fl_error *err)
{
    names services;
    fl_status status = list_names(&services, arena, folder, err);
    for (size_t i = 0; i < services.count && status == FL_OK; i++)
        status = add_service(out, arena, folder, services.items[i], err);
    return status;
}

/* --- truth.json --- */

/* `what` is wrong with the case's truth.json. */
static fl_status bad_truth(const fl_drill_case *which, const char *what, fl_error *err)
{
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%.110s/truth.json: %s", which->folder, what);
}

/* *out is an object, and the caller's to give back. */
static fl_status load_truth(json_t **out, fl_arena *arena, const fl_drill_case *which,
                            fl_error *err)
{
    json_error_t at = {0};
    const char *path = join(arena, which->folder, "truth.json");
    struct stat info;
    if (path == NULL)
        return no_memory(err);
    if (stat(path, &info) == 0 && info.st_size > MAX_TRUTH_BYTES)
        return bad_truth(which, "larger than 1 MiB", err);
    *out = json_load_file(path, JSON_REJECT_DUPLICATES, &at);
    if (*out == NULL)
        return bad_truth(which, at.text[0] != '\0' ? at.text : "out of memory", err);
    if (!json_is_object(*out)) {
        json_decref(*out);
        return bad_truth(which, "not an object", err);
    }
    return FL_OK;
}

/* NULL where it is missing or no string, or where `object` is none. */
static const char *member_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* The folder beside the case, or (for cases that are a level deeper) where truth.json says. */
static const char *baseline_of(fl_arena *arena, const fl_drill_case *which, const json_t *truth)
{
    const char *name = member_text(truth, "baseline");
    if (name == NULL)
        return NULL;
    const char *path = fl_arena_printf(arena, "%s/../%s", which->folder, name);
    return is_kind(path, S_IFDIR) ? path : NULL;
}

/* Nothing in here may look at "root_cause". */
static fl_status read_question(fl_drill_question *out, fl_arena *arena, const fl_drill_case *which,
                               const json_t *truth, fl_error *err)
{
    const char *time = member_text(truth, "incident_time");
    const char *node = member_text(json_object_get(truth, "symptom"), "node");
    if (time == NULL || fl_time_parse(&out->at_ns, fl_slice_of(time), 0, NULL) != FL_OK)
        return bad_truth(which, "'incident_time' is not a time", err);
    out->baseline = baseline_of(arena, which, truth);
    if (out->baseline == NULL && member_text(truth, "baseline") != NULL)
        return bad_truth(which, "'baseline' is not a folder beside the case", err);
    if (out->baseline != NULL) {
        const char *graph = join(arena, out->baseline, "service_graph.json");
        out->topology = is_kind(graph, S_IFREG) ? graph : NULL;
    }
    const char *lines = join(arena, which->folder, "events.jsonl");
    const char *list = join(arena, which->folder, "events.json");
    out->events = is_kind(lines, S_IFREG) ? lines : is_kind(list, S_IFREG) ? list : NULL;
    const char *profiles = join(arena, which->folder, "profiles");
    out->pprof = is_kind(profiles, S_IFDIR) ? profiles : NULL;
    dumps heaps = {.items = out->heaps, .count = &out->heap_count, .is_joined = true};
    dumps traces = {.items = out->traces, .count = &out->trace_count};
    fl_status status = find_dumps(&heaps, arena, join(arena, which->folder, "heaps"), err);
    if (status == FL_OK)
        status = find_dumps(&traces, arena, join(arena, which->folder, "traces"), err);
    out->service = node != NULL ? fl_arena_cstr(arena, fl_slice_of(node)) : NULL;
    if (status == FL_OK && node != NULL && out->service == NULL)
        return no_memory(err);
    return status;
}

fl_status fl_drill_read_question(fl_drill_question *out, fl_arena *arena,
                                 const fl_drill_case *which, fl_error *err)
{
    json_t *truth = NULL;
    assert(out != NULL && which != NULL);
    *out = (fl_drill_question){0};
    fl_status status = load_truth(&truth, arena, which, err);
    if (status != FL_OK)
        return status;
    status = read_question(out, arena, which, truth, err);
    json_decref(truth);
    return status;
}

/* The services of what was wrong beside the root cause. How fine they are known is not looked at:
 * a case of several causes is counted by its services. */
static fl_status read_further(fl_drill_answer *out, fl_arena *arena, const fl_drill_case *which,
                              const json_t *further, fl_error *err)
{
    size_t count = json_array_size(further);
    if (further != NULL && (!json_is_array(further) || count > FL_DRILL_MAX_ALSO))
        return bad_truth(which, "'further_causes' is not a list of at most 4", err);
    for (size_t i = 0; i < count; i++) {
        const char *service = member_text(json_array_get(further, i), "service");
        if (service == NULL)
            return bad_truth(which, "a further cause names no service", err);
        out->also[i] = fl_arena_cstr(arena, fl_slice_of(service));
        if (out->also[i] == NULL)
            return no_memory(err);
    }
    out->also_count = count;
    return FL_OK;
}

/* The other half of the file: nothing but the causes. */
static fl_status read_answer(fl_drill_answer *out, fl_arena *arena, const fl_drill_case *which,
                             const json_t *truth, fl_error *err)
{
    const json_t *cause = json_object_get(truth, "root_cause");
    const json_t *region = json_object_get(cause, "code_region");
    const char *service = member_text(cause, "service"), *resource = member_text(cause, "resource");
    if (json_is_null(cause))
        return FL_OK; /* nothing was wrong */
    if (service == NULL)
        return bad_truth(which, "'root_cause' names no service", err);
    if (resource != NULL && !fl_resource_parse(&out->resource, resource))
        return bad_truth(which, "'resource' is not a known word", err);
    if (region != NULL && !json_is_null(region) &&
        (json_array_size(region) != 2 || !json_is_string(json_array_get(region, 0)) ||
         !json_is_string(json_array_get(region, 1))))
        return bad_truth(which, "'code_region' is not a pair of texts", err);
    out->service = fl_arena_cstr(arena, fl_slice_of(service));
    for (size_t i = 0; i < json_array_size(region); i++) {
        out->region[i] =
            fl_arena_cstr(arena, fl_slice_of(json_string_value(json_array_get(region, i))));
        if (out->region[i] == NULL)
            return no_memory(err);
    }
    return out->service != NULL
               ? read_further(out, arena, which, json_object_get(truth, "further_causes"), err)
               : no_memory(err);
}

fl_status fl_drill_read_answer(fl_drill_answer *out, fl_arena *arena, const fl_drill_case *which,
                               fl_error *err)
{
    json_t *truth = NULL;
    assert(out != NULL && which != NULL);
    *out = (fl_drill_answer){.resource = FL_RESOURCE_NONE};
    fl_status status = load_truth(&truth, arena, which, err);
    if (status != FL_OK)
        return status;
    status = read_answer(out, arena, which, truth, err);
    json_decref(truth);
    return status;
}
