/* A terminal's login, and the proof of the server in its answer, against the server's side of security/login/digest.h. */
#include "ota/terminal/login.h"

#include "tests/unit/harness.h"

#define REALM "3GPP-bootstrapping@ppg.example.net"

static const struct sec_digest_request request = {SLICE("POST"), SLICE("/sec/v1/verify"), SLICE("{}"), true};
static const struct slice body = SLICE("{\"valid\":true}");

struct server {
    struct sec_digest_guard *guard;
    struct buf challenge, info;
};

static struct server server_of(const char *realm, bool stale)
{
    const struct sec_digest_guard_conf conf = {.nonce_life_ms = 60000, .nonces_max = 16, .auth_int = true};
    struct server s;

    CU_ASSERT_FATAL(sec_digest_guard_create(&conf, &s.guard) == ERR_OK);
    buf_init(&s.challenge, 4096);
    buf_init(&s.info, 4096);
    CU_ASSERT(sec_digest_challenge(s.guard, SEC_DIGEST_SHA256, slice_str(realm), stale, 1000, &s.challenge) ==
              ERR_OK);
    return s;
}

static void server_clear(struct server *s)
{
    sec_digest_guard_free(&s->guard);
    buf_clear(&s->challenge);
    buf_clear(&s->info);
}

static struct kit_login *login_of(const char *password, const char *realm, bool mutual)
{
    const struct kit_login_conf conf = {SLICE("phone"), slice_str(password), slice_str(realm), mutual};
    struct kit_login *l = NULL;

    CU_ASSERT_FATAL(kit_login_create(&conf, &l) == ERR_OK);
    return l;
}

static enum kit_login_word heard(struct kit_login *l, unsigned status, const char *name, struct slice value)
{
    const struct kit_header h[] = {{SLICE("Date"), SLICE("today")}, {slice_str(name), value}};
    const struct kit_heard a = {status, h, COUNT(h), body};

    return kit_login_heard(l, &a);
}

/* What the server makes of the next request: its proof in s->info, for that password. */
static void asked(struct server *s, struct kit_login *l, const char *password)
{
    struct sec_digest_response r;
    struct sec_secret ha1;
    struct buf line;

    buf_init(&line, 4096);
    sec_secret_init(&ha1);
    CU_ASSERT(kit_login_print(l, &request, &line) == ERR_OK);
    CU_ASSERT_FATAL(slice_starts(buf_slice(&line), SLICE("Authorization: Digest ")) &&
                    slice_ends(buf_slice(&line), SLICE("\r\n")));
    CU_ASSERT_FATAL(sec_digest_parse(slice_sub(buf_slice(&line), 15, line.n - 17), &r) == ERR_OK);
    CU_ASSERT(sec_digest_ha1(r.algorithm, SLICE("phone"), r.realm, SLICE("secret"), &ha1) == ERR_OK);
    CU_ASSERT(sec_digest_verify(s->guard, &r, &request, r.realm, &ha1, 1000) == ERR_OK);
    buf_reset(&s->info, 4096);
    CU_ASSERT(sec_digest_ha1(r.algorithm, SLICE("phone"), r.realm, slice_str(password), &ha1) == ERR_OK);
    CU_ASSERT(sec_digest_info(&r, &ha1, body, &s->info) == ERR_OK);
    sec_secret_clear(&ha1);
    buf_clear(&line);
}

static void challenge(struct server *s, struct kit_login *l)
{
    CU_ASSERT(heard(l, 401, "WWW-Authenticate", buf_slice(&s->challenge)) == KIT_LOGIN_AGAIN);
}

/* CPNS-04: a success counts when the server has proved that it knows the password too; several in a row, one challenge. */
static void server_proves_itself(void)
{
    struct server s = server_of("r", false);
    struct kit_login *l = login_of("secret", "", true);
    struct buf none;

    buf_init(&none, 16);
    CU_ASSERT(kit_login_print(l, &request, &none) == ERR_OK && none.n == 0);
    challenge(&s, l);
    for (int i = 0; i < 3; i++) {
        asked(&s, l, "secret");
        CU_ASSERT(heard(l, 200, "authentication-info", buf_slice(&s.info)) == KIT_LOGIN_GOOD);
    }
    kit_login_free(&l);
    server_clear(&s);
}

