/* UTC timestamps, see pap/time.h.  Proleptic Gregorian arithmetic on integers; no libc time function, whose
 * habit of moving impossible dates is just what must not happen here.  Any thread. */
#include "pap/time.h"

#include "base/scan.h"

#define DAY_S 86400

static bool is_leap(uint32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint32_t days_in(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

/* Days from 1970-01-01 to the first of January of `year`. */
static int64_t days_before(uint32_t year)
{
    int64_t y = (int64_t)year - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static uint32_t field(struct scan *s, size_t digits, uint32_t min, uint32_t max)
{
    uint32_t v = scan_digits(s, digits);

    if (v < min || v > max)
        scan_fail(s, ERR_MALFORMED);
    return v;
}

/* [ "." 1*9DIGIT ], dropped. */
static void fraction(struct scan *s)
{
    size_t n = 0;

    if (!scan_skip_ch(s, '.'))
        return;
    for (; scan_peek(s) >= '0' && scan_peek(s) <= '9'; n++)
        (void)scan_digits(s, 1);
    if (n < 1 || n > 9)
        scan_fail(s, ERR_MALFORMED);
}

/* date "T" time ("Z" / "z"); seconds 00 to 59, no leap second: PAP knows none. */
enum err pap_time_parse(struct slice in, bool strict, int64_t *utc_s)
{
    struct scan s = scan_of(in);
    uint32_t year, month, day, hour, minute, second;
    int64_t days;

    year = field(&s, 4, 1970, 9999);
    scan_ch(&s, '-');
    month = field(&s, 2, 1, 12);
    scan_ch(&s, '-');
    day = field(&s, 2, 1, 31);
    scan_ch(&s, 'T');
    hour = field(&s, 2, 0, 23);
    scan_ch(&s, ':');
    minute = field(&s, 2, 0, 59);
    scan_ch(&s, ':');
    second = field(&s, 2, 0, 59);
    if (!strict)
        fraction(&s);
    if (!scan_skip_ch(&s, 'z'))
        scan_ch(&s, 'Z');
    scan_end(&s);
    if (s.err || day > days_in(year, month))
        return ERR_MALFORMED;

    days = days_before(year) + day - 1;
    for (uint32_t m = 1; m < month; m++)
        days += days_in(year, m);
    *utc_s = days * DAY_S + (int64_t)(hour * 3600 + minute * 60 + second);
    return ERR_OK;
}

static void put_digits(char *text, size_t at, size_t n, uint32_t v)
{
    for (; n-- > 0; v /= 10)
        text[at + n] = (char)('0' + v % 10);
}

enum err pap_time_print(int64_t utc_s, struct buf *out)
{
    char text[] = "0000-00-00T00:00:00Z";
    uint32_t year, month = 1, second;
    int64_t days;

    if (utc_s < 0 || utc_s > PAP_TIME_MAX_S)
        return ERR_LIMIT;
    days = utc_s / DAY_S;
    second = (uint32_t)(utc_s % DAY_S);
    year = (uint32_t)(1970 + days / 366); /* never past the right year, and near it */
    while (days_before(year + 1) <= days)
        year++;
    days -= days_before(year);
    while (days >= days_in(year, month))
        days -= days_in(year, month++);
    put_digits(text, 0, 4, year);
    put_digits(text, 5, 2, month);
    put_digits(text, 8, 2, (uint32_t)days + 1);
    put_digits(text, 11, 2, second / 3600);
    put_digits(text, 14, 2, second / 60 % 60);
    put_digits(text, 17, 2, second % 60);
    buf_add(out, slice_of(text, sizeof text - 1));
    return buf_err(out);
}
