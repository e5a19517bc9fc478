/*
 * changes.c - what was changed on purpose: told by events, or seen in the telemetry itself.
 *
 * Seen are states: the version of a service (service.version, else the tag of its image) on every
 * resource, and the variant of a feature flag on evaluations. A state is kept with the first and
 * the last moment at which it was seen, which is the same in any order of records. A value that is
 * first seen at least a step after another one of the same service and key is a change at that
 * moment; going back to a value that was there before is not seen. Kubernetes' own events tell of
 * new replica sets, and deployment.* attributes of a log record of a deployment.
 *
 * Both ways may tell of one change: the told one stays, since it knows when.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/limits.h"
#include "hash.h"
#include "slice.h"
#include "timeline_priv.h"

/* Handles from here on are places in b->handles. Entities are fewer. */
#define FIRST_HANDLE UINT32_C(0x80000000)

/* How far apart two tellings of one change may be: a rollout takes that long. */
static const int64_t same_change_ns = INT64_C(3600) * 1000000000;

/* The first that is there counts. */
static const fl_slice version_keys[] = {
    FL_SLICE_INIT("service.version"),
    FL_SLICE_INIT("container.image.tags"),
    FL_SLICE_INIT("container.image.tag"),
};

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static fl_slice text_at(const fl_attrs *attrs, fl_slice key)
{
    for (size_t i = 0; i < attrs->count; i++)
        if (fl_slice_equal(attrs->items[i].key, key))
            return attrs->items[i].value.text;
    return (fl_slice){0};
}

/* ---- states ---- */

/* *out is FL_NO_INDEX where a budget is reached. */
static fl_status number_state(uint32_t *out, fl_timeline_builder *b, const struct raw_state *state,
                              fl_error *err)
{
    uint64_t *slot = NULL;
    fl_error quiet = {0};
    bool added;
    const fl_sym names[4] = {state->service, state->key, state->value, (fl_sym)state->kind};
    uint64_t id =
        fl_hash_keyed((fl_slice){.ptr = (const unsigned char *)names, .len = sizeof(names)});
    *out = FL_NO_INDEX;
    fl_status status = fl_tl_grow((void **)&b->states, b->state_count, sizeof(*b->states), err);
    if (status != FL_OK)
        return status;
    status = fl_map_slot(&slot, b->state_ids, id, &added, &quiet);
    if (status == FL_E_LIMIT)
        return FL_OK;
    if (status != FL_OK)
        return fl_fail(err, status, FL_NO_OFFSET, "%s", quiet.message);
    if (added) {
        *slot = b->state_count;
        b->states[b->state_count++] = *state;
    }
    *out = (uint32_t)*slot;
    return FL_OK;
}

static void touch(struct raw_state *state, int64_t time_ns)
{
    assert(state->first_ns <= state->last_ns || state->first_ns == INT64_MAX);
    if (time_ns < state->first_ns)
        state->first_ns = time_ns;
    if (time_ns > state->last_ns)
        state->last_ns = time_ns;
}

/* A state that nobody has seen yet; FL_NO_INDEX where it has no value or there is no room. */
static fl_status state_of(uint32_t *out, fl_timeline_builder *b, struct raw_state state,
                          fl_slice key, fl_slice value, fl_error *err)
{
    state.first_ns = INT64_MAX;
    state.last_ns = INT64_MIN;
    *out = FL_NO_INDEX;
    if (value.len == 0)
        return FL_OK;
    b->has_changes = true;
    fl_status status = fl_tl_name(&state.key, b, key, err);
    if (status == FL_OK)
        status = fl_tl_name(&state.value, b, value, err);
    if (status != FL_OK || state.key == FL_NO_INDEX || state.value == FL_NO_INDEX)
        return status;
    return number_state(out, b, &state, err);
}

