#include "cli/commands/watch.hpp"

#include "cli/commands/common.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <thread>

namespace ao::cli {
namespace {

using clock = std::chrono::steady_clock;

/// Between two pictures; what comes meanwhile is in the next one.
constexpr std::chrono::milliseconds least_pause{100};
/// Times that are shown grow without events.
constexpr std::chrono::milliseconds longest_pause{1'000};

// The terminal's other screen, without cursor; and back.
constexpr std::string_view enter_screen = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view leave_screen = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view clear_screen = "\x1b[H\x1b[2J";

void write_now(std::string_view text) {
  std::fflush(stdout);
  // A terminal that is gone ends us by SIGHUP.
  (void)!::write(STDOUT_FILENO, text.data(), text.size());
}

/// Ctrl-C is the way to leave, from wherever we are.
extern "C" void leave_by_signal(int) {
  (void)!::write(STDOUT_FILENO, leave_screen.data(), leave_screen.size());
  ::_exit(0);
}

/// The other screen, for as long as it lives.
class screen {
public:
  screen() {
    struct sigaction how {};
    how.sa_handler = leave_by_signal;
    for (int signal : {SIGINT, SIGTERM, SIGHUP})
      ::sigaction(signal, &how, nullptr);
    write_now(enter_screen);
  }
  ~screen() { write_now(leave_screen); }
  screen(const screen&) = delete;
  screen& operator=(const screen&) = delete;

  void clear() const { write_now(clear_screen); }
};

/// Waits for an event after `last`, for a while; takes its number.
result<void> await_event(const http::api_client& api, std::uint64_t& last) {
  auto target = api_root + "/events";
  add_query(target, "after", std::to_string(last));
  auto heard = api.stream(
    target,
    [&last](const http::received_event& one) {
      last = std::max(last, one.id);
      return http::api_client::next::stop;
    },
    longest_pause);
  if (heard || heard.error().code == ec::timed_out)
    return {};
  // The API is being started anew; the next picture shows whether it is.
  if (heard.error().code != ec::hub_not_running) {
    std::this_thread::sleep_for(least_pause);
    return {};
  }
  return heard;
}

/// The number of the last event so far; what comes later is news.
result<std::uint64_t> newest(const http::api_client& api) {
  // Of nobody: an empty page says how far it has looked.
  auto page = api.call("GET", api_root + "/events?subject=session:none");
  if (!page)
    return fail(page.error());
  return page->body.value("next", std::uint64_t{0});
}

} // namespace

outcome watch(invocation& what, const std::function<result<void>()>& show) {
  if (::isatty(STDOUT_FILENO) == 0 || what.json)
    return fail(ec::bad_input,
                "--watch: needs a terminal; elsewhere use ao events --follow");
  auto api = what.api();
  auto last = newest(api);
  if (!last)
    return fail(last.error());
  screen other;
  for (;;) {
    auto began = clock::now();
    other.clear();
    if (auto shown = show(); !shown && shown.error().code != ec::shutting_down)
      return fail(shown.error());
    if (auto woken = await_event(api, *last); !woken)
      return fail(woken.error());
    std::this_thread::sleep_until(began + least_pause);
  }
}

} // namespace ao::cli
