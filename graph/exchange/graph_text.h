/*
 * graph_text.h - texts out of the graph, quoted for the languages that it is written in.
 *
 * Texts are anybody's: what is quoted here cannot end its string, in any of them, and bytes that
 * are not UTF-8 become U+FFFD.
 */
#ifndef FL_GRAPH_TEXT_H
#define FL_GRAPH_TEXT_H

#include "buf.h"

/* JSON (RFC 8259) in quotes; null for NULL. '<' is escaped too, so that the document may stand
 * inside of a page. */
void fl_graph_json_text(fl_buf *out, const char *text);
/* Graphviz's language in quotes: control characters become spaces. */
void fl_graph_dot_text(fl_buf *out, const char *text);
/* XML 1.0, for text and for attributes, without quotes: what XML cannot say becomes U+FFFD. */
void fl_graph_xml_text(fl_buf *out, const char *text);
/* Cypher in single quotes, on one line; null for NULL. */
void fl_graph_cypher_text(fl_buf *out, const char *text);

#endif
