/* groups.conf and member files: what becomes of a section, who is found by which name, each mistake with its place. */
#include "ppg/config/groups.h"

#include <stdlib.h>
#include "tests/unit/harness.h"

struct fixture {
    struct ppg_config_errors errs;
    struct ppg_load load;
    struct ppg_groups *groups;
};

static struct fixture *read_text(const char *text)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (!f)
        abort();
    f->load.errs = &f->errs;
    test_write_file("groups.conf", text, 0644);
    ppg_groups_read(&f->load, test_in_scratch("groups.conf"), &f->groups);
    return f;
}

static void forget(struct fixture *f)
{
    ppg_groups_free(&f->groups);
    free(f);
}

static void sections(void)
{
    static const char *const want[] = {"+15550100", "sip:alice@example.net", "+1555", "bob@example.net"};
    const struct ppg_group *g;
    struct fixture *f;

    test_write_file("list", "# people\n\n+1-555\r\n  tel:+15550100 \nbob@EXAMPLE.net", 0644);
    f = read_text(
        "[group staff]\nmember = tel:+1-555-0100\nmember = sips:alice@Example.NET:5061\nfile = list\n"
        "[group nobody]\n[group push_all]\nbare = yes\nfile = list\nfile = list\n");
    CU_ASSERT_EQUAL(f->errs.n, 0);
    g = ppg_groups_find(f->groups, SLICE("$staff"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(g);
    TEST_SLICE_EQ(g->name, SLICE("staff"));
    CU_ASSERT_FATAL(g->members_n == COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++)
        TEST_SLICE_EQ(g->members[i], slice_str(want[i]));
    g = ppg_groups_find(f->groups, SLICE("$nobody"));
    CU_ASSERT(g && g->members_n == 0);
    g = ppg_groups_find(f->groups, SLICE("push_all"));
    CU_ASSERT(g && g->bare && g->members_n == 3 && g == ppg_groups_find(f->groups, SLICE("$push_all")));
    forget(f);
}

static void names_that_find_nothing(void)
{
    static const char *const rows[] = {"",        "$",       "staff",     "$Staff",
                                       "$staff ", "$$staff", "+15550100", "$push_all2"};
    struct fixture *f = read_text("[group staff]\nmember = +15550100\n[group push_all]\nbare = yes\n");

    CU_ASSERT_EQUAL(f->errs.n, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_PTR_NULL(ppg_groups_find(f->groups, slice_str(rows[i])));
        CU_ASSERT_PTR_NULL(ppg_groups_find(NULL, slice_str(rows[i])));
    }
    forget(f);
    f = read_text("# none\n");
    CU_ASSERT_PTR_NULL(ppg_groups_find(f->groups, SLICE("$staff")));
    forget(f);
}

#define NAME "not a name of 1 to 64 letters, digits, dots, dashes and underscores"

static void mistakes(void)
{
    static const struct {
        const char *text, *ends; /* of the one mistake */
    } rows[] = {
        {"member = +1", ":1: member: stands before any section"},
        {"[staff]\n", ":1: staff: sections here are [group NAME]"},
        {"[terminal +1]\n", ":1: terminal +1: sections here are [group NAME]"},
        {"[group $staff]\nmember = +1", ":1: $staff: " NAME},
        {"[group a b]\n", ":1: a b: " NAME},
        {"[group a/b]\n", ":1: a/b: " NAME},
        {"[group caf\xc3\xa9]\n", ": " NAME},
        {"[group a]\n[group a]\n", ":2: a: already described"},
        {"[group a]\nmember =\n", ":2: member: empty"},
        {"[group a]\nmember = +1 2\n", ":2: +1 2: not an address"},
        {"[group a]\nmember = sip:\n", ":2: sip:: not an address"},
        {"[group a]\nmember = $b\n", ":2: $b: a group is no member of a group"},
        {"[group a]\nmembers = +1\n", ":2: members: unknown key, did you mean member?"},
        {"[group a]\nbare = perhaps\n", ":2: bare: yes or no"},
        {"[group a]\nbare = yes\nbare = yes\n", ":3: bare: already set in this section"},
        {"[group a]\nfile =\n", ":2: file: empty"},
        {"[group a]\nfile = gone\n", "gone: No such file or directory"},
        {"[group a]\nfile = bad\n", "/bad:3: no address: not an address"},
        {"[group a]\nfile = nested\n", "/nested:1: $b: a group is no member of a group"},
    };

    test_write_file("bad", "# one\n+1\nno address\n", 0644);
    test_write_file("nested", "$b\n", 0644);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *f = read_text(rows[i].text);

        test_row(i);
        CU_ASSERT_EQUAL(f->errs.n, 1);
        CU_ASSERT(slice_ends(slice_str(f->errs.text[0]), slice_str(rows[i].ends)));
        forget(f);
    }
}

static void write_numbers(const char *name, unsigned from, unsigned n)
{
    FILE *f = fopen(test_in_scratch(name), "we");

    if (!f)
        abort();
    for (unsigned i = 0; i < n; i++)
        (void)fprintf(f, "+1%08u\n", from + i);
    (void)fclose(f);
}

static void ceiling_of_a_group(void)
{
    struct fixture *f;

    write_numbers("many", 0, PPG_GROUP_MEMBERS_MAX);
    f = read_text("[group a]\nfile = many\nmember = +100000000\n");
    CU_ASSERT_EQUAL(f->errs.n, 0);
    CU_ASSERT(ppg_groups_find(f->groups, SLICE("$a"))->members_n == PPG_GROUP_MEMBERS_MAX);
    forget(f);
    write_numbers("many", 0, PPG_GROUP_MEMBERS_MAX + 50);
    f = read_text("[group a]\nfile = many\nmember = +2\n");
    CU_ASSERT_EQUAL(f->errs.n, 1);
    CU_ASSERT(
        slice_ends(slice_str(f->errs.text[0]), SLICE("/many:10001: member: more than 10000 in one group")));
    forget(f);
}

static void ceiling_of_all(void)
{
    struct buf text;
    struct fixture *f;

    write_numbers("many", 0, PPG_GROUP_MEMBERS_MAX);
    buf_init(&text, 1u << 16);
    for (unsigned i = 0; i < PPG_GROUPS_MEMBERS_MAX / PPG_GROUP_MEMBERS_MAX; i++)
        buf_addf(&text, "[group g%u]\nfile = many\n", i);
    buf_add_ch(&text, '\0');
    f = read_text(text.p);
    CU_ASSERT_EQUAL(f->errs.n, 0);
    forget(f);
    buf_cut(&text, text.n - 1);
    buf_addf(&text, "[group one]\nmember = +1\n%c", '\0');
    f = read_text(text.p);
    CU_ASSERT_EQUAL(f->errs.n, 1);
    CU_ASSERT(slice_ends(slice_str(f->errs.text[0]), SLICE(":202: member: more than 1000000 in all groups")));
    forget(f);
    buf_clear(&text);
}

const struct test_case test_cases[] = {
    {"sections", sections},
    {"names_that_find_nothing", names_that_find_nothing},
    {"mistakes", mistakes},
    {"ceiling_of_a_group", ceiling_of_a_group},
    {"ceiling_of_all", ceiling_of_all},
    {NULL, NULL},
};
