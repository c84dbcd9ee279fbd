#pragma once

#include <sqlite3.h>

#include <atomic>
#include <string>

namespace ao::test {

/// A SQLite VFS that is the default one until its plan says otherwise. Lives
/// under its own name as long as the object does; close all databases first.
class failing_vfs {
public:
  enum class call { write, sync };

  failing_vfs();
  ~failing_vfs();
  failing_vfs(const failing_vfs&) = delete;
  failing_vfs& operator=(const failing_vfs&) = delete;

  /// The name to open databases with.
  const std::string& name() const { return name_; }

  /// From now on the n-th call (1 = the next) of this kind fails with `code`;
  /// so do all after it when `forever`. A failed write writes half.
  void fail_at(call what, int n, int code, bool forever = false);

  /// Nothing fails any more.
  void heal();

  /// Calls of this kind since the plan was made.
  int calls(call what) const;

  /// True when a call has failed since the plan was made.
  bool has_failed() const { return failed_; }

  /// What the shim asks at each call; SQLITE_OK = go on.
  int verdict(call what);

private:
  std::string name_;
  sqlite3_vfs vfs_{};
  std::atomic<int> counts_[2]{};
  std::atomic<int> at_[2]{};
  std::atomic<int> code_{SQLITE_OK};
  std::atomic<bool> forever_{false};
  std::atomic<bool> failed_{false};
};

} // namespace ao::test
