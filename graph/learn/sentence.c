/*
 * sentence.c - where sentences and clauses begin and end, in Latin script and in Chinese.
 *
 *   sentence = bytes up to '.', '!', '?' or ';' before a blank, or the wide forms of these anywhere
 *
 * A point inside of code (`a. b`), after a single letter or a common abbreviation ends none. The
 * walk over a block goes forward only.
 */
#include "sentence.h"

#include <assert.h>
#include <string.h>

#include "slice.h"

/* The wide forms of punctuation, and what they become. */
static const struct {
    fl_slice wide;
    char narrow;
    bool ends;
} marks[] = {
    {FL_SLICE_INIT("\xEF\xBC\x8C"), ',', false}, {FL_SLICE_INIT("\xEF\xBC\x9A"), ':', false},
    {FL_SLICE_INIT("\xEF\xBC\x9B"), ';', true},  {FL_SLICE_INIT("\xEF\xBC\x9F"), '?', true},
    {FL_SLICE_INIT("\xEF\xBC\x81"), '!', true},  {FL_SLICE_INIT("\xEF\xBC\x88"), '(', false},
    {FL_SLICE_INIT("\xEF\xBC\x89"), ')', false}, {FL_SLICE_INIT("\xE3\x80\x82"), '.', true}};

/* What is left from `at` on. */
static fl_slice rest_at(fl_slice text, size_t at)
{
    assert(at <= text.len);
    return (fl_slice){.ptr = text.ptr + at, .len = text.len - at};
}

/* Its place in `marks`; the count where there is none. */
static size_t wide_mark(fl_slice text, size_t at)
{
    size_t i = 0, count = sizeof(marks) / sizeof(marks[0]);
    if (text.ptr[at] != 0xEF && text.ptr[at] != 0xE3)
        return count;
    while (i < count && !fl_slice_starts_with(rest_at(text, at), marks[i].wide))
        i++;
    return i;
}

