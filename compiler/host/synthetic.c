/* SPDX-License-Identifier: MIT
 *
 * A first look at an hwloc synthetic description, before hwloc builds anything: how large it would be, and which word
 * is no level.  hwloc only answers "invalid", and invents 1 GiB for a node without a size; a made-up size is not a
 * fact, so such nodes get a marker that the reader takes for "unknown".
 */
#include "host/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_LIMIT = 65536, OBJECT_LIMIT = 1 << 20, WORK_OF_A_CHILD = 1000000 };

struct scan {
    const char *at;
    GString *prepared;
    struct trouble *trouble;
    uint64_t here, objects; /* things of the last level; of all levels */
    uint64_t nodes;
    uint64_t beside, looks;      /* counts of the levels so far, added up; what hwloc looks at to put all in place */
    const char *last, *named_pu; /* the last level, and the one called pu */
    size_t last_length;
};

#define EXAMPLE "write levels and counts, such as \"pack:2 [numa(memory=16GiB)] l3:1 core:8 pu:2\""

static bool complain(struct scan *scan, const char *what, const char *word, size_t length)
{
    trouble_set(scan->trouble, NM_host_synthetic, EXAMPLE, "%s in the synthetic description at '%.*s'", what,
                (int)MIN(length, 60), word);
    return false;
}

static bool is_memory_type(const char *word, size_t length)
{
    return (length >= 2 && g_ascii_strncasecmp(word, "nu", 2) == 0) ||
           (length >= 4 && g_ascii_strncasecmp(word, "node", 4) == 0);
}

/* "(memory=16GiB indexes=...)", with the marker put in where a node has no size */
static bool take_attributes(struct scan *scan, bool is_node)
{
    if (*scan->at != '(') {
        if (is_node)
            g_string_append_printf(scan->prepared, "(memory=%u)", SYNTHETIC_NO_MEMORY);
        return true;
    }
    const char *begin = scan->at, *end = strchr(begin, ')');
    if (!end)
        return complain(scan, "a '(' is never closed", begin, strlen(begin));
    size_t length = (size_t)(end - begin);
    g_autofree char *inside = g_strndup(begin + 1, length - 1);
    bool has_memory = g_str_has_prefix(inside, "memory=") || strstr(inside, " memory=");
    g_string_append_c(scan->prepared, '(');
    if (is_node && !has_memory)
        g_string_append_printf(scan->prepared, "memory=%u ", SYNTHETIC_NO_MEMORY);
    g_string_append_printf(scan->prepared, "%s)", inside);
    scan->at = end + 1;
    return true;
}

/* "[numa(memory=16GiB)]": memory hung at the level before */
static bool take_attached(struct scan *scan)
{
    const char *begin = scan->at++;
    g_string_append_c(scan->prepared, '[');
    const char *word = scan->at;
    size_t length = strcspn(word, "(]");
    if (!is_memory_type(word, length))
        return complain(scan, "only [numa] can stand in brackets", word, length);
    g_string_append_len(scan->prepared, word, (gssize)length);
    scan->at += length;
    if (!take_attributes(scan, true))
        return false;
    if (*scan->at != ']')
        return complain(scan, "a '[' is never closed", begin, strlen(begin));
    g_string_append_c(scan->prepared, ']');
    scan->at++;
    scan->objects += scan->here;
    scan->nodes += scan->here;
    return true;
}

struct type_words {
    unsigned next;
};

static const char *next_type_word(void *state)
{
    static const char *const words[] = { "numa", "node", "pack", "package", "socket", "die", "group", "l5",
                                         "l4",   "l3",   "l2",   "l1",      "l1d",    "l1i", "core",  "pu" };
    struct type_words *at = state;
    return at->next < G_N_ELEMENTS(words) ? words[at->next++] : NULL;
}

static bool complain_of_type(struct scan *scan, const char *word, size_t length)
{
    const char *near = nearest_name(word, length, next_type_word, &(struct type_words){ 0 });
    g_autofree char *help =
        near ? g_strdup_printf("write '%s' in place of '%.*s'", near, (int)MIN(length, 60), word) : g_strdup(EXAMPLE);
    trouble_set(scan->trouble, NM_host_synthetic, help, "'%.*s' is no level of a synthetic description",
                (int)MIN(length, 60), word);
    return false;
}

