/* Push headers: lines, rules, printing, flags, application ids. */
#include "ota/headers.h"

#include "tests/unit/harness.h"

static void lines_are_read(void)
{
    struct slice block = SLICE("A: 1\r\nb-c:2 \t\r\nD:\r\n"), name, value;
    const struct {
        struct slice name, value;
    } want[] = {{SLICE("A"), SLICE("1")}, {SLICE("b-c"), SLICE("2")}, {SLICE("D"), SLICE("")}};
    bool bad = false;

    for (size_t i = 0; i < COUNT(want); i++) {
        test_row(i);
        CU_ASSERT_FATAL(ota_header_next(&block, &name, &value, &bad));
        TEST_SLICE_EQ(name, want[i].name);
        TEST_SLICE_EQ(value, want[i].value);
    }
    CU_ASSERT_FALSE(ota_header_next(&block, &name, &value, &bad));
    CU_ASSERT_FALSE(bad);
}

static void bad_lines_are_told(void)
{
    static const char *const rows[] = {"A: 1",        "A: 1\n",      "A 1\r\n",     ": 1\r\n",
                                       "A : 1\r\n",   " A: 1\r\n",   "\r\n",        "A: \x01\r\n",
                                       "A: \x7F\r\n", "A: 1\r2\r\n", "A: 1\n2\r\n", "\xC3: 1\r\n",
                                       "A(b): 1\r\n", "\tfolded\r\n"};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice block = slice_str(rows[i]), name, value;
        bool bad = false;

        test_row(i);
        CU_ASSERT_FALSE(ota_header_next(&block, &name, &value, &bad));
        CU_ASSERT_TRUE(bad);
    }
}

static void find_takes_the_first_in_any_case(void)
{
    struct slice block = SLICE("a: 1\r\nB: 2\r\nb: 3\r\n");

    TEST_SLICE_EQ(ota_header_find(block, SLICE("b")), SLICE("2"));
    CU_ASSERT(ota_header_find(block, SLICE("c")).n == 0);
    CU_ASSERT(ota_header_find(SLICE_NONE, SLICE("c")).n == 0);
}

static void rules_follow_the_table(void)
{
    static const struct {
        const char *name;
        enum ota_header_rule want;
    } rows[] = {
        {"content-type", OTA_HEADER_KNOWN},
        {"X-WAP-APPLICATION-ID", OTA_HEADER_KNOWN},
        {"X-Wap-Initiator-URI", OTA_HEADER_KNOWN},
        {"X-Push-Protection", OTA_HEADER_KNOWN},
        {"Content-Transfer-Encoding", OTA_HEADER_KNOWN},
        {"Content-Length", OTA_HEADER_GATEWAY},
        {"Push-Flag", OTA_HEADER_GATEWAY},
        {"X-Wap-Push-Info", OTA_HEADER_GATEWAY},
        {"x-syncml-hmac", OTA_HEADER_GATEWAY},
        {"X-SyncML-Nonce", OTA_HEADER_GATEWAY},
        {"x-wap-push-anything", OTA_HEADER_GATEWAY},
        {"X-Wap-CPITag", OTA_HEADER_GATEWAY},
        {"X-Wap-Terminal-ID", OTA_HEADER_GATEWAY},
        {"X-Push-Message-ID", OTA_HEADER_GATEWAY},
        {"Host", OTA_HEADER_HOP},
        {"MIME-Version", OTA_HEADER_HOP},
        {"Proxy-Authorization", OTA_HEADER_HOP},
        {"TE", OTA_HEADER_HOP},
        {"Transfer-Encoding", OTA_HEADER_HOP},
        {"Authorization", OTA_HEADER_HOP},
        {"Cookie", OTA_HEADER_HOP},
        {"Content-Language", OTA_HEADER_PASS},
        {"X-Wap-Content-URI", OTA_HEADER_PASS},
        {"Cache-Control", OTA_HEADER_PASS},
        {"X-Mine", OTA_HEADER_PASS},
        {"Proxy", OTA_HEADER_PASS},
        {"X-Wap-Push", OTA_HEADER_PASS},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(ota_header_rule(slice_str(rows[i].name)) == rows[i].want);
    }
}

static const struct ota_message_head whole = {.date_s = 1714564800,
                                              .message_id = SLICE("m1"),
                                              .content_type = SLICE("text/plain"),
                                              .content_n = 2,
                                              .app_id = SLICE("x-wap-application:mms.ua"),
                                              .initiator_uri = SLICE("https://a.example/"),
                                              .passed = SLICE("Content-Language: en\r\n"),
                                              .info = {true, true, false},
                                              .with_info = true};

