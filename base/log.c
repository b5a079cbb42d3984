/* Counts events, prints those that are loud enough, and hands the lines to the sink.  Not for metrics: those are
 * read from the counts.  With a queue, callers copy their line under a mutex; the writer thread swaps the whole
 * queue for an empty one and writes outside the lock.  A line that finds the queue full is dropped, never waited
 * for.  Any thread. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log_line.h"
#include "base/mem.h"
#include "base/thread.h"

#define COUNTS_N 512 /* power of two; events beyond that many names count as "log.other" */

struct count {
    _Atomic(const char *) event; /* borrowed literal; NULL: free.  Set once */
    atomic_uint_fast64_t n;
};

struct log {
    const struct clk *clk;
    int fd;
    atomic_int level;
    atomic_int format;
    atomic_int identities;
    _Atomic(log_token_fn *) token; /* NULL: none */
    void *token_arg;               /* set before token is */
    atomic_bool torn;              /* the file ends in the middle of a line */
    struct count counts[COUNTS_N];
    struct count other;

    pthread_mutex_t lock; /* guards all below, and direct writes */
    uint64_t lost;        /* lines dropped and not yet reported */
    int64_t last_ms;      /* UTC of the newest line */
    bool threaded;        /* has a queue; fixed at create */
    bool stop;
    size_t queue_n;   /* octets of fill and of drain */
    size_t fill_n;    /* octets held in fill */
    char *fill;       /* where callers copy to */
    char *drain;      /* the writer's; only it touches the octets */
    uint64_t queued;  /* octets ever queued */
    uint64_t written; /* of those, octets no longer in memory */
    pthread_cond_t more;
    pthread_cond_t done;
    pthread_t writer;
};

/* FNV-1a: names are our own literals, nobody can make them collide. */
static size_t name_hash(const char *name)
{
    uint32_t h = 2166136261U;

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 16777619U;
    return h ^ h >> 16;
}

/* The counter of a name; adds one when there is room and `add`.  NULL: not there. */
static struct count *count_find(struct log *log, const char *event, bool add)
{
    size_t at = name_hash(event);

    for (size_t i = 0; i < COUNTS_N; i++) {
        struct count *c = &log->counts[(at + i) % COUNTS_N];
        const char *name = atomic_load_explicit(&c->event, memory_order_acquire);

        if (!name && !add)
            return NULL;
        if (!name && atomic_compare_exchange_strong(&c->event, &name, event))
            return c;
        if (name == event || strcmp(name, event) == 0) /* a lost exchange has put the winner in name */
            return c;
    }
    return add ? &log->other : NULL;
}

static void count_add(struct log *log, const char *event, uint64_t n)
{
    atomic_fetch_add_explicit(&count_find(log, event, true)->n, n, memory_order_relaxed);
}

/* Returns how many octets could not be written. */
static size_t write_all(int fd, struct slice s)
{
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);

        if (n >= 0)
            s = slice_sub(s, (size_t)n, s.n);
        else if (errno == EAGAIN)
            (void)poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        else if (errno != EINTR)
            break;
    }
    return s.n;
}

/* Returns how many octets could not be written.  Behind a line that a full disk cut off another one begins. */
static size_t put(struct log *log, struct slice s)
{
    size_t left;

    if (atomic_load(&log->torn) && write_all(log->fd, SLICE("\n")))
        return s.n;
    left = write_all(log->fd, s);
    atomic_store(&log->torn, left && left < s.n && s.p[s.n - left - 1] != '\n');
    return left;
}

/* Lines that end in s. */
static uint64_t line_count(struct slice s)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '\n';
    return n;
}

static uint64_t write_lines(struct log *log, struct slice lines)
{
    size_t left = put(log, lines);

    return left ? line_count(slice_sub(lines, lines.n - left, left)) : 0;
}

