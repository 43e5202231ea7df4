#include "syslog/sd-merge.h"

#include "syslog/name-hash.h"

enum { PAIRWISE_MAX = 8 }; /* up to so many names, comparing all pairs is cheaper than hashing */

static void sd_merge_few_elements(struct structured_data *sd)
{
    for (uint32_t i = 1; i < sd->element_count; i++) {
        struct sd_element *e = sd->elements;
        uint32_t last = 0;
        while (last < i && !slice_equal(e[last].id, e[i].id))
            last++;
        if (last == i)
            continue;
        while (e[last].more)
            last = e[last].next;
        e[last].more = e[i].repeats = true;
        e[last].next = i;
    }
}

static void sd_merge_many_elements(struct structured_data *sd)
{
    sd->names = name_hash_reset(sd->names, sd->element_count);
    for (uint32_t i = 0; i < sd->element_count; i++) {
        uint32_t last = name_hash_replace(sd->names, sd->elements[i].id, i);
        if (last == NAME_HASH_NONE)
            continue;
        sd->elements[last].more = sd->elements[i].repeats = true;
        sd->elements[last].next = i;
    }
}

static void sd_merge_few_params(struct sd_param *params, uint32_t first, uint32_t end)
{
    for (uint32_t i = first + 1; i < end; i++) {
        uint32_t last = first;
        while (last < i && !slice_equal(params[last].name, params[i].name))
            last++;
        if (last == i)
            continue;
        while (params[last].more)
            last = params[last].next;
        params[last].more = params[i].repeats = true;
        params[last].next = i;
    }
}

static const struct sd_element *sd_merge_next(const struct structured_data *sd,
                                              const struct sd_element *element)
{
    return element->more ? &sd->elements[element->next] : NULL;
}

/* The params of an element and of all elements that are linked to it. */
static void sd_merge_many_params(struct structured_data *sd, const struct sd_element *element)
{
    uint32_t total = 0;
    for (const struct sd_element *e = element; e; e = sd_merge_next(sd, e))
        total += e->end - e->first;
    sd->names = name_hash_reset(sd->names, total);
    for (const struct sd_element *e = element; e; e = sd_merge_next(sd, e)) {
        for (uint32_t i = e->first; i < e->end; i++) {
            uint32_t last = name_hash_replace(sd->names, sd->params[i].name, i);
            if (last == NAME_HASH_NONE)
                continue;
            sd->params[last].more = sd->params[i].repeats = true;
            sd->params[last].next = i;
        }
    }
}

void sd_merge(struct structured_data *sd)
{
    if (sd->element_count <= PAIRWISE_MAX)
        sd_merge_few_elements(sd);
    else
        sd_merge_many_elements(sd);
    for (uint32_t i = 0; i < sd->element_count; i++) {
        const struct sd_element *element = &sd->elements[i];
        if (element->repeats)
            continue;
        if (!element->more && element->end - element->first <= PAIRWISE_MAX)
            sd_merge_few_params(sd->params, element->first, element->end);
        else
            sd_merge_many_params(sd, element);
    }
}
