#include "grpc_session.h"

#include "fl_test.h"
#include "h2_client.h"
#include "mem.h"
#include "slice.h"

/* A server of one method, whose calls wait in `taken` until the test answers them. */
#define METHOD "/test.Service/Method"
#define SECOND INT64_C(1000000000)
enum { MOST_BYTES = 1000, TAKEN = 400 };

static fl_error err;
static fl_budget budget;
static fl_grpc_counters counters;
static fl_grpc_session *session;
static h2_client *client;
static fl_grpc_call *taken[TAKEN];
static size_t taken_count;
static bool is_full;
static int64_t now_ns;
static fl_buf out;
static fl_status fed;

static bool admit(void *payload, fl_grpc_call *call, fl_http_reply *reply)
{
    (void)payload;
    if (strcmp(call->request.path, METHOD) != 0) {
        fl_http_problem(reply, 501, "there is no method %s", call->request.path);
        return false;
    }
    call->message.body.max_bytes = MOST_BYTES;
    return true;
}

static bool ready(void *payload, fl_grpc_call *call)
{
    (void)payload;
    ck_assert_uint_lt(taken_count, TAKEN);
    if (!is_full)
        taken[taken_count++] = call;
    return !is_full;
}

static const fl_grpc_hooks hooks = {
    .admit = admit, .ready = ready, .budget = &budget, .counters = &counters};

static void setup(void)
{
    err = (fl_error){0};
    budget = (fl_budget){.max = 64 << 20};
    memset(&counters, 0, sizeof(counters));
    taken_count = 0;
    is_full = false;
    now_ns = 1000 * SECOND;
    fed = FL_OK;
    out = fl_buf_of(64 << 20);
    ck_assert_ok(fl_grpc_session_create(&session, &hooks, now_ns, &err));
    client = h2_create();
}

static void answer_all(void)
{
    while (taken_count > 0)
        fl_grpc_session_answer(session, taken[--taken_count]);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    answer_all();
    fl_grpc_session_destroy(session);
    ck_assert_uint_eq(0, atomic_load(&budget.used));
    h2_destroy(client);
    fl_buf_dispose(&out);
}

/* What the client says now goes to the server in pieces of that size. */
static void say_in_pieces(size_t piece)
{
    h2_flush(client);
    fl_slice said = fl_buf_slice(&client->out);
    for (size_t at = 0; at < said.len && fed == FL_OK; at += piece) {
        size_t end = said.len - at < piece ? said.len : at + piece;
        fed = fl_grpc_session_feed(session, fl_slice_part(said, at, end), now_ns, &err);
    }
    fl_buf_clear(&client->out);
}

static void hear(void)
{
    ck_assert_ok(fl_grpc_session_output(session, &out, SIZE_MAX, &err));
    if (out.len > 0)
        ck_assert(h2_take(client, fl_buf_slice(&out)));
    fl_buf_clear(&out);
}

/* Both say what they have, until neither has more. */
static void talk(void)
{
    for (int round = 0; round < 6; round++) {
        say_in_pieces(SIZE_MAX / 2);
        hear();
    }
}

static h2_call *ask(fl_slice message)
{
    return h2_call_of(client, &(h2_ask){.path = METHOD, .message = message});
}

static const fl_slice hello = BYTES_INIT("\0\0\0\0\5hello");

static void reply_with(fl_grpc_call *call, const char *text)
{
    fl_buf_text(&call->reply.body, text);
    fl_grpc_call_conclude(call);
}

