/* Hours of the day; see hours.h.  Any thread. */
#include "security/rules/hours.h"

#include "base/scan.h"

#define HOUR_MIN 60
#define DAY_MIN  1440

/* time-hour ":" time-minute of RFC 3339 §5.6; "24:00" only where the end of the day may stand. */
static int16_t clock_time(struct scan *s, int most)
{
    int at = (int)scan_digits(s, 2) * HOUR_MIN;
    int minute;

    scan_ch(s, ':');
    minute = (int)scan_digits(s, 2);
    if (minute >= HOUR_MIN || at + minute > most)
        scan_fail(s, ERR_MALFORMED);
    return (int16_t)(at + minute);
}

/* [ "Z" / ( "+" / "-" ) time-hour ":" time-minute ] */
static int16_t offset(struct scan *s)
{
    bool west = scan_peek(s) == '-';
    int16_t at;

    if (scan_done(s) || scan_skip_ch(s, 'Z'))
        return 0;
    if (!west && scan_peek(s) != '+')
        scan_fail(s, ERR_MALFORMED);
    (void)scan_skip_ch(s, west ? '-' : '+');
    at = clock_time(s, DAY_MIN - 1);
    return (int16_t)(west ? -at : at);
}

enum err sec_hours_parse(struct slice in, struct sec_hours *out)
{
    struct scan s = scan_of(in);
    struct sec_hours v = {.given = true};

    v.from = clock_time(&s, DAY_MIN - 1);
    scan_ch(&s, '-');
    v.to = clock_time(&s, DAY_MIN);
    v.east = offset(&s);
    scan_end(&s);
    if (s.err || v.to == 0 || v.from == v.to)
        return ERR_MALFORMED; /* "x-00:00" is written "x-24:00" */
    *out = v;
    return ERR_OK;
}

bool sec_hours_has(const struct sec_hours *h, int64_t utc_s)
{
    int64_t minute;

    if (!h->given)
        return true;
    minute = (utc_s / 60 + h->east) % DAY_MIN;
    if (minute < 0)
        minute += DAY_MIN;
    return h->from < h->to ? minute >= h->from && minute < h->to : minute >= h->from || minute < h->to;
}
