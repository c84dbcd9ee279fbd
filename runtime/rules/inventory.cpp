#include "runtime/rules/inventory.hpp"

namespace ao {
namespace {

std::string parts_of(const found_session& f) {
  std::string out;
  const std::pair<bool, const char*> parts[] = {{f.pane, "pane"},
                                                {f.shim, "shim"},
                                                {f.worktree, "worktree"},
                                                {f.directory, "directory"}};
  for (const auto& [there, name] : parts)
    if (there)
      out += (out.empty() ? "" : ", ") + std::string{name};
  return out;
}

} // namespace

std::vector<finding> settle_inventory(
  const std::vector<found_session>& found,
  const std::function<std::optional<session>(const session_id&)>& row_of) {
  std::vector<finding> out;
  for (const auto& f : found) {
    auto row = row_of(f.session);
    auto lives = f.pane || f.shim;
    if (!row) {
      // The files of a session whose row was pruned are kept on purpose.
      if (lives || f.worktree)
        out.push_back({finding_kind::foreign, f.session, parts_of(f)});
    } else if (is_terminal(*row) && lives) {
      out.push_back({finding_kind::ghost, f.session, parts_of(f)});
    }
  }
  return out;
}

} // namespace ao
