/* The provisioning object by libxml2's SAX2 parser; see secprov.h.  There is no DOCTYPE, comment, instruction or CDATA in
 * one, tags and depth have ceilings, and what the grammar does not know refuses the whole.  Any thread. */
#include "security/terminal/secprov.h"

#include <libxml/parser.h>
#include <time.h>
#include "base/codec.h"
#include "base/mem.h"
#include "base/scan.h"
#include "security/login/digest_hash.h"
#include "security/gpl.h"
#include "security/uri.h"
#include "base/xml/sax.h"

#define ATTRS_MAX   8u
#define DEPTH_MAX   4u
#define URI_MAX_N   1024u
#define SA_OCTETS_N 48u /* SAID and K_s */
#define PEM_MAX_N   (2u * SEC_SECPROV_MAX_N)

enum element { NOTHING, OBJECT, CERTS, CERT, WHITE, BLACK, PPG, INITIATOR, ENABLER, KEYS, KEY, ALGS };

static const struct {
    const char *name;
    enum element is, in;
} grammar[] = {
    {"SecProv", OBJECT, NOTHING}, {"Certs", CERTS, OBJECT},        {"Cert", CERT, CERTS},
    {"WhiteList", WHITE, OBJECT}, {"BlackList", BLACK, OBJECT},    {"Ppg", PPG, WHITE},
    {"Ppg", PPG, BLACK},          {"Initiator", INITIATOR, WHITE}, {"Initiator", INITIATOR, BLACK},
    {"Enabler", ENABLER, WHITE},  {"Enabler", ENABLER, BLACK},     {"Keys", KEYS, OBJECT},
    {"Key", KEY, KEYS},           {"Algs", ALGS, OBJECT},
};

struct reader {
    struct sec_secprov *out;
    enum element open[DEPTH_MAX];
    size_t depth;
    unsigned seen;                      /* bit of each element: those of OBJECT stand once */
    struct slice id, use, alg, expires; /* of the Cert or Key that is open */
    struct buf text;                    /* in it */
    enum err err;
    const char *why;
};

/* The first one counts; what comes after it is not looked at, and there is little of it. */
static void refuse(struct reader *r, enum err e, const char *why)
{
    if (r->err)
        return;
    r->err = e;
    r->why = why;
}

/* --- values --- */

static bool is_number(struct slice text, uint64_t max, uint64_t *out)
{
    struct scan s = scan_of(text);
    uint64_t n = scan_u64(&s, 0, max);

    scan_end(&s);
    if (!s.err)
        *out = n;
    return !s.err;
}

