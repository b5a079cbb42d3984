/* INI text to lines: what is a key, a section or a comment, with which line number, and how mistakes are told. */
#include "tests/unit/harness.h"

#include <stdlib.h>
#include <unistd.h>
#include "ppg/config/ini.h"

/* What the reader says, one line each: "N [section] key=value", then the mistakes. */
struct heard {
    struct buf text;
    struct ppg_config_errors errs;
    struct ppg_load load;
};

static void hear(const struct ppg_ini_line *line, void *arg)
{
    struct heard *h = arg;

    buf_addf(&h->text, "%u [%.*s] %.*s=%.*s\n", line->at.line, SLICE_FMT(line->section), SLICE_FMT(line->key),
             SLICE_FMT(line->value));
}

static struct heard *listen_to(struct slice text)
{
    struct heard *h = calloc(1, sizeof *h);

    if (!h)
        abort();
    h->load.errs = &h->errs;
    buf_init(&h->text, 1 << 20);
    ppg_ini_read(&h->load, text, "f", hear, h);
    for (size_t i = 0; i < h->errs.n; i++)
        buf_addf(&h->text, "%s\n", h->errs.text[i]);
    return h;
}

static void forget(struct heard *h)
{
    buf_clear(&h->text);
    free(h);
}

#define NEITHER "neither [section] nor key = value\n"

static const struct {
    const char *in, *want;
} rows[] = {
    {"", ""},
    {"\n\n", ""},
    {"# a\n; b\n  # c", ""},
    {"a=1", "1 [] a=1\n"},
    {"a = 1\r\nb=2\r\n", "1 [] a=1\n2 [] b=2\n"},
    {"a: 1", "1 [] a=1\n"},
    {"a =", "1 [] a=\n"},
    {"a = # nothing", "1 [] a=\n"},
    {"a = 1 # one\nb = 1 ; one\nc = 1#1\nd = 1;1\n", "1 [] a=1\n2 [] b=1\n3 [] c=1#1\n4 [] d=1;1\n"},
    {"a = https://h/*   # why", "1 [] a=https://h/*\n"},
    {"a = b = c : d", "1 [] a=b = c : d\n"},
    {"[s]", "1 [s] =\n"},
    {"[s]\n[t]\n", "1 [s] =\n2 [t] =\n"},
    {"\n[ s t ] # why\n  a = 1\n  b = 2\n", "2 [s t] =\n3 [s t] a=1\n4 [s t] b=2\n"},
    {"\xef\xbb\xbf[s]\na=1", "1 [s] =\n2 [s] a=1\n"},
    {"[012345678901234567890123456789012345678901234567890123456789]\na=1",
     "1 [012345678901234567890123456789012345678901234567890123456789] =\n"
     "2 [012345678901234567890123456789012345678901234567890123456789] a=1\n"},
    {"a=1\na=2\n", "1 [] a=1\n2 [] a=2\n"}, /* who reads decides what twice means */
    {"a", "f:1: " NEITHER},
    {"a\nb=1\nc", "2 [] b=1\nf:1: " NEITHER "f:3: " NEITHER},
    {"= 1", "f:1: " NEITHER},
    {"[s\na=1", "2 [] a=1\nf:1: a section is written [name]\n"},
    {"[s] a=1", "f:1: a section is written [name]\n"},
    {"a=\x01", "f:1: control character\n"},
    {"a=1\rb=2", "f:1: control character\n"},
};

static void test_rows(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct heard *h = listen_to(slice_str(rows[i].in));

        test_row(i);
        TEST_SLICE_EQ(buf_slice(&h->text), slice_str(rows[i].want));
        CU_ASSERT_EQUAL(h->load.err, h->errs.n ? ERR_MALFORMED : ERR_OK);
        forget(h);
    }
}

static void test_nul(void)
{
    struct heard *h = listen_to(SLICE("a=1\0b=2\nc=3"));

    TEST_SLICE_EQ(buf_slice(&h->text), SLICE("2 [] c=3\nf:1: control character\n"));
    forget(h);
}

/* The longest line goes through whole; one octet more is refused, not cut. */
static void test_long_line(void)
{
    for (size_t extra = 0; extra < 2; extra++) {
        struct buf text;
        struct heard *h;

        buf_init(&text, 2 * PPG_INI_LINE_MAX_N);
        buf_add_str(&text, "a=");
        while (text.n < PPG_INI_LINE_MAX_N + extra)
            buf_add_ch(&text, 'x');
        h = listen_to(buf_slice(&text));
        CU_ASSERT_EQUAL(h->errs.n, extra);
        CU_ASSERT_EQUAL(slice_starts(buf_slice(&h->text), SLICE("1 [] a=xxx")), !extra);
        if (!extra)
            CU_ASSERT_EQUAL(h->text.n, PPG_INI_LINE_MAX_N + sizeof "1 [] " - 1 + sizeof "\n" - 1);
        forget(h);
        buf_clear(&text);
    }
}

static void test_many_mistakes(void)
{
    struct buf text;
    struct heard *h;

    buf_init(&text, 1000);
    for (size_t i = 0; i < PPG_CONFIG_ERRORS_MAX + 3; i++)
        buf_add_str(&text, "x\n");
    h = listen_to(buf_slice(&text));
    CU_ASSERT_EQUAL(h->errs.n, PPG_CONFIG_ERRORS_MAX);
    CU_ASSERT_EQUAL(h->errs.more, 3);
    CU_ASSERT_STRING_EQUAL(h->errs.text[PPG_CONFIG_ERRORS_MAX - 1],
                           "f:50: neither [section] nor key = value");
    forget(h);
    buf_clear(&text);
}

