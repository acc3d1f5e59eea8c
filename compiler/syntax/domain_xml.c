/* SPDX-License-Identifier: MIT
 *
 * Domain XML into parts with exact places: which elements matter says a table (domain_parts.c), everything else is
 * passed over, or noted by its name where nobody keeps the XML.
 * libxml2's SAX2 says that the text is well-formed and what it means; the places come from the bytes of the tag
 * itself, which libxml2 has then checked.  No tree is built, no entity is declared, nothing outside is opened.
 */
#include "syntax/domain.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <string.h>

/* ---- while libxml2 reads ---------------------------------------------------------------------------------------- */

struct open_element {
    struct extent where;     /* "<name" */
    struct element *element; /* NULL where nobody looks */
};

struct parser {
    struct domain *domain;
    xmlParserCtxtPtr context;
    struct open_element open[DOMAIN_DEPTH_LIMIT];
    unsigned depth;
    uint32_t element_count;
    GString *content; /* of the element that is open, where it matters */
    bool wants_content;
    bool root_closed;
    bool stopped; /* by a finding: what libxml2 says from now on is not heard */
};

static uint32_t offset_now(const struct parser *parser)
{
    const struct extent *where = &parser->domain->where;
    long at = xmlByteConsumed(parser->context);
    return where->begin + (at < 0 ? 0 : (uint32_t)MIN(at, (long)(where->end - where->begin)));
}

/* The "<" of the tag that libxml2 stands in: a tag has no other. */
static uint32_t tag_begin(const struct parser *parser, uint32_t at)
{
    while (at > 0 && parser->domain->text[at] != '<')
        at--;
    return at;
}

static struct extent name_behind(const struct parser *parser, uint32_t begin)
{
    const char *name = parser->domain->text + begin + 1;
    return (struct extent){ begin + 1, begin + 1 + (uint32_t)strcspn(name, " \t\r\n/>") };
}

static struct finding *stop(struct parser *parser, struct finding *finding)
{
    parser->stopped = true;
    xmlStopParser(parser->context);
    return finding;
}

/* ---- attributes ------------------------------------------------------------------------------------------------- */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void trim(const char *text, struct extent *where)
{
    while (where->begin < where->end && is_blank(text[where->begin]))
        where->begin++;
    while (where->end > where->begin && is_blank(text[where->end - 1]))
        where->end--;
}

static void set_value(struct parser *parser, struct text_value *value, const char *text, size_t length,
                      struct extent where)
{
    struct domain *domain = parser->domain;
    while (length && is_blank(*text))
        text++, length--;
    while (length && is_blank(text[length - 1]))
        length--;
    trim(domain->text, &where);
    value->where = where;
    value->length = length;
    value->text = arena_string(domain->syntax->arena, text, length);
    if (length <= WORD_LIMIT || parser->stopped)
        return;
    struct finding *finding = domain_report(domain, NM_base_limit, where, "a value of %zu bytes: at most %u are read",
                                            length, (unsigned)WORD_LIMIT);
    finding_help(domain->findings, finding, "write a set as ranges: '0-127'");
    stop(parser, finding);
}

/* The next attribute of a tag from *at, behind which it moves; false at the end. */
static bool next_attribute(const char *text, uint32_t *at, uint32_t end, struct extent *out_name,
                           struct extent *out_value)
{
    uint32_t i = *at;
    while (i < end && is_blank(text[i]))
        i++;
    out_name->begin = i;
    while (i < end && text[i] != '=' && !is_blank(text[i]))
        i++;
    out_name->end = i;
    while (i < end && (text[i] == '=' || is_blank(text[i])))
        i++;
    if (i >= end || (text[i] != '"' && text[i] != '\''))
        return false;
    const char *close = memchr(text + i + 1, text[i], end - i - 1);
    if (!close)
        return false;
    *out_value = (struct extent){ i + 1, (uint32_t)(close - text) };
    *at = out_value->end + 1;
    return true;
}

struct sax_attributes {
    int count;
    const xmlChar **list; /* five for each: name, prefix, URI, value, end of the value */
};

