#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

namespace ao::tls {

/// Owners of OpenSSL's objects.
template <auto Free>
struct freer {
  template <class T>
  void operator()(T* x) const {
    Free(x);
  }
};

using bio_ptr = std::unique_ptr<BIO, freer<BIO_free_all>>;
using cert_ptr = std::unique_ptr<X509, freer<X509_free>>;
using context_ptr = std::unique_ptr<SSL_CTX, freer<SSL_CTX_free>>;
using extension_ptr
  = std::unique_ptr<X509_EXTENSION, freer<X509_EXTENSION_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freer<EVP_PKEY_free>>;
using number_ptr = std::unique_ptr<BIGNUM, freer<BN_free>>;
using request_ptr = std::unique_ptr<X509_REQ, freer<X509_REQ_free>>;
using ssl_ptr = std::unique_ptr<SSL, freer<SSL_free>>;
using store_ptr = std::unique_ptr<X509_STORE, freer<X509_STORE_free>>;
using verify_ptr = std::unique_ptr<X509_STORE_CTX, freer<X509_STORE_CTX_free>>;

/// Reads `text`, which has to live as long.
inline bio_ptr reading(std::string_view text) {
  return bio_ptr{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

} // namespace ao::tls
