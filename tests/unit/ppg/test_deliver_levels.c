/* No path sends content below its level: every combination of what is asked and demanded, of the provider's floor and
 * ceiling, of the use of seals, of binding and of the terminal's association goes through submissions' checks, attempts and
 * sealing, and what leaves the gateway is compared with tables written by hand.  [DM §5.3], requirements DM-02 to DM-06. */
#include "ppg/deliver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ppg/content.h"
#include "ppg/route.h"
#include "security/gpl.h"
#include "security/xml/xmlsec.h"
#include "tests/unit/ppg/core_fix.h"

#define MARKER   SLICE("nobody-may-read-this")
#define LEVELS   3
#define KINDS    6 /* of associations and keys */
#define ASKINGS  (LEVELS * LEVELS)
#define FIRST_NO 1000

/* What leaves the gateway. */
enum {
    NOTHING = 'x',
    OPEN = 'o',
    HEADER = 'h',
    MACED = 'm',
    ENCRYPTED = 'e',
    XML_SIGNED = 's',
    XML_ENCRYPTED = 'y'
};

/* --- the tables: n none, i integrity, f full --- */

/* The level, for each of asked and demanded, under a floor: rows asked, columns demanded. */
static const char *const level_of[LEVELS][LEVELS] = {
    /* floor none */ {"nif", "iif", "fff"},
    /* floor integrity */ {"iif", "iif", "fff"},
    /* floor full */ {"fff", "fff", "fff"},
};

/* Is the level allowed under a ceiling?  Rows ceiling, columns level. */
static const char *const allowed[LEVELS] = {"ynn", "yyn", "yyy"};

/* What a binding's transport gives: P protects, end to end; C does not; B nor can it carry a seal.  T and H are P and C
 * that can carry x-syncml-hmac. */
static const char binding_kind[SEC_BINDING_COUNT + 1] = "THHPCCPCPB";
static const char *const binding_names[SEC_BINDING_COUNT] = {
    "http-tls",  "http-digest-int", "http-clear", "sip-tls", "sip-proxied",
    "sip-clear", "msrp-tls",        "udp-clear",  "dtls",    "broadcast"};

/* What leaves, for each association: none, one that encrypts, one that only authenticates, one that is over; and with a
 * key for x-syncml-hmac: none, one that encrypts.  Of content that is XML, as all terminals have keys for that: the other two. */
static const struct {
    char binding, level;
    const char *automatic, *always, *xml_automatic, *xml_always;
} leaves[] = {
    {'P', 'n', "oooooo", "oooooo", "oooooo", "oooooo"}, {'P', 'i', "oooooo", "xemxxe", "oooooo", "semsse"},
    {'P', 'f', "oooooo", "xexxxe", "oooooo", "yexyye"}, {'C', 'n', "oooooo", "oooooo", "oooooo", "oooooo"},
    {'C', 'i', "xemxxe", "xemxxe", "semsse", "semsse"}, {'C', 'f', "xexxxe", "xexxxe", "yexyye", "yexyye"},
    {'T', 'n', "oooooo", "oooooo", "oooooo", "oooooo"}, {'T', 'i', "oooooo", "xemxhe", "oooooo", "semshe"},
    {'T', 'f', "oooooo", "xexxxe", "oooooo", "yexyye"}, {'H', 'n', "oooooo", "oooooo", "oooooo", "oooooo"},
    {'H', 'i', "xemxhe", "xemxhe", "semshe", "semshe"}, {'H', 'f', "xexxxe", "xexxxe", "yexyye", "yexyye"},
    {'B', 'n', "oooooo", "oooooo", "oooooo", "oooooo"}, {'B', 'i', "xxxxxx", "xxxxxx", "xxxxxx", "xxxxxx"},
    {'B', 'f', "xxxxxx", "xxxxxx", "xxxxxx", "xxxxxx"},
};
static const char *const level_names[LEVELS] = {"none", "integrity", "full"};
static const char level_letters[LEVELS + 1] = "nif";