START_TEST(a_call_comes_with_its_message_and_is_answered)
{
    h2_call *call = ask(hello);
    talk();
    ck_assert_uint_eq(1, taken_count);
    ck_assert_uint_eq(1, fl_grpc_session_running(session));
    ck_assert(fl_slice_equal(SLICE("hello"), fl_buf_slice(&taken[0]->message.body)));
    ck_assert_str_eq("trailers", fl_http_header(&taken[0]->request, "TE"));
    ck_assert_str_eq("application/x-protobuf", taken[0]->request.content_type);
    ck_assert(taken[0]->request.is_grpc);
    reply_with(taken[0], "good day");
    answer_all();
    talk();
    ck_assert(call->is_closed);
    ck_assert_uint_eq(NGHTTP2_NO_ERROR, call->error);
    ck_assert_str_eq("200", call->http_status);
    ck_assert_str_eq("0", call->grpc_status);
    ck_assert(fl_slice_equal(BYTES("\0\0\0\0\x08good day"), fl_buf_slice(&call->body)));
    ck_assert_uint_eq(1, counters.codes[FL_GRPC_OK]);
}
END_TEST

START_TEST(bytes_may_come_one_by_one)
{
    h2_call *call = ask(hello);
    say_in_pieces(1);
    hear();
    ck_assert_uint_eq(1, taken_count);
    reply_with(taken[0], "");
    answer_all();
    talk();
    ck_assert_str_eq("0", call->grpc_status);
    ck_assert(fl_slice_equal(BYTES("\0\0\0\0\0"), fl_buf_slice(&call->body)));
}
END_TEST

START_TEST(an_answer_larger_than_the_window_goes_on_as_it_opens)
{
    enum { BYTES_OUT = 300000 };
    h2_call *call = ask(hello);
    talk();
    char *large = calloc(1, BYTES_OUT);
    fl_buf_add(&taken[0]->reply.body, (fl_slice){.ptr = (unsigned char *)large, .len = BYTES_OUT});
    free(large);
    answer_all();
    for (int i = 0; i < 10; i++)
        talk();
    ck_assert_str_eq("0", call->grpc_status);
    ck_assert_uint_eq(BYTES_OUT + 5, call->body.len);
}
END_TEST

START_TEST(a_failure_is_trailers_alone_with_a_reason_and_when_to_retry)
{
    h2_call *call = ask(hello);
    talk();
    fl_http_problem(&taken[0]->reply, 503, "the disk is \"full\"");
    taken[0]->reply.retry_after_s = 5;
    fl_grpc_call_conclude(taken[0]);
    answer_all();
    talk();
    ck_assert_str_eq("200", call->http_status);
    ck_assert_str_eq("14", call->grpc_status);
    ck_assert_str_eq("the disk is \"full\"", call->grpc_message);
    /* Status {1: 14, 2: the sentence, 3: Any {RetryInfo {1: Duration {1: 5}}}} */
    ck_assert_str_eq("CA4SEnRoZSBkaXNrIGlzICJmdWxsIhowCih0eXBlLmdvb2dsZWFwaXMuY29t"
                     "L2dvb2dsZS5ycGMuUmV0cnlJbmZvEgQKAggF",
                     call->details);
    ck_assert_uint_eq(0, call->body.len);
}
END_TEST

START_TEST(a_google_status_becomes_code_and_sentence)
{
    h2_call *call = ask(hello);
    talk();
    taken[0]->reply.status = 400;
    taken[0]->reply.content_type = "application/x-protobuf";
    fl_buf_add(&taken[0]->reply.body, BYTES("\x12\x08"
                                            "100 % no"));
    fl_grpc_call_conclude(taken[0]);
    answer_all();
    talk();
    ck_assert_str_eq("3", call->grpc_status);
    ck_assert_str_eq("100 %25 no", call->grpc_message);
    ck_assert_str_eq("", call->details);
}
END_TEST

