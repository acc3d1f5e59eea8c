/* SPDX-License-Identifier: MIT
 *
 * libxml2, opened when XML is first read.  Most runs read none, and libxml2, which brings ICU and the C++ library,
 * would be half of the start of each.  So the program is not linked to it: the functions that other files call under
 * their usual names stand here, and each looks for the real one when it is first called.  One more function of libxml2
 * is one more line here; the linker says which.
 */
#include <dlfcn.h>
#include <glib.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>

enum { STATUS_NO_LIBRARY = 2 };

static void *find(const char *name)
{
    static void *library;
    if (!library)
        library = dlopen(XML_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    void *found = library ? dlsym(library, name) : NULL;
    if (found)
        return found;
    fprintf(stderr, "numac: cannot read XML: %s\n", dlerror());
    exit(STATUS_NO_LIBRARY);
}

#define FORWARD(result, name, parameters, arguments) \
    result name parameters                           \
    {                                                \
        static __typeof__(name) *real;               \
        if (!real)                                   \
            *(void **)&real = find(#name);           \
        return real arguments;                       \
    }

/* ---- reading ---------------------------------------------------------------------------------------------------- */
FORWARD(xmlDocPtr, xmlReadMemory, (const char *text, int size, const char *url, const char *encoding, int options),
        (text, size, url, encoding, options))
FORWARD(xmlParserCtxtPtr, xmlCreateMemoryParserCtxt, (const char *text, int size), (text, size))
FORWARD(int, xmlCtxtUseOptions, (xmlParserCtxtPtr context, int options), (context, options))
FORWARD(int, xmlParseDocument, (xmlParserCtxtPtr context), (context))
FORWARD(void, xmlStopParser, (xmlParserCtxtPtr context), (context))
FORWARD(void, xmlFreeParserCtxt, (xmlParserCtxtPtr context), (context))
FORWARD(long, xmlByteConsumed, (xmlParserCtxtPtr context), (context))

/* ---- errors ----------------------------------------------------------------------------------------------------- */
FORWARD(__typeof__(xmlGetLastError()), xmlGetLastError, (void), ())
FORWARD(void, xmlResetLastError, (void), ())
FORWARD(void, xmlSetGenericErrorFunc, (void *context, xmlGenericErrorFunc handler), (context, handler))

/* ---- trees ------------------------------------------------------------------------------------------------------ */
FORWARD(xmlNodePtr, xmlDocGetRootElement, (const xmlDoc *document), (document))
FORWARD(void, xmlFreeDoc, (xmlDocPtr document), (document))
FORWARD(void, xmlUnlinkNode, (xmlNodePtr node), (node))
FORWARD(void, xmlFreeNode, (xmlNodePtr node), (node))
FORWARD(long, xmlGetLineNo, (const xmlNode *node), (node))
FORWARD(xmlChar *, xmlGetNoNsProp, (const xmlNode *node, const xmlChar *name), (node, name))
FORWARD(xmlChar *, xmlNodeGetContent, (const xmlNode *node), (node))
FORWARD(int, xmlStrEqual, (const xmlChar *left, const xmlChar *right), (left, right))
FORWARD(void, xmlDocDumpMemoryEnc, (xmlDocPtr document, xmlChar **out_text, int *out_length, const char *encoding),
        (document, out_text, out_length, encoding))

static void free_text(void *text)
{
    (*(xmlFreeFunc *)find("xmlFree"))(text);
}

xmlFreeFunc xmlFree = free_text;
