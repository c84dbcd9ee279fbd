#pragma once

#include "messages/error.hpp"
#include "runtime/tls/strangers.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/fwd.hpp>

#include <cstdint>
#include <memory>
#include <set>
#include <string>

namespace ao {

/// How long a TLS handshake at the link may take.
constexpr milliseconds handshake_limit{10'000};

/// How many may be unfinished at a time.
constexpr std::size_t most_handshakes = 256;

/// Opens a port of an actor for hosts, as `caf::openssl::publish` does, and
/// heeds what that does not (CAF.md §3e): a connection that says nothing there
/// keeps a core busy and is never closed, and one that comes when no file can
/// be opened ends the process. Here it costs its memory for at most
/// `handshake_limit`. Errors: `bad_input`, when the address cannot be used.
/// @param whom The actor; the broker keeps it alive.
/// @param interface Its messages, as `system.message_types` names them.
/// @param port 0 = any that is free.
/// @param waiting Told of each connection; its owner has to `sweep`.
/// @returns The port.
result<std::uint16_t>
open_link_port(caf::actor_system& system, caf::strong_actor_ptr whom,
               std::set<std::string> interface, const std::string& host,
               std::uint16_t port, std::shared_ptr<tls::strangers> waiting);

/// Closes it; safe where it is closed.
void close_link_port(caf::actor_system& system, const caf::actor_addr& whom,
                     std::uint16_t port);

} // namespace ao
