/* Who signed by certificate: another library's chain of three under its root, and who must not count as trusted. */
#include "security/xml/xmlcert.h"

#include <stdlib.h>
#include "base/mem.h"
#include "security/xml/xmldoc.h"
#include "tests/unit/harness.h"

#define NOW    1790000000 /* September 2026; the chain was made in March */
#define BEFORE 1770000000
#define AFTER  4930000000 /* 2126 */

static struct _xmlNode *key_info(const struct _xmlDoc *doc)
{
    struct sec_xmldoc_cursor c = sec_xmldoc_inside(sec_xmldoc_root(doc));

    (void)sec_xmldoc_may(&c, SEC_XMLDOC_DSIG, "SignedInfo");
    (void)sec_xmldoc_may(&c, SEC_XMLDOC_DSIG, "SignatureValue");
    return sec_xmldoc_may(&c, SEC_XMLDOC_DSIG, "KeyInfo");
}

static enum err signer(const struct _xmlDoc *doc, struct slice ca, int64_t now_s, size_t *der_n)
{
    struct buf der;
    enum err e;

    buf_init(&der, 8192);
    e = sec_xmlcert_signer(key_info(doc), ca, now_s, &der);
    *der_n = der.n;
    buf_clear(&der);
    return e;
}

static void test_chain(void)
{
    size_t n, foreign_n, der_n;
    char *text = test_read("vectors/xmlsec/aleksey-enveloping-sha256-rsa-sha256.xml", &n);
    struct _xmlDoc *doc;
    char *ca, *foreign;
    struct slice root, other;

    CU_ASSERT_FATAL(sec_xmldoc_parse(slice_of(text, n), &doc) == ERR_OK);
    ca = test_read("vectors/xmlsec/aleksey-ca.pem", &n);
    foreign = test_read("vectors/pkcs12/phone.crt", &foreign_n);
    root = slice_of(ca, n);
    other = slice_of(foreign, foreign_n);
    CU_ASSERT(signer(doc, root, NOW, &der_n) == ERR_OK && der_n > 1000);
    CU_ASSERT(signer(doc, other, NOW, &der_n) == ERR_ABSENT && der_n == 0);
    CU_ASSERT(signer(doc, SLICE_NONE, NOW, &der_n) == ERR_ABSENT && der_n == 0);
    CU_ASSERT(signer(doc, SLICE("no certificate"), NOW, &der_n) == ERR_ABSENT && der_n == 0);
    CU_ASSERT(signer(doc, root, BEFORE, &der_n) == ERR_ABSENT && der_n == 0);
    CU_ASSERT(signer(doc, root, AFTER, &der_n) == ERR_ABSENT && der_n == 0);
    sec_xmldoc_free(&doc);
    free(text);
    free(ca);
    free(foreign);
}

/* One with the signer's certificate among the trusted needs nobody above it. */
static void test_pinned(void)
{
    size_t n, der_n;
    char *text = test_read("vectors/xmlsec/aleksey-enveloping-sha256-rsa-sha256.xml", &n);
    struct slice in = slice_of(text, n);
    size_t from = slice_find_slice(in, SLICE("<X509Certificate>")) + strlen("<X509Certificate>");
    size_t to = slice_find_slice(in, SLICE("</X509Certificate>"));
    struct _xmlDoc *doc;
    struct buf pem;

    buf_init(&pem, 8192);
    buf_add_str(&pem, "-----BEGIN CERTIFICATE-----\n");
    buf_add(&pem, slice_sub(in, from, to - from));
    buf_add_str(&pem, "-----END CERTIFICATE-----\n");
    CU_ASSERT_FATAL(sec_xmldoc_parse(in, &doc) == ERR_OK);
    CU_ASSERT(signer(doc, buf_slice(&pem), NOW, &der_n) == ERR_OK && der_n > 1000);
    CU_ASSERT(signer(doc, buf_slice(&pem), AFTER, &der_n) == ERR_ABSENT);
    sec_xmldoc_free(&doc);
    buf_clear(&pem);
    free(text);
}

#define SIGNED(inside)                                                                                       \
    "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><KeyInfo>" inside "</KeyInfo></Signature>"

static void test_key_info(void)
{
    static const struct {
        const char *in;
        enum err want;
    } rows[] = {
        {SIGNED(""), ERR_UNSUPPORTED},
        {SIGNED("<KeyName>a</KeyName>"), ERR_UNSUPPORTED},
        {SIGNED("<KeyValue/>"), ERR_UNSUPPORTED},
        {SIGNED("<X509Data/>"), ERR_MALFORMED},
        {SIGNED("<X509Data/><KeyValue/>"), ERR_UNSUPPORTED},
        {SIGNED("<X509Data><X509SubjectName>cn=a</X509SubjectName></X509Data>"), ERR_UNSUPPORTED},
        {SIGNED("<X509Data><X509Certificate/></X509Data>"), ERR_MALFORMED},
        {SIGNED("<X509Data><X509Certificate>AAAA</X509Certificate></X509Data>"), ERR_MALFORMED},
        {SIGNED("<X509Data><X509Certificate>!</X509Certificate></X509Data>"), ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct _xmlDoc *doc;
        size_t der_n;

        test_row(i);
        CU_ASSERT_FATAL(sec_xmldoc_parse(slice_str(rows[i].in), &doc) == ERR_OK);
        CU_ASSERT(signer(doc, SLICE_NONE, NOW, &der_n) == rows[i].want && der_n == 0);
        sec_xmldoc_free(&doc);
    }
}

const struct test_case test_cases[] = {
    {"chain", test_chain},
    {"pinned", test_pinned},
    {"key_info", test_key_info},
    {NULL, NULL},
};
