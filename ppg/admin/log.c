/* From a name to what stands for it in the log; the way back there is none.  A route of admin.c, answered at once on loop 0. */
#include "ppg/admin/log.h"

#include "ppg/admin/routes.h"
#include "security/address.h"

void ppg_admin_set_token(json_t *o, const char *key, struct log *log, struct slice name)
{
    char token[LOG_TOKEN_N];

    if (name.n && log_token(log, name, token))
        ppg_json_set_text(o, key, slice_of(token, sizeof token));
}

/* Addresses are logged in their one spelling, all other names as they are: where that is not the same, both tokens. */
void ppg_admin_log_token(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    struct log *log = a->conf.core->shared->log;
    struct ppg_admin_ask ask;
    struct sec_address address;
    struct slice name;
    json_t *o = json_object();

    if (ppg_admin_ask_read(a->conf.core, x, r, &ask)) {
        json_decref(o);
        return;
    }
    name = sec_address_canonical(ask.terminal, &address) ? ask.terminal : slice_of(address.text, address.n);
    ppg_json_set_text(o, "name", name);
    ppg_admin_set_token(o, "token", log, name);
    if (!slice_eq(name, ask.terminal))
        ppg_admin_set_token(o, "token_as_written", log, ask.terminal);
    ppg_admin_ask_clear(&ask);
    ppg_admin_answer(x, 200, o);
}
