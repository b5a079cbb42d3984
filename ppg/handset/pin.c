/* Asking for a PIN; see pin.h. */
#include "ppg/handset/pin.h"

#include "base/mem.h"

#define PIN_MIN_N 4
#define LINE_N    256

static struct slice first_line(struct slice text)
{
    return slice_trim(slice_sub(text, 0, slice_find(text, '\n')));
}

enum err tool_pin_read(const char *path, struct tool_pin *out, char why[TOOL_WHY_N])
{
    struct slice pin;
    struct buf text;
    enum err e;

    buf_init(&text, LINE_N);
    (void)buf_room(&text, LINE_N); /* growth would leave copies behind */
    e = tool_read(path, &text);
    pin = first_line(buf_slice(&text));
    if (!e && pin.n < PIN_MIN_N)
        e = ERR_MALFORMED;
    if (!e)
        e = sec_secret_set(&out->pin, pin);
    buf_wipe(&text);
    if (e)
        (void)snprintf(why, TOOL_WHY_N, "%.120s: no PIN of 4 octets or more: %s", path, err_text(e));
    return e;
}

void tool_pin_clear(struct tool_pin *p)
{
    sec_secret_clear(&p->pin);
}

bool tool_pin_ask(const struct kit_push *push, void *arg)
{
    struct tool_pin *p = arg;
    char line[LINE_N] = "";
    bool good;

    if (!p->pin.n || p->wrong >= TOOL_PIN_TRIES)
        return false;
    (void)fprintf(stderr, "PIN to open a push for ");
    tool_print(stderr, push->app_id);
    (void)fprintf(stderr, ": ");
    good = fgets(line, sizeof line, stdin) != NULL &&
           slice_eq_ct(first_line(slice_str(line)), sec_secret_slice(&p->pin));
    mem_wipe(line, sizeof line);
    p->wrong = good ? 0 : p->wrong + 1;
    return good;
}
