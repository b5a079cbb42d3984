/* A terminal's answers: HTTP framing, the registration answer and its capabilities, the push status, a challenge. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "ota/answer.h"
#include "ota/cpi.h"
#include "ota/login.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_login(const struct net_http_msg *m)
{
    const struct ota_login login = {SLICE("gw"), SLICE("secret")};
    const struct sec_digest_request shown = {SLICE("POST"), SLICE("/wappush"), SLICE("x"), true};
    struct ota_login_state s;
    struct buf out;

    ota_login_init(&s);
    buf_init(&out, 65536);
    if (ota_login_challenged(&s, m, true) == ERR_OK && ota_login_print(&s, &login, &shown, &out) == ERR_OK)
        if (out.n < 2 || slice_find(slice_sub(buf_slice(&out), 0, out.n - 2), '\n') != SIZE_MAX)
            abort(); /* one line, whatever was asked */
    buf_clear(&out);
    ota_login_clear(&s);
}

static void read_message(const struct net_http_msg *m)
{
    struct ota_registration r;
    struct ota_profile profile;
    struct ota_cpi c;
    unsigned status = ota_push_status(m);

    if (ota_answer_push(m->status, status, true).note == NULL)
        abort();
    ota_cpi_init(&c);
    if (ota_registration_read(m, &r) == ERR_OK && ota_cpi_set(&c, m, &r, 0) == ERR_OK) {
        if (c.outstanding_max == 0 || c.outstanding_max > OTA_CPI_REQ_MAX || c.tag_n > OTA_CPI_TAG_MAX_N)
            abort();
        profile = ota_cpi_profile(&c);
        (void)ota_profile_takes_app(&profile, SLICE("x-wap-application:mms.ua"));
        (void)ota_profile_takes_type(&profile, SLICE("text/plain"));
    }
    ota_cpi_clear(&c);
    read_login(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct net_http_limits limits = {.head_max_n = 16384,
                                           .headers_max = 64,
                                           .value_max_n = 4096,
                                           .target_max_n = 256,
                                           .body_max_n = 65536};
    struct slice in = slice_of(data, n);
    struct net_http_reader *r;
    enum net_http_event ev;

    if (net_http_reader_create(NET_HTTP_CLIENT, &limits, &r))
        abort();
    do {
        ev = net_http_reader_feed(r, &in);
        if (ev == NET_HTTP_DONE) {
            read_message(net_http_reader_msg(r));
            net_http_reader_next(r);
        }
    } while ((ev == NET_HTTP_DONE && in.n) || ev == NET_HTTP_HEAD);
    net_http_reader_free(&r);
    return 0;
}
