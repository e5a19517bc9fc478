/*
 * otlp_resource.c - who a resource is: service, instance and node, out of its attributes.
 *
 * Where several attributes could say it, the one that names what a person restarts wins: the pod
 * before the instance id (a UUID that changes with each start) before the container; the
 * orchestrator's node before the host name, which in a container is the container's. Only texts
 * that are not empty count.
 */
#include "otlp_priv.h"

enum { PLACE_NONE, PLACE_SERVICE, PLACE_INSTANCE, PLACE_NODE };

static const struct {
    fl_slice key;
    unsigned char place, preference; /* the smallest preference that is there wins */
} places[] = {
    {FL_SLICE_INIT("service.name"), PLACE_SERVICE, 1},
    {FL_SLICE_INIT("k8s.pod.name"), PLACE_INSTANCE, 1},
    {FL_SLICE_INIT("service.instance.id"), PLACE_INSTANCE, 2},
    {FL_SLICE_INIT("container.id"), PLACE_INSTANCE, 3},
    {FL_SLICE_INIT("k8s.node.name"), PLACE_NODE, 1},
    {FL_SLICE_INIT("host.name"), PLACE_NODE, 2},
};

fl_resource fl_otlp_resource_of(const fl_otlp_list *attrs)
{
    fl_slice found[PLACE_NODE + 1] = {{0}};
    unsigned preference[PLACE_NODE + 1] = {0};
    for (size_t i = 0; i < attrs->count; i++) {
        const fl_attr *attr = &attrs->items[i];
        if (attr->value.kind != FL_VALUE_STRING || attr->value.text.len == 0)
            continue;
        for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++) {
            unsigned place = places[p].place;
            bool is_better = preference[place] == 0 || places[p].preference < preference[place];
            if (!is_better || !fl_slice_equal(attr->key, places[p].key))
                continue;
            found[place] = attr->value.text;
            preference[place] = places[p].preference;
        }
    }
    return (fl_resource){.service = found[PLACE_SERVICE],
                         .instance = found[PLACE_INSTANCE],
                         .node = found[PLACE_NODE],
                         .attrs = {.items = attrs->items, .count = attrs->count}};
}
