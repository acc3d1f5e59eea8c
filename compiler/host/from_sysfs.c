/* SPDX-License-Identifier: MIT
 *
 * What the kernel says of a machine and hwloc does not read: page pools with their free pages, free memory, isolated
 * and nohz_full CPUs, KSM, automatic NUMA balancing, transparent huge pages.  The same code reads the live machine
 * (root "/") and a recorded folder; in a recording a missing file is an unknown fact, on the live machine it is a
 * kernel without the feature.
 */
#include "base/architecture.h"
#include "host/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A fifo or device in a recording must not stop us. */
bool slurp(struct kernel *kernel, const char *path)
{
    char whole[4096];
    if ((size_t)snprintf(whole, sizeof whole, "%s%s", kernel->is_live ? "" : kernel->root, path) >= sizeof whole)
        return false;
    int fd = open(whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    struct stat about;
    size_t length = 0;
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
        ssize_t got;
        while (length < KERNEL_FILE_BYTES && (got = read(fd, kernel->text + length, KERNEL_FILE_BYTES - length)) != 0) {
            if (got < 0 && errno != EINTR)
                break;
            length += got > 0 ? (size_t)got : 0;
        }
    } else {
        errno = EINVAL;
        close(fd);
        return false;
    }
    close(fd);
    kernel->text[length] = '\0';
    return true;
}

