/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: what several outputs ask of a guest, so that the XML, the arguments and the text agree.
 */
#pragma once

#include "emit/emit.h"

bool disk_is_device(const char *path); /* by its folder */

/* Firmware tables tell the guest of its cells; without them it sees one node. */
bool guest_has_acpi(const struct plan_guest *guest);

bool any_pin(const struct plan_guest *guest);
bool every_vcpu_pinned(const struct plan_guest *guest);

/* The pins in few lines, each behind `margin` and ended by a newline: "vcpus 0-3 on cpus 8-11, one each". */
void append_pins(GString *out, const struct plan_guest *guest, const char *margin);

/* tuning_text.c: classes, kernel workers, parts of caches; all of it is the work of others than QEMU. */
bool any_tuning(const struct plan_guest *guest);
void append_tuning(GString *out, const struct plan_guest *guest, const char *margin);
/* Workers and polling of iothreads, which QEMU does itself. */
void append_iothread_tuning(GString *out, const struct plan_guest *guest, const char *margin);

/* buses_text.c: PCI buses on cells, and devices of the host. */
void append_expanders(GString *out, const struct plan_guest *guest, const char *margin);
void append_devices(GString *out, const struct plan_guest *guest, const char *margin);
