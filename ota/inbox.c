/* The bearer of terminals that fetch: it says what the way gives, and carries nothing.  What is for such a terminal waits
 * in the store, which its requests are answered from (ppg/doors/inbox.h); they come inside TLS alone, and prove who asks. */
#include "ota/bearer.h"

#define BODY_MAX_N ((size_t)1 << 30) /* what was taken from an initiator is bounded already */

static enum err inbox_create(const struct ota_env *env, void **self)
{
    *self = (void *)(uintptr_t)env;
    return ERR_OK;
}

static bool inbox_reaches(const struct ota_terminal *t)
{
    return t->inbox;
}

static struct sec_caps inbox_caps(const struct ota_terminal *t)
{
    (void)t;
    struct sec_caps caps = *sec_caps_of(SEC_BINDING_HTTP_TLS);

    caps.mac = false; /* nothing is sent that could carry one */
    return caps;
}

/* Nobody asks: see `fetched`. */
static enum err inbox_send(void *self, struct ota_job *job, ota_done_fn *done, void *arg)
{
    (void)self;
    (void)job;
    (void)done;
    (void)arg;
    return ERR_UNSUPPORTED;
}

static void inbox_cancel(void *self, struct ota_job *job)
{
    (void)self;
    (void)job;
}

static void inbox_set_tls(void *self, struct net_tls_ctx *tls, struct net_tls_ctx *dtls)
{
    (void)self;
    (void)tls;
    (void)dtls;
}

static void inbox_close(void *self, void (*closed)(void *arg), void *arg)
{
    (void)self;
    closed(arg);
}

const struct ota_bearer ota_bearer_inbox = {
    .name = "inbox",
    .body_max_n = BODY_MAX_N,
    .confirms = true,
    .fetched = true,
    .create = inbox_create,
    .reaches = inbox_reaches,
    .caps = inbox_caps,
    .send = inbox_send,
    .cancel = inbox_cancel,
    .set_tls = inbox_set_tls,
    .close = inbox_close,
};
