/*
 * edits.c - the usual table, three rows at a time: an exchange looks two rows back.
 */
#include "edits.h"

#include <assert.h>
#include <string.h>

#include "slice.h"

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t fl_edits(fl_slice a, fl_slice b)
{
    size_t rows[3][FL_MAX_EDITS_WORD + 1];
    size_t a_len = min_of(a.len, FL_MAX_EDITS_WORD), b_len = min_of(b.len, FL_MAX_EDITS_WORD);
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] = min_of(above[j] + 1, row[j - 1] + 1);
            row[j] = min_of(row[j], above[j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]));
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1])
                row[j] = min_of(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

size_t fl_edits_most(size_t len)
{
    return len / 3 > 1 ? len / 3 : 1;
}

const char *fl_nearest(const char *wrong, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t wrong_len = strlen(wrong), best_edits = SIZE_MAX;
    for (size_t i = 0; i < count && wrong_len <= FL_MAX_EDITS_WORD; i++) {
        size_t len = strlen(names[i]);
        assert(len <= FL_MAX_EDITS_WORD);
        size_t found = fl_edits(fl_slice_of(wrong), fl_slice_of(names[i]));
        if (found <= fl_edits_most(len > wrong_len ? len : wrong_len) && found < best_edits) {
            best = names[i];
            best_edits = found;
        }
    }
    return best;
}
