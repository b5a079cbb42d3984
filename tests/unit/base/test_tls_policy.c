/* From settings to GnuTLS's priority string: what is allowed is in it, what is not is nowhere. */
#include "base/net/tls_policy.h"

#include <gnutls/gnutls.h>

#include "tests/unit/harness.h"

static bool find(void *arg, struct slice identity, unsigned version, struct slice *key)
{
    (void)arg, (void)identity, (void)version, (void)key;
    return false;
}

static void case_words(void)
{
    static const struct {
        struct net_tls_conf conf;
        const char *has, *has_not;
    } rows[] = {
        {{.version_min = 12}, "+VERS-TLS1.2", "PSK"},
        {{.version_min = 12}, "+VERS-TLS1.3", "+RSA:"},
        {{.version_min = 13}, "+VERS-TLS1.3", "VERS-TLS1.2"},
        {{.version_min = 12}, "+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305", "CBC"},
        {{.version_min = 12, .ciphers = NET_TLS_AES_256_GCM}, "+AES-256-GCM", "AES-128"},
        {{.version_min = 12, .ciphers = NET_TLS_AES_256_GCM}, "+ECDHE-ECDSA", "CHACHA20"},
        {{.version_min = 12, .ciphers = NET_TLS_CHACHA20_POLY1305}, "+CHACHA20", "AES-"},
        {{.version_min = 12, .psk = {.find = find}}, "+DHE-PSK:+ECDHE-PSK", "ECDHE-ECDSA"},
        {{.version_min = 12, .psk = {.find = find}}, "+GROUP-FFDHE2048", "+PSK"},
        {{.version_min = 12, .psk_identity = {"a", 1}}, "+DHE-PSK", "ECDHE-RSA"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        gnutls_priority_t priority;
        struct buf text;

        test_row(i);
        buf_init(&text, 4096);
        tls_policy_print(&rows[i].conf, &text);
        CU_ASSERT_EQUAL_FATAL(buf_err(&text), ERR_OK);
        CU_ASSERT(text.p[text.n - 1] == '\0');
        CU_ASSERT_PTR_NOT_NULL(strstr(text.p, rows[i].has));
        CU_ASSERT_PTR_NULL(strstr(text.p, rows[i].has_not));
        CU_ASSERT_EQUAL_FATAL(gnutls_priority_init(&priority, text.p, NULL), 0);
        gnutls_priority_deinit(priority);
        buf_clear(&text);
    }
}

const struct test_case test_cases[] = {
    {"words", case_words},
    {NULL, NULL},
};
