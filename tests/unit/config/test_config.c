/*
 * test_config.c - what is read of a configuration, who wins, and each mistake's own sentence.
 */
#include "fl_folder.h"
#include "fl_test.h"

#include <stdio.h>
#include <sys/stat.h>

#include "config.h"
#include "config_priv.h"
#include "mem.h"
#include "timestamp.h"

/* Everything that was said. */
struct heard {
    char text[4096];
    size_t mistakes, notices;
};

static void hear(void *payload, bool is_mistake, const char *sentence)
{
    struct heard *heard = payload;
    size_t used = strlen(heard->text);
    snprintf(heard->text + used, sizeof(heard->text) - used, "%s\n", sentence);
    *(is_mistake ? &heard->mistakes : &heard->notices) += 1;
}

static fl_status load(fl_config **out, struct heard *heard, const char *text, fl_error *err)
{
    const fl_config_input input = {.path = "c.yaml",
                                   .text = SLICE(text),
                                   .without_files = true,
                                   .say = hear,
                                   .payload = heard};
    *heard = (struct heard){0};
    return fl_config_load(out, &input, err);
}

/* Of a text that is right. */
static fl_config *good(const char *text)
{
    fl_config *config;
    struct heard heard;
    fl_error err = {0};
    ck_assert_ok(load(&config, &heard, text, &err));
    ck_assert_str_eq(heard.text, "");
    return config;
}

/* ---- what is read ---- */

START_TEST(without_a_word_everything_is_as_by_default)
{
    fl_config *config;
    fl_error err = {0};
    ck_assert_ok(fl_config_load(&config, &(fl_config_input){0}, &err));
    ck_assert_uint_eq(config->listen.http.count, 1);
    ck_assert_str_eq(config->listen.http.items[0].host, "127.0.0.1");
    ck_assert_uint_eq(config->listen.http.items[0].port, 4318);
    ck_assert_uint_eq(config->limits.body_bytes, 64u << 20);
    ck_assert_int_eq(config->archive.durability, FL_CONFIG_DURABLE_BATCH);
    ck_assert_int_eq(config->archive.retention_ns, 7 * 24 * 3600 * FL_NS_PER_S);
    ck_assert_ptr_null(config->archive.folder);
    ck_assert(config->incidents.enabled && !config->listen.allow_unauthenticated);
    ck_assert_uint_eq(config->sources.prometheus.count, 0);
    ck_assert_int_eq(fl_config_where(config, &config->listen.http)->origin, FL_CONFIG_DEFAULT);
    fl_config_destroy(config);
}
END_TEST

START_TEST(comments_alone_are_a_configuration)
{
    fl_config_destroy(good(""));
    fl_config_destroy(good("# nothing\n\n   # at all\n---\n"));
    fl_config_destroy(good("listen:\n  # http: 127.0.0.1:1\nsources:\n  loki:\n"));
}
END_TEST

START_TEST(the_file_wins_over_the_default_and_says_where)
{
    fl_config *config =
        good("limits:\n  body: 16MiB\nlisten:\n  http: [ 127.0.0.1:0, '[::1]:99' ]\n"
             "  grpc: off\n  loki: localhost:1, 127.0.0.2:2\n  zipkin: []\n");
    ck_assert_uint_eq(config->limits.body_bytes, 16u << 20);
    ck_assert_uint_eq(config->listen.http.count, 2);
    ck_assert_str_eq(config->listen.http.items[1].host, "::1");
    ck_assert_uint_eq(config->listen.http.items[1].port, 99);
    ck_assert_uint_eq(config->listen.grpc.count, 0);
    ck_assert_uint_eq(config->listen.zipkin.count, 0);
    ck_assert_uint_eq(config->listen.loki.count, 2);
    const fl_config_place *place = fl_config_where(config, &config->limits.body_bytes);
    ck_assert_int_eq(place->origin, FL_CONFIG_FILE);
    ck_assert_str_eq(place->key, "limits.body");
    ck_assert_uint_eq(place->line, 2);
    ck_assert_uint_eq(place->column, 3);
    fl_config_destroy(config);
}
END_TEST

