#!/usr/bin/env bash
# A corporate network, a VPC and public DNS, on this machine alone.
#
#   lab.sh FOLDER EMULATOR INBOUND…
#
# FOLDER is for the lab's files, EMULATOR is where the AWS emulator listens (127.0.0.1:PORT), and the INBOUND addresses
# are those of the VPC's inbound resolver endpoint. It prints "ready PID", then carries out the commands that it reads:
#
#   public unsigned|signed   start public DNS, with or without signatures in the zone "aws"
#   corporate KIND           start the corporate DNS server: bind, unbound, dnsmasq, powerdns or knot
#   stop NAME                end public, corporate or vpc
#   vpc                      start the VPC's resolver, which the lab starts with
#   cut ADDRESS…             from now on packets to these addresses are lost
#   mend ADDRESS…            no longer
#
# and answers each with "ok" or "error: …". It ends when its input does. PID is for nsenter:
#
#   nsenter --target PID --mount ip netns exec studio-lab-PID-app dig …
#
#   app     192.168.20.20   where applications and Terraform run
#   onprem  192.168.10.53   the corporate DNS server; its configuration is in FOLDER/onprem
#   vpc     INBOUND         answers from the hosted zones that the emulator holds
#   public  198.51.100.53   root, TLDs and all, which knows public addresses for Studio's names; FOLDER/public/queries.log
#
# Between them is a router, the lab's own namespace. There is no way out.
#
# Invariant: nothing outlasts the lab. Its processes are in a process namespace of their own, its networks have names
# only in a mount namespace of its own, and the kernel takes both away when the lab's first process ends, whichever way.
# Invariant: the system is not changed.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# ---- From outside to inside ----

main() {
  case ${1:-} in
    --inside) shift; inside "$@" ;;
    --routed) shift; routed "$@" ;;
    '' | --*) fail "what there is stands at the top of $HERE/lab.sh" ;;
    *) outside "$@" ;;
  esac
}

outside() {
  local folder=$1 alone=(unshare --mount --pid --fork --kill-child) servers
  shift
  command -v ip >/dev/null || fail 'there is no ip: on Debian and Ubuntu, apt-get install iproute2'
  command -v python3 >/dev/null || fail 'there is no python3: on Debian and Ubuntu, apt-get install python3'
  [[ -e /etc/resolv.conf ]] || fail 'there is no /etc/resolv.conf, over which the lab puts its own: make an empty one'
  if [[ $(id -u) != 0 ]]; then alone+=(--user --map-root-user); fi
  "${alone[@]}" --net true 2>/dev/null ||
    fail 'this user may not make namespaces, of which the lab consists: run it as root, in a container with the capability SYS_ADMIN, or allow it (Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns=0)'
  servers=$(bash "$HERE/../forwarders/setup.sh")
  exec "${alone[@]}" bash "$HERE/lab.sh" --inside "$folder" "$servers" "$@"
}

# The last that reaches the machine's own network is the way to the emulator.
inside() {
  local folder=$1 emulator=$3
  python3 "$HERE/relay.py" "$folder/emulator.sock" "$emulator" &
  exec unshare --net bash "$HERE/lab.sh" --routed "$@"
}

routed() {
  folder=$1 servers=$2 emulator=$3
  inbound=("${@:4}")
  # The machine's /proc, which stays, shows the number that outside knows.
  local outside_pid
  read -r outside_pid _ </proc/self/stat
  prefix=studio-lab-$outside_pid
  declare -gA running=()
  build_root
  build_network
  sign_zones
  prepare_corporate
  in_app python3 "$HERE/relay.py" "$emulator" "$folder/emulator.sock" &
  start_vpc
  printf 'ready %s\n' "$outside_pid"
  obey
}

obey() {
  local line words
  while read -r line; do
    read -ra words <<<"$line"
    if ! declare -F "do_${words[0]}" >/dev/null; then
      printf 'error: there is no command %s\n' "${words[0]}"
    elif "do_${words[0]}" "${words[@]:1}" >&2; then
      printf 'ok\n'
    else
      printf 'error: "%s" failed; the logs are in %s\n' "$line" "$folder"
    fi
  done
}

# ---- Commands ----

do_public() {
  do_stop public
  start public public named -f -c "/run/studio/public/$1.conf"
  # It listens before it has read its zones.
  listening public public && answering 198.51.100.53 . SOA && answering 198.51.100.53 aws SOA
}

