/* Reads the tables of a shared object, never beyond its end. */

#include "plugin/object.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/program.h"
#include "base/remedy.h"

typedef ElfW(Ehdr) ehdr;
typedef ElfW(Phdr) phdr;
typedef ElfW(Shdr) shdr;
typedef ElfW(Sym) sym;

/* ---- reading, never beyond the end ------------------------------------ */

static const void *object_bytes(const struct object *object, uint64_t offset,
                                uint64_t len)
{
    if (offset > object->size || len > object->size - offset)
        return NULL;
    return object->data + offset;
}

/* The headers are aligned in every file a linker makes; one in which they
   are not is taken for broken. */
static const void *object_table(const struct object *object, uint64_t offset,
                                uint64_t count, uint64_t size)
{
    return offset % sizeof(ElfW(Addr)) == 0
               ? object_bytes(object, offset, count * size)
               : NULL;
}

static const ehdr *object_header(const struct object *object)
{
    return object_table(object, 0, 1, sizeof(ehdr));
}

static const phdr *object_segments(const struct object *object, size_t *count)
{
    const ehdr *head = object_header(object);

    *count = head->e_phnum;
    return object_table(object, head->e_phoff, head->e_phnum, sizeof(phdr));
}

static const shdr *object_sections(const struct object *object, size_t *count)
{
    const ehdr *head = object_header(object);

    *count = head->e_shnum;
    return object_table(object, head->e_shoff, head->e_shnum, sizeof(shdr));
}

/* ---- opening ---------------------------------------------------------- */

static bool object_refuse(char *error, size_t size, const char *text)
{
    snprintf(error, size, "%s", text);
    return false;
}

/* The identification of the program that is running: class, byte order. */
static const ehdr *object_own_header(void)
{
    static ehdr own;
    int fd = own.e_machine ? -1 : open(program_to_run(), O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        if (pread(fd, &own, sizeof(own), 0) != (ssize_t)sizeof(own))
            own.e_machine = 0;
        close(fd);
    }
    return &own;
}

static bool object_check_header(const struct object *object, char *error,
                                size_t size)
{
    const ehdr *head = object_header(object), *own = object_own_header();

    if (object->size == 0)
        return object_refuse(error, size, "is empty; build it again");
    if (object->size < SELFMAG || memcmp(object->data, ELFMAG, SELFMAG) != 0)
        return object_refuse(
            error, size,
            "is no shared object; build one: `playground build "
            "FILE.c` makes FILE.so");
    if (!head)
        return object_refuse(error, size, "is cut off; build it again");
    if (own->e_machine && (own->e_machine != head->e_machine ||
                           own->e_ident[EI_CLASS] != head->e_ident[EI_CLASS] ||
                           own->e_ident[EI_DATA] != head->e_ident[EI_DATA]))
        return object_refuse(
            error, size,
            "was built for another processor; build it again on "
            "this machine");
    if (head->e_type != ET_DYN)
        return object_refuse(
            error, size,
            "is an ELF file, but no shared object; link it with "
            "-shared, or use `playground build FILE.c`");
    return true;
}

/* The loader of the C library trusts the file's tables; a file of which the
   end is missing would kill us with SIGBUS. */
static bool object_check_segments(const struct object *object, char *error,
                                  size_t size)
{
    size_t count, i;
    bool has_sections = object_sections(object, &count) || count == 0;
    const phdr *segment = object_segments(object, &count);

    for (i = 0; segment && i < count; i++) {
        if (segment[i].p_type == PT_INTERP)
            return object_refuse(
                error, size,
                "is a program, not a shared object; link it with "
                "-shared, or use `playground build FILE.c`");
        if (segment[i].p_type == PT_LOAD &&
            !object_bytes(object, segment[i].p_offset, segment[i].p_filesz))
            break;
    }
    if (!has_sections || !segment || count == 0 || i < count)
        return object_refuse(error, size, "is cut off; build it again");
    return true;
}