static void head_is_printed_in_order(void)
{
    struct buf out;

    buf_init(&out, 4096);
    ota_headers_print(&whole, &out);
    CU_ASSERT(buf_err(&out) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&out), SLICE("Date: Wed, 01 May 2024 12:00:00 GMT\r\nX-Push-Message-ID: m1\r\n"
                                         "Content-Type: text/plain\r\nContent-Length: 2\r\n"
                                         "X-Wap-Application-Id: x-wap-application:mms.ua\r\n"
                                         "X-Wap-Initiator-URI: https://a.example/\r\n"
                                         "X-Wap-Push-Info: authenticated, trusted\r\n"
                                         "Content-Language: en\r\n"));
    buf_clear(&out);
}

static void defaults_are_left_out(void)
{
    struct ota_message_head h = {.content_type = SLICE("text/plain"),
                                 .app_id = SLICE("X-WAP-Application:wml.ua")};
    struct buf out;

    buf_init(&out, 4096);
    h.info.trusted = true; /* and with_info false */
    ota_headers_print(&h, &out);
    TEST_SLICE_EQ(buf_slice(&out), SLICE("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: text/plain\r\n"
                                         "Content-Length: 0\r\n"));
    buf_clear(&out);
}

/* Whatever slipped through before: the initiator never sets what the gateway says. */
static void passed_gateway_headers_are_stripped(void)
{
    struct ota_message_head h = {.passed = SLICE("X-Wap-Push-Info: trusted\r\nX-A: 1\r\nPush-Flag: 2\r\n"
                                                 "Content-Type: b/c\r\nHost: x\r\nX-B: 2\r\n")};
    struct buf out;

    buf_init(&out, 4096);
    ota_headers_print(&h, &out);
    TEST_SLICE_EQ(buf_slice(&out), SLICE("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n"
                                         "X-A: 1\r\nX-B: 2\r\n"));
    buf_clear(&out);
}

static void print_refuses_line_breaks(void)
{
    const struct ota_message_head rows[] = {
        {.message_id = SLICE("a\r\nX-Wap-Push-Info: trusted")},
        {.content_type = SLICE("a/b\n")},
        {.app_id = SLICE("a\r")},
        {.initiator_uri = slice_of("a\0b", 3)},
        {.passed = SLICE("A: 1")},
        {.passed = SLICE("A: 1\r\nB\r\n")},
        {.passed = SLICE("A: 1\n X-Wap-Push-Info: trusted\r\n")},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;

        test_row(i);
        buf_init(&out, 4096);
        ota_headers_print(&rows[i], &out);
        CU_ASSERT(buf_err(&out) == ERR_MALFORMED);
        buf_clear(&out);
    }
}

static void info_round_trip(void)
{
    for (unsigned bits = 0; bits < 8; bits++) {
        struct ota_push_info in = {bits & 1, bits & 2, bits & 4}, back;
        struct buf out;

        test_row(bits);
        buf_init(&out, 100);
        ota_push_info_print(&in, &out);
        back = ota_push_info_parse(buf_slice(&out));
        CU_ASSERT(back.authenticated == in.authenticated && back.trusted == in.trusted &&
                  back.last == in.last);
        CU_ASSERT((out.n == 0) == (bits == 0));
        buf_clear(&out);
    }
}

