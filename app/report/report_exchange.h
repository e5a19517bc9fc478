/*
 * report_exchange.h - what went into a store or out of it, for people and for programs.
 */
#ifndef FL_REPORT_EXCHANGE_H
#define FL_REPORT_EXCHANGE_H

#include "graph_copy.h"
#include "graph_import.h"
#include "report.h"

/* `is_dry`: it was checked only. */
FL_NODISCARD fl_status fl_report_imported_text(fl_buf *out, const fl_graph_imported *imported,
                                               bool is_dry, const fl_report_style *style,
                                               fl_error *err);
/* schemas/json/graph-import.schema.json */
FL_NODISCARD fl_status fl_report_imported_json(fl_buf *out, const fl_graph_imported *imported,
                                               bool is_dry, fl_error *err);

/* The migrations that a store lacks, as SQL; `is_dry`: they were not run. */
FL_NODISCARD fl_status fl_report_plan_text(fl_buf *out, const fl_store_plan *plan, bool is_dry,
                                           fl_error *err);
/* schemas/json/graph-migrate.schema.json */
FL_NODISCARD fl_status fl_report_plan_json(fl_buf *out, const fl_store_plan *plan, bool is_dry,
                                           fl_error *err);

FL_NODISCARD fl_status fl_report_copied_text(fl_buf *out, const fl_graph_copied *copied,
                                             const fl_report_style *style, fl_error *err);
/* schemas/json/graph-copy.schema.json */
FL_NODISCARD fl_status fl_report_copied_json(fl_buf *out, const fl_graph_copied *copied,
                                             fl_error *err);

#endif
