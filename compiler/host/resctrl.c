/* SPDX-License-Identifier: MIT
 *
 * What the kernel's resctrl offers: of which caches guests can have a part, in which steps, and of which memory
 * bandwidth.  Its numbers of caches are those of sysfs, so the caches are read there too; hwloc does not keep them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/kernel.h"

enum { MOST_INDEXES = 10, MOST_BITS = 64 }; /* caches of one CPU; bits of a mask */

struct bank {
    uint32_t level, id;
    uint64_t bytes;
    const struct ids *cpus;
};

/* ---- caches, with their numbers --------------------------------------------------------------------------------- */

static uint32_t number_below(struct kernel *kernel, const char *folder, const char *file)
{
    g_autofree char *path = g_strconcat(folder, file, NULL);
    struct known_size number = slurp_number(kernel, path);
    return number.known && number.value < NO_INDEX ? (uint32_t)number.value : NO_INDEX;
}

/* "30720K" */
static uint64_t cache_bytes(struct kernel *kernel, const char *folder)
{
    g_autofree char *path = g_strconcat(folder, "/size", NULL);
    if (!slurp(kernel, path) || !g_ascii_isdigit(kernel->text[0]))
        return 0;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(kernel->text, &end, 10);
    uint64_t unit = *end == 'K' ? KIB : *end == 'M' ? MIB : *end == 'G' ? GIB : 0;
    return errno || !unit || number > UINT64_MAX / unit ? 0 : number * unit;
}

static bool is_known_bank(const GArray *banks, uint32_t level, uint32_t id)
{
    for (guint i = 0; i < banks->len; i++) {
        const struct bank *bank = &g_array_index(banks, struct bank, i);
        if (bank->level == level && bank->id == id)
            return true;
    }
    return false;
}

static void read_bank(struct kernel *kernel, GArray *banks, uint32_t cpu, unsigned index)
{
    g_autofree char *folder = g_strdup_printf("/sys/devices/system/cpu/cpu%u/cache/index%u", cpu, index);
    g_autofree char *cpus = g_strconcat(folder, "/shared_cpu_list", NULL), *type = g_strconcat(folder, "/type", NULL);
    struct bank bank = { .level = number_below(kernel, folder, "/level"), .id = number_below(kernel, folder, "/id") };
    if ((bank.level != 2 && bank.level != 3) || bank.id == NO_INDEX || banks->len == HOST_CONTROL_LIMIT ||
        is_known_bank(banks, bank.level, bank.id) || !slurp(kernel, type) ||
        g_str_has_prefix(kernel->text, "Instruction"))
        return;
    bank.bytes = cache_bytes(kernel, folder);
    if (!bank.bytes || !slurp(kernel, cpus))
        return;
    g_strstrip(kernel->text);
    bank.cpus = ids_parse(kernel->arena, kernel->text);
    if (bank.cpus)
        g_array_append_val(banks, bank);
}

