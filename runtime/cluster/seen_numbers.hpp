#pragma once

#include "messages/error.hpp"
#include "messages/orders.hpp"
#include "messages/wire.hpp"
#include "runtime/home/home.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ao {

/// `seen.json` in a node's home: the highest epoch of each task and the last
/// session of each prefix that it was ever ordered to run. It outlives the
/// sessions' own files, and tells a hub whose database was restored from an
/// older backup which numbers it has given already. Thread-safe.
class seen_numbers {
public:
  /// Reads what an earlier life has seen, and what the files of the sessions
  /// say. Errors: a file that cannot be read, as numbers would be forgotten
  /// with it.
  static result<std::shared_ptr<seen_numbers>>
  open(const home& place, const std::vector<msg::session_spec>& known);

  /// Remembers what is new in an order; durable before it returns. Blocks only
  /// then.
  result<void> note(const msg::session_spec& spec);

  /// Whether `note` has something to write.
  bool is_new(const msg::session_spec& spec) const;

  std::vector<msg::seen_number> epochs() const;
  std::vector<msg::seen_number> sessions() const;

  /// All of it, at most `most` numbers in each part.
  std::vector<msg::seen_part> parts(std::size_t most = msg::most_seen) const;

private:
  using numbers = std::map<std::string, std::uint64_t>;

  explicit seen_numbers(std::string path) : path_(std::move(path)) {}

  /// Whether one of the two was higher than what is known.
  static bool take_in(const msg::session_spec& spec, numbers& epochs,
                      numbers& sessions);

  std::string path_;
  mutable std::mutex mutex_;
  numbers epochs_;
  numbers sessions_;
};

} // namespace ao
