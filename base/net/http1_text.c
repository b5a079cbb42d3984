/* Looking at the fields of a message that was read, and printing start lines and fields.  What is printed here
 * can never hold a line break that the caller did not mean: such input sticks as ERR_MALFORMED in the buffer, so
 * a peer's text cannot become a field of ours.  RFC 9110 §5, §5.6.7; RFC 9112 §3, §4.  Thread-free. */
#include "base/net/http1.h"

#include "base/scan.h"

struct slice net_http_header(const struct net_http_msg *m, struct slice name, size_t *n)
{
    struct slice first = SLICE_NONE;
    size_t found = 0;

    for (size_t i = 0; i < m->headers_n; i++)
        if (slice_eq_ci(m->headers[i].name, name) && found++ == 0)
            first = m->headers[i].value;
    if (n)
        *n = found;
    return first;
}

bool net_http_has_token(const struct net_http_msg *m, struct slice name, struct slice token)
{
    struct slice list;
    struct slice item;

    for (size_t i = 0; i < m->headers_n; i++) {
        if (!slice_eq_ci(m->headers[i].name, name))
            continue;
        list = m->headers[i].value;
        while (slice_item(&list, &item))
            if (slice_eq_ci(item, token))
                return true;
    }
    return false;
}

static void refuse(struct buf *out)
{
    if (!out->err)
        out->err = ERR_MALFORMED;
}

static bool is_token(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!scan_is_token_ch((unsigned char)s.p[i]))
            return false;
    return s.n > 0;
}

/* Neither CR, LF nor NUL (RFC 9110 §5.5). */
static bool is_one_line(struct slice s)
{
    return slice_find(s, '\r') == SIZE_MAX && slice_find(s, '\n') == SIZE_MAX &&
           slice_find(s, '\0') == SIZE_MAX;
}

static bool is_target(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    return s.n > 0;
}

void net_http_print_status(struct buf *out, unsigned status)
{
    if (status < 100 || status > 599) {
        refuse(out);
        return;
    }
    buf_add(out, SLICE("HTTP/1.1 "));
    buf_add_u64(out, status);
    buf_add_ch(out, ' ');
    buf_add_str(out, net_http_reason(status));
    buf_add(out, SLICE("\r\n"));
}

void net_http_print_request(struct buf *out, struct slice method, struct slice target)
{
    if (!is_token(method) || !is_target(target)) {
        refuse(out);
        return;
    }
    buf_add(out, method);
    buf_add_ch(out, ' ');
    buf_add(out, target);
    buf_add(out, SLICE(" HTTP/1.1\r\n"));
}

void net_http_print_header(struct buf *out, struct slice name, struct slice value)
{
    if (!is_token(name) || !is_one_line(value)) {
        refuse(out);
        return;
    }
    buf_add(out, name);
    buf_add(out, SLICE(": "));
    buf_add(out, value);
    buf_add(out, SLICE("\r\n"));
}

struct civil {
    int64_t year;
    int64_t month; /* 1..12 */
    int64_t day;   /* 1..31 */
};

/* Days since 1970-01-01 to a date of the Gregorian calendar, for days that fall in the years 0000 to 9999.  Years
 * are counted from March, so that the leap day is the last of its year. */
static struct civil civil_of(int64_t days)
{
    int64_t z = days + 719468; /* days since 0000-03-01 */
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t in_era = z - era * 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t march = (5 * in_year + 2) / 153; /* months since March */
    struct civil c = {.year = year + era * 400, .month = march < 10 ? march + 3 : march - 9};

    c.day = in_year - (153 * march + 2) / 5 + 1;
    c.year += c.month <= 2;
    return c;
}

#define DAYS   "ThuFriSatSunMonTueWed" /* from 1970-01-01 on */
#define MONTHS "JanFebMarAprMayJunJulAugSepOctNovDec"

/* Two digits. */
static char *put2(char *p, int64_t v)
{
    *p++ = (char)('0' + v / 10 % 10);
    *p++ = (char)('0' + v % 10);
    return p;
}

static char *put3(char *p, const char *names, int64_t i)
{
    for (int64_t k = 0; k < 3; k++)
        *p++ = names[3 * i + k];
    return p;
}

/* IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7) */
void net_http_print_date_value(struct buf *out, int64_t utc_s)
{
    const int64_t first = -62167219200, last = 253402300799; /* years 0000 to 9999 */
    char text[25];
    char *p = text;
    int64_t days, s;
    struct civil c;

    if (utc_s < first || utc_s > last) {
        refuse(out);
        return;
    }
    days = (utc_s - first) / 86400 + first / 86400;
    s = utc_s - days * 86400;
    c = civil_of(days);
    p = put3(p, DAYS, (days - first / 86400 + 2) % 7);
    *p++ = ',';
    *p++ = ' ';
    p = put2(p, c.day);
    *p++ = ' ';
    p = put3(p, MONTHS, c.month - 1);
    *p++ = ' ';
    p = put2(put2(p, c.year / 100), c.year);
    *p++ = ' ';
    p = put2(p, s / 3600);
    *p++ = ':';
    p = put2(p, s / 60 % 60);
    *p++ = ':';
    p = put2(p, s % 60);
    buf_add(out, slice_of(text, (size_t)(p - text)));
    buf_add(out, SLICE(" GMT"));
}

void net_http_print_date(struct buf *out, int64_t utc_s)
{
    size_t before = out->n;

    buf_add(out, SLICE("Date: "));
    net_http_print_date_value(out, utc_s);
    buf_add(out, SLICE("\r\n"));
    if (buf_err(out))
        buf_cut(out, before);
}

/* The inverse of civil_of(), for dates of the years 0000 to 9999. */
static int64_t days_of(const struct civil *c)
{
    int64_t year = c->year - (c->month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t in_era = year - era * 400;
    int64_t in_year = (153 * (c->month + (c->month > 2 ? -3 : 9)) + 2) / 5 + c->day - 1;

    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

/* The place of a three-letter name in `names`, or -1. */
static int64_t name_at(struct slice in, const char *names)
{
    for (size_t i = 0; names[i]; i += 3)
        if (slice_eq(in, slice_of(names + i, 3)))
            return (int64_t)(i / 3);
    return -1;
}

/* n digits at the front of *in; sets *good to false when they are none or too great. */
static int64_t digits(struct slice *in, size_t n, int64_t max, bool *good)
{
    int64_t v = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned d = i < in->n ? (unsigned)(unsigned char)in->p[i] - '0' : 10;

        *good = *good && d < 10;
        v = v * 10 + (int64_t)(d % 10);
    }
    *good = *good && v <= max;
    *in = slice_sub(*in, n, in->n);
    return v;
}

static void literal(struct slice *in, struct slice want, bool *good)
{
    *good = *good && slice_starts(*in, want);
    *in = slice_sub(*in, want.n, in->n);
}

/* day-name "," SP 2DIGIT SP month SP 4DIGIT SP 2DIGIT ":" 2DIGIT ":" 2DIGIT SP "GMT" (RFC 9110 §5.6.7) */
enum err net_http_date_parse(struct slice in, int64_t *utc_s)
{
    struct civil c, again;
    int64_t hour, minute, second, days;
    bool good = in.n == 29 && name_at(slice_sub(in, 0, 3), DAYS) >= 0;

    in = slice_sub(in, 3, in.n);
    literal(&in, SLICE(", "), &good);
    c.day = digits(&in, 2, 31, &good);
    literal(&in, SLICE(" "), &good);
    c.month = name_at(slice_sub(in, 0, 3), MONTHS) + 1;
    in = slice_sub(in, 3, in.n);
    literal(&in, SLICE(" "), &good);
    c.year = digits(&in, 4, 9999, &good);
    literal(&in, SLICE(" "), &good);
    hour = digits(&in, 2, 23, &good);
    literal(&in, SLICE(":"), &good);
    minute = digits(&in, 2, 59, &good);
    literal(&in, SLICE(":"), &good);
    second = digits(&in, 2, 60, &good);
    literal(&in, SLICE(" GMT"), &good);
    if (!good || !c.month || !c.day)
        return ERR_MALFORMED;
    days = days_of(&c);
    again = civil_of(days);
    if (again.day != c.day) /* no such day in this month */
        return ERR_MALFORMED;
    *utc_s = days * 86400 + hour * 3600 + minute * 60 + second;
    return ERR_OK;
}

int64_t net_http_retry_after_s(const struct net_http_msg *m, int64_t now_s)
{
    struct slice value = net_http_header(m, SLICE("Retry-After"), NULL);
    struct scan s = scan_of(value);
    int64_t seconds = (int64_t)scan_u64(&s, 0, UINT32_MAX);
    int64_t at_s;

    scan_end(&s);
    if (!s.err)
        return seconds;
    return !net_http_date_parse(value, &at_s) && at_s > now_s ? at_s - now_s : 0;
}
