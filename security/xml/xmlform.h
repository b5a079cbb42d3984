/* What of XML-Signature and XML-Encryption is taken, read off a small tree before any key or algorithm runs: which
 * elements in which order, which algorithms, what a reference may name.  DM message security 5.4 and 5.5 with
 * [XMLDSIG §4], [XMLENC §3]; nothing is computed here.  What is read points into the tree.  Any thread, one at a time
 * for a document. */
#ifndef SECURITY_XML_XMLFORM_H
#define SECURITY_XML_XMLFORM_H

#include "security/xml/xmldoc.h"

#define SEC_XMLFORM_C14N      "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
#define SEC_XMLFORM_EXC_C14N  "http://www.w3.org/2001/10/xml-exc-c14n#"
#define SEC_XMLFORM_ENVELOPED SEC_XMLDOC_DSIG "enveloped-signature"
#define SEC_XMLFORM_MORE      "http://www.w3.org/2001/04/xmldsig-more#"
#define SEC_XMLFORM_HMAC      SEC_XMLFORM_MORE "hmac-sha256"
#define SEC_XMLFORM_RSA       SEC_XMLFORM_MORE "rsa-sha256"
#define SEC_XMLFORM_SHA256    SEC_XMLDOC_ENC "sha256"

/* What is taken; NULL at the end. */
extern const char *const sec_xmlform_canonical[];
extern const char *const sec_xmlform_methods[];
extern const char *const sec_xmlform_digests[];

struct sec_xmlform_signature {
    struct slice method; /* of sec_xmlform_methods */
    struct slice uri;    /* of the one reference: "" or "#id" */
    bool enveloped;      /* the transform that leaves the signature out is named */
    struct _xmlNode *node;
    struct _xmlNode *key_info, *object; /* or NULL */
};
/* The signature of the document, by its place: the root; in the EncryptionProperties of an EncryptedData that is the root; else the
 * one among the root's children.  Its reference names the Object, the root, or the only element beside it, in this order
 * of cases, and the library will find it by that name.  ERR_UNSUPPORTED: none such, or not of the profile; ERR_MALFORMED,
 * ERR_NOMEM. */
enum err sec_xmlform_signature(struct _xmlDoc *doc, struct sec_xmlform_signature *out) MUST_USE;

struct sec_xmlform_encrypted {
    struct slice cipher; /* its Algorithm */
    struct _xmlNode *node;
    struct _xmlNode *key_info; /* or NULL */
};
/* An EncryptedData, or an EncryptedKey.  ERR_MALFORMED; ERR_UNSUPPORTED: an algorithm, a parameter or a reference that is
 * not of the profile. */
enum err sec_xmlform_encrypted_data(struct _xmlNode *n, struct sec_xmlform_encrypted *out) MUST_USE;
enum err sec_xmlform_encrypted_key(struct _xmlNode *n, struct sec_xmlform_encrypted *out) MUST_USE;

#endif
