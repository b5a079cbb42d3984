/* A snapshot of a small configuration, for unit tests of what stands on one.  Each test program is one file, so everything
 * here is static inline. */
#ifndef TESTS_UNIT_PPG_SNAPSHOT_FIX_H
#define TESTS_UNIT_PPG_SNAPSHOT_FIX_H

#include <stdio.h>

#include "ppg/snapshot.h"
#include "tests/unit/harness.h"

/* Of this ppg.conf, with one initiator, one rule and one terminal; other files are there already. */
static inline struct ppg_snapshot *fix_snapshot(const char *ppg_conf)
{
    static struct ppg_config_errors errs;
    struct ppg_snapshot *s = NULL;
    enum err e;

    test_write_file("ppg.conf", ppg_conf, 0600);
    test_write_file("initiators.conf", "[initiator mms]\ncertificate = DNS:mmsc.example.net\n", 0600);
    test_write_file("whitelist.conf", "allow mms +1555* *\n", 0600);
    test_write_file("terminals.conf", "[terminal +15550100]\nroute = http://198.51.100.7:4035\n", 0600);
    e = ppg_snapshot_load(test_in_scratch("ppg.conf"), &s, &errs);
    if (e)
        (void)fprintf(stderr, "%s\n", errs.text[0]);
    MUST(e == ERR_OK);
    return s;
}

#endif
