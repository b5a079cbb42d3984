/* Other NAFs: whose certificate, which names and protocols; clashes and bad entries. */
#include "security/rules/nafs.h"

#include <stdio.h>
#include "tests/unit/harness.h"

#define DIGEST                                                                                               \
    {                                                                                                        \
        "\x01\x00\x00\x00\x02", 5                                                                            \
    }
#define GPL                                                                                                  \
    {                                                                                                        \
        "\x01\x00\x00\x00\x05", 5                                                                            \
    }
#define TLS                                                                                                  \
    {                                                                                                        \
        "\x01\x00\x01", 3                                                                                    \
    }

static const struct slice certs[] = {
    {"DNS:Naf.example", 15}, {"URI:https://naf.example", 23}, {"DNS:other.example", 17}};
static const struct slice names[] = {{"naf.example", 11}, {"push.example", 12}, {"other.example", 13}};
static const struct slice uas[] = {DIGEST, TLS, GPL};

static struct sec_naf_peer peer(void)
{
    return (struct sec_naf_peer){.name = SLICE("news"),
                                 .certificates = certs,
                                 .certificates_n = 2,
                                 .fqdns = names,
                                 .fqdns_n = 2,
                                 .uas = uas,
                                 .uas_n = 2,
                                 .life_max_s = 60,
                                 .push = true};
}

static struct sec_nafs *table(void)
{
    struct sec_naf_peer p = peer();
    struct sec_nafs *t = NULL;
    const char *why;

    MUST(sec_nafs_create(&t) == ERR_OK);
    MUST(sec_nafs_add(t, &p, &why) == ERR_OK);
    return t;
}

static void test_by_certificate(void)
{
    static const struct slice dns = {"NAF.example", 11}, uri = {"https://naf.example", 19},
                              other = {"push.example", 12};
    struct sec_nafs *t = table();
    struct sec_peer_names n = {.dns = &dns, .dns_n = 1};
    const struct sec_naf_peer *p = sec_nafs_find(t, &n);

    CU_ASSERT_FATAL(p != NULL);
    TEST_SLICE_EQ(p->name, SLICE("news"));
    CU_ASSERT(p->life_max_s == 60 && p->push && !p->identity && sec_nafs_count(t) == 1 &&
              sec_nafs_at(t, 0) == p);
    n = (struct sec_peer_names){.uris = &uri, .uris_n = 1};
    CU_ASSERT(sec_nafs_find(t, &n) == p);
    n = (struct sec_peer_names){.emails = &dns, .emails_n = 1};
    CU_ASSERT(sec_nafs_find(t, &n) == NULL);
    n = (struct sec_peer_names){.dns = &other,
                                .dns_n = 1}; /* a name it may ask for is not its certificate's */
    CU_ASSERT(sec_nafs_find(t, &n) == NULL);
    n = (struct sec_peer_names){.dns_n = 0};
    CU_ASSERT(sec_nafs_find(t, &n) == NULL);
    sec_nafs_free(&t);
}

static void test_may(void)
{
    static const struct {
        struct slice naf_id;
        bool may;
    } rows[] = {{{"naf.example\x01\x00\x00\x00\x02", 16}, true},
                {{"push.example\x01\x00\x00\x00\x02", 17}, true},
                {{"naf.example\x01\x00\x01\x00\xaa", 16}, true},
                {{"naf.example\x01\x00\x01\xc0\x2b", 16}, true},
                {{"naf.example\x01\x00\x00\x00\x05", 16}, false},
                {{"naf.example\x01\x00\x02\x00\xaa", 16}, false},
                {{"other.example\x01\x00\x00\x00\x02", 18}, false},
                {{"example\x01\x00\x00\x00\x02", 12}, false},
                {{"Naf.example\x01\x00\x00\x00\x02", 16}, false},
                {{"naf.example", 11}, false},
                {{"\x01\x00\x00\x00\x02", 5}, false},
                {{"", 0}, false}};
    struct sec_nafs *t = table();

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(sec_naf_peer_may(sec_nafs_at(t, 0), rows[i].naf_id) == rows[i].may);
    }
    sec_nafs_free(&t);
}

