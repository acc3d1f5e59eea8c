/* SPDX-License-Identifier: MIT
 *
 * What day it is, asked once a run: the only clock that the compiler knows.  It decides whether an `until` is over, and
 * reaches no output.
 */
#include "today.h"

#include <glib.h>

/* For builds that are to come out the same later; a value that is no time is as good as none. */
static GDateTime *time_of_source(void)
{
    const char *text = g_getenv("SOURCE_DATE_EPOCH");
    guint64 seconds;
    if (!text || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &seconds, NULL))
        return NULL;
    return g_date_time_new_from_unix_utc((gint64)seconds); /* NULL beyond the calendar */
}

uint32_t today(void)
{
    g_autoptr(GDateTime) now = time_of_source();
    if (!now)
        now = g_date_time_new_now_utc();
    int year, month, day;
    g_date_time_get_ymd(now, &year, &month, &day);
    return ((uint32_t)year * 100 + (uint32_t)month) * 100 + (uint32_t)day;
}
