/* The OTA-HTTP bearer against a scripted terminal on a loopback port: the n-th request it reads is met by the n-th
 * step of its script, whatever connection it came on.  One loop, no sleeps. */
#include "ota/bearer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/net/hub.h"
#include "base/scan.h"
#include "tests/unit/harness.h"

#define REQUESTS_MAX 16
#define JOBS_MAX     8

enum act { ANSWER, CLOSE, ANSWER_CLOSE, ANSWER_DEAF, HOLD };

struct step {
    const char *answer;
    enum act act;
};

struct fake {
    uv_loop_t loop;
    struct net_env net;
    struct ota_env env;
    void *bearer;
    uv_tcp_t listener;
    unsigned port;
    const struct step *steps;
    size_t steps_n, at;
    struct buf requests[REQUESTS_MAX];
    unsigned connections;
    uv_stream_t *deaf; /* reads again when the test ends, so that it sees the close */
    /* the gateway's side */
    struct ota_terminal terminal;
    struct ota_job jobs[JOBS_MAX];
    enum err why[JOBS_MAX];
    size_t order[JOBS_MAX]; /* which job ended n-th */
    size_t sent, done;
    bool closed;
    void (*on_request)(struct fake *f); /* may be NULL; before the step is played */
};

struct conn {
    uv_tcp_t tcp;
    struct fake *fake;
    struct buf in;
    char read[65536];
};

/* --- the terminal --- */

static void on_conn_gone(uv_handle_t *h)
{
    struct conn *c = h->data;

    buf_clear(&c->in);
    free(c);
}

static void conn_close(struct conn *c)
{
    if (!uv_is_closing((uv_handle_t *)&c->tcp))
        uv_close((uv_handle_t *)&c->tcp, on_conn_gone);
}

static void on_alloc(uv_handle_t *h, size_t n, uv_buf_t *b)
{
    struct conn *c = h->data;

    (void)n;
    *b = uv_buf_init(c->read, sizeof c->read);
}

/* Octets of the first request in `in`; 0: not complete. */
static size_t request_n(struct slice in)
{
    size_t head = slice_find_slice(in, SLICE("\r\n\r\n"));
    size_t length = slice_find_slice(in, SLICE("Content-Length: "));
    struct scan s;
    size_t n;

    if (head == SIZE_MAX || length == SIZE_MAX)
        return 0;
    s = scan_of(slice_sub(in, length + 16, SIZE_MAX));
    n = head + 4 + scan_u32(&s, 0, UINT32_MAX);
    return n <= in.n ? n : 0;
}

static void play(struct conn *c)
{
    struct fake *f = c->fake;
    const struct step *step = f->at < f->steps_n ? &f->steps[f->at] : NULL;
    uv_buf_t out;

    if (f->on_request)
        f->on_request(f);
    f->at++;
    CU_ASSERT(step != NULL);
    if (!step)
        return;
    out = uv_buf_init((char *)(uintptr_t)(step->answer ? step->answer : ""),
                      step->answer ? (unsigned)strlen(step->answer) : 0);
    if (step->act != CLOSE && step->act != HOLD)
        CU_ASSERT(uv_try_write((uv_stream_t *)&c->tcp, &out, 1) == (int)out.len);
    if (step->act == CLOSE || step->act == ANSWER_CLOSE)
        conn_close(c);
    if (step->act == ANSWER_DEAF)
        (void)uv_read_stop(f->deaf = (uv_stream_t *)&c->tcp);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct conn *c = s->data;
    struct fake *f = c->fake;
    size_t taken;

    if (n < 0) {
        conn_close(c);
        return;
    }
    if (s == f->deaf)
        return;
    buf_add(&c->in, slice_of(b->base, (size_t)n));
    while (!uv_is_closing((uv_handle_t *)s) && (taken = request_n(buf_slice(&c->in))) != 0) {
        CU_ASSERT_FATAL(f->at < REQUESTS_MAX);
        buf_add(&f->requests[f->at], slice_sub(buf_slice(&c->in), 0, taken));
        buf_drop(&c->in, taken);
        play(c);
    }
}

static void on_connection(uv_stream_t *s, int status)
{
    struct fake *f = s->data;
    struct conn *c = calloc(1, sizeof *c);

    CU_ASSERT_FATAL(status == 0 && c != NULL);
    buf_init(&c->in, 16 << 20);
    c->fake = f;
    CU_ASSERT(uv_tcp_init(&f->loop, &c->tcp) == 0);
    c->tcp.data = c;
    CU_ASSERT(uv_accept(s, (uv_stream_t *)&c->tcp) == 0);
    CU_ASSERT(uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) == 0);
    f->connections++;
}

static void listen_somewhere(struct fake *f)
{
    struct sockaddr_in a;
    int n = sizeof a;

    CU_ASSERT(uv_ip4_addr("127.0.0.1", 0, &a) == 0);
    CU_ASSERT(uv_tcp_init(&f->loop, &f->listener) == 0);
    f->listener.data = f;
    CU_ASSERT(uv_tcp_bind(&f->listener, (struct sockaddr *)&a, 0) == 0);
    CU_ASSERT(uv_listen((uv_stream_t *)&f->listener, 8, on_connection) == 0);
    CU_ASSERT(uv_tcp_getsockname(&f->listener, (struct sockaddr *)&a, &n) == 0);
    f->port = ntohs(a.sin_port);
}

