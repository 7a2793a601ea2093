#!/usr/bin/env bash
# Shows a corporate network reaching Studio's names through its DNS server, and what happens when that breaks.
#
#   examples/lab/run.sh [KIND]           with bind (the default), unbound, dnsmasq, powerdns or knot
#   examples/lab/run.sh [KIND] --shell   stops when all is well, with a shell on the application host
#
# No AWS account is needed and no packet leaves this machine: Studio is made in an emulator, and the networks are
# namespaces, which end with this. They need Linux, root or user namespaces, ip, and Debian or Ubuntu for the servers.
set -euo pipefail

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$lab/../.." && pwd)
kind=bind
shell=no
emulator_pid=

main() {
  local argument
  for argument in "$@"; do
    case $argument in
      bind | unbound | dnsmasq | powerdns | knot) kind=$argument ;;
      --shell) shell=yes ;;
      *) fail "unknown argument $argument; what there is stands at the top of this file" ;;
    esac
  done
  check_machine
  run=$(mktemp -d)
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  build_provider
  start_emulator
  make_studio
  start_lab
  show
}

# ---- What is shown ----

show() {
  act '1. Before: the corporate DNS server knows nothing of the VPC'
  ask_dns 198.18.
  check false
  act "2. What the provider rendered for $kind goes in"
  install_rendered
  ask_dns 10.
  check true
  if [ "$shell" = yes ]; then
    open_shell
    return
  fi
  act '3. One of the two inbound addresses is down'
  tell "cut ${inbound%% *}"
  ask_dns 10.
  tell "mend ${inbound%% *}"
  act '4. Both are down: no answer, and no question to public DNS'
  local asked
  asked=$(wc -l <"$run/lab/public/queries.log")
  tell "cut $inbound"
  ask_dns nothing
  check false
  if tail -n +$((asked + 1)) "$run/lab/public/queries.log" | grep -i 'sagemaker.aws'; then fail 'public DNS was asked for the names above'; fi
  printf 'Public DNS was asked for none of Studio'"'"'s names.\n'
  tell "mend $inbound"
  act '5. Both are back'
  tell "corporate $kind"
  ask_dns 10.
  check true
}

act() {
  printf '\n== %s ==\n\n' "$1"
}

# An app's name of its own each time, because answers are cached. The answer must start so.
ask_dns() {
  local name=$RANDOM$RANDOM.studio.us-east-1.sagemaker.aws text addresses
  printf '$ dig %s\n' "$name"
  text=$(in_app chroot /run/lab/root dig +noall +comments +answer +tries=3 +time=4 "$name" || true)
  grep -E 'status:|IN|no servers' <<<"$text" || true
  addresses=$(awk '$4 == "A" { print $5 }' <<<"$text")
  case $1 in
    nothing) [ -z "$addresses" ] || fail 'there is an answer' ;;
    *) [[ $addresses == "$1"* ]] || fail "the answer does not start with $1" ;;
  esac
}

# Runs studio_dns_check on the application host.
check() {
  printf '$ terraform apply\n'
  (cd "$run/check" && in_app "$terraform" apply -input=false -auto-approve -no-color -compact-warnings >apply.txt 2>&1) ||
    { cat "$run/check/apply.txt" >&2; fail 'the check itself failed'; }
  local passed
  (cd "$run/check" && "$terraform" output -json >output.json)
  passed=$(value passed value <"$run/check/output.json")
  python3 - "$run/check/output.json" <<'PYTHON'
import json, sys
found = json.load(open(sys.argv[1]))
print("private:", "yes" if found["passed"]["value"] else "no")
for reason in found["results"]["value"]:
    print("  " + reason)
PYTHON
  [ "${passed,,}" = "$1" ] || fail "passed is $passed, which it should not be"
}

open_shell() {
  cat <<END
This is the application host. Try, for example:

  chroot /run/lab/root dig something.studio.us-east-1.sagemaker.aws

The files and logs are in $run/lab. Leave the shell to end everything.
END
  in_app "${SHELL:-bash}" || true
}

# ---- The lab ----

start_lab() {
  printf 'Starting the networks. The first time the servers'"'"' packages are unpacked into a folder of their own.\n'
  inbound=$(value inbound_ips value <"$run/made.json")
  mkdir "$run/lab"
  value account <"$run/network.json" >"$run/lab/emulator.sock.account"
  # shellcheck disable=SC2086
  coproc LAB { exec bash "$root/tests/it/dns_lab/lab.sh" "$run/lab" "${url#http://}" $inbound; }
  local line
  read -r line <&"${LAB[0]}" || fail 'the lab did not start'
  lab_process=${line#ready }
  tell 'public signed'
  tell "corporate $kind"
}

tell() {
  local answer
  printf '%s\n' "$1" >&"${LAB[1]}"
  read -r answer <&"${LAB[0]}" || answer='it has ended'
  [ "$answer" = ok ] || fail "$1: $answer"
}

in_app() {
  local enter=(nsenter "--target=$lab_process" --mount "--wdns=$PWD")
  if [ "$(id -u)" != 0 ]; then enter+=(--user --preserve-credentials); fi
  "${enter[@]}" ip netns exec "studio-lab-$lab_process-app" "$@"
}

# Each rendering goes where the server's base includes it.
install_rendered() {
  case $kind in
    bind) rendered bind bind; rendered bind_options bind_options ;;
    powerdns) rendered powerdns_recursor recursor.d/studio.conf; rendered powerdns_recursor_lua powerdns_recursor_lua ;;
    knot) rendered knot_resolver knot_resolver ;;
    *) rendered "$kind" "$kind" ;;
  esac
  tell "corporate $kind"
}