static const char *row_of(char binding, char level, bool always, bool xml)
{
    for (size_t i = 0; i < COUNT(leaves); i++) {
        if (leaves[i].binding != binding || leaves[i].level != level)
            continue;
        if (xml)
            return always ? leaves[i].xml_always : leaves[i].xml_automatic;
        return always ? leaves[i].always : leaves[i].automatic;
    }
    return "";
}

/* --- a bearer that is every binding --- */

struct wire {
    char seen[SEC_BINDING_COUNT][KINDS][ASKINGS];
    struct list waiting; /* struct sent */
};

struct sent {
    struct list link;
    struct ota_job *job;
    ota_done_fn *done;
    void *arg;
};

/* +1000 is the first association on the first binding. */
static unsigned number_of(struct slice key)
{
    unsigned n = 0;

    for (size_t i = 1; i < key.n; i++)
        n = n * 10 + (unsigned)(key.p[i] - '0');
    return n - FIRST_NO;
}

static bool reaches(const struct ota_terminal *t)
{
    (void)t;
    return true;
}

static struct sec_caps caps(const struct ota_terminal *t)
{
    return *sec_caps_of((enum sec_binding)(number_of(t->key) / KINDS));
}

/* As XML, opened with the keys of tests/replay; '?': it is not what its type says. */
static char xml_form_of(const struct ota_job *job, struct slice type, bool readable)
{
    struct sec_xml_keys keys = {.sign = {.n = 0}};
    char digits[4 * SEC_XML_KEY_N + 1];
    struct buf inside;
    bool encrypted = false, good;

    (void)snprintf(digits, sizeof digits, "%0*d", (int)sizeof digits - 1, 7);
    CU_ASSERT_FATAL(sec_xml_keys_set_hex(&keys, slice_str(digits)) == ERR_OK);
    buf_init(&inside, 65536);
    good = sec_xml_open(job->body, SLICE("ppg"), &keys, &encrypted, &inside) == ERR_OK &&
           slice_ends(buf_slice(&inside), MARKER) && !readable && !job->mac &&
           encrypted == slice_eq(type, SLICE(OTA_TYPE_XML_ENCRYPTED));
    buf_clear(&inside);
    return !good ? '?' : encrypted ? XML_ENCRYPTED : XML_SIGNED;
}

static char form_of(const struct ota_job *job)
{
    struct slice type = ota_header_find(job->message_head, SLICE("Content-Type"));
    bool readable = slice_find_slice(job->body, MARKER) < job->body.n ||
                    slice_find_slice(job->message_head, MARKER) < job->message_head.n;
    struct sec_gpl_msg m;

    if (slice_eq(type, SLICE(OTA_TYPE_XML_ENCRYPTED)) || slice_eq(type, SLICE(OTA_TYPE_XML_SIGNED)))
        return xml_form_of(job, type, readable);
    if (!slice_eq(type, SLICE(OTA_TYPE_GPL_A1)))
        return job->mac ? HEADER : OPEN;
    if (job->mac)
        return '?';
    if (sec_gpl_parse(job->body, &m))
        return '?';
    if (sec_gpl_suite_encrypts(m.suite))
        return readable ? '?' : ENCRYPTED;
    return readable ? MACED : '?';
}

/* The push-id says what was asked and demanded: two digits. */
static enum err send_job(void *self, struct ota_job *job, ota_done_fn *done, void *arg)
{
    struct wire *w = self;
    unsigned n = number_of(job->terminal->key);
    size_t asking = (size_t)(job->push_id.p[0] - '0') * LEVELS + (size_t)(job->push_id.p[1] - '0');
    struct sent *s = malloc(sizeof *s);

    MUST(s && asking < ASKINGS && n < SEC_BINDING_COUNT * KINDS);
    CU_ASSERT(w->seen[n / KINDS][n % KINDS][asking] == NOTHING);
    w->seen[n / KINDS][n % KINDS][asking] = form_of(job);
    *s = (struct sent){.job = job, .done = done, .arg = arg};
    list_push_back(&w->waiting, &s->link);
    return ERR_OK;
}

