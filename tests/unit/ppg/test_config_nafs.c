/* nafs.conf: what becomes of a section, what the key server is allowed by it, and each mistake with its place. */
#include "ppg/config/nafs.h"

#include <stdlib.h>
#include "tests/unit/harness.h"

#define ONE "[naf one]\ncertificate = DNS:one.example\nname = one.example\n"

struct fixture {
    struct ppg_config_errors errs;
    struct ppg_load load;
    struct sec_keyserver *server;
    struct sec_nafs *nafs;
};

static const char *path_of(void)
{
    static char path[600];

    (void)snprintf(path, sizeof path, "%s/nafs.conf", test_scratch());
    return path;
}

static struct fixture *read_text(const char *text)
{
    struct sec_keyserver_conf conf = {10, 1};
    struct fixture *f = calloc(1, sizeof *f);
    FILE *file = fopen(path_of(), "w");

    MUST(f && file && fputs(text, file) >= 0 && fclose(file) == 0);
    MUST(sec_keyserver_create(&conf, &f->server) == ERR_OK);
    MUST(sec_keyserver_allow(f->server, SLICE("own.example\x01\x00\x00\x00\x05"), 60) == ERR_OK);
    f->load.errs = &f->errs;
    ppg_nafs_read(&f->load, path_of(), 3600, f->server, &f->nafs);
    return f;
}

static void forget(struct fixture *f)
{
    sec_nafs_free(&f->nafs);
    sec_keyserver_free(&f->server);
    free(f);
}

/* Would the key server make push info for that NAF?  It has no subscribers. */
static bool allowed(struct fixture *f, struct slice naf_id)
{
    struct sec_push_request q = {
        .ue = SLICE("nobody"), .naf_id = naf_id, .ptid = SLICE("p"), .expires_s = 100};
    struct sec_push_info info;
    enum err e = sec_keyserver_push_info(f->server, &q, 1, &info);

    CU_ASSERT(e == ERR_ABSENT || e == ERR_DENIED);
    return e == ERR_ABSENT;
}

static void test_sections(void)
{
    struct fixture *f =
        read_text("# others\n" ONE "protocol = digest\nprotocol = tls\nprotocol = push\nname = two.example\n"
                  "push = yes\nidentity = yes\nlifetime = 10min\n"
                  "[naf other]\ncertificate = URI:https://other\nname = other.example\n"
                  "protocol = 0100000005\n");
    const struct sec_naf_peer *p;

    CU_ASSERT_EQUAL(f->errs.n, 0);
    CU_ASSERT_FATAL(f->nafs && sec_nafs_count(f->nafs) == 2);
    p = sec_nafs_at(f->nafs, 0);
    CU_ASSERT(p->push && p->identity && p->life_max_s == 600 && p->fqdns_n == 2 && p->uas_n == 3);
    CU_ASSERT(sec_naf_peer_may(p, SLICE("two.example\x01\x00\x01\xc0\x2b")));
    p = sec_nafs_at(f->nafs, 1);
    CU_ASSERT(!p->push && !p->identity && p->life_max_s == 3600);
    CU_ASSERT(allowed(f, SLICE("one.example\x01\x00\x00\x00\x05")) &&
              allowed(f, SLICE("two.example\x01\x00\x00\x00\x02")));
    CU_ASSERT(!allowed(f, SLICE("other.example\x01\x00\x00\x00\x05"))); /* may not push */
    CU_ASSERT(!allowed(f, SLICE("one.example\x01\x00\x01\xc0\x2b"))); /* no protocol that a GPI could name */
    forget(f);
}

static void test_mistakes(void)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {ONE, "nafs.conf:1: protocol"},
        {"[naf one]\nname = one.example\nprotocol = digest\n", "nafs.conf:1: certificate"},
        {"[naf one]\ncertificate = DNS:one.example\nprotocol = digest\n", "nafs.conf:1: name"},
        {ONE "protocol = http\n", "nafs.conf:4: protocol: digest, tls"},
        {ONE "protocol = 01000000\n", "nafs.conf:4: protocol"},
        {ONE "protocol = digest\nprotocol = 0100000002\n", "stand once"},
        {ONE "protocol = digest\nname = One.example\n", "nafs.conf:5: name: not a domain name"},
        {ONE "protocol = digest\nlifetime = 10s\n", "nafs.conf:5: lifetime: a time"},
        {ONE "protocol = digest\npush = perhaps\n", "nafs.conf:5: push"},
        {ONE "protocol = digest\n" ONE "protocol = digest\n", "nafs.conf:5: one: stands twice"},
        {"[naf one]\ncertificate = CN:x\nname = one.example\nprotocol = digest\n", "certificate: must be"},
        {"[naf one]\ncertificate = DNS:x\nname = own.example\nprotocol = push\npush = yes\n",
         "gateway's own"},
        {"[nav one]\n", "nav"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *f = read_text(rows[i].text);

        test_row(i);
        CU_ASSERT_FATAL(f->errs.n > 0);
        CU_ASSERT(slice_find_slice(slice_str(f->errs.text[0]), slice_str(rows[i].says)) != SIZE_MAX);
        forget(f);
    }
}

const struct test_case test_cases[] = {
    {"sections", test_sections}, {"mistakes", test_mistakes}, {NULL, NULL}};
