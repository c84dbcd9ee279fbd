#pragma once

#include "messages/error.hpp"
#include "messages/node.hpp"
#include "runtime/cluster/credential.hpp"
#include "runtime/cluster/membership_file.hpp"
#include "runtime/home/home.hpp"
#include "runtime/tls/identity.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace ao {

/// How a node gets its next certificate while the present one counts:
///
///   node: new key, request --KEPT--> hub: signs --KEPT--> answers
///   node: answer --KEPT--> shows it on a connection of its own: accepted?
///     --> the present ones --KEPT--> new ones in their place --> tells the
///     hub, which from then on knows no other --> the old ones are removed
///
/// Each step finds what the one before has kept, so that it can be repeated
/// after any death. The key never leaves the node's home.

// -- the node's side ----------------------------------------------------------

/// `tls/next.json`.
struct renewal {
  std::string key;
  /// PEM; the same each time it is asked, so that the hub knows it again.
  std::string request;
  /// Empty until the hub has answered.
  std::string certificate;
  std::string credential;
};

/// The one that is under way; absent when none is.
result<std::optional<renewal>> read_renewal(const home& place);

/// Makes key and request, and keeps them. Overwrites what was under way.
result<renewal> begin_renewal(const home& place, const node_name& name);

/// Keeps what the hub has answered. Errors: `internal`, when it has certified
/// another key.
result<renewal> keep_answer(const home& place, renewal x,
                            const std::string& certificate,
                            const std::string& credential);

/// Puts the new identity in the place of the present one, which is kept. What
/// the node is at its hub from then on.
result<node_membership> install_renewal(const home& place, const renewal& x);

/// The hub knows the new one: the old one is removed.
result<void> finish_renewal(const home& place);

/// The hub does not take the new one: the old one is put back.
result<node_membership> undo_renewal(const home& place);

/// Before the first connection: ends an exchange that a death has cut in two.
result<void> settle_renewal(const home& place);

/// Why a node that has been away too long cannot come back by itself, and what
/// mends that; none while its certificate counts.
std::optional<error> expiry_problem(const home& place, const node_name& name,
                                    wall_time now);

// -- the hub's side -----------------------------------------------------------

/// A certificate for the node of the row, which counts `life` from now, and
/// longer than the one that the node has. Errors: `bad_input`, those of
/// OpenSSL.
result<std::string> sign_renewal(const cluster_node& row,
                                 const tls::identity& authority,
                                 const std::string& request, wall_time now,
                                 std::chrono::seconds life);

/// The row once the node has shown this credential of ours: the same when it is
/// of its present certificate, another when it is of a newer one, which counts
/// from then on; none when it is of an older one.
std::optional<cluster_node> with_shown(cluster_node row,
                                       const node_credential& claims);

/// What a person does about a certificate that counts no more.
std::string expiry_text(const node_name& name, wall_time until);

} // namespace ao
