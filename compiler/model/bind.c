/* SPDX-License-Identifier: MIT
 *
 * Items into typed values, by the rows of the vocabulary.  Binding a block onto an object that has values already is
 * how layers merge: arguments and tables are replaced whole, children word by word, labelled blocks by label.
 */
#include "model/binder.h"

#include <string.h>

/* ---- arguments -------------------------------------------------------------------------------------------------- */

static const void *default_object(enum object_kind kind)
{
    switch (kind) {
    case OBJECT_SITE:
        return &site_defaults;
    case OBJECT_HOST:
        return &host_defaults;
    case OBJECT_RESERVE:
        return &reserve_defaults;
    case OBJECT_GUEST:
        return &guest_defaults;
    case OBJECT_CELL:
        return &cell_defaults;
    case OBJECT_LOCALITY:
        return &guest_defaults.locality;
    case OBJECT_IOTHREAD:
        return &iothread_defaults;
    case OBJECT_RESCTRL:
        return &resctrl_defaults;
    case OBJECT_EXPANDER:
        return &expander_defaults;
    case OBJECT_DEVICE:
        return &device_defaults;
    case OBJECT_NAMED_DEVICE:
        return &named_device_defaults;
    case OBJECT_HMAT_CACHE:
        return &hmat_cache_defaults;
    case OBJECT_MEMORY_DEVICE:
        return &memory_device_defaults;
    case OBJECT_GROUP:
        return &group_defaults;
    case OBJECT_HUGEPAGES:
    case OBJECT_SUPPRESSION:
    case OBJECT_NOTHING:
    case OBJECT_KINDS:
        break;
    }
    return NULL;
}

/* Back to the default: what a higher layer leaves out is not taken from a lower one. */
void reset_word(const struct frame *frame, const struct word_row *row)
{
    char *object = frame->object[row->object];
    const char *fresh = default_object(row->object);
    if (!object || !fresh)
        return;
    for (const struct column *column = row->arguments; column->name; column++)
        if (column->offset != NOT_STORED)
            memcpy(object + column->offset, fresh + column->offset, column_bytes(column));
    if (row->columns[0].name)
        memset(object + row->table_offset, 0, sizeof(struct list));
}

static bool store_many(struct binder *binder, const struct column *column, const struct scalar *scalars, size_t count,
                       char *into)
{
    size_t bytes = value_bytes(column->type);
    size_t room = bytes + (column->flags & PLACED ? sizeof(struct span) : 0);
    struct list list = { .items = arena_alloc(binder->arena, room * count) };
    bool fine = true;
    for (size_t i = 0; column->flags & PLACED && i < count; i++)
        memcpy((char *)list.items + bytes * count + sizeof(struct span) * i, &scalars[i].span, sizeof(struct span));
    for (size_t i = 0; i < count; i++) {
        if (parse_value(binder, column, &scalars[i], (char *)list.items + bytes * list.count))
            list.count++;
        else
            fine = false;
    }
    if (into)
        memcpy(into, &list, sizeof list);
    return fine;
}

/* Types scalars by columns into an object; false where something was reported.  Arguments too many are told alone:
 * with "4 GiB" or "0-3, 5" the others are pieces of one value. */
