#include "publish/nats-stream.h"

#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

/* Errors of the API that pass without a change of the request: with those that nats.c names, the
 * ones with the code 503 in errors.json of nats-server, and of servers that are not ready. */
enum {
    STREAM_ERROR_INCOMPLETE = 10004,
    STREAM_ERROR_NOT_ASSIGNED = 10007,
    STREAM_ERROR_NOT_LEADER = 10009,
    STREAM_ERROR_NO_CLUSTER = 10010,
    STREAM_ERROR_RESOURCES = 10023,
    STREAM_ERROR_NO_ACCOUNT = 10035,
    STREAM_ERROR_UNSUPPORTED = 10036,
    STREAM_ERROR_PEER_REMAP = 10075,
    STREAM_ERROR_STORE_FAILED = 10077,
    STREAM_ERROR_OFFLINE = 10118
};

struct nats_stream_call {
    struct nats_conn *conn;
    jsCtx *js;
    jsOptions options;
    jsErrCode code; /* of the server, or 0 */
    char *error_text;
};

static natsStatus nats_stream_begin(struct nats_stream_call *call, struct nats_conn *c,
                                    uint64_t timeout_ns, char *error_text)
{
    const struct nats_conn_config *config = nats_conn_get_config(c);
    *call = (struct nats_stream_call){.conn = c, .error_text = error_text};
    natsStatus s = jsOptions_Init(&call->options);
    call->options.Domain = config->js_domain;
    if (config->js_api_prefix)
        call->options.Prefix = config->js_api_prefix;
    call->options.Wait = (int64_t)(timeout_ns / 1000000) + 1;
    return s == NATS_OK ? natsConnection_JetStream(&call->js, nats_conn_handle(c), &call->options)
                        : s;
}

static enum nats_stream_result nats_stream_classify_code(jsErrCode code)
{
    switch ((int)code) {
    case JSStreamNotFoundErr:
        return NATS_STREAM_ABSENT;
    case JSStreamNameExistErr:
        return NATS_STREAM_EXISTS;
    case JSClusterNoPeersErr:
        return NATS_STREAM_NO_PEERS;
    case JSClusterNotAvailErr:
    case JSNotEnabledErr:
    case JSNotEnabledForAccountErr:
    case STREAM_ERROR_INCOMPLETE:
    case STREAM_ERROR_NOT_ASSIGNED:
    case STREAM_ERROR_NOT_LEADER:
    case STREAM_ERROR_NO_CLUSTER:
    case STREAM_ERROR_RESOURCES:
    case STREAM_ERROR_NO_ACCOUNT:
    case STREAM_ERROR_UNSUPPORTED:
    case STREAM_ERROR_PEER_REMAP:
    case STREAM_ERROR_STORE_FAILED:
    case STREAM_ERROR_OFFLINE:
        return NATS_STREAM_UNAVAILABLE;
    default:
        return NATS_STREAM_REFUSED;
    }
}

/* The server reports a denied subject or inbox, and nats.c continues to wait. */
static enum nats_stream_result nats_stream_end(struct nats_stream_call *call, natsStatus s)
{
    enum nats_stream_result result = NATS_STREAM_UNAVAILABLE;
    if (s == NATS_OK) {
        result = NATS_STREAM_FOUND;
    } else if (s == NATS_NO_RESPONDERS) {
        snprintf(call->error_text, NATS_CONN_TEXT_MAX, "no responders (JetStream may be disabled)");
    } else if (call->code) {
        result = nats_stream_classify_code(call->code);
        nats_conn_copy_last_error((int)s, call->error_text);
    } else if (nats_conn_get_denial(call->conn, call->error_text)) {
        result = NATS_STREAM_REFUSED;
    } else if (s == NATS_TIMEOUT) {
        snprintf(call->error_text, NATS_CONN_TEXT_MAX, "JetStream does not respond");
    } else {
        nats_conn_copy_last_error((int)s, call->error_text);
    }
    jsCtx_Destroy(call->js);
    return result;
}

static void nats_stream_put(struct stream_config *c, enum stream_setting setting, int64_t value)
{
    c->values[setting] = value;
}

static char *nats_stream_copy(const char *text)
{
    return text && *text ? strdup(text) : NULL;
}