static int by_level_and_id(const void *a, const void *b)
{
    const struct bank *left = a, *right = b;
    if (left->level != right->level)
        return left->level < right->level ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

/* CPUs whose caches were met at another CPU are passed over, or a large host would cost many thousand files. */
static GArray *read_banks(struct kernel *kernel)
{
    GArray *banks = g_array_new(FALSE, TRUE, sizeof(struct bank));
    for (ids_each(kernel->host->online, cpu)) {
        unsigned met = 0;
        for (guint i = 0; i < banks->len; i++)
            met |= ids_contains(g_array_index(banks, struct bank, i).cpus, cpu)
                       ? 1u << g_array_index(banks, struct bank, i).level
                       : 0;
        for (unsigned index = 0; met != (1u << 2 | 1u << 3) && index < MOST_INDEXES; index++)
            read_bank(kernel, banks, cpu, index);
    }
    g_array_sort(banks, by_level_and_id);
    return banks;
}

/* ---- controls --------------------------------------------------------------------------------------------------- */

static unsigned bits_of(const char *text)
{
    char *end;
    errno = 0;
    uint64_t mask = strtoull(text, &end, 16);
    return errno || (*end && *end != '\n') ? 0 : (unsigned)__builtin_popcountll(mask);
}

static void add_controls(struct kernel *kernel, const GArray *banks, GArray *controls, uint32_t level, const char *name,
                         char type)
{
    g_autofree char *folder = g_strdup_printf("/sys/fs/resctrl/info/%s", name);
    g_autofree char *mask = g_strconcat(folder, "/cbm_mask", NULL);
    unsigned bits = slurp(kernel, mask) ? bits_of(kernel->text) : 0;
    uint32_t least = number_below(kernel, folder, "/min_cbm_bits"),
             groups = number_below(kernel, folder, "/num_closids");
    if (!bits || bits > MOST_BITS || least == NO_INDEX || least > bits || groups == NO_INDEX)
        return;
    for (guint i = 0; i < banks->len; i++) {
        const struct bank *bank = &g_array_index(banks, struct bank, i);
        if (bank->level != level || bank->bytes < bits)
            continue;
        struct cache_control control = { .level = level,
                                         .cache = bank->id,
                                         .type = type,
                                         .bytes = bank->bytes,
                                         .granule_bytes = bank->bytes / bits,
                                         .least_bytes = bank->bytes / bits * least,
                                         .most_groups = groups,
                                         .cpus = bank->cpus };
        g_array_append_val(controls, control);
    }
}

static void add_bandwidths(struct kernel *kernel, const GArray *banks, GArray *controls)
{
    static const char folder[] = "/sys/fs/resctrl/info/MB";
    uint32_t granule = number_below(kernel, folder, "/bandwidth_gran"),
             least = number_below(kernel, folder, "/min_bandwidth"),
             groups = number_below(kernel, folder, "/num_closids");
    if (granule == NO_INDEX || !granule || least == NO_INDEX || groups == NO_INDEX)
        return;
    for (guint i = 0; i < banks->len; i++) {
        const struct bank *bank = &g_array_index(banks, struct bank, i);
        struct bandwidth_control control = {
            .node = bank->id, .granule = granule, .least = least, .most_groups = groups, .cpus = bank->cpus
        };
        if (bank->level == 3)
            g_array_append_val(controls, control);
    }
}

static bool is_mounted(const struct kernel *kernel)
{
    g_autofree char *folder = g_strconcat(kernel->is_live ? "" : kernel->root, "/sys/fs/resctrl/info", NULL);
    return access(folder, R_OK | X_OK) == 0;
}

void read_resctrl(struct kernel *kernel)
{
    static const struct {
        uint32_t level;
        const char *name;
        char type;
    } kinds[] = { { 2, "L2", 'u' }, { 2, "L2CODE", 'i' }, { 2, "L2DATA", 'd' },
                  { 3, "L3", 'u' }, { 3, "L3CODE", 'i' }, { 3, "L3DATA", 'd' } };
    struct host *host = kernel->host;
    host->resctrl_known = kernel->is_live; /* not mounted: nobody can use it */
    if (!is_mounted(kernel))
        return;
    g_autoptr(GArray) banks = read_banks(kernel), caches = g_array_new(FALSE, TRUE, sizeof(struct cache_control)),
                      bandwidths = g_array_new(FALSE, TRUE, sizeof(struct bandwidth_control));
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        add_controls(kernel, banks, caches, kinds[i].level, kinds[i].name, kinds[i].type);
    add_bandwidths(kernel, banks, bandwidths);
    host->cache_control_count = MIN(caches->len, HOST_CONTROL_LIMIT);
    host->cache_controls =
        arena_copy(kernel->arena, caches->data, host->cache_control_count * sizeof(struct cache_control));
    host->bandwidth_control_count = MIN(bandwidths->len, HOST_CONTROL_LIMIT);
    host->bandwidth_controls =
        arena_copy(kernel->arena, bandwidths->data, host->bandwidth_control_count * sizeof(struct bandwidth_control));
    bool has_features = slurp(kernel, "/sys/fs/resctrl/info/L3_MON/mon_features");
    host->watches_cache = has_features && strstr(kernel->text, "llc_occupancy") ? STATE_YES : STATE_NO;
    host->watches_bandwidth = has_features && strstr(kernel->text, "mbm_") ? STATE_YES : STATE_NO;
    host->resctrl_known = true;
}
