/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: XML written by appending, a line at a time.  Markup is given as literals and taken as it is;
 * whatever comes from the plan goes through xml_text(), which no text can leave.
 *
 *     xml_open(xml, "<cputune>");
 *     xml_line(xml, "<vcpupin vcpu='");
 *     xml_number(xml, 3);
 *     xml_end(xml, "'/>");
 *     xml_shut(xml, "</cputune>");
 */
#pragma once

#include "base/base.h"

struct xml {
    GString *out;
    unsigned depth; /* two blanks each */
};

static inline void xml_put(struct xml *xml, const char *markup)
{
    append(xml->out, markup);
}

static inline void xml_number(struct xml *xml, uint64_t number)
{
    append_number(xml->out, number);
}

static inline void xml_ids(struct xml *xml, const struct ids *ids)
{
    ids_append(xml->out, ids);
}

/* Begins a line; xml_end() ends it. */
static inline void xml_line(struct xml *xml, const char *markup)
{
    static const char blanks[] = "                ";
    append_bytes(xml->out, blanks, xml->depth * 2 < sizeof blanks ? xml->depth * 2 : sizeof blanks - 1);
    append(xml->out, markup);
}

static inline void xml_end(struct xml *xml, const char *markup)
{
    append(xml->out, markup);
    append_bytes(xml->out, "\n", 1);
}

/* A whole line. */
static inline void xml_whole(struct xml *xml, const char *markup)
{
    xml_line(xml, markup);
    xml_end(xml, "");
}

static inline void xml_open(struct xml *xml, const char *markup)
{
    xml_whole(xml, markup);
    xml->depth++;
}

static inline void xml_shut(struct xml *xml, const char *markup)
{
    xml->depth--;
    xml_whole(xml, markup);
}

/* Text of the plan, in content or in an attribute of either quote. */
void xml_text(struct xml *xml, const char *text);
