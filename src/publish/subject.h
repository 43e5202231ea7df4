#ifndef SHNEK_PUBLISH_SUBJECT_H
#define SHNEK_PUBLISH_SUBJECT_H

/*
 * NULL where a text is a subject to publish to: tokens with dots between them, none of them empty,
 * no white space, control characters or wildcards. Else what is wrong with it.
 */
const char *subject_defect(const char *subject);

#endif
