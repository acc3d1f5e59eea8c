/* SPDX-License-Identifier: MIT
 *
 * Memory with one lifetime: blocks that are filled from the front and dropped together.  Blocks double up to four
 * megabytes, so that a small run stays small and a large one makes few calls.  Large blocks ask for huge pages, since
 * most of what fresh memory costs is the page faults.
 */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define EVERY_OBJECT_ALONE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EVERY_OBJECT_ALONE 1
#endif
#endif
#ifndef EVERY_OBJECT_ALONE
#define EVERY_OBJECT_ALONE 0
#endif

enum { FIRST_BLOCK = 8 << 10, LAST_BLOCK = 4 << 20, HUGE_PAGE = 2 << 20, PAGE = 4 << 10 };

struct block {
    struct block *before;
    size_t mapped; /* bytes of it; 0: from malloc().  What follows is aligned to 16 bytes */
};

struct arena {
    struct block *blocks;
    struct block *filling; /* the one that next and end point into */
    char *next, *end;
    size_t block_bytes;
};

struct arena *arena_new(void)
{
    struct arena *arena = g_new0(struct arena, 1);
    arena->block_bytes = FIRST_BLOCK;
    return arena;
}

static void free_blocks(struct block *blocks)
{
    for (struct block *block = blocks, *before; block; block = before) {
        before = block->before;
        if (block->mapped)
            munmap(block, block->mapped);
        else
            g_free(block);
    }
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    free_blocks(arena->blocks);
    g_free(arena);
}

void arena_reset(struct arena *arena)
{
    struct block *kept = arena->filling, **link = &arena->blocks;
    while (*link != kept)
        link = &(*link)->before;
    if (kept)
        *link = kept->before;
    free_blocks(arena->blocks);
    arena->blocks = kept;
    if (!kept)
        return;
    kept->before = NULL;
    char *first = (char *)(kept + 1);
    memset(first, 0, (size_t)(arena->next - first));
    arena->next = first;
}

/* Zeroed, and aligned to huge pages: what the alignment costs is given back. */
static struct block *map_block(size_t bytes)
{
    size_t taken = bytes + HUGE_PAGE;
    char *memory = mmap(NULL, taken, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        g_error("out of memory: %zu bytes asked for at once", bytes);
    size_t ahead = -(uintptr_t)memory & (HUGE_PAGE - 1);
    if (ahead)
        munmap(memory, ahead);
    munmap(memory + ahead + bytes, HUGE_PAGE - ahead);
    struct block *block = (struct block *)(memory + ahead);
    madvise(block, bytes, MADV_HUGEPAGE); /* a wish: systems without them give small pages */
    block->mapped = bytes;
    return block;
}

static void *take_block(struct arena *arena, size_t bytes)
{
    bytes += sizeof(struct block);
    struct block *block = !EVERY_OBJECT_ALONE && bytes >= HUGE_PAGE
                              ? map_block((bytes + PAGE - 1) & ~(size_t)(PAGE - 1))
                              : g_malloc0(bytes);
    block->before = arena->blocks;
    arena->blocks = block;
    return block + 1;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 4)
        g_error("out of memory: %zu bytes asked for at once", bytes);
    if (EVERY_OBJECT_ALONE)
        return take_block(arena, bytes);
    bytes = (bytes + 7) & ~(size_t)7;
    if ((size_t)(arena->end - arena->next) < bytes) {
        if (bytes > arena->block_bytes / 4)
            return take_block(arena, bytes);
        size_t room = arena->block_bytes - sizeof(struct block);
        arena->next = take_block(arena, room);
        arena->filling = arena->blocks;
        arena->end = arena->next + room;
        if (arena->block_bytes < LAST_BLOCK)
            arena->block_bytes *= 2;
    }
    void *object = arena->next;
    arena->next += bytes;
    return object;
}

void *arena_copy(struct arena *arena, const void *from, size_t bytes)
{
    void *copy = arena_alloc(arena, bytes);
    if (bytes)
        memcpy(copy, from, bytes);
    return copy;
}

char *arena_string(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    if (length)
        memcpy(copy, text, length);
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return arena_string(arena, text, strlen(text));
}

void bug_at(const char *file, int line, const char *what)
{
    fprintf(stderr, "numac: this is a bug in numac: %s (%s:%d)\nPlease report it with the input that led here.\n", what,
            file, line);
    exit(70);
}
