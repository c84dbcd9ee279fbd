#pragma once

#include "messages/settings.hpp"
#include "runtime/notify/outcome.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"

/// The desktop of the person at this host, by `notify-send`.
namespace ao::notify {

/// The program and its arguments; the text is one of them.
process_spec desktop_process(const notification& n, const environment& env);

/// `accepted` when it exits with 0; refused when it is not installed,
/// unusable when there is no desktop to show it.
send_outcome read_desktop(const notification& n, const result<finished>& ended);

} // namespace ao::notify
