/* How much protection a delivery needs and who gives it: the transport, or protection of the message
 * itself.  One pure
 * function for every bearer.  Asking (PAP), demanding (whitelist) and sealing (ppg/protect.c) are elsewhere.
 * Any thread. */
#ifndef SECURITY_POLICY_H
#define SECURITY_POLICY_H

#include "base/err.h"
#include "base/slice.h"

enum sec_level { SEC_LEVEL_NONE, SEC_LEVEL_INTEGRITY, SEC_LEVEL_FULL, SEC_LEVEL_COUNT };
const char *sec_level_name(enum sec_level level); /* "none", "integrity", "full" */
/* ERR_MALFORMED; case counts. */
enum err sec_level_parse(struct slice in, enum sec_level *out) MUST_USE;

/* How a message reaches the terminal, as far as protection goes. */
#define SEC_BINDING_LIST(X)                                                                                  \
    X(HTTP_TLS, "http-tls")               /* TLS with certificate, PSK, or Digest inside */                  \
    X(HTTP_DIGEST_INT, "http-digest-int") /* clear, Digest auth-int: partial, counts as nothing */           \
    X(HTTP_CLEAR, "http-clear")                                                                              \
    X(SIP_TLS, "sip-tls")         /* to the registered flow, no intermediate hop */                          \
    X(SIP_PROXIED, "sip-proxied") /* hop by hop at best */                                                   \
    X(SIP_CLEAR, "sip-clear")                                                                                \
    X(MSRP_TLS, "msrp-tls")   /* direct */                                                                   \
    X(UDP_CLEAR, "udp-clear") /* connectionless */                                                           \
    X(DTLS, "dtls")           /* to the terminal itself */                                                   \
    X(BROADCAST, "broadcast") /* the initiator pre-encrypts, or nobody does */

enum sec_binding {
#define SEC_BINDING_ENUM(name, text) SEC_BINDING_##name,
    SEC_BINDING_LIST(SEC_BINDING_ENUM)
#undef SEC_BINDING_ENUM
        SEC_BINDING_COUNT
};
const char *sec_binding_name(enum sec_binding b);

struct sec_caps {
    bool auth_int; /* the transport authenticates the gateway and protects integrity end to end */
    bool conf;     /* the transport hides the content end to end */
    bool gpl;      /* the bearer can carry a sealed body to one terminal, or one protected as XML */
    bool mac;      /* and a clear one with x-syncml-hmac: integrity, and nothing hidden */
};
/* The row of the table for `b`; static. */
const struct sec_caps *sec_caps_of(enum sec_binding b);

enum sec_message_use {
    SEC_MESSAGE_AUTO,  /* message protection only where the transport has none */
    SEC_MESSAGE_ALWAYS /* message protection whenever anything is protected, whatever the transport does */
};

struct sec_policy_in {
    enum sec_level asked;    /* by the initiator; NONE when it did not ask */
    enum sec_level demanded; /* by the deciding whitelist rule */
    enum sec_level floor;    /* the provider's */
    enum sec_level ceiling;
    struct sec_caps caps; /* of the transport, from sec_caps_of */
    bool sa;              /* the terminal has, or can be given, an association */
    enum sec_message_use message;
    bool mac; /* both ends have a key for x-syncml-hmac; used where there is no association */
    bool
        xml; /* the content is XML, and both ends have keys to sign and encrypt it as such; used where neither of the others does */
};

enum sec_means { SEC_MEANS_NONE, SEC_MEANS_TRANSPORT, SEC_MEANS_GPL, SEC_MEANS_MAC, SEC_MEANS_XML };
const char *sec_means_name(enum sec_means m); /* "none", "transport", "gpl", "hmac", "xml" */

enum sec_policy_refusal {
    SEC_POLICY_OK,
    SEC_POLICY_CEILING,   /* above the provider's ceiling: PAP 2005 */
    SEC_POLICY_IMPOSSIBLE /* neither the transport nor a sealed message can give it: PAP 2005 */
};

struct sec_policy_out {
    enum sec_policy_refusal refusal;
    enum sec_level level; /* the effective one, also when refused */
    enum sec_means
        integrity; /* who gives it, and authentication with it; at level none what the transport gives anyway */
    enum sec_means conf;
    bool seal;          /* a GPL message is needed ... */
    bool seal_encrypts; /* ... of a suite that encrypts */
    bool mac;           /* or x-syncml-hmac is */
    bool xml;           /* or an XML-Signature is ... */
    bool xml_encrypts;  /* ... around XML-Encryption */
    const char *wanted; /* static: who wanted the level ... */
    const char *why;    /* ... and what follows from it */
};

#define SEC_POLICY_TEXT_N 128
/* The decision in words, for records and logs: level=full auth=gpl int=gpl conf=gpl why="...";
 * NUL-terminated. */
void sec_policy_text(const struct sec_policy_out *out, char text[SEC_POLICY_TEXT_N]);

/* Fills *out: the highest of asked, demanded and floor, or a refusal; never less than was wanted. */
void sec_policy_decide(const struct sec_policy_in *in, struct sec_policy_out *out);

#endif
