/* SPDX-License-Identifier: MIT
 *
 * The list of findings of one run: one record for each mistake, kept until the end.
 */
#include "diag/diag.h"

#include <stdlib.h>
#include <string.h>

#include "diag/findings.h"

static const struct code_row rows[] = {
#define CODE(number, name, severity, title) { NM_##name, #name, severity, title },
#include "diag/catalogue.def"
#undef CODE
};

const struct code_row *code_rows(size_t *out_count)
{
    *out_count = G_N_ELEMENTS(rows);
    return rows;
}

const struct code_row *code_row(enum code code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].code == code)
            return &rows[i];
    bug("a code that is not in the catalogue");
}

enum code code_from_text(const char *text)
{
    if (g_ascii_strncasecmp(text, "NM", 2) == 0)
        text += 2;
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (end == text || *end || !g_ascii_isdigit(*text))
        return NM_NONE;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if ((unsigned long)rows[i].code == number)
            return rows[i].code;
    return NM_NONE;
}

const char *severity_word(enum severity severity)
{
    static const char *const words[] = { "hint", "warning", "error" };
    return words[severity];
}

struct findings *findings_new(const struct sources *sources)
{
    struct findings *findings = g_new0(struct findings, 1);
    findings->arena = arena_new();
    findings->sources = sources;
    findings->list = g_ptr_array_new();
    findings->seen = g_hash_table_new(g_str_hash, g_str_equal);
    findings->accepted = g_ptr_array_new();
    return findings;
}

void findings_free(struct findings *findings)
{
    if (!findings)
        return;
    g_ptr_array_free(findings->list, TRUE);
    g_hash_table_destroy(findings->seen);
    g_ptr_array_free(findings->accepted, TRUE);
    arena_free(findings->arena);
    g_free(findings);
}

G_GNUC_PRINTF(2, 0)
static const char *formatted(struct findings *findings, const char *format, va_list arguments)
{
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    return arena_string(findings->arena, text, strlen(text));
}

/* True the first time a code is reported at a place, to be shown or to one who keeps it back (`by`); without a place
 * every report is new. */
static bool is_new(struct findings *findings, enum code code, struct span span, const void *by)
{
    if (!span.file)
        return true;
    char key[96];
    g_snprintf(key, sizeof key, "%d:%u:%u:%u:%p", (int)code, span.file, span.begin, span.end, by);
    if (g_hash_table_contains(findings->seen, key))
        return false;
    g_hash_table_add(findings->seen, arena_string(findings->arena, key, strlen(key)));
    return true;
}

/* Every acceptance of the code counts as used, so that none of two layers that say it is told to be in vain. */
static bool keep_back(struct findings *findings, enum code code, struct span span, struct acceptances accepted)
{
    bool is_accepted = false;
    for (uint32_t i = 0; i < accepted.count; i++) {
        struct acceptance *acceptance = accepted.list[i];
        if (acceptance->code != code)
            continue;
        is_accepted = true;
        if (!acceptance->times)
            g_ptr_array_add(findings->accepted, acceptance);
        acceptance->times += is_new(findings, code, span, acceptance);
    }
    return is_accepted;
}

static bool is_accepted(struct findings *findings, enum code code, struct span span)
{
    bool everywhere = keep_back(findings, code, span, findings->everywhere);
    if (!keep_back(findings, code, span, findings->here) && !everywhere)
        return false;
    findings->accepted_count += is_new(findings, code, span, findings);
    return true;
}

void findings_accept_all(struct findings *findings, struct acceptances accepted)
{
    findings->everywhere = accepted;
}

void findings_accept(struct findings *findings, struct acceptances accepted)
{
    findings->here = accepted;
}

size_t findings_accepted(const struct findings *findings)
{
    return findings->accepted_count;
}

