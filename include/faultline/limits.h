/*
 * limits.h - every budget that input could otherwise grow without end, in one place.
 */
#ifndef FAULTLINE_LIMITS_H
#define FAULTLINE_LIMITS_H

/* Bytes in. OTLP recommends 64 MiB as the largest request body, after decompression. */
#define FL_MAX_RECORD_LINE_BYTES (64u << 20)
/* Decompression: free output, then at most this ratio. Real telemetry reaches about 60. */
#define FL_STREAM_FREE_BYTES (64u << 20)
#define FL_STREAM_MAX_RATIO  200u
/* Strings, attributes and events of one record; more are counted and dropped. OTel SDKs cap at 128. */
#define FL_MAX_ATTRS_PER_RECORD  1024u
#define FL_MAX_EVENTS_PER_SPAN   1024u
#define FL_MAX_EVENT_ATTRS_PER_SPAN 4096u
#define FL_MAX_BUCKETS_PER_POINT 4096u
#define FL_MAX_RECORD_ARENA_BYTES (128u << 20)

/* Log templates: distinct forms a miner keeps and the bytes of their text, the text of one form, and
 * how far into a line it reads. What lies beyond shares one template or is cut (docs/templates.md). */
#define FL_MAX_LOG_FORMS      65536u
#define FL_MAX_LOG_FORM_BYTES (16u << 20)
#define FL_MAX_LOG_TEXT_BYTES 1024u
#define FL_MAX_LOG_LINE_BYTES 16384u

#endif
