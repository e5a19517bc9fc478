/*
 * documents_text.c - Markdown, wiki markup, plain text and chats to blocks, a line at a time.
 *
 *   heading   = '#'+ ' ' text | 'h' 1-6 '. ' text | text, then a line of '=' or '-'
 *             | number text | text ':' | text          the last three alone on their line
 *   number    = "第"..."章" | "一、" | 2.1 and deeper
 *   item      = (bullet | digits ('.' | ')')) ' ' ('[' any ']')? text, lines indented behind it
 *   message   = '[' time ']' ' ' name ':' text
 *   row       = '|' anything
 *   code      = lines between ``` or ~~~ or {code} or {noformat}; lines indented by 4 after a blank
 *   front     = '---', then lines of label ':' value, '---'; only where the text begins
 *   paragraph = lines
 *
 * What is none of the others is a paragraph, so that no text is refused. A plain line that stands
 * alone is a heading where it is short and does not end like a sentence: plain text has no other.
 *
 * Invariants: `open` covers bytes of the text from its first line's content to the end of its last;
 * pos never goes back. Cost: each byte is looked at a fixed number of times.
 */
#include <assert.h>

#include "documents_priv.h"
#include "mem.h"
#include "slice.h"

enum {
    HEADING_BYTES = 72, /* of a plain line that is one: 24 Chinese characters, 12 English words */
    CHAT_HEAD_BYTES = 80,
    CODE_INDENT = 4,
    FENCE = 3,
    MAX_LEVEL = 6
};

static const fl_slice wide_colon = FL_SLICE_INIT("\xEF\xBC\x9A");

/* A block whose end is not known yet. */
struct open_block {
    fl_block_kind kind;
    uint32_t level;
    size_t start, end; /* in the text */
    size_t lines;
    bool is_open;
};

struct reading {
    blocks *list;
    const text_origin *origin;
    fl_slice text;
    size_t pos; /* of the next line */
    struct open_block open;
    unsigned char fence; /* of the code that is being read; '{' for wiki markup; 0: none */
    bool after_blank;
    bool alone_before;              /* the open paragraph follows a blank line or a heading */
    size_t escaped_at, escaped_pos; /* decoded bytes before escaped_pos of origin->escaped */
    size_t map_at;
};

/* A line without its end, and without what is indented. */
struct line {
    size_t start, end; /* of the whole line in the text */
    size_t indent;     /* columns; a tab is 4 */
    fl_slice body;     /* from the first byte that is not blank, without blanks at the end */
};

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

void fl_blocks_add(blocks *list, const fl_block *block)
{
    if (list->status != FL_OK || (block->text.len == 0 && block->kind != FL_BLOCK_BREAK))
        return;
    if (list->count == list->cap) {
        size_t cap = list->cap > 0 ? 2 * list->cap : 64;
        if (list->count >= FL_MAX_DOCUMENT_BLOCKS) {
            list->status = FL_E_LIMIT;
            return;
        }
        fl_block *items = fl_mem_realloc(list->items, cap, sizeof(*items));
        if (items == NULL) {
            list->status = FL_E_NOMEM;
            return;
        }
        list->items = items;
        list->cap = cap;
    }
    list->items[list->count++] = *block;
}

fl_status fl_blocks_check(const blocks *list, fl_error *err)
{
    assert(list->count <= list->cap);
    if (list->status == FL_E_LIMIT)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "a document of more than %u blocks",
                       FL_MAX_DOCUMENT_BLOCKS);
    if (list->status != FL_OK)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for a document");
    return FL_OK;
}

/* ---- offsets ---- */

