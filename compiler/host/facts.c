/* SPDX-License-Identifier: MIT
 *
 * Answers about a loaded host: which node, which CPU, which pool, how far.  All of them are searches in sorted arrays.
 */
#include "host/facts.h"

#include <string.h>

const struct host_node *host_node(const struct host *host, uint32_t os_index)
{
    uint32_t low = 0, high = host->node_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (host->nodes[middle].os_index < os_index)
            low = middle + 1;
        else
            high = middle;
    }
    return low < host->node_count && host->nodes[low].os_index == os_index ? &host->nodes[low] : NULL;
}

const struct host_cpu *host_cpu(const struct host *host, uint32_t os_index)
{
    /* where the numbers have no holes the CPU stands at its own number */
    if (os_index < host->cpu_count && host->cpus[os_index].os_index == os_index)
        return &host->cpus[os_index];
    uint32_t low = 0, high = host->cpu_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (host->cpus[middle].os_index < os_index)
            low = middle + 1;
        else
            high = middle;
    }
    return low < host->cpu_count && host->cpus[low].os_index == os_index ? &host->cpus[low] : NULL;
}

const struct page_pool *node_pool(const struct host_node *node, uint64_t page_bytes)
{
    for (uint32_t i = 0; i < node->pool_count; i++)
        if (node->pools[i].page_bytes == page_bytes)
            return &node->pools[i];
    return NULL;
}

uint32_t host_distance(const struct host *host, uint32_t from_index, uint32_t to_index)
{
    if (host->distances)
        return host->distances[(size_t)from_index * host->node_count + to_index];
    return from_index == to_index ? 10 : 20;
}

const char *node_kind_word(enum node_kind kind)
{
    static const char *const words[] = {
        [NODE_DRAM] = "dram", [NODE_HBM] = "hbm", [NODE_CXL] = "cxl", [NODE_NVM] = "nvm", [NODE_GPU] = "gpu",
    };
    return words[kind];
}

static int by_target(const void *key, const void *element)
{
    const uint32_t *pair = key;
    const struct host_access *access = element;
    if (pair[0] != access->target)
        return pair[0] < access->target ? -1 : 1;
    return pair[1] < access->initiator ? -1 : pair[1] > access->initiator;
}

const struct host_access *host_access(const struct host *host, uint32_t initiator, uint32_t target)
{
    uint32_t pair[2] = { target, initiator };
    if (!host->access_count)
        return NULL;
    return bsearch(pair, host->accesses, host->access_count, sizeof host->accesses[0], by_target);
}

/* DRAM wins over other kinds; then the node with the fewest CPUs, the nearest one; then the lower number. */
static bool is_better_home(const struct host_node *a, const struct host_node *b)
{
    if ((a->kind == NODE_DRAM) != (b->kind == NODE_DRAM))
        return a->kind == NODE_DRAM;
    /* a node that is known to hold no memory is no home where another one is */
    bool a_empty = a->memory_bytes.known && !a->memory_bytes.value;
    bool b_empty = b->memory_bytes.known && !b->memory_bytes.value;
    if (a_empty != b_empty)
        return b_empty;
    return ids_size(a->cpus) < ids_size(b->cpus);
}

void facts_link_nodes(struct host *host)
{
    uint32_t last = host->cpu_count ? host->cpus[host->cpu_count - 1].os_index : 0;
    g_autofree uint32_t *home = g_new(uint32_t, (size_t)last + 1);
    for (uint32_t cpu = 0; cpu <= last; cpu++)
        home[cpu] = NO_INDEX;
    for (uint32_t n = 0; n < host->node_count; n++)
        for (ids_each(host->nodes[n].cpus, cpu))
            if (cpu <= last && (home[cpu] == NO_INDEX || is_better_home(&host->nodes[n], &host->nodes[home[cpu]])))
                home[cpu] = n;
    for (uint32_t i = 0; i < host->cpu_count; i++)
        host->cpus[i].node_index = home[host->cpus[i].os_index];
}

/* The way to itself is 10 by definition, and a matrix of one row is seldom written. */
void facts_settle_distances(struct arena *arena, struct host *host)
{
    if (host->distances || host->node_count != 1)
        return;
    static const uint32_t own = 10;
    host->distances = arena_copy(arena, &own, sizeof own);
}

void trouble_set(struct trouble *trouble, enum code code, const char *help, const char *format, ...)
{
    if (trouble->code)
        return;
    trouble->code = code;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *whole = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    /* names come from outside and may be cut in the middle of a character */
    g_autofree char *sound = g_utf8_make_valid(whole, -1);
    g_strlcpy(trouble->message, sound, sizeof trouble->message);
    const char *end;
    if (!g_utf8_validate(trouble->message, -1, &end))
        trouble->message[end - trouble->message] = '\0';
    g_strlcpy(trouble->help, help ? help : "", sizeof trouble->help);
}

static bool take_id(const char **at, uint32_t *out)
{
    if (!g_ascii_isdigit(**at))
        return false;
    uint32_t number = 0;
    for (; g_ascii_isdigit(**at); (*at)++) {
        number = number * 10 + (uint32_t)(**at - '0');
        if (number > IDS_LIMIT)
            return false;
    }
    *out = number;
    return true;
}

const struct ids *ids_parse(struct arena *arena, const char *text)
{
    GArray *numbers = NULL;
    struct ids *ids = NULL;
    numbers = g_array_new(FALSE, FALSE, sizeof(struct range));
    const char *at = text;
    while (*at && *at != '\n') {
        struct range range;
        if (!take_id(&at, &range.first))
            goto wrong;
        range.last = range.first;
        if (*at == '-') {
            at++;
            if (!take_id(&at, &range.last) || range.last < range.first)
                goto wrong;
        }
        struct range *before = numbers->len ? &g_array_index(numbers, struct range, numbers->len - 1) : NULL;
        if (before && range.first <= before->last)
            goto wrong; /* the kernel and libvirt write rising lists */
        if (before && range.first == before->last + 1)
            before->last = range.last;
        else
            g_array_append_val(numbers, range);
        if (*at == ',' && at[1])
            at++;
        else if (*at && *at != '\n')
            goto wrong;
    }
    if (*at == '\n' && at[1])
        goto wrong;
    ids = arena_alloc(arena, sizeof *ids + numbers->len * sizeof(struct range));
    ids->count = numbers->len;
    for (uint32_t i = 0; i < numbers->len; i++)
        ids->range[i] = g_array_index(numbers, struct range, i);
wrong:
    g_array_free(numbers, TRUE);
    return ids;
}
