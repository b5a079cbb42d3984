/* Session descriptions: offers as they are written and read again, answers of far ends, and what is wrong with them. */
#include "ota/msrp/sdp.h"

#include "tests/unit/harness.h"

#define TOP   "v=0\r\no=- 1 1 IN IP4 a\r\ns=-\r\nc=IN IP4 a\r\nt=0 0\r\n"
#define MEDIA "m=message 9001 TCP/TLS/MSRP *\r\n"
#define TYPES "a=accept-types:application/vnd.oma.push text/* message/cpim\r\n"
#define PATH  "a=path:msrps://198.51.100.7:9001/Zq83ksPw01;tcp\r\n"

static void an_answer(void)
{
    struct ota_msrp_sdp d;

    CU_ASSERT_EQUAL_FATAL(
        ota_msrp_sdp_read(
            SLICE(TOP "a=tool:x\r\nm=audio 5 RTP/AVP 0\r\na=path:nonsense\r\na=setup:nonsense\r\n" MEDIA TYPES
                      "a=max-size:1048576\r\na=setup:passive\r\na=recvonly\r\n" PATH),
            &d),
        ERR_OK);
    CU_ASSERT(d.secure && !d.refused && !d.realtime && d.max_size == 1048576 &&
              d.setup == OTA_MSRP_SETUP_PASSIVE);
    CU_ASSERT(d.recv_only && !d.send_only && !d.inactive);
    TEST_SLICE_EQ(d.path, SLICE("msrps://198.51.100.7:9001/Zq83ksPw01;tcp"));
    CU_ASSERT_EQUAL(ota_msrp_sdp_read(
                        SLICE("v=0\nm=message 1 tcp/msrp *\na=accept-types:*\na=path:msrp://a:1/x;tcp"), &d),
                    ERR_OK);
    CU_ASSERT(!d.secure && d.setup == OTA_MSRP_SETUP_NONE && d.max_size == 0);
    CU_ASSERT_EQUAL(ota_msrp_sdp_read(SLICE(TOP "m=message 0 TCP/MSRP *\r\n"), &d), ERR_OK);
    CU_ASSERT_TRUE(d.refused);
}

static void an_offer_there_and_back(void)
{
    struct ota_msrp_offer o = {.id = 2890844526,
                               .host = SLICE("ppg.example.com"),
                               .port = 2855,
                               .secure = true,
                               .accept = SLICE("application/vnd.oma.push"),
                               .path = SLICE("msrps://ppg.example.com:2855/kjhd37s2s20w2a;tcp"),
                               .max_size = 5000,
                               .setup = OTA_MSRP_SETUP_ACTPASS,
                               .direction = "sendonly"};
    struct ota_msrp_sdp d;
    struct buf out;

    buf_init(&out, 4096);
    CU_ASSERT_EQUAL(ota_msrp_sdp_print(&o, &out), ERR_OK);
    TEST_SLICE_EQ(
        buf_slice(&out),
        SLICE(
            "v=0\r\no=ppg 2890844526 1 IN IP4 ppg.example.com\r\ns=-\r\nc=IN IP4 ppg.example.com\r\nt=0 0\r\n"
            "m=message 2855 TCP/TLS/MSRP *\r\na=accept-types:application/vnd.oma.push\r\na=max-size:5000\r\n"
            "a=setup:actpass\r\na=sendonly\r\na=path:msrps://ppg.example.com:2855/kjhd37s2s20w2a;tcp\r\n"));
    CU_ASSERT_EQUAL(ota_msrp_sdp_read(buf_slice(&out), &d), ERR_OK);
    CU_ASSERT(d.secure && d.send_only && d.setup == OTA_MSRP_SETUP_ACTPASS && d.max_size == 5000);
    buf_reset(&out, 0);
    o.host = SLICE("2001:db8::1");
    CU_ASSERT_EQUAL(ota_msrp_sdp_print(&o, &out), ERR_OK);
    CU_ASSERT_NOT_EQUAL(slice_find_slice(buf_slice(&out), SLICE("c=IN IP6 2001:db8::1\r\n")), SIZE_MAX);
    o.path = SLICE("msrp://a:1/x;tcp\r\na=evil");
    CU_ASSERT_EQUAL(ota_msrp_sdp_print(&o, &out), ERR_MALFORMED);
    o.path = SLICE("msrp://a:1/x;tcp");
    o.host = SLICE("a b");
    CU_ASSERT_EQUAL(ota_msrp_sdp_print(&o, &out), ERR_MALFORMED);
    o.host = SLICE_NONE;
    CU_ASSERT_EQUAL(ota_msrp_sdp_print(&o, &out), ERR_MALFORMED);
    buf_clear(&out);
}