START_TEST(sources_are_mappings_with_their_own_defaults)
{
    fl_config *config = good("sources:\n"
                             "  prometheus:\n"
                             "    - url: http://p:9090/\n"
                             "      queries:\n"
                             "        - query: up\n"
                             "        - {query: 'rate(a[1m])', name: a_rate}\n"
                             "    - {name: two, url: 'https://[::1]:9090/prom', timeout: 5s}\n"
                             "  pprof:\n"
                             "    - prometheus: two\n"
                             "      profiles: [heap]\n"
                             "      targets: [{service: a, url: 'http://a:6060/debug/pprof'}]\n");
    const fl_config_source *first = &config->sources.prometheus.items[0];
    ck_assert_str_eq(first->name, "prometheus");
    ck_assert_str_eq(first->url, "http://p:9090");
    ck_assert_uint_eq(first->queries.count, 2);
    ck_assert_str_eq(first->queries.items[1].name, "a_rate");
    ck_assert_ptr_null(first->queries.items[0].name);
    ck_assert_int_eq(first->access.timeout_ns, 30 * FL_NS_PER_S);
    ck_assert_int_eq(config->sources.prometheus.items[1].access.timeout_ns, 5 * FL_NS_PER_S);
    ck_assert_str_eq(config->sources.prometheus.items[1].name, "two");
    const fl_config_pprof *pprof = &config->sources.pprof.items[0];
    ck_assert_uint_eq(pprof->profiles.count, 1);
    ck_assert_str_eq(pprof->targets.items[0].service, "a");
    ck_assert_str_eq(fl_config_where(config, &pprof->targets.items[0].url)->key,
                     "sources.pprof[0].targets[0].url");
    fl_config_destroy(config);
}
END_TEST

START_TEST(a_variable_wins_over_the_file_and_a_flag_over_both)
{
    const char *const environment[] = {"HOME=/x",
                                       "FAULTLINE_LIMITS_BODY=2MB",
                                       "FAULTLINE_LISTEN_HTTP=127.0.0.1:5,[::1]:6",
                                       "FAULTLINE_LISTEN_TLS_CERT_FILE=a.pem",
                                       "FAULTLINE_LISTEN_TLS_KEY_FILE=/b.pem",
                                       NULL};
    const char *const values[] = {"127.0.0.1:7", "127.0.0.1:8"}, *const folder[] = {"data"};
    const fl_config_flag flags[] = {{"--listen", "listen.http", values, 2},
                                    {"--data", "archive.folder", folder, 1}};
    const fl_config_input input = {.path = "/etc/f/c.yaml",
                                   .text = SLICE("limits: {body: 1MB, headers: 2KiB}\n"
                                                 "listen: {http: '127.0.0.1:1'}\n"
                                                 "archive: {folder: elsewhere}\n"),
                                   .environment = environment,
                                   .flags = flags,
                                   .flag_count = 2,
                                   .without_files = true};
    fl_config *config;
    fl_error err = {0};
    ck_assert_ok(fl_config_load(&config, &input, &err));
    ck_assert_uint_eq(config->limits.body_bytes, 2000000);
    ck_assert_uint_eq(config->limits.header_bytes, 2048);
    ck_assert_uint_eq(config->listen.http.count, 2);
    ck_assert_uint_eq(config->listen.http.items[1].port, 8);
    ck_assert_str_eq(config->listen.cert_file, "a.pem");
    ck_assert_str_eq(config->archive.folder, "data");
    ck_assert_str_eq(fl_config_where(config, &config->listen.http)->source, "--listen");
    const fl_config_place *place = fl_config_where(config, &config->limits.body_bytes);
    ck_assert_str_eq(place->source, "FAULTLINE_LIMITS_BODY");
    ck_assert_str_eq(place->key, "limits.body");
    ck_assert_fails(FL_E_IO, fl_config_fail(config, &config->limits.header_bytes, FL_E_IO, &err,
                                            "it is %d", 3));
    ck_assert_str_eq(err.message, "/etc/f/c.yaml:1:21: limits.headers: it is 3");
    fl_config_destroy(config);
}
END_TEST