static void take_attribute(struct parser *parser, struct element *element, unsigned which, struct sax_attributes sax,
                           struct extent name, struct extent where)
{
    const char *wanted = domain_parts[element->part].attributes[which];
    for (int i = 0; i < sax.count; i++) {
        const xmlChar **one = sax.list + 5 * i;
        if (one[2] || strcmp((const char *)one[0], wanted) != 0)
            continue;
        struct text_value *value = &element->attributes[which];
        value->name = name;
        set_value(parser, value, (const char *)one[3], (size_t)(one[4] - one[3]), where);
        return;
    }
}

static void take_attributes(struct parser *parser, struct element *element, struct sax_attributes sax, uint32_t end)
{
    const char *text = parser->domain->text;
    struct extent name, where;
    for (uint32_t at = element->name.end; next_attribute(text, &at, end, &name, &where);)
        for (unsigned i = 0; i < ATTRIBUTES_OF_PART && domain_parts[element->part].attributes[i]; i++) {
            const char *wanted = domain_parts[element->part].attributes[i];
            if (strlen(wanted) == name.end - name.begin &&
                memcmp(text + name.begin, wanted, name.end - name.begin) == 0)
                take_attribute(parser, element, i, sax, name, where);
        }
}

/* ---- elements --------------------------------------------------------------------------------------------------- */

static void refuse_root(struct parser *parser, const char *name, const char *uri, struct extent where)
{
    struct domain *domain = parser->domain;
    struct finding *finding;
    if (strcmp(name, "domains") == 0) {
        finding = domain_report(domain, NM_base_several, where, "the base is a list of guests, '<domains>'");
        finding_help(domain->findings, finding,
                     "keep each '<domain>' in a file of its own, and name the one that is meant");
    } else if (strcmp(name, "domain") == 0) {
        finding = domain_report(domain, NM_base_root, where, "the base's '<domain>' is in the namespace '%.80s'", uri);
        finding_note(domain->findings, finding, "libvirt finds nothing in it");
        finding_help(domain->findings, finding, "remove xmlns=\"...\" from '<domain>'");
    } else {
        finding = domain_report(domain, NM_base_root, where, "the base is a '<%.80s>', not a '<domain>'", name);
        finding_help(domain->findings, finding,
                     "give the XML of one guest, as 'virsh dumpxml --inactive GUEST' prints it");
    }
    stop(parser, finding);
}

static void refuse_repeated(struct parser *parser, const struct element *first, struct extent where)
{
    struct domain *domain = parser->domain;
    const char *name = part_name(first->part);
    struct finding *finding = domain_report(domain, NM_base_repeated, where, "'<%s>' stands twice in '<%s>'", name,
                                            part_name(part_parent(first->part)));
    finding_label(domain->findings, finding, domain_span(domain, element_extent(first)), "first here");
    finding_note(domain->findings, finding, "libvirt refuses it, or drops one of the two without a word");
    finding_help(domain->findings, finding, "keep one of the two");
}

static enum part part_of(const struct parser *parser, const char *name)
{
    const struct element *parent = parser->depth ? parser->open[parser->depth - 1].element : NULL;
    if (!parent)
        return PART_NONE;
    for (unsigned part = PART_DOMAIN; part < PART_COUNT; part++)
        if (domain_parts[part].parent == parent->part && strcmp(domain_parts[part].name, name) == 0)
            return (enum part)part;
    return PART_NONE;
}

/* Those of libvirt's namespace for QEMU stand in the table with the prefix that people give them. */
static enum part part_in_namespace(const struct parser *parser, const char *name, const char *uri)
{
    if (!uri)
        return part_of(parser, name);
    if (strcmp(uri, "http://libvirt.org/schemas/domain/qemu/1.0") != 0)
        return PART_NONE;
    g_autofree char *prefixed = g_strconcat("qemu:", name, NULL);
    return part_of(parser, prefixed);
}

