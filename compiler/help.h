/* SPDX-License-Identifier: MIT
 *
 * What numac says about itself.
 */
#pragma once

#include "verbs.h"

#define NUMAC_VERSION "0.1.0"

int show_help(const struct options *options, const struct verb *verb); /* verb NULL: of the whole */
int show_version(const struct options *options);