static const struct refused {
    h2_ask ask;
    const char *http, *code, *message;
} refused[] = {
    {{.path = METHOD, .method = "GET", .has_no_data = true}, "405", "", ""},
    {{.path = METHOD, .type = "application/json"}, "415", "", ""},
    {{.path = METHOD, .type = "application/grpc+json"}, "415", "", ""},
    {{.path = METHOD, .type = "application/grpc-web"}, "415", "", ""},
    {{.path = "/no.Such/Method"}, "200", "12", "there is no method /no.Such/Method"},
    {{.path = METHOD, .extra = {"grpc-encoding", "br"}},
     "200",
     "12",
     "grpc-encoding is neither identity, gzip nor zstd"},
    {{.path = METHOD, .extra = {"grpc-timeout", "soon"}},
     "200",
     "3",
     "grpc-timeout is not 1 to 8 digits and one of H M S m u n"},
    {{.path = METHOD, .has_no_data = true}, "200", "13", "the call has no message"},
    {{.path = METHOD, .message = BYTES_INIT("\7\0\0\0\0")},
     "200",
     "13",
     "a message begins with flag 7, which is none"},
    {{.path = METHOD, .message = BYTES_INIT("\0\0\0\0\3x")},
     "200",
     "13",
     "the call ends after 1 of 3 bytes of its message"},
    {{.path = METHOD, .message = BYTES_INIT("\0\0\0\0\1xyz")},
     "200",
     "13",
     "there are bytes behind the one message of a unary call"},
    {{.path = METHOD, .message = BYTES_INIT("\0\1\0\0\0"), .never_ends = true},
     "200",
     "8",
     "a message of 16777216 bytes is larger than 1000"},
};

START_TEST(what_is_no_good_call_is_refused_with_its_reason)
{
    h2_call *call = h2_call_of(client, &refused[_i].ask);
    talk();
    ck_assert(call->is_closed);
    ck_assert_uint_eq(NGHTTP2_NO_ERROR, call->error);
    ck_assert_str_eq(refused[_i].http, call->http_status);
    ck_assert_str_eq(refused[_i].code, call->grpc_status);
    ck_assert_str_eq(refused[_i].message, call->grpc_message);
    ck_assert_uint_eq(0, taken_count);
    /* And the connection goes on. */
    ask(hello);
    talk();
    ck_assert_uint_eq(1, taken_count);
}
END_TEST

START_TEST(an_unknown_encoding_is_told_the_known_ones)
{
    h2_call *call = h2_call_of(client, &(h2_ask){.path = METHOD, .extra = {"grpc-encoding", "br"}});
    talk();
    ck_assert_str_eq("identity,gzip,zstd", call->accepts);
}
END_TEST

START_TEST(types_and_encodings_that_are_read_are_admitted)
{
    h2_call_of(client, &(h2_ask){.path = METHOD,
                                 .type = "application/grpc+proto",
                                 .message = hello,
                                 .extra = {"grpc-encoding", "gzip", "grpc-timeout", "10S"}});
    h2_call_of(client, &(h2_ask){.path = METHOD,
                                 .type = "application/grpc;x=y",
                                 .message = hello,
                                 .extra = {"grpc-encoding", "identity"}});
    talk();
    ck_assert_uint_eq(2, taken_count);
    ck_assert(fl_slice_equal(SLICE("gzip"), taken[0]->encoding));
    ck_assert_int_eq(now_ns + 10 * SECOND, taken[0]->deadline_ns);
    ck_assert_uint_eq(0, taken[1]->encoding.len);
    ck_assert_int_eq(INT64_MAX, taken[1]->deadline_ns);
}
END_TEST

/* --- bounds --- */

START_TEST(a_full_budget_asks_to_try_again)
{
    budget.max = atomic_load(&budget.used) + FL_GRPC_CALL_BYTES + 10;
    h2_call *call = ask(hello);
    talk();
    ck_assert_str_eq("14", call->grpc_status);
    ck_assert_str_eq("there are too many requests in memory: try again later", call->grpc_message);
    ck_assert_str_ne("", call->details);
    budget.max = 10;
    call = ask(hello);
    talk();
    ck_assert(call->is_closed);
    ck_assert_uint_eq(NGHTTP2_REFUSED_STREAM, call->error);
    ck_assert_uint_eq(1, counters.refused_streams);
}
END_TEST

START_TEST(full_workers_ask_to_try_again)
{
    is_full = true;
    h2_call *call = ask(hello);
    talk();
    ck_assert_str_eq("14", call->grpc_status);
    ck_assert_uint_eq(0, fl_grpc_session_running(session));
}
END_TEST

