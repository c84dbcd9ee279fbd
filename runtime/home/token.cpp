#include "runtime/home/token.hpp"

#include "runtime/home/files.hpp"
#include "runtime/rules/base64url.hpp"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace ao {
namespace {

using nlohmann::json;

constexpr std::string_view prefix = "aot_";
constexpr std::size_t secret_size = 32;

std::string sign(const home_secret& secret, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.bytes.data(), static_cast<int>(secret.bytes.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       digest.data(), &size);
  return std::string{reinterpret_cast<const char*>(digest.data()), size};
}

auto refused(const char* why) {
  return fail(ec::bad_token, std::string{"the token "} + why);
}

result<token_claims> read_claims(const std::string& text) {
  try {
    auto document = json::parse(text);
    token_claims out;
    out.session = session_id{document.at("session").get<std::string>()};
    out.epoch = document.at("epoch").get<epoch_no>();
    out.run = document.at("run").get<run_no>();
    out.role = document.at("role").get<std::string>();
    out.project = project_id{document.at("project").get<std::string>()};
    out.task = task_id{document.at("task").get<std::string>()};
    return out;
  } catch (const json::exception&) {
    return refused("has unknown claims; it was made by another version");
  }
}

/// Checks the file of a secret; it may be missing.
result<bool> has_secret(const std::string& path) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) {
    if (errno == ENOENT)
      return false;
    return fail(ec::home_unusable, path + ": " + std::strerror(errno));
  }
  if (!S_ISREG(there.st_mode) || there.st_uid != ::geteuid()
      || (there.st_mode & 0077) != 0)
    return fail(ec::home_unusable,
                path + ": is not a private file of this user; run: chmod 600 "
                  + path);
  return true;
}

} // namespace

result<home_secret> load_or_make_secret(const home& where) {
  auto path = where.secret();
  auto present = has_secret(path);
  if (!present)
    return fail(present.error());
  if (*present) {
    auto bytes = read_file(path, 4096);
    if (!bytes)
      return fail(bytes.error());
    if (bytes->size() != secret_size)
      return fail(ec::home_unusable,
                  path
                    + ": is damaged; remove it, running agents will have "
                      "to be started again");
    return home_secret{std::move(*bytes)};
  }
  home_secret out{std::string(secret_size, '\0')};
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.bytes.data()),
                 static_cast<int>(secret_size))
      != 1)
    return fail(ec::internal, "the system has no random numbers");
  if (auto written = write_file_durably(path, out.bytes); !written)
    return fail(written.error());
  return out;
}

result<std::string> load_or_make_api_token(const home& where) {
  constexpr std::size_t shortest = 32;
  auto path = where.api_token();
  auto present = has_secret(path);
  if (!present)
    return fail(present.error());
  if (!*present) {
    auto made = make_shared_secret();
    if (auto written = write_file_durably(path, made + "\n"); !written)
      return fail(written.error());
    return made;
  }
  auto bytes = read_file(path, 4096);
  if (!bytes)
    return fail(bytes.error());
  auto token = bytes->substr(0, bytes->find_first_of(" \r\n"));
  if (token.size() < shortest)
    return fail(ec::home_unusable,
                path
                  + ": the token has less than 32 characters; remove the "
                    "file, a new one is made");
  return token;
}

std::string mint_token(const home_secret& secret, const token_claims& claims) {
  json document = {{"session", claims.session.str()},
                   {"epoch", claims.epoch},
                   {"run", claims.run},
                   {"role", claims.role},
                   {"project", claims.project.str()},
                   {"task", claims.task.str()}};
  auto payload = to_base64url(document.dump());
  return std::string{prefix} + payload + "."
    + to_base64url(sign(secret, payload));
}

result<token_claims> verify_token(const home_secret& secret,
                                  std::string_view token) {
  if (token.size() > 4096 || token.substr(0, prefix.size()) != prefix)
    return refused("is missing or not one of ours");
  token.remove_prefix(prefix.size());
  auto dot = token.find('.');
  if (dot == std::string_view::npos)
    return refused("is cut short");
  auto payload = token.substr(0, dot);
  auto signature = from_base64url(token.substr(dot + 1));
  auto text = from_base64url(payload);
  if (secret.bytes.size() != secret_size || !signature || !text
      || !equal_in_constant_time(*signature, sign(secret, payload)))
    return refused("is not signed by this hub");
  return read_claims(*text);
}

} // namespace ao
