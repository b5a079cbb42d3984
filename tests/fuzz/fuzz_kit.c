/* Whatever reaches the terminal kit: a request head in a few lines, then the body.  Input: the first octet chooses
 * transport, form and whether the right tag is sent; if its top bit is set the rest is sealed with the good key, so
 * that the parser behind the seal is reached too, or signed and encrypted as XML; else it is the body of the POST as it stands, with a
 * right x-syncml-hmac, one made of it, or none. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "ota/headers.h"
#include "ota/terminal/kit.h"
#include "security/login/mac.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const uint8_t said[16] = "association-0001";
static const uint8_t suites[] = {0x02, 0x01, 0x03, 0x04, 0x11, 0x12};

#define KEY SLICE("0123456789abcdef0123456789abcdef")

static void xml_keys_make(struct sec_xml_keys *k)
{
    *k = (struct sec_xml_keys){.sign = {.n = 0}};
    if (sec_secret_set(&k->sign, KEY) || sec_secret_set(&k->encrypt, KEY))
        abort();
}

static struct kit *make(const struct sec_xml_keys *xml_keys)
{
    const struct kit_conf conf = {.terminal_id = SLICE("41"),
                                  .accept_app = SLICE("*"),
                                  .max_size = 65536,
                                  .max_outstanding = 1,
                                  .seen_max = 4,
                                  .mac_user = SLICE("ppg"),
                                  .mac_key = KEY,
                                  .xml_name = SLICE("ppg"),
                                  .xml_keys = xml_keys,
                                  .verify = true,
                                  .verify_rate = 2};
    static const struct slice gateways[] = {{"ppg.example.net", 15}};
    const struct kit_module module = {.impi = SLICE("a@b"),
                                      .k = SLICE("0123456789abcdef"),
                                      .opc = SLICE("0123456789abcdef"),
                                      .gateways = gateways,
                                      .gateways_n = 1,
                                      .life_max_s = 1,
                                      .rate = 1};
    struct kit *k;

    if (kit_create(&conf, &k) || kit_add_module(k, &module) ||
        kit_add_association(k, said, KEY, suites, sizeof suites, 0))
        abort();
    return k;
}

static void seal(uint8_t suite, struct slice inner, struct buf *out)
{
    const struct sec_sa_conf conf = {
        .rand = slice_of(said, 16), .ks = KEY, .suites = slice_of(&suite, 1), .expires_s = INT64_MAX};
    struct sec_sa sa;
    uint32_t sn;

    if (sec_sa_init(&sa, &conf) || sec_sa_reserved(&sa, 1, 9) ||
        sec_sa_seal(&sa, SEC_GPL_DOWNLINK, 0, SLICE_NONE, &inner, 1, out, &sn))
        abort();
    sec_sa_clear(&sa);
}

/* Whatever its form, the type says that it is signed and encrypted. */
static void protect_as_xml(const struct sec_xml_keys *keys, struct slice inner, bool encrypt, struct buf *out)
{
    const struct sec_xml_key sign = {SLICE("ppg"), KEY};

    if (inner.n == 0 || (encrypt ? sec_xml_encrypt(inner, sign.name, keys, out)
                                 : sec_xml_sign(SEC_XML_ENVELOPING, inner, &sign, out)))
        buf_add(out, SLICE("<a/>"));
}

/* One question for each push that asks to connect, and for no other. */
static void ask_about(struct kit *k, enum kit_event ev, bool valid)
{
    const struct kit_verified answer = {.answered = true, .valid = valid, .not_after_s = 1, .now_s = 1};
    struct kit_question q;
    struct kit_push push;
    const char *reason;

    if (kit_verify_next(k, &q) != (ev == KIT_VERIFY))
        abort();
    if (ev == KIT_VERIFY &&
        kit_verify_done(k, q.place, &answer, &push, &reason) != (valid ? KIT_CONNECT : KIT_DROPPED))
        abort();
}

static void feed(struct kit *k, struct kit_request *req, const struct kit_header *headers, size_t n)
{
    struct kit_answer answer;
    struct kit_push push;
    const char *reason;
    enum kit_event ev;

    req->headers = headers;
    req->headers_n = n;
    ev = kit_handle(k, req, &answer, &push, &reason);
    if ((ev == KIT_PUSH || ev == KIT_VERIFY) && push.body.n > req->body.n)
        abort(); /* a push is never longer than what came */
    if (buf_err(&answer.headers))
        abort();
    ask_about(k, ev, req->body.n & 1);
    buf_clear(&answer.headers);
}

