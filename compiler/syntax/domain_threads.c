/* SPDX-License-Identifier: MIT
 *
 * The threads of a domain XML as items: where the emulator and the I/O threads run, how all of them are scheduled,
 * how many workers an I/O thread has and how long it polls.  libvirt says this of one thread in up to four places; the
 * language has one block for it.
 */
#include "syntax/domain.h"

#include <string.h>

/* ---- scheduling ------------------------------------------------------------------------------------------------- */

/* "fifo 1" behind a name; NULL, told, where an element lacks its class. */
static struct item *class_item(struct domain *domain, struct word name, const struct element *element)
{
    const struct text_value *class = domain_needed(domain, element, "scheduler"),
                            *priority = element_value(element, "priority");
    struct word words[2];
    if (!class)
        return NULL;
    words[0] = word_value(domain, class);
    if (priority->text)
        words[1] = word_value(domain, priority);
    return item_of(domain, name, words, priority->text ? 2 : 1);
}

static struct item *scheduler_item(struct domain *domain, const struct element *element)
{
    const struct text_value *class = element_value(element, "scheduler");
    return class_item(domain, word_named(domain, class->text ? class->name : element->name, "scheduler"), element);
}

static void add_vcpu_classes(struct domain *domain, struct item_list *top)
{
    const struct element *first = domain_first(domain, PART_VCPUSCHED);
    if (!first)
        return;
    struct item *scheduler = item_of(domain, word_named(domain, first->name, "scheduler"), NULL, 0);
    struct item_list rows = { 0 };
    for (const struct element *element = first; element; element = element->next) {
        const struct text_value *vcpus = domain_needed(domain, element, "vcpus");
        struct word word;
        struct item *row =
            vcpus && word_set(domain, vcpus, "a set of vCPUs", &word) ? class_item(domain, word, element) : NULL;
        if (row)
            item_add(scheduler, &rows, row);
    }
    if (rows.first)
        item_add(NULL, top, scheduler);
}

/* ---- blocks of threads ------------------------------------------------------------------------------------------ */

struct thread { /* the block of one thread, as it grows */
    struct item *item;
    struct item_list block;
    bool has_cpus, is_added;
};

static void add_to_thread(struct thread *thread, struct item *child)
{
    if (child)
        item_add(thread->item, &thread->block, child);
}

static struct item *cpus_item(struct domain *domain, const struct element *pin)
{
    const struct text_value *set = domain_needed(domain, pin, "cpuset");
    struct word word;
    if (!set || !word_set(domain, set, "a set of CPUs", &word))
        return NULL;
    return item_of(domain, word_named(domain, set->name, "cpus"), &word, 1);
}

static void add_emulator(struct domain *domain, struct item_list *top)
{
    const struct element *pin = domain_first(domain, PART_EMULATORPIN),
                         *class = domain_first(domain, PART_EMULATORSCHED);
    const struct element *either = pin ? pin : class;
    if (!either)
        return;
    struct thread emulator = { .item = item_of(domain, word_named(domain, either->name, "emulator"), NULL, 0) };
    if (pin)
        add_to_thread(&emulator, cpus_item(domain, pin));
    if (class)
        add_to_thread(&emulator, scheduler_item(domain, class));
    if (emulator.block.first)
        item_add(NULL, top, emulator.item);
}

/* ---- I/O threads ------------------------------------------------------------------------------------------------ */

struct iothreads {
    struct domain *domain;
    struct item_list *top;
    GHashTable *by_id;     /* number to struct thread */
    uint64_t total, count; /* said, and there */
    bool by_number;        /* not 1, 2, 3: each has a block */
};

static struct thread *thread_of(struct iothreads *all, uint32_t id)
{
    return g_hash_table_lookup(all->by_id, GUINT_TO_POINTER(id));
}

static void add_thread(struct iothreads *all, struct thread *thread)
{
    if (!thread->is_added)
        item_add(NULL, all->top, thread->item);
    thread->is_added = true;
}

