// What real clients send (captures/README.md) passes the gate, with the values that were given to the client.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "soap/gate.h"
#include "soap/wsdl_document.h"
#include "support/soap_envelopes.h"

namespace invited::soap {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(text).str();
}

class Captures : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Captures, PassTheGate) {
  const auto service = describe_wsdl(find_wsdl("InviteAPI"));
  const auto call = pass_gate(test::kTextXml, read(GetParam()), service);
  ASSERT_TRUE(call.has_value()) << call.error().error.message;
  const std::vector<std::string> expected{"0e4f0b7a-7a3b-4a52-9f0e-7c1f1a5d2b11", "p&ss<word>\xC3\xA9",
                                          "8d1a6a5e-54c5-4a0e-9f64-9d3c1f5b0a77", "invitee@example.org",
                                          "inviter@example.org"};
  EXPECT_EQ(call->values, expected);
}

std::vector<std::filesystem::path> captures() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(INVITED_CAPTURES))
    if (entry.path().extension() == ".xml") paths.push_back(entry.path());
  return paths;
}

INSTANTIATE_TEST_SUITE_P(Clients, Captures, testing::ValuesIn(captures()),
                         [](const auto& capture) { return capture.param.stem().string(); });

}  // namespace
}  // namespace invited::soap
