/* SPDX-License-Identifier: MIT
 *
 * What the site accepts: each `suppress` is read once, before hosts and guests are bound, so that what binding them
 * finds can be accepted too; then each host and guest gathers those of its layers.  What becomes of findings is left to
 * diag.
 */
#include "model/binder.h"

#include <string.h>

/* ---- one of them ------------------------------------------------------------------------------------------------ */

enum { CODE_BYTES = sizeof "NM0000", CODES_MOST = 10000 };

struct code_names { /* a walk over all codes */
    char (*names)[CODE_BYTES];
    size_t count, at;
};

static const char *next_code(void *state)
{
    struct code_names *walk = state;
    return walk->at < walk->count ? walk->names[walk->at++] : NULL;
}

static void code_name(enum code code, char out[CODE_BYTES])
{
    g_snprintf(out, CODE_BYTES, "NM%04u", (unsigned)code % CODES_MOST);
}

static void report_code(struct binder *binder, const struct scalar *scalar, const char *text)
{
    struct finding *finding = report_value(binder, NM_suppress_code, scalar, "'%s' is no code of a finding", text);
    enum code meant = code_from_text(text);
    char name[CODE_BYTES];
    if (meant != NM_NONE) {
        code_name(meant, name);
        finding_help(binder->findings, finding, "write '%s'", name);
        return;
    }
    struct code_names walk = { 0 };
    const struct code_row *rows = code_rows(&walk.count);
    g_autofree char(*names)[CODE_BYTES] = g_malloc(walk.count * CODE_BYTES);
    for (size_t i = 0; i < walk.count; i++)
        code_name(rows[i].code, names[i]);
    walk.names = names;
    const char *near = nearest_name(text, strlen(text), next_code, &walk);
    if (near)
        finding_help(binder->findings, finding, "did you mean '%s'?", near);
    else
        finding_help(binder->findings, finding, "write the code that a finding shows in brackets, such as 'NM0513'");
}

/* In its one form, and of a finding that can be accepted. */
bool parse_code(struct binder *binder, const struct scalar *scalar, enum code *out_code)
{
    g_autofree char *text = g_strndup(scalar->text, scalar->length);
    enum code code = code_from_text(text);
    char name[CODE_BYTES];
    code_name(code, name);
    if (code == NM_NONE || strcmp(text, name) != 0) {
        report_code(binder, scalar, text);
        return false;
    }
    struct finding *finding;
    if (code_row(code)->severity == ERROR) {
        finding =
            report_value(binder, NM_suppress_error, scalar, "%s is an error, and no plan stands beside one", text);
        finding_note(binder->findings, finding, "%s: %s", text, code_row(code)->title);
        finding_help(binder->findings, finding, "remove this 'suppress', and cure what it is about");
        return false;
    }
    if (code == NM_suppress_unused || code == NM_suppress_over) {
        finding = report_value(binder, NM_suppress_error, scalar, "%s is about 'suppress' itself", text);
        finding_help(binder->findings, finding, "remove the 'suppress' that it was told of");
        return false;
    }
    *out_code = code;
    return true;
}

static bool is_blank(const char *text)
{
    while (g_ascii_isspace(*text))
        text++;
    return !*text;
}

static void settle_end(struct binder *binder, struct suppression *one)
{
    if (!is_said(&one->said, W_SUPPRESS_UNTIL) || is_failed(&one->said, W_SUPPRESS_UNTIL))
        return;
    one->acceptance.until = date_text(binder->arena, one->last_day);
    one->is_void |= one->last_day < binder->options->today;
    if (!one->is_void)
        return;
    char name[CODE_BYTES];
    code_name(one->acceptance.code, name);
    struct finding *finding = report(binder->findings, NM_suppress_over, said_span(&one->said, W_SUPPRESS_UNTIL, 1),
                                     "%s was accepted until %s, and no longer is", name, one->acceptance.until);
    finding_note(binder->findings, finding, "the reason was: %s", one->acceptance.reason);
    finding_help(binder->findings, finding, "cure what it is about, or say a later day; then remove this one");
}

