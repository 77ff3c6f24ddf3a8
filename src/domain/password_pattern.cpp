#include "domain/password_pattern.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"

namespace invited::domain {
namespace {

/// Shorter runs stand in words, too: "wer", "asse", "mama".
constexpr std::size_t kMinRun = 3;
/// Walks go back to where they began after a column of keys at most: "1qaz2wsx".
constexpr std::size_t kMaxWalkPeriod = 4;

/// Keys from the left, as they are typed without shift and, where it makes another character than the other letter case
/// of the same, with it.
struct Row {
  std::u32string_view keys;
  std::u32string_view shifted{};
};
using Layout = std::array<Row, 4>;

constexpr std::array<Layout, 4> kLayouts{{
    {{{U"1234567890-=", U"!@#$%^&*()_+"},
      {U"qwertyuiop[]", U"qwertyuiop{}"},
      {U"asdfghjkl;'", U"asdfghjkl:\""},
      {U"zxcvbnm,./", U"zxcvbnm<>?"}}},
    {{{U"1234567890", U"!\"§$%&/()="},
      {U"qwertzuiopü+", U"qwertzuiopü*"},
      {U"asdfghjklöä#", U"asdfghjklöä'"},
      {U"yxcvbnm,.-", U"yxcvbnm;:_"}}},
    {{{U"&é\"'(-è_çà)=", U"1234567890°+"},
      {U"azertyuiop^$", U"azertyuiop¨£"},
      {U"qsdfghjklmù*", U"qsdfghjklm%µ"},
      {U"wxcvbn,;:!", U"wxcvbn?./§"}}},
    {{{U"abcdefghijklmnopqrstuvwxyz"}, {}, {}, {}}},
}};

struct Key {
  int column = 0;
  int row = 0;
  bool operator==(const Key&) const = default;
};

std::optional<Key> key_of(const Layout& layout, char32_t character) {
  for (std::size_t row = 0; row < layout.size(); ++row)
    for (const std::u32string_view keys : {layout[row].keys, layout[row].shifted})
      if (const auto column = keys.find(character); column != std::u32string_view::npos)
        return Key{static_cast<int>(column), static_cast<int>(row)};
  return std::nullopt;
}

/// Marks the characters of every run in which each is, as `continues` sees it, what the one `period` before leads to:
/// no shorter than a run is at least, nor than what is continued.
template <typename Continues>
void mark_runs(std::vector<bool>& follows, std::size_t period, Continues continues) {
  std::size_t length = 0;
  for (std::size_t at = period; at <= follows.size(); ++at) {
    if (at < follows.size() && continues(at, length == 0)) {
      ++length;
      continue;
    }
    if (length >= std::max(kMinRun, period))
      std::fill_n(follows.begin() + static_cast<std::ptrdiff_t>(at - length), length, true);
    // The one that broke this run may begin the next.
    const bool again = length > 0 && at < follows.size() && continues(at, true);
    length = again ? 1 : 0;
  }
}

void mark_repetitions(std::vector<bool>& follows, std::u32string_view text) {
  for (std::size_t period = 1; period <= text.size() / 2; ++period)
    mark_runs(follows, period, [&](std::size_t at, bool) { return text[at] == text[at - period]; });
}

void mark_walks(std::vector<bool>& follows, std::u32string_view text, const Layout& layout) {
  for (std::size_t period = 1; period <= kMaxWalkPeriod; ++period) {
    Key step;  // of the run under way
    mark_runs(follows, period, [&](std::size_t at, bool is_first) {
      const auto from = key_of(layout, text[at - period]);
      const auto to = key_of(layout, text[at]);
      if (!from || !to) return false;
      const Key taken{to->column - from->column, to->row - from->row};
      if (std::abs(taken.column) + std::abs(taken.row) != 1) return false;
      if (!is_first) return taken == step;
      step = taken;
      return true;
    });
  }
}

}  // namespace

base::Secret without_patterns(const base::Secret& password) {
  std::string folded = base::fold_case(password.reveal());
  std::u32string text = base::to_code_points(folded);
  std::vector<bool> follows(text.size(), false);
  mark_repetitions(follows, text);
  for (const Layout& layout : kLayouts) mark_walks(follows, text, layout);

  std::string left;
  left.reserve(folded.size());
  std::size_t begin = 0;
  for (const bool is_left_out : follows) {
    std::size_t end = begin + 1;
    while (end < folded.size() && (static_cast<unsigned char>(folded[end]) & 0xC0) == 0x80) ++end;
    if (!is_left_out) left.append(folded, begin, end - begin);
    begin = end;
  }
  const base::Secret result(left);
  base::wipe(left);
  base::wipe(folded);
  base::wipe(text);
  return result;
}

}  // namespace invited::domain
