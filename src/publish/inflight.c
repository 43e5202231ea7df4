#include "publish/inflight.h"

#include <stdlib.h>
#include <string.h>

bool inflight_init(struct inflight *f)
{
    *f = (struct inflight){.messages = calloc(INFLIGHT_MAX, sizeof *f->messages)};
    return f->messages != NULL;
}

void inflight_free(struct inflight *f)
{
    for (size_t i = 0; f->messages && i < INFLIGHT_MAX; i++)
        free(f->messages[i].error_text);
    free(f->messages);
}

void inflight_set_state(struct inflight *f, struct inflight_message *m, enum inflight_state state)
{
    f->counts[m->state]--;
    f->counts[state]++;
    m->state = state;
}

void inflight_complete(struct inflight *f, struct inflight_message *m)
{
    inflight_set_state(f, m, INFLIGHT_DONE);
    while (f->first < f->next && inflight_at(f, f->first)->state == INFLIGHT_DONE) {
        f->acknowledged = inflight_at(f, f->first)->end;
        f->first++;
    }
}

void inflight_refuse(struct inflight *f, struct inflight_message *m, const char *field,
                     const char *error_text, uint64_t error_offset)
{
    inflight_set_state(f, m, INFLIGHT_REFUSED);
    m->error_field = field;
    m->error_text = strdup(error_text);
    m->error_offset = error_offset;
}

struct inflight_message *inflight_find_refused(const struct inflight *f)
{
    uint64_t sequence = f->first;
    if (f->counts[INFLIGHT_REFUSED] == 0)
        return NULL;
    while (inflight_at(f, sequence)->state != INFLIGHT_REFUSED)
        sequence++;
    return inflight_at(f, sequence);
}
