/*
 * bare [-j] SUBJECT FILE: publishes each line of a file with nats.c and nothing else, through
 * $NATS_URL; with -j asynchronously to JetStream. Prints the seconds from the first message to the
 * last confirmation, and those of CPU time: the floor for what shnek-pub may take. The reading of
 * the file is not in them.
 */

#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(natsStatus s, const char *what)
{
    if (s == NATS_OK)
        return;
    fprintf(stderr, "bare: %s: %s\n", what, natsStatus_GetText(s));
    exit(2);
}

static char *whole(const char *path, size_t *length)
{
    FILE *f = fopen(path, "r");
    if (!f || fseek(f, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    *length = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*length + 1);
    if (!bytes || fread(bytes, 1, *length, f) != *length)
        exit(2);
    fclose(f);
    return bytes;
}

static void publish(natsConnection *nc, jsCtx *js, const char *subject, const char *p, size_t n)
{
    natsMsg *m = NULL;
    if (!js) {
        must(natsConnection_Publish(nc, subject, p, (int)n), "publish");
        return;
    }
    must(natsMsg_Create(&m, subject, NULL, p, (int)n), "message");
    must(js_PublishMsgAsync(js, &m, NULL), "publish");
    natsMsg_Destroy(m);
}

int main(int argc, char **argv)
{
    int first = argc > 1 && strcmp(argv[1], "-j") == 0 ? 2 : 1;
    if (argc != first + 2) {
        fprintf(stderr, "usage: bare [-j] SUBJECT FILE\n");
        return 2;
    }
    natsConnection *nc = NULL;
    jsCtx *js = NULL;
    jsOptions options;
    size_t length;
    char *bytes = whole(argv[first + 1], &length);
    must(natsConnection_ConnectTo(&nc, getenv("NATS_URL")), "connect");
    jsOptions_Init(&options);
    options.PublishAsync.MaxPending = 16 * 1024;
    if (first == 2)
        must(natsConnection_JetStream(&js, nc, &options), "JetStream");
    double start = now(CLOCK_MONOTONIC);
    double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    for (const char *p = bytes, *end = bytes + length, *lf; p < end; p = lf + 1) {
        lf = memchr(p, '\n', (size_t)(end - p));
        if (!lf)
            break;
        publish(nc, js, argv[first], p, (size_t)(lf - p));
    }
    if (js)
        must(js_PublishAsyncComplete(js, NULL), "acknowledgements");
    else
        must(natsConnection_Flush(nc), "flush");
    cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("%.6f %.6f\n", now(CLOCK_MONOTONIC) - start, cpu);
    jsCtx_Destroy(js);
    natsConnection_Destroy(nc);
    nats_Close();
    free(bytes);
    return 0;
}
