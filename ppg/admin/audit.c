/* A hash-chained file of lines; see audit.h.  Lines are taken apart by their fixed ends, so what a line says does not
 * matter to the chain.  SHA-256: FIPS 180-4.  Off the loops. */
#include "ppg/admin/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "base/codec.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/scan.h"
#include "pap/time.h"
#include "ppg/file.h"
#include "security/kdf.h"
#include "security/login/digest_hash.h"
#include "security/secret.h"

#define ZEROS  "0000000000000000000000000000000000000000000000000000000000000000"
#define HEAD   SLICE("{\"seq\":")
#define PREV   SLICE(",\"prev\":\"")
#define HASH   SLICE("\",\"hash\":\"")
#define TAIL   SLICE("\"}")
#define TAIL_N (9u + PPG_AUDIT_HASH_N + 10u + PPG_AUDIT_HASH_N + 2u)

struct ppg_audit {
    pthread_mutex_t lock;
    char *path;
    int held; /* the file as it was opened, locked: two who write would break each other's chain */
    struct sec_secret key; /* of the hashes; n 0: none */
    struct log *log;
    uint64_t seq; /* of the last line */
    char last[PPG_AUDIT_HASH_N + 1];
};

/* --- a line --- */

struct line {
    uint64_t seq;
    struct slice prev, hash;
    struct slice hashed; /* what `hash` is of */
};

static bool take_apart(struct slice text, struct line *out)
{
    struct slice tail = slice_sub(text, text.n > TAIL_N ? text.n - TAIL_N : text.n, TAIL_N);
    struct scan s = scan_of(slice_sub(text, HEAD.n, 20));

    if (!slice_starts(text, HEAD) || !slice_starts(tail, PREV) || !slice_ends(tail, TAIL) ||
        !slice_starts(slice_sub(tail, PREV.n + PPG_AUDIT_HASH_N, HASH.n), HASH))
        return false;
    out->seq = scan_u64(&s, 1, UINT64_MAX);
    out->prev = slice_sub(tail, PREV.n, PPG_AUDIT_HASH_N);
    out->hash = slice_sub(tail, PREV.n + PPG_AUDIT_HASH_N + HASH.n, PPG_AUDIT_HASH_N);
    out->hashed = slice_sub(text, 0, text.n - HASH.n - PPG_AUDIT_HASH_N - TAIL.n + 1);
    return !s.err;
}

static void keep(char last[PPG_AUDIT_HASH_N + 1], struct slice hash)
{
    MUST(!mem_cstr(last, PPG_AUDIT_HASH_N + 1, hash));
}

static enum err mac_of(struct slice key, struct slice text, char out[PPG_AUDIT_HASH_N + 1])
{
    uint8_t mac[SEC_SHA256_N];
    struct buf hex;
    enum err e = sec_hmac_sha256(key, &text, 1, mac);

    buf_init(&hex, PPG_AUDIT_HASH_N);
    codec_hex(&hex, slice_of(mac, sizeof mac));
    if (!e)
        e = buf_err(&hex) ? buf_err(&hex) : mem_cstr(out, PPG_AUDIT_HASH_N + 1, buf_slice(&hex));
    buf_clear(&hex);
    return e;
}

static enum err hash_of(struct slice key, struct slice text, char out[PPG_AUDIT_HASH_N + 1])
{
    struct sec_digest_hex hex;
    enum err e;

    if (key.n)
        return mac_of(key, text, out);
    e = sec_digest_hash(SEC_DIGEST_SHA256, &text, 1, &hex);
    return e ? e : mem_cstr(out, PPG_AUDIT_HASH_N + 1, slice_of(hex.p, hex.n));
}

/* What is wrong with the line that follows the good ones of *r; NULL: nothing, and it is counted. */
static const char *judge(struct slice key, struct slice text, struct ppg_audit_report *r)
{
    char hash[PPG_AUDIT_HASH_N + 1];
    struct line l;

    if (!take_apart(text, &l))
        return "not a line of an audit log";
    if (hash_of(key, l.hashed, hash))
        return "no memory for its hash";
    if (!slice_eq(l.hash, slice_str(hash)))
        return key.n ? "was changed, or made with another key or none: its hash is another one"
                     : "was changed, or made with a key: its hash is another one";
    if (!slice_eq(l.prev, slice_str(r->last)))
        return "does not follow the line before it: one was taken out, put in or moved";
    if (l.seq != r->lines + 1)
        return "has another number than its place";
    r->lines++;
    keep(r->last, l.hash);
    return NULL;
}

/* --- a file of lines --- */

struct reader {
    FILE *f;
    struct buf text; /* of the line */
    uint64_t line;
    uint64_t whole_n; /* octets of the file up to the end of the last whole line */
    bool torn;        /* the line at hand has no end */
};

