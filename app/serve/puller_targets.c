/*
 * puller_targets.c - who is asked for profiles: the configuration's, a file's, a Prometheus'.
 *
 *   file := [ { service: NAME, url: URL, instance?: NAME }* ]      YAML, as in the configuration
 *
 * Of a Prometheus' targets the scheme, host and port of the URL that it scrapes are taken, and the
 * path of the configuration; those that are down are left out.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "answers.h"
#include "config_sources.h"
#include "hash.h"
#include "mem.h"
#include "puller_priv.h"
#include "slice.h"
#include "stream.h"
#include "timestamp.h"
#include "yaml_fields.h"

enum { MAX_FILE_BYTES = 4 << 20, MAX_LIST_BYTES = 16 << 20 };

/* Lists grow in one arena: the sentence is the same wherever it runs out. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for targets");
}

/* "host:port" of a URL: what an instance is called where nobody says. */
static const char *host_of(fl_arena *arena, const char *url)
{
    const char *begin = strstr(url, "://");
    begin = begin != NULL ? begin + 3 : url;
    size_t len = strcspn(begin, "/?#");
    for (size_t i = 0; i < len; i++) /* no password in a name */
        if (begin[i] == '@')
            return host_of(arena, begin + i + 1);
    return fl_arena_cstr(arena, (fl_slice){.ptr = (const unsigned char *)begin, .len = len});
}

/* ---- files ---- */

/* What tells a list apart from what it was: when it was written, and how long it is. */
static bool stat_of(const char *path, int64_t *time_ns, uint64_t *bytes)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return false;
    *time_ns = (int64_t)about.st_mtim.tv_sec * FL_NS_PER_S + about.st_mtim.tv_nsec;
    *bytes = (uint64_t)about.st_size;
    return true;
}

/* A file that cannot be seen right now is no change: what it told stays. */
bool fl_puller_files_changed(const fl_puller *puller)
{
    for (size_t i = 0; i < puller->group_count; i++) {
        const puller_group *group = &puller->groups[i];
        int64_t time_ns;
        uint64_t bytes;
        if (group->config->targets_file != NULL &&
            stat_of(group->config->targets_file, &time_ns, &bytes) &&
            (time_ns != group->file_time_ns || bytes != group->file_bytes))
            return true;
    }
    return false;
}

/* A whole list; what is larger than the bound is refused, not cut. */
static fl_status read_file(fl_slice *out, fl_arena *arena, const char *path, fl_error *err)
{
    fl_stream *in;
    fl_stream_block block = {0};
    fl_slice bytes;
    fl_status status = fl_stream_open(&in, path, err);
    if (status != FL_OK)
        return status;
    status = fl_stream_read_all(&bytes, &block, in, MAX_FILE_BYTES, err);
    fl_stream_close(in);
    if (status == FL_OK && bytes.len > MAX_FILE_BYTES)
        status = fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "%.120s is larger than %d bytes", path,
                         MAX_FILE_BYTES);
    if (status == FL_OK) {
        *out = fl_arena_copy(arena, bytes);
        status = out->ptr != NULL ? FL_OK : no_memory(err);
    }
    fl_mem_free(block.ptr);
    return status;
}

/* ---- the list ---- */

/* Texts become the plan's: a list that was found may go while the plan is still in use. */
static fl_status add(puller_plan *plan, const puller_target *target, fl_error *err)
{
    if (plan->target_count == PULLER_MAX_TARGETS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d targets of profiles",
                       PULLER_MAX_TARGETS);
    puller_target *out = &plan->targets[plan->target_count++];
    *out = *target;
    out->service = fl_arena_cstr(&plan->arena, fl_slice_of(target->service));
    out->url = fl_arena_cstr(&plan->arena, fl_slice_of(target->url));
    out->instance = target->instance != NULL
                        ? fl_arena_cstr(&plan->arena, fl_slice_of(target->instance))
                        : host_of(&plan->arena, target->url);
    return out->service != NULL && out->url != NULL && out->instance != NULL ? FL_OK
                                                                             : no_memory(err);
}

