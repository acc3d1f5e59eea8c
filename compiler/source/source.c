/* SPDX-License-Identifier: MIT
 *
 * Loads a file whole and answers what stands where.  What is no text is told apart here, so that no reader behind
 * has to; who is told about it is left to the callers.
 */
#include "source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sources {
    struct arena *arena;
    GPtrArray *list;     /* struct source *, the first is a stand-in for "not from a file" */
    GHashTable *by_file; /* "device:inode" to index */
};

static void source_free(void *source_pointer)
{
    struct source *source = source_pointer;
    free(source->text);
    g_free(source->lines);
    g_free(source);
}

struct sources *sources_new(void)
{
    struct sources *sources = g_new0(struct sources, 1);
    sources->arena = arena_new();
    sources->list = g_ptr_array_new_with_free_func(source_free);
    sources->by_file = g_hash_table_new(g_str_hash, g_str_equal);
    struct source *nowhere = g_new0(struct source, 1);
    nowhere->name = "numac";
    nowhere->text = calloc(2, 1);
    g_ptr_array_add(sources->list, nowhere);
    return sources;
}

void sources_free(struct sources *sources)
{
    if (!sources)
        return;
    g_ptr_array_free(sources->list, TRUE);
    g_hash_table_destroy(sources->by_file);
    arena_free(sources->arena);
    g_free(sources);
}

uint32_t sources_count(const struct sources *sources)
{
    return sources->list->len - 1;
}

struct source *source_at(const struct sources *sources, uint32_t index)
{
    return g_ptr_array_index(sources->list, index);
}

void source_note_include(struct sources *sources, uint32_t index, struct span include)
{
    struct source *source = source_at(sources, index);
    source->included_from = include.file;
    source->include_begin = include.begin;
}

static uint32_t add(struct sources *sources, const char *name, const char *path)
{
    struct source *source = g_new0(struct source, 1);
    source->name = arena_string(sources->arena, name, strlen(name));
    source->path = path ? arena_string(sources->arena, path, strlen(path)) : NULL;
    g_ptr_array_add(sources->list, source);
    return sources_count(sources);
}

static void fail(struct source *source, enum source_trouble trouble, uint32_t at)
{
    free(source->text);
    source->text = calloc(2, 1);
    source->length = 0;
    source->trouble = trouble;
    source->at = at;
}

/* The first byte that is not ASCII, or the end. */
static uint32_t ascii_end(const char *text, uint32_t length)
{
    uint32_t at = 0;
    for (uint64_t bytes; at + sizeof bytes <= length; at += sizeof bytes) {
        memcpy(&bytes, text + at, sizeof bytes);
        if (bytes & UINT64_C(0x8080808080808080))
            break;
    }
    while (at < length && !(text[at] & 0x80))
        at++;
    return at;
}

/* Takes the byte order mark off and refuses what is no UTF-8 text. */
static void judge(struct source *source)
{
    unsigned char *text = (unsigned char *)source->text;
    uint32_t length = source->length;
    if (length >= 2 && ((text[0] == 0xff && text[1] == 0xfe) || (text[0] == 0xfe && text[1] == 0xff))) {
        fail(source, SOURCE_UTF16, 0);
        return;
    }
    if (length >= 3 && text[0] == 0xef && text[1] == 0xbb && text[2] == 0xbf) {
        source->has_byte_order_mark = true;
        source->length = length -= 3;
        memmove(text, text + 3, length + 2);
    }
    const unsigned char *nul = memchr(text, 0, length);
    if (nul) {
        bool utf16 = length >= 4 && ((!text[1] && !text[3]) || (!text[0] && !text[2]));
        fail(source, utf16 ? SOURCE_UTF16 : SOURCE_BINARY, (uint32_t)(nul - text));
        return;
    }
    const char *wrong;
    uint32_t ascii = ascii_end(source->text, length);
    if (!g_utf8_validate_len(source->text + ascii, length - ascii, &wrong))
        fail(source, SOURCE_NOT_UTF8, (uint32_t)(wrong - source->text));
}

