#!/bin/sh
# another_gsoap.sh <sources> <scratch folder> <cmake> <compiler launcher, may be empty>
# With another gSOAP than the one that made generated/, the build makes that code anew; where it cannot, it says what to
# install. Tried on a project of its own, with a generated/ that is said to be of another version and has no code in it:
# what compiles there was made there. Exit 77: cannot be told here, and why.
set -eu
sources=$1 scratch=$2 cmake=$3 launcher=$4
for tool in wsdl2h soapcpp2; do
  command -v "$tool" >/dev/null || { echo "SKIPPED: $tool is not installed (Debian package gsoap)."; exit 77; }
done
installed=$(pkg-config --modversion gsoap++)
export CCACHE_NOHASHDIR=1

rm -rf "$scratch"
mkdir -p "$scratch/generated" "$scratch/library" "$scratch/tools"
cp -R "$sources/wsdl" "$scratch"
for file in CMakeLists.txt regenerate.sh typemap.dat; do cp "$sources/generated/$file" "$scratch/generated"; done
echo 2.8.1 >"$scratch/generated/GSOAP_VERSION"
cat >"$scratch/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(another_gsoap LANGUAGES CXX)
find_package(PkgConfig REQUIRED)
add_subdirectory(generated)
END

fail() {
  cat "$scratch/log"
  echo "FAILED: $*" >&2
  exit 1
}
configure() {
  "$cmake" -S "$scratch" -B "$scratch/build" -G Ninja -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" >"$scratch/log" 2>&1
}
# says <text>: CMake breaks the lines of its messages as it likes.
says() {
  tr -s '[:space:]' ' ' <"$scratch/log" | grep -qF "$1" || fail "it does not say: $1"
}

configure || fail "it cannot be configured"
says "gSOAP $installed is installed, generated/ is of 2.8.1: regenerating into $scratch/build/generated/$installed"
"$cmake" --build "$scratch/build" --target invited_generated_env invited_generated_refresh >"$scratch/log" 2>&1 ||
  fail "what was made anew does not compile"
[ -f "$scratch/build/generated/libinvited_generated_refresh.a" ] || fail "nothing was compiled"

# The library was upgraded under a build folder that is there, the tools were not.
sed 's/^Version:.*/Version: 2.8.999/' "$(pkg-config --variable=pcfiledir gsoap++)/gsoap++.pc" >"$scratch/library/gsoap++.pc"
PKG_CONFIG_PATH=$scratch/library configure && fail "tools of another version than the library's are taken"
says "The installed gSOAP library (2.8.999) is not the one that generated/ was made for (2.8.1)"
says "wsdl2h and soapcpp2 are of $installed"
says "Install wsdl2h and soapcpp2 of the same version (Debian package gsoap)."

# The library alone is installed.
for tool in sh dirname mkdir wsdl2h; do ln -s "$(command -v "$tool")" "$scratch/tools/$tool"; done
PATH=$scratch/tools configure && fail "it does without soapcpp2"
says "soapcpp2 is not installed (Debian package gsoap)"
says "Install wsdl2h and soapcpp2 of the same version (Debian package gsoap)."
echo "Another gSOAP is handled."
