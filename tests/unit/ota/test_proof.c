/* Proofs of terminals that call in: the kit proves, and strangers try. */
#include "ota/proof.h"

#include "base/codec.h"
#include "ota/headers.h"
#include "ota/terminal/kit.h"
#include "tests/unit/harness.h"

#define NOW_MS INT64_C(1000000)
#define REALM  SLICE("push")

static struct sec_digest_guard *guard_make(void)
{
    const struct sec_digest_guard_conf conf = {60000, 100, false};
    struct sec_digest_guard *g = NULL;

    CU_ASSERT_FATAL(sec_digest_guard_create(&conf, &g) == ERR_OK);
    return g;
}

/* What a terminal answers to OPTIONS with these challenges: its X-Wap-Authorization. */
static struct slice prove_by(struct slice challenges, const char *user, const char *password, bool tls,
                             bool md5, struct buf *kept)
{
    struct kit_conf conf = {.terminal_id = SLICE("4+15550100"),
                            .accept_app = SLICE("*"),
                            .max_size = 1000,
                            .max_outstanding = 1,
                            .seen_max = 3,
                            .proof_user = slice_str(user),
                            .proof_password = slice_str(password),
                            .proof_md5 = md5};
    struct kit_header headers[8];
    struct kit_request req = {.method = SLICE("OPTIONS"),
                              .target = SLICE("/wappush"),
                              .headers = headers,
                              .tls = tls,
                              .server_proved = tls};
    struct slice line, name, value;
    struct kit_answer answer;
    struct kit_push push;
    const char *reason;
    struct kit *kit;

    while (slice_cut(challenges, '\r', &line, &challenges)) {
        challenges = slice_sub(challenges, 1, SIZE_MAX);
        (void)slice_cut(line, ':', &name, &value);
        headers[req.headers_n++] = (struct kit_header){name, slice_sub(value, 1, SIZE_MAX)};
    }
    CU_ASSERT_FATAL(kit_create(&conf, &kit) == ERR_OK);
    CU_ASSERT(kit_handle(kit, &req, &answer, &push, &reason) == KIT_REGISTERED);
    buf_add(kept, ota_header_find(buf_slice(&answer.headers), SLICE("X-Wap-Authorization")));
    buf_clear(&answer.headers);
    kit_free(&kit);
    return buf_slice(kept);
}

static struct slice prove(struct slice challenges, const char *user, const char *password, bool tls,
                          struct buf *kept)
{
    return prove_by(challenges, user, password, tls, false, kept);
}

static void challenges_by_transport(void)
{
    static const struct {
        bool md5, tls;
        size_t n;
    } rows[] = {{false, false, 1}, {true, false, 2}, {false, true, 2}, {true, true, 3}};
    struct sec_digest_guard *g = guard_make();

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice rest, line;
        struct buf out;
        size_t n = 0;

        test_row(i);
        buf_init(&out, 4096);
        CU_ASSERT(
            ota_proof_challenge(g,
                                &(struct ota_proof_offer){
                                    .realm = REALM, .md5 = rows[i].md5, .tls = rows[i].tls, .now_ms = NOW_MS},
                                &out) == ERR_OK);
        rest = buf_slice(&out);
        CU_ASSERT(slice_starts(rest, SLICE("X-Wap-Authenticate: Digest ")));
        CU_ASSERT(slice_find_slice(rest, SLICE("SHA-256")) != SIZE_MAX); /* the strongest first */
        while (slice_cut(rest, '\n', &line, &rest))
            n++;
        CU_ASSERT(n == rows[i].n);
        CU_ASSERT((slice_find_slice(buf_slice(&out), SLICE("Basic")) != SIZE_MAX) == rows[i].tls);
        buf_clear(&out);
    }
    sec_digest_guard_free(&g);
}

