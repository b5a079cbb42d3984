/* What an operator set in ppg.conf, as plain values; filled by the table of config/schema.c, never changed
 * afterwards.  Units are in the names: _ms milliseconds, _n octets, others are counts.  Strings are owned by the
 * struct ppg_config around it. */
#ifndef PPG_SETTINGS_H
#define PPG_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/log.h"
#include "security/policy.h"
#include "security/rules/network.h"

#define PPG_LISTEN_MAX   8
#define PPG_FILES_MAX    8
#define PPG_RETRIES_MAX  8
#define PPG_NETWORKS_MAX 16
#define PPG_KEYS_MAX     192 /* keys of ppg.conf */

/* What shows that a terminal has the association that a push brought: besides a protected message of its own, an answer that
 * its transport proves? */
enum ppg_confirmation { PPG_CONFIRM_DELIVERY, PPG_CONFIRM_UPLINK };

/* What an initiator assumes of a terminal: compared where something is known, and where nothing is? */
enum ppg_capabilities_use { PPG_CAPABILITIES_LENIENT, PPG_CAPABILITIES_STRICT, PPG_CAPABILITIES_IGNORE };

/* What devices that register over SIP are challenged with; some clients look at the first challenge alone. */
enum ppg_sip_digest { PPG_SIP_SHA256, PPG_SIP_BOTH, PPG_SIP_MD5 };

/* Whether initiators' certificates are asked about, and what is done when there is no answer. */
enum ppg_ocsp_use { PPG_OCSP_OFF, PPG_OCSP_FAIL_CLOSED, PPG_OCSP_FAIL_OPEN };

#define PPG_WAKE_TRIES_MAX 8u
struct ppg_listen {
    char address[64]; /* numeric, IPv6 without brackets */
    uint16_t port;    /* 0: the system chooses */
};

