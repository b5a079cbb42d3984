/* The log as a whole: levels, counts, both sinks, a full queue, a broken file, and many threads. */
#include "tests/unit/harness.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

static int open_file(void)
{
    char path[400];
    int fd;

    (void)snprintf(path, sizeof path, "%s/log", test_scratch());
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    return fd;
}

/* What the file holds by now; free with free(). */
static char *content(int fd)
{
    off_t n = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)n + 1);

    CU_ASSERT_FATAL(text && pread(fd, text, (size_t)n, 0) == n);
    return text;
}

static size_t lines_with(int fd, const char *what)
{
    char *text = content(fd);
    struct slice line, left = slice_str(text);
    size_t n = 0;

    while (slice_cut(left, '\n', &line, &left))
        n += slice_find_slice(line, slice_str(what)) != SIZE_MAX;
    free(text);
    return n;
}

static struct log *log_to(int fd, enum log_level level, enum log_format format, size_t queue_n,
                          const struct clk *clk)
{
    const struct log_conf conf = {level, format, LOG_HASHED, fd, queue_n};
    struct log *log = NULL;

    CU_ASSERT_FATAL(log_create(&conf, clk, &log) == ERR_OK && log);
    return log;
}

static void test_levels(void)
{
    for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
        int fd = open_file();
        struct log *log = log_to(fd, (enum log_level)level, LOG_TEXT, 0, &clk_real);

        test_row((size_t)level);
        LOG(log, LOG_ERROR, "t.error");
        LOG(log, LOG_WARN, "t.warn", LOG_I("n", 1));
        LOG(log, LOG_INFO, "t.info");
        LOG(log, LOG_DEBUG, "t.debug", LOG_C("a", "b"), LOG_B("c", 1));
        CU_ASSERT_EQUAL(lines_with(fd, "level="), (size_t)level + 1);
        CU_ASSERT_EQUAL(log_count(log, "t.error"), 1);
        CU_ASSERT_EQUAL(log_count(log, "t.debug"), 1);
        log_free(&log);
        CU_ASSERT_PTR_NULL(log);
        (void)close(fd);
    }
}

static void test_set(void)
{
    struct clk_virtual v;
    int fd = open_file();
    struct log *log;
    char *text;

    clk_virtual_init(&v, 1769860800123);
    log = log_to(fd, LOG_ERROR, LOG_TEXT, 0, &v.clk);
    LOG(log, LOG_INFO, "t.quiet");
    log_set(log, LOG_DEBUG, LOG_JSON, LOG_WHOLE);
    LOG(log, LOG_DEBUG, "t.loud", LOG_A("to", slice_str("+15551234567")));
    log_set(log, LOG_DEBUG, LOG_TEXT, LOG_LAST_FOUR);
    clk_virtual_advance(&v, 1000);
    LOG(log, LOG_DEBUG, "t.loud", LOG_A("to", slice_str("+15551234567")));
    text = content(fd);
    CU_ASSERT_STRING_EQUAL(text,
                           "{\"time\":\"2026-01-31T12:00:00.123Z\",\"level\":\"debug\",\"event\":\"t.loud\","
                           "\"to\":\"+15551234567\"}\n"
                           "2026-01-31T12:00:01.123Z level=debug event=t.loud to=*4567\n");
    free(text);
    log_free(&log);
    (void)close(fd);
}

static bool upside_down(void *arg, struct slice identity, char out[LOG_TOKEN_N])
{
    size_t *calls = arg;

    ++*calls;
    for (size_t i = 0; i < LOG_TOKEN_N; i++)
        out[i] = i < identity.n ? identity.p[identity.n - 1 - i] : '0';
    return true;
}

/* Nobody is named before there are tokens nor behind them; what is not written costs no hash. */
static void test_tokens(void)
{
    const struct slice who = SLICE("+15551234567");
    char token[LOG_TOKEN_N];
    size_t calls = 0;
    int fd = open_file();
    struct log *log = log_to(fd, LOG_INFO, LOG_TEXT, 0, &clk_real);

    CU_ASSERT_FALSE(log_token(log, who, token));
    LOG(log, LOG_INFO, "t.early", LOG_A("to", who));
    log_set_tokens(log, upside_down, &calls);
    LOG(log, LOG_INFO, "t.known", LOG_A("to", who));
    LOG(log, LOG_DEBUG, "t.quiet", LOG_A("to", who));
    CU_ASSERT_EQUAL(calls, 1);
    CU_ASSERT_TRUE(log_token(log, who, token));
    TEST_SLICE_EQ(slice_of(token, sizeof token), SLICE("76543215551+"));
    log_set(log, LOG_INFO, LOG_JSON, LOG_WHOLE);
    LOG(log, LOG_INFO, "t.whole", LOG_A("to", who), LOG_U("as", who));
    log_set(log, LOG_INFO, LOG_TEXT, LOG_HASHED);
    log_set_tokens(log, NULL, NULL);
    LOG(log, LOG_INFO, "t.late", LOG_A("to", who));
    CU_ASSERT_EQUAL(lines_with(fd, "event=t.early to=*"), 1);
    CU_ASSERT_EQUAL(lines_with(fd, "event=t.known to=76543215551+"), 1);
    CU_ASSERT_EQUAL(lines_with(fd, "\"to\":\"+15551234567\",\"as\":\"76543215551+\"}"), 1);
    CU_ASSERT_EQUAL(lines_with(fd, "event=t.late to=*"), 1);
    CU_ASSERT_FALSE(log_token(NULL, who, token));
    log_free(&log);
    (void)close(fd);
}

