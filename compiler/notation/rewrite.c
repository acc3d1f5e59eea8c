/* SPDX-License-Identifier: MIT
 *
 * Puts a text in the place of a file: a temporary beside it, then one rename, so that a reader sees the old text or
 * the new one and never a part.
 */
#include "notation/notation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int file, struct text text)
{
    while (text.length) {
        ssize_t written = write(file, text.bytes, text.length);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            text.bytes += written;
            text.length -= (size_t)written;
        }
    }
    return true;
}

/* Gives up the mode rather than the owner's group when both cannot be kept: a stranger must not read what he could not.
 */
static bool take_over(int file, const struct stat *old)
{
    bool same_owner = fchown(file, old->st_uid, old->st_gid) == 0;
    mode_t mode = old->st_mode & 07777;
    return fchmod(file, same_owner ? mode : mode & 0700) == 0 || errno == EPERM;
}

static bool replace(const char *path, struct text text)
{
    struct stat old;
    if (stat(path, &old) != 0)
        return false;
    g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
    int file = mkstemp(temporary);
    if (file < 0)
        return false;
    bool fine = write_all(file, text) && take_over(file, &old) && fsync(file) == 0;
    int error = errno;
    if (close(file) != 0 && fine) {
        fine = false;
        error = errno;
    }
    if (fine && rename(temporary, path) == 0)
        return true;
    if (fine)
        error = errno;
    unlink(temporary);
    errno = error;
    return false;
}

bool rewrite_file(struct findings *findings, const char *path, struct text text)
{
    char *real = realpath(path, NULL);
    bool fine = real && replace(real, text);
    int error = errno;
    free(real);
    if (!fine)
        report(findings, NM_not_rewritten, SPAN_NONE, "'%s' cannot be written: %s", path, g_strerror(error));
    return fine;
}
