#include "tests/support/terminal_program.hpp"

#include "tests/support/world.hpp"

#include <gtest/gtest.h>

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

namespace ao {

terminal_talk::terminal_talk(const terminal_program& what, window_size size) {
  winsize of{};
  of.ws_col = size.columns;
  of.ws_row = size.rows;
  int ours = -1;
  int theirs = -1;
  std::array<char, 64> name{};
  if (::openpty(&ours, &theirs, name.data(), nullptr, &of) != 0)
    throw std::runtime_error(errno_text("openpty"));
  ours_.reset(ours);
  theirs_.reset(theirs);
  EXPECT_EQ(::tcgetattr(theirs, &before_), 0);
  process_spec spec;
  spec.argv = what.argv;
  spec.env = what.env;
  spec.cwd = what.cwd;
  auto started = spawn_on_terminal(spec, name.data());
  if (!started)
    throw std::runtime_error(to_string(started.error()));
  child_ = std::move(*started);
}

terminal_talk::~terminal_talk() {
  if (reaped_)
    return;
  (void)send_signal(child_.pidfd.get(), SIGKILL);
  (void)reap(child_.pidfd.get());
}

bool terminal_talk::read_more() {
  std::array<pollfd, 2> sources{
    {{ours_.get(), POLLIN, 0}, {child_.pidfd.get(), POLLIN, 0}}};
  if (::poll(sources.data(), sources.size(),
             static_cast<int>(world::patience.count()))
      < 1) {
    ADD_FAILURE() << "nothing happens after: " << screen_;
    return false;
  }
  if (sources[0].revents == 0)
    return false;
  std::array<char, 4096> buffer;
  auto n = ::read(ours_.get(), buffer.data(), buffer.size());
  if (n > 0)
    screen_.append(buffer.data(), static_cast<std::size_t>(n));
  return n > 0;
}

bool terminal_talk::await(const std::string& text) {
  for (;;) {
    auto found = screen_.find(text, awaited_to_);
    if (found != screen_.npos) {
      awaited_to_ = found + text.size();
      return true;
    }
    if (!read_more())
      return false;
  }
}

void terminal_talk::type(const std::string& keys) const {
  EXPECT_EQ(::write(ours_.get(), keys.data(), keys.size()),
            static_cast<ssize_t>(keys.size()));
}

void terminal_talk::resize(window_size size) const {
  winsize to{};
  to.ws_col = size.columns;
  to.ws_row = size.rows;
  EXPECT_EQ(::ioctl(ours_.get(), TIOCSWINSZ, &to), 0);
}

terminal_end terminal_talk::end() {
  while (read_more())
    continue;
  terminal_end out;
  if (!reaped_) {
    EXPECT_TRUE(wait_ended(child_.pidfd.get(), world::patience)) << screen_;
    auto how = reap(child_.pidfd.get());
    reaped_ = true;
    EXPECT_TRUE(how);
    out.code = how ? how->code.value_or(-1) : -1;
  }
  out.screen = screen_;
  return out;
}

bool terminal_talk::is_as_before() const {
  termios now{};
  EXPECT_EQ(::tcgetattr(theirs_.get(), &now), 0);
  return now.c_iflag == before_.c_iflag && now.c_oflag == before_.c_oflag
    && now.c_cflag == before_.c_cflag && now.c_lflag == before_.c_lflag;
}

terminal_end run_on_terminal(const terminal_program& what,
                             const typed_answers& person) {
  terminal_talk talk{what};
  for (const auto& answer : person.answers) {
    if (!talk.await(person.question))
      break;
    talk.type(answer);
  }
  return talk.end();
}

} // namespace ao
