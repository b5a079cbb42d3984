/* How a terminal knows a server and proves itself to it: files that are there, and that are not what they should be. */
#include "ppg/handset/home.h"

#include "tests/unit/certs.h"
#include "tests/unit/harness.h"

static void what_makes_a_context(void)
{
    static const char hex[] = "00112233445566778899aabbccddeeff\n";
    struct test_cert ca;
    const char *ca_pem, *key_pem;
    char psk[600], loose[600], word[600];

    test_cert_make(&(struct test_cert_conf){.cn = "ca", .ca = true}, NULL, &ca);
    ca_pem = test_file_write("ca.crt", ca.cert_pem, 0644);
    key_pem = test_file_write("ca.key", ca.key_pem, 0600);
    (void)snprintf(psk, sizeof psk, "phone:%s", test_file_write("psk", hex, 0600));
    (void)snprintf(loose, sizeof loose, "phone:%s", test_file_write("none", "", 0600));
    (void)snprintf(word, sizeof word, "phone:%s", test_file_write("word", "sesame\n", 0600));
    {
        const struct {
            struct tool_home home;
            bool good;
            const char *why; /* begins so */
        } rows[] = {
            {{.ca = ca_pem}, true, ""},
            {{.ca = ca_pem, .cert = ca_pem, .key = key_pem}, true, ""},
            {{.psk = psk}, true, ""},
            {{.psk = psk, .ca = "/nowhere"}, true, ""}, /* a shared key stands for certificates */
            {{.ca = "/nowhere"}, false, "/nowhere"},
            {{.ca = key_pem}, false, ""},
            {{.ca = ca_pem, .cert = ca_pem, .key = ca_pem}, false, ""},
            {{.ca = ca_pem, .cert = "/nowhere", .key = key_pem}, false, "/nowhere"},
            {{.psk = "phone"}, false, ""},
            {{.psk = "phone:/nowhere"}, false, ""},
            {{.psk = loose}, false, ""},
            {{.psk = word}, false, ""},
        };

        for (size_t i = 0; i < COUNT(rows); i++) {
            struct net_tls_ctx *tls = NULL;
            char why[TOOL_WHY_N] = "";
            enum err e = tool_home_tls(&rows[i].home, &tls, why);

            test_row(i);
            CU_ASSERT(rows[i].good == (e == ERR_OK) && rows[i].good == (tls != NULL));
            CU_ASSERT(rows[i].good || why[0]);
            CU_ASSERT(strncmp(why, rows[i].why, strlen(rows[i].why)) == 0);
            net_tls_ctx_free(&tls);
        }
    }
}

const struct test_case test_cases[] = {{"what_makes_a_context", what_makes_a_context}, {NULL, NULL}};