/* To another file and back, while lines are queued: none is lost, and none stands in both. */
static void test_move(void)
{
    char path[400];
    int first = open_file(), second;
    struct log *log = log_to(dup(first), LOG_INFO, LOG_TEXT, 4096, &clk_real);

    (void)snprintf(path, sizeof path, "%s/moved", test_scratch());
    second = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    CU_ASSERT_FATAL(second >= 0);
    for (int round = 0; round < 6; round++) {
        LOG(log, LOG_INFO, "t.before");
        log_flush(log);
        CU_ASSERT_EQUAL(log_move(log, round % 2 ? first : second), ERR_OK);
        LOG(log, LOG_INFO, "t.behind");
    }
    CU_ASSERT_EQUAL(log_move(log, -1), ERR_IO);
    log_free(&log);
    CU_ASSERT_EQUAL(lines_with(first, "t.before"), 3);
    CU_ASSERT_EQUAL(lines_with(second, "t.before"), 3);
    CU_ASSERT_EQUAL(lines_with(first, "t.behind"), 3);
    CU_ASSERT_EQUAL(lines_with(second, "t.behind"), 3);
    (void)close(first);
    (void)close(second);
}

static void test_null(void)
{
    struct log *log = NULL;

    LOG(log, LOG_ERROR, "t.nobody", LOG_I("n", 1));
    log_flush(log);
    log_counts(log, NULL, NULL);
    CU_ASSERT_EQUAL(log_count(log, "t.nobody"), 0);
    log_free(&log);
    CU_ASSERT_PTR_NULL(log);
}

/* Names: with the same content and different addresses; more than the table holds. */
static char names[700][8];

static void sum_counts(const char *event, uint64_t count, void *arg)
{
    uint64_t *sums = arg;

    sums[0] += count;
    sums[1]++;
    if (strcmp(event, "log.other") == 0)
        sums[2] = count;
}

static void test_counts(void)
{
    struct log *log = log_to(-1, LOG_ERROR, LOG_TEXT, 0, &clk_real);
    char same[] = "n0";
    uint64_t sums[3] = {0, 0, 0};

    CU_ASSERT_EQUAL(log_count(log, "n0"), 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        (void)snprintf(names[i], sizeof names[i], "n%zu", i);
        for (size_t k = 0; k < 3; k++)
            LOG(log, LOG_DEBUG, names[i]);
    }
    LOG(log, LOG_INFO, same);
    CU_ASSERT_EQUAL(log_count(log, "n0"), 4);
    CU_ASSERT_EQUAL(log_count(log, "n511"), 3);
    CU_ASSERT_EQUAL(log_count(log, "n512"), 0);
    log_counts(log, sum_counts, sums);
    CU_ASSERT_EQUAL(sums[0], 3 * COUNT(names) + 1);
    CU_ASSERT_EQUAL(sums[1], 513);
    CU_ASSERT_EQUAL(sums[2], 3 * (COUNT(names) - 512));
    log_free(&log);
}

static void test_flush(void)
{
    int fd = open_file();
    struct log *log = log_to(fd, LOG_INFO, LOG_TEXT, 1 << 16, &clk_real);

    log_flush(log);
    for (size_t i = 1; i <= 300; i++) {
        LOG(log, LOG_INFO, "t.line", LOG_I("i", i));
        log_flush(log);
        test_row(i);
        CU_ASSERT_EQUAL(lines_with(fd, "event=t.line"), i);
    }
    LOG(log, LOG_INFO, "t.last");
    log_free(&log); /* without a flush */
    CU_ASSERT_EQUAL(lines_with(fd, "event=t.last"), 1);
    (void)close(fd);
}

/* A pipe nobody reads: it fills, then the queue fills, then lines are dropped and nobody waits. */
static size_t fill_until_dropped(struct log *log)
{
    size_t sent = 0;

    while (log_count(log, "log.dropped") < 500 && sent < 1000000) {
        LOG(log, LOG_INFO, "t.line", LOG_I("i", sent));
        sent++;
    }
    return sent;
}

