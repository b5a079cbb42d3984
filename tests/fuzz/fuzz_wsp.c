/* A datagram read as a push: what is taken is lines that can be read, and prints and reads as itself again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "ota/headers.h"
#include "ota/wsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Every line is a header, and the type stands first. */
static void check_lines(struct slice lines)
{
    struct slice name, value;
    bool bad = false;

    if (!slice_starts(lines, SLICE("Content-Type: ")))
        abort();
    while (ota_header_next(&lines, &name, &value, &bad))
        continue;
    if (bad)
        abort();
}

/* What others wrote in another form comes back in ours, which is stable. */
static void check_again(const struct ota_wsp_push *p)
{
    struct buf octets, text;
    struct ota_wsp_push again;

    buf_init(&octets, 1 << 20);
    buf_init(&text, 1 << 20);
    if (ota_wsp_push_print(p->tid, p->headers, p->content, &octets) == ERR_OK) {
        if (ota_wsp_push_parse(buf_slice(&octets), &text, &again) || again.tid != p->tid ||
            !slice_eq(again.content, p->content))
            abort();
    }
    buf_clear(&octets);
    buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ota_wsp_push p;
    struct buf text;

    buf_init(&text, 1 << 20);
    if (ota_wsp_push_parse(slice_of(data, n), &text, &p) == ERR_OK) {
        check_lines(p.headers);
        check_again(&p);
    }
    buf_clear(&text);
    return 0;
}
