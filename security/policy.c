/* The protection decision: levels, what each binding's transport gives, and who protects what.  The rule is that
 * of the DM message security change request, §5.3: the transport's authentication and integrity are used where
 * it has them, its confidentiality should be; otherwise message protection: a seal, else a mac, else that of XML.  Its "should" is a "must" here: what
 * cannot be protected as wanted is refused.  Any thread. */
#include "security/policy.h"

#include <stdio.h>

static const char *const level_names[SEC_LEVEL_COUNT] = {"none", "integrity", "full"};

const char *sec_level_name(enum sec_level level)
{
    return level_names[level];
}

enum err sec_level_parse(struct slice in, enum sec_level *out)
{
    for (unsigned i = 0; i < SEC_LEVEL_COUNT; i++)
        if (slice_eq(in, slice_str(level_names[i]))) {
            *out = (enum sec_level)i;
            return ERR_OK;
        }
    return ERR_MALFORMED;
}

const char *sec_binding_name(enum sec_binding b)
{
    static const char *const names[SEC_BINDING_COUNT] = {
#define BINDING_NAME(name, text) [SEC_BINDING_##name] = text,
        SEC_BINDING_LIST(BINDING_NAME)
#undef BINDING_NAME
    };

    return names[b];
}

const struct sec_caps *sec_caps_of(enum sec_binding b)
{
    static const struct sec_caps table[SEC_BINDING_COUNT] = {
        [SEC_BINDING_HTTP_TLS] = {.auth_int = true, .conf = true, .gpl = true, .mac = true},
        [SEC_BINDING_HTTP_DIGEST_INT] = {.gpl = true, .mac = true},
        [SEC_BINDING_HTTP_CLEAR] = {.gpl = true, .mac = true},
        [SEC_BINDING_SIP_TLS] = {.auth_int = true, .conf = true, .gpl = true},
        [SEC_BINDING_SIP_PROXIED] = {.gpl = true},
        [SEC_BINDING_SIP_CLEAR] = {.gpl = true},
        [SEC_BINDING_MSRP_TLS] = {.auth_int = true, .conf = true, .gpl = true},
        [SEC_BINDING_UDP_CLEAR] = {.gpl = true},
        [SEC_BINDING_DTLS] = {.auth_int = true, .conf = true, .gpl = true},
        [SEC_BINDING_BROADCAST] = {.gpl = false}, /* many receivers, no association */
    };

    return &table[b];
}

const char *sec_means_name(enum sec_means m)
{
    static const char *const names[] = {"none", "transport", "gpl", "hmac", "xml"};

    return names[m];
}

static enum sec_level highest(enum sec_level a, enum sec_level b)
{
    return a > b ? a : b;
}

/* Who gives one property, wanted or not; mac: one would give it.  False when it is wanted and nobody can. */
static bool means_for(const struct sec_policy_in *in, bool wanted, bool transport, bool mac,
                      enum sec_means *out)
{
    bool message = wanted && (in->message == SEC_MESSAGE_ALWAYS || !transport);
    bool seal = in->caps.gpl && in->sa, xml = in->caps.gpl && in->xml;

    if (message && !seal && !mac && !xml)
        return false;
    if (message)
        *out = seal ? SEC_MEANS_GPL : mac ? SEC_MEANS_MAC : SEC_MEANS_XML;
    else
        *out = transport ? SEC_MEANS_TRANSPORT : SEC_MEANS_NONE;
    return true;
}

static const char *who_wanted(const struct sec_policy_in *in, enum sec_level level)
{
    if (level == SEC_LEVEL_NONE)
        return "nobody wants more";
    if (in->floor == level)
        return "provider's floor";
    return in->demanded == level ? "whitelist demands" : "initiator asks";
}

static const char *why(const struct sec_policy_in *in, const struct sec_policy_out *out)
{
    if (out->refusal == SEC_POLICY_CEILING)
        return "above the provider's ceiling";
    if (out->refusal == SEC_POLICY_OK && !out->seal && !out->mac && !out->xml)
        return "transport is enough";
    if (out->refusal == SEC_POLICY_OK && in->message == SEC_MESSAGE_ALWAYS)
        return out->seal  ? "messages are always sealed"
               : out->mac ? "messages always have a mac"
                          : "messages are always signed";
    if (out->refusal == SEC_POLICY_OK)
        return "transport does not protect";
    return in->caps.gpl ? "no association with the terminal" : "bearer cannot carry a sealed message";
}

void sec_policy_text(const struct sec_policy_out *out, char text[SEC_POLICY_TEXT_N])
{
    (void)snprintf(text, SEC_POLICY_TEXT_N, "level=%s auth=%s int=%s conf=%s why=\"%s, %s\"",
                   sec_level_name(out->level), sec_means_name(out->integrity), sec_means_name(out->integrity),
                   sec_means_name(out->conf), out->wanted, out->why);
}

void sec_policy_decide(const struct sec_policy_in *in, struct sec_policy_out *out)
{
    struct sec_policy_out v = {.level = highest(highest(in->asked, in->demanded), in->floor)};

    if (v.level > in->ceiling)
        v.refusal = SEC_POLICY_CEILING;
    else if (!means_for(in, v.level >= SEC_LEVEL_INTEGRITY, in->caps.auth_int, in->caps.mac && in->mac,
                        &v.integrity) ||
             !means_for(in, v.level == SEC_LEVEL_FULL, in->caps.conf, false, &v.conf))
        v.refusal = SEC_POLICY_IMPOSSIBLE;
    if (v.refusal) {
        v.integrity = SEC_MEANS_NONE;
        v.conf = SEC_MEANS_NONE;
    }
    if (v.conf == SEC_MEANS_XML && v.integrity == SEC_MEANS_MAC)
        v.integrity = SEC_MEANS_XML; /* encryption of XML is always signed: one is enough */
    v.seal = v.integrity == SEC_MEANS_GPL || v.conf == SEC_MEANS_GPL;
    v.mac = v.integrity == SEC_MEANS_MAC;
    v.seal_encrypts = v.conf == SEC_MEANS_GPL;
    v.xml = v.integrity == SEC_MEANS_XML || v.conf == SEC_MEANS_XML;
    v.xml_encrypts = v.conf == SEC_MEANS_XML;
    v.wanted = who_wanted(in, v.level);
    v.why = why(in, &v);
    *out = v;
}
