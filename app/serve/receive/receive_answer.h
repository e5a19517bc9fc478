/*
 * receive_answer.h - what protocols want to hear. A function fills a reply that came empty.
 */
#ifndef FL_RECEIVE_ANSWER_H
#define FL_RECEIVE_ANSWER_H

#include "receive_priv.h"

/* Whether a sender shall try again after that status, and after how long. */
enum { FL_RECEIVE_RETRY_S = 5 };

/* OTLP: an Export...ServiceResponse, or a google.rpc.Status, in the request's own encoding; the
 * member of partial_success that counts is named for JSON. */
void fl_receive_answer_otlp(const fl_receive_outcome *outcome, const fl_http_request *request,
                            const char *rejected_name, fl_http_reply *reply);
/* What the server refused by itself, so that a sender finds a google.rpc.Status there as well. */
void fl_receive_refuse_otlp(const fl_http_request *request, fl_http_reply *reply);
/* Whether an OTLP request is JSON; it is protobuf otherwise. */
bool fl_receive_is_json(const fl_http_request *request);
/* `ok` without a body, or the sentence as text/plain. */
void fl_receive_answer_plain(const fl_receive_outcome *outcome, unsigned ok, fl_http_reply *reply);
/* {"accepted": N, "refused": M, "reason": "..."}, or problem+json. */
void fl_receive_answer_json(const fl_receive_outcome *outcome, const fl_http_request *request,
                            fl_http_reply *reply);

#endif