static struct thread *new_thread(struct iothreads *all, const struct element *element, uint32_t id, struct word label)
{
    struct thread *thread = arena_take(all->domain->syntax->arena, struct thread);
    thread->item = item_with(all->domain, element, "iothread", label);
    g_hash_table_replace(all->by_id, GUINT_TO_POINTER(id), thread);
    if (all->by_number)
        add_thread(all, thread);
    return thread;
}

static void add_child(struct iothreads *all, struct thread *thread, struct item *child)
{
    add_to_thread(thread, child);
    if (child) /* one that says nothing is only counted */
        add_thread(all, thread);
}

/* What one of the two leaves out is QEMU's default, which the language wants to see. */
static struct word word_or(struct domain *domain, const struct element *element, const struct text_value *value,
                           enum slot slot, const char *otherwise)
{
    return value->text ? word_value(domain, value) : word_implied(domain, element, slot, otherwise);
}

static void add_pool(struct iothreads *all, struct thread *thread, const struct element *element)
{
    const struct text_value *least = element_value(element, "thread_pool_min"),
                            *most = element_value(element, "thread_pool_max");
    if (!least->text && !most->text)
        return;
    struct word words[2] = { word_or(all->domain, element, least, SLOT_VALUE, "0"),
                             word_or(all->domain, element, most, SLOT_LABEL, "64") };
    const struct text_value *said = least->text ? least : most;
    add_child(all, thread, item_of(all->domain, word_named(all->domain, said->name, "pool"), words, 2));
}

static void add_poll(struct iothreads *all, struct thread *thread, const struct element *element)
{
    struct domain *domain = all->domain;
    const struct text_value *most = element_value(element, "max"), *grow = element_value(element, "grow"),
                            *shrink = element_value(element, "shrink");
    uint64_t ns = 32768;
    if (most->text && !domain_whole(domain, most, "a number of nanoseconds", INT64_MAX, &ns))
        return;
    g_autofree char *time = g_strdup_printf("%" G_GUINT64_FORMAT "ns", ns);
    struct word words[3];
    words[0] = most->text ? word_named(domain, most->where, time) : word_implied(domain, element, SLOT_VALUE, time);
    words[1] = word_or(domain, element, grow, SLOT_LABEL, "0");
    if (shrink->text)
        words[2] = word_value(domain, shrink);
    size_t count = shrink->text ? 3 : grow->text ? 2 : 1;
    add_child(all, thread, item_of(domain, word_named(domain, element->name, "poll"), words, count));
}

static bool is_number(struct domain *domain, const struct text_value *value, uint64_t *out_id)
{
    return value && domain_whole(domain, value, "the number of an I/O thread", UINT32_MAX, out_id);
}

/* The same of one that is told elsewhere. */
static bool reads_number(const struct text_value *value, uint64_t *out_id)
{
    size_t digits = value->text ? strspn(value->text, "0123456789") : 0;
    if (!digits || digits != value->length || digits > 10)
        return false;
    *out_id = g_ascii_strtoull(value->text, NULL, 10);
    return *out_id <= UINT32_MAX;
}

/* libvirt takes the larger of both, and gives numbers to those that have none, the lowest first. */
static void count_threads(struct iothreads *all)
{
    struct domain *domain = all->domain;
    const struct element *total = domain_first(domain, PART_IOTHREADS);
    const struct part_list *ids = &domain->parts[PART_IOTHREAD_ID];
    uint64_t id;
    if (total && !domain_whole(domain, &total->content, "a number of I/O threads", UINT32_MAX, &all->total))
        all->total = 0;
    all->count = MAX(all->total, ids->count);
    for (const struct element *one = ids->first; one; one = one->next)
        all->by_number |= reads_number(element_value(one, "id"), &id) && (!id || id > all->count);
}

static void add_count(struct iothreads *all)
{
    struct domain *domain = all->domain;
    const struct element *total = domain_first(domain, PART_IOTHREADS);
    const struct part_list *ids = &domain->parts[PART_IOTHREAD_ID];
    if (total && all->total && all->total == all->count) {
        item_add(NULL, all->top, item_with(domain, total, "iothreads", word_value(domain, &total->content)));
    } else if (ids->first) {
        g_autofree char *text = g_strdup_printf("%u", ids->count);
        const struct element *list = domain_first(domain, PART_IOTHREAD_IDS);
        item_add(NULL, all->top, item_with(domain, list, "iothreads", word_implied(domain, list, SLOT_VALUE, text)));
    }
}

