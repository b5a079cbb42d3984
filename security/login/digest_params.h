/* The parameters of Digest header values as views: #( name = value ), each known name at most once (RFC 9110
 * §11.2, RFC 7616 §3.3 to §3.5).  Any thread. */
#ifndef SECURITY_LOGIN_DIGEST_PARAMS_H
#define SECURITY_LOGIN_DIGEST_PARAMS_H

#include "base/err.h"
#include "base/slice.h"

#define SEC_PARAM_LIST(X)                                                                                    \
    X(USERNAME, "username")                                                                                  \
    X(USERNAME_EXT, "username*")                                                                             \
    X(USERHASH, "userhash")                                                                                  \
    X(REALM, "realm")                                                                                        \
    X(NONCE, "nonce")                                                                                        \
    X(URI, "uri")                                                                                            \
    X(RESPONSE, "response")                                                                                  \
    X(ALGORITHM, "algorithm")                                                                                \
    X(CNONCE, "cnonce")                                                                                      \
    X(OPAQUE, "opaque")                                                                                      \
    X(QOP, "qop")                                                                                            \
    X(NC, "nc")                                                                                              \
    X(STALE, "stale")                                                                                        \
    X(RSPAUTH, "rspauth")                                                                                    \
    X(AUTS, "auts")

enum sec_param {
#define SEC_PARAM_ENUM(name, text) SEC_PARAM_##name,
    SEC_PARAM_LIST(SEC_PARAM_ENUM)
#undef SEC_PARAM_ENUM
        SEC_PARAM_COUNT
};

struct sec_params {
    struct slice value[SEC_PARAM_COUNT]; /* without quotes */
    bool has[SEC_PARAM_COUNT];
};

/* One "name = value"; unknown names are skipped over (they may be extensions).  Escapes inside quoted strings
 * are refused: two ends that undo them differently compute different digests.  ERR_MALFORMED, ERR_LIMIT. */
enum err sec_params_add(struct sec_params *p, struct slice item) MUST_USE;
/* A whole comma list into a fresh *out. */
enum err sec_params_parse(struct slice list, struct sec_params *out) MUST_USE;
/* Fit to stand between quotes as it is: no quote, backslash or control character. */
bool sec_param_quotable(struct slice value);

#endif
