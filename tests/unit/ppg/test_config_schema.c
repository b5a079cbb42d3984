/* ppg.conf by its table: defaults, every type of key good and bad, rules between keys, and the text of the help. */
#include "tests/unit/harness.h"

#include <stdlib.h>
#include <sys/stat.h>
#include "base/net/tls.h"
#include "ppg/config/keys.h"
#include "ppg/config/schema.h"

struct fixture {
    struct ppg_config_errors errs;
    struct ppg_load load;
    struct arena strings;
    struct ppg_settings s;
};

static struct fixture *read_text(const char *text, const char *file, bool look)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (!f)
        abort();
    f->load.errs = &f->errs;
    arena_init(&f->strings, 4096, 1 << 20);
    ppg_schema_read(&f->load, slice_str(text), file, look, &f->strings, &f->s);
    return f;
}

static void forget(struct fixture *f)
{
    arena_clear(&f->strings);
    free(f);
}

static void test_defaults(void)
{
    struct fixture *f = read_text("", "/etc/ppg/ppg.conf", false);
    const struct ppg_settings *s = &f->s;

    CU_ASSERT_EQUAL(f->load.err, ERR_OK);
    CU_ASSERT_EQUAL(f->errs.n, 0);
    CU_ASSERT_STRING_EQUAL(s->gateway.name, "https://ppg.example.net/pap");
    CU_ASSERT_EQUAL(s->gateway.loops, 0);
    CU_ASSERT_PTR_NULL(s->gateway.port_file);
    CU_ASSERT_STRING_EQUAL(s->files.whitelist, "/etc/ppg/whitelist.conf");
    CU_ASSERT_EQUAL(s->pap.listen_n, 1);
    CU_ASSERT_STRING_EQUAL(s->pap.listen[0].address, "127.0.0.1");
    CU_ASSERT_EQUAL(s->pap.listen[0].port, 8080);
    CU_ASSERT_EQUAL(s->pap.listen_tls_n, 0);
    CU_ASSERT_EQUAL(s->pap.client_certificate, NET_TLS_VERIFY_OPTIONAL);
    CU_ASSERT_EQUAL(s->pap.tls_min, 12);
    CU_ASSERT_EQUAL(s->pap.success_status, 202);
    CU_ASSERT_FALSE(s->pap.clear_basic);
    CU_ASSERT_FALSE(s->pap.digest_md5);
    CU_ASSERT_EQUAL(s->pap.body_max_n, 1 << 20);
    CU_ASSERT_EQUAL(s->pap.control_max_n, 64 << 10);
    CU_ASSERT_EQUAL(s->pap.max_lifetime_ms, INT64_C(30) * 86400000);
    CU_ASSERT_STRING_EQUAL(s->pap.aliases, "");
    CU_ASSERT_EQUAL(s->notify.retries_n, 5);
    CU_ASSERT_EQUAL(s->notify.retry_ms[4], 3600000);
    CU_ASSERT_FALSE(s->notify.private_addresses);
    CU_ASSERT_STRING_EQUAL(s->store.engine, "sqlite");
    CU_ASSERT_EQUAL(s->protection.floor, SEC_LEVEL_NONE);
    CU_ASSERT_EQUAL(s->protection.ceiling, SEC_LEVEL_FULL);
    CU_ASSERT_EQUAL(s->protection.number_range, 1024);
    CU_ASSERT_EQUAL(s->log.level, LOG_INFO);
    CU_ASSERT_EQUAL(s->log.identities, LOG_HASHED);
    CU_ASSERT_PTR_NULL(s->log.file);
    CU_ASSERT_STRING_EQUAL(s->admin.socket, "/run/ppg/ppgd.sock");
    forget(f);
}

static void note_key(const char *section, const char *key, void *arg)
{
    struct buf *out = arg;

    buf_addf(out, "%s.%s ", section, key);
}

/* Text, numbers, lists of addresses and files; what a reload can change is not told, nor what is written otherwise and
 * means the same. */
