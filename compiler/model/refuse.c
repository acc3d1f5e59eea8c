/* SPDX-License-Identifier: MIT
 *
 * What to tell of words and arguments that do not fit their place, and which word was meant.  Values that do not fit
 * their type are told by the parsers of values.c and sets.c.
 */
#include "model/binder.h"

#include <string.h>

/* ---- words ------------------------------------------------------------------------------------------------------ */

struct walk { /* over the words of one place */
    enum context in;
    size_t at;
};

static const char *next_word(void *state)
{
    struct walk *walk = state;
    size_t count;
    const struct word_row *rows = vocabulary(&count);
    while (walk->at < count) {
        const struct word_row *row = &rows[walk->at++];
        if (row->in & walk->in)
            return row->word;
    }
    return NULL;
}

static const struct word_row *singular_of(enum context in, const char *text, size_t length)
{
    return length > 1 && text[length - 1] == 's' ? find_word(in, text, length - 1) : NULL;
}

/* `vcpu` is nearer to `vcpus` than to `cpu`, whatever letters say. */
static const struct word_row *plural_of(enum context in, const char *text, size_t length)
{
    g_autofree char *plural = g_strdup_printf("%.*ss", (int)length, text);
    return find_word(in, plural, length + 1);
}

const struct word_row *nearest_word(enum context in, const char *text, size_t length)
{
    const struct word_row *near = plural_of(in, text, length);
    if (near)
        return near;
    struct walk walk = { in, 0 };
    const char *word = nearest_name(text, length, next_word, &walk);
    return word ? find_word(in, word, strlen(word)) : NULL;
}

static const char *elsewhere(const char *text, size_t length)
{
    for (unsigned bit = 0; bit < 16; bit++) {
        const struct word_row *row = find_word((enum context)(1u << bit), text, length);
        if (row)
            return context_word((enum context)(1u << bit));
    }
    return NULL;
}

void report_unknown(struct binder *binder, const struct item *item, enum context in)
{
    size_t length;
    const char *text = word_text(binder->syntax, item, item->name, &length);
    struct finding *finding = report(binder->findings, NM_unknown_word, item_span(item), "%s has no word '%.*s'",
                                     context_word(in), (int)length, text);
    const struct word_row *singular = singular_of(in, text, length), *near = nearest_word(in, text, length);
    const char *place = elsewhere(text, length);
    if (singular)
        finding_help(binder->findings, finding, "words are never plural: write '%s'", singular->word);
    else if (place && !plural_of(in, text, length))
        finding_help(binder->findings, finding, "'%.*s' is a word of %s", (int)length, text, place);
    else if (near)
        finding_help(binder->findings, finding, "did you mean '%s'?", near->word);
    else
        finding_help(binder->findings, finding, "remove it; docs/language.md lists the words of each place");
}

void report_repeated(struct binder *binder, const struct item *item, const struct item *before, bool is_label)
{
    size_t length, label_length;
    const char *text = word_text(binder->syntax, item, item->name, &length);
    struct finding *finding;
    if (is_label) {
        const char *label = word_text(binder->syntax, item, item->arguments[0], &label_length);
        finding = report(binder->findings, NM_repeated_name, word_span(item, item->arguments[0]),
                         "'%.*s %.*s' is declared twice", (int)length, text, (int)label_length, label);
        finding_label(binder->findings, finding, word_span(before, before->arguments[0]), "first here");
        finding_help(binder->findings, finding, "keep one of the two, or rename one");
        return;
    }
    finding = report(binder->findings, NM_repeated_word, item_span(item), "'%.*s' stands twice in one block",
                     (int)length, text);
    finding_label(binder->findings, finding, item_span(before), "first here");
    finding_help(binder->findings, finding, "keep one of the two");
}

/* ---- arguments -------------------------------------------------------------------------------------------------- */

/* A word that may stand in a place where this row's word may. */
static const struct word_row *beside(const struct word_row *row, const char *text, size_t length)
{
    for (unsigned bit = 0; bit < 16; bit++) {
        const struct word_row *other = row->in >> bit & 1 ? find_word((enum context)(1u << bit), text, length) : NULL;
        if (other)
            return other;
    }
    return NULL;
}

