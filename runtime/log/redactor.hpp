#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// Takes secrets out of everything that leaves the process as text: logs,
/// events, notifications, prompts. Knows the configured secrets and the
/// shapes of common tokens: `ghp_…` and its kin, `github_pat_…`, `glpat-…`,
/// `sk-…`, `xoxb-…`, `AKIA…`, `Bearer …`, `<digits>:<35 characters>` of
/// Telegram, our own `aot_…`. Immutable; safe from any thread.
class redactor {
public:
  /// What stands in the place of a secret.
  static constexpr std::string_view mark = "***";

  /// @param secrets Configured values; those under four characters are left
  ///        out, they would blot out half of every text.
  explicit redactor(std::vector<std::string> secrets = {});

  /// `text` with every secret replaced by `mark`.
  std::string redact(std::string_view text) const;

private:
  // Longest first, so that one secret inside another leaves no rest.
  std::vector<std::string> secrets_;
};

} // namespace ao
