/* Pushes that are signed, or signed and encrypted, as XML.  No numbers show that one is new: it says inside when it was
 * made, is too old after a while, and has an id, which is noted as every id is.  DM message security 5.4, 5.5.  One
 * thread. */
#include "base/scan.h"
#include "ota/headers.h"
#include "ota/terminal/kit_state.h"

#define AGE_MAX_S 300 /* and so far ahead the gateway's clock may be */

bool kit_xml_is(struct slice content_type)
{
    struct slice bare = ota_type_bare(content_type);

    return slice_eq_ci(bare, SLICE(OTA_TYPE_XML_ENCRYPTED)) || slice_eq_ci(bare, SLICE(OTA_TYPE_XML_SIGNED));
}

enum err kit_xml_make(struct kit *k, const struct kit_conf *conf)
{
    if (conf->xml_name.n == 0)
        return ERR_OK;
    if (!conf->xml_keys || !sec_xml_keys_any(conf->xml_keys))
        return ERR_LIMIT;
    k->xml_keys = *conf->xml_keys;
    return ERR_OK;
}

static bool is_fresh(struct slice headers, int64_t now_s)
{
    struct scan s = scan_of(ota_header_find(headers, SLICE(OTA_XML_MADE_HEADER)));
    int64_t made_s = (int64_t)scan_u64(&s, 0, INT64_MAX / 2);

    scan_end(&s);
    return !s.err && made_s <= now_s + AGE_MAX_S && made_s >= now_s - AGE_MAX_S;
}

enum kit_reason kit_xml_open(struct kit *k, struct slice body, int64_t now_s, struct kit_entity *inner,
                             enum kit_protection *level)
{
    struct kit_entity m;
    bool encrypted;
    enum err e;

    buf_reset(&k->plain, k->plain.max);
    e = k->conf.xml_name.n ? sec_xml_open(body, k->conf.xml_name, &k->xml_keys, &encrypted, &k->plain)
                           : ERR_ABSENT;
    if (e)
        return kit_seal_reason(e);
    if (kit_entity_parse(buf_slice(&k->plain), &m) || m.content_type.n == 0 || m.message_id.n == 0)
        return KIT_REASON_INNER;
    if (!is_fresh(m.headers, now_s))
        return KIT_REASON_EXPIRED;
    *inner = m;
    *level = encrypted ? KIT_FULL : KIT_INTEGRITY;
    return KIT_REASON_NONE;
}
