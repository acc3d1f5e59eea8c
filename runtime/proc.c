/* SPDX-License-Identifier: MIT
 *
 * Reads /proc/PID: stat, status, maps, numa_maps.
 */
#include "proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Files of /proc have no length; their text grows while it is read. */
static char *read_text(const char *path)
{
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

static char *read_of(pid_t pid, pid_t task, const char *file)
{
    g_autofree char *path =
        task ? g_strdup_printf("/proc/%d/task/%d/%s", pid, task, file) : g_strdup_printf("/proc/%d/%s", pid, file);
    return read_text(path);
}

/* What stands behind "Key:\t" in a status file; NULL: no such line. */
static const char *field(const char *status, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = status; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (strncmp(line, key, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " \t");
    return NULL;
}

/* "0-3,8" up to the end of the line. */
static const struct ids *list_of(struct arena *arena, const char *text)
{
    g_autofree char *line = g_strndup(text, strcspn(text, "\n"));
    const struct ids *ids = ids_of_text(arena, line);
    return ids ? ids : &ids_none;
}

/* The number-th field of a stat file, counted as proc(5) does; the name before may hold anything. */
static uint64_t stat_field(const char *stat, unsigned number)
{
    const char *at = strrchr(stat, ')');
    for (unsigned field = 2; at && field < number; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* ---- threads ---------------------------------------------------------------------------------------------------- */

static bool read_task(struct arena *arena, pid_t pid, pid_t id, struct task *out)
{
    g_autofree char *status = read_of(pid, id, "status"), *stat = read_of(pid, id, "stat");
    const char *name = status ? field(status, "Name") : NULL,
               *cpus = status ? field(status, "Cpus_allowed_list") : NULL;
    if (!stat || !name || !cpus)
        return false;
    *out = (struct task){
        .id = id,
        .name = arena_string(arena, name, strcspn(name, "\n")),
        .cpus = list_of(arena, cpus),
        .last_cpu = (uint32_t)stat_field(stat, 39),
        .real_time_priority = (int)stat_field(stat, 40),
        .policy = (int)stat_field(stat, 41),
    };
    return true;
}

static int by_id(const void *a, const void *b)
{
    const struct task *one = a, *other = b;
    return (one->id > other->id) - (one->id < other->id);
}

bool proc_tasks(struct arena *arena, pid_t pid, const struct task **out_tasks, uint32_t *out_count)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task", pid);
    DIR *folder = opendir(path);
    if (!folder)
        return false;
    g_autoptr(GArray) tasks = g_array_new(FALSE, FALSE, sizeof(struct task));
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct task task;
        pid_t id = (pid_t)strtol(entry->d_name, NULL, 10);
        if (id > 0 && read_task(arena, pid, id, &task))
            g_array_append_val(tasks, task);
    }
    closedir(folder);
    g_array_sort(tasks, by_id);
    *out_count = tasks->len;
    *out_tasks = arena_copy(arena, tasks->data, tasks->len * sizeof(struct task));
    return tasks->len > 0;
}

char *proc_words(pid_t pid, size_t *out_length)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/cmdline", pid);
    char *words = NULL;
    *out_length = 0;
    return g_file_get_contents(path, &words, out_length, NULL) ? words : NULL;
}

bool task_is_vhost(const struct task *task)
{
    return g_str_has_prefix(task->name, "vhost-");
}

/* A thread of the kernel's own; anybody else may give itself any name. */
static bool is_of_kernel(pid_t pid)
{
    enum { STAT_FLAGS = 9, FLAG_KERNEL = 0x00200000 };
    g_autofree char *stat = read_of(pid, 0, "stat");
    return stat && stat_field(stat, STAT_FLAGS) & FLAG_KERNEL;
}

/* "vhost-PID", behind which later kernels number them. */
static void add_kernel_workers(struct arena *arena, pid_t pid, GArray *tasks)
{
    g_autofree char *wanted = g_strdup_printf("vhost-%d", pid);
    GDir *folder = g_dir_open("/proc", 0, NULL);
    for (const char *name; folder && (name = g_dir_read_name(folder));) {
        struct task task;
        pid_t id = (pid_t)strtol(name, NULL, 10);
        g_autofree char *word = id > 0 ? read_of(id, 0, "comm") : NULL;
        if (word && strcmp(g_strchomp(word), wanted) == 0 && is_of_kernel(id) && read_task(arena, id, id, &task))
            g_array_append_val(tasks, task);
    }
    if (folder)
        g_dir_close(folder);
}

void proc_vhost_workers(struct arena *arena, pid_t pid, const struct task **out_tasks, uint32_t *out_count)
{
    g_autoptr(GArray) workers = g_array_new(FALSE, FALSE, sizeof(struct task));
    const struct task *tasks;
    uint32_t count = 0;
    proc_tasks(arena, pid, &tasks, &count);
    for (uint32_t i = 0; i < count; i++)
        if (task_is_vhost(&tasks[i]))
            g_array_append_val(workers, tasks[i]);
    if (!workers->len)
        add_kernel_workers(arena, pid, workers);
    g_array_sort(workers, by_id);
    *out_count = workers->len;
    *out_tasks = arena_copy(arena, workers->data, workers->len * sizeof(struct task));
}

pid_t proc_process_of(pid_t task)
{
    g_autofree char *status = read_of(task, 0, "status");
    const char *group = status ? field(status, "Tgid") : NULL;
    return group ? (pid_t)strtol(group, NULL, 10) : 0;
}

uint64_t proc_start_ticks(pid_t pid)
{
    g_autofree char *stat = read_of(pid, 0, "stat");
    const char *state = stat ? strrchr(stat, ')') : NULL;
    if (!state || state[1] != ' ' || state[2] == 'Z' || state[2] == 'X') /* dead, and not yet waited for */
        return 0;
    return stat_field(stat, 22);
}

uint64_t ticks_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    uint64_t rate = (uint64_t)sysconf(_SC_CLK_TCK);
    return (uint64_t)now.tv_sec * rate + (uint64_t)now.tv_nsec * rate / 1000000000;
}