static bool object_map_file(struct object *object, const char *path)
{
    /* A pipe that nobody writes to must not hold us up. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    void *data;

    if (fd < 0)
        return false;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        errno = EINVAL;
        return false;
    }
    *object = (struct object){(const uint8_t *)"", 0};
    if (status.st_size == 0) {
        close(fd);
        return true;
    }
    data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (data == MAP_FAILED)
        return false;
    *object = (struct object){data, (size_t)status.st_size};
    return true;
}

bool object_open(struct object *object, const char *path, char *error,
                 size_t error_size)
{
    if (!object_map_file(object, path)) {
        char text[REMEDY_BYTES];

        snprintf(error, error_size, "cannot be read: %s",
                 remedy_file(REMEDY_LOAD, path, errno, "make it readable", text,
                             sizeof(text)));
        return false;
    }
    if (object_check_header(object, error, error_size) &&
        object_check_segments(object, error, error_size))
        return true;
    object_close(object);
    return false;
}

void object_close(struct object *object)
{
    if (object->size > 0)
        munmap((void *)(uintptr_t)object->data, object->size);
    *object = (struct object){0};
}

/* ---- symbols ---------------------------------------------------------- */

static struct object_symbol object_describe(const sym *symbol, const char *name,
                                            bool is_dynamic)
{
    unsigned bind = symbol->st_info >> 4, type = symbol->st_info & 0xf;
    unsigned visibility = symbol->st_other & 3;

    return (struct object_symbol){
        .name = name,
        .address = symbol->st_value,
        .size = symbol->st_size,
        .is_exported =
            is_dynamic && bind != STB_LOCAL &&
            (visibility == STV_DEFAULT || visibility == STV_PROTECTED),
        .is_object = type == STT_OBJECT,
    };
}

/* The symbols of one section, whose names are in another. */
static bool object_each_of(
    const struct object *object, const shdr *section, const shdr *names,
    bool (*fn)(const struct object_symbol *symbol, void *arg), void *arg)
{
    size_t count = section->sh_size / sizeof(sym);
    const sym *symbol =
        object_table(object, section->sh_offset, count, sizeof(*symbol));
    const char *text = object_bytes(object, names->sh_offset, names->sh_size);

    if (!symbol || !text || names->sh_size == 0 || text[names->sh_size - 1])
        return true;
    for (size_t i = 0; i < count; i++) {
        struct object_symbol found;

        if (symbol[i].st_shndx == SHN_UNDEF ||
            symbol[i].st_name >= names->sh_size)
            continue;
        found = object_describe(&symbol[i], text + symbol[i].st_name,
                                section->sh_type == SHT_DYNSYM);
        if (!fn(&found, arg))
            return false;
    }
    return true;
}

bool object_each_symbol(const struct object *object,
                        bool (*fn)(const struct object_symbol *symbol,
                                   void *arg),
                        void *arg)
{
    size_t count;
    const shdr *section = object_sections(object, &count);
    bool has_list = false;

    for (size_t i = 0; section && i < count; i++) {
        bool is_list = section[i].sh_type == SHT_DYNSYM ||
                       section[i].sh_type == SHT_SYMTAB;

        if (!is_list || section[i].sh_link >= count)
            continue;
        has_list = true;
        if (!object_each_of(object, &section[i], &section[section[i].sh_link],
                            fn, arg))
            break;
    }
    return has_list;
}

struct search {
    const char *name;
    struct object_symbol *found;
    bool is_found;
};

static bool object_search_next(const struct object_symbol *symbol, void *arg)
{
    struct search *search = arg;

    if (!symbol->is_exported || strcmp(symbol->name, search->name) != 0)
        return true;
    *search->found = *symbol;
    search->is_found = true;
    return false;
}

bool object_find(const struct object *object, const char *name,
                 struct object_symbol *found)
{
    struct search search = {name, found, false};

    object_each_symbol(object, object_search_next, &search);
    return search.is_found;
}

static bool object_has_import(const struct object *object, const shdr *section,
                              const shdr *names, const char *name)
{
    size_t count = section->sh_size / sizeof(sym);
    const sym *symbol =
        object_table(object, section->sh_offset, count, sizeof(*symbol));
    const char *text = object_bytes(object, names->sh_offset, names->sh_size);

    if (!symbol || !text || names->sh_size == 0 || text[names->sh_size - 1])
        return false;
    for (size_t i = 1; i < count; i++) /* the first one is none */
        if (symbol[i].st_shndx == SHN_UNDEF &&
            symbol[i].st_name < names->sh_size &&
            !strcmp(text + symbol[i].st_name, name))
            return true;
    return false;
}

bool object_imports(const struct object *object, const char *name)
{
    size_t count;
    const shdr *section = object_sections(object, &count);

    for (size_t i = 0; section && i < count; i++)
        if (section[i].sh_type == SHT_DYNSYM && section[i].sh_link < count &&
            object_has_import(object, &section[i], &section[section[i].sh_link],
                              name))
            return true;
    return false;
}

bool object_read(const struct object *object, uint64_t address, void *out,
                 size_t len)
{
    size_t count;
    const phdr *segment = object_segments(object, &count);

    for (size_t i = 0; segment && i < count; i++) {
        uint64_t inside = address - segment[i].p_vaddr;
        const void *data;

        if (segment[i].p_type != PT_LOAD || address < segment[i].p_vaddr ||
            inside > segment[i].p_filesz || len > segment[i].p_filesz - inside)
            continue;
        data = object_bytes(object, segment[i].p_offset + inside, len);
        if (data)
            memcpy(out, data, len);
        return data != NULL;
    }
    return false;
}
