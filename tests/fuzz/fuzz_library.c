/* fuzz_library.c - a document of the curated library: what loads is whole, and twice is refused. */
#include <assert.h>
#include <string.h>

#include "advice.h"
#include "fuzz.h"
#include "gate.h"
#include "library.h"

static fl_slice slice_of(const char *text)
{
    return (fl_slice){.ptr = (const unsigned char *)text, .len = text != NULL ? strlen(text) : 0};
}

static void check(const fl_library_item *item)
{
    assert(item->name[0] != '\0' && item->title[0] != '\0' && item->cause[0] != '\0');
    assert(item->symptom_count > 0 && item->fix_count > 0 && item->reference_count > 0);
    for (size_t i = 0; i < item->need_count; i++) {
        fl_slice gate = slice_of(item->needs[i].gate), value = {(const unsigned char *)"1.2.3", 5};
        assert((item->needs[i].is_component ? fl_gate_check_component(gate, NULL)
                                            : fl_gate_check_config(gate, NULL)) == FL_OK);
        (void)fl_gate_component(gate, value);
        (void)fl_gate_config(gate, &value);
    }
    for (size_t i = 0; i < item->fix_count; i++) {
        fl_advice_words words;
        fl_advice_read(&words, slice_of(item->fixes[i].text));
        assert(words.name.len + words.text.len > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_library *library;
    fl_slice text = {.ptr = data, .len = size};
    char name[FL_LIBRARY_NAME_BYTES];
    size_t count, again;
    if (fl_library_create(&library, NULL) != FL_OK)
        return 0;
    fl_status status = fl_library_add(library, text, "own.yaml", NULL);
    const fl_library_item *items = fl_library_items(library, &count);
    assert(status == FL_OK || count == 0);
    for (size_t i = 0; i < count; i++)
        check(&items[i]);
    (void)fl_library_component(name, library, text);
    (void)fl_library_setting(name, library, text);
    if (fl_library_add(library, text, "own.yaml", NULL) == FL_OK)
        assert(count == 0);
    fl_library_items(library, &again);
    assert(again == count);
    fl_library_destroy(library);
    return 0;
}
