/* SPDX-License-Identifier: MIT
 *
 * Where the guests of a file begin and end: it may be one `<domain>`, several of them one behind another as two runs
 * of virsh leave them, or a `<domains>` list.  Only tags are counted here, in one pass and without recursion;
 * libxml2 then judges each part, so a broken one is told with its own place.
 */
#include "import/parts.h"

#include <string.h>

struct splitter {
    struct syntax *syntax;
    uint32_t file;
    const char *text;
    uint32_t length;
    GArray *parts;
};

/* One piece of markup, or the text before the next. */
enum piece { PIECE_TEXT, PIECE_ASIDE, PIECE_OPEN, PIECE_CLOSE, PIECE_ALONE, PIECE_DOCTYPE, PIECE_CUT };

struct markup {
    enum piece piece;
    uint32_t begin, end, name_end; /* name_end: of tags */
    bool has_attributes;
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static struct span span_of(const struct splitter *splitter, uint32_t begin, uint32_t end)
{
    return (struct span){ splitter->file, begin, end };
}

/* ---- pieces ----------------------------------------------------------------------------------------------------- */

static struct markup piece_until(const struct splitter *splitter, uint32_t begin, const char *close, enum piece piece)
{
    const char *from = splitter->text + begin + 2;
    const char *found = g_strstr_len(from, (gssize)(splitter->length - begin - 2), close);
    if (!found)
        return (struct markup){ .piece = PIECE_CUT, .begin = begin, .end = splitter->length };
    return (struct markup){ .piece = piece, .begin = begin, .end = (uint32_t)(found + strlen(close) - splitter->text) };
}

/* A ">" in quotes is part of a value. */
static struct markup read_tag(const struct splitter *splitter, uint32_t begin)
{
    const char *text = splitter->text;
    struct markup tag = { .piece = text[begin + 1] == '/' ? PIECE_CLOSE : PIECE_OPEN, .begin = begin };
    uint32_t name = begin + 1 + (tag.piece == PIECE_CLOSE), at = name;
    while (at < splitter->length && !is_blank(text[at]) && text[at] != '>' && text[at] != '/' && text[at] != '<')
        at++;
    tag.name_end = at;
    for (; at < splitter->length && text[at] != '>' && text[at] != '<'; at++) {
        tag.has_attributes |= text[at] == '=';
        if (text[at] != '"' && text[at] != '\'')
            continue;
        const char *close = memchr(text + at + 1, text[at], splitter->length - at - 1);
        if (!close)
            break;
        at = (uint32_t)(close - text);
    }
    if (at >= splitter->length || text[at] != '>')
        return (struct markup){ .piece = PIECE_CUT, .begin = begin, .end = splitter->length, .name_end = tag.name_end };
    if (tag.piece == PIECE_OPEN && text[at - 1] == '/')
        tag.piece = PIECE_ALONE;
    tag.end = at + 1;
    return tag;
}

static struct markup next_piece(const struct splitter *splitter, uint32_t at)
{
    const char *text = splitter->text + at;
    if (*text != '<') {
        const char *next = memchr(text, '<', splitter->length - at);
        uint32_t end = next ? (uint32_t)(next - splitter->text) : splitter->length;
        return (struct markup){ .piece = PIECE_TEXT, .begin = at, .end = end };
    }
    if (strncmp(text, "<!--", 4) == 0)
        return piece_until(splitter, at, "-->", PIECE_ASIDE);
    if (strncmp(text, "<![CDATA[", 9) == 0)
        return piece_until(splitter, at, "]]>", PIECE_TEXT);
    if (text[1] == '?')
        return piece_until(splitter, at, "?>", PIECE_ASIDE);
    if (strncmp(text, "<!DOCTYPE", 9) == 0)
        return (struct markup){ .piece = PIECE_DOCTYPE, .begin = at, .end = at + 9 };
    if (text[1] == '!')
        return (struct markup){ .piece = PIECE_CUT, .begin = at, .end = splitter->length };
    return read_tag(splitter, at);
}

static bool is_named(const struct splitter *splitter, const struct markup *tag, const char *name)
{
    uint32_t begin = tag->begin + 1 + (tag->piece == PIECE_CLOSE);
    return tag->name_end - begin == strlen(name) && memcmp(splitter->text + begin, name, strlen(name)) == 0;
}

/* ---- what does not belong there --------------------------------------------------------------------------------- */

static const char ask_virsh[] = "give the XML of guests, as 'virsh dumpxml --inactive GUEST' prints it";

static bool refuse_root(struct splitter *splitter, const struct markup *tag)
{
    struct findings *findings = splitter->syntax->findings;
    struct finding *finding = report(findings, NM_import_root, span_of(splitter, tag->begin, tag->name_end),
                                     "the file holds a '%.*s>', not a '<domain>' or a '<domains>' list",
                                     (int)MIN(tag->name_end - tag->begin, 80), splitter->text + tag->begin);
    finding_help(findings, finding, ask_virsh);
    return false;
}

static bool refuse_text(struct splitter *splitter, uint32_t begin, uint32_t end)
{
    struct findings *findings = splitter->syntax->findings;
    while (begin < end && is_blank(splitter->text[begin]))
        begin++;
    uint32_t stop = begin;
    while (stop < end && splitter->text[stop] != '\n')
        stop++;
    struct finding *finding =
        report(findings, NM_import_root, span_of(splitter, begin, stop), "this is no XML of a guest");
    finding_help(findings, finding, ask_virsh);
    return false;
}

static bool refuse_cut(struct splitter *splitter, const struct markup *cut, const struct markup *list)
{
    struct findings *findings = splitter->syntax->findings;
    struct finding *finding =
        list && cut->begin == cut->end
            ? report(findings, NM_import_cut, span_of(splitter, cut->begin, cut->end),
                     "the file ends inside '<domains>'")
            : report(findings, NM_import_cut, span_of(splitter, cut->begin, MIN(cut->begin + 1, cut->end)),
                     "what begins here is never closed");
    if (list)
        finding_label(findings, finding, span_of(splitter, list->begin, list->name_end), "opened here");
    finding_help(findings, finding, "is the file cut short? dump the guests again");
    return false;
}

static bool refuse_doctype(struct splitter *splitter, const struct markup *piece)
{
    struct findings *findings = splitter->syntax->findings;
    struct finding *finding =
        report(findings, NM_base_doctype, span_of(splitter, piece->begin, piece->end), "the file has a DOCTYPE");
    finding_note(findings, finding, "it could declare entities, so that the text says other things than it seems to");
    finding_help(findings, finding, "remove it: a guest's XML needs none");
    return false;
}

/* What a list declares, the guests taken out of it would lose. */
static bool refuse_attributes(struct splitter *splitter, const struct markup *list)
{
    struct findings *findings = splitter->syntax->findings;
    struct finding *finding = report(findings, NM_import_list, span_of(splitter, list->name_end, list->end - 1),
                                     "'<domains>' has attributes, which its guests would lose");
    finding_note(findings, finding, "each guest becomes a file of its own");
    finding_help(findings, finding, "write them, such as xmlns:qemu, into each '<domain>' that needs them");
    return false;
}

/* ---- parts ------------------------------------------------------------------------------------------------------ */

/* *out_end is behind the element whose tag this is; false, and the end of the file, where it is not closed. */
static bool skip_element(const struct splitter *splitter, const struct markup *tag, uint32_t *out_end)
{
    uint32_t depth = 1, at = *out_end = tag->end;
    if (tag->piece == PIECE_ALONE)
        return true;
    while (at < splitter->length) {
        struct markup piece = next_piece(splitter, at);
        at = piece.end;
        if (piece.piece == PIECE_OPEN) {
            depth++;
        } else if (piece.piece == PIECE_CLOSE && --depth == 0) {
            *out_end = at;
            return true;
        }
    }
    *out_end = splitter->length;
    return false;
}

static bool is_only_blank(const struct splitter *splitter, const struct markup *piece)
{
    for (uint32_t at = piece->begin; at < piece->end; at++)
        if (!is_blank(splitter->text[at]))
            return false;
    return true;
}

/* One file of one guest is taken whole, with what stands before and behind it. */
static void widen(struct splitter *splitter, guint first)
{
    if (splitter->parts->len == first + 1)
        g_array_index(splitter->parts, struct span, first) = span_of(splitter, 0, splitter->length);
}

/* The pieces at the top level of the file, or of a list; *at behind them. */
static bool take_guests(struct splitter *splitter, uint32_t *at, const struct markup *list, bool *out_has_list)
{
    while (*at < splitter->length) {
        struct markup piece = next_piece(splitter, *at);
        *at = piece.end;
        switch (piece.piece) {
        case PIECE_ASIDE:
            continue;
        case PIECE_TEXT:
            if (!is_only_blank(splitter, &piece))
                return refuse_text(splitter, piece.begin, piece.end);
            continue;
        case PIECE_DOCTYPE:
            return refuse_doctype(splitter, &piece);
        case PIECE_CUT:
            return refuse_cut(splitter, &piece, list);
        case PIECE_CLOSE:
            return list && is_named(splitter, &piece, "domains") ? true : refuse_root(splitter, &piece);
        case PIECE_OPEN:
        case PIECE_ALONE:
            break;
        }
        if (!is_named(splitter, &piece, "domain")) {
            bool opens_list = !list && is_named(splitter, &piece, "domains");
            if (opens_list && piece.has_attributes)
                return refuse_attributes(splitter, &piece);
            if (!opens_list)
                return refuse_root(splitter, &piece);
            *out_has_list = true;
            if (piece.piece == PIECE_OPEN && !take_guests(splitter, at, &piece, out_has_list))
                return false;
            continue;
        }
        bool is_closed = skip_element(splitter, &piece, at);
        struct span part = span_of(splitter, piece.begin, *at);
        g_array_append_val(splitter->parts, part);
        if (!is_closed && list)
            return false; /* told by those who read the guest */
    }
    struct markup end = { .piece = PIECE_CUT, .begin = splitter->length, .end = splitter->length };
    return !list || refuse_cut(splitter, &end, list);
}

bool split_domains(struct syntax *syntax, uint32_t file, GArray *parts)
{
    const struct source *source = source_at(syntax->sources, file);
    struct splitter splitter = {
        .syntax = syntax, .file = file, .text = source->text, .length = source->length, .parts = parts
    };
    guint first = parts->len;
    uint32_t at = 0;
    bool has_list = false;
    if (!take_guests(&splitter, &at, NULL, &has_list))
        return false;
    if (parts->len == first) {
        struct finding *finding =
            report(syntax->findings, NM_import_root, span_of(&splitter, 0, 0), "the file holds no guest");
        finding_help(syntax->findings, finding, ask_virsh);
        return false;
    }
    if (!has_list)
        widen(&splitter, first);
    return true;
}