fl_status fl_tl_handle(uint32_t *out, fl_timeline_builder *b, uint32_t entity,
                       const fl_resource *resource, fl_error *err)
{
    uint32_t state = FL_NO_INDEX;
    fl_slice version = {0};
    for (size_t i = 0; i < sizeof(version_keys) / sizeof(version_keys[0]) && version.len == 0; i++)
        version = text_at(&resource->attrs, version_keys[i]);
    *out = entity;
    if (entity == FL_NO_INDEX || version.len == 0)
        return FL_OK;
    struct raw_state made = {.service = b->entities[entity].service, .kind = FL_CHANGE_DEPLOY};
    fl_status status = state_of(&state, b, made, FL_SLICE("service.version"), version, err);
    if (status == FL_OK)
        status = fl_tl_grow((void **)&b->handles, b->handle_count, sizeof(*b->handles), err);
    if (status != FL_OK || state == FL_NO_INDEX)
        return status;
    uint64_t *slot;
    bool added;
    fl_error quiet = {0};
    status = fl_map_slot(&slot, b->handle_ids, (uint64_t)entity << 32 | state, &added, &quiet);
    if (status == FL_E_LIMIT)
        return FL_OK; /* more versions of more pods than are worth telling apart */
    if (status != FL_OK)
        return fl_fail(err, status, FL_NO_OFFSET, "%s", quiet.message);
    if (added) {
        *slot = b->handle_count;
        b->handles[b->handle_count++] = (struct raw_handle){.entity = entity, .state = state};
    }
    *out = FIRST_HANDLE + (uint32_t)*slot;
    return FL_OK;
}

uint32_t fl_tl_entity_of(fl_timeline_builder *b, uint32_t handle, int64_t time_ns)
{
    if (handle < FIRST_HANDLE || handle == FL_NO_INDEX)
        return handle;
    assert(handle - FIRST_HANDLE < b->handle_count);
    const struct raw_handle *h = &b->handles[handle - FIRST_HANDLE];
    touch(&b->states[h->state], time_ns);
    return h->entity;
}

/* ---- told ---- */

void fl_timeline_expect_changes(fl_timeline_builder *b)
{
    assert(b != NULL);
    b->has_changes = true;
}

fl_status fl_tl_push_change(void *payload, const fl_change_record *change, fl_error *err)
{
    fl_timeline_builder *b = ((const struct source *)payload)->builder;
    struct raw_change row = {
        .time_ns = change->time_ns, .kind = change->kind, .service = FL_NO_INDEX};
    fl_sym *const names[] = {&row.key, &row.before, &row.after, &row.source, &row.url};
    const fl_slice texts[] = {change->key, change->before, change->after, change->source,
                              change->url};
    b->has_changes = true;
    fl_status status = fl_tl_grow((void **)&b->changes, b->change_count, sizeof(row), err);
    if (status == FL_OK && change->service.len > 0)
        status = fl_tl_name(&row.service, b, change->service, err);
    bool fits = b->change_count < FL_MAX_CHANGES &&
                (change->service.len == 0 || row.service != FL_NO_INDEX);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && status == FL_OK; i++) {
        status = fl_tl_name(names[i], b, texts[i], err);
        fits &= *names[i] != FL_NO_INDEX;
    }
    if (status != FL_OK)
        return status;
    b->over_budget += !fits;
    if (fits)
        b->changes[b->change_count++] = row;
    return FL_OK;
}

/* The events receiver of the collector writes Kubernetes' events as log records. */
static fl_status note_replicas(fl_timeline_builder *b, const fl_attrs *attrs, int64_t time_ns,
                               fl_error *err)
{
    if (!fl_slice_equal(text_at(attrs, FL_SLICE("k8s.event.reason")),
                        FL_SLICE("ScalingReplicaSet")) ||
        !fl_slice_equal(text_at(attrs, FL_SLICE("k8s.object.kind")), FL_SLICE("Deployment")))
        return FL_OK;
    fl_change_record change = {.time_ns = time_ns,
                               .kind = FL_CHANGE_DEPLOY,
                               .service = text_at(attrs, FL_SLICE("k8s.object.name")),
                               .key = FL_SLICE("replicas"),
                               .source = FL_SLICE("kubernetes")};
    return change.service.len > 0 ? fl_tl_push_change(&b->sources[0], &change, err) : FL_OK;
}

