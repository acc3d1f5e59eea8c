/* SPDX-License-Identifier: MIT
 *
 * The memory of a domain XML as items: what it comes to, what it can grow to, where the balloon starts, and memory
 * devices.  Devices of models that the language does not have stay in the base.
 */
#include "base/architecture.h"
#include "syntax/domain.h"

#include <string.h>

/* Memory is plugged into cells: without them libvirt itself takes it on few machines, and the language has no word. */
static bool has_cells(const struct domain *domain)
{
    return domain_first(domain, PART_CELL) != NULL;
}

static const struct architecture *architecture_here(const struct domain *domain)
{
    const struct element *type = domain_first(domain, PART_OS_TYPE);
    const struct text_value *arch = type ? element_value(type, "arch") : NULL;
    return architecture_of(arch && arch->text ? arch->text : "x86_64");
}

/* Without a base the one cell that some machines have anyway can be said; a base goes on without it. */
static bool takes_memory(const struct domain *domain)
{
    return has_cells(domain) || (domain->left && architecture_here(domain)->is_one_cell);
}

void domain_tell_kept(struct domain *domain, struct extent where, const char *what)
{
    if (domain->left) {
        domain_tell_lost(domain, where, what);
        return;
    }
    struct finding *finding =
        domain_report(domain, NM_base_kept, where, "%s: kept as it stands in the base, and not checked", what);
    finding_note(domain->findings, finding, "the language has no word for it in this version");
    finding_help(domain->findings, finding, "see that it fits the plan, or remove it from the base");
}

/* ---- totals ----------------------------------------------------------------------------------------------------- */

/* Memory devices are part of `<memory>` but of no cell. */
static uint64_t devices_kib(struct domain *domain)
{
    uint64_t sum = 0, kib;
    for (const struct element *size = domain_first(domain, PART_SIZE); size; size = size->next)
        if (domain_size(domain, &size->content, element_value(size, "unit"), "a size of memory", &kib) &&
            __builtin_add_overflow(sum, kib, &sum))
            sum = UINT64_MAX;
    return sum;
}

static const char *kib_text(const struct domain *domain, uint64_t kib)
{
    return size_text(domain->syntax->arena, MIN(kib, UINT64_MAX / KIB) * KIB);
}

static void tell_sum(struct domain *domain, const struct element *memory, uint64_t kib, uint64_t sum, bool has_devices)
{
    struct finding *finding =
        domain_report(domain, NM_base_memory, memory->content.where, "the memory is %s, the cells%s have %s",
                      kib_text(domain, kib), has_devices ? " and memory devices" : "", kib_text(domain, sum));
    finding_label(domain->findings, finding, domain_span(domain, element_extent(domain_first(domain, PART_CELL))),
                  "the first cell");
    finding_note(domain->findings, finding,
                 "libvirt would replace the memory by the sum of the cells, and so does numac");
    finding_help(domain->findings, finding,
                 "write <memory unit='KiB'>%" G_GUINT64_FORMAT "</memory>, or mend the cells", sum);
}

static void tell_no_memory(struct domain *domain, const struct element *memory, uint64_t kib, uint64_t devices)
{
    struct finding *finding = domain_report(domain, NM_base_value, memory->content.where,
                                            "the memory of %s is not more than that of the memory devices, %s",
                                            kib_text(domain, kib), kib_text(domain, devices));
    finding_help(domain->findings, finding, "the memory is the sum of all: make it larger, or remove devices");
}

/* `max`, `slots` and `current` in the block of `memory`. */
static void add_growth(struct domain *domain, struct item *item, uint64_t total_kib, struct domain_identity *identity)
{
    const struct element *max = domain_first(domain, PART_MAX_MEMORY),
                         *current = domain_first(domain, PART_CURRENT_MEMORY);
    struct item_list block = { 0 };
    uint64_t kib;
    if (max && !takes_memory(domain)) {
        domain_tell_kept(domain, element_extent(max), "room for memory devices of a guest without cells");
        identity->kept_max = domain_span(domain, max->content.where);
        if (domain_size(domain, &max->content, element_value(max, "unit"), "a size of memory", &kib))
            identity->kept_max_bytes = MIN(kib, UINT64_MAX / KIB) * KIB;
        max = NULL;
    }
    if (max && domain_size(domain, &max->content, element_value(max, "unit"), "a size of memory", &kib)) {
        const struct text_value *slots = element_value(max, "slots");
        item_add(item, &block, item_with(domain, max, "max", word_size(domain, &max->content, kib)));
        struct word word = slots->text ? word_value(domain, slots) : (struct word){ 0 };
        if (slots->text)
            item_add(item, &block, item_of(domain, word_named(domain, slots->name, "slots"), &word, 1));
    }
    if (current && domain_size(domain, &current->content, element_value(current, "unit"), "a size of memory", &kib) &&
        kib < total_kib)
        item_add(item, &block, item_with(domain, current, "current", word_size(domain, &current->content, kib)));
}

