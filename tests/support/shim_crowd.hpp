#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace ao {

/// Shims that live and say nothing but hello, played by one thread: each path
/// is answered like the socket of a shim whose agent runs. For numbers of
/// sessions that a machine could not run.
class shim_crowd {
public:
  /// @param directory Where the sockets are, e.g. `run/s` of a home.
  /// @param sessions Their names, which are those of the sockets too.
  shim_crowd(const std::string& directory,
             const std::vector<std::string>& sessions);
  ~shim_crowd();
  shim_crowd(const shim_crowd&) = delete;
  shim_crowd& operator=(const shim_crowd&) = delete;

  /// How many links are open at present.
  std::size_t links() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace ao