START_TEST(headers_beyond_the_limit_are_refused_and_not_kept)
{
    char large[6000];
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    h2_call *call = h2_call_of(
        client, &(h2_ask){.path = METHOD, .message = hello, .extra = {"a", large, "b", large}});
    talk();
    ck_assert_str_eq("8", call->grpc_status);
    ck_assert_str_eq("the call's headers are larger than 8192 bytes", call->grpc_message);
    ck_assert_uint_eq(0, taken_count);
}
END_TEST

static void feed_raw(fl_slice bytes)
{
    fed = fl_grpc_session_feed(session, bytes, now_ns, &err);
}

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"

/* HPACK names a large header again in one byte: here 12,000 times. */
START_TEST(a_header_bomb_ends_the_connection)
{
    fl_buf bomb = fl_buf_of(1 << 20);
    fl_buf_add(&bomb, BYTES(PREFACE));
    /* 14 bytes that put x: yyyyyyyyyy into the table as entry 62 (0xbe). */
    fl_buf_add(&bomb, BYTES("\0\x2e\xee\1\4\0\0\0\1\x40\1x\x0ayyyyyyyyyy"));
    for (int i = 0; i < 12014 - 14; i++)
        fl_buf_char(&bomb, (char)0xbe);
    feed_raw(fl_buf_slice(&bomb));
    fl_buf_dispose(&bomb);
    ck_assert_fails(FL_E_SYNTAX, fed);
}
END_TEST

/* CVE-2024-27316: a head that never ends. */
START_TEST(a_flood_of_continuations_ends_the_connection)
{
    feed_raw(BYTES(PREFACE "\0\0\0\1\0\0\0\0\1"));
    ck_assert_ok(fed);
    for (int i = 0; i < 1000 && fed == FL_OK && !fl_grpc_session_is_over(session); i++) {
        feed_raw(BYTES("\0\0\0\x09\0\0\0\0\1"));
        hear();
    }
    ck_assert(fed != FL_OK || fl_grpc_session_is_over(session));
    ck_assert_uint_eq(0, taken_count);
}
END_TEST

/* CVE-2023-44487: streams that are reset as soon as they are open. */
START_TEST(resets_in_a_loop_end_the_connection)
{
    for (int i = 0; i < 400 && !client->has_goaway; i++) {
        h2_call *call = ask(hello);
        h2_flush(client);
        (void)nghttp2_submit_rst_stream(client->h2, 0, call->stream_id, NGHTTP2_CANCEL);
        talk();
    }
    ck_assert(client->has_goaway);
    ck_assert_uint_eq(NGHTTP2_ENHANCE_YOUR_CALM, client->goaway);
    ck_assert(fl_grpc_session_is_over(session));
    ck_assert_uint_eq(1, counters.impatient);
    /* What went to workers was bounded although no stream was open at a time. */
    ck_assert_uint_le(taken_count, FL_GRPC_MAX_STREAMS);
    for (size_t i = 0; i < taken_count; i++)
        ck_assert(atomic_load(&taken[i]->is_cancelled));
}
END_TEST

START_TEST(a_client_that_cancels_now_and_then_may_stay)
{
    for (int i = 0; i < 400; i++) {
        now_ns += SECOND / 10;
        h2_call *call = ask(hello);
        h2_flush(client);
        (void)nghttp2_submit_rst_stream(client->h2, 0, call->stream_id, NGHTTP2_CANCEL);
        talk();
        answer_all();
    }
    ck_assert(!client->has_goaway);
    ck_assert_uint_eq(400, counters.resets);
}
END_TEST

START_TEST(more_streams_than_allowed_are_refused)
{
    /* Before it knows the server's settings the client may open any number. */
    for (int i = 0; i < 400; i++)
        h2_call_of(client, &(h2_ask){.path = METHOD, .message = hello, .never_ends = true});
    say_in_pieces(SIZE_MAX / 2);
    ck_assert_uint_le(counters.calls, FL_GRPC_MAX_STREAMS);
    ck_assert_uint_le(atomic_load(&budget.used), 2 * FL_GRPC_MAX_STREAMS * FL_GRPC_CALL_BYTES);
    hear();
    size_t closed = 0;
    for (size_t i = 0; i < client->count; i++)
        closed += client->calls[i].is_closed;
    ck_assert_uint_ge(closed, 400 - FL_GRPC_MAX_STREAMS - 100);
}
END_TEST

