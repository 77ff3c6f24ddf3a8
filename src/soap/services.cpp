#include "soap/services.h"

#include <array>

#include "soap/invite_service.h"

namespace invited::soap {

std::span<const Service> services() {
  static constexpr std::array kServices{
      Service{"InviteAPI", "/ws/InviteAPI/1/soap1", &serve_invite_api},
  };
  return kServices;
}

}  // namespace invited::soap
