/*
 * archive_head.c - batches in memory, in the order of the log, each as its bytes.
 *
 * Invariant: an entry is in the list from when it is appended to the log; it is either pending,
 * durable, or gone.
 */
#include <assert.h>
#include <string.h>

#include "archive_priv.h"
#include "mem.h"

fl_status fl_head_create(fl_head **out, uint64_t first_sequence, fl_error *err)
{
    assert(out != NULL);
    *out = fl_mem_calloc(1, sizeof(**out));
    if (*out == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a head");
    (*out)->first_sequence = first_sequence;
    (*out)->refs = 1;
    return FL_OK;
}

/* The last reader frees what the archive has long left behind. */
void fl_head_unref(fl_head *head)
{
    if (head == NULL || --head->refs > 0)
        return;
    for (size_t i = 0; i < head->count; i++)
        fl_mem_free(head->entries[i]);
    fl_mem_free(head->entries);
    fl_mem_free(head);
}

/* What an entry takes, without what the allocator adds. */
size_t fl_head_entry_bytes(size_t len)
{
    return sizeof(fl_head_entry) + sizeof(fl_head_entry *) + len;
}

/* One allocation: facts and bytes live and go together. */
fl_status fl_head_entry_create(fl_head_entry **out, fl_slice bytes, const fl_batch_facts *facts,
                               fl_error *err)
{
    assert(bytes.len > 0);
    *out = fl_mem_alloc(sizeof(**out) + bytes.len);
    if (*out == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a batch of %zu bytes",
                       bytes.len);
    **out = (fl_head_entry){.facts = *facts, .len = bytes.len};
    memcpy((*out)->bytes, bytes.ptr, bytes.len);
    return FL_OK;
}

/* Before the log is asked, which cannot be undone. */
fl_status fl_head_reserve(fl_head *head, fl_error *err)
{
    size_t cap = head->cap == 0 ? 256 : head->cap * 2;
    if (head->count < head->cap)
        return FL_OK;
    fl_head_entry **grown = fl_mem_realloc(head->entries, cap, sizeof(fl_head_entry *));
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a head");
    head->entries = grown;
    head->cap = cap;
    return FL_OK;
}

void fl_head_add(fl_head *head, fl_head_entry *entry)
{
    assert(head->count < head->cap);
    entry->index = head->count;
    head->entries[head->count++] = entry;
    head->bytes += fl_head_entry_bytes(entry->len);
}

/* Its place stays, empty: indices of others do not move. */
void fl_head_remove(fl_head *head, fl_head_entry *entry)
{
    assert(head->entries[entry->index] == entry && !entry->is_durable);
    head->entries[entry->index] = NULL;
    head->bytes -= fl_head_entry_bytes(entry->len);
    fl_mem_free(entry);
}
