/* SPDX-License-Identifier: MIT
 *
 * Makes the folder of a cgroup, and finds out whether QEMU is held by it.
 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <hwloc/bitmap.h>

#include "affinity.h"
#include "host_pages.h"

#define ROOT "/sys/fs/cgroup"
#define ALL_GUESTS ROOT "/numac"
enum { TROUBLE_BYTES = 4096, MOST_TRIES = 20, END_MILLISECONDS = 5000, LOOK_MILLISECONDS = 10 };

/* ---- what the plan says ----------------------------------------------------------------------------------------- */

static const struct ids *cpus_held_to(struct arena *arena, const struct plan_guest *guest)
{
    const struct ids *pinned = guest->emulator_cpus ? cpus_of_guest(arena, guest) : NULL;
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        pinned = guest->iothreads[i].cpus ? pinned : NULL;
    if (!pinned)
        return NULL;
    hwloc_bitmap_t cpus = ids_to_bitmap(pinned);
    if (guest->vhost_cpus)
        ids_add_to_bitmap(guest->vhost_cpus, cpus);
    pinned = ids_from_bitmap(arena, cpus);
    hwloc_bitmap_free(cpus);
    return pinned;
}

/* Preferred memory may lie elsewhere. */
static bool add_nodes(const struct plan_cell *cell, hwloc_bitmap_t nodes)
{
    if (!cell->memory_bytes)
        return true;
    if (!cell->nodes || cell->policy == POLICY_PREFERRED)
        return false;
    ids_add_to_bitmap(cell->nodes, nodes);
    return true;
}

static const struct ids *nodes_held_to(struct arena *arena, const struct plan_guest *guest)
{
    hwloc_bitmap_t nodes = hwloc_bitmap_alloc();
    bool is_held = true;
    for (uint32_t c = 0; c < guest->cell_count; c++)
        is_held &= add_nodes(&guest->cells[c], nodes);
    for (uint32_t d = 0; d < guest->memory_device_count; d++)
        is_held &= add_nodes(&guest->memory_devices[d].memory, nodes);
    const struct ids *held = is_held && !hwloc_bitmap_iszero(nodes) ? ids_from_bitmap(arena, nodes) : NULL;
    hwloc_bitmap_free(nodes);
    return held;
}

struct cgroup_limits cgroup_limits(struct arena *arena, const struct plan_guest *guest)
{
    return (struct cgroup_limits){ cpus_held_to(arena, guest), nodes_held_to(arena, guest) };
}

/* Threads that fill memory run near it for a while, by the CPUs that its nodes have here. */
static const struct ids *with_contexts(struct arena *arena, const struct plan_guest *guest, const struct ids *cpus)
{
    if (!cpus)
        return NULL;
    hwloc_bitmap_t all = ids_to_bitmap(cpus);
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct ids *nodes = guest->cells[c].context_nodes ? guest->cells[c].context_nodes : &ids_none;
        for (ids_each(nodes, node)) {
            const struct ids *near = node_cpus(arena, node);
            if (near)
                ids_add_to_bitmap(near, all);
        }
    }
    const struct ids *with = ids_from_bitmap(arena, all);
    hwloc_bitmap_free(all);
    return with;
}

static bool fits(const struct ids *planned, const struct ids *real)
{
    return !planned || (real && ids_equal(planned, real));
}

bool cgroup_fits(const struct cgroup_limits *planned, const struct cgroup_limits *real)
{
    return fits(planned->cpus, real->cpus) && fits(planned->nodes, real->nodes);
}

const char *cgroup_limits_text(struct arena *arena, const struct cgroup_limits *limits)
{
    const char *cpus = limits->cpus ? arena_printf(arena, "cpus %s", ids_text(arena, limits->cpus)) : NULL;
    const char *nodes = limits->nodes ? arena_printf(arena, "nodes %s", ids_text(arena, limits->nodes)) : NULL;
    return cpus && nodes ? arena_printf(arena, "%s, %s", cpus, nodes) : cpus ? cpus : nodes ? nodes : "nothing";
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static int write_file(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return errno;
    int trouble = write(file, text, strlen(text)) < 0 ? errno : 0;
    close(file);
    return trouble;
}

static int write_set(const char *folder, const char *name, const struct ids *ids)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (!ids)
        return 0;
    ids_append(text, ids);
    return write_file(folder, name, text->str);
}

