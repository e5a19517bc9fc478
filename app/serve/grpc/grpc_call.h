/*
 * grpc_call.h - what the session does with a call; not for others.
 */
#ifndef FL_GRPC_CALL_H
#define FL_GRPC_CALL_H

#include "grpc_session.h"

/* NULL: no memory, or the budget is full. */
fl_grpc_call *fl_grpc_call_create(fl_grpc_session *session, fl_budget *budget,
                                  size_t max_header_bytes);
void fl_grpc_call_destroy(fl_grpc_call *call, fl_budget *budget);
/* One more header; what is too large is noted in is_head_too_large. */
void fl_grpc_call_header(fl_grpc_call *call, fl_slice name, fl_slice value);
/* No more headers come: make the request. */
void fl_grpc_call_head_done(fl_grpc_call *call);
fl_budget *fl_grpc_session_budget(fl_grpc_session *session);

#endif
