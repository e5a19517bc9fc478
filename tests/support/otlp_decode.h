/*
 * otlp_decode.h - run the OTLP reader over bytes or a file in a test, and look at what it pushed.
 */
#ifndef FL_OTLP_DECODE_H
#define FL_OTLP_DECODE_H

#include <stdlib.h>

#include "fl_test.h"
#include "otlp.h"
#include "otlp_dump.h"

typedef struct otlp_decoder {
    otlp_dump dump;
    fl_otlp *otlp;
    fl_error err;
} otlp_decoder;

static inline void otlp_decoder_init(otlp_decoder *decoder)
{
    fl_sink sink = otlp_dump_sink(&decoder->dump);
    decoder->err = (fl_error){0};
    decoder->otlp = NULL;
    ck_assert_int_eq(fl_otlp_create(&decoder->otlp, &sink, &decoder->err), FL_OK);
}

static inline void otlp_decoder_dispose(otlp_decoder *decoder)
{
    fl_otlp_destroy(decoder->otlp);
    fl_buf_dispose(&decoder->dump.text);
}

/* Forget what was pushed. */
static inline void otlp_decoder_clear(otlp_decoder *decoder)
{
    fl_buf_clear(&decoder->dump.text);
    fl_buf text = decoder->dump.text;
    decoder->dump = (otlp_dump){.text = text};
    decoder->err = (fl_error){0};
}

static inline const char *otlp_decoder_text(const otlp_decoder *decoder)
{
    return decoder->dump.text.ptr != NULL ? decoder->dump.text.ptr : "";
}

static inline fl_status otlp_decode_json(otlp_decoder *decoder, fl_slice request)
{
    return fl_otlp_json(decoder->otlp, request, "test", 1, 0, &decoder->err);
}

static inline fl_status otlp_decode_proto(otlp_decoder *decoder, fl_slice request)
{
    return fl_otlp_proto(decoder->otlp, request, FL_OTLP_UNKNOWN, "test", 0, &decoder->err);
}

static inline fl_status otlp_decode_file(otlp_decoder *decoder, const char *path)
{
    return fl_otlp_file(decoder->otlp, path, &decoder->err);
}

/* A fixture's bytes; the caller frees ptr. */
static inline fl_slice otlp_fixture(const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), FL_SOURCE_DIR "/tests/fixtures/otlp/%s", name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    unsigned char *bytes = malloc(64 << 10);
    ck_assert_ptr_nonnull(bytes);
    size_t len = fread(bytes, 1, 64 << 10, file);
    fclose(file);
    return (fl_slice){bytes, len};
}

static inline void otlp_fixture_free(fl_slice fixture)
{
    free((void *)(uintptr_t)fixture.ptr);
}

#endif
