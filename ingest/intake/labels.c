/*
 * labels.c - who a set of labels is about.
 */
#include "labels.h"

#include <assert.h>
#include <pthread.h>

#include "slice.h"

enum place { PLACE_SERVICE, PLACE_INSTANCE, PLACE_NODE, PLACE_VERSION, PLACE_COUNT };

/* In the order of preference within each place. */
static const struct {
    fl_slice name;
    enum place place;
} places[] = {
    {FL_SLICE_INIT("service_name"), PLACE_SERVICE},
    {FL_SLICE_INIT("service"), PLACE_SERVICE},
    {FL_SLICE_INIT("app_kubernetes_io_name"), PLACE_SERVICE},
    {FL_SLICE_INIT("app"), PLACE_SERVICE},
    {FL_SLICE_INIT("application"), PLACE_SERVICE},
    {FL_SLICE_INIT("k8s_deployment_name"), PLACE_SERVICE},
    {FL_SLICE_INIT("deployment"), PLACE_SERVICE},
    {FL_SLICE_INIT("container"), PLACE_SERVICE},
    {FL_SLICE_INIT("job"), PLACE_SERVICE},
    {FL_SLICE_INIT("k8s_pod_name"), PLACE_INSTANCE},
    {FL_SLICE_INIT("pod"), PLACE_INSTANCE},
    {FL_SLICE_INIT("pod_name"), PLACE_INSTANCE},
    {FL_SLICE_INIT("kubernetes_pod_name"), PLACE_INSTANCE},
    {FL_SLICE_INIT("service_instance_id"), PLACE_INSTANCE},
    {FL_SLICE_INIT("instance"), PLACE_INSTANCE},
    {FL_SLICE_INIT("container_id"), PLACE_INSTANCE},
    {FL_SLICE_INIT("k8s_node_name"), PLACE_NODE},
    {FL_SLICE_INIT("node"), PLACE_NODE},
    {FL_SLICE_INIT("node_name"), PLACE_NODE},
    {FL_SLICE_INIT("nodename"), PLACE_NODE},
    {FL_SLICE_INIT("kubernetes_node"), PLACE_NODE},
    {FL_SLICE_INIT("host_name"), PLACE_NODE},
    {FL_SLICE_INIT("hostname"), PLACE_NODE},
    {FL_SLICE_INIT("host"), PLACE_NODE},
    {FL_SLICE_INIT("service_version"), PLACE_VERSION},
    {FL_SLICE_INIT("app_kubernetes_io_version"), PLACE_VERSION},
};

_Static_assert((int)PLACE_COUNT == (int)FL_WHO_LABELS, "a label for each place");
enum { PLACE_NAMES = sizeof(places) / sizeof(places[0]), LONGEST_NAME = 31 };
_Static_assert((int)PLACE_NAMES <= 32, "a bit for each name");

/* Bit p: places[p] has a name of that length. Most labels are told apart by their length. */
static uint32_t by_length[LONGEST_NAME + 1];
static pthread_once_t by_length_once = PTHREAD_ONCE_INIT;

static void fill_by_length(void)
{
    for (size_t p = 0; p < PLACE_NAMES; p++) {
        assert(places[p].name.len <= LONGEST_NAME);
        by_length[places[p].name.len] |= UINT32_C(1) << p;
    }
}

/* They stand in front. */
const fl_slice *fl_labels_service_label(size_t index)
{
    return index < PLACE_NAMES && places[index].place == PLACE_SERVICE ? &places[index].name : NULL;
}

void fl_labels_clear(fl_labels *labels)
{
    labels->count = 0;
}

void fl_labels_add(fl_labels *labels, fl_slice name, fl_slice value)
{
    if (name.len == 0 || value.len == 0)
        return;
    if (labels->count == FL_MAX_LABELS) {
        labels->dropped++;
        return;
    }
    labels->items[labels->count++] =
        (fl_attr){.key = name, .value = {.kind = FL_VALUE_STRING, .text = value}};
}

