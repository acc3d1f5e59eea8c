/* SPDX-License-Identifier: MIT
 *
 * Memory of a command line: how much, and what its backends say of where it comes from, as words of a cell or of the
 * whole guest.  Which backend belongs to which cell is left to argv_cells.c.
 */
#include "import/argv.h"

#include <hwloc/bitmap.h>
#include <string.h>

/* ---- how much --------------------------------------------------------------------------------------------------- */

static uint64_t whole_pages(uint64_t bytes)
{
    enum { QEMU_ALIGNS = 8192 };
    return (bytes + QEMU_ALIGNS - 1) / QEMU_ALIGNS * QEMU_ALIGNS;
}

/* Room is for memory devices: without any it must be more than there is. */
static void judge_room(struct argv_guest *guest, const struct property *slots, const struct property *most)
{
    if (slots)
        guest->room_span = slots->where;
    if (most)
        guest->room_span = most->where;
    if (guest->memory_slots && !most)
        argv_refuse(guest, slots->where, "write ',maxmem=...' beside it", "slots for memory, and no room to grow");
    else if (most && guest->max_memory_bytes < guest->memory_bytes)
        argv_refuse(guest, most->where, "make it larger than the memory at start",
                    "it can grow to %s, and begins with %s", size_text(guest->arena, guest->max_memory_bytes),
                    size_text(guest->arena, guest->memory_bytes));
    else if (guest->max_memory_bytes == guest->memory_bytes && guest->memory_slots)
        argv_refuse(guest, most->where, "make it larger than the memory at start",
                    "slots for memory, and no room to grow");
    if (guest->max_memory_bytes == guest->memory_bytes)
        guest->max_memory_bytes = 0;
}

static void read_size(struct argv_guest *guest)
{
    enum { DEFAULT_MIB = 128 };
    const struct property *all_slots = NULL, *all_most = NULL;
    guest->memory_bytes = DEFAULT_MIB * MIB;
    for (struct option *option = argv_next(guest, ARGV_MEMORY, NULL); option;
         option = argv_next(guest, ARGV_MEMORY, option)) {
        const struct property *size = option_take(option, "size"), *slots = option_take(option, "slots"),
                              *most = option_take(option, "maxmem");
        uint64_t bytes;
        if (size && property_size(guest, size, MIB, &bytes))
            guest->memory_bytes = whole_pages(bytes);
        if (most && property_size(guest, most, MIB, &bytes))
            guest->max_memory_bytes = whole_pages(bytes);
        if (slots)
            property_number(guest, slots, ARGV_MEMORY_DEVICE_LIMIT, &guest->memory_slots);
        all_slots = slots ? slots : all_slots;
        all_most = most ? most : all_most;
        argv_leave_unused(guest, option, "numac knows no such property");
    }
    if (!guest->failed)
        judge_room(guest, all_slots, all_most);
}

static void read_overcommit(struct argv_guest *guest)
{
    bool is_locked = false;
    for (struct option *option = argv_next(guest, ARGV_OVERCOMMIT, NULL); option;
         option = argv_next(guest, ARGV_OVERCOMMIT, option)) {
        const struct property *lock = option_take(option, "mem-lock");
        lock = lock ? lock : option_take(option, "mlock");
        if (lock && strcmp(lock->value, "on-fault") == 0)
            argv_not_carried(guest, lock->where, "'locked yes' takes all memory at once",
                             "memory locked as it is touched");
        else if (lock)
            property_switch(guest, lock, &is_locked);
        argv_leave_unused(guest, option, NULL);
    }
    if (is_locked)
        argv_line(guest, &guest->lines, "locked", "yes");
}

void argv_memory(struct argv_guest *guest)
{
    const struct option *path = argv_last(guest, ARGV_MEM_PATH);
    read_size(guest);
    read_overcommit(guest);
    guest->is_preallocated = argv_next(guest, ARGV_MEM_PREALLOC, NULL);
    if (path) {
        guest->mem_path = path->value->text;
        guest->mem_path_span = path->span;
    }
    if (guest->no_merge)
        argv_line(guest, &guest->lines, "ksm", "no");
}

