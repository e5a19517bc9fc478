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
/* Strings, attributes and events of one record; more are counted and dropped. OTel SDKs cap at 128.
 */
#define FL_MAX_ATTRS_PER_RECORD     1024u
#define FL_MAX_EVENTS_PER_SPAN      1024u
#define FL_MAX_EVENT_ATTRS_PER_SPAN 4096u
#define FL_MAX_BUCKETS_PER_POINT    4096u
#define FL_MAX_RECORD_ARENA_BYTES   (128u << 20)

/* Log templates: distinct forms a miner keeps and the bytes of their text, the text of one form,
 * and how far into a line it reads. What lies beyond shares one template or is cut
 * (docs/templates.md). */
#define FL_MAX_LOG_FORMS      65536u
#define FL_MAX_LOG_FORM_BYTES (16u << 20)
#define FL_MAX_LOG_TEXT_BYTES 1024u
#define FL_MAX_LOG_LINE_BYTES 16384u
#define FL_MAX_STACK_BYTES    (64u << 10) /* of a stack trace */

/* Profiles' companions. Memory statistics: rows kept of one file, more are thinned out evenly; a
 * trend needs no more, and a pair of columns is then compared in milliseconds. */
#define FL_MAX_GOSTATS_ROWS 8192u
/* An answer over HTTP: Go stops its largest text, goroutine?debug=2, at 64 MiB. */
#define FL_MAX_FETCH_WIRE_BYTES (128u << 20)
#define FL_MAX_FETCH_BYTES      (256u << 20)
/* A program's tables: the largest Go programs (hundreds of MB) have some 100 MB of them. */
#define FL_MAX_SYMBOL_BYTES     (512u << 20)
#define FL_MAX_BUILD_INFO_BYTES (4u << 20)
/* Of a mapping file only the classes of a report are kept; the largest have some MB of methods. */
#define FL_MAX_MAPPING_BYTES (64u << 20)
/* Source maps: 20 bytes a segment and 4 a line; the largest bundles have some 5 million segments.
 */
#define FL_MAX_SRCMAP_SEGMENTS   (16u << 20)
#define FL_MAX_SRCMAP_LINES      (16u << 20)
#define FL_MAX_SRCMAP_TEXTS      (4u << 20)
#define FL_MAX_SRCMAP_TEXT_BYTES (256u << 20)
/* Goroutine texts: distinct frames, stacks and waits, and the bytes of their texts. A service of a
 * million lines has some thousands; more are counted and dropped. Go prints at most 100 frames of a
 * goroutine; a longer line than this is no frame. */
#define FL_MAX_GO_FRAMES     (256u << 10)
#define FL_MAX_GO_STACKS     (64u << 10)
#define FL_MAX_GO_WAITS      (256u << 10)
#define FL_MAX_GO_TEXT_BYTES (64u << 20)
#define FL_MAX_GO_STACK      512u
#define FL_MAX_GO_LINE_BYTES (64u << 10)
#define FL_MAX_GO_CRASHES    64u

/* Execution traces of Go: bytes of a generation (Go ends one after about a second, or at 64 MB of
 * buffers), batches of one (of up to 64 KB; each thread has one, at least), samples of one (100 a
 * second for each of 20,000 processors), strings and stacks of one, frames and texts of the whole
 * trace; goroutines alive at once, processors, threads (Go stops a program at 10,000 of them). */
#define FL_MAX_GOTRACE_GENERATION_BYTES (512u << 20)
#define FL_MAX_GOTRACE_V1_BYTES         (1u << 30) /* a trace of a format to 1.21 is kept as a whole */
#define FL_MAX_GOTRACE_EXITS            (4u << 20) /* from system calls that blocked; of those */
#define FL_MAX_GOTRACE_BATCHES          (1u << 20)
#define FL_MAX_GOTRACE_SAMPLES          (2u << 20)
#define FL_MAX_GOTRACE_TABLE            (4u << 20)
#define FL_MAX_GOTRACE_FRAMES           (8u << 20)
#define FL_MAX_GOTRACE_TEXT_BYTES       (64u << 20)
#define FL_MAX_GOTRACE_GOROUTINES       (8u << 20)
#define FL_MAX_GOTRACE_PROCS            (64u << 10)
#define FL_MAX_GOTRACE_THREADS          (64u << 10)
/* What is made of them: rows of each table, collections, tasks and open regions, and the longest
 * regions that are looked at one by one. */
#define FL_MAX_SCHED_ROWS   (64u << 10)
#define FL_MAX_SCHED_CYCLES (64u << 10)
#define FL_MAX_SCHED_TASKS  (1u << 20)
#define FL_MAX_SCHED_SPIKES 64u

/* A packed heap dump is unpacked on disk; the largest that was heard of has 159 GB, packed ones are
 * sent about and smaller. */
#define FL_MAX_HPROF_BYTES (64ull << 30)
/* Names of classes and their members: 40 bytes a member; a large server has 100,000 classes. */
#define FL_MAX_HEAP_TEXT_BYTES (1u << 30)

/* A profile: its bytes when decompressed, and what they are turned into. The largest that were
 * seen have 14 MB and 400,000 samples. A location's lines are inlined calls: compilers stop at some
 * dozens; the stack counts them once a sample, which hostile input would multiply. */
