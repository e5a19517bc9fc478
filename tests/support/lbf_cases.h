/*
 * lbf_cases.h - reference values of the log Bayes factors. tests/support/lbf_reference.py computes
 * the figures from the formulas of docs/correlation.md and, in the test run, compares them with
 * this table: one row a line.
 */
#ifndef FL_LBF_CASES_H
#define FL_LBF_CASES_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

enum { LBF_CASE_CELLS = 64 };

/* Counts, window by window. */
struct counts_case {
    const char *name;
    size_t outcomes, past, now; /* windows */
    double baseline[LBF_CASE_CELLS], incident[LBF_CASE_CELLS];
    double lbf;
    size_t onset, end;
};

/* One row a line, as the script reads it. */
/* clang-format off */
static const struct counts_case counts_cases[] = {
    {"one window went the other way", 2, 1, 1, {11, 0}, {0, 20}, 10.13158207, 0, 1},
    {"two windows went the other way", 2, 2, 2, {6, 0, 5, 0}, {0, 11, 0, 9}, 19.20472624, 0, 2},
    {"nothing changed", 1, 2, 2, {32, 32}, {27, 27}, -3.47685300, 0, 1},
    {"another outcome for all", 2, 2, 2, {32, 0, 32, 0}, {0, 27, 0, 27}, 37.06744946, 0, 2},
    {"a mix that wandered", 2, 2, 2, {95, 20, 95, 20}, {73, 31, 73, 31}, -3.08239424, 0, 2},
    {"one count only", 2, 1, 1, {40, 0}, {0, 1}, 5.04791442, 0, 1},
    {"a baseline that is a wide mix", 2, 5, 1, {90, 10, 10, 90, 50, 50, 80, 20, 25, 75}, {100, 0}, 2.96714385, 0, 1},
    {"the change begins late", 2, 3, 4, {50, 0, 50, 1, 48, 0}, {50, 0, 50, 0, 0, 50, 0, 50}, 41.58867305, 2, 4},
    {"the change ends early", 2, 3, 4, {50, 0, 50, 1, 48, 0}, {0, 50, 50, 0, 51, 0, 50, 1}, 16.72659488, 0, 1},
    {"the change is in the middle", 2, 3, 5, {50, 0, 50, 1, 48, 0}, {50, 0, 50, 0, 0, 50, 49, 0, 50, 0}, 16.32112978, 2, 3},
    {"an empty window between", 2, 2, 3, {20, 1, 20, 1}, {0, 20, 0, 0, 0, 20}, 23.93758295, 0, 3},
    {"nothing happened in the incident", 2, 2, 2, {20, 1, 20, 1}, {0, 0, 0, 0}, 0.00000000, 0, 1},
    {"many outcomes", 6, 2, 2, {9, 8, 7, 6, 5, 0, 8, 9, 6, 7, 5, 0}, {1, 1, 1, 1, 1, 30, 2, 1, 0, 1, 0, 33}, 30.89101013, 0, 2},
    {"thousands", 3, 3, 2, {4000, 10, 0, 3900, 12, 0, 4100, 9, 0}, {3800, 10, 90, 3700, 12, 120}, 5.49942888, 0, 2},
    {"twelve healthy windows", 2, 12, 2, {30, 1, 31, 0, 29, 2, 30, 0, 30, 1, 33, 1, 28, 0, 30, 1, 30, 2, 31, 1, 29, 0, 30, 1}, {30, 1, 29, 1}, -5.27124287, 1, 2},
    {"more errors than ever", 2, 12, 2, {30, 1, 31, 0, 29, 2, 30, 0, 30, 1, 33, 1, 28, 0, 30, 1, 30, 2, 31, 1, 29, 0, 30, 1}, {20, 11, 18, 14}, 13.92530346, 0, 2},
};

/* One value a window. */
struct values_case {
    const char *name;
    double prior_scale;
    bool rises_only;
    size_t past, now;
    double baseline[LBF_CASE_CELLS], incident[LBF_CASE_CELLS];
    double lbf;
    size_t onset, end;
};

/* The first rows are logarithms of 3.5, 3.9, 3.2 and 3.6 ms, and of 1000.5 ms. */
static const struct values_case values_cases[] = {
    {"a second once", 0.3, true, 4, 1, {1.252762968495368, 1.3609765531356006, 1.1631508098056809, 1.2809338454620642}, {6.908255154024082}, 6.73769076, 0, 1},
    {"a second twice", 0.3, true, 4, 2, {1.252762968495368, 1.3609765531356006, 1.1631508098056809, 1.2809338454620642}, {6.908255154024082, 6.908255154024082}, 16.01947841, 0, 2},
    {"as ever", 0.3, true, 4, 2, {1.25, 1.36, 1.16, 1.28}, {1.27, 1.3}, -2.23628266, 1, 2},
    {"one value of history", 0.3, true, 1, 1, {1.25}, {4.0}, 3.01475541, 0, 1},
    {"a history without any spread", 0, true, 6, 2, {2, 2, 2, 2, 2, 2}, {2.05, 2.1}, -2.61507970, 1, 2},
    {"a shift beyond the floor", 0, true, 6, 2, {2, 2, 2, 2, 2, 2}, {4, 4.2}, 11.72803527, 0, 2},
    {"a fall counts", 0.3, false, 4, 3, {5, 5.1, 4.9, 5}, {1, 1.1, 0.9}, 21.32061347, 0, 3},
    {"a fall does not count as a rise", 0.3, true, 4, 3, {5, 5.1, 4.9, 5}, {1, 1.1, 0.9}, 0.00000000, 0, 3},
    {"a rise that begins late", 0.3, true, 4, 4, {5, 5.1, 4.9, 5}, {5, 5.05, 8, 8.2}, 9.79003351, 2, 4},
    {"a rise that ends early", 0.3, true, 4, 4, {5, 5.1, 4.9, 5}, {8, 8.3, 5, 5.05}, 9.77692243, 0, 2},
    {"gaps", 0.3, true, 6, 5, {5, NAN, 5.1, 4.9, NAN, 5}, {NAN, 8, NAN, 8.2, 5}, 10.30082413, 1, 4},
    {"a wide history", 0.3, true, 8, 2, {1, 3, 2, 5, 1, 4, 2, 3}, {5, 6}, 1.24923047, 0, 2},
    {"an even number of windows", 0.5, true, 6, 4, {-1, -1.2, -0.8, -1.1, -0.9, -1}, {0.5, 1.5, 0.2, 0.9}, 8.44091702, 0, 4},
};
/* clang-format on */

#endif
