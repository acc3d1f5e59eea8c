/* SPDX-License-Identifier: MIT
 *
 * A second look at XML that hwloc refused.  hwloc's own reader knows only the XML that hwloc writes: a comment, a
 * single quote or a blank in the wrong place stops it without a word.  libxml2 says whether the file is XML at all,
 * and where not; if it is, it is written again as hwloc would have written it.
 */
#include "host/facts.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

static void be_silent(void *context, const char *format, ...)
{
    (void)context;
    (void)format;
}

/* The next node in document order that is not below this one; the walk needs no recursion. */
static xmlNode *next_beside(xmlNode *node)
{
    while (node && !node->next)
        node = node->parent && node->parent->type == XML_ELEMENT_NODE ? node->parent : NULL;
    return node ? node->next : NULL;
}

static void drop_comments(xmlDoc *document)
{
    for (xmlNode *node = document->children; node;) {
        bool is_noise = node->type == XML_COMMENT_NODE || node->type == XML_PI_NODE;
        bool goes_down = node->type == XML_ELEMENT_NODE && node->children;
        xmlNode *next = goes_down ? node->children : next_beside(node);
        if (is_noise) {
            xmlUnlinkNode(node);
            xmlFreeNode(node);
        }
        node = next;
    }
}

xmlDoc *xml_read(const struct reading *reading, struct trouble *trouble)
{
    xmlSetGenericErrorFunc(NULL, be_silent);
    xmlResetLastError();
    xmlDoc *document = xmlReadMemory(reading->text, (int)reading->length, NULL, NULL,
                                     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
    if (document)
        return document;
    const xmlError *error = xmlGetLastError();
    g_autofree char *said = g_utf8_make_valid(error && error->message ? error->message : "no XML", -1);
    trouble_set(trouble, NM_host_damaged, "record the host again; the file was cut or edited",
                "'%s' line %d is no well-formed XML: %s", reading->name, error ? error->line : 0, g_strstrip(said));
    return NULL;
}

bool xml_make_plain(const struct reading *reading, GString *plain, struct trouble *trouble)
{
    xmlDoc *document = xml_read(reading, trouble);
    if (!document)
        return false;
    drop_comments(document);
    xmlChar *text = NULL;
    int length = 0;
    xmlDocDumpMemoryEnc(document, &text, &length, "UTF-8");
    if (text)
        g_string_append_len(plain, (const char *)text, length);
    xmlFree(text);
    xmlFreeDoc(document);
    return plain->len > 0;
}
