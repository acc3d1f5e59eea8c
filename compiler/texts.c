/* SPDX-License-Identifier: MIT
 *
 * Finds an embedded text by its name.
 */
#include "texts.h"

#include <stddef.h>
#include <string.h>

const char *embedded_text(const char *name)
{
    for (const struct embedded_text *text = embedded_texts; text->name; text++)
        if (strcmp(text->name, name) == 0)
            return text->text;
    return NULL;
}
