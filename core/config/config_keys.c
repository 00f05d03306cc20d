/* Knows which keys belong where, and what to do about one that does not. */

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "config/config_parts.h"
#include "options/options.h"

static const char *const top_keys[] = {"transports",  "handlers", "workers",
                                       "plugin_path", "limits",   "$schema"};
#define TOP_KEYS (sizeof(top_keys) / sizeof(*top_keys))

/* A key that begins with two slashes. */
static bool config_keys_is_comment(const char *key)
{
    return key[0] == '/' && key[1] == '/';
}

/* ---- whose it is ------------------------------------------------------ */

static bool config_keys_is_top_key(const char *key)
{
    for (size_t i = 0; i < TOP_KEYS; i++)
        if (!strcmp(key, top_keys[i]))
            return true;
    return false;
}

/* Says what to do about a key that has its place somewhere else; NULL: nobody
   has it. `plugin` is the one it was given to, or NULL. */
static char *config_keys_belongs(struct config *config, const char *key,
                                 const struct plugin *plugin)
{
    const char *owner;
    char *title, *text;

    if (options_find(config_limit_table(), key))
        return must_printf("%s belongs to \"limits\"; move it there", key);
    if (config_keys_is_top_key(key))
        return must_printf("%s belongs to the top of the config; move it there",
                           key);
    owner = config_plugin_with(config, key);
    if (!owner)
        return NULL;
    if (!plugin)
        return must_printf("%s belongs to %s; move it there", key, owner);
    title = plugin_title(plugin, plugin_name(plugin));
    text = must_printf("%s belongs to %s; delete it for %s", key, owner, title);
    free(title);
    return text;
}

static char *config_keys_no_such_key(const struct names *known, const char *key,
                                     const char *where)
{
    char *intro = must_printf("%s has", where), quote[TEXT_QUOTE_BYTES];
    char *advice = names_advice(known, key, intro);
    char *text = must_printf("%s has no key %s; %s", where,
                             text_quote(key, quote), advice);

    free(advice);
    free(intro);
    return text;
}

static void config_keys_unknown(struct config *config,
                                const struct plugin *plugin, const char *path,
                                const char *key, const struct names *known,
                                const char *where)
{
    char *text;

    if (problems_is_full(config->problems)) {
        problems_add_unseen(config->problems);
        return;
    }
    text = config_keys_belongs(config, key, plugin);
    if (!text)
        text = config_keys_no_such_key(known, key, where);
    problems_add_key(config->problems, path, key, true, "%s", text);
    free(text);
}

/* ---- the three places ------------------------------------------------- */

static void config_keys_add_top_keys(struct names *known)
{
    for (size_t i = 0; i < TOP_KEYS; i++)
        names_add(known, top_keys[i]);
}

void config_check_top_keys(struct config *config, const json_t *root)
{
    struct names known = {0};
    const char *key;
    json_t *value;

    config_keys_add_top_keys(&known);
    json_object_foreach ((json_t *)(uintptr_t)root, key, value)
        if (!config_keys_is_comment(key) && !config_keys_is_top_key(key))
            config_keys_unknown(config, NULL, "", key, &known, "a config");
    names_finish(&known);
}

bool config_means_top_key(const json_t *root, const char *wanted)
{
    struct names known = {0};
    const char *key, *near;
    bool is_meant = false;
    json_t *value;

    config_keys_add_top_keys(&known);
    json_object_foreach ((json_t *)(uintptr_t)root, key, value) {
        near = config_keys_is_comment(key) || config_keys_is_top_key(key)
                   ? NULL
                   : names_near(&known, key);
        is_meant |= near && !strcmp(near, wanted);
    }
    names_finish(&known);
    return is_meant;
}

static void config_keys_add_options(struct names *known,
                                    const struct pg_option *option)
{
    for (; option && option->name; option++)
        names_add(known, option->name);
}

void config_check_limit_keys(struct config *config, const json_t *limits)
{
    struct names known = {0};
    const char *key;
    json_t *value;

    config_keys_add_options(&known, config_limit_table());
    json_object_foreach ((json_t *)(uintptr_t)limits, key, value)
        if (!config_keys_is_comment(key) && !names_has(&known, key))
            config_keys_unknown(config, NULL, "/limits", key, &known, "limits");
    names_finish(&known);
}

static bool config_keys_is_hosts_own(const struct plugin *plugin,
                                     const char *key)
{
    return options_is_reserved(key) &&
           (strcmp(key, "handlers") != 0 || plugin->kind == PLUGIN_TRANSPORT);
}

void config_check_plugin_keys(struct config *config,
                              const struct plugin *plugin, const json_t *object,
                              const char *path)
{
    char *title = plugin_title(plugin, plugin_name(plugin));
    struct names known = {0};
    const char *key;
    json_t *value;

    config_keys_add_options(&known, plugin_options(plugin));
    names_add(&known, "name");
    if (plugin->kind == PLUGIN_TRANSPORT)
        names_add(&known, "handlers");
    json_object_foreach ((json_t *)(uintptr_t)object, key, value)
        if (!config_keys_is_comment(key) &&
            !config_keys_is_hosts_own(plugin, key) && !names_has(&known, key))
            config_keys_unknown(config, plugin, path, key, &known, title);
    names_finish(&known);
    free(title);
}
