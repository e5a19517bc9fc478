/* Any bytes: no crash; each place that is found has a source of the map, whole or section by
 * section. */
#include <assert.h>

#include "fuzz.h"
#include "srcmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_srcmap *map;
    fl_srcplace place;
    fl_error err = {0};
    fl_slice bytes = {.ptr = data, .len = size};
    (void)fl_srcmap_sniff(bytes);
    if (fl_srcmap_read(&map, bytes, &err) != FL_OK) {
        assert(err.message[0] != '\0');
        return 0;
    }
    for (uint32_t line = 0; line < fl_srcmap_line_count(map) + 2 && line < 64; line++) {
        (void)fl_srcmap_find(&place, map, line, FL_SRCMAP_ANY_COLUMN);
        for (uint32_t column = 0; column < 40; column += 3)
            if (fl_srcmap_find(&place, map, line, column)) {
                assert(place.line > 0 && fl_srcmap_source_count(map) > 0);
                assert(place.source.ptr != NULL && place.source.len <= size * 2);
            }
    }
    fl_srcmap_destroy(map);
    return 0;
}
