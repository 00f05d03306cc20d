/* Finds out what somebody meant by a text that is no JSON. */

#include "places/syntax.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "places/position.h"
#include "places/problems.h"

#define EXAMPLE "{ \"transports\": [\"tcp\"], \"handlers\": [\"echo\"] }"

/* A bracket, comma or colon, a string, or a run of letters and digits. */
struct token {
    size_t offset, end;
    char first;   /* '\0': the end of the text */
    bool is_open; /* a string without its closing quote */
};

struct mistake {
    struct problems *problems;
    const char *text;
    size_t len;
    size_t stop; /* how far jansson came */
    const json_error_t *error;
    struct token token, before; /* where it stopped, and the one before */
};

static bool syntax_expects(const struct mistake *m, const char *what)
{
    return !strncmp(m->error->text, what, strlen(what));
}

/* ---- finding the token ------------------------------------------------ */

static bool syntax_is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '+' ||
           c == '.' || (unsigned char)c >= 0x80;
}

/* A string ends at its line's end too: that one is not closed. */
static size_t syntax_string_end(const struct mistake *m, size_t offset,
                                bool *is_open)
{
    size_t i = offset + 1;

    *is_open = false;
    for (; i < m->len && m->text[i] != '\n'; i++) {
        if (m->text[i] == '"')
            return i + 1;
        if (m->text[i] == '\\' && i + 1 < m->len && m->text[i + 1] != '\n')
            i++;
    }
    *is_open = true;
    return i;
}

static struct token syntax_next_token(const struct mistake *m, size_t from)
{
    struct token token;

    while (from < m->len && memchr(" \t\r\n", m->text[from], 4))
        from++;
    token = (struct token){.offset = from, .end = from};
    if (from == m->len)
        return token;
    token.first = m->text[from];
    if (token.first == '"') {
        token.end = syntax_string_end(m, from, &token.is_open);
    } else {
        do
            token.end++;
        while (syntax_is_word(token.first) && token.end < m->len &&
               syntax_is_word(m->text[token.end]));
    }
    return token;
}

/* True while the mistake comes after the token that was found. */
static bool syntax_is_before_stop(const struct mistake *m)
{
    bool is_at_end =
        json_error_code(m->error) == json_error_premature_end_of_input &&
        !syntax_expects(m, "premature end of input");

    return m->token.first && !m->token.is_open &&
           (is_at_end || m->token.end < m->stop);
}

static void syntax_find_token(struct mistake *m)
{
    m->token = syntax_next_token(m, 0);
    while (syntax_is_before_stop(m)) {
        m->before = m->token;
        m->token = syntax_next_token(m, m->token.end);
    }
}

/* The bracket that is open where the token stands. */
static bool syntax_open_bracket(const struct mistake *m, size_t *offset)
{
    struct position_map *map = position_map_create(m->text, m->token.offset);
    bool is_open = position_open_bracket(map, offset);

    position_map_destroy(map);
    return is_open;
}

static void syntax_say(const struct mistake *m, size_t offset, const char *text)
{
    problems_add_at(m->problems, offset, "%s", text);
}

/* ---- the whole file --------------------------------------------------- */

static bool syntax_explain_encoding(const struct mistake *m)
{
    const char *nul = memchr(m->text, '\0', m->len);

    if (m->len >= 3 && !memcmp(m->text, "\xef\xbb\xbf", 3))
        syntax_say(m, 0,
                   "the file begins with a byte order mark; save it as UTF-8 "
                   "without one (\"UTF-8\", not \"UTF-8 with BOM\")");
    else if (m->len >= 2 && (!memcmp(m->text, "\xff\xfe", 2) ||
                             !memcmp(m->text, "\xfe\xff", 2)))
        syntax_say(m, 0, "the file is UTF-16; save it as UTF-8");
    else if (nul && (size_t)(nul - m->text) <= m->stop)
        syntax_say(
            m, (size_t)(nul - m->text),
            "a NUL byte: this is no text, or text in UTF-16; save the config "
            "as UTF-8");
    else if (json_error_code(m->error) == json_error_invalid_utf8 &&
             m->stop < m->len)
        problems_add_at(m->problems, m->stop,
                        "the byte 0x%02x is not UTF-8; save the file as UTF-8",
                        (unsigned)(m->text[m->stop] & 0xff));
    else
        return false;
    return true;
}

static bool syntax_explain_empty(const struct mistake *m)
{
    if (syntax_next_token(m, 0).first)
        return false;
    problems_add_at(m->problems, 0, "the file is empty; begin with " EXAMPLE);
    return true;
}

/* Text, a number, YAML: jansson has not seen a bracket yet. */
static bool syntax_explain_start(const struct mistake *m)
{
    bool is_ours = m->token.first == '/' || m->token.first == '#';

    if (!syntax_expects(m, "'[' or '{' expected") || is_ours)
        return false;
    syntax_say(m, m->token.offset, "a config is a JSON object; write " EXAMPLE);
    return true;
}

