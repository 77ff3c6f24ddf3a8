// What a batch has read of the rows that nearly every unit of work needs again: its environment, app, role, inviter,
// webhooks and rates. Group commit runs hundreds of works in one transaction, most of them of the same few
// environments; so these rows are read once for a batch, and the rates, which every work changes, are written once, at
// its end. Right because nobody else can write while the batch's transaction is open; the owner forgets all when a
// batch begins, and the rows when a work that wrote is undone or one changes such a row. One thread.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/uuid.h"
#include "domain/store.h"

namespace invited::storage {

class BatchMemory {
 public:
  /// A batch begins.
  void forget() {
    forget_rows();
    rates_.clear();
    changed_by_work_.clear();
  }
  /// All but the rates, whose newest values are only here.
  void forget_rows() {
    environments_.clear();
    apps_.clear();
    roles_.clear();
    accounts_.clear();
    accesses_.clear();
    webhooks_.clear();
  }

  // Each: what is remembered, or what `load()` finds. What is not there is not remembered.

  template <class Load>
  std::optional<domain::Environment> environment(const base::Uuid& id, Load load) {
    return recall(environments_, id, load);
  }
  template <class Load>
  std::optional<domain::App> app(const base::Uuid& id, Load load) {
    return recall(apps_, id, load);
  }
  template <class Load>
  std::optional<domain::Role> role(const base::Uuid& app_id, const base::Uuid& role_id, Load load) {
    return recall(roles_, Pair{app_id, role_id}, load);
  }
  template <class Load>
  std::optional<domain::Account> account(std::string_view email_key, Load load) {
    return recall(accounts_, std::string(email_key), load);
  }
  template <class Load>
  std::vector<domain::Webhook> webhooks(const base::Uuid& environment_id, Load load) {
    return *recall(webhooks_, environment_id, [&] { return std::optional(load()); });
  }
  template <class Load>
  bool has_any_access(const base::Uuid& account_id, const base::Uuid& environment_id, Load load) {
    return recall(accesses_, Pair{account_id, environment_id},
                  [&] { return load() ? std::optional(true) : std::nullopt; })
        .has_value();
  }
  template <class Load>
  domain::RateRecord rate(std::string_view subject, Load load) {
    return recall(rates_, std::string(subject),
                  [&] {
                    const domain::RateRecord seen = load();
                    return std::optional(Rate{seen, seen});
                  })
        ->record;
  }
  void set_rate(std::string_view subject, const domain::RateRecord& record) {
    const auto [place, is_new] = rates_.try_emplace(std::string(subject));
    changed_by_work_.emplace_back(place->first, is_new ? std::nullopt : std::optional(place->second));
    place->second.record = record;
    place->second.is_changed = true;
  }
  /// Those that only time made useless begin anew.
  void prune_rates(base::Timestamp before) {
    for (auto& [subject, rate] : rates_)
      if (rate.record.short_term < before && rate.record.long_term < before) set_rate(subject, {});
  }

  /// A unit of work ends: its rates count, or are as before it.
  void keep_rates() { changed_by_work_.clear(); }
  void undo_rates() {
    for (auto change = changed_by_work_.rbegin(); change != changed_by_work_.rend(); ++change) {
      if (change->second)
        rates_[change->first] = *change->second;
      else
        rates_.erase(change->first);
    }
    changed_by_work_.clear();
  }
  /// Calls `write(subject, seen, record)` for each rate that is not in the database yet, always in the same order: two
  /// instances that write the same ones wait for each other, but not each for the other.
  template <class Write>
  void write_rates(Write write) {
    std::vector<std::pair<std::string_view, Rate*>> changed;
    for (auto& [subject, rate] : rates_)
      if (std::exchange(rate.is_changed, false)) changed.emplace_back(subject, &rate);
    std::ranges::sort(changed);
    for (const auto& [subject, rate] : changed) write(subject, rate->seen, rate->record);
  }

 private:
  using Pair = std::pair<base::Uuid, base::Uuid>;
  struct PairHash {
    std::size_t operator()(const Pair& pair) const noexcept {
      return std::hash<base::Uuid>{}(pair.first) * 31 + std::hash<base::Uuid>{}(pair.second);
    }
  };

  struct Rate {
    domain::RateRecord seen;  ///< as the database had it
    domain::RateRecord record;
    bool is_changed = false;
  };

  template <class Map, class Load>
  static std::optional<typename Map::mapped_type> recall(Map& map, const typename Map::key_type& key, Load load) {
    if (const auto found = map.find(key); found != map.end()) return found->second;
    auto loaded = load();
    if (loaded) map.emplace(key, *loaded);
    return loaded;
  }

  std::unordered_map<base::Uuid, domain::Environment> environments_;
  std::unordered_map<base::Uuid, domain::App> apps_;
  std::unordered_map<Pair, domain::Role, PairHash> roles_;
  std::unordered_map<std::string, domain::Account> accounts_;
  std::unordered_map<Pair, bool, PairHash> accesses_;
  std::unordered_map<base::Uuid, std::vector<domain::Webhook>> webhooks_;  ///< by environment; of most there are none
  std::unordered_map<std::string, Rate> rates_;
  std::vector<std::pair<std::string, std::optional<Rate>>> changed_by_work_;  ///< what each was before
};

}  // namespace invited::storage
