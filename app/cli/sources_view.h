/*
 * sources_view.h - what was found out about sources, for people and for programs.
 */
#ifndef FL_SOURCES_VIEW_H
#define FL_SOURCES_VIEW_H

#include "buf.h"
#include "probe.h"
#include "report.h"

typedef struct fl_sources_found {
    const fl_source *sources;
    const fl_probed *found; /* of each */
    size_t count;
} fl_sources_found;

FL_NODISCARD fl_status fl_sources_text(fl_buf *out, const fl_sources_found *all,
                                       const fl_report_style *style, fl_error *err);
/* schemas/json/sources.schema.json */
FL_NODISCARD fl_status fl_sources_json(fl_buf *out, const fl_sources_found *all, fl_error *err);

#endif
