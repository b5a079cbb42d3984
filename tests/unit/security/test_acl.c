/* Access control lists on a tree (DM-17): inheritance, override, wildcards; bad text; random trees against a walk over
 * all lists. */
#include "security/rules/acl.h"

#include <stdio.h>
#include "tests/unit/harness.h"

struct line {
    const char *path, *list;
};

static void tree_of(struct sec_acl *a, struct arena *mem, const struct line *lines, size_t n)
{
    sec_acl_init(a, 1000);
    arena_init(mem, 1024, 1u << 20);
    for (size_t i = 0; i < n; i++) {
        MUST(!sec_acl_check(slice_str(lines[i].path), slice_str(lines[i].list)));
        MUST(sec_acl_add(a, mem, slice_str(lines[i].path), slice_str(lines[i].list), (uint32_t)i + 1) ==
             ERR_OK);
    }
}

static const struct line tree[] = {
    /* 1 */ {"/push", "Get=auditor"},
    /* 2 */ {"/push/bank", "Get=desk+ops&Delete=ops"},
    /* 3 */ {"/push/bank/loan-*", "Get=loans"},
    /* 4 */ {"/push/bank/loan-7*", "Delete=*"},
    /* 5 */ {"/push/bank/loan-77", "Get=*&Delete=desk"},
    /* 6 */ {"/push/open", "Get=*"},
    /* 7 */ {"/push/open/*", "Get=loans"},
};
static const struct {
    enum sec_acl_command command;
    const char *who, *owner, *id;
    bool allow;
    uint32_t line;
} tree_rows[] = {
    /* the list above is inherited where there is none */
    {SEC_ACL_GET, "auditor", "news", "1@n", true, 1},
    {SEC_ACL_DELETE, "auditor", "news", "1@n", false, 1},
    {SEC_ACL_GET, "desk", "news", "1@n", false, 1},
    {SEC_ACL_GET, "desk", "bank", "1@b", true, 2},
    {SEC_ACL_GET, "ops", "bank", "", true, 2},
    {SEC_ACL_DELETE, "ops", "bank", "1@b", true, 2},
    {SEC_ACL_DELETE, "desk", "bank", "1@b", false, 2},
    /* a nearer list overrides whole: who stood above has lost it, for commands it does not name too */
    {SEC_ACL_GET, "auditor", "bank", "1@b", false, 2},
    {SEC_ACL_GET, "desk", "bank", "loan-1", false, 3},
    {SEC_ACL_DELETE, "ops", "bank", "loan-1", false, 3},
    {SEC_ACL_GET, "loans", "bank", "loan-1", true, 3},
    {SEC_ACL_GET, "loans", "bank", "loan-", true, 3},
    {SEC_ACL_GET, "loans", "bank", "loan", false, 2},
    {SEC_ACL_DELETE, "anyone", "bank", "loan-71", true, 4},
    {SEC_ACL_GET, "loans", "bank", "loan-71", false, 4},
    {SEC_ACL_GET, "anyone", "bank", "loan-77", true, 5},
    {SEC_ACL_DELETE, "anyone", "bank", "loan-77", false, 5},
    {SEC_ACL_DELETE, "anyone", "bank", "loan-777", true, 4},
    /* "*" for names, and for ids */
    {SEC_ACL_GET, "anyone", "open", "x", false, 7},
    {SEC_ACL_GET, "loans", "open", "x", true, 7},
    {SEC_ACL_GET, "loans", "open", "", true, 7},
    /* names are whole, and told apart by case */
    {SEC_ACL_GET, "des", "bank", "1@b", false, 2},
    {SEC_ACL_GET, "desk+ops", "bank", "1@b", false, 2},
    {SEC_ACL_GET, "Desk", "bank", "1@b", false, 2},
    {SEC_ACL_GET, "", "bank", "1@b", false, 2},
    {SEC_ACL_GET, "desk", "Bank", "1@b", false, 1},
    /* an id is no way up or down the tree */
    {SEC_ACL_GET, "anyone", "bank", "../open", false, 2},
    {SEC_ACL_GET, "anyone", "bank/loan-77", "", false, 1},
};

static void test_inherit_override_wildcard(void)
{
    struct sec_acl a;
    struct arena mem;

    tree_of(&a, &mem, tree, COUNT(tree));
    for (size_t i = 0; i < COUNT(tree_rows); i++) {
        uint32_t line = 99;

        test_row(i);
        CU_ASSERT(sec_acl_allows(&a, tree_rows[i].command, slice_str(tree_rows[i].who),
                                 slice_str(tree_rows[i].owner), slice_str(tree_rows[i].id),
                                 &line) == tree_rows[i].allow);
        CU_ASSERT(line == tree_rows[i].line);
    }
    sec_acl_clear(&a);
    arena_clear(&mem);
}

static void test_none_is_nobody(void)
{
    struct sec_acl a;
    struct arena mem;
    uint32_t line = 99;
    char longest[400];

    memset(longest, 'x', sizeof longest);
    tree_of(&a, &mem, NULL, 0);
    CU_ASSERT(!sec_acl_allows(&a, SEC_ACL_GET, SLICE("a"), SLICE("b"), SLICE("1"), &line) && line == 0);
    CU_ASSERT(!sec_acl_any(&a, SEC_ACL_GET, SLICE("a")));
    CU_ASSERT(
        !sec_acl_allows(&a, SEC_ACL_GET, SLICE("a"), slice_of(longest, 400), slice_of(longest, 400), &line));
    sec_acl_clear(&a);
    arena_clear(&mem);
}

