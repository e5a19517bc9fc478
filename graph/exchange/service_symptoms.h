/*
 * service_symptoms.h - what a service showed in the incidents that were laid to it.
 */
#ifndef FL_SERVICE_SYMPTOMS_H
#define FL_SERVICE_SYMPTOMS_H

#include "symptoms.h"

/* The symptoms of the newest FL_MAX_SERVICE_INCIDENTS incidents whose first hypothesis is of this
 * service and that were stored by `as_of_ns`; those that most of them show first, at most
 * FL_MAX_SYMPTOMS. FL_E_NOTFOUND where there is no such incident, naming the nearest service. */
enum { FL_MAX_SERVICE_INCIDENTS = 1000 };
FL_NODISCARD fl_status fl_service_symptoms(fl_symptoms *out, fl_store *store, const char *service,
                                           int64_t as_of_ns, fl_arena *arena, fl_error *err);

#endif
