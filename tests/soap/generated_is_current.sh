#!/bin/sh
# generated_is_current.sh <sources> <scratch folder> <version of the installed gSOAP library>
# Is generated/ what wsdl2h and soapcpp2 make of wsdl/ today? Exit 77: cannot be told here, and why.
set -eu
sources=$1 scratch=$2 library=$3
committed=$(cat "$sources/generated/GSOAP_VERSION")
installed=$(soapcpp2 -V 2>/dev/null || echo none)
if [ "$installed" != "$committed" ] || [ "$library" != "$committed" ]; then
  echo "SKIPPED: generated/ was made by gSOAP $committed; installed are soapcpp2 $installed and library $library."
  echo "The build has regenerated into the build tree instead, where that was needed."
  exit 77
fi
rm -rf "$scratch"
"$sources/generated/regenerate.sh" "$scratch"
# What is made here must be there with the same bytes, and nothing beside it but the three files that are written by hand.
if diff -r -u -x CMakeLists.txt -x regenerate.sh -x typemap.dat "$sources/generated" "$scratch"; then
  echo "generated/ is current."
else
  echo "generated/ is not what wsdl/ gives: run ./dev regenerate and commit the result." >&2
  exit 1
fi
