/* SPDX-License-Identifier: MIT
 *
 * A whole file in memory, with the two NUL bytes behind it that flex wants.  For the peers only: they end the program
 * at the first trouble and leave freeing to it.
 */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct whole_file {
    char *text;
    size_t length;
};

static inline struct whole_file read_whole_file(const char *path)
{
    struct stat about;
    struct whole_file file = { 0 };
    int in = open(path, O_RDONLY | O_CLOEXEC);
    if (in < 0 || fstat(in, &about) != 0 || !(file.text = calloc(1, (size_t)about.st_size + 2))) {
        perror(path);
        exit(1);
    }
    for (ssize_t got = 1; got > 0 && file.length < (size_t)about.st_size; file.length += (size_t)got)
        if ((got = read(in, file.text + file.length, (size_t)about.st_size - file.length)) < 0) {
            perror(path);
            exit(1);
        }
    close(in);
    return file;
}
