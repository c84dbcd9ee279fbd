#pragma once

#include "runtime/home/home.hpp"
#include "runtime/tls/identity.hpp"

#include <string>
#include <vector>

namespace ao::tls {

/// Where an identity lies below `$AO_HOME/tls`, each file 0600. The hub's home
/// has `ca.pem`, `ca.key`, `hub.pem`, `hub.key`; a node's `ca.pem`, `node.pem`,
/// `node.key`.
struct identity_files {
  std::string authority;
  std::string certificate;
  std::string key;
};

identity_files hub_files(const home& place);
identity_files node_files(const home& place);

/// `ca.key`: in the hub's home alone.
std::string authority_key_file(const home& place);

/// `ao cluster init`: makes authority and hub certificate. The files appear
/// with the authority's certificate last, so that a cluster is initialised
/// wholly or not at all. Errors: `wrong_state` (it is already, the context says
/// what to do), `home_unusable`.
/// @param hosts Names and addresses that nodes reach the hub by.
result<certificate_facts> init_cluster(const home& place,
                                       const std::vector<std::string>& hosts,
                                       wall_time now);

/// The authority with its key. Errors: `cluster_not_initialised`,
/// `home_unusable` (also when others can read a file).
result<identity> read_authority(const home& place);

/// Checks that certificate, key and authority are there, private, belong
/// together and count now. Without them nothing may listen or dial: CAF would
/// do it without asking anybody who he is. Errors: `cluster_not_initialised`
/// for the hub, `node_not_joined` for a node, with the file and the reason.
result<certificate_facts> check_files(const identity_files& files, ec missing,
                                      wall_time now);

} // namespace ao::tls
