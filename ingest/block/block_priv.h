/*
 * block_priv.h - the shapes of groups, which writing and reading share.
 *
 * A group's key begins with its kind. Texts in keys are a length and bytes, numbers LEB128.
 */
#ifndef FL_BLOCK_PRIV_H
#define FL_BLOCK_PRIV_H

#include "block.h"
#include "column.h"
#include "ids.h"
#include "rows.h"

#define BLOCK_MAGIC "FLBLK001"

enum {
    BLOCK_HEAD_BYTES = 20,             /* magic, CRC-32C of what follows it, plain length */
    BLOCK_MAX_PLAIN_BYTES = 512 << 20, /* of a block, decompressed */
    BLOCK_MAX_TEXT_VARIABLES = 64,
    BLOCK_MAX_ATTR_COLUMNS = 128, /* above, a record's attributes share a column */
    BLOCK_MAX_COLUMNS = 16 + BLOCK_MAX_TEXT_VARIABLES + BLOCK_MAX_ATTR_COLUMNS
};

typedef enum block_group {
    BLOCK_RESOURCES = 'R', /* key: R.  columns: number, service, instance, node, attributes */
    BLOCK_TRACES = 'T',    /* ids of traces, that logs and spans name by their place, from 1 */
    BLOCK_IDS = 'I',       /* ids of spans */
    BLOCK_UUIDS = 'U',     /* ids in texts and attributes, of whatever */
    BLOCK_NUMBERS = 'N',   /* points of one number */
    BLOCK_SHAPES = 'H',    /* histograms and summaries */
    BLOCK_LOGS = 'L',
    BLOCK_SPANS = 'S',
    BLOCK_CHANGES = 'C',
    BLOCK_ALERTS = 'A'
} block_group;

/* What stands for a variable in a pattern; a text that holds one itself is a variable as a whole.
 * CLOCK and DATE are followed by what pattern.c says. */
enum {
    VARIABLE_INTEGER = 0x11,
    VARIABLE_TEXT = 0x12,
    VARIABLE_TRACE = 0x13, /* the record's own ids, in hexadecimal: nothing is stored */
    VARIABLE_SPAN = 0x14,
    VARIABLE_CLOCK = 0x15, /* of the record's own time, or near it */
    VARIABLE_DATE = 0x16,  /* of its day, or the ones beside it */
    VARIABLE_UUID = 0x17,  /* places in "U" */
    VARIABLE_HEX32 = 0x18,
    VARIABLE_HEX16 = 0x19,
    VARIABLE_LAST = VARIABLE_HEX16
};

/* What a record's text may repeat: its ids, whose digits are made when a text could, and its time.
 */
enum { BLOCK_TRACE_DIGITS = 32, BLOCK_SPAN_DIGITS = 16, BLOCK_UUID_LEN = 36 };
typedef struct block_own {
    fl_trace_id trace;
    uint64_t span;
    int64_t time_ns;
    bool has_digits;
    unsigned char trace_digits[BLOCK_TRACE_DIGITS], span_digits[BLOCK_SPAN_DIGITS];
} block_own;

/* kind is a VARIABLE_; integers, and places once they are known, in `integer`. */
typedef struct block_variable {
    fl_slice text;
    int64_t integer;
    fl_trace_id id;
    unsigned char kind;
} block_variable;

/* A text as what it has in common with others, and the rest. */
typedef struct block_pattern {
    fl_buf pattern;
    block_variable items[BLOCK_MAX_TEXT_VARIABLES];
    size_t count;
} block_pattern;

/* Take `text` apart; slices point into it. `own` may be NULL. pattern.status may be bad afterwards.
 */
void fl_block_take_apart(block_pattern *out, fl_slice text, block_own *own);
/* How many variables a pattern has, and which. */
size_t fl_block_pattern_kinds(fl_column_kind kinds[BLOCK_MAX_TEXT_VARIABLES], fl_slice pattern);
/* The text again: row `row` of the columns that belong to the pattern; false: a place is none of
 * the lists'. */
bool fl_block_put_together(fl_buf *out, fl_slice pattern, const fl_rows_column *columns, size_t row,
                           block_own *own, const fl_block_ids *uuids);

/* The VARIABLE_ of a word that is an id, or 0; and back: its length in `out`, 0: `place` is none of
 * the list's. */
unsigned char fl_block_id_kind(fl_trace_id *out, fl_slice word);
size_t fl_block_put_id(unsigned char out[BLOCK_UUID_LEN], unsigned char kind, int64_t place,
                       const fl_block_ids *uuids);

void fl_block_put_text(fl_buf *out, fl_slice text);
fl_slice fl_block_text(fl_reader *in);
void fl_block_put_u64(fl_buf *out, uint64_t value); /* eight bytes, big-endian */
/* All of a value but its kind. */
void fl_block_put_attrs(fl_buf *out, const fl_attrs *attrs);

#endif
