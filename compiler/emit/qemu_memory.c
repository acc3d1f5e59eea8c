/* SPDX-License-Identifier: MIT
 *
 * Where the memory of a guest comes from, as QEMU's backends: one for each cell and each memory device; and the devices
 * that plug it.
 */
#include "emit/qemu_memory.h"

/* ---- backends --------------------------------------------------------------------------------------------------- */

enum backend { BACKEND_RAM, BACKEND_FILE, BACKEND_MEMFD, BACKEND_SHM, BACKEND_EPC };

static enum backend backend_of(const struct plan_cell *cell)
{
    if (cell->path)
        return BACKEND_FILE;
    if (cell->page_bytes)
        return BACKEND_MEMFD; /* libvirt takes a file on the mount of that size; a memfd needs no mount */
    switch (cell->backing) {
    case BACKING_ANONYMOUS:
        return BACKEND_RAM;
    case BACKING_FILE: /* of libvirt's own, which is as nameless as a memfd */
    case BACKING_MEMFD:
        return BACKEND_MEMFD;
    case BACKING_SHM:
        return BACKEND_SHM;
    }
    bug("a backing source that is none");
}

static void put_name(struct argv *argv, const char *key, const char *of, uint32_t number)
{
    argv_put(argv, key);
    argv_put(argv, of);
    argv_number(argv, number);
}

static void thread_context(struct argv *argv, const struct plan_cell *cell, const char *of, uint32_t number)
{
    argv_option(argv, "-object");
    argv_begin(argv, "thread-context");
    put_name(argv, ",id=near-", of, number);
    put_ids(argv, ",node-affinity=", cell->context_nodes);
    argv_end(argv);
}

static void put_binding(struct argv *argv, const struct plan_cell *cell)
{
    static const char *const policies[] = {
        [POLICY_STRICT] = ",policy=bind",
        [POLICY_PREFERRED] = ",policy=preferred",
        [POLICY_INTERLEAVE] = ",policy=interleave",
    };
    if (!cell->nodes || cell->policy == POLICY_RESTRICTIVE)
        return; /* restrictive is a cgroup's work: QEMU must not bind what is to be moved later */
    put_ids(argv, ",host-nodes=", cell->nodes);
    argv_put(argv, policies[cell->policy]);
}

static void put_allocation(struct argv *argv, const struct plan_cell *cell, const char *of, uint32_t number)
{
    if (!cell->is_preallocated)
        return;
    argv_put(argv, ",prealloc=on");
    if (cell->prealloc_threads > 1)
        put_number(argv, ",prealloc-threads=", cell->prealloc_threads);
    if (cell->context_nodes)
        put_name(argv, ",prealloc-context=near-", of, number);
}

static void put_file(struct argv *argv, const struct plan_cell *cell)
{
    put_text(argv, ",mem-path=", cell->path);
    if (cell->align_bytes)
        put_number(argv, ",align=", cell->align_bytes);
    if (cell->offset_bytes) /* since QEMU 8.1 */
        put_number(argv, ",offset=", cell->offset_bytes);
    if (cell->discard) /* other backends lose their content with the process anyway */
        argv_put(argv, ",discard-data=on");
}

static void memory_object(struct argv *argv, enum backend backend, const struct plan_cell *cell, const char *of,
                          uint32_t number, const struct plan_memory_device *device)
{
    static const char *const names[] = {
        [BACKEND_RAM] = "memory-backend-ram",     [BACKEND_FILE] = "memory-backend-file",
        [BACKEND_MEMFD] = "memory-backend-memfd", [BACKEND_SHM] = "memory-backend-shm", /* since QEMU 9.1 */
        [BACKEND_EPC] = "memory-backend-epc",                                           /* since QEMU 6.2 */
    };
    if (cell->is_preallocated && cell->context_nodes)
        thread_context(argv, cell, of, number);
    argv_option(argv, "-object");
    argv_begin(argv, names[backend]);
    put_name(argv, ",id=ram-", of, number);
    put_number(argv, ",size=", cell->memory_bytes);
    if (backend == BACKEND_FILE)
        put_file(argv, cell);
    if (device && device->pmem)
        argv_put(argv, ",pmem=on");
    if (backend == BACKEND_MEMFD && cell->page_bytes)
        put_number(argv, ",hugetlb=on,hugetlbsize=", cell->page_bytes);
    /* said always where the default differs between backends */
    if ((backend != BACKEND_RAM && backend != BACKEND_EPC) || cell->is_shared)
        argv_put(argv, cell->is_shared ? ",share=on" : ",share=off");
    put_binding(argv, cell);
    put_allocation(argv, cell, of, number);
    if (!cell->merge)
        argv_put(argv, ",merge=off");
    if (!cell->dump)
        argv_put(argv, ",dump=off");
    if (!cell->reserve)
        argv_put(argv, ",reserve=off");
    argv_end(argv);
}

void qemu_memory_object(struct argv *argv, const struct plan_cell *cell, uint32_t number)
{
    memory_object(argv, backend_of(cell), cell, "cell", number, NULL);
}

/* ---- memory devices --------------------------------------------------------------------------------------------- */

/* Labels of CXL are in a file of their own. */
static void label_object(struct argv *argv, const struct plan_memory_device *device, uint32_t number)
{
    argv_option(argv, "-object");
    argv_begin(argv, "memory-backend-file");
    put_number(argv, ",id=labels-memory", number);
    put_number(argv, ",size=", device->label_bytes);
    put_text(argv, ",mem-path=", device->memory.path);
    argv_put(argv, device->memory.is_shared ? ".lsa,share=on" : ".lsa,share=off");
    argv_end(argv);
}

