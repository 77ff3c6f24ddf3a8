// Throw-away certificates for tests of TLS: an authority made for this process, and servers' certificates for
// "localhost" that are good, or bad in one way. Thread-safe.
#pragma once

#include <filesystem>

struct ssl_ctx_st;

namespace invited::test {

enum class CertificateKind { good, self_signed, expired, wrong_name };

/// What clients should trust; gone when the process ends.
const std::filesystem::path& test_ca_file();

void use_test_certificate(ssl_ctx_st* context, CertificateKind kind);

}  // namespace invited::test