struct ppg_settings {
    uint32_t lines[PPG_KEYS_MAX]; /* where each key of config/keys.c was set; 0: not */
    struct {
        const char *name;        /* URI of this gateway: sender-address in answers */
        const char *sender_name; /* for people */
        unsigned loops;          /* 0: one per core */
        const char *port_file;   /* where the real ports are written once listening; NULL */
        bool core_dumps;
    } gateway;
    struct {
        struct ppg_listen listen[PPG_LISTEN_MAX]; /* clear */
        size_t listen_n;
        struct ppg_listen listen_tls[PPG_LISTEN_MAX];
        size_t listen_tls_n;
        struct ppg_listen listen_psk[PPG_LISTEN_MAX]; /* TLS with shared keys instead of certificates */
        size_t listen_psk_n;
        const char *psk_hint; /* "": none */
        const char *path;     /* "/pap" */
        const char *cert[PPG_FILES_MAX];
        size_t cert_n;
        const char *key[PPG_FILES_MAX]; /* as many as cert */
        size_t key_n;
        const char *staple[PPG_FILES_MAX]; /* none, or as many as cert */
        size_t staple_n;
        const char *ca;
        const char *crl;
        bool crl_expired_ok;
        int ocsp;                   /* enum ppg_ocsp_use */
        const char *ocsp_responder; /* "": the one a certificate names */
        int64_t ocsp_timeout_ms;
        int64_t expiry_warning_ms; /* ahead of the end of certificates, revocation lists and staples */
        int client_certificate;    /* enum net_tls_verify */
        unsigned tls_min;          /* 12 or 13 */
        unsigned ciphers;          /* of enum net_tls_cipher */
        bool strict;
        int capabilities;        /* enum ppg_capabilities_use */
        unsigned success_status; /* 202 or 200 */
        bool clear_basic;        /* Basic without TLS */
        const char *realm;
        bool digest_md5;
        bool mac_hex; /* macs of hexadecimal digits */
        int64_t nonce_life_ms;
        size_t body_max_n;
        size_t control_max_n;
        size_t recipients_max;
        int64_t default_lifetime_ms;
        int64_t max_lifetime_ms;
        size_t connections_max;
        size_t connections_per_address_max;
        int64_t head_ms;
        int64_t idle_ms;
        int64_t body_rate; /* octets a second */
        int64_t handshake_ms;
        const char *aliases; /* comma list of names this gateway has in the @ppg part; "" any */
    } pap;
    struct {
        int64_t connect_ms;
        int64_t response_ms;
        int64_t idle_ms;
        size_t connections_max; /* of one loop */
        const char *cert;       /* the gateway's own certificate towards terminals; NULL */
        const char *key;
        const char *ca; /* who signs terminals' certificates; NULL: no TLS route works */
        bool staple_required;
        const char *prov_url;
        struct ppg_listen listen[PPG_LISTEN_MAX]; /* where terminals call in, clear */
        size_t listen_n;
        struct ppg_listen listen_tls[PPG_LISTEN_MAX];
        size_t listen_tls_n;
        struct ppg_listen listen_psk[PPG_LISTEN_MAX]; /* the same with shared keys instead of certificates */
        size_t listen_psk_n;
        size_t calls_max; /* connections that terminals opened, all loops */
        size_t calls_per_address_max;
        int64_t keep_alive_ms; /* such a connection is asked so often whether it lives */
        const char *realm;
        struct ppg_listen contacts[PPG_LISTEN_MAX]; /* where terminals that are asked to call find us */
        size_t contacts_n;
        int64_t wake_first_ms; /* doubles */
        size_t wake_tries;     /* 1..PPG_WAKE_TRIES_MAX */
    } ota_http;
    struct {
        struct ppg_listen listen_tls[PPG_LISTEN_MAX]; /* where terminals fetch; never clear */
        size_t listen_tls_n;
        struct ppg_listen listen_psk[PPG_LISTEN_MAX]; /* likewise, with shared keys instead of certificates */
        size_t listen_psk_n;
        const char
            *url; /* how terminals reach that, "https://host:port"; "": nothing is delivered indirectly */
        size_t indirect_above_n; /* octets of content; 0: only what the terminal does not take */
        size_t items_max;        /* of one answer */
        int64_t wait_max_ms;     /* of a long poll */
        size_t waits_max;        /* long polls, all loops together */
        size_t waits_per_terminal_max;
        bool peer_certificate; /* a store of another gateway must have one */
    } inbox;
    struct {
        unsigned source_port;  /* of datagrams in the clear; 0: the system chooses */
        size_t datagram_max_n; /* octets */
        size_t mtu;            /* octets, of DTLS */
        int64_t settle_ms;
        int64_t idle_ms;
        size_t flows_max; /* of one loop */
    } ota_wsp;
    struct {
        const char *identity; /* URI that pushes come from */
        const char *host;     /* ours, as servers may call back; "": that of the identity */
        const char *proxy;    /* URI of the next hop for all; "": each route's own */
        const char *service;  /* URN; "" */
        const char *app_tag;
        const char *dns; /* servers for service records; "": the system's */
        struct sec_network trusted[PPG_NETWORKS_MAX];
        size_t trusted_n;
        bool large_ok;
        bool sec_agree;
        size_t hops_max;         /* of one loop */
        size_t transactions_max; /* of one loop */
        int64_t idle_ms;
        struct ppg_listen listen_udp[PPG_LISTEN_MAX]; /* where devices register */
        size_t listen_udp_n;
        struct ppg_listen listen_tcp[PPG_LISTEN_MAX];
        size_t listen_tcp_n;
        struct ppg_listen listen_tls[PPG_LISTEN_MAX];
        size_t listen_tls_n;
        struct ppg_listen listen_msrp[PPG_LISTEN_MAX]; /* where terminals connect for sessions */
        size_t listen_msrp_n;
        struct ppg_listen listen_msrps[PPG_LISTEN_MAX];
        size_t listen_msrps_n;
        struct ppg_listen listen_msrps_psk[PPG_LISTEN_MAX];
        size_t listen_msrps_psk_n;
        const char *domains;                                /* comma list; "": the host of the identity */
        const char *realm;                                  /* "": the first of domains */
        int digest;                                         /* enum ppg_sip_digest */
        int64_t expires_min_ms, expires_ms, expires_max_ms; /* of registrations */
        size_t registered_max;                              /* addresses of record with a device */
        bool untagged_ok;
        bool address_bound;      /* OPTIONS need no login from where a device has registered */
        bool probe;              /* asks with OPTIONS who has not said what it takes */
        int form;                /* enum ota_form */
        int64_t enter_ms;        /* a connection on which nobody has logged in closes then */
        int64_t flow_ms;         /* any other that is silent */
        size_t sessions_max;     /* of MSRP, of one loop */
        int64_t ring_ms;         /* an INVITE may ring so long */
        int64_t report_ms;       /* a success report may take so long */
        int64_t session_idle_ms; /* a session ends after so long without a push */
    } ota_sip;
    struct {
        int64_t retry_first_ms; /* doubles, with jitter */
        int64_t retry_max_ms;
        unsigned tries_max;
        size_t live_max;  /* targets in memory, all loops together */
        size_t claim_max; /* targets claimed at once */
    } delivery;
    struct {
        const char *engine;
        const char *path;
        size_t pending_max;
        int64_t keep_ms; /* finished pushes stay answerable */
    } store;
    struct {
        int64_t retry_ms[PPG_RETRIES_MAX];
        size_t retries_n;
        int64_t timeout_ms;
        size_t connections_max; /* of one loop */
        bool private_addresses;
        const char *ca; /* who signs initiators' servers; NULL: the system's list */
        bool staple_required;
    } notify;
    struct {
        enum sec_level floor;
        enum sec_level ceiling;
        enum sec_message_use message;
        unsigned suites;       /* 1 << octet of each that may seal */
        uint32_t number_range; /* sequence numbers reserved at once */
        int confirmation;      /* enum ppg_confirmation */
    } protection;
    struct {
        const char *name;                            /* domain name of the gateway as a NAF; never NULL */
        int64_t life_ms;                             /* of an association, at most */
        uint32_t slot;                               /* IND of the sequence numbers */
        const char *bsf_name;                        /* domain name on Ub; "": name with "bsf." in front */
        struct ppg_listen listen_ub[PPG_LISTEN_MAX]; /* where terminals bootstrap; TLS always */
        size_t listen_ub_n;
        struct ppg_listen listen_naf[PPG_LISTEN_MAX]; /* where other NAFs ask; TLS with certificates always */
        size_t listen_naf_n;
        struct ppg_listen
            listen_entities[PPG_LISTEN_MAX]; /* where users and their entities come; TLS always */
        size_t listen_entities_n;
        const char *cert; /* shown at these; NULL */
        const char *key;
        const char *ca;      /* who signs NAFs' certificates; NULL */
        const char *bsf_url; /* https; NULL: the key server is the embedded one */
        const char *bsf_ca;  /* who signs its certificate */
        int64_t bsf_timeout_ms;
        uint32_t bsf_rate; /* questions for keys a second */
        int64_t ks_life_ms;
        size_t bootstrapped_max; /* Ks kept */
        struct ppg_listen
            listen_peer[PPG_LISTEN_MAX]; /* where homes bring keys; TLS with certificates always */
        size_t listen_peer_n;
        size_t visitors_max; /* of such keys kept */
    } key_server;
    struct {
        struct ppg_listen listen_tls[PPG_LISTEN_MAX]; /* where terminals ask about tokens */
        size_t listen_tls_n;
        struct ppg_listen listen_psk[PPG_LISTEN_MAX];
        size_t listen_psk_n;
        const char *applications; /* comma lists of what always gets a token */
        const char *initiators;
        int64_t life_ms;   /* of a token */
        size_t tokens_max; /* good at once */
        uint32_t rate;     /* questions a minute, each terminal */
    } verify;
    struct {
        enum log_level level;
        enum log_format format;
        enum log_identities identities;
        const char *file; /* NULL: standard error */
    } log;
    struct {
        const char *path;            /* NULL: none */
        const char *master;          /* as sec_master_read takes it; NULL only without a path */
        const char *master_previous; /* NULL: none */
    } keyring;
    struct {
        const char *initiators;
        const char *whitelist;
        const char *groups; /* NULL: none */
        const char *terminals;
        const char *algorithms; /* NULL: no policy beyond these settings */
        const char *algorithms_key;
        const char *algorithms_serial;
        const char *nafs;        /* NULL: none */
        const char *visits;      /* NULL: none */
        const char *users;       /* NULL: none */
        const char *subscribers; /* NULL: no embedded key server */
    } files;                     /* the other files of one configuration */
    struct {
        unsigned tls_min; /* 12 or 13; of TLS on all sides */
        unsigned ciphers; /* of enum net_tls_cipher; 0: all */
        uint64_t serial;  /* 0: there is no policy */
    } policy; /* of files.algorithms; what of it concerns [pap] and [protection] is there already */
    struct {
        const char *socket;    /* UNIX socket of the operator; NULL: none */
        const char *audit;     /* what operators changed; NULL: they cannot change lists over the socket */
        const char *audit_key; /* as sec_master_read takes it; NULL: none */
        struct ppg_listen listen_metrics[PPG_LISTEN_MAX]; /* where collectors of metrics ask; clear */
        size_t listen_metrics_n;
    } admin;
};

#endif