static void unknown_info_is_ignored(void)
{
    struct ota_push_info info = ota_push_info_parse(SLICE("nottrusted, \"trusted\", trusted2,, LAST"));

    CU_ASSERT(!info.trusted && !info.authenticated && info.last);
}

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* What a terminal says of an association reads back as it was printed; anything else says nothing. */
static void sa_answer_rows(void)
{
#define RAND "000102030405060708090a0b0c0d0e0f"
#define AUTS "101112131415161718191a1b1c1d"
    static const struct {
        const char *text;
        enum ota_sa_word want;
    } rows[] = {
        {"unknown", OTA_SA_UNKNOWN},
        {"resync rand=" RAND ", auts=" AUTS, OTA_SA_RESYNC},
        {"confirmed; gpl=EgIAAAAB", OTA_SA_CONFIRMED},
        {"", OTA_SA_NOTHING},
        {"Unknown", OTA_SA_NOTHING},
        {"unknown ", OTA_SA_NOTHING},
        {"resync", OTA_SA_NOTHING},
        {"resync rand=" RAND, OTA_SA_NOTHING},
        {"resync rand=" RAND ", auts=", OTA_SA_NOTHING},
        {"resync rand=" RAND ", auts=" AUTS "00", OTA_SA_NOTHING},
        {"resync rand=" RAND ", auts=" AUTS " ", OTA_SA_NOTHING},
        {"resync rand=" RAND "00, auts=" AUTS, OTA_SA_NOTHING},
        {"resync rand=0x" RAND ", auts=" AUTS, OTA_SA_NOTHING},
        {"resync rand=g00102030405060708090a0b0c0d0e0f, auts=" AUTS, OTA_SA_NOTHING},
        {"resync auts=" AUTS ", rand=" RAND, OTA_SA_NOTHING},
        {"confirmed", OTA_SA_NOTHING},
        {"confirmed; gpl=", OTA_SA_NOTHING},
        {"confirmed; gpl=EgIAAAA", OTA_SA_NOTHING},
        {"confirmed; gpl=EgIAAAAB ", OTA_SA_NOTHING},
        {"confirmed; gpl= EgIAAAAB", OTA_SA_NOTHING},
        {"confirmed; gpl=EgIA*AAB", OTA_SA_NOTHING},
        {"confirmed;gpl=EgIAAAAB", OTA_SA_NOTHING},
        {"Confirmed; gpl=EgIAAAAB", OTA_SA_NOTHING},
    };
    struct buf out;

    buf_init(&out, 200);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sa_answer a = ota_sa_answer_parse(slice_str(rows[i].text));

        test_row(i);
        CU_ASSERT(a.word == rows[i].want);
        if (a.word == OTA_SA_NOTHING)
            continue;
        buf_reset(&out, 200);
        ota_sa_answer_print(&a, &out);
        TEST_SLICE_EQ(buf_slice(&out), slice_str(rows[i].text));
    }
    CU_ASSERT(ota_sa_answer_parse(SLICE_NONE).word == OTA_SA_NOTHING);
    buf_clear(&out);
}

/* A message of as many octets as there is room for, and one more. */
static void association_confirmed_length(void)
{
    struct ota_sa_answer a = {.word = OTA_SA_CONFIRMED, .uplink_n = OTA_SA_UPLINK_MAX_N}, back;
    struct buf out;

    buf_init(&out, 1000);
    a.uplink[OTA_SA_UPLINK_MAX_N - 1] = 7;
    ota_sa_answer_print(&a, &out);
    back = ota_sa_answer_parse(buf_slice(&out));
    CU_ASSERT(back.word == OTA_SA_CONFIRMED);
    TEST_SLICE_EQ(slice_of(back.uplink, back.uplink_n), slice_of(a.uplink, a.uplink_n));
    CU_ASSERT(out.p[out.n - 1] == '=' && out.p[out.n - 2] == '='); /* 256 octets */
    out.p[out.n - 2] = 'A';
    CU_ASSERT(ota_sa_answer_parse(buf_slice(&out)).word == OTA_SA_NOTHING);
    buf_clear(&out);
}

