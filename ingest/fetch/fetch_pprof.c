/*
 * fetch_pprof.c - URLs of net/http/pprof: where its index is, and how to ask for a profile.
 *
 * URLs are taken apart and put together by libcurl, so that there is one reading of them: what is
 * checked here is what is then asked.
 *
 * The index of net/http/pprof is a page with a link for each profile, "heap?debug=1" and so on. It
 * is looked for at /debug/pprof/ below the given path, then at the path itself, where programs
 * mount it elsewhere. Some routers serve the profiles without an index; these want the URL of a
 * profile.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "curl_lazy.h"
#include "fetch_priv.h"
#include "quote.h"
#include "slice.h"

/* As registered by the runtime, and the one handler of net/http/pprof that is no such profile. */
static const char *const NAMES[FL_FETCH_PROFILE_COUNT] = {
    [FL_FETCH_HEAP] = "heap",
    [FL_FETCH_ALLOCS] = "allocs",
    [FL_FETCH_GOROUTINE] = "goroutine",
    [FL_FETCH_GOROUTINELEAK] = "goroutineleak",
    [FL_FETCH_BLOCK] = "block",
    [FL_FETCH_MUTEX] = "mutex",
    [FL_FETCH_THREADCREATE] = "threadcreate",
    [FL_FETCH_CPU] = "profile",
};

const char *fl_fetch_profile_name(fl_fetch_profile profile)
{
    assert((unsigned)profile < FL_FETCH_PROFILE_COUNT);
    return NAMES[profile];
}

/* A scheme, RFC 3986, 3.1; which schemes are served is told when it is asked. */
bool fl_fetch_is_url(const char *text)
{
    assert(text != NULL);
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
    return len > 0 && strncmp(text + len, "://", 3) == 0;
}

/* A part of a URL into `out`; an absent part is empty. False where it does not fit. */
static bool part_of(char *out, size_t cap, CURLU *url, CURLUPart part)
{
    char *text = NULL;
    out[0] = '\0';
    if (curl_url_get(url, part, &text, 0) != CURLUE_OK)
        return true;
    size_t len = strlen(text);
    bool fits = len < cap;
    if (fits)
        memcpy(out, text, len + 1);
    curl_free(text);
    return fits;
}

/* Parsed, or NULL with `err` set. */
static CURLU *parse_url(const char *text, fl_error *err)
{
    if (fl_curl_load(err) != FL_OK)
        return NULL;
    CURLU *url = curl_url();
    char scheme[16];
    if (url == NULL) {
        (void)fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a URL");
        return NULL;
    }
    if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
        part_of(scheme, sizeof(scheme), url, CURLUPART_SCHEME) &&
        (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
        strlen(text) < FL_FETCH_URL)
        return url;
    curl_url_cleanup(url);
    char shown[FL_QUOTE_LOCATION];
    (void)fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "'%.120s' is not an http:// or https:// URL",
                  fl_quote_location(shown, text));
    return NULL;
}

/* A URL may hold a password, which belongs into no message and no log. */
fl_status fl_fetch_show_url(char shown[FL_FETCH_URL], char scheme[8], const char *url,
                            fl_error *err)
{
    CURLU *parsed = parse_url(url, err);
    if (parsed == NULL)
        return err != NULL ? err->status : FL_E_SYNTAX;
    bool ok = part_of(scheme, 8, parsed, CURLUPART_SCHEME) &&
              curl_url_set(parsed, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
              curl_url_set(parsed, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
              part_of(shown, FL_FETCH_URL, parsed, CURLUPART_URL);
    curl_url_cleanup(parsed);
    return ok ? FL_OK
              : fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "a URL is longer than %d bytes",
                        FL_FETCH_URL);
}

/* Lower-case ASCII of one byte. */
static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
}

