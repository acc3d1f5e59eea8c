/* SPDX-License-Identifier: MIT
 *
 * A domain XML as the items of a guest: the lowest layer of one that has it as its `base`.  Only what the language
 * can say of memory and CPUs becomes an item; the rest stays in the base, and a hint tells of what would constrain.
 */
#include "base/architecture.h"
#include "syntax/domain.h"

#include <string.h>

/* ---- vCPUs and where they run ----------------------------------------------------------------------------------- */

/* libvirt asks numad once for the whole guest, and refuses to bind a cell beside that. */
static void tell_numad(struct domain *domain, const struct text_value *placement, const struct element *cell)
{
    struct finding *finding = domain_report(domain, NM_base_numad, placement->where,
                                            "numad chooses the memory of the whole guest, and a cell is bound too");
    finding_label(domain->findings, finding, domain_span(domain, element_extent(cell)), "bound");
    finding_note(domain->findings, finding, "libvirt refuses this domain");
    finding_help(domain->findings, finding, "remove placement='auto', or the <memnode>");
}

/* The CPUs and nodes of the whole guest.  Memory follows vCPUs that are left to numad, where it has no nodes. */
static void add_placement(struct domain *domain, struct item_list *top)
{
    const struct element *vcpu = domain_first(domain, PART_VCPU), *memory = domain_first(domain, PART_NUMATUNE_MEMORY),
                         *cell = domain_first(domain, PART_MEMNODE);
    const struct text_value *vcpu_auto = vcpu ? element_value(vcpu, "placement") : NULL;
    const struct text_value *memory_auto = memory ? element_value(memory, "placement") : NULL;
    const struct text_value *set = vcpu ? element_value(vcpu, "cpuset") : NULL;
    bool vcpu_by_numad = vcpu_auto && value_is(vcpu_auto, "auto"),
         memory_by_numad = memory_auto && value_is(memory_auto, "auto");
    struct word word;
    if (vcpu_by_numad && (!memory || !element_value(memory, "nodeset")->text))
        memory_by_numad |= !memory_auto || !value_is(memory_auto, "static");
    if (memory_by_numad && cell)
        tell_numad(domain, vcpu_by_numad ? vcpu_auto : memory_auto, cell);
    if (vcpu_by_numad) {
        word = word_named(domain, vcpu_auto->where, "numad");
        item_add(NULL, top, item_of(domain, word_named(domain, vcpu_auto->name, "cpus"), &word, 1));
    } else if (set && set->text && word_set(domain, set, "a set of CPUs", &word)) {
        item_add(NULL, top, item_of(domain, word_named(domain, set->name, "cpus"), &word, 1));
    } else if (memory_by_numad && vcpu_auto && value_is(vcpu_auto, "static")) {
        struct finding *finding =
            domain_written_over(domain, vcpu_auto->where, "vCPUs that float while numad chooses the memory");
        finding_note(domain->findings, finding, "numad would choose their CPUs too");
        finding_help(domain->findings, finding, "name the CPUs in 'cpuset'");
    }
    bool is_told = memory_by_numad && cell;
    struct item *policy = memory && !is_told ? policy_item(domain, memory, memory_by_numad) : NULL;
    if (policy)
        item_add(NULL, top, policy);
}

/* "9" and "09" are one vCPU to libvirt, too. */
static bool is_pinned_once(struct domain *domain, GHashTable *pinned, uint64_t id, const struct text_value *vcpu)
{
    const struct text_value *before = g_hash_table_lookup(pinned, GUINT_TO_POINTER(id));
    g_hash_table_insert(pinned, GUINT_TO_POINTER(id), (gpointer)(uintptr_t)vcpu);
    if (!before)
        return true;
    struct finding *finding =
        domain_report(domain, NM_base_repeated, vcpu->where, "vCPU %" G_GUINT64_FORMAT " is pinned twice", id);
    finding_label(domain->findings, finding, domain_span(domain, before->where), "first here");
    finding_note(domain->findings, finding, "libvirt refuses it");
    finding_help(domain->findings, finding, "keep one of the two");
    return false;
}

