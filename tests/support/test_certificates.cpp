#include "support/test_certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

namespace invited::test {

namespace {

template <auto function>
struct Free {
  template <class T>
  void operator()(T* object) const {
    function(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

/// `issuer` empty: signed by itself.
Certificate make_certificate(EVP_PKEY* key, const char* name, X509* issuer, EVP_PKEY* issuer_key, bool expired) {
  static std::atomic<long> serial{1};
  constexpr long kDay = 24L * 60 * 60;
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), expired ? -20 * kDay : -kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), expired ? -10 * kDay : 10 * kDay);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509* signer = issuer != nullptr ? issuer : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
  if (std::string(name) == "Test authority")
    add_extension(certificate.get(), signer, NID_basic_constraints, "critical,CA:TRUE");
  else
    add_extension(certificate.get(), signer, NID_subject_alt_name, (std::string("DNS:") + name).c_str());
  X509_sign(certificate.get(), issuer_key, EVP_sha256());
  return certificate;
}

struct Authority {
  Key key{EVP_RSA_gen(2048)};
  Certificate certificate = make_certificate(key.get(), "Test authority", nullptr, key.get(), false);
  Key relay_key{EVP_RSA_gen(2048)};
  std::filesystem::path folder;
  std::filesystem::path file;

  Authority() {
    std::string pattern = (std::filesystem::temp_directory_path() / "invited-ca-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder = pattern;
    file = folder / "ca.pem";
    std::FILE* stream = std::fopen(file.c_str(), "w");
    PEM_write_X509(stream, certificate.get());
    std::fclose(stream);
  }
  ~Authority() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  Certificate make(CertificateKind kind) const {
    switch (kind) {
      case CertificateKind::good:
        return make_certificate(relay_key.get(), "localhost", certificate.get(), key.get(), false);
      case CertificateKind::expired:
        return make_certificate(relay_key.get(), "localhost", certificate.get(), key.get(), true);
      case CertificateKind::wrong_name:
        return make_certificate(relay_key.get(), "other.example", certificate.get(), key.get(), false);
      case CertificateKind::self_signed:
        return make_certificate(relay_key.get(), "localhost", nullptr, relay_key.get(), false);
    }
    return {};
  }
};

const Authority& authority() {
  static const Authority kAuthority;
  return kAuthority;
}

}  // namespace

const std::filesystem::path& test_ca_file() { return authority().file; }

void use_test_certificate(ssl_ctx_st* context, CertificateKind kind) {
  const Certificate certificate = authority().make(kind);
  SSL_CTX_use_certificate(context, certificate.get());
  SSL_CTX_use_PrivateKey(context, authority().relay_key.get());
}

}  // namespace invited::test
