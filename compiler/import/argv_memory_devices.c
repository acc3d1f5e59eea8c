/* SPDX-License-Identifier: MIT
 *
 * Memory devices of a command line, and the room for them.  A site says of a device what it has of its own and leaves
 * the rest to the cell that gets it: what the command line says otherwise, and no word can, is told.
 */
#include "import/argv.h"

#include <hwloc/bitmap.h>
#include <string.h>

static const struct model {
    const char *word, *driver; /* driver: what its name begins with; NULL: it is a property of the machine */
    bool is_ram, is_file, has_slot;
} models[] = {
    { .word = "dimm", .driver = "pc-dimm", .is_ram = true, .has_slot = true },
    { .word = "nvdimm", .driver = "nvdimm", .is_file = true, .has_slot = true },
    { .word = "virtio-mem", .driver = "virtio-mem", .is_ram = true },
    { .word = "virtio-pmem", .driver = "virtio-pmem", .is_file = true },
    { .word = "sgx-epc" },
};
enum { MODEL_DIMM, MODEL_NVDIMM, MODEL_VIRTIO_MEM, MODEL_VIRTIO_PMEM, MODEL_SGX_EPC, MODELS };

struct device {
    struct argv_guest *guest;
    struct option *option; /* -device; of a section of SGX memory -machine */
    struct backend *backend;
    const struct model *model;
    uint32_t number; /* among those of its model */
    uint32_t cell;
    bool is_preallocated, is_pmem;
    struct line *own; /* what its backend says */
    struct line *line;
};

static bool is_of(const struct device *device, unsigned model)
{
    return device->model == &models[model];
}

static void not_carried(struct device *device, const char *note, const char *what)
{
    argv_not_carried(device->guest, device->backend->option->span, note, "%s '%.40s'", what, device->backend->id);
}

static struct line *say(struct device *device, const char *word, const char *value)
{
    return argv_line(device->guest, &device->line->children, word, "%s", value);
}

/* ---- what it has of its cell ------------------------------------------------------------------------------------ */

/* The words of its cell, or of the guest where that has none.  Memory of virtio-pmem is of no cell. */
static struct line **list_of_home(const struct device *device)
{
    struct argv_guest *guest = device->guest;
    bool has_cell = device->cell < guest->cell_count && !is_of(device, MODEL_VIRTIO_PMEM);
    return has_cell ? &guest->cells[device->cell].line->children : &guest->lines;
}

static struct line *of_home(const struct device *device, const char *word)
{
    struct line *said = line_find(*list_of_home(device), word);
    return said ? said : line_find(device->guest->lines, word);
}

static bool is_said_alike(const struct line *one, const struct line *other)
{
    return one && other ? line_same(one, other) : one == other;
}

static bool says(const struct line *line, const char *value)
{
    return line && line->count && strcmp(line->arguments[0], value) == 0;
}

/* The words that no device has.  Those of an enclave are always the same. */
static void compare_switches(struct device *device)
{
    static const struct {
        const char *word, *what;
    } words[] = { { "dump", "whether a core dump has the memory" },
                  { "reserve", "whether something is reserved for the memory" },
                  { "ksm", "whether the pages are merged of the memory" } };
    for (size_t i = 0; i < G_N_ELEMENTS(words) && !is_of(device, MODEL_SGX_EPC); i++) {
        const struct line *own = line_find(device->own, words[i].word), *home = of_home(device, words[i].word);
        if (!own && strcmp(words[i].word, "ksm") == 0)
            own = line_find(device->guest->lines, "ksm"); /* of the machine */
        if (is_of(device, MODEL_VIRTIO_MEM) && strcmp(words[i].word, "reserve") == 0) {
            if (!says(own, "no"))
                not_carried(device, "numac reserves what is plugged", "what is reserved for all the memory");
        } else if (!is_said_alike(own, home)) {
            not_carried(device, "a memory device has this of its cell", words[i].what);
        }
    }
}

static void say_pages(struct device *device)
{
    const struct line *own = line_find(device->own, "pages"), *home = of_home(device, "pages");
    if (device->model->is_ram && !is_said_alike(own, home))
        say(device, "pages", own ? own->arguments[0] : "normal");
}

static bool has_huge_pages(const struct device *device)
{
    return line_find(device->own, "pages") != NULL;
}

