/*
 * built_in.c - the library that is compiled in, one document a family.
 */
#include <assert.h>

#include "fl_signatures_buffers_yaml.h"
#include "fl_signatures_coarse_yaml.h"
#include "fl_signatures_goroutines_yaml.h"
#include "fl_signatures_java_gc_yaml.h"
#include "fl_signatures_java_heap_yaml.h"
#include "fl_signatures_keys_yaml.h"
#include "fl_signatures_maps_yaml.h"
#include "fl_signatures_runtime_yaml.h"
#include "fl_signatures_sync_map_yaml.h"
#include "fl_signatures_timers_contexts_yaml.h"
#include "fl_signatures_traces_yaml.h"
#include "signatures.h"

fl_status fl_signatures_add_built_in(fl_signatures *library, fl_error *err)
{
    const struct {
        const char *source;
        fl_slice text;
    } documents[] = {
        {"signatures/buffers.yaml", fl_signatures_buffers_yaml},
        {"signatures/coarse.yaml", fl_signatures_coarse_yaml},
        {"signatures/goroutines.yaml", fl_signatures_goroutines_yaml},
        {"signatures/java_gc.yaml", fl_signatures_java_gc_yaml},
        {"signatures/java_heap.yaml", fl_signatures_java_heap_yaml},
        {"signatures/keys.yaml", fl_signatures_keys_yaml},
        {"signatures/maps.yaml", fl_signatures_maps_yaml},
        {"signatures/runtime.yaml", fl_signatures_runtime_yaml},
        {"signatures/sync_map.yaml", fl_signatures_sync_map_yaml},
        {"signatures/timers_contexts.yaml", fl_signatures_timers_contexts_yaml},
        {"signatures/traces.yaml", fl_signatures_traces_yaml},
    };
    fl_status status = FL_OK;
    assert(library != NULL);
    for (size_t i = 0; status == FL_OK && i < sizeof(documents) / sizeof(documents[0]); i++)
        status = fl_signatures_add(library, documents[i].text, documents[i].source,
                                   FL_SIGNATURE_BUILT_IN, err);
    return status;
}
