/* SPDX-License-Identifier: MIT
 *
 * What must be known of a domain XML before libxml2 reads it: that it does not declare another encoding, and that no
 * element has so many attributes that libxml2, which compares each with each, would be busy for hours.  Whether the
 * text is XML at all is left to libxml2: here anything odd is passed over.
 */
#include "syntax/domain.h"

#include <string.h>

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* The value of `encoding="..."` in the XML declaration, which is the first thing of a file that has one. */
static bool declared_encoding(const struct domain *domain, struct extent *out_where)
{
    if (strncmp(domain->text, "<?xml", 5) != 0 || !strchr(" \t\r\n", domain->text[5]) || !domain->text[5])
        return false;
    const char *end = strstr(domain->text, "?>");
    const char *word = strstr(domain->text, "encoding");
    if (!end || !word || word > end)
        return false;
    const char *at = skip_blanks(word + strlen("encoding"));
    if (*at != '=')
        return false;
    at = skip_blanks(at + 1);
    if (*at != '"' && *at != '\'')
        return false;
    const char *close = memchr(at + 1, *at, (size_t)(end - at));
    if (!close || close > end)
        return false;
    *out_where = (struct extent){ (uint32_t)(at + 1 - domain->text), (uint32_t)(close - domain->text) };
    return true;
}

static bool encoding_fits(struct domain *domain)
{
    struct extent where;
    if (!declared_encoding(domain, &where))
        return true;
    g_autofree char *name = g_strndup(domain->text + where.begin, where.end - where.begin);
    if (g_ascii_strcasecmp(name, "UTF-8") == 0 || g_ascii_strcasecmp(name, "UTF8") == 0)
        return true;
    struct finding *finding =
        domain_report(domain, NM_base_encoding, where, "the base declares the encoding '%.40s'", name);
    finding_note(domain->findings, finding, "the file is read as UTF-8, and what numac writes of it is UTF-8");
    finding_help(domain->findings, finding, "save it as UTF-8 and write encoding=\"UTF-8\", or leave the encoding out");
    return false;
}

/* Behind the tag that begins at `at`; counts its attributes by their equals signs. */
static const char *skip_tag(const char *at, unsigned *out_attributes, unsigned *namespaces)
{
    unsigned attributes = 0;
    for (at++; *at && *at != '>' && *at != '<'; at++) {
        if (*at == '"' || *at == '\'') {
            const char *close = strchr(at + 1, *at);
            if (!close)
                return NULL;
            at = close;
        } else if (*at == '=') {
            attributes++;
        } else if (*at == 'x' && strncmp(at, "xmlns", 5) == 0) {
            (*namespaces)++;
        }
    }
    *out_attributes = attributes;
    return at;
}

/* Behind the next `end`, which ends with ">"; not strstr(), which measures all of the text in a sanitizer build. */
static const char *skip_past(const char *at, const char *end)
{
    size_t before = strlen(end) - 1;
    for (const char *close = at; (close = strchr(close, '>')); close++)
        if ((size_t)(close - at) >= before && memcmp(close - before, end, before) == 0)
            return close + 1;
    return NULL;
}

static bool too_many(struct domain *domain, const char *at, const char *what, unsigned limit)
{
    struct extent where = { (uint32_t)(at - domain->text), (uint32_t)(at - domain->text) + 1 };
    struct finding *finding = domain_report(domain, NM_base_limit, where, "the base has more than %u %s", limit, what);
    finding_help(domain->findings, finding,
                 "a guest's XML never has so many: give the XML that 'virsh dumpxml' prints");
    return false;
}

static bool attributes_fit(struct domain *domain)
{
    unsigned namespaces = 0;
    const char *end = domain->text + domain->where.end;
    for (const char *at = domain->text + domain->where.begin; at && at < end && (at = strchr(at, '<'));) {
        const char *tag = at;
        if (at >= end)
            break;
        unsigned attributes = 0;
        if (strncmp(at, "<!--", 4) == 0)
            at = skip_past(at + 4, "-->");
        else if (strncmp(at, "<![CDATA[", 9) == 0)
            at = skip_past(at + 9, "]]>");
        else if (at[1] == '?')
            at = skip_past(at + 2, "?>");
        else
            at = skip_tag(at, &attributes, &namespaces);
        if (attributes > DOMAIN_ATTRIBUTE_LIMIT)
            return too_many(domain, tag, "attributes in one element", DOMAIN_ATTRIBUTE_LIMIT);
        if (namespaces > DOMAIN_NAMESPACE_LIMIT)
            return too_many(domain, tag, "namespace declarations", DOMAIN_NAMESPACE_LIMIT);
    }
    return true;
}

bool domain_guard(struct domain *domain)
{
    return encoding_fits(domain) && attributes_fit(domain);
}
