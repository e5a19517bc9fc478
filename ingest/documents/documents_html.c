/*
 * documents_html.c - HTML to the markup that documents_text.c reads. Nothing of it is run.
 *
 * Tags become what they mean for the text: headings '#', items '- ', cells '|', <pre> a fence,
 * other blocks a new paragraph; the rest of the tags go. The inside of <script>, <style> and
 * comments goes too. Of the entities those are decoded that occur in prose; others stay as they
 * are.
 *
 * The walk never goes back, and a tag that does not end takes the rest of the text with it, as it
 * does in a browser. The map has a pair for each run of text, so that a block is found in the file.
 */
#include <assert.h>

#include "buf.h"
#include "documents_priv.h"
#include "slice.h"
#include "utf8.h"

enum { MAX_ENTITY = 12, MAX_TAG_NAME = 12 };

struct walk {
    fl_slice in;
    size_t pos;
    fl_buf out;
    fl_arena *arena;
    uint64_t *map;
    size_t map_count, map_cap;
    bool failed;
    bool in_pre, in_text; /* a run of text is open in the map */
};

struct tag {
    char name[MAX_TAG_NAME]; /* small letters, cut; "" for a comment or a doctype */
    bool closes;
};

static fl_slice rest_of(const struct walk *w)
{
    return (fl_slice){.ptr = w->in.ptr + w->pos, .len = w->in.len - w->pos};
}

/* A pair in front of the text that is about to be written. */
static void mark(struct walk *w)
{
    assert(w->map_count <= w->map_cap);
    if (w->in_text || w->failed)
        return;
    if (w->map_count == w->map_cap) {
        size_t cap = w->map_cap > 0 ? 2 * w->map_cap : 64;
        uint64_t *map = fl_arena_alloc(w->arena, 2 * cap, sizeof(*map));
        w->failed = map == NULL;
        if (w->failed)
            return;
        if (w->map_count > 0)
            memcpy(map, w->map, 2 * w->map_count * sizeof(*map));
        w->map = map;
        w->map_cap = cap;
    }
    w->map[2 * w->map_count] = w->out.len;
    w->map[2 * w->map_count + 1] = w->pos;
    w->map_count++;
    w->in_text = true;
}

/* What stands for a tag is nobody's text: the next text begins a new run. */
static void markup(struct walk *w, const char *text)
{
    fl_buf_text(&w->out, text);
    w->in_text = false;
}

/* Past the end of the tag at `pos`; comments may hold '>'. */
static struct tag read_tag(struct walk *w)
{
    struct tag tag = {.name = ""};
    fl_slice rest = rest_of(w);
    if (fl_slice_starts_with(rest, FL_SLICE("<!--"))) {
        size_t end = fl_slice_find(rest, FL_SLICE("-->"));
        w->pos += end < rest.len ? end + 3 : rest.len;
        return tag;
    }
    size_t at = 1, len = 0;
    tag.closes = at < rest.len && rest.ptr[at] == '/';
    at += tag.closes;
    for (; at < rest.len && len + 1 < MAX_TAG_NAME; at++, len++) {
        unsigned char c = rest.ptr[at] | 0x20;
        if (!((c >= 'a' && c <= 'z') || (c >= '1' && c <= '6' && rest.ptr[at] == c)))
            break;
        tag.name[len] = (char)c;
    }
    tag.name[len] = '\0';
    while (at < rest.len && rest.ptr[at] != '>')
        at++;
    w->pos += at < rest.len ? at + 1 : rest.len;
    return tag;
}

/* The inside of <script> and <style> up to their end, whatever it holds. */
static void skip_inside(struct walk *w, const char *name)
{
    assert(w->pos <= w->in.len);
    size_t len = strlen(name);
    for (; w->pos + len + 2 <= w->in.len; w->pos++) {
        const unsigned char *at = w->in.ptr + w->pos;
        bool ends = at[0] == '<' && at[1] == '/';
        for (size_t i = 0; ends && i < len; i++)
            ends = (at[2 + i] | 0x20) == name[i];
        if (ends)
            return;
    }
    w->pos = w->in.len;
}

/* Names are few: a walk is enough. */
static bool is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(name, *names) != 0)
        names++;
    return *names != NULL;
}

/* What a tag means for the text. */
static void take_tag(struct walk *w)
{
    assert(w->in.ptr[w->pos] == '<');
    static const char *const paragraphs[] = {
        "p",      "div",    "br", "ul", "ol", "table",      "tbody", "thead", "section", "article",
        "header", "footer", "dl", "dt", "dd", "blockquote", "body",  "hr",    NULL};
    struct tag tag = read_tag(w);
    if (!tag.closes && (strcmp(tag.name, "script") == 0 || strcmp(tag.name, "style") == 0))
        skip_inside(w, tag.name);
    else if (strcmp(tag.name, "pre") == 0) {
        markup(w, "\n```\n");
        w->in_pre = !tag.closes;
    } else if (strcmp(tag.name, "tr") == 0 || strcmp(tag.name, "title") == 0)
        markup(w, tag.closes ? "\n" : tag.name[1] == 'r' ? "\n|" : "\n# ");
    else if (strcmp(tag.name, "td") == 0 || strcmp(tag.name, "th") == 0)
        markup(w, tag.closes ? " | " : "");
    else if (strcmp(tag.name, "li") == 0)
        markup(w, tag.closes ? "\n" : "\n- ");
    else if (tag.name[0] == 'h' && tag.name[1] >= '1' && tag.name[1] <= '6')
        markup(w, tag.closes ? "\n\n" : tag.name[1] == '1' ? "\n\n# " : "\n\n## ");
    else if (is_one_of(tag.name, paragraphs))
        markup(w, tag.name[0] == 'b' && tag.name[1] == 'r' ? "\n" : "\n\n");
}