static enum err reader_open(struct reader *r, const char *path)
{
    *r = (struct reader){.f = fopen(path, "re")};
    buf_init(&r->text, PPG_AUDIT_LINE_MAX_N);
    return r->f ? ERR_OK : ERR_IO;
}

static void reader_close(struct reader *r)
{
    if (r->f)
        (void)fclose(r->f);
    buf_clear(&r->text);
}

/* The next line without its end in r->text; one that is too long is cut.  ERR_ABSENT at the end. */
static enum err reader_next(struct reader *r)
{
    uint64_t n = 0;
    int ch;

    buf_reset(&r->text, PPG_AUDIT_LINE_MAX_N);
    r->line++;
    while ((ch = getc_unlocked(r->f)) != EOF && ch != '\n') {
        n++;
        if (r->text.n < PPG_AUDIT_LINE_MAX_N - 1)
            buf_add_ch(&r->text, (char)ch);
    }
    if (ferror(r->f))
        return ERR_IO;
    r->torn = ch == EOF;
    if (!r->torn)
        r->whole_n += n + 1;
    if (r->torn && n == 0)
        return ERR_ABSENT;
    return buf_err(&r->text);
}

static void bad(struct ppg_audit_report *r, uint64_t line, const char *what)
{
    if (r->bad)
        return;
    r->bad = line;
    (void)snprintf(r->what, sizeof r->what, "%s", what);
}

static enum err check(struct reader *r, struct slice key, struct ppg_audit_report *out)
{
    enum err e = ERR_OK;

    while (!out->bad && !(e = reader_next(r))) {
        const char *what = r->torn ? "is incomplete" : judge(key, buf_slice(&r->text), out);

        if (what)
            bad(out, r->line, what);
    }
    return e == ERR_ABSENT ? ERR_OK : e;
}

enum err ppg_audit_check(const char *path, struct slice key, struct ppg_audit_report *out)
{
    struct reader r;
    enum err e = reader_open(&r, path);

    *out = (struct ppg_audit_report){.last = ZEROS};
    if (!e)
        e = check(&r, key, out);
    if (e)
        (void)snprintf(out->what, sizeof out->what, "%s", e == ERR_IO ? strerror(errno) : err_text(e));
    reader_close(&r);
    return e;
}

/* --- life --- */

/* Where the chain goes on: behind the last line, whatever is wrong before it. */
static enum err find_end(struct ppg_audit *a, struct reader *r)
{
    struct ppg_audit_report report = {.last = ZEROS};
    struct line l;
    enum err e;

    while (!(e = reader_next(r)) && !r->torn) {
        const char *what = report.bad ? NULL : judge(sec_secret_slice(&a->key), buf_slice(&r->text), &report);

        if (what)
            bad(&report, r->line, what);
        if (report.bad && take_apart(buf_slice(&r->text), &l)) {
            a->seq = l.seq;
            keep(a->last, l.hash);
        }
    }
    if (e && e != ERR_ABSENT)
        return e;
    if (report.bad) {
        LOG(a->log, LOG_ERROR, "audit.broken", LOG_C("file", a->path), LOG_I("line", report.bad),
            LOG_C("what", report.what));
    } else {
        a->seq = report.lines;
        keep(a->last, slice_str(report.last));
    }
    return ERR_OK;
}

static enum err cut_torn(const struct ppg_audit *a, const struct reader *r)
{
    if (!r->torn || r->text.n == 0)
        return ERR_OK;
    LOG(a->log, LOG_WARN, "audit.torn", LOG_C("file", a->path), LOG_I("line", r->line));
    return truncate(a->path, (off_t)r->whole_n) == 0 ? ERR_OK : ERR_IO;
}

/* ERR_EXISTS: another gateway has it. */
static enum err start(struct ppg_audit *a)
{
    struct reader r = {.f = NULL};
    enum err e = ERR_IO;