/* Words that an element says without letters of their own, each at a byte of its own. */
static void add_unnumbered(struct iothreads *all)
{
    struct domain *domain = all->domain;
    const struct element *total = domain_first(domain, PART_IOTHREADS);
    uint32_t next = 1, place = total ? total->name.begin + 1 : 0;
    for (uint64_t left = all->count - domain->parts[PART_IOTHREAD_ID].count; left; left--, next++) {
        while (thread_of(all, next))
            next++;
        if (place == total->name.end) {
            struct finding *finding =
                domain_written_over(domain, total->content.where, "I/O threads of which so many have no number");
            finding_help(domain->findings, finding, "write '<iothreadids>' with an '<iothread>' for each of them");
            return;
        }
        g_autofree char *text = g_strdup_printf("%u", next);
        new_thread(all, total, next, word_named(domain, (struct extent){ place, place + 1 }, text));
        place++;
    }
}

static bool is_new_number(struct iothreads *all, const struct text_value *said, uint64_t id)
{
    struct domain *domain = all->domain;
    if (!thread_of(all, (uint32_t)id))
        return true;
    struct finding *finding =
        domain_report(domain, NM_base_repeated, said->where, "two I/O threads have the number %" G_GUINT64_FORMAT, id);
    finding_note(domain->findings, finding, "libvirt refuses it");
    finding_help(domain->findings, finding, "keep one of the two");
    return false;
}

static void add_ids(struct iothreads *all)
{
    struct domain *domain = all->domain;
    uint64_t id;
    for (const struct element *one = domain_first(domain, PART_IOTHREAD_ID); one; one = one->next) {
        const struct text_value *said = domain_needed(domain, one, "id");
        if (is_number(domain, said, &id) && is_new_number(all, said, id))
            add_pool(all, new_thread(all, one, (uint32_t)id, word_value(domain, said)), one);
    }
    if (all->by_number)
        add_unnumbered(all);
    for (const struct element *poll = domain_first(domain, PART_IOTHREAD_POLL); poll; poll = poll->next) {
        const struct text_value *said = element_value(poll->parent, "id");
        if (reads_number(said, &id) && thread_of(all, (uint32_t)id))
            add_poll(all, thread_of(all, (uint32_t)id), poll);
    }
}

static bool refuse_unknown(struct iothreads *all, const struct text_value *said, uint64_t id)
{
    struct domain *domain = all->domain;
    struct finding *finding =
        domain_report(domain, NM_base_value, said->where, "the base has no I/O thread %" G_GUINT64_FORMAT, id);
    finding_note(domain->findings, finding, "libvirt refuses it");
    finding_help(domain->findings, finding, "name one of those in '<iothreadids>', or add it there");
    return false;
}

static void refuse_second_pin(struct domain *domain, const struct text_value *said, uint64_t id)
{
    struct finding *finding =
        domain_report(domain, NM_base_repeated, said->where, "I/O thread %" G_GUINT64_FORMAT " is pinned twice", id);
    finding_note(domain->findings, finding, "libvirt refuses it");
    finding_help(domain->findings, finding, "keep one of the two");
}

static void add_pins(struct iothreads *all)
{
    struct domain *domain = all->domain;
    for (const struct element *pin = domain_first(domain, PART_IOTHREADPIN); pin; pin = pin->next) {
        const struct text_value *said = domain_needed(domain, pin, "iothread");
        uint64_t id;
        if (!is_number(domain, said, &id))
            continue;
        struct thread *thread = thread_of(all, (uint32_t)id);
        if (all->by_number && !thread && !refuse_unknown(all, said, id))
            continue;
        if (thread && thread->has_cpus) {
            refuse_second_pin(domain, said, id);
            continue;
        }
        if (!thread)
            thread = new_thread(all, pin, (uint32_t)id, word_value(domain, said));
        thread->has_cpus = true;
        add_child(all, thread, cpus_item(domain, pin));
    }
}

