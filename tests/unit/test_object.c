/* Shared objects are looked into before they are loaded: whatever is in the
   file, nothing is read beyond its end. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <playground/handler.h>

#include "plugin/object.h"

struct file {
    uint8_t *data;
    size_t size;
};

static struct file read_file(const char *path)
{
    FILE *in = fopen(path, "re");
    struct file file = {malloc(4u << 20), 0};

    assert_non_null(in);
    assert_non_null(file.data);
    file.size = fread(file.data, 1, 4u << 20, in);
    fclose(in);
    return file;
}

/* The file behind a path of its own; only `len` bytes of it. */
static int make_fd(const struct file *file, size_t len, char path[32])
{
    int fd = memfd_create("object", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, file->data, len), len);
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

static bool count_symbol(const struct object_symbol *symbol, void *arg)
{
    *(size_t *)arg += strlen(symbol->name);
    return true;
}

/* Looks at everything there is; true if it has the symbol of a handler. */
static bool look(const char *path)
{
    char error[256] = "";
    struct object object;
    struct object_symbol symbol;
    uint32_t abi;
    size_t bytes = 0;
    bool is_found;

    if (!object_open(&object, path, error, sizeof(error))) {
        assert_true(strlen(error) > 10);
        return false;
    }
    object_each_symbol(&object, count_symbol, &bytes);
    object_imports(&object, "no such function");
    is_found = object_find(&object, "pg_handler", &symbol);
    if (is_found)
        object_read(&object, symbol.address, &abi, sizeof(abi));
    object_read(&object, UINT64_MAX, &abi, sizeof(abi));
    object_close(&object);
    return is_found;
}

static bool look_at_copy(const struct file *file, size_t len)
{
    char path[32];
    int fd = make_fd(file, len, path);
    bool is_found = look(path);

    close(fd);
    return is_found;
}

static void test_object_finds_the_symbol(void **state)
{
    const char *path = BAD_PLUGINS "/say.so";
    char error[256];
    struct object_symbol symbol;
    struct object object;
    uint32_t abi;

    (void)state;
    assert_true(object_open(&object, path, error, sizeof(error)));
    assert_true(object_find(&object, "pg_handler", &symbol));
    assert_true(symbol.is_exported && symbol.is_object);
    assert_true(object_read(&object, symbol.address, &abi, sizeof(abi)));
    assert_int_equal(abi, PG_HANDLER_ABI);
    assert_false(object_find(&object, "pg_send", &symbol));  /* undefined */
    assert_false(object_find(&object, "say_recv", &symbol)); /* static */
    assert_true(object_imports(&object, "pg_send"));
    assert_false(object_imports(&object, "pg_state"));
    assert_false(object_imports(&object, "pg_handler"));
    assert_false(object_imports(&object, ""));
    object_close(&object);
}

static void test_object_may_end_anywhere(void **state)
{
    struct file file = read_file(BAD_PLUGINS "/say.so");

    (void)state;
    for (size_t len = 0; len < file.size; len += len < 4096 ? 1 : 61)
        assert_false(look_at_copy(&file, len));
    assert_true(look_at_copy(&file, file.size));
    free(file.data);
}

/* Changes each byte of a part of the file in a few ways. */
static void garble(struct file *file, size_t from, size_t len)
{
    static const uint8_t changes[] = {0x01, 0x80, 0xff};

    for (size_t at = from; at < from + len && at < file->size; at++) {
        uint8_t before = file->data[at];

        for (size_t i = 0; i < sizeof(changes); i++) {
            file->data[at] = before ^ changes[i];
            look_at_copy(file, file->size);
        }
        file->data[at] = before;
    }
}

static void test_object_may_hold_anything(void **state)
{
    struct file file = read_file(BAD_PLUGINS "/say.so");
    const ElfW(Ehdr) *head = (const ElfW(Ehdr) *)file.data;
    const ElfW(Shdr) *sections =
        (const ElfW(Shdr) *)(file.data + head->e_shoff);

    (void)state;
    garble(&file, 0, sizeof(*head));
    garble(&file, head->e_phoff, head->e_phnum * sizeof(ElfW(Phdr)));
    for (unsigned i = 0; i < head->e_shnum; i++) {
        bool is_list = sections[i].sh_type == SHT_DYNSYM ||
                       sections[i].sh_type == SHT_SYMTAB;

        if (is_list || sections[i].sh_type == SHT_STRTAB)
            garble(&file, head->e_shoff + i * sizeof(*sections),
                   sizeof(*sections));
        if (sections[i].sh_type == SHT_DYNSYM)
            garble(&file, sections[i].sh_offset, 6 * sizeof(ElfW(Sym)));
    }
    assert_true(look_at_copy(&file, file.size));
    free(file.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_object_finds_the_symbol),
        cmocka_unit_test(test_object_may_end_anywhere),
        cmocka_unit_test(test_object_may_hold_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
