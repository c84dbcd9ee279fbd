#include "runtime/process/pty.hpp"

#include "runtime/io/loop.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace ao {
namespace {

using boost::asio::posix::stream_descriptor;

/// Our end of a terminal, and the name of the other one.
struct terminal_ends {
  unique_fd ours;
  std::string name;
};

result<terminal_ends> make_terminal() {
  terminal_ends out;
  out.ours.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  std::array<char, 64> name{};
  if (!out.ours || ::grantpt(out.ours.get()) != 0
      || ::unlockpt(out.ours.get()) != 0
      || ::ptsname_r(out.ours.get(), name.data(), name.size()) != 0)
    return fail(ec::process_failed, errno_text("cannot make a terminal"));
  if (auto ok = set_nonblocking(out.ours.get()); !ok)
    return fail(ok.error());
  out.name = name.data();
  return out;
}

bool set_size(int terminal, window_size size) {
  winsize to{};
  to.ws_col = size.columns;
  to.ws_row = size.rows;
  return ::ioctl(terminal, TIOCSWINSZ, &to) == 0;
}

} // namespace

struct pty_process::impl : std::enable_shared_from_this<impl> {
  impl(io_loop& l, unique_fd ours, std::function<void()> news)
      : loop(l),
        terminal(l.context(), ours.release()),
        on_news(std::move(news)) {}

  // -- on the loop's thread ---------------------------------------------------

  void tell() {
    if (on_news)
      on_news();
  }

  bool is_open() const { return terminal.is_open(); }

  void close() {
    boost::system::error_code ignored;
    terminal.close(ignored);
  }

  /// Reads what is there and fits. Afterwards either it waits for more, or
  /// there is no room, or the end was reached.
  void read_output() {
    bool found = false;
    while (is_open()) {
      std::array<char, 16'384> buffer;
      auto room = std::min(most_unread - unread_size(), buffer.size());
      if (room == 0)
        break;
      auto n = ::read(terminal.native_handle(), buffer.data(), room);
      if (n > 0) {
        std::lock_guard<std::mutex> guard{mutex};
        unread.append(buffer.data(), static_cast<std::size_t>(n));
        found = true;
      } else if (n < 0 && errno == EAGAIN && !has_ended()) {
        await_output();
        break;
      } else if (n == 0 || errno != EINTR) {
        // Nobody has the other end any more (EIO), or the program has ended
        // and nothing that it has printed is left.
        close();
        std::lock_guard<std::mutex> guard{mutex};
        drained = true;
        found = true;
      }
    }
    if (found)
      tell();
  }

  void await_output() {
    if (std::exchange(reading, true))
      return;
    terminal.async_wait(
      stream_descriptor::wait_read,
      [me = shared_from_this()](const boost::system::error_code& problem) {
        me->reading = false;
        if (!problem)
          me->read_output();
      });
  }

  void write_input() {
    bool had_room = true;
    bool has_room = true;
    while (is_open()) {
      std::lock_guard<std::mutex> guard{mutex};
      if (untaken.empty())
        break;
      had_room = had_room && untaken.size() < most_untaken;
      auto n
        = ::write(terminal.native_handle(), untaken.data(), untaken.size());
      if (n > 0) {
        untaken.erase(0, static_cast<std::size_t>(n));
      } else if (n < 0 && errno == EAGAIN) {
        await_room();
        break;
      } else if (n == 0 || errno != EINTR) {
        // Its end is told by the reading side.
        untaken.clear();
      }
      has_room = untaken.size() < most_untaken;
    }
    if (!had_room && has_room)
      tell();
  }

  void await_room() {
    if (std::exchange(writing, true))
      return;
    terminal.async_wait(
      stream_descriptor::wait_write,
      [me = shared_from_this()](const boost::system::error_code& problem) {
        me->writing = false;
        if (!problem)
          me->write_input();
      });
  }

  void take_end(exit_status how) {
    {
      std::lock_guard<std::mutex> guard{mutex};
      status = how;
    }
    if (is_open())
      read_output();
    else
      tell();
  }