static struct log_style style_of(struct log *log, enum log_level level)
{
    return (struct log_style){.level = level,
                              .format = (enum log_format)atomic_load(&log->format),
                              .identities = (enum log_identities)atomic_load(&log->identities),
                              .token = atomic_load_explicit(&log->token, memory_order_acquire),
                              .token_arg = log->token_arg};
}

/* Says how many lines are missing; true when that could be written. */
static bool write_report(struct log *log, uint64_t lost, int64_t utc_ms)
{
    struct log_style style = style_of(log, LOG_WARN);
    struct log_line line;

    log_line_print(&line, &style, utc_ms, "log.dropped",
                   (const struct log_kv[]){LOG_I("lines", lost), LOG_END});
    return put(log, slice_of(line.p, line.n)) == 0;
}

/* One round of the writer, called and left with the lock held. */
static void drain_once(struct log *log)
{
    char *full = log->fill;
    size_t full_n = log->fill_n;
    uint64_t lost = log->lost;
    int64_t last_ms = log->last_ms;
    uint64_t failed;

    log->fill = log->drain;
    log->drain = full;
    log->fill_n = 0;
    log->lost = 0;
    (void)pthread_mutex_unlock(&log->lock);

    failed = write_lines(log, slice_of(full, full_n));
    if (failed)
        count_add(log, "log.dropped", failed);
    lost += failed;
    if (lost && write_report(log, lost, last_ms))
        lost = 0;

    (void)pthread_mutex_lock(&log->lock);
    log->lost += lost;
    log->written += full_n;
    (void)pthread_cond_broadcast(&log->done);
}

static void *writer_main(void *arg)
{
    struct log *log = arg;

    thread_name("log");
    (void)pthread_mutex_lock(&log->lock);
    while (log->fill_n || !log->stop)
        if (log->fill_n)
            drain_once(log);
        else
            (void)pthread_cond_wait(&log->more, &log->lock);
    (void)pthread_mutex_unlock(&log->lock);
    return NULL;
}

/* Signals belong to the program's own threads; SIGPIPE here is an error of write(). */
static enum err writer_start(struct log *log)
{
    sigset_t all;
    sigset_t before;
    int failed;

    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return ERR_IO;
    failed = pthread_create(&log->writer, NULL, writer_main, log);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? ERR_IO : ERR_OK;
}

static enum err queue_start(struct log *log, size_t queue_n)
{
    log->queue_n = queue_n;
    log->fill = malloc(queue_n);
    log->drain = malloc(queue_n);
    if (!log->fill || !log->drain)
        return ERR_NOMEM;
    return writer_start(log);
}

static void destroy(struct log *log)
{
    (void)pthread_cond_destroy(&log->more);
    (void)pthread_cond_destroy(&log->done);
    (void)pthread_mutex_destroy(&log->lock);
    free(log->fill);
    free(log->drain);
    free(log);
}

enum err log_create(const struct log_conf *conf, const struct clk *clk, struct log **out)
{
    struct log *log = calloc(1, sizeof *log);
    enum err e = ERR_OK;

    if (!log)
        return ERR_NOMEM;
    log->clk = clk;
    log->fd = conf->fd;
    log_set(log, conf->level, conf->format, conf->identities);
    (void)pthread_mutex_init(&log->lock, NULL); /* without attributes these three do not fail on Linux */
    (void)pthread_cond_init(&log->more, NULL);
    (void)pthread_cond_init(&log->done, NULL);
    log->threaded = conf->queue_n > 0;
    if (log->threaded)
        e = queue_start(log, conf->queue_n);
    if (e) {
        destroy(log);
        return e;
    }
    *out = log;
    return ERR_OK;
}

void log_free(struct log **log)
{
    struct log *l = *log;

    if (!l)
        return;
    *log = NULL;
    if (l->threaded) {
        (void)pthread_mutex_lock(&l->lock);
        l->stop = true;
        (void)pthread_cond_signal(&l->more);
        (void)pthread_mutex_unlock(&l->lock);
        (void)pthread_join(l->writer, NULL);
    }
    if (l->lost)
        (void)write_report(l, l->lost, l->last_ms);
    destroy(l);
}