static fl_status note_deployment(fl_timeline_builder *b, uint32_t entity, const fl_attrs *attrs,
                                 int64_t time_ns, fl_error *err)
{
    fl_slice name = text_at(attrs, FL_SLICE("deployment.name"));
    fl_change_record change = {.time_ns = time_ns,
                               .kind = FL_CHANGE_DEPLOY,
                               .service = fl_intern_text(b->names, b->entities[entity].service),
                               .after = text_at(attrs, FL_SLICE("service.version")),
                               .source = FL_SLICE("deployment")};
    if (change.after.len == 0)
        change.after = name.len > 0 ? name : text_at(attrs, FL_SLICE("deployment.id"));
    return fl_tl_push_change(&b->sources[0], &change, err);
}

/* The version of a flag's rules says more than the variant that one request got. */
static fl_status note_flag(fl_timeline_builder *b, uint32_t entity, const fl_attrs *attrs,
                           int64_t time_ns, fl_error *err)
{
    static const fl_slice words[] = {FL_SLICE_INIT("feature_flag.version"),
                                     FL_SLICE_INIT("feature_flag.result.variant"),
                                     FL_SLICE_INIT("feature_flag.variant")};
    fl_slice value = {0};
    uint32_t state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && value.len == 0; i++)
        value = text_at(attrs, words[i]);
    struct raw_state made = {.service = b->entities[entity].service, .kind = FL_CHANGE_FLAG};
    fl_status status =
        state_of(&state, b, made, text_at(attrs, FL_SLICE("feature_flag.key")), value, err);
    if (status == FL_OK && state != FL_NO_INDEX)
        touch(&b->states[state], time_ns);
    return status;
}

fl_status fl_tl_note_changes(fl_timeline_builder *b, uint32_t entity, const fl_attrs *attrs,
                             int64_t time_ns, fl_error *err)
{
    assert(entity < b->entity_count);
    fl_status status = FL_OK;
    for (size_t i = 0; i < attrs->count && status == FL_OK; i++) {
        fl_slice key = attrs->items[i].key;
        if (fl_slice_equal(key, FL_SLICE("feature_flag.key")))
            status = note_flag(b, entity, attrs, time_ns, err);
        else if (fl_slice_equal(key, FL_SLICE("k8s.event.reason")))
            status = note_replicas(b, attrs, time_ns, err);
        else if (fl_slice_equal(key, FL_SLICE("deployment.id")))
            status = note_deployment(b, entity, attrs, time_ns, err);
    }
    return status;
}

/* ---- finishing ---- */

static const char *or_null(const struct ranks *ranks, fl_sym sym)
{
    return ranks->text[sym][0] != '\0' ? ranks->text[sym] : NULL;
}