static bool is_blank(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* CJK Unified Ideographs in UTF-8: E4 B8 80 to E9 BF BF. */
static bool is_ideograph(fl_slice text, size_t at)
{
    return text.ptr[at] >= 0xE4 && text.ptr[at] <= 0xE9;
}

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "e.g." and a single letter before the point. */
static bool is_abbreviation(fl_slice block, size_t start, size_t point)
{
    static const fl_slice known[] = {FL_SLICE_INIT("e.g"),    FL_SLICE_INIT("i.e"),
                                     FL_SLICE_INIT("etc"),    FL_SLICE_INIT("vs"),
                                     FL_SLICE_INIT("approx"), FL_SLICE_INIT("cf")};
    size_t word = point;
    while (word > start && (is_letter(block.ptr[word - 1]) || block.ptr[word - 1] == '.'))
        word--;
    fl_slice text = {.ptr = block.ptr + word, .len = point - word};
    bool is_initial = text.len == 1 && text.ptr[0] >= 'A' && text.ptr[0] <= 'Z';
    if (is_initial && word > start)
        return true;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (fl_slice_equal(text, known[i]))
            return true;
    return false;
}

/* A line break ends a sentence where a line is not wrapped: behind a short one, and in Chinese. */
static bool is_line_end(fl_slice block, size_t at)
{
    assert(block.ptr[at] == '\n');
    enum { WRAPPED_BYTES = 48, LOOK_BACK = 120 };
    size_t start = at;
    bool is_chinese = false;
    while (start > 0 && block.ptr[start - 1] != '\n' && at - start < LOOK_BACK)
        is_chinese |= is_ideograph(block, --start);
    return is_chinese || at - start < WRAPPED_BYTES;
}

/* How many bytes at `at` end the sentence that began at `start`; 0: it goes on. */
static size_t end_here(fl_slice block, size_t start, size_t at)
{
    assert(start <= at && at < block.len);
    unsigned char c = block.ptr[at];
    size_t wide = wide_mark(block, at);
    if (c == '\n')
        return is_line_end(block, at) ? 1 : 0;
    if (wide < sizeof(marks) / sizeof(marks[0]))
        return marks[wide].ends ? 3 : 0;
    if (c != '.' && c != '!' && c != '?' && c != ';')
        return 0;
    size_t next = at + 1;
    while (next < block.len && (block.ptr[next] == '"' || block.ptr[next] == ')'))
        next++;
    bool before_words = next >= block.len || is_blank(block.ptr[next]);
    bool in_chinese = next < block.len && is_ideograph(block, next) && c != '.';
    if (!before_words && !in_chinese)
        return c == ';' && at > start && block.ptr[at - 1] >= 0x80 ? 1 : 0;
    return c == '.' && is_abbreviation(block, start, at) ? 0 : next - at;
}

/* Past a link's "](...)", a wiki's "}}"; 0: no markup is here. */
static size_t markup_at(fl_slice raw, size_t at)
{
    assert(at < raw.len);
    fl_slice rest = rest_at(raw, at);
    unsigned char c = raw.ptr[at];
    if (c == '`')
        return 1;
    if (fl_slice_starts_with(rest, FL_SLICE("**")) || fl_slice_starts_with(rest, FL_SLICE("__")) ||
        fl_slice_starts_with(rest, FL_SLICE("{{")) || fl_slice_starts_with(rest, FL_SLICE("}}")))
        return 2;
    /* One star around words; not in "a * b". */
    bool at_border = at == 0 || is_blank(raw.ptr[at - 1]) || at + 1 == raw.len ||
                     is_blank(rest.ptr[1]) || rest.ptr[1] == ':';
    bool stands_alone =
        at > 0 && is_blank(raw.ptr[at - 1]) && at + 1 < raw.len && is_blank(rest.ptr[1]);
    if (c == '*' && at_border && !stands_alone)
        return 1;
    if (!fl_slice_starts_with(rest, FL_SLICE("](")))
        return 0;
    size_t end = 2, limit = rest.len < 512 ? rest.len : 512;
    while (end < limit && rest.ptr[end] != ')' && !is_blank(rest.ptr[end]))
        end++;
    return end < limit && rest.ptr[end] == ')' ? end + 1 : 0;
}

/* The raw bytes of a sentence to its cleaned text; `out` has room for as many. */
static size_t clean(unsigned char *out, fl_slice raw)
{
    size_t len = 0;
    bool in_link = false;
    for (size_t at = 0; at < raw.len;) {
        size_t skip = markup_at(raw, at), wide = wide_mark(raw, at);
        bool opens_link = raw.ptr[at] == '[' && !in_link &&
                          fl_slice_find(rest_at(raw, at), FL_SLICE("](")) < raw.len - at;
        if (skip > 0 || opens_link) {
            in_link = opens_link || (in_link && raw.ptr[at] != ']');
            at += skip > 0 ? skip : 1;
        } else if (wide < sizeof(marks) / sizeof(marks[0])) {
            out[len++] = (unsigned char)marks[wide].narrow;
            at += 3;
        } else if (is_blank(raw.ptr[at])) {
            if (len > 0 && out[len - 1] != ' ')
                out[len++] = ' ';
            at++;
        } else {
            out[len++] = raw.ptr[at++];
        }
    }
    while (len > 0 && out[len - 1] == ' ')
        len--;
    return len;
}

/* The cleaned text and the same in small letters. */
static bool finish(fl_sentence *out, fl_slice raw, fl_arena *arena)
{
    assert(raw.len > 0);
    unsigned char *text = fl_arena_bytes(arena, raw.len), *lower = fl_arena_bytes(arena, raw.len);
    if (text == NULL || lower == NULL)
        return false;
    size_t len = clean(text, raw);
    for (size_t i = 0; i < len; i++) {
        lower[i] = text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i];
        out->is_chinese |= text[i] >= 0xE4 && text[i] <= 0xE9;
    }
    out->text = (fl_slice){.ptr = text, .len = len};
    out->lower = (fl_slice){.ptr = lower, .len = len};
    out->is_question = len > 0 && text[len - 1] == '?';
    return true;
}

bool fl_sentence_next(fl_sentence *out, fl_sentences *from, bool *nomem)
{
    fl_slice block = from->block;
    *nomem = false;
    while (from->pos < block.len) {
        while (from->pos < block.len && is_blank(block.ptr[from->pos]))
            from->pos++;
        size_t start = from->pos, end = start, mark = 0;
        bool in_code = false;
        for (; end < block.len && mark == 0; end += mark == 0) {
            in_code ^= block.ptr[end] == '`';
            mark = in_code ? 0 : end_here(block, start, end);
        }
        end += mark;
        from->pos = end;
        if (end - start > FL_MAX_SENTENCE_BYTES || end == start)
            continue;
        *out = (fl_sentence){.at = start};
        *nomem =
            !finish(out, (fl_slice){.ptr = block.ptr + start, .len = end - start}, from->arena);
        if (*nomem)
            return false;
        if (out->text.len > 0)
            return true;
    }
    return false;
}