/* What an operator is told that proved it, and as whom. */
static void names(void)
{
    static const struct {
        enum ota_proof proof;
        const char *shown, *want, *identity;
        bool login;
    } rows[] = {{OTA_PROOF_CERTIFICATE, "", "certificate", "URI:https://phone.example.com", false},
                {OTA_PROOF_DIGEST, "Digest x", "digest", "phone", true},
                {OTA_PROOF_BASIC, "basic eDp5", "basic", "phone", true},
                {OTA_PROOF_BASIC, "Digest x", "digest", "phone", true},
                {OTA_PROOF_SYNCML_MD5, "Digest x", "digest", "phone", true},
                {OTA_PROOF_SYNCML_MD5, "syncml-md5 x", "syncml-md5", "phone", true},
                {OTA_PROOF_NONE, "Digest x", "nothing", "phone", false}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_terminal t = {.terminal_id = SLICE("4+15550100"),
                                 .call_in = {.proof = rows[i].proof,
                                             .certificate = SLICE("URI:https://phone.example.com"),
                                             .user = SLICE("phone")}};
        struct ota_proof_in in = {.terminal = &t, .authorization = slice_str(rows[i].shown)};

        test_row(i);
        CU_ASSERT_STRING_EQUAL(ota_proof_name(&in), rows[i].want);
        CU_ASSERT(slice_eq(ota_proof_identity(&t), slice_str(rows[i].identity)));
        CU_ASSERT(ota_proof_is_login(&in) == rows[i].login);
        t.call_in.user = SLICE_NONE;
        if (rows[i].proof != OTA_PROOF_CERTIFICATE)
            CU_ASSERT(slice_eq(ota_proof_identity(&t), SLICE("4+15550100")));
    }
}

static void logins(void)
{
    static const struct {
        enum ota_proof proof;
        enum ota_calls calls;
        const char *account, *user, *password; /* the operator's user; what the terminal shows */
        bool tls;
        enum err want;
    } rows[] = {
        {OTA_PROOF_DIGEST, OTA_CALLS_ANY, "", "", "secret", false, ERR_OK},
        {OTA_PROOF_DIGEST, OTA_CALLS_TLS, "", "", "secret", true, ERR_OK},
        {OTA_PROOF_BASIC, OTA_CALLS_TLS, "", "", "secret", true, ERR_OK}, /* it shows Digest, which is more */
        {OTA_PROOF_DIGEST, OTA_CALLS_ANY, "phone", "phone", "secret", false, ERR_OK},
        {OTA_PROOF_DIGEST, OTA_CALLS_ANY, "phone", "", "secret", false, ERR_DENIED},
        {OTA_PROOF_DIGEST, OTA_CALLS_ANY, "", "phone", "secret", false, ERR_DENIED},
        {OTA_PROOF_DIGEST, OTA_CALLS_ANY, "", "", "Secret", false, ERR_DENIED},
        {OTA_PROOF_DIGEST, OTA_CALLS_ANY, "", "", "", false, ERR_DENIED},
        {OTA_PROOF_DIGEST, OTA_CALLS_TLS, "", "", "secret", false, ERR_UNSUPPORTED},
        {OTA_PROOF_DIGEST, OTA_CALLS_NO, "", "", "secret", true, ERR_UNSUPPORTED},
        {OTA_PROOF_CERTIFICATE, OTA_CALLS_TLS, "", "", "secret", true, ERR_DENIED},
        {OTA_PROOF_NONE, OTA_CALLS_ANY, "", "", "", false, ERR_OK},
        {OTA_PROOF_NONE, OTA_CALLS_TLS, "", "", "", false, ERR_UNSUPPORTED},
    };
    struct sec_digest_guard *g = guard_make();

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_terminal t = {.key = SLICE("+15550100"),
                                 .call_in = {.calls = rows[i].calls,
                                             .proof = rows[i].proof,
                                             .user = slice_str(rows[i].account),
                                             .password = SLICE("secret")}};
        struct ota_proof_in in = {.terminal = &t,
                                  .tls = rows[i].tls,
                                  .stated = SLICE("4+15550100"),
                                  .realm = REALM,
                                  .now_ms = NOW_MS};
        struct buf out, shown;

        test_row(i);
        buf_init(&out, 4096);
        buf_init(&shown, 4096);
        CU_ASSERT(ota_proof_challenge(
                      g, &(struct ota_proof_offer){.realm = REALM, .tls = rows[i].tls, .now_ms = NOW_MS},
                      &out) == ERR_OK);
        in.authorization = prove(buf_slice(&out), rows[i].user, rows[i].password, rows[i].tls, &shown);
        CU_ASSERT((in.authorization.n != 0) == (rows[i].password[0] != 0));
        CU_ASSERT(ota_proof_check(g, &in) == rows[i].want);
        if (rows[i].want == ERR_OK && rows[i].proof != OTA_PROOF_NONE)
            CU_ASSERT(ota_proof_check(g, &in) == ERR_DENIED); /* heard once, good once */
        buf_clear(&out);
        buf_clear(&shown);
    }
    sec_digest_guard_free(&g);
}