static void app_id_rows(void)
{
    static const struct {
        const char *in;
        enum err want;
        const char *uri;
        int32_t number;
    } rows[] = {
        {"x-wap-application:mms.ua", ERR_OK, "x-wap-application:mms.ua", 4},
        {" X-WAP-application:MMS.ua ", ERR_OK, "X-WAP-application:MMS.ua", 4},
        {"x-wap-application:mms.ua;app-encoding=9", ERR_OK, "x-wap-application:mms.ua", 9},
        {"4", ERR_OK, "x-wap-application:mms.ua", 4},
        {"2", ERR_OK, "x-wap-application:wml.ua", 2},
        {"36866", ERR_OK, "x-oma-nokia:call.ua", 0x9002},
        {"4;app-encoding=9", ERR_OK, "x-wap-application:mms.ua", 9},
        {"12345", ERR_OK, "12345", -1},
        {"65536", ERR_OK, "65536", -1},
        {"4x", ERR_OK, "4x", -1},
        {"urn:my:app", ERR_OK, "urn:my:app", -1},
        {"urn:my:app ; App-Encoding=36866", ERR_OK, "urn:my:app", 36866},
        {"x-oma-nokia:call.ua", ERR_OK, "x-oma-nokia:call.ua", 0x9002},
        {"", ERR_OK, "", -1},
        {"/", ERR_OK, "", -1},
        {"a b", ERR_MALFORMED, "", 0},
        {"a,b", ERR_MALFORMED, "", 0},
        {";app-encoding=4", ERR_MALFORMED, "", 0},
        {"a;", ERR_MALFORMED, "", 0},
        {"a;x=1", ERR_MALFORMED, "", 0},
        {"a;app-encoding=", ERR_MALFORMED, "", 0},
        {"a;app-encoding=4;app-encoding=5", ERR_MALFORMED, "", 0},
        {"a;app-encoding=-1", ERR_MALFORMED, "", 0},
        {"a;app-encoding=65536", ERR_LIMIT, "", 0},
        {"a\x01", ERR_MALFORMED, "", 0},
        {A64 A64 A64 A64, ERR_LIMIT, "", 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice uri = SLICE("untouched");
        int32_t number = -7;

        test_row(i);
        CU_ASSERT(ota_app_id_parse(slice_str(rows[i].in), &uri, &number) == rows[i].want);
        TEST_SLICE_EQ(uri, rows[i].want ? SLICE("untouched") : slice_str(rows[i].uri));
        CU_ASSERT(number == (rows[i].want ? -7 : rows[i].number));
    }
}

static void test_accept_lists(void)
{
    static const struct {
        const char *list, *type;
        bool takes;
    } rows[] = {
        {"", "text/plain", true},
        {"text/plain", "TEXT/plain; charset=utf-8", true},
        {"text/vnd.wap.si, text/*", "text/plain", true},
        {"*/*", "image/png", true},
        {"*", "image/png", true},
        {"text/plain;level=1", "text/plain", true},
        {"text/plain", "text/plainer", false},
        {"text/*", "textual/plain", false},
        {"image/*, audio/*", "text/plain", false},
        {"text/plain", "", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(ota_accepts_type(slice_str(rows[i].list), slice_str(rows[i].type)) == rows[i].takes);
    }
    CU_ASSERT(ota_accepts_app(SLICE("mms.ua, x-wap-application:wml.ua"), SLICE_NONE));
    CU_ASSERT(ota_accepts_app(SLICE("MMS.ua"), SLICE("mms.UA")) && ota_accepts_app(SLICE("*"), SLICE("any")));
    CU_ASSERT(ota_accepts_app(SLICE("1, 4"), SLICE("x-wap-application:mms.ua")));
    CU_ASSERT(ota_accepts_app(SLICE("2"), SLICE_NONE) && !ota_accepts_app(SLICE("4"), SLICE_NONE));
    CU_ASSERT(ota_accepts_app(SLICE("0"), SLICE("any")) && ota_accepts_app(SLICE(OTA_APP_ANY), SLICE("any")));
    CU_ASSERT(ota_accepts_app(SLICE("a.ua;app-encoding=7"), SLICE("a.ua")));
    CU_ASSERT(!ota_accepts_app(SLICE("99, 4"), SLICE("x-wap-application:loc.ua")));
    CU_ASSERT(!ota_accepts_app(SLICE("mms.ua"), SLICE("other")) &&
              !ota_accepts_app(SLICE("mms.ua"), SLICE_NONE));
}

static void test_xml_types(void)
{
    static const struct {
        const char *type;
        bool is;
    } rows[] = {
        {"application/xml", true},
        {"Text/XML; charset=utf-8", true},
        {"application/vnd.example+xml;v=1", true},
        {"text/vnd.wap.si", true},
        {"text/vnd.wap.connectivity-xml", true},
        {"application/vnd.wap.sic", false},
        {"application/xmlish", false},
        {"application/notxml", false},
        {"text/plain;x=a+xml", false},
        {"application/xml-dtd", false},
        {"", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(ota_type_is_xml(slice_str(rows[i].type)) == rows[i].is);
    }
}

const struct test_case test_cases[] = {
    {"accept_lists", test_accept_lists},
    {"lines_are_read", lines_are_read},
    {"bad_lines_are_told", bad_lines_are_told},
    {"find_takes_the_first_in_any_case", find_takes_the_first_in_any_case},
    {"rules_follow_the_table", rules_follow_the_table},
    {"head_is_printed_in_order", head_is_printed_in_order},
    {"defaults_are_left_out", defaults_are_left_out},
    {"passed_gateway_headers_are_stripped", passed_gateway_headers_are_stripped},
    {"print_refuses_line_breaks", print_refuses_line_breaks},
    {"info_round_trip", info_round_trip},
    {"unknown_info_is_ignored", unknown_info_is_ignored},
    {"sa_answer_rows", sa_answer_rows},
    {"association_confirmed_length", association_confirmed_length},
    {"app_id_rows", app_id_rows},
    {"xml_types", test_xml_types},
    {NULL, NULL},
};
