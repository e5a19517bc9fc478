/*
 * report_check.h - what a check of a store found.
 */
#ifndef FL_REPORT_CHECK_H
#define FL_REPORT_CHECK_H

#include "arena.h"
#include "graph_check.h"
#include "report.h"

/* Faults as they are found; of each kind the first FL_CHECK_LISTED are kept, all are counted. */
enum { FL_CHECK_LISTED = 20 };
typedef struct fl_check_list {
    fl_arena *arena;
    fl_graph_fault items[FL_FAULT_KIND_COUNT][FL_CHECK_LISTED];
    size_t counts[FL_FAULT_KIND_COUNT]; /* of items */
} fl_check_list;

/* A visit of fl_graph_check(); the payload is an fl_check_list with its arena. */
FL_NODISCARD fl_status fl_check_list_add(const fl_graph_fault *fault, void *payload, fl_error *err);

FL_NODISCARD fl_status fl_report_check_text(fl_buf *out, const fl_graph_checked *checked,
                                            const fl_check_list *list, const fl_report_style *style,
                                            fl_error *err);
/* schemas/json/graph-check.schema.json */
FL_NODISCARD fl_status fl_report_check_json(fl_buf *out, const fl_graph_checked *checked,
                                            const fl_check_list *list, fl_error *err);

#endif
