/* Printing OPTIONS and POST to a terminal.  A content is not copied here: an embedded message's own head goes
 * behind the request's head, and the caller sends the content after both.  [OTA-HTTP §4, §7.1]. */
#include "ota/request.h"

#include "base/net/http1.h"
#include "ota/headers.h"

static void print_host(const struct ota_request *r, struct buf *out)
{
    const struct ota_terminal *t = r->terminal;
    bool v6;

    if (r->host.n) {
        net_http_print_header(out, SLICE("Host"), r->host);
        return;
    }
    v6 = slice_find(t->host, ':') != SIZE_MAX;
    buf_add_str(out, v6 ? "Host: [" : "Host: ");
    buf_add(out, t->host);
    buf_add_str(out, v6 ? "]:" : ":");
    buf_add_u64(out, t->port);
    buf_add(out, SLICE("\r\n"));
}

static void print_optional(struct buf *out, struct slice name, struct slice value)
{
    if (value.n)
        net_http_print_header(out, name, value);
}

/* What both requests begin with. */
static void print_start(const struct ota_request *r, struct slice method, struct buf *out)
{
    net_http_print_request(out, method, SLICE(OTA_PATH));
    print_host(r, out);
    print_optional(out, SLICE("User-Agent"), r->env->product);
    net_http_print_header(out, SLICE("X-Wap-Push-OTA-Version"), SLICE("1.0"));
    print_optional(out, SLICE("X-Wap-CPITag"), r->tag);
}

static void print_length(size_t n, struct buf *out)
{
    buf_add(out, SLICE("Content-Length: "));
    buf_add_u64(out, n);
    buf_add(out, SLICE("\r\n"));
}

/* Over the entity as it is sent, in pieces; r->mac: the terminal has a key. */
static enum err print_mac(const struct ota_request *r, const struct slice *entity, size_t n, struct buf *out)
{
    const struct ota_mac *mac;
    enum err e;

    if (!r->mac)
        return ERR_OK;
    mac = &r->terminal->mac;
    buf_add_str(out, SEC_MAC_HEADER ": ");
    e = sec_mac_print(mac->user, &mac->keys, slice_of(r->mac->p, r->mac->n), entity, n, out);
    buf_add(out, SLICE("\r\n"));
    return e;
}

enum err ota_request_options(const struct ota_request *r, struct buf *out)
{
    const struct sec_digest_request proof = {SLICE("OPTIONS"), SLICE(OTA_PATH), SLICE_NONE, true};
    enum err e;

    print_start(r, SLICE("OPTIONS"), out);
    print_optional(out, SLICE("X-Wap-Push-ProvURL"), r->env->prov_url);
    buf_add(out, r->challenges);
    if (r->offer_tls)
        buf_add_str(out, "Upgrade: TLS/1.2\r\nConnection: Upgrade\r\n");
    e = r->login_as ? ota_login_print(r->login, r->login_as, &proof, out) : ERR_OK;
    if (!e)
        e = print_mac(r, NULL, 0, out);
    print_length(0, out);
    buf_add(out, SLICE("\r\n"));
    return e ? e : buf_err(out);
}

static void print_info(const struct ota_job *job, struct buf *out)
{
    const struct ota_push_info info = {job->authenticated, job->trusted, false};

    if (!info.authenticated && !info.trusted)
        return;
    buf_add(out, SLICE("X-Wap-Push-Info: "));
    ota_push_info_print(&info, out);
    buf_add(out, SLICE("\r\n"));
}

/* The head of the message that travels inside the POST. */
static void print_embedded(const struct ota_job *job, struct buf *out)
{
    buf_add(out, SLICE("HTTP/1.1 200 OK\r\n"));
    buf_add(out, job->message_head);
    buf_add(out, SLICE("\r\n"));
}

/* Digest with auth-int covers the entity, which must then lie in one piece; otherwise nothing is copied. */
static enum err print_login(const struct ota_request *r, const struct ota_job *job, struct slice embedded,
                            struct buf *out)
{
    struct sec_digest_request proof = {SLICE("POST"), SLICE(OTA_PATH), SLICE_NONE, false};
    struct buf entity;
    enum err e;

    buf_init(&entity, embedded.n + job->body.n);
    if (r->login_as && ota_login_wants_body(r->login)) {
        buf_add(&entity, embedded);
        buf_add(&entity, job->body);
        proof.body = buf_slice(&entity);
        proof.body_known = true;
    }
    e = buf_err(&entity);
    if (!e && r->login_as)
        e = ota_login_print(r->login, r->login_as, &proof, out);
    buf_clear(&entity);
    return e;
}

/* Direct: the push headers stand in the POST itself, Date, Content-Type and Content-Length among them. */
static void print_entity_head(const struct ota_request *r, const struct ota_job *job, struct slice embedded,
                              struct buf *out)
{
    if (r->terminal->direct) {
        buf_add(out, job->message_head);
        return;
    }
    net_http_print_date(out, r->now_s);
    net_http_print_header(out, SLICE("Content-Type"), SLICE("application/http"));
    print_length(embedded.n + job->body.n, out);
}

enum err ota_request_push(const struct ota_request *r, const struct ota_job *job, struct buf *out)
{
    struct buf embedded;
    enum err e;

    buf_init(&embedded, OTA_REQUEST_MAX_N);
    if (!r->terminal->direct)
        print_embedded(job, &embedded);
    print_start(r, SLICE("POST"), out);
    print_entity_head(r, job, buf_slice(&embedded), out);
    print_info(job, out);
    e = print_login(r, job, buf_slice(&embedded), out);
    if (!e)
        e = print_mac(r, (const struct slice[]){buf_slice(&embedded), job->body}, 2, out);
    buf_add(out, SLICE("\r\n"));
    buf_add(out, buf_slice(&embedded));
    if (!e)
        e = buf_err(&embedded) ? buf_err(&embedded) : buf_err(out);
    buf_clear(&embedded);
    return e;
}
