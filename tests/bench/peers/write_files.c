/* SPDX-License-Identifier: MIT
 *
 * The plain way to leave many files in a folder: each opened, cut to nothing, written and closed.
 * write_files FOLDER < LIST, where LIST has a line "NAME BYTES" for each file.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char name[256];
    size_t bytes, room = 0;
    char *text = NULL;
    if (argc != 2)
        return 2;
    mkdir(argv[1], 0777);
    if (chdir(argv[1]) != 0) {
        perror(argv[1]);
        return 1;
    }
    while (scanf("%255s %zu", name, &bytes) == 2) {
        if (bytes > room) {
            text = realloc(text, room = bytes);
            if (!text)
                return 1;
            memset(text, 'x', room);
        }
        int out = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (out < 0 || write(out, text, bytes) != (ssize_t)bytes || close(out) != 0) {
            perror(name);
            return 1;
        }
    }
    free(text);
    return 0;
}
