/*
 * srcmap.h - source maps of version 3 (ECMA-426): from a line and column of generated JavaScript to
 * the source that it was made from.
 *
 * Plain maps and index maps (`sections`). The sources' own text (`sourcesContent`) is passed over.
 * docs/formats/source-maps.md says what is read and refused.
 */
#ifndef FL_SRCMAP_H
#define FL_SRCMAP_H

#include <stdbool.h>

#include "faultline/status.h"

typedef struct fl_srcmap fl_srcmap;

typedef struct fl_srcplace {
    fl_slice source;       /* with sourceRoot before it */
    uint32_t line, column; /* from 1 and from 0, as source maps count */
    fl_slice name;         /* of what stands there in the source; empty where not told */
} fl_srcplace;

/* Read a map. `json` is not needed afterwards. FL_E_UNSUPPORTED: no source map, another version, or
 * sections behind URLs; FL_E_SYNTAX with the offset in `json`; FL_E_LIMIT over the budgets of
 * limits.h; FL_E_NOMEM. The caller destroys *out. */
FL_NODISCARD fl_status fl_srcmap_read(fl_srcmap **out, fl_slice json, fl_error *err);
void fl_srcmap_destroy(fl_srcmap *map); /* NULL is a no-op */

/* The source of a place in the generated code, line from 1 and column from 0: what the last segment
 * at or before it says. FL_SRCMAP_ANY_COLUMN: the first place of the line that has a source, if all
 * of the line is of one line of one source. False where the map says nothing, that the code there
 * has no source, or different things. */
#define FL_SRCMAP_ANY_COLUMN UINT32_MAX
bool fl_srcmap_find(fl_srcplace *out, const fl_srcmap *map, uint32_t line, uint32_t column);

/* Of the generated code; empty where the map does not tell. */
fl_slice fl_srcmap_file(const fl_srcmap *map);
size_t fl_srcmap_segment_count(const fl_srcmap *map);
size_t fl_srcmap_line_count(const fl_srcmap *map);
size_t fl_srcmap_source_count(const fl_srcmap *map);

/* Whether the first bytes of a file look like a map. */
bool fl_srcmap_sniff(fl_slice head);

#endif
