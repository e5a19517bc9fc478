/*
 * config_documents.c - what the table says about itself: a JSON Schema, an example, a reference.
 *
 * None of them is written by hand, so none of them can say what the program does not do.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "config_priv.h"
#include "slice.h"

/* ---- JSON Schema ---- */

/* As a JSON string; the table's texts are ASCII. */
static void put_string(fl_buf *out, const char *text)
{
    fl_buf_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fl_buf_char(out, '\\');
        fl_buf_char(out, *text);
    }
    fl_buf_char(out, '"');
}

static void put_line(fl_buf *out, size_t depth, const char *name)
{
    fl_buf_printf(out, ",\n%*s\"%s\": ", (int)(2 * depth), "", name);
}

/* ["a", "b"] */
static void put_choices(fl_buf *out, const char *const *choices)
{
    fl_buf_char(out, '[');
    for (size_t i = 0; choices[i] != NULL; i++) {
        fl_buf_text(out, i > 0 ? ", " : "");
        put_string(out, choices[i]);
    }
    fl_buf_char(out, ']');
}

/* "type" and what else holds for one value. The patterns let through a little more than the
 * program does. */
static void put_type(fl_buf *out, const fl_config_field *field, size_t depth)
{
    switch (field->kind) {
    case FL_CONFIG_BOOL:
        fl_buf_text(out, "\"type\": \"boolean\"");
        break;
    case FL_CONFIG_COUNT:
        fl_buf_printf(out, "\"type\": \"integer\", \"minimum\": %llu, \"maximum\": %llu",
                      (unsigned long long)field->least, (unsigned long long)field->most);
        break;
    case FL_CONFIG_RATIO:
        fl_buf_text(out, "\"type\": \"number\", \"minimum\": 0, \"maximum\": 1");
        break;
    case FL_CONFIG_SIZE:
        fl_buf_text(out, "\"type\": [\"string\", \"integer\"], \"pattern\": \"^[0-9.]+ *"
                         "([kKMGT]?B|[KMGT]iB|[KMG])?$\"");
        break;
    case FL_CONFIG_DURATION:
        fl_buf_text(out, "\"type\": \"string\", \"pattern\": \"^([0-9]+(d|h|m|s|ms|us|ns))+$\"");
        break;
    case FL_CONFIG_CHOICE:
    case FL_CONFIG_WORD:
        fl_buf_text(out, "\"enum\": ");
        put_choices(out, field->choices);
        break;
    case FL_CONFIG_URL:
        fl_buf_text(out, "\"type\": \"string\", \"pattern\": \"^https?://[^ @#]+$\"");
        break;
    case FL_CONFIG_TEXTS:
    case FL_CONFIG_ADDRESSES:
        fl_buf_text(out, "\"type\": [\"string\", \"array\"]");
        put_line(out, depth, "items");
        fl_buf_text(out, "{\"type\": \"string\"");
        if (field->choices != NULL) {
            fl_buf_text(out, ", \"enum\": ");
            put_choices(out, field->choices);
        }
        fl_buf_char(out, '}');
        break;
    default:
        fl_buf_text(out, "\"type\": \"string\", \"minLength\": 1");
    }
}

static void put_group(fl_buf *out, const fl_config_group *group, size_t depth);