bool store_columns(struct binder *binder, const struct item *item, const struct word_row *row,
                   const struct column *columns, const struct scalar *scalars, size_t count, char *object)
{
    bool takes_many = false;
    unsigned wanted = 0;
    for (; columns[wanted].name; wanted++)
        takes_many |= (columns[wanted].flags & MANY) != 0;
    if (refuse_parted_set(binder, columns, scalars, count))
        return false;
    if (count > wanted && !takes_many) {
        report_extra(binder, item, row, columns, wanted, wanted ? &scalars[wanted - 1] : NULL, &scalars[wanted]);
        return false;
    }
    size_t at = 0;
    for (const struct column *column = columns; column->name; column++) {
        char *into = object && column->offset != NOT_STORED ? object + column->offset : NULL;
        if (at >= count) {
            if (column->flags & OPTIONAL)
                continue;
            report_missing(binder, item, row, column);
            return false;
        }
        if (column->flags & MANY)
            return store_many(binder, column, scalars + at, count - at, into);
        uint64_t aside[4] = { 0 };
        if (!parse_value(binder, column, &scalars[at++], into ? (void *)into : (void *)aside))
            return false; /* what follows may be shifted by the same mistake */
    }
    return true;
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static bool same_text(struct binder *binder, const struct item *a, const struct item *b)
{
    size_t a_length, b_length;
    const char *a_text = word_text(binder->syntax, a, a->name, &a_length),
               *b_text = word_text(binder->syntax, b, b->name, &b_length);
    return a_length == b_length && memcmp(a_text, b_text, a_length) == 0;
}

static void report_row(struct binder *binder, const struct item *row, const struct item *before)
{
    size_t length;
    const char *text = word_text(binder->syntax, row, row->name, &length);
    struct finding *finding = report(binder->findings, NM_repeated_word, item_span(row),
                                     "the row '%.*s' stands twice in its table", (int)length, text);
    finding_label(binder->findings, finding, item_span(before), "first here");
    finding_help(binder->findings, finding, "keep one of the two");
}

enum { FEW_ROWS = 16 };

/* True: two rows have one key. */
static bool refuse_repeated_rows(struct binder *binder, const struct item *first, uint32_t rows)
{
    bool repeats = false;
    if (rows <= FEW_ROWS) {
        for (const struct item *row = first; row; row = row->next)
            for (const struct item *before = first; before != row; before = before->next)
                if (same_text(binder, row, before)) {
                    report_row(binder, row, before);
                    repeats = true;
                    break;
                }
        return repeats;
    }
    GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (const struct item *row = first; row; row = row->next) {
        size_t length;
        const char *text = word_text(binder->syntax, row, row->name, &length);
        char *key = g_strndup(text, length);
        const struct item *before = g_hash_table_lookup(seen, key);
        if (!before) {
            g_hash_table_insert(seen, key, (gpointer)(uintptr_t)row);
            continue;
        }
        report_row(binder, row, before);
        g_free(key);
        repeats = true;
    }
    g_hash_table_destroy(seen);
    return repeats;
}

static bool refuse_variable_name(struct binder *binder, const struct item *item)
{
    if (!item->name.dollar)
        return false;
    size_t length;
    const char *text = word_text(binder->syntax, item, item->name, &length);
    mark_variables(binder, text, length);
    struct finding *finding = report(binder->findings, NM_variable_not_here, item_span(item),
                                     "a variable stands where a word or a key must be");
    finding_help(binder->findings, finding, "variables give values only; write the word itself");
    return true;
}

static size_t words_bytes(const struct item *item)
{
    size_t bytes = item->name.length;
    for (unsigned i = 0; i < item->argument_count; i++)
        bytes += item->arguments[i].length;
    return bytes;
}

/* What a profile or base says is said again for every guest, and all of a guest for its variants; false: it is not
 * read any more. */
static bool grow_by_item(struct binder *binder, const struct frame *frame, const struct item *item)
{
    return (frame->layer != LAYER_PROFILE && frame->layer != LAYER_BASE && !frame->is_again) ||
           grow(binder, (size_t)item->argument_count + 1, words_bytes(item), item_span(item));
}

/* One row: its name is the key. */
static bool bind_row(struct binder *binder, const struct word_row *row, const struct item *item, char *into)
{
    struct scalar few[16], *scalars;
    size_t count;
    if (item->failed) /* its line was told wrong already */
        return false;
    if (refuse_variable_name(binder, item) || !item_scalars(binder, item, few, G_N_ELEMENTS(few), &scalars, &count))
        return false;
    if (item->has_block) {
        struct finding *finding =
            report(binder->findings, NM_block_not_taken, item_span(item), "a row of '%s' takes no block", row->word);
        finding_help(binder->findings, finding, "write its values on one line");
        return false;
    }
    struct scalar key = { .span = item_span(item), .is_quoted = item->name.quoted };
    key.text = word_text(binder->syntax, item, item->name, &key.length);
    struct span span = key.span;
    memcpy(into, &span, sizeof span);
    const struct column *column = &row->columns[0];
    bool fine = parse_value(binder, column, &key, into + column->offset);
    for (const struct column *more = row->columns + 1; more->name; more++) /* EACH_UNSAID, PRIORITY_UNSAID */
        if ((more->type == V_CHOICE || more->type == V_INT) && (more->flags & OPTIONAL))
            memset(into + more->offset, 0xff, column_bytes(more));
        else if ((more->type == V_TIME || more->type == V_RATE) && (more->flags & OPTIONAL))
            memset(into + more->offset, 0xff, sizeof(uint64_t));
    return store_columns(binder, item, row, row->columns + 1, scalars, count, into) && fine;
}

bool bind_table(struct binder *binder, const struct frame *frame, const struct word_row *row, const struct item *item)
{
    uint32_t rows = 0;
    for (const struct item *child = item->children; child; child = child->next, rows++)
        if (!grow_by_item(binder, frame, child))
            return false;
    bool fine = !refuse_repeated_rows(binder, item->children, rows);
    struct list list = { .items = arena_alloc(binder->arena, rows * row->row_bytes) };
    for (const struct item *child = item->children; child; child = child->next) {
        if (bind_row(binder, row, child, (char *)list.items + list.count * row->row_bytes))
            list.count++;
        else
            fine = false;
    }
    if (!rows) {
        struct finding *finding =
            report(binder->findings, NM_missing_argument, item_span(item), "the table of '%s' has no rows", row->word);
        finding_help(binder->findings, finding, "write at least one row, or remove '%s'", row->word);
        fine = false;
    }
    char *object = frame->object[row->object];
    if (object && row->collects)
        return join_assertions(binder, frame, row, &list, (struct list *)(void *)(object + row->table_offset)) && fine;
    if (object)
        memcpy(object + row->table_offset, &list, sizeof list);
    return fine;
}

/* ---- settings --------------------------------------------------------------------------------------------------- */

void note_places(struct binder *binder, const struct frame *frame, const struct word_row *row, const struct item *item,
                 const struct scalar *scalars, size_t count)
{
    said_place(binder->arena, frame->said, frame->layer, row->id, 0, item_span(item));
    for (unsigned i = 0; i < count && i < SAID_ARGUMENTS; i++)
        said_place(binder->arena, frame->said, frame->layer, row->id, i + 1, scalars[i].span);
}

/* "cpu cpu": a model could have that name, and nobody means it. */
static bool is_doubled(const struct word_row *row, const struct scalar *scalars, size_t count)
{
    return count && row->arguments[0].type == V_NAME && !scalars[0].is_quoted &&
           scalars[0].length == strlen(row->word) && memcmp(scalars[0].text, row->word, scalars[0].length) == 0;
}

/* `vcpus` and `ids` of a cell are two forms of one thing: that of a higher layer takes the place of the other. */
static void replace_other_form(const struct frame *frame, const struct word_row *row)
{
    enum word_id other = row->id == W_CELL_VCPUS ? W_CELL_IDS : row->id == W_CELL_IDS ? W_CELL_VCPUS : W_NONE;
    if (other == W_NONE || !is_said(frame->said, other))
        return;
    uint32_t i = frame->said->count;
    while (i && frame->said->places[i - 1].word != other)
        i--;
    if (!i || frame->said->places[i - 1].layer >= frame->layer)
        return; /* beside it: a rule tells that both stand there */
    reset_word(frame, word_row(other));
    said_forget(frame->said, other);
}

static void bind_setting(struct binder *binder, const struct frame *frame, const struct word_row *row,
                         const struct item *item)
{
    struct scalar few[16], *scalars;
    size_t count;
    bool has_table = row->columns[0].name && item->has_block, fine;
    bool wants_arguments = !has_table && !(row->opens && !row->arguments[0].name);
    if (!item_scalars(binder, item, few, G_N_ELEMENTS(few), &scalars, &count)) {
        fine = false;
    } else if (item->has_block && !row->opens && !row->columns[0].name) {
        report_block(binder, item, row);
        fine = false;
    } else if (is_doubled(row, scalars, count)) {
        struct finding *finding = report_value(binder, NM_repeated_word, &scalars[0], "'%s' stands twice", row->word);
        finding_help(binder->findings, finding, "remove one of the two");
        fine = false;
    } else if (!count && !item->has_block && row->opens &&
               !(row->arguments[0].name && !(row->arguments[0].flags & OPTIONAL))) {
        struct finding *finding =
            report(binder->findings, NM_missing_argument, item_span(item), "'%s' says nothing", row->word);
        finding_help(binder->findings, finding, "give it a value or a block, or remove it");
        fine = false;
    } else if (has_table && count) {
        struct finding *finding = report(binder->findings, NM_table_and_arguments, item_span(item),
                                         "'%s' has arguments and a table at once", row->word);
        finding_help(binder->findings, finding, "keep one of the two");
        fine = false;
    } else if (has_table) {
        if (!row->collects)
            reset_word(frame, row);
        fine = bind_table(binder, frame, row, item);
    } else if (row->opens && !count && row->arguments[0].name && item->has_block) {
        fine = true; /* only children are said: the arguments of lower layers stay */
        wants_arguments = false;
    } else {
        reset_word(frame, row);
        replace_other_form(frame, row);
        fine = store_columns(binder, item, row, row->arguments, scalars, count, frame->object[row->object]);
        if (!fine && holds_word(binder, item, row) && frame->is_incomplete)
            *frame->is_incomplete = true; /* `memory 1GiB vcpus 4`: a separator is missing */
    }
    note_places(binder, frame, row, item, scalars, fine || count < 16 ? count : 0);
    if (wants_arguments || has_table || !row->opens)
        said_mark(frame->said, row->id, fine);
    if (!fine && frame->is_broken)
        *frame->is_broken = true;
    if (row->opens && item->has_block)
        bind_block(binder, frame, row->opens, item->children);
}

/* ---- blocks ----------------------------------------------------------------------------------------------------- */

enum { FEW_LABELS = 16 };

struct seen { /* of one block: the first item of each word, and of each label */
    const struct item *first;
    const struct item *words[WORD_COUNT];
    unsigned label_count;
    GHashTable *labels; /* only where there are many */
};

/* What two labels are compared by; 1GiB and 1024MiB are one pool. */
static void label_key(struct binder *binder, const struct word_row *row, const struct item *item, GString *out)
{
    size_t length;
    uint64_t bytes;
    const char *label = word_text(binder->syntax, item, item->arguments[0], &length);
    g_string_printf(out, "%d ", (int)row->id);
    if (row->label.type == V_SIZE && quiet_size(label, length, &bytes))
        g_string_append_printf(out, "%" G_GUINT64_FORMAT, bytes);
    else
        g_string_append_len(out, label, (gssize)length);
}

static bool same_label(struct binder *binder, const struct word_row *row, const struct item *a, const struct item *b)
{
    size_t a_length, b_length;
    uint64_t a_bytes, b_bytes;
    const char *a_label = word_text(binder->syntax, a, a->arguments[0], &a_length);
    const char *b_label = word_text(binder->syntax, b, b->arguments[0], &b_length);
    if (row->label.type == V_SIZE && quiet_size(a_label, a_length, &a_bytes) && quiet_size(b_label, b_length, &b_bytes))
        return a_bytes == b_bytes;
    return a_length == b_length && memcmp(a_label, b_label, a_length) == 0;
}

static bool is_labelled_as(struct binder *binder, const struct word_row *row, const struct item *item)
{
    size_t length;
    const char *text = word_text(binder->syntax, item, item->name, &length);
    return item->argument_count && !item->failed && strncmp(row->word, text, length) == 0 && !row->word[length];
}

/* The earlier item of the block with the same word and label, or NULL. */
static const struct item *labelled_before(struct binder *binder, struct seen *seen, const struct word_row *row,
                                          const struct item *item)
{
    if (++seen->label_count <= FEW_LABELS) {
        for (const struct item *before = seen->words[row->id]; before && before != item; before = before->next)
            if (is_labelled_as(binder, row, before) && same_label(binder, row, before, item))
                return before;
        return NULL;
    }
    g_autoptr(GString) key = g_string_new(NULL);
    if (!seen->labels) {
        seen->labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (const struct item *before = seen->first; before != item; before = before->next) {
            size_t length;
            const char *text = word_text(binder->syntax, before, before->name, &length);
            const struct word_row *other =
                before->argument_count && !before->failed ? find_word((enum context)row->in, text, length) : NULL;
            if (!other || other->kind != LABELLED)
                continue;
            label_key(binder, other, before, key);
            if (!g_hash_table_contains(seen->labels, key->str))
                g_hash_table_insert(seen->labels, g_strdup(key->str), (gpointer)(uintptr_t)before);
        }
    }
    label_key(binder, row, item, key);
    const struct item *before = g_hash_table_lookup(seen->labels, key->str);
    if (!before)
        g_hash_table_insert(seen->labels, g_strdup(key->str), (gpointer)(uintptr_t)item);
    return before;
}

static bool is_repeated(struct binder *binder, struct seen *seen, const struct word_row *row, const struct item *item)
{
    if (row->kind == SETTING) {
        const struct item *before = seen->words[row->id];
        if (before)
            report_repeated(binder, item, before, false);
        else
            seen->words[row->id] = item;
        return before != NULL;
    }
    if (row->kind != LABELLED || !item->argument_count)
        return false;
    const struct item *before = labelled_before(binder, seen, row, item);
    if (!seen->words[row->id])
        seen->words[row->id] = item;
    if (before)
        report_repeated(binder, item, before, true);
    return before != NULL;
}

void bind_item(struct binder *binder, const struct frame *frame, enum context in, const struct item *item,
               const struct word_row *row)
{
    if (frame->is_broken && (item->failed || !row))
        *frame->is_broken = true;
    if (frame->is_incomplete && (item->failed || !row))
        *frame->is_incomplete = true;
    if (item->failed) { /* its line was told wrong already */
        if (row && row->kind == SETTING)
            said_mark(frame->said, row->id, false);
        return;
    }
    if (row) {
        if (row->id == W_GUEST_REMOVE || row->id == W_SUPPRESS)
            return; /* read before the others */
        if (row->kind == LABELLED)
            bind_labelled(binder, frame, row, item);
        else
            bind_setting(binder, frame, row, item);
        return;
    }
    if (!refuse_variable_name(binder, item))
        report_unknown(binder, item, in);
}

/* How many places the settings of a block will note; the words in labelled blocks are others' places. */
static uint32_t places_of(const struct item *first)
{
    uint32_t places = 0;
    for (const struct item *item = first; item; item = item->next)
        if (!item->has_block || item->argument_count != 1)
            places += 1u + MIN((uint32_t)item->argument_count, SAID_ARGUMENTS);
    return places;
}

void bind_block(struct binder *binder, const struct frame *frame, enum context in, const struct item *first)
{
    struct seen seen;
    memset(&seen, 0, sizeof seen);
    seen.first = first;
    said_expect(binder->arena, frame->said, places_of(first));
    for (const struct item *item = first; item; item = item->next) {
        size_t length;
        const char *text = word_text(binder->syntax, item, item->name, &length);
        const struct word_row *row = find_word(in, text, length);
        if (row && row->id == W_GUEST_AT && !frame->at_blocks)
            continue;
        if (!grow_by_item(binder, frame, item))
            break;
        if (row && is_repeated(binder, &seen, row, item)) {
            if (row->kind == LABELLED)
                miss_block(frame);
            if (frame->is_broken)
                *frame->is_broken = true;
        } else {
            bind_item(binder, frame, in, item, row);
        }
    }
    if (seen.labels)
        g_hash_table_destroy(seen.labels);
}

const char *label_string(struct binder *binder, const struct item *item)
{
    size_t length;
    const char *text = word_text(binder->syntax, item, item->arguments[0], &length);
    return arena_string(binder->arena, text, length);
}

const struct item *find_item(struct binder *binder, const struct item *first, const char *word)
{
    size_t wanted = strlen(word);
    for (const struct item *item = first; item; item = item->next) {
        size_t length;
        const char *text = word_text(binder->syntax, item, item->name, &length);
        if (length == wanted && memcmp(text, word, length) == 0)
            return item;
    }
    return NULL;
}
