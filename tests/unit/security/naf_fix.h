/* A subscriber that has bootstrapped, for tests of what NAFs do with that: the server's table, and the terminal's own
 * Ks, from its identity module. */
#ifndef TESTS_UNIT_SECURITY_NAF_FIX_H
#define TESTS_UNIT_SECURITY_NAF_FIX_H

#include "base/mem.h"
#include "security/gba/naf.h"
#include "security/gba/usim.h"
#include "tests/unit/harness.h"

#define FIX_NOW  INT64_C(1700000000)
#define FIX_LIFE 3600
#define FIX_BSF  SLICE("bsf.operator.example")
#define FIX_NAF  SLICE("ppg.operator.example")
#define FIX_IMPI SLICE("user@operator.example")

struct naf_fix {
    struct sec_keyserver *server;
    struct sec_bootstrap *bootstrap;
    struct sec_naf naf;
    struct sec_secret ks; /* the terminal's */
    uint8_t rand[SEC_AKA_RAND_N];
    char btid[SEC_BTID_MAX_N];
    size_t btid_n;
};

static inline struct slice naf_fix_btid(const struct naf_fix *f)
{
    return slice_of(f->btid, f->btid_n);
}

static inline void naf_fix_step(struct naf_fix *f, struct slice authorization, struct sec_bootstrap_answer *a,
                                struct buf *header)
{
    struct sec_bootstrap_request q = {.authorization = authorization,
                                      .http = {SLICE("GET"), SLICE("/"), SLICE_NONE, true},
                                      .life_s = FIX_LIFE,
                                      .utc_ms = FIX_NOW * 1000};

    MUST(sec_bootstrap_step(f->bootstrap, f->server, &q, a, header) == ERR_OK);
}

/* The terminal's side of a challenge: appends its answer. */
static inline void naf_fix_answer(struct naf_fix *f, enum sec_aka_star star, struct slice k, struct slice opc,
                                  struct slice challenge, struct buf *says)
{
    struct sec_usim_conf conf = {FIX_IMPI, k, opc, star};
    struct sec_digest_request get = {SLICE("GET"), SLICE("/"), SLICE_NONE, true};
    uint8_t autn[SEC_AKA_AUTN_N], auts[SEC_AKA_AUTS_N];
    struct sec_digest_response sent;
    struct sec_digest_offer offer;
    struct sec_aka_vector v;
    struct sec_usim *u = NULL;
    struct sec_secret ha1;

    MUST(sec_usim_create(&conf, &u) == ERR_OK);
    MUST(sec_digest_aka_choose(&challenge, 1, &offer) == ERR_OK);
    MUST(sec_digest_aka_nonce(offer.nonce, f->rand, autn) == ERR_OK);
    MUST(sec_usim_aka(u, f->rand, autn, &v, auts) == ERR_OK);
    MUST(sec_digest_aka_ha1(offer.algorithm, FIX_IMPI, FIX_BSF, &v, &ha1) == ERR_OK);
    MUST(sec_digest_answer(&offer, FIX_IMPI, &ha1, &get, SLICE("c"), 1, says, &sent) == ERR_OK);
    sec_gba_ks(v.ck, v.ik, &f->ks);
    sec_usim_free(&u);
}

