#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace ao::tls {

/// The identity of a cluster: a certificate authority of its own, and one
/// certificate each for the hub and every node. All texts are PEM; keys are of
/// the curve P-256. Nothing here touches a file or a socket.

/// How long the certificate of a node counts where nothing else is configured;
/// renewed at two thirds.
constexpr std::chrono::hours node_certificate_life{24 * 90};

/// A certificate counts from this long before it is made, so that a host whose
/// clock is behind by a day, or was set back by one, is let in all the same.
constexpr std::chrono::hours clock_allowance{48};

/// How long the authority's and the hub's own do.
constexpr std::chrono::hours authority_life{24 * 3650};

/// A certificate and the key that it is for.
struct identity {
  std::string certificate;
  std::string key;
};

/// What is known of a certificate.
struct certificate_facts {
  /// Its common name: `hub`, or the node's.
  std::string name;
  /// Hexadecimal.
  std::string serial;
  wall_time not_before{};
  wall_time not_after{};
  /// Of the whole certificate: SHA-256, 64 hexadecimal digits.
  std::string fingerprint;
};

/// A new authority. Errors: `internal`, when OpenSSL fails.
result<identity> make_authority(wall_time now);

/// The hub's certificate: it may only be shown by who listens.
/// @param hosts Names and addresses that nodes reach it by.
result<identity> make_hub_identity(const identity& authority,
                                   const std::vector<std::string>& hosts,
                                   wall_time now);

/// A new key.
result<std::string> make_key();

/// What a node asks the hub to sign; the key stays where it is.
result<std::string> make_request(const std::string& key,
                                 const std::string& name);

/// Signs a node's request: it may only be shown by who dials. The name in the
/// request does not count. Errors: `bad_input` (not a request, or not signed
/// by its own key).
/// @param from When it is made; it is dated `clock_allowance` before.
/// @param life How long it counts from then on.
result<std::string>
sign_request(const identity& authority, std::string_view request,
             const std::string& name, wall_time from,
             std::chrono::seconds life = node_certificate_life);

/// Reads a certificate. Errors: `bad_input`.
result<certificate_facts> read_certificate(std::string_view pem);

/// When a certificate is to be renewed: two thirds of its life are over.
wall_time renewal_at(const certificate_facts& facts);

/// Whether it is to be renewed now.
bool wants_renewal(const certificate_facts& facts, wall_time now);

/// After a renewal that has failed, and at the longest between two looks.
milliseconds renewal_pause(const certificate_facts& facts);

/// Whether `key` is the key of `certificate`. Errors: `bad_input`.
result<bool> belong_together(const identity& both);

} // namespace ao::tls