START_TEST(files_are_found_beside_the_configuration_and_secrets_among_the_credentials)
{
    fl_folder folder, secrets;
    fl_config *config;
    fl_error err = {0};
    char expected[600];
    fl_folder_open(&folder);
    fl_folder_open(&secrets);
    fl_folder_write(&secrets, "hook", SLICE("s3cret\n"));
    fl_folder_write(&folder, "lab", SLICE("t0ken\r\n"));
    chmod(fl_folder_path(&secrets, "hook"), 0600);
    chmod(fl_folder_path(&folder, "lab"), 0600);
    const char *path = fl_folder_write(
        &folder, "c.yaml",
        SLICE("webhooks: {github: {secret_file: hook}, gitlab: {token_file: lab}}\n"));
    const fl_config_input input = {.path = path, .credentials = secrets.path};
    ck_assert_ok(fl_config_load(&config, &input, &err));
    snprintf(expected, sizeof(expected), "%s/hook", secrets.path);
    ck_assert_str_eq(config->webhooks.github_secret_file, expected);
    snprintf(expected, sizeof(expected), "%s/lab", folder.path);
    ck_assert_str_eq(config->webhooks.gitlab_token_file, expected);
    fl_buf secret = fl_buf_of(100);
    ck_assert_ok(fl_config_secret(&secret, config->webhooks.gitlab_token_file, &err));
    ck_assert_str_eq(secret.ptr, "t0ken");
    fl_buf_dispose(&secret);
    fl_config_destroy(config);
    fl_folder_remove(&folder);
    fl_folder_remove(&secrets);
}
END_TEST

/* ---- what is refused ---- */

