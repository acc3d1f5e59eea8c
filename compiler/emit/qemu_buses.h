/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: the options of QEMU that put PCI buses on cells, and devices of the host on them.
 */
#pragma once

#include "emit/argv_writer.h"
#include "plan/plan.h"

void put_root_bus(struct argv *argv, const struct plan_guest *guest); /* of devices that are on no cell */
void qemu_expanders(struct argv *argv, const struct plan_guest *guest);
void qemu_host_devices(struct argv *argv, const struct plan_guest *guest);
