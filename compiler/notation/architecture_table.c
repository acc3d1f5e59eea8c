/* SPDX-License-Identifier: MIT
 *
 * The table of docs/language.md that tells what guests of each architecture can have, from base/architecture.c.
 */
#include "base/architecture.h"
#include "model/model.h"
#include "notation/notation.h"

/* Appends `text` behind a comma where the field has something already. */
static void add(GString *out, size_t begin, const char *text)
{
    g_string_append_printf(out, "%s%s", out->len > begin ? ", " : "", text);
}

static void append_machines(GString *out, const struct architecture *architecture)
{
    size_t begin = out->len;
    for (const struct machine_family *family = architecture->families; family->name; family++) {
        g_autofree char *text = g_strdup_printf("`%s` (%u)", family->name, family->vcpus_most);
        add(out, begin, text);
    }
}

static void append_levels(GString *out, const struct architecture *architecture)
{
    static const struct {
        unsigned level; /* 0: every machine has it */
        const char *name;
    } levels[] = { { CPU_DRAWERS, "drawers" },   { CPU_BOOKS, "books" },     { 0, "sockets" }, { CPU_DIES, "dies" },
                   { CPU_CLUSTERS, "clusters" }, { CPU_MODULES, "modules" }, { 0, "cores" } };
    size_t begin = out->len;
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        if (!levels[i].level || (architecture->levels & levels[i].level))
            add(out, begin, levels[i].name);
    if (architecture->threads_most != 1)
        add(out, begin, "threads");
    if (architecture->threads_most > 1)
        g_string_append_printf(out, " (1 to %u)", architecture->threads_most);
}

static void append_pages(GString *out, struct arena *arena, const struct architecture *architecture)
{
    size_t begin = out->len;
    for (const uint64_t *size = architecture->pages; *size; size++)
        add(out, begin, size_text(arena, *size));
}

static void append_cells(GString *out, const struct architecture *architecture)
{
    if (architecture->lacks_cells)
        g_string_append(out, "one");
    else if (architecture->sockets_most)
        g_string_append_printf(out, "at most %u, a socket each", architecture->sockets_most);
    else
        g_string_append(out, "any");
    if (architecture->has_hmat)
        g_string_append(out, ", HMAT");
    if (architecture->has_expanders)
        g_string_append(out, ", PCI buses");
}

static void append_devices(GString *out, const struct architecture *architecture)
{
    static const struct {
        enum memory_kind kind;
        const char *name;
    } kinds[] = { { TAKES_DIMM, "dimm" },
                  { TAKES_NVDIMM, "nvdimm" },
                  { TAKES_VIRTIO_MEM, "virtio-mem" },
                  { TAKES_VIRTIO_PMEM, "virtio-pmem" },
                  { TAKES_SGX_EPC, "sgx-epc" } };
    size_t begin = out->len;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (architecture->memory_kinds & kinds[i].kind)
            add(out, begin, kinds[i].name);
    if (architecture->families->has_cxl)
        add(out, begin, "cxl");
    if (out->len == begin)
        g_string_append(out, "none");
}

static const char *plugged_text(const struct architecture *architecture)
{
    return !architecture->plugs_vcpus  ? "never"
           : architecture->plugs_cores ? "by whole cores"
           : architecture->keeps_vcpus ? "yes, for good"
                                       : "yes";
}

static const char *firmware_text(const struct architecture *architecture)
{
    bool has_uefi = architecture->uefi_image != NULL;
    if (architecture->has_bios)
        return has_uefi ? "bios, uefi" : "bios";
    return has_uefi ? "uefi" : "its own";
}

void write_architecture_table(GString *out)
{
    struct arena *arena = arena_new();
    const char *const *names = word_row(W_GUEST_ARCH)->arguments[0].choices;
    g_string_append(
        out, "| `arch` | machine (most vCPUs) | levels of vCPUs | plugged | cells | memory devices | huge pages | "
             "firmware |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (; *names; names++) {
        const struct architecture *architecture = architecture_of(*names);
        g_string_append_printf(out, "| `%s` | ", *names);
        append_machines(out, architecture);
        g_string_append(out, " | ");
        append_levels(out, architecture);
        g_string_append_printf(out, " | %s | ", plugged_text(architecture));
        append_cells(out, architecture);
        g_string_append(out, " | ");
        append_devices(out, architecture);
        g_string_append(out, " | ");
        append_pages(out, arena, architecture);
        g_string_append_printf(out, " | %s |\n", firmware_text(architecture));
    }
    arena_free(arena);
}
