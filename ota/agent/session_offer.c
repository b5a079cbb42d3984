/* What is agreed on before a session: our offer, the answer to it; see session.h.  RFC 4975 §8, §14.1; RFC 6135 §4.2; RFC 3264. */
#include "ota/agent/session.h"

#include <stdio.h>

#include "base/codec.h"
#include "base/mem.h"
#include "security/kdf.h"

#define DISCARD_PORT 9 /* of who does not listen */

/* No channel that the terminal does not want to be clear, and none that its URI does not (RFC 4975 §14.3). */
static bool wants_tls(const struct ota_sip_attempt *a)
{
    return a->job->terminal->session == OTA_SESSION_TLS || a->to.secure;
}

static enum ota_msrp_entry entry_of(const struct ota_sip_attempt *a)
{
    if (!wants_tls(a))
        return OTA_MSRP_ENTRY_CLEAR;
    return a->job->terminal->psk_identity.n ? OTA_MSRP_ENTRY_PSK : OTA_MSRP_ENTRY_TLS;
}

/* Where terminals may connect the offer leaves it to this one, under an id that the door knows; else nobody listens. */
static enum err name_session(struct ota_sip_attempt *a, struct ota_msrp_offer *offer,
                             char id[OTA_MSRP_DOOR_ID_N + 1])
{
    struct ota_msrp_door *door = a->target->sip->env->sip.msrp;
    uint16_t port = door ? ota_msrp_door_port(door, entry_of(a)) : 0;
    enum err e;

    if (!port)
        return ota_sip_chance(id, OTA_MSRP_DOOR_ID_N);
    ota_msrp_guest_free(&a->guest);
    e = ota_msrp_door_expect(door, entry_of(a), &a->guest);
    if (e)
        return e;
    offer->port = port;
    offer->setup = OTA_MSRP_SETUP_ACTPASS;
    return mem_cstr(id, OTA_MSRP_DOOR_ID_N + 1, slice_str(ota_msrp_guest_id(a->guest)));
}

enum err ota_sip_session_offer(struct ota_sip_attempt *a, struct buf *out)
{
    char host[OTA_SIP_HOST_MAX_N + 1], id[OTA_MSRP_DOOR_ID_N + 1];
    struct ota_msrp_offer offer = {.port = DISCARD_PORT,
                                   .secure = wants_tls(a),
                                   .setup = OTA_MSRP_SETUP_ACTIVE,
                                   .direction = "sendonly"};
    struct slice type = ota_sip_attempt_type(a);
    bool v6;
    enum err e = name_session(a, &offer, id);

    if (e)
        return e;
    ota_sip_own_host(a->target->sip->env, host, sizeof host);
    v6 = strchr(host, ':') != NULL;
    (void)snprintf(a->own_path, sizeof a->own_path, "%s://%s%s%s:%u/%s;tcp", offer.secure ? "msrps" : "msrp",
                   v6 ? "[" : "", host, v6 ? "]" : "", (unsigned)offer.port, id);
    offer.id = (uint64_t)clk_utc_ms(a->target->sip->env->net->clk);
    offer.host = slice_str(host);
    offer.accept = slice_trim(slice_sub(type, 0, slice_find(type, ';')));
    offer.path = slice_str(a->own_path);
    return ota_msrp_sdp_print(&offer, out);
}

/* Who has offered connects, unless the answer says otherwise (RFC 6135 §4.2). */
static enum err settle_setup(struct ota_sip_session *s, struct ota_sip_attempt *a,
                             const struct ota_msrp_sdp *d)
{
    if (d->setup == OTA_MSRP_SETUP_HOLD)
        return ERR_UNSUPPORTED;
    if (d->setup != OTA_MSRP_SETUP_ACTIVE) {
        ota_msrp_guest_free(&a->guest);
        return ERR_OK;
    }
    if (!a->guest || d->secure != wants_tls(a))
        return ERR_UNSUPPORTED;
    s->guest = a->guest;
    a->guest = NULL;
    return ERR_OK;
}

enum err ota_sip_session_answer(struct ota_sip_session *s, struct ota_sip_attempt *a, struct slice body)
{
    struct ota_msrp_sdp d;
    struct ota_msrp_uri uri;
    enum err e = ota_msrp_sdp_read(body, &d);

    if (e)
        return e;
    if (d.refused || d.inactive || d.send_only)
        return ERR_ABSENT;
    e = ota_msrp_uri_parse(ota_msrp_first(d.path), &uri);
    if (e)
        return e;
    if (wants_tls(a) && !(d.secure && uri.secure))
        return ERR_DENIED;
    e = uri.secure != d.secure ? ERR_UNSUPPORTED : settle_setup(s, a, &d);
    if (e)
        return e;
    s->secure = d.secure;
    s->max_size = d.max_size;
    e = mem_cstr(s->path, sizeof s->path, d.path);
    return e ? e : mem_cstr(s->accept, sizeof s->accept, d.accept);
}

enum err ota_sip_session_terms(const struct ota_sip_attempt *a, uint8_t out[SEC_SHA256_N])
{
    const struct ota_terminal *t = a->job->terminal;
    const struct slice parts[] = {wants_tls(a) ? SLICE("tls\n") : SLICE("clear\n"),
                                  t->tls_name,
                                  SLICE("\n"),
                                  t->psk_identity,
                                  SLICE("\n"),
                                  sec_secret_slice(&t->psk)};

    return sec_hmac_sha256(SLICE("terms"), parts, sizeof parts / sizeof parts[0], out);
}

/* RFC 4975 §7.1.1 */
enum err ota_sip_session_message_id(struct ota_sip_session *s)
{
    const struct ota_job *job = s->push->job;
    const struct slice parts[] = {job->push_id, SLICE("\n"), job->terminal->key};
    uint8_t digest[SEC_SHA256_N];
    struct buf text;
    enum err e = sec_hmac_sha256(SLICE("msrp"), parts, sizeof parts / sizeof parts[0], digest);

    buf_init(&text, OTA_MSRP_ID_MAX_N);
    codec_hex(&text, slice_of(digest, OTA_MSRP_ID_MAX_N / 2));
    if (!e)
        e = buf_err(&text) ? buf_err(&text) : mem_cstr(s->message_id, sizeof s->message_id, buf_slice(&text));
    buf_clear(&text);
    return e;
}
