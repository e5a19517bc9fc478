/*
 * markup.h - anybody's text inside of HTML, SVG and Markdown of ours.
 *
 * Text out of telemetry is hostile: what would be markup is escaped; control characters, marks that
 * reorder or break lines and bytes that are not UTF-8 are shown as U+FFFD; white space is one
 * space. Of a long text the beginning is shown and "..." behind it. NULL is an empty text.
 */
#ifndef FL_MARKUP_H
#define FL_MARKUP_H

#include "buf.h"

/* Nobody reads more of one text in a document; the JSON answer has all of it. */
enum { FL_MARKUP_TEXT_BYTES = 600 };

/* For HTML, XHTML and SVG: between tags, and inside of an attribute in double quotes. */
void fl_markup_html(fl_buf *out, const char *text);
/* For CommonMark and GitHub's dialect: no emphasis, link, image, code, HTML, mention of a person,
 * formula or address that becomes a link. It must not begin a line. */
void fl_markup_markdown(fl_buf *out, const char *text);
/* A code span, whose content is as it stands; the empty text is nothing. */
void fl_markup_code(fl_buf *out, const char *text);

#endif
