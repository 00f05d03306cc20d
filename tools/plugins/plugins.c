/* playground plugins [NAME]: what is there, and what it takes. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/names.h"
#include "base/text.h"
#include "cli/apart.h"
#include "cli/arguments.h"
#include "cli/columns.h"
#include "cli/json_out.h"
#include "commands.h"
#include "options/options.h"
#include "plugin/plugin.h"
#include "plugins/schema.h"

struct plugins_request {
    struct plugin_search search;
    const char *name; /* NULL: all */
    json_t *list;     /* --json */
    struct names names;
    bool is_json, is_schema;
    bool is_found, is_refused;
};

static const struct arguments plugins_arguments = {
    .command = "plugins",
    .head =
        "usage: playground plugins [--json | --schema] [NAME]\n\n"
        "Lists the plugins that can be found, or says what one of them needs "
        "and which options it takes. Plugins are sought in the current folder "
        "and in the program's own.\n",
    .table =
        (const struct argument[]){
            {"json", NULL, "the same for a program to read", NULL,
             ARGUMENT_FLAG, ARGUMENT_FIELD(struct plugins_request, is_json)},
            {"schema", NULL,
             "a JSON Schema of the plugin's options or, without NAME, of a "
             "whole config: an editor completes and checks with it",
             NULL, ARGUMENT_FLAG,
             ARGUMENT_FIELD(struct plugins_request, is_schema)},
            {0}},
    .tail = "example: playground plugins lines\n",
};

static const char *plugins_kind_word(enum pg_kind kind)
{
    return kind == PG_STREAM    ? "stream"
           : kind == PG_RECORDS ? "records"
                                : "any";
}

static const char *plugins_needs_of(const struct plugin *plugin)
{
    static char text[64];

    if (plugin->kind == PLUGIN_TRANSPORT)
        snprintf(text, sizeof(text), "provides %s",
                 plugin->transport.provides == PG_STREAM    ? "a stream"
                 : plugin->transport.provides == PG_RECORDS ? "records"
                                                            : "either");
    else if (plugin->handler.makes == PG_RECORDS)
        snprintf(text, sizeof(text), "makes records");
    else
        snprintf(text, sizeof(text), "needs %s",
                 plugins_kind_word(plugin->handler.needs));
    return text;
}

/* ---- JSON ------------------------------------------------------------- */

static void plugins_set_text(json_t *object, const char *key, const char *text)
{
    if (text)
        json_object_set_new(object, key, json_string(text));
}

static json_t *plugins_option_json(const struct pg_option *option)
{
    static const char *const types[] = {"",       "boolean", "integer",
                                        "number", "string",  "strings"};
    json_t *object = json_object();

    plugins_set_text(object, "name", option->name);
    plugins_set_text(object, "type", types[option->type]);
    plugins_set_text(object, "unit", option->unit);
    if (option->min != 0 || option->max != 0) {
        json_object_set_new(object, "min", options_number(option->min));
        json_object_set_new(object, "max", options_number(option->max));
    }
    plugins_set_text(object, "choices", option->choices);
    json_object_set_new(object, "default", options_default(option));
    plugins_set_text(object, "help", option->help);
    return object;
}

static json_t *plugins_plugin_json(const struct plugin *plugin)
{
    const struct pg_option *option = plugin_options(plugin);
    json_t *object = json_object(), *options = json_array();

    plugins_set_text(object, "name", plugin_name(plugin));
    plugins_set_text(object, "kind", plugin_kind_text(plugin->kind));
    plugins_set_text(object, "summary", plugin_summary(plugin));
    plugins_set_text(object, "path", plugin->path);
    if (plugin->kind == PLUGIN_TRANSPORT) {
        plugins_set_text(object, "provides",
                         plugins_kind_word(plugin->transport.provides));
    } else {
        plugins_set_text(object, "needs",
                         plugins_kind_word(plugin->handler.needs));
        plugins_set_text(object, "makes",
                         plugins_kind_word(plugin->handler.makes));
    }
    for (; option && option->name; option++)
        json_array_append_new(options, plugins_option_json(option));
    json_object_set_new(object, "options", options);
    return object;
}

static int plugins_print_json(json_t *value)
{
    int failed = json_out(value, JSON_INDENT(2), stdout);

    json_decref(value);
    return failed || ferror(stdout) ? 1 : 0;
}

/* ---- text ------------------------------------------------------------- */

static const char *plugins_type_word(enum pg_option_type type)
{
    return type == PG_BOOL     ? "true or false"
           : type == PG_INT    ? "whole number"
           : type == PG_NUMBER ? "number"
           : type == PG_STRING ? "text"
                               : "list of texts";
}

/* printf() pads by bytes, and names may be of any letters. */
static void plugins_print_cell(const char *text, size_t width, const char *gap)
{
    char *clean = text_clean(text);
    size_t used = columns_width(clean);

    printf("%s%*s%s", clean, used < width ? (int)(width - used) : 0, "", gap);
    free(clean);
}

static void plugins_print_line(const char *kind, const char *name,
                               const char *data, const char *summary)
{
    plugins_print_cell(kind, 10, " ");
    plugins_print_cell(name, 16, " ");
    plugins_print_cell(data, 18, " ");
    text_print(stdout, "%s\n", summary);
}

static size_t plugins_widest_name(const struct pg_option *option)
{
    size_t width = strlen("option");

    for (; option && option->name; option++)
        if (columns_width(option->name) > width)
            width = columns_width(option->name);
    return width;
}

