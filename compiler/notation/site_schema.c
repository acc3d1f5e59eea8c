/* SPDX-License-Identifier: MIT
 *
 * The JSON Schema of the YAML form, from the vocabulary: what an editor can check while people write.  It says which
 * words stand where and what form values have; whether they fit each other is left to `numac check`.
 */
#include <string.h>

#include "notation/notation.h"
#include "notation/contexts.h"

/* ---- values: a pattern for one value without its anchors -------------------------------------------------------- */

#define NUMBER "(?:0|[1-9][0-9]*)"
#define BYTES "[0-9]+(?:\\.[0-9]{1,6})?(?:[KMGT]iB|[KMGT])"
#define TERM "\\^?(?:all|[0-9]+(?:-[0-9]+)?|[a-z0-9]+:[A-Za-z0-9_.:-]+)"
#define MEMBERS TERM "(?:," TERM ")*"
#define VARIABLE "[^ ]*\\$[^ ]*"

enum scalar_kind {
    SCALAR_TEXT = 1,
    SCALAR_INTEGER = 2,
    SCALAR_NUMBER = 4,
    SCALAR_BOOLEAN = 8
}; /* as a YAML reader types it */

struct form {
    const char *pattern; /* NULL: any text that is not empty */
    unsigned kinds;
};

static struct form form_of(enum value_type type)
{
    switch (type) {
    case V_NAME: /* any text in quotes, and a schema does not see quotes */
    case V_REF:
    case V_VARIABLE:
        return (struct form){ NULL, SCALAR_TEXT };
    case V_LABEL:
        return (struct form){ NULL, SCALAR_TEXT | SCALAR_INTEGER };
    case V_WHAT:
        return (struct form){ "[a-z][^ ]*", SCALAR_TEXT };
    case V_FEATURE:
        return (struct form){ "\\^?[A-Za-z0-9_.-]+", SCALAR_TEXT | SCALAR_INTEGER };
    case V_BOOL:
        return (struct form){ "(?:yes|no)", SCALAR_TEXT };
    case V_INT:
        return (struct form){ NUMBER, SCALAR_TEXT | SCALAR_INTEGER };
    case V_COUNT:
        return (struct form){ "(?:all|" NUMBER ")", SCALAR_TEXT | SCALAR_INTEGER };
    case V_CELLS:
        return (struct form){ "(?:auto|host|" NUMBER ")", SCALAR_TEXT | SCALAR_INTEGER };
    case V_DISTANCE:
        return (struct form){ "(?:auto|" NUMBER ")", SCALAR_TEXT | SCALAR_INTEGER };
    case V_SIZE:
        return (struct form){ BYTES, SCALAR_TEXT };
    case V_SIZE_OR_ALL:
        return (struct form){ "(?:all|" BYTES ")", SCALAR_TEXT };
    case V_PAGES:
        return (struct form){ "(?:normal|largest|" BYTES ")", SCALAR_TEXT };
    case V_SET:
    case V_CPUS:
    case V_NODES:
        return (struct form){ MEMBERS, SCALAR_TEXT | SCALAR_INTEGER };
    case V_NODES_OR_AUTO:
        return (struct form){ "(?:auto|numad|" MEMBERS ")", SCALAR_TEXT | SCALAR_INTEGER };
    case V_CPUS_OR_NUMAD:
        return (struct form){ "(?:numad|" MEMBERS ")", SCALAR_TEXT | SCALAR_INTEGER };
    case V_VERSION:
        return (struct form){ "[0-9]+(?:\\.[0-9]+){1,2}", SCALAR_TEXT | SCALAR_NUMBER };
    case V_TIME:
        return (struct form){ "[0-9]+(?:\\.[0-9]+)?(?:ns|us)", SCALAR_TEXT };
    case V_RATE:
        return (struct form){ "[0-9]+(?:\\.[0-9]+)?(?:MiB|GiB|TiB)/s", SCALAR_TEXT };
    case V_SHARE:
        return (struct form){ "(?:" NUMBER "%|[0-9]+(?:\\.[0-9]+)?(?:MiB|GiB|TiB)/s)", SCALAR_TEXT };
    case V_ADDRESS:
        return (struct form){ "0x[0-9A-Fa-f]{1,16}", SCALAR_TEXT | SCALAR_INTEGER };
    case V_PCI:
        return (struct form){ "[0-9A-Fa-f]{4}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\\.[0-7]", SCALAR_TEXT };
    case V_URI:
        return (struct form){ "(?:qemu|test)(?:\\+(?:ssh|libssh|libssh2|tls|tcp|unix))?://[!-~]*/[!-~]+", SCALAR_TEXT };
    case V_CODE:
        return (struct form){ "NM[0-9]{4}", SCALAR_TEXT };
    case V_DATE:
        return (struct form){ "[0-9]{4}-[0-9]{2}-[0-9]{2}", SCALAR_TEXT };
    case V_AMOUNT:
        return (struct form){ "(?:" NUMBER "|" BYTES ")", SCALAR_TEXT | SCALAR_INTEGER };
    case V_TEXT:
    case V_FILE:
    case V_SOURCE:
    case V_ANY:
        return (struct form){ NULL, SCALAR_TEXT | SCALAR_INTEGER | SCALAR_NUMBER | SCALAR_BOOLEAN };
    case V_CHOICE: /* its column knows the words */
    case V_NONE:
    case V_TYPES:
        break;
    }
    bug("a value type without a form");
}