static const struct ids *read_set(struct arena *arena, const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL), *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? ids_of_text(arena, g_strchomp(text)) : NULL;
}

struct cgroup_limits cgroup_read(struct arena *arena, const char *path)
{
    return (struct cgroup_limits){ read_set(arena, path, "cpuset.cpus.effective"),
                                   read_set(arena, path, "cpuset.mems.effective") };
}

static int write_limits(const char *path, const struct cgroup_limits *limits, const char **out_what)
{
    int trouble = write_set(path, *out_what = "cpuset.cpus", limits->cpus);
    return trouble ? trouble : write_set(path, *out_what = "cpuset.mems", limits->nodes);
}

int cgroup_write(const char *path, const struct cgroup_limits *limits)
{
    const char *what;
    return write_limits(path, limits, &what);
}

/* ---- making it -------------------------------------------------------------------------------------------------- */

static void tell_none(struct run *run, const char *why)
{
    struct finding *finding =
        tell(run->agent, NM_no_cgroup, "guest '%s' has no cgroup of its own: %s", run->guest->plan->name, why);
    finding_note(run->agent->findings, finding,
                 "its threads are pinned and its memory is bound one by one, and nothing holds those to come");
    run->cgroup = NULL;
}

/* NULL: there can be one. */
static const char *obstacle(void)
{
    struct statfs about;
    g_autofree char *controllers = NULL;
    if (statfs(ROOT, &about) < 0 || about.f_type != CGROUP2_SUPER_MAGIC)
        return "this machine has no cgroup v2 at " ROOT;
    if (!g_file_get_contents(ROOT "/cgroup.controllers", &controllers, NULL, NULL) || !strstr(controllers, "cpuset"))
        return "its cgroup v2 holds nobody to CPUs (no controller 'cpuset')";
    return NULL;
}

/* Another numac may remove the folder of all guests at this moment. */
static int make_folder(const char *path)
{
    int trouble = ENOENT;
    for (unsigned tries = 0; trouble == ENOENT && tries < MOST_TRIES; tries++) {
        trouble = mkdir(ALL_GUESTS, 0755) < 0 && errno != EEXIST ? errno : 0;
        trouble = trouble ? trouble : write_file(ALL_GUESTS, "cgroup.subtree_control", "+cpuset");
        if (!trouble && mkdir(path, 0755) < 0)
            trouble = errno;
    }
    return trouble;
}

static int make_and_fill(const struct cgroup *cgroup, const char **out_what)
{
    *out_what = "its folder";
    int trouble = make_folder(cgroup->path);
    return trouble ? trouble : write_limits(cgroup->path, &cgroup->limits, out_what);
}

/* Written down before it is made.  One that is there already is nobody's if it is empty; else a numac with another
 * state folder has it. */
static bool make(struct run *run, struct cgroup *cgroup)
{
    const char *what = "cgroup.subtree_control";
    int trouble = write_file(ROOT, what, "+cpuset");
    if (!trouble && rmdir(cgroup->path) < 0 && errno != ENOENT) {
        trouble = errno;
        what = "one of its name is in use";
    }
    if (!trouble) {
        run->state->record.cgroup = cgroup->path;
        if (!guest_write(run->agent, run->state))
            return false;
        trouble = make_and_fill(cgroup, &what);
        if (trouble)
            cgroup_remove(cgroup->path);
    }
    if (!trouble)
        return true;
    run->state->record.cgroup = NULL;
    g_autofree char *why = g_strdup_printf("%s: %s", what, g_strerror(trouble));
    tell_none(run, why);
    return true;
}

struct cgroup_limits cgroup_planned(struct arena *arena, const struct plan_guest *guest)
{
    struct cgroup_limits limits = cgroup_limits(arena, guest);
    limits.cpus = with_contexts(arena, guest, limits.cpus);
    return limits;
}

