/* A JSON Schema out of option tables. */

#include "plugins/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "cli/apart.h"
#include "config/config_model.h"
#include "options/options.h"
#include "workers/commons.h"

#define DRAFT "https://json-schema.org/draft/2020-12/schema"

static void schema_set(json_t *object, const char *key, const char *text)
{
    if (text)
        json_object_set_new(object, key, json_string(text));
}

/* What is said of each text of a list, or of the one text. */
static void schema_add_choices(json_t *schema, const struct pg_option *option)
{
    if (option->choices)
        json_object_set_new(schema, "enum", options_words(option->choices));
}

static void schema_add_items(json_t *schema, const struct pg_option *option)
{
    json_t *item = json_object();

    schema_set(item, "type", "string");
    schema_add_choices(item, option);
    json_object_set_new(schema, "items", item);
}

static json_t *schema_option(const struct pg_option *option)
{
    static const char *const types[] = {"",       "boolean", "integer",
                                        "number", "string",  "array"};
    bool is_list = option->type == PG_STRINGS;
    char *help = must_printf("%s%s%s", option->help ? option->help : "",
                             option->unit ? "; unit: " : "",
                             option->unit ? option->unit : "");
    json_t *schema = json_object();

    schema_set(schema, "type", types[option->type]);
    schema_set(schema, "description", help);
    if (is_list)
        schema_add_items(schema, option);
    else
        schema_add_choices(schema, option);
    if (option->min != 0 || option->max != 0) {
        json_object_set_new(schema, is_list ? "minItems" : "minimum",
                            options_number(option->min));
        json_object_set_new(schema, is_list ? "maxItems" : "maximum",
                            options_number(option->max));
    }
    if (option->initial)
        json_object_set_new(schema, "default", options_default(option));
    free(help);
    return schema;
}

static json_t *schema_object(json_t *properties)
{
    json_t *schema = json_object(), *comments = json_object();

    schema_set(schema, "type", "object");
    json_object_set_new(schema, "properties", properties);
    json_object_set_new(comments, "^//", json_true());
    json_object_set_new(schema, "patternProperties", comments);
    json_object_set_new(schema, "additionalProperties", json_false());
    return schema;
}

static json_t *schema_table(const struct pg_option *option)
{
    json_t *properties = json_object();

    for (; option && option->name; option++)
        json_object_set_new(properties, option->name, schema_option(option));
    return schema_object(properties);
}

static json_t *schema_reference(const char *to)
{
    json_t *schema = json_object();

    schema_set(schema, "$ref", to);
    return schema;
}

static json_t *schema_list_of(const char *what)
{
    json_t *schema = json_object();

    schema_set(schema, "type", "array");
    json_object_set_new(schema, "items", schema_reference(what));
    return schema;
}

static json_t *schema_typed(const char *type)
{
    json_t *schema = json_object();

    schema_set(schema, "type", type);
    return schema;
}

/* A name has no spaces, because names stand in front of words. */
static json_t *schema_name(void)
{
    json_t *schema = schema_typed("string");

    schema_set(schema, "pattern", "^[^\\x00-\\x20\\x7f]+$");
    json_object_set_new(schema, "maxLength", json_integer(64));
    return schema;
}

static json_t *schema_constant(const char *text)
{
    json_t *schema = json_object();

    schema_set(schema, "const", text);
    return schema;
}

static json_t *schema_of_plugin(const struct plugin *plugin)
{
    json_t *schema = schema_table(plugin_options(plugin));
    json_t *properties = json_object_get(schema, "properties");
    json_t *required = json_array();

    json_object_set_new(properties, "plugin",
                        schema_constant(plugin_name(plugin)));
    json_object_set_new(properties, "name", schema_name());
    json_object_set_new(properties, "on_crash", schema_constant("restart"));
    if (plugin->kind == PLUGIN_TRANSPORT)
        json_object_set_new(properties, "handlers",
                            schema_list_of("#/$defs/handler"));
    json_array_append_new(required, json_string("plugin"));
    json_object_set_new(schema, "required", required);
    schema_set(schema, "description", plugin_summary(plugin));
    return schema;
}

