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

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  // A fixed number of digits at a place, or -1.
  const auto digits = [&](std::size_t at, std::size_t count) {
    int value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
      if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
      value = value * 10 + (text[i] - '0');
    }
    return value;
  };
  const auto is = [&](std::size_t at, char c) { return at < text.size() && text[at] == c; };

  const int year = digits(0, 4);
  const int month = digits(5, 2);
  const int day = digits(8, 2);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 0 || !is(4, '-') || month < 0 || !is(7, '-') || day < 0 || !date.ok()) return std::nullopt;
  Timestamp time = std::chrono::sys_days(date);
  if (text.size() == 10) return time;

  const int hour = digits(11, 2);
  const int minute = digits(14, 2);
  const int second = digits(17, 2);
  if (!(is(10, 'T') || is(10, 't') || is(10, ' ')) || !is(13, ':') || !is(16, ':') || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || second < 0 || second > 59)
    return std::nullopt;
  time += std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
  std::size_t at = 19;
  if (is(at, '.')) {
    int weight = 100;
    const std::size_t first = ++at;
    for (; digits(at, 1) >= 0; ++at, weight /= 10) time += Milliseconds(weight * digits(at, 1));
    if (at == first) return std::nullopt;
  }
  if ((is(at, 'Z') || is(at, 'z')) && at + 1 == text.size()) return time;
  const int hours = digits(at + 1, 2);
  const int minutes = digits(at + 4, 2);
  if (!(is(at, '+') || is(at, '-')) || !is(at + 3, ':') || at + 6 != text.size() || hours < 0 || hours > 23 ||
      minutes < 0 || minutes > 59)
    return std::nullopt;
  const auto offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return is(at, '+') ? time - offset : time + offset;
}

std::string to_rfc5322(Timestamp time) { return english_date(time, "+0000"); }

std::string to_http_date(Timestamp time) { return english_date(time, "GMT"); }

}  // namespace invited::base
