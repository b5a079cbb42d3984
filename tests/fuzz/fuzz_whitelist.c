/* A whitelist of any text: each line parsed, the good ones compiled, then every recipient that a rule names is
 * asked for.  Sets of "@file" rules stay empty: no file is read here. */
#include <stdint.h>
#include "security/address.h"
#include "security/rules/whitelist.h"
#include "security/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void ask(const struct sec_whitelist *w, const struct sec_whitelist_line *l)
{
    struct sec_whitelist_query q = {.initiator = l->initiator,
                                    .recipient = l->recipient,
                                    .application = l->application,
                                    .type = SLICE("text/plain"),
                                    .uri = l->uri,
                                    .size = 1};
    struct sec_whitelist_verdict v;
    struct sec_address a, again;

    q.asked = l->asked == SEC_ASKED_ANY ? SEC_LEVEL_NONE : (enum sec_level)l->asked;
    sec_whitelist_decide(w, &q, &v);
    MUST(!v.allow || v.line > 0);
    if (sec_address_canonical(l->recipient, &a) == ERR_OK) {
        MUST(sec_address_canonical(slice_of(a.text, a.n), &again) == ERR_OK);
        MUST(slice_eq(slice_of(a.text, a.n), slice_of(again.text, again.n)) && a.domain == again.domain);
    }
    if (l->uri.n && !slice_ends(l->uri, SLICE("*")))
        MUST(sec_uri_matches(l->uri, l->uri));
}

/* A path has one list; what the owner asks is allowed whatever it says. */
static void add_acl(struct sec_whitelist *w, const struct sec_whitelist_line *l, uint32_t line)
{
    enum err e = sec_whitelist_add(w, l, line, NULL);
    struct sec_whitelist_query q = {
        .operation = SEC_STATUS, .initiator = SLICE("a"), .owner = SLICE("b"), .push_id = l->path};
    struct sec_whitelist_verdict v;

    MUST(e == ERR_OK || e == ERR_EXISTS);
    sec_whitelist_decide(w, &q, &v);
    MUST(!v.allow || (v.line > 0 && sec_whitelist_reaches_others(w, SEC_STATUS, q.initiator)));
    q.owner = q.initiator;
    sec_whitelist_decide(w, &q, &v);
    MUST(v.allow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice rest = slice_of(data, n), text;
    struct sec_whitelist_line l;
    struct sec_whitelist *w;
    const char *why = NULL;
    uint32_t line = 0;

    MUST(sec_whitelist_create("fuzz", &w) == ERR_OK);
    while (rest.n) {
        struct sec_addrset *set = NULL;
        bool fresh;

        (void)slice_cut(rest, '\n', &text, &rest);
        line++;
        if (sec_whitelist_parse_line(text, &l, &why) != ERR_OK)
            continue;
        if (l.rule == SEC_RULE_ACL) {
            add_acl(w, &l, line);
            continue;
        }
        if (l.kind == SEC_RECIPIENT_FILE || l.kind == SEC_RECIPIENT_GROUP)
            MUST(sec_whitelist_set(w, l.recipient, &set, &fresh) == ERR_OK);
        MUST(sec_whitelist_add(w, &l, line, set) == ERR_OK);
        ask(w, &l);
    }
    sec_whitelist_free(&w);
    return 0;
}
