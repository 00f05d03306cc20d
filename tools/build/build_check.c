/* Loads the plugin that was compiled, in a process of its own. */

#include "build/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "cli/apart.h"

static enum plugin_kind build_check_kind_of(const char *path)
{
    return plugin_kinds_of(path) & 1u << PLUGIN_TRANSPORT ? PLUGIN_TRANSPORT
                                                          : PLUGIN_HANDLER;
}

/* In the process that has loaded it. */
static void build_check_show(const struct plugin *plugin, void *arg)
{
    const struct verdict verdict = {.kind = plugin->kind,
                                    .needs = plugin->handler.needs,
                                    .makes = plugin->handler.makes,
                                    .has_open = plugin->handler.open != NULL,
                                    .may_hold = plugin->may_hold};

    (void)arg;
    fwrite(&verdict, sizeof(verdict), 1, stdout);
    fputs(plugin_summary(plugin), stdout);
}

/* The error names the file in the scratch folder, once or more; people know
   the target. */
static void build_check_print_error(const struct build *build, const char *text)
{
    const char *at = strstr(text, build->made);
    char *said = NULL, *before;

    if (!at)
        text_print(stderr, "playground build: %s: %s\n", build->source, text);
    for (; at; at = strstr(text, build->made)) {
        before = said;
        said = must_printf("%s%.*s%s", before ? before : "", (int)(at - text),
                           text, build->target);
        free(before);
        text = at + strlen(build->made);
    }
    if (said)
        text_print(stderr, "playground build: %s%s\n", said, text);
    free(said);
}

static bool build_check_take(const struct build *build,
                             const struct apart *apart, struct verdict *verdict)
{
    switch (apart->end) {
    case APART_SHOWN:
        memcpy(verdict, apart->text, sizeof(*verdict));
        snprintf(verdict->text, sizeof(verdict->text), "%s",
                 apart->text + sizeof(*verdict));
        return true;
    case APART_REFUSED:
        build_check_print_error(build, apart->text);
        return false;
    case APART_DIED:
        text_print(stderr,
                   "playground build: %s ends the process that loads it (%s); "
                   "look at its constructors\n",
                   build->target, apart->text);
        return false;
    }
    return false;
}

bool build_check(const struct build *build, struct verdict *verdict)
{
    const char *const folders[] = {build->scratch, NULL};
    struct plugin_search search = {.folders = folders};
    struct apart apart =
        apart_load(build_check_kind_of(build->made), build->name, &search,
                   build_check_show, NULL);
    bool is_good = build_check_take(build, &apart, verdict);

    free(apart.text);
    plugin_search_finish(&search);
    return is_good;
}
