/* SPDX-License-Identifier: MIT
 *
 * The only reader of files that people wrote.  A file is read once, whole, and kept until the run ends; everything
 * else points into it with spans.
 */
#pragma once

#include "base/base.h"

/* A stretch of a source, in bytes: begin <= end.  File 0 means "not from a file". */
struct span {
    uint32_t file, begin, end;
};

#define SPAN_NONE ((struct span){ 0 })

enum source_trouble {
    SOURCE_FINE,
    SOURCE_UNREADABLE, /* error_number says why */
    SOURCE_NOT_A_FILE, /* a folder, a device */
    SOURCE_TOO_LARGE,
    SOURCE_TOO_MANY,
    SOURCE_UTF16,
    SOURCE_BINARY,  /* a NUL byte, at `at` */
    SOURCE_NOT_UTF8 /* at `at` */
};

struct source {
    const char *name; /* as people know it: the path as given, "<stdin>", "-D ram=32GiB" */
    const char *path; /* to open things beside it; NULL where there is no file */
    char *text;       /* two NUL bytes stand behind it, for the scanner, which also writes into it and undoes that */
    uint32_t length;  /* without a byte order mark, which is never part of the text */
    uint32_t included_from; /* index of the file whose include brought it, 0 for none */
    uint32_t include_begin; /* place of that include */
    bool has_byte_order_mark;
    enum source_trouble trouble;
    uint32_t at; /* where a NUL or a byte that is no UTF-8 stands */
    int error_number;
    struct line_index *lines; /* inside source only: made when a position is first asked for */
};

#define SOURCE_BYTES_LIMIT (UINT32_C(1) << 30) /* 1 GiB */
#define SOURCE_COUNT_LIMIT 4096u

struct sources;

struct sources *sources_new(void);
void sources_free(struct sources *sources); /* accepts NULL */

/* Reads a file, or standard input for "-".  Always gives an index; a source in trouble is empty and says why.
 * max_bytes bounds the size (at most SOURCE_BYTES_LIMIT). */
uint32_t sources_read(struct sources *sources, const char *path, uint32_t max_bytes);
/* The same for a path that a file names: never a pipe, which might not end (/dev/stdout), and "-" is a name as others.
 */
uint32_t sources_read_named(struct sources *sources, const char *path, uint32_t max_bytes);
/* The same as sources_read() for what may be the words of a process, which are text with NUL bytes between them. */
uint32_t sources_read_words(struct sources *sources, const char *path, uint32_t max_bytes);
/* The same for text that is in memory already; it is copied, and checked like a file. */
uint32_t sources_add_text(struct sources *sources, const char *name, const char *text, size_t length);
/* The index of a file read before under the same real path, or 0. */
uint32_t sources_find(const struct sources *sources, const char *path);
uint32_t sources_count(const struct sources *sources); /* indexes run from 1 to this */

struct source *source_at(const struct sources *sources, uint32_t index);
void source_note_include(struct sources *sources, uint32_t index, struct span include);

/* Line and column, both from 1; the column counts characters, not bytes.  Computed only for printing: the first
 * question costs one pass over the file, each further one a short scan.  An offset behind the end is the end. */
struct position {
    uint32_t line, column, line_begin, line_end; /* the last two in bytes, without the line end */
};
struct position source_position(const struct sources *sources, uint32_t file, uint32_t offset);
