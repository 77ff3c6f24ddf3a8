#include "base/clock.h"

#include <array>
#include <cstdio>

namespace invited::base {
namespace {

constexpr std::array<const char*, 7> kWeekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Parts {
  int year;
  unsigned month, day, weekday;
  int hour, minute, second, millisecond;
};

Parts split(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          std::chrono::weekday{day}.c_encoding(),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count()),
          static_cast<int>(clock.subseconds().count())};
}

/// strftime would follow the process's locale; the protocols want English.
std::string english_date(Timestamp time, const char* zone) {
  const Parts p = split(time);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d %s", kWeekdays[p.weekday], p.day,
                kMonths[p.month - 1], p.year, p.hour, p.minute, p.second, zone);
  return text.data();
}

}  // namespace

Timestamp SystemClock::now() const { return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now()); }

std::string to_rfc3339(Timestamp time) {
  const Parts p = split(time);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", p.year, p.month, p.day, p.hour,
                p.minute, p.second, p.millisecond);
  return text.data();
}

std::string to_rfc5322(Timestamp time) { return english_date(time, "+0000"); }

std::string to_http_date(Timestamp time) { return english_date(time, "GMT"); }

}  // namespace invited::base
