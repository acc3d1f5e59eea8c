/* SPDX-License-Identifier: MIT
 *
 * Memory devices in domain XML, in the order and spelling of virsh dumpxml.
 */
#include "emit/libvirt_numa.h"

/* What is not said, libvirt takes from the cell, as the plan does. */
static void xml_ram(struct xml *xml, const struct plan_memory_device *device, const struct architecture *architecture)
{
    const struct plan_cell *memory = &device->memory;
    if (device->has_nodes && memory->nodes) {
        xml_line(xml, "<nodemask>");
        xml_ids(xml, memory->nodes);
        xml_end(xml, "</nodemask>");
    }
    if (device->has_pages)
        xml_size(xml, "pagesize", memory->page_bytes ? memory->page_bytes : architecture->normal_page);
}

static void xml_file(struct xml *xml, const struct plan_memory_device *device)
{
    xml_line(xml, "<path>");
    xml_text(xml, device->memory.path);
    xml_end(xml, "</path>");
    if (device->memory.align_bytes)
        xml_size(xml, "alignsize", device->memory.align_bytes);
    if (device->pmem)
        xml_whole(xml, "<pmem/>");
}

static void xml_source(struct xml *xml, const struct plan_memory_device *device,
                       const struct architecture *architecture)
{
    size_t before = xml->out->len;
    xml_open(xml, "<source>");
    size_t empty = xml->out->len;
    if (device->memory.path)
        xml_file(xml, device);
    else
        xml_ram(xml, device, architecture);
    if (xml->out->len == empty) {
        g_string_truncate(xml->out, before);
        xml->depth--;
        return;
    }
    xml_shut(xml, "</source>");
}

static void xml_base(struct xml *xml, const char *begin, uint64_t address)
{
    xml_put(xml, begin);
    g_string_append_printf(xml->out, "0x%" G_GINT64_MODIFIER "x", address);
}

static void xml_virtio(struct xml *xml, const struct plan_memory_device *device)
{
    if (device->model == MEMORY_VIRTIO_MEM) {
        xml_size(xml, "block", device->block_bytes);
        xml_size(xml, "requested", device->requested_bytes);
    }
    if (!device->address || has_slots(device->model))
        return;
    xml_line(xml, "<address"); /* since libvirt 9.4 */
    xml_base(xml, " base='", device->address);
    xml_end(xml, "'/>");
}

static void xml_target(struct xml *xml, const struct plan_guest *guest, const struct plan_memory_device *device)
{
    xml_open(xml, device->dynamic_memslots ? "<target dynamicMemslots='yes'>" : "<target>");
    xml_size(xml, "size", device->memory.memory_bytes);
    if (device->model != MEMORY_VIRTIO_PMEM && guest->has_numa) {
        xml_line(xml, "<node>");
        xml_number(xml, device->cell);
        xml_end(xml, "</node>");
    }
    if (device->label_bytes) {
        xml_open(xml, "<label>");
        xml_size(xml, "size", device->label_bytes);
        xml_shut(xml, "</label>");
    }
    if (device->readonly)
        xml_whole(xml, "<readonly/>");
    xml_virtio(xml, device);
    xml_shut(xml, "</target>");
}

static void xml_slot(struct xml *xml, const struct plan_memory_device *device)
{
    if (!has_slots(device->model) || (!device->has_slot && !device->address))
        return;
    xml_line(xml, "<address type='dimm' slot='");
    xml_number(xml, device->slot);
    if (device->address)
        xml_base(xml, "' base='", device->address);
    xml_end(xml, "'/>");
}

static void xml_device(struct xml *xml, const struct plan_guest *guest, const struct plan_memory_device *device)
{
    xml_line(xml, "<memory model='");
    xml_put(xml, memory_model_word(device->model));
    if (device->memory.has_access || device->model == MEMORY_VIRTIO_PMEM) /* else that of the cell, as in the plan */
        xml_put(xml, device->memory.is_shared ? "' access='shared" : "' access='private");
    if (device->memory.has_discard)
        xml_put(xml, device->memory.discard ? "' discard='yes" : "' discard='no");
    xml_end(xml, "'>");
    xml->depth++;
    const struct architecture *architecture = architecture_of(guest->architecture);
    if (device->uuid && architecture->labels_nvdimms) {
        xml_line(xml, "<uuid>");
        xml_text(xml, device->uuid);
        xml_end(xml, "</uuid>");
    }
    xml_source(xml, device, architecture);
    xml_target(xml, guest, device);
    xml_slot(xml, device);
    xml_shut(xml, "</memory>");
}

void xml_memory_devices(struct xml *xml, const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->memory_device_count; i++)
        xml_device(xml, guest, &guest->memory_devices[i]);
}