static inline void naf_fix_open(struct naf_fix *f, enum sec_aka_star star)
{
    struct slice k = SLICE("0123456789abcdef"), opc = SLICE("fedcba9876543210");
    struct sec_keyserver_conf keyserver = {100, 1};
    struct sec_subscriber c = {.impi = FIX_IMPI, .k = k, .opc = opc, .star = star};
    struct sec_bootstrap_conf conf = {FIX_BSF, 10, 60000, false};
    struct sec_bootstrap_answer a;
    struct buf header, says;

    *f = (struct naf_fix){.btid_n = 0};
    MUST(sec_keyserver_create(&keyserver, &f->server) == ERR_OK);
    MUST(sec_keyserver_add(f->server, &c) == ERR_OK);
    MUST(sec_keyserver_reserved(f->server, FIX_IMPI, 1, 100) == ERR_OK);
    MUST(sec_bootstrap_create(&conf, &f->bootstrap) == ERR_OK);
    f->naf =
        (struct sec_naf){.bootstrap = f->bootstrap, .server = f->server, .fqdn = FIX_NAF, .now_s = FIX_NOW};
    buf_init(&header, 4096);
    buf_init(&says, 4096);
    MUST(sec_digest_aka_first(FIX_IMPI, FIX_BSF, SLICE("/"), &says) == ERR_OK);
    naf_fix_step(f, buf_slice(&says), &a, &header);
    buf_reset(&says, 4096);
    naf_fix_answer(f, star, k, opc, buf_slice(&header), &says);
    naf_fix_step(f, buf_slice(&says), &a, &header);
    MUST(a.outcome == SEC_BOOTSTRAP_DONE);
    f->btid_n = a.btid_n;
    mem_copy(f->btid, sizeof f->btid, slice_of(a.btid, a.btid_n));
    buf_clear(&header);
    buf_clear(&says);
}

static inline void naf_fix_close(struct naf_fix *f)
{
    sec_bootstrap_free(&f->bootstrap);
    sec_keyserver_free(&f->server);
}

/* From here on the bootstrapping was elsewhere: nothing is known but what naf_fix_learn() has brought. */
static inline struct sec_farkeys *naf_fix_far(struct naf_fix *f, struct sec_naf_want *want)
{
    const struct sec_farkeys_conf conf = {10, 10, 10, 10};
    struct sec_farkeys *far = NULL;

    MUST(sec_farkeys_create(&conf, &far) == ERR_OK);
    *want = (struct sec_naf_want){.btid_n = 0};
    f->naf = (struct sec_naf){.far = far, .want = want, .fqdn = FIX_NAF, .now_s = FIX_NOW};
    return far;
}

/* The far BSF is asked for what is wanted. */
static inline void naf_fix_learn(struct naf_fix *f, struct sec_naf_want *want)
{
    struct slice btid = slice_of(want->btid, want->btid_n);
    struct slice naf_id = slice_of(want->naf_id.octets, want->naf_id.n);
    struct list waiter, all;
    struct sec_naf_key key = {.impi_n = 0};
    enum err e = sec_bootstrap_key(f->bootstrap, f->server, btid, naf_id, FIX_NOW, &key);

    list_init(&all);
    MUST(sec_farkeys_begin(f->naf.far, btid, naf_id, &waiter) == ERR_OK);
    sec_farkeys_end(f->naf.far, btid, naf_id, e, &key, FIX_NOW, &all);
    want->btid_n = 0;
}

/* What the terminal derives for a NAF and protocol. */
static inline struct sec_secret naf_fix_key(const struct naf_fix *f, enum sec_gba_kind kind,
                                            struct slice fqdn, struct slice ua)
{
    struct sec_secret key;
    struct sec_naf_id id;

    MUST(sec_gba_naf_id(fqdn, ua, &id) == ERR_OK);
    MUST(sec_gba_naf_key(&f->ks, kind, slice_of(f->rand, sizeof f->rand), FIX_IMPI, slice_of(id.octets, id.n),
                         &key) == ERR_OK);
    return key;
}

/* Appends the Authorization value of Digest by B-TID and that key. */
static inline void naf_fix_digest(const struct naf_fix *f, const struct sec_digest_offer *offer,
                                  const struct sec_secret *key, struct slice user,
                                  const struct sec_digest_request *request, struct buf *out)
{
    struct sec_secret password, ha1;
    struct sec_digest_response sent;

    (void)f;
    MUST(sec_gba_password(key, &password) == ERR_OK);
    MUST(sec_digest_ha1(offer->algorithm, user, offer->realm, sec_secret_slice(&password), &ha1) == ERR_OK);
    MUST(sec_digest_answer(offer, user, &ha1, request, SLICE("c"), 1, out, &sent) == ERR_OK);
}

#endif
