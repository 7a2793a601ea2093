#!/usr/bin/env bash
# Shows the provider at work, from the first plan to the proof that nothing is left.
#
#   examples/demo/run.sh          runs the demo
#   examples/demo/run.sh --keep   makes everything, and leaves it there to go on with by hand
#
# No AWS account is needed, and nothing reaches AWS: a private network, Studio and the rest are
# made in an emulator on this machine, which ends with the demo.
set -euo pipefail

demo=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$demo/../.." && pwd)
run=$demo/.run
keep=no
kept=no
emulator_pid=

main() {
  case "${1:-}" in
    '') ;;
    --keep) keep=yes ;;
    *) fail "unknown argument $1; there is only --keep" ;;
  esac
  check_machine
  start_fresh
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  build_provider
  start_emulator
  make_network
  cd "$demo"
  show
}

# ---- What is shown ----

show() {
  act '1. What is asked for: main.tf'
  cat main.tf
  act '2. What Terraform would make'
  tf plan -out=.run/plan
  act '3. Made'
  tf apply .run/plan
  act "4. What goes into the corporate DNS server's named.conf"
  tf output -raw named_conf
  act '5. A second plan'
  tf plan -detailed-exitcode
  if [ "$keep" = yes ]; then
    say_how_to_go_on
    return
  fi
  act '6. A second user, and a second client range'
  change=(-var 'users=["demouser1", "demouser2"]' -var 'client_cidr_blocks=["192.168.10.0/24", "10.20.0.0/16"]')
  tf plan "${change[@]}" -out=.run/plan
  tf apply .run/plan
  act '7. Destroyed'
  tf plan -destroy -out=.run/plan "${change[@]}" >/dev/null
  tf apply .run/plan
  act '8. What is left'
  check_leftovers
}

act() {
  printf '\n%s== %s ==%s\n\n' "$bold" "$1" "$plain"
}

tf() {
  local command=$1 color=()
  shift
  [ -t 1 ] || color=(-no-color)
  case "$command" in
    plan | apply) set -- -input=false -compact-warnings "$@" ;;
  esac
  TF_CLI_CONFIG_FILE=$run/terraform.rc CHECKPOINT_DISABLE=1 \
    "$terraform" "$command" ${color[@]+"${color[@]}"} "$@" | without_override_warning
}

# Each run of Terraform warns that it uses the provider just built, which is the point here.
without_override_warning() {
  awk '
    /Warnings:/ || /Provider development overrides are in effect/ || /To see the full warning notes/ { next }
    /^[[:space:]]*$/ { blank = 1; next }
    { if (blank && any) print ""; blank = 0; any = 1; print; fflush() }
  '
}

check_leftovers() {
  ask GET "leftovers?account=$account&region=us-east-1" >"$run/after.json"
  python3 - "$run/before.json" "$run/after.json" <<'PYTHON'
import json, sys
before, after = (json.load(open(path)) for path in sys.argv[1:])
left = [thing for thing in after if thing not in before]
print("leftovers:", json.dumps(left))
print("The network that was there before is still there, %d objects, and nothing else is." % len(before) if not left else "This should not be.")
sys.exit(bool(left))
PYTHON
}

say_how_to_go_on() {
  act 'Still running'
  cat <<END
Go on by hand, with changes to main.tf or with other users:

  cd $(printf '%q' "$demo")
  export TF_CLI_CONFIG_FILE=\$PWD/.run/terraform.rc
  $terraform plan
  $terraform apply -var 'users=["demouser1", "demouser2"]'
  $terraform destroy

Every AWS call that was made, and what exists:

  curl -s '$url/_studio/calls?account=$account'
  curl -s '$url/_studio/leftovers?account=$account'

When you are done:

  kill $emulator_pid
END
  kept=yes
}

# ---- What it needs ----

check_machine() {
  bold='' plain=''
  if [ -t 1 ]; then
    bold=$'\033[1m' plain=$'\033[0m'
  fi
  local missing=()
  terraform=$(command -v terraform || command -v tofu || true)
  [ -n "$terraform" ] || missing+=('Terraform 1.11 or newer (https://developer.hashicorp.com/terraform/install) or OpenTofu 1.11 or newer (https://opentofu.org/docs/intro/install)')
  terraform=${terraform##*/}
  command -v cargo >/dev/null || missing+=('Rust 1.95 or newer (https://rustup.rs)')
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
    missing+=('Python 3.10 or newer with venv (on Debian and Ubuntu: apt-get install python3 python3-venv)')
  if [ ${#missing[@]} -gt 0 ]; then
    printf 'The demo needs, and does not find:\n' >&2
    printf '  - %s\n' "${missing[@]}" >&2
    exit 1
  fi
}

start_fresh() {
  if [ -s "$run/emulator.json" ]; then
    url=$(value url <"$run/emulator.json")
    if ask GET pace >/dev/null 2>&1; then
      fail "an earlier demo still runs; end it first: kill $(value pid <"$run/emulator.json")"
    fi
  fi
  # State of an emulator that has ended is of no use to the next one.
  rm -rf "$run" "$demo"/terraform.tfstate* "$demo/network.auto.tfvars.json"
  mkdir "$run"
}

build_provider() {
  printf 'Building the provider. The first time this takes some minutes.\n'
  cargo build --quiet --manifest-path "$root/Cargo.toml" --bin terraform-provider-studio
  local target
  target=$(cargo metadata --manifest-path "$root/Cargo.toml" --format-version 1 --no-deps |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
  cat >"$run/terraform.rc" <<END
provider_installation {
  dev_overrides {
    "studio-private/studio" = "$target/debug"
  }
  direct {}
}
END
}

start_emulator() {
  printf 'Starting the emulator. The first time its packages are installed into a folder of their own.\n'
  nohup python3 "$root/tests/it/emulator/start.py" >"$run/emulator.json" 2>"$run/emulator.log" </dev/null &
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

make_network() {
  # The corporate ranges are those of variables.tf, and the one that a later step adds.
  ask POST network '{"corporate": ["192.168.10.0/24", "10.20.0.0/16"]}' >"$run/network.json"
  account=$(value account <"$run/network.json")
  ask GET "leftovers?account=$account&region=us-east-1" >"$run/before.json"
  python3 - "$url" "$run/network.json" >"$demo/network.auto.tfvars.json" <<'PYTHON'
import json, sys
made = json.load(open(sys.argv[2]))
values = {
    "emulator_url": sys.argv[1],
    "vpc_id": made["vpc_id"],
    "subnet_ids": made["subnet_ids"],
    "execution_role_arn": made["role_arn"],
}
print(json.dumps(values, indent=2))
PYTHON
  printf 'AWS is at %s, with a VPC, two subnets, a way to the corporate network and a role in it.\n' "$url"
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

value() {
  python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

clean_up() {
  # What failed is not kept, whatever was asked for.
  [ "$kept" = no ] || return 0
  if [ -n "$emulator_pid" ]; then
    kill "$emulator_pid" 2>/dev/null || true
    wait "$emulator_pid" 2>/dev/null || true
  fi
  rm -rf "$run" "$demo"/terraform.tfstate* "$demo/network.auto.tfvars.json"
}

fail() {
  printf 'demo: error: %s\n' "$1" >&2
  exit 1
}

main "$@"
