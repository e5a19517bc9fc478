/*
 * sign.c - which members of a sign are texts is said here once.
 */
#include "sign.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* Where the texts are. */
static const size_t texts_at[] = {offsetof(fl_sign, name),     offsetof(fl_sign, service),
                                  offsetof(fl_sign, instance), offsetof(fl_sign, node),
                                  offsetof(fl_sign, severity), offsetof(fl_sign, summary),
                                  offsetof(fl_sign, url)};

enum { TEXTS = sizeof(texts_at) / sizeof(texts_at[0]) };

static const char *text_at(const fl_sign *sign, size_t i)
{
    const char *text;
    memcpy(&text, (const char *)sign + texts_at[i], sizeof(text));
    return text;
}

/* With the NUL; a text that is too long is cut. */
static size_t bytes_of(const char *text)
{
    return text != NULL ? strnlen(text, FL_MAX_SIGN_TEXT_BYTES - 1) + 1 : 0;
}

size_t fl_sign_text_bytes(const fl_sign *sign)
{
    size_t bytes = 0;
    for (size_t i = 0; i < TEXTS; i++)
        bytes += bytes_of(text_at(sign, i));
    return bytes;
}

void fl_sign_copy(fl_sign *out, char *texts, const fl_sign *sign)
{
    assert(out != sign && (texts != NULL || fl_sign_text_bytes(sign) == 0));
    *out = *sign;
    for (size_t i = 0; i < TEXTS; i++) {
        const char *from = text_at(sign, i), *to = texts;
        size_t bytes = bytes_of(from);
        if (bytes == 0)
            continue;
        memcpy(texts, from, bytes - 1);
        texts[bytes - 1] = '\0';
        memcpy((char *)out + texts_at[i], &to, sizeof(to));
        texts += bytes;
    }
}