uint64_t proc_resident_bytes(pid_t pid)
{
    g_autofree char *status = read_of(pid, 0, "status");
    uint64_t sum = 0;
    static const char *const keys[] = { "VmRSS", "HugetlbPages" };
    for (size_t i = 0; status && i < G_N_ELEMENTS(keys); i++) {
        const char *value = field(status, keys[i]);
        sum += value ? strtoull(value, NULL, 10) * KIB : 0;
    }
    return sum;
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

/* The word behind this one on its line; NULL: it is the last. */
static const char *next_word(const char *word)
{
    word += strcspn(word, " \n");
    return *word == ' ' ? word + 1 : NULL;
}

/* "N0=12" */
static bool read_node(const char *word, uint32_t *out_node, uint64_t *out_pages)
{
    char *end;
    if (word[0] != 'N' || !g_ascii_isdigit(word[1]))
        return false;
    uint64_t node = strtoull(word + 1, &end, 10);
    if (*end != '=' || node >= IDS_LIMIT)
        return false;
    *out_node = (uint32_t)node;
    *out_pages = strtoull(end + 1, NULL, 10);
    return true;
}

/* "7f00 bind:0 anon=12 N0=12 kernelpagesize_kB=4" */
static void read_pages(struct arena *arena, const char *line, struct memory_area *area)
{
    static const char size[] = "kernelpagesize_kB=";
    const char *policy = next_word(line);
    uint32_t node;
    uint64_t pages;
    if (!policy)
        return;
    area->policy = arena_string(arena, policy, strcspn(policy, " \n"));
    for (const char *word = policy; (word = next_word(word));) {
        if (read_node(word, &node, &pages))
            area->node_count = MAX(area->node_count, node + 1);
        else if (strncmp(word, size, sizeof size - 1) == 0)
            area->page_bytes = strtoull(word + sizeof size - 1, NULL, 10) * KIB;
    }
    area->pages = arena_array(arena, uint64_t, area->node_count + 1);
    for (const char *word = policy; (word = next_word(word));)
        if (read_node(word, &node, &pages))
            area->pages[node] = pages;
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return *line ? line + 1 : line;
}

/* "7f00-7f80 rw-p 00000000 00:01 1234 /memfd" */
static bool read_area(const char *line, struct memory_area *out)
{
    char *dash, *rights;
    *out = (struct memory_area){ .begin = strtoull(line, &dash, 16),
                                 .policy = "default",
                                 .page_bytes = (uint64_t)getpagesize() };
    if (*dash != '-')
        return false;
    out->end = strtoull(dash + 1, &rights, 16);
    out->is_writable = g_str_has_prefix(rights, " rw");
    return true;
}

/* numa_maps begins each line with an address and tells no end; maps has both.  Both rise. */
bool proc_memory(struct arena *arena, pid_t pid, struct memory *out)
{
    g_autofree char *maps = read_of(pid, 0, "maps"), *numa = read_of(pid, 0, "numa_maps");
    *out = (struct memory){ 0 };
    if (!maps || !numa)
        return false;
    g_autoptr(GArray) areas = g_array_new(FALSE, FALSE, sizeof(struct memory_area));
    const char *told = numa;
    for (const char *line = maps; *line; line = next_line(line)) {
        struct memory_area area;
        if (!read_area(line, &area))
            continue;
        while (*told && strtoull(told, NULL, 16) < area.begin)
            told = next_line(told);
        if (*told && strtoull(told, NULL, 16) == area.begin)
            read_pages(arena, told, &area);
        g_array_append_val(areas, area);
    }
    *out = (struct memory){ arena_copy(arena, areas->data, areas->len * sizeof(struct memory_area)), areas->len };
    return areas->len > 0;
}

struct memory memory_within(const struct memory *all, uint64_t begin, uint64_t end)
{
    uint32_t first = 0, last;
    if (!begin || !all->count)
        return (struct memory){ 0 };
    while (first < all->count && all->areas[first].end <= begin)
        first++;
    for (last = first; last < all->count && all->areas[last].begin < end;)
        last++;
    return (struct memory){ all->areas + first, last - first };
}
