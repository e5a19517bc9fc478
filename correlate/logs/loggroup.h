/*
 * loggroup.h - distinct forms to templates; the second, order-free step of the miner.
 */
#ifndef FL_LOGGROUP_H
#define FL_LOGGROUP_H

#include <stdbool.h>

#include "arena.h"
#include "faultline/status.h"
#include "miner.h"

/* A form as the miner keeps it. `text` lives as long as the miner. */
struct fl_miner_form {
    fl_slice text;
    uint32_t token_count;
    uint32_t scope;                     /* 0 without a location */
    uint16_t location_at, location_len; /* in the text; len 0: none */
    uint8_t severity;                   /* 0, 1, 5, 9, 13, 17 or 21 */
    bool is_other;                      /* stands for lines over the budget; text is empty */
};

typedef struct fl_log_groups {
    fl_log_template *templates; /* sorted by severity, then text, then location */
    size_t count;
    uint32_t *template_of; /* per form */
} fl_log_groups;

/* Group `count` distinct forms. The result is in `arena`, and depends on the set of forms, not on
 * their order or the numbers of their scopes (template_of[i] belongs to forms[i]). On failure the
 * arena may hold garbage. */
FL_NODISCARD fl_status fl_log_group(fl_log_groups *out, fl_arena *arena,
                                    const struct fl_miner_form *forms, size_t count, fl_error *err);

#endif