uint32_t sources_add_text(struct sources *sources, const char *name, const char *text, size_t length)
{
    uint32_t index = add(sources, name, NULL);
    struct source *source = source_at(sources, index);
    if (length > SOURCE_BYTES_LIMIT) {
        fail(source, SOURCE_TOO_LARGE, 0);
        return index;
    }
    source->text = malloc(length + 2);
    if (!source->text)
        g_error("out of memory for %s", name);
    if (length)
        memcpy(source->text, text, length);
    source->text[length] = source->text[length + 1] = 0;
    source->length = (uint32_t)length;
    judge(source);
    return index;
}

/* Reads to the end or one byte beyond the bound, whichever comes first. */
static void read_all(struct source *source, int file, uint32_t max_bytes, size_t expected)
{
    size_t room = expected + 1 > 4096 ? expected + 1 : 4096, length = 0;
    if (room > (size_t)max_bytes + 1)
        room = (size_t)max_bytes + 1;
    char *text = malloc(room + 2);
    for (;;) {
        if (!text)
            g_error("out of memory for %s", source->name);
        ssize_t got = read(file, text + length, room - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            source->error_number = errno;
            source->text = text;
            fail(source, errno == EISDIR ? SOURCE_NOT_A_FILE : SOURCE_UNREADABLE, 0);
            return;
        }
        if (got == 0)
            break;
        length += (size_t)got;
        if (length > max_bytes) {
            source->text = text;
            fail(source, SOURCE_TOO_LARGE, 0);
            return;
        }
        if (length == room) {
            room = room * 2 > (size_t)max_bytes + 1 ? (size_t)max_bytes + 1 : room * 2;
            char *more = realloc(text, room + 2);
            if (!more)
                free(text);
            text = more;
        }
    }
    text[length] = text[length + 1] = 0;
    source->text = text;
    source->length = (uint32_t)length;
    judge(source);
}

static char *file_key(const struct stat *about)
{
    return g_strdup_printf("%ju:%ju", (uintmax_t)about->st_dev, (uintmax_t)about->st_ino);
}

uint32_t sources_find(const struct sources *sources, const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return 0;
    g_autofree char *key = file_key(&about);
    return GPOINTER_TO_UINT(g_hash_table_lookup(sources->by_file, key));
}

static uint32_t read_source(struct sources *sources, const char *path, uint32_t max_bytes, bool may_be_pipe)
{
    bool standard_input = may_be_pipe && strcmp(path, "-") == 0;
    uint32_t index = add(sources, standard_input ? "<stdin>" : path, standard_input ? NULL : path);
    struct source *source = source_at(sources, index);
    if (max_bytes > SOURCE_BYTES_LIMIT)
        max_bytes = SOURCE_BYTES_LIMIT;
    if (index > SOURCE_COUNT_LIMIT) {
        fail(source, SOURCE_TOO_MANY, 0);
        return index;
    }
    if (standard_input) {
        read_all(source, STDIN_FILENO, max_bytes, 0);
        return index;
    }
    /* without O_NONBLOCK a named pipe nobody writes to would hold the run for ever */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat about;
    if (file < 0 || fstat(file, &about) != 0) {
        source->error_number = errno;
        fail(source, SOURCE_UNREADABLE, 0);
    } else if (!S_ISREG(about.st_mode) && !(may_be_pipe && S_ISFIFO(about.st_mode))) {
        fail(source, SOURCE_NOT_A_FILE, 0);
    } else if (S_ISREG(about.st_mode) && about.st_size > (off_t)max_bytes) {
        fail(source, SOURCE_TOO_LARGE, 0);
    } else {
        if (S_ISFIFO(about.st_mode))
            fcntl(file, F_SETFL, 0);
        g_autofree char *key = file_key(&about);
        g_hash_table_insert(sources->by_file, arena_string(sources->arena, key, strlen(key)), GUINT_TO_POINTER(index));
        read_all(source, file, max_bytes, S_ISREG(about.st_mode) ? (size_t)about.st_size : 0);
    }
    if (file >= 0)
        close(file);
    return index;
}

uint32_t sources_read(struct sources *sources, const char *path, uint32_t max_bytes)
{
    return read_source(sources, path, max_bytes, true);
}

uint32_t sources_read_named(struct sources *sources, const char *path, uint32_t max_bytes)
{
    return read_source(sources, path, max_bytes, false);
}