static const struct {
    const char *text, *said;
} mistakes[] = {
    {"listen: {htpp: '127.0.0.1:1'}",
     "c.yaml:1:10: listen: there is no setting 'htpp'; did you mean 'http'?"},
    {"lissten: {}", "c.yaml:1:1: there is no section 'lissten'; did you mean 'listen'?"},
    {"nonsense: {}",
     "c.yaml:1:1: there is no section 'nonsense'; 'faultline config example' shows all"},
    {"- 1", "c.yaml:1:1: a configuration is a mapping of sections"},
    {"listen: 5", "c.yaml:1:1: listen: this is a mapping"},
    {"listen: {http: {a: b}}", "c.yaml:1:10: listen.http: this is a list of texts"},
    {"listen: {http: [[a]]}", "c.yaml:1:17: listen.http: an item is a text"},
    {"limits: {body: [1]}", "c.yaml:1:10: limits.body: this is one value"},
    {"limits:\n  body:\n", "c.yaml:2:3: limits.body: the value is empty"},
    {"limits: {body: lots}",
     "c.yaml:1:10: limits.body: 'lots' is not a size like 64MiB, 2GB or 800000"},
    {"limits: {body: 12}", "c.yaml:1:10: limits.body: '12' is less than 1024 bytes"},
    {"limits: {workers: 0123456}",
     "c.yaml:1:10: limits.workers: '0123456' is not a whole number from 0 to 1024"},
    {"limits: {idle_timeout: 12:30:00}",
     "c.yaml:1:10: limits.idle_timeout: '12:30:00' is not a duration like 90s, 5m, 250ms or 1h30m"},
    {"archive: {seal_after: 10ms}", "c.yaml:1:11: archive.seal_after: '10ms' is less than 1s"},
    {"archive: {durability: disk}",
     "c.yaml:1:11: archive.durability: 'disk' is none of batch, memory"},
    {"incidents: {enabled: no}", "c.yaml:1:13: incidents.enabled: 'no' is neither true nor false"},
    {"sources: {pprof: [{targets_file: a, overhead: 2}]}",
     "c.yaml:1:37: sources.pprof[0].overhead: '2' is not a number from 0 to 1"},
    {"sources: {pprof: [{targets_file: a, profiles: [heap, cpu]}]}",
     "c.yaml:1:54: sources.pprof[0].profiles: 'cpu' is none of heap, allocs, goroutine,"
     " goroutineleak, mutex, block, profile"},
    {"listen: {http: 4318}", "c.yaml:1:10: listen.http: '4318' is not an address with a port, like"
                             " 127.0.0.1:4318 or [::1]:4318"},
    {"listen: {http: 'a b:1'}", "c.yaml:1:10: listen.http: 'a b:1' is not an address with a port,"
                                " like 127.0.0.1:4318 or [::1]:4318"},
    {"listen: {http: '127.0.0.1:65536'}",
     "c.yaml:1:10: listen.http: '127.0.0.1:65536' is not an address with a port, like"
     " 127.0.0.1:4318 or [::1]:4318"},
    {"listen: {http: '[1:2]:80'}",
     "c.yaml:1:10: listen.http: '[1:2]:80' has no IPv6 address between its brackets"},
    {"sources: {loki: {url: 'http://a'}}", "c.yaml:1:11: sources.loki: this is a list of mappings"},
    {"sources: {loki: [x]}", "c.yaml:1:18: sources.loki[0]: an entry is a mapping"},
    {"sources: {loki: [{name: a}]}", "c.yaml:1:18: sources.loki[0]: url is missing"},
    {"sources: {loki: [{url: 'ftp://a'}]}",
     "c.yaml:1:19: sources.loki[0].url: 'ftp://a' is not a URL that begins with http:// or"
     " https://"},
    {"sources: {loki: [{url: 'http://'}]}",
     "c.yaml:1:19: sources.loki[0].url: 'http://' is a URL without a host"},
    {"sources: {loki: [{url: 'http://a:x/'}]}",
     "c.yaml:1:19: sources.loki[0].url: 'http://a:x/' is a URL whose port is not a number"},
    {"sources: {loki: [{url: 'http://a/#b'}]}",
     "c.yaml:1:19: sources.loki[0].url: 'http://a/#b' is a URL with a '#', which is sent to no"
     " server"},
    {"sources: {loki: [{url: 'http://a b'}]}",
     "c.yaml:1:19: sources.loki[0].url: 'http://a b' is not a URL: it holds white space"},
    {"sources: {loki: [{url: 'http://me:pw@a'}]}",
     "c.yaml:1:19: sources.loki[0].url: a password does not stand in a URL; give user and"
     " password_file"},
    {"store: {url: 'postgresql://me:pw@db/x'}",
     "c.yaml:1:9: store.url: a password does not stand in a URL; add ?passfile=FILE, as libpq reads"
     " it"},
    {"sources: {loki: [{url: 'http://a', password: pw}]}",
     "c.yaml:1:36: sources.loki[0]: there is no setting 'password': a secret does not stand in this"
     " file; name the file that holds it with 'password_file'"},
    {"sources: {loki: [{url: 'http://a', token: pw}]}",
     "c.yaml:1:36: sources.loki[0]: there is no setting 'token': a secret does not stand in this"
     " file; name the file that holds it with 'bearer_file'"},
    {"redaction: {rules: [{name: a, pattern: '('}]}",
     "c.yaml:1:31: redaction.rules[0].pattern: pattern '(': missing closing parenthesis"},
    /* between settings */
    {"listen: {tls: {cert_file: a}}",
     "c.yaml:1:16: listen.tls.cert_file: key_file is missing beside it"},
    {"listen: {tls: {client_ca_file: a}}",
     "c.yaml:1:16: listen.tls.client_ca_file: cert_file is missing beside it"},
    {"listen: {loki: '127.0.0.1:4318'}",
     "c.yaml:1:10: listen.loki: 127.0.0.1:4318 is an address of listen.http too"},
    {"listen: {http: '*:1'}",
     "c.yaml:1:10: listen.http: 0.0.0.0 is beyond loopback, where anybody could send and ask: give"
     " listen.tokens_file or listen.tls.client_ca_file, or say listen.allow_unauthenticated"},
    {"limits: {body: 1GiB}",
     "c.yaml:1:10: limits.body: this is more than limits.memory: such a body"
     " would never be taken"},
    {"archive: {wal_size: 2MiB}",
     "archive.seal_size: this is more than archive.wal_size: the log would be full before"},
    {"archive: {retention_time: 1m}",
     "archive.seal_after: this is longer than archive.retention_time"},
    {"incidents: {sustained: 3h}",
     "c.yaml:1:13: incidents.sustained: this is not shorter than incidents.baseline"},
    {"sources: {loki: [{url: 'http://a', user: u}]}",
     "c.yaml:1:36: sources.loki[0].user: password_file is missing beside it"},
    {"sources: {loki: [{url: 'http://a', timeout: 1s}]}",
     "sources.loki[0].connect_timeout: this is longer than timeout"},
    {"sources: {loki: [{url: 'http://a', name: a}], tempo: [{url: 'http://a', name: a}]}",
     "c.yaml:1:73: sources.tempo[0].name: another source is called 'a'"},
    {"sources: {pprof: [{name: a}]}",
     "sources.pprof[0].targets: nobody to ask: give targets, targets_file or prometheus"},
    {"sources: {pprof: [{prometheus: p}]}",
     "c.yaml:1:20: sources.pprof[0].prometheus: no source under sources.prometheus is called 'p'"},
    {"sources: {pprof: [{targets_file: p, path: x}]}",
     "c.yaml:1:37: sources.pprof[0].path: 'x' does not begin with '/'"},
    {"redaction: {rules: [{name: a, pattern: x}, {name: a, pattern: y}]}",
     "c.yaml:1:45: redaction.rules[1].name: another rule is called 'a'"},
    {"kafka: {brokers: 'a:0'}", "c.yaml:1:9: kafka.brokers: a broker has a port above 0"},
    {"kafka: {brokers: 'a:1', logs_topics: [], traces_topics: [], metrics_topics: []}",
     "c.yaml:1:9: kafka.brokers: no topics to read"},
    /* YAML itself */
    {"listen: {http: 1, http: 2}", "c.yaml:1:19: this key is given twice"},
    {"listen: [", "c.yaml:2:1: did not find expected node content"},
};