static void test_at_start(void)
{
    static const struct {
        const char *was, *is, *want;
    } rows[] = {
        {"", "", ""},
#define DOORS                                                                                                \
    "[pap]\nlisten = 127.0.0.1:0, 127.0.0.1:0, 0.0.0.0:1, 127.0.0.1:1\n[ota-sip]\nlisten-udp = "             \
    "127.0.0.1:2\n"                                                                                          \
    "listen-tcp = 127.0.0.1:2\n[ota-http]\nlisten = 127.0.0.1:3\ncontacts = 127.0.0.1:3\n"
        {DOORS, DOORS, ""}, /* none of which another takes away */
        {"[gateway]\nloops = 1\n", "[gateway]\nloops = 2\n", "gateway.loops "},
        {"[gateway]\nloops = 0\n", "[gateway]\nname = https://other.example/pap\n", ""},
        {"[gateway]\ncore-dumps = no\n", "[gateway]\ncore-dumps = yes\n", "gateway.core-dumps "},
        {"[pap]\nlisten = 127.0.0.1:1\n", "[pap]\nlisten = 127.0.0.1:1,127.0.0.2:1\n", "pap.listen "},
        {"[pap]\nlisten = 127.0.0.1:1, 127.0.0.2:1\n", "[pap]\nlisten = 127.0.0.1:1,127.0.0.2:1\n", ""},
        {"[pap]\nlisten = 127.0.0.1:1\n[ota-sip]\nlisten-udp = 127.0.0.1:5060\n",
         "[pap]\nlisten = 127.0.0.1:2\n", "pap.listen ota-sip.listen-udp "},
        {"[pap]\nnonce-lifetime = 5min\n", "[pap]\nnonce-lifetime = 300s\n", ""},
        {"[pap]\nnonce-lifetime = 5min\nidle-timeout = 5s\n", "[pap]\nnonce-lifetime = 6min\n",
         "pap.nonce-lifetime "},
        {"[store]\npath = a\n", "[store]\npath = b\n", "store.path "},
        {"", "[admin]\naudit = log\n", "admin.audit "},
        {"[admin]\naudit = log\n", "", "admin.audit "},
        {"[ota-sip]\ndns = 127.0.0.1\n", "[ota-sip]\nrealm = x\n", "ota-sip.dns ota-sip.realm "},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *was = read_text(rows[i].was, "/etc/ppg/ppg.conf", false);
        struct fixture *is = read_text(rows[i].is, "/etc/ppg/ppg.conf", false);
        struct buf told;

        test_row(i);
        CU_ASSERT_EQUAL(was->load.err + is->load.err, ERR_OK);
        buf_init(&told, 1000);
        ppg_schema_each_at_start(&was->s, &is->s, note_key, &told);
        TEST_SLICE_EQ(buf_slice(&told), slice_str(rows[i].want));
        buf_clear(&told);
        forget(was);
        forget(is);
    }
}

/* Each default and each sample is a value of its own key, so the help can be taken at its word. */
static void test_samples(void)
{
    for (size_t i = 0; i < ppg_config_keys_n; i++) {
        const struct ppg_config_key *key = &ppg_config_keys[i];
        char text[500];
        struct fixture *f;

        test_row(i);
        CU_ASSERT(key->preset || key->sample);
        (void)snprintf(text, sizeof text, "[%s]\n%s = %s\n[pap]\n", key->section, key->name,
                       key->preset ? key->preset : key->sample);
        f = read_text(text, "f", false);
        /* Rules between keys may ask for another one; the value itself is understood. */
        CU_ASSERT(f->errs.n == 0 || !strstr(f->errs.text[0], "allowed"));
        forget(f);
    }
}

