/* XML signatures and encryption of strangers: nothing but what was signed comes out, and nothing crashes. */
#include "base/buf.h"
#include "security/xml/xmlsec.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define OUT_N 65536u

/* Of what is covered already: the parts behind the signature are a stranger's here too. */
static void decrypt(struct slice in, const struct sec_xml_key *key)
{
    struct buf out;

    buf_init(&out, OUT_N);
    MUST(!sec_xml_decrypt(in, key, 1, true, &out) || out.n == 0);
    MUST(sec_xml_decrypt(in, key, 1, false, &out) == ERR_DENIED);
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static bool started;
    static const uint8_t octets[SEC_XML_KEY_N];
    const struct sec_xml_key key = {SLICE("ppg"), slice_of(octets, sizeof octets)};
    const struct sec_xml_trust trust = {.keys = &key, .keys_n = 1, .ca_pem = slice_of(p, n)};
    struct sec_xml_keys keys = {.sign = {.n = 0}};
    struct buf out;
    bool encrypted;

    MUST(started || sec_xml_start() == ERR_OK);
    started = true;
    MUST(sec_secret_set(&keys.sign, key.octets) == ERR_OK &&
         sec_secret_set(&keys.encrypt, key.octets) == ERR_OK);
    buf_init(&out, OUT_N);
    MUST(!sec_xml_verify(slice_of(p, n), &trust, &out) || out.n == 0);
    buf_reset(&out, OUT_N);
    MUST(!sec_xml_open(slice_of(p, n), key.name, &keys, &encrypted, &out) || out.n == 0);
    buf_reset(&out, OUT_N);
    MUST(!sec_xml_sign(SEC_XML_ENVELOPED, slice_of(p, n), &key, &out) || out.n == 0 || buf_err(&out));
    buf_clear(&out);
    decrypt(slice_of(p, n), &key);
    return 0;
}
