/* SPDX-License-Identifier: MIT
 *
 * Preloaded into virsh, makes it believe in a host with NUMAC_NODES NUMA nodes (at most 64), so that the machine the
 * tests run on need not have them.  It answers the few questions libvirt puts to libnuma, and nothing else.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

struct bitmask; /* of libnuma, whose header the tests do not want to need */

/* of libnuma, which libvirt loads; children of virsh may not */
extern struct bitmask *numa_nodes_ptr __attribute__((weak)), *numa_all_nodes_ptr __attribute__((weak));

int numa_available(void);
int numa_max_node(void);
int numa_bitmask_isbitset(const struct bitmask *mask, unsigned int bit);

static int node_count(void)
{
    const char *text = getenv("NUMAC_NODES");
    const int count = text != NULL ? atoi(text) : 1;
    return count < 1 ? 1 : count > 64 ? 64 : count;
}

int numa_available(void)
{
    return 0;
}

int numa_max_node(void)
{
    return node_count() - 1;
}

int numa_bitmask_isbitset(const struct bitmask *mask, unsigned int bit)
{
    if (&numa_nodes_ptr != NULL && (mask == numa_nodes_ptr || mask == numa_all_nodes_ptr))
        return bit < (unsigned int)node_count();
    int (*const next)(const struct bitmask *, unsigned int) =
        (int (*)(const struct bitmask *, unsigned int))dlsym(RTLD_NEXT, "numa_bitmask_isbitset");
    return next != NULL ? next(mask, bit) : 0;
}
