/* SPDX-License-Identifier: MIT
 *
 * The files of a site: the one named, what it includes, and the variables declared in any of them.  Nothing is typed
 * here but file names and variable names.
 */
#include "model/binder.h"

#include <stdlib.h>
#include <string.h>
#include <limits.h>
#include <unistd.h>

enum { INCLUDE_DEPTH_LIMIT = 16 };

char *path_beside(struct binder *binder, uint32_t file, const char *path, size_t length)
{
    const char *from = source_at(binder->sources, file)->path;
    const char *slash = from && path[0] != '/' ? strrchr(from, '/') : NULL;
    if (!slash)
        return arena_string(binder->arena, path, length);
    return arena_printf(binder->arena, "%.*s%.*s", (int)(slash - from + 1), from, (int)length, path);
}

/* ---- variables -------------------------------------------------------------------------------------------------- */

struct let *find_let(struct binder *binder, const char *name, size_t length)
{
    char key[128];
    if (length >= sizeof key)
        return NULL;
    memcpy(key, name, length);
    key[length] = 0;
    return g_hash_table_lookup(binder->lets, key);
}

static bool is_variable(const char *text, size_t length)
{
    if (!length || length > 64 || !g_ascii_isalpha(text[0]))
        return false;
    for (size_t i = 1; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && text[i] != '_')
            return false;
    return true;
}

/* No values that need an order of their own: the one of declarations never matters. */
static bool refuse_variables(struct binder *binder, const struct item *item)
{
    for (unsigned i = 1; i < item->argument_count; i++)
        if (item->arguments[i].dollar) {
            struct finding *finding =
                report(binder->findings, NM_variable_not_here, word_span(item, item->arguments[i]),
                       "a variable stands in the value of another");
            finding_help(binder->findings, finding, "write the value out");
            return true;
        }
    return false;
}

static void declare_let(struct binder *binder, const struct item *item)
{
    size_t length;
    if (!item->argument_count) {
        struct finding *finding = report(binder->findings, NM_missing_label, item_span(item), "'let' lacks a name");
        finding_help(binder->findings, finding, "write 'let ram 32GiB', then use it as '$ram'");
        binder->missed_lets = true;
        return;
    }
    const char *name = word_text(binder->syntax, item, item->arguments[0], &length);
    struct span span = word_span(item, item->arguments[0]);
    if (!is_variable(name, length)) {
        struct finding *finding =
            report(binder->findings, NM_wrong_name, span, "'%.*s' is no name of a variable", (int)length, name);
        finding_help(binder->findings, finding, "a letter, then letters, digits and '_', at most 64 of them");
        binder->missed_lets = true;
        return;
    }
    struct let *before = find_let(binder, name, length);
    if (before) {
        struct finding *finding =
            report(binder->findings, NM_repeated_name, span, "variable '%.*s' is declared twice", (int)length, name);
        finding_label(binder->findings, finding, before->span, "first declared here");
        finding_help(binder->findings, finding, "keep one of the two");
        return;
    }
    struct let *let = arena_take(binder->arena, struct let);
    *let = (struct let){ .name = arena_string(binder->arena, name, length),
                         .span = span,
                         .item = item,
                         .has_value = item->argument_count > 1,
                         .is_wrong = refuse_variables(binder, item) };
    g_hash_table_insert(binder->lets, (gpointer)(uintptr_t)let->name, let);
    g_ptr_array_add(binder->let_order, let);
    for (size_t i = 0; i < binder->options->variable_count; i++)
        if (strcmp(binder->options->variables[i].name, let->name) == 0) {
            let->text = binder->options->variables[i].value; /* the last of several counts */
            let->has_value = true;
        }
}

static const char *next_let(void *state)
{
    struct {
        struct binder *binder;
        guint at;
    } *walk = state;
    GPtrArray *order = walk->binder->let_order;
    return walk->at < order->len ? ((struct let *)g_ptr_array_index(order, walk->at++))->name : NULL;
}

static const char *nearest_let(struct binder *binder, const char *name, size_t length)
{
    struct {
        struct binder *binder;
        guint at;
    } walk = { binder, 0 };
    return nearest_name(name, length, next_let, &walk);
}

