#pragma once

#include <caf/fwd.hpp>

#include <string>

namespace ao {

/// Has an actor system speak to those on other hosts: BASP inside mutual TLS,
/// and only there, with these three files, which must have been checked
/// (`tls::check_files`): without them CAF would speak to everybody. Nothing is
/// registered for remote spawning. Dead connections are closed after 5 s; who
/// is a member is ours to say, see runtime/rules/membership.hpp.
void speak_to_hosts(caf::actor_system_config& config, std::string certificate,
                    std::string key, std::string authority);

} // namespace ao
