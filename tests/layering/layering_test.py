#!/usr/bin/python3
"""Proves the direction of includes that src/README.md draws, and that third-party headers stay in their rooms.

  base <- domain <- {storage, mail, calls, refresh, webhook, soap, http, admin} <- main

Of the adapters one is shared: calls, by those that call somebody over HTTP.

Breaks when an include goes the wrong way, when an adapter includes another, or when a header of a library is included
in more files than the table allows. Checks itself first, on includes that it must refuse.
"""
import pathlib
import re
import sys

ADAPTERS = ["storage", "mail", "calls", "refresh", "webhook", "soap", "http", "admin"]
CALLERS = ["refresh", "webhook"]
ROOMS = ["base", "domain", *ADAPTERS]
MAY_INCLUDE = {"base": {"base"}, "domain": {"base", "domain"},
               **{adapter: {"base", "domain", adapter} for adapter in ADAPTERS},
               **{caller: {"base", "domain", "calls", caller} for caller in CALLERS}}

# Library header (prefix) -> the folders, and the most files, that may include it.
LIBRARIES = {
    "soci/": ({"storage"}, None),
    "sqlite3.h": ({"storage"}, None),
    "gmime/": ({"mail"}, 2),
    "curl/": ({"mail", "calls", "cli"}, 4),
    "stdsoap2.h": ({"soap"}, 4),
    "boost/beast": ({"http"}, None),
    "boost/asio": ({"http"}, None),
    "pugixml.hpp": ({"soap", "refresh"}, 5),
    "idn2.h": ({"domain"}, 1),
    "zxcvbn.h": ({"domain"}, 1),
    "sodium.h": ({"base", "domain"}, 4),
    "spdlog/": ({"base"}, 1),
    "kainjow/": ({"mail", "http"}, 2),
    "toml++/": ({""}, 1),
    "CLI/": ({"cli"}, None),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
# soapcpp2 puts each service into a folder of its name.
GENERATED = re.compile(r"(?:generated/)?(env|[A-Z]\w*(?:API|Service)\w*)/")


def room_of(path: str) -> str:
    """'domain/store.h' -> 'domain'; a file at the top of src/ -> ''."""
    return path.split("/")[0] if "/" in path else ""


def violations(includes: dict[str, list[str]]) -> list[str]:
    """includes: file (relative to src/) -> what it includes."""
    found = []
    users: dict[str, list[str]] = {library: [] for library in LIBRARIES}
    for file, headers in sorted(includes.items()):
        room = room_of(file)
        for header in headers:
            target = room_of(header)
            if room in MAY_INCLUDE and target in ROOMS and target not in MAY_INCLUDE[room]:
                found.append(f"{file} includes {header}: {room} may include only {sorted(MAY_INCLUDE[room])}")
            if room in MAY_INCLUDE and re.match(r"(cli/|config|keys|serve|demo)", header):
                found.append(f"{file} includes {header}: only main's own files may")
            if generated := GENERATED.match(header):
                home = "refresh" if generated[1] == "RefreshAPI" else "soap"
                if room != home:
                    found.append(f"{file} includes {header}: only {home}/ includes that generated code")
            for library in LIBRARIES:
                if header.startswith(library):
                    users[library].append(file)
    for library, (rooms, most) in LIBRARIES.items():
        files = sorted(set(users[library]))
        found += [f"{file} includes {library}: only {sorted(rooms)} may" for file in files if room_of(file) not in rooms]
        if most is not None and len(files) > most:
            found.append(f"{library} is included in {len(files)} files, at most {most}: {files}")
    return found


def check_the_check() -> None:
    for file, header in [("base/a.h", "domain/store.h"), ("domain/a.cpp", "storage/sqlite_store.h"),
                         ("mail/a.cpp", "http/message.h"), ("http/a.cpp", "config.h"), ("http/a.cpp", "soci/soci.h"),
                         ("domain/a.cpp", "curl/curl.h"), ("refresh/a.cpp", "mail/transport.h"),
                         ("calls/a.cpp", "refresh/refresh_source.h"), ("mail/a.cpp", "calls/http_caller.h"),
                         ("http/a.cpp", "InviteAPI/InviteAPIH.h"), ("soap/a.cpp", "RefreshAPI/RefreshAPIH.h")]:
        assert violations({file: [header]}), f"the layering test would miss {file} including {header}"
    assert not violations({"main.cpp": ["http/server.h", "config.h"], "mail/a.cpp": ["domain/store.h", "curl/curl.h"]})


def main() -> int:
    check_the_check()
    source = pathlib.Path(sys.argv[1]) / "src"
    files = [*source.rglob("*.h"), *source.rglob("*.cpp")]
    includes = {str(file.relative_to(source)): INCLUDE.findall(file.read_text()) for file in files}
    assert len(includes) > 50, "the sources were not found"
    found = violations(includes)
    for line in found:
        print(line)
    print(f"{len(includes)} files, {len(found)} includes against the architecture")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
