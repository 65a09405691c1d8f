#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that visavis needs, if they are not there. Says which on other systems.
# Usage: deploy/packages.sh [build] [test]
set -euo pipefail

build=(build-essential cmake clang libclang-dev nasm pkg-config espeak-ng)
# Each is named like its tool.
test=(chromium prometheus redis-server)

wanted=()
for set in "${@:-build}"; do
  case $set in
    build) wanted+=("${build[@]}") ;;
    test)
      for package in "${test[@]}"; do
        tool=$package
        [ "$package" != chromium ] || tool=${CHROMIUM:-chromium}
        command -v "$tool" >/dev/null || wanted+=("$package")
      done ;;
    *) echo "packages.sh: there is no set \"$set\": use build or test" >&2; exit 2 ;;
  esac
done
# Weights come through pip: any that the shell finds will do.
python3 -m pip --version >/dev/null 2>&1 || wanted+=(python3 python3-pip)

for tool in cargo node npm; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: install Rust (https://rustup.rs) and Node 20 or newer (https://nodejs.org) first" >&2; exit 1; }
done

if ! command -v dpkg-query >/dev/null; then
  echo "This is neither Debian nor Ubuntu: make sure that these are installed: ${wanted[*]}" >&2
  exit 0
fi
missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "Installing ${missing[*]}"
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
