#include "soap/xml_scanner.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>
#include <utility>

#include "base/content_type.h"
#include "base/utf8.h"
#include "soap/byte_set.h"

namespace invited::soap {
namespace {

using Problem = std::string_view;

constexpr Problem kTruncated = "ends in the middle of its XML";
constexpr Problem kNotWellFormed = "is not well-formed XML";
constexpr Problem kBadReference =
    "contains a character reference that XML does not allow, or an entity other than the five";
constexpr Problem kNameTooLong = "contains a name that is too long";
constexpr Problem kAttributeTooLong = "contains an attribute that is too long";
constexpr Problem kMarkupInValue = "contains markup inside a value";

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// XML 1.0 "Char", less U+007F.
constexpr bool is_character(std::uint32_t c) {
  if (c < 0x20) return c == '\t' || c == '\n' || c == '\r';
  return c != 0x7F && (c < 0xD800 || c > 0xDFFF) && c != 0xFFFE && c != 0xFFFF && c <= 0x10FFFF;
}

template <std::size_t N>
constexpr bool within(const std::array<std::pair<std::uint32_t, std::uint32_t>, N>& ranges, std::uint32_t c) {
  for (const auto& [first, last] : ranges)
    if (c >= first && c <= last) return true;
  return false;
}

/// XML 1.0 (fifth edition) NameStartChar without the colon.
constexpr bool is_name_start(std::uint32_t c) {
  constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 15> kRanges{{{'a', 'z'},
                                                                             {'A', 'Z'},
                                                                             {'_', '_'},
                                                                             {0xC0, 0xD6},
                                                                             {0xD8, 0xF6},
                                                                             {0xF8, 0x2FF},
                                                                             {0x370, 0x37D},
                                                                             {0x37F, 0x1FFF},
                                                                             {0x200C, 0x200D},
                                                                             {0x2070, 0x218F},
                                                                             {0x2C00, 0x2FEF},
                                                                             {0x3001, 0xD7FF},
                                                                             {0xF900, 0xFDCF},
                                                                             {0xFDF0, 0xFFFD},
                                                                             {0x10000, 0xEFFFF}}};
  return within(kRanges, c);
}

/// NameChar without the colon.
constexpr bool is_name_part(std::uint32_t c) {
  constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 6> kRanges{
      {{'0', '9'}, {'-', '-'}, {'.', '.'}, {0xB7, 0xB7}, {0x300, 0x36F}, {0x203F, 0x2040}}};
  return is_name_start(c) || within(kRanges, c);
}

constexpr std::uint32_t kAsciiEnd = 0x80;
constexpr ByteSet kNameStarts = make_byte_set([](std::uint32_t c) { return c < kAsciiEnd && is_name_start(c); });
constexpr ByteSet kNameParts = make_byte_set([](std::uint32_t c) { return c < kAsciiEnd && is_name_part(c); });
constexpr bool starts_name(std::uint32_t c) { return c < kAsciiEnd ? kNameStarts[c] : is_name_start(c); }

// Bytes that are only what they are, in the text of an element and in an attribute's value.
constexpr ByteSet kPlainInText = make_byte_set([](std::uint32_t c) { return c != '<' && c != '&' && c != ']'; });
constexpr ByteSet kPlainInAttribute =
    make_byte_set([](std::uint32_t c) { return c != '<' && c != '&' && c != '"' && c != '\''; });
// Characters of one byte; and the first byte of others, but of those that U+FFFE and U+FFFF begin like.
constexpr ByteSet kSurelyCharacters =
    make_byte_set([](std::uint32_t c) { return (c >= kAsciiEnd && c != 0xEF) || (c < kAsciiEnd && is_character(c)); });

constexpr std::size_t utf8_size(std::uint32_t c) { return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4; }

/// Every character is one that XML 1.0 allows. The rest of the scan can then look for ASCII only.
bool has_only_characters(std::string_view text) {
  if (!base::is_valid_utf8(text)) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (has(kSurelyCharacters, text[i])) continue;
    const auto three = text.substr(i, 3);
    if (!three.starts_with('\xEF') || three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF") return false;
  }
  return true;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  std::optional<Problem> scan() {
    if (!declaration() || !before_root() || !elements()) return problem_;
    skip_blanks();
    if (!rest_.empty()) return "goes on after the end of its Envelope";
    return std::nullopt;
  }

 private:
  /// An element that is open.
  struct Open {
    std::string_view name;
    bool has_text = false;  ///< anything but plain blanks: character data, CDATA, references
    bool has_child = false;
    bool has_comment = false;
  };

  bool fail(Problem problem) {
    problem_ = problem;
    return false;
  }
  /// For where something else was expected: the end of the text, or a wrong character.
  bool fail_here() { return fail(rest_.empty() ? kTruncated : kNotWellFormed); }

  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  bool skip_blanks() {
    const auto before = rest_.size();
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    return rest_.size() != before;
  }
  /// Takes up to and with `end`; what was before it, or nothing where it does not come.
  std::optional<std::string_view> take_until(std::string_view end) {
    const auto at = rest_.find(end);
    if (at == std::string_view::npos) return std::nullopt;
    const auto taken = rest_.substr(0, at);
    rest_.remove_prefix(at + end.size());
    return taken;
  }

  /// As many bytes of the set as come.
  std::string_view take_run(const ByteSet& set) {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), [&](char c) { return has(set, c); });
    const auto run = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(run.size());
    return run;
  }
  /// The same, but one byte at least: the caller has looked at it.
  std::string_view take_some(const ByteSet& set) {
    const auto before = rest_;
    rest_.remove_prefix(1);
    return before.substr(0, 1 + take_run(set).size());
  }