/* How many bytes one character of a JSON string takes as written, and decoded. */
static size_t escaped_step(fl_slice escaped, size_t at, size_t *decoded)
{
    assert(at < escaped.len);
    *decoded = 1;
    if (escaped.ptr[at] != '\\')
        return 1;
    if (at + 1 >= escaped.len || escaped.ptr[at + 1] != 'u' || at + 6 > escaped.len)
        return 2;
    unsigned unit = 0;
    for (size_t i = at + 2; i < at + 6; i++) {
        unsigned char c = escaped.ptr[i] | 0x20;
        unit = unit * 16 + (unsigned)(is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    bool is_pair = unit >= 0xD800 && unit < 0xDC00;
    *decoded = is_pair ? 4 : unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
    return is_pair ? 12 : 6;
}

/* Where byte `at` of the text stands in the file. Asked in rising order. */
static uint64_t offset_of(struct reading *in, size_t at)
{
    assert(at <= in->text.len);
    const text_origin *from = in->origin;
    if (from->map != NULL) {
        while (in->map_at + 1 < from->map_count && from->map[2 * (in->map_at + 1)] <= at)
            in->map_at++;
        return from->map_count > 0 ? from->map[2 * in->map_at + 1] : 0;
    }
    if (from->escaped.len == 0)
        return from->offset + at;
    while (in->escaped_at < at && in->escaped_pos < from->escaped.len) {
        size_t decoded;
        in->escaped_pos += escaped_step(from->escaped, in->escaped_pos, &decoded);
        in->escaped_at += decoded;
    }
    return from->offset + in->escaped_pos;
}

/* ---- lines ---- */

/* "\r\n" ends a line too: the body is trimmed. */
static bool next_line(struct line *out, struct reading *in)
{
    if (in->pos >= in->text.len)
        return false;
    *out = (struct line){.start = in->pos};
    size_t end = in->pos;
    while (end < in->text.len && in->text.ptr[end] != '\n')
        end++;
    in->pos = end + (end < in->text.len);
    out->end = end;
    size_t at = out->start;
    for (; at < end && (in->text.ptr[at] == ' ' || in->text.ptr[at] == '\t'); at++)
        out->indent += in->text.ptr[at] == '\t' ? CODE_INDENT : 1;
    out->body = fl_slice_trim(fl_slice_part(in->text, at, end));
    return true;
}

/* How many of the same byte the text starts with. */
static size_t run_of(fl_slice text, unsigned char c)
{
    size_t n = 0;
    while (n < text.len && text.ptr[n] == c)
        n++;
    return n;
}

/* A line of nothing but `c`. */
static bool is_rule(fl_slice body, unsigned char c)
{
    return body.len >= FENCE && run_of(body, c) == body.len;
}

/* ---- blocks ---- */

/* Trimmed, with its place; nothing is no block. */
static void emit(struct reading *in, fl_block_kind kind, uint32_t level, fl_slice text)
{
    assert(kind != FL_BLOCK_BREAK && kind != FL_BLOCK_FIELD);
    text = fl_slice_trim(text);
    if (text.len == 0)
        return;
    size_t at = (size_t)(text.ptr - in->text.ptr);
    fl_blocks_add(in->list, &(fl_block){.kind = kind,
                                        .level = level,
                                        .text = text,
                                        .offset = offset_of(in, at),
                                        .is_raw = in->origin->is_raw});
}

/* What ends a sentence or a clause, in both scripts, makes no heading. */
static bool ends_like_a_sentence(fl_slice text)
{
    static const fl_slice ends[] = {FL_SLICE_INIT("."),
                                    FL_SLICE_INIT("!"),
                                    FL_SLICE_INIT("?"),
                                    FL_SLICE_INIT(","),
                                    FL_SLICE_INIT(";"),
                                    FL_SLICE_INIT(")"),
                                    FL_SLICE_INIT("}"),
                                    FL_SLICE_INIT("{"),
                                    FL_SLICE_INIT("("),
                                    FL_SLICE_INIT("]"),
                                    FL_SLICE_INIT("。"),
                                    FL_SLICE_INIT("、"),
                                    FL_SLICE_INIT("\xEF\xBC\x8C"), /* the wide forms of , ; ! ? */
                                    FL_SLICE_INIT("\xEF\xBC\x9B"),
                                    FL_SLICE_INIT("\xEF\xBC\x81"),
                                    FL_SLICE_INIT("\xEF\xBC\x9F")};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (fl_slice_ends_with(text, ends[i]))
            return true;
    return false;
}

/* A plain line that stands alone. One that has a label and a value is none. */
static bool is_plain_heading(fl_slice text)
{
    if (text.len > HEADING_BYTES || ends_like_a_sentence(text))
        return false;
    size_t colon = fl_slice_find(text, FL_SLICE(":")), wide = fl_slice_find(text, wide_colon);
    size_t label = colon < wide ? colon + 1 : wide + wide_colon.len;
    return (colon == text.len && wide == text.len) || label >= text.len;
}

/* A paragraph of one line between blank lines may be a heading. */
static void close_block(struct reading *in, bool before_blank)
{
    assert(in->open.start <= in->open.end);
    struct open_block *open = &in->open;
    if (!open->is_open)
        return;
    fl_slice text = fl_slice_part(in->text, open->start, open->end);
    bool alone = open->kind == FL_BLOCK_PARAGRAPH && open->lines == 1 && in->alone_before;
    if (alone && before_blank && is_plain_heading(text))
        emit(in, FL_BLOCK_HEADING, MAX_LEVEL, text);
    else
        emit(in, open->kind, open->level, text);
    open->is_open = false;
}

/* The one before it ends here. */
static void open_block(struct reading *in, fl_block_kind kind, uint32_t level, fl_slice text)
{
    close_block(in, false);
    in->alone_before = in->after_blank;
    size_t start = (size_t)(text.ptr - in->text.ptr);
    in->open = (struct open_block){.kind = kind,
                                   .level = level,
                                   .start = start,
                                   .end = start + text.len,
                                   .lines = 1,
                                   .is_open = true};
}

/* Deeper ones than HTML has are of the last level. */
static void heading(struct reading *in, size_t level, fl_slice text)
{
    assert(level > 0);
    close_block(in, false);
    emit(in, FL_BLOCK_HEADING, (uint32_t)(level > MAX_LEVEL ? MAX_LEVEL : level), text);
}

/* ---- what a line begins with ---- */

/* "## Cause ##" and "h2. Cause". */
static bool take_heading(struct reading *in, fl_slice body)
{
    size_t level = run_of(body, '#');
    if (level > 0 && level <= MAX_LEVEL && level < body.len && body.ptr[level] == ' ') {
        size_t end = body.len;
        while (end > level && (body.ptr[end - 1] == '#' || body.ptr[end - 1] == ' '))
            end--;
        heading(in, level, fl_slice_part(body, level, end));
        return true;
    }
    if (body.len > 4 && body.ptr[0] == 'h' && body.ptr[1] >= '1' && body.ptr[1] <= '6' &&
        body.ptr[2] == '.' && body.ptr[3] == ' ') {
        heading(in, (size_t)(body.ptr[1] - '0'), fl_slice_part(body, 4, body.len));
        return true;
    }
    return false;
}

/* "第二章:", "一、" and "2.1 ": where the number ends; 0: there is none. */
static size_t number_end(fl_slice body)
{
    static const fl_slice counts[] = {FL_SLICE_INIT("一"), FL_SLICE_INIT("二"), FL_SLICE_INIT("三"),
                                      FL_SLICE_INIT("四"), FL_SLICE_INIT("五"), FL_SLICE_INIT("六"),
                                      FL_SLICE_INIT("七"), FL_SLICE_INIT("八"), FL_SLICE_INIT("九"),
                                      FL_SLICE_INIT("十"), FL_SLICE_INIT("第")};
    static const fl_slice chapter = FL_SLICE_INIT("章:"),
                          wide_chapter = FL_SLICE_INIT("章\xEF\xBC\x9A");
    size_t at = 0, dots = 0;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        if (fl_slice_starts_with(fl_slice_part(body, at, body.len), counts[i])) {
            at += counts[i].len;
            i = (size_t)-1;
        }
    }
    fl_slice rest = fl_slice_part(body, at, body.len);
    if (at > 0)
        return fl_slice_starts_with(rest, FL_SLICE("、")) ? at + FL_SLICE("、").len
               : fl_slice_starts_with(rest, chapter)      ? at + chapter.len
               : fl_slice_starts_with(rest, wide_chapter) ? at + wide_chapter.len
                                                          : 0;
    while (at < body.len && (is_digit(body.ptr[at]) || body.ptr[at] == '.'))
        dots += body.ptr[at++] == '.';
    return dots > 0 && at > 0 && is_digit(body.ptr[at - 1]) && at < body.len && body.ptr[at] == ' '
               ? at
               : 0;
}

/* A numbered line alone is a heading; so is one whose colon ends it: "Countermeasures:". */
static bool take_plain_heading(struct reading *in, fl_slice body)
{
    size_t number = number_end(body);
    if (number > 0 && body.len <= 2 * HEADING_BYTES && !ends_like_a_sentence(body)) {
        heading(in, 2, fl_slice_part(body, number, body.len));
        return true;
    }
    bool has_colon =
        fl_slice_ends_with(body, FL_SLICE(":")) || fl_slice_ends_with(body, wide_colon);
    if (has_colon && in->after_blank && is_plain_heading(body) && body.len > 1) {
        size_t mark = body.ptr[body.len - 1] == ':' ? 1 : wide_colon.len;
        heading(in, 3, fl_slice_part(body, 0, body.len - mark));
        return true;
    }
    return false;
}

/* Where the text of an item begins; 0: it is none. */
static size_t item_start(fl_slice body, uint32_t *number)
{
    static const fl_slice bullets[] = {FL_SLICE_INIT("- "),        FL_SLICE_INIT("* "),
                                       FL_SLICE_INIT("+ "),        FL_SLICE_INIT("• "),
                                       FL_SLICE_INIT("\xC2\xB7 "), FL_SLICE_INIT("– ")};
    *number = 0;
    for (size_t i = 0; i < sizeof(bullets) / sizeof(bullets[0]); i++)
        if (fl_slice_starts_with(body, bullets[i]))
            return bullets[i].len;
    size_t at = 0;
    while (at < body.len && at < 3 && is_digit(body.ptr[at]))
        *number = *number * 10 + (uint32_t)(body.ptr[at++] - '0');
    if (at == 0 || at + 1 >= body.len || (body.ptr[at] != '.' && body.ptr[at] != ')'))
        return 0;
    return body.ptr[at + 1] == ' ' ? at + 2 : body.ptr[at + 1] >= 0x80 ? at + 1 : 0;
}

/* The box of a task is markup; whether it is ticked says nothing here. */
static bool take_item(struct reading *in, fl_slice body)
{
    uint32_t number;
    size_t start = item_start(body, &number);
    if (start == 0)
        return false;
    fl_slice text = fl_slice_trim(fl_slice_part(body, start, body.len));
    if (text.len > 4 && text.ptr[0] == '[' && text.ptr[2] == ']') /* a task's box */
        text = fl_slice_trim(fl_slice_part(text, 3, text.len));
    open_block(in, FL_BLOCK_ITEM, number, text);
    return true;
}

/* "[09:12] bob: the text"; also with a date, and with "<bob>". */
static bool take_message(struct reading *in, fl_slice body)
{
    if (body.len < 5 || body.ptr[0] != '[' || !is_digit(body.ptr[1]))
        return false;
    fl_slice head = fl_slice_part(body, 0, body.len < CHAT_HEAD_BYTES ? body.len : CHAT_HEAD_BYTES);
    size_t close = fl_slice_find(head, FL_SLICE("]"));
    if (close == head.len)
        return false;
    fl_slice rest = fl_slice_part(head, close, head.len);
    size_t colon = fl_slice_find(rest, FL_SLICE(": "));
    if (colon == rest.len)
        return false;
    open_block(in, FL_BLOCK_ITEM, 0, fl_slice_part(body, close + colon + 2, body.len));
    return true;
}

/* Its line may name a language, which is left out. */
static bool opens_fence(struct reading *in, fl_slice body)
{
    assert(in->fence == 0);
    bool is_wiki = fl_slice_starts_with(body, FL_SLICE("{noformat")) ||
                   fl_slice_starts_with(body, FL_SLICE("{code"));
    if (!is_wiki && run_of(body, '`') < FENCE && run_of(body, '~') < FENCE)
        return false;
    in->fence = is_wiki ? '{' : body.ptr[0];
    close_block(in, false);
    return true;
}

/* Only by the mark that opened it, so that code may hold the others. */
static bool closes_fence(const struct reading *in, fl_slice body)
{
    assert(in->fence != 0);
    if (in->fence == '{')
        return fl_slice_equal(body, FL_SLICE("{noformat}")) ||
               fl_slice_equal(body, FL_SLICE("{code}"));
    return is_rule(body, in->fence);
}

/* A line of '=' or '-' under a paragraph of one line makes that a heading. */
static bool take_underline(struct reading *in, fl_slice body)
{
    if (!is_rule(body, '=') && !is_rule(body, '-'))
        return false;
    if (in->open.is_open && in->open.kind == FL_BLOCK_PARAGRAPH && in->open.lines == 1) {
        in->open.is_open = false;
        emit(in, FL_BLOCK_HEADING, body.ptr[0] == '=' ? 1 : 2,
             fl_slice_part(in->text, in->open.start, in->open.end));
    } else {
        close_block(in, false);
    }
    return true;
}

/* Lines below a paragraph belong to it; so do indented ones below an item. */
static void take_text(struct reading *in, const struct line *line)
{
    assert(line->body.len > 0);
    struct open_block *open = &in->open;
    bool continues = open->is_open && (open->kind == FL_BLOCK_PARAGRAPH ||
                                       (open->kind == FL_BLOCK_ITEM && line->indent > 0));
    if (!continues) {
        open_block(in, FL_BLOCK_PARAGRAPH, 0, line->body);
        return;
    }
    open->end = (size_t)(line->body.ptr - in->text.ptr) + line->body.len;
    open->lines++;
}

/* What a line is, from the surest form to the vaguest. */
static void take_line(struct reading *in, const struct line *line)
{
    fl_slice body = line->body;
    if (in->fence != 0) {
        if (closes_fence(in, body))
            in->fence = 0;
        else
            emit(in, FL_BLOCK_CODE, 0, fl_slice_part(in->text, line->start, line->end));
        return;
    }
    if (body.len == 0) {
        close_block(in, true);
        in->after_blank = true;
        return;
    }
    bool was_item = in->open.is_open && in->open.kind == FL_BLOCK_ITEM;
    if (line->indent >= CODE_INDENT && !in->open.is_open && in->after_blank && !was_item &&
        run_of(body, '-') != 1) {
        emit(in, FL_BLOCK_CODE, 0, body); /* after_blank stays: more of it may follow */
        return;
    }
    if (body.ptr[0] == '>' && body.len > 1) {
        open_block(in, FL_BLOCK_PARAGRAPH, 0, fl_slice_trim(fl_slice_part(body, 1, body.len)));
        close_block(in, false);
    } else if (body.ptr[0] == '|') {
        close_block(in, false);
        emit(in, FL_BLOCK_ROW, 0, body);
    } else if (!opens_fence(in, body) && !take_heading(in, body) && !take_underline(in, body) &&
               !take_message(in, body) && !take_plain_heading(in, body) && !take_item(in, body)) {
        take_text(in, line);
    }
    in->after_blank = false;
}

/* "---" as the first line, up to the next: labels and values. */
static void take_front_matter(struct reading *in)
{
    assert(in->list->count == 0 || in->pos == 0);
    struct line line;
    size_t start = in->pos;
    if (!next_line(&line, in) || !fl_slice_equal(line.body, FL_SLICE("---"))) {
        in->pos = start;
        return;
    }
    while (next_line(&line, in) && !fl_slice_equal(line.body, FL_SLICE("---"))) {
        size_t colon = fl_slice_find(line.body, FL_SLICE(":"));
        if (colon >= line.body.len)
            continue;
        fl_slice value = fl_slice_trim(fl_slice_part(line.body, colon + 1, line.body.len));
        if (value.len == 0)
            continue;
        fl_blocks_add(in->list,
                      &(fl_block){.kind = FL_BLOCK_FIELD,
                                  .label = fl_slice_part(line.body, 0, colon),
                                  .text = value,
                                  .offset = offset_of(in, (size_t)(value.ptr - in->text.ptr)),
                                  .is_raw = in->origin->is_raw});
    }
}

void fl_blocks_add_text(blocks *list, fl_slice text, const text_origin *origin)
{
    assert(list != NULL && origin != NULL);
    struct reading in = {.list = list, .origin = origin, .text = text, .after_blank = true};
    struct line line;
    take_front_matter(&in);
    while (list->status == FL_OK && next_line(&line, &in))
        take_line(&in, &line);
    close_block(&in, true);
}