/* ---- clauses ---- */

/* A comma ends a clause in Chinese, not in a Latin sentence, nor between arguments: "f(a, b)". */
static bool is_comma(const fl_sentence *s, size_t at)
{
    assert(at < s->text.len);
    bool before_latin = at + 1 < s->text.len && s->text.ptr[at + 1] == ' ';
    return s->is_chinese && s->text.ptr[at] == ',' && !before_latin;
}

/* A colon may open a clause; so may a dash, with blanks around it or a double Chinese one. */
static bool is_break(const fl_sentence *s, size_t at)
{
    unsigned char c = s->text.ptr[at];
    bool before_blank = at + 1 < s->text.len && s->text.ptr[at + 1] == ' ';
    if (is_comma(s, at) || (c == ';' && (before_blank || s->is_chinese)))
        return true;
    if (c == ':' && s->is_chinese)
        return true;
    if (at >= 5 && fl_slice_equal(fl_slice_part(s->text, at - 5, at + 1), FL_SLICE("——")))
        return true;
    return before_blank && (c == ':' || (c == '-' && at > 0 && s->text.ptr[at - 1] == ' '));
}

/* A clause of less says nothing by itself: the one before it belongs to it. */
enum { SHORT_CLAUSE_BYTES = 10 };

size_t fl_sentence_clause_start(const fl_sentence *s, size_t cue)
{
    assert(cue <= s->text.len);
    size_t at = cue;
    while (at > 0) {
        bool breaks = is_break(s, at - 1), is_short = cue - at < SHORT_CLAUSE_BYTES;
        if (breaks && !(is_short && is_comma(s, at - 1)))
            return at;
        at--;
    }
    return 0;
}

size_t fl_sentence_clause_end(const fl_sentence *s, size_t from)
{
    static const fl_slice ends[] = {FL_SLICE_INIT(", which"), FL_SLICE_INIT(", but"),
                                    FL_SLICE_INIT(", so "),   FL_SLICE_INIT("; "),
                                    FL_SLICE_INIT(" - "),     FL_SLICE_INIT(", as "),
                                    FL_SLICE_INIT("——")};
    assert(from <= s->text.len);
    for (size_t at = from; at < s->text.len; at++) {
        bool is_short = at - from < 3;
        if (is_comma(s, at) && !is_short)
            return at;
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
            if (fl_slice_starts_with(rest_at(s->lower, at), ends[i]))
                return at;
    }
    return s->text.len;
}

/* ---- phrases ---- */

/* Punctuation that belongs to no phrase at its border. */
static size_t edge_mark(fl_slice text, bool at_end)
{
    static const fl_slice wide[] = {FL_SLICE_INIT("“"), FL_SLICE_INIT("”"),  FL_SLICE_INIT("‘"),
                                    FL_SLICE_INIT("’"), FL_SLICE_INIT("、"), FL_SLICE_INIT("→"),
                                    FL_SLICE_INIT("…"), FL_SLICE_INIT("【"), FL_SLICE_INIT("】"),
                                    FL_SLICE_INIT("—")};
    if (text.len == 0)
        return 0;
    unsigned char c = text.ptr[at_end ? text.len - 1 : 0];
    if (is_blank(c) || strchr(at_end ? ".,;:!?\"'-*|(" : ".,;:?\"')-*|=>", c) != NULL)
        return 1;
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        if (at_end ? fl_slice_ends_with(text, wide[i]) : fl_slice_starts_with(text, wide[i]))
            return wide[i].len;
    return 0;
}

/* A closing bracket whose opening one was cut off goes too. */
static bool closes_nothing(fl_slice text)
{
    size_t open = 0;
    if (text.len == 0 || text.ptr[text.len - 1] != ')')
        return false;
    for (size_t i = 0; i + 1 < text.len; i++)
        open = text.ptr[i] == '(' ? open + 1 : text.ptr[i] == ')' && open > 0 ? open - 1 : open;
    return open == 0;
}