    a->held = open(a->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (a->held < 0)
        return ERR_IO;
    if (flock(a->held, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? ERR_EXISTS : ERR_IO;
    if (!ppg_file_sync_folder(a->path))
        e = reader_open(&r, a->path);
    if (!e)
        e = find_end(a, &r);
    if (!e)
        e = cut_torn(a, &r);
    reader_close(&r);
    return e;
}

static const char *start_fault(enum err e)
{
    if (e == ERR_EXISTS)
        return "is in use by another program; stop that one or name another file";
    return e == ERR_IO ? strerror(errno) : err_text(e);
}

enum err ppg_audit_open(const char *path, struct slice key, struct log *log, struct ppg_audit **out,
                        char why[PPG_AUDIT_WHY_N])
{
    struct ppg_audit *a = calloc(1, sizeof *a);
    enum err e = ERR_NOMEM;

    if (!a)
        return e;
    *a = (struct ppg_audit){.path = mem_dup(slice_str(path)), .held = -1, .log = log, .last = ZEROS};
    if (a->path && !sec_secret_set(&a->key, key) && pthread_mutex_init(&a->lock, NULL) == 0) {
        e = start(a);
        if (e)
            (void)snprintf(why, PPG_AUDIT_WHY_N, "%.100s: %s", path, start_fault(e));
        if (!e) {
            *out = a;
            return ERR_OK;
        }
        (void)pthread_mutex_destroy(&a->lock);
    }
    if (a->held >= 0)
        (void)close(a->held);
    sec_secret_clear(&a->key);
    free(a->path);
    free(a);
    return e;
}

void ppg_audit_free(struct ppg_audit **ap)
{
    struct ppg_audit *a = *ap;

    *ap = NULL;
    if (!a)
        return;
    (void)pthread_mutex_destroy(&a->lock);
    (void)close(a->held);
    sec_secret_clear(&a->key);
    free(a->path);
    free(a);
}

/* --- adding --- */

static void member(struct buf *b, const char *name, struct slice json)
{
    buf_addf(b, ",\"%s\":", name);
    buf_add(b, json.n ? json : SLICE("null"));
}

/* The line up to its hash. */
static void print(const struct ppg_audit *a, const struct ppg_audit_entry *e, struct buf *b)
{
    buf_add(b, HEAD);
    buf_add_u64(b, a->seq + 1);
    buf_add_str(b, ",\"at\":\"");
    if (pap_time_print(e->at_s, b))
        buf_add_ch(b, '?');
    buf_add_str(b, "\",\"who\":");
    codec_json(b, e->who);
    buf_add_str(b, ",\"what\":");
    codec_json(b, e->what);
    member(b, "before", e->before);
    member(b, "after", e->after);
    buf_add(b, PREV);
    buf_add_str(b, a->last);
    buf_add_ch(b, '"');
}

static enum err append(const char *path, struct slice line)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    enum err e = end < 0 ? ERR_IO : fd_write(fd, line);

    if (!e && fsync(fd) != 0)
        e = ERR_IO;
    if (e && end >= 0 && ftruncate(fd, end) != 0)
        e = ERR_IO; /* half a line: the next opening cuts it off */
    if (fd >= 0)
        (void)close(fd);
    return e;
}

static enum err add(struct ppg_audit *a, const struct ppg_audit_entry *entry, struct buf *b)
{
    char hash[PPG_AUDIT_HASH_N + 1];
    enum err e;

    print(a, entry, b);
    e = buf_err(b) ? buf_err(b) : hash_of(sec_secret_slice(&a->key), buf_slice(b), hash);
    if (e)
        return e;
    buf_addf(b, ",\"hash\":\"%s\"}\n", hash);
    e = buf_err(b) ? buf_err(b) : append(a->path, buf_slice(b));
    if (e)
        return e;
    a->seq++;
    keep(a->last, slice_str(hash));
    LOG(a->log, LOG_WARN, "audit.added", LOG_I("seq", a->seq), LOG_S("who", entry->who),
        LOG_S("what", entry->what), LOG_C("hash", a->last));
    return ERR_OK;
}

enum err ppg_audit_add(struct ppg_audit *a, const struct ppg_audit_entry *entry)
{
    struct buf b;
    enum err e;

    buf_init(&b, PPG_AUDIT_LINE_MAX_N);
    (void)pthread_mutex_lock(&a->lock);
    e = add(a, entry, &b);
    (void)pthread_mutex_unlock(&a->lock);
    buf_clear(&b);
    return e;
}

/* --- reading --- */

enum err ppg_audit_verify(struct ppg_audit *a, struct ppg_audit_report *out)
{
    enum err e;

    (void)pthread_mutex_lock(&a->lock);
    e = ppg_audit_check(a->path, sec_secret_slice(&a->key), out);
    if (!e && !out->bad && !slice_eq(slice_str(out->last), slice_str(a->last)))
        bad(out, out->lines + 1, "is missing: the gateway has written more than is here");
    (void)pthread_mutex_unlock(&a->lock);
    return e;
}

/* Twice through the file: how many lines it has, then the last of them. */
static enum err tail(const char *path, size_t n, struct buf *out)
{
    struct reader r;
    uint64_t lines = 0;
    enum err e = reader_open(&r, path);

    while (!e && !(e = reader_next(&r)))
        lines++;
    if (e == ERR_ABSENT) {
        rewind(r.f);
        r.line = 0;
        e = ERR_OK;
    }
    while (!e && !(e = reader_next(&r)))
        if (r.line + n > lines) {
            buf_add(out, buf_slice(&r.text));
            buf_add_ch(out, '\n');
        }
    reader_close(&r);
    return e == ERR_ABSENT ? buf_err(out) : e;
}

enum err ppg_audit_tail(struct ppg_audit *a, size_t n, struct buf *out)
{
    enum err e;

    (void)pthread_mutex_lock(&a->lock);
    e = tail(a->path, n, out);
    (void)pthread_mutex_unlock(&a->lock);
    return e;
}