START_TEST(each_mistake_is_said_with_its_place)
{
    fl_config *config;
    struct heard heard;
    fl_error err = {0};
    ck_assert_fails(FL_E_SYNTAX, load(&config, &heard, mistakes[_i].text, &err));
    ck_assert_ptr_null(config);
    heard.text[strcspn(heard.text, "\n")] = '\0';
    ck_assert_str_eq(heard.text, mistakes[_i].said);
    ck_assert_uint_eq(heard.mistakes, 1);
    ck_assert_msg(strncmp(err.message, mistakes[_i].said, 150) == 0, "%s", err.message);
}
END_TEST

START_TEST(all_mistakes_are_told_at_once)
{
    fl_config *config;
    struct heard heard;
    fl_error err = {0};
    ck_assert_fails(FL_E_SYNTAX,
                    load(&config, &heard, "limits:\n  body: x\n  boddy: 1\nlisten: 1\n", &err));
    ck_assert_uint_eq(heard.mistakes, 3);
    ck_assert_str_eq(heard.text,
                     "c.yaml:2:3: limits.body: 'x' is not a size like 64MiB, 2GB or 800000\n"
                     "c.yaml:3:3: limits: there is no setting 'boddy'; did you mean 'body'?\n"
                     "c.yaml:4:1: listen: this is a mapping\n");
    ck_assert_str_eq(err.message,
                     "c.yaml:2:3: limits.body: 'x' is not a size like 64MiB, 2GB or 800000");
}
END_TEST

START_TEST(mistakes_in_variables_and_flags_name_them)
{
    const char *const environment[] = {"FAULTLINE_LIMITS_BODY=x", "FAULTLINE_LIMITS_BODDY=1",
                                       "FAULTLINE_PORT=tcp://10.0.0.1:80", NULL};
    const char *const values[] = {"nowhere"};
    const fl_config_flag flag = {"--listen", "listen.http", values, 1};
    struct heard heard = {0};
    const fl_config_input input = {.environment = environment,
                                   .flags = &flag,
                                   .flag_count = 1,
                                   .say = hear,
                                   .payload = &heard};
    fl_config *config;
    ck_assert_fails(FL_E_SYNTAX, fl_config_load(&config, &input, NULL));
    ck_assert_str_eq(heard.text,
                     "FAULTLINE_LIMITS_BODY: 'x' is not a size like 64MiB, 2GB or 800000\n"
                     "FAULTLINE_LIMITS_BODDY: no setting has this variable; did you mean"
                     " 'FAULTLINE_LIMITS_BODY'?\n"
                     "FAULTLINE_PORT: no setting has this variable\n"
                     "--listen: 'nowhere' is not an address with a port, like 127.0.0.1:4318 or"
                     " [::1]:4318\n");
    ck_assert_uint_eq(heard.mistakes, 2);
    ck_assert_uint_eq(heard.notices, 2);
}
END_TEST

