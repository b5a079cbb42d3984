/* Pushes for people and for programs; see push_print.h. */
#include "ppg/handset/push_print.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/codec.h"
#include "ppg/tool/tool.h"
#include "security/gpl.h"

#define LINE_MAX_N (16u << 20) /* octets of one printed event */

static void json_text(struct buf *out, const char *key, struct slice value)
{
    buf_addf(out, ",\"%s\":", key);
    codec_json(out, value);
}

static void json_bool(struct buf *out, const char *key, bool value)
{
    buf_addf(out, ",\"%s\":%s", key, value ? "true" : "false");
}

const char *tool_push_level(enum kit_protection level)
{
    static const char *const names[] = {"none", "integrity", "full"};

    return names[level];
}

bool tool_push_level_parse(const char *text, enum kit_protection *out)
{
    for (int level = KIT_NONE; level <= KIT_FULL; level++)
        if (slice_eq(slice_str(text), slice_str(tool_push_level((enum kit_protection)level)))) {
            *out = (enum kit_protection)level;
            return true;
        }
    return false;
}

/* The content as text where it is text, else as base64. */
static void json_content(struct buf *out, struct slice body)
{
    if (codec_is_utf8(body)) {
        json_text(out, "content", body);
        return;
    }
    buf_add_str(out, ",\"content_base64\":\"");
    codec_base64(out, body);
    buf_add_ch(out, '"');
}

static void json_proofs(struct buf *out, unsigned proofs)
{
    static const struct {
        unsigned proof;
        const char *name;
    } rows[] = {{KIT_PROOF_CERTIFICATE, "certificate"},
                {KIT_PROOF_DIGEST, "digest"},
                {KIT_PROOF_SEAL, "seal"},
                {KIT_PROOF_PSK, "psk"},
                {KIT_PROOF_MAC, "hmac"},
                {KIT_PROOF_XML, "xml-signature"}};
    const char *comma = "";

    buf_add_str(out, ",\"proofs\":[");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (proofs & rows[i].proof) {
            buf_addf(out, "%s\"%s\"", comma, rows[i].name);
            comma = ",";
        }
    buf_add_ch(out, ']');
}

static void json_push(struct buf *out, const struct kit_push *p)
{
    json_proofs(out, p->proofs);
    json_text(out, "message_id", p->message_id);
    json_text(out, "app_id", p->app_id);
    json_text(out, "initiator_uri", p->initiator_uri);
    json_bool(out, "authenticated", p->authenticated);
    json_bool(out, "trusted", p->trusted);
    json_text(out, "protection", slice_str(tool_push_level(p->message_protection)));
    if (p->suite) {
        json_text(out, "suite", slice_str(sec_gpl_suite_name(p->suite)));
        buf_addf(out, ",\"sn\":%" PRIu32, p->sn);
        json_text(out, "key", p->gateway.n ? SLICE("gba-push") : SLICE("provisioned"));
    }
    if (p->gateway.n) {
        json_text(out, "gateway", p->gateway);
        json_bool(out, "associated", p->associated);
    }
    json_text(out, "content_type", p->content_type);
    if (p->provisioned) { /* there are keys in it */
        buf_addf(out, ",\"provisioned\":%" PRIu64, p->provisioned);
        json_text(out, "sha256", p->provisioned_hash);
    } else {
        json_content(out, p->body);
    }
}

static const char *event_name(enum kit_event ev)
{
    static const char *const names[KIT_EVENT_COUNT] = {
        [KIT_REGISTERED] = "registered", [KIT_PUSH] = "push",       [KIT_DUPLICATE] = "duplicate",
        [KIT_DROPPED] = "dropped",       [KIT_REFUSED] = "refused", [KIT_VERIFY] = "verify",
        [KIT_CONNECT] = "connect",       [KIT_UPGRADE] = "upgrade"};

    return names[ev];
}

/* With these there is a push to show. */
static bool shows_push(enum kit_event ev)
{
    return ev == KIT_PUSH || ev == KIT_VERIFY || ev == KIT_CONNECT;
}

static bool has_reason(enum kit_event ev)
{
    return !shows_push(ev) && ev != KIT_REGISTERED && ev != KIT_UPGRADE;
}

static void print_json(enum kit_event ev, const struct kit_request *req, const struct kit_push *push,
                       const char *reason)
{
    struct buf out;

    buf_init(&out, LINE_MAX_N);
    buf_addf(&out, "{\"event\":\"%s\"", event_name(ev));
    json_text(&out, "server", req->server);
    json_bool(&out, "tls", req->tls);
    json_bool(&out, "server_proved", req->server_proved);
    if (shows_push(ev))
        json_push(&out, push);
    else if (has_reason(ev))
        json_text(&out, "reason", slice_str(reason));
    buf_add_str(&out, "}\n");
    if (buf_err(&out))
        (void)fprintf(stderr, "push-terminal: event too long to print\n");
    else
        (void)fwrite(out.p, 1, out.n, stdout);
    buf_clear(&out);
}

static void print_line(const char *name, struct slice value)
{
    (void)printf("  %-14s ", name);
    tool_print(stdout, value);
    (void)putchar('\n');
}

static void print_text(enum kit_event ev, const struct kit_request *req, const struct kit_push *push,
                       const char *reason)
{
    (void)printf("%s from ", event_name(ev));
    tool_print(stdout, req->server);
    (void)printf("%s%s\n", has_reason(ev) ? ": " : "", has_reason(ev) ? reason : "");
    if (!shows_push(ev))
        return;
    print_line("message", push->message_id);
    print_line("application", push->app_id);
    print_line("initiator", push->initiator_uri);
    (void)printf("  %-14s %s, %s\n", "flags", push->authenticated ? "authenticated" : "not authenticated",
                 push->trusted ? "trusted" : "not trusted");
    (void)printf("  %-14s %s%s%s\n", "protection", tool_push_level(push->message_protection),
                 req->tls ? ", inside TLS" : "", req->server_proved ? " of a proved server" : "");
    if (push->gateway.n) {
        print_line("gateway", push->gateway);
        (void)printf("  %-14s %s\n", "association", push->associated ? "came with it" : "known");
    }
    print_line("type", push->content_type);
    if (push->provisioned) {
        (void)printf("  %-14s version %" PRIu64 "\n", "provisioned", push->provisioned);
        print_line("sha-256", push->provisioned_hash);
    } else {
        print_line("content", push->body);
    }
}

void tool_push_print(bool json, enum kit_event ev, const struct kit_request *req, const struct kit_push *push,
                     const char *reason)
{
    if (json)
        print_json(ev, req, push, reason);
    else
        print_text(ev, req, push, reason);
    (void)fflush(stdout);
}
