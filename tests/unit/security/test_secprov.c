/* The provisioning object: one that has everything, and what refuses the whole. */
#include "security/terminal/secprov.h"

#include <stdlib.h>

#include "security/gpl.h"
#include "tests/unit/harness.h"

#define SAID "AAECAwQFBgcICQoLDA0ODw=="                                         /* 00 to 0f */
#define SA   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v" /* 00 to 2f */
#define SA_2 "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"
#define CERT "MAMCAQE="

static const char whole[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
                            "<SecProv version=\"7\" ttl=\"86400\">\n"
                            " <Certs><Cert id=\"root\" purpose=\"ca\">" CERT "</Cert>\n"
                            "  <Cert id=\"me\" purpose=\"client\">\n    MAMC\n    AQE=\n  </Cert></Certs>\n"
                            " <WhiteList><Ppg uri=\"ppg.example.net\"/><Enabler uri=\"data.example.net\"/>"
                            "<Initiator uri=\"https://b.example.com/a&amp;b/*\"/></WhiteList>\n"
                            " <BlackList><Ppg uri=\"evil.example.net\"></Ppg></BlackList>\n"
                            " <Keys><Key id=\"phone\" use=\"association\" alg=\"aes-gcm hmac-sha256\" "
                            "expires=\"2027-01-31T00:00:00Z\">" SA "</Key>\n"
                            "  <Key id=\"other\" use=\"association\" alg=\"aes-gcm\">" SA_2 "</Key>"
                            "  <Key id=\"me\" use=\"client\" alg=\"pkcs8\">" CERT "</Key></Keys>\n"
                            " <Algs min=\"integrity\"/>\n"
                            "</SecProv>\n";

static struct sec_secprov *alloc(void)
{
    struct sec_secprov *p = calloc(1, sizeof *p);

    MUST(p != NULL);
    return p;
}

static void test_whole(void)
{
    struct sec_secprov *p = alloc();
    const char *why;

    CU_ASSERT_FATAL(sec_secprov_parse(slice_str(whole), p, &why) == ERR_OK);
    CU_ASSERT(p->version == 7 && p->ttl_s == 86400 && p->floor == SEC_LEVEL_INTEGRITY);
    CU_ASSERT_FATAL(p->white.servers_n == 2 && p->white.initiators_n == 1 && p->black.servers_n == 1);
    CU_ASSERT(p->black.initiators_n == 0);
    TEST_SLICE_EQ(p->white.servers[0], SLICE("ppg.example.net"));
    TEST_SLICE_EQ(p->white.servers[1], SLICE("data.example.net"));
    TEST_SLICE_EQ(p->white.initiators[0], SLICE("https://b.example.com/a&b/*"));
    TEST_SLICE_EQ(p->black.servers[0], SLICE("evil.example.net"));
    CU_ASSERT_FATAL(p->sas_n == 2);
    TEST_SLICE_EQ(p->sas[0].id, SLICE("phone"));
    CU_ASSERT(p->sas[0].said[15] == 15 && p->sas[0].key.n == 32 && p->sas[0].key.octets[31] == 0x2f);
    CU_ASSERT(p->sas[0].suites_n == 2 && p->sas[0].suites[0] == SEC_GPL_GCM &&
              p->sas[0].suites[1] == SEC_GPL_HMAC);
    CU_ASSERT(p->sas[0].expires_s == 1801353600 && p->sas[1].expires_s == INT64_MAX);
    TEST_SLICE_EQ(buf_slice(&p->ca_pem),
                  SLICE("-----BEGIN CERTIFICATE-----\n" CERT "\n-----END CERTIFICATE-----\n"));
    TEST_SLICE_EQ(buf_slice(&p->chain_pem),
                  SLICE("-----BEGIN CERTIFICATE-----\n" CERT "\n-----END CERTIFICATE-----\n"));
    TEST_SLICE_EQ(buf_slice(&p->key_pem),
                  SLICE("-----BEGIN PRIVATE KEY-----\n" CERT "\n-----END PRIVATE KEY-----\n"));
    CU_ASSERT_EQUAL(strlen(p->hash), 64);
    sec_secprov_clear(p);
    CU_ASSERT_FATAL(sec_secprov_parse(SLICE("<SecProv version='1'/>"), p, &why) == ERR_OK);
    TEST_SLICE_EQ(slice_str(p->hash),
                  SLICE("9f7aaf0c45a79693a22892a9bae8f513ba8fc3314468bf3d986faad4b825e9f6"));
    CU_ASSERT(p->version == 1 && p->ttl_s == 0 && p->floor == SEC_LEVEL_NONE && p->sas_n == 0);
    sec_secprov_clear(p);
    free(p);
}

#define OBJECT(inside) "<SecProv version=\"1\">" inside "</SecProv>"
#define KEY(use, alg, more, value)                                                                           \
    OBJECT("<Keys><Key id=\"k\" use=\"" use "\" alg=\"" alg "\"" more ">" value "</Key></Keys>")
#define WHITE(inside) OBJECT("<WhiteList>" inside "</WhiteList>")

static const char *const refused[] = {
    "",
    "x",
    "<SecProv",
    "<SecProv/>",
    "<SecProv version=\"\"/>",
    "<SecProv version=\"0\"/>",
    "<SecProv version=\"-1\"/>",
    "<SecProv version=\"1.0\"/>",
    "<SecProv version=\"9223372036854775808\"/>",
    "<SecProv version=\"1\" ttl=\"x\"/>",
    "<SecProv version=\"1\" ttl=\"4294967296\"/>",
    "<SecProv version=\"1\" version=\"2\"/>",
    "<SecProv version=\"1\" more=\"2\"/>",
    "<SecProv version=\"1\" xmlns=\"u:a\"/>",
    "<a:SecProv xmlns:a=\"u:a\" version=\"1\"/>",
    "<SecProv version=\"1\"/><SecProv version=\"2\"/>",
    "<SecProv version=\"1\"/>x",
    "<Other version=\"1\"/>",
    "<!DOCTYPE SecProv><SecProv version=\"1\"/>",
    "<SecProv version=\"1\"><!-- --></SecProv>",
    "<SecProv version=\"1\"><![CDATA[]]></SecProv>",
    "<SecProv version=\"1\"><?a?></SecProv>",
    "<SecProv version=\"&a;\"/>",
    "<SecProv version=\"1\">x</SecProv>",
    OBJECT("&#0;"),
    OBJECT("&a;"),
    "<SecProv version=\"1\"\xC0\x80/>",
    OBJECT("<SecProv version=\"1\"/>"),
    OBJECT("<Cert/>"),
    OBJECT("<Certs/><Certs/>"),
    OBJECT("<Algs min=\"full\"/><Algs min=\"none\"/>"),
    OBJECT("<Algs/>"),
    OBJECT("<Algs min=\"most\"/>"),
    OBJECT("<Certs a=\"b\"/>"),
    OBJECT("<Certs><Key/></Certs>"),
    OBJECT("<Certs><Cert id=\"a\" purpose=\"other\">" CERT "</Cert></Certs>"),
    OBJECT("<Certs><Cert id=\"a\" purpose=\"client\">" CERT "</Cert></Certs>"), /* without its key */
    OBJECT("<Certs><Cert id=\"a\">" CERT "</Cert></Certs>"),
    OBJECT("<Certs><Cert id=\"a\" purpose=\"ca\"></Cert></Certs>"),
    OBJECT("<Certs><Cert id=\"a\" purpose=\"ca\">!!!!</Cert></Certs>"),
    OBJECT("<Certs><Cert id=\"a\" purpose=\"ca\">MAMCAQ</Cert></Certs>"),
    OBJECT("<Certs><Cert id=\"a\" purpose=\"ca\">" CERT "<Cert/></Cert></Certs>"),
    WHITE("<Ppg/>"),
    WHITE("<Ppg uri=\"\"/>"),
    WHITE("<Other uri=\"a\"/>"),
    WHITE("text"),
    WHITE("<Initiator uri=\"*\"/>"),
    WHITE("<Initiator uri=\"news.example.com\"/>"),
    WHITE("<Initiator uri=\"https://*.example.com/\"/>"),
    WHITE("<Ppg uri=\"a\"><Ppg uri=\"b\"/></Ppg>"),
    WHITE("<Ppg uri=\"a\" uri=\"b\"/>"),
    KEY("association", "aes-gcm", "", ""),
    KEY("association", "aes-gcm", "", SAID),
    KEY("association", "aes-gcm", "", SA "AAAA"),
    KEY("association", "rot13", "", SA),
    KEY("association", "", "", SA),
    KEY("association", "aes-gcm  hmac-sha256", "", SA),
    KEY("association", "aes-gcm aes-gcm", "", SA),
    KEY("association", "aes-gcm", " expires=\"never\"", SA),
    KEY("association", "aes-gcm", " expires=\"2027-01-31\"", SA),
    KEY("association", "aes-gcm", " expires=\"2027-01-31T00:00:00Zx\"", SA),
    KEY("other", "aes-gcm", "", SA),
    KEY("client", "pkcs8", "", CERT),
    /* without its certificate */ KEY("client", "aes-gcm", "", CERT),
    OBJECT("<Keys><Key id=\"a\" use=\"association\" alg=\"aes-gcm\">" SA
           "</Key><Key id=\"b\" use=\"association\" alg=\"aes-gcm\">" SA
           "</Key></Keys>"), /* one SAID twice */
    "<SecProv version=\"1\" a=\"\" b=\"\" c=\"\" d=\"\" e=\"\" f=\"\" g=\"\" h=\"\" i=\"\"/>",
};

static void test_refused(void)
{
    struct sec_secprov *p = alloc();

    for (size_t i = 0; i < COUNT(refused); i++) {
        const char *why = NULL;

        test_row(i);
        CU_ASSERT_EQUAL(sec_secprov_parse(slice_str(refused[i]), p, &why), ERR_MALFORMED);
        CU_ASSERT(why && *why);
    }
    free(p);
}

static void test_ceilings(void)
{
    struct sec_secprov *p = alloc();
    const char *why;
    struct buf text;

    buf_init(&text, 1 << 20);
    for (size_t n = 64; n <= 65; n++) {
        enum err e;

        buf_reset(&text, 1 << 20);
        buf_add_str(&text, "<SecProv version=\"1\"><WhiteList>");
        for (size_t i = 0; i < n; i++)
            buf_addf(&text, "<Ppg uri=\"p%zu\"/>", i);
        buf_add_str(&text, "</WhiteList></SecProv>");
        e = sec_secprov_parse(buf_slice(&text), p, &why);
        CU_ASSERT_EQUAL(e, n == 64 ? ERR_OK : ERR_LIMIT);
        if (!e)
            sec_secprov_clear(p);
    }
    buf_reset(&text, 1 << 20);
    buf_add_str(&text, "<SecProv version=\"1\">");
    while (text.n <= SEC_SECPROV_MAX_N)
        buf_add_ch(&text, ' ');
    buf_add_str(&text, "</SecProv>");
    CU_ASSERT_EQUAL(sec_secprov_parse(buf_slice(&text), p, &why), ERR_LIMIT);
    buf_clear(&text);
    free(p);
}

/* Every cut of a good one is refused. */
static void test_cuts(void)
{
    struct sec_secprov *p = alloc();
    const char *why;

    for (size_t i = 0; i < sizeof whole - 3; i++) { /* behind the last ">" a line end may be missing */
        test_row(i);
        CU_ASSERT(sec_secprov_parse(slice_of(whole, i), p, &why) == ERR_MALFORMED);
    }
    free(p);
}

const struct test_case test_cases[] = {
    {"whole", test_whole}, {"refused", test_refused}, {"ceilings", test_ceilings}, {"cuts", test_cuts},
    {NULL, NULL},
};
