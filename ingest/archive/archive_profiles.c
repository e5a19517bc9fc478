/*
 * archive_profiles.c - profiles as files of their own, named by when and whose they are.
 *
 *   name := time "~" service "~" instance "~" type ".profile"
 *
 * The name is all that is known of a profile: there is no list of them that could disagree with the
 * folder, and people can read it. Their bytes are not looked into.
 *
 * The time has 16 hexadecimal digits, its sign turned so that names sort by time. In texts, bytes
 * other than letters, digits, '.', '_' and '-' are '%' and two hexadecimal digits.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "archive_priv.h"
#include "buf.h"
#include "mem.h"
#include "slice.h"
#include "sort.h"

#define PROFILE_SUFFIX ".profile"

/* Safe in a name on any file system, and without '~', which separates. */
static bool is_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

/* Upper-case digits, as in URLs. */
static void put_escaped(fl_buf *out, fl_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (is_plain(text.ptr[i]))
            fl_buf_char(out, (char)text.ptr[i]);
        else
            fl_buf_printf(out, "%%%02X", text.ptr[i]);
}

/* -1: no digit of ours. */
static int hex_of(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place of what stands there; what was not written by us stays as it is. */
static fl_slice unescape(char *text, size_t len)
{
    size_t to = 0;
    for (size_t at = 0; at < len; at++) {
        int high = at + 2 < len ? hex_of((unsigned char)text[at + 1]) : -1;
        int low = at + 2 < len ? hex_of((unsigned char)text[at + 2]) : -1;
        if (text[at] != '%' || high < 0 || low < 0) {
            text[to++] = text[at];
            continue;
        }
        text[to++] = (char)(high << 4 | low);
        at += 2;
    }
    return (fl_slice){.ptr = (const unsigned char *)text, .len = to};
}

/* Names that people put there look otherwise, and stay untouched. */
bool fl_profile_name_read(int64_t *time_ns, const char *name)
{
    uint64_t number = 0;
    size_t len = strlen(name), waves = 0;
    if (len < 16 + 3 + strlen(PROFILE_SUFFIX) || len >= ARCHIVE_NAME_BYTES || name[16] != '~' ||
        strcmp(name + len - strlen(PROFILE_SUFFIX), PROFILE_SUFFIX) != 0)
        return false;
    for (size_t i = 0; i < len; i++)
        waves += name[i] == '~';
    for (size_t i = 0; i < 16; i++) {
        char c = name[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        number = number << 4 | (uint64_t)digit;
    }
    *time_ns = (int64_t)(number ^ UINT64_C(1) << 63);
    return waves == 3;
}

/* Too long a name is refused: cut, two owners could share it. */
static fl_status make_name(char out[ARCHIVE_NAME_BYTES], const fl_archive_profile *who,
                           fl_error *err)
{
    fl_buf name = fl_buf_of(ARCHIVE_NAME_BYTES - 1);
    if (who->service.len == 0 || who->type.len == 0)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "a profile without a service or a type");
    fl_buf_printf(&name, "%016" PRIx64 "~", fl_sort_number(who->time_ns));
    size_t fixed = name.len + 2;
    put_escaped(&name, who->service);
    fl_buf_char(&name, '~');
    put_escaped(&name, who->instance);
    fl_buf_char(&name, '~');
    put_escaped(&name, who->type);
    bool is_long = name.status == FL_E_LIMIT || name.len > fixed + FL_ARCHIVE_WHO_BYTES;
    fl_buf_text(&name, PROFILE_SUFFIX);
    fl_status status = FL_OK;
    if (is_long)
        status = fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                         "the names of a profile's owner are above %d bytes", FL_ARCHIVE_WHO_BYTES);
    else
        status = fl_buf_check(&name, "a name", err);
    if (status == FL_OK) {
        memset(out, 0, ARCHIVE_NAME_BYTES);
        memcpy(out, name.ptr, name.len);
    }
    fl_buf_dispose(&name);
    return status;
}

