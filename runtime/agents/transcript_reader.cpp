#include "runtime/agents/transcript_reader.hpp"

#include "runtime/io/fd.hpp"
#include "runtime/io/loop.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace ao {
namespace {

/// Read at once, before others have their turn.
constexpr std::size_t part_size = 256u << 10;
/// What says that a transcript may have begun; also more of a file whose first
/// line was not whole.
constexpr std::uint32_t names = IN_CREATE | IN_MOVED_TO | IN_MODIFY;
/// A longer line is no line of a transcript that says something.
constexpr std::size_t longest_line = 8u << 20;

} // namespace

struct transcript_reader::following::state {
  std::weak_ptr<impl> owner;
  transcript_target target;
  handler on_news;
  call_handler on_call;
  /// The watch of the file of calls; -1 = none.
  int calls = -1;
  transcript_state seen;
  unique_fd file;
  std::uint64_t read_to = 0;
  std::string rest;
  bool skips_line = false;
  /// A part is posted.
  bool reading = false;
  bool ended = false;
  std::set<int> watches;
  std::vector<std::function<void()>> drains;
};

struct transcript_reader::impl : std::enable_shared_from_this<impl> {
  using state = following::state;
  using state_ptr = std::shared_ptr<state>;

  explicit impl(io_loop& l)
      : loop(l),
        notices(l.context(), ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {}

  // -- watches ----------------------------------------------------------------

  bool watch(const state_ptr& s, const std::string& path, std::uint32_t mask) {
    auto wd = ::inotify_add_watch(notices.native_handle(), path.c_str(), mask);
    if (wd < 0)
      return false;
    if (s->watches.insert(wd).second)
      users[wd].insert(s);
    return true;
  }

  void unwatch(const state_ptr& s) {
    for (auto wd : std::exchange(s->watches, {}))
      unwatch(s, wd);
  }

  void unwatch(const state_ptr& s, int wd) {
    auto at = users.find(wd);
    if (at == users.end())
      return;
    at->second.erase(s);
    if (!at->second.empty())
      return;
    users.erase(at);
    ::inotify_rm_watch(notices.native_handle(), wd);
  }

  void listen() {
    notices.async_wait(
      boost::asio::posix::stream_descriptor::wait_read,
      [weak = weak_from_this()](const boost::system::error_code& problem) {
        auto self = weak.lock();
        if (!self || problem)
          return;
        self->take_notices();
        self->listen();
      });
  }

  void take_notices() {
    alignas(inotify_event) std::array<char, 16'384> buffer;
    std::set<int> touched;
    bool lost = false;
    for (;;) {
      auto n = ::read(notices.native_handle(), buffer.data(), buffer.size());
      if (n <= 0)
        break;
      for (ssize_t at = 0; at < n;) {
        const auto* e
          = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        touched.insert(e->wd);
        lost |= (e->mask & IN_Q_OVERFLOW) != 0;
        at += static_cast<ssize_t>(sizeof(*e) + e->len);
      }
    }
    std::set<state_ptr> due;
    std::vector<call_handler> calls;
    for (const auto& [wd, who] : users) {
      if (!lost && touched.count(wd) == 0)
        continue;
      for (const auto& s : who) {
        if (wd == s->calls)
          calls.push_back(s->on_call);
        else
          due.insert(s);
      }
    }
    for (const auto& s : due)
      look(s);
    for (const auto& call : calls)
      call();
  }

  // -- calls ------------------------------------------------------------------

  /// What was called before it was listened is called now.
  void listen_to_calls(const state_ptr& s) {
    if (!s->on_call || s->target.calls.empty() || s->ended)
      return;
    const auto* path = s->target.calls.c_str();
    unique_fd file{
      ::open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    s->calls = ::inotify_add_watch(notices.native_handle(), path, IN_MODIFY);
    if (s->calls < 0)
      return;
    users[s->calls].insert(s);
    struct stat found {};
    if (file.get() >= 0 && ::fstat(file.get(), &found) == 0
        && found.st_size > 0)
      s->on_call();
  }

  // -- one transcript ---------------------------------------------------------

  void look(const state_ptr& s) {
    if (s->ended)
      return;
    if (s->file.get() < 0)
      find(s);
    if (s->file.get() >= 0)
      return read_later(s);
    finish_drains(s);
  }

  void find(const state_ptr& s) {
    // First the watches, then the look: what comes in between is seen twice,
    // never missed. A directory may be made before its parent is watched.
    std::vector<std::string> watched;
    for (auto dirs = directories_of(s->target.place); dirs != watched;
         dirs = directories_of(s->target.place)) {
      for (const auto& dir : dirs)
        watch(s, dir, names | IN_ONLYDIR);
      watched = std::move(dirs);
    }
    if (s->target.file.empty())
      if (auto found = find_transcript(s->target.place))
        s->target.file = *found;
    if (s->target.file.empty())
      return;
    s->file.reset(
      ::open(s->target.file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (s->file.get() < 0)
      return;
    unwatch(s);
    watch(s, s->target.file, IN_MODIFY);
  }

  void read_later(const state_ptr& s) {
    if (std::exchange(s->reading, true))
      return;
    loop.post([self = shared_from_this(), s] {
      s->reading = false;
      self->read_part(s);
    });
  }

  void read_part(const state_ptr& s) {
    if (s->ended)
      return;
    std::string part(part_size, '\0');
    auto n = ::pread(s->file.get(), part.data(), part.size(),
                     static_cast<off_t>(s->read_to));
    if (n <= 0)
      return finish_drains(s);
    part.resize(static_cast<std::size_t>(n));
    take_part(*s, part);
    s->read_to += static_cast<std::uint64_t>(n);
    transcript_news news{s->target.file, s->seen};
    s->seen.heard.clear();
    s->on_news(news);
    // There may be more; the next look finds the end.
    read_later(s);
  }

  static void take_part(state& s, const std::string& part) {
    std::size_t begin = 0;
    for (auto end = part.find('\n'); end != std::string::npos;
         end = part.find('\n', begin)) {
      s.rest.append(part, begin, end - begin);
      begin = end + 1;
      if (!std::exchange(s.skips_line, false))
        take_line(s.seen, s.rest);
      s.rest.clear();
      if (s.read_to + begin <= s.target.run_from)
        forget_earlier_run(s.seen);
    }
    s.rest.append(part, begin, std::string::npos);
    if (s.rest.size() > longest_line) {
      s.skips_line = true;
      s.rest.clear();
    }
  }

  /// What an earlier run has left says nothing of this one.
  static void forget_earlier_run(transcript_state& seen) {
    seen.heard.clear();
    seen.failure.clear();
    seen.problem.clear();
    close_transcript(seen);
  }

  static void finish_drains(const state_ptr& s) {
    for (auto& done : std::exchange(s->drains, {}))
      done();
  }

  void end(const state_ptr& s) {
    s->ended = true;
    unwatch(s);
    unwatch(s, std::exchange(s->calls, -1));
    s->file.reset();
    s->on_news = nullptr;
    s->on_call = nullptr;
    s->drains.clear();
  }

  io_loop& loop;
  boost::asio::posix::stream_descriptor notices;
  std::map<int, std::set<state_ptr>> users;
};

transcript_reader::transcript_reader(io_loop& loop)
    : impl_(std::make_shared<impl>(loop)) {
  loop.post([it = impl_] { it->listen(); });
}

transcript_reader::~transcript_reader() {
  // Where it is listened is where it ends.
  auto& loop = impl_->loop;
  loop.post([it = std::move(impl_)] { it->notices.close(); });
}

std::unique_ptr<transcript_reader::following>
transcript_reader::follow(transcript_target target, handler on_news,
                          call_handler on_call) {
  auto s = std::make_shared<following::state>();
  s->owner = impl_;
  s->seen.kind = target.place.kind;
  s->target = std::move(target);
  s->on_news = std::move(on_news);
  s->on_call = std::move(on_call);
  impl_->loop.post([it = impl_, s] {
    it->listen_to_calls(s);
    it->look(s);
  });
  return std::unique_ptr<following>{new following{s}};
}

transcript_reader::following::~following() {
  if (auto it = state_->owner.lock())
    it->loop.post([it, s = state_] { it->end(s); });
}

void transcript_reader::following::drain(std::function<void()> done) {
  if (auto it = state_->owner.lock())
    it->loop.post([it, s = state_, done = std::move(done)] {
      s->drains.push_back(done);
      it->look(s);
    });
}

} // namespace ao
