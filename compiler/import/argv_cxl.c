/* SPDX-License-Identifier: MIT
 *
 * CXL memory of a command line: a device behind the port of a host bridge that stands on a cell, with a window of
 * addresses of its own.  A switch with nothing else behind it says nothing of cells.  Other shapes (several devices or
 * windows of a bridge, bridges that share a window) are told as not carried, with every device.
 */
#include "import/argv.h"

#include <string.h>

enum { CXL_LIMIT = 16 /* bridges of a machine */, SWITCH_LIMIT = 8 /* both ports of each */ };

struct cxl {
    struct option *device, *port, *bridge;
    struct option *switches[SWITCH_LIMIT]; /* ports of those between */
    unsigned switch_count;
    struct backend *memory, *labels; /* labels: NULL without */
    uint64_t cell, window_bytes;
    bool is_persistent;
};

static struct option *device_called(const struct argv_guest *guest, const char *id, const char *driver)
{
    for (struct option *option = argv_next(guest, ARGV_DEVICE, NULL); id && option;
         option = argv_next(guest, ARGV_DEVICE, option))
        if (g_strcmp0(option_text(option, "driver"), driver) == 0 && g_strcmp0(option_text(option, "id"), id) == 0)
            return option;
    return NULL;
}

/* The target of a window, if it has only one.  Elements of a list have the key of the list. */
static const char *only_target(struct option *option, unsigned window)
{
    g_autofree char *key = g_strdup_printf("cxl-fmw.%u.targets", window);
    const char *found = NULL;
    for (uint32_t i = 0; i < option->count; i++) {
        if (strcmp(option->properties[i].key, key) != 0)
            continue;
        if (found)
            return NULL;
        found = option->properties[i].value;
    }
    return found;
}

/* The only window that leads to a bridge, and to it alone; 0: there is none, or not so. */
static uint64_t window_of(struct argv_guest *guest, const char *bridge)
{
    uint64_t found = 0;
    for (struct option *option = argv_next(guest, ARGV_MACHINE, NULL); option;
         option = argv_next(guest, ARGV_MACHINE, option))
        for (unsigned i = 0; i < CXL_LIMIT; i++) {
            if (g_strcmp0(only_target(option, i), bridge) != 0)
                continue;
            g_autofree char *size = g_strdup_printf("cxl-fmw.%u.size", i);
            g_autofree char *targets = g_strdup_printf("cxl-fmw.%u.targets", i);
            const struct property *said = option_take(option, size);
            if (found || !said || !property_size(guest, said, 1, &found))
                return 0;
            option_take(option, targets);
        }
    return found;
}

/* The backend that a property names, if nobody uses it yet. */
static struct backend *free_backend(struct argv_guest *guest, struct option *option, const char *key)
{
    const char *id = option_text(option, key);
    struct backend *backend = id ? g_hash_table_lookup(guest->backends, id) : NULL;
    return backend && !backend->is_used ? backend : NULL;
}

static bool is_only_behind(const struct argv_guest *guest, const struct option *self, const char *bus)
{
    for (struct option *option = argv_next(guest, ARGV_DEVICE, NULL); option;
         option = argv_next(guest, ARGV_DEVICE, option))
        if (option != self && g_strcmp0(option_text(option, "bus"), bus) == 0)
            return false;
    return true;
}

/* The port of a bridge that a device is behind, with nothing beside it: right behind, or through switches. */
static struct option *port_above(struct argv_guest *guest, struct option *device, struct cxl *cxl)
{
    for (unsigned depth = 0; depth < CXL_LIMIT; depth++) {
        const char *bus = option_text(device, "bus");
        struct option *port = device_called(guest, bus, "cxl-rp"),
                      *downstream = port ? NULL : device_called(guest, bus, "cxl-downstream"),
                      *upstream =
                          downstream ? device_called(guest, option_text(downstream, "bus"), "cxl-upstream") : NULL;
        if ((!port && !upstream) || !is_only_behind(guest, device, bus))
            return NULL;
        if (port)
            return port;
        if (!is_only_behind(guest, downstream, option_text(upstream, "id")) || cxl->switch_count == SWITCH_LIMIT)
            return NULL;
        cxl->switches[cxl->switch_count++] = upstream;
        cxl->switches[cxl->switch_count++] = downstream;
        device = upstream;
    }
    return NULL;
}

