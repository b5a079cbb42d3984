/* Octets of an association in the store; see gba_record.h.  Inside the seal: version (1), Ks_NAF (32), octets of the P-TID
 * (1), the P-TID, octets of the push info (2), the push info. */
#include "ppg/keys/gba_record.h"

#include "base/mem.h"
#include "base/num.h"
#include "security/wrap.h"

#define VERSION     1
#define PLAIN_MAX_N (1 + SEC_GBA_KEY_N + 1 + SEC_GPI_PTID_MAX_N + 2 + SEC_GPI_MAX_N)
#define BOUND_MAX_N 4096

/* What the seal covers besides: name and times, then the terminal. */
static enum err bound(const uint8_t said[SEC_AKA_RAND_N], int64_t made_s, int64_t expires_s,
                      struct slice terminal, struct buf *out)
{
    uint8_t times[16];

    num_put64(times, (uint64_t)made_s);
    num_put64(times + 8, (uint64_t)expires_s);
    buf_init(out, BOUND_MAX_N);
    buf_add(out, slice_of(said, SEC_AKA_RAND_N));
    buf_add(out, slice_of(times, sizeof times));
    buf_add(out, terminal);
    return buf_err(out);
}

static void print(const struct ppg_gba_record *r, struct buf *out)
{
    uint8_t n[2];

    num_put16(n, (uint16_t)r->info.gpi_n);
    buf_add_ch(out, VERSION);
    buf_add(out, sec_secret_slice(&r->info.ks_naf));
    buf_add_ch(out, (char)r->ptid_n);
    buf_add(out, slice_of(r->ptid, r->ptid_n));
    buf_add(out, slice_of(n, sizeof n));
    buf_add(out, slice_of(r->info.gpi, r->info.gpi_n));
}

enum err ppg_gba_record_seal(const struct sec_secret *key, struct slice terminal,
                             const struct ppg_gba_record *r, struct buf *out)
{
    struct buf plain, context;
    enum err e = bound(r->info.rand, r->info.created_s, r->info.expires_s, terminal, &context);

    buf_init(&plain, PLAIN_MAX_N);
    if (!e && buf_room(&plain, PLAIN_MAX_N)) /* so that it never moves, and is wiped whole */
        print(r, &plain);
    if (!e)
        e = buf_err(&plain);
    if (!e)
        e = sec_wrap(key, buf_slice(&context), buf_slice(&plain), out);
    buf_wipe(&plain);
    buf_clear(&context);
    return e;
}

static enum err parse(struct slice in, struct ppg_gba_record *out)
{
    struct slice ks = slice_sub(in, 1, SEC_GBA_KEY_N), ptid, gpi;
    size_t at = 1 + SEC_GBA_KEY_N;

    if (in.n < at + 1 || in.p[0] != VERSION)
        return ERR_MALFORMED;
    ptid = slice_sub(in, at + 1, (uint8_t)in.p[at]);
    at += 1 + (uint8_t)in.p[at];
    if (in.n < at + 2)
        return ERR_MALFORMED;
    gpi = slice_sub(in, at + 2, in.n);
    if (ptid.n < 1 || ptid.n > sizeof out->ptid || gpi.n != num_get16(in.p + at) || gpi.n < 1 ||
        gpi.n > sizeof out->info.gpi)
        return ERR_MALFORMED;
    mem_copy(out->ptid, sizeof out->ptid, ptid);
    out->ptid_n = ptid.n;
    mem_copy(out->info.gpi, sizeof out->info.gpi, gpi);
    out->info.gpi_n = gpi.n;
    return sec_secret_set(&out->info.ks_naf, ks);
}

enum err ppg_gba_record_open(const struct sec_secret *key, const struct store_sa *row,
                             struct ppg_gba_record *out)
{
    struct ppg_gba_record r = {.info = {.created_s = row->made_s, .expires_s = row->expires_s}};
    struct buf plain, context;
    enum err e = bound(row->said, row->made_s, row->expires_s, row->terminal, &context);

    buf_init(&plain, PLAIN_MAX_N);
    if (!e)
        e = sec_unwrap(key, buf_slice(&context), row->octets, &plain);
    if (!e)
        e = parse(buf_slice(&plain), &r);
    if (!e) {
        mem_copy(r.info.rand, sizeof r.info.rand, slice_of(row->said, sizeof row->said));
        *out = r;
    }
    buf_wipe(&plain);
    buf_clear(&context);
    mem_wipe(&r, sizeof r);
    return e;
}