static bool is_set(enum value_type type)
{
    return type == V_SET || type == V_CPUS || type == V_NODES || type == V_NODES_OR_AUTO || type == V_CPUS_OR_NUMAD;
}

static bool begins_set(const struct scalar *scalar)
{
    return scalar->length && (g_ascii_isdigit(scalar->text[0]) || scalar->text[0] == '^');
}

static bool is_size(enum value_type type)
{
    return type == V_SIZE || type == V_SIZE_OR_ALL || type == V_PAGES;
}

/* "4 GiB": the number as it must stand; NULL where that is not what happened. */
static const char *joined_size(const struct scalar *number, const struct scalar *unit)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "K", "M", "G", "T" };
    if (!number || !number->length || !g_ascii_isdigit(number->text[0]))
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        if (strlen(units[i]) == unit->length && memcmp(units[i], unit->text, unit->length) == 0)
            return units[i];
    return NULL;
}

static bool in_yaml(const struct binder *binder, const struct item *item)
{
    return is_yaml_source(source_at(binder->sources, item->file));
}

void report_extra(struct binder *binder, const struct item *item, const struct word_row *row,
                  const struct column *columns, unsigned wanted, const struct scalar *before,
                  const struct scalar *extra)
{
    size_t length;
    const char *name = word_text(binder->syntax, item, item->name, &length);
    bool in_row = columns == row->columns + 1;
    const struct column *last = wanted ? &columns[wanted - 1] : NULL;
    struct finding *finding =
        report_value(binder, NM_extra_argument, extra, "'%.*s' has too many arguments: '%.*s' has no place",
                     (int)length, name, (int)extra->length, extra->text);
    const char *unit = last && is_size(last->type) ? joined_size(before, extra) : NULL;
    if (!wanted && row->columns[0].name && !in_row)
        finding_help(binder->findings, finding, "write its rows in a block: '%s { ... }'", row->word);
    else if (!wanted && row->opens)
        finding_help(binder->findings, finding, "what it says stands in its block: '%s { ... }'", row->word);
    else if (unit)
        finding_help(binder->findings, finding, "write number and unit together: '%.*s%s'", (int)before->length,
                     before->text, unit);
    else if (beside(row, extra->text, extra->length))
        finding_help(binder->findings, finding,
                     in_yaml(binder, item) ? "make '%.*s' a key of its own"
                                           : "begin '%.*s' on a new line or behind ';'",
                     (int)extra->length, extra->text);
    else if (last && is_set(last->type) && begins_set(extra))
        finding_help(binder->findings, finding, "join a set by commas, without blanks: '0-3,8'");
    else
        finding_help(binder->findings, finding,
                     in_yaml(binder, item) ? "it takes %u; the next word is a key of its own"
                                           : "it takes %u; begin the next word on a new line or behind ';'",
                     wanted);
}

bool holds_word(struct binder *binder, const struct item *item, const struct word_row *row)
{
    for (unsigned i = 0; i < item->argument_count; i++) {
        size_t length;
        const char *text = word_text(binder->syntax, item, item->arguments[i], &length);
        if (!item->arguments[i].quoted && beside(row, text, length))
            return true;
    }
    return false;
}

void report_block(struct binder *binder, const struct item *item, const struct word_row *row)
{
    size_t length = strlen(row->word);
    const struct word_row *one = length > 1 && row->word[length - 1] == 's' ? beside(row, row->word, length - 1) : NULL;
    struct finding *finding =
        report(binder->findings, NM_block_not_taken, item_span(item), "'%s' takes no block", row->word);
    if (one && one->kind == LABELLED)
        finding_help(binder->findings, finding, "'%s' says how many; each is a block of its own: write '%s'", row->word,
                     one->word);
    else
        finding_help(binder->findings, finding,
                     in_yaml(binder, item) ? "write its values behind the colon"
                                           : "write its values behind the word, on its line");
}

