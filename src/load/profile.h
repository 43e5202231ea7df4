#ifndef SHNEK_LOAD_PROFILE_H
#define SHNEK_LOAD_PROFILE_H

#include "load/template.h"

/* What messages look like that are not all the same. */

#define PROFILE_MIXED "mixed"

/* The bodies of a run. */
struct bodies {
    struct body *all;
    size_t count;
    size_t room;
    struct kept *kept; /* what they point to */
};

/* --fresh=PART,... False, and a report, where it is none. */
bool profile_fresh(struct message_config *c, const char *text);

/* All bodies of config's profile: mixed, or the lines of a file; they are to be taken by chance, or
 * in turn. False, and a report, where that fails. */
bool profile_bodies(struct bodies *b, const struct message_config *c, bool *by_chance);

/* The bodies of mixed traffic. What options give is the same in all of them. */
bool mixed_bodies(struct bodies *b, const struct message_config *c);

/* Room for one more. */
struct body *bodies_add(struct bodies *b);

/* A copy that lives as long as the bodies. */
const char *bodies_keep(struct bodies *b, struct slice text);

void kept_free(struct kept *kept);

#endif