/* ---- objects ---------------------------------------------------------------------------------------------------- */

static void read_backend(struct argv_guest *guest, struct option *option, const char *type)
{
    const struct property *id = option_take(option, "id");
    if (!id) {
        argv_refuse(guest, option->span, "write ',id=NAME' into it", "a backend of memory lacks its id");
        return;
    }
    const struct backend *before = g_hash_table_lookup(guest->backends, id->value);
    if (before) {
        struct finding *finding =
            argv_report(guest, NM_argv_object, id->where, "two objects have the id '%.40s'", id->value);
        finding_label(guest->findings, finding, before->option->span, "the other one");
        finding_help(guest->findings, finding, "give one of them another id");
        return;
    }
    struct backend *backend = arena_take(guest->arena, struct backend);
    *backend = (struct backend){ .id = id->value, .type = type, .option = option };
    g_hash_table_insert(guest->backends, (gpointer)(uintptr_t)backend->id, backend);
}

/* "iothread3" is number 3; 0: it says none. */
static uint32_t number_in(const char *id)
{
    uint64_t number;
    static const char prefix[] = "iothread";
    const char *digits = id && g_str_has_prefix(id, prefix) ? id + strlen(prefix) : "";
    bool is_number = *digits != '0' && text_number(digits, &number) && number <= ARGV_IOTHREAD_LIMIT;
    return is_number ? (uint32_t)number : 0;
}

/* I/O threads are numbered in numac: those that say no number take what the others leave, in their order. */
static uint32_t iothread_number(const char *id, const bool *said, const bool *given)
{
    uint32_t next = number_in(id);
    if (next && !given[next])
        return next;
    next = 1;
    while (next <= ARGV_IOTHREAD_LIMIT && (said[next] || given[next]))
        next++;
    return next;
}

static void say_iothread(struct argv_guest *guest, struct option *option, uint32_t number, struct line **list)
{
    static const char *const poll[] = { "poll-max-ns", "poll-grow", "poll-shrink" };
    static const char *const pool[] = { "thread-pool-min", "thread-pool-max" };
    const uint64_t unsaid[] = { 32768, 0, 0, 0, 64 };
    uint64_t values[5];
    bool says_poll = false, says_pool = false;
    for (unsigned i = 0; i < 5; i++) {
        const struct property *property = option_take(option, i < 3 ? poll[i] : pool[i - 3]);
        values[i] = unsaid[i];
        if (property && property_number(guest, property, INT64_MAX, &values[i]))
            *(i < 3 ? &says_poll : &says_pool) = true;
    }
    struct line *line = argv_line(guest, list, "iothread", "%u", number);
    struct arena *arena = guest->arena;
    if (says_poll) {
        struct line *said = argv_line(guest, &line->children, "poll", "%" G_GUINT64_FORMAT "ns", values[0]);
        for (unsigned i = 1; i < 3 && (values[i] || values[2]); i++)
            line_add_argument(arena, said, arena_printf(arena, "%" G_GUINT64_FORMAT, values[i]));
    }
    if (says_pool) {
        struct line *said = argv_line(guest, &line->children, "pool", "%" G_GUINT64_FORMAT, values[3]);
        line_add_argument(arena, said, arena_printf(arena, "%" G_GUINT64_FORMAT, values[4]));
    }
    option_take(option, "id");
    argv_leave_unused(guest, option, "the language has no word for it in this version");
}

static bool is_of_type(struct option *option, const char *type)
{
    const char *said = option_text(option, "qom-type");
    return said && strcmp(said, type) == 0;
}

