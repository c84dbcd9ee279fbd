#include "runtime/actor/network.hpp"

#include "messages/type_ids.hpp"
#include "runtime/actor/compat.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>

#include <chrono>
#include <utility>

namespace ao {

void speak_to_hosts(caf::actor_system_config& config, std::string certificate,
                    std::string key, std::string authority) {
  AO_TYPES(config);
  config.load<caf::io::middleman>();
  config.load<caf::openssl::manager>();
  config.openssl_certificate = std::move(certificate);
  config.openssl_key = std::move(key);
  config.openssl_cafile = std::move(authority);
  config.set(AO_KEY("middleman.app-identifiers"),
             std::vector<std::string>{"ao-cluster-1"});
  // Off unless set; and with only one side set the other notices nothing.
  config.set(AO_KEY("middleman.heartbeat-interval"),
             caf::timespan{std::chrono::seconds{1}});
  config.set(AO_KEY("middleman.connection-timeout"),
             caf::timespan{std::chrono::seconds{5}});
}

} // namespace ao
