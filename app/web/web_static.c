/*
 * web_static.c - style, scripts and icon: out of the binary, compressed once at the start.
 *
 * Their address holds a hash of all of them, so that a browser may keep them for ever, and so that
 * scripts which import each other fit together. A tab of before an upgrade asks for the old build:
 * it gets today's file, but is told not to keep it.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "fl_web_app_js.h"
#include "fl_web_flame_js.h"
#include "fl_web_icon_svg.h"
#include "fl_web_incident_js.h"
#include "fl_web_style_css.h"
#include "gzip.h"
#include "hash.h"
#include "slice.h"
#include "web_priv.h"

enum { SMALLEST = 9 }; /* zlib's level */

/* The smallest form is worth its time, which is spent once. */
static fl_status add_file(web_file *file, const char *name, const char *type, fl_slice bytes,
                          fl_error *err)
{
    assert(file->name == NULL && bytes.len > 0);
    *file = (web_file){
        .name = name, .type = type, .bytes = bytes, .packed = fl_buf_of(bytes.len + 1024)};
    return fl_gzip_add(&file->packed, bytes, SMALLEST, err);
}

/* The build is a hash of the hashes, in the order of the table. */
fl_status web_static_load(fl_web *web, fl_error *err)
{
    const struct {
        const char *name, *type;
        fl_slice bytes;
    } files[] = {
        {"style.css", "text/css; charset=utf-8", fl_web_style_css},
        {"app.js", "text/javascript; charset=utf-8", fl_web_app_js},
        {"incident.js", "text/javascript; charset=utf-8", fl_web_incident_js},
        {"flame.js", "text/javascript; charset=utf-8", fl_web_flame_js},
        {"icon.svg", "image/svg+xml", fl_web_icon_svg},
    };
    static_assert(sizeof(files) / sizeof(files[0]) <= WEB_FILES, "room for all files");
    char hashes[16 * WEB_FILES + 1];
    fl_status status = FL_OK;
    size_t count = sizeof(files) / sizeof(files[0]), len = 0;
    for (size_t i = 0; status == FL_OK && i < count; i++) {
        status = add_file(&web->files[i], files[i].name, files[i].type, files[i].bytes, err);
        len += (size_t)snprintf(hashes + len, sizeof(hashes) - len, "%016llx",
                                (unsigned long long)fl_hash_stable(files[i].bytes));
    }
    assert(len < sizeof(hashes));
    (void)snprintf(web->build, sizeof(web->build), "%016llx",
                   (unsigned long long)fl_hash_stable(fl_slice_of(hashes)));
    return status;
}

/* Also where some were not loaded. */
void web_static_dispose(fl_web *web)
{
    for (size_t i = 0; i < WEB_FILES; i++)
        fl_buf_dispose(&web->files[i].packed);
}

/* A handful: a walk is as quick as a table. */
static const web_file *find_file(const fl_web *web, const char *name)
{
    for (size_t i = 0; i < WEB_FILES; i++)
        if (web->files[i].name != NULL && strcmp(web->files[i].name, name) == 0)
            return &web->files[i];
    return NULL;
}

/* /static/BUILD/NAME */
void web_static(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    const fl_web *web = context;
    const char *build = request->path + strlen("/static/");
    assert(strncmp(request->path, "/static/", strlen("/static/")) == 0);
    const char *slash = strchr(build, '/');
    const web_file *file = slash != NULL ? find_file(web, slash + 1) : NULL;
    if (file == NULL) {
        fl_http_problem(reply, 404, "there is no such file");
        return;
    }
    bool is_ours = (size_t)(slash - build) == strlen(web->build) &&
                   strncmp(build, web->build, strlen(web->build)) == 0;
    bool is_packed = fl_http_takes_gzip(request);
    reply->content_type = file->type;
    fl_buf_add(&reply->body, is_packed ? fl_buf_slice(&file->packed) : file->bytes);
    fl_http_reply_tag(reply, request);
    if (is_packed)
        fl_http_reply_add(reply, "Content-Encoding", "gzip");
    fl_http_reply_add(reply, "Vary", "Accept-Encoding");
    fl_http_reply_add(reply, "Cache-Control",
                      is_ours ? "public, max-age=31536000, immutable" : "no-cache");
    fl_http_reply_add(reply, "X-Content-Type-Options", "nosniff");
    fl_http_reply_add(reply, "Content-Security-Policy", "default-src 'none'; sandbox");
}
