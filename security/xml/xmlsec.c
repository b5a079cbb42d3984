/* The only user of xmlsec1 (its GnuTLS back end); see xmlsec.h.  A document is read element by element against the
 * profile first.  The library then gets the one node, the one key that the reading has found, and no means to look for others:
 * its own handling of KeyInfo never runs.  [XMLDSIG §3, §4], [XMLENC §3, §5]. */
#include "security/xml/xmlsec.h"

#include <libxml/parser.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/errors.h>
#include <xmlsec/gnutls/app.h>
#include <xmlsec/gnutls/crypto.h>
#include <xmlsec/io.h>
#include <xmlsec/keys.h>
#include <xmlsec/transforms.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlenc.h>

#include "base/codec.h"
#include "security/xml/xmlcert.h"
#include "security/xml/xmldoc.h"
#include "security/xml/xmlform.h"

#define DER_MAX_N     8192u
#define WRAPPED_MAX_N 256u
#define OBJECT_ID     "content"

#define BASE64        SEC_XMLDOC_DSIG "base64"

/* --- the library --- */

enum err sec_xml_start(void)
{
    xmlInitParser();
    if (xmlSecInit() < 0)
        return ERR_IO;
    xmlSecErrorsDefaultCallbackEnableOutput(0);
    if (xmlSecCheckVersion() != 1 || xmlSecGnuTLSAppInit(NULL) < 0 || xmlSecGnuTLSInit() < 0)
        return ERR_IO;
    xmlSecIOCleanupCallbacks(); /* nothing is ever opened by name */
    return ERR_OK;
}

void sec_xml_stop(void)
{
    (void)xmlSecGnuTLSShutdown();
    (void)xmlSecGnuTLSAppShutdown();
    (void)xmlSecShutdown();
}

static xmlSecKeyPtr key_make(xmlSecKeyDataId kind, struct slice octets)
{
    return octets.n ? xmlSecKeyReadMemory(kind, (const xmlSecByte *)octets.p, (xmlSecSize)octets.n) : NULL;
}

/* --- keys --- */

bool sec_xml_keys_any(const struct sec_xml_keys *k)
{
    return k->sign.n && k->encrypt.n;
}

enum err sec_xml_keys_set_hex(struct sec_xml_keys *k, struct slice digits)
{
    struct sec_xml_keys v = {.sign = {.n = 0}};
    enum err e = digits.n == 4 * SEC_XML_KEY_N ? ERR_OK : ERR_MALFORMED;

    if (!e)
        e = sec_secret_set_hex(&v.sign, slice_sub(digits, 0, 2 * SEC_XML_KEY_N));
    if (!e)
        e = sec_secret_set_hex(&v.encrypt, slice_sub(digits, 2 * SEC_XML_KEY_N, digits.n));
    if (!e)
        *k = v;
    sec_xml_keys_clear(&v);
    return e;
}

void sec_xml_keys_clear(struct sec_xml_keys *k)
{
    sec_secret_clear(&k->sign);
    sec_secret_clear(&k->encrypt);
}

bool sec_xml_name_good(struct slice name)
{
    return name.n && name.n <= SEC_XML_NAME_MAX_N && slice_printable_n(name) == name.n &&
           slice_eq(name, slice_trim(name)) && slice_find(name, '<') == SIZE_MAX &&
           slice_find(name, '>') == SIZE_MAX && slice_find(name, '&') == SIZE_MAX;
}

static const struct sec_xml_key *key_find(const struct sec_xml_key *keys, size_t n, struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(keys[i].name, name))
            return &keys[i];
    return NULL;
}

/* --- who signed --- */

static enum err hmac_key(const struct sec_xmlform_signature *s, const struct sec_xml_trust *trust,
                         xmlSecKeyPtr *out)
{
    const struct sec_xml_key *key;
    struct slice name = SLICE_NONE;

    if (s->key_info) {
        struct sec_xmldoc_cursor c = sec_xmldoc_inside(s->key_info);
        xmlNodePtr n = sec_xmldoc_may(&c, SEC_XMLDOC_DSIG, "KeyName");

        sec_xmldoc_end(&c);
        name = sec_xmldoc_text(n);
        if (c.err || name.n == 0)
            return c.err ? c.err : ERR_MALFORMED;
    }
    key = key_find(trust->keys, trust->keys_n, name);
    if (!key)
        return ERR_ABSENT;
    *out = key_make(xmlSecGnuTLSKeyDataHmacId, key->octets);
    return *out ? ERR_OK : ERR_NOMEM;
}