/* -D name=value: each must be declared by a let, in any file of the site. */
static void refuse_undeclared(struct binder *binder)
{
    for (size_t i = 0; i < binder->options->variable_count; i++) {
        const struct variable *given = &binder->options->variables[i];
        if (binder->missed_lets || find_let(binder, given->name, strlen(given->name)))
            continue;
        struct finding *finding = report(binder->findings, NM_unknown_option_name, SPAN_NONE,
                                         "'-D %s' names a variable that the site does not declare", given->name);
        const char *near = nearest_let(binder, given->name, strlen(given->name));
        if (near)
            finding_help(binder->findings, finding, "did you mean '-D %s=...'?", near);
        else
            finding_help(binder->findings, finding, "declare it in the site: 'let %s'", given->name);
    }
}

/* ---- replacing variables ---------------------------------------------------------------------------------------- */

static size_t variable_length(const char *text, size_t length)
{
    size_t end = 0;
    while (end < length && (g_ascii_isalnum(text[end]) || text[end] == '_'))
        end++;
    return end && g_ascii_isalpha(text[0]) ? end : 0;
}

/* Variables where none can stand are told as that, not as unused too. */
void mark_variables(struct binder *binder, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] == '$') {
            size_t end = variable_length(text + i + 1, length - i - 1);
            struct let *let = end ? find_let(binder, text + i + 1, end) : NULL;
            if (let)
                let->is_used = true;
        }
}

static struct let *used_let(struct binder *binder, const struct item *item, struct word word, const char *name,
                            size_t length)
{
    struct let *let = find_let(binder, name, length);
    if (let)
        let->is_used = true;
    if (let && let->has_value && !let->is_wrong)
        return let;
    if ((let && let->is_wrong) || (!let && binder->missed_lets))
        return NULL; /* told already, or declared in a file that could not be read */
    struct span span = word_span(item, word);
    if (let) {
        struct finding *finding = report(binder->findings, NM_variable_without_value, span,
                                         "variable '%.*s' has no value", (int)length, name);
        finding_label(binder->findings, finding, let->span, "declared here without one");
        finding_help(binder->findings, finding, "give it on the command line: -D %.*s=...", (int)length, name);
        return NULL;
    }
    struct finding *finding =
        report(binder->findings, NM_unknown_variable, span, "no variable '%.*s' is declared", (int)length, name);
    const char *near = nearest_let(binder, name, length);
    if (near) {
        find_let(binder, near, strlen(near))->is_used = true;
        finding_help(binder->findings, finding, "did you mean '$%s'?", near);
    } else
        finding_help(binder->findings, finding,
                     "declare it at the top of the site: 'let %.*s ...'; a dollar sign itself is '$$'", (int)length,
                     name);
    return NULL;
}

static void append_let(struct binder *binder, const struct let *let, GString *out)
{
    if (let->text) {
        g_string_append(out, let->text);
        return;
    }
    for (unsigned i = 1; i < let->item->argument_count; i++) {
        size_t length;
        const char *text = word_text(binder->syntax, let->item, let->item->arguments[i], &length);
        g_string_append_printf(out, "%s%.*s", i > 1 ? " " : "", (int)length, text);
    }
}

enum { REPLACED_LIMIT = 1 << 20 };

/* "hosts/$model.xml" to text.  False: reported. */
static bool replace_variables(struct binder *binder, const struct item *item, struct word word, struct scalar *scalar)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const char *text = scalar->text;
    for (size_t i = 0; i < scalar->length;) {
        if (text[i] != '$') {
            g_string_append_c(out, text[i++]);
        } else if (i + 1 < scalar->length && text[i + 1] == '$') {
            g_string_append_c(out, '$');
            i += 2;
        } else {
            size_t length = variable_length(text + i + 1, scalar->length - i - 1);
            if (!length) {
                struct finding *finding =
                    report(binder->findings, NM_unknown_variable, scalar->span, "'$' is followed by no name");
                finding_help(binder->findings, finding, "write '$$' for a dollar sign, '$ram' for a variable");
                return false;
            }
            struct let *let = used_let(binder, item, word, text + i + 1, length);
            if (!let)
                return false;
            append_let(binder, let, out);
            scalar->let = let;
            i += 1 + length;
        }
        if (out->len > REPLACED_LIMIT) {
            report(binder->findings, NM_too_large, scalar->span,
                   "the text is over 1MiB once its variables are replaced");
            return false;
        }
    }
    scalar->text = arena_string(binder->arena, out->str, out->len);
    scalar->length = out->len;
    return true;
}

static struct scalar written(struct binder *binder, const struct item *item, struct word word)
{
    struct scalar scalar = { .span = word_span(item, word), .is_quoted = word.quoted };
    scalar.text = word_text(binder->syntax, item, word, &scalar.length);
    return scalar;
}

