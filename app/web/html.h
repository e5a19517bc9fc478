/*
 * html.h - HTML whose markup is ours and whose text is anybody's.
 *
 *     fl_html(out, "<a href=\"/incidents/@\">$</a>", id, title);
 *
 * A '$' stands for a text, a '@' for a text as one segment of a path or one value of a query; each
 * takes the next argument. Both are safe between tags and inside of double quotes, and nowhere
 * else: no page of ours has scripts or styles in it. What is no '$' and no '@' is written as it
 * stands, so that only literals may be a markup. The number of arguments is asserted, their type is
 * checked by the compiler.
 *
 * Text out of telemetry is hostile: markup is escaped; control characters, marks that reorder text
 * and bytes that are not UTF-8 are shown as U+FFFD; of a text of a megabyte its beginning is shown,
 * and how long it is.
 */
#ifndef FL_HTML_H
#define FL_HTML_H

#include "buf.h"

/* More of one text is not read by anybody; the JSON answer has all of it. */
enum { FL_HTML_TEXT_BYTES = 4096 };

/* fl_html() without its count: `count` texts for as many '$' and '@'. */
void fl_html_fill(fl_buf *out, const char *markup, const char *const *texts, size_t count);
#define fl_html(out, markup, ...)                                                                  \
    fl_html_fill((out), (markup), (const char *const[]){__VA_ARGS__},                              \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* What '$' and '@' write. NULL is an empty text. */
void fl_html_text(fl_buf *out, const char *text);
void fl_html_segment(fl_buf *out, const char *text);

#endif