/* Whether it says itself how it is shared. */
static bool say_access(struct device *device)
{
    bool is_shared = line_find(device->own, "access") != NULL, is_pmem = is_of(device, MODEL_VIRTIO_PMEM);
    bool is_expected = is_pmem || says(of_home(device, "access"), "shared");
    if (is_shared == is_expected || is_of(device, MODEL_SGX_EPC))
        return false;
    if (is_pmem) {
        not_carried(device, NULL, "that nothing reaches the file of the memory");
        return false;
    }
    say(device, "access", is_shared ? "shared" : "private");
    return true;
}

static bool is_discarded(const struct device *device)
{
    return device->model->is_ram && (line_find(device->own, "discard") || says(of_home(device, "discard"), "yes"));
}

static void say_discard(struct device *device)
{
    if (!line_find(device->own, "discard") || says(of_home(device, "discard"), "yes"))
        return;
    if (device->model->is_ram)
        say(device, "discard", "yes");
    else
        not_carried(device, "numac keeps such files", "that the content is dropped of the memory");
}

/* ---- where it comes from ---------------------------------------------------------------------------------------- */

enum origin { ORIGIN_RAM, ORIGIN_NAMELESS, ORIGIN_SHM };

/* A file of libvirt's own is as nameless as a memfd. */
static enum origin origin_of(const struct line *backing, bool is_shared)
{
    if (!backing)
        return is_shared ? ORIGIN_NAMELESS : ORIGIN_RAM;
    return says(backing, "anonymous") ? ORIGIN_RAM : says(backing, "shm") ? ORIGIN_SHM : ORIGIN_NAMELESS;
}

static void compare_source(struct device *device, bool says_access)
{
    const struct line *own = line_find(device->own, "backing"), *access = line_find(device->own, "access");
    if (!device->model->is_ram || has_huge_pages(device))
        return;
    if (own && line_find(own->children, "path")) {
        not_carried(device, "only an 'nvdimm' and a 'virtio-pmem' have files", "the file of the memory");
        return;
    }
    const struct line *home = of_home(device, "backing");
    enum origin wanted = origin_of(own, false), expected = origin_of(home, of_home(device, "access"));
    if (expected == ORIGIN_RAM && (access || says_access || is_discarded(device)))
        expected = ORIGIN_NAMELESS;
    if (wanted == expected)
        return;
    if (!home && wanted != ORIGIN_RAM && of_home(device, "pages")) /* huge pages come from nowhere else */
        argv_line(device->guest, list_of_home(device), "backing", "%s", wanted == ORIGIN_SHM ? "shm" : "memfd");
    else
        not_carried(device, "a memory device has this of its cell", "where it comes from, of the memory");
}

static void say_path(struct device *device)
{
    const struct property *path = option_take(device->backend->option, "mem-path");
    if (strcmp(device->backend->type, "memory-backend-file") != 0)
        not_carried(device, "numac takes a file for it", "the kind of the memory");
    if (path)
        argv_text_line(device->guest, &device->line->children, "path", path->value, path->where);
    else if (strcmp(device->backend->type, "memory-backend-file") == 0)
        argv_refuse(device->guest, device->backend->option->span, "write ',mem-path=...' into it",
                    "the backend '%.40s' lacks its file", device->backend->id);
}

/* ---- when it is taken ------------------------------------------------------------------------------------------- */

static uint64_t threads_of(const struct line *allocation)
{
    const struct line *said = allocation ? line_find(allocation->children, "threads") : NULL;
    uint64_t threads = 1;
    return line_argument(said) && text_number(said->arguments[0], &threads) ? threads : 1;
}

static bool is_expected_at_start(const struct device *device)
{
    const struct line *home = of_home(device, "allocation");
    return is_of(device, MODEL_SGX_EPC) || (is_of(device, MODEL_NVDIMM) && !device->is_pmem) ||
           (home ? says(home, "immediate") : has_huge_pages(device));
}

