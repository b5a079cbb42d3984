/* What comes over SIP: octets of a stream and of a datagram to messages, messages through libosip2 to
 * responses and requests, URIs. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "ota/registrar/registrar.h"
#include "ota/sip/agree.h"
#include "ota/sip/frame.h"
#include "ota/sip/message.h"
#include "ota/sip/refusal.h"
#include "ota/sip/reply.h"
#include "ota/sip/request.h"
#include "ota/sip/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_reply(const struct ota_sip_unit *u)
{
    struct ota_sip_reply r;
    struct ota_sip_uri uri;
    struct buf text;

    if (u->head.p[u->head.n] != '\0' || slice_find(u->head, '\0') != SIZE_MAX)
        abort();
    if (ota_sip_reply_read(u, &r))
        return;
    if (slice_find(ota_sip_reply_next_nonce(&r, false), '\n') != SIZE_MAX)
        abort();
    if (r.status < 100 || r.status > 699 || r.branch.n == 0 || r.retry_s < 0 ||
        r.retry_s > OTA_SIP_RETRY_MAX_S)
        abort();
    buf_init(&text, OTA_SIP_HEAD_MAX_N);
    if (!ota_sip_reply_challenges(&r, &text) && text.n == 0)
        abort();
    buf_clear(&text);
    if (!ota_sip_reply_contact(&r, &text) && !ota_sip_uri_parse(buf_slice(&text), &uri) &&
        ota_sip_uri_parse(slice_str(uri.record), &uri))
        abort(); /* an address of record is one again */
    buf_clear(&text);
    ota_sip_reply_clear(&r);
}

static bool account(void *arg, struct slice user, struct ota_sip_account *out)
{
    (void)arg, (void)user;
    *out = (struct ota_sip_account){SLICE("sip:alice@example.com"), SLICE("secret"), false};
    return true;
}

/* As a REGISTER: whatever it asks for, nobody gets in, as nonces are of chance; its contacts are read by who has let it in. */
static void register_it(const struct ota_sip_request *r)
{
    static const struct slice domains[] = {SLICE("example.com"), SLICE("ppg")};
    const struct sec_digest_guard_conf conf = {.nonce_life_ms = 1000, .nonces_max = 1};
    struct ota_sip_registrar g = {.clk = &clk_real,
                                  .domains = domains,
                                  .domains_n = 2,
                                  .realm = SLICE("a"),
                                  .app_tag = SLICE(OTA_SIP_APP_TAG),
                                  .sha256 = true,
                                  .md5 = true,
                                  .expires_min_s = 60,
                                  .expires_s = 3600,
                                  .expires_max_s = 86400,
                                  .account = account};
    const struct ota_sip_origin from = {.flow = {.peer.v4 = {.sin_family = AF_INET,
                                                             .sin_port = htons(5060),
                                                             .sin_addr.s_addr = htonl(0x7F000001)}},
                                        .trusted = true};
    const struct ota_sip_account alice = {.record = SLICE("sip:alice@example.com")};
    struct buf record, more;
    struct ota_sip_answer answer = {.record = &record, .more = &more};
    unsigned status;

    if (ota_sip_location_create(&clk_real, 2, &g.location) || sec_digest_guard_create(&conf, &g.guard))
        abort();
    buf_init(&record, OTA_SIP_HEAD_MAX_N);
    buf_init(&more, 4 * OTA_SIP_HEAD_MAX_N);
    status = ota_sip_register(&g, r, &from, &answer);
    if (status == 200 || status < 400 || status > 599)
        abort();
    buf_clear(&more);
    buf_reset(&record, OTA_SIP_HEAD_MAX_N);
    buf_add(&record, alice.record);
    status = ota_sip_register_bind(&g, r, &from, &alice, &answer);
    if (status != 200 && status != 400 && status != 403 && status != 423 && status != 439 && status != 500 &&
        status != 503)
        abort();
    buf_clear(&more);
    buf_clear(&record);
    sec_digest_guard_free(&g.guard);
    ota_sip_location_free(&g.location);
}

