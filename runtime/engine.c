/* SPDX-License-Identifier: MIT
 *
 * The table of engines.
 */
#include "engine.h"

const struct engine *engine_of(enum engine_kind kind)
{
    switch (kind) {
    case ENGINE_QEMU:
        return &engine_qemu;
    case ENGINE_EMBED:
        return &engine_embed;
    case ENGINE_LIBVIRT:
        return &engine_libvirt;
    case ENGINE_COUNT:
        break;
    }
    bug("an engine of no kind");
}