/* Wrong is refused always, absent where it must be there; an old one is wrong. */
static void impostors(void)
{
    static const struct {
        const char *password; /* of the server; NULL: it says nothing */
        unsigned status;
        bool mutual;
        enum kit_login_word want;
    } rows[] = {
        {"wrong", 200, true, KIT_LOGIN_IMPOSTOR},  {"wrong", 200, false, KIT_LOGIN_IMPOSTOR},
        {"wrong", 403, false, KIT_LOGIN_IMPOSTOR}, {NULL, 200, true, KIT_LOGIN_IMPOSTOR},
        {NULL, 204, true, KIT_LOGIN_IMPOSTOR},     {NULL, 200, false, KIT_LOGIN_GOOD},
        {NULL, 503, true, KIT_LOGIN_GOOD},         {"secret", 503, true, KIT_LOGIN_GOOD},
        {"secret", 200, true, KIT_LOGIN_GOOD},     {"", 200, true, KIT_LOGIN_IMPOSTOR},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct server s = server_of("r", false);
        struct kit_login *l = login_of("secret", "r", rows[i].mutual);

        test_row(i);
        challenge(&s, l);
        asked(&s, l, rows[i].password ? rows[i].password : "secret");
        CU_ASSERT(heard(l, rows[i].status, rows[i].password ? "Authentication-Info" : "X",
                        buf_slice(&s.info)) == rows[i].want);
        if (rows[i].want == KIT_LOGIN_GOOD && rows[i].password) { /* of the answer before */
            struct buf old;

            buf_init(&old, 4096);
            buf_add(&old, buf_slice(&s.info));
            asked(&s, l, "secret");
            CU_ASSERT(heard(l, 200, "Authentication-Info", buf_slice(&old)) == KIT_LOGIN_IMPOSTOR);
            buf_clear(&old);
        }
        kit_login_free(&l);
        server_clear(&s);
    }
}

/* A changed body, malformed fields, and a success that nobody was asked for a login before. */
static void proofs_that_are_none(void)
{
    static const char *const infos[] = {"nextnonce=\"x\"", "rspauth=", "rspauth=\"\"",
                                        "rspauth=\"00\"",  "=",        ""};
    struct server s = server_of("r", false);
    struct kit_login *l = login_of("secret", "", true);
    const struct kit_header h = {SLICE("Authentication-Info"), SLICE_NONE};
    struct kit_heard a = {200, &h, 1, SLICE("{\"valid\":false}")};

    CU_ASSERT(heard(l, 200, "X", SLICE("y")) == KIT_LOGIN_IMPOSTOR);
    challenge(&s, l);
    for (size_t i = 0; i < COUNT(infos); i++) {
        test_row(i);
        asked(&s, l, "secret");
        CU_ASSERT(heard(l, 200, "Authentication-Info", slice_str(infos[i])) == KIT_LOGIN_IMPOSTOR);
    }
    asked(&s, l, "secret");
    a.headers = (struct kit_header[]){{SLICE("Authentication-Info"), buf_slice(&s.info)}};
    CU_ASSERT(kit_login_heard(l, &a) == KIT_LOGIN_IMPOSTOR); /* auth-int covers the body */
    kit_login_free(&l);
    server_clear(&s);
}