static void append_pattern(GString *out, const struct column *column, bool with_variable)
{
    g_string_append(out, with_variable ? "(?:" VARIABLE "|" : "(?:");
    if (column->type == V_CHOICE) {
        g_autofree char *words = g_strjoinv("|", (char **)(uintptr_t)column->choices);
        g_string_append(out, words);
    } else {
        const char *pattern = form_of(column->type).pattern;
        /* a label is one key, blanks and all; arguments in plain text are parted at them */
        g_string_append(out, pattern ? pattern : with_variable ? "[^ ]+" : ".+");
    }
    g_string_append_c(out, ')');
}

static void write_types(struct json *json, unsigned kinds)
{
    json_inline_array(json, "type");
    if (kinds & SCALAR_TEXT)
        json_string(json, NULL, "string");
    if (kinds & SCALAR_NUMBER)
        json_string(json, NULL, "number");
    else if (kinds & SCALAR_INTEGER)
        json_string(json, NULL, "integer");
    if (kinds & SCALAR_BOOLEAN)
        json_string(json, NULL, "boolean");
    json_end(json, ']');
}

static void write_scalar(struct json *json, const char *key, const struct column *column)
{
    unsigned kinds = column->type == V_CHOICE ? (unsigned)SCALAR_TEXT : form_of(column->type).kinds;
    json_object(json, key);
    write_types(json, kinds);
    if (column->type != V_CHOICE && !form_of(column->type).pattern) {
        json_number(json, "minLength", 1);
    } else {
        g_autoptr(GString) pattern = g_string_new("^");
        append_pattern(pattern, column, true);
        g_string_append_c(pattern, '$');
        json_string(json, "pattern", pattern->str);
    }
    if (kinds & (SCALAR_INTEGER | SCALAR_NUMBER) && !(kinds & SCALAR_BOOLEAN))
        json_number(json, "minimum", 0);
    json_end(json, '}');
}

/* ---- arguments -------------------------------------------------------------------------------------------------- */

static size_t required_columns(const struct column *columns)
{
    size_t count = 0;
    while (columns[count].name && !(columns[count].flags & OPTIONAL))
        count++;
    return count;
}

static bool has_several(const struct column *columns)
{
    return columns[0].name && (columns[1].name || columns[0].flags & MANY);
}

/* Plain text, parted at blanks. */
static void write_plain_form(struct json *json, const struct column *columns)
{
    g_autoptr(GString) pattern = g_string_new("^");
    size_t open = 0;
    for (const struct column *column = columns; column->name; column++) {
        if (column != columns) {
            g_string_append(pattern, column->flags & OPTIONAL ? "(?: +" : " +");
            open += column->flags & OPTIONAL ? 1 : 0;
        }
        append_pattern(pattern, column, true);
        if (column->flags & MANY) {
            g_string_append(pattern, "(?: +");
            append_pattern(pattern, column, true);
            g_string_append(pattern, ")*");
        }
    }
    while (open--)
        g_string_append(pattern, ")?");
    g_string_append_c(pattern, '$');
    json_object(json, NULL);
    json_string(json, "type", "string");
    json_string(json, "pattern", pattern->str);
    json_end(json, '}');
    json_object(json, NULL); /* one variable may stand for all of them */
    json_string(json, "type", "string");
    json_string(json, "pattern", "^\\$[A-Za-z][A-Za-z0-9_]*$");
    json_end(json, '}');
}

static void write_list_form(struct json *json, const struct column *columns)
{
    const struct column *many = NULL;
    json_object(json, NULL);
    json_string(json, "type", "array");
    json_array(json, "items");
    for (const struct column *column = columns; column->name; column++) {
        write_scalar(json, NULL, column);
        if (column->flags & MANY)
            many = column;
    }
    json_end(json, ']');
    json_number(json, "minItems", required_columns(columns));
    if (many)
        write_scalar(json, "additionalItems", many);
    else
        json_bool(json, "additionalItems", false);
    json_end(json, '}');
}

static void write_null_form(struct json *json)
{
    json_object(json, NULL);
    json_string(json, "type", "null");
    json_end(json, '}');
}