static bool read_cxl(struct argv_guest *guest, struct option *device, struct cxl *cxl)
{
    const struct property *cell;
    *cxl = (struct cxl){ .device = device };
    cxl->port = port_above(guest, device, cxl);
    cxl->bridge = cxl->port ? device_called(guest, option_text(cxl->port, "bus"), "pxb-cxl") : NULL;
    if (!cxl->bridge || !is_only_behind(guest, cxl->port, option_text(cxl->bridge, "id")))
        return false;
    cell = option_take(cxl->bridge, "numa_node");
    cxl->window_bytes = window_of(guest, option_text(cxl->bridge, "id"));
    cxl->memory = free_backend(guest, device, "volatile-memdev");
    cxl->is_persistent = !cxl->memory;
    if (cxl->is_persistent) {
        cxl->memory = free_backend(guest, device, option_text(device, "memdev") ? "memdev" : "persistent-memdev");
        cxl->labels = free_backend(guest, device, "lsa");
    }
    return cell && cxl->window_bytes && cxl->memory && (!cxl->is_persistent || cxl->labels) &&
           property_number(guest, cell, guest->cell_count - 1, &cxl->cell);
}

/* ---- its lines -------------------------------------------------------------------------------------------------- */

static const char *file_of(struct backend *backend)
{
    return strcmp(backend->type, "memory-backend-file") == 0 ? option_text(backend->option, "mem-path") : NULL;
}

/* A word with one argument, as it stands in a block; NULL: it does not. */
static const char *said_in(struct line *list, const char *word)
{
    const struct line *line = line_find(list, word);
    return line && line->count ? line->arguments[0] : NULL;
}

static bool are_same(const struct line *one, const struct line *other)
{
    return one && other ? line_same(one, other) : one == other;
}

/* What its memory says and its cell does not say for it; `unsaid` is what says that it is not as the cell. */
static void say_apart(struct argv_guest *guest, struct line *line, const char *word, const char *unsaid,
                      struct line *memory, struct line *of_cell)
{
    const struct line *own = line_find(memory, word);
    if (are_same(own, line_find(of_cell, word)) || (!own && !unsaid))
        return;
    struct line *said = argv_line(guest, &line->children, word, "%s", own ? own->arguments[0] : unsaid);
    for (unsigned i = 1; own && i < own->count; i++)
        line_add_argument(guest->arena, said, own->arguments[i]);
}

static bool is_taken_at_once(struct line *memory)
{
    return g_strcmp0(said_in(memory, "allocation"), "immediate") == 0;
}

/* The device has no words for these: they are those of its cell, or as its pages are. */
static bool is_as_its_cell(const struct cxl *cxl, struct line *memory, struct line *of_cell)
{
    static const char *const words[] = { "discard", "dump", "reserve", "ksm" };
    bool is_huge = line_find(memory, "pages"), cell_is_huge = line_find(of_cell, "pages"),
         cell_says = is_taken_at_once(of_cell) != cell_is_huge, is_shared = line_find(memory, "access");
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (!are_same(line_find(memory, words[i]), line_find(of_cell, words[i])))
            return false;
    const char *backing = said_in(memory, "backing"), *wanted = said_in(of_cell, "backing");
    if (!cxl->is_persistent && !is_huge && g_strcmp0(backing, wanted ? wanted : is_shared ? "memfd" : NULL) != 0)
        return false;
    return is_taken_at_once(memory) == (cell_says ? is_taken_at_once(of_cell) : is_huge) &&
           (line_find(memory, "node") || !line_find(of_cell, "node"));
}

