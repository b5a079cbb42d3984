/* visits.conf: what becomes of its sections, whose certificate is a home's, and each mistake with its place. */
#include "ppg/config/visits.h"

#include <stdlib.h>
#include "ppg/config/ini.h"
#include "tests/unit/harness.h"

#define VISITED                                                                                              \
    "[visited push.visited.example]\nurl = https://peer.visited.example:8449\nhost = a.example:4037\n"
#define HOME "[home home.example]\ncertificate = DNS:Home.Example\n"

struct fixture {
    struct ppg_config_errors errs;
    struct ppg_load load;
    struct ppg_visits *visits;
};

static struct fixture *read_text(const char *text)
{
    static char path[600];
    struct fixture *f = calloc(1, sizeof *f);
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/visits.conf", test_scratch());
    file = fopen(path, "w");
    MUST(f && file && fputs(text, file) >= 0 && fclose(file) == 0);
    f->load.errs = &f->errs;
    ppg_visits_read(&f->load, path, 100, &f->visits);
    return f;
}

static void forget(struct fixture *f)
{
    ppg_visits_free(&f->visits);
    free(f);
}

static const struct ppg_home *home_of(const struct fixture *f, const char *dns)
{
    struct slice name = slice_str(dns);
    const struct sec_peer_names names = {.dns = &name, .dns_n = 1};

    return ppg_visits_home(f->visits, &names);
}

static void sections(void)
{
    struct fixture *f = read_text("# both\n" VISITED "identity = yes\nlifetime = 1h\n" HOME
                                  "[visited other.example]\nurl = https://[::1]:1\nhost = b:2\n");
    const struct ppg_visited *v;

    CU_ASSERT_EQUAL(f->errs.n, 0);
    v = ppg_visits_visited(f->visits, SLICE("push.visited.example"));
    CU_ASSERT_FATAL(v != NULL);
    TEST_SLICE_EQ(v->host, SLICE("a.example:4037"));
    CU_ASSERT(v->identity && v->life_s == 3600);
    v = ppg_visits_visited(f->visits, SLICE("other.example"));
    CU_ASSERT(v && !v->identity && v->life_s == 600);
    CU_ASSERT(!ppg_visits_visited(f->visits, SLICE("PUSH.visited.example")) &&
              !ppg_visits_visited(f->visits, SLICE_NONE));
    CU_ASSERT(home_of(f, "HOME.example") && !home_of(f, "example") && !home_of(f, "a.home.example"));
    forget(f);
}

static void mistakes(void)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"[visited push.example]\nhost = a:1\n", "visits.conf:1: url: missing"},
        {"[visited Push.example]\nurl = https://a:1\nhost = a:1\n",
         "visits.conf:1: Push.example: not a domain"},
        {VISITED VISITED, "visits.conf:4: push.visited.example: not a domain name in lower case, or twice"},
        {"[visited p.example]\nurl = http://a:1\nhost = a:1\n", "visits.conf:2: url: https://HOST:PORT"},
        {"[visited p.example]\nurl = https://a:1/x\nhost = a:1\n", "visits.conf:2: url: https://HOST:PORT"},
        {VISITED "lifetime = 61min\n", "visits.conf:4: lifetime: a time, 10s to 1h"},
        {VISITED "identity = maybe\n", "visits.conf:4: identity: "},
        {"[visited p.example]\nurl = https://a:1\nhost = a\n", "visits.conf:3: host: HOST:PORT"},
        {"[home home.example]\n", "visits.conf:1: certificate: missing"},
        {"[home home.example]\ncertificate = home.example\n", "visits.conf:2: certificate: URI:"},
        {HOME "[home other.example]\ncertificate = DNS:home.example\n",
         "visits.conf:4: certificate: belongs to another home"},
        {HOME HOME, "visits.conf:3: home.example: not a domain name in lower case, or twice"},
        {HOME "share = 0\n", "visits.conf:3: share: a number, 1 to 1000000"},
        {HOME "share = many\n", "visits.conf:3: share: a number"},
        {HOME "share = 101\n",
         "visits.conf:0: share: of all homes together more than key-server visitors-max, 100"},
        {HOME "share = 100\n[home other.example]\ncertificate = DNS:other.example\n",
         "visits.conf:0: share: of all homes together more"},
        {"[naf a]\n", "visits.conf:1"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *f = read_text(rows[i].text);

        test_row(i);
        CU_ASSERT(f->errs.n >= 1 && strstr(f->errs.text[0], rows[i].want));
        if (f->errs.n < 1 || !strstr(f->errs.text[0], rows[i].want))
            (void)fprintf(stderr, "%zu: %s\n", i, f->errs.n ? f->errs.text[0] : "nothing");
        forget(f);
    }
}

/* Written, or an equal part of what is left. */
static void shares(void)
{
    struct fixture *f = read_text(
        HOME "share = 40\n[home b.example]\ncertificate = DNS:b.example\n"
             "[home c.example]\ncertificate = DNS:c.example\n[home d.example]\ncertificate = DNS:d.example\n"
             "share = 9\n");

    CU_ASSERT_EQUAL(f->errs.n, 0);
    CU_ASSERT(home_of(f, "home.example")->share == 40 && home_of(f, "d.example")->share == 9);
    CU_ASSERT(home_of(f, "b.example")->share == 25 && home_of(f, "c.example")->share == 25);
    forget(f);
    f = read_text(HOME);
    CU_ASSERT(f->errs.n == 0 && home_of(f, "home.example")->share == 100);
    forget(f);
    f = read_text(VISITED);
    CU_ASSERT(f->errs.n == 0 && f->visits->homes_n == 0);
    forget(f);
}

const struct test_case test_cases[] = {
    {"sections", sections}, {"shares", shares}, {"mistakes", mistakes}, {NULL, NULL}};