#define FL_MAX_PROFILE_BYTES       (512u << 20)
#define FL_MAX_PROFILE_SAMPLES     (16u << 20)
#define FL_MAX_PROFILE_TYPES       64u
#define FL_MAX_PROFILE_STACK       (128u << 20) /* frames of all stacks, 4 bytes each */
#define FL_MAX_PROFILE_TABLE       (16u << 20)  /* functions, frames, mappings, labels, each */
#define FL_MAX_PROFILE_ARENA_BYTES (512u << 20)
#define FL_MAX_PROFILE_NAME_BYTES  (256u << 20) /* names of functions in a call graph */

/* Recordings of the JVM's Flight Recorder. A chunk is in memory as a whole: the recorder begins a
 * new one at 12 MB, and few configure more than some hundred. Names, frames and stacks are those of
 * a program: some ten thousands. */
#define FL_MAX_JFR_CHUNK_BYTES (1u << 30)
#define FL_MAX_JFR_CONSTANTS   (16u << 20) /* of one table of a chunk, 40 bytes each */
#define FL_MAX_JFR_TEXT_BYTES  (128u << 20)
#define FL_MAX_JFR_FRAMES      (1u << 20)
#define FL_MAX_JFR_STACKS      (4u << 20)   /* frames below different callers, 40 bytes each */
#define FL_MAX_JFR_SITES       (1u << 20)   /* of one kind of events, 64 bytes each */
#define FL_MAX_JFR_ROWS        (256u << 10) /* collections, loads: more are dropped */
#define FL_MAX_JFR_OLD_OBJECTS 8192u

/* The timeline. Together they hold a run below 512 MiB whatever the input; the 23 recorded
 * incidents of a 46-service system use a twentieth of them. */
#define FL_MAX_SPANS              (1u << 20) /* 64 bytes each; more are sampled by trace */
#define FL_MAX_LOGS               (1u << 20) /* 48 bytes each; more are sampled by trace */
#define FL_MAX_SAMPLES            (2u << 20) /* metric samples, 24 bytes each; more are thinned out */
#define FL_MAX_SERIES             (200u << 10) /* distinct metric label sets; more are dropped */
#define FL_MAX_SERIES_PER_METRIC  (25u << 10)  /* of one metric; more are sampled by label set */
#define FL_MAX_METRICS            (64u << 10)  /* metric names; more are dropped */
#define FL_MAX_ENTITIES           (64u << 10)  /* instances; more count as their service alone */
#define FL_MAX_STATES             (64u << 10)  /* versions and variants; more are not compared */
#define FL_MAX_CHANGES            (64u << 10)  /* change events; more are dropped */
#define FL_MAX_TIMELINE_ALERTS    (64u << 10)  /* alerts, 64 bytes each; more are dropped */
#define FL_MAX_OPERATIONS         (64u << 10)  /* span names; more count as <other> */
#define FL_MAX_EXAMPLES           (200u << 10) /* example lines, 240 bytes each */
#define FL_MAX_SERIES_CELLS       (4u << 20)   /* metric series x windows, 8 bytes each */
#define FL_MAX_LOG_CELLS          (4u << 20) /* log series x windows, the same; rarer lines leave */
#define FL_MAX_STREAM_CELLS       (4u << 20) /* duration streams x windows, 16 bytes each; likewise */
#define FL_MAX_NAME_BYTES         (64u << 20) /* service, operation, metric and label texts */
#define FL_MAX_NAME_LEN           1024u       /* a longer name is cut */
#define FL_MAX_WINDOWS            4096u
#define FL_MAX_TIMELINE_BYTES     (256u << 20) /* the finished arrays */
#define FL_MAX_STREAMS_BYTES      (256u << 20) /* streams and answer */
#define FL_MAX_RANK_SCRATCH_BYTES (64u << 20)  /* one test */
/* A picture: 64 bytes for each series, and 8 for each request from outside; then, in the same room,
 * 40 for each of FL_MAX_SPANS and at most 700 for each pair that calls. */
#define FL_MAX_PICTURE_SCRATCH_BYTES (128u << 20)

/* The daemon. A configuration that people write has some hundred lines; the tree and the values of
 * a full file of short keys take some hundred times its bytes. */
#define FL_MAX_CONFIG_BYTES       (256u << 10)
#define FL_MAX_CONFIG_ARENA_BYTES (64u << 20)
#define FL_MAX_SECRET_BYTES       (64u << 10)

/* Leak analysis: distinct stacks and (stack, block size) pairs, snapshots of one kind and the cells
 * of all of them (40 bytes each), states of goroutines, rows of memory statistics, texts. A service
 * of 100 KB a profile has some 3,000 sites. */
#define FL_MAX_LEAK_STACKS        (1u << 20)
#define FL_MAX_LEAK_SITES         (1u << 20)
#define FL_MAX_LEAK_SNAPSHOTS     64u
#define FL_MAX_LEAK_CELLS         (1u << 20)
#define FL_MAX_LEAK_PARKED        (1u << 16)
#define FL_MAX_LEAK_ROWS          (64u << 10) /* more: every other row leaves */
#define FL_MAX_LEAK_TEXT_BYTES    (64u << 20)
#define FL_MAX_LEAK_SCRATCH_BYTES (192u << 20) /* a row for each of FL_MAX_LEAK_SITES, twice */

#endif