static void bad(void)
{
    static const struct {
        const char *text;
        enum err want;
    } rows[] = {{"", ERR_MALFORMED},
                {"\r\n", ERR_MALFORMED},
                {"v=1\r\n" MEDIA TYPES PATH, ERR_MALFORMED},
                {MEDIA TYPES PATH, ERR_MALFORMED},
                {TOP, ERR_ABSENT},
                {TOP "m=audio 5 RTP/AVP 0\r\n" TYPES PATH, ERR_ABSENT},
                {TOP "m=message 5 TCP/BFCP *\r\n" TYPES PATH, ERR_ABSENT},
                {TOP MEDIA PATH, ERR_MALFORMED},
                {TOP MEDIA TYPES, ERR_MALFORMED},
                {TOP TYPES PATH MEDIA, ERR_MALFORMED},
                {TOP MEDIA TYPES PATH PATH, ERR_MALFORMED},
                {TOP MEDIA TYPES TYPES PATH, ERR_MALFORMED},
                {TOP MEDIA TYPES "a=path:\r\n", ERR_MALFORMED},
                {TOP MEDIA TYPES PATH MEDIA, ERR_MALFORMED},
                {TOP MEDIA TYPES PATH "a=max-size:x\r\n", ERR_MALFORMED},
                {TOP MEDIA TYPES PATH "a=max-size:0\r\n", ERR_MALFORMED},
                {TOP MEDIA TYPES PATH "a=max-size:99999999999999999999\r\n", ERR_LIMIT},
                {TOP MEDIA TYPES PATH "a=setup:both\r\n", ERR_MALFORMED},
                {TOP "m=message\r\n", ERR_MALFORMED},
                {TOP "m=message x TCP/MSRP *\r\n", ERR_MALFORMED},
                {TOP "m=message 99999 TCP/MSRP *\r\n", ERR_LIMIT},
                {TOP MEDIA TYPES PATH "nonsense\r\n", ERR_MALFORMED},
                {TOP MEDIA TYPES PATH "\r\nv=0\r\n", ERR_MALFORMED},
                {TOP MEDIA TYPES PATH "a=x\x01\r\n", ERR_MALFORMED}};
    char longer[OTA_MSRP_SDP_MAX_N + 1];
    struct ota_msrp_sdp d = {.max_size = 7};
    struct buf many;

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(ota_msrp_sdp_read(slice_str(rows[i].text), &d), rows[i].want);
        CU_ASSERT_EQUAL(d.max_size, 7);
    }
    memset(longer, 'a', sizeof longer);
    CU_ASSERT_EQUAL(ota_msrp_sdp_read(slice_of(longer, sizeof longer), &d), ERR_LIMIT);
    buf_init(&many, 8192);
    buf_add(&many, SLICE(TOP));
    for (size_t i = 0; i <= OTA_MSRP_MEDIA_MAX; i++)
        buf_add(&many, SLICE("m=audio 5 RTP/AVP 0\r\n"));
    CU_ASSERT_EQUAL(ota_msrp_sdp_read(buf_slice(&many), &d), ERR_LIMIT);
    buf_clear(&many);
}

/* RFC 3711 and RFC 5124, alone and beside a stream of messages. */
static void streams_of_srtp_are_seen(void)
{
    struct ota_msrp_sdp d = {.realtime = false};

    CU_ASSERT_EQUAL(ota_msrp_sdp_read(SLICE(TOP "m=audio 5 RTP/SAVP 0\r\n"), &d), ERR_ABSENT);
    CU_ASSERT_TRUE(d.realtime);
    d.realtime = false;
    CU_ASSERT_EQUAL(ota_msrp_sdp_read(SLICE(TOP "m=video 5 rtp/savpf 0\r\n" MEDIA TYPES PATH), &d), ERR_OK);
    CU_ASSERT_TRUE(d.realtime);
    CU_ASSERT_EQUAL(ota_msrp_sdp_read(SLICE(TOP MEDIA TYPES PATH), &d), ERR_OK);
    CU_ASSERT_FALSE(d.realtime);
}

static void types(void)
{
    static const struct {
        const char *accept, *type;
        bool takes;
    } rows[] = {{"*", "text/plain", true},
                {"text/plain", "text/plain; charset=utf-8", true},
                {"text/plain;charset=utf-8", "TEXT/plain", true},
                {"message/cpim  text/*", "text/html", true},
                {"text/*", "image/png", false},
                {"text/*", "textual/x", false},
                {"message/cpim", "text/plain", false},
                {"text/plain", "text/plainer", false},
                {"", "text/plain", false}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct ota_msrp_sdp d = {.accept = slice_str(rows[i].accept)};

        test_row(i);
        CU_ASSERT_EQUAL(ota_msrp_sdp_accepts(&d, slice_str(rows[i].type)), rows[i].takes);
    }
}

const struct test_case test_cases[] = {{"an_answer", an_answer},
                                       {"an_offer_there_and_back", an_offer_there_and_back},
                                       {"bad", bad},
                                       {"streams_of_srtp_are_seen", streams_of_srtp_are_seen},
                                       {"types", types},
                                       {NULL, NULL}};
