/* SPDX-License-Identifier: MIT
 *
 * What the site asserts of its plan: rows of all layers are kept, each with values that fit its measure.  Whether the
 * plan is so is left to check.
 */
#include "model/binder.h"

#include <string.h>

bool is_measured_in_bytes(uint32_t measure)
{
    return measure == MEASURE_REMOTE_MEMORY || measure == MEASURE_FREE_MEMORY || measure == MEASURE_FREE_PAGES;
}

const char *measure_word(uint32_t measure)
{
    return word_row(W_SITE_ASSERT)->columns[0].choices[measure];
}

const char *relation_word(uint32_t relation)
{
    return word_row(W_SITE_ASSERT)->columns[1].choices[relation];
}

static bool refuse_kind(struct binder *binder, const struct assertion *row, const struct amount *amount)
{
    bool wants_bytes = is_measured_in_bytes(row->measure);
    if (amount->is_size == wants_bytes)
        return false;
    const char *measure = measure_word(row->measure);
    struct finding *finding =
        report(binder->findings, wants_bytes ? NM_wrong_size : NM_wrong_number, amount->span,
               wants_bytes ? "'%s' is a size, and this is a number" : "'%s' is a number, and this is a size", measure);
    if (wants_bytes)
        finding_help(binder->findings, finding, "write number and unit together: '8GiB'");
    else
        finding_help(binder->findings, finding, "write a whole number, as in '%s max 2'", measure);
    return true;
}

/* "min 8 max 4", "max 4 max 8": no plan, or one of the two would do. */
static bool refuse_range(struct binder *binder, const struct assertion *row)
{
    const struct limit *first = &row->limits[0], *second = &row->limits[1];
    const struct limit *least = first->relation == RELATION_MIN ? first : second;
    const struct limit *most = first->relation == RELATION_MAX ? first : second;
    bool is_range = least->relation == RELATION_MIN && most->relation == RELATION_MAX;
    if (row->limit_count < 2 || (is_range && least->amount.value <= most->amount.value))
        return false;
    struct finding *finding = report(binder->findings, NM_assert_range, second->amount.span,
                                     is_range ? "'%s' can never be at least the one and at most the other"
                                              : "'%s' has two limits that are no range",
                                     measure_word(row->measure));
    finding_label(binder->findings, finding, first->amount.span, "the other limit");
    finding_help(binder->findings, finding, is_range ? "swap the two" : "keep one of them, or write 'min' and 'max'");
    return true;
}

static bool settle_row(struct binder *binder, const struct frame *frame, const struct word_row *word,
                       struct assertion *row)
{
    row->layer = frame->layer;
    if (word->id == W_HOST_ASSERT)
        row->measure += MEASURE_FREE_CPUS; /* the first of those that a host has */
    row->limit_count = row->limits[1].relation == RELATION_UNSAID ? 1 : 2;
    if (row->limit_count == 2 && !row->limits[1].amount.span.file) {
        struct finding *finding = report(binder->findings, NM_missing_argument, row->span,
                                         "row '%s' of 'assert' lacks its second value", measure_word(row->measure));
        finding_help(binder->findings, finding, "write it behind the word: '%s min 1 max 2'",
                     measure_word(row->measure));
        return false;
    }
    bool fine = true;
    for (uint32_t i = 0; i < row->limit_count; i++)
        fine &= !refuse_kind(binder, row, &row->limits[i].amount);
    return fine && !refuse_range(binder, row);
}

/* Arrays that grow have room for the next power of two. */
static uint32_t room_for(uint32_t count)
{
    uint32_t room = 4;
    while (room < count)
        room *= 2;
    return count ? room : 0;
}

bool join_assertions(struct binder *binder, const struct frame *frame, const struct word_row *word,
                     const struct list *added, struct list *assertions)
{
    struct assertion *rows = added->items;
    bool fine = true;
    uint32_t sum = assertions->count + added->count;
    if (room_for(sum) > room_for(assertions->count)) {
        void *more = arena_array(binder->arena, struct assertion, room_for(sum));
        if (assertions->count)
            memcpy(more, assertions->items, assertions->count * sizeof *rows);
        assertions->items = more;
    }
    for (uint32_t i = 0; i < added->count; i++) {
        bool is_sound = settle_row(binder, frame, word, &rows[i]);
        if (is_sound)
            ((struct assertion *)assertions->items)[assertions->count++] = rows[i];
        fine &= is_sound;
    }
    return fine;
}

bool parse_amount(struct binder *binder, const struct scalar *scalar, struct amount *out_amount)
{
    static const struct column number = { .name = "value", .type = V_INT }, size = { .name = "value", .type = V_SIZE };
    size_t digits = 0;
    while (digits < scalar->length && g_ascii_isdigit(scalar->text[digits]))
        digits++;
    bool is_number = digits && digits == scalar->length;
    uint32_t count = 0;
    *out_amount = (struct amount){ .span = scalar->span, .is_size = !is_number };
    if (!is_number)
        return parse_value(binder, &size, scalar, &out_amount->value);
    bool fine = parse_value(binder, &number, scalar, &count);
    out_amount->value = count;
    return fine;
}