/* "core:8", "core:8(...)" or "8" */
static bool take_level(struct scan *scan)
{
    const char *word = scan->at;
    size_t length = strcspn(word, " \t\n([");
    const char *colon = memchr(word, ':', length), *digits = colon ? colon + 1 : word;
    bool is_node = false;
    if (colon) {
        g_autofree char *name = g_strndup(word, (size_t)(colon - word));
        enum level_word level = level_of_word(name);
        if (level == LEVEL_WORD_NONE)
            return complain_of_type(scan, word, (size_t)(colon - word));
        is_node = level == LEVEL_WORD_NODE;
        if (level == LEVEL_WORD_PU)
            scan->named_pu = word;
    }
    char *end;
    errno = 0;
    unsigned long count = g_ascii_isdigit(*digits) ? strtoul(digits, &end, 10) : 0;
    if (!colon && !g_ascii_isdigit(*digits))
        return complain(scan, "a level has no count", word, length);
    if (!count || end != word + length)
        return complain(scan, "the count of a level is no number from 1", word, length);
    scan->here = errno || count > OBJECT_LIMIT ? OBJECT_LIMIT + 1 : scan->here * count;
    scan->objects += scan->here;
    scan->nodes += is_node ? scan->here : 0;
    scan->beside += MIN(count, OBJECT_LIMIT);
    if (scan->here <= OBJECT_LIMIT)
        scan->looks += scan->here * scan->beside; /* each thing finds its place among its siblings, level by level */
    if (scan->here > SYNTHETIC_CPU_LIMIT || scan->objects > OBJECT_LIMIT) {
        trouble_set(scan->trouble, NM_host_too_large, "use smaller counts",
                    "the synthetic description asks for more than %u cpus", SYNTHETIC_CPU_LIMIT);
        return false;
    }
    g_string_append_len(scan->prepared, word, (gssize)length);
    scan->at += length;
    scan->last = word;
    scan->last_length = colon ? (size_t)(colon - word) : 0;
    return take_attributes(scan, is_node);
}

bool synthetic_prepare(const char *text, GString *prepared, uint32_t *cpus, uint64_t *work, struct trouble *trouble)
{
    struct scan scan = { .at = text, .prepared = prepared, .trouble = trouble, .here = 1 };
    if (strlen(text) > TEXT_LIMIT) {
        trouble_set(trouble, NM_host_too_large, "record a machine and edit its XML",
                    "the synthetic description is longer than %d bytes", TEXT_LIMIT);
        return false;
    }
    scan.at += strspn(scan.at, " \t\n");
    if (*scan.at == '(' && !take_attributes(&scan, false))
        return false;
    unsigned levels = 0;
    for (scan.at += strspn(scan.at, " \t\n"); *scan.at; scan.at += strspn(scan.at, " \t\n"), levels++) {
        if (levels)
            g_string_append_c(prepared, ' ');
        if (!(*scan.at == '[' ? take_attached(&scan) : take_level(&scan)))
            return false;
    }
    if (!scan.last)
        return complain(&scan, "there is no level", text, strlen(text));
    /* a last level without a name is pu */
    if (scan.last_length && scan.named_pu != scan.last) {
        trouble_set(trouble, NM_host_synthetic, "end the description with pu, such as \"pack:2 [numa] core:8 pu:2\"",
                    "the last level of the synthetic description is '%.*s', not pu", (int)MIN(scan.last_length, 60),
                    scan.last);
        return false;
    }
    if (scan.nodes > SYNTHETIC_NODE_LIMIT) {
        trouble_set(trouble, NM_host_too_large, "use smaller counts",
                    "the synthetic description asks for more than %u nodes", SYNTHETIC_NODE_LIMIT);
        return false;
    }
    *work = scan.looks * (scan.here / 64 + 1); /* a comparison is as long as a set of all CPUs */
    if (*work > HOST_SYNTHETIC_WORK) {
        trouble_set(trouble, NM_host_too_large,
                    "put a level between, such as pack or l3: \"pack:16 [numa] l3:8 core:8 pu:2\"",
                    "the synthetic description sets too many things side by side for its %u cpus", (uint32_t)scan.here);
        return false;
    }
    *cpus = (uint32_t)scan.here;
    return true;
}

uint64_t host_synthetic_work(const char *text)
{
    g_autoptr(GString) prepared = g_string_new(NULL);
    struct trouble trouble = { 0 };
    uint32_t cpus;
    uint64_t work;
    return synthetic_prepare(text, prepared, &cpus, &work, &trouble) ? work + WORK_OF_A_CHILD : 0;
}
