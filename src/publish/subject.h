#ifndef SHNEK_PUBLISH_SUBJECT_H
#define SHNEK_PUBLISH_SUBJECT_H

/*
 * Returns NULL if messages can be published to `subject`: non-empty tokens separated by dots,
 * without white space, control characters and wildcards. Else returns what is wrong with it.
 */
const char *subject_defect(const char *subject);

#endif