struct reader {
    int fd;
    char *text;
    size_t n;
};

static void *read_all(void *arg)
{
    struct reader *r = arg;
    ssize_t got = 1;

    r->text = malloc(1 << 22);
    r->n = 0;
    while (r->text && got > 0 && r->n < 1 << 22) {
        got = read(r->fd, r->text + r->n, (1 << 22) - r->n);
        r->n += got > 0 ? (size_t)got : 0;
    }
    return NULL;
}

/* Counts t.line events and adds up what log.dropped says. */
static void tally(struct slice text, size_t *kept, size_t *dropped)
{
    struct slice line;

    *kept = *dropped = 0;
    while (slice_cut(text, '\n', &line, &text)) {
        json_t *j = json_loadb(line.p, line.n, 0, NULL);
        const char *event = json_string_value(json_object_get(j, "event"));

        CU_ASSERT_PTR_NOT_NULL_FATAL(event);
        if (strcmp(event, "log.dropped") == 0)
            *dropped += (size_t)json_integer_value(json_object_get(j, "lines"));
        else
            (*kept)++;
        json_decref(j);
    }
    CU_ASSERT_EQUAL(text.n, 0);
}

static void overflow(int flags)
{
    struct reader r = {.n = 0};
    size_t sent, kept, dropped;
    struct log *log;
    pthread_t reader;
    int ends[2];

    CU_ASSERT_FATAL(pipe2(ends, flags) == 0);
    log = log_to(ends[1], LOG_INFO, LOG_JSON, 4096, &clk_real);
    sent = fill_until_dropped(log);
    (void)fcntl(ends[0], F_SETFL, 0); /* only the log's end may be non-blocking */
    r.fd = ends[0];
    CU_ASSERT_FATAL(pthread_create(&reader, NULL, read_all, &r) == 0);
    log_flush(log);
    LOG(log, LOG_INFO, "t.line", LOG_I("i", sent++));
    CU_ASSERT_EQUAL(log_count(log, "t.line"), sent);
    dropped = log_count(log, "log.dropped");
    log_free(&log);
    (void)close(ends[1]);
    (void)pthread_join(reader, NULL);
    (void)close(ends[0]);
    CU_ASSERT(dropped >= 500);
    sent -= dropped;
    tally(slice_of(r.text, r.n), &kept, &dropped);
    CU_ASSERT_EQUAL(kept, sent);
    CU_ASSERT(dropped >= 500);
    free(r.text);
}

static void test_overflow(void)
{
    overflow(0);
    overflow(O_NONBLOCK);
}

struct late_reader {
    struct log *log;
    struct reader reader;
};

/* Reads only once the event is under way, and a little later than that. */
static void *read_late(void *arg)
{
    struct late_reader *late = arg;

    while (log_count(late->log, "t.line") == 0)
        (void)sched_yield();
    for (size_t i = 0; i < 1000; i++)
        (void)sched_yield();
    return read_all(&late->reader);
}

/* A file that says EAGAIN is waited for: the line is late, not lost. */
static void test_full_pipe_waits(void)
{
    struct late_reader late = {.log = NULL};
    pthread_t reader;
    int ends[2];

    CU_ASSERT_FATAL(pipe2(ends, O_NONBLOCK) == 0);
    while (write(ends[1], "\n", 1) == 1)
        continue;
    (void)fcntl(ends[0], F_SETFL, 0);
    late.reader.fd = ends[0];
    late.log = log_to(ends[1], LOG_INFO, LOG_TEXT, 0, &clk_real);
    CU_ASSERT_FATAL(pthread_create(&reader, NULL, read_late, &late) == 0);
    LOG(late.log, LOG_INFO, "t.line", LOG_I("i", 1));
    CU_ASSERT_EQUAL(log_count(late.log, "log.dropped"), 0);
    (void)close(ends[1]);
    (void)pthread_join(reader, NULL);
    log_free(&late.log);
    (void)close(ends[0]);
    CU_ASSERT_TRUE(slice_ends(slice_of(late.reader.text, late.reader.n), SLICE("event=t.line i=1\n")));
    free(late.reader.text);
}

static void test_line_longer_than_queue(void)
{
    int fd = open_file();
    struct log *log = log_to(fd, LOG_INFO, LOG_TEXT, 10, &clk_real);

    LOG(log, LOG_INFO, "t.line");
    LOG(log, LOG_INFO, "t.line");
    log_flush(log);
    CU_ASSERT_EQUAL(log_count(log, "log.dropped"), 2);
    log_free(&log); /* reports what nothing could carry before */
    CU_ASSERT_EQUAL(lines_with(fd, "event=log.dropped lines=2"), 1);
    (void)close(fd);
}

