/* fuzz_signatures.c - a file of a user's signatures: what loads is whole, and twice is refused. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "signatures.h"

static void check(const fl_leak_signature *item)
{
    assert(item->name[0] != '\0' && item->title[0] != '\0' && item->must_count > 0);
    assert(item->prior > 0 && item->prior < 1 && item->cause != NULL && item->fix != NULL);
    for (size_t i = 0; i < item->must_count; i++)
        assert((item->must[i].pattern != NULL) ==
               fl_leak_feature_info_of(item->must[i].feature)->is_text);
    for (size_t i = 0; i < item->against_count; i++)
        assert(item->against[i].text != NULL);
    for (size_t i = 0; i < item->reference_count; i++)
        assert(strncmp(item->references[i], "https://", 8) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_signatures *library;
    fl_slice text = {.ptr = data, .len = size};
    size_t count, again;
    if (fl_signatures_create(&library, NULL) != FL_OK)
        return 0;
    fl_status status = fl_signatures_add(library, text, "own.yaml", FL_SIGNATURE_OWN, NULL);
    const fl_leak_signature *items = fl_signatures_items(library, &count);
    assert(status == FL_OK || count == 0);
    for (size_t i = 0; i < count; i++)
        check(&items[i]);
    if (fl_signatures_add(library, text, "own.yaml", FL_SIGNATURE_OWN, NULL) == FL_OK)
        assert(count == 0);
    fl_signatures_items(library, &again);
    assert(again == count);
    fl_signatures_destroy(library);
    return 0;
}