static enum err rsa_key(const struct sec_xmlform_signature *s, const struct sec_xml_trust *trust,
                        xmlSecKeyPtr *out)
{
    struct buf der;
    enum err e;

    buf_init(&der, DER_MAX_N);
    e = s->key_info ? sec_xmlcert_signer(s->key_info, trust->ca_pem, trust->now_s, &der) : ERR_UNSUPPORTED;
    if (!e) {
        *out = xmlSecGnuTLSAppKeyLoadMemory((const xmlSecByte *)der.p, (xmlSecSize)der.n,
                                            xmlSecKeyDataFormatCertDer, NULL, NULL, NULL);
        e = *out ? ERR_OK : ERR_NOMEM;
    }
    buf_clear(&der);
    return e;
}

/* --- checking --- */

static xmlSecTransformId transform(const char *href)
{
    return xmlSecTransformIdListFindByHref(xmlSecTransformIdsGet(), BAD_CAST href, xmlSecTransformUsageAny);
}

/* The library is told the profile too, though nothing else gets this far. */
static bool narrowed(xmlSecDSigCtxPtr ctx)
{
    static const char *const enveloped[] = {SEC_XMLFORM_ENVELOPED, NULL};
    static const struct {
        int (*enable)(xmlSecDSigCtxPtr ctx, xmlSecTransformId id);
        const char *const *list;
    } rows[] = {
        {xmlSecDSigCtxEnableSignatureTransform, sec_xmlform_canonical},
        {xmlSecDSigCtxEnableSignatureTransform, sec_xmlform_methods},
        {xmlSecDSigCtxEnableReferenceTransform, sec_xmlform_canonical},
        {xmlSecDSigCtxEnableReferenceTransform, sec_xmlform_digests},
        {xmlSecDSigCtxEnableReferenceTransform, enveloped},
    };

    ctx->enabledReferenceUris = xmlSecTransformUriTypeEmpty | xmlSecTransformUriTypeSameDocument;
    ctx->flags = XMLSEC_DSIG_FLAGS_IGNORE_MANIFESTS | XMLSEC_DSIG_FLAGS_STORE_SIGNEDINFO_REFERENCES;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (const char *const *href = rows[i].list; *href; href++)
            if (rows[i].enable(ctx, transform(*href)) < 0)
                return false;
    return true;
}

/* What was digested, which is all that the signature says something about. */
static enum err digested(xmlSecDSigCtxPtr ctx, struct buf *out)
{
    xmlSecDSigReferenceCtxPtr r;
    xmlSecBufferPtr octets;

    if (xmlSecPtrListGetSize(&ctx->signedInfoReferences) != 1)
        return ERR_DENIED;
    r = xmlSecPtrListGetItem(&ctx->signedInfoReferences, 0);
    octets = r ? xmlSecDSigReferenceCtxGetPreDigestBuffer(r) : NULL;
    if (!octets)
        return ERR_DENIED;
    buf_add(out, slice_of(xmlSecBufferGetData(octets), xmlSecBufferGetSize(octets)));
    return buf_err(out);
}

/* Takes the key. */
static enum err check(xmlNodePtr node, xmlSecKeyPtr key, struct buf *out)
{
    xmlSecDSigCtxPtr ctx = xmlSecDSigCtxCreate(NULL);
    enum err e = ERR_NOMEM;

    if (!ctx) {
        xmlSecKeyDestroy(key);
        return e;
    }
    ctx->signKey = key;
    if (narrowed(ctx)) {
        e = xmlSecDSigCtxVerify(ctx, node) >= 0 && ctx->status == xmlSecDSigStatusSucceeded ? ERR_OK
                                                                                            : ERR_DENIED;
        if (!e)
            e = digested(ctx, out);
    }
    xmlSecDSigCtxDestroy(ctx);
    return e;
}

