/*
 * names.c - the vocabulary of the contract: one table per enum, read in both directions.
 *
 * These words stand in stored documents, in JSON schemas and in labelled cases, so that one which
 * was ever written stays; a new member of an enum needs its word here, and the index in the table
 * is its value. A NULL in a table is a value that has no word: it is written as null and never
 * read.
 */
#include "names.h"

#include <assert.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *const modalities[] = {
    [FL_MODALITY_METRICS] = "metrics", [FL_MODALITY_LOGS] = "logs",
    [FL_MODALITY_TRACES] = "traces",   [FL_MODALITY_TOPOLOGY] = "topology",
    [FL_MODALITY_CHANGES] = "changes", [FL_MODALITY_PROFILES] = "profiles",
    [FL_MODALITY_MEMORY] = "memory",   [FL_MODALITY_ALERTS] = "alerts",
};

static const char *const causes[] = {
    [FL_CAUSE_UNKNOWN] = "unknown",
    [FL_CAUSE_CPU] = "cpu",
    [FL_CAUSE_MEMORY_LEAK] = "memory-leak",
    [FL_CAUSE_MEMORY] = "memory",
    [FL_CAUSE_NETWORK_DELAY] = "network-delay",
    [FL_CAUSE_NETWORK_LOSS] = "network-loss",
    [FL_CAUSE_DISK] = "disk",
    [FL_CAUSE_EXCEPTION] = "exception",
    [FL_CAUSE_CODE_PATH] = "code-path",
    [FL_CAUSE_DEPENDENCY] = "dependency",
    [FL_CAUSE_CONFIG_CHANGE] = "config-change",
    [FL_CAUSE_DEPLOY] = "deploy",
    [FL_CAUSE_TRAFFIC] = "traffic",
    [FL_CAUSE_LOCK] = "lock",
    [FL_CAUSE_POOL] = "pool",
    [FL_CAUSE_GC] = "gc",
};

static const char *const resources[] = {
    [FL_RESOURCE_NONE] = NULL,       [FL_RESOURCE_CPU] = "cpu",   [FL_RESOURCE_NETWORK] = "network",
    [FL_RESOURCE_MEMORY] = "memory", [FL_RESOURCE_DISK] = "disk",
};

static const char *const loci[] = {
    [FL_LOCUS_METRIC] = "metric",
    [FL_LOCUS_OPERATION] = "operation",
    [FL_LOCUS_CODE_REGION] = "code-region",
    [FL_LOCUS_EDGE] = "edge",
    [FL_LOCUS_EXCEPTION] = "exception",
    [FL_LOCUS_CHANGE] = "change",
    [FL_LOCUS_TYPE] = "type",
    [FL_LOCUS_FRAME] = "frame",
    [FL_LOCUS_CONFIG] = "config",
};

static const char *const pictures[] = {
    [FL_PICTURE_CHANGE] = "change", [FL_PICTURE_ALERT] = "alert", [FL_PICTURE_METRIC] = "metric",
    [FL_PICTURE_LOG] = "log",       [FL_PICTURE_TRACE] = "trace", [FL_PICTURE_PROFILE] = "profile",
};

static const char *const verdicts[] = {
    [FL_VERDICT_CAUSE_FOUND] = "cause-found",
    [FL_VERDICT_NO_CONFIDENT_CAUSE] = "no-confident-cause",
};

static const char *const kept[] = {
    [FL_KEPT_HEAP] = "heap",
    [FL_KEPT_CLASS] = "class",
    [FL_KEPT_OBJECTS] = "objects",
};

static const char *const changes[] = {
    [FL_CHANGE_DEPLOY] = "deploy",
    [FL_CHANGE_CONFIG] = "config",
    [FL_CHANGE_FLAG] = "flag",
    [FL_CHANGE_MERGE_REQUEST] = "merge-request",
};

static const char *const roles[] = {
    [FL_ROLE_OTHER] = "other",     [FL_ROLE_TRAFFIC] = "traffic", [FL_ROLE_ERRORS] = "errors",
    [FL_ROLE_LATENCY] = "latency", [FL_ROLE_CPU] = "cpu",         [FL_ROLE_MEMORY] = "memory",
    [FL_ROLE_NETWORK] = "network", [FL_ROLE_DISK] = "disk",       [FL_ROLE_POOL] = "pool",
    [FL_ROLE_QUEUE] = "queue",
};