/* What the configuration allows, as the client is told it and as it is held to. */
START_TEST(a_limit_on_streams_is_the_configurations)
{
    fl_grpc_hooks few = hooks;
    fl_grpc_session *other = NULL;
    fl_buf said = fl_buf_of(1 << 20);
    few.max_streams = 7;
    ck_assert_ok(fl_grpc_session_create(&other, &few, now_ns, &err));
    ck_assert_ok(fl_grpc_session_output(other, &said, 1 << 16, &err));
    /* SETTINGS_MAX_CONCURRENT_STREAMS (3) is the first entry, after a frame head of 9 bytes. */
    static const unsigned char entry[] = {0, 3, 0, 0, 0, 7};
    ck_assert_uint_gt(said.len, 15);
    ck_assert_mem_eq(said.ptr + 9, entry, sizeof(entry));
    fl_grpc_session_destroy(other);
    fl_buf_dispose(&said);
}
END_TEST

static const struct flood {
    const char *what;
    fl_slice frame;
} floods[] = {
    {"settings", BYTES_INIT("\0\0\0\4\0\0\0\0\0")},
    {"ping", BYTES_INIT("\0\0\x08\6\0\0\0\0\0"
                        "12345678")},
    {"priority", BYTES_INIT("\0\0\5\2\0\0\0\0\3\0\0\0\0\1")},
    {"empty data", BYTES_INIT("\0\0\0\0\0\0\0\0\1")},
};

START_TEST(frames_that_cost_nothing_end_the_connection_when_there_are_many)
{
    h2_call_of(client, &(h2_ask){.path = METHOD, .message = hello, .never_ends = true});
    talk();
    for (int i = 0; i < 1000 && fed == FL_OK && !fl_grpc_session_is_over(session); i++) {
        feed_raw(floods[_i].frame);
        ck_assert_ok(fl_grpc_session_output(session, &out, SIZE_MAX, &err));
    }
    ck_assert_ok(fed);
    ck_assert_msg(fl_grpc_session_is_over(session), "%s", floods[_i].what);
    ck_assert_uint_eq(1, counters.impatient);
    /* The last frame is GOAWAY with ENHANCE_YOUR_CALM, 0xb. */
    ck_assert(fl_slice_ends_with(fl_buf_slice(&out), BYTES("\0\0\0\x0b")));
}
END_TEST

START_TEST(a_ping_with_each_answer_is_no_flood)
{
    for (int i = 0; i < 400; i++) {
        ask(hello);
        talk();
        answer_all();
        talk();
        (void)nghttp2_submit_ping(client->h2, 0, NULL);
        talk();
    }
    ck_assert(!client->has_goaway);
    ck_assert_uint_eq(400, counters.codes[FL_GRPC_OK]);
}
END_TEST

/* --- coming and going --- */

START_TEST(a_call_whose_client_goes_away_is_cancelled_and_comes_back)
{
    h2_call *call = ask(hello);
    talk();
    (void)nghttp2_submit_rst_stream(client->h2, 0, call->stream_id, NGHTTP2_CANCEL);
    talk();
    ck_assert(atomic_load(&taken[0]->is_cancelled));
    ck_assert_uint_eq(1, fl_grpc_session_running(session));
    answer_all();
    ck_assert_uint_eq(0, fl_grpc_session_running(session));
    ck_assert_uint_eq(0, atomic_load(&budget.used));
}
END_TEST