/* Where `needle`, in lower case, begins in `text` in any case; text.len: nowhere. */
static size_t find_any_case(fl_slice text, const char *needle)
{
    size_t len = strlen(needle);
    for (size_t i = 0; i + len <= text.len; i++) {
        size_t k = 0;
        while (k < len && lower(text.ptr[i + k]) == (unsigned char)needle[k])
            k++;
        if (k == len)
            return i;
    }
    return text.len;
}

/* Tags and title of a page stand at its beginning. */
enum { PAGE_HEAD = 4096 };

static fl_slice head_of(fl_slice body)
{
    return (fl_slice){.ptr = body.ptr, .len = body.len < PAGE_HEAD ? body.len : PAGE_HEAD};
}

/* A tag at the start decides: net/http calls an unknown text text/plain, others call all HTML. */
bool fl_fetch_is_page(fl_slice body)
{
    fl_slice head = fl_slice_trim(head_of(body));
    if (fl_slice_starts_with(head, FL_SLICE("\xef\xbb\xbf")))
        head = (fl_slice){.ptr = head.ptr + 3, .len = head.len - 3};
    return head.len > 0 && head.ptr[0] == '<' &&
           (find_any_case(head, "<html") < head.len || find_any_case(head, "<!doctype html") == 0 ||
            find_any_case(head, "<head") < head.len || find_any_case(head, "<body") < head.len);
}

/* What a person sees on the tab of a browser: often "Sign in". */
fl_slice fl_fetch_title(fl_slice body)
{
    fl_slice head = head_of(body);
    size_t at = find_any_case(head, "<title>");
    if (at == head.len)
        return (fl_slice){0};
    fl_slice title = {.ptr = head.ptr + at + 7, .len = head.len - at - 7};
    title.len = find_any_case(title, "</title>");
    return fl_slice_trim(title);
}

/* The URL with another path and without query, into `out`. */
static bool with_path(char out[FL_FETCH_URL], CURLU *url, const char *path)
{
    return curl_url_set(url, CURLUPART_PATH, path, 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_QUERY, NULL, 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
           part_of(out, FL_FETCH_URL, url, CURLUPART_URL);
}

/* Go's index links each profile as "heap?debug=1". */
static bool read_index(fl_fetch_target *out, fl_slice page)
{
    char link[64];
    bool has_any = false;
    for (size_t i = 0; i < FL_FETCH_PROFILE_COUNT; i++) {
        size_t at = page.len;
        static const char *const quotes[] = {"'", "\""};
        for (size_t q = 0; q < 2 && at == page.len; q++) {
            int len = snprintf(link, sizeof(link), "href=%s%s?%s", quotes[q], NAMES[i],
                               i == FL_FETCH_CPU ? "" : "debug=");
            assert(len > 0 && (size_t)len < sizeof(link));
            at = find_any_case(page, link);
        }
        out->has[i] = at < page.len;
        has_any |= out->has[i];
    }
    return has_any;
}

/* One place where the index may be; *found tells. Only "not there" lets the search go on. */
static fl_status try_index(fl_fetch_target *out, fl_fetch *fetch, bool *found, fl_error *err)
{
    static const fl_fetch_how how = {.may_be_page = true};
    fl_fetch_answer answer;
    fl_error why = {0};
    fl_status status = fl_fetch_run(&answer, fetch, out->base, &how, &why);
    *found = status == FL_OK && read_index(out, answer.body);
    if (status == FL_OK || status == FL_E_NOTFOUND)
        return FL_OK;
    return fl_fail(err, status, FL_NO_OFFSET, "%s", why.message);
}

/* What stands before `mark` in the path stays; without the mark all of it, but for its last "/". */
static void root_of(char *path, const char *mark)
{
    char *at = strstr(path, mark);
    size_t len = at != NULL ? (size_t)(at - path) : strlen(path);
    while (len > 0 && path[len - 1] == '/')
        len--;
    path[len] = '\0';
}

/* The two places in turn; a failure that is not "not there" ends the search with its reason. */
static fl_status find_below(fl_fetch_target *out, fl_fetch *fetch, CURLU *url, const char *given,
                            fl_error *err)
{
    char path[FL_FETCH_URL], root[FL_FETCH_URL], shown[FL_FETCH_URL], scheme[8];
    bool found = false, fits = part_of(path, sizeof(path), url, CURLUPART_PATH);
    assert(fits); /* a part of a URL that fits */
    memcpy(root, path, sizeof(root));
    root_of(root, "/debug/pprof");
    static const char *const below[] = {"/debug/pprof/", "/"};
    for (size_t i = 0; i < 2 && !found; i++) {
        char place[2 * FL_FETCH_URL];
        (void)snprintf(place, sizeof(place), "%s%s", root, below[i]);
        if (i == 1 && root[0] == '\0')
            break;
        if (!with_path(out->base, url, place))
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "a URL is longer than %d bytes",
                           FL_FETCH_URL);
        fl_status status = try_index(out, fetch, &found, err);
        if (status != FL_OK)
            return status;
    }
    if (found) {
        (void)snprintf(path, sizeof(path), "%.900s/debug/vars", root);
        return with_path(out->vars, url, path)
                   ? FL_OK
                   : fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "a URL is longer than %d bytes",
                             FL_FETCH_URL);
    }
    fl_status status = fl_fetch_show_url(shown, scheme, given, err);
    return status != FL_OK
               ? status
               : fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET,
                         "%.80s: no /debug/pprof/ there; does the program import net/http/pprof, "
                         "and is this its port?",
                         shown);
}