static void say_iothreads(struct argv_guest *guest)
{
    bool said[ARGV_IOTHREAD_LIMIT + 2] = { false }, given[ARGV_IOTHREAD_LIMIT + 2] = { false };
    for (struct option *option = argv_next(guest, ARGV_OBJECT, NULL); option;
         option = argv_next(guest, ARGV_OBJECT, option))
        if (is_of_type(option, "iothread"))
            said[number_in(option_text(option, "id"))] = true;
    uint32_t count = 0, most = 0;
    struct line *list = NULL;
    for (struct option *option = argv_next(guest, ARGV_OBJECT, NULL); option;
         option = argv_next(guest, ARGV_OBJECT, option)) {
        if (!is_of_type(option, "iothread"))
            continue;
        const char *id = option_text(option, "id");
        uint32_t number = iothread_number(id, said, given);
        if (number > ARGV_IOTHREAD_LIMIT) {
            struct finding *finding =
                argv_report(guest, NM_argv_limit, option->span, "more than %d I/O threads", ARGV_IOTHREAD_LIMIT);
            finding_help(guest->findings, finding, "no guest has so many: is the line what it seems?");
            return;
        }
        given[number] = true;
        count++;
        most = MAX(most, number);
        say_iothread(guest, option, number, &list);
    }
    if (count && most == count)
        argv_line(guest, &guest->lines, "iothreads", "%u", count);
    for (struct line *line = list, *next; line; line = next) {
        next = line->next;
        if (line->children || most > count)
            line_add(&guest->lines, line);
    }
}

static void read_object(struct argv_guest *guest, struct option *option)
{
    static const char not_yet[] = "the language has no word for it in this version";
    const char *type = option_text(option, "qom-type");
    if (!type) {
        argv_refuse(guest, option->span, "write its type first", "an object lacks its type");
    } else if (g_str_has_prefix(type, "memory-backend-")) {
        read_backend(guest, option, type);
    } else if (strcmp(type, "acpi-generic-port") == 0) {
        argv_not_carried(guest, option->span, not_yet, "a device tied to a cell ('%s')", type);
    } else if (strcmp(type, "iothread") != 0 && strcmp(type, "thread-context") != 0 &&
               strcmp(type, "acpi-generic-initiator") != 0) { /* the last goes with its device */
        g_autofree char *what = g_strdup_printf("-object %.40s", type);
        argv_leave_out(guest, option->span, what);
    }
}

void argv_objects(struct argv_guest *guest)
{
    for (struct option *option = argv_next(guest, ARGV_OBJECT, NULL); option;
         option = argv_next(guest, ARGV_OBJECT, option))
        read_object(guest, option);
    say_iothreads(guest);
}

struct backend *backend_named(struct argv_guest *guest, const struct property *property)
{
    struct backend *backend = g_hash_table_lookup(guest->backends, property->value);
    struct finding *finding = NULL;
    if (!backend) {
        finding = argv_report(guest, NM_argv_object, property->where, "no backend of memory has the id '%.40s'",
                              property->value);
        finding_help(guest->findings, finding, "add '-object memory-backend-ram,id=%.40s,size=...', or name another",
                     property->value);
    } else if (backend->is_used) {
        finding =
            argv_report(guest, NM_argv_object, property->where, "the backend '%.40s' is used twice", property->value);
        finding_label(guest->findings, finding, backend->option->span, "this one");
        finding_help(guest->findings, finding, "give each cell and each device a backend of its own");
    } else {
        backend->is_used = true;
    }
    return finding ? NULL : backend;
}

bool backend_bytes(struct argv_guest *guest, struct backend *backend, uint64_t *out_bytes)
{
    const struct property *size = option_take(backend->option, "size");
    if (!size)
        return argv_refuse(guest, backend->option->span, "write ',size=...' into it",
                           "the backend '%.40s' lacks its size", backend->id);
    if (!property_size(guest, size, 1, out_bytes))
        return false;
    if (*out_bytes && *out_bytes % KIB == 0)
        return true;
    return argv_refuse(guest, size->where, "make it whole pages",
                       "%" G_GUINT64_FORMAT " bytes are no memory of a guest", *out_bytes);
}

/* ---- huge pages of a path --------------------------------------------------------------------------------------- */

/* "2M", "1G", "2048kB" and "1048576KiB" tell a size; 0 where the letters tell none. */
static uint64_t size_in_name(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (!digits || digits > 9)
        return 0;
    uint64_t number = g_ascii_strtoull(text, NULL, 10);
    char unit = (char)g_ascii_toupper(text[digits]);
    uint64_t bytes = number * (unit == 'K' ? KIB : unit == 'M' ? MIB : unit == 'G' ? GIB : 0);
    return bytes >= 4 * KIB && (bytes & (bytes - 1)) == 0 ? bytes : 0;
}

