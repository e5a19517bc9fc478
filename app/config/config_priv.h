/*
 * config_priv.h - the rows that describe each setting, and what reads, checks and shows by them.
 */
#ifndef FL_CONFIG_PRIV_H
#define FL_CONFIG_PRIV_H

#include "arena.h"
#include "config.h"

typedef enum fl_config_kind {
    FL_CONFIG_BOOL,      /* bool */
    FL_CONFIG_COUNT,     /* uint64_t, from `least` to `most` */
    FL_CONFIG_RATIO,     /* double, 0 to 1 */
    FL_CONFIG_SIZE,      /* uint64_t bytes, at least `least` */
    FL_CONFIG_DURATION,  /* int64_t ns, at least `least` ms */
    FL_CONFIG_CHOICE,    /* int: which of `choices` */
    FL_CONFIG_TEXT,      /* const char *, and so are the others down to PATTERN */
    FL_CONFIG_WORD,      /* one of `choices`, as text */
    FL_CONFIG_URL,       /* http or https */
    FL_CONFIG_STORE,     /* of an incident store */
    FL_CONFIG_FILE_NAME, /* must be readable */
    FL_CONFIG_SECRET,    /* a file with a secret, likewise */
    FL_CONFIG_FOLDER,    /* is made where it is missing */
    FL_CONFIG_PATTERN,   /* a regular expression */
    FL_CONFIG_TEXTS,     /* fl_config_texts; of `choices` where there are any */
    FL_CONFIG_ADDRESSES, /* fl_config_addresses */
    FL_CONFIG_SECTION,   /* a mapping: `group`, at `offset` */
    FL_CONFIG_ITEMS      /* a list of mappings: struct {const T *items; size_t count;} */
} fl_config_kind;

typedef struct fl_config_group fl_config_group;

typedef struct fl_config_field {
    const char *key;
    fl_config_kind kind;
    bool required; /* in a mapping of a list */
    bool reloads;  /* a running daemon takes a change of it over */
    size_t offset; /* in the struct of its group, or for those of SECTIONs of the root's struct */
    const char *fallback;       /* as it would stand in the file; NULL: none */
    uint64_t least, most;       /* most 0: no other bound */
    const char *const *choices; /* NULL at the end */
    const fl_config_group *group;
    const char *example; /* a value for the documents where there is no fallback */
    const char *help;    /* one sentence without a full stop */
} fl_config_field;

/* Members of one mapping. */
struct fl_config_group {
    const fl_config_field *fields;
    size_t count;
    size_t size; /* of the struct, for ITEMS */
};

extern const fl_config_group fl_config_root;

/* Mappings in mappings, the root's own not counted; ITEMS begin a struct of their own. */
enum { FL_CONFIG_MAX_DEPTH = 4, FL_CONFIG_KEY_BYTES = 96, FL_CONFIG_SENTENCE = 512 };

/* What is handed out as fl_config. `all` stands first, so that one is the other. */
typedef struct fl_config_whole {
    fl_config all;
    fl_arena arena;
    struct fl_config_told *told; /* the newest first */
} fl_config_whole;

/* A value that was set. */
typedef struct fl_config_told {
    const void *member;
    const fl_config_field *field;
    fl_config_place place;
    struct fl_config_told *next;
} fl_config_told;

/* Where a value that is being read comes from, for reading it. */
typedef struct fl_config_text {
    fl_slice text;
    const char *folder;      /* that names of files are relative to; NULL: as they are */
    const char *credentials; /* looked into first for a secret's plain name; NULL: nowhere */
} fl_config_text;

enum { FL_CONFIG_WHY = 384 };

/* One value of the row's kind (of one item for lists) to `to`, texts into the arena. FL_E_SYNTAX
 * with `why` set ("'x' is not a size like 64MiB or 2GB"), or FL_E_NOMEM. */
FL_NODISCARD fl_status fl_config_value(void *to, fl_arena *arena, const fl_config_field *field,
                                       const fl_config_text *from, char why[FL_CONFIG_WHY]);
/* The bytes of one item of a list, of TEXTS and ADDRESSES. */
size_t fl_config_item_size(const fl_config_field *field);

/* What is wrong between settings, told one by one. */
typedef struct fl_config_checks {
    const fl_config *config;
    bool without_files;
    void (*complain)(void *payload, const void *member, bool is_mistake, const char *sentence);
    void *payload;
} fl_config_checks;
void fl_config_check(const fl_config_checks *checks);

/* Every setting and section of the table in its order; `depth` mappings are around it, whose rows
 * are in `path`, itself last. Returns false when `visit` did. */
typedef bool fl_config_visit(void *payload, const fl_config_field *const *path, size_t depth);
bool fl_config_walk(fl_config_visit *visit, void *payload);
/* "listen.http", "sources.prometheus[].url" */
void fl_config_key(char out[FL_CONFIG_KEY_BYTES], const fl_config_field *const *path, size_t depth);
/* "FAULTLINE_LISTEN_HTTP"; false where there is none, in lists of mappings. */
bool fl_config_variable(char out[FL_CONFIG_KEY_BYTES], const fl_config_field *const *path,
                        size_t depth);

#endif
