/*
 * postgres_picture.c - packed pictures of incidents, as bytea in its hexadecimal form ("\\x1f2e"),
 * which is a text like any other parameter.
 */
#include <assert.h>
#include <string.h>

#include "number.h"
#include "postgres_priv.h"
#include "slice.h"

enum { MAX_HEX_BYTES = 64 << 20 };

/* What one transaction writes, which may be run again. */
typedef struct put {
    const char *id, *hex;
} put;

/* One statement; the newer picture wins. */
static fl_status put_picture(postgres_store *store, void *payload, fl_error *err)
{
    static const char sql[] = "INSERT INTO picture (team, id, document) VALUES ($1, $2, $3::bytea)"
                              " ON CONFLICT (team, id) DO UPDATE SET document = excluded.document";
    const put *in = payload;
    fl_postgres_params params = {.count = 0};
    fl_postgres_text(&params, FL_POSTGRES_TEAM);
    fl_postgres_text(&params, in->id);
    fl_postgres_text(&params, in->hex);
    return fl_postgres_run(NULL, store, sql, &params, err);
}

/* Two characters a byte: a picture is some tens of kilobytes. */
fl_status fl_postgres_put_picture(fl_store *base, const char *id, fl_slice packed, fl_error *err)
{
    static const char digits[] = "0123456789abcdef";
    fl_buf hex = fl_buf_of(MAX_HEX_BYTES);
    assert(packed.len > 0); /* a frame is never empty */
    fl_buf_text(&hex, "\\x");
    for (size_t i = 0; i < packed.len; i++) {
        fl_buf_char(&hex, digits[packed.ptr[i] >> 4]);
        fl_buf_char(&hex, digits[packed.ptr[i] & 15]);
    }
    fl_status status = fl_buf_check(&hex, "a picture", err);
    put in = {.id = id, .hex = hex.ptr};
    if (status == FL_OK)
        status = fl_postgres_transact((postgres_store *)base, put_picture, &in, err);
    fl_buf_dispose(&hex);
    return status;
}

/* One row. Asked again after it was given it would come twice: it is begun anew. */
static fl_status take_picture(const PGresult *row, void *payload, fl_error *err)
{
    fl_buf *out = payload;
    const char *hex = PQgetvalue(row, 0, 0);
    fl_buf_clear(out);
    bool is_good = strncmp(hex, "\\x", 2) == 0;
    for (hex += 2; is_good && hex[0] != '\0'; hex += 2) {
        unsigned char byte = 0;
        is_good = hex[1] != '\0' &&
                  fl_parse_hex((fl_slice){.ptr = (const unsigned char *)hex, .len = 2}, &byte, 1);
        fl_buf_char(out, (char)byte);
    }
    if (!is_good)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "a picture in the store is not as it was put");
    return fl_buf_check(out, "a picture", err);
}

/* Nothing is visited where there is none, and `out` stays empty. */
fl_status fl_postgres_get_picture(fl_buf *out, fl_store *base, const char *id, fl_error *err)
{
    fl_postgres_params params = {.count = 0};
    fl_postgres_text(&params, FL_POSTGRES_TEAM);
    fl_postgres_text(&params, id);
    return fl_postgres_ask((postgres_store *)base,
                           "SELECT document FROM picture WHERE team = $1 AND id = $2", &params,
                           take_picture, out, err);
}
