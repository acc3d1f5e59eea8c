/* SPDX-License-Identifier: MIT
 *
 * Where a guest's XML is silent, libvirt assumes something and numac chooses something else: what libvirt assumes is
 * said, so that the guest stays what it is.
 */
#include "import/parts.h"

#include <string.h>

/* A guest that does not say how many vCPUs it has gets one. */
static void say_vcpus(struct guest_lines *guest)
{
    if (!line_find(guest->lines, "vcpus") && !line_find(guest->lines, "cell"))
        line_add(&guest->lines, line_new(guest->arena, "vcpus", "1"));
}

/* libvirt gives each vCPU a socket where the XML has no topology; numac would make cores of one socket. */
static void say_sockets(struct guest_lines *guest)
{
    static const char *const levels[] = { "sockets", "dies", "clusters", "modules", "cores", "threads" };
    struct line *vcpus = line_the_only(guest->lines, "vcpus");
    uint64_t total;
    if (!vcpus || !vcpus_total(vcpus, &total) || total < 2)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        if (line_find(vcpus->children, levels[i]))
            return;
    line_add(&vcpus->children,
             line_new(guest->arena, "sockets", arena_printf(guest->arena, "%" G_GUINT64_FORMAT, total)));
}

static void say_file(struct arena *arena, struct line **list)
{
    if (line_find(*list, "access") && !line_find(*list, "backing"))
        line_add(list, line_new(arena, "backing", "file"));
}

static bool cell_of_device_says(const struct guest_lines *guest, const struct line *device, const char *word)
{
    const char *number = line_argument(line_find(device->children, "cell"));
    for (struct line *cell = line_find(guest->lines, "cell"); cell && number; cell = line_find(cell->next, "cell"))
        if (line_argument(cell) && strcmp(cell->arguments[0], number) == 0)
            return line_find(cell->children, word);
    return false;
}

/* QEMU shares a memfd unless it is told not to, and libvirt does not tell it; files it keeps private. */
static void say_sharing(struct guest_lines *guest)
{
    bool is_open = !line_find(guest->lines, "cell");
    for (struct line *cell = line_find(guest->lines, "cell"); cell; cell = line_find(cell->next, "cell"))
        is_open |= !line_find(cell->children, "access");
    if (!is_open || line_find(guest->lines, "access"))
        return;
    for (struct line *nvdimm = line_find(guest->lines, "nvdimm"); nvdimm; nvdimm = line_find(nvdimm->next, "nvdimm"))
        if (!line_find(nvdimm->children, "access") && !cell_of_device_says(guest, nvdimm, "access"))
            line_add(&nvdimm->children, line_new(guest->arena, "access", "private"));
    line_add(&guest->lines, line_new(guest->arena, "access", "shared"));
}

/* Where the XML tells how memory is shared and not where it comes from, libvirt takes a file; so it does for anonymous
 * memory that is to be private, which is what such memory is anyway. */
static void say_backing(struct guest_lines *guest)
{
    struct line *backing = line_find(guest->lines, "backing");
    const char *from = line_argument(backing), *access = line_argument(line_find(guest->lines, "access"));
    if (from && strcmp(from, "memfd") == 0)
        say_sharing(guest);
    else if (from && strcmp(from, "anonymous") == 0 && access && strcmp(access, "private") == 0)
        backing->arguments[0] = "file";
    if (backing)
        return;
    say_file(guest->arena, &guest->lines);
    for (struct line *cell = line_find(guest->lines, "cell"); cell; cell = line_find(cell->next, "cell"))
        say_file(guest->arena, &cell->children);
}

static struct line *iothread_line(const struct guest_lines *guest, const char *id)
{
    struct line *line = line_find(guest->lines, "iothread");
    while (line && !(line->count && strcmp(line->arguments[0], id) == 0))
        line = line_find(line->next, "iothread");
    return line;
}

/* First, where a block says more of its thread. */
static void say_cpus_of(struct arena *arena, struct line *thread, const char *cpus)
{
    if (line_find(thread->children, "cpus"))
        return;
    struct line *line = line_new(arena, "cpus", cpus);
    line->next = thread->children;
    thread->children = line;
}

/* Those that are counted get a block in their turn; where none are, there are those that have one. */
static void say_cpus_of_iothreads(struct guest_lines *guest, const char *cpus)
{
    enum { MANY_IOTHREADS = 1024 };
    const char *count = line_argument(line_the_only(guest->lines, "iothreads"));
    uint64_t iothreads = 0;
    if (!count) {
        for (struct line *line = line_find(guest->lines, "iothread"); line; line = line_find(line->next, "iothread"))
            say_cpus_of(guest->arena, line, cpus);
        return;
    }
    if (!text_number(count, &iothreads) || iothreads > MANY_IOTHREADS)
        return;
    for (uint64_t id = 1; id <= iothreads; id++) {
        const char *text = arena_printf(guest->arena, "%" G_GUINT64_FORMAT, id);
        struct line *line = iothread_line(guest, text);
        if (line)
            line_drop(&guest->lines, line); /* and stands behind, in its turn */
        else
            line = line_new(guest->arena, "iothread", text);
        say_cpus_of(guest->arena, line, cpus);
        line_add(&guest->lines, line);
    }
}

void say_cpus_of_threads(struct guest_lines *guest, const char *cpus)
{
    struct line *emulator = line_find(guest->lines, "emulator");
    if (!emulator)
        emulator = line_add(&guest->lines, line_new(guest->arena, "emulator", NULL));
    say_cpus_of(guest->arena, emulator, cpus);
    say_cpus_of_iothreads(guest, cpus);
}

/* The CPUs of `<vcpu cpuset>` are those of all threads that have none of their own. */
static void say_cpus(struct guest_lines *guest)
{
    const char *cpus = line_argument(line_the_only(guest->lines, "cpus"));
    if (cpus && text_set(guest->arena, cpus))
        say_cpus_of_threads(guest, cpus);
}

void say_unsaid(struct guest_lines *guest)
{
    say_vcpus(guest);
    say_sockets(guest);
    say_backing(guest);
    say_cpus(guest);
}
