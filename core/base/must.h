/*
 * must - memory for reading a config. Nothing has been accepted yet while it
 * is used, so running out of memory ends the program with a message.
 */
#ifndef MUST_H
#define MUST_H

#include <stddef.h>

#include <playground/handler.h>

void *must_calloc(size_t count, size_t size);
void *must_realloc(void *memory, size_t count, size_t size);
char *must_copy(const char *text);
char *must_printf(const char *format, ...) PG_PRINTF(1, 2);
char *must_vprintf(const char *format, va_list arguments);

/* From now on jansson's memory is of this kind, too: what it cannot have would
   look like a mistake in the text. */
void must_serve_jansson(void);

/* Makes room for one more in an array that doubles; returns the array. */
void *must_grow(void *array, size_t count, size_t size);

#endif