/* One property. A mapping or list may also be empty, which is null. */
static void put_field(fl_buf *out, const fl_config_field *field, size_t depth)
{
    bool is_items = field->kind == FL_CONFIG_ITEMS, is_section = field->kind == FL_CONFIG_SECTION;
    fl_buf_printf(out, "\"%s\": {\n%*s", field->key, (int)(2 * depth), "");
    if (is_section)
        fl_buf_text(out, "\"type\": [\"object\", \"null\"]");
    else if (is_items)
        fl_buf_text(out, "\"type\": [\"array\", \"null\"]");
    else
        put_type(out, field, depth);
    put_line(out, depth, "description");
    put_string(out, field->help);
    if (field->fallback != NULL) {
        bool is_bare = field->kind == FL_CONFIG_BOOL || field->kind == FL_CONFIG_COUNT ||
                       field->kind == FL_CONFIG_RATIO;
        put_line(out, depth, "default");
        if (is_bare)
            fl_buf_text(out, field->fallback);
        else
            put_string(out, field->fallback);
    }
    if (is_section)
        put_group(out, field->group, depth);
    if (is_items) {
        fl_buf_printf(out, ",\n%*s\"items\": {\n%*s\"type\": \"object\"", (int)(2 * depth), "",
                      (int)(2 * depth + 2), "");
        put_group(out, field->group, depth + 1);
        fl_buf_printf(out, "\n%*s}", (int)(2 * depth), "");
    }
    fl_buf_printf(out, "\n%*s}", (int)(2 * depth - 2), "");
}

/* The properties of a mapping; goes down with the table, which ends. */
static void put_group(fl_buf *out, const fl_config_group *group, size_t depth)
{
    bool is_first = true;
    put_line(out, depth, "additionalProperties");
    fl_buf_text(out, "false");
    for (size_t i = 0; i < group->count; i++) {
        if (!group->fields[i].required)
            continue;
        if (is_first)
            put_line(out, depth, "required");
        fl_buf_text(out, is_first ? "[" : ", ");
        put_string(out, group->fields[i].key);
        is_first = false;
    }
    fl_buf_text(out, is_first ? "" : "]");
    put_line(out, depth, "properties");
    fl_buf_char(out, '{');
    for (size_t i = 0; i < group->count; i++) {
        fl_buf_printf(out, "%s\n%*s", i > 0 ? "," : "", (int)(2 * depth + 2), "");
        put_field(out, &group->fields[i], depth + 2);
    }
    fl_buf_printf(out, "\n%*s}", (int)(2 * depth), "");
}

void fl_config_schema(fl_buf *out)
{
    assert(out != NULL);
    fl_buf_text(out, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\"");
    put_line(out, 1, "title");
    put_string(out, "Configuration of faultline serve");
    put_line(out, 1, "description");
    put_string(out, "Made out of the program's own table by 'faultline config schema'.");
    put_line(out, 1, "type");
    put_string(out, "object");
    put_group(out, &fl_config_root, 1);
    fl_buf_text(out, "\n}\n");
}

/* ---- the example ---- */

enum { EXAMPLE_WIDTH = 100 };

/* A comment of `indent`, in lines of EXAMPLE_WIDTH. */
static void put_comment(fl_buf *out, size_t indent, const char *text)
{
    size_t width = indent;
    fl_buf_printf(out, "%*s#", (int)indent, "");
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (width + 1 + word > EXAMPLE_WIDTH) {
            fl_buf_printf(out, "\n%*s#", (int)indent, "");
            width = indent;
        }
        fl_buf_printf(out, " %.*s", (int)word, text);
        width += 1 + word;
        text += word + strspn(text + word, " ");
    }
    fl_buf_char(out, '\n');
}

/* fl_config_visit. Sections stand as they are; settings behind a '#' without a space, or in lists
 * of mappings with two, so that removing it makes them count. */