static enum err verify_in(xmlDocPtr doc, const struct sec_xml_trust *trust, struct buf *out)
{
    struct sec_xmlform_signature s;
    xmlSecKeyPtr key = NULL;
    enum err e = sec_xmlform_signature(doc, &s);

    if (!e)
        e = slice_eq(s.method, SLICE(SEC_XMLFORM_HMAC)) ? hmac_key(&s, trust, &key)
                                                        : rsa_key(&s, trust, &key);
    return e ? e : check(s.node, key, out);
}

enum err sec_xml_verify(struct slice in, const struct sec_xml_trust *trust, struct buf *out)
{
    xmlDocPtr doc;
    enum err e = sec_xmldoc_parse(in, &doc);

    if (e)
        return e;
    e = verify_in(doc, trust, out);
    sec_xmldoc_free(&doc);
    return e;
}

/* --- signing --- */

static void print_signature(struct slice uri, bool enveloped, struct slice name, struct buf *out)
{
    buf_add_str(out, "<Signature xmlns=\"" SEC_XMLDOC_DSIG "\"><SignedInfo>"
                     "<CanonicalizationMethod Algorithm=\"" SEC_XMLFORM_EXC_C14N "\"/>"
                     "<SignatureMethod Algorithm=\"" SEC_XMLFORM_HMAC "\"/><Reference URI=\"");
    buf_add(out, uri);
    buf_add_str(out, "\"><Transforms>");
    if (enveloped)
        buf_add_str(out, "<Transform Algorithm=\"" SEC_XMLFORM_ENVELOPED "\"/>");
    buf_add_str(out, "<Transform Algorithm=\"" SEC_XMLFORM_EXC_C14N
                     "\"/></Transforms><DigestMethod Algorithm=\"" SEC_XMLFORM_SHA256 "\"/>"
                     "<DigestValue/></Reference></SignedInfo><SignatureValue/><KeyInfo><KeyName>");
    buf_add(out, name);
    buf_add_str(out, "</KeyName></KeyInfo>");
    if (enveloped)
        buf_add_str(out, "</Signature>");
}

static enum err dumped(xmlDocPtr doc, struct buf *out)
{
    xmlChar *text = NULL;
    int n = 0;

    xmlDocDumpMemoryEnc(doc, &text, &n, "UTF-8");
    if (!text)
        return ERR_NOMEM;
    buf_add(out, slice_of(text, (size_t)n));
    xmlFree(text);
    return buf_err(out);
}

/* Fills in the signature of a document that has all but its values. */
static enum err sign_in(xmlDocPtr doc, struct slice octets, struct buf *out)
{
    struct sec_xmlform_signature s;
    xmlSecDSigCtxPtr ctx;
    enum err e = sec_xmlform_signature(doc, &s);

    if (e)
        return e;
    ctx = xmlSecDSigCtxCreate(NULL);
    if (!ctx)
        return ERR_NOMEM;
    ctx->signKey = key_make(xmlSecGnuTLSKeyDataHmacId, octets);
    e = ctx->signKey && narrowed(ctx) && xmlSecDSigCtxSign(ctx, s.node) >= 0 ? ERR_OK : ERR_NOMEM;
    xmlSecDSigCtxDestroy(ctx);
    return e ? e : dumped(doc, out);
}

/* A whole document with an empty signature in its place. */
static enum err sign_text(struct slice text, struct slice octets, struct buf *out)
{
    xmlDocPtr doc;
    enum err e = sec_xmldoc_parse(text, &doc);

    if (e)
        return e;
    e = sign_in(doc, octets, out);
    sec_xmldoc_free(&doc);
    return e;
}

static enum err sign_octets(struct slice in, const struct sec_xml_key *key, struct buf *out)
{
    struct buf text;
    enum err e;

    buf_init(&text, SEC_XML_MAX_N);
    print_signature(SLICE("#" OBJECT_ID), false, key->name, &text);
    buf_add_str(&text, "<Object Id=\"" OBJECT_ID "\" Encoding=\"" BASE64 "\">");
    codec_base64(&text, in);
    buf_add_str(&text, "</Object></Signature>");
    e = buf_err(&text) ? buf_err(&text) : sign_text(buf_slice(&text), key->octets, out);
    buf_wipe(&text);
    return e;
}

