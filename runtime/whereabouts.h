/* SPDX-License-Identifier: MIT
 *
 * On which host of its plan a guest is: at home, or where it moved to.  What is verified, compared or stopped is the
 * guest as it is planned there: run->guest.
 */
#pragma once

#include "step.h"

/* Of one that numac did not start, and that was found: by the URI that the site gives a host, else by the name of the
 * machine.  That it moved is told, and so is that nobody knows; then it counts as at home. */
void settle_whereabouts(struct run *run);
/* Of one whose libvirt at home has none: turns to the next host that it may have moved to, and whose libvirt the site
 * tells.  False: none is left; or no libvirt ran it, which alone can move it. */
bool next_whereabouts(struct run *run, const struct bundle_guest *home, uint32_t *position);
void tell_moved(struct run *run, const struct bundle_guest *home);