START_TEST(a_message_that_does_not_come_is_waited_for_no_longer_than_its_deadline)
{
    h2_call *call = h2_call_of(client, &(h2_ask){.path = METHOD,
                                                 .message = BYTES("\0\0\0\1\0x"),
                                                 .never_ends = true,
                                                 .extra = {"grpc-timeout", "2S"}});
    talk();
    now_ns += SECOND;
    ck_assert(fl_grpc_session_tick(session, now_ns));
    talk();
    ck_assert(!call->is_closed);
    now_ns += SECOND;
    ck_assert(fl_grpc_session_tick(session, now_ns));
    talk();
    ck_assert_str_eq("4", call->grpc_status);
    ck_assert_str_eq("the call's message did not come in time", call->grpc_message);
}
END_TEST

START_TEST(a_slow_message_has_its_time_too)
{
    h2_call *call =
        h2_call_of(client, &(h2_ask){.path = METHOD, .message = BYTES("\0"), .never_ends = true});
    talk();
    now_ns += 16 * SECOND;
    ck_assert(fl_grpc_session_tick(session, now_ns));
    talk();
    ck_assert_str_eq("4", call->grpc_status);
}
END_TEST

START_TEST(a_client_that_says_nothing_is_closed)
{
    ck_assert(fl_grpc_session_tick(session, now_ns + 9 * SECOND));
    ck_assert(!fl_grpc_session_tick(session, now_ns + 10 * SECOND));
}
END_TEST

START_TEST(a_quiet_client_is_asked_and_closed_when_it_does_not_answer)
{
    talk();
    now_ns += 60 * SECOND;
    ck_assert(fl_grpc_session_tick(session, now_ns));
    talk(); /* the client answers */
    ck_assert_uint_eq(1, client->pings);
    now_ns += 60 * SECOND;
    ck_assert(fl_grpc_session_tick(session, now_ns));
    ck_assert(fl_grpc_session_tick(session, now_ns + 19 * SECOND));
    ck_assert(!fl_grpc_session_tick(session, now_ns + 20 * SECOND));
}
END_TEST

START_TEST(a_client_without_calls_is_sent_away_in_the_end)
{
    talk();
    for (int i = 0; i < 5; i++) {
        now_ns += 60 * SECOND;
        ck_assert(fl_grpc_session_tick(session, now_ns));
        talk();
    }
    ck_assert(client->has_goaway);
    ck_assert_uint_eq(NGHTTP2_NO_ERROR, client->goaway);
    ck_assert(fl_grpc_session_is_over(session));
}
END_TEST

START_TEST(an_answer_that_is_not_taken_is_given_up)
{
    const nghttp2_settings_entry no_window = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0};
    h2_destroy(client);
    client = h2_create_with(&no_window, 1);
    h2_call *call = ask(hello);
    talk();
    reply_with(taken[0], "good day");
    answer_all();
    talk();
    ck_assert_uint_ne(0, atomic_load(&budget.used));
    now_ns += 30 * SECOND;
    ck_assert(fl_grpc_session_tick(session, now_ns));
    talk();
    ck_assert(call->is_closed);
    ck_assert_uint_eq(NGHTTP2_CANCEL, call->error);
    ck_assert_uint_eq(0, atomic_load(&budget.used));
}
END_TEST

START_TEST(stopping_finishes_what_is_under_way_and_takes_no_more)
{
    h2_call *call = ask(hello);
    talk();
    fl_grpc_session_stop(session);
    talk();
    ck_assert(client->has_goaway);
    ck_assert(!fl_grpc_session_is_over(session));
    reply_with(taken[0], "last");
    answer_all();
    talk();
    ck_assert_str_eq("0", call->grpc_status);
    ck_assert(fl_grpc_session_is_over(session));
}
END_TEST

