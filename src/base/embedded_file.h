// A file compiled into the program (templates, SQL, style sheets, catalogues). See src/embed.cmake.
// Each embedding declares `std::span<const base::EmbeddedFile> files()` in a namespace of its own.
// Immutable, safe from every thread.
#pragma once

#include <span>
#include <string_view>

namespace invited::base {

struct EmbeddedFile {
  std::string_view name;     ///< file name without folder, e.g. "0001_initial.sqlite.sql"
  std::string_view content;  ///< its bytes
};

}  // namespace invited::base
