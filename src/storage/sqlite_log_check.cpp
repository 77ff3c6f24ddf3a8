#include "storage/sqlite_log_check.h"

#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <vector>

#include "storage/connection.h"

namespace invited::storage {
namespace {

// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr std::size_t kLogHeader = 32;
constexpr std::size_t kFrameHeader = 24;
constexpr std::uint32_t kMagic = 0x377f0682;  // the lowest bit: checksums are over big-endian words
constexpr std::size_t kPageSizeOffset = 16;   // in the database's header
constexpr std::size_t kDatabaseHeader = 100;

using Bytes = std::span<const unsigned char>;

std::uint32_t big_endian(Bytes bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 | std::uint32_t{bytes[at + 2]} << 8 |
         bytes[at + 3];
}

std::uint32_t little_endian(Bytes bytes, std::size_t at) {
  return std::uint32_t{bytes[at + 3]} << 24 | std::uint32_t{bytes[at + 2]} << 16 | std::uint32_t{bytes[at + 1]} << 8 |
         bytes[at];
}

struct Checksum {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  bool operator==(const Checksum&) const = default;

  void add(Bytes bytes, bool is_big_endian) {
    const auto add_words = [&](auto word) {
      for (std::size_t at = 0; at < bytes.size(); at += 8) {
        first += word(bytes, at) + second;
        second += word(bytes, at + 4) + first;
      }
    };
    if (is_big_endian)
      add_words([](Bytes from, std::size_t at) { return big_endian(from, at); });
    else
      add_words([](Bytes from, std::size_t at) { return little_endian(from, at); });
  }
};

bool is_page_size(std::uint32_t size) { return std::has_single_bit(size) && size >= 512 && size <= 65'536; }

/// The frames of a log, one after the other.
class Frames {
 public:
  Frames(std::ifstream& file, std::uint32_t page_size) : file_(file), bytes_(kFrameHeader + page_size) {}

  bool next() {
    previous_ = stored();
    return static_cast<bool>(
        file_.read(reinterpret_cast<char*>(bytes_.data()), static_cast<std::streamsize>(bytes_.size())));
  }
  Checksum stored() const { return {big_endian(bytes_, 16), big_endian(bytes_, 20)}; }
  std::uint64_t salts() const { return std::uint64_t{big_endian(bytes_, 8)} << 32 | big_endian(bytes_, 12); }
  bool is_commit() const { return big_endian(bytes_, 4) != 0; }
  /// Whether it is whole and was written right after what has the checksum `before`.
  bool follows(Checksum before, bool is_big_endian) const {
    const Bytes all(bytes_);
    before.add(all.first(8), is_big_endian);
    before.add(all.subspan(kFrameHeader), is_big_endian);
    return before == stored() && big_endian(bytes_, 0) != 0;
  }
  /// The stored checksum of the frame before this one.
  Checksum previous() const { return previous_; }

 private:
  std::ifstream& file_;
  std::vector<unsigned char> bytes_;
  Checksum previous_;
};

/// 0: there is no database.
std::uint32_t page_size_of(const std::string& path) {
  std::vector<unsigned char> header(kDatabaseHeader);
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(header.data()), kDatabaseHeader)) return 0;
  const std::uint32_t stored = std::uint32_t{header[kPageSizeOffset]} << 8 | header[kPageSizeOffset + 1];
  return stored == 1 ? 65'536 : stored;
}

}  // namespace

void expect_whole_log(const std::string& path) {
  const std::string log = path + "-wal";
  std::ifstream file(log, std::ios::binary);
  std::vector<unsigned char> header(kLogHeader);
  if (!file.read(reinterpret_cast<char*>(header.data()), kLogHeader)) return;

  const bool is_ours = (big_endian(header, 0) & ~1U) == kMagic;
  const bool big = is_ours ? (big_endian(header, 0) & 1U) != 0 : std::endian::native == std::endian::big;
  Checksum sum;
  sum.add(Bytes(header).first(24), big);
  const Checksum stored{big_endian(header, 24), big_endian(header, 28)};
  const bool has_header = is_ours && sum == stored;

  const std::uint32_t in_database = page_size_of(path);
  const std::uint32_t page_size = has_header ? big_endian(header, 8) : in_database;
  if (!is_page_size(page_size)) return;  // SQLite has words for it
  Frames frames(file, page_size);
  if (in_database == 0) {
    if (has_header && frames.next())
      throw DatabaseFailure(FailureKind::damaged, path + " is gone, but its log " + log + " is still there.");
    return;
  }

  std::uint64_t salts = std::uint64_t{big_endian(header, 16)} << 32 | big_endian(header, 20);
  Checksum before = stored;
  bool whole = has_header;    // all that came before is
  bool after_commit = false;  // the frame before this one ended a transaction
  std::uint64_t damaged = 0;  // the first frame that SQLite would not take
  for (std::uint64_t number = 1; frames.next(); ++number) {
    // A damaged header may have damaged salts; all frames of one log have the same.
    if (number == 1 && !has_header) salts = frames.salts();
    if (number > 1) before = frames.previous();
    // Older than the log's last start from its beginning: left-overs, long since written back.
    const bool is_current = frames.salts() == salts;
    const bool fits = is_current && frames.follows(before, big);
    if (whole && !fits) {
      whole = false;
      damaged = number;
    } else if (!whole && fits && after_commit) {
      const std::string what =
          damaged == 0 ? "in its header" : "in frame " + std::to_string(damaged) + ", with whole transactions after it";
      throw DatabaseFailure(FailureKind::damaged,
                            "the log " + log + " is damaged " + what + ": going on would drop what was acknowledged.");
    }
    // The first frame that does not fit may itself have ended a transaction.
    after_commit = is_current && frames.is_commit() && (fits || number == damaged || number == 1);
  }
}

}  // namespace invited::storage
