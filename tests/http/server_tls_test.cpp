#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdio>
#include <memory>
#include <thread>

#include "http/server.h"
#include "support/raw_http_client.h"
#include "support/temporary_directory.h"
#include "support/test_listener.h"

namespace invited::http {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::RawHttpClient;
using test::TestListener;

/// Writes a self-signed certificate for `name` and its key.
void make_certificate(const TlsFiles& files, const char* name) {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  std::unique_ptr<FILE, decltype(&std::fclose)> chain(std::fopen(files.certificate_chain.c_str(), "w"), std::fclose);
  PEM_write_X509(chain.get(), certificate.get());
  std::unique_ptr<FILE, decltype(&std::fclose)> secret(std::fopen(files.key.c_str(), "w"), std::fclose);
  PEM_write_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
}

class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, int highest_version = 0, const std::string& protocols = {}) : tcp_(port) {
    context_ = SSL_CTX_new(TLS_client_method());
    if (highest_version != 0) {
      SSL_CTX_set_security_level(context_, 0);
      SSL_CTX_set_max_proto_version(context_, highest_version);
    }
    ssl_ = SSL_new(context_);
    if (!protocols.empty()) {
      SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(protocols.data()),
                          static_cast<unsigned>(protocols.size()));
    }
    SSL_set_fd(ssl_, tcp_.descriptor());
    is_connected_ = SSL_connect(ssl_) == 1;
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool is_connected() const { return is_connected_; }
  void send(std::string_view bytes) { SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())); }
  void finish_sending() { SSL_shutdown(ssl_); }
  void send_raw(std::string_view bytes) { tcp_.send(bytes); }
  /// Up to and with `end`.
  std::string read_until(std::string_view end) {
    while (received_.find(end) == std::string::npos) {
      char buffer[4096];
      const int size = SSL_read(ssl_, buffer, sizeof buffer);
      if (size <= 0) break;
      received_.append(buffer, static_cast<std::size_t>(size));
    }
    const auto at = received_.find(end);
    const auto text = received_.substr(0, at == std::string::npos ? at : at + end.size());
    received_.erase(0, text.size());
    return text;
  }
  std::string server_name() const {
    std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl_), X509_free);
    char name[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof name);
    return name;
  }
  std::string protocol() const {
    const unsigned char* data = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &data, &size);
    return {reinterpret_cast<const char*>(data), size};
  }

 private:
  RawHttpClient tcp_;
  SSL_CTX* context_;
  SSL* ssl_;
  bool is_connected_ = false;
  std::string received_;
};

class TlsServer : public testing::Test {
 protected:
  TlsServer() {
    options.tls = TlsFiles{directory / "chain.pem", directory / "key.pem"};
    make_certificate(*options.tls, "first.example");
  }
  test::TemporaryDirectory directory;
  ServerOptions options;
};

const std::string kGet = "GET /page HTTP/1.1\r\nHost: a\r\n\r\n";

/// A record that announces 16 KiB, and the beginning of a hello as long as that.
std::string half_a_hello() {
  return std::string("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03", 11) + std::string(4000, 'a');
}

// OpenSSL takes some 45 KiB for a hello that does not end; a few hundred addresses had a gigabyte of them.
TEST_F(TlsServer, GivesUpTheOldestOfTooManyHandshakes) {
  options.limits.headers = 1min;  // not its end is what is meant
  options.limits.handshakes = 2;
  options.limits.handshake_patience = 50ms;
  TestListener listener(options);
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawHttpClient>(listener.port()));
    clients.back()->send(half_a_hello());
    if (i == 2) break;
    EXPECT_TRUE(clients.back()->is_silent_for(60ms)) << i;
  }
  EXPECT_TRUE(clients[0]->is_closed());
  EXPECT_TRUE(clients[1]->is_silent_for(30ms));
  EXPECT_TRUE(clients[2]->is_silent_for(30ms));
  // Whoever finishes is none of them, and nobody is kept out.
  std::vector<std::unique_ptr<TlsClient>> good;
  for (int i = 0; i < 6; ++i) {
    good.push_back(std::make_unique<TlsClient>(listener.port()));
    ASSERT_TRUE(good.back()->is_connected()) << i;
    good.back()->send("GET /page HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(good.back()->read_until("\r\n"), "HTTP/1.1 200 OK\r\n") << i;
  }
}

TEST_F(TlsServer, GivesUpNoneOfManyHandshakesThatComeAtOnce) {
  options.limits.headers = options.limits.handshake_patience = 1min;
  options.limits.handshakes = 2;
  TestListener listener(options);
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<RawHttpClient>(listener.port()));
    clients.back()->send(half_a_hello());
  }
  for (const auto& client : clients) EXPECT_TRUE(client->is_silent_for(20ms));
}

TEST_F(TlsServer, CountsUnfinishedRecordsAsUnfinishedRequests) {
  options.limits.headers = options.limits.idle = 1min;
  options.limits.buffered = 40'000;
  TestListener listener(options);
  std::vector<std::unique_ptr<TlsClient>> clients;
  const std::string half_a_record = std::string("\x17\x03\x03\x40\x00", 5) + std::string(4000, 'a');
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(listener.server->connections(), static_cast<std::size_t>(i));
    clients.push_back(std::make_unique<TlsClient>(listener.port()));
    ASSERT_TRUE(clients.back()->is_connected()) << i;
    clients.back()->send_raw(half_a_record);
  }
  EXPECT_TRUE(eventually([&] { return listener.server->connections() == 2; })) << "one was closed";
}

