/* struct pap_message to XML, see pap/print.h.  Walks the vocabulary tables; knows no element by name but pap.
 * Any thread. */
#include "pap/print.h"

#include "pap/time.h"
#include "pap/vocab.h"

/* Versions we parse and answer in, newest first; listed when a request asked for another one. */
#define SUPPORTED_VERSIONS "2.1,2.0,1.0"

static const char *const doctypes[PAP_VERSION_COUNT] = {
    [PAP_VERSION_1_0] = "\"-//WAPFORUM//DTD PAP 1.0//EN\" \"http://www.wapforum.org/DTD/pap_1.0.dtd\"",
    [PAP_VERSION_2_0] = "\"-//WAPFORUM//DTD PAP 2.0//EN\" \"http://www.wapforum.org/DTD/pap_2.0.dtd\"",
    [PAP_VERSION_2_1] =
        "\"-//WAPFORUM//DTD PAP 2.1//EN\" \"http://www.openmobilealliance.org/tech/DTD/pap_2.1.dtd\"",
};

struct printer {
    struct buf *out;
    enum pap_version version;
    enum err err; /* first mistake in the message itself */
};

/* Octets of the well-formed UTF-8 character at p, 0 when it is broken (RFC 3629 §4). */
static size_t utf8_n(const unsigned char *p, size_t left)
{
    size_t n = 0;

    if (p[0] < 0x80)
        n = 1;
    else if (p[0] >= 0xC2 && p[0] < 0xF5)
        n = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if (n > 2 && ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
                  (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F)))
        return 0;
    return n;
}

/* U+FFFE and U+FFFF are no XML characters (XML 1.0 §2.2). */
static bool is_noncharacter(const unsigned char *p, size_t n)
{
    return n == 3 && p[0] == 0xEF && p[1] == 0xBF && p[2] >= 0xBE;
}

/* What stands for one ASCII character in an attribute value: tab and line ends as references, or a parser would
 * turn them into spaces (XML 1.0 §3.3.3); NULL: itself; "": cannot be in XML (§2.2). */
static const char *ascii_escape(unsigned char ch)
{
    switch (ch) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return ch < 0x20 || ch == 0x7F ? "" : NULL;
    }
}

/* Octets at the front that go out as they are, as nearly all do: ASCII for which nothing else stands.  One bit an
 * octet, 32 octets a word. */
static size_t plain_n(struct slice s)
{
    static const uint32_t plain[8] = {
        0,                      /* controls */
        0xafffffbb,             /* not " & < > */
        0xffffffff, 0x7fffffff, /* not DEL */
    };
    size_t n = 0;

    while (n < s.n && plain[(unsigned char)s.p[n] / 32] >> ((unsigned char)s.p[n] % 32) & 1)
        n++;
    return n;
}

static void escaped(struct buf *out, struct slice s)
{
    size_t run = 0; /* start of the octets that go out as they are */
    size_t i = 0;

    while ((i += plain_n(slice_sub(s, i, s.n))) < s.n) {
        const unsigned char *p = (const unsigned char *)s.p + i;
        size_t n = utf8_n(p, s.n - i);
        const char *instead = n == 1 ? ascii_escape(*p) : n == 0 ? "\xEF\xBF\xBD" : NULL;

        if (n > 1 && is_noncharacter(p, n))
            instead = "";
        if (instead) {
            buf_add(out, slice_sub(s, run, i - run));
            buf_add_str(out, instead);
            run = i + (n ? n : 1);
        }
        i += n ? n : 1;
    }
    buf_add(out, slice_sub(s, run, s.n - run));
}

static void attr_open(struct printer *pr, const struct pap_attr *a)
{
    buf_add_ch(pr->out, ' ');
    buf_add_str(pr->out, a->name);
    buf_add(pr->out, SLICE("=\""));
}

static void print_text(struct printer *pr, const struct pap_attr *a, struct slice s)
{
    bool required = a->required || (a->required_1_0 && pr->version == PAP_VERSION_1_0);

    if (!s.p && !required)
        return;
    attr_open(pr, a);
    escaped(pr->out, s);
    buf_add_ch(pr->out, '"');
}

static void print_time(struct printer *pr, const struct pap_attr *a, const struct pap_time *t)
{
    enum err e;

    if (!t->given)
        return;
    attr_open(pr, a);
    e = pap_time_print(t->utc_s, pr->out);
    if (e && !pr->err)
        pr->err = e == ERR_LIMIT && !buf_err(pr->out) ? ERR_MALFORMED : e;
    buf_add_ch(pr->out, '"');
}

static void print_code(struct printer *pr, const struct pap_attr *a, enum pap_code code)
{
    if (code == PAP_CODE_NONE && !a->required)
        return;
    if (pap_code_class(code) == PAP_CODE_NONE)
        pr->err = ERR_MALFORMED;
    attr_open(pr, a);
    buf_add_u64(pr->out, (uint64_t)code);
    buf_add_ch(pr->out, '"');
}