/* With cells they say it; the total is then only compared. */
void memory_to_items(struct domain *domain, struct item_list *top, uint64_t cells_kib, struct domain_identity *identity)
{
    const struct element *memory = domain_first(domain, PART_MEMORY), *max = domain_first(domain, PART_MAX_MEMORY);
    uint64_t kib, devices = devices_kib(domain), sum;
    bool in_cells = has_cells(domain), says_size = false;
    if (__builtin_add_overflow(cells_kib, devices, &sum))
        sum = UINT64_MAX;
    if (memory && domain_size(domain, &memory->content, element_value(memory, "unit"), "a size of memory", &kib)) {
        if (in_cells && cells_kib && sum != kib)
            tell_sum(domain, memory, kib, sum, devices > 0);
        else if (!in_cells && devices && devices >= kib)
            tell_no_memory(domain, memory, kib, devices);
        else
            says_size = !in_cells;
        if (!in_cells)
            sum = kib;
    }
    struct word name = memory ? word_named(domain, memory->name, "memory") : (struct word){ 0 }, size;
    if (!memory && max)
        name = word_implied(domain, max, SLOT_VALUE, "memory");
    if (!memory && !max)
        return;
    if (says_size)
        size = word_size(domain, &memory->content, kib - devices);
    struct item *item = item_of(domain, name, &size, says_size);
    add_growth(domain, item, sum, identity);
    if (says_size || item->has_block)
        item_add(NULL, top, item);
}

/* ---- memory devices --------------------------------------------------------------------------------------------- */

static const char *const models[] = { "dimm", "virtio-mem", "nvdimm", "virtio-pmem", "sgx-epc" };
enum { MODELS = G_N_ELEMENTS(models), MODEL_VIRTIO_MEM = 1, MODEL_NVDIMM = 2, MODEL_VIRTIO_PMEM = 3 };

char *domain_device_name(const char *model, uint32_t number)
{
    return g_strdup_printf("%s%u", model, number);
}

struct device {
    struct domain *domain;
    const struct element *element, *source, *target;
    struct item *item;
    struct item_list block;
    unsigned model;
};

/* The part of this kind below an element, or NULL.  There are few devices, so few of each part. */
static const struct element *part_of(const struct device *device, enum part part, const struct element *parent)
{
    const struct element *element = domain_first(device->domain, part);
    while (element && element->parent != parent)
        element = element->next;
    return parent ? element : NULL;
}

static void add(struct device *device, struct item *item)
{
    item_add(device->item, &device->block, item);
}

static void add_size(struct device *device, enum part part, const struct element *parent, const char *name)
{
    const struct element *element = part_of(device, part, parent);
    uint64_t kib;
    if (element &&
        domain_size(device->domain, &element->content, element_value(element, "unit"), "a size of memory", &kib))
        add(device, item_with(device->domain, element, name, word_size(device->domain, &element->content, kib)));
}

static void add_content(struct device *device, enum part part, const struct element *parent, const char *name)
{
    const struct element *element = part_of(device, part, parent);
    if (element && element->content.length)
        add(device, item_with(device->domain, element, name, word_value(device->domain, &element->content)));
}

static void add_state(struct device *device, enum part part, const struct element *parent, const char *name)
{
    const struct element *element = part_of(device, part, parent);
    if (element)
        add(device, item_with(device->domain, element, name, word_implied(device->domain, element, SLOT_VALUE, "yes")));
}

static void add_attribute(struct device *device, const struct element *element, const char *attribute, const char *name)
{
    const struct text_value *value = element ? element_value(element, attribute) : NULL;
    if (!value || !value->text)
        return;
    struct word word = word_value(device->domain, value);
    add(device, item_of(device->domain, word_named(device->domain, value->name, name), &word, 1));
}

/* libvirt takes it in any base; the language only in one. */
static void add_address(struct device *device, const struct element *element)
{
    const struct text_value *base = element ? element_value(element, "base") : NULL;
    char *end;
    if (!base || !base->text)
        return;
    uint64_t address = g_ascii_strtoull(base->text, &end, 0);
    g_autofree char *text = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", address);
    struct word word = *end ? word_value(device->domain, base) : word_named(device->domain, base->where, text);
    add(device, item_of(device->domain, word_named(device->domain, base->name, "address"), &word, 1));
}

/* libvirt says the size of the normal pages too. */
static void add_pages(struct device *device)
{
    const struct element *element = part_of(device, PART_PAGESIZE, device->source);
    struct domain *domain = device->domain;
    uint64_t kib;
    if (!element || !domain_size(domain, &element->content, element_value(element, "unit"), "a size of pages", &kib))
        return;
    struct word word = kib == architecture_here(domain)->normal_page / KIB
                           ? word_named(domain, element->content.where, "normal")
                           : word_size(domain, &element->content, kib);
    add(device, item_with(domain, element, "pages", word));
}

static void add_nodes(struct device *device)
{
    const struct element *element = part_of(device, PART_NODEMASK, device->source);
    struct word word;
    if (element && word_set(device->domain, &element->content, "a set of nodes", &word))
        add(device, item_with(device->domain, element, "node", word));
}

