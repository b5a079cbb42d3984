/* Bootstrapped associations as a program, for integration/test_gba.py: gba_driver N.  Makes N random subscribers, for
 * each a GPI by the key server, a message of each suite that carries it, an uplink one, and Digest AKA answers; prints
 * what went in and what came out as "name value" lines in hexadecimal, an empty line behind each subscriber. */
#include <stdio.h>
#include <stdlib.h>
#include "base/codec.h"
#include "base/mem.h"
#include "base/num.h"
#include "security/gba/keyserver.h"
#include "security/gba/usim.h"
#include "security/gpl.h"
#include "security/login/digest_aka.h"
#include "security/login/digest_hash.h"

#define NOW  1700000000
#define NAF  SLICE("ppg.operator.example\x01\x00\x00\x00\x05")
#define BSF  SLICE("bsf.operator.example")
#define IMPI SLICE("subscriber@ims.operator.example")

static const uint8_t suites[] = {0x01, 0x02, 0x03, 0x04, 0x11, 0x12};
static const struct slice naf_name = {"ppg.operator.example", 20};

struct subscriber {
    uint8_t k[SEC_AKA_K_N], op[SEC_AKA_K_N], opc[SEC_AKA_K_N];
    uint8_t rest[12]; /* random: amf, sqn, lengths */
    enum sec_aka_star star;
    uint8_t ptid[SEC_GPI_PTID_MAX_N];
    size_t ptid_n;
};

static void show(const char *name, struct slice value)
{
    struct buf text;

    buf_init(&text, 1 << 16);
    codec_hex(&text, value);
    (void)printf("%s %.*s\n", name, SLICE_FMT(buf_slice(&text)));
    buf_clear(&text);
}

static void draw(struct subscriber *s, unsigned i)
{
    MUST(sec_random(s, sizeof *s) == ERR_OK);
    s->star = (enum sec_aka_star)(i % 3);
    s->ptid_n = 1 + s->rest[11] % SEC_GPI_PTID_MAX_N;
    s->rest[2] &= 0x7f; /* numbers are left */
    MUST(sec_milenage_opc(slice_of(s->k, 16), slice_of(s->op, 16), s->opc) == ERR_OK);
    show("k", slice_of(s->k, 16));
    show("op", slice_of(s->op, 16));
    show("opc", slice_of(s->opc, 16));
    show("amf", slice_of(s->rest, 2));
    (void)printf("star %d\n", (int)s->star);
    show("impi", IMPI);
    show("naf_id", NAF);
    show("ptid", slice_of(s->ptid, s->ptid_n));
}

/* The key server's part; *used is the SQN. */
static void issue(const struct subscriber *s, struct sec_push_info *info)
{
    struct sec_keyserver_conf conf = {1, 17};
    struct sec_subscriber c = {.impi = IMPI,
                               .k = slice_of(s->k, 16),
                               .opc = slice_of(s->opc, 16),
                               .amf = num_get16(s->rest),
                               .sqn = (uint64_t)num_get16(s->rest + 2) << 32 | num_get32(s->rest + 4),
                               .star = s->star};
    struct sec_push_request q = {IMPI, NAF, slice_of(s->ptid, s->ptid_n), SLICE("label"), NOW + 86400};
    struct sec_keyserver *server;
    struct slice impi;
    uint8_t sqn[8];
    uint64_t from;

    MUST(sec_keyserver_create(&conf, &server) == ERR_OK && sec_keyserver_add(server, &c) == ERR_OK);
    MUST(sec_keyserver_allow(server, NAF, 604800) == ERR_OK);
    MUST(sec_keyserver_wants(server, IMPI, &impi, &from) == ERR_OK);
    MUST(sec_keyserver_reserved(server, IMPI, from, from + 1) == ERR_OK);
    MUST(sec_keyserver_push_info(server, &q, NOW, info) == ERR_OK);
    sec_keyserver_free(&server);
    num_put64(sqn, from << SEC_AKA_IND_BITS | 17);
    show("sqn", slice_of(sqn + 2, 6));
    show("gpi", slice_of(info->gpi, info->gpi_n));
    show("ks_naf", sec_secret_slice(&info->ks_naf));
    show("ks_int", sec_secret_slice(&info->ks_int));
    (void)printf("expires %lld\n", (long long)info->expires_s);
}