static struct element *keep_element(struct parser *parser, enum part part, struct extent where)
{
    struct domain *domain = parser->domain;
    const struct element *parent = parser->depth ? parser->open[parser->depth - 1].element : NULL;
    struct part_list *list = &domain->parts[part];
    if ((domain_parts[part].flags & PART_ONCE) && list->last && list->last->parent == parent) {
        refuse_repeated(parser, list->last, where);
        return NULL;
    }
    if (++parser->element_count > DOMAIN_ELEMENT_LIMIT) {
        struct finding *finding =
            domain_report(domain, NM_base_limit, where, "the base tells of memory and CPUs in more than %u elements",
                          (unsigned)DOMAIN_ELEMENT_LIMIT);
        finding_help(domain->findings, finding,
                     "a guest's XML never has so many: give the XML that 'virsh dumpxml' prints");
        stop(parser, finding);
        return NULL;
    }
    struct element *element = arena_take(domain->syntax->arena, struct element);
    element->parent = parent;
    element->part = part;
    element->begin = where.begin;
    element->name = (struct extent){ where.begin + 1, where.end };
    if (list->last)
        list->last->next = element;
    else
        list->first = element;
    list->last = element;
    list->count++;
    return element;
}

static void refuse_depth(struct parser *parser, struct extent where)
{
    struct domain *domain = parser->domain;
    struct finding *finding =
        domain_report(domain, NM_base_limit, where, "elements stand in each other deeper than %u levels",
                      (unsigned)DOMAIN_DEPTH_LIMIT);
    finding_help(domain->findings, finding, "a guest's XML is never so deep: give the XML that 'virsh dumpxml' prints");
    stop(parser, finding);
}

/* The bus that a device of any kind says it is on. */
static void note_bus(struct parser *parser, struct sax_attributes sax)
{
    const xmlChar *bus = NULL;
    bool is_pci = false;
    for (int i = 0; i < sax.count; i++) {
        const xmlChar **one = sax.list + 5 * i;
        is_pci |= strcmp((const char *)one[0], "type") == 0 && one[4] - one[3] == 3 && memcmp(one[3], "pci", 3) == 0;
        if (strcmp((const char *)one[0], "bus") == 0)
            bus = one[3];
    }
    if (is_pci && bus) /* the quote behind it ends the number */
        parser->domain->bus_most =
            MAX(parser->domain->bus_most, (uint32_t)MIN(g_ascii_strtoull((const char *)bus, NULL, 0), UINT8_MAX));
}

static void on_start(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespace_count,
                     const xmlChar **namespaces, int attribute_count, int defaulted_count, const xmlChar **attributes)
{
    (void)prefix, (void)namespace_count, (void)namespaces, (void)defaulted_count;
    struct parser *parser = data;
    if (parser->stopped)
        return;
    uint32_t at = offset_now(parser), begin = tag_begin(parser, at);
    struct extent where = { begin, name_behind(parser, begin).end };
    if (parser->depth == DOMAIN_DEPTH_LIMIT) {
        refuse_depth(parser, where);
        return;
    }
    enum part part = parser->depth ? part_in_namespace(parser, (const char *)name, (const char *)uri) : PART_DOMAIN;
    if (!parser->depth && (uri || strcmp((const char *)name, "domain") != 0)) {
        refuse_root(parser, (const char *)name, (const char *)uri, where);
        return;
    }
    const struct element *parent = parser->depth ? parser->open[parser->depth - 1].element : NULL;
    if (!part && parent && !uri)
        domain_tell_unknown(parser->domain, parent->part, (const char *)name, where);
    if (!part && parent)
        domain_leave_unknown(parser->domain, parent->part, (const char *)name, where);
    if (parser->depth == 3 && strcmp((const char *)name, "address") == 0)
        note_bus(parser, (struct sax_attributes){ attribute_count, attributes });
    struct element *element = part ? keep_element(parser, part, where) : NULL;
    if (element)
        take_attributes(parser, element, (struct sax_attributes){ attribute_count, attributes }, at);
    if (element && (domain_parts[part].flags & PART_CONTENT)) {
        g_string_truncate(parser->content, 0);
        parser->wants_content = true;
        element->content.where.begin = at;
    }
    parser->open[parser->depth++] = (struct open_element){ where, element };
}

