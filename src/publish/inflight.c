#include "publish/inflight.h"

#include <stdlib.h>
#include <string.h>

bool inflight_init(struct inflight *f)
{
    *f = (struct inflight){.messages = calloc(INFLIGHT_SIZE, sizeof *f->messages)};
    return f->messages != NULL;
}

void inflight_free(struct inflight *f)
{
    for (size_t i = 0; f->messages && i < INFLIGHT_SIZE; i++)
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
    free(m->error_text);
    m->error_text = NULL;
    inflight_set_state(f, m, m->rest.count ? INFLIGHT_SPLIT : INFLIGHT_DONE);
    while (f->first < f->next && inflight_at(f, f->first)->state == INFLIGHT_DONE) {
        f->acknowledged = inflight_at(f, f->first)->settled;
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

void inflight_split(struct inflight *f, struct inflight_message *m, uint32_t part_max)
{
    m->part_max = part_max;
    m->rest.start = m->part.start;
    m->rest.count += m->part.count;
    if (m->rest.end < m->part.end)
        m->rest.end = m->part.end;
    inflight_set_state(f, m, INFLIGHT_SPLIT);
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
