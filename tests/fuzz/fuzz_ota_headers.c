/* Push header lines as an initiator may send them: reading, the rules, printing for the air, application ids; what
 * terminals say of associations. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "ota/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Nothing that only the gateway may say comes through, and what is printed can be read. */
static void check_printed(struct slice printed)
{
    struct slice name, value;
    bool bad = false;
    size_t info = 0;

    while (ota_header_next(&printed, &name, &value, &bad))
        info += slice_eq_ci(name, SLICE("X-Wap-Push-Info"));
    if (bad || info)
        abort();
}

/* What a terminal says of an association reads back as it was understood. */
static void sa_answer(struct slice in)
{
    struct ota_sa_answer a = ota_sa_answer_parse(in), b;
    struct buf out;

    if (a.word == OTA_SA_NOTHING)
        return;
    buf_init(&out, 1000);
    ota_sa_answer_print(&a, &out);
    b = ota_sa_answer_parse(buf_slice(&out));
    if (buf_err(&out) || b.word != a.word || b.uplink_n != a.uplink_n || a.uplink_n > sizeof a.uplink ||
        !slice_eq(slice_of(a.uplink, a.uplink_n), slice_of(b.uplink, b.uplink_n)))
        abort();
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n), uri;
    struct ota_message_head h = {.content_type = SLICE("a/b"), .passed = in};
    struct buf out;
    int32_t number;

    buf_init(&out, 1 << 20);
    ota_headers_print(&h, &out);
    if (!buf_err(&out))
        check_printed(buf_slice(&out));
    buf_clear(&out);
    (void)ota_push_info_parse(in);
    sa_answer(in);
    (void)ota_header_find(in, SLICE("Content-Type"));
    if (ota_app_id_parse(in, &uri, &number) == ERR_OK && (uri.n > 255 || number < -1 || number > 65535))
        abort();
    return 0;
}
