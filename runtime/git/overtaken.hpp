#pragma once

#include "runtime/git/git.hpp"

#include <string>

namespace ao {

/// Whether a `git push --porcelain` failed because another push moved the same
/// ref: it was ahead before the other side told its refs, or after. Our own may
/// be under way twice: that of a hub that was killed, or of a connection that
/// was cut, goes on. What a hook has declined is not that.
inline bool was_overtaken(const git_end& end) {
  auto says = [&end](const char* sign) {
    return end.out.find(sign) != std::string::npos;
  };
  return end.code != 0
    && (says("stale info")
        || (says("[remote rejected]") && !says("hook declined")));
}

} // namespace ao
