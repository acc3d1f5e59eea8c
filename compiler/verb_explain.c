/* SPDX-License-Identifier: MIT
 *
 * `numac explain`: the page of one code, or the list of all.
 */
#include "session.h"
#include "texts.h"
#include "verbs.h"

enum { EXPLAIN_FORMAT_VERSION = 1 };

static void write_code(struct json *json, const struct code_row *row, const char *page)
{
    char code[16];
    g_snprintf(code, sizeof code, "NM%04d", (int)row->code);
    json_object(json, NULL);
    json_string(json, "code", code);
    json_string(json, "severity", severity_word(row->severity));
    json_string(json, "title", row->title);
    if (page)
        json_string(json, "page", page);
    json_end(json, '}');
}

static void write_codes(GString *out, const struct code_row *rows, size_t count, const char *page)
{
    struct json json;
    json_open(&json, out);
    json_object(&json, NULL);
    json_number(&json, "format_version", EXPLAIN_FORMAT_VERSION);
    json_array(&json, "codes");
    for (size_t i = 0; i < count; i++)
        write_code(&json, &rows[i], page);
    json_end(&json, ']');
    json_end(&json, '}');
    json_finish(&json);
}

static void list_codes(struct session *session)
{
    size_t count;
    const struct code_row *rows = code_rows(&count);
    if (session->options->format == FINDINGS_JSON) {
        write_codes(session->result, rows, count, NULL);
        return;
    }
    for (size_t i = 0; i < count; i++)
        g_string_append_printf(session->result, "NM%04d %-7s %s\n", (int)rows[i].code, severity_word(rows[i].severity),
                               rows[i].title);
}

static void explain(struct session *session, const char *text)
{
    enum code code = code_from_text(text);
    if (code == NM_NONE) {
        struct finding *finding = session_misuse(session, "there is no code '%s'", text);
        finding_help(session->findings, finding, "'numac explain' lists all codes");
        return;
    }
    char name[24];
    g_snprintf(name, sizeof name, "NM%04d.md", (int)code);
    const char *page = embedded_text(name);
    if (!page)
        bug("a code without a page");
    if (session->options->format == FINDINGS_JSON)
        write_codes(session->result, code_row(code), 1, page);
    else
        g_string_append(session->result, page);
}

int verb_explain(const struct options *options)
{
    struct session *session = session_open(options);
    if (options->arguments.count)
        explain(session, options->arguments.list[0]);
    else
        list_codes(session);
    return session_close(session);
}
