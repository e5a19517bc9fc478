/*
 * leak_run.h - from files, folders and servers with profiles of one program to a leak report, in
 * one call.
 */
#ifndef FAULTLINE_LEAK_RUN_H
#define FAULTLINE_LEAK_RUN_H

#include "faultline/leak.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fl_leak_input {
    FL_LEAK_INPUT_HEAP,
    FL_LEAK_INPUT_ALLOCS,
    FL_LEAK_INPUT_GOROUTINE, /* protobuf and text */
    FL_LEAK_INPUT_BLOCK,
    FL_LEAK_INPUT_MUTEX,
    FL_LEAK_INPUT_CPU,
    FL_LEAK_INPUT_OTHER, /* profiles that say nothing about leaks */
    FL_LEAK_INPUT_STATS, /* memory statistics: lines, expvar, gctrace */
    FL_LEAK_INPUT_CRASH, /* a log with the fatal error or panic that ended the program */
    FL_LEAK_INPUT_TRACE, /* execution traces of Go */
    FL_LEAK_INPUT_COUNT
} fl_leak_input;

/* "heap", "allocs", "goroutine" ... */
const char *fl_leak_input_name(fl_leak_input input);

/* What was read, and what it cost. */
typedef struct fl_leak_inputs {
    uint64_t counts[FL_LEAK_INPUT_COUNT];
    uint64_t files;      /* that were looked at */
    uint64_t unknown;    /* that hold nothing of use */
    uint64_t unreadable; /* damaged: more than 0 makes the answer a partial one */
    uint64_t requests;   /* to a server */
    uint64_t fetched_bytes;
    int64_t fetching_ns; /* time in which a request was under way */
} fl_leak_inputs;

/* An asker hands what it was answered to this. */
typedef struct fl_leak_taker fl_leak_taker;

/* How a server is asked for profiles. The library itself knows no network: the program brings this
 * along. `ask` fetches what it wants from `address`, hands each answer to fl_leak_take() and counts
 * what it cost; its failure ends the run. */
typedef struct fl_leak_asker {
    fl_status (*ask)(void *payload, const char *address, fl_leak_taker *taker, fl_error *err);
    void *payload;
} fl_leak_asker;

/* One answer, decompressed or not, whatever it holds. `name` is for messages, `time_ns` when it was
 * asked for. FL_E_NOMEM ends the asking; after any other failure it may go on: it is counted and
 * warned of. */
FL_NODISCARD fl_status fl_leak_take(fl_leak_taker *taker, const char *name, fl_slice bytes,
                                    int64_t time_ns, fl_error *err);
/* A request that failed; the asking goes on. */
void fl_leak_take_failure(fl_leak_taker *taker, const fl_error *why);
/* What asking cost, on top of what was said before. */
void fl_leak_take_cost(fl_leak_taker *taker, uint64_t requests, uint64_t bytes,
                       int64_t duration_ns);

typedef struct fl_leak_request {
    /* Files, folders (read one level deep) and addresses, all of one program. What a file holds is
     * told by its content. */
    const char *const *inputs;
    size_t input_count;
    const char *const
        *signatures; /* YAML files or folders of them; replace built-in ones by name */
    size_t signature_count;
    bool without_built_in;
    uint64_t limit_bytes;       /* time until the heap has this size; 0: none */
    const char *binary;         /* the program, for profiles without symbols; NULL: none */
    const char *source_map;     /* a file or a folder, for JavaScript; NULL: none */
    const char *temp_folder;    /* packed heap dumps are unpacked there; NULL: /var/tmp */
    const fl_leak_asker *asker; /* how addresses are asked; NULL: they are refused */
    /* Called now and then with what is being done. May be NULL. */
    void (*progress)(void *payload, const char *what, uint64_t done, uint64_t total);
    void *payload;
} fl_leak_request;

/* What one profile says in total; NaN for what it is not about. */
typedef struct fl_leak_total {
    int64_t time_ns;
    double heap_bytes, goroutines;
    const char *source; /* the file or address that it came from */
} fl_leak_total;

typedef struct fl_leak_run fl_leak_run;

/* Read and judge. The same bytes in files of any order give the same report. The caller owns *out.
 * FL_E_IO and FL_E_NOTFOUND: an input cannot be read at all; FL_E_UNSUPPORTED: none of them holds
 * anything to judge; FL_E_SYNTAX: signatures, an address, or profiles of two programs; FL_E_LIMIT;
 * FL_E_NOMEM. */
FL_NODISCARD fl_status fl_leak_run_create(fl_leak_run **out, const fl_leak_request *request,
                                          fl_error *err);
/* The answer. It and what follows live as long as the run. */
const fl_leak_report *fl_leak_run_report(const fl_leak_run *run);
/* What was read for it. */
const fl_leak_inputs *fl_leak_run_inputs(const fl_leak_run *run);
/* Of every heap and goroutine profile that carries a time, in the order of reading. */
const fl_leak_total *fl_leak_run_totals(const fl_leak_run *run, size_t *count);
/* NULL is a no-op. */
void fl_leak_run_destroy(fl_leak_run *run);

#ifdef __cplusplus
}
#endif

#endif