/* How a value of each type looks. */
static const char *example_of(enum value_type type)
{
    static const char *const examples[V_TYPES] = {
        [V_NAME] = "NAME",
        [V_REF] = "NAME",
        [V_LABEL] = "NAME",
        [V_VARIABLE] = "NAME",
        [V_TEXT] = "\"...\"",
        [V_FILE] = "\"FILE\"",
        [V_SOURCE] = "\"FILE\"",
        [V_WHAT] = "WORD",
        [V_ANY] = "VALUE",
        [V_FEATURE] = "topoext",
        [V_BOOL] = "yes",
        [V_INT] = "8",
        [V_COUNT] = "8",
        [V_CELLS] = "2",
        [V_DISTANCE] = "21",
        [V_SIZE] = "4GiB",
        [V_SIZE_OR_ALL] = "4GiB",
        [V_PAGES] = "1GiB",
        [V_SET] = "0-3,8",
        [V_CPUS] = "0-3,8",
        [V_NODES] = "0",
        [V_NODES_OR_AUTO] = "0",
        [V_VERSION] = "7.2",
        [V_TIME] = "180ns",
        [V_RATE] = "20GiB/s",
        [V_SHARE] = "20%",
        [V_CPUS_OR_NUMAD] = "0-3,8",
        [V_ADDRESS] = "0x100000000",
        [V_URI] = "\"qemu+ssh://r1/system\"",
        [V_CODE] = "NM0513",
        [V_DATE] = "2027-01-31",
        [V_AMOUNT] = "8",
    };
    return examples[type] ? examples[type] : "VALUE";
}

void report_missing(struct binder *binder, const struct item *item, const struct word_row *row,
                    const struct column *column)
{
    size_t length;
    const char *name = word_text(binder->syntax, item, item->name, &length);
    bool in_row = column >= row->columns && column < row->columns + COLUMN_LIMIT;
    bool is_only =
        !in_row && column == row->arguments && !column[1].name && !row->label.name; /* then its name says nothing */
    struct finding *finding =
        in_row ? report(binder->findings, NM_missing_argument, item_span(item), "row '%.*s' of '%s' lacks its %s",
                        (int)length, name, row->word, column->name)
               : report(binder->findings, NM_missing_argument, item_span(item), "'%.*s' lacks its %s", (int)length,
                        name, is_only ? "value" : column->name);
    if (column->choices) {
        g_autofree char *list = g_strjoinv(", ", (char **)(uintptr_t)column->choices);
        finding_help(binder->findings, finding, "write one of: %s", list);
    } else {
        g_autoptr(GString) said = g_string_new(NULL);
        g_string_append_len(said, name, (gssize)length);
        for (unsigned i = 0; i < item->argument_count; i++) {
            const char *text = word_text(binder->syntax, item, item->arguments[i], &length);
            g_string_append_printf(said, " %.*s", (int)length, text);
        }
        finding_help(binder->findings, finding, "write it behind the %s, as in '%s %s'",
                     item->argument_count    ? "others"
                     : in_yaml(binder, item) ? "colon"
                                             : "word",
                     said->str, example_of(column->type));
    }
}

/* "0-3, 5", or "0 1" where a word such as 'strict' may follow: the blank made two arguments of one set. */
bool refuse_parted_set(struct binder *binder, const struct column *columns, const struct scalar *scalars, size_t count)
{
    for (size_t i = 0; columns[i].name && i + 1 < count; i++) {
        const struct scalar *left = &scalars[i], *right = &scalars[i + 1];
        if (!is_set(columns[i].type) || !left->length)
            continue;
        bool has_comma = left->text[left->length - 1] == ',';
        if (!has_comma && !(columns[i + 1].type == V_CHOICE && begins_set(right)))
            continue;
        struct finding *finding =
            has_comma ? report_value(binder, NM_wrong_set, left, "the set '%.*s' ends in a comma", (int)left->length,
                                     left->text)
                      : report_value(binder, NM_wrong_set, right, "'%.*s' stands apart from the set '%.*s'",
                                     (int)right->length, right->text, (int)left->length, left->text);
        finding_help(binder->findings, finding, "join a set without blanks: '%.*s%s%.*s'", (int)left->length,
                     left->text, has_comma ? "" : ",", (int)right->length, right->text);
        return true;
    }
    return false;
}
