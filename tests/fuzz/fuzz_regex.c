/*
 * fuzz_regex.c - a hostile pattern on a hostile text: it ends, and a limit is the worst that it
 * says.
 *
 * Input: the pattern, a line feed, the text.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *feed = size > 0 ? memchr(data, '\n', size) : NULL;
    if (feed == NULL)
        return 0;
    fl_slice pattern = {.ptr = data, .len = (size_t)(feed - data)};
    fl_slice text = {.ptr = feed + 1, .len = size - pattern.len - 1};
    fl_error err = {0};
    fl_regex *regex;
    fl_status status = fl_regex_create(&regex, pattern, size % 2 == 1, &err);
    assert(status == err.status);
    if (status != FL_OK) {
        assert(regex == NULL && (status == FL_E_SYNTAX || status == FL_E_LIMIT));
        assert(err.offset <= pattern.len && err.message[0] != '\0');
        return 0;
    }
    bool matched;
    status = fl_regex_match(&matched, regex, text, &err);
    assert(status == FL_OK || (status == FL_E_LIMIT && !matched));
    fl_regex_destroy(regex);
    return 0;
}
