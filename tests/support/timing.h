// Whether two kinds of input take the same time, after dudect ("Dude, is my code constant time?", Reparaz, Balasch,
// Verbauwhede, 2017): samples of both in random order, the slow tail cut off, Welch's t.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace invited::test {

using Nanoseconds = std::vector<double>;

inline double welch_t(const Nanoseconds& one, const Nanoseconds& other) {
  const auto mean_and_error = [](const Nanoseconds& sample) {
    const auto size = static_cast<double>(sample.size());
    double mean = 0;
    for (const double value : sample) mean += value / size;
    double variance = 0;
    for (const double value : sample) variance += (value - mean) * (value - mean) / (size - 1);
    return std::pair{mean, variance / size};
  };
  const auto [mean, error] = mean_and_error(one);
  const auto [other_mean, other_error] = mean_and_error(other);
  return mean == other_mean ? 0 : (mean - other_mean) / std::sqrt(error + other_error);
}

/// |t| of `run(input)` between `fixed` and random printable texts of its length, from about so many samples.
template <class Run>
double timing_difference(const std::string& fixed, Run run, std::size_t samples) {
  using Clock = std::chrono::steady_clock;
  std::mt19937_64 random(std::random_device{}());
  std::array<Nanoseconds, 2> times;
  Nanoseconds all;
  // Made ahead: what is still on its way from the making of an input would be measured, too.
  struct Input {
    std::size_t kind = 0;
    std::string text;
  };
  std::array<Input, 64> inputs;
  while (all.size() < samples) {
    for (Input& input : inputs) {
      input.text.resize(fixed.size());
      for (char& c : input.text) c = static_cast<char>('0' + random() % 64);
      input.kind = random() % 2;
      if (input.kind == 0) input.text.assign(fixed);
    }
    for (const Input& input : inputs) {
      const auto began = Clock::now();
      run(input.text);
      const double took = std::chrono::duration<double, std::nano>(Clock::now() - began).count();
      times[input.kind].push_back(took);
      all.push_back(took);
    }
  }
  // What the machine added (interrupts, neighbours), not the code.
  const auto limit = all.begin() + static_cast<std::ptrdiff_t>(all.size() * 9 / 10);
  std::nth_element(all.begin(), limit, all.end());
  for (Nanoseconds& kind : times) std::erase_if(kind, [&](double took) { return took > *limit; });
  if (times[0].size() < 2 || times[1].size() < 2) return INFINITY;
  return std::abs(welch_t(times[0], times[1]));
}

/// The least |t| of three tries, each with new samples: code that leaks shows it in all, a neighbour of the machine
/// in one. dudect takes 4.5 for "perhaps not" and 10 for "certainly not constant".
template <class Run>
double least_timing_difference(const std::string& fixed, Run run, std::size_t samples) {
  double least = INFINITY;
  for (int i = 0; i < 3 && least > 4.5; ++i) least = std::min(least, timing_difference(fixed, run, samples));
  return least;
}

inline constexpr double kCertainlyNotConstant = 10;

}  // namespace invited::test
