/* SPDX-License-Identifier: MIT
 *
 * numac-libvirt, a program of its own that does errands.  libvirt's embedded driver knows one folder a process, so each
 * guest has a process; numac-agent stays free of libvirt and all that it is linked to, and can be interrupted while
 * libvirt is at work.  A guest that it started ends with it unless its CPUs were started, also where numac is killed.
 */
#pragma once

#include "errand.h"

struct libvirt_child;

/* It holds `lock`, too: nobody takes back what libvirt is still at work on.  -1: none.  NULL: errno. */
struct libvirt_child *libvirt_child_start(int lock);
/* False: *out_answer says why.  It is to be freed in both cases. */
bool libvirt_child_do(struct libvirt_child *child, enum errand errand, const char *argument, char **out_answer);
/* No more errands: closes what it opened and ends.  False: not yet, ask again. */
bool libvirt_child_end(struct libvirt_child *child, int milliseconds);
void libvirt_child_free(struct libvirt_child *child);
