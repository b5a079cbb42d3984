/* One line of the whitelist: words, then name=value conditions.  Pure; the grammar is in whitelist.h.  Any
 * thread. */
#include "security/rules/whitelist.h"

#include "base/scan.h"
#include "security/address.h"
#include "security/uri.h"

#define NAME_MAX_N 128 /* octets of an initiator's name or a media type */

static bool is_word_ch(unsigned char ch)
{
    return ch > 0x20 && ch != 0x7f;
}

/* The next word; n 0 at the end of the line or at a comment. */
static struct slice word(struct scan *s)
{
    scan_lws(s, 0);
    if (scan_done(s) || scan_peek(s) == '#')
        return SLICE_NONE;
    return scan_while(s, is_word_ch, SEC_WHITELIST_LINE_MAX_N);
}

static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!scan_is_token_ch((unsigned char)s.p[i]) || s.p[i] == '*')
            return false;
    return s.n > 0 && s.n <= NAME_MAX_N;
}

static bool is_prefix(struct slice s)
{
    size_t i = slice_starts(s, SLICE("+")) ? 1 : 0;

    for (; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0 && s.n <= SEC_WHITELIST_PREFIX_MAX_N;
}

/* "*", "@file", "$group", "sip:*@domain", "+1555*", or an address. */
static const char *recipient(struct slice w, struct sec_whitelist_line *v)
{
    struct sec_address canonical;
    struct scan s = scan_of(w);

    v->recipient = w;
    if (slice_eq(w, SLICE("*"))) {
        v->kind = SEC_RECIPIENT_ANY;
    } else if (slice_starts(w, SLICE("@"))) {
        v->kind = SEC_RECIPIENT_FILE;
        v->recipient = slice_sub(w, 1, w.n);
        return w.n > 1 && w.p[1] != '$' ? NULL
                                        : "recipient: a file name must follow \"@\", without \"$\" in front";
    } else if (slice_starts(w, SLICE("$"))) {
        v->kind = SEC_RECIPIENT_GROUP;
        v->recipient = slice_sub(w, 1, w.n);
        return is_name(v->recipient) ? NULL : "recipient: a group's name must follow \"$\"";
    } else if (scan_skip_ci(&s, SLICE("sip:*@"))) {
        v->kind = SEC_RECIPIENT_DOMAIN;
        v->recipient = scan_left(&s);
        return is_name(v->recipient) && !sec_address_canonical(w, &canonical)
                   ? NULL
                   : "recipient: a domain must follow \"sip:*@\"";
    } else if (slice_ends(w, SLICE("*"))) {
        v->kind = SEC_RECIPIENT_PREFIX;
        v->recipient = slice_sub(w, 0, w.n - 1);
        return is_prefix(v->recipient) ? NULL : "recipient: only digits may stand before \"*\"";
    } else {
        v->kind = SEC_RECIPIENT_EXACT;
        if (slice_find(w, '*') < w.n || sec_address_canonical(w, &canonical))
            return "recipient: not an address, \"+digits*\", \"sip:*@domain\", \"*\", \"@file\" or "
                   "\"$group\"";
    }
    return NULL;
}

static bool is_type(struct slice s)
{
    struct slice top, sub;

    return slice_cut(s, '/', &top, &sub) && is_name(top) && (is_name(sub) || slice_eq(sub, SLICE("*")));
}

static const char *max_size(struct slice value, struct sec_whitelist_line *v)
{
    struct scan s = scan_of(value);

    if (v->max_size != UINT64_MAX)
        return "max-size= stands twice";
    v->max_size = scan_u64(&s, 0, UINT64_MAX - 1);
    scan_end(&s);
    return s.err ? "max-size=: must be a number of octets" : NULL;
}

static const char *protect(struct slice value, struct sec_whitelist_line *v, bool *seen)
{
    if (*seen)
        return "protect= stands twice";
    *seen = true;
    return sec_level_parse(value, &v->protect) ? "protect=: must be none, integrity or full" : NULL;
}

static const char *asked(struct slice value, struct sec_whitelist_line *v)
{
    enum sec_level level = SEC_LEVEL_NONE;

    if (v->asked != SEC_ASKED_ANY)
        return "asked= stands twice";
    if (sec_level_parse(value, &level))
        return "asked=: must be none, integrity or full";
    v->asked = (int)level;
    return NULL;
}

static const char *hours(struct slice value, struct sec_whitelist_line *v)
{
    if (v->hours.given)
        return "time= stands twice";
    return sec_hours_parse(value, &v->hours)
               ? "time=: must be hh:mm-hh:mm, and Z or the clock's offset from UTC, such as +02:00, behind it"
               : NULL;
}

static const char *condition(struct slice w, struct sec_whitelist_line *v, bool *protect_seen)
{
    struct slice name, value;

    if (!slice_cut(w, '=', &name, &value) || value.n == 0)
        return "condition: must be name=value";
    if (slice_eq(name, SLICE("protect")))
        return v->rule == SEC_RULE_ALLOW ? protect(value, v, protect_seen)
                                         : "protect= belongs to allow rules";
    if (slice_eq(name, SLICE("max-size")))
        return v->rule == SEC_RULE_ALLOW ? max_size(value, v) : "max-size= belongs to allow rules";
    if (slice_eq(name, SLICE("asked")))
        return asked(value, v);
    if (slice_eq(name, SLICE("time")))
        return hours(value, v);
    if (slice_eq(name, SLICE("type"))) {
        if (v->type.n)
            return "type= stands twice";
        v->type = value;
        return is_type(value) ? NULL : "type=: must be a media type";
    }
    if (slice_eq(name, SLICE("uri"))) {
        if (v->uri.n)
            return "uri= stands twice";
        v->uri = value;
        return sec_uri_pattern_check(value) ? "uri=: must be an http(s) URI, \"*\" at most at its end" : NULL;
    }
    return "condition: must be protect=, type=, max-size=, uri=, asked= or time=";
}

static const char *acl(struct scan *s, struct sec_whitelist_line *v)
{
    const char *bad;

    v->path = word(s);
    v->acl = word(s);
    bad = sec_acl_check(v->path, v->acl);
    return bad ? bad : word(s).n ? "acl: a path and a list, nothing more" : NULL;
}

static const char *rule(struct scan *s, struct sec_whitelist_line *v)
{
    bool protect_seen = false;
    const char *bad = NULL;
    struct slice w;

    v->initiator = word(s);
    if (!is_name(v->initiator) && !slice_eq(v->initiator, SLICE("*")))
        return "initiator: must be an account's name or \"*\"";
    w = word(s);
    bad = w.n ? recipient(w, v) : "recipient: missing";
    v->application = word(s);
    if (!bad && v->application.n == 0)
        bad = "application: missing";
    if (!bad && v->application.n > 1 && slice_find(v->application, '*') < v->application.n)
        bad = "application: \"*\" must stand alone";
    while (!bad && (w = word(s)).n)
        bad = condition(w, v, &protect_seen);
    return bad;
}

static const char *by_verdict(struct scan *s, struct slice verdict, struct sec_whitelist_line *v)
{
    static const char *const verdicts[] = {[SEC_RULE_ALLOW] = "allow",
                                           [SEC_RULE_DENY] = "deny",
                                           [SEC_RULE_ONLY] = "only",
                                           [SEC_RULE_ACL] = "acl"};
    size_t i = 0, n = sizeof verdicts / sizeof verdicts[0];
    const char *bad;

    while (i < n && !slice_eq(verdict, slice_str(verdicts[i])))
        i++;
    if (i == n)
        return "verdict: must be allow, deny, only or acl";
    v->rule = (enum sec_rule)i;
    bad = v->rule == SEC_RULE_ACL ? acl(s, v) : rule(s, v);
    return bad ? bad : s->err ? "control character" : NULL;
}

enum err sec_whitelist_parse_line(struct slice line, struct sec_whitelist_line *out, const char **why)
{
    struct sec_whitelist_line v = {.max_size = UINT64_MAX, .asked = SEC_ASKED_ANY};
    struct scan s = scan_of(line);
    struct slice verdict;
    const char *bad;

    if (line.n > SEC_WHITELIST_LINE_MAX_N) {
        *why = "line too long";
        return ERR_LIMIT;
    }
    verdict = word(&s);
    if (!s.err && verdict.n == 0)
        return ERR_ABSENT;
    bad = s.err ? "control character" : by_verdict(&s, verdict, &v);
    if (bad) {
        *why = bad;
        return ERR_MALFORMED;
    }
    *out = v;
    return ERR_OK;
}