static bool put_example(void *payload, const fl_config_field *const *path, size_t depth)
{
    fl_buf *out = payload;
    const fl_config_field *field = path[depth - 1];
    size_t indent = 2 * (depth - 1), lists = 0;
    char prefix[16] = "#";
    for (size_t i = 0; i + 1 < depth; i++)
        lists += path[i]->kind == FL_CONFIG_ITEMS;
    if (depth == 1)
        fl_buf_char(out, '\n');
    for (size_t i = 0; i < lists; i++) {
        bool begins = i + 1 == lists && field == path[depth - 2]->group->fields;
        snprintf(prefix + 1 + 2 * i, 3, "%s", begins ? "- " : "  ");
    }
    put_comment(out, lists > 0 ? indent - 2 * (lists - 1) : indent, field->help);
    indent -= lists > 1 ? 2 * (lists - 1) : 0;
    if (lists == 0 && (field->kind == FL_CONFIG_SECTION || field->kind == FL_CONFIG_ITEMS))
        fl_buf_printf(out, "%*s%s:\n", (int)indent, "", field->key);
    else if (field->kind == FL_CONFIG_ITEMS)
        fl_buf_printf(out, "%*s%s%s:\n", (int)indent, "", prefix, field->key);
    else
        fl_buf_printf(out, "%*s%s%s: %s\n", (int)indent, "", prefix, field->key,
                      field->fallback != NULL ? field->fallback : field->example);
    return true;
}

void fl_config_example(fl_buf *out)
{
    assert(out != NULL);
    put_comment(
        out, 0,
        "Configuration of faultline serve: everything that can be said, and what holds where"
        " nothing is said. To say something else, remove the # in front of a setting;"
        " 'faultline config check FILE' looks at the result. Files are relative to the"
        " folder of this one. Secrets stand in files of their own.");
    (void)fl_config_walk(put_example, out);
}

/* ---- the reference ---- */

static const char *kind_name(const fl_config_field *field)
{
    switch (field->kind) {
    case FL_CONFIG_BOOL:
        return "true or false";
    case FL_CONFIG_COUNT:
        return "number";
    case FL_CONFIG_RATIO:
        return "0 to 1";
    case FL_CONFIG_SIZE:
        return "size";
    case FL_CONFIG_DURATION:
        return "duration";
    case FL_CONFIG_URL:
    case FL_CONFIG_STORE:
        return "URL";
    case FL_CONFIG_FILE_NAME:
        return "file";
    case FL_CONFIG_SECRET:
        return "file with a secret";
    case FL_CONFIG_FOLDER:
        return "folder";
    case FL_CONFIG_PATTERN:
        return "pattern";
    case FL_CONFIG_TEXTS:
        return "texts";
    case FL_CONFIG_ADDRESSES:
        return "addresses";
    case FL_CONFIG_ITEMS:
        return "list";
    default:
        return "text";
    }
}

/* A cell of a Markdown table, where '|' would end it. */
static void put_cell(fl_buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        fl_buf_printf(out, *text == '|' ? "\\|" : "%c", *text);
}

/* fl_config_visit: a heading and a table for each section, a row for each setting. */
static bool put_reference(void *payload, const fl_config_field *const *path, size_t depth)
{
    fl_buf *out = payload;
    const fl_config_field *field = path[depth - 1];
    char key[FL_CONFIG_KEY_BYTES];
    if (depth == 1) {
        fl_buf_printf(out,
                      "\n## %s\n%s.\n\n| setting | kind | default | reload | meaning |\n"
                      "| --- | --- | --- | --- | --- |\n",
                      field->key, field->help);
        return true;
    }
    if (field->kind == FL_CONFIG_SECTION)
        return true;
    fl_config_key(key, path, depth);
    fl_buf_printf(out, "| `%s` | %s%s | ", key, kind_name(field),
                  field->required ? ", required" : "");
    if (field->fallback != NULL)
        fl_buf_printf(out, "`%s`", field->fallback);
    fl_buf_printf(out, " | %s | ", field->reloads ? "yes" : "no");
    put_cell(out, field->help);
    if (field->choices != NULL) {
        fl_buf_text(out, " (");
        for (size_t i = 0; field->choices[i] != NULL; i++)
            fl_buf_printf(out, "%s`%s`", i > 0 ? ", " : "", field->choices[i]);
        fl_buf_char(out, ')');
    }
    fl_buf_text(out, " |\n");
    return true;
}

void fl_config_reference(fl_buf *out)
{
    assert(out != NULL);
    (void)fl_config_walk(put_reference, out);
}
