/* The profile, element by element; see xmlform.h. */
#include "security/xml/xmlform.h"

#include <libxml/tree.h>

#define ID_MAX_N 64u

const char *const sec_xmlform_canonical[] = {SEC_XMLFORM_EXC_C14N, SEC_XMLFORM_C14N, NULL};
const char *const sec_xmlform_methods[] = {SEC_XMLFORM_HMAC, SEC_XMLFORM_RSA, NULL};
const char *const sec_xmlform_digests[] = {SEC_XMLFORM_SHA256, SEC_XMLFORM_MORE "sha384",
                                           SEC_XMLDOC_ENC "sha512", NULL};

static const char *const data_ciphers[] = {SEC_XMLDOC_ENC "aes128-cbc", SEC_XMLDOC_ENC "aes256-cbc", NULL};
static const char *const key_ciphers[] = {SEC_XMLDOC_ENC "kw-aes128", SEC_XMLDOC_ENC "kw-aes256", NULL};

/* --- signatures --- */

/* One of a list that a NULL ends. */
static bool among(struct slice href, const char *const *list)
{
    for (; *list; list++)
        if (slice_eq(href, slice_str(*list)))
            return true;
    return false;
}

/* Algorithm of an element that must have nothing inside: parameters are not of the profile. */
static struct slice algorithm(xmlNodePtr n, const char *const *list, enum err *e)
{
    struct slice href = sec_xmldoc_attribute(n, "Algorithm");

    if (!*e && (!among(href, list) || n->children))
        *e = ERR_UNSUPPORTED;
    return href;
}

/* Transforms = [enveloped-signature] [a canonical form], one of them at least. */
static void transforms_read(xmlNodePtr n, struct sec_xmlform_signature *s, enum err *e)
{
    static const char *const enveloped[] = {SEC_XMLFORM_ENVELOPED, NULL};
    struct sec_xmldoc_cursor c = sec_xmldoc_inside(n);
    xmlNodePtr t = sec_xmldoc_must(&c, SEC_XMLDOC_DSIG, "Transform");

    if (t && among(sec_xmldoc_attribute(t, "Algorithm"), enveloped)) {
        (void)algorithm(t, enveloped, e);
        s->enveloped = true;
        t = sec_xmldoc_may(&c, SEC_XMLDOC_DSIG, "Transform");
    }
    if (t)
        (void)algorithm(t, sec_xmlform_canonical, e);
    sec_xmldoc_end(&c);
    if (!*e)
        *e = c.err;
}

static enum err reference_read(xmlNodePtr n, struct sec_xmlform_signature *s)
{
    struct sec_xmldoc_cursor c = sec_xmldoc_inside(n);
    xmlNodePtr t = sec_xmldoc_may(&c, SEC_XMLDOC_DSIG, "Transforms");
    xmlNodePtr digest = sec_xmldoc_must(&c, SEC_XMLDOC_DSIG, "DigestMethod");
    enum err e;

    (void)sec_xmldoc_must(&c, SEC_XMLDOC_DSIG, "DigestValue");
    sec_xmldoc_end(&c);
    e = c.err;
    if (e)
        return e;
    if (t)
        transforms_read(t, s, &e);
    (void)algorithm(digest, sec_xmlform_digests, &e);
    s->uri = sec_xmldoc_attribute(n, "URI");
    if (!e && (!xmlHasNsProp(n, BAD_CAST "URI", NULL) || (s->uri.n && s->uri.p[0] != '#')))
        e = ERR_UNSUPPORTED;
    return e;
}

static enum err signed_info_read(xmlNodePtr n, struct sec_xmlform_signature *s)
{
    struct sec_xmldoc_cursor c = sec_xmldoc_inside(n);
    xmlNodePtr form = sec_xmldoc_must(&c, SEC_XMLDOC_DSIG, "CanonicalizationMethod");
    xmlNodePtr method = sec_xmldoc_must(&c, SEC_XMLDOC_DSIG, "SignatureMethod");
    xmlNodePtr reference = sec_xmldoc_must(&c, SEC_XMLDOC_DSIG, "Reference");
    enum err e;

    sec_xmldoc_end(&c);
    e = c.err;
    if (e)
        return e;
    (void)algorithm(form, sec_xmlform_canonical, &e);
    s->method = algorithm(method, sec_xmlform_methods, &e);
    return e ? e : reference_read(reference, s);
}

/* Signature = SignedInfo SignatureValue [KeyInfo] [Object] */
static enum err signature_read(xmlNodePtr n, struct sec_xmlform_signature *out)
{
    struct sec_xmlform_signature s = {.node = n};
    struct sec_xmldoc_cursor c = sec_xmldoc_inside(n);
    xmlNodePtr info = sec_xmldoc_must(&c, SEC_XMLDOC_DSIG, "SignedInfo");
    enum err e;

    (void)sec_xmldoc_must(&c, SEC_XMLDOC_DSIG, "SignatureValue");
    s.key_info = sec_xmldoc_may(&c, SEC_XMLDOC_DSIG, "KeyInfo");
    s.object = sec_xmldoc_may(&c, SEC_XMLDOC_DSIG, "Object");
    sec_xmldoc_end(&c);
    e = c.err ? c.err : signed_info_read(info, &s);
    if (!e)
        *out = s;
    return e;
}

