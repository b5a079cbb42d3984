/* What push-terminal can be told on its command line.  A value that was not given is NULL, false or 0; strings are the
 * command line's.  One thread. */
#ifndef PPG_HANDSET_TERMINAL_OPTIONS_H
#define PPG_HANDSET_TERMINAL_OPTIONS_H

#include "ppg/handset/boot.h"
#include "ppg/tool/tool.h"
#include "ppg/handset/verify.h"

struct tool_terminal_options {
    const char *bind, *cert, *key, *pkcs12, *pkcs12_password, *ca, *crl, *provisioning;
    struct tool_list associations;
    const char *gateway, *gateway_name, *visit, *proof;
    const char *mac, *mac_md5, *xml;
    const char *terminal_id, *require, *login, *state, *wire, *port_file;
    const char *package, *code, *out, *module;
    struct tool_home home;
    struct tool_bsf bsf;
    const char *items;
    struct tool_list servers, verify_apps, pin_apps;
    const char *pin;
    struct tool_list apps, accept, charsets, encodings, languages;
    const char *psk, *peer_key, *to;
    const char *record, *registrar;
    const char *item, *protection; /* of `inbox` */
    bool fetch, follow, keep;      /* likewise; fetch: it is the command */
    bool trusted_only, udp, dtls, sip, connects, proof_md5, decrypted;
    int64_t verify_rate, count, timeout_s, max_size, window, tls_port;
    bool json, help, version;
};

/* Ends with a NULL name. */
extern const struct tool_option tool_terminal_options[];

#endif
