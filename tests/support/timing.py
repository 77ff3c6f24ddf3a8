"""Whether answers take the same time: samples taken in turns, in random order, and Welch's t of their differences."""

import math
import random
import statistics

WARM_UP = 100
NO_DIFFERENCE = 5


def welch_t(one, other):
    """After dropping the slowest 5 %: those are the machine's, not the program's."""
    one, other = (sorted(sample)[:int(len(sample) * 0.95)] for sample in (one, other))
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    return (statistics.fmean(one) - statistics.fmean(other)) / math.sqrt(spread)


def compare(cases, reference, samples):
    """`cases`: name → a function that does it once and returns its nanoseconds. Prints a line for each; returns
    (medians, each case's t against `reference`), both by name."""
    times = {name: [] for name in cases}
    for _ in range(WARM_UP):
        for case in cases.values():
            case()
    order = list(cases)
    for _ in range(samples):
        random.shuffle(order)
        for name in order:
            times[name].append(cases[name]())
    medians = {name: statistics.median(sample) for name, sample in times.items()}
    differences = {name: welch_t(sample, times[reference]) for name, sample in times.items() if name != reference}
    for name in cases:
        difference = f"Welch t against {reference!r} {differences[name]:+.2f}" if name != reference else "the reference"
        print(f"\n  {name:17} median {medians[name] / 1000:7.1f} µs, {difference} ({samples} samples)", end="",
              flush=True)
    print(flush=True)
    return medians, differences
