/* REGISTER requests a second that a SIP door answers, with Digest (SHA-256): so many users log in - challenge and answer -, then refresh
 * for so long, each on the nonce that it has.  One UDP socket, a window of requests.  Usage: bench_register PORT SECONDS USERS; prints
 * logins a second and refreshments a second.  User n is uN@bench.example with the password "secret". */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clk.h"
#include "base/mem.h"
#include "base/scan.h"
#include "security/login/digest.h"

#define WINDOW   64
#define AGAIN_MS 500
#define TEXT_N   2048
#define DOMAIN   "bench.example"

struct user {
    struct sec_secret ha1;
    char nonce[64];
    uint32_t nc, cseq;
};

struct slot {
    size_t user; /* SIZE_MAX: free */
    char text[TEXT_N];
    size_t n;
};

struct bench {
    int fd;
    uint16_t own;
    struct user *users;
    size_t users_n;
    struct slot slots[WINDOW];
    size_t next, done, flying;
    bool refresh; /* the second part */
};

static void give_up(const char *why)
{
    (void)fprintf(stderr, "bench_register: %s\n", why);
    exit(1);
}

static void print_login(struct user *u, size_t at, struct buf *out)
{
    const struct sec_digest_offer offer = {.realm = SLICE(DOMAIN),
                                           .nonce = slice_str(u->nonce),
                                           .algorithm = SEC_DIGEST_SHA256,
                                           .qop_given = true,
                                           .auth = true};
    const struct sec_digest_request asked = {SLICE("REGISTER"), SLICE("sip:" DOMAIN), SLICE_NONE, true};
    struct sec_digest_response sent;
    char name[64];

    (void)snprintf(name, sizeof name, "u%zu@" DOMAIN, at);
    buf_add(out, SLICE("Authorization: "));
    if (sec_digest_answer(&offer, slice_str(name), &u->ha1, &asked, SLICE("c0ffee"), ++u->nc, out, &sent))
        give_up("no login");
    buf_add(out, SLICE("\r\n"));
}

static void ask(struct bench *b, struct slot *s)
{
    struct user *u = &b->users[s->user];
    struct buf text;

    buf_init(&text, TEXT_N);
    u->cseq++;
    buf_addf(&text,
             "REGISTER sip:" DOMAIN " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%zu.%u;rport\r\n"
             "Max-Forwards: 70\r\nFrom: <sip:u%zu@" DOMAIN ">;tag=1\r\nTo: <sip:u%zu@" DOMAIN
             ">\r\nCall-ID: %zu\r\nCSeq: %u REGISTER\r\n"
             "Contact: <sip:u%zu@127.0.0.1:%u>;expires=3600;+g.oma.pusheventapp=\"wml.ua,mms.ua\"\r\n",
             (unsigned)b->own, s->user, (unsigned)u->cseq, s->user, s->user, s->user, (unsigned)u->cseq,
             s->user, (unsigned)b->own);
    if (u->nonce[0])
        print_login(u, s->user, &text);
    buf_add(&text, SLICE("Content-Length: 0\r\n\r\n"));
    if (buf_err(&text) || text.n > sizeof s->text)
        give_up("request too long");
    mem_copy(s->text, sizeof s->text, buf_slice(&text));
    s->n = text.n;
    (void)!send(b->fd, s->text, s->n, 0);
    buf_clear(&text);
}

/* The next user, on a free slot. */
static void begin(struct bench *b, struct slot *s)
{
    if (!b->refresh && b->next == b->users_n)
        return;
    s->user = b->next++ % b->users_n;
    b->flying++;
    ask(b, s);
}

static struct slice after(struct slice in, struct slice what)
{
    size_t at = slice_find_slice(in, what);

    return at == SIZE_MAX ? SLICE_NONE : slice_sub(in, at + what.n, SIZE_MAX);
}