struct known_size slurp_number(struct kernel *kernel, const char *path)
{
    struct known_size number = { 0 };
    if (!slurp(kernel, path) || !g_ascii_isdigit(kernel->text[0]))
        return number;
    char *end;
    errno = 0;
    number.value = strtoull(kernel->text, &end, 10);
    number.known = !errno && (*end == '\n' || *end == '\0');
    return number;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

/* "Node 0 MemTotal:   1234 kB" */
static struct known_size meminfo_row(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    if (!at || at == text || (at[-1] != ' ' && at[-1] != '\n'))
        return (struct known_size){ 0 };
    char *end;
    errno = 0;
    unsigned long long kib = strtoull(at + strlen(key), &end, 10);
    if (errno || end == at + strlen(key) || kib > UINT64_MAX / KIB)
        return (struct known_size){ 0 };
    return (struct known_size){ .known = true, .value = kib * KIB };
}

static int by_page_bytes(const void *a, const void *b)
{
    const struct page_pool *left = a, *right = b;
    return left->page_bytes < right->page_bytes ? -1 : left->page_bytes > right->page_bytes;
}

/* One folder "hugepages-2048kB" for each size of page.  Without nodes in sysfs, those of the whole machine. */
static void read_pools(struct kernel *kernel, struct host_node *node, const char *folder)
{
    g_autofree char *whole = g_strconcat(kernel->is_live ? "" : kernel->root, folder, NULL);
    GDir *sizes = g_dir_open(whole, 0, NULL);
    if (!sizes)
        return;
    struct page_pool pools[HOST_POOL_LIMIT] = { 0 };
    uint32_t count = 0;
    for (const char *name; (name = g_dir_read_name(sizes)) && count < HOST_POOL_LIMIT;) {
        unsigned long long kib;
        int length = 0;
        if (sscanf(name, "hugepages-%llukB%n", &kib, &length) != 1 || !length || name[length] || !kib ||
            kib > UINT64_MAX / KIB)
            continue;
        g_autofree char *total = g_strdup_printf("%s/%s/nr_hugepages", folder, name);
        g_autofree char *unused = g_strdup_printf("%s/%s/free_hugepages", folder, name);
        pools[count] = (struct page_pool){ .page_bytes = kib * KIB };
        pools[count].total = slurp_number(kernel, total);
        pools[count].free = slurp_number(kernel, unused);
        count++;
    }
    g_dir_close(sizes);
    qsort(pools, count, sizeof pools[0], by_page_bytes);
    node->pools = arena_copy(kernel->arena, pools, count * sizeof pools[0]);
    node->pool_count = count;
    node->pools_known = true;
}

static void read_node(struct kernel *kernel, struct host_node *node)
{
    g_autofree char *folder = g_strdup_printf("/sys/devices/system/node/node%u", node->os_index);
    g_autofree char *meminfo = g_strconcat(folder, "/meminfo", NULL);
    g_autofree char *pools = g_strconcat(folder, "/hugepages", NULL);
    g_autofree char *cpumap = g_strconcat(folder, "/cpumap", NULL);
    bool has_folder = slurp(kernel, meminfo);
    bool is_whole_machine = !has_folder && kernel->host->node_count == 1 && slurp(kernel, "/proc/meminfo");
    if (has_folder || is_whole_machine) {
        struct known_size total = meminfo_row(kernel->text, "MemTotal:");
        if (total.known)
            node->memory_bytes = total;
        node->free_bytes = meminfo_row(kernel->text, "MemFree:");
    }
    read_pools(kernel, node, is_whole_machine ? "/sys/kernel/mm/hugepages" : pools);
    /* hwloc gives a memory-only node the CPUs next to it; the kernel says that it has none */
    if (slurp(kernel, cpumap) && !kernel->text[strspn(kernel->text, "0,\n")])
        node->cpus = &ids_none;
}

/* hwloc reads sets as bitmaps and silently leaves out what has none; some recordings keep only the lists. */
bool kernel_sets_are_there(const char *root, struct trouble *trouble)
{
    static const struct {
        const char *folder, *prefix, *list, *bitmap;
    } wanted[] = {
        { .folder = "node", .prefix = "node", .list = "cpulist", .bitmap = "cpumap" },
        { .folder = "cpu",
          .prefix = "cpu",
          .list = "topology/thread_siblings_list",
          .bitmap = "topology/thread_siblings" },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_autofree char *folder = g_strdup_printf("%s/sys/devices/system/%s", root, wanted[i].folder);
        GDir *rows = g_dir_open(folder, 0, NULL);
        for (const char *name; rows && !trouble->code && (name = g_dir_read_name(rows));) {
            if (!g_str_has_prefix(name, wanted[i].prefix) || !g_ascii_isdigit(name[strlen(wanted[i].prefix)]))
                continue;
            g_autofree char *list = g_strdup_printf("%s/%s/%s", folder, name, wanted[i].list);
            g_autofree char *bitmap = g_strdup_printf("%s/%s/%s", folder, name, wanted[i].bitmap);
            if (access(list, F_OK) == 0 && access(bitmap, F_OK) != 0)
                trouble_set(trouble, NM_host_folder, "record it again with hwloc-gather-topology",
                            "the folder '%s' has %s/%s but not %s, which hwloc reads", root, name, wanted[i].list,
                            wanted[i].bitmap);
        }
        if (rows)
            g_dir_close(rows);
    }
    return !trouble->code;
}

/* ---- the whole machine ------------------------------------------------------------------------------------------ */

/* A set the kernel was started with.  Older kernels write "(null)" for none; a live kernel without the file was not
 * built for it. */
static bool read_set(struct kernel *kernel, const char *path, const struct ids **out)
{
    *out = &ids_none;
    if (!slurp(kernel, path))
        return kernel->is_live && errno == ENOENT;
    g_strstrip(kernel->text);
    if (strcmp(kernel->text, "(null)") == 0)
        return true;
    const struct ids *ids = ids_parse(kernel->arena, kernel->text);
    if (ids)
        *out = ids;
    return ids != NULL;
}

static enum known_state read_switch(struct kernel *kernel, const char *path, uint64_t yes_from, uint64_t yes_to)
{
    errno = 0;
    struct known_size number = slurp_number(kernel, path);
    if (!number.known)
        return kernel->is_live && errno == ENOENT ? STATE_NO : STATE_UNKNOWN;
    return number.value >= yes_from && number.value <= yes_to ? STATE_YES : STATE_NO;
}

/* "always [madvise] never" */
static const char *read_choice(struct kernel *kernel, const char *path)
{
    if (!slurp(kernel, path))
        return kernel->is_live && errno == ENOENT ? "never" : NULL;
    const char *begin = strchr(kernel->text, '['), *end = begin ? strchr(begin, ']') : NULL;
    return end && end > begin + 1 ? arena_string(kernel->arena, begin + 1, (size_t)(end - begin - 1)) : NULL;
}

void read_kernel_facts(struct arena *arena, const char *root, struct host *host)
{
    g_autofree struct kernel *kernel = g_new(struct kernel, 1);
    kernel->arena = arena;
    kernel->host = host;
    kernel->root = root;
    kernel->is_live = strcmp(root, "/") == 0;
    for (uint32_t i = 0; i < host->node_count; i++)
        read_node(kernel, &host->nodes[i]);
    host->isolated_known = read_set(kernel, "/sys/devices/system/cpu/isolated", &host->isolated);
    host->nohz_full_known = read_set(kernel, "/sys/devices/system/cpu/nohz_full", &host->nohz_full);
    host->ksm = read_switch(kernel, "/sys/kernel/mm/ksm/run", 1, 1); /* 2 stops it and takes pages apart */
    host->ksm_merge_across_nodes = read_switch(kernel, "/sys/kernel/mm/ksm/merge_across_nodes", 1, UINT64_MAX);
    host->balancing = read_switch(kernel, "/proc/sys/kernel/numa_balancing", 1, UINT64_MAX);
    host->transparent_pages = read_choice(kernel, "/sys/kernel/mm/transparent_hugepage/enabled");
    read_resctrl(kernel);
}

/* ---- programs --------------------------------------------------------------------------------------------------- */

bool version_parse(const char *text, struct version *version)
{
    while (*text && !g_ascii_isdigit(*text))
        text++;
    unsigned parts[3] = { 0 };
    int count = sscanf(text, "%5u.%5u.%5u", &parts[0], &parts[1], &parts[2]);
    if (count < 1 || parts[0] > UINT16_MAX || parts[1] > UINT16_MAX || parts[2] > UINT16_MAX)
        return false;
    *version = (struct version){
        .known = true, .major = (uint16_t)parts[0], .minor = (uint16_t)parts[1], .micro = (uint16_t)parts[2]
    };
    return true;
}

static void ask_version(struct host *host, enum host_program program, const char *command)
{
    char *arguments[] = { g_strdup(command), g_strdup("--version"), NULL };
    g_autofree char *said = NULL;
    int status = 0;
    bool has_run = g_spawn_sync(NULL, arguments, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                                &said, NULL, &status, NULL);
    if (has_run && status == 0 && said)
        version_parse(said, &host->versions[program]);
    g_free(arguments[0]);
    g_free(arguments[1]);
}

void read_program_versions(struct host *host)
{
    const char *own = host->architecture ? host->architecture : "x86_64", *known = architecture_of_host(own)->name;
    g_autofree char *qemu = g_strdup_printf("qemu-system-%s", *known ? known : own);
    ask_version(host, PROGRAM_QEMU, qemu);
    ask_version(host, PROGRAM_LIBVIRT, "virsh");
    if (!host->versions[PROGRAM_LIBVIRT].known)
        ask_version(host, PROGRAM_LIBVIRT, "libvirtd");
    ask_version(host, PROGRAM_LIBNUMA, "numactl"); /* built from one source */
}
