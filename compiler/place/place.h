/* SPDX-License-Identifier: MIT
 *
 * Placement: the model and the ground in, the finished plan out.  What the site fixes is honoured; what it leaves open
 * is decided, the same way every time: fewest nodes, whole cores, nearest nodes, pools and reserves respected, no CPU
 * given twice to dedicated guests of one site.
 */
#pragma once

#include "ground/ground.h"

/* A guest that is_broken is left out.  A guest that does not fit is one finding (NM11xx) that names what is short and
 * by how much, and is left out.  Never NULL. */
const struct planned_site *place_site(struct arena *arena, struct findings *findings, const struct site *site,
                                      const struct site_hosts *hosts);
