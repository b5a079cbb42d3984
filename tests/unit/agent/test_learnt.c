/* What is remembered of far ends, on a virtual clock. */
#include "ota/agent/learnt.h"

#include <stdio.h>

#include "tests/unit/harness.h"

struct fix {
    struct clk_virtual clk;
    struct ota_sip_learnt l;
};

static void fix_open(struct fix *f, size_t max)
{
    clk_virtual_init(&f->clk, 0);
    ota_sip_learnt_init(&f->l, &f->clk.clk, max);
}

static void put(struct fix *f, const char *uri, enum ota_sip_form form)
{
    ota_sip_learnt_put(&f->l, slice_str(uri), &(struct ota_sip_takes){.form = form});
}

static bool knows(struct fix *f, const char *uri, int64_t since_ms, enum ota_sip_form form)
{
    const struct ota_sip_takes *t = ota_sip_learnt_find(&f->l, slice_str(uri), since_ms);

    return t && t->form == form;
}

static void for_an_hour(void)
{
    struct fix f;

    fix_open(&f, 8);
    CU_ASSERT(ota_sip_learnt_find(&f.l, SLICE("sip:1"), INT64_MIN) == NULL);
    put(&f, "sip:1", OTA_SIP_BARE);
    clk_virtual_advance(&f.clk, OTA_SIP_LEARNT_MS - 1);
    CU_ASSERT(knows(&f, "sip:1", INT64_MIN, OTA_SIP_BARE));
    CU_ASSERT(!knows(&f, "sip:", INT64_MIN, OTA_SIP_BARE));
    put(&f, "sip:1", OTA_SIP_ENVELOPE); /* anew */
    clk_virtual_advance(&f.clk, OTA_SIP_LEARNT_MS - 1);
    CU_ASSERT(knows(&f, "sip:1", INT64_MIN, OTA_SIP_ENVELOPE));
    clk_virtual_advance(&f.clk, 1);
    CU_ASSERT(!knows(&f, "sip:1", INT64_MIN, OTA_SIP_ENVELOPE));
    CU_ASSERT_EQUAL(f.l.by_uri.n, 0);
    ota_sip_learnt_clear(&f.l);
}

static void until_it_registers_again(void)
{
    struct fix f;

    fix_open(&f, 8);
    clk_virtual_advance(&f.clk, 1000);
    put(&f, "sip:1", OTA_SIP_BARE);
    CU_ASSERT(knows(&f, "sip:1", clk_mono_ms(&f.clk.clk), OTA_SIP_BARE));
    CU_ASSERT(!knows(&f, "sip:1", clk_mono_ms(&f.clk.clk) + 1, OTA_SIP_BARE));
    ota_sip_learnt_clear(&f.l);
}

static void the_oldest_makes_room(void)
{
    struct fix f;
    char uri[16];

    fix_open(&f, 3);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(uri, sizeof uri, "sip:%d", i);
        put(&f, uri, OTA_SIP_BARE);
    }
    put(&f, "sip:0", OTA_SIP_ENVELOPE);
    put(&f, "sip:new", OTA_SIP_BARE);
    CU_ASSERT(knows(&f, "sip:0", INT64_MIN, OTA_SIP_ENVELOPE));
    CU_ASSERT(!knows(&f, "sip:1", INT64_MIN, OTA_SIP_BARE));
    CU_ASSERT(knows(&f, "sip:2", INT64_MIN, OTA_SIP_BARE) && knows(&f, "sip:new", INT64_MIN, OTA_SIP_BARE));
    CU_ASSERT_EQUAL(f.l.by_uri.n, 3);
    ota_sip_learnt_clear(&f.l);
}

const struct test_case test_cases[] = {{"for_an_hour", for_an_hour},
                                       {"until_it_registers_again", until_it_registers_again},
                                       {"the_oldest_makes_room", the_oldest_makes_room},
                                       {NULL, NULL}};