/* `$name` as a whole unquoted word gives all values of the variable as arguments. */
static bool append_whole(struct binder *binder, const struct item *item, struct word word, GArray *out)
{
    struct scalar scalar = written(binder, item, word);
    struct let *let = used_let(binder, item, word, scalar.text + 1, scalar.length - 1);
    if (!let)
        return false;
    scalar.let = let;
    if (let->text) {
        g_auto(GStrv) parts = g_strsplit_set(let->text, " \t", -1);
        for (char **part = parts; *part; part++)
            if (**part) {
                scalar.text = arena_string(binder->arena, *part, strlen(*part));
                scalar.length = strlen(*part);
                g_array_append_val(out, scalar);
            }
        return true;
    }
    for (unsigned i = 1; i < let->item->argument_count; i++) {
        scalar.text = word_text(binder->syntax, let->item, let->item->arguments[i], &scalar.length);
        scalar.is_quoted = let->item->arguments[i].quoted;
        g_array_append_val(out, scalar);
    }
    return true;
}

static bool is_whole_variable(struct binder *binder, const struct item *item, struct word word)
{
    struct scalar scalar = written(binder, item, word);
    return !word.quoted && scalar.length > 1 && scalar.text[0] == '$' &&
           variable_length(scalar.text + 1, scalar.length - 1) == scalar.length - 1;
}

/* The slow way, taken only where a '$' stands. */
static bool replaced_scalars(struct binder *binder, const struct item *item, struct scalar **out_scalars,
                             size_t *out_count)
{
    GArray *list = g_array_new(FALSE, TRUE, sizeof(struct scalar));
    bool fine = true;
    for (unsigned i = 0; i < item->argument_count && !binder->is_too_large; i++) {
        struct word word = item->arguments[i];
        guint before = list->len;
        if (word.dollar && is_whole_variable(binder, item, word)) {
            fine &= append_whole(binder, item, word, list);
        } else {
            struct scalar scalar = written(binder, item, word);
            if (word.dollar)
                fine &= replace_variables(binder, item, word, &scalar);
            g_array_append_val(list, scalar);
        }
        for (; before < list->len && word.dollar; before++)
            fine &= grow(binder, 1, g_array_index(list, struct scalar, before).length, word_span(item, word));
    }
    fine &= !binder->is_too_large;
    for (guint i = 0; i < list->len; i++)
        if (g_array_index(list, struct scalar, i).let)
            origin_add(binder, &g_array_index(list, struct scalar, i));
    *out_count = list->len;
    *out_scalars = arena_copy(binder->arena, list->data, list->len * sizeof(struct scalar));
    g_array_free(list, TRUE);
    return fine;
}

bool item_scalars(struct binder *binder, const struct item *item, struct scalar *few, size_t room,
                  struct scalar **out_scalars, size_t *out_count)
{
    for (unsigned i = 0; i < item->argument_count; i++)
        if (item->arguments[i].dollar)
            return replaced_scalars(binder, item, out_scalars, out_count);
    if (item->argument_count > room)
        few = arena_array(binder->arena, struct scalar, item->argument_count);
    for (unsigned i = 0; i < item->argument_count; i++)
        few[i] = written(binder, item, item->arguments[i]);
    *out_scalars = few;
    *out_count = item->argument_count;
    return true;
}

/* ---- includes --------------------------------------------------------------------------------------------------- */

static char *real_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    g_autofree char *folder = slash ? g_strndup(path, (size_t)(slash - path) + 1) : g_strdup(".");
    return realpath(folder, NULL);
}

static bool lies_under(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (folder[length - 1] == '/' || path[length] == '/' || !path[length]);
}

/* Files that a site names stay below its folder, links resolved, unless the command line allows more. */
static bool is_allowed(struct binder *binder, const char *path)
{
    char *real = realpath(path, NULL);
    if (!real)
        return access(path, F_OK) != 0; /* reading it will say what is wrong; /dev/stdin leads nowhere, and opens */
    const char *site_path = source_at(binder->sources, binder->site_file)->path;
    char *folder = real_folder(site_path ? site_path : "./-");
    bool allowed = folder && lies_under(real, folder);
    for (size_t i = 0; !allowed && i < binder->options->include_folder_count; i++) {
        char *more = realpath(binder->options->include_folders[i], NULL);
        allowed = more && lies_under(real, more);
        free(more);
    }
    free(folder);
    free(real);
    return allowed;
}

bool refuse_outside(struct binder *binder, const struct scalar *scalar, const char *path)
{
    if (is_allowed(binder, path))
        return false;
    struct finding *finding =
        report_value(binder, NM_include_outside, scalar, "'%.*s' lies outside the folder of the site",
                     (int)scalar->length, scalar->text);
    finding_help(binder->findings, finding,
                 "move it below the site's folder, or allow its folder: --allow-include FOLDER");
    return true;
}

