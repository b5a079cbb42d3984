/* The profile of XML-Signature and XML-Encryption, element by element: places, references, algorithms.  What a change
 * to a real document comes to is in test_xmlsec.c.  DM message security 5.4, 5.5. */
#include "security/xml/xmlform.h"

#include "tests/unit/harness.h"

#define NS " xmlns=\"http://www.w3.org/2000/09/xmldsig#\""
#define INFO(transforms, uri)                                                                                \
    "<SignedInfo><CanonicalizationMethod Algorithm=\"" SEC_XMLFORM_C14N                                      \
    "\"/><SignatureMethod Algorithm=\"" SEC_XMLFORM_HMAC "\"/><Reference URI=\"" uri "\">" transforms        \
    "<DigestMethod Algorithm=\"" SEC_XMLFORM_SHA256                                                          \
    "\"/><DigestValue/></Reference></SignedInfo><SignatureValue/>"
#define OUT "<Transforms><Transform Algorithm=\"" SEC_XMLFORM_ENVELOPED "\"/></Transforms>"
#define EXC "<Transforms><Transform Algorithm=\"" SEC_XMLFORM_EXC_C14N "\"/></Transforms>"
#define THREE                                                                                                \
    "<Transforms><Transform Algorithm=\"" SEC_XMLFORM_ENVELOPED                                              \
    "\"/><Transform Algorithm=\"" SEC_XMLFORM_EXC_C14N "\"/><Transform Algorithm=\"" SEC_XMLFORM_EXC_C14N    \
    "\"/></Transforms>"
#define XENC   " xmlns=\"http://www.w3.org/2001/04/xmlenc#\""
#define CIPHER "<CipherData><CipherValue/></CipherData>"
#define DATA(inside)                                                                                         \
    "<EncryptedData" XENC ">" CIPHER "<EncryptionProperties><EncryptionProperty>" inside                     \
    "</EncryptionProperty></EncryptionProperties></EncryptedData>"

