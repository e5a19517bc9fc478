/*
 * pull_rules.c - when to try again, when to leave a server alone, which redirect to follow.
 *
 *   breaker: CLOSED --limit failures in a row--> OPEN --time is over--> HALF
 *            HALF --probe succeeds--> CLOSED;  HALF --probe fails--> OPEN, twice as long
 *
 * Requests that were on their way when it opened may come back with a success, which closes it.
 */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "curl_lazy.h"
#include "pull_priv.h"

/* Splitmix64 (Steele, Lea and Flood, OOPSLA 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

int64_t fl_pull_pause_ns(const fl_pull_pause *rule, unsigned tries, int64_t asked_ns,
                         uint64_t *random)
{
    assert(tries > 0 && rule->first_ns > 0 && rule->max_ns >= rule->first_ns);
    int64_t pause = rule->first_ns;
    for (unsigned i = 1; i < tries && pause < rule->max_ns; i++)
        pause *= 2;
    if (pause > rule->max_ns)
        pause = rule->max_ns;
    pause = pause / 2 + (int64_t)(next_random(random) % (uint64_t)(pause / 2 + 1));
    if (asked_ns > rule->max_ns)
        return -1;
    return asked_ns > pause ? asked_ns : pause;
}

/* Looking is what turns OPEN into HALF: there is no clock of its own. */
bool fl_pull_breaker_permits(fl_pull_breaker *breaker, int64_t now_ns, bool *wait)
{
    *wait = false;
    if (breaker->state == FL_PULL_OPEN && now_ns >= breaker->until_ns)
        breaker->state = FL_PULL_HALF;
    if (breaker->state == FL_PULL_CLOSED)
        return true;
    *wait = breaker->state == FL_PULL_HALF && breaker->is_probing;
    return breaker->state == FL_PULL_HALF && !breaker->is_probing;
}

void fl_pull_breaker_sent(fl_pull_breaker *breaker)
{
    assert(breaker->state != FL_PULL_OPEN);
    breaker->is_probing = breaker->state == FL_PULL_HALF;
}

/* A source that was down for hours is asked some times an hour. */
enum { MAX_DOUBLINGS = 4 };

void fl_pull_breaker_learn(fl_pull_breaker *breaker, bool failed, int64_t now_ns)
{
    bool was_probe = breaker->state == FL_PULL_HALF;
    if (!failed) {
        breaker->state = FL_PULL_CLOSED;
        breaker->failures = breaker->openings = 0;
        breaker->is_probing = false;
        return;
    }
    breaker->failures++;
    if (breaker->state == FL_PULL_OPEN || (!was_probe && breaker->failures < breaker->limit))
        return;
    unsigned doublings = breaker->openings < MAX_DOUBLINGS ? breaker->openings : MAX_DOUBLINGS;
    breaker->openings++;
    breaker->state = FL_PULL_OPEN;
    breaker->is_probing = false;
    breaker->until_ns = now_ns + breaker->first_ns * (INT64_C(1) << doublings);
}

/* A part of a URL, to be freed by curl_free; NULL where there is none. */
static char *part_of(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    return curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK ? text : NULL;
}

/* Host names are the same in any case (RFC 3986, 3.2.2). */
static bool is_same(CURLU *a, CURLU *b, CURLUPart part)
{
    char *x = part_of(a, part), *y = part_of(b, part);
    bool same = x != NULL && y != NULL && strcasecmp(x, y) == 0;
    curl_free(x);
    curl_free(y);
    return same;
}

static bool is_scheme(CURLU *url, const char *scheme)
{
    char *text = part_of(url, CURLUPART_SCHEME);
    bool is = text != NULL && strcmp(text, scheme) == 0;
    curl_free(text);
    return is;
}

/* https of a host that was asked by http is at its own port. */
static bool may_follow(CURLU *from, CURLU *to)
{
    if (!is_same(from, to, CURLUPART_HOST))
        return false;
    if (is_same(from, to, CURLUPART_SCHEME))
        return is_same(from, to, CURLUPART_PORT);
    return is_scheme(from, "http") && is_scheme(to, "https");
}

fl_status fl_pull_may_follow(const char *from, const char *to, fl_error *err)
{
    assert(from != NULL && to != NULL);
    fl_status status = fl_curl_load(err);
    if (status != FL_OK)
        return status;
    CURLU *a = curl_url(), *b = curl_url();
    if (a == NULL || b == NULL)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a URL");
    else if (curl_url_set(a, CURLUPART_URL, from, 0) != CURLUE_OK ||
             curl_url_set(b, CURLUPART_URL, to, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
             !may_follow(a, b))
        status = fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                         "redirected to another place, which is not followed");
    curl_url_cleanup(a);
    curl_url_cleanup(b);
    return status;
}