static unsigned include_depth(struct binder *binder, uint32_t file)
{
    unsigned depth = 0;
    while (file && depth <= INCLUDE_DEPTH_LIMIT) {
        file = source_at(binder->sources, file)->included_from;
        depth++;
    }
    return depth;
}

static bool includes_itself(struct binder *binder, uint32_t file, uint32_t found)
{
    for (; file; file = source_at(binder->sources, file)->included_from)
        if (file == found)
            return true;
    return false;
}

static void read_one(struct binder *binder, uint32_t file)
{
    struct tree *tree = read_tree(binder->syntax, file, false);
    binder->missed_names |= tree->failed;
    binder->missed_lets |= tree->failed;
    binder->is_torn |= tree->is_torn;
    if (tree->is_yaml)
        shape_tree(binder->syntax, tree);
    g_ptr_array_add(binder->trees, tree);
}

/* A file that this site has read; 0 too where only another site of the same run has. */
static uint32_t read_before(struct binder *binder, const char *path)
{
    uint32_t found = sources_find(binder->sources, path);
    for (guint i = 0; found && i < binder->trees->len; i++)
        if (((const struct tree *)g_ptr_array_index(binder->trees, i))->file == found)
            return found;
    return 0;
}

static void include_file(struct binder *binder, const struct scalar *scalar)
{
    if (!scalar->length) {
        struct finding *finding = report_value(binder, NM_empty_text, scalar, "'include' names no file");
        finding_help(binder->findings, finding, "give a path, or leave the word out");
        return;
    }
    char *path = path_beside(binder, scalar->span.file, scalar->text, scalar->length);
    uint32_t found = read_before(binder, path);
    if (found && includes_itself(binder, scalar->span.file, found)) {
        struct finding *finding =
            report_value(binder, NM_include_depth, scalar, "'%.*s' includes itself", (int)scalar->length, scalar->text);
        finding_help(binder->findings, finding, "remove one include of the circle");
    } else if (found) {
        return; /* read before: the order of declarations does not matter */
    } else if (refuse_outside(binder, scalar, path)) {
        binder->missed_names = binder->missed_lets = true;
    } else if (include_depth(binder, scalar->span.file) > INCLUDE_DEPTH_LIMIT) {
        struct finding *finding =
            report_value(binder, NM_include_depth, scalar, "includes are nested deeper than %d", INCLUDE_DEPTH_LIMIT);
        finding_help(binder->findings, finding, "include it from the site itself: a file read once is there for all");
        binder->missed_names = binder->missed_lets = true;
    } else {
        uint32_t file = sources_read_named(binder->sources, path, SITE_BYTES_LIMIT);
        source_note_include(binder->sources, file, scalar->span);
        read_one(binder, file);
    }
}

static bool is_word(struct binder *binder, const struct item *item, const char *word)
{
    size_t length;
    const char *text = word_text(binder->syntax, item, item->name, &length);
    return length == strlen(word) && memcmp(text, word, length) == 0;
}

/* Variables may name files to include, so all that are declared so far are known before the includes of a file. */
static void read_includes(struct binder *binder, const struct tree *tree)
{
    for (const struct item *item = tree->items; item; item = item->next) {
        if (!is_word(binder, item, "include"))
            continue;
        struct scalar few[8], *scalars;
        size_t count;
        if (!item_scalars(binder, item, few, G_N_ELEMENTS(few), &scalars, &count)) {
            binder->missed_names = binder->missed_lets = true;
            continue;
        }
        if (!count) {
            struct finding *finding =
                report(binder->findings, NM_missing_argument, item_span(item), "'include' names no file");
            finding_help(binder->findings, finding, "write 'include \"profiles.numa\"'");
        }
        for (size_t i = 0; i < count; i++)
            include_file(binder, &scalars[i]);
    }
}

bool load_site(struct binder *binder, uint32_t file)
{
    read_one(binder, file);
    for (guint i = 0; i < binder->trees->len; i++) {
        const struct tree *tree = g_ptr_array_index(binder->trees, i);
        for (const struct item *item = tree->items; item; item = item->next)
            if (is_word(binder, item, "let"))
                declare_let(binder, item);
        read_includes(binder, tree);
    }
    if (!binder->is_torn)
        refuse_undeclared(binder);
    return source_at(binder->sources, file)->trouble == SOURCE_FINE;
}
