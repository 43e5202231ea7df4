#include "load/template-set.h"

#include <stdlib.h>

#include "base/exit-status.h"
#include "base/log.h"

struct template_string {
    struct template_string *next;
    char text[];
};

struct template *template_set_add(struct template_set *set)
{
    set->items = array_grow(set->items, &set->capacity, set->count, sizeof *set->items);
    return &set->items[set->count++];
}

const char *template_set_copy(struct template_set *set, struct slice text)
{
    struct template_string *copy = malloc(sizeof *copy + text.len + 1);
    if (!copy) {
        log_printf("out of memory");
        exit(STATUS_FAILED);
    }
    if (text.len)
        memcpy(copy->text, text.data, text.len);
    copy->text[text.len] = '\0';
    copy->next = set->strings;
    set->strings = copy;
    return copy->text;
}

void template_set_free(struct template_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        template_free(&set->items[i]);
    free(set->items);
    for (struct template_string *next, *s = set->strings; s; s = next) {
        next = s->next;
        free(s);
    }
    *set = (struct template_set){0};
}
