/* SPDX-License-Identifier: MIT
 *
 * The two streams numac writes to, and nothing of what is written.
 */
#pragma once

#include "base/base.h"
#include "options.h"

/* Makes sure that no file opened later is taken for a standard stream that the caller had closed; writing to such a
 * stream fails as if it still were. */
void streams_secure(void);

bool stream_write(int stream, const char *text, size_t length); /* all of it, or false with errno */

/* --color, then NO_COLOR, CLICOLOR_FORCE, TERM=dumb and whether the stream is a terminal. */
bool stream_wants_colour(int stream, enum colour_choice choice);