static void plugins_print_row(size_t width, const char *name, const char *type,
                              const char *range, const char *standard,
                              const char *unit)
{
    plugins_print_cell("", 2, "");
    plugins_print_cell(name, width, "  ");
    plugins_print_cell(type, 13, "  ");
    plugins_print_cell(range, 21, "  ");
    plugins_print_cell(standard, *unit ? 11 : 0, *unit ? "  " : "");
    text_print(stdout, "%s\n", unit);
}

static void plugins_print_option(const struct pg_option *option, size_t width)
{
    json_t *initial = options_default(option);
    char *standard = json_dumps(initial, JSON_ENCODE_ANY);
    char *range = options_range_text(option);

    plugins_print_row(width, option->name, plugins_type_word(option->type),
                      range, json_is_null(initial) ? "none" : standard,
                      option->unit ? option->unit : "");
    text_print(stdout, "  %*s  %s\n", (int)width, "",
               option->help ? option->help : "");
    free(range);
    free(standard);
    json_decref(initial);
}

static void plugins_print_example(const struct plugin *plugin)
{
    const struct pg_option *option = plugin_options(plugin);

    printf("\nin a config, in \"%ss\":\n\n", plugin_kind_text(plugin->kind));
    text_print(stdout, "  { \"plugin\": \"%s\"", plugin_name(plugin));
    for (; option && option->name; option++) {
        json_t *initial = options_default(option);
        char *standard = json_dumps(initial, JSON_ENCODE_ANY);

        if (!json_is_null(initial))
            text_print(stdout, ", \"%s\": %s", option->name, standard);
        free(standard);
        json_decref(initial);
    }
    printf(" }\n");
}

static void plugins_print_plugin(const struct plugin *plugin)
{
    const struct pg_option *option = plugin_options(plugin);
    size_t width = plugins_widest_name(option);

    text_print(stdout, "%s: %s (%s, %s)\n", plugin_name(plugin),
               plugin_summary(plugin), plugin_kind_text(plugin->kind),
               plugins_needs_of(plugin));
    text_print(stdout, "%s\n", plugin->path);
    if (option && option->name) {
        putchar('\n');
        plugins_print_row(width, "option", "type", "range", "default", "unit");
    }
    for (; option && option->name; option++)
        plugins_print_option(option, width);
    plugins_print_example(plugin);
}

/* In a process that has loaded the plugin, see apart.h. */
static void plugins_show(const struct plugin *plugin, void *arg)
{
    const struct plugins_request *request = arg;

    if (request->list)
        json_dumpf(plugins_plugin_json(plugin), stdout, 0);
    else if (request->name)
        plugins_print_plugin(plugin);
    else
        plugins_print_line(plugin_kind_text(plugin->kind), plugin_name(plugin),
                           plugins_needs_of(plugin), plugin_summary(plugin));
}

static void plugins_take(enum plugin_kind kind, const char *name,
                         const char *path, void *arg)
{
    struct plugins_request *request = arg;
    struct apart apart;

    names_add(&request->names, name);
    if (request->name && strcmp(request->name, name) != 0)
        return;
    request->is_found = true;
    apart = apart_load(kind, name, &request->search, plugins_show, request);
    request->is_refused |= apart.end != APART_SHOWN;
    if (apart.end == APART_DIED)
        text_print(stderr,
                   "%s ends the process that loads it (%s); look at its "
                   "constructors\n",
                   path, apart.text);
    else if (apart.end == APART_REFUSED)
        text_print(stderr, "%s\n", apart.text);
    else if (request->list)
        json_array_append_new(request->list, json_loads(apart.text, 0, NULL));
    else
        fputs(apart.text, stdout);
    free(apart.text);
}

static int plugins_unknown(struct plugins_request *request)
{
    char *advice = names_advice(&request->names, request->name, "there are");

    text_print(stderr, "playground plugins: there is no plugin \"%s\"; %s\n",
               request->name, advice);
    free(advice);
    names_finish(&request->names);
    json_decref(request->list);
    return 2;
}

/* A file that is no plugin of any kind is not among all: it is tried. */
static void plugins_look_at_file(struct plugins_request *request)
{
    if (plugin_is_there(&request->search, request->name))
        plugins_take(PLUGIN_HANDLER, request->name, request->name, request);
}

static int plugins_list(struct plugins_request *request)
{
    if (!request->name && !request->list)
        plugins_print_line("kind", "name", "data", "summary");
    plugin_each(&request->search, plugins_take, request);
    if (request->name && !request->is_found)
        plugins_look_at_file(request);
    if (request->name && !request->is_found)
        return plugins_unknown(request);
    names_finish(&request->names);
    if (request->name && request->is_refused) {
        json_decref(request->list);
        return 2;
    }
    return request->list ? plugins_print_json(request->list) : 0;
}

static int plugins_schema(struct plugins_request *request)
{
    json_t *made = request->name
                       ? schema_plugin(&request->search, request->name)
                       : schema_config(&request->search);

    if (made)
        return plugins_print_json(made);
    return plugins_list(request);
}

int cmd_plugins(int argc, char **argv)
{
    const char *folders[] = {".", plugin_builtin_folder(), NULL};
    struct plugins_request request = {.search = {.folders = folders}};
    int status = arguments_read(&plugins_arguments, argc, argv, &request);

    if (status >= 0)
        return status;
    if (argc - optind > 1)
        return arguments_refuse(
            &plugins_arguments,
            "give one name at the most; without one all are listed");
    request.name = argv[optind];
    if (request.is_json && !request.is_schema)
        request.list = json_array();
    status =
        request.is_schema ? plugins_schema(&request) : plugins_list(&request);
    plugin_search_finish(&request.search);
    return status;
}
