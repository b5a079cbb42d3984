"""Which room may include what, as data: the longest room that holds a file decides.  Not the checks (lint.py).

Each room: `ours` lists what it sees of the project, a folder with its trailing "/" (the files in it, not the rooms
below it) or one header, with the files of the room that may; `theirs` does the same for third-party headers.
"""

ANY = "*"

ROOMS = {
    "base": {"ours": {"base/": ANY}, "theirs": {}},
    "base/net": {
        "ours": {"base/": ANY, "base/net/": ANY},
        "theirs": {"uv.h": ANY, "http_parser.h": ["http1.c", "uri.c"], "ares.h": ["records.c"], "gnutls/": ["tls*.c", "dtls*.c"]},
    },
    "base/xml": {"ours": {"base/": ANY, "base/xml/": ANY}, "theirs": {"libxml/": ANY}},
    # uaprof.c reads the other XML document of PAP, a terminal's profile, under the same rules; decode.c is what both need.
    "pap": {"ours": {"base/": ANY, "base/xml/": ["uaprof.c"], "pap/": ANY}, "theirs": {"libxml/": ["parse.c", "uaprof.c", "decode.c"]}},
    # The ground that the rooms below stand on: it sees none of them.  Arrows: login <- gba <- rules; terminal sees a line of login.
    "security": {
        "ours": {"base/": ANY, "security/": ANY, "base/net/tls.h": ["credentials.[ch]"]},
        "theirs": {"gnutls/": ["*.c"]},
    },
    "security/login": {
        "ours": {room: ANY for room in ("base/", "security/", "security/login/")},
        "theirs": {"gnutls/": ["digest_aka.c", "jwks.c"], "jansson.h": ["token.c", "jwks.c"]},
    },
    "security/gba": {
        "ours": {room: ANY for room in ("base/", "security/", "security/login/", "security/gba/")} | {"base/xml/": ["bootinfo.c"]},
        "theirs": {"libxml/": ["bootinfo.c"]},
    },
    "security/rules": {
        "ours": {room: ANY for room in ("base/", "security/", "security/login/", "security/gba/", "security/rules/")},
        "theirs": {},
    },
    "security/terminal": {
        "ours": {room: ANY for room in ("base/", "security/", "security/login/digest_hash.h", "security/terminal/")} | {"base/xml/": ["secprov.c"]},
        "theirs": {"gnutls/": ["activation.c"], "libxml/": ["secprov.c"]},
    },
    "security/xml": {
        "ours": {room: ANY for room in ("base/", "security/", "security/xml/")},
        "theirs": {
            "gnutls/": ["xmlcert.c", "xmlsec.c"], "libxml/": ["xmldoc.c", "xmlform.c", "xmlsec.c"],
            "xmlsec/": ["xmlsec.c"], "xmlsec/gnutls/": ["xmlsec.c"],
        },
    },
    "ota": {
        "ours": {"base/": ANY, "base/net/": ANY, "base/xml/": ["wbxml.c"], "security/": ANY, "security/login/": ANY, "security/gba/": ANY, "security/rules/network.h": ANY, "security/xml/xmlsec.h": ANY, "ota/": ANY},
        "theirs": {"uv.h": ANY, "libxml/": ["wbxml.c"]},
    },
    "ota/msrp": {"ours": {"base/": ANY, "ota/msrp/": ANY}, "theirs": {}},
    "ota/sip": {
        "ours": {
            "base/": ANY, "base/net/": ANY, "security/": ANY, "security/login/": ANY, "ota/": ANY, "ota/sip/": ANY,
            # A next hop may be over the door, to who is there already.
            "ota/registrar/flow.h": ["hop.h"], "ota/registrar/door.h": ["hop.c"],
        },
        "theirs": {"uv.h": ANY, "osip2/": ANY, "osipparser2/": ANY},
    },
    # Of the room beside it: messages, never the bearer.
    "ota/registrar": {
        "ours": {"base/": ANY, "base/net/": ANY, "security/": ANY, "security/login/": ANY, "ota/registrar/": ANY}
        | {f"ota/sip/{part}.h": ANY for part in ("answered", "frame", "message", "refusal", "reply", "request", "said", "uri")},
        "theirs": {"uv.h": ANY, "osip2/": ANY, "osipparser2/": ANY},
    },
    "ota/agent": {
        "ours": {room: ANY for room in ("base/", "base/net/", "security/", "ota/", "ota/sip/", "ota/registrar/", "ota/msrp/", "ota/agent/")},
        "theirs": {"uv.h": ANY, "osipparser2/": ["dialog.c"]},
    },
    "ota/terminal": {
        "ours": {"base/": ANY, "security/": ANY, "security/login/": ANY, "security/gba/": ANY, "security/terminal/": ANY, "security/xml/xmlsec.h": ANY, "ota/headers.h": ANY, "ota/wsp.h": ["kit_push.c"], "ota/sia.h": ["kit_verify.c"], "ota/terminal/": ANY},
        "theirs": {},
    },
    "ppg/store": {
        "ours": {"base/": ANY, "ppg/push.h": ANY, "ppg/store/": ANY},
        "theirs": {"sqlite3.h": ["sqlite*.c"], "libpq-fe.h": ["postgres.c"]},
    },
    "ppg": {
        "ours": {
            room: ANY
            for room in (
                "base/", "base/net/", "pap/", "security/", "security/login/", "security/gba/", "security/rules/", "security/terminal/", "ota/", "ota/sip/", "ota/registrar/", "ota/terminal/", "ppg/", "ppg/store/", "ppg/config/", "ppg/keys/",
            )
        }
        | {"ppg/doors/": ["core.c", "loop.[ch]", "server.c", "config.c", "deliver.c", "schedule.c"], "ppg/admin/": ["server.c", "reload.c"]},
        "theirs": {"uv.h": ANY, "jansson.h": ["json_wipe.c"]},
    },
    # Below the doors and the operators: neither is seen from here.
    "ppg/keys": {
        "ours": {room: ANY for room in ("base/", "base/net/", "pap/time.h", "security/", "security/gba/", "security/rules/", "security/terminal/visits.h", "ota/", "ppg/", "ppg/store/", "ppg/keys/")},
        "theirs": {"jansson.h": ["keyservice.c", "visit_json.c"]},
    },
    "ppg/doors": {
        "ours": {
            room: ANY
            for room in (
                "base/", "base/net/", "pap/time.h", "security/", "security/login/", "security/gba/", "security/rules/", "security/terminal/verify.h", "security/xml/xmlsec.h", "ota/", "ota/sip/", "ota/registrar/", "ppg/", "ppg/store/", "ppg/keys/",
                "ppg/doors/",
            )
        }
        | {"ota/agent/msrp_door.h": ["msrpdoor.h"], "ppg/config/users.h": ["entity_door.c"]},
        "theirs": {"uv.h": ANY, "jansson.h": ["entity_door.c", "verify.c"]},
    },
    "ppg/admin": {
        "ours": {
            room: ANY
            for room in ("base/", "base/net/", "pap/", "security/", "security/login/", "security/rules/", "security/terminal/", "ota/", "ota/registrar/", "ppg/", "ppg/store/", "ppg/config/", "ppg/admin/")
        },
        "theirs": {"uv.h": ANY, "jansson.h": ANY},
    },
    "ppg/config": {
        "ours": {
            # A terminal's section may name its profile: a file that is read when the configuration is.
            "base/": ANY, "pap/time.h": ANY, "pap/uaprof.h": ["terminal_profile.c"], "ota/sip/uri.h": ["terminal_reach.c", "terminal_register.c", "keys.c"], "security/": ANY, "security/login/": ANY, "security/gba/": ANY, "security/rules/": ANY, "security/terminal/": ANY, "security/xml/xmlsec.h": ANY, "ota/registry.h": ANY, "ota/profile.h": ["terminal_profile.c"], "base/net/tls.h": ANY, "base/net/uri.h": ANY,
            "base/net/dns.h": ANY, "ppg/config.h": ANY, "ppg/settings.h": ANY, "ppg/config/": ANY,
        },
        "theirs": {"ini.h": ["ini.c"]},
    },
    "ppg/tool": {
        "ours": {room: ANY for room in ("base/", "base/net/", "pap/", "security/", "security/login/", "ota/headers.h", "ppg/tool/")},
        "theirs": {"uv.h": ANY, "jansson.h": ["report.c", "table.[ch]", "explain.[ch]", "lists.[ch]"]},
    },
    # A terminal on the command line: the client library, and what our own doors say.
    "ppg/handset": {
        "ours": {
            room: ANY
            for room in (
                "base/", "base/net/", "pap/", "security/", "security/login/", "security/gba/", "security/rules/", "security/terminal/", "ota/headers.h", "ota/terminal/", "ppg/tool/", "ppg/handset/",
            )
        }
        | {
            "ota/sip/": ["sip_*.c"], "ota/msrp/": ["sip_*.c"], "ota/registry.h": ["sip_*.h"], "ota/bearer.h": ["sip_*.c"],
            "ota/sia.h": ["verify.c", "visit.c"], "ppg/config/": ["terminal_kit.c"], "ppg/keys/visit_json.h": ["guest.c"],
        },
        "theirs": {"uv.h": ANY, "jansson.h": ["verify.c", "inbox.c", "one_time.c"]},
    },
    "ppg/cmd": {
        "ours": {
            room: ANY
            for room in (
                "base/", "base/net/", "pap/", "security/", "security/xml/xmlsec.h", "ota/", "ota/sip/", "ota/registrar/", "ota/terminal/", "ppg/", "ppg/store/",
                "ppg/config/", "ppg/admin/", "ppg/tool/", "ppg/handset/", "ppg/cmd/",
            )
        },
        "theirs": {"uv.h": ANY, "jansson.h": ["ppgctl.c"]},
    },
}

# What the C library and the system offer; every room may use it.
SYSTEM = frozenset(
    """
    assert.h ctype.h dirent.h dlfcn.h endian.h errno.h fcntl.h fnmatch.h getopt.h grp.h inttypes.h limits.h locale.h
    malloc.h math.h netdb.h poll.h pthread.h pwd.h sched.h setjmp.h signal.h spawn.h stdalign.h stdarg.h stdatomic.h
    stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h strings.h syslog.h termios.h threads.h time.h
    unistd.h arpa/inet.h linux/random.h net/if.h netinet/in.h netinet/tcp.h sys/epoll.h sys/eventfd.h sys/file.h
    sys/ioctl.h sys/mman.h sys/prctl.h sys/random.h sys/resource.h sys/socket.h sys/stat.h sys/statvfs.h
    sys/sysinfo.h sys/time.h sys/types.h sys/uio.h sys/un.h sys/utsname.h sys/wait.h
    """.split()
)
