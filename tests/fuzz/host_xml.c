/* SPDX-License-Identifier: MIT
 *
 * Any bytes as what the reading child sends, as libvirt capabilities, as a file to recognise, as a synthetic
 * description and as a list of CPUs.  hwloc's own readers are left out: they run in the child because they crash.
 */
#include "host/facts.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void decode(struct arena *arena, const uint8_t *bytes, size_t length)
{
    struct host *host = facts_decode(arena, bytes, length);
    if (!host)
        return;
    host->source_text = host->name = "fuzz";
    g_autoptr(GString) out = g_string_new(NULL);
    host_show_json(host, out);
    host_show_text(host, out);
    g_autoptr(GByteArray) again = g_byte_array_new();
    facts_encode(host, again);
    if (!facts_decode(arena, again->data, again->len))
        bug("facts that were read cannot be written and read again");
}

/* What a child sends that was overrun: sound facts, but for a few bytes that the end of the input picks. */
static void decode_damaged(struct arena *arena, GByteArray *facts, const char *text, size_t length)
{
    enum { BYTES_OF_A_CHANGE = 3, MOST_CHANGES = 4 };
    for (size_t i = 1; i <= MOST_CHANGES && i * BYTES_OF_A_CHANGE <= length; i++) {
        const uint8_t *change = (const uint8_t *)text + length - i * BYTES_OF_A_CHANGE;
        facts->data[((size_t)change[0] << 8 | change[1]) % facts->len] = change[2];
    }
    decode(arena, facts->data, facts->len);
}

static void read_text(struct arena *arena, const char *text, size_t length)
{
    struct reading reading = { .name = "fuzz.xml", .text = text, .length = length };
    struct trouble trouble = { 0 };
    enum host_origin origin;
    if (!file_recognise(&reading, &origin, &trouble) && !trouble.code)
        bug("a file was refused without a reason");
    struct trouble other = { 0 };
    struct host *host = read_capabilities(arena, &reading, &other);
    if (!host && !other.code)
        bug("capabilities were refused without a reason");
    g_autoptr(GByteArray) facts = g_byte_array_new();
    if (host)
        facts_encode(host, facts);
    if (host && !facts_decode(arena, facts->data, facts->len))
        bug("what the reader says is not what the parent takes");
    if (host)
        decode_damaged(arena, facts, text, length);
    ids_parse(arena, text);
    g_autoptr(GString) prepared = g_string_new(NULL);
    uint32_t cpus;
    uint64_t work;
    struct trouble third = { 0 };
    if (!synthetic_prepare(text, prepared, &cpus, &work, &third) && !third.code)
        bug("a description was refused without a reason");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct arena *arena = arena_new();
    decode(arena, bytes, length);
    g_autofree char *text = g_strndup((const char *)bytes, length); /* ends with a NUL, as sources do */
    read_text(arena, text, strlen(text));
    arena_free(arena);
    return 0;
}