/* Peer text of any length fits its place. */
static void test_long_names(void)
{
    static char name[2000];
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);
    struct ppg_load load = {.errs = errs};

    for (size_t i = 0; i + 1 < sizeof name; i++)
        name[i] = 'x';
    ppg_load_say(&load, ERR_IO, (struct ppg_place){name, UINT32_MAX}, slice_str(name), "%s", name);
    ppg_load_say(&load, ERR_MALFORMED, (struct ppg_place){"f", 0}, SLICE_NONE, "x");
    CU_ASSERT_EQUAL(errs->n, 2);
    CU_ASSERT(strlen(errs->text[0]) < sizeof errs->text[0] - 1);
    CU_ASSERT_STRING_EQUAL(errs->text[1], "f:0: x");
    CU_ASSERT_EQUAL(load.err, ERR_IO);
    free(errs);
}

static const struct {
    const char *word, *want; /* of the names below */
} near_rows[] = {
    {"body-max", "f:3: body-max: unknown key, did you mean body-max?"},
    {"body_max", "f:3: body_max: unknown key, did you mean body-max?"},
    {"bodymax", "f:3: bodymax: unknown key, did you mean body-max?"},
    {"body-maxx", "f:3: body-maxx: unknown key, did you mean body-max?"},
    {"listne", "f:3: listne: unknown key, did you mean listen?"},
    {"relam", "f:3: relam: unknown key, did you mean realm?"},
    {"x", "f:3: x: unknown key"},
    {"abc", "f:3: abc: unknown key"},
    {"memory-limit", "f:3: memory-limit: unknown key"},
    {"0123456789012345678901234567890123456789-body-max",
     "f:3: 0123456789012345678901234567890123456789-body-max: unknown key"},
};

static void test_nearest(void)
{
    static const char *const names[] = {"listen", "body-max", "realm"};
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);
    struct ppg_load load = {.errs = errs};
    struct ppg_ini_line line = {.at = {"f", 3}};

    for (size_t i = 0; i < COUNT(near_rows); i++) {
        test_row(i);
        errs->n = 0;
        ppg_load_say_unknown(&load, &line, "key", slice_str(near_rows[i].word), names, sizeof names[0],
                             COUNT(names));
        CU_ASSERT_STRING_EQUAL(errs->text[0], near_rows[i].want);
    }
    free(errs);
}

static const struct {
    const char *file, *name, *want;
} paths[] = {
    {"/etc/ppg/ppg.conf", "a.pem", "/etc/ppg/a.pem"},
    {"/etc/ppg/ppg.conf", "/a.pem", "/a.pem"},
    {"ppg.conf", "a.pem", "a.pem"},
    {"conf/ppg.conf", "tls/a.pem", "conf/tls/a.pem"},
    {"/ppg.conf", "a.pem", "/a.pem"},
};

static void test_paths(void)
{
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct buf out;

        test_row(i);
        buf_init(&out, 100);
        ppg_load_path(paths[i].file, slice_str(paths[i].name), &out);
        CU_ASSERT_STRING_EQUAL(out.p, paths[i].want);
        buf_clear(&out);
    }
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");

    if (!f || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path, mode) != 0)
        abort();
}

/* Missing, too long, open to others, not a file; then good. */
static void test_files(void)
{
    static const struct {
        const char *name;
        size_t max_n;
        unsigned forbidden;
        enum err want;
        const char *what; /* how the mistake ends */
    } files[] = {
        {"open", 4, 0, ERR_OK, ""},
        {"tight", 4, 0077, ERR_OK, ""},
        {"open", 3, 0, ERR_LIMIT, "open is too long: at most 3 octets"},
        {"open", 4, 0077, ERR_DENIED, "open is open to others: mode 0644, at most 0600"},
        {"open", 4, 0007, ERR_DENIED, "open is open to others: mode 0644, at most 0640"},
        {"none", 4, 0, ERR_IO, "none: No such file or directory"},
        {".", 4, 0, ERR_IO, ". is not a file"},
    };
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);
    char path[600];

    (void)snprintf(path, sizeof path, "%s/open", test_scratch());
    write_file(path, "text", 0644);
    (void)snprintf(path, sizeof path, "%s/tight", test_scratch());
    write_file(path, "text", 0600);
    for (size_t i = 0; i < COUNT(files); i++) {
        struct ppg_load load = {.errs = errs};
        struct buf text;

        test_row(i);
        errs->n = 0;
        buf_init(&text, 0);
        (void)snprintf(path, sizeof path, "%s/%s", test_scratch(), files[i].name);
        CU_ASSERT_EQUAL(ppg_load_file(&load, path, files[i].max_n, files[i].forbidden,
                                      (struct ppg_place){"f", 9}, SLICE("key"), &text),
                        files[i].want);
        CU_ASSERT_EQUAL(load.err, files[i].want);
        CU_ASSERT(errs->n == 0 || (slice_starts(slice_str(errs->text[0]), SLICE("f:9: key: ")) &&
                                   slice_ends(slice_str(errs->text[0]), slice_str(files[i].what))));
        TEST_SLICE_EQ(buf_slice(&text), files[i].want ? SLICE_NONE : SLICE("text"));
        buf_clear(&text);
    }
    free(errs);
}

const struct test_case test_cases[] = {
    {"rows", test_rows},
    {"nul", test_nul},
    {"long_line", test_long_line},
    {"many_mistakes", test_many_mistakes},
    {"long_names", test_long_names},
    {"nearest", test_nearest},
    {"paths", test_paths},
    {"files", test_files},
    {NULL, NULL},
};
