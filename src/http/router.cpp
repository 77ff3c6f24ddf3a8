#include "http/router.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "base/utf8.h"
#include "http/percent_encoding.h"

namespace invited::http {
namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  path.remove_prefix(std::min<std::size_t>(1, path.size()));
  for (;;) {
    const auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool is_placeholder(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

/// The decoded path, or nothing. Segments "." and ".." are refused, not resolved: no client of ours sends them.
std::optional<std::string> decode_path(std::string_view raw) {
  if (!raw.starts_with('/')) return std::nullopt;
  std::string path;
  path.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    const bool escaped = c == '%';
    if (escaped) {
      if (i + 2 >= raw.size()) return std::nullopt;
      const int high = hex_digit(raw[i + 1]);
      const int low = hex_digit(raw[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == ';' || c == '\\' || (escaped && (c == '/' || c == '.'))) {
      return std::nullopt;
    }
    if (c == '/' && path.ends_with('/')) return std::nullopt;
    path.push_back(c);
  }
  for (const auto segment : split(path)) {
    if (segment == "." || segment == "..") return std::nullopt;
  }
  if (!base::is_valid_utf8(path)) return std::nullopt;
  return path;
}

}  // namespace

struct Router::Path {
  std::string pattern;
  std::vector<std::string_view> segments;  ///< views into `pattern`
  std::vector<Route> routes;
  std::string allow;
  const ErrorRenderer* error_renderer = nullptr;
  std::optional<Route> preflight;  ///< where a route is cross-origin

  const Route* find(std::string_view method) const {
    const auto route = std::ranges::find(routes, method, &Route::method);
    if (route != routes.end()) return &*route;
    if (method == "OPTIONS" && preflight) return &*preflight;
    return method == "HEAD" ? find("GET") : nullptr;
  }

  bool matches(const std::vector<std::string_view>& path, RouteMatch& match) const {
    if (path.size() != segments.size()) return false;
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (is_placeholder(segments[i]) ? path[i].empty() : path[i] != segments[i]) return false;
    }
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (is_placeholder(segments[i])) {
        match.path_parameters.emplace_back(segments[i].substr(1, segments[i].size() - 2), path[i]);
      }
    }
    return true;
  }

  void refresh(const CorsPolicy& cors) {
    allow.clear();
    error_renderer = nullptr;
    bool is_cross_origin = false;
    for (const auto& route : routes) {
      if (!allow.empty()) allow += ", ";
      allow += route.method;
      if (route.method == "GET") allow += ", HEAD";
      if (route.options.error_renderer && error_renderer == nullptr) error_renderer = &route.options.error_renderer;
      is_cross_origin = is_cross_origin || route.options.is_cross_origin;
    }
    if (!is_cross_origin) return;
    allow += ", OPTIONS";
    RouteOptions options;
    options.runs_at_once = true;
    preflight = Route{"OPTIONS", pattern,
                      [&cors, this](const Request& request) { return cors.preflight(request, allow); }, options};
  }
};

Router::Router() : cors_(std::make_unique<CorsPolicy>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::add(std::string method, std::string pattern, Handler handler, RouteOptions options) {
  add({std::move(method), std::move(pattern), std::move(handler), std::move(options)});
}

void Router::add_late(std::string method, std::string pattern, LateHandler handler, RouteOptions options) {
  if (options.runs_at_once) {
    static_cast<void>(std::fprintf(stderr, "a late handler cannot run at once: %s\n", pattern.c_str()));
    std::abort();
  }
  add({std::move(method), std::move(pattern), {}, std::move(options), std::move(handler)});
}

void Router::add(Route route) {
  const std::string& pattern = route.pattern;
  const bool is_exact = pattern.find('{') == std::string::npos;
  Path* path = nullptr;
  if (is_exact) {
    auto& slot = exact_[pattern];
    if (!slot) slot = std::make_unique<Path>();
    path = slot.get();
  } else {
    const auto known = std::ranges::find_if(patterns_, [&](const auto& p) { return p->pattern == pattern; });
    path = known != patterns_.end() ? known->get() : patterns_.emplace_back(std::make_unique<Path>()).get();
  }
  if (path->pattern.empty()) {
    path->pattern = pattern;
    path->segments = split(path->pattern);
  }
  if (std::ranges::find(path->routes, route.method, &Route::method) != path->routes.end()) {
    static_cast<void>(std::fprintf(stderr, "route added twice: %s %s\n", route.method.c_str(), pattern.c_str()));
    std::abort();
  }
  path->routes.push_back(std::move(route));
  path->refresh(*cors_);
}

void Router::add_error_renderer(std::string prefix, ErrorRenderer renderer) {
  prefix_renderers_.emplace_back(std::move(prefix), std::make_unique<ErrorRenderer>(std::move(renderer)));
  std::ranges::stable_sort(prefix_renderers_, std::greater<>{}, [](const auto& one) { return one.first.size(); });
}

std::vector<const Route*> Router::routes() const {
  std::vector<const Route*> all;
  const auto add_all = [&all](const Path& path) {
    for (const Route& route : path.routes) all.push_back(&route);
  };
  for (const auto& [pattern, path] : exact_) add_all(*path);
  for (const auto& path : patterns_) add_all(*path);
  std::ranges::sort(all, {}, [](const Route* route) { return std::pair(route->pattern, route->method); });
  return all;
}

RouteMatch Router::match_prefix(std::string_view path) const {
  RouteMatch match;
  if (error_renderer_) match.error_renderer = &error_renderer_;
  const auto known =
      std::ranges::find_if(prefix_renderers_, [&](const auto& one) { return path.starts_with(one.first); });
  if (known == prefix_renderers_.end()) return match;
  match.error_renderer = known->second.get();
  match.cors = cors_.get();
  return match;
}

RouteMatch Router::match_refused(std::string_view target) const {
  // A base address with a slash at its end makes "//api/…" of it.
  while (target.starts_with("//")) target.remove_prefix(1);
  return match_prefix(target.substr(0, target.find('?')));
}

RouteMatch Router::match(std::string_view method, std::string_view path) const {
  RouteMatch match;
  const Path* found = nullptr;
  if (const auto exact = exact_.find(path); exact != exact_.end()) {
    found = exact->second.get();
  } else {
    const auto segments = split(path);
    for (const auto& candidate : patterns_) {
      if (candidate->matches(segments, match)) {
        found = candidate.get();
        break;
      }
    }
  }
  if (found == nullptr) return match_prefix(path);
  match.route = found->find(method);
  match.allow = found->allow;
  match.error_renderer = found->error_renderer;
  if (found->preflight) match.cors = cors_.get();
  return match;
}

std::optional<Target> parse_target(std::string_view target) {
  if (!target.starts_with('/')) {
    // Absolute form: every server must take it (RFC 9112 section 3.2.2). The authority is not used for anything.
    const auto scheme_end = target.find("://");
    if (scheme_end == std::string_view::npos) return std::nullopt;
    const auto scheme = target.substr(0, scheme_end);
    if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https")) return std::nullopt;
    target.remove_prefix(scheme_end + 3);
    const auto path_start = target.find_first_of("/?");
    const auto authority = target.substr(0, path_start);
    if (authority.empty() || authority.find('@') != std::string_view::npos) return std::nullopt;
    target = path_start == std::string_view::npos ? std::string_view{"/"} : target.substr(path_start);
  }
  const auto question = target.find('?');
  auto path = decode_path(target.substr(0, question));
  if (!path) return std::nullopt;
  Target result{.path = std::move(*path), .query = {}, .has_query = question != std::string_view::npos};
  if (result.has_query) result.query = target.substr(question + 1);
  return result;
}

}  // namespace invited::http
