/*
 * frame_fuzz_test [ITERATIONS [SEED]]: passes random streams of lines, frames and parts of them to
 * tests/fuzz/frame.c, which aborts on a failure. The default run is deterministic.
 */

#include "../fuzz/frame.h"
#include "unit.h"

enum { ITERATIONS = 300000, PIECES_MAX = 12, PIECE_MAX = 24 };

#define PIECE(text)                                                                                \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }
static const struct slice pieces[] = {PIECE("\n"),
                                      PIECE("\n"),
                                      PIECE("\r"),
                                      PIECE("\r\n"),
                                      PIECE("\0"),
                                      PIECE("\0"),
                                      PIECE("\0"),
                                      PIECE("<"),
                                      PIECE(">"),
                                      PIECE("<1>"),
                                      PIECE("<13>"),
                                      PIECE("<191"),
                                      PIECE("<1234>"),
                                      PIECE("\0<2>"),
                                      PIECE("\0<1"),
                                      PIECE("1"),
                                      PIECE("0"),
                                      PIECE("3 "),
                                      PIECE("5 <13>"),
                                      PIECE("7 <13>ab"),
                                      PIECE("30 <1>"),
                                      PIECE("a"),
                                      PIECE("bc"),
                                      PIECE("0123456789abcdef"),
                                      PIECE(" "),
                                      PIECE("\xC3\xA9"),
                                      PIECE("\xE2\x82\xAC"),
                                      PIECE("\xFF"),
                                      PIECE("\nNov 22 17:00:00 "),
                                      PIECE("\n2026-11-22 17:00:00 "),
                                      PIECE("12345678901 <1>")};

static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);

static size_t random_below(size_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state >> 11) % n;
}

int main(int argc, char **argv)
{
    unsigned long iterations = argc > 1 ? strtoul(argv[1], NULL, 10) : ITERATIONS;
    if (argc > 2)
        state ^= strtoul(argv[2], NULL, 10) << 17;
    for (unsigned long i = 0; i < iterations; i++) {
        uint8_t bytes[2 + PIECES_MAX * PIECE_MAX] = {(uint8_t)random_below(32),
                                                     (uint8_t)random_below(256)};
        size_t len = 2;
        for (size_t n = 1 + random_below(PIECES_MAX); n; n--) {
            struct slice piece = pieces[random_below(sizeof pieces / sizeof *pieces)];
            memcpy(bytes + len, piece.data, piece.len);
            len += piece.len;
        }
        LLVMFuzzerTestOneInput(bytes, len);
    }
    unit(true, "no difference");
    return unit_end("frame fuzz");
}