/* Where a remark in brackets at the text's end begins, if what stands before it is enough. Brackets
 * of code ("Store(k, v)") are no remark. */
static size_t remark_start(fl_slice text)
{
    size_t at = text.len, depth = 0;
    if (text.len == 0 || text.ptr[text.len - 1] != ')')
        return text.len;
    while (at > 0) {
        unsigned char c = text.ptr[--at];
        depth = c == ')' ? depth + 1 : c == '(' ? depth - 1 : depth;
        if (depth == 0)
            break;
    }
    bool behind_word = at > 0 && (text.ptr[at - 1] == ' ' || text.ptr[at - 1] >= 0x80);
    bool is_chinese = false;
    for (size_t i = at; i < text.len; i++)
        is_chinese |= is_ideograph(text, i);
    return depth == 0 && at > 2 && (behind_word || is_chinese) ? at : text.len;
}

/* The word list's phrase that ends at the text's end. */
static size_t tail_word(const fl_learn_rules *rules, fl_slice lower)
{
    enum { LONGEST_TAIL = 24 };
    size_t most = lower.len < LONGEST_TAIL ? lower.len : LONGEST_TAIL;
    for (size_t len = most; len >= 2; len--) {
        const fl_phrase *phrase =
            fl_learn_phrase_at(rules, FL_PHRASES(FL_WORD_TAIL), lower, lower.len - len);
        if (phrase != NULL && phrase->text.len == len)
            return len;
    }
    return 0;
}

/* "Heap dumps show that X": where X begins. */
static size_t reported_start(const fl_learn_rules *rules, const fl_sentence *s, size_t start,
                             size_t end)
{
    fl_slice lower = fl_slice_part(s->lower, start, end);
    size_t at;
    const fl_phrase *phrase =
        fl_learn_phrase_from(rules, FL_PHRASES(FL_WORD_REPORT), lower, 0, &at);
    return phrase != NULL && at + phrase->text.len < lower.len ? start + at + phrase->text.len
                                                               : start;
}

fl_slice fl_sentence_strip(const fl_learn_rules *rules, const fl_sentence *s, size_t start,
                           size_t end)
{
    assert(start <= end && end <= s->text.len);
    start = reported_start(rules, s, start, end);
    for (bool changed = true; changed && start < end;) {
        fl_slice text = {.ptr = s->text.ptr + start, .len = end - start};
        fl_slice lower = {.ptr = s->lower.ptr + start, .len = end - start};
        size_t front = edge_mark(text, false), back = edge_mark(text, true);
        const fl_phrase *lead =
            front == 0 ? fl_learn_phrase_at(rules, FL_PHRASES(FL_WORD_LEAD), lower, 0) : NULL;
        if (front == 0 && lead != NULL && lead->text.len < text.len)
            front = lead->text.len;
        if (back == 0)
            back = text.len - remark_start(text);
        if (back == 0 && front < text.len)
            back = closes_nothing(text) ? 1 : tail_word(rules, lower);
        if (front + back > text.len)
            back = 0;
        start += front;
        end -= back;
        changed = front + back > 0;
    }
    return (fl_slice){.ptr = s->text.ptr + start, .len = end - start};
}

/* Three letters or two ideographs make a name. */
static bool has_words(fl_slice text)
{
    size_t letters = 0, ideographs = 0;
    for (size_t i = 0; i < text.len; i++) {
        letters += is_letter(text.ptr[i]);
        ideographs += is_ideograph(text, i);
    }
    return letters + 2 * ideographs >= 3;
}

fl_slice fl_sentence_phrase(const fl_learn_rules *rules, const fl_sentence *s, size_t start,
                            size_t end)
{
    fl_slice text = fl_sentence_strip(rules, s, start, end);
    fl_slice lower = {.ptr = s->lower.ptr + (text.ptr - s->text.ptr), .len = text.len};
    bool is_code = fl_slice_find(text, FL_SLICE("{")) < text.len ||
                   fl_slice_find(text, FL_SLICE("}")) < text.len;
    bool bad = text.len > FL_MAX_PHRASE_BYTES || !has_words(text) || is_code ||
               fl_learn_is(rules, FL_PHRASES(FL_WORD_VAGUE), lower);
    return bad ? (fl_slice){.ptr = text.ptr, .len = 0} : text;
}
