/* SPDX-License-Identifier: MIT
 *
 * Reads and writes /sys/devices/system/node/nodeN.
 */
#include "host_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { PATIENCE_MILLISECONDS = 60000, LOOK_MILLISECONDS = 20 };

static char *pool_file(uint32_t node, uint64_t page_bytes, const char *file)
{
    return g_strdup_printf("/sys/devices/system/node/node%u/hugepages/hugepages-%" G_GUINT64_FORMAT "kB/%s", node,
                           page_bytes / KIB, file);
}

static bool read_number(const char *path, uint64_t *out)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    *out = strtoull(text, NULL, 10);
    return true;
}

static int write_number(const char *path, uint64_t number)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT "\n", number);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return errno;
    int trouble = write(file, text, strlen(text)) < 0 ? errno : 0;
    close(file);
    return trouble;
}

bool node_memory_bytes(uint32_t node, uint64_t *out)
{
    g_autofree char *path = g_strdup_printf("/sys/devices/system/node/node%u/meminfo", node), *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    const char *at = strstr(text, "MemTotal:");
    *out = at ? strtoull(at + strlen("MemTotal:"), NULL, 10) * KIB : 0;
    return true;
}

bool node_free_bytes(uint32_t node, uint64_t *out)
{
    g_autofree char *path = g_strdup_printf("/sys/devices/system/node/node%u/meminfo", node), *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    /* what the page cache holds goes when a guest needs it */
    static const char *const keys[] = { "MemFree:", "Inactive(file):", "Active(file):" };
    *out = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        const char *at = strstr(text, keys[i]);
        *out += at ? strtoull(at + strlen(keys[i]), NULL, 10) * KIB : 0;
    }
    return true;
}

static const struct ids *read_set(struct arena *arena, const char *path)
{
    g_autofree char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? ids_of_text(arena, g_strchomp(text)) : NULL;
}

const struct ids *cpus_online(struct arena *arena)
{
    return read_set(arena, "/sys/devices/system/cpu/online");
}

const struct ids *node_cpus(struct arena *arena, uint32_t node)
{
    g_autofree char *path = g_strdup_printf("/sys/devices/system/node/node%u/cpulist", node);
    return read_set(arena, path);
}

bool pages_free(uint32_t node, uint64_t page_bytes, uint64_t *out)
{
    g_autofree char *free_file = pool_file(node, page_bytes, "free_hugepages");
    return read_number(free_file, out);
}

int pages_add(const struct reservation *wanted, uint64_t *out_added)
{
    g_autofree char *path = pool_file(wanted->node, wanted->page_bytes, "nr_hugepages");
    uint64_t after = 0;
    *out_added = 0;
    int trouble = write_number(path, wanted->before + wanted->count);
    if (trouble)
        return trouble;
    if (!read_number(path, &after))
        return EIO;
    *out_added = after > wanted->before ? after - wanted->before : 0;
    return *out_added < wanted->count ? ENOMEM : 0;
}

int pool_hold(uint32_t node, uint64_t page_bytes)
{
    g_autofree char *path = pool_file(node, page_bytes, "nr_hugepages");
    int pool = open(path, O_RDONLY | O_CLOEXEC);
    if (pool < 0 || flock(pool, LOCK_EX | LOCK_NB) == 0)
        return pool;
    int trouble = errno;
    close(pool);
    errno = trouble;
    return -1;
}

/* A child may have it open, too, and must not hold on to it. */
void pool_let_go(int pool)
{
    flock(pool, LOCK_UN);
    close(pool);
}

/* Somebody else may count on the pages that the guest has just left. */
static int hold_in_time(const struct reservation *reservation)
{
    int pool = pool_hold(reservation->node, reservation->page_bytes);
    for (int waited = 0; pool < 0 && errno == EWOULDBLOCK && waited < PATIENCE_MILLISECONDS;
         waited += LOOK_MILLISECONDS) {
        g_usleep(LOOK_MILLISECONDS * 1000);
        pool = pool_hold(reservation->node, reservation->page_bytes);
    }
    return pool;
}

void pages_give_back(const struct reservation *reservation)
{
    g_autofree char *path = pool_file(reservation->node, reservation->page_bytes, "nr_hugepages");
    int pool = hold_in_time(reservation);
    uint64_t now = 0;
    /* announced and perhaps not made: then never below what was there before */
    uint64_t least = reservation->is_made ? 0 : reservation->before;
    if (read_number(path, &now) && now > least) {
        uint64_t less = now > reservation->count ? now - reservation->count : 0;
        write_number(path, MAX(less, least));
    }
    if (pool >= 0)
        pool_let_go(pool);
}

bool pages_total(uint32_t node, uint64_t page_bytes, uint64_t *out)
{
    g_autofree char *path = pool_file(node, page_bytes, "nr_hugepages");
    return read_number(path, out);
}

bool node_of_cpu(uint32_t cpu, uint32_t *out)
{
    g_autofree char *path = g_strdup_printf("/sys/devices/system/cpu/cpu%u", cpu);
    GDir *folder = g_dir_open(path, 0, NULL);
    bool found = false;
    for (const char *name; folder && !found && (name = g_dir_read_name(folder));) {
        found = g_str_has_prefix(name, "node") && g_ascii_isdigit(name[strlen("node")]);
        if (found)
            *out = (uint32_t)strtoul(name + strlen("node"), NULL, 10);
    }
    if (folder)
        g_dir_close(folder);
    return found;
}