do_corporate() {
  do_stop corporate
  rm -rf "$folder/onprem/run"
  mkdir -p "$folder/onprem/run"
  case $1 in
    bind) start corporate onprem named -f -c /run/studio/onprem/named.conf ;;
    unbound) start corporate onprem unbound -d -c /run/studio/onprem/unbound.conf ;;
    dnsmasq) start corporate onprem dnsmasq --keep-in-foreground --conf-file=/run/studio/onprem/dnsmasq.conf ;;
    powerdns) start corporate onprem pdns_recursor --config-dir=/run/studio/onprem ;;
    knot) start corporate onprem kresd -n -c /run/studio/onprem/kresd.conf /run/studio/onprem/run ;;
    *) return 1 ;;
  esac
  listening corporate onprem
}

do_vpc() {
  do_stop vpc
  start_vpc
}

do_stop() {
  local pid=${running[$1]:-}
  [[ -n $pid ]] || return 0
  # With its children: dnsmasq has one for each connection.
  kill -KILL -- "-$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  unset "running[$1]"
}

do_cut() {
  local address
  for address in "$@"; do ip route add blackhole "$address" || return 1; done
}

do_mend() {
  local address
  for address in "$@"; do ip route del blackhole "$address" || return 1; done
}

# ---- Processes ----

start() {
  local name=$1 namespace=$2
  shift 2
  # setsid makes it the leader of a group, under the same number.
  setsid ip netns exec "$prefix-$namespace" chroot "$root" "$@" >>"$folder/$name.log" 2>&1 </dev/null &
  running[$name]=$!
}

start_vpc() {
  setsid ip netns exec "$prefix-vpc" python3 "$HERE/vpc.py" "$folder/emulator.sock" "${inbound[@]}" \
    >>"$folder/vpc.log" 2>&1 </dev/null &
  running[vpc]=$!
  listening vpc vpc
}

# Until a process that was started listens on port 53 over both transports.
listening() {
  local process=$1 namespace=$2 try
  for ((try = 0; try < 400; try++)); do
    sleep 0.05
    kill -0 "${running[$process]}" 2>/dev/null || return 1
    if ip netns exec "$prefix-$namespace" bash -c 'grep -q ":0035 " /proc/net/udp && grep -q ":0035 .* 0A " /proc/net/tcp'; then
      return 0
    fi
  done
  return 1
}

# Until a server answers this well.
answering() {
  local server=$1 name=$2 of=$3 try
  for ((try = 0; try < 100; try++)); do
    if in_app chroot "$root" dig "@$server" "$name" "$of" +norecurse +tries=1 +time=1 | grep -q 'status: NOERROR'; then
      return 0
    fi
    sleep 0.1
  done
  return 1
}

in_app() {
  ip netns exec "$prefix-app" "$@"
}

# ---- What the lab consists of ----

# The servers' programs with a few files of their own, as the root of each daemon.
build_root() {
  mkdir -p "$folder"/{onprem,public}
  mount -t tmpfs -o mode=755 lab /run
  mkdir -p /run/netns /run/lab/etc
  root=/run/lab/root
  mkdir "$root"
  mount --bind "$servers" "$root"
  cp -a "$servers/etc/." /run/lab/etc/
  # dnsmasq looks for its user. With a group it would also change that, which not every namespace allows.
  printf 'root:x:0:0:root:/:/bin/sh\n' >/run/lab/etc/passwd
  mount --bind /run/lab/etc "$root/etc"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs lab "$root/run"
  mount -t tmpfs lab "$root/tmp"
  mkdir "$root/run/studio"
  mount --bind "$folder" "$root/run/studio"
  # Everything in the lab asks the corporate server unless told otherwise.
  printf 'nameserver 192.168.10.53\n' >/run/lab/resolv.conf
  cp /run/lab/resolv.conf /run/lab/etc/
  mount --bind /run/lab/resolv.conf /etc/resolv.conf
}