static void test_values(void)
{
    struct fixture *f = read_text("[gateway]\nloops = 8\nport-file = ports\n"
                                  "[pap]\nlisten =\nlisten-tls = 0.0.0.0:1, [::]:2\ncert = a.pem, /b.pem\n"
                                  "key=c,d\nca=ca.pem\nclient-certificate = required\ntls-min = 1.3\n"
                                  "ciphers = aes-256-gcm, chacha20-poly1305\nstaple = a.ocsp, b.ocsp\n"
                                  "strict = yes\nsuccess-status = 200\nbody-rate = 0\nrealm = my realm\n"
                                  "[notify]\nretries = 1s\n[protection]\nfloor = full\nmessage = always\n"
                                  "[log]\naddresses = full\nformat=json\nlevel=debug\n[admin]\nsocket =\n",
                                  "/x/f", false);
    const struct ppg_settings *s = &f->s;

    CU_ASSERT_EQUAL(f->errs.n, 0);
    CU_ASSERT_EQUAL(s->gateway.loops, 8);
    CU_ASSERT_STRING_EQUAL(s->gateway.port_file, "/x/ports");
    CU_ASSERT_EQUAL(s->pap.listen_n, 0);
    CU_ASSERT_EQUAL(s->pap.listen_tls_n, 2);
    CU_ASSERT_STRING_EQUAL(s->pap.listen_tls[1].address, "::");
    CU_ASSERT_EQUAL(s->pap.listen_tls[1].port, 2);
    CU_ASSERT_EQUAL(s->pap.cert_n, 2);
    CU_ASSERT_STRING_EQUAL(s->pap.cert[0], "/x/a.pem");
    CU_ASSERT_STRING_EQUAL(s->pap.cert[1], "/b.pem");
    CU_ASSERT_STRING_EQUAL(s->pap.key[1], "/x/d");
    CU_ASSERT_EQUAL(s->pap.client_certificate, NET_TLS_VERIFY_REQUIRED);
    CU_ASSERT_EQUAL(s->pap.tls_min, 13);
    CU_ASSERT_EQUAL(s->pap.ciphers, NET_TLS_AES_256_GCM | NET_TLS_CHACHA20_POLY1305);
    CU_ASSERT_EQUAL(s->pap.staple_n, 2);
    CU_ASSERT_TRUE(s->pap.strict);
    CU_ASSERT_EQUAL(s->pap.success_status, 200);
    CU_ASSERT_EQUAL(s->pap.body_rate, 0);
    CU_ASSERT_STRING_EQUAL(s->pap.realm, "my realm");
    CU_ASSERT_EQUAL(s->notify.retries_n, 1);
    CU_ASSERT_EQUAL(s->notify.retry_ms[0], 1000);
    CU_ASSERT_EQUAL(s->protection.floor, SEC_LEVEL_FULL);
    CU_ASSERT_EQUAL(s->protection.message, SEC_MESSAGE_ALWAYS);
    CU_ASSERT_EQUAL(s->log.identities, LOG_WHOLE);
    CU_ASSERT_EQUAL(s->log.format, LOG_JSON);
    CU_ASSERT_EQUAL(s->log.level, LOG_DEBUG);
    CU_ASSERT_PTR_NULL(s->admin.socket);
    forget(f);
}

