/*
 * shown.c - the page is made from the document alone, wherever that comes from.
 */
#include "shown.h"

#include <assert.h>
#include <jansson.h>
#include <string.h>

#include "page.h"
#include "report_picture.h"
#include "slice.h"

/* A dash where a daemon of another version says nothing of it. */
static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "-";
}

/* Of an incident that a daemon keeps: its state, its alerts and breaks, and why each is there. */
static void write_live(fl_page *page, const json_t *live)
{
    enum { FIRST_SIGNS = 12 };
    const json_t *signs = json_object_get(live, "signs"), *sign;
    long long total = json_integer_value(json_object_get(live, "signs_total"));
    bool is_open = strcmp(text_of(live, "state"), "open") == 0;
    size_t i;
    fl_page_newline(page);
    fl_page_printf(page, FL_INK_BOLD, "%.64s since %.64s", text_of(live, "state"),
                   text_of(live, is_open ? "opened" : "closed"));
    fl_page_printf(page, FL_INK_PLAIN, ", %lld alerts and breaks, %lld of them last; trouble at ",
                   total, json_integer_value(json_object_get(live, "signs_lasting")));
    fl_page_put(page, FL_INK_PLAIN, text_of(live, "trouble_at"));
    fl_page_newline(page);
    json_array_foreach(signs, i, sign)
    {
        if (i == FIRST_SIGNS)
            break;
        fl_page_printf(page, FL_INK_PLAIN, "  %.64s  %.64s ", text_of(sign, "onset"),
                       text_of(sign, "kind"));
        fl_page_put(page, FL_INK_PLAIN, text_of(sign, "name"));
        fl_page_put(page, FL_INK_PLAIN, ": ");
        fl_page_put(page, FL_INK_DIM, text_of(sign, "reason"));
        fl_page_newline(page);
    }
    if (total > FIRST_SIGNS) {
        fl_page_printf(page, FL_INK_DIM, "  and %lld more", total - FIRST_SIGNS);
        fl_page_newline(page);
    }
}

/* NULL where there is none; why it cannot be read is in `err`, which is then not FL_OK. */
static const fl_picture *read_picture(fl_arena *arena, const char *text, fl_error *err)
{
    const fl_picture *picture = NULL;
    if (text == NULL || fl_report_picture_load(&picture, arena, fl_slice_of(text), err) != FL_OK)
        return NULL;
    return picture;
}

fl_status fl_shown_text(fl_buf *out, const fl_shown *shown, const fl_report_style *style,
                        fl_error *err)
{
    assert(shown->document != NULL);
    const fl_incident *incident = NULL;
    fl_error of_picture = {0};
    fl_arena arena = fl_arena_of(4 * FL_MAX_DOCUMENT_BYTES);
    fl_arena drawn = fl_arena_of(4 * FL_MAX_PICTURE_BYTES);
    fl_status status = fl_report_load(&incident, &arena, fl_slice_of(shown->document), err);
    if (status == FL_OK)
        status = fl_report_text(out, incident, read_picture(&drawn, shown->picture, &of_picture),
                                style, err);
    json_t *root = status == FL_OK ? json_loads(shown->document, 0, NULL) : NULL;
    const json_t *live = json_object_get(root, "live");
    fl_page page = fl_page_on(out, style);
    if (live != NULL)
        write_live(&page, live);
    if (status == FL_OK && of_picture.status != FL_OK) {
        fl_page_newline(&page);
        fl_page_put(&page, FL_INK_WARN, "Its picture cannot be shown: ");
        fl_page_wrap(&page, FL_INK_PLAIN, of_picture.message);
        fl_page_newline(&page);
    }
    json_decref(root);
    fl_arena_dispose(&drawn);
    fl_arena_dispose(&arena);
    return status == FL_OK ? fl_buf_check(out, "the answer", err) : status;
}

fl_status fl_shown_picture(char **out, fl_store *store, const char *document, fl_error *err)
{
    const fl_incident *incident = NULL;
    fl_error none = {0};
    assert(store != NULL && document != NULL);
    *out = NULL;
    fl_arena arena = fl_arena_of(4 * FL_MAX_DOCUMENT_BYTES);
    fl_status status = fl_report_load(&incident, &arena, fl_slice_of(document), err);
    if (status == FL_OK) {
        status = fl_store_get_picture(store, incident->id, out, &none);
        if (status == FL_E_NOTFOUND)
            status = FL_OK;
        else if (status != FL_OK)
            status = fl_fail(err, status, FL_NO_OFFSET, "%s", none.message);
    }
    fl_arena_dispose(&arena);
    return status;
}
