/*
 * bare [-j] SUBJECT FILE: publishes each line of a file to $NATS_URL with nats.c alone, as a lower
 * bound for shnek-pub; -j publishes asynchronously to JetStream. Prints the wall-clock and CPU time
 * from the first message to the last confirmation, in seconds, without reading the file.
 */

#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double clock_seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(natsStatus s, const char *what)
{
    if (s == NATS_OK)
        return;
    fprintf(stderr, "bare: %s: %s\n", what, natsStatus_GetText(s));
    exit(2);
}

static char *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "r");
    if (!f || fseek(f, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    *len = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*len + 1);
    if (!bytes || fread(bytes, 1, *len, f) != *len)
        exit(2);
    fclose(f);
    return bytes;
}

static void publish_line(natsConnection *nc, jsCtx *js, const char *subject, const char *p,
                         size_t n)
{
    natsMsg *m = NULL;
    if (!js) {
        check(natsConnection_Publish(nc, subject, p, (int)n), "publish");
        return;
    }
    check(natsMsg_Create(&m, subject, NULL, p, (int)n), "message");
    check(js_PublishMsgAsync(js, &m, NULL), "publish");
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
    size_t len;
    char *bytes = read_file(argv[first + 1], &len);
    check(natsConnection_ConnectTo(&nc, getenv("NATS_URL")), "connect");
    jsOptions_Init(&options);
    options.PublishAsync.MaxPending = 16 * 1024;
    if (first == 2)
        check(natsConnection_JetStream(&js, nc, &options), "JetStream");
    double start = clock_seconds(CLOCK_MONOTONIC);
    double cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (const char *p = bytes, *end = bytes + len, *lf; p < end; p = lf + 1) {
        lf = memchr(p, '\n', (size_t)(end - p));
        if (!lf)
            break;
        publish_line(nc, js, argv[first], p, (size_t)(lf - p));
    }
    if (js)
        check(js_PublishAsyncComplete(js, NULL), "acknowledgements");
    else
        check(natsConnection_Flush(nc), "flush");
    cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("%.6f %.6f\n", clock_seconds(CLOCK_MONOTONIC) - start, cpu);
    jsCtx_Destroy(js);
    natsConnection_Destroy(nc);
    nats_Close();
    free(bytes);
    return 0;
}
