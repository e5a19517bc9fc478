/*
 * learn.c - a walk over a document's blocks: headings and labels set what its sentences are about.
 *
 * A heading with a role ("Root cause") holds up to the next heading of its level or above; a label
 * ("Root cause: ...") for its block. A title, and a symptom after a cause was told, begin a new
 * account. So does every heading of a catalogue, a text whose headings are topics and not roles.
 *
 * Dates: the tracker's; else the one that a label ("Date:") or the title names; else the time of
 * the reading. Evidence is as old as the incident, so that a postmortem of four years ago weighs
 * little.
 *
 * Cost: each byte is cleaned once and looked up a few times; sentences of more than 2000 bytes are
 * data and are passed over. Memory: ten times the document (288 MB for one of 30 MB, which
 * takes 4.3 s).
 */
#include "learn.h"

#include <assert.h>

#include "hash.h"
#include "learn_priv.h"
#include "slice.h"
#include "timestamp.h"

enum { LABEL_BYTES = 40, TOPIC_LEVEL = 2, FEW_TOPICS = 4 };

/* A document of many sections; texts of its sentences, twice. */
#define MAX_SCRATCH_BYTES (512u << 20)

/* The first failure counts. */
static void out_of_memory(learning *l)
{
    if (l->status == FL_OK)
        l->status = fl_fail(l->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a document");
}

/* By what the document is known: its id, else its title and texts. */
static uint64_t identity_of(const fl_document *document)
{
    if (document->id.len > 0)
        return fl_hash_stable(document->id);
    uint64_t hash = 0;
    for (size_t i = 0; i < document->count; i++)
        hash = fl_hash_mix(hash ^ fl_hash_stable(document->blocks[i].text));
    return hash;
}

/* The role of a heading's text. */
static fl_section section_of(learning *l, fl_slice text)
{
    fl_sentence s;
    fl_sentences from = {.block = text, .arena = &l->scratch};
    bool nomem;
    if (!fl_sentence_next(&s, &from, &nomem)) {
        if (nomem)
            out_of_memory(l);
        return FL_SECTION_NONE;
    }
    while (s.lower.len > 0 &&
           (s.lower.ptr[s.lower.len - 1] == ':' || s.lower.ptr[s.lower.len - 1] == '?' ||
            s.lower.ptr[s.lower.len - 1] == '.'))
        s.lower.len--;
    return fl_learn_section_of(l->rules, s.lower);
}

/* "2024-03-14" in a text, and a time behind it; 0: none. */
static int64_t time_in(fl_slice text)
{
    for (size_t at = 0; at + 10 <= text.len; at++) {
        int64_t ns = 0;
        char day[24] = "";
        bool is_day = text.ptr[at] >= '1' && text.ptr[at] <= '2' && text.ptr[at + 4] == '-' &&
                      text.ptr[at + 7] == '-';
        if (!is_day)
            continue;
        memcpy(day, text.ptr + at, 10);
        memcpy(day + 10, "T00:00:00Z", 11);
        if (fl_time_parse(&ns, fl_slice_of(day), 0, NULL) == FL_OK)
            return ns;
    }
    return 0;
}

/* ---- blocks ---- */

/* Each sentence of a part of the block's text. */
static void take_sentences(learning *l, fl_slice text, size_t start)
{
    fl_sentence s;
    fl_sentences from = {.block = text, .pos = start, .arena = &l->scratch};
    bool nomem = false;
    while (l->status == FL_OK && fl_sentence_next(&s, &from, &nomem))
        fl_learn_sentence(l, &s);
    if (nomem)
        out_of_memory(l);
}

/* A label that is about the document as a whole, with its value. */
static void take_value(learning *l, fl_section section, fl_slice value)
{
    assert(section != FL_SECTION_NONE || l->block != NULL);
    fl_sentence s;
    fl_sentences from = {.block = value, .arena = &l->scratch};
    bool nomem = false;
    if (section == FL_SECTION_DATE && l->document->at_ns == 0 && time_in(value) != 0)
        l->at_ns = time_in(value);
    if (section == FL_SECTION_SERVICE && fl_sentence_next(&s, &from, &nomem))
        l->service = fl_sentence_phrase(l->rules, &s, 0, s.text.len);
    if (nomem)
        out_of_memory(l);
}

/* Where the value of "Label: value" begins; 0: the text has no label that has a role. */
static size_t label_end(learning *l, fl_slice text, fl_section *section)
{
    assert(section != NULL);
    static const fl_slice wide = FL_SLICE_INIT("\xEF\xBC\x9A");
    size_t at = 0, most = text.len < LABEL_BYTES ? text.len : LABEL_BYTES;
    fl_slice head = fl_slice_part(text, 0, most);
    size_t narrow = fl_slice_find(head, FL_SLICE(":")), broad = fl_slice_find(head, wide);
    *section = FL_SECTION_NONE;
    at = narrow < broad ? narrow : broad;
    if (at == 0 || at >= most)
        return 0;
    fl_slice label = fl_slice_part(text, 0, at);
    while (label.len > 0 && (label.ptr[0] == '*' || label.ptr[0] == '_' || label.ptr[0] == ' '))
        label = fl_slice_part(label, 1, label.len);
    while (label.len > 0 && (label.ptr[label.len - 1] == '*' || label.ptr[label.len - 1] == '_'))
        label.len--;
    *section = section_of(l, label);
    size_t end = at + (narrow < broad ? 1 : wide.len);
    while (end < text.len && (text.ptr[end] == '*' || text.ptr[end] == ' '))
        end++;
    return *section != FL_SECTION_NONE ? end : 0;
}

/* A symptom after a cause is that of another incident. */
static void maybe_begin_account(learning *l, fl_section section)
{
    const account *a = &l->account;
    bool told = a->root.text.len > 0 || a->fix_count > 0;
    if (section == FL_SECTION_SYMPTOM && told && l->document->kind != FL_DOCUMENT_ISSUE)
        fl_account_close(l);
}

/* A label holds for its block, a heading's role for the blocks below it. */
static void take_prose(learning *l, const fl_block *block)
{
    assert(block->text.len > 0);
    fl_section outer = l->section, section;
    fl_slice text = block->text;
    size_t start = label_end(l, text, &section);
    if (outer == FL_SECTION_SKIP)
        return;
    if (start > 0) {
        take_value(l, section, fl_slice_part(text, start, text.len));
        bool is_value = section == FL_SECTION_DATE || section == FL_SECTION_SERVICE;
        if (is_value || start == text.len)
            return;
        maybe_begin_account(l, section);
        l->section = section;
    }
    take_sentences(l, text, start);
    l->section = outer;
    l->why.len = 0;
    l->in_list = false;
}

/* Lines of a paragraph may be a plan's definition. */
static void take_lines(learning *l, const fl_block *block)
{
    fl_slice rest = block->text;
    bool is_plan = false;
    while (rest.len > 0) {
        size_t end = fl_slice_find(rest, FL_SLICE("\n"));
        is_plan |= fl_learn_plan_line(l, fl_slice_part(rest, 0, end));
        rest = fl_slice_part(rest, end < rest.len ? end + 1 : end, rest.len);
    }
    if (!is_plan)
        l->plan_name.text.len = l->plan_trigger.text.len = 0;
    if (l->plan_trigger.text.len == 0)
        take_prose(l, block);
}

/* It ends the account before it. Only a title that says what fails is a symptom. */
static void take_title(learning *l, const fl_block *block)
{
    fl_sentence s;
    fl_sentences from = {.block = block->text, .arena = &l->scratch};
    bool nomem = false;
    fl_account_close(l);
    l->account.title = (claim){.at = {.offset = 0}};
    if (fl_sentence_next(&s, &from, &nomem)) {
        claim title = fl_learn_claim(l, &s, 0, s.text.len, "title");
        bool fails = fl_learn_has(l->rules, FL_PHRASES(FL_WORD_FAILURE), s.lower);
        if (fails)
            l->account.title = title;
    }
    if (nomem)
        out_of_memory(l);
    if (l->document->at_ns == 0 && time_in(block->text) != 0)
        l->at_ns = time_in(block->text);
}

/* "Root cause: the pool" as a heading is a label; so is "根因:...". */
static void take_heading(learning *l, const fl_block *block)
{
    assert(block->level >= 1);
    fl_section section;
    fl_slice text = block->text;
    size_t start = label_end(l, text, &section);
    section = start > 0 ? section : section_of(l, text);
    bool is_topic = section == FL_SECTION_NONE && block->level <= TOPIC_LEVEL;
    bool is_first = l->document->kind != FL_DOCUMENT_ISSUE && l->seen_blocks == 1;
    if (block->level == 1 || is_first || (l->is_catalogue && is_topic)) {
        take_title(l, block);
        l->topic.text.len = 0;
    } else {
        maybe_begin_account(l, section);
    }
    l->section = section;
    l->in_title = l->account.title.text.len > 0;
    if (section == FL_SECTION_NONE || start > 0)
        take_sentences(l, text, start);
    l->in_title = false;
    l->section = section;
    l->why.len = 0;
}

/* Rows of one table follow each other; anything else ends it. */
static void take_block(learning *l, const fl_block *block)
{
    assert(block->text.len > 0 || block->kind == FL_BLOCK_BREAK);
    l->block = block;
    l->seen_blocks++;
    l->in_table = l->in_table && block->kind == FL_BLOCK_ROW;
    switch (block->kind) {
    case FL_BLOCK_TITLE:
        take_title(l, block);
        l->in_title = true;
        take_sentences(l, block->text, 0);
        l->in_title = false;
        break;
    case FL_BLOCK_HEADING:
        take_heading(l, block);
        break;
    case FL_BLOCK_PARAGRAPH:
    case FL_BLOCK_ITEM:
        take_lines(l, block);
        break;
    case FL_BLOCK_CODE:
        if (!fl_learn_plan_line(l, block->text))
            fl_learn_log_line(l, block);
        break;
    case FL_BLOCK_ROW:
        if (l->section != FL_SECTION_SKIP)
            fl_learn_row(l, block);
        break;
    case FL_BLOCK_FIELD:
        take_value(l, section_of(l, block->label), block->text);
        break;
    case FL_BLOCK_BREAK:
        l->section = FL_SECTION_NONE;
        break;
    }
}

/* More headings that are topics than ones that are roles. */
static bool is_catalogue(learning *l)
{
    size_t topics = 0, roles = 0;
    for (size_t i = 0; i < l->document->count && l->status == FL_OK; i++) {
        const fl_block *block = &l->document->blocks[i];
        if (block->kind != FL_BLOCK_HEADING || block->level > TOPIC_LEVEL)
            continue;
        bool has_role = section_of(l, block->text) != FL_SECTION_NONE;
        topics += !has_role;
        roles += has_role;
    }
    return topics > FEW_TOPICS && topics > roles;
}

fl_status fl_learn_document(fl_proposals *out, const fl_learn_rules *rules,
                            const fl_document *document, int64_t now_ns, fl_error *err)
{
    assert(out != NULL && rules != NULL && document != NULL);
    learning l = {.out = out,
                  .rules = rules,
                  .document = document,
                  .scratch = fl_arena_of(MAX_SCRATCH_BYTES),
                  .now_ns = now_ns,
                  .at_ns = document->at_ns != 0 ? document->at_ns : now_ns,
                  .identity = identity_of(document),
                  .err = err};
    l.account.is_catalogue = l.is_catalogue = is_catalogue(&l);
    if (document->kind == FL_DOCUMENT_PLAN)
        fl_learn_plan(&l);
    else
        for (size_t i = 0; i < document->count && l.status == FL_OK; i++)
            take_block(&l, &document->blocks[i]);
    if (l.status == FL_OK)
        fl_account_close(&l);
    fl_arena_dispose(&l.scratch);
    return l.status;
}
