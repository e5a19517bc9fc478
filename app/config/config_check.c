/*
 * config_check.c - what can only be said of several settings together, and of the files that they
 * name.
 *
 * A mistake is what would keep the daemon from doing what was asked for, or would do it less
 * safely than the person meant; a notice is what somebody may have wanted.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_priv.h"
#include "slice.h"

static void complain(const fl_config_checks *in, const void *member, const char *format, ...)
    FL_PRINTF(3, 4);
/* A mistake about the member where its value stands. */
static void complain(const fl_config_checks *in, const void *member, const char *format, ...)
{
    char sentence[FL_CONFIG_SENTENCE - 224];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    in->complain(in->payload, member, true, sentence);
}

/* Both or neither of two settings; each may be NULL. */
static void check_pair(const fl_config_checks *in, const char *const *one, const char *const *other,
                       const char *one_name, const char *other_name)
{
    if (*one != NULL && *other == NULL)
        complain(in, one, "%s is missing beside it", other_name);
    if (*other != NULL && *one == NULL)
        complain(in, other, "%s is missing beside it", one_name);
}

/* ---- listen ---- */

bool fl_config_is_loopback(const fl_config_address *address)
{
    return strncmp(address->host, "127.", 4) == 0 || strcmp(address->host, "::1") == 0 ||
           strcmp(address->host, "localhost") == 0;
}

/* Two listeners cannot have one address. */
static void check_same(const fl_config_checks *in, const fl_config_addresses *const *lists,
                       size_t at)
{
    static const char *const names[] = {"listen.http", "listen.grpc", "listen.loki",
                                        "listen.zipkin", "listen.pyroscope"};
    for (size_t before = 0; before < at; before++)
        for (size_t i = 0; i < lists[at]->count; i++)
            for (size_t k = 0; k < lists[before]->count; k++) {
                const fl_config_address *mine = &lists[at]->items[i];
                const fl_config_address *theirs = &lists[before]->items[k];
                if (mine->port != 0 && mine->port == theirs->port &&
                    strcmp(mine->host, theirs->host) == 0)
                    complain(in, lists[at], "%s:%u is an address of %s too", mine->host,
                             (unsigned)mine->port, names[before]);
            }
}

/* What is spoken to strangers is guarded, or it is said that it need not be. */
static void check_listen(const fl_config_checks *in)
{
    const fl_config_listen *listen = &in->config->listen;
    const fl_config_addresses *const lists[] = {&listen->http, &listen->grpc, &listen->loki,
                                                &listen->zipkin, &listen->pyroscope};
    bool is_guarded = listen->tokens_file != NULL || listen->client_ca_file != NULL ||
                      listen->allow_unauthenticated;
    check_pair(in, &listen->cert_file, &listen->key_file, "cert_file", "key_file");
    if (listen->client_ca_file != NULL && listen->cert_file == NULL)
        complain(in, &listen->client_ca_file, "cert_file is missing beside it");
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        check_same(in, lists, i);
        for (size_t k = 0; k < lists[i]->count && !is_guarded; k++)
            if (!fl_config_is_loopback(&lists[i]->items[k]))
                complain(in, lists[i],
                         "%s is beyond loopback, where anybody could send and ask: give"
                         " listen.tokens_file or listen.tls.client_ca_file, or say"
                         " listen.allow_unauthenticated",
                         lists[i]->items[k].host);
    }
}

/* ---- sources ---- */

/* Every list of sources as one: access, name and URL (NULL for profiles) of each. */
struct source {
    const fl_config_access *access;
    const char *const *name;
    const char *const *url;
};

/* Of all kinds together. */
static size_t source_count(const fl_config *all)
{
    return all->sources.prometheus.count + all->sources.loki.count + all->sources.tempo.count +
           all->sources.jaeger.count + all->sources.pprof.count;
}

/* In the order in which config.h has them; profiles last. */
static struct source source_at(const fl_config *all, size_t at)
{
    const fl_config_sources *const lists[] = {&all->sources.prometheus, &all->sources.loki,
                                              &all->sources.tempo, &all->sources.jaeger};
    for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
        if (at < lists[k]->count) {
            const fl_config_source *source = &lists[k]->items[at];
            return (struct source){&source->access, &source->name, &source->url};
        }
        at -= lists[k]->count;
    }
    assert(at < all->sources.pprof.count);
    const fl_config_pprof *pprof = &all->sources.pprof.items[at];
    return (struct source){&pprof->access, &pprof->name, NULL};
}

/* One way to say who is asking, and both parts of it. */
static void check_access(const fl_config_checks *in, const struct source *source)
{
    const fl_config_access *access = source->access;
    check_pair(in, &access->user, &access->password_file, "user", "password_file");
    check_pair(in, &access->cert_file, &access->key_file, "cert_file", "key_file");
    if (access->user != NULL && access->bearer_file != NULL)
        complain(in, &access->bearer_file, "a request has one Authorization: bearer_file or user");
    if (access->connect_timeout_ns > access->timeout_ns)
        complain(in, &access->connect_timeout_ns, "this is longer than timeout");
    bool is_secret = access->bearer_file != NULL || access->password_file != NULL;
    if (is_secret && source->url != NULL && strncmp(*source->url, "http://", 7) == 0)
        in->complain(in->payload, source->url, false,
                     "the secret is sent unencrypted; https would hide it");
}

