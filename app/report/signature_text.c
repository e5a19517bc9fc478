/*
 * signature_text.c - the library of signatures for a person: a list, and one of them whole.
 *
 * Conditions are shown in words that stand for the operators of the file, with the meaning of each
 * feature, so that nobody has to look one up to know why a signature holds.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "leak_report.h"
#include "page.h"

enum { BODY = 2, LABEL = 13, CONDITION = 4, VERDICT_AT = 36, VERSION_AT = 52, TITLE_AT = 69 };

/* "go1.24 to go1.26", "up to go1.23", "from go1.24", "all of Go" */
static const char *versions_text(char *out, size_t size, const fl_leak_signature *form)
{
    assert(size >= 32);
    if (form->go_min > 0 && form->go_max > 0)
        snprintf(out, size, "Go 1.%d to 1.%d", form->go_min, form->go_max);
    else if (form->go_max > 0)
        snprintf(out, size, "up to Go 1.%d", form->go_max);
    else if (form->go_min > 0)
        snprintf(out, size, "from Go 1.%d", form->go_min);
    else
        snprintf(out, size, "all of Go");
    return out;
}

/* How many entries from `at` on have the name of the one at `at`. */
static size_t forms_of(const fl_leak_signature *items, size_t count, size_t at)
{
    size_t forms = 1;
    assert(at < count);
    while (at + forms < count && strcmp(items[at].name, items[at + forms].name) == 0)
        forms++;
    return forms;
}

/* Names, verdicts, versions and titles stand below each other. */
fl_status fl_signature_list_text(fl_buf *out, const fl_leak_signature *items, size_t count,
                                 const fl_report_style *style, fl_error *err)
{
    fl_page page = fl_page_on(out, style);
    char versions[48];
    for (size_t i = 0; i < count; i += forms_of(items, count, i)) {
        size_t forms = forms_of(items, count, i);
        fl_page_put(&page, FL_INK_BOLD, items[i].name);
        fl_page_pad(&page, VERDICT_AT);
        fl_page_put(&page, FL_INK_PLAIN, fl_leak_verdict_name(items[i].verdict));
        fl_page_pad(&page, VERSION_AT);
        if (forms == 1)
            fl_page_put(&page, FL_INK_DIM, versions_text(versions, sizeof(versions), &items[i]));
        else
            fl_page_printf(&page, FL_INK_DIM, "%zu forms", forms);
        fl_page_pad(&page, TITLE_AT);
        fl_page_wrap(&page, FL_INK_PLAIN, items[i].title);
        fl_page_newline(&page);
    }
    return fl_buf_check(out, "the list", err);
}

/* A feature's meaning, then what it is compared with, then what that means. */
static void write_condition(fl_page *page, const fl_leak_condition *condition)
{
    static const char *const words[FL_LEAK_OP_COUNT] = {"is at least", "is at most", "matches",
                                                        "has nothing that matches"};
    const fl_leak_feature_info *info = fl_leak_feature_info_of(condition->feature);
    char text[256];
    assert(condition->op < FL_LEAK_OP_COUNT && info->is_text == (condition->pattern != NULL));
    fl_page_pad(page, CONDITION);
    fl_page_put(page, FL_INK_BOLD, info->name);
    if (condition->pattern != NULL)
        snprintf(text, sizeof(text), " %s", words[condition->op]);
    else
        snprintf(text, sizeof(text), " %s %.9g%s%s", words[condition->op], condition->value,
                 info->unit[0] != '\0' ? " " : "", info->unit);
    fl_page_put(page, FL_INK_PLAIN, text);
    fl_page_printf(page, FL_INK_DIM, " (%s)", info->text);
    fl_page_newline(page);
    if (condition->pattern != NULL) {
        fl_page_pad(page, CONDITION + 4);
        fl_page_put(page, FL_INK_PLAIN, condition->pattern); /* as it is, to be copied */
        fl_page_newline(page);
    }
    if (condition->text != NULL) {
        fl_page_pad(page, CONDITION + 4);
        fl_page_wrap(page, FL_INK_DIM, condition->text);
        fl_page_newline(page);
    }
}

/* Nothing, not even its title, for an empty list. */
static void write_conditions(fl_page *page, const char *title, const fl_leak_condition *items,
                             size_t count)
{
    if (count == 0)
        return;
    fl_page_pad(page, BODY);
    fl_page_put(page, FL_INK_DIM, title);
    fl_page_newline(page);
    for (size_t i = 0; i < count; i++)
        write_condition(page, &items[i]);
}

/* One way to look. */
static void write_form(fl_page *page, const fl_leak_signature *form)
{
    char versions[48];
    fl_page_newline(page);
    fl_page_printf(page, FL_INK_BOLD, "Versions: %s",
                   versions_text(versions, sizeof(versions), form));
    fl_page_printf(page, FL_INK_PLAIN, ", right in %.0f of 100 where all of it holds",
                   100 * form->prior);
    fl_page_newline(page);
    write_conditions(page, "all of", form->must, form->must_count);
    write_conditions(page, "one of", form->any, form->any_count);
    write_conditions(page, "speaks against it", form->against, form->against_count);
}

/* A dim word and a text under itself. */
static void labelled(fl_page *page, const char *name, const char *text)
{
    fl_page_labelled(page, (fl_page_row){BODY, LABEL}, name, FL_INK_PLAIN, text);
}

/* Code, line by line as it is. */
static void write_sketch(fl_page *page, const char *sketch)
{
    while (sketch != NULL && *sketch != '\0') {
        size_t len = strcspn(sketch, "\n");
        char line[512];
        snprintf(line, sizeof(line), "%.*s", (int)(len < sizeof(line) ? len : sizeof(line) - 1),
                 sketch);
        fl_page_pad(page, CONDITION);
        fl_page_put(page, FL_INK_DIM, line);
        fl_page_newline(page);
        sketch += len + (sketch[len] == '\n');
    }
}

fl_status fl_signature_text(fl_buf *out, const fl_leak_signature *forms, size_t count,
                            const fl_report_style *style, fl_error *err)
{
    assert(count > 0);
    fl_page page = fl_page_on(out, style);
    fl_page_put(&page, FL_INK_BOLD, forms[0].name);
    fl_page_put(&page, FL_INK_PLAIN, ": ");
    fl_page_wrap(&page, FL_INK_PLAIN, forms[0].title);
    fl_page_newline(&page);
    labelled(&page, "verdict", fl_leak_verdict_name(forms[0].verdict));
    labelled(&page, "about", fl_leak_subject_name(forms[0].subject));
    for (size_t i = 0; i < count; i++)
        write_form(&page, &forms[i]);
    fl_page_newline(&page);
    labelled(&page, "why", forms[0].cause);
    labelled(&page, "do", forms[0].fix);
    write_sketch(&page, forms[0].sketch);
    for (size_t i = 0; i < forms[0].reference_count; i++) {
        fl_page_pad(&page, BODY);
        fl_page_put(&page, FL_INK_DIM, i == 0 ? "see" : "");
        fl_page_pad(&page, LABEL);
        fl_page_put(&page, FL_INK_PLAIN, forms[0].references[i]);
        fl_page_newline(&page);
    }
    return fl_buf_check(out, "the signature", err);
}
