/* A number in a file of its own; see serial.h.  Off the loops. */
#include "ppg/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/scan.h"

#define TEXT_MAX_N 20 /* octets of the file */

static enum err parse(struct slice text, uint64_t *out)
{
    struct scan s = scan_of(text);
    uint64_t n = scan_u64(&s, 0, INT64_MAX);

    (void)scan_skip_ch(&s, '\n');
    scan_end(&s);
    if (!s.err)
        *out = n;
    return s.err ? ERR_MALFORMED : ERR_OK;
}

static enum err read_marked(const char *path, uint64_t *out, struct ppg_file_stamp *mark,
                            char why[PPG_FILE_WHY_N])
{
    uint64_t n = 0;
    struct buf text;
    enum err e;

    buf_init(&text, TEXT_MAX_N);
    e = ppg_file_read(path, &text, mark, why);
    if (!e && text.n && (e = parse(buf_slice(&text), &n)))
        (void)snprintf(why, PPG_FILE_WHY_N, "%.200s: holds no number", path);
    buf_clear(&text);
    if (!e)
        *out = n;
    return e;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0 || errno != ENOENT;
}

enum err ppg_serial_read(const char *path, uint64_t *out, char why[PPG_FILE_WHY_N])
{
    struct ppg_file_stamp mark;

    if (is_there(path))
        return read_marked(path, out, &mark, why);
    *out = 0;
    return ERR_OK;
}

static enum err create(const char *path, char why[PPG_FILE_WHY_N])
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        (void)snprintf(why, PPG_FILE_WHY_N, "%.150s: cannot be made: %s", path, strerror(errno));
    else
        (void)close(fd);
    return fd < 0 ? ERR_IO : ERR_OK;
}

enum err ppg_serial_raise(const char *path, uint64_t to, char why[PPG_FILE_WHY_N])
{
    struct ppg_file_stamp mark;
    uint64_t last = 0;
    char text[TEXT_MAX_N + 2];
    int n = snprintf(text, sizeof text, "%" PRIu64 "\n", to);
    enum err e = ERR_OK;

    if (to == 0)
        return ERR_OK;
    if (!is_there(path))
        e = create(path, why);
    if (!e)
        e = read_marked(path, &last, &mark, why);
    if (!e && last < to)
        e = ppg_file_replace(path, slice_of(text, (size_t)n), &mark, why);
    return e;
}