void log_flush(struct log *log)
{
    uint64_t until;

    if (!log)
        return;
    (void)pthread_mutex_lock(&log->lock);
    until = log->queued;
    while (log->written < until)
        (void)pthread_cond_wait(&log->done, &log->lock);
    (void)pthread_mutex_unlock(&log->lock);
}

void log_set(struct log *log, enum log_level level, enum log_format format, enum log_identities identities)
{
    atomic_store(&log->level, (int)level);
    atomic_store(&log->format, (int)format);
    atomic_store(&log->identities, (int)identities);
}

void log_set_tokens(struct log *log, log_token_fn *fn, void *arg)
{
    if (fn)
        log->token_arg = arg;
    atomic_store_explicit(&log->token, fn, memory_order_release);
}

bool log_token(struct log *log, struct slice identity, char out[LOG_TOKEN_N])
{
    log_token_fn *fn = log ? atomic_load_explicit(&log->token, memory_order_acquire) : NULL;

    return fn && fn(log->token_arg, identity, out);
}

/* The system changes it in one step: a write goes to the old place or the new one. */
enum err log_move(struct log *log, int fd)
{
    return dup3(fd, log->fd, O_CLOEXEC) < 0 ? ERR_IO : ERR_OK;
}

/* With the lock held: the line is copied to the queue or lost. */
static void enqueue(struct log *log, struct slice line)
{
    if (line.n > log->queue_n - log->fill_n) {
        log->lost++;
        count_add(log, "log.dropped", 1);
        return;
    }
    mem_copy(log->fill + log->fill_n, log->queue_n - log->fill_n, line);
    if (log->fill_n == 0)
        (void)pthread_cond_signal(&log->more);
    log->fill_n += line.n;
    log->queued += line.n;
}

/* With the lock held, so that lines of several threads do not mix. */
static void write_direct(struct log *log, struct slice line)
{
    if (write_lines(log, line)) {
        log->lost++;
        count_add(log, "log.dropped", 1);
    } else if (log->lost && write_report(log, log->lost, log->last_ms)) {
        log->lost = 0;
    }
}

void log_event(struct log *log, enum log_level level, const char *event, const struct log_kv *kv)
{
    struct log_style style;
    struct log_line line;
    int64_t utc_ms;

    if (!log)
        return;
    count_add(log, event, 1);
    if ((int)level > atomic_load_explicit(&log->level, memory_order_relaxed))
        return;
    style = style_of(log, level);
    utc_ms = clk_utc_ms(log->clk);
    log_line_print(&line, &style, utc_ms, event, kv);

    (void)pthread_mutex_lock(&log->lock);
    log->last_ms = utc_ms;
    if (log->threaded)
        enqueue(log, slice_of(line.p, line.n));
    else
        write_direct(log, slice_of(line.p, line.n));
    (void)pthread_mutex_unlock(&log->lock);
}

void log_counts(struct log *log, void (*fn)(const char *event, uint64_t count, void *arg), void *arg)
{
    uint64_t other;

    if (!log)
        return;
    other = atomic_load_explicit(&log->other.n, memory_order_relaxed);
    for (size_t i = 0; i < COUNTS_N; i++) {
        const char *event = atomic_load_explicit(&log->counts[i].event, memory_order_acquire);

        if (event)
            fn(event, atomic_load_explicit(&log->counts[i].n, memory_order_relaxed), arg);
    }
    if (other)
        fn("log.other", other, arg);
}

uint64_t log_count(struct log *log, const char *event)
{
    struct count *c = log ? count_find(log, event, false) : NULL;

    return c ? atomic_load_explicit(&c->n, memory_order_relaxed) : 0;
}
