/*
 * heap_show.c - the one table of the views over the graph.
 */
#include "heap_show.h"

#include <string.h>

static const struct {
    const char *name;
    fl_heap_show_fn *show;
} shows[] = {
    {"dominators", fl_heap_show_dominators},
    {"finalizers", fl_heap_show_finalizers},
    {"loaders", fl_heap_show_loaders},
    {"threads", fl_heap_show_threads},
    {"top", fl_heap_show_top},
    {"unreachable", fl_heap_show_unreachable},
};

fl_heap_show_fn *fl_heap_show_of(const char *view)
{
    for (size_t i = 0; i < sizeof(shows) / sizeof(shows[0]); i++)
        if (strcmp(shows[i].name, view) == 0)
            return shows[i].show;
    return NULL;
}
