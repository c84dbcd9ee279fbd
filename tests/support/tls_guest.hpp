#pragma once

#include "runtime/io/fd.hpp"
#include "runtime/tls/identity.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace ao {

/// A connection to a port of loopback. Throws.
unique_fd dial_loopback(unsigned port);

/// Writes bytes; what the other side does not take is lost.
void say(const unique_fd& to, std::string_view bytes);

/// Waits until the other side has ended the connection, for at most
/// `world::patience`. What it says meanwhile is read.
bool is_cut(const unique_fd& connection);

/// Whether it has done so already.
bool is_cut_already(const unique_fd& connection);

/// The first 32 bytes of BASP as anybody can write them: a client's handshake
/// of this many bytes.
std::string basp_header(std::uint32_t payload);

/// How somebody begins to speak TLS.
struct tls_guest {
  /// The certificate and key that are shown.
  std::optional<tls::identity> shown;
  /// Nothing newer than TLS 1.3 (0x0304) is offered.
  int version = 0x0304;
  /// Said after the handshake.
  std::string words;
};

/// Whether the other side lets this one in: it says something inside TLS. It
/// may take a handshake for good and refuse the certificate after it.
bool is_let_in(unsigned port, const tls_guest& guest);

/// Listens on a port of loopback that is free; `port` is told.
unique_fd listen_on_loopback(unsigned& port);

/// Takes the next one who dials, shows it this identity as a server, and says
/// whether it went on. Fails the test when nobody dials.
bool is_believed(const unique_fd& listener, const tls::identity& shown);

} // namespace ao