static void bind_suppression(struct binder *binder, const struct item *item)
{
    const struct word_row *row = word_row(W_SUPPRESS);
    struct suppression *one = arena_take(binder->arena, struct suppression);
    struct frame frame = { .said = &one->said, .layer = LAYER_GUEST };
    struct scalar label, few[4], *scalars;
    size_t count, errors = findings_errors_met(binder->findings);
    frame.object[OBJECT_SUPPRESSION] = one;
    g_hash_table_insert(binder->suppressions, (gpointer)(uintptr_t)item, one);
    one->is_void = true;
    if (item->failed || !item_label(binder, item, row, &label))
        return;
    parse_value(binder, &row->label, &label, &one->acceptance.code);
    one->acceptance.span = label.span;
    one->acceptance.reason = "";
    if (item_scalars(binder, item, few, G_N_ELEMENTS(few), &scalars, &count) &&
        store_columns(binder, item, row, row->arguments, scalars + 1, count - 1, (char *)one) &&
        is_blank(one->acceptance.reason)) {
        struct finding *finding = report_value(binder, NM_empty_text, &scalars[1], "this reason is blank");
        finding_help(binder->findings, finding, "say why it is accepted: those who read it later want to know");
    }
    bind_block(binder, &frame, IN_SUPPRESS, item->children);
    one->is_void = one->acceptance.code == NM_NONE; /* else it is clear what it is about, though it says it wrongly */
    if (findings_errors_met(binder->findings) == errors)
        settle_end(binder, one);
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

static const struct word_row *row_of(struct binder *binder, enum context in, const struct item *item)
{
    size_t length;
    const char *text = word_text(binder->syntax, item, item->name, &length);
    return find_word(in, text, length);
}

/* Blocks lie DEPTH_LIMIT deep at most, and these words stand in few of them. */
static void find_suppressions(struct binder *binder, enum context in, const struct item *first)
{
    unsigned holders = word_row(W_SUPPRESS)->in;
    for (const struct item *item = first; item; item = item->next) {
        const struct word_row *row = row_of(binder, in, item);
        if (row && row->id == W_SUPPRESS)
            bind_suppression(binder, item);
        else if (row && row->opens & holders)
            find_suppressions(binder, row->opens, item->children);
    }
}

/* ---- whose they are --------------------------------------------------------------------------------------------- */

static void gather(struct binder *binder, const struct item *first, GPtrArray *out)
{
    for (const struct item *item = first; item; item = item->next) {
        struct suppression *one = g_hash_table_lookup(binder->suppressions, item);
        if (one)
            g_ptr_array_add(out, one);
    }
}

/* `remove suppress:NM0513`: false where no layer below gave it. */
static bool drop(GPtrArray *gathered, enum code code)
{
    guint kept = 0;
    for (guint i = 0; i < gathered->len; i++)
        if (((struct suppression *)g_ptr_array_index(gathered, i))->acceptance.code != code)
            gathered->pdata[kept++] = gathered->pdata[i];
    bool was_there = kept < gathered->len;
    g_ptr_array_set_size(gathered, (gint)kept);
    return was_there;
}

static void drop_removed(struct binder *binder, const struct item *block, GPtrArray *gathered)
{
    static const char word[] = "suppress:";
    const struct item *item = find_item(binder, block->children, "remove");
    struct scalar few[8], *scalars;
    size_t count, length = sizeof word - 1;
    if (!item || !item_scalars(binder, item, few, G_N_ELEMENTS(few), &scalars, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        if (scalars[i].length < length || memcmp(scalars[i].text, word, length) != 0)
            continue;
        g_autofree char *code = g_strndup(scalars[i].text + length, scalars[i].length - length);
        if (!drop(gathered, code_from_text(code)))
            report_nothing_to_remove(binder, &scalars[i]);
    }
}

/* Those that count, in an array of its own. */
static struct acceptances sound(struct binder *binder, const GPtrArray *gathered)
{
    struct acceptance **list = arena_array(binder->arena, struct acceptance *, gathered->len);
    struct acceptances accepted = { .list = list };
    for (guint i = 0; i < gathered->len; i++) {
        struct suppression *one = g_ptr_array_index(gathered, i);
        if (!one->is_void)
            list[accepted.count++] = &one->acceptance;
    }
    return accepted;
}

static struct acceptances settled(struct binder *binder, const GPtrArray *gathered)
{
    for (guint i = 0; i < gathered->len; i++) {
        struct suppression *one = g_ptr_array_index(gathered, i);
        if (!one->is_void && !one->is_in_force)
            g_ptr_array_add(binder->in_force, &one->acceptance);
        one->is_in_force = true;
    }
    return sound(binder, gathered);
}

struct acceptances accepted_in_layers(struct binder *binder, const struct item *const *blocks, size_t count)
{
    if (!g_hash_table_size(binder->suppressions))
        return (struct acceptances){ 0 };
    g_autoptr(GPtrArray) gathered = g_ptr_array_new();
    for (size_t i = 0; i < count; i++) {
        drop_removed(binder, blocks[i], gathered);
        gather(binder, blocks[i]->children, gathered);
    }
    return settled(binder, gathered);
}

void about_profile(struct binder *binder, const struct profile *profile)
{
    g_autoptr(GPtrArray) gathered = g_ptr_array_new();
    gather(binder, profile->item->children, gathered);
    findings_accept(binder->findings, sound(binder, gathered));
}

static void refuse_repeated(struct binder *binder, const struct item *first, GHashTable *seen)
{
    for (const struct item *item = first; item; item = item->next) {
        const struct suppression *one = g_hash_table_lookup(binder->suppressions, item);
        gpointer code = one ? GINT_TO_POINTER((int)one->acceptance.code) : NULL;
        const struct item *before = code ? g_hash_table_lookup(seen, code) : NULL;
        if (before)
            report_repeated(binder, item, before, true);
        else if (code)
            g_hash_table_insert(seen, code, (gpointer)(uintptr_t)item);
    }
}

void bind_suppressions(struct binder *binder)
{
    g_autoptr(GPtrArray) gathered = g_ptr_array_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < binder->trees->len; i++) {
        const struct tree *tree = g_ptr_array_index(binder->trees, i);
        find_suppressions(binder, IN_SITE, tree->items);
        refuse_repeated(binder, tree->items, seen);
        gather(binder, tree->items, gathered);
    }
    binder->site->accepted = settled(binder, gathered);
    findings_accept_all(binder->findings, binder->site->accepted);
}

/* ---- for the stages --------------------------------------------------------------------------------------------- */

void about_guest(struct findings *findings, const struct guest *guest)
{
    findings_accept(findings, guest ? guest->accepted : (struct acceptances){ 0 });
}

void about_host(struct findings *findings, const struct declared_host *host)
{
    findings_accept(findings, host ? host->accepted : (struct acceptances){ 0 });
}

/* Whether a verb tells these is not known when the stages are through (verb_build.c). */
static bool is_told_later(enum code code)
{
    return code == NM_base_one_target || code == NM_numad_one_target;
}

void tell_unused_acceptances(struct findings *findings, const struct site *site)
{
    for (uint32_t i = 0; i < site->in_force.count; i++) {
        const struct acceptance *acceptance = site->in_force.list[i];
        if (acceptance->times || is_told_later(acceptance->code))
            continue;
        char name[CODE_BYTES];
        code_name(acceptance->code, name);
        struct finding *finding =
            report(findings, NM_suppress_unused, acceptance->span, "%s was not there to accept", name);
        finding_note(findings, finding, "the reason was: %s", acceptance->reason);
        finding_help(findings, finding, "remove this 'suppress'");
    }
}
