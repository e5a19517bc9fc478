/*
 * fl_golden.h - compare with a file under tests/golden. FL_UPDATE_GOLDEN=1 rewrites it, and review
 * shows the difference.
 */
#ifndef FL_GOLDEN_H
#define FL_GOLDEN_H

#include <stdio.h>

#include "fl_test.h"

static inline void fl_golden_check(const char *name, const char *text, size_t len)
{
    static char expected[1 << 20];
    char path[1024];
    snprintf(path, sizeof(path), FL_SOURCE_DIR "/tests/golden/%s", name);
    const char *update = getenv("FL_UPDATE_GOLDEN");
    FILE *file = fopen(path, update != NULL ? "wb" : "rb");
    ck_assert_msg(file != NULL, "%s cannot be opened", path);
    if (update != NULL) {
        ck_assert_uint_eq(fwrite(text, 1, len, file), len);
        fclose(file);
        return;
    }
    size_t found = fread(expected, 1, sizeof(expected), file);
    fclose(file);
    ck_assert_msg(found == len && memcmp(text, expected, len) == 0,
                  "%s differs (FL_UPDATE_GOLDEN=1 rewrites it); now it is:\n%.*s", path, (int)len,
                  text);
}

#endif