/* Whether a source of that kind has that name. */
static bool is_prometheus(const fl_config *all, const char *name)
{
    for (size_t i = 0; i < all->sources.prometheus.count; i++)
        if (strcmp(all->sources.prometheus.items[i].name, name) == 0)
            return true;
    return false;
}

/* Names are how evidence refers to them: each is one source's. */
static void check_sources(const fl_config_checks *in)
{
    const fl_config *all = in->config;
    size_t count = source_count(all);
    for (size_t i = 0; i < count; i++) {
        const struct source source = source_at(all, i);
        check_access(in, &source);
        for (size_t k = 0; k < i; k++)
            if (strcmp(*source_at(all, k).name, *source.name) == 0)
                complain(in, source.name, "another source is called '%.40s'", *source.name);
    }
    for (size_t i = 0; i < all->sources.pprof.count; i++) {
        const fl_config_pprof *pprof = &all->sources.pprof.items[i];
        if (pprof->targets.count == 0 && pprof->targets_file == NULL && pprof->prometheus == NULL)
            complain(in, &pprof->targets,
                     "nobody to ask: give targets, targets_file or prometheus");
        if (pprof->prometheus != NULL && !is_prometheus(all, pprof->prometheus))
            complain(in, &pprof->prometheus, "no source under sources.prometheus is called '%.40s'",
                     pprof->prometheus);
        if (pprof->profiles.count == 0)
            complain(in, &pprof->profiles, "no profiles to ask for");
        if (pprof->path[0] != '/')
            complain(in, &pprof->path, "'%.40s' does not begin with '/'", pprof->path);
    }
}

/* ---- the rest ---- */

/* Budgets of which one would never be reached because of the other. */
static void check_sizes(const fl_config_checks *in)
{
    const fl_config *all = in->config;
    const fl_config_incidents *incidents = &all->incidents;
    if (all->limits.body_bytes > all->limits.memory_bytes)
        complain(in, &all->limits.body_bytes,
                 "this is more than limits.memory: such a body would never be taken");
    if (all->archive.seal_bytes > all->archive.wal_bytes)
        complain(in, &all->archive.seal_bytes,
                 "this is more than archive.wal_size: the log would be full before");
    if (all->archive.seal_after_ns > all->archive.retention_ns)
        complain(in, &all->archive.seal_after_ns, "this is longer than archive.retention_time");
    if (incidents->sustained_ns >= incidents->baseline_ns)
        complain(in, &incidents->sustained_ns, "this is not shorter than incidents.baseline");
}

/* Counts are by name. */
static void check_rules(const fl_config_checks *in)
{
    const fl_config_rules *rules = &in->config->redaction.rules;
    for (size_t i = 0; i < rules->count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(rules->items[i].name, rules->items[k].name) == 0)
                complain(in, &rules->items[i].name, "another rule is called '%.40s'",
                         rules->items[i].name);
}

/* Where to begin, what to read, and who asks. */
static void check_kafka(const fl_config_checks *in)
{
    const fl_config_kafka *kafka = &in->config->kafka;
    check_pair(in, &kafka->user, &kafka->password_file, "user", "password_file");
    check_pair(in, &kafka->cert_file, &kafka->key_file, "cert_file", "key_file");
    for (size_t i = 0; i < kafka->brokers.count; i++)
        if (kafka->brokers.items[i].port == 0)
            complain(in, &kafka->brokers, "a broker has a port above 0");
    if (kafka->brokers.count > 0 &&
        kafka->logs_topics.count + kafka->traces_topics.count + kafka->metrics_topics.count == 0)
        complain(in, &kafka->brokers, "no topics to read");
}

/* A file that cannot be read now could not be when it is needed. A secret is its owner's alone;
 * a group may be the daemon's. */
static void check_file(const fl_config_checks *in, const fl_config_told *told)
{
    struct stat about;
    const char *path;
    memcpy(&path, told->member, sizeof(path));
    if (path == NULL)
        return;
    if (stat(path, &about) != 0 || access(path, R_OK) != 0)
        complain(in, told->member, "cannot read %.120s: %s", path, strerror(errno));
    else if (!S_ISREG(about.st_mode))
        complain(in, told->member, "%.120s is not a file", path);
    else if (told->field->kind == FL_CONFIG_SECRET && (about.st_mode & (S_IROTH | S_IWOTH)) != 0)
        in->complain(in->payload, told->member, false,
                     "everybody on this machine can read or write the secret: chmod o-rw");
}

/* Of each member the newest entry alone counts. */
static void check_files(const fl_config_checks *in)
{
    const fl_config_whole *whole = (const fl_config_whole *)in->config;
    for (const fl_config_told *told = whole->told; told != NULL; told = told->next) {
        bool is_file =
            told->field->kind == FL_CONFIG_FILE_NAME || told->field->kind == FL_CONFIG_SECRET;
        if (is_file && fl_config_where(in->config, told->member) == &told->place)
            check_file(in, told);
    }
}

void fl_config_check(const fl_config_checks *in)
{
    assert(in != NULL && in->complain != NULL);
    check_listen(in);
    check_sources(in);
    check_sizes(in);
    check_rules(in);
    check_kafka(in);
    if (!in->without_files)
        check_files(in);
}