/* --- the gateway --- */

static struct fake *start(const struct step *steps, size_t n)
{
    struct fake *f = calloc(1, sizeof *f);

    CU_ASSERT_FATAL(f != NULL);
    CU_ASSERT_FATAL(uv_loop_init(&f->loop) == 0);
    f->net = (struct net_env){.loop = &f->loop, .clk = &clk_real};
    CU_ASSERT_FATAL(net_hub_create(&f->net) == ERR_OK);
    f->env = (struct ota_env){.net = &f->net,
                              .product = SLICE("ppg/1"),
                              .connect_ms = 2000,
                              .response_ms = 5000,
                              .idle_ms = 60000,
                              .connections_max = 4,
                              .prov_url = SLICE("ppg.example.net")};
    CU_ASSERT_FATAL(ota_bearer_http.create(&f->env, &f->bearer) == ERR_OK);
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        buf_init(&f->requests[i], 4 << 20);
    f->steps = steps;
    f->steps_n = n;
    listen_somewhere(f);
    f->terminal = (struct ota_terminal){
        .key = SLICE("+15550100"), .host = SLICE("127.0.0.1"), .port = (uint16_t)f->port};
    return f;
}

static void on_done(struct ota_job *job, enum err why, void *arg)
{
    struct fake *f = arg;
    size_t i = (size_t)(job - f->jobs);

    CU_ASSERT(job->attempt == NULL);
    f->why[i] = why;
    f->order[f->done++] = i;
}

#define HEAD "Content-Type: text/plain\r\nContent-Length: 5\r\n"

static struct ota_job *push_at(struct fake *f, const struct ota_terminal *t)
{
    struct ota_job *job = &f->jobs[f->sent++];
    size_t done = f->done;

    job->terminal = t;
    if (!job->message_head.n)
        job->message_head = SLICE(HEAD);
    if (!job->body.n)
        job->body = SLICE("hello");
    CU_ASSERT(ota_bearer_http.send(f->bearer, job, on_done, f) == ERR_OK);
    CU_ASSERT(f->done == done); /* never from inside send() */
    return job;
}

static struct ota_job *push(struct fake *f)
{
    return push_at(f, &f->terminal);
}

static void run(struct fake *f)
{
    while (f->done < f->sent)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
}

static void on_bearer_closed(void *arg)
{
    ((struct fake *)arg)->closed = true;
}

static void stop(struct fake *f)
{
    if (!f->closed)
        ota_bearer_http.close(f->bearer, on_bearer_closed, f);
    while (!f->closed || f->done < f->sent)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    if (!uv_is_closing((uv_handle_t *)&f->listener))
        uv_close((uv_handle_t *)&f->listener, NULL);
    if (f->deaf)
        (void)uv_read_start(f->deaf, on_alloc, on_read);
    net_hub_close(f->net.hub, NULL, NULL);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    CU_ASSERT(uv_loop_close(&f->loop) == 0);
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        buf_clear(&f->requests[i]);
    free(f);
}

static struct slice request(const struct fake *f, size_t i)
{
    return buf_slice(&f->requests[i]);
}

static bool has(struct slice s, const char *what)
{
    return slice_find_slice(s, slice_str(what)) != SIZE_MAX;
}

#define REG(extra)                                                                                           \
    "HTTP/1.1 204 No Content\r\nX-Wap-Push-OTA-Version: 1.0\r\nX-Wap-Push-Status: 501\r\n"                   \
    "X-Wap-CPITag: q83vEg==\r\n" extra "\r\n"
#define UNCHANGED "HTTP/1.1 204 No Content\r\nX-Wap-Push-Status: 500\r\nX-Wap-CPITag: q83vEg==\r\n\r\n"
#define STATUS(n) "HTTP/1.1 204 No Content\r\nX-Wap-Push-Status: " n "\r\n\r\n"
#define HTTP(n)   "HTTP/1.1 " n " X\r\nContent-Length: 0\r\n\r\n"

/* --- cases --- */

static void registers_then_pushes(void)
{
    static const struct step steps[] = {{REG(""), ANSWER}, {STATUS("400"), ANSWER}, {STATUS("400"), ANSWER}};
    struct fake *f = start(steps, COUNT(steps));
    struct ota_job *job = &f->jobs[0];

    job->authenticated = job->trusted = true;
    (void)push(f);
    run(f);
    CU_ASSERT(f->why[0] == ERR_OK && job->result.outcome == OTA_DELIVERED && job->result.code == 1000);
    CU_ASSERT(job->result.http_status == 204 && job->result.push_status == 400);
    CU_ASSERT(job->result.wire_n == request(f, 1).n);
    CU_ASSERT(slice_starts(request(f, 0), SLICE("OPTIONS /wappush HTTP/1.1\r\nHost: 127.0.0.1:")));
    CU_ASSERT(has(request(f, 0), "\r\nX-Wap-Push-OTA-Version: 1.0\r\n"));
    CU_ASSERT(has(request(f, 0), "\r\nX-Wap-Push-ProvURL: ppg.example.net\r\n"));
    CU_ASSERT(!has(request(f, 0), "CPITag"));
    CU_ASSERT(slice_starts(request(f, 1), SLICE("POST /wappush HTTP/1.1\r\n")));
    CU_ASSERT(has(request(f, 1), "\r\nX-Wap-CPITag: q83vEg==\r\n"));
    CU_ASSERT(has(request(f, 1), "\r\nX-Wap-Push-Info: authenticated, trusted\r\n"));
    CU_ASSERT(has(request(f, 1), "\r\nContent-Type: application/http\r\n"));
    CU_ASSERT(slice_ends(request(f, 1), SLICE("\r\n\r\nHTTP/1.1 200 OK\r\n" HEAD "\r\nhello")));
    (void)push(f);
    run(f);
    CU_ASSERT(f->connections == 1 && f->at == 3); /* the connection is kept, no second registration */
    CU_ASSERT(!has(request(f, 2), "X-Wap-Push-Info"));
    stop(f);
}

