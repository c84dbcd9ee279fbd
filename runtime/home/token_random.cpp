// What of token.hpp needs no OpenSSL, apart from what does: `ao` uses it, and
// to load libcrypto takes longer than most of its commands.
#include "runtime/home/token.hpp"
#include "runtime/rules/base64url.hpp"

#include <sys/random.h>

#include <cerrno>
#include <stdexcept>

namespace ao {
namespace {

std::string random_bytes(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t done = 0; done < size;) {
    auto n = ::getrandom(out.data() + done, size - done, 0);
    if (n < 0 && errno != EINTR)
      throw std::runtime_error("the system has no random numbers");
    if (n > 0)
      done += static_cast<std::size_t>(n);
  }
  return out;
}

} // namespace

std::string make_code() {
  // 31 of them: 2^39 codes; the rest of a byte's range is thrown again.
  constexpr std::string_view letters = "ABCDEFGHJKMNPQRSTUVWXYZ23456789";
  constexpr std::size_t length = 8;
  std::string out;
  while (out.size() < length) {
    auto byte = static_cast<unsigned char>(random_bytes(1)[0]);
    if (byte < 256 / letters.size() * letters.size())
      out += letters[byte % letters.size()];
  }
  return out;
}

std::string make_shared_secret() {
  return to_base64url(random_bytes(32));
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size())
    return false;
  // Volatile, so that no compiler ends the loop early.
  volatile unsigned char differ = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    differ = static_cast<unsigned char>(differ | (a[i] ^ b[i]));
  return differ == 0;
}

} // namespace ao
