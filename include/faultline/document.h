/*
 * document.h - a text that people wrote about incidents, as every reader of documents hands it on.
 *
 * A document is a run of blocks in reading order. Markup that says what a block is has gone into
 * its kind; markup inside of a block (`code`, **bold**) is still in its text. Every text is UTF-8
 * without NUL bytes and borrowed for the time of the call that it is handed to.
 */
#ifndef FAULTLINE_DOCUMENT_H
#define FAULTLINE_DOCUMENT_H

#include <stdbool.h>

#include "faultline/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fl_block_kind {
    FL_BLOCK_TITLE,
    FL_BLOCK_HEADING,
    FL_BLOCK_PARAGRAPH, /* may hold line breaks */
    FL_BLOCK_ITEM,      /* of a list; also one message of a chat */
    FL_BLOCK_CODE,      /* one line of it */
    FL_BLOCK_ROW,       /* of a table: cells with '|' between */
    FL_BLOCK_FIELD,     /* a value with its label: front matter, a member of a plan's step */
    FL_BLOCK_BREAK      /* a comment begins: headings before it do not hold for it */
} fl_block_kind;

typedef struct fl_block {
    fl_block_kind kind;
    uint32_t level;  /* HEADING: from 1; ITEM: its number in a numbered list, else 0 */
    fl_slice text;   /* never empty, but of a BREAK */
    fl_slice label;  /* FIELD */
    uint64_t offset; /* in the file, of the block's first byte */
    bool is_raw;     /* text is the file's own bytes, so that offsets in it can be added */
} fl_block;

typedef enum fl_document_kind {
    FL_DOCUMENT_TEXT, /* Markdown, wiki markup, plain text, a chat */
    FL_DOCUMENT_HTML,
    FL_DOCUMENT_ISSUE, /* out of a tracker: its title, its text and its comments */
    FL_DOCUMENT_PLAN   /* a step of a plan that was run; its blocks are fields */
} fl_document_kind;

typedef struct fl_document {
    fl_document_kind kind;
    fl_slice name;   /* for people: the file, and what in it */
    fl_slice id;     /* by which it is known wherever it is read: a URL, an issue's key, a run and
                        its step; empty: none, then its content is what it is known by */
    fl_slice author; /* as the tracker says; empty: not known */
    int64_t at_ns;   /* 0: not known */
    const fl_block *blocks;
    size_t count;
} fl_document;

#ifdef __cplusplus
}
#endif

#endif