START_TEST(files_that_are_not_there_are_mistakes_and_open_secrets_are_noticed)
{
    fl_folder folder;
    struct heard heard = {0};
    fl_config *config;
    fl_error err = {0};
    char said[1024];
    fl_folder_open(&folder);
    fl_folder_write(&folder, "open", SLICE("x"));
    chmod(fl_folder_path(&folder, "open"), 0644);
    const char *path = fl_folder_write(&folder, "c.yaml",
                                       SLICE("webhooks: {github: {secret_file: none}, gitlab:"
                                             " {token_file: open}}\n"));
    const fl_config_input input = {.path = path, .say = hear, .payload = &heard};
    ck_assert_fails(FL_E_SYNTAX, fl_config_load(&config, &input, &err));
    snprintf(
        said, sizeof(said),
        "%s:1:50: webhooks.gitlab.token_file: everybody on this machine can read or write the"
        " secret: chmod o-rw\n"
        "%s:1:21: webhooks.github.secret_file: cannot read %s/none: No such file or directory\n",
        path, path, folder.path);
    ck_assert_str_eq(heard.text, said);
    fl_folder_remove(&folder);
    const fl_config_input missing = {.path = "/nowhere/c.yaml"};
    err = (fl_error){0};
    ck_assert_fails(FL_E_NOTFOUND, fl_config_load(&config, &missing, &err));
}
END_TEST

START_TEST(a_secret_is_one_line)
{
    static const struct {
        const char *text, *said;
    } bad[] = {
        {"", "holds no secret"}, {"\n", "holds no secret"}, {"a\nb\n", "holds more than one line"}};
    fl_folder folder;
    char said[200];
    fl_folder_open(&folder);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fl_buf secret = fl_buf_of(100);
        fl_error err = {0};
        const char *path = fl_folder_write(&folder, "s", SLICE(bad[i].text));
        ck_assert_fails(FL_E_SYNTAX, fl_config_secret(&secret, path, &err));
        snprintf(said, sizeof(said), "%s %s", path, bad[i].said);
        ck_assert_str_eq(err.message, said);
        fl_buf_dispose(&secret);
    }
    fl_folder_remove(&folder);
}
END_TEST

/* ---- reloading ---- */

static void note_change(void *payload, const char *key, bool can_reload)
{
    struct heard *heard = payload;
    hear(heard, !can_reload, key);
}

START_TEST(a_reload_tells_what_differs_and_what_can_be_taken_over)
{
    fl_config *before = good("limits: {body: 1MiB}\nsources: {loki: [{url: 'http://a'}]}\n");
    fl_config *same = good("# moved\nsources:\n  loki:\n    - url: http://a\nlimits:\n"
                           "  body: 1024KiB\n");
    fl_config *after = good("limits: {body: 2MiB, client_rate: 9}\nlisten: {http: '127.0.0.1:1'}\n"
                            "sources: {loki: [{url: 'http://b'}]}\n");
    struct heard heard = {0};
    ck_assert_uint_eq(fl_config_compare(before, same, note_change, &heard), 0);
    ck_assert_uint_eq(fl_config_compare(before, after, note_change, &heard), 4);
    ck_assert_str_eq(heard.text, "listen.http\nlimits.body\nlimits.client_rate\nsources.loki\n");
    ck_assert_uint_eq(heard.notices, 2); /* the rate and the sources are taken over */
    fl_config_destroy(before);
    fl_config_destroy(same);
    fl_config_destroy(after);
}
END_TEST

/* ---- the table ---- */