static fl_status add_file(puller_plan *plan, puller_group *group, fl_error *err)
{
    static const char *const names[] = {"service", "url", "instance", NULL};
    const char *path = group->config->targets_file;
    const fl_yaml_fields in = {.source = path, .arena = &plan->arena, .err = err};
    const fl_yaml *list;
    fl_slice text;
    if (!stat_of(path, &group->file_time_ns, &group->file_bytes))
        group->file_time_ns = 0;
    fl_status status = read_file(&text, &plan->arena, path, err);
    if (status == FL_OK)
        status = fl_yaml_read(&list, &plan->arena, text, path, err);
    if (status == FL_OK && list->kind != FL_YAML_LIST)
        status = FL_YAML_COMPLAIN(&in, list, "a list of targets is expected");
    for (const fl_yaml *item = status == FL_OK ? list->first : NULL;
         item != NULL && status == FL_OK; item = item->next) {
        puller_target target = {.group = group->config};
        status = fl_yaml_check_keys(&in, item, "a target", names);
        if (status == FL_OK)
            status = fl_yaml_take_text(&target.service, &in, item, "service", true);
        if (status == FL_OK)
            status = fl_yaml_take_text(&target.url, &in, item, "url", true);
        if (status == FL_OK)
            status = fl_yaml_take_text(&target.instance, &in, item, "instance", false);
        if (status == FL_OK)
            status = add(plan, &target, err);
    }
    return status;
}

/* A file that is wrong after it was right costs its targets until it is right again, and is said;
 * at the start it is a mistake. */
static fl_status add_group(puller_plan *plan, puller_group *group, bool is_first, fl_error *err)
{
    const fl_config_pprof *config = group->config;
    fl_status status = FL_OK;
    for (size_t i = 0; i < config->targets.count && status == FL_OK; i++) {
        const fl_config_target *from = &config->targets.items[i];
        const puller_target target = {.service = from->service,
                                      .instance = from->instance,
                                      .url = from->url,
                                      .group = config};
        status = add(plan, &target, err);
    }
    if (status == FL_OK && config->targets_file != NULL) {
        fl_error why = {0};
        size_t before = plan->target_count;
        status = add_file(plan, group, &why);
        if (status != FL_OK && (is_first || status == FL_E_NOMEM))
            return fl_fail(err, status, why.offset, "%s", why.message);
        if (status != FL_OK) {
            fl_puller_say(group->puller, "%s", why.message);
            plan->target_count = before;
            status = FL_OK;
        }
    }
    for (size_t i = 0; i < group->found_count && status == FL_OK; i++)
        status = add(plan, &group->found[i], err);
    return status;
}

/* What was learnt of a program that was a target before. */
static void take_over(puller_target *target, const puller_plan *before)
{
    for (size_t i = 0; i < before->target_count; i++) {
        const puller_target *old = &before->targets[i];
        if (old->group != target->group || strcmp(old->url, target->url) != 0)
            continue;
        target->missing = old->missing;
        target->missing_ns = old->missing_ns;
        target->has_failed = old->has_failed;
        target->is_stretched = old->is_stretched;
        if (!old->is_in_round)
            target->due_ns = old->due_ns;
    }
}

static fl_status plan_targets(puller_plan *plan, fl_puller *puller, fl_error *err)
{
    int64_t now_ns = fl_time_monotonic(), wall_ns = fl_time_now();
    bool is_first = puller->plan.pull == NULL;
    fl_status status = FL_OK;
    plan->targets = fl_arena_alloc(&plan->arena, PULLER_MAX_TARGETS, sizeof(*plan->targets));
    if (plan->targets == NULL)
        return no_memory(err);
    for (size_t i = 0; i < puller->group_count && status == FL_OK; i++)
        status = add_group(plan, &puller->groups[i], is_first, err);
    for (size_t i = 0; i < plan->target_count && status == FL_OK; i++) {
        puller_target *target = &plan->targets[i];
        fl_pull_source_options how = fl_config_pull(target->url, &target->group->access);
        how.keep_packed = true;
        how.max_parallel = 1;
        target->puller = puller;
        target->due_ns = fl_puller_next(target->url, target->group->interval_ns, now_ns, wall_ns);
        take_over(target, &puller->plan);
        status = fl_pull_add(&target->server, plan->pull, &how, err);
    }
    return status;
}