  void end() {
    on_news = nullptr;
    close();
    // It is reaped on this thread, too: until then its number is its own.
    if (!has_ended())
      ::kill(-pid, SIGKILL);
  }

  // -- on any -----------------------------------------------------------------

  std::size_t unread_size() const {
    std::lock_guard<std::mutex> guard{mutex};
    return unread.size();
  }

  bool has_ended() const {
    std::lock_guard<std::mutex> guard{mutex};
    return status.has_value();
  }

  template <class Task>
  void post(Task task) {
    loop.post([me = shared_from_this(), task] { task(*me); });
  }

  io_loop& loop;
  pid_t pid = -1;

  // Of the loop's thread.
  stream_descriptor terminal;
  std::function<void()> on_news;
  bool reading = false;
  bool writing = false;

  mutable std::mutex mutex;
  std::string unread;
  /// The offset of its first byte.
  std::uint64_t read_to = 0;
  std::string untaken;
  bool drained = false;
  std::optional<exit_status> status;
};

pty_process::pty_process(std::shared_ptr<impl> made) : impl_(std::move(made)) {}

pty_process::pty_process(pty_process&&) noexcept = default;

pty_process& pty_process::operator=(pty_process&& other) noexcept {
  if (impl_)
    end();
  impl_ = std::move(other.impl_);
  return *this;
}

pty_process::~pty_process() {
  if (impl_)
    end();
}

result<pty_process> pty_process::start(io_loop& loop, const process_spec& spec,
                                       window_size size,
                                       std::function<void()> on_news) {
  auto ends = make_terminal();
  if (!ends)
    return fail(ends.error());
  if (!set_size(ends->ours.get(), size))
    return fail(ec::process_failed, errno_text("cannot size a terminal"));
  auto made = spawn_on_terminal(spec, ends->name);
  if (!made)
    return fail(made.error());
  auto out
    = std::make_shared<impl>(loop, std::move(ends->ours), std::move(on_news));
  out->pid = made->pid;
  watch(loop, std::move(made->pidfd), [out](std::optional<exit_status> how) {
    out->take_end(how.value_or(exit_status{}));
  });
  out->post([](impl& one) { one.read_output(); });
  return pty_process{std::move(out)};
}

result<std::string> pty_process::read(std::uint64_t offset) {
  auto& st = *impl_;
  std::string out;
  {
    std::lock_guard<std::mutex> guard{st.mutex};
    if (offset < st.read_to || offset > st.read_to + st.unread.size())
      return fail(ec::bad_input,
                  "offset: expected " + std::to_string(st.read_to) + " to "
                    + std::to_string(st.read_to + st.unread.size()));
    st.unread.erase(0, static_cast<std::size_t>(offset - st.read_to));
    st.read_to = offset;
    out = st.unread;
  }
  st.post([](impl& one) {
    if (one.is_open() && !one.reading)
      one.read_output();
  });
  return out;
}

std::size_t pty_process::unread() const {
  return impl_->unread_size();
}

std::size_t pty_process::write(std::string_view bytes) {
  auto& st = *impl_;
  std::size_t taken = 0;
  {
    std::lock_guard<std::mutex> guard{st.mutex};
    if (st.status || st.drained)
      return bytes.size();
    taken = std::min(bytes.size(), most_untaken - st.untaken.size());
    st.untaken.append(bytes.substr(0, taken));
  }
  st.post([](impl& one) { one.write_input(); });
  return taken;
}

void pty_process::resize(window_size size) {
  impl_->post([size](impl& one) {
    // A terminal that has just been closed needs none.
    if (one.is_open())
      (void)set_size(one.terminal.native_handle(), size);
  });
}

std::optional<exit_status> pty_process::ended() const {
  std::lock_guard<std::mutex> guard{impl_->mutex};
  return impl_->drained ? impl_->status : std::nullopt;
}

void pty_process::end() {
  impl_->post([](impl& one) { one.end(); });
}

} // namespace ao
