/* A terminal that logs in to a server with Digest, and what the server must prove in turn: octets in, octets out, no sockets
 * (RFC 7616; CPNS security 5.x.2).  Basic and what comes to the terminal are elsewhere.
 *
 * Story: the program prints a request with kit_login_print's line among its headers, which is nothing at first, and hands the
 * answer to kit_login_heard.  AGAIN: the server asked who we are; the same request, printed anew, says so.  GOOD: the
 * answer may be used, and the next request begins with the line at once.  One login, one request at a time; one thread. */
#ifndef OTA_TERMINAL_LOGIN_H
#define OTA_TERMINAL_LOGIN_H

#include "base/buf.h"
#include "ota/terminal/kit.h"
#include "security/login/digest.h"

struct kit_login;
struct kit_login_conf {
    struct slice user, password; /* copied; user empty: there is none to show */
    struct slice realm;          /* only to who asks for this one; empty: any */
    bool mutual; /* required: a success without the proof that the server has the password too is none */
};
/* ERR_NOMEM, ERR_LIMIT a password beyond SEC_DIGEST_VALUE_MAX_N. */
enum err kit_login_create(const struct kit_login_conf *conf, struct kit_login **out) MUST_USE;
void kit_login_free(struct kit_login **l); /* wipes; takes NULL */

/* Appends "Authorization: ..." and CRLF when a server has asked; the slices of *request live until the answer is heard.  ERR_MALFORMED (a character that cannot be sent),
 * ERR_NOMEM, ERR_IO, or the sticky error of `out`. */
enum err kit_login_print(struct kit_login *l, const struct sec_digest_request *request,
                         struct buf *out) MUST_USE;

/* An answer as it came. */
struct kit_heard {
    unsigned status;
    const struct kit_header *headers;
    size_t headers_n;
    struct slice body;
};
enum kit_login_word {
    KIT_LOGIN_GOOD,    /* it is an answer to what was asked, whatever it says */
    KIT_LOGIN_AGAIN,   /* ask again */
    KIT_LOGIN_REFUSED, /* it wants a login and does not take ours, or none that we may show */
    KIT_LOGIN_IMPOSTOR /* it proves another password, or none where it must: what it says is nobody's */
};
enum kit_login_word kit_login_heard(struct kit_login *l, const struct kit_heard *a);
/* A value of the first header of that name; n 0: none. */
struct slice kit_heard_header(const struct kit_heard *a, struct slice name);
/* Those of all, at most max of them; how many. */
size_t kit_heard_headers(const struct kit_heard *a, struct slice name, struct slice *values, size_t max);

#endif
