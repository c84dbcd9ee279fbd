#pragma once

#include "runtime/io/loop.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"
#include "runtime/process/process_table.hpp"
#include "runtime/shim/link.hpp"
#include "runtime/shim/protocol.hpp"
#include "tests/support/places.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <optional>

namespace ao {

/// Longest wait for something that happens at once on an idle machine.
constexpr milliseconds patience{30'000};

/// What one link told, to be waited for.
class link_events {
public:
  shim_link::handlers handlers() {
    shim_link::handlers on;
    on.on_hello = [this](const shim_hello& h) { note([&] { hello_ = h; }); };
    on.on_exited = [this](const exit_report& r) { note([&] { exited_ = r; }); };
    on.on_closed
      = [this](link_end e, const std::string&) { note([&] { closed_ = e; }); };
    return on;
  }

  std::optional<shim_hello> hello() { return wait(hello_); }
  std::optional<exit_report> exited() { return wait(exited_); }
  std::optional<link_end> closed() { return wait(closed_); }

private:
  template <class F>
  void note(F change) {
    std::lock_guard guard{mutex_};
    change();
    changed_.notify_all();
  }

  template <class T>
  std::optional<T> wait(std::optional<T>& what) {
    std::unique_lock guard{mutex_};
    changed_.wait_for(guard, patience, [&] { return what || closed_; });
    return what;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<shim_hello> hello_;
  std::optional<exit_report> exited_;
  std::optional<link_end> closed_;
};

/// A private directory, a mark and a launch of a shell script.
class shim_fixture : public testing::Test {
protected:
  shim_fixture() {
    char dir[] = "/tmp/ao-test-XXXXXX";
    EXPECT_NE(mkdtemp(dir), nullptr);
    dir_ = dir;
    launch_.session = session_id{"app-1"};
    launch_.epoch = 7;
    launch_.run = 2;
    launch_.mark = make_ulid();
    launch_.socket = dir_ + "/s";
    launch_.cwd = dir_;
    launch_.env = {{"PATH", "/usr/bin:/bin"}, {"LANG", "C.UTF-8"}};
    launch_.grace = milliseconds{2000};
  }

  ~shim_fixture() override {
    auto ended = end_marked(launch_.mark, milliseconds{0});
    EXPECT_TRUE(ended) << to_string(ended.error());
    std::filesystem::remove_all(dir_);
  }

  /// The launch of `script` by a shell, written.
  void write(const std::string& script) {
    launch_.argv = {"/bin/sh", "-c", script};
    write_as_is();
  }

  void write_as_is() {
    auto ok = write_launch(dir_, launch_);
    ASSERT_TRUE(ok) << to_string(ok.error());
  }

  /// As for CI: no tty, output to a file.
  void without_pane() {
    launch_.in = shim_stdin::null;
    launch_.out = shim_output::file;
    launch_.out_path = dir_ + "/log";
  }

  static std::string shim_program() { return program_path("ao-shim"); }

  child start_shim() {
    process_spec spec;
    spec.argv = {shim_program(), dir_};
    spec.env = {"PATH=/usr/bin:/bin"};
    spec.out = child_output::null();
    spec.err = child_output::capture();
    auto made = spawn(spec);
    EXPECT_TRUE(made) << to_string(made.error());
    return std::move(*made);
  }

  /// Waits for the shim and returns its exit code.
  static std::optional<int> end_of(child& shim) {
    EXPECT_TRUE(wait_ended(shim.pidfd.get(), patience));
    auto status = reap(shim.pidfd.get());
    return status ? status->code : std::nullopt;
  }

  exit_report report() {
    auto r = read_exit(dir_, launch_.run);
    EXPECT_TRUE(r) << to_string(r.error());
    EXPECT_TRUE(r && *r) << "no exit file";
    return r && *r ? **r : exit_report{};
  }

  std::string content(const std::string& path) {
    auto bytes = read_whole_file(path, 64u << 20);
    EXPECT_TRUE(bytes) << to_string(bytes.error());
    return bytes.value_or("");
  }

  /// Returns when the script has opened the fifo `name` for writing and
  /// written a line there: "I am ready" without polling.
  void make_fifo(const std::string& name) {
    ASSERT_EQ(mkfifo((dir_ + "/" + name).c_str(), 0600), 0);
  }
  std::string read_fifo(const std::string& name) {
    return content(dir_ + "/" + name);
  }

  std::string dir_;
  launch_spec launch_;
};

} // namespace ao
