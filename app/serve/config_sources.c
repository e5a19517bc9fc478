/*
 * config_sources.c - from settings to options: the one place where both are known.
 */
#include "config_sources.h"

#include <assert.h>

fl_pull_source_options fl_config_pull(const char *url, const fl_config_access *access)
{
    assert(url != NULL && access->retries < UINT32_MAX);
    return (fl_pull_source_options){
        .url = url,
        .token_file = access->bearer_file,
        .user = access->user,
        .password_file = access->password_file,
        .ca_file = access->ca_file,
        .cert_file = access->cert_file,
        .key_file = access->key_file,
        .tenant = access->tenant,
        .connect_timeout_ns = access->connect_timeout_ns,
        .total_timeout_ns = access->timeout_ns,
        .max_tries = (unsigned)access->retries + 1,
    };
}

/* In the order of kinds, then as they stand in the file. */
size_t fl_config_sources_list(fl_source *out, const fl_config *config)
{
    const fl_config_sources *const lists[FL_SOURCE_KIND_COUNT] = {
        [FL_SOURCE_PROMETHEUS] = &config->sources.prometheus,
        [FL_SOURCE_LOKI] = &config->sources.loki,
        [FL_SOURCE_TEMPO] = &config->sources.tempo,
        [FL_SOURCE_JAEGER] = &config->sources.jaeger,
    };
    size_t count = 0;
    for (size_t kind = 0; kind < FL_SOURCE_KIND_COUNT; kind++)
        for (size_t i = 0; i < lists[kind]->count; i++, count++)
            if (out != NULL)
                out[count] = (fl_source){.kind = (fl_source_kind)kind,
                                         .how = fl_config_pull(lists[kind]->items[i].url,
                                                               &lists[kind]->items[i].access)};
    return count;
}
