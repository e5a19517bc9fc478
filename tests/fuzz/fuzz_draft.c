/* fuzz_draft.c - a postmortem that people edited: it is a draft or is refused, and what it says is
 * within what was drafted. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "publish.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_draft draft;
    fl_error err = {0};
    fl_arena arena = fl_arena_of(8u << 20);
    fl_status status = fl_draft_read(&draft, (fl_slice){.ptr = data, .len = size}, &arena, &err);
    assert(status == FL_OK || status == FL_E_SYNTAX || status == FL_E_LIMIT);
    assert((status == FL_OK) == (err.message[0] == '\0'));
    if (status == FL_OK) {
        assert(draft.incident != NULL && draft.incident[0] != '\0');
        assert(draft.factors <= FL_DRAFT_FACTORS);
        for (size_t i = 0; i < FL_DRAFT_FACTORS; i++)
            assert(!draft.is_ticked[i] || draft.is_there[i]);
        assert(draft.cause == NULL || strlen(draft.cause) <= 400);
    }
    fl_arena_dispose(&arena);
    return 0;
}