/* syncml:auth-md5: offered inside TLS where there is somebody for it, answered there by a kit that was told to, and taken of
 * one that was named for it. */
static void md5_logins(void)
{
    static const struct {
        enum ota_proof proof;
        bool session, tls, md5; /* the gateway asks so; the kit answers so */
        const char *password;
        enum err want;
    } rows[] = {
        {OTA_PROOF_SYNCML_MD5, true, true, true, "secret", ERR_OK},
        {OTA_PROOF_SYNCML_MD5, true, true, false, "secret", ERR_OK}, /* Digest, which is more */
        {OTA_PROOF_SYNCML_MD5, true, true, true, "Secret", ERR_DENIED},
        {OTA_PROOF_SYNCML_MD5, false, true, true, "secret", ERR_DENIED},
        {OTA_PROOF_SYNCML_MD5, true, false, true, "secret", ERR_UNSUPPORTED},
        {OTA_PROOF_DIGEST, true, true, true, "secret", ERR_DENIED},
        {OTA_PROOF_BASIC, true, true, true, "secret", ERR_DENIED},
        {OTA_PROOF_CERTIFICATE, true, true, true, "secret", ERR_DENIED},
    };
    struct sec_digest_guard *g = guard_make();
    struct sec_mac_guard *logins = NULL;

    CU_ASSERT_FATAL(sec_mac_guard_create(8, &logins) == ERR_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_mac_session session = {.offered = false};
        struct ota_terminal t = {
            .call_in = {.calls = OTA_CALLS_TLS, .proof = rows[i].proof, .password = SLICE("secret")}};
        struct ota_proof_in in = {.terminal = &t,
                                  .tls = rows[i].tls,
                                  .stated = SLICE("4+15550100"),
                                  .logins = logins,
                                  .session = &session,
                                  .realm = REALM,
                                  .now_ms = NOW_MS};
        const struct ota_proof_offer offer = {.realm = REALM,
                                              .tls = rows[i].tls,
                                              .session = rows[i].session ? &session : NULL,
                                              .now_ms = NOW_MS};
        struct buf out, shown;

        test_row(i);
        buf_init(&out, 4096);
        buf_init(&shown, 4096);
        CU_ASSERT(ota_proof_challenge(g, &offer, &out) == ERR_OK);
        CU_ASSERT((slice_find_slice(buf_slice(&out), SLICE("Syncml-MD5 ")) != SIZE_MAX) ==
                  (rows[i].session && rows[i].tls));
        in.authorization = prove_by(buf_slice(&out), "", rows[i].password, rows[i].tls, rows[i].md5, &shown);
        CU_ASSERT(sec_authmd5_is(in.authorization) == (rows[i].md5 && rows[i].session && rows[i].tls));
        CU_ASSERT(ota_proof_check(g, &in) == rows[i].want);
        if (rows[i].want == ERR_OK)
            CU_ASSERT(ota_proof_check(g, &in) == ERR_DENIED); /* once */
        in.terminal = NULL;
        CU_ASSERT(ota_proof_md5(&in) == ERR_DENIED);
        buf_clear(&out);
        buf_clear(&shown);
    }
    sec_mac_guard_free(&logins);
    sec_digest_guard_free(&g);
}

/* The nonce would be the choice of whoever asks: only a gateway that is proved gets a response. */
static void md5_for_nobody_unproved(void)
{
    const struct slice challenge = SLICE("X-Wap-Authenticate: Syncml-MD5 realm=\"push\", nonce=\"AAAA\"\r\n");
    struct buf shown;

    for (int tls = 0; tls <= 1; tls++) {
        buf_init(&shown, 4096);
        CU_ASSERT((prove_by(challenge, "", "secret", tls, true, &shown).n != 0) == tls);
        buf_clear(&shown);
    }
}

