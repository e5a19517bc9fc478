/*
 * receive_profile.c - profiles that are sent: Pyroscope's POST /ingest, and a plain pprof.
 *
 *   POST /ingest?name=app{label=value}&from=...&until=...   200; a form or the profile itself
 *   POST /v1/profiles?service=...&type=...&instance=...&time=...   200; any form of a Go profile
 *
 * A profile is kept as it came; it is read here to be sure that it is one, and for its type. Whose
 * it is becomes a file's name, which limits the length.
 */
#include <assert.h>
#include <string.h>

#include "pprof.h"
#include "pyroscope.h"
#include "receive_answer.h"
#include "slice.h"
#include "timestamp.h"

/* As fl_archive_profile counts: what a file's name can hold once, other bytes three times. */
static size_t name_bytes(fl_slice text)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = text.ptr[i], letter = c | 0x20;
        bool is_plain = (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                        c == '_' || c == '-';
        len += is_plain ? 1 : 3;
    }
    return len;
}

/* The type of the profile in `bytes`, in the arena: "heap", "cpu", or what its values are. */
static fl_status read_type(fl_slice *type, int64_t *time_ns, fl_receive_context *context,
                           fl_slice bytes, fl_error *err)
{
    fl_profile *profile;
    fl_error own = {0};
    fl_status status = fl_profile_create(&profile, err);
    if (status != FL_OK)
        return status;
    status = fl_profile_read_bytes(profile, bytes, "the body", NULL, &own);
    if (status != FL_OK) {
        fl_profile_destroy(profile);
        return fl_fail(err, status, own.offset, "%s", own.message);
    }
    fl_slice name = fl_slice_of(fl_profile_kind_name(profile->kind));
    if (profile->kind == FL_PROFILE_OTHER && profile->type_count > 0 &&
        profile->types[profile->default_type].name.len > 0)
        name = profile->types[profile->default_type].name;
    *type = fl_arena_copy(&context->arena, name);
    *time_ns = profile->time_ns;
    fl_profile_destroy(profile);
    return type->ptr != NULL ? FL_OK : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
}

/* Check the profile and leave it in the context, to be kept. What `who` has not is told by the
 * profile itself, and by its arrival. */
static fl_status take_profile(fl_receive_context *context, fl_archive_profile who, fl_slice bytes,
                              const fl_http_request *request, fl_error *err)
{
    fl_slice type = {0};
    int64_t time_ns = 0;
    assert(!context->has_profile && who.service.len > 0);
    fl_receive_profile_begin(context->receive);
    fl_status status = read_type(&type, &time_ns, context, bytes, err);
    fl_receive_profile_end(context->receive);
    if (status != FL_OK)
        return status;
    if (who.type.len == 0)
        who.type = type;
    if (who.time_ns == 0)
        who.time_ns = time_ns > 0 ? time_ns : request->arrival_ns;
    if (name_bytes(who.service) + name_bytes(who.type) + name_bytes(who.instance) >
        FL_ARCHIVE_WHO_BYTES)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "service, instance and type are longer than %d letters together",
                       FL_ARCHIVE_WHO_BYTES);
    if (who.time_ns > context->guard.latest_ns)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "the profile's time is too far ahead of the clock");
    context->who = who;
    context->profile = bytes;
    context->has_profile = true;
    return FL_OK;
}

/* ---- Pyroscope ---- */

/* The service is what a label says it is, else the application of the name. */
static fl_status decode_pyroscope(fl_receive_context *context, const fl_http_request *request,
                                  fl_error *err)
{
    fl_slice bytes;
    fl_status status = FL_OK;
    assert(request->parameter_count <= FL_HTTP_MAX_PARAMETERS);
    fl_pyroscope_upload *upload = fl_arena_alloc(&context->arena, 1, sizeof(*upload));
    if (upload == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    for (size_t i = 0; i < request->parameter_count && status == FL_OK; i++)
        status = fl_pyroscope_parameter(upload, fl_slice_of(request->parameters[i].name),
                                        fl_slice_of(request->parameters[i].value), err);
    if (status == FL_OK)
        status = fl_pyroscope_check(upload, err);
    if (status == FL_OK)
        status =
            fl_pyroscope_profile(&bytes, fl_slice_of(request->content_type), request->body, err);
    if (status != FL_OK)
        return status;
    fl_attr told[FL_WHO_LABELS];
    fl_resource who = fl_labels_take_who(&upload->labels, told);
    return take_profile(
        context,
        (fl_archive_profile){.service = who.service.len > 0 ? who.service : upload->app,
                             .instance = who.instance,
                             .time_ns = upload->from_ns},
        bytes, request, err);
}

static void answer_pyroscope(const fl_receive_outcome *outcome, const fl_http_request *request,
                             fl_http_reply *reply)
{
    (void)request;
    fl_receive_answer_plain(outcome, 200, reply);
}

const fl_receive_how fl_receive_pyroscope = {.protocol = FL_RECEIVE_PYROSCOPE,
                                             .path = "/ingest",
                                             .role = FL_ROLE_INGEST,
                                             .decode = decode_pyroscope,
                                             .answer = answer_pyroscope};

/* ---- plain ---- */

static fl_slice parameter(const fl_http_request *request, const char *name)
{
    return fl_slice_of(fl_http_query(request, name));
}

/* As `curl --data-binary @heap.pb.gz` sends it; only the service has to be told. */
static fl_status decode_pprof(fl_receive_context *context, const fl_http_request *request,
                              fl_error *err)
{
    fl_archive_profile who = {.service = parameter(request, "service"),
                              .instance = parameter(request, "instance"),
                              .type = parameter(request, "type")};
    fl_slice time = parameter(request, "time");
    if (who.service.len == 0)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "whose profile is it? ?service=NAME&type=heap");
    if (time.len > 0) {
        fl_status status = fl_time_parse(&who.time_ns, time, request->arrival_ns, err);
        if (status != FL_OK)
            return status;
    }
    return take_profile(context, who, request->body, request, err);
}

const fl_receive_how fl_receive_pprof = {.protocol = FL_RECEIVE_PPROF,
                                         .path = "/v1/profiles",
                                         .role = FL_ROLE_INGEST,
                                         .decode = decode_pprof,
                                         .answer = fl_receive_answer_json};
