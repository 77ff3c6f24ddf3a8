// The route table: which handler answers which method on which path, and what a request for it may look like. Paths are
// compared exactly, after one percent-decoding; a pattern's `{name}` stands for one non-empty segment. Filled before
// the server starts, then only read: thread-safe. Owns the handlers.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/api/cors.h"
#include "http/message.h"

namespace invited::http {

/// Makes the answer of an error that the listener finds (400, 405, 413, 415, 500, 503, …) in the dialect of a path:
/// SOAP clients expect a fault. `reason` is a sentence for people. The listener adds Allow, Retry-After and the like.
/// `request` is what was read of it so far: pages look there for the reader's language.
using ErrorRenderer = std::function<Response(int status, std::string_view reason, const Request& request)>;

struct RouteOptions {
  std::size_t max_body = 0;                ///< bytes; 0: the listener's limit
  std::vector<std::string> content_types;  ///< media types of a request's body; others get 415. Empty: any
  ErrorRenderer error_renderer;            ///< none: a line of plain text. One is enough for all methods of a path
  /// By the I/O thread, for handlers that never wait: they answer though every worker is busy.
  bool runs_at_once = false;
  /// It may hash a password, which takes long and waits for its turn: such requests have half of the workers at most,
  /// so that a flood of them from many addresses leaves the others alone.
  bool hashes_passwords = false;
  /// Pages of the origins that are allowed may call it, and so the path answers OPTIONS. One is enough for a path.
  bool is_cross_origin = false;
};

struct Route {
  std::string method;
  std::string pattern;  ///< "/i/{token}": what is logged instead of the path
  Handler handler;
  RouteOptions options;
  LateHandler late_handler{};  ///< in place of `handler`, which is empty then
};

/// The outcome of a look-up. Points into the router.
struct RouteMatch {
  const Route* route = nullptr;                   ///< none: nothing answers, see `allow`
  std::string_view allow;                         ///< the path's methods, where the path is known
  const ErrorRenderer* error_renderer = nullptr;  ///< the path's; where no route knows it, the prefix's
  const CorsPolicy* cors = nullptr;               ///< where the path, or its prefix, is one for other origins' pages
  std::vector<std::pair<std::string, std::string>> path_parameters;
};

class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  /// A second route for the same method and pattern is a mistake of ours and ends the program.
  void add(std::string method, std::string pattern, Handler handler, RouteOptions options = {});
  /// The same for a handler that may answer later. It may block, so it cannot run at once: a mistake of ours, too.
  void add_late(std::string method, std::string pattern, LateHandler handler, RouteOptions options = {});

  /// For paths that no route knows: a person who follows a broken link should get a page. None: plain text.
  void set_error_renderer(ErrorRenderer renderer) { error_renderer_ = std::move(renderer); }

  /// The same for the paths that begin with `prefix`; the longest counts. What a program calls should not answer a
  /// page; other origins' pages may read it.
  void add_error_renderer(std::string prefix, ErrorRenderer renderer);

  /// Whose pages may call the routes that are cross-origin. Before the first add().
  void set_cors(CorsPolicy policy) { *cors_ = std::move(policy); }

  /// `path` is decoded. A GET route answers HEAD too.
  RouteMatch match(std::string_view method, std::string_view path) const;

  /// For a target that parse_target refuses: in whose words that is said.
  RouteMatch match_refused(std::string_view target) const;

  /// Every route, by pattern and method; HEAD and OPTIONS, which answer by themselves, are none.
  std::vector<const Route*> routes() const;

 private:
  struct Path;
  void add(Route route);
  RouteMatch match_prefix(std::string_view path) const;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view path) const { return std::hash<std::string_view>{}(path); }
  };
  std::unordered_map<std::string, std::unique_ptr<Path>, Hash, std::equal_to<>> exact_;
  std::vector<std::unique_ptr<Path>> patterns_;
  ErrorRenderer error_renderer_;
  std::vector<std::pair<std::string, std::unique_ptr<ErrorRenderer>>> prefix_renderers_;  ///< longest first
  std::unique_ptr<CorsPolicy> cors_;  ///< stays where it is when the router moves
};

/// A request target, taken apart.
struct Target {
  std::string path;  ///< decoded once
  std::string query;
  bool has_query = false;
};

/// The origin form ("/path?query") and the absolute form ("http://host/path"). Nothing where no route can be meant: dot
/// segments, empty segments, ';', encoded '/', '\\' or control characters, bad escapes, bytes that are not UTF-8.
std::optional<Target> parse_target(std::string_view target);

}  // namespace invited::http
