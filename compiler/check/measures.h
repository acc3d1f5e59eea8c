/* SPDX-License-Identifier: MIT
 *
 * Inside check only: the numbers that assertions are about.  docs/language.md says what each counts.
 */
#pragma once

#include "check/subject.h"

struct reading {
    uint64_t value;      /* bytes of what is measured in bytes */
    const char *unknown; /* why nobody knows it; NULL: it is known */
    const char *cure;    /* of that */
    const char *note;    /* where most, or least, of it is; NULL */
};

struct measuring; /* of one site */
struct measuring *measuring_new(struct arena *arena, const struct planned_site *planned);
void measuring_free(struct measuring *measuring);

/* False: it depends on guests that the plan lacks, since something is wrong with them. */
bool measure_guest(struct measuring *measuring, uint32_t measure, const struct planned_guest *planned,
                   struct reading *out_reading);
bool measure_host(const struct measuring *measuring, uint32_t measure, const struct plan_host *plan,
                  const struct site_host *host, struct reading *out_reading);

/* Where a guest has too much of it, or a host; guest NULL. */
const char *measure_cure(uint32_t measure, const struct planned_guest *guest);