START_TEST(what_is_not_http_2_is_told_apart)
{
    feed_raw(SLICE("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    ck_assert_fails(FL_E_SYNTAX, fed);
    ck_assert_ptr_nonnull(strstr(err.message, "the client does not keep to HTTP/2: "));
}
END_TEST

START_TEST(every_prefix_of_a_good_conversation_is_harmless)
{
    ask(hello);
    h2_flush(client);
    fl_slice said = fl_buf_slice(&client->out);
    for (size_t len = 0; len < said.len; len++) {
        fl_grpc_session *other;
        ck_assert_ok(fl_grpc_session_create(&other, &hooks, now_ns, &err));
        ck_assert_ok(fl_grpc_session_feed(other, fl_slice_part(said, 0, len), now_ns, &err));
        ck_assert_uint_eq(0, taken_count);
        fl_grpc_session_destroy(other);
        ck_assert_uint_eq(0, atomic_load(&budget.used));
    }
}
END_TEST

START_TEST(each_allocation_may_fail)
{
    ask(hello);
    h2_flush(client);
    fl_slice said = fl_buf_slice(&client->out);
    for (long successes = 0; successes < 8; successes++) {
        fl_grpc_session *other = NULL;
        err = (fl_error){0};
        fl_mem_fail_after(successes);
        if (fl_grpc_session_create(&other, &hooks, now_ns, &err) == FL_OK &&
            fl_grpc_session_feed(other, said, now_ns, &err) == FL_OK) {
            if (taken_count > 0) {
                fl_buf_text(&taken[0]->reply.body, "good day");
                fl_grpc_call_conclude(taken[0]);
                fl_grpc_session_answer(other, taken[0]);
                taken_count = 0;
            }
            fed = fl_grpc_session_output(other, &out, SIZE_MAX, &err);
        }
        fl_mem_fail_after(-1);
        fl_grpc_session_destroy(other);
        fl_buf_clear(&out);
        ck_assert_uint_eq(0, atomic_load(&budget.used));
    }
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static Suite *make_suite(void)
{
    Suite *suite = suite_create("grpc_session");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_call_comes_with_its_message_and_is_answered);
    tcase_add_test(tests, bytes_may_come_one_by_one);
    tcase_add_test(tests, an_answer_larger_than_the_window_goes_on_as_it_opens);
    tcase_add_test(tests, a_failure_is_trailers_alone_with_a_reason_and_when_to_retry);
    tcase_add_test(tests, a_google_status_becomes_code_and_sentence);
    tcase_add_loop_test(tests, what_is_no_good_call_is_refused_with_its_reason, 0, ROWS(refused));
    tcase_add_test(tests, an_unknown_encoding_is_told_the_known_ones);
    tcase_add_test(tests, types_and_encodings_that_are_read_are_admitted);
    tcase_add_test(tests, a_full_budget_asks_to_try_again);
    tcase_add_test(tests, full_workers_ask_to_try_again);
    tcase_add_test(tests, headers_beyond_the_limit_are_refused_and_not_kept);
    tcase_add_test(tests, a_header_bomb_ends_the_connection);
    tcase_add_test(tests, a_flood_of_continuations_ends_the_connection);
    tcase_add_test(tests, resets_in_a_loop_end_the_connection);
    tcase_add_test(tests, a_client_that_cancels_now_and_then_may_stay);
    tcase_add_test(tests, more_streams_than_allowed_are_refused);
    tcase_add_test(tests, a_limit_on_streams_is_the_configurations);
    tcase_add_loop_test(tests, frames_that_cost_nothing_end_the_connection_when_there_are_many, 0,
                        ROWS(floods));
    tcase_add_test(tests, a_ping_with_each_answer_is_no_flood);
    tcase_add_test(tests, a_call_whose_client_goes_away_is_cancelled_and_comes_back);
    tcase_add_test(tests, a_message_that_does_not_come_is_waited_for_no_longer_than_its_deadline);
    tcase_add_test(tests, a_slow_message_has_its_time_too);
    tcase_add_test(tests, a_client_that_says_nothing_is_closed);
    tcase_add_test(tests, a_quiet_client_is_asked_and_closed_when_it_does_not_answer);
    tcase_add_test(tests, a_client_without_calls_is_sent_away_in_the_end);
    tcase_add_test(tests, an_answer_that_is_not_taken_is_given_up);
    tcase_add_test(tests, stopping_finishes_what_is_under_way_and_takes_no_more);
    tcase_add_test(tests, what_is_not_http_2_is_told_apart);
    tcase_add_test(tests, every_prefix_of_a_good_conversation_is_harmless);
    tcase_add_test(tests, each_allocation_may_fail);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
