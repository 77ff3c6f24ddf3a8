#!/bin/sh
# Makes the C++ that gSOAP makes of wsdl/*.wsdl:  generated/regenerate.sh <output folder>
#
#   <output folder>/env/          SOAP header and fault, shared by all services, and the global namespace table
#   <output folder>/<Service>/    one folder and one C++ namespace for each wsdl/<Service>.wsdl: server and client side;
#                                 ProfileService-1.wsdl gives ProfileService_1, since it names C++
#   <output folder>/GSOAP_VERSION the version that made them
#
# The same input gives the same bytes: the tools run inside a scratch folder, so that no path gets in, and their
# creation dates are taken out. The licence headers stay. The tests compare the result with what is committed.
set -eu

[ $# -eq 1 ] || { echo "usage: $0 <output folder>" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
output=$(cd "$1" && pwd)

for tool in wsdl2h soapcpp2; do
  command -v "$tool" >/dev/null || { echo "$0: $tool is not installed (Debian package gsoap)" >&2; exit 1; }
done
version=$(soapcpp2 -V 2>/dev/null)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
cp "$here/typemap.dat" .

# run <tool> <arguments>: quiet, unless it fails.
run() {
  "$@" >log 2>&1 || { cat log >&2; echo "$0: failed: $*" >&2; exit 1; }
}

# without_dates <file>...: "ver 2.8.124 2026-01-31 12:00:00 GMT" and wsdl2h's line with nothing but the date.
without_dates() {
  sed -i -E -e 's/ [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"/"/' \
            -e '/^ *[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$/d' "$@"
}

mkdir env
: >env.h
run soapcpp2 -L -x -w -p env -d env env.h
mv env/soap.nsmap env/envNamespaces.cpp
without_dates env/*
services=env

for wsdl in "$here"/../wsdl/*.wsdl; do
  service=$(basename "$wsdl" .wsdl | tr - _)
  mkdir "$service"
  cp "$wsdl" "$service.wsdl"
  # -L: no notes about gSOAP itself; -P, -x: no polymorphism, no extensibility; -j: header and fault come from env.
  run wsdl2h -L -P -x -j -t typemap.dat -o "$service.h" "$service.wsdl"
  # -j: service and proxy classes that share a context; -L: no library variants; -x, -w: no samples, no WSDL of its own.
  run soapcpp2 -j -L -x -w -q "$service" -d "$service" "$service.h"
  mv "$service.h" "$service"
  rm -f "$service"/*.nsmap # the classes carry their own table
  without_dates "$service"/*
  services="$services $service"
done

for service in $services; do
  rm -rf "${output:?}/$service"
  mv "$service" "$output/$service"
done
echo "$version" >"$output/GSOAP_VERSION"