static void test_any(void)
{
    static const struct line lines[] = {{"/push/a", "Get=x+y&Delete=y"}, {"/push/b/i", "Get=z"}};
    static const struct line open[] = {{"/push/a", "Delete=*"}};
    struct sec_acl a;
    struct arena mem;

    tree_of(&a, &mem, lines, COUNT(lines));
    CU_ASSERT(sec_acl_any(&a, SEC_ACL_GET, SLICE("x")) && !sec_acl_any(&a, SEC_ACL_DELETE, SLICE("x")));
    CU_ASSERT(sec_acl_any(&a, SEC_ACL_GET, SLICE("z")) && sec_acl_any(&a, SEC_ACL_DELETE, SLICE("y")));
    CU_ASSERT(!sec_acl_any(&a, SEC_ACL_GET, SLICE("a")));
    CU_ASSERT(sec_acl_add(&a, &mem, SLICE("/push/a"), SLICE("Get=q"), 9) == ERR_EXISTS);
    sec_acl_clear(&a);
    arena_clear(&mem);
    tree_of(&a, &mem, open, COUNT(open));
    CU_ASSERT(sec_acl_any(&a, SEC_ACL_DELETE, SLICE("q")) && !sec_acl_any(&a, SEC_ACL_GET, SLICE("q")));
    sec_acl_clear(&a);
    arena_clear(&mem);
}

static void test_check_refused(void)
{
    static const struct line rows[] = {
        {"", "Get=a"},
        {"push", "Get=a"},
        {"/", "Get=a"},
        {"/Push", "Get=a"},
        {"/push/", "Get=a"},
        {"/pushes", "Get=a"},
        {"/push/*", "Get=a"},
        {"/push/a/", "Get=a"},
        {"/push//i", "Get=a"},
        {"/push/a/*i", "Get=a"},
        {"/push/a/i**", "Get=a"},
        {"/push/a+b", "Get=a"},
        {"/push/a&b", "Get=a"},
        {"/push", ""},
        {"/push", "Get"},
        {"/push", "Get="},
        {"/push", "Get=a&"},
        {"/push", "&Get=a"},
        {"/push", "Get=a+"},
        {"/push", "Get=+a"},
        {"/push", "Get=a++b"},
        {"/push", "Get=a+*"},
        {"/push", "Get=a*"},
        {"/push", "get=a"},
        {"/push", "Replace=a"},
        {"/push", "Get=a&Get=b"},
        {"/push", "Get=a,b"},
        {"/push", "Get=a&&Delete=b"},
        {"/push", "Get=a Delete=b"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(sec_acl_check(slice_str(rows[i].path), slice_str(rows[i].list)) != NULL);
    }
    CU_ASSERT(!sec_acl_check(SLICE("/push/a/b/c"), SLICE("Get=a"))); /* ids may have a slash */
}

static unsigned random_of(unsigned *state, unsigned n)
{
    *state = *state * 1103515245u + 12345u;
    return (*state >> 16) % n;
}

/* How near a path is to a push: its length, 0 when it is not above it at all. */
static size_t nearness(const char *path, const char *full)
{
    size_t n = strlen(path);

    if (strcmp(path, full) == 0)
        return 1000;
    if (path[n - 1] == '*')
        return strncmp(path, full, n - 1) == 0 ? n : 0;
    return strncmp(path, full, n) == 0 && full[n] == '/' ? n : 0;
}

static void test_naive_twin(void)
{
    static const char *const paths[] = {"/push",       "/push/a",    "/push/b",    "/push/a/x", "/push/a/x*",
                                        "/push/a/xy*", "/push/a/xy", "/push/b/x*", "/push/a/*"};
    static const char *const lists[] = {"Get=p", "Get=q&Delete=p", "Get=*", "Delete=q+p", "Delete=*&Get=q+r"};
    static const char *const ids[] = {"x", "xy", "xyz", "y", "", "x*"};
    static const char *const names[] = {"p", "q", "r"};
    unsigned state = 7;

    for (size_t round = 0; round < 400; round++) {
        struct line lines[COUNT(paths)];
        struct sec_acl a;
        struct arena mem;
        size_t n = 0;

        for (size_t i = 0; i < COUNT(paths); i++)
            if (random_of(&state, 2))
                lines[n++] = (struct line){paths[i], lists[random_of(&state, COUNT(lists))]};
        tree_of(&a, &mem, lines, n);
        for (size_t k = 0; k < COUNT(ids) * 2 * 3 * 2; k++) {
            const char *id = ids[k % 6], *owner = k / 6 % 2 ? "a" : "b", *who = names[k / 12 % 3];
            const char *list = "", *command = k / 36 ? "Delete=" : "Get=", *at;
            char full[64];
            size_t best = 0;
            uint32_t want = 0, line;
            bool allow = false;

            (void)snprintf(full, sizeof full, "/push/%s/%s", owner, id);
            for (size_t i = 0; i < n; i++)
                if (nearness(lines[i].path, full) > best) {
                    best = nearness(lines[i].path, full);
                    want = (uint32_t)i + 1;
                    list = lines[i].list;
                }
            for (at = strstr(list, command) ? strstr(list, command) + strlen(command) : ""; *at && *at != '&';
                 at++)
                allow = allow || *at == *who || *at == '*';
            test_row(round * 100 + k);
            CU_ASSERT(sec_acl_allows(&a, k / 36 ? SEC_ACL_DELETE : SEC_ACL_GET, slice_str(who),
                                     slice_str(owner), slice_str(id), &line) == allow);
            CU_ASSERT(line == want);
        }
        sec_acl_clear(&a);
        arena_clear(&mem);
    }
}

const struct test_case test_cases[] = {
    {"inherit_override_wildcard", test_inherit_override_wildcard},
    {"none_is_nobody", test_none_is_nobody},
    {"any", test_any},
    {"check_refused", test_check_refused},
    {"naive_twin", test_naive_twin},
    {NULL, NULL},
};
