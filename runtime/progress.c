/* SPDX-License-Identifier: MIT
 *
 * A line on a terminal while QEMU fills a large memory; nothing elsewhere.
 */
#include "agent.h"

#include <stdio.h>
#include <unistd.h>

void progress_memory(struct agent *agent, const struct plan_guest *guest, uint64_t bytes)
{
    if (agent->bundle->format != FINDINGS_HUMAN || !isatty(STDERR_FILENO) || guest->memory_bytes < GIB)
        return;
    uint64_t percent = MIN(bytes, guest->memory_bytes) * 100 / guest->memory_bytes;
    fprintf(stderr, "\r%s: memory %3" G_GUINT64_FORMAT " %%\033[K", guest->name, percent);
    agent->has_progress = true;
}

void progress_done(struct agent *agent)
{
    if (agent->has_progress)
        fputs("\r\033[K", stderr);
    agent->has_progress = false;
}