static void add_pins(struct domain *domain, struct item_list *top)
{
    const struct element *first = domain_first(domain, PART_VCPUPIN);
    if (!first)
        return;
    struct item *pin = item_of(domain, word_named(domain, first->name, "pin"), NULL, 0);
    g_autoptr(GHashTable) pinned = g_hash_table_new(NULL, NULL);
    struct item_list rows = { 0 };
    for (const struct element *element = first; element; element = element->next) {
        const struct text_value *vcpu = domain_needed(domain, element, "vcpu"),
                                *set = vcpu ? domain_needed(domain, element, "cpuset") : NULL;
        uint64_t id;
        struct word word;
        if (set && domain_whole(domain, vcpu, "the number of a vCPU", UINT32_MAX, &id) &&
            is_pinned_once(domain, pinned, id, vcpu) && word_set(domain, set, "a set of CPUs", &word))
            item_add(pin, &rows, item_of(domain, word_value(domain, vcpu), &word, 1));
    }
    if (rows.first)
        item_add(NULL, top, pin);
}

/* ---- backing ---------------------------------------------------------------------------------------------------- */

static void add_choice(struct domain *domain, struct item_list *top, enum part part, const char *attribute,
                       const char *name)
{
    const struct element *element = domain_first(domain, part);
    const struct text_value *value = element ? element_value(element, attribute) : NULL;
    if (value && value->text)
        item_add(NULL, top, item_with(domain, element, name, word_value(domain, value)));
}

static void add_flag(struct domain *domain, struct item_list *top, enum part part, const char *name, const char *state)
{
    const struct element *element = domain_first(domain, part);
    if (element)
        item_add(NULL, top, item_with(domain, element, name, word_implied(domain, element, SLOT_VALUE, state)));
}

static void add_allocation(struct domain *domain, struct item_list *top)
{
    const struct element *element = domain_first(domain, PART_ALLOCATION);
    if (!element)
        return;
    const struct text_value *mode = element_value(element, "mode"), *threads = element_value(element, "threads");
    struct word name = word_named(domain, element->name, "allocation"), word;
    struct item *item;
    if (mode->text) {
        word = word_value(domain, mode);
        item = item_of(domain, name, &word, 1);
    } else {
        item = item_of(domain, name, NULL, 0);
    }
    if (threads->text) {
        struct item_list block = { 0 };
        word = word_value(domain, threads);
        item_add(item, &block, item_of(domain, word_named(domain, threads->name, "threads"), &word, 1));
    }
    if (mode->text || threads->text)
        item_add(NULL, top, item);
}

/* A limit without locking stays in the base: the language has it only as part of `locked`. */
static void add_locked(struct domain *domain, struct item_list *top)
{
    static const uint64_t unlimited = UINT64_C(9007199254740991); /* KiB: how libvirt writes that there is none */
    const struct element *locked = domain_first(domain, PART_LOCKED), *limit = domain_first(domain, PART_HARD_LIMIT);
    uint64_t kib;
    if (!locked)
        return;
    add_flag(domain, top, PART_LOCKED, "locked", "yes");
    struct item *item = top->last;
    struct item_list block = { 0 };
    if (limit && domain_size(domain, &limit->content, element_value(limit, "unit"), "a size of memory", &kib) &&
        kib < unlimited)
        item_add(item, &block, item_with(domain, limit, "hard-limit", word_size(domain, &limit->content, kib)));
}

static void add_default_pages(struct domain *domain, struct item_list *top)
{
    const struct element *hugepages = domain_first(domain, PART_HUGEPAGES);
    if (!hugepages || domain_first(domain, PART_PAGE))
        return;
    item_add(NULL, top, item_with(domain, hugepages, "pages", word_implied(domain, hugepages, SLOT_VALUE, "2MiB")));
    struct finding *finding = domain_report(domain, NM_base_default_pages, element_extent(hugepages),
                                            "the base asks for huge pages of the host's default size: taken as 2MiB");
    finding_note(domain->findings, finding, "the default size is set on the host, and no recording tells it");
    finding_help(domain->findings, finding,
                 "write <hugepages><page size='2' unit='MiB'/></hugepages>, or the size that is meant");
}

