#pragma once

#include "messages/error.hpp"
#include "runtime/home/home.hpp"
#include "runtime/rules/retention.hpp"

#include <set>
#include <string>
#include <vector>

namespace ao {

/// The logs of a home: each file below `logs/`, each run's directory below
/// `ci/`. Those of which nothing can be learned are left out.
/// @param busy Directories of runs that have not ended.
std::vector<kept_log> find_logs(const home& place,
                                const std::set<std::string>& busy);

/// Removes files and directories below the home, and what is empty then in
/// `ci/`; never follows a link. Says how many are gone.
/// Errors: `home_unusable` with the first that could not be removed, after all
/// were tried.
result<std::uint64_t> remove_kept(const home& place,
                                  const std::vector<std::string>& paths);

} // namespace ao
