/* SPDX-License-Identifier: MIT
 *
 * Days of the calendar, in the one form that nobody reads in two ways: 2027-01-31.  What day it is, is left to the
 * command line.
 */
#include "model/binder.h"

enum { DATE_LENGTH = sizeof "2027-01-31" - 1 };

static uint32_t number_at(const char *text, size_t digits)
{
    uint32_t number = 0;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (uint32_t)(text[i] - '0');
    return number;
}

static bool has_form(const struct scalar *scalar)
{
    static const char form[] = "0000-00-00";
    bool fits = scalar->length == DATE_LENGTH;
    for (size_t i = 0; fits && i < DATE_LENGTH; i++)
        fits = form[i] == '-' ? scalar->text[i] == '-' : g_ascii_isdigit(scalar->text[i]);
    return fits;
}

bool parse_date(struct binder *binder, const struct scalar *scalar, uint32_t *out_day)
{
    struct finding *finding;
    if (!has_form(scalar)) {
        finding = report_value(binder, NM_wrong_date, scalar, "'%.*s' is no date", (int)scalar->length, scalar->text);
        finding_help(binder->findings, finding, "write year, month and day, as in 2027-01-31");
        return false;
    }
    uint32_t year = number_at(scalar->text, 4), month = number_at(scalar->text + 5, 2),
             day = number_at(scalar->text + 8, 2);
    if (g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year)) {
        *out_day = (year * 100 + month) * 100 + day;
        return true;
    }
    finding = report_value(binder, NM_wrong_date, scalar, "'%.*s' is not in the calendar", DATE_LENGTH, scalar->text);
    if (year && month >= 1 && month <= 12)
        finding_help(binder->findings, finding, "that month has the days 01 to %u",
                     (unsigned)g_date_get_days_in_month((GDateMonth)month, (GDateYear)year));
    else
        finding_help(binder->findings, finding, "write year, month and day, as in 2027-01-31");
    return false;
}

const char *date_text(struct arena *arena, uint32_t day)
{
    return arena_printf(arena, "%04u-%02u-%02u", day / 10000, day / 100 % 100, day % 100);
}
