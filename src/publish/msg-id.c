#include "publish/msg-id.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

bool msg_id_is_for_batches(const char *rule)
{
    return strcmp(rule, "auto") == 0 || strcmp(rule, "hash") == 0;
}

const char *msg_id_defect(const char *rule)
{
    bool has_field = msg_id_is_for_batches(rule);
    for (const char *p = rule; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 127)
            return "it contains a control character";
        if (*p == '{' && !strchr(p, '}'))
            return "a brace is not closed";
        has_field = has_field || *p == '{';
    }
    return has_field ? NULL : "it is not auto, hash or a template with a member in braces";
}

static void msg_id_format_auto(const struct msg_id *m, uint64_t offset, char *id)
{
    snprintf(id, MSG_ID_SIZE, "%016" PRIx64 "-%" PRIu64, m->input_id, offset);
}

static void msg_id_format_hash(const struct msg_id *m, uint64_t offset, struct slice line, char *id)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (EVP_Digest(line.data, line.len, digest, &n, EVP_sha256(), NULL) != 1) {
        msg_id_format_auto(m, offset, id);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        snprintf(id + (size_t)2 * i, 3, "%02x", digest[i]);
}

/* Replaces each {NAME} by the member NAME of the line. An empty identifier would have no effect. */
static bool msg_id_expand(struct msg_id *m, struct slice line, char *id)
{
    const char *start = id;
    const char *end = id + MSG_ID_SIZE - 1;
    json_tokenize(&m->json, line);
    for (const char *p = m->rule; *p; p++) {
        const char *close = *p == '{' ? strchr(p, '}') : NULL;
        struct slice name = slice_between(p + 1, close ? close : p + 1);
        struct slice value = close ? json_get_member(&m->json, line, name) : (struct slice){p, 1};
        bool null = close && slice_equal(value, (struct slice){"null", 4}) &&
                    !json_get_string(&m->json, line, name).data;
        if (!value.data || null || value.len > (size_t)(end - id))
            return false;
        memcpy(id, value.data, value.len);
        id += value.len;
        p = close ? close : p;
    }
    *id = '\0';
    return id > start;
}

void msg_id_format(struct msg_id *m, uint64_t offset, struct slice line, char *id)
{
    if (strcmp(m->rule, "auto") == 0)
        msg_id_format_auto(m, offset, id);
    else if (strcmp(m->rule, "hash") == 0 || !msg_id_expand(m, line, id))
        msg_id_format_hash(m, offset, line, id);
}

/* The count and the length differ between batches that begin with the same record. */
void msg_id_format_batch(struct msg_id *m, uint64_t offset, uint32_t count, struct slice batch,
                         char *id)
{
    if (strcmp(m->rule, "hash") == 0)
        msg_id_format_hash(m, offset, batch, id);
    else
        snprintf(id, MSG_ID_SIZE, "%016" PRIx64 "-%" PRIu64 "-%" PRIu32 "-%zu", m->input_id, offset,
                 count, batch.len);
}

void msg_id_free(struct msg_id *m)
{
    json_checker_free(&m->json);
}
