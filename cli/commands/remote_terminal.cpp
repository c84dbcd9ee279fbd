#include "cli/commands/remote_terminal.hpp"

#include "cli/commands/common.hpp"
#include "cli/commands/raw_terminal.hpp"
#include "runtime/io/stop_signal.hpp"
#include "runtime/rules/base64url.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <thread>
#include <utility>

namespace ao::cli {
namespace {

using nlohmann::json;

/// The hub waits no longer for the node.
constexpr milliseconds step_limit{15'000};
/// Of saying that we leave; the node finds it out itself, only later.
constexpr milliseconds close_limit{3'000};
constexpr std::size_t longest_input = 16 * 1024;

/// What a tmux client that was cut off has not undone: its screen, cursor,
/// keys, mouse, paste and title.
constexpr std::string_view undo_screen
  = "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1004l"
    "\x1b[?2004l\x1b[?1l\x1b>\x1b(B\x1b[m\x1b[?7h\x1b[?25h\x1b[r\x1b[?1049l"
    "\x1b[23;0;0t";

/// Has the signals that would end us, or tell of the window, come as bytes.
class held_signals {
public:
  held_signals() {
    sigset_t wanted;
    sigemptyset(&wanted);
    for (auto one : {SIGWINCH, SIGINT, SIGTERM, SIGHUP, SIGQUIT})
      sigaddset(&wanted, one);
    pthread_sigmask(SIG_BLOCK, &wanted, &before_);
    fd_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  ~held_signals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  held_signals(const held_signals&) = delete;
  held_signals& operator=(const held_signals&) = delete;

  int descriptor() const { return fd_.get(); }

  /// The next one; 0 = none.
  int take() const {
    signalfd_siginfo one{};
    auto n = ::read(fd_.get(), &one, sizeof one);
    return n == sizeof one ? static_cast<int>(one.ssi_signo) : 0;
  }

private:
  sigset_t before_{};
  unique_fd fd_;
};

/// `{columns, rows}` of the user's window, nothing where it has none.
json window() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0
      || size.ws_row == 0)
    return json::object();
  return {{"columns", size.ws_col}, {"rows", size.ws_row}};
}

bool show(std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd room{STDOUT_FILENO, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

/// One attachment: a thread of its own shows what comes, the caller's sends
/// what is typed.
class remote_look {
public:
  remote_look(const http::api_client& api, std::string target)
      : api_(api), target_(std::move(target)) {}

  ~remote_look() {
    left_ = true;
    if (reader_.joinable())
      reader_.join();
  }
  remote_look(const remote_look&) = delete;
  remote_look& operator=(const remote_look&) = delete;

  /// Until either side ends it; what came of that, where the reader knows it:
  /// see `end`. A signal that ends us is a value, too.
  outcome serve(const held_signals& signals) {
    reader_ = std::thread{[this] { show_all(); }};
    auto out = send_all(signals);
    left_ = true;
    return out;
  }

  /// Has the node end it, unless it has ended, and waits for the reader. None
  /// when it has not seen the end of the client.
  std::optional<outcome> end() {
    if (!gone_.raised())
      // Without an answer it ends there as nothing is wanted of it any more.
      (void)api_.call("POST", target_ + "/close", json::object(), {},
                      close_limit);
    reader_.join();
    return std::move(end_);
  }

  /// Whether something was shown that nobody has undone.
  bool was_cut() const { return shown_ && !ended_; }

private:
  void show_all() {
    try {
      end_ = show_parts();
    } catch (const std::exception& e) {
      // Not JSON as the hub writes it.
      end_ = fail(ec::protocol_mismatch, e.what());
    }
    gone_.raise();
  }

  std::optional<outcome> show_parts() {
    for (std::uint64_t offset = 0;;) {
      auto part
        = api_.call("GET", target_ + "?offset=" + std::to_string(offset),
                    nullptr, {}, step_limit);
      if (left_)
        return std::nullopt;
      if (!part)
        return fail(part.error());
      auto bytes = from_base64url(text_at(part->body, "output"));
      if (!bytes)
        return fail(ec::protocol_mismatch, "output: expected base64url");
      shown_ = shown_ || !bytes->empty();
      if (!show(*bytes))
        return fail(ec::process_failed, errno_text("cannot write"));
      offset = part->body.value("next", offset);
      if (!part->body.value("ended", false))
        continue;
      ended_ = true;
      return part->body.value("status", 1);
    }
  }

  outcome send_all(const held_signals& signals) {
    std::array<pollfd, 3> sources{{{STDIN_FILENO, POLLIN, 0},
                                   {signals.descriptor(), POLLIN, 0},
                                   {gone_.descriptor(), POLLIN, 0}}};
    for (;;) {
      if (::poll(sources.data(), sources.size(), -1) < 0 && errno != EINTR)
        return fail(ec::process_failed, errno_text("cannot wait"));
      if (gone_.raised())
        return 0;
      if (auto signal = signals.take(); signal == SIGWINCH) {
        if (auto ok = type({}); !ok)
          return fail(ok.error());
      } else if (signal != 0) {
        return 128 + signal;
      }
      if (sources[0].revents == 0)
        continue;
      std::array<char, longest_input> buffer;
      auto n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
      if (n < 0 && (errno == EINTR || errno == EAGAIN))
        continue;
      if (n <= 0)
        return 128 + SIGHUP; // the user's terminal has gone
      if (auto ok = type({buffer.data(), static_cast<std::size_t>(n)}); !ok)
        return fail(ok.error());
    }
  }

  /// Sends it and the size of the window, until all of it is taken.
  result<void> type(std::string_view bytes) {
    do {
      auto body = window();
      body["input"] = to_base64url(bytes);
      body["offset"] = typed_;
      auto answer = api_.call("POST", target_, body, {}, step_limit);
      if (!answer)
        return fail(answer.error());
      auto next = answer->body.value("next", typed_);
      if (next < typed_ || next - typed_ > bytes.size())
        return fail(ec::protocol_mismatch, "next: expected what was taken");
      bytes.remove_prefix(static_cast<std::size_t>(next - typed_));
      typed_ = next;
    } while (!bytes.empty() && !gone_.raised());
    return {};
  }

  const http::api_client& api_;
  std::string target_;
  std::uint64_t typed_ = 0;
  std::thread reader_;
  /// Nobody looks any more; what comes is not shown.
  std::atomic<bool> left_{false};
  std::atomic<bool> shown_{false};
  std::atomic<bool> ended_{false};
  /// The reader has ended; `end_` is of its life.
  stop_signal gone_;
  std::optional<outcome> end_;
};

/// After the beginning every error is a loss.
error lost(const std::string& session, const std::string& node,
           const error& why) {
  return {ec::not_reachable,
          "the terminal of " + session + " on node " + node
            + " is lost, its agent goes on (" + to_string(why) + "); ao attach "
            + session + " looks again"};
}

} // namespace

outcome look_through_hub(const http::api_client& api,
                         const std::string& session, const std::string& node) {
  const auto* term = std::getenv("TERM");
  if (term == nullptr || *term == '\0')
    return fail(ec::bad_input,
                "TERM is not set; it names this terminal's kind");
  auto body = window();
  body["term"] = term;
  auto opened = api.call("POST", item_path("sessions", session, "terminal"),
                         body, idempotency(make_ulid()));
  if (!opened)
    return fail(opened.error());
  held_signals signals;
  remote_look look{
    api,
    item_path("sessions", session,
              "terminal/" + text_at(opened->body, "attachment"))};
  outcome left = 0;
  {
    raw_terminal raw;
    left = look.serve(signals);
  }
  if (look.was_cut())
    show(undo_screen);
  auto end = look.end();
  if (!left)
    return fail(lost(session, node, left.error()));
  if (*left != 0 || !end)
    return left;
  return *end ? *end : fail(lost(session, node, end->error()));
}

} // namespace ao::cli
