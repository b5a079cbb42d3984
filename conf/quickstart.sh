#!/bin/sh
# A push from end to end on this machine, in two minutes: installs the packages, builds, makes a demo authority,
# an initiator's certificate and a terminal's identity module, starts the gateway and a terminal that have never met on
# free loopback ports, pushes twice - the first push brings its own association -, and shows what crossed each hop.
# `--serve` leaves it running and says how to push again.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
serve=no
case "${1:-}" in
--serve) serve=yes ;;
'') ;;
*) echo "usage: sh conf/quickstart.sh [--serve]" >&2 && exit 2 ;;
esac

packages='gcc libc6-dev cmake ninja-build pkg-config libuv1-dev libgnutls28-dev libosip2-dev libc-ares-dev libxml2-dev libhttp-parser-dev
libsqlite3-dev libinih-dev libjansson-dev libxmlsec1-dev openssl python3'
bin=$top/build/quickstart
impi=001010123456789@ims.demo.example # of the terminal: who it is to the key server
mkdir -p "$top/scratch"
demo=$(mktemp -d "$top/scratch/demo.XXXXXX")
pids=

clean() {
    # shellcheck disable=SC2086 # a list of numbers
    [ -z "$pids" ] || { kill $pids 2>/dev/null; wait $pids 2>/dev/null; } || true
    rm -rf "$demo"
    rmdir "$top/scratch" 2>/dev/null || true
}
trap clean EXIT
trap 'exit 130' INT TERM

say() { printf '%s\n' "$*"; }
head_line() { printf '\n== %s\n' "$*"; }
fail() {
    say "quickstart: $*" >&2
    for log in "$demo"/*.log; do [ ! -s "$log" ] || { say "--- ${log##*/}" >&2 && tail -n 15 "$log" >&2; }; done
    exit 1
}

install_missing() {
    missing=
    for p in $packages; do
        dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
    done
    [ -n "$missing" ] || return 0
    [ "$(id -u)" -eq 0 ] || fail "these packages are needed:$missing"
    say "installing$missing"
    # shellcheck disable=SC2086
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } \
        >"$demo/apt.log" 2>&1 || fail "the packages could not be installed"
}

build() {
    cmake -S "$top" -B "$bin" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DPPG_TESTS=OFF >"$demo/build.log" 2>&1 &&
        cmake --build "$bin" >>"$demo/build.log" 2>&1 || fail "the build failed"
}

# A certificate of the demo authority: certificate NAME SUBJECT-ALT-NAME
certificate() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj "/CN=$1" -out "$1.csr" \
        2>/dev/null
    printf 'subjectAltName=%s\n' "$2" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 7 -extfile "$1.ext" -out "$1.pem" \
        2>/dev/null
    chmod 600 "$1.key"
}

make_keys() (
    cd "$demo"
    umask 077
    openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -subj '/CN=demo authority' \
        -days 7 -out ca.pem 2>/dev/null
    certificate gateway 'DNS:localhost,IP:127.0.0.1'
    certificate news 'URI:https://news.example.net,DNS:localhost,IP:127.0.0.1'
    openssl rand -hex 32 >master
    k=$(openssl rand -hex 16)
    opc=$(openssl rand -hex 16)
    printf 'impi = %s\nk = %s\nopc = %s\ngateway = ppg.demo.example\n' "$impi" "$k" "$opc" >module
    printf '[subscriber %s]\nidentity = +15550100\nk = %s\nopc = %s\n' "$impi" "$k" "$opc" >subscribers.conf
)

configure() { # configure TERMINAL-PORT
    cat >"$demo/ppg.conf" <<EOF
[gateway]
name        = https://localhost/pap
sender-name = demo gateway
loops       = 1
port-file   = ports
[pap]
listen             =
listen-tls         = 127.0.0.1:0
cert               = gateway.pem
key                = gateway.key
ca                 = ca.pem
client-certificate = required
[store]
path = gateway.db
[notify]
ca                = ca.pem
private-addresses = yes
[admin]
socket = admin.sock
[keyring]
path   = keys
master = master
[key-server]
name = ppg.demo.example
[files]
subscribers = subscribers.conf
EOF
    cat >"$demo/initiators.conf" <<EOF
[initiator news]
certificate   = URI:https://news.example.net
initiator-uri = https://news.example.net/*
trusted       = yes
EOF
    echo "allow news +1555* * protect=full" >"$demo/whitelist.conf"
    cat >"$demo/terminals.conf" <<EOF
[terminal +15550100]
route = http://127.0.0.1:$1
EOF
}

# A file that a program writes when it is ready: await FILE PID
await() {
    tries=0
    while [ ! -s "$1" ]; do
        kill -0 "$2" 2>/dev/null || fail "a program ended before it was ready"
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || fail "a program did not get ready"
        sleep 0.05
    done
}

