/* See fd.h. */
#include "base/fd.h"

#include <errno.h>
#include <unistd.h>

#include "base/num.h"

#define PIECE_N 16384u /* octets asked for when there is no room yet */

static ssize_t read_some(int fd, char *to, size_t n)
{
    ssize_t got;

    do
        got = read(fd, to, n);
    while (got < 0 && errno == EINTR);
    return got;
}

/* No room is left: one octet tells whether that is the end, so that nothing grows, and leaves a copy, for no more. */
static ssize_t read_one(int fd, struct buf *out)
{
    char more;
    ssize_t got = read_some(fd, &more, 1);
    size_t n = out->n < out->max ? num_min(PIECE_N, out->max - out->n) : 1; /* 1: past the ceiling */
    char *room = got > 0 ? buf_room(out, n) : NULL;

    if (room) {
        *room = more;
        buf_commit(out, 1);
    }
    return got;
}

enum err fd_read(int fd, struct buf *out)
{
    ssize_t got = 1;

    while (got > 0 && !buf_err(out)) {
        size_t room_n = out->cap - out->n;

        got = room_n ? read_some(fd, out->p + out->n, room_n) : read_one(fd, out);
        if (room_n && got > 0)
            buf_commit(out, (size_t)got);
    }
    return buf_err(out) ? buf_err(out) : got < 0 ? ERR_IO : ERR_OK;
}

enum err fd_write(int fd, struct slice text)
{
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);

        if (n < 0 && errno != EINTR)
            return ERR_IO;
        text = slice_sub(text, n > 0 ? (size_t)n : 0, text.n);
    }
    return ERR_OK;
}
