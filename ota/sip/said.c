/* What a message says of what its sender takes; see said.h. */
#include "ota/sip/said.h"

#include <osipparser2/osip_parser.h>

struct ota_sip_methods ota_sip_methods_of(struct slice list)
{
    struct ota_sip_methods m = {.said = list.n != 0};
    struct slice item;

    while (slice_item(&list, &item)) {
        m.message = m.message || slice_eq_ci(item, SLICE("MESSAGE"));
        m.invite = m.invite || slice_eq_ci(item, SLICE("INVITE"));
    }
    return m;
}

struct ota_sip_methods ota_sip_said_methods(const struct osip_message *m)
{
    struct ota_sip_methods all = {.said = false};

    for (int i = 0; i < osip_list_size(&m->allows); i++) {
        const osip_allow_t *allow = osip_list_get(&m->allows, i);
        struct ota_sip_methods one = ota_sip_methods_of(slice_str(allow->value));

        all.said = all.said || one.said;
        all.message = all.message || one.message;
        all.invite = all.invite || one.invite;
    }
    return all;
}

enum err ota_sip_said_accept(const struct osip_message *m, struct buf *out)
{
    size_t start = out->n;

    for (int i = 0; i < osip_list_size(&m->accepts); i++) {
        const osip_accept_t *accept = osip_list_get(&m->accepts, i);

        if (!accept->type || !accept->subtype)
            continue;
        if (out->n > start)
            buf_add(out, SLICE(", "));
        buf_add_str(out, accept->type);
        buf_add_ch(out, '/');
        buf_add_str(out, accept->subtype);
    }
    return buf_err(out);
}

/* "text/html" is of "text/html", of "text/" with a star, and of two stars. */
static bool of_range(struct slice range, struct slice type)
{
    struct slice main, sub, own, rest;

    if (!slice_cut(range, '/', &main, &sub) || !slice_cut(type, '/', &own, &rest))
        return false;
    return slice_eq_ci(range, type) ||
           (slice_eq(sub, SLICE("*")) && (slice_eq(main, SLICE("*")) || slice_eq_ci(main, own)));
}

bool ota_sip_accepts(struct slice accept, struct slice type)
{
    struct slice name, item, rest;

    (void)slice_cut(type, ';', &name, &rest);
    name = slice_trim(name);
    if (accept.n == 0)
        return true;
    while (slice_item(&accept, &item))
        if (of_range(item, name))
            return true;
    return false;
}
