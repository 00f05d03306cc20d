/*
 * object - looks into a shared object without loading it, so that a plugin that
 * is refused has run none of its code.
 */
#ifndef OBJECT_H
#define OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct object {
    const uint8_t *data;
    size_t size;
};

struct object_symbol {
    const char *name;
    uint64_t address, size;
    bool is_exported; /* others see it; not static, hidden or undefined */
    bool is_object;   /* data, no function */
};

/* Maps a file. False, with a text in `error`, if it is no shared object for
   this machine or not all of it is there. */
bool object_open(struct object *object, const char *path, char *error,
                 size_t error_size);
void object_close(struct object *object);

/* Calls fn for each symbol that the file defines, until it returns false.
   False if the file does not list its symbols at all. */
bool object_each_symbol(const struct object *object,
                        bool (*fn)(const struct object_symbol *symbol,
                                   void *arg),
                        void *arg);

/* Finds an exported symbol. */
bool object_find(const struct object *object, const char *name,
                 struct object_symbol *found);

/* True if the file uses a symbol of this name that another one must have. */
bool object_imports(const struct object *object, const char *name);

/* Copies the bytes that will be at an address once the file is loaded, before
   relocation. False: the file has none for it. */
bool object_read(const struct object *object, uint64_t address, void *out,
                 size_t len);

#endif