bool cgroup_prepare(struct run *run)
{
    const char *why = obstacle();
    if (why) {
        tell_none(run, why);
        return true;
    }
    struct arena *arena = run->agent->arena;
    void *shared = mmap(NULL, TROUBLE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct cgroup *cgroup = run->cgroup = arena_take(arena, struct cgroup);
    *cgroup = (struct cgroup){ .is_scope = scope_is_possible(),
                               .limits = cgroup_planned(arena, run->guest->plan),
                               .uuid = run->guest->plan->uuid,
                               .name = run->guest->plan->name,
                               .trouble = shared == MAP_FAILED ? NULL : shared };
    if (cgroup->is_scope)
        return true;
    cgroup->path = arena_printf(arena, ALL_GUESTS "/%s", run->guest->plan->uuid);
    return make(run, cgroup);
}

int cgroup_put(const char *path, pid_t pid)
{
    g_autofree char *number = g_strdup_printf("%d", pid);
    return write_file(path, "cgroup.procs", number);
}

void cgroup_enter(const struct cgroup *cgroup)
{
    char trouble[TROUBLE_BYTES] = "";
    int number = cgroup->is_scope ? 0 : cgroup_put(cgroup->path, 0);
    if (number)
        snprintf(trouble, sizeof trouble, "QEMU cannot enter it: %s", g_strerror(number));
    else if (cgroup->is_scope)
        scope_enter(cgroup, trouble, sizeof trouble);
    if (cgroup->trouble)
        memcpy(cgroup->trouble, trouble, sizeof trouble);
}

/* ---- behind the start ------------------------------------------------------------------------------------------- */

/* "0::/numac/2f1c..." */
const char *cgroup_of(struct arena *arena, pid_t pid)
{
    g_autofree char *file = g_strdup_printf("/proc/%d/cgroup", pid), *text = NULL;
    if (!g_file_get_contents(file, &text, NULL, NULL) || !g_str_has_prefix(text, "0::/"))
        return NULL;
    g_strchomp(text);
    return arena_printf(arena, ROOT "%s", text + strlen("0::"));
}

static const char *trouble_of(const struct cgroup *cgroup, struct arena *arena, const char *real)
{
    if (cgroup->trouble && *cgroup->trouble)
        return cgroup->trouble;
    if (!real || (cgroup->path ? strcmp(real, cgroup->path) != 0 : !strstr(real, "/numac-")))
        return "QEMU is in another one";
    struct cgroup_limits found = cgroup_read(arena, real);
    if (cgroup_fits(&cgroup->limits, &found))
        return NULL;
    return arena_printf(arena, "it holds to %s, not to %s", cgroup_limits_text(arena, &found),
                        cgroup_limits_text(arena, &cgroup->limits));
}

void cgroup_look(struct run *run)
{
    struct cgroup *cgroup = run->cgroup;
    if (!cgroup)
        return;
    const char *real = cgroup_of(run->agent->arena, run->state->record.pid);
    const char *why = trouble_of(cgroup, run->agent->arena, real);
    if (!why) {
        run->state->record.cgroup = real;
    } else {
        if (cgroup->path) /* goes at once if QEMU is not in it, else behind QEMU */
            rmdir(cgroup->path);
        tell_none(run, why);
    }
    if (cgroup->trouble)
        munmap(cgroup->trouble, TROUBLE_BYTES);
    cgroup->trouble = NULL;
}

/* The folder of a scope is systemd's, which forgets the scope once it is empty, and never if somebody else removed it.
 */
static bool is_left(const char *path, bool is_own)
{
    return is_own ? rmdir(path) < 0 && errno == EBUSY : access(path, F_OK) == 0;
}

/* All in it is QEMU's, and QEMU is dead, or about to be. */
void cgroup_remove(const char *path)
{
    bool is_own = g_str_has_prefix(path, ALL_GUESTS "/");
    write_file(path, "cgroup.kill", "1");
    for (int waited = 0; is_left(path, is_own) && waited < END_MILLISECONDS; waited += LOOK_MILLISECONDS)
        g_usleep(LOOK_MILLISECONDS * 1000);
    if (is_own)
        rmdir(ALL_GUESTS); /* unless others run */
}