/* Each query at a moment of its own within the interval: servers are not asked all at once. */
static fl_status plan_queries(puller_plan *plan, fl_puller *puller, fl_error *err)
{
    const fl_config_sources *sources = &puller->options.config->sources.prometheus;
    int64_t now_ns = fl_time_monotonic(), wall_ns = fl_time_now();
    size_t count = 0;
    for (size_t i = 0; i < sources->count; i++)
        count += sources->items[i].queries.count;
    plan->queries = fl_arena_alloc(&plan->arena, count + 1, sizeof(*plan->queries));
    if (plan->queries == NULL)
        return no_memory(err);
    fl_status status = FL_OK;
    for (size_t i = 0; i < sources->count && status == FL_OK; i++) {
        const fl_config_source *source = &sources->items[i];
        fl_pull_source *server;
        if (source->queries.count == 0)
            continue;
        const fl_pull_source_options how = fl_config_pull(source->url, &source->access);
        status = fl_pull_add(&server, plan->pull, &how, err);
        for (size_t k = 0; k < source->queries.count && status == FL_OK; k++)
            plan->queries[plan->query_count++] = (puller_query){
                .puller = puller,
                .source = source,
                .query = &source->queries.items[k],
                .server = server,
                .due_ns = fl_puller_next(NULL, source->interval_ns, now_ns, wall_ns)};
    }
    return status;
}

/* The Prometheus of a group by its name, which the configuration was checked for. */
static fl_status plan_groups(puller_plan *plan, fl_puller *puller, fl_error *err)
{
    const fl_config_sources *sources = &puller->options.config->sources.prometheus;
    fl_status status = FL_OK;
    for (size_t i = 0; i < puller->group_count && status == FL_OK; i++) {
        puller_group *group = &puller->groups[i];
        group->server = NULL;
        group->is_asked = false;
        for (size_t k = 0; k < sources->count && group->config->prometheus != NULL; k++)
            if (strcmp(sources->items[k].name, group->config->prometheus) == 0) {
                const fl_pull_source_options how =
                    fl_config_pull(sources->items[k].url, &sources->items[k].access);
                status = fl_pull_add(&group->server, plan->pull, &how, err);
            }
    }
    return status;
}

fl_status fl_puller_plan(puller_plan *out, fl_puller *puller, fl_error *err)
{
    const fl_pull_options options = {.seed = (uint64_t)fl_time_now()};
    *out = (puller_plan){.arena = fl_arena_of(MAX_LIST_BYTES)};
    fl_status status = fl_pull_create(&out->pull, &options, err);
    if (status == FL_OK)
        status = plan_targets(out, puller, err);
    if (status == FL_OK)
        status = plan_queries(out, puller, err);
    if (status == FL_OK)
        status = plan_groups(out, puller, err);
    if (status != FL_OK)
        fl_puller_plan_dispose(out);
    return status;
}

/* Transfers under way end with their client. */
void fl_puller_plan_dispose(puller_plan *plan)
{
    fl_pull_destroy(plan->pull);
    fl_arena_dispose(&plan->arena);
    *plan = (puller_plan){0};
}

/* ---- a Prometheus' targets ---- */

/* A list that is being read: it replaces the group's where it is another one. */
struct finding {
    puller_group *group;
    fl_arena arena;
    puller_target *found;
    size_t count;
    uint64_t hash;
};