static void direct_form(void)
{
    static const struct step steps[] = {{REG(""), ANSWER}, {STATUS("400"), ANSWER}};
    struct fake *f = start(steps, COUNT(steps));

    f->terminal.direct = true;
    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_DELIVERED);
    CU_ASSERT(!has(request(f, 1), "application/http") && !has(request(f, 1), "200 OK"));
    CU_ASSERT(has(request(f, 1), "\r\n" HEAD) && slice_ends(request(f, 1), SLICE("\r\n\r\nhello")));
    stop(f);
}

static void tag_is_sent_on_the_next_connection(void)
{
    static const struct step steps[] = {
        {REG(""), ANSWER}, {STATUS("400"), ANSWER_CLOSE}, {UNCHANGED, ANSWER}, {STATUS("400"), ANSWER}};
    struct fake *f = start(steps, COUNT(steps));

    (void)push(f);
    run(f);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT); /* the close is noticed */
    (void)push(f);
    run(f);
    CU_ASSERT(f->connections == 2);
    CU_ASSERT(slice_starts(request(f, 2), SLICE("OPTIONS ")));
    CU_ASSERT(has(request(f, 2), "\r\nX-Wap-CPITag: q83vEg==\r\n"));
    CU_ASSERT(has(request(f, 3), "\r\nX-Wap-CPITag: q83vEg==\r\n")); /* 500: the cache was kept */
    CU_ASSERT(f->jobs[1].result.outcome == OTA_DELIVERED);
    stop(f);
}

struct result_row {
    const char *answer;
    enum ota_outcome outcome;
    unsigned code;
};

static void check_rows(const struct result_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct step steps[] = {{REG(""), ANSWER}, {rows[i].answer, ANSWER}};
        struct fake *f = start(steps, COUNT(steps));

        test_row(i);
        (void)push(f);
        run(f);
        CU_ASSERT(f->jobs[0].result.outcome == rows[i].outcome);
        CU_ASSERT(f->jobs[0].result.code == rows[i].code);
        CU_ASSERT(f->jobs[0].result.note[0] != '\0');
        stop(f);
    }
}

static void push_status_on_the_wire(void)
{
    static const struct result_row rows[] = {
        {STATUS("400 Accepted"), OTA_DELIVERED, 1000},
        {STATUS("234"), OTA_ABORTED, 5026},
        {STATUS("235"), OTA_ABORTED, 5027},
        {STATUS("236"), OTA_ABORTED, 5028},
        {STATUS("237"), OTA_BUSY, 5029},
        {STATUS("238"), OTA_ABORTED, 5030},
        {STATUS("256"), OTA_ABORTED, 5000},
        {STATUS("250"), OTA_ABORTED, 5000},
        {STATUS("500"), OTA_UNDELIVERABLE, 4000},
        {STATUS("501"), OTA_UNDELIVERABLE, 4000},
        {STATUS("999"), OTA_UNDELIVERABLE, 4000},
        {STATUS("4000"), OTA_UNDELIVERABLE, 4000},
    };

    check_rows(rows, COUNT(rows));
}

static void http_status_on_the_wire(void)
{
    static const struct result_row rows[] = {
        {HTTP("200"), OTA_DELIVERED, 1000},
        {HTTP("202"), OTA_DELIVERED, 1000},
        {"HTTP/1.1 204 X\r\n\r\n", OTA_DELIVERED, 1000},
        {HTTP("400"), OTA_ABORTED, 5000},
        {HTTP("401"), OTA_UNDELIVERABLE, 4000},
        {HTTP("404"), OTA_UNDELIVERABLE, 3007},
        {HTTP("405"), OTA_UNDELIVERABLE, 3007},
        {HTTP("501"), OTA_UNDELIVERABLE, 3007},
        {HTTP("413"), OTA_UNDELIVERABLE, 2006},
        {HTTP("415"), OTA_ABORTED, 5030},
        {HTTP("408"), OTA_RETRY, 4001},
        {HTTP("429"), OTA_RETRY, 4001},
        {HTTP("503"), OTA_RETRY, 4001},
        {HTTP("302"), OTA_UNDELIVERABLE, 4000},
        {"nonsense\r\n\r\n", OTA_AMBIGUOUS, 4001},
    };

    check_rows(rows, COUNT(rows));
}

