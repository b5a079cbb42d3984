/* XML-Signature and XML-Encryption of messages, transport-neutral: what a bearer does not protect can protect itself
 * as long as both ends do XML.  A narrow profile of [XMLDSIG] and [XMLENC], DM message security 5.4, 5.5: one
 * signature at a place fixed by the form, one reference into the same document, the algorithms listed here and no
 * others; everything else is refused before any key is touched.  No DOCTYPE, comments or instructions, no network, no
 * files, no keys but the caller's.  What must be read after a check is what was digested, and that is handed out.
 *
 * sec_xml_start() first, once, before other threads are; from then on any thread, each with documents of its own. */
#ifndef SECURITY_XML_XMLSEC_H
#define SECURITY_XML_XMLSEC_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "security/secret.h"

#define SEC_XML_KEY_N         32         /* octets of a key that signs, and of one that wraps keys */
#define SEC_XML_NAME_MAX_N    128        /* of a KeyName */
#define SEC_XML_CONTENT_MAX_N (4u << 20) /* octets that are signed or encrypted */
#define SEC_XML_MAX_N         (8u << 20) /* octets of a document; longer is ERR_LIMIT */

/* The library's own state.  ERR_IO: it does not fit this program.  stop: no other thread uses it any more. */
enum err sec_xml_start(void) MUST_USE;
void sec_xml_stop(void);

struct sec_xml_key {
    struct slice name; /* KeyName; empty: of what names no key */
    struct slice octets;
};

/* --- signatures --- */
/* Whose signatures are good: holders of a key (HMAC-SHA-256), and of a certificate that these authorities, or one of
 * these certificates itself, vouches for (RSA-SHA-256, 2048 bits or more).  What a document says of its key is a hint
 * where to look, never a reason to believe it. */
struct sec_xml_trust {
    const struct sec_xml_key *keys;
    size_t keys_n;
    struct slice ca_pem; /* empty: no certificates */
    int64_t now_s;       /* UTC, for their validity */
};
/* Appends the octets that were signed, in their canonical form: read those and never `in`.  Enveloped (in the root, or in
 * the EncryptionProperties of an EncryptedData), enveloping, or beside the one other element of a root.  ERR_MALFORMED: no XML, or
 * more than the grammar has; ERR_UNSUPPORTED: a form, place or algorithm that is not of the profile; ERR_ABSENT: no such
 * key, nobody trusted; ERR_DENIED: wrong; ERR_LIMIT, ERR_NOMEM. */
enum err sec_xml_verify(struct slice in, const struct sec_xml_trust *trust, struct buf *out) MUST_USE;

/* ENVELOPED: `in` is an XML document, which gets a Signature as its root's last child; ENVELOPING: any octets, base64 in
 * the Signature's Object. */
enum sec_xml_form { SEC_XML_ENVELOPED, SEC_XML_ENVELOPING };
/* Appends the document.  ERR_MALFORMED (not XML, a name that is not printable ASCII or has one of <>&), ERR_UNSUPPORTED (an element of
 * XML-Signature in it already), ERR_LIMIT, ERR_NOMEM, or the sticky error of `out`. */
enum err sec_xml_sign(enum sec_xml_form form, struct slice in, const struct sec_xml_key *key,
                      struct buf *out) MUST_USE;

/* --- encryption --- */
/* What two ends share under one name: a key that signs and another that wraps the key of each message. */
struct sec_xml_keys {
    struct sec_secret sign, encrypt; /* SEC_XML_KEY_N octets each, or none */
};
bool sec_xml_keys_any(const struct sec_xml_keys *k); /* both of them */
/* Both from 128 hexadecimal digits, the one that signs first.  ERR_MALFORMED; *k then untouched. */
enum err sec_xml_keys_set_hex(struct sec_xml_keys *k, struct slice digits) MUST_USE;
void sec_xml_keys_clear(struct sec_xml_keys *k);
/* Is it printable ASCII without markup, and short enough? */
bool sec_xml_name_good(struct slice name);

/* Appends an EncryptedData of the octets: aes256-cbc under a fresh key, that key under kw-aes256, and all of it under an
 * enveloped signature, as this mode of encryption must be.  Errors as sec_xml_sign(), ERR_IO (no random numbers). */
enum err sec_xml_encrypt(struct slice in, struct slice name, const struct sec_xml_keys *keys,
                         struct buf *out) MUST_USE;
/* Appends the octets of one EncryptedData, the root of `in`: aes128-cbc or aes256-cbc, under a key of the list or one
 * that kw-aes128 or kw-aes256 wraps under a key of the list.  covered: the caller has made sure who made `in` and that it is whole;
 * without that nothing is decrypted.  ERR_MALFORMED, ERR_UNSUPPORTED, ERR_ABSENT and ERR_LIMIT tell what anybody can read
 * in the document; ERR_DENIED: it does not decrypt, whatever the reason. */
enum err sec_xml_decrypt(struct slice in, const struct sec_xml_key *keys, size_t keys_n, bool covered,
                         struct buf *out) MUST_USE;

/* The other end of sec_xml_sign(ENVELOPING) and sec_xml_encrypt(): checks, then decodes or decrypts; *encrypted says
 * which.  Errors as sec_xml_verify(). */
enum err sec_xml_open(struct slice in, struct slice name, const struct sec_xml_keys *keys, bool *encrypted,
                      struct buf *out) MUST_USE;
/* The same; what was encrypted says its media type beside it, under the signature, and that is appended to type as it stands, any
 * text at all: nothing when it does not, when it does not fit, or when nothing was encrypted ([XMLENC §3.1], MimeType). */
enum err sec_xml_open_typed(struct slice in, struct slice name, const struct sec_xml_keys *keys,
                            bool *encrypted, struct buf *type, struct buf *out) MUST_USE;

#endif