/* `info` may lack a configuration if the response is odd. */
static void nats_stream_convert(const jsStreamInfo *info, struct stream_config *to)
{
    const jsStreamConfig *c = info->Config;
    *to = (struct stream_config){0};
    if (!c)
        return;
    for (int i = 0; i < c->SubjectsLen; i++)
        stream_config_add_subject(to, c->Subjects[i]);
    nats_stream_put(to, STREAM_RETENTION, c->Retention);
    nats_stream_put(to, STREAM_DISCARD, c->Discard);
    nats_stream_put(to, STREAM_STORAGE, c->Storage);
    nats_stream_put(to, STREAM_REPLICAS, c->Replicas);
    nats_stream_put(to, STREAM_MAX_MSGS, c->MaxMsgs);
    nats_stream_put(to, STREAM_MAX_BYTES, c->MaxBytes);
    nats_stream_put(to, STREAM_MAX_AGE, c->MaxAge);
    nats_stream_put(to, STREAM_MAX_MSG_SIZE, c->MaxMsgSize);
    nats_stream_put(to, STREAM_MAX_MSGS_PER_SUBJECT, c->MaxMsgsPerSubject);
    nats_stream_put(to, STREAM_MAX_CONSUMERS, c->MaxConsumers);
    nats_stream_put(to, STREAM_DUPE_WINDOW, c->Duplicates);
    nats_stream_put(to, STREAM_DENY_DELETE, c->DenyDelete);
    nats_stream_put(to, STREAM_DENY_PURGE, c->DenyPurge);
    nats_stream_put(to, STREAM_ALLOW_ROLLUP, c->AllowRollup);
    nats_stream_put(to, STREAM_ALLOW_DIRECT, c->AllowDirect);
    nats_stream_put(to, STREAM_MIRROR_DIRECT, c->MirrorDirect);
    nats_stream_put(to, STREAM_DISCARD_NEW_PER_SUBJECT, c->DiscardNewPerSubject);
    nats_stream_put(to, STREAM_NO_ACK, c->NoAck);
    nats_stream_put(to, STREAM_SEALED, c->Sealed);
    if (c->Placement) {
        to->cluster = nats_stream_copy(c->Placement->Cluster);
        for (int i = 0; i < c->Placement->TagsLen; i++)
            stream_config_add_tag(to, c->Placement->Tags[i]);
    }
}

enum nats_stream_result nats_stream_get(struct nats_conn *c, const char *name, uint64_t timeout_ns,
                                        struct stream_config *existing, char *error_text)
{
    struct nats_stream_call call;
    jsStreamInfo *info = NULL;
    natsStatus s = nats_stream_begin(&call, c, timeout_ns, error_text);
    if (s == NATS_OK)
        s = js_GetStreamInfo(&info, call.js, name, &call.options, &call.code);
    if (s == NATS_OK)
        nats_stream_convert(info, existing);
    jsStreamInfo_Destroy(info);
    return nats_stream_end(&call, s);
}

/* Strings for the request, which nats.c does not escape. */
struct nats_stream_texts {
    struct buffer *buffers;
    const char **pointers;
    size_t count;
};

static const char *nats_stream_escape(struct nats_stream_texts *t, const char *text)
{
    struct buffer *b = &t->buffers[t->count];
    t->pointers[t->count++] = nats_conn_escape(text, b);
    return b->data;
}

/* Returns the escaped texts of the list, which follow one another. */
static const char **nats_stream_escape_list(struct nats_stream_texts *t,
                                            const struct stream_list *list)
{
    const char **first = &t->pointers[t->count];
    for (size_t i = 0; i < list->count; i++)
        nats_stream_escape(t, list->texts[i]);
    return first;
}

static void nats_stream_fill_values(const struct stream_config *from, jsStreamConfig *to)
{
    const int64_t *v = from->values;
    to->Retention = (jsRetentionPolicy)v[STREAM_RETENTION];
    to->Discard = (jsDiscardPolicy)v[STREAM_DISCARD];
    to->Storage = (jsStorageType)v[STREAM_STORAGE];
    to->Replicas = v[STREAM_REPLICAS] ? v[STREAM_REPLICAS] : 1;
    to->MaxMsgs = v[STREAM_MAX_MSGS] ? v[STREAM_MAX_MSGS] : -1;
    to->MaxBytes = v[STREAM_MAX_BYTES] ? v[STREAM_MAX_BYTES] : -1;
    to->MaxMsgSize = v[STREAM_MAX_MSG_SIZE] ? (int32_t)v[STREAM_MAX_MSG_SIZE] : -1;
    to->MaxMsgsPerSubject = v[STREAM_MAX_MSGS_PER_SUBJECT] ? v[STREAM_MAX_MSGS_PER_SUBJECT] : -1;
    to->MaxConsumers = v[STREAM_MAX_CONSUMERS] ? v[STREAM_MAX_CONSUMERS] : -1;
    to->MaxAge = v[STREAM_MAX_AGE];
    to->Duplicates = v[STREAM_DUPE_WINDOW];
    to->DenyDelete = v[STREAM_DENY_DELETE];
    to->DenyPurge = v[STREAM_DENY_PURGE];
    to->AllowRollup = v[STREAM_ALLOW_ROLLUP];
    to->AllowDirect = v[STREAM_ALLOW_DIRECT];
    to->MirrorDirect = v[STREAM_MIRROR_DIRECT];
    to->DiscardNewPerSubject = v[STREAM_DISCARD_NEW_PER_SUBJECT];
}