/* /dev/full refuses every write: lines are lost and counted, nobody hangs. */
static void test_broken_file(void)
{
    static const size_t queues[] = {0, 4096};

    for (size_t i = 0; i < COUNT(queues); i++) {
        int full = open("/dev/full", O_WRONLY);
        int good = open_file();
        struct log *log = log_to(full, LOG_INFO, LOG_TEXT, queues[i], &clk_real);

        test_row(i);
        for (size_t k = 0; k < 3; k++) {
            LOG(log, LOG_INFO, "t.lost");
            log_flush(log);
        }
        CU_ASSERT_EQUAL(log_count(log, "log.dropped"), 3);
        CU_ASSERT_FATAL(dup2(good, full) == full); /* the disk has room again */
        LOG(log, LOG_INFO, "t.kept");
        log_flush(log);
        CU_ASSERT_EQUAL(lines_with(good, "event=t.kept"), 1);
        CU_ASSERT_EQUAL(lines_with(good, "level=warn event=log.dropped lines=3"), 1);
        log_free(&log);
        (void)close(full);
        (void)close(good);
    }
}

/* A disk that is full in the middle of a line: what comes when there is room again begins a line of its own. */
static void test_torn_line(void)
{
    static const size_t queues[] = {0, 4096};
    struct rlimit whole, cut;

    (void)signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_FATAL(getrlimit(RLIMIT_FSIZE, &whole) == 0);
    for (size_t i = 0; i < COUNT(queues); i++) {
        int fd = open_file();
        struct log *log = log_to(fd, LOG_INFO, LOG_TEXT, queues[i], &clk_real);

        test_row(i);
        LOG(log, LOG_INFO, "t.first");
        log_flush(log);
        cut = whole;
        cut.rlim_cur = (rlim_t)lseek(fd, 0, SEEK_END) + 10;
        CU_ASSERT_FATAL(setrlimit(RLIMIT_FSIZE, &cut) == 0);
        for (size_t k = 0; k < 3; k++) {
            LOG(log, LOG_INFO, "t.lost");
            log_flush(log);
        }
        CU_ASSERT_FATAL(setrlimit(RLIMIT_FSIZE, &whole) == 0);
        LOG(log, LOG_INFO, "t.kept");
        log_flush(log);
        CU_ASSERT_EQUAL(lines_with(fd, "Z level=info event=t.kept"), 1);
        CU_ASSERT_EQUAL(lines_with(fd, "level=warn event=log.dropped lines=3"), 1);
        CU_ASSERT_EQUAL(lines_with(fd, ""), 4); /* with the torn one */
        log_free(&log);
        (void)close(fd);
    }
    (void)signal(SIGXFSZ, SIG_DFL);
}

#define THREADS 4
#define EACH    2000

static void *shout(void *arg)
{
    struct log *log = arg;

    for (size_t i = 0; i < EACH; i++) {
        LOG(log, LOG_INFO, "t.shout", LOG_I("i", i), LOG_C("text", "two words"));
        LOG(log, LOG_DEBUG, i % 2 ? "t.odd" : "t.even");
        if (i % 500 == 0)
            log_flush(log);
        if (i % 700 == 0)
            log_set(log, LOG_INFO, LOG_TEXT, i % 2 ? LOG_WHOLE : LOG_HASHED);
    }
    return NULL;
}

static void threads_into(size_t queue_n)
{
    int fd = open_file();
    struct log *log = log_to(fd, LOG_INFO, LOG_TEXT, queue_n, &clk_real);
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, shout, log) == 0);
    for (size_t i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(log_count(log, "t.shout"), THREADS * EACH);
    CU_ASSERT_EQUAL(log_count(log, "t.odd") + log_count(log, "t.even"), THREADS * EACH);
    CU_ASSERT_EQUAL(log_count(log, "log.dropped"), 0);
    log_free(&log);
    CU_ASSERT_EQUAL(lines_with(fd, "Z level=info event=t.shout i="), THREADS * EACH);
    CU_ASSERT_EQUAL(lines_with(fd, " text=\"two words\""), THREADS * EACH);
    CU_ASSERT_EQUAL(lines_with(fd, ""), THREADS * EACH);
    (void)close(fd);
}

static void test_threads(void)
{
    threads_into(0);
    threads_into(1 << 20);
}

const struct test_case test_cases[] = {
    {"levels", test_levels},
    {"set_while_open", test_set},
    {"tokens", test_tokens},
    {"move", test_move},
    {"null_log", test_null},
    {"counts", test_counts},
    {"flush_and_free_write_all", test_flush},
    {"queue_overflow_is_reported", test_overflow},
    {"full_pipe_waits", test_full_pipe_waits},
    {"line_longer_than_queue", test_line_longer_than_queue},
    {"broken_file", test_broken_file},
    {"torn_line", test_torn_line},
    {"threads", test_threads},
    {NULL, NULL},
};
