/* SPDX-License-Identifier: MIT
 *
 * Where a host's libvirt answers.  A site may come from anybody, and whoever runs it opens this URI: one that would run
 * a program here, or trust whoever answers, is for the command line, where it is the user's own.
 */
#include "model/binder.h"

#include <string.h>

enum { LONGEST = 512 };

struct piece {
    const char *text;
    size_t length;
};

static bool is(struct piece piece, const char *word)
{
    return piece.length == strlen(word) && memcmp(piece.text, word, piece.length) == 0;
}

static bool is_one_of(struct piece piece, const char *const *words)
{
    while (*words && !is(piece, *words))
        words++;
    return *words;
}

/* What stands before `end`, or all; goes on behind it. */
static struct piece cut(struct piece *rest, char end, bool *out_found)
{
    const char *at = memchr(rest->text, end, rest->length);
    struct piece piece = { rest->text, at ? (size_t)(at - rest->text) : rest->length };
    size_t gone = piece.length + (at != NULL);
    *rest = (struct piece){ rest->text + gone, rest->length - gone };
    *out_found = at != NULL;
    return piece;
}

static bool has_plain_letters(struct piece text)
{
    bool fine = text.length <= LONGEST;
    for (size_t i = 0; fine && i < text.length; i++)
        fine = g_ascii_isalnum(text.text[i]) || (text.text[i] && strchr("-._~:/?[]@&=+,", text.text[i]));
    return fine;
}

/* "driver+transport" */
static const char *fault_of_scheme(struct piece scheme, struct piece *out_transport)
{
    static const char *const drivers[] = { "qemu", "test", NULL };
    static const char *const transports[] = { "ssh", "libssh", "libssh2", "tls", "tcp", "unix", NULL };
    bool has_transport;
    *out_transport = scheme;
    struct piece driver = cut(out_transport, '+', &has_transport);
    if (!is_one_of(driver, drivers))
        return "numac runs guests by libvirt's QEMU driver: 'qemu:', 'qemu+ssh:', 'qemu+tls:'";
    if (is(*out_transport, "ext"))
        return "'+ext' runs a program that the site chooses; give it as '--connect', where it is yours";
    return !has_transport || is_one_of(*out_transport, transports)
               ? NULL
               : "it is reached by ssh, libssh, libssh2, tls, tcp or unix";
}

/* "user@host:port": words that a program could take for an option begin with a dash. */
static const char *fault_of_authority(struct piece authority, struct piece transport)
{
    bool has_user, is_remote = transport.length && !is(transport, "unix");
    struct piece host = authority, user = cut(&host, '@', &has_user);
    if (!has_user)
        host = authority;
    if (is_remote && !host.length)
        return "it names no host: 'qemu+ssh://HOST/system'";
    if (has_user && !g_ascii_isalnum(*user.text) && *user.text != '_')
        return "the user's name begins with a letter";
    if (host.length && !g_ascii_isalnum(*host.text) && *host.text != '[')
        return "the name of a host begins with a letter or a digit";
    return memchr(host.text, '@', host.length) ? "it has more than one '@'" : NULL;
}

static const char *fault_of_parameters(struct piece rest)
{
    static const char *const harmless[] = { "keyfile", "known_hosts", "mode",         "no_tty", "pkipath",
                                            "socket",  "sshauth",     "tls_priority", NULL };
    for (bool more = true, has_value; more;) {
        struct piece value = cut(&rest, '&', &more), name = cut(&value, '=', &has_value);
        if (!is_one_of(name, harmless) || !has_value)
            return "of what stands behind '?', a site may say keyfile, known_hosts, mode, no_tty, pkipath, socket, "
                   "sshauth "
                   "and tls_priority; give the others with '--connect'";
    }
    return NULL;
}

/* What is wrong with it, as a cure; NULL: nothing. */
static const char *fault_of(struct piece rest)
{
    static const char *const places[] = { "system", "session", "default", NULL }; /* the last of the test driver */
    struct piece transport;
    bool found, has_parameters;
    if (!has_plain_letters(rest))
        return "write letters, digits and -._~:/?[]@&=+, only, 512 of them at most";
    struct piece scheme = cut(&rest, ':', &found);
    if (!found || rest.length < 2 || memcmp(rest.text, "//", 2) != 0)
        return "write it as 'qemu+ssh://HOST/system'";
    const char *fault = fault_of_scheme(scheme, &transport);
    rest = (struct piece){ rest.text + 2, rest.length - 2 };
    struct piece authority = cut(&rest, '/', &found), path = cut(&rest, '?', &has_parameters);
    if (!fault)
        fault = fault_of_authority(authority, transport);
    if (!fault && !(found && is_one_of(path, places)))
        fault = "it ends with '/system' or '/session'";
    return fault || !has_parameters ? fault : fault_of_parameters(rest);
}

bool parse_uri(struct binder *binder, const struct scalar *scalar, const char **out_uri)
{
    const char *fault = fault_of((struct piece){ scalar->text, scalar->length });
    if (!fault) {
        *out_uri = arena_string(binder->arena, scalar->text, scalar->length);
        return true;
    }
    struct finding *finding =
        report_value(binder, NM_connect_uri, scalar, "'%.*s' is no URI that a site may connect to",
                     (int)MIN(scalar->length, 80), scalar->text);
    finding_help(binder->findings, finding, "%s", fault);
    return false;
}
