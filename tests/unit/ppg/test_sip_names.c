/* What the SIP door is called when the settings leave it open. */
#include "ppg/doors/sip_names.h"

#include "tests/unit/harness.h"

static void names(void)
{
    static const struct {
        const char *identity, *domains, *realm, *want_domains, *want_realm;
    } rows[] = {
        {"sip:push@localhost", "", "", "localhost", "localhost"},
        {"sip:push@[2001:db8::1]", "", "", "2001:db8::1", "2001:db8::1"}, /* as hosts are compared */
        {"sips:push@a.example", "", "r", "a.example", "r"},
        {"sip:push@localhost", "b.example, c.example", "", "b.example, c.example", "b.example"},
        {"sip:push@localhost", " , b.example", "", " , b.example", "b.example"},
        {"sip:push@localhost", "b.example", "IMS", "b.example", "IMS"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct ppg_settings set = {
            .ota_sip = {.identity = rows[i].identity, .domains = rows[i].domains, .realm = rows[i].realm}};

        test_row(i);
        TEST_SLICE_EQ(ppg_sip_domains(&set), slice_str(rows[i].want_domains));
        TEST_SLICE_EQ(ppg_sip_realm(&set), slice_str(rows[i].want_realm));
    }
}

const struct test_case test_cases[] = {{"names", names}, {NULL, NULL}};