struct gathering {
    struct plugin_search *search;
    const char *name;        /* the one that is wanted, or NULL */
    json_t *alternatives[2]; /* by kind */
    json_t *names[2];
    json_t *found;
};

/* In a process that has loaded the plugin, see apart.h. */
static void schema_show(const struct plugin *plugin, void *arg)
{
    (void)arg;
    json_dumpf(schema_of_plugin(plugin), stdout, 0);
}

static void schema_gather(enum plugin_kind kind, const char *name,
                          const char *path, void *arg)
{
    struct gathering *gathering = arg;
    struct apart apart;
    json_t *schema;

    (void)path;
    if (gathering->name &&
        (gathering->found || strcmp(name, gathering->name) != 0))
        return;
    apart = apart_load(kind, name, gathering->search, schema_show, NULL);
    schema = apart.end == APART_SHOWN ? json_loads(apart.text, 0, NULL) : NULL;
    free(apart.text);
    if (!schema)
        return;
    if (gathering->name) {
        gathering->found = schema;
        return;
    }
    json_array_append_new(gathering->names[kind], json_string(name));
    json_array_append_new(gathering->alternatives[kind], schema);
}

json_t *schema_plugin(struct plugin_search *search, const char *name)
{
    struct gathering gathering = {.search = search, .name = name};

    plugin_each(search, schema_gather, &gathering);
    if (gathering.found)
        schema_set(gathering.found, "$schema", DRAFT);
    return gathering.found;
}

/* A plugin is "x" or one of the objects. */
static json_t *schema_either(struct gathering *gathering, enum plugin_kind kind)
{
    json_t *schema = json_object(), *name = json_object();

    json_object_set_new(name, "enum", gathering->names[kind]);
    json_array_insert_new(gathering->alternatives[kind], 0, name);
    json_object_set_new(schema, "anyOf", gathering->alternatives[kind]);
    return schema;
}

/* A folder, or a list of them. */
static json_t *schema_path(void)
{
    json_t *schema = json_object(), *either = json_array();
    json_t *list = schema_typed("array");

    json_object_set_new(list, "items", schema_typed("string"));
    json_object_set_new(list, "maxItems", json_integer(CONFIG_PATHS_MAX));
    json_array_append_new(either, schema_typed("string"));
    json_array_append_new(either, list);
    json_object_set_new(schema, "anyOf", either);
    return schema;
}

static json_t *schema_top_properties(void)
{
    json_t *properties = json_object(), *workers = schema_typed("integer");
    json_t *transports = schema_list_of("#/$defs/transport");

    json_object_set_new(transports, "minItems", json_integer(1));
    json_object_set_new(properties, "$schema", schema_typed("string"));
    json_object_set_new(properties, "transports", transports);
    json_object_set_new(properties, "handlers",
                        schema_list_of("#/$defs/handler"));
    json_object_set_new(workers, "minimum", json_integer(1));
    json_object_set_new(workers, "maximum", json_integer(WORKERS_MAX));
    json_object_set_new(properties, "workers", workers);
    json_object_set_new(properties, "plugin_path", schema_path());
    json_object_set_new(properties, "limits",
                        schema_table(config_limit_table()));
    return properties;
}

json_t *schema_config(struct plugin_search *search)
{
    struct gathering gathering = {
        .search = search,
        .alternatives = {json_array(), json_array()},
        .names = {json_array(), json_array()},
    };
    json_t *schema = schema_object(schema_top_properties()),
           *parts = json_object();
    json_t *required = json_array();

    plugin_each(search, schema_gather, &gathering);
    json_object_set_new(parts, "handler",
                        schema_either(&gathering, PLUGIN_HANDLER));
    json_object_set_new(parts, "transport",
                        schema_either(&gathering, PLUGIN_TRANSPORT));
    json_object_set_new(schema, "$defs", parts);
    json_array_append_new(required, json_string("transports"));
    json_object_set_new(schema, "required", required);
    schema_set(schema, "$schema", DRAFT);
    return schema;
}
