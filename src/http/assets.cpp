#include "http/assets.h"

#include <span>
#include <vector>

#include "base/crypto.h"
#include "base/embedded_file.h"
#include "http/router.h"

namespace invited::http {

namespace assets {
std::span<const base::EmbeddedFile> files();
}

namespace {

struct Asset {
  std::string_view name;
  std::string_view content;
  std::string hashed_name;
  std::string entity_tag;
  std::string_view content_type;
};

std::string_view content_type_of(std::string_view name) {
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  return "image/svg+xml";
}

const std::vector<Asset>& all_assets() {
  static const std::vector<Asset> kAssets = [] {
    std::vector<Asset> made;
    for (const base::EmbeddedFile& file : assets::files()) {
      const std::string digest = base::to_hex(base::sha256(file.content)).substr(0, 12);
      const auto dot = file.name.rfind('.');
      made.push_back({file.name, file.content,
                      std::string(file.name.substr(0, dot)) + '.' + digest + std::string(file.name.substr(dot)),
                      '"' + digest + '"', content_type_of(file.name)});
    }
    return made;
  }();
  return kAssets;
}

}  // namespace

std::string asset_path(std::string_view name) {
  for (const Asset& asset : all_assets())
    if (asset.name == name) return "/assets/" + asset.hashed_name;
  return {};
}

Response serve_asset(const Request& request) {
  const std::string_view wanted = request.path_parameter("name");
  for (const Asset& asset : all_assets()) {
    if (wanted != asset.name && wanted != asset.hashed_name) continue;
    const bool fresh = request.headers.get("If-None-Match").find(asset.entity_tag) != std::string_view::npos;
    Response response = make_response(200, asset.content_type, fresh ? std::string() : std::string(asset.content));
    if (fresh) response.status = 304;
    response.headers.set("ETag", asset.entity_tag);
    response.headers.set("Cache-Control",
                         wanted == asset.hashed_name ? "public, max-age=31536000, immutable" : "public, max-age=300");
    return response;
  }
  return make_response(404, "text/plain; charset=utf-8", "Not found.\n");
}

void add_asset_routes(Router& router) { router.add("GET", "/assets/{name}", serve_asset); }

}  // namespace invited::http
