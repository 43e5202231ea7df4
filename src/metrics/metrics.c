#include "metrics/metrics.h"

#include <string.h>

static bool metrics_target_is_file(const char *text)
{
    static const char suffix[] = ".prom";
    size_t len = strlen(text);
    return len >= strlen(suffix) && strcmp(text + len - strlen(suffix), suffix) == 0;
}

bool metrics_target_parse(struct metrics_target *t, const char *text)
{
    *t = (struct metrics_target){.given = true};
    if (!metrics_target_is_file(text))
        return address_parse_tcp("--metrics", text, "expected HOST:PORT or FILE.prom", &t->address);
    t->path = text;
    return true;
}

bool metrics_open(struct metrics *m, const struct metrics_target *t,
                  const struct metrics_provider *provider)
{
    *m = (struct metrics){.provider = *provider};
    if (!t->given)
        return true;
    if (t->path)
        return m->has_file = text_file_open(&m->file, t->path, &m->provider);
    m->server = http_server_open(&t->address, &m->provider);
    return m->server != NULL;
}

void metrics_close(struct metrics *m)
{
    http_server_close(m->server);
    if (m->has_file)
        text_file_close(&m->file);
}
