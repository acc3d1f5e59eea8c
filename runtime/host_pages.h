/* SPDX-License-Identifier: MIT
 *
 * Memory of the nodes of this machine, now: free memory, and the pools of huge pages, which can be made larger for a
 * guest and smaller again behind it.
 */
#pragma once

#include "state.h"

#include <sys/types.h>

bool node_free_bytes(uint32_t node, uint64_t *out);                 /* false: there is no such node */
bool node_memory_bytes(uint32_t node, uint64_t *out);               /* all of it; false: there is no such node */
bool node_of_cpu(uint32_t cpu, uint32_t *out);                      /* false: not known */
const struct ids *node_cpus(struct arena *arena, uint32_t node);    /* online; NULL: not known */
const struct ids *cpus_online(struct arena *arena);                 /* NULL: not known */
bool pages_free(uint32_t node, uint64_t page_bytes, uint64_t *out); /* false: the node has no such pool */
bool pages_total(uint32_t node, uint64_t page_bytes, uint64_t *out);
/* Adds to the pool; 0, or errno.  ENOMEM: the kernel found no more than *out_added, which stand in the pool. */
int pages_add(const struct reservation *wanted, uint64_t *out_added);
/* Whoever looks at a pool, and lets QEMU take pages of it, holds it: a descriptor; -1: errno, EWOULDBLOCK: somebody
 * else does. */
int pool_hold(uint32_t node, uint64_t page_bytes);
void pool_let_go(int pool);
void pages_give_back(const struct reservation *reservation);
