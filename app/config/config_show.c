/*
 * config_show.c - the values that count, each with where it came from.
 *
 * Written as they could stand in a file, so that what is shown can be put into one. Secrets are not
 * in a configuration; the password of a store's URL, which only a flag or a variable may hold, is
 * three stars.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "config_priv.h"
#include "mem.h"
#include "slice.h"
#include "timestamp.h"

/* The largest unit that divides it. */
static void show_size(fl_buf *out, uint64_t bytes)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (unit + 1 < sizeof(units) / sizeof(units[0]) && bytes % 1024 == 0 && bytes > 0) {
        bytes /= 1024;
        unit++;
    }
    fl_buf_printf(out, "%llu%s", (unsigned long long)bytes, units[unit]);
}

/* "://user:SECRET@" and "password=SECRET" without the secret. */
static void show_store(fl_buf *out, const char *url)
{
    fl_slice text = fl_slice_of(url);
    size_t begin = fl_slice_find(text, FL_SLICE("://")), end;
    begin = begin < text.len ? begin + 3 : 0;
    end = begin + strcspn(url + begin, "/?");
    size_t at = end, colon = begin + strcspn(url + begin, ":");
    while (at > begin && url[at - 1] != '@')
        at--;
    if (at > begin && colon < at) {
        fl_buf_printf(out, "%.*s:***", (int)colon, url);
        text = fl_slice_part(text, at - 1, text.len);
    }
    size_t secret = fl_slice_find(text, FL_SLICE("password="));
    if (secret < text.len) {
        secret += strlen("password=");
        fl_buf_add(out, fl_slice_part(text, 0, secret));
        fl_buf_text(out, "***");
        text = fl_slice_part(text, secret, text.len);
        text = fl_slice_part(text, fl_slice_find(text, FL_SLICE("&")), text.len);
    }
    fl_buf_add(out, text);
}

/* A text as YAML takes it back: quoted where it could be something else. */
static void show_text(fl_buf *out, const char *text)
{
    bool is_plain = text[0] != '\0' && strchr("-?:!&*#|>@%{}[]'\"` ,", text[0]) == NULL &&
                    strstr(text, ": ") == NULL && strstr(text, " #") == NULL &&
                    text[strlen(text) - 1] != ' ' && text[strlen(text) - 1] != ':';
    if (is_plain) {
        fl_buf_text(out, text);
        return;
    }
    fl_buf_char(out, '\'');
    for (; *text != '\0'; text++)
        fl_buf_printf(out, *text == '\'' ? "''" : "%c", *text);
    fl_buf_char(out, '\'');
}

/* "a, b"; none are "[]". */
static void show_list(fl_buf *out, const fl_config_field *field, const void *value)
{
    fl_config_texts texts;
    fl_config_addresses addresses;
    if (field->kind == FL_CONFIG_TEXTS) {
        memcpy(&texts, value, sizeof(texts));
        fl_buf_text(out, texts.count == 0 ? "[]" : "");
        for (size_t i = 0; i < texts.count; i++)
            fl_buf_printf(out, "%s%s", i > 0 ? ", " : "", texts.items[i]);
        return;
    }
    memcpy(&addresses, value, sizeof(addresses));
    fl_buf_text(out, addresses.count == 0 ? "[]" : "");
    for (size_t i = 0; i < addresses.count; i++) {
        const fl_config_address *address = &addresses.items[i];
        bool is_v6 = strchr(address->host, ':') != NULL;
        const char *quote = is_v6 ? "'" : "";
        fl_buf_printf(out, is_v6 ? "%s%s[%s]:%u%s" : "%s%s%s:%u%s", i > 0 ? ", " : "",
                      addresses.count == 1 ? quote : "", address->host, (unsigned)address->port,
                      addresses.count == 1 ? quote : "");
    }
}

/* Of any kind but mappings. */
static void show_value(fl_buf *out, const fl_config_field *field, const void *value)
{
    char text[FL_TIME_TEXT];
    const char *string;
    int choice;
    switch (field->kind) {
    case FL_CONFIG_BOOL:
        fl_buf_text(out, *(const bool *)value ? "true" : "false");
        break;
    case FL_CONFIG_COUNT:
        fl_buf_printf(out, "%llu", (unsigned long long)*(const uint64_t *)value);
        break;
    case FL_CONFIG_RATIO:
        fl_buf_printf(out, "%g", *(const double *)value);
        break;
    case FL_CONFIG_SIZE:
        show_size(out, *(const uint64_t *)value);
        break;
    case FL_CONFIG_DURATION:
        fl_buf_text(out, fl_duration_format(text, *(const int64_t *)value));
        break;
    case FL_CONFIG_CHOICE:
        memcpy(&choice, value, sizeof(choice));
        fl_buf_text(out, field->choices[choice]);
        break;
    case FL_CONFIG_TEXTS:
    case FL_CONFIG_ADDRESSES:
        show_list(out, field, value);
        break;
    default:
        memcpy(&string, value, sizeof(string));
        if (field->kind == FL_CONFIG_STORE && string != NULL)
            show_store(out, string);
        else if (string != NULL)
            show_text(out, string);
    }
}

/* Nothing was said and there is no default. */
static bool is_unset(const fl_config_field *field, const void *value)
{
    const char *string;
    if (field->kind < FL_CONFIG_TEXT || field->kind > FL_CONFIG_PATTERN)
        return false;
    memcpy(&string, value, sizeof(string));
    return string == NULL;
}

/* One value and its place as a comment, in a column of its own. */
static void show_one(fl_buf *out, const fl_config_told *told, const fl_config_place *place)
{
    size_t begin = out->len;
    fl_buf_printf(out, "%s: ", place->key);
    show_value(out, told->field, told->member);
    while (out->status == FL_OK && out->len - begin < 48)
        fl_buf_char(out, ' ');
    if (place->origin == FL_CONFIG_FILE)
        fl_buf_printf(out, " # %s:%zu:%zu\n", place->source, place->line, place->column);
    else
        fl_buf_printf(out, " # %s\n", place->source);
}

/* The defaults' entries stand in the order of the table, since they are made first; each member has
 * one, and its newest entry says what counts. */
fl_status fl_config_show(fl_buf *out, const fl_config *config, fl_error *err)
{
    const fl_config_whole *whole = (const fl_config_whole *)config;
    assert(out != NULL && config != NULL);
    size_t count = 0, at = 0;
    for (const fl_config_told *told = whole->told; told != NULL; told = told->next)
        count++;
    const fl_config_told **oldest_first = fl_mem_calloc(count + 1, sizeof(const fl_config_told *));
    if (oldest_first == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to show the configuration");
    for (const fl_config_told *told = whole->told; told != NULL; told = told->next)
        oldest_first[count - ++at] = told;
    for (size_t i = 0; i < count; i++) {
        const fl_config_told *told = oldest_first[i];
        bool is_first = told->place.origin == FL_CONFIG_DEFAULT;
        if (is_first && told->field->kind != FL_CONFIG_ITEMS &&
            !is_unset(told->field, told->member))
            show_one(out, told, fl_config_where(config, told->member));
    }
    fl_mem_free(oldest_first);
    return fl_buf_check(out, "the configuration", err);
}
