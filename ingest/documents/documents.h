/*
 * documents.h - files that people wrote about incidents, to the blocks of faultline/document.h.
 *
 * The kind is told by the content. Read are
 *
 *   text   Markdown, Jira's and Confluence's wiki markup, plain text, chats ("[09:12] bob: ...")
 *   HTML   tags are dropped, entities decoded, scripts and styles left out; nothing is run
 *   JSON   issues as GitLab, GitHub (REST and gh) and Jira (REST v2, search results) export them,
 *          with their comments; one, an array of them, or one after the other
 *   JSON   steps of plans that were run, one object a line (docs/learning.md)
 *
 * Bytes that are not UTF-8, and NUL bytes, are refused: such a file is no text, or another
 * encoding's, and half of its words would be wrong.
 */
#ifndef FL_DOCUMENTS_H
#define FL_DOCUMENTS_H

#include "arena.h"
#include "faultline/document.h"

/* Of the blocks and texts of one document at a time. */
#define FL_MAX_DOCUMENT_ARENA_BYTES (256u << 20)
/* A postmortem has some hundred. */
#define FL_MAX_DOCUMENT_BLOCKS (1u << 20)

/* The document is borrowed during the visit. A visit that fails ends the reading with its status.
 */
typedef fl_status fl_document_visit(const fl_document *document, void *payload, fl_error *err);

/* Every document in `bytes`, in their order; `name` is the file's. FL_E_SYNTAX where it is not
 * UTF-8 or broken JSON, at the offset; FL_E_UNSUPPORTED for JSON that is none of the above;
 * FL_E_LIMIT above FL_MAX_DOCUMENT_BLOCKS blocks. Documents before the failure were visited. */
FL_NODISCARD fl_status fl_documents_read(fl_slice bytes, const char *name, fl_document_visit *visit,
                                         void *payload, fl_error *err);

/* Whether a folder's file of that name may hold a document: .md, .markdown, .txt, .text, .html,
 * .htm, .json, .jsonl, .ndjson, .wiki, .log, and these with .gz or .zst behind. */
bool fl_documents_is_candidate(const char *name);

#endif