#define REG2  "HTTP/1.1 204 No Content\r\nX-Wap-Push-Status: 501\r\nX-Wap-CPITag: newtag\r\n\r\n"
#define STALE "HTTP/1.1 204 No Content\r\nX-Wap-Push-Status: 256\r\nX-Wap-CPITag: newtag\r\n\r\n"

static void stale_tag_registers_and_sends_again(void)
{
    static const struct step steps[] = {
        {REG(""), ANSWER}, {STALE, ANSWER}, {REG2, ANSWER}, {STATUS("400"), ANSWER}};
    struct fake *f = start(steps, COUNT(steps));

    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_DELIVERED && f->connections == 1);
    CU_ASSERT(slice_starts(request(f, 2), SLICE("OPTIONS ")));
    CU_ASSERT(has(request(f, 3), "\r\nX-Wap-CPITag: newtag\r\n"));
    CU_ASSERT(slice_ends(request(f, 3), SLICE("\r\n\r\nhello")));
    stop(f);
}

static void stale_tag_twice_is_left_for_later(void)
{
    static const struct step steps[] = {{REG(""), ANSWER}, {STALE, ANSWER}, {REG2, ANSWER}, {STALE, ANSWER}};
    struct fake *f = start(steps, COUNT(steps));

    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_RETRY && f->at == 4);
    stop(f);
}

static void registration_answers(void)
{
    static const struct {
        const char *answer;
        enum ota_outcome outcome;
        unsigned code;
    } rows[] = {
        {HTTP("500"), OTA_RETRY, 4001},
        {HTTP("400"), OTA_RETRY, 4001},
        {HTTP("302"), OTA_RETRY, 4001},
        {HTTP("404"), OTA_UNDELIVERABLE, 3007},
        {HTTP("401"), OTA_UNDELIVERABLE, 4000},
        {STATUS("400"), OTA_RETRY, 4001},
        {"HTTP/1.1 204 X\r\nX-Wap-CPITag: a\r\nX-Wap-CPITag: b\r\n\r\n", OTA_RETRY, 4001},
        {"HTTP/1.1 204 X\r\nX-Wap-CPITag: a b\r\n\r\n", OTA_RETRY, 4001},
        {REG("X-Wap-Terminal-Id: 4+15550199\r\n"), OTA_UNDELIVERABLE, 4000},
        {REG("X-Wap-Terminal-Id: 015550100\r\n"), OTA_UNDELIVERABLE, 4000}, /* another kind of identity */
        {REG("X-Wap-Terminal-Id: 4+15550100\r\nX-Wap-Terminal-Id: 4+15550199\r\n"), OTA_RETRY, 4001},
        {"garbage\r\n\r\n", OTA_RETRY, 4001},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct step steps[] = {{rows[i].answer, ANSWER}};
        struct fake *f = start(steps, COUNT(steps));

        test_row(i);
        f->terminal.terminal_id = SLICE("4+15550100");
        (void)push(f);
        run(f);
        CU_ASSERT(f->jobs[0].result.outcome == rows[i].outcome && f->jobs[0].result.code == rows[i].code);
        CU_ASSERT(f->at == 1); /* nothing was pushed */
        stop(f);
    }
}

static void good_registrations(void)
{
    static const char *const rows[] = {
        REG("X-Wap-Terminal-ID: 4+15550100\r\n"),
        REG("X-Wap-Terminal-Id: 415550100\r\n"), /* a number is its digits [OTA-HTTP §5] */
        REG(""),                                 /* no identity: a fixed address needs none */
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Wap-CPITag: x\r\n\r\n", /* no status counts as 501 */
        "HTTP/1.1 204 No Content\r\n\r\n",
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct step steps[] = {{rows[i], ANSWER}, {STATUS("400"), ANSWER}};
        struct fake *f = start(steps, COUNT(steps));

        test_row(i);
        f->terminal.terminal_id = SLICE("4+15550100");
        (void)push(f);
        run(f);
        CU_ASSERT(f->jobs[0].result.outcome == OTA_DELIVERED);
        stop(f);
    }
}

static void unchanged_without_cache_is_asked_once_more(void)
{
    static const struct step good[] = {{UNCHANGED, ANSWER}, {REG(""), ANSWER}, {STATUS("400"), ANSWER}};
    static const struct step bad[] = {{UNCHANGED, ANSWER}, {UNCHANGED, ANSWER}};
    struct fake *f = start(good, COUNT(good));

    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_DELIVERED);
    stop(f);
    f = start(bad, COUNT(bad));
    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_RETRY && f->at == 2);
    stop(f);
}

static void wrong_terminal_makes_the_route_unusable(void)
{
    static const struct step steps[] = {{REG("X-Wap-Terminal-Id: 4+2\r\n"), ANSWER}};
    struct fake *f = start(steps, COUNT(steps));

    f->terminal.terminal_id = SLICE("4+1");
    (void)push(f);
    run(f);
    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[1].result.outcome == OTA_UNDELIVERABLE && f->jobs[1].result.code == 4000);
    CU_ASSERT(f->at == 1);
    stop(f);
}

