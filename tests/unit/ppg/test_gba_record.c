/* Associations as octets for the store: they come back whole, and bound to the row they stand in. */
#include "ppg/keys/gba_record.h"

#include "base/mem.h"
#include "security/wrap.h"
#include "tests/unit/harness.h"

static struct sec_secret key_of(char c)
{
    struct sec_secret k = {.n = SEC_WRAP_KEY_N};

    memset(k.octets, c, k.n);
    return k;
}

static struct ppg_gba_record record_of(size_t gpi_n, size_t ptid_n)
{
    struct ppg_gba_record r = {.ptid_n = ptid_n, .info = {.gpi_n = gpi_n, .created_s = 5, .expires_s = 50}};

    memset(r.info.rand, 'r', sizeof r.info.rand);
    memset(r.info.gpi, 'g', gpi_n);
    memset(r.info.ks_naf.octets, 'k', SEC_GBA_KEY_N);
    r.info.ks_naf.n = SEC_GBA_KEY_N;
    memset(r.ptid, 'p', ptid_n);
    return r;
}

static struct store_sa row_of(struct slice octets)
{
    struct store_sa row = {.terminal = SLICE("+1"), .made_s = 5, .expires_s = 50, .octets = octets};

    memset(row.said, 'r', sizeof row.said);
    return row;
}

static void round_trips(void)
{
    static const size_t sizes[][2] = {{1, 1}, {90, 8}, {SEC_GPI_MAX_N, SEC_GPI_PTID_MAX_N}};
    struct sec_secret k = key_of('K');

    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct ppg_gba_record r = record_of(sizes[i][0], sizes[i][1]), back = {.ptid_n = 0};
        struct store_sa row;
        struct buf sealed;

        test_row(i);
        buf_init(&sealed, PPG_GBA_SEALED_MAX_N);
        CU_ASSERT_FATAL(ppg_gba_record_seal(&k, SLICE("+1"), &r, &sealed) == ERR_OK);
        row = row_of(buf_slice(&sealed));
        CU_ASSERT(ppg_gba_record_open(&k, &row, &back) == ERR_OK);
        CU_ASSERT(memcmp(&back, &r, sizeof r) == 0);
        buf_clear(&sealed);
    }
}

static void bound_to_its_row(void)
{
    struct ppg_gba_record r = record_of(90, 8), back = {.ptid_n = 77};
    struct sec_secret k = key_of('K'), other = key_of('O');
    struct store_sa row, changed;
    struct buf sealed;

    buf_init(&sealed, PPG_GBA_SEALED_MAX_N);
    CU_ASSERT_FATAL(ppg_gba_record_seal(&k, SLICE("+1"), &r, &sealed) == ERR_OK);
    row = changed = row_of(buf_slice(&sealed));
    CU_ASSERT(ppg_gba_record_open(&other, &row, &back) == ERR_DENIED);
    changed.said[15]++;
    CU_ASSERT(ppg_gba_record_open(&k, &changed, &back) == ERR_DENIED);
    changed = row;
    changed.terminal = SLICE("+2");
    CU_ASSERT(ppg_gba_record_open(&k, &changed, &back) == ERR_DENIED);
    changed = row;
    changed.made_s--;
    CU_ASSERT(ppg_gba_record_open(&k, &changed, &back) == ERR_DENIED);
    changed = row;
    changed.expires_s++;
    CU_ASSERT(ppg_gba_record_open(&k, &changed, &back) == ERR_DENIED);
    changed = row;
    changed.octets.n--;
    CU_ASSERT(ppg_gba_record_open(&k, &changed, &back) == ERR_DENIED);
    changed.octets = SLICE_NONE;
    CU_ASSERT(ppg_gba_record_open(&k, &changed, &back) == ERR_DENIED);
    CU_ASSERT(back.ptid_n == 77);
    buf_clear(&sealed);
}

/* Sealed under the right key, and still not what we write. */
static void malformed_rows(void)
{
#define KS "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
    static const struct slice rows[] = {
        SLICE(""),
        SLICE("\x01"),
        SLICE("\x01" KS),
        SLICE("\x02" KS "\x01p\x00\x01g"),
        SLICE("\x01" KS "\x00\x00\x01g"),
        SLICE("\x01" KS "\x01p"),
        SLICE("\x01" KS "\x01p\x00"),
        SLICE("\x01" KS "\x01p\x00\x00"),
        SLICE("\x01" KS "\x01p\x00\x02g"),
        SLICE("\x01" KS "\x01p\x00\x01gg"),
        SLICE("\x01" KS "\xffp\x00\x01g"),
    };
    struct sec_secret k = key_of('K');

    for (size_t i = 0; i < COUNT(rows) + 1; i++) {
        struct ppg_gba_record back = {.ptid_n = 77};
        struct slice plain = i < COUNT(rows) ? rows[i] : SLICE("\x01" KS "\x01p\x00\x01g");
        struct store_sa row;
        struct buf sealed, context;
        uint8_t times[16] = {[7] = 5, [15] = 50};

        test_row(i);
        buf_init(&sealed, PPG_GBA_SEALED_MAX_N);
        buf_init(&context, 100);
        row = row_of(SLICE_NONE);
        buf_add(&context, slice_of(row.said, sizeof row.said));
        buf_add(&context, slice_of(times, sizeof times));
        buf_add(&context, SLICE("+1"));
        CU_ASSERT_FATAL(sec_wrap(&k, buf_slice(&context), plain, &sealed) == ERR_OK);
        row = row_of(buf_slice(&sealed));
        CU_ASSERT(ppg_gba_record_open(&k, &row, &back) == (i < COUNT(rows) ? ERR_MALFORMED : ERR_OK));
        CU_ASSERT(back.ptid_n == (i < COUNT(rows) ? 77 : 1));
        buf_clear(&sealed);
        buf_clear(&context);
    }
}

const struct test_case test_cases[] = {
    {"round_trips", round_trips},
    {"bound_to_its_row", bound_to_its_row},
    {"malformed_rows", malformed_rows},
    {NULL, NULL},
};
