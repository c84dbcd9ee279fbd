#pragma once

#include "messages/store.hpp"
#include "runtime/store/store.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace ao::test {

/// A directory of our own that goes with the object.
class private_directory {
public:
  private_directory() {
    auto pattern
      = (std::filesystem::temp_directory_path() / "ao-store-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error("mkdtemp " + pattern);
    path_ = pattern;
  }
  ~private_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  private_directory(const private_directory&) = delete;
  private_directory& operator=(const private_directory&) = delete;

  std::string operator/(const std::string& name) const {
    return (path_ / name).string();
  }

private:
  std::filesystem::path path_;
};

inline task task_row(const std::string& id, std::uint64_t version,
                     const std::string& title = "a task") {
  task x;
  x.id.text = id;
  x.key = "app/task:" + id;
  x.project.text = "app";
  x.version = version;
  x.title = title;
  return x;
}

inline claim claim_row(const std::string& subject, std::uint64_t version,
                       epoch_no epoch, bool held) {
  claim x;
  x.subject = subject;
  x.version = version;
  x.epoch = epoch;
  x.held = held;
  x.node.text = "local";
  return x;
}

inline event event_of(const std::string& subject,
                      event_kind kind = event_kind::task_added) {
  event x;
  x.at = wall_time{milliseconds{1'795'464'000'123}};
  x.subject = subject;
  x.kind = kind;
  x.actor = "registry";
  return x;
}

inline store_write write_of(std::vector<row> rows,
                            std::vector<event> events = {}) {
  store_write w;
  w.rows = std::move(rows);
  w.events = std::move(events);
  return w;
}

/// Opens or fails the test.
inline store opened(const std::string& path, open_options options = {}) {
  auto x = store::open(path, std::move(options));
  if (!x)
    throw std::runtime_error(to_string(x.error()));
  return std::move(*x);
}

/// Commits one write.
inline result<store_written> commit_one(store& s, store_write w) {
  return s.commit({std::move(w)}).at(0);
}

} // namespace ao::test