/* At most as many unanswered pushes as the terminal said; order is kept. */
static void outstanding_pushes_are_bounded(void)
{
    static const struct step steps[] = {
        {REG("X-Wap-Push-Accept-MaxPushReq: 2\r\n"), ANSWER},
        {NULL, HOLD},
        {STATUS("400") STATUS("235"), ANSWER}, /* the second arrived: both are answered at once */
        {NULL, HOLD},
        {STATUS("400") STATUS("236"), ANSWER},
    };
    struct fake *f = start(steps, COUNT(steps));
    static const enum ota_outcome want[] = {OTA_DELIVERED, OTA_ABORTED, OTA_DELIVERED, OTA_ABORTED};

    for (size_t i = 0; i < COUNT(want); i++)
        (void)push(f);
    run(f);
    for (size_t i = 0; i < COUNT(want); i++) {
        test_row(i);
        CU_ASSERT(f->order[i] == i && f->jobs[i].result.outcome == want[i]);
    }
    CU_ASSERT(f->connections == 1);
    stop(f);
}

static void never_two_at_once(struct fake *f)
{
    CU_ASSERT(f->done + 2 >= f->at); /* registration, and every earlier push is answered and told */
}

static void one_at_a_time_by_default(void)
{
    static const struct step steps[] = {
        {REG(""), ANSWER}, {STATUS("400"), ANSWER}, {STATUS("400"), ANSWER}, {STATUS("400"), ANSWER}};
    struct fake *f = start(steps, COUNT(steps));

    f->on_request = never_two_at_once;
    for (size_t i = 0; i < 3; i++)
        (void)push(f);
    run(f);
    CU_ASSERT(f->at == 4 && f->connections == 1);
    stop(f);
}

static void count_done(struct ota_job *job, enum err why, void *arg)
{
    (void)why;
    CU_ASSERT(job->result.outcome == OTA_RETRY);
    (*(size_t *)arg)++;
}

static void queue_for_a_terminal_is_bounded(void)
{
    static struct ota_job many[80];
    static const struct step steps[] = {{NULL, CLOSE}};
    struct fake *f = start(steps, COUNT(steps));
    size_t taken = 0, told = 0;
    enum err e;

    for (size_t i = 0; i < COUNT(many); i++) {
        many[i] =
            (struct ota_job){.terminal = &f->terminal, .message_head = SLICE(HEAD), .body = SLICE("hello")};
        e = ota_bearer_http.send(f->bearer, &many[i], count_done, &told);
        CU_ASSERT(e == (i < 64 ? ERR_OK : ERR_LIMIT));
        taken += e == ERR_OK;
    }
    while (told < taken)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    stop(f);
}

/* The terminal stops reading: what did not fit into the kernel's buffers was never sent. */
static void lost_before_it_was_sent(void)
{
    static const struct step steps[] = {{REG("X-Wap-Push-Accept-MaxPushReq: 8\r\n"), ANSWER_DEAF}};
    struct fake *f = start(steps, COUNT(steps));
    char *big = calloc(1, ota_bearer_http.body_max_n);

    CU_ASSERT_FATAL(big != NULL);
    f->env.response_ms = 1500;
    for (size_t i = 0; i < JOBS_MAX; i++) {
        f->jobs[i].body = slice_of(big, ota_bearer_http.body_max_n);
        (void)push(f);
    }
    run(f);
    CU_ASSERT(f->jobs[JOBS_MAX - 1].result.outcome == OTA_RETRY);
    stop(f);
    free(big);
}

static void lost_after_it_was_sent(void)
{
    static const struct step steps[] = {{REG(""), ANSWER}, {NULL, CLOSE}, {UNCHANGED, ANSWER}, {NULL, CLOSE}};
    struct fake *f = start(steps, COUNT(steps));

    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_AMBIGUOUS && f->why[0] == ERR_OK);
    f->jobs[1].unconfirmed = true; /* written is enough */
    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[1].result.outcome == OTA_DELIVERED && f->jobs[1].result.code == 1000);
    stop(f);
}

static void refused_connection(void)
{
    struct fake *f = start(NULL, 0);

    uv_close((uv_handle_t *)&f->listener, NULL);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    for (size_t i = 0; i < 5; i++) {
        (void)push(f);
        run(f);
        CU_ASSERT(f->jobs[i].result.outcome == OTA_RETRY);
        CU_ASSERT(strcmp(f->jobs[i].result.note, err_text(ERR_PEER)) == 0); /* tried each time */
    }
    stop(f);
}

static void slow_answers(void)
{
    static const struct step silent[] = {{NULL, HOLD}};
    static const struct step slow[] = {{REG(""), ANSWER}, {NULL, HOLD}};
    struct fake *f = start(silent, COUNT(silent));

    f->env.response_ms = 60;
    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_RETRY);
    stop(f);
    f = start(slow, COUNT(slow));
    f->env.response_ms = 1500;
    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_AMBIGUOUS);
    stop(f);
}

static void unconfirmed_ignores_all_but_a_stale_tag(void)
{
    static const struct step refused[] = {{REG(""), ANSWER}, {STATUS("235"), ANSWER}};
    static const struct step stale[] = {
        {REG(""), ANSWER}, {STALE, ANSWER}, {REG2, ANSWER}, {HTTP("500"), ANSWER}};
    struct fake *f = start(refused, COUNT(refused));

    f->jobs[0].unconfirmed = true;
    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_DELIVERED);
    stop(f);
    f = start(stale, COUNT(stale));
    f->jobs[0].unconfirmed = true;
    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_DELIVERED && f->at == 4);
    stop(f);
}