# The bases, and beside them nothing rendered yet.
prepare_corporate() {
  local name
  cp "$HERE"/base/* "$folder/onprem/"
  mkdir -p "$folder/onprem/recursor.d"
  for name in bind bind_options unbound dnsmasq recursor.d/studio.conf powerdns_recursor_lua knot_resolver; do
    : >"$folder/onprem/$name"
  done
}

build_network() {
  local address
  ip link set lo up
  echo 1 >/proc/sys/net/ipv4/ip_forward
  connect app 192.168.20.1 192.168.20.20
  connect onprem 192.168.10.1 192.168.10.53
  connect public 198.51.100.1 198.51.100.53
  connect vpc 10.255.255.1 10.255.255.2
  for address in "${inbound[@]}"; do
    ip -n "$prefix-vpc" addr add "$address/32" dev lo
    ip route add "$address/32" via 10.255.255.2 metric 100
  done
}

# A namespace with one leg, and the router's leg to it.
connect() {
  local name=$1 router=$2 own=$3
  ip netns add "$prefix-$name"
  ip link add name "to-$name" type veth peer name leg netns "$prefix-$name"
  ip addr add "$router/24" dev "to-$name"
  ip link set "to-$name" up
  ip -n "$prefix-$name" addr add "$own/24" dev leg
  ip -n "$prefix-$name" link set lo up
  ip -n "$prefix-$name" link set leg up
  ip -n "$prefix-$name" route add default via "$router"
}

# ---- Public DNS ----

# The root is signed. The zone "aws" below it is there with and without signatures. Their public addresses are those for
# benchmarks (RFC 2544, RFC 5180): some servers take the ones for documentation for private.
sign_zones() {
  local public=$folder/public
  root_zone >"$public/root.zone"
  aws_zone >"$public/aws.zone"
  make_key .
  make_key aws
  sign aws aws.zone aws.signed
  cat "$public/root.zone" "$public"/dsset-aws. >"$public/root-above-signed.zone"
  sign . root.zone root.unsigned-aws
  sign . root-above-signed.zone root.signed-aws
  named_conf root.unsigned-aws aws.zone >"$public/unsigned.conf"
  named_conf root.signed-aws aws.signed >"$public/signed.conf"
  # What a validating server starts from, in the forms that they read.
  local ds
  ds=$(cd "$public" && chroot "$root" dnssec-dsfromkey -2 "/run/studio/public/$(ls K.+*.key)")
  printf '%s\n' "$ds" >"$public/anchor.ds"
  ds=${ds#*DS }
  printf '%s' "$ds" >"$public/anchor.value"
  printf 'trust-anchors { "." static-ds %s "%s"; };\n' "$(cut -d ' ' -f 1-3 <<<"$ds")" "$(cut -d ' ' -f 4 <<<"$ds")" \
    >"$public/anchor.bind"
  printf 'trust-anchor=.,%s\n' "${ds// /,}" >"$public/anchor.dnsmasq"
  printf '. 3600 IN NS ns.public.test.\nns.public.test. 3600 IN A 198.51.100.53\n' >"$public/hints"
}

make_key() {
  chroot "$root" dnssec-keygen -q -a ECDSAP256SHA256 -f KSK -K /run/studio/public "$1" >/dev/null
}

# One key signs all of a zone.
sign() {
  local zone=$1 from=/run/studio/public/$2 to=/run/studio/public/$3
  chroot "$root" dnssec-signzone -q -S -z -K /run/studio/public -d /run/studio/public -o "$zone" -f "$to" "$from" >/dev/null
}

root_zone() {
  cat <<'END'
$TTL 60
.                IN SOA ns.public.test. hostmaster.public.test. 1 3600 600 86400 60
.                IN NS  ns.public.test.
ns.public.test.  IN A   198.51.100.53
$GENERATE 1-500 host$.example.com. IN A 198.18.0.80
aws.             IN NS  ns.public.test.
END
}

aws_zone() {
  cat <<'END'
$ORIGIN aws.
$TTL 60
@ IN SOA ns.public.test. hostmaster.public.test. 1 3600 600 86400 60
@ IN NS  ns.public.test.
*.studio.us-east-1.sagemaker     IN A    198.18.0.10
*.studio.us-east-1.sagemaker     IN AAAA 2001:2::10
*.studio.sagemaker.us-east-1.app IN A    198.18.0.10
END
}

named_conf() {
  cat <<END
options {
    directory "/run/studio/public";
    listen-on { 198.51.100.53; };
    listen-on-v6 { none; };
    recursion no;
    querylog yes;
    pid-file none;
    session-keyfile none;
    dnssec-validation no;
};
controls { };
logging {
    channel queries { file "queries.log"; };
    category queries { queries; };
};
zone "." { type primary; file "$1"; };
zone "aws" { type primary; file "$2"; };
END
}

fail() {
  printf 'tests/it/dns_lab/lab.sh: error: %s\n' "$1" >&2
  exit 1
}

main "$@"