static bool syntax_explain_limit(const struct mistake *m)
{
    switch (json_error_code(m->error)) {
    case json_error_stack_overflow:
        syntax_say(
            m, m->token.offset,
            "too many brackets inside each other; a config needs five or so");
        return true;
    case json_error_numeric_overflow:
        syntax_say(m, m->token.offset,
                   "this number is too big; choose a smaller one");
        return true;
    case json_error_null_character:
    case json_error_null_byte_in_key:
        syntax_say(m, m->token.offset, "a text cannot hold \\u0000; delete it");
        return true;
    case json_error_end_of_input_expected:
        syntax_say(
            m, m->token.offset,
            "the config ends before this; delete what follows, or look for a "
            "bracket too many above");
        return true;
    default:
        return false;
    }
}

/* ---- strings ---------------------------------------------------------- */

static void syntax_explain_control(const struct mistake *m)
{
    unsigned code = (unsigned)(m->text[m->stop] & 0xff);

    if (code == '\t')
        syntax_say(m, m->stop, "a tab inside a text; write \\t");
    else
        problems_add_at(m->problems, m->stop,
                        "the control character 0x%02x inside a text; write "
                        "\\u%04x",
                        code, code);
}

/* True if a character or an escape that JSON knows begins at this offset and
   ends before `end`. */
static bool syntax_is_good_escape(const struct mistake *m, size_t offset,
                                  size_t end)
{
    if (m->text[offset] != '\\')
        return true;
    if (offset + 1 >= end || !m->text[offset + 1])
        return false;
    if (m->text[offset + 1] != 'u')
        return strchr("\"\\/bfnrt", m->text[offset + 1]);
    for (size_t i = offset + 2; i < offset + 6; i++)
        if (i >= end || !isxdigit((unsigned char)m->text[i]))
            return false;
    return true;
}

static void syntax_explain_escape(const struct mistake *m)
{
    size_t offset = m->token.offset + 1;

    while (offset < m->token.end &&
           syntax_is_good_escape(m, offset, m->token.end))
        offset += m->text[offset] == '\\' ? 2 : 1;
    syntax_say(
        m, offset,
        "a backslash that means nothing here; write \\\\ for a backslash (the "
        "others are \\\" \\/ \\b \\f \\n \\r \\t \\u0041)");
}

/* The end of a line as Windows writes it. */
static bool syntax_is_line_end(const struct mistake *m, size_t offset)
{
    return offset + 1 < m->len && m->text[offset] == '\r' &&
           m->text[offset + 1] == '\n';
}

static bool syntax_explain_string(const struct mistake *m)
{
    if (m->token.first != '"')
        return false;
    if (syntax_expects(m, "control character") && m->stop < m->len &&
        !syntax_is_line_end(m, m->stop))
        syntax_explain_control(m);
    else if (syntax_expects(m, "invalid escape"))
        syntax_explain_escape(m);
    else if (syntax_expects(m, "invalid Unicode"))
        syntax_say(
            m, m->token.offset,
            "half a character in a \\u escape; write the character itself");
    else if (syntax_expects(m, "control character") ||
             syntax_expects(m, "unexpected newline") ||
             syntax_expects(m, "premature end of input"))
        syntax_say(
            m, m->token.offset,
            "the text that begins here is not closed; put a \" at its end");
    else
        return false;
    return true;
}

/* ---- things that are no JSON ------------------------------------------ */

static bool syntax_explain_comment(const struct mistake *m)
{
    size_t next = m->token.offset + 1;
    bool is_slashes = m->token.first == '/' && next < m->len &&
                      (m->text[next] == '/' || m->text[next] == '*');

    if (!is_slashes && m->token.first != '#')
        return false;
    syntax_say(
        m, m->token.offset,
        "JSON has no comments; write one as a key that begins with //, as in "
        "\"//\": \"text\"");
    return true;
}

static bool syntax_explain_quote(const struct mistake *m)
{
    bool is_curly = m->token.end - m->token.offset >= 3 &&
                    (!memcmp(m->text + m->token.offset, "\xe2\x80\x9c", 3) ||
                     !memcmp(m->text + m->token.offset, "\xe2\x80\x98", 3));

    if (m->token.first == '\'' || m->token.first == '`')
        syntax_say(m, m->token.offset,
                   "JSON has no single quotes; write \" instead");
    else if (is_curly)
        syntax_say(m, m->token.offset,
                   "these are typographic quotes; write the plain \" instead");
    else
        return false;
    return true;
}

static bool syntax_explain_word(const struct mistake *m)
{
    static const char *const words[] = {"true", "false", "null"};
    size_t len = m->token.end - m->token.offset;
    const char *word = m->text + m->token.offset;

    if (!syntax_is_word(m->token.first))
        return false;
    if (syntax_expects(m, "string or '}' expected")) {
        syntax_say(m, m->token.offset,
                   "a key without quotes; put it into \"quotes\"");
        return true;
    }
    if (!syntax_expects(m, "invalid token") && m->stop >= m->token.end)
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (len == strlen(words[i]) && !strncasecmp(word, words[i], len)) {
            problems_add_at(m->problems, m->token.offset,
                            "capital letters; write %s", words[i]);
            return true;
        }
    }
    if (strchr("0123456789+-.", m->token.first))
        syntax_say(
            m, m->token.offset,
            "this is no number of JSON; write it as 10, -3 or 0.5, without a "
            "leading 0 or +");
    else
        syntax_say(
            m, m->token.offset,
            "an unknown word; put a text into \"quotes\", or write true, false "
            "or null");
    return true;
}

