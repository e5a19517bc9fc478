/*
 * mcp_text.h - texts in answers: as JSON, and as what somebody else said.
 */
#ifndef FL_MCP_TEXT_H
#define FL_MCP_TEXT_H

#include <stdbool.h>

#include "buf.h"

/* A JSON string (RFC 8259). Bytes that are not UTF-8 become U+FFFD, each. */
void fl_mcp_put_string(fl_buf *out, fl_slice text);

/*
 * Append the lines of `text`, each behind "| ", and at most `max_bytes` of them; false when some
 * are left out. A line ends at LF, CR, VT, FF, NEL, U+2028 and U+2029, whatever a reader takes for
 * one, so that no text stands at the beginning of a line without the mark. What is not to be seen
 * becomes U+FFFD: control characters, marks that change the direction, joiners, and the tags of
 * U+E0000, in which a text can hide from people and not from models.
 */
bool fl_mcp_put_quoted(fl_buf *out, fl_slice text, size_t max_bytes);
/* Append `text` as a part of one line: what ends a line there, and what is not to be seen, becomes
 * U+FFFD. */
void fl_mcp_put_line(fl_buf *out, fl_slice text);

#endif
