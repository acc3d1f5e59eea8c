/* SPDX-License-Identifier: MIT
 *
 * libxml2's SAX2 events, each with the place it was read at.  Places are exact for UTF-8 in memory: when an element
 * starts, the reader stands behind its attributes, and no "<" can stand inside a tag; when it ends, behind its ">".
 */
#include "emit/xml_tree.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <string.h>

enum { DEEPEST = 256 }; /* as deep as libxml2 goes by itself */

struct building {
    struct arena *arena;
    xmlParserCtxtPtr parser;
    const char *text;
    size_t length;
    struct xml_element *root, *open;
    GString *own_texts[DEEPEST + 1];
    unsigned depth;
};

static size_t place(const struct building *building)
{
    const struct _xmlParserInput *input = building->parser->input;
    size_t at = (size_t)input->consumed + (size_t)(input->cur - input->base);
    return at < building->length ? at : building->length;
}

static const char *kept(struct building *building, const void *text, size_t length)
{
    return arena_string(building->arena, text, length);
}

static void add_attribute(struct building *building, struct xml_element *element, const xmlChar **attribute)
{
    struct xml_attribute *added = arena_take(building->arena, struct xml_attribute);
    const char *name = (const char *)attribute[0];
    added->name = attribute[1] ? "" : kept(building, name, strlen(name));
    added->value = kept(building, attribute[3], (size_t)(attribute[4] - attribute[3]));
    added->next = element->attributes;
    element->attributes = added;
}

static void append_child(struct xml_element *parent, struct xml_element *child)
{
    child->parent = parent;
    child->previous = parent->last_child;
    if (parent->last_child)
        parent->last_child->next = child;
    else
        parent->children = child;
    parent->last_child = child;
}

static void stop(struct building *building)
{
    building->root = NULL;
    xmlStopParser(building->parser);
}

static void on_start(void *state, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespace_count,
                     const xmlChar **namespaces, int attribute_count, int defaulted, const xmlChar **attributes)
{
    (void)uri, (void)namespace_count, (void)namespaces, (void)defaulted;
    struct building *building = state;
    if (building->depth == DEEPEST || (building->root && !building->open)) {
        stop(building);
        return;
    }
    struct xml_element *element = arena_take(building->arena, struct xml_element);
    element->name = prefix ? "" : kept(building, name, strlen((const char *)name));
    element->text = "";
    size_t at = place(building), end = at;
    const char *close = memchr(building->text + at, '>', building->length - at);
    end = close ? (size_t)(close - building->text) + 1 : building->length;
    while (at && building->text[at] != '<')
        at--;
    element->begin = at;
    element->open_end = end;
    element->closes_itself = end >= 2 && building->text[end - 2] == '/';
    for (int i = 0; i < attribute_count; i++)
        add_attribute(building, element, attributes + (ptrdiff_t)i * 5);
    if (building->open)
        append_child(building->open, element);
    else
        building->root = element;
    building->open = element;
    building->own_texts[++building->depth] = NULL;
}

static void on_end(void *state, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    (void)name, (void)prefix, (void)uri;
    struct building *building = state;
    struct xml_element *element = building->open;
    if (!element)
        return;
    element->end = element->closes_itself ? element->open_end : place(building);
    size_t close = element->end;
    while (!element->closes_itself && close > element->open_end && building->text[--close] != '<')
        ;
    element->close_begin = close;
    GString **own = &building->own_texts[building->depth--];
    if (*own) {
        g_strstrip((*own)->str);
        element->text = kept(building, (*own)->str, strlen((*own)->str));
        element->has_other |= *element->text != 0;
        g_string_free(*own, TRUE);
        *own = NULL;
    }
    building->open = element->parent;
}

static void on_text(void *state, const xmlChar *text, int length)
{
    struct building *building = state;
    if (!building->open)
        return;
    GString **own = &building->own_texts[building->depth];
    if (!*own)
        *own = g_string_new(NULL);
    g_string_append_len(*own, (const char *)text, length);
}

static void on_comment(void *state, const xmlChar *text)
{
    (void)text;
    struct building *building = state;
    if (building->open)
        building->open->has_other = true;
}

static void on_instruction(void *state, const xmlChar *target, const xmlChar *data)
{
    (void)target;
    on_comment(state, data);
}

static void on_doctype(void *state, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
    (void)name, (void)public_id, (void)system_id;
    stop(state);
}

struct xml_element *xml_tree_read(struct arena *arena, const char *text, size_t length)
{
    struct building building = { .arena = arena, .text = text, .length = length };
    xmlSAXHandler handler = {
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .comment = on_comment,
        .processingInstruction = on_instruction,
        .internalSubset = on_doctype,
    };
    if (!length || length > INT32_MAX)
        return NULL;
    xmlParserCtxtPtr parser = xmlCreateMemoryParserCtxt(text, (int)length);
    if (!parser)
        g_error("out of memory for XML");
    building.parser = parser;
    xmlSAXHandler *own = parser->sax;
    parser->sax = &handler;
    parser->userData = &building;
    xmlCtxtUseOptions(parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC); /* it is UTF-8: places stay exact */
    xmlParseDocument(parser);
    bool fine = parser->wellFormed && !building.open;
    parser->sax = own;
    xmlFreeParserCtxt(parser);
    for (unsigned i = 0; i <= DEEPEST; i++)
        if (building.own_texts[i])
            g_string_free(building.own_texts[i], TRUE);
    return fine ? building.root : NULL;
}

struct xml_element *xml_child(const struct xml_element *element, const char *name)
{
    for (struct xml_element *child = element->children; child; child = child->next)
        if (strcmp(child->name, name) == 0)
            return child;
    return NULL;
}

struct xml_element *xml_next_named(const struct xml_element *element)
{
    for (struct xml_element *next = element->next; next; next = next->next)
        if (strcmp(next->name, element->name) == 0)
            return next;
    return NULL;
}

const char *xml_attribute(const struct xml_element *element, const char *name)
{
    for (const struct xml_attribute *attribute = element->attributes; attribute; attribute = attribute->next)
        if (strcmp(attribute->name, name) == 0)
            return attribute->value;
    return NULL;
}