/* ---- commas, colons, brackets ----------------------------------------- */

static bool syntax_is_closing(char c)
{
    return c == '}' || c == ']';
}

static bool syntax_explain_bracket(const struct mistake *m)
{
    size_t open, line, column;

    if (m->token.first && !syntax_is_closing(m->token.first))
        return false;
    if (!syntax_open_bracket(m, &open)) {
        if (!m->token.first)
            return false;
        syntax_say(m, m->token.offset,
                   "this bracket closes nothing; delete it");
        return true;
    }

    char opening = m->text[open], closing = opening == '{' ? '}' : ']';

    if (!m->token.first) {
        problems_add_at(m->problems, open,
                        "this %c is never closed; add a %c where it ends",
                        opening, closing);
        return true;
    }
    if (m->token.first == closing)
        return false;
    problems_line(m->problems, open, &line, &column);
    problems_add_at(m->problems, m->token.offset,
                    "a %c where the %c of line %zu, column %zu is open; write "
                    "%c, or close that first",
                    m->token.first, opening, line, column, closing);
    return true;
}

static bool syntax_explain_comma(const struct mistake *m)
{
    char last = m->before.first;

    if (syntax_is_closing(m->token.first) && last == ',')
        syntax_say(
            m, m->before.offset,
            "a comma with nothing after it; delete it, or add what is missing");
    else if (m->token.first == ',' && last && strchr(",[{", last))
        syntax_say(m, m->token.offset, "a comma too many; delete it");
    else if ((m->token.first == ',' || syntax_is_closing(m->token.first)) &&
             last == ':')
        syntax_say(m, m->token.offset, "a value is missing here; write one");
    else
        return false;
    return true;
}

/* "transports: ["tcp"]: the quote that is missing ends the text too late, and
   the rest of it touches what follows. */
static bool syntax_explain_quote_before(const struct mistake *m)
{
    if (m->before.first != '"' || m->before.end != m->token.offset ||
        !syntax_is_word(m->token.first))
        return false;
    syntax_say(
        m, m->before.offset,
        "the text that begins here ends at the next quote; put a \" where it "
        "is to end");
    return true;
}

/* A key after the last element: the list was to end before it. */
static bool syntax_explain_list(const struct mistake *m)
{
    size_t open, line, column;

    if (m->token.first != ':' || m->before.first != '"' ||
        !syntax_expects(m, "']' expected") || !syntax_open_bracket(m, &open))
        return false;
    problems_line(m->problems, open, &line, &column);
    problems_add_at(m->problems, m->before.offset,
                    "a key in a list; close the [ of line %zu, column %zu with "
                    "a ] before it, or put the key and its value into { }",
                    line, column);
    return true;
}

static bool syntax_explain_missing(const struct mistake *m)
{
    if (syntax_expects(m, "':' expected") && m->token.first == '=')
        syntax_say(m, m->token.offset,
                   "a = after a key; write a colon instead");
    else if (syntax_expects(m, "':' expected") &&
             syntax_is_closing(m->token.first))
        syntax_say(
            m, m->before.offset,
            "a key without a value; write \"key\": value, or use [ ] for a "
            "list");
    else if (syntax_expects(m, "':' expected"))
        syntax_say(m, m->token.offset,
                   "a colon is missing before this; write one");
    else if (m->token.first == ';')
        syntax_say(m, m->token.offset, "a semicolon; write a comma instead");
    else if (syntax_expects(m, "'}' expected") ||
             syntax_expects(m, "']' expected"))
        syntax_say(m, m->token.offset,
                   "a comma is missing before this; write one");
    else if (syntax_expects(m, "string or '}' expected"))
        syntax_say(m, m->token.offset,
                   "a key in \"quotes\" belongs here; write \"key\": value");
    else
        return false;
    return true;
}

void syntax_explain(struct problems *problems, const char *text, size_t len,
                    const json_error_t *error)
{
    static bool (*const explain[])(const struct mistake *m) = {
        syntax_explain_encoding,     syntax_explain_empty,
        syntax_explain_start,        syntax_explain_limit,
        syntax_explain_string,       syntax_explain_comment,
        syntax_explain_quote,        syntax_explain_word,
        syntax_explain_bracket,      syntax_explain_comma,
        syntax_explain_quote_before, syntax_explain_list,
        syntax_explain_missing,
    };
    size_t stop = error->position > 0 ? (size_t)error->position : 0;
    struct mistake mistake = {
        .problems = problems,
        .text = text,
        .len = len,
        .stop = stop < len ? stop : len,
        .error = error,
    };

    syntax_find_token(&mistake);
    for (size_t i = 0; i < sizeof(explain) / sizeof(*explain); i++) {
        if (explain[i](&mistake))
            return;
    }
    problems_add_at(problems, mistake.token.offset,
                    "this is no JSON: %s; look at what stands before it",
                    error->text);
}
