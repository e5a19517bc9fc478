/*
 * quote.c - a message is shown on terminals and stands in JSON: no control byte, no broken UTF-8.
 *
 * At most FL_QUOTE_TEXT - 1 bytes; what is longer ends in three dots. A byte that is no printable
 * ASCII becomes '?', also inside of UTF-8: a name is recognised all the same, and no message is
 * ever broken.
 */
#include "quote.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

char *fl_quote(char out[FL_QUOTE_TEXT], fl_slice text)
{
    static const char dots[] = "...";
    size_t len = text.len < FL_QUOTE_TEXT ? text.len : FL_QUOTE_TEXT - sizeof(dots);
    for (size_t i = 0; i < len; i++)
        out[i] = text.ptr[i] >= ' ' && text.ptr[i] <= '~' ? (char)text.ptr[i] : '?';
    if (len < text.len)
        memcpy(out + len, dots, sizeof(dots));
    else
        out[len] = '\0';
    return out;
}

const char *fl_quote_location(char out[FL_QUOTE_LOCATION], const char *text)
{
    assert(out != NULL && text != NULL);
    const char *scheme = strstr(text, "://");
    const char *host = scheme != NULL ? strrchr(scheme, '@') : NULL;
    if (host == NULL)
        return text;
    size_t len = (size_t)(scheme - text) + strlen("://");
    int shown = len < FL_QUOTE_LOCATION / 2 ? (int)len : FL_QUOTE_LOCATION / 2;
    snprintf(out, FL_QUOTE_LOCATION, "%.*s...%s", shown, text, host);
    return out;
}
