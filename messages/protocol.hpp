#pragma once

#include <cstdint>

namespace ao {

/// Versions of everything that two processes say to each other. Each side
/// sends its own first and refuses a different major one by name
/// (`protocol_mismatch`), so that a half-upgraded installation says so.

/// `launch.json`, written by the runner, read by `ao-shim`.
constexpr std::uint32_t launch_protocol = 1;
/// The hello on a shim's socket.
constexpr std::uint32_t shim_protocol = 1;
/// The hello of a node to its hub.
constexpr std::uint32_t node_protocol = 1;
/// The HTTP API (`/api/v1`), header `Ao-Api-Version`.
constexpr std::uint32_t api_protocol = 1;

} // namespace ao
