/*
 * html - text that becomes part of a page: never markup, whatever it says.
 */
#ifndef HTML_H
#define HTML_H

#include <stdio.h>

/* The text with &, <, > and quotes escaped, fit for elements and attributes of
   HTML and SVG; control characters as \xNN. */
void html_text(FILE *out, const char *text);

#endif