/* A key names its owner, who may not say that it is somebody else. */
static void shared_keys(void)
{
    struct ota_terminal t = {.key = SLICE("+15550100"),
                             .call_in = {.calls = OTA_CALLS_TLS,
                                         .proof = OTA_PROOF_PSK,
                                         .psk_identity = SLICE("phone"),
                                         .psk_version = 13}};
    const struct net_tls_peer stranger = {.psk = SLICE("Phone")}, peer = {.psk = SLICE("phone")};
    struct ota_proof_in in = {.terminal = &t, .by_psk = true, .tls = true};
    struct ota_registry *r;

    CU_ASSERT(sec_secret_set(&t.call_in.psk, SLICE("0123456789abcdef")) == ERR_OK);
    CU_ASSERT_FATAL(ota_registry_create(2, &r) == ERR_OK);
    CU_ASSERT(ota_registry_add(r, &t) == ERR_OK);
    CU_ASSERT(ota_proof_psk(r, &peer) == ota_registry_find(r, t.key));
    CU_ASSERT(ota_proof_psk(r, &stranger) == NULL && ota_proof_psk(r, NULL) == NULL);
    CU_ASSERT(ota_proof_check(NULL, &in) == ERR_OK);
    CU_ASSERT_STRING_EQUAL(ota_proof_name(&in), "psk");
    CU_ASSERT(!ota_proof_is_login(&in) && slice_eq(ota_proof_identity(&t), SLICE("phone")));
    in.states_another = true;
    CU_ASSERT(ota_proof_check(NULL, &in) == ERR_DENIED);
    in.states_another = false;
    in.by_psk = false; /* it only said who it is */
    CU_ASSERT(ota_proof_check(NULL, &in) == ERR_DENIED);
    in.by_certificate = true;
    CU_ASSERT(ota_proof_check(NULL, &in) == ERR_DENIED);
    in.tls = false;
    CU_ASSERT(ota_proof_check(NULL, &in) == ERR_UNSUPPORTED);
    sec_secret_clear(&t.call_in.psk);
    ota_registry_drop(&r);
}

static void basic_and_nonsense(void)
{
    static const struct {
        const char *shown;
        bool tls;
        enum err want;
    } rows[] = {
        {"Basic NCsxNTU1MDEwMDpzZWNyZXQ=", true, ERR_OK}, /* 4+15550100:secret */
        {"Basic NCsxNTU1MDEwMDpTZWNyZXQ=", true, ERR_DENIED},
        {"Basic NCsxNTU1MDEwOTpzZWNyZXQ=", true, ERR_DENIED}, /* another identity */
        {"Basic NCsxNTU1MDEwMA==", true, ERR_DENIED},         /* no colon */
        {"Basic ", true, ERR_DENIED},
        {"Basic ====", true, ERR_DENIED},
        {"Basic NCsxNTU1MDEwMDpzZWNyZXQ=", false, ERR_UNSUPPORTED},
        {"Digest", true, ERR_DENIED},
        {"Digest username=\"4+15550100\"", true, ERR_DENIED},
        {"Bearer abc", true, ERR_DENIED},
        {"", true, ERR_DENIED},
    };
    struct sec_digest_guard *g = guard_make();
    struct ota_terminal t = {
        .call_in = {.calls = OTA_CALLS_TLS, .proof = OTA_PROOF_BASIC, .password = SLICE("secret")}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_proof_in in = {.terminal = &t,
                                  .tls = rows[i].tls,
                                  .stated = SLICE("4+15550100"),
                                  .authorization = slice_str(rows[i].shown),
                                  .realm = REALM,
                                  .now_ms = NOW_MS};

        test_row(i);
        CU_ASSERT(ota_proof_check(g, &in) == rows[i].want);
    }
    sec_digest_guard_free(&g);
}