/* ---- their classes ---------------------------------------------------------------------------------------------- */

struct places { /* bytes of an element that words without letters of their own may begin at */
    uint32_t next, end;
};

/* "fifo 1" for one of the threads of a set.  Cooked words of one place would be one word, so each takes a byte. */
static struct item *class_of_one(struct domain *domain, const struct element *element, struct places *places)
{
    struct extent where = { places->next, places->next + 1 };
    places->next++;
    return class_item(domain, word_named(domain, where, "scheduler"), element);
}

static void add_class(struct iothreads *all, const struct element *element, const struct text_value *set,
                      struct places *places, uint32_t id)
{
    struct domain *domain = all->domain;
    if (places->next + 2 >= places->end) { /* more than an element has letters */
        places->next = places->end;
        return;
    }
    struct thread *thread = thread_of(all, id);
    if (!thread) {
        g_autofree char *text = g_strdup_printf("%u", id);
        struct extent where = { places->next, places->next + 1 };
        places->next++;
        bool is_whole = value_is(set, text);
        thread = new_thread(all, element, id, is_whole ? word_value(domain, set) : word_named(domain, where, text));
    }
    add_child(all, thread, class_of_one(domain, element, places));
}

static void refuse_second_class(struct domain *domain, const struct text_value *set, uint32_t id)
{
    struct finding *finding =
        domain_report(domain, NM_base_repeated, set->where, "I/O thread %u stands in two '<iothreadsched>'", id);
    finding_note(domain->findings, finding, "libvirt refuses it");
    finding_help(domain->findings, finding, "keep one of the two");
}

/* The numbers of threads are below this. */
static uint32_t end_of_numbers(const struct iothreads *all)
{
    uint64_t most = all->count;
    GHashTableIter iterator;
    gpointer id;
    g_hash_table_iter_init(&iterator, all->by_id);
    while (all->by_number && g_hash_table_iter_next(&iterator, &id, NULL))
        most = MAX(most, GPOINTER_TO_UINT(id));
    return (uint32_t)MIN(most, IDS_LIMIT) + 1;
}

static void add_classes(struct iothreads *all)
{
    struct domain *domain = all->domain;
    uint32_t limit = end_of_numbers(all);
    g_autofree bool *had = g_new0(bool, limit);
    for (const struct element *element = domain_first(domain, PART_IOTHREADSCHED); element; element = element->next) {
        const struct text_value *set = domain_needed(domain, element, "iothreads");
        const struct text_value *class = element_value(element, "scheduler");
        g_autofree bool *seen = g_new0(bool, limit);
        if (!set || !domain_iothread_set(domain, set, limit, seen))
            continue;
        /* between the name of the element and its last value; "<" is left to others */
        struct places places = { element->begin + 4, MAX(set->where.end, class->where.end) };
        for (uint32_t id = 1; id < limit; id++) {
            if (seen[id] && all->by_number && !thread_of(all, id))
                refuse_unknown(all, set, id);
            else if (seen[id] && had[id])
                refuse_second_class(domain, set, id);
            else if (seen[id])
                add_class(all, element, set, &places, id);
            had[id] |= seen[id];
        }
        if (places.next < places.end)
            continue;
        struct finding *finding = domain_written_over(domain, set->where, "the classes of so many I/O threads at once");
        finding_help(domain->findings, finding, "write '<iothreadids>' with an '<iothread>' for each of them");
    }
}

void threads_to_items(struct domain *domain, struct item_list *top)
{
    struct iothreads all = { .domain = domain, .top = top, .by_id = g_hash_table_new(NULL, NULL) };
    add_vcpu_classes(domain, top);
    add_emulator(domain, top);
    count_threads(&all);
    if (!all.by_number)
        add_count(&all);
    add_ids(&all);
    add_pins(&all);
    add_classes(&all);
    g_hash_table_destroy(all.by_id);
}