/* A folder that is called by a size and nothing more: a guest's own may be "4Gguest". */
static uint64_t size_as_name(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    const char *rest = text[digits] ? text + digits + 1 : "";
    bool is_size = !*rest || g_ascii_strcasecmp(rest, "B") == 0 || g_ascii_strcasecmp(rest, "iB") == 0;
    return is_size ? size_in_name(text) : 0;
}

/* Whether a path lies on a mount of huge pages, by what people name such mounts: /dev/hugepages, /mnt/huge-1G,
 * /dev/hugepages/2M, /run/hugepages/kvm/1048576kB.  *out_bytes is 0 where no name tells their size. */
static bool is_on_huge_pages(const char *path, uint64_t *out_bytes)
{
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    for (char **name = names; *name; name++) {
        if (!g_str_has_prefix(*name, "huge"))
            continue;
        const char *digits = strpbrk(*name, "0123456789");
        *out_bytes = digits ? size_in_name(digits) : 0;
        while (!digits && !*out_bytes && *++name)
            *out_bytes = size_as_name(*name);
        return true;
    }
    return false;
}

static void say_pages(struct argv_guest *guest, uint64_t bytes, struct span where, struct line **list)
{
    if (!bytes) {
        struct finding *finding =
            argv_report(guest, NM_argv_pages, where, "huge pages of the host's default size: taken as 2MiB");
        finding_note(guest->findings, finding, "no command line tells what size a mount, or a host, has");
        finding_help(guest->findings, finding, "write the right size behind 'pages' where it is another");
    }
    argv_line(guest, list, "pages", "%" G_GUINT64_FORMAT "KiB", (bytes ? bytes : 2 * MIB) / KIB);
}

/* Files of libvirt's own making, which numac names as little as libvirt does. */
static bool is_libvirts(const char *path)
{
    return strstr(path, "/libvirt/qemu/ram/") != NULL;
}

/* ---- backends --------------------------------------------------------------------------------------------------- */

static bool switch_of(struct argv_guest *guest, struct backend *backend, const char *key, bool unsaid)
{
    const struct property *property = option_take(backend->option, key);
    bool state = unsaid;
    return property && !property_switch(guest, property, &state) ? unsaid : state;
}

void argv_size_line(struct argv_guest *guest, struct option *option, const char *key, struct line **list,
                    const char *word)
{
    const struct property *property = option_take(option, key);
    uint64_t bytes;
    if (property && property_size(guest, property, 1, &bytes) && bytes) {
        if (bytes % KIB)
            argv_refuse(guest, property->where, "make it whole pages", "'%s' of %" G_GUINT64_FORMAT " bytes", key,
                        bytes);
        argv_line(guest, list, word, "%" G_GUINT64_FORMAT "KiB", bytes / KIB);
    }
}

static void say_file(struct argv_guest *guest, struct backend *backend, struct line **list, bool *out_is_huge)
{
    const struct property *path = option_take(backend->option, "mem-path");
    uint64_t page_bytes;
    if (!path) {
        argv_refuse(guest, backend->option->span, "write ',mem-path=...' into it", "the backend '%.40s' lacks its file",
                    backend->id);
        return;
    }
    *out_is_huge = is_on_huge_pages(path->value, &page_bytes);
    if (*out_is_huge) {
        say_pages(guest, page_bytes, path->where, list);
        return;
    }
    struct line *line = argv_line(guest, list, "backing", "file");
    if (!is_libvirts(path->value))
        argv_text_line(guest, &line->children, "path", path->value, path->where);
    argv_size_line(guest, backend->option, "align", &line->children, "align");
    argv_size_line(guest, backend->option, "offset", &line->children, "offset");
}