/* "2027-01-31T00:00:00Z" */
static bool is_time(struct slice text, int64_t *out)
{
    char copy[32];
    struct tm tm = {.tm_year = 0};
    const char *end;

    if (mem_cstr(copy, sizeof copy, text))
        return false;
    end = strptime(copy, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (!end || *end)
        return false;
    *out = timegm(&tm);
    return true;
}

static bool is_suite(struct slice name, uint8_t *out)
{
    for (unsigned octet = 0; octet <= UINT8_MAX; octet++)
        if (sec_gpl_suite_known((uint8_t)octet) &&
            slice_eq(name, slice_str(sec_gpl_suite_name((uint8_t)octet)))) {
            *out = (uint8_t)octet;
            return true;
        }
    return false;
}

static bool take_suites(struct slice names, struct sec_secprov_sa *sa)
{
    bool more = true;

    while (more) {
        struct slice name;

        more = slice_cut(names, ' ', &name, &names);
        if (sa->suites_n == SEC_SECPROV_SUITES || !is_suite(name, &sa->suites[sa->suites_n]) ||
            memchr(sa->suites, sa->suites[sa->suites_n], sa->suites_n))
            return false;
        sa->suites_n++;
    }
    return true;
}

/* --- certificates and keys --- */

static void add_pem(struct reader *r, struct buf *to, const char *what, struct slice der)
{
    buf_addf(to, "-----BEGIN %s-----\n", what);
    codec_base64(to, der);
    buf_addf(to, "\n-----END %s-----\n", what);
    if (buf_err(to))
        refuse(r, buf_err(to), "too large");
}

static void end_cert(struct reader *r, struct slice der)
{
    if (slice_eq(r->use, SLICE("ca")))
        add_pem(r, &r->out->ca_pem, "CERTIFICATE", der);
    else if (slice_eq(r->use, SLICE("client")))
        add_pem(r, &r->out->chain_pem, "CERTIFICATE", der);
    else
        refuse(r, ERR_MALFORMED, "purpose is ca or client");
}

static void end_client_key(struct reader *r, struct slice der)
{
    if (!slice_eq(r->alg, SLICE("pkcs8")) || r->expires.n)
        refuse(r, ERR_MALFORMED, "a client's key is pkcs8, without an end");
    else if (r->out->key_pem.n)
        refuse(r, ERR_MALFORMED, "more than one client's key");
    else
        add_pem(r, &r->out->key_pem, "PRIVATE KEY", der);
}

static bool sa_known(const struct sec_secprov *p, struct slice said)
{
    for (size_t i = 0; i < p->sas_n; i++)
        if (slice_eq(slice_of(p->sas[i].said, sizeof p->sas[i].said), said))
            return true;
    return false;
}

static void end_association(struct reader *r, struct slice octets)
{
    struct sec_secprov_sa sa = {.id = r->id, .expires_s = INT64_MAX};
    struct slice said = slice_sub(octets, 0, sizeof sa.said);

    sec_secret_init(&sa.key);
    if (octets.n != SA_OCTETS_N || !take_suites(r->alg, &sa))
        refuse(r, ERR_MALFORMED, "an association is 48 octets, with the names of its suites");
    else if (r->expires.n && !is_time(r->expires, &sa.expires_s))
        refuse(r, ERR_MALFORMED, "expires is like 2027-01-31T00:00:00Z");
    else if (r->out->sas_n == SEC_SECPROV_ITEMS_MAX || sa_known(r->out, said))
        refuse(r, ERR_MALFORMED, "an association twice, or more than 64");
    else if (!sec_secret_set(&sa.key, slice_sub(octets, sizeof sa.said, octets.n))) {
        mem_copy(sa.said, sizeof sa.said, said);
        r->out->sas[r->out->sas_n++] = sa;
    }
    sec_secret_clear(&sa.key);
}

static void end_key(struct reader *r, struct slice octets)
{
    if (slice_eq(r->use, SLICE("client")))
        end_client_key(r, octets);
    else if (slice_eq(r->use, SLICE("association")))
        end_association(r, octets);
    else
        refuse(r, ERR_MALFORMED, "use is association or client");
}

/* --- elements --- */

/* The attribute's value, of the section's memory; more than `max` octets: refused. */
static struct slice value_of(struct reader *r, const xmlChar **a, size_t max)
{
    struct slice in = slice_of(a[3], (size_t)(a[4] - a[3])), kept = SLICE_NONE;

    if (in.n > max)
        refuse(r, ERR_LIMIT, "an attribute is too long");
    else if (arena_dup(&r->out->mem, in, &kept))
        refuse(r, ERR_NOMEM, "out of memory");
    return kept;
}

/* *into for each name that may stand; `must` of them, from the first, have to. */
static void take_attributes(struct reader *r, const xmlChar **a, int n, const char *const *names,
                            struct slice *const *into, size_t known, size_t must)
{
    for (size_t i = 0; i < known; i++)
        *into[i] = SLICE_NONE;
    for (int i = 0; i < n && !r->err; i++, a += 5) {
        size_t k = 0;

        while (k < known && (a[1] || !slice_eq(slice_str((const char *)a[0]), slice_str(names[k]))))
            k++;
        if (k == known)
            refuse(r, ERR_MALFORMED, "an attribute that is not known");
        else
            *into[k] = value_of(r, a, URI_MAX_N);
    }
    for (size_t i = 0; i < must; i++)
        if (into[i]->n == 0)
            refuse(r, ERR_MALFORMED, "an attribute is missing or empty");
}

static void start_object(struct reader *r, const xmlChar **a, int n)
{
    struct slice version, ttl;
    uint64_t s = 0;

    take_attributes(r, a, n, (const char *const[]){"version", "ttl"}, (struct slice *const[]){&version, &ttl},
                    2, 1);
    if (!r->err && (!is_number(version, INT64_MAX, &r->out->version) || r->out->version == 0 ||
                    (ttl.n && !is_number(ttl, UINT32_MAX, &s))))
        refuse(r, ERR_MALFORMED, "version counts from 1, ttl in seconds");
    r->out->ttl_s = (int64_t)s;
}

static void start_uri(struct reader *r, enum element is, const xmlChar **a, int n)
{
    struct sec_secprov_list *list = r->open[r->depth - 1] == WHITE ? &r->out->white : &r->out->black;
    bool initiator = is == INITIATOR;
    size_t *count = initiator ? &list->initiators_n : &list->servers_n;
    struct slice uri;

    take_attributes(r, a, n, (const char *const[]){"uri"}, (struct slice *const[]){&uri}, 1, 1);
    if (r->err)
        return;
    if (*count == SEC_SECPROV_ITEMS_MAX)
        refuse(r, ERR_LIMIT, "more than 64 of a kind in a list");
    else if (initiator && sec_uri_pattern_check(uri))
        refuse(r, ERR_MALFORMED, "an initiator is an absolute URI that may end in a star");
    else
        (initiator ? list->initiators : list->servers)[(*count)++] = uri;
}

static void start_algs(struct reader *r, const xmlChar **a, int n)
{
    struct slice min;

    take_attributes(r, a, n, (const char *const[]){"min"}, (struct slice *const[]){&min}, 1, 1);
    if (slice_eq(min, SLICE("full")))
        r->out->floor = SEC_LEVEL_FULL;
    else if (slice_eq(min, SLICE("integrity")))
        r->out->floor = SEC_LEVEL_INTEGRITY;
    else if (!slice_eq(min, SLICE("none")))
        refuse(r, ERR_MALFORMED, "min is none, integrity or full");
}

static void start(struct reader *r, enum element is, const xmlChar **a, int n)
{
    static const char *const cert[] = {"id", "purpose"}, *const key[] = {"id", "use", "alg", "expires"};
    struct slice *const into[] = {&r->id, &r->use, &r->alg, &r->expires};

    buf_reset(&r->text, SEC_SECPROV_MAX_N);
    if (is == OBJECT)
        start_object(r, a, n);
    else if (is == PPG || is == ENABLER || is == INITIATOR)
        start_uri(r, is, a, n);
    else if (is == ALGS)
        start_algs(r, a, n);
    else if (is == CERT)
        take_attributes(r, a, n, cert, into, 2, 2);
    else if (is == KEY)
        take_attributes(r, a, n, key, into, 4, 3);
    else
        take_attributes(r, a, n, NULL, NULL, 0, 0);
}

static enum element find(enum element in, struct slice name)
{
    for (size_t i = 0; i < sizeof grammar / sizeof grammar[0]; i++)
        if (grammar[i].in == in && slice_eq(name, slice_str(grammar[i].name)))
            return grammar[i].is;
    return NOTHING;
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *space,
                     int spaces_n, const xmlChar **spaces, int n, int defaulted, const xmlChar **attributes)
{
    struct reader *r = arg;
    enum element in = r->depth ? r->open[r->depth - 1] : NOTHING;
    enum element is = find(in, slice_str((const char *)name));

    (void)spaces;
    (void)defaulted;
    if (r->err)
        return;
    if (is == NOTHING || prefix || space || spaces_n || r->depth == DEPTH_MAX)
        refuse(r, ERR_MALFORMED, "an element that is not known there");
    else if ((in == OBJECT || in == NOTHING) && r->seen >> is & 1)
        refuse(r, ERR_MALFORMED, "a section twice");
    if (r->err)
        return;
    start(r, is, attributes, n);
    r->seen |= 1u << is;
    r->open[r->depth++] = is;
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *space)
{
    struct reader *r = arg;
    enum element is;
    struct buf octets;

    (void)name;
    (void)prefix;
    (void)space;
    if (r->err)
        return;
    is = r->open[--r->depth];
    if (is != CERT && is != KEY)
        return;
    buf_init(&octets, SEC_SECPROV_MAX_N);
    if (codec_unbase64(buf_slice(&r->text), true, &octets) || octets.n == 0)
        refuse(r, ERR_MALFORMED, "no base64 in a Cert or Key");
    else if (is == CERT)
        end_cert(r, buf_slice(&octets));
    else
        end_key(r, buf_slice(&octets));
    buf_wipe(&octets);
}

static void on_text(void *arg, const xmlChar *text, int n)
{
    struct reader *r = arg;
    enum element is = r->depth ? r->open[r->depth - 1] : NOTHING;
    struct slice s = slice_of(text, (size_t)n);

    if (r->err)
        return;
    if (is == CERT || is == KEY) {
        buf_add(&r->text, s);
        return;
    }
    for (size_t i = 0; i < s.n; i++)
        if (!memchr(" \t\r\n", s.p[i], 4))
            refuse(r, ERR_MALFORMED, "text where there is none");
}

/* --- the whole --- */

/* Nothing but elements, text and a declaration; few attributes, as libxml2 compares each with all of its tag. */
static bool is_plain(struct slice xml)
{
    size_t equals = 0;

    for (size_t i = 0; i < xml.n; i++) {
        char next = i + 1 < xml.n ? xml.p[i + 1] : '\0';

        if (xml.p[i] == '<' && (next == '!' || (next == '?' && i > 0)))
            return false;
        equals = xml.p[i] == '<' ? 0 : equals + (xml.p[i] == '=');
        if (xml.p[i] == '>')
            equals = 0;
        if (equals > ATTRS_MAX)
            return false;
    }
    return xml.n > 0 && codec_is_utf8(xml) && !memchr(xml.p, '\0', xml.n);
}

static void run(struct reader *r, struct slice xml)
{
    const xmlSAXHandler sax = {.startElementNs = on_start,
                               .endElementNs = on_end,
                               .characters = on_text,
                               .ignorableWhitespace = on_text};
    enum err e = xml_sax_run(&sax, r, xml, NULL);

    if (e)
        refuse(r, e, e == ERR_NOMEM ? "out of memory" : "not well-formed XML");
}

static void init(struct sec_secprov *p)
{
    *p = (struct sec_secprov){.floor = SEC_LEVEL_NONE};
    arena_init(&p->mem, 1024, 2 * SEC_SECPROV_MAX_N);
    buf_init(&p->ca_pem, PEM_MAX_N);
    buf_init(&p->chain_pem, PEM_MAX_N);
    buf_init(&p->key_pem, PEM_MAX_N);
}

void sec_secprov_clear(struct sec_secprov *p)
{
    for (size_t i = 0; i < p->sas_n; i++)
        sec_secret_clear(&p->sas[i].key);
    buf_clear(&p->ca_pem);
    buf_clear(&p->chain_pem);
    buf_wipe(&p->key_pem);
    arena_clear(&p->mem);
}

static void hash_it(struct reader *r, struct slice xml)
{
    struct sec_digest_hex hex;
    enum err e = sec_digest_hash(SEC_DIGEST_SHA256, &xml, 1, &hex);

    if (!e)
        e = mem_cstr(r->out->hash, sizeof r->out->hash, slice_of(hex.p, hex.n));
    if (e)
        refuse(r, e, "out of memory");
}

enum err sec_secprov_parse(struct slice xml, struct sec_secprov *out, const char **why)
{
    struct reader r = {.out = out};

    *why = "larger than 64 KiB";
    if (xml.n > SEC_SECPROV_MAX_N)
        return ERR_LIMIT;
    *why = "more than elements and text in UTF-8";
    if (!is_plain(xml))
        return ERR_MALFORMED;
    init(out);
    buf_init(&r.text, SEC_SECPROV_MAX_N);
    run(&r, xml);
    if (!r.err && !out->chain_pem.n != !out->key_pem.n)
        refuse(&r, ERR_MALFORMED, "a client's certificate and its key go together");
    if (!r.err)
        hash_it(&r, xml);
    buf_wipe(&r.text);
    if (r.err)
        sec_secprov_clear(out);
    *why = r.why;
    return r.err;
}