/* Never from inside send_job(). */
static bool answer_all(void *arg, bool behind)
{
    struct wire *w = arg;
    struct list *at;
    bool did = false;

    while (behind && (at = list_pop_front(&w->waiting))) {
        struct sent s = *container_of(at, struct sent, link);

        free(container_of(at, struct sent, link));
        s.job->result = (struct ota_result){.outcome = OTA_DELIVERED};
        s.done(s.job, ERR_OK, s.arg);
        did = true;
    }
    return did;
}

static const struct ota_bearer every_binding = {.name = "every",
                                                .body_max_n = 65536,
                                                .confirms = true,
                                                .reaches = reaches,
                                                .caps = caps,
                                                .send = send_job};
static const struct ota_bearer *const bearers[] = {&every_binding};

/* --- running it --- */

static struct replay_world *world(unsigned floor, unsigned ceiling, bool always)
{
    struct replay_world *w = fix_world("levels", SEC_BINDING_COUNT * KINDS, "ok");

    for (unsigned i = 0; i < SEC_BINDING_COUNT * KINDS; i++) {
        w->net->terminals[i].sealed = i % KINDS != 0 && i % KINDS != 4;
        w->net->terminals[i].maced = i % KINDS >= 4;
        w->net->terminals[i].xml = true;
        w->net->terminals[i].suites = i % KINDS == 2 ? "hmac-sha256, hmac-sha256-8" : NULL;
        w->net->terminals[i].expires = i % KINDS == 3 ? "2001-01-01T00:00:00Z" : NULL;
    }
    replay_set(w, "protection", "floor", level_names[floor]);
    replay_set(w, "protection", "ceiling", level_names[ceiling]);
    replay_set(w, "protection", "message", always ? "always" : "auto");
    return w;
}

static void submit_all(struct replay_world *w, const char *type)
{
    char keys[SEC_BINDING_COUNT * KINDS][8];
    struct slice to[SEC_BINDING_COUNT * KINDS];

    for (unsigned i = 0; i < COUNT(to); i++)
        to[i] = slice_of(keys[i], (size_t)snprintf(keys[i], sizeof keys[i], "+%u", FIRST_NO + i));
    for (unsigned asking = 0; asking < ASKINGS; asking++) {
        char id[8];
        struct replay_submit s = {.initiator = SLICE("pi"),
                                  .to = to,
                                  .to_n = COUNT(to),
                                  .asked = (uint8_t)(asking / LEVELS),
                                  .demanded = (uint8_t)(asking % LEVELS),
                                  .type = slice_str(type),
                                  .body = MARKER};

        (void)snprintf(id, sizeof id, "%u%u", asking / LEVELS, asking % LEVELS);
        s.push_id = slice_str(id);
        (void)replay_submit(w, &s);
    }
}

/* What the checks of a submission say of the same. */
static unsigned foretold(struct replay_world *w, unsigned terminal, unsigned asking, const char *type)
{
    const struct ppg_push content = {.content_type = slice_str(type), .body = MARKER};
    char key[8], why[PPG_ROUTE_WHY_N];
    struct buf made;
    struct ppg_route_ask ask = {.asked = (uint8_t)(asking / LEVELS),
                                .demanded = (uint8_t)(asking % LEVELS),
                                .push = &content,
                                .made = &made};
    unsigned code;

    buf_init(&made, PPG_CONTENT_MADE_MAX_N);
    ask.key = slice_of(key, (size_t)snprintf(key, sizeof key, "+%u", FIRST_NO + terminal));
    code = ppg_route_possible(&w->cores[0].core, &ask, why);
    buf_clear(&made);
    return code;
}

static void compare(struct replay_world *w, const struct wire *wire, unsigned floor, unsigned ceiling,
                    bool always, const char *type)
{
    bool xml = strcmp(type, "text/plain") != 0;

    for (unsigned terminal = 0; terminal < SEC_BINDING_COUNT * KINDS; terminal++)
        for (unsigned asking = 0; asking < ASKINGS; asking++) {
            char level = level_of[floor][asking / LEVELS][asking % LEVELS];
            bool may = allowed[ceiling][strchr(level_letters, level) - level_letters] == 'y';
            char want =
                may ? row_of(binding_kind[terminal / KINDS], level, always, xml)[terminal % KINDS] : NOTHING;
            char got = wire->seen[terminal / KINDS][terminal % KINDS][asking];
            unsigned code = foretold(w, terminal, asking, type);

            test_row(terminal * ASKINGS + asking);
            CU_ASSERT(got == want);
            CU_ASSERT(code == (want == NOTHING ? PAP_CODE_CAPABILITIES_MISMATCH : PAP_CODE_OK));
            if (got != want)
                (void)fprintf(
                    stderr, "floor %u ceiling %u always %d %s association %u asking %u: %c, not %c\n", floor,
                    ceiling, always, binding_names[terminal / KINDS], terminal % KINDS, asking, got, want);
        }
}