rendered() {
  value forwarder_configs value "$1" <"$run/made.json" >"$run/lab/onprem/$2"
  cat "$run/lab/onprem/$2"
  printf '\n'
}

# ---- Studio ----

make_studio() {
  mkdir "$run/make" "$run/check"
  provider_block | tee "$run/make/provider.tf" >"$run/check/provider.tf"
  cp "$lab/make/main.tf" "$run/make/"
  cp "$lab/check/main.tf" "$run/check/"
  ask POST network '{"corporate": ["192.168.10.0/24"]}' >"$run/network.json"
  python3 - "$run/network.json" >"$run/make/terraform.tfvars.json" <<'PYTHON'
import json, sys
made = json.load(open(sys.argv[1]))
print(json.dumps({"vpc_id": made["vpc_id"], "subnet_ids": made["subnet_ids"], "execution_role_arn": made["role_arn"]}))
PYTHON
  printf 'Making Studio in the emulator.\n'
  (cd "$run/make" && "$terraform" apply -input=false -auto-approve -no-color >apply.txt 2>&1) ||
    { cat "$run/make/apply.txt" >&2; fail 'Studio was not made'; }
  (cd "$run/make" && "$terraform" output -json) >"$run/made.json"
  python3 - "$run/made.json" >"$run/check/terraform.tfvars.json" <<'PYTHON'
import json, sys
made = json.load(open(sys.argv[1]))
print(json.dumps({name: made[name]["value"] for name in ("host_name", "endpoint_ips")}))
PYTHON
}

provider_block() {
  local service
  cat <<'END'
terraform {
  required_providers {
    studio = { source = "studio-private/studio" }
  }
}

provider "studio" {
  region        = "us-east-1"
  access_key    = "AKIA123456789012DEMO"
  secret_key    = "not-a-secret"
  no_proxy      = "127.0.0.1"
  poll_interval = "200ms"
  endpoints {
END
  for service in ec2 efs iam organizations ram route53 route53resolver sagemaker sts; do printf '    %s = "%s"\n' "$service" "$url"; done
  printf '  }\n}\n'
}

# ---- What it needs ----

check_machine() {
  local missing=()
  terraform=$(command -v terraform || command -v tofu || true)
  [ -n "$terraform" ] || missing+=('Terraform 1.11 or newer (https://developer.hashicorp.com/terraform/install) or OpenTofu 1.11 or newer (https://opentofu.org/docs/intro/install)')
  command -v cargo >/dev/null || missing+=('Rust 1.95 or newer (https://rustup.rs)')
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
    missing+=('Python 3.10 or newer with venv (on Debian and Ubuntu: apt-get install python3 python3-venv)')
  if [ ${#missing[@]} -gt 0 ]; then
    printf 'The lab needs, and does not find:\n' >&2
    printf '  - %s\n' "${missing[@]}" >&2
    exit 1
  fi
}

build_provider() {
  printf 'Building the provider. The first time this takes some minutes.\n'
  cargo build --quiet --manifest-path "$root/Cargo.toml" --bin terraform-provider-studio
  local target
  target=$(cargo metadata --manifest-path "$root/Cargo.toml" --format-version 1 --no-deps | value target_directory)
  cat >"$run/terraform.rc" <<END
provider_installation {
  dev_overrides {
    "studio-private/studio" = "$target/debug"
  }
  direct {}
}
END
  export TF_CLI_CONFIG_FILE=$run/terraform.rc CHECKPOINT_DISABLE=1
}

start_emulator() {
  printf 'Starting the emulator. The first time its packages are installed into a folder of their own.\n'
  python3 "$root/tests/it/emulator/start.py" >"$run/emulator.json" 2>"$run/emulator.log" </dev/null &
  emulator_pid=$!
  until [ -s "$run/emulator.json" ]; do
    if ! kill -0 "$emulator_pid" 2>/dev/null; then
      cat "$run/emulator.log" >&2
      fail 'the emulator did not start'
    fi
    sleep 0.2
  done
  url=$(value url <"$run/emulator.json")
}

# One request to the emulator itself.
ask() {
  python3 - "$url" "$@" <<'PYTHON'
import sys, urllib.request
url, method, path, *body = sys.argv[1:]
data = body[0].encode() if body else None
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(opener.open(urllib.request.Request(f"{url}/_studio/{path}", data, method=method)).read().decode())
PYTHON
}

# What is found on this path in JSON; the elements of a list in one line.
value() {
  python3 -c '
import json, sys
found = json.load(sys.stdin)
for name in sys.argv[1:]:
    found = found[name]
print(" ".join(found) if isinstance(found, list) else found)
' "$@"
}

clean_up() {
  # The lab ends when its input does.
  if [ -n "${LAB_PID:-}" ]; then
    local pid=$LAB_PID input=${LAB[1]}
    exec {input}>&-
    wait "$pid" 2>/dev/null || true
  fi
  if [ -n "$emulator_pid" ]; then
    kill "$emulator_pid" 2>/dev/null || true
    wait "$emulator_pid" 2>/dev/null || true
  fi
  rm -rf "$run"
}

fail() {
  printf 'lab: error: %s\n' "$1" >&2
  exit 1
}

main "$@"
