/*
 * cmd_config.c - the daemon's configuration: looked at before it is used, shown as it counts, and
 * what can be said in it.
 */
#include <assert.h>
#include <string.h>

#include "args.h"
#include "config_load.h"
#include "serve_redact.h"

enum { MAX_SHOWN_BYTES = 16 << 20 };

/* fl_serve_redact_slow */
static void notice_slow(void *payload, const char *name)
{
    fl_cli_complain(payload,
                    "notice: redaction rule '%s' needs no text of four bytes or more, so it runs on"
                    " every text and costs time",
                    name);
}

/* The rules as the daemon would make them. */
static fl_exit check_redaction(fl_cli *cli, const fl_config *config)
{
    fl_redact_rules *rules = NULL;
    fl_error err = {0};
    fl_status status = fl_serve_redaction(&rules, config, notice_slow, cli, &err);
    fl_redact_rules_destroy(rules);
    return status == FL_OK ? FL_EXIT_OK : fl_cli_fail(cli, &err);
}

/* All mistakes at once, each with its line and column; silence would leave a doubt. */
static fl_exit run_check(fl_cli *cli, const char *path)
{
    fl_config *config = NULL;
    fl_buf page = fl_buf_of(MAX_SHOWN_BYTES);
    fl_exit code = fl_config_of(&config, cli, path, NULL, 0);
    if (code == FL_EXIT_OK)
        code = check_redaction(cli, config);
    if (code == FL_EXIT_OK) {
        fl_buf_printf(&page, "%s is well formed\n", path);
        code = fl_cli_write_buf(cli, &page);
    }
    fl_config_destroy(config);
    return code;
}

/* What counts, of the file where one is given. */
static fl_exit run_show(fl_cli *cli, const char *path)
{
    fl_config *config = NULL;
    fl_error err = {0};
    fl_buf page = fl_buf_of(MAX_SHOWN_BYTES);
    fl_exit code = fl_config_of(&config, cli, path, NULL, 0);
    if (code == FL_EXIT_OK)
        code = fl_cli_finish(cli, &page, fl_config_show(&page, config, &err), &err);
    fl_config_destroy(config);
    return code;
}

/* What the table says about itself. */
static fl_exit run_document(fl_cli *cli, void (*put)(fl_buf *out))
{
    fl_buf page = fl_buf_of(MAX_SHOWN_BYTES);
    put(&page);
    return fl_cli_write_buf(cli, &page);
}

static fl_exit run_config(fl_cli *cli, const fl_args *args)
{
    static const struct {
        const char *name;
        void (*put)(fl_buf *out);
    } documents[] = {{"schema", fl_config_schema},
                     {"example", fl_config_example},
                     {"reference", fl_config_reference}};
    const char *action = args->operand, *path = args->more_count > 0 ? args->more[0] : NULL;
    bool is_check = strcmp(action, "check") == 0, is_show = strcmp(action, "show") == 0;
    assert(action != NULL); /* required, and one of the actions */
    if (args->more_count > (is_check || is_show ? 1u : 0u)) {
        fl_cli_complain(cli, "config: %s takes %s", action,
                        is_check || is_show ? "one file" : "no file");
        return FL_EXIT_USAGE;
    }
    if (is_check && path == NULL) {
        fl_cli_complain(cli, "config: FILE is missing, as in: faultline config check"
                             " /etc/faultline/faultline.yaml");
        return FL_EXIT_USAGE;
    }
    for (size_t i = 0; i < FL_COUNT(documents); i++)
        if (strcmp(action, documents[i].name) == 0)
            return run_document(cli, documents[i].put);
    return is_check ? run_check(cli, path) : run_show(cli, path);
}

static const fl_action check_action = {"check", "FILE",
                                       "Look at a file: every mistake with its line and column"};
static const fl_action show_action = {
    "show", "[FILE]",
    "Show each value that counts, and whether a file, a variable or nobody said it"};
static const fl_action example_action = {
    "example", NULL, "Write a file with everything that can be said, as comments"};
static const fl_action schema_action = {"schema", NULL,
                                        "Write the file's JSON Schema, for editors"};
static const fl_action reference_action = {"reference", NULL,
                                           "Write the table of all settings, as Markdown"};

static const fl_action *const actions[] = {&check_action,  &show_action,      &example_action,
                                           &schema_action, &reference_action, NULL};

static const fl_operand operand = {
    .name = "ACTION",
    .help = "what to do",
    .required = true,
    .actions = actions,
    .more = "FILE",
    .more_help = "A configuration, as YAML",
};

static const fl_example examples[] = {
    {"faultline config example", "everything that can be said, to begin with"},
    {"faultline config check /etc/faultline/faultline.yaml",
     "before the daemon is started with it"},
    {"faultline config show", "what holds where nothing is said"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "well formed, or shown"},
    {FL_EXIT_ERROR, "there are mistakes, or the file cannot be read"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_config = {
    .name = "config",
    .summary = "check and show the daemon's configuration",
    .description =
        "The daemon's configuration is one YAML file of sections (listen, limits, archive, store,"
        " webhooks, sources, incidents, links, redaction, kafka). Whoever speaks last wins: the "
        "default,"
        " the file, the environment, where limits.body is FAULTLINE_LIMITS_BODY and lists are"
        " divided by commas, and the command line. Secrets stand in files of their own, which"
        " settings that end in _file name; a plain name is looked for in $CREDENTIALS_DIRECTORY"
        " first, which systemd's LoadCredential= fills.",
    .operand = &operand,
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_config,
};
