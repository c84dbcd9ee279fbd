#include "runtime/tls/identity.hpp"

#include "runtime/tls/openssl_ptr.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <memory>
#include <utility>

namespace ao::tls {
namespace {

constexpr long version_3 = 2;
constexpr int serial_bits = 127;

/// Also empties OpenSSL's queue of errors.
auto failed(const char* what) {
  std::array<char, 256> text{};
  auto code = ERR_get_error();
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return fail(ec::internal,
              std::string{what} + " failed"
                + (code == 0 ? "" : std::string{": "} + text.data()));
}

std::string written(BIO* bio) {
  char* data = nullptr;
  auto size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size))
                  : std::string{};
}

cert_ptr read_cert(std::string_view pem) {
  auto bio = reading(pem);
  return cert_ptr{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
}

key_ptr read_key(std::string_view pem) {
  auto bio = reading(pem);
  return key_ptr{PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr)};
}

std::string to_pem(X509* cert) {
  bio_ptr bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(bio.get(), cert);
  return written(bio.get());
}

std::string to_pem(EVP_PKEY* key) {
  bio_ptr bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr,
                           nullptr);
  return written(bio.get());
}

std::string to_hex(const unsigned char* bytes, std::size_t size) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    out += digits[bytes[i] >> 4];
    out += digits[bytes[i] & 15];
  }
  return out;
}

bool set_name(X509_NAME* name, const std::string& common) {
  const auto* text = reinterpret_cast<const unsigned char*>(common.data());
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text,
                                    static_cast<int>(common.size()), -1, 0)
    == 1;
}

/// Its serial is random, so that two authorities of one name never agree.
bool set_serial(X509* cert) {
  number_ptr number{BN_new()};
  return number
    && BN_rand(number.get(), serial_bits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY)
    == 1
    && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(cert)) != nullptr;
}

bool set_life(X509* cert, wall_time from, wall_time to) {
  auto seconds
    = [](wall_time t) { return std::chrono::system_clock::to_time_t(t); };
  return ASN1_TIME_set(X509_getm_notBefore(cert), seconds(from)) != nullptr
    && ASN1_TIME_set(X509_getm_notAfter(cert), seconds(to)) != nullptr;
}

bool extend(X509* cert, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  extension_ptr extension{
    X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str())};
  return extension && X509_add_ext(cert, extension.get(), -1) == 1;
}

/// What a certificate is made of.
struct plan {
  std::string name;
  wall_time from;
  wall_time to;
  std::vector<std::pair<int, std::string>> extensions;
};

/// @param issuer Null for one that signs itself.
result<std::string> make_certificate(const plan& what, EVP_PKEY* subject_key,
                                     X509* issuer, EVP_PKEY* issuer_key) {
  cert_ptr cert{X509_new()};
  if (!cert || X509_set_version(cert.get(), version_3) != 1
      || !set_serial(cert.get()) || !set_life(cert.get(), what.from, what.to)
      || !set_name(X509_get_subject_name(cert.get()), what.name)
      || X509_set_pubkey(cert.get(), subject_key) != 1)
    return failed("making a certificate");
  auto* signer = issuer != nullptr ? issuer : cert.get();
  if (X509_set_issuer_name(cert.get(), X509_get_subject_name(signer)) != 1)
    return failed("naming the issuer");
  for (const auto& [id, value] : what.extensions)
    if (!extend(cert.get(), signer, id, value))
      return failed("extending a certificate");
  if (X509_sign(cert.get(), issuer_key, EVP_sha256()) == 0)
    return failed("signing a certificate");
  return to_pem(cert.get());
}

/// `IP:127.0.0.1`, `DNS:hub.example.org`.
std::string alternative_names(const std::vector<std::string>& hosts) {
  std::string out;
  for (const auto& host : hosts) {
    auto numeric = host.find_first_not_of("0123456789.") == std::string::npos
      || host.find(':') != std::string::npos;
    out += (out.empty() ? "" : ",") + std::string{numeric ? "IP:" : "DNS:"}
      + host;
  }
  return out;
}

result<wall_time> time_of(const ASN1_TIME* t) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(t, &parts) != 1)
    return failed("reading the time of a certificate");
  return std::chrono::time_point_cast<milliseconds>(
    std::chrono::system_clock::from_time_t(::timegm(&parts)));
}

std::string serial_of(X509* cert) {
  number_ptr number{ASN1_INTEGER_to_BN(X509_get_serialNumber(cert), nullptr)};
  if (!number)
    return {};
  std::vector<unsigned char> bytes(
    static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  return to_hex(bytes.data(), bytes.size());
}

std::string name_of(X509* cert) {
  std::array<char, 256> text{};
  auto size
    = X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName,
                                text.data(), static_cast<int>(text.size()));
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size))
                  : std::string{};
}

} // namespace

result<std::string> make_key() {
  key_ptr key{EVP_EC_gen("P-256")};
  if (!key)
    return failed("making a key");
  return to_pem(key.get());
}