/* The terminal's part: it has the same keys, and where it stands goes into AUTS. */
static void take(const struct subscriber *s, const struct sec_push_info *info)
{
    struct sec_usim_conf conf = {IMPI, slice_of(s->k, 16), slice_of(s->opc, 16), s->star};
    struct sec_usim_policy policy = {&naf_name, 1, 604800, NOW};
    struct sec_aka_seen seen = {.seq = {0}};
    struct sec_usim_result r;
    struct sec_gpi_msg msg;
    struct sec_usim *u;

    MUST(sec_usim_create(&conf, &u) == ERR_OK);
    seen.seq[0] = ((uint64_t)num_get16(s->rest + 2) << 32 | num_get32(s->rest + 4)) >> SEC_AKA_IND_BITS;
    sec_usim_restore(u, &seen);
    MUST(sec_gpi_parse(slice_of(info->gpi, info->gpi_n), &msg) == ERR_OK);
    MUST(sec_usim_accept(u, &msg, &policy, &r) == ERR_OK && r.verdict == SEC_GPI_GOOD);
    MUST(slice_eq(sec_secret_slice(&r.ks_naf), sec_secret_slice(&info->ks_naf)));
    MUST(sec_usim_accept(u, &msg, &policy, &r) == ERR_OK && r.verdict == SEC_GPI_AUTH_SYNC);
    show("auts", slice_of(r.auts, sizeof r.auts));
    sec_usim_free(&u);
}

static void seal(const struct subscriber *s, const struct sec_push_info *info, enum sec_gpl_direction d,
                 uint8_t suite)
{
    bool down = d == SEC_GPL_DOWNLINK;
    struct slice said = down ? slice_of(info->rand, 16) : slice_of(s->ptid, s->ptid_n);
    struct slice gpi = down ? slice_of(info->gpi, info->gpi_n) : SLICE_NONE;
    struct slice payload = slice_of(s, s->rest[10] % sizeof *s);
    struct sec_gpl_keys *keys;
    struct buf out;

    buf_init(&out, 4096);
    MUST(sec_gpl_keys_create(sec_secret_slice(&info->ks_naf), d, suite, &keys) == ERR_OK);
    MUST(sec_gpl_seal(keys, num_get32(s->rest + 6) | 1, said, gpi, &payload, 1, &out) == ERR_OK);
    show("payload", payload);
    show("message", buf_slice(&out));
    sec_gpl_keys_free(&keys);
    buf_clear(&out);
}

/* A run over Ub with the same vector. */
static void answer(const struct subscriber *s, enum sec_digest_algorithm a)
{
    struct sec_digest_request request = {SLICE("GET"), SLICE("/"), SLICE_NONE, true};
    struct sec_digest_offer offer = {.realm = BSF, .algorithm = a, .qop_given = true, .auth_int = true};
    struct sec_digest_response sent;
    struct sec_milenage *m;
    struct sec_aka_vector v;
    struct sec_secret ha1, ks;
    struct buf nonce, out;

    sec_secret_init(&ha1);
    sec_secret_init(&ks);
    buf_init(&nonce, 256);
    buf_init(&out, 4096);
    MUST(sec_milenage_create(slice_of(s->k, 16), slice_of(s->opc, 16), &m) == ERR_OK);
    MUST(sec_aka_vector_make(m, s->op, 77, 0, SEC_AKA_PLAIN, &v) == ERR_OK); /* OP serves as a RAND here */
    MUST(sec_digest_aka_nonce_print(&v, slice_of(s->rest, 8), &nonce) == ERR_OK);
    offer.nonce = buf_slice(&nonce);
    MUST(sec_digest_aka_ha1(a, IMPI, BSF, &v, &ha1) == ERR_OK);
    MUST(sec_digest_answer(&offer, IMPI, &ha1, &request, SLICE("cnonce"), 1, &out, &sent) == ERR_OK);
    show("authorization", buf_slice(&out));
    buf_reset(&out, 4096);
    sec_gba_ks(v.ck, v.ik, &ks);
    MUST(sec_gba_tmpi(&ks, v.rand, IMPI, BSF, &out) == ERR_OK);
    show("tmpi", buf_slice(&out));
    sec_milenage_free(&m);
    buf_clear(&nonce);
    buf_clear(&out);
}

int main(int argc, char **argv)
{
    unsigned long n = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;

    for (unsigned i = 0; i < n; i++) {
        struct sec_push_info info;
        struct subscriber s;

        draw(&s, i);
        issue(&s, &info);
        take(&s, &info);
        for (size_t k = 0; k < sizeof suites; k++)
            seal(&s, &info, SEC_GPL_DOWNLINK, suites[k]);
        seal(&s, &info, SEC_GPL_UPLINK, SEC_GPL_CTR);
        answer(&s, SEC_DIGEST_AKAV1_MD5);
        answer(&s, SEC_DIGEST_AKAV2_MD5);
        (void)printf("\n");
    }
    return n == 0;
}