/* The signature as an element of the document it goes into. */
static enum err sign_into(xmlDocPtr doc, const struct sec_xml_key *key, struct buf *out)
{
    struct buf text;
    xmlDocPtr made = NULL;
    xmlNodePtr node = NULL;
    enum err e;

    buf_init(&text, SEC_XML_MAX_N);
    print_signature(SLICE_NONE, true, key->name, &text);
    e = buf_err(&text) ? buf_err(&text) : sec_xmldoc_parse(buf_slice(&text), &made);
    if (!e) {
        node = xmlDocCopyNode(sec_xmldoc_root(made), doc, 1);
        e = node ? ERR_OK : ERR_NOMEM;
    }
    if (!e) {
        xmlAddChild(sec_xmldoc_root(doc), node);
        e = sign_in(doc, key->octets, out);
    }
    sec_xmldoc_free(&made);
    buf_clear(&text);
    return e;
}

/* One that has a signature there already has two then, which is no form of ours. */
static enum err sign_document(struct slice in, const struct sec_xml_key *key, struct buf *out)
{
    xmlDocPtr doc;
    enum err e = sec_xmldoc_parse(in, &doc);

    if (e)
        return e;
    e = sign_into(doc, key, out);
    sec_xmldoc_free(&doc);
    return e;
}

enum err sec_xml_sign(enum sec_xml_form form, struct slice in, const struct sec_xml_key *key, struct buf *out)
{
    if (!sec_xml_name_good(key->name))
        return ERR_MALFORMED;
    if (in.n > SEC_XML_CONTENT_MAX_N)
        return ERR_LIMIT;
    return form == SEC_XML_ENVELOPED ? sign_document(in, key, out) : sign_octets(in, key, out);
}

/* --- encrypting --- */

/* One cipher over octets: `what` is EncryptedData or EncryptedKey; appends the text of the CipherValue. */
static enum err encipher(const char *what, const char *href, xmlEncCtxMode mode, struct slice key,
                         struct slice octets, struct buf *out)
{
    struct buf text;
    xmlSecEncCtxPtr ctx = xmlSecEncCtxCreate(NULL);
    xmlDocPtr doc = NULL;
    enum err e;

    buf_init(&text, SEC_XML_MAX_N);
    buf_addf(&text,
             "<%s xmlns=\"" SEC_XMLDOC_ENC "\"><EncryptionMethod Algorithm=\"%s\"/><CipherData><CipherValue/>"
             "</CipherData></%s>",
             what, href, what);
    e = buf_err(&text) ? buf_err(&text) : sec_xmldoc_parse(buf_slice(&text), &doc);
    if (!e) {
        e = ERR_NOMEM;
        if (ctx)
            ctx->encKey = key_make(xmlSecGnuTLSKeyDataAesId, key);
        if (ctx && ctx->encKey) {
            ctx->mode = mode;
            if (xmlSecEncCtxBinaryEncrypt(ctx, sec_xmldoc_root(doc), (const xmlSecByte *)octets.p,
                                          (xmlSecSize)octets.n) >= 0 &&
                ctx->result) {
                buf_add(out, slice_of(xmlSecBufferGetData(ctx->result), xmlSecBufferGetSize(ctx->result)));
                e = buf_err(out);
            }
        }
    }
    if (ctx)
        xmlSecEncCtxDestroy(ctx);
    sec_xmldoc_free(&doc);
    buf_clear(&text);
    return e;
}