static void learn(struct user *u, struct slice reply)
{
    struct slice nonce = after(after(reply, SLICE("algorithm=SHA-256")), SLICE("nonce=\"")), rest;

    if (!slice_cut(nonce, '"', &nonce, &rest) || mem_cstr(u->nonce, sizeof u->nonce, nonce))
        give_up("no challenge");
    u->nc = 0;
}

static void take(struct bench *b, struct slice reply)
{
    struct scan s = scan_of(after(reply, SLICE("Call-ID: ")));
    uint32_t user = scan_u32(&s, 0, UINT32_MAX);
    struct scan c = scan_of(after(reply, SLICE("CSeq: ")));
    uint32_t cseq = scan_u32(&c, 0, UINT32_MAX);

    for (size_t i = 0; i < WINDOW; i++) {
        struct slot *slot = &b->slots[i];

        if (slot->user != user || b->users[user].cseq != cseq)
            continue;
        if (slice_starts(reply, SLICE("SIP/2.0 401 "))) {
            learn(&b->users[user], reply);
            ask(b, slot);
        } else if (slice_starts(reply, SLICE("SIP/2.0 200 "))) {
            b->done++;
            b->flying--;
            slot->user = SIZE_MAX;
            begin(b, slot);
        } else {
            give_up("refused");
        }
        return;
    }
}

static void again(struct bench *b)
{
    for (size_t i = 0; i < WINDOW; i++)
        if (b->slots[i].user != SIZE_MAX)
            (void)!send(b->fd, b->slots[i].text, b->slots[i].n, 0);
}

/* Until all are done, or it is that late; seconds that it took. */
static double run(struct bench *b, int64_t seconds)
{
    int64_t began = clk_mono_ms(&clk_real), now = began;
    char reply[8192];

    b->next = b->done = b->flying = 0;
    for (size_t i = 0; i < WINDOW; i++) {
        b->slots[i].user = SIZE_MAX;
        begin(b, &b->slots[i]);
    }
    while (b->flying && (!b->refresh || now - began < seconds * 1000)) {
        struct pollfd p = {.fd = b->fd, .events = POLLIN};
        ssize_t n;

        if (poll(&p, 1, AGAIN_MS) == 0)
            again(b);
        while ((n = recv(b->fd, reply, sizeof reply, MSG_DONTWAIT)) > 0)
            take(b, slice_of(reply, (size_t)n));
        now = clk_mono_ms(&clk_real);
        if (now - began > 120000)
            give_up("out of time");
    }
    return (double)(now - began) / 1000;
}

static void dial(struct bench *b, uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof to;

    b->fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (b->fd < 0 || connect(b->fd, (struct sockaddr *)&to, sizeof to) ||
        getsockname(b->fd, (struct sockaddr *)&to, &n))
        give_up("no socket");
    b->own = ntohs(to.sin_port);
}

int main(int argc, char **argv)
{
    static struct bench b;
    char name[64];
    double logins;

    if (argc != 4)
        give_up("PORT SECONDS USERS");
    dial(&b, (uint16_t)strtol(argv[1], NULL, 10));
    b.users_n = (size_t)strtol(argv[3], NULL, 10);
    b.users = calloc(b.users_n, sizeof *b.users);
    for (size_t i = 0; b.users && i < b.users_n; i++) {
        (void)snprintf(name, sizeof name, "u%zu@" DOMAIN, i);
        sec_secret_init(&b.users[i].ha1);
        if (sec_digest_ha1(SEC_DIGEST_SHA256, slice_str(name), SLICE(DOMAIN), SLICE("secret"),
                           &b.users[i].ha1))
            give_up("no memory");
    }
    logins = (double)b.users_n / run(&b, 0);
    b.refresh = true;
    (void)printf("%.0f ", logins);
    logins = run(&b, strtol(argv[2], NULL, 10));
    (void)printf("%.0f\n", (double)b.done / logins);
    for (size_t i = 0; i < b.users_n; i++)
        sec_secret_clear(&b.users[i].ha1);
    free(b.users);
    (void)close(b.fd);
    return 0;
}