static void refused(void)
{
    static const struct {
        const char *realm, *value;
        enum kit_login_word first;
    } rows[] = {
        {"", "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"", KIT_LOGIN_AGAIN},
        {REALM, "Digest realm=\"" REALM "\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"", KIT_LOGIN_AGAIN},
        {REALM, "Digest realm=\"3GPP-bootstrapping@evil.example\", nonce=\"n\", qop=\"auth\"",
         KIT_LOGIN_REFUSED},
        {REALM, "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"", KIT_LOGIN_REFUSED},
        {"", "Basic realm=\"r\"", KIT_LOGIN_REFUSED},
        {"", "Digest realm=\"r", KIT_LOGIN_REFUSED},
        {"", "", KIT_LOGIN_REFUSED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kit_login *l = login_of("secret", rows[i].realm, false);
        struct buf line;

        test_row(i);
        buf_init(&line, 4096);
        CU_ASSERT(heard(l, 401, "WWW-Authenticate", slice_str(rows[i].value)) == rows[i].first);
        CU_ASSERT(kit_login_print(l, &request, &line) == ERR_OK);
        CU_ASSERT((line.n > 0) == (rows[i].first == KIT_LOGIN_AGAIN));
        CU_ASSERT(heard(l, 401, "WWW-Authenticate", slice_str(rows[i].value)) ==
                  (rows[i].first == KIT_LOGIN_AGAIN ? KIT_LOGIN_REFUSED : rows[i].first));
        buf_clear(&line);
        kit_login_free(&l);
    }
}

/* A nonce that is too old is no refusal. */
static void stale(void)
{
    struct server s = server_of("r", true);
    struct kit_login *l = login_of("secret", "", true);

    for (int i = 0; i < 3; i++) {
        buf_reset(&s.challenge, 4096);
        CU_ASSERT(sec_digest_challenge(s.guard, SEC_DIGEST_SHA256, SLICE("r"), true, 1000, &s.challenge) ==
                  ERR_OK);
        challenge(&s, l);
        asked(&s, l, "secret");
    }
    CU_ASSERT(heard(l, 200, "Authentication-Info", buf_slice(&s.info)) == KIT_LOGIN_GOOD);
    kit_login_free(&l);
    server_clear(&s);
}

static void limits(void)
{
    static char longest[SEC_DIGEST_VALUE_MAX_N + 1];
    struct kit_login_conf conf = {.user = SLICE("u"), .password = slice_of(longest, sizeof longest)};
    struct kit_login *l = NULL;

    CU_ASSERT(kit_login_create(&conf, &l) == ERR_LIMIT && !l);
    conf.password = SLICE_NONE;
    conf.user = SLICE_NONE;
    CU_ASSERT_FATAL(kit_login_create(&conf, &l) == ERR_OK);
    CU_ASSERT(heard(l, 401, "WWW-Authenticate", SLICE("Digest realm=\"r\", nonce=\"n\", qop=\"auth\"")) ==
              KIT_LOGIN_REFUSED);
    kit_login_free(&l);
    kit_login_free(&l);
}

/* Headers of an answer of the kit, each "NAME: VALUE" and CRLF. */
static size_t headers_of(struct slice text, struct kit_header *out, size_t max)
{
    struct slice line, rest;
    size_t n = 0;

    for (; n < max && text.n; text = rest) {
        (void)slice_cut(text, '\n', &line, &rest);
        line.n -= slice_ends(line, SLICE("\r"));
        if (slice_cut(line, ':', &out[n].name, &out[n].value)) {
            out[n].value = slice_trim(out[n].value);
            n++;
        }
    }
    return n;
}

/* What the kit that listens answers to OPTIONS of the one that calls. */
static enum kit_login_word called(struct kit *k, struct kit_login *l, unsigned *status)
{
    const struct sec_digest_request shown = {SLICE("OPTIONS"), SLICE("/wappush"), SLICE_NONE, true};
    struct kit_header brought[1], told[16];
    struct kit_request req = {.method = shown.method,
                              .target = shown.uri,
                              .headers = brought,
                              .server = SLICE("127.0.0.1"),
                              .now_s = 1800000000};
    struct kit_heard a = {.headers = told};
    struct kit_answer answer;
    struct kit_push push;
    const char *reason;
    enum kit_login_word word;
    struct buf line;

    buf_init(&line, 4096);
    CU_ASSERT(kit_login_print(l, &shown, &line) == ERR_OK);
    req.headers_n = headers_of(buf_slice(&line), brought, 1);
    (void)kit_handle(k, &req, &answer, &push, &reason);
    a.headers_n = headers_of(buf_slice(&answer.headers), told, COUNT(told));
    a.status = *status = answer.status;
    word = kit_login_heard(l, &a);
    buf_clear(&answer.headers);
    buf_clear(&line);
    return word;
}

/* A kit that listens and one that calls, of one password: each proves itself to the other.  Of two: neither. */
static void two_kits(void)
{
    for (int same = 1; same >= 0; same--) {
        const struct kit_conf conf = {.max_size = 1000,
                                      .max_outstanding = 1,
                                      .seen_max = 10,
                                      .login_user = SLICE("phone"),
                                      .login_password = same ? SLICE("secret") : SLICE("another")};
        struct kit_login *l = login_of("secret", "", true);
        struct kit *k = NULL;
        unsigned status = 0;

        CU_ASSERT_FATAL(kit_create(&conf, &k) == ERR_OK);
        CU_ASSERT(called(k, l, &status) == KIT_LOGIN_AGAIN && status == 401);
        CU_ASSERT(called(k, l, &status) == (same ? KIT_LOGIN_GOOD : KIT_LOGIN_REFUSED));
        CU_ASSERT(status == (same ? 204 : 401));
        kit_free(&k);
        kit_login_free(&l);
    }
}

const struct test_case test_cases[] = {{"server_proves_itself", server_proves_itself},
                                       {"impostors", impostors},
                                       {"proofs_that_are_none", proofs_that_are_none},
                                       {"refused", refused},
                                       {"stale", stale},
                                       {"limits", limits},
                                       {"two_kits", two_kits},
                                       {NULL, NULL}};
