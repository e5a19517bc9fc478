/*
 * cmd_signatures.c - the library of leak signatures: what is in it, and a test for one's own.
 *
 * Three actions, each with its own operands, share one table of options:
 *   list                    every signature, the forms of one in one line
 *   show NAME...            one whole: what it looks for, why it happens, how to fix it
 *   test FILE [PROFILE...]  whether a file is well formed; on profiles, what its signatures find
 *
 * What test finds is found without the built-in library: one's own signature shall show what it
 * does, and not that another one describes the same bug better.
 */
#include <assert.h>
#include <string.h>

#include "given_signatures.h"
#include "leak_report.h"
#include "page.h"
#include "slice.h"

enum { MAX_SHOWN = 256 };

/* The forms of `name`; 0 where there is no such signature. */
static size_t find(const fl_leak_signature **first, const fl_signatures *library, const char *name)
{
    size_t count, at = 0, forms = 0;
    const fl_leak_signature *items = fl_signatures_items(library, &count);
    while (at < count && strcmp(items[at].name, name) != 0)
        at++;
    while (at + forms < count && strcmp(items[at + forms].name, name) == 0)
        forms++;
    *first = items + at;
    return forms;
}

/* The nearest name is shown and never taken. */
static fl_status unknown(const fl_signatures *library, const char *name, fl_error *err)
{
    const char *names[MAX_SHOWN];
    size_t count, kept = 0;
    const fl_leak_signature *items = fl_signatures_items(library, &count);
    for (size_t i = 0; i < count && kept < FL_COUNT(names); i++)
        names[kept++] = items[i].name;
    const char *near = fl_nearest(name, names, kept);
    return near != NULL ? fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET,
                                  "there is no signature '%.48s'; did you mean '%s'?", name, near)
                        : fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET,
                                  "there is no signature '%.48s'; 'faultline signatures list' shows"
                                  " all",
                                  name);
}

/* By name. */
static fl_exit run_list(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    fl_signatures *library = NULL;
    fl_buf page = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    size_t count;
    fl_status status = fl_given_signatures(&library, args, &err);
    if (status == FL_OK) {
        const fl_leak_signature *items = fl_signatures_items(library, &count);
        status = fl_args_wants_json(args)
                     ? fl_signature_json(&page, items, count, &err)
                     : fl_signature_list_text(&page, items, count, &cli->style, &err);
    }
    fl_exit code = fl_cli_finish(cli, &page, status, &err);
    fl_signatures_destroy(library);
    return code;
}

/* One after the other, with an empty line between; JSON is one array. */
static fl_exit run_show(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    fl_signatures *library = NULL;
    fl_buf page = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_leak_signature shown[MAX_SHOWN];
    size_t shown_count = 0;
    fl_status status = fl_given_signatures(&library, args, &err);
    for (size_t i = 0; status == FL_OK && i < args->more_count; i++) {
        const fl_leak_signature *forms;
        size_t count = find(&forms, library, args->more[i]);
        if (count == 0)
            status = unknown(library, args->more[i], &err);
        else if (!fl_args_wants_json(args))
            status = fl_signature_text(&page, forms, count, &cli->style, &err);
        for (size_t k = 0; k < count && shown_count < MAX_SHOWN; k++)
            shown[shown_count++] = forms[k];
        if (status == FL_OK && !fl_args_wants_json(args) && i + 1 < args->more_count)
            fl_buf_char(&page, '\n');
    }
    if (status == FL_OK && fl_args_wants_json(args))
        status = fl_signature_json(&page, shown, shown_count, &err);
    fl_exit code = fl_cli_finish(cli, &page, status, &err);
    fl_signatures_destroy(library);
    return code;
}

/* ---- test ---- */

/* What a file's signatures find on their own: no built-in one competes. */
static fl_status judge_with(fl_buf *out, fl_cli *cli, const fl_args *args, fl_error *err)
{
    const char *file = args->more[0];
    fl_leak_run *run = NULL;
    fl_page page = fl_page_on(out, &cli->style);
    const fl_leak_request request = {.inputs = args->more + 1,
                                     .input_count = args->more_count - 1,
                                     .signatures = &file,
                                     .signature_count = 1,
                                     .without_built_in = true};
    fl_status status = fl_leak_run_create(&run, &request, err);
    if (status != FL_OK)
        return status;
    const fl_leak_report *report = fl_leak_run_report(run);
    size_t matched = 0;
    for (size_t i = 0; i < report->finding_count; i++) {
        const fl_leak_finding *finding = &report->findings[i];
        if (finding->signature == NULL)
            continue;
        matched++;
        fl_page_printf(&page, FL_INK_BOLD, "%s", finding->signature->name);
        fl_page_printf(&page, FL_INK_PLAIN, " holds for %.300s (%s, %.2f)",
                       finding->function != NULL ? finding->function : "the program",
                       fl_leak_verdict_name(finding->verdict), finding->confidence);
        fl_page_newline(&page);
    }
    if (matched == 0) {
        fl_page_printf(&page, FL_INK_PLAIN, "none of them holds; the verdict is %s",
                       fl_leak_verdict_name(report->verdict));
        fl_page_newline(&page);
    }
    fl_leak_run_destroy(run);
    return FL_OK;
}

