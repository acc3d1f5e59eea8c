/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: the options of QEMU for the memory of cells and for memory devices.
 */
#pragma once

#include "emit/argv_writer.h"
#include "plan/plan.h"

/* The backend of a cell's memory: "ram-cell0" for the cell numbered 0. */
void qemu_memory_object(struct argv *argv, const struct plan_cell *cell, uint32_t number);
/* Behind the cells that get them: "memory0", with "ram-memory0" behind it. */
bool needs_nvdimm(const struct plan_guest *guest); /* of the machine */
void qemu_memory_devices(struct argv *argv, const struct plan_guest *guest);
void qemu_cxl(struct argv *argv, const struct plan_guest *guest); /* behind their bridges, which stand before */