static void say_file(struct argv_guest *guest, struct cxl *cxl, struct line *line)
{
    const char *path = file_of(cxl->memory), *labels = file_of(cxl->labels);
    g_autofree char *beside = g_strconcat(path ? path : "", ".lsa", NULL);
    uint64_t bytes = 0;
    argv_line(guest, &line->children, "persistent", "yes");
    argv_text_line(guest, &line->children, "path", path ? path : "/dev/null", cxl->memory->option->span);
    if (backend_bytes(guest, cxl->labels, &bytes) && bytes != 256 * KIB)
        argv_line(guest, &line->children, "label-size", "%" G_GUINT64_FORMAT "KiB", bytes / KIB);
    if (!path || g_strcmp0(labels, beside) != 0)
        argv_not_carried(guest, cxl->labels->option->span,
                         "write the labels to PATH.lsa, beside the file of the memory",
                         "where persistent CXL memory is kept");
}

static void say_cxl(struct argv_guest *guest, struct cxl *cxl, uint32_t number)
{
    struct line *memory = NULL, *of_cell = guest->cells[cxl->cell].line->children;
    struct line *line = line_new(guest->arena, "cxl", arena_printf(guest->arena, "cxl%u", number));
    uint64_t bytes = 0;
    if (!backend_bytes(guest, cxl->memory, &bytes))
        return;
    backend_lines(guest, cxl->memory, &memory);
    line->is_named = true;
    argv_line(guest, &line->children, "size", "%" G_GUINT64_FORMAT "KiB", bytes / KIB);
    argv_line(guest, &line->children, "cell", "%" G_GUINT64_FORMAT, cxl->cell);
    if (cxl->is_persistent)
        say_file(guest, cxl, line);
    if (cxl->window_bytes != bytes)
        argv_line(guest, &line->children, "window", "%" G_GUINT64_FORMAT "KiB", cxl->window_bytes / KIB);
    say_apart(guest, line, "node", NULL, memory, of_cell);
    if (!cxl->is_persistent)
        say_apart(guest, line, "pages", "normal", memory, of_cell);
    if (!cxl->is_persistent)
        say_apart(guest, line, "access", "private", memory, of_cell);
    else if (!line_find(memory, "access"))
        argv_line(guest, &line->children, "access", "private");
    if (!is_as_its_cell(cxl, memory, of_cell))
        argv_not_carried(guest, cxl->memory->option->span, "CXL memory is taken, bound and kept as that of its cell",
                         "how the memory behind CXL is taken");
    line_add(&guest->lines, line);
}

static void leave_switches(struct argv_guest *guest, const struct cxl *cxl)
{
    for (unsigned i = 0; i < cxl->switch_count; i++) {
        cxl->switches[i]->is_carried = true;
        g_autofree char *what = g_strdup_printf("-device %s", option_text(cxl->switches[i], "driver"));
        argv_leave_out(guest, cxl->switches[i]->span, what);
    }
}

void argv_cxl(struct argv_guest *guest)
{
    uint32_t number = 0;
    for (struct option *option = argv_next(guest, ARGV_DEVICE, NULL); option;
         option = argv_next(guest, ARGV_DEVICE, option)) {
        struct cxl cxl;
        if (!guest->cell_count || number == CXL_LIMIT || g_strcmp0(option_text(option, "driver"), "cxl-type3") != 0 ||
            !read_cxl(guest, option, &cxl))
            continue;
        cxl.device->is_carried = cxl.port->is_carried = cxl.bridge->is_carried = true;
        cxl.memory->is_used = true;
        leave_switches(guest, &cxl);
        if (cxl.labels) {
            struct line *unsaid = NULL;
            cxl.labels->is_used = true;
            say_cxl(guest, &cxl, number++);
            backend_lines(guest, cxl.labels, &unsaid); /* only how it is shared, which is as its memory */
        } else {
            say_cxl(guest, &cxl, number++);
        }
    }
    for (struct option *option = argv_next(guest, ARGV_MACHINE, NULL); number && option;
         option = argv_next(guest, ARGV_MACHINE, option))
        option_take(option, "cxl");
}
