#pragma once

namespace ao {

/// The request by which `ao` looks at a gateway: `ao` itself does not load
/// libcurl, as it must start fast. Reads `{"url", "token"}` from standard
/// input, so that the token is in no list of processes, and writes
/// `{"status", "body", "failure", "retryAfter"}`. Returns the exit code.
int run_probe();

} // namespace ao