static void test_places(void)
{
    static const struct {
        const char *in;
        enum err want;
        bool enveloped;
    } rows[] = {
        {"<Signature" NS ">" INFO("", "#a") "<Object Id=\"a\"/></Signature>", ERR_OK, false},
        {"<Signature" NS ">" INFO(EXC, "#a") "<KeyInfo/><Object Id=\"a\"/></Signature>", ERR_OK, false},
        {"<r><Signature" NS ">" INFO(OUT, "") "</Signature></r>", ERR_OK, true},
        {"<r Id=\"a\"><b/><Signature" NS ">" INFO(OUT, "#a") "</Signature></r>", ERR_OK, true},
        {"<r><b Id=\"a\"/><Signature" NS ">" INFO(EXC, "#a") "</Signature></r>", ERR_OK, false},
        {"<r><Signature" NS ">" INFO(EXC, "#a") "</Signature><b Id=\"a\"/></r>", ERR_OK, false},
        {DATA("<Signature" NS ">" INFO(OUT, "") "</Signature>"), ERR_OK, true},
        /* elsewhere */
        {"<r><b><Signature" NS ">" INFO(OUT, "") "</Signature></b></r>", ERR_UNSUPPORTED, false},
        {"<EncryptedData" XENC "><Signature" NS ">" INFO(OUT, "") "</Signature></EncryptedData>",
         ERR_UNSUPPORTED, false},
        {DATA("<Signature" NS ">" INFO(OUT, "") "</Signature><b/>"), ERR_UNSUPPORTED, false},
        {DATA("<b/>"), ERR_UNSUPPORTED, false},
        {"<r/>", ERR_UNSUPPORTED, false},
        /* what is named is not what the form says is signed */
        {"<Signature" NS ">" INFO("", "#b") "<Object Id=\"a\"/></Signature>", ERR_UNSUPPORTED, false},
        {"<Signature" NS ">" INFO("", "#a") "</Signature>", ERR_UNSUPPORTED, false},
        {"<Signature" NS ">" INFO(OUT, "") "<Object Id=\"a\"/></Signature>", ERR_UNSUPPORTED, false},
        {"<Signature" NS ">" INFO("", "#a") "<Object Id=\"a\"><b Id=\"a\"/></Object></Signature>",
         ERR_UNSUPPORTED, false},
        {"<r><Signature" NS ">" INFO(EXC, "") "</Signature></r>", ERR_UNSUPPORTED, false},
        {"<r><b Id=\"a\"/><c/><Signature" NS ">" INFO(EXC, "#a") "</Signature></r>", ERR_UNSUPPORTED, false},
        {"<r><c/><b Id=\"a\"/><Signature" NS ">" INFO(EXC, "#a") "</Signature></r>", ERR_UNSUPPORTED, false},
        {"<r><b Id=\"a\"/>text<Signature" NS ">" INFO(EXC, "#a") "</Signature></r>", ERR_UNSUPPORTED, false},
        {"<r><b><c Id=\"a\"/></b><Signature" NS ">" INFO(EXC, "#a") "</Signature></r>", ERR_UNSUPPORTED,
         false},
        {"<r Id=\"a\"><Signature" NS ">" INFO(OUT, "#a") "<Object Id=\"b\"/></Signature></r>",
         ERR_UNSUPPORTED, false},
        {"<r Id=\"\"><Signature" NS ">" INFO(OUT, "#") "</Signature></r>", ERR_UNSUPPORTED, false},
        {"<r Id=\"a'\"><Signature" NS ">" INFO(OUT, "#a'") "</Signature></r>", ERR_UNSUPPORTED, false},
        {"<r><Signature" NS ">" INFO(THREE, "") "</Signature></r>", ERR_UNSUPPORTED, false},
        {"<r><Signature" NS ">" INFO("<Transforms/>", "") "</Signature></r>", ERR_MALFORMED, false},
        {"<r><Signature" NS "/></r>", ERR_MALFORMED, false},
        {"<r><Signature" NS "><SignedInfo/><SignatureValue/></Signature></r>", ERR_MALFORMED, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_xmlform_signature s = {.node = NULL};
        struct _xmlDoc *doc;

        test_row(i);
        CU_ASSERT_FATAL(sec_xmldoc_parse(slice_str(rows[i].in), &doc) == ERR_OK);
        CU_ASSERT(sec_xmlform_signature(doc, &s) == rows[i].want);
        CU_ASSERT((s.node != NULL) == (rows[i].want == ERR_OK) && s.enveloped == rows[i].enveloped);
        if (s.node)
            TEST_SLICE_EQ(s.method, SLICE(SEC_XMLFORM_HMAC));
        sec_xmldoc_free(&doc);
    }
}

#define ENC(name, cipher, inside)                                                                            \
    "<" name XENC "><EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#" cipher "\"/>" inside    \
    "</" name ">"

static void test_encrypted(void)
{
    static const struct {
        const char *in;
        enum err data, key;
    } rows[] = {
        {ENC("EncryptedData", "aes128-cbc", CIPHER), ERR_OK, ERR_UNSUPPORTED},
        {ENC("EncryptedData", "aes256-cbc", CIPHER "<EncryptionProperties/>"), ERR_OK, ERR_UNSUPPORTED},
        {ENC("EncryptedKey", "kw-aes128", CIPHER), ERR_UNSUPPORTED, ERR_OK},
        {ENC("EncryptedKey", "kw-aes256", CIPHER "<ReferenceList/>"), ERR_UNSUPPORTED, ERR_OK},
        {ENC("EncryptedData", "aes192-cbc", CIPHER), ERR_UNSUPPORTED, ERR_UNSUPPORTED},
        {ENC("EncryptedData", "tripledes-cbc", CIPHER), ERR_UNSUPPORTED, ERR_UNSUPPORTED},
        {ENC("EncryptedData", "kw-aes256", CIPHER), ERR_UNSUPPORTED, ERR_OK},
        {ENC("EncryptedKey", "rsa-1_5", CIPHER), ERR_UNSUPPORTED, ERR_UNSUPPORTED},
        {ENC("EncryptedKey", "rsa-oaep-mgf1p", CIPHER), ERR_UNSUPPORTED, ERR_UNSUPPORTED},
        {ENC("EncryptedData", "aes256-cbc", "<CipherData><CipherReference URI=\"#a\"/></CipherData>"),
         ERR_UNSUPPORTED, ERR_UNSUPPORTED},
        {ENC("EncryptedData", "aes256-cbc", CIPHER CIPHER), ERR_UNSUPPORTED, ERR_UNSUPPORTED},
        {ENC("EncryptedData", "aes256-cbc", ""), ERR_MALFORMED, ERR_MALFORMED},
        {ENC("EncryptedData", "aes256-cbc", "<CipherData/>"), ERR_MALFORMED, ERR_UNSUPPORTED},
        {"<EncryptedData" XENC ">" CIPHER "</EncryptedData>", ERR_MALFORMED, ERR_MALFORMED},
        {"<EncryptedData>" CIPHER "</EncryptedData>", ERR_UNSUPPORTED, ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_xmlform_encrypted x;
        struct _xmlDoc *doc;

        test_row(i);
        CU_ASSERT_FATAL(sec_xmldoc_parse(slice_str(rows[i].in), &doc) == ERR_OK);
        CU_ASSERT(sec_xmlform_encrypted_data(sec_xmldoc_root(doc), &x) == rows[i].data);
        CU_ASSERT(sec_xmlform_encrypted_key(sec_xmldoc_root(doc), &x) == rows[i].key);
        sec_xmldoc_free(&doc);
    }
}

const struct test_case test_cases[] = {
    {"places", test_places},
    {"encrypted", test_encrypted},
    {NULL, NULL},
};