/* &#39; &#x27; and the names; false: it is no entity that is known. */
static bool take_entity(struct walk *w)
{
    assert(w->in.ptr[w->pos] == '&');
    static const struct {
        fl_slice name;
        const char *text;
    } names[] = {{FL_SLICE_INIT("&amp;"), "&"},   {FL_SLICE_INIT("&lt;"), "<"},
                 {FL_SLICE_INIT("&gt;"), ">"},    {FL_SLICE_INIT("&quot;"), "\""},
                 {FL_SLICE_INIT("&apos;"), "'"},  {FL_SLICE_INIT("&nbsp;"), " "},
                 {FL_SLICE_INIT("&ndash;"), "-"}, {FL_SLICE_INIT("&mdash;"), " - "},
                 {FL_SLICE_INIT("&rarr;"), "→"},  {FL_SLICE_INIT("&hellip;"), "..."}};
    fl_slice rest = rest_of(w);
    rest.len = rest.len < MAX_ENTITY ? rest.len : MAX_ENTITY;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (fl_slice_starts_with(rest, names[i].name)) {
            fl_buf_text(&w->out, names[i].text);
            w->pos += names[i].name.len;
            return true;
        }
    }
    if (rest.len < 4 || rest.ptr[1] != '#')
        return false;
    bool is_hex = (rest.ptr[2] | 0x20) == 'x';
    uint32_t code = 0;
    size_t at = is_hex ? 3 : 2;
    for (; at < rest.len && rest.ptr[at] != ';'; at++) {
        unsigned char c = rest.ptr[at] | 0x20;
        bool is_digit = c >= '0' && c <= '9', is_letter = is_hex && c >= 'a' && c <= 'f';
        if (!is_digit && !is_letter)
            return false;
        code = code * (is_hex ? 16 : 10) + (uint32_t)(is_digit ? c - '0' : c - 'a' + 10);
    }
    if (at == rest.len || code < ' ' || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        return false;
    unsigned char text[4];
    size_t len = fl_utf8_encode(text, code == 0xA0 ? ' ' : code);
    fl_buf_add(&w->out, (fl_slice){.ptr = text, .len = len});
    w->pos += at + 1;
    return true;
}

/* Line breaks in HTML are blanks, but in <pre>. */
static void take_byte(struct walk *w)
{
    assert(w->pos < w->in.len);
    unsigned char c = w->in.ptr[w->pos];
    bool is_blank = c == ' ' || (c >= '\t' && c <= '\r');
    if (is_blank && !w->in_pre) {
        bool wanted = w->in_text && w->out.len > 0 && w->out.ptr[w->out.len - 1] != ' ';
        if (wanted)
            fl_buf_char(&w->out, ' ');
        w->pos++;
        return;
    }
    mark(w);
    if (c != '&' || !take_entity(w)) {
        fl_buf_char(&w->out, (char)c);
        w->pos++;
    }
    if (c == '\n')
        w->in_text = false;
}

/* "1 < 2" begins none. */
static bool begins_tag(fl_slice rest)
{
    assert(rest.len > 1);
    unsigned char next = rest.len > 1 ? rest.ptr[1] | 0x20 : 0;
    return rest.ptr[0] == '<' && ((next >= 'a' && next <= 'z') || rest.ptr[1] == '/' ||
                                  rest.ptr[1] == '!' || rest.ptr[1] == '?');
}

fl_status fl_documents_html(fl_slice *text, const uint64_t **map, size_t *map_count, fl_slice bytes,
                            fl_arena *arena, fl_error *err)
{
    assert(text != NULL && map != NULL && map_count != NULL);
    struct walk w = {.in = bytes, .arena = arena, .out = fl_buf_of(2 * bytes.len + 64)};
    while (w.pos < bytes.len && !w.failed && w.out.status == FL_OK) {
        fl_slice rest = rest_of(&w);
        if (rest.len > 1 && begins_tag(rest))
            take_tag(&w);
        else
            take_byte(&w);
    }
    *text = fl_arena_copy(arena, fl_buf_slice(&w.out));
    bool failed = w.failed || w.out.status != FL_OK || text->ptr == NULL;
    fl_buf_dispose(&w.out);
    *map = w.map;
    *map_count = w.map_count;
    return failed ? fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for a document") : FL_OK;
}