static bool check_row(void *payload, const fl_config_field *const *path, size_t depth)
{
    struct heard *seen = payload;
    const fl_config_field *field = path[depth - 1];
    char key[FL_CONFIG_KEY_BYTES], variable[FL_CONFIG_KEY_BYTES + 2];
    bool is_group = field->kind == FL_CONFIG_SECTION || field->kind == FL_CONFIG_ITEMS;
    fl_config_key(key, path, depth);
    ck_assert_msg(field->help != NULL && field->help[strlen(field->help) - 1] != '.', "%s", key);
    ck_assert_msg(is_group == (field->group != NULL), "%s", key);
    ck_assert_msg(is_group || (field->fallback != NULL) != (field->example != NULL), "%s", key);
    ck_assert_msg(field->kind != FL_CONFIG_COUNT || field->most > 0, "%s", key);
    if (!is_group && fl_config_variable(variable, path, depth)) {
        strncat(variable, "\n", 2);
        ck_assert_msg(strstr(seen->text, variable) == NULL, "%s is not unique", variable);
        strncat(seen->text, variable, sizeof(seen->text) - strlen(seen->text) - 1);
    }
    return true;
}

START_TEST(each_row_of_the_table_is_whole)
{
    struct heard seen = {0};
    ck_assert(fl_config_walk(check_row, &seen));
}
END_TEST

static const char whole_text[] =
    "listen: {http: '127.0.0.1:1', loki: [ '[::1]:2' ], tls: {cert_file: a, key_file: b}}\n"
    "sources:\n  prometheus:\n  - {url: 'http://a', queries: [{query: up}]}\n  - url: http://b\n"
    "redaction: {without: [email], rules: [{name: a, pattern: 'x+'}]}\n";

START_TEST(every_failing_allocation_is_an_error_and_nothing_leaks)
{
    const char *const environment[] = {"FAULTLINE_LIMITS_BODY=2MB", NULL};
    const fl_config_input input = {.path = "c.yaml",
                                   .text = SLICE(whole_text),
                                   .environment = environment,
                                   .without_files = true};
    fl_config *config;
    bool failed = true;
    for (long n = 0; failed; n++) {
        fl_mem_fail_after(n);
        fl_status status = fl_config_load(&config, &input, NULL);
        fl_mem_fail_after(-1);
        failed = status != FL_OK;
        ck_assert(!failed || status == FL_E_NOMEM);
        fl_config_destroy(config);
        ck_assert_int_lt(n, 2000);
    }
}
END_TEST

START_TEST(every_prefix_is_read_or_refused)
{
    for (size_t len = 0; len < sizeof(whole_text) - 1; len++) {
        const fl_config_input input = {.path = "c.yaml",
                                       .text = {(const unsigned char *)whole_text, len},
                                       .without_files = true};
        fl_config *config;
        fl_status status = fl_config_load(&config, &input, NULL);
        ck_assert(status == FL_OK || status == FL_E_SYNTAX);
        fl_config_destroy(config);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("config");
    TCase *tests = tcase_create("config");
    tcase_add_test(tests, without_a_word_everything_is_as_by_default);
    tcase_add_test(tests, comments_alone_are_a_configuration);
    tcase_add_test(tests, the_file_wins_over_the_default_and_says_where);
    tcase_add_test(tests, sources_are_mappings_with_their_own_defaults);
    tcase_add_test(tests, a_variable_wins_over_the_file_and_a_flag_over_both);
    tcase_add_test(tests,
                   files_are_found_beside_the_configuration_and_secrets_among_the_credentials);
    tcase_add_loop_test(tests, each_mistake_is_said_with_its_place, 0,
                        (int)(sizeof(mistakes) / sizeof(mistakes[0])));
    tcase_add_test(tests, all_mistakes_are_told_at_once);
    tcase_add_test(tests, mistakes_in_variables_and_flags_name_them);
    tcase_add_test(tests, files_that_are_not_there_are_mistakes_and_open_secrets_are_noticed);
    tcase_add_test(tests, a_secret_is_one_line);
    tcase_add_test(tests, a_reload_tells_what_differs_and_what_can_be_taken_over);
    tcase_add_test(tests, each_row_of_the_table_is_whole);
    tcase_add_test(tests, every_failing_allocation_is_an_error_and_nothing_leaks);
    tcase_add_test(tests, every_prefix_is_read_or_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(suite)
