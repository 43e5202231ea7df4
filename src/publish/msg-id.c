#include "publish/msg-id.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

bool msg_id_is_for_batches(const char *rule)
{
    return strcmp(rule, "auto") == 0 || strcmp(rule, "hash") == 0;
}

bool msg_id_init(struct msg_id *m, const char *rule, char *error_text)
{
    *m = (struct msg_id){.is_auto = strcmp(rule, "auto") == 0};
    if (msg_id_is_for_batches(rule))
        return true;
    if (!line_template_init(&m->template, LINE_TEMPLATE_ID, rule, &m->scan, error_text))
        return false;
    if (!m->template.field_count)
        snprintf(error_text, LINE_TEMPLATE_TEXT_MAX,
                 "it is not auto, hash or a template with a member in braces");
    return m->template.field_count > 0;
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

/* Returns false if the template results in no identifier. */
static bool msg_id_expand(struct msg_id *m, struct slice line, char *id)
{
    struct defect defect;
    if (!m->template.field_count || (m->checks_lines && !json_is_valid(&m->checker, line, &defect)))
        return false;
    member_scan_run(&m->scan, line);
    return line_template_expand(&m->template, &m->scan, line.data + line.len, id) > 0;
}

void msg_id_format(struct msg_id *m, uint64_t offset, struct slice line, char *id)
{
    if (m->is_auto)
        msg_id_format_auto(m, offset, id);
    else if (!msg_id_expand(m, line, id))
        msg_id_format_hash(m, offset, line, id);
}

/* The count and the length differ between batches that begin with the same record. */
void msg_id_format_batch(struct msg_id *m, uint64_t offset, uint32_t count, struct slice batch,
                         char *id)
{
    if (!m->is_auto)
        msg_id_format_hash(m, offset, batch, id);
    else
        snprintf(id, MSG_ID_SIZE, "%016" PRIx64 "-%" PRIu64 "-%" PRIu32 "-%zu", m->input_id, offset,
                 count, batch.len);
}

void msg_id_free(struct msg_id *m)
{
    line_template_free(&m->template);
    member_scan_free(&m->scan);
    json_checker_free(&m->checker);
}
