/* SPDX-License-Identifier: MIT
 *
 * The plan as JSON, which read.c loads back to the same plan (docs/schema/plan.schema.json).  Decisions are all
 * written, defaults too; only what the site leaves unsaid is left out.  Sets are text as everywhere: "0-3,8".
 */
#include "plan/plan.h"
#include "plan/json_buses.h"
#include "plan/json_hmat.h"
#include "plan/json_hosts.h"
#include "plan/json_memory.h"
#include "plan/json_tuning.h"

static void cpu(struct json *json, const struct plan_guest *guest)
{
    static const char *const cache_modes[] = { "", "emulate", "passthrough", "disable" };
    static const char *const address_modes[] = { "", "emulate", "passthrough" };
    json_object(json, "cpu");
    json_string(json, "model", guest->cpu_model);
    if (guest->cache_mode != CACHE_UNSAID)
        json_string(json, "cache_mode", cache_modes[guest->cache_mode]);
    number_if_any(json, "cache_level", guest->cache_level);
    if (guest->maxphysaddr_mode != MAXPHYSADDR_UNSAID)
        json_string(json, "maxphysaddr_mode", address_modes[guest->maxphysaddr_mode]);
    number_if_any(json, "maxphysaddr_bits", guest->maxphysaddr_bits);
    if (guest->feature_count) {
        json_array(json, "features");
        for (uint32_t i = 0; i < guest->feature_count; i++) {
            json_object(json, NULL);
            json_string(json, "name", guest->features[i].name);
            json_bool(json, "required", guest->features[i].is_required);
            json_end(json, '}');
        }
        json_end(json, ']');
    }
    json_end(json, '}');
}

static void boot(struct json *json, const struct plan_guest *guest)
{
    json_object(json, "boot");
    json_string(json, "firmware", guest->firmware);
    number_if_any(json, "gic", guest->gic_version);
    text_if_any(json, "kernel", guest->kernel);
    text_if_any(json, "initrd", guest->initrd);
    text_if_any(json, "cmdline", guest->cmdline);
    text_if_any(json, "disk", guest->disk);
    text_if_any(json, "network", guest->network);
    text_if_any(json, "mac", guest->mac);
    json_end(json, '}');
}

static void caches(struct json *json, const struct plan_guest *guest)
{
    bool is_open = false;
    for (enum cpu_cache cache = 0; cache < CPU_CACHES; cache++) {
        if (guest->cache_levels[cache] == SHARED_UNSAID)
            continue;
        if (!is_open)
            json_object(json, "caches");
        is_open = true;
        json_string(json, cpu_cache_word(cache), shared_level_word(guest->cache_levels[cache]));
    }
    if (is_open)
        json_end(json, '}');
}

static void vcpus(struct json *json, const struct plan_guest *guest)
{
    json_object(json, "vcpus");
    json_number(json, "count", guest->vcpu_count);
    if (guest->drawers > 1) /* of s390x alone, these two */
        json_number(json, "drawers", guest->drawers);
    if (guest->books > 1)
        json_number(json, "books", guest->books);
    json_number(json, "sockets", guest->sockets);
    json_number(json, "dies", guest->dies);
    json_number(json, "clusters", guest->clusters);
    json_number(json, "modules", guest->modules);
    json_number(json, "cores", guest->cores);
    json_number(json, "threads", guest->threads);
    set_if_any(json, "online", guest->online);
    set_if_any(json, "fixed", guest->fixed);
    if (guest->plug_order) {
        json_inline_array(json, "order");
        for (uint32_t i = 0; i < ids_size(guest->online); i++)
            json_number(json, NULL, guest->plug_order[i]);
        json_end(json, ']');
    }
    caches(json, guest);
    json_end(json, '}');
}

static void cell(struct json *json, const struct plan_guest *guest, const struct plan_cell *cell)
{
    json_object(json, NULL);
    json_string(json, "name", cell->name);
    json_ids(json, "vcpus", cell->vcpus);
    write_plan_memory(json, cell);
    write_plan_hmat(json, guest, cell);
    json_end(json, '}');
}

