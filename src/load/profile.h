#ifndef SHNEK_LOAD_PROFILE_H
#define SHNEK_LOAD_PROFILE_H

#include "load/template.h"

/* What messages look like that are not all the same. */

#define PROFILE_MIXED "mixed"

/* The bodies of a run. */
struct template_set {
    struct template *templates;
    size_t count;
    size_t capacity;
    struct template_string *strings; /* what they point to */
};

/* --fresh=PART,... False, and a report, where it is none. */
bool profile_parse_fresh(struct message_config *c, const char *text);

/* All bodies of config's profile: mixed, or the lines of a file; they are to be taken by chance, or
 * in turn. False, and a report, where that fails. */
bool profile_load(struct template_set *set, const struct message_config *c, bool *random_order);

/* The bodies of mixed traffic. What options give is the same in all of them. */
bool mixed_generate(struct template_set *set, const struct message_config *c);

/* Room for one more. */
struct template *template_set_add(struct template_set *set);

/* A copy that lives as long as the bodies. */
const char *template_set_copy(struct template_set *set, struct slice text);

void template_set_free(struct template_string *kept);

#endif