static void say_memfd(struct argv_guest *guest, struct backend *backend, struct line **list, bool *out_is_huge)
{
    const struct property *size = option_take(backend->option, "hugetlbsize");
    uint64_t page_bytes = 0;
    *out_is_huge = switch_of(guest, backend, "hugetlb", false);
    if (size)
        property_size(guest, size, 1, &page_bytes);
    if (*out_is_huge)
        say_pages(guest, page_bytes, backend->option->span, list);
    else
        argv_line(guest, list, "backing", "memfd");
    if (!switch_of(guest, backend, "seal", true))
        argv_not_carried(guest, backend->option->span, NULL, "memory that is not sealed");
}

/* Where it comes from, and who shares it. */
static void say_source(struct argv_guest *guest, struct backend *backend, struct line **list, bool *out_is_huge)
{
    const char *type = backend->type + strlen("memory-backend-");
    bool is_ram = strcmp(type, "ram") == 0, is_memfd = strcmp(type, "memfd") == 0, is_shm = strcmp(type, "shm") == 0;
    bool is_shared = switch_of(guest, backend, "share", is_memfd || is_shm);
    *out_is_huge = false;
    if (strcmp(type, "file") == 0)
        say_file(guest, backend, list, out_is_huge);
    else if (is_memfd)
        say_memfd(guest, backend, list, out_is_huge);
    else if (is_shm)
        argv_line(guest, list, "backing", "shm");
    else if (!is_ram)
        argv_not_carried(guest, backend->option->span, NULL, "memory of the kind '%.40s'", backend->type);
    else if (is_shared)
        argv_line(guest, list, "backing", "anonymous");
    if (is_shared)
        argv_line(guest, list, "access", "shared");
}

static const struct ids *nodes_of(struct argv_guest *guest, struct option *option, const char *key)
{
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    option_ids(guest, option, key, IDS_LIMIT, set);
    const struct ids *ids = ids_from_bitmap(guest->arena, set);
    hwloc_bitmap_free(set);
    return ids;
}

static const struct ids *say_nodes(struct argv_guest *guest, struct backend *backend, struct line **list)
{
    static const struct {
        const char *qemu, *word;
    } policies[] = { { "bind", "strict" }, { "preferred", "preferred" }, { "interleave", "interleave" } };
    const struct ids *nodes = nodes_of(guest, backend->option, "host-nodes");
    const struct property *said = option_take(backend->option, "policy");
    const char *policy = NULL;
    for (size_t i = 0; said && i < G_N_ELEMENTS(policies); i++)
        if (strcmp(said->value, policies[i].qemu) == 0)
            policy = policies[i].word;
    if (said && !policy && strcmp(said->value, "default") != 0)
        argv_refuse(guest, said->where, "write bind, preferred, interleave or default",
                    "'%.40s' is no policy of memory", said->value);
    else if (!policy != !nodes->count)
        argv_refuse(guest, said ? said->where : backend->option->span,
                    "write both 'host-nodes' and a 'policy' of bind, preferred or interleave, or neither",
                    policy ? "a policy without nodes" : "nodes without a policy that uses them");
    else if (policy)
        line_add_argument(guest->arena, argv_line(guest, list, "node", "%s", ids_text(guest->arena, nodes)), policy);
    return nodes;
}

static struct option *context_named(struct argv_guest *guest, const char *id)
{
    for (struct option *option = argv_next(guest, ARGV_OBJECT, NULL); option;
         option = argv_next(guest, ARGV_OBJECT, option)) {
        const char *own = is_of_type(option, "thread-context") ? option_text(option, "id") : NULL;
        if (own && strcmp(own, id) == 0)
            return option;
    }
    return NULL;
}

/* numac makes a context on the nodes of the memory, where it knows the host: any other is none of its words. */
static void read_context(struct argv_guest *guest, struct backend *backend, const struct ids *nodes)
{
    const struct property *said = option_take(backend->option, "prealloc-context");
    if (!said)
        return;
    struct option *context = context_named(guest, said->value);
    if (!context) {
        struct finding *finding =
            argv_report(guest, NM_argv_object, said->where, "no thread-context has the id '%.40s'", said->value);
        finding_help(guest->findings, finding, "add it before the backend, or remove 'prealloc-context'");
        return;
    }
    const struct ids *own = nodes_of(guest, context, "node-affinity");
    if (!ids_equal(own, nodes) || option_take(context, "cpu-affinity")) {
        argv_not_carried(guest, context->span, "numac lets them run near the memory",
                         "where the threads run that take the memory of '%.40s'", backend->id);
        return;
    }
    struct finding *finding =
        argv_report(guest, NM_argv_context, said->where, "the threads that take the memory at start run near it");
    finding_note(guest->findings, finding, "numac does so where the site has a host that tells of its nodes");
}