static natsStatus nats_stream_add(struct nats_stream_call *call, const struct stream_config *config,
                                  struct nats_stream_texts *texts, jsStreamInfo **info)
{
    jsStreamConfig to;
    jsPlacement placement;
    natsStatus s = jsStreamConfig_Init(&to);
    if (s == NATS_OK)
        s = jsPlacement_Init(&placement);
    if (s != NATS_OK)
        return s;
    nats_stream_fill_values(config, &to);
    to.Name = config->name;
    if (config->description)
        to.Description = nats_stream_escape(texts, config->description);
    to.Subjects = nats_stream_escape_list(texts, &config->subjects);
    to.SubjectsLen = (int)config->subjects.count;
    if (config->cluster || config->tags.count) {
        placement.Cluster = nats_stream_escape(texts, config->cluster ? config->cluster : "");
        placement.Tags = nats_stream_escape_list(texts, &config->tags);
        placement.TagsLen = (int)config->tags.count;
        to.Placement = &placement;
    }
    return js_AddStream(info, call->js, &to, &call->options, &call->code);
}

enum nats_stream_result nats_stream_create(struct nats_conn *c, const struct stream_config *config,
                                           struct stream_config *existing, char *error_text)
{
    struct nats_stream_call call;
    jsStreamInfo *info = NULL;
    size_t count = config->subjects.count + config->tags.count + 2;
    struct nats_stream_texts texts = {.buffers = calloc(count, sizeof *texts.buffers),
                                      .pointers = calloc(count, sizeof *texts.pointers)};
    natsStatus s = nats_stream_begin(&call, c, config->timeout_ns, error_text);
    if (strpbrk(config->name, "\"\\")) {
        snprintf(error_text, NATS_CONN_TEXT_MAX, "cannot be created: quotes in its name");
        jsCtx_Destroy(call.js);
        free(texts.buffers);
        free(texts.pointers);
        return NATS_STREAM_REFUSED;
    }
    if (s == NATS_OK && (!texts.buffers || !texts.pointers))
        s = NATS_NO_MEMORY;
    if (s == NATS_OK)
        s = nats_stream_add(&call, config, &texts, &info);
    if (s == NATS_OK)
        nats_stream_convert(info, existing);
    jsStreamInfo_Destroy(info);
    for (size_t i = 0; i < texts.count; i++)
        buffer_free(&texts.buffers[i]);
    free(texts.buffers);
    free(texts.pointers);
    return nats_stream_end(&call, s);
}

enum nats_stream_result nats_stream_find(struct nats_conn *c, const char *subject,
                                         uint64_t timeout_ns, char *name, char *error_text)
{
    struct nats_stream_call call;
    struct buffer escaped = {0};
    jsStreamNamesList *list = NULL;
    natsStatus s = nats_stream_begin(&call, c, timeout_ns, error_text);
    call.options.Stream.Info.SubjectsFilter = nats_conn_escape(subject, &escaped);
    if (s == NATS_OK)
        s = js_StreamNames(&list, call.js, &call.options, &call.code);
    bool is_absent = s == NATS_NOT_FOUND || (s == NATS_OK && list->Count == 0);
    if (s == NATS_OK && !is_absent)
        snprintf(name, STREAM_NAME_MAX + 1, "%s", list->List[0]);
    jsStreamNamesList_Destroy(list);
    buffer_free(&escaped);
    enum nats_stream_result result = nats_stream_end(&call, s);
    if (!is_absent)
        return result;
    snprintf(error_text, NATS_CONN_TEXT_MAX, "no stream has this subject");
    return NATS_STREAM_ABSENT;
}
