#ifndef SHNEK_LOAD_MIXED_H
#define SHNEK_LOAD_MIXED_H

#include "load/template-set.h"

/*
 * Adds the templates of --profile=mixed: random RFC 5424 messages whose distributions the man page
 * lists. Fields that options set are the same in all of them. Returns false and logs the reason if
 * one of those cannot be sent with the framing.
 */
bool mixed_generate(struct template_set *set, const struct message_config *config);

#endif
