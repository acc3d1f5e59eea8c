/* SPDX-License-Identifier: MIT
 *
 * Which version of libvirt, QEMU, kernel and libnuma has what.  Rules and emitters name a feature, never a version.
 */
#pragma once

#include "ground/ground.h"

enum feature {
#define FEATURE(id, ...) FEATURE_##id,
#include "ground/features.def"
#undef FEATURE
    FEATURE_COUNT
};

/* Versions that neither the host's source nor the site tells count as Debian 12's; so does a site without host. */
bool host_has_feature(const struct site_host *host, enum feature feature);

/* Whether the answer rests on a version that nobody told. */
bool feature_is_guessed(const struct site_host *host, enum feature feature);

/* Whether the version of a program is known and below this one. */
bool host_is_older(const struct site_host *host, enum host_program program, unsigned major, unsigned minor);

/* "needs QEMU 9.1 for modules, and host 'r1' has 7.2"; of a feature that the host lacks. */
char *feature_text(struct arena *arena, const struct site_host *host, enum feature feature);
/* "qemu 9.1": the row of `versions` that would tell it. */
char *feature_version_row(struct arena *arena, const struct site_host *host, enum feature feature);
const char *feature_name(enum feature feature);
