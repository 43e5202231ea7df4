#ifndef SHNEK_LOAD_PROFILE_H
#define SHNEK_LOAD_PROFILE_H

#include "load/template-set.h"

#define PROFILE_MIXED "mixed"

/* Parses the value of --fresh=PART,... into config->fresh. Returns false and logs the reason if it
 * is invalid. */
bool profile_parse_fresh(struct message_config *config, const char *text);

/*
 * Adds the templates of config->profile: mixed messages, to be used in random order, or the lines
 * of a file, to be used in turn. Returns false and logs the reason if the file cannot be read, or a
 * line is not valid RFC 5424 and has to be.
 */
bool profile_load(struct template_set *set, const struct message_config *config,
                  bool *random_order);

#endif
