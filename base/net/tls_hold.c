/* Records and handshake messages taken apart (RFC 8446 §5.1, §4; RFC 5246 §6.2.1, §7.4); see tls_hold.h. */
#include "base/net/tls_hold.h"

#include <gnutls/gnutls.h>
#include <stdlib.h>

#include "base/num.h"

#define RECORD_HEAD_N  5u
#define RECORD_MAX_N   (16384u + 2048u) /* octets behind the head; no record is longer */
#define MESSAGE_HEAD_N 4u
#define MESSAGE_MAX_N  ((size_t)48 << 10) /* as GnuTLS is told */
#define NAME_MAX_N     1024u              /* longer ones have no key */
#define PRE_SHARED_KEY 41                 /* the extension */

enum content { CHANGE_CIPHER_SPEC = 20, ALERT = 21, HANDSHAKE = 22, APPLICATION_DATA = 23 };
enum message { CLIENT_HELLO = 1, CLIENT_KEY_EXCHANGE = 16 };

enum err tls_hold_create(struct tls_hold **out)
{
    struct tls_hold *h = calloc(1, sizeof *h);

    if (!h)
        return ERR_NOMEM;
    buf_init(&h->message, MESSAGE_MAX_N + RECORD_MAX_N);
    buf_init(&h->name, NAME_MAX_N);
    *out = h;
    return ERR_OK;
}

void tls_hold_free(struct tls_hold **hold)
{
    if (!*hold)
        return;
    buf_clear(&(*hold)->message);
    buf_clear(&(*hold)->name);
    free(*hold);
    *hold = NULL;
}

size_t tls_hold_record_n(struct slice wire)
{
    size_t n;

    if (wire.n < RECORD_HEAD_N)
        return 0;
    n = num_get16(wire.p + 3);
    if (wire.p[0] < CHANGE_CIPHER_SPEC || wire.p[0] > APPLICATION_DATA || n > RECORD_MAX_N)
        return wire.n;
    return wire.n < RECORD_HEAD_N + n ? 0 : RECORD_HEAD_N + n;
}

/* opaque name<0..2^16-1>, with more behind it. */
static bool take_name(struct tls_hold *h, struct slice s)
{
    size_t n = s.n < 2 ? 0 : num_get16(s.p);

    if (n == 0 || n > NAME_MAX_N || s.n < 2 + n)
        return false;
    buf_reset(&h->name, NAME_MAX_N);
    buf_add(&h->name, slice_sub(s, 2, n));
    return !buf_err(&h->name);
}

static int extension(void *hold, unsigned id, const unsigned char *data, unsigned n)
{
    if (id == PRE_SHARED_KEY && n >= 2)
        (void)take_name(hold, slice_of(data + 2, n - 2)); /* behind the length of all identities */
    return 0;
}

/* True: it has a name. */
static bool look(struct tls_hold *h, enum message type, struct slice body, unsigned *version)
{
    const gnutls_datum_t hello = {(unsigned char *)(uintptr_t)body.p, (unsigned)body.n};

    buf_reset(&h->name, NAME_MAX_N);
    if (type == CLIENT_KEY_EXCHANGE) {
        h->over = true; /* what follows is encrypted */
        *version = 12;
        return take_name(h, body);
    }
    *version = 13;
    return type == CLIENT_HELLO &&
           gnutls_ext_raw_parse(h, extension, &hello, GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO) >= 0 &&
           h->name.n > 0;
}

/* Octets of the first message, or 0. */
static size_t message_n(const struct tls_hold *h)
{
    const char *p = h->message.p;
    size_t n = h->message.n < MESSAGE_HEAD_N ? 0 : (size_t)(uint8_t)p[1] << 16 | num_get16(p + 2);

    return h->message.n < MESSAGE_HEAD_N || h->message.n < MESSAGE_HEAD_N + n ? 0 : MESSAGE_HEAD_N + n;
}

bool tls_hold_look(struct tls_hold *h, struct slice record, unsigned *version, struct slice *identity)
{
    bool found = false;
    size_t n;

    if (record.n < RECORD_HEAD_N || record.p[0] == APPLICATION_DATA || record.p[0] < CHANGE_CIPHER_SPEC ||
        record.p[0] > APPLICATION_DATA)
        h->over = true;
    if (h->over || record.p[0] != HANDSHAKE)
        return false;
    buf_add(&h->message, slice_sub(record, RECORD_HEAD_N, record.n));
    if (buf_err(&h->message))
        h->over = true;
    while (!h->over && !found && (n = message_n(h))) {
        found = look(h, (enum message)(uint8_t)h->message.p[0],
                     slice_sub(buf_slice(&h->message), MESSAGE_HEAD_N, n - MESSAGE_HEAD_N), version);
        buf_drop(&h->message, n);
    }
    *identity = found ? buf_slice(&h->name) : SLICE_NONE;
    return found;
}