#define SEALED SLICE("Content-Type: application/x-push-gpl-a1\r\nContent-Length: 5\r\n")

/* What the terminal said it would not take is not sent, sealed or not. */
static void capabilities_are_respected(void)
{
    static const struct {
        const char *reg;
        struct slice head, body;
        enum ota_outcome outcome;
    } rows[] = {
        {REG("X-Wap-Push-MaxMsgSize: 4\r\n"), SLICE(HEAD), SLICE("hello"), OTA_UNSUITED},
        {REG("X-Wap-Push-MsgSize: 4\r\n"), SLICE(HEAD), SLICE("hello"), OTA_UNSUITED},
        {REG("X-Wap-Push-MaxMsgSize: 5\r\n"), SLICE(HEAD), SLICE("hello"), OTA_DELIVERED},
        {REG("X-Wap-Push-Accept-AppID: a.ua\r\n"), SLICE(HEAD), SLICE("hello"), OTA_UNDELIVERABLE},
        {REG("X-Wap-Push-Accept-AppID: a.ua, b.ua\r\n"), SLICE(HEAD "X-Wap-Application-Id: B.ua\r\n"),
         SLICE("hello"), OTA_DELIVERED},
        {REG("X-Wap-Push-Accept-AppID: *\r\n"), SLICE(HEAD "X-Wap-Application-Id: z\r\n"), SLICE("hello"),
         OTA_DELIVERED},
        {REG("X-Wap-Push-Accept: text/html\r\n"), SLICE(HEAD), SLICE("hello"), OTA_UNSUITED},
        {REG("X-Wap-Push-Accept: text/*\r\n"), SLICE(HEAD), SLICE("hello"), OTA_DELIVERED},
        {REG("X-Wap-Push-Accept: text/plain\r\n"), SEALED, SLICE("hello"), OTA_DELIVERED},
        {REG("X-Wap-Push-Accept: text/html\r\n"), SEALED, SLICE("hello"), OTA_UNSUITED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct step steps[] = {{rows[i].reg, ANSWER}, {STATUS("400"), ANSWER}};
        struct fake *f = start(steps, COUNT(steps));

        test_row(i);
        f->jobs[0].message_head = rows[i].head;
        f->jobs[0].body = rows[i].body;
        f->jobs[0].content_type = SLICE("text/plain");
        (void)push(f);
        run(f);
        CU_ASSERT(f->jobs[0].result.outcome == rows[i].outcome);
        CU_ASSERT(f->jobs[0].result.code == (rows[i].outcome == OTA_DELIVERED ? 1000 : 2006));
        CU_ASSERT(f->at == (rows[i].outcome == OTA_DELIVERED ? 2u : 1u));
        stop(f);
    }
}

/* The operator's word stands before the terminal's. */
static void configured_capabilities_win(void)
{
    static const struct step takes[] = {{REG("X-Wap-Push-MaxMsgSize: 4\r\n"), ANSWER},
                                        {STATUS("400"), ANSWER}};
    static const struct step not [] = {{REG("X-Wap-Push-Accept: text/plain\r\n"), ANSWER}};
    struct fake *f = start(takes, COUNT(takes));

    f->terminal.profile.size_max = 5;
    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_DELIVERED);
    stop(f);
    f = start(not, COUNT(not ));
    f->terminal.profile.accept = SLICE("text/html");
    f->jobs[0].content_type = SLICE("text/plain");
    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_UNSUITED && f->jobs[0].result.code == 2006);
    stop(f);
}

/* What a terminal says is there for all loops before its push is answered, and goes when it goes. */
static void profiles_are_published(void)
{
    static const struct step steps[] = {
        {REG("X-Wap-Push-Accept: text/plain\r\nX-Wap-Push-MaxMsgSize: 99\r\n"), ANSWER},
        {STATUS("400"), ANSWER_CLOSE},
        {UNCHANGED, ANSWER},
        {STATUS("400"), ANSWER},
        {HTTP("404"), ANSWER}};
    struct fake *f = start(steps, COUNT(steps));
    struct ota_profiles *profiles;
    struct ota_profile got;
    struct arena mem;

    arena_init(&mem, 256, 65536);
    CU_ASSERT_FATAL(ota_profiles_create(10, &profiles) == ERR_OK);
    f->env.profiles = profiles;
    (void)push(f);
    run(f);
    CU_ASSERT(ota_profiles_find(profiles, SLICE("+15550100"), &mem, &got) == ERR_OK);
    CU_ASSERT(got.size_max == 99 && got.learnt_ms > 0 && got.learnt_ms <= clk_utc_ms(&clk_real));
    TEST_SLICE_EQ(got.accept, SLICE("text/plain"));
    ota_profiles_forget(profiles, SLICE("+15550100")); /* as if it had to make room */
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT); /* the close is noticed */
    (void)push(f);
    run(f);
    CU_ASSERT(ota_profiles_find(profiles, SLICE("+15550100"), &mem, &got) == ERR_OK && got.size_max == 99);
    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[2].result.code == 3007);
    CU_ASSERT(ota_profiles_find(profiles, SLICE("+15550100"), &mem, &got) == ERR_ABSENT);
    stop(f);
    ota_profiles_free(&profiles);
    arena_clear(&mem);
}

