/* The table of what terminals have bootstrapped: one Ks a subscriber, found by RAND, by IMPI and by TMPI.  Bounded: when
 * it is full the oldest goes.  What is over, replaced or crowded out is wiped.  One thread at a time. */
#ifndef SECURITY_GBA_RUNS_H
#define SECURITY_GBA_RUNS_H

#include "base/list.h"
#include "base/map.h"
#include "security/gba/gba.h"

struct sec_run {
    struct list link; /* the table's: oldest first */
    uint8_t rand[SEC_AKA_RAND_N];
    struct sec_secret ks;  /* 256 bits */
    int64_t challenged_ms; /* UTC: when the challenge was made that led here */
    int64_t created_s;     /* UTC */
    int64_t expires_s;     /* UTC; good strictly before */
    bool uicc;             /* GBA_U: Ks lives in the module */
    char tmpi[SEC_TMPI_MAX_N];
    size_t tmpi_n; /* 0: none */
    char impi[SEC_GBA_IMPI_MAX_N];
    size_t impi_n; /* 1.. */
};

struct sec_runs {
    struct map by_rand, by_impi, by_tmpi; /* keys live in the runs */
    struct list all;
    size_t n;
    size_t max;
};

void sec_runs_init(struct sec_runs *t, size_t max);
void sec_runs_clear(struct sec_runs *t);
/* Copies *run, in the place of the one that its IMPI had.  ERR_EXISTS (RAND or TMPI is another's), ERR_NOMEM: the one
 * before may be gone. */
enum err sec_runs_put(struct sec_runs *t, const struct sec_run *run, int64_t now_s) MUST_USE;
/* Until the next put or sweep; NULL when there is none, or it is over: it goes then. */
const struct sec_run *sec_runs_by_rand(struct sec_runs *t, const uint8_t rand[SEC_AKA_RAND_N], int64_t now_s);
const struct sec_run *sec_runs_by_impi(struct sec_runs *t, struct slice impi, int64_t now_s);
const struct sec_run *sec_runs_by_tmpi(struct sec_runs *t, struct slice tmpi, int64_t now_s);
/* Looks at all of them. */
void sec_runs_sweep(struct sec_runs *t, int64_t now_s);

#endif