static enum err print_encrypted(struct slice in, struct slice name, const struct sec_xml_keys *keys,
                                const struct sec_secret *fresh, struct buf *text)
{
    enum err e;

    buf_add_str(text, "<EncryptedData xmlns=\"" SEC_XMLDOC_ENC "\">"
                      "<EncryptionMethod Algorithm=\"" SEC_XMLDOC_ENC "aes256-cbc\"/>"
                      "<KeyInfo xmlns=\"" SEC_XMLDOC_DSIG "\"><EncryptedKey xmlns=\"" SEC_XMLDOC_ENC "\">"
                      "<EncryptionMethod Algorithm=\"" SEC_XMLDOC_ENC "kw-aes256\"/>"
                      "<KeyInfo xmlns=\"" SEC_XMLDOC_DSIG "\"><KeyName>");
    buf_add(text, name);
    buf_add_str(text, "</KeyName></KeyInfo><CipherData><CipherValue>");
    e = encipher("EncryptedKey", SEC_XMLDOC_ENC "kw-aes256", xmlEncCtxModeEncryptedKey,
                 sec_secret_slice(&keys->encrypt), sec_secret_slice(fresh), text);
    buf_add_str(text, "</CipherValue></CipherData></EncryptedKey></KeyInfo><CipherData><CipherValue>");
    if (!e)
        e = encipher("EncryptedData", SEC_XMLDOC_ENC "aes256-cbc", xmlEncCtxModeEncryptedData,
                     sec_secret_slice(fresh), in, text);
    buf_add_str(text, "</CipherValue></CipherData><EncryptionProperties><EncryptionProperty>");
    print_signature(SLICE_NONE, true, name, text);
    buf_add_str(text, "</EncryptionProperty></EncryptionProperties></EncryptedData>");
    return e ? e : buf_err(text);
}

enum err sec_xml_encrypt(struct slice in, struct slice name, const struct sec_xml_keys *keys, struct buf *out)
{
    struct sec_secret fresh;
    struct buf text;
    enum err e;

    if (!sec_xml_name_good(name) || in.n == 0)
        return ERR_MALFORMED;
    if (in.n > SEC_XML_CONTENT_MAX_N)
        return ERR_LIMIT;
    sec_secret_init(&fresh);
    buf_init(&text, SEC_XML_MAX_N);
    e = sec_secret_random(&fresh, SEC_XML_KEY_N);
    if (!e)
        e = print_encrypted(in, name, keys, &fresh, &text);
    if (!e)
        e = sign_text(buf_slice(&text), sec_secret_slice(&keys->sign), out);
    buf_clear(&text);
    sec_secret_clear(&fresh);
    return e;
}

/* --- decrypting --- */

static size_t key_n(struct slice cipher)
{
    return slice_find_slice(cipher, SLICE("aes128")) == SIZE_MAX ? 32 : 16;
}

/* Appends the octets.  Of what is wrong with them nothing is told. */
static enum err decipher(const struct sec_xmlform_encrypted *x, xmlEncCtxMode mode, struct slice key,
                         struct buf *out)
{
    xmlSecEncCtxPtr ctx;
    xmlSecBufferPtr octets;
    enum err e = ERR_DENIED;

    if (key.n != key_n(x->cipher))
        return e;
    ctx = xmlSecEncCtxCreate(NULL);
    if (!ctx)
        return ERR_NOMEM;
    ctx->mode = mode;
    ctx->encKey = key_make(xmlSecGnuTLSKeyDataAesId, key);
    octets = ctx->encKey ? xmlSecEncCtxDecryptToBuffer(ctx, x->node) : NULL;
    if (octets) {
        buf_add(out, slice_of(xmlSecBufferGetData(octets), xmlSecBufferGetSize(octets)));
        e = buf_err(out);
    }
    xmlSecEncCtxDestroy(ctx);
    return e;
}

/* KeyInfo = KeyName / EncryptedKey, one of the two; *wrapped: the second, to be unwrapped under the key that it names. */
static enum err key_named(xmlNodePtr key_info, const struct sec_xml_key *keys, size_t n, bool may_wrap,
                          xmlNodePtr *wrapped, const struct sec_xml_key **out)
{
    struct sec_xmldoc_cursor c = sec_xmldoc_inside(key_info);
    xmlNodePtr name = sec_xmldoc_may(&c, SEC_XMLDOC_DSIG, "KeyName");
    xmlNodePtr inner = name || !may_wrap ? NULL : sec_xmldoc_may(&c, SEC_XMLDOC_ENC, "EncryptedKey");

    sec_xmldoc_end(&c);
    if (c.err || (!name && !inner))
        return c.err ? c.err : ERR_MALFORMED;
    *wrapped = inner;
    *out = name ? key_find(keys, n, sec_xmldoc_text(name)) : NULL;
    return name && !*out ? ERR_ABSENT : ERR_OK;
}