static int compare_texts(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

static int compare_changes(const void *left, const void *right)
{
    const fl_change *a = left, *b = right;
    if (a->time_ns != b->time_ns)
        return COMPARE(a->time_ns, b->time_ns);
    if (a->service != b->service)
        return COMPARE(a->service, b->service);
    if (a->kind != b->kind)
        return COMPARE(a->kind, b->kind);
    const char *const texts[][2] = {{a->key, b->key},
                                    {a->before, b->before},
                                    {a->after, b->after},
                                    {a->source, b->source},
                                    {a->url, b->url}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (compare_texts(texts[i][0], texts[i][1]) != 0)
            return compare_texts(texts[i][0], texts[i][1]);
    return COMPARE(a->is_seen, b->is_seen);
}

/* A state with its texts, to be put in order. */
struct seen {
    const struct raw_state *state;
    const char *service, *key, *value;
};

static int compare_seen(const void *left, const void *right)
{
    const struct seen *a = left, *b = right;
    int order = strcmp(a->service, b->service);
    if (order == 0)
        order = strcmp(a->key, b->key);
    if (order == 0)
        order = COMPARE(a->state->kind, b->state->kind);
    if (order == 0)
        order = COMPARE(a->state->first_ns, b->state->first_ns);
    return order != 0 ? order : strcmp(a->value, b->value);
}

static bool is_same_thing(const struct seen *a, const struct seen *b)
{
    return a->state->service == b->state->service && a->state->key == b->state->key &&
           a->state->kind == b->state->kind;
}

/* Of each service and key: every value but those that were there from the beginning. */
static fl_status add_seen(fl_change *out, size_t *count, fl_timeline_builder *b,
                          const struct ranks *ranks, fl_error *err)
{
    struct seen *sorted;
    size_t states = 0, first = 0;
    fl_status status = FL_TL_NEW(b, sorted, b->state_count, "versions", err);
    for (size_t i = 0; i < b->state_count && status == FL_OK; i++)
        if (b->states[i].first_ns != INT64_MAX)
            sorted[states++] = (struct seen){.state = &b->states[i],
                                             .service = ranks->text[b->states[i].service],
                                             .key = ranks->text[b->states[i].key],
                                             .value = ranks->text[b->states[i].value]};
    if (status == FL_OK && states > 1)
        qsort(sorted, states, sizeof(*sorted), compare_seen);
    for (size_t i = 1; i < states && status == FL_OK; i++) {
        const struct raw_state *now = sorted[i].state;
        if (!is_same_thing(&sorted[i - 1], &sorted[i]))
            first = i;
        if (first == i || now->first_ns - b->options.step_ns < sorted[first].state->first_ns)
            continue;
        out[(*count)++] = (fl_change){.time_ns = now->first_ns,
                                      .kind = now->kind,
                                      .service = ranks->service[now->service],
                                      .key = now->kind == FL_CHANGE_DEPLOY ? NULL : sorted[i].key,
                                      .before = sorted[i - 1].value,
                                      .after = sorted[i].value,
                                      .is_seen = true};
    }
    return status;
}

/* What was changed to what, then when. */
static int compare_things(const void *left, const void *right)
{
    const fl_change *a = left, *b = right;
    if (a->service != b->service)
        return COMPARE(a->service, b->service);
    if (a->kind != b->kind)
        return COMPARE(a->kind, b->kind);
    int order = compare_texts(a->after, b->after);
    return order != 0 ? order : COMPARE(a->time_ns, b->time_ns);
}

/* told[] in the order of things: whether one of the same thing is near. */
static bool is_told_too(const fl_change *told, size_t count, const fl_change *seen)
{
    fl_change from = *seen, to = *seen;
    from.time_ns -= same_change_ns;
    to.time_ns += same_change_ns;
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_things(&told[middle], &from) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && compare_things(&told[low], &to) < 0;
}

fl_status fl_tl_finish_changes(fl_timeline_builder *b, const struct ranks *ranks, fl_error *err)
{
    fl_change *all;
    size_t count = 0, kept = 0;
    fl_status status = FL_TL_NEW(b, all, b->change_count + b->state_count, "changes", err);
    for (size_t i = 0; i < b->change_count && status == FL_OK; i++) {
        const struct raw_change *from = &b->changes[i];
        uint32_t service =
            from->service != FL_NO_INDEX ? ranks->service[from->service] : FL_NO_INDEX;
        if (from->service != FL_NO_INDEX && service == FL_NO_INDEX)
            continue; /* of a service that no telemetry names */
        all[count++] = (fl_change){.time_ns = from->time_ns,
                                   .kind = from->kind,
                                   .service = service,
                                   .key = or_null(ranks, from->key),
                                   .before = or_null(ranks, from->before),
                                   .after = or_null(ranks, from->after),
                                   .source = or_null(ranks, from->source),
                                   .url = or_null(ranks, from->url)};
    }
    size_t told = count;
    if (status == FL_OK)
        status = add_seen(all, &count, b, ranks, err);
    if (status != FL_OK)
        return status;
    if (told > 1)
        qsort(all, told, sizeof(*all), compare_things);
    for (size_t i = told; i < count; i++)
        if (!is_told_too(all, told, &all[i]))
            all[told + kept++] = all[i];
    count = told + kept;
    if (count > 1)
        qsort(all, count, sizeof(*all), compare_changes);
    kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_changes(&all[kept - 1], &all[i]) != 0)
            all[kept++] = all[i];
    b->timeline.changes = all;
    b->timeline.change_count = kept;
    b->timeline.has_changes = b->has_changes;
    return FL_OK;
}