struct finding *report(struct findings *findings, enum code code, struct span span, const char *format, ...)
{
    enum severity severity = code_row(code)->severity;
    findings->errors_met += severity == ERROR;
    if ((severity < ERROR && is_accepted(findings, code, span)) || !is_new(findings, code, span, NULL))
        return &findings->repeated;
    struct finding *finding = arena_take(findings->arena, struct finding);
    finding->code = code;
    finding->severity = severity;
    finding->span = span;
    va_list arguments;
    va_start(arguments, format);
    finding->message = formatted(findings, format, arguments);
    va_end(arguments);
    finding->order = findings->list->len;
    g_ptr_array_add(findings->list, finding);
    findings->counts[finding->severity]++;
    return finding;
}

/* Made before at the same place, or accepted: whatever is added costs nothing, however often a profile is used. */
bool finding_is_repeated(const struct findings *findings, const struct finding *finding)
{
    return finding == &findings->repeated;
}

void finding_pointer(struct findings *findings, struct finding *finding, const char *format, ...)
{
    if (finding_is_repeated(findings, finding))
        return;
    va_list arguments;
    va_start(arguments, format);
    finding->pointer = formatted(findings, format, arguments);
    va_end(arguments);
}

static void add_note(struct finding *finding, const char *text)
{
    if (finding->note_count < G_N_ELEMENTS(finding->notes))
        finding->notes[finding->note_count++] = text;
}

void finding_label(struct findings *findings, struct finding *finding, struct span span, const char *format, ...)
{
    if (finding_is_repeated(findings, finding))
        return;
    va_list arguments;
    va_start(arguments, format);
    const char *text = formatted(findings, format, arguments);
    va_end(arguments);
    if (!span.file)
        add_note(finding, text);
    else if (finding->label_count < G_N_ELEMENTS(finding->labels))
        finding->labels[finding->label_count++] = (struct label){ span, text };
}

void finding_note(struct findings *findings, struct finding *finding, const char *format, ...)
{
    if (finding_is_repeated(findings, finding))
        return;
    va_list arguments;
    va_start(arguments, format);
    add_note(finding, formatted(findings, format, arguments));
    va_end(arguments);
}

void finding_help(struct findings *findings, struct finding *finding, const char *format, ...)
{
    if (finding_is_repeated(findings, finding))
        return;
    va_list arguments;
    va_start(arguments, format);
    if (finding->help_count < G_N_ELEMENTS(finding->helps))
        finding->helps[finding->help_count++] = formatted(findings, format, arguments);
    va_end(arguments);
}

size_t findings_count(const struct findings *findings, enum severity at_least)
{
    size_t count = 0;
    for (enum severity severity = at_least; severity <= ERROR; severity++)
        count += findings->counts[severity];
    return count;
}

size_t findings_errors_met(const struct findings *findings)
{
    return findings->errors_met;
}

bool findings_have_errors(const struct findings *findings)
{
    return findings->counts[ERROR] > 0;
}

struct finding *findings_at(struct findings *findings, size_t position)
{
    return g_ptr_array_index(findings->list, position);
}

const struct finding *findings_nth(const struct findings *findings, size_t position)
{
    return g_ptr_array_index(findings->list, position);
}

static int by_place(const void *left, const void *right)
{
    const struct finding *a = *(const struct finding *const *)left, *b = *(const struct finding *const *)right;
    if (a->span.file != b->span.file)
        return a->span.file < b->span.file ? -1 : 1;
    if (a->span.begin != b->span.begin)
        return a->span.begin < b->span.begin ? -1 : 1;
    if (a->code != b->code)
        return a->code < b->code ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static int by_place_of_acceptance(const void *left, const void *right)
{
    const struct span *a = &(*(const struct acceptance *const *)left)->span,
                      *b = &(*(const struct acceptance *const *)right)->span;
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    return a->begin < b->begin ? -1 : a->begin > b->begin;
}

void findings_sort(struct findings *findings)
{
    if (findings->list->len)
        qsort(findings->list->pdata, findings->list->len, sizeof(void *), by_place);
    if (findings->accepted->len)
        qsort(findings->accepted->pdata, findings->accepted->len, sizeof(void *), by_place_of_acceptance);
}
