#include "storage/sqlite_page_cache.h"

#include <sqlite3.h>

#include <algorithm>
#include <new>

namespace invited::storage {
namespace {

// Of the file format ("The Lock-Byte Page"): where its bytes begin.
constexpr unsigned kLockBytes = 0x40000000;

sqlite3_pcache_methods2 original{};

struct PageCache {
  sqlite3_pcache* original_cache;
  unsigned lent;         // the number that no page keeps
  unsigned highest = 0;  // that a page may have
};

PageCache& cache_of(sqlite3_pcache* cache) { return *reinterpret_cast<PageCache*>(cache); }

sqlite3_pcache* create(int page_size, int extra_size, int purgeable) {
  sqlite3_pcache* const made = original.xCreate(page_size, extra_size, purgeable);
  if (made == nullptr) return nullptr;
  auto* const cache = new (std::nothrow) PageCache{made, kLockBytes / static_cast<unsigned>(page_size) + 1};
  if (cache == nullptr) original.xDestroy(made);
  return reinterpret_cast<sqlite3_pcache*>(cache);
}

void destroy(sqlite3_pcache* cache) {
  original.xDestroy(cache_of(cache).original_cache);
  delete &cache_of(cache);
}

sqlite3_pcache_page* fetch(sqlite3_pcache* cache, unsigned key, int create_flag) {
  PageCache& ours = cache_of(cache);
  if (create_flag != 0) ours.highest = std::max(ours.highest, key);
  return original.xFetch(ours.original_cache, key, create_flag);
}

void rekey(sqlite3_pcache* cache, sqlite3_pcache_page* page, unsigned old_key, unsigned new_key) {
  PageCache& ours = cache_of(cache);
  if (new_key != ours.lent) ours.highest = std::max(ours.highest, new_key);
  original.xRekey(ours.original_cache, page, old_key, new_key);
}

void truncate(sqlite3_pcache* cache, unsigned limit) {
  PageCache& ours = cache_of(cache);
  if (limit > ours.highest) return;
  ours.highest = limit - 1;
  original.xTruncate(ours.original_cache, limit);
}

}  // namespace

void register_page_cache() {
  if (sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &original) != SQLITE_OK) return;
  sqlite3_pcache_methods2 methods = original;  // init, shutdown: as they are
  methods.xCreate = create;
  methods.xDestroy = destroy;
  methods.xFetch = fetch;
  methods.xRekey = rekey;
  methods.xTruncate = truncate;
  methods.xCachesize = [](sqlite3_pcache* cache, int size) {
    original.xCachesize(cache_of(cache).original_cache, size);
  };
  methods.xPagecount = [](sqlite3_pcache* cache) { return original.xPagecount(cache_of(cache).original_cache); };
  methods.xUnpin = [](sqlite3_pcache* cache, sqlite3_pcache_page* page, int discard) {
    original.xUnpin(cache_of(cache).original_cache, page, discard);
  };
  methods.xShrink = [](sqlite3_pcache* cache) { original.xShrink(cache_of(cache).original_cache); };
  sqlite3_config(SQLITE_CONFIG_PCACHE2, &methods);
}

}  // namespace invited::storage