static void take_content(struct parser *parser, struct element *element, uint32_t at)
{
    const char *text = parser->domain->text;
    uint32_t begin = element->content.where.begin; /* of the ">" or "/>" of its start tag */
    parser->wants_content = false;
    struct extent where = { begin, begin };
    if (text[begin] == '>')
        where = (struct extent){ begin + 1, MAX(tag_begin(parser, at ? at - 1 : 0), begin + 1) };
    set_value(parser, &element->content, parser->content->str, parser->content->len, where);
}

static void on_end(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    (void)name, (void)prefix, (void)uri;
    struct parser *parser = data;
    if (parser->stopped || !parser->depth)
        return;
    struct element *element = parser->open[--parser->depth].element;
    if (element && (domain_parts[element->part].flags & PART_CONTENT))
        take_content(parser, element, offset_now(parser));
    parser->root_closed = !parser->depth;
}

/* Elements inside one whose text matters are unknown to libvirt too, which takes all text below. */
static void on_text(void *data, const xmlChar *text, int length)
{
    struct parser *parser = data;
    if (parser->wants_content && parser->content->len <= 2 * WORD_LIMIT)
        g_string_append_len(parser->content, (const char *)text, length);
}

static void on_doctype(void *data, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    (void)name, (void)external, (void)system;
    struct parser *parser = data;
    if (parser->stopped)
        return;
    struct domain *domain = parser->domain;
    const char *found = g_strrstr_len(domain->text, (gssize)offset_now(parser), "<!DOCTYPE");
    uint32_t begin = found ? (uint32_t)(found - domain->text) : 0;
    struct finding *finding =
        domain_report(domain, NM_base_doctype, (struct extent){ begin, begin + 9 }, "the base has a DOCTYPE");
    finding_note(domain->findings, finding,
                 "it could declare entities, so that the text says other things than it seems to");
    finding_help(domain->findings, finding, "remove it: a guest's XML needs none");
    stop(parser, finding);
}

/* ---- what is no XML --------------------------------------------------------------------------------------------- */

static void tell_second_root(struct parser *parser, uint32_t at)
{
    struct domain *domain = parser->domain;
    bool is_domain = strncmp(domain->text + at, "<domain", 7) == 0;
    struct extent where = { at, at + (is_domain ? 7 : at < domain->where.end) };
    struct finding *finding;
    if (is_domain) {
        finding = domain_report(domain, NM_base_several, where, "a second guest begins behind the first");
        finding_help(domain->findings, finding,
                     "keep each '<domain>' in a file of its own, and name the one that is meant");
    } else {
        finding = domain_report(domain, NM_base_not_xml, where, "the base goes on behind '</domain>'");
        finding_help(domain->findings, finding, "remove what follows '</domain>'");
    }
}

/* "</a>" where "<b>" is open */
static void tell_mismatch(struct parser *parser, uint32_t at)
{
    struct domain *domain = parser->domain;
    const struct extent *open = &parser->open[parser->depth - 1].where;
    uint32_t begin = tag_begin(parser, at ? at - 1 : 0);
    uint32_t end = begin + (uint32_t)strcspn(domain->text + begin, " \t\r\n>");
    int name_length = (int)MIN(open->end - open->begin - 1, 80);
    const char *name = domain->text + open->begin + 1;
    struct finding *finding = domain_report(domain, NM_base_not_xml, (struct extent){ begin, end },
                                            "'%.*s>' ends an element that is not the innermost open one, '<%.*s>'",
                                            (int)MIN(end - begin, 80), domain->text + begin, name_length, name);
    finding_label(domain->findings, finding, domain_span(domain, *open), "still open");
    finding_help(domain->findings, finding, "close it first, or mend the name: '</%.*s>'", name_length, name);
}

static void tell_unfinished(struct parser *parser, uint32_t at)
{
    struct domain *domain = parser->domain;
    const struct extent *open = &parser->open[parser->depth - 1].where;
    int name_length = (int)MIN(open->end - open->begin - 1, 80);
    const char *name = domain->text + open->begin + 1;
    struct finding *finding = domain_report(domain, NM_base_not_xml, (struct extent){ at, at },
                                            "the base ends while '<%.*s>' is open", name_length, name);
    finding_label(domain->findings, finding, domain_span(domain, *open), "opened here");
    finding_help(domain->findings, finding, "is it cut short? '</%.*s>' is missing", name_length, name);
}

