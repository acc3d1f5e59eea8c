/* SPDX-License-Identifier: MIT
 *
 * numac check SITE...: everything that is wrong with each site, and nothing else.
 */
#include "compile.h"
#include "verbs.h"

int verb_check(const struct options *options)
{
    struct session *session = session_open(options);
    for (size_t i = 0; i < options->arguments.count; i++) {
        compile_site(session, options->arguments.list[i]);
    }
    return session_close(session);
}
