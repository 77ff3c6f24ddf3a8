#include "http/api/strict_json.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace invited::http {
namespace {

/// Longer ones are no numbers that anybody means, and cost strtod() time.
constexpr std::size_t kLongestNumber = 64;

/// Reads a text for the parser and tells how far it got, which SAX events do not.
class Cursor {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Cursor(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
  const char& operator*() const { return *at_; }
  Cursor& operator++() {
    *furthest_ = ++at_;
    return *this;
  }
  Cursor operator++(int) {
    Cursor old = *this;
    ++*this;
    return old;
  }
  bool operator==(const Cursor& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** furthest_;
};

std::string escape_for_pointer(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    if (c == '~')
      escaped += "~0";
    else if (c == '/')
      escaped += "~1";
    else
      escaped += c;
  }
  return escaped;
}

/// Builds the value from the parser's events, and stops it at the first thing that is not allowed.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string_view text, const char* const& furthest) : text_(text), furthest_(furthest) {}

  std::optional<JsonProblem> problem;
  Json value;

  bool null() override { return add(nullptr); }
  bool boolean(bool given) override { return add(given); }
  bool number_integer(number_integer_t given) override { return add(given); }
  bool number_unsigned(number_unsigned_t given) override { return add(given); }
  bool number_float(number_float_t given, const string_t& digits) override {
    if (digits.size() > kLongestNumber) return stop("A number is too long.");
    // A whole number beyond 64 bits comes here as the nearest double: another number than was sent.
    if (digits.find_first_of(".eE") == std::string::npos) return stop("A whole number is too large.");
    return add(given);
  }
  bool string(string_t& given) override {
    if (given.find('\0') != std::string::npos) return stop("A string holds a NUL character.");
    return add(std::move(given));
  }
  bool binary(binary_t& /*given*/) override { return stop("Binary values are no JSON."); }

  bool start_object(std::size_t /*size*/) override { return open(Json::object()); }
  bool start_array(std::size_t /*size*/) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    Level& level = levels_.back();
    level.name = std::move(name);
    level.name_offsets.push_back(offset());
    if (level.name.find('\0') != std::string::npos) return stop("A name holds a NUL character.");
    return true;
  }
  bool end_object() override {
    if (!check_names(levels_.back())) return false;
    return close();
  }

  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    constexpr int kOutOfRange = 406;
    if (error.id == kOutOfRange) return stop("A number is too large.");
    return stop(offset() >= text_.size() && is_unfinished(error.what()) ? "The JSON text ends too early."
                                                                        : "This is not JSON.");
  }

 private:
  struct Level {
    Json value;
    std::string name;                       ///< of the member being read
    std::vector<std::size_t> name_offsets;  ///< of the members so far
  };

  static bool is_unfinished(std::string_view what) {
    return what.find("unexpected end of input") != std::string_view::npos ||
           what.find("missing closing quote") != what.npos;
  }

  std::size_t offset() const { return static_cast<std::size_t>(furthest_ - text_.data()); }

  bool stop(std::string message) {
    if (!problem) problem = JsonProblem{std::move(message), pointer(), offset()};
    return false;
  }

  std::string pointer() const {
    std::string path;
    for (const Level& level : levels_) {
      if (level.value.is_array())
        path += "/" + std::to_string(level.value.size());
      else if (!level.name_offsets.empty())
        path += "/" + escape_for_pointer(level.name);
    }
    return path;
  }

  bool open(Json empty) {
    if (levels_.size() == kMaxJsonDepth) return stop("The JSON text is nested too deeply.");
    levels_.push_back({std::move(empty), {}, {}});
    return true;
  }

  bool close() {
    Json done = std::move(levels_.back().value);
    levels_.pop_back();
    return add(std::move(done));
  }

  template <class T>
  bool add(T&& given) {
    if (++values_ > kMaxJsonValues) return stop("The JSON text holds too many values.");
    if (levels_.empty()) {
      value = std::forward<T>(given);
      return true;
    }
    Level& level = levels_.back();
    if (level.value.is_array())
      level.value.get_ref<Json::array_t&>().emplace_back(std::forward<T>(given));
    else  // not emplace(), which compares with every name before; see check_names()
      level.value.get_ref<Json::object_t&>().emplace_back(level.name, std::forward<T>(given));
    return true;
  }

  /// Sorted, for many names cannot be compared each with each in time.
  bool check_names(Level& level) {
    const auto& members = level.value.get_ref<const Json::object_t&>();
    std::vector<std::pair<std::string_view, std::size_t>> names;
    names.reserve(members.size());
    for (const auto& [name, member] : members) names.emplace_back(name, names.size());
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names, {}, [](const auto& name) { return name.first; });
    if (twice == names.end()) return true;
    level.name = twice->first;
    stop("A name comes twice in one object.");
    problem->offset = level.name_offsets[std::next(twice)->second];
    return false;
  }

  const std::string_view text_;
  const char* const& furthest_;
  std::vector<Level> levels_;
  std::size_t values_ = 0;
};

}  // namespace

std::string JsonProblem::to_string() const {
  std::string place = pointer.empty() ? "at " : "at " + pointer + ", ";
  place += "byte " + std::to_string(offset);
  std::string sentence = message;
  if (sentence.ends_with('.')) sentence.pop_back();
  return sentence + " (" + place + ").";
}

std::expected<Json, JsonProblem> parse_json(std::string_view text) {
  const auto refuse = [](std::string message, std::size_t offset) {
    return std::unexpected(JsonProblem{std::move(message), {}, offset});
  };
  if (text.size() > kMaxJsonBody) return refuse("The JSON text is too long.", kMaxJsonBody);
  if (text.empty()) return refuse("There is no JSON text.", 0);
  // What the parser would let through: it skips a byte order mark, and takes a NUL for the end.
  if (text.starts_with("\xEF\xBB\xBF")) return refuse("The JSON text begins with a byte order mark.", 0);
  if (const auto nul = text.find('\0'); nul != std::string_view::npos)
    return refuse("The JSON text holds a NUL byte.", nul);
  if (const auto valid = base::valid_utf8_size(text); valid != text.size())
    return refuse("The JSON text is not UTF-8.", valid);

  const char* furthest = text.data();
  Builder builder(text, furthest);
  const Cursor begin(furthest, &furthest);
  const Cursor end(furthest + text.size(), &furthest);
  if (!Json::sax_parse(begin, end, &builder)) {
    if (!builder.problem) builder.problem = JsonProblem{"This is not JSON.", {}, 0};
    return std::unexpected(std::move(*builder.problem));
  }
  return std::move(builder.value);
}

}  // namespace invited::http