/* By time and name; the same name is the same profile. The lock is held. */
fl_status fl_archive_add_profile(fl_archive *archive, const fl_kept_profile *profile, fl_error *err)
{
    size_t at = archive->profile_count;
    while (at > 0 && strcmp(archive->profiles[at - 1]->name, profile->name) >= 0)
        at--;
    if (at < archive->profile_count && strcmp(archive->profiles[at]->name, profile->name) == 0) {
        archive->profile_bytes += profile->bytes - archive->profiles[at]->bytes;
        archive->profiles[at]->bytes = profile->bytes;
        return FL_OK;
    }
    if (archive->profile_count == archive->profile_cap) {
        size_t cap = archive->profile_cap == 0 ? 64 : archive->profile_cap * 2;
        fl_kept_profile **grown = fl_mem_realloc(archive->profiles, cap, sizeof(fl_kept_profile *));
        if (grown == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a list of profiles");
        archive->profiles = grown;
        archive->profile_cap = cap;
    }
    fl_kept_profile *kept = fl_mem_alloc(sizeof(*kept));
    if (kept == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a list of profiles");
    *kept = *profile;
    memmove(archive->profiles + at + 1, archive->profiles + at,
            (archive->profile_count - at) * sizeof(archive->profiles[0]));
    archive->profiles[at] = kept;
    archive->profile_count++;
    archive->profile_bytes += profile->bytes;
    return FL_OK;
}

/* The bytes are durable before the name is: half a profile is never listed. */
static fl_status write_profile(fl_archive *archive, const char *temporary, const char *name,
                               fl_slice bytes, fl_error *err)
{
    fl_disk_file *file;
    fl_error ignored = {0};
    fl_status status = fl_disk_open_file(&file, archive->disk, temporary, true, err);
    if (status != FL_OK)
        return status;
    status = fl_disk_write(file, bytes, 0, err);
    if (status == FL_OK)
        status = fl_disk_sync(file, err);
    fl_disk_close_file(file);
    if (status == FL_OK)
        status = fl_disk_rename(archive->disk, temporary, name, err);
    if (status == FL_OK)
        return fl_disk_sync_names(archive->disk, err);
    (void)!fl_disk_remove(archive->disk, temporary, &ignored);
    return status;
}

/* Profiles do not pass the log: each is a sync of its own, and they are few. */
fl_status fl_archive_put_profile(fl_archive *archive, const fl_archive_profile *who, fl_slice bytes,
                                 fl_error *err)
{
    fl_kept_profile profile = {.time_ns = who->time_ns, .bytes = bytes.len};
    char temporary[32];
    assert(archive != NULL);
    fl_status status = make_name(profile.name, who, err);
    if (status != FL_OK)
        return status;
    pthread_mutex_lock(&archive->lock);
    snprintf(temporary, sizeof(temporary), "%016" PRIx64 ".tmp", archive->next_temporary++);
    pthread_mutex_unlock(&archive->lock);
    status = write_profile(archive, temporary, profile.name, bytes, err);
    pthread_mutex_lock(&archive->lock);
    if (status == FL_OK)
        status = fl_archive_add_profile(archive, &profile, err);
    pthread_mutex_unlock(&archive->lock);
    return status;
}

/* A copy of those in the range, so that the visit runs without the lock. */
static fl_status copy_range(fl_kept_profile **out, size_t *count, fl_archive *archive,
                            int64_t from_ns, int64_t to_ns)
{
    size_t from = 0, to;
    pthread_mutex_lock(&archive->lock);
    while (from < archive->profile_count && archive->profiles[from]->time_ns < from_ns)
        from++;
    for (to = from; to < archive->profile_count && archive->profiles[to]->time_ns < to_ns; to++)
        ;
    *count = to - from;
    *out = fl_mem_alloc(*count * sizeof(**out));
    for (size_t i = 0; *out != NULL && i < *count; i++)
        (*out)[i] = *archive->profiles[from + i];
    pthread_mutex_unlock(&archive->lock);
    return *out != NULL ? FL_OK : FL_E_NOMEM;
}

/* The parts of the name, in `text`, which is a copy of it. */
static void read_who(fl_archive_profile *who, char *text)
{
    char *service = text + 17, *instance = strchr(service, '~') + 1;
    char *type = strchr(instance, '~') + 1;
    who->service = unescape(service, (size_t)(instance - 1 - service));
    who->instance = unescape(instance, (size_t)(type - 1 - instance));
    who->type = unescape(type, strlen(type) - strlen(PROFILE_SUFFIX));
}

fl_status fl_archive_profiles(fl_archive *archive, int64_t from_ns, int64_t to_ns,
                              fl_archive_profile_visit *visit, void *payload, fl_error *err)
{
    fl_kept_profile *profiles;
    size_t count;
    assert(archive != NULL && visit != NULL);
    fl_status status = copy_range(&profiles, &count, archive, from_ns, to_ns);
    if (status != FL_OK)
        return fl_fail(err, status, FL_NO_OFFSET, "no memory for %zu profiles", count);
    for (size_t i = 0; status == FL_OK && i < count; i++) {
        char text[ARCHIVE_NAME_BYTES];
        fl_archive_profile who = {.time_ns = profiles[i].time_ns};
        memcpy(text, profiles[i].name, sizeof(text));
        read_who(&who, text);
        status = visit(payload, &who, profiles[i].name, profiles[i].bytes, err);
    }
    fl_mem_free(profiles);
    return status;
}