static void cancel_while_waiting(void)
{
    static const struct step steps[] = {{NULL, HOLD}};
    struct fake *f = start(steps, COUNT(steps));
    struct ota_job *job = push(f);

    ota_bearer_http.cancel(f->bearer, job);
    CU_ASSERT(f->done == 0); /* never from inside cancel() */
    ota_bearer_http.cancel(f->bearer, job);
    run(f);
    CU_ASSERT(f->why[0] == ERR_LATE && job->result.outcome == OTA_RETRY && f->done == 1);
    ota_bearer_http.cancel(f->bearer, job); /* already over */
    stop(f);
}

static void cancel_first(struct fake *f)
{
    CU_ASSERT(f->at != 1 || !ota_bearer_http.withdraw(f->bearer, &f->jobs[0])); /* it has left */
    if (f->at == 1)
        ota_bearer_http.cancel(f->bearer, &f->jobs[0]);
}

static void cancel_while_flying(void)
{
    static const struct step steps[] = {
        {REG(""), ANSWER}, {NULL, HOLD}, {UNCHANGED, ANSWER}, {STATUS("400"), ANSWER}};
    struct fake *f = start(steps, COUNT(steps));

    f->on_request = cancel_first;
    (void)push(f);
    (void)push(f);
    CU_ASSERT(ota_bearer_http.withdraw(f->bearer, push(f)) && !f->jobs[2].attempt);
    f->sent--; /* of that one nobody is told, and the terminal neither */
    run(f);
    CU_ASSERT(f->why[0] == ERR_LATE && f->jobs[0].result.outcome == OTA_AMBIGUOUS);
    CU_ASSERT(f->why[1] == ERR_OK && f->jobs[1].result.outcome == OTA_DELIVERED && f->connections == 2);
    stop(f);
}

static void close_when_the_push_flies(struct fake *f)
{
    if (f->at == 1)
        ota_bearer_http.close(f->bearer, on_bearer_closed, f);
}

static void close_ends_everything(void)
{
    static const struct step steps[] = {{REG(""), ANSWER}, {NULL, HOLD}};
    struct fake *f = start(steps, COUNT(steps));

    f->on_request = close_when_the_push_flies;
    for (size_t i = 0; i < 3; i++)
        (void)push(f);
    while (!f->closed)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    CU_ASSERT(f->done == 3);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT(f->why[i] == ERR_LATE);
    stop(f);
}

static void idle_connections_make_room(void)
{
    static const struct step steps[] = {
        {REG(""), ANSWER}, {STATUS("400"), ANSWER}, {REG(""), ANSWER}, {NULL, HOLD}};
    struct fake *f = start(steps, COUNT(steps));
    struct ota_terminal other = f->terminal, third = f->terminal;

    f->env.connections_max = 1;
    other.key = SLICE("+15550101");
    third.key = SLICE("+15550102");
    (void)push(f);
    run(f);
    f->jobs[1].unconfirmed = false;
    f->env.response_ms = 1500;
    (void)push_at(f, &other); /* the first terminal's idle connection goes */
    (void)push_at(f, &third); /* but a busy one does not */
    run(f);
    CU_ASSERT(f->connections == 2);
    CU_ASSERT(f->jobs[1].result.outcome == OTA_AMBIGUOUS);
    CU_ASSERT(f->jobs[2].result.outcome == OTA_RETRY && f->order[1] == 2);
    stop(f);
}

static void terminal_that_closes_every_connection(void)
{
    static const char bye[] =
        "HTTP/1.1 204 X\r\nX-Wap-Push-Status: 501\r\nX-Wap-CPITag: a\r\nConnection: close\r\n\r\n";
    static const struct step steps[] = {{bye, ANSWER}, {bye, ANSWER}, {bye, ANSWER}};
    struct fake *f = start(steps, COUNT(steps));

    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_RETRY && f->connections == 3);
    stop(f);
}

static void tls_route_without_context_does_not_fall_back(void)
{
    struct fake *f = start(NULL, 0);

    f->terminal.tls = true;
    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_RETRY && f->connections == 0);
    stop(f);
}

static void bad_jobs_are_refused_at_once(void)
{
    struct fake *f = start(NULL, 0);
    struct ota_terminal nowhere = {.key = SLICE("x")};
    struct ota_job job = {.terminal = &nowhere};

    CU_ASSERT(ota_bearer_http.send(f->bearer, &job, on_done, f) == ERR_UNSUPPORTED);
    job.terminal = &f->terminal;
    job.body = slice_of("", ota_bearer_http.body_max_n + 1);
    CU_ASSERT(ota_bearer_http.send(f->bearer, &job, on_done, f) == ERR_LIMIT);
    stop(f);
}

#define ASK                                                                                                  \
    "HTTP/1.1 401 X\r\nContent-Length: 0\r\nWWW-Authenticate: Digest realm=\"push\", nonce=\"n1\", "         \
    "algorithm=SHA-256, qop=\"auth\"\r\n\r\n"
