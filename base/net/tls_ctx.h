/* What a TLS context is made of, for the files that make a session of it (tls.c, tls_handshake.c, tls_judge.c, tls_resume.c,
 * tls_psk.c): who is not one of them goes by tls.h.  Nothing of it changes once it is made, but the count of its holders
 * and the tickets, which have a lock of their own.  GnuTLS's types by their structs' names, as everywhere. */
#ifndef BASE_NET_TLS_CTX_H
#define BASE_NET_TLS_CTX_H

#include <stdatomic.h>

#include "base/net/tls.h"
#include "base/net/tls_names.h"
#include "base/net/tls_tickets.h"

struct gnutls_certificate_credentials_st; /* what gnutls_certificate_credentials_t points to */
struct gnutls_psk_server_credentials_st;
struct gnutls_psk_client_credentials_st;
struct gnutls_priority_st;

struct net_tls_ctx {
    atomic_size_t holders; /* the owner and every session */
    enum net_tls_role role;
    enum net_tls_verify verify;
    bool alpn_http11;
    bool datagrams;
    bool demand_13;
    bool crl_expired_ok;
    bool staple_required;
    bool ask_status;
    struct net_tls_dates dates;
    struct net_tls_psk_source psk;                        /* find NULL: none */
    struct gnutls_psk_server_credentials_st *psk_server;  /* instead of pairs; NULL */
    struct gnutls_psk_client_credentials_st *psk_client;  /* likewise */
    struct gnutls_certificate_credentials_st *cred;       /* all pairs */
    struct tls_names *names;                              /* servers with several pairs; else NULL */
    struct gnutls_certificate_credentials_st **selection; /* [k]: the pairs of selection k of names */
    size_t selection_n;
    struct gnutls_priority_st *priority;
    struct slice ticket_key;     /* servers; GnuTLS's memory, wiped with the context */
    struct tls_tickets *tickets; /* clients that resume; else NULL */
};

#endif