  /// The code point at the front (the text is valid UTF-8) and its size; size 0 at the end.
  std::pair<std::uint32_t, std::size_t> peek() const {
    if (rest_.empty()) return {0, 0};
    const auto byte = [this](std::size_t i) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(rest_[i]));
    };
    const auto tail = [&](std::size_t i) { return byte(i) & 0x3F; };
    const auto first = byte(0);
    if (first < 0x80) return {first, 1};
    if (first < 0xE0) return {(first & 0x1F) << 6 | tail(1), 2};
    if (first < 0xF0) return {(first & 0x0F) << 12 | tail(1) << 6 | tail(2), 3};
    return {(first & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4};
  }

  // --- before the root ---------------------------------------------------------------------------

  /// `name = "value"` of the XML declaration.
  std::optional<std::string_view> pseudo_attribute(std::string_view name) {
    if (!take(name)) return std::nullopt;
    skip_blanks();
    if (!take("=")) return std::nullopt;
    skip_blanks();
    if (take("\"")) return take_until("\"");
    if (take("'")) return take_until("'");
    return std::nullopt;
  }

  bool starts_declaration() const { return rest_.starts_with("<?xml") && rest_.size() > 5 && is_blank(rest_[5]); }

  bool declaration() {
    if (!starts_declaration()) return true;
    rest_.remove_prefix(5);
    skip_blanks();
    if (pseudo_attribute("version") != "1.0") return fail("is not XML 1.0");
    bool blank = skip_blanks();
    if (blank && rest_.starts_with("encoding")) {
      const auto encoding = pseudo_attribute("encoding");
      if (!encoding) return fail_here();
      if (!base::is_read_charset(*encoding)) return fail("declares another encoding than UTF-8");
      blank = skip_blanks();
    }
    if (blank && rest_.starts_with("standalone")) {
      const auto standalone = pseudo_attribute("standalone");
      if (standalone != "yes" && standalone != "no") return fail_here();
      skip_blanks();
    }
    return take("?>") || fail_here();
  }

  bool before_root() {
    for (;;) {
      skip_blanks();
      if (take("<!--")) {
        if (!comment()) return false;
      } else {
        // Mostly an empty line, of a heredoc in PHP or of what was pasted into a tool; nobody takes it for an
        // instruction.
        return !starts_declaration() || fail("has something before its XML declaration");
      }
    }
  }

  // --- the root and what is in it ----------------------------------------------------------------

  bool elements() {
    if (!rest_.starts_with('<')) return fail(rest_.empty() ? "is empty" : "is not XML");
    do {
      if (!(rest_.starts_with('<') ? markup() : text())) return false;
    } while (depth_ > 0);
    return true;
  }

  bool markup() {
    if (depth_ > 0 && take("</")) return end_tag();
    if (take("<?")) return fail("contains a processing instruction");
    if (depth_ > 0 && take("<!--")) {
      open_[depth_ - 1].has_comment = true;
      return comment();
    }
    if (depth_ > 0 && take("<![CDATA[")) return cdata();
    if (rest_.starts_with("<!DOCTYPE")) return fail("contains a document type declaration");
    rest_.remove_prefix(1);
    return start_tag();
  }

  bool comment() {
    if (!take_until("--")) return fail(kTruncated);
    return take(">") || fail_here();
  }

  bool cdata() {
    if (!take_until("]]>")) return fail(kTruncated);
    Open& element = open_[depth_ - 1];
    element.has_text = true;
    return !element.has_child || fail(kMarkupInValue);
  }

  bool text() {
    Open& element = open_[depth_ - 1];
    while (!rest_.empty() && rest_.front() != '<') {
      if (rest_.front() == '&') {
        element.has_text = true;
        if (!reference()) return false;
        continue;
      }
      if (rest_.starts_with("]]>")) return fail(kNotWellFormed);
      const auto run = take_some(kPlainInText);
      element.has_text = element.has_text || !std::ranges::all_of(run, is_blank);
    }
    if (rest_.empty()) return fail(kTruncated);
    return !(element.has_text && element.has_child) || fail(kMarkupInValue);
  }

  std::optional<std::uint32_t> reference() {
    constexpr std::array<std::pair<std::string_view, char>, 5> kEntities{
        {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}}};
    for (const auto& [entity, character] : kEntities)
      if (take(entity)) return character;
    constexpr std::size_t kDigits = 8;  // no more than a few zeros before the longest, &#x10FFFF;
    std::uint32_t base = 0;
    if (take("&#x")) {
      base = 16;
    } else if (take("&#")) {
      base = 10;
    }
    std::uint32_t value = 0;
    std::size_t digits = 0;
    for (; base != 0 && digits < kDigits && !rest_.empty(); ++digits, rest_.remove_prefix(1)) {
      const char c = rest_.front();
      std::uint32_t digit = 16;
      if (c >= '0' && c <= '9') digit = static_cast<std::uint32_t>(c - '0');
      if (c >= 'a' && c <= 'f') digit = static_cast<std::uint32_t>(c - 'a' + 10);
      if (c >= 'A' && c <= 'F') digit = static_cast<std::uint32_t>(c - 'A' + 10);
      if (digit >= base) break;
      value = value * base + digit;
    }
    if (digits == 0 || !take(";") || !is_character(value)) {
      fail(rest_.empty() ? kTruncated : kBadReference);
      return std::nullopt;
    }
    return value;
  }

  /// NCName, or NCName ":" NCName.
  std::optional<std::string_view> name() {
    const auto begin = rest_;
    for (bool local = false;; local = true) {
      auto [c, size] = peek();
      if (size == 0 || !starts_name(c)) {
        fail_here();
        return std::nullopt;
      }
      do {
        rest_.remove_prefix(size);
        take_run(kNameParts);
        std::tie(c, size) = peek();
      } while (size > 1 && is_name_part(c));
      if (begin.size() - rest_.size() > XmlLimits::kNameBytes) {
        fail(kNameTooLong);
        return std::nullopt;
      }
      if (local || !take(":")) break;
    }
    return begin.substr(0, begin.size() - rest_.size());
  }

  bool start_tag() {
    if (depth_ > 0) {
      Open& parent = open_[depth_ - 1];
      if (parent.has_text) return fail(kMarkupInValue);
      parent.has_child = true;
    }
    if (depth_ == XmlLimits::kDepth) return fail("is nested too deeply");
    if (++element_count_ > XmlLimits::kElements) return fail("has too many elements");
    const auto tag = name();
    if (!tag) return false;
    std::array<std::string_view, XmlLimits::kAttributes> attributes;
    std::size_t count = 0;
    for (;;) {
      const bool blank = skip_blanks();
      if (take("/>")) return true;
      if (take(">")) break;
      if (!blank) return fail_here();
      const auto attribute_name = name();
      if (!attribute_name) return false;
      if (count == attributes.size()) return fail("has too many attributes on an element");
      for (std::size_t i = 0; i < count; ++i)
        if (attributes[i] == *attribute_name) return fail("has an attribute twice on an element");
      attributes[count++] = *attribute_name;
      if (!attribute_value()) return false;
    }
    open_[depth_++] = Open{*tag};
    return true;
  }

  bool attribute_value() {
    skip_blanks();
    if (!take("=")) return fail_here();
    skip_blanks();
    if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\'')) return fail_here();
    const char quote = rest_.front();
    rest_.remove_prefix(1);
    for (std::size_t bytes = 0; !rest_.empty();) {
      if (rest_.front() == quote) {
        rest_.remove_prefix(1);
        return true;
      }
      if (rest_.front() == '<') return fail(kNotWellFormed);
      if (rest_.front() == '&') {
        const auto c = reference();
        if (!c) return false;
        bytes += utf8_size(*c);
      } else {
        bytes += take_some(kPlainInAttribute).size();
      }
      if (bytes > XmlLimits::kValueBytes) return fail(kAttributeTooLong);
    }
    return fail(kTruncated);
  }

  bool end_tag() {
    const auto tag = name();
    if (!tag) return false;
    const Open& element = open_[depth_ - 1];
    if (*tag != element.name) return fail(kNotWellFormed);
    skip_blanks();
    if (!take(">")) return fail_here();
    if (element.has_text && element.has_comment) return fail("contains a comment inside a value");
    --depth_;
    return true;
  }

  std::string_view rest_;
  std::array<Open, XmlLimits::kDepth> open_;
  std::size_t depth_ = 0;
  std::size_t element_count_ = 0;
  Problem problem_ = kNotWellFormed;
};

}  // namespace

std::optional<std::string_view> find_xml_problem(std::string_view text) {
  if (!has_only_characters(text)) return "is not UTF-8 text without control characters";
  return Scanner(text).scan();
}

}  // namespace invited::soap