/* A base keeps it: libvirt has it on some machines only. */
static void add_uuid(struct device *device)
{
    const struct element *element = part_of(device, PART_DEVICE_UUID, device->element);
    struct domain *domain = device->domain;
    const char *uuid;
    if (!element || !domain->left)
        return;
    if (device->model != MODEL_NVDIMM)
        domain_tell_lost(domain, element_extent(element), "the UUID of a memory device");
    else if (domain_uuid(domain, &element->content, &uuid))
        add(device, item_with(domain, element, "uuid", word_named(domain, element->content.where, uuid)));
}

static void add_model(struct device *device)
{
    const struct element *label = part_of(device, PART_LABEL, device->target),
                         *address = part_of(device, PART_DEVICE_ADDRESS, device->element);
    bool is_file = device->model == MODEL_NVDIMM || device->model == MODEL_VIRTIO_PMEM;
    if (device->model == MODEL_VIRTIO_MEM) {
        add_size(device, PART_BLOCK, device->target, "block");
        add_size(device, PART_REQUESTED, device->target, "requested");
        add_attribute(device, device->target, "dynamicMemslots", "dynamic-memslots");
    }
    if (is_file)
        add_content(device, PART_PATH, device->source, "path");
    if (device->model == MODEL_NVDIMM) {
        add_size(device, PART_ALIGNSIZE, device->source, "align");
        add_state(device, PART_PMEM, device->source, "pmem");
        add_size(device, PART_LABEL_SIZE, label, "label-size");
        add_state(device, PART_READONLY, device->target, "readonly");
    }
    add_uuid(device);
    if (device->model == MODEL_VIRTIO_MEM || device->model == MODEL_VIRTIO_PMEM) {
        add_address(device, part_of(device, PART_TARGET_ADDRESS, device->target));
    } else if (address && value_is(element_value(address, "type"), "dimm")) {
        add_attribute(device, address, "slot", "slot");
        add_address(device, address);
    }
}

static void add_device(struct domain *domain, struct item_list *top, const struct element *element, unsigned model,
                       uint32_t number)
{
    struct device device = { .domain = domain, .element = element, .model = model };
    bool is_file = model == MODEL_NVDIMM || model == MODEL_VIRTIO_PMEM;
    g_autofree char *label = domain_device_name(models[model], number);
    device.source = part_of(&device, PART_DEVICE_SOURCE, element);
    device.target = part_of(&device, PART_TARGET, element);
    device.item = item_with(domain, element, models[model], word_implied(domain, element, SLOT_LABEL, label));
    item_add(NULL, top, device.item);
    add_size(&device, PART_SIZE, device.target, "size");
    if (model != MODEL_VIRTIO_PMEM && has_cells(domain))
        add_content(&device, PART_TARGET_NODE, device.target, "cell");
    else if (model != MODEL_VIRTIO_PMEM && device.target)
        add(&device, item_with(domain, device.target, "cell", word_implied(domain, device.target, SLOT_VALUE, "0")));
    if (!is_file) {
        add_nodes(&device);
        add_pages(&device);
    }
    add_attribute(&device, element, "access", "access");
    if (!is_file)
        add_attribute(&device, element, "discard", "discard");
    add_model(&device);
}

static bool says_node(struct domain *domain, const struct element *element)
{
    for (const struct element *node = domain_first(domain, PART_TARGET_NODE); node; node = node->next)
        if (node->parent->parent == element)
            return true;
    return false;
}

static bool refuse_many(struct domain *domain)
{
    const struct part_list *list = &domain->parts[PART_DEVICE_MEMORY];
    if (list->count <= DOMAIN_DEVICE_LIMIT)
        return false;
    struct finding *finding = domain_report(domain, NM_base_limit, element_extent(list->first),
                                            "the base has %u memory devices: at most %u are read", list->count,
                                            (unsigned)DOMAIN_DEVICE_LIMIT);
    finding_note(domain->findings, finding, "QEMU gives a guest at most %u slots", (unsigned)DOMAIN_DEVICE_LIMIT);
    finding_help(domain->findings, finding, "make fewer and larger ones");
    return true;
}

void memory_devices_to_items(struct domain *domain, struct item_list *top)
{
    uint32_t numbers[MODELS] = { 0 };
    if (refuse_many(domain))
        return;
    for (const struct element *element = domain_first(domain, PART_DEVICE_MEMORY); element; element = element->next) {
        const struct text_value *model = domain_needed(domain, element, "model");
        unsigned found = 0;
        while (model && found < MODELS && !value_is(model, models[found]))
            found++;
        if (!model)
            continue;
        bool is_known = found < MODELS;
        bool has_place = found == MODEL_VIRTIO_PMEM || !has_cells(domain) || says_node(domain, element);
        if (is_known && takes_memory(domain) && has_place)
            add_device(domain, top, element, found, numbers[found]);
        else
            domain_tell_kept(domain, element_extent(element),
                             is_known ? "a memory device of no cell" : "a memory device");
        if (is_known)
            numbers[found]++;
    }
}