/* Without a list of jobs every target is wanted. */
static bool is_wanted(const fl_config_pprof *config, fl_slice job)
{
    for (size_t i = 0; i < config->jobs.count; i++)
        if (fl_slice_equal(job, fl_slice_of(config->jobs.items[i])))
            return true;
    return config->jobs.count == 0;
}

/* OpenTelemetry's rule joins a namespace in front of the job. */
static fl_slice behind_slash(fl_slice text)
{
    size_t at = text.len;
    while (at > 0 && text.ptr[at - 1] != '/')
        at--;
    return fl_slice_part(text, at, text.len);
}

static fl_status on_target(void *payload, const fl_scraped *scraped, fl_error *err)
{
    struct finding *f = payload;
    const fl_config_pprof *config = f->group->config;
    const char *label = config->service_label;
    fl_slice service = fl_labels_find(scraped->labels, fl_slice_of(label));
    fl_slice instance = fl_labels_find(scraped->labels, FL_SLICE("instance"));
    size_t host = fl_slice_find(scraped->url, FL_SLICE("://"));
    if (!scraped->is_up || service.len == 0 || host == scraped->url.len ||
        f->count == PULLER_MAX_TARGETS ||
        !is_wanted(config, fl_labels_find(scraped->labels, FL_SLICE("job"))))
        return FL_OK;
    if (strcmp(label, "job") == 0)
        service = behind_slash(service);
    size_t end = host + 3;
    while (end < scraped->url.len && scraped->url.ptr[end] != '/' && scraped->url.ptr[end] != '?')
        end++;
    puller_target *out = &f->found[f->count++];
    *out = (puller_target){.group = config};
    out->service = fl_arena_cstr(&f->arena, service);
    out->instance = instance.len > 0 ? fl_arena_cstr(&f->arena, instance) : NULL;
    out->url = fl_arena_printf(&f->arena, "%.*s%s%s", (int)end, (const char *)scraped->url.ptr,
                               config->path[0] == '/' ? "" : "/", config->path);
    if (out->service == NULL || out->url == NULL || (instance.len > 0 && out->instance == NULL))
        return no_memory(err);
    f->hash += fl_hash_mix(fl_hash_stable(fl_slice_of(out->url)) ^
                           fl_hash_mix(fl_hash_stable(fl_slice_of(out->service))));
    return FL_OK;
}

static fl_status on_targets(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    puller_group *group = payload;
    fl_arena text = fl_arena_of(MAX_LIST_BYTES);
    struct finding f = {.group = group, .arena = fl_arena_of(MAX_LIST_BYTES)};
    fl_error why = {0};
    group->is_asked = false;
    f.found = fl_arena_alloc(&f.arena, PULLER_MAX_TARGETS, sizeof(*f.found));
    fl_status status = f.found != NULL ? answer->status : no_memory(&why);
    if (status == FL_OK)
        status = fl_answer_targets(answer->body, &text, on_target, &f, &why);
    fl_arena_dispose(&text);
    if (status == FL_OK && (f.hash != group->found_hash || f.count != group->found_count)) {
        fl_arena_dispose(&group->found_arena);
        group->found_arena = f.arena;
        group->found = f.found;
        group->found_count = f.count;
        group->found_hash = f.hash;
        group->puller->is_changed = true;
        return FL_OK;
    }
    fl_arena_dispose(&f.arena);
    if (status == FL_E_NOMEM)
        return fl_fail(err, status, FL_NO_OFFSET, "no memory for targets");
    if (status != FL_OK)
        fl_puller_say(group->puller, "targets of %s: %s", group->config->prometheus,
                      answer->status != FL_OK ? answer->message : why.message);
    return FL_OK;
}

fl_status fl_puller_ask_targets(puller_group *group, fl_error *err)
{
    assert(group->server != NULL && !group->is_asked);
    fl_status status =
        fl_pull_get(group->server, "/api/v1/targets?state=active", on_targets, group, err);
    group->is_asked = status == FL_OK;
    return status;
}