static void certificates(void)
{
    static const struct slice uris[] = {SLICE("https://a.example"), SLICE("https://phone.example")};
    static const struct slice dns[] = {SLICE("phone.example")};
    struct ota_terminal t = {.key = SLICE("+1"),
                             .terminal_id = SLICE("0phone"),
                             .call_in = {.calls = OTA_CALLS_TLS,
                                         .proof = OTA_PROOF_CERTIFICATE,
                                         .certificate = SLICE("URI:https://phone.example")}};
    struct net_tls_peer peer = {.has_cert = true, .verified = true, .uris = uris, .uris_n = 2};
    struct ota_proof_in in = {.terminal = &t, .by_certificate = true, .tls = true};
    struct ota_registry *r;

    CU_ASSERT_FATAL(ota_registry_create(4, &r) == ERR_OK && ota_registry_add(r, &t) == ERR_OK);
    CU_ASSERT(ota_proof_certificate(r, &peer) == ota_registry_find(r, SLICE("+1")));
    CU_ASSERT(ota_proof_check(NULL, &in) == ERR_OK);
    in.stated = SLICE("0PHONE");
    CU_ASSERT(ota_proof_check(NULL, &in) == ERR_OK);
    in.stated = SLICE("0other");
    CU_ASSERT(ota_proof_check(NULL, &in) == ERR_DENIED);
    t.terminal_id = SLICE("4+15550100");
    in.stated = SLICE("415550100"); /* a number is its digits [OTA-HTTP §5] */
    CU_ASSERT(ota_proof_check(NULL, &in) == ERR_OK);
    in.stated = SLICE("415550101");
    CU_ASSERT(ota_proof_check(NULL, &in) == ERR_DENIED);
    in.stated = SLICE_NONE;
    in.by_certificate = false; /* it only said who it is */
    CU_ASSERT(ota_proof_check(NULL, &in) == ERR_DENIED);
    peer.uris_n = 1;
    CU_ASSERT(ota_proof_certificate(r, &peer) == NULL);
    peer.uris_n = 2;
    peer.verified = false;
    CU_ASSERT(ota_proof_certificate(r, &peer) == NULL);
    peer = (struct net_tls_peer){.has_cert = true, .verified = true, .dns = dns, .dns_n = 1};
    CU_ASSERT(ota_proof_certificate(r, &peer) == NULL); /* the same words of another kind */
    CU_ASSERT(ota_proof_certificate(r, NULL) == NULL);
    ota_registry_drop(&r);
}

/* A terminal that only fetches has no line to call, but may ask about what it fetched. */
static void who_may_call_and_who_may_ask(void)
{
    static const struct {
        enum ota_calls calls;
        bool inbox, tls, asks;
        enum err want;
    } rows[] = {
        {OTA_CALLS_NO, false, true, false, ERR_UNSUPPORTED},
        {OTA_CALLS_NO, false, true, true, ERR_UNSUPPORTED},
        {OTA_CALLS_NO, true, true, false, ERR_UNSUPPORTED},
        {OTA_CALLS_NO, true, true, true, ERR_OK},
        {OTA_CALLS_NO, true, false, true, ERR_UNSUPPORTED},
        {OTA_CALLS_TLS, false, true, true, ERR_OK},
        {OTA_CALLS_TLS, false, true, false, ERR_OK},
        {OTA_CALLS_TLS, true, false, false, ERR_UNSUPPORTED},
        {OTA_CALLS_TLS, false, false, true, ERR_UNSUPPORTED},
        {OTA_CALLS_ANY, false, true, false, ERR_OK},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct ota_terminal t = {.key = SLICE("+15550100"),
                                       .inbox = rows[i].inbox,
                                       .call_in = {.calls = rows[i].calls, .proof = OTA_PROOF_CERTIFICATE}};
        const struct ota_proof_in in = {
            .terminal = &t, .by_certificate = true, .tls = rows[i].tls, .asks = rows[i].asks};

        test_row(i);
        CU_ASSERT(ota_proof_check(NULL, &in) == rows[i].want);
    }
}

const struct test_case test_cases[] = {
    {"challenges_by_transport", challenges_by_transport},
    {"names", names},
    {"logins", logins},
    {"md5_logins", md5_logins},
    {"md5_for_nobody_unproved", md5_for_nobody_unproved},
    {"shared_keys", shared_keys},
    {"basic_and_nonsense", basic_and_nonsense},
    {"certificates", certificates},
    {"who_may_call_and_who_may_ask", who_may_call_and_who_may_ask},
    {NULL, NULL},
};
