/* SPDX-License-Identifier: MIT
 *
 * Findings for programs: docs/schema/findings.schema.json says what stands where.  Fields are only ever added.
 */
#include "diag/findings.h"

enum { FINDINGS_FORMAT_VERSION = 1, BYTE_ORDER_MARK_BYTES = 3 };

static void write_place(const struct selection *selection, struct json *json, const char *key, uint32_t file,
                        uint32_t offset)
{
    const struct source *source = source_at(selection->sources, file);
    struct position position = source_position(selection->sources, file, offset);
    uint32_t byte = MIN(offset, source->length) + (source->has_byte_order_mark ? BYTE_ORDER_MARK_BYTES : 0);
    json_object(json, key);
    json_number(json, "line", position.line);
    json_number(json, "column", position.column);
    json_number(json, "byte", byte);
    json_end(json, '}');
}

static void write_span(const struct selection *selection, struct json *json, const char *key, struct span span,
                       bool is_primary, const char *label)
{
    if (!span.file)
        return;
    json_object(json, key);
    json_string(json, "file", source_name(selection, span.file));
    write_place(selection, json, "start", span.file, span.begin);
    write_place(selection, json, "end", span.file, MAX(span.begin, span.end));
    json_bool(json, "is_primary", is_primary);
    if (label)
        json_string(json, "label", label);
    else
        json_null(json, "label");
    json_end(json, '}');
}

static void write_include(const struct selection *selection, struct span include, void *json)
{
    write_span(selection, json, NULL, include, false, "included from here");
}

static void write_texts(struct json *json, const char *key, const char *const *texts, unsigned count)
{
    json_array(json, key);
    for (unsigned i = 0; i < count; i++)
        json_string(json, NULL, texts[i]);
    json_end(json, ']');
}

static void write_code(struct json *json, enum code code)
{
    char text[16];
    g_snprintf(text, sizeof text, "NM%04d", (int)code);
    json_string(json, "code", text);
}

static void write_finding(const struct selection *selection, struct json *json, const struct finding *finding)
{
    json_object(json, NULL);
    write_code(json, finding->code);
    json_string(json, "severity", severity_word(finding->severity));
    json_string(json, "message", finding->message);
    json_array(json, "spans");
    write_span(selection, json, NULL, finding->span, true, finding->pointer);
    for (unsigned i = 0; i < finding->label_count; i++)
        write_span(selection, json, NULL, finding->labels[i].span, false, finding->labels[i].text);
    each_include(selection, finding->span.file, write_include, json);
    json_end(json, ']');
    write_texts(json, "notes", finding->notes, finding->note_count);
    write_texts(json, "helps", finding->helps, finding->help_count);
    json_end(json, '}');
}

static void write_omitted(const struct selection *selection, struct json *json)
{
    json_array(json, "omitted");
    for (size_t i = 0; i < selection->file_count; i++) {
        const struct file_findings *file = &selection->files[i];
        if (!file->omitted)
            continue;
        json_object(json, NULL);
        if (file->file)
            json_string(json, "file", source_name(selection, file->file));
        else
            json_null(json, "file");
        json_number(json, "count", file->omitted);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void write_accepted(const struct selection *selection, struct json *json)
{
    json_array(json, "accepted");
    for (guint i = 0; i < selection->accepted->len; i++) {
        const struct acceptance *acceptance = g_ptr_array_index(selection->accepted, i);
        json_object(json, NULL);
        write_code(json, acceptance->code);
        write_span(selection, json, "span", acceptance->span, true, NULL);
        json_string(json, "reason", acceptance->reason);
        if (acceptance->until)
            json_string(json, "until", acceptance->until);
        else
            json_null(json, "until");
        json_number(json, "times", acceptance->times);
        json_end(json, '}');
    }
    json_end(json, ']');
}

void render_json(const struct selection *selection, GString *out)
{
    struct json json;
    json_open(&json, out);
    json_object(&json, NULL);
    json_number(&json, "format_version", FINDINGS_FORMAT_VERSION);
    json_array(&json, "findings");
    for (size_t i = 0; i < selection->file_count; i++)
        for (size_t j = 0; j < selection->files[i].shown_count; j++)
            write_finding(selection, &json, selection->files[i].shown[j]);
    json_end(&json, ']');
    write_omitted(selection, &json);
    write_accepted(selection, &json);
    json_end(&json, '}');
    json_finish(&json);
}
