/*
 * config_sources.h - the configuration's sources in the words of ingest/sources and ingest/pull.
 * Texts stay the configuration's.
 */
#ifndef FL_CONFIG_SOURCES_H
#define FL_CONFIG_SOURCES_H

#include "config.h"
#include "sources.h"

/* How to ask `url`. */
fl_pull_source_options fl_config_pull(const char *url, const fl_config_access *access);
/* How many sources there are that hold telemetry; into out[], where it is not NULL. */
size_t fl_config_sources_list(fl_source *out, const fl_config *config);

#endif
