/*
 * api_advice.h - what advice and learning share from request to request.
 */
#ifndef FL_API_ADVICE_H
#define FL_API_ADVICE_H

#include "faultline/status.h"

typedef struct fl_api_advice fl_api_advice; /* any thread */

FL_NODISCARD fl_status fl_api_advice_create(fl_api_advice **out, fl_error *err);
void fl_api_advice_destroy(fl_api_advice *advice); /* NULL is a no-op */

#endif
