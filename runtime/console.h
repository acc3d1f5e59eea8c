/* SPDX-License-Identifier: MIT
 *
 * The console of a guest that libvirt runs on this machine.
 */
#pragma once

#include "monitor.h"
#include "state.h"

int console_open(struct monitor *monitor); /* -1: it has none that could be shared */
/* Until QEMU ends, or numac is interrupted, which ends QEMU.  `console` may be -1. */
void console_share(const struct record *record, int console);
