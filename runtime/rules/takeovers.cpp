#include "runtime/rules/takeovers.hpp"

namespace ao {

std::string takeover_note(const change& c, const session_id& from,
                          const std::vector<std::string>& troubles) {
  constexpr std::size_t sha_shown = 12;
  auto refs = "refs/ao/rescue/" + from.text + " refs/ao/parked/" + from.text;
  auto out = "This work was begun by " + from.text + ", and you go on with it: "
    + c.id.text + " is open. Your worktree is on its branch " + c.branch
    + ", at " + c.head_sha.substr(0, sha_shown)
    + " or what was pushed after it; read what is there (`git log origin/"
    + c.base + "..HEAD`), go on from it, and push the same branch. What "
    + from.text + " had not pushed is kept: `git for-each-ref " + refs
    + "` lists it.\n";
  for (const auto& text : troubles)
    out += "\nWhat is wrong with it:\n\n" + text + "\n";
  return out;
}

} // namespace ao
