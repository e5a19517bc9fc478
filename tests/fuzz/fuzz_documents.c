/*
 * fuzz_documents.c - any bytes as a document, and what is learnt from it: texts are UTF-8 within
 * their limits, offsets lie in the file, and reading the same again proposes nothing new.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "fuzz.h"
#include "learn.h"
#include "slice.h"
#include "utf8.h"

struct run {
    fl_learn_rules *rules;
    fl_proposals *proposals;
    size_t file_len;
};

static fl_status take(const fl_document *document, void *payload, fl_error *err)
{
    struct run *run = payload;
    for (size_t i = 0; i < document->count; i++) {
        const fl_block *block = &document->blocks[i];
        assert(block->text.len > 0 || block->kind == FL_BLOCK_BREAK);
        assert(fl_utf8_valid_prefix(block->text) == block->text.len);
        assert(block->text.len == 0 || memchr(block->text.ptr, 0, block->text.len) == NULL);
        assert(block->offset <= run->file_len);
        assert(!block->is_raw || block->offset + block->text.len <= run->file_len);
    }
    return fl_learn_document(run->proposals, run->rules, document, 1, err);
}

static void check(const fl_proposals *all, size_t file_len)
{
    for (size_t i = 0; i < fl_proposals_count(all); i++) {
        const fl_proposal *p = fl_proposals_at(all, i);
        fl_slice from = fl_slice_of(p->from.key), to = fl_slice_of(p->to.key);
        assert(from.len > 0 && from.len <= FL_MAX_NODE_KEY_BYTES);
        assert(to.len > 0 && to.len <= FL_MAX_NODE_KEY_BYTES);
        assert(fl_utf8_valid_prefix(from) == from.len && fl_utf8_valid_prefix(to) == to.len);
        assert(fl_edge_allowed(p->kind, p->from.kind, p->to.kind));
        assert(strlen(p->sentence) < FL_MAX_GRAPH_TEXT_BYTES && p->offset <= file_len);
        assert(strlen(p->author) < FL_MAX_NODE_KEY_BYTES);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fl_learn_rules *rules;
    if (rules == NULL && fl_learn_rules_create(&rules, NULL) != FL_OK)
        abort();
    struct run run = {.rules = rules, .file_len = size};
    fl_slice bytes = {.ptr = data, .len = size};
    fl_error err = {0};
    if (fl_proposals_create(&run.proposals, NULL) != FL_OK)
        abort();
    fl_status status = fl_documents_read(bytes, "fuzz", take, &run, &err);
    assert(status == FL_OK || err.message[0] != '\0');
    size_t count = fl_proposals_count(run.proposals);
    check(run.proposals, size);
    if (status == FL_OK)
        assert(fl_documents_read(bytes, "fuzz", take, &run, &err) == FL_OK);
    if (status == FL_OK)
        assert(fl_proposals_count(run.proposals) == count);
    fl_proposals_destroy(run.proposals);
    return 0;
}
