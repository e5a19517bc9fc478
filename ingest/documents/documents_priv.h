/*
 * documents_priv.h - what the readers share: a list of blocks that grows, and the reader of text.
 */
#ifndef FL_DOCUMENTS_PRIV_H
#define FL_DOCUMENTS_PRIV_H

#include "documents.h"

/* Blocks of the document that is being read. Errors are sticky: add on, check once. */
typedef struct blocks {
    fl_arena *arena;
    fl_block *items;
    size_t count, cap;
    fl_status status;
} blocks;

/* Where a text came from: bytes of the file as they are, or decoded ones. */
typedef struct text_origin {
    uint64_t offset;     /* of the text in the file */
    bool is_raw;         /* byte i of the text is byte offset + i of the file */
    fl_slice escaped;    /* a JSON string's inside, of which the text is the value; else empty */
    const uint64_t *map; /* pairs (place in the text, offset in the file), rising; else NULL */
    size_t map_count;
} text_origin;

/* Blocks without text are left out, unless they are breaks. */
void fl_blocks_add(blocks *list, const fl_block *block);
FL_NODISCARD fl_status fl_blocks_check(const blocks *list, fl_error *err);
/* The blocks of a text in the markup of documents_text.c. */
void fl_blocks_add_text(blocks *list, fl_slice text, const text_origin *origin);

/* HTML to that markup: *map as in text_origin. */
FL_NODISCARD fl_status fl_documents_html(fl_slice *text, const uint64_t **map, size_t *map_count,
                                         fl_slice bytes, fl_arena *arena, fl_error *err);
/* Issues and plans. */
FL_NODISCARD fl_status fl_documents_json(fl_slice bytes, const char *name, fl_document_visit *visit,
                                         void *payload, fl_error *err);

#endif
