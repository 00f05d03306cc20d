/* Memory that is there, or the program ends. */

#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static void *must(void *memory)
{
    if (memory)
        return memory;
    fputs("playground: out of memory; close other programs\n", stderr);
    exit(1);
}

void *must_calloc(size_t count, size_t size)
{
    return must(calloc(count ? count : 1, size ? size : 1));
}

static void *must_alloc(size_t size)
{
    return must(malloc(size ? size : 1));
}

void must_serve_jansson(void)
{
    json_set_alloc_funcs(must_alloc, free);
}

void *must_realloc(void *memory, size_t count, size_t size)
{
    return must(reallocarray(memory, count ? count : 1, size));
}

char *must_copy(const char *text)
{
    return must(strdup(text));
}

char *must_vprintf(const char *format, va_list arguments)
{
    char *text = NULL;

    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    return must(text);
}

char *must_printf(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = must_vprintf(format, arguments);
    va_end(arguments);
    return text;
}

/* Grows at 0, 1, 2, 4, 8, ...: no capacity needs to be kept anywhere. */
void *must_grow(void *array, size_t count, size_t size)
{
    if (count & (count - 1))
        return array;
    return must_realloc(array, count ? 2 * count : 1, size);
}