static void run(unsigned floor, unsigned ceiling, bool always, const char *type)
{
    struct replay_world *w = world(floor, ceiling, always);
    struct wire wire;

    memset(wire.seen, NOTHING, sizeof wire.seen);
    list_init(&wire.waiting);
    fix_start(w);
    w->cores[0].core.bearers = bearers;
    w->cores[0].core.bearers_n = 1;
    w->cores[0].core.bearer_self[0] = &wire;
    w->moment = answer_all;
    w->moment_arg = &wire;
    submit_all(w, type);
    replay_run(w, 2000, REPLAY_TICK_MS);
    CU_ASSERT(!replay_busy(w));
    compare(w, &wire, floor, ceiling, always, type);
    fix_end(w);
}

static void every_combination(const char *type)
{
    for (unsigned floor = 0; floor < LEVELS; floor++)
        for (unsigned ceiling = floor; ceiling < LEVELS; ceiling++) {
            run(floor, ceiling, false, type);
            run(floor, ceiling, true, type);
        }
}

/* 10 bindings, 6 kinds of terminals, 9 ways to ask, 6 pairs of floor and ceiling, 2 uses of seals: 6480 deliveries. */
static void test_every_combination(void)
{
    every_combination("text/plain");
}

/* And as many of what can protect itself. */
static void test_every_combination_of_xml(void)
{
    CU_ASSERT_FATAL(sec_xml_start() == ERR_OK);
    every_combination("application/order+xml");
    sec_xml_stop();
}

/* What provisions a terminal is content like any other. */
static void test_provisioning(void)
{
    CU_ASSERT_FATAL(sec_xml_start() == ERR_OK);
    for (unsigned floor = 0; floor < LEVELS; floor++)
        run(floor, 2, false, "text/vnd.wap.connectivity-xml");
    sec_xml_stop();
}

/* The other three pairs cannot be configured. */
static void test_floor_above_ceiling(void)
{
    for (unsigned floor = 1; floor < LEVELS; floor++)
        for (unsigned ceiling = 0; ceiling < floor; ceiling++) {
            struct replay_world *w = world(floor, ceiling, false);

            CU_ASSERT(!replay_start(w));
            replay_world_free(&w);
        }
}

/* The tables themselves: each names every binding, and nothing they let out is less than its level. */
static void test_tables(void)
{
    for (int b = 0; b < SEC_BINDING_COUNT; b++) {
        test_row((size_t)b);
        CU_ASSERT(strcmp(sec_binding_name((enum sec_binding)b), binding_names[b]) == 0);
    }
    CU_ASSERT(strlen(binding_kind) == SEC_BINDING_COUNT);
    for (size_t i = 0; i < COUNT(leaves); i++)
        for (unsigned k = 0; k < 4 * KINDS; k++) {
            char form = row_of(leaves[i].binding, leaves[i].level, k / KINDS & 1, k / KINDS & 2)[k % KINDS];
            bool whole = leaves[i].binding == 'P' || leaves[i].binding == 'T';

            test_row(i);
            CU_ASSERT(leaves[i].level == 'n' || whole || form != OPEN);
            CU_ASSERT(leaves[i].level != 'f' || whole ||
                      (form != MACED && form != HEADER && form != XML_SIGNED));
        }
}

const struct test_case test_cases[] = {{"every_combination", test_every_combination},
                                       {"every_combination_of_xml", test_every_combination_of_xml},
                                       {"provisioning", test_provisioning},
                                       {"floor_above_ceiling", test_floor_above_ceiling},
                                       {"tables", test_tables},
                                       {NULL, NULL}};
