/* Finds an option table that has lost its empty last element, without reading
   what happens to stand behind it. */

#include <dlfcn.h>
#include <link.h>
#include <string.h>

#include "base/must.h"
#include "plugin/object.h"
#include "plugin/plugin_parts.h"

#define ERROR_BYTES 256

/* ---- what is loaded --------------------------------------------------- */

/* A place in memory, and the segment of a loaded object that it is in. */
struct plugin_place {
    uintptr_t address;
    uintptr_t base; /* where that object's address 0 is */
    size_t left;    /* bytes to the end of the segment; 0: in none */
};

static int plugin_table_look(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct plugin_place *place = arg;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

        if (info->dlpi_phdr[i].p_type != PT_LOAD ||
            !(info->dlpi_phdr[i].p_flags & PF_R) || place->address < start ||
            place->address - start >= info->dlpi_phdr[i].p_memsz)
            continue;
        place->base = info->dlpi_addr;
        place->left = info->dlpi_phdr[i].p_memsz - (place->address - start);
        return 1;
    }
    return 0;
}

static struct plugin_place plugin_table_place(const void *address)
{
    struct plugin_place place = {.address = (uintptr_t)address};

    dl_iterate_phdr(plugin_table_look, &place);
    return place;
}

/* True for NULL and for a string that ends inside its segment. */
static bool plugin_table_is_text(const char *text)
{
    size_t left = text ? plugin_table_place(text).left : 0;

    return !text || memchr(text, '\0', left);
}

/* ---- how long it is --------------------------------------------------- */

/* An address in the file, and how many bytes of a symbol are from there on. */
struct plugin_extent {
    uint64_t address;
    size_t left;
};

static bool plugin_table_measure(const struct object_symbol *symbol, void *arg)
{
    struct plugin_extent *extent = arg;
    uint64_t inside = extent->address - symbol->address;

    if (!symbol->is_object || extent->address < symbol->address ||
        inside >= symbol->size)
        return true;
    extent->left = symbol->size - inside;
    return false;
}

/* True if a place is in the plugin's own file, not in a library of its. */
static bool plugin_table_is_own(const struct plugin *plugin,
                                const struct plugin_place *place)
{
    struct link_map *map;

    return dlinfo(plugin->handle, RTLD_DI_LINKMAP, &map) == 0 &&
           map->l_addr == place->base;
}

/* Bytes of the table: as its symbol says, or to the end of its segment where
   the symbols have been taken away. */
static size_t plugin_table_size(const struct plugin *plugin)
{
    struct plugin_place place = plugin_table_place(plugin_options(plugin));
    struct plugin_extent extent = {place.address - place.base, place.left};
    struct object object;
    char error[ERROR_BYTES];

    if (!plugin_table_is_own(plugin, &place) ||
        !object_open(&object, plugin->path, error, sizeof(error)))
        return place.left;
    object_each_symbol(&object, plugin_table_measure, &extent);
    object_close(&object);
    return extent.left < place.left ? extent.left : place.left;
}

static bool plugin_table_is_option(const struct pg_option *option)
{
    return plugin_table_is_text(option->name) &&
           plugin_table_is_text(option->unit) &&
           plugin_table_is_text(option->initial) &&
           plugin_table_is_text(option->choices) &&
           plugin_table_is_text(option->help);
}

char *plugin_check_table(const struct plugin *plugin)
{
    const struct pg_option *table = plugin_options(plugin);
    size_t count = table ? plugin_table_size(plugin) / sizeof(*table) : 0;

    for (size_t i = 0; i < count && plugin_table_is_option(&table[i]); i++)
        if (!table[i].name)
            return NULL;
    if (!table)
        return NULL;
    return must_printf("%s: the option table has no end; let {0} be its last "
                       "element",
                       plugin->path);
}