start_terminal() {
    "$bin/push-terminal" listen --bind 127.0.0.1:0 --port-file "$demo/terminal.port" --module "$demo/module" \
        --state "$demo/terminal.state" --terminal-id 4+15550100 --require full --wire "$demo/wire" --json ${1:-} >"$demo/terminal.json" \
        2>"$demo/terminal.log" &
    terminal=$!
    pids="$pids $terminal"
    await "$demo/terminal.port" "$terminal"
    terminal_port=$(sed 's/.*[: ]//' "$demo/terminal.port")
}

start_listener() {
    "$bin/pap-push" listen --bind 127.0.0.1:0 --port-file "$demo/notify.port" --cert "$demo/news.pem" \
        --key "$demo/news.key" ${1:-} >"$demo/notify.txt" 2>"$demo/notify.log" &
    listener=$!
    pids="$pids $listener"
    await "$demo/notify.port" "$listener"
    notify_url=https://127.0.0.1:$(sed 's/.*[: ]//' "$demo/notify.port")/notify
}

start_gateway() {
    "$bin/ppgd" -c "$demo/ppg.conf" --check-config >/dev/null || fail "the configuration is refused"
    "$bin/ppgd" -c "$demo/ppg.conf" 2>"$demo/gateway.log" &
    gateway=$!
    pids="$pids $gateway"
    await "$demo/ports" "$gateway"
    url=https://localhost:$(sed -n 's/^pap-tls=.*://p' "$demo/ports")/pap
}

submit() { # submit ID TEXT
    "$bin/pap-push" submit --url "$url" --id "$1" --to +15550100 --text "$2" --cert "$demo/news.pem" \
        --key "$demo/news.key" --ca "$demo/ca.pem" --initiator-uri https://news.example.net/today \
        --notify "$notify_url" --timeout 10
}

# Until the operator's tool says so: delivered ID
delivered() {
    tries=0
    until "$bin/ppgctl" --socket "$demo/admin.sock" push show "$1" | grep -q delivered; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || fail "$1 was not delivered"
        sleep 0.05
    done
}

# The words that say what a push brought, out of its explanation.
brought() { # brought ID
    "$bin/ppgctl" --socket "$demo/admin.sock" push explain "$1" | grep -o -E 'association=.*'
}

show() {
    head_line "1. initiator -> gateway: PAP over TLS, the initiator known by its certificate"
    cat "$demo/submit.txt"
    head_line "2. inside the gateway: durable before it said so, and what was decided"
    "$bin/ppgctl" --socket "$demo/admin.sock" push show demo-1
    head_line "3. gateway -> terminal: OTA-HTTP, here on purpose without TLS; the octets of the first push on the wire"
    grep -a -E '^(POST|Content-Type|X-Wap-Push-Info)' "$demo/wire" | head -n 4 | tr -d '\r' | sed 's/^/   /'
    tail -c 96 "$demo/wire" | od -A n -t x1 | sed 's/^/  /'
    say "   \"$text\" stands in them $(grep -a -c -F "$text" "$demo/wire" || true) times: ciphertext"
    head_line "4. the terminal had never heard of the gateway: authenticated first, opened after"
    grep '"event":"push"' "$demo/terminal.json"
    say "   the first push brought its association ($(brought demo-1)), the second used it ($(brought demo-2))"
    head_line "5. gateway -> initiator: the result, over TLS"
    cat "$demo/notify.txt"
}

install_missing
say "building (build/quickstart)"
build
say "making a demo authority, certificates and an identity module ($demo)"
make_keys
limit=
[ "$serve" = yes ] || limit=--count=2
start_terminal "$limit"
start_listener "$limit"
configure "$terminal_port"
start_gateway
text="Good morning from the demo"
submit demo-1 "$text" >"$demo/submit.txt" 2>"$demo/submit.log" || fail "the gateway did not accept the push"
delivered demo-1
submit demo-2 "$text" >>"$demo/submit.txt" 2>>"$demo/submit.log" || fail "the gateway did not accept the second push"
if [ "$serve" = no ]; then
    wait "$terminal" || fail "the terminal did not get the push"
    wait "$listener" || fail "the initiator was not told the result"
else
    await "$demo/notify.txt" "$listener"
fi
grep -q -F "$text" "$demo/terminal.json" || fail "the terminal did not show the content"
! grep -a -q -F "$text" "$demo/wire" || fail "the content crossed the wire in the clear"
delivered demo-2
brought demo-1 | grep -q '=brought gpi=' || fail "the first push did not bring its association"
show
if [ "$serve" = yes ]; then
    head_line "running; push again with"
    say "$bin/pap-push submit --url $url --to +15550100 --text 'once more' \\"
    say "    --cert $demo/news.pem --key $demo/news.key --ca $demo/ca.pem --notify $notify_url"
    say "or with curl: send the multipart of the README to $url with --cert $demo/news.pem --key $demo/news.key"
    say "    --cacert $demo/ca.pem"
    say "watch: tail -f $demo/terminal.json $demo/notify.txt      ask: $bin/ppgctl --socket $demo/admin.sock status"
    say "Ctrl-C ends everything and removes $demo"
    wait "$gateway" || true
fi
head_line "done"
say "delivered: a first-ever push brought its own association, was opened by the terminal, and its initiator was told"
