/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: the parts of domain XML that numac owns, one writer each.  The standalone domain puts them among
 * the others; the overlay puts them into a base.  A part with nothing to say writes nothing.
 */
#pragma once

#include "emit/xml_writer.h"
#include "plan/plan.h"

void xml_size(struct xml *xml, const char *element, uint64_t bytes);
/* maxMemory, memory, currentMemory; with what the plan does not know of. */
void xml_memory(struct xml *xml, const struct plan_guest *guest, uint64_t more_bytes);
void xml_hard_limit(struct xml *xml, const struct plan_guest *guest);
void xml_memory_backing(struct xml *xml, const struct plan_guest *guest);
void xml_vcpu(struct xml *xml, const struct plan_guest *guest);
/* Their ids are said where they are not 1, 2, 3 anyway, or always on demand. */
void xml_iothreads(struct xml *xml, const struct plan_guest *guest, bool always_ids);
void xml_cputune(struct xml *xml, const struct plan_guest *guest); /* pins, classes, parts of caches */
void xml_numatune(struct xml *xml, const struct plan_guest *guest);
void xml_topology(struct xml *xml, const struct plan_guest *guest);
void xml_cells(struct xml *xml, const struct plan_guest *guest);
/* libvirt_memory.c: in `devices` */
void xml_memory_devices(struct xml *xml, const struct plan_guest *guest);
/* libvirt_hmat.c */
void xml_side_caches(struct xml *xml, const struct plan_cell *cell);
void xml_interconnects(struct xml *xml, const struct plan_guest *guest);
/* libvirt_buses.c */
void xml_expanders(struct xml *xml, const struct plan_guest *guest);
void xml_root_ports(struct xml *xml, const struct plan_guest *guest);
void xml_hostdevs(struct xml *xml, const struct plan_guest *guest);
