#pragma once

namespace ao {

/// What `ao cluster init` does: `ao` itself does not load OpenSSL, as it must
/// start fast. Makes the authority of the home named by the environment, for
/// the hosts that are given, and writes `{"caFingerprint", "certificate"}` or
/// the problem. Returns the exit code.
int run_authority(int count, const char* const* hosts);

} // namespace ao