static const struct {
    const char *text, *want; /* the first mistake */
} bad[] = {
    {"[pap]\nstrict = maybe", "f:2: strict: cannot be \"maybe\", allowed: yes or no"},
    {"[pap]\nstrict =", "f:2: strict: cannot be \"\", allowed: yes or no"},
    {"[gateway]\nloops = many", "f:2: loops: cannot be \"many\", allowed: a number, 0 to 64"},
    {"[gateway]\nloops = 65", "f:2: loops: out of range \"65\", allowed: a number, 0 to 64"},
    {"[gateway]\nloops = -1", "f:2: loops: cannot be \"-1\", allowed: a number, 0 to 64"},
    {"[pap]\nidle-timeout = 60", "f:2: idle-timeout: cannot be \"60\", allowed: a time, 100ms to 1h"},
    {"[pap]\nidle-timeout = 2h", "f:2: idle-timeout: out of range \"2h\", allowed: a time, 100ms to 1h"},
    {"[pap]\nbody-max = 65M", "f:2: body-max: out of range \"65M\", allowed: octets, 1k to 64M"},
    {"[pap]\nbody-max = 1MB", "f:2: body-max: cannot be \"1MB\", allowed: octets, 1k to 64M"},
    {"[pap]\ntls-min = 1.1", "f:2: tls-min: cannot be \"1.1\", allowed: 1.2 or 1.3"},
    {"[pap]\nclient-certificate = on",
     "f:2: client-certificate: cannot be \"on\", allowed: none, optional or required"},
    {"[store]\nengine = oracle", "f:2: engine: cannot be \"oracle\", allowed: sqlite"},
    {"[store]\npath =", "f:2: path: cannot be \"\", allowed: a file name"},
    {"[files]\nwhitelist =", "f:2: whitelist: cannot be \"\", allowed: a file name"},
    {"[pap]\nrealm =", "f:2: realm: out of range \"\", allowed: text of 1 to 100 octets"},
    {"[pap]\nrealm = \"x\"", "f:2: realm: neither quotes nor backslashes nor other than ASCII"},
    {"[pap]\npath = pap", "f:2: path: does not start with /"},
    {"[pap]\npath = /p?q", "f:2: path: not a plain path"},
    {"[gateway]\nname = ppg", "f:2: name: not an http or https URI"},
    {"[pap]\nlisten = 8080",
     "f:2: listen: cannot be \"8080\", allowed: at most 8 of address:port, comma separated"},
    {"[pap]\nlisten = 127.0.0.1:1, 127.0.0.1:x", "f:2: listen: cannot be \"127.0.0.1:1, 127.0.0.1:x\", "
                                                 "allowed: at most 8 of address:port, comma separated"},
    {"[pap]\ncert = 1,2,3,4,5,6,7,8,9",
     "f:2: cert: out of range \"1,2,3,4,5,6,7,8,9\", allowed: at most 8 file names, comma separated"},
    {"[notify]\nretries = 1s, 2d",
     "f:2: retries: out of range \"1s, 2d\", allowed: at most 8 times of 10ms to 1d, comma separated"},
    {"[admin]\nsocket = "
     "/1234567890/1234567890/1234567890/1234567890/1234567890/1234567890/1234567890/1234567890"
     "/1234567890/1234567890",
     "f:2: socket: longer than a socket's name may be"},
    {"loops = 1", "f:1: loops: stands before any [section]"},
    {"[pap]\nloops = 1", "f:2: loops: unknown key"},
    {"[pap]\nbody_max = 1M", "f:2: body_max: unknown key, did you mean body-max?"},
    {"[delivry]\nretry-first = 1s", "f:1: delivry: unknown section, did you mean delivery?"},
    {"[memory]\nx = 1", "f:1: memory: unknown section"},
    {"[pap]\nstrict = yes\nrealm = x\nstrict = yes", "f:4: strict: already set in line 2"},
    {"[pap]\nstrict = yes\n[log]\n[pap]\nstrict = no", "f:5: strict: already set in line 2"},
    {"[pap]\nlisten = 127.0.0.1:1\nlisten = 127.0.0.1:2", "f:3: listen: already set in line 2"},
    {"[pap]\nstrict", "f:2: neither [section] nor key = value"},
    {"[pap]\nlisten =", "f:2: listen: none of listen, listen-tls and listen-psk is set"},
    {"[pap]\nlisten-tls = 0.0.0.0:1\nclient-certificate = none", "f:2: listen-tls: needs cert and key"},
    {"[pap]\nlisten = 127.0.0.1:1, [::1]:1, 127.0.0.1:1",
     "f:2: listen: port 1 of that address is listen of [pap] already"},
    {"[pap]\nlisten = 127.0.0.1:1\n[ota-http]\nlisten = 127.0.0.1:2, 127.0.0.1:1",
     "f:4: listen: port 1 of that address is listen of [pap] already"},
    {"[ota-http]\nlisten = [::]:1\n[pap]\nlisten = [::]:1",
     "f:2: listen: port 1 of that address is listen of [pap] already"},
    {"[ota-sip]\nlisten-udp = 127.0.0.1:5060, 127.0.0.1:5060",
     "f:2: listen-udp: port 5060 of that address is listen-udp of [ota-sip] already"},
    {"[pap]\ncert = a", "f:2: key: must name as many files as cert"},
    {"[pap]\ncert = a, b\nkey = a", "f:3: key: must name as many files as cert"},
    {"[pap]\nkey = a\n\ncert = a, b", "f:4: key: must name as many files as cert"},
    {"[pap]\ncert=a\nkey=b\nlisten-tls = 0.0.0.0:1", "f:4: client-certificate: needs ca, or none here"},
    {"[pap]\ncrl = a", "f:2: crl: needs ca"},
    {"[pap]\nocsp = on", "f:2: ocsp: cannot be \"on\", allowed: off, fail-closed or fail-open"},
    {"[pap]\nocsp-responder = https://a/", "f:2: ocsp-responder: not an http URI"},
    {"[pap]\nocsp-responder = http://", "f:2: ocsp-responder: not an http or https URI"},
    {"[pap]\nstaple = a", "f:2: staple: must name as many files as cert"},
    {"[pap]\ncert = a, b\nkey = a, b\nstaple = a", "f:4: staple: must name as many files as cert"},
    {"[pap]\nciphers =",
     "f:2: ciphers: cannot be \"\", allowed: comma separated, some of aes-128-gcm, aes-256-gcm or "
     "chacha20-poly1305"},
    {"[pap]\nciphers = aes-128-gcm, rc4",
     "f:2: ciphers: cannot be \"aes-128-gcm, rc4\", allowed: comma separated, "
     "some of aes-128-gcm, aes-256-gcm or chacha20-poly1305"},
    {"[pap]\nciphers = aes-128-gcm aes-256-gcm",
     "f:2: ciphers: cannot be \"aes-128-gcm aes-256-gcm\", allowed: comma separated, some of aes-128-gcm, "
     "aes-256-gcm or chacha20-poly1305"},
    {"[pap]\ncontrol-max = 2M", "f:2: control-max: must not be above body-max"},
    {"[pap]\nbody-max = 1k", "f:2: control-max: must not be above body-max"},
    {"[pap]\ncontrol-max = 2M\nbody-max = 1M", "f:3: control-max: must not be above body-max"},
    {"[pap]\nbody-max = 1M\ncontrol-max = 2M", "f:3: control-max: must not be above body-max"},
    {"[pap]\nmax-lifetime = 1h", "f:2: default-lifetime: must not be above max-lifetime"},
    {"[ota-http]\ncert = a", "f:2: key: cert and key go together"},
    {"[ota-http]\nkey = a", "f:2: key: cert and key go together"},
    {"[delivery]\nretry-first = 20min", "f:2: retry-first: must not be above retry-max"},
    {"[delivery]\nretry-max = 10ms", "f:2: retry-first: must not be above retry-max"},
    {"[delivery]\nin-memory-max = 100", "f:2: claim-batch: must not be above in-memory-max"},
    {"[protection]\nfloor = integrity\n[log]\n[protection]\nceiling = none",
     "f:5: floor: must not be above ceiling"},
    {"[protection]\nceiling = none\nfloor = integrity", "f:3: floor: must not be above ceiling"},
};

