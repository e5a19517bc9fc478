/*
 * fuzz_timestamp.c - any text as a time and as a duration; what is read can be shown and read
 * again.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "timestamp.h"

static const int64_t NOW_NS = INT64_C(1700000000123456789);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_slice text = {.ptr = data, .len = size};
    fl_error err = {0};
    char shown[FL_TIME_TEXT];
    int64_t ns = -1, back = -1;
    fl_status status = fl_time_parse(&ns, text, NOW_NS, &err);
    assert(status == FL_OK || status == FL_E_SYNTAX || status == FL_E_LIMIT);
    assert(status == err.status);
    if (status == FL_OK) {
        assert(ns >= 0);
        fl_time_format(shown, ns);
        fl_slice again = {.ptr = (const unsigned char *)shown, .len = strlen(shown)};
        assert(fl_time_parse(&back, again, 0, NULL) == FL_OK && back == ns);
    }
    err = (fl_error){0};
    status = fl_duration_parse(&ns, text, &err);
    assert(status == FL_OK || status == FL_E_SYNTAX || status == FL_E_LIMIT);
    assert(status == err.status);
    if (status == FL_OK) {
        assert(ns > 0);
        fl_duration_format(shown, ns);
        fl_slice again = {.ptr = (const unsigned char *)shown, .len = strlen(shown)};
        assert(fl_duration_parse(&back, again, NULL) == FL_OK);
        assert((back > ns ? back - ns : ns - back) <= ns / 1440 + 1);
    }
    if (size >= sizeof(ns)) { /* any number at all can be shown */
        memcpy(&ns, data, sizeof(ns));
        assert(strlen(fl_time_format(shown, ns)) < FL_TIME_TEXT);
        assert(strlen(fl_duration_format(shown, ns)) < FL_TIME_TEXT);
    }
    return 0;
}