static size_t index_of(const fl_labels *labels, fl_slice name)
{
    size_t i = 0;
    while (i < labels->count && !fl_slice_equal(labels->items[i].key, name))
        i++;
    return i;
}

fl_slice fl_labels_find(const fl_labels *labels, fl_slice name)
{
    size_t i = index_of(labels, name);
    return i < labels->count ? labels->items[i].value.text : (fl_slice){0};
}

/* The others keep their order. */
static fl_slice take_at(fl_labels *labels, size_t at)
{
    assert(at < labels->count);
    fl_slice value = labels->items[at].value.text;
    labels->count--;
    for (size_t i = at; i < labels->count; i++)
        labels->items[i] = labels->items[i + 1];
    return value;
}

fl_slice fl_labels_take(fl_labels *labels, fl_slice name)
{
    size_t i = index_of(labels, name);
    return i < labels->count ? take_at(labels, i) : (fl_slice){0};
}

static bool is_named(fl_slice label, fl_slice name)
{
    assert(label.len == name.len);
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = label.ptr[i];
        if ((c == '.' || c == '/' || c == '-' ? '_' : c) != name.ptr[i])
            return false;
    }
    return true;
}

/* The place that a label could fill: index into places[], or PLACE_NAMES. */
static size_t place_of(fl_slice label)
{
    uint32_t candidates = label.len <= LONGEST_NAME ? by_length[label.len] : 0;
    for (size_t p = 0; candidates != 0; p++, candidates >>= 1)
        if ((candidates & 1) != 0 && is_named(label, places[p].name))
            return p;
    return PLACE_NAMES;
}

static fl_slice behind_last_slash(fl_slice text)
{
    size_t at = text.len;
    while (at > 0 && text.ptr[at - 1] != '/')
        at--;
    return at < text.len ? (fl_slice){.ptr = text.ptr + at, .len = text.len - at} : text;
}

/* For each place the label that fills it best: index into the set, and into places[]. */
static void find_best(const fl_labels *labels, size_t at[PLACE_COUNT], size_t best[PLACE_COUNT])
{
    pthread_once(&by_length_once, fill_by_length);
    for (size_t place = 0; place < PLACE_COUNT; place++)
        best[place] = PLACE_NAMES;
    for (size_t i = 0; i < labels->count; i++) {
        size_t p = place_of(labels->items[i].key);
        if (p < PLACE_NAMES && p < best[places[p].place]) {
            best[places[p].place] = p;
            at[places[p].place] = i;
        }
    }
}

fl_resource fl_labels_take_who(fl_labels *labels, fl_attr told[FL_WHO_LABELS])
{
    size_t best[PLACE_COUNT], at[PLACE_COUNT] = {0}, told_count = 0, kept = 0;
    fl_slice value[PLACE_COUNT] = {{0}};
    find_best(labels, at, best);
    for (size_t place = 0; place < PLACE_COUNT; place++) {
        if (best[place] == PLACE_NAMES)
            continue;
        told[told_count] = labels->items[at[place]];
        value[place] = told[told_count].value.text;
        if (fl_slice_equal(places[best[place]].name, FL_SLICE("job")))
            value[place] = behind_last_slash(value[place]);
        if (place == PLACE_VERSION)
            told[told_count].key = FL_SLICE("service.version");
        told_count++;
        labels->items[at[place]].key.len = 0; /* no label is without a name */
    }
    for (size_t i = 0; i < labels->count; i++)
        if (labels->items[i].key.len > 0)
            labels->items[kept++] = labels->items[i];
    labels->count = kept;
    return (fl_resource){.service = value[PLACE_SERVICE],
                         .instance = value[PLACE_INSTANCE],
                         .node = value[PLACE_NODE],
                         .attrs = {.items = told, .count = told_count}};
}

fl_status fl_labels_announce(uint32_t *handle, fl_labels *labels, const fl_sink *sink,
                             fl_error *err)
{
    fl_attr told[FL_WHO_LABELS];
    const fl_resource resource = fl_labels_take_who(labels, told);
    return sink->resource(sink->payload, &resource, handle, err);
}
