/*
 * payloads.h - files with what other tools send or answer: saved answers of Prometheus and Loki,
 * bodies that were pushed to them, spans of Zipkin, traces of
 * Jaeger. What a file holds is told by its content, not
 * by its name.
 */
#ifndef FL_PAYLOADS_H
#define FL_PAYLOADS_H

#include <stdbool.h>

#include "faultline/record.h"

/* An answer of Prometheus holds 11,000 samples a series at most; this is some hundred series. */
#define FL_MAX_PAYLOAD_BYTES (256u << 20)

/* Remembers from one file to the next what a metric's type is. */
typedef struct fl_payloads fl_payloads;

/* The sink is copied. */
FL_NODISCARD fl_status fl_payloads_create(fl_payloads **out, const fl_sink *sink, bool strict,
                                          fl_error *err);
void fl_payloads_destroy(fl_payloads *payloads); /* NULL is a no-op */
/* Push what a file (plain, gzip or zstd) holds. FL_E_UNSUPPORTED: it is none of these, and nothing
 * was pushed. FL_E_NOTFOUND, FL_E_IO: it cannot be opened, or is an answer that says an error. A
 * file that breaks or is larger than FL_MAX_PAYLOAD_BYTES is one reject. */
FL_NODISCARD fl_status fl_payloads_file(fl_payloads *payloads, const char *path, fl_error *err);
/* The same over bytes in memory; `path` names them. */
FL_NODISCARD fl_status fl_payloads_bytes(fl_payloads *payloads, fl_slice bytes, const char *path,
                                         fl_error *err);

#endif