/* A path behind /debug/pprof/ names a profile. */
fl_status fl_fetch_find(fl_fetch_target *out, fl_fetch *fetch, const char *url, fl_error *err)
{
    static const char mark[] = "/debug/pprof/";
    assert(out != NULL && fetch != NULL && url != NULL);
    *out = (fl_fetch_target){0};
    CURLU *parsed = parse_url(url, err);
    if (parsed == NULL)
        return err != NULL ? err->status : FL_E_SYNTAX;
    char path[FL_FETCH_URL];
    fl_status status = FL_OK;
    const char *named =
        part_of(path, sizeof(path), parsed, CURLUPART_PATH) ? strstr(path, mark) : NULL;
    if (named != NULL && named[sizeof(mark) - 1] != '\0') {
        memcpy(out->base, url, strlen(url) + 1);
        out->is_single = true;
    } else
        status = find_below(out, fetch, parsed, url, err);
    curl_url_cleanup(parsed);
    return status;
}

/* Parameters are joined by "&"; the first becomes "?". */
fl_status fl_fetch_pprof(fl_fetch_answer *out, fl_fetch *fetch, const fl_fetch_target *target,
                         fl_fetch_profile profile, const fl_fetch_ask *ask, fl_error *err)
{
    assert(!target->is_single && (unsigned)profile < FL_FETCH_PROFILE_COUNT);
    static const fl_fetch_ask nothing = {0};
    if (ask == NULL)
        ask = &nothing;
    char url[FL_FETCH_URL + 128], seconds[32] = "", debug[32] = "";
    if (ask->seconds > 0)
        (void)snprintf(seconds, sizeof(seconds), "&seconds=%u", ask->seconds);
    if (ask->debug > 0)
        (void)snprintf(debug, sizeof(debug), "&debug=%u", ask->debug);
    int len = snprintf(url, sizeof(url), "%s%s%s%s%s", target->base, NAMES[profile],
                       ask->gc ? "&gc=1" : "", seconds, debug);
    assert(len > 0 && (size_t)len < sizeof(url));
    char *first = strchr(url + strlen(target->base), '&');
    if (first != NULL)
        *first = '?';
    const fl_fetch_how how = {.seconds = ask->seconds};
    return fl_fetch_run(out, fetch, url, &how, err);
}