static void add_backing(struct domain *domain, struct item_list *top)
{
    add_default_pages(domain, top);
    add_choice(domain, top, PART_SOURCE, "type", "backing");
    add_choice(domain, top, PART_ACCESS, "mode", "access");
    add_allocation(domain, top);
    add_flag(domain, top, PART_DISCARD, "discard", "yes");
    add_flag(domain, top, PART_NOSHAREPAGES, "ksm", "no");
    add_locked(domain, top);
}

/* ---- what the base rules ---------------------------------------------------------------------------------------- */

static struct base_value ruled_by(const struct domain *domain, const struct text_value *value)
{
    if (!value || !value->text || !*value->text)
        return (struct base_value){ 0 };
    return (struct base_value){ value->text, domain_span(domain, value->where) };
}

static struct base_value ruled_cpu(const struct domain *domain, const struct base_value *ruled)
{
    const struct element *cpu = domain_first(domain, PART_CPU), *model = domain_first(domain, PART_CPU_MODEL);
    struct base_value mode = ruled_by(domain, cpu ? element_value(cpu, "mode") : NULL);
    if (mode.text && strcmp(mode.text, "maximum") == 0)
        mode.text = "max"; /* the word of the language */
    if (mode.text && strcmp(mode.text, "custom") != 0)
        return mode;
    struct base_value named = ruled_by(domain, model ? &model->content : NULL);
    const struct architecture *architecture = architecture_of(ruled[BASE_ARCH].text);
    if (!named.text)
        named.text = architecture->plain_cpu;
    if (!named.text)
        named.text = strcmp(ruled[BASE_ACCEL].text, "kvm") == 0 ? "host-passthrough"
                     : architecture->tcg_cpu                    ? architecture->tcg_cpu
                                                                : architecture->emulated_cpu;
    return named;
}

static void rule(const struct domain *domain, struct base_value *ruled)
{
    const struct element *type = domain_first(domain, PART_OS_TYPE);
    ruled[BASE_ARCH] = ruled_by(domain, type ? element_value(type, "arch") : NULL);
    ruled[BASE_MACHINE] = ruled_by(domain, type ? element_value(type, "machine") : NULL);
    ruled[BASE_ACCEL] = ruled_by(domain, element_value(domain_first(domain, PART_DOMAIN), "type"));
    if (!ruled[BASE_ARCH].text)
        ruled[BASE_ARCH].text = "x86_64";
    if (!ruled[BASE_MACHINE].text)
        ruled[BASE_MACHINE].text = architecture_of(ruled[BASE_ARCH].text)->libvirt_machine;
    if (!ruled[BASE_ACCEL].text || strcmp(ruled[BASE_ACCEL].text, "qemu") != 0)
        ruled[BASE_ACCEL].text = "kvm";
    else
        ruled[BASE_ACCEL].text = "tcg";
    ruled[BASE_CPU] = ruled_cpu(domain, ruled);
}

/* What the cells come to, for a guest that takes them all away; the memory itself may be wrong (NM1233). */
static struct item *total_of_cells(struct domain *domain, uint64_t cells_kib)
{
    const struct element *memory = domain_first(domain, PART_MEMORY), *numa = domain_first(domain, PART_NUMA);
    if (!cells_kib)
        return NULL;
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT "KiB", cells_kib);
    const struct element *said = memory ? memory : numa; /* a cell's own tag stands for its other words */
    return item_with(domain, said, "memory", word_implied(domain, said, SLOT_VALUE, text));
}

