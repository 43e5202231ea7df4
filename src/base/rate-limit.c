#include "base/rate-limit.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"

enum { RATE_LIMIT_PER_SECOND = 10 };

bool rate_limit_allow(struct rate_limit *limit)
{
    if (limit->quiet)
        return false;
    uint64_t second = clock_monotonic() / NS_PER_S;
    if (second != limit->second) {
        rate_limit_flush(limit);
        limit->second = second;
        limit->printed = 0;
    }
    if (limit->printed == RATE_LIMIT_PER_SECOND) {
        limit->suppressed++;
        return false;
    }
    limit->printed++;
    return true;
}

void rate_limit_poll(struct rate_limit *limit)
{
    if (limit->suppressed && clock_monotonic() / NS_PER_S != limit->second)
        rate_limit_flush(limit);
}

void rate_limit_flush(struct rate_limit *limit)
{
    if (limit->suppressed)
        log_warning("%" PRIu64 " similar line%s suppressed", limit->suppressed,
                    limit->suppressed == 1 ? "" : "s");
    limit->suppressed = 0;
}

bool log_rejected(struct rate_limit *limit, const char *source, uint64_t number,
                  const struct defect *defect, const char *hint)
{
    if (!rate_limit_allow(limit))
        return false;
    log_warning("%s:%" PRIu64 ": %s: %s (at byte %" PRIu64 ")%s", source, number, defect->field,
                defect->reason, defect->offset, hint);
    return true;
}
