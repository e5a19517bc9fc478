/*
 * documents.c - which reader a file is for, and what holds for all of them.
 *
 * JSON is told by its first two marks and not by trying: a broken export shall be refused with the
 * place of its mistake, and not be learnt from as if it were prose.
 */
#include "documents.h"

#include <assert.h>
#include <string.h>

#include "documents_priv.h"
#include "mem.h"
#include "slice.h"
#include "utf8.h"

/* Editors of some systems put it before UTF-8. */
static const fl_slice byte_order_mark = FL_SLICE_INIT("\xEF\xBB\xBF");

/* The whole file first, so that no reader meets a broken character. */
static fl_status check_text(fl_slice bytes, const char *name, fl_error *err)
{
    size_t good = fl_utf8_valid_prefix(bytes);
    const unsigned char *nul = good > 0 ? memchr(bytes.ptr, '\0', good) : NULL;
    if (nul != NULL)
        return fl_fail(err, FL_E_SYNTAX, (uint64_t)(nul - bytes.ptr),
                       "%.80s holds a NUL byte at %zu: it is no text", name,
                       (size_t)(nul - bytes.ptr));
    if (good < bytes.len)
        return fl_fail(err, FL_E_SYNTAX, good, "%.80s is not UTF-8 at byte %zu", name, good);
    return FL_OK;
}

/* '{', or '[' before a value: a chat's "[09:12]" is text. */
static bool is_json(fl_slice text)
{
    if (text.len == 0 || (text.ptr[0] != '{' && text.ptr[0] != '['))
        return false;
    fl_slice rest = fl_slice_trim((fl_slice){.ptr = text.ptr + 1, .len = text.len - 1});
    unsigned char next = rest.len > 0 ? rest.ptr[0] : 0;
    return text.ptr[0] == '{' ? next == '"' || next == '}' : next == '{' || next == ']';
}

/* In any case, as HTML allows. */
static bool has_tag(fl_slice text, const char *name)
{
    assert(name[0] == '<');
    size_t len = strlen(name);
    bool same = text.len > len;
    for (size_t i = 0; same && i < len; i++)
        same = (text.ptr[i] | 0x20) == (name[i] | 0x20);
    return same;
}

/* A page, or a piece of one. */
static bool is_html(fl_slice text)
{
    static const char *const tags[] = {
        "<!doctype html", "<html",    "<head",    "<body", "<div", "<h1", "<h2", "<p>",
        "<table",         "<article", "<section", "<pre",  "<ul",  "<ol", "<!--"};
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        if (has_tag(text, tags[i]))
            return true;
    return false;
}

/* Text and HTML: the file is one document. */
static fl_status read_one(fl_slice bytes, const char *name, uint64_t offset,
                          fl_document_visit *visit, void *payload, fl_error *err)
{
    assert(offset <= byte_order_mark.len);
    fl_arena arena = fl_arena_of(FL_MAX_DOCUMENT_ARENA_BYTES);
    blocks list = {.arena = &arena};
    text_origin origin = {.offset = offset, .is_raw = true};
    fl_document document = {.kind = FL_DOCUMENT_TEXT, .name = fl_slice_of(name)};
    fl_status status = FL_OK;
    if (is_html(fl_slice_trim(bytes))) {
        document.kind = FL_DOCUMENT_HTML;
        origin.is_raw = false;
        status = fl_documents_html(&bytes, &origin.map, &origin.map_count, bytes, &arena, err);
    }
    if (status == FL_OK) {
        fl_blocks_add_text(&list, bytes, &origin);
        status = fl_blocks_check(&list, err);
    }
    document.blocks = list.items;
    document.count = list.count;
    if (status == FL_OK)
        status = visit(&document, payload, err);
    fl_mem_free(list.items);
    fl_arena_dispose(&arena);
    return status;
}

fl_status fl_documents_read(fl_slice bytes, const char *name, fl_document_visit *visit,
                            void *payload, fl_error *err)
{
    assert(name != NULL && visit != NULL);
    fl_status status = check_text(bytes, name, err);
    if (status != FL_OK)
        return status;
    uint64_t offset = 0;
    if (fl_slice_starts_with(bytes, byte_order_mark)) {
        offset = byte_order_mark.len;
        bytes = (fl_slice){.ptr = bytes.ptr + offset, .len = bytes.len - offset};
    }
    if (is_json(fl_slice_trim(bytes)))
        return fl_documents_json(bytes, name, visit, payload, err);
    return read_one(bytes, name, offset, visit, payload, err);
}

bool fl_documents_is_candidate(const char *name)
{
    static const fl_slice ends[] = {
        FL_SLICE_INIT(".md"),   FL_SLICE_INIT(".markdown"), FL_SLICE_INIT(".txt"),
        FL_SLICE_INIT(".text"), FL_SLICE_INIT(".html"),     FL_SLICE_INIT(".htm"),
        FL_SLICE_INIT(".json"), FL_SLICE_INIT(".jsonl"),    FL_SLICE_INIT(".ndjson"),
        FL_SLICE_INIT(".wiki"), FL_SLICE_INIT(".log")};
    fl_slice text = fl_slice_of(name);
    if (text.len == 0 || text.ptr[0] == '.')
        return false;
    if (fl_slice_ends_with(text, FL_SLICE(".gz")))
        text.len -= 3;
    else if (fl_slice_ends_with(text, FL_SLICE(".zst")))
        text.len -= 4;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (fl_slice_ends_with(text, ends[i]))
            return true;
    return false;
}
