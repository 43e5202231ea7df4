/* The histogram, compared with its definition: single values, and percentiles of sorted values. */

#include "unit.h"
#include "verify/histogram.h"

static struct histogram h;

/* The least power of two with which 2048 steps exceed the value. */
static uint64_t step_width(uint64_t value)
{
    uint64_t w = 1;
    while (value >= w * 2048)
        w *= 2;
    return w;
}

static void test_value(uint64_t value)
{
    uint64_t w = step_width(value);
    unit(histogram_lowest_equivalent(value) == value / w * w, "%" PRIu64 ": lowest", value);
    unit(histogram_highest_equivalent(value) == value / w * w + w - 1, "%" PRIu64 ": highest",
         value);
    unit(w == 1 || w * 1000 <= value, "%" PRIu64 ": three digits", value);
    memset(&h, 0, sizeof h);
    histogram_record(&h, value);
    unit(histogram_percentile(&h, 50) == value / w * w + w - 1, "%" PRIu64 ": recorded", value);
    unit(histogram_max(&h) == value / w * w + w - 1, "%" PRIu64 ": maximum", value);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void test_percentiles(void)
{
    enum { COUNT = 20000 };
    static uint64_t values[COUNT];
    unsigned seed = 7;
    double sum = 0;
    memset(&h, 0, sizeof h);
    for (int i = 0; i < COUNT; i++) {
        uint64_t random = (uint64_t)rand_r(&seed) << 20 ^ (uint64_t)rand_r(&seed);
        values[i] = random % (UINT64_C(1) << (1 + rand_r(&seed) % 31));
        sum += (double)values[i];
        histogram_record(&h, values[i]);
    }
    qsort(values, COUNT, sizeof *values, compare);
    static const struct {
        double percent;
        int rank;
    } expected[] = {{0, 1},        {50, 10000},    {90, 18000},     {99, 19800},
                    {99.9, 19980}, {99.99, 19998}, {99.995, 19999}, {100, 20000}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        unit(histogram_percentile(&h, expected[i].percent) ==
                 histogram_highest_equivalent(values[expected[i].rank - 1]),
             "p%g", expected[i].percent);
    double mean = sum / COUNT;
    unit(histogram_mean(&h) > mean * 0.999 && histogram_mean(&h) < mean * 1.001, "mean");
}

/* The output of HdrHistogram's Java: five rows for each halving of the distance to 100 %. */
static void test_print(void)
{
    struct buffer out = {0};
    memset(&h, 0, sizeof h);
    for (int i = 0; i < 4; i++)
        histogram_record(&h, (uint64_t)(i + 1) * 1000);
    histogram_print(&h, &out);
    *buffer_reserve(&out, 1) = '\0';
    static const char expected[] = "       Value     Percentile TotalCount 1/(1-Percentile)\n"
                                   "\n"
                                   "       1.000 0.000000000000          1           1.00\n"
                                   "       1.000 0.100000000000          1           1.11\n"
                                   "       1.000 0.200000000000          1           1.25\n"
                                   "       2.000 0.300000000000          2           1.43\n"
                                   "       2.000 0.400000000000          2           1.67\n"
                                   "       2.000 0.500000000000          2           2.00\n"
                                   "       3.001 0.550000000000          3           2.22\n"
                                   "       3.001 0.600000000000          3           2.50\n"
                                   "       3.001 0.650000000000          3           2.86\n"
                                   "       3.001 0.700000000000          3           3.33\n"
                                   "       3.001 0.750000000000          3           4.00\n"
                                   "       4.001 0.775000000000          4           4.44\n"
                                   "       4.001 1.000000000000          4\n"
                                   "#[Mean    =        2.501, StdDeviation   =        1.118]\n"
                                   "#[Max     =        4.001, Total count    =            4]\n"
                                   "#[Buckets =           22, SubBuckets     =         2048]\n";
    unit(strcmp(out.data, expected) == 0, "got\n%s", out.data);
    buffer_free(&out);
}

int main(void)
{
    for (uint64_t value = 0; value < 5000; value++)
        test_value(value);
    for (uint64_t power = 4096; power < HISTOGRAM_MAX; power *= 2)
        for (uint64_t value = power - 2; value < power + 3; value++)
            test_value(value);
    test_value(HISTOGRAM_MAX);
    memset(&h, 0, sizeof h);
    unit(histogram_percentile(&h, 99) == 0 && histogram_max(&h) == 0, "empty");
    histogram_record(&h, UINT64_MAX);
    unit(histogram_percentile(&h, 99) == histogram_highest_equivalent(HISTOGRAM_MAX),
         "above HISTOGRAM_MAX");
    test_percentiles();
    test_print();
    return unit_end("histogram");
}
