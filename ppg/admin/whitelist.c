/* The whitelist as operators see it: its rules as the file stands, and what it says about a push.  Routes of admin.c;
 * loop 0, the file off it. */
#include <stdlib.h>

#include "ota/headers.h"
#include "pap/time.h"
#include "ppg/admin/work.h"
#include "ppg/file.h"
#include "ppg/admin/rules.h"

#define FILE_MAX_N    ((size_t)64 << 20) /* octets */
#define COUNT_DEFAULT 1000u

/* --- GET /whitelist --- */

static bool about(const struct ppg_rules_line *l, struct slice initiator)
{
    struct sec_whitelist_line parsed;
    const char *why;

    if (!initiator.n)
        return true;
    if (sec_whitelist_parse_line(l->rule, &parsed, &why) || parsed.rule == SEC_RULE_ACL)
        return false;
    return slice_eq(parsed.initiator, initiator) || slice_eq(parsed.initiator, SLICE("*"));
}

static void list_rules(struct ppg_admin_job *j, struct slice text)
{
    uint64_t most = j->ask.given & PPG_ASK_COUNT ? j->ask.count : COUNT_DEFAULT, n = 0;
    struct ppg_rules_line l = {.no = 0};
    json_t *rules = json_array();

    j->answer = json_object();
    ppg_json_set_text(j->answer, "file", slice_str(ppg_config_settings(j->config)->files.whitelist));
    while (ppg_rules_next(&text, &l)) {
        json_t *one;

        if (!l.rule.n || l.no < j->ask.from || !about(&l, j->ask.initiator))
            continue;
        if (n == most) {
            ppg_json_set_n(j->answer, "more_from", l.no);
            break;
        }
        one = json_object();
        ppg_json_set_n(one, "line", l.no);
        ppg_json_set_text(one, "rule", l.rule);
        (void)json_array_append_new(rules, one);
        n++;
    }
    ppg_json_set(j->answer, "rules", rules);
}

static void list_run(struct ppg_admin_job *j)
{
    struct ppg_file_stamp mark;
    char why[PPG_FILE_WHY_N];
    struct buf text;

    buf_init(&text, FILE_MAX_N);
    if (ppg_file_read(ppg_config_settings(j->config)->files.whitelist, &text, &mark, why))
        ppg_admin_job_fail(j, 500, "%s", why);
    else
        list_rules(j, buf_slice(&text));
    buf_clear(&text);
    ppg_config_drop(&j->config);
}

static void list_done(struct ppg_admin_job *j)
{
    ppg_admin_job_end(j);
    free(j);
}

void ppg_admin_whitelist(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    struct ppg_admin_job *j = calloc(1, sizeof *j);

    if (!j)
        ppg_admin_refuse(x, 503, "out of memory");
    else if (ppg_admin_job_begin(j, a, x, r))
        free(j);
    else
        ppg_admin_job_start(j, list_run, list_done);
}

/* --- GET /whitelist/test --- */

static const char *operation_of(struct slice word, enum sec_operation *out)
{
    static const char *const words[] = {
        [SEC_SUBMIT] = "submit", [SEC_STATUS] = "status", [SEC_CANCEL] = "cancel"};

    *out = SEC_SUBMIT;
    if (!word.n)
        return NULL;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (slice_eq(word, slice_str(words[i]))) {
            *out = (enum sec_operation)i;
            return NULL;
        }
    return "operation is submit, status or cancel";
}

/* NULL: *q is the question; a claimed URI counts as the account's only when it may claim it. */
static const char *question(struct ppg_admin_ask *ask, struct sec_whitelist_query *q)
{
    const struct sec_account *account =
        sec_accounts_find(ppg_config_accounts(ask->core->config), ask->initiator);
    const char *bad;

    *q = (struct sec_whitelist_query){.initiator = ask->initiator,
                                      .owner = ask->owner,
                                      .push_id = ask->id,
                                      .recipient = ask->recipient,
                                      .application =
                                          ask->application.n ? ask->application : SLICE(OTA_APP_DEFAULT),
                                      .type = ask->type,
                                      .uri = ask->uri,
                                      .uri_foreign = account && !sec_initiator_uri_allowed(account, ask->uri),
                                      .size = ask->size,
                                      .at_s = ppg_core_utc_ms(ask->core) / 1000};
    if (ask->asked.n && sec_level_parse(ask->asked, &q->asked))
        return "asked is none, integrity or full";
    if (ask->at.n && pap_time_parse(ask->at, false, &q->at_s))
        return "at is a time such as 2030-01-31T08:00:00Z";
    bad = operation_of(ask->operation, &q->operation);
    if (bad)
        return bad;
    if (q->operation == SEC_SUBMIT && !ask->recipient.n)
        return "a recipient is needed";
    if (q->operation == SEC_SUBMIT)
        return ppg_admin_ask_key(ask, ask->recipient, &q->recipient) ? "the recipient is no address" : NULL;
    return ask->owner.n && ask->id.n ? NULL : "owner and id are needed: whose push, and which";
}

static json_t *verdict_json(const struct ppg_admin_ask *ask, const struct sec_whitelist_query *q)
{
    bool known = sec_accounts_find(ppg_config_accounts(ask->core->config), ask->initiator);
    struct sec_whitelist_verdict v;
    json_t *o = json_object();

    sec_whitelist_decide(ppg_config_whitelist(ask->core->config), q, &v);
    ppg_json_set(o, "allow", json_boolean(v.allow && known));
    ppg_json_set_text(o, "reason", slice_str(known ? v.reason : "there is no such initiator"));
    ppg_json_set_text(o, "file", slice_str(v.file));
    if (v.line)
        ppg_json_set_n(o, "line", v.line);
    if (v.allow && q->operation == SEC_SUBMIT)
        ppg_json_set_text(o, "protect", slice_str(sec_level_name(v.demanded)));
    ppg_json_set_n(o, "generation", ppg_config_generation(ask->core->config));
    return o;
}

/* The recipient as initiators, or rules, may spell it. */
void ppg_admin_whitelist_test(struct ppg_admin *a, struct net_http_exchange *x,
                              const struct ppg_admin_route *r)
{
    struct sec_whitelist_query q;
    struct ppg_admin_ask ask;
    const char *bad;

    if (ppg_admin_ask_read(a->conf.core, x, r, &ask))
        return;
    bad = question(&ask, &q);
    if (bad)
        ppg_admin_refuse(x, 400, bad);
    else
        ppg_admin_answer(x, 200, verdict_json(&ask, &q));
    ppg_admin_ask_clear(&ask);
}
