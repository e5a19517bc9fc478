/*
 * location.c - the one place that knows the user's folders.
 *
 * The state folder and not the data or cache folder: incidents are worth keeping, and belong to
 * this machine. Folders are made for this user only, since telemetry may hold what others should
 * not read.
 */
#include "location.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Make the folders that lead to the file `path`, for this user only, as the specification asks. */
static fl_status make_parents(char *path, fl_error *err)
{
    assert(path[0] == '/');
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int failed = mkdir(path, 0700) != 0 && errno != EEXIST && errno != EISDIR ? errno : 0;
        if (failed != 0)
            (void)fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot make the folder %.120s: %s", path,
                          strerror(failed));
        *slash = '/';
        if (failed != 0)
            return FL_E_IO;
    }
    return FL_OK;
}

/* What is kept in the user's state folder: its name there, how to name another, and what that is
 * called. */
typedef struct kept {
    const char *name, *option, *called;
} kept;

static const kept kept_store = {"faultline.db", "a store with --store", "the store's name"};
static const kept kept_data = {"archive", "a folder with --data", "the folder's name"};

static fl_status find(char out[FL_LOCATION_BYTES], const char *given, const kept *what,
                      fl_error *err)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int len;
    if (given != NULL)
        len = snprintf(out, FL_LOCATION_BYTES, "%s", given);
    else if (state != NULL && state[0] == '/')
        len = snprintf(out, FL_LOCATION_BYTES, "%s/faultline/%s", state, what->name);
    else if (home != NULL && home[0] == '/')
        len = snprintf(out, FL_LOCATION_BYTES, "%s/.local/state/faultline/%s", home, what->name);
    else
        return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET,
                       "neither XDG_STATE_HOME nor HOME names a folder; name %s", what->option);
    if (len < 0 || len >= FL_LOCATION_BYTES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "%s is longer than %d bytes", what->called,
                       FL_LOCATION_BYTES - 1);
    return FL_OK;
}

fl_status fl_location_find(char out[FL_LOCATION_BYTES], const fl_args *args, bool make,
                           fl_error *err)
{
    const char *given = fl_args_text(args, "store");
    return make ? fl_location_store(out, given, err) : find(out, given, &kept_store, err);
}

fl_status fl_location_data(char out[FL_LOCATION_BYTES], const char *given, fl_error *err)
{
    fl_status status = find(out, given, &kept_data, err);
    return status == FL_OK && given == NULL ? make_parents(out, err) : status;
}

fl_status fl_location_store(char out[FL_LOCATION_BYTES], const char *given, fl_error *err)
{
    fl_status status = find(out, given, &kept_store, err);
    return status == FL_OK && given == NULL ? make_parents(out, err) : status;
}

const char *fl_location_temp(void)
{
    const char *usual = getenv("TMPDIR");
    return usual != NULL && usual[0] != '\0' ? usual : "/var/tmp";
}

bool fl_location_signatures(char out[FL_LOCATION_BYTES])
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    struct stat about;
    int len = -1;
    if (config != NULL && config[0] == '/')
        len = snprintf(out, FL_LOCATION_BYTES, "%s/faultline/signatures", config);
    else if (home != NULL && home[0] == '/')
        len = snprintf(out, FL_LOCATION_BYTES, "%s/.config/faultline/signatures", home);
    return len > 0 && len < FL_LOCATION_BYTES && stat(out, &about) == 0 && S_ISDIR(about.st_mode);
}

typedef struct span {
    size_t from, len; /* len 0: there is none */
} span;

/* "://user:SECRET@": between the first colon and the last "@" of what stands before the path. */
static span secret_of_authority(const char *url)
{
    const char *begin = strstr(url, "://");
    if (begin == NULL)
        return (span){0, 0};
    begin += strlen("://");
    size_t end = strcspn(begin, "/?"), colon = strcspn(begin, ":");
    while (end > 0 && begin[end - 1] != '@')
        end--;
    if (end == 0 || colon + 1 >= end)
        return (span){0, 0};
    return (span){(size_t)(begin - url) + colon + 1, end - 1 - (colon + 1)};
}

/* "password=SECRET" among the parameters. */
static span secret_of_parameters(const char *url)
{
    const char *begin = strstr(url, "password=");
    if (begin == NULL)
        return (span){0, 0};
    begin += strlen("password=");
    return (span){(size_t)(begin - url), strcspn(begin, "&")};
}

void fl_location_show(char out[FL_LOCATION_BYTES], const char *url)
{
    assert(out != NULL && url != NULL);
    span first = secret_of_authority(url), second = secret_of_parameters(url);
    size_t from = first.from + first.len;
    assert(second.len == 0 || second.from >= from);
    size_t between = second.len > 0 ? second.from - from : strlen(url + from);
    snprintf(out, FL_LOCATION_BYTES, "%.*s%s%.*s%s%s", (int)first.from, url,
             first.len > 0 ? "***" : "", (int)between, url + from, second.len > 0 ? "***" : "",
             second.len > 0 ? url + second.from + second.len : "");
}