/* Zero is the default, or not given. */
static void print_word(struct printer *pr, const struct pap_attr *a, unsigned value)
{
    const char *const *words = pap_attr_words(a->type);
    unsigned n = 0;

    while (words[n])
        n++;
    if (value >= n || (value == 0 && a->required)) {
        pr->err = ERR_MALFORMED;
        return;
    }
    if (value == 0)
        return;
    attr_open(pr, a);
    buf_add_str(pr->out, words[value]);
    buf_add_ch(pr->out, '"');
}

static void print_attr(struct printer *pr, const struct pap_attr *a, const void *body)
{
    const void *at = (const char *)body + a->at;

    switch (a->type) {
    case PAP_ATTR_TEXT:
    case PAP_ATTR_URL:
        print_text(pr, a, *(const struct slice *)at);
        break;
    case PAP_ATTR_TIME:
        print_time(pr, a, at);
        break;
    case PAP_ATTR_BOOL:
        if (*(const bool *)at)
            print_text(pr, a, SLICE("true"));
        break;
    case PAP_ATTR_CODE:
        print_code(pr, a, *(const enum pap_code *)at);
        break;
    case PAP_ATTR_STATE:
    case PAP_ATTR_PRIORITY:
    case PAP_ATTR_DELIVERY:
    case PAP_ATTR_REPLACE:
        print_word(pr, a, *(const unsigned *)at);
        break;
    }
}

static void print_element(struct printer *pr, enum pap_elem elem, const void *body);

/* Every child of one kind; returns how many there were. */
static size_t print_child(struct printer *pr, const struct pap_child *c, const void *body)
{
    const void *at = (const char *)body + c->at;
    const struct pap_addrs *addrs = at;
    const struct pap_notes *notes = at;
    const struct pap_results *results = at;
    size_t n = 1;

    switch (c->elem) {
    case PAP_ELEM_ADDRESS:
        for (n = 0; n < addrs->n; n++)
            print_element(pr, c->elem, &addrs->v[n]);
        break;
    case PAP_ELEM_NOTE:
        for (n = 0; n < notes->n; n++)
            print_element(pr, c->elem, &notes->v[n]);
        break;
    case PAP_ELEM_CANCEL_RESULT:
    case PAP_ELEM_STATUS_RESULT:
        for (n = 0; n < results->n; n++)
            print_element(pr, c->elem, &results->v[n]);
        break;
    case PAP_ELEM_QOS:
        if (!((const struct pap_qos *)at)->given)
            return 0;
        print_element(pr, c->elem, at);
        break;
    default:
        print_element(pr, c->elem, at);
        break;
    }
    return n;
}

/* Depth is that of the tables: message, result, address. */
static void print_element(struct printer *pr, enum pap_elem elem, const void *body)
{
    const struct pap_element *e = &pap_elements[elem];

    buf_add_ch(pr->out, '<');
    buf_add_str(pr->out, e->name);
    for (size_t i = 0; i < e->attrs_n; i++)
        print_attr(pr, &e->attrs[i], body);
    if (e->children_n == 0) {
        buf_add(pr->out, SLICE("/>\n"));
        return;
    }
    buf_add(pr->out, SLICE(">\n"));
    for (size_t i = 0; i < e->children_n; i++) {
        size_t n = print_child(pr, &e->children[i], body);

        if ((n == 0 && e->children[i].required) || (n > 1 && !e->children[i].many))
            pr->err = ERR_MALFORMED;
    }
    buf_add(pr->out, SLICE("</"));
    buf_add_str(pr->out, e->name);
    buf_add(pr->out, SLICE(">\n"));
}

enum pap_version pap_answer_version(enum pap_version request)
{
    switch (request) {
    case PAP_VERSION_1_0:
    case PAP_VERSION_2_1:
        return request;
    case PAP_VERSION_2_2:
    case PAP_VERSION_2_3:
        return PAP_VERSION_2_1;
    default:
        return PAP_VERSION_2_0;
    }
}

enum err pap_print(const struct pap_message *m, struct buf *out)
{
    struct printer pr = {out, pap_answer_version(m->version), ERR_OK};

    if (m->kind == PAP_KIND_NONE || m->kind >= PAP_KIND_COUNT)
        return ERR_MALFORMED;
    buf_add(out, SLICE("<?xml version=\"1.0\"?>\n<!DOCTYPE pap PUBLIC "));
    buf_add_str(out, doctypes[pr.version]);
    if (m->kind == PAP_KIND_BADMESSAGE_RESPONSE && m->bad.code == PAP_CODE_VERSION_NOT_SUPPORTED)
        buf_add(out, SLICE(" [<?wap-pap-ver supported-versions=\"" SUPPORTED_VERSIONS "\"?>]"));
    buf_add(out, SLICE(">\n<pap"));
    print_attr(&pr, &pap_elements[PAP_ELEM_PAP].attrs[0], m);
    buf_add(out, SLICE(">\n"));
    print_element(&pr, (enum pap_elem)m->kind, &m->push); /* every member of the union starts here */
    buf_add(out, SLICE("</pap>\n"));
    return buf_err(out) ? buf_err(out) : pr.err;
}