static void compare_allocation(struct device *device)
{
    const struct line *own = line_find(device->own, "allocation");
    bool is_immediate = says(own, "immediate");
    if (is_of(device, MODEL_VIRTIO_MEM)) {
        if (is_immediate)
            not_carried(device, "it is there when it is plugged", "that all is taken at start, of the memory");
        is_immediate = device->is_preallocated;
    }
    if (is_immediate != is_expected_at_start(device))
        not_carried(device, is_immediate ? "a memory device has this of its cell" : "numac takes it at start",
                    is_immediate ? "that all is taken at start, of the memory"
                                 : "that none is taken at start, of the memory");
    else if (is_immediate && !is_of(device, MODEL_VIRTIO_MEM) &&
             threads_of(own) != threads_of(of_home(device, "allocation")))
        not_carried(device, "a memory device has this of its cell", "how many threads take the memory");
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

/* What all cells have in common: their nodes, or where each is bound strictly, all of them; NULL for nothing. */
static const char *common_nodes(const struct argv_guest *guest, const char **out_policy)
{
    const struct line *first = NULL;
    bool are_alike = true, are_bound = true;
    hwloc_bitmap_t nodes = hwloc_bitmap_alloc();
    for (uint32_t i = 0; i < MAX(guest->cell_count, 1) && are_bound; i++) {
        const struct line *said = line_find(guest->cell_count ? guest->cells[i].line->children : guest->lines, "node");
        first = first ? first : said;
        are_bound = said && first && strcmp(said->arguments[1], first->arguments[1]) == 0;
        if (!are_bound)
            break;
        are_alike &= line_same(first, said);
        for (ids_each(text_set(guest->arena, said->arguments[0]), node))
            hwloc_bitmap_set(nodes, node);
    }
    const char *text = are_bound ? ids_text(guest->arena, ids_from_bitmap(guest->arena, nodes)) : NULL;
    hwloc_bitmap_free(nodes);
    *out_policy = first ? first->arguments[1] : "strict";
    return are_alike || strcmp(*out_policy, "strict") == 0 ? text : NULL;
}

static void say_nodes(struct device *device)
{
    struct line *own = line_find(device->own, "node"), *home = of_home(device, "node");
    static const char note[] = "a memory device has this of its cell", what[] = "the nodes of the memory";
    if (is_of(device, MODEL_VIRTIO_PMEM)) {
        const char *policy, *common = common_nodes(device->guest, &policy);
        if (own && common ? strcmp(own->arguments[0], common) != 0 || strcmp(own->arguments[1], policy) != 0
                          : own || common)
            not_carried(device, "it is on those that all cells have", what);
    } else if (!own && home) {
        not_carried(device, note, "that none is bound to a node, of the memory");
    } else if (own && !is_said_alike(own, home)) {
        struct line *said = say(device, "node", own->arguments[0]);
        if (strcmp(own->arguments[1], home ? home->arguments[1] : "strict") != 0)
            line_add_argument(device->guest->arena, said, own->arguments[1]);
    }
}

/* ---- what is of no cell ----------------------------------------------------------------------------------------- */

/* What all cells say, the guest may say for the memory of virtio-pmem too. */
static void share_with_guest(struct device *device, const char *word)
{
    struct argv_guest *guest = device->guest;
    const struct line *own = line_find(device->own, word);
    bool by_all = own && guest->cell_count && !line_find(guest->lines, word);
    for (uint32_t i = 0; i < guest->cell_count && by_all; i++)
        by_all = is_said_alike(line_find(guest->cells[i].line->children, word), own);
    if (!by_all)
        return;
    struct line *copy = line_new(guest->arena, word, NULL);
    copy->arguments = own->arguments;
    copy->count = own->count;
    copy->children = own->children;
    line_add(&guest->lines, copy);
}

static void share_words(struct device *device)
{
    static const char *const words[] = { "allocation", "dump", "reserve", "ksm" };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        share_with_guest(device, words[i]);
}

/* ---- what it says itself ---------------------------------------------------------------------------------------- */

static bool switch_of(struct device *device, struct option *option, const char *key)
{
    const struct property *property = option_take(option, key);
    bool state = false;
    return property && property_switch(device->guest, property, &state) && state;
}

static void say_switch(struct device *device, struct option *option, const char *key, const char *word)
{
    if (switch_of(device, option, key))
        say(device, word, "yes");
}

static void say_virtio_mem(struct device *device)
{
    argv_size_line(device->guest, device->option, "block-size", &device->line->children, "block");
    argv_size_line(device->guest, device->option, "requested-size", &device->line->children, "requested");
    say_switch(device, device->option, "dynamic-memslots", "dynamic-memslots");
}

static void say_nvdimm(struct device *device)
{
    struct option *file = device->backend->option;
    argv_size_line(device->guest, file, "align", &device->line->children, "align");
    if (device->is_pmem)
        say(device, "pmem", "yes");
    argv_size_line(device->guest, device->option, "label-size", &device->line->children, "label-size");
    say_switch(device, device->option, "unarmed", "readonly");
    const struct property *uuid = option_take(device->option, "uuid");
    if (uuid)
        argv_text_line(device->guest, &device->line->children, "uuid", uuid->value, uuid->where);
}

static void say_place(struct device *device)
{
    struct argv_guest *guest = device->guest;
    const struct property *slot = device->model->has_slot ? option_take(device->option, "slot") : NULL,
                          *address = device->model->driver
                                         ? option_take(device->option, device->model->has_slot ? "addr" : "memaddr")
                                         : NULL;
    uint64_t number;
    if (slot && property_number(guest, slot, ARGV_MEMORY_DEVICE_LIMIT - 1, &number))
        argv_line(guest, &device->line->children, "slot", "%" G_GUINT64_FORMAT, number);
    if (address && property_number(guest, address, UINT64_MAX, &number) && number)
        argv_line(guest, &device->line->children, "address", "0x%" G_GINT64_MODIFIER "x", number);
}

/* ---- a device --------------------------------------------------------------------------------------------------- */

static bool find_cell(struct device *device, const char *key)
{
    const struct property *said = option_take(device->option, key);
    struct argv_guest *guest = device->guest;
    uint64_t number;
    if (!said)
        return true; /* the first */
    if (guest->cell_count)
        return argv_cell_number(guest, device->option, key, &device->cell);
    return property_number(guest, said, 0, &number);
}

static bool find_backend(struct device *device, const char *key)
{
    const struct property *said = option_take(device->option, key);
    if (!said)
        return argv_refuse(device->guest, device->option->span, "write ',memdev=ID' into it",
                           "a memory device lacks its memory");
    device->backend = backend_named(device->guest, said);
    return device->backend;
}

static void say_own(struct device *device)
{
    if (is_of(device, MODEL_VIRTIO_PMEM))
        share_words(device);
    say_nodes(device);
    say_pages(device);
    bool says_access = say_access(device);
    say_discard(device);
    compare_source(device, says_access);
    compare_allocation(device);
    compare_switches(device);
    if (is_of(device, MODEL_VIRTIO_MEM))
        say_virtio_mem(device);
    if (device->model->is_file)
        say_path(device);
    if (is_of(device, MODEL_NVDIMM))
        say_nvdimm(device);
    say_place(device);
}

static void say_device(struct device *device, const char *memory_key, const char *cell_key)
{
    struct argv_guest *guest = device->guest;
    g_autofree char *name = domain_device_name(device->model->word, device->number);
    uint64_t bytes;
    device->option->is_carried = true;
    if (!find_backend(device, memory_key) || !backend_bytes(guest, device->backend, &bytes) ||
        (!is_of(device, MODEL_VIRTIO_PMEM) && !find_cell(device, cell_key)))
        return;
    device->line = argv_line(guest, &guest->lines, device->model->word, "%s", name);
    device->line->is_named = true;
    argv_line(guest, &device->line->children, "size", "%" G_GUINT64_FORMAT "KiB", bytes / KIB);
    if (!is_of(device, MODEL_VIRTIO_PMEM))
        argv_line(guest, &device->line->children, "cell", "%u", device->cell);
    device->is_preallocated = is_of(device, MODEL_VIRTIO_MEM) && switch_of(device, device->option, "prealloc");
    device->is_pmem = is_of(device, MODEL_NVDIMM) && switch_of(device, device->backend->option, "pmem");
    if (device->model->is_file || is_of(device, MODEL_SGX_EPC))
        backend_lines_beside_source(guest, device->backend, &device->own);
    else
        backend_lines(guest, device->backend, &device->own);
    say_own(device);
    backend_done(guest, device->backend);
    if (!device->model->driver)
        return;
    option_take(device->option, "id");
    argv_leave_unused(guest, device->option, NULL);
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

static const struct model *model_of(struct option *option)
{
    const char *driver = option_text(option, "driver");
    for (size_t i = 0; driver && i < MODELS; i++)
        if (models[i].driver && g_str_has_prefix(driver, models[i].driver))
            return &models[i];
    return NULL;
}

static bool is_room_for(struct argv_guest *guest, const struct model *model, struct span where, uint32_t count)
{
    if (count == ARGV_MEMORY_DEVICE_LIMIT) {
        struct finding *finding =
            argv_report(guest, NM_argv_limit, where, "more than %d memory devices", ARGV_MEMORY_DEVICE_LIMIT);
        finding_help(guest->findings, finding, "make fewer and larger ones");
        return false;
    }
    if (model == &models[MODEL_NVDIMM] && !guest->has_nvdimm)
        return argv_refuse(guest, where, "write 'nvdimm=on' into -machine", "an NVDIMM on a machine without");
    return !model->driver || guest->max_memory_bytes ||
           argv_refuse(guest, where, "add ',slots=1,maxmem=...' to -m",
                       "a memory device of a guest without room for it");
}

static const char *section_key(const struct argv_guest *guest, uint32_t number, const char *of)
{
    return arena_printf(guest->arena, "sgx-epc.%u.%s", number, of);
}

/* The -machine that says it, or NULL. */
static struct option *section(const struct argv_guest *guest, uint32_t number)
{
    const char *key = section_key(guest, number, "memdev");
    struct option *found = NULL;
    for (struct option *option = argv_next(guest, ARGV_MACHINE, NULL); option;
         option = argv_next(guest, ARGV_MACHINE, option))
        if (option_take(option, key))
            found = option;
    return found;
}

static uint32_t say_sections(struct argv_guest *guest, uint32_t count)
{
    struct option *option;
    for (uint32_t number = 0; !guest->failed && (option = section(guest, number)); number++, count++) {
        struct device device = { .guest = guest, .option = option, .model = &models[MODEL_SGX_EPC], .number = number };
        if (is_room_for(guest, device.model, option->span, count))
            say_device(&device, section_key(guest, number, "memdev"), section_key(guest, number, "node"));
    }
    return count;
}

static uint32_t say_devices(struct argv_guest *guest)
{
    uint32_t numbers[MODELS] = { 0 }, count = 0;
    for (struct option *option = argv_next(guest, ARGV_DEVICE, NULL); option && !guest->failed;
         option = argv_next(guest, ARGV_DEVICE, option)) {
        const struct model *model = model_of(option);
        if (!model || !is_room_for(guest, model, option->span, count))
            continue;
        struct device device = { .guest = guest, .option = option, .model = model };
        device.number = numbers[model - models]++;
        say_device(&device, "memdev", "node");
        count++;
    }
    if (!numbers[MODEL_NVDIMM] && guest->has_nvdimm)
        argv_leave_out(guest, guest->nvdimm_span, "-machine nvdimm");
    return say_sections(guest, count);
}

/* ---- room ------------------------------------------------------------------------------------------------------- */

static uint64_t bytes_of_sections(struct argv_guest *guest)
{
    uint64_t sum = guest->memory_bytes, kib;
    for (const struct line *line = line_find(guest->lines, "sgx-epc"); line; line = line_find(line->next, "sgx-epc"))
        if (text_kib(line->children->arguments[0], &kib) && __builtin_add_overflow(sum, kib * KIB, &sum))
            sum = UINT64_MAX;
    return sum;
}

/* Memory of SGX takes none of it in QEMU; in libvirt, which wants a maximum, it does. */
static void say_room(struct argv_guest *guest, uint32_t device_count)
{
    uint64_t most = guest->max_memory_bytes;
    struct line *memory = line_find(guest->lines, "memory");
    if (!device_count && !most)
        return;
    if (!device_count && !guest->memory_slots) {
        argv_not_carried(guest, guest->room_span, "a site has slots for it", "room for memory that no slot takes");
        return;
    }
    if (!memory)
        memory = line_add(&guest->lines, line_new(guest->arena, "memory", NULL));
    argv_line(guest, &memory->children, "max", "%" G_GUINT64_FORMAT "KiB",
              (most ? most : bytes_of_sections(guest)) / KIB);
    if (guest->memory_slots)
        argv_line(guest, &memory->children, "slots", "%" G_GUINT64_FORMAT, guest->memory_slots);
}

void argv_memory_devices(struct argv_guest *guest)
{
    uint32_t count = say_devices(guest);
    if (!guest->failed)
        say_room(guest, count);
}