/* Names, lines and conditions first: they are shown also where there are no profiles. */
static fl_exit run_test(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    fl_signatures *library = NULL;
    fl_buf page = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    size_t count = 0, own = 0;
    fl_status status = fl_signatures_create(&library, &err);
    if (status == FL_OK)
        status = fl_signatures_add_built_in(library, &err);
    if (status == FL_OK)
        fl_signatures_items(library, &count);
    if (status == FL_OK) /* own ones replace built-in ones: names and all */
        status = fl_signatures_load(library, args->more, 1, &err);
    if (status == FL_OK) {
        const fl_leak_signature *items = fl_signatures_items(library, &count);
        for (size_t i = 0; i < count; i++) {
            size_t line;
            const char *source = fl_signatures_source(library, i, &line);
            if (fl_signatures_origin_of(library, i) != FL_SIGNATURE_OWN)
                continue;
            own++;
            fl_buf_printf(&page, "%s:%zu: %s is well formed (%zu conditions)\n", source, line,
                          items[i].name, items[i].must_count + items[i].any_count);
        }
        if (own == 0)
            fl_buf_text(&page, "no signatures in it\n");
    }
    if (status == FL_OK && args->more_count > 1)
        status = judge_with(&page, cli, args, &err);
    fl_exit code = fl_cli_finish(cli, &page, status, &err);
    fl_signatures_destroy(library);
    return code;
}

/* What each action takes. */
static fl_exit run_signatures(fl_cli *cli, const fl_args *args)
{
    assert(args->operand != NULL); /* required, and one of the actions */
    if (strcmp(args->operand, "list") == 0) {
        if (args->more_count == 0)
            return run_list(cli, args);
        fl_cli_complain(cli, "signatures: list takes no name; 'faultline signatures show %.48s'",
                        args->more[0]);
        return FL_EXIT_USAGE;
    }
    bool is_show = strcmp(args->operand, "show") == 0;
    if (args->more_count == 0) {
        fl_cli_complain(cli, "signatures: %s is missing, as in: faultline signatures %s",
                        is_show ? "NAME" : "FILE",
                        is_show ? "show map-only-grows" : "test own.yaml");
        return FL_EXIT_USAGE;
    }
    return is_show ? run_show(cli, args) : run_test(cli, args);
}

static const fl_option options[] = {
    {.name = "signatures",
     .kind = FL_OPTION_FOLDER,
     .repeatable = true,
     .argument = "DIR",
     .help = "A YAML file with signatures of your own, or a folder of them"},
    FL_OPTION_FORMAT("How to print the answer"),
};

static const char *const actions[] = {"list", "show", "test", NULL};

static const fl_operand operand = {
    .name = "ACTION",
    .help = "list: all signatures; show: those of the names that follow; test: check the file that"
            " follows, and on the profiles behind it what it finds",
    .required = true,
    .choices = actions,
    .more = "NAME|FILE",
    .more_help = "Names of signatures, or a file of them and then profiles",
};

static const fl_example examples[] = {
    {"faultline signatures list", "all kinds of leaks that are known"},
    {"faultline signatures show map-only-grows",
     "what it looks for, why it happens, how to fix it"},
    {"faultline signatures test own.yaml profiles/",
     "whether a file of one's own is well formed, and what it finds in a folder of profiles"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "shown, or well formed"},
    {FL_EXIT_ERROR,
     "there is no such signature, or the file is malformed: line and column are said"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_signatures = {
    .name = "signatures",
    .summary = "list, show and test the kinds of leaks that are known",
    .description =
        "A signature is data: what must be seen in the profiles of a program, in which versions of"
        " its runtime, what speaks against it, and the cause and the fix that it points to. The"
        " built-in ones are compiled in from schemas/signatures; one's own are YAML files of the"
        " same form (schemas/json/signature.schema.json), found in"
        " $XDG_CONFIG_HOME/faultline/signatures or named with --signatures.",
    .options = options,
    .option_count = FL_COUNT(options),
    .operand = &operand,
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_signatures,
};