/* The key of *x, unwrapped into `room` if it must be. */
static enum err key_of(const struct sec_xmlform_encrypted *x, const struct sec_xml_key *keys, size_t n,
                       struct buf *room, struct slice *out)
{
    const struct sec_xml_key *key;
    struct sec_xmlform_encrypted wrapped;
    xmlNodePtr inner, none;
    enum err e = key_named(x->key_info, keys, n, true, &inner, &key);

    if (!e && !inner)
        *out = key->octets;
    if (e || !inner)
        return e;
    e = sec_xmlform_encrypted_key(inner, &wrapped);
    if (!e)
        e = key_named(wrapped.key_info, keys, n, false, &none, &key);
    if (!e)
        e = decipher(&wrapped, xmlEncCtxModeEncryptedKey, key->octets, room);
    if (!e)
        *out = buf_slice(room);
    return e;
}

static enum err decrypt_in(xmlDocPtr doc, const struct sec_xml_key *keys, size_t n, struct buf *out)
{
    struct sec_xmlform_encrypted x;
    struct buf room;
    struct slice key;
    enum err e = sec_xmlform_encrypted_data(sec_xmldoc_root(doc), &x);

    buf_init(&room, WRAPPED_MAX_N);
    if (!e)
        e = key_of(&x, keys, n, &room, &key);
    if (!e)
        e = decipher(&x, xmlEncCtxModeEncryptedData, key, out);
    buf_wipe(&room);
    return e;
}

static enum err decrypt(struct slice in, const struct sec_xml_key *keys, size_t keys_n, struct buf *type,
                        struct buf *out)
{
    xmlDocPtr doc;
    enum err e = sec_xmldoc_parse(in, &doc);

    if (e)
        return e;
    e = decrypt_in(doc, keys, keys_n, out);
    if (!e && type)
        buf_add(type, sec_xmldoc_attribute(sec_xmldoc_root(doc), "MimeType"));
    sec_xmldoc_free(&doc);
    return e;
}

enum err sec_xml_decrypt(struct slice in, const struct sec_xml_key *keys, size_t keys_n, bool covered,
                         struct buf *out)
{
    return covered ? decrypt(in, keys, keys_n, NULL, out) : ERR_DENIED;
}

/* --- the two together --- */

/* The Object that was signed: base64, as it says. */
static enum err object_open(struct slice in, struct buf *out)
{
    xmlDocPtr doc;
    xmlNodePtr root;
    enum err e = sec_xmldoc_parse(in, &doc);

    if (e)
        return e;
    root = sec_xmldoc_root(doc);
    if (!sec_xmldoc_is(root, SEC_XMLDOC_DSIG, "Object") ||
        !slice_eq(sec_xmldoc_attribute(root, "Encoding"), SLICE(BASE64)))
        e = ERR_UNSUPPORTED;
    else
        e = codec_unbase64(sec_xmldoc_text(root), true, out);
    sec_xmldoc_free(&doc);
    return e;
}

enum err sec_xml_open_typed(struct slice in, struct slice name, const struct sec_xml_keys *keys,
                            bool *encrypted, struct buf *type, struct buf *out)
{
    const struct sec_xml_key sign = {name, sec_secret_slice(&keys->sign)};
    const struct sec_xml_key wrap = {name, sec_secret_slice(&keys->encrypt)};
    const struct sec_xml_trust trust = {.keys = &sign, .keys_n = 1};
    struct buf body;
    bool is = false;
    enum err e;

    buf_init(&body, SEC_XML_MAX_N);
    e = sec_xml_verify(in, &trust, &body);
    if (!e)
        e = object_open(buf_slice(&body), out);
    if (e == ERR_UNSUPPORTED && body.n) {
        is = true;
        e = decrypt(buf_slice(&body), &wrap, 1, type, out); /* what was signed, so it is whole */
    }
    buf_wipe(&body);
    if (!e)
        *encrypted = is;
    return e;
}

enum err sec_xml_open(struct slice in, struct slice name, const struct sec_xml_keys *keys, bool *encrypted,
                      struct buf *out)
{
    return sec_xml_open_typed(in, name, keys, encrypted, NULL, out);
}