/* What answers a request is a response to it. */
static void read_request(const struct ota_sip_unit *u)
{
    struct ota_sip_unit back;
    struct ota_sip_request r;
    struct buf text, read;

    if (ota_sip_request_read(u, NULL, &r))
        return;
    buf_init(&text, 4 * OTA_SIP_HEAD_MAX_N);
    buf_init(&read, 4 * OTA_SIP_HEAD_MAX_N);
    if (!ota_sip_app_read(ota_sip_request_header(&r, "accept-contact"), SLICE(OTA_SIP_APP_TAG), &text) &&
        text.n == 0)
        abort();
    buf_clear(&text);
    if (!ota_sip_request_type(&r, &text) && slice_find(buf_slice(&text), '\n') != SIZE_MAX)
        abort(); /* one line */
    buf_clear(&text);
    if (!ota_sip_response_print(&r, 200, SLICE("t"), SLICE_NONE, &text) &&
        ota_sip_datagram_read(buf_slice(&text), &read, &back) == ERR_MALFORMED)
        abort();
    buf_clear(&read);
    buf_clear(&text);
    register_it(&r);
    ota_sip_request_clear(&r);
}

/* What answers octets that no parser took is a response of one head, whatever was copied. */
static void refuse(struct slice in)
{
    struct ota_sip_head head;
    struct buf answer, text;

    buf_init(&answer, 4 * OTA_SIP_HEAD_MAX_N);
    buf_init(&text, 8 * OTA_SIP_HEAD_MAX_N);
    if (!ota_sip_refusal_print(in, NULL, SLICE("OPTIONS"), &answer)) {
        struct slice end = slice_sub(buf_slice(&answer), answer.n - 4, SIZE_MAX);

        if (slice_find_slice(buf_slice(&answer), SLICE("\r\n\r\n")) != answer.n - 4 ||
            !slice_eq(end, SLICE("\r\n\r\n")))
            abort();
        if (!ota_sip_head_read(buf_slice(&answer), 0, &head, &text) &&
            (!head.has_length || head.wire_n != answer.n))
            abort();
    }
    buf_clear(&text);
    buf_clear(&answer);
}

/* A list that is understood is understood when it is said back. */
static void agree(struct slice in)
{
    struct ota_sip_agreement with, again;

    if (ota_sip_agree(in, &with))
        return;
    if (ota_sip_agree(slice_str(with.list), &again) || again.mechanism != with.mechanism ||
        strcmp(again.list, with.list) != 0)
        abort();
}

/* The stream in two pieces gives what it gives in one. */
static size_t read_stream(struct slice in, size_t first_n)
{
    struct ota_sip_frame f;
    struct ota_sip_unit u;
    size_t units = 0;

    ota_sip_frame_init(&f);
    for (size_t i = 0; i < 2; i++) {
        if (ota_sip_frame_feed(&f, i ? slice_sub(in, first_n, SIZE_MAX) : slice_sub(in, 0, first_n)))
            break;
        while (!ota_sip_frame_next(&f, &u)) {
            if (!u.ping && first_n == in.n) {
                read_reply(&u);
                read_request(&u);
            }
            units++;
        }
    }
    ota_sip_frame_clear(&f);
    return units;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n);
    struct ota_sip_unit u;
    struct ota_sip_uri uri;
    struct buf text;

    ota_sip_parser_start();
    buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
    if (!ota_sip_datagram_read(in, &text, &u)) {
        read_reply(&u);
        read_request(&u);
    }
    buf_clear(&text);
    refuse(in);
    agree(in);
    if (n < 60000 && read_stream(in, n) != read_stream(in, n / 2))
        abort();
    if (!ota_sip_uri_parse(in, &uri) && uri.host[0] == '\0')
        abort();
    return 0;
}