static const struct slice bad_cert = {"CN:naf", 6}, bad_name = {"Naf.example", 11},
                          bad_ua = {"\x01\x00\x00", 3};
static const struct slice twice[] = {{"x.example", 9}, {"x.example", 9}}, uas_twice[] = {DIGEST, DIGEST};

static void test_add_rows(void)
{
    const struct {
        struct sec_naf_peer p;
        enum err want;
    } rows[] = {
        {{{"b", 1}, &certs[2], 1, &names[2], 1, uas, 3, 1, false, false}, ERR_OK},
        {{{"news", 4}, &certs[2], 1, &names[2], 1, uas, 1, 1, false, false}, ERR_EXISTS},
        {{{"b", 1}, certs, 1, &names[2], 1, uas, 1, 1, false, false}, ERR_EXISTS},
        {{{"b", 1}, &certs[2], 1, &names[1], 2, uas, 1, 1, false, false}, ERR_EXISTS},
        {{{"", 0}, &certs[2], 1, &names[2], 1, uas, 1, 1, false, false}, ERR_MALFORMED},
        {{{"b", 1}, NULL, 0, &names[2], 1, uas, 1, 1, false, false}, ERR_MALFORMED},
        {{{"b", 1}, &certs[2], 1, NULL, 0, uas, 1, 1, false, false}, ERR_MALFORMED},
        {{{"b", 1}, &certs[2], 1, &names[2], 1, NULL, 0, 1, false, false}, ERR_MALFORMED},
        {{{"b", 1}, &certs[2], 1, &names[2], 1, uas, 1, 0, false, false}, ERR_MALFORMED},
        {{{"b", 1}, &bad_cert, 1, &names[2], 1, uas, 1, 1, false, false}, ERR_MALFORMED},
        {{{"b", 1}, &certs[2], 1, &bad_name, 1, uas, 1, 1, false, false}, ERR_MALFORMED},
        {{{"b", 1}, &certs[2], 1, &names[2], 1, &bad_ua, 1, 1, false, false}, ERR_MALFORMED},
        {{{"b", 1}, &certs[2], 1, twice, 2, uas, 1, 1, false, false}, ERR_MALFORMED},
        {{{"b", 1}, &certs[2], 1, &names[2], 1, uas_twice, 2, 1, false, false}, ERR_MALFORMED},
        {{{"b", 1}, &certs[2], SEC_NAF_ITEMS_MAX + 1, &names[2], 1, uas, 1, 1, false, false}, ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_nafs *t = table();
        const char *why = NULL;

        test_row(i);
        CU_ASSERT(sec_nafs_add(t, &rows[i].p, &why) == rows[i].want);
        CU_ASSERT((why == NULL) == !rows[i].want && sec_nafs_count(t) == (rows[i].want ? 1u : 2u));
        sec_nafs_free(&t);
    }
}

static void test_ceiling(void)
{
    struct sec_nafs *t = table();
    enum err e = ERR_OK;
    const char *why;

    for (size_t i = 1; i <= SEC_NAFS_MAX && !e; i++) {
        char name[32], cert[32], fqdn[32];
        struct slice c, f;
        struct sec_naf_peer p = peer();

        (void)snprintf(name, sizeof name, "n%zu", i);
        (void)snprintf(cert, sizeof cert, "DNS:n%zu.example", i);
        (void)snprintf(fqdn, sizeof fqdn, "n%zu.example", i);
        c = slice_str(cert);
        f = slice_str(fqdn);
        p.name = slice_str(name);
        p.certificates = &c;
        p.fqdns = &f;
        p.certificates_n = p.fqdns_n = 1;
        e = sec_nafs_add(t, &p, &why);
    }
    CU_ASSERT(e == ERR_LIMIT && sec_nafs_count(t) == SEC_NAFS_MAX);
    sec_nafs_free(&t);
}

const struct test_case test_cases[] = {{"by_certificate", test_by_certificate},
                                       {"may", test_may},
                                       {"add_rows", test_add_rows},
                                       {"ceiling", test_ceiling},
                                       {NULL, NULL}};
