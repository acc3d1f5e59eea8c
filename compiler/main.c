/* SPDX-License-Identifier: MIT
 *
 * numac from its command line to its exit status.  What happens between stands in the verbs.
 */
#include "help.h"
#include "session.h"
#include "streams.h"
#include "verbs.h"

static int refuse(const struct options *options)
{
    struct session *session = session_open(options);
    struct finding *finding = session_misuse(session, "%s", options->mistake);
    if (options->cure)
        finding_help(session->findings, finding, "%s", options->cure);
    return session_close(session);
}

static int run(const struct options *options)
{
    if (options->mistake)
        return refuse(options);
    if (options->wants_version)
        return show_version(options);
    if (options->wants_help)
        return show_help(options, options->verb);
    return options->verb->run(options);
}

int main(int argc, char **argv)
{
    streams_secure();
    struct arena *arena = arena_new();
    struct options options;
    options_parse(&options, arena, argc, argv);
    int status = run(&options);
    arena_free(arena);
    return status;
}