static void cells(struct json *json, const struct plan_guest *guest)
{
    json_bool(json, "numa", guest->has_numa);
    json_array(json, "cells");
    for (uint32_t i = 0; i < guest->cell_count; i++)
        cell(json, guest, &guest->cells[i]);
    json_end(json, ']');
    if (!guest->distances)
        return;
    json_array(json, "distances");
    for (uint32_t from = 0; from < guest->cell_count; from++) {
        json_inline_array(json, NULL);
        for (uint32_t to = 0; to < guest->cell_count; to++)
            json_number(json, NULL, guest->distances[(size_t)from * guest->cell_count + to]);
        json_end(json, ']');
    }
    json_end(json, ']');
}

/* A vCPU that is not pinned is null, so that the position is always the vCPU's number. */
static void pins(struct json *json, const struct plan_guest *guest)
{
    json_object(json, "pins");
    json_inline_array(json, "vcpus");
    for (uint32_t i = 0; i < guest->vcpu_count; i++) {
        if (guest->vcpu_cpus[i])
            json_ids(json, NULL, guest->vcpu_cpus[i]);
        else
            json_null(json, NULL);
    }
    json_end(json, ']');
    set_if_any(json, "emulator", guest->emulator_cpus);
    json_end(json, '}');
    if (!guest->iothread_count)
        return;
    json_array(json, "iothreads");
    for (uint32_t i = 0; i < guest->iothread_count; i++) {
        json_object(json, NULL);
        json_number(json, "id", guest->iothreads[i].id);
        set_if_any(json, "cpus", guest->iothreads[i].cpus);
        write_iothread_tuning(json, &guest->iothreads[i]);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void numad(struct json *json, const struct plan_guest *guest)
{
    if (!guest->cpus_by_numad && !guest->memory_by_numad)
        return;
    json_object(json, "numad");
    json_bool(json, "cpus", guest->cpus_by_numad);
    if (guest->memory_by_numad)
        json_string(json, "memory", memory_policy_word(guest->numad_policy));
    json_end(json, '}');
}

static void guest_object(struct json *json, const struct plan_guest *guest);

/* Whole guests, so that whatever reads a guest reads these. */
static void moves(struct json *json, const struct plan_guest *guest)
{
    if (!guest->move_count)
        return;
    json_array(json, "migrate");
    for (uint32_t i = 0; i < guest->move_count; i++)
        guest_object(json, &guest->moves[i]);
    json_end(json, ']');
}

static void guest_object(struct json *json, const struct plan_guest *guest)
{
    json_object(json, NULL);
    json_string(json, "name", guest->name);
    json_string(json, "uuid", guest->uuid);
    text_if_any(json, "host", guest->host);
    text_if_any(json, "connect", guest->connect);
    json_string(json, "architecture", guest->architecture);
    json_string(json, "machine", guest->machine);
    json_string(json, "accel", guest->accel);
    if (guest->needs_kvm)
        json_bool(json, "needs_kvm", true);
    json_bool(json, "base", guest->has_base);
    if (guest->is_qemu_only)
        json_bool(json, "qemu_only", true);
    cpu(json, guest);
    boot(json, guest);
    json_number(json, "memory_bytes", guest->memory_bytes);
    write_growth(json, guest);
    vcpus(json, guest);
    if (guest->remaps_interrupts)
        json_bool(json, "interrupt_remapping", true);
    cells(json, guest);
    write_memory_devices(json, guest);
    numad(json, guest);
    pins(json, guest);
    write_tuning(json, guest);
    write_expanders(json, guest);
    write_devices(json, guest);
    json_bool(json, "locked", guest->is_locked);
    number_if_any(json, "hard_limit_bytes", guest->hard_limit_bytes);
    moves(json, guest);
    json_end(json, '}');
}

void write_plan_json(const struct plan *plan, GString *out)
{
    struct json json;
    json_open(&json, out);
    json_object(&json, NULL);
    json_number(&json, "format_version", PLAN_FORMAT_VERSION);
    json_string(&json, "site", plan->site);
    json_inline_array(&json, "targets");
    for (uint32_t i = 0; i < plan->target_count; i++)
        json_string(&json, NULL, plan->targets[i]);
    json_end(&json, ']');
    json_array(&json, "guests");
    for (uint32_t i = 0; i < plan->guest_count; i++)
        guest_object(&json, &plan->guests[i]);
    json_end(&json, ']');
    write_hosts(&json, plan);
    json_end(&json, '}');
    json_finish(&json);
}