/* The forms of arguments without names, as members of an anyOf. */
static void write_argument_forms(struct json *json, const struct column *columns)
{
    if (required_columns(columns) <= 1 && columns[0].name)
        write_scalar(json, NULL, &columns[0]);
    if (has_several(columns))
        write_plain_form(json, columns);
    if (columns[0].name)
        write_list_form(json, columns);
    if (!required_columns(columns))
        write_null_form(json);
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

static void write_reference(struct json *json, const char *key, const struct word_row *row)
{
    json_object(json, key);
    g_autofree char *target = g_strdup_printf("#/definitions/%s.%s", context_name(row->in), row->word);
    json_string(json, "$ref", target);
    json_end(json, '}');
}

static void write_words_of(struct json *json, enum context in)
{
    size_t count;
    const struct word_row *rows = vocabulary(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].in & in)
            write_reference(json, rows[i].word, &rows[i]);
}

static void write_named_argument(struct json *json, const struct column *column)
{
    if (!(column->flags & MANY)) {
        write_scalar(json, column->name, column);
        return;
    }
    const struct column alone[2] = { *column };
    json_object(json, column->name);
    json_array(json, "anyOf");
    write_argument_forms(json, alone);
    json_end(json, ']');
    json_end(json, '}');
}

/* An argument stands by its place, so a later one needs those before it. */
static void write_dependencies(struct json *json, const struct column *columns)
{
    if (!columns[0].name || !columns[1].name)
        return;
    json_object(json, "dependencies");
    for (size_t i = 1; columns[i].name; i++) {
        json_inline_array(json, columns[i].name);
        for (size_t k = 0; k < i; k++)
            json_string(json, NULL, columns[k].name);
        json_end(json, ']');
    }
    json_end(json, '}');
}

/* Arguments by name, and the words of the block. */
static void write_mapping_form(struct json *json, const struct column *arguments, enum context opens)
{
    json_object(json, NULL);
    json_string(json, "type", "object");
    json_object(json, "properties");
    for (const struct column *column = arguments; column->name; column++)
        write_named_argument(json, column);
    write_words_of(json, opens);
    json_end(json, '}');
    if (!opens && required_columns(arguments)) {
        json_inline_array(json, "required");
        for (size_t i = 0; i < required_columns(arguments); i++)
            json_string(json, NULL, arguments[i].name);
        json_end(json, ']');
    }
    write_dependencies(json, arguments);
    json_bool(json, "additionalProperties", false);
    json_end(json, '}');
}

static void write_key_names(struct json *json, const struct column *column)
{
    json_object(json, "propertyNames");
    g_autoptr(GString) pattern = g_string_new("^");
    append_pattern(pattern, column, false);
    g_string_append_c(pattern, '$');
    json_string(json, "pattern", pattern->str);
    json_end(json, '}');
}

static void write_table_form(struct json *json, const struct word_row *row)
{
    json_object(json, NULL);
    json_string(json, "type", "object");
    write_key_names(json, &row->columns[0]);
    json_object(json, "additionalProperties");
    json_array(json, "anyOf");
    write_argument_forms(json, row->columns + 1);
    json_end(json, ']');
    json_end(json, '}');
    json_end(json, '}');
}

/* What may stand behind the word, or behind its label. */
static void write_forms(struct json *json, const struct word_row *row)
{
    json_array(json, "anyOf");
    if (row->columns[0].name)
        write_table_form(json, row);
    if (row->arguments[0].name)
        write_argument_forms(json, row->arguments);
    else if (row->opens)
        write_null_form(json);
    if (!row->columns[0].name && row->kind != REPEATED)
        write_mapping_form(json, row->arguments, row->opens);
    json_end(json, ']');
}

static void write_word(struct json *json, const struct word_row *row)
{
    g_autofree char *name = g_strdup_printf("%s.%s", context_name(row->in), row->word);
    json_object(json, name);
    json_string(json, "description", row->about);
    if (row->kind != LABELLED) {
        write_forms(json, row);
        json_end(json, '}');
        return;
    }
    json_string(json, "type", "object");
    write_key_names(json, &row->label);
    json_object(json, "additionalProperties");
    write_forms(json, row);
    json_end(json, '}');
    json_end(json, '}');
}

void write_site_schema(GString *out)
{
    struct json json;
    size_t count;
    const struct word_row *rows = vocabulary(&count);
    json_open(&json, out);
    json_object(&json, NULL);
    json_string(&json, "$schema", "http://json-schema.org/draft-07/schema#");
    json_string(&json, "title", "numac site");
    json_string(&json, "description", "A site of numac in YAML. Booleans are the words yes and no, as in YAML 1.2.");
    json_string(&json, "type", "object");
    json_object(&json, "properties");
    write_words_of(&json, IN_SITE);
    json_end(&json, '}');
    json_bool(&json, "additionalProperties", false);
    json_object(&json, "definitions");
    for (size_t i = 0; i < count; i++)
        write_word(&json, &rows[i]);
    json_end(&json, '}');
    json_end(&json, '}');
    json_finish(&json);
}
