#include "syslog/sd-merge.h"

#include "syslog/name-hash.h"

enum { FEW = 8 }; /* up to so many names comparing each with each is cheaper than a table */

static void chain_few_elements(struct structured_data *sd)
{
    for (uint32_t i = 1; i < sd->element_count; i++) {
        struct sd_element *e = sd->elements;
        uint32_t before = 0;
        while (before < i && !slice_equal(e[before].id, e[i].id))
            before++;
        if (before == i)
            continue;
        while (e[before].more)
            before = e[before].next;
        e[before].more = e[i].repeats = true;
        e[before].next = i;
    }
}

static void chain_many_elements(struct structured_data *sd)
{
    sd->table = name_table_clear(sd->table, sd->element_count);
    for (uint32_t i = 0; i < sd->element_count; i++) {
        uint32_t last = name_table_replace(sd->table, sd->elements[i].id, i);
        if (last == NAME_TABLE_NONE)
            continue;
        sd->elements[last].more = sd->elements[i].repeats = true;
        sd->elements[last].next = i;
    }
}

static void chain_few_params(struct sd_param *params, uint32_t first, uint32_t end)
{
    for (uint32_t i = first + 1; i < end; i++) {
        uint32_t before = first;
        while (before < i && !slice_equal(params[before].name, params[i].name))
            before++;
        if (before == i)
            continue;
        while (params[before].more)
            before = params[before].next;
        params[before].more = params[i].repeats = true;
        params[before].next = i;
    }
}

static void chain_many_params(struct structured_data *sd, const struct sd_element *element)
{
    for (uint32_t i = element->first; i < element->end; i++) {
        uint32_t last = name_table_replace(sd->table, sd->params[i].name, i);
        if (last == NAME_TABLE_NONE)
            continue;
        sd->params[last].more = sd->params[i].repeats = true;
        sd->params[last].next = i;
    }
}

static const struct sd_element *next_element(const struct structured_data *sd,
                                             const struct sd_element *element)
{
    return element->more ? &sd->elements[element->next] : NULL;
}

/* The params of an element and of all that are chained to it. */
static void chain_params(struct structured_data *sd, const struct sd_element *element)
{
    uint32_t total = 0;
    for (const struct sd_element *e = element; e; e = next_element(sd, e))
        total += e->end - e->first;
    sd->table = name_table_clear(sd->table, total);
    for (const struct sd_element *e = element; e; e = next_element(sd, e))
        chain_many_params(sd, e);
}

void sd_merge(struct structured_data *sd)
{
    if (sd->element_count <= FEW)
        chain_few_elements(sd);
    else
        chain_many_elements(sd);
    for (uint32_t e = 0; e < sd->element_count; e++) {
        const struct sd_element *element = &sd->elements[e];
        if (element->repeats)
            continue;
        if (!element->more && element->end - element->first <= FEW)
            chain_few_params(sd->params, element->first, element->end);
        else
            chain_params(sd, element);
    }
}