/* virtio-mem allocates a block when it is plugged, by itself. */
static void object_of_device(struct argv *argv, const struct plan_memory_device *device, uint32_t number)
{
    struct plan_cell memory = device->memory;
    if (device->model == MEMORY_VIRTIO_MEM)
        memory.is_preallocated = false;
    memory_object(argv, device->model == MEMORY_SGX_EPC ? BACKEND_EPC : backend_of(&memory), &memory, "memory", number,
                  device);
    if (device->is_persistent)
        label_object(argv, device, number);
}

static void put_virtio_mem(struct argv *argv, const struct plan_memory_device *device)
{
    put_number(argv, ",block-size=", device->block_bytes);
    put_number(argv, ",requested-size=", device->requested_bytes);
    if (device->memory.is_preallocated)
        argv_put(argv, ",prealloc=on"); /* since QEMU 7.0 */
    if (device->dynamic_memslots)
        argv_put(argv, ",dynamic-memslots=on"); /* since QEMU 8.2 */
}

static void put_nvdimm(struct argv *argv, const struct plan_memory_device *device)
{
    if (device->label_bytes)
        put_number(argv, ",label-size=", device->label_bytes);
    if (device->readonly)
        argv_put(argv, ",unarmed=on");
    if (device->uuid)
        put_text(argv, ",uuid=", device->uuid);
}

static void memory_device(struct argv *argv, const struct plan_guest *guest, const struct plan_memory_device *device,
                          uint32_t number)
{
    static const char *const drivers[MEMORY_MODELS] = {
        [MEMORY_DIMM] = "pc-dimm",
        [MEMORY_VIRTIO_MEM] = "virtio-mem-",
        [MEMORY_NVDIMM] = "nvdimm",
        [MEMORY_VIRTIO_PMEM] = "virtio-pmem-",
    };
    const char *bus = architecture_of(guest->architecture)->virtio_bus;
    argv_option(argv, "-device");
    argv_begin(argv, drivers[device->model]);
    if (!has_slots(device->model))
        argv_put(argv, bus ? bus : "pci");
    put_number(argv, ",id=memory", number);
    put_number(argv, ",memdev=ram-memory", number);
    if (device->model != MEMORY_VIRTIO_PMEM && guest->has_numa)
        put_number(argv, ",node=", device->cell);
    if (device->model == MEMORY_VIRTIO_MEM)
        put_virtio_mem(argv, device);
    if (device->model == MEMORY_NVDIMM)
        put_nvdimm(argv, device);
    if (has_slots(device->model))
        put_number(argv, ",slot=", device->slot);
    if (device->address)
        put_number(argv, has_slots(device->model) ? ",addr=" : ",memaddr=", device->address);
    argv_end(argv);
}

/* The list of a property of the machine, numbered from 0, must stand in one option. */
static void put_element(struct argv *argv, const char *list, uint32_t number, const char *key)
{
    if (number) {
        put_text(argv, ",", list);
    } else {
        argv_option(argv, "-machine");
        argv_begin(argv, list);
    }
    argv_number(argv, number);
    argv_put(argv, key);
}

static void sgx_sections(struct argv *argv, const struct plan_guest *guest)
{
    uint32_t sections = 0;
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        if (guest->memory_devices[i].model != MEMORY_SGX_EPC)
            continue;
        put_element(argv, "sgx-epc.", sections, ".memdev=ram-memory");
        argv_number(argv, i);
        put_number(argv, ",sgx-epc.", sections++);
        put_number(argv, ".node=", guest->memory_devices[i].cell);
    }
    if (sections)
        argv_end(argv);
}

void qemu_memory_devices(struct argv *argv, const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->memory_device_count; i++)
        object_of_device(argv, &guest->memory_devices[i], i);
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct plan_memory_device *device = &guest->memory_devices[i];
        if (device->model != MEMORY_SGX_EPC && device->model != MEMORY_CXL) /* see qemu_cxl() */
            memory_device(argv, guest, device, i);
    }
    sgx_sections(argv, guest);
}

/* Behind the only port of its bridge.  The name of before QEMU 8.1, which all later ones take, means persistent memory.
 */
static void cxl_device(struct argv *argv, const struct plan_memory_device *device, const struct plan_expander *bridge,
                       uint32_t number)
{
    argv_option(argv, "-device");
    argv_begin(argv, "cxl-type3");
    put_number(argv, ",id=memory", number);
    put_number(argv, ",bus=pci.", bridge->controller + 1);
    put_number(argv, device->is_persistent ? ",memdev=ram-memory" : ",volatile-memdev=ram-memory", number);
    if (device->is_persistent)
        put_number(argv, ",lsa=labels-memory", number);
    argv_end(argv);
}

/* Each with a window of addresses that leads to its bridge. */
void qemu_cxl(struct argv *argv, const struct plan_guest *guest)
{
    uint32_t windows = 0;
    for (uint32_t i = 0; i < guest->memory_device_count; i++)
        if (guest->memory_devices[i].model == MEMORY_CXL)
            cxl_device(argv, &guest->memory_devices[i], cxl_bridge(guest, i), i);
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        if (guest->memory_devices[i].model != MEMORY_CXL)
            continue;
        put_element(argv, "cxl-fmw.", windows, ".targets.0=pci.");
        argv_number(argv, cxl_bridge(guest, i)->controller);
        put_number(argv, ",cxl-fmw.", windows++);
        put_number(argv, ".size=", guest->memory_devices[i].window_bytes);
    }
    if (windows)
        argv_end(argv);
}

bool needs_nvdimm(const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->memory_device_count; i++)
        if (guest->memory_devices[i].model == MEMORY_NVDIMM)
            return true;
    return false;
}
