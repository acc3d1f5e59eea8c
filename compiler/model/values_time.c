/* SPDX-License-Identifier: MIT
 *
 * Whole numbers with a unit that are no sizes: times, rates, and shares of a bandwidth.  As strict as sizes: no unit
 * is guessed, no blank stands between, and nothing is rounded.
 */
#include "model/binder.h"

#include <string.h>

struct unit {
    const char *word;
    uint64_t scale;
};

static const struct unit times[] = { { "ns", 1 }, { "us", 1000 }, { NULL, 0 } };
static const struct unit rates[] = { { "MiB/s", MIB }, { "GiB/s", GIB }, { "TiB/s", TIB }, { NULL, 0 } };

static size_t digit_count(const struct scalar *scalar)
{
    size_t count = 0;
    while (count < scalar->length && g_ascii_isdigit(scalar->text[count]))
        count++;
    return count;
}

static bool quiet_measure(const struct scalar *scalar, const struct unit *unit, uint64_t *out_value)
{
    size_t split = digit_count(scalar), tail = scalar->length - split;
    uint64_t number;
    for (; unit->word; unit++)
        if (strlen(unit->word) == tail && memcmp(unit->word, scalar->text + split, tail) == 0)
            return digits(scalar->text, split, INT64_MAX, &number) &&
                   !__builtin_mul_overflow(number, unit->scale, out_value) && *out_value <= INT64_MAX;
    return false;
}

static struct finding *refuse_measure(struct binder *binder, const struct scalar *scalar, const char *what)
{
    return report_value(binder, NM_wrong_number, scalar, "'%.*s' is no %s", (int)scalar->length, scalar->text, what);
}

bool parse_time(struct binder *binder, const struct scalar *scalar, uint64_t *out_ns)
{
    if (quiet_measure(scalar, times, out_ns))
        return true;
    size_t split = digit_count(scalar);
    struct finding *finding = refuse_measure(binder, scalar, "time");
    if (split && split == scalar->length)
        finding_help(binder->findings, finding, "say the unit, without a blank: '%.*sns' or '%.*sus'", (int)split,
                     scalar->text, (int)split, scalar->text);
    else
        finding_help(binder->findings, finding, "write a whole number and a unit, ns or us, as in '180ns'");
    return false;
}

/* "20GB/s": a power of ten, which nothing here counts in. */
static bool is_decimal(const char *tail, size_t length)
{
    return length == 4 && strchr("MGT", tail[0]) && memcmp(tail + 1, "B/s", 3) == 0;
}

bool parse_rate(struct binder *binder, const struct scalar *scalar, uint64_t *out_bytes_per_second)
{
    if (quiet_measure(scalar, rates, out_bytes_per_second))
        return true;
    size_t split = digit_count(scalar);
    const char *tail = scalar->text + split;
    struct finding *finding = refuse_measure(binder, scalar, "rate");
    if (split && is_decimal(tail, scalar->length - split))
        finding_help(binder->findings, finding, "'%.*s' is a power of ten; write the binary unit: '%.*s%ciB/s'", 4,
                     tail, (int)split, scalar->text, tail[0]);
    else
        finding_help(binder->findings, finding,
                     "write a whole number and a unit, MiB/s, GiB/s or TiB/s, as in '20GiB/s'");
    return false;
}

bool parse_share(struct binder *binder, const struct scalar *scalar, struct share *out_share)
{
    uint64_t number;
    if (scalar->length && scalar->text[scalar->length - 1] == '%' &&
        digits(scalar->text, scalar->length - 1, UINT32_MAX, &number)) {
        *out_share = (struct share){ .percent = (uint32_t)number };
        return true;
    }
    if (quiet_measure(scalar, rates, &number)) {
        *out_share = (struct share){ .is_rate = true, .bytes_per_second = number };
        return true;
    }
    struct finding *finding = refuse_measure(binder, scalar, "share of a bandwidth");
    size_t split = digit_count(scalar);
    if (split && split == scalar->length)
        finding_help(binder->findings, finding, "say the unit, without a blank: '%.*s%%', or '%.*sMiB/s'", (int)split,
                     scalar->text, (int)split, scalar->text);
    else
        finding_help(binder->findings, finding, "write a whole percentage as in '20%%', or a rate as in '2048MiB/s'");
    return false;
}
