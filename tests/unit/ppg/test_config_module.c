/* The file of an identity module: what becomes of it, each mistake with its place, none of them with a key, and that it
 * must be its owner's alone. */
#include "ppg/config/module.h"

#include <stdlib.h>
#include <sys/stat.h>
#include "base/codec.h"
#include "tests/unit/harness.h"

#define K     "465b5ce8b199b49faa5f0a2ee238a6bc"
#define OP    "cdc202d5123e20f62b6d676ac72cb318"
#define OPC   "cd63cb71954a9f4e48a5994e37a02baf"
#define BASIC "impi = one@ims.example\nk = " K "\nopc = " OPC "\n"

struct fixture {
    struct ppg_config_errors errs;
    struct ppg_load load;
    struct ppg_module m;
};

static void read_text(struct fixture *f, const char *text, mode_t mode)
{
    char path[600];
    FILE *to;

    (void)snprintf(path, sizeof path, "%s/module", test_scratch());
    to = fopen(path, "w");
    if (!to || fputs(text, to) < 0 || fclose(to) != 0 || chmod(path, mode) != 0)
        abort();
    memset(f, 0, sizeof *f);
    f->load.errs = &f->errs;
    ppg_module_read(&f->load, path, &f->m);
}

static void good(void)
{
    struct fixture *f = malloc(sizeof *f);
    uint8_t opc[SEC_AKA_K_N] = {0};

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT(!codec_unhex(SLICE(OPC), opc, sizeof opc));
    read_text(f, BASIC "gateway = ppg.example.net\n", 0600);
    CU_ASSERT(f->load.err == ERR_OK && f->m.gateways_n == 1 && f->m.star == SEC_AKA_PLAIN);
    CU_ASSERT(f->m.life_max_s == 8 * 86400 && f->m.rate == 30);
    TEST_SLICE_EQ(f->m.impi, SLICE("one@ims.example"));
    TEST_SLICE_EQ(f->m.gateways[0], SLICE("ppg.example.net"));
    TEST_SLICE_EQ(slice_of(f->m.opc, SEC_AKA_K_N), slice_of(opc, SEC_AKA_K_N));
    ppg_module_clear(&f->m);
    read_text(f,
              "impi = one@ims.example\nk = " K "\nop = " OP "\nmodule = gba-u\ngateway = a.example\n"
              "gateway = b.example\nkey-lifetime = 1h\nrate = 3\n",
              0600);
    CU_ASSERT(f->load.err == ERR_OK && f->m.gateways_n == 2 && f->m.star == SEC_AKA_STAR_SHA256);
    CU_ASSERT(f->m.life_max_s == 3600 && f->m.rate == 3);
    TEST_SLICE_EQ(slice_of(f->m.opc, SEC_AKA_K_N), slice_of(opc, SEC_AKA_K_N));
    ppg_module_clear(&f->m);
    free(f);
}

static void mistakes(void)
{
    static const struct {
        const char *text;
        mode_t mode;
        const char *ends;
    } rows[] = {
        {BASIC "gateway = a.example\n", 0640, "module: its owner's alone"},
        {BASIC, 0600, "gateway"},
        {"k = " K "\nopc = " OPC "\ngateway = a.example\n", 0600, "impi"},
        {"impi = a@b\nopc = " OPC "\ngateway = a.example\n", 0600, ": k"},
        {"impi = a@b\nk = " K "\ngateway = a.example\n", 0600, "one of op and opc"},
        {BASIC "op = " OP "\ngateway = a.example\n", 0600, "one of op and opc"},
        {BASIC "gateway = A.example\n", 0600, "4: gateway: not a domain name in lower case"},
        {BASIC "gateway = \n", 0600, "4: gateway: not a domain name in lower case"},
        {BASIC "gateway = a.example\nmodule = sim\n", 0600, "5: module: plain, gba-u or gba-u-sha1"},
        {BASIC "gateway = a.example\nkey-lifetime = 401d\n", 0600, "5: key-lifetime: a time, 1s to 400d"},
        {BASIC "gateway = a.example\nrate = 0\n", 0600, "5: rate: a number, 1 to 1000000"},
        {BASIC "gateway = a.example\nk = " K "\n", 0600, "already set in this section"},
        {"impi = a@b\nk = 465b\nopc = " OPC "\ngateway = a.example\n", 0600,
         "2: k: not 32 hexadecimal digits"},
        {BASIC "gateway = a.example\nsqn = 7\n", 0600, "sqn"},
        {"impi =\nk = " K "\nopc = " OPC "\ngateway = a.example\n", 0600, "1: impi: 1 to 255 octets"},
    };
    struct fixture *f = malloc(sizeof *f);

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool told = false;

        test_row(i);
        read_text(f, rows[i].text, rows[i].mode);
        CU_ASSERT(f->load.err != ERR_OK && f->errs.n >= 1);
        for (size_t e = 0; e < f->errs.n; e++) {
            told = told || strstr(f->errs.text[e], rows[i].ends);
            CU_ASSERT(!strstr(f->errs.text[e], "465b"));
        }
        if (!told)
            (void)fprintf(stderr, "%s\n", f->errs.text[0]);
        CU_ASSERT(told || rows[i].mode != 0600);
        ppg_module_clear(&f->m);
    }
    free(f);
}

static void too_many_gateways(void)
{
    struct fixture *f = malloc(sizeof *f);
    char text[8192];
    size_t n = (size_t)snprintf(text, sizeof text, "%s", BASIC);

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    for (int i = 0; i < PPG_MODULE_GATEWAYS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "gateway = g%d.example\n", i);
    read_text(f, text, 0600);
    CU_ASSERT(f->load.err == ERR_OK && f->m.gateways_n == PPG_MODULE_GATEWAYS_MAX);
    ppg_module_clear(&f->m);
    (void)snprintf(text + n, sizeof text - n, "gateway = more.example\n");
    read_text(f, text, 0600);
    CU_ASSERT(f->load.err == ERR_MALFORMED && strstr(f->errs.text[0], "more than 64 gateways"));
    ppg_module_clear(&f->m);
    free(f);
}

const struct test_case test_cases[] = {
    {"good", good},
    {"mistakes", mistakes},
    {"too_many_gateways", too_many_gateways},
    {NULL, NULL},
};
