#pragma once

#include "messages/settings.hpp"
#include "runtime/notify/gateway_file.hpp"

#include <optional>
#include <string>
#include <vector>

/// What `ao setup openclaw` decides: pure functions of what it has found.
namespace ao::notify {

/// Which priorities go to the gateway.
enum class routing_preset { urgent_only, urgent_action, all };

/// `urgent-only`, `urgent-action` or `all`. Errors: `bad_input`.
result<routing_preset> parse_preset(const std::string& word);

/// The address of the hooks that `given` means: what has no path gets
/// `<hooks_path>/agent`. Errors: `bad_input` for what is no address, for http
/// beyond loopback, and for a query, which a gateway refuses.
result<std::string> hook_url(const std::string& given,
                             const std::string& hooks_path);

/// Where the token is from, the first of them that is known.
enum class token_source {
  none,
  /// `--token`
  flag,
  /// `token:` of the notifier
  configuration,
  /// `OPENCLAW_HOOKS_TOKEN`
  environment,
  /// `hooks.token` of the gateway on this host
  gateway,
  /// Nobody had one.
  generated,
};

std::string to_string(token_source from);

/// The notifier of the gateway: its id, `openclaw` for a new one.
/// Errors: `bad_input` when several could be meant.
result<std::string> notifier_of_gateway(const settings& now);

/// What is written for the notifier.
struct openclaw_entry {
  std::string id = "openclaw";
  std::string url;
  enum class token_key {
    /// As it is written, or absent.
    as_it_is,
    /// Absent: the notifier finds the gateway's own.
    absent,
    /// `${OPENCLAW_HOOKS_TOKEN}`
    from_environment,
  } token
    = token_key::as_it_is;
  routing_preset preset = routing_preset::urgent_action;
};

/// The notifiers of a priority as they are to be: those of now without the
/// gateway, and the gateway where the preset says so.
std::vector<std::string> routed(const settings& now,
                                const openclaw_entry& entry, priority p);

/// The configuration with the entry, a default and a route of each priority;
/// the text itself when it has all of that. Errors: those of `put_yaml_text`.
result<std::string> with_openclaw(const std::string& yaml, const settings& now,
                                  const openclaw_entry& entry);

/// The same as lines for a person who writes them by hand.
std::vector<std::string> openclaw_lines(const settings& now,
                                        const openclaw_entry& entry);

} // namespace ao::notify
