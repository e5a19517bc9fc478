/*
 * services.h - the services of a timeline (include/faultline/timeline.h), by name.
 */
#ifndef FL_SERVICES_H
#define FL_SERVICES_H

#include "faultline/timeline.h"
#include "slice.h"

/* Its place among `services`, which are sorted by bytes; FL_NO_INDEX where nothing was heard of it.
 */
uint32_t fl_service_find(const fl_timeline *timeline, fl_slice name);

#endif