static void tell_other(struct parser *parser, uint32_t at, const xmlError *error)
{
    struct domain *domain = parser->domain;
    struct extent where = { at, MIN(at + 1, domain->where.end) };
    const char *said = error->message ? error->message : "unknown error";
    size_t length = strcspn(said, "\n");
    while (length && said[length - 1] == '.')
        length--;
    struct position position = source_position(domain->syntax->sources, domain->file, at);
    struct finding *finding = domain_report(domain, NM_base_not_xml, where,
                                            "the base is not well-formed XML at line %u, byte %u", position.line, at);
    finding_note(domain->findings, finding, "libxml2 says: %.*s", (int)MIN(length, 200), said);
    if (error->code == XML_WAR_UNDECLARED_ENTITY || error->code == XML_ERR_UNDECLARED_ENTITY)
        finding_help(domain->findings, finding,
                     "only &amp; &lt; &gt; &quot; and &apos; have a meaning: write the character itself");
    else if (error->code == XML_ERR_LT_IN_ATTRIBUTE)
        finding_help(domain->findings, finding, "close the quotes before it, or write &lt; for a '<' in a value");
    else
        finding_help(domain->findings, finding, "mend it there; 'xmllint --noout FILE' shows the line");
}

static void tell_error(struct parser *parser, const xmlError *error)
{
    uint32_t at = offset_now(parser);
    if (parser->root_closed)
        tell_second_root(parser, at);
    else if (error->code == XML_ERR_TAG_NAME_MISMATCH && parser->depth)
        tell_mismatch(parser, at);
    else if (at == parser->domain->where.end && parser->depth)
        tell_unfinished(parser, at);
    else
        tell_other(parser, at, error);
    parser->stopped = true;
}

#if LIBXML_VERSION >= 21200
static void on_error(void *data, const xmlError *error)
#else
static void on_error(void *data, xmlErrorPtr error)
#endif
{
    struct parser *parser = data;
    if (!parser->stopped && error->level == XML_ERR_FATAL)
        tell_error(parser, error);
}

static void run(struct parser *parser)
{
    struct domain *domain = parser->domain;
    xmlSAXHandler handler = {
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .cdataBlock = on_text,
        .ignorableWhitespace = on_text,
        .internalSubset = on_doctype,
        .serror = on_error,
    };
    const struct extent *where = &domain->where;
    parser->context = xmlCreateMemoryParserCtxt(domain->text + where->begin, (int)(where->end - where->begin));
    if (!parser->context)
        bug("libxml2 gives no parser");
    *parser->context->sax = handler;
    parser->context->userData = parser;
    xmlCtxtUseOptions(parser->context, XML_PARSE_NONET);
    xmlParseDocument(parser->context);
    if (!parser->stopped && !parser->context->wellFormed) /* never seen: it says why, or it is well-formed */
        domain_report(domain, NM_base_not_xml, (struct extent){ 0, 0 }, "the base is not well-formed XML");
    xmlFreeDoc(parser->context->myDoc);
    xmlFreeParserCtxt(parser->context);
}

bool domain_parse(struct domain *domain)
{
    if (domain->where.begin == domain->where.end) {
        struct finding *finding = domain_report(domain, NM_base_not_xml, (struct extent){ 0, 0 }, "the base is empty");
        finding_help(domain->findings, finding,
                     "give the XML of one guest, as 'virsh dumpxml --inactive GUEST' prints it");
        return false;
    }
    if (!domain_guard(domain))
        return false;
    struct parser *parser = g_new0(struct parser, 1);
    parser->domain = domain;
    parser->content = g_string_new(NULL);
    run(parser);
    bool fine = !parser->stopped && parser->context;
    g_string_free(parser->content, TRUE);
    g_free(parser);
    return fine;
}
