/*
 * made_incident.h - a small incident as OTLP JSON lines: shop calls bank; from MADE_INCIDENT_AT on
 * bank is 40 times slower, says so in its log and burns its processor.
 */
#ifndef FL_MADE_INCIDENT_H
#define FL_MADE_INCIDENT_H

#include <inttypes.h>
#include <stdbool.h>

#include "buf.h"

#define MADE_INCIDENT_S  1700000000
#define MADE_INCIDENT_AT (INT64_C(1700000000) * 1000000000)

typedef enum made_signals {
    MADE_TRACES = 1,
    MADE_LOGS = 2,
    MADE_METRICS = 4,
    MADE_ALL = 7
} made_signals;

static inline void made_resource(fl_buf *out, const char *signal, const char *service)
{
    fl_buf_printf(
        out,
        "{\"resource%s\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
        "{\"stringValue\":\"%s\"}}]},\"scope%s\":[{",
        signal, service, signal);
}

static inline void made_span(fl_buf *out, int64_t start_ms, int length_ms, unsigned id,
                             bool is_bank)
{
    made_resource(out, "Spans", is_bank ? "bank" : "shop");
    fl_buf_printf(out, "\"spans\":[{\"traceId\":\"%032x\",\"spanId\":\"%016x\",", id,
                  is_bank ? 2 * id + 1 : 2 * id);
    if (is_bank)
        fl_buf_printf(out, "\"parentSpanId\":\"%016x\",", 2 * id);
    fl_buf_printf(out,
                  "\"name\":\"%s\",\"kind\":%d,\"startTimeUnixNano\":\"%" PRId64
                  "000000\",\"endTimeUnixNano\":\"%" PRId64 "000000\"}]}]}]}\n",
                  is_bank ? "pay" : "buy", is_bank ? 2 : 3, start_ms, start_ms + length_ms);
}

static inline void made_line_of_log(fl_buf *out, int64_t at_ms, unsigned id, const char *line)
{
    made_resource(out, "Logs", "bank");
    fl_buf_printf(out,
                  "\"logRecords\":[{\"timeUnixNano\":\"%" PRId64
                  "000000\",\"severityNumber\":9,\"body\":{\"stringValue\":\"%s\"},\"traceId\":\"%"
                  "032x\",\"spanId\":"
                  "\"%016x\"}]}]}]}\n",
                  at_ms, line, id, 2 * id + 1);
}

static inline void made_gauge(fl_buf *out, int64_t at_ms, const char *service, double value)
{
    made_resource(out, "Metrics", service);
    fl_buf_printf(
        out,
        "\"metrics\":[{\"name\":\"cpu_usage_percent\",\"unit\":\"%%\",\"gauge\":{\"dataPoints\":[{"
        "\"timeUnixNano\":\"%" PRId64 "000000\",\"asDouble\":%g}]}}]}]}]}\n",
        at_ms, value);
}

/* `minutes` before the incident and 3 after its begin, `calls` a minute. */
static inline void made_incident(fl_buf *out, int minutes, int calls, made_signals signals)
{
    for (int minute = -minutes; minute < 3; minute++) {
        bool bad = minute >= 0;
        int64_t begin_ms = (INT64_C(1700000000) + 60 * minute) * 1000;
        for (int i = 0; i < calls; i++) {
            unsigned id = (unsigned)((minute + minutes) * calls + i + 1);
            int64_t at_ms = begin_ms + i * (60000 / calls);
            int bank_ms = (bad ? 400 : 10) + i % 3;
            if (signals & MADE_TRACES) {
                made_span(out, at_ms, bank_ms + 5, id, false);
                made_span(out, at_ms + 2, bank_ms, id, true);
            }
            if (signals & MADE_LOGS)
                made_line_of_log(out, at_ms + 3, id,
                                 bad ? "Ledger#12 waiting for the ledger" : "Ledger#7 paid");
        }
        if (signals & MADE_METRICS) {
            made_gauge(out, begin_ms + 1000, "bank", (bad ? 95.0 : 10.0) + (minute & 1));
            made_gauge(out, begin_ms + 1000, "shop", 20.0 + (minute & 3));
        }
    }
}

#endif