TEST_F(TlsServer, AnswersRequestAfterRequest) {
  TestListener listener(options);
  TlsClient client(listener.port());
  ASSERT_TRUE(client.is_connected());
  for (int i = 0; i < 20; ++i) {
    client.send(kGet);
    const auto answer = client.read_until("page of 127.0.0.1");
    ASSERT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    ASSERT_NE(answer.find("\r\nStrict-Transport-Security: max-age="), std::string::npos);
  }
}

TEST_F(TlsServer, TakesLargeBodiesAndPipelinedRequests) {
  TestListener listener(options);
  TlsClient client(listener.port());
  const std::string body(60'000, 'x');
  const auto post = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60001\r\n\r\n" + body + "!";
  std::thread sender([&] { client.send(post + post + post + kGet + kGet); });
  sender.join();
  for (int i = 0; i < 3; ++i) EXPECT_NE(client.read_until("!").find("200 OK"), std::string::npos);
  for (int i = 0; i < 2; ++i) EXPECT_NE(client.read_until("page of 127.0.0.1").find("200 OK"), std::string::npos);
}

TEST_F(TlsServer, SendsLargeAnswers) {
  Router router;
  router.add("GET", "/large",
             [](const Request&) { return make_response(200, "text/plain", std::string(5'000'000, 'x') + "!"); });
  TestListener listener(options, std::move(router));
  TlsClient client(listener.port());
  client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_GT(client.read_until("!").size(), 5'000'000U);
}

TEST_F(TlsServer, AnswersAClientThatHasFinishedSending) {
  TestListener listener(options);
  TlsClient client(listener.port(), TLS1_3_VERSION);
  client.send(kGet);
  client.finish_sending();
  EXPECT_NE(client.read_until("page of 127.0.0.1").find("200 OK"), std::string::npos);
}

TEST_F(TlsServer, SpeaksTls12And13AndNothingOlder) {
  TestListener listener(options);
  EXPECT_TRUE(TlsClient(listener.port(), TLS1_3_VERSION).is_connected());
  EXPECT_TRUE(TlsClient(listener.port(), TLS1_2_VERSION).is_connected());
  EXPECT_FALSE(TlsClient(listener.port(), TLS1_1_VERSION).is_connected());
}

TEST_F(TlsServer, NegotiatesHttp11AndNotHttp2) {
  TestListener listener(options);
  EXPECT_EQ(TlsClient(listener.port(), 0, "\x02h2\x08http/1.1").protocol(), "http/1.1");
  EXPECT_FALSE(TlsClient(listener.port(), 0, "\x02h2").is_connected());
}

TEST_F(TlsServer, ClosesOnAClientThatSpeaksPlainHttp) {
  TestListener listener(options);
  RawHttpClient client(listener.port());
  client.send(kGet);
  client.read_answer();
  EXPECT_TRUE(eventually([&] { return listener.server->connections() == 0; }));
  EXPECT_EQ(listener.handled, 0);
  EXPECT_TRUE(TlsClient(listener.port()).is_connected());
}

TEST_F(TlsServer, CutsAHandshakeThatDoesNotEnd) {
  options.limits.headers = 100ms;
  TestListener listener(options);
  RawHttpClient silent(listener.port());
  RawHttpClient half(listener.port());
  half.send("\x16\x03\x01");
  EXPECT_TRUE(silent.is_closed());
  EXPECT_TRUE(half.is_closed());
}

TEST_F(TlsServer, TakesUpANewCertificateForNewConnections) {
  TestListener listener(options);
  TlsClient before(listener.port());
  EXPECT_EQ(before.server_name(), "first.example");
  make_certificate(*options.tls, "second.example");
  ASSERT_TRUE(listener.server->reload_tls());
  EXPECT_EQ(TlsClient(listener.port()).server_name(), "second.example");
  before.send(kGet);
  EXPECT_NE(before.read_until("page of 127.0.0.1").find("200 OK"), std::string::npos);
}

TEST_F(TlsServer, KeepsTheOldCertificateWhereTheNewOneIsBroken) {
  TestListener listener(options);
  const TlsFiles other{directory / "other.pem", directory / "other-key.pem"};
  make_certificate(other, "other.example");
  std::filesystem::copy_file(other.key, options.tls->key, std::filesystem::copy_options::overwrite_existing);
  const auto reloaded = listener.server->reload_tls();
  ASSERT_FALSE(reloaded);
  EXPECT_NE(reloaded.error().message.find("key"), std::string::npos);
  EXPECT_EQ(TlsClient(listener.port()).server_name(), "first.example");
}

TEST_F(TlsServer, RefusesToStartWithAKeyOfAnotherCertificate) {
  const TlsFiles other{directory / "other.pem", directory / "other-key.pem"};
  make_certificate(other, "other.example");
  options.tls->key = other.key;
  Server server(options, Router());
  ASSERT_FALSE(server.start());
}

}  // namespace
}  // namespace invited::http