/* Where an enveloped signature of an EncryptedData is; the other elements before it are decrypt's to read. */
static xmlNodePtr in_properties(xmlNodePtr root)
{
    struct sec_xmldoc_cursor c = sec_xmldoc_inside(root);
    xmlNodePtr list;

    (void)sec_xmldoc_may(&c, SEC_XMLDOC_ENC, "EncryptionMethod");
    (void)sec_xmldoc_may(&c, SEC_XMLDOC_DSIG, "KeyInfo");
    (void)sec_xmldoc_must(&c, SEC_XMLDOC_ENC, "CipherData");
    list = sec_xmldoc_must(&c, SEC_XMLDOC_ENC, "EncryptionProperties");
    sec_xmldoc_end(&c);
    c = sec_xmldoc_inside(c.err ? NULL : list);
    list = sec_xmldoc_must(&c, SEC_XMLDOC_ENC, "EncryptionProperty");
    sec_xmldoc_end(&c);
    c = sec_xmldoc_inside(c.err ? NULL : list);
    list = sec_xmldoc_must(&c, SEC_XMLDOC_DSIG, "Signature");
    sec_xmldoc_end(&c);
    return c.err ? NULL : list;
}

/* By its place, never by a search: a signature somewhere else counts for nothing [XMLDSIG §8.1]. */
static xmlNodePtr signature_find(xmlNodePtr root)
{
    xmlNodePtr found = NULL;

    if (sec_xmldoc_is(root, SEC_XMLDOC_DSIG, "Signature"))
        return root;
    if (sec_xmldoc_is(root, SEC_XMLDOC_ENC, "EncryptedData"))
        return in_properties(root);
    for (xmlNodePtr n = root->children; n; n = n->next)
        if (sec_xmldoc_is(n, SEC_XMLDOC_DSIG, "Signature")) {
            if (found)
                return NULL;
            found = n;
        }
    return found;
}

/* The one element beside the signature in its root: nothing there may be unsigned. */
static xmlNodePtr only_sibling(xmlNodePtr root, xmlNodePtr signature)
{
    xmlNodePtr found = NULL;

    for (xmlNodePtr n = root->children; n; n = n->next) {
        if (n == signature || xmlIsBlankNode(n))
            continue;
        if (n->type != XML_ELEMENT_NODE || found)
            return NULL;
        found = n;
    }
    return found;
}

static bool is_id(struct slice id)
{
    for (size_t i = 0; i < id.n; i++)
        if (!(id.p[i] >= 'a' && id.p[i] <= 'z') && !(id.p[i] >= 'A' && id.p[i] <= 'Z') &&
            !(id.p[i] >= '0' && id.p[i] <= '9') && id.p[i] != '-' && id.p[i] != '_' && id.p[i] != '.')
            return false;
    return id.n && id.n <= ID_MAX_N;
}

/* The reference must name the element that the form says is signed, and that element alone has the name. */
static enum err target_name(xmlDocPtr doc, const struct sec_xmlform_signature *s)
{
    xmlNodePtr root = sec_xmldoc_root(doc);
    xmlNodePtr target = s->node == root ? s->object : s->enveloped ? root : only_sibling(root, s->node);
    struct slice id = slice_sub(s->uri, 1, s->uri.n);

    if (!target || (s->node == root && s->enveloped) || (s->node != root && s->object))
        return ERR_UNSUPPORTED;
    if (s->uri.n == 0)
        return s->enveloped ? ERR_OK : ERR_UNSUPPORTED;
    if (!is_id(id) || !slice_eq(sec_xmldoc_attribute(target, "Id"), id) || sec_xmldoc_ids(doc, id) != 1)
        return ERR_UNSUPPORTED;
    return sec_xmldoc_name(doc, target);
}

enum err sec_xmlform_signature(struct _xmlDoc *doc, struct sec_xmlform_signature *out)
{
    xmlNodePtr node = signature_find(sec_xmldoc_root(doc));
    struct sec_xmlform_signature s;
    enum err e = node ? signature_read(node, &s) : ERR_UNSUPPORTED;

    if (!e)
        e = target_name(doc, &s);
    if (!e)
        *out = s;
    return e;
}

/* --- encryption --- */

/* EncryptionMethod KeyInfo CipherData(CipherValue), what may follow them, and no reference to something elsewhere. */
static enum err encrypted(xmlNodePtr n, const char *const *ciphers, bool is_key,
                          struct sec_xmlform_encrypted *out)
{
    struct sec_xmldoc_cursor c = sec_xmldoc_inside(n);
    xmlNodePtr method = sec_xmldoc_must(&c, SEC_XMLDOC_ENC, "EncryptionMethod");
    xmlNodePtr key_info = sec_xmldoc_may(&c, SEC_XMLDOC_DSIG, "KeyInfo");
    xmlNodePtr data = sec_xmldoc_must(&c, SEC_XMLDOC_ENC, "CipherData");
    enum err e;

    (void)sec_xmldoc_may(&c, SEC_XMLDOC_ENC, is_key ? "ReferenceList" : "EncryptionProperties");
    sec_xmldoc_end(&c);
    e = c.err;
    if (e)
        return e;
    *out = (struct sec_xmlform_encrypted){.node = n, .key_info = key_info};
    out->cipher = algorithm(method, ciphers, &e);
    c = sec_xmldoc_inside(data);
    if (!e && sec_xmldoc_is(c.at, SEC_XMLDOC_ENC, "CipherReference"))
        e = ERR_UNSUPPORTED;
    (void)sec_xmldoc_must(&c, SEC_XMLDOC_ENC, "CipherValue");
    sec_xmldoc_end(&c);
    return e ? e : c.err;
}

enum err sec_xmlform_encrypted_data(struct _xmlNode *n, struct sec_xmlform_encrypted *out)
{
    if (!sec_xmldoc_is(n, SEC_XMLDOC_ENC, "EncryptedData"))
        return ERR_UNSUPPORTED;
    return encrypted(n, data_ciphers, false, out);
}

enum err sec_xmlform_encrypted_key(struct _xmlNode *n, struct sec_xmlform_encrypted *out)
{
    return encrypted(n, key_ciphers, true, out);
}
