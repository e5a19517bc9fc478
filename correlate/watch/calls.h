/*
 * calls.h - who calls whom, as far as was seen, and how far a trouble has to travel.
 *
 * Trouble travels against the calls: a caller feels its callee. Two bits a pair of services, so
 * that a question costs a walk over bit rows and not over edges.
 */
#ifndef FL_CALLS_H
#define FL_CALLS_H

#include <stdbool.h>

#include "faultline/status.h"

enum {
    FL_MAX_CALL_SERVICES = 2048, /* more are not known here; 512 bytes each */
    FL_MAX_CALL_HOPS = 8         /* a trouble is not followed any further */
};
#define FL_NO_SERVICE UINT32_MAX

typedef struct fl_calls fl_calls;

/* How many calls lie between a service and each other; 0: itself, or not to be reached. */
typedef struct fl_reach {
    uint8_t callees[FL_MAX_CALL_SERVICES]; /* it calls them */
    uint8_t callers[FL_MAX_CALL_SERVICES]; /* they call it */
} fl_reach;

/* The caller owns *out. */
FL_NODISCARD fl_status fl_calls_create(fl_calls **out, fl_error *err);
void fl_calls_destroy(fl_calls *calls); /* NULL is a no-op */
/* The number of a service, which is given one; FL_NO_SERVICE where there are too many, or the name
 * is empty. */
FL_NODISCARD fl_status fl_calls_service(uint32_t *out, fl_calls *calls, fl_slice name,
                                        fl_error *err);
/* Two numbers that it gave. */
void fl_calls_add(fl_calls *calls, uint32_t caller, uint32_t callee);
bool fl_calls_has(const fl_calls *calls, uint32_t caller, uint32_t callee);
/* Forget the calls, not the services. */
void fl_calls_clear(fl_calls *calls);
/* For FL_NO_SERVICE nothing can be reached. */
void fl_calls_reach(fl_reach *out, const fl_calls *calls, uint32_t service);

#endif
