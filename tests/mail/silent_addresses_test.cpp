// A relay's name with several addresses, of which one does not answer. The names are resolved here: this program's own
// getaddrinfo stands before the system's.
#include "mail/silent_addresses.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "mail/relay_fixture.h"

namespace {

/// What the name of the tests' certificate resolves to, in this order.
std::vector<std::string>& addresses_of_relay() {
  static std::vector<std::string> addresses;
  return addresses;
}

constexpr const char* kRelayName = "other.example";

}  // namespace

// Only libcurl asks, for one TCP port of IPv4. The system's would free what it made itself: so does this one.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo*, addrinfo** result) {
  if (name == nullptr || std::strcmp(name, kRelayName) != 0) return EAI_NONAME;
  *result = nullptr;
  addrinfo** end = result;
  for (const std::string& address : addresses_of_relay()) {
    struct Entry {
      addrinfo info;
      sockaddr_in address;
    };
    auto* entry = static_cast<Entry*>(std::calloc(1, sizeof(Entry)));
    entry->address.sin_family = AF_INET;
    entry->address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(service)));
    inet_pton(AF_INET, address.c_str(), &entry->address.sin_addr);
    entry->info.ai_family = AF_INET;
    entry->info.ai_socktype = SOCK_STREAM;
    entry->info.ai_protocol = IPPROTO_TCP;
    entry->info.ai_addrlen = sizeof(entry->address);
    entry->info.ai_addr = reinterpret_cast<sockaddr*>(&entry->address);
    *end = &entry->info;
    end = &entry->info.ai_next;
  }
  return 0;
}

extern "C" void freeaddrinfo(addrinfo* list) {
  while (list != nullptr) {
    addrinfo* next = list->ai_next;
    std::free(list);
    list = next;
  }
}

namespace invited::mail {
namespace {

using domain::DeliveryOutcome;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A port at which nobody answers: its queue of connections is full, so that the kernel drops what comes.
class DeadAddress {
 public:
  DeadAddress(const char* address, std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    inet_pton(AF_INET, address, &to.sin_addr);
    const auto* raw = reinterpret_cast<const sockaddr*>(&to);
    sockets_[0] = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(bind(sockets_[0], raw, sizeof(to)), 0);
    EXPECT_EQ(listen(sockets_[0], 0), 0);
    for (std::size_t i = 1; i < sockets_.size(); ++i) {
      sockets_[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      connect(sockets_[i], raw, sizeof(to));
    }
  }
  DeadAddress(const DeadAddress&) = delete;
  DeadAddress& operator=(const DeadAddress&) = delete;
  ~DeadAddress() {
    for (const int one : sockets_) ::close(one);
  }

 private:
  std::array<int, 4> sockets_{};
};

class SilentAddressTest : public RelayTest {
 protected:
  void start_with(std::vector<std::string> addresses,
                  test::CertificateKind certificate = test::CertificateKind::wrong_name /* for localhost */) {
    start({.certificate = certificate});
    settings_.host = kRelayName;
    addresses_of_relay() = std::move(addresses);
    timeouts_.connect = seconds(4);  // so the first of several has two
  }

  /// By a new connection.
  milliseconds time_to_deliver(DeliveryOutcome outcome = DeliveryOutcome::sent) {
    transport().close();
    const auto begin = std::chrono::steady_clock::now();
    const auto result = deliver();
    EXPECT_EQ(result.outcome, outcome) << result.stage << ": " << result.explanation;
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
  }
};

TEST_F(SilentAddressTest, OneThatDidNotAnswerIsPassedOver) {
  start_with({"127.0.0.2", "127.0.0.1"});
  const DeadAddress dead("127.0.0.2", relay_->port());
  EXPECT_GE(time_to_deliver(), milliseconds(1'500)) << "nobody knows yet";
  EXPECT_LT(time_to_deliver(), milliseconds(1'000));
  EXPECT_LT(time_to_deliver(), milliseconds(1'000));
  EXPECT_EQ(relay_->connections(), 3);
}

TEST_F(SilentAddressTest, TheOthersOfTheProcessKnow) {
  start_with({"127.0.0.2", "127.0.0.1"});
  const DeadAddress dead("127.0.0.2", relay_->port());
  const auto silent = std::make_shared<SilentAddresses>();
  transport_ = std::make_unique<SmtpTransport>(settings_, timeouts_, silent);
  time_to_deliver();
  transport_ = std::make_unique<SmtpTransport>(settings_, timeouts_, silent);
  EXPECT_LT(time_to_deliver(), milliseconds(1'000));
}

TEST_F(SilentAddressTest, OneThatIsPassedOverIsTriedWhereTheOthersFail) {
  start_with({"127.0.0.1"});
  const auto silent = std::make_shared<SilentAddresses>();
  silent->note("127.0.0.1", std::chrono::steady_clock::now());
  transport_ = std::make_unique<SmtpTransport>(settings_, timeouts_, silent);
  EXPECT_LT(time_to_deliver(), milliseconds(1'000));
  EXPECT_FALSE(silent->contains("127.0.0.1", std::chrono::steady_clock::now()));
}

TEST_F(SilentAddressTest, WhereNoneAnswersNoneIsPassedOver) {
  start_with({"127.0.0.2", "127.0.0.3"});
  const DeadAddress first("127.0.0.2", relay_->port());
  const DeadAddress second("127.0.0.3", relay_->port());
  const auto silent = std::make_shared<SilentAddresses>();
  transport_ = std::make_unique<SmtpTransport>(settings_, timeouts_, silent);
  time_to_deliver(DeliveryOutcome::held);
  EXPECT_FALSE(silent->contains("127.0.0.2", std::chrono::steady_clock::now()))
      << "the network is down, which says nothing about an address";
}

TEST_F(SilentAddressTest, ACertificateMustBearTheRelaysNameStill) {
  start_with({"127.0.0.2", "127.0.0.1"}, test::CertificateKind::good);  // good for another name
  const auto silent = std::make_shared<SilentAddresses>();
  silent->note("127.0.0.2", std::chrono::steady_clock::now());
  transport_ = std::make_unique<SmtpTransport>(settings_, timeouts_, silent);
  const auto refused = deliver();
  EXPECT_EQ(refused.stage, "tls") << refused.explanation;
  EXPECT_EQ(relay_->connections(), 1);
}

TEST(SilentAddresses, AreTriedAgainAfterAWhile) {
  SilentAddresses silent;
  const SilentAddresses::Time begin{};
  silent.note("192.0.2.1", begin);
  EXPECT_TRUE(silent.contains("192.0.2.1", begin + SilentAddresses::kPassedOver - seconds(1)));
  EXPECT_FALSE(silent.contains("192.0.2.2", begin));
  EXPECT_FALSE(silent.contains("192.0.2.1", begin + SilentAddresses::kPassedOver));
}

}  // namespace
}  // namespace invited::mail