_Static_assert(COUNT(modalities) == FL_MODALITY_COUNT, "each modality has a name");
_Static_assert(COUNT(causes) == FL_CAUSE_COUNT, "each cause has a name");
_Static_assert(COUNT(resources) == FL_RESOURCE_COUNT, "each resource has a name");
_Static_assert(COUNT(loci) == FL_LOCUS_COUNT, "each locus has a name");
_Static_assert(COUNT(kept) == FL_KEPT_KIND_COUNT, "each kind of what keeps has a name");
_Static_assert(COUNT(changes) == FL_CHANGE_KIND_COUNT, "each kind of change has a name");
_Static_assert(COUNT(roles) == FL_ROLE_COUNT, "each role has a name");

/* The index of `name`; false for NULL and for an unknown word. */
static bool find(size_t *out, const char *const *table, size_t count, const char *name)
{
    for (size_t i = 0; name != NULL && i < count; i++) {
        if (table[i] != NULL && strcmp(table[i], name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

const char *fl_modality_name(fl_modality modality)
{
    assert((size_t)modality < COUNT(modalities));
    return modalities[modality];
}

const char *fl_cause_name(fl_cause cause)
{
    assert((size_t)cause < COUNT(causes));
    return causes[cause];
}

const char *fl_resource_name(fl_resource_kind resource)
{
    assert((size_t)resource < COUNT(resources));
    return resources[resource];
}

const char *fl_locus_name(fl_locus_kind locus)
{
    assert((size_t)locus < COUNT(loci));
    return loci[locus];
}

const char *fl_verdict_name(fl_verdict verdict)
{
    assert((size_t)verdict < COUNT(verdicts));
    return verdicts[verdict];
}

bool fl_modality_parse(fl_modality *out, const char *name)
{
    size_t at;
    if (!find(&at, modalities, COUNT(modalities), name))
        return false;
    *out = (fl_modality)at;
    return true;
}

bool fl_cause_parse(fl_cause *out, const char *name)
{
    size_t at;
    if (!find(&at, causes, COUNT(causes), name))
        return false;
    *out = (fl_cause)at;
    return true;
}

bool fl_resource_parse(fl_resource_kind *out, const char *name)
{
    size_t at;
    if (!find(&at, resources, COUNT(resources), name))
        return false;
    *out = (fl_resource_kind)at;
    return true;
}

bool fl_locus_parse(fl_locus_kind *out, const char *name)
{
    size_t at;
    if (!find(&at, loci, COUNT(loci), name))
        return false;
    *out = (fl_locus_kind)at;
    return true;
}

bool fl_verdict_parse(fl_verdict *out, const char *name)
{
    size_t at;
    if (!find(&at, verdicts, COUNT(verdicts), name))
        return false;
    *out = (fl_verdict)at;
    return true;
}

const char *fl_change_kind_name(fl_change_kind kind)
{
    assert((size_t)kind < COUNT(changes));
    return changes[kind];
}

const char *fl_role_name(fl_role role)
{
    assert((size_t)role < COUNT(roles));
    return roles[role];
}

bool fl_role_parse(fl_role *out, const char *name)
{
    size_t at;
    if (!find(&at, roles, COUNT(roles), name))
        return false;
    *out = (fl_role)at;
    return true;
}

const char *fl_picture_kind_name(fl_picture_kind kind)
{
    assert((size_t)kind < COUNT(pictures));
    return pictures[kind];
}

bool fl_picture_kind_parse(fl_picture_kind *out, const char *name)
{
    size_t at;
    if (!find(&at, pictures, COUNT(pictures), name))
        return false;
    *out = (fl_picture_kind)at;
    return true;
}

const char *fl_kept_kind_name(fl_kept_kind kind)
{
    assert((size_t)kind < COUNT(kept));
    return kept[kind];
}

bool fl_kept_kind_parse(fl_kept_kind *out, const char *name)
{
    size_t at;
    if (!find(&at, kept, COUNT(kept), name))
        return false;
    *out = (fl_kept_kind)at;
    return true;
}
