#include "http/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <string>

namespace invited::http {
namespace {

namespace beast = boost::beast;
using beast::error_code;

constexpr std::size_t kLongestChunkExtension = 256;
/// A chunk's size line, or the trailer: what may be waiting undecoded.
constexpr std::size_t kLongestChunkHeader = 4096;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

constexpr std::uint64_t kReserved = 8 * 1024;

/// Beast's parser, writing straight into the Request.
class RequestReader::Parser final : public beast::http::basic_parser<true> {
 public:
  explicit Parser(RequestReader& reader) : reader_(reader) {}

 private:
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view /*target*/, int version,
                       error_code&) override {
    reader_.request_.method = view(method);
    reader_.version_ = version;
  }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value, error_code& ec) override {
    // Trailer fields come here too: they must not become headers (RFC 9110 section 6.5.1), so they are dropped.
    if (reader_.state_ != State::head) return;
    if (auto refusal = reader_.fields_.add(view(name), view(value))) {
      reader_.refuse(*refusal);
      ec = beast::http::error::bad_value;
      return;
    }
    reader_.request_.headers.add(view(name), view(value));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
    // No more than nearly all need: memory is not to be had for the announcement.
    if (length) reader_.request_.body.reserve(std::min(*length, kReserved));
  }
  std::size_t on_body_impl(beast::string_view body, error_code&) override {
    reader_.request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view extensions, error_code& ec) override {
    if (extensions.size() > kLongestChunkExtension) ec = beast::http::error::bad_chunk_extension;
    // Beast takes any byte in a quoted value, line ends too.
    if (std::ranges::any_of(extensions, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; })) {
      ec = beast::http::error::bad_chunk_extension;
    }
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code&) override {
    reader_.request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(error_code&) override {}
  void on_response_impl(int, beast::string_view, int, error_code&) override {}

  RequestReader& reader_;
};

RequestReader::RequestReader(const Limits& limits) : limits_(&limits), scanner_(limits) {}

RequestReader::~RequestReader() = default;

void RequestReader::refuse(Refusal refusal) {
  if (!refusal_) refusal_ = refusal;
  state_ = State::refused;
}

std::size_t RequestReader::feed(std::string_view bytes) {
  switch (state_) {
    case State::head:
      return feed_head(bytes);
    case State::body:
      return feed_body(bytes);
    case State::decide:
    case State::complete:
    case State::refused:
      return 0;
  }
  return 0;
}

std::size_t RequestReader::feed_head(std::string_view bytes) {
  const auto scanned = scanner_.scan(bytes);
  // Whatever becomes of it: no body may follow an answer to it, which a proxy would take for the next answer.
  if (bytes.substr(scanner_.prefix()).starts_with("HEAD ")) request_.method = "HEAD";
  if (scanned == HeadScanner::State::need_more) return 0;
  target_ = scanner_.target(bytes);
  if (scanned == HeadScanner::State::refused) {
    refuse(scanner_.refusal());
    return 0;
  }

  parser_ = std::make_unique<Parser>(*this);
  parser_->header_limit(static_cast<std::uint32_t>(limits_->header_block + 1));
  parser_->body_limit(boost::none);
  parser_->eager(false);
  const auto head = bytes.substr(scanner_.prefix(), scanner_.size() - scanner_.prefix());
  error_code ec;
  const auto used = parser_->put({head.data(), head.size()}, ec);
  if (ec || used != head.size() || !parser_->is_header_done()) {
    refuse({400, "The request's head is malformed."});
    return 0;
  }
  if (const auto refusal = fields_.finish(request_.method, version_)) {
    refuse(*refusal);
    return 0;
  }
  keep_alive_ = parser_->keep_alive();
  state_ = State::decide;
  return scanner_.size();
}

void RequestReader::read_body(std::size_t max_size) {
  parser_->body_limit(max_size);
  parser_->eager(true);
  state_ = parser_->is_done() ? State::complete : State::body;
}

std::size_t RequestReader::feed_body(std::string_view bytes) {
  if (bytes.empty()) return 0;
  error_code ec;
  const auto used = parser_->put({bytes.data(), bytes.size()}, ec);
  if (ec == beast::http::error::body_limit) {
    refuse({413, "The body is too large."});
  } else if (ec && ec != beast::http::error::need_more) {
    refuse({400, "The body's chunks are malformed."});
  } else if (parser_->is_done()) {
    state_ = State::complete;
  } else if (bytes.size() - used > kLongestChunkHeader) {
    refuse({400, "A chunk's header or the trailer is too long."});
  }
  return used;
}

}  // namespace invited::http
