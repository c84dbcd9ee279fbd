#pragma once

#include <cstdint>
#include <filesystem>

namespace ao {

/// A file system of its own at one directory (tmpfs), visible to this process
/// and those that it starts; gone with the object.
class small_disk {
public:
  /// Whether this process may mount; false without root or in a sandbox that
  /// forbids it. The first call gives it a mount namespace of its own.
  static bool allowed();

  small_disk(std::filesystem::path where, std::uint64_t bytes);
  ~small_disk();
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  /// Takes all the room that is left.
  void fill();

  /// Gives it back.
  void free_again();

  /// Mounts it read-only or for writing again; nobody may have a file of it
  /// open for writing.
  void set_read_only(bool yes);

private:
  std::filesystem::path ballast() const { return where_ / ".ballast"; }

  std::filesystem::path where_;
};

} // namespace ao
