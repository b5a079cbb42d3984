/* A whitelist with an "@file" of one million numbers: how long it loads, what it holds, and what a decision costs
 * for addresses in random order, half of them listed.  Prints
 *     bench whitelist_load addresses=N seconds=S MiB=M
 *     bench whitelist_decide ns=N worst_thousand_ns=N */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "security/rules/whitelist.h"

#define ADDRESSES 1000000u
#define ASKED     2000000u
#define BATCH     1000u

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void write_files(const char *list, const char *addresses)
{
    FILE *f = fopen(list, "w");

    MUST(f);
    (void)fputs("deny * @numbers *\nallow mms +1555* mms.ua\nallow mms +1* *\nallow bank sip:*@example.net * "
                "protect=full\nonly mms +1555* mms.ua\nonly news +15550000001 *\n"
                "deny mms * * time=03:00-03:01 asked=full\nacl /push Get=desk\n",
                f);
    (void)fclose(f);
    f = fopen(addresses, "w");
    MUST(f);
    for (unsigned i = 0; i < ADDRESSES; i++)
        (void)fprintf(f, "+1555%07u\n", i * 2);
    (void)fclose(f);
}

static void decisions(const struct sec_whitelist *w)
{
    char text[16];
    struct sec_whitelist_query q = {
        .initiator = SLICE("mms"), .application = SLICE("mms.ua"), .type = SLICE("text/plain"), .size = 100};
    struct sec_whitelist_verdict v;
    unsigned state = 1, denied = 0;
    double start = now_s(), worst = 0;

    for (unsigned batch = 0; batch < ASKED / BATCH; batch++) {
        double before = now_s(), took;

        for (unsigned i = 0; i < BATCH; i++) {
            state = state * 1664525u + 1013904223u;
            q.recipient = slice_of(
                text, (size_t)snprintf(text, sizeof text, "+1555%07u", (state >> 8) % (2 * ADDRESSES)));
            sec_whitelist_decide(w, &q, &v);
            denied += !v.allow;
        }
        took = now_s() - before;
        worst = took > worst ? took : worst;
    }
    MUST(denied > ASKED / 3 && denied < ASKED / 3 * 2);
    (void)printf("bench whitelist_decide ns=%.0f worst_thousand_ns=%.0f\n", (now_s() - start) / ASKED * 1e9,
                 worst / BATCH * 1e9);
}

int main(void)
{
    char dir[] = "/tmp/bench-whitelist-XXXXXX", list[64], addresses[64];
    struct sec_whitelist *w;
    struct sec_load_error e;
    double start;

    MUST(mkdtemp(dir));
    (void)snprintf(list, sizeof list, "%s/list", dir);
    (void)snprintf(addresses, sizeof addresses, "%s/numbers", dir);
    write_files(list, addresses);
    start = now_s();
    MUST(sec_whitelist_load(&(struct sec_whitelist_source){.path = list}, &w, &e) == ERR_OK);
    (void)printf("bench whitelist_load addresses=%zu seconds=%.3f MiB=%.1f\n", sec_whitelist_addresses(w),
                 now_s() - start, (double)sec_whitelist_memory(w) / (1 << 20));
    decisions(w);
    sec_whitelist_free(&w);
    (void)unlink(list);
    (void)unlink(addresses);
    (void)rmdir(dir);
    return 0;
}