result<identity> make_authority(wall_time now) {
  auto key = make_key();
  if (!key)
    return fail(key.error());
  auto own = read_key(*key);
  // Its name is its own, so that nobody takes it for another one's.
  std::array<unsigned char, 8> mark{};
  if (!own || RAND_bytes(mark.data(), static_cast<int>(mark.size())) != 1)
    return failed("making an authority");
  plan what{"ao cluster " + to_hex(mark.data(), mark.size()),
            now - clock_allowance,
            now + authority_life,
            {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
             {NID_key_usage, "critical,keyCertSign,cRLSign"},
             {NID_subject_key_identifier, "hash"}}};
  auto cert = make_certificate(what, own.get(), nullptr, own.get());
  if (!cert)
    return fail(cert.error());
  return identity{std::move(*cert), std::move(*key)};
}

result<identity> make_hub_identity(const identity& authority,
                                   const std::vector<std::string>& hosts,
                                   wall_time now) {
  auto issuer = read_cert(authority.certificate);
  auto issuer_key = read_key(authority.key);
  if (!issuer || !issuer_key)
    return failed("reading the authority");
  auto key = make_key();
  if (!key)
    return fail(key.error());
  auto own = read_key(*key);
  plan what{"hub",
            now - clock_allowance,
            now + authority_life,
            {{NID_basic_constraints, "critical,CA:FALSE"},
             {NID_key_usage, "critical,digitalSignature"},
             {NID_ext_key_usage, "serverAuth"}}};
  if (!hosts.empty())
    what.extensions.emplace_back(NID_subject_alt_name,
                                 alternative_names(hosts));
  auto cert = make_certificate(what, own.get(), issuer.get(), issuer_key.get());
  if (!cert)
    return fail(cert.error());
  return identity{std::move(*cert), std::move(*key)};
}

result<std::string> make_request(const std::string& key,
                                 const std::string& name) {
  auto own = read_key(key);
  request_ptr request{X509_REQ_new()};
  if (!own || !request
      || !set_name(X509_REQ_get_subject_name(request.get()), name)
      || X509_REQ_set_pubkey(request.get(), own.get()) != 1
      || X509_REQ_sign(request.get(), own.get(), EVP_sha256()) == 0)
    return failed("making a request for a certificate");
  bio_ptr bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509_REQ(bio.get(), request.get());
  return written(bio.get());
}

result<std::string> sign_request(const identity& authority,
                                 std::string_view request,
                                 const std::string& name, wall_time from,
                                 std::chrono::seconds life) {
  auto issuer = read_cert(authority.certificate);
  auto issuer_key = read_key(authority.key);
  if (!issuer || !issuer_key)
    return failed("reading the authority");
  auto bio = reading(request);
  request_ptr asked{
    PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr)};
  auto* key = asked ? X509_REQ_get0_pubkey(asked.get()) : nullptr;
  if (key == nullptr || X509_REQ_verify(asked.get(), key) != 1) {
    ERR_clear_error();
    return fail(ec::bad_input,
                "the request for a certificate is damaged or not signed by "
                "its own key");
  }
  plan what{name,
            from - clock_allowance,
            from + life,
            {{NID_basic_constraints, "critical,CA:FALSE"},
             {NID_key_usage, "critical,digitalSignature"},
             {NID_ext_key_usage, "clientAuth"}}};
  return make_certificate(what, key, issuer.get(), issuer_key.get());
}

result<certificate_facts> read_certificate(std::string_view pem) {
  auto cert = read_cert(pem);
  if (!cert) {
    ERR_clear_error();
    return fail(ec::bad_input, "this is not a certificate");
  }
  certificate_facts out;
  out.name = name_of(cert.get());
  out.serial = serial_of(cert.get());
  auto from = time_of(X509_get0_notBefore(cert.get()));
  auto to = time_of(X509_get0_notAfter(cert.get()));
  if (!from || !to)
    return fail((from ? to : from).error());
  out.not_before = *from;
  out.not_after = *to;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (X509_digest(cert.get(), EVP_sha256(), digest.data(), &size) != 1)
    return failed("digesting a certificate");
  out.fingerprint = to_hex(digest.data(), size);
  return out;
}

wall_time renewal_at(const certificate_facts& facts) {
  auto from = facts.not_before + clock_allowance;
  return from + (facts.not_after - from) / 3 * 2;
}

bool wants_renewal(const certificate_facts& facts, wall_time now) {
  return now >= renewal_at(facts);
}

milliseconds renewal_pause(const certificate_facts& facts) {
  constexpr int tries_in_a_life = 30;
  auto life = facts.not_after - facts.not_before - clock_allowance;
  return std::clamp<milliseconds>(
    life / tries_in_a_life, std::chrono::seconds{1}, std::chrono::hours{1});
}

result<bool> belong_together(const identity& both) {
  auto cert = read_cert(both.certificate);
  auto key = read_key(both.key);
  if (!cert || !key) {
    ERR_clear_error();
    return fail(ec::bad_input, "the certificate or its key cannot be read");
  }
  auto yes = X509_check_private_key(cert.get(), key.get()) == 1;
  ERR_clear_error();
  return yes;
}

} // namespace ao::tls
