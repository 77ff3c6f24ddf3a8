#include "http/api/strict_json.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string>
#include <vector>

namespace invited::http {
namespace {

using namespace std::string_literals;

std::string repeated(std::string_view part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

TEST(StrictJson, ReadsWhatClientsSend) {
  struct Case {
    std::string text;
    Json value;
  };
  for (const Case& c : {
           Case{R"({"user_email":"a@b.c","role":"user"})", {{"user_email", "a@b.c"}, {"role", "user"}}},
           Case{" \t\r\n{ } \n", Json::object()},
           Case{"[]", Json::array()},
           Case{R"("text")", "text"},
           Case{"null", nullptr},
           Case{"-5", -5},
           Case{"18446744073709551615", 18446744073709551615U},
           Case{"-9223372036854775808", INT64_MIN},
           Case{"1.5e3", 1500.0},
           Case{R"("Jos\u00e9 \ud83d\ude00 Garc)"
                "\xC3\xAD"
                R"(a \" \\ \/ \b\f\n\r\t")",
                "José 😀 García \" \\ / \b\f\n\r\t"},
           Case{repeated("[", 16) + repeated("]", 16), Json::parse(repeated("[", 16) + repeated("]", 16))},
           Case{R"({"b":1,"a":{"b":1},"c":[{"b":1},{"b":2}]})",
                Json::parse(R"({"b":1,"a":{"b":1},"c":[{"b":1},{"b":2}]})")},
       }) {
    const auto parsed = parse_json(c.text);
    ASSERT_TRUE(parsed) << c.text << ": " << parsed.error().to_string();
    EXPECT_EQ(*parsed, c.value) << c.text;
    EXPECT_EQ(parsed->dump(), c.value.dump());  // the order of the members too
  }
}

struct BadCase {
  std::string text;
  std::string problem;
};

TEST(StrictJson, RefusesWhatCanBeReadInTwoWaysAndSaysWhere) {
  const BadCase cases[]{
      BadCase{"", "There is no JSON text (at byte 0)."},
      BadCase{" ", "The JSON text ends too early (at byte 1)."},
      BadCase{"{", "The JSON text ends too early (at byte 1)."},
      BadCase{R"({"a":)", "The JSON text ends too early (at /a, byte 5)."},
      BadCase{R"({"a":"x)", "The JSON text ends too early (at /a, byte 7)."},
      BadCase{"[1,", "The JSON text ends too early (at /1, byte 3)."},
      BadCase{"{}x", "This is not JSON (at byte 3)."},
      BadCase{"{}{}", "This is not JSON (at byte 3)."},
      BadCase{"{} null", "This is not JSON (at byte 7)."},
      BadCase{"{}\0"s, "The JSON text holds a NUL byte (at byte 2)."},
      BadCase{"{}\0{}"s, "The JSON text holds a NUL byte (at byte 2)."},
      BadCase{"\0{}"s, "The JSON text holds a NUL byte (at byte 0)."},
      BadCase{"\xEF\xBB\xBF{}", "The JSON text begins with a byte order mark (at byte 0)."},
      BadCase{"\xFF\xFE{\0}\0"s, "The JSON text holds a NUL byte (at byte 3)."},
      BadCase{"{'a':1}", "This is not JSON (at byte 2)."},
      BadCase{"{a:1}", "This is not JSON (at byte 2)."},
      BadCase{R"({"a":1,})", "This is not JSON (at /a, byte 8)."},
      BadCase{"[1,]", "This is not JSON (at /1, byte 4)."},
      BadCase{"[1] // x", "This is not JSON (at byte 5)."},
      BadCase{"/**/[1]", "This is not JSON (at byte 1)."},
      BadCase{"nul", "This is not JSON (at byte 3)."},
      BadCase{"TRUE", "This is not JSON (at byte 1)."},
      BadCase{"NaN", "This is not JSON (at byte 1)."},
      BadCase{"Infinity", "This is not JSON (at byte 1)."},
      BadCase{"-Infinity", "This is not JSON (at byte 2)."},
      BadCase{"01", "This is not JSON (at byte 2)."},
      BadCase{"+1", "This is not JSON (at byte 1)."},
      BadCase{"0x10", "This is not JSON (at byte 2)."},
      BadCase{".5", "This is not JSON (at byte 1)."},
      BadCase{"1e400", "A number is too large (at byte 5)."},
      BadCase{R"({"n":[1e400]})", "A number is too large (at /n/0, byte 12)."},
      BadCase{"18446744073709551616", "A whole number is too large (at byte 20)."},
      BadCase{"-9223372036854775809", "A whole number is too large (at byte 20)."},
      BadCase{"0." + std::string(64, '1'), "A number is too long (at byte 66)."},
      BadCase{R"({"a":1,"a":2})", "A name comes twice in one object (at /a, byte 10)."},
      BadCase{R"({"a":1,"\u0061":2})", "A name comes twice in one object (at /a, byte 15)."},
      BadCase{R"({"x/~":[0,{"b":1,"c":1,"b":2}]})", "A name comes twice in one object (at /x~1~0/1/b, byte 26)."},
      BadCase{R"({"":1,"":2})", "A name comes twice in one object (at /, byte 8)."},
      BadCase{"\"a\nb\"", "This is not JSON (at byte 3)."},
      BadCase{"\"a\x01\"", "This is not JSON (at byte 3)."},
      BadCase{R"("\x41")", "This is not JSON (at byte 3)."},
      BadCase{R"("\u12")", "This is not JSON (at byte 6)."},
      BadCase{R"(["\u0000"])", "A string holds a NUL character (at /0, byte 9)."},
      BadCase{R"({"a":"x\u0000y"})", "A string holds a NUL character (at /a, byte 15)."},
      BadCase{R"({"a\u0000":1})", "A name holds a NUL character (at /a\0, byte 10)."s},
      BadCase{R"("\ud800")", "This is not JSON (at byte 8)."},
      BadCase{R"("\udc00")", "This is not JSON (at byte 7)."},
      BadCase{R"("\ud800\u0041")", "This is not JSON (at byte 13)."},
      BadCase{"\"\xED\xA0\x80\"", "The JSON text is not UTF-8 (at byte 1)."},
      BadCase{"\"\xC0\xAF\"", "The JSON text is not UTF-8 (at byte 1)."},
      BadCase{"\"a\xE0\x80\xAF\"", "The JSON text is not UTF-8 (at byte 2)."},
      BadCase{"\"\xF4\x90\x80\x80\"", "The JSON text is not UTF-8 (at byte 1)."},
      BadCase{"\"\xC3", "The JSON text is not UTF-8 (at byte 1)."},
      BadCase{"[\xA0]", "The JSON text is not UTF-8 (at byte 1)."},
      BadCase{"[\xC2\xA0]", "This is not JSON (at /0, byte 2)."},
      BadCase{repeated("[", 17), "The JSON text is nested too deeply (at " + repeated("/0", 16) + ", byte 17)."},
      BadCase{repeated("[", 64 * 1024), "The JSON text is nested too deeply (at " + repeated("/0", 16) + ", byte 17)."},
      BadCase{repeated(R"({"a":)", 13'000),
              "The JSON text is nested too deeply (at " + repeated("/a", 16) + ", byte 81)."},
      BadCase{"[" + repeated("0,", 4096) + "0]", "The JSON text holds too many values (at /4096, byte 8195)."},
      BadCase{"[" + std::string(64 * 1024, ' ') + "]", "The JSON text is too long (at byte 65536)."},
  };
  for (const auto& [text, problem] : cases) {
    const auto parsed = parse_json(text);
    EXPECT_EQ(parsed ? "taken" : parsed.error().to_string(), problem) << text.substr(0, 80);
  }
}

/// The CPU time of the quickest of a few runs: other tests take theirs meanwhile.
std::chrono::nanoseconds cpu_time_of(const std::string& text) {
  auto best = std::chrono::nanoseconds::max();
  for (int i = 0; i < 5; ++i) {
    timespec before{}, after{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    static_cast<void>(parse_json(text));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    best = std::min(best, std::chrono::nanoseconds((after.tv_sec - before.tv_sec) * 1'000'000'000L +
                                                   (after.tv_nsec - before.tv_nsec)));
  }
  return best;
}

TEST(StrictJson, NoBodyCostsMuchTime) {
  const auto listed = [](std::string_view item) {
    std::string text = "[";
    while (text.size() + item.size() + 1 < kMaxJsonBody) text.append(text.size() > 1 ? "," : "").append(item);
    return text + "]";
  };
  const auto members = [](auto name_of) {
    std::string text = "{";
    for (int i = 0; text.size() + 40 < kMaxJsonBody; ++i)
      text.append(i == 0 ? "\"" : ",\"").append(name_of(i)).append("\":0");
    return text + "}";
  };
  const std::pair<const char*, std::string> cases[]{
      {"zeros", listed("0")},
      {"empty arrays", listed("[]")},
      {"empty objects", listed("{}")},
      {"small objects", listed(R"({"a":0})")},
      {"deep arrays", listed(repeated("[", 15) + repeated("]", 15))},
      {"many names", members([](int i) { return std::to_string(i); })},
      {"many long names", members([](int i) { return std::string(24, 'x') + std::to_string(i); })},
      {"the same name", members([](int) { return "a"; })},
      {"floats", listed("1.7976931348623157e308")},
      {"tiny floats", listed("4.9406564584124654e-324")},
      {"a number of 64 KiB", std::string(kMaxJsonBody, '7')},
      {"a fraction of 64 KiB", "0." + std::string(kMaxJsonBody - 2, '7')},
      {"a zero of 64 KiB", "0." + std::string(kMaxJsonBody - 6, '0') + "1e9"},
      {"escapes", "\"" + repeated(R"(\u00e9)", 10'900) + "\""},
      {"surrogates", "\"" + repeated(R"(\ud83d\ude00)", 5'450) + "\""},
      {"blanks", std::string(kMaxJsonBody, ' ')},
      {"brackets", std::string(kMaxJsonBody, '[')},
  };
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr auto kMost = std::chrono::milliseconds(100);
#else
  constexpr auto kMost = std::chrono::milliseconds(5);  // without optimisation
#endif
  for (const auto& [what, text] : cases) {
    ASSERT_LE(text.size(), kMaxJsonBody) << what;
    EXPECT_LE(cpu_time_of(text), kMost) << what;
  }
}

}  // namespace
}  // namespace invited::http