static void test_bad(void)
{
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct fixture *f = read_text(bad[i].text, "f", false);

        test_row(i);
        CU_ASSERT_EQUAL(f->errs.n, 1);
        TEST_SLICE_EQ(slice_str(f->errs.text[0]), slice_str(bad[i].want));
        CU_ASSERT_EQUAL(f->load.err, ERR_MALFORMED);
        forget(f);
    }
}

/* One mistake does not hide the next. */
static void test_all_told(void)
{
    struct fixture *f =
        read_text("x\n[pap]\nstrict = 1\nbody-max = 2\nnosuch = 3\n[nosuch]\na = b\n", "f", false);

    CU_ASSERT_EQUAL(f->errs.n, 5);
    CU_ASSERT_STRING_EQUAL(f->errs.text[4], "f:6: nosuch: unknown section");
    forget(f);
}

static void touch(const char *name, mode_t mode)
{
    char path[600];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
    f = fopen(path, "w");
    if (!f || fclose(f) != 0 || chmod(path, mode) != 0)
        abort();
}

static void test_files(void)
{
    static const char text[] = "[files]\ninitiators = there\nwhitelist = there\nterminals = there\n"
                               "[pap]\ncert = there, gone\nkey = tight, wide\n[ota-http]\nca = gone\n";
    char file[600], want[2][700];
    struct fixture *f;

    touch("there", 0644);
    touch("tight", 0640);
    touch("wide", 0644);
    (void)snprintf(file, sizeof file, "%s/ppg.conf", test_scratch());
    f = read_text(text, file, true);
    CU_ASSERT_EQUAL(f->errs.n, 3);
    (void)snprintf(want[0], sizeof want[0], "%s:6: cert: cannot read %s/gone: No such file or directory",
                   file, test_scratch());
    (void)snprintf(want[1], sizeof want[1], "%s:7: key: %s/wide is open to others: mode 0644, at most 0640",
                   file, test_scratch());
    CU_ASSERT_STRING_EQUAL(f->errs.text[0], want[0]);
    CU_ASSERT_STRING_EQUAL(f->errs.text[1], want[1]);
    CU_ASSERT(strstr(f->errs.text[2], ":9: ca: cannot read") != NULL);
    CU_ASSERT_EQUAL(f->load.err, ERR_IO);
    forget(f);
}

/* Sections stand together, names are not repeated, every row says something. */
static void test_table(void)
{
    for (size_t i = 0; i < ppg_config_keys_n; i++) {
        const struct ppg_config_key *a = &ppg_config_keys[i];

        test_row(i);
        CU_ASSERT(*a->help && a->help[strlen(a->help) - 1] == '.');
        for (size_t j = 0; j < i; j++) {
            const struct ppg_config_key *b = &ppg_config_keys[j];

            CU_ASSERT(strcmp(a->section, b->section) != 0 || strcmp(a->name, b->name) != 0);
            CU_ASSERT(strcmp(a->section, b->section) != 0 ||
                      strcmp(ppg_config_keys[i - 1].section, a->section) == 0);
            CU_ASSERT(a->at != b->at);
        }
    }
}

static void test_help(void)
{
    char *printed = NULL, *kept;
    size_t printed_n = 0, kept_n;
    FILE *f = open_memstream(&printed, &printed_n);

    if (!f)
        abort();
    ppg_config_help(f);
    (void)fclose(f);
    kept = test_read("../conf/ppg.conf", &kept_n);
    CU_ASSERT(slice_eq(slice_of(printed, printed_n), slice_of(kept, kept_n)));
    free(kept);
    free(printed);
}

const struct test_case test_cases[] = {
    {"defaults", test_defaults}, {"samples", test_samples},
    {"values", test_values},     {"bad", test_bad},
    {"all_told", test_all_told}, {"files", test_files},
    {"table", test_table},       {"help", test_help},
    {"at_start", test_at_start}, {NULL, NULL},
};
