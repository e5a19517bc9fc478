/*
 * incidents_priv.h - what the daemon's incidents keep, for their own files.
 *
 * Locks: `watching` is for the watch, `lock` for all the rest but what one thread alone has; who
 * has both took `watching` first. Nobody writes to a store or triages with a lock.
 */
#ifndef FL_INCIDENTS_PRIV_H
#define FL_INCIDENTS_PRIV_H

#include <pthread.h>

#include "arena.h"
#include "faultline/triage.h"
#include "incidents.h"
#include "live_store.h"
#include "watch.h"

enum {
    INCIDENTS_TICK_MS = 50,       /* so often signs are looked for: a page is this late at most */
    INCIDENTS_LISTED_SIGNS = 200, /* on a page, half of them the newest; the kept body has all */
    INCIDENTS_MAX_CAUSES = 16     /* that a triage may put the trouble at */
};

/* A sign on its way from the tap to the keeper; its texts stand behind it. */
typedef struct incidents_mail {
    struct incidents_mail *next;
    int64_t came_ns;
    fl_sign sign;
} incidents_mail;

/* What a list shows of an answer: its first hypothesis. */
typedef struct incidents_head {
    const char *verdict, *cause; /* the contract's words; NULL: none */
    char service[256];
    double probability;
} incidents_head;

/* What is kept beside a group, under the same key. */
typedef struct incidents_item {
    uint64_t key;
    char id[FL_LIVE_ID_BYTES];
    char *answer;             /* of the last triage, without "live"; NULL: none yet */
    incidents_head head;      /* of the answer */
    uint64_t written_version; /* of the group, in the store */
    int64_t next_write_ns;
    uint64_t triaged_version;
    int64_t triaged_from_ns, triaged_to_ns; /* the window that was looked at */
    int64_t next_triage_ns;
    bool is_followed; /* another daemon keeps the incident that its signs belong to */
    /* When it is over: what is left to be written. */
    const char *state;
    char merged_to[FL_LIVE_ID_BYTES];
    char *page, *body;
    int64_t opened_ns, closed_ns;
    bool wants_note; /* a last triage, whose diagnosis the graph remembers */
} incidents_item;

/* The one triage that is asked for or under way. */
typedef struct incidents_job {
    uint64_t key;
    char id[FL_LIVE_ID_BYTES], service[FL_MAX_SIGN_TEXT_BYTES];
    int64_t at_ns, to_ns;
    uint64_t version;
    bool is_last;
    /* The result. */
    fl_status status;
    char *answer;
    incidents_head head;
    char causes[INCIDENTS_MAX_CAUSES][256];
    size_t cause_count;
    int64_t took_ns;
} incidents_job;

typedef enum incidents_job_state { JOB_NONE, JOB_ASKED, JOB_RUNNING, JOB_DONE } incidents_job_state;

struct fl_incidents {
    fl_incidents_options options;
    char *store_url, *owner;
    pthread_mutex_t lock, watching;
    pthread_cond_t wake, asked;
    pthread_t keeper, triager, refiller;
    bool has_keeper, has_triager, has_refiller, is_stopping;
    fl_watch *watch;
    fl_calls *calls;
    fl_groups *groups;
    incidents_mail *first_mail, **last_mail;
    size_t mail_count;
    incidents_item **items;
    size_t item_count, item_capacity;
    incidents_job job;
    incidents_job_state job_state;
    int64_t rest_until_ns;  /* of the triager */
    fl_store *store;        /* the keeper's */
    fl_store *triage_store; /* the triager's */
    int64_t looked_ns, called_ns, leased_ns;
    int64_t refill_to_ns; /* the start: what came since was seen */
    fl_incidents_stats stats;
};

/* --- incident_body.c: a group as JSON, and back --- */
typedef struct incidents_view {
    const fl_group *group;
    const char *state, *merged_to;
    int64_t closed_ns;
    size_t most_signs; /* 0: all */
} incidents_view;
/* Append the object. */
FL_NODISCARD fl_status fl_incident_body(fl_buf *out, const incidents_view *view, fl_error *err);
/* The group of a body, in `arena`. FL_E_SYNTAX: it is none. */
FL_NODISCARD fl_status fl_incident_body_read(fl_group *out, const char *body, fl_arena *arena,
                                             fl_error *err);

/* --- incident_pages.c: documents --- */
/* The page: the answer of the last triage and what is live. */
FL_NODISCARD fl_status fl_incident_page(fl_buf *out, const incidents_item *item,
                                        const incidents_view *view, fl_error *err);
/* A stored page without what is live; NULL for want of memory. */
char *fl_incident_answer_of(const char *page);

/* --- incidents.c: what the watch finds waits for the keeper --- */
FL_NODISCARD fl_status fl_incidents_post(void *incidents, const fl_sign *sign, fl_error *err);

/* --- incident_refill.c: what the archive has, after a start --- */
/* Alerts that were accepted after the last page was written. */
FL_NODISCARD fl_status fl_incidents_read_alerts(fl_incidents *incidents, int64_t now_ns,
                                                fl_error *err);
/* Breaks of incidents that were open go on in the watch. Takes `watching`. */
FL_NODISCARD fl_status fl_incidents_adopt_breaks(fl_incidents *incidents, const fl_group *group,
                                                 fl_error *err);
/* The watch waits for its past, which fl_incidents_refill() tells it. */
FL_NODISCARD fl_status fl_incidents_begin_refill(fl_incidents *incidents, fl_error *err);
void fl_incidents_refill(fl_incidents *incidents);

/* --- incident_keep.c: the keeper --- */
int64_t fl_incidents_now(const fl_incidents *incidents);
/* One round. */
void fl_incidents_keep(fl_incidents *incidents);
/* Write what has not been written, before the end. */
void fl_incidents_finish(fl_incidents *incidents);

/* --- incident_items.c: all within the lock --- */
/* Of an open group; NULL: there is none. */
incidents_item *fl_incidents_item(const fl_incidents *incidents, uint64_t key);
/* NULL for want of memory: the next round tries again. */
incidents_item *fl_incidents_add_item(fl_incidents *incidents, const fl_group *group);
void fl_incidents_drop_item(fl_incidents *incidents, size_t at);
void fl_incidents_free_item(incidents_item *item);
/* One for each group that has none. */
void fl_incidents_give_items(fl_incidents *incidents);
/* Page and body are the caller's; NULL after a failure. */
FL_NODISCARD fl_status fl_incident_texts(char **page, char **body, const incidents_item *item,
                                         const incidents_view *view, fl_error *err);
/* fl_groups_options.ended */
void fl_incidents_ended(void *incidents, const fl_group *group, const fl_group *into);

/* --- incident_write.c --- */
/* Until all is written, a sign waits, or the round has taken long enough; one at least. `with_all`:
 * however long. */
void fl_incidents_write(fl_incidents *incidents, int64_t now_ns, bool with_all);
/* Items that are over, written and noted. Within the lock. */
void fl_incidents_forget(fl_incidents *incidents);
/* Leases, and what others let go. */
void fl_incidents_renew(fl_incidents *incidents, int64_t now_ns);
/* Take over what nobody keeps; `with_own`: and what was ours before. */
FL_NODISCARD fl_status fl_incidents_claim(fl_incidents *incidents, bool with_own, fl_error *err);

/* --- incident_triage.c: one triage --- */
void fl_incident_head_of(incidents_head *out, const fl_incident *incident);
void fl_incident_triage(fl_incidents *incidents, incidents_job *job);

#endif
