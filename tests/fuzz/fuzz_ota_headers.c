/* Push header lines as an initiator may send them: reading, the rules, printing for the air, application ids. */
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
    (void)ota_sa_answer_parse(in);
    (void)ota_header_find(in, SLICE("Content-Type"));
    if (ota_app_id_parse(in, &uri, &number) == ERR_OK && (uri.n > 255 || number < -1 || number > 65535))
        abort();
    return 0;
}