#define ASK_BASIC "HTTP/1.1 401 X\r\nContent-Length: 0\r\nWWW-Authenticate: Basic realm=\"push\"\r\n\r\n"

static void login_once(void)
{
    static const struct step good[] = {{REG(""), ANSWER}, {ASK, ANSWER}, {STATUS("400"), ANSWER}};
    static const struct step bad[] = {{REG(""), ANSWER}, {ASK, ANSWER}, {ASK, ANSWER}};
    static const struct step basic[] = {{REG(""), ANSWER}, {ASK_BASIC, ANSWER}};
    static const struct {
        const struct step *steps;
        size_t n;
        enum ota_outcome want;
    } rows[] = {{good, COUNT(good), OTA_DELIVERED},
                {bad, COUNT(bad), OTA_UNDELIVERABLE},
                {basic, COUNT(basic), OTA_UNDELIVERABLE}}; /* Basic never in clear */

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fake *f = start(rows[i].steps, rows[i].n);

        test_row(i);
        f->terminal.login = (struct ota_login){SLICE("gw"), SLICE("secret")};
        (void)push(f);
        run(f);
        CU_ASSERT(f->jobs[0].result.outcome == rows[i].want && f->at == rows[i].n);
        if (rows[i].n == 3)
            CU_ASSERT(has(request(f, 2), "\r\nAuthorization: Digest ") && !has(request(f, 2), "secret"));
        stop(f);
    }
}

static void login_at_registration(void)
{
    static const struct step steps[] = {{ASK, ANSWER}, {REG(""), ANSWER}, {STATUS("400"), ANSWER}};
    struct fake *f = start(steps, COUNT(steps));

    f->terminal.login = (struct ota_login){SLICE("gw"), SLICE("secret")};
    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_DELIVERED);
    CU_ASSERT(has(request(f, 1), "\r\nAuthorization: Digest ") && has(request(f, 1), "nc=00000001"));
    CU_ASSERT(has(request(f, 2), "nc=00000002")); /* no second round for the push */
    stop(f);
}

/* A terminal that closes with its 401: what it asked is answered on the next connection. */
static void login_on_a_new_connection(void)
{
    static const char ask[] =
        "HTTP/1.1 401 X\r\nConnection: close\r\nContent-Length: 0\r\nWWW-Authenticate: Digest "
        "realm=\"push\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"\r\n\r\n";
    static const struct step steps[] = {
        {ask, ANSWER}, {REG(""), ANSWER}, {ask, ANSWER}, {UNCHANGED, ANSWER}, {STATUS("400"), ANSWER}};
    struct fake *f = start(steps, COUNT(steps));

    f->terminal.login = (struct ota_login){SLICE("gw"), SLICE("secret")};
    (void)push(f);
    run(f);
    CU_ASSERT(f->jobs[0].result.outcome == OTA_DELIVERED && f->connections == 3);
    CU_ASSERT(has(request(f, 1), "\r\nAuthorization: Digest "));
    stop(f);
}

const struct test_case test_cases[] = {
    {"registers_then_pushes", registers_then_pushes},
    {"direct_form", direct_form},
    {"tag_is_sent_on_the_next_connection", tag_is_sent_on_the_next_connection},
    {"push_status_on_the_wire", push_status_on_the_wire},
    {"http_status_on_the_wire", http_status_on_the_wire},
    {"stale_tag_registers_and_sends_again", stale_tag_registers_and_sends_again},
    {"stale_tag_twice_is_left_for_later", stale_tag_twice_is_left_for_later},
    {"registration_answers", registration_answers},
    {"good_registrations", good_registrations},
    {"unchanged_without_cache_is_asked_once_more", unchanged_without_cache_is_asked_once_more},
    {"wrong_terminal_makes_the_route_unusable", wrong_terminal_makes_the_route_unusable},
    {"outstanding_pushes_are_bounded", outstanding_pushes_are_bounded},
    {"one_at_a_time_by_default", one_at_a_time_by_default},
    {"queue_for_a_terminal_is_bounded", queue_for_a_terminal_is_bounded},
    {"lost_before_it_was_sent", lost_before_it_was_sent},
    {"lost_after_it_was_sent", lost_after_it_was_sent},
    {"refused_connection", refused_connection},
    {"slow_answers", slow_answers},
    {"unconfirmed_ignores_all_but_a_stale_tag", unconfirmed_ignores_all_but_a_stale_tag},
    {"capabilities_are_respected", capabilities_are_respected},
    {"configured_capabilities_win", configured_capabilities_win},
    {"profiles_are_published", profiles_are_published},
    {"cancel_while_waiting", cancel_while_waiting},
    {"cancel_while_flying", cancel_while_flying},
    {"close_ends_everything", close_ends_everything},
    {"idle_connections_make_room", idle_connections_make_room},
    {"terminal_that_closes_every_connection", terminal_that_closes_every_connection},
    {"tls_route_without_context_does_not_fall_back", tls_route_without_context_does_not_fall_back},
    {"bad_jobs_are_refused_at_once", bad_jobs_are_refused_at_once},
    {"login_once", login_once},
    {"login_at_registration", login_at_registration},
    {"login_on_a_new_connection", login_on_a_new_connection},
    {NULL, NULL},
};
