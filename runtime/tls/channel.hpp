#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/tls/files.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ao::tls {

/// How long one conversation at the door may take, from the first byte to the
/// last.
constexpr milliseconds conversation_limit{10'000};

/// The longest line that is said there.
constexpr std::size_t longest_line = 64 * 1024;

/// What a dialling node has said, and where from (`127.0.0.1:4711`).
struct spoken {
  std::string line;
  std::string from;
};

/// The door of a cluster at `cluster.listen`: whoever dials shows no
/// certificate, says one line over TLS 1.3 and gets one. This is how a node
/// joins; everything else goes over the link, where everybody shows one.
/// Strangers cost a thread each for at most `conversation_limit`. Of those who
/// say nothing 32 at a time are borne; for one more the oldest is cut.
class door {
public:
  /// Answers a line; may block.
  using answerer = std::function<std::string(const spoken&)>;

  /// Listens. Errors: those of `check_files`; `bad_input`, when the address
  /// cannot be used.
  /// @param address Numeric, or `localhost`.
  /// @param port 0 = any that is free.
  static result<door> open(const identity_files& files,
                           const std::string& address, std::uint16_t port,
                           answerer answer);

  /// Closes, and waits for the conversations under way.
  ~door();
  door(door&&) noexcept;
  door& operator=(door&&) noexcept;

  std::uint16_t port() const;

private:
  struct impl;
  explicit door(std::unique_ptr<impl> x);
  std::unique_ptr<impl> impl_;
};

/// What a door has answered.
struct heard {
  std::string line;
  /// The authority's certificate, whose fingerprint was asked for. PEM.
  std::string authority;
};

/// Dials a door, says a line, and takes the answer. Nothing is said before the
/// other side has proven that an authority of this fingerprint vouches for it.
/// Errors: `token_foreign` (another authority, or none), `not_reachable`,
/// `timed_out`, `protocol_mismatch` (it speaks no TLS 1.3). The process must
/// ignore SIGPIPE.
result<heard> ask_door(const std::string& host, std::uint16_t port,
                       const std::string& fingerprint, std::string_view line,
                       milliseconds limit = conversation_limit);

/// Whether somebody takes a connection there; it is closed again, and nothing
/// is said. For whoever connects next by means that cannot be given a limit.
/// Errors: `not_reachable`.
result<void> knock(const std::string& host, std::uint16_t port,
                   milliseconds limit);

/// `host:port`, also `[::1]:port`. Errors: `bad_input`.
struct address {
  std::string host;
  std::uint16_t port = 0;
};
result<address> parse_address(const std::string& text);

/// Dials a link, shows a certificate, and hangs up when the other side has
/// accepted it, which a hub does by speaking first. Errors: `not_reachable`,
/// `timed_out`; `bad_token`, when it was shown the door.
/// @param authority Who must vouch for the other side. PEM.
result<void> prove_identity(const address& link, const identity& own,
                            const std::string& authority,
                            milliseconds limit = conversation_limit);

/// From now on nothing of OpenSSL in this process speaks less than TLS 1.3
/// unless it says so itself: CAF has no setting for it. Errors: `internal`,
/// `home_unusable`.
/// @param place Its `tls/openssl.cnf` is written.
result<void> require_tls_1_3(const home& place);

} // namespace ao::tls