static void feed_datagram(struct kit *k, struct slice octets)
{
    const struct kit_datagram d = {.octets = octets, .now_s = 1};
    struct kit_push push;
    const char *reason;

    enum kit_event ev = kit_handle_datagram(k, &d, &push, &reason);

    if ((ev == KIT_PUSH || ev == KIT_VERIFY) && (push.body.n > octets.n || push.trusted))
        abort(); /* nothing proved it */
    ask_about(k, ev, octets.n & 1);
}

/* A right mac over the body, made with the nonce that the answer to OPTIONS told. */
static void make_mac(const struct kit_answer *told, struct slice body, struct buf *out)
{
    struct slice text = ota_header_find(buf_slice(&told->headers), SLICE(SEC_MAC_NONCE_HEADER));
    struct sec_mac_keys keys = {.key = {{.n = 0}}};
    struct sec_mac_nonce nonce;

    if (sec_secret_set(&keys.key[SEC_MAC_SHA256], KEY) || sec_mac_nonce_parse(text, &nonce) ||
        sec_mac_print(SLICE("ppg"), &keys, slice_of(nonce.p, nonce.n), &body, 1, out))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct kit_header headers[4] = {{SLICE("Content-Type"), SLICE("application/http")}};
    struct kit_request req = {.method = SLICE("OPTIONS"), .target = SLICE("/wappush"), .now_s = 1};
    struct kit_answer answer;
    struct kit_push push;
    const char *reason;
    struct kit *k;
    struct buf sealed, state, mac;
    struct sec_xml_keys xml_keys;
    static bool started;
    bool loaded;

    if (n == 0 || n > 65536)
        return 0;
    if (!started && sec_xml_start())
        abort();
    started = true;
    xml_keys_make(&xml_keys);
    k = make(&xml_keys);
    buf_init(&sealed, 1 << 20);
    buf_init(&state, 1 << 20);
    buf_init(&mac, 1024);
    feed_datagram(k, slice_of(data, n));
    (void)kit_handle(k, &req, &answer, &push, &reason);
    headers[1] = (struct kit_header){SLICE("X-Wap-CPITag"),
                                     ota_header_find(buf_slice(&answer.headers), SLICE("X-Wap-CPITag"))};
    req.method = SLICE("POST");
    req.tls = req.server_proved = data[0] & 1;
    req.body = slice_of(data + 1, n - 1);
    if ((data[0] & 0x90) == 0x90) {
        protect_as_xml(&xml_keys, req.body, data[0] & 8, &sealed);
        req.body = buf_slice(&sealed);
        headers[0].value = SLICE(OTA_TYPE_XML_ENCRYPTED);
    } else if (data[0] & 0x10) {
        headers[0].value = SLICE(OTA_TYPE_XML_SIGNED);
    } else if (data[0] & 0x80) {
        seal(suites[data[0] % sizeof suites], req.body, &sealed);
        req.body = buf_slice(&sealed);
        headers[0].value = SLICE(OTA_TYPE_GPL_A1);
    } else if (data[0] & 2) {
        headers[0].value = SLICE(OTA_TYPE_GPL_A1);
    }
    if (data[0] & 0x40)
        make_mac(&answer, req.body, &mac);
    else if (data[0] & 0x20)
        buf_add(&mac, slice_sub(req.body, 0, 200));
    headers[2] = (struct kit_header){SLICE(SEC_MAC_HEADER), buf_slice(&mac)};
    feed(k, &req, headers, data[0] & 4 ? 1 : mac.n ? 3 : 2);
    loaded = kit_load(k, slice_of(data + 1, n - 1)) == ERR_OK;
    kit_save(k, &state);
    if ((loaded || !buf_err(&state)) && kit_load(k, buf_slice(&state)))
        abort(); /* what is saved can be loaded */
    buf_clear(&answer.headers);
    buf_clear(&sealed);
    buf_clear(&state);
    buf_clear(&mac);
    kit_free(&k);
    return 0;
}
