/* What the far end of an attempt takes, and so how the push goes: MESSAGE or session, in which form; it is asked first (OPTIONS) where
 * that is wanted.  See attempt.h.  RFC 3261 §11, RFC 3840. */
#include "ota/agent/attempt.h"

#include <stdio.h>

#include "base/mem.h"

#define ENVELOPE SLICE(OTA_SIP_ENVELOPE_TYPE)
#define EXTERNAL SLICE("message/external-body")

static const struct ota_sip_env *conf_of(const struct ota_sip_attempt *a)
{
    return &a->target->sip->env->sip;
}

static bool never_heard_of(const struct ota_sip_attempt *a)
{
    return !a->takes.methods.said && !a->takes.accept[0] && a->takes.form == OTA_SIP_ANY_FORM;
}

/* Of what is sent, sealed or not. */
static struct slice outer_type(const struct ota_sip_attempt *a)
{
    return ota_header_find(a->job->message_head, SLICE("Content-Type"));
}

/* In the form that the operator says; else in the one that it has taken, or says that it accepts. */
static bool bare_first(const struct ota_sip_attempt *a)
{
    struct slice accept = slice_str(a->takes.accept);
    bool bare = a->job->terminal->direct;

    if (conf_of(a)->form != OTA_FORM_AUTO)
        return conf_of(a)->form == OTA_FORM_DIRECT;
    if (a->takes.form != OTA_SIP_ANY_FORM)
        return a->takes.form == OTA_SIP_BARE;
    if (ota_sip_accepts(accept, bare ? outer_type(a) : ENVELOPE))
        return bare;
    return ota_sip_accepts(accept, bare ? ENVELOPE : outer_type(a)) ? !bare : bare;
}

void ota_sip_attempt_suit(struct ota_sip_attempt *a)
{
    const struct ota_sip_found *device = ota_sip_attempt_registered(a) ? &a->device : NULL;
    const struct ota_sip_takes *learnt = ota_sip_learnt_find(&a->target->sip->learnt, slice_str(a->uri),
                                                             device ? device->since_ms : INT64_MIN);

    a->takes = learnt ? *learnt : (struct ota_sip_takes){.form = OTA_SIP_ANY_FORM};
    if (device && device->methods.said)
        a->takes.methods = device->methods;
    if (device && device->accept[0])
        (void)snprintf(a->takes.accept, sizeof a->takes.accept, "%s", device->accept);
    a->takes.pushes = a->takes.pushes || (device && device->tagged);
    a->bare = bare_first(a);
    a->form_tried = a->session = false;
    a->asking = conf_of(a)->probe && !learnt && never_heard_of(a);
}

static void keep(const struct ota_sip_attempt *a)
{
    ota_sip_learnt_put(&a->target->sip->learnt, slice_str(a->uri), &a->takes);
}

static void read_accept(struct ota_sip_attempt *a, const struct ota_sip_reply *r)
{
    struct buf text;

    buf_init(&text, OTA_SIP_SAID_MAX_N);
    if (!ota_sip_said_accept(r->osip, &text) && text.n)
        (void)!mem_cstr(a->takes.accept, sizeof a->takes.accept, buf_slice(&text));
    buf_clear(&text);
}

void ota_sip_attempt_asked(struct ota_sip_attempt *a, const struct ota_sip_reply *r)
{
    a->asking = false;
    if (r->status / 100 == 2) {
        a->takes.methods = ota_sip_said_methods(r->osip);
        a->takes.pushes = a->takes.pushes || ota_sip_reply_has_feature(r, conf_of(a)->app_tag);
        read_accept(a, r);
        a->bare = bare_first(a);
    }
    keep(a); /* an answer that says nothing too: not to be asked again soon */
}

void ota_sip_attempt_taught(struct ota_sip_attempt *a, const struct ota_sip_reply *r)
{
    bool told = false;

    if (!a->session && (r->status == 405 || r->status == 501)) {
        a->takes.methods = ota_sip_said_methods(r->osip);
        a->takes.methods.said = true;
        a->takes.methods.message = false;
        told = true;
    } else if (!a->session && (r->status == 406 || r->status == 415)) {
        read_accept(a, r);
        told = true;
    } else if (a->form_tried && r->status / 100 == 2) {
        a->takes.form = a->bare ? OTA_SIP_BARE : OTA_SIP_ENVELOPE;
        told = true;
    }
    if (told)
        keep(a);
}

bool ota_sip_attempt_other_form(struct ota_sip_attempt *a)
{
    if (a->form_tried || a->session || conf_of(a)->form != OTA_FORM_AUTO)
        return false;
    a->form_tried = true;
    a->bare = !a->bare;
    return true;
}

/* It has said that it does, and that it is no telephone, which would ring. */
static bool takes_sessions(const struct ota_sip_attempt *a)
{
    return a->takes.methods.invite && a->takes.pushes;
}

bool ota_sip_attempt_must_session(const struct ota_sip_attempt *a)
{
    return !a->session && (a->job->terminal->session > OTA_SESSION_LARGE ||
                           (a->takes.methods.said && !a->takes.methods.message && takes_sessions(a)));
}

bool ota_sip_attempt_may_session(const struct ota_sip_attempt *a)
{
    return !a->session && (a->job->terminal->session != OTA_SESSION_NO || takes_sessions(a));
}

bool ota_sip_attempt_no_session(struct ota_sip_attempt *a)
{
    if (!a->session || a->job->terminal->session != OTA_SESSION_NO || !a->takes.methods.message)
        return false;
    a->session = a->takes.methods.invite = false;
    keep(a);
    return true;
}

bool ota_sip_attempt_unreadable(const struct ota_sip_attempt *a)
{
    struct slice accept = slice_str(a->takes.accept);

    return slice_starts_ci(a->job->content_type, EXTERNAL) && !ota_sip_accepts(accept, EXTERNAL);
}