static void say_allocation(struct argv_guest *guest, struct backend *backend, const struct ids *nodes, bool is_huge,
                           struct line **list)
{
    const struct property *threads = option_take(backend->option, "prealloc-threads");
    uint64_t count = 1;
    bool is_immediate = switch_of(guest, backend, "prealloc", guest->is_preallocated);
    if (threads)
        property_number(guest, threads, UINT32_MAX, &count);
    read_context(guest, backend, nodes);
    if (!is_immediate) {
        if (is_huge)
            argv_line(guest, list, "allocation", "ondemand");
        return;
    }
    struct line *line = argv_line(guest, list, "allocation", "immediate");
    if (count > 1)
        argv_line(guest, &line->children, "threads", "%" G_GUINT64_FORMAT, count);
}

static void say_switches(struct argv_guest *guest, struct backend *backend, struct line **list)
{
    if (switch_of(guest, backend, "discard-data", false))
        argv_line(guest, list, "discard", "yes");
    if (!switch_of(guest, backend, "dump", true))
        argv_line(guest, list, "dump", "no");
    if (!switch_of(guest, backend, "reserve", true))
        argv_line(guest, list, "reserve", "no");
    bool merges = switch_of(guest, backend, "merge", !guest->no_merge);
    if (merges == guest->no_merge)
        argv_line(guest, list, "ksm", merges ? "yes" : "no");
}

void backend_done(struct argv_guest *guest, struct backend *backend)
{
    option_take(backend->option, "id");
    struct property *migration = option_take(backend->option, "x-use-canonical-path-for-ramblock-id");
    if (migration)
        argv_leave_out(guest, migration->where, "names of memory in a migration");
    argv_leave_unused(guest, backend->option, "the language has no word for it in this version");
}

void backend_lines(struct argv_guest *guest, struct backend *backend, struct line **list)
{
    bool is_huge;
    const struct ids *nodes = say_nodes(guest, backend, list);
    say_source(guest, backend, list, &is_huge);
    say_allocation(guest, backend, nodes, is_huge, list);
    say_switches(guest, backend, list);
}

void backend_lines_beside_source(struct argv_guest *guest, struct backend *backend, struct line **list)
{
    const struct ids *nodes = say_nodes(guest, backend, list);
    if (switch_of(guest, backend, "share", false))
        argv_line(guest, list, "access", "shared");
    say_allocation(guest, backend, nodes, false, list);
    say_switches(guest, backend, list);
}

void huge_pages_at_start(struct argv_guest *guest, struct span where, struct line **list)
{
    const struct line *allocation = line_find(*list, "allocation");
    if (!allocation || strcmp(allocation->arguments[0], "ondemand") != 0)
        return;
    line_drop(list, allocation);
    argv_not_carried(guest, where, "numac takes huge pages at start, as libvirt does",
                     "huge pages that are taken when they are touched");
}

void plain_memory_lines(struct argv_guest *guest, struct line **list)
{
    uint64_t page_bytes;
    bool is_huge = guest->mem_path && is_on_huge_pages(guest->mem_path, &page_bytes);
    if (is_huge) {
        say_pages(guest, page_bytes, guest->mem_path_span, list);
    } else if (guest->mem_path) {
        struct line *line = argv_line(guest, list, "backing", "file");
        if (!is_libvirts(guest->mem_path))
            argv_text_line(guest, &line->children, "path", guest->mem_path, guest->mem_path_span);
    }
    if (guest->is_preallocated != is_huge)
        argv_line(guest, list, "allocation", guest->is_preallocated ? "immediate" : "ondemand");
    huge_pages_at_start(guest, guest->mem_path_span, list);
}