/* What SMBIOS tells is that of a guest that says none; libvirt refuses two that differ. */
static const struct element *find_uuid(const struct domain *domain)
{
    const struct element *uuid = domain_first(domain, PART_UUID);
    for (const struct element *one = domain_first(domain, PART_SYSINFO_ENTRY); one && !uuid; one = one->next)
        uuid = value_is(element_value(one, "name"), "uuid") && *one->content.text ? one : NULL;
    return uuid;
}

static void add_items(struct domain *domain, struct item_list *top, struct tree *tree, struct domain_identity *identity)
{
    const struct element *uuid = find_uuid(domain);
    uint64_t cells_kib = 0;
    struct item_list cells = { 0 };
    if (uuid)
        domain_uuid(domain, &uuid->content, &identity->uuid);
    cells_to_items(domain, &cells, &cells_kib);
    tree->total = total_of_cells(domain, cells_kib);
    memory_to_items(domain, top, cells_kib, identity);
    vcpus_to_items(domain, top);
    add_placement(domain, top);
    add_pins(domain, top);
    threads_to_items(domain, top);
    resctrls_to_items(domain, top);
    devices_to_items(domain, top, identity);
    add_backing(domain, top);
    memory_devices_to_items(domain, top);
    domain_tell_arguments(domain);
    if (!cells.first)
        return;
    *top = list_append(*top, cells.first);
    top->last = cells.last;
}

static void tell_length(struct domain *domain, uint32_t length)
{
    struct extent where = { domain->where.begin, domain->where.begin + 1 };
    struct finding *finding = domain_report(domain, NM_base_limit, where, "a guest of %u bytes: at most %u are read",
                                            length, (unsigned)BASE_BYTES_LIMIT);
    finding_help(domain->findings, finding,
                 "a guest's XML is never so large: give the XML that 'virsh dumpxml' prints");
}

static void identify(const struct domain *domain, struct domain_identity *identity)
{
    const struct element *root = domain_first(domain, PART_DOMAIN), *name = domain_first(domain, PART_NAME);
    identity->name_span = domain_span(domain, name ? name->content.where : element_extent(root));
    if (name && *name->content.text)
        identity->name = name->content.text;
}

struct tree *read_domain_part(struct syntax *syntax, struct span where, struct domain_identity *out_identity,
                              struct domain_beside *out_beside)
{
    struct tree *tree = arena_take(syntax->arena, struct tree);
    struct domain *domain = arena_take(syntax->arena, struct domain);
    *tree = (struct tree){ .file = where.file };
    *out_identity = (struct domain_identity){ 0 };
    domain->syntax = syntax;
    domain->findings = syntax->findings;
    domain->file = where.file;
    domain->text = source_at(syntax->sources, where.file)->text;
    domain->where = (struct extent){ where.begin, where.end };
    domain->left = out_beside ? g_array_new(FALSE, FALSE, sizeof(struct domain_left)) : NULL;
    struct item_list top = { 0 };
    if (where.end - where.begin > BASE_BYTES_LIMIT) {
        tell_length(domain, where.end - where.begin);
    } else if (domain_parse(domain)) {
        identify(domain, out_identity);
        add_items(domain, &top, tree, out_identity);
        rule(domain, tree->ruled);
        if (out_beside)
            domain_say_beside(domain, out_beside);
    }
    if (domain->left)
        g_array_free(domain->left, TRUE);
    tree->items = top.first;
    tree->failed = domain->failed;
    return tree;
}

struct tree *read_domain(struct syntax *syntax, uint32_t file, struct domain_identity *out_identity)
{
    const struct source *source = source_at(syntax->sources, file);
    *out_identity = (struct domain_identity){ 0 };
    if (source->trouble != SOURCE_FINE || source->length > BASE_BYTES_LIMIT) {
        struct tree *tree = arena_take(syntax->arena, struct tree);
        *tree = (struct tree){ .file = file, .failed = true };
        report_trouble(syntax, file, BASE_BYTES_LIMIT);
        return tree;
    }
    return read_domain_part(syntax, (struct span){ file, 0, source->length }, out_identity, NULL);
}
